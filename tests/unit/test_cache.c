/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Forms that are held live on, whatever rosters come; the others do not pile up. */
#include "fixture_org.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case.h"
#include "export_tables.h"
#include "fexport.h"
#include "interview.h"
#include "kv.h"
#include "roster.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define ID "raid-intake"
#define VERSION "2026112401"

static struct fixture *f;

static int setup(void **state)
{
	f = fixture_new();
	return 0;
}

static int teardown(void **state)
{
	fixture_free(f);
	return 0;
}

/* a roster whose forms are all others, so and so many */
struct other {
	struct roster_field field;
	struct roster_form forms[ROSTER_FORMS_MAX];
	char versions[ROSTER_FORMS_MAX][16];
	struct roster_field *was;
};

static struct other *replace_all(struct client *c, unsigned seed)
{
	struct other *o = calloc(1, sizeof *o);

	assert_non_null(o);
	o->was = c->field;
	o->field = *c->field;
	o->field.forms = o->forms;
	o->field.n_forms = ROSTER_FORMS_MAX;
	OK(kv_begin(c->kv));
	for (unsigned i = 0; i < ROSTER_FORMS_MAX; i++) {
		char xml[1024], name[96];

		snprintf(o->versions[i], sizeof o->versions[i], "%u", seed * 1000 + i);
		o->forms[i] = (struct roster_form){ .id = "other", .version = o->versions[i],
		                                    .title = "Other", .active = true };
		memset(o->forms[i].part, (int)i, 32);
		o->forms[i].part[0] = (uint8_t)seed;
		snprintf(xml, sizeof xml, "<h:html xmlns=\"http://www.w3.org/2002/xforms\" "
		         "xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head><h:title>Other</h:title><model>"
		         "<instance><data id=\"other\" version=\"%s\"><a/></data></instance>"
		         "<bind nodeset=\"/data/a\" type=\"string\"/></model></h:head><h:body>"
		         "<input ref=\"/data/a\"><label>A</label></input></h:body></h:html>",
		         o->versions[i]);
		client_key_name(name, "form/", o->forms[i].part, 32);
		OK(kv_put(c->kv, name, (const uint8_t *)xml, strlen(xml)));
	}
	OK(kv_commit(c->kv));
	c->field = &o->field;
	for (unsigned i = 0; i < ROSTER_FORMS_MAX; i++) {
		const struct xform *form;

		OK(cache_form(c, "other", o->versions[i], &form));
		assert_string_equal(xform_version(form), o->versions[i]);
	}
	return o;
}

static void put_back(struct client *c, struct other *o)
{
	c->field = o->was;
	free(o);
}

static void an_open_interview_keeps_its_form_when_all_are_replaced(void **state)
{
	struct client *c = fix(f, FIX_VOLUNTEER0);
	struct interview iv = { .c = NULL };
	const struct xform *form;
	struct fill_step step;
	char why[FILL_WHY_SIZE];
	struct other *o;

	OK(interview_new(&iv, c, false, 0));
	strcpy(iv.d->head.form_id, ID);
	strcpy(iv.d->head.form_version, VERSION);
	OK(interview_load(&iv));
	interview_choose_lang(&iv, "es");
	OK(interview_open(&iv, why));
	for (unsigned seed = 1; seed <= 3; seed++) {
		o = replace_all(c, seed);
		OK(interview_step(&iv, &step));
		assert_int_not_equal(step.label[0], 0);
		assert_string_equal(xform_version(iv.form), VERSION);
		put_back(c, o);
		/* it is the same one that is found again */
		OK(cache_form(c, ID, VERSION, &form));
		assert_ptr_equal(form, iv.form);
	}
	interview_free(&iv);
}

static enum perr count_bytes(void *ctx, const char *dir, const char *name, const uint8_t *data,
                             size_t len)
{
	*(size_t *)ctx += len;
	return PERR_OK;
}

static size_t tables_of_one_case(bool between)
{
	struct client *c = fix(f, FIX_HOLDER0);
	struct export_tables *x;
	struct case_file *file;
	struct other *o = NULL;
	uint8_t record[STATEMENT_RECORD_SIZE];
	size_t bytes = 0;
	const struct export_sink sink = { .file = count_bytes, .ctx = &bytes };
	unsigned n;

	fixture_only_case(f, FIX_HOLDER0, record);
	OK(export_tables_new(&x, c, FEXPORT_SAFE | FEXPORT_LABELS, NULL));
	OK(case_open(c, record, &file));
	OK(export_tables_add(x, file, &n));
	if (between)
		o = replace_all(c, 7);
	OK(export_tables_write(x, &sink, &n));
	case_close(file);
	export_tables_free(x);
	if (between)
		put_back(c, o);
	return bytes;
}

static void tables_keep_their_forms_when_all_are_replaced(void **state)
{
	size_t alone, between;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 1, NULL);
	fixture_sync(f, FIX_HOLDER0);
	alone = tables_of_one_case(false);
	between = tables_of_one_case(true);
	assert_true(alone > 500);
	assert_int_equal(between, alone);
}

/* as many as a roster lists at most, and those that are held */
static void what_nobody_holds_does_not_pile_up(void **state)
{
	struct client *c = fix(f, FIX_VOLUNTEER0);
	const struct xform *held, *again, *form;
	struct other *o, *first = replace_all(c, 1);

	OK(cache_form(c, "other", "1000", &form));
	OK(cache_form_hold(c, "other", "1001", &held));
	OK(cache_form_hold(c, "other", "1001", &again));
	assert_ptr_equal(held, again);
	cache_form_drop(c, again);
	for (unsigned seed = 2; seed < 40; seed++) {
		o = replace_all(c, seed);
		put_back(c, o);
	}
	OK(cache_form(c, "other", "1001", &again));
	assert_ptr_equal(again, held);
	cache_form_drop(c, held);
	cache_form_drop(c, NULL);
	put_back(c, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_open_interview_keeps_its_form_when_all_are_replaced,
		                                setup, teardown),
		cmocka_unit_test_setup_teardown(tables_keep_their_forms_when_all_are_replaced, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(what_nobody_holds_does_not_pile_up, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
