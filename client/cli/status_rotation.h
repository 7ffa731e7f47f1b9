/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* status_rotation: lines of `amparo status` about what a rotation or revocation left pending. */
#ifndef AMPARO_CLI_STATUS_ROTATION_H
#define AMPARO_CLI_STATUS_ROTATION_H

#include "client.h"
#include "perr.h"

struct list;

/*
 * For an administrator: who was revoked lately, and what is still open after it: servers
 * without the policy, charters that name the person, until when older keys let in and what was
 * sealed before expires; whose keys were refused and are not renewed; what is due by plan.  For
 * a holder: the charters that still name somebody who was revoked.  For whoever was revoked: that.
 */
PERR_MUST_CHECK enum perr status_rotation(struct client *c, struct list *l);

#endif
