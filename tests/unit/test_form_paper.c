/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The paper form, and conditions in words. */
#include "form_test.h"
#include "fcond.h"
#include "fpaper.h"

static char *paper(const char *xml, enum fpaper_size size, const char *lang)
{
	struct fpaper_options o = {size, lang, "Legal <Aid>", NULL, 2};
	struct xform *f = form_of(xml);
	uint8_t *html;
	size_t len;

	assert_int_equal(fpaper_html(f, &o, &html, &len), PERR_OK);
	assert_int_equal(strlen((char *)html), len);
	xform_free(f);
	return (char *)html;
}

static void paper_has(const char *xml, const char *lang, const char *part)
{
	char *html = paper(xml, FPAPER_LETTER, lang);

	if (strstr(html, part) == NULL)
		fail_msg("no %s in %s", part, html);
	free(html);
}

#define SKIP_FORM FORM("<taken/><when/><who/><kids/><n/><last/>", \
	"<bind nodeset='/data/when' type='date' relevant=\"/data/taken = 'yes'\"/>" \
	"<bind nodeset='/data/who' relevant=\"/data/taken = 'yes' and not(selected(/data/kids, 'a'))\"/>" \
	"<bind nodeset='/data/n' type='int' relevant='/data/n0 &gt; 1' />" \
	"<bind nodeset='/data/last' required='true()'/>", \
	"<select1 ref='/data/taken'><label>Taken?</label><item><label>Yes</label><value>yes</value>" \
	"</item><item><label>No</label><value>no</value></item></select1>" \
	"<input ref='/data/when'><label>When</label></input>" \
	"<input ref='/data/who'><label>By whom</label></input>" \
	"<select ref='/data/kids'><label>Kids</label><item><label>A</label><value>a</value></item>" \
	"</select><input ref='/data/n'><label>N</label></input>" \
	"<input ref='/data/last'><label>Last</label></input>")

static void paper_says_where_to_go(void **state)
{
	char *form = strdup(SKIP_FORM), *at = strstr(form, "/data/n0 &gt; 1");

	memcpy(at, "/data/n > 1    ", 15);
	paper_has(form, NULL, "<li>No <span class=\"go\">→ go to 4</span></li>");
	paper_has(form, NULL, "<li>Yes</li>");
	paper_has(form, NULL, "Only if question 1 is &quot;Yes&quot;.");
	paper_has(form, NULL, "Only if question 1 is &quot;Yes&quot; and question 4 does not include "
	          "&quot;A&quot;.");
	paper_has(form, NULL, "Only if question 5 is more than 1.");
	paper_has(form, NULL, "Last <span class=\"how\">(must be answered)</span>");
	free(form);
}

static void paper_says_one_condition_once(void **state)
{
	char *html = paper(FORM("<a/><b/><c/><d/>",
		"<bind nodeset='/data/b' relevant=\"selected(/data/a, 'x') or selected(/data/a, 'y')\"/>"
		"<bind nodeset='/data/c' relevant=\"selected(/data/a, 'x') or selected(/data/a, 'y')\"/>"
		"<bind nodeset='/data/d' relevant=\"/data/b != '1' and /data/b != '2'\"/>",
		"<select ref='/data/a'><label>A</label><item><label>X!</label><value>x</value></item>"
		"<item><label>Y!</label><value>y</value></item></select><input ref='/data/b'/>"
		"<input ref='/data/c'/><input ref='/data/d'/>"), FPAPER_LETTER, NULL), *at;

	at = strstr(html, "2–3: Only if question 1 includes &quot;X!&quot; or &quot;Y!&quot;.");
	assert_non_null(at);
	assert_null(strstr(at + 40, "question 1"));
	assert_non_null(strstr(html, "Only if question 2 is not &quot;1&quot; or &quot;2&quot;."));
	free(html);
}

static void paper_never_sends_past_what_may_apply(void **state)
{
	char *html = paper(FORM("<a/><b/><c/>",
		"<bind nodeset='/data/b' relevant=\"/data/a = 'yes' or /data/c = 'x'\"/>",
		"<select1 ref='/data/a'><label>A</label><item><label>Yes</label><value>yes</value></item>"
		"<item><label>No</label><value>no</value></item></select1><input ref='/data/b'/>"
		"<input ref='/data/c'/>"), FPAPER_LETTER, NULL);

	assert_null(strstr(html, "go to"));
	free(html);
}

static void paper_has_what_an_office_needs(void **state)
{
	char *html = paper(FAMILY_FORM, FPAPER_A4, "es");

	assert_non_null(strstr(html, "@page{size:A4"));
	assert_non_null(strstr(html, "<html lang=\"es\">"));
	assert_non_null(strstr(html, "Legal &lt;Aid&gt;"));
	assert_non_null(strstr(html, "Nombre completo"));
	assert_non_null(strstr(html, "Niños que quedaron solos 2</h3>"));
	assert_null(strstr(html, "Niños que quedaron solos 3</h3>"));
	assert_non_null(strstr(html, "Clave del caso"));
	assert_non_null(strstr(html, "Intérprete"));
	assert_non_null(strstr(html, "Edad de ______"));
	assert_non_null(strstr(html, ">Canton</li>"));
	/* Calculated values are nobody's to write. */
	assert_null(strstr(html, "n_kids"));
	/* Nothing is fetched and nothing runs. */
	assert_null(strstr(html, "http"));
	assert_null(strstr(html, "<script"));
	assert_null(strstr(html, "url("));
	free(html);
}

static void paper_escapes_what_a_form_says(void **state)
{
	char *html = paper(FORM("<q/>", "", "<input ref='/data/q'><label>&lt;script>x&lt;/script> \" &amp;"
		"</label></input>"), FPAPER_LETTER, NULL);

	assert_null(strstr(html, "<script"));
	assert_non_null(strstr(html, "x &quot; &amp;"));
	free(html);
}

/* Each page says which form it is of; nothing a form calls itself leaves the style sheet. */
static void paper_numbers_its_pages(void **state)
{
	char *form = strdup(FORM("<q/>", "", "<input ref='/data/q'><label>Q</label></input>")), *html, *at;

	paper_has(form, NULL, "@bottom-left{font:8pt Arial,sans-serif;content:\"t \\b7  1\"}");
	paper_has(form, NULL, "counter(page) \" / \" counter(pages)");
	at = strstr(form, "id='t' version='1'");
	memcpy(at, "id='\"}&lt;/' v='1'", 18);
	html = paper(form, FPAPER_LETTER, NULL);
	at = strstr(html, "@bottom-left");
	assert_non_null(at);
	at = strstr(at, "content:");
	assert_memory_equal(at, "content:\"\\22 \\7d \\3c \\2f \"}", 27);
	free(html);
	free(form);
}

static void paper_has_the_title_of_its_language(void **state)
{
	char form[] = FORM_HEAD "<itext><translation lang='en'><text id='title'><value>Intake</value></text>"
		"</translation><translation lang='es'><text id='title'><value>Entrevista</value></text>"
		"</translation></itext><instance><data id='t' version='1'><q/></data></instance></model>"
		"</h:head><h:body><input ref='/data/q'><label>Q</label></input></h:body></h:html>";

	paper_has(form, "es", "<h1>Entrevista</h1>");
	paper_has(form, "en", "<h1>Intake</h1>");
	/* the control: without such a text it is the form's one title */
	paper_has(FORM("<q/>", "", "<input ref='/data/q'/>"), NULL, "<h1>Test</h1>");
}

static void paper_says_what_belongs_together(void **state)
{
	paper_has(FORM("<a/><b/><c/>",
		"<bind nodeset='/data/a' type='int'/><bind nodeset='/data/c' "
		"relevant=\"/data/b = 'x' or (/data/a != '' and /data/a &lt; 18)\"/>",
		"<input ref='/data/a'/><input ref='/data/b'/><input ref='/data/c'/>"), NULL,
		"Only if question 2 is &quot;x&quot; or (question 1 is answered and question 1 is less than 18).");
}

static void paper_has_more_room_for_a_name_than_for_a_number(void **state)
{
	char *html = paper(FORM("<name/><code/>", "<bind nodeset='/data/code' constraint=\"regex(., '[0-9]+')\"/>",
		"<input ref='/data/name'/><input ref='/data/code'/>"), FPAPER_LETTER, NULL), *at = html;
	unsigned rows = 0;

	while ((at = strstr(at, "<div><span class=\"b\">")) != NULL) {
		rows++;
		at++;
	}
	assert_int_equal(rows, 3);
	free(html);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paper_says_where_to_go),
		cmocka_unit_test(paper_says_one_condition_once),
		cmocka_unit_test(paper_never_sends_past_what_may_apply),
		cmocka_unit_test(paper_has_what_an_office_needs),
		cmocka_unit_test(paper_escapes_what_a_form_says),
		cmocka_unit_test(paper_numbers_its_pages),
		cmocka_unit_test(paper_has_the_title_of_its_language),
		cmocka_unit_test(paper_says_what_belongs_together),
		cmocka_unit_test(paper_has_more_room_for_a_name_than_for_a_number),
	};

	return cmocka_run_group_tests_name("form_paper", tests, NULL, NULL);
}
