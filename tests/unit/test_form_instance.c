/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "form_test.h"

static void instance_names_its_form_and_files(void **state)
{
	struct xform *f = form_of(FAMILY_FORM);
	struct instance *in = instance_of(f, FAMILY_DATA);

	assert_string_equal(instance_form_id(in), "family");
	assert_string_equal(instance_form_version(in), "2026112401");
	assert_string_equal(instance_id(in), "uuid:1");
	assert_int_equal(instance_n_files(in), 1);
	assert_string_equal(instance_file(in, 0), "id.jpg");
	assert_null(instance_file(in, 1));
	assert_string_equal(instance_value(in, "/data/name"), "Ana Qʼanil");
	assert_string_equal(instance_value(in, "/data/kids/age"), "7");
	assert_string_equal(instance_value(in, "/data/kids[2]/age"), "2");
	assert_null(instance_value(in, "/data/kids[3]/age"));
	assert_null(instance_value(in, "/other/name"));
	assert_null(instance_value(in, "name"));
	instance_free(in);
	xform_free(f);
}

static void instance_without_its_form_can_still_be_read(void **state)
{
	struct instance *in = instance_of(NULL, FAMILY_DATA);
	struct faults *l = faults_new();

	assert_string_equal(instance_form_id(in), "family");
	assert_string_equal(instance_value(in, "/data/taken"), "2026-11-24");
	assert_int_equal(instance_check(in, INSTANCE_BASIC, NULL, NULL, l), PERR_STATE);
	faults_free(l);
	instance_free(in);
}

static void instance_check_names_each_fault(void **state)
{
	static const char *const form = FORM("<q/><g><p/></g><b/>", "<bind nodeset='/data/b' type='binary'/>",
		"<input ref='/data/q'><label>Who?</label></input>"
		"<upload ref='/data/b'><label>Paper</label></upload>");

	check_faults(FAMILY_FORM, FAMILY_DATA, INSTANCE_BASIC, NULL);
	check_faults(form, DATA("<q>x</q>"), INSTANCE_BASIC, NULL);
	check_faults(form, "<data id='u' version='1'/>", INSTANCE_BASIC, "\"u\", not to \"t\"");
	check_faults(form, "<data id='t' version='0'/>", INSTANCE_BASIC, "version \"0\"");
	check_faults(form, "<data id='t'/>", INSTANCE_BASIC, "version \"\"");
	check_faults(form, "<d id='t' version='1'/>", INSTANCE_BASIC, "begin with \"d\"");
	check_faults(form, DATA("<z><y/></z>"), INSTANCE_BASIC, "no question \"z\" (/data/z)");
	check_faults(form, DATA("<g><y/></g>"), INSTANCE_BASIC, "/data/g/y");
	check_faults(form, DATA("<q/><q/>"), INSTANCE_BASIC, "\"Who?\" stands more than once");
	check_faults(form, DATA("<q><r/></q>"), INSTANCE_BASIC, "have a group there");
	check_faults(form, DATA("<g>text</g>"), INSTANCE_BASIC, "is a group");
	check_faults(form, DATA("<b>../../etc/passwd</b>"), INSTANCE_BASIC, "attachment of \"Paper\"");
	check_faults(form, DATA("<b>.profile</b>"), INSTANCE_BASIC, "attachment");
	check_faults(form, DATA("<b>a&#x202e;gpj.exe</b>"), INSTANCE_BASIC, "attachment");
	/* A client may add to the meta block what the form did not foresee. */
	check_faults(form, DATA("<meta><instanceID>uuid:1</instanceID><deprecatedID/></meta>"),
	             INSTANCE_BASIC, NULL);
	check_faults(FORM_HEAD "<instance><data id='t' version='1'><q/></data></instance></model></h:head>"
	             "<h:body/></h:html>", DATA("<meta><instanceID>uuid:1</instanceID></meta>"),
	             INSTANCE_BASIC, NULL);
}

static void instance_file_names_are_only_names(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "a\\b", ".hidden", "a\nb", "c:x",
	                                  "\xff", "a\xe2\x80\xae.b"};
	char name[INSTANCE_FILE_NAME_MAX + 2];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(instance_file_name_ok(bad[i]));
	assert_true(instance_file_name_ok("1700000000000.jpg"));
	assert_true(instance_file_name_ok("Acta de nacimiento – Qʼanil.jpg"));
	memset(name, 'a', sizeof name);
	name[INSTANCE_FILE_NAME_MAX] = '\0';
	assert_true(instance_file_name_ok(name));
	name[INSTANCE_FILE_NAME_MAX] = 'a';
	name[INSTANCE_FILE_NAME_MAX + 1] = '\0';
	assert_false(instance_file_name_ok(name));
}

static void instance_refuses_every_truncation(void **state)
{
	struct xform *f = form_of(FAMILY_FORM);
	char why[INSTANCE_WHY_SIZE];
	struct instance *in;
	size_t i;

	for (i = 0; i < strlen(FAMILY_DATA); i++) {
		assert_int_equal(instance_parse(&in, f, (const uint8_t *)FAMILY_DATA, i, why),
		                 PERR_FORMAT);
		assert_null(in);
		assert_int_equal(why[strlen(why) - 1], '.');
	}
	xform_free(f);
}

static void instance_takes_many_repeats_in_little_time(void **state)
{
	size_t i, n, n_kids = 12000;
	char *xml = malloc(64 * n_kids), why[INSTANCE_WHY_SIZE], *all;
	struct instance *in;

	n = (size_t)sprintf(xml, "<data id='family' version='2026112401'>");
	for (i = 0; i < n_kids; i++)
		n += (size_t)sprintf(xml + n, "<kids><first>K%zu</first><age>3</age></kids>", i);
	sprintf(xml + n, "</data>");
	all = faults_of(FAMILY_FORM, xml, INSTANCE_BASIC);
	assert_string_equal(all, "");
	free(all);
	/* The same as 12,000 answers to one question: one fault each, the list stays short. */
	n = (size_t)sprintf(xml, "<data id='family' version='2026112401'>");
	for (i = 0; i < n_kids; i++)
		n += (size_t)sprintf(xml + n, "<name/>");
	sprintf(xml + n, "</data>");
	all = faults_of(FAMILY_FORM, xml, INSTANCE_BASIC);
	assert_true(strlen(all) < FAULTS_MAX * 200);
	free(all);
	xml = realloc(xml, 600000);
	n = (size_t)sprintf(xml, "<data id='family' version='2026112401'>");
	for (i = 0; i < 60000; i++)
		n += (size_t)sprintf(xml + n, "<name/>");
	assert_int_equal(instance_parse(&in, NULL, (const uint8_t *)xml, n, why), PERR_LIMIT);
	assert_non_null(strstr(why, "too many"));
	free(xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instance_names_its_form_and_files),
		cmocka_unit_test(instance_without_its_form_can_still_be_read),
		cmocka_unit_test(instance_check_names_each_fault),
		cmocka_unit_test(instance_file_names_are_only_names),
		cmocka_unit_test(instance_refuses_every_truncation),
		cmocka_unit_test(instance_takes_many_repeats_in_little_time),
	};

	return cmocka_run_group_tests_name("form_instance", tests, NULL, NULL);
}
