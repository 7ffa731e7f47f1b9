/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "statement_int.h"

#include "blob.h"

#define FORM_ID_MAX  64
#define FORM_VER_MAX 32

/* PROTOCOL 4.2: "A case code in a statement is in canonical form and its check fits (4.3)." */
static void get_code(struct mp_reader *r, char code[CASE_CODE_LEN + 1])
{
	size_t len;
	const char *s = mp_str(r, CASE_CODE_LEN, CASE_CODE_LEN, &len);

	if (s != NULL && case_code_is_canonical(s, len))
		memcpy(code, s, CASE_CODE_LEN);
	else
		mp_fail(r, PERR_FORMAT);
}

/*
 * The name comes from whoever holds a phone and ends as a file on an attorney's disk.
 * PROTOCOL 4.2: "An attachment's name is a file name: it holds no `/`, no `\` and no
 * character below U+0020, and is neither `.` nor `..`."
 */
static bool is_file_name(struct doc_text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (t.p[i] == '/' || t.p[i] == '\\' || (unsigned char)t.p[i] < 0x20)
			return false;
	return !doc_text_is(t, ".") && !doc_text_is(t, "..");
}

static void get_attachments(struct mp_reader *r, struct statement_attachments *as)
{
	as->n = mp_array_var(r, 0, STATEMENT_ATTACHMENTS);
	for (uint32_t i = 0; i < as->n; i++) {
		struct statement_attachment *a = &as->at[i];

		mp_array(r, 4);
		a->name = doc_get_text(r, 1, 128);
		a->type = doc_get_text(r, 1, 64);
		a->size = doc_get_uint(r, BLOB_SIZE_MAX);
		mp_bin_copy(r, a->hash, sizeof a->hash);
		if (!is_file_name(a->name))
			mp_fail(r, PERR_FORMAT);
	}
}

static void put_attachments(struct mp_writer *w, const struct statement_attachments *as)
{
	mp_put_array(w, as->n);
	for (uint32_t i = 0; i < as->n; i++) {
		mp_put_array(w, 4);
		doc_put_text(w, as->at[i].name);
		doc_put_text(w, as->at[i].type);
		mp_put_uint(w, as->at[i].size);
		mp_put_bin(w, as->at[i].hash, sizeof as->at[i].hash);
	}
}

void statement_get_intake(struct mp_reader *r, struct doc_map *m, struct statement_intake *in)
{
	doc_need(m, 0);
	in->form_id = doc_get_text(r, 1, FORM_ID_MAX);
	doc_need(m, 1);
	in->form_version = doc_get_text(r, 0, FORM_VER_MAX);
	doc_need(m, 2);
	in->language = doc_get_text(r, 0, LANGUAGE_MAX);
	doc_need(m, 3);
	in->instance = doc_get_bytes(r, 1, STATEMENT_INSTANCE_MAX);
	doc_need(m, 4);
	get_code(r, in->code);
	doc_need(m, 5);
	get_attachments(r, &in->attachments);
	in->has_visit_day = doc_has(m, 6);
	if (in->has_visit_day)
		in->visit_day = doc_get_uint(r, UINT32_MAX);
	if (doc_has(m, 7))
		in->transcriber = doc_get_text(r, 1, 64);
}

void statement_put_intake(struct mp_writer *w, const struct statement_intake *in)
{
	bool has_transcriber = in->transcriber.p != NULL;

	mp_put_map(w, 6 + in->has_visit_day + has_transcriber);
	mp_put_key(w, 0);
	doc_put_text(w, in->form_id);
	mp_put_key(w, 1);
	doc_put_text(w, in->form_version);
	mp_put_key(w, 2);
	doc_put_text(w, in->language);
	mp_put_key(w, 3);
	doc_put_bytes(w, in->instance);
	mp_put_key(w, 4);
	mp_put_str(w, in->code);
	mp_put_key(w, 5);
	put_attachments(w, &in->attachments);
	if (in->has_visit_day) {
		mp_put_key(w, 6);
		mp_put_uint(w, in->visit_day);
	}
	if (has_transcriber) {
		mp_put_key(w, 7);
		doc_put_text(w, in->transcriber);
	}
}

/* whole hashes, each once */
static bool is_rising(struct doc_bytes hashes)
{
	if (hashes.len % 32 != 0)
		return false;
	for (size_t at = 32; at < hashes.len; at += 32)
		if (memcmp(hashes.p + at - 32, hashes.p + at, 32) >= 0)
			return false;
	return true;
}

void statement_get_amendment(struct mp_reader *r, struct doc_map *m, struct statement_amendment *am)
{
	doc_need(m, 0);
	get_code(r, am->code);
	doc_need(m, 1);
	am->form_id = doc_get_text(r, 1, FORM_ID_MAX);
	doc_need(m, 2);
	am->form_version = doc_get_text(r, 0, FORM_VER_MAX);
	doc_need(m, 3);
	am->n_changes = mp_array_var(r, 1, STATEMENT_CHANGES);
	for (uint32_t i = 0; i < am->n_changes; i++) {
		mp_array(r, 2);
		am->changes[i].path = doc_get_text(r, 1, 512);
		am->changes[i].is_gone = mp_nil(r);
		if (!am->changes[i].is_gone)
			am->changes[i].value = doc_get_text(r, 0, 65536);
	}
	doc_need(m, 4);
	get_attachments(r, &am->attachments);
	doc_need(m, 5);
	am->milli = doc_get_uint(r, 86399999);
	doc_need(m, 6);
	am->knew = doc_get_bytes(r, 0, STATEMENT_KNEW * 32);
	if (!is_rising(am->knew))
		mp_fail(r, PERR_FORMAT);
}

void statement_put_amendment(struct mp_writer *w, const struct statement_amendment *am)
{
	mp_put_map(w, 7);
	mp_put_key(w, 0);
	mp_put_str(w, am->code);
	mp_put_key(w, 1);
	doc_put_text(w, am->form_id);
	mp_put_key(w, 2);
	doc_put_text(w, am->form_version);
	mp_put_key(w, 3);
	mp_put_array(w, am->n_changes);
	for (uint32_t i = 0; i < am->n_changes; i++) {
		mp_put_array(w, 2);
		doc_put_text(w, am->changes[i].path);
		if (am->changes[i].is_gone)
			mp_put_nil(w);
		else
			doc_put_text(w, am->changes[i].value);
	}
	mp_put_key(w, 4);
	put_attachments(w, &am->attachments);
	mp_put_key(w, 5);
	mp_put_uint(w, am->milli);
	mp_put_key(w, 6);
	doc_put_bytes(w, am->knew);
}

void statement_get_erase(struct mp_reader *r, struct doc_map *m, struct statement_erase *e)
{
	uint32_t step;

	doc_need(m, 0);
	e->reason = doc_get_text(r, 0, TEXT_MAX);
	doc_need(m, 1);
	step = doc_get_uint(r, STATEMENT_ERASE_STOP);
	if (step < STATEMENT_ERASE_ASK)
		mp_fail(r, PERR_FORMAT);
	e->step = (enum statement_erase_step)step;
	e->has_code = doc_has(m, 2);
	if (e->has_code)
		get_code(r, e->code);
}

void statement_put_erase(struct mp_writer *w, const struct statement_erase *e)
{
	mp_put_map(w, 2 + e->has_code);
	mp_put_key(w, 0);
	doc_put_text(w, e->reason);
	mp_put_key(w, 1);
	mp_put_uint(w, e->step);
	if (e->has_code) {
		mp_put_key(w, 2);
		mp_put_str(w, e->code);
	}
}
