/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the lint says of a form, and what marks say of a case. */
#include "form_test.h"
#include "fdraw.h"
#include "flint.h"
#include "fmark.h"

static char *lint_of(const char *xml)
{
	struct xform *f = form_of(xml);
	struct faults *l = faults_new();
	char *all = calloc(1, 100000);
	size_t i;

	assert_int_equal(flint_check(f, l), PERR_OK);
	for (i = 0; i < faults_count(l); i++) {
		assert_int_equal(faults_at(l, i)->kind, FAULT_LINT);
		strcat(strcat(all, faults_at(l, i)->text), "\n");
	}
	faults_free(l);
	xform_free(f);
	return all;
}

static void lint_says(const char *xml, const char *part)
{
	char *all = lint_of(xml);

	if (part == NULL ? all[0] != '\0' : strstr(all, part) == NULL)
		fail_msg("expected %s in:\n%s", part == NULL ? "nothing" : part, all);
	free(all);
}

#define CONSENT "<select1 ref='/data/ok'><label>Do you agree?</label>" \
	"<item><label>Yes</label><value>yes</value></item>" \
	"<item><label>No</label><value>no</value></item></select1>"

static void lint_is_silent_about_a_good_form(void **state)
{
	lint_says(FORM("<ok/><town/>", "<bind nodeset='/data/town' relevant=\"/data/ok = 'yes'\"/>",
	          CONSENT "<input ref='/data/town'><label>Town</label></input>"), NULL);
}

static void lint_finds_missing_translations(void **state)
{
	lint_says(FAMILY_FORM, "\"Thank you\" has no label in Español (es).");
	lint_says(FORM_HEAD "<itext><translation lang='en'><text id='a'><value>A label</value></text>"
	          "</translation><translation lang='es'><text id='b'><value>B</value></text></translation>"
	          "</itext><instance><data id='t'><q/><r/></data></instance></model></h:head><h:body>"
	          "<select1 ref='/data/q'><label ref=\"jr:itext('a')\"/><item><label>Only one</label>"
	          "<value>1</value></item></select1></h:body></h:html>",
	          "Question 1 \"A label\" has no label in es.\n"
	          "Question 1 \"A label\" has its label for the choice \"1\" in one language only.");
	lint_says(FORM("<q/>", "", "<input ref='/data/q'/>"), "Question 1 \"q\" has no label.");
}

static void lint_finds_what_nobody_can_reach(void **state)
{
	lint_says(FORM("<ok/><q/>", "<bind nodeset='/data/q' relevant=\"/data/ok = 'yess'\"/>",
	          CONSENT "<input ref='/data/q'><label>Q</label></input>"),
	          "Question 2 \"Q\" depends on the answer \"yess\" to \"Do you agree?\"");
	lint_says(FORM("<ok/><q/>", "<bind nodeset='/data/q' relevant=\"selected(/data/ok, 'x')\"/>",
	          CONSENT "<input ref='/data/q'><label>Q</label></input>"), "the answer \"x\"");
	lint_says(FORM("<ok/><q/>", "<bind nodeset='/data/q' relevant='false()'/>",
	          CONSENT "<input ref='/data/q'><label>Q</label></input>"), "is never asked");
	lint_says(FORM("<q/>", "", "<select1 ref='/data/q'><label>Q</label><item><label>A</label>"
	          "<value>a</value></item><item><label>B</label><value>a</value></item></select1>"),
	          "two choices with the value \"a\"");
	lint_says(FORM("<q/>", "", "<select1 ref='/data/q'><label>Q</label></select1>"),
	          "has no choices.");
	lint_says(FORM("<s/><t/>", "<instance id='i'><root><item><n>can</n><s>MS</s></item>"
	          "<item><n>mem</n><s>TN</s></item></root></instance>",
	          "<select1 ref='/data/s'><label>State</label><item><label>M</label><value>MS</value>"
	          "</item></select1><select1 ref='/data/t'><label>Town</label>"
	          "<itemset nodeset=\"instance('i')/root/item[s = /data/s]\"><value ref='n'/>"
	          "<label ref='n'/></itemset></select1>"),
	          "Question 2 \"Town\" can never offer the choice \"mem\"");
}

static void lint_wants_consent_first(void **state)
{
	lint_says(FORM("<q/>", "", "<input ref='/data/q'><label>Full name</label></input>"),
	          "no question of the form asks for consent");
	lint_says(FORM("<q/>", "", "<input ref='/data/q'><label>Full name</label></input>"),
	          "not marked amparo:identity");
	lint_says(FORM("<q/><ok/>", "<bind nodeset='/data/q' amparo:identity='true()'/>",
	          "<input ref='/data/q'><label>Who</label></input>" CONSENT),
	          "is asked before consent (question 2)");
	lint_says(FORM("<ok/><q/>", "<bind nodeset='/data/q' amparo:identity='true()'/>",
	          CONSENT "<input ref='/data/q'><label>Who</label></input>"),
	          "whatever is answered to the question for consent");
	lint_says(FORM("<ok/><g><q/></g>", "<bind nodeset='/data/g' relevant=\"/data/ok = 'yes'\"/>"
	          "<bind nodeset='/data/g/q' amparo:identity='true()'/>",
	          CONSENT "<group ref='/data/g'><input ref='/data/g/q'><label>Who</label></input></group>"),
	          NULL);
	lint_says(FORM("<ok/><q/>", "", CONSENT "<input ref='/data/q'><label>Número de seguro "
	          "social</label></input>"), "dangerous to keep");
}

static void lint_names_what_is_ignored(void **state)
{
	lint_says(FORM("<d/>", "<bind nodeset='/data/d' jr:preload='property' jr:preloadParams="
	          "'deviceid'/>", ""), "property of the device (deviceid)");
	lint_says(FORM("<q/>", "<instance id='last' src='jr://instance/last-saved'/>", ""),
	          "always empty");
	lint_says(FAMILY_FORM, "a picture or a sound in its label");
}

/* ---- what nobody could answer -------------------------------------------------------------- */

/* part NULL: it can be published */
static void draw_says(const char *xml, const char *part)
{
	struct xform *f = form_of(xml);
	char why[XFORM_WHY_SIZE] = "";

	assert_int_equal(fdraw_check(f, why), part == NULL);
	assert_string_equal(why, part == NULL ? "" : part);
	xform_free(f);
}

static void draw_scale(const char *start, const char *end, const char *step, const char *part)
{
	char body[300], xml[4000];

	snprintf(body, sizeof body, "<range ref='/data/q' start='%s' end='%s' step='%s'><label>Pain"
	         "</label></range>", start, end, step);
	snprintf(xml, sizeof xml, FORM("<q/>", "<bind nodeset='/data/q' type='decimal'/>", "%s"), body);
	draw_says(xml, part);
}

static void draw_file(const char *media, const char *part)
{
	char xml[4000];

	snprintf(xml, sizeof xml, FORM("<q/>", "<bind nodeset='/data/q' type='binary'/>",
	         "<upload ref='/data/q'%s><label>Paper</label></upload>"), media);
	draw_says(xml, part);
}

static void what_nobody_could_answer_is_not_published(void **state)
{
	static const char *const no_number = "Question 1 \"Pain\" is a scale whose start, end or step "
	                                     "is no number.";
	static const char *const no_file = "Question 1 \"Paper\" asks for a file of a kind that is not "
	                                   "taken; photographs, recordings, films, text and PDF are.";

	draw_scale("0", "10", "1", NULL);
	draw_scale("1.0", "-1.0", "0.5", NULL);
	draw_scale("0", "ten", "1", no_number);
	draw_scale("", "10", "1", no_number);
	draw_scale("0", "nan", "1", no_number);
	draw_scale("0", "10", "0.0", "Question 1 \"Pain\" is a scale with a step of nothing.");
	draw_file("", NULL);
	draw_file(" mediatype='image/*'", NULL);
	draw_file(" mediatype='application/zip, application/pdf'", NULL);
	draw_file(" mediatype='application/zip,model/obj'", no_file);
}

/* ---- marks ---------------------------------------------------------------------------------- */

static char marks[4096];

static bool print_mark(void *ctx, const struct fmark *m)
{
	static const char *const names[] = {"urgent", "deadline", "identity", "stat"};
	size_t n = strlen(marks);

	snprintf(marks + n, sizeof marks - n, "%s %s [%s] %s %lld\n", names[m->mark], m->path,
	         m->label, m->shown, (long long)m->day);
	return true;
}

static void marks_are(const char *answers, const char *expected)
{
	struct xform *f = form_of(FORM("<name/><alone/><court/><asked/><kid jr:template=''><name/></kid>"
		"<n/>",
		"<bind nodeset='/data/name' amparo:identity='true()'/>"
		"<bind nodeset='/data/alone' amparo:urgent=\". = 'yes'\" amparo:stat='true()'/>"
		"<bind nodeset='/data/court' type='date' amparo:deadline='true()'/>"
		"<bind nodeset='/data/asked' type='date' amparo:deadline='. + 30' relevant=\"/data/alone = "
		"'yes'\"/><bind nodeset='/data/kid/name' amparo:identity='true()'/>"
		"<bind nodeset='/data/n' type='int' amparo:urgent='. &gt; 3'/>",
		"<input ref='/data/name'><label>Name</label></input>"
		"<select1 ref='/data/alone'><label>Alone?</label><item><label>Yes!</label><value>yes</value>"
		"</item><item><label>No</label><value>no</value></item></select1>"
		"<input ref='/data/court'><label>Court</label></input><input ref='/data/asked'/>"
		"<repeat nodeset='/data/kid'><input ref='/data/kid/name'/></repeat>"));
	char xml[1024];
	struct instance *in;

	snprintf(xml, sizeof xml, DATA("%s"), answers);
	in = instance_of(f, xml);
	marks[0] = '\0';
	assert_int_equal(fmark_each(in, NULL, &noon, print_mark, NULL), PERR_OK);
	assert_string_equal(marks, expected);
	instance_free(in);
	xform_free(f);
}

static void fmark_says_what_the_office_must_know(void **state)
{
	marks_are("", "");
	marks_are("<name>Ana</name><alone>yes</alone><court>2026-12-01</court><asked>2026-11-24</asked>"
		"<kid><name>Luz</name></kid><kid><name/></kid><n>4</n>",
		"identity /data/name [Name] Ana 0\n"
		"urgent /data/alone [Alone?] Yes! 0\n"
		"stat /data/alone [Alone?] Yes! 0\n"
		"deadline /data/court [Court] 1 December 2026 20788\n"
		"deadline /data/asked [asked] 24 November 2026 20811\n"
		"identity /data/kid[1]/name [name] Luz 0\n"
		"urgent /data/n [n] 4 0\n");
	marks_are("<alone>no</alone><court/><asked>2026-11-24</asked><n>3</n>",
		"stat /data/alone [Alone?] No 0\n");
	marks_are("<court>soon</court>", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lint_is_silent_about_a_good_form),
		cmocka_unit_test(lint_finds_missing_translations),
		cmocka_unit_test(lint_finds_what_nobody_can_reach),
		cmocka_unit_test(lint_wants_consent_first),
		cmocka_unit_test(lint_names_what_is_ignored),
		cmocka_unit_test(what_nobody_could_answer_is_not_published),
		cmocka_unit_test(fmark_says_what_the_office_must_know),
	};

	return cmocka_run_group_tests_name("form_lint", tests, NULL, NULL);
}
