/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The forms of tests/forms, each with what must be accepted and what must be refused:
 *
 *	NAME.form.xml     a form that is accepted; NAME.*.csv and .xml beside it are its files
 *	NAME.ok-*.xml     a submission without a fault
 *	NAME.bad-*.xml    one with exactly the fault its first line names: <!-- expect: … -->
 *	NAME.fill         a session, line by line:
 *	                    = PATH ANSWER      answered and accepted
 *	                    ! PATH ANSWER …    refused, with a message that holds the rest
 *	                    ? PATH VALUE       the submission has this value
 *	                    - PATH             the submission does not have the node
 *	                    + PATH             one more instance of the repeat
 *	                    x PATH             this instance is removed
 *	                    l LANG             another language
 *	                    L PATH LABEL       the label of the step
 *	refused/          forms, each refused with the sentence of its comment
 */
#include <dirent.h>

#include "form_test.h"
#include "fexport.h"
#include "fill.h"
#include "flint.h"
#include "fpaper.h"
#include "render.h"

static const char folder[] = "tests/forms";
static unsigned n_forms, n_ok, n_bad, n_lines, n_refused;

static char *read_file(const char *dir, const char *name, size_t *len)
{
	char path[1024], *bytes;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("cannot open %s: run from the top of the repository", path);
	bytes = calloc(1, 1 << 20);
	*len = fread(bytes, 1, (1 << 20) - 1, f);
	fclose(f);
	return bytes;
}

/* What stands between "<!-- expect: " and " -->"; NULL: nothing. */
static char *expectation(const char *text)
{
	const char *at = strstr(text, "<!-- expect: "), *end = at == NULL ? NULL : strstr(at, " -->");

	return end == NULL ? NULL : strndup(at + 13, (size_t)(end - at - 13));
}

static void count_up(void *ctx, uint8_t *out, size_t n)
{
	while (n-- > 0)
		*out++ = (uint8_t)(*(unsigned *)ctx)++;
}

static struct xform *open_form(const char *name)
{
	char why[XFORM_WHY_SIZE], *bytes;
	struct xform *f;
	size_t len, i;

	bytes = read_file(folder, name, &len);
	if (xform_parse(&f, (const uint8_t *)bytes, len, why) != PERR_OK)
		fail_msg("%s: %s", name, why);
	free(bytes);
	for (i = 0; i < xform_n_files(f); i++) {
		bytes = read_file(folder, xform_file(f, i), &len);
		if (xform_supply(f, xform_file(f, i), (const uint8_t *)bytes, len, why) != PERR_OK)
			fail_msg("%s: %s", xform_file(f, i), why);
		free(bytes);
	}
	return f;
}

/* ---- submissions ---------------------------------------------------------------------------- */

static void check_submission(struct xform *f, const char *name)
{
	struct faults *l = faults_new();
	char why[INSTANCE_WHY_SIZE];
	struct instance *in;
	size_t len;
	char *xml = read_file(folder, name, &len), *expected = expectation(xml);

	if (instance_parse(&in, f, (const uint8_t *)xml, len, why) != PERR_OK)
		fail_msg("%s: %s", name, why);
	assert_int_equal(instance_check(in, INSTANCE_FULL, NULL, &noon, l), PERR_OK);
	if (expected == NULL && faults_count(l) > 0)
		fail_msg("%s: %s", name, faults_at(l, 0)->text);
	if (expected != NULL && (faults_count(l) != 1 || strstr(faults_at(l, 0)->text, expected) == NULL))
		fail_msg("%s: expected \"%s\", have %zu, the first: %s", name, expected, faults_count(l),
		         faults_count(l) == 0 ? "-" : faults_at(l, 0)->text);
	*(expected == NULL ? &n_ok : &n_bad) += 1;
	free(expected);
	free(xml);
	faults_free(l);
	instance_free(in);
}

static void check_submissions(struct xform *f, const char *base)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	size_t n = strlen(base);

	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, base, n) == 0 && (strncmp(e->d_name + n, ".ok-", 4) == 0
		    || strncmp(e->d_name + n, ".bad-", 5) == 0))
			check_submission(f, e->d_name);
	closedir(d);
}

/* ---- sessions ------------------------------------------------------------------------------- */

static void value_is(struct fill *s, const struct xform *f, const char *path,
                     const char *expected, const char *line)
{
	char why[INSTANCE_WHY_SIZE];
	struct instance *in;
	const char *value;
	uint8_t *xml;
	size_t len;

	assert_int_equal(fill_submission(s, &xml, &len), PERR_OK);
	if (instance_parse(&in, f, xml, len, why) != PERR_OK)
		fail_msg("%s: %s", line, why);
	value = instance_value(in, path);
	if (expected == NULL ? value != NULL : value == NULL || strcmp(value, expected) != 0)
		fail_msg("%s: the value is %s in %s", line, value == NULL ? "not there" : value, xml);
	instance_free(in);
	free(xml);
}

/* The offer to add an instance: its path is that of the next one. */
static void add_repeat(struct fill *s, const char *path, const char *line)
{
	char next[256];
	unsigned i;

	for (i = 1; i < 50; i++) {
		snprintf(next, sizeof next, "%s[%u]", path, i);
		if (fill_jump_path(s, next) == PERR_OK && fill_add_repeat(s) == PERR_OK)
			return;
	}
	fail_msg("%s: nothing to add", line);
}

static void run_line(struct fill *s, const struct xform *f, char *line)
{
	char whole[512], *path = line + 2, *rest, *expected = NULL, why[FILL_WHY_SIZE];
	struct fill_step step;
	size_t len;

	snprintf(whole, sizeof whole, "%s", line);
	if (line[0] == 'l') {
		fill_set_lang(s, path);
		return;
	}
	rest = strchr(path, ' ');
	if (rest != NULL)
		*rest++ = '\0';
	else
		rest = path + strlen(path);
	switch (line[0]) {
	case '=':
	case '!':
		if (fill_jump_path(s, path) != PERR_OK)
			fail_msg("%s: no such step", whole);
		len = strlen(rest);
		if (line[0] == '!' && (expected = strchr(rest, ' ')) != NULL)
			len = (size_t)(expected++ - rest);
		if (fill_answer(s, rest, len, why) != (line[0] == '=' ? PERR_OK : PERR_RANGE))
			fail_msg("%s: %s", whole, why);
		if (expected != NULL && strstr(why, expected) == NULL)
			fail_msg("%s: refused with %s", whole, why);
		break;
	case '?':
		value_is(s, f, path, rest, whole);
		break;
	case '-':
		value_is(s, f, path, NULL, whole);
		break;
	case '+':
		add_repeat(s, path, whole);
		break;
	case 'x':
		assert_int_equal(fill_remove_repeat(s, path), PERR_OK);
		break;
	case 'L':
		assert_int_equal(fill_jump_path(s, path), PERR_OK);
		assert_int_equal(fill_current(s, &step), PERR_OK);
		if (strcmp(step.label, rest) != 0)
			fail_msg("%s: the label is %s", whole, step.label);
		break;
	default:
		fail_msg("%s: unknown line", whole);
	}
	n_lines++;
}

/* A draft taken at any moment goes on the same way. */
static struct fill *reopen(struct fill *s, const struct xform *f, const struct fill_env *env)
{
	uint8_t *draft, *again;
	char why[FILL_WHY_SIZE];
	struct fill *next;
	size_t len, again_len;

	assert_int_equal(fill_draft(s, &draft, &len), PERR_OK);
	if (fill_open(&next, f, env, draft, len, why) != PERR_OK)
		fail_msg("%s in %s", why, draft);
	assert_int_equal(fill_draft(next, &again, &again_len), PERR_OK);
	assert_string_equal((char *)draft, (char *)again);
	free(draft);
	free(again);
	fill_free(s);
	return next;
}

static void run_session(struct xform *f, const char *base)
{
	unsigned counter = 0;
	struct fill_env env = {NULL, noon, count_up, &counter};
	char name[300], why[FILL_WHY_SIZE], *script, *line, *save;
	struct fill *s;
	size_t len;

	snprintf(name, sizeof name, "%s.fill", base);
	if (fill_new(&s, f, &env, why) != PERR_OK)
		fail_msg("%s: %s", base, why);
	script = read_file(folder, name, &len);
	for (line = strtok_r(script, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		run_line(s, f, line);
		s = reopen(s, f, &env);
	}
	free(script);
	fill_free(s);
}

/* ---- everything else a form must bear ------------------------------------------------------- */

static void use_form(struct xform *f)
{
	struct fpaper_options o = {FPAPER_A4, "es", NULL, NULL, 1};
	struct faults *l = faults_new();
	struct fexport *x = fexport_new(f, FEXPORT_SPLIT, NULL);
	uint8_t *html;
	size_t len;

	assert_int_equal(flint_check(f, l), PERR_OK);
	assert_int_equal(fpaper_html(f, &o, &html, &len), PERR_OK);
	assert_non_null(x);
	free(html);
	fexport_free(x);
	faults_free(l);
}

static void torture_forms_do_what_they_say(void **state)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	struct xform *f;
	char base[256], *dot, name[300];
	FILE *there;

	if (d == NULL)
		fail_msg("run from the top of the repository");
	while ((e = readdir(d)) != NULL) {
		dot = strstr(e->d_name, ".form.xml");
		if (dot == NULL)
			continue;
		snprintf(base, sizeof base, "%.*s", (int)(dot - e->d_name), e->d_name);
		f = open_form(e->d_name);
		check_submissions(f, base);
		snprintf(name, sizeof name, "%s/%s.fill", folder, base);
		there = fopen(name, "r");
		if (there != NULL) {
			fclose(there);
			run_session(f, base);
		}
		use_form(f);
		xform_free(f);
		n_forms++;
	}
	closedir(d);
	print_message("forms: %u; submissions accepted: %u, refused: %u; session lines: %u\n", n_forms,
	              n_ok, n_bad, n_lines);
	assert_true(n_forms >= 9 && n_bad >= 20 && n_lines >= 100);
}

static void torture_forms_are_refused_by_name(void **state)
{
	DIR *d = opendir("tests/forms/refused");
	char why[XFORM_WHY_SIZE], *xml, *expected;
	struct dirent *e;
	struct xform *f;
	size_t len;

	if (d == NULL)
		fail_msg("run from the top of the repository");
	while ((e = readdir(d)) != NULL) {
		if (strstr(e->d_name, ".form.xml") == NULL)
			continue;
		xml = read_file("tests/forms/refused", e->d_name, &len);
		expected = expectation(xml);
		assert_non_null(expected);
		if (xform_parse(&f, (const uint8_t *)xml, len, why) == PERR_OK)
			fail_msg("%s is accepted", e->d_name);
		if (strstr(why, expected) == NULL)
			fail_msg("%s: expected \"%s\" in: %s", e->d_name, expected, why);
		free(expected);
		free(xml);
		n_refused++;
	}
	closedir(d);
	print_message("forms refused by name: %u\n", n_refused);
	assert_true(n_refused >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(torture_forms_do_what_they_say),
		cmocka_unit_test(torture_forms_are_refused_by_name),
	};

	return cmocka_run_group_tests_name("form_torture", tests, NULL, NULL);
}
