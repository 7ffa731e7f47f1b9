/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* amparo erase, hold, unhold: a family withdraws its consent; a court says otherwise. */
#include "cmd_erase.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache.h"
#include "case_code.h"
#include "cmd_record.h"
#include "erasing.h"
#include "status_erase.h"
#include "term.h"

enum { OPT_REASON = 1, OPT_YES, OPT_STOP, OPT_FORM };

const char cmd_erase_help[] =
	"Use: amparo erase CASE [--reason TEXT] [--yes]\n"
	"     amparo erase CASE --stop [--reason TEXT]\n"
	"     amparo erase CODE --form ID [--reason TEXT] [--yes]     (a volunteer, by the slip)\n"
	"     amparo erase\n\n"
	"The family withdraws its consent.  A holder of the case's desk orders that it be erased:\n"
	"after a rest of three days every reader's device erases its copy at its next sync, with\n"
	"photographs, notes and drafts, asks the servers to forget the cells it came in, and says\n"
	"so.  The rest is there because a stolen device could order this for everything: until it\n"
	"is over any holder can stop it, the administrators can void it (`amparo erasures void`),\n"
	"and the orders of a holder who was revoked count no more.\n\n"
	"Somebody who holds no desk of the case, or a volunteer with the code alone, asks for it:\n"
	"the holders see that in `amparo status`, and order it or say no with --stop.\n\n"
	"Without a case: what was asked and ordered, from when it is carried out, and who has not\n"
	"said yet that their copy is gone.\n\n"
	"What no command reaches: paper, exported files, what somebody wrote down elsewhere, and\n"
	"what another desk has to which the case was referred.\n\n"
	"  --reason TEXT   for the others; nothing of the case itself\n"
	"  --stop          it is not to be erased (holders, until it is carried out)\n"
	"  --form ID       a volunteer: the interview's form, if several are published\n"
	"  --yes           do not ask\n\n"
	"Example: amparo erase 7K3QX-M0T9Z --reason \"the family asked on Friday\"\n\n"
	"Exit codes: 0 done, 1 refused, 2 wrong command line, 4 vault locked, 5 vault or disk damaged.\n";

const char cmd_hold_help[] =
	"Use: amparo hold CASE --reason TEXT\n\n"
	"A legal hold: this device keeps its copy of the case whatever is ordered.  The servers'\n"
	"cells go all the same, the others' copies too; they are told that you keep yours.  What\n"
	"is kept so is passed on to nobody, and in no `export --all`.  `amparo unhold` ends it.\n\n"
	"Example: amparo hold 7K3QX-M0T9Z --reason \"order of the court of 3 December\"\n";

const char cmd_unhold_help[] =
	"Use: amparo unhold CASE\n\n"
	"Ends a legal hold (`amparo hold`).  If the case was ordered to be erased meanwhile, this\n"
	"device erases its copy at the next sync.\n\n"
	"Example: amparo unhold 7K3QX-M0T9Z\n";

/* ---- before it is ordered ------------------------------------------------------------ */

static void shown_code(char out[CASE_CODE_SHOWN + 1], const char *code)
{
	if (code[0] == '\0')
		out[0] = '\0';
	else
		case_code_show(out, code);
}

static bool agreed(struct cli *cli, const struct case_file *f, bool is_holder)
{
	const struct case_summary *s = &f->s;
	char code[CASE_CODE_SHOWN + 1];
	bool referred = false;

	case_code_show(code, s->code);
	printf("Case %s  ", code);
	cmd_print(s->title, strlen(s->title));
	puts("");
	if (!is_holder) {
		puts("You hold no desk of this case: its holders will be asked to erase it.");
		return term_yes(stdin, stdout, "Ask them?", false);
	}
	printf("These go, after three days, from every reader's device and from the servers:\n"
	       "  the interview and %u correction%s, %u attachment%s, %u note%s, who has the case\n",
	       s->n_corrections, s->n_corrections == 1 ? "" : "s", s->n_attachments,
	       s->n_attachments == 1 ? "" : "s", s->n_notes, s->n_notes == 1 ? "" : "s");
	for (uint32_t i = 0; i < s->n_people; i++)
		if (!assigned_is_over(s->people[i].state)) {
			fputs("  the copy of ", stdout);
			cmd_print_name(cli->client, s->people[i].key);
			puts("");
		}
	for (size_t i = 0; i < f->n; i++)
		referred = referred || (!f->at[i]->is_unknown && f->at[i]->st.kind == STATEMENT_STATUS &&
		                        f->at[i]->st.body.status.state == STATEMENT_REFERRED);
	puts("These stay: paper, exported files, a copy under somebody's legal hold");
	if (referred)
		puts("  and what the desk has to which it was referred: speak with it");
	return term_yes(stdin, stdout, "Order that it be erased?", false);
}

static int told_of(struct cli *cli, const struct erasing_told *t, enum statement_erase_step step)
{
	char day[16];

	if (cli->json) {
		printf("{\"readers\":%u,\"without_keys\":%u,\"due\":", t->n_readers, t->n_without);
		if (t->due != 0) {
			cli_day(day, t->due);
			printf("\"%s\"}\n", day);
		} else {
			puts("null}");
		}
		return EXIT_DONE;
	}
	if (step == STATEMENT_ERASE_ORDER) {
		cli_day(day, t->due);
		printf("Ordered.  It is carried out from %s on, on each device at its next sync; until then\n"
		       "`amparo erase CASE --stop` stops it.  `amparo erase` says who is waited for.\n", day);
	} else if (step == STATEMENT_ERASE_STOP) {
		puts("Stopped, for everybody whose device has not carried it out yet.");
	} else {
		puts("The holders of the desk are asked to erase it.");
	}
	printf("Sealed to %u other%s", t->n_readers, t->n_readers == 1 ? "" : "s");
	if (t->n_without > 0)
		printf("; %u ha%s published no keys yet", t->n_without, t->n_without == 1 ? "s" : "ve");
	puts(t->n_readers > 0 ? "; `amparo sync` sends it." : ".");
	return EXIT_DONE;
}

/* ---- asking by the code alone ----------------------------------------------------------- */

static int find_desk(struct cli *cli, const char *form, uint8_t desk[32])
{
	const struct roster_field *f = cli->client->field;
	unsigned n = 0;

	if (f == NULL)
		return cli_fail(EXIT_REFUSED, "no form is known on this device yet; run `amparo sync` once "
		                "with a network.");
	for (uint32_t i = 0; i < f->n_forms; i++)
		if (f->forms[i].active && (form == NULL || strcmp(f->forms[i].id, form) == 0)) {
			n += n == 0 || memcmp(desk, f->forms[i].desk, 32) != 0;
			memcpy(desk, f->forms[i].desk, 32);
		}
	if (n == 0)
		return cli_fail(EXIT_REFUSED, "no such form is published; see `amparo form list`.");
	if (n > 1)
		return cli_fail(EXIT_USAGE, "forms go to several desks; say with --form which form it was.");
	return EXIT_DONE;
}

static int ask_by_code(struct cli *cli, const char *text, const char *form, const char *reason,
                       bool sure)
{
	char code[CASE_CODE_LEN + 1], why[DISPATCH_WHY];
	struct erasing_told told;
	uint8_t desk[32];
	enum perr err = case_code_parse(code, text);
	int exit_code;

	if (err == PERR_AUTH)
		return cli_fail(EXIT_REFUSED, "\"%s\" is mistyped: at least one character is wrong; compare "
		                "it with the slip.", text);
	if (err != PERR_OK)
		return cli_fail(EXIT_REFUSED, "\"%s\" is no case code; a code has ten letters and digits, as "
		                "on the slip.", text);
	exit_code = find_desk(cli, form, desk);
	if (exit_code != EXIT_DONE)
		return exit_code;
	if (!sure) {
		puts("The holders of the desk will be asked to erase this case.");
		if (!term_yes(stdin, stdout, "Ask them?", false))
			return cli_fail(EXIT_REFUSED, "nothing was asked.");
	}
	err = erasing_ask(cli->client, code, desk, reason, &told, why);
	sodium_memzero(code, sizeof code);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was asked");
	return told_of(cli, &told, STATEMENT_ERASE_ASK);
}

/* ---- the command -------------------------------------------------------------------------- */

static int erase_case(struct cli *cli, const char *text, const char *reason, bool stop, bool sure)
{
	struct case_file *f = NULL;
	struct erasing_told told;
	char why[DISPATCH_WHY];
	enum statement_erase_step step = STATEMENT_ERASE_STOP;
	enum perr err;
	bool is_holder;
	int code = cmd_open_case(cli, text, &f);

	if (code != EXIT_DONE)
		return code;
	is_holder = client_is_holder(cli->client, f->s.desk);
	if (!stop)
		step = is_holder ? STATEMENT_ERASE_ORDER : STATEMENT_ERASE_ASK;
	if (!stop && !sure && !agreed(cli, f, is_holder)) {
		case_close(f);
		return cli_fail(EXIT_REFUSED, "nothing was ordered.");
	}
	err = erasing_say(cli->client, f->s.record, step, reason, &told, why);
	case_close(f);
	if (err == PERR_RANGE)
		return cli_fail(EXIT_REFUSED, "the reason is too long: %d bytes at most.",
		                ERASING_REASON_MAX);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was ordered");
	return told_of(cli, &told, step);
}

int cmd_erase(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "reason", required_argument, NULL, OPT_REASON },
		{ "yes", no_argument, NULL, OPT_YES },
		{ "stop", no_argument, NULL, OPT_STOP },
		{ "form", required_argument, NULL, OPT_FORM },
		{ NULL, 0, NULL, 0 }
	};
	const char *reason = "", *form = NULL;
	bool sure = false, stop = false;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_REASON:
			reason = optarg;
			break;
		case OPT_YES:
			sure = true;
			break;
		case OPT_STOP:
			stop = true;
			break;
		case OPT_FORM:
			form = optarg;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind > 1 || (argc == optind && (stop || form != NULL)))
		return cli_usage(cli, "one case is erased at a time; give its code");
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	if (argc == optind)
		return status_erase_list(cli);
	if (cli->client->staff == NULL)
		return stop ? cli_fail(EXIT_REFUSED, "only attorneys who hold the desk can stop an erasure.")
		            : ask_by_code(cli, argv[optind], form, reason, sure);
	code = cmd_open_reader(cli);
	return code == EXIT_DONE ? erase_case(cli, argv[optind], reason, stop, sure) : code;
}

int cmd_hold(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "reason", required_argument, NULL, OPT_REASON }, { NULL, 0, NULL, 0 }
	};
	uint8_t record[STATEMENT_RECORD_SIZE];
	const char *reason = NULL;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c != OPT_REASON)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		reason = optarg;
	}
	if (argc - optind != 1 || reason == NULL || reason[0] == '\0')
		return cli_usage(cli, "one case, and why it is held: --reason TEXT");
	code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = cmd_find_case(cli, argv[optind], record);
	if (code != EXIT_DONE)
		return code;
	err = erasing_hold(cli->client, record, reason);
	if (err == PERR_RANGE)
		return cli_fail(EXIT_REFUSED, "the reason is too long: %d bytes at most.",
		                ERASING_REASON_MAX);
	if (err != PERR_OK)
		return cli_fail_err(err, "the case is not held");
	puts("Held: this device keeps its copy, whatever is ordered.  The servers' cells are not held.");
	return EXIT_DONE;
}

int cmd_unhold(struct cli *cli, int argc, char **argv)
{
	uint8_t record[STATEMENT_RECORD_SIZE];
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind != 1)
		return cli_usage(cli, "one case is needed");
	code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = cmd_find_case(cli, argv[optind], record);
	if (code != EXIT_DONE)
		return code;
	err = erasing_unhold(cli->client, record);
	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, "this case is under no hold here.");
	if (err != PERR_OK)
		return cli_fail_err(err, "the hold could not be ended");
	puts("The hold is over.  If the case was ordered to be erased, the next sync does it.");
	return EXIT_DONE;
}

/* ---- the list ------------------------------------------------------------------------------ */

struct list_all {
	struct cli *cli;
	unsigned n;
};

static void names(struct cli *cli, const struct erasing *e, enum statement_erase_step step)
{
	bool any = false;

	for (uint32_t i = 0; i < e->n_readers; i++)
		if (e->readers[i].step == step) {
			fputs(any ? ", " : "", stdout);
			cmd_print_name(cli->client, e->readers[i].key);
			any = true;
		}
}

static void readers_of(const struct erasing *e, unsigned *done, unsigned *waits, unsigned *kept)
{
	*done = *waits = *kept = 0;
	for (uint32_t i = 0; i < e->n_readers; i++) {
		*done += e->readers[i].step == STATEMENT_ERASE_DONE;
		*kept += e->readers[i].step == STATEMENT_ERASE_KEPT;
		*waits += e->readers[i].step == (enum statement_erase_step)0;
	}
}

static const char *state_text(enum erasing_state s)
{
	switch (s) {
	case ERASING_ASKED: return "asked";
	case ERASING_ORDERED: return "ordered";
	case ERASING_DONE: return "erased";
	case ERASING_KEPT: return "kept";
	case ERASING_STOPPED: return "stopped";
	}
	return "?";
}

static enum perr one_json(void *arg, const struct erasing *e)
{
	struct list_all *l = arg;
	char code[CASE_CODE_SHOWN + 1], day[16];
	unsigned done, waits, kept;
	uint8_t author[32];
	const char *why;
	uint32_t due = erasing_due(l->cli->client, e, author, &why);

	shown_code(code, e->code);
	readers_of(e, &done, &waits, &kept);
	done += e->state == ERASING_DONE;
	kept += e->state == ERASING_KEPT;
	printf("%s{\"code\":\"%s\",\"state\":\"%s\",\"due\":", l->n++ == 0 ? "" : ",", code,
	       state_text(e->state));
	if (e->state == ERASING_ORDERED && due != 0) {
		cli_day(day, due);
		printf("\"%s\"", day);
	} else {
		fputs("null", stdout);
	}
	printf(",\"erased\":%u,\"kept\":%u,\"readers\":%u}", done, kept, e->n_readers + 1);
	return PERR_OK;
}

static enum perr one_line(void *arg, const struct erasing *e)
{
	struct list_all *l = arg;
	char code[CASE_CODE_SHOWN + 1], day[16];
	unsigned done, waits, kept;
	uint8_t author[32];
	const char *why;
	uint32_t due = erasing_due(l->cli->client, e, author, &why);

	shown_code(code, e->code);
	readers_of(e, &done, &waits, &kept);
	l->n++;
	printf("Case %s: ", code[0] != '\0' ? code : "(not on this device)");
	switch (e->state) {
	case ERASING_ASKED:
		fputs("asked for", stdout);
		for (uint32_t i = 0; i < e->n_orders; i++) {
			cli_day(day, e->orders[i].day);
			fputs(i == 0 ? " by " : ", ", stdout);
			cmd_print_name(l->cli->client, e->orders[i].author);
			printf(" on %s", day);
		}
		puts("");
		break;
	case ERASING_ORDERED:
		if (due == 0) {
			printf("ordered, and not to be carried out: %s\n", why[0] != '\0' ? why : "no order");
			break;
		}
		cli_day(day, due);
		fputs("ordered by ", stdout);
		cmd_print_name(l->cli->client, author);
		printf("; carried out from %s on\n", day);
		break;
	case ERASING_STOPPED:
		puts("stopped; it stays");
		break;
	case ERASING_DONE:
	case ERASING_KEPT:
		printf("%s here; erased at %u of %u readers\n", e->state == ERASING_DONE ? "erased"
		       : "kept under a legal hold", done + (e->state == ERASING_DONE), e->n_readers + 1);
		break;
	}
	if (e->reason[0] != '\0') {
		fputs("  ", stdout);
		cmd_print(e->reason, strlen(e->reason));
		puts("");
	}
	if (e->state != ERASING_ASKED && e->state != ERASING_STOPPED && waits > 0) {
		fputs("  waiting for: ", stdout);
		names(l->cli, e, (enum statement_erase_step)0);
		puts("");
	}
	if (kept > 0) {
		fputs("  kept under a legal hold by: ", stdout);
		names(l->cli, e, STATEMENT_ERASE_KEPT);
		puts("");
	}
	return PERR_OK;
}

int status_erase_list(struct cli *cli)
{
	struct list_all l = { .cli = cli };
	enum perr err;

	if (cli->json)
		putchar('[');
	err = erasing_each(cli->client, cli->json ? one_json : one_line, &l);
	if (cli->json)
		puts("]");
	else if (err == PERR_OK && l.n == 0)
		puts("Nothing was asked to be erased.");
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "what was ordered could not be read");
}
