/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* apply_server: the changes of apply.h that concern the list of servers. */
#ifndef AMPARO_APPLY_SERVER_H
#define AMPARO_APPLY_SERVER_H

#include "apply.h"

PERR_MUST_CHECK enum perr apply_server_add(struct client *c, const struct pending_op *o,
                                          struct applied *d);
/* the last server of an organisation is not dropped: nobody would find the next one */
PERR_MUST_CHECK enum perr apply_server_drop(struct client *c, const struct pending_op *o,
                                           struct applied *d);
/* one in the place of another, in one version; listed also if the other one is gone already */
PERR_MUST_CHECK enum perr apply_server_replace(struct client *c, const struct pending_op *o,
                                              struct applied *d);

#endif
