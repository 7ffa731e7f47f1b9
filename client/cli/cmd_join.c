/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Commands for everyone: join, sync, watch, status, about. */
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bulletin.h"
#include "cli.h"
#include "cmd_server.h"
#include "cache.h"
#include "desk.h"
#include "enrol.h"
#include "holders.h"
#include "invite.h"
#include "net.h"
#include "now.h"
#include "roster.h"
#include "status.h"
#include "term.h"
#include "trust.h"
#include "words.h"

enum { OPT_NAME = 1, OPT_LANG, OPT_LIGHT, OPT_FILE, OPT_YES, OPT_EVERY, OPT_ONCE, OPT_LIGHT_SYNC };

#define INVITE_INPUT_MAX 4096

/* ---- join --------------------------------------------------------------------------- */

/* The invitation is a secret of some days: never in argv, where other processes read it. */
static int read_invitation(struct cli *cli, const char *file, struct invite *inv)
{
	uint8_t *data = NULL;
	char *line = NULL;
	size_t len;
	enum perr err;
	int code = EXIT_DONE;

	if (file != NULL && strcmp(file, "-") != 0) {
		code = cli_read_file(file, INVITE_INPUT_MAX, &data, &len);
		if (code != EXIT_DONE)
			return code;
		err = invite_decode(inv, (const char *)data);
		sodium_memzero(data, len);
		free(data);
	} else {
		err = term_ask(stdin, stderr, "Paste the invitation (it begins with amparo:) and press "
		               "Enter:\n", &line);
		if (err != PERR_OK)
			return cli_fail(EXIT_REFUSED, "no invitation was given; scan the code on your "
			                "slip, or ask your administrator for the text.");
		err = invite_decode(inv, line);
		sodium_memzero(line, strlen(line));
		free(line);
	}
	switch (err) {
	case PERR_OK:
		return EXIT_DONE;
	case PERR_CORRUPT:
		return cli_fail(EXIT_REFUSED, "a character of the invitation is wrong or missing; "
		                "scan or copy it again.");
	case PERR_UNKNOWN:
		return cli_fail(EXIT_REFUSED, "this is not an invitation that this program knows; it "
		                "must begin with amparo: (a newer slip needs a newer amparo).");
	default:
		return cli_fail(EXIT_REFUSED, "the invitation is damaged; scan or copy it again, or "
		                "ask your administrator for a new one.");
	}
}

/* splits "es, mam" in place */
static unsigned split(char *s, const char *parts[16])
{
	unsigned n = 0;
	char *save = NULL;

	for (char *p = strtok_r(s, ", ", &save); p != NULL && n < 16; p = strtok_r(NULL, ", ", &save))
		parts[n++] = p;
	return n;
}

static int ask_name(const char **name, char **line)
{
	if (*name != NULL)
		return EXIT_DONE;
	if (term_ask(stdin, stderr, "Your name, as your organisation knows you: ", line) != PERR_OK)
		return cli_fail(EXIT_REFUSED, "no name was given; --name gives one.");
	*name = *line;
	return EXIT_DONE;
}

void join_say_words(struct client *c)
{
	uint16_t w[JOIN_WORDS];

	if (enrol_words(c, w) != PERR_OK)
		return;
	printf("\nCall your administrator and say these four words:\n\n    %s  %s  %s  %s\n\n",
	       words_get(w[0]), words_get(w[1]), words_get(w[2]), words_get(w[3]));
}

static int cmd_join(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "name", required_argument, NULL, OPT_NAME },
		{ "lang", required_argument, NULL, OPT_LANG },
		{ "light", no_argument, NULL, OPT_LIGHT },
		{ "invitation-file", required_argument, NULL, OPT_FILE }, { 0 }
	};
	const char *name = NULL, *file = NULL, *langs[16];
	char *lang = NULL, *line = NULL;
	struct invite inv;
	unsigned n_langs = 0;
	bool light = false, resumes = false;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h')
			return EXIT_DONE;
		if (c == OPT_NAME)
			name = optarg;
		else if (c == OPT_LANG)
			lang = optarg;
		else if (c == OPT_FILE)
			file = optarg;
		else
			light = true;
	}
	if (optind < argc)
		return cli_usage(cli, "the invitation is asked for, so that it does not stay in the "
		                 "history of your commands; an operand is not taken");
	if (lang != NULL)
		n_langs = split(lang, langs);
	resumes = vault_exists(cli->home);
	if (resumes) {
		/* killed on the way: go on; a finished vault is not joined twice */
		code = cli_open_any(cli);
		if (code == EXIT_DONE && cli->client->me->state == CLIENT_MEMBER)
			code = cli_fail(EXIT_REFUSED, "this vault belongs to a member already; --home "
			                "names another folder.");
		if (code != EXIT_DONE)
			return code;
	}
	if (!resumes || cli->client->me->state == CLIENT_NOBODY) {
		code = read_invitation(cli, file, &inv);
		if (code == EXIT_DONE)
			code = ask_name(&name, &line);
		if (code == EXIT_DONE && !resumes)
			code = cli_create(cli, light);
		if (code == EXIT_DONE) {
			err = enrol_begin(cli->client, &inv, name, langs, n_langs);
			if (err == PERR_RANGE)
				code = cli_fail(EXIT_USAGE, "a name has 1 to 128 bytes, a language code "
				                "at most 35, and there are at most 16 of them.");
			else if (err != PERR_OK)
				code = cli_fail_err(err, "joining could not begin");
		}
		invite_wipe(&inv);
		free(line);
		if (code != EXIT_DONE)
			return code;
	}
	code = net_sync(cli, NET_QUIET);
	if (cli->client->field == NULL) {
		if (code == EXIT_DONE)
			code = EXIT_LATER;
		fprintf(stderr, "Your keys are made and kept.  `amparo sync` goes on when there is a "
		        "network.\n");
		return code;
	}
	if (!cli->json) {
		printf("Welcome to ");
		term_print(stdout, cli->client->field->organisation,
		           strlen(cli->client->field->organisation), TERM_LINE);
		puts(".");
		join_say_words(cli->client);
		puts("Then run `amparo sync`.  `amparo about` shows the words of your desk: compare\n"
		     "them with the training sheet.");
	}
	return code;
}

/* ---- sync, watch -------------------------------------------------------------------- */

static int cmd_sync(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "yes", no_argument, NULL, OPT_YES },
		{ "light", no_argument, NULL, OPT_LIGHT_SYNC }, { 0 }
	};
	unsigned flags = 0;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h')
			return EXIT_DONE;
		flags |= c == OPT_YES ? NET_YES : NET_LIGHT;
	}
	code = cli_open(cli);
	return code == EXIT_DONE ? net_sync(cli, flags) : code;
}

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	stopped = 1;
}

static int cmd_watch(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "every", required_argument, NULL, OPT_EVERY },
		{ "times", required_argument, NULL, OPT_ONCE }, { 0 }
	};
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned long every = 0, times = 0, done = 0;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		char *end;

		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h')
			return EXIT_DONE;
		if (c == OPT_EVERY)
			every = strtoul(optarg, &end, 10);
		else
			times = strtoul(optarg, &end, 10);
		if (*end != '\0' || end == optarg || every > 86400)
			return cli_usage(cli, "\"%s\" is not a number", optarg);
	}
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!stopped) {
		struct timespec ts = { .tv_sec = (time_t)every };

		code = net_sync(cli, NET_YES);
		fflush(stdout);
		if (code != EXIT_DONE && code != EXIT_LATER)
			return code;
		if (times > 0 && ++done >= times)
			break;
		if (every == 0) {
			/*
			 * Releases are on the hour or every ten minutes: look shortly after each
			 * possible one, at a moment of one's own, so that readers neither come
			 * together nor show when they expect something.
			 */
			int64_t now = now_unix_s();

			ts.tv_sec = (time_t)(600 - now % 600) + 20 + (time_t)randombytes_uniform(100);
		}
		nanosleep(&ts, NULL);
	}
	return code;
}

/* ---- about -------------------------------------------------------------------------- */

static void say_words(const char *indent, const uint16_t *w, size_t n)
{
	fputs(indent, stdout);
	for (size_t i = 0; i < n; i++)
		printf("%s%s", i == 0 ? "" : "  ", words_get(w[i]));
	putchar('\n');
}

static enum perr about_desk(void *arg, const struct holders_desk *d)
{
	struct cli *cli = arg;
	uint16_t w[DESK_WORDS];
	const struct desk *desk;
	enum trust_how how;
	enum perr err = trust_desk(cli->client, d->id, &how);

	if (err != PERR_OK || !d->listed)
		return err;
	desk_words(w, d->id);
	printf("\nDesk ");
	term_print(stdout, d->charter->name, strlen(d->charter->name), TERM_LINE);
	printf(" of ");
	term_print(stdout, d->charter->organisation, strlen(d->charter->organisation), TERM_LINE);
	putchar('\n');
	say_words("    ", w, DESK_WORDS);
	err = cache_desk(cli->client, d->id, &desk);
	if (err != PERR_OK)
		return err;
	if (desk->now.version > 0) {
		printf("  Its holders changed %u time%s, by their own signatures.  Words of who holds it "
		       "now:\n", desk->now.version, desk->now.version == 1 ? "" : "s");
		desk_words(w, desk->hashes[desk->n_hashes - 1]);
		say_words("    ", w, DESK_WORDS);
	}
	printf("  %u holder%s read its intakes.  Trust: %s.\n", d->charter->n,
	       d->charter->n == 1 ? "" : "s", desk_trust_text((enum desk_trust)(int)how));
	if (how == TRUST_UNKNOWN)
		puts("  Nothing is sealed to it before you typed two of its words from paper:\n"
		     "  amparo desk trust NAME");
	return PERR_OK;
}

static int cmd_about(struct cli *cli, int argc, char **argv)
{
	struct client *cl;
	uint8_t hash[32];
	char phrase[WORDS_PHRASE_SIZE(6)];
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	cl = cli->client;
	printf("amparo %s, licence AGPL-3.0-or-later\n\nYou are ", AMPARO_VERSION);
	term_print(stdout, cl->me->name, strlen(cl->me->name), TERM_LINE);
	if (cl->field != NULL) {
		printf(" at ");
		term_print(stdout, cl->field->organisation, strlen(cl->field->organisation),
		           TERM_LINE);
	}
	puts(".");
	if (cl->staff != NULL) {
		doc_hash(hash, "amparo/1 key words", cl->me->sign_pk, 32);
		err = words_phrase(phrase, sizeof phrase, 6, hash, sizeof hash);
		if (err != PERR_OK)
			return cli_fail_err(err, "the words of your key could not be made");
		printf("Words of your own key, for whoever assigns you a case:\n    %s\n", phrase);
	}
	if (cl->field == NULL) {
		puts("\nNo roster is known yet: run `amparo sync`.");
		return EXIT_DONE;
	}
	puts("\nCompare the words of each desk with the training sheet.  If they differ, stop and\n"
	     "speak with a holder of the desk: the invitation was not made for this desk.");
	err = holders_each(cl, about_desk, cli);
	if (err != PERR_OK)
		return cli_fail_err(err, "the desks could not be read");
	return EXIT_DONE;
}

/* ---- status ------------------------------------------------------------------------- */

static int cmd_status(struct cli *cli, int argc, char **argv)
{
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	code = cli_open(cli);
	return code == EXIT_DONE ? status_print(cli) : code;
}

const struct cli_command cli_join_commands[] = {
	{ "join", "become a member, with an invitation",
	  "Use: amparo join [--name NAME] [--lang es,mam] [--invitation-file FILE] [--light]\n\n"
	  "Makes your keys and your vault, and answers an invitation.  The invitation is asked\n"
	  "for: paste its text, or give a file (- reads it from the input).  Afterwards four\n"
	  "words are shown: your administrator needs to hear them before you are confirmed.\n"
	  "Volunteers can take intakes at once.  Interrupted?  Run it again: it goes on.\n\n"
	  "  --name NAME             your name, as your organisation knows you\n"
	  "  --lang CODES            languages you speak, with commas\n"
	  "  --invitation-file FILE  the invitation's text in a file\n"
	  "  --light                 less memory for guessing protection: for devices with\n"
	  "                          under 1 GB\n",
	  cmd_join },
	{ "sync", "send what waits, fetch what is new",
	  "Use: amparo sync [--yes] [--light] [--json]\n\n"
	  "Visits every server: sends sealed intakes, fetches roster and forms, and for readers\n"
	  "the new records.  Before a long download it says how many megabytes and minutes.\n"
	  "Nothing is lost if it is interrupted; run it again.\n\n"
	  "  --yes     download a big backlog without asking\n"
	  "  --light   look first, fetch only what may be yours: less data, but the server can\n"
	  "            guess which cells belong together\n",
	  cmd_sync },
	{ "watch", "sync again after each release",
	  "Use: amparo watch [--every SECONDS] [--times N]\n\n"
	  "Syncs shortly after each possible release until it is ended with Ctrl-C.\n\n"
	  "  --every SECONDS   sync in this rhythm instead\n"
	  "  --times N         end after N syncs\n",
	  cmd_watch },
	{ "follow", "find the new servers, by a file from your administrator", cmd_follow_help,
	  cmd_follow },
	{ "status", "what is set up, who is waited for, what comes next",
	  "Use: amparo status [--json]\n\n"
	  "A checklist of this device and, as far as it knows, of the organisation.\n",
	  cmd_status },
	{ "about", "the words of your desk, to compare with paper",
	  "Use: amparo about\n\n"
	  "Shows the six words of each desk.  They are printed on the training sheet: if they\n"
	  "differ, an invitation was made for another desk than yours.  Also shows the words of\n"
	  "your own key.\n",
	  cmd_about },
	{ 0 }
};
