/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "quorum_box.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "pending.h"
#include "post.h"

#define PREFIX_PROPOSAL "quorum/p/"
#define PREFIX_SHEET    "quorum/s/"
#define PREFIX_IN       "quorum/in/"

static void hex16(char out[17], const uint8_t *p)
{
	sodium_bin2hex(out, 17, p, 8);
}

void box_board_sk(uint8_t sk[32], const uint8_t inbox_sk[32])
{
	doc_hash_keyed(sk, inbox_sk, 32, "amparo/1 admin board", (const uint8_t *)"", 0);
}

/* ---- proposals ------------------------------------------------------------------------ */

void box_entry_free(struct box_entry *e)
{
	if (e == NULL)
		return;
	kv_free(e->bytes);
	sodium_memzero(e, sizeof *e);
	free(e);
}

enum perr box_get(struct client *c, const uint8_t hash[32], struct box_entry **out)
{
	struct box_entry *e = calloc(1, sizeof *e);
	char name[96];
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (e == NULL)
		return err;
	client_key_name(name, PREFIX_PROPOSAL, hash, 32);
	err = kv_get(c->kv, name, &e->bytes, &e->len);
	/* only what opened was stored */
	if (err == PERR_OK)
		err = kv_decoded(proposal_open(&e->p, e->hash, e->bytes, e->len));
	if (err == PERR_OK) {
		*out = e;
		return PERR_OK;
	}
	box_entry_free(e);
	return err;
}

struct each {
	struct client *c;
	box_fn *fn;
	void *arg;
};

static enum perr each_one(void *arg, const char *name)
{
	struct each *w = arg;
	struct box_entry *e = NULL;
	uint8_t hash[32];
	size_t got;
	enum perr err;

	if (sodium_hex2bin(hash, sizeof hash, name + strlen(PREFIX_PROPOSAL), 64, NULL, &got, NULL) !=
	    0 || got != 32)
		return PERR_CORRUPT;
	err = box_get(w->c, hash, &e);
	if (err == PERR_OK)
		err = w->fn(w->arg, e);
	box_entry_free(e);
	return err == PERR_NOTFOUND ? PERR_OK : err;     /* dropped meanwhile */
}

enum perr box_each(struct client *c, box_fn *fn, void *arg)
{
	struct each w = { c, fn, arg };

	return kv_each_name(c->kv, PREFIX_PROPOSAL, each_one, &w);
}

enum perr box_is_done(struct client *c, const uint8_t hash[32], bool *is)
{
	uint8_t *value;
	char name[96];
	enum perr err;

	client_key_name(name, "quorum/d/", hash, 32);
	err = kv_get(c->kv, name, &value, NULL);
	*is = err == PERR_OK;
	if (err == PERR_OK)
		kv_free(value);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

enum perr box_done(struct client *c, const uint8_t hash[32])
{
	char name[96];

	client_key_name(name, "quorum/d/", hash, 32);
	return kv_put(c->kv, name, NULL, 0);
}

struct looking {
	const uint8_t *proposer;
	enum proposal_kind kind;
	uint32_t revision;
	uint8_t hash[32];
};

static enum perr look(void *arg, const struct box_entry *e)
{
	struct looking *l = arg;

	if (memcmp(e->p.proposer, l->proposer, 32) == 0 && e->p.kind == l->kind &&
	    e->p.revision > l->revision) {
		l->revision = e->p.revision;
		memcpy(l->hash, e->hash, 32);
	}
	return PERR_OK;
}

enum perr box_of(struct client *c, const uint8_t proposer[32], enum proposal_kind kind,
                 struct box_entry **out)
{
	struct looking l = { .proposer = proposer, .kind = kind };
	enum perr err = box_each(c, look, &l);

	*out = NULL;
	if (err != PERR_OK)
		return err;
	return l.revision == 0 ? PERR_NOTFOUND : box_get(c, l.hash, out);
}

/* ---- sheets ---------------------------------------------------------------------------- */

static void sheet_prefix(char out[96], const uint8_t hash[32])
{
	char hex[17];

	hex16(hex, hash);
	snprintf(out, 96, PREFIX_SHEET "%s.", hex);
}

static void sheet_name(char out[96], const uint8_t hash[32], const uint8_t signer[32])
{
	char hex[2][17];

	hex16(hex[0], hash);
	hex16(hex[1], signer);
	snprintf(out, 96, PREFIX_SHEET "%s.%s", hex[0], hex[1]);
}

struct reading {
	struct client *c;
	const uint8_t *hash;
	struct box_sheets *out;
};

static enum perr read_sheet(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct reading *r = arg;
	struct box_sheets *s = r->out;
	struct proposal_sheet *at;
	enum perr err;

	(void)name;
	if (s->n == ADMINS_MAX)
		return PERR_OK;
	at = &s->at[s->n];
	err = kv_decoded(proposal_sheet_open(at, value, len));
	if (err == PERR_OK && memcmp(at->hash, r->hash, 32) == 0 &&
	    admins_has(client_admins(r->c), at->signer))
		s->n++;
	return err;
}

enum perr box_sheets(struct client *c, const uint8_t hash[32], struct box_sheets **out)
{
	struct reading r = { c, hash, calloc(1, sizeof **out) };
	char prefix[96];
	enum perr err;

	*out = r.out;
	if (r.out == NULL)
		return PERR_NOMEM;
	sheet_prefix(prefix, hash);
	err = kv_each(c->kv, prefix, read_sheet, &r);
	if (err != PERR_OK) {
		free(r.out);
		*out = NULL;
	}
	return err;
}

const struct proposal_sheet *box_sheet_of(const struct box_sheets *s, const uint8_t signer[32])
{
	for (uint32_t i = 0; i < s->n; i++)
		if (memcmp(s->at[i].signer, signer, 32) == 0)
			return &s->at[i];
	return NULL;
}

struct bytes_each {
	box_bytes_fn *fn;
	void *arg;
};

static enum perr give_bytes(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct bytes_each *b = arg;

	(void)name;
	return b->fn(b->arg, value, len);
}

enum perr box_each_sheet(struct client *c, const uint8_t hash[32], box_bytes_fn *fn, void *arg)
{
	struct bytes_each b = { fn, arg };
	char prefix[96];

	sheet_prefix(prefix, hash);
	return kv_each(c->kv, prefix, give_bytes, &b);
}

static enum perr count_name(void *arg, const char *name)
{
	(void)name;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

enum perr box_put_sheet(struct client *c, const uint8_t *bytes, size_t len,
                        const struct proposal_sheet *s, bool *is_new)
{
	struct proposal_sheet *old = malloc(sizeof *old);
	unsigned n = 0;
	uint8_t *value = NULL;
	char name[96];
	size_t old_len;
	enum perr err = PERR_NOMEM;

	*is_new = false;
	if (old == NULL)
		return err;
	sheet_name(name, s->hash, s->signer);
	err = kv_get(c->kv, name, &value, &old_len);
	if (err == PERR_OK) {
		err = kv_decoded(proposal_sheet_open(old, value, old_len));
		/* a signature cannot be taken back; a refusal can */
		*is_new = err == PERR_OK && old->n == 0 && s->n > 0;
	} else if (err == PERR_NOTFOUND) {
		/* whoever signs rubbish fills no vault */
		err = kv_each_name(c->kv, PREFIX_SHEET, count_name, &n);
		*is_new = err == PERR_OK && n < BOX_SHEETS_MAX;
	}
	if (err == PERR_OK && *is_new)
		err = kv_put(c->kv, name, bytes, len);
	kv_free(value);
	free(old);
	return err;
}

static enum perr erase_name(void *arg, const char *name)
{
	return kv_erase(((struct client *)arg)->kv, name);
}

struct tidying {
	struct client *c;
	char kept[64][17];
	unsigned n;
};

static enum perr note_kept(void *arg, const struct box_entry *e)
{
	struct tidying *t = arg;

	if (t->n < 64)
		hex16(t->kept[t->n++], e->hash);
	return PERR_OK;
}

static enum perr drop_orphan(void *arg, const char *name)
{
	struct tidying *t = arg;

	for (unsigned i = 0; i < t->n; i++)
		if (strncmp(name + strlen(PREFIX_SHEET), t->kept[i], 16) == 0)
			return PERR_OK;
	return kv_erase(t->c->kv, name);
}

enum perr box_tidy(struct client *c)
{
	struct tidying t = { .c = c };
	unsigned on_the_way = 0;
	enum perr err = kv_each_name(c->kv, PREFIX_IN, count_name, &on_the_way);

	if (err != PERR_OK || on_the_way > 0)
		return err;
	err = box_each(c, note_kept, &t);
	return err == PERR_OK ? kv_each_name(c->kv, PREFIX_SHEET, drop_orphan, &t) : err;
}

/* ---- keeping and dropping ---------------------------------------------------------------- */

static void revision_name(char name[96], const uint8_t proposer[32], enum proposal_kind kind)
{
	size_t n;

	client_key_name(name, "quorum/r/", proposer, 32);
	n = strlen(name);
	snprintf(name + n, 96 - n, ".%u", (unsigned)kind);
}

static enum perr get_number(struct client *c, const char *name, uint32_t *out)
{
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, name, &value, &len);

	*out = 0;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (len == 4)
		*out = doc_get_u32(value);
	else
		err = PERR_CORRUPT;
	kv_free(value);
	return err;
}

static enum perr put_number(struct client *c, const char *name, uint32_t v)
{
	uint8_t buf[4];

	doc_u32(buf, v);
	return kv_put(c->kv, name, buf, sizeof buf);
}

/* the revision counts as seen.  is_new out: it is above those seen before, or the same again */
static enum perr see_revision(struct client *c, const uint8_t proposer[32],
                              enum proposal_kind kind, uint32_t revision, bool *is_new)
{
	char name[96];
	uint32_t seen;
	enum perr err;

	revision_name(name, proposer, kind);
	err = get_number(c, name, &seen);
	*is_new = revision >= seen;
	return err == PERR_OK && revision > seen ? put_number(c, name, revision) : err;
}

enum perr box_revision(struct client *c, uint32_t *revision)
{
	enum perr err = get_number(c, "quorum/last", revision);

	(*revision)++;
	return err == PERR_OK ? put_number(c, "quorum/last", *revision) : err;
}

static enum perr drop_forms(struct client *c, const struct proposal *p)
{
	enum perr err = PERR_OK;

	for (uint32_t i = 0; i < p->n_changes && err == PERR_OK; i++) {
		struct pending_op o;
		char name[96];

		err = pending_op_decode(&o, p->changes[i].p, p->changes[i].len);
		if (err == PERR_FORMAT) {
			err = PERR_OK;
			continue;
		}
		client_key_name(name, "quorum/f/", o.part, 32);
		if (err == PERR_OK && o.kind == PENDING_FORM)
			err = kv_erase(c->kv, name);
		pending_op_free(&o);
	}
	return err;
}

void box_sheet_slot(char slot[40], const uint8_t hash[32])
{
	char hex[17];

	hex16(hex, hash);
	snprintf(slot, 40, "quorum/s/%s", hex);
}

enum perr box_drop(struct client *c, const struct box_entry *e)
{
	char name[96], slot[40];
	enum perr err;

	client_key_name(name, PREFIX_PROPOSAL, e->hash, 32);
	err = kv_erase(c->kv, name);
	client_key_name(name, "quorum/d/", e->hash, 32);
	if (err == PERR_OK)
		err = kv_del(c->kv, name);
	sheet_prefix(name, e->hash);
	if (err == PERR_OK)
		err = kv_each_name(c->kv, name, erase_name, c);
	if (err == PERR_OK)
		err = drop_forms(c, &e->p);
	box_sheet_slot(slot, e->hash);
	return err == PERR_OK ? post_retire(c, slot) : err;
}

enum perr box_saw_own(struct client *c, enum proposal_kind kind, uint32_t revision)
{
	struct box_entry *e = NULL;
	uint32_t last;
	enum perr err = get_number(c, "quorum/last", &last);

	if (err != PERR_OK || revision <= last)
		return err;
	err = put_number(c, "quorum/last", revision);
	if (err == PERR_OK)
		err = box_of(c, c->me->sign_pk, kind, &e);
	if (err == PERR_OK)
		err = box_drop(c, e);
	box_entry_free(e);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

enum perr box_put(struct client *c, const uint8_t *bytes, size_t len, bool *is_new)
{
	struct proposal *p = malloc(sizeof *p);
	struct box_entry *old = NULL;
	uint8_t hash[32];
	char name[96];
	enum perr err = p == NULL ? PERR_NOMEM : proposal_open(p, hash, bytes, len);

	*is_new = false;
	if (err == PERR_OK)
		err = see_revision(c, p->proposer, p->kind, p->revision, is_new);
	if (err != PERR_OK || !*is_new)
		goto out;
	err = box_of(c, p->proposer, p->kind, &old);
	if (err == PERR_OK && memcmp(old->hash, hash, 32) == 0)
		*is_new = false;
	else if (err == PERR_OK)
		err = box_drop(c, old);
	if (err == PERR_NOTFOUND)
		err = PERR_OK;
	client_key_name(name, PREFIX_PROPOSAL, hash, 32);
	if (err == PERR_OK && *is_new)
		err = kv_put(c->kv, name, bytes, len);
out:
	box_entry_free(old);
	free(p);
	return err;
}

/* ---- parts from the board ------------------------------------------------------------------ */

static void in_prefix(char out[96], const struct proposal_part *p)
{
	char hex[17];

	hex16(hex, p->proposer);
	snprintf(out, 96, PREFIX_IN "%s.%u.", hex, (unsigned)p->kind);
}

struct gathering {
	struct client *c;
	const struct proposal_part *p;
	uint8_t *all;
	size_t len, room;
	uint32_t n;
};

/* name order is the order of places */
static enum perr gather(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct gathering *g = arg;

	if (len < 8)
		return PERR_CORRUPT;
	/* a part of an older revision is of no use to anybody */
	if (doc_get_u32(value) != g->p->revision)
		return kv_erase(g->c->kv, name);
	if (len - 8 > g->room - g->len || doc_get_u32(value + 4) != g->p->of)
		return PERR_OK;
	memcpy(g->all + g->len, value + 8, len - 8);
	g->len += len - 8;
	g->n++;
	return PERR_OK;
}

/* nothing of this kind is proposed any more */
static enum perr drop_kind(struct client *c, const struct proposal_part *p)
{
	struct box_entry *e = NULL;
	enum perr err = box_of(c, p->proposer, p->kind, &e);

	if (err == PERR_OK && e->p.revision < p->revision)
		err = box_drop(c, e);
	box_entry_free(e);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

enum perr box_put_part(struct client *c, const struct proposal_part *p, uint8_t **all,
                       size_t *all_len)
{
	struct gathering g = { .c = c, .p = p };
	struct box_entry *have = NULL;
	uint8_t value[8 + PROPOSAL_PART_MAX];
	char name[96], prefix[96];
	bool is_new;
	enum perr err = see_revision(c, p->proposer, p->kind, p->revision, &is_new);

	*all = NULL;
	*all_len = 0;
	if (err != PERR_OK || !is_new)
		return err;
	in_prefix(prefix, p);
	if (p->of == 0) {
		err = kv_each_name(c->kv, prefix, erase_name, c);
		return err == PERR_OK ? drop_kind(c, p) : err;
	}
	err = box_of(c, p->proposer, p->kind, &have);
	is_new = err == PERR_NOTFOUND || (err == PERR_OK && have->p.revision < p->revision);
	box_entry_free(have);
	if ((err != PERR_OK && err != PERR_NOTFOUND) || !is_new)
		return err;
	doc_u32(value, p->revision);
	doc_u32(value + 4, p->of);
	memcpy(value + 8, p->bytes.p, p->bytes.len);
	snprintf(name, sizeof name, "%s%02u", prefix, p->place);
	err = kv_put(c->kv, name, value, 8 + p->bytes.len);
	if (err != PERR_OK)
		return err;
	g.room = (size_t)p->of * PROPOSAL_PART_MAX;
	g.all = malloc(g.room);
	if (g.all == NULL)
		return PERR_NOMEM;
	err = kv_each(c->kv, prefix, gather, &g);
	if (err == PERR_OK && g.n == p->of) {
		err = kv_each_name(c->kv, prefix, erase_name, c);
		*all = g.all;
		*all_len = g.len;
		g.all = NULL;
	}
	free(g.all);
	return err;
}

/* ---- publishing ----------------------------------------------------------------------------- */

static enum perr post(struct client *c, const char *slot, enum board_type type,
                      const uint8_t *doc, size_t len)
{
	struct board_entry e = { .type = type, .doc = doc_bytes_of(doc, len) };
	uint8_t payload[CELL_PAYLOAD_MAX], sk[32];
	struct reader_key key;
	struct post p = { .kind = POST_BOARD };
	size_t n;
	enum perr err = board_encode(payload, &n, &e);

	box_board_sk(sk, c->admin->inbox_sk);
	board_key(&key, sk);
	if (err == PERR_OK)
		err = cell_seal(p.cell, p.ds, CELL_BOARD, payload, n, key.pk,
		                &c->seasons[c->n_seasons - 1], c->env.rng);
	if (err == PERR_OK)
		err = post_add(c, slot, &p);
	sodium_memzero(sk, sizeof sk);
	sodium_memzero(&key, sizeof key);
	sodium_memzero(&p, sizeof p);
	return err;
}

enum perr box_post_sheet(struct client *c, const char *slot, const uint8_t *bytes, size_t len)
{
	return post(c, slot, BOARD_SHEET, bytes, len);
}

struct retiring {
	struct client *c;
	char prefix[32];
	uint32_t from;
};

static enum perr retire_one(void *arg, const char *slot)
{
	struct retiring *r = arg;

	return strtoul(slot + strlen(r->prefix), NULL, 10) < r->from ? PERR_OK
	     : post_retire(r->c, slot);
}

enum perr box_post(struct client *c, enum proposal_kind kind, uint32_t revision,
                   const uint8_t *sealed, size_t len)
{
	struct proposal_part p = { .kind = kind, .revision = revision };
	struct retiring r = { .c = c };
	struct sign_key key;
	char name[40];
	enum perr err = PERR_OK;

	if (len > (size_t)PROPOSAL_PARTS_MAX * PROPOSAL_PART_MAX)
		return PERR_RANGE;
	snprintf(r.prefix, sizeof r.prefix, "quorum/m%u/", (unsigned)kind);
	memcpy(p.proposer, c->me->sign_pk, 32);
	p.of = (uint32_t)((len + PROPOSAL_PART_MAX - 1) / PROPOSAL_PART_MAX);
	r.from = p.of == 0 ? 1 : p.of;
	client_sign_key(c, &key);
	for (p.place = 0; p.place < r.from && err == PERR_OK; p.place++) {
		size_t at = (size_t)p.place * PROPOSAL_PART_MAX;
		uint8_t *doc = NULL;
		size_t doc_len = 0;
		char slot[48];

		if (sealed != NULL)
			p.bytes = doc_bytes_of(sealed + at, len - at < PROPOSAL_PART_MAX ? len - at
			                                                   : PROPOSAL_PART_MAX);
		err = proposal_part_sign(&doc, &doc_len, &p, &key);
		snprintf(slot, sizeof slot, "%s%02u", r.prefix, p.place);
		if (err == PERR_OK)
			err = post(c, slot, BOARD_PROPOSAL, doc, doc_len);
		doc_free(doc, doc_len);
	}
	signed_key_wipe(&key);
	snprintf(name, sizeof name, "quorum/posted.%u", (unsigned)kind);
	if (err == PERR_OK)
		err = put_number(c, name, sealed == NULL ? 0 : revision);
	return err == PERR_OK ? post_slots(c, r.prefix, retire_one, &r) : err;
}
