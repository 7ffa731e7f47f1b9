/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * duties: what a member's program does by itself at the end of a sync, because nobody should
 * have to remember it.  Each duty belongs to a module of its own; duties.c is the list, in
 * the order in which they are done.
 *
 * A duty reads and writes the store in batches of its own.  What it queues for servers is
 * sent by the next visit, which `more` asks for.  One that is cut by a kill is done at the
 * next sync: a duty finds out from the store what is due, never from what it did last.
 */
#ifndef AMPARO_DUTIES_H
#define AMPARO_DUTIES_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"

/* what the sync that just ended came to */
struct duties_sync {
	bool all_complete;               /* every server of the roster was visited whole */
	bool any_complete;               /* at least one was */
	uint32_t scanned_through;        /* sync_scanned_through */
	uint32_t fresh;                  /* statements new to this vault */
	uint32_t told;                   /* newer custody statements of co-holders */
};

/*
 * more  out: something was queued that is better sent now than at the next sync
 * Errors of the own store end it; what was done before stays done.
 */
PERR_MUST_CHECK enum perr duties_run(struct client *c, const struct duties_sync *s, bool *more);

#endif
