/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_record.h"
#include "export.h"
#include "export_json.h"
#include "export_dir.h"
#include "export_list.h"
#include "export_tables.h"
#include "fexport.h"
#include "progress.h"
#include "term.h"

enum { OPT_TO = 1, OPT_FORCE, OPT_ALL, OPT_CSV, OPT_LANG, OPT_LABELS, OPT_SPLIT, OPT_RAW };

const char cmd_attachments_help[] =
	"Use: amparo attachments CASE --to DIR [--force]\n\n"
	"Writes a case's photographs and recordings to DIR, byte for byte as they were made.\n"
	"They are plain files: use an encrypted disk, and delete them when they are filed.\n\n"
	"  --to DIR    the folder; made if it is missing\n"
	"  --force     overwrite files of other content that are there already\n\n"
	"Example: amparo attachments 7K3QX-M0T9Z --to papers\n\n"
	"Exit codes: 0 done, 1 refused or something is missing (which is said), 2 wrong command\n"
	"line, 4 vault locked, 5 vault or disk damaged.\n";

const char cmd_export_help[] =
	"Use: amparo export CASE --to DIR [--force]\n"
	"     amparo export --all --to DIR [--force]\n"
	"     amparo export [CASE] --csv --to DIR [--labels] [--lang LANG] [--split] [--raw] [--force]\n"
	"     amparo export [CASE] --json\n\n"
	"Writes cases as plain files.  For each case a folder DIR/CODE with\n"
	"  submission.xml    the answers exactly as they were submitted (an ODK submission)\n"
	"  photographs       byte for byte\n"
	"  case.json         everything else: who, when, corrections, notes, assignments\n"
	"and with --all DIR/index.csv, one line for each case.\n\n"
	"With --csv, tables as ODK Central makes them: DIR/FORM.csv with one row a case,\n"
	"DIR/FORM-GROUP.csv for each group that repeats, with the key of its parent, and\n"
	"DIR/corrections.csv.  All versions of a form stand in one table; a question that a newer\n"
	"version dropped keeps its column.  With --json, all cases on standard output, each as in\n"
	"case.json.  Without CASE all cases are taken.\n\n"
	"From there on only your office's own rules protect them: an encrypted disk, no cloud\n"
	"folder, no e-mail.\n\n"
	"  --to DIR       the folder; made if it is missing\n"
	"  --all          every case on this device\n"
	"  --labels       tables: choices as people read them, not the form's short values\n"
	"  --lang LANG    tables: the language of these labels\n"
	"  --split        tables: a column of 0 and 1 for each choice of \"mark all that apply\"\n"
	"  --raw          tables: leave answers alone that a spreadsheet takes for a formula (=, +,\n"
	"                 -, @); otherwise an apostrophe stands before them\n"
	"  --force        overwrite files of other content that are there already\n\n"
	"Examples:\n"
	"  amparo export 7K3QX-M0T9Z --to /media/office\n"
	"  amparo export --all --to /media/office\n"
	"  amparo export --csv --labels --lang en --to /media/office/tables\n"
	"  amparo export --json | jq '.[] | select(.urgent) | .code'\n\n"
	"Exit codes: 0 done, 1 refused or something is missing (which is said), 2 wrong command\n"
	"line, 4 vault locked, 5 vault or disk damaged.\n";

static void say_missing(void *arg, const char *name, size_t len)
{
	const char *code = arg;

	fprintf(stderr, "amparo: %s: the attachment ", code);
	term_print(stderr, name, len, TERM_LINE);
	fputs(" is not on this device (yet); `amparo sync` fetches it if the servers still have "
	      "it.\n", stderr);
}

static int open_dir(struct export_dir **d, const char *path, bool force)
{
	enum perr err = export_dir_open(d, path, force);

	if (err == PERR_IO)
		return cli_fail(EXIT_REFUSED, "the folder %s cannot be made or opened: %s.", path,
		                strerror(errno));
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "nothing was written");
}

static int say_stopped(enum perr err, const struct export_dir *d, const char *path)
{
	char *where = term_safe(export_dir_where(d), strlen(export_dir_where(d)), TERM_LINE);
	int saved = errno, code;

	if (err == PERR_EXISTS)
		code = cli_fail(EXIT_REFUSED, "%s/%s is there already with other content; name another "
		                "folder, or overwrite with --force.", path,
		                where != NULL ? where : "?");
	else if ((err == PERR_IO || err == PERR_FULL) && where != NULL && *where != '\0')
		code = cli_fail(EXIT_REFUSED, "%s/%s could not be written: %s.", path, where,
		                strerror(saved));
	else
		code = cli_fail_err(err, "the export stopped");
	free(where);
	return code;
}

struct export_args {
	const char *to, *lang;
	bool force, all, csv;
	unsigned flags;                  /* of tables: enum fexport_flags */
};

static int options(struct cli *cli, int argc, char **argv, struct export_args *a, bool is_export)
{
	static const struct option longs[] = {
		{ "to", required_argument, NULL, OPT_TO },
		{ "force", no_argument, NULL, OPT_FORCE },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "csv", no_argument, NULL, OPT_CSV },
		{ "lang", required_argument, NULL, OPT_LANG },
		{ "labels", no_argument, NULL, OPT_LABELS },
		{ "split", no_argument, NULL, OPT_SPLIT },
		{ "raw", no_argument, NULL, OPT_RAW },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	a->flags = FEXPORT_SAFE;
	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c > OPT_FORCE && c <= OPT_RAW && !is_export) {
			cli_usage(cli, "there is no option --%s here", longs[c - 1].name);
			return '?';
		}
		switch (c) {
		case OPT_TO:
			a->to = optarg;
			break;
		case OPT_FORCE:
			a->force = true;
			break;
		case OPT_ALL:
			a->all = true;
			break;
		case OPT_CSV:
			a->csv = true;
			break;
		case OPT_LANG:
			a->lang = optarg;
			/* fall through */
		case OPT_LABELS:
			a->flags |= FEXPORT_LABELS;
			break;
		case OPT_SPLIT:
			a->flags |= FEXPORT_SPLIT;
			break;
		case OPT_RAW:
			a->flags &= ~(unsigned)FEXPORT_SAFE;
			break;
		default:
			return c;
		}
	}
	return 0;
}

static int summary(struct cli *cli, unsigned cases, const struct export_done *done, const char *to)
{
	if (cli->json)
		printf("{\"cases\":%u,\"files\":%u,\"missing\":%u}\n", cases, done->n_files,
		       done->n_missing);
	else
		printf("%u file%s written to %s.  They are plain: keep them on an encrypted disk.\n",
		       done->n_files, done->n_files == 1 ? "" : "s", to);
	if (done->n_missing > 0)
		return cli_fail(EXIT_REFUSED, "%u attachment%s missing; the rest was written.",
		                done->n_missing, done->n_missing == 1 ? " is" : "s are");
	return EXIT_DONE;
}

int cmd_attachments(struct cli *cli, int argc, char **argv)
{
	struct export_dir *d = NULL;
	struct case_file *file = NULL;
	struct export_done done;
	struct export_sink sink;
	struct export_args a = { .to = NULL };
	char shown[CASE_CODE_SHOWN + 1];
	enum perr err;
	int code = options(cli, argc, argv, &a, false);

	if (code != 0)
		return code == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind != 1 || a.to == NULL)
		return cli_usage(cli, "a case and a folder are needed: CASE --to DIR");
	code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = cmd_open_case(cli, argv[optind], &file);
	if (code != EXIT_DONE)
		return code;
	case_code_show(shown, file->s.code);
	if (file->n_attachments == 0) {
		case_close(file);
		return cli_fail(EXIT_REFUSED, "case %s has no attachments; nothing was written.",
		                shown);
	}
	code = open_dir(&d, a.to, a.force);
	if (code == EXIT_DONE) {
		sink = export_dir_sink(d);
		err = export_attachments(cli->client, file, &sink, &done, say_missing, shown);
		code = err == PERR_OK ? summary(cli, 1, &done, a.to) : say_stopped(err, d, a.to);
	}
	export_dir_close(d);
	case_close(file);
	return code;
}

/* ---- export ------------------------------------------------------------------------- */

static enum perr export_one(struct cli *cli, const struct export_list *a, size_t i,
                            const struct export_sink *sink, struct export_index *index,
                            struct export_done *sum)
{
	struct case_file *file = NULL;
	char shown[CASE_CODE_SHOWN + 1];
	struct export_done done;
	enum perr err = case_open(cli->client, a->at[i].record, &file);

	if (err != PERR_OK)
		return err;
	case_code_show(shown, file->s.code);
	err = export_case(cli->client, file, export_list_same(a, i), sink, &done, say_missing, shown);
	if (err == PERR_OK && index != NULL)
		err = export_index_add(index, cli->client, file, done.dir);
	if (err == PERR_OK) {
		sum->n_files += done.n_files;
		sum->n_missing += done.n_missing;
	}
	case_close(file);
	return err;
}

static int export_list(struct cli *cli, const struct export_list *a, bool with_index, const char *to,
                       bool force)
{
	struct export_index *index = with_index ? export_index_new() : NULL;
	struct export_done sum = { .n_files = 0 };
	struct export_dir *d = NULL;
	struct export_sink sink;
	struct progress bar;
	enum perr err = with_index && index == NULL ? PERR_NOMEM : PERR_OK;
	int code = open_dir(&d, to, force);

	if (code != EXIT_DONE) {
		export_index_free(index);
		return code;
	}
	sink = export_dir_sink(d);
	progress_begin(&bar, stderr, "writing cases", PROGRESS_ITEMS, a->n, cli_now_ms());
	for (size_t i = 0; i < a->n && err == PERR_OK; i++) {
		err = export_one(cli, a, i, &sink, index, &sum);
		progress_update(&bar, i + 1, cli_now_ms());
	}
	if (err == PERR_OK && with_index) {
		err = export_index_write(index, &sink);
		sum.n_files++;
	}
	if (a->n > 1)
		progress_end(&bar, cli_now_ms());
	code = err == PERR_OK ? summary(cli, (unsigned)a->n, &sum, to) : say_stopped(err, d, to);
	export_index_free(index);
	export_dir_close(d);
	return code;
}

/* ---- tables ----------------------------------------------------------------------------- */

static int tables_summary(struct cli *cli, const struct export_list *a, unsigned n_files,
                          unsigned n_unreadable, const char *to)
{
	if (cli->json)
		printf("{\"cases\":%zu,\"files\":%u,\"unreadable\":%u}\n", a->n, n_files, n_unreadable);
	else
		printf("%zu case%s in %u table%s written to %s.  They are plain: keep them on an "
		       "encrypted disk.\n", a->n, a->n == 1 ? "" : "s", n_files,
		       n_files == 1 ? "" : "s", to);
	if (n_unreadable > 0)
		return cli_fail(EXIT_REFUSED, "%u interview%s no filled form and so in no table; "
		                "`amparo export` without --csv writes it as it came.", n_unreadable,
		                n_unreadable == 1 ? " is" : "s are");
	return EXIT_DONE;
}

static int export_csv(struct cli *cli, const struct export_list *a, const struct export_args *args)
{
	struct export_tables *tables = NULL;
	struct export_dir *d = NULL;
	struct export_sink sink;
	struct progress bar;
	unsigned n_files = 0, unreadable = 0, n;
	enum perr err;
	int code = open_dir(&d, args->to, args->force);

	if (code != EXIT_DONE)
		return code;
	sink = export_dir_sink(d);
	err = export_tables_new(&tables, cli->client, args->flags, args->lang);
	progress_begin(&bar, stderr, "writing cases", PROGRESS_ITEMS, a->n, cli_now_ms());
	for (size_t i = 0; i < a->n && err == PERR_OK; i++) {
		struct case_file *file = NULL;

		err = case_open(cli->client, a->at[i].record, &file);
		if (err == PERR_OK)
			err = export_tables_add(tables, file, &n);
		if (err == PERR_OK)
			unreadable += n;
		case_close(file);
		progress_update(&bar, i + 1, cli_now_ms());
	}
	if (a->n > 1)
		progress_end(&bar, cli_now_ms());
	if (err == PERR_OK)
		err = export_tables_write(tables, &sink, &n_files);
	code = err == PERR_OK ? tables_summary(cli, a, n_files, unreadable, args->to)
	                      : say_stopped(err, d, args->to);
	export_tables_free(tables);
	export_dir_close(d);
	return code;
}

/* ---- JSON ------------------------------------------------------------------------------- */

static int print_json(struct cli *cli, const struct export_list *a)
{
	enum perr err = PERR_OK;

	putchar('[');
	for (size_t i = 0; i < a->n && err == PERR_OK; i++) {
		struct case_file *file = NULL;
		char *text = NULL;
		size_t len = 0;

		err = case_open(cli->client, a->at[i].record, &file);
		if (err == PERR_OK)
			err = export_json(cli->client, file, &text, &len);
		if (err == PERR_OK) {
			fputs(i == 0 ? "\n" : ",\n", stdout);
			/* without the line end */
			fwrite(text, 1, len - 1, stdout);
			sodium_memzero(text, len);
		}
		free(text);
		case_close(file);
	}
	puts("\n]");
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the export stopped");
}

/* ---- which cases ------------------------------------------------------------------------ */

static int collect(struct cli *cli, const char *text, struct export_list *a)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	enum perr err;
	int code;

	if (text == NULL) {
		err = export_list_all(cli->client, a, false);
		if (err == PERR_OK && a->n_kept > 0)
			fprintf(stderr, "amparo: %u case%s left out: erased elsewhere, kept here under a legal "
			        "hold; name one to export it.\n", a->n_kept, a->n_kept == 1 ? " is" : "s are");
	} else {
		code = cmd_find_case(cli, text, record);
		if (code != EXIT_DONE)
			return code;
		err = export_list_one(cli->client, a, record);
	}
	if (err != PERR_OK)
		return cli_fail_err(err, "the cases could not be read");
	if (a->n == 0)
		return cli_fail(EXIT_REFUSED, "no case has reached this device; nothing was written.");
	export_list_sort(a);
	return EXIT_DONE;
}

int cmd_export(struct cli *cli, int argc, char **argv)
{
	struct export_args args = { .to = NULL };
	struct export_list a = { .n = 0 };
	bool to_stdout, may_be_all;
	int code = options(cli, argc, argv, &args, true);

	if (code != 0)
		return code == 'h' ? EXIT_DONE : EXIT_USAGE;
	to_stdout = cli->json && args.to == NULL && !args.csv;
	may_be_all = args.all || args.csv || to_stdout;
	if (args.csv && args.to == NULL)
		return cli_usage(cli, "a form has several tables, so they need a folder: --csv --to DIR");
	if (!args.csv && (args.flags != FEXPORT_SAFE))
		return cli_usage(cli, "--labels, --lang, --split and --raw belong to tables: --csv");
	if (argc - optind > 1 || (args.all && optind < argc) || (!to_stdout && args.to == NULL) ||
	    (optind == argc && !may_be_all))
		return cli_usage(cli, "a case, or --all, and a folder are needed: CASE --to DIR");
	code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = collect(cli, optind < argc ? argv[optind] : NULL, &a);
	if (code == EXIT_DONE)
		code = args.csv ? export_csv(cli, &a, &args)
		     : to_stdout ? print_json(cli, &a)
		     : export_list(cli, &a, args.all, args.to, args.force);
	export_list_free(&a);
	return code;
}
