/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "statement.h"

#include <sodium.h>
#include <stdlib.h>

#include "blob.h"

#define TEXT_MAX       1024      /* reasons and remarks */
#define NOTE_MAX       65536
#define LANGUAGE_MAX   16
#define FORM_ID_MAX    64
#define FORM_VER_MAX   32

/* ---- reading ----------------------------------------------------------------------------- */

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

static void get_intake(struct mp_reader *r, struct doc_map *m, struct statement_intake *in)
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

static void get_amendment(struct mp_reader *r, struct doc_map *m, struct statement_amendment *am)
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

static void get_erase(struct mp_reader *r, struct doc_map *m, struct statement_erase *e)
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

static void get_consent(struct mp_reader *r, struct statement_consent *c)
{
	mp_array(r, 4);
	c->text = doc_get_text(r, 1, TEXT_MAX);
	c->day = doc_get_uint(r, UINT32_MAX);
	c->by = doc_get_text(r, 1, 128);
	c->language = doc_get_text(r, 0, LANGUAGE_MAX);
}

/* counts from 1; so does a day that means something */
static uint32_t get_turn(struct mp_reader *r)
{
	uint32_t turn = doc_get_uint(r, UINT32_MAX);

	if (turn == 0)
		mp_fail(r, PERR_FORMAT);
	return turn;
}

static enum statement_role get_role(struct mp_reader *r)
{
	uint32_t role = doc_get_uint(r, STATEMENT_INTERPRETER);

	if (role < STATEMENT_ATTORNEY)
		mp_fail(r, PERR_FORMAT);
	return (enum statement_role)role;
}

static void get_passed(struct mp_reader *r, struct doc_map *m, struct statement_passed *p,
                       bool is_referral)
{
	doc_need(m, 0);
	p->reason = doc_get_text(r, 0, TEXT_MAX);
	doc_need(m, 1);
	p->original = doc_get_bytes(r, 1, STATEMENT_MAX);
	doc_need(m, 2);
	p->original_sig = mp_bin(r, SIGNED_SIG_SIZE);
	doc_need(m, 3);
	if (is_referral) {
		get_consent(r, &p->consent);
		return;
	}
	p->turn = get_turn(r);
	doc_need(m, 4);
	p->role = get_role(r);
	if (doc_has(m, 5))
		p->answer_by = get_turn(r);
}

static void get_copy(struct mp_reader *r, struct doc_map *m, struct statement_passed *p)
{
	doc_need(m, 0);
	p->turn = get_turn(r);
	doc_need(m, 1);
	p->original = doc_get_bytes(r, 1, STATEMENT_MAX);
	doc_need(m, 2);
	p->original_sig = mp_bin(r, SIGNED_SIG_SIZE);
}

/*
 * PROTOCOL 4.2: "State 2 has fields 2, 4 and 5, and 6 if there is an end; 7 has fields 2 and
 * 4; the others have neither 5 nor 6."
 */
static bool status_is_whole(const struct statement_status *s)
{
	if (s->state == STATEMENT_ASSIGNED)
		return s->has_whom && s->turn != 0 && s->role != STATEMENT_NO_ROLE;
	if (s->role != STATEMENT_NO_ROLE || s->answer_by != 0)
		return false;
	return s->state != STATEMENT_UNASSIGNED || (s->has_whom && s->turn != 0);
}

static void get_status(struct mp_reader *r, struct doc_map *m, struct statement_status *s)
{
	uint32_t state;

	doc_need(m, 0);
	state = doc_get_uint(r, STATEMENT_REFERRED);
	if (state < STATEMENT_OPEN)
		mp_fail(r, PERR_FORMAT);
	s->state = (enum statement_state)state;
	doc_need(m, 1);
	s->text = doc_get_text(r, 0, TEXT_MAX);
	s->has_whom = doc_has(m, 2);
	if (s->has_whom)
		mp_bin_copy(r, s->whom, sizeof s->whom);
	s->has_consent = doc_has(m, 3);
	if (s->has_consent)
		get_consent(r, &s->consent);
	if (doc_has(m, 4))
		s->turn = get_turn(r);
	if (doc_has(m, 5))
		s->role = get_role(r);
	if (doc_has(m, 6))
		s->answer_by = get_turn(r);
	if ((state == STATEMENT_REFERRED) != s->has_consent ||
	    (s->has_consent && !s->has_whom) ||
	    !status_is_whole(s))
		mp_fail(r, PERR_FORMAT);
}

static void get_answer(struct mp_reader *r, struct doc_map *m, struct statement_answer *a)
{
	uint32_t decision;

	doc_need(m, 0);
	decision = doc_get_uint(r, STATEMENT_DECLINE);
	if (decision < STATEMENT_ACCEPT)
		mp_fail(r, PERR_FORMAT);
	a->decision = (enum statement_decision)decision;
	doc_need(m, 1);
	a->text = doc_get_text(r, 0, TEXT_MAX);
	doc_need(m, 2);
	a->turn = get_turn(r);
}

static void get_receipt(struct mp_reader *r, struct doc_map *m, struct statement_receipt *p)
{
	doc_need(m, 0);
	p->n = mp_array_var(r, 1, STATEMENT_LISTS);
	for (uint32_t i = 0; i < p->n; i++) {
		struct statement_list *l = &p->to[i];

		mp_array(r, 3);
		mp_bin_copy(r, l->whom, sizeof l->whom);
		l->turn = get_turn(r);
		l->things = doc_get_bytes(r, STATEMENT_THING_SIZE,
		                          STATEMENT_THINGS * STATEMENT_THING_SIZE);
		if (l->things.len % STATEMENT_THING_SIZE != 0)
			mp_fail(r, PERR_FORMAT);
	}
}

static void get_custody(struct mp_reader *r, struct doc_map *m, struct custody *k)
{
	doc_need(m, 0);
	k->through_day = doc_get_uint(r, UINT32_MAX);
	doc_need(m, 1);
	k->n_held = doc_get_uint(r, UINT32_MAX);
	doc_need(m, 2);
	k->ranges = doc_get_bytes(r, 0, CUSTODY_RANGES * CUSTODY_RANGE);
	doc_need(m, 3);
	k->n_lists = mp_array_var(r, 0, CUSTODY_LISTS);
	for (uint32_t i = 0; i < k->n_lists; i++) {
		struct custody_list *l = &k->lists[i];

		mp_array(r, 5);
		l->first = doc_get_uint(r, UINT32_MAX);
		l->last = doc_get_uint(r, UINT32_MAX);
		l->low = (uint8_t)doc_get_uint(r, UINT8_MAX);
		l->high = (uint8_t)doc_get_uint(r, UINT8_MAX);
		l->elements = doc_get_bytes(r, 0, CUSTODY_ELEMENTS * CUSTODY_ELEMENT);
	}
	doc_need(m, 4);
	k->erased = doc_get_bytes(r, 0, CUSTODY_ERASED * CUSTODY_RECORD);
	if (!custody_is_sound(k))
		mp_fail(r, PERR_FORMAT);
}

static void get_body(struct mp_reader *r, struct statement *st)
{
	struct doc_map m;

	doc_map_begin(&m, r);
	switch (st->kind) {
	case STATEMENT_INTAKE:
		get_intake(r, &m, &st->body.intake);
		break;
	case STATEMENT_AMENDMENT:
		get_amendment(r, &m, &st->body.amendment);
		break;
	case STATEMENT_ASSIGNMENT:
		get_passed(r, &m, &st->body.passed, false);
		break;
	case STATEMENT_ANSWER:
		get_answer(r, &m, &st->body.answer);
		break;
	case STATEMENT_NOTE:
		doc_need(&m, 0);
		st->body.note = doc_get_text(r, 1, NOTE_MAX);
		break;
	case STATEMENT_STATUS:
		get_status(r, &m, &st->body.status);
		break;
	case STATEMENT_ERASE:
		get_erase(r, &m, &st->body.erase);
		break;
	case STATEMENT_CUSTODY:
		get_custody(r, &m, &st->body.custody);
		break;
	case STATEMENT_REFERRAL:
		get_passed(r, &m, &st->body.passed, true);
		break;
	case STATEMENT_COPY:
		get_copy(r, &m, &st->body.passed);
		break;
	case STATEMENT_RECEIPT:
		get_receipt(r, &m, &st->body.receipt);
		break;
	}
	doc_map_end(&m);
}

static bool is_known(uint64_t kind)
{
	return (kind >= STATEMENT_INTAKE && kind <= STATEMENT_REFERRAL) ||
	       kind == STATEMENT_COPY || kind == STATEMENT_RECEIPT;
}

enum perr statement_decode(struct statement *st, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	struct doc_map m;
	uint64_t kind;
	bool known;
	enum perr err;

	memset(st, 0, sizeof *st);
	if (in_len > STATEMENT_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	doc_map_begin(&m, &r);
	doc_need(&m, 0);
	if (mp_uint(&r, UINT32_MAX) != 1)
		mp_fail(&r, PERR_FORMAT);
	doc_need(&m, 1);
	kind = mp_uint(&r, UINT32_MAX);
	doc_need(&m, 2);
	mp_bin_copy(&r, st->author, sizeof st->author);
	doc_need(&m, 3);
	mp_bin_copy(&r, st->seq_commit, sizeof st->seq_commit);
	doc_need(&m, 4);
	st->day = doc_get_uint(&r, UINT32_MAX);
	doc_need(&m, 5);
	mp_bin_copy(&r, st->to, sizeof st->to);
	doc_need(&m, 6);
	mp_bin_copy(&r, st->header_hash, sizeof st->header_hash);
	doc_need(&m, 7);
	mp_bin_copy(&r, st->record, sizeof st->record);
	doc_need(&m, 8);
	known = is_known(kind);
	st->kind = (enum statement_kind)kind;
	if (known)
		get_body(&r, st);
	else
		mp_skip(&r);
	st->has_ext = doc_ext(&m, 9);
	doc_map_end(&m);
	err = mp_finish(&r);
	if (err == PERR_OK && !known)
		err = PERR_UNKNOWN;
	if (err != PERR_OK)
		memset(&st->body, 0, sizeof st->body);
	if (err != PERR_OK && err != PERR_UNKNOWN)
		memset(st, 0, sizeof *st);
	return err;
}

/* ---- writing ----------------------------------------------------------------------------- */

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

static void put_intake(struct mp_writer *w, const struct statement_intake *in)
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

static void put_amendment(struct mp_writer *w, const struct statement_amendment *am)
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

static void put_erase(struct mp_writer *w, const struct statement_erase *e)
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

static void put_consent(struct mp_writer *w, const struct statement_consent *c)
{
	mp_put_key(w, 3);
	mp_put_array(w, 4);
	doc_put_text(w, c->text);
	mp_put_uint(w, c->day);
	doc_put_text(w, c->by);
	doc_put_text(w, c->language);
}

static void put_passed(struct mp_writer *w, const struct statement_passed *p, bool is_referral)
{
	mp_put_map(w, is_referral ? 4 : p->answer_by == 0 ? 5 : 6);
	mp_put_key(w, 0);
	doc_put_text(w, p->reason);
	mp_put_key(w, 1);
	doc_put_bytes(w, p->original);
	mp_put_key(w, 2);
	mp_put_bin(w, p->original_sig, SIGNED_SIG_SIZE);
	if (is_referral) {
		put_consent(w, &p->consent);
		return;
	}
	mp_put_key(w, 3);
	mp_put_uint(w, p->turn);
	mp_put_key(w, 4);
	mp_put_uint(w, p->role);
	if (p->answer_by != 0) {
		mp_put_key(w, 5);
		mp_put_uint(w, p->answer_by);
	}
}

static void put_copy(struct mp_writer *w, const struct statement_passed *p)
{
	mp_put_map(w, 3);
	mp_put_key(w, 0);
	mp_put_uint(w, p->turn);
	mp_put_key(w, 1);
	doc_put_bytes(w, p->original);
	mp_put_key(w, 2);
	mp_put_bin(w, p->original_sig, SIGNED_SIG_SIZE);
}

static void put_receipt(struct mp_writer *w, const struct statement_receipt *p)
{
	mp_put_map(w, 1);
	mp_put_key(w, 0);
	mp_put_array(w, p->n);
	for (uint32_t i = 0; i < p->n; i++) {
		mp_put_array(w, 3);
		mp_put_bin(w, p->to[i].whom, sizeof p->to[i].whom);
		mp_put_uint(w, p->to[i].turn);
		doc_put_bytes(w, p->to[i].things);
	}
}

/* a number where it is not 0 */
static void put_given(struct mp_writer *w, unsigned key, uint32_t n)
{
	if (n == 0)
		return;
	mp_put_key(w, key);
	mp_put_uint(w, n);
}

static void put_status(struct mp_writer *w, const struct statement_status *s)
{
	mp_put_map(w, 2u + s->has_whom + s->has_consent + (s->turn != 0) +
	              (s->role != STATEMENT_NO_ROLE) + (s->answer_by != 0));
	mp_put_key(w, 0);
	mp_put_uint(w, s->state);
	mp_put_key(w, 1);
	doc_put_text(w, s->text);
	if (s->has_whom) {
		mp_put_key(w, 2);
		mp_put_bin(w, s->whom, sizeof s->whom);
	}
	if (s->has_consent)
		put_consent(w, &s->consent);
	put_given(w, 4, s->turn);
	put_given(w, 5, s->role);
	put_given(w, 6, s->answer_by);
}

static void put_custody(struct mp_writer *w, const struct custody *k)
{
	mp_put_map(w, 5);
	mp_put_key(w, 0);
	mp_put_uint(w, k->through_day);
	mp_put_key(w, 1);
	mp_put_uint(w, k->n_held);
	mp_put_key(w, 2);
	doc_put_bytes(w, k->ranges);
	mp_put_key(w, 3);
	mp_put_array(w, k->n_lists);
	for (uint32_t i = 0; i < k->n_lists; i++) {
		const struct custody_list *l = &k->lists[i];

		mp_put_array(w, 5);
		mp_put_uint(w, l->first);
		mp_put_uint(w, l->last);
		mp_put_uint(w, l->low);
		mp_put_uint(w, l->high);
		doc_put_bytes(w, l->elements);
	}
	mp_put_key(w, 4);
	doc_put_bytes(w, k->erased);
}

/* a body of one text under key 0 */
static void put_single(struct mp_writer *w, struct doc_text t)
{
	mp_put_map(w, 1);
	mp_put_key(w, 0);
	doc_put_text(w, t);
}

static void put_body(struct mp_writer *w, const struct statement *st)
{
	switch (st->kind) {
	case STATEMENT_INTAKE:
		put_intake(w, &st->body.intake);
		break;
	case STATEMENT_AMENDMENT:
		put_amendment(w, &st->body.amendment);
		break;
	case STATEMENT_ASSIGNMENT:
		put_passed(w, &st->body.passed, false);
		break;
	case STATEMENT_ANSWER:
		mp_put_map(w, 3);
		mp_put_key(w, 0);
		mp_put_uint(w, st->body.answer.decision);
		mp_put_key(w, 1);
		doc_put_text(w, st->body.answer.text);
		mp_put_key(w, 2);
		mp_put_uint(w, st->body.answer.turn);
		break;
	case STATEMENT_NOTE:
		put_single(w, st->body.note);
		break;
	case STATEMENT_STATUS:
		put_status(w, &st->body.status);
		break;
	case STATEMENT_ERASE:
		put_erase(w, &st->body.erase);
		break;
	case STATEMENT_CUSTODY:
		put_custody(w, &st->body.custody);
		break;
	case STATEMENT_REFERRAL:
		put_passed(w, &st->body.passed, true);
		break;
	case STATEMENT_COPY:
		put_copy(w, &st->body.passed);
		break;
	case STATEMENT_RECEIPT:
		put_receipt(w, &st->body.receipt);
		break;
	}
}

static void put_statement(struct mp_writer *w, const void *what)
{
	const struct statement *st = what;

	mp_put_map(w, 9);
	mp_put_key(w, 0);
	mp_put_uint(w, 1);
	mp_put_key(w, 1);
	mp_put_uint(w, st->kind);
	mp_put_key(w, 2);
	mp_put_bin(w, st->author, sizeof st->author);
	mp_put_key(w, 3);
	mp_put_bin(w, st->seq_commit, sizeof st->seq_commit);
	mp_put_key(w, 4);
	mp_put_uint(w, st->day);
	mp_put_key(w, 5);
	mp_put_bin(w, st->to, sizeof st->to);
	mp_put_key(w, 6);
	mp_put_bin(w, st->header_hash, sizeof st->header_hash);
	mp_put_key(w, 7);
	mp_put_bin(w, st->record, sizeof st->record);
	mp_put_key(w, 8);
	put_body(w, st);
}

/* counts that put_* would read past an array with, before the round trip can tell */
static bool counts_in_range(const struct statement *st)
{
	switch (st->kind) {
	case STATEMENT_INTAKE:
		return st->body.intake.attachments.n <= STATEMENT_ATTACHMENTS;
	case STATEMENT_AMENDMENT:
		return st->body.amendment.n_changes <= STATEMENT_CHANGES &&
		       st->body.amendment.attachments.n <= STATEMENT_ATTACHMENTS;
	case STATEMENT_CUSTODY:
		return st->body.custody.n_lists <= CUSTODY_LISTS;
	case STATEMENT_ASSIGNMENT:
	case STATEMENT_REFERRAL:
	case STATEMENT_COPY:
		return st->body.passed.original_sig != NULL;
	case STATEMENT_RECEIPT:
		return st->body.receipt.n <= STATEMENT_LISTS;
	case STATEMENT_ANSWER:
	case STATEMENT_NOTE:
	case STATEMENT_STATUS:
	case STATEMENT_ERASE:
		return true;
	}
	return false;
}

enum perr statement_encode(uint8_t **out, size_t *out_len, const struct statement *st)
{
	struct statement again;
	enum perr err;

	*out = NULL;
	*out_len = 0;
	if (!counts_in_range(st))
		return PERR_RANGE;
	err = doc_write(out, out_len, STATEMENT_MAX, put_statement, st);
	if (err != PERR_OK)
		return err;
	/* what every reader would refuse must not leave this device: the family is gone
	 * by the time anybody notices */
	err = statement_decode(&again, *out, *out_len);
	if (err != PERR_OK) {
		doc_free(*out, *out_len);
		*out = NULL;
		*out_len = 0;
	}
	sodium_memzero(&again, sizeof again);
	return err == PERR_OK || err == PERR_NOMEM ? err : PERR_RANGE;
}

/* ---- what surrounds it ------------------------------------------------------------------- */

void statement_hash(uint8_t hash[32], const uint8_t *bytes, size_t len)
{
	doc_hash(hash, "", bytes, len);
}

enum perr statement_sign(uint8_t sig[SIGNED_SIG_SIZE], const struct sign_key *k,
                         const uint8_t *bytes, size_t len)
{
	return signed_make(sig, k, STATEMENT_CONTEXT, bytes, len);
}

enum perr statement_verify(const struct statement *st, const uint8_t *bytes, size_t len,
                           const uint8_t sig[SIGNED_SIG_SIZE])
{
	return signed_verify(st->author, sig, STATEMENT_CONTEXT, bytes, len);
}

void statement_sequence(uint8_t commit[32], const uint8_t salt[STATEMENT_SALT_SIZE],
                        uint32_t number)
{
	uint8_t be[4];

	doc_u32(be, number);
	doc_hash_keyed(commit, salt, STATEMENT_SALT_SIZE, "amparo/1 sequence", be, sizeof be);
}

enum perr statement_check_opening(const struct statement *st, uint32_t number,
                                  const uint8_t salt[STATEMENT_SALT_SIZE])
{
	uint8_t commit[32];

	/* PROTOCOL 4.2: "Sequence numbers count from 1 for each pair of author and `to`." */
	if (number == 0)
		return PERR_FORMAT;
	statement_sequence(commit, salt, number);
	return sodium_memcmp(commit, st->seq_commit, sizeof commit) == 0 ? PERR_OK : PERR_AUTH;
}

/*
 * PROTOCOL 4.2: "A reader refuses a statement whose `to` is neither its own key id nor a desk
 * it is a holder of, or restores (7.4)."
 */
bool statement_addressed_to(const struct statement *st, const uint8_t own[32],
                            const uint8_t (*desks)[32], size_t n_desks)
{
	return memcmp(st->to, own, 32) == 0 || doc_find(desks, n_desks, st->to) < n_desks;
}

bool statement_has_original(enum statement_kind kind)
{
	return kind == STATEMENT_ASSIGNMENT || kind == STATEMENT_REFERRAL ||
	       kind == STATEMENT_COPY;
}

/* one step down: what st passes on, decoded, its signature its author's */
static enum perr passed_by(struct statement *original, const struct statement *st)
{
	const struct statement_passed *p = &st->body.passed;
	enum perr err = statement_decode(original, p->original.p, p->original.len);

	if (err == PERR_OK)
		err = statement_verify(original, p->original.p, p->original.len,
		                       p->original_sig);
	if (err != PERR_OK)
		memset(original, 0, sizeof *original);
	return err;
}

enum perr statement_via(struct statement *via, const struct statement *st)
{
	enum perr err;

	memset(via, 0, sizeof *via);
	if (st->kind != STATEMENT_ASSIGNMENT && st->kind != STATEMENT_COPY)
		return PERR_NOTFOUND;
	err = passed_by(via, st);
	if (err == PERR_OK && via->kind != STATEMENT_REFERRAL) {
		memset(via, 0, sizeof *via);
		err = PERR_NOTFOUND;
	}
	return err;
}

enum perr statement_original(struct statement *original, const struct statement *st)
{
	struct statement *via;
	enum perr err;

	memset(original, 0, sizeof *original);
	if (!statement_has_original(st->kind))
		return PERR_STATE;
	err = passed_by(original, st);
	if (err == PERR_OK && original->kind == STATEMENT_REFERRAL &&
	    st->kind != STATEMENT_REFERRAL) {
		via = malloc(sizeof *via);
		if (via == NULL) {
			memset(original, 0, sizeof *original);
			return PERR_NOMEM;
		}
		*via = *original;
		err = passed_by(original, via);
		sodium_memzero(via, sizeof *via);
		free(via);
	}
	/*
	 * PROTOCOL 4.2: "The original statement of a referral is not itself of kind 3 or 9, that
	 * of an assignment or copy not of kind 3, 8, 11 or 13, and its signature must be its
	 * author's."
	 */
	if (err == PERR_OK && (statement_has_original(original->kind) ||
	                       original->kind == STATEMENT_CUSTODY ||
	                       original->kind == STATEMENT_RECEIPT))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		memset(original, 0, sizeof *original);
	return err;
}
