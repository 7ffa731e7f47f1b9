/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* amparo drafts, drafts drop: interviews that are not finished. */
#include "drafts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cache.h"
#include "cmd_record.h"
#include "draft.h"
#include "term.h"
#include "typed.h"

#define LOCK_FILE "drafts.lock"
#define T(en, es) (is_es ? (es) : (en))

enum { OPT_LANG = 1, OPT_YES };

const char cmd_drafts_help[] =
	"Use: amparo drafts [--lang LANG] [--json]\n\n"
	"Interviews that were begun with `amparo intake fill` and are not sealed yet: their form,\n"
	"the day they were started, how much was answered.  Nothing that was answered is shown.\n"
	"An interview that is sealed stays in the list until somebody has copied its code.\n\n"
	"  amparo intake fill --resume N   goes on with one\n"
	"  amparo drafts drop N            deletes one\n\n"
	"Example: amparo drafts\n";

const char cmd_drafts_drop_help[] =
	"Use: amparo drafts drop N [--yes] [--lang LANG]\n\n"
	"Deletes an unfinished interview with its attachments and overwrites where they were.\n"
	"It cannot be brought back.\n\n"
	"  --yes   do not ask\n\n"
	"Example: amparo drafts drop 2\n";

/* ---- shared ---------------------------------------------------------------------------------- */

int drafts_lock(const struct cli *cli, uint32_t number)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = number, .l_len = 1 };
	char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/" LOCK_FILE, cli->home) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	if (fd < 0)
		return -1;
	/* of the open file: the file is empty and stays so, and tells nothing */
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return fd;
	close(fd);
	return errno == EAGAIN || errno == EACCES ? -2 : -1;
}

bool drafts_number(const char *text, uint32_t *number)
{
	size_t at[1];

	if (typed_numbers(text, DRAFT_NUMBER_MAX, at, 1) != 1)
		return false;
	*number = (uint32_t)at[0] + 1;
	return true;
}

const char *drafts_env_lang(void)
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	static char code[16];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *v = getenv(names[i]);
		size_t n;

		if (v == NULL || v[0] == '\0')
			continue;
		n = strcspn(v, "_.@-");
		if (n < 2 || n > 3 || strcmp(v, "POSIX") == 0)
			return NULL;
		snprintf(code, sizeof code, "%.*s", (int)n, v);
		return code;
	}
	return NULL;
}

static bool is_code(const char *lang, const char *code)
{
	return lang != NULL && strncasecmp(lang, code, 2) == 0 &&
	       (lang[2] == '\0' || strchr("-_.", lang[2]) != NULL);
}

bool drafts_is_es(const char *lang)
{
	if (is_code(lang, "es") || is_code(lang, "en"))
		return is_code(lang, "es");
	return is_code(drafts_env_lang(), "es");
}

/* ---- the list -------------------------------------------------------------------------------- */

struct list {
	struct cli *cli;
	bool is_es;
	unsigned n;
};

static void print_wrapped(unsigned indent, const char *text)
{
	char *safe = term_safe(text, strlen(text), TERM_LINE);

	if (safe != NULL)
		term_wrap(stdout, term_width(STDOUT_FILENO), indent, safe);
	free(safe);
}

static const char *title_of(struct list *l, const struct draft_head *h)
{
	const struct xform *form;

	if (cache_form(l->cli->client, h->form_id, h->form_version, &form) != PERR_OK)
		return h->form_id;
	return xform_title(form);
}

static enum perr one_json(void *arg, const struct draft_head *h)
{
	struct list *l = arg;
	char day[16];

	cli_day(day, h->day);
	printf("%s{\"draft\":%u,\"form\":", l->n++ == 0 ? "" : ",", h->number);
	cli_json_str(stdout, h->form_id, strlen(h->form_id));
	fputs(",\"version\":", stdout);
	cli_json_str(stdout, h->form_version, strlen(h->form_version));
	printf(",\"started\":\"%s\",\"answers\":%u,\"attachments\":%u,\"from_paper\":%s,"
	       "\"correction\":%s,\"sealed\":%s}", day, h->n_answers, h->n_files, h->is_paper ? "true" : "false",
	       h->is_amendment ? "true" : "false", h->is_sealed ? "true" : "false");
	return PERR_OK;
}

static enum perr one_line(void *arg, const struct draft_head *h)
{
	struct list *l = arg;
	bool is_es = l->is_es;
	char day[16], *text = NULL;
	int n;

	cli_day(day, h->day);
	if (asprintf(&text, T("Draft %u: %s%s", "Borrador %u: %s%s"), h->number, title_of(l, h),
	             h->is_amendment ? T(", correction", ", corrección")
	             : h->is_paper ? T(", from paper", ", del papel") : "") >= 0)
		print_wrapped(0, text);
	free(text);
	text = NULL;
	if (h->is_sealed)
		n = asprintf(&text, T("started %s; sealed, its code is not copied yet",
		             "empezado el %s; sellado, falta copiar su clave"), day);
	else if (h->is_amendment)
		n = asprintf(&text, T("started %s; corrected: %u; go on: amparo amend --resume %u",
		             "empezada el %s; corregido: %u; seguir: amparo amend --resume %u"), day,
		             h->n_answers, h->number);
	else
		n = asprintf(&text, T("started %s; answers: %u; attachments: %u",
		             "empezado el %s; respuestas: %u; archivos: %u"), day, h->n_answers, h->n_files);
	if (n >= 0)
		print_wrapped(2, text);
	free(n >= 0 ? text : NULL);
	l->n++;
	return PERR_OK;
}

int cmd_drafts(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "lang", required_argument, NULL, OPT_LANG }, { NULL, 0, NULL, 0 }
	};
	struct list l = { .cli = cli };
	const char *lang = NULL;
	enum perr err;
	bool is_es;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c != OPT_LANG)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		lang = optarg;
	}
	if (optind != argc)
		return cli_usage(cli, "\"%s\" is no option; did you mean `amparo drafts drop`?", argv[optind]);
	is_es = l.is_es = drafts_is_es(lang);
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	if (cli->json)
		fputs("{\"drafts\":[", stdout);
	err = draft_each(cli->client->kv, cli->json ? one_json : one_line, &l);
	if (cli->json)
		puts("]}");
	if (err != PERR_OK)
		return cli_fail_err(err, "%s", T("the drafts could not be read",
		                    "no se pudieron leer los borradores"));
	if (cli->json)
		return EXIT_DONE;
	if (l.n == 0)
		print_wrapped(0, T("No interview is unfinished.", "No hay entrevistas sin terminar."));
	else
		print_wrapped(0, T("`amparo intake fill --resume N` goes on with draft N.",
		              "`amparo intake fill --resume N` sigue con el borrador N."));
	return EXIT_DONE;
}

/* ---- drop ------------------------------------------------------------------------------------ */

struct wanted {
	uint32_t number;
	struct draft_head head;
};

static enum perr find_one(void *arg, const struct draft_head *h)
{
	struct wanted *w = arg;

	if (h->number == w->number)
		w->head = *h;
	return PERR_OK;
}

static bool agreed(const struct draft_head *h, bool is_es)
{
	char *question = NULL, *line = NULL, day[16];
	bool yes;
	int n;

	cli_day(day, h->day);
	if (h->is_sealed)
		n = asprintf(&question, T("The code of draft %u was not copied yet, and the family cannot "
		             "be told it any more if it is deleted.", "La clave del borrador %u todavía no se "
		             "ha copiado; si se borra, ya no se le podrá dar a la familia."), h->number);
	else
		n = asprintf(&question, T("Draft %u, started %s (answers: %u).  Once deleted, it cannot be "
		             "brought back.", "Borrador %u, empezado el %s (respuestas: %u).  Si se borra, no se "
		             "puede recuperar."), h->number, day, h->n_answers);
	if (n < 0)
		return false;
	print_wrapped(0, question);
	free(question);
	if (term_ask(stdin, stdout, T("Delete it? Type yes: ", "¿Borrarlo? Escriba sí: "), &line) != PERR_OK)
		return false;
	yes = typed_yes(line) == 1;
	free(line);
	return yes;
}

static int drop(struct cli *cli, uint32_t number, bool is_sure, bool is_es)
{
	struct wanted w = { .number = number };
	int lock = drafts_lock(cli, number);
	enum perr err;

	if (lock == -2)
		return cli_fail(EXIT_REFUSED, T("draft %u is open in another window; stop there first.",
		                "el borrador %u está abierto en otra ventana; ciérrelo primero."), number);
	err = draft_each(cli->client->kv, find_one, &w);
	/* a damaged one is in no list and can be dropped all the same */
	if ((err != PERR_OK && err != PERR_CORRUPT) || (err == PERR_OK && w.head.number == 0)) {
		if (lock >= 0)
			close(lock);
		return err == PERR_OK
			? cli_fail(EXIT_REFUSED, T("there is no draft %u; `amparo drafts` lists them.",
			           "no hay borrador %u; `amparo drafts` los muestra."), number)
			: cli_fail_err(err, "%s", T("the drafts could not be read",
			               "no se pudieron leer los borradores"));
	}
	w.head.number = number;
	if (!is_sure && !agreed(&w.head, is_es)) {
		if (lock >= 0)
			close(lock);
		return cli_fail(EXIT_REFUSED, T("draft %u stays.", "el borrador %u se conserva."), number);
	}
	err = draft_drop(cli->client->kv, number);
	if (lock >= 0)
		close(lock);
	if (err != PERR_OK)
		return cli_fail_err(err, T("draft %u was not deleted", "el borrador %u no se borró"), number);
	printf(T("Draft %u is deleted.\n", "El borrador %u está borrado.\n"), number);
	return EXIT_DONE;
}

int cmd_drafts_drop(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "yes", no_argument, NULL, OPT_YES },
		{ "lang", required_argument, NULL, OPT_LANG },
		{ NULL, 0, NULL, 0 }
	};
	const char *lang = NULL;
	bool is_sure = false;
	uint32_t number;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_YES:
			is_sure = true;
			break;
		case OPT_LANG:
			lang = optarg;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (optind + 1 != argc || !drafts_number(argv[optind], &number))
		return cli_usage(cli, "the number of one draft is needed; `amparo drafts` lists them");
	code = cli_open(cli);
	return code == EXIT_DONE ? drop(cli, number, is_sure, drafts_is_es(lang)) : code;
}
