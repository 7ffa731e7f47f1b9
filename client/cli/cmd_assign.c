/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "cmd_record.h"
#include "compare.h"
#include "export_json.h"
#include "progress.h"
#include "roster.h"
#include "table.h"
#include "term.h"

enum { OPT_REASON = 1, OPT_WORDS_CHECKED, OPT_TO, OPT_FROM, OPT_ALL, OPT_YES, OPT_DAYS };

/* the core's texts of a reason are this long at most */
#define REASON_MAX 1024
#define NAMES_MAX  16            /* people in one command */

static int check_reason(const char *reason)
{
	if (strlen(reason) <= REASON_MAX)
		return EXIT_DONE;
	return cli_fail(EXIT_REFUSED, "the reason has %zu bytes, at most %d are allowed; write the "
	                "rest as a note.", strlen(reason), REASON_MAX);
}

/* ---- people ------------------------------------------------------------------------- */

static int find_person(struct cli *cli, const char *name, uint8_t key[32])
{
	enum perr err = assign_find(cli->client, name, key);
	uint8_t left[32];

	/* a holder who is asked for by name is found too, also oneself */
	if (err == PERR_NOTFOUND && strcmp(name, "me") == 0) {
		memcpy(key, cli->client->me->sign_pk, 32);
		return EXIT_DONE;
	}
	if (err == PERR_NOTFOUND && assign_find_ever(cli->client, name, left) == PERR_OK)
		return cli_fail(EXIT_REFUSED, "\"%s\" is not a member any more; nothing was assigned.",
		                name);
	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, "no attorney or interpreter is called \"%s\"; `amparo "
		                "members` shows the names, `amparo sync` fetches new ones.", name);
	if (err == PERR_EXISTS)
		return cli_fail(EXIT_REFUSED, "\"%s\" fits several people; give the whole name as in "
		                "`amparo members`.", name);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the members could not be read");
}

/* somebody who has or had cases, a member or not */
static int find_ever(struct cli *cli, const char *name, uint8_t key[32])
{
	enum perr err = assign_find_ever(cli->client, name, key);

	if (err == PERR_NOTFOUND && strcmp(name, "me") == 0) {
		memcpy(key, cli->client->me->sign_pk, 32);
		return EXIT_DONE;
	}
	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, "nobody called \"%s\" was ever listed here; `amparo cases` "
		                "shows who has what.", name);
	if (err == PERR_EXISTS)
		return cli_fail(EXIT_REFUSED, "\"%s\" fits several people; give the whole name, or "
		                "\"key:\" and the first digits of the key.", name);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the members could not be read");
}

static int compare_one(struct cli *cli, const uint8_t key[32], bool checked)
{
	if (memcmp(key, cli->client->me->sign_pk, 32) == 0)
		return EXIT_DONE;
	return compare_words(cli, key, checked, "assign");
}

/* ---- assign ------------------------------------------------------------------------- */

const char cmd_assign_help[] =
	"Use: amparo assign CASE NAME [NAME...] [--reason TEXT] [--answer-days N]\n"
	"     amparo assign --to NAME [--to NAME...] CASE [CASE...]\n\n"
	"Gives a case to an attorney or interpreter: the interview with its signature, its\n"
	"corrections, photographs, notes and history, and what is added later.  They see this\n"
	"case and no other.  The other holders of the desk are told.  Whoever has read has read:\n"
	"check conflicts of interest and what the family agreed to first.\n\n"
	"A photograph that is not on this device yet follows by itself, from here or from a\n"
	"co-holder.  Who does not answer in time is passed over: the case is then back at the\n"
	"desk and leads `amparo cases --waiting`.\n\n"
	"The first time you assign to somebody, six words of their key are shown.  Compare them\n"
	"with that person by voice: it is the only check that this key is this person.\n\n"
	"  --to NAME          for several cases at once\n"
	"  --reason TEXT      why, for the reader and the co-holders\n"
	"  --answer-days N    when it returns to the desk unanswered; 0: never; without it what\n"
	"                     `amparo settings` says\n"
	"  --words-checked    the words were compared already (for scripts)\n\n"
	"NAME is as in `amparo members`; a beginning is enough if it fits one person; \"me\" is\n"
	"yourself, a holder who takes the case.\n\n"
	"Examples:\n"
	"  amparo assign 7K3QX-M0T9Z \"Ben Carter\" --reason \"speaks Mam\"\n"
	"  amparo assign 7k3q ben lucia\n"
	"  amparo assign --to ben --answer-days 2 7k3q 9xw2 r4mm\n\n"
	"Exit codes: 0 done, 1 refused (what was possible is done, and said), 2 wrong command\n"
	"line, 4 vault locked, 5 vault or disk damaged.\n";

struct people {
	uint8_t key[NAMES_MAX][32];
	int n;
};

static int add_person(struct cli *cli, struct people *p, const char *name, bool checked)
{
	int code;

	if (p->n == NAMES_MAX)
		return cli_usage(cli, "at most %d people at once", NAMES_MAX);
	code = find_person(cli, name, p->key[p->n]);
	if (code == EXIT_DONE)
		code = compare_one(cli, p->key[p->n], checked);
	p->n += code == EXIT_DONE;
	return code;
}

static void show_code(const char *code)
{
	char shown[CASE_CODE_SHOWN + 1];

	case_code_show(shown, code);
	fputs(shown, stdout);
}

static void say_assigned(struct cli *cli, const char *code, const uint8_t key[32],
                         const struct assign_done *done)
{
	bool self = memcmp(key, cli->client->me->sign_pk, 32) == 0;
	char day[16];

	if (cli->json) {
		char name[140];

		client_name_of(cli->client, key, name, sizeof name);
		fputs("{\"code\":\"", stdout);
		show_code(code);
		fputs("\",\"to\":", stdout);
		cli_json_str(stdout, name, strlen(name));
		printf(",\"role\":\"%s\",\"attachments\":%u,\"missing\":%u,\"told\":%u,\"untold\":%u}\n",
		       done->is_interpreter ? "interpreter" : "attorney", done->n_attachments,
		       done->n_missing, done->n_told, done->n_untold);
		return;
	}
	show_code(code);
	fputs(done->is_interpreter ? ": assigned for interpreting to " : ": assigned to ", stdout);
	cmd_print_name(cli->client, key);
	if (done->n_attachments > 0)
		printf(", with %u attachment%s", done->n_attachments,
		       done->n_attachments == 1 ? "" : "s");
	if (done->answer_by != 0) {
		cli_day(day, done->answer_by);
		printf(", to answer by %s", day);
	}
	puts(self ? ".  You have it." : ".");
	if (done->n_missing > 0)
		printf("  %u attachment%s not on this device yet follow%s by %s.\n", done->n_missing,
		       done->n_missing == 1 ? "" : "s", done->n_missing == 1 ? "s" : "",
		       done->n_missing == 1 ? "itself" : "themselves");
	if (done->n_untold > 0)
		fprintf(stderr, "amparo: warning: %u co-holders have not published keys and were not "
		        "told.\n", done->n_untold);
}

static const struct assign_what by_policy = { .reason = "", .answer_days = ASSIGN_BY_POLICY };

static int assign_one(struct cli *cli, const uint8_t record[STATEMENT_RECORD_SIZE],
                      const struct assign_what *what)
{
	struct case_summary *s = malloc(sizeof *s);
	struct assign_done done;
	char why[DISPATCH_WHY], name[140], head[240], code[CASE_CODE_SHOWN + 1];
	enum perr err = s == NULL ? PERR_NOMEM : case_summary(cli->client, record, s);
	int exit_code = EXIT_DONE;

	if (err == PERR_OK) {
		case_code_show(code, s->code);
		err = assign_record(cli->client, record, what, &done, why);
		client_name_of(cli->client, what->reader, name, sizeof name);
		snprintf(head, sizeof head, "%s was not assigned to %s", code, name);
		if (err != PERR_OK)
			exit_code = cmd_refused(err, why, head);
		else
			say_assigned(cli, s->code, what->reader, &done);
	} else {
		exit_code = cli_fail_err(err, "the case could not be read");
	}
	if (s != NULL)
		sodium_memzero(s, sizeof *s);
	free(s);
	return exit_code;
}

static int assign_all(struct cli *cli, char **cases, int n, const struct people *to,
                      struct assign_what *what)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	int worst = EXIT_DONE, done = 0, code;

	for (int i = 0; i < n; i++) {
		code = cmd_find_case(cli, cases[i], record);
		for (int k = 0; code == EXIT_DONE && k < to->n; k++) {
			int one;

			what->reader = to->key[k];
			one = assign_one(cli, record, what);
			done += one == EXIT_DONE;
			worst = one > worst ? one : worst;
			if (one > EXIT_REFUSED)
				return one;
		}
		worst = code > worst ? code : worst;
	}
	if (done > 0 && !cli->json)
		puts("It waits here, sealed; `amparo sync` sends it.");
	return worst;
}

static int parse_days(struct cli *cli, const char *text, uint32_t *days)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n > ROSTER_ANSWER_MAX)
		return cli_usage(cli, "\"%s\" is not a number of days up to %d", text,
		                 ROSTER_ANSWER_MAX);
	*days = (uint32_t)n;
	return EXIT_DONE;
}

int cmd_assign(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "reason", required_argument, NULL, OPT_REASON },
		{ "words-checked", no_argument, NULL, OPT_WORDS_CHECKED },
		{ "to", required_argument, NULL, OPT_TO },
		{ "answer-days", required_argument, NULL, OPT_DAYS },
		{ NULL, 0, NULL, 0 }
	};
	struct assign_what what = by_policy;
	const char *names[NAMES_MAX];
	struct people to = { .n = 0 };
	int n_names = 0, c, code = EXIT_DONE, n_cases;
	bool checked = false, named;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_REASON:
			what.reason = optarg;
			break;
		case OPT_WORDS_CHECKED:
			checked = true;
			break;
		case OPT_TO:
			if (n_names == NAMES_MAX)
				return cli_usage(cli, "at most %d people at once", NAMES_MAX);
			names[n_names++] = optarg;
			break;
		case OPT_DAYS:
			code = parse_days(cli, optarg, &what.answer_days);
			if (code != EXIT_DONE)
				return code;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	named = n_names > 0;
	if (argc - optind < (named ? 1 : 2))
		return cli_usage(cli, "a case and a name are needed; a name with blanks stands in "
		                 "quotes");
	n_cases = named ? argc - optind : 1;
	for (int i = optind + 1; !named && i < argc; i++) {
		if (n_names == NAMES_MAX)
			return cli_usage(cli, "at most %d people at once", NAMES_MAX);
		names[n_names++] = argv[i];
	}
	code = check_reason(what.reason);
	if (code == EXIT_DONE)
		code = cmd_open_reader(cli);
	for (int i = 0; code == EXIT_DONE && i < n_names; i++)
		code = add_person(cli, &to, names[i], checked);
	return code == EXIT_DONE ? assign_all(cli, argv + optind, n_cases, &to, &what) : code;
}

/* ---- unassign ----------------------------------------------------------------------- */

const char cmd_unassign_help[] =
	"Use: amparo unassign CASE NAME [--reason TEXT]\n\n"
	"Takes a case back.  Everybody who has the case is told.  At their next sync the device\n"
	"of NAME lets go of it, says so once, and asks the servers to erase its copy; a legal hold\n"
	"keeps it there.  What was read was read.  NAME may have left the organisation already.\n\n"
	"  --reason TEXT    for everybody who has the case\n\n"
	"Example: amparo unassign 7k3q ben --reason \"on leave until June\"\n";

int cmd_unassign(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "reason", required_argument, NULL, OPT_REASON }, { NULL, 0, NULL, 0 }
	};
	uint8_t record[STATEMENT_RECORD_SIZE], key[32];
	struct assign_told told;
	const char *reason = "";
	char why[DISPATCH_WHY];
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c != OPT_REASON)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		reason = optarg;
	}
	if (argc - optind != 2)
		return cli_usage(cli, "a case and a name are needed");
	code = check_reason(reason);
	if (code == EXIT_DONE)
		code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = cmd_find_case(cli, argv[optind], record);
	if (code == EXIT_DONE)
		code = find_ever(cli, argv[optind + 1], key);
	if (code != EXIT_DONE)
		return code;
	err = assign_withdraw(cli->client, record, key, reason, &told, why);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was taken back");
	cmd_say_told(cli, &told, "Taken back");
	return EXIT_DONE;
}

/* ---- reassign ----------------------------------------------------------------------- */

const char cmd_reassign_help[] =
	"Use: amparo reassign --from NAME --to NAME (--all | CASE [CASE...]) [--reason TEXT]\n\n"
	"Gives cases of one person to another: of somebody who was revoked, is on holiday, or has\n"
	"too many.  Lists them and asks; then each case is taken back from the first and assigned\n"
	"to the second, with all its photographs and notes, in one step.  If it is interrupted, the\n"
	"same command does the rest.  Only cases of desks that you hold, and none that is closed.\n\n"
	"  --from NAME        may have left already; \"key:\" and the first digits of the key where\n"
	"                     a name fits several people\n"
	"  --to NAME          as with `amparo assign`; \"me\" is yourself\n"
	"  --all              every open case of the first person\n"
	"  --reason TEXT      for the new reader and the co-holders\n"
	"  --answer-days N    as with `amparo assign`\n"
	"  --words-checked    as with `amparo assign`\n"
	"  --yes              do not ask\n\n"
	"Example: amparo reassign --from \"Ben Carter\" --to lucia --all\n";

struct moving {
	struct cli *cli;
	const uint8_t *from;
	uint8_t (*only)[STATEMENT_RECORD_SIZE];
	size_t n_only;
	struct case_summary *at;
	size_t n, room;
};

static bool is_meant(const struct moving *m, const struct case_summary *s)
{
	if (m->only == NULL)
		return true;
	for (size_t i = 0; i < m->n_only; i++)
		if (memcmp(m->only[i], s->record, STATEMENT_RECORD_SIZE) == 0)
			return true;
	return false;
}

static enum perr one_move(void *arg, const struct case_summary *s)
{
	struct moving *m = arg;
	const struct assigned *p = case_person(s, m->from);

	if (p == NULL || assigned_is_over(p->state) || s->state == CASE_CLOSED || !is_meant(m, s) ||
	    !client_is_holder(m->cli->client, s->desk))
		return PERR_OK;
	if (m->n == m->room) {
		size_t room = m->room == 0 ? 32 : 2 * m->room;
		void *more = realloc(m->at, room * sizeof *m->at);

		if (more == NULL)
			return PERR_NOMEM;
		m->at = more;
		m->room = room;
	}
	m->at[m->n++] = *s;
	return PERR_OK;
}

static int print_moves(const struct moving *m, const uint8_t to[32])
{
	static const char *const heads[] = { "!Code", "Case", "State", "!Since" };
	struct table *t = table_new(4, heads);
	enum perr err = t == NULL ? PERR_NOMEM : PERR_OK;

	for (size_t i = 0; i < m->n && err == PERR_OK; i++) {
		const struct case_summary *s = &m->at[i];
		const struct assigned *p = case_person(s, m->from);
		char code[CASE_CODE_SHOWN + 1], day[16];
		const char *cells[] = { code, s->title, export_json_answer_text(p->state), day };

		case_code_show(code, s->code);
		cli_day(day, p->since);
		err = table_row(t, cells);
	}
	if (err == PERR_OK)
		table_print(t, stdout, term_is_tty(1) ? term_width(1) : 0);
	table_free(t);
	if (err != PERR_OK)
		return cli_fail_err(err, "the cases could not be printed");
	printf("\n%zu case%s from ", m->n, m->n == 1 ? "" : "s");
	cmd_print_name(m->cli->client, m->from);
	fputs(" to ", stdout);
	cmd_print_name(m->cli->client, to);
	puts(".");
	return EXIT_DONE;
}

static int move_one(struct cli *cli, const struct case_summary *s, struct assign_what *what,
                    uint32_t *missing)
{
	char why[DISPATCH_WHY], code[CASE_CODE_SHOWN + 1], head[120];
	struct assign_done done;
	enum perr err = assign_move(cli->client, s->record, what, &done, why);

	*missing += done.n_missing;
	if (err == PERR_OK)
		return EXIT_DONE;
	case_code_show(code, s->code);
	snprintf(head, sizeof head, "%s stays as it is", code);
	return cmd_refused(err, why, head);
}

static int move_all(struct moving *m, struct assign_what *what)
{
	uint32_t moved = 0, left = 0, missing = 0;
	int code = EXIT_DONE;
	struct progress bar;

	progress_begin(&bar, stderr, "reassigning", PROGRESS_ITEMS, m->n, cli_now_ms());
	for (size_t i = 0; i < m->n && code <= EXIT_REFUSED; i++) {
		code = move_one(m->cli, &m->at[i], what, &missing);
		moved += code == EXIT_DONE;
		left += code != EXIT_DONE;
		progress_update(&bar, i + 1, cli_now_ms());
	}
	progress_end(&bar, cli_now_ms());
	if (m->cli->json)
		printf("{\"reassigned\":%u,\"left\":%u,\"missing\":%u}\n", moved, left, missing);
	else
		printf("%u case%s reassigned.  `amparo sync` sends them.\n", moved,
		       moved == 1 ? " is" : "s are");
	if (missing > 0 && !m->cli->json)
		printf("%u attachments that are not on this device yet follow by themselves.\n", missing);
	if (code > EXIT_REFUSED)
		return code;
	return left == 0 ? EXIT_DONE : cli_fail(EXIT_REFUSED, "%u case%s left where they were; "
	                                        "assign them to somebody else.", left,
	                                        left == 1 ? " was" : "s were");
}

static int find_only(struct moving *m, char **cases, int n)
{
	int code = EXIT_DONE;

	m->only = calloc((size_t)n + 1, sizeof *m->only);
	if (m->only == NULL)
		return cli_fail_err(PERR_NOMEM, "the cases could not be read");
	for (int i = 0; i < n && code == EXIT_DONE; i++)
		code = cmd_find_case(m->cli, cases[i], m->only[m->n_only++]);
	return code;
}

static int reassign(struct moving *m, struct assign_what *what, bool yes)
{
	enum perr err = case_each(m->cli->client, one_move, m, NULL);
	int code;

	if (err != PERR_OK)
		return cli_fail_err(err, "the cases could not be read");
	if (m->n == 0)
		return cli_fail(EXIT_REFUSED, "this person has no open case of a desk that you hold; "
		                "nothing was changed.");
	if (!m->cli->json) {
		code = print_moves(m, what->reader);
		if (code != EXIT_DONE)
			return code;
	}
	if (!yes && !term_yes(stdin, stderr, "Reassign them now?", false))
		return cli_fail(EXIT_REFUSED, "nothing was changed.");
	return move_all(m, what);
}

int cmd_reassign(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "from", required_argument, NULL, OPT_FROM },
		{ "to", required_argument, NULL, OPT_TO },
		{ "all", no_argument, NULL, OPT_ALL },
		{ "reason", required_argument, NULL, OPT_REASON },
		{ "answer-days", required_argument, NULL, OPT_DAYS },
		{ "words-checked", no_argument, NULL, OPT_WORDS_CHECKED },
		{ "yes", no_argument, NULL, OPT_YES },
		{ NULL, 0, NULL, 0 }
	};
	bool all = false, yes = false, checked = false;
	const char *from = NULL, *to = NULL;
	struct assign_what what = by_policy;
	struct moving m = { .cli = cli };
	uint8_t from_key[32], to_key[32];
	int c, code = EXIT_DONE;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c == OPT_FROM)
			from = optarg;
		else if (c == OPT_TO)
			to = optarg;
		else if (c == OPT_REASON)
			what.reason = optarg;
		else if (c == OPT_DAYS)
			code = parse_days(cli, optarg, &what.answer_days);
		else if (c != OPT_ALL && c != OPT_YES && c != OPT_WORDS_CHECKED)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		all = all || c == OPT_ALL;
		yes = yes || c == OPT_YES;
		checked = checked || c == OPT_WORDS_CHECKED;
		if (code != EXIT_DONE)
			return code;
	}
	if (from == NULL || to == NULL)
		return cli_usage(cli, "--from and --to are needed");
	if (all == (optind < argc))
		return cli_usage(cli, "either --all or the cases are needed");
	code = check_reason(what.reason);
	if (code == EXIT_DONE)
		code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = find_ever(cli, from, from_key);
	if (code == EXIT_DONE)
		code = find_person(cli, to, to_key);
	if (code == EXIT_DONE && memcmp(from_key, to_key, 32) == 0)
		code = cli_fail(EXIT_REFUSED, "both are the same person; nothing was changed.");
	if (code == EXIT_DONE)
		code = compare_one(cli, to_key, checked);
	if (code == EXIT_DONE && !all)
		code = find_only(&m, argv + optind, argc - optind);
	m.from = what.from = from_key;
	what.reader = to_key;
	if (code == EXIT_DONE)
		code = reassign(&m, &what, yes);
	if (m.at != NULL)
		sodium_memzero(m.at, m.n * sizeof *m.at);
	free(m.at);
	free(m.only);
	return code;
}
