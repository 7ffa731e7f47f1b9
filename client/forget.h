/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * forget: a case leaves this vault: its statements and those of corrections that came by its
 * code, the attachments no other case has, what is still wanted of it, the text of the search,
 * and which cells brought it.
 *
 * What asks the servers for those cells (erase.h) has to be written down before.  Everything
 * is erased with kv_erase: the caller's kv_settle makes that final.
 */
#ifndef AMPARO_FORGET_H
#define AMPARO_FORGET_H

#include "client.h"
#include "perr.h"
#include "statement.h"

/*
 * One batch.
 * also  in: called within it: what stands in its place
 * PERR_NOTFOUND: no such case here.
 */
PERR_MUST_CHECK enum perr forget_case(struct client *c,
                                     const uint8_t record[STATEMENT_RECORD_SIZE],
                                     enum perr (*also)(void *arg), void *arg);

#endif
