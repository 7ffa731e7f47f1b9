/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_admin.h"

#include <stdlib.h>
#include <string.h>

#include "admins.h"
#include "cmd_rotate.h"
#include "net.h"
#include "org.h"
#include "quorum.h"
#include "quorum_words.h"
#include "roster.h"
#include "say.h"
#include "table.h"
#include "term.h"

enum { OPT_YES = 1 };

#define FILE_MAX (PROPOSAL_SEALED_MAX + (1u << 16))

void cmd_admin_names(const struct client *c, const uint8_t (*keys)[32], uint32_t n, char *out,
                     size_t size)
{
	*out = '\0';
	for (uint32_t i = 0; i < n; i++) {
		size_t used = strlen(out);
		char who[160];

		client_name_of(c, keys[i], who, sizeof who);
		snprintf(out + used, size - used, "%s%s", i == 0 ? "" : i + 1 == n ? " and " : ", ", who);
	}
}

/* ---- who ------------------------------------------------------------------------------- */

const char cmd_admin_help[] =
	"Use: amparo admin [list] [--json]\n\n"
	"Who the administrators are, and how many of them must sign a change of the roster, a\n"
	"policy, or an order to the servers.  With a threshold above one nothing that one\n"
	"administrator does alone takes effect, and one seized vault can publish nothing.\n\n"
	"  amparo admin threshold N   how many must sign\n"
	"  amparo admin remove NAME   end an administrator's membership\n"
	"  amparo admin proposals     what waits for signatures\n"
	"  amparo admin sign          sign it\n\n"
	"A further administrator is invited like everybody: `amparo invite --role administrator`.\n";

static enum perr count_unsigned(void *arg, const struct quorum_view *v)
{
	(void)v;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static int need_admin(struct cli *cli)
{
	int code = cli_open_as(cli, ROLE_ADMINISTRATOR);

	if (code == EXIT_DONE && client_admins(cli->client) == NULL)
		code = cli_fail(EXIT_REFUSED, "no roster is known here yet: `amparo sync` first.");
	return code;
}

int cmd_admin(struct cli *cli, int argc, char **argv)
{
	const struct admins_link *l;
	unsigned n = 0, waiting = 0;
	enum perr err;
	int o, code;

	while ((o = cli_option(cli, argc, argv, NULL)) != -1)
		return o == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (optind < argc && (strcmp(argv[optind], "list") != 0 || optind + 1 < argc))
		return cli_usage(cli, "\"%s\" is not known: list, threshold, remove, proposals, sign, refuse, "
		                 "withdraw, save", argv[optind]);
	code = need_admin(cli);
	if (code != EXIT_DONE)
		return code;
	l = &client_admins(cli->client)->last;
	err = quorum_each(cli->client, count_unsigned, &n);
	if (err == PERR_OK)
		err = quorum_waiting(cli->client, &waiting);
	if (err != PERR_OK)
		return cli_fail_err(err, "the proposals could not be read");
	if (cli->json)
		printf("{\"threshold\":%u,\"links\":%u,\"proposals\":%u,\"wait_for_me\":%u,"
		       "\"administrators\":[", l->threshold, client_admins(cli->client)->n_links, n,
		       waiting);
	for (uint32_t i = 0; i < l->n; i++) {
		char who[160];

		client_name_of(cli->client, l->keys[i], who, sizeof who);
		if (cli->json) {
			fputs(i == 0 ? "" : ",", stdout);
			cli_json_str(stdout, who, strlen(who));
		} else {
			say(stdout, 0, "%s%s", who, memcmp(l->keys[i], cli->client->me->sign_pk, 32) == 0
			    ? " (this device)" : "");
		}
	}
	if (cli->json) {
		puts("]}");
		return EXIT_DONE;
	}
	if (l->n == 1)
		say(stdout, 0, "One administrator alone.  A lost vault has no way back: invite a second one, "
		    "`amparo invite --role administrator`.");
	else
		say(stdout, 0, "%u of %u must sign a change.%s", l->threshold, l->n,
		    l->threshold == 1 && l->n > 2 ? "  `amparo admin threshold 2` lets no single one "
		    "publish alone."
		    : l->threshold == l->n ? "  If one of these vaults is lost, nothing can be changed "
		    "any more." : "");
	if (n > 0)
		say(stdout, 0, "%u proposal%s for signatures%s: `amparo admin proposals`.", n,
		    n == 1 ? " waits" : "s wait", waiting > 0 ? ", also for yours" : "");
	return EXIT_DONE;
}

/* ---- threshold, removal ------------------------------------------------------------------- */

const char cmd_admin_threshold_help[] =
	"Use: amparo admin threshold N\n\n"
	"How many administrators must sign a change of the roster, a policy, or an order to void\n"
	"erasures or clear the boards (a release takes one).  Raising it takes as many signatures\n"
	"as it will; lowering it, as many as it is now.  2 of 3 is a good measure: one seized vault\n"
	"publishes nothing, one lost vault blocks nothing.\n\n"
	"Example: amparo admin threshold 2\n";

int cmd_admin_threshold(struct cli *cli, int argc, char **argv)
{
	const struct admins_link *l;
	unsigned long n;
	char *end;
	enum perr err;
	int o, code;

	while ((o = cli_option(cli, argc, argv, NULL)) != -1)
		return o == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind != 1)
		return cli_usage(cli, "how many must sign?");
	n = strtoul(argv[optind], &end, 10);
	if (*end != '\0' || end == argv[optind] || n < 1 || n > ADMINS_MAX)
		return cli_usage(cli, "\"%s\" is not a number from 1 to %d", argv[optind], ADMINS_MAX);
	code = need_admin(cli);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	l = &client_admins(cli->client)->last;
	if (n > l->n)
		return cli_fail(EXIT_REFUSED, "there %s %u administrator%s; `amparo invite --role "
		                "administrator` makes more.", l->n == 1 ? "is" : "are", l->n,
		                l->n == 1 ? "" : "s");
	err = org_admin_threshold(cli->client, (uint32_t)n);
	if (err == PERR_EXISTS) {
		printf("It is %lu already.\n", n);
		return net_push(cli, STEWARD_PUSH);
	}
	if (err != PERR_OK)
		return cli_fail_err(err, "the threshold could not be changed");
	if (n == l->n && n > 1)
		say(stderr, 0, "amparo: if one of these %lu vaults is lost, nothing can be changed any more.",
		    n);
	if (!net_waits(cli))
		printf("A change takes the signatures of %lu administrator%s now.\n", n,
		       n == 1 ? "" : "s");
	return net_push(cli, STEWARD_PUSH);
}

const char cmd_admin_remove_help[] =
	"Use: amparo admin remove NAME [--yes]\n\n"
	"Ends an administrator's membership: the chain of administrators goes on without the key,\n"
	"and every access key, the board's and the inbox's keys, the season and open invitations\n"
	"are new or gone.  The person is not asked and cannot read the proposal.  As many\n"
	"administrators as must sign have to be left.  Of a seized vault: do it at once, from any\n"
	"other administrator's device.\n\n"
	"  --yes   do not ask\n";

int cmd_admin_remove(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = { { "yes", no_argument, NULL, OPT_YES }, { 0 } };
	const struct roster_enrolled *e = NULL;
	uint8_t key[32];
	bool yes = false;
	enum perr err;
	int o, code;

	while ((o = cli_option(cli, argc, argv, longs)) != -1) {
		if (o != OPT_YES)
			return o == 'h' ? EXIT_DONE : EXIT_USAGE;
		yes = true;
	}
	if (argc - optind != 1)
		return cli_usage(cli, "whom? (with quotes if the name has blanks)");
	code = need_admin(cli);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	for (uint32_t i = 0; i < cli->client->admin->n_members; i++)
		if (cli->client->admin->members[i].role == ROSTER_ADMINISTRATOR &&
		    strcmp(cli->client->admin->members[i].name, argv[optind]) == 0)
			e = &cli->client->admin->members[i];
	if (e == NULL)
		return cli_fail(EXIT_REFUSED, "no administrator has that name; `amparo admin` lists them, "
		                "`amparo revoke` is for other members.");
	if (memcmp(e->key, cli->client->me->sign_pk, 32) == 0)
		return cli_fail(EXIT_REFUSED, "another administrator has to remove you: a device that is "
		                "no administrator's any more could not bring it to the servers.");
	memcpy(key, e->key, 32);
	say(stderr, 0, "%s will be an administrator no more, and no member.", e->name);
	say(stderr, 2, "- All access keys, the keys of the boards and of the inbox, and the season "
	    "change; everybody else does nothing, their devices follow at their next syncs.");
	say(stderr, 2, "- Open invitations (%u) are withdrawn; who holds such a slip is invited anew.",
	    cli->client->admin->n_invitations);
	say(stderr, 2, "- What this administrator knew stays known: the names of all %u members.",
	    cli->client->admin->n_members);
	if (!yes && !term_yes(stdin, stderr, "Remove this administrator?", false))
		return cli_fail(EXIT_REFUSED, "nothing was changed; --yes answers the question.");
	err = org_admin_remove(cli->client, key);
	if (err == PERR_LIMIT)
		return cli_fail(EXIT_REFUSED, "a change takes the signatures of %u, and so many "
		                "administrators would not be left: `amparo admin threshold` lowers it "
		                "first, or invite another one.", client_admins(cli->client)->last.threshold);
	if (err != PERR_OK)
		return cmd_rotate_failed(cli, err, "nobody was removed");
	if (!net_waits(cli))
		say(stdout, 0, "%s is no administrator any more.", argv[optind]);
	return net_push(cli, STEWARD_PUSH);
}

/* ---- proposals ------------------------------------------------------------------------------- */

const char cmd_admin_proposals_help[] =
	"Use: amparo admin proposals [--json]\n\n"
	"What administrators proposed and what each would change, as this device works it out from\n"
	"the roster it has verified, not as the proposer says.  A line with ! is hard to take back:\n"
	"ask the proposer before you sign.  `amparo sync` fetches new ones; they show after a\n"
	"release, so a file (`amparo admin save`) is faster.\n";

struct listing {
	struct cli *cli;
	unsigned at, wanted;             /* wanted 0: all */
	bool only_waiting;               /* those that this administrator can sign */
	bool details;
	unsigned n;
	struct quorum_view found;
	unsigned n_said;
};

static enum perr say_change(void *arg, const char *sentence, bool grave)
{
	struct listing *l = arg;

	if (l->cli->json) {
		printf("%s{\"text\":", l->n_said++ == 0 ? "" : ",");
		cli_json_str(stdout, sentence, strlen(sentence));
		printf(",\"grave\":%s}", grave ? "true" : "false");
	} else {
		say(stdout, 2, "%s %s", grave ? "!" : "-", sentence);
	}
	return PERR_OK;
}

static const char *why_not(enum perr err)
{
	switch (err) {
	case PERR_OLD:     return "Another change came first; the proposer's device makes this one again "
	                          "upon it, at its next sync.";
	case PERR_LIMIT:   return "It is not possible upon this roster: sync, or speak with the proposer.";
	case PERR_UNKNOWN: return "This version of the program does not know what it changes: update it "
	                          "before you sign.";
	case PERR_RANGE:   return "It is too old, or its numbers are out of bounds: the proposer makes it "
	                          "anew.";
	default:           return NULL;
	}
}

/* the changes, as sentences.  enum perr of what could not be looked at */
static enum perr tell_changes(struct listing *l, const uint8_t hash[32], unsigned *unseen)
{
	struct quorum_docs *d = NULL;
	enum perr err = quorum_make(l->cli->client, hash, &d);

	*unseen = 0;
	if (err == PERR_OK)
		*unseen = quorum_unseen(d);
	if (err == PERR_OK)
		err = quorum_words(l->cli->client, d, say_change, l);
	quorum_docs_free(d);
	return err;
}

static void say_state(const struct cli *cli, const struct quorum_view *v)
{
	char names[800];

	if (v->n_signed > 0) {
		cmd_admin_names(cli->client, (const uint8_t (*)[32])v->signers, v->n_signed, names,
		                sizeof names);
		say(stdout, 2, "Signed by %s; %u of %u.", names, v->n_signed, v->needs);
	}
	if (v->n_refused > 0) {
		cmd_admin_names(cli->client, (const uint8_t (*)[32])v->refusers, v->n_refused, names,
		                sizeof names);
		say(stdout, 2, "Refused by %s.", names);
	}
	if (v->is_too_large)
		say(stdout, 2, "Too large for the servers: `amparo admin save FILE`, and give the file to the "
		    "others.");
}

static enum perr one_proposal(void *arg, const struct quorum_view *v)
{
	struct listing *l = arg;
	struct cli *cli = l->cli;
	char who[160], day[16];
	const char *why;
	unsigned unseen;
	enum perr err;

	if (l->only_waiting && (v->is_mine || v->signed_here || v->refused_here || v->is_stale))
		return PERR_OK;
	l->at++;
	if (l->wanted != 0 && l->at != l->wanted)
		return PERR_OK;
	l->n++;
	l->found = *v;
	if (!l->details)
		return PERR_OK;
	client_name_of(cli->client, v->proposer, who, sizeof who);
	cli_day(day, v->day);
	if (cli->json) {
		printf("%s{\"number\":%u,\"by\":", l->n == 1 ? "" : ",", l->at);
		cli_json_str(stdout, who, strlen(who));
		printf(",\"day\":\"%s\",\"orders\":%s,\"mine\":%s,\"signed_here\":%s,\"stale\":%s,"
		       "\"signed\":%u,\"needs\":%u,\"refused\":%u,\"changes\":[", day,
		       v->kind == PROPOSAL_ORDERS ? "true" : "false", v->is_mine ? "true" : "false",
		       v->signed_here ? "true" : "false", v->is_stale ? "true" : "false", v->n_signed,
		       v->needs, v->n_refused);
		l->n_said = 0;
		err = tell_changes(l, v->hash, &unseen);
		printf("]}");
		return why_not(err) != NULL ? PERR_OK : err;
	}
	say(stdout, 0, "%s%u. %s, by %s on %s", l->n > 1 ? "\n" : "", l->at,
	    v->kind == PROPOSAL_ORDERS ? "An order to the servers" : "A change of the roster",
	    v->is_mine ? "you" : who, day);
	err = tell_changes(l, v->hash, &unseen);
	why = why_not(err);
	if (err != PERR_OK && why == NULL)
		return err;
	if (why != NULL)
		say(stdout, 2, "%s", why);
	if (unseen > 0)
		say(stdout, 2, "The content of %u form%s is not on this device: ask for the file "
		    "(`amparo admin save`).", unseen, unseen == 1 ? "" : "s");
	say_state(cli, v);
	return PERR_OK;
}

int cmd_admin_proposals(struct cli *cli, int argc, char **argv)
{
	struct listing l = { .cli = cli, .details = true };
	unsigned waiting = 0;
	enum perr err;
	int o, code;

	while ((o = cli_option(cli, argc, argv, NULL)) != -1)
		return o == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (optind < argc)
		return cli_usage(cli, "nothing else is needed");
	code = need_admin(cli);
	if (code != EXIT_DONE)
		return code;
	if (cli->json)
		putchar('[');
	err = quorum_each(cli->client, one_proposal, &l);
	if (cli->json)
		puts("]");
	if (err == PERR_OK)
		err = quorum_waiting(cli->client, &waiting);
	if (err != PERR_OK)
		return cli_fail_err(err, "the proposals could not be read");
	if (!cli->json && l.n == 0)
		puts("Nothing waits for signatures.");
	if (!cli->json && waiting > 0)
		say(stdout, 0, "\n`amparo admin sign N` signs one, `amparo admin refuse N` says no.");
	return EXIT_DONE;
}

/* the proposal that an operand means: its number, or the only one there is */
static int choose(struct cli *cli, const char *operand, bool waiting, struct quorum_view *v)
{
	struct listing l = { .cli = cli };
	enum perr err;
	char *end;

	if (operand != NULL) {
		l.wanted = (unsigned)strtoul(operand, &end, 10);
		if (*end != '\0' || l.wanted == 0)
			return cli_usage(cli, "\"%s\" is no number of `amparo admin proposals`", operand);
	} else {
		l.only_waiting = waiting;
	}
	err = quorum_each(cli->client, one_proposal, &l);
	if (err != PERR_OK)
		return cli_fail_err(err, "the proposals could not be read");
	if (l.n == 0)
		return cli_fail(EXIT_REFUSED, operand != NULL
		                ? "there is no proposal of that number; `amparo admin proposals` lists them."
		                : "nothing waits for your signature; `amparo sync` fetches what others "
		                  "proposed.");
	if (l.n > 1)
		return cli_fail(EXIT_REFUSED, "%u proposals wait; give the number of one, as `amparo admin "
		                "proposals` lists them.", l.n);
	*v = l.found;
	return EXIT_DONE;
}

/* ---- signing ------------------------------------------------------------------------------------- */

const char cmd_admin_sign_help[] =
	"Use: amparo admin sign [N | FILE] [--yes]\n\n"
	"Shows what the proposal would change, and signs it.  When enough have signed it comes\n"
	"into force here and goes to the servers.\n\n"
	"  N       its number in `amparo admin proposals`; not needed if one waits\n"
	"  FILE    a file from `amparo admin save`; with your signature it is written back, for the\n"
	"          next administrator, if more are needed\n"
	"  --yes   do not ask\n";

static int load_file(struct cli *cli, const char *path, uint8_t hash[32])
{
	uint8_t *data = NULL;
	size_t len = 0;
	enum perr err;
	int code = cli_read_file(path, FILE_MAX, &data, &len);

	if (code != EXIT_DONE)
		return code;
	err = quorum_load(cli->client, data, len, hash);
	free(data);
	switch (err) {
	case PERR_OK:
		return EXIT_DONE;
	case PERR_NOTMINE:
		return cli_fail(EXIT_REFUSED, "%s is sealed to other administrators.", path);
	case PERR_OLD:
		return cli_fail(EXIT_REFUSED, "%s is out of date: its proposer has made a newer proposal "
		                "since; ask for that one.", path);
	case PERR_SIGS:
		return cli_fail(EXIT_REFUSED, "%s was not made by an administrator of the roster known "
		                "here; `amparo sync` first.", path);
	case PERR_FORMAT:
	case PERR_AUTH:
		return cli_fail(EXIT_REFUSED, "%s is no proposal, or was damaged on its way.", path);
	default:
		return cli_fail_err(err, "%s could not be taken in", path);
	}
}

static int save_file(struct cli *cli, const char *path, const uint8_t hash[32])
{
	uint8_t *data = NULL;
	size_t len = 0;
	enum perr err = quorum_save(cli->client, hash, &data, &len);
	int code;

	if (err != PERR_OK)
		return cli_fail_err(err, "the proposal could not be written");
	code = cli_write_file(path, data, len, 0600);
	doc_free(data, len);
	return code;
}

static bool is_number(const char *s)
{
	return *s != '\0' && strspn(s, "0123456789") == strlen(s);
}

static int find_view(struct cli *cli, const uint8_t hash[32], struct quorum_view *v)
{
	for (unsigned i = 1;; i++) {
		struct listing l = { .cli = cli, .wanted = i };
		enum perr err = quorum_each(cli->client, one_proposal, &l);

		if (err != PERR_OK)
			return cli_fail_err(err, "the proposals could not be read");
		if (l.n == 0)
			return cli_fail(EXIT_REFUSED, "it is over: what it wanted is done or was withdrawn.");
		if (memcmp(l.found.hash, hash, 32) == 0) {
			*v = l.found;
			return EXIT_DONE;
		}
	}
}

static int show_and_ask(struct cli *cli, const struct quorum_view *v, bool yes)
{
	struct listing l = { .cli = cli };
	char who[160];
	unsigned unseen;
	enum perr err;
	bool json = cli->json;

	client_name_of(cli->client, v->proposer, who, sizeof who);
	say(stdout, 0, "%s proposes:", who);
	cli->json = false;
	err = tell_changes(&l, v->hash, &unseen);
	cli->json = json;
	if (why_not(err) != NULL)
		return cli_fail(EXIT_REFUSED, "%s", why_not(err));
	if (err != PERR_OK)
		return cli_fail_err(err, "the proposal could not be looked at");
	if (unseen > 0)
		return cli_fail(EXIT_REFUSED, "the content of a form that it publishes is not on this "
		                "device; ask for the file (`amparo admin save`) and sign that.");
	if (!yes && !term_yes(stdin, stderr, "Is this what was agreed upon?  Sign it?", false))
		return cli_fail(EXIT_REFUSED, "nothing was signed; --yes answers the question.");
	return EXIT_DONE;
}

int cmd_admin_sign(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = { { "yes", no_argument, NULL, OPT_YES }, { 0 } };
	const char *path = NULL, *number = NULL;
	struct quorum_view v = { 0 };
	bool yes = false, in_force;
	uint8_t hash[32];
	enum perr err;
	int o, code;

	while ((o = cli_option(cli, argc, argv, longs)) != -1) {
		if (o != OPT_YES)
			return o == 'h' ? EXIT_DONE : EXIT_USAGE;
		yes = true;
	}
	if (argc - optind > 1)
		return cli_usage(cli, "one proposal is signed at a time");
	if (optind < argc && is_number(argv[optind]))
		number = argv[optind];
	else if (optind < argc)
		path = argv[optind];
	code = need_admin(cli);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code == EXIT_DONE && path != NULL) {
		code = load_file(cli, path, hash);
		if (code == EXIT_DONE)
			code = find_view(cli, hash, &v);
	} else if (code == EXIT_DONE) {
		code = choose(cli, number, true, &v);
	}
	if (code != EXIT_DONE)
		return code;
	if (!v.signed_here) {
		code = show_and_ask(cli, &v, yes);
		if (code != EXIT_DONE)
			return code;
	}
	/* signed before: whether others have since */
	err = quorum_sign(cli->client, v.hash, &in_force);
	if (err == PERR_AUTH)
		return cli_fail(EXIT_REFUSED, "it ends your own membership: your signature does not count "
		                "in it.");
	if (why_not(err) != NULL)
		return cli_fail(EXIT_REFUSED, "%s", why_not(err));
	if (err != PERR_OK)
		return cli_fail_err(err, "it could not be signed");
	if (in_force) {
		puts(v.kind == PROPOSAL_ORDERS ? "Enough have signed: the order goes to the servers."
		     : "Enough have signed: it is in force.");
		return net_push(cli, STEWARD_PUSH);
	}
	code = find_view(cli, v.hash, &v);
	if (code == EXIT_DONE)
		printf("Signed, %u of %u.\n", v.n_signed, v.needs);
	if (code == EXIT_DONE && path != NULL) {
		code = save_file(cli, path, v.hash);
		if (code == EXIT_DONE)
			say(stdout, 0, "Your signature is in the file too: give it to the next administrator.");
	}
	o = net_sync(cli, NET_QUIET);
	return code == EXIT_DONE ? o : code;
}

const char cmd_admin_refuse_help[] =
	"Use: amparo admin refuse [N]\n\n"
	"Says to the other administrators that you do not sign it.  That hinders nobody: if\n"
	"enough others sign, it comes into force.  You can still sign it later.\n";

int cmd_admin_refuse(struct cli *cli, int argc, char **argv)
{
	struct quorum_view v;
	enum perr err;
	int o, code;

	while ((o = cli_option(cli, argc, argv, NULL)) != -1)
		return o == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind > 1)
		return cli_usage(cli, "one proposal is refused at a time");
	code = need_admin(cli);
	if (code == EXIT_DONE)
		code = choose(cli, optind < argc ? argv[optind] : NULL, true, &v);
	if (code != EXIT_DONE)
		return code;
	if (v.is_mine)
		return cli_fail(EXIT_REFUSED, "it is your own: `amparo admin withdraw` takes it back.");
	err = quorum_refuse(cli->client, v.hash);
	if (err == PERR_EXISTS)
		return cli_fail(EXIT_REFUSED, v.signed_here
		                ? "you have signed it, which cannot be taken back; speak with the proposer."
		                : "you have refused it already.");
	if (err != PERR_OK)
		return cli_fail_err(err, "it could not be refused");
	puts("Refused; the proposer sees it after the next release.");
	return net_sync(cli, NET_QUIET);
}

const char cmd_admin_withdraw_help[] =
	"Use: amparo admin withdraw\n\n"
	"Takes back what you proposed and what is not in force yet.  Whoever has signed it already\n"
	"could still bring it into force with enough other signatures, until their devices have\n"
	"seen the withdrawal.\n";

int cmd_admin_withdraw(struct cli *cli, int argc, char **argv)
{
	static const enum proposal_kind kinds[] = { PROPOSAL_CHANGES, PROPOSAL_ORDERS };
	unsigned n = 0;
	int o, code;

	while ((o = cli_option(cli, argc, argv, NULL)) != -1)
		return o == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (optind < argc)
		return cli_usage(cli, "nothing else is needed");
	code = need_admin(cli);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		enum perr err = quorum_withdraw(cli->client, kinds[i]);

		n += err == PERR_OK;
		if (err != PERR_OK && err != PERR_NOTFOUND)
			return cli_fail_err(err, "it could not be withdrawn");
	}
	if (n == 0)
		return cli_fail(EXIT_REFUSED, "nothing of yours waits for signatures.");
	puts("Withdrawn.");
	return net_sync(cli, NET_QUIET);
}

const char cmd_admin_save_help[] =
	"Use: amparo admin save FILE [N]\n\n"
	"Writes a proposal, with the signatures so far, into a file for another administrator:\n"
	"`amparo admin sign FILE`.  Nobody but the administrators who stay can open it; it may go by\n"
	"any messenger.\n";

int cmd_admin_save(struct cli *cli, int argc, char **argv)
{
	struct listing l = { .cli = cli };
	struct quorum_view v;
	int o, code;

	while ((o = cli_option(cli, argc, argv, NULL)) != -1)
		return o == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind < 1 || argc - optind > 2)
		return cli_usage(cli, "the name of a file, and a number of `amparo admin proposals` where "
		                 "there are several");
	code = need_admin(cli);
	if (code != EXIT_DONE)
		return code;
	if (argc - optind == 2) {
		code = choose(cli, argv[optind + 1], false, &v);
	} else if (quorum_each(cli->client, one_proposal, &l) != PERR_OK || l.n != 1) {
		code = cli_fail(EXIT_REFUSED, l.n == 0 ? "nothing waits for signatures."
		                : "several proposals wait; give the number of one, as `amparo admin "
		                  "proposals` lists them.");
	} else {
		v = l.found;
	}
	if (code == EXIT_DONE && v.is_stale)
		code = cli_fail(EXIT_REFUSED, "another change came first; `amparo sync` %s.", v.is_mine
		                ? "makes this one again upon it" : "fetches it as its proposer made it again");
	if (code == EXIT_DONE)
		code = save_file(cli, argv[optind], v.hash);
	if (code == EXIT_DONE)
		say(stdout, 0, "%s: give it to another administrator, who types `amparo admin sign FILE`.",
		    argv[optind]);
	return code;
}
