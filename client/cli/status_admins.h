/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What `amparo status` says to an administrator of administrators and of what they sign. */
#ifndef AMPARO_STATUS_ADMINS_H
#define AMPARO_STATUS_ADMINS_H

#include "cli.h"
#include "status.h"

PERR_MUST_CHECK enum perr status_admins(struct client *c, struct list *l);

#endif
