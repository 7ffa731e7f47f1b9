/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "notices.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "board.h"
#include "charter.h"
#include "charters.h"
#include "doc.h"
#include "mp.h"
#include "papers.h"
#include "prekeys.h"
#include "quorum.h"
#include "quorum_box.h"
#include "restored.h"
#include "roster.h"
#include "vouch.h"

#define CHARTERS "charter/"
#define ALARMS   "alarm/"

/* ---- sealing and opening ---------------------------------------------------------------------- */

/* the administrators' own part of the board: proposals and signatures */
static void add_admins(const struct roster_admin *a, struct reader_key *k, size_t *at)
{
	uint8_t sk[32];

	box_board_sk(sk, a->inbox_sk);
	board_key(&k[(*at)++], sk);
	for (uint32_t i = a->n_inboxes; i > 0 && a->n_inboxes - i < ROSTER_BOARDS_MAX; i--) {
		box_board_sk(sk, a->inboxes[i - 1].sk);
		board_key(&k[(*at)++], sk);
	}
	sodium_memzero(sk, sizeof sk);
}

/*
 * n out: keys in sodium_malloc, NULL if none is known: of the field, then of the staff if it is
 * known, then those of before: who is away has not put their documents there again.
 */
static struct reader_key *board_keys(const struct client *c, size_t *n)
{
	size_t all = c->field == NULL ? 0 : c->staff == NULL ? 1 : 2, at = 0;
	struct reader_key *k = NULL;

	*n = 0;
	if (all > 0)
		k = sodium_malloc((all + 4 * ROSTER_BOARDS_MAX) * sizeof *k);
	if (k == NULL)
		return NULL;
	board_key(&k[at++], c->field->board_sk);
	if (c->staff != NULL)
		board_key(&k[at++], c->staff->board_sk);
	for (uint32_t i = c->field->n_boards; i > 0; i--)
		board_key(&k[at++], c->field->boards[i - 1].sk);
	for (uint32_t i = c->staff == NULL ? 0 : c->staff->n_boards; i > 0; i--)
		board_key(&k[at++], c->staff->boards[i - 1].sk);
	if (c->admin != NULL)
		add_admins(c->admin, k, &at);
	*n = at;
	return k;
}

enum perr notices_seal(struct client *c, bool staff, unsigned type, const uint8_t *doc,
                       size_t doc_len, uint8_t cell[CELL_SIZE], uint8_t ds[CELL_DS_SIZE])
{
	struct board_entry e = { .type = (enum board_type)type };
	uint8_t payload[CELL_PAYLOAD_MAX];
	struct reader_key *keys;
	size_t n, len;
	enum perr err;

	keys = board_keys(c, &n);
	if (keys == NULL || (staff && c->staff == NULL) || c->n_seasons == 0) {
		err = c->field != NULL && keys == NULL ? PERR_NOMEM : PERR_NOTFOUND;
		goto out;
	}
	e.doc = doc_bytes_of(doc, doc_len);
	err = board_encode(payload, &len, &e);
	if (err == PERR_OK)
		err = cell_seal(cell, ds, CELL_BOARD, payload, len, keys[staff ? 1 : 0].pk,
		                &c->seasons[c->n_seasons - 1], c->env.rng);
out:
	if (keys != NULL)
		sodium_free(keys);
	return err;
}

static enum perr open_cell(struct client *c, const uint8_t cell[CELL_SIZE],
                           uint8_t payload[CELL_PAYLOAD_MAX], size_t *len)
{
	struct reader_key *keys;
	enum cell_form form;
	size_t n, key_at, season_at;
	enum perr err = PERR_NOTMINE;

	keys = board_keys(c, &n);
	if (keys != NULL)
		err = cell_trial(&key_at, &season_at, NULL, cell, keys, n, c->seasons, c->n_seasons);
	if (err == PERR_OK)
		err = cell_open(&form, payload, len, cell, &keys[key_at], &c->seasons[season_at]);
	if (err == PERR_OK && form != CELL_BOARD)
		err = PERR_FORMAT;
	if (keys != NULL)
		sodium_free(keys);
	return err;
}

/* ---- alarms ----------------------------------------------------------------------------------- */

enum perr notices_raise(struct client *c, unsigned type, uint32_t number, const uint8_t *doc,
                        size_t len, enum notices_taken *taken)
{
	uint8_t hash[32], buf[32], *old;
	char name[96];
	struct mp_writer w;
	size_t used;
	enum perr err;

	doc_hash(hash, "", doc, len);
	client_key_name(name, ALARMS, hash, 32);
	err = kv_get(c->kv, name, &old, NULL);
	if (err == PERR_OK) {            /* shown already, or waiting to be */
		kv_free(old);
		return PERR_OK;
	}
	if (err != PERR_NOTFOUND)
		return err;
	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 4);
	mp_put_uint(&w, type);
	mp_put_uint(&w, client_day(c));
	mp_put_uint(&w, number);
	mp_put_bool(&w, false);
	err = mp_written(&w, &used);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, buf, used);
	*taken = NOTICE_ALARM;
	return err;
}

struct alarms {
	struct client *c;
	notices_alarm_fn *fn;
	void *arg;
};

static enum perr alarm_read(struct notices_alarm *a, bool *seen, const uint8_t *in, size_t len)
{
	struct mp_reader r;

	mp_reader_init(&r, in, len);
	mp_array(&r, 4);
	a->type = (unsigned)mp_uint(&r, 255);
	a->day = (uint32_t)mp_uint(&r, UINT32_MAX);
	a->number = (uint32_t)mp_uint(&r, UINT32_MAX);
	*seen = mp_bool(&r);
	return kv_decoded(mp_finish(&r));
}

static enum perr alarm_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct alarms *k = arg;
	struct notices_alarm a;
	bool seen;
	enum perr err = alarm_read(&a, &seen, value, len);

	(void)name;
	return err != PERR_OK || seen ? err : k->fn(k->arg, &a);
}

enum perr notices_alarms(struct client *c, notices_alarm_fn *fn, void *arg)
{
	struct alarms k = { .fn = fn, .arg = arg };

	return kv_each(c->kv, ALARMS, alarm_one, &k);
}

/* kept as seen: the same document must not raise the alarm again */
static enum perr seen_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct alarms *k = arg;
	struct notices_alarm a;
	struct mp_writer w;
	uint8_t buf[32];
	bool seen;
	size_t used;
	enum perr err = alarm_read(&a, &seen, value, len);

	if (err != PERR_OK || seen)
		return err;
	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 4);
	mp_put_uint(&w, a.type);
	mp_put_uint(&w, a.day);
	mp_put_uint(&w, a.number);
	mp_put_bool(&w, true);
	err = mp_written(&w, &used);
	return err == PERR_OK ? kv_put(k->c->kv, name, buf, used) : err;
}

enum perr notices_alarms_seen(struct client *c)
{
	struct alarms k = { .c = c };
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = kv_each(c->kv, ALARMS, seen_one, &k);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

/* ---- who is of interest ----------------------------------------------------------------------- */

static enum perr names_owner(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct charter_signed ch;
	bool named;
	enum perr err;

	(void)name;
	err = charter_signed_decode(&ch, value, len);
	if (err != PERR_OK)
		return err == PERR_NOMEM ? err : PERR_OK;
	named = charter_has_holder(&ch.body, arg);
	charter_signed_free(&ch);
	return named ? PERR_EXISTS : PERR_OK;
}

static enum perr is_of_interest(struct client *c, const uint8_t owner[32], bool *yes)
{
	uint8_t key[32];
	uint32_t i;
	enum perr err = PERR_OK;

	memcpy(key, owner, 32);
	*yes = memcmp(owner, c->me->sign_pk, 32) == 0 ||
	       (c->staff != NULL && roster_staff_find(c->staff, owner) != NULL);
	for (i = 0; !*yes && err == PERR_OK && i < c->field->n_desks; i++) {
		const struct roster_desk *d = &c->field->desks[i];
		const struct doc_bytes *last = &d->charters[d->n_charters - 1];

		err = names_owner(key, NULL, last->p, last->len);
	}
	if (!*yes && err == PERR_OK)
		err = kv_each(c->kv, CHARTERS, names_owner, key);
	if (err == PERR_EXISTS) {
		*yes = true;
		err = PERR_OK;
	}
	return err;
}

/* ---- documents -------------------------------------------------------------------------------- */

static enum perr take_batch(struct client *c, const struct doc_bytes *doc,
                            enum notices_taken *taken)
{
	struct batch *b = malloc(sizeof *b), *old = malloc(sizeof *old);
	char name[96];
	uint8_t *value = NULL;
	size_t len = 0;
	bool wanted = false, have, mine, twin;
	uint32_t restored = 0;
	enum perr err = PERR_NOMEM;

	if (b == NULL || old == NULL)
		goto out;
	/* what does not verify is passed over; what could not be looked at is not */
	err = batch_open(b, doc->p, doc->len);
	if (err != PERR_OK) {
		err = err == PERR_NOMEM ? err : PERR_OK;
		goto out;
	}
	err = is_of_interest(c, b->owner, &wanted);
	if (err != PERR_OK || !wanted)
		goto out;
	papers_saw_batch(c, b->owner);
	client_key_name(name, "batch/", b->owner, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK)
		err = kv_decoded(batch_open(old, value, len));
	have = err == PERR_OK;
	if (err != PERR_OK && err != PERR_NOTFOUND)
		goto out;
	err = PERR_OK;
	mine = memcmp(b->owner, c->me->sign_pk, 32) == 0;
	/* own batches go there when they are made: another document is not ours */
	twin = mine && have && b->number == old->number &&
	       (len != doc->len || memcmp(value, doc->p, len) != 0);
	/* those made between a backup and its restoring were this member's (restored.h) */
	if (mine)
		err = restored_day(c, &restored);
	if (err == PERR_OK && mine && b->first_day > restored &&
	    (!have || b->number > old->number || twin))
		err = notices_raise(c, BOARD_BATCH, b->number, doc->p, doc->len, taken);
	/* one of the same number is remembered too: of a vault that was lost, whose keys others
	 * seal to until a higher number comes (prekeys_renew) */
	if (err != PERR_OK || (!twin && !batch_supersedes(b, have ? old : NULL, mine ? 0 :
	    prekeys_lowest(c, b->owner))))
		goto out;
	err = kv_put(c->kv, name, doc->p, doc->len);
	if (*taken == NOTICE_NOTHING)
		*taken = NOTICE_BATCH;
out:
	kv_free(value);
	free(b);
	free(old);
	return err;
}

/*
 * What a charter is: a new desk's first one, the next one of a desk in the roster, or nothing
 * that is collected here.
 * previous out: the charter in force that it follows, for charter_signed_free, or { 0 }
 * listed   out: it is the first charter of a listed desk
 */
static enum perr place_of(const struct client *c, const struct charter_signed *ch,
                          struct charter_signed *previous, bool *is, bool *listed)
{
	uint32_t at;
	enum perr err;

	memset(previous, 0, sizeof *previous);
	*is = *listed = false;
	if (ch->body.version > 0) {
		err = charters_follows(c, ch, &at, previous);
		*is = err == PERR_OK;
		return err == PERR_NOTFOUND ? PERR_OK : err;
	}
	for (uint32_t i = 0; i < c->field->n_desks && !*listed; i++) {
		const struct doc_bytes *first = &c->field->desks[i].charters[0];
		struct charter_signed of;

		err = charter_signed_decode(&of, first->p, first->len);
		if (err == PERR_NOMEM)
			return err;
		*listed = err == PERR_OK && memcmp(of.hash, ch->hash, 32) == 0;
		charter_signed_free(&of);
	}
	*is = !*listed;
	return PERR_OK;
}

static bool names_staff(const struct client *c, const struct charter *ch)
{
	uint32_t i;

	if (charter_has_holder(ch, c->me->sign_pk))
		return true;
	for (i = 0; c->staff != NULL && i < ch->n; i++)
		if (roster_staff_find(c->staff, ch->holders[i]) != NULL)
			return true;
	return false;
}

static bool signed_by(const struct charter_signed *ch, const uint8_t key[32])
{
	uint8_t one[1][32];
	uint32_t n = 0;

	memcpy(one[0], key, 32);
	return signed_count(&n, &ch->sigs, CHARTER_CONTEXT, ch->doc, ch->doc_len,
	                    (const uint8_t (*)[32])one, 1) == PERR_OK && n == 1;
}

static enum perr count_name(void *arg, const char *name)
{
	(void)name;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static enum perr store_charter(struct client *c, const char *name,
                               const struct charter_signed *ch, const uint8_t *old,
                               size_t old_len, enum notices_taken *taken)
{
	uint8_t *buf = NULL;
	size_t len = 0;
	enum perr err = charter_signed_encode(&buf, &len, ch);

	if (err != PERR_OK)
		return err;
	if (old == NULL || old_len != len || memcmp(old, buf, len) != 0) {
		err = kv_put(c->kv, name, buf, len);
		if (*taken == NOTICE_NOTHING)
			*taken = NOTICE_CHARTER;
	}
	doc_free(buf, len);
	return err;
}

/* ids of the desks in the roster: whose countersignatures are kept */
static enum perr desk_ids(const struct client *c, uint8_t (*ids)[32], size_t *n)
{
	uint32_t i;

	*n = 0;
	for (i = 0; i < c->field->n_desks; i++) {
		const struct doc_bytes *first = &c->field->desks[i].charters[0];
		struct charter_signed ch;
		enum perr err = charter_signed_decode(&ch, first->p, first->len);

		if (err == PERR_NOMEM)
			return err;
		if (err != PERR_OK)
			continue;
		memcpy(ids[(*n)++], ch.hash, 32);
		charter_signed_free(&ch);
	}
	return PERR_OK;
}

/* what is stored of this document already, against what came */
static enum perr merge_charter(struct client *c, const char *name, struct charter_signed *ch,
                               const struct charter_signed *previous,
                               enum notices_taken *taken)
{
	const struct charter *by = ch->body.version == 0 ? &ch->body : &previous->body;
	const struct charter_signed *prev = ch->body.version == 0 ? NULL : previous;
	struct charter_signed have = { 0 };
	uint32_t n_signed = 0, needed;
	uint8_t desks[ROSTER_DESKS_MAX][32];
	uint8_t *old = NULL;
	size_t old_len = 0, n_desks;
	unsigned n = 0;
	enum perr err = kv_get(c->kv, name, &old, &old_len);

	if (err == PERR_OK)
		err = kv_decoded(charter_signed_decode(&have, old, old_len));
	else if (err == PERR_NOTFOUND)
		err = PERR_OK;
	if (err == PERR_OK && signed_by(ch, c->me->sign_pk) &&
	    (old == NULL || !signed_by(&have, c->me->sign_pk)))
		err = notices_raise(c, BOARD_CHARTER, 0, ch->doc, ch->doc_len, taken);
	if (err != PERR_OK)
		goto out;
	if (old != NULL) {
		err = desk_ids(c, desks, &n_desks);
		if (err == PERR_OK)
			err = charter_merge(&have, ch, (const uint8_t (*)[32])by->holders, by->n,
			                    (const uint8_t (*)[32])desks, n_desks);
		if (err == PERR_OK || err == PERR_LIMIT)
			err = store_charter(c, name, &have, old, old_len, taken);
		goto out;
	}
	err = kv_each_name(c->kv, CHARTERS, count_name, &n);
	if (err == PERR_OK)
		err = charter_progress(&n_signed, &needed, ch, prev);
	/* anybody may propose a new desk; to change one is its holders' alone, or the places
	 * for proposals would be anybody's to fill */
	if (err == PERR_OK && n < NOTICES_CHARTERS_MAX && (prev == NULL || n_signed > 0))
		err = store_charter(c, name, ch, NULL, 0, taken);
out:
	charter_signed_free(&have);
	kv_free(old);
	return err;
}

static enum perr take_charter(struct client *c, const struct doc_bytes *doc,
                              enum notices_taken *taken)
{
	struct charter_signed *ch = calloc(2, sizeof *ch);
	char name[96];
	bool is, listed;
	enum perr err = PERR_OK;

	if (ch == NULL)
		return PERR_NOMEM;
	if (c->staff == NULL && c->level < LEVEL_STAFF)
		goto out;                /* who cannot be a holder has nothing to collect */
	err = charter_signed_decode(&ch[0], doc->p, doc->len);
	if (err != PERR_OK) {
		err = err == PERR_NOMEM ? err : PERR_OK;
		goto out;
	}
	err = place_of(c, &ch[0], &ch[1], &is, &listed);
	if (err == PERR_OK && listed)
		err = vouch_take(c, &ch[0], taken);
	if (err == PERR_OK && is && names_staff(c, &ch[0].body)) {
		client_key_name(name, CHARTERS, ch[0].hash, 32);
		err = merge_charter(c, name, &ch[0], &ch[1], taken);
	}
out:
	charter_signed_free(&ch[0]);
	charter_signed_free(&ch[1]);
	free(ch);
	return err;
}

static enum perr take_rekey(struct client *c, const struct doc_bytes *doc,
                            enum notices_taken *taken)
{
	struct board_rekey rk, old;
	char name[96];
	uint8_t *value = NULL;
	size_t len = 0;
	bool wanted = false, have;
	enum perr err = PERR_OK;

	if (board_rekey_open(&rk, doc->p, doc->len) != PERR_OK)
		return PERR_OK;
	err = is_of_interest(c, rk.old_key, &wanted);
	if (err != PERR_OK || !wanted)
		return err;
	client_key_name(name, "rekey/", rk.old_key, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK && err != PERR_NOTFOUND)
		return err;
	have = err == PERR_OK && board_rekey_open(&old, value, len) == PERR_OK;
	err = PERR_OK;
	if (memcmp(rk.old_key, c->me->sign_pk, 32) == 0 &&
	    (!have || len != doc->len || memcmp(value, doc->p, len) != 0))
		err = notices_raise(c, BOARD_REKEY, rk.number, doc->p, doc->len, taken);
	if (err == PERR_OK && (!have || rk.number > old.number)) {
		err = kv_put(c->kv, name, doc->p, doc->len);
		if (*taken == NOTICE_NOTHING)
			*taken = NOTICE_REKEY;
	}
	kv_free(value);
	return err;
}

/* how a desk's paper holder stands: concerns those who read, not volunteers */
static enum perr take_paper(struct client *c, const struct doc_bytes *doc,
                            enum notices_taken *taken)
{
	bool is_new = false;
	enum perr err = c->staff == NULL ? PERR_OK : papers_take(c, doc->p, doc->len, &is_new);

	if (err == PERR_OK && is_new)
		*taken = NOTICE_PAPER;
	return err;
}

enum perr notices_take(struct client *c, const uint8_t cell[CELL_SIZE],
                       enum notices_taken *taken)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	struct board_entry e;
	size_t len;
	bool is_new;
	enum perr err;

	*taken = NOTICE_NOTHING;
	if (c->field == NULL)
		return PERR_OK;
	/* whatever a board cell holds, it is nobody's fault here: passed over */
	if (open_cell(c, cell, payload, &len) != PERR_OK || board_decode(&e, payload, len) != PERR_OK)
		return PERR_OK;
	switch (e.type) {
	case BOARD_BATCH:
		err = take_batch(c, &e.doc, taken);
		break;
	case BOARD_CHARTER:
		err = take_charter(c, &e.doc, taken);
		break;
	case BOARD_REKEY:
		err = take_rekey(c, &e.doc, taken);
		break;
	case BOARD_PROPOSAL:
	case BOARD_SHEET:
		err = quorum_take(c, e.type == BOARD_SHEET, e.doc.p, e.doc.len, &is_new);
		if (err == PERR_OK && is_new)
			*taken = NOTICE_PROPOSAL;
		break;
	case BOARD_PAPER:
		err = take_paper(c, &e.doc, taken);
		break;
	default:
		err = PERR_OK;
	}
	sodium_memzero(payload, sizeof payload);
	return err;
}
