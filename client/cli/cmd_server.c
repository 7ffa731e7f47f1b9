/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_server.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handed.h"
#include "handout.h"
#include "link.h"
#include "net.h"
#include "now.h"
#include "org.h"
#include "policy.h"
#include "roster.h"
#include "table.h"
#include "term.h"

enum { OPT_CARD = 1, OPT_YES, OPT_EVERY, OPT_SURGE, OPT_HOURS };

/* ---- added -------------------------------------------------------------------------- */

static int read_card(const char *file, struct policy_card *card)
{
	uint8_t *data = NULL;
	char *line = NULL;
	size_t len;
	enum perr err;
	int code;

	if (file != NULL) {
		code = cli_read_file(file, 4096, &data, &len);
		if (code != EXIT_DONE)
			return code;
		err = policy_card_decode(card, (const char *)data);
		sodium_memzero(data, len);
		free(data);
	} else {
		err = term_ask(stdin, stderr, "Paste the server's card (it begins with "
		               "amparo-server:) and press Enter:\n", &line);
		if (err != PERR_OK)
			return cli_fail(EXIT_REFUSED, "no card was given; `amparod init` prints it.");
		err = policy_card_decode(card, line);
		sodium_memzero(line, strlen(line));
		free(line);
	}
	if (err == PERR_OK)
		return EXIT_DONE;
	return cli_fail(EXIT_REFUSED, err == PERR_CORRUPT
	                ? "a character of the card is wrong or missing; copy it again."
	                : "this is not a server's card; `amparod init` prints one that begins with "
	                  "amparo-server:.");
}

const char cmd_server_add_help[] =
	"Use: amparo server add [--card-file FILE]\n\n"
	"Takes the card that `amparod init` printed, lists the server in the roster and brings\n"
	"it the policy and the bulletin.  With two servers, losing one loses nothing.\n\n"
	"  --card-file FILE   the card's text in a file; otherwise it is asked for\n";

int cmd_server_add(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "card-file", required_argument, NULL, OPT_CARD }, { 0 }
	};
	const char *file = NULL;
	struct policy_card card;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h')
			return EXIT_DONE;
		file = optarg;
	}
	if (optind < argc)
		return cli_usage(cli, "the card is asked for, so that it does not stay in the history "
		                 "of your commands; an operand is not taken");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE)
		code = read_card(file, &card);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	err = org_server_add(cli->client, &card);
	if (err == PERR_EXISTS)
		puts("This server is listed already; it is visited once more.");
	else if (err == PERR_LIMIT)
		code = cli_fail(EXIT_REFUSED, "an organisation has at most %d servers.",
		                ROSTER_SERVERS_MAX);
	else if (err != PERR_OK)
		code = cli_fail_err(err, "the server could not be listed");
	policy_card_wipe(&card);
	return code == EXIT_DONE ? net_push(cli, STEWARD_PUSH) : code;
}

/* ---- dropped, replaced -------------------------------------------------------------- */

const char cmd_server_drop_help[] =
	"Use: amparo server drop SERVER [--yes]\n\n"
	"Takes a server out of the roster: seized, lost or given up.  Says first what that means.\n"
	"Members follow at their next sync with any other server.  What only this one had of their\n"
	"outboxes is sent again, to the others; keys need not be changed, because a server knows\n"
	"none that another one accepts.  The last server is not dropped: `amparo server replace`.\n\n"
	"  SERVER   its address, a part of it, or its number in `amparo server list`\n"
	"  --yes    do not ask\n\n"
	"Example: amparo server drop intake.example.org:4711\n";

const char cmd_server_replace_help[] =
	"Use: amparo server replace SERVER [--card-file FILE] [--yes]\n\n"
	"Puts a new server, from the card that `amparod init` printed on it, in the place of one\n"
	"that was seized or lost.  It may have the old one's address: it has another key.  Says\n"
	"first what that means.  Who knew only the old one needs a file: `amparo server notice`.\n\n"
	"  SERVER             its address, a part of it, or its number in `amparo server list`\n"
	"  --card-file FILE   the new card's text in a file; otherwise it is asked for\n"
	"  --yes              do not ask\n\n"
	"Example: amparo server replace intake.example.org:4711 --card-file card.txt\n";

static bool is_part_of(const char *part, const char *text)
{
	size_t n = strlen(part);

	for (; strlen(text) >= n; text++)
		if (strncasecmp(text, part, n) == 0)
			return true;
	return false;
}

/* which server is meant; said if none or several are */
static int find_server(const struct cli *cli, const char *name, uint32_t *at)
{
	const struct roster_field *f = cli->client->field;
	unsigned whole = 0, part = 0;
	uint32_t first = 0;
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (*name != '\0' && *end == '\0') {
		*at = (uint32_t)number - 1;
		return number >= 1 && number <= f->n_servers ? EXIT_DONE
		     : cli_fail(EXIT_REFUSED, "there is no server number %s; `amparo server list` shows "
		                "them.", name);
	}
	for (uint32_t i = 0; i < f->n_servers; i++)
		if (strcasecmp(f->servers[i].address, name) == 0 && whole++ == 0)
			*at = i;
	for (uint32_t i = 0; i < f->n_servers; i++)
		if (*name != '\0' && is_part_of(name, f->servers[i].address) && part++ == 0)
			first = i;
	if (whole == 0 && part == 1)
		*at = first;
	if (whole == 1 || (whole == 0 && part == 1))
		return EXIT_DONE;
	return cli_fail(EXIT_REFUSED, whole + part > 0 ? "several servers are called so; name one by "
	                "its number in `amparo server list`."
	                : "no server of that name is in the roster; `amparo server list` shows "
	                  "them.");
}

struct naming {
	uint8_t pk[32];
	unsigned n;
};

static enum perr count_naming(void *arg, const struct org_invited *i)
{
	struct naming *k = arg;

	k->n += !i->answered && i->text != NULL && memcmp(i->server_pk, k->pk, 32) == 0 ? 1 : 0;
	return PERR_OK;
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	char line[640];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	term_wrap(stderr, term_width(2), 2, line);
}

static unsigned copies(const struct roster_field *f, unsigned n)
{
	return f->limits.copies < n ? f->limits.copies : n;
}

/* what will happen; the person agrees, or nothing does */
static int agree(const struct cli *cli, uint32_t at, const char *new_address, bool yes)
{
	struct client *c = cli->client;
	const struct roster_field *f = c->field;
	const char *address = f->servers[at].address;
	unsigned left = f->n_servers - (new_address == NULL ? 1 : 0), k = copies(f, left);
	struct naming n = { 0 };
	struct steward_figures fig;
	enum perr err;

	memcpy(n.pk, f->servers[at].pk, 32);
	err = org_invited(c, count_naming, &n);
	if (err != PERR_OK)
		return cli_fail_err(err, "the invitations could not be read");
	if (new_address == NULL)
		fprintf(stderr, "%s leaves the roster.\n", address);
	else
		fprintf(stderr, "%s leaves the roster, %s comes.\n", address, new_address);
	say("From then on there %s %u server%s, and each submission is kept on %u of them.",
	    left == 1 ? "is" : "are", left, left == 1 ? "" : "s", k);
	err = steward_last(c, at, &fig);
	if (err == PERR_OK) {
		char day[16];

		cli_day(day, fig.day);
		say("Its disk holds sealed cells, %u at last count (%s), and nothing that opens them.",
		    fig.cells_released + fig.cells_waiting, day);
	} else if (err == PERR_NOTFOUND) {
		say("Its disk holds sealed cells and nothing that opens them.");
	} else {
		return cli_fail_err(err, "the vault could not be read");
	}
	say("No other server accepts the access keys that stand on it: none has to be changed.");
	if (copies(f, f->n_servers) >= 2)
		say("What only it had of members' outboxes still lies with them, and is sent to the "
		    "others at their next sync.");
	else
		say("Members' devices kept what they sent only until one server had it: what no "
		    "attorney downloaded from this one is lost with it.");
	say("If it still runs, let every attorney sync first: what they have not downloaded from it "
	    "they may not find elsewhere.");
	if (n.n > 0)
		say("%u open invitation%s made here name%s it, and nobody can join by %s any more: "
		    "`amparo invitations --show` gives the same ones again for another server.", n.n,
		    n.n == 1 ? "" : "s", n.n == 1 ? "s" : "", n.n == 1 ? "that slip" : "those slips");
	say("Members learn of it at their next sync with another server.  Who knows only this one "
	    "needs a file from you: `amparo server notice FILE`.");
	if (yes || term_yes(stdin, stderr, new_address == NULL ? "Drop it?" : "Replace it?", false))
		return EXIT_DONE;
	return cli_fail(EXIT_REFUSED, "nothing was changed; --yes answers the question.");
}

static int drop_or_replace(struct cli *cli, int argc, char **argv, bool is_new)
{
	static const struct option longs[] = {
		{ "yes", no_argument, NULL, OPT_YES }, { "card-file", required_argument, NULL, OPT_CARD },
		{ 0 }
	};
	/* a dropped server has no card */
	static const struct option drop_longs[] = { { "yes", no_argument, NULL, OPT_YES }, { 0 } };
	struct policy_card card = { 0 };
	const char *file = NULL;
	uint8_t pk[32];
	uint32_t at = 0;
	bool yes = false;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, is_new ? longs : drop_longs)) != -1)
		switch (c) {
		case OPT_YES:  yes = true; break;
		case OPT_CARD: file = optarg; break;
		default:       return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind != 1)
		return cli_usage(cli, "one server is named, by its address or its number in `amparo "
		                 "server list`");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE && is_new)
		code = read_card(file, &card);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code == EXIT_DONE)
		code = find_server(cli, argv[optind], &at);
	if (code == EXIT_DONE && !is_new && cli->client->field->n_servers == 1)
		code = cli_fail(EXIT_REFUSED, "it is the only server: set up another one first, then "
		                "`amparo server replace` or `amparo server add`.");
	if (code == EXIT_DONE)
		code = agree(cli, at, is_new ? card.address : NULL, yes);
	if (code != EXIT_DONE)
		goto out;
	memcpy(pk, cli->client->field->servers[at].pk, 32);
	err = is_new ? org_server_replace(cli->client, pk, &card) : org_server_drop(cli->client, pk);
	if (err == PERR_EXISTS)
		code = cli_fail(EXIT_REFUSED, "the new server is listed already: `amparo server drop` "
		                "takes the old one out.");
	else if (err != PERR_OK)
		code = cli_fail_err(err, "the roster could not be changed");
	else
		code = net_push(cli, STEWARD_PUSH);
out:
	policy_card_wipe(&card);
	return code;
}

int cmd_server_drop(struct cli *cli, int argc, char **argv)
{
	return drop_or_replace(cli, argc, argv, false);
}

int cmd_server_replace(struct cli *cli, int argc, char **argv)
{
	return drop_or_replace(cli, argc, argv, true);
}

/* ---- who knew only the old one ----------------------------------------------------- */

const char cmd_server_notice_help[] =
	"Use: amparo server notice FILE\n\n"
	"Writes the newest roster, sealed and signed as the servers hold it, to a file: for members\n"
	"whose devices knew only servers that are gone.  Send it to them in any way: it opens only\n"
	"on members' devices and tells whoever else finds it no name and no address.  They run\n"
	"`amparo follow FILE`.  Make it after `amparo server replace` or `amparo server add`.\n\n"
	"Example: amparo server notice new-servers.amparo\n";

const char cmd_follow_help[] =
	"Use: amparo follow FILE\n\n"
	"For the day on which no server answers any more: takes the organisation's newest roster\n"
	"from a file that your administrator sent (`amparo server notice` wrote it), then syncs\n"
	"with the servers that it names.  A file that your administrators did not sign is refused,\n"
	"whoever sent it.\n\n"
	"Example: amparo follow new-servers.amparo\n";

int cmd_server_notice(struct cli *cli, int argc, char **argv)
{
	uint8_t *file = NULL;
	size_t len = 0;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind != 1)
		return cli_usage(cli, "the name of the file to write is needed");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	err = handed_make(cli->client, &file, &len);
	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, "this roster was published from another administrator's "
		                "device, and no server gave it to this one whole: the file has to be "
		                "made there.");
	if (err != PERR_OK)
		return cli_fail_err(err, "the file could not be made");
	code = cli_write_file(argv[optind], file, len, 0600);
	doc_free(file, len);
	if (code == EXIT_DONE)
		printf("%s: roster %u for members whose servers are gone; they run `amparo follow`.\n",
		       argv[optind], client_bulletin(cli->client)->version);
	return code;
}

static int refuse_file(enum perr err)
{
	switch (err) {
	case PERR_NOTMINE:
		return cli_fail(EXIT_REFUSED, "the file was made before you were enrolled, or for another "
		                "organisation; ask your administrator for a newer one.");
	case PERR_FORMAT:
		return cli_fail(EXIT_REFUSED, "this is not a file of `amparo server notice`, or it is not "
		                "whole; ask for it again.");
	case PERR_FORK:
		return cli_fail(EXIT_REFUSED, "the file shows another roster under the number that this "
		                "device knows: two histories exist; speak with a holder of your desk "
		                "before you go on.");
	default:
		return cli_fail(EXIT_REFUSED, "your organisation's administrators did not sign this file, "
		                "or it was altered: nothing was taken from it.");
	}
}

int cmd_follow(struct cli *cli, int argc, char **argv)
{
	const struct roster_field *f;
	enum handed_what what;
	uint8_t *file = NULL;
	size_t len = 0;
	bool ours = false;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind != 1)
		return cli_usage(cli, "the file from your administrator is needed");
	code = cli_read_file(argv[optind], HANDOUT_MAX, &file, &len);
	if (code == EXIT_DONE)
		code = cli_open(cli);
	if (code != EXIT_DONE)
		goto out;
	err = handed_take(cli->client, file, len, &what, &ours);
	if (err != PERR_OK) {
		code = ours ? cli_fail_err(err, "the roster could not be kept") : refuse_file(err);
		goto out;
	}
	if (what == HANDED_REVOKED) {
		code = cli_fail(EXIT_REFUSED, "the file says that you are no member any more: nothing is "
		                "sent; `amparo outbox save FILE` hands what waits here to somebody who "
		                "is.");
		goto out;
	}
	f = cli->client->field;
	puts(what == HANDED_TAKEN ? "A newer roster was adopted.  Its servers:"
	                          : "This device knows all that is in the file.  The servers:");
	for (uint32_t i = 0; f != NULL && i < f->n_servers; i++) {
		fputs("  ", stdout);
		term_print(stdout, f->servers[i].address, strlen(f->servers[i].address), TERM_LINE);
		putchar('\n');
	}
	code = net_sync(cli, 0);
out:
	free(file);
	return code;
}

/* ---- listed ------------------------------------------------------------------------- */

const char cmd_server_list_help[] =
	"Use: amparo server list\n\n"
	"Cells waiting for a release, cells released, entries on the board, free space.\n";

int cmd_server_list(struct cli *cli, int argc, char **argv)
{
	static const char *const heads[] = { ">no.", "address", "state", ">waiting", ">released", ">board",
	                                     ">free" };
	struct steward_server r;
	struct link_loop *loop = NULL;
	struct table *t;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code != EXIT_DONE)
		return code;
	t = table_new(7, heads);
	if (t == NULL || link_loop_new(&loop) != PERR_OK) {
		table_free(t);
		return cli_fail_err(PERR_NOMEM, "the servers could not be asked");
	}
	for (uint32_t i = 0; i < cli->client->field->n_servers && code == EXIT_DONE; i++) {
		struct sync_net net = link_net(loop);
		char num[5][24];
		const char *cells[7];
		enum perr err = steward_visit(cli->client, &net, i, STEWARD_STATUS, &r);

		snprintf(num[0], sizeof num[0], "%u", r.st.cells_waiting);
		snprintf(num[1], sizeof num[1], "%u", r.st.cells_released);
		snprintf(num[2], sizeof num[2], "%u", r.st.board);
		snprintf(num[3], sizeof num[3], "%u MiB", r.st.free_mib);
		snprintf(num[4], sizeof num[4], "%u", i + 1);
		cells[0] = num[4];
		cells[1] = r.address;
		cells[2] = err != PERR_OK ? (r.why[0] != '\0' ? r.why : perr_text(err))
		    : r.st.frozen ? "clock in doubt: order a release" : "works";
		for (int k = 0; k < 4; k++)
			cells[3 + k] = r.has_status ? num[k] : "";
		if (table_row(t, cells) != PERR_OK)
			code = cli_fail_err(PERR_NOMEM, "the servers could not be listed");
	}
	if (code == EXIT_DONE && table_rows(t) == 0)
		puts("No server is listed.  `amparod init` prints a card, `amparo server add` takes it.");
	table_print(t, stdout, term_width(1));
	table_free(t);
	link_loop_free(loop);
	return code;
}

/* ---- schedule ----------------------------------------------------------------------- */

const char cmd_server_schedule_help[] =
	"Use: amparo server schedule [--every MINUTES] [--surge-every MINUTES] [--surge-for HOURS]\n\n"
	"Cells can be read by nobody before a release.  Hourly is usual; on the night of a raid\n"
	"a surge releases more often for some hours.\n\n"
	"  --every MINUTES         usual rhythm, 1 to 1440 (60)\n"
	"  --surge-every MINUTES   rhythm in a surge (10)\n"
	"  --surge-for HOURS       begin a surge that ends by itself; 0 ends it now\n\n"
	"Example: amparo server schedule --surge-for 12\n";

int cmd_server_schedule(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "every", required_argument, NULL, OPT_EVERY },
		{ "surge-every", required_argument, NULL, OPT_SURGE },
		{ "surge-for", required_argument, NULL, OPT_HOURS }, { 0 }
	};
	unsigned long v[3] = { 0 };
	bool set[3] = { false };
	struct roster_schedule s;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		char *end;
		int k = c - OPT_EVERY;

		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h')
			return EXIT_DONE;
		v[k] = strtoul(optarg, &end, 10);
		if (*end != '\0' || end == optarg || v[k] > 1440)
			return cli_usage(cli, "\"%s\" is not a number up to 1440", optarg);
		set[k] = true;
	}
	if (!set[0] && !set[1] && !set[2])
		return cli_usage(cli, "an option says what to change");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	s = cli->client->admin->schedule;
	if (set[0])
		s.release_minutes = (uint32_t)v[0];
	if (set[1])
		s.surge_minutes = (uint32_t)v[1];
	if (set[2])
		s.surge_until = v[2] == 0 ? 0 : (uint32_t)(now_unix_s() / 3600 + (int64_t)v[2]);
	err = org_schedule(cli->client, &s);
	if (err == PERR_RANGE)
		return cli_fail(EXIT_USAGE, "the servers can release every 1 to 1440 minutes.");
	if (err != PERR_OK)
		return cli_fail_err(err, "the schedule could not be changed");
	return net_push(cli, STEWARD_PUSH);
}
