/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "backup.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"
#include "doc.h"
#include "restored.h"
#include "roster.h"
#include "vault_seal.h"

#define CONTEXT  "amparo/1 backup"
#define VERSION  1
#define HEAD     5               /* version, day */
#define BATCH    (32u << 20)     /* bytes written at a time */

/* ---- what goes in ------------------------------------------------------------------------- */

/*
 * Prefixes of names that stay out.  want/ and late/ hold keys of attachments; what stands on
 * servers, and what co-holders were told, is found out anew.
 */
static const char *const left_out[] = {
	"outbox/", "outack/", "outlast", "draft/", "draftfile/", "want/", "unwant/", "late/", "post/",
	"server/", "segdone", "decoys", "reseal/", "keep/", "custody/", "gaps", "figures/", "restored",
	"quorum/p/", "quorum/s/", "quorum/in/", "quorum/posted", "quorum/said"
};
static const char prekey[] = "prekey";

static bool begins(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool goes_in(const char *name, bool with_keys)
{
	for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++)
		if (begins(name, left_out[i]))
			return false;
	return with_keys || !begins(name, prekey);
}

/* "prekey/00000001/00" */
static bool is_half(const char *name)
{
	return begins(name, "prekey/") && strchr(name + strlen("prekey/"), '/') != NULL;
}

enum perr backup_is_sole_holder(struct client *c, bool *is, char *name, size_t size)
{
	struct desk *d = malloc(sizeof *d);
	enum perr err = d == NULL ? PERR_NOMEM : PERR_OK;

	*is = false;
	for (uint32_t i = 0; c->field != NULL && i < c->field->n_desks && err == PERR_OK && !*is; i++) {
		unsigned others = 0;
		bool mine = false;

		err = client_desk(c, i, d);
		for (uint32_t k = 0; err == PERR_OK && k < d->now.n; k++) {
			if (memcmp(d->now.holders[k], c->me->sign_pk, 32) == 0)
				mine = true;
			else if (c->staff != NULL && roster_staff_find(c->staff, d->now.holders[k]) != NULL)
				others++;
		}
		*is = err == PERR_OK && mine && others == 0;
		if (*is)
			snprintf(name, size, "%s", d->now.name);
	}
	free(d);
	return err;
}

/* ---- writing ------------------------------------------------------------------------------ */

struct writing {
	struct pieces_writer w;
	bool with_keys;
	struct backup_sum *sum;
	uint64_t bytes;                  /* counted first */
};

static enum perr count_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct writing *x = arg;

	(void)value;
	if (!goes_in(name, x->with_keys))
		return PERR_OK;
	x->bytes += 1 + strlen(name) + 4 + len;
	x->sum->records++;
	x->sum->halves += is_half(name) ? 1 : 0;
	return PERR_OK;
}

/* PROTOCOL 12: "`u8 length of the name ‖ name ‖ u32 length ‖ value`" */
static enum perr write_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct writing *x = arg;
	uint8_t n = (uint8_t)strlen(name), size[4];
	enum perr err;

	if (!goes_in(name, x->with_keys))
		return PERR_OK;
	doc_u32(size, (uint32_t)len);
	err = pieces_add(&x->w, &n, 1);
	if (err == PERR_OK)
		err = pieces_add(&x->w, name, n);
	if (err == PERR_OK)
		err = pieces_add(&x->w, size, sizeof size);
	return err == PERR_OK ? pieces_add(&x->w, value, len) : err;
}

enum perr backup_write(struct client *c, const char *pass, size_t pass_len, enum vault_cost cost,
                       bool with_keys, pieces_fn *fn, void *arg, struct backup_sum *sum)
{
	struct writing *x = calloc(1, sizeof *x);
	uint8_t salt[PIECES_SALT_SIZE], head[HEAD] = { VERSION }, end = 0;
	struct vault_params p;
	struct vault_key *key = sodium_malloc(sizeof *key);
	enum perr err = x == NULL || key == NULL ? PERR_NOMEM : PERR_OK;

	memset(sum, 0, sizeof *sum);
	if (err != PERR_OK)
		goto out;
	x->with_keys = with_keys;
	x->sum = sum;
	sum->day = client_day(c);
	err = kv_each(c->kv, "", count_one, x);
	if (err != PERR_OK)
		goto out;
	sum->pieces = pieces_for(HEAD + x->bytes + 1);
	err = sum->pieces == 0 ? PERR_LIMIT : PERR_OK;
	if (err != PERR_OK)
		goto out;
	/* the passphrase's salt is half of the file's */
	vault_params_make(&p, cost);
	rng_fill(c->env.rng, salt, sizeof salt);
	memcpy(salt, p.salt, sizeof p.salt);
	err = vault_params_derive(key, &p, pass, pass_len);
	if (err != PERR_OK)
		goto out;
	pieces_begin(&x->w, key->b, CONTEXT, salt, sum->pieces, fn, arg);
	doc_u32(head + 1, sum->day);
	err = pieces_add(&x->w, head, sizeof head);
	if (err == PERR_OK)
		err = kv_each(c->kv, "", write_one, x);
	if (err == PERR_OK)
		err = pieces_add(&x->w, &end, 1);
	if (err == PERR_OK)
		err = pieces_end(&x->w);
out:
	if (x != NULL)
		sodium_memzero(x, sizeof *x);
	free(x);
	if (key != NULL) {
		sodium_memzero(key, sizeof *key);
		sodium_free(key);
	}
	return err;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* what comes next in the stream */
enum at { AT_HEAD, AT_NAME_LEN, AT_NAME, AT_VALUE_LEN, AT_VALUE, AT_END };

struct backup {
	struct vault_key key;
	uint64_t file_size;
	backup_read_fn *fn;
	void *arg;
	/* of one reading */
	struct pieces_reader r;
	uint8_t raw[PIECES_SIZE];
	enum at at;
	uint8_t small[256];              /* head, name, length: being filled */
	char name[KV_NAME_MAX + 1];
	uint8_t *value;                  /* kv_alloc'd */
	size_t want, have;
	struct backup_sum sum;
	/* of restoring */
	struct kv *kv;                   /* NULL: only verified */
	size_t batch;                    /* bytes in the open batch */
	uint8_t *me;
	size_t me_len;
};

static void expect(struct backup *b, enum at at, size_t want)
{
	b->at = at;
	b->want = want;
	b->have = 0;
}

static enum perr put_record(struct backup *b)
{
	enum perr err = PERR_OK;

	b->sum.records++;
	b->sum.halves += is_half(b->name) ? 1 : 0;
	if (b->kv == NULL)
		return PERR_OK;
	if (strcmp(b->name, "me") == 0) {
		/* whose it is comes last */
		kv_free(b->me);
		b->me = b->value;
		b->me_len = b->want;
		b->value = NULL;
		return PERR_OK;
	}
	err = kv_put(b->kv, b->name, b->value, b->want);
	b->batch += b->want + 256;
	if (err == PERR_OK && b->batch > BATCH) {
		b->batch = 0;
		err = kv_commit(b->kv);
		if (err == PERR_OK)
			err = kv_begin(b->kv);
	}
	return err;
}

/* a whole item is there */
static enum perr item(struct backup *b)
{
	uint32_t len;
	enum perr err;

	switch (b->at) {
	case AT_HEAD:
		if (b->small[0] != VERSION)
			return PERR_UNKNOWN;
		b->sum.day = doc_get_u32(b->small + 1);
		expect(b, AT_NAME_LEN, 1);
		return PERR_OK;
	case AT_NAME_LEN:
		if (b->small[0] > KV_NAME_MAX)
			return PERR_FORMAT;
		expect(b, b->small[0] == 0 ? AT_END : AT_NAME, b->small[0]);
		return PERR_OK;
	case AT_NAME:
		memcpy(b->name, b->small, b->want);
		b->name[b->want] = '\0';
		if (strlen(b->name) != b->want || !goes_in(b->name, true))
			return PERR_FORMAT;
		expect(b, AT_VALUE_LEN, 4);
		return PERR_OK;
	case AT_VALUE_LEN:
		len = doc_get_u32(b->small);
		/* no more than the file can hold */
		if (len > KV_VALUE_MAX || len > b->file_size)
			return PERR_FORMAT;
		kv_free(b->value);
		b->value = kv_alloc(len + 1);
		if (b->value == NULL)
			return PERR_NOMEM;
		expect(b, AT_VALUE, len);
		return PERR_OK;
	case AT_VALUE:
		err = put_record(b);
		expect(b, AT_NAME_LEN, 1);
		return err;
	case AT_END:
		break;
	}
	return PERR_FORMAT;
}

static enum perr feed(struct backup *b, const uint8_t *p, size_t len)
{
	enum perr err = PERR_OK;

	while (err == PERR_OK) {
		size_t some = b->want - b->have;

		if (b->at == AT_END)
			return sodium_is_zero(p, len) ? PERR_OK : PERR_FORMAT;
		some = some < len ? some : len;
		memcpy((b->at == AT_VALUE ? b->value : b->small) + b->have, p, some);
		b->have += some;
		p += some;
		len -= some;
		if (b->have < b->want)
			return PERR_OK;
		err = item(b);
	}
	return err;
}

static enum perr read_whole(struct backup *b)
{
	uint32_t n = (uint32_t)(b->file_size / PIECES_SIZE);
	enum perr err = PERR_OK;

	memset(&b->sum, 0, sizeof b->sum);
	b->sum.pieces = n;
	expect(b, AT_HEAD, HEAD);
	for (uint32_t i = 0; i < n && err == PERR_OK; i++) {
		const uint8_t *plain;
		size_t len;

		err = b->fn(b->arg, i, b->raw);
		if (err == PERR_OK && i == 0)
			err = pieces_open(&b->r, b->key.b, CONTEXT, b->file_size, b->raw);
		if (err != PERR_OK)
			break;
		err = pieces_read(&b->r, b->raw, &plain, &len);
		if (err == PERR_AUTH)
			err = PERR_CORRUPT;
		if (err == PERR_OK)
			err = feed(b, plain, len);
	}
	return err == PERR_OK && b->at != AT_END ? PERR_FORMAT : err;
}

/* the file does not say at which cost it was made: the cheaper one is tried first */
static enum perr find_key(struct backup *b, const char *pass, size_t pass_len)
{
	static const enum vault_cost costs[] = { VAULT_LIGHT, VAULT_MODERATE };
	enum perr err = b->fn(b->arg, 0, b->raw);

	for (size_t i = 0; i < 2 && err == PERR_OK; i++) {
		struct vault_params p;

		vault_params_make(&p, costs[i]);
		memcpy(p.salt, b->raw, sizeof p.salt);
		err = vault_params_derive(&b->key, &p, pass, pass_len);
		if (err == PERR_OK)
			err = pieces_open(&b->r, b->key.b, CONTEXT, b->file_size, b->raw);
		if (err != PERR_AUTH)
			return err;
		err = PERR_OK;
	}
	return err == PERR_OK ? PERR_AUTH : err;
}

static enum perr begin(struct backup **out, uint64_t file_size, backup_read_fn *fn, void *arg,
                       struct backup_sum *sum)
{
	struct backup *b = NULL;

	*out = NULL;
	memset(sum, 0, sizeof *sum);
	if (!pieces_size_ok(file_size))
		return PERR_FORMAT;
	b = sodium_malloc(sizeof *b);
	if (b == NULL)
		return PERR_NOMEM;
	memset(b, 0, sizeof *b);
	b->file_size = file_size;
	b->fn = fn;
	b->arg = arg;
	*out = b;
	return PERR_OK;
}

static enum perr verify(struct backup **out, struct backup_sum *sum)
{
	enum perr err = read_whole(*out);

	if (err == PERR_OK) {
		*sum = (*out)->sum;
	} else {
		backup_close(*out);
		*out = NULL;
	}
	return err;
}

enum perr backup_open(struct backup **out, const char *pass, size_t pass_len, uint64_t file_size,
                      backup_read_fn *fn, void *arg, struct backup_sum *sum)
{
	enum perr err = begin(out, file_size, fn, arg, sum);

	if (err != PERR_OK)
		return err;
	err = find_key(*out, pass, pass_len);
	if (err == PERR_OK)
		return verify(out, sum);
	backup_close(*out);
	*out = NULL;
	return err;
}

enum perr backup_open_key(struct backup **out, const struct vault_key *key, uint64_t file_size,
                          backup_read_fn *fn, void *arg, struct backup_sum *sum)
{
	enum perr err = begin(out, file_size, fn, arg, sum);

	if (err != PERR_OK)
		return err;
	(*out)->key = *key;
	return verify(out, sum);
}

void backup_close(struct backup *b)
{
	if (b == NULL)
		return;
	kv_free(b->value);
	kv_free(b->me);
	sodium_memzero(b, sizeof *b);
	sodium_free(b);
}

static enum perr drop_one(void *arg, const char *name)
{
	return kv_del(arg, name);
}

enum perr backup_restore(struct backup *b, struct kv *kv, uint32_t today)
{
	enum perr err = kv_begin(kv);

	if (err == PERR_OK)
		err = kv_each_name(kv, "", drop_one, kv);
	b->kv = kv;
	b->batch = 0;
	if (err == PERR_OK)
		err = read_whole(b);
	if (err == PERR_OK && b->me == NULL)
		err = PERR_FORMAT;
	if (err == PERR_OK)
		err = kv_commit(kv);
	if (err == PERR_OK)
		err = kv_begin(kv);
	if (err == PERR_OK)
		err = restored_note(kv, today);
	if (err == PERR_OK)
		err = kv_put(kv, "me", b->me, b->me_len);
	if (err == PERR_OK)
		err = kv_commit(kv);
	kv_abort(kv);
	b->kv = NULL;
	return err;
}
