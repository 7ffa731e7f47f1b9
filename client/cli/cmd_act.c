/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assign.h"
#include "cmd_record.h"
#include "term.h"

enum { OPT_FILE = 1 };

#define NOTE_MAX 65536

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

void cmd_say_told(struct cli *cli, const struct assign_told *told, const char *what)
{
	if (cli->json)
		printf("{\"readers\":%u,\"without\":%u}\n", told->n_readers, told->n_without);
	else if (told->n_readers == 0)
		printf("%s.  Nobody else has this case.\n", what);
	else
		printf("%s, for %u other reader%s.  It waits here, sealed; `amparo sync` sends it.\n",
		       what, told->n_readers, told->n_readers == 1 ? "" : "s");
	if (told->n_without > 0)
		fprintf(stderr, "amparo: warning: %u readers have not published keys yet; it follows "
		        "when they have.\n", told->n_without);
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
	cmd_say_told(cli, &told, "Noted");
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
