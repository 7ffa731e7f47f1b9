/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "fbuf.h"
#include "fcond.h"
#include "fold.h"
#include "fpaper.h"

#define SCRATCH_MAX ((size_t)8 << 20)
#define HTML_MAX ((size_t)32 << 20)
#define REPEATS_DEFAULT 3
#define REPEATS_MAX 20
#define COUNT_MAX 12            /* printed copies of a repeat whose count is a number */
#define SLIP_CHARS 10           /* a case code */
#define CHOICES_MAX 60          /* longer lists are asked as text */
#define BOXES 29                /* characters to a row: also in a repeat on A4 */

enum word {
	ONE, SEVERAL, GO_TO, ONLY_IF, MAYBE_IF, DAY, MONTH, YEAR, HOUR, MINUTE, 
	VISIT_DATE, WRITTEN_BY, TYPED_BY, TYPED_ON, SCANNED, CODE, KEEP, ASK_AT, SIGN_PERSON,
	SIGN_INTERPRETER, SIGN_VOLUNTEER, NAME, DATE, ORDER, CONFIRM, FILE_TAKEN, FILE_NAME,
	MORE_PAPER, REQUIRED, WRITE_IN, PAGE_NOTE, OFFICE, WHERE_IS, SIGNATURES, END_OF_FORM,
	N_WORDS
};

static const char *const words[2][N_WORDS] = {
	{
		[ONE] = "mark one", [SEVERAL] = "mark all that apply", [GO_TO] = "go to",
		[ONLY_IF] = "Only if", [MAYBE_IF] = "Leave it empty if it does not apply.", [DAY] = "day",
		[MONTH] = "month", [YEAR] = "year", [HOUR] = "hour", [MINUTE] = "min",
		[VISIT_DATE] = "Date of the visit",
		[WRITTEN_BY] = "Written down by", [TYPED_BY] = "Typed in by", [TYPED_ON] = "Typed in on",
		[SCANNED] = "Pages scanned", [CODE] = "Case code",
		[KEEP] = "Keep this slip. With this code you can ask about the case. Show it to nobody "
		         "who does not need it.",
		[ASK_AT] = "Ask at", [SIGN_PERSON] = "The person, or who speaks for them",
		[SIGN_INTERPRETER] = "Interpreter", [SIGN_VOLUNTEER] = "Volunteer", [NAME] = "Name",
		[DATE] = "Date", [ORDER] = "write 1 for the first, 2 for the second, and so on",
		[CONFIRM] = "Confirmed", [FILE_TAKEN] = "Attached or photographed", [FILE_NAME] = "which",
		[MORE_PAPER] = "If there are more, go on on another sheet.", [REQUIRED] = "must be answered",
		[WRITE_IN] = "Write in capital letters, one in each box.",
		[PAGE_NOTE] = "This paper names people. Hand it over, do not carry it home.",
		[OFFICE] = "For the office", [WHERE_IS] = "Address or place",
		[SIGNATURES] = "Signatures", [END_OF_FORM] = "go to the end",
	},
	{
		[ONE] = "marque una", [SEVERAL] = "marque todas las que correspondan",
		[GO_TO] = "vaya a la", [ONLY_IF] = "Solo si",
		[MAYBE_IF] = "Déjela vacía si no corresponde.", [DAY] = "día", [MONTH] = "mes",
		[YEAR] = "año", [HOUR] = "hora", [MINUTE] = "min",
		[VISIT_DATE] = "Fecha de la visita", [WRITTEN_BY] = "Escrito por",
		[TYPED_BY] = "Pasado a la computadora por", [TYPED_ON] = "Fecha en que se pasó",
		[SCANNED] = "Páginas escaneadas", [CODE] = "Clave del caso",
		[KEEP] = "Guarde este papelito. Con esta clave puede preguntar por el caso. No se lo "
		         "enseñe a quien no lo necesite.",
		[ASK_AT] = "Pregunte en", [SIGN_PERSON] = "La persona, o quien habla por ella",
		[SIGN_INTERPRETER] = "Intérprete", [SIGN_VOLUNTEER] = "Persona voluntaria",
		[NAME] = "Nombre", [DATE] = "Fecha",
		[ORDER] = "ponga 1 a la primera, 2 a la segunda, etcétera", [CONFIRM] = "Confirmado",
		[FILE_TAKEN] = "Adjunto o fotografiado", [FILE_NAME] = "cuál",
		[MORE_PAPER] = "Si hay más, siga en otra hoja.", [REQUIRED] = "hay que contestarla",
		[WRITE_IN] = "Escriba con mayúsculas, una letra en cada cuadro.",
		[PAGE_NOTE] = "Este papel nombra a personas. Entréguelo, no se lo lleve a casa.",
		[OFFICE] = "Para la oficina", [WHERE_IS] = "Dirección o lugar", [SIGNATURES] = "Firmas",
		[END_OF_FORM] = "vaya al final",
	},
};

static const char css[] =
	"*{box-sizing:border-box}"
	"body{font:10.5pt/1.35 'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;color:#000;"
	"background:#fff;margin:0 auto;max-width:190mm;padding:8mm}"
	"@media print{body{max-width:none}}"
	"header{border-bottom:1.2pt solid #000;margin-bottom:5mm;padding-bottom:2mm;display:flex;"
	"justify-content:space-between;align-items:flex-end;gap:6mm}"
	"h1{font-size:16pt;line-height:1.15;margin:0}h2{font-size:12pt;margin:6mm 0 2mm;"
	"border-bottom:.8pt solid #000;padding-bottom:.6mm;break-after:avoid}"
	"h3{font-size:10.5pt;margin:3mm 0 1mm;break-after:avoid}"
	".q{break-inside:avoid;margin:0 0 3.6mm;padding-left:10mm;position:relative}"
	".q>.n{position:absolute;left:0;top:0;width:8mm;text-align:right;font-weight:bold}"
	".l{margin:0 0 1mm;font-weight:bold}.h,.r{margin:0 0 1mm;font-size:9pt}.h{color:#333}"
	".r{font-style:italic}.note{margin:0 0 3.6mm;padding:1.5mm 2.5mm;border-left:2.4pt solid #000;"
	"break-inside:avoid}.note,.l,.h{white-space:pre-line}.how{font-weight:normal;font-size:9pt}"
	".b{display:inline-flex;margin:0 2.4mm .8mm 0;vertical-align:bottom}"
	".b i{display:block;width:5.6mm;height:7mm;border:.6pt solid #000;margin-left:-.6pt}"
	".b.w{display:flex;flex-wrap:wrap}"
	".u{font-size:8pt;color:#333;margin-right:3mm}"
	".line{border-bottom:.6pt solid #000;height:8mm}"
	"ul{list-style:none;margin:0;padding:0;columns:2;column-gap:8mm}ul.one{columns:1}"
	"li{break-inside:avoid;padding:.6mm 0 .6mm 6.4mm;position:relative}"
	"li:before{content:'';position:absolute;left:0;top:1mm;width:3.8mm;height:3.8mm;"
	"border:.7pt solid #000}ul.o li:before{border-radius:50%}"
	"ul.k li:before{width:4.6mm;height:4.6mm;top:.6mm}.go{font-size:9pt;font-style:italic;"
	"white-space:nowrap}"
	".rep{border:.8pt solid #000;padding:2.5mm 3mm 0;margin:0 0 4mm}"
	".rep>h3{margin-top:0}"
	".sign{display:grid;grid-template-columns:2fr 2fr 1fr;gap:9mm 5mm;margin-top:8mm;"
	"break-inside:avoid}.sign div{border-top:.6pt solid #000;font-size:8.5pt;padding-top:.6mm}"
	".grid{display:grid;grid-template-columns:1fr 1fr;gap:0 8mm;break-inside:avoid}"
	".grid p{margin:0 0 2mm}.office{border:.8pt solid #000;padding:2.5mm 3mm;margin-top:8mm;"
	"break-inside:avoid}"
	".slip{border:1pt dashed #000;padding:4mm;margin-top:9mm;break-inside:avoid}"
	".slip h2{border:0;margin:0 0 2mm}.slip .b i{width:7.5mm;height:9mm}"
	".small{font-size:8.5pt;margin:1mm 0}.first{margin-bottom:5mm}"
	/* a border at the very edge of the page is cut by some printers */
	"@media print{body{padding:0 .5mm}}";

struct paper {
	const struct xform *f;
	const struct fpaper_options *o;
	struct farena *a;
	struct fbuf b;
	size_t lang;
	const char *const *word;
	bool lang_is_es;
	unsigned said;                  /* see say_once */
};

static void text(struct paper *p, const char *s)
{
	fbuf_xml(&p->b, s);
}

static void raw(struct paper *p, const char *s)
{
	fbuf_text(&p->b, s);
}

/* Label, hint: outputs become blanks to fill in by hand. */
static const char *output(void *ctx, const struct ftext_part *part)
{
	return "______";
}

static const char *show(struct paper *p, const struct ftext *t)
{
	const char *s = t == NULL ? "" : ftext_show(p->a, p->f, t, p->lang, output, NULL);

	return s == NULL ? "" : s;
}

static void boxes(struct paper *p, unsigned n, const char *unit)
{
	raw(p, "<span class=\"b\">");
	while (n-- > 0)
		raw(p, "<i></i>");
	raw(p, "</span>");
	if (unit != NULL) {
		raw(p, "<span class=\"u\">");
		text(p, unit);
		raw(p, "</span>");
	}
}

/* Rows of boxes for text of any length. */
static void rows(struct paper *p, unsigned n)
{
	while (n-- > 0) {
		raw(p, "<div>");
		boxes(p, BOXES, NULL);
		raw(p, "</div>");
	}
}

static void lines(struct paper *p, unsigned n)
{
	while (n-- > 0)
		raw(p, "<div class=\"line\"></div>");
}

static void date_boxes(struct paper *p)
{
	/* In the order people write a date in that language, here. */
	boxes(p, 2, p->word[p->lang_is_es ? DAY : MONTH]);
	boxes(p, 2, p->word[p->lang_is_es ? MONTH : DAY]);
	boxes(p, 4, p->word[YEAR]);
}

static void time_boxes(struct paper *p)
{
	boxes(p, 2, p->word[HOUR]);
	boxes(p, 2, p->word[MINUTE]);
}

/* ---- where to go --------------------------------------------------------------------------- */

/*
 * The first question after number that the choice does not rule out; 0: the end.  What
 * other answers decide is left open, so nobody is sent past a question that may apply.
 */
static unsigned next_after(struct paper *p, const struct fctl *ctl, const char *value)
{
	unsigned i;

	for (i = ctl->number; i < p->f->n_questions; i++)
		if (fcond_relevance_given(p->f->questions[i]->def, ctl->def, value) != FCOND_FALSE)
			return i + 1;
	return 0;
}

static const struct fdef *repeat_of(struct paper *p, unsigned number)
{
	return number == 0 ? NULL : p->f->questions[number - 1]->def->repeat;
}

static void go_to(struct paper *p, const struct fctl *ctl, const char *value)
{
	unsigned to = next_after(p, ctl, value);

	/* Within a repeat numbers come again for the next person: no jumps out of it. */
	if (to == ctl->number + 1 || repeat_of(p, to) != ctl->def->repeat
	    || (to == 0 && ctl->def->repeat != NULL))
		return;
	if (to == 0 && ctl->number == p->f->n_questions)
		return;
	raw(p, " <span class=\"go\">→ ");
	text(p, p->word[to == 0 ? END_OF_FORM : GO_TO]);
	if (to != 0)
		fbuf_fmt(&p->b, " %u", to);
	raw(p, "</span>");
}

/* "22–26: Only if question 21 is Yes"; first 0: the condition of one thing. */
static void say_condition(struct paper *p, const char *s, unsigned first, unsigned last)
{
	raw(p, "<p class=\"r\">");
	if (first != 0)
		fbuf_fmt(&p->b, "%u–%u: ", first, last);
	if (s != NULL) {
		text(p, p->word[ONLY_IF]);
		raw(p, " ");
		text(p, s);
		raw(p, ".");
	} else {
		text(p, p->word[MAYBE_IF]);
	}
	raw(p, "</p>");
}

static const char *condition(struct paper *p, const struct fdef *def)
{
	return fcond_words(p->a, p->f, def->expr[FSLOT_RELEVANT], p->lang);
}

/* The conditions of a node alone; those of its groups stand at the groups. */
static void only_if(struct paper *p, const struct fdef *def)
{
	if (def != NULL && def->expr[FSLOT_RELEVANT] != NULL)
		say_condition(p, condition(p, def), 0, 0);
}

/*
 * Questions in a row with one condition say it once, before the first of them; said is
 * the number of the last one, for which nothing is said again.
 */
static void say_once(struct paper *p, const struct fctl *ctl)
{
	const char *s, *other;
	const struct fctl *c, *last = ctl;

	if (ctl->number <= p->said || ctl->number == 0 || ctl->def->expr[FSLOT_RELEVANT] == NULL
	    || (s = condition(p, ctl->def)) == NULL)
		return;
	for (c = ctl->next; c != NULL && c->number != 0
	     && c->def->expr[FSLOT_RELEVANT] != NULL; c = c->next) {
		other = condition(p, c->def);
		if (other == NULL || strcmp(other, s) != 0)
			break;
		last = c;
	}
	if (last == ctl)
		return;
	say_condition(p, s, ctl->number, last->number);
	p->said = last->number;
}

/* ---- questions ------------------------------------------------------------------------------ */

static bool is_short_list(struct paper *p, const struct fctl *ctl)
{
	const struct fchoice *c;

	for (c = ctl->choices; c != NULL; c = c->next)
		if (strlen(show(p, &c->label)) > 44)
			return false;
	return true;
}

/* Choices from a list that depends on other answers cannot all be printed. */
static size_t count_items(const struct fctl *ctl)
{
	const struct fitemset *set = ctl->itemset;

	return set == NULL || set->inst == NULL || set->inst->root == NULL ? 0 : set->by_value.n_used;
}

static void item(struct paper *p, const struct fctl *ctl, const char *value, const char *label)
{
	raw(p, "<li>");
	text(p, label == NULL || label[0] == '\0' ? value : label);
	if (ctl->kind == FCTL_SELECT1)
		go_to(p, ctl, value);
	raw(p, "</li>");
}

static void choices(struct paper *p, const struct fctl *ctl)
{
	const struct fitemset *set = ctl->itemset;
	const struct fchoice *c;
	const struct fnode *n;
	size_t items = count_items(ctl);

	if (ctl->choices == NULL && (items == 0 || items > CHOICES_MAX)) {
		rows(p, 1);
		return;
	}
	fbuf_fmt(&p->b, "<ul class=\"%s%s\">", ctl->kind == FCTL_SELECT1 ? "o" : ctl->kind == FCTL_RANK
	         ? "k" : "s", is_short_list(p, ctl) && set == NULL ? "" : " one");
	for (c = ctl->choices; c != NULL; c = c->next)
		item(p, ctl, c->value, show(p, &c->label));
	/* In the order of the file, each value once. */
	for (n = items == 0 ? NULL : ftree_child(set->inst->root, NULL); n != NULL;
	     n = ftree_next(n, NULL)) {
		const struct fnode *v = ftree_child(n, set->value_ref);

		if (v == NULL || fmap_get(&set->by_value, NULL, v->text) != n)
			continue;
		item(p, ctl, v->text, xform_choice_label(p->a, p->f, ctl, v->text, strlen(v->text),
		                                         p->lang));
	}
	raw(p, "</ul>");
}

static bool has_word(const char *list, const char *word)
{
	return list != NULL && strstr(list, word) != NULL;
}

static void space_for(struct paper *p, const struct fctl *ctl)
{
	const struct fdef *def = ctl->def;

	switch (ctl->kind) {
	case FCTL_SELECT1:
	case FCTL_SELECT:
	case FCTL_RANK:
		choices(p, ctl);
		return;
	case FCTL_RANGE:
		boxes(p, 4, NULL);
		raw(p, "<span class=\"u\">");
		fbuf_fmt(&p->b, p->lang_is_es ? "de %.20s a %.20s" : "from %.20s to %.20s", ctl->start,
		         ctl->end);
		raw(p, "</span>");
		return;
	case FCTL_TRIGGER:
		raw(p, "<ul class=\"s one\"><li>");
		text(p, p->word[CONFIRM]);
		raw(p, "</li></ul>");
		return;
	case FCTL_UPLOAD:
		raw(p, "<ul class=\"s one\"><li>");
		text(p, p->word[FILE_TAKEN]);
		raw(p, ", ");
		text(p, p->word[FILE_NAME]);
		raw(p, ": ____________________________</li></ul>");
		return;
	case FCTL_GROUP:
	case FCTL_REPEAT:
	case FCTL_INPUT:
		break;
	}
	switch (def->type) {
	case FTYPE_INT:
		boxes(p, 6, NULL);
		break;
	case FTYPE_DECIMAL:
		boxes(p, 6, ",");
		boxes(p, 2, NULL);
		break;
	case FTYPE_DATE:
		date_boxes(p);
		break;
	case FTYPE_DATETIME:
		date_boxes(p);
		time_boxes(p);
		break;
	case FTYPE_TIME:
		time_boxes(p);
		break;
	case FTYPE_BOOLEAN:
		boxes(p, 1, NULL);
		break;
	case FTYPE_GEOPOINT:
	case FTYPE_GEOTRACE:
	case FTYPE_GEOSHAPE:
		raw(p, "<span class=\"u\">");
		text(p, p->word[WHERE_IS]);
		raw(p, "</span>");
		lines(p, 2);
		break;
	case FTYPE_STRING:
	case FTYPE_BINARY:
	case FTYPE_SELECT:
		if (has_word(ctl->appearance, "multiline"))
			lines(p, 6);
		else if (has_word(ctl->appearance, "numbers"))
			boxes(p, 14, NULL);
		else
			/* What has a form to keep to (a number, a code) is short; names are not. */
			rows(p, def->expr[FSLOT_CONSTRAINT] != NULL ? 1 : 2);
		break;
	}
}

static void note(struct paper *p, const struct fctl *ctl)
{
	const char *s = show(p, ctl->label);

	if (s[0] == '\0')
		return;
	raw(p, "<div class=\"note\">");
	only_if(p, ctl->def);
	text(p, s);
	raw(p, "</div>\n");
}

static void how(struct paper *p, const struct fctl *ctl)
{
	const char *s = NULL;

	if (ctl->kind == FCTL_SELECT1 && (ctl->choices != NULL || count_items(ctl) > 0))
		s = p->word[ONE];
	else if (ctl->kind == FCTL_SELECT)
		s = p->word[SEVERAL];
	else if (ctl->kind == FCTL_RANK)
		s = p->word[ORDER];
	if (s != NULL) {
		raw(p, " <span class=\"how\">(");
		text(p, s);
		raw(p, ")</span>");
	}
	if (ctl->def->expr[FSLOT_REQUIRED] != NULL
	    && fcond_given(ctl->def->expr[FSLOT_REQUIRED], NULL, NULL) == FCOND_TRUE) {
		raw(p, " <span class=\"how\">(");
		text(p, p->word[REQUIRED]);
		raw(p, ")</span>");
	}
}

static void question(struct paper *p, const struct fctl *ctl)
{
	const char *label = show(p, ctl->label), *hint = show(p, ctl->hint);

	/* What is calculated is nobody's to write. */
	if (ctl->def->expr[FSLOT_CALCULATE] != NULL)
		return;
	if (ctl->is_note) {
		note(p, ctl);
		return;
	}
	say_once(p, ctl);
	fbuf_fmt(&p->b, "<div class=\"q\"><span class=\"n\">%u</span><p class=\"l\">", ctl->number);
	text(p, label[0] == '\0' ? ctl->def->name : label);
	how(p, ctl);
	raw(p, "</p>");
	if (ctl->number > p->said)
		only_if(p, ctl->def);
	if (hint[0] != '\0') {
		raw(p, "<p class=\"h\">");
		text(p, hint);
		raw(p, "</p>");
	}
	space_for(p, ctl);
	raw(p, "</div>\n");
}

static void controls(struct paper *p, const struct fctl *parent, unsigned depth);

static unsigned copies(struct paper *p, const struct fctl *ctl)
{
	unsigned n = p->o->n_repeats == 0 ? REPEATS_DEFAULT : p->o->n_repeats;

	if (ctl->count_expr != NULL && ctl->count_expr->op == FOP_NUMBER && ctl->count_expr->number >= 1)
		n = ctl->count_expr->number > COUNT_MAX ? COUNT_MAX : (unsigned)ctl->count_expr->number;
	/* Repeats in repeats would multiply: one of each, and another sheet. */
	if (ctl->def->parent->repeat != NULL)
		n = 1;
	return n > REPEATS_MAX ? REPEATS_MAX : n;
}

static void repeat(struct paper *p, const struct fctl *ctl, unsigned depth)
{
	const char *label = show(p, ctl->label);
	unsigned i, n = copies(p, ctl);

	only_if(p, ctl->def);
	for (i = 1; i <= n; i++) {
		raw(p, "<section class=\"rep\"><h3>");
		text(p, label[0] == '\0' ? ctl->def->name : label);
		fbuf_fmt(&p->b, " %u</h3>\n", i);
		/* The next copy says its conditions anew. */
		p->said = 0;
		controls(p, ctl, depth + 1);
		raw(p, "</section>\n");
	}
	raw(p, "<p class=\"small\">");
	text(p, p->word[MORE_PAPER]);
	raw(p, "</p>\n");
}

static void controls(struct paper *p, const struct fctl *parent, unsigned depth)
{
	struct farena_mark m = farena_mark(p->a);
	const struct fctl *ctl;
	const char *label;

	for (ctl = parent->first; ctl != NULL && !p->b.is_broken; ctl = ctl->next) {
		if (ctl->kind == FCTL_GROUP) {
			label = show(p, ctl->label);
			if (label[0] != '\0' && !(ctl->first != NULL && ctl->first->kind == FCTL_REPEAT
			                          && ctl->first->label == ctl->label)) {
				fbuf_fmt(&p->b, "<h%u>", depth == 0 ? 2u : 3u);
				text(p, label);
				fbuf_fmt(&p->b, "</h%u>\n", depth == 0 ? 2u : 3u);
			}
			only_if(p, ctl->def);
			controls(p, ctl, depth + 1);
		} else if (ctl->kind == FCTL_REPEAT) {
			repeat(p, ctl, depth);
		} else {
			question(p, ctl);
		}
		farena_release(p->a, m);
	}
}

/* ---- head and foot ---------------------------------------------------------------------------- */

/* Text between quotes of a style sheet: all but plain letters and digits as code points. */
static void css_text(struct paper *p, const char *s)
{
	const char *end = s + strlen(s);

	while (s < end) {
		unsigned c = fold_utf8(&s, end);

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
		    || c == ' ' || c == '-' || c == '_' || c == '.')
			fbuf_fmt(&p->b, "%c", (int)c);
		else
			fbuf_fmt(&p->b, "\\%x ", c);
	}
}

/* The form's name: its text "title" in the language, where it has one. */
static const char *title(struct paper *p)
{
	struct ftext t = {.itext = fmap_get(&p->f->itext_by_id, NULL, "title")};
	const char *s = t.itext == NULL ? "" : show(p, &t);

	return s[0] == '\0' ? p->f->title : s;
}

/* Pages get mixed up: each says which form it is of, and its number. */
static void page_rules(struct paper *p)
{
	raw(p, "@page{size:");
	raw(p, p->o->size == FPAPER_A4 ? "A4" : "letter");
	raw(p, ";margin:14mm 14mm 17mm;@bottom-left{font:8pt Arial,sans-serif;content:\"");
	css_text(p, p->f->id);
	if (p->f->version[0] != '\0') {
		css_text(p, " · ");
		css_text(p, p->f->version);
	}
	raw(p, "\"}@bottom-right{font:8pt Arial,sans-serif;content:counter(page) \" / \" "
	    "counter(pages)}}");
}

static void head(struct paper *p)
{
	raw(p, "<!DOCTYPE html>\n<html lang=\"");
	text(p, xform_lang_code(p->f, p->lang));
	raw(p, "\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
	text(p, title(p));
	raw(p, "</title>\n<style>");
	page_rules(p);
	raw(p, css);
	raw(p, "</style>\n</head>\n<body>\n<header><div><h1>");
	text(p, title(p));
	raw(p, "</h1>");
	if (p->o->organisation != NULL) {
		raw(p, "<p class=\"small\">");
		text(p, p->o->organisation);
		raw(p, "</p>");
	}
	raw(p, "</div><div class=\"small\">");
	text(p, p->f->id);
	if (p->f->version[0] != '\0') {
		raw(p, " · ");
		text(p, p->f->version);
	}
	raw(p, "</div></header>\n<p class=\"small\">");
	text(p, p->word[WRITE_IN]);
	raw(p, " ");
	text(p, p->word[PAGE_NOTE]);
	raw(p, "</p>\n<section class=\"grid first\"><p class=\"l\">");
	text(p, p->word[VISIT_DATE]);
	raw(p, "<br>");
	date_boxes(p);
	raw(p, "</p><p class=\"l\">");
	text(p, p->word[WRITTEN_BY]);
	raw(p, "<span class=\"line\" style=\"display:block\"></span></p></section>\n");
}

static void signature(struct paper *p, enum word who)
{
	raw(p, "<div>");
	text(p, p->word[who]);
	raw(p, "</div><div>");
	text(p, p->word[NAME]);
	raw(p, "</div><div>");
	text(p, p->word[DATE]);
	raw(p, "</div>");
}

static void foot(struct paper *p)
{
	raw(p, "<h2>");
	text(p, p->word[SIGNATURES]);
	raw(p, "</h2>\n<section class=\"sign\">");
	signature(p, SIGN_PERSON);
	signature(p, SIGN_INTERPRETER);
	signature(p, SIGN_VOLUNTEER);
	raw(p, "</section>\n<section class=\"office\"><p class=\"l\">");
	text(p, p->word[OFFICE]);
	raw(p, "</p><div class=\"grid\"><p>");
	text(p, p->word[TYPED_BY]);
	raw(p, "<span class=\"line\" style=\"display:block\"></span></p><p>");
	text(p, p->word[TYPED_ON]);
	raw(p, "<br>");
	date_boxes(p);
	raw(p, "</p><p>");
	text(p, p->word[CODE]);
	raw(p, "<br>");
	boxes(p, SLIP_CHARS / 2, NULL);
	boxes(p, SLIP_CHARS / 2, NULL);
	raw(p, "</p></div><ul class=\"s one\"><li>");
	text(p, p->word[SCANNED]);
	raw(p, ": ______</li></ul></section>\n<section class=\"slip\"><h2>");
	if (p->o->organisation != NULL) {
		text(p, p->o->organisation);
		raw(p, " · ");
	}
	text(p, p->word[CODE]);
	raw(p, "</h2>");
	boxes(p, SLIP_CHARS / 2, NULL);
	boxes(p, SLIP_CHARS / 2, NULL);
	raw(p, "<p class=\"small\">");
	text(p, p->word[KEEP]);
	raw(p, "</p><p class=\"small\">");
	text(p, p->word[ASK_AT]);
	raw(p, ": ");
	text(p, p->o->contact == NULL ? "______________________________" : p->o->contact);
	raw(p, "</p></section>\n</body>\n</html>\n");
}

enum perr fpaper_html(const struct xform *f, const struct fpaper_options *o, uint8_t **html,
                      size_t *len)
{
	struct paper p = {.f = f, .o = o, .b = {.max = HTML_MAX}, .a = farena_new(SCRATCH_MAX)};
	const char *code;

	*html = NULL;
	*len = 0;
	if (p.a == NULL)
		return PERR_NOMEM;
	p.lang = xform_find_lang(f, o->lang);
	code = xform_lang_code(f, p.lang);
	p.lang_is_es = strncmp(code, "es", 2) == 0 && (code[2] == '\0' || code[2] == '-');
	p.word = words[p.lang_is_es];
	head(&p);
	controls(&p, f->body, 0);
	foot(&p);
	farena_free(p.a);
	return fbuf_take(&p.b, html, len) == 0 ? PERR_OK : PERR_NOMEM;
}
