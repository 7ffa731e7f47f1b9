/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* amparo intake fill: an interview at the terminal, question by question. */
#include <stdlib.h>
#include <string.h>
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

/* ---- from step to step -------------------------------------------------------------------------- */

static enum filling_next one_step(struct filling *f)
{
	struct fill_step step;
	enum perr err;

	if (!f->iv.d->head.is_paper)
		filling_clock(f);
	/* first, because it moves on when what stood here is not asked any more */
	err = interview_step(&f->iv, &step);
	if (err == PERR_OK && !filling_save(f, false))
		return FILLING_FAILED;
	if (!interview_paper_ready(&f->iv))
		return fill_paper_ask(f);
	if (err == PERR_OK)
		err = interview_step(&f->iv, &step);
	if (err != PERR_OK)
		return filling_stuck(f, err);
	return step.kind == FILL_END ? fill_end_page(f) : fill_ask_step(f, &step);
}

static void say_kept(struct filling *f)
{
	if (f->iv.d->head.number == 0)
		ask_say(&f->ask, 0, T("Nothing was answered, so nothing is kept.",
		        "No se contestó nada, así que no se guardó nada."));
	else
		ask_say(&f->ask, 0, T("Kept, encrypted, on this device.  Go on with:\n"
		        "  amparo intake fill --resume %u", "Guardada y cifrada en este aparato.  Siga con:\n"
		        "  amparo intake fill --resume %u"), f->iv.d->head.number);
}

static int run(struct filling *f)
{
	enum filling_next next = FILLING_ON;

	if (f->iv.d->head.is_sealed)
		next = fill_end_code(f, NULL);
	while (next == FILLING_ON || next == FILLING_SAME)
		next = one_step(f);
	/* nothing new can be there, but the place may be */
	if ((next == FILLING_SAVED || next == FILLING_STOPPED) && f->iv.s != NULL &&
	    !f->iv.d->head.is_sealed && !filling_save(f, false))
		next = FILLING_FAILED;
	if (next == FILLING_SAVED || next == FILLING_STOPPED ||
	    (next == FILLING_FAILED && f->iv.d->head.number != 0)) {
		ask_gap(&f->ask);
		say_kept(f);
	}
	switch (next) {
	case FILLING_STOPPED: return EXIT_LATER;
	case FILLING_FAILED: return f->code;
	case FILLING_ON: case FILLING_SAME: case FILLING_SAVED: case FILLING_DONE: break;
	}
	return EXIT_DONE;
}

/* ---- beginning ---------------------------------------------------------------------------------- */

int filling_load_form(struct filling *f)
{
	const struct draft_head *h = &f->iv.d->head;
	char id[sizeof h->form_id], version[sizeof h->form_version];
	enum perr err = interview_load(&f->iv);

	/* they come from the roster: nothing a terminal would obey */
	fold_tidy(strcpy(id, h->form_id));
	fold_tidy(strcpy(version, h->form_version));
	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, T("version \"%s\" of the form \"%s\" is not on this device; "
		                "run `amparo sync`.  Drafts are kept.", "la versión «%s» del formulario "
		                "«%s» no está en este aparato; ejecute `amparo sync`.  Los borradores se "
		                "conservan."), version, id);
	if (err != PERR_OK)
		return cli_fail_err(err, T("the form \"%s\" cannot be read",
		                    "no se puede leer el formulario «%s»"), id);
	return EXIT_DONE;
}

static int open_session(struct filling *f)
{
	char why[FILL_WHY_SIZE];

	f->iv.tz_min = cmd_tz_min();
	if (interview_open(&f->iv, why) != PERR_OK)
		return cli_fail(EXIT_REFUSED, "%s", why);
	return EXIT_DONE;
}

/* said before an hour of questions, not after */
static void warn_of_desk(struct filling *f)
{
	const struct roster_form *entry = interview_entry(&f->iv);
	struct dispatch_readers readers;
	char why[DISPATCH_WHY];
	enum perr err = interview_readers(&f->iv, &readers, why);

	if (err != PERR_OK && why[0] != '\0') {
		char *text = filling_why(f, err, why);

		ask_say(&f->ask, 0, T("Warning: it can be filled in, but not sealed yet: %s.",
		        "Atención: se puede llenar, pero todavía no sellar: %s."), text == NULL ? why : text);
		free(text);
	}
	if (entry != NULL && !entry->active)
		ask_say(&f->ask, 0, T("A newer version of the form was published since; this interview goes "
		        "on with the one it was begun with.", "Desde entonces se publicó una versión más "
		        "nueva del formulario; esta entrevista sigue con la que empezó."));
}

static enum perr count_draft(void *arg, const struct draft_head *head)
{
	*(unsigned *)arg += 1;
	return PERR_OK;
}

static void greet(struct filling *f, bool is_resumed)
{
	char day[16], title[FILL_WHY_SIZE];
	unsigned n = 0;

	snprintf(title, sizeof title, "%s", xform_title(f->iv.form));
	ask_say(&f->ask, 0, "%s", title);
	if (is_resumed) {
		cli_day(day, f->iv.d->head.day);
		ask_say(&f->ask, 0, T("Draft %u, started %s.  Going on where it stopped; .review shows all "
		        "answers.", "Borrador %u, empezado el %s.  Sigue donde se quedó; .revisar muestra "
		        "todas las respuestas."), f->iv.d->head.number, day);
	} else {
		ask_say(&f->ask, 0, T("Type each answer and press Enter.  Enter alone leaves it blank.  ? shows "
		        "what else can be typed: back, skip, save.  Each answer is kept at once, encrypted.",
		        "Escriba cada respuesta y oprima Enter.  Enter solo la deja en blanco.  ? muestra qué "
		        "más se puede escribir: atrás, saltar, guardar.  Cada respuesta queda guardada "
		        "enseguida, cifrada."));
		if (draft_each(f->cli->client->kv, count_draft, &n) == PERR_OK && n > 0)
			ask_say(&f->ask, 0, T("(Unfinished interviews here: %u; `amparo drafts` lists them.)",
			        "(Entrevistas sin terminar aquí: %u; `amparo drafts` las muestra.)"), n);
	}
	warn_of_desk(f);
}

/* the form meant by --form, or the only one */
int filling_choose_form(struct filling *f, const char *id)
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
	snprintf(f->iv.d->head.form_id, sizeof f->iv.d->head.form_id, "%s", entry->id);
	snprintf(f->iv.d->head.form_version, sizeof f->iv.d->head.form_version, "%s", entry->version);
	return EXIT_DONE;
}

struct given {
	const char *form, *lang;
	uint32_t resume;
	bool is_paper;
};

/* the form's own name of the language: what was asked for, that of this computer, or its first */
int filling_choose_lang(struct filling *f, const char *want)
{
	const char *env = drafts_env_lang();
	size_t n = xform_n_langs(f->iv.form);
	const char *lang = want != NULL ? want : f->iv.d->head.lang[0] != '\0' ? f->iv.d->head.lang
	                 : n == 0 || (env != NULL && xform_has_lang(f->iv.form, env)) ? env : NULL;

	if (want != NULL && n > 0 && !xform_has_lang(f->iv.form, want)) {
		cli_fail(EXIT_REFUSED, T("this form is not in \"%s\"; it is in:", "este formulario no está en "
		         "«%s»; está en:"), want);
		for (size_t i = 0; i < n; i++) {
			fputs("  --lang ", stderr);
			term_print(stderr, xform_lang_code(f->iv.form, i), strlen(xform_lang_code(f->iv.form, i)),
			           TERM_LINE);
			fputc('\n', stderr);
		}
		return EXIT_REFUSED;
	}
	interview_choose_lang(&f->iv, lang);
	return EXIT_DONE;
}

int filling_take_draft(struct filling *f, uint32_t number)
{
	enum perr err;

	f->lock = drafts_lock(f->cli, number);
	if (f->lock == -2)
		return cli_fail(EXIT_REFUSED, T("draft %u is open in another window; go on there.",
		                "el borrador %u está abierto en otra ventana; siga allá."), number);
	err = draft_open(f->cli->client->kv, number, &f->iv.d);
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
		code = filling_take_draft(f, g->resume);
	} else {
		if (interview_new(&f->iv, f->cli->client, g->is_paper, cmd_tz_min()) != PERR_OK)
			return cli_fail_err(PERR_NOMEM, "nothing was begun");
		code = filling_choose_form(f, g->form);
	}
	if (code == EXIT_DONE && f->iv.d->head.is_amendment)
		return cli_fail(EXIT_REFUSED, T("draft %u is a correction; `amparo amend --resume %u` goes on "
		                "with it.", "el borrador %u es una corrección; `amparo amend --resume %u` sigue "
		                "con ella."), f->iv.d->head.number, f->iv.d->head.number);
	if (code == EXIT_DONE && f->iv.d->head.is_sealed) {
		f->ask.is_es = drafts_is_es(f->iv.d->head.lang[0] != '\0' ? f->iv.d->head.lang : g->lang);
		return EXIT_DONE;
	}
	if (code == EXIT_DONE)
		code = filling_load_form(f);
	if (code == EXIT_DONE)
		code = filling_choose_lang(f, g->lang);
	if (code == EXIT_DONE)
		code = open_session(f);
	if (code == EXIT_DONE)
		filling_speak(f, f->iv.d->head.lang);
	return code;
}

static int fill_it(struct cli *cli, const struct given *g)
{
	struct filling *f = calloc(1, sizeof *f);
	int code;

	if (f == NULL)
		return cli_fail_err(PERR_NOMEM, "nothing was begun");
	f->cli = cli;
	f->iv.c = cli->client;
	f->lock = -1;
	ask_begin(&f->ask, drafts_is_es(g->lang));
	code = prepare(f, g);
	if (code == EXIT_DONE && !f->iv.d->head.is_sealed)
		greet(f, g->resume != 0);
	if (code == EXIT_DONE)
		code = run(f);
	ask_done(&f->ask);
	interview_free(&f->iv);
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
