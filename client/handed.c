/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "handed.h"

#include <stdlib.h>
#include <string.h>

#include "handout.h"
#include "press.h"
#include "revoked.h"
#include "verify.h"

enum perr handed_make(struct client *c, uint8_t **out, size_t *len)
{
	const struct bulletin *b = client_bulletin(c);
	uint8_t *part[4] = { NULL };
	struct handout h = { 0 };
	enum perr err = PERR_OK;

	*out = NULL;
	*len = 0;
	if (c->admin == NULL || b == NULL)
		return PERR_STATE;
	h.header.p = client_header_bytes(c, &h.header.len);
	err = press_part(c, b->slots.name, &part[3], &h.slots.len);
	h.slots.p = part[3];
	for (int i = 0; i < 3 && err == PERR_OK; i++) {
		err = press_part(c, b->bodies[i].part.name, &part[i], &h.bodies[i].len);
		h.bodies[i].p = part[i];
	}
	if (err == PERR_OK)
		err = handout_encode(out, len, &h);
	for (int i = 0; i < 4; i++)
		kv_free(part[i]);
	return err;
}

static enum perr take(struct verify *v, struct client *c, const struct handout *h,
                      enum handed_what *what, bool *ours)
{
	uint8_t *header = malloc(h->header.len);
	enum rebase_how how;
	uint32_t ended;
	unsigned redone;
	enum perr err;

	if (header == NULL)
		return PERR_NOMEM;
	memcpy(header, h->header.p, h->header.len);
	err = verify_header(v, c, NULL, header, h->header.len);
	if (err == PERR_OK && client_bulletin(c) != NULL &&
	    memcmp(v->hash, c->header_hash, 32) == 0)
		return PERR_OK;
	if (err == PERR_OLD)
		return PERR_OK;
	if (err == PERR_OK)
		err = verify_slots(v, c, h->slots.p, h->slots.len, &ended);
	if (err == PERR_OK && ended != 0) {
		/* an older one says nothing about today */
		if (verify_is_older(v, c))
			return PERR_OK;
		*what = HANDED_REVOKED;
		*ours = true;
		return revoked_note(c, ended, v->b.version);
	}
	for (int i = 0; err == PERR_OK && i <= (int)v->level; i++)
		err = verify_body(v, (enum bulletin_which)i, h->bodies[i].p, h->bodies[i].len);
	if (err == PERR_OK)
		err = verify_adopt(v, c, &how, &redone, ours);
	if (err == PERR_OK && how == REBASE_ADOPTED)
		*what = HANDED_TAKEN;
	return err;
}

enum perr handed_take(struct client *c, const uint8_t *in, size_t len, enum handed_what *what,
                      bool *ours)
{
	struct verify *v = calloc(1, sizeof *v);
	struct handout h;
	enum perr err = v == NULL ? PERR_NOMEM : PERR_OK;

	*what = HANDED_KNOWN;
	*ours = false;
	if (err == PERR_OK)
		err = handout_decode(&h, in, len);
	if (err == PERR_OK)
		err = take(v, c, &h, what, ours);
	if (v != NULL)
		verify_wipe(v);
	free(v);
	if (err == PERR_NOMEM)
		*ours = true;
	return err;
}
