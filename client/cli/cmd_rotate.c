/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_rotate.h"

#include <stdlib.h>
#include <string.h>

#include "admins.h"
#include "apply_rotate.h"
#include "net.h"
#include "prekeys.h"
#include "press.h"
#include "revoke.h"
#include "roster.h"
#include "rotate.h"
#include "say.h"
#include "term.h"

enum { OPT_EVERY = 1, OPT_ME, OPT_YES };

int cmd_rotate_failed(struct cli *cli, enum perr err, const char *what)
{
	const struct admins *a = client_admins(cli->client);

	if (err == PERR_SIGS && a != NULL)
		return cli_fail(EXIT_REFUSED, "%s: it takes the signatures of %u administrators.", what,
		                a->last.threshold);
	return cli_fail_err(err, "%s", what);
}

/* ---- what is planned ------------------------------------------------------------------ */

const char cmd_rotate_help[] =
	"Use: amparo rotate [--json]\n\n"
	"When the season and the access keys were changed last, and when they are next.\n"
	"`amparo rotate season`, `rotate access` and `rotate prekeys` change them now; with a plan\n"
	"(--every 30d) nobody has to remember it: whichever administrator syncs first when it is\n"
	"due does it, without a command.\n";

static void plan_line(const struct client *c, enum roster_plan_what what, const char *command)
{
	const struct roster_plan *p = &c->admin->plans[what];
	char next[16];

	if (p->every == 0) {
		say(stdout, 2, "No plan.  `amparo rotate %s --every 30d` makes one.", command);
		return;
	}
	cli_day(next, rotate_next(c, what));
	say(stdout, 2, "Planned every %u days, next on %s.", p->every, next);
}

static void last_line(const char *name, uint32_t last)
{
	char day[16];

	if (last == 0) {
		printf("%s: as at the founding.\n", name);
		return;
	}
	cli_day(day, last);
	printf("%s: changed last on %s.\n", name, day);
}

static void show(const struct client *c)
{
	const struct roster_admin *a = c->admin;
	const struct roster_field *f = c->field;
	uint32_t newest = f->seasons[f->n_seasons - 1].number >> 16, until = 0;
	char day[16];

	last_line("Season", newest);
	if (f->n_seasons > 1)
		say(stdout, 2, "%u older one%s still open%s what was sealed under %s.", f->n_seasons - 1,
		    f->n_seasons == 2 ? "" : "s", f->n_seasons == 2 ? "s" : "",
		    f->n_seasons == 2 ? "it" : "them");
	plan_line(c, ROSTER_PLAN_SEASON, "season");
	last_line("Access keys", a->plans[ROSTER_PLAN_ACCESS].last);
	for (uint32_t i = 0; i < a->n_retired; i++)
		until = a->retired[i].last_day > until ? a->retired[i].last_day : until;
	if (until >= client_day(c)) {
		cli_day(day, until);
		say(stdout, 2, "Older ones still let in until %s.", day);
	}
	plan_line(c, ROSTER_PLAN_ACCESS, "access");
}

static void json_plan(const struct client *c, enum roster_plan_what what, const char *name,
                      uint32_t last)
{
	char day[16] = "", next[16] = "";

	if (last > 0)
		cli_day(day, last);
	if (rotate_next(c, what) > 0)
		cli_day(next, rotate_next(c, what));
	printf("\"%s\":{\"every_days\":%u,\"last\":\"%s\",\"next\":\"%s\"}", name,
	       c->admin->plans[what].every, day, next);
}

int cmd_rotate(struct cli *cli, int argc, char **argv)
{
	const struct client *c;
	int o, code;

	while ((o = cli_option(cli, argc, argv, NULL)) != -1)
		return o == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (optind < argc)
		return cli_usage(cli, "\"%s\" cannot be rotated: season, access or prekeys",
		                 argv[optind]);
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code != EXIT_DONE)
		return code;
	c = cli->client;
	if (!cli->json) {
		show(c);
		return EXIT_DONE;
	}
	putchar('{');
	json_plan(c, ROSTER_PLAN_SEASON, "season",
	          c->field->seasons[c->field->n_seasons - 1].number >> 16);
	putchar(',');
	json_plan(c, ROSTER_PLAN_ACCESS, "access", c->admin->plans[ROSTER_PLAN_ACCESS].last);
	printf(",\"seasons_kept\":%u}\n", c->field->n_seasons);
	return EXIT_DONE;
}

/* ---- season, access -------------------------------------------------------------------- */

const char cmd_rotate_season_help[] =
	"Use: amparo rotate season [--every 30d | --every off]\n\n"
	"A new season: a key that every member mixes into whatever they seal, and no server knows.\n"
	"One signed step holds it for all.  A phone that is away goes on with the old one and\n"
	"loses nothing: readers keep it until nothing sealed under it can be on a server.\n\n"
	"  --every DAYS   do it now, and then every so many days (7 to 400), by itself\n"
	"  --every off    no longer by itself; nothing is changed now\n\n"
	"Example: amparo rotate season --every 30d\n";

const char cmd_rotate_access_help[] =
	"Use: amparo rotate access [--every 30d | --every off]\n\n"
	"New keys by which servers let members in.  One signed step holds the roster's and every\n"
	"server's policy; the old keys let in for 30 days more.  A phone that is away for longer\n"
	"finds in with the key of its invitation (400 days more), gets the new one and sends what\n"
	"waits, in one sync.  Invitations that are out stay good.\n\n"
	"  --every DAYS   do it now, and then every so many days (7 to 400), by itself\n"
	"  --every off    no longer by itself; nothing is changed now\n\n"
	"Example: amparo rotate access --every 30d\n";

/* "30d", "30", "off"; false: none of these */
static bool parse_every(const char *s, uint32_t *every)
{
	char *end;
	unsigned long n;

	*every = 0;
	if (strcmp(s, "off") == 0)
		return true;
	n = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || (*end != '\0' && strcmp(end, "d") != 0) ||
	    n < ROSTER_EVERY_MIN || n > ROSTER_EVERY_MAX)
		return false;
	*every = (uint32_t)n;
	return true;
}

static int rotate_now(struct cli *cli, enum roster_plan_what what)
{
	struct client *c = cli->client;
	char day[16];
	enum perr err;

	if (what == ROSTER_PLAN_ACCESS) {
		err = rotate_access(c, ROTATE_OVERLAP_DAYS);
		return err == PERR_OK ? EXIT_DONE
		     : cmd_rotate_failed(cli, err, "the access keys were not changed");
	}
	err = rotate_season(c);
	if (err == PERR_LIMIT && rotate_room(c) != 0) {
		cli_day(day, rotate_room(c));
		return cli_fail(EXIT_REFUSED, "the season was not changed: %u are kept, and what was "
		                "sealed under the oldest may still be on the servers.  It works again "
		                "from %s on.", c->field->n_seasons, day);
	}
	return err == PERR_OK ? EXIT_DONE
	     : cmd_rotate_failed(cli, err, "the season was not changed");
}

static int rotate(struct cli *cli, int argc, char **argv, enum roster_plan_what what)
{
	static const struct option longs[] = {
		{ "every", required_argument, NULL, OPT_EVERY }, { 0 }
	};
	uint32_t every = 0;
	bool has_every = false;
	char next[16];
	enum perr err;
	int o, code, pushed;

	while ((o = cli_option(cli, argc, argv, longs)) != -1) {
		if (o != OPT_EVERY)
			return o == 'h' ? EXIT_DONE : EXIT_USAGE;
		if (!parse_every(optarg, &every))
			return cli_usage(cli, "\"%s\" is neither a number of days from %d to %d (30d) nor "
			                 "\"off\"", optarg, ROSTER_EVERY_MIN, ROSTER_EVERY_MAX);
		has_every = true;
	}
	if (optind < argc)
		return cli_usage(cli, "nothing stands behind it");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	if (has_every) {
		err = rotate_plan(cli->client, what, every);
		if (err != PERR_OK)
			return cmd_rotate_failed(cli, err, "the plan was not changed");
	}
	if (!has_every || every > 0)
		code = rotate_now(cli, what);
	if (code == EXIT_DONE && (!has_every || every > 0) && !net_waits(cli))
		puts(what == ROSTER_PLAN_SEASON
		     ? "A new season is in the roster; each member seals under it after their next sync."
		     : "New access keys are in the roster; the old ones let in for 30 days more.");
	if (has_every && every == 0 && !net_waits(cli))
		puts("There is no plan any more; nothing was changed now.");
	if (has_every && every > 0 && !net_waits(cli)) {
		cli_day(next, rotate_next(cli->client, what));
		printf("From now on it is done every %u days by itself, next on %s.\n", every, next);
	}
	pushed = net_push(cli, STEWARD_PUSH);
	return code == EXIT_DONE ? pushed : code;
}

int cmd_rotate_season(struct cli *cli, int argc, char **argv)
{
	return rotate(cli, argc, argv, ROSTER_PLAN_SEASON);
}

int cmd_rotate_access(struct cli *cli, int argc, char **argv)
{
	return rotate(cli, argc, argv, ROSTER_PLAN_ACCESS);
}

/* ---- prekeys --------------------------------------------------------------------------- */

const char cmd_rotate_prekeys_help[] =
	"Use: amparo rotate prekeys [--me]\n"
	"     amparo rotate prekeys NAME [--yes]\n\n"
	"Starts a new batch of the keys to which records are sealed.  Yours change by themselves\n"
	"in time; do it at once when somebody may have seen your device open.\n\n"
	"Your own (--me, or no name): made now and put on the board with a sync.  Others seal to\n"
	"the new ones after the next release and their own next sync.  What was sealed to the\n"
	"older keys still opens here.\n\n"
	"Somebody else's (an administrator): their keys of until now do not count any more, and\n"
	"their device makes new ones by itself at its next sync.  Until then nobody can seal\n"
	"anything to that person.  Says first what that means.\n\n"
	"  --yes   do not ask\n\n"
	"Examples: amparo rotate prekeys\n"
	"          amparo rotate prekeys \"Ana Ruiz\"\n";

static int own_prekeys(struct cli *cli)
{
	struct prekeys_info k;
	bool made;
	enum perr err;
	int code = cli_open(cli);

	if (code != EXIT_DONE)
		return code;
	if (!prekeys_needed(cli->client))
		return cli_fail(EXIT_REFUSED, "nobody seals records to you, so you have no keys of this "
		                "kind: attorneys, interpreters and holders of a desk have.");
	err = prekeys_renew(cli->client, true, &made);
	if (err == PERR_OK)
		err = prekeys_info(cli->client, &k);
	if (err != PERR_OK)
		return cli_fail_err(err, "the new keys could not be made");
	printf("Batch %u is made.  Others seal to it after the next release and their own next "
	       "sync.\n", k.number);
	return net_sync(cli, NET_QUIET);
}

/* what it means, before it is done */
static int agree(struct cli *cli, const struct revoke_facts *f, bool yes)
{
	char question[ROSTER_NAME_MAX + 60];

	say(stderr, 2, "Nobody can seal anything to %s from their own next sync on, until %s has synced "
	    "and a release has passed.  Call them: one `amparo sync` is all it takes.", f->name,
	    f->name);
	for (uint32_t i = 0; i < f->n_desks; i++) {
		if (f->desks[i].able > 0)
			say(stderr, 2, "Desk %s: its intakes are sealed to the other holders meanwhile (%u).",
			    f->desks[i].name, f->desks[i].able);
		else
			say(stderr, 2, "DESK %s: NO OTHER HOLDER HAS KEYS.  Nobody can send it an intake "
			    "meanwhile.", f->desks[i].name);
	}
	say(stderr, 2, "What was sealed to the older keys still opens on that device.");
	snprintf(question, sizeof question, "Refuse the keys of %s from now on?", f->name);
	if (yes || term_yes(stdin, stderr, question, false))
		return EXIT_DONE;
	return cli_fail(EXIT_REFUSED, "nothing was changed; --yes answers the question.");
}

static int prekeys_of(struct cli *cli, const char *name, bool yes)
{
	const struct roster_enrolled *e;
	struct revoke_facts *f;
	uint8_t key[32];
	uint32_t number;
	enum perr err;
	int code = cli_open_as(cli, ROLE_ADMINISTRATOR);

	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code != EXIT_DONE)
		return code;
	e = revoke_find(cli->client, name);
	if (e == NULL)
		return cli_fail(EXIT_REFUSED, "no member has this name; `amparo members` lists them.");
	memcpy(key, e->key, 32);
	if (memcmp(key, cli->client->me->sign_pk, 32) == 0)
		return cli_fail(EXIT_REFUSED, "for your own keys it is `amparo rotate prekeys --me`.");
	f = malloc(sizeof *f);
	err = f == NULL ? PERR_NOMEM : revoke_look(cli->client, key, f);
	if (err == PERR_OK && !f->has_batch)
		code = cli_fail(EXIT_REFUSED, "no keys of this member are known here: `amparo sync` "
		                "first; somebody who never published any has none to refuse.");
	if (err == PERR_OK && code == EXIT_DONE)
		code = agree(cli, f, yes);
	free(f);
	if (err != PERR_OK)
		return cli_fail_err(err, "the roster could not be read");
	if (code != EXIT_DONE)
		return code;
	err = rotate_prekeys_of(cli->client, key, &number);
	if (err != PERR_OK)
		return cmd_rotate_failed(cli, err, "their keys could not be refused");
	if (net_waits(cli))
		return net_push(cli, STEWARD_PUSH);
	term_print(stdout, name, strlen(name), TERM_LINE);
	printf(": batches below number %u do not count any more.\n", number);
	return net_push(cli, STEWARD_PUSH);
}

int cmd_rotate_prekeys(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "me", no_argument, NULL, OPT_ME }, { "yes", no_argument, NULL, OPT_YES }, { 0 }
	};
	bool me = false, yes = false;
	int o;

	while ((o = cli_option(cli, argc, argv, longs)) != -1)
		switch (o) {
		case OPT_ME:  me = true; break;
		case OPT_YES: yes = true; break;
		default:      return o == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind > 1 || (me && optind < argc))
		return cli_usage(cli, "one name, or --me");
	return optind < argc ? prekeys_of(cli, argv[optind], yes) : own_prekeys(cli);
}
