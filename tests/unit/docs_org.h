/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * docs_org: chains of administrators and of charters for tests.  Keys are named by one
 * byte: kit_key of that byte.  What is returned is malloc'd and freed with kit_free.
 */
#ifndef AMPARO_TEST_DOCS_ORG_H
#define AMPARO_TEST_DOCS_ORG_H

#include "admins.h"
#include "charter.h"
#include "desk.h"
#include "docs_kit.h"

static inline void kit_free(struct doc_bytes *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		doc_free((uint8_t *)(uintptr_t)b[i].p, b[i].len);
		b[i] = (struct doc_bytes){ 0 };
	}
}

static inline uint32_t kit_ids(uint8_t (*out)[32], const char *names)
{
	uint32_t n = 0;

	for (; names[n] != '\0'; n++) {
		struct sign_key k;

		kit_key(&k, (uint8_t)names[n]);
		memcpy(out[n], k.id, 32);
	}
	return n;
}

/* ---- administrators ---------------------------------------------------------------------- */

/* the signed link for `keys`, signed by `signers`; now NULL: link 0 */
static inline struct doc_bytes kit_link(const struct admins *now, uint32_t threshold,
                                        const char *keys, const char *signers)
{
	struct signed_doc d;
	uint8_t ids[ADMINS_MAX + 1][32];
	uint32_t n = kit_ids(ids, keys);
	uint8_t *out;
	size_t len;

	assert_int_equal(now == NULL ? admins_genesis(&d, threshold, ids, n)
	                             : admins_next(&d, now, threshold, ids, n), PERR_OK);
	for (; *signers != '\0'; signers++) {
		struct sign_key k;

		kit_key(&k, (uint8_t)*signers);
		assert_int_equal(signed_add(&d.sigs, &k, ADMINS_CONTEXT, d.bytes, d.len), PERR_OK);
	}
	assert_int_equal(signed_encode(&out, &len, &d), PERR_OK);
	signed_doc_free(&d);
	return doc_bytes_of(out, len);
}

/* ---- charters ---------------------------------------------------------------------------- */

static inline void kit_charter_sign(struct charter_signed *c, const char *signers)
{
	for (; *signers != '\0'; signers++) {
		struct sign_key k;

		kit_key(&k, (uint8_t)*signers);
		assert_int_equal(charter_sign(c, &k), PERR_OK);
	}
}

/* one charter, signed by `signers`; previous NULL: version 0 */
static inline struct charter_signed kit_charter(const struct charter_signed *previous,
                                                const char *name, uint32_t threshold,
                                                const char *holders, const char *signers)
{
	struct charter_signed c;
	uint8_t ids[CHARTER_HOLDERS_MAX + 1][32];
	uint32_t n = kit_ids(ids, holders);

	assert_int_equal(charter_make(&c, name, "Casa Abierta", threshold, ids, n, previous),
	                 PERR_OK);
	kit_charter_sign(&c, signers);
	return c;
}

/* the same, with the paper holder of this name among `holders` */
static inline struct charter_signed kit_paper_charter(const struct charter_signed *previous,
                                                      const char *name, uint32_t threshold,
                                                      const char *holders, char paper,
                                                      const char *signers)
{
	struct charter_signed c;
	uint8_t ids[CHARTER_HOLDERS_MAX + 1][32];
	uint32_t n = kit_ids(ids, holders);
	struct sign_key k;

	kit_key(&k, (uint8_t)paper);
	assert_int_equal(charter_make_paper(&c, name, "Casa Abierta", threshold, ids, n, k.id,
	                                    previous), PERR_OK);
	kit_charter_sign(&c, signers);
	return c;
}

static inline void kit_countersign(struct charter_signed *c, const uint8_t desk[32],
                                   const char *signers)
{
	for (; *signers != '\0'; signers++) {
		struct sign_key k;

		kit_key(&k, (uint8_t)*signers);
		assert_int_equal(charter_countersign(c, desk, &k), PERR_OK);
	}
}

static inline struct doc_bytes kit_pack(const struct charter_signed *c)
{
	uint8_t *out;
	size_t len;

	assert_int_equal(charter_signed_encode(&out, &len, c), PERR_OK);
	return doc_bytes_of(out, len);
}

/* a desk of one charter: packed and verified; own as in desk_verify */
static inline struct doc_bytes kit_desk(struct desk *d, const char *name, uint32_t threshold,
                                        const char *holders)
{
	struct charter_signed c = kit_charter(NULL, name, threshold, holders, holders);
	struct doc_bytes b = kit_pack(&c);

	assert_int_equal(desk_verify(d, &b, 1, NULL), PERR_OK);
	charter_signed_free(&c);
	return b;
}

#endif
