/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_settings.h"

#include <stdlib.h>

#include "net.h"
#include "org.h"
#include "roster.h"

enum { OPT_DECOYS = 1 };

const char cmd_settings_help[] =
	"Use: amparo settings [--decoys-per-day N] [--json]\n\n"
	"Without an option: what is set for the whole organisation.\n\n"
	"  --decoys-per-day N   cells that mean nothing, which attorneys' devices send among the\n"
	"                       real ones, N a day together on average; 0 (as at first): none.\n"
	"                       They hide how much came in from whoever takes a server.  Every\n"
	"                       reader downloads them: 1,000 a day are 4 MB a day.\n\n"
	"Example: amparo settings --decoys-per-day 1000\n";

static void show(const struct cli *cli)
{
	uint32_t n = cli->client->staff->decoys_per_day;

	if (cli->json)
		printf("{\"decoys_per_day\":%u}\n", n);
	else if (n == 0)
		puts("Decoys a day: none.  `amparo settings --decoys-per-day N` sets it.");
	else
		printf("Decoys a day: %u, shared by the attorneys' devices.\n", n);
}

int cmd_settings(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "decoys-per-day", required_argument, NULL, OPT_DECOYS }, { 0 }
	};
	unsigned long n = 0;
	bool is_set = false;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		char *end;

		if (c != OPT_DECOYS)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		n = strtoul(optarg, &end, 10);
		if (*optarg < '0' || *optarg > '9' || *end != '\0' || n > ROSTER_DECOYS_MAX)
			return cli_usage(cli, "\"%s\" is not a number up to %d", optarg,
			                 ROSTER_DECOYS_MAX);
		is_set = true;
	}
	if (optind != argc)
		return cli_usage(cli, "nothing stands behind it");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code != EXIT_DONE)
		return code;
	if (!is_set) {
		show(cli);
		return EXIT_DONE;
	}
	code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	err = org_decoys(cli->client, (uint32_t)n);
	if (err != PERR_OK)
		return cli_fail_err(err, "the setting could not be changed");
	show(cli);
	return net_push(cli, STEWARD_PUSH);
}
