/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Corrections put into the answers they correct. */
#include "form_test.h"
#include "fpatch.h"

static struct xform *form;
static struct instance *in;
static struct fpatch p[8];
static size_t n;

#define KIDS "<repeat nodeset='/data/kid'><input ref='/data/kid/name'><label>Name</label></input>" \
	"<input ref='/data/kid/age'><label>Age</label></input>" \
	"<group ref='/data/kid/meds'><repeat nodeset='/data/kid/meds/med'>" \
	"<input ref='/data/kid/meds/med/what'><label>What</label></input></repeat></group></repeat>"
#define LAND FORM("<who/><held/><where/><kid jr:template=''><name/><age/><meds>" \
	"<med jr:template=''><what/></med></meds></kid><n_kids/><made/><older/><end/>", \
	"<bind nodeset='/data/where' relevant=\"/data/held = 'yes'\"/>" \
	"<bind nodeset='/data/kid/age' type='int'/>" \
	"<bind nodeset='/data/n_kids' calculate='count(/data/kid)'/>" \
	"<bind nodeset='/data/made' calculate='uuid()'/>" \
	"<bind nodeset='/data/older' calculate='max(/data/kid/age)'/>" \
	"<bind nodeset='/data/end' calculate='now()'/>", \
	"<input ref='/data/who'><label>Who</label></input><input ref='/data/held'><label>Held</label>" \
	"</input><input ref='/data/where'><label>Where</label></input>" KIDS)
#define TWO DATA("<who>Rosa</who><held>no</held><kid><name>Luz</name><age>7</age><meds/></kid>" \
	"<kid><name>Mar</name><age>9</age><meds><med><what>Insulin</what></med></meds></kid>" \
	"<n_kids>2</n_kids><made>0123</made><older>9</older><end>2026-11-24T08:00:00.000-06:00</end>" \
	"<meta><instanceID>uuid:1</instanceID></meta>")

static void correct(const char *path, const char *value)
{
	p[n].path = path;
	p[n].value = value;
	p[n].len = value == NULL ? 0 : strlen(value);
	p[n++].keep = false;
}

static void begin(bool with_form)
{
	n = 0;
	form = form_of(LAND);
	in = instance_of(with_form ? form : NULL, TWO);
}

static void end(void)
{
	instance_free(in);
	xform_free(form);
}

static void is(const char *path, const char *value)
{
	const char *now = instance_value(in, path);

	if (value == NULL)
		assert_null(now);
	else if (now == NULL)
		fail_msg("nothing at %s", path);
	else
		assert_string_equal(now, value);
}

static void apply(void)
{
	assert_int_equal(fpatch_apply(in, p, n, &noon), PERR_OK);
}

static void named(const char *path, const char *want)
{
	char *sent;

	assert_int_equal(fpatch_sent_path(in, path, &sent), PERR_OK);
	assert_string_equal(sent, want);
	free(sent);
}

static void answers_are_replaced_and_taken_away(void **state)
{
	begin(true);
	correct("/data/who", "  Rosa M. \n");
	correct("/data/kid[2]/age", NULL);
	correct("/data/where", "Jena");          /* it was not asked, so the document lacks it */
	correct("/data/held", "yes");
	apply();
	is("/data/who", "Rosa M.");
	is("/data/kid[2]/age", "");
	is("/data/kid[1]/age", "7");
	is("/data/where", "Jena");
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i].fate, FPATCH_DONE);
	assert_string_equal(p[0].before, "Rosa");
	assert_string_equal(p[1].before, "9");
	assert_string_equal(p[1].at, "/data/kid[2]/age");
	assert_string_equal(p[2].before, "");
	end();
}

static void what_is_calculated_follows_only_what_changed(void **state)
{
	begin(true);
	correct("/data/kid/age", "12");
	correct("/data/kid[+1@0123456789abcdef]/name", "Sol");
	apply();
	is("/data/older", "12");
	is("/data/n_kids", "3");
	is("/data/made", "0123");                /* chance and the clock were right then */
	is("/data/end", "2026-11-24T08:00:00.000-06:00");
	assert_true(fpatch_is_anew(in, "/data/older"));
	assert_true(fpatch_is_anew(in, "/data/n_kids"));
	assert_false(fpatch_is_anew(in, "/data/made"));
	assert_false(fpatch_is_anew(in, "/data/who"));
	end();
}

static void places_are_those_of_the_interview_as_sent(void **state)
{
	begin(true);
	correct("/data/kid", NULL);
	correct("/data/kid[2]/name", "María");
	correct("/data/kid[3]/name", "nobody");
	correct("/data/kid/age", "8");
	correct("/data/kid[+1@aaaaaaaaaaaaaaaa]/name", "Sol");
	correct("/data/kid[+1@aaaaaaaaaaaaaaaa]/meds/med[+1@bbbbbbbbbbbbbbbb]/what", "Inhaler");
	correct("/data/kid[2]/meds/med/what", "Insulin, twice");
	apply();
	is("/data/kid[1]/name", "María");
	is("/data/kid[1]/meds/med/what", "Insulin, twice");
	is("/data/kid[2]/name", "Sol");
	is("/data/kid[2]/meds/med/what", "Inhaler");
	is("/data/kid[3]", NULL);
	is("/data/n_kids", "2");
	assert_int_equal(p[0].fate, FPATCH_DONE);
	assert_string_equal(p[0].at, "");
	assert_int_equal(p[1].fate, FPATCH_DONE);
	assert_string_equal(p[1].at, "/data/kid[1]/name");
	assert_int_equal(p[2].fate, FPATCH_NO_PLACE);
	assert_int_equal(p[3].fate, FPATCH_TAKEN_OUT);
	assert_string_equal(p[5].at, "/data/kid[2]/meds/med[1]/what");
	/* and back to the names by which they are corrected again */
	named("/data/kid[1]/name", "/data/kid[2]/name");
	named("/data/kid[2]/meds/med[1]/what", p[5].path);
	named("/data/who", "/data/who");
	end();
}

static void one_that_is_kept_is_not_taken_out(void **state)
{
	begin(true);
	correct("/data/kid[2]", NULL);
	p[0].keep = true;
	correct("/data/kid[2]/age", "10");
	apply();
	is("/data/kid[2]/age", "10");
	end();
}

static void what_does_not_fit_changes_nothing(void **state)
{
	uint8_t *a, *b;
	size_t a_len, b_len;

	begin(true);
	assert_int_equal(fpatch_write(in, &a, &a_len), PERR_OK);
	correct("/data/alien", "A1");
	correct("/other/who", "x");
	correct("/data/who[2]", "x");
	correct("/data/meta/instanceID", "x");
	correct("/data/n_kids", "44");
	correct("/data/kid", "text");
	correct("/data/kid[+1@0123456789abcdef]/alien", "x");
	correct("/data/who", "\x01");
	apply();
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i].fate, i == 4 ? FPATCH_COMPUTED : FPATCH_UNKNOWN);
	assert_int_equal(fpatch_write(in, &b, &b_len), PERR_OK);
	assert_int_equal(a_len, b_len);
	assert_memory_equal(a, b, a_len);
	free(a);
	free(b);
	end();
}

static void without_its_form_what_stands_there_can_be_corrected(void **state)
{
	begin(false);
	correct("/data/who", "Rosa M.");
	correct("/data/where", "Jena");
	correct("/data/kid[+1@0123456789abcdef]", "");
	correct("/data/kid[2]/meds/med", NULL);
	apply();
	is("/data/who", "Rosa M.");
	is("/data/where", NULL);
	assert_int_equal(p[1].fate, FPATCH_UNKNOWN);
	assert_int_equal(p[2].fate, FPATCH_DONE);
	assert_non_null(instance_value(in, "/data/kid[3]"));
	end();
}

static void what_is_written_reads_back_the_same(void **state)
{
	struct instance *again;
	char why[INSTANCE_WHY_SIZE];
	uint8_t *xml, *twice;
	size_t len, twice_len;

	begin(true);
	correct("/data/who", "<R> & \"M\"");
	correct("/data/kid[+1@0123456789abcdef]/name", "Sol");
	apply();
	assert_int_equal(fpatch_write(in, &xml, &len), PERR_OK);
	assert_int_equal(instance_parse(&again, form, xml, len, why), PERR_OK);
	assert_string_equal(instance_value(again, "/data/who"), "<R> & \"M\"");
	assert_string_equal(instance_value(again, "/data/kid[3]/name"), "Sol");
	assert_string_equal(instance_form_id(again), "t");
	assert_int_equal(fpatch_write(again, &twice, &twice_len), PERR_OK);
	assert_int_equal(len, twice_len);
	assert_memory_equal(xml, twice, len);
	instance_free(again);
	free(xml);
	free(twice);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_replaced_and_taken_away),
		cmocka_unit_test(what_is_calculated_follows_only_what_changed),
		cmocka_unit_test(places_are_those_of_the_interview_as_sent),
		cmocka_unit_test(one_that_is_kept_is_not_taken_out),
		cmocka_unit_test(what_does_not_fit_changes_nothing),
		cmocka_unit_test(without_its_form_what_stands_there_can_be_corrected),
		cmocka_unit_test(what_is_written_reads_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
