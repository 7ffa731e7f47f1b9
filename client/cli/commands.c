/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Finds the command and gives it the rest of the line. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent.h"
#include "cli.h"

static const struct {
	const char *title;
	const struct cli_command *commands;
} groups[] = {
	{ "For everyone", cli_join_commands },
	{ "Records", cli_record_commands },
	{ "Administrators and holders of a desk", cli_org_commands },
	{ "This device", cli_vault_commands },
};
#define N_GROUPS (sizeof groups / sizeof groups[0])

static void help(void)
{
	puts("amparo: sealed intake records for people who help immigrants\n\n"
	     "Use: amparo COMMAND [OPTIONS]       amparo COMMAND --help explains one command");
	for (size_t g = 0; g < N_GROUPS; g++) {
		printf("\n%s\n", groups[g].title);
		for (const struct cli_command *c = groups[g].commands; c->name != NULL; c++)
			printf("  %-16s %s\n", c->name, c->summary);
	}
	puts("\nOptions of every command\n"
	     "  --home DIR              the folder of your vault (else $AMPARO_HOME, else\n"
	     "                          ~/.local/share/amparo)\n"
	     "  --passphrase-file FILE  read the passphrase from the first line of FILE\n"
	     "  --json                  print for a program, where a command can\n"
	     "  --help, --version\n\n"
	     "Exit codes: 0 done, 1 refused (nothing changed), 2 wrong command line,\n"
	     "3 no network or server busy (everything is kept), 4 vault locked,\n"
	     "5 vault or disk damaged.  `man amparo` has examples.");
}

/* how many words of argv the command's name has; 0: another command */
static int matches(const char *name, int argc, char **argv)
{
	int used = 0;

	while (*name != '\0') {
		size_t n = strcspn(name, " ");

		if (used >= argc || strlen(argv[used]) != n || strncmp(argv[used], name, n) != 0)
			return 0;
		used++;
		name += n;
		name += *name == ' ';
	}
	return used;
}

static const struct cli_command *find(int argc, char **argv, int *used)
{
	const struct cli_command *best = NULL;

	*used = 0;
	for (size_t g = 0; g < N_GROUPS; g++)
		for (const struct cli_command *c = groups[g].commands; c->name != NULL; c++) {
			int n = matches(c->name, argc, argv);

			if (n > *used) {
				*used = n;
				best = c;
			}
		}
	return best;
}

/* "form": the commands that begin so, when only the first word was given */
static bool family(const char *word)
{
	size_t n = strlen(word);
	bool any = false;

	for (size_t g = 0; g < N_GROUPS; g++)
		for (const struct cli_command *c = groups[g].commands; c->name != NULL; c++)
			if (strncmp(c->name, word, n) == 0 && c->name[n] == ' ') {
				fprintf(stderr, "%s`amparo %s`", any ? ", " : "amparo: did you mean ",
				        c->name);
				any = true;
			}
	if (any)
		fputs("?\n", stderr);
	return any;
}

static char *default_home(void)
{
	const char *env = getenv("AMPARO_HOME"), *user = getenv("HOME");
	const char *data = getenv("XDG_DATA_HOME");
	char *home = NULL;

	if (env != NULL && *env != '\0')
		return strdup(env);
	if (data != NULL && *data == '/') {
		if (asprintf(&home, "%s/amparo", data) < 0)
			return NULL;
	} else if (user != NULL && *user == '/') {
		if (asprintf(&home, "%s/.local/share/amparo", user) < 0)
			return NULL;
	}
	return home;
}

/* the parents of a default home may be missing on a new account */
static void make_parents(const char *home)
{
	char *copy = strdup(home);

	for (char *p = copy; copy != NULL && (p = strchr(p + 1, '/')) != NULL; *p = '/') {
		*p = '\0';
		mkdir(copy, 0700);
	}
	free(copy);
}

int cli_main(int argc, char **argv)
{
	struct cli cli = { 0 };
	char *home;
	int used, code;

	agent_hook(argc, argv);
	agent_protect();
	umask(077);
	if (sodium_init() < 0)
		return cli_fail(EXIT_DAMAGED, "this machine gives no randomness.");
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		help();
		return argc < 2 ? EXIT_USAGE : EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("amparo " AMPARO_VERSION);
		return EXIT_DONE;
	}
	cli.command = find(argc - 1, argv + 1, &used);
	if (cli.command == NULL) {
		if (family(argv[1]))
			return EXIT_USAGE;
		return cli_fail(EXIT_USAGE, "there is no command \"%s\"; `amparo --help` lists them.",
		                argv[1]);
	}
	home = default_home();
	if (home != NULL && getenv("AMPARO_HOME") == NULL)
		make_parents(home);
	cli.home = home != NULL ? home : ".amparo";
	code = cli.command->run(&cli, argc - used, argv + used);
	cli_close(&cli);
	if (fflush(stdout) != 0 && code == EXIT_DONE)
		code = cli_fail(EXIT_REFUSED, "the output could not be written.");
	free(home);
	return code;
}
