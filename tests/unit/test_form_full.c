/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The full check: each kind of fault, named by the question's number and label. */
#include <time.h>

/* Sanitizers make it several times slower: then the figure is only printed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED
#endif
#endif

#include "form_test.h"

#define FULL_FORM FORM( \
	"<name/><age/><born/><langs/><state/><town/><rank/><pain/><place/><ok/><paper/><n/><kid " \
	"jr:template=''><first/><age/></kid><bye/>", \
	"<instance id='towns'><root><item><id>can</id><label>Canton</label><s>MS</s></item>" \
	"<item><id>mem</id><label>Memphis</label><s>TN</s></item></root></instance>" \
	"<bind nodeset='/data/name' required='true()'/>" \
	"<bind nodeset='/data/age' type='int' constraint='. &gt;= 0 and . &lt; 120' " \
	"jr:constraintMsg='Nobody is that old.'/>" \
	"<bind nodeset='/data/born' type='date' relevant='/data/age = \"\"' constraint='. &lt;= today()'/>" \
	"<bind nodeset='/data/place' type='geopoint'/>" \
	"<bind nodeset='/data/paper' type='binary'/><bind nodeset='/data/n' type='int'/>" \
	"<bind nodeset='/data/kid/age' type='int' required='true()' jr:requiredMsg='Ask the family.'/>" \
	"<bind nodeset='/data/bye' readonly='true()' required='true()'/>", \
	"<input ref='/data/name'><label>Name</label></input>" \
	"<input ref='/data/age'><label>Age of <output value='/data/name'/></label></input>" \
	"<input ref='/data/born'><label>Born</label></input>" \
	"<select ref='/data/langs'><label>Languages</label>" \
	"<item><label>Spanish</label><value>es</value></item>" \
	"<item><label>Mam</label><value>mam</value></item></select>" \
	"<select1 ref='/data/state'><label>State</label>" \
	"<item><label>Mississippi</label><value>MS</value></item>" \
	"<item><label>Tennessee</label><value>TN</value></item></select1>" \
	"<select1 ref='/data/town'><label>Town</label>" \
	"<itemset nodeset=\"instance('towns')/root/item[s = /data/state]\"><value ref='id'/>" \
	"<label ref='label'/></itemset></select1>" \
	"<odk:rank ref='/data/rank'><label>Order</label><item><label>A</label><value>a</value></item>" \
	"<item><label>B</label><value>b</value></item></odk:rank>" \
	"<range ref='/data/pain' start='0' end='10' step='2'><label>Pain</label></range>" \
	"<input ref='/data/place'><label>Place</label></input>" \
	"<trigger ref='/data/ok'><label>Consent</label></trigger>" \
	"<upload ref='/data/paper' mediatype='image/*'><label>Paper</label></upload>" \
	"<input ref='/data/n'><label>How many</label></input>" \
	"<group ref='/data/kid'><label>Child</label><repeat nodeset='/data/kid' jr:count='/data/n'>" \
	"<input ref='/data/kid/first'><label>First name</label></input>" \
	"<input ref='/data/kid/age'><label>Age of child</label></input></repeat></group>" \
	"<input ref='/data/bye'><label>Bye</label></input>")

static void full(const char *answers, const char *part)
{
	char xml[4096];

	snprintf(xml, sizeof xml, DATA("%s"), answers);
	check_faults(FULL_FORM, xml, INSTANCE_FULL, part);
}

static void full_check_accepts_what_is_right(void **state)
{
	full("<name>Ana</name>", NULL);
	full("<name>Ana</name><age>30</age><langs>es mam</langs><state>MS</state><town>can</town>"
	     "<rank>b a</rank><pain>4</pain><place>14.5 -91.4 0 0</place><ok>OK</ok><n>2</n>"
	     "<paper>id.jpg</paper><kid><first>Luz</first><age>3</age></kid><kid><age>5</age></kid>",
	     NULL);
	full("<name>Ana</name><born>1996-02-29</born>", NULL);
}

static void full_check_wants_required_answers(void **state)
{
	full("<name/>", "Question 1 \"Name\" must be answered.");
	full("", "Question 1 \"Name\" must be answered.");
	full("<name> </name>", "must be answered");
	full("<name>A</name><n>1</n><kid><first>Luz</first></kid>",
	     "Question 14 \"Age of child\" in \"Child\" 1: Ask the family.");
}

static void full_check_holds_types(void **state)
{
	full("<name>A</name><age>x</age>", "Question 2 \"Age of A\" must be a whole number.");
	full("<name>A</name><age>1.5</age>", "whole number");
	full("<name>A</name><born>2026-02-30</born>", "must be a date that exists");
	full("<name>A</name><place>here</place>", "must be a place");
	full("<name>A</name><place>91 0</place>", "must be a place");
	full("<name>A</name><place>1 2; 3 4</place>", "must be a place");
	full("<name>A</name><ok>yes</ok>", "OK");
	full("<name>A</name><pain>3</pain>", "from 0 to 10 in steps of 2");
	full("<name>A</name><pain>12</pain>", "from 0 to 10 in steps of 2");
}

static void full_check_holds_constraints(void **state)
{
	full("<name>A</name><age>130</age>", "Question 2 \"Age of A\": Nobody is that old.");
	full("<name>A</name><age>-1</age>", "Nobody is that old.");
	full("<name>A</name><born>2026-11-25</born>", "does not allow");
	full("<name>A</name><born>2026-11-24</born>", NULL);
}

static void full_check_knows_choices(void **state)
{
	full("<name>A</name><langs>es fr</langs>", "Question 4 \"Languages\" has no choice \"fr\".");
	full("<name>A</name><langs>es es</langs>", "twice");
	full("<name>A</name><state>XX</state>", "no choice \"XX\"");
	full("<name>A</name><state>TN</state><town>can</town>",
	     "\"Town\" has no choice \"can\" after what was answered before");
	full("<name>A</name><rank>b</rank>", "put all choices in an order");
}

static void full_check_finds_irrelevant_answers(void **state)
{
	full("<name>A</name><age>30</age><born>1996-02-29</born>",
	     "Question 3 \"Born\" is answered, although");
	full("<name>A</name><age>30</age><born/>", NULL);
}

static void full_check_counts_repeats(void **state)
{
	full("<name>A</name><n>2</n><kid><age>5</age></kid>", "2 times, but is there 1 times");
	full("<name>A</name><n>0</n>", NULL);
	full("<name>A</name><kid><age>5</age></kid>", "0 times, but is there 1 times");
}

static void full_check_takes_five_milliseconds_for_250_questions(void **state)
{
	size_t cap = 200000, n = 0, i;
	char *form = malloc(cap), *data = malloc(cap), why[XFORM_WHY_SIZE];
	double best = 1e9, ms;
	struct timespec a, b;
	struct xform *f;

	n = (size_t)sprintf(form, "%s<instance><data id='t' version='1'>", FORM_HEAD);
	for (i = 0; i < 250; i++)
		n += (size_t)sprintf(form + n, "<q%zu/>", i);
	n += (size_t)sprintf(form + n, "</data></instance>");
	for (i = 0; i < 250; i++)
		n += (size_t)sprintf(form + n, "<bind nodeset='/data/q%zu' type='int' required='true()' "
		                     "relevant='/data/q%zu != 7' constraint='. &lt; 100000'/>", i,
		                     i == 0 ? 1 : i - 1);
	n += (size_t)sprintf(form + n, "</model></h:head><h:body>");
	for (i = 0; i < 250; i++)
		n += (size_t)sprintf(form + n, "<input ref='/data/q%zu'><label>Question %zu</label>"
		                     "</input>", i, i);
	sprintf(form + n, "</h:body></h:html>");
	n = (size_t)sprintf(data, "<data id='t' version='1'>");
	for (i = 0; i < 250; i++)
		n += (size_t)sprintf(data + n, "<q%zu>%zu</q%zu>", i, i + 1000, i);
	sprintf(data + n, "</data>");
	if (xform_parse(&f, (const uint8_t *)form, strlen(form), why) != PERR_OK)
		fail_msg("%s", why);
	for (i = 0; i < 10; i++) {
		struct instance *in;
		struct faults *l = faults_new();

		clock_gettime(CLOCK_MONOTONIC, &a);
		in = instance_of(f, data);
		assert_int_equal(instance_check(in, INSTANCE_FULL, NULL, &noon, l), PERR_OK);
		clock_gettime(CLOCK_MONOTONIC, &b);
		assert_int_equal(faults_total(l), 0);
		ms = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
		best = ms < best ? ms : best;
		faults_free(l);
		instance_free(in);
	}
	print_message("250 questions parsed and checked: %.2f ms (limit 5)\n", best);
#ifndef IS_SANITIZED
	assert_true(best < 5);
#endif
	xform_free(f);
	free(form);
	free(data);
}

/* A form made to compute without end is stopped and said so. */
static void full_check_is_bounded(void **state)
{
	check_faults(FORM("<a/><r><b/></r>", "<bind nodeset='/data/a' relevant=\"count(//*[count(//*["
		"count(//*[count(//*[count(//*) &gt; 0]) &gt; 0]) &gt; 0]) &gt; 0]) &gt; 0\"/>",
		"<input ref='/data/a'/><repeat nodeset='/data/r'><input ref='/data/r/b'/></repeat>"),
		DATA("<a>1</a><r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r>"
		"<r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r>"
		"<r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r><r><b/></r>"),
		INSTANCE_FULL, "more computation");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_check_accepts_what_is_right),
		cmocka_unit_test(full_check_wants_required_answers),
		cmocka_unit_test(full_check_holds_types),
		cmocka_unit_test(full_check_holds_constraints),
		cmocka_unit_test(full_check_knows_choices),
		cmocka_unit_test(full_check_finds_irrelevant_answers),
		cmocka_unit_test(full_check_counts_repeats),
		cmocka_unit_test(full_check_takes_five_milliseconds_for_250_questions),
		cmocka_unit_test(full_check_is_bounded),
	};

	return cmocka_run_group_tests_name("form_full", tests, NULL, NULL);
}
