/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Commands about this device: unlock, lock, passphrase. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "cli.h"
#include "cmd_backup.h"
#include "passphrase.h"
#include "progress.h"

enum { OPT_FOR = 1, OPT_NEW_FILE, OPT_LIGHT };

/* "30m", "2h", "90s", "45" (minutes); 0: not a time */
static unsigned parse_time(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10), unit = 60;

	if (end == s || n == 0 || n > AGENT_SECONDS_MAX)
		return 0;
	if (strcmp(end, "s") == 0)
		unit = 1;
	else if (strcmp(end, "h") == 0)
		unit = 3600;
	else if (*end != '\0' && strcmp(end, "m") != 0)
		return 0;
	n *= unit;
	return n > AGENT_SECONDS_MAX ? 0 : (unsigned)n;
}

static int cmd_unlock(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "for", required_argument, NULL, OPT_FOR }, { 0 }
	};
	unsigned seconds = AGENT_SECONDS_DEFAULT;
	struct phrase *pass = NULL;
	struct vault_key *key = NULL;
	char text[32];
	enum perr err;
	int c, code = EXIT_DONE;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h')
			return EXIT_DONE;
		seconds = parse_time(optarg);
		if (seconds == 0)
			return cli_usage(cli, "\"%s\" is not a time up to 24h such as 30m or 2h",
			                 optarg);
	}
	if (optind < argc)
		return cli_usage(cli, "unlock takes no operand");
	if (!vault_exists(cli->home))
		return cli_fail(EXIT_REFUSED, "there is no vault in %s; `amparo join` or `amparo org "
		                "create` makes one.", cli->home);
	err = passphrase_ask(&pass, cli->passphrase_file);
	if (err != PERR_OK)
		return EXIT_LOCKED;           /* already said */
	key = sodium_malloc(sizeof *key);
	err = key == NULL ? PERR_NOMEM : vault_derive(key, cli->home, pass->text, pass->len);
	/* a wrong passphrase must be noticed now, not at the next command */
	if (err == PERR_OK)
		err = vault_open(&cli->vault, cli->home, key);
	if (err != PERR_OK) {
		code = cli_fail(err == PERR_AUTH ? EXIT_LOCKED : EXIT_DAMAGED, "%s",
		                vault_explain(err));
		goto out;
	}
	err = agent_start(cli->home, key, seconds);
	if (err == PERR_LIMIT)
		code = cli_fail(EXIT_REFUSED, "this machine does not allow memory to be locked "
		                "(ulimit -l), so the key could reach the disk; type the passphrase "
		                "at each command instead.");
	else if (err != PERR_OK)
		code = cli_fail_err(err, "the vault could not be kept unlocked");
	if (code == EXIT_DONE) {
		progress_time(text, sizeof text, seconds);
		printf("Unlocked for %s.  `amparo lock` ends it at once.\n", text);
	}
out:
	phrase_free(pass);
	if (key != NULL) {
		sodium_memzero(key, sizeof *key);
		sodium_free(key);
	}
	return code;
}

static int cmd_lock(struct cli *cli, int argc, char **argv)
{
	enum perr err;
	int c;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	err = agent_stop(cli->home);
	if (err != PERR_OK && err != PERR_NOTFOUND)
		return cli_fail_err(err, "the vault could not be locked");
	puts(err == PERR_OK ? "Locked." : "It was locked already.");
	return EXIT_DONE;
}

static int cmd_passphrase(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "new-passphrase-file", required_argument, NULL, OPT_NEW_FILE },
		{ "light", no_argument, NULL, OPT_LIGHT }, { 0 }
	};
	const char *file = NULL;
	struct phrase *pass = NULL;
	struct vault_key *key = NULL;
	enum vault_cost cost = VAULT_MODERATE;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h')
			return EXIT_DONE;
		if (c == OPT_NEW_FILE)
			file = optarg;
		else
			cost = VAULT_LIGHT;
	}
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	err = passphrase_choose(&pass, file);
	if (err != PERR_OK)
		return EXIT_LOCKED;
	key = sodium_malloc(sizeof *key);
	err = key == NULL ? PERR_NOMEM
	    : vault_change_passphrase(cli->vault, pass->text, pass->len, cost, key);
	if (err == PERR_OK) {
		err = agent_update(cli->home, key);
		if (err == PERR_NOTFOUND)
			err = PERR_OK;
		if (err != PERR_OK)
			cli_fail_err(err, "the new passphrase is in force, but the unlocked session "
			             "could not be told; run `amparo lock`");
		puts("The new passphrase is in force.  Papers with the old one can be destroyed.");
	} else {
		code = cli_fail(EXIT_DAMAGED, "%s  The old passphrase stays.", vault_explain(err));
	}
	phrase_free(pass);
	if (key != NULL) {
		sodium_memzero(key, sizeof *key);
		sodium_free(key);
	}
	return code;
}

const struct cli_command cli_vault_commands[] = {
	{ "unlock", "keep the vault open for a while",
	  "Use: amparo unlock [--for TIME]\n\n"
	  "Asks for the passphrase once and keeps the vault's key in locked memory, so that the\n"
	  "next commands do not ask.  It ends by itself, at `amparo lock`, or at log-out.\n\n"
	  "  --for TIME   30m (the default), 2h, 90s; at most 24h\n\n"
	  "Whoever sits at this device meanwhile can use your vault: lock it when you leave.\n",
	  cmd_unlock },
	{ "lock", "close the vault now",
	  "Use: amparo lock\n\n"
	  "Wipes the key that `amparo unlock` keeps.\n", cmd_lock },
	{ "passphrase", "change the passphrase",
	  "Use: amparo passphrase [--new-passphrase-file FILE] [--light]\n\n"
	  "Asks for the old and the new passphrase; a generated one of six words is offered.\n"
	  "The vault is written anew under a new key and the old file is overwritten.\n\n"
	  "  --light   less memory for guessing protection: for devices with under 1 GB\n",
	  cmd_passphrase },
	{ "vault backup", "this vault in one sealed file", cmd_vault_backup_help, cmd_vault_backup },
	{ "vault restore", "a vault out of a backup", cmd_vault_restore_help, cmd_vault_restore },
	{ 0 }
};
