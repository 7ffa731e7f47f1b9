/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * holding: the statements of one desk that lie in this vault, for custody (PROTOCOL 4.4):
 * everything addressed to the desk but custody statements, of whatever kind; without the
 * records that are gone (gone.h).
 *
 * Worked out from the store each time: it is what is there, not what was once noted down.
 */
#ifndef AMPARO_HOLDING_H
#define AMPARO_HOLDING_H

#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "custody.h"
#include "perr.h"

struct holding_item {
	uint8_t hash[CUSTODY_HASH];
	uint8_t record[CUSTODY_RECORD];
	uint32_t day;                    /* of the statement */
	uint32_t received;               /* day on which it came into this vault */
	uint64_t missing;                /* bit i: attachment i is not in this vault */
};

/* no custody statement speaks of it any more */
struct holding_gone {
	uint8_t record[CUSTODY_RECORD];
	uint32_t day;                    /* on which it was marked */
};

struct holding {
	uint8_t desk[32];
	size_t n;
	struct holding_item *at;         /* by day, then hash */
	size_t n_gone;
	struct holding_gone *gone;       /* by record; of all desks */
};

/* out: for holding_free; NULL after an error.  Errors of the own store. */
PERR_MUST_CHECK enum perr holding_load(struct client *c, const uint8_t desk[32],
                                      struct holding **out);
void holding_free(struct holding *h);            /* NULL is harmless */

/* the first item of this day or a later one; n if there is none */
size_t holding_from(const struct holding *h, uint32_t day);
/* name of an item's record in the store */
void holding_name(char out[96], const struct holding_item *it);

#endif
