/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "form_test.h"
#include "fregex.h"

static void matches(const char *pattern, const char *text, bool expected)
{
	char why[128];

	if (!fregex_is_supported(pattern, why, sizeof why))
		fail_msg("%s: %s", pattern, why);
	if (fregex_matches(pattern, text) != expected)
		fail_msg("%s should %smatch %s", pattern, expected ? "" : "not ", text);
}

static void fregex_matches_the_whole_text(void **state)
{
	matches("abc", "abc", true);
	matches("abc", "abcd", false);
	matches("b", "abc", false);
	matches("^abc$", "abc", true);
	matches("", "", true);
	matches("", "a", false);
	matches(".*", "anything at all", true);
	matches(".", "ñ", true);
	matches(".", "\n", false);
}

static void fregex_repeats(void **state)
{
	matches("a*", "", true);
	matches("a+", "", false);
	matches("ab?c", "ac", true);
	matches("a{3}", "aaa", true);
	matches("a{3}", "aa", false);
	matches("a{2,}", "aaaaa", true);
	matches("a{2,3}", "aaaa", false);
	matches("a*?b", "aaab", true);
	matches("(ab)+", "ababab", true);
	matches("(ab){2}", "abab", true);
	matches("(ab){2}", "ababab", false);
	matches("(a|b)*?c", "ababc", true);
	matches("(a*)*", "aaaa", true);
	matches("(a*)+b", "aaab", true);
	matches("(?:a|ab)(?:c|bcd)", "abcd", true);
	matches("a.*c", "abcabc", true);
	matches("ñ{2}", "ññ", true);
	matches("[ñé]+x", "ñéñx", true);
}

static void fregex_knows_sets_and_classes(void **state)
{
	matches("[a-c]+", "abcab", true);
	matches("[^a-c]+", "xyz", true);
	matches("[^a-c]+", "xbz", false);
	matches("[-a]+", "a-a", true);
	matches("[a-]+", "a-a", true);
	matches("[\\d.]+", "1.5", true);
	matches("[\\]x]+", "]x", true);
	matches("[á-ú]", "é", true);
	matches("\\d{3}-\\d{4}", "555-1234", true);
	matches("\\w+\\s\\w+", "two words", true);
	matches("\\D\\W\\S", "a-b", true);
	matches("\\.\\(\\)\\\\", ".()\\", true);
	matches("\\u00f1", "ñ", true);
	matches("\\p{L}+", "Qanjobál", true);
	matches("\\p{Lu}\\p{Ll}+", "Ángel", true);
	matches("\\p{Lu}", "á", false);
	matches("\\P{L}", "1", true);
	matches("\\bab\\b", "ab", true);
}

static void fregex_looks_ahead(void **state)
{
	matches("(?=.*\\d)[a-z0-9]+", "abc1", true);
	matches("(?=.*\\d)[a-z0-9]+", "abcd", false);
	matches("(?!000)\\d{3}", "000", false);
	matches("(?!000)\\d{3}", "001", true);
}

static void fregex_refuses_what_it_does_not_know(void **state)
{
	static const char *const bad[] = {
		"(a", "a)", "[a", "*a", "a**", "a{2,1}", "a{x}", "a{99999}", "(?<=a)b", "(?i)a", "a++",
		"\\1", "\\k<x>", "\\p{Klingon}", "[a-z&&[b]]", "[z-a]", "\\", "a{,3}", "^*", "\\u12",
	};
	char why[128];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (fregex_is_supported(bad[i], why, sizeof why))
			fail_msg("%s should not be supported", bad[i]);
		assert_true(why[0] != '\0');
		assert_false(fregex_matches(bad[i], "a"));
	}
}

static void fregex_ends_on_patterns_made_to_hang(void **state)
{
	char text[4001];

	memset(text, 'a', 4000);
	text[4000] = '\0';
	assert_false(fregex_matches("(a+)+b", text));
	assert_false(fregex_matches("(a|a)*b", text));
	assert_false(fregex_matches("(.*)(.*)(.*)(.*)(.*)b", text));
	assert_false(fregex_matches("((a{0,100}){0,100}){0,100}b", text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fregex_matches_the_whole_text),
		cmocka_unit_test(fregex_repeats),
		cmocka_unit_test(fregex_knows_sets_and_classes),
		cmocka_unit_test(fregex_looks_ahead),
		cmocka_unit_test(fregex_refuses_what_it_does_not_know),
		cmocka_unit_test(fregex_ends_on_patterns_made_to_hang),
	};

	return cmocka_run_group_tests_name("form_regex", tests, NULL, NULL);
}
