/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_settings.h"

#include <stdlib.h>

#include "net.h"
#include "org.h"
#include "roster.h"

enum { OPT_DECOYS = 1, OPT_ANSWER };

const char cmd_settings_help[] =
	"Use: amparo settings [--decoys-per-day N] [--answer-days N] [--json]\n\n"
	"Without an option: what is set for the whole organisation.\n\n"
	"  --decoys-per-day N   cells that mean nothing, which attorneys' devices send among the\n"
	"                       real ones, N a day together on average; 0 (as at first): none.\n"
	"                       They hide how much came in from whoever takes a server.  Every\n"
	"                       reader downloads them: 1,000 a day are 4 MB a day.\n\n"
	"  --answer-days N      an assignment that was not answered for N days returns to the desk;\n"
	"                       7 as at first; 0: never.  It counts for assignments made from then\n"
	"                       on; `amparo assign --answer-days` sets another number for one case.\n\n"
	"Examples:\n"
	"  amparo settings --decoys-per-day 1000\n"
	"  amparo settings --answer-days 3\n";

static void show(const struct cli *cli)
{
	uint32_t n = cli->client->staff->decoys_per_day, days = cli->client->staff->answer_days;

	if (cli->json) {
		printf("{\"decoys_per_day\":%u,\"answer_days\":%u}\n", n, days);
		return;
	}
	if (n == 0)
		puts("Decoys a day: none.  `amparo settings --decoys-per-day N` sets it.");
	else
		printf("Decoys a day: %u, shared by the attorneys' devices.\n", n);
	if (days == 0)
		puts("An unanswered assignment stays where it is.  `amparo settings --answer-days N` "
		     "lets it return.");
	else
		printf("An assignment unanswered for %u day%s returns to the desk.\n", days,
		       days == 1 ? "" : "s");
}

int cmd_settings(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "decoys-per-day", required_argument, NULL, OPT_DECOYS },
		{ "answer-days", required_argument, NULL, OPT_ANSWER }, { 0 }
	};
	unsigned long n = 0, decoys = 0, days = 0, max;
	bool set_decoys = false, set_days = false;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		char *end;

		if (c != OPT_DECOYS && c != OPT_ANSWER)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		max = c == OPT_DECOYS ? ROSTER_DECOYS_MAX : ROSTER_ANSWER_MAX;
		n = strtoul(optarg, &end, 10);
		if (*optarg < '0' || *optarg > '9' || *end != '\0' || n > max)
			return cli_usage(cli, "\"%s\" is not a number up to %lu", optarg, max);
		set_decoys = set_decoys || c == OPT_DECOYS;
		set_days = set_days || c == OPT_ANSWER;
		*(c == OPT_DECOYS ? &decoys : &days) = n;
	}
	if (optind != argc)
		return cli_usage(cli, "nothing stands behind it");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code != EXIT_DONE)
		return code;
	if (!set_decoys && !set_days) {
		show(cli);
		return EXIT_DONE;
	}
	code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	err = set_decoys ? org_decoys(cli->client, (uint32_t)decoys) : PERR_OK;
	if (err == PERR_OK && set_days)
		err = org_answer_days(cli->client, (uint32_t)days);
	if (err != PERR_OK)
		return cli_fail_err(err, "the setting could not be changed");
	if (!net_waits(cli))
		show(cli);
	return net_push(cli, STEWARD_PUSH);
}
