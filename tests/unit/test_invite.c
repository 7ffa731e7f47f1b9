/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "invite.h"

#include "docs_vec.h"

static const char onion[] =
	"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:443";

static void make(struct invite *inv, const char *address)
{
	memset(inv, 0, sizeof *inv);
	strcpy(inv->address, address);
	memset(inv->server_pk, 0x31, 32);
	memset(inv->anchor, 0x32, 32);
	memset(inv->guest_key, 0x33, 32);
	memset(inv->seed, 0x34, INVITE_SEED_SIZE);
}

static void an_invitation_comes_back_and_fits_its_code(void **state)
{
	static const char *const addresses[] = {
		"127.0.0.1:4433", onion, "123456789012345678901234567890123456.x:1",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct invite inv, back;
		char text[INVITE_TEXT_MAX + 1];

		make(&inv, addresses[i]);
		assert_int_equal(invite_encode(text, &inv), PERR_OK);
		assert_true(strlen(text) <= INVITE_TEXT_MAX);
		printf("figure: characters of an invitation to an address of %zu: %zu (limit 220)\n",
		       strlen(addresses[i]), strlen(text));
		assert_int_equal(invite_decode(&back, text), PERR_OK);
		assert_memory_equal(&back, &inv, sizeof inv);
	}
}

static void broken_over_lines_it_still_reads(void **state)
{
	struct invite inv, back;
	char text[INVITE_TEXT_MAX + 1], lines[512] = "  ";

	(void)state;
	make(&inv, "127.0.0.1:4433");
	assert_int_equal(invite_encode(text, &inv), PERR_OK);
	for (size_t i = 0; text[i] != '\0'; i++) {
		size_t n = strlen(lines);

		lines[n] = text[i];
		strcpy(lines + n + 1, i % 40 == 39 ? " \r\n" : "");
	}
	assert_int_equal(invite_decode(&back, lines), PERR_OK);
	assert_memory_equal(&back, &inv, sizeof inv);
}

static void a_wrong_or_missing_character_is_noticed(void **state)
{
	struct invite inv, back;
	char text[INVITE_TEXT_MAX + 1];

	(void)state;
	make(&inv, "127.0.0.1:4433");
	assert_int_equal(invite_encode(text, &inv), PERR_OK);
	for (size_t i = 0; text[i] != '\0'; i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(invite_decode(&back, text), PERR_OK);
		assert_zero((const uint8_t *)&back, sizeof back);
		text[i] = was;
	}
	for (size_t n = strlen(text); n-- > 0;) {
		text[n] = '\0';
		assert_int_not_equal(invite_decode(&back, text), PERR_OK);
	}
}

static void an_invitation_has_one_spelling(void **state)
{
	struct invite inv, back;
	char text[INVITE_TEXT_MAX + 1];

	(void)state;
	make(&inv, "intake.example.org:4433");
	/* all digits: which of them libsodium has other bytes for is its own affair */
	for (size_t i = 0; i < 32; i++) {
		inv.server_pk[i] = (uint8_t)(i * 61 + 5);
		inv.anchor[i] = (uint8_t)(i * 197 + 3);
	}
	assert_int_equal(invite_encode(text, &inv), PERR_OK);
	for (size_t i = 0; text[i] != '\0'; i++)
		for (unsigned c = 0x80; c < 0x100; c++) {
			char was = text[i];

			text[i] = (char)c;
			assert_int_not_equal(invite_decode(&back, text), PERR_OK);
			text[i] = was;
		}
	assert_int_equal(invite_decode(&back, text), PERR_OK);
}

static void a_later_version_or_another_thing_is_told_apart(void **state)
{
	uint8_t bytes[1 + 2 + 3 + 32 + 32 + 32 + 16] = { 2, 0, 3, 'a', ':', '1' };
	struct invite back;
	char text[INVITE_TEXT_MAX + 1];

	(void)state;
	assert_int_equal(address_armor(text, sizeof text, INVITE_PREFIX, bytes, sizeof bytes),
	                 PERR_OK);
	assert_int_equal(invite_decode(&back, text), PERR_UNKNOWN);
	assert_int_equal(invite_decode(&back, "https://example.org/"), PERR_UNKNOWN);
	assert_int_equal(invite_decode(&back, ""), PERR_UNKNOWN);
	bytes[0] = 1;
	for (size_t n = 0; n <= sizeof bytes; n++) {
		assert_int_equal(address_armor(text, sizeof text, INVITE_PREFIX, bytes, n), PERR_OK);
		if (n < sizeof bytes)
			assert_int_not_equal(invite_decode(&back, text), PERR_OK);
		else
			assert_int_equal(invite_decode(&back, text), PERR_OK);
	}
}

static void the_keys_of_two_seeds_share_nothing(void **state)
{
	struct invite_keys a, b;
	uint8_t seed[INVITE_SEED_SIZE] = { 0 };

	(void)state;
	invite_derive(&a, seed);
	seed[15] = 1;
	invite_derive(&b, seed);
	assert_memory_not_equal(a.slot_sk, b.slot_sk, 32);
	assert_memory_not_equal(a.slot_pk, b.slot_pk, 32);
	assert_memory_not_equal(a.slot_secret, b.slot_secret, 32);
	assert_memory_not_equal(a.ticket, b.ticket, 16);
	assert_memory_not_equal(a.slot_sk, a.slot_secret, 32);
}

static void the_anchor_finds_its_desk_or_only_the_organisation(void **state)
{
	uint8_t anchor[32], genesis[32] = { 7 }, other[32] = { 8 }, ids[3][32] = { { 1 }, { 2 }, { 3 } };
	size_t at;

	(void)state;
	invite_anchor(anchor, genesis, ids[1]);
	assert_int_equal(invite_anchor_match(&at, anchor, genesis, ids, 3), PERR_OK);
	assert_int_equal(at, 1);
	assert_int_equal(invite_anchor_match(&at, anchor, genesis, ids, 1), PERR_CHAIN);
	assert_int_equal(invite_anchor_match(&at, anchor, other, ids, 3), PERR_CHAIN);
	invite_anchor(anchor, genesis, NULL);
	assert_int_equal(invite_anchor_match(&at, anchor, genesis, ids, 3), PERR_OK);
	assert_int_equal(at, 3);
	assert_int_equal(invite_anchor_match(&at, anchor, genesis, NULL, 0), PERR_OK);
	assert_int_equal(at, 0);
}

static void vectors(void)
{
	uint8_t genesis[32], desk[32], anchor[32];
	struct invite inv;
	struct invite_keys keys;
	char text[INVITE_TEXT_MAX + 1];

	vec_note("anchors: genesis hash 32 x 35, desk id 32 x 36, and without a desk");
	memset(genesis, 0x35, 32);
	memset(desk, 0x36, 32);
	invite_anchor(anchor, genesis, desk);
	vec("anchor.desk", anchor, 32);
	invite_anchor(anchor, genesis, NULL);
	vec("anchor.none", anchor, 32);
	vec_note("from the seed 16 x 34");
	make(&inv, "intake.example.org:4433");
	invite_derive(&keys, inv.seed);
	vec("slot_sk", keys.slot_sk, 32);
	vec("slot_pk", keys.slot_pk, 32);
	vec("slot_secret", keys.slot_secret, 32);
	vec("ticket", keys.ticket, 16);
	vec_note("Noise key 32 x 31, anchor 32 x 32, guest key 32 x 33, seed 16 x 34");
	assert_int_equal(invite_encode(text, &inv), PERR_OK);
	vec_text("host", text);
	kit_corpus("invite", "host", (uint8_t *)text, strlen(text));
	make(&inv, onion);
	assert_int_equal(invite_encode(text, &inv), PERR_OK);
	vec_text("onion", text);
	kit_corpus("invite", "onion", (uint8_t *)text, strlen(text));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(an_invitation_comes_back_and_fits_its_code),
		cmocka_unit_test(broken_over_lines_it_still_reads),
		cmocka_unit_test(a_wrong_or_missing_character_is_noticed),
		cmocka_unit_test(an_invitation_has_one_spelling),
		cmocka_unit_test(a_later_version_or_another_thing_is_told_apart),
		cmocka_unit_test(the_keys_of_two_seeds_share_nothing),
		cmocka_unit_test(the_anchor_finds_its_desk_or_only_the_organisation),
	};

	if (kit_written(argc, argv, "invite"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
