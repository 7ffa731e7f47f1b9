/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "envelope.h"

#include <sodium.h>

static void put_envelope(struct mp_writer *w, const void *what)
{
	const struct envelope *env = what;
	uint8_t ref[BLOB_REF_SIZE];

	mp_put_array(w, 4);
	doc_put_bytes(w, env->statement);
	mp_put_bin(w, env->sig, sizeof env->sig);
	if (env->has_opening) {
		mp_put_array(w, 2);
		mp_put_uint(w, env->number);
		mp_put_bin(w, env->salt, sizeof env->salt);
	} else {
		mp_put_nil(w);
	}
	mp_put_array(w, env->n_refs);
	for (uint32_t i = 0; i < env->n_refs; i++) {
		blob_ref_encode(ref, &env->refs[i]);
		mp_put_bin(w, ref, sizeof ref);
	}
	sodium_memzero(ref, sizeof ref);
}

enum perr envelope_encode(uint8_t **out, size_t *out_len, const struct envelope *env)
{
	*out = NULL;
	*out_len = 0;
	if (env->statement.len == 0 || env->statement.len > STATEMENT_MAX ||
	    env->n_refs > ENVELOPE_REFS_MAX || (env->has_opening && env->number == 0))
		return PERR_RANGE;
	for (uint32_t i = 0; i < env->n_refs; i++)
		if (env->refs[i].size > BLOB_SIZE_MAX)
			return PERR_RANGE;
	return doc_write(out, out_len, ENVELOPE_MAX, put_envelope, env);
}

/*
 * PROTOCOL 4.1: "`[statement bin 1..1048576, signature bin64, opening, references array 0..64
 * of bin68]`"
 */
enum perr envelope_decode(struct envelope *env, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(env, 0, sizeof *env);
	if (in_len > ENVELOPE_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 4);
	env->statement = doc_get_bytes(&r, 1, STATEMENT_MAX);
	mp_bin_copy(&r, env->sig, sizeof env->sig);
	env->has_opening = !mp_nil(&r);
	if (env->has_opening) {
		mp_array(&r, 2);
		env->number = doc_get_uint(&r, UINT32_MAX);
		mp_bin_copy(&r, env->salt, sizeof env->salt);
		if (env->number == 0)
			mp_fail(&r, PERR_FORMAT);
	}
	env->n_refs = mp_array_var(&r, 0, ENVELOPE_REFS_MAX);
	for (uint32_t i = 0; i < env->n_refs; i++) {
		const uint8_t *ref = mp_bin(&r, BLOB_REF_SIZE);

		if (ref == NULL)
			break;
		mp_fail(&r, blob_ref_decode(&env->refs[i], ref));
	}
	err = mp_finish(&r);
	if (err != PERR_OK)
		envelope_wipe(env);
	return err;
}

void envelope_wipe(struct envelope *env)
{
	sodium_memzero(env, sizeof *env);
}

enum perr envelope_open(struct envelope *env, struct statement *st, const uint8_t *in,
                        size_t in_len)
{
	enum perr later = PERR_OK;
	enum perr err;

	memset(st, 0, sizeof *st);
	err = envelope_decode(env, in, in_len);
	if (err != PERR_OK)
		return err;
	err = statement_decode(st, env->statement.p, env->statement.len);
	if (err == PERR_UNKNOWN) {
		later = err;
		err = PERR_OK;
	}
	if (err == PERR_OK)
		err = statement_verify(st, env->statement.p, env->statement.len, env->sig);
	if (err == PERR_OK && env->has_opening)
		err = statement_check_opening(st, env->number, env->salt);
	if (err == PERR_OK)
		return later;
	envelope_wipe(env);
	sodium_memzero(st, sizeof *st);
	return err;
}

enum perr envelope_make(uint8_t **out, size_t *out_len, uint8_t hash[32], struct statement *st,
                        uint32_t number, const struct blob_ref *refs, size_t n_refs,
                        const struct sign_key *author, struct rng rng)
{
	struct envelope env = { .has_opening = true, .number = number };
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum perr err = PERR_RANGE;

	*out = NULL;
	*out_len = 0;
	if (number == 0 || n_refs > ENVELOPE_REFS_MAX)
		goto out;
	rng_fill(rng, env.salt, sizeof env.salt);
	statement_sequence(st->seq_commit, env.salt, number);
	memcpy(st->author, author->id, sizeof st->author);
	err = statement_encode(&bytes, &len, st);
	if (err != PERR_OK)
		goto out;
	err = statement_sign(env.sig, author, bytes, len);
	if (err != PERR_OK)
		goto out;
	env.statement = doc_bytes_of(bytes, len);
	env.n_refs = (uint32_t)n_refs;
	if (n_refs > 0)
		memcpy(env.refs, refs, n_refs * sizeof *refs);
	err = envelope_encode(out, out_len, &env);
	if (err == PERR_OK && hash != NULL)
		statement_hash(hash, bytes, len);
out:
	doc_free(bytes, len);
	envelope_wipe(&env);
	return err;
}

/*
 * PROTOCOL 4.1: "It is passed only to the desk the statement was made for, never on
 * assignment, so that nobody else learns how many records an author sent."
 */
void envelope_strip_opening(struct envelope *env)
{
	env->has_opening = false;
	env->number = 0;
	sodium_memzero(env->salt, sizeof env->salt);
}

const struct blob_ref *envelope_ref_for(const struct envelope *env,
                                        const struct statement_attachment *att)
{
	for (uint32_t i = 0; i < env->n_refs; i++)
		if (env->refs[i].size == att->size &&
		    memcmp(env->refs[i].hash, att->hash, sizeof att->hash) == 0)
			return &env->refs[i];
	return NULL;
}

const struct statement_attachments *envelope_attachments(const struct statement *st)
{
	switch (st->kind) {
	case STATEMENT_INTAKE:
		return &st->body.intake.attachments;
	case STATEMENT_AMENDMENT:
		return &st->body.amendment.attachments;
	case STATEMENT_ASSIGNMENT:
	case STATEMENT_REFERRAL:
	case STATEMENT_ANSWER:
	case STATEMENT_NOTE:
	case STATEMENT_STATUS:
	case STATEMENT_ERASE:
	case STATEMENT_CUSTODY:
	case STATEMENT_COPY:
	case STATEMENT_RECEIPT:
		break;
	}
	return NULL;
}
