/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * leave: a record leaves the device of whom it is not assigned to any more: it was withdrawn,
 * declined, given to somebody else meanwhile, or they recused themselves.  PROTOCOL 4.7.
 *
 * What goes: the statements, the attachments that no other record has, the text of the
 * search, what is still wanted; and the servers are asked to erase this reader's own cells
 * (erase.h).  What stays: that it was here, its code, and up to which turn it is over, so
 * that nothing of it comes back by itself and a new assignment does.  A record of a desk that
 * this member holds stays: the desk keeps it.  So does one under a legal hold.
 *
 * Whoever has read has read: this is no promise against its owner (docs/THREATS.md).
 *
 * In the store: left/<record hex>: [version 1, code str, turn, state, day, told bool]
 */
#ifndef AMPARO_LEAVE_H
#define AMPARO_LEAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "assigned.h"
#include "case_code.h"
#include "client.h"
#include "perr.h"
#include "statement.h"

/*
 * Let go of every record that is over for this member.  Each is one batch, after the requests
 * to the servers; a repeat completes it.  The caller settles.
 */
PERR_MUST_CHECK enum perr leave_tidy(struct client *c, unsigned *n);

/* is what belongs to this turn of a record over on this device?  For record.h */
PERR_MUST_CHECK enum perr leave_blocks(struct client *c,
                                      const uint8_t record[STATEMENT_RECORD_SIZE],
                                      uint32_t turn, bool *blocks);

struct left {
	uint8_t record[STATEMENT_RECORD_SIZE];
	char code[CASE_CODE_LEN + 1];
	enum assigned_state state;
	uint32_t turn, day;
	bool told;
};
typedef void left_fn(void *arg, const struct left *l);
/* those of which this member was not told yet; they count as told afterwards.  A batch */
PERR_MUST_CHECK enum perr leave_tell(struct client *c, left_fn *fn, void *arg);

#endif
