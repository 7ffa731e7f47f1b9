/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * erase: asking the servers to forget the cells of a record.  PROTOCOL 6, `erase`.
 *
 * Which cells.  Those that this reader opened: the ones her statements came in, and the
 * chunks of their attachments.  Of an intake the chunks are shared by all holders of the
 * desk; everything else is her own copy.  What she passed on has other cells, which their
 * readers erase; what is in vaults no server can take away.
 *
 * How.  erase_record writes the requests down, sync takes them to every server of the roster
 * (visit_erase.c), and there they rest for the policy's delay.  A server is asked once.  One
 * that does not know a cell is asked again for ERASE_AGAIN_DAYS: a phone may still bring its
 * second copy there.  Stewards may void what rests; no server says so, and nothing is asked
 * again by itself: erase_record asks again.
 *
 * What it tells a server: which cells belong together, and which connection asked.  They are
 * gone soon, and docs/THREATS.md says so.
 *
 * In the store: erase/<first 16 bytes of T, hex>:
 *	u32 day | u8 has id | id | ds | for each server that answered: 8 bytes of its key, u8
 */
#ifndef AMPARO_ERASE_H
#define AMPARO_ERASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "statement.h"

#define ERASE_AGAIN_DAYS 14

struct erase_sum {
	uint32_t statements;         /* of the record, whose cells are asked for */
	uint32_t untraced;           /* whose cells are not known: own ones, or from before they
	                                were written down */
	uint32_t cells;              /* in all */
	uint32_t unnamed;            /* of them chunks of which only T is known: looked for in the
	                                spool and on the servers */
};
/*
 * Ask for the erasure of a record's cells, or ask again.  One batch.
 * PERR_NOTFOUND: no such record here.
 */
PERR_MUST_CHECK enum perr erase_record(struct client *c,
                                      const uint8_t record[STATEMENT_RECORD_SIZE],
                                      struct erase_sum *sum);
/*
 * Ask for one cell of a record that was erased before, and for the chunks it names; inside a
 * batch of the caller's.
 */
struct origin;
struct blob_ref;
PERR_MUST_CHECK enum perr erase_late(struct client *c, const struct origin *from,
                                    const struct blob_ref *refs, size_t n_refs);
/* cells of which some server of the roster has not answered yet */
PERR_MUST_CHECK enum perr erase_waiting(struct client *c, unsigned *n);

/* ---- for visit_erase.c -------------------------------------------------------------------- */

struct erase_item {
	uint8_t tag[32], ds[32], id[32];
	bool has_id;
};
typedef enum perr erase_fn(void *arg, const struct erase_item *it);
/* what this server is to be asked now */
PERR_MUST_CHECK enum perr erase_each_due(struct client *c, const uint8_t server_pk[32],
                                        erase_fn *fn, void *arg);
enum erase_answer {
	ERASE_NO_ANSWER,             /* a limit, or not asked: next time */
	ERASE_RESTS,                 /* it rests there, or was erased already */
	ERASE_UNKNOWN                /* no such cell there (yet) */
};
/* one batch; what every server has answered is forgotten */
PERR_MUST_CHECK enum perr erase_answered(struct client *c, const uint8_t server_pk[32],
                                        const struct erase_item *items,
                                        const uint8_t *answers, size_t n);

#endif
