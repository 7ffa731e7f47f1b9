/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_desk.h"
#include "cmd_record.h"
#include "fdate.h"
#include "refer.h"
#include "term.h"

enum { OPT_TO = 1, OPT_CONSENT, OPT_DAY, OPT_BY, OPT_LANGUAGE, OPT_REASON, OPT_PARTIAL, OPT_YES };

const char cmd_refer_help[] =
	"Use: amparo refer CASE --to DESK [--consent TEXT] [--reason TEXT]\n\n"
	"Passes a case on to the holders of another desk, as of a partner organisation: the\n"
	"interview with its signature, its corrections and photographs.  Notes, and who has the\n"
	"case here, stay here.  It needs the client's consent, which is written down, signed with\n"
	"the referral and shown at both desks; without it nothing is referred.  What was referred\n"
	"cannot be called back.\n\n"
	"Without --consent you are asked what the client said, when, and who asked.  Before\n"
	"anything is sealed the program says what travels and what stays.\n\n"
	"  --to DESK              a desk that this device trusts (`amparo desk list`)\n"
	"  --consent TEXT         what the client said, in the words of whoever asked (a text on\n"
	"                         the command line may stay in the shell's history)\n"
	"  --consent-day DAY      when the client was asked, as 2026-11-24 (today)\n"
	"  --recorded-by NAME     who asked and wrote it down (you)\n"
	"  --consent-lang LANG    in which language (that of the interview)\n"
	"  --reason TEXT          for the other desk\n"
	"  --partial              even if photographs are not on this device yet\n"
	"  --yes                  do not ask whether to go on\n\n"
	"Corrections that come later reach your desk, not the other one: refer the case once\n"
	"more to pass them on.\n\n"
	"Examples:\n"
	"  amparo refer 7K3QX-M0T9Z --to \"Delta Defense\"\n"
	"  amparo refer 7k3q --to Delta --consent \"Yes, to Delta, for the bond hearing\" \\\n"
	"      --consent-day 2026-11-20 --recorded-by \"Ana Ruiz\" --yes\n\n"
	"Exit codes: 0 done, 1 refused (nothing was sent), 2 wrong command line, 4 vault\n"
	"locked, 5 vault or disk damaged.\n";

struct wish {
	const char *to, *reason, *text, *by, *language;
	uint32_t day;
	bool partial, yes;
	char *asked[4];                  /* what was typed: wiped at the end */
};

static void wish_end(struct wish *w)
{
	for (int i = 0; i < 4; i++) {
		if (w->asked[i] != NULL)
			sodium_memzero(w->asked[i], strlen(w->asked[i]));
		free(w->asked[i]);
	}
}

/* "2026-11-24"; false: no such day */
static bool parse_day(const char *s, uint32_t *day)
{
	double days;
	bool has_time;

	if (!fdate_parse(s, 0, &days, &has_time) || has_time || days < 1 || days > 100000)
		return false;
	*day = (uint32_t)days;
	return true;
}

static void say_plan(const struct refer_plan *p)
{
	fputs("To the desk ", stdout);
	cmd_print(p->to_name, strlen(p->to_name));
	fputs(" of ", stdout);
	cmd_print(p->to_organisation, strlen(p->to_organisation));
	printf(" would go:\n  %u interview%s with its signature\n", p->n_interviews,
	       p->n_interviews == 1 ? "" : "s");
	if (p->n_corrections > 0)
		printf("  %u correction%s\n", p->n_corrections, p->n_corrections == 1 ? "" : "s");
	if (p->n_attachments > p->n_missing)
		printf("  %u attachment%s\n", p->n_attachments - p->n_missing,
		       p->n_attachments - p->n_missing == 1 ? "" : "s");
	puts("  the reason, and the client's consent");
	printf("Not: notes, answers and assignments (%u), nor how many cases you have.\n",
	       p->n_staying);
	if (p->n_missing > 0)
		printf("Not yet: %u attachment%s that %s not on this device.\n", p->n_missing,
		       p->n_missing == 1 ? "" : "s", p->n_missing == 1 ? "is" : "are");
	if (p->before != 0) {
		char day[16];

		cli_day(day, p->before);
		printf("It was referred there on %s already; what they have they keep.\n", day);
	}
	printf("Read there by %u holder%s", p->n_readers, p->n_readers == 1 ? "" : "s");
	if (p->n_without > 0)
		printf("; %u more get it from them", p->n_without);
	puts(".");
}

/* an answer of one line, or deflt (NULL: an empty line is no answer) */
static int ask(struct wish *w, int at, const char *question, const char *deflt,
               const char **answer)
{
	char prompt[200];
	size_t n;

	if (deflt != NULL && *deflt != '\0')
		snprintf(prompt, sizeof prompt, "%s (%s): ", question, deflt);
	else
		snprintf(prompt, sizeof prompt, "%s: ", question);
	if (term_ask(stdin, stderr, prompt, &w->asked[at]) != PERR_OK)
		return cli_fail(EXIT_REFUSED, "without the client's consent nothing is referred; nothing was "
		                "sent.");
	n = strlen(w->asked[at]);
	while (n > 0 && strchr("\r\n\t ", w->asked[at][n - 1]) != NULL)
		w->asked[at][--n] = '\0';
	*answer = n > 0 ? w->asked[at] : deflt == NULL ? "" : deflt;
	return EXIT_DONE;
}

static int ask_consent(struct cli *cli, struct wish *w, const struct refer_plan *p)
{
	const char *day = "";
	char today[16];
	int code;

	cli_day(today, client_day(cli->client));
	code = ask(w, 0, "What did the client say about it, in a sentence or two (nothing: stop)", NULL,
	           &w->text);
	if (code == EXIT_DONE && *w->text == '\0')
		return cli_fail(EXIT_REFUSED, "without the client's consent nothing is referred; nothing was "
		                "sent.");
	if (code == EXIT_DONE && w->day == 0)
		code = ask(w, 1, "When was the client asked", today, &day);
	if (code == EXIT_DONE && w->day == 0 && !parse_day(day, &w->day))
		return cli_fail(EXIT_REFUSED, "this is no day as 2026-11-24; nothing was sent.");
	if (code == EXIT_DONE && w->by == NULL)
		code = ask(w, 2, "Who asked the client and wrote it down", cli->client->me->name, &w->by);
	if (code == EXIT_DONE && w->language == NULL)
		code = ask(w, 3, "In which language was the client asked", p->language, &w->language);
	return code;
}

static void say_done(struct cli *cli, const struct refer_plan *p, const struct refer_done *d)
{
	if (cli->json) {
		printf("{\"attachments\":%u,\"missing\":%u,\"readers\":%u,\"without\":%u,\"told\":%u,"
		       "\"untold\":%u}\n", d->n_attachments, d->n_missing, d->n_readers, d->n_without,
		       d->n_told, d->n_untold);
	} else {
		fputs("Referred to the desk ", stdout);
		cmd_print(p->to_name, strlen(p->to_name));
		if (d->n_attachments > 0)
			printf(", with %u attachment%s", d->n_attachments,
			       d->n_attachments == 1 ? "" : "s");
		puts(".  It waits here, sealed; `amparo sync` sends it.");
	}
	if (d->n_missing > 0)
		fprintf(stderr, "amparo: warning: %u attachments were not passed on; refer it again when "
		        "they have arrived.\n", d->n_missing);
	if (d->n_untold > 0)
		fprintf(stderr, "amparo: warning: %u co-holders have not published keys and were not "
		        "told.\n", d->n_untold);
}

static int refer(struct cli *cli, const char *operand, struct wish *w)
{
	uint8_t record[STATEMENT_RECORD_SIZE], desk[32];
	struct refer_consent consent;
	struct refer_plan plan;
	struct refer_done done;
	char why[DISPATCH_WHY];
	enum perr err;
	int code = cmd_open_reader(cli);

	if (code == EXIT_DONE)
		code = cmd_find_case(cli, operand, record);
	if (code == EXIT_DONE)
		code = cmd_desk_find(cli, w->to, true, desk);
	if (code != EXIT_DONE)
		return code;
	err = refer_look(cli->client, record, desk, &plan, why);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was referred");
	if (!cli->json)
		say_plan(&plan);
	if (w->text == NULL)
		code = ask_consent(cli, w, &plan);
	if (code == EXIT_DONE && !w->yes && !term_yes(stdin, stderr, "Refer it?", false))
		code = cli_fail(EXIT_REFUSED, "nothing was referred.");
	if (code != EXIT_DONE)
		return code;
	consent = (struct refer_consent){
		.text = w->text, .day = w->day != 0 ? w->day : client_day(cli->client),
		.by = w->by != NULL ? w->by : cli->client->me->name,
		.language = w->language != NULL ? w->language : plan.language
	};
	err = refer_record(cli->client, record, desk, w->reason, &consent, w->partial, &done, why);
	if (err == PERR_RANGE)
		return cli_fail(EXIT_REFUSED, "a text is too long or no text: consent and reason have at most "
		                "%d bytes each, the name %d, the language 16; nothing was sent.",
		                REFER_TEXT_MAX, REFER_BY_MAX);
	if (err != PERR_OK)
		return cmd_refused(err, why, "nothing was referred");
	say_done(cli, &plan, &done);
	return EXIT_DONE;
}

int cmd_refer(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "to", required_argument, NULL, OPT_TO },
		{ "consent", required_argument, NULL, OPT_CONSENT },
		{ "consent-day", required_argument, NULL, OPT_DAY },
		{ "recorded-by", required_argument, NULL, OPT_BY },
		{ "consent-lang", required_argument, NULL, OPT_LANGUAGE },
		{ "reason", required_argument, NULL, OPT_REASON },
		{ "partial", no_argument, NULL, OPT_PARTIAL },
		{ "yes", no_argument, NULL, OPT_YES }, { NULL, 0, NULL, 0 }
	};
	struct wish w = { .reason = "" };
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_TO:
			w.to = optarg;
			break;
		case OPT_CONSENT:
			w.text = optarg;
			break;
		case OPT_DAY:
			if (!parse_day(optarg, &w.day))
				return cli_usage(cli, "\"%s\" is no day as 2026-11-24", optarg);
			break;
		case OPT_BY:
			w.by = optarg;
			break;
		case OPT_LANGUAGE:
			w.language = optarg;
			break;
		case OPT_REASON:
			w.reason = optarg;
			break;
		case OPT_PARTIAL:
			w.partial = true;
			break;
		case OPT_YES:
			w.yes = true;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind != 1 || w.to == NULL)
		return cli_usage(cli, "a case and --to with the name of a desk are needed");
	code = refer(cli, argv[optind], &w);
	wish_end(&w);
	return code;
}
