/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sessions: what is asked, in which order, and what is handed in. */
#include "form_test.h"
#include "fill.h"

#define FILL_FORM FORM( \
	"<name/><taken/><when/><kids jr:template=''><first/><age/><big/></kids><n/>" \
	"<paper jr:template=''><what/></paper><total/><rnd/><start/><note/><town>can</town>", \
	"<instance id='towns'><root><item><id>can</id><label>Canton</label><s>MS</s></item>" \
	"<item><id>mem</id><label>Memphis</label><s>TN</s></item></root></instance>" \
	"<bind nodeset='/data/name' required='true()' constraint='string-length(.) &gt; 1' " \
	"jr:constraintMsg='Too short for a name.'/>" \
	"<bind nodeset='/data/when' type='date' relevant=\"/data/taken = 'yes'\" required='true()'/>" \
	"<bind nodeset='/data/kids' relevant=\"/data/taken = 'yes'\"/>" \
	"<bind nodeset='/data/kids/age' type='int'/>" \
	"<bind nodeset='/data/kids/big' calculate=\"if(../age &gt;= 18, 'yes', 'no')\"/>" \
	"<bind nodeset='/data/n' type='int'/>" \
	"<bind nodeset='/data/total' type='int' calculate='sum(/data/kids/age) + count(/data/kids)'/>" \
	"<bind nodeset='/data/rnd' calculate='random()'/>" \
	"<bind nodeset='/data/start' type='dateTime' jr:preload='timestamp' jr:preloadParams='start'/>" \
	"<bind nodeset='/data/note' readonly='true()'/>" \
	"<bind nodeset='/data/meta/instanceID' jr:preload='uid'/>", \
	"<input ref='/data/name'><label>Name</label><hint>As the family says it</hint></input>" \
	"<select1 ref='/data/taken'><label>Was <output value='/data/name'/> taken?</label>" \
	"<item><label>Yes</label><value>yes</value></item>" \
	"<item><label>No</label><value>no</value></item></select1>" \
	"<input ref='/data/when'><label>When</label></input>" \
	"<group ref='/data/kids'><label>Child</label><repeat nodeset='/data/kids'>" \
	"<input ref='/data/kids/first'><label>First name</label></input>" \
	"<input ref='/data/kids/age'><label>Age of <output value='../first'/></label></input>" \
	"</repeat></group>" \
	"<input ref='/data/n'><label>How many papers</label></input>" \
	"<group ref='/data/paper'><label>Paper</label><repeat nodeset='/data/paper' jr:count='/data/n'>" \
	"<input ref='/data/paper/what'><label>What</label></input></repeat></group>" \
	"<select1 ref='/data/town'><label>Town</label>" \
	"<itemset nodeset=\"instance('towns')/root/item\"><value ref='id'/><label ref='label'/>" \
	"</itemset></select1>" \
	"<input ref='/data/note'><label>Thank you. Ages: <output value='/data/total'/></label></input>")

static void count_up(void *ctx, uint8_t *out, size_t n)
{
	unsigned *next = ctx;

	while (n-- > 0)
		*out++ = (uint8_t)(*next)++;
}

static unsigned counter;
static const struct fill_env env = {"en", {1795534200000, -360}, count_up, &counter};

static struct fill *begin(const struct xform *f)
{
	char why[FILL_WHY_SIZE];
	struct fill *s;

	if (fill_new(&s, f, &env, why) != PERR_OK)
		fail_msg("%s", why);
	return s;
}

static void at(struct fill *s, enum fill_kind kind, const char *path, const char *label)
{
	struct fill_step step;

	assert_int_equal(fill_current(s, &step), PERR_OK);
	if (step.kind != kind || strcmp(step.path, path) != 0 || strcmp(step.label, label) != 0)
		fail_msg("at %d %s \"%s\", not %d %s \"%s\"", step.kind, step.path, step.label, kind, path,
		         label);
}

static void answer(struct fill *s, const char *text)
{
	char why[FILL_WHY_SIZE];

	if (fill_answer(s, text, strlen(text), why) != PERR_OK)
		fail_msg("%s refused: %s", text, why);
	assert_int_equal(fill_next(s), PERR_OK);
}

static void refused(struct fill *s, const char *text, const char *part)
{
	char why[FILL_WHY_SIZE];

	assert_int_equal(fill_answer(s, text, strlen(text), why), PERR_RANGE);
	if (strstr(why, part) == NULL)
		fail_msg("expected \"%s\" in: %s", part, why);
}

static char *submission(struct fill *s)
{
	uint8_t *xml;
	size_t len;

	assert_int_equal(fill_submission(s, &xml, &len), PERR_OK);
	assert_int_equal(strlen((char *)xml), len);
	return (char *)xml;
}

static void has(struct fill *s, const char *part, bool expected)
{
	char *xml = submission(s);

	if ((strstr(xml, part) != NULL) != expected)
		fail_msg("%s %s in %s", part, expected ? "is missing" : "should not be", xml);
	free(xml);
}

static void fill_asks_in_order_and_skips_what_is_irrelevant(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f);
	struct fill_step step;

	assert_int_equal(fill_back(s), PERR_NOTFOUND);
	at(s, FILL_QUESTION, "/data/name", "Name");
	assert_int_equal(fill_current(s, &step), PERR_OK);
	assert_string_equal(step.hint, "As the family says it");
	assert_true(step.is_required);
	assert_int_equal(step.number, 1);
	answer(s, "Ana");
	at(s, FILL_QUESTION, "/data/taken", "Was Ana taken?");
	assert_int_equal(fill_current(s, &step), PERR_OK);
	assert_int_equal(step.type, FILL_SELECT1);
	assert_int_equal(step.n_options, 2);
	assert_string_equal(step.options[1].label, "No");
	assert_int_equal(step.done, 1);
	answer(s, "no");
	at(s, FILL_QUESTION, "/data/n", "How many papers");
	assert_int_equal(fill_jump(s, 3), PERR_NOTFOUND);
	assert_int_equal(fill_back(s), PERR_OK);
	answer(s, "yes");
	at(s, FILL_QUESTION, "/data/when", "When");
	assert_int_equal(fill_jump(s, 6), PERR_OK);
	at(s, FILL_QUESTION, "/data/n", "How many papers");
	assert_int_equal(fill_next(s), PERR_OK);
	at(s, FILL_QUESTION, "/data/town", "Town");
	assert_int_equal(fill_current(s, &step), PERR_OK);
	assert_string_equal(step.shown, "Canton");
	assert_true(step.options[0].is_chosen);
	assert_int_equal(fill_next(s), PERR_OK);
	at(s, FILL_NOTE, "/data/note", "Thank you. Ages: 0");
	assert_int_equal(fill_next(s), PERR_OK);
	at(s, FILL_END, "", "");
	assert_int_equal(fill_next(s), PERR_NOTFOUND);
	assert_int_equal(fill_back(s), PERR_OK);
	at(s, FILL_NOTE, "/data/note", "Thank you. Ages: 0");
	fill_free(s);
	xform_free(f);
}

static void fill_refuses_answers_at_once(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f);
	char why[FILL_WHY_SIZE], *big = calloc(1, FILL_ANSWER_MAX + 2);

	refused(s, "A", "Too short for a name.");
	refused(s, "A\x01", "sign");
	refused(s, "A\xff", "sign");
	memset(big, 'x', FILL_ANSWER_MAX + 1);
	refused(s, big, "too long");
	free(big);
	answer(s, "Ana");
	refused(s, "maybe", "no choice \"maybe\"");
	answer(s, "yes");
	refused(s, "2026-02-30", "date that exists");
	answer(s, "2026-11-24");
	/* At an offer to add a repeat, or at a note, there is nothing to answer. */
	assert_int_equal(fill_answer(s, "x", 1, why), PERR_STATE);
	assert_int_equal(fill_jump_path(s, "/data/note"), PERR_OK);
	assert_int_equal(fill_answer(s, "x", 1, why), PERR_STATE);
	fill_free(s);
	xform_free(f);
}

static void fill_adds_and_removes_repeats(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f);
	struct fill_step step;

	answer(s, "Ana");
	answer(s, "yes");
	answer(s, "2026-11-24");
	at(s, FILL_REPEAT, "/data/kids[1]", "Child");
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	at(s, FILL_QUESTION, "/data/kids[1]/first", "First name");
	assert_int_equal(fill_current(s, &step), PERR_OK);
	assert_string_equal(step.where, "Child 1");
	answer(s, "Luz");
	at(s, FILL_QUESTION, "/data/kids[1]/age", "Age of Luz");
	answer(s, "7");
	at(s, FILL_REPEAT, "/data/kids[2]", "Child");
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	answer(s, "Juan");
	at(s, FILL_QUESTION, "/data/kids[2]/age", "Age of Juan");
	answer(s, "20");
	has(s, "<total>29</total>", true);
	has(s, "<first>Juan</first><age>20</age><big>yes</big>", true);
	assert_int_equal(fill_remove_repeat(s, "/data/kids[1]"), PERR_OK);
	at(s, FILL_REPEAT, "/data/kids[2]", "Child");
	has(s, "<total>21</total>", true);
	has(s, "Luz", false);
	assert_int_equal(fill_back(s), PERR_OK);
	at(s, FILL_QUESTION, "/data/kids[1]/age", "Age of Juan");
	assert_int_equal(fill_remove_repeat(s, ""), PERR_OK);
	at(s, FILL_REPEAT, "/data/kids[1]", "Child");
	assert_int_equal(fill_remove_repeat(s, "/data/kids[1]"), PERR_STATE);
	assert_int_equal(fill_remove_repeat(s, "/data/name"), PERR_STATE);
	fill_free(s);
	xform_free(f);
}

static void fill_follows_the_count_of_a_repeat(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f);

	assert_int_equal(fill_jump(s, 6), PERR_OK);
	answer(s, "2");
	at(s, FILL_QUESTION, "/data/paper[1]/what", "What");
	answer(s, "visa");
	answer(s, "letter");
	at(s, FILL_QUESTION, "/data/town", "Town");
	has(s, "<paper><what>visa</what></paper><paper><what>letter</what></paper>", true);
	assert_int_equal(fill_jump(s, 6), PERR_OK);
	answer(s, "1");
	has(s, "letter", false);
	assert_int_equal(fill_remove_repeat(s, "/data/paper[1]"), PERR_STATE);
	/* A slip of the finger destroys nothing. */
	assert_int_equal(fill_jump(s, 6), PERR_OK);
	answer(s, "3");
	has(s, "<what>letter</what></paper><paper><what/></paper>", true);
	fill_free(s);
	xform_free(f);
}

static void fill_leaves_irrelevant_answers_out_of_the_submission(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f);

	answer(s, "Ana");
	answer(s, "yes");
	answer(s, "2026-11-24");
	has(s, "<when>2026-11-24</when>", true);
	assert_int_equal(fill_jump(s, 2), PERR_OK);
	answer(s, "no");
	has(s, "<when>", false);
	has(s, "2026-11-24<", false);
	assert_int_equal(fill_jump(s, 2), PERR_OK);
	answer(s, "yes");
	has(s, "<when>2026-11-24</when>", true);
	fill_free(s);
	xform_free(f);
}

static void fill_lists_what_is_missing(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f);
	struct faults *l = faults_new();

	assert_int_equal(fill_check(s, l), PERR_OK);
	assert_int_equal(faults_count(l), 1);
	assert_string_equal(faults_at(l, 0)->text, "Question 1 \"Name\": must be answered.");
	assert_string_equal(faults_at(l, 0)->path, "/data/name");
	faults_free(l);
	answer(s, "Ana");
	l = faults_new();
	assert_int_equal(fill_check(s, l), PERR_OK);
	assert_int_equal(faults_count(l), 0);
	faults_free(l);
	fill_free(s);
	xform_free(f);
}

static void fill_submission_passes_the_full_check(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f);
	struct faults *l = faults_new();
	struct instance *in;
	char *xml;

	answer(s, "Ana <Qʼanil> & \"Co\"");
	answer(s, "yes");
	answer(s, "2026-11-24");
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	answer(s, "Luz");
	answer(s, "7");
	assert_int_equal(fill_next(s), PERR_OK);
	answer(s, "1");
	answer(s, "visa");
	xml = submission(s);
	in = instance_of(f, xml);
	assert_int_equal(instance_check(in, INSTANCE_FULL, NULL, &noon, l), PERR_OK);
	if (faults_count(l) > 0)
		fail_msg("%s in %s", faults_at(l, 0)->text, xml);
	assert_string_equal(instance_value(in, "/data/name"), "Ana <Qʼanil> & \"Co\"");
	assert_string_equal(instance_value(in, "/data/start"), "2026-11-24T09:30:00.000-06:00");
	assert_int_equal(strncmp(instance_id(in), "uuid:", 5), 0);
	assert_int_equal(strlen(instance_id(in)), 41);
	faults_free(l);
	instance_free(in);
	free(xml);
	fill_free(s);
	xform_free(f);
}

static void fill_draft_brings_everything_back(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f), *again;
	char why[FILL_WHY_SIZE], *before, *after;
	uint8_t *draft, *second;
	size_t len, second_len;

	answer(s, "Ana");
	answer(s, "yes");
	answer(s, "2026-11-24");
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	answer(s, "Luz");
	/* Irrelevant now, but kept. */
	assert_int_equal(fill_jump(s, 2), PERR_OK);
	answer(s, "no");
	assert_int_equal(fill_jump(s, 6), PERR_OK);
	answer(s, "2");
	at(s, FILL_QUESTION, "/data/paper[1]/what", "What");
	assert_int_equal(fill_draft(s, &draft, &len), PERR_OK);
	assert_int_equal(fill_open(&again, f, &env, draft, len, why), PERR_OK);
	at(again, FILL_QUESTION, "/data/paper[1]/what", "What");
	before = submission(s);
	after = submission(again);
	assert_string_equal(before, after);
	assert_int_equal(fill_draft(again, &second, &second_len), PERR_OK);
	assert_int_equal(len, second_len);
	assert_memory_equal(draft, second, len);
	assert_int_equal(fill_jump(again, 2), PERR_OK);
	answer(again, "yes");
	has(again, "<when>2026-11-24</when>", true);
	has(again, "<first>Luz</first>", true);
	free(before);
	free(after);
	free(draft);
	free(second);
	fill_free(s);
	fill_free(again);
	xform_free(f);
}

static void fill_draft_of_the_offer_to_add_comes_back_there(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f), *again;
	char why[FILL_WHY_SIZE];
	uint8_t *draft;
	size_t len;

	answer(s, "Ana");
	answer(s, "yes");
	answer(s, "2026-11-24");
	at(s, FILL_REPEAT, "/data/kids[1]", "Child");
	assert_int_equal(fill_draft(s, &draft, &len), PERR_OK);
	assert_int_equal(fill_open(&again, f, &env, draft, len, why), PERR_OK);
	at(again, FILL_REPEAT, "/data/kids[1]", "Child");
	free(draft);
	fill_free(again);
	assert_int_equal(fill_jump_end(s), PERR_OK);
	assert_int_equal(fill_draft(s, &draft, &len), PERR_OK);
	assert_int_equal(fill_open(&again, f, &env, draft, len, why), PERR_OK);
	at(again, FILL_END, "", "");
	free(draft);
	fill_free(again);
	fill_free(s);
	xform_free(f);
}

static void fill_open_refuses_other_bytes(void **state)
{
	static const char *const bad[] = {
		"", "x", "<draft/>", "<draft xmlns='urn:amparo:draft:1'/>",
		"<draft xmlns='urn:amparo:draft:1' form='t' version='1' at=''><x/></draft>",
		"<draft xmlns='urn:amparo:draft:1' form='t' version='1' at=''/>",
	};
	static const char odd[] =
		"<draft xmlns='urn:amparo:draft:1' form='t' version='1' at='/data/zzz'><data "
		"xmlns='http://www.w3.org/2002/xforms'><name>A</name><name>B</name><zzz>C</zzz>"
		"<taken><deep/></taken></data></draft>";
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f), *again;
	char why[FILL_WHY_SIZE];
	uint8_t *draft;
	size_t len, i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(fill_open(&again, f, &env, (const uint8_t *)bad[i], strlen(bad[i]), why),
		                 PERR_FORMAT);
	assert_int_equal(fill_draft(s, &draft, &len), PERR_OK);
	for (i = 0; i + 1 < len; i += 3) {
		assert_int_equal(fill_open(&again, f, &env, draft, i, why), PERR_FORMAT);
		assert_null(again);
	}
	/* Any flipped bit: refused, or a session that works. */
	for (i = 0; i < len * 8; i += 5) {
		draft[i / 8] ^= (uint8_t)(1 << i % 8);
		if (fill_open(&again, f, &env, draft, len, why) == PERR_OK) {
			struct fill_step step;

			assert_int_equal(fill_current(again, &step), PERR_OK);
			fill_free(again);
		}
		draft[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	free(draft);
	/* Nodes that cannot be there are dropped. */
	assert_int_equal(fill_open(&again, f, &env, (const uint8_t *)odd, strlen(odd), why), PERR_OK);
	has(again, "<name>A</name>", true);
	has(again, "B<", false);
	has(again, "zzz", false);
	has(again, "deep", false);
	fill_free(again);
	fill_free(s);
	xform_free(f);
}

static void fill_draft_of_another_version_is_refused(void **state)
{
	struct xform *f = form_of(FILL_FORM), *g = form_of(FAMILY_FORM);
	struct fill *s = begin(f), *again;
	char why[FILL_WHY_SIZE];
	uint8_t *draft;
	size_t len;

	assert_int_equal(fill_draft(s, &draft, &len), PERR_OK);
	assert_int_equal(fill_open(&again, g, &env, draft, len, why), PERR_STATE);
	assert_non_null(strstr(why, "version \"1\""));
	free(draft);
	fill_free(s);
	xform_free(f);
	xform_free(g);
}

static void fill_random_values_do_not_change_by_themselves(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f), *again;
	char why[FILL_WHY_SIZE], *before = submission(s), *after, *a, *b;
	uint8_t *draft;
	size_t len;

	answer(s, "Ana");
	after = submission(s);
	a = strstr(before, "<rnd>");
	b = strstr(after, "<rnd>");
	assert_memory_equal(a, b, (size_t)(strstr(a, "</rnd>") - a));
	free(after);
	assert_int_equal(fill_draft(s, &draft, &len), PERR_OK);
	assert_int_equal(fill_open(&again, f, &env, draft, len, why), PERR_OK);
	after = submission(again);
	b = strstr(after, "<rnd>");
	assert_memory_equal(a, b, (size_t)(strstr(a, "</rnd>") - a));
	free(draft);
	free(before);
	free(after);
	fill_free(s);
	fill_free(again);
	xform_free(f);
}

static void fill_completes_what_people_type(void **state)
{
	struct xform *f = form_of(FORM("<t/><dt/><p/><d/><ok/><m/><i/><b/>",
		"<bind nodeset='/data/t' type='time'/><bind nodeset='/data/dt' type='dateTime'/>"
		"<bind nodeset='/data/p' type='geopoint'/><bind nodeset='/data/d' type='decimal'/>"
		"<bind nodeset='/data/i' type='int'/><bind nodeset='/data/b' type='boolean'/>",
		"<input ref='/data/t'/><input ref='/data/dt'/><input ref='/data/p'/><input ref='/data/d'/>"
		"<trigger ref='/data/ok'/><select ref='/data/m'><item><value>a</value></item>"
		"<item><value>b</value></item></select><input ref='/data/i'/><input ref='/data/b'/>"));
	struct fill *s = begin(f);

	answer(s, " 9:30 ");
	answer(s, "2026-11-24 09:30");
	answer(s, "14.5 -91.4");
	answer(s, "1,5");
	answer(s, "ok");
	answer(s, "b a");
	answer(s, "-3");
	answer(s, "true");
	has(s, "<t>09:30:00.000-06:00</t><dt>2026-11-24T09:30:00.000-06:00</dt>"
	    "<p>14.5 -91.4 0 0</p><d>1.5</d><ok>OK</ok><m>b a</m><i>-3</i><b>true</b>", true);
	fill_free(s);
	xform_free(f);
}

static void fill_runs_actions_and_defaults(void **state)
{
	struct xform *f = form_of(FORM(
		"<a/><b>given</b><c/><r jr:template=''><d>5</d><e/><k/></r><z/>",
		"<bind nodeset='/data/r/d' type='int'/>"
		"<setvalue event='odk-instance-first-load' ref='/data/a' value=\"concat('x', 1 + 1)\"/>"
		"<setvalue event='odk-instance-first-load' ref='/data/z'>literal</setvalue>",
		"<input ref='/data/a'><setvalue event='xforms-value-changed' ref='/data/c' "
		"value='string-length(/data/a)'/></input><input ref='/data/b'/>"
		"<repeat nodeset='/data/r'><setvalue event='odk-new-repeat' ref='/data/r/e' "
		"value=\"concat('n', position(..))\"/><input ref='/data/r/d'/><input ref='/data/r/e'/>"
		"<input ref='/data/r/k'/></repeat>"));
	struct fill *s = begin(f);

	has(s, "<a>x2</a><b>given</b><c/>", true);
	has(s, "<z>literal</z>", true);
	answer(s, "hello");
	has(s, "<c>5</c>", true);
	assert_int_equal(fill_next(s), PERR_OK);
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	has(s, "<r><d>5</d><e>n1</e><k/></r>", true);
	fill_free(s);
	xform_free(f);
}

static void fill_keeps_once_and_computes_chains_in_any_order(void **state)
{
	struct xform *f = form_of(FORM("<a/><c3/><c2/><c1/><first/>",
		"<bind nodeset='/data/a' type='int'/>"
		"<bind nodeset='/data/c3' calculate='/data/c2 * 2' type='int'/>"
		"<bind nodeset='/data/c2' calculate='/data/c1 * 2' type='int'/>"
		"<bind nodeset='/data/c1' calculate='/data/a * 2' type='int'/>"
		"<bind nodeset='/data/first' calculate='once(/data/a)'/>", "<input ref='/data/a'/>"));
	struct fill *s = begin(f);

	answer(s, "1");
	has(s, "<c3>8</c3><c2>4</c2><c1>2</c1><first>1</first>", true);
	assert_int_equal(fill_jump(s, 1), PERR_OK);
	answer(s, "10");
	has(s, "<c3>80</c3><c2>40</c2><c1>20</c1><first>1</first>", true);
	fill_free(s);
	xform_free(f);
	form_refused(FORM("<a/><b/>", "<bind nodeset='/data/a' calculate='/data/b + 1'/>"
	             "<bind nodeset='/data/b' calculate='/data/a + 1'/>", ""), "needs its own result");
}

static void fill_handles_repeats_in_repeats(void **state)
{
	struct xform *f = form_of(FORM(
		"<kid jr:template=''><name/><toy jr:template=''><what/></toy><n/></kid>",
		"<bind nodeset='/data/kid/n' calculate='count(../toy)'/>",
		"<repeat nodeset='/data/kid'><input ref='/data/kid/name'/><repeat nodeset='/data/kid/toy'>"
		"<input ref='/data/kid/toy/what'><label>Toy of <output value='/data/kid/name'/></label>"
		"</input></repeat></repeat>"));
	struct fill *s = begin(f);

	at(s, FILL_REPEAT, "/data/kid[1]", "kid");
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	answer(s, "Luz");
	at(s, FILL_REPEAT, "/data/kid[1]/toy[1]", "toy");
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	at(s, FILL_QUESTION, "/data/kid[1]/toy[1]/what", "Toy of Luz");
	answer(s, "ball");
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	answer(s, "doll");
	assert_int_equal(fill_next(s), PERR_OK);
	at(s, FILL_REPEAT, "/data/kid[2]", "kid");
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	answer(s, "Juan");
	assert_int_equal(fill_add_repeat(s), PERR_OK);
	at(s, FILL_QUESTION, "/data/kid[2]/toy[1]/what", "Toy of Juan");
	has(s, "<what>doll</what></toy><n>2</n></kid><kid><name>Juan</name><toy><what/></toy><n>1</n>",
	    true);
	fill_free(s);
	xform_free(f);
}

static void fill_speaks_the_language_asked_for(void **state)
{
	struct xform *f = form_of(FAMILY_FORM);
	struct fill *s = begin(f);
	struct fill_step step;

	at(s, FILL_QUESTION, "/data/name", "Full name");
	fill_set_lang(s, "es");
	at(s, FILL_QUESTION, "/data/name", "Nombre completo");
	assert_int_equal(fill_jump(s, 3), PERR_OK);
	answer(s, "es");
	assert_int_equal(fill_back(s), PERR_OK);
	assert_int_equal(fill_current(s, &step), PERR_OK);
	assert_string_equal(step.options[0].label, "Español");
	assert_string_equal(step.shown, "Español");
	fill_free(s);
	xform_free(f);
}

static void fill_completes_instances_that_lack_questions(void **state)
{
	struct xform *f = form_of(FORM("<p>text</p><p><a>1</a><g><b/></g></p><p><c/></p>", "",
		"<repeat nodeset='/data/p'><input ref='/data/p/a'/><input ref='/data/p/g/b'/>"
		"<input ref='/data/p/c'/></repeat>"));
	struct fill *s = begin(f);

	has(s, "<p><a>1</a><g><b/></g><c/></p>", true);
	has(s, "text", false);
	at(s, FILL_QUESTION, "/data/p[1]/a", "a");
	answer(s, "x");
	at(s, FILL_QUESTION, "/data/p[1]/g/b", "b");
	fill_free(s);
	xform_free(f);
}

static void fill_keeps_its_instance_id_over_a_draft(void **state)
{
	static const char *const metas[] = {"", "<meta/>", "<meta><instanceID/></meta>",
	                                    "<orx:meta><orx:instanceID/></orx:meta>"};
	char form[1024], why[FILL_WHY_SIZE], *before, *after;
	struct fill *s, *again;
	struct faults *l;
	struct instance *in;
	struct xform *f;
	uint8_t *draft;
	size_t i, len;

	for (i = 0; i < sizeof metas / sizeof metas[0]; i++) {
		snprintf(form, sizeof form, "%s<instance><data id='t' version='1'><q/>%s</data></instance>"
		         "</model></h:head><h:body><input ref='/data/q'/></h:body></h:html>", FORM_HEAD,
		         metas[i]);
		f = form_of(form);
		s = begin(f);
		assert_int_equal(fill_draft(s, &draft, &len), PERR_OK);
		assert_int_equal(fill_open(&again, f, &env, draft, len, why), PERR_OK);
		before = submission(s);
		after = submission(again);
		assert_string_equal(before, after);
		in = instance_of(f, after);
		l = faults_new();
		assert_int_equal(strncmp(instance_id(in), "uuid:", 5), 0);
		assert_int_equal(instance_check(in, INSTANCE_FULL, NULL, &noon, l), PERR_OK);
		assert_int_equal(faults_count(l), 0);
		faults_free(l);
		instance_free(in);
		free(before);
		free(after);
		free(draft);
		fill_free(s);
		fill_free(again);
		xform_free(f);
	}
}

static bool count_step(void *ctx, const struct fill_step *step)
{
	(*(unsigned *)ctx)++;
	return true;
}

static void fill_review_shows_every_step(void **state)
{
	struct xform *f = form_of(FILL_FORM);
	struct fill *s = begin(f);
	unsigned n = 0;

	assert_int_equal(fill_review(s, count_step, &n), PERR_OK);
	assert_int_equal(n, 5);
	fill_free(s);
	xform_free(f);
}

#define BLIND FORM("<held>no</held><where/><many/><kid jr:template=''><name>x</name><age/></kid>" \
	"<said/>", \
	"<bind nodeset='/data/where' relevant=\"/data/held = 'yes'\" required='true()'/>" \
	"<bind nodeset='/data/many' type='int' constraint='. > 0 and . &lt; 30'/>" \
	"<bind nodeset='/data/kid/age' type='int' constraint='. &lt; /data/many'/>" \
	"<bind nodeset='/data/said' calculate='/data/held'/>", \
	"<input ref='/data/held'><label>Held</label></input><input ref='/data/where'><label>Where</label>" \
	"</input><input ref='/data/many'><label>Many</label></input><repeat nodeset='/data/kid'>" \
	"<input ref='/data/kid/name'><label>Name</label></input>" \
	"<input ref='/data/kid/age'><label>Age</label></input></repeat>")

static void a_blind_session_asks_everything_and_checks_each_answer_by_itself(void **state)
{
	struct xform *form = form_of(BLIND);
	struct fill_env at_noon = { .now = noon };
	char why[FILL_WHY_SIZE];
	struct fill_step step;
	struct fill *s;

	assert_int_equal(fill_new_blind(&s, form, &at_noon, why), PERR_OK);
	/* irrelevant in an empty interview, required, and without an answer */
	assert_int_equal(fill_jump_path(s, "/data/where"), PERR_OK);
	assert_int_equal(fill_current(s, &step), PERR_OK);
	assert_false(step.is_required);
	assert_int_equal(fill_answer(s, "Jena", 4, why), PERR_OK);
	assert_false(fill_was_unchecked(s));
	assert_string_equal(fill_value(s, "/data/where"), "Jena");
	/* no default is taken for an answer */
	assert_string_equal(fill_value(s, "/data/held"), "");
	assert_int_equal(fill_jump_path(s, "/data/kid[1]/name"), PERR_OK);
	assert_string_equal(fill_value(s, "/data/kid[1]/name"), "");
	/* what it says itself is checked, what others say is not */
	assert_int_equal(fill_jump_path(s, "/data/many"), PERR_OK);
	assert_int_equal(fill_answer(s, "31", 2, why), PERR_RANGE);
	assert_int_equal(fill_answer(s, "3", 1, why), PERR_OK);
	assert_false(fill_was_unchecked(s));
	assert_int_equal(fill_jump_path(s, "/data/kid[1]/age"), PERR_OK);
	assert_int_equal(fill_answer(s, "old", 3, why), PERR_RANGE);
	assert_int_equal(fill_answer(s, "7", 1, why), PERR_OK);
	assert_true(fill_was_unchecked(s));
	assert_null(fill_value(s, "/data/kid[2]/age"));
	fill_free(s);
	xform_free(form);
}

static void a_session_over_a_submission_knows_its_answers(void **state)
{
	static const char answers[] = DATA("<held>yes</held><where>Jena</where><many>2</many>"
		"<kid><name>Luz</name><age>1</age></kid><kid><name>Mar</name></kid>");
	struct xform *form = form_of(BLIND);
	struct fill_env at_noon = { .now = noon };
	char why[FILL_WHY_SIZE];
	struct fill *s;

	assert_int_equal(fill_open_answers(&s, form, &at_noon, (const uint8_t *)answers,
	                                   sizeof answers - 1, why), PERR_OK);
	assert_string_equal(fill_value(s, "/data/kid[2]/name"), "Mar");
	assert_string_equal(fill_value(s, "/data/where"), "Jena");
	assert_int_equal(fill_jump_path(s, "/data/kid[2]/age"), PERR_OK);
	assert_int_equal(fill_answer(s, "7", 1, why), PERR_RANGE);
	assert_int_equal(fill_answer(s, "1", 1, why), PERR_OK);
	fill_free(s);
	assert_int_equal(fill_open_answers(&s, form, &at_noon, (const uint8_t *)"<other/>", 8, why),
	                 PERR_FORMAT);
	assert_int_equal(fill_open_answers(&s, form, &at_noon, (const uint8_t *)"<data", 5, why),
	                 PERR_FORMAT);
	xform_free(form);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fill_asks_in_order_and_skips_what_is_irrelevant),
		cmocka_unit_test(fill_refuses_answers_at_once),
		cmocka_unit_test(fill_adds_and_removes_repeats),
		cmocka_unit_test(fill_follows_the_count_of_a_repeat),
		cmocka_unit_test(fill_leaves_irrelevant_answers_out_of_the_submission),
		cmocka_unit_test(fill_lists_what_is_missing),
		cmocka_unit_test(fill_submission_passes_the_full_check),
		cmocka_unit_test(fill_draft_brings_everything_back),
		cmocka_unit_test(fill_draft_of_the_offer_to_add_comes_back_there),
		cmocka_unit_test(fill_open_refuses_other_bytes),
		cmocka_unit_test(fill_draft_of_another_version_is_refused),
		cmocka_unit_test(fill_random_values_do_not_change_by_themselves),
		cmocka_unit_test(fill_completes_what_people_type),
		cmocka_unit_test(fill_runs_actions_and_defaults),
		cmocka_unit_test(fill_keeps_once_and_computes_chains_in_any_order),
		cmocka_unit_test(fill_handles_repeats_in_repeats),
		cmocka_unit_test(fill_speaks_the_language_asked_for),
		cmocka_unit_test(fill_completes_instances_that_lack_questions),
		cmocka_unit_test(fill_keeps_its_instance_id_over_a_draft),
		cmocka_unit_test(fill_review_shows_every_step),
		cmocka_unit_test(a_blind_session_asks_everything_and_checks_each_answer_by_itself),
		cmocka_unit_test(a_session_over_a_submission_knows_its_answers),
	};

	return cmocka_run_group_tests_name("form_fill", tests, NULL, NULL);
}
