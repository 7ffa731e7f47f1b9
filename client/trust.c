/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "trust.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "mp.h"
#include "roster.h"

#define PIN_SIZE 64

static enum perr pin_get(struct client *c, const uint8_t desk_id[32], struct desk_pin *pin)
{
	struct mp_reader r;
	uint8_t *buf = NULL;
	char name[96];
	size_t len;
	enum perr err;

	memset(pin, 0, sizeof *pin);
	client_key_name(name, "pin/", desk_id, 32);
	err = kv_get(c->kv, name, &buf, &len);
	if (err != PERR_OK)
		return err;
	mp_reader_init(&r, buf, len);
	mp_array(&r, 3);
	pin->trust = (enum desk_trust)mp_uint(&r, DESK_PINNED_WORDS);
	pin->version = (uint32_t)mp_uint(&r, UINT32_MAX);
	mp_bin_copy(&r, pin->hash, 32);
	memcpy(pin->id, desk_id, 32);
	err = kv_decoded(mp_finish(&r));
	if (err == PERR_OK && pin->trust == DESK_UNKNOWN)
		err = PERR_CORRUPT;
	kv_free(buf);
	return err;
}

static enum perr pin_put(struct client *c, const struct desk_pin *pin)
{
	uint8_t buf[PIN_SIZE];
	struct mp_writer w;
	char name[96];
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 3);
	mp_put_uint(&w, (uint64_t)pin->trust);
	mp_put_uint(&w, pin->version);
	mp_put_bin(&w, pin->hash, 32);
	err = mp_written(&w, &len);
	if (err != PERR_OK)
		return err;
	client_key_name(name, "pin/", pin->id, 32);
	return kv_put(c->kv, name, buf, len);
}

enum perr trust_desk(struct client *c, const uint8_t desk_id[32], enum trust_how *how)
{
	struct desk_pin pin;
	enum perr err = pin_get(c, desk_id, &pin);

	*how = TRUST_UNKNOWN;
	if (err == PERR_NOTFOUND)
		return PERR_OK;
	if (err == PERR_OK)
		*how = (enum trust_how)(int)pin.trust;
	return err;
}

enum perr trust_pin(struct client *c, const uint8_t desk_id[32], enum trust_how how)
{
	struct desk_pin pin;
	enum perr err = pin_get(c, desk_id, &pin);

	if (err != PERR_NOTFOUND)
		return err;              /* pinned before: the first reason stays */
	pin.trust = (enum desk_trust)(int)how;
	memcpy(pin.id, desk_id, 32);
	memcpy(pin.hash, desk_id, 32);   /* the id is the hash of version 0 */
	return pin_put(c, &pin);
}

enum perr trust_by_words(struct client *c, const uint8_t desk_id[32],
                         const unsigned at[DESK_WORDS_ASK], const uint16_t typed[DESK_WORDS_ASK])
{
	enum perr err;

	/* one word typed twice would be half of what is asked for */
	if (at[0] == at[1] || !desk_words_match(desk_id, at, typed))
		return PERR_AUTH;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = trust_pin(c, desk_id, TRUST_WORDS);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

struct pins {
	struct client *c;
	struct desk_pin *at;
	size_t n, room;
};

static enum perr collect_pin(void *arg, const char *name)
{
	struct pins *p = arg;
	uint8_t id[32];
	size_t got;

	if (strlen(name) != 4 + 64 ||
	    sodium_hex2bin(id, sizeof id, name + 4, 64, NULL, &got, NULL) != 0 || got != 32)
		return PERR_CORRUPT;
	if (p->n == p->room) {
		size_t room = p->room == 0 ? 16 : 2 * p->room;
		struct desk_pin *more = realloc(p->at, room * sizeof *more);

		if (more == NULL)
			return PERR_NOMEM;
		p->at = more;
		p->room = room;
	}
	return pin_get(p->c, id, &p->at[p->n++]);
}

enum perr trust_follow(struct client *c)
{
	size_t n = c->field == NULL ? 0 : c->field->n_desks;
	struct pins pins = { .c = c };
	struct desk *desks = NULL;
	struct desk_verdict *verdicts = NULL;
	struct doc_bytes *firsts = NULL;
	uint32_t *lowest = NULL;
	enum perr err;

	if (n == 0)
		return PERR_OK;
	desks = calloc(n, sizeof *desks);
	verdicts = calloc(n, sizeof *verdicts);
	firsts = calloc(n, sizeof *firsts);
	lowest = calloc(n, sizeof *lowest);
	err = desks && verdicts && firsts && lowest ? PERR_OK : PERR_NOMEM;
	if (err == PERR_OK)
		err = kv_each_name(c->kv, "pin/", collect_pin, &pins);
	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		firsts[i] = c->field->desks[i].charters[0];
		lowest[i] = c->field->desks[i].lowest_charter;
		/* a desk whose charters lack holders' signatures makes the whole roster unfit */
		err = client_desk(c, i, &desks[i]);
	}
	if (err == PERR_OK)
		err = desk_judge(verdicts, desks, firsts, n, lowest, pins.at, pins.n,
		                 c->me->sign_pk);
	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		struct desk_pin pin;

		if (verdicts[i].err != PERR_OK) {
			err = PERR_CHAIN;        /* a trusted desk went back or sideways */
		} else if (verdicts[i].trust != DESK_UNKNOWN) {
			desk_pin_of(&pin, &desks[i], verdicts[i].trust);
			err = pin_put(c, &pin);
		}
	}
	free(pins.at);
	free(desks);
	free(verdicts);
	free(firsts);
	free(lowest);
	return err;
}

enum perr trust_member(struct client *c, const uint8_t key_id[32], int *known)
{
	char name[96];
	uint8_t *buf = NULL;
	size_t len;
	enum perr err;

	*known = 0;
	client_key_name(name, "peer/", key_id, 32);
	err = kv_get(c->kv, name, &buf, &len);
	if (err == PERR_NOTFOUND)
		return PERR_OK;
	if (err == PERR_OK && (len != 1 || buf[0] > 2))
		err = PERR_CORRUPT;
	if (err == PERR_OK)
		*known = buf[0];
	kv_free(buf);
	return err;
}

enum perr trust_member_set(struct client *c, const uint8_t key_id[32], int known)
{
	uint8_t v = (uint8_t)known;
	char name[96];

	client_key_name(name, "peer/", key_id, 32);
	return kv_put(c->kv, name, &v, 1);
}

enum perr trust_member_compared(struct client *c, const uint8_t key_id[32])
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = trust_member_set(c, key_id, 2);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}
