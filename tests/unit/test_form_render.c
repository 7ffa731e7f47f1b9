/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "form_test.h"
#include "fold.h"
#include "render.h"

static char lines[8192];

static bool print_row(void *ctx, const struct render_row *r)
{
	static const char *const kinds[] = {"group", "repeat", "question", "note", "hidden",
	                                    "unknown"};
	size_t n = strlen(lines);

	snprintf(lines + n, sizeof lines - n, "%u %s %u %u/%u [%s] [%s] [%s] %s%s\n", r->depth,
	         kinds[r->kind], r->number, r->index, r->n_of, r->label, r->value, r->shown, r->path,
	         r->is_attachment ? " file" : "");
	return ctx == NULL;
}

static void rows_are(const char *form, const char *data, const char *lang, unsigned flags,
                     const char *expected)
{
	struct xform *f = form == NULL ? NULL : form_of(form);
	struct instance *in = instance_of(f, data);

	lines[0] = '\0';
	assert_int_equal(render_rows(in, lang, flags, print_row, NULL), PERR_OK);
	assert_string_equal(lines, expected);
	instance_free(in);
	xform_free(f);
}

static void render_shows_labels_choices_and_repeats(void **state)
{
	rows_are(FAMILY_FORM, FAMILY_DATA, "es", 0,
		"0 question 1 0/0 [Nombre completo] [Ana Qʼanil] [Ana Qʼanil] /data/name\n"
		"0 question 2 0/0 [Día de la detención] [2026-11-24] [24 de noviembre de 2026] "
		"/data/taken\n"
		"0 question 3 0/0 [Idiomas] [es mam] [Español, Mam] /data/lang\n"
		"0 question 4 0/0 [Pueblo] [can] [Canton] /data/town\n"
		"0 repeat 0 1/2 [Niños que quedaron solos] [] [] /data/kids[1]\n"
		"1 question 5 0/0 [Primer nombre] [Luz] [Luz] /data/kids[1]/first\n"
		"1 question 6 0/0 [Edad de Luz] [7] [7] /data/kids[1]/age\n"
		"0 repeat 0 2/2 [Niños que quedaron solos] [] [] /data/kids[2]\n"
		"1 question 5 0/0 [Primer nombre] [Juan] [Juan] /data/kids[2]/first\n"
		"1 question 6 0/0 [Edad de Juan] [2] [2] /data/kids[2]/age\n"
		"0 question 7 0/0 [Fotografía] [id.jpg] [id.jpg] /data/photo file\n"
		"0 hidden 0 0/0 [n_kids] [2] [2] /data/n_kids\n");
}

static void render_falls_back_to_the_default_language(void **state)
{
	rows_are(FAMILY_FORM, "<data id='family' version='2026112401'><taken>2026-11-24</taken>"
	         "<bye/></data>", "mam", RENDER_EMPTY,
		"0 question 1 0/0 [Full name] [] [] \n"
		"0 question 2 0/0 [Day taken] [2026-11-24] [24 November 2026] /data/taken\n"
		"0 question 3 0/0 [Languages] [] [] \n"
		"0 question 4 0/0 [Town] [] [] \n"
		"0 question 7 0/0 [Photograph] [] [] \n"
		"0 note 0 0/0 [Thank you] [] [] /data/bye\n");
	/* A text the language lacks comes from the default one. */
	rows_are(FAMILY_FORM, "<data id='family' version='2026112401'><bye>x</bye></data>", "es", 0,
	         "0 note 0 0/0 [Thank you] [x] [x] /data/bye\n");
}

static void render_shows_answers_whose_question_is_gone(void **state)
{
	rows_are(FAMILY_FORM, "<data id='family' version='2020'><alien_number>A123</alien_number>"
	         "<kids><first>Luz</first><shoe>20</shoe></kids><old><g>deep</g></old>"
	         "<lang>xx es</lang><name>A</name><name>B</name></data>", "en", 0,
		"0 question 1 0/0 [Full name] [A] [A] /data/name[1]\n"
		"0 question 3 0/0 [Languages] [xx es] [xx, Spanish] /data/lang\n"
		"0 repeat 0 1/1 [Children left alone] [] [] /data/kids[1]\n"
		"1 question 5 0/0 [First name] [Luz] [Luz] /data/kids[1]/first\n"
		"1 unknown 0 0/0 [shoe] [20] [20] /data/kids[1]/shoe\n"
		"0 unknown 0 0/0 [alien_number] [A123] [A123] /data/alien_number\n"
		"0 unknown 0 0/0 [g] [deep] [deep] /data/old/g\n"
		"0 hidden 0 0/0 [name] [B] [B] /data/name[2]\n");
	/* No form at all: everything is there, under its own name. */
	rows_are(NULL, "<d id='x'><a>1</a><b><c>2</c></b></d>", "en", 0,
		"0 unknown 0 0/0 [a] [1] [1] /d/a\n"
		"0 unknown 0 0/0 [c] [2] [2] /d/b/c\n");
}

static void render_stops_when_told(void **state)
{
	struct xform *f = form_of(FAMILY_FORM);
	struct instance *in = instance_of(f, FAMILY_DATA);
	int stop;

	lines[0] = '\0';
	assert_int_equal(render_rows(in, "en", 0, print_row, &stop), PERR_OK);
	assert_ptr_equal(strchr(lines, '\n'), lines + strlen(lines) - 1);
	instance_free(in);
	xform_free(f);
}

static void render_groups_have_labels_and_depth(void **state)
{
	rows_are(FORM("<g><q/><h><p/></h></g><e><z/></e>", "",
	         "<group ref='/data/g'><label>Outer</label>"
	         "<input ref='/data/g/q'><label>Q &lt;b style='x'&gt;bold&lt;/b&gt; 1 &lt; 2</label></input>"
	         "<group ref='/data/g/h'><input ref='/data/g/h/p'><label>P</label></input></group>"
	         "</group><group ref='/data/e'><label>Empty</label><input ref='/data/e/z'/></group>"),
	         DATA("<g><q>1</q><h><p>2</p></h></g><e><z/></e><meta><instanceID>u</instanceID></meta>"),
	         NULL, RENDER_META,
		"0 group 0 0/0 [Outer] [] [] /data/g\n"
		"1 question 1 0/0 [Q bold 1 < 2] [1] [1] /data/g/q\n"
		"1 question 2 0/0 [P] [2] [2] /data/g/h/p\n"
		"0 hidden 0 0/0 [instanceID] [u] [u] /data/meta/instanceID\n");
}

static void render_text_has_answers_and_choices_in_all_languages(void **state)
{
	struct xform *f = form_of(FAMILY_FORM);
	struct instance *in = instance_of(f, FAMILY_DATA);
	char *text, folded[4096];
	size_t len;

	assert_int_equal(render_text(in, &text, &len), PERR_OK);
	assert_int_equal(strlen(text), len);
	fold_text(folded, sizeof folded, text, len);
	assert_non_null(strstr(folded, "ana qanil"));
	assert_non_null(strstr(folded, "spanish, mam"));
	assert_non_null(strstr(folded, "espanol, mam"));
	assert_non_null(strstr(folded, "canton"));
	assert_non_null(strstr(folded, "juan"));
	assert_null(strstr(folded, "uuid"));
	assert_null(strstr(folded, "id.jpg"));
	free(text);
	instance_free(in);
	xform_free(f);
}

static void render_bears_a_list_of_choices_without_end(void **state)
{
	struct xform *f = form_of(FAMILY_FORM);
	char *xml = malloc(1 << 20), *text;
	struct instance *in;
	size_t n, len;

	n = (size_t)sprintf(xml, "<data id='family' version='2026112401'><lang>");
	while (n < 900000)
		n += (size_t)sprintf(xml + n, "es mam ");
	sprintf(xml + n, "</lang></data>");
	in = instance_of(f, xml);
	lines[0] = '\0';
	assert_int_equal(render_rows(in, "en", 0, print_row, NULL), PERR_OK);
	assert_int_equal(render_text(in, &text, &len), PERR_OK);
	free(text);
	free(xml);
	instance_free(in);
	xform_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(render_shows_labels_choices_and_repeats),
		cmocka_unit_test(render_falls_back_to_the_default_language),
		cmocka_unit_test(render_shows_answers_whose_question_is_gone),
		cmocka_unit_test(render_stops_when_told),
		cmocka_unit_test(render_groups_have_labels_and_depth),
		cmocka_unit_test(render_text_has_answers_and_choices_in_all_languages),
		cmocka_unit_test(render_bears_a_list_of_choices_without_end),
	};

	return cmocka_run_group_tests_name("form_render", tests, NULL, NULL);
}
