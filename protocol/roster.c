/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "roster.h"

#include <sodium.h>

#include "roster_body.h"

const char *roster_role_text(enum roster_role role)
{
	switch (role) {
	case ROSTER_VOLUNTEER:
		return "volunteer";
	case ROSTER_ATTORNEY:
		return "attorney";
	case ROSTER_INTERPRETER:
		return "interpreter";
	case ROSTER_ADMINISTRATOR:
		return "administrator";
	}
	return "unknown";
}

/* ---- keys of the bodies ------------------------------------------------------------------ */

/*
 * One way down: whoever holds a level's key computes those below it, never above.
 * PROTOCOL 8.1: "`k_admin` is 32 random bytes, fresh in each version"
 */
void roster_keys_new(struct roster_keys *k, struct rng rng)
{
	uint8_t k_admin[32];

	rng_fill(rng, k_admin, sizeof k_admin);
	roster_keys_from_admin(k, k_admin);
	sodium_memzero(k_admin, sizeof k_admin);
}

void roster_keys_from_field(struct roster_keys *k, const uint8_t k_field[32])
{
	memset(k, 0, sizeof *k);
	memcpy(k->field, k_field, 32);
}

void roster_keys_from_staff(struct roster_keys *k, const uint8_t k_staff[32])
{
	memset(k, 0, sizeof *k);
	k->has_staff = true;
	memcpy(k->staff, k_staff, 32);
	doc_hash_keyed(k->field, k->staff, 32, "amparo/1 field", NULL, 0);
}

void roster_keys_from_admin(struct roster_keys *k, const uint8_t k_admin[32])
{
	uint8_t k_staff[32];

	doc_hash_keyed(k_staff, k_admin, 32, "amparo/1 staff", NULL, 0);
	roster_keys_from_staff(k, k_staff);
	k->has_admin = true;
	memcpy(k->admin, k_admin, 32);
	sodium_memzero(k_staff, sizeof k_staff);
}

void roster_keys_wipe(struct roster_keys *k)
{
	sodium_memzero(k, sizeof *k);
}

void roster_commit(uint8_t commit[32], const uint8_t key[32])
{
	doc_hash_keyed(commit, key, 32, "amparo/1 commit", NULL, 0);
}

/* ---- what the three bodies share --------------------------------------------------------- */

void *roster_body_new(struct arena **mem, size_t size)
{
	struct arena *a = arena_new();
	void *body = a == NULL ? NULL : arena_alloc(a, 1, size);

	if (body == NULL) {
		arena_free(a);
		a = NULL;
	}
	*mem = a;
	return body;
}

void *roster_get_array(struct mp_reader *r, struct arena *mem, uint32_t *n, uint32_t min,
                       uint32_t max, size_t size)
{
	void *p;

	*n = mp_array_var(r, min, max);
	p = arena_alloc(mem, *n, size);
	if (p == NULL) {
		mp_fail(r, PERR_NOMEM);
		*n = 0;
	}
	return p;
}

const char *roster_get_str(struct mp_reader *r, struct arena *mem, size_t min, size_t max)
{
	size_t len;
	const char *s = mp_str(r, min, max, &len);
	const char *copy = arena_strn(mem, s, len);

	if (copy == NULL)
		mp_fail(r, PERR_NOMEM);
	return copy == NULL ? "" : copy;
}

struct doc_bytes roster_get_bytes(struct mp_reader *r, struct arena *mem, size_t min, size_t max)
{
	struct doc_bytes b = doc_get_bytes(r, min, max);

	b.p = arena_bytes(mem, b.p, b.len);
	if (b.p == NULL) {
		mp_fail(r, PERR_NOMEM);
		b.len = 0;
	}
	return b;
}

enum roster_role roster_get_role(struct mp_reader *r)
{
	uint32_t role = doc_get_uint(r, ROSTER_ADMINISTRATOR);

	if (role < ROSTER_VOLUNTEER)
		mp_fail(r, PERR_FORMAT);
	return (enum roster_role)role;
}

void roster_put_str(struct mp_writer *w, const char *s)
{
	mp_put_str(w, s == NULL ? "" : s);
}

enum perr roster_encoded(uint8_t **out, size_t *out_len, enum perr again)
{
	if (again == PERR_OK)
		return PERR_OK;
	doc_free(*out, *out_len);
	*out = NULL;
	*out_len = 0;
	return again == PERR_NOMEM ? again : PERR_RANGE;
}

struct roster_board *roster_get_boards(struct mp_reader *r, struct arena *mem, uint32_t *n)
{
	struct roster_board *b = roster_get_array(r, mem, n, 0, ROSTER_BOARDS_MAX, sizeof *b);

	for (uint32_t i = 0; i < *n; i++)
		mp_bin_copy(r, b[i].sk, 32);
	return b;
}

void roster_put_boards(struct mp_writer *w, const struct roster_board *b, uint32_t n)
{
	mp_put_array(w, n);
	for (uint32_t i = 0; i < n; i++)
		mp_put_bin(w, b[i].sk, 32);
}
