/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* apply_charter: the changes of apply.h that concern the charters of listed desks. */
#ifndef AMPARO_APPLY_CHARTER_H
#define AMPARO_APPLY_CHARTER_H

#include "apply.h"

/* the next charter of a listed desk; the lowest acceptable version rises with it */
PERR_MUST_CHECK enum perr apply_charter(struct client *c, const struct pending_op *o,
                                       struct applied *d);
/* countersignatures under the first charter of a listed desk */
PERR_MUST_CHECK enum perr apply_countersign(struct client *c, const struct pending_op *o,
                                           struct applied *d);

#endif
