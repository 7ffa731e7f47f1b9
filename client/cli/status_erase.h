/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What `amparo status` says of corrections and erasures, and the list of `amparo erase`. */
#ifndef AMPARO_STATUS_ERASE_H
#define AMPARO_STATUS_ERASE_H

#include "cli.h"
#include "status.h"

/* corrections: whose interviews are missing, and that differ */
PERR_MUST_CHECK enum perr status_amend(struct client *c, struct list *l);
PERR_MUST_CHECK enum perr status_erase(struct client *c, struct list *l);
/* exit code */
int status_erase_list(struct cli *cli);

#endif
