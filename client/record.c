/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "record.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "doc.h"
#include "late.h"
#include "envelope.h"
#include "erase.h"
#include "erasing.h"
#include "gone.h"
#include "leave.h"
#include "mp.h"
#include "record_blobs.h"
#include "roster.h"

#define HASH_KEPT 20             /* bytes of a hash in a name: 80 bits of collision are enough */
#define CUSTODY_AHEAD_DAYS 2

void record_name(char out[96], const char *prefix, const uint8_t record[STATEMENT_RECORD_SIZE])
{
	client_key_name(out, prefix, record, STATEMENT_RECORD_SIZE);
}

/* "abc/12" -> "abc/12/" */
static void add_slash(char prefix[96])
{
	size_t n = strlen(prefix);

	prefix[n] = '/';
	prefix[n + 1] = '\0';
}

static void stmt_name(char out[96], const uint8_t record[STATEMENT_RECORD_SIZE],
                      const uint8_t hash[32])
{
	char prefix[96];

	record_name(prefix, "stmt/", record);
	add_slash(prefix);
	client_key_name(out, prefix, hash, HASH_KEPT);
}

/* what an envelope holds, opened and taken apart; large, so never on the stack */
struct opened {
	struct envelope env;
	struct statement st, original;
	bool is_unknown, has_original;
	uint8_t hash[32];
};

static void opened_free(struct opened *o)
{
	if (o == NULL)
		return;
	sodium_memzero(o, sizeof *o);
	free(o);
}

/* PERR_FORMAT, PERR_AUTH: somebody's bytes are wrong.  *out: NULL after an error */
static enum perr open_all(struct opened **out, const uint8_t *envelope, size_t len)
{
	struct opened *o = malloc(sizeof *o);
	enum perr err;

	*out = NULL;
	if (o == NULL)
		return PERR_NOMEM;
	o->has_original = false;
	o->is_unknown = false;
	err = envelope_open(&o->env, &o->st, envelope, len);
	if (err == PERR_UNKNOWN) {
		o->is_unknown = true;
		err = PERR_OK;
	}
	if (err == PERR_OK && !o->is_unknown && statement_has_original(o->st.kind)) {
		err = statement_original(&o->original, &o->st);
		o->has_original = err == PERR_OK;
	}
	if (err == PERR_OK) {
		statement_hash(o->hash, o->env.statement.p, o->env.statement.len);
		*out = o;
		o = NULL;
	}
	opened_free(o);
	return err;
}

/*
 * What is passed on is an interview, under its own record id, or a correction, which has
 * none in common with it; what is copied afterwards also what was said about the record.
 */
static bool original_fits(const struct opened *o)
{
	if (!o->has_original)
		return true;
	if (o->original.kind == STATEMENT_AMENDMENT)
		return true;
	return (o->original.kind == STATEMENT_INTAKE || o->st.kind == STATEMENT_COPY) &&
	       memcmp(o->original.record, o->st.record, STATEMENT_RECORD_SIZE) == 0;
}

/*
 * Did somebody who holds or held `desk` say this?  A change of holders must not make the
 * words of those who left unsaid: who comes later merges the same history.
 * known  out: does the roster list the desk?
 */
static enum perr said_by_holder(struct client *c, const uint8_t desk[32], const uint8_t author[32],
                                bool *is, bool *known)
{
	const struct desk *d;
	enum perr err = cache_desk(c, desk, &d);

	*known = err == PERR_OK;
	*is = err == PERR_OK && desk_had_holder(d, author);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/*
 * Only whom the desk itself named may pass its records on; anybody else could send a reader
 * made-up cases, or real ones of another desk.  Who was assigned a record by a desk to which
 * it was referred sees both steps.
 */
static enum perr may_pass_on(struct client *c, const struct statement *st,
                             const struct statement *original, bool *may, bool *known)
{
	struct statement *via = malloc(sizeof *via);
	enum perr err = via == NULL ? PERR_NOMEM : statement_via(via, st);
	bool first_known = true;

	*may = true;
	if (err == PERR_OK) {
		err = said_by_holder(c, via->to, st->author, may, known);
		if (err == PERR_OK && *may)
			err = said_by_holder(c, original->to, via->author, may, &first_known);
		*known = *known && first_known;
	} else if (err == PERR_NOTFOUND) {
		err = said_by_holder(c, original->to, st->author, may, known);
	}
	if (via != NULL)
		sodium_memzero(via, sizeof *via);
	free(via);
	return err;
}

enum perr record_judge(struct client *c, const struct statement *st,
                       const struct statement *original, unsigned *flags)
{
	bool is_holder, is_listed;
	enum perr err = PERR_OK;

	*flags = cache_is_member(c, st->author) ? RECORD_KNOWN : 0;
	if (original != NULL && cache_is_member(c, original->author))
		*flags |= RECORD_WRITER;
	switch (st->kind) {
	case STATEMENT_INTAKE:
	case STATEMENT_AMENDMENT:
		*flags |= RECORD_COUNTS;
		break;
	case STATEMENT_ASSIGNMENT:
	case STATEMENT_REFERRAL:
	case STATEMENT_COPY:
		err = may_pass_on(c, st, original, &is_holder, &is_listed);
		if (err != PERR_OK)
			return err;
		if (is_holder)
			*flags |= RECORD_COUNTS;
		else if (is_listed && (*flags & RECORD_KNOWN) != 0)
			return PERR_AUTH;        /* else a later roster may list the desk */
		break;
	case STATEMENT_STATUS:
		/* returned and recused are the assignee's own word; the rest is the desk's */
		if (st->body.status.state == STATEMENT_RETURNED ||
		    st->body.status.state == STATEMENT_RECUSED)
			*flags |= (*flags & RECORD_KNOWN) != 0 ? RECORD_COUNTS : 0;
		else if (cache_was_holder(c, st->to, st->author))
			*flags |= RECORD_COUNTS;
		break;
	case STATEMENT_ANSWER:
	case STATEMENT_NOTE:
	case STATEMENT_ERASE:
		*flags |= (*flags & RECORD_KNOWN) != 0 ? RECORD_COUNTS : 0;
		break;
	case STATEMENT_CUSTODY:
	case STATEMENT_RECEIPT:
		if (!cache_is_holder(c, st->to, st->author))
			return PERR_AUTH;
		*flags |= RECORD_COUNTS;
		break;
	}
	return PERR_OK;
}

/* ---- taking in ---------------------------------------------------------------------- */

/* the case code a statement is filed under; NULL: none */
static const char *code_of(const struct statement *st)
{
	if (st->kind == STATEMENT_INTAKE)
		return st->body.intake.code;
	if (st->kind == STATEMENT_AMENDMENT)
		return st->body.amendment.code;
	/* one that asks may know nothing but the code */
	return st->kind == STATEMENT_ERASE && st->body.erase.has_code ? st->body.erase.code : NULL;
}

static enum perr note_code(struct client *c, const struct statement *st,
                           const uint8_t record[STATEMENT_RECORD_SIZE])
{
	const char *code = code_of(st);
	char prefix[96], name[96];

	if (code == NULL)
		return PERR_OK;
	snprintf(prefix, sizeof prefix, "code/%s/", code);
	record_name(name, prefix, record);
	return kv_put(c->kv, name, NULL, 0);
}

/*
 * The envelope as it is stored: with stand-ins in the place of its blobs' keys (origin.h), whose
 * chunks' erase secrets are written down.  What is larger than the policy allows keeps its
 * key: a reference is short, and the secrets of what it may claim to have would fill the disk.
 * is_own: those chunks are somebody else's copy, and nobody's to fetch or erase here.
 */
static enum perr blinded(struct client *c, const struct opened *o, bool is_own, uint8_t **out,
                         size_t *len)
{
	const struct statement_attachments *list = o->is_unknown ? NULL
	    : envelope_attachments(o->has_original ? &o->original : &o->st);
	struct envelope *env = malloc(sizeof *env);
	uint64_t whole = 0;              /* references that stay as they are */
	enum perr err = env == NULL ? PERR_NOMEM : PERR_OK;

	*out = NULL;
	if (err != PERR_OK)
		return err;
	*env = o->env;
	for (uint32_t i = 0; list != NULL && !is_own && i < list->n && err == PERR_OK; i++) {
		const struct blob_ref *ref = envelope_ref_for(&o->env, &list->at[i]);

		if (ref != NULL && record_is_too_much(c, ref, i))
			whole |= 1ull << (ref - o->env.refs);
		else if (ref != NULL)
			err = origin_note_chunks(c, ref, NULL);
	}
	for (uint32_t i = 0; i < env->n_refs && !o->is_unknown; i++)
		if ((whole >> i & 1) == 0)
			origin_blind(&env->refs[i]);
	if (err == PERR_OK)
		err = envelope_encode(out, len, env);
	envelope_wipe(env);
	free(env);
	return err;
}

static enum perr store(struct client *c, const struct opened *o, unsigned flags, bool is_own)
{
	uint8_t *value, *envelope;
	char name[96];
	size_t len;
	enum perr err = blinded(c, o, is_own, &envelope, &len);

	if (err != PERR_OK)
		return err;
	value = malloc(RECORD_HEAD + len);
	if (value == NULL) {
		doc_free(envelope, len);
		return PERR_NOMEM;
	}
	doc_u32(value, client_day(c));
	value[4] = (uint8_t)flags;
	memcpy(value + RECORD_HEAD, envelope, len);
	stmt_name(name, o->st.record, o->hash);
	err = kv_put(c->kv, name, value, RECORD_HEAD + len);
	doc_free(value, RECORD_HEAD + len);
	doc_free(envelope, len);
	if (err == PERR_OK && !o->is_unknown)
		err = note_code(c, o->has_original ? &o->original : &o->st, o->st.record);
	if (err == PERR_OK) {
		record_name(name, "fresh/", o->st.record);
		err = kv_put(c->kv, name, NULL, 0);
	}
	return err;
}

static enum perr is_stored(struct client *c, const struct opened *o, bool *yes)
{
	uint8_t *value = NULL;
	char name[96];
	enum perr err;

	stmt_name(name, o->st.record, o->hash);
	err = kv_get(c->kv, name, &value, NULL);
	kv_free(value);
	*yes = err == PERR_OK;
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static void custody_name(char out[96], const struct statement *st)
{
	char prefix[96];

	client_key_name(prefix, "custody/", st->author, 32);
	add_slash(prefix);
	client_key_name(out, prefix, st->to, 8);
}

/*
 * PROTOCOL 4.4: "Of a holder's custody statements the one with the highest number counts".
 * A vault that was lost begins its numbers by the clock, so they rise over its death too;
 * within one hour they may meet, and then less is believed rather than more.
 */
static bool is_newer(const struct opened *o, const struct opened *old)
{
	if (o->env.number != old->env.number)
		return o->env.number > old->env.number;
	return o->st.body.custody.n_held < old->st.body.custody.n_held;
}

static enum perr take_custody(struct client *c, const struct opened *o, const uint8_t *envelope,
                              size_t len, enum take_result *result)
{
	struct opened *old = NULL;
	uint8_t *value = NULL;
	size_t value_len;
	char name[96];
	bool newer = true;
	enum perr err;

	*result = TAKE_BAD;
	/* nobody's words hold longer than a clock can be wrong, or a lost vault would be
	 * believed for years */
	if (!o->env.has_opening || o->st.day > client_day(c) + CUSTODY_AHEAD_DAYS ||
	    o->env.number / 24 > client_day(c) + CUSTODY_AHEAD_DAYS)
		return PERR_OK;
	custody_name(name, &o->st);
	err = kv_get(c->kv, name, &value, &value_len);
	if (err == PERR_OK)
		err = open_all(&old, value, value_len);
	if (err == PERR_OK)
		newer = is_newer(o, old);
	else if (err == PERR_NOTFOUND)
		err = PERR_OK;
	else if (err != PERR_NOMEM)
		err = PERR_CORRUPT;
	*result = newer ? TAKE_TOLD : TAKE_KNOWN;
	if (err == PERR_OK && newer)
		err = kv_put(c->kv, name, envelope, len);
	opened_free(old);
	kv_free(value);
	return err;
}

/* what was said: itself, or passed on */
static const struct statement *said_of(const struct opened *o)
{
	return o->has_original ? &o->original : &o->st;
}

static bool is_erasure(const struct opened *o)
{
	return !o->is_unknown && said_of(o)->kind == STATEMENT_ERASE;
}

/* done or kept: of a record that may be gone here, and nothing that is kept with it */
static bool is_word_of_erasure(const struct opened *o)
{
	return is_erasure(o) && (said_of(o)->body.erase.step == STATEMENT_ERASE_DONE ||
	                         said_of(o)->body.erase.step == STATEMENT_ERASE_KEPT);
}

static enum perr take_erasure(struct client *c, const struct opened *o, const struct origin *from,
                              enum take_result *result)
{
	enum perr err = erasing_take(c, said_of(o), from == NULL ? 0 : from->day);

	*result = TAKE_KNOWN;
	return err == PERR_OK && from != NULL ? erase_late(c, from, NULL, 0) : err;
}

/* of a record that was erased, or a correction of one by its code */
static enum perr is_gone(struct client *c, const struct opened *o, bool *is)
{
	const char *code = o->is_unknown || said_of(o)->kind == STATEMENT_INTAKE ? NULL
	                 : code_of(said_of(o));
	enum gone gone;
	enum perr err = gone_of(c, o->st.record, &gone);

	*is = err == PERR_OK && gone == GONE_ERASED;
	return err == PERR_OK && !*is && code != NULL ? erasing_is_gone_code(c, code, is) : err;
}

static enum perr take(struct client *c, const struct opened *o, const struct origin *from,
                      const uint8_t *envelope, size_t len, enum take_result *result)
{
	const uint8_t (*held)[32];
	size_t n_held;
	unsigned flags = 0;
	bool known = false, is_over = false;
	enum perr err = cache_taken(c, &held, &n_held);

	if (err != PERR_OK)
		return err;
	*result = TAKE_NOT_FOR_ME;
	if (!statement_addressed_to(&o->st, c->me->sign_pk, held, n_held))
		return late_note(c, &o->st, o->hash, from, envelope, len);
	*result = TAKE_BAD;
	if (!original_fits(o))
		return PERR_OK;
	err = record_judge(c, &o->st, o->has_original ? &o->original : NULL, &flags);
	if (err != PERR_OK)
		return err == PERR_AUTH ? PERR_OK : err;
	if (!o->is_unknown && o->st.kind == STATEMENT_CUSTODY)
		return take_custody(c, o, envelope, len, result);
	if (is_word_of_erasure(o))
		return take_erasure(c, o, from, result);
	err = is_gone(c, o, &is_over);
	if (err == PERR_OK && is_over) {
		*result = TAKE_KNOWN;    /* known, and not wanted any more: here or on a server */
		return from == NULL ? PERR_OK : erase_late(c, from, o->env.refs, o->env.n_refs);
	}
	if (err == PERR_OK && (o->st.kind == STATEMENT_ASSIGNMENT || o->st.kind == STATEMENT_COPY))
		err = leave_blocks(c, o->st.record, o->st.body.passed.turn, &is_over);
	if (err == PERR_OK && is_over) {
		*result = TAKE_KNOWN;    /* of a turn that is over: a rescan finds it again */
		return PERR_OK;
	}
	if (err == PERR_OK)
		err = is_stored(c, o, &known);
	if (err == PERR_OK && !known)
		err = store(c, o, flags, false);
	if (err == PERR_OK && !known && is_erasure(o))
		err = erasing_take(c, said_of(o), from == NULL ? 0 : from->day);
	/* also of a repeat: it may be sent again because its attachments were lost */
	if (err == PERR_OK && !o->is_unknown)
		err = record_want_attachments(c, &o->env, o->has_original ? &o->original : &o->st,
		                              (flags & RECORD_KNOWN) != 0);
	if (err == PERR_OK && from != NULL)
		err = origin_note(c, o->st.record, o->hash, from);
	*result = known ? TAKE_KNOWN
	        : (flags & RECORD_KNOWN) == 0 || (o->has_original && !(flags & RECORD_COUNTS))
	        ? TAKE_PENDING : TAKE_NEW;
	return err;
}

enum perr record_take(struct client *c, const uint8_t *envelope, size_t len,
                      enum take_result *result)
{
	return record_take_from(c, NULL, envelope, len, result);
}

enum perr record_take_from(struct client *c, const struct origin *from, const uint8_t *envelope,
                           size_t len, enum take_result *result)
{
	struct opened *o = NULL;
	enum perr err;

	*result = TAKE_BAD;
	if (len == 0)
		return PERR_OK;          /* a decoy that somebody sealed to a real key */
	err = open_all(&o, envelope, len);
	if (err == PERR_OK)
		err = take(c, o, from, envelope, len, result);
	else if (err == PERR_FORMAT || err == PERR_AUTH || err == PERR_UNKNOWN)
		err = PERR_OK;
	opened_free(o);
	return err;
}

enum perr record_keep(struct client *c, const uint8_t *envelope, size_t len)
{
	struct opened *o = NULL;
	enum perr err = open_all(&o, envelope, len);

	if (err == PERR_OK && memcmp(o->st.author, c->me->sign_pk, 32) != 0)
		err = PERR_KEY;
	if (err == PERR_OK) {
		unsigned flags = 0;

		err = record_judge(c, &o->st, o->has_original ? &o->original : NULL, &flags);
		if (err == PERR_OK)
			err = store(c, o, flags, true);
		if (err == PERR_OK && is_erasure(o))
			err = erasing_take(c, said_of(o), 0);
	}
	opened_free(o);
	return err;
}

/* ---- custody ------------------------------------------------------------------------ */

struct each_custody {
	record_custody_fn *fn;
	void *arg;
};

static enum perr one_custody(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct each_custody *k = arg;
	struct opened *o = NULL;
	enum perr err = open_all(&o, value, len);

	if (err == PERR_OK)
		err = k->fn(k->arg, &o->st, o->env.number);
	else if (err != PERR_NOMEM)
		err = PERR_CORRUPT;
	opened_free(o);
	return err;
}

enum perr record_custody(struct client *c, record_custody_fn *fn, void *arg)
{
	struct each_custody k = { .fn = fn, .arg = arg };

	return kv_each(c->kv, "custody/", one_custody, &k);
}
