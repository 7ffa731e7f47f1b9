/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <string.h>

#include "assign.h"
#include "cmd_record.h"
#include "leave.h"
#include "term.h"

enum { OPT_REASON = 1, OPT_YES };

#define REASON_MAX 1024

const char cmd_accept_help[] =
	"Use: amparo accept CASE [--reason TEXT]\n\n"
	"Tells the desk that you take a case that was assigned to you.  After the day by which an\n"
	"answer was asked for it still counts, unless the desk gave the case to somebody else\n"
	"meanwhile; you are told then.\n\n"
	"  --reason TEXT    a remark for everybody who has the case\n\n"
	"Example: amparo accept 7k3q\n";

const char cmd_decline_help[] =
	"Use: amparo decline CASE [--reason TEXT] [--yes]\n\n"
	"Tells the desk that you do not take a case, or that you give it back: also one that you\n"
	"accepted.  It returns to the desk, and leaves this device; a holder of the desk keeps it\n"
	"for the desk.  For a conflict of interest use `amparo recuse`: it stands for good.\n\n"
	"  --reason TEXT    for everybody who has the case\n"
	"  --yes            do not ask\n\n"
	"Example: amparo decline 7k3q --reason \"in court until Friday\"\n";

const char cmd_recuse_help[] =
	"Use: amparo recuse CASE [--reason TEXT] [--yes]\n\n"
	"For a conflict of interest: the case returns to the desk, leaves this device at once, and\n"
	"nobody can ever assign it to you again.  A holder of the desk can recuse themselves too;\n"
	"the case then stays on their device for the desk, is listed without a name, and `amparo\n"
	"show` does not open it.\n\n"
	"  --reason TEXT    for everybody who has the case; leave out what is confidential\n"
	"  --yes            do not ask\n\n"
	"Example: amparo recuse 7k3q\n";

const char cmd_close_help[] =
	"Use: amparo close CASE [--reason TEXT]\n\n"
	"Says that nothing is left to do in a case.  It stays with everybody who has it, at the end\n"
	"of the list, and nobody is asked for an answer any more.  `amparo reopen` opens it again.\n"
	"Holders of the desk only.\n\n"
	"Example: amparo close 7k3q --reason \"bond granted, family reunited\"\n";

const char cmd_reopen_help[] =
	"Use: amparo reopen CASE [--reason TEXT]\n\n"
	"Opens a case that was closed; whoever had it has it again.  Holders of the desk only.\n\n"
	"Example: amparo reopen 7k3q --reason \"new hearing\"\n";

struct options {
	const char *reason;
	bool yes;
};

/* one case as the operand; EXIT_DONE, or an exit code (already said); 'h' was printed: -1 */
static int begin(struct cli *cli, int argc, char **argv, bool asks, struct options *o,
                 uint8_t record[STATEMENT_RECORD_SIZE])
{
	static const struct option longs[] = {
		{ "reason", required_argument, NULL, OPT_REASON },
		{ "yes", no_argument, NULL, OPT_YES },
		{ NULL, 0, NULL, 0 }
	};
	int c, code;

	o->reason = "";
	o->yes = !asks;
	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_REASON:
			o->reason = optarg;
			break;
		case OPT_YES:
			o->yes = true;
			break;
		default:
			return c == 'h' ? -1 : EXIT_USAGE;
		}
	if (argc - optind != 1)
		return cli_usage(cli, "one case is needed; a reason stands behind --reason");
	if (strlen(o->reason) > REASON_MAX)
		return cli_fail(EXIT_REFUSED, "the reason has %zu bytes, at most %d are allowed; write "
		                "the rest as a note.", strlen(o->reason), REASON_MAX);
	code = cmd_open_reader(cli);
	return code == EXIT_DONE ? cmd_find_case(cli, argv[optind], record) : code;
}

int cmd_accept(struct cli *cli, int argc, char **argv)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct assign_told told;
	char why[DISPATCH_WHY];
	struct options o;
	enum perr err;
	int code = begin(cli, argc, argv, false, &o, record);

	if (code != EXIT_DONE)
		return code < 0 ? EXIT_DONE : code;
	err = assign_answer(cli->client, record, STATEMENT_ACCEPT, o.reason, &told, why);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was sent");
	cmd_say_told(cli, &told, "Accepted");
	return EXIT_DONE;
}

/* what the person said no to leaves the device with the same command */
static int let_go(struct cli *cli, const struct assign_told *told, const char *what)
{
	unsigned n;
	enum perr err = leave_tidy(cli->client, &n);

	cmd_say_told(cli, told, what);
	if (err != PERR_OK)
		return cli_fail_err(err, "the case is still on this device; run `amparo sync`");
	if (n > 0 && !cli->json)
		puts("The case is no longer on this device.");
	return EXIT_DONE;
}

int cmd_decline(struct cli *cli, int argc, char **argv)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct assign_told told;
	char why[DISPATCH_WHY];
	struct options o;
	enum perr err;
	int code = begin(cli, argc, argv, true, &o, record);

	if (code != EXIT_DONE)
		return code < 0 ? EXIT_DONE : code;
	if (!o.yes && !term_yes(stdin, stderr, "The case returns to the desk and leaves this "
	                        "device.  Decline it?", false))
		return cli_fail(EXIT_REFUSED, "nothing was sent.");
	err = assign_answer(cli->client, record, STATEMENT_DECLINE, o.reason, &told, why);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was sent");
	return let_go(cli, &told, "Declined");
}

int cmd_recuse(struct cli *cli, int argc, char **argv)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct assign_told told;
	char why[DISPATCH_WHY];
	struct options o;
	enum perr err;
	int code = begin(cli, argc, argv, true, &o, record);

	if (code != EXIT_DONE)
		return code < 0 ? EXIT_DONE : code;
	if (!o.yes && !term_yes(stdin, stderr, "The case returns to the desk, and nobody can assign "
	                        "it to you again.  Recuse yourself?", false))
		return cli_fail(EXIT_REFUSED, "nothing was sent.");
	err = assign_recuse(cli->client, record, o.reason, &told, why);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was sent");
	return let_go(cli, &told, "Recused");
}

static int close_or_open(struct cli *cli, int argc, char **argv, enum statement_state state)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct assign_told told;
	char why[DISPATCH_WHY];
	struct options o;
	enum perr err;
	int code = begin(cli, argc, argv, false, &o, record);

	if (code != EXIT_DONE)
		return code < 0 ? EXIT_DONE : code;
	err = assign_close(cli->client, record, state, o.reason, &told, why);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was changed");
	cmd_say_told(cli, &told, state == STATEMENT_CLOSED ? "Closed" : "Reopened");
	return EXIT_DONE;
}

int cmd_close(struct cli *cli, int argc, char **argv)
{
	return close_or_open(cli, argc, argv, STATEMENT_CLOSED);
}

int cmd_reopen(struct cli *cli, int argc, char **argv)
{
	return close_or_open(cli, argc, argv, STATEMENT_OPEN);
}
