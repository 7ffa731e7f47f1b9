/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "verify.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "outbox.h"
#include "pending.h"
#include "prekeys.h"
#include "rebase.h"

void verify_wipe(struct verify *v)
{
	for (int i = 0; i < 3; i++)
		doc_free(v->body[i], v->body_len[i]);
	free(v->slots);
	free(v->header);
	sodium_memzero(v, sizeof *v);
}

/*
 * Administrators compare what two rosters hold (rebase.h), not their numbers: a lower version
 * is looked at too.  Their own pending versions are above what the servers agreed on, so
 * the chain is held against what lies below those.
 */
static enum perr accept_as_admin(const struct verify *v, struct client *c,
                                 const struct bulletin_known *known)
{
	struct bulletin_known *base = malloc(sizeof *base);
	enum perr err = base == NULL ? PERR_NOMEM : rebase_known(c, base);

	if (err == PERR_OK) {
		base->version = 0;
		err = bulletin_accept(base, &v->b, &v->admins, v->hash);
	}
	/* of before a change of administrators: only to be looked at */
	if (err == PERR_CHAIN && bulletin_accept(known, &v->b, &v->admins, v->hash) == PERR_OLD)
		err = PERR_OK;
	free(base);
	return err;
}

enum perr verify_header(struct verify *v, struct client *c, const uint8_t *hash, uint8_t *bytes,
                        size_t len)
{
	struct bulletin_known *known = calloc(1, sizeof *known);
	enum perr err = PERR_NOMEM;

	v->header = bytes;
	v->header_len = len;
	if (known != NULL)
		err = bulletin_open(&v->b, &v->admins, v->hash, v->header, v->header_len);
	if (err == PERR_OK && hash != NULL && memcmp(hash, v->hash, 32) != 0)
		err = PERR_CORRUPT;
	/* who is joining knows only an anchor; client_adopt holds the chain against it */
	if (err == PERR_OK && !sodium_is_zero(c->me->genesis, 32)) {
		client_known(c, known);
		err = c->admin != NULL ? accept_as_admin(v, c, known)
		                       : bulletin_accept(known, &v->b, &v->admins, v->hash);
	}
	free(known);
	return err;
}

bool verify_is_older(const struct verify *v, const struct client *c)
{
	return c->admin != NULL && v->b.version < client_bulletin(c)->version;
}

enum perr verify_slots(struct verify *v, const struct client *c, const uint8_t *bytes, size_t len,
                       uint32_t *ended)
{
	const struct identity *me = c->me;
	uint8_t name[32];
	uint32_t day;
	enum perr err;

	*ended = 0;
	bulletin_part_name(name, bytes, len);
	if (memcmp(name, v->b.slots.name, 32) != 0)
		return PERR_CORRUPT;
	v->own_slot = true;
	err = bulletin_slots_find(v->level_key, bytes, len, v->b.version, me->slot.sk,
	                          me->slot_secret);
	if (err == PERR_NOTMINE && !sodium_is_zero(me->old_slot.sk, 32)) {
		v->own_slot = false;
		err = bulletin_slots_find(v->level_key, bytes, len, v->b.version, me->old_slot.sk,
		                          me->old_slot_secret);
	}
	if (err == PERR_OK && v->own_slot && bulletin_slot_is_ended(v->level_key, &day)) {
		*ended = day;
		return PERR_OK;
	}
	if (err == PERR_OK)
		err = bulletin_level(&v->level, &v->keys, &v->b, v->level_key);
	if (err == PERR_OK && v->level == BULLETIN_ADMIN) {
		v->slots = malloc(len);
		if (v->slots == NULL)
			return PERR_NOMEM;
		memcpy(v->slots, bytes, len);
		v->slots_len = len;
	}
	return err;
}

enum perr verify_body(struct verify *v, enum bulletin_which which, const uint8_t *bytes,
                      size_t len)
{
	const uint8_t *key = which == BULLETIN_FIELD ? v->keys.field
	                   : which == BULLETIN_STAFF ? v->keys.staff : v->keys.admin;

	return bulletin_part_open(&v->body[which], &v->body_len[which],
	                          v->b.bodies[which].part.name, key, which, v->b.version, bytes,
	                          len);
}

enum perr verify_adopt(struct verify *v, struct client *c, enum rebase_how *how, unsigned *redone,
                       bool *ours)
{
	struct roster_bytes r = {
		.header = v->header, .header_len = v->header_len,
		.level = (enum client_level)(v->level + 1), .own_slot = v->own_slot,
		.field = v->body[0], .field_len = v->body_len[0],
		.staff = v->body[1], .staff_len = v->body_len[1],
		.admin = v->body[2], .admin_len = v->body_len[2],
		.slots = v->slots, .slots_len = v->slots_len,
	};
	enum perr err;

	*how = REBASE_ADOPTED;
	*redone = 0;
	memcpy(r.level_key, v->level_key, 32);
	if (c->admin != NULL && v->level == BULLETIN_ADMIN)
		err = rebase_adopt(c, &r, v->b.version, v->hash, how, redone);
	else
		err = client_adopt(c, &r);
	sodium_memzero(&r, sizeof r);
	*ours = err == PERR_IO || err == PERR_FULL || err == PERR_TIMEOUT || err == PERR_NOMEM;
	if (err != PERR_OK || *how != REBASE_ADOPTED)
		return err;
	*ours = true;
	err = outbox_tidy(c);
	if (err == PERR_OK && prekeys_needed(c))
		err = prekeys_renew(c, false, NULL);
	return err == PERR_OK ? prekeys_repost(c) : err;
}
