/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Forms: what is wrong with one, publishing it, listing them, printing one on paper. */
#include "cmd_form.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bulletin.h"
#include "cache.h"
#include "cmd_desk.h"
#include "doc.h"
#include "fault.h"
#include "fdraw.h"
#include "flint.h"
#include "formpack.h"
#include "fpaper.h"
#include "holders.h"
#include "instance.h"
#include "net.h"
#include "org.h"
#include "roster.h"
#include "table.h"
#include "term.h"

enum {
	OPT_DESK = 1, OPT_FILE, OPT_LANG, OPT_PAPER, OPT_VERSION, OPT_COPIES, OPT_CONTACT, OPT_ORG,
	OPT_OUT = 'o'
};

/* what the roster has room for: PROTOCOL 8.1, forms */
#define ID_MAX      64
#define VERSION_MAX 32
#define TITLE_MAX   128

const char cmd_form_check_help[] =
	"Use: amparo form check FILE.xml [--file FILE]… [--json]\n\n"
	"Says what `amparo form publish` would refuse, and what the form's author should look at:\n"
	"translations that are missing, choices and questions nobody can ever reach, questions\n"
	"that say who somebody is before anybody agreed to it, and features that do nothing\n"
	"here.  Needs no vault and no network.\n\n"
	"  --file FILE   a file the form takes choices from (CSV, XML, GeoJSON), under the name the\n"
	"                form gives it; once for each\n"
	"  --json        one object\n\n"
	"Example: amparo form check intake.xml --file towns.csv\n\n"
	"Exit codes: 0 it can be published, 1 it would be refused, 2 wrong command line.\n";

const char cmd_form_publish_help[] =
	"Use: amparo form publish FILE.xml [--desk NAME] [--file FILE]…\n\n"
	"Takes an ODK XForm as ODK Central, Kobo or pyxform export it.  A form that would not\n"
	"work is refused here, by name of the question, not on the night; what `amparo form check`\n"
	"finds is shown.  A changed form needs a new version; older versions stay readable, and\n"
	"cases taken with them too.\n\n"
	"  --desk NAME   the desk that reads it, where there are several\n"
	"  --file FILE   a file the form takes choices from; it travels with the form\n\n"
	"Example: amparo form publish intake.xml --desk Intake --file towns.csv\n";

const char cmd_form_list_help[] =
	"Use: amparo form list [--json]\n\n"
	"Every version of every form.  Only the newest version of a form is filled in; older ones\n"
	"are what their cases are read with.\n";

const char cmd_form_print_help[] =
	"Use: amparo form print FORM [--version V] [--lang LANG] [--paper letter|a4] [-o FILE.html]\n"
	"     amparo form print FILE.xml [--file FILE]… [--lang LANG] [--paper letter|a4]\n"
	"                       [-o FILE.html]\n\n"
	"Makes a form to print, for visits where no phone is allowed: questions numbered as on the\n"
	"screen, boxes for characters, conditions as instructions (\"go to 14\"), room for\n"
	"signatures, and a slip with an empty case code for the family.  One HTML page without\n"
	"anything fetched: open it in a browser and print it.  What was written down on it is\n"
	"typed in later with `amparo intake fill --from-paper`.\n\n"
	"FORM is the id of a published form (`amparo form list`); FILE.xml needs no vault.\n\n"
	"  --version V      an older version of it\n"
	"  --lang LANG      the language (es, en, …); the form's own otherwise\n"
	"  --paper SIZE     letter (default) or a4\n"
	"  -o FILE.html     where to; without it to a file named after the form, or to a pipe\n"
	"  --copies N       empty copies of each group that repeats, 1 to 20 (3)\n"
	"  --contact TEXT   printed on the slip: where the family can ask\n"
	"  --org NAME       printed at the head; of a published form the organisation's name\n"
	"  --file FILE      a file the form takes choices from\n\n"
	"Example: amparo form print raid-intake --lang es --contact 601-555-0100 -o intake-es.html\n";

/* ---- a form from files ------------------------------------------------------------------ */

struct source {
	struct formpack pack;
	uint8_t *xml;
	uint8_t *files[FORMPACK_FILES_MAX];
	const char *paths[FORMPACK_FILES_MAX];   /* as given */
	size_t n_paths;
	uint8_t *content;                /* what would be published */
	size_t content_len;
	struct xform *form;
	char why[XFORM_WHY_SIZE + 100];  /* why it is refused; "" if it is not */
};

static void source_free(struct source *s)
{
	if (s == NULL)
		return;
	xform_free(s->form);
	free(s->xml);
	for (size_t i = 0; i < FORMPACK_FILES_MAX; i++)
		free(s->files[i]);
	doc_free(s->content, s->content_len);
	free(s);
}

static int source_add(struct cli *cli, struct source *s, const char *path)
{
	if (s->n_paths == FORMPACK_FILES_MAX)
		return cli_usage(cli, "a form takes at most %d files", FORMPACK_FILES_MAX);
	s->paths[s->n_paths++] = path;
	return EXIT_DONE;
}

static int read_files(struct source *s, const char *path)
{
	int code = cli_read_file(path, XFORM_BYTES_MAX, &s->xml, &s->pack.xml_len);

	s->pack.xml = s->xml;
	for (size_t i = 0; code == EXIT_DONE && i < s->n_paths; i++) {
		struct formpack_file *f = &s->pack.files[i];
		const char *name = strrchr(s->paths[i], '/');

		name = name == NULL ? s->paths[i] : name + 1;
		snprintf(f->name, sizeof f->name, "%s", name);
		if (strcmp(f->name, name) != 0 || !instance_file_name_ok(f->name))
			return cli_fail(EXIT_REFUSED, "\"%s\" is not a name a form can call a file by; "
			                "rename it to what the form calls it.", name);
		code = cli_read_file(s->paths[i], XFORM_BYTES_MAX, &s->files[i], &f->len);
		f->bytes = s->files[i];
	}
	s->pack.n_files = s->n_paths;
	return code;
}

__attribute__((format(printf, 2, 3)))
static void refuse(struct source *s, const char *fmt, ...)
{
	va_list ap;

	if (s->why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof s->why, fmt, ap);
	va_end(ap);
}

/* what a roster cannot list, or readers could not use */
static void check_listing(struct source *s)
{
	const char *missing = formpack_missing(s->form, &s->pack);
	char why[XFORM_WHY_SIZE];

	if (strlen(xform_id(s->form)) > ID_MAX)
		refuse(s, "its id has %zu bytes; at most %d can be listed.", strlen(xform_id(s->form)),
		       ID_MAX);
	if (strlen(xform_version(s->form)) > VERSION_MAX)
		refuse(s, "its version has %zu bytes; at most %d can be listed.",
		       strlen(xform_version(s->form)), VERSION_MAX);
	if (strlen(xform_title(s->form)) > TITLE_MAX)
		refuse(s, "its title has %zu bytes; at most %d can be listed.",
		       strlen(xform_title(s->form)), TITLE_MAX);
	if (missing != NULL)
		refuse(s, "it takes choices from the file %s; give it with --file.", missing);
	if (!fdraw_check(s->form, why))
		refuse(s, "%s", why);
}

/*
 * Reads a form and its files.  What is read is what would be published: packed first, then
 * opened as its readers will.  EXIT_DONE also when the form is refused: s->why says so.
 */
static int source_load(struct source *s, const char *path)
{
	int code = read_files(s, path);
	char why[XFORM_WHY_SIZE];
	enum perr err;

	if (code != EXIT_DONE)
		return code;
	err = formpack_encode(&s->content, &s->content_len, &s->pack);
	if (err == PERR_EXISTS)
		return cli_fail(EXIT_REFUSED, "two of the files have one name.");
	if (err == PERR_RANGE) {
		size_t sum = s->pack.xml_len;

		for (size_t i = 0; i < s->pack.n_files; i++) {
			sum += s->pack.files[i].len;
			if (s->pack.files[i].len == 0)
				return cli_fail(EXIT_REFUSED, "the file %s is empty.", s->pack.files[i].name);
		}
		if (sum == 0)
			refuse(s, "the file is empty.");
		else
			refuse(s, "the form and its files have %zu bytes; at most %zu travel to a device.",
			       sum, (size_t)BULLETIN_CONTENT_MAX);
		return EXIT_DONE;
	}
	if (err != PERR_OK)
		return cli_fail_err(err, "%s could not be read", path);
	err = formpack_form(&s->form, s->content, s->content_len, why);
	if (err == PERR_NOMEM)
		return cli_fail_err(err, "%s could not be read", path);
	if (err != PERR_OK)
		refuse(s, "%s", why);
	else
		check_listing(s);
	return EXIT_DONE;
}

/* ---- what the author should look at ------------------------------------------------------- */

static void print_findings(FILE *f, const struct faults *l)
{
	for (size_t i = 0; i < faults_count(l); i++) {
		fputs("  - ", f);
		term_print(f, faults_at(l, i)->text, strlen(faults_at(l, i)->text), TERM_LINE);
		putc('\n', f);
	}
	if (faults_total(l) > faults_count(l))
		fprintf(f, "  - and %zu more\n", faults_total(l) - faults_count(l));
}

static void print_text(FILE *f, const char *s)
{
	term_print(f, s, strlen(s), TERM_LINE);
}

static void json_pair(const char *key, const char *value)
{
	printf("\"%s\":", key);
	cli_json_str(stdout, value, strlen(value));
}

static void check_json(const struct source *s, const struct faults *l)
{
	putchar('{');
	if (s->form != NULL) {
		json_pair("id", xform_id(s->form));
		putchar(',');
		json_pair("version", xform_version(s->form));
		putchar(',');
		json_pair("title", xform_title(s->form));
		printf(",\"questions\":%u,\"languages\":[", xform_n_questions(s->form));
		for (size_t i = 0; i < xform_n_langs(s->form); i++) {
			fputs(i == 0 ? "" : ",", stdout);
			cli_json_str(stdout, xform_lang(s->form, i), strlen(xform_lang(s->form, i)));
		}
		fputs("],\"files\":[", stdout);
		for (size_t i = 0; i < xform_n_files(s->form); i++) {
			fputs(i == 0 ? "" : ",", stdout);
			cli_json_str(stdout, xform_file(s->form, i), strlen(xform_file(s->form, i)));
		}
		fputs("],", stdout);
	}
	if (s->why[0] == '\0')
		fputs("\"refused\":null", stdout);
	else
		json_pair("refused", s->why);
	fputs(",\"findings\":[", stdout);
	for (size_t i = 0; i < faults_count(l); i++) {
		const struct fault *f = faults_at(l, i);

		fputs(i == 0 ? "{" : ",{", stdout);
		printf("\"question\":%u,", f->number);
		json_pair("path", f->path);
		putchar(',');
		json_pair("text", f->text);
		putchar('}');
	}
	puts("]}");
}

static void check_text(const struct source *s, const struct faults *l)
{
	print_text(stdout, xform_id(s->form));
	fputs(", version ", stdout);
	print_text(stdout, *xform_version(s->form) == '\0' ? "(none)" : xform_version(s->form));
	printf(": %u questions", xform_n_questions(s->form));
	for (size_t i = 0; i < xform_n_langs(s->form); i++) {
		fputs(i == 0 ? ", in " : ", ", stdout);
		print_text(stdout, xform_lang(s->form, i));
	}
	putchar('\n');
	if (faults_total(l) > 0)
		printf("%zu finding%s%s:\n", faults_total(l), faults_total(l) == 1 ? "" : "s",
		       s->why[0] != '\0' ? "" : "; none keeps it from being published");
	print_findings(stdout, l);
	if (faults_total(l) == 0)
		puts("Nothing to mend was found.");
}

int cmd_form_check(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "file", required_argument, NULL, OPT_FILE }, { 0 }
	};
	struct source *s = calloc(1, sizeof *s);
	struct faults *l = faults_new();
	int c, code = EXIT_DONE;

	if (s == NULL || l == NULL) {
		code = cli_fail_err(PERR_NOMEM, "the form could not be checked");
		goto out;
	}
	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		code = c == 'h' ? EXIT_DONE : c == '?' ? EXIT_USAGE : source_add(cli, s, optarg);
		if (c == 'h' || code != EXIT_DONE)
			goto out;
	}
	if (argc - optind != 1) {
		code = cli_usage(cli, "one form file is needed");
		goto out;
	}
	code = source_load(s, argv[optind]);
	if (code == EXIT_DONE && s->form != NULL && flint_check(s->form, l) != PERR_OK)
		code = cli_fail_err(PERR_NOMEM, "the form could not be checked");
	if (code != EXIT_DONE)
		goto out;
	if (cli->json)
		check_json(s, l);
	else if (s->form != NULL)
		check_text(s, l);
	fflush(stdout);
	if (s->why[0] != '\0')
		code = cli_fail(EXIT_REFUSED, "%s would be refused: %s", argv[optind], s->why);
out:
	source_free(s);
	faults_free(l);
	return code;
}

/* ---- publish ---------------------------------------------------------------------------- */

static int publish(struct cli *cli, const struct source *s, const char *desk)
{
	const struct xform *form = s->form;
	uint8_t desk_id[32];
	enum perr err = holders_find(cli->client, desk, true, desk_id);

	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, "a form belongs to a listed desk; `amparo desk list` shows "
		                "them, `amparo desk publish` lists one.");
	if (err == PERR_EXISTS)
		return cli_fail(EXIT_REFUSED, "there are several desks; name one with --desk.");
	if (err == PERR_OK)
		err = org_form_publish(cli->client, xform_id(form), xform_version(form),
		                       *xform_title(form) == '\0' ? xform_id(form) : xform_title(form),
		                       desk_id, s->content, s->content_len);
	if (err == PERR_EXISTS)
		return cli_fail(EXIT_REFUSED, "version %s of %s is published already; a changed form "
		                "needs a new version.", xform_version(form), xform_id(form));
	if (err == PERR_LIMIT)
		return cli_fail(EXIT_REFUSED, "an organisation has at most %d forms, their versions "
		                "counted.", ROSTER_FORMS_MAX);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the form could not be published");
}

/* stderr: what a person reads, beside what a program may want of stdout */
static int show_findings(const struct source *s)
{
	struct faults *l = faults_new();
	enum perr err = l == NULL ? PERR_NOMEM : flint_check(s->form, l);

	if (err == PERR_OK && faults_total(l) > 0) {
		fprintf(stderr, "%zu finding%s (`amparo form check` shows them without publishing):\n",
		        faults_total(l), faults_total(l) == 1 ? "" : "s");
		print_findings(stderr, l);
	}
	faults_free(l);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the form could not be checked");
}

int cmd_form_publish(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "desk", required_argument, NULL, OPT_DESK },
		{ "file", required_argument, NULL, OPT_FILE }, { 0 }
	};
	struct source *s = calloc(1, sizeof *s);
	const char *desk = NULL;
	int c, code = EXIT_DONE;

	if (s == NULL)
		return cli_fail_err(PERR_NOMEM, "the form could not be published");
	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c == OPT_DESK)
			desk = optarg;
		else
			code = c == OPT_FILE ? source_add(cli, s, optarg) : c == 'h' ? EXIT_DONE
			     : EXIT_USAGE;
		if (c == 'h' || code != EXIT_DONE)
			goto out;
	}
	if (argc - optind != 1) {
		code = cli_usage(cli, "one form file is needed");
		goto out;
	}
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE)
		code = source_load(s, argv[optind]);
	if (code == EXIT_DONE && s->why[0] != '\0')
		code = cli_fail(EXIT_REFUSED, "%s was not published: %s", argv[optind], s->why);
	if (code == EXIT_DONE)
		code = show_findings(s);
	/* what another administrator published meanwhile comes first */
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code == EXIT_DONE)
		code = publish(cli, s, desk);
	if (code != EXIT_DONE)
		goto out;
	print_text(stdout, xform_id(s->form));
	fputs(", version ", stdout);
	print_text(stdout, xform_version(s->form));
	printf(", is %s: %u questions", net_waits(cli) ? "proposed" : "published", xform_n_questions(s->form));
	if (s->pack.n_files > 0)
		printf(", %zu file%s", s->pack.n_files, s->pack.n_files == 1 ? "" : "s");
	puts(".");
	code = net_push(cli, STEWARD_PUSH);
out:
	source_free(s);
	return code;
}

/* ---- list ------------------------------------------------------------------------------- */

static void list_json(const struct roster_form *form, const char *desk, bool first)
{
	fputs(first ? "{" : ",{", stdout);
	json_pair("id", form->id);
	putchar(',');
	json_pair("version", form->version);
	putchar(',');
	json_pair("title", form->title);
	putchar(',');
	json_pair("desk", desk);
	printf(",\"active\":%s}", form->active ? "true" : "false");
}

int cmd_form_list(struct cli *cli, int argc, char **argv)
{
	static const char *const heads[] = { "!id", "version", "title", "desk", "state" };
	const struct roster_field *f;
	struct table *t;
	enum perr err = PERR_OK;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	f = cli->client->field;
	t = table_new(5, heads);
	if (t == NULL)
		return cli_fail_err(PERR_NOMEM, "the forms could not be listed");
	if (cli->json)
		putchar('[');
	for (uint32_t i = 0; f != NULL && i < f->n_forms && err == PERR_OK; i++) {
		const struct roster_form *form = &f->forms[i];
		char *desk = NULL;

		err = cmd_desk_name(cli->client, form->desk, &desk);
		if (err == PERR_OK && cli->json) {
			list_json(form, desk, i == 0);
		} else if (err == PERR_OK) {
			const char *cells[] = { form->id, form->version, form->title, desk,
			                        form->active ? "in use" : "replaced" };

			err = table_row(t, cells);
		}
		free(desk);
	}
	if (cli->json)
		puts("]");
	else if (table_rows(t) == 0)
		puts("No form is published yet.");
	else
		table_print(t, stdout, term_width(1));
	table_free(t);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the forms could not be listed");
}

/* ---- paper ------------------------------------------------------------------------------ */

struct print_args {
	struct fpaper_options o;
	const char *version, *out;
	struct source *files;
};

static int print_option(struct cli *cli, struct print_args *a, int c)
{
	char *end;
	unsigned long n;

	switch (c) {
	case OPT_FILE:
		return source_add(cli, a->files, optarg);
	case OPT_LANG:
		a->o.lang = optarg;
		return EXIT_DONE;
	case OPT_PAPER:
		if (strcmp(optarg, "letter") != 0 && strcmp(optarg, "a4") != 0)
			return cli_usage(cli, "\"%s\" is no paper: letter or a4", optarg);
		a->o.size = *optarg == 'a' ? FPAPER_A4 : FPAPER_LETTER;
		return EXIT_DONE;
	case OPT_VERSION:
		a->version = optarg;
		return EXIT_DONE;
	case OPT_COPIES:
		n = strtoul(optarg, &end, 10);
		if (*end != '\0' || n < 1 || n > 20)
			return cli_usage(cli, "\"%s\" is not a number from 1 to 20", optarg);
		a->o.n_repeats = (unsigned)n;
		return EXIT_DONE;
	case OPT_CONTACT:
		a->o.contact = optarg;
		return EXIT_DONE;
	case OPT_ORG:
		a->o.organisation = optarg;
		return EXIT_DONE;
	case OPT_OUT:
		a->out = optarg;
		return EXIT_DONE;
	default:
		return EXIT_USAGE;
	}
}

static int published(struct cli *cli, struct print_args *a, const char *id,
                     const struct xform **form)
{
	int code = cli_open(cli);
	enum perr err;

	if (code != EXIT_DONE)
		return code;
	err = cache_form(cli->client, id, a->version, form);
	if (err == PERR_NOTFOUND && cache_form_entry(cli->client, id, a->version) == NULL)
		return cli_fail(EXIT_REFUSED, "no form \"%s\"%s%s is published; `amparo form list` shows "
		                "them, and a file is named with its ending (FILE.xml).", id,
		                a->version == NULL ? "" : " of version ",
		                a->version == NULL ? "" : a->version);
	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, "the form \"%s\" is listed, but its text is not on this "
		                "device yet; run `amparo sync`.", id);
	if (err == PERR_UNKNOWN)
		return cli_fail(EXIT_REFUSED, "the form \"%s\" cannot be read by this version of amparo.",
		                id);
	if (err != PERR_OK)
		return cli_fail_err(err, "the form could not be read");
	if (a->o.organisation == NULL)
		a->o.organisation = cli->client->field->organisation;
	return EXIT_DONE;
}

static int no_language(const struct xform *form, const char *lang)
{
	char have[200] = "";

	for (size_t i = 0, n = 0; i < xform_n_langs(form) && n < sizeof have - 1; i++)
		n += (size_t)snprintf(have + n, sizeof have - n, "%s%s", i == 0 ? "" : ", ",
		                      xform_lang(form, i));
	if (have[0] == '\0')
		return cli_fail(EXIT_REFUSED, "the form is in one language without a name; leave --lang "
		                "out.");
	return cli_fail(EXIT_REFUSED, "the form has no language \"%s\"; it has %s.", lang, have);
}

/* a file's name from a form's id, which may hold anything */
static void default_name(char out[120], const struct xform *form, const char *lang)
{
	snprintf(out, 120, "%.80s%s%.16s.html", xform_id(form), lang == NULL ? "" : "-",
	         lang == NULL ? "" : lang);
	for (char *s = out; *s != '\0'; s++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", *s) ==
		    NULL || (s == out && *s == '.'))
			*s = '_';
}

static int print_form(const struct print_args *a, const struct xform *form)
{
	char name[120];
	const char *out = a->out;
	uint8_t *html;
	size_t len;
	enum perr err;
	int code = EXIT_DONE;

	if (a->o.lang != NULL && !xform_has_lang(form, a->o.lang))
		return no_language(form, a->o.lang);
	err = fpaper_html(form, &a->o, &html, &len);
	if (err != PERR_OK)
		return cli_fail_err(err, "the form could not be printed");
	if (out == NULL && term_is_tty(1)) {
		default_name(name, form, a->o.lang);
		out = name;
		if (access(out, F_OK) == 0) {
			free(html);
			return cli_fail(EXIT_REFUSED, "%s is there already; name a file with -o.", out);
		}
	}
	if (out == NULL || strcmp(out, "-") == 0) {
		if (fwrite(html, 1, len, stdout) != len)
			code = cli_fail(EXIT_REFUSED, "the form could not be written.");
	} else {
		/* holds nobody's answers: a form to hand out */
		code = cli_write_file(out, html, len, 0644);
		if (code == EXIT_DONE)
			printf("%s: open it in a browser and print it on %s paper.\n", out,
			       a->o.size == FPAPER_A4 ? "A4" : "Letter");
	}
	free(html);
	return code;
}

int cmd_form_print(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "file", required_argument, NULL, OPT_FILE },
		{ "lang", required_argument, NULL, OPT_LANG },
		{ "paper", required_argument, NULL, OPT_PAPER },
		{ "version", required_argument, NULL, OPT_VERSION },
		{ "copies", required_argument, NULL, OPT_COPIES },
		{ "contact", required_argument, NULL, OPT_CONTACT },
		{ "org", required_argument, NULL, OPT_ORG },
		{ "output", required_argument, NULL, OPT_OUT }, { 0 }
	};
	struct print_args a = { .files = calloc(1, sizeof *a.files) };
	const struct xform *form = NULL;
	const char *what;
	size_t n;
	int c, code = EXIT_DONE;

	if (a.files == NULL)
		return cli_fail_err(PERR_NOMEM, "the form could not be printed");
	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		code = c == 'h' ? EXIT_DONE : print_option(cli, &a, c);
		if (c == 'h' || code != EXIT_DONE)
			goto out;
	}
	if (argc - optind != 1) {
		code = cli_usage(cli, "one form is needed: the id of a published one, or a file");
		goto out;
	}
	what = argv[optind];
	n = strlen(what);
	if ((n > 4 && strcmp(what + n - 4, ".xml") == 0) || strchr(what, '/') != NULL) {
		if (a.version != NULL) {
			code = cli_usage(cli, "--version belongs to a published form; the file has its own");
			goto out;
		}
		code = source_load(a.files, what);
		form = a.files->form;
		/* what cannot be published can still be looked at, if it can be read */
		if (code == EXIT_DONE && form == NULL)
			code = cli_fail(EXIT_REFUSED, "%s cannot be printed: %s", what, a.files->why);
	} else if (a.files->n_paths > 0) {
		code = cli_usage(cli, "--file belongs to a form file; a published form has its own");
	} else {
		code = published(cli, &a, what, &form);
	}
	if (code == EXIT_DONE)
		code = print_form(&a, form);
out:
	source_free(a.files);
	return code;
}
