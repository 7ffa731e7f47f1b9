/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the marks of a form make of a case: urgent, due, by whose name it is listed. */
#include "form_test.h"
#include "marks.h"

#define DAY 20781        /* 2026-11-24 */

static struct marks m;

static void read_marks(const char *binds, const char *answers, const char *lang)
{
	static const char body[] = "<input ref='/data/name'><label>Name</label></input>"
		"<input ref='/data/report'><label>Report</label></input>"
		"<input ref='/data/hearing'><label>Hearing</label></input>"
		"<repeat nodeset='/data/more'><input ref='/data/more/d'><label>More</label></input></repeat>";
	char form[6000], xml[4000];
	struct xform *f;
	struct instance *in;

	snprintf(form, sizeof form, FORM("<name/><report/><hearing/><more jr:template=''><d/></more>", "%s",
	         "%s"), binds, body);
	snprintf(xml, sizeof xml, DATA("%s"), answers);
	f = form_of(form);
	in = instance_of(f, xml);
	assert_int_equal(marks_read(&m, f, in, DAY, lang), PERR_OK);
	instance_free(in);
	xform_free(f);
}

#define DATES "<bind nodeset='/data/report' type='date' amparo:deadline='true()'/>" \
	"<bind nodeset='/data/hearing' type='date' amparo:deadline='. + 30'/>" \
	"<bind nodeset='/data/more/d' type='date' amparo:deadline='true()'/>"

static void deadlines_are_kept_by_day_with_their_question(void **state)
{
	const struct marks_deadline *next;

	read_marks(DATES, "<report>2026-12-10</report><hearing>2026-11-01</hearing>"
	           "<more><d>2026-11-20</d></more>", NULL);
	assert_int_equal(m.n_deadlines, 3);
	assert_int_equal(m.deadlines[0].day, DAY - 4);
	assert_string_equal(m.deadlines[0].label, "More");
	assert_int_equal(m.deadlines[1].day, DAY + 7);
	assert_string_equal(m.deadlines[1].label, "Hearing");
	assert_int_equal(m.deadlines[2].day, DAY + 16);
	assert_string_equal(m.deadlines[2].label, "Report");
	assert_int_equal(m.deadline, DAY + 7);
	/* when that has passed, the next one counts, and at the end the last */
	next = marks_next(m.deadlines, m.n_deadlines, DAY + 8);
	assert_string_equal(next->label, "Report");
	assert_ptr_equal(marks_next(m.deadlines, m.n_deadlines, DAY + 7), &m.deadlines[1]);
	assert_ptr_equal(marks_next(m.deadlines, m.n_deadlines, DAY + 99), &m.deadlines[2]);
	assert_null(marks_next(m.deadlines, 0, DAY));
}

static void of_too_many_deadlines_the_next_ones_stay(void **state)
{
	char answers[1500] = "", one[80];

	/* five that had passed, twelve to come, the last of them first */
	for (int i = 0; i < 5; i++) {
		snprintf(one, sizeof one, "<more><d>2026-10-%02d</d></more>", 10 + i);
		strcat(answers, one);
	}
	for (int i = 12; i > 0; i--) {
		snprintf(one, sizeof one, "<more><d>2026-12-%02d</d></more>", i);
		strcat(answers, one);
	}
	read_marks(DATES, answers, NULL);
	assert_int_equal(m.n_deadlines, MARKS_DEADLINES_MAX);
	for (uint32_t i = 0; i < MARKS_DEADLINES_MAX; i++)
		assert_int_equal(m.deadlines[i].day, DAY + 7 + i);
	assert_int_equal(m.deadline, DAY + 7);
}

static void a_cell_of_a_spreadsheet_marks_too(void **state)
{
	/* as pyxform writes columns bind::amparo:identity and bind::amparo:deadline of such cells */
	read_marks("<bind nodeset='/data/name' amparo:identity='TRUE' amparo:urgent='no'/>"
	           "<bind nodeset='/data/report' type='date' amparo:deadline='Yes'/>"
	           "<bind nodeset='/data/hearing' type='date' amparo:deadline='FALSE'/>",
	           "<name>Ana</name><report>2026-12-10</report><hearing>2026-12-01</hearing>", NULL);
	assert_string_equal(m.title, "Ana");
	assert_false(m.urgent);
	assert_int_equal(m.n_deadlines, 1);
	assert_int_equal(m.deadline, DAY + 16);
	/* an empty cell is no mark, and an expression as pyxform writes ${name} is one */
	read_marks("<bind nodeset='/data/name' amparo:identity='' amparo:urgent=\" /data/name  = 'Ana'\"/>",
	           "<name>Ana</name>", NULL);
	assert_string_equal(m.title, "");
	assert_true(m.urgent);
}

static void a_mark_that_computes_without_end_makes_a_case_urgent(void **state)
{
	char answers[3000] = "<name>Ana</name>";

	for (int i = 0; i < 60; i++)
		strcat(answers, "<more><d>2026-12-01</d></more>");
	read_marks("<bind nodeset='/data/name' amparo:stat=\"sum(/data/more[count(/data/more[count(/data/more["
	           "count(/data/more[count(/data/more) &gt; 0]) &gt; 0]) &gt; 0]) &gt; 0]/d) &gt; 0\"/>", answers, NULL);
	assert_true(m.urgent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlines_are_kept_by_day_with_their_question),
		cmocka_unit_test(of_too_many_deadlines_the_next_ones_stay),
		cmocka_unit_test(a_cell_of_a_spreadsheet_marks_too),
		cmocka_unit_test(a_mark_that_computes_without_end_makes_a_case_urgent),
	};

	return cmocka_run_group_tests_name("marks", tests, NULL, NULL);
}
