/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "papers.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "board.h"
#include "cache.h"
#include "doc.h"
#include "notices.h"
#include "post.h"
#include "roster.h"

#define DOCS      "paper/"
#define MARKS     "postmark/"
#define RECOVERED "recovered/"
#define MARK_SIZE 37

static void slot_of(char slot[96], bool doc, const uint8_t key[32])
{
	client_key_name(slot, doc ? "paper-doc/" : "paper/", key, 32);
}

/* ---- which charters name one --------------------------------------------------------------- */

/* a charter with its place; PERR_EXISTS ends the walk */
typedef enum perr charter_fn(void *arg, const uint8_t desk[32], const struct charter *ch,
                             bool in_force);

static enum perr walk_desk(const struct roster_desk *d, charter_fn *fn, void *arg)
{
	struct charter_signed ch = { 0 };
	uint8_t desk[32] = { 0 };
	enum perr err = PERR_OK;

	/* from the first, whose hash names the desk; damage is the concern of desk_verify */
	for (uint32_t i = 0; err == PERR_OK && i < d->n_charters; i++) {
		err = charter_signed_decode(&ch, d->charters[i].p, d->charters[i].len);
		if (err != PERR_OK)
			return err == PERR_NOMEM ? err : PERR_OK;
		if (i == 0)
			memcpy(desk, ch.hash, 32);
		err = fn(arg, desk, &ch.body, i == d->n_charters - 1);
		charter_signed_free(&ch);
	}
	return err;
}

static enum perr walk_charters(const struct client *c, charter_fn *fn, void *arg)
{
	enum perr err = PERR_OK;

	for (uint32_t i = 0; err == PERR_OK && c->field != NULL && i < c->field->n_desks; i++)
		err = walk_desk(&c->field->desks[i], fn, arg);
	return err;
}

static enum perr is_this_key(void *arg, const uint8_t desk[32], const struct charter *ch,
                             bool in_force)
{
	(void)desk;
	(void)in_force;
	return charter_is_paper(ch, arg) ? PERR_EXISTS : PERR_OK;
}

static enum perr is_proposed(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct charter_signed ch;
	enum perr err = charter_signed_decode(&ch, value, len);

	(void)name;
	if (err != PERR_OK)
		return err == PERR_NOMEM ? err : PERR_OK;
	err = charter_is_paper(&ch.body, arg) ? PERR_EXISTS : PERR_OK;
	charter_signed_free(&ch);
	return err;
}

bool papers_is_key(const struct client *c, const uint8_t key[32])
{
	uint8_t k[32];
	enum perr err;

	memcpy(k, key, 32);
	err = walk_charters(c, is_this_key, k);
	if (err == PERR_OK)
		err = kv_each(c->kv, "charter/", is_proposed, k);
	return err == PERR_EXISTS;
}

struct find {
	const uint8_t *desk;             /* its paper in force; or … */
	const uint8_t *set;              /* … the paper that these shares are for */
	struct papers_info *out;
};

static enum perr find_one(void *arg, const uint8_t desk[32], const struct charter *ch,
                          bool in_force)
{
	struct find *f = arg;
	uint8_t set[PAPER_SET_SIZE];

	if (!ch->has_paper)
		return PERR_OK;
	if (f->set != NULL) {
		paper_set_id(set, ch->paper, desk);
		if (memcmp(set, f->set, sizeof set) != 0)
			return PERR_OK;
	} else if (!in_force || memcmp(desk, f->desk, 32) != 0) {
		return PERR_OK;
	}
	memcpy(f->out->desk, desk, 32);
	memcpy(f->out->key, ch->paper, 32);
	memcpy(f->out->desk_name, ch->name, sizeof ch->name);
	f->out->in_force = in_force;
	return PERR_OK;                  /* a later charter with the same paper says it better */
}

static enum perr fill(struct client *c, struct papers_info *out)
{
	struct batch *b = malloc(sizeof *b);
	uint8_t *raw = NULL;
	char name[96];
	size_t len;
	enum perr err = b == NULL ? PERR_NOMEM : PERR_OK;

	if (err == PERR_OK) {
		client_key_name(name, DOCS, out->key, 32);
		err = kv_get(c->kv, name, &raw, &len);
	}
	if (err == PERR_OK) {
		err = kv_decoded(paper_doc_open(&out->doc, raw, len));
		/* of another desk: a paper that is put into a second charter has no shares there */
		out->has_doc = err == PERR_OK && memcmp(out->doc.desk, out->desk, 32) == 0;
	}
	kv_free(raw);
	raw = NULL;
	if (err == PERR_OK || err == PERR_NOTFOUND) {
		client_key_name(name, "batch/", out->key, 32);
		err = kv_get(c->kv, name, &raw, &len);
	}
	if (err == PERR_OK)
		err = kv_decoded(batch_open(b, raw, len));
	if (err == PERR_OK) {
		out->has_batch = true;
		out->last_day = b->first_day + b->n * b->period - 1;
	}
	kv_free(raw);
	free(b);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static enum perr find(struct client *c, struct find *f)
{
	static const uint8_t none[32];
	enum perr err;

	memset(f->out, 0, sizeof *f->out);
	err = walk_charters(c, find_one, f);
	if (err == PERR_OK && memcmp(f->out->key, none, 32) == 0)
		return PERR_NOTFOUND;
	return err == PERR_OK ? fill(c, f->out) : err;
}

enum perr papers_of_desk(struct client *c, const uint8_t desk[32], struct papers_info *out)
{
	struct find f = { .desk = desk, .out = out };

	return find(c, &f);
}

enum perr papers_of_set(struct client *c, const uint8_t set[PAPER_SET_SIZE],
                        struct papers_info *out)
{
	struct find f = { .set = set, .out = out };

	return find(c, &f);
}

/* ---- on the board -------------------------------------------------------------------------- */

/* senders look for a batch under the field key; how the shares stand concerns the staff */
static void mark_of(const struct client *c, bool staff, uint8_t out[MARK_SIZE])
{
	out[0] = staff ? 2 : 1;
	doc_hash(out + 1, "amparo board mark", staff ? c->staff->board_sk : c->field->board_sk, 32);
	doc_u32(out + 33, c->seasons[c->n_seasons - 1].number);
}

static enum perr queue(struct client *c, bool is_doc, const uint8_t key[32], const uint8_t *bytes,
                       size_t len)
{
	struct post *p = calloc(1, sizeof *p);
	char slot[96], name[KV_NAME_MAX + 1];
	uint8_t mark[MARK_SIZE];
	enum perr err = p == NULL ? PERR_NOMEM : PERR_OK;

	slot_of(slot, is_doc, key);
	if (err == PERR_OK) {
		p->kind = POST_BOARD;
		err = notices_seal(c, is_doc, is_doc ? BOARD_PAPER : BOARD_BATCH, bytes, len, p->cell,
		                   p->ds);
	}
	if (err == PERR_OK)
		err = post_add(c, slot, p);
	if (err == PERR_OK) {
		mark_of(c, is_doc, mark);
		snprintf(name, sizeof name, MARKS "%s", slot);
		err = kv_put(c->kv, name, mark, sizeof mark);
	}
	if (p != NULL)
		sodium_memzero(p, sizeof *p);
	free(p);
	return err;
}

enum perr papers_publish(struct client *c, const uint8_t key[32], const uint8_t *batch,
                         size_t batch_len, const uint8_t *doc, size_t doc_len)
{
	char name[96];
	enum perr err = PERR_OK;

	if (c->field == NULL || c->staff == NULL || c->n_seasons == 0)
		return PERR_STATE;
	if (batch != NULL) {
		client_key_name(name, "batch/", key, 32);
		err = kv_put(c->kv, name, batch, batch_len);
		if (err == PERR_OK)
			err = queue(c, false, key, batch, batch_len);
	}
	if (err == PERR_OK) {
		client_key_name(name, DOCS, key, 32);
		err = kv_put(c->kv, name, doc, doc_len);
	}
	return err == PERR_OK ? queue(c, true, key, doc, doc_len) : err;
}

enum perr papers_watch_begin(struct client *c, struct papers_watch *w)
{
	const uint8_t (*held)[32];
	size_t n = 0;
	enum perr err = PERR_OK;

	memset(w, 0, sizeof *w);
	c->watch = w;
	if (c->staff != NULL && c->n_seasons > 0)
		err = cache_held(c, &held, &n);
	for (size_t i = 0; err == PERR_OK && i < n && w->n < PAPERS_DESKS_MAX; i++) {
		const struct desk *d;

		err = cache_desk(c, held[i], &d);
		if (err == PERR_OK && d->now.has_paper)
			memcpy(w->at[w->n++].key, d->now.paper, 32);
	}
	return err;
}

void papers_saw_batch(struct client *c, const uint8_t owner[32])
{
	for (uint32_t i = 0; c->watch != NULL && i < c->watch->n; i++)
		if (memcmp(c->watch->at[i].key, owner, 32) == 0)
			c->watch->at[i].saw_batch = true;
}

/* is a copy of ours sealed as it must be now?  Then post.c brings it back where it is missing */
static enum perr is_posted(struct client *c, bool is_doc, const uint8_t key[32], bool *yes)
{
	char slot[96], name[KV_NAME_MAX + 1];
	uint8_t mark[MARK_SIZE], *old = NULL;
	size_t len = 0;
	enum perr err;

	slot_of(slot, is_doc, key);
	snprintf(name, sizeof name, MARKS "%s", slot);
	mark_of(c, is_doc, mark);
	err = kv_get(c->kv, name, &old, &len);
	*yes = err == PERR_OK && len == sizeof mark && memcmp(old, mark, len) == 0;
	kv_free(old);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static enum perr put_back(struct client *c, bool is_doc, const uint8_t key[32])
{
	char name[96];
	uint8_t *raw = NULL;
	size_t len;
	bool posted;
	enum perr err = is_posted(c, is_doc, key, &posted);

	if (err != PERR_OK || posted)
		return err;
	client_key_name(name, is_doc ? DOCS : "batch/", key, 32);
	err = kv_get(c->kv, name, &raw, &len);
	if (err == PERR_OK)
		err = queue(c, is_doc, key, raw, len);
	kv_free(raw);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

enum perr papers_watch_end(struct client *c)
{
	struct papers_watch *w = c->watch;
	enum perr err = PERR_OK;

	c->watch = NULL;
	for (uint32_t i = 0; w != NULL && err == PERR_OK && i < w->n; i++) {
		if (!w->at[i].saw_batch)
			err = put_back(c, false, w->at[i].key);
		if (err == PERR_OK && !w->at[i].saw_doc)
			err = put_back(c, true, w->at[i].key);
	}
	return err;
}

enum perr papers_take(struct client *c, const uint8_t *doc, size_t len, bool *is_new)
{
	struct paper_doc *d = calloc(2, sizeof *d);
	uint8_t *old = NULL;
	char name[96];
	size_t old_len = 0;
	bool have;
	enum perr err = d == NULL ? PERR_NOMEM : paper_doc_open(&d[0], doc, len);

	*is_new = false;
	if (err != PERR_OK) {
		err = err == PERR_NOMEM ? err : PERR_OK;
		goto out;
	}
	if (!papers_is_key(c, d[0].key))
		goto out;
	client_key_name(name, DOCS, d[0].key, 32);
	err = kv_get(c->kv, name, &old, &old_len);
	if (err == PERR_OK)
		err = kv_decoded(paper_doc_open(&d[1], old, old_len));
	have = err == PERR_OK;
	if (err != PERR_OK && err != PERR_NOTFOUND)
		goto out;
	err = PERR_OK;
	*is_new = paper_doc_supersedes(&d[0], have ? &d[1] : NULL);
	if (*is_new)
		err = kv_put(c->kv, name, doc, len);
	/* an older one on the board is as good as none: ours says of a later rehearsal */
	if (*is_new || d[0].rehearsed == d[1].rehearsed)
		for (uint32_t i = 0; c->watch != NULL && i < c->watch->n; i++)
			c->watch->at[i].saw_doc |= memcmp(c->watch->at[i].key, d[0].key, 32) == 0;
out:
	kv_free(old);
	free(d);
	return err;
}

/* ---- the duty ------------------------------------------------------------------------------ */

struct over {
	struct client *c;
	unsigned n;
	uint8_t key[PAPERS_DESKS_MAX][32];
};

static bool key_in(const char *name, const char *prefix, uint8_t key[32])
{
	size_t n = strlen(prefix), len;

	return strlen(name) == n + 64 &&
	       sodium_hex2bin(key, 32, name + n, 64, NULL, &len, NULL) == 0 && len == 32;
}

static enum perr still_named(const struct client *c, const uint8_t key[32], bool *yes);

static enum perr one_over(void *arg, const char *name)
{
	struct over *o = arg;
	uint8_t key[32];
	bool named;
	enum perr err;

	if (o->n == PAPERS_DESKS_MAX || !key_in(name, MARKS "paper-doc/", key))
		return PERR_OK;
	err = still_named(o->c, key, &named);
	if (err == PERR_OK && !named)
		memcpy(o->key[o->n++], key, 32);
	return err;
}

static enum perr is_in_force(void *arg, const uint8_t desk[32], const struct charter *ch,
                             bool in_force)
{
	(void)desk;
	return in_force && charter_is_paper(ch, arg) ? PERR_EXISTS : PERR_OK;
}

/* by a charter in force or by one that still collects signatures */
static enum perr still_named(const struct client *c, const uint8_t key[32], bool *yes)
{
	uint8_t k[32];
	enum perr err;

	memcpy(k, key, 32);
	err = walk_charters(c, is_in_force, k);
	if (err == PERR_OK)
		err = kv_each(c->kv, "charter/", is_proposed, k);
	*yes = err == PERR_EXISTS;
	return err == PERR_EXISTS ? PERR_OK : err;
}

static enum perr drop_posts(struct client *c, const uint8_t key[32])
{
	enum perr err = PERR_OK;

	for (int doc = 0; err == PERR_OK && doc < 2; doc++) {
		char slot[96], name[KV_NAME_MAX + 1];

		slot_of(slot, doc == 1, key);
		snprintf(name, sizeof name, MARKS "%s", slot);
		err = post_drop(c, slot);
		if (err == PERR_OK)
			err = kv_del(c->kv, name);
	}
	return err;
}

/* who holds the desk by now needs no leave of its own any more to take its records in */
static enum perr one_recovered(void *arg, const char *name)
{
	struct over *o = arg;
	uint8_t desk[32];
	bool holds;
	enum perr err;

	if (o->n == PAPERS_DESKS_MAX || !key_in(name, RECOVERED, desk))
		return PERR_OK;
	err = client_holds(o->c, desk, &holds);
	if (err == PERR_OK && holds)
		memcpy(o->key[o->n++], desk, 32);
	return err;
}

enum perr papers_duty(struct client *c)
{
	struct over *posts = calloc(2, sizeof *posts), *marks = posts + 1;
	char name[96];
	enum perr err = posts == NULL ? PERR_NOMEM : PERR_OK;

	if (err != PERR_OK || c->field == NULL)
		goto out;
	posts->c = marks->c = c;
	err = kv_each_name(c->kv, MARKS "paper-doc/", one_over, posts);
	if (err == PERR_OK)
		err = kv_each_name(c->kv, RECOVERED, one_recovered, marks);
	if (err != PERR_OK || posts->n + marks->n == 0)
		goto out;
	err = kv_begin(c->kv);
	for (unsigned i = 0; err == PERR_OK && i < posts->n; i++)
		err = drop_posts(c, posts->key[i]);
	for (unsigned i = 0; err == PERR_OK && i < marks->n; i++) {
		client_key_name(name, RECOVERED, marks->key[i], 32);
		err = kv_del(c->kv, name);
	}
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
out:
	free(posts);
	return err;
}
