/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "form_test.h"
#include "fold.h"

static void folds_to(const char *text, const char *folded)
{
	char out[256];
	size_t n = fold_text(out, sizeof out, text, strlen(text));

	assert_string_equal(out, folded);
	assert_int_equal(n, strlen(folded));
	assert_true(n < FOLD_MAX(strlen(text)));
	/* Folding again changes nothing. */
	fold_text(out, sizeof out, folded, strlen(folded));
	assert_string_equal(out, folded);
}

static void fold_makes_spellings_of_one_name_equal(void **state)
{
	static const char *const qanjobal[] = {
		"Q'anjob'al", "qanjob’al", "QANJOBʼAL", "Qꞌanjobꞌal", "Q`anjob´al", "q‘anjobʻal",
		"Q′anjob＇al",
	};
	size_t i;

	for (i = 0; i < sizeof qanjobal / sizeof qanjobal[0]; i++)
		folds_to(qanjobal[i], "qanjobal");
	folds_to("Popti'", "popti");
	folds_to("Xʼẍajaẍ", "xxajax");
	folds_to("José", "jose");
	folds_to("Jose\xcc\x81", "jose");
	folds_to("MUÑOZ Ibáñez Güell", "munoz ibanez guell");
	folds_to("Łukasz Đorđe Þór Straße", "lukasz dorde thor strasse");
	folds_to("ẍ Ẍ", "x x");
	folds_to("A 123-456-789", "a 123-456-789");
}

static void fold_makes_one_space_of_many(void **state)
{
	folds_to("  Ana\t\n\xc2\xa0 María ", "ana maria");
	folds_to("", "");
	folds_to("' '", "");
}

static void fold_keeps_other_scripts(void **state)
{
	folds_to("ΑΘΗΝΑ", "αθηνα");
	folds_to("МОСКВА", "москва");
	folds_to("李明", "李明");
	folds_to("😀", "😀");
}

static void fold_survives_any_bytes_and_any_room(void **state)
{
	char in[64], out[FOLD_MAX(64)];
	unsigned seed = 1, i, k;

	for (i = 0; i < 20000; i++) {
		for (k = 0; k < sizeof in; k++) {
			seed = seed * 1664525 + 1013904223;
			in[k] = (char)(seed >> 24);
		}
		assert_true(fold_text(out, sizeof out, in, sizeof in) < sizeof out);
		k = seed % 20 + 1;
		assert_true(fold_text(out, k, in, sizeof in) < k);
	}
	assert_int_equal(fold_text(out, 3, "aé李", 6), 2);
	assert_int_equal(fold_text(out, 4, "aé李", 6), 2);
}

static void fold_utf8_refuses_overlong_and_surrogates(void **state)
{
	static const char *const bad[] = {"\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80",
	                                  "\x80", "\xe2\x82"};
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *s = bad[i];

		assert_int_equal(fold_utf8(&s, bad[i] + strlen(bad[i])), 0xfffd);
		assert_ptr_equal(s, bad[i] + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fold_makes_spellings_of_one_name_equal),
		cmocka_unit_test(fold_makes_one_space_of_many),
		cmocka_unit_test(fold_keeps_other_scripts),
		cmocka_unit_test(fold_survives_any_bytes_and_any_room),
		cmocka_unit_test(fold_utf8_refuses_overlong_and_surrogates),
	};

	return cmocka_run_group_tests_name("form_fold", tests, NULL, NULL);
}
