/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_record.h"
#include "export.h"
#include "export_dir.h"
#include "progress.h"
#include "term.h"

enum { OPT_TO = 1, OPT_FORCE, OPT_ALL };

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
	"     amparo export --all --to DIR [--force]\n\n"
	"Writes cases as plain files.  For each case a folder DIR/CODE with\n"
	"  submission.xml    the answers exactly as they were submitted (an ODK submission)\n"
	"  photographs       byte for byte\n"
	"  case.json         everything else: who, when, corrections, notes, assignments\n"
	"and with --all DIR/index.csv, one line for each case.\n\n"
	"From there on only your office's own rules protect them: an encrypted disk, no cloud\n"
	"folder, no e-mail.\n\n"
	"  --to DIR    the folder; made if it is missing\n"
	"  --all       every case on this device\n"
	"  --force     overwrite files of other content that are there already\n\n"
	"Examples:\n"
	"  amparo export 7K3QX-M0T9Z --to /media/office\n"
	"  amparo export --all --to /media/office\n\n"
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

static int options(struct cli *cli, int argc, char **argv, const char **to, bool *force, bool *all)
{
	static const struct option longs[] = {
		{ "to", required_argument, NULL, OPT_TO },
		{ "force", no_argument, NULL, OPT_FORCE },
		{ "all", no_argument, NULL, OPT_ALL },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_TO:
			*to = optarg;
			break;
		case OPT_FORCE:
			*force = true;
			break;
		case OPT_ALL:
			if (all == NULL) {
				cli_usage(cli, "there is no option --all here");
				return '?';
			}
			*all = true;
			break;
		default:
			return c;
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
	const char *to = NULL;
	bool force = false;
	char shown[CASE_CODE_SHOWN + 1];
	enum perr err;
	int code = options(cli, argc, argv, &to, &force, NULL);

	if (code != 0)
		return code == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind != 1 || to == NULL)
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
	code = open_dir(&d, to, force);
	if (code == EXIT_DONE) {
		sink = export_dir_sink(d);
		err = export_attachments(cli->client, file, &sink, &done, say_missing, shown);
		code = err == PERR_OK ? summary(cli, 1, &done, to) : say_stopped(err, d, to);
	}
	export_dir_close(d);
	case_close(file);
	return code;
}

/* ---- export ------------------------------------------------------------------------- */

struct all {
	uint8_t (*at)[STATEMENT_RECORD_SIZE];
	char (*codes)[CASE_CODE_LEN + 1];
	size_t n, room;
};

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct all *a = arg;

	if (a->n == a->room) {
		size_t room = a->room == 0 ? 64 : 2 * a->room;
		void *more = realloc(a->at, room * sizeof *a->at);
		void *codes;

		if (more == NULL)
			return PERR_NOMEM;
		a->at = more;
		codes = realloc(a->codes, room * sizeof *a->codes);
		if (codes == NULL)
			return PERR_NOMEM;
		a->codes = codes;
		a->room = room;
	}
	memcpy(a->at[a->n], s->record, STATEMENT_RECORD_SIZE);
	memcpy(a->codes[a->n++], s->code, CASE_CODE_LEN + 1);
	return PERR_OK;
}

static enum perr export_one(struct cli *cli, const struct all *a, size_t i,
                            const struct export_sink *sink, struct export_index *index,
                            struct export_done *sum)
{
	struct case_file *file = NULL;
	char shown[CASE_CODE_SHOWN + 1];
	struct export_done done;
	unsigned same = 0;
	enum perr err = case_open(cli->client, a->at[i], &file);

	if (err != PERR_OK)
		return err;
	for (size_t k = 0; k < i; k++)
		same += strcmp(a->codes[k], a->codes[i]) == 0;
	case_code_show(shown, file->s.code);
	err = export_case(cli->client, file, same, sink, &done, say_missing, shown);
	if (err == PERR_OK && index != NULL)
		err = export_index_add(index, cli->client, file, done.dir);
	if (err == PERR_OK) {
		sum->n_files += done.n_files;
		sum->n_missing += done.n_missing;
	}
	case_close(file);
	return err;
}

static int export_list(struct cli *cli, const struct all *a, bool with_index, const char *to,
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

int cmd_export(struct cli *cli, int argc, char **argv)
{
	struct all a = { .n = 0 };
	const char *to = NULL;
	bool force = false, all = false;
	enum perr err = PERR_OK;
	int code = options(cli, argc, argv, &to, &force, &all);

	if (code != 0)
		return code == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (to == NULL || argc - optind != (all ? 0 : 1))
		return cli_usage(cli, "a case, or --all, and a folder are needed: CASE --to DIR");
	code = cmd_open_reader(cli);
	if (code != EXIT_DONE)
		return code;
	if (all) {
		err = case_each(cli->client, one_case, &a, NULL);
	} else {
		uint8_t record[STATEMENT_RECORD_SIZE];
		struct case_summary s;

		code = cmd_find_case(cli, argv[optind], record);
		if (code == EXIT_DONE)
			err = case_summary(cli->client, record, &s);
		if (code == EXIT_DONE && err == PERR_OK)
			err = one_case(&a, &s);
	}
	if (code == EXIT_DONE && err != PERR_OK)
		code = cli_fail_err(err, "the cases could not be read");
	if (code == EXIT_DONE && a.n == 0)
		code = cli_fail(EXIT_REFUSED, "no case has reached this device; nothing was written.");
	if (code == EXIT_DONE)
		code = export_list(cli, &a, all, to, force);
	free(a.at);
	free(a.codes);
	return code;
}
