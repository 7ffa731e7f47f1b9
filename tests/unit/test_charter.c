/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "charter.h"

#include "docs_vec.h"
#include "docs_org.h"

static void a_charter_survives_the_round_trip(void **state)
{
	struct charter_signed c = kit_charter(NULL, "Mesa de Morton", 2, "hij", "hi"), back;
	uint8_t desk[32], desk_2[32];
	struct doc_bytes b, again;

	(void)state;
	memset(desk, 0x99, 32);
	memset(desk_2, 0x11, 32);
	kit_countersign(&c, desk, "pq");
	kit_countersign(&c, desk_2, "r");
	b = kit_pack(&c);
	assert_int_equal(charter_signed_decode(&back, b.p, b.len), PERR_OK);
	assert_string_equal(back.body.name, "Mesa de Morton");
	assert_int_equal(back.body.n, 3);
	assert_int_equal(back.sigs.n, 2);
	assert_int_equal(back.n_counter, 2);
	assert_memory_equal(back.counter[0].desk, desk_2, 32);
	assert_memory_equal(back.hash, c.hash, 32);
	again = kit_pack(&back);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.p, b.p, b.len);
	kit_free(&again, 1);
	kit_free(&b, 1);
	charter_signed_free(&back);
	charter_signed_free(&c);
}

static void a_threshold_that_one_holder_can_block_is_refused(void **state)
{
	static const struct { uint32_t threshold; const char *holders; enum perr want; } cases[] = {
		{ 1, "h", PERR_OK }, { 0, "h", PERR_RANGE }, { 2, "h", PERR_RANGE },
		{ 1, "hi", PERR_OK }, { 2, "hi", PERR_RANGE }, { 2, "hij", PERR_OK },
		{ 3, "hij", PERR_RANGE }, { 0, "hij", PERR_RANGE },
		{ 15, "hijklmnopqrstuvw", PERR_OK }, { 16, "hijklmnopqrstuvw", PERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct charter_signed c;
		uint8_t ids[CHARTER_HOLDERS_MAX][32];
		uint32_t n = kit_ids(ids, cases[i].holders);

		assert_int_equal(charter_make(&c, "x", "y", cases[i].threshold, ids, n, NULL),
		                 cases[i].want);
		charter_signed_free(&c);
	}
}

/* paper signs nothing in a desk's daily life: the living must be able to go on without it */
static void a_threshold_that_needs_the_paper_holder_is_refused(void **state)
{
	static const struct { uint32_t threshold; const char *holders; enum perr want; } cases[] = {
		{ 1, "P", PERR_RANGE }, { 1, "hP", PERR_OK }, { 2, "hP", PERR_RANGE },
		{ 1, "hiP", PERR_OK }, { 2, "hiP", PERR_RANGE }, { 2, "hijP", PERR_OK },
		{ 3, "hijP", PERR_RANGE }, { 1, "hi", PERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct charter_signed c;
		uint8_t ids[CHARTER_HOLDERS_MAX][32], paper[1][32];
		uint32_t n = kit_ids(ids, cases[i].holders);

		kit_ids(paper, "P");
		assert_int_equal(charter_make_paper(&c, "x", "y", cases[i].threshold, ids, n,
		                                    paper[0], NULL), cases[i].want);
		if (cases[i].want == PERR_OK) {
			assert_true(charter_is_paper(&c.body, paper[0]));
			assert_int_equal(charter_living(&c.body), n - 1);
			assert_false(charter_is_paper(&c.body, c.body.holders[0]) &&
			             memcmp(c.body.holders[0], paper[0], 32) != 0);
		}
		charter_signed_free(&c);
	}
}

static uint32_t valid(const struct charter_signed *c, const struct charter_signed *before)
{
	uint32_t n_valid, n_needed;

	assert_int_equal(charter_progress(&n_valid, &n_needed, c, before), PERR_OK);
	return n_valid;
}

static void paper_alone_takes_a_desk_over_once_and_is_burnt(void **state)
{
	struct charter_signed c0 = kit_paper_charter(NULL, "Mesa", 2, "hijP", 'P', "hijP");
	struct charter_signed saved = kit_charter(&c0, "Mesa", 1, "k", "P");
	struct charter_signed kept = kit_charter(&c0, "Mesa", 1, "kP", "P");
	struct charter_signed other = kit_charter(&c0, "Mesa", 1, "k", "h");
	struct charter_signed again = kit_charter(&saved, "Mesa", 1, "z", "P");
	struct charter_signed no_paper = kit_charter(NULL, "Mesa", 2, "hijP", "hijP");
	struct charter_signed alone = kit_charter(&no_paper, "Mesa", 1, "k", "P");

	(void)state;
	assert_int_equal(valid(&c0, NULL), 4);
	assert_int_equal(valid(&saved, &c0), 2);
	assert_false(saved.body.has_paper);
	/* as long as the key stays a holder its signature is one of two */
	assert_true(kept.body.has_paper);
	assert_int_equal(valid(&kept, &c0), 1);
	assert_int_equal(valid(&other, &c0), 1);
	assert_int_equal(valid(&again, &saved), 0);
	/* the same key where it is a living holder's */
	assert_int_equal(valid(&alone, &no_paper), 1);
	/* a signature that does not verify is none */
	saved.sigs.at[0].sig[0] ^= 1;
	assert_int_equal(valid(&saved, &c0), 0);
	charter_signed_free(&c0);
	charter_signed_free(&saved);
	charter_signed_free(&kept);
	charter_signed_free(&other);
	charter_signed_free(&again);
	charter_signed_free(&no_paper);
	charter_signed_free(&alone);
}

static void a_living_holder_never_becomes_paper(void **state)
{
	struct charter_signed c0 = kit_paper_charter(NULL, "Mesa", 1, "hijP", 'P', "hijP");
	struct charter_signed as_paper = kit_paper_charter(&c0, "Mesa", 1, "hij", 'j', "hi");
	struct charter_signed next = kit_paper_charter(&c0, "Mesa", 1, "hijQ", 'Q', "hi");
	struct charter_signed alive = kit_paper_charter(&c0, "Mesa", 1, "hijPQ", 'Q', "hi");
	uint32_t n_valid, n_needed;

	(void)state;
	assert_int_equal(charter_progress(&n_valid, &n_needed, &as_paper, &c0), PERR_CHAIN);
	assert_int_equal(charter_progress(&n_valid, &n_needed, &alive, &c0), PERR_CHAIN);
	assert_int_equal(charter_progress(&n_valid, &n_needed, &next, &c0), PERR_OK);
	charter_signed_free(&c0);
	charter_signed_free(&as_paper);
	charter_signed_free(&next);
	charter_signed_free(&alive);
}

static void names_and_holders_out_of_range_are_refused(void **state)
{
	static const char long_name[] =
		"12345678901234567890123456789012345678901234567890123456789012345";
	struct charter_signed c;
	uint8_t ids[2][32];

	(void)state;
	kit_ids(ids, "hi");
	assert_int_equal(charter_make(&c, "", "y", 1, ids, 2, NULL), PERR_RANGE);
	assert_int_equal(charter_make(&c, "x", "", 1, ids, 2, NULL), PERR_RANGE);
	assert_int_equal(charter_make(&c, long_name, "y", 1, ids, 2, NULL), PERR_RANGE);
	assert_int_equal(charter_make(&c, long_name + 1, "y", 1, ids, 2, NULL), PERR_OK);
	charter_signed_free(&c);
	assert_int_equal(charter_make(&c, "x", "y", 1, ids, 0, NULL), PERR_RANGE);
	assert_int_equal(charter_make(&c, "x", "y", 1, ids, 17, NULL), PERR_RANGE);
	memcpy(ids[1], ids[0], 32);
	assert_int_equal(charter_make(&c, "x", "y", 1, ids, 2, NULL), PERR_RANGE);
	assert_int_equal(charter_make(&c, "caf\xe9", "y", 1, ids, 1, NULL), PERR_FORMAT);
}

static enum perr open_charter(const uint8_t *in, size_t len)
{
	struct charter_signed c;
	enum perr err = charter_signed_decode(&c, in, len);

	if (err != PERR_OK)
		assert_null(c.doc);
	charter_signed_free(&c);
	return err;
}

static void truncated_it_is_refused(void **state)
{
	struct charter_signed c = kit_charter(NULL, "Mesa", 1, "hi", "hi");
	uint8_t desk[32] = { 9 };
	struct doc_bytes b;

	(void)state;
	kit_countersign(&c, desk, "pq");
	b = kit_pack(&c);
	kit_refuses_truncation(open_charter, b.p, b.len);
	kit_refuses_trailing(open_charter, b.p, b.len);
	kit_free(&b, 1);
	charter_signed_free(&c);
}

static void progress_counts_whom_it_needs(void **state)
{
	struct charter_signed c0 = kit_charter(NULL, "Mesa", 2, "hij", "hi");
	struct charter_signed c1;
	uint32_t n_valid, n_needed;
	struct sign_key k;

	(void)state;
	assert_int_equal(charter_progress(&n_valid, &n_needed, &c0, NULL), PERR_OK);
	assert_int_equal(n_valid, 2);
	assert_int_equal(n_needed, 3);
	kit_key(&k, 'j');
	assert_int_equal(charter_sign(&c0, &k), PERR_OK);
	assert_int_equal(charter_progress(&n_valid, &n_needed, &c0, NULL), PERR_OK);
	assert_int_equal(n_valid, 3);

	/* a new holder's own signature does not count for bringing him in */
	c1 = kit_charter(&c0, "Mesa", 2, "hijk", "hk");
	assert_int_equal(charter_progress(&n_valid, &n_needed, &c1, &c0), PERR_OK);
	assert_int_equal(n_valid, 1);
	assert_int_equal(n_needed, 2);
	assert_int_equal(charter_progress(&n_valid, &n_needed, &c1, NULL), PERR_CHAIN);
	assert_int_equal(charter_progress(&n_valid, &n_needed, &c0, &c1), PERR_CHAIN);
	c1.body.previous[0] ^= 1;
	assert_int_equal(charter_progress(&n_valid, &n_needed, &c1, &c0), PERR_CHAIN);
	charter_signed_free(&c0);
	charter_signed_free(&c1);
}

static void signatures_from_the_board_are_gathered(void **state)
{
	struct charter_signed mine = kit_charter(NULL, "Mesa", 2, "hij", "h");
	struct charter_signed theirs = kit_charter(NULL, "Mesa", 2, "hij", "ijz");
	struct charter_signed other = kit_charter(NULL, "Meso", 2, "hij", "ij");
	uint8_t desk[2][32] = { { 7 }, { 8 } };
	uint32_t n_valid, n_needed;

	(void)state;
	kit_countersign(&theirs, desk[0], "pq");
	kit_countersign(&theirs, desk[1], "pq");
	theirs.counter[0].sigs.at[0].sig[0] ^= 1;
	assert_int_equal(charter_merge(&mine, &theirs, mine.body.holders, 3,
	                               (const uint8_t (*)[32])desk, 1), PERR_OK);
	assert_int_equal(charter_progress(&n_valid, &n_needed, &mine, NULL), PERR_OK);
	assert_int_equal(n_valid, 3);
	assert_int_equal(mine.sigs.n, 3);        /* z is no holder */
	/* a countersignature in the name of an unlisted desk takes no place, and of the
	 * listed desk's only the signature that verifies is taken */
	assert_int_equal(mine.n_counter, 1);
	assert_int_equal(mine.counter[0].sigs.n, 1);
	assert_int_equal(charter_merge(&mine, &other, mine.body.holders, 3, NULL, 0), PERR_FORK);
	charter_signed_free(&mine);
	charter_signed_free(&theirs);
	charter_signed_free(&other);
}

static void countersignatures_of_more_than_eight_desks_do_not_fit(void **state)
{
	struct charter_signed c = kit_charter(NULL, "Mesa", 1, "h", "h");
	struct sign_key k;

	(void)state;
	kit_key(&k, 'p');
	for (uint8_t i = 1; i <= CHARTER_COUNTER_MAX + 1; i++) {
		uint8_t desk[32] = { i };

		assert_int_equal(charter_countersign(&c, desk, &k),
		                 i <= CHARTER_COUNTER_MAX ? PERR_OK : PERR_LIMIT);
	}
	charter_signed_free(&c);
}

static void vectors(void)
{
	struct charter_signed c0 = kit_charter(NULL, "Mesa de Morton", 2, "hij", "hij");
	struct charter_signed c1 = kit_charter(&c0, "Mesa de Morton", 1, "hk", "hi");
	uint8_t text[CHARTER_COUNTER_TEXT_MAX], desk[32];
	struct doc_bytes b;

	vec_note("holders: Ed25519 seeds 32 x 68 (h), 69 (i), 6a (j), 6b (k); \"Mesa de Morton\" of \"Casa Abierta\"");
	vec_note("version 0: 2 of h i j, signed by all; countersigned for desk id 32 x 99 by seeds 70 and 71");
	memset(desk, 0x99, 32);
	kit_countersign(&c0, desk, "pq");
	vec("charter.0", c0.doc, c0.doc_len);
	vec("hash.0", c0.hash, 32);
	vec("countersigned_bytes", text, charter_counter_text(text, desk, &c0));
	b = kit_pack(&c0);
	vec("signed.0", b.p, b.len);
	kit_corpus("charter", "signed-0", b.p, b.len);
	kit_free(&b, 1);
	vec_note("version 1: 1 of h k, signed by h and i");
	vec("charter.1", c1.doc, c1.doc_len);
	vec("hash.1", c1.hash, 32);
	kit_corpus("charter", "document-1", c1.doc, c1.doc_len);
	b = kit_pack(&c1);
	vec("signed.1", b.p, b.len);
	kit_corpus("charter", "signed-1", b.p, b.len);
	kit_free(&b, 1);
	charter_signed_free(&c1);
	vec_note("version 1 with a paper holder: 1 of h k, and seed 32 x 50 (P), signed by h and i");
	c1 = kit_paper_charter(&c0, "Mesa de Morton", 1, "hkP", 'P', "hi");
	vec("charter.paper", c1.doc, c1.doc_len);
	vec("hash.paper", c1.hash, 32);
	b = kit_pack(&c1);
	kit_corpus("charter", "signed-paper", b.p, b.len);
	kit_corpus("charter", "document-paper", c1.doc, c1.doc_len);
	kit_free(&b, 1);
	charter_signed_free(&c0);
	charter_signed_free(&c1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_charter_survives_the_round_trip),
		cmocka_unit_test(a_threshold_that_one_holder_can_block_is_refused),
		cmocka_unit_test(a_threshold_that_needs_the_paper_holder_is_refused),
		cmocka_unit_test(paper_alone_takes_a_desk_over_once_and_is_burnt),
		cmocka_unit_test(a_living_holder_never_becomes_paper),
		cmocka_unit_test(names_and_holders_out_of_range_are_refused),
		cmocka_unit_test(truncated_it_is_refused),
		cmocka_unit_test(progress_counts_whom_it_needs),
		cmocka_unit_test(signatures_from_the_board_are_gathered),
		cmocka_unit_test(countersignatures_of_more_than_eight_desks_do_not_fit),
	};

	if (kit_written(argc, argv, "charter"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
