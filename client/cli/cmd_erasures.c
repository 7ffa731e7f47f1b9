/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_erasures.h"

#include <sodium.h>
#include <string.h>

#include "admins.h"
#include "assign.h"
#include "link.h"
#include "net.h"
#include "org.h"
#include "net.h"
#include "policy.h"
#include "quorum.h"
#include "roster.h"
#include "say.h"
#include "steward.h"
#include "table.h"
#include "term.h"

enum { OPT_ALL = 1, OPT_BY };

static const char *trouble(const struct steward_server *r)
{
	return r->why[0] != '\0' ? r->why : perr_text(r->err);
}

/* one visit to each server of the roster */
typedef enum perr visit_fn(struct cli *cli, const struct sync_net *net, size_t at, void *arg);

static int each_server(struct cli *cli, visit_fn *fn, void *arg, const char *what)
{
	struct link_loop *loop = NULL;
	unsigned n = cli->client->field->n_servers, done = 0, i;
	struct sync_net net;
	enum perr err = link_loop_new(&loop);

	if (err != PERR_OK)
		return cli_fail_err(err, "the network could not be used");
	net = link_net(loop);
	for (i = 0; i < n; i++) {
		err = fn(cli, &net, i, arg);
		if (err == PERR_OK)
			done++;
		else if (err == PERR_NOMEM)
			break;
	}
	link_loop_free(loop);
	if (err == PERR_NOMEM)
		return cli_fail_err(err, "the servers could not be asked");
	if (n == 0)
		return cli_fail(EXIT_REFUSED, "no server is listed yet; `amparod init` prints a card, "
		                "`amparo server add` takes it.");
	if (done == 0)
		return cli_fail(EXIT_LATER, "no server could be reached; %s.", what);
	/* one that was missed still holds its erasures: a script must not take it for done */
	return done < n ? EXIT_LATER : EXIT_DONE;
}

/* ---- list --------------------------------------------------------------------------- */

const char cmd_erasures_help[] =
	"Use: amparo erasures [--json]\n\n"
	"How many erasures wait on each server, and from which day on the next of them is\n"
	"applied.  Attorneys' devices ask for them when a family withdraws its consent; they\n"
	"rest for the policy's delay (48 hours), so that an erasure nobody wanted can be\n"
	"voided.  Which records they concern no server knows: if more wait than your attorneys\n"
	"asked for, speak with them, then `amparo erasures void --all`.\n\n"
	"Exit codes: 0 done, 1 refused, 2 wrong command line, 3 a server could not be reached,\n"
	"4 vault locked, 5 vault or disk damaged.\n";

struct listing {
	struct table *table;
	unsigned n;
};

static enum perr list_one(struct cli *cli, const struct sync_net *net, size_t at, void *arg)
{
	struct listing *l = arg;
	struct steward_server r;
	char waiting[24] = "", day[16] = "";
	const char *cells[4] = { r.address, waiting, day, NULL };
	enum perr err = steward_visit(cli->client, net, at, STEWARD_STATUS, &r), bad;

	if (r.has_status) {
		snprintf(waiting, sizeof waiting, "%u", r.st.erasures);
		if (r.st.erasures > 0)
			cli_day(day, r.st.erase_day);
		cells[3] = r.st.frozen ? "clock in doubt, nothing is applied: order a release"
		         : r.st.erasures == 0 ? "nothing waits" : "rests";
	} else {
		cells[3] = trouble(&r);
	}
	if (cli->json) {
		printf("%s{\"server\":", l->n++ == 0 ? "" : ",");
		cli_json_str(stdout, r.address, strlen(r.address));
		if (r.has_status)
			printf(",\"waiting\":%u,\"applied_from\":\"%s\",\"frozen\":%s}", r.st.erasures,
			       day, r.st.frozen ? "true" : "false");
		else
			fputs(",\"waiting\":null}", stdout);
		if (err != PERR_OK)
			fprintf(stderr, "%s: %s\n", r.address, trouble(&r));
		return err;
	}
	bad = table_row(l->table, cells);
	return bad != PERR_OK ? bad : err;
}

int cmd_erasures(struct cli *cli, int argc, char **argv)
{
	static const char *const heads[] = { "server", ">waiting", "next applied from", "state" };
	struct listing l = { 0 };
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (optind < argc)
		return cli_usage(cli, "nothing else is needed; `amparo erasures void` voids");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code != EXIT_DONE)
		return code;
	l.table = table_new(4, heads);
	if (l.table == NULL)
		return cli_fail_err(PERR_NOMEM, "the erasures could not be listed");
	if (cli->json)
		putchar('[');
	code = each_server(cli, list_one, &l, "nothing is known of their erasures");
	if (cli->json)
		puts("]");
	else
		table_print(l.table, stdout, term_width(1));
	table_free(l.table);
	return code;
}

/* ---- void --------------------------------------------------------------------------- */

const char cmd_erasures_void_help[] =
	"Use: amparo erasures void --all\n"
	"     amparo erasures void ID...\n\n"
	"Voids erasures that still rest, on every server: the cells stay.  What was applied at a\n"
	"release is gone.  It takes as many administrators as sign a change of the roster: where\n"
	"that is more than one it is proposed, and whoever signs last brings it to the servers\n"
	"(`amparo admin sign`).\n"
	"An attorney who did want an erasure asks for it again; it then rests anew.\n\n"
	"With --all the attorneys' devices are told as well: what was ordered (`amparo erase`) up to\n"
	"today is not carried out in their vaults either, once they sync.  If a device was stolen,\n"
	"`amparo revoke` its owner too, or it orders again.\n\n"
	"  --all    every erasure that waits\n"
	"  --by NAME   with --all: of the vaults' orders only those of this attorney\n"
	"  ID       cells by their id, 64 hex digits each, at most 64 of them\n\n"
	"Exit codes: 0 voided on every server, 1 refused (nothing was voided), 2 wrong command\n"
	"line, 3 a server could not be reached: run it again, 4 vault locked, 5 vault or disk\n"
	"damaged.\n";

struct voiding {
	uint8_t ids[POLICY_ORDER_IDS_MAX][32];
	uint32_t n, n_shown;
};

static enum perr void_one(struct cli *cli, const struct sync_net *net, size_t at, void *arg)
{
	struct voiding *v = arg;
	struct steward_server r;
	enum perr err = steward_void(cli->client, net, at, (const uint8_t (*)[32])v->ids, v->n,
	                             &r);

	if (err != PERR_OK) {
		fprintf(stderr, "%s: %s\n", r.address, trouble(&r));
		return err;
	}
	if (cli->json) {
		printf("%s{\"server\":", v->n_shown++ == 0 ? "" : ",");
		cli_json_str(stdout, r.address, strlen(r.address));
		printf(",\"voided\":%u,\"waiting\":%u}", r.voided, r.st.erasures);
	} else {
		printf("%s: %u erasure%s voided, %u still wait\n", r.address, r.voided,
		       r.voided == 1 ? "" : "s", r.st.erasures);
	}
	return PERR_OK;
}

static int parse_ids(struct cli *cli, int argc, char **argv, struct voiding *v)
{
	for (int i = optind; i < argc; i++) {
		size_t len = 0;
		const char *end;

		if (v->n == POLICY_ORDER_IDS_MAX)
			return cli_usage(cli, "at most %d ids in one order", POLICY_ORDER_IDS_MAX);
		if (strlen(argv[i]) != 64 || sodium_hex2bin(v->ids[v->n], 32, argv[i], 64, NULL,
		                                            &len, &end) != 0 || len != 32)
			return cli_usage(cli, "\"%s\" is no id: 64 hex digits", argv[i]);
		v->n++;
	}
	return EXIT_DONE;
}

/* the attorneys' devices learn it from the roster */
static int void_in_vaults(struct cli *cli, const char *by)
{
	uint8_t key[1][32];
	enum perr err;
	int code;

	if (by != NULL) {
		err = assign_find(cli->client, by, key[0]);
		if (err == PERR_EXISTS)
			return cli_fail(EXIT_REFUSED, "several names begin so; give the whole name.");
		if (err != PERR_OK)
			return cli_fail(EXIT_REFUSED, "no attorney of this name is listed; the servers' erasures "
			                "are voided, the vaults' orders are not.");
	}
	code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	err = org_void_erasures(cli->client, (const uint8_t (*)[32])key, by == NULL ? 0 : 1);
	/* voided once today already: a command that is repeated in the first hour is no failure */
	if (err != PERR_OK && err != PERR_EXISTS)
		return cli_fail_err(err, "the vaults' orders could not be voided");
	if (!cli->json && !net_waits(cli))
		puts("What was ordered up to today is not carried out in the attorneys' vaults either.");
	return net_push(cli, STEWARD_PUSH);
}

/* an order that takes several signatures: proposed, and brought by whoever signs last */
static int propose(struct cli *cli, enum policy_order_kind kind, const uint8_t (*ids)[32],
                   uint32_t n, uint32_t needs)
{
	unsigned left = needs - 1;
	enum perr err;
	int code;

	/* the servers' counters, and what others proposed */
	code = net_newest(cli);
	if (code == EXIT_DONE)
		code = net_push(cli, STEWARD_PUSH | STEWARD_STATUS);
	if (code != EXIT_DONE && code != EXIT_LATER)
		return code;
	err = quorum_order(cli->client, kind, ids, n);
	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, "no server is listed yet; `amparod init` prints a card, "
		                "`amparo server add` takes it.");
	if (err != PERR_OK)
		return cli_fail_err(err, "the order could not be proposed");
	say(stdout, 0, "Proposed: it takes the signature%s of %u more administrator%s.  They see it at "
	    "`amparo sync` after the next release and type `amparo admin sign`; `amparo admin save FILE` "
	    "is faster.  Whoever signs last brings it to the servers.", left == 1 ? "" : "s", left,
	    left == 1 ? "" : "s");
	if (kind == POLICY_VOID)
		say(stdout, 0, "Erasures rest until the day that `amparo erasures` shows: it has to be signed "
		    "before.");
	return net_sync(cli, NET_QUIET);
}

int cmd_erasures_void(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "all", no_argument, NULL, OPT_ALL },
		{ "by", required_argument, NULL, OPT_BY },
		{ NULL, 0, NULL, 0 }
	};
	const char *by = NULL;
	struct voiding v = { .n = 0 };
	bool all = false;
	uint32_t needs;
	int c, code, vaults = EXIT_DONE;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c != OPT_ALL && c != OPT_BY)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		all = all || c == OPT_ALL;
		by = c == OPT_BY ? optarg : by;
	}
	if (all == (optind < argc) || (by != NULL && !all))
		return cli_usage(cli, "either --all or the ids of cells");
	code = parse_ids(cli, argc, argv, &v);
	if (code == EXIT_DONE)
		code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code != EXIT_DONE)
		return code;
	needs = client_admins(cli->client) == NULL ? 1
	      : policy_order_needs(client_admins(cli->client), POLICY_VOID);
	if (needs > 1) {
		code = propose(cli, POLICY_VOID, (const uint8_t (*)[32])v.ids, v.n, needs);
		if (all && (code == EXIT_DONE || code == EXIT_LATER))
			vaults = void_in_vaults(cli, by);
		return code != EXIT_DONE ? code : vaults;
	}
	if (cli->json)
		putchar('[');
	code = each_server(cli, void_one, &v, "nothing was voided");
	if (cli->json)
		puts("]");
	if (all)
		vaults = void_in_vaults(cli, by);
	return code != EXIT_DONE ? code : vaults;
}

/* ---- the board ---------------------------------------------------------------------- */

const char cmd_board_clear_help[] =
	"Use: amparo board clear [--json]\n\n"
	"Takes everything off the board of every server: for a board that a member filled with\n"
	"nonsense, so that somebody new finds no room for his keys.  Nobody loses anything: each\n"
	"member's program puts its own documents there again at its next syncs.  Before that,\n"
	"change the access keys or revoke the member, or the board fills again.\n\n"
	"It takes as many administrators as sign a change of the roster; where that is more than\n"
	"one it is proposed, and whoever signs last brings it (`amparo admin sign`).\n\n"
	"Exit codes: 0 cleared on every server, 1 refused, 2 wrong command line, 3 a server could\n"
	"not be reached: run it again, 4 vault locked, 5 vault or disk damaged.\n";

static enum perr clear_one(struct cli *cli, const struct sync_net *net, size_t at, void *arg)
{
	struct steward_server r;
	unsigned *shown = arg;
	enum perr err = steward_board_clear(cli->client, net, at, &r);

	if (err != PERR_OK) {
		fprintf(stderr, "%s: %s\n", r.address, trouble(&r));
		return err;
	}
	if (cli->json) {
		printf("%s{\"server\":", (*shown)++ == 0 ? "" : ",");
		cli_json_str(stdout, r.address, strlen(r.address));
		printf(",\"cleared\":%u}", r.cleared);
	} else {
		printf("%s: %u entries cleared; members put theirs again at their next syncs\n",
		       r.address, r.cleared);
	}
	return PERR_OK;
}

int cmd_board_clear(struct cli *cli, int argc, char **argv)
{
	unsigned shown = 0;
	uint32_t needs;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (optind < argc)
		return cli_usage(cli, "nothing else is needed");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code != EXIT_DONE)
		return code;
	needs = client_admins(cli->client) == NULL ? 1
	      : policy_order_needs(client_admins(cli->client), POLICY_CLEAR_BOARD);
	if (needs > 1)
		return propose(cli, POLICY_CLEAR_BOARD, NULL, 0, needs);
	if (cli->json)
		putchar('[');
	code = each_server(cli, clear_one, &shown, "nothing was cleared");
	if (cli->json)
		puts("]");
	return code;
}
