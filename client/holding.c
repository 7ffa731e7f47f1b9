/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "holding.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "envelope.h"
#include "gone.h"
#include "record.h"

struct load {
	struct client *c;
	struct holding *h;
	size_t room, gone_room;
	uint8_t (*blobs)[32];            /* attachments that are here, rising */
	size_t n_blobs, blobs_room;
	struct envelope env;
	struct statement st, original;
};

/* room for one more of `size` bytes each; NULL: none, and what was there stays */
static void *grow(void *list, size_t n, size_t *room, size_t size)
{
	size_t more = *room == 0 ? 64 : *room * 2;

	if (n < *room)
		return list;
	list = realloc(list, more * size);
	if (list != NULL)
		*room = more;
	return list;
}

static bool from_hex(uint8_t *out, size_t len, const char *hex)
{
	size_t n;

	return strlen(hex) >= 2 * len &&
	       sodium_hex2bin(out, len, hex, 2 * len, NULL, &n, NULL) == 0 && n == len;
}

static enum perr one_blob(void *arg, const char *name)
{
	struct load *l = arg;

	void *more = grow(l->blobs, l->n_blobs, &l->blobs_room, 32);

	if (more == NULL)
		return PERR_NOMEM;
	l->blobs = more;
	if (!from_hex(l->blobs[l->n_blobs], 32, name + strlen("blob/")))
		return PERR_CORRUPT;
	l->n_blobs++;
	return PERR_OK;
}

static enum perr one_gone(void *arg, const uint8_t record[STATEMENT_RECORD_SIZE], enum gone how,
                          uint32_t day)
{
	struct load *l = arg;
	struct holding *h = l->h;
	void *more = grow(h->gone, h->n_gone, &l->gone_room, sizeof *h->gone);

	(void)how;
	if (more == NULL)
		return PERR_NOMEM;
	h->gone = more;
	memcpy(h->gone[h->n_gone].record, record, CUSTODY_RECORD);
	h->gone[h->n_gone++].day = day;
	return PERR_OK;
}

static int by_record(const void *a, const void *b)
{
	return memcmp(a, b, CUSTODY_RECORD);
}

static bool has_blob(const struct load *l, const uint8_t hash[32])
{
	return doc_find((const uint8_t (*)[32])l->blobs, l->n_blobs, hash) < l->n_blobs;
}

/* bits of the attachments that are not here; PERR_UNKNOWN statements have none we know of */
static enum perr missing_of(struct load *l, uint64_t *missing)
{
	const struct statement *st = &l->st;
	const struct statement_attachments *list;
	enum perr err = PERR_OK;

	*missing = 0;
	if (st->kind == STATEMENT_ASSIGNMENT || st->kind == STATEMENT_REFERRAL) {
		err = statement_original(&l->original, st);
		if (err != PERR_OK)
			return err == PERR_NOMEM ? err : PERR_CORRUPT;
		st = &l->original;
	}
	list = envelope_attachments(st);
	for (uint32_t i = 0; list != NULL && i < list->n; i++)
		if (!has_blob(l, list->at[i].hash))
			*missing |= (uint64_t)1 << i;
	return PERR_OK;
}

static enum perr one_statement(void *arg, const char *name, const uint8_t *value, size_t len)
{
	const size_t prefix = strlen("stmt/"), record = 2 * CUSTODY_RECORD;
	struct load *l = arg;
	struct holding *h = l->h;
	struct holding_item *it;
	void *more;
	bool is_unknown;
	enum perr err;

	if (len <= RECORD_HEAD || strlen(name) != prefix + record + 1 + 2 * CUSTODY_HASH)
		return PERR_CORRUPT;
	err = envelope_decode(&l->env, value + RECORD_HEAD, len - RECORD_HEAD);
	if (err == PERR_OK)
		err = statement_decode(&l->st, l->env.statement.p, l->env.statement.len);
	is_unknown = err == PERR_UNKNOWN;
	if (err != PERR_OK && !is_unknown)
		return err == PERR_NOMEM ? err : PERR_CORRUPT;
	if (memcmp(l->st.to, h->desk, 32) != 0 || (!is_unknown && l->st.kind == STATEMENT_CUSTODY) ||
	    (h->n_gone > 0 && bsearch(l->st.record, h->gone, h->n_gone, sizeof *h->gone,
	                              by_record) != NULL))
		return PERR_OK;
	more = grow(h->at, h->n, &l->room, sizeof *h->at);
	if (more == NULL)
		return PERR_NOMEM;
	h->at = more;
	it = &h->at[h->n];
	memset(it, 0, sizeof *it);
	memcpy(it->record, l->st.record, CUSTODY_RECORD);
	if (!from_hex(it->hash, CUSTODY_HASH, name + prefix + record + 1))
		return PERR_CORRUPT;
	it->day = l->st.day;
	it->received = doc_get_u32(value);
	err = is_unknown ? PERR_OK : missing_of(l, &it->missing);
	h->n += err == PERR_OK;
	return err;
}

static int by_day(const void *a, const void *b)
{
	const struct holding_item *x = a, *y = b;

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return memcmp(x->hash, y->hash, CUSTODY_HASH);
}

enum perr holding_load(struct client *c, const uint8_t desk[32], struct holding **out)
{
	struct load *l = calloc(1, sizeof *l);
	struct holding *h = calloc(1, sizeof *h);
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (l == NULL || h == NULL)
		goto out;
	l->c = c;
	l->h = h;
	memcpy(h->desk, desk, 32);
	err = gone_each(c, one_gone, l);
	if (err == PERR_OK)
		err = kv_each_name(c->kv, "blob/", one_blob, l);
	if (err != PERR_OK)
		goto out;
	/* a store need not walk in the order of names */
	if (l->n_blobs > 0)
		doc_sort(l->blobs, l->n_blobs);
	err = kv_each(c->kv, "stmt/", one_statement, l);
	if (err != PERR_OK)
		goto out;
	if (h->n > 0)
		qsort(h->at, h->n, sizeof *h->at, by_day);
	*out = h;
	h = NULL;
out:
	holding_free(h);
	if (l != NULL) {
		free(l->blobs);
		sodium_memzero(l, sizeof *l);    /* references hold keys */
	}
	free(l);
	return err;
}

void holding_free(struct holding *h)
{
	if (h == NULL)
		return;
	free(h->at);
	free(h->gone);
	free(h);
}

size_t holding_from(const struct holding *h, uint32_t day)
{
	size_t from = 0, to = h->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (h->at[mid].day < day)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

void holding_name(char out[96], const struct holding_item *it)
{
	char prefix[96];
	size_t n;

	record_name(prefix, "stmt/", it->record);
	n = strlen(prefix);
	prefix[n] = '/';
	prefix[n + 1] = '\0';
	client_key_name(out, prefix, it->hash, CUSTODY_HASH);
}
