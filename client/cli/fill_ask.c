/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* One question at the terminal. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "filling.h"
#include "fold.h"
#include "term.h"

#define LIST_MAX 25              /* more choices than this are looked up, not read aloud */
#define SHOWN_MAX 15             /* of those that fit what was typed */

#define T(en, es) ASK_T(&f->ask, en, es)

/* ---- showing ----------------------------------------------------------------------------- */

static bool has_options(const struct fill_step *step)
{
	return step->type == FILL_SELECT1 || step->type == FILL_SELECT || step->type == FILL_RANK;
}

static bool is_multiline(const struct fill_step *step)
{
	return step->type == FILL_TEXT && strstr(step->appearance, "multiline") != NULL;
}

static void show_option(struct filling *f, const struct fill_step *step, size_t i)
{
	const struct fill_option *o = &step->options[i];

	if (o->is_chosen && step->type != FILL_RANK)
		ask_say(&f->ask, 2, T("%zu. %s (chosen)", "%zu. %s (elegida)"), i + 1,
		        o->label[0] != '\0' ? o->label : o->value);
	else
		ask_say(&f->ask, 2, "%zu. %s", i + 1, o->label[0] != '\0' ? o->label : o->value);
}

static void show_options(struct filling *f, const struct fill_step *step, bool all)
{
	if (step->n_options > LIST_MAX && !all) {
		ask_say(&f->ask, 0, T("There are %zu choices.  Type a few letters of the one you look "
		        "for; .list shows them all.", "Hay %zu opciones.  Escriba unas letras de la que "
		        "busca; .lista las muestra todas."), step->n_options);
		return;
	}
	for (size_t i = 0; i < step->n_options; i++)
		show_option(f, step, i);
	if (step->n_options == 0)
		ask_say(&f->ask, 0, T("There is nothing to choose from after what was answered before.",
		        "Con lo que se contestó antes no hay opciones."));
}

/* once at the beginning of a group: repeated for each question it would only be noise */
static void show_where(struct filling *f, const char *where)
{
	if (f->where != NULL && strcmp(f->where, where) == 0)
		return;
	ask_free(f->where);
	f->where = strdup(where);
	if (where[0] != '\0') {
		ask_say(&f->ask, 0, "== %s ==", where);
		ask_gap(&f->ask);
	}
}

static void show_repeat(struct filling *f, const struct fill_step *step)
{
	ask_gap(&f->ask);
	show_where(f, step->where);
	if (step->n_instances == 0)
		ask_say(&f->ask, 0, T("Add: %s?", "¿Agregar: %s?"), step->label);
	else
		ask_say(&f->ask, 0, T("Add another: %s?  (%u so far)", "¿Agregar otra vez: %s?  (van %u)"),
		        step->label, step->n_instances);
	ask_say(&f->ask, 2, T("1. Yes, add", "1. Sí, agregar"));
	ask_say(&f->ask, 2, T("2. No, go on", "2. No, seguir"));
}

static const char *shown_value(const struct filling *f, const struct fill_step *step)
{
	if (step->type == FILL_BOOLEAN && step->value[0] != '\0')
		return strcmp(step->value, "true") == 0 || strcmp(step->value, "1") == 0
			? T("Yes", "Sí") : T("No", "No");
	return step->shown[0] != '\0' ? step->shown : step->value;
}

static void show_question(struct filling *f, const struct fill_step *step)
{
	struct ask *a = &f->ask;

	ask_gap(a);
	show_where(f, step->where);
	if (step->kind == FILL_QUESTION && f->other != NULL)
		ask_say(a, 0, T("Question %u", "Pregunta %u"), step->number);
	else if (step->kind == FILL_QUESTION)
		ask_say(a, 0, T("Question %u - %u of about %u", "Pregunta %u - %u de unas %u"),
		        step->number, step->done + 1, step->total);
	if (step->label[0] != '\0')
		ask_say(a, 0, "%s", step->label);
	if (step->is_required)
		ask_say(a, 0, T("(must be answered)", "(hay que contestarla)"));
	if (step->hint[0] != '\0')
		ask_say(a, 0, "(%s)", step->hint);
	if (step->kind == FILL_NOTE) {
		if (step->value[0] != '\0')
			ask_say(a, 2, "%s", shown_value(f, step));
		return;
	}
	if (has_options(step))
		show_options(f, step, false);
	if (step->type == FILL_BOOLEAN) {
		ask_say(a, 2, T("1. Yes", "1. Sí"));
		ask_say(a, 2, "2. No");
	}
	if (step->type == FILL_RANGE)
		ask_say(a, 0, T("From %s to %s.", "De %s a %s."), step->start, step->end);
	/* chosen ones are marked where they are listed */
	if (has_options(step) && step->type != FILL_RANK && step->n_options <= LIST_MAX)
		return;
	if (step->value[0] != '\0' && is_multiline(step))
		ask_say(a, 0, T("Written so far:", "Escrito hasta ahora:"));
	else if (step->value[0] != '\0')
		ask_say(a, 0, T("Answer now:", "Respuesta actual:"));
	if (step->value[0] != '\0') {
		const struct draft_file *file = step->type == FILL_FILE
			? draft_find(f->iv.d, step->value) : NULL;
		char size[24];

		if (file != NULL) {
			filling_size(size, file->size);
			ask_say(a, 2, T("%s (%s, kept here)", "%s (%s, ya está guardado aquí)"), step->value,
			        size);
		} else {
			ask_say(a, 2, "%s", shown_value(f, step));
		}
	}
}

static const char *prompt_of(struct filling *f, const struct fill_step *step)
{
	if (step->kind == FILL_NOTE)
		return T("Enter to go on: ", "Enter para seguir: ");
	if (step->kind == FILL_REPEAT)
		return T("Number: ", "Número: ");
	switch (step->type) {
	case FILL_TEXT:
		if (!is_multiline(step))
			return T("Answer: ", "Respuesta: ");
		return step->value[0] == '\0' ? T("Lines; Enter alone ends: ", "Líneas; Enter solo termina: ")
		                              : T("More, or Enter: ", "Más, o Enter: ");
	case FILL_INT: case FILL_DECIMAL: case FILL_RANGE: case FILL_BOOLEAN:
		return T("Number: ", "Número: ");
	case FILL_SELECT1:
		return step->n_options > LIST_MAX ? T("Letters or number: ", "Letras o número: ")
		                                  : T("Number: ", "Número: ");
	case FILL_SELECT:
		return T("Numbers, as in 1 3: ", "Números, como 1 3: ");
	case FILL_RANK:
		return T("Order, as in 2 1 3: ", "Orden, como 2 1 3: ");
	case FILL_DATE:
		return T("Date, as in 24 nov 2026: ", "Fecha, como 24 nov 2026: ");
	case FILL_TIME:
		return T("Time, as in 2:30 pm: ", "Hora, como 2:30 pm: ");
	case FILL_DATETIME:
		return T("Date and time: ", "Fecha y hora: ");
	case FILL_PLACE:
		return T("Latitude longitude: ", "Latitud longitud: ");
	case FILL_TRACE: case FILL_SHAPE:
		return T("Places, with ; between: ", "Lugares, con ; entre ellos: ");
	case FILL_FILE:
		return T("Where the file is: ", "Dónde está el archivo: ");
	case FILL_CONFIRM:
		return T("Type ok: ", "Escriba ok: ");
	}
	return T("Answer: ", "Respuesta: ");
}

void fill_ask_help(struct filling *f, const struct fill_step *step)
{
	static const char *const lines[][2] = {
		{ "?             this list", "?             esta lista" },
		{ "Enter         leave it blank, or keep the answer",
		  "Enter         dejarla en blanco, o conservar la respuesta" },
		{ "<  or .back   the question before", "<  o .atrás    la pregunta anterior" },
		{ ".skip         leave this one for later", ".saltar       dejar esta para después" },
		{ ".jump 12      go to question 12", ".ir 12        ir a la pregunta 12" },
		{ ".review       see all answers", ".revisar      ver todas las respuestas" },
		{ ".clear        take this answer away", ".borrar       quitar esta respuesta" },
		{ ".again        read this question again", ".repetir      leer otra vez esta pregunta" },
		{ ".remove       take this one of several out (a child, a paper)",
		  ".quitar       sacar esta de varias (una niña, un papel)" },
		{ ".lang es      en español", ".idioma en    in English" },
		{ ".save         save, stop, and go on another time",
		  ".guardar      guardar, parar y seguir otro día" },
		{ ".drop         delete this interview", ".eliminar     borrar esta entrevista" },
	};
	struct ask *a = &f->ask;

	ask_gap(a);
	ask_say(a, 0, T("What you can type:", "Lo que puede escribir:"));
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		ask_say(a, 2, "%s", lines[i][a->is_es]);
	ask_say(a, 0, T("An answer that begins with a period or is only a ?: type a period and a "
	        "blank before it.", "Una respuesta que empieza con punto o es solo un ?: escriba antes "
	        "un punto y un espacio."));
	if (step == NULL || step->kind != FILL_QUESTION)
		return;
	if (step->guidance[0] != '\0')
		ask_say(a, 0, "%s", step->guidance);
	if (is_multiline(step))
		ask_say(a, 0, T("Here every line is added to the answer and kept.  Enter on an empty line "
		        "goes on; .clear begins anew.", "Aquí cada línea se agrega a la respuesta y queda "
		        "guardada.  Enter en una línea vacía sigue; .borrar empieza de nuevo."));
	else if (step->type == FILL_FILE)
		ask_say(a, 0, T("Type where the photograph is, or drag it into this window.  It is copied "
		        "here, encrypted, at once.", "Escriba dónde está la foto o arrástrela a esta ventana. "
		        " Se copia aquí, cifrada, en ese momento."));
	else if (step->type == FILL_DATE)
		ask_say(a, 0, T("Dates can be written 24 nov 2026, 11/24/2026, 2026-11-24, today, yesterday.",
		        "Las fechas se pueden escribir 24 nov 2026, 24/11/2026, 2026-11-24, hoy, ayer."));
	else if (has_options(step))
		ask_say(a, 0, T("Type the number that stands before a choice, or its words.",
		        "Escriba el número que está antes de la opción, o sus palabras."));
}

/* ---- what was typed, as the form stores it ------------------------------------------------- */

/* a copy in folded form; NULL: out of memory */
static char *folded(const char *s)
{
	size_t len = strlen(s);
	char *out = malloc(FOLD_MAX(len));

	if (out != NULL)
		fold_text(out, FOLD_MAX(len), s, len);
	return out;
}

/* "2", or the words of one choice; n_options: none, several were shown if they fit */
static size_t find_option(struct filling *f, const struct fill_step *step, const char *line,
                          bool may_show)
{
	size_t at[1], n = 0;
	char *want;

	if (typed_numbers(line, step->n_options, at, 1) == 1)
		return at[0];
	want = folded(line);
	for (size_t i = 0; want != NULL && want[0] != '\0' && i < step->n_options; i++) {
		const struct fill_option *o = &step->options[i];
		char *label = folded(o->label);
		bool is_it = strcasecmp(o->value, line) == 0 || (label != NULL && strcmp(label, want) == 0);
		bool fits = label != NULL && strstr(label, want) != NULL;

		free(label);
		if (is_it) {
			ask_free(want);
			return i;
		}
		if (!fits)
			continue;
		if (++n == 1 && may_show)
			ask_say(&f->ask, 0, T("These fit:", "Coinciden:"));
		if (may_show && n <= SHOWN_MAX)
			show_option(f, step, i);
	}
	ask_free(want);
	if (n > SHOWN_MAX && may_show)
		ask_say(&f->ask, 2, T("and %zu more: type more letters.", "y %zu más: escriba más letras."),
		        n - SHOWN_MAX);
	if (n > 0 && may_show)
		ask_say(&f->ask, 0, T("Type the number of the one you mean.",
		        "Escriba el número de la que quiere decir."));
	else if (may_show)
		ask_say(&f->ask, 0, T("\"%s\" is none of the choices.  Type a number from 1 to %zu.",
		        "«%s» no está entre las opciones.  Escriba un número del 1 al %zu."), line,
		        step->n_options);
	return step->n_options;
}

/* values of several choices, blank between; NULL: not understood, said */
static char *take_several(struct filling *f, const struct fill_step *step, const char *line)
{
	size_t *at = calloc(step->n_options + 1, sizeof *at), n, room = 1;
	bool *is_there = calloc(step->n_options + 1, sizeof *is_there);
	char *out = NULL;

	if (at == NULL || is_there == NULL)
		goto done;
	n = typed_numbers(line, step->n_options, at, step->n_options);
	if (n == 0) {
		at[0] = find_option(f, step, line, true);
		n = at[0] < step->n_options;
	}
	if (n == 0)
		goto done;
	for (size_t i = 0; i < n; i++)
		room += strlen(step->options[at[i]].value) + 1;
	out = calloc(1, room);
	for (size_t i = 0; out != NULL && i < n; i++) {
		if (is_there[at[i]])
			continue;
		is_there[at[i]] = true;
		if (out[0] != '\0')
			strcat(out, " ");
		strcat(out, step->options[at[i]].value);
	}
done:
	free(at);
	free(is_there);
	return out;
}

/* "3 September 2026" of a day, in the person's language */
static void words_of(const struct filling *f, int64_t day, char out[FDATE_SIZE])
{
	fdate_show(out, (double)day, false, f->ask.is_es ? "es" : "en");
}

/* asks where month and day can be exchanged; false: not understood, or not answered */
static bool take_date(struct filling *f, const char *line, int64_t *day)
{
	struct fclock now = intake_clock(f->cli->client, f->iv.d->visit_day, 0);
	int64_t days[2];
	char first[FDATE_SIZE], second[FDATE_SIZE], *choice;
	unsigned n = typed_date(line, &now, days);
	size_t at[1];
	bool ok = false;

	if (n == 0) {
		ask_say(&f->ask, 0, T("\"%s\" is no date that exists.  Write day, month and the whole year, "
		        "as in 24 nov 2026.", "«%s» no es una fecha que exista.  Escriba día, mes y el año "
		        "completo, como 24 nov 2026."), line);
		return false;
	}
	*day = days[0];
	if (n == 1)
		return true;
	words_of(f, days[0], first);
	words_of(f, days[1], second);
	ask_say(&f->ask, 0, T("Which day is meant?", "¿Qué día quiere decir?"));
	ask_say(&f->ask, 2, "1. %s", first);
	ask_say(&f->ask, 2, "2. %s", second);
	if (ask_line(&f->ask, T("Number: ", "Número: "), &choice) != ASK_LINE)
		return false;
	if (typed_numbers(choice, 2, at, 1) == 1) {
		*day = days[at[0]];
		ok = true;
	}
	ask_free(choice);
	return ok;
}

static bool take_time(struct filling *f, const char *line, char out[24])
{
	unsigned h, m;
	bool is_sure;

	if (!typed_time(line, &h, &m, &is_sure)) {
		ask_say(&f->ask, 0, T("\"%s\" is no time.  Write it as in 9:30, or 2:30 pm.",
		        "«%s» no es una hora.  Escríbala como 9:30, o 2:30 pm."), line);
		return false;
	}
	snprintf(out, 24, "%02u:%02u", h, m);
	if (!is_sure && h < 12)
		ask_say(&f->ask, 0, T("Taken as %u:%02u in the morning; if not, < and write pm behind it.",
		        "Se tomó como %u:%02u de la mañana; si no es así, < y agregue pm."), h, m);
	else if (!is_sure)
		ask_say(&f->ask, 0, T("Taken as %u:%02u, after noon; if not, < and write am behind it.",
		        "Se tomó como %u:%02u, después del mediodía; si no es así, < y agregue am."), h, m);
	return true;
}

static char *take_moment(struct filling *f, const char *line)
{
	size_t at = typed_split(line);
	char *date = at == 0 ? NULL : strndup(line, at), time[24], day_text[FDATE_SIZE], *out = NULL;
	int64_t day;

	if (at == 0) {
		ask_say(&f->ask, 0, T("Write the date and then the time, as in 24 nov 2026 2:30 pm.",
		        "Escriba la fecha y después la hora, como 24 nov 2026 2:30 pm."));
		return NULL;
	}
	if (date == NULL)
		return NULL;
	while (at > 0 && strchr(" T,", date[at - 1]) != NULL)
		date[--at] = '\0';
	if (take_date(f, date, &day) && take_time(f, line + typed_split(line), time)) {
		fdate_write(day_text, (double)day, false, 0);
		if (asprintf(&out, "%sT%s", day_text, time) < 0)
			out = NULL;
	}
	ask_free(date);
	return out;
}

static char *take_boolean(struct filling *f, const char *line)
{
	int yes = typed_yes(line);
	size_t at[1];

	if (yes < 0 && typed_numbers(line, 2, at, 1) == 1)
		yes = at[0] == 0;
	if (yes < 0) {
		ask_say(&f->ask, 0, T("Type 1 for yes or 2 for no.", "Escriba 1 para sí o 2 para no."));
		return NULL;
	}
	return strdup(yes ? "true" : "false");
}

/* malloc'd; NULL: not understood, and said */
static char *stored_of(struct filling *f, const struct fill_step *step, const char *line)
{
	char text[FDATE_SIZE];
	char *out = NULL;
	int64_t day;
	size_t i;

	switch (step->type) {
	case FILL_SELECT1:
		i = find_option(f, step, line, true);
		return i < step->n_options ? strdup(step->options[i].value) : NULL;
	case FILL_SELECT:
	case FILL_RANK:
		return take_several(f, step, line);
	case FILL_BOOLEAN:
		return take_boolean(f, line);
	case FILL_DATE:
		if (!take_date(f, line, &day))
			return NULL;
		fdate_write(text, (double)day, false, 0);
		return strdup(text);
	case FILL_TIME:
		return take_time(f, line, text) ? strdup(text) : NULL;
	case FILL_DATETIME:
		return take_moment(f, line);
	case FILL_CONFIRM:
		return strdup(typed_yes(line) == 1 ? "OK" : line);
	case FILL_TEXT:
		if (!is_multiline(step) || step->value[0] == '\0')
			return strdup(line);
		return asprintf(&out, "%s\n%s", step->value, line) < 0 ? NULL : out;
	case FILL_INT: case FILL_DECIMAL: case FILL_RANGE: case FILL_PLACE: case FILL_TRACE:
	case FILL_SHAPE: case FILL_FILE:
		break;
	}
	return strdup(line);
}

/* ---- answering ----------------------------------------------------------------------------- */

/* on to what comes after a question: where the person came from, or the next one */
static enum filling_next go_on(struct filling *f)
{
	enum perr err = interview_next(&f->iv);

	if (err == PERR_OK)
		return FILLING_ON;
	return filling_failed(f, err, T("the next question could not be found",
	                      "no se pudo encontrar la siguiente pregunta"));
}

/* the answer of a question given to the session; false: refused, and said */
static bool give(struct filling *f, const char *text, enum filling_next *next)
{
	char why[FILL_WHY_SIZE];
	enum perr err = interview_answer(&f->iv, text, strlen(text), why);

	*next = FILLING_SAME;
	if (err == PERR_OK)
		return true;
	if (err == PERR_RANGE || err == PERR_STATE)
		ask_say(&f->ask, 0, "%s", why);
	else
		*next = filling_failed(f, err, T("the answer could not be taken; those before it are kept",
		                       "no se pudo tomar la respuesta; las anteriores están guardadas"));
	return false;
}

/* a word such as "back" typed as an answer to a question of which it can be none */
static enum typed_command meant(const struct fill_step *step, const char *line, const char **rest)
{
	if (step->kind == FILL_QUESTION && (step->type == FILL_TEXT || step->type == FILL_FILE))
		return TYPED_ANSWER;
	return typed_word(line, rest);
}

static enum filling_next attach(struct filling *f, const struct fill_step *step, const char *line)
{
	char name[DRAFT_NAME_MAX + 1], size[24], why[FILL_WHY_SIZE], *path = NULL;
	enum filling_next next = FILLING_SAME;
	uint8_t *data = NULL;
	const char *base;
	size_t len = 0;
	enum perr err;

	if (!filling_read_file(f, line, &data, &len, &base, &path))
		goto out;
	err = interview_attach(&f->iv, base, data, len, false, name, why);
	if (err == PERR_LIMIT) {
		ask_say(&f->ask, 0, T("No more files fit into this interview.",
		        "Ya no caben más archivos en esta entrevista."));
		goto out;
	}
	if (err == PERR_RANGE || err == PERR_STATE) {
		ask_say(&f->ask, 0, "%s", why);
		goto out;
	}
	if (err != PERR_OK) {
		next = filling_failed(f, err, T("the answer could not be taken; those before it are kept",
		                      "no se pudo tomar la respuesta; las anteriores están guardadas"));
		goto out;
	}
	if (!filling_save(f, true)) {
		/* the data is about to be freed: nothing may point there */
		interview_unattach(&f->iv, name);
		next = FILLING_FAILED;
		goto out;
	}
	filling_size(size, len);
	ask_say(&f->ask, 0, T("%s: %s, copied here and encrypted.", "%s: %s, copiado aquí y cifrado."),
	        name, size);
	next = go_on(f);
out:
	if (data != NULL)
		sodium_memzero(data, len);
	free(data);
	ask_free(path);
	return next;
}

static void echo(struct filling *f, const struct fill_step *step)
{
	struct fill_step now;

	if (step->type != FILL_DATE && step->type != FILL_DATETIME)
		return;
	if (fill_current(f->iv.s, &now) == PERR_OK && now.value[0] != '\0')
		ask_say(&f->ask, 2, "%s", now.shown);
}

static enum filling_next answer(struct filling *f, const struct fill_step *step, const char *line)
{
	bool is_multi = is_multiline(step);
	enum filling_next next = FILLING_SAME;
	char *text;

	if (step->type == FILL_FILE)
		return attach(f, step, line);
	text = stored_of(f, step, line);
	if (text == NULL || !give(f, text, &next)) {
		ask_free(text);
		return next;
	}
	ask_free(text);
	echo(f, step);
	if (!filling_save(f, true))
		return FILLING_FAILED;
	return is_multi ? FILLING_SAME : go_on(f);
}

static enum filling_next answer_repeat(struct filling *f, const char *line)
{
	int yes = line[0] == '\0' ? 0 : typed_yes(line);
	size_t at[1];
	enum perr err;

	if (yes < 0 && typed_numbers(line, 2, at, 1) == 1)
		yes = at[0] == 0;
	if (yes < 0) {
		ask_say(&f->ask, 0, T("Type 1 to add one, or 2 to go on.",
		        "Escriba 1 para agregar, o 2 para seguir."));
		return FILLING_SAME;
	}
	if (yes == 0)
		return go_on(f);
	f->iv.d->from_review = false;
	f->iv.is_back = false;
	err = fill_add_repeat(f->iv.s);
	if (err == PERR_LIMIT) {
		ask_say(&f->ask, 0, T("No more can be added.", "Ya no se puede agregar más."));
		return FILLING_SAME;
	}
	if (err != PERR_OK)
		return filling_failed(f, err, T("it could not be added", "no se pudo agregar"));
	return filling_save(f, true) ? FILLING_ON : FILLING_FAILED;
}

static enum filling_next empty(struct filling *f, const struct fill_step *step)
{
	if (step->kind == FILL_QUESTION && step->is_required && step->value[0] == '\0') {
		ask_say(&f->ask, 0, T("This one is needed before the interview can be sealed.  Answer it, "
		        "or type .skip to come back to it.", "Esta respuesta hace falta para poder sellar la "
		        "entrevista.  Contéstela, o escriba .saltar para volver después."));
		return FILLING_SAME;
	}
	return go_on(f);
}

static enum filling_next take_line(struct filling *f, const struct fill_step *step,
                                   const char *line)
{
	const char *rest;
	enum typed_command c = typed_command(line, &rest);

	if (c == TYPED_ANSWER)
		c = meant(step, rest, &rest);
	if (c == TYPED_LIST) {
		show_options(f, step, true);
		return FILLING_SAME;
	}
	if (c != TYPED_ANSWER)
		return filling_command(f, c, rest, step);
	if (step->kind == FILL_REPEAT)
		return answer_repeat(f, rest);
	if (rest[0] == '\0' || step->kind == FILL_NOTE)
		return empty(f, step);
	return answer(f, step, rest);
}

enum filling_next fill_ask_step(struct filling *f, const struct fill_step *step)
{
	bool is_same = f->asked != NULL && strcmp(f->asked, step->path) == 0;
	enum filling_next next;
	enum ask_result got;
	char *line;

	if (!is_same) {
		free(f->asked);
		f->asked = strdup(step->path);
		if (step->kind == FILL_REPEAT)
			show_repeat(f, step);
		else
			show_question(f, step);
	}
	got = ask_line(&f->ask, prompt_of(f, step), &line);
	if (got == ASK_STOPPED || line == NULL)
		return FILLING_STOPPED;
	next = take_line(f, step, line);
	ask_free(line);
	if (next != FILLING_SAME) {
		free(f->asked);
		f->asked = NULL;
	}
	/* what stood before the end of the input was an answer too */
	if (got == ASK_END && (next == FILLING_ON || next == FILLING_SAME))
		next = FILLING_STOPPED;
	return next;
}
