/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A form and a filled instance, both from strangers: FORM "\n====\n" INSTANCE.
 *
 * Beyond not crashing:
 *   - a refusal is one sentence of one line, in UTF-8;
 *   - a session's draft opens, stands at the same step and writes the same draft;
 *   - its submission is an instance without a basic fault (but for default attachments);
 *   - a fault's text is one line; JSON, tables, rows and the paper form come out whole.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "fexport.h"
#include "fill_int.h"
#include "flint.h"
#include "fmark.h"
#include "fold.h"
#include "fpaper.h"
#include "instance.h"
#include "render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char separator[] = "\n====\n";
/* Small, so that an input made to compute without end ends soon; the bound is what counts. */
#define INPUT_MAX 60000

static void one_sentence(const char *s)
{
	const char *at = s, *end = s + strlen(s), *before;
	unsigned c;

	assert(s[0] != '\0');
	while (at < end) {
		before = at;
		c = fold_utf8(&at, end);
		assert(c >= 32 && c != 127 && !(c >= 128 && c < 160));
		assert(c != 0xfffd || at - before == 3);
	}
}

static void check_faults(const struct faults *l, bool is_of_submission)
{
	size_t i;

	for (i = 0; i < faults_count(l); i++) {
		one_sentence(faults_at(l, i)->text);
		if (is_of_submission && faults_at(l, i)->kind != FAULT_FILE) {
			fprintf(stderr, "%s\n", faults_at(l, i)->text);
			abort();
		}
	}
}

static void count_up(void *ctx, uint8_t *out, size_t n)
{
	while (n-- > 0)
		*out++ = (uint8_t)(*(unsigned *)ctx)++;
}

static bool on_row(void *ctx, const struct render_row *row)
{
	assert(row->label != NULL && row->value != NULL && row->shown != NULL && row->path != NULL);
	return true;
}

static bool on_step(void *ctx, const struct fill_step *step)
{
	assert(step->label != NULL && step->path[0] == '/');
	return true;
}

static bool on_mark(void *ctx, const struct fmark *m)
{
	assert(m->path[0] == '/' && m->label != NULL && m->shown != NULL);
	return true;
}

/* Every row has as many fields as the header. */
static void check_table(const uint8_t *s, size_t len)
{
	size_t i, fields = 1, wanted = 0;
	bool is_quoted = false;

	assert(len > 0 && s[len - 1] == '\n');
	for (i = 0; i < len; i++) {
		if (s[i] == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && s[i] == ',')
			fields++;
		else if (!is_quoted && s[i] == '\n') {
			assert(wanted == 0 || fields == wanted);
			wanted = fields;
			fields = 1;
		}
	}
	assert(!is_quoted);
}

static void use_instance(const struct xform *f, const uint8_t *xml, size_t len, bool is_of_submission)
{
	static const struct fclock now = {1795534200000, -360};
	char why[INSTANCE_WHY_SIZE], *text;
	struct faults *l = faults_new();
	struct instance *in;
	struct fexport *x;
	uint8_t *json;
	size_t n;

	assert(l != NULL);
	if (instance_parse(&in, f, xml, len, why) != PERR_OK) {
		one_sentence(why);
		assert(in == NULL && !is_of_submission);
		goto out;
	}
	assert(render_rows(in, "es", RENDER_META, on_row, NULL) != PERR_STATE);
	if (render_text(in, &text, &n) == PERR_OK) {
		assert(strlen(text) == n);
		free(text);
	}
	if (fexport_json(in, &json, &n) == PERR_OK) {
		assert(n > 2 && json[0] == '{' && json[n - 1] == '}');
		free(json);
	}
	if (f == NULL)
		goto out;
	assert(instance_check(in, INSTANCE_BASIC, NULL, &now, l) == PERR_OK);
	check_faults(l, is_of_submission);
	(void)!instance_check(in, INSTANCE_FULL, NULL, &now, l);
	check_faults(l, false);
	(void)!fmark_each(in, NULL, &now, on_mark, NULL);
	x = fexport_new(f, FEXPORT_SAFE | FEXPORT_SPLIT | FEXPORT_OTHER, NULL);
	if (x != NULL && fexport_add(x, in, "KEY") == PERR_OK) {
		const uint8_t *table = fexport_bytes(x, 0, &n);

		check_table(table, n);
	}
	fexport_free(x);
out:
	instance_free(in);
	faults_free(l);
}

static void use_session(const struct xform *f)
{
	unsigned counter = 0, i;
	struct fill_env env = {NULL, {1795534200000, -360}, count_up, &counter};
	struct fill *s, *again;
	char why[FILL_WHY_SIZE];
	uint8_t *draft, *second, *xml;
	size_t len, second_len;

	if (fill_new(&s, f, &env, why) != PERR_OK) {
		one_sentence(why);
		return;
	}
	for (i = 0; i < 6; i++) {
		if (s->at.ctl != NULL && s->at.ctl->kind == FCTL_REPEAT)
			(void)!fill_add_repeat(s);
		if (fill_answer(s, "1", 1, why) == PERR_RANGE)
			one_sentence(why);
		if (fill_next(s) != PERR_OK)
			break;
	}
	(void)!fill_review(s, on_step, NULL);
	assert(fill_draft(s, &draft, &len) == PERR_OK);
	if (fill_open(&again, f, &env, draft, len, why) == PERR_OK) {
		/* Calculations that need each other have no value that could come back. */
		if (fill_draft(again, &second, &second_len) == PERR_OK && !s->ev.is_circular
		    && !again->ev.is_circular && s->ev.why[0] == '\0')
			assert(len == second_len && memcmp(draft, second, len) == 0);
		free(second);
		fill_free(again);
	} else {
		one_sentence(why);
		assert(strncmp(why, "The draft", 9) != 0 && strncmp(why, "This is no", 10) != 0);
	}
	free(draft);
	if (fill_submission(s, &xml, &len) == PERR_OK) {
		use_instance(f, xml, len, true);
		free(xml);
	}
	fill_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size == 0 ? NULL : memmem(data, size, separator, sizeof separator - 1);
	size_t form_len = cut == NULL ? size : (size_t)(cut - data);
	const uint8_t *xml = cut == NULL ? data + size : cut + sizeof separator - 1;
	struct fpaper_options o = {FPAPER_A4, "es", NULL, NULL, 1};
	char why[XFORM_WHY_SIZE];
	struct faults *l;
	struct xform *f;
	uint8_t *html;
	size_t len;

	if (size > INPUT_MAX)
		return 0;
	if (xform_parse(&f, data, form_len, why) != PERR_OK) {
		one_sentence(why);
		assert(f == NULL);
		use_instance(NULL, xml, (size_t)(data + size - xml), false);
		return 0;
	}
	l = faults_new();
	assert(l != NULL && flint_check(f, l) == PERR_OK);
	check_faults(l, false);
	faults_free(l);
	if (fpaper_html(f, &o, &html, &len) == PERR_OK) {
		assert(len > 8 && memcmp(html + len - 8, "</html>\n", 8) == 0);
		free(html);
	}
	use_session(f);
	use_instance(f, xml, (size_t)(data + size - xml), false);
	xform_free(f);
	return 0;
}
