/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* amparo amend: corrected answers of an interview that was sealed. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amending.h"
#include "case_code.h"
#include "cmd_record.h"
#include "drafts.h"
#include "outbox.h"

#define FILES_MAX STATEMENT_ATTACHMENTS

enum { OPT_FORM = 1, OPT_LANG, OPT_RESUME, OPT_FROM, OPT_CLEAR, OPT_ATTACH };

#define T(en, es) ASK_T(&a->f.ask, en, es)

const char cmd_amend_help[] =
	"Use: amparo amend CODE [--form ID] [--lang LANG]\n"
	"     amparo amend CODE [--form ID] [--from FILE] [--clear PATH]... [--attach FILE]...\n"
	"     amparo amend --resume N\n\n"
	"Corrects answers of an interview after it was sealed.  CODE is the code on the family's\n"
	"slip, in any spelling.  The device that wrote the interview kept nothing of it, so\n"
	"only what you type here is sent: say which question, which child, and the right answer.\n"
	"The attorneys' devices put it in its place; what it was before stays in the history.\n\n"
	"It asks which question: its number, or a few words of it.  Every answer is checked by\n"
	"itself; what depends on other answers is checked where those are.  Each correction is\n"
	"kept at once, encrypted; after an interruption `amparo amend --resume N` goes on.\n"
	"A holder who has the case sees the answers as they stand, and settles with hers what\n"
	"earlier corrections differ on.\n\n"
	"  --form ID      the interview's form; may be left out if only one is published, or if\n"
	"                 the case is on this device\n"
	"  --lang LANG    language of the questions\n"
	"  --resume N     go on with draft N (`amparo drafts`)\n"
	"  --from FILE    corrections, one a line (- reads them from standard input), so that no\n"
	"                 answer stands in the command line:\n"
	"                   /data/person/phone = 601 555 0133     the right answer\n"
	"                   12 = 7                                the same by the question's number\n"
	"                   clear /data/person/email              there is no answer\n"
	"                   remove /data/child[3]                 there is no third child\n"
	"                   add /data/child[+1]                   there is one more …\n"
	"                   /data/child[+1]/name = Luz            … and this is her name\n"
	"                 [2] is the second one as the interview was sent.  \\n is a line end.\n"
	"  --clear PATH   the same as a line clear PATH\n"
	"  --attach FILE  a photograph that an answer in FILE names\n"
	"  --json         what was done, for a program\n\n"
	"Examples:\n"
	"  amparo amend 7K3QX-M0T9Z --form raid-intake --lang es\n"
	"  amparo amend 7k3qx-m0t9z --from corrections.txt\n\n"
	"Exit codes: 0 sealed, or saved with .save; 1 refused (nothing was sealed); 2 wrong command\n"
	"line; 3 interrupted, everything is kept; 4 vault locked; 5 vault or disk damaged.\n";

struct given {
	const char *code, *form, *lang, *from;
	const char *clear[STATEMENT_CHANGES];
	size_t n_clear;
	const char *attach[FILES_MAX];
	size_t n_attach;
	uint32_t resume;
};

/* ---- the case and its form ----------------------------------------------------------- */

/* in whatever spelling; its check character tells a mistyped one */
static int take_code(struct amending *a, const char *text)
{
	enum perr err = case_code_parse(a->f.iv.d->code, text);

	if (err == PERR_AUTH)
		return cli_fail(EXIT_REFUSED, T("\"%s\" is mistyped: at least one character is wrong; compare "
		                "it with the slip.", "«%s» tiene un error: al menos un signo está mal; "
		                "compárela con el papelito."), text);
	if (err != PERR_OK)
		return cli_fail(EXIT_REFUSED, T("\"%s\" is no case code; a code has ten letters and digits, as "
		                "on the slip.", "«%s» no es una clave; la clave tiene diez letras y números, "
		                "como en el papelito."), text);
	return EXIT_DONE;
}

static bool is_same_form(const struct amending *a, const char *form)
{
	return form == NULL || strcmp(form, a->file->s.form_id) == 0;
}

/* the case where it is on this device, and the version of the form it was taken with */
static int find_case(struct amending *a, const char *form)
{
	struct client *c = a->f.cli->client;
	uint8_t record[STATEMENT_RECORD_SIZE];
	enum perr err = c->level < LEVEL_STAFF ? PERR_NOTFOUND : amend_record(c, a->f.iv.d->code, record);

	if (err == PERR_OK)
		err = case_open(c, record, &a->file);
	if (err == PERR_OK && a->file->n_interviews > 0)
		err = case_merge(c, a->file, 0, &a->merged);
	if (err == PERR_OK && a->merged != NULL && is_same_form(a, form)) {
		snprintf(a->f.iv.d->head.form_id, sizeof a->f.iv.d->head.form_id, "%s", a->file->s.form_id);
		snprintf(a->f.iv.d->head.form_version, sizeof a->f.iv.d->head.form_version, "%s",
		         a->file->s.form_version);
		return EXIT_DONE;
	}
	if (err == PERR_OK && a->merged != NULL)
		return cli_fail(EXIT_REFUSED, T("this case was taken with the form \"%s\"; leave --form out.",
		                "esta entrevista se hizo con el formulario «%s»; quite --form."),
		                a->file->s.form_id);
	if (err != PERR_OK && err != PERR_NOTFOUND && err != PERR_EXISTS)
		return cli_fail_err(err, T("the case could not be read", "no se pudo leer el caso"));
	case_close(a->file);
	a->file = NULL;
	return EXIT_DONE;
}

static int open_sessions(struct amending *a)
{
	struct fill_env env = interview_env(&a->f.iv);
	char why[FILL_WHY_SIZE];
	uint8_t *xml = NULL;
	size_t len = 0;
	enum perr err = fill_new_blind(&a->blind, a->f.iv.form, &env, why);

	if (err == PERR_OK && a->merged != NULL && a->merged->in != NULL) {
		err = fpatch_write(a->merged->in, &xml, &len);
		if (err == PERR_OK)
			err = fill_open_answers(&a->known, a->f.iv.form, &env, xml, len, why);
		/* answers that are not this form's can be corrected all the same */
		err = err == PERR_FORMAT ? PERR_OK : err;
	}
	doc_free(xml, len);
	a->f.iv.s = a->blind;
	return err == PERR_OK ? EXIT_DONE : cli_fail(EXIT_REFUSED, "%s", why);
}

static int prepare(struct amending *a, const struct given *g)
{
	struct filling *f = &a->f;
	int code = EXIT_DONE;

	if (f->cli->client->field == NULL)
		return cli_fail(EXIT_REFUSED, T("no form is known on this device yet; run `amparo sync` once "
		                "with a network.", "todavía no hay formularios en este aparato; ejecute "
		                "`amparo sync` una vez con red."));
	if (g->resume != 0) {
		code = filling_take_draft(f, g->resume);
		if (code == EXIT_DONE && !f->iv.d->head.is_amendment)
			return cli_fail(EXIT_REFUSED, T("draft %u is an interview; `amparo intake fill --resume %u` "
			                "goes on with it.", "el borrador %u es una entrevista; `amparo intake fill "
			                "--resume %u` sigue con ella."), g->resume, g->resume);
		if (code == EXIT_DONE && amend_decode(&a->changes, f->iv.d->answers, f->iv.d->answers_len) != PERR_OK)
			return cli_fail_err(PERR_CORRUPT, T("draft %u could not be read",
			                    "no se pudo leer el borrador %u"), g->resume);
	} else {
		if (interview_new(&f->iv, f->cli->client, false, cmd_tz_min()) != PERR_OK)
			return cli_fail_err(PERR_NOMEM, "nothing was begun");
		f->iv.d->head.is_amendment = true;
		code = take_code(a, g->code);
	}
	if (code == EXIT_DONE)
		code = find_case(a, g->form);
	if (code == EXIT_DONE && g->resume == 0 && a->merged == NULL)
		code = filling_choose_form(f, g->form);
	if (code == EXIT_DONE)
		code = filling_load_form(f);
	if (code == EXIT_DONE)
		code = filling_choose_lang(f, g->lang);
	if (code == EXIT_DONE)
		code = open_sessions(a);
	if (code == EXIT_DONE)
		filling_speak(f, f->iv.d->head.lang);
	return code;
}

/* ---- sealing ---------------------------------------------------------------------------- */

static enum perr drop_draft(void *ctx)
{
	struct amending *a = ctx;

	return draft_erase(a->f.cli->client->kv, a->f.iv.d);
}

static void print_receipt(struct amending *a, const struct amend_receipt *r)
{
	struct outbox_counts n;
	enum perr err = outbox_counts(a->f.cli->client, &n);

	if (a->f.cli->json) {
		fputs("{\"desk\":", stdout);
		cli_json_str(stdout, r->desk_name, strlen(r->desk_name));
		printf(",\"changes\":%zu,\"readers\":%u,\"holders\":%u,\"cells\":%zu,\"merged\":%s,"
		       "\"conflicts\":%u,\"waiting\":%u}\n", a->changes.n, r->n_readers, r->n_holders,
		       r->n_cells, r->is_here ? "true" : "false", r->n_conflicts,
		       err == PERR_OK ? n.submissions : 0);
		return;
	}
	ask_say(&a->f.ask, 0, T("Sealed: %zu corrected.  %u of %u attorneys of the desk %s can open it%s.",
	        "Sellada: %zu corregidas.  La pueden abrir %u de %u abogados de la mesa %s%s."),
	        a->changes.n, r->n_readers, r->n_holders, r->desk_name, r->is_here ? ""
	        : T("; this device cannot", "; este aparato no"));
	if (r->is_here && r->n_conflicts > 0)
		ask_say(&a->f.ask, 0, T("Corrections still differ on %u; `amparo show` says which.",
		        "Todavía hay correcciones que no coinciden: %u; `amparo show` dice cuáles."),
		        r->n_conflicts);
	if (r->n_cells > 0)
		ask_say(&a->f.ask, 0, T("It waits here; `amparo sync` sends it.",
		        "Aquí espera; `amparo sync` la envía."));
}

int amending_seal(struct amending *a)
{
	struct client *c = a->f.cli->client;
	struct intake_file files[DRAFT_FILES_MAX];
	uint8_t *data[DRAFT_FILES_MAX] = { NULL };
	struct amend am = {
		.code = a->f.iv.d->code, .form_id = a->f.iv.d->head.form_id,
		.form_version = a->f.iv.d->head.form_version, .changes = &a->changes, .files = files,
		.in_batch = drop_draft, .in_batch_ctx = a
	};
	struct amend_receipt r;
	char why[DISPATCH_WHY] = "";
	enum perr err = PERR_OK;

	for (size_t i = 0; i < a->f.iv.d->n_files && err == PERR_OK; i++) {
		const struct draft_file *f = &a->f.iv.d->files[i];
		size_t len = f->size, k = 0;

		while (k < a->changes.n && (a->changes.at[k].value == NULL ||
		                            strcmp(a->changes.at[k].value, f->name) != 0))
			k++;
		if (f->is_gone || k == a->changes.n)
			continue;
		if (f->fresh == NULL)
			err = draft_read(c->kv, a->f.iv.d, f->name, &data[am.n_files], &len);
		files[am.n_files].name = f->name;
		files[am.n_files].data = f->fresh != NULL ? f->fresh : data[am.n_files];
		files[am.n_files].is_scan = false;
		files[am.n_files++].len = len;
	}
	if (err == PERR_OK)
		err = amend_seal(c, &am, &r, why);
	for (size_t i = 0; i < am.n_files; i++)
		kv_free(data[i]);
	if (err == PERR_RANGE && a->changes.n == 0)
		return cli_fail(EXIT_REFUSED, T("there is nothing to correct yet; nothing was sealed.",
		                "todavía no hay nada que corregir; no se selló nada."));
	if (err != PERR_OK)
		return cmd_refused(err, why, T("the correction was not sealed, and nothing is lost",
		                   "la corrección no se selló, y no se perdió nada"));
	print_receipt(a, &r);
	return EXIT_DONE;
}

/* ---- the command ------------------------------------------------------------------------- */

static int amend_it(struct cli *cli, const struct given *g)
{
	struct amending *a = calloc(1, sizeof *a);
	struct amend_given given = { g->from, g->clear, g->n_clear, g->attach, g->n_attach };
	bool is_given = g->from != NULL || g->n_clear > 0;
	int code;

	if (a == NULL)
		return cli_fail_err(PERR_NOMEM, "nothing was begun");
	a->f.cli = cli;
	a->f.iv.c = cli->client;
	a->f.iv.tz_min = cmd_tz_min();
	a->f.lock = -1;
	ask_begin(&a->f.ask, drafts_is_es(g->lang));
	code = prepare(a, g);
	if (code == EXIT_DONE)
		code = is_given ? amend_from(a, &given) : amend_ask(a);
	ask_done(&a->f.ask);
	amend_clear(&a->changes);
	fill_free(a->blind);
	fill_free(a->known);
	case_merged_free(a->merged);
	case_close(a->file);
	a->f.iv.s = NULL;                /* one of those two */
	interview_free(&a->f.iv);
	if (a->f.lock >= 0)
		close(a->f.lock);
	ask_free(a->path);
	ask_free(a->at);
	free(a->f.asked);
	ask_free(a->f.where);
	free(a);
	return code;
}

int cmd_amend(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "form", required_argument, NULL, OPT_FORM },
		{ "lang", required_argument, NULL, OPT_LANG },
		{ "resume", required_argument, NULL, OPT_RESUME },
		{ "from", required_argument, NULL, OPT_FROM },
		{ "clear", required_argument, NULL, OPT_CLEAR },
		{ "attach", required_argument, NULL, OPT_ATTACH },
		{ NULL, 0, NULL, 0 }
	};
	struct given *g = calloc(1, sizeof *g);
	int c, code = g == NULL ? cli_fail_err(PERR_NOMEM, "nothing was begun") : EXIT_DONE;

	while (code == EXIT_DONE && (c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_FORM:
			g->form = optarg;
			break;
		case OPT_LANG:
			g->lang = optarg;
			break;
		case OPT_FROM:
			g->from = optarg;
			break;
		case OPT_CLEAR:
			if (g->n_clear == STATEMENT_CHANGES)
				code = cli_usage(cli, "too many corrections at once");
			else
				g->clear[g->n_clear++] = optarg;
			break;
		case OPT_ATTACH:
			if (g->n_attach == FILES_MAX)
				code = cli_usage(cli, "too many files are given");
			else
				g->attach[g->n_attach++] = optarg;
			break;
		case OPT_RESUME:
			if (!drafts_number(optarg, &g->resume))
				code = cli_usage(cli, "\"%s\" is no draft's number; `amparo drafts` lists them",
				                 optarg);
			break;
		default:
			free(g);
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (code == EXIT_DONE && (argc - optind) != (g->resume == 0 ? 1 : 0))
		code = cli_usage(cli, g->resume == 0 ? "the case's code is needed, as on the slip"
		                                     : "--resume goes on with a draft as it was begun");
	if (code == EXIT_DONE && g->resume != 0 && (g->form != NULL || g->from != NULL || g->n_clear > 0))
		code = cli_usage(cli, "--resume goes on with a draft as it was begun");
	if (code == EXIT_DONE && g->n_attach > 0 && g->from == NULL)
		code = cli_usage(cli, "--attach gives the files that --from names");
	if (code == EXIT_DONE) {
		g->code = argv[optind];
		code = cli_open(cli);
	}
	if (code == EXIT_DONE)
		code = amend_it(cli, g);
	free(g);
	return code;
}
