/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "admins.h"

#include "docs_vec.h"
#include "docs_org.h"

/* a chain of three links: 1 of {a}, 2 of {a b c}, 2 of {b c d} */
static void make(struct doc_bytes chain[3], struct admins *a)
{
	chain[0] = kit_link(NULL, 1, "a", "a");
	assert_int_equal(admins_verify(a, chain, 1), PERR_OK);
	chain[1] = kit_link(a, 2, "abc", "ab");
	assert_int_equal(admins_verify(a, chain, 2), PERR_OK);
	chain[2] = kit_link(a, 2, "bcd", "bc");
	assert_int_equal(admins_verify(a, chain, 3), PERR_OK);
}

static void a_chain_signed_by_old_and_new_thresholds_holds(void **state)
{
	struct doc_bytes chain[3];
	struct admins a;
	uint8_t ids[4][32];

	(void)state;
	make(chain, &a);
	kit_ids(ids, "abcd");
	assert_int_equal(a.n_links, 3);
	assert_int_equal(a.last.index, 2);
	assert_int_equal(a.last.threshold, 2);
	assert_memory_equal(a.genesis, a.hashes[0], 32);
	assert_false(admins_has(&a, ids[0]));
	assert_true(admins_has(&a, ids[3]));
	kit_free(chain, 3);
}

static void link_0_needs_all_its_keys(void **state)
{
	struct doc_bytes chain = kit_link(NULL, 1, "abc", "ab");
	struct admins a;

	(void)state;
	assert_int_equal(admins_verify(&a, &chain, 1), PERR_SIGS);
	assert_int_equal(a.n_links, 0);
	kit_free(&chain, 1);
}

static void a_change_needs_the_old_threshold_and_the_new_one(void **state)
{
	static const struct { const char *signers; enum perr want; } cases[] = {
		{ "ab", PERR_SIGS },             /* the old ones only */
		{ "cd", PERR_SIGS },             /* the new ones only */
		{ "acd", PERR_SIGS },            /* one of the old */
		{ "abd", PERR_SIGS },            /* one of the new */
		{ "", PERR_SIGS },
		{ "abcd", PERR_OK },
	};
	struct doc_bytes chain[2];
	struct admins a, b;

	(void)state;
	chain[0] = kit_link(NULL, 2, "ab", "ab");
	assert_int_equal(admins_verify(&a, chain, 1), PERR_OK);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		chain[1] = kit_link(&a, 2, "cd", cases[i].signers);
		assert_int_equal(admins_verify(&b, chain, 2), cases[i].want);
		kit_free(&chain[1], 1);
	}
	kit_free(chain, 1);
}

static void links_out_of_order_or_missing_are_refused(void **state)
{
	struct doc_bytes chain[3], other[3];
	struct admins a;

	(void)state;
	make(chain, &a);
	other[0] = chain[0];
	other[1] = chain[2];
	assert_int_equal(admins_verify(&a, other, 2), PERR_CHAIN);
	assert_int_equal(admins_verify(&a, chain + 1, 2), PERR_CHAIN);
	other[1] = chain[0];
	assert_int_equal(admins_verify(&a, other, 2), PERR_CHAIN);
	assert_int_equal(admins_verify(&a, chain, 0), PERR_FORMAT);
	kit_free(chain, 3);
}

static void a_link_that_follows_another_chain_is_refused(void **state)
{
	struct doc_bytes chain[2], other;
	struct admins a, b;

	(void)state;
	chain[0] = kit_link(NULL, 1, "a", "a");
	other = kit_link(NULL, 1, "ab", "ab");
	assert_int_equal(admins_verify(&b, &other, 1), PERR_OK);
	chain[1] = kit_link(&b, 1, "a", "a");
	assert_int_equal(admins_verify(&a, chain, 2), PERR_CHAIN);
	kit_free(chain, 2);
	kit_free(&other, 1);
}

static void continuing_means_holding_every_known_link(void **state)
{
	struct doc_bytes chain[3], fork;
	struct admins a, shorter, forked;
	uint8_t other[1][32] = { { 1 } };

	(void)state;
	make(chain, &a);
	assert_int_equal(admins_verify(&shorter, chain, 2), PERR_OK);
	assert_int_equal(admins_continues(&a, shorter.hashes, 2), PERR_OK);
	assert_int_equal(admins_continues(&a, a.hashes, 3), PERR_OK);
	assert_int_equal(admins_continues(&shorter, a.hashes, 3), PERR_CHAIN);
	assert_int_equal(admins_continues(&a, other, 1), PERR_CHAIN);
	assert_int_equal(admins_continues(&a, a.hashes, 0), PERR_CHAIN);
	/* another link 2 after the same two */
	fork = chain[2];
	chain[2] = kit_link(&shorter, 1, "ab", "ab");
	assert_int_equal(admins_verify(&forked, chain, 3), PERR_OK);
	assert_int_equal(admins_continues(&forked, a.hashes, 3), PERR_CHAIN);
	kit_free(chain, 3);
	kit_free(&fork, 1);
}

static void thresholds_and_keys_out_of_range_are_refused(void **state)
{
	struct admins_link l, back;
	struct signed_doc d;
	uint8_t ids[ADMINS_MAX + 1][32], *out;
	size_t len;

	(void)state;
	kit_ids(ids, "abcdefghijklmnopq");
	assert_int_equal(admins_genesis(&d, 0, ids, 2), PERR_RANGE);
	assert_int_equal(admins_genesis(&d, 3, ids, 2), PERR_RANGE);
	assert_int_equal(admins_genesis(&d, 1, ids, 0), PERR_RANGE);
	assert_int_equal(admins_genesis(&d, 1, ids, ADMINS_MAX + 1), PERR_RANGE);
	memcpy(ids[1], ids[0], 32);
	assert_int_equal(admins_genesis(&d, 1, ids, 2), PERR_RANGE);
	/* and by a decoder: keys unsorted */
	kit_ids(ids, "ab");
	assert_int_equal(admins_genesis(&d, 1, ids, 2), PERR_OK);
	assert_int_equal(admins_link_decode(&l, d.bytes, d.len), PERR_OK);
	for (int i = 0; i < 32; i++) {
		uint8_t swap = d.bytes[6 + i];

		d.bytes[6 + i] = d.bytes[40 + i];
		d.bytes[40 + i] = swap;
	}
	assert_int_equal(admins_link_decode(&back, d.bytes, d.len), PERR_FORMAT);
	l.previous[0] = 1;                       /* link 0 has none before it */
	assert_int_equal(admins_link_encode(&out, &len, &l), PERR_RANGE);
	signed_doc_free(&d);
}

static enum perr open_chain(const uint8_t *in, size_t len)
{
	struct doc_bytes chain = doc_bytes_of(in, len);
	struct admins a;

	return admins_verify(&a, &chain, 1);
}

static void any_changed_bit_of_a_link_is_refused(void **state)
{
	struct doc_bytes link = kit_link(NULL, 1, "ab", "ab");

	(void)state;
	kit_refuses_truncation(open_chain, link.p, link.len);
	kit_refuses_any_flip(open_chain, link.p, link.len);
	kit_refuses_trailing(open_chain, link.p, link.len);
	kit_free(&link, 1);
}

static void a_chain_has_at_most_64_links(void **state)
{
	static struct doc_bytes chain[ADMINS_CHAIN_MAX + 1];
	struct signed_doc d;
	struct admins a;
	uint8_t ids[1][32];

	(void)state;
	kit_ids(ids, "a");
	chain[0] = kit_link(NULL, 1, "a", "a");
	for (size_t n = 1; n <= ADMINS_CHAIN_MAX; n++) {
		assert_int_equal(admins_verify(&a, chain, n), PERR_OK);
		if (n < ADMINS_CHAIN_MAX)
			chain[n] = kit_link(&a, 1, "a", "a");
	}
	assert_int_equal(admins_next(&d, &a, 1, ids, 1), PERR_RANGE);
	chain[ADMINS_CHAIN_MAX] = chain[0];
	assert_int_equal(admins_verify(&a, chain, ADMINS_CHAIN_MAX + 1), PERR_FORMAT);
	kit_free(chain, ADMINS_CHAIN_MAX);
}

static void vectors(void)
{
	struct doc_bytes chain[3], doc;
	struct signed_sigs sigs;
	struct admins a;

	vec_note("keys: Ed25519 seeds 32 x 61 (a), 62 (b), 63 (c), 64 (d)");
	vec_note("link 0: 1 of a, signed a; link 1: 2 of a b c, signed a b; link 2: 2 of b c d, signed b c");
	make(chain, &a);
	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof name, "link.%d", i);
		assert_int_equal(signed_view(&doc, &sigs, chain[i].p, chain[i].len), PERR_OK);
		vec(name, doc.p, doc.len);
		kit_corpus("admins", name, doc.p, doc.len);
		snprintf(name, sizeof name, "signed.%d", i);
		vec(name, chain[i].p, chain[i].len);
		snprintf(name, sizeof name, "hash.%d", i);
		vec(name, a.hashes[i], 32);
	}
	vec("genesis_hash", a.genesis, 32);
	kit_free(chain, 3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_chain_signed_by_old_and_new_thresholds_holds),
		cmocka_unit_test(link_0_needs_all_its_keys),
		cmocka_unit_test(a_change_needs_the_old_threshold_and_the_new_one),
		cmocka_unit_test(links_out_of_order_or_missing_are_refused),
		cmocka_unit_test(a_link_that_follows_another_chain_is_refused),
		cmocka_unit_test(continuing_means_holding_every_known_link),
		cmocka_unit_test(thresholds_and_keys_out_of_range_are_refused),
		cmocka_unit_test(any_changed_bit_of_a_link_is_refused),
		cmocka_unit_test(a_chain_has_at_most_64_links),
	};

	if (kit_written(argc, argv, "admins"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
