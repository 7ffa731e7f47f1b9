/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <dirent.h>

#include "form_test.h"

static void xform_knows_its_name_languages_and_questions(void **state)
{
	struct xform *f = form_of(FAMILY_FORM);
	char label[XFORM_LABEL_SIZE];
	const char *value;

	assert_string_equal(xform_id(f), "family");
	assert_string_equal(xform_version(f), "2026112401");
	assert_string_equal(xform_title(f), "Test");
	assert_int_equal(xform_n_langs(f), 2);
	assert_string_equal(xform_lang(f, 1), "Español (es)");
	assert_null(xform_lang(f, 2));
	assert_string_equal(xform_default_lang(f), "English (en)");
	assert_int_equal(xform_find_lang(f, "es"), 1);
	assert_int_equal(xform_find_lang(f, "ES"), 1);
	assert_int_equal(xform_find_lang(f, "Español (es)"), 1);
	assert_int_equal(xform_find_lang(f, "mam"), 0);
	assert_int_equal(xform_find_lang(f, NULL), 0);
	assert_true(xform_has_lang(f, "en"));
	assert_false(xform_has_lang(f, "mam"));
	/* The note at the end has no number. */
	assert_int_equal(xform_n_questions(f), 7);
	assert_string_equal(xform_question_path(f, 6), "/data/kids/age");
	assert_null(xform_question_path(f, 8));
	xform_question_label(f, 6, "es", label);
	assert_string_equal(label, "Edad de …");
	xform_question_label(f, 0, "es", label);
	assert_string_equal(label, "");
	assert_string_equal(xform_marked(f, XFORM_IDENTITY, 0, &value), "/data/name");
	assert_string_equal(value, "true()");
	assert_null(xform_marked(f, XFORM_IDENTITY, 1, &value));
	xform_free(f);
}

static void xform_without_translations_has_one_nameless_language(void **state)
{
	struct xform *f = form_of(FORM("<q/>", "", "<input ref='/data/q'><label>Who?</label></input>"));
	char label[XFORM_LABEL_SIZE];

	assert_int_equal(xform_n_langs(f), 0);
	assert_string_equal(xform_default_lang(f), "");
	assert_int_equal(xform_find_lang(f, "es"), 0);
	xform_question_label(f, 1, "es", label);
	assert_string_equal(label, "Who?");
	xform_free(f);
}

static void xform_refuses_what_is_no_form(void **state)
{
	form_refused("<a/>", "no XForm");
	form_refused("hello", "well-formed");
	form_refused(FORM_HEAD "</model></h:head><h:body/></h:html>", "primary instance");
	form_refused(FORM_HEAD "<instance><data xmlns=''/></instance></model></h:head><h:body/></h:html>",
	             "no id");
	form_refused(FORM_HEAD "<instance><data id='t'>text</data></instance></model></h:head><h:body/>"
	             "</h:html>", "no questions");
	form_refused(FORM("<q/>", "<bind nodeset='/data/x'/>", ""), "/data/x");
	form_refused(FORM("<q/>", "", "<input ref='/data/x'><label>X</label></input>"), "/data/x");
	form_refused(FORM("<q/>", "<bind nodeset='/data/q'/><bind nodeset='/data/q'/>", ""),
	             "two binds");
	form_refused(FORM("<q/><q/>", "", ""), "twice");
	form_refused(FORM("<g><q/></g>", "", "<input ref='/data/g'><label>G</label></input>"),
	             "group");
	form_refused(FORM("<q/>", "", "<input ref='/data/q'><label ref=\"jr:itext('n')\"/></input>"),
	             "translations");
	form_refused(FORM("<r><q/></r>", "", "<repeat nodeset='/data/r'/><input ref='/data/r/q'>"
	             "<label>Q</label></input>"), "same repeat");
}

static void xform_refuses_features_by_name(void **state)
{
	form_refused(FORM("<q/>", "", "<secret ref='/data/q'><label>P</label></secret>"), "<secret>");
	form_refused(FORM("<q/>", "", "<input ref='/data/q' appearance='ex:org.app.X(a=1)'/>"),
	             "another app");
	form_refused(FORM("<q/>", "", "<select1 ref='/data/q' appearance=\"search('f')\"/>"), "search()");
	form_refused(FORM("<q/>", "<submission base64RsaPublicKey='AA'/>", ""), "base64RsaPublicKey");
	form_refused(FORM("<q/>", "<odk:recordaudio event='odk-instance-first-load' ref='/data/q'/>",
	             ""), "odk:recordaudio");
	form_refused(FORM("<q/>", "<instance id='g' src='http://example.org/a'/>", ""),
	             "only files handed over");
	form_refused(FORM("<q/>", "<bind nodeset='/data/q' type='intent'/>", ""), "intent");
	form_refused(FORM("<q/>", "", "<range ref='/data/q' start='1' end='5'/>"), "step");
	form_refused(FORM("<q/>", "", "<select1 ref='/data/q'><itemset nodeset=\"instance('no')/root/item\">"
	             "<value ref='v'/><label ref='l'/></itemset></select1>"), "instance('no')");
}

static void xform_refuses_bombs_in_one_sentence(void **state)
{
	char *xml = malloc(600000);
	size_t i, n;

	form_refused("<!DOCTYPE h [<!ENTITY a 'x'>]>" FORM("<q/>", "", ""), "DOCTYPE");
	n = (size_t)sprintf(xml, "%s<instance><data id='t'>", FORM_HEAD);
	for (i = 0; i < 100000; i++)
		n += (size_t)sprintf(xml + n, "<g>");
	form_refused(xml, "deep");
	free(xml);
}

static void xform_refuses_every_truncation(void **state)
{
	char why[XFORM_WHY_SIZE];
	struct xform *f;
	size_t i;

	for (i = 0; i < strlen(FAMILY_FORM); i += 7) {
		assert_int_not_equal(xform_parse(&f, (const uint8_t *)FAMILY_FORM, i, why), PERR_OK);
		assert_null(f);
	}
}

/* Forms of other people, where there are any: AMPARO_SHARED_FORMS names their folder. */
static void xform_accepts_real_forms(void **state)
{
	const char *folder = getenv("AMPARO_SHARED_FORMS");
	DIR *d = folder == NULL ? NULL : opendir(folder);
	char path[4096], why[XFORM_WHY_SIZE];
	static uint8_t bytes[1 << 20];
	struct dirent *e;
	struct xform *f;
	unsigned n = 0;
	FILE *in;
	size_t len;

	if (d == NULL)
		skip();
	while ((e = readdir(d)) != NULL) {
		if (strstr(e->d_name, ".form.xml") == NULL)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		in = fopen(path, "rb");
		assert_non_null(in);
		len = fread(bytes, 1, sizeof bytes, in);
		fclose(in);
		if (xform_parse(&f, bytes, len, why) != PERR_OK)
			fail_msg("%s: %s", e->d_name, why);
		xform_free(f);
		n++;
	}
	closedir(d);
	print_message("real forms accepted: %u\n", n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(xform_knows_its_name_languages_and_questions),
		cmocka_unit_test(xform_without_translations_has_one_nameless_language),
		cmocka_unit_test(xform_refuses_what_is_no_form),
		cmocka_unit_test(xform_refuses_features_by_name),
		cmocka_unit_test(xform_refuses_bombs_in_one_sentence),
		cmocka_unit_test(xform_refuses_every_truncation),
		cmocka_unit_test(xform_accepts_real_forms),
	};

	return cmocka_run_group_tests_name("form_xform", tests, NULL, NULL);
}
