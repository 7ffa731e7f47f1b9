/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* status_papers: lines of `amparo status` about the paper holders of the desks one holds. */
#ifndef AMPARO_CLI_STATUS_PAPERS_H
#define AMPARO_CLI_STATUS_PAPERS_H

#include "client.h"
#include "perr.h"

struct list;

PERR_MUST_CHECK enum perr status_papers(struct client *c, struct list *l);

#endif
