/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* `amparo recovery rehearse` and `amparo recovery run`: shares brought together. */
#include "cmd_recovery.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "gaps.h"
#include "net.h"
#include "record.h"
#include "record_blobs.h"
#include "recovery.h"
#include "roster.h"
#include "share_ask.h"
#include "term.h"

enum { OPT_KEEP = 1, OPT_RECORDS, OPT_YES };

const char cmd_recovery_rehearse_help[] =
	"Use: amparo recovery rehearse\n\n"
	"Proves that the sheets of a desk's paper holder still work: as many trustees as are needed\n"
	"type their shares on a holder's device, a canary is sealed as a volunteer seals today and\n"
	"opened with what the shares give.  The key is put together in this device's memory only;\n"
	"nobody sees it, nothing of it is kept.  A share that is wrong, or of another set, is named.\n"
	"Every holder's `amparo status` shows when it was done last.  Twice a year is good.\n";

const char cmd_recovery_run_help[] =
	"Use: amparo recovery run [--keep NAME]… [--records-only] [--yes]\n\n"
	"Restores a desk that lost its vaults, on the device of an attorney who may be new: as many\n"
	"trustees as are needed type their shares, and everything since the ceremony that a server\n"
	"still holds is opened and taken into this vault.  You become the desk's holder; an\n"
	"administrator's next sync lists it, after a release; volunteers have nothing to do.\n\n"
	"With the shares together the key was whole on a device, so it counts as burnt: hold a new\n"
	"ceremony (`amparo recovery setup`) as soon as the change is listed.  Phones that were\n"
	"offline may still send what they sealed before: keep the old sheets for a month, run this\n"
	"once more, then burn them.\n\n"
	"  --keep NAME      a holder whose vault is not lost stays one; may be given several times\n"
	"  --records-only   take the records in and change nothing about who holds the desk\n"
	"  --yes            do not ask before it begins\n";

static int fail_join(enum perr err, const char *why)
{
	return err == PERR_REFUSED ? cli_fail(EXIT_REFUSED, "%s.", why)
	                           : cli_fail_err(err, "the shares could not be put together");
}

/* one share; *ended: the input is over */
static int ask_one(struct ask *a, struct recovery *r, bool *ended)
{
	char label[64], why[RECOVERY_WHY];
	struct share_typed t;
	enum perr err = PERR_OK;

	*ended = false;
	if (recovery_need(r) == 0)
		snprintf(label, sizeof label, "First share");
	else if (recovery_have(r) < recovery_need(r))
		snprintf(label, sizeof label, "Share %u of the %u needed", recovery_have(r) + 1,
		         recovery_need(r));
	else
		snprintf(label, sizeof label, "One more share");
	if (share_ask(a, label, &t) != ASK_LINE) {
		*ended = true;
		return EXIT_DONE;
	}
	if (share_whole(a, &t)) {
		uint32_t index = t.share.index;

		err = recovery_add(r, &t.share, why);
		if (err == PERR_OK)
			ask_say(a, 0, "Share %u was taken (%u of %u).", index, recovery_have(r),
			        recovery_need(r));
		else if (err == PERR_REFUSED)
			ask_say(a, 0, "Not taken: %s.", why);
	}
	sodium_memzero(&t, sizeof t);
	return err == PERR_OK || err == PERR_REFUSED ? EXIT_DONE
	     : cli_fail_err(err, "the share could not be checked");
}

/* until the key is whole */
static int gather(struct ask *a, struct recovery *r)
{
	char why[RECOVERY_WHY];
	bool ended = false;
	enum perr err = PERR_MORE;
	int code = EXIT_DONE;

	while (code == EXIT_DONE && !ended && !recovery_is_joined(r)) {
		code = ask_one(a, r, &ended);
		if (code != EXIT_DONE || ended || recovery_need(r) == 0 ||
		    recovery_have(r) < recovery_need(r))
			continue;
		err = recovery_join(r, why);
		if (err == PERR_REFUSED && (recovery_is_joined(r) ||
		                            recovery_have(r) < recovery_of(r)))
			ask_say(a, 0, "%s.", why);
		else if (err != PERR_OK)
			code = fail_join(err, why);
	}
	if (code == EXIT_DONE && ended)
		code = cli_fail(EXIT_REFUSED, "ended with %u share%s; nothing was put together.",
		                recovery_have(r), recovery_have(r) == 1 ? "" : "s");
	return code;
}

static int begin(struct cli *cli, struct recovery **r)
{
	enum perr err;

	*r = NULL;
	if (cli->client->staff == NULL)
		return cli_fail(EXIT_REFUSED, "shares are brought together on an attorney's device.");
	err = recovery_new(r, cli->client);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "this could not begin");
}

static void print_desk(const struct papers_info *p)
{
	term_print(stdout, p->desk_name, strlen(p->desk_name), TERM_LINE);
}

int cmd_recovery_rehearse(struct cli *cli, int argc, char **argv)
{
	struct recovery *r = NULL;
	struct papers_info paper;
	char why[RECOVERY_WHY];
	struct ask ask;
	uint32_t have, of;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc != optind)
		return cli_usage(cli, "nothing else is needed");
	code = cli_open(cli);
	if (code == EXIT_DONE)
		code = begin(cli, &r);
	if (code == EXIT_DONE && !client_is_holder(cli->client, NULL))
		code = cli_fail(EXIT_REFUSED, "a rehearsal is held on a device of one who holds the desk.");
	if (code != EXIT_DONE)
		goto out;
	ask_begin(&ask, false);
	code = gather(&ask, r);
	ask_done(&ask);
	if (code != EXIT_DONE)
		goto out;
	paper = *recovery_paper(r);
	have = recovery_have(r);
	of = recovery_of(r);
	err = recovery_rehearse(r, why);
	recovery_end(r);
	if (err == PERR_REFUSED)
		code = cli_fail(EXIT_REFUSED, "%s.", why);
	else if (err == PERR_STATE)
		code = cli_fail(EXIT_REFUSED, "you do not hold the desk of these shares.");
	else if (err == PERR_NOTFOUND)
		code = cli_fail(EXIT_REFUSED, "what the ceremony published has not reached this device; run "
		                "`amparo sync` after a release, then rehearse.");
	else if (err != PERR_OK)
		code = cli_fail_err(err, "the rehearsal could not be written down");
	if (code != EXIT_DONE)
		goto out;
	printf("Rehearsed: %u of %u shares of desk ", have, of);
	print_desk(&paper);
	puts(" proven, canary opened.\nNobody saw the key, and nothing of it was kept.  The trustees take "
	     "their sheets with them.");
	code = net_sync(cli, NET_QUIET | NET_YES);
out:
	recovery_free(r);
	return code;
}

/* ---- run ----------------------------------------------------------------------------------- */

struct run {
	uint8_t keep[CHARTER_HOLDERS_MAX][32];
	uint32_t n_keep;
	bool records_only, yes;
};

static int find_kept(struct cli *cli, struct run *k, char **names, uint32_t n)
{
	const struct roster_staff *staff = cli->client->staff;

	for (uint32_t i = 0; i < n; i++) {
		const struct roster_member *m = NULL;

		for (uint32_t j = 0; j < staff->n_members && m == NULL; j++)
			if (strcmp(staff->members[j].name, names[i]) == 0)
				m = &staff->members[j];
		if (m == NULL)
			return cli_fail(EXIT_REFUSED, "\"%s\" is no member of the staff; `amparo members` "
			                "shows the names.", names[i]);
		memcpy(k->keep[k->n_keep++], m->key, 32);
	}
	return EXIT_DONE;
}

static int say_plan(struct cli *cli, const struct recovery *r, const struct run *k)
{
	const struct papers_info *p = recovery_paper(r);
	const struct desk *d;
	enum perr err = cache_desk(cli->client, p->desk, &d);

	if (err != PERR_OK)
		return cli_fail_err(err, "the desk could not be read");
	fputs("The records of desk ", stdout);
	print_desk(p);
	puts(" come into this vault.");
	if (!p->in_force)
		puts("This paper holder was replaced: who holds the desk stays as it is.");
	if (p->in_force && !k->records_only) {
		puts("Afterwards the desk is held by:\n  you");
		for (uint32_t i = 0; i < d->now.n; i++) {
			char name[160];
			bool stays = doc_find((const uint8_t (*)[32])k->keep, k->n_keep,
			                      d->now.holders[i]) < k->n_keep;

			if (charter_is_paper(&d->now, d->now.holders[i]) ||
			    memcmp(d->now.holders[i], cli->client->me->sign_pk, 32) == 0)
				continue;
			client_name_of(cli->client, d->now.holders[i], name, sizeof name);
			fputs(stays ? "  " : "  not any more: ", stdout);
			term_print(stdout, name, strlen(name), TERM_LINE);
			putchar('\n');
		}
		puts("  not any more: the paper holder; its sheets are used up");
	}
	return EXIT_DONE;
}

static bool wants_it(struct ask *a, bool yes)
{
	char *line = NULL;
	bool is = yes;

	if (!yes && ask_line(a, "Begin?  yes or no: ", &line) == ASK_LINE)
		is = typed_yes(line) == 1;
	ask_free(line);
	return is;
}

static enum perr count_want(void *arg, const struct want *w)
{
	(void)w;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

struct missing {
	const uint8_t *desk;
	unsigned n;
};

static enum perr count_gap(void *arg, const struct gaps_report *g)
{
	struct missing *m = arg;

	if (memcmp(g->gap.desk, m->desk, 32) == 0)
		m->n += g->gap.missing;
	return PERR_OK;
}

static int say_restored(struct cli *cli, const struct papers_info *p)
{
	struct client *c = cli->client;
	struct recovery_counts k;
	struct missing missing = { .desk = p->desk };
	unsigned wants = 0;
	enum perr err = recovery_count(c, p->desk, &k);

	if (err == PERR_OK)
		err = record_wants(c, count_want, &wants);
	if (err == PERR_OK)
		err = gaps_each(c, count_gap, &missing);
	if (err != PERR_OK)
		return cli_fail_err(err, "the vault could not be read");
	printf("Restored %u of %u entries that were sent to desk ", k.entries, k.entries + missing.n);
	print_desk(p);
	printf(": %u case%s.\n", k.cases, k.cases == 1 ? "" : "s");
	if (missing.n > 0)
		printf("By the numbers of those that are here, %u more %s made: they are on no server that "
		       "was reached, or not yet.\n", missing.n, missing.n == 1 ? "was" : "were");
	if (wants > 0)
		printf("%u attachment%s missing: parts of %s were not on the servers that were reached.\n",
		       wants, wants == 1 ? " is" : "s are", wants == 1 ? "it" : "them");
	return EXIT_DONE;
}

static int restore(struct cli *cli, struct recovery *r, const struct run *k)
{
	struct papers_info paper = *recovery_paper(r);
	bool takes_over = paper.in_force && !k->records_only;
	char why[RECOVERY_WHY];
	enum perr err = recovery_begin(r, (const uint8_t (*)[32])k->keep, k->n_keep,
	                               k->records_only, why);
	int code, said;

	if (err == PERR_REFUSED)
		return cli_fail(EXIT_REFUSED, "%s.", why);
	if (err != PERR_OK)
		return cli_fail_err(err, "the recovery could not begin");
	code = net_sync(cli, NET_YES);
	recovery_end(r);
	said = say_restored(cli, &paper);
	if (code != EXIT_DONE)
		return cli_fail(code, "not every server was gone through; run `amparo recovery run` again "
		                "when they can be reached.  What was restored stays.");
	if (takes_over)
		puts("Next: after a release an administrator's `amparo sync` lists you as the desk's holder; "
		     "then `amparo sync` here.  Add a second holder (`amparo desk change --add`), and hold a "
		     "new ceremony: `amparo recovery setup`.");
	puts("Phones that were offline may still send what they sealed before: keep these sheets for a "
	     "month, run this once more, then burn them.");
	return said;
}

int cmd_recovery_run(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "keep", required_argument, NULL, OPT_KEEP },
		{ "records-only", no_argument, NULL, OPT_RECORDS },
		{ "yes", no_argument, NULL, OPT_YES }, { 0 }
	};
	struct run k = { .n_keep = 0 };
	struct recovery *r = NULL;
	char *names[CHARTER_HOLDERS_MAX];
	uint32_t n = 0;
	struct ask ask;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_KEEP:
			if (n == CHARTER_HOLDERS_MAX)
				return cli_usage(cli, "a desk has at most %d holders", CHARTER_HOLDERS_MAX);
			names[n++] = optarg;
			break;
		case OPT_RECORDS: k.records_only = true; break;
		case OPT_YES:     k.yes = true; break;
		default:          return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc != optind)
		return cli_usage(cli, "names are given with --keep");
	code = cli_open_as(cli, ROLE_ATTORNEY);
	if (code == EXIT_DONE)
		code = net_sync(cli, NET_QUIET | NET_YES);
	if (code == EXIT_DONE)
		code = begin(cli, &r);
	if (code == EXIT_DONE)
		code = find_kept(cli, &k, names, n);
	if (code != EXIT_DONE)
		goto out;
	ask_begin(&ask, false);
	code = gather(&ask, r);
	if (code == EXIT_DONE)
		code = say_plan(cli, r, &k);
	if (code == EXIT_DONE && !wants_it(&ask, k.yes))
		code = cli_fail(EXIT_REFUSED, "nothing was done.");
	ask_done(&ask);
	if (code == EXIT_DONE)
		code = restore(cli, r, &k);
out:
	recovery_free(r);
	return code;
}
