/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Terminal helpers: hostile text, widths, wrapping, questions, tables, progress. */
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "progress.h"
#include "table.h"
#include "term.h"

static char *safe(const char *text, enum term_mode mode)
{
	return term_safe(text, strlen(text), mode);
}

static void expect_safe(const char *text, const char *line, const char *paragraph)
{
	char *out = safe(text, TERM_LINE);

	assert_string_equal(out, line);
	free(out);
	out = safe(text, TERM_TEXT);
	assert_string_equal(out, paragraph);
	free(out);
}

static void hostile_text_loses_its_power(void **state)
{
	(void)state;
	expect_safe("a\033[2Jb", "a<1B>[2Jb", "a<1B>[2Jb");
	expect_safe("\xc2\x9b" "2J", "<9B>2J", "<9B>2J");
	expect_safe("A1\xe2\x80\xae" "32", "A1<202E>32", "A1<202E>32");
	expect_safe("\xe2\x81\xa6x\xe2\x81\xa9", "<2066>x<2069>", "<2066>x<2069>");
	expect_safe("Ana\xe2\x80\x8b", "Ana<200B>", "Ana<200B>");
	expect_safe("Ana\xc2\xad", "Ana<AD>", "Ana<AD>");
	expect_safe("\xf3\xa0\x81\x81", "<E0041>", "<E0041>");
	expect_safe("\xf4\x8f\xbf\xbf", "<10FFFF>", "<10FFFF>");
	expect_safe("a\r\nb\tc\nd", "a b c d", "a\nb    c\nd");
	expect_safe("over\rwrite", "over write", "over<0D>write");
	expect_safe("back\b\b", "back<08><08>", "back<08><08>");
	expect_safe("\xe2\x80\xa8", " ", "\n");
	/* overlong "/", a surrogate, a lonely byte, a cut one */
	expect_safe("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd");
	expect_safe("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
	            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	expect_safe("x\xff", "x\xef\xbf\xbd", "x\xef\xbf\xbd");
	expect_safe("x\xe2\x80", "x\xef\xbf\xbd\xef\xbf\xbd", "x\xef\xbf\xbd\xef\xbf\xbd");
}

static void names_survive_byte_for_byte(void **state)
{
	static const char *const names[] = {
		"Mar\xc3\xad" "a Jos\xc3\xa9 Ram\xc3\xadrez", "Q\xca\xbc" "anjob\xca\xbc" "al",
		"B\xea\x9e\x8c" "atz\xea\x9e\x8c", "Popti\xe2\x80\x99", "Ixq\xe2\x80\x99" "uic",
		"e\xcc\x81", "\xe4\xb8\xad\xe6\x96\x87", "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
		"\xd9\x85\xd8\xb1\xd9\x8a\xd9\x85", "x\xef\xbf\xbd", ""
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		expect_safe(names[i], names[i], names[i]);
}

/* Whatever the bytes: the result is UTF-8, without control bytes, and stays the same
 * when it is made harmless again. */
static void random_bytes_come_out_harmless_and_stable(void **state)
{
	uint32_t x = 42;
	char in[64], *once, *twice;
	int round;
	size_t i, n;

	(void)state;
	for (round = 0; round < 20000; round++) {
		size_t len = (x = x * 1664525u + 1013904223u) >> 26;

		for (i = 0; i < len; i++) {
			x = x * 1664525u + 1013904223u;
			/* many bytes that begin or continue a character */
			in[i] = (char)(x >> 31 ? x >> 20 : 0x80 | x >> 24);
		}
		once = term_safe(in, len, TERM_TEXT);
		for (i = 0; once[i] != 0; i += n) {
			uint32_t cp;

			n = term_next(once + i, strlen(once + i), &cp);
			assert_true(n > 1 || (uint8_t)once[i] < 0x80);
			assert_true(cp == '\n' || (cp >= 0x20 && cp < 0x7f) || cp >= 0xa0);
			assert_false(cp >= 0x202a && cp <= 0x202e);
		}
		twice = safe(once, TERM_TEXT);
		assert_string_equal(once, twice);
		free(once);
		free(twice);
	}
}

static void widths_need_no_locale(void **state)
{
	unsigned columns;

	(void)state;
	assert_int_equal(term_columns("abc"), 3);
	assert_int_equal(term_columns("Jos\xc3\xa9"), 4);
	assert_int_equal(term_columns("Jose\xcc\x81"), 4);
	assert_int_equal(term_columns("\xe4\xb8\xad\xe6\x96\x87"), 4);
	assert_int_equal(term_columns("Q\xca\xbc" "an"), 4);
	assert_int_equal(term_columns("B\xea\x9e\x8c" "a"), 3);
	assert_int_equal(term_columns("\xf0\x9f\x98\x80"), 2);
	assert_int_equal(term_columns(""), 0);
	/* a combining mark stays with its letter, a wide one is not halved */
	assert_int_equal(term_fit("e\xcc\x81" "a", 1, &columns), 3);
	assert_int_equal(columns, 1);
	assert_int_equal(term_fit("\xe4\xb8\xad\xe6\x96\x87", 3, &columns), 3);
	assert_int_equal(columns, 2);
	assert_int_equal(term_fit("abc", 10, &columns), 3);
	assert_int_equal(term_fit("abc", 0, &columns), 0);
}

static char *printed(FILE *f)
{
	static char text[8192];
	size_t n;

	fflush(f);
	rewind(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = 0;
	fclose(f);
	return text;
}

static void expect_wrap(unsigned width, unsigned indent, const char *text, const char *expected)
{
	FILE *f = tmpfile();

	term_wrap(f, width, indent, text);
	assert_string_equal(printed(f), expected);
}

static void text_is_wrapped_between_words(void **state)
{
	(void)state;
	expect_wrap(20, 0, "the quick brown fox jumps over", "the quick brown fox\njumps over\n");
	expect_wrap(20, 2, "the quick brown fox jumps", "  the quick brown\n  fox jumps\n");
	expect_wrap(20, 0, "two\n\nparts\n", "two\n\nparts\n");
	expect_wrap(20, 0, "", "\n");
	expect_wrap(12, 0, "abcdefghijklmnopqrst uv", "abcdefghijkl\nmnopqrst uv\n");
	expect_wrap(5, 8, "\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87",
	            "        \xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\n"
	            "        \xe6\x96\x87\n");
	expect_wrap(12, 0, "ni\xc3\xb1o ni\xc3\xb1o ni\xc3\xb1o",
	            "ni\xc3\xb1o ni\xc3\xb1o\nni\xc3\xb1o\n");
}

static FILE *typed(const char *text)
{
	FILE *f = tmpfile();

	fputs(text, f);
	rewind(f);
	return f;
}

static void questions_understand_both_languages(void **state)
{
	static const struct {
		const char *typed;
		bool deflt, is_yes;
	} cases[] = {
		{ "y\n", false, true }, { "YES\n", false, true }, { "s\xc3\xad\n", false, true },
		{ "S\xc3\x8d\n", false, true }, { " si \n", false, true }, { "n\n", true, false },
		{ "No\n", true, false }, { "\n", true, true }, { "\n", false, false },
		{ "", true, false }, { "what\nmaybe\ny\n", false, true },
		{ "a\nb\nc\ny\n", true, false }, { "y y\nn\n", true, false }, { "y", false, true },
	};
	size_t i;
	FILE *out = tmpfile();

	(void)state;
	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		FILE *in = typed(cases[i].typed);

		assert_int_equal(term_yes(in, out, "Go on?", cases[i].deflt), cases[i].is_yes);
		fclose(in);
	}
	assert_non_null(strstr(printed(out), "Please answer"));
}

static void lines_are_read_whole_or_refused(void **state)
{
	FILE *out = tmpfile(), *in = typed("one\r\n\nlast");
	char *line;
	int i;

	(void)state;
	assert_int_equal(term_ask(in, out, "? ", &line), PERR_OK);
	assert_string_equal(line, "one");
	free(line);
	assert_int_equal(term_ask(in, out, "? ", &line), PERR_OK);
	assert_string_equal(line, "");
	free(line);
	assert_int_equal(term_ask(in, out, "? ", &line), PERR_OK);
	assert_string_equal(line, "last");
	free(line);
	assert_int_equal(term_ask(in, out, "? ", &line), PERR_TRUNCATED);
	assert_null(line);
	fclose(in);
	in = tmpfile();
	for (i = 0; i < 70000; i++)
		fputc('x', in);
	fputs("\nnext\n", in);
	rewind(in);
	assert_int_equal(term_ask(in, out, "? ", &line), PERR_LIMIT);
	assert_int_equal(term_ask(in, out, "? ", &line), PERR_OK);
	assert_string_equal(line, "next");
	free(line);
	fclose(in);
	assert_string_equal(printed(out), "");
}

static void a_terminal_is_known_by_its_size(void **state)
{
	struct winsize w = { .ws_row = 25, .ws_col = 132 };
	int master, slave;
	FILE *in, *out;
	char *line, shown[64] = { 0 };

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &w), 0);
	assert_true(term_is_tty(slave));
	assert_int_equal(term_width(slave), 132);
	w.ws_col = 12;
	ioctl(slave, TIOCSWINSZ, &w);
	assert_int_equal(term_width(slave), TERM_WIDTH_MIN);
	w.ws_col = 0;
	ioctl(slave, TIOCSWINSZ, &w);
	assert_int_equal(term_width(slave), 80);
	assert_false(term_is_tty(-1));
	assert_int_equal(term_width(-1), 80);
	in = fdopen(dup(slave), "r");
	out = fdopen(dup(slave), "w");
	assert_int_equal(write(master, "hi\n", 3), 3);
	assert_int_equal(term_ask(in, out, "Name: ", &line), PERR_OK);
	assert_string_equal(line, "hi");
	free(line);
	assert_true(read(master, shown, sizeof shown - 1) > 0);
	if (strstr(shown, "Name: ") == NULL)
		assert_true(read(master, shown, sizeof shown - 1) > 0);
	assert_non_null(strstr(shown, "Name: "));
	fclose(in);
	fclose(out);
	close(slave);
	close(master);
}

static struct table *cases_table(void)
{
	static const char *const heads[] = { "!CODE", "NAME", ">AGE", "NOTE" };
	static const char *const rows[][4] = {
		{ "ABCDE-FGHJ0", "Mar\xc3\xad" "a Jos\xc3\xa9", "7", "line one\nline two" },
		{ "K1", "\xe4\xb8\xad\xe6\x96\x87", "41", NULL },
		{ "K2", "x\033[31m", "", "a long remark that does not fit into the width" },
	};
	struct table *t = table_new(4, heads);
	size_t i;

	assert_non_null(t);
	for (i = 0; i < 3; i++)
		assert_int_equal(table_row(t, rows[i]), PERR_OK);
	assert_int_equal(table_rows(t), 3);
	return t;
}

static void tables_are_aligned_and_cut(void **state)
{
	struct table *t = cases_table();
	FILE *f = tmpfile();
	char *out, *line;

	(void)state;
	table_print(t, f, 0);
	assert_string_equal(printed(f),
		"CODE         NAME        AGE  NOTE\n"
		"-----------  ----------  ---  ----------------------------------------------\n"
		"ABCDE-FGHJ0  Mar\xc3\xad" "a Jos\xc3\xa9    7  line one line two\n"
		"K1           \xe4\xb8\xad\xe6\x96\x87         41\n"
		"K2           x<1B>[31m        a long remark that does not fit into the width\n");
	f = tmpfile();
	table_print(t, f, 44);
	out = printed(f);
	assert_non_null(strstr(out, "a long remark\xe2\x80\xa6\n"));
	for (line = strtok(out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		assert_in_range(term_columns(line), 0, 44);
		assert_int_not_equal(line[strlen(line) - 1], ' ');
	}
	/* no room at all: codes stay whole */
	f = tmpfile();
	table_print(t, f, 5);
	assert_non_null(strstr(printed(f), "ABCDE-FGHJ0  Mar\xe2\x80\xa6"));
	table_free(t);
	table_free(NULL);
	t = table_new(1, (const char *const[]){ "EMPTY" });
	f = tmpfile();
	table_print(t, f, 40);
	assert_string_equal(printed(f), "");
	table_free(t);
	assert_null(table_new(0, NULL));
	assert_null(table_new(TABLE_COLUMNS_MAX + 1, NULL));
}

static void progress_in_a_log_is_sparse(void **state)
{
	struct progress p;
	FILE *f = tmpfile();
	uint64_t ms;

	(void)state;
	progress_begin(&p, f, "Receiving", PROGRESS_BYTES, 189000000, 5000);
	for (ms = 0; ms <= 25000; ms += 100)
		progress_update(&p, ms * 4000, 5000 + ms);
	progress_end(&p, 5000 + 47250);
	assert_string_equal(printed(f),
		"Receiving: 40.0 MB of 189.0 MB, 4.0 MB/s, 38 s left\n"
		"Receiving: 80.0 MB of 189.0 MB, 4.0 MB/s, 28 s left\n"
		"Receiving: 100.0 MB, 2.1 MB/s, in 47 s\n");
	/* short work says nothing; nothing done and no total divide by nothing */
	f = tmpfile();
	progress_begin(&p, f, "Nothing", PROGRESS_ITEMS, 0, 0);
	progress_update(&p, 0, 900);
	progress_end(&p, 900);
	progress_begin(&p, f, "Trying", PROGRESS_ITEMS, 680, 0);
	progress_update(&p, 0, 20000);
	progress_update(&p, 700, 40000);
	progress_end(&p, 40000);
	assert_string_equal(printed(f),
		"Trying: 0 of 680, 0/s\n"
		"Trying: 700 of 680, 17/s\n"
		"Trying: 700, 17/s, in 40 s\n");
}

static void progress_on_a_terminal_is_one_line(void **state)
{
	struct winsize w = { .ws_row = 25, .ws_col = 40 };
	struct progress p;
	int master, slave;
	char shown[4096];
	ssize_t n;
	FILE *f;
	int i, lines = 0;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &w), 0);
	f = fdopen(slave, "w");
	progress_begin(&p, f, "Receiving what came in the last weeks", PROGRESS_BYTES, 1000000, 0);
	for (i = 1; i <= 1000; i++)
		progress_update(&p, (uint64_t)i * 1000, (uint64_t)i);
	progress_end(&p, 1000);
	fflush(f);
	while (lines == 0 && (n = read(master, shown, sizeof shown)) > 0)
		for (i = 0; i < n; i++)
			lines += shown[i] == '\n';
	assert_int_equal(lines, 1);
	fclose(f);
	close(master);
}

static void figures_are_readable(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} bytes[] = {
		{ 0, "0 B" }, { 999, "999 B" }, { 1000, "1.0 kB" }, { 1049, "1.0 kB" },
		{ 1050, "1.1 kB" }, { 999949, "999.9 kB" }, { 999950, "1.0 MB" },
		{ 189000000, "189.0 MB" }, { 999950000, "1.0 GB" }, { 5000000000000, "5.0 TB" },
	}, times[] = {
		{ 0, "0 s" }, { 59, "59 s" }, { 60, "1 min 00 s" }, { 200, "3 min 20 s" },
		{ 3600, "1 h 00 min" }, { 7500, "2 h 05 min" },
	};
	char out[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
		progress_bytes(out, sizeof out, bytes[i].n);
		assert_string_equal(out, bytes[i].text);
	}
	for (i = 0; i < sizeof times / sizeof times[0]; i++) {
		progress_time(out, sizeof out, times[i].n);
		assert_string_equal(out, times[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_text_loses_its_power),
		cmocka_unit_test(names_survive_byte_for_byte),
		cmocka_unit_test(random_bytes_come_out_harmless_and_stable),
		cmocka_unit_test(widths_need_no_locale),
		cmocka_unit_test(text_is_wrapped_between_words),
		cmocka_unit_test(questions_understand_both_languages),
		cmocka_unit_test(lines_are_read_whole_or_refused),
		cmocka_unit_test(a_terminal_is_known_by_its_size),
		cmocka_unit_test(tables_are_aligned_and_cut),
		cmocka_unit_test(progress_in_a_log_is_sparse),
		cmocka_unit_test(progress_on_a_terminal_is_one_line),
		cmocka_unit_test(figures_are_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
