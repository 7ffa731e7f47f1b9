/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "draft.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "instance.h"
#include "mp.h"

#define FORMAT   1
#define HEADS    "draft/"
#define FILES    "draftfile/"
#define KEY_MAX  999u            /* of a file: three digits in its name */
#define RECORD_MAX (DRAFT_BYTES_MAX + (64u << 10))

enum { F_PAPER = 1, F_SEALED = 2, F_SCANS = 4, F_REVIEW = 8, F_AMENDMENT = 16, F_ALL = 31 };

static void head_name(char out[96], uint32_t number)
{
	snprintf(out, 96, HEADS "%06u", number);
}

static void file_name(char out[96], uint32_t number, uint32_t key)
{
	snprintf(out, 96, FILES "%06u.%03u", number, key);
}

struct draft *draft_new(void)
{
	struct draft *d = calloc(1, sizeof *d);

	if (d != NULL)
		d->next_key = 1;
	return d;
}

void draft_free(struct draft *d)
{
	if (d == NULL)
		return;
	doc_free(d->answers, d->answers_len);
	sodium_memzero(d, sizeof *d);
	free(d);
}

/* ---- one record -------------------------------------------------------------------------- */

static void put_files(struct mp_writer *w, const struct draft *d)
{
	uint32_t n = 0;

	for (size_t i = 0; i < d->n_files; i++)
		n += !d->files[i].is_gone;
	mp_put_array(w, n);
	for (size_t i = 0; i < d->n_files; i++) {
		const struct draft_file *f = &d->files[i];

		if (f->is_gone)
			continue;
		mp_put_array(w, 4);
		mp_put_str(w, f->name);
		mp_put_uint(w, f->size);
		mp_put_bool(w, f->is_scan);
		mp_put_uint(w, f->key);
	}
}

static void put(struct mp_writer *w, const void *what)
{
	const struct draft *d = what;
	const struct draft_head *h = &d->head;

	mp_put_array(w, 15);
	mp_put_uint(w, FORMAT);
	mp_put_uint(w, d->revision);
	mp_put_uint(w, h->day);
	mp_put_str(w, h->form_id);
	mp_put_str(w, h->form_version);
	mp_put_str(w, h->lang);
	mp_put_uint(w, (h->is_paper ? F_PAPER : 0) | (h->is_sealed ? F_SEALED : 0) |
	               (d->has_scans ? F_SCANS : 0) | (d->from_review ? F_REVIEW : 0) |
	               (h->is_amendment ? F_AMENDMENT : 0));
	mp_put_uint(w, h->n_answers);
	mp_put_uint(w, d->visit_day);
	mp_put_str(w, d->transcriber);
	mp_put_uint(w, d->next_key);
	put_files(w, d);
	mp_put_str(w, d->code);
	mp_put_str(w, d->desk_name);
	mp_put_bin(w, d->answers, d->answers_len);
}

static void take_files(struct mp_reader *r, struct draft *d)
{
	d->n_files = mp_array_var(r, 0, DRAFT_FILES_MAX);
	for (size_t i = 0; i < d->n_files; i++) {
		struct draft_file *f = &d->files[i];

		mp_array(r, 4);
		mp_str_copy(r, f->name, sizeof f->name, 1);
		f->size = (uint32_t)mp_uint(r, UINT32_MAX);
		f->is_scan = mp_bool(r);
		f->key = (uint32_t)mp_uint(r, KEY_MAX);
	}
	d->head.n_files = (uint32_t)d->n_files;
}

/* with_answers false: answers stay NULL, for lists */
static enum perr take(struct draft *d, const char *name, const uint8_t *value, size_t len,
                      bool with_answers)
{
	struct draft_head *h = &d->head;
	const uint8_t *answers;
	struct mp_reader r;
	unsigned flags;
	size_t n;
	enum perr err;

	memset(d, 0, sizeof *d);
	h->number = (uint32_t)strtoul(name + strlen(HEADS), NULL, 10);
	mp_reader_init(&r, value, len);
	mp_array(&r, 15);
	if (mp_uint(&r, UINT32_MAX) != FORMAT)
		mp_fail(&r, PERR_UNKNOWN);
	d->revision = (uint32_t)mp_uint(&r, UINT32_MAX);
	h->day = (uint32_t)mp_uint(&r, UINT32_MAX);
	mp_str_copy(&r, h->form_id, sizeof h->form_id, 0);
	mp_str_copy(&r, h->form_version, sizeof h->form_version, 0);
	mp_str_copy(&r, h->lang, sizeof h->lang, 0);
	flags = (unsigned)mp_uint(&r, F_ALL);
	h->is_paper = (flags & F_PAPER) != 0;
	h->is_sealed = (flags & F_SEALED) != 0;
	h->is_amendment = (flags & F_AMENDMENT) != 0;
	d->has_scans = (flags & F_SCANS) != 0;
	d->from_review = (flags & F_REVIEW) != 0;
	h->n_answers = (uint32_t)mp_uint(&r, UINT32_MAX);
	d->visit_day = (uint32_t)mp_uint(&r, UINT32_MAX);
	mp_str_copy(&r, d->transcriber, sizeof d->transcriber, 0);
	d->next_key = (uint32_t)mp_uint(&r, KEY_MAX + 1);
	take_files(&r, d);
	mp_str_copy(&r, d->code, sizeof d->code, 0);
	mp_str_copy(&r, d->desk_name, sizeof d->desk_name, 0);
	answers = mp_bin_var(&r, 0, DRAFT_BYTES_MAX, &n);
	if (with_answers && answers != NULL) {
		d->answers = malloc(n + 1);
		if (d->answers == NULL)
			mp_fail(&r, PERR_NOMEM);
		else
			memcpy(d->answers, answers, d->answers_len = n);
	}
	err = mp_finish(&r);
	return err == PERR_OK || err == PERR_NOMEM || err == PERR_UNKNOWN ? err : PERR_CORRUPT;
}

enum perr draft_open(struct kv *kv, uint32_t number, struct draft **out)
{
	struct draft *d = NULL;
	uint8_t *value = NULL;
	char name[96];
	size_t len;
	enum perr err;

	*out = NULL;
	if (number == 0 || number > DRAFT_NUMBER_MAX)
		return PERR_NOTFOUND;
	head_name(name, number);
	err = kv_get(kv, name, &value, &len);
	if (err == PERR_OK && (d = draft_new()) == NULL)
		err = PERR_NOMEM;
	if (err == PERR_OK)
		err = take(d, name, value, len, true);
	kv_free(value);
	if (err == PERR_OK) {
		*out = d;
		d = NULL;
	}
	draft_free(d);
	return err;
}

/* ---- files ------------------------------------------------------------------------------- */

const struct draft_file *draft_find(const struct draft *d, const char *name)
{
	for (size_t i = 0; i < d->n_files; i++)
		if (!d->files[i].is_gone && strcmp(d->files[i].name, name) == 0)
			return &d->files[i];
	return NULL;
}

enum perr draft_attach(struct draft *d, const char *name, const uint8_t *data, size_t len,
                       bool is_scan)
{
	struct draft_file *f;

	if (!instance_file_name_ok(name) || strlen(name) > DRAFT_NAME_MAX || len > KV_VALUE_MAX)
		return PERR_RANGE;
	if (draft_find(d, name) != NULL)
		return PERR_EXISTS;
	if (d->n_files == DRAFT_FILES_MAX || d->next_key > KEY_MAX)
		return PERR_LIMIT;
	f = &d->files[d->n_files++];
	memset(f, 0, sizeof *f);
	snprintf(f->name, sizeof f->name, "%s", name);
	f->size = (uint32_t)len;
	f->is_scan = is_scan;
	f->key = d->next_key++;
	f->fresh = data;
	return PERR_OK;
}

static void forget(struct draft *d, size_t i)
{
	memmove(&d->files[i], &d->files[i + 1], (d->n_files - i - 1) * sizeof d->files[0]);
	d->n_files--;
	sodium_memzero(&d->files[d->n_files], sizeof d->files[0]);
}

void draft_detach(struct draft *d, const char *name)
{
	for (size_t i = 0; i < d->n_files; i++) {
		if (d->files[i].is_gone || strcmp(d->files[i].name, name) != 0)
			continue;
		if (d->files[i].fresh != NULL)
			forget(d, i);
		else
			d->files[i].is_gone = true;
		return;
	}
}

void draft_undo_detach(struct draft *d, const char *name)
{
	for (size_t i = 0; i < d->n_files; i++)
		if (d->files[i].is_gone && strcmp(d->files[i].name, name) == 0 &&
		    draft_find(d, name) == NULL)
			d->files[i].is_gone = false;
}

/* "nta.jpg" and 2: "nta-2.jpg"; never cut inside a character */
static void numbered(char out[DRAFT_NAME_MAX + 1], const char *wish, unsigned n)
{
	const char *dot = strrchr(wish, '.');
	size_t stem = dot == NULL || dot == wish ? strlen(wish) : (size_t)(dot - wish);
	const char *ending = wish + stem;
	char number[16];
	size_t room;

	if (strlen(ending) > 12)
		ending = "";
	number[0] = '\0';
	if (n > 1)
		snprintf(number, sizeof number, "-%u", n);
	room = DRAFT_NAME_MAX - strlen(ending) - strlen(number);
	if (stem > room)
		for (stem = room; stem > 0 && ((unsigned char)wish[stem] & 0xc0) == 0x80; stem--)
			;
	snprintf(out, DRAFT_NAME_MAX + 1, "%.*s%s%s", (int)stem, wish, number, ending);
}

void draft_name(const struct draft *d, const char *wish, char out[DRAFT_NAME_MAX + 1])
{
	unsigned n = 1;

	numbered(out, wish, n);
	if (!instance_file_name_ok(out)) {
		wish = "attachment";
		numbered(out, wish, n);
	}
	while (draft_find(d, out) != NULL)
		numbered(out, wish, ++n);
}

enum perr draft_read(struct kv *kv, const struct draft *d, const char *name, uint8_t **data,
                     size_t *len)
{
	const struct draft_file *f = draft_find(d, name);
	char record[96];
	enum perr err;

	*data = NULL;
	*len = 0;
	if (f == NULL || d->head.number == 0)
		return PERR_NOTFOUND;
	file_name(record, d->head.number, f->key);
	err = kv_get(kv, record, data, len);
	/* the list names it: if it is not there, something took it */
	return err == PERR_NOTFOUND ? PERR_CORRUPT : err;
}

/* ---- saving ------------------------------------------------------------------------------ */

static enum perr highest(void *arg, const char *name)
{
	uint32_t *max = arg, n = (uint32_t)strtoul(name + strlen(HEADS), NULL, 10);

	if (n > *max)
		*max = n;
	return PERR_OK;
}

static enum perr check_revision(struct kv *kv, const char *name, uint32_t revision)
{
	struct draft *there = draft_new();
	uint8_t *value = NULL;
	size_t len;
	enum perr err = there == NULL ? PERR_NOMEM : kv_get(kv, name, &value, &len);

	if (err == PERR_OK)
		err = take(there, name, value, len, false);
	if (err == PERR_OK && there->revision != revision)
		err = PERR_EXISTS;
	kv_free(value);
	draft_free(there);
	return err;
}

static enum perr save_files(struct kv *kv, const struct draft *d)
{
	enum perr err = PERR_OK;
	char name[96];

	for (size_t i = 0; i < d->n_files && err == PERR_OK; i++) {
		const struct draft_file *f = &d->files[i];

		file_name(name, d->head.number, f->key);
		if (f->is_gone)
			err = kv_erase(kv, name);
		else if (f->fresh != NULL)
			err = kv_put(kv, name, f->fresh, f->size);
	}
	return err;
}

static enum perr save(struct kv *kv, struct draft *d)
{
	uint8_t *record = NULL;
	size_t len = 0;
	char name[96];
	enum perr err = PERR_OK;

	if (d->head.number == 0) {
		err = kv_each_name(kv, HEADS, highest, &d->head.number);
		if (err == PERR_OK && d->head.number++ == DRAFT_NUMBER_MAX)
			err = PERR_LIMIT;
		head_name(name, d->head.number);
	} else {
		head_name(name, d->head.number);
		err = check_revision(kv, name, d->revision);
	}
	d->revision++;
	if (err == PERR_OK)
		err = save_files(kv, d);
	if (err == PERR_OK)
		err = doc_write(&record, &len, RECORD_MAX, put, d);
	if (err == PERR_OK)
		err = kv_put(kv, name, record, len);
	doc_free(record, len);
	return err;
}

enum perr draft_save(struct kv *kv, struct draft *d, const uint8_t *answers, size_t len)
{
	uint32_t number = d->head.number, revision = d->revision;
	uint8_t *old = d->answers, *copy;
	size_t old_len = d->answers_len, i = 0;
	enum perr err;

	if (len > DRAFT_BYTES_MAX)
		return PERR_RANGE;
	copy = malloc(len + 1);
	if (copy == NULL)
		return PERR_NOMEM;
	if (len > 0)
		memcpy(copy, answers, len);
	d->answers = copy;
	d->answers_len = len;
	err = kv_begin(kv);
	if (err == PERR_OK) {
		err = save(kv, d);
		if (err == PERR_OK)
			err = kv_commit(kv);
		kv_abort(kv);
	}
	if (err != PERR_OK) {
		doc_free(copy, len);
		d->answers = old;
		d->answers_len = old_len;
		d->head.number = number;
		d->revision = revision;
		return err;
	}
	doc_free(old, old_len);
	while (i < d->n_files) {
		d->files[i].fresh = NULL;
		if (d->files[i].is_gone)
			forget(d, i);
		else
			i++;
	}
	d->head.n_files = (uint32_t)d->n_files;
	return PERR_OK;
}

/* ---- lists and ends ---------------------------------------------------------------------- */

struct list {
	draft_fn *fn;
	void *arg;
};

static enum perr one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	const struct list *l = arg;
	struct draft *d = draft_new();
	enum perr err = d == NULL ? PERR_NOMEM : take(d, name, value, len, false);

	if (err == PERR_OK)
		err = l->fn(l->arg, &d->head);
	draft_free(d);
	return err;
}

enum perr draft_each(struct kv *kv, draft_fn *fn, void *arg)
{
	struct list l = { fn, arg };

	return kv_each(kv, HEADS, one, &l);
}

static enum perr erase_one(void *arg, const char *name)
{
	return kv_erase(arg, name);
}

/* also files whose draft is damaged: they are found by their names */
static enum perr erase_all(struct kv *kv, uint32_t number)
{
	char name[96];
	enum perr err;

	snprintf(name, sizeof name, FILES "%06u.", number);
	err = kv_each_name(kv, name, erase_one, kv);
	head_name(name, number);
	return err == PERR_OK ? kv_erase(kv, name) : err;
}

enum perr draft_finish(struct kv *kv, const struct draft *d, const char *code,
                       const char *desk_name)
{
	struct draft *left;
	uint8_t *record = NULL;
	size_t len = 0;
	char name[96];
	enum perr err;

	/* never saved: nothing to erase, and nothing that could be shown again */
	if (d->head.number == 0)
		return PERR_STATE;
	left = draft_new();
	if (left == NULL)
		return PERR_NOMEM;
	left->head = d->head;
	left->head.is_sealed = true;
	left->revision = d->revision + 1;
	snprintf(left->code, sizeof left->code, "%s", code);
	snprintf(left->desk_name, sizeof left->desk_name, "%s", desk_name);
	head_name(name, d->head.number);
	err = check_revision(kv, name, d->revision);
	if (err == PERR_OK)
		err = erase_all(kv, d->head.number);
	if (err == PERR_OK)
		err = doc_write(&record, &len, RECORD_MAX, put, left);
	if (err == PERR_OK)
		err = kv_put(kv, name, record, len);
	doc_free(record, len);
	draft_free(left);
	return err;
}

enum perr draft_erase(struct kv *kv, const struct draft *d)
{
	char name[96];
	enum perr err;

	if (d->head.number == 0)
		return PERR_OK;
	head_name(name, d->head.number);
	err = check_revision(kv, name, d->revision);
	return err == PERR_OK ? erase_all(kv, d->head.number) : err;
}

struct with_code {
	struct kv *kv;
	const char *code;
};

static enum perr one_with_code(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct with_code *w = arg;
	struct draft *d = draft_new();
	enum perr err = d == NULL ? PERR_NOMEM : take(d, name, value, len, false);

	if (err == PERR_OK && strcmp(d->code, w->code) == 0)
		err = erase_all(w->kv, d->head.number);
	draft_free(d);
	/* one of a later version is not ours to read */
	return err == PERR_UNKNOWN ? PERR_OK : err;
}

enum perr draft_forget_code(struct kv *kv, const char *code)
{
	struct with_code w = { kv, code };

	return kv_each(kv, HEADS, one_with_code, &w);
}

enum perr draft_drop(struct kv *kv, uint32_t number)
{
	uint8_t *value = NULL;
	char name[96];
	enum perr err;

	if (number == 0 || number > DRAFT_NUMBER_MAX)
		return PERR_NOTFOUND;
	head_name(name, number);
	err = kv_get(kv, name, &value, NULL);
	kv_free(value);
	/* one that cannot be read can still be dropped */
	if (err != PERR_OK && err != PERR_CORRUPT)
		return err;
	err = kv_begin(kv);
	if (err != PERR_OK)
		return err;
	err = erase_all(kv, number);
	if (err == PERR_OK)
		err = kv_commit(kv);
	kv_abort(kv);
	return err;
}
