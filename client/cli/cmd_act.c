/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assign.h"
#include "cmd_record.h"
#include "compare.h"
#include "term.h"

enum { OPT_REASON = 1, OPT_WORDS_CHECKED, OPT_PARTIAL, OPT_FILE };

#define NOTE_MAX 65536

/* the core's texts of a reason are this long at most */
#define REASON_MAX 1024

static int check_reason(const char *reason)
{
	if (strlen(reason) <= REASON_MAX)
		return EXIT_DONE;
	return cli_fail(EXIT_REFUSED, "the reason has %zu bytes, at most %d are allowed; write the "
	                "rest as a note.", strlen(reason), REASON_MAX);
}

/* ---- assign ------------------------------------------------------------------------- */

const char cmd_assign_help[] =
	"Use: amparo assign CASE NAME [--reason TEXT] [--words-checked] [--partial]\n\n"
	"Passes a case on to an attorney or interpreter: the interview with its signature, its\n"
	"corrections and photographs.  They see this case and no other.  The other holders of\n"
	"the desk are told.  What was assigned cannot be called back: check conflicts of\n"
	"interest and what the family agreed to first.\n\n"
	"The first time you assign to somebody, six words of their key are shown.  Compare them\n"
	"with that person by voice: it is the only check that this key is this person.\n\n"
	"  --reason TEXT      why, for the reader and the co-holders\n"
	"  --words-checked    the words were compared already (for scripts)\n"
	"  --partial          even if photographs are not on this device yet\n\n"
	"NAME is as in `amparo members`; a beginning is enough if it fits one person.\n\n"
	"Examples:\n"
	"  amparo assign 7K3QX-M0T9Z \"Ben Carter\" --reason \"speaks Mam\"\n"
	"  amparo assign 7k3q ben\n\n"
	"Exit codes: 0 done, 1 refused (nothing was sent), 2 wrong command line, 4 vault\n"
	"locked, 5 vault or disk damaged.\n";

static int find_person(struct cli *cli, const char *name, uint8_t key[32])
{
	enum perr err = assign_find(cli->client, name, key);

	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, "no attorney or interpreter is called \"%s\"; `amparo "
		                "members` shows the names, `amparo sync` fetches new ones.", name);
	if (err == PERR_EXISTS)
		return cli_fail(EXIT_REFUSED, "\"%s\" fits several people; give the whole name as in "
		                "`amparo members`.", name);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the members could not be read");
}

static void say_assigned(struct cli *cli, const uint8_t key[32], const struct assign_done *done)
{
	if (cli->json) {
		printf("{\"attachments\":%u,\"missing\":%u,\"told\":%u,\"untold\":%u}\n",
		       done->n_attachments, done->n_missing, done->n_told, done->n_untold);
	} else {
		fputs("Assigned to ", stdout);
		cmd_print_name(cli->client, key);
		if (done->n_attachments > 0)
			printf(", with %u attachment%s", done->n_attachments,
			       done->n_attachments == 1 ? "" : "s");
		puts(".  It waits here, sealed; `amparo sync` sends it.");
	}
	if (done->n_missing > 0)
		fprintf(stderr, "amparo: warning: %u attachments were not passed on; assign it again "
		        "when they have arrived.\n", done->n_missing);
	if (done->n_untold > 0)
		fprintf(stderr, "amparo: warning: %u co-holders have not published keys and were not "
		        "told.\n", done->n_untold);
}

int cmd_assign(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "reason", required_argument, NULL, OPT_REASON },
		{ "words-checked", no_argument, NULL, OPT_WORDS_CHECKED },
		{ "partial", no_argument, NULL, OPT_PARTIAL },
		{ NULL, 0, NULL, 0 }
	};
	uint8_t record[STATEMENT_RECORD_SIZE], key[32];
	bool checked = false, partial = false;
	const char *reason = "";
	struct assign_done done;
	char why[DISPATCH_WHY];
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_REASON:
			reason = optarg;
			break;
		case OPT_WORDS_CHECKED:
			checked = true;
			break;
		case OPT_PARTIAL:
			partial = true;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind != 2)
		return cli_usage(cli, "a case and a name are needed; a name with blanks stands in "
		                 "quotes");
	code = check_reason(reason);
	if (code == EXIT_DONE)
		code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = cmd_find_case(cli, argv[optind], record);
	if (code == EXIT_DONE)
		code = find_person(cli, argv[optind + 1], key);
	if (code == EXIT_DONE)
		code = compare_words(cli, key, checked, "assign");
	if (code != EXIT_DONE)
		return code;
	err = assign_record(cli->client, record, key, reason, partial, &done, why);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was assigned");
	say_assigned(cli, key, &done);
	return EXIT_DONE;
}

/* ---- note --------------------------------------------------------------------------- */

const char cmd_note_help[] =
	"Use: amparo note CASE [TEXT | --file FILE]\n\n"
	"A note for everyone who has the case: the holders of its desk and, from a holder,\n"
	"everybody it is assigned to.  Notes are added to the case and never change it.\n"
	"Without TEXT and --file the note is read from the terminal, or from a pipe.\n\n"
	"  --file FILE    the note's text, UTF-8, at most 64 KiB\n\n"
	"A text on the command line may stay in the shell's history: for anything private type\n"
	"it at the terminal.\n\n"
	"Examples:\n"
	"  amparo note 7K3QX-M0T9Z\n"
	"  amparo note 7k3q --file visit.txt\n";

/* everything up to the end of the input; the caller wipes and frees */
static int read_input(char **text)
{
	char *buf = malloc(NOTE_MAX + 2);
	size_t n = 0;
	ssize_t k = 1;

	*text = NULL;
	if (buf == NULL)
		return cli_fail_err(PERR_NOMEM, "the note could not be read");
	if (term_is_tty(0))
		fputs("Type the note; end it with Ctrl-D on a line of its own.\n", stderr);
	while (n <= NOTE_MAX && (k = read(0, buf + n, NOTE_MAX + 1 - n)) > 0)
		n += (size_t)k;
	buf[n] = '\0';
	*text = buf;
	return k < 0 ? cli_fail_err(PERR_IO, "the note could not be read") : EXIT_DONE;
}

static int read_note(const char *file, const char *operand, char **text)
{
	uint8_t *data;
	size_t len;
	int code;

	*text = NULL;
	if (operand != NULL) {
		*text = strdup(operand);
		return *text != NULL ? EXIT_DONE : cli_fail_err(PERR_NOMEM, "no note was sent");
	}
	if (file == NULL)
		return read_input(text);
	code = cli_read_file(file, NOTE_MAX, &data, &len);
	if (code == EXIT_DONE && memchr(data, 0, len) != NULL) {
		free(data);
		return cli_fail(EXIT_REFUSED, "%s is no text.", file);
	}
	*text = (char *)data;
	return code;
}

static void say_told(struct cli *cli, const struct assign_told *told, const char *what)
{
	if (cli->json)
		printf("{\"readers\":%u,\"without\":%u}\n", told->n_readers, told->n_without);
	else if (told->n_readers == 0)
		printf("%s.  Nobody else has this case.\n", what);
	else
		printf("%s, for %u other reader%s.  It waits here, sealed; `amparo sync` sends it.\n",
		       what, told->n_readers, told->n_readers == 1 ? "" : "s");
	if (told->n_without > 0)
		fprintf(stderr, "amparo: warning: %u readers have not published keys and do not get "
		        "it.\n", told->n_without);
}

static int send_note(struct cli *cli, const char *operand, char *text)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct assign_told told;
	char why[DISPATCH_WHY];
	size_t n = strlen(text);
	enum perr err;
	int code;

	while (n > 0 && strchr("\r\n\t ", text[n - 1]) != NULL)
		text[--n] = '\0';
	if (n == 0 || n > NOTE_MAX)
		return cli_fail(EXIT_REFUSED, n == 0 ? "the note is empty; nothing was sent."
		                : "the note is longer than 64 KiB; nothing was sent.");
	code = cmd_find_case(cli, operand, record);
	if (code != EXIT_DONE)
		return code;
	err = assign_note(cli->client, record, text, &told, why);
	if (err == PERR_FORMAT)
		return cli_fail(EXIT_REFUSED, "the note is not UTF-8 text; nothing was sent.");
	if (err != PERR_OK)
		return cmd_refused(err, why, "the note was not sent");
	say_told(cli, &told, "Noted");
	return EXIT_DONE;
}

int cmd_note(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "file", required_argument, NULL, OPT_FILE }, { NULL, 0, NULL, 0 }
	};
	const char *file = NULL;
	char *text = NULL;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c != OPT_FILE)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		file = optarg;
	}
	if (argc - optind < 1 || argc - optind > 2)
		return cli_usage(cli, "a case is needed, then the text in quotes, --file or nothing");
	if (file != NULL && argc - optind == 2)
		return cli_usage(cli, "either a text or --file");
	code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = read_note(file, argc - optind == 2 ? argv[optind + 1] : NULL, &text);
	if (code == EXIT_DONE)
		code = send_note(cli, argv[optind], text);
	if (text != NULL)
		sodium_memzero(text, strlen(text));
	free(text);
	return code;
}

/* ---- answer ------------------------------------------------------------------------- */

const char cmd_answer_help[] =
	"Use: amparo answer CASE accept|decline [--reason TEXT]\n\n"
	"Tells the desk whether you take a case that was assigned to you.  A later answer\n"
	"takes the place of an earlier one; both stay in the case's history.\n\n"
	"  --reason TEXT    for the holders of the desk\n\n"
	"Examples:\n"
	"  amparo answer 7K3QX-M0T9Z accept\n"
	"  amparo answer 7k3q decline --reason \"conflict of interest\"\n";

int cmd_answer(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "reason", required_argument, NULL, OPT_REASON }, { NULL, 0, NULL, 0 }
	};
	uint8_t record[STATEMENT_RECORD_SIZE];
	enum statement_decision decision;
	const char *reason = "";
	struct assign_told told;
	char why[DISPATCH_WHY];
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c != OPT_REASON)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		reason = optarg;
	}
	if (argc - optind != 2)
		return cli_usage(cli, "a case and \"accept\" or \"decline\" are needed");
	if (strcmp(argv[optind + 1], "accept") == 0)
		decision = STATEMENT_ACCEPT;
	else if (strcmp(argv[optind + 1], "decline") == 0)
		decision = STATEMENT_DECLINE;
	else
		return cli_usage(cli, "\"%s\" is no answer: accept or decline", argv[optind + 1]);
	code = check_reason(reason);
	if (code == EXIT_DONE)
		code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = cmd_find_case(cli, argv[optind], record);
	if (code != EXIT_DONE)
		return code;
	err = assign_answer(cli->client, record, decision, reason, &told, why);
	if (err != PERR_OK)
		return cmd_refused(err, why, "the answer was not sent");
	say_told(cli, &told, decision == STATEMENT_ACCEPT ? "Accepted" : "Declined");
	return EXIT_DONE;
}
