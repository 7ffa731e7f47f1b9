/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <time.h>

#include "form_test.h"
#include "fexport.h"
#include "render.h"

#define KIDS_FORM FORM( \
	"<name/><when/><home/><langs/><g><kid jr:template=''><first/><age/><toy jr:template=''>" \
	"<what/></toy></kid><note/></g>", \
	"<bind nodeset='/data/when' type='date'/><bind nodeset='/data/home' type='geopoint'/>" \
	"<bind nodeset='/data/g/kid/age' type='int'/><bind nodeset='/data/g/note' readonly='true()'/>", \
	"<input ref='/data/name'/><input ref='/data/when'/><input ref='/data/home'/>" \
	"<select ref='/data/langs'><label>L</label><item><label>Spanish</label><value>es</value>" \
	"</item><item><label>Mam</label><value>mam</value></item></select>" \
	"<group ref='/data/g'><repeat nodeset='/data/g/kid'><input ref='/data/g/kid/first'/>" \
	"<input ref='/data/g/kid/age'/><repeat nodeset='/data/g/kid/toy'>" \
	"<input ref='/data/g/kid/toy/what'/></repeat></repeat><input ref='/data/g/note'/></group>")
#define KIDS_DATA DATA( \
	"<name>Ana \"la\" Qʼanil, H.</name><when>2026-11-24</when><home>14.5 -91.4 0 5</home>" \
	"<langs>mam es</langs><g><kid><first>Luz</first><age>7</age><toy><what>ball</what></toy>" \
	"<toy><what>doll</what></toy></kid><kid><first>=SUM(A1)</first><age>-3</age></kid><note/></g>" \
	"<meta><instanceID>uuid:1</instanceID></meta>")

static void table_is(struct fexport *x, size_t i, const char *name, const char *expected)
{
	const uint8_t *bytes;
	size_t len;

	assert_string_equal(fexport_name(x, i), name);
	bytes = fexport_bytes(x, i, &len);
	assert_int_equal(strlen((const char *)bytes), len);
	assert_string_equal((const char *)bytes, expected);
}

static void fexport_writes_one_row_a_case_and_a_table_a_repeat(void **state)
{
	struct xform *f = form_of(KIDS_FORM);
	struct instance *in = instance_of(f, KIDS_DATA), *empty = instance_of(f, DATA(""));
	struct fexport *x = fexport_new(f, 0, NULL);

	assert_int_equal(fexport_n_tables(x), 3);
	assert_int_equal(fexport_add(x, in, NULL), PERR_OK);
	assert_int_equal(fexport_add(x, empty, "CASE2"), PERR_OK);
	table_is(x, 0, "t.csv",
		"SubmissionDate,name,when,home-Latitude,home-Longitude,home-Altitude,home-Accuracy,langs,"
		"g-note,meta-instanceID,KEY,FormVersion\n"
		",\"Ana \"\"la\"\" Qʼanil, H.\",2026-11-24,14.5,-91.4,0,5,mam es,,uuid:1,uuid:1,1\n"
		",,,,,,,,,,CASE2,1\n");
	table_is(x, 1, "t-g-kid.csv", "first,age,PARENT_KEY,KEY\n"
		"Luz,7,uuid:1,uuid:1/g/kid[1]\n=SUM(A1),-3,uuid:1,uuid:1/g/kid[2]\n");
	table_is(x, 2, "t-g-kid-toy.csv", "what,PARENT_KEY,KEY\n"
		"ball,uuid:1/g/kid[1],uuid:1/g/kid[1]/toy[1]\n"
		"doll,uuid:1/g/kid[1],uuid:1/g/kid[1]/toy[2]\n");
	assert_null(fexport_name(x, 3));
	fexport_free(x);
	instance_free(empty);
	instance_free(in);
	xform_free(f);
}

static void fexport_can_disarm_formulas_split_and_label(void **state)
{
	struct xform *f = form_of(KIDS_FORM);
	struct instance *in = instance_of(f, KIDS_DATA);
	struct fexport *x = fexport_new(f, FEXPORT_SAFE | FEXPORT_SPLIT | FEXPORT_LABELS, "en");
	const char *all;
	size_t len;

	assert_int_equal(fexport_add(x, in, NULL), PERR_OK);
	all = (const char *)fexport_bytes(x, 0, &len);
	assert_non_null(strstr(all, ",langs,langs/es,langs/mam,"));
	assert_non_null(strstr(all, ",\"Mam, Spanish\",1,1,"));
	assert_non_null(strstr(all, ",14.5,-91.4,"));
	all = (const char *)fexport_bytes(x, 1, &len);
	assert_non_null(strstr(all, "'=SUM(A1),-3,"));
	fexport_free(x);
	instance_free(in);
	xform_free(f);
}

/* Version 2 drops a question and a repeat, adds one, moves one, and makes a text a place. */
#define OLD_FORM FORM("<name/><gone/><where/><g><a/><lost/></g><kid jr:template=''><n/></kid>", \
	"<bind nodeset='/data/g/a' type='int'/>", \
	"<input ref='/data/name'/><input ref='/data/gone'/><input ref='/data/where'/>" \
	"<select ref='/data/g/a'><item><label>X</label><value>x</value></item></select>" \
	"<input ref='/data/g/lost'/><group ref='/data/kid'><repeat nodeset='/data/kid'>" \
	"<input ref='/data/kid/n'/></repeat></group>")
#define NEW_DATA "<data id='t' version='2'>"
static struct xform *new_form(void)
{
	char form[] = FORM("<where/><name/><g><a/><fresh/></g>", "<bind nodeset='/data/where' type='geopoint'/>",
		"<input ref='/data/where'/><input ref='/data/name'/><select ref='/data/g/a'>"
		"<item><label>Y</label><value>y</value></item></select><input ref='/data/g/fresh'/>");

	memcpy(strstr(form, "version='1'"), "version='2'", 11);
	return form_of(form);
}

static void fexport_joins_versions_and_keeps_what_is_gone(void **state)
{
	static const char *const more[] = {"CaseCode"};
	const char *first[] = {"AAAAA"}, *second[] = {"=B"};
	struct xform *old = form_of(OLD_FORM), *new = new_form();
	const struct xform *both[] = {new, old};
	struct instance *a = instance_of(old, DATA("<name>Ana</name><gone>g</gone><where>church hall in town</where>"
		"<g><a>x</a><lost>l</lost></g><kid><n>1</n></kid><kid><n>2</n></kid>"
		"<meta><instanceID>u1</instanceID></meta>"));
	struct instance *b = instance_of(new, NEW_DATA "<where>14.5 -91.4 0 5</where><name>Ben</name>"
		"<g><a>y</a><fresh>f</fresh></g><meta><instanceID>u2</instanceID></meta></data>");
	struct fexport *x = fexport_new_versions("t", both, 2, FEXPORT_SPLIT | FEXPORT_OTHER | FEXPORT_SAFE, NULL);

	fexport_more(x, more, 1);
	assert_int_equal(fexport_add_with(x, a, NULL, first), PERR_OK);
	assert_int_equal(fexport_add_with(x, b, NULL, second), PERR_OK);
	assert_int_equal(fexport_n_tables(x), 2);
	table_is(x, 0, "t.csv",
		"SubmissionDate,where-Latitude,where-Longitude,where-Altitude,where-Accuracy,name,g-a,g-a/y,"
		"g-a/x,g-fresh,g-lost,meta-instanceID,gone,where,KEY,FormVersion,OtherAnswers,CaseCode\n"
		",,,,,Ana,x,0,1,,l,u1,g,church hall in town,u1,1,,AAAAA\n"
		",14.5,-91.4,0,5,Ben,y,1,0,f,,u2,,,u2,2,,'=B\n");
	table_is(x, 1, "t-kid.csv", "n,PARENT_KEY,KEY\n1,u1,u1/kid[1]\n2,u1,u1/kid[2]\n");
	fexport_free(x);
	instance_free(a);
	instance_free(b);
	xform_free(old);
	xform_free(new);
}

static void fexport_keeps_answers_that_no_version_knows(void **state)
{
	struct xform *f = form_of(OLD_FORM);
	const struct xform *one[] = {f};
	struct instance *odd = instance_of(f, DATA("<name>Ana</name><name>twice</name><extra>e\"x</extra>"
		"<g>text<a>x</a><b><c>deep</c></b></g><kid><n>1</n><m>2</m></kid>"));
	struct instance *none = instance_of(NULL, "<data id='t' version='9'><x>1</x><y><z>2</z></y></data>");
	struct fexport *x = fexport_new_versions("t", one, 1, FEXPORT_OTHER, NULL), *y;
	size_t len;

	assert_int_equal(fexport_add(x, odd, "K1"), PERR_OK);
	assert_int_equal(fexport_add(x, none, "K2"), PERR_OK);
	table_is(x, 0, "t.csv", "SubmissionDate,name,gone,where,g-a,g-lost,meta-instanceID,KEY,FormVersion,"
		"OtherAnswers\n"
		",Ana,,,x,,,K1,1,\"{\"\"/data/name[2]\"\":\"\"twice\"\",\"\"/data/extra\"\":\"\"e\\\"\"x\"\","
		"\"\"/data/g/b/c\"\":\"\"deep\"\",\"\"/data/kid[1]/m\"\":\"\"2\"\"}\"\n"
		",,,,,,,K2,9,\"{\"\"/data/x\"\":\"\"1\"\",\"\"/data/y/z\"\":\"\"2\"\"}\"\n");
	fexport_free(x);
	/* no version at all is here; and without the column such an instance is refused */
	y = fexport_new_versions("../odd id", NULL, 0, FEXPORT_OTHER, NULL);
	assert_int_equal(fexport_add(y, none, NULL), PERR_OK);
	assert_string_equal(fexport_name(y, 0), "_._odd_id.csv");
	assert_non_null(strstr((const char *)fexport_bytes(y, 0, &len), "/data/y/z"));
	fexport_free(y);
	x = fexport_new(f, 0, NULL);
	assert_int_equal(fexport_add(x, none, NULL), PERR_STATE);
	fexport_free(x);
	instance_free(odd);
	instance_free(none);
	xform_free(f);
}

static void fexport_gives_every_row_its_own_key(void **state)
{
	struct xform *f = form_of(KIDS_FORM);
	struct instance *in = instance_of(f, KIDS_DATA);
	struct fexport *x = fexport_new(f, 0, NULL);
	const char *all;
	size_t len;

	for (int i = 0; i < 3; i++)
		assert_int_equal(fexport_add(x, in, "CODE"), PERR_OK);
	all = (const char *)fexport_bytes(x, 0, &len);
	assert_non_null(strstr(all, ",uuid:1,1\n"));
	assert_non_null(strstr(all, ",uuid:1~CODE,1\n"));
	assert_non_null(strstr(all, ",uuid:1~CODE~2,1\n"));
	all = (const char *)fexport_bytes(x, 1, &len);
	assert_non_null(strstr(all, ",uuid:1~CODE,uuid:1~CODE/g/kid[1]\n"));
	fexport_free(x);
	instance_free(in);
	xform_free(f);
}

static void fexport_tables_of_one_name_are_told_apart(void **state)
{
	struct xform *f = form_of(FORM("<a><b-c jr:template=''><x/></b-c></a><a-b><c jr:template=''><y/></c></a-b>",
		"", "<repeat nodeset='/data/a/b-c'><input ref='/data/a/b-c/x'/></repeat>"
		"<repeat nodeset='/data/a-b/c'><input ref='/data/a-b/c/y'/></repeat>"));
	struct fexport *x = fexport_new(f, 0, NULL);

	assert_string_equal(fexport_name(x, 1), "t-a-b-c.csv");
	assert_string_equal(fexport_name(x, 2), "t-a-b-c-2.csv");
	fexport_free(x);
	xform_free(f);
}

static void fexport_refuses_an_instance_of_another_form(void **state)
{
	struct xform *f = form_of(KIDS_FORM), *g = form_of(FAMILY_FORM);
	struct instance *in = instance_of(g, FAMILY_DATA);
	struct fexport *x = fexport_new(f, 0, NULL);

	assert_int_equal(fexport_add(x, in, NULL), PERR_STATE);
	fexport_free(x);
	instance_free(in);
	xform_free(f);
	xform_free(g);
}

static void fexport_takes_five_seconds_for_5000_cases(void **state)
{
	struct xform *f = form_of(FAMILY_FORM);
	struct fexport *x = fexport_new(f, 0, NULL);
	struct timespec a, b;
	double ms;
	size_t i, len;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 5000; i++) {
		struct instance *in = instance_of(f, FAMILY_DATA);

		assert_int_equal(fexport_add(x, in, NULL), PERR_OK);
		instance_free(in);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
	print_message("5,000 cases parsed and exported: %.0f ms (limit 5000)\n", ms);
	assert_true(ms < 30000);
	fexport_bytes(x, 0, &len);
	assert_true(len > 5000 * 50);
	fexport_free(x);
	xform_free(f);
}

static void json_is(const char *form, const char *data, const char *expected)
{
	struct xform *f = form == NULL ? NULL : form_of(form);
	struct instance *in = instance_of(f, data);
	uint8_t *json;
	size_t len;

	assert_int_equal(fexport_json(in, &json, &len), PERR_OK);
	assert_string_equal((char *)json, expected);
	assert_int_equal(strlen((char *)json), len);
	free(json);
	instance_free(in);
	xform_free(f);
}

static void fexport_json_has_types(void **state)
{
	json_is(KIDS_FORM, KIDS_DATA,
		"{\"form\":\"t\",\"version\":\"1\",\"instanceID\":\"uuid:1\",\"answers\":{"
		"\"name\":\"Ana \\\"la\\\" Qʼanil, H.\",\"when\":\"2026-11-24\",\"home\":\"14.5 -91.4 0 5\","
		"\"langs\":[\"mam\",\"es\"],\"g\":{\"kid\":[{\"first\":\"Luz\",\"age\":7,\"toy\":["
		"{\"what\":\"ball\"},{\"what\":\"doll\"}]},{\"first\":\"=SUM(A1)\",\"age\":-3}]},"
		"\"meta\":{\"instanceID\":\"uuid:1\"}}}");
	json_is(NULL, "<d id='x'><a>1</a><a>2</a><b>line\nbreak\t\\</b></d>",
		"{\"form\":\"x\",\"version\":\"\",\"instanceID\":\"\",\"answers\":{\"a\":[\"1\",\"2\"],"
		"\"b\":\"line\\nbreak\\u0009\\\\\"}}");
	json_is(KIDS_FORM, DATA("<g><kid><age>007</age></kid></g>"),
		"{\"form\":\"t\",\"version\":\"1\",\"instanceID\":\"\",\"answers\":{\"g\":{\"kid\":["
		"{\"age\":\"007\"}]}}}");
}

/* ---- choices from files ------------------------------------------------------------------ */

#define FILE_FORM FORM("<town/><pop/>", \
	"<instance id='towns' src='jr://file-csv/towns.csv'/><instance id='x' src='jr://file/x.xml'/>" \
	"<instance id='last' src='jr://instance/last-saved'/>" \
	"<bind nodeset='/data/pop' calculate=\"pulldata('towns', 'pop', 'name', /data/town)\"/>", \
	"<select1 ref='/data/town'><label>Town</label><itemset nodeset=\"instance('towns')/root/item\">" \
	"<value ref='name'/><label ref='label'/></itemset></select1>")

static enum perr supply(const char *csv, char why[XFORM_WHY_SIZE], struct xform **out)
{
	*out = form_of(FILE_FORM);
	return xform_supply(*out, "towns.csv", (const uint8_t *)csv, strlen(csv), why);
}

static void csv_gives(const char *csv, const char *label)
{
	struct instance *in;
	char why[XFORM_WHY_SIZE], *text;
	struct xform *f;
	size_t len;

	if (supply(csv, why, &f) != PERR_OK)
		fail_msg("%s: %s", csv, why);
	in = instance_of(f, DATA("<town>can</town>"));
	assert_int_equal(render_text(in, &text, &len), PERR_OK);
	if (strstr(text, label) == NULL)
		fail_msg("%s: no %s in %s", csv, label, text);
	free(text);
	instance_free(in);
	xform_free(f);
}

static void csv_refused(const char *csv, const char *part)
{
	char why[XFORM_WHY_SIZE];
	struct xform *f;

	assert_int_not_equal(supply(csv, why, &f), PERR_OK);
	if (strstr(why, part) == NULL)
		fail_msg("expected %s in %s", part, why);
	xform_free(f);
}

static void xform_supply_reads_csv(void **state)
{
	csv_gives("name,label\nmtn,Morton\ncan,Canton\n", "Canton");
	csv_gives("\xef\xbb\xbfname;label\r\ncan;Canton\r\n", "Canton");
	csv_gives("name\tlabel\ncan\tCanton", "Canton");
	csv_gives("label,name\n\"Canton, \"\"MS\"\"\",can\n", "Canton, \"MS\"");
	csv_gives("name,label,extra\n\ncan,\"two\nlines\",\n", "two\nlines");
	csv_gives(" name , label ,\ncan,Canton,\n", "Canton");
	csv_refused("name,label\ncan,\"open\n", "not closed");
	csv_refused("name,name\n", "one name");
	csv_refused("na me,label\n", "name");
	csv_refused("name,label\na,b,c\n", "more fields");
	csv_refused("name,label\n\"a\"b,c\n", "behind a closing quote");
	csv_refused("name,label\na,\xff\n", "UTF-8");
	csv_refused("name,label\na,\x01\n", "UTF-8");
	csv_refused("", "empty");
}

#define MAP_FORM FORM("<q/>", "<instance id='g' src='jr://file/g.geojson'/>", "<select1 ref='/data/q'>" \
	"<label>Q</label><itemset nodeset=\"instance('g')/root/item\"><value ref='id'/><label ref='title'/>" \
	"</itemset></select1>")

static void geojson(const char *json, size_t len, const char *part)
{
	struct xform *f = form_of(MAP_FORM);
	char why[XFORM_WHY_SIZE];
	enum perr err = xform_supply(f, "g.geojson", (const uint8_t *)json, len, why);

	if (part == NULL && err != PERR_OK)
		fail_msg("%s in %s", why, json);
	if (part != NULL && (err != PERR_FORMAT || strstr(why, part) == NULL || why[strlen(why) - 1] != '.'))
		fail_msg("expected \"%s\", have \"%s\" for %s", part, why, json);
	xform_free(f);
}

static void xform_supply_reads_geojson(void **state)
{
	static const char whole[] = "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"id\":1,"
		"\"geometry\":{\"type\":\"Point\",\"coordinates\":[1,2]},\"properties\":{\"title\":\"a\\u00e9\"}}]}";
	static const char *const good[] = {
		whole, "{\"features\":[],\"type\":\"FeatureCollection\"}",
		"\xef\xbb\xbf { \"type\" : \"FeatureCollection\" , \"x\" : [ { } , [ ] , null , -1.5e3 ] , \"features\" : [ ] } \n",
	};
	static const struct {
		const char *json, *why;
	} bad[] = {
		{"[]", "\"{\" is missing"},
		{"{\"type\":\"Feature\",\"features\":[]}", "not a collection"},
		{"{\"type\":\"FeatureCollection\"}", "not a collection"},
		{"{\"type\":\"FeatureCollection\",\"features\":[]} x", "behind its end"},
		{"{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Point\"}]}", "not a feature"},
		{"{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"geometry\":{\"type\":\"MultiPoint\","
		 "\"coordinates\":[[1,2]]}}]}", "neither Point"},
		{"{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\","
		 "\"coordinates\":[1]}}]}", "pair of numbers"},
		{"{\"type\":\"\\ud800\"}", "half a character"}, {"{\"type\":\"\\ud800\\u0041\"}", "half a character"},
		{"{\"type\":\"\\u0000\"}", "a form cannot"}, {"{\"type\":\"\\x\"}", "unknown"},
		{"{\"type\":\"\\u12g4\"}", "not complete"}, {"{\"type\":\"\xff\"}", "UTF-8"},
		{"{\"a\":tru}", "a number is missing"}, {"{\"a\":[1}", "bracket"},
	};
	char deep[300];
	size_t i;

	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		geojson(good[i], strlen(good[i]), NULL);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		geojson(bad[i].json, strlen(bad[i].json), bad[i].why);
	for (i = 1; i < sizeof whole - 1; i++)
		geojson(whole, i, "");
	memset(deep, '[', sizeof deep);
	memcpy(deep, "{\"a\":", 5);
	geojson(deep, sizeof deep, "nested too deeply");
}

static void xform_supply_wants_the_files_the_form_names(void **state)
{
	static const char xml[] = "<root><item><name>a</name></item></root>";
	char why[XFORM_WHY_SIZE];
	struct xform *f;

	assert_int_equal(supply("name,label\n", why, &f), PERR_OK);
	assert_int_equal(xform_n_files(f), 2);
	assert_string_equal(xform_file(f, 0), "towns.csv");
	assert_string_equal(xform_file(f, 1), "x.xml");
	assert_int_equal(xform_supply(f, "towns.csv", (const uint8_t *)"a\n", 2, why), PERR_EXISTS);
	assert_int_equal(xform_supply(f, "no.csv", (const uint8_t *)"a\n", 2, why), PERR_NOTFOUND);
	assert_int_equal(xform_supply(f, "x.xml", (const uint8_t *)"<a", 2, why), PERR_FORMAT);
	assert_int_equal(xform_supply(f, "x.xml", (const uint8_t *)xml, sizeof xml - 1, why), PERR_OK);
	xform_free(f);
}

static void choices_from_a_file_are_checked(void **state)
{
	struct instance *in;
	struct faults *l = faults_new();
	char why[XFORM_WHY_SIZE];
	struct xform *f;

	assert_int_equal(supply("name,label\ncan,Canton\n", why, &f), PERR_OK);
	in = instance_of(f, DATA("<town>can</town>"));
	assert_int_equal(instance_check(in, INSTANCE_FULL, NULL, &noon, l), PERR_OK);
	assert_int_equal(faults_count(l), 0);
	instance_free(in);
	in = instance_of(f, DATA("<town>zzz</town>"));
	assert_int_equal(instance_check(in, INSTANCE_FULL, NULL, &noon, l), PERR_OK);
	assert_int_equal(faults_count(l), 1);
	faults_free(l);
	instance_free(in);
	xform_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fexport_writes_one_row_a_case_and_a_table_a_repeat),
		cmocka_unit_test(fexport_can_disarm_formulas_split_and_label),
		cmocka_unit_test(fexport_refuses_an_instance_of_another_form),
		cmocka_unit_test(fexport_joins_versions_and_keeps_what_is_gone),
		cmocka_unit_test(fexport_keeps_answers_that_no_version_knows),
		cmocka_unit_test(fexport_gives_every_row_its_own_key),
		cmocka_unit_test(fexport_tables_of_one_name_are_told_apart),
		cmocka_unit_test(fexport_takes_five_seconds_for_5000_cases),
		cmocka_unit_test(fexport_json_has_types),
		cmocka_unit_test(xform_supply_reads_csv),
		cmocka_unit_test(xform_supply_reads_geojson),
		cmocka_unit_test(xform_supply_wants_the_files_the_form_names),
		cmocka_unit_test(choices_from_a_file_are_checked),
	};

	return cmocka_run_group_tests_name("form_export", tests, NULL, NULL);
}
