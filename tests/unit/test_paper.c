/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper.h"

#include <sodium.h>

#include "docs_vec.h"
#include "words.h"

static struct paper_share share_of(uint8_t byte, uint32_t need, uint32_t of, uint32_t index)
{
	struct paper_share s = { .day = 20782, .need = need, .of = of, .index = index };
	uint8_t desk[32], seed[PAPER_SEED_SIZE];
	struct sign_key k;

	memset(seed, byte, sizeof seed);
	memset(desk, 0x99, sizeof desk);
	paper_sign_key(&k, seed);
	paper_set_id(s.set, k.id, desk);
	for (unsigned i = 0; i < sizeof s.bytes; i++)
		s.bytes[i] = (uint8_t)(byte + 31 * i + index);
	return s;
}

static bool same(const struct paper_share *a, const struct paper_share *b)
{
	return memcmp(a->set, b->set, sizeof a->set) == 0 && a->day == b->day && a->need == b->need &&
	       a->of == b->of && a->index == b->index &&
	       memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void a_share_survives_words_and_text(void **state)
{
	static const struct { uint32_t need, of, index; } cases[] = {
		{ 2, 2, 1 }, { 3, 5, 5 }, { 16, 16, 16 }, { 2, 16, 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct paper_share s = share_of(7, cases[i].need, cases[i].of, cases[i].index), back;
		struct paper_wrong wrong;
		char text[PAPER_TEXT_SIZE], spaced[2 * PAPER_TEXT_SIZE] = "";
		uint16_t words[PAPER_WORDS];

		assert_int_equal(paper_share_words(words, &s), PERR_OK);
		assert_int_equal(paper_share_from_words(&back, &wrong, words), PERR_OK);
		assert_true(same(&s, &back));
		assert_int_equal(paper_share_text(text, &s), PERR_OK);
		assert_int_equal(paper_share_from_text(&back, text), PERR_OK);
		assert_true(same(&s, &back));
		for (size_t at = 0; text[at] != '\0'; at++) {
			size_t n = strlen(spaced);

			spaced[n] = text[at];
			if (at % 20 == 19)
				spaced[n + 1] = '\n';
		}
		assert_int_equal(paper_share_from_text(&back, spaced), PERR_OK);
		assert_true(same(&s, &back));
	}
}

static void numbers_out_of_their_limits_are_refused(void **state)
{
	static const struct { uint32_t need, of, index, day; } cases[] = {
		{ 1, 5, 1, 1 }, { 0, 5, 1, 1 }, { 6, 5, 1, 1 }, { 3, 17, 1, 1 }, { 3, 5, 0, 1 },
		{ 3, 5, 6, 1 }, { 3, 5, 1, 65536 },
	};
	uint8_t raw[PAPER_SHARE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct paper_share s = share_of(7, 3, 5, 1);

		s.need = cases[i].need;
		s.of = cases[i].of;
		s.index = cases[i].index;
		s.day = cases[i].day;
		assert_int_equal(paper_share_encode(raw, &s), PERR_RANGE);
	}
}

static void every_flipped_bit_is_noticed(void **state)
{
	struct paper_share s = share_of(7, 3, 5, 2), back;
	uint8_t raw[PAPER_SHARE_SIZE];

	(void)state;
	assert_int_equal(paper_share_encode(raw, &s), PERR_OK);
	assert_int_equal(paper_share_decode(&back, raw), PERR_OK);
	for (unsigned bit = 0; bit < 8 * sizeof raw; bit++) {
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(paper_share_decode(&back, raw), PERR_AUTH);
		raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void a_misread_word_is_named_by_its_place(void **state)
{
	struct paper_share s = share_of(9, 3, 5, 4), back;
	uint16_t words[PAPER_WORDS], typed[PAPER_WORDS];
	struct paper_wrong wrong;

	(void)state;
	assert_int_equal(paper_share_words(words, &s), PERR_OK);
	for (unsigned at = 0; at < PAPER_WORDS; at++) {
		memcpy(typed, words, sizeof typed);
		typed[at] = (uint16_t)((words[at] + 1 + 37 * at) % WORDS_COUNT);
		assert_int_not_equal(typed[at], words[at]);
		assert_int_equal(paper_share_from_words(&back, &wrong, typed), PERR_AUTH);
		assert_int_equal(wrong.slip, PAPER_SLIP_WORD);
		assert_int_equal(wrong.at, at);
		assert_int_equal(wrong.right, words[at]);
		typed[at] = wrong.right;
		assert_int_equal(paper_share_from_words(&back, &wrong, typed), PERR_OK);
	}
}

static void neighbours_that_changed_places_are_named(void **state)
{
	struct paper_share s = share_of(9, 3, 5, 4), back;
	uint16_t words[PAPER_WORDS], typed[PAPER_WORDS];
	struct paper_wrong wrong;
	unsigned n = 0;

	(void)state;
	assert_int_equal(paper_share_words(words, &s), PERR_OK);
	for (unsigned at = 0; at + 1 < PAPER_WORDS; at++) {
		memcpy(typed, words, sizeof typed);
		typed[at] = words[at + 1];
		typed[at + 1] = words[at];
		if (typed[at] == words[at])
			continue;
		assert_int_equal(paper_share_from_words(&back, &wrong, typed), PERR_AUTH);
		assert_int_equal(wrong.slip, PAPER_SLIP_SWAPPED);
		assert_int_equal(wrong.at, at);
		assert_int_equal(wrong.right, words[at]);
		n++;
	}
	assert_true(n > 30);
}

static void two_misread_words_are_noticed_and_no_single_one_is_blamed(void **state)
{
	struct paper_share s = share_of(9, 3, 5, 4), back;
	uint16_t typed[PAPER_WORDS];
	struct paper_wrong wrong;

	(void)state;
	assert_int_equal(paper_share_words(typed, &s), PERR_OK);
	typed[3] ^= 1;
	typed[20] ^= 512;
	assert_int_equal(paper_share_from_words(&back, &wrong, typed), PERR_AUTH);
	assert_int_equal(wrong.slip, PAPER_SLIP_NONE);
	assert_true(sodium_is_zero((const uint8_t *)&back, sizeof back));
}

static enum perr open_text(const uint8_t *in, size_t len)
{
	struct paper_share s;
	char *text = calloc(1, len + 1);
	enum perr err;

	assert_non_null(text);
	memcpy(text, in, len);
	err = paper_share_from_text(&s, text);
	free(text);
	return err;
}

static void a_code_that_is_cut_or_anothers_is_refused(void **state)
{
	struct paper_share s = share_of(9, 3, 5, 4);
	char text[PAPER_TEXT_SIZE];

	(void)state;
	assert_int_equal(paper_share_text(text, &s), PERR_OK);
	kit_refuses_truncation(open_text, (const uint8_t *)text, strlen(text));
	/* libsodium reads some bytes above 0x7f as digits */
	for (size_t at = 0; text[at] != '\0'; at++)
		for (unsigned c = 0x80; c < 0x100; c++) {
			char was = text[at];

			text[at] = (char)c;
			assert_int_not_equal(open_text((const uint8_t *)text, strlen(text)), PERR_OK);
			text[at] = was;
		}
	text[0] = 'b';
	assert_int_equal(open_text((const uint8_t *)text, strlen(text)), PERR_FORMAT);
	assert_int_equal(open_text((const uint8_t *)"amparo:AQ", 9), PERR_FORMAT);
}

/* what follows from a later state must not be what follows from an earlier one, and it must be
 * the one-way chain and nothing else */
static void the_chain_leads_to_later_keys_only(void **state)
{
	uint8_t seed[PAPER_SEED_SIZE], s[32], sk[32], pk[32];
	uint8_t (*sks)[32] = calloc(PAPER_KEYS, 32);
	struct batch b;

	(void)state;
	assert_non_null(sks);
	memset(seed, 0x51, sizeof seed);
	paper_batch(&b, sks, seed, 20782);
	assert_int_equal(b.n, 64);
	assert_int_equal(b.period, 14);
	memcpy(s, seed, 32);
	for (unsigned i = 0; i < b.n; i++) {
		crypto_generichash(sk, 32, (const uint8_t *)"amparo/1 paper prekey", 21, s, 32);
		assert_memory_equal(sk, sks[i], 32);
		crypto_scalarmult_base(pk, sk);
		assert_memory_equal(pk, b.keys[i], 32);
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(sks[i], sks[j], 32);
		crypto_generichash(s, 32, (const uint8_t *)"amparo/1 paper next", 19, s, 32);
	}
	free(sks);
}

static void the_holders_key_follows_from_the_seed_alone(void **state)
{
	struct sign_key a, b, c;
	uint8_t seed[PAPER_SEED_SIZE] = { 1 };

	(void)state;
	paper_sign_key(&a, seed);
	paper_sign_key(&b, seed);
	seed[31] ^= 1;
	paper_sign_key(&c, seed);
	assert_memory_equal(a.id, b.id, 32);
	assert_memory_not_equal(a.id, c.id, 32);
}

static struct paper_doc doc_of(struct sign_key *k, uint32_t rehearsed)
{
	struct paper_doc d = { .day = 20782, .need = 3, .of = 5, .rehearsed = rehearsed };

	kit_key(k, 0x50);
	memcpy(d.key, k->id, 32);
	memset(d.desk, 0x99, 32);
	for (uint32_t i = 0; i < d.of; i++) {
		struct paper_share s = share_of(7, 3, 5, i + 1);

		assert_int_equal(paper_proof(d.proofs[i], &s), PERR_OK);
	}
	return d;
}

static enum perr open_doc(const uint8_t *in, size_t len)
{
	struct paper_doc d;

	return paper_doc_open(&d, in, len);
}

static void the_document_is_the_paper_keys_own(void **state)
{
	struct sign_key k, other;
	struct paper_doc d = doc_of(&k, 0), later = doc_of(&k, 20790), back;
	uint8_t *bytes = NULL;
	size_t len;

	(void)state;
	kit_key(&other, 0x51);
	assert_int_equal(paper_doc_sign(&bytes, &len, &d, &other), PERR_KEY);
	assert_int_equal(paper_doc_sign(&bytes, &len, &d, &k), PERR_OK);
	assert_int_equal(paper_doc_open(&back, bytes, len), PERR_OK);
	assert_memory_equal(&back, &d, sizeof d);
	kit_refuses_truncation(open_doc, bytes, len);
	kit_refuses_trailing(open_doc, bytes, len);
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 1;
		assert_int_not_equal(paper_doc_open(&back, bytes, len), PERR_OK);
		bytes[i] ^= 1;
	}
	doc_free(bytes, len);
	assert_true(paper_doc_supersedes(&later, &d));
	assert_false(paper_doc_supersedes(&d, &later));
	assert_false(paper_doc_supersedes(&d, &d));
	assert_true(paper_doc_supersedes(&d, NULL));
	later.key[0] ^= 1;
	assert_false(paper_doc_supersedes(&later, &d));
	/* rehearsed before it was made */
	d.rehearsed = 20781;
	assert_int_equal(paper_doc_sign(&bytes, &len, &d, &k), PERR_RANGE);
}

static void vectors(void)
{
	struct paper_share s = share_of(7, 3, 5, 2);
	struct sign_key k;
	struct paper_doc d = doc_of(&k, 20790);
	uint8_t seed[PAPER_SEED_SIZE], raw[PAPER_SHARE_SIZE], proof[32], *bytes;
	uint16_t words[PAPER_WORDS];
	char text[PAPER_TEXT_SIZE], phrase[WORDS_PHRASE_SIZE(PAPER_WORDS)];
	struct batch b;
	size_t len;

	vec_note("seed 32 x 07, desk id 32 x 99, day 20782, share 2 of 5, 3 needed, its bytes 07 + 31 i + 2");
	memset(seed, 7, sizeof seed);
	paper_sign_key(&k, seed);
	vec("paper_key", k.id, 32);
	paper_batch(&b, NULL, seed, 20782);
	vec("prekey.0", b.keys[0], 32);
	vec("prekey.1", b.keys[1], 32);
	vec("prekey.63", b.keys[63], 32);
	assert_int_equal(paper_share_encode(raw, &s), PERR_OK);
	vec("share", raw, sizeof raw);
	kit_corpus("paper", "share", raw, sizeof raw);
	assert_int_equal(paper_share_text(text, &s), PERR_OK);
	vec("text", text, strlen(text));
	kit_corpus("paper", "text", (const uint8_t *)text, strlen(text));
	assert_int_equal(paper_share_words(words, &s), PERR_OK);
	assert_int_equal(words_phrase(phrase, sizeof phrase, PAPER_WORDS, raw, sizeof raw), PERR_OK);
	vec_note(phrase);
	assert_int_equal(paper_proof(proof, &s), PERR_OK);
	vec("proof", proof, 32);
	vec_note("the document of the Ed25519 seed 32 x 50, proofs of shares 1 to 5 made alike, rehearsed on day 20790");
	kit_key(&k, 0x50);
	assert_int_equal(paper_doc_sign(&bytes, &len, &d, &k), PERR_OK);
	vec("document", bytes, len);
	kit_corpus("paper", "document", bytes, len);
	doc_free(bytes, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_share_survives_words_and_text),
		cmocka_unit_test(numbers_out_of_their_limits_are_refused),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(a_misread_word_is_named_by_its_place),
		cmocka_unit_test(neighbours_that_changed_places_are_named),
		cmocka_unit_test(two_misread_words_are_noticed_and_no_single_one_is_blamed),
		cmocka_unit_test(a_code_that_is_cut_or_anothers_is_refused),
		cmocka_unit_test(the_chain_leads_to_later_keys_only),
		cmocka_unit_test(the_holders_key_follows_from_the_seed_alone),
		cmocka_unit_test(the_document_is_the_paper_keys_own),
	};

	if (sodium_init() < 0)
		return 1;
	if (kit_written(argc, argv, "paper"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
