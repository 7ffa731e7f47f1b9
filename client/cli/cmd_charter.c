/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_charter.h"

#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "charters.h"
#include "cmd_desk.h"
#include "compare.h"
#include "holders.h"
#include "net.h"
#include "roster.h"
#include "status_charters.h"
#include "term.h"
#include "trust.h"
#include "vouch.h"

enum { OPT_ADD = 1, OPT_REMOVE, OPT_THRESHOLD, OPT_YES, OPT_CHECKED, OPT_AS };

static void print(const char *s)
{
	term_print(stdout, s, strlen(s), TERM_LINE);
}

static void print_name(struct client *c, const uint8_t key[32])
{
	char name[160];

	client_name_of(c, key, name, sizeof name);
	print(name);
}

/* ---- what would change ------------------------------------------------------------------- */

/* every holder on a line of its own, so that a screen reader says who is new behind the name */
static void print_change(struct client *c, const struct charters_change *ch)
{
	fputs("Desk ", stdout);
	print(ch->desk->now.name);
	puts(" would be read by:");
	for (uint32_t i = 0; i < ch->next->n; i++) {
		fputs("  ", stdout);
		print_name(c, ch->next->holders[i]);
		puts(charter_has_holder(&ch->desk->now, ch->next->holders[i]) ? "" : "  (new)");
	}
	for (uint32_t i = 0; i < ch->n_removed; i++) {
		fputs(i == 0 ? "and not any more by:\n  " : "  ", stdout);
		print_name(c, ch->removed[i]);
		putchar('\n');
	}
	printf("Signatures for the next change: %u.\n", ch->next->threshold);
	if (charter_living(ch->next) == 1 && !ch->next->has_paper)
		puts("Warning: with one holder, a lost vault loses every record of the desk.");
}

static int compare_all(struct cli *cli, const uint8_t (*keys)[32], uint32_t n, bool checked)
{
	int code = EXIT_DONE;

	/* whoever lists a false key under an attorney's name would read everything from now on */
	for (uint32_t i = 0; i < n && code == EXIT_DONE; i++)
		if (memcmp(keys[i], cli->client->me->sign_pk, 32) != 0)
			code = compare_words(cli, keys[i], checked, "give the desk");
	return code;
}

static void say_next(uint32_t n_signed, uint32_t n_needed)
{
	if (n_signed >= n_needed)
		puts("It has the signatures it needs: the next `amparo sync` of an administrator lists "
		     "it, after a release.  Until a device knows of it, it seals to the present "
		     "holders.");
	else
		printf("%u of %u signatures.  The other holders run `amparo sync` after the next release, "
		       "then `amparo desk sign`.\n", n_signed, n_needed);
}

struct find {
	struct cli *cli;
	const uint8_t *hash;             /* NULL: those that wait for this member */
	const char *name;
	unsigned want;                   /* which of them, from 1; 0: all, the last one is found */
	unsigned n;
	uint8_t found[32];
	bool print, numbered;
	uint32_t n_signed, n_needed, n_added;
	uint8_t added[CHARTER_HOLDERS_MAX][32];
};

static enum perr find_one(void *arg, const struct charters_change *ch)
{
	struct find *f = arg;

	if (f->hash != NULL ? memcmp(f->hash, ch->hash, 32) != 0
	                    : !ch->may_sign || ch->signed_by_me ||
	                      (f->name != NULL && strcmp(f->name, ch->desk->now.name) != 0))
		return PERR_OK;
	f->n++;
	if (f->want != 0 && f->want != f->n)
		return PERR_OK;
	memcpy(f->found, ch->hash, 32);
	f->n_signed = ch->n_signed;
	f->n_needed = ch->n_needed;
	f->n_added = ch->n_added;
	memcpy(f->added, ch->added, sizeof f->added);
	if (f->numbered)
		printf("Number %u\n", f->n);
	if (f->print)
		print_change(f->cli->client, ch);
	return PERR_OK;
}

enum perr cmd_change_count(struct cli *cli, const char *name, unsigned *n)
{
	struct find f = { .cli = cli, .name = name };
	enum perr err = charters_each(cli->client, find_one, &f);

	*n = f.n;
	return err;
}

int cmd_change_sign(struct cli *cli, const char *name, unsigned number, bool yes, bool checked)
{
	struct find f = { .cli = cli, .name = name, .want = number, .print = true };
	unsigned n = 0;
	enum perr err = cmd_change_count(cli, name, &n);
	int code = EXIT_DONE;

	/* the order is that of their hashes: the same for everybody */
	f.numbered = n > 1 && number == 0;
	if (err == PERR_OK)
		err = charters_each(cli->client, find_one, &f);
	if (err != PERR_OK)
		return cli_fail_err(err, "the changes could not be read");
	if (f.numbered)
		return cli_fail(EXIT_REFUSED, "several changes wait; only one of a desk can be listed.  "
		                "Agree with the other holders, then sign it with --number.");
	if (number > n)
		return cli_fail(EXIT_REFUSED, "only %u change%s for your signature.", n,
		                n == 1 ? " waits" : "s wait");
	code = compare_all(cli, (const uint8_t (*)[32])f.added, f.n_added, checked);
	if (code == EXIT_DONE && !yes && !term_yes(stdin, stderr, "Sign this change?", false))
		code = cli_fail(EXIT_REFUSED, "nothing was signed; the change waits until enough holders "
		                "want it, or for ever.");
	if (code != EXIT_DONE)
		return code;
	err = charters_sign(cli->client, f.found);
	if (err != PERR_OK)
		return cli_fail_err(err, "the change could not be signed");
	fputs("Signed.  ", stdout);
	say_next(f.n_signed + 1, f.n_needed);
	return net_sync(cli, NET_QUIET | NET_YES);
}

/* ---- change ------------------------------------------------------------------------------- */

const char cmd_desk_change_help[] =
	"Use: amparo desk change NAME [--add MEMBER]... [--remove MEMBER]... [--threshold K]\n\n"
	"Proposes who holds the desk NAME from now on, signed by you as one of its holders.  The\n"
	"others see it in `amparo status` and sign it with `amparo desk sign`; when as many have\n"
	"signed as the desk asks for, the next sync of an administrator lists it.  No\n"
	"administrator can refuse it, or change who holds a desk without you.\n\n"
	"Who is added gets new intakes as soon as the senders' devices know of the change, and the\n"
	"records so far from the other holders, by itself.  Who is removed gets no new ones; what\n"
	"was read stays read.  At least one holder has to stay.\n\n"
	"  --add MEMBER       an attorney or interpreter, as `amparo members` shows the name.  Six\n"
	"                     words of their key are compared by voice, if you have not yet\n"
	"  --remove MEMBER    a holder\n"
	"  --threshold K      how many holders must sign the next change; below their number\n"
	"                     (as it is)\n"
	"  --words-checked    the words of who is added were compared already (for scripts)\n"
	"  --yes              do not ask\n\n"
	"Examples:\n"
	"  amparo desk change Intake --add \"Carol Diaz\"\n"
	"  amparo desk change Intake --add \"Carol Diaz\" --remove \"Ben Carter\" --threshold 2\n\n"
	"Exit codes: 0 done, 1 refused (nothing was signed), 2 wrong command line, 3 no network\n"
	"(it is kept and sent by the next sync), 4 vault locked, 5 vault or disk damaged.\n";

struct names {
	const char *at[CHARTER_HOLDERS_MAX];
	uint32_t n;
};

static bool add_name(struct names *l, const char *name)
{
	if (l->n == CHARTER_HOLDERS_MAX)
		return false;
	l->at[l->n++] = name;
	return true;
}

/* who may hold a desk */
static int keys_of_members(struct cli *cli, const struct names *l,
                           uint8_t keys[CHARTER_HOLDERS_MAX][32])
{
	const struct roster_staff *s = cli->client->staff;

	for (uint32_t k = 0; k < l->n; k++) {
		uint32_t i = 0;

		while (i < s->n_members && strcmp(s->members[i].name, l->at[k]) != 0)
			i++;
		if (i == s->n_members)
			return cli_fail(EXIT_REFUSED, "\"%s\" is no member of the staff; `amparo members` "
			                "shows the names.", l->at[k]);
		if (s->members[i].role == ROSTER_ADMINISTRATOR)
			return cli_fail(EXIT_REFUSED, "%s is an administrator; who enrols people must not "
			                "read their records.  Name attorneys.", l->at[k]);
		memcpy(keys[k], s->members[i].key, 32);
	}
	return EXIT_DONE;
}

/*
 * A holder by the name shown here: also one who is no member any more, under the name that
 * `desk show` prints.
 */
static int keys_of_holders(struct cli *cli, const struct desk *d, const struct names *l,
                           uint8_t keys[CHARTER_HOLDERS_MAX][32])
{
	for (uint32_t k = 0; k < l->n; k++) {
		uint32_t i;

		for (i = 0; i < d->now.n; i++) {
			char name[160];

			client_name_of(cli->client, d->now.holders[i], name, sizeof name);
			if (strcmp(name, l->at[k]) == 0)
				break;
		}
		if (i == d->now.n)
			return cli_fail(EXIT_REFUSED, "\"%s\" does not hold this desk; `amparo desk show` "
			                "names who does.", l->at[k]);
		memcpy(keys[k], d->now.holders[i], 32);
	}
	return EXIT_DONE;
}

static enum perr print_found(struct cli *cli, const uint8_t hash[32], struct find *f)
{
	*f = (struct find){ .cli = cli, .hash = hash };
	return charters_each(cli->client, find_one, f);
}

/* said before it is signed: the same lines as a co-holder sees */
static int announce(struct cli *cli, const struct desk *d, const struct charters_wish *w)
{
	struct charters_change *ch = calloc(1, sizeof *ch);
	struct charter *next = calloc(1, sizeof *next);
	char why[CHARTERS_WHY] = "";
	enum perr err = ch == NULL || next == NULL ? PERR_NOMEM
	              : charters_look(cli->client, d->id, w, next, why);
	int code = EXIT_DONE;

	if (err == PERR_OK) {
		ch->desk = d;
		ch->next = next;
		for (uint32_t i = 0; i < d->now.n; i++)
			if (!charter_has_holder(next, d->now.holders[i]))
				memcpy(ch->removed[ch->n_removed++], d->now.holders[i], 32);
		print_change(cli->client, ch);
	} else if (err == PERR_REFUSED) {
		code = cli_fail(EXIT_REFUSED, "%s; nothing was signed.", why);
	} else {
		code = cli_fail_err(err, "the change could not be proposed");
	}
	free(ch);
	free(next);
	return code;
}

static int propose(struct cli *cli, const struct desk *d, const struct charters_wish *w, bool yes,
                   bool checked)
{
	uint8_t hash[32];
	char why[CHARTERS_WHY];
	struct find f;
	enum perr err;
	int code = announce(cli, d, w);

	/* what cannot be is said before anybody is called on the telephone */
	if (code == EXIT_DONE)
		code = compare_all(cli, w->add, w->n_add, checked);
	if (code != EXIT_DONE)
		return code;
	if (!yes && !term_yes(stdin, stderr, "Propose and sign this change?", false))
		return cli_fail(EXIT_REFUSED, "nothing was signed.");
	err = charters_propose(cli->client, d->id, w, hash, why);
	if (err == PERR_REFUSED)
		return cli_fail(EXIT_REFUSED, "%s; nothing was signed.", why);
	if (err == PERR_OK)
		err = print_found(cli, hash, &f);
	if (err != PERR_OK)
		return cli_fail_err(err, "the change could not be proposed");
	fputs("Proposed and signed.  ", stdout);
	say_next(f.n_signed, f.n_needed);
	return net_sync(cli, NET_QUIET | NET_YES);
}

int cmd_desk_change(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "add", required_argument, NULL, OPT_ADD },
		{ "remove", required_argument, NULL, OPT_REMOVE },
		{ "threshold", required_argument, NULL, OPT_THRESHOLD },
		{ "words-checked", no_argument, NULL, OPT_CHECKED },
		{ "yes", no_argument, NULL, OPT_YES }, { 0 }
	};
	uint8_t add[CHARTER_HOLDERS_MAX][32], remove[CHARTER_HOLDERS_MAX][32], id[32];
	struct names adds = { .n = 0 }, removes = { .n = 0 };
	struct charters_wish w = { .add = (const uint8_t (*)[32])add,
	                           .remove = (const uint8_t (*)[32])remove };
	const struct desk *d = NULL;
	bool yes = false, checked = false, fits = true;
	unsigned long k = 0;
	char *end;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_ADD:
			fits = add_name(&adds, optarg) && fits;
			break;
		case OPT_REMOVE:
			fits = add_name(&removes, optarg) && fits;
			break;
		case OPT_THRESHOLD:
			k = strtoul(optarg, &end, 10);
			if (*end != '\0' || k < 1 || k > CHARTER_HOLDERS_MAX)
				return cli_usage(cli, "\"%s\" is not a number of holders", optarg);
			break;
		case OPT_CHECKED:
			checked = true;
			break;
		case OPT_YES:
			yes = true;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind != 1)
		return cli_usage(cli, "the desk's name is needed, then who is added and removed");
	if (!fits)
		return cli_usage(cli, "a desk has at most %d holders", CHARTER_HOLDERS_MAX);
	if (adds.n + removes.n + k == 0)
		return cli_usage(cli, "--add, --remove or --threshold is needed");
	code = cli_open(cli);
	if (code == EXIT_DONE && cli->client->staff == NULL)
		code = cli_fail(EXIT_REFUSED, "only who holds a desk can change who does.");
	if (code == EXIT_DONE)
		code = cmd_desk_find(cli, argv[optind], true, id);
	if (code != EXIT_DONE)
		return code;
	err = cache_desk(cli->client, id, &d);
	if (err != PERR_OK)
		return cli_fail_err(err, "the desk could not be read");
	if (!charter_has_holder(&d->now, cli->client->me->sign_pk))
		return cli_fail(EXIT_REFUSED, "only who holds the desk %s can change who does; `amparo "
		                "desk show` names them.", d->now.name);
	w.threshold = (uint32_t)k;
	w.n_add = adds.n;
	w.n_remove = removes.n;
	code = keys_of_members(cli, &adds, add);
	if (code == EXIT_DONE)
		code = keys_of_holders(cli, d, &removes, remove);
	return code == EXIT_DONE ? propose(cli, d, &w, yes, checked) : code;
}

/* ---- show --------------------------------------------------------------------------------- */

const char cmd_desk_show_help[] =
	"Use: amparo desk show [NAME]\n\n"
	"A desk: the words of its first charter, as on the training sheet; the words of the\n"
	"charter in force, to compare with others who holds it now; its holders as far as this\n"
	"device may know them, those who left, changes that wait for signatures, and the desks\n"
	"that vouch for it.\n";

struct show {
	struct cli *cli;
	const struct desk *d;
	unsigned n;
};

static enum perr show_change(void *arg, const struct charters_change *ch)
{
	struct show *s = arg;
	char who[700];

	if (memcmp(ch->desk->id, s->d->id, 32) != 0)
		return PERR_OK;
	status_change_words(s->cli->client, ch, who, sizeof who);
	fputs("Proposed: ", stdout);
	print(who);
	printf(" (%u of %u signatures)\n", ch->n_signed, ch->n_needed);
	return PERR_OK;
}

static enum perr show_vouch(void *arg, const struct vouch *v)
{
	struct show *s = arg;

	if (memcmp(v->desk, s->d->id, 32) != 0)
		return PERR_OK;
	fputs("Desk ", stdout);
	print(v->by_name);
	if (v->listed)
		puts(" vouches for it.");
	else
		printf(" is to vouch for it: %u of %u signatures of those who hold it now.\n",
		       v->n_signed, v->n_needed);
	return PERR_OK;
}

static void show_holders(struct client *c, const struct desk *d)
{
	if (c->staff == NULL) {          /* a volunteer's device knows no names */
		printf("%u holder%s read its intakes", d->now.n, d->now.n == 1 ? "" : "s");
	} else {
		puts("Its intakes are read by:");
		for (uint32_t i = 0; i < d->now.n; i++) {
			fputs("  ", stdout);
			print_name(c, d->now.holders[i]);
			putchar('\n');
		}
		for (uint32_t i = 0; i < d->n_former; i++) {
			fputs(i == 0 ? "It was held by:\n  " : "  ", stdout);
			print_name(c, d->former[i]);
			putchar('\n');
		}
		printf("%u of them", d->now.threshold);
	}
	printf(c->staff == NULL ? ".\n" : " sign%s a change.\n", d->now.threshold == 1 ? "s" : "");
}

int cmd_desk_show(struct cli *cli, int argc, char **argv)
{
	struct show s = { .cli = cli };
	enum trust_how how;
	uint8_t id[32];
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind > 1)
		return cli_usage(cli, "one desk is shown at a time");
	code = cli_open(cli);
	if (code == EXIT_DONE)
		code = cmd_desk_find(cli, argv[optind], true, id);
	if (code != EXIT_DONE)
		return code;
	err = cache_desk(cli->client, id, &s.d);
	if (err == PERR_OK)
		err = trust_desk(cli->client, id, &how);
	if (err != PERR_OK)
		return cli_fail_err(err, "the desk could not be read");
	fputs("Desk ", stdout);
	print(s.d->now.name);
	fputs(" of ", stdout);
	print(s.d->now.organisation);
	printf("\nTrust: %s.\nWords of its first charter, as on the training sheet:\n    ",
	       desk_trust_text((enum desk_trust)(int)how));
	cmd_desk_words(s.d->id);
	if (s.d->now.version == 0) {
		puts("\nIts holders never changed.");
	} else {
		printf("\nIts holders changed %u time%s.  Words of the charter in force:\n    ",
		       s.d->now.version, s.d->now.version == 1 ? "" : "s");
		cmd_desk_words(s.d->hashes[s.d->n_hashes - 1]);
		putchar('\n');
	}
	show_holders(cli->client, s.d);
	if (cli->client->staff != NULL) {
		err = charters_each(cli->client, show_change, &s);
		if (err == PERR_OK)
			err = vouch_each(cli->client, show_vouch, &s);
	}
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the desk could not be read");
}

/* ---- countersign -------------------------------------------------------------------------- */

const char cmd_desk_countersign_help[] =
	"Use: amparo desk countersign DESK [--as OWN] [--yes]\n\n"
	"You, as a holder of the desk OWN, vouch for another listed desk: devices that trust OWN\n"
	"then trust DESK without typing words from paper.  It counts when as many holders of OWN\n"
	"have said so as a change of OWN asks for; an administrator's next sync lists it.\n\n"
	"Compare the words of DESK by voice with somebody who holds it, at a number you know.\n"
	"After a change of who holds OWN its present holders have to vouch anew.\n\n"
	"  --as OWN    the desk in whose name, where you hold several\n"
	"  --yes       the words were compared already; do not ask\n";

static int own_desk(struct cli *cli, const char *name, const uint8_t other[32], uint8_t by[32])
{
	const uint8_t (*held)[32];
	size_t n_held, n = 0;
	enum perr err = cache_held(cli->client, &held, &n_held);

	if (err != PERR_OK)
		return cli_fail_err(err, "the desks could not be read");
	for (size_t i = 0; i < n_held; i++) {
		const struct desk *d;

		if (memcmp(held[i], other, 32) == 0 || cache_desk(cli->client, held[i], &d) != PERR_OK ||
		    (name != NULL && strcmp(d->now.name, name) != 0))
			continue;
		memcpy(by, held[i], 32);
		n++;
	}
	if (n == 1)
		return EXIT_DONE;
	return cli_fail(EXIT_REFUSED, n == 0 ? "you hold no other desk%s that could vouch for this one."
	                : "you hold several desks; say which one vouches, with --as.",
	                name == NULL ? "" : " of that name");
}

int cmd_desk_countersign(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "as", required_argument, NULL, OPT_AS },
		{ "yes", no_argument, NULL, OPT_YES }, { 0 }
	};
	uint8_t desk[32], by[32];
	const struct desk *d;
	const char *as = NULL;
	bool yes = false;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_AS:
			as = optarg;
			break;
		case OPT_YES:
			yes = true;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind != 1)
		return cli_usage(cli, "the desk to vouch for is needed");
	code = cli_open(cli);
	if (code == EXIT_DONE && cli->client->staff == NULL)
		code = cli_fail(EXIT_REFUSED, "only who holds a desk can vouch for another.");
	if (code == EXIT_DONE)
		code = cmd_desk_find(cli, argv[optind], true, desk);
	if (code == EXIT_DONE)
		code = own_desk(cli, as, desk, by);
	if (code != EXIT_DONE)
		return code;
	err = cache_desk(cli->client, desk, &d);
	if (err != PERR_OK)
		return cli_fail_err(err, "the desk could not be read");
	fputs("Desk ", stdout);
	print(d->now.name);
	fputs(" of ", stdout);
	print(d->now.organisation);
	fputs("; its words:\n    ", stdout);
	cmd_desk_words(d->id);
	putchar('\n');
	show_holders(cli->client, d);
	if (!yes && !term_yes(stdin, stderr, "Did somebody who holds it read exactly these words to "
	                      "you?", false))
		return cli_fail(EXIT_REFUSED, "nothing was signed.");
	err = vouch_sign(cli->client, desk, by);
	if (err == PERR_LIMIT)
		return cli_fail(EXIT_REFUSED, "%d desks vouch for it already, the most that is possible.",
		                CHARTER_COUNTER_MAX);
	if (err != PERR_OK)
		return cli_fail_err(err, "nothing was signed");
	puts("Signed.  It counts when enough holders of your desk have signed; an administrator's next "
	     "`amparo sync` lists it then.");
	return net_sync(cli, NET_QUIET | NET_YES);
}
