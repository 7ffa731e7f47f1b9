/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What people type: forgiven where it is clear, asked back where it is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "typed.h"

static void typed_command_is_a_sign_or_a_word_behind_a_period(void **state)
{
	static const struct {
		const char *line;
		enum typed_command command;
		const char *rest;
	} cases[] = {
		{ "?", TYPED_HELP, NULL }, { " ? ", TYPED_HELP, NULL }, { "¿", TYPED_HELP, NULL },
		{ "<", TYPED_BACK, NULL }, { ".back", TYPED_BACK, "" }, { ".Atrás", TYPED_BACK, "" },
		{ ".atras", TYPED_BACK, "" }, { " .BACK ", TYPED_BACK, "" },
		{ ".jump 12", TYPED_JUMP, "12" }, { ".ir  12", TYPED_JUMP, "12" },
		{ ".skip", TYPED_SKIP, "" }, { ".saltar", TYPED_SKIP, "" },
		{ ".review", TYPED_REVIEW, "" }, { ".revisar", TYPED_REVIEW, "" },
		{ ".save", TYPED_SAVE, "" }, { ".guardar", TYPED_SAVE, "" },
		{ ".borrar", TYPED_CLEAR, "" }, { ".quitar", TYPED_REMOVE, "" },
		{ ".eliminar", TYPED_DROP, "" }, { ".idioma es", TYPED_LANG, "es" },
		{ ".foo", TYPED_UNKNOWN, ".foo" }, { ".save it", TYPED_UNKNOWN, ".save it" },
		{ "back", TYPED_ANSWER, "back" }, { "", TYPED_ANSWER, "" },
		{ "? what", TYPED_ANSWER, "? what" }, { ". ?", TYPED_ANSWER, "?" },
		{ ". .back", TYPED_ANSWER, ".back" }, { "./photo.jpg", TYPED_ANSWER, "./photo.jpg" },
		{ "../x", TYPED_ANSWER, "../x" }, { ".5", TYPED_ANSWER, ".5" },
		{ ".cache/x.jpg", TYPED_ANSWER, ".cache/x.jpg" }, { "...", TYPED_ANSWER, "..." },
		{ "Ana. Back", TYPED_ANSWER, "Ana. Back" },
	};
	const char *rest;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum typed_command c = typed_command(cases[i].line, &rest);

		if (c != cases[i].command || (cases[i].rest != NULL && strcmp(rest, cases[i].rest) != 0))
			fail_msg("\"%s\": %d, \"%s\"", cases[i].line, c, rest);
	}
	assert_int_equal(typed_word("atrás", &rest), TYPED_BACK);
	assert_int_equal(typed_word("back now", &rest), TYPED_ANSWER);
	assert_int_equal(typed_word("7", &rest), TYPED_ANSWER);
}

static void typed_yes_knows_both_languages(void **state)
{
	assert_int_equal(typed_yes("y"), 1);
	assert_int_equal(typed_yes("Sí"), 1);
	assert_int_equal(typed_yes(" SI. "), 1);
	assert_int_equal(typed_yes("No"), 0);
	assert_int_equal(typed_yes(""), -1);
	assert_int_equal(typed_yes("yesterday"), -1);
}

/* 24 November 2026, 04:50 in Guatemala */
static const struct fclock now = { .unix_ms = 1795517400000, .tz_min = -360 };

static void date_is(const char *text, const char *first, const char *second)
{
	int64_t days[2];
	char shown[2][FDATE_SIZE] = { "", "" };
	unsigned n = typed_date(text, &now, days);

	for (unsigned i = 0; i < n; i++)
		fdate_write(shown[i], (double)days[i], false, 0);
	if (strcmp(shown[0], first) != 0 || strcmp(shown[1], second) != 0)
		fail_msg("\"%s\": \"%s\" \"%s\"", text, shown[0], shown[1]);
}

static void typed_date_reads_what_people_write(void **state)
{
	date_is("2026-11-24", "2026-11-24", "");
	date_is("24 nov 2026", "2026-11-24", "");
	date_is("24 de noviembre de 2026", "2026-11-24", "");
	date_is("24 de noviembre del 2026.", "2026-11-24", "");
	date_is("November 24, 2026", "2026-11-24", "");
	date_is("Nov 24th 2026", "2026-11-24", "");
	date_is("24-NOV-2026", "2026-11-24", "");
	date_is("2026 nov 24", "2026-11-24", "");
	date_is("11/24/2026", "2026-11-24", "");
	date_is("24/11/2026", "2026-11-24", "");
	date_is("24.11.2026", "2026-11-24", "");
	date_is("3 setiembre 2026", "2026-09-03", "");
	date_is("29 feb 2024", "2024-02-29", "");
	date_is("today", "2026-11-24", "");
	date_is("HOY", "2026-11-24", "");
	date_is("ayer", "2026-11-23", "");
	date_is("mañana", "2026-11-25", "");
	date_is("5/5/2026", "2026-05-05", "");
}

static void typed_date_says_when_two_days_can_be_meant(void **state)
{
	date_is("03/09/2026", "2026-03-09", "2026-09-03");
	date_is("3-9-2026", "2026-03-09", "2026-09-03");
	date_is("12 11 2026", "2026-12-11", "2026-11-12");
}

static void typed_date_refuses_what_is_none(void **state)
{
	static const char *const none[] = {
		"", " ", "24 nov", "24/11/26", "31 feb 2026", "29/2/2026", "2026", "24 foo 2026", "x",
		"nov 24 dec 2026", "2026-13-01", "2026-11-24 extra", "0/0/2026", "32/1/2026",
		"24/11/20266", "24 nov 0", "99999999999999999999", "nov nov 2026",
	};

	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		date_is(none[i], "", "");
}

static void time_is(const char *text, const char *want, bool sure)
{
	unsigned h, m;
	bool is_sure = false;
	char got[16] = "";

	if (typed_time(text, &h, &m, &is_sure))
		snprintf(got, sizeof got, "%02u:%02u", h, m);
	if (strcmp(got, want) != 0 || (got[0] != '\0' && is_sure != sure))
		fail_msg("\"%s\": \"%s\" %d", text, got, is_sure);
}

static void typed_time_reads_what_people_write(void **state)
{
	time_is("9:30", "09:30", false);
	time_is("09:30", "09:30", true);
	time_is("9:30 am", "09:30", true);
	time_is("9:30 PM", "21:30", true);
	time_is("2:30 p. m.", "14:30", true);
	time_is("2 p.m.", "14:00", true);
	time_is("12 am", "00:00", true);
	time_is("12:15 pm", "12:15", true);
	time_is("14.30", "14:30", true);
	time_is("14h", "14:00", true);
	time_is("930", "09:30", false);
	time_is("1430", "14:30", true);
	time_is("7 de la noche", "19:00", true);
	time_is("7 de la mañana", "07:00", true);
	time_is("", "", false);
	time_is("24:00", "", false);
	time_is("9:60", "", false);
	time_is("13 pm", "", false);
	time_is("9:3", "", false);
	time_is("soon", "", false);
	time_is("9 or 10", "", false);
	assert_int_equal(typed_split("24 nov 2026 2:30 pm"), 12);
	assert_int_equal(typed_split("2026-11-24T09:30"), 11);
	assert_int_equal(typed_split("2026-11-24 14:30"), 11);
	assert_int_equal(typed_split("24 nov 2026"), 0);
}

static void typed_numbers_are_those_of_the_choices(void **state)
{
	size_t at[8];

	assert_int_equal(typed_numbers("2", 3, at, 8), 1);
	assert_int_equal(at[0], 1);
	assert_int_equal(typed_numbers(" 3, 1 ", 3, at, 8), 2);
	assert_int_equal(at[0], 2);
	assert_int_equal(at[1], 0);
	assert_int_equal(typed_numbers("1 y 3", 3, at, 8), 2);
	assert_int_equal(typed_numbers("1 and 3.", 3, at, 8), 2);
	assert_int_equal(typed_numbers("", 3, at, 8), 0);
	assert_int_equal(typed_numbers("0", 3, at, 8), 0);
	assert_int_equal(typed_numbers("4", 3, at, 8), 0);
	assert_int_equal(typed_numbers("1 4", 3, at, 8), 0);
	assert_int_equal(typed_numbers("1x", 3, at, 8), 0);
	assert_int_equal(typed_numbers("99999999999999999999999", 3, at, 8), 0);
	assert_int_equal(typed_numbers("1 2 3", 3, at, 2), 0);
}

static void path_is(const char *text, const char *want)
{
	char *path = typed_path(text, "/home/ana");

	assert_non_null(path);
	assert_string_equal(path, want);
	free(path);
}

static void typed_path_takes_what_a_window_types(void **state)
{
	path_is("/tmp/a.jpg", "/tmp/a.jpg");
	path_is("  a b.jpg  ", "a b.jpg");
	path_is("'/tmp/a b.jpg' ", "/tmp/a b.jpg");
	path_is("\"/tmp/a'b.jpg\"", "/tmp/a'b.jpg");
	path_is("/tmp/a\\ b.jpg", "/tmp/a b.jpg");
	path_is("file:///tmp/a%20b%C3%B1.jpg", "/tmp/a bñ.jpg");
	path_is("file:///tmp/50%", "/tmp/50%");
	path_is("~/a.jpg", "/home/ana/a.jpg");
	path_is("~", "/home/ana");
	path_is("~b/a.jpg", "~b/a.jpg");
	path_is("", "");
	path_is("'", "'");
	path_is("a\\", "a\\");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(typed_command_is_a_sign_or_a_word_behind_a_period),
		cmocka_unit_test(typed_yes_knows_both_languages),
		cmocka_unit_test(typed_date_reads_what_people_write),
		cmocka_unit_test(typed_date_says_when_two_days_can_be_meant),
		cmocka_unit_test(typed_date_refuses_what_is_none),
		cmocka_unit_test(typed_time_reads_what_people_write),
		cmocka_unit_test(typed_numbers_are_those_of_the_choices),
		cmocka_unit_test(typed_path_takes_what_a_window_types),
	};

	return cmocka_run_group_tests_name("typed", tests, NULL, NULL);
}
