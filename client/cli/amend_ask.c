/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Corrections at the terminal: which question, which child, the new answer, the review. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "amending.h"
#include "cmd_record.h"
#include "doc.h"
#include "fold.h"
#include "merge.h"
#include "render.h"
#include "term.h"

#define FOUND_MAX 15             /* questions that are shown for a few words */

#define T(en, es) ASK_T(&a->f.ask, en, es)

static struct amending *of(struct filling *f)
{
	return f->other_ctx;
}

/* ---- what was answered ------------------------------------------------------------------ */

/* the file an earlier answer named goes with the answer */
static void forget_file(struct amending *a, const char *path)
{
	const struct amend_change *ch = amend_find(&a->changes, path);

	if (ch != NULL && ch->value != NULL && draft_find(a->f.iv.d, ch->value) != NULL)
		draft_detach(a->f.iv.d, ch->value);
}

static enum perr note_answer(struct amending *a)
{
	const char *value = fill_value(a->f.iv.s, a->at);
	const struct amend_change *old;

	if (value == NULL)
		return PERR_NOTFOUND;
	a->is_taken = true;
	old = amend_find(&a->changes, a->path);
	if (old == NULL || old->value == NULL || strcmp(old->value, value) != 0)
		forget_file(a, a->path);
	return amend_set(&a->changes, a->path, value[0] == '\0' ? NULL : value);
}

static enum perr bytes(struct filling *f, bool must, uint8_t **out, size_t *len)
{
	struct amending *a = of(f);
	enum perr err = must && a->path != NULL && a->at != NULL ? note_answer(a) : PERR_OK;

	f->iv.d->head.n_answers = (uint32_t)a->changes.n;
	return err == PERR_OK ? amend_encode(&a->changes, out, len) : err;
}

/* ---- commands at a question -------------------------------------------------------------- */

static enum filling_next drop(struct amending *a)
{
	enum perr err = PERR_OK;

	if (!filling_sure(&a->f, T("Delete these corrections?  They cannot be brought back.",
	                  "¿Borrar estas correcciones?  No se pueden recuperar.")))
		return FILLING_SAME;
	if (a->f.iv.d->head.number != 0)
		err = draft_drop(a->f.cli->client->kv, a->f.iv.d->head.number);
	if (err != PERR_OK)
		return filling_failed(&a->f, err, T("they were not deleted", "no se borraron"));
	ask_say(&a->f.ask, 0, T("Deleted.", "Borradas."));
	return FILLING_DONE;
}

static enum filling_next save_change(struct amending *a, const char *path, const char *value)
{
	enum perr err;

	forget_file(a, path);
	err = amend_set(&a->changes, path, value);
	if (err == PERR_LIMIT) {
		ask_say(&a->f.ask, 0, T("These are as many corrections as fit; seal them first.",
		        "Son todas las correcciones que caben; séllelas primero."));
		return FILLING_SAME;
	}
	if (err != PERR_OK)
		return filling_failed(&a->f, err, T("it could not be kept", "no se pudo guardar"));
	/* nothing is answered now: what is kept is what was just set */
	ask_free(a->at);
	a->at = NULL;
	return filling_save(&a->f, true) ? FILLING_ON : FILLING_FAILED;
}

static void help(struct amending *a)
{
	static const char *const lines[][2] = {
		{ "Enter        leave it as it is", "Enter        dejarla como está" },
		{ "<  or .back  another question", "<  o .atrás  otra pregunta" },
		{ ".clear       there is no answer: take away what was answered",
		  ".borrar      no hay respuesta: quitar la que se dio" },
		{ ".again       read this question again", ".repetir     leer otra vez la pregunta" },
		{ ".review      see all corrections", ".revisar     ver todas las correcciones" },
		{ ".lang es     en español", ".idioma en   in English" },
		{ ".save        save, stop, and go on another time",
		  ".guardar     guardar, parar y seguir otro día" },
		{ ".drop        delete these corrections", ".eliminar    borrar estas correcciones" },
	};

	ask_gap(&a->f.ask);
	ask_say(&a->f.ask, 0, T("What you can type:", "Lo que puede escribir:"));
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		ask_say(&a->f.ask, 2, "%s", lines[i][a->f.ask.is_es]);
}

static void language(struct amending *a, const char *rest)
{
	struct filling *f = &a->f;

	if (rest[0] != '\0' && xform_has_lang(f->iv.form, rest)) {
		filling_speak(f, xform_lang_code(f->iv.form, xform_find_lang(f->iv.form, rest)));
		fill_set_lang(a->blind, f->iv.d->head.lang);
		if (a->known != NULL)
			fill_set_lang(a->known, f->iv.d->head.lang);
		return;
	}
	ask_say(&f->ask, 0, T("This form is in:", "Este formulario está en:"));
	for (size_t i = 0; i < xform_n_langs(f->iv.form); i++)
		ask_say(&f->ask, 2, "%s %s", T(".lang", ".idioma"), xform_lang_code(f->iv.form, i));
}

static enum filling_next command(struct filling *f, enum typed_command c, const char *rest,
                                 const struct fill_step *step)
{
	struct amending *a = of(f);

	switch (c) {
	case TYPED_HELP:
		help(a);
		return FILLING_SAME;
	case TYPED_CLEAR:
		if (step == NULL || a->path == NULL)
			return FILLING_SAME;
		a->is_taken = true;
		return save_change(a, a->path, NULL);
	case TYPED_LANG:
		language(a, rest);
		return FILLING_ON;
	case TYPED_SAVE:
		return FILLING_SAVED;
	case TYPED_DROP:
		return drop(a);
	case TYPED_AGAIN:
	case TYPED_LIST:
		free(f->asked);
		f->asked = NULL;
		return FILLING_SAME;
	case TYPED_UNKNOWN:
		ask_say(&f->ask, 0, T("There is no %s; ? shows what there is.", "No hay %s; ? muestra lo que "
		        "hay."), rest);
		return FILLING_SAME;
	case TYPED_BACK: case TYPED_SKIP: case TYPED_JUMP: case TYPED_REVIEW: case TYPED_REMOVE:
	case TYPED_ANSWER:
		break;
	}
	return FILLING_ON;
}

static const struct filling_other amending_other = { bytes, command };

/* ---- which question ---------------------------------------------------------------------- */

static void show_question(struct amending *a, unsigned number)
{
	char label[XFORM_LABEL_SIZE], repeat[XFORM_LABEL_SIZE];

	xform_question_label(a->f.iv.form, number, a->f.iv.d->head.lang, label);
	/* a "Name" that is asked of each child is not that of the person */
	if (xform_question_repeat(a->f.iv.form, number, 0, a->f.iv.d->head.lang, repeat) != NULL)
		ask_say(&a->f.ask, 2, "%u. %s (%s)", number, label, repeat);
	else
		ask_say(&a->f.ask, 2, "%u. %s", number, label);
}

static char *folded(const char *s)
{
	size_t len = strlen(s);
	char *out = malloc(FOLD_MAX(len));

	if (out != NULL)
		fold_text(out, FOLD_MAX(len), s, len);
	return out;
}

/* the number of the one question that has all these words; 0: none or several, said */
static unsigned find_question(struct amending *a, const char *words)
{
	unsigned n = 0, last = 0, total = xform_n_questions(a->f.iv.form);
	char *want = folded(words), label[XFORM_LABEL_SIZE];

	for (unsigned i = 1; want != NULL && want[0] != '\0' && i <= total; i++) {
		char *have, *word, *save = NULL, *copy = strdup(want);
		bool fits = copy != NULL;

		xform_question_label(a->f.iv.form, i, a->f.iv.d->head.lang, label);
		have = folded(label);
		for (word = copy == NULL ? NULL : strtok_r(copy, " ", &save); word != NULL && fits;
		     word = strtok_r(NULL, " ", &save))
			fits = have != NULL && strstr(have, word) != NULL;
		free(have);
		free(copy);
		if (!fits)
			continue;
		if (++n == 2)
			ask_say(&a->f.ask, 0, T("These fit; type the number of the one you mean:",
			        "Coinciden; escriba el número de la que quiere decir:"));
		if (n == 2)
			show_question(a, last);
		if (n >= 2 && n <= FOUND_MAX)
			show_question(a, i);
		last = i;
	}
	ask_free(want);
	if (n == 0)
		ask_say(&a->f.ask, 0, T("No question has these words.  .list shows all of them.",
		        "Ninguna pregunta tiene esas palabras.  .lista las muestra todas."));
	if (n > FOUND_MAX)
		ask_say(&a->f.ask, 2, T("and %u more: type more words.", "y %u más: escriba más palabras."),
		        n - FOUND_MAX);
	return n == 1 ? last : 0;
}

static void list_questions(struct amending *a)
{
	for (unsigned i = 1; i <= xform_n_questions(a->f.iv.form); i++)
		show_question(a, i);
}

/* ---- which one of several ------------------------------------------------------------------ */

struct firsts {
	struct amending *a;
	const char *prefix;              /* "/data/child[" in the answers as they stand */
	size_t len;
	unsigned n;
	char last[1024];
};

/* of each one its first answer, so that a person knows which is which */
static bool first_of(void *arg, const struct fill_step *step)
{
	struct firsts *x = arg;
	size_t k;

	if (strncmp(step->path, x->prefix, x->len) != 0 || step->kind == FILL_REPEAT ||
	    step->value[0] == '\0')
		return true;
	k = x->len + strcspn(step->path + x->len, "]") + 1;
	if (k >= sizeof x->last || strncmp(step->path, x->last, k) == 0)
		return true;
	memcpy(x->last, step->path, k);
	x->last[k] = '\0';
	x->n++;
	ask_say(&x->a->f.ask, 2, "%lu. %s", strtoul(step->path + x->len, NULL, 10), step->shown);
	return true;
}

/* where a person is on the way to a question: in the change's path, and in the answers here */
struct way {
	char *sent, *now;                /* now NULL: of one that is added, or nothing is here */
	bool is_removed;                 /* the whole of it was taken out */
};

static bool append(char **to, const char *more, size_t len)
{
	char *out = NULL;

	if (*to == NULL || asprintf(&out, "%s%.*s", *to, (int)len, more) < 0)
		return false;
	free(*to);
	*to = out;
	return true;
}

static unsigned count_at(struct amending *a, const char *path)
{
	unsigned n = 0;
	char *at = NULL;

	while (a->merged != NULL && a->merged->in != NULL && asprintf(&at, "%s[%u]", path, n + 1) >= 0) {
		bool is_there = instance_value(a->merged->in, at) != NULL;

		free(at);
		if (!is_there)
			break;
		n++;
	}
	return n;
}

static void show_added(struct amending *a, const char *repeat)
{
	unsigned next = amend_next_added(&a->changes, repeat);

	for (unsigned i = 1; i < next; i++)
		ask_say(&a->f.ask, 2, T("+%u. the new one number %u", "+%u. la nueva número %u"), i, i);
}

/* which instance; way goes into it.  FILLING_ON: chosen; FILLING_SAME: not, another question */
static enum filling_next choose_one(struct amending *a, struct way *w, const char *label)
{
	unsigned n_here = w->now == NULL ? 0 : count_at(a, w->now), number;
	struct firsts x = { .a = a, .last = "" };
	char *line = NULL, token[64], *prefix = NULL, *end;
	bool is_new, is_out = false;
	enum typed_command c;
	const char *rest;
	enum ask_result got;

	ask_gap(&a->f.ask);
	ask_say(&a->f.ask, 0, T("Which one of: %s?", "¿Cuál de: %s?"), label);
	if (w->now != NULL && a->known != NULL) {
		if (asprintf(&prefix, "%s[", w->now) < 0)
			return FILLING_SAME;
		x.prefix = prefix;
		x.len = strlen(prefix);
		(void)!fill_review(a->known, first_of, &x);
		sodium_memzero(x.last, sizeof x.last);
		free(prefix);
	} else {
		ask_say(&a->f.ask, 2, T("1 for the first one of the interview, 2 for the second, and so on",
		        "1 para la primera de la entrevista, 2 para la segunda, etcétera"));
	}
	show_added(a, w->sent);
	ask_say(&a->f.ask, 2, T("+ for one that is missing there", "+ para una que falta"));
	ask_say(&a->f.ask, 2, T("- and a number, as in - 2, for one that should not be there",
	        "- y un número, como - 2, para una que sobra"));
	got = ask_line(&a->f.ask, T("Number: ", "Número: "), &line);
	if (got == ASK_STOPPED || line == NULL)
		return FILLING_STOPPED;
	c = typed_command(line, &rest);
	if (c != TYPED_ANSWER) {
		enum filling_next next = command(&a->f, c, rest, NULL);

		ask_free(line);
		return next == FILLING_ON ? FILLING_SAME : next;
	}
	is_out = rest[0] == '-';
	rest += is_out;
	rest += strspn(rest, " \t");
	is_new = rest[0] == '+';
	number = (unsigned)strtoul(rest + is_new, &end, 10);
	if ((end == rest + is_new && !is_new) || end[strspn(end, " .")] != '\0' || (is_out && is_new) ||
	    number > 10000 || (!is_new && (number == 0 || (n_here > 0 && number > n_here)))) {
		ask_say(&a->f.ask, 0, n_here > 0 ? T("There are %u of them.", "Hay %u.")
		        : T("Type a number, as 2.", "Escriba un número, como 2."), n_here);
		ask_free(line);
		return FILLING_SAME;
	}
	ask_free(line);
	if (is_new) {
		if (number == 0)
			number = amend_next_added(&a->changes, w->sent);
		snprintf(token, sizeof token, "[+%u]", number);
		free(w->now);
		w->now = NULL;
	} else if (w->now != NULL && a->merged != NULL) {
		char *sent = NULL;

		snprintf(token, sizeof token, "[%u]", number);
		if (!append(&w->now, token, strlen(token)))
			return FILLING_SAME;
		if (fpatch_sent_path(a->merged->in, w->now, &sent) == PERR_OK) {
			free(w->sent);
			w->sent = sent;
			token[0] = '\0';
		} else {
			free(w->now);
			w->now = NULL;
		}
	} else {
		snprintf(token, sizeof token, number > 1 ? "[%u]" : "", number);
	}
	if (!append(&w->sent, token, strlen(token)))
		return FILLING_SAME;
	if (is_out) {
		char *name = amending_label(a, w->sent), *question = NULL;

		if (asprintf(&question, T("Take out the whole of \"%s\"?", "¿Quitar «%s» por completo?"),
		             name == NULL ? "?" : name) < 0)
			question = NULL;
		w->is_removed = question != NULL && filling_sure(&a->f, question);
		free(name);
		free(question);
		if (!w->is_removed)
			return FILLING_SAME;
		return save_change(a, w->sent, NULL);
	}
	return FILLING_ON;
}

/* from the question to the one place that is meant */
static enum filling_next find_place(struct amending *a, unsigned number, struct way *w)
{
	const char *path = xform_question_path(a->f.iv.form, number), *repeat;
	enum filling_next next = FILLING_ON;
	char label[XFORM_LABEL_SIZE];
	size_t done = 0;

	w->sent = strdup("");
	w->now = a->known != NULL ? strdup("") : NULL;
	for (size_t k = 0; next == FILLING_ON && !w->is_removed &&
	     (repeat = xform_question_repeat(a->f.iv.form, number, k, a->f.iv.d->head.lang, label)) != NULL;
	     k++) {
		size_t len = strlen(repeat) - done;

		if (!append(&w->sent, repeat + done, len) ||
		    (w->now != NULL && !append(&w->now, repeat + done, len)))
			return FILLING_SAME;
		done += len;
		next = choose_one(a, w, label);
	}
	if (next == FILLING_ON && !w->is_removed &&
	    (!append(&w->sent, path + done, strlen(path + done)) ||
	     (w->now != NULL && !append(&w->now, path + done, strlen(path + done)))))
		return FILLING_SAME;
	return next;
}

/* ---- the new answer -------------------------------------------------------------------------- */

/* the session in which the question can be asked; at: its place there, for free */
static struct fill *session_for(struct amending *a, unsigned number, const struct way *w, char **at)
{
	*at = NULL;
	if (a->known != NULL && w->now != NULL && fill_jump_path(a->known, w->now) == PERR_OK) {
		*at = strdup(w->now);
		return a->known;
	}
	if (a->known != NULL && w->now != NULL)
		ask_say(&a->f.ask, 0, T("With the answers as they are this is not asked; it can be corrected "
		        "all the same.", "Con las respuestas que hay esto no se pregunta; se puede corregir de "
		        "todos modos."));
	*at = amending_blind_path(a, number);
	return *at != NULL && fill_jump_path(a->blind, *at) == PERR_OK ? a->blind : NULL;
}

/* what two people said differently, before the answer that settles it */
static void show_conflict(struct amending *a, const char *now)
{
	const struct merge_field *f = a->merged == NULL || now == NULL ? NULL
	                            : case_merged_at(a->merged, now);

	if (f == NULL || !f->is_conflict)
		return;
	ask_say(&a->f.ask, 0, T("Two corrections differ here:", "Aquí dos correcciones no coinciden:"));
	for (uint32_t i = 0; i < f->n_said; i++) {
		const struct statement *st = case_merged_by(a->merged, &f->said[i]);
		char who[140], day[16];

		if (!f->said[i].stands)
			continue;
		cli_day(day, st->day);
		client_name_of(a->f.cli->client, st->author, who, sizeof who);
		ask_say(&a->f.ask, 2, "- %.*s (%s, %s)", (int)f->said[i].value.len,
		        f->said[i].is_gone ? "" : f->said[i].value.p, day, who);
	}
}

static enum filling_next ask_answer(struct amending *a, unsigned number, const struct way *w)
{
	enum filling_next next = FILLING_SAME;
	struct fill_step step;
	char why[FILL_WHY_SIZE];

	a->f.iv.s = session_for(a, number, w, &a->at);
	a->path = NULL;
	if (a->f.iv.s == NULL || merge_path(&a->path, w->sent, strlen(w->sent)) != PERR_OK) {
		ask_say(&a->f.ask, 0, T("This question cannot be asked.", "Esta pregunta no se puede hacer."));
		goto out;
	}
	/* a blind session may still have the answer of another child */
	if (a->f.iv.s == a->blind && fill_answer(a->blind, "", 0, why) != PERR_OK)
		goto out;
	a->is_taken = false;
	show_conflict(a, w->now);
	free(a->f.asked);
	a->f.asked = NULL;
	do {
		if (fill_current(a->f.iv.s, &step) != PERR_OK || step.kind == FILL_END)
			break;
		if (step.kind == FILL_NOTE) {
			ask_say(&a->f.ask, 0, T("This is calculated from other answers; correct those.",
			        "Esto se calcula de otras respuestas; corrija esas."));
			break;
		}
		next = fill_ask_step(&a->f, &step);
		/* the session goes on by itself; the one question stays the one */
	} while (next == FILLING_SAME);
	if (next == FILLING_ON && a->is_taken && fill_was_unchecked(a->f.iv.s))
		ask_say(&a->f.ask, 0, T("(Whether it fits the other answers, the attorneys' device checks.)",
		        "(Si va con las demás respuestas lo revisa el aparato de los abogados.)"));
	if (next == FILLING_ON && !a->is_taken)
		ask_say(&a->f.ask, 0, T("Left as it is.", "Se deja como está."));
out:
	ask_free(a->path);
	ask_free(a->at);
	a->path = a->at = NULL;
	return next;
}

/* ---- review ------------------------------------------------------------------------------------ */

static void show_change(struct amending *a, size_t i)
{
	const struct amend_change *ch = &a->changes.at[i];
	char *label = amending_label(a, ch->path), *shown = NULL, *at = NULL;
	unsigned number = amending_question(a, ch->path);
	struct fill_step step;

	ask_say(&a->f.ask, 0, "%zu) %s", i + 1, label == NULL ? ch->path : label);
	if (ch->value == NULL) {
		ask_say(&a->f.ask, 4, number == 0 ? T("(taken out)", "(se quita)")
		        : T("(no answer)", "(sin respuesta)"));
	} else if (number == 0) {
		ask_say(&a->f.ask, 4, T("(is there)", "(está)"));
	} else {
		char why[FILL_WHY_SIZE];

		/* as the question shows it: labels of choices, dates in words */
		at = amending_blind_path(a, number);
		if (at != NULL && fill_jump_path(a->blind, at) == PERR_OK &&
		    fill_answer(a->blind, ch->value, strlen(ch->value), why) == PERR_OK &&
		    fill_jump_path(a->blind, at) == PERR_OK && fill_current(a->blind, &step) == PERR_OK)
			shown = strdup(step.shown);
		ask_say(&a->f.ask, 4, "%s", shown == NULL || shown[0] == '\0' ? ch->value : shown);
	}
	ask_free(shown);
	free(at);
	free(label);
}

static enum filling_next take_back(struct amending *a, size_t at)
{
	forget_file(a, a->changes.at[at].path);
	amend_unset(&a->changes, at);
	if (!filling_save(&a->f, true))
		return FILLING_FAILED;
	ask_say(&a->f.ask, 0, T("That correction is dropped.", "Esa corrección se descartó."));
	return FILLING_ON;
}

static enum filling_next review(struct amending *a)
{
	char *line = NULL;
	const char *rest;
	enum typed_command c;
	size_t at[1];
	enum filling_next next = FILLING_ON;

	ask_gap(&a->f.ask);
	if (a->changes.n == 0) {
		ask_say(&a->f.ask, 0, T("Nothing is corrected yet.", "Todavía no hay nada corregido."));
		return FILLING_ON;
	}
	ask_say(&a->f.ask, 0, T("Corrections so far:", "Correcciones hasta ahora:"));
	for (size_t i = 0; i < a->changes.n; i++)
		show_change(a, i);
	ask_gap(&a->f.ask);
	ask_say(&a->f.ask, 0, T("s seals them; a number drops that correction; Enter goes on correcting.",
	        "s las sella; un número descarta esa corrección; Enter sigue corrigiendo."));
	if (ask_line(&a->f.ask, T("s, number or Enter: ", "s, número o Enter: "), &line) == ASK_STOPPED ||
	    line == NULL)
		return FILLING_STOPPED;
	c = typed_command(line, &rest);
	if (c != TYPED_ANSWER) {
		next = command(&a->f, c, rest, NULL);
	} else if (strcasecmp(rest, "s") == 0 || strcasecmp(rest, "seal") == 0 ||
	           strcasecmp(rest, "sellar") == 0) {
		a->f.code = amending_seal(a);
		next = a->f.code == EXIT_DONE ? FILLING_DONE : FILLING_FAILED;
	} else if (typed_numbers(rest, a->changes.n, at, 1) == 1) {
		next = take_back(a, at[0]);
	}
	ask_free(line);
	return next == FILLING_SAME ? FILLING_ON : next;
}

/* ---- all of it ----------------------------------------------------------------------------------- */

static void greet(struct amending *a)
{
	char code[CASE_CODE_SHOWN + 1], title[FILL_WHY_SIZE];

	case_code_show(code, a->f.iv.d->code);
	snprintf(title, sizeof title, "%s", xform_title(a->f.iv.form));
	ask_say(&a->f.ask, 0, T("Correcting case %s: %s", "Corregir el caso %s: %s"), code, title);
	sodium_memzero(code, sizeof code);
	if (a->f.iv.d->head.number != 0)
		ask_say(&a->f.ask, 0, T("Draft %u, corrected so far: %zu; .review shows them.",
		        "Borrador %u, corregidas hasta ahora: %zu; .revisar las muestra."),
		        a->f.iv.d->head.number, a->changes.n);
	if (a->known == NULL && a->merged == NULL)
		ask_say(&a->f.ask, 0, T("The interview is not on this device, so the answers it has cannot be "
		        "shown.", "La entrevista no está en este aparato, así que no se pueden mostrar las "
		        "respuestas que tiene."));
	if (a->merged != NULL && a->merged->n_conflicts > 0)
		ask_say(&a->f.ask, 0, T("Corrections differ on %u of its answers; `amparo show` says which.",
		        "Hay correcciones que no coinciden en %u respuestas; `amparo show` dice cuáles."),
		        a->merged->n_conflicts);
}

static enum filling_next one_question(struct amending *a)
{
	struct way w = { .sent = NULL };
	enum filling_next next = FILLING_ON;
	unsigned number = 0;
	enum typed_command c;
	const char *rest;
	char *line = NULL;

	ask_gap(&a->f.ask);
	ask_say(&a->f.ask, 0, T("Which question?  Its number, or a few words of it.  .list shows all; "
	        ".review shows the corrections and seals them.", "¿Cuál pregunta?  Su número, o unas "
	        "palabras.  .lista las muestra todas; .revisar muestra las correcciones y las sella."));
	if (ask_line(&a->f.ask, T("Question: ", "Pregunta: "), &line) == ASK_STOPPED || line == NULL)
		return FILLING_STOPPED;
	c = typed_command(line, &rest);
	if (c == TYPED_LIST) {
		list_questions(a);
	} else if (c == TYPED_REVIEW || (c == TYPED_ANSWER && rest[0] == '\0' && a->changes.n > 0)) {
		next = review(a);
	} else if (c != TYPED_ANSWER) {
		next = command(&a->f, c, rest, NULL);
	} else if (rest[0] != '\0') {
		char *end;

		number = (unsigned)strtoul(rest, &end, 10);
		if (end == rest || end[strspn(end, " .")] != '\0')
			number = find_question(a, rest);
		else if (xform_question_path(a->f.iv.form, number) == NULL) {
			ask_say(&a->f.ask, 0, T("The form has no question %u.", "El formulario no tiene pregunta %u."),
			        number);
			number = 0;
		}
	}
	ask_free(line);
	if (number == 0)
		return next == FILLING_SAME ? FILLING_ON : next;
	next = find_place(a, number, &w);
	if (next == FILLING_ON && !w.is_removed)
		next = ask_answer(a, number, &w);
	ask_free(w.sent);
	ask_free(w.now);
	return next == FILLING_SAME ? FILLING_ON : next;
}

int amend_ask(struct amending *a)
{
	enum filling_next next = FILLING_ON;

	a->f.other = &amending_other;
	a->f.other_ctx = a;
	greet(a);
	while (next == FILLING_ON)
		next = one_question(a);
	if (next == FILLING_SAVED || next == FILLING_STOPPED ||
	    (next == FILLING_FAILED && a->f.iv.d->head.number != 0)) {
		ask_gap(&a->f.ask);
		if (a->f.iv.d->head.number == 0)
			ask_say(&a->f.ask, 0, T("Nothing was corrected, so nothing is kept.",
			        "No se corrigió nada, así que no se guardó nada."));
		else
			ask_say(&a->f.ask, 0, T("Kept, encrypted, on this device.  Go on with:\n"
			        "  amparo amend --resume %u", "Guardado y cifrado en este aparato.  Siga con:\n"
			        "  amparo amend --resume %u"), a->f.iv.d->head.number);
	}
	switch (next) {
	case FILLING_STOPPED: return EXIT_LATER;
	case FILLING_FAILED: return a->f.code;
	case FILLING_ON: case FILLING_SAME: case FILLING_SAVED: case FILLING_DONE: break;
	}
	return EXIT_DONE;
}
