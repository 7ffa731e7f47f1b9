/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "amend.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case.h"
#include "case_merge.h"
#include "doc.h"
#include "gone.h"
#include "instance.h"
#include "merge.h"
#include "mp.h"

#define DAY_MS    86400000
#define VALUE_MAX 65536u         /* PROTOCOL 4.2 */
#define FORMAT    1
#define LIST_MAX  ((size_t)STATEMENT_CHANGES * (VALUE_MAX + 1024))

/* ---- changes ------------------------------------------------------------------------ */

static void wipe_free(char *s)
{
	if (s != NULL)
		sodium_memzero(s, strlen(s));
	free(s);
}

enum perr amend_set(struct amend_list *l, const char *path, const char *value)
{
	char *canonical, *copy = NULL;
	enum perr err = merge_path(&canonical, path, strlen(path));
	size_t i = 0;

	if (err == PERR_OK && (strlen(canonical) > 512 || (value != NULL && strlen(value) > VALUE_MAX)))
		err = PERR_RANGE;
	if (err == PERR_OK && value != NULL && (copy = strdup(value)) == NULL)
		err = PERR_NOMEM;
	while (err == PERR_OK && i < l->n && strcmp(l->at[i].path, canonical) != 0)
		i++;
	if (err == PERR_OK && i == STATEMENT_CHANGES)
		err = PERR_LIMIT;
	if (err != PERR_OK) {
		free(canonical);
		wipe_free(copy);
		return err;
	}
	if (i < l->n)
		amend_unset(l, i);
	l->at[l->n].path = canonical;
	l->at[l->n++].value = copy;
	return PERR_OK;
}

void amend_unset(struct amend_list *l, size_t at)
{
	free(l->at[at].path);
	wipe_free(l->at[at].value);
	l->n--;
	memmove(&l->at[at], &l->at[at + 1], (l->n - at) * sizeof l->at[0]);
}

const struct amend_change *amend_find(const struct amend_list *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->at[i].path, path) == 0)
			return &l->at[i];
	return NULL;
}

void amend_clear(struct amend_list *l)
{
	while (l->n > 0)
		amend_unset(l, l->n - 1);
}

static void put_list(struct mp_writer *w, const void *what)
{
	const struct amend_list *l = what;

	mp_put_array(w, 2);
	mp_put_uint(w, FORMAT);
	mp_put_array(w, (uint32_t)l->n);
	for (size_t i = 0; i < l->n; i++) {
		mp_put_array(w, 2);
		mp_put_str(w, l->at[i].path);
		if (l->at[i].value == NULL)
			mp_put_nil(w);
		else
			mp_put_str(w, l->at[i].value);
	}
}

enum perr amend_encode(const struct amend_list *l, uint8_t **out, size_t *len)
{
	return doc_write(out, len, LIST_MAX, put_list, l);
}

enum perr amend_decode(struct amend_list *l, const uint8_t *in, size_t len)
{
	char *value = malloc(VALUE_MAX + 1), path[513];
	struct mp_reader r;
	enum perr err = value == NULL ? PERR_NOMEM : PERR_OK, bad;
	uint32_t n;

	if (err != PERR_OK)
		return err;
	mp_reader_init(&r, in, len);
	mp_array(&r, 2);
	if (mp_uint(&r, UINT32_MAX) != FORMAT)
		mp_fail(&r, PERR_FORMAT);
	n = mp_array_var(&r, 0, STATEMENT_CHANGES);
	for (uint32_t i = 0; i < n && err == PERR_OK; i++) {
		bool is_gone;

		mp_array(&r, 2);
		mp_str_copy(&r, path, sizeof path, 1);
		is_gone = mp_nil(&r);
		if (!is_gone)
			mp_str_copy(&r, value, VALUE_MAX + 1, 0);
		if (path[0] != '\0')
			err = amend_set(l, path, is_gone ? NULL : value);
	}
	sodium_memzero(value, VALUE_MAX + 1);
	free(value);
	/* also after an error: it frees what the reader holds */
	bad = mp_finish(&r);
	err = err == PERR_OK ? bad : err;
	if (err != PERR_OK)
		amend_clear(l);
	return kv_decoded(err);
}

unsigned amend_next_added(const struct amend_list *l, const char *repeat)
{
	size_t n = strlen(repeat);
	unsigned highest = 0;

	for (size_t i = 0; i < l->n; i++)
		if (strncmp(l->at[i].path, repeat, n) == 0 && strncmp(l->at[i].path + n, "[+", 2) == 0) {
			unsigned k = (unsigned)strtoul(l->at[i].path + n + 2, NULL, 10);

			/* "[+1@…]" is another one's */
			if (l->at[i].path[n + 2 + strspn(l->at[i].path + n + 2, "0123456789")] == ']' &&
			    k > highest)
				highest = k;
		}
	return highest + 1;
}

/* ---- sealing ------------------------------------------------------------------------ */

enum perr amend_record(struct client *c, const char *code, uint8_t record[STATEMENT_RECORD_SIZE])
{
	return case_find(c, code, record, NULL);
}

struct making {
	struct client *c;
	const struct amend *am;
	struct case_file *file;          /* NULL: the record is not here */
	struct case_merged *merged;
	struct statement *st;
	struct blob_ref *refs;
	size_t n_refs;
	uint8_t knew[STATEMENT_KNEW][32];
	char *why;
};

static enum perr find_record(struct making *k)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	enum gone gone;
	enum perr err;

	/* a volunteer has no records */
	if (k->c->level < LEVEL_STAFF)
		return PERR_OK;
	err = amend_record(k->c, k->am->code, record);
	if (err == PERR_NOTFOUND || err == PERR_EXISTS)
		return PERR_OK;
	if (err == PERR_OK)
		err = gone_of(k->c, record, &gone);
	if (err == PERR_OK && gone == GONE_KEPT) {
		snprintf(k->why, DISPATCH_WHY, "this case was erased everywhere else, and is kept here under a "
		         "legal hold only; nothing of it is passed on");
		return PERR_REFUSED;
	}
	if (err == PERR_OK)
		err = case_open(k->c, record, &k->file);
	if (err == PERR_OK && k->file->n_interviews == 0) {
		case_close(k->file);
		k->file = NULL;
	}
	if (err == PERR_OK && k->file != NULL)
		err = case_merge(k->c, k->file, 0, &k->merged);
	return err;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

/* the newest, who know those before them or are by authors who do: all, as a rule */
static void tell_known(struct making *k)
{
	const struct merge *m = k->merged->m;
	uint32_t n = m->n < STATEMENT_KNEW ? m->n : STATEMENT_KNEW;

	for (uint32_t i = 0; i < n; i++)
		memcpy(k->knew[i], m->at[m->n - n + i]->hash, 32);
	qsort(k->knew, n, 32, by_bytes);
	k->st->body.amendment.knew = doc_bytes_of(k->knew, (size_t)n * 32);
}

static void describe(struct making *k, const uint8_t desk[32])
{
	struct statement_amendment *body = &k->st->body.amendment;
	int64_t now = k->c->env.now_ms == NULL ? k->c->env.now(k->c->env.ctx) * 1000
	                                       : k->c->env.now_ms(k->c->env.ctx);

	k->st->kind = STATEMENT_AMENDMENT;
	k->st->day = client_day(k->c);
	memcpy(k->st->to, desk, 32);
	if (k->file != NULL)
		memcpy(k->st->record, k->file->s.record, STATEMENT_RECORD_SIZE);
	else
		rng_fill(k->c->env.rng, k->st->record, STATEMENT_RECORD_SIZE);
	memcpy(body->code, k->am->code, CASE_CODE_LEN + 1);
	body->form_id = doc_text_of(k->am->form_id);
	body->form_version = doc_text_of(k->am->form_version);
	body->milli = (uint32_t)((now % DAY_MS + DAY_MS) % DAY_MS);
	for (size_t i = 0; i < k->am->changes->n; i++) {
		const struct amend_change *ch = &k->am->changes->at[i];

		body->changes[i].path = doc_text_of(ch->path);
		body->changes[i].is_gone = ch->value == NULL;
		if (ch->value != NULL)
			body->changes[i].value = doc_text_of(ch->value);
	}
	body->n_changes = (uint32_t)k->am->changes->n;
	if (k->merged != NULL)
		tell_known(k);
}

static enum perr seal_files(struct making *k, struct dispatch *d)
{
	const struct roster_limits *lim = &k->c->field->limits;
	struct statement_attachments *list = &k->st->body.amendment.attachments;
	enum perr err = PERR_OK;

	for (size_t i = 0; i < k->am->n_files && err == PERR_OK; i++) {
		const struct intake_file *f = &k->am->files[i];
		struct statement_attachment *a = &list->at[list->n];
		size_t same = 0;

		if (list->n == STATEMENT_ATTACHMENTS || list->n >= lim->attachments ||
		    f->len > lim->attachment_bytes || !instance_file_name_ok(f->name) ||
		    strlen(f->name) > 128) {
			snprintf(k->why, DISPATCH_WHY, "the file \"%.100s\" is not accepted: at most %u files "
			         "of %u KiB, with plain names", f->name, lim->attachments,
			         lim->attachment_bytes / 1024);
			return PERR_REFUSED;
		}
		list->n++;
		a->name = doc_text_of(f->name);
		a->type = doc_text_of(intake_media_type(f->name));
		a->size = (uint32_t)f->len;
		crypto_generichash(a->hash, 32, f->data, f->len, NULL, 0);
		while (same < k->n_refs && memcmp(k->refs[same].hash, a->hash, 32) != 0)
			same++;
		if (same == k->n_refs)
			err = dispatch_blob(d, f->data, f->len, &k->refs[k->n_refs++]);
	}
	return err;
}

/* what this member's own copy names; in the batch */
static enum perr keep_files(struct making *k)
{
	enum perr err = PERR_OK;

	for (size_t i = 0; i < k->am->n_files && err == PERR_OK; i++) {
		char name[96];

		client_key_name(name, "blob/", k->st->body.amendment.attachments.at[i].hash, 32);
		err = kv_put(k->c->kv, name, k->am->files[i].data, k->am->files[i].len);
	}
	return err;
}

/* the desk's holders; a holder's own copy is kept and not sealed */
static enum perr find_readers(struct making *k, const uint8_t desk[32],
                              struct dispatch_readers *r, bool *keep)
{
	bool is_holder = cache_is_holder(k->c, desk, k->c->me->sign_pk);
	enum perr err = dispatch_desk(k->c, desk, false, r, k->why);

	*keep = is_holder || k->file != NULL;
	if (err == PERR_NOTFOUND && is_holder && r->n_holders > 0) {
		k->why[0] = '\0';
		err = PERR_OK;
	}
	return err;
}

static enum perr count_conflicts(struct making *k, struct amend_receipt *r)
{
	struct case_summary s;
	enum perr err = case_summary(k->c, k->file->s.record, &s);

	if (err == PERR_OK)
		r->n_conflicts = s.n_conflicts;
	sodium_memzero(&s, sizeof s);
	return err;
}

enum perr amend_seal(struct client *c, const struct amend *am, struct amend_receipt *r,
                     char why[DISPATCH_WHY])
{
	struct making *k = calloc(1, sizeof *k);
	const struct roster_form *form;
	struct dispatch_readers readers;
	struct dispatch *d = NULL;
	uint8_t desk[32];
	bool keep = false;
	enum perr err = PERR_NOMEM;

	memset(r, 0, sizeof *r);
	why[0] = '\0';
	if (k == NULL)
		return PERR_NOMEM;
	k->c = c;
	k->am = am;
	k->why = why;
	d = dispatch_new(c);
	k->st = calloc(1, sizeof *k->st);
	k->refs = calloc(STATEMENT_ATTACHMENTS, sizeof *k->refs);
	if (d == NULL || k->st == NULL || k->refs == NULL)
		goto out;
	err = am->changes->n == 0 ? PERR_RANGE : find_record(k);
	form = cache_form_entry(c, am->form_id, am->form_version);
	if (err == PERR_OK && form == NULL && k->file == NULL) {
		snprintf(why, DISPATCH_WHY, "no form \"%.64s\" of this version is published; run `amparo "
		         "sync`, or see `amparo form list`", am->form_id);
		err = PERR_NOTFOUND;
	}
	if (err != PERR_OK)
		goto out;
	memcpy(desk, k->file != NULL ? k->file->s.desk : form->desk, 32);
	err = find_readers(k, desk, &readers, &keep);
	if (err == PERR_OK) {
		describe(k, desk);
		err = seal_files(k, d);
	}
	if (err == PERR_OK)
		err = dispatch_begin(d);
	if (err == PERR_OK)
		err = dispatch_send(d, k->st, k->refs, k->n_refs, &readers, keep);
	if (err == PERR_OK && keep)
		err = keep_files(k);
	if (err != PERR_OK)
		goto out;
	memcpy(r->desk_name, readers.desk_name, sizeof r->desk_name);
	r->n_readers = readers.n;
	r->n_holders = readers.n_holders;
	r->n_cells = dispatch_cells(d);
	if (am->in_batch != NULL)
		err = am->in_batch(am->in_batch_ctx);
	if (err == PERR_OK)
		err = dispatch_commit(d, &r->group);
	/* it is sealed: that it cannot be counted now changes nothing of that */
	if (err == PERR_OK && k->file != NULL)
		r->is_here = count_conflicts(k, r) == PERR_OK;
out:
	if (err != PERR_OK)
		sodium_memzero(r, sizeof *r);
	if (k->st != NULL)
		sodium_memzero(k->st, sizeof *k->st);
	if (k->refs != NULL)
		sodium_memzero(k->refs, STATEMENT_ATTACHMENTS * sizeof *k->refs);
	free(k->st);
	free(k->refs);
	case_merged_free(k->merged);
	case_close(k->file);
	free(k);
	dispatch_free(d);
	return err;
}
