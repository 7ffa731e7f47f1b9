/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What can be typed at any prompt beside an answer. */
#include <stdlib.h>
#include <string.h>

#include "filling.h"

#define T(en, es) ASK_T(&f->ask, en, es)

struct places {
	struct filling *f;
	unsigned number, n, wanted;
	char path[1024];
};

static bool place_row(void *arg, const struct fill_step *step)
{
	struct places *p = arg;

	if (step->number != p->number || step->kind == FILL_REPEAT)
		return true;
	p->n++;
	if (p->wanted == 0 && p->n > 1)
		ask_say(&p->f->ask, 2, "%u. %s: %s", p->n, step->where, step->shown);
	if (p->wanted == p->n || (p->wanted == 0 && p->n == 1))
		snprintf(p->path, sizeof p->path, "%s", step->path);
	return true;
}

static bool first_row(void *arg, const struct fill_step *step)
{
	struct places *p = arg;

	if (step->number != p->number || step->kind == FILL_REPEAT)
		return true;
	ask_say(&p->f->ask, 2, "1. %s: %s", step->where, step->shown);
	return false;
}

/* a question asked for each child stands several times: which one? */
static enum filling_next jump(struct filling *f, const char *rest)
{
	struct places p = { .f = f }, count = { .f = f };
	enum ask_result got = ASK_LINE;
	size_t at[1];
	char *line, *end;
	enum perr err;

	count.number = p.number = (unsigned)strtoul(rest, &end, 10);
	count.wanted = UINT32_MAX;
	if (p.number == 0 || end[strspn(end, " .")] != '\0') {
		ask_say(&f->ask, 0, T("Write the question's number behind it, as in .jump 12.",
		        "Escriba después el número de la pregunta, como .ir 12."));
		return FILLING_SAME;
	}
	if ((err = fill_review(f->iv.s, place_row, &count)) != PERR_OK)
		return filling_stuck(f, err);
	if (count.n == 0) {
		ask_say(&f->ask, 0, p.number > xform_n_questions(f->iv.form)
		        ? T("The form has no question %u.", "El formulario no tiene pregunta %u.")
		        : T("Question %u is not asked with the answers as they are.",
		            "La pregunta %u no se hace con las respuestas que hay."), p.number);
		return FILLING_SAME;
	}
	if (count.n > 1) {
		ask_say(&f->ask, 0, T("Question %u is there %u times:", "La pregunta %u está %u veces:"),
		        p.number, count.n);
		if ((err = fill_review(f->iv.s, first_row, &p)) != PERR_OK ||
		    (err = fill_review(f->iv.s, place_row, &p)) != PERR_OK)
			return filling_stuck(f, err);
		got = ask_line(&f->ask, T("Which one?  Number: ", "¿Cuál?  Número: "), &line);
		if (got != ASK_LINE) {
			ask_free(line);
			return FILLING_STOPPED;
		}
		p.n = 0;
		p.wanted = typed_numbers(line, count.n, at, 1) == 1 ? (unsigned)at[0] + 1 : UINT32_MAX;
		ask_free(line);
		p.path[0] = '\0';
	} else {
		p.n = 0;
		p.wanted = 1;
	}
	if (fill_review(f->iv.s, place_row, &p) != PERR_OK || fill_jump_path(f->iv.s, p.path) != PERR_OK) {
		ask_say(&f->ask, 0, T("That is none of them.", "No es ninguna de ellas."));
		return FILLING_SAME;
	}
	f->iv.is_back = false;
	f->iv.d->from_review = false;
	return FILLING_ON;
}

static enum filling_next back(struct filling *f)
{
	enum perr err = interview_back(&f->iv);

	if (err == PERR_NOTFOUND) {
		ask_say(&f->ask, 0, T("This is the first one.", "Esta es la primera."));
		return FILLING_SAME;
	}
	return err == PERR_OK ? FILLING_ON : filling_stuck(f, err);
}

static enum filling_next clear(struct filling *f, const struct fill_step *step)
{
	char why[FILL_WHY_SIZE];
	enum perr err;

	if (step == NULL || step->kind != FILL_QUESTION)
		return FILLING_SAME;
	if (step->value[0] == '\0') {
		ask_say(&f->ask, 0, T("It is blank.", "Está en blanco."));
		return FILLING_SAME;
	}
	err = interview_clear(&f->iv, why);
	if (err != PERR_OK && why[0] == '\0')
		return filling_stuck(f, err);
	if (err != PERR_OK) {
		ask_say(&f->ask, 0, "%s", why);
		return FILLING_SAME;
	}
	return filling_save(f, true) ? FILLING_ON : FILLING_FAILED;
}

static enum filling_next remove_one(struct filling *f, const struct fill_step *step)
{
	char *prefix = step == NULL || step->kind == FILL_REPEAT ? NULL : strdup(step->path), *end;
	char *question = NULL;
	enum filling_next next = FILLING_SAME;
	enum perr err;

	end = prefix == NULL ? NULL : strrchr(prefix, ']');
	if (end == NULL) {
		ask_say(&f->ask, 0, T("This question stands once only; .clear takes its answer away.",
		        "Esta pregunta está una sola vez; .borrar quita su respuesta."));
		goto out;
	}
	end[1] = '\0';
	if (asprintf(&question, T("Take out \"%s\" with all that was answered in it?",
	             "¿Quitar «%s» con todo lo que se contestó ahí?"), step->where) < 0) {
		question = NULL;
		goto out;
	}
	if (!filling_sure(f, question))
		goto out;
	err = interview_remove(&f->iv, prefix);
	if (err == PERR_STATE) {
		ask_say(&f->ask, 0, T("The form asks for exactly so many; this one cannot be taken out.",
		        "El formulario pide exactamente esa cantidad; esta no se puede quitar."));
		goto out;
	}
	if (err != PERR_OK)
		next = filling_failed(f, err, T("it could not be taken out", "no se pudo quitar"));
	else
		next = filling_save(f, true) ? FILLING_ON : FILLING_FAILED;
out:
	free(prefix);
	ask_free(question);
	return next;
}

static enum filling_next language(struct filling *f, const char *rest)
{
	size_t n = xform_n_langs(f->iv.form);

	if (rest[0] != '\0' && xform_has_lang(f->iv.form, rest)) {
		filling_speak(f, xform_lang_code(f->iv.form, xform_find_lang(f->iv.form, rest)));
		return filling_save(f, f->iv.d->head.number != 0) ? FILLING_ON : FILLING_FAILED;
	}
	if (n < 2)
		ask_say(&f->ask, 0, T("This form is in one language only.",
		        "Este formulario está en un solo idioma."));
	else
		ask_say(&f->ask, 0, T("This form is in:", "Este formulario está en:"));
	for (size_t i = 0; n > 1 && i < n; i++)
		ask_say(&f->ask, 2, "%s %s", T(".lang", ".idioma"), xform_lang_code(f->iv.form, i));
	return FILLING_SAME;
}

static enum filling_next drop(struct filling *f)
{
	enum perr err = PERR_OK;

	if (!filling_sure(f, T("Delete this whole interview?  It cannot be brought back.",
	                  "¿Borrar toda esta entrevista?  No se puede recuperar.")))
		return FILLING_SAME;
	if (f->iv.d->head.number != 0)
		err = draft_drop(f->cli->client->kv, f->iv.d->head.number);
	if (err != PERR_OK)
		return filling_failed(f, err, T("it was not deleted", "no se borró"));
	ask_say(&f->ask, 0, T("Deleted.", "Borrada."));
	return FILLING_DONE;
}

enum filling_next filling_command(struct filling *f, enum typed_command c, const char *rest,
                                  const struct fill_step *step)
{
	if (f->other != NULL)
		return f->other->command(f, c, rest, step);
	switch (c) {
	case TYPED_HELP:
		fill_ask_help(f, step);
		return FILLING_SAME;
	case TYPED_BACK:
		return back(f);
	case TYPED_SKIP:
		f->iv.is_back = false;
		f->iv.d->from_review = false;
		return fill_next(f->iv.s) == PERR_LIMIT ? filling_stuck(f, PERR_LIMIT) : FILLING_ON;
	case TYPED_JUMP:
		return jump(f, rest);
	case TYPED_REVIEW:
		f->iv.d->from_review = false;
		return fill_jump_end(f->iv.s) == PERR_OK ? FILLING_ON : filling_stuck(f, PERR_LIMIT);
	case TYPED_CLEAR:
		return clear(f, step);
	case TYPED_AGAIN:
	case TYPED_LIST:
		return FILLING_ON;
	case TYPED_REMOVE:
		return remove_one(f, step);
	case TYPED_LANG:
		return language(f, rest);
	case TYPED_SAVE:
		return FILLING_SAVED;
	case TYPED_DROP:
		return drop(f);
	case TYPED_UNKNOWN:
		ask_say(&f->ask, 0, T("There is no %s; ? shows what there is.  If it is the answer, type a "
		        "period and a blank before it.", "No hay %s; ? muestra lo que hay.  Si es la "
		        "respuesta, escriba antes un punto y un espacio."), rest);
		return FILLING_SAME;
	case TYPED_ANSWER:
		break;
	}
	return FILLING_SAME;
}
