/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* status_assign: what waits for an attorney, and for this member's answer. */
#ifndef AMPARO_CLI_STATUS_ASSIGN_H
#define AMPARO_CLI_STATUS_ASSIGN_H

#include "client.h"
#include "perr.h"

struct list;
PERR_MUST_CHECK enum perr status_assign(struct client *c, struct list *l);

/* after a sync, on stdout: cases that are not this member's any more; said once */
PERR_MUST_CHECK enum perr status_say_left(struct client *c);

#endif
