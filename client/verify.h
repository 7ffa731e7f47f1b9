/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * verify: a bulletin, verified and adopted step by step, wherever its parts come from: a server
 * (visit_bulletin.c) or a file that somebody handed over (handed.h).  PROTOCOL 8.
 *
 *	header → slots → field body [→ staff body [→ admin body]] → adopt
 *
 * Nothing is believed before the administrators' signatures and the chain hold; nothing is
 * stored before the last step.
 */
#ifndef AMPARO_VERIFY_H
#define AMPARO_VERIFY_H

#include "bulletin.h"
#include "client.h"
#include "perr.h"
#include "rebase.h"

/* begins as { 0 }; verify_wipe at the end */
struct verify {
	uint8_t hash[32];                /* of the header */
	uint8_t *header;
	size_t header_len;
	struct bulletin b;               /* borrows from header */
	struct admins admins;
	uint8_t *slots;                  /* kept for administrators, who bring it on */
	size_t slots_len;
	enum bulletin_which level;       /* what this member's slot opens */
	struct roster_keys keys;
	uint8_t level_key[32];
	bool own_slot;
	uint8_t *body[3];                /* opened */
	size_t body_len[3];
};
void verify_wipe(struct verify *v);

/*
 * hash   in: what the header must be, or NULL: whatever it is
 * bytes  in: malloc'd; v's from here on, also after an error
 * PERR_CORRUPT: another header.  Else as bulletin_open and bulletin_accept; an administrator's
 * client also looks at older ones, for what they hold (rebase.h).
 */
PERR_MUST_CHECK enum perr verify_header(struct verify *v, struct client *c, const uint8_t *hash,
                                       uint8_t *bytes, size_t len);
/* an administrator looks at a version below the own one */
bool verify_is_older(const struct verify *v, const struct client *c);
/*
 * Find this member's slot.
 * ended  out: the day on which the membership ended, if the slot says so (PROTOCOL 8.3), else 0;
 *        then there is nothing to go on with
 * PERR_CORRUPT: not the slots that the header names.  PERR_NOTMINE: no slot opens.
 */
PERR_MUST_CHECK enum perr verify_slots(struct verify *v, const struct client *c,
                                      const uint8_t *bytes, size_t len, uint32_t *ended);
/* bodies up to v->level, in their order.  Errors as bulletin_part_open */
PERR_MUST_CHECK enum perr verify_body(struct verify *v, enum bulletin_which which,
                                     const uint8_t *bytes, size_t len);
/*
 * Adopt it, and do what follows from another roster: copies and servers may have changed, and
 * whom the prekeys are for.
 * how, redone  out: as rebase_adopt
 * Errors as client_adopt and rebase_adopt: nothing is changed then.  *ours: the error is one of
 * this device's own store.
 */
PERR_MUST_CHECK enum perr verify_adopt(struct verify *v, struct client *c, enum rebase_how *how,
                                      unsigned *redone, bool *ours);

#endif
