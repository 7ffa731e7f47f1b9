/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "statement.h"

#include <sodium.h>
#include <stdlib.h>

#include "statement_int.h"

#define NOTE_MAX 65536

/* ---- reading ----------------------------------------------------------------------------- */

static void get_body(struct mp_reader *r, struct statement *st)
{
	struct doc_map m;

	doc_map_begin(&m, r);
	switch (st->kind) {
	case STATEMENT_INTAKE:
		statement_get_intake(r, &m, &st->body.intake);
		break;
	case STATEMENT_AMENDMENT:
		statement_get_amendment(r, &m, &st->body.amendment);
		break;
	case STATEMENT_ASSIGNMENT:
		statement_get_passed(r, &m, &st->body.passed, false);
		break;
	case STATEMENT_ANSWER:
		statement_get_answer(r, &m, &st->body.answer);
		break;
	case STATEMENT_NOTE:
		doc_need(&m, 0);
		st->body.note = doc_get_text(r, 1, NOTE_MAX);
		break;
	case STATEMENT_STATUS:
		statement_get_status(r, &m, &st->body.status);
		break;
	case STATEMENT_ERASE:
		statement_get_erase(r, &m, &st->body.erase);
		break;
	case STATEMENT_CUSTODY:
		custody_get(r, &m, &st->body.custody);
		break;
	case STATEMENT_REFERRAL:
		statement_get_passed(r, &m, &st->body.passed, true);
		break;
	case STATEMENT_COPY:
		statement_get_copy(r, &m, &st->body.passed);
		break;
	case STATEMENT_RECEIPT:
		statement_get_receipt(r, &m, &st->body.receipt);
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
		statement_put_intake(w, &st->body.intake);
		break;
	case STATEMENT_AMENDMENT:
		statement_put_amendment(w, &st->body.amendment);
		break;
	case STATEMENT_ASSIGNMENT:
		statement_put_passed(w, &st->body.passed, false);
		break;
	case STATEMENT_ANSWER:
		statement_put_answer(w, &st->body.answer);
		break;
	case STATEMENT_NOTE:
		put_single(w, st->body.note);
		break;
	case STATEMENT_STATUS:
		statement_put_status(w, &st->body.status);
		break;
	case STATEMENT_ERASE:
		statement_put_erase(w, &st->body.erase);
		break;
	case STATEMENT_CUSTODY:
		custody_put(w, &st->body.custody);
		break;
	case STATEMENT_REFERRAL:
		statement_put_passed(w, &st->body.passed, true);
		break;
	case STATEMENT_COPY:
		statement_put_copy(w, &st->body.passed);
		break;
	case STATEMENT_RECEIPT:
		statement_put_receipt(w, &st->body.receipt);
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
