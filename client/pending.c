/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "pending.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OP_BYTES_MAX 1048576u
#define MADE_SIZE    36          /* key id, number */

/* ---- one change ------------------------------------------------------------------------ */

void pending_op_free(struct pending_op *o)
{
	doc_free(o->bytes, o->len);
	sodium_memzero(o, sizeof *o);
}

static void put_op(struct mp_writer *w, const void *what)
{
	const struct pending_op *o = what;

	mp_put_array(w, 16);
	mp_put_uint(w, (uint64_t)o->kind);
	mp_put_bin(w, o->id, 32);
	mp_put_bin(w, o->ticket, 16);
	mp_put_bin(w, o->slot_pk, 32);
	mp_put_bin(w, o->slot_secret, 32);
	mp_put_uint(w, (uint64_t)o->role);
	mp_put_uint(w, o->day);
	for (int i = 0; i < 3; i++)
		mp_put_str(w, o->text[i]);
	mp_put_array(w, o->n_languages);
	for (uint32_t i = 0; i < o->n_languages; i++)
		mp_put_str(w, o->languages[i]);
	mp_put_bin(w, o->part, 32);
	mp_put_bin(w, o->key, 32);
	mp_put_uint(w, o->size);
	mp_put_array(w, 4);
	for (int i = 0; i < 4; i++)
		mp_put_uint(w, o->numbers[i]);
	mp_put_bin(w, o->bytes == NULL ? (const uint8_t *)"" : o->bytes, o->len);
}

enum perr pending_op_encode(uint8_t **out, size_t *len, const struct pending_op *o)
{
	return doc_write(out, len, OP_BYTES_MAX + 4096, put_op, o);
}

static enum perr get_op(struct pending_op *o, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	const uint8_t *p;
	size_t len;
	enum perr err;

	mp_reader_init(&r, in, in_len);
	mp_array(&r, 16);
	o->kind = (enum pending_kind)mp_uint(&r, PENDING_KIND_MAX);
	mp_bin_copy(&r, o->id, 32);
	mp_bin_copy(&r, o->ticket, 16);
	mp_bin_copy(&r, o->slot_pk, 32);
	mp_bin_copy(&r, o->slot_secret, 32);
	o->role = (enum roster_role)mp_uint(&r, ROSTER_ADMINISTRATOR);
	o->day = (uint32_t)mp_uint(&r, UINT32_MAX);
	for (int i = 0; i < 3; i++)
		mp_str_copy(&r, o->text[i], sizeof o->text[i], 0);
	o->n_languages = mp_array_var(&r, 0, ROSTER_LANGUAGES_MAX);
	for (uint32_t i = 0; i < o->n_languages; i++)
		mp_str_copy(&r, o->languages[i], sizeof o->languages[i], 0);
	mp_bin_copy(&r, o->part, 32);
	mp_bin_copy(&r, o->key, 32);
	o->size = (uint32_t)mp_uint(&r, UINT32_MAX);
	mp_array(&r, 4);
	for (int i = 0; i < 4; i++)
		o->numbers[i] = (uint32_t)mp_uint(&r, UINT32_MAX);
	p = mp_bin_var(&r, 0, OP_BYTES_MAX, &len);
	if (p != NULL && len > 0) {
		o->bytes = malloc(len);
		if (o->bytes == NULL)
			mp_fail(&r, PERR_NOMEM);
		else
			memcpy(o->bytes, p, o->len = len);
	}
	err = mp_finish(&r);
	return err == PERR_OK && o->kind == 0 ? PERR_CORRUPT : kv_decoded(err);
}

enum perr pending_op_decode(struct pending_op *o, const uint8_t *in, size_t in_len)
{
	enum perr err;

	memset(o, 0, sizeof *o);
	err = get_op(o, in, in_len);
	if (err != PERR_OK)
		pending_op_free(o);
	return err == PERR_CORRUPT ? PERR_FORMAT : err;
}

/* ---- all of them ------------------------------------------------------------------------ */

static enum perr count_name(void *arg, const char *name)
{
	(void)name;
	(*(size_t *)arg)++;
	return PERR_OK;
}

struct loading {
	struct pending_list *l;
	size_t room;
};

static enum perr load_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct loading *g = arg;
	struct pending_list *l = g->l;

	if (l->n == g->room)
		return PERR_OK;          /* made since they were counted: not ours to lose */
	l->at[l->n].number = (uint32_t)strtoul(name + strlen("pend/op/"), NULL, 10);
	return get_op(&l->at[l->n++], value, len);
}

enum perr pending_load(struct client *c, struct pending_list *l)
{
	struct loading g = { .l = l };
	enum perr err;

	memset(l, 0, sizeof *l);
	err = kv_each_name(c->kv, "pend/op/", count_name, &g.room);
	if (err != PERR_OK || g.room == 0)
		return err;
	/* counted first: an array that grew would leave secrets behind it */
	l->at = calloc(g.room, sizeof *l->at);
	return l->at == NULL ? PERR_NOMEM : kv_each(c->kv, "pend/op/", load_one, &g);
}

void pending_list_free(struct pending_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		pending_op_free(&l->at[i]);
	free(l->at);
	memset(l, 0, sizeof *l);
}

enum perr pending_any(struct client *c, bool *any)
{
	size_t n = 0;
	enum perr err = kv_each_name(c->kv, "pend/op/", count_name, &n);

	*any = n > 0;
	return err;
}

/* a record of one number; 0 if there is none */
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

static void op_name(char out[96], const char *kind, uint32_t number)
{
	snprintf(out, 96, "pend/%s/%010u", kind, number);
}

/* ---- whose changes a roster holds ----------------------------------------------------------- */

uint32_t pending_made(const struct roster_admin *a, const uint8_t key[32])
{
	for (uint32_t i = 0; i < a->n_made; i++)
		if (memcmp(a->made[i].key, key, 32) == 0)
			return a->made[i].number;
	return 0;
}

static bool holds_all(const struct roster_admin *a, const struct roster_made *of, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (pending_made(a, of[i].key) < of[i].number)
			return false;
	return true;
}

enum pending_order pending_compare(const struct roster_admin *ours,
                                   const struct roster_admin *theirs)
{
	if (holds_all(ours, theirs->made, theirs->n_made))
		return PENDING_WITHIN;
	return holds_all(theirs, ours->made, ours->n_made) ? PENDING_BEYOND : PENDING_APART;
}

/* room for one more: somebody's who is no administrator any more goes */
static void make_room(struct roster_admin *a)
{
	uint32_t i = 0;

	for (uint32_t k = 0; k < a->n_made; k++) {
		const struct roster_enrolled *e = roster_admin_find(a, a->made[k].key);

		if (e == NULL || e->role != ROSTER_ADMINISTRATOR) {
			i = k;
			break;
		}
	}
	memmove(&a->made[i], &a->made[i + 1], (a->n_made - i - 1) * sizeof *a->made);
	a->n_made--;
}

enum perr pending_mark_for(struct client *c, const uint8_t me[32], uint32_t number)
{
	struct roster_admin *a = c->admin;
	uint32_t i = 0;

	while (i < a->n_made && memcmp(a->made[i].key, me, 32) < 0)
		i++;
	if (i == a->n_made || memcmp(a->made[i].key, me, 32) != 0) {
		if (a->n_made >= ROSTER_MADE_MAX) {
			make_room(a);
			return pending_mark_for(c, me, number);
		}
		a->made = arena_grow(a->mem, a->made, a->n_made, a->n_made + 1, sizeof *a->made);
		if (a->made == NULL)
			return PERR_NOMEM;
		memmove(&a->made[i + 1], &a->made[i], (a->n_made - i) * sizeof *a->made);
		a->n_made++;
		memcpy(a->made[i].key, me, 32);
		a->made[i].number = 0;
	}
	if (a->made[i].number < number)
		a->made[i].number = number;
	return PERR_OK;
}

enum perr pending_mark(struct client *c, uint32_t number)
{
	return pending_mark_for(c, c->me->sign_pk, number);
}

enum perr pending_number(struct client *c, struct pending_op *ops, size_t n)
{
	uint32_t last, held = pending_made(c->admin, c->me->sign_pk);
	enum perr err = get_number(c, "pend/last", &last);

	/* a vault that came back from a backup must not use a number twice */
	if (last < held)
		last = held;
	for (size_t i = 0; i < n; i++)
		ops[i].number = ++last;
	return err;
}

/* ---- adding, dropping ------------------------------------------------------------------------ */

static enum perr keep_base(struct client *c)
{
	size_t len;
	const uint8_t *header = client_header_bytes(c, &len);

	return kv_put(c->kv, "pend/base", header, len);
}

enum perr pending_add(struct client *c, const struct pending_op *ops, size_t n)
{
	bool any;
	enum perr err;

	if (client_bulletin(c) == NULL || n == 0)
		return PERR_OK;
	err = pending_any(c, &any);
	if (err == PERR_OK && !any)
		err = keep_base(c);
	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		uint8_t *buf = NULL;
		size_t len = 0;
		char name[96];

		op_name(name, "op", ops[i].number);
		err = doc_write(&buf, &len, OP_BYTES_MAX + 4096, put_op, &ops[i]);
		if (err == PERR_OK)
			err = kv_put(c->kv, name, buf, len);
		doc_free(buf, len);
	}
	return err == PERR_OK ? put_number(c, "pend/last", ops[n - 1].number) : err;
}

enum perr pending_drop(struct client *c, const struct pending_op *o, const char *why)
{
	const struct pending_op nothing = { .kind = PENDING_DROPPED };
	uint8_t *buf = NULL;
	size_t len = 0;
	char name[96];
	enum perr err = doc_write(&buf, &len, 4096, put_op, &nothing);

	op_name(name, "op", o->number);
	if (err == PERR_OK)
		err = kv_erase(c->kv, name);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, buf, len);
	doc_free(buf, len);
	op_name(name, "dropped", o->number);
	return err == PERR_OK ? kv_put(c->kv, name, (const uint8_t *)why, strlen(why)) : err;
}

enum perr pending_rebase(struct client *c, const uint8_t *header, size_t len)
{
	return kv_put(c->kv, "pend/base", header, len);
}

/* ---- headers known here ------------------------------------------------------------------- */

static void seen_name(char out[96], uint32_t version, const uint8_t hash[32])
{
	char hex[17];

	sodium_bin2hex(hex, sizeof hex, hash, 8);
	snprintf(out, 96, "pend/seen/%010u.%s", version, hex);
}

struct oldest {
	size_t n;
	char name[96];
};

static enum perr find_oldest(void *arg, const char *name)
{
	struct oldest *o = arg;

	if (o->n++ == 0)                 /* names come in the order of versions */
		snprintf(o->name, sizeof o->name, "%s", name);
	return PERR_OK;
}

enum perr pending_saw(struct client *c, uint32_t version, const uint8_t hash[32],
                      const struct roster_admin *a)
{
	uint8_t value[ROSTER_MADE_MAX * MADE_SIZE + 1];
	uint32_t n = a == NULL ? 0 : a->n_made, highest;
	struct oldest o = { 0 };
	char name[96];
	enum perr err = kv_each_name(c->kv, "pend/seen/", find_oldest, &o);

	if (err == PERR_OK && o.n >= PENDING_SEEN_MAX)
		err = kv_del(c->kv, o.name);
	for (uint32_t i = 0; i < n; i++) {
		memcpy(value + i * MADE_SIZE, a->made[i].key, 32);
		doc_u32(value + i * MADE_SIZE + 32, a->made[i].number);
	}
	seen_name(name, version, hash);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, value, n * MADE_SIZE);
	if (err == PERR_OK)
		err = get_number(c, "pend/highest", &highest);
	if (err == PERR_OK && version > highest)
		err = put_number(c, "pend/highest", version);
	return err;
}

enum perr pending_highest(struct client *c, uint32_t *version)
{
	return get_number(c, "pend/highest", version);
}

enum perr pending_covers(struct client *c, const uint8_t hash[32], uint32_t version, bool *does)
{
	struct roster_made made[ROSTER_MADE_MAX];
	uint8_t *value;
	char name[96];
	size_t len;
	enum perr err;

	seen_name(name, version, hash);
	*does = false;
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (len % MADE_SIZE != 0 || len > sizeof made / sizeof made[0] * MADE_SIZE)
		err = PERR_CORRUPT;
	for (size_t i = 0; err == PERR_OK && i < len / MADE_SIZE; i++) {
		memcpy(made[i].key, value + i * MADE_SIZE, 32);
		made[i].number = doc_get_u32(value + i * MADE_SIZE + 32);
	}
	if (err == PERR_OK && c->admin != NULL)
		*does = holds_all(c->admin, made, (uint32_t)(len / MADE_SIZE));
	kv_free(value);
	return err;
}

/* ---- the base ------------------------------------------------------------------------------ */

enum perr pending_base(struct client *c, struct bulletin_known *k)
{
	struct bulletin *b = NULL;
	struct admins *a = NULL;
	uint8_t hash[32], *header = NULL;
	size_t len;
	bool any;
	enum perr err = pending_any(c, &any);

	if (err == PERR_OK && !any)
		err = PERR_NOTFOUND;
	if (err != PERR_OK)
		return err;
	err = kv_get(c->kv, "pend/base", &header, &len);
	if (err == PERR_NOTFOUND)
		err = PERR_CORRUPT;      /* it is written with the first change */
	if (err == PERR_OK) {
		b = malloc(sizeof *b);
		a = malloc(sizeof *a);
		err = b == NULL || a == NULL ? PERR_NOMEM : PERR_OK;
	}
	if (err == PERR_OK)
		err = kv_decoded(bulletin_open(b, a, hash, header, len));
	if (err == PERR_OK) {
		memset(k, 0, sizeof *k);
		bulletin_known_set(k, b, a, hash);
	}
	free(b);
	free(a);
	kv_free(header);
	return err;
}

/* ---- who has them ------------------------------------------------------------------------- */

static enum perr erase_name(void *arg, const char *name)
{
	return kv_erase(((struct client *)arg)->kv, name);
}

static enum perr forget(struct client *c)
{
	static const char *const all[] = { "pend/op/", "pend/base", "pend/had/" };
	enum perr err = PERR_OK;

	for (size_t i = 0; i < sizeof all / sizeof all[0] && err == PERR_OK; i++)
		err = kv_each_name(c->kv, all[i], erase_name, c);
	return err;
}

struct above {
	struct client *c;
	uint32_t held;
	size_t left;
	pending_op_fn *fn;
	void *arg;
};

static enum perr drop_above(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct above *a = arg;
	struct pending_op o = { 0 };
	enum perr err = get_op(&o, value, len);

	o.number = (uint32_t)strtoul(name + strlen("pend/op/"), NULL, 10);
	if (err == PERR_OK && o.number <= a->held) {
		a->left++;
	} else if (err == PERR_OK) {
		err = a->fn == NULL ? PERR_OK : a->fn(a->arg, &o);
		if (err == PERR_OK)
			err = kv_erase(a->c->kv, name);
	}
	pending_op_free(&o);
	return err;
}

enum perr pending_withdraw(struct client *c, pending_op_fn *fn, void *arg)
{
	struct above a = { .c = c, .fn = fn, .arg = arg };
	enum perr err;

	a.held = c->admin == NULL ? 0 : pending_made(c->admin, c->me->sign_pk);
	err = kv_each(c->kv, "pend/op/", drop_above, &a);
	return err == PERR_OK && a.left == 0 ? forget(c) : err;
}

enum perr pending_had(struct client *c, const uint8_t server_pk[32])
{
	uint32_t last, has, held = pending_made(c->admin, c->me->sign_pk);
	bool any, all;
	char name[96];
	enum perr err = pending_any(c, &any);

	if (err != PERR_OK || !any)
		return err;
	err = get_number(c, "pend/last", &last);
	if (err != PERR_OK)
		return err;
	all = held >= last;
	for (uint32_t i = 0; i < c->field->n_servers && err == PERR_OK && all; i++) {
		if (memcmp(c->field->servers[i].pk, server_pk, 32) == 0)
			continue;
		client_key_name(name, "pend/had/", c->field->servers[i].pk, 32);
		err = get_number(c, name, &has);
		all = has >= last;
	}
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err != PERR_OK)
		return err;
	client_key_name(name, "pend/had/", server_pk, 32);
	err = all ? forget(c) : put_number(c, name, held);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

/* ---- what could not be kept ------------------------------------------------------------- */

struct saying {
	pending_say_fn *fn;
	void *arg;
	size_t n;
};

static enum perr say_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct saying *s = arg;

	(void)name;
	(void)len;
	s->fn(s->arg, (const char *)value);      /* a 0 byte stands behind it */
	s->n++;
	return PERR_OK;
}

enum perr pending_say(struct client *c, pending_say_fn *fn, void *arg)
{
	struct saying s = { .fn = fn, .arg = arg };
	enum perr err = kv_each(c->kv, "pend/dropped/", say_one, &s);

	if (err != PERR_OK || s.n == 0)
		return err;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_each_name(c->kv, "pend/dropped/", erase_name, c);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}
