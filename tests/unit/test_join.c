/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "join.h"

#include "docs_vec.h"

static struct join j, back;
static uint16_t words[JOIN_WORDS], said[JOIN_WORDS];

static void make(uint8_t payload[CELL_PAYLOAD_MAX], size_t *len)
{
	struct rng_seeded st;
	struct sign_key k;
	uint8_t sk[32];

	memset(&j, 0, sizeof j);
	kit_key(&k, 0x55);
	memset(j.ticket, 0x41, sizeof j.ticket);
	strcpy(j.name, "María Q'anjob'al Juárez");
	j.n_languages = 2;
	strcpy(j.languages[0], "es");
	strcpy(j.languages[1], "kjb");
	memset(sk, 0x42, 32);
	crypto_scalarmult_base(j.slot_pk, sk);
	memset(j.slot_secret, 0x43, 32);
	assert_int_equal(join_sign(payload, len, words, &j, &k, kit_rng(&st, 0x44)), PERR_OK);
}

static enum perr open_join(const uint8_t *in, size_t len)
{
	return join_open(&back, said, in, len);
}

static void an_answer_comes_back_with_the_words_the_person_says(void **state)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	size_t len;

	(void)state;
	make(payload, &len);
	assert_int_equal(open_join(payload, len), PERR_OK);
	assert_memory_equal(&back, &j, sizeof j);
	assert_memory_equal(said, words, sizeof words);
}

static void any_change_breaks_it(void **state)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	size_t len;

	(void)state;
	make(payload, &len);
	kit_refuses_truncation(open_join, payload, len);
	kit_refuses_trailing(open_join, payload, len);
	kit_refuses_any_flip(open_join, payload, len);
}

static void somebody_elses_answer_has_other_words(void **state)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	struct rng_seeded st;
	struct sign_key k;
	uint16_t others[JOIN_WORDS];
	size_t len;

	(void)state;
	make(payload, &len);
	kit_key(&k, 0x56);
	assert_int_equal(join_sign(payload, &len, others, &j, &k, kit_rng(&st, 0x44)), PERR_OK);
	assert_memory_not_equal(others, words, sizeof words);
}

static void the_largest_answer_fits_one_cell(void **state)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	struct rng_seeded st;
	struct sign_key k;
	size_t len;

	(void)state;
	make(payload, &len);
	kit_key(&k, 0x55);
	memset(j.name, 'x', ROSTER_NAME_MAX);
	j.n_languages = ROSTER_LANGUAGES_MAX;
	for (int i = 0; i < ROSTER_LANGUAGES_MAX; i++)
		memset(j.languages[i], 'y', JOIN_LANGUAGE_MAX);
	assert_int_equal(join_sign(payload, &len, words, &j, &k, kit_rng(&st, 1)), PERR_OK);
	assert_int_equal(open_join(payload, len), PERR_OK);
}

static void fields_out_of_range_are_refused(void **state)
{
	uint8_t payload[CELL_PAYLOAD_MAX], *out;
	size_t len;

	(void)state;
	make(payload, &len);
	j.name[0] = '\0';
	assert_int_equal(join_encode(&out, &len, &j), PERR_RANGE);
	make(payload, &len);
	j.languages[1][0] = '\0';
	assert_int_equal(join_encode(&out, &len, &j), PERR_RANGE);
	make(payload, &len);
	j.n_languages = 17;
	assert_int_equal(join_encode(&out, &len, &j), PERR_RANGE);
	make(payload, &len);
	memset(j.slot_pk, 0, 32);                /* small order */
	assert_int_equal(join_encode(&out, &len, &j), PERR_RANGE);
}

static void vectors(void)
{
	uint8_t payload[CELL_PAYLOAD_MAX], *doc;
	size_t len, doc_len;
	struct sign_key k;

	vec_note("ticket 16 x 41, languages es kjb, slot private key 32 x 42, slot secret 32 x 43,");
	vec_note("signing key of seed 32 x 55, nonce the first 16 bytes of rng_seeded(44)");
	make(payload, &len);
	kit_key(&k, 0x55);
	vec("key_id", k.id, 32);
	vec_text("name", j.name);
	vec("nonce", j.nonce, 16);
	assert_int_equal(join_encode(&doc, &doc_len, &j), PERR_OK);
	vec("document", doc, doc_len);
	kit_corpus("join", "document", doc, doc_len);
	doc_free(doc, doc_len);
	vec("payload", payload, len);
	for (int i = 0; i < JOIN_WORDS; i++) {
		char name[16];

		snprintf(name, sizeof name, "word.%d", i);
		vec_u32(name, words[i]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(an_answer_comes_back_with_the_words_the_person_says),
		cmocka_unit_test(any_change_breaks_it),
		cmocka_unit_test(somebody_elses_answer_has_other_words),
		cmocka_unit_test(the_largest_answer_fits_one_cell),
		cmocka_unit_test(fields_out_of_range_are_refused),
	};

	if (kit_written(argc, argv, "join"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
