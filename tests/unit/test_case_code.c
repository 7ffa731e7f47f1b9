/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "case_code.h"

#include "docs_vec.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void new_codes_are_canonical_and_read_back(void **state)
{
	struct rng_seeded st;
	struct rng rng = kit_rng(&st, 1);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char code[CASE_CODE_LEN + 1], shown[CASE_CODE_SHOWN + 1], back[CASE_CODE_LEN + 1];

		case_code_new(code, rng);
		assert_true(case_code_is_canonical(code, CASE_CODE_LEN));
		case_code_show(shown, code);
		assert_int_equal(strlen(shown), CASE_CODE_SHOWN);
		assert_int_equal(case_code_parse(back, shown), PERR_OK);
		assert_string_equal(back, code);
	}
}

static void any_wrong_character_is_noticed(void **state)
{
	struct rng_seeded st;
	struct rng rng = kit_rng(&st, 2);
	unsigned tried = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		char code[CASE_CODE_LEN + 1], back[CASE_CODE_LEN + 1];

		case_code_new(code, rng);
		for (int at = 0; at < CASE_CODE_LEN; at++)
			for (const char *c = alphabet; *c != '\0'; c++) {
				char was = code[at];

				if (*c == was)
					continue;
				code[at] = *c;
				assert_int_equal(case_code_parse(back, code), PERR_AUTH);
				assert_string_equal(back, "");
				code[at] = was;
				tried++;
			}
	}
	assert_int_equal(tried, 100 * 10 * 31);
}

static void any_two_exchanged_characters_are_noticed(void **state)
{
	struct rng_seeded st;
	struct rng rng = kit_rng(&st, 3);

	(void)state;
	for (int i = 0; i < 300; i++) {
		char code[CASE_CODE_LEN + 1], other[CASE_CODE_LEN + 1], back[CASE_CODE_LEN + 1];

		case_code_new(code, rng);
		for (int a = 0; a < CASE_CODE_LEN; a++)
			for (int b = a + 1; b < CASE_CODE_LEN; b++) {
				if (code[a] == code[b])
					continue;
				memcpy(other, code, sizeof code);
				other[a] = code[b];
				other[b] = code[a];
				assert_int_equal(case_code_parse(back, other), PERR_AUTH);
			}
	}
}

static void what_people_type_is_understood(void **state)
{
	char code[CASE_CODE_LEN + 1] = "", back[CASE_CODE_LEN + 1];
	struct rng_seeded st;
	struct rng rng = kit_rng(&st, 4);

	(void)state;
	/* a code with a zero and a one in it */
	while (strchr(code, '0') == NULL || strchr(code, '1') == NULL)
		case_code_new(code, rng);
	for (int form = 0; form < 3; form++) {
		char typed[64] = " ";

		for (int i = 0; i < CASE_CODE_LEN; i++) {
			char c = code[i];
			char piece[4] = { c, i % 3 == 2 ? '-' : ' ', '\0', '\0' };

			if (c == '0')
				piece[0] = form == 0 ? 'O' : 'o';
			else if (c == '1')
				piece[0] = form == 0 ? 'I' : form == 1 ? 'l' : 'L';
			else if (c >= 'A' && form > 0)
				piece[0] = (char)(c - 'A' + 'a');
			strcat(typed, piece);
		}
		assert_int_equal(case_code_parse(back, typed), PERR_OK);
		assert_string_equal(back, code);
	}
}

static void anything_else_is_not_a_code(void **state)
{
	static const char *const wrong[] = {
		"", "-", "0", "000000000", "00000000000", "U000000000", "0000000*00",
		("00000\xc3\xa9" "0000"), "0000000000 0",
	};
	char back[CASE_CODE_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(case_code_parse(back, wrong[i]), PERR_FORMAT);
		assert_string_equal(back, "");
	}
	assert_true(case_code_is_canonical("0000000000", 10));
	assert_false(case_code_is_canonical("000000000O", 10));
	assert_false(case_code_is_canonical("0000000000", 9));
	assert_false(case_code_is_canonical("00000\0" "0000", 10));
}

static void vectors(void)
{
	struct rng_seeded st;
	struct rng rng = kit_rng(&st, 5);
	char code[CASE_CODE_LEN + 1];

	vec_note("codes as ASCII; each from 9 bytes of rng_seeded(05), the low 5 bits of each");
	for (int i = 0; i < 4; i++) {
		char name[32];

		case_code_new(code, rng);
		snprintf(name, sizeof name, "code.%d", i);
		vec_text(name, code);
		kit_corpus("case_code", name, (const uint8_t *)code, CASE_CODE_LEN);
	}
	/* one symbol each: the powers of alpha */
	for (int i = 0; i < 9; i++) {
		char name[32], x[CASE_CODE_LEN + 1] = "000000000";

		x[i] = '1';
		for (const char *c = alphabet; *c != '\0'; c++) {
			x[9] = *c;
			if (case_code_is_canonical(x, CASE_CODE_LEN))
				break;
		}
		snprintf(name, sizeof name, "power.%d", i + 1);
		vec_text(name, x);
	}
}

static void a_part_finds_its_codes_and_no_other(void **state)
{
	static const struct {
		const char *typed, *part;
		size_t n;
	} rows[] = {
		{ "", "", 0 }, { "7", "7", 1 }, { " 7k2m-", "7K2M", 4 }, { "il o0", "1100", 4 },
		{ "ABCDE-FGHJK", "ABCDEFGHJK", 10 }, { "ABCDE-FGHJKM", "", 0 }, { "ABUD", "", 0 },
		{ "AB.D", "", 0 }, { "ABCD\xc3", "", 0 }, { "AB\x01", "", 0 }, { "@[`{/:", "", 0 },
	};
	struct rng_seeded st;
	struct rng rng = kit_rng(&st, 5);
	char part[CASE_CODE_LEN + 1], code[CASE_CODE_LEN + 1];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(case_code_part(part, rows[i].typed), rows[i].n);
		assert_string_equal(part, rows[i].part);
	}
	for (i = 0; i < 300; i++) {
		char typed[CASE_CODE_LEN + 1];

		case_code_new(code, rng);
		n = 1 + i % CASE_CODE_LEN;
		snprintf(typed, sizeof typed, "%.*s", (int)n, code);
		assert_int_equal(case_code_part(part, typed), n);
		assert_true(case_code_begins(code, part));
		/* any other character at any place */
		typed[i % n] = typed[i % n] == 'A' ? 'B' : 'A';
		assert_int_equal(case_code_part(part, typed), n);
		assert_false(case_code_begins(code, part));
	}
}

/* each byte is read as the rule of the protocol says, by arithmetic as by a table */
static void each_byte_is_read_as_the_alphabet_says(void **state)
{
	char part[CASE_CODE_LEN + 1], text[2] = "";
	int c;

	(void)state;
	for (c = 1; c < 256; c++) {
		int up = c >= 'a' && c <= 'z' ? c - 32 : c;
		bool gap = c == ' ' || c == '-' || c == '\t' || c == '\n' || c == '\r';
		const char *at;

		up = up == 'O' ? '0' : up == 'I' || up == 'L' ? '1' : up;
		at = gap || up > 127 ? NULL : strchr(alphabet, up);
		text[0] = (char)c;
		assert_int_equal(case_code_part(part, text), at != NULL);
		assert_int_equal((unsigned char)part[0], at != NULL ? (unsigned)up : 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(new_codes_are_canonical_and_read_back),
		cmocka_unit_test(any_wrong_character_is_noticed),
		cmocka_unit_test(any_two_exchanged_characters_are_noticed),
		cmocka_unit_test(what_people_type_is_understood),
		cmocka_unit_test(a_part_finds_its_codes_and_no_other),
		cmocka_unit_test(each_byte_is_read_as_the_alphabet_says),
		cmocka_unit_test(anything_else_is_not_a_code),
	};

	if (kit_written(argc, argv, "case_code"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
