/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_desk.h"

#include <stdlib.h>
#include <string.h>

#include "cmd_charter.h"
#include "desk.h"
#include "holders.h"
#include "net.h"
#include "org.h"
#include "roster.h"
#include "term.h"
#include "trust.h"
#include "words.h"

enum { OPT_HOLDERS = 1, OPT_THRESHOLD, OPT_ORG, OPT_WORDS, OPT_YES, OPT_CHECKED,
       OPT_NUMBER };

struct name_of {
	const uint8_t *id;
	char *name;
};

static enum perr take_name(void *arg, const struct holders_desk *d)
{
	struct name_of *n = arg;

	if (n->name == NULL && memcmp(d->id, n->id, 32) == 0) {
		n->name = strdup(d->charter->name);
		if (n->name == NULL)
			return PERR_NOMEM;
	}
	return PERR_OK;
}

enum perr cmd_desk_name(struct client *c, const uint8_t id[32], char **name)
{
	struct name_of n = { .id = id };
	enum perr err = holders_each(c, take_name, &n);

	if (err == PERR_OK && n.name == NULL)
		n.name = strdup("");
	if (err == PERR_OK && n.name == NULL)
		err = PERR_NOMEM;
	if (err != PERR_OK) {
		free(n.name);
		n.name = NULL;
	}
	*name = n.name;
	return err;
}

void cmd_desk_words(const uint8_t id[32])
{
	uint16_t w[DESK_WORDS];

	desk_words(w, id);
	for (int i = 0; i < DESK_WORDS; i++)
		printf("%s%s", i == 0 ? "" : "  ", words_get(w[i]));
}

/* finds a desk by name and says what is wrong if there is not exactly one */
int cmd_desk_find(struct cli *cli, const char *name, bool only_listed, uint8_t id[32])
{
	enum perr err = holders_find(cli->client, name, only_listed, id);

	if (err == PERR_NOTFOUND)
		return cli_fail(EXIT_REFUSED, "no desk of that name is known here; run `amparo sync`, "
		                "then `amparo desk list`.");
	if (err == PERR_EXISTS)
		return cli_fail(EXIT_REFUSED, "there are several desks%s; give the name of one.",
		                name == NULL ? "" : " of that name: ask your administrator which is "
		                "the right one, by its words");
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the desks could not be read");
}

/* ---- create ------------------------------------------------------------------------- */

const char cmd_desk_create_help[] =
	"Use: amparo desk create NAME --holders \"NAME,NAME\" [--threshold N] [--org ORGANISATION]\n\n"
	"Proposes a desk: who will read every intake of it.  The holders sign its charter with\n"
	"`amparo desk sign`; nobody can read for the desk who did not.  A holder, or an\n"
	"administrator who will not be one, may propose it.\n\n"
	"  --holders NAMES    members (attorneys, interpreters) with commas, as `amparo members`\n"
	"                     shows them; two or more, so that a lost vault loses nothing\n"
	"  --threshold N      how many holders must sign a later change; below their number (1)\n"
	"  --org NAME         the organisation behind the desk, if it is another one\n\n"
	"Example: amparo desk create Intake --holders \"Ana Ruiz,Ben Carter\"\n";

static const struct roster_member *find_member(const struct client *c, const char *name)
{
	for (uint32_t i = 0; i < c->staff->n_members; i++)
		if (strcmp(c->staff->members[i].name, name) == 0)
			return &c->staff->members[i];
	return NULL;
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " ");
	n = strlen(s);
	while (n > 0 && s[n - 1] == ' ')
		s[--n] = '\0';
	return s;
}

static int parse_holders(struct cli *cli, char *list, uint8_t keys[CHARTER_HOLDERS_MAX][32],
                         uint32_t *n)
{
	char *save = NULL;

	*n = 0;
	for (char *p = strtok_r(list, ",", &save); p != NULL; p = strtok_r(NULL, ",", &save)) {
		const char *name = trim(p);
		const struct roster_member *m = find_member(cli->client, name);

		if (*n == CHARTER_HOLDERS_MAX)
			return cli_fail(EXIT_REFUSED, "a desk has at most %d holders.",
			                CHARTER_HOLDERS_MAX);
		if (m == NULL)
			return cli_fail(EXIT_REFUSED, "\"%s\" is no member of the staff; `amparo members` "
			                "shows the names.", name);
		if (m->role == ROSTER_ADMINISTRATOR)
			return cli_fail(EXIT_REFUSED, "%s is an administrator; who enrols people must not "
			                "read their records.  Name attorneys.", name);
		memcpy(keys[(*n)++], m->key, 32);
	}
	if (*n == 0)
		return cli_usage(cli, "at least one holder is needed");
	return EXIT_DONE;
}

int cmd_desk_create(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "holders", required_argument, NULL, OPT_HOLDERS },
		{ "threshold", required_argument, NULL, OPT_THRESHOLD },
		{ "org", required_argument, NULL, OPT_ORG }, { 0 }
	};
	uint8_t keys[CHARTER_HOLDERS_MAX][32], id[32];
	char *holders = NULL, *end;
	const char *org = NULL;
	unsigned long threshold = 1;
	uint32_t n;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_HOLDERS:
			holders = optarg;
			break;
		case OPT_THRESHOLD:
			threshold = strtoul(optarg, &end, 10);
			if (*end != '\0' || threshold < 1 || threshold > CHARTER_HOLDERS_MAX)
				return cli_usage(cli, "\"%s\" is not a number of holders", optarg);
			break;
		case OPT_ORG:
			org = optarg;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind != 1 || holders == NULL)
		return cli_usage(cli, "the desk's name and --holders are needed");
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	if (cli->client->staff == NULL)
		return cli_fail(EXIT_REFUSED, "a desk is proposed by an administrator or an attorney.");
	code = parse_holders(cli, holders, keys, &n);
	if (code != EXIT_DONE)
		return code;
	err = holders_propose(cli->client, argv[optind],
	                      org != NULL ? org : cli->client->field->organisation,
	                      (uint32_t)threshold, (const uint8_t (*)[32])keys, n, id);
	if (err == PERR_RANGE)
		return cli_fail(EXIT_REFUSED, "this charter is not possible: names have 1 to 64 bytes, "
		                "each holder is named once, and the threshold lies below the number of "
		                "holders (1 where there is one).");
	if (err != PERR_OK)
		return cli_fail_err(err, "the desk could not be proposed");
	if (n == 1)
		puts("Warning: with one holder, a lost vault loses every record of the desk.");
	fputs("Proposed.  The words of this desk, for the training sheet:\n    ", stdout);
	cmd_desk_words(id);
	printf("\nEach holder runs `amparo sync` and `amparo desk sign` after the next release.\n");
	return net_sync(cli, NET_QUIET | NET_YES);
}

/* ---- sign --------------------------------------------------------------------------- */

const char cmd_desk_sign_help[] =
	"Use: amparo desk sign [NAME] [--number N] [--yes] [--words-checked]\n\n"
	"Shows who will read the desk's intakes and signs its charter with your key.  A new desk\n"
	"counts when all its first holders have signed; a change of who holds a desk when as many\n"
	"of its present holders have signed as the desk asks for.  Sign only if every name is\n"
	"right.  Before a change you are asked, and compare the words of whoever is new by voice.\n\n"
	"  --number N         which change, where several wait\n"
	"  --yes              sign a change without asking\n"
	"  --words-checked    the words of who is new were compared already (for scripts)\n";

static enum perr show_unsigned(void *arg, const struct holders_desk *d)
{
	struct cli *cli = arg;

	if (d->listed || d->signed_by_me || !charter_has_holder(d->charter, cli->client->me->sign_pk))
		return PERR_OK;
	printf("Desk ");
	term_print(stdout, d->charter->name, strlen(d->charter->name), TERM_LINE);
	puts(" will be read by:");
	for (uint32_t i = 0; i < d->charter->n; i++) {
		char name[160];

		client_name_of(cli->client, d->charter->holders[i], name, sizeof name);
		fputs("  ", stdout);
		term_print(stdout, name, strlen(name), TERM_LINE);
		putchar('\n');
	}
	fputs("Its words: ", stdout);
	cmd_desk_words(d->id);
	putchar('\n');
	return PERR_OK;
}

struct mine {
	struct cli *cli;
	const char *name;
	uint8_t id[32];
	unsigned n;
};

static enum perr pick_mine(void *arg, const struct holders_desk *d)
{
	struct mine *m = arg;

	if (d->listed || d->signed_by_me ||
	    !charter_has_holder(d->charter, m->cli->client->me->sign_pk) ||
	    (m->name != NULL && strcmp(m->name, d->charter->name) != 0))
		return PERR_OK;
	memcpy(m->id, d->id, 32);
	m->n++;
	return PERR_OK;
}

int cmd_desk_sign(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "yes", no_argument, NULL, OPT_YES },
		{ "number", required_argument, NULL, OPT_NUMBER },
		{ "words-checked", no_argument, NULL, OPT_CHECKED }, { 0 }
	};
	struct mine m = { .cli = cli };
	bool yes = false, checked = false;
	unsigned long number = 0;
	unsigned n_changes = 0;
	char *end;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_YES:
			yes = true;
			break;
		case OPT_CHECKED:
			checked = true;
			break;
		case OPT_NUMBER:
			number = strtoul(optarg, &end, 10);
			if (*end != '\0' || number < 1 || number > 1000)
				return cli_usage(cli, "\"%s\" is no number of a change", optarg);
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind > 1)
		return cli_usage(cli, "one desk is signed at a time");
	m.name = argv[optind];
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	err = holders_each(cli->client, pick_mine, &m);
	if (err == PERR_OK)
		err = cmd_change_count(cli, m.name, &n_changes);
	if (err != PERR_OK)
		return cli_fail_err(err, "the desks could not be read");
	if (m.n + n_changes == 0)
		return cli_fail(EXIT_REFUSED, "no charter waits for your signature; run `amparo sync` "
		                "after the next release, then `amparo desk list`.");
	if (m.n > 0 && m.n + n_changes > 1)
		return cli_fail(EXIT_REFUSED, "several charters wait; give the name of one, and "
		                "compare its words with whoever proposed it.");
	if (n_changes > 0)
		return cmd_change_sign(cli, m.name, (unsigned)number, yes, checked);
	err = holders_each(cli->client, show_unsigned, cli);
	if (err == PERR_OK)
		err = holders_sign(cli->client, m.id);
	if (err != PERR_OK)
		return cli_fail_err(err, "the charter could not be signed");
	puts("Signed.");
	return net_sync(cli, NET_QUIET | NET_YES);
}

/* ---- list --------------------------------------------------------------------------- */

const char cmd_desk_list_help[] =
	"Use: amparo desk list [--json]\n\n"
	"Desks of the roster and desks still collecting signatures, their six words, their\n"
	"holders as far as this device may know them, and who has not signed yet.\n";

struct listing {
	struct cli *cli;
	unsigned n;
};

static enum perr list_one(void *arg, const struct holders_desk *d)
{
	struct listing *l = arg;
	struct client *c = l->cli->client;
	enum trust_how how;
	enum perr err = trust_desk(c, d->id, &how);

	if (err != PERR_OK)
		return err;
	if (l->cli->json) {
		printf("%s{\"name\":", l->n == 0 ? "" : ",");
		cli_json_str(stdout, d->charter->name, strlen(d->charter->name));
		printf(",\"listed\":%s,\"signed\":%u,\"needed\":%u,\"trust\":%d,\"words\":\"",
		       d->listed ? "true" : "false", d->n_signed, d->n_needed, (int)how);
		cmd_desk_words(d->id);
		fputs("\"}", stdout);
		l->n++;
		return PERR_OK;
	}
	if (l->n++ > 0)
		putchar('\n');
	term_print(stdout, d->charter->name, strlen(d->charter->name), TERM_LINE);
	fputs(" (", stdout);
	term_print(stdout, d->charter->organisation, strlen(d->charter->organisation), TERM_LINE);
	if (d->listed)
		printf("): in the roster; %s\n", desk_trust_text((enum desk_trust)(int)how));
	else
		printf("): %u of %u holders have signed\n", d->n_signed, d->n_needed);
	fputs("  words:   ", stdout);
	cmd_desk_words(d->id);
	putchar('\n');
	for (uint32_t i = 0; i < d->charter->n; i++) {
		char name[160];

		client_name_of(c, d->charter->holders[i], name, sizeof name);
		printf("  %s ", i == 0 ? "holders:" : "        ");
		if (c->staff == NULL)
			printf("one of %u", d->charter->n);
		else
			term_print(stdout, name, strlen(name), TERM_LINE);
		if (!d->listed && signed_find(d->sigs, d->charter->holders[i]) == NULL)
			fputs(", has not signed", stdout);
		putchar('\n');
		if (c->staff == NULL)
			break;           /* a volunteer's device knows no names */
	}
	return PERR_OK;
}

int cmd_desk_list(struct cli *cli, int argc, char **argv)
{
	struct listing l = { .cli = cli };
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	if (cli->json)
		putchar('[');
	err = holders_each(cli->client, list_one, &l);
	if (cli->json)
		puts("]");
	if (err != PERR_OK)
		return cli_fail_err(err, "the desks could not be read");
	if (l.n == 0 && !cli->json)
		puts("No desk is known here.  `amparo desk create` proposes one.");
	return EXIT_DONE;
}

/* ---- publish ------------------------------------------------------------------------ */

const char cmd_desk_publish_help[] =
	"Use: amparo desk publish [NAME]\n\n"
	"Lists a desk in the roster once all its holders have signed, so that forms can be\n"
	"published for it and volunteers invited to it.  An administrator cannot add a reader:\n"
	"the charter's signatures decide.\n";

int cmd_desk_publish(struct cli *cli, int argc, char **argv)
{
	uint8_t id[32];
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind > 1)
		return cli_usage(cli, "one desk is listed at a time");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code == EXIT_DONE)
		code = cmd_desk_find(cli, argv[optind], false, id);
	if (code != EXIT_DONE)
		return code;
	err = org_desk_list(cli->client, id);
	switch (err) {
	case PERR_OK:
		if (!net_waits(cli))
			puts("The desk is listed.  Next: `amparo form publish FILE.xml`.");
		return net_push(cli, STEWARD_PUSH);
	case PERR_EXISTS:
		puts("This desk is listed already.");
		return net_push(cli, STEWARD_PUSH);
	case PERR_SIGS:
		return cli_fail(EXIT_REFUSED, "not all its holders have signed; `amparo desk list` names "
		                "them.  They run `amparo desk sign`; then run `amparo sync` here after "
		                "the next release.");
	case PERR_RANGE:
		return cli_fail(EXIT_REFUSED, "another desk of this name is listed; two that are called "
		                "the same could be mistaken for each other.");
	case PERR_LIMIT:
		return cli_fail(EXIT_REFUSED, "an organisation has at most %d desks.",
		                ROSTER_DESKS_MAX);
	default:
		return cli_fail_err(err, "the desk could not be listed");
	}
}

/* ---- trust -------------------------------------------------------------------------- */

const char cmd_desk_trust_help[] =
	"Use: amparo desk trust NAME [--words \"N:word N:word\"]\n\n"
	"Your device seals intakes only to desks that your invitation names or that such a desk\n"
	"vouches for.  Any other needs two of its six words, typed from paper that you got from\n"
	"somebody you know, not from a message.  The program says which two.\n\n"
	"  --words \"2:river 5:stone\"   the words and their places, instead of being asked\n";

static int typed_word(unsigned place, uint16_t *word)
{
	char prompt[64], *line = NULL;
	int found;

	snprintf(prompt, sizeof prompt, "Word number %u on the paper: ", place + 1);
	if (term_ask(stdin, stderr, prompt, &line) != PERR_OK)
		return cli_fail(EXIT_REFUSED, "the word is needed; --words gives both.");
	found = words_find(line, strlen(line));
	free(line);
	if (found < 0)
		return cli_fail(EXIT_REFUSED, "this is no word of the list; look at the paper again.");
	*word = (uint16_t)found;
	return EXIT_DONE;
}

/* "2:river 5:stone" */
static bool parse_words(const char *s, unsigned at[DESK_WORDS_ASK],
                        uint16_t typed[DESK_WORDS_ASK])
{
	for (int i = 0; i < DESK_WORDS_ASK; i++) {
		char *end;
		unsigned long n = strtoul(s, &end, 10);
		size_t len;
		int word;

		if (*end != ':' || n < 1 || n > DESK_WORDS)
			return false;
		s = end + 1;
		len = strcspn(s, " ");
		word = words_find(s, len);
		if (word < 0)
			return false;
		at[i] = (unsigned)n - 1;
		typed[i] = (uint16_t)word;
		s += len;
		s += strspn(s, " ");
	}
	return *s == '\0' && at[0] != at[1];
}

int cmd_desk_trust(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "words", required_argument, NULL, OPT_WORDS }, { 0 }
	};
	const char *words = NULL;
	unsigned at[DESK_WORDS_ASK];
	uint16_t typed[DESK_WORDS_ASK];
	uint8_t id[32];
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h')
			return EXIT_DONE;
		words = optarg;
	}
	if (argc - optind != 1)
		return cli_usage(cli, "the desk's name is needed");
	if (words != NULL && !parse_words(words, at, typed))
		return cli_usage(cli, "--words takes two words with their places");
	code = cli_open(cli);
	if (code == EXIT_DONE)
		code = cmd_desk_find(cli, argv[optind], true, id);
	if (code != EXIT_DONE)
		return code;
	if (words == NULL) {
		desk_words_ask(at, cli->client->env.rng);
		for (int i = 0; i < DESK_WORDS_ASK && code == EXIT_DONE; i++)
			code = typed_word(at[i], &typed[i]);
		if (code != EXIT_DONE)
			return code;
	}
	err = trust_by_words(cli->client, id, at, typed);
	if (err == PERR_AUTH)
		return cli_fail(EXIT_REFUSED, "these are not the words of this desk: nothing will be "
		                "sealed to it.  Speak with somebody of the desk before you go on.");
	if (err != PERR_OK)
		return cli_fail_err(err, "the desk could not be trusted");
	puts("The desk is trusted on this device from now on.");
	return EXIT_DONE;
}
