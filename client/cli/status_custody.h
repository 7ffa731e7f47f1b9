/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * status_custody: lines of `amparo status` for the holders of a desk: how many of its
 * records are in one vault only, and when each co-holder's vault was last heard of.
 */
#ifndef AMPARO_CLI_STATUS_CUSTODY_H
#define AMPARO_CLI_STATUS_CUSTODY_H

#include "client.h"
#include "perr.h"

struct list;

/* nothing for whoever holds no desk */
PERR_MUST_CHECK enum perr status_custody(struct client *c, struct list *l);

#endif
