/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* amparo intake fill: an interview at the terminal, question by question. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"
#include "cmd_record.h"
#include "dispatch.h"
#include "drafts.h"
#include "filling.h"
#include "fold.h"
#include "term.h"

enum { OPT_FORM = 1, OPT_LANG, OPT_RESUME, OPT_PAPER };

#define T(en, es) ASK_T(&f->ask, en, es)

const char cmd_fill_help[] =
	"Use: amparo intake fill [--form ID] [--lang LANG] [--from-paper]\n"
	"     amparo intake fill --resume N\n\n"
	"Asks the questions of a form one by one, and seals the interview at the end for the\n"
	"attorneys of the form's desk.  It needs no network.  From the first answer on\n"
	"everything is kept on this device, encrypted, after each answer: if the battery dies or\n"
	"the window is closed, `amparo intake fill --resume N` goes on at the same question, and\n"
	"`amparo drafts` says which N.\n\n"
	"At any question:\n"
	"  ?             what can be typed, and how this question is answered\n"
	"  Enter         leave it blank, or keep the answer\n"
	"  <  or .back   the question before             .atrás\n"
	"  .skip         leave this one for later        .saltar\n"
	"  .jump 12      go to question 12               .ir 12\n"
	"  .review       see all answers                 .revisar\n"
	"  .clear        take this answer away           .borrar\n"
	"  .remove       take out one of several         .quitar\n"
	"  .save         stop, and go on another time    .guardar\n"
	"Words work in English and Spanish, whichever language is shown.\n\n"
	"A photograph is named by where it is (or dragged into the window); it is copied and\n"
	"encrypted at once.\n\n"
	"  --form ID      which form; may be left out if only one is published\n"
	"  --lang LANG    language of the questions (es, en, or another one of the form)\n"
	"  --from-paper   type in a form filled by hand: asks the date of the visit, who types\n"
	"                 it in, and the scan, then the questions in the paper's order\n"
	"  --resume N     go on with draft N\n\n"
	"Examples:\n"
	"  amparo intake fill --form raid-intake --lang es\n"
	"  amparo intake fill --resume 1\n\n"
	"Exit codes: 0 sealed, or saved with .save; 1 refused; 2 wrong command line; 3 interrupted,\n"
	"everything is kept; 4 vault locked; 5 vault or disk damaged.\n";

/* ---- helpers of the other files -------------------------------------------------------------- */

void filling_size(char out[24], uint64_t bytes)
{
	if (bytes < 1024)
		snprintf(out, 24, "%u bytes", (unsigned)bytes);
	else
		snprintf(out, 24, "%llu KiB", (unsigned long long)(bytes + 1023) / 1024);
}

void filling_clock(struct filling *f)
{
	struct fclock now = intake_clock(f->cli->client, f->d->visit_day, cmd_tz_min());

	fill_set_now(f->s, &now);
}

bool filling_sure(struct filling *f, const char *question)
{
	bool yes;
	char *line;

	ask_say(&f->ask, 0, "%s", question);
	if (ask_line(&f->ask, T("Type yes if so: ", "Escriba sí si es así: "), &line) == ASK_STOPPED ||
	    line == NULL)
		return false;
	yes = typed_yes(line) == 1;
	ask_free(line);
	return yes;
}

struct count {
	struct filling *f;
	uint32_t answers;
	size_t files;
};

static bool count_one(void *arg, const struct fill_step *step)
{
	struct count *c = arg;

	c->answers += step->kind == FILL_QUESTION && step->value[0] != '\0';
	c->files += step->kind == FILL_QUESTION && step->type == FILL_FILE && step->value[0] != '\0';
	return true;
}

int filling_save(struct filling *f, bool must)
{
	struct count n = { .f = f };
	bool is_new = f->d->head.number == 0;
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum perr err;

	if (!must && is_new)
		return EXIT_DONE;
	err = fill_review(f->s, count_one, &n);
	if (err == PERR_OK)
		err = fill_draft(f->s, &bytes, &len);
	f->d->head.n_answers = n.answers;
	if (err == PERR_OK && (must || len != f->d->answers_len ||
	                       memcmp(bytes, f->d->answers, len) != 0))
		err = draft_save(f->cli->client->kv, f->d, bytes, len);
	if (bytes != NULL)
		sodium_memzero(bytes, len);
	free(bytes);
	if (err == PERR_EXISTS)
		return cli_fail(EXIT_REFUSED, T("draft %u was changed in another window; what was entered "
		                "there stands.  `amparo intake fill --resume %u` goes on with it.",
		                "el borrador %u se cambió en otra ventana; vale lo que se escribió allá. "
		                " `amparo intake fill --resume %u` sigue con él."), f->d->head.number,
		                f->d->head.number);
	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, T("draft %u was deleted in another window.",
		                "el borrador %u se eliminó en otra ventana."), f->d->head.number);
	if (err != PERR_OK)
		return cli_fail_err(err, "%s", T("the last answer could not be kept; all before it are",
		                    "no se pudo guardar la última respuesta; las anteriores sí están"));
	if (is_new) {
		f->lock = drafts_lock(f->cli, f->d->head.number);
		ask_say(&f->ask, 0, T("Kept on this device, encrypted, as draft %u.",
		        "Guardada en este aparato, cifrada, como borrador %u."), f->d->head.number);
	}
	return EXIT_DONE;
}

/* said here, wrapped and in the language, before cli_read_file would say it in its way */
static bool may_read(struct filling *f, const char *path, size_t max)
{
	char has[24], may[24];
	struct stat st;

	if (stat(path, &st) != 0) {
		ask_say(&f->ask, 0, errno == EACCES
		        ? T("\"%s\" may not be read by you.", "Usted no tiene permiso de leer «%s».")
		        : T("There is no \"%s\".  See whether folder and name are spelled right; dragging the "
		            "file into this window types them.", "No existe «%s».  Mire si la carpeta y el "
		            "nombre están bien escritos; si arrastra el archivo a esta ventana se escriben "
		            "solos."), path);
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		ask_say(&f->ask, 0, T("\"%s\" is no file.", "«%s» no es un archivo."), path);
		return false;
	}
	if ((uint64_t)st.st_size <= max)
		return true;
	filling_size(has, (uint64_t)st.st_size);
	filling_size(may, max);
	ask_say(&f->ask, 0, T("That file has %s; at most %s are allowed.  Make the picture smaller, or "
	        "photograph less of the page at a time.", "Ese archivo tiene %s; se permiten %s como "
	        "máximo.  Haga la foto más pequeña o fotografíe menos de la página a la vez."), has, may);
	return false;
}

bool filling_read_file(struct filling *f, const char *typed, uint8_t **data, size_t *len,
                       const char **base, char **path)
{
	const struct roster_limits *lim = &f->cli->client->field->limits;
	struct count n = { .f = f };
	const char *slash;
	size_t max = lim->attachments < DRAFT_FILES_MAX ? lim->attachments : DRAFT_FILES_MAX;
	struct fill_step step;

	*path = typed_path(typed, getenv("HOME"));
	if (*path == NULL || fill_review(f->s, count_one, &n) != PERR_OK)
		return false;
	for (size_t i = 0; i < f->d->n_files; i++)
		n.files += f->d->files[i].is_scan && !f->d->files[i].is_gone;
	/* the one that this answer has already makes room for the new one */
	if (fill_current(f->s, &step) == PERR_OK && step.type == FILL_FILE && step.value[0] != '\0')
		n.files--;
	if (n.files >= max) {
		ask_say(&f->ask, 0, T("There are %zu files in this interview, and no more are allowed.",
		        "Ya hay %zu archivos en esta entrevista y no se permiten más."), n.files);
		return false;
	}
	if (!may_read(f, *path, lim->attachment_bytes) ||
	    cli_read_file(*path, lim->attachment_bytes, data, len) != EXIT_DONE)
		return false;
	slash = strrchr(*path, '/');
	*base = slash == NULL ? *path : slash + 1;
	return true;
}

/* ---- commands --------------------------------------------------------------------------------- */

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

	count.number = p.number = (unsigned)strtoul(rest, &end, 10);
	count.wanted = UINT32_MAX;
	if (p.number == 0 || end[strspn(end, " .")] != '\0') {
		ask_say(&f->ask, 0, T("Write the question's number behind it, as in .jump 12.",
		        "Escriba después el número de la pregunta, como .ir 12."));
		return FILLING_SAME;
	}
	if (fill_review(f->s, place_row, &count) != PERR_OK)
		return FILLING_FAILED;
	if (count.n == 0) {
		ask_say(&f->ask, 0, p.number > xform_n_questions(f->form)
		        ? T("The form has no question %u.", "El formulario no tiene pregunta %u.")
		        : T("Question %u is not asked with the answers as they are.",
		            "La pregunta %u no se hace con las respuestas que hay."), p.number);
		return FILLING_SAME;
	}
	if (count.n > 1) {
		ask_say(&f->ask, 0, T("Question %u is there %u times:", "La pregunta %u está %u veces:"),
		        p.number, count.n);
		if (fill_review(f->s, first_row, &p) != PERR_OK ||
		    fill_review(f->s, place_row, &p) != PERR_OK)
			return FILLING_FAILED;
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
	if (fill_review(f->s, place_row, &p) != PERR_OK || fill_jump_path(f->s, p.path) != PERR_OK) {
		ask_say(&f->ask, 0, T("That is none of them.", "No es ninguna de ellas."));
		return FILLING_SAME;
	}
	f->is_back = false;
	f->d->from_review = false;
	return FILLING_ON;
}

static enum filling_next back(struct filling *f)
{
	enum perr err = fill_back(f->s);

	f->d->from_review = false;
	f->is_back = true;
	if (err == PERR_NOTFOUND) {
		ask_say(&f->ask, 0, T("This is the first one.", "Esta es la primera."));
		f->is_back = false;
		return FILLING_SAME;
	}
	return err == PERR_OK ? FILLING_ON : FILLING_FAILED;
}

static enum filling_next clear(struct filling *f, const struct fill_step *step)
{
	char why[FILL_WHY_SIZE], *name;

	if (step == NULL || step->kind != FILL_QUESTION)
		return FILLING_SAME;
	if (step->value[0] == '\0') {
		ask_say(&f->ask, 0, T("It is blank.", "Está en blanco."));
		return FILLING_SAME;
	}
	name = step->type == FILL_FILE ? strdup(step->value) : NULL;
	if (fill_answer(f->s, "", 0, why) != PERR_OK) {
		free(name);
		ask_say(&f->ask, 0, "%s", why);
		return FILLING_SAME;
	}
	if (name != NULL)
		draft_detach(f->d, name);
	free(name);
	return filling_save(f, true) == EXIT_DONE ? FILLING_ON : FILLING_FAILED;
}

struct inside {
	struct filling *f;
	const char *prefix;
};

static bool detach_row(void *arg, const struct fill_step *step)
{
	struct inside *in = arg;

	if (step->type == FILL_FILE && strncmp(step->path, in->prefix, strlen(in->prefix)) == 0 &&
	    step->value[0] != '\0')
		draft_detach(in->f->d, step->value);
	return true;
}

static enum filling_next remove_one(struct filling *f, const struct fill_step *step)
{
	char *prefix = step == NULL || step->kind == FILL_REPEAT ? NULL : strdup(step->path), *end;
	char *question = NULL;
	struct inside in = { .f = f };
	enum filling_next next = FILLING_SAME;
	enum perr err;

	end = prefix == NULL ? NULL : strrchr(prefix, ']');
	if (end == NULL) {
		ask_say(&f->ask, 0, T("This question stands once only; .clear takes its answer away.",
		        "Esta pregunta está una sola vez; .borrar quita su respuesta."));
		goto out;
	}
	end[1] = '\0';
	in.prefix = prefix;
	if (asprintf(&question, T("Take out \"%s\" with all that was answered in it?",
	             "¿Quitar «%s» con todo lo que se contestó ahí?"), step->where) < 0) {
		question = NULL;
		goto out;
	}
	if (!filling_sure(f, question))
		goto out;
	err = fill_review(f->s, detach_row, &in);
	if (err == PERR_OK)
		err = fill_remove_repeat(f->s, prefix);
	if (err == PERR_STATE) {
		ask_say(&f->ask, 0, T("The form asks for exactly so many; this one cannot be taken out.",
		        "El formulario pide exactamente esa cantidad; esta no se puede quitar."));
		goto out;
	}
	f->d->from_review = false;
	next = err == PERR_OK && filling_save(f, true) == EXIT_DONE ? FILLING_ON : FILLING_FAILED;
out:
	free(prefix);
	ask_free(question);
	return next;
}

/* the languages of our own sentences are two, those of the form as many as it has */
static void speak(struct filling *f, const char *lang)
{
	const char *code;

	fill_set_lang(f->s, lang[0] == '\0' ? NULL : lang);
	if (lang != f->d->head.lang)
		snprintf(f->d->head.lang, sizeof f->d->head.lang, "%.16s", lang);
	code = xform_n_langs(f->form) == 0 ? lang
	     : xform_lang_code(f->form, xform_find_lang(f->form, lang[0] == '\0' ? NULL : lang));
	if (strncasecmp(code, "es", 2) == 0 || strncasecmp(code, "en", 2) == 0)
		f->ask.is_es = strncasecmp(code, "es", 2) == 0;
}

static enum filling_next language(struct filling *f, const char *rest)
{
	size_t n = xform_n_langs(f->form);

	if (rest[0] != '\0' && xform_has_lang(f->form, rest)) {
		speak(f, xform_lang_code(f->form, xform_find_lang(f->form, rest)));
		return filling_save(f, f->d->head.number != 0) == EXIT_DONE ? FILLING_ON : FILLING_FAILED;
	}
	if (n < 2)
		ask_say(&f->ask, 0, T("This form is in one language only.",
		        "Este formulario está en un solo idioma."));
	else
		ask_say(&f->ask, 0, T("This form is in:", "Este formulario está en:"));
	for (size_t i = 0; n > 1 && i < n; i++)
		ask_say(&f->ask, 2, "%s %s", T(".lang", ".idioma"), xform_lang_code(f->form, i));
	return FILLING_SAME;
}

static enum filling_next drop(struct filling *f)
{
	enum perr err = PERR_OK;

	if (!filling_sure(f, T("Delete this whole interview?  It cannot be brought back.",
	                  "¿Borrar toda esta entrevista?  No se puede recuperar.")))
		return FILLING_SAME;
	if (f->d->head.number != 0)
		err = draft_drop(f->cli->client->kv, f->d->head.number);
	if (err != PERR_OK) {
		cli_fail_err(err, "%s", T("it was not deleted", "no se borró"));
		return FILLING_FAILED;
	}
	ask_say(&f->ask, 0, T("Deleted.", "Borrada."));
	return FILLING_DONE;
}

enum filling_next filling_command(struct filling *f, enum typed_command c, const char *rest,
                                  const struct fill_step *step)
{
	switch (c) {
	case TYPED_HELP:
		fill_ask_help(f, step);
		return FILLING_SAME;
	case TYPED_BACK:
		return back(f);
	case TYPED_SKIP:
		f->is_back = false;
		f->d->from_review = false;
		return fill_next(f->s) == PERR_LIMIT ? FILLING_FAILED : FILLING_ON;
	case TYPED_JUMP:
		return jump(f, rest);
	case TYPED_REVIEW:
		f->d->from_review = false;
		return fill_jump_end(f->s) == PERR_OK ? FILLING_ON : FILLING_FAILED;
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

/* ---- from step to step -------------------------------------------------------------------------- */

/* a note without a word on it: a value the form computes and shows nowhere */
static bool is_silent(const struct fill_step *step)
{
	return step->kind == FILL_NOTE && step->label[0] == '\0' && step->value[0] == '\0';
}

static enum filling_next pass(struct filling *f)
{
	enum perr err = f->is_back ? fill_back(f->s) : fill_next(f->s);

	if (err == PERR_NOTFOUND && f->is_back) {
		f->is_back = false;
		err = fill_next(f->s);
	}
	return err == PERR_OK || err == PERR_NOTFOUND ? FILLING_ON : FILLING_FAILED;
}

static enum filling_next one_step(struct filling *f)
{
	struct fill_step step;
	enum perr err;

	if (!f->d->head.is_paper)
		filling_clock(f);
	/* first, because it moves on when what stood here is not asked any more */
	err = fill_current(f->s, &step);
	if (err == PERR_OK && is_silent(&step))
		return pass(f);
	if (err == PERR_OK && filling_save(f, false) != EXIT_DONE)
		return FILLING_FAILED;
	if (f->d->head.is_paper &&
	    (f->d->visit_day == 0 || f->d->transcriber[0] == '\0' || !f->d->has_scans))
		return fill_paper_ask(f);
	if (err == PERR_OK)
		err = fill_current(f->s, &step);
	if (err != PERR_OK) {
		cli_fail_err(err, "%s", T("the form cannot go on from here", "el formulario no puede seguir"));
		return FILLING_FAILED;
	}
	return step.kind == FILL_END ? fill_end_page(f) : fill_ask_step(f, &step);
}

static void say_kept(struct filling *f)
{
	if (f->d->head.number == 0)
		ask_say(&f->ask, 0, T("Nothing was answered, so nothing is kept.",
		        "No se contestó nada, así que no se guardó nada."));
	else
		ask_say(&f->ask, 0, T("Kept, encrypted, on this device.  Go on with:\n"
		        "  amparo intake fill --resume %u", "Guardada y cifrada en este aparato.  Siga con:\n"
		        "  amparo intake fill --resume %u"), f->d->head.number);
}

static int run(struct filling *f)
{
	enum filling_next next = FILLING_ON;

	if (f->d->head.is_sealed)
		next = fill_end_code(f, NULL);
	while (next == FILLING_ON || next == FILLING_SAME)
		next = one_step(f);
	/* nothing new can be there, but the place may be */
	if ((next == FILLING_SAVED || next == FILLING_STOPPED) && f->s != NULL &&
	    !f->d->head.is_sealed && filling_save(f, false) != EXIT_DONE)
		next = FILLING_FAILED;
	if (next == FILLING_SAVED || next == FILLING_STOPPED || next == FILLING_FAILED) {
		ask_gap(&f->ask);
		say_kept(f);
	}
	switch (next) {
	case FILLING_STOPPED: return EXIT_LATER;
	case FILLING_FAILED: return EXIT_DAMAGED;
	case FILLING_ON: case FILLING_SAME: case FILLING_SAVED: case FILLING_DONE: break;
	}
	return EXIT_DONE;
}

/* ---- beginning ---------------------------------------------------------------------------------- */

static void env_random(void *ctx, uint8_t *out, size_t n)
{
	struct client *c = ctx;

	rng_fill(c->env.rng, out, n);
}

static int load_form(struct filling *f)
{
	const struct draft_head *h = &f->d->head;
	enum perr err = cache_form(f->cli->client, h->form_id, h->form_version, &f->form);

	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, T("version \"%s\" of the form \"%s\" is not on this device; "
		                "run `amparo sync`.  Drafts are kept.", "la versión «%s» del formulario "
		                "«%s» no está en este aparato; ejecute `amparo sync`.  Los borradores se "
		                "conservan."), h->form_version, h->form_id);
	if (err != PERR_OK)
		return cli_fail_err(err, T("the form \"%s\" cannot be read",
		                    "no se puede leer el formulario «%s»"), h->form_id);
	return EXIT_DONE;
}

static int open_session(struct filling *f)
{
	const struct draft_head *h = &f->d->head;
	struct fill_env env = {
		.lang = h->lang[0] == '\0' ? NULL : h->lang,
		.now = intake_clock(f->cli->client, f->d->visit_day, cmd_tz_min()),
		.random = env_random, .random_ctx = f->cli->client,
	};
	char why[FILL_WHY_SIZE];
	enum perr err;

	if (f->d->answers == NULL)
		err = fill_new(&f->s, f->form, &env, why);
	else
		err = fill_open(&f->s, f->form, &env, f->d->answers, f->d->answers_len, why);
	if (err != PERR_OK)
		return cli_fail(EXIT_REFUSED, "%s", why);
	return EXIT_DONE;
}

/* said before an hour of questions, not after */
static void warn_of_desk(struct filling *f)
{
	const struct draft_head *h = &f->d->head;
	const struct roster_form *entry = cache_form_entry(f->cli->client, h->form_id,
	                                                   h->form_version);
	struct dispatch_readers readers;
	char why[DISPATCH_WHY];
	enum perr err = entry == NULL ? PERR_OK
	    : dispatch_desk(f->cli->client, entry->desk, true, &readers, why);

	if (err != PERR_OK && why[0] != '\0')
		ask_say(&f->ask, 0, T("Warning: it can be filled in, but not sealed yet: %s.",
		        "Atención: se puede llenar, pero todavía no sellar: %s."), why);
	if (entry != NULL && !entry->active)
		ask_say(&f->ask, 0, T("A newer version of the form was published since; this interview goes "
		        "on with the one it was begun with.", "Desde entonces se publicó una versión más "
		        "nueva del formulario; esta entrevista sigue con la que empezó."));
}

static void greet(struct filling *f, bool is_resumed)
{
	char day[16], title[FILL_WHY_SIZE];

	snprintf(title, sizeof title, "%s", xform_title(f->form));
	ask_say(&f->ask, 0, "%s", title);
	if (is_resumed) {
		cli_day(day, f->d->head.day);
		ask_say(&f->ask, 0, T("Draft %u, started %s.  Going on where it stopped; .review shows all "
		        "answers.", "Borrador %u, empezado el %s.  Sigue donde se quedó; .revisar muestra "
		        "todas las respuestas."), f->d->head.number, day);
	} else {
		ask_say(&f->ask, 0, T("Type each answer and press Enter.  Enter alone leaves it blank.  ? shows "
		        "what else can be typed: back, skip, save.  Each answer is kept at once, encrypted.",
		        "Escriba cada respuesta y oprima Enter.  Enter solo la deja en blanco.  ? muestra qué "
		        "más se puede escribir: atrás, saltar, guardar.  Cada respuesta queda guardada "
		        "enseguida, cifrada."));
	}
	warn_of_desk(f);
}

/* the form meant by --form, or the only one */
static int choose_form(struct filling *f, const char *id)
{
	const struct roster_field *field = f->cli->client->field;
	const struct roster_form *entry = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; id == NULL && i < field->n_forms; i++)
		if (field->forms[i].active) {
			entry = &field->forms[i];
			n++;
		}
	if (id != NULL)
		entry = cache_form_entry(f->cli->client, id, NULL);
	if (id == NULL && n > 1) {
		cli_fail(EXIT_USAGE, T("which form?  Say it with --form:", "¿cuál formulario?  Dígalo con --form:"));
		for (uint32_t i = 0; i < field->n_forms; i++)
			if (field->forms[i].active) {
				fputs("  --form ", stderr);
				term_print(stderr, field->forms[i].id, strlen(field->forms[i].id), TERM_LINE);
				fputc('\n', stderr);
			}
		return EXIT_USAGE;
	}
	if (entry == NULL && id != NULL)
		return cli_fail(EXIT_REFUSED, T("no form \"%s\" is published; run `amparo sync`, or see `amparo "
		                "form list`.", "no hay ningún formulario «%s» publicado; ejecute `amparo sync` "
		                "o mire `amparo form list`."), id);
	if (entry == NULL)
		return cli_fail(EXIT_REFUSED, T("no form is published yet; run `amparo sync` with a network.",
		                "todavía no hay ningún formulario publicado; ejecute `amparo sync` con red."));
	snprintf(f->d->head.form_id, sizeof f->d->head.form_id, "%s", entry->id);
	snprintf(f->d->head.form_version, sizeof f->d->head.form_version, "%s", entry->version);
	return EXIT_DONE;
}

struct given {
	const char *form, *lang;
	uint32_t resume;
	bool is_paper;
};

/* the form's own name of the language: what was asked for, that of this computer, or its first */
static int choose_lang(struct filling *f, const struct given *g)
{
	const char *env = drafts_env_lang();
	size_t n = xform_n_langs(f->form);
	const char *lang = g->lang != NULL ? g->lang : f->d->head.lang[0] != '\0' ? f->d->head.lang
	                 : n == 0 || (env != NULL && xform_has_lang(f->form, env)) ? env : NULL;

	if (g->lang != NULL && n > 0 && !xform_has_lang(f->form, g->lang)) {
		cli_fail(EXIT_REFUSED, T("this form is not in \"%s\"; it is in:", "este formulario no está en "
		         "«%s»; está en:"), g->lang);
		for (size_t i = 0; i < n; i++) {
			fputs("  --lang ", stderr);
			term_print(stderr, xform_lang_code(f->form, i), strlen(xform_lang_code(f->form, i)),
			           TERM_LINE);
			fputc('\n', stderr);
		}
		return EXIT_REFUSED;
	}
	if (lang == NULL && n > 0)
		lang = xform_lang_code(f->form, xform_find_lang(f->form, NULL));
	else if (lang != NULL && n > 0)
		lang = xform_lang_code(f->form, xform_find_lang(f->form, lang));
	/* statements have 16 bytes for it */
	if (lang != f->d->head.lang)
		snprintf(f->d->head.lang, sizeof f->d->head.lang, "%.16s", lang == NULL ? "" : lang);
	return EXIT_DONE;
}

static int take_draft(struct filling *f, uint32_t number)
{
	enum perr err;

	f->lock = drafts_lock(f->cli, number);
	if (f->lock == -2)
		return cli_fail(EXIT_REFUSED, T("draft %u is open in another window; go on there.",
		                "el borrador %u está abierto en otra ventana; siga allá."), number);
	err = draft_open(f->cli->client->kv, number, &f->d);
	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, T("there is no draft %u; `amparo drafts` lists them.",
		                "no hay borrador %u; `amparo drafts` los muestra."), number);
	if (err != PERR_OK)
		return cli_fail_err(err, T("draft %u could not be read", "no se pudo leer el borrador %u"),
		                    number);
	return EXIT_DONE;
}

static int prepare(struct filling *f, const struct given *g)
{
	int code = EXIT_DONE;

	if (f->cli->client->field == NULL)
		return cli_fail(EXIT_REFUSED, T("no form is known on this device yet; run `amparo sync` once "
		                "with a network.", "todavía no hay formularios en este aparato; ejecute "
		                "`amparo sync` una vez con red."));
	if (g->resume != 0) {
		code = take_draft(f, g->resume);
	} else {
		f->d = draft_new();
		if (f->d == NULL)
			return cli_fail_err(PERR_NOMEM, "nothing was begun");
		f->d->head.day = client_day(f->cli->client);
		f->d->head.is_paper = g->is_paper;
		code = choose_form(f, g->form);
	}
	if (code == EXIT_DONE && f->d->head.is_sealed) {
		f->ask.is_es = drafts_is_es(f->d->head.lang[0] != '\0' ? f->d->head.lang : g->lang);
		return EXIT_DONE;
	}
	if (code == EXIT_DONE)
		code = load_form(f);
	if (code == EXIT_DONE)
		code = choose_lang(f, g);
	if (code == EXIT_DONE)
		code = open_session(f);
	if (code == EXIT_DONE)
		speak(f, f->d->head.lang);
	return code;
}

static int fill_it(struct cli *cli, const struct given *g)
{
	struct filling *f = calloc(1, sizeof *f);
	int code;

	if (f == NULL)
		return cli_fail_err(PERR_NOMEM, "nothing was begun");
	f->cli = cli;
	f->lock = -1;
	ask_begin(&f->ask, drafts_is_es(g->lang));
	code = prepare(f, g);
	if (code == EXIT_DONE && !f->d->head.is_sealed)
		greet(f, g->resume != 0);
	if (code == EXIT_DONE)
		code = run(f);
	ask_done(&f->ask);
	fill_free(f->s);
	draft_free(f->d);
	if (f->lock >= 0)
		close(f->lock);
	free(f->asked);
	ask_free(f->where);
	free(f);
	return code;
}

int cmd_fill(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "form", required_argument, NULL, OPT_FORM },
		{ "lang", required_argument, NULL, OPT_LANG },
		{ "resume", required_argument, NULL, OPT_RESUME },
		{ "from-paper", no_argument, NULL, OPT_PAPER },
		{ NULL, 0, NULL, 0 }
	};
	struct given g = { .form = NULL };
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_FORM:
			g.form = optarg;
			break;
		case OPT_LANG:
			g.lang = optarg;
			break;
		case OPT_PAPER:
			g.is_paper = true;
			break;
		case OPT_RESUME:
			if (!drafts_number(optarg, &g.resume))
				return cli_usage(cli, "\"%s\" is no draft's number; `amparo drafts` lists them",
				                 optarg);
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (optind != argc)
		return cli_usage(cli, "\"%s\" is no option", argv[optind]);
	if (g.resume != 0 && (g.form != NULL || g.is_paper))
		return cli_usage(cli, "--resume goes on with a draft as it was begun; --form and "
		                 "--from-paper begin a new one");
	code = cli_open(cli);
	return code == EXIT_DONE ? fill_it(cli, &g) : code;
}
