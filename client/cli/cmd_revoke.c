/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_revoke.h"

#include <stdlib.h>
#include <string.h>

#include "cmd_rotate.h"
#include "net.h"
#include "outbox.h"
#include "press.h"
#include "revoke.h"
#include "revoked.h"
#include "roster.h"
#include "rotate.h"
#include "say.h"
#include "term.h"

enum { OPT_YES = 1 };

const char cmd_revoke_help[] =
	"Use: amparo revoke NAME... [--yes]\n\n"
	"Ends a membership, in one signed step: for somebody who left, whose device was lost or\n"
	"seized, or who is not trusted any more.  First says what is cut off, what the person had,\n"
	"what changes with it and who must act; then asks.  Several names are one step.\n\n"
	"It does not take back what was read.  Servers that cannot be reached now cut the person\n"
	"off when `amparo sync` reaches them; `amparo status` counts down what is pending.\n\n"
	"  --yes   do not ask\n\n"
	"Example: amparo revoke \"Ben Carter\"\n";

static void cut_off(const struct revoke_facts *f)
{
	static const char *const scopes[] = { "", "field", "field and counsel", "field and counsel",
	                                      "field, counsel and steward" };

	say(stderr, 0, "Cut off:");
	say(stderr, 2, "- The place in the roster: nothing that is published from now on opens for this "
	    "person, and their device is told that they are no member any more.");
	say(stderr, 2, "- The access keys (%s): no server lets them in from its next policy on, %u "
	    "server%s.  The key of the invitation reaches the sealed roster for 400 days more, and "
	    "nothing else.", scopes[f->role], f->n_servers, f->n_servers == 1 ? "" : "s");
	if (f->role != ROSTER_VOLUNTEER || f->n_desks > 0)
		say(stderr, 2, "- Their published keys: nobody seals to them after their own next sync.");
	if (f->signs)
		say(stderr, 2, "- Their signature as an administrator: %u are left, and %u must sign.",
		    f->n_signers - 1, f->threshold);
	if (f->role == ROSTER_ADMINISTRATOR && f->n_invitations > 0)
		say(stderr, 2, "- %u open invitation%s: withdrawn, because an administrator may have kept "
		    "%s; invite those people anew.", f->n_invitations, f->n_invitations == 1 ? "" : "s",
		    f->n_invitations == 1 ? "it" : "them");
}

static void what_they_had(const struct revoke_facts *f)
{
	say(stderr, 0, "What this person had, and still knows:");
	say(stderr, 2, "- The names of the organisation, its %u desk%s and forms, the servers' "
	    "addresses, who holds which desk (keys, no names).", f->n_listed,
	    f->n_listed == 1 ? "" : "s");
	if (f->role == ROSTER_VOLUNTEER)
		say(stderr, 2, "- No other member's name.  Nothing that was already sent.");
	else if (f->role == ROSTER_ADMINISTRATOR)
		say(stderr, 2, "- The names of all %u members, volunteers too; all access keys.  No "
		    "record.", f->n_members);
	else
		say(stderr, 2, "- The names of %u attorneys, interpreters and administrators; of volunteers "
		    "the numbers only.", f->n_staff);
	for (uint32_t i = 0; i < f->n_desks; i++)
		say(stderr, 2, "- Every intake of desk %s until now.", f->desks[i].name);
	if (f->role == ROSTER_ATTORNEY || f->role == ROSTER_INTERPRETER) {
		if (f->sees_cases)
			say(stderr, 2, "- %u open case%s assigned to them, as far as this device knows.",
			    f->n_cases, f->n_cases == 1 ? "" : "s");
		else
			say(stderr, 2, "- Cases that were assigned to them: an administrator's device holds no "
			    "records and cannot tell which; the holders' devices can.");
	}
}

static void changes(const struct revoke_facts *f)
{
	char day[16];

	say(stderr, 0, "Changes in the same step:");
	if (f->season_from == 0) {
		say(stderr, 2, "- The season, and the access keys named above, for everybody; the keys of "
		    "the board%s.", f->role == ROSTER_ADMINISTRATOR ? " and of the inbox" : "");
	} else {
		cli_day(day, f->season_from);
		say(stderr, 2, "- The access keys named above, for everybody; the keys of the board%s.  NOT "
		    "the season: too many are kept; `amparo rotate season` from %s on.",
		    f->role == ROSTER_ADMINISTRATOR ? " and of the inbox" : "", day);
	}
}

static void who_must_act(const struct revoke_facts *f)
{
	say(stderr, 0, "Who must act:");
	say(stderr, 2, "- Everybody else: nothing.  Each device finds the new keys at its next sync, also "
	    "after weeks, and sends what waits.");
	for (uint32_t i = 0; i < f->n_desks; i++) {
		const struct revoke_desk *d = &f->desks[i];

		if (d->able > 0)
			say(stderr, 2, "- The other holders of desk %s (%u): its charter still names this person "
			    "until they sign a new one: `amparo desk change \"%s\" --remove \"%s\"`.  Until "
			    "then its intakes are sealed to them only.", d->name, d->others, d->name,
			    f->name);
		else
			say(stderr, 2, "- DESK %s HAS NO OTHER HOLDER WITH KEYS: nobody can send it an intake "
			    "after this, until it has a new charter.", d->name);
	}
	if (f->role == ROSTER_ATTORNEY || f->role == ROSTER_INTERPRETER)
		say(stderr, 2, "- You: look at `amparo erasures`.  What their device asked for rests for the "
		    "policy's delay and can be voided.");
	if (f->role == ROSTER_ATTORNEY || f->role == ROSTER_INTERPRETER)
		say(stderr, 2, "- A holder of the desk whose cases they have: `amparo reassign --from \"%s\" "
		    "--to NAME --all`.", f->name);
}

static void explain(const struct revoke_facts *f)
{
	char day[16];

	cli_day(day, f->day);
	if (f->role == ROSTER_VOLUNTEER)
		say(stderr, 0, "%s, volunteer %u, member since %s.", f->name, f->number, day);
	else
		say(stderr, 0, "%s, %s, member since %s.", f->name, roster_role_text(f->role), day);
	cut_off(f);
	what_they_had(f);
	changes(f);
	who_must_act(f);
	fputc('\n', stderr);
}

struct chosen {
	uint8_t keys[REVOKE_MAX][32];
	uint32_t n;
};

static int choose(struct cli *cli, int argc, char **argv, struct chosen *k)
{
	for (int i = optind; i < argc; i++) {
		const struct roster_enrolled *e = revoke_find(cli->client, argv[i]);

		if (k->n == REVOKE_MAX)
			return cli_usage(cli, "at most %d names at a time", REVOKE_MAX);
		if (e == NULL)
			return cli_fail(EXIT_REFUSED, "nobody was revoked: no member has the name \"%s\"; "
			                "`amparo members` lists them.", argv[i]);
		if (memcmp(e->key, cli->client->me->sign_pk, 32) == 0)
			return cli_fail(EXIT_REFUSED, "nobody was revoked: you cannot revoke yourself; another "
			                "administrator can.");
		for (uint32_t j = 0; j < k->n; j++)
			if (memcmp(k->keys[j], e->key, 32) == 0)
				return cli_usage(cli, "\"%s\" is named twice", argv[i]);
		memcpy(k->keys[k->n++], e->key, 32);
	}
	return EXIT_DONE;
}

static int agree(struct cli *cli, const struct chosen *k, bool yes)
{
	struct revoke_facts *f = malloc(sizeof *f);
	enum perr err = f == NULL ? PERR_NOMEM : PERR_OK;
	int code = EXIT_DONE;

	for (uint32_t i = 0; i < k->n && err == PERR_OK && code == EXIT_DONE; i++) {
		err = revoke_look(cli->client, k->keys[i], f);
		if (err != PERR_OK)
			break;
		if (f->signs && f->n_signers <= f->threshold)
			code = cli_fail(EXIT_REFUSED, "%s was not revoked: a change takes %u signature%s, "
			                "and so many administrators would not be left.", f->name,
			                f->threshold, f->threshold == 1 ? "" : "s");
		else
			explain(f);
	}
	free(f);
	if (err != PERR_OK)
		return cli_fail_err(err, "the roster could not be read");
	if (code != EXIT_DONE)
		return code;
	if (yes || term_yes(stdin, stderr, k->n == 1 ? "Revoke this membership?"
	                                             : "Revoke these memberships?", false))
		return EXIT_DONE;
	return cli_fail(EXIT_REFUSED, "nothing was changed; --yes answers the question.");
}

int cmd_revoke(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = { { "yes", no_argument, NULL, OPT_YES }, { 0 } };
	struct chosen k = { .n = 0 };
	bool yes = false;
	enum perr err;
	int o, code;

	while ((o = cli_option(cli, argc, argv, longs)) != -1) {
		if (o != OPT_YES)
			return o == 'h' ? EXIT_DONE : EXIT_USAGE;
		yes = true;
	}
	if (optind == argc)
		return cli_usage(cli, "whose membership ends? (a name, with quotes if it has blanks)");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code == EXIT_DONE)
		code = choose(cli, argc, argv, &k);
	if (code == EXIT_DONE)
		code = agree(cli, &k, yes);
	if (code != EXIT_DONE)
		return code;
	err = revoke_members(cli->client, (const uint8_t (*)[32])k.keys, k.n);
	if (err != PERR_OK)
		return cmd_rotate_failed(cli, err, "nobody was revoked");
	if (net_waits(cli))
		return net_push(cli, STEWARD_PUSH);
	for (int i = argc - (int)k.n; i < argc; i++) {
		term_print(stdout, argv[i], strlen(argv[i]), TERM_LINE);
		puts(" is no member any more.");
	}
	code = net_push(cli, STEWARD_PUSH);
	puts("`amparo status` counts down what is pending.");
	return code;
}

int cmd_revoke_tell(struct client *c)
{
	struct outbox_counts out;
	char day[16];
	uint32_t since;
	enum perr err = revoked_since(c, &since);

	if (err == PERR_OK && since == 0)
		return EXIT_DONE;
	if (err == PERR_OK)
		err = outbox_counts(c, &out);
	if (err != PERR_OK)
		return cli_fail_err(err, "the vault could not be read");
	cli_day(day, since);
	if (out.submissions == 0)
		return cli_fail(EXIT_REFUSED, "you are no member any more since %s, your administrators "
		                "signed that; nothing waits to be sent.", day);
	return cli_fail(EXIT_REFUSED, "you are no member any more since %s, your administrators signed "
	                "that; %u sealed submission%s wait%s here: `amparo outbox save FILE` writes %s "
	                "for somebody to carry.", day, out.submissions, out.submissions == 1 ? "" : "s",
	                out.submissions == 1 ? "s" : "", out.submissions == 1 ? "it" : "them");
}
