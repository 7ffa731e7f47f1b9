/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blob.h"
#include "cmd_record.h"
#include "drafts.h"
#include "fault.h"
#include "instance.h"
#include "intake.h"
#include "now.h"
#include "outbox.h"
#include "term.h"

enum { OPT_FORM = 1, OPT_INSTANCE, OPT_ATTACH, OPT_LANG };

#define FILES_MAX (4 * STATEMENT_ATTACHMENTS)    /* more than allowed: intake_check says so */

const char cmd_intake_help[] =
	"Use: amparo intake submit --instance FILE.xml [--attach FILE]... [options]\n\n"
	"Checks every answer of a filled form (an ODK instance) against the form, seals it for\n"
	"the attorneys of the form's desk and prints the case code for the family's slip.  It works without a network: what was\n"
	"sealed waits here until `amparo sync` has brought it to the servers.  After this\n"
	"command the device can open the interview as little as anybody else, and it keeps\n"
	"neither the code nor the files.\n\n"
	"If something is wrong or missing, each fault is said with the question's number and\n"
	"label, and nothing is sealed; mend it and repeat the command.  `amparo intake fill` asks\n"
	"the questions here instead.\n\n"
	"  --instance FILE    the filled form, sent byte for byte as it is\n"
	"  --attach FILE      a photograph or recording that an answer names; once for each\n"
	"  --form ID          refuse any other form than this one\n"
	"  --lang LANG        language of the interview (es, en, …)\n"
	"  --json             the code and what happened, for a program\n\n"
	"Examples:\n"
	"  amparo intake submit --instance entrevista.xml --lang es\n"
	"  amparo intake submit --instance 0412.xml --attach nta-1.jpg --attach nta-2.jpg\n\n"
	"Exit codes: 0 sealed, 1 refused (nothing was sealed), 2 wrong command line, 4 vault\n"
	"locked, 5 vault or disk damaged.\n";

int cmd_tz_min(void)
{
	time_t t = (time_t)now_unix_s();
	struct tm tm;

	return localtime_r(&t, &tm) == NULL ? 0 : (int)(tm.tm_gmtoff / 60);
}

struct given {
	struct intake in;
	struct intake_file files[FILES_MAX];
	uint8_t *xml;
	uint8_t *data[FILES_MAX];
	const char *instance;            /* file name */
};

static void given_free(struct given *g)
{
	if (g->xml != NULL)
		sodium_memzero(g->xml, g->in.xml_len);
	free(g->xml);
	for (size_t i = 0; i < g->in.n_files; i++) {
		if (g->data[i] != NULL)
			sodium_memzero(g->data[i], g->files[i].len);
		free(g->data[i]);
	}
	free(g);
}

static int read_files(struct given *g)
{
	int code = cli_read_file(g->instance, INSTANCE_BYTES_MAX, &g->xml, &g->in.xml_len);

	g->in.xml = g->xml;
	for (size_t i = 0; i < g->in.n_files && code == EXIT_DONE; i++) {
		const char *path = g->files[i].name, *base = strrchr(path, '/');

		code = cli_read_file(path, BLOB_SIZE_MAX, &g->data[i], &g->files[i].len);
		g->files[i].name = base == NULL ? path : base + 1;
		g->files[i].data = g->data[i];
	}
	return code;
}

static int say_faults(struct cli *cli, const struct faults *l, const char *file, bool is_es)
{
	size_t n = faults_count(l);

	if (cli->json) {
		fputs("{\"faults\":[", stdout);
		for (size_t i = 0; i < n; i++) {
			fputs(i == 0 ? "" : ",", stdout);
			cli_json_str(stdout, faults_at(l, i)->text, strlen(faults_at(l, i)->text));
		}
		fputs("]}\n", stdout);
		return EXIT_REFUSED;
	}
	cli_fail(EXIT_REFUSED, is_es ? "%s no se selló, y no se perdió nada.  Corrija esto y repita la "
	         "orden:" : "%s was not sealed, and nothing is lost.  Mend this and repeat the "
	         "command:", file);
	for (size_t i = 0; i < n; i++) {
		const char *text = faults_at(l, i)->text;
		char *safe = term_safe(text, strlen(text), TERM_LINE), *item = NULL;

		if (safe == NULL || asprintf(&item, "- %s", safe) < 0)
			item = NULL;
		term_wrap(stderr, term_width(2), 2, item != NULL ? item : "- (out of memory)");
		free(safe);
		free(item);
	}
	if (faults_total(l) > n)
		fprintf(stderr, is_es ? "  y %zu más.\n" : "  and %zu more.\n", faults_total(l) - n);
	return EXIT_REFUSED;
}

static bool says_es(const struct given *g)
{
	return g->in.language != NULL && drafts_is_es(g->in.language);
}

static int check(struct cli *cli, const struct given *g)
{
	struct faults *l = faults_new();
	const struct roster_form *form;
	int code = EXIT_DONE;
	enum perr err = l == NULL ? PERR_NOMEM : intake_check(cli->client, &g->in, l, &form);

	if (err != PERR_OK)
		code = cli_fail_err(err, "the filled form could not be checked");
	else if (faults_total(l) > 0)
		code = say_faults(cli, l, g->instance, says_es(g));
	faults_free(l);
	return code;
}

static void print_receipt(struct cli *cli, const struct intake_receipt *r, bool is_es)
{
	char code[CASE_CODE_SHOWN + 1];
	struct outbox_counts n;
	enum perr err = outbox_counts(cli->client, &n);

	case_code_show(code, r->code);
	if (cli->json) {
		printf("{\"code\":\"%s\",\"desk\":", code);
		cli_json_str(stdout, r->desk_name, strlen(r->desk_name));
		printf(",\"readers\":%u,\"holders\":%u,\"cells\":%zu,\"waiting\":%u}\n", r->n_readers,
		       r->n_holders, r->n_cells, err == PERR_OK ? n.submissions : 1);
	} else {
		printf("%s\n\n"
		       "        +-----------------+\n"
		       "        |   %s   |\n"
		       "        +-----------------+\n\n", is_es
		       ? "Sellada.  Copie esta clave en el papelito de la familia y léasela en voz alta:"
		       : "Sealed.  Copy this code onto the family's slip and read it back to them:", code);
		printf(is_es ? "La pueden abrir %u de %u abogados de la mesa "
		             : "%u of %u attorneys of the desk ", r->n_readers, r->n_holders);
		cmd_print(r->desk_name, strlen(r->desk_name));
		fputs(is_es ? "; este aparato no.\nAquí espera" : " can open it; this device cannot.\n"
		      "It waits here", stdout);
		if (err == PERR_OK && n.submissions > 1)
			printf(is_es ? ", con %u anteriores" : ", with %u earlier", n.submissions - 1);
		puts(is_es ? "; `amparo sync` la envía.\n"
		     "Ahora borre el formulario lleno y las fotos de donde se hicieron: también de la\n"
		     "galería, la papelera y la nube.  Esas copias nunca estuvieron selladas."
		     : "; `amparo sync` sends it.\n"
		     "Now delete the filled form and the photographs from where they were made:\n"
		     "gallery, trash and cloud copies too.  Those were never sealed.");
	}
	if (r->n_readers < 2 && r->n_holders >= 2)
		fprintf(stderr, "amparo: warning: only one of %u attorneys has published keys, so "
		        "only one can open this interview; run `amparo sync` before the next one.\n",
		        r->n_holders);
	sodium_memzero(code, sizeof code);
}

static int submit(struct cli *cli, struct given *g)
{
	struct intake_receipt r;
	char why[DISPATCH_WHY];
	enum perr err;
	int code = cli_open(cli);

	if (code != EXIT_DONE)
		return code;
	if (cli->client->field == NULL)
		return cli_fail(EXIT_REFUSED, "no form is known on this device yet; run `amparo sync` "
		                "once with a network.");
	code = read_files(g);
	if (code == EXIT_DONE)
		code = check(cli, g);
	if (code != EXIT_DONE)
		return code;
	err = intake_seal(cli->client, &g->in, &r, why);
	if (err != PERR_OK)
		return cmd_refused(err, why, "the interview was not sealed, and nothing is lost");
	print_receipt(cli, &r, says_es(g));
	sodium_memzero(&r, sizeof r);
	return EXIT_DONE;
}

int cmd_intake(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "form", required_argument, NULL, OPT_FORM },
		{ "instance", required_argument, NULL, OPT_INSTANCE },
		{ "attach", required_argument, NULL, OPT_ATTACH },
		{ "lang", required_argument, NULL, OPT_LANG },
		{ NULL, 0, NULL, 0 }
	};
	struct given *g = calloc(1, sizeof *g);
	int c, code = EXIT_DONE;

	if (g == NULL)
		return cli_fail_err(PERR_NOMEM, "nothing was sealed");
	g->in.files = g->files;
	g->in.tz_min = cmd_tz_min();
	while (code == EXIT_DONE && (c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_FORM:
			g->in.form_id = optarg;
			break;
		case OPT_INSTANCE:
			g->instance = optarg;
			break;
		case OPT_LANG:
			g->in.language = optarg;
			break;
		case OPT_ATTACH:
			if (g->in.n_files == FILES_MAX)
				code = cli_usage(cli, "too many files are given");
			else
				g->files[g->in.n_files++].name = optarg;
			break;
		default:
			given_free(g);
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (code == EXIT_DONE && optind != argc)
		code = cli_usage(cli, "\"%s\" is no option; files are given with --attach",
		                 argv[optind]);
	if (code == EXIT_DONE && g->instance == NULL)
		code = cli_usage(cli, "the filled form is missing: --instance FILE.xml");
	if (code == EXIT_DONE)
		code = submit(cli, g);
	given_free(g);
	return code;
}
