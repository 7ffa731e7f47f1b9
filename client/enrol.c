/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "enrol.h"

#include <sodium.h>
#include <string.h>

#include "cell.h"
#include "outbox.h"
#include "roster.h"
#include "signed.h"

enum perr enrol_begin(struct client *c, const struct invite *inv, const char *name,
                      const char *const *languages, unsigned n_languages)
{
	struct identity *me = c->me;
	struct invite_keys keys;
	size_t len = strlen(name);
	enum perr err;

	if (me->state != CLIENT_NOBODY)
		return PERR_STATE;
	if (len == 0 || len >= sizeof me->name || n_languages > 16)
		return PERR_RANGE;
	for (unsigned i = 0; i < n_languages; i++) {
		size_t n = strlen(languages[i]);

		if (n == 0 || n > JOIN_LANGUAGE_MAX)
			return PERR_RANGE;
		memcpy(me->languages[i], languages[i], n + 1);
	}
	me->n_languages = n_languages;
	memcpy(me->name, name, len + 1);
	client_new_keys(c);
	invite_derive(&keys, inv->seed);
	memcpy(me->old_slot.sk, keys.slot_sk, 32);
	memcpy(me->old_slot.pk, keys.slot_pk, 32);
	memcpy(me->old_slot_secret, keys.slot_secret, 32);
	memcpy(me->ticket, keys.ticket, 16);
	invite_keys_wipe(&keys);
	memcpy(me->anchor, inv->anchor, 32);
	memcpy(me->guest_key, inv->guest_key, 32);
	memcpy(me->first_address, inv->address, strlen(inv->address) + 1);
	memcpy(me->first_server_pk, inv->server_pk, 32);
	me->role = ROLE_NONE;
	me->state = CLIENT_JOINING;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = client_save_me(c);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK) {
		kv_abort(c->kv);
		sodium_memzero(me, sizeof *me);
	}
	return err;
}

static enum perr seal_answer(struct client *c, uint8_t payload[CELL_PAYLOAD_MAX], size_t *len,
                             struct post *post)
{
	struct identity *me = c->me;
	struct join j = { 0 };
	struct sign_key key;
	uint16_t words[JOIN_WORDS];
	enum perr err;

	memcpy(j.ticket, me->ticket, 16);
	memcpy(j.name, me->name, strlen(me->name) + 1);
	j.n_languages = me->n_languages;
	for (unsigned i = 0; i < me->n_languages; i++)
		memcpy(j.languages[i], me->languages[i], strlen(me->languages[i]) + 1);
	memcpy(j.slot_pk, me->slot.pk, 32);
	memcpy(j.slot_secret, me->slot_secret, 32);
	client_sign_key(c, &key);
	err = join_sign(payload, len, words, &j, &key, c->env.rng);
	signed_key_wipe(&key);
	join_wipe(&j);
	if (err != PERR_OK)
		return err;
	post->kind = POST_JOIN;
	memcpy(post->ticket, me->ticket, 16);
	return cell_seal(post->cell, post->ds, CELL_JOIN, payload, *len, c->field->inbox_pk,
	                 &c->seasons[c->n_seasons - 1], c->env.rng);
}

enum perr enrol_answer(struct client *c)
{
	uint8_t payload[CELL_PAYLOAD_MAX], *old = NULL;
	struct post post = { 0 };
	size_t len = 0;
	enum perr err;

	if (c->me->state != CLIENT_JOINING || c->field == NULL || c->n_seasons == 0)
		return PERR_STATE;
	err = kv_get(c->kv, "join/mine", &old, NULL);
	kv_free(old);
	if (err != PERR_NOTFOUND)
		return err;              /* made before: the words on the phone must stay */
	err = seal_answer(c, payload, &len, &post);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK) {
		err = kv_put(c->kv, "join/mine", payload, len);
		if (err == PERR_OK)
			err = post_add(c, "join", &post);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
		if (err != PERR_OK)
			kv_abort(c->kv);
	}
	sodium_memzero(payload, sizeof payload);
	sodium_memzero(&post, sizeof post);
	return err;
}

enum perr enrol_words(struct client *c, uint16_t words[JOIN_WORDS])
{
	struct join j;
	uint8_t *raw = NULL;
	size_t len;
	enum perr err = kv_get(c->kv, "join/mine", &raw, &len);

	if (err != PERR_OK)
		return err;
	err = join_open(&j, words, raw, len);
	join_wipe(&j);
	kv_free(raw);
	return err == PERR_OK || err == PERR_NOMEM ? err : PERR_CORRUPT;
}
