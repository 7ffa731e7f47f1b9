/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Forms and submissions made to exhaust whoever opens them: each is answered in one sentence,
 * within a bound of time and of memory, and the figures are printed.
 *
 * Every attack runs in a child of its own, so that its peak is its own.
 */
#include <fcntl.h>
#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "form_test.h"
#include "fexport.h"
#include "fill.h"
#include "fpaper.h"
#include "flint.h"
#include "render.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLACK 20         /* sanitizers multiply both */
#else
#define SLACK 1
#endif
#define MS_MAX  (2000 * SLACK)
#define MIB_MAX (160 * SLACK)

struct result {
	char why[XFORM_WHY_SIZE];
	double ms;
	long kib;
	int refused;             /* by the parser; else by the check, or harmless */
	unsigned n_faults;
};

/* Text that grows; the attacker has all the memory in the world. */
static char *made;
static size_t made_len, made_room;

static void add(const char *s)
{
	size_t n = strlen(s);

	if (made_room - made_len < n + 1) {
		made_room = 2 * made_room + n + 4096;
		made = realloc(made, made_room);
		assert_non_null(made);
	}
	memcpy(made + made_len, s, n + 1);
	made_len += n;
}

static void many(size_t n, const char *s)
{
	while (n-- > 0)
		add(s);
}

static void begin(void)
{
	made_len = 0;
	add("");
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* the highest the resident memory has been, in KiB */
static long peak(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

typedef void attack_fn(struct result *r);

/* Runs fn in a child; what it used is counted from where the child begins. */
static struct result measure(attack_fn *fn)
{
	struct result r;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		double t = now_ms();
		long before = peak();

		memset(&r, 0, sizeof r);
		fn(&r);
		r.ms = now_ms() - t;
		r.kib = peak() - before;
		_exit(write(fds[1], &r, sizeof r) == sizeof r ? 0 : 1);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &r, sizeof r), sizeof r);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return r;
}

static void one_sentence(const char *s)
{
	assert_true(strlen(s) > 10);
	assert_int_equal(s[strlen(s) - 1], '.');
	for (; *s != '\0'; s++)
		assert_true((unsigned char)*s >= 32);
}

static void told(const char *what, const struct result *r, double ms_max)
{
	printf("figure: form attack, %s: %s in %.0f ms (limit %.0f), %ld KiB (limit %d)\n", what,
	       r->refused ? "refused" : r->n_faults > 0 ? "found wrong" : "harmless", r->ms, ms_max,
	       r->kib, MIB_MAX * 1024);
	fflush(stdout);
	assert_true(r->ms < ms_max);
	assert_true(r->kib < MIB_MAX * 1024L);
}

/* ---- what is done with a form, with an instance ------------------------------------------- */

static void as_form(struct result *r)
{
	struct xform *f;

	r->refused = xform_parse(&f, (const uint8_t *)made, made_len, r->why) != PERR_OK;
	assert_true(r->refused == (f == NULL));
	xform_free(f);
}

static const char *form_text;

static void use_instance(struct result *r, const struct xform *f)
{
	struct faults *l = faults_new();
	struct fexport *x = fexport_new(f, FEXPORT_SAFE | FEXPORT_OTHER, NULL);
	struct instance *in;
	uint8_t *json = NULL;
	char *text = NULL;
	size_t len;

	r->refused = instance_parse(&in, f, (const uint8_t *)made, made_len, r->why) != PERR_OK;
	if (!r->refused) {
		assert_int_equal(instance_check(in, INSTANCE_FULL, NULL, &noon, l), PERR_OK);
		r->n_faults = (unsigned)faults_total(l);
		if (r->n_faults > 0)
			snprintf(r->why, sizeof r->why, "%s", faults_at(l, 0)->text);
		/* what a reader's device does with it, whatever the check said */
		(void)!render_text(in, &text, &len);
		(void)!fexport_json(in, &json, &len);
		if (x != NULL)
			(void)!fexport_add(x, in, "KEY");
	}
	free(text);
	free(json);
	instance_free(in);
	fexport_free(x);
	faults_free(l);
}

static void as_instance(struct result *r)
{
	struct xform *f = form_of(form_text);

	use_instance(r, f);
	xform_free(f);
}

static void form_is_refused(const char *what)
{
	struct result r = measure(as_form);

	told(what, &r, MS_MAX);
	assert_true(r.refused);
	one_sentence(r.why);
}

static void instance_is_refused(const char *what)
{
	struct result r;

	form_text = FAMILY_FORM;
	r = measure(as_instance);
	told(what, &r, MS_MAX);
	assert_true(r.refused || r.n_faults > 0);
	one_sentence(r.why);
}

/* ---- the attacks --------------------------------------------------------------------------- */

static void laughs(const char *root)
{
	begin();
	add("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY l0 'lol'>");
	for (int i = 1; i < 12; i++) {
		char line[200];

		snprintf(line, sizeof line, "<!ENTITY l%d '&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;&l%d;'>",
		         i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
		add(line);
	}
	add("]><");
	add(root);
	add(">&l11;</");
	add(root);
	add(">");
}

static void quadratic(void)
{
	begin();
	add("<!DOCTYPE x [<!ENTITY a '");
	many(100000, "0123456789");
	add("'>]><data>");
	many(100000, "&a;");
	add("</data>");
}

static void bombs_of_entities_are_refused(void **state)
{
	laughs("h:html");
	form_is_refused("a billion laughs");
	laughs("data");
	instance_is_refused("a billion laughs as answers");
	quadratic();
	form_is_refused("one long entity a hundred thousand times");
	instance_is_refused("one long entity as answers");
}

static void external_entities_are_never_fetched(void **state)
{
	static const char *const kinds[] = {
		"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><data id='family' version='2026112401'>"
		"<name>&e;</name></data>",
		"<!DOCTYPE x [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/p.dtd'> %p;]><data/>",
		"<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'><data/>",
		"<!DOCTYPE x PUBLIC '-//x' 'file:///dev/zero'><data/>",
		/* no declaration at all, and an entity of none */
		"<data id='family' version='2026112401'><name>&e;</name></data>",
		"<data xmlns:xi='http://www.w3.org/2001/XInclude' id='family' version='2026112401'>"
		"<xi:include href='file:///etc/passwd' parse='text'/></data>",
	};
	struct result r;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		begin();
		add(kinds[i]);
		form_is_refused("an entity from outside");
		form_text = FAMILY_FORM;
		r = measure(as_instance);
		told("an entity from outside as answers", &r, MS_MAX);
		assert_true(r.refused || r.n_faults > 0);
		one_sentence(r.why);
		assert_null(strstr(r.why, "root:"));
	}
}

static void deep_nesting_is_refused(void **state)
{
	begin();
	many(1000000, "<a>");
	form_is_refused("a million levels");
	instance_is_refused("a million levels as answers");
	begin();
	add("<data id='family' version='2026112401'>");
	many(500000, "<kids>");
	many(500000, "</kids>");
	add("</data>");
	instance_is_refused("half a million repeats in repeats");
}

static void huge_documents_are_refused(void **state)
{
	begin();
	add("<h:html>");
	many(2000000, "<a/>");
	add("</h:html>");
	form_is_refused("two million elements");
	begin();
	add("<h:html");
	for (int i = 0; i < 400000; i++) {
		char one[40];

		snprintf(one, sizeof one, " a%d=''", i);
		add(one);
	}
	add("/>");
	form_is_refused("four hundred thousand attributes");
	begin();
	add("<h:html");
	for (int i = 0; i < 200000; i++) {
		char one[40];

		snprintf(one, sizeof one, " xmlns:a%d='u%d'", i, i);
		add(one);
	}
	add("/>");
	form_is_refused("two hundred thousand namespaces");
	/* in scope together, and then looked through for every name */
	begin();
	for (int i = 0; i < 60; i++) {
		add("<b0:a");
		for (int k = 0; k < 60; k++) {
			char one[40];

			snprintf(one, sizeof one, " xmlns:b%d='u%d'", k, 60 * i + k);
			add(one);
		}
		add(">");
	}
	many(500000, "<zz:a/>");
	form_is_refused("three thousand six hundred namespaces at once");
	begin();
	add("<h:html xmlns:h='x'>");
	many(100000, "<b:a xmlns:b='u'/><!-- x --><?p x?>");
	add("</h:html>");
	form_is_refused("comments and instructions without end");
	begin();
	add("<data id='family' version='2026112401'><name");
	for (int i = 0; i < 300000; i++) {
		char one[40];

		snprintf(one, sizeof one, " a%x=''", i);
		add(one);
	}
	add("/></data>");
	instance_is_refused("three hundred thousand attributes of an answer");
	/* as many as fit before the tag is found too long, with a '>' inside a value */
	begin();
	add("<data id='family' version='2026112401'><name x='>'");
	for (int i = 0; i < 14000; i++) {
		char one[40];

		snprintf(one, sizeof one, " a%x=''", i);
		add(one);
	}
	add("/></data>");
	instance_is_refused("fourteen thousand attributes of an answer");
	begin();
	add("<data id='family' version='2026112401'><!-- ");
	many(400000, "long ");
	add("--></data>");
	instance_is_refused("a comment of two megabytes");
	begin();
	many(4000000, "<![CDATA[");
	form_is_refused("more than the largest form");
	begin();
	add("<data id='family' version='2026112401'><name>");
	many(600000, "12345678");
	add("</name></data>");
	instance_is_refused("an answer of five megabytes");
}

static void huge_repeats_are_refused(void **state)
{
	begin();
	add("<data id='family' version='2026112401'><name>x</name>");
	many(100000, "<kids><first>a</first><age>1</age></kids>");
	add("</data>");
	instance_is_refused("a hundred thousand children");
	/* as many as may be read, each of them wrong */
	begin();
	add("<data id='family' version='2026112401'><name>x</name>");
	many(16000, "<kids><first>a</first><age>b</age></kids>");
	add("</data>");
	instance_is_refused("sixteen thousand children of an unreadable age");
	begin();
	add("<data id='family' version='2026112401'>");
	many(49000, "<n/>");
	add("</data>");
	instance_is_refused("forty-nine thousand answers nobody asked for");
	begin();
	add("<data id='family' version='2026112401'><name>x</name>");
	many(20000, "<photo>a.jpg</photo>");
	add("</data>");
	instance_is_refused("twenty thousand photographs");
}

static void expressions_without_end_are_refused_or_stopped(void **state)
{
	struct result r;

	begin();
	add(FORM_HEAD "<instance><data id='t' version='1'><q/></data></instance>"
	    "<bind nodeset='/data/q' constraint=\"");
	many(100000, "(");
	add("1\"/></model></h:head><h:body/></h:html>");
	form_is_refused("a hundred thousand brackets");
	begin();
	add(FORM_HEAD "<instance><data id='t' version='1'><q/></data></instance>"
	    "<bind nodeset='/data/q' constraint=\"1");
	many(20000, "+1");
	add("\"/></model></h:head><h:body/></h:html>");
	form_is_refused("twenty thousand sums");
	begin();
	add(FORM_HEAD "<instance><data id='t' version='1'><q/></data></instance>"
	    "<bind nodeset='/data/q' constraint=\"");
	many(20000, "not(");
	add("\"/></model></h:head><h:body/></h:html>");
	form_is_refused("twenty thousand times not");
	/* a form that is well-formed, and whose check would never end */
	form_text = FORM("<kid jr:template=''><a/><b/></kid>",
		"<bind nodeset='/data/kid/a' constraint=\"count(/data/kid[count(/data/kid[count(/data/kid[b &gt; 0])"
		" &gt; 0]) &gt; 0]) &gt; 0\"/>",
		"<repeat nodeset='/data/kid'><input ref='/data/kid/a'/><input ref='/data/kid/b'/></repeat>");
	begin();
	add("<data id='t' version='1'>");
	many(1000, "<kid><a>1</a><b>2</b></kid>");
	add("</data>");
	r = measure(as_instance);
	told("a check of a thousand to the fourth", &r, MS_MAX);
	assert_true(r.n_faults > 0);
	one_sentence(r.why);
	/* a regular expression that most matchers run through for ever */
	form_text = FORM("<q/>", "<bind nodeset='/data/q' constraint=\"regex(., '^(a+)+$') or "
		"regex(., '^(a|a)*(a|b)*(a|c)*$') or regex(., '((a{1,50}){1,50}){1,50}b')\"/>",
		"<input ref='/data/q'/>");
	begin();
	add("<data id='t' version='1'><q>");
	many(60000, "a");
	add("!</q></data>");
	r = measure(as_instance);
	told("a regular expression that doubles", &r, MS_MAX);
	assert_true(r.refused || r.n_faults > 0);
	one_sentence(r.why);
}

/* ---- files of choices ------------------------------------------------------------------------ */

static const char *file_name;

static void as_file(struct result *r)
{
	struct xform *f = form_of(FORM("<q/><p/>", "<instance id='c' src='jr://file-csv/a.csv'/>"
		"<instance id='g' src='jr://file/a.geojson'/><instance id='x' src='jr://file/a.xml'/>",
		"<select1 ref='/data/q'><label>Q</label><itemset nodeset=\"instance('c')/root/item\">"
		"<value ref='v'/><label ref='l'/></itemset></select1><select1 ref='/data/p'><label>P</label>"
		"<itemset nodeset=\"instance('g')/root/item\"><value ref='id'/><label ref='l'/></itemset></select1>"));

	r->refused = xform_supply(f, file_name, (const uint8_t *)made, made_len, r->why) != PERR_OK;
	xform_free(f);
}

static void file_is_bounded(const char *name, const char *what, bool is_refused)
{
	struct result r;

	file_name = name;
	r = measure(as_file);
	told(what, &r, MS_MAX);
	assert_true(r.refused == is_refused);
	if (is_refused)
		one_sentence(r.why);
}

static void files_of_choices_without_end_are_refused(void **state)
{
	begin();
	many(1300000, "v,l,w\n");
	file_is_bounded("a.csv", "a table of more than a million rows", true);
	begin();
	many(150, "v,");
	file_is_bounded("a.csv", "a table of one name in every column", true);
	begin();
	add("v,l\n");
	many(180000, "1,2\n");
	file_is_bounded("a.csv", "a table of one value in every row", false);
	begin();
	many(8000000, "[");
	file_is_bounded("a.geojson", "eight million brackets", true);
	begin();
	add("{\"type\":\"FeatureCollection\",\"features\":[");
	many(300000, "{\"type\":\"Feature\"},");
	add("{\"type\":\"Feature\"}]}");
	file_is_bounded("a.geojson", "three hundred thousand empty features", true);
	begin();
	laughs("root");
	file_is_bounded("a.xml", "a billion laughs as choices", true);
}

/* ---- the rest of the library, on the largest form it takes ----------------------------------- */

static void largest(struct result *r)
{
	struct fpaper_options o = {FPAPER_A4, NULL, NULL, NULL, 1};
	struct faults *l = faults_new();
	struct xform *f;
	uint8_t *html = NULL;
	size_t len;

	r->refused = xform_parse(&f, (const uint8_t *)made, made_len, r->why) != PERR_OK;
	if (f != NULL) {
		assert_int_equal(flint_check(f, l), PERR_OK);
		r->n_faults = (unsigned)faults_total(l);
		(void)!fpaper_html(f, &o, &html, &len);
	}
	free(html);
	faults_free(l);
	xform_free(f);
}

static void the_largest_form_is_checked_and_printed_in_bounds(void **state)
{
	struct result r;
	char one[200];

	begin();
	add(FORM_HEAD "<instance><data id='t' version='1'>");
	for (int i = 0; i < 20000; i++) {
		snprintf(one, sizeof one, "<q%d/>", i);
		add(one);
	}
	add("</data></instance>");
	for (int i = 1; i < 20000; i++) {
		snprintf(one, sizeof one, "<bind nodeset='/data/q%d' relevant=\"/data/q%d = 'x'\"/>", i, i - 1);
		add(one);
	}
	add("</model></h:head><h:body>");
	for (int i = 0; i < 20000; i++) {
		snprintf(one, sizeof one, "<select1 ref='/data/q%d'><label>Q</label><item><label>X</label>"
		         "<value>x</value></item></select1>", i);
		add(one);
	}
	add("</h:body></h:html>");
	r = measure(largest);
	/* the paper form looks behind each choice for the next question that may apply */
	told("twenty thousand questions, linted and printed", &r, 5 * MS_MAX);
	assert_false(r.refused);
}

static char *waste;

static void wasteful(struct result *r)
{
	size_t n = ((size_t)MIB_MAX + 1) << 20;

	waste = malloc(n);
	assert_non_null(waste);
	for (size_t i = 0; i < n; i += 1024)
		waste[i] = (char)(i >> 10);
	r->n_faults = (unsigned char)waste[n / 2];
}

/* The control: the measure sees what is over its limit. */
static void the_measure_sees_what_is_wasted(void **state)
{
	struct result r = measure(wasteful);

	printf("figure: control that must be over the limit of %d KiB: %ld KiB\n", MIB_MAX * 1024, r.kib);
	assert_true(r.kib > MIB_MAX * 1024L);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_measure_sees_what_is_wasted),
		cmocka_unit_test(bombs_of_entities_are_refused),
		cmocka_unit_test(external_entities_are_never_fetched),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(huge_documents_are_refused),
		cmocka_unit_test(huge_repeats_are_refused),
		cmocka_unit_test(expressions_without_end_are_refused_or_stopped),
		cmocka_unit_test(files_of_choices_without_end_are_refused),
		cmocka_unit_test(the_largest_form_is_checked_and_printed_in_bounds),
	};

	return cmocka_run_group_tests_name("form_attacks", tests, NULL, NULL);
}
