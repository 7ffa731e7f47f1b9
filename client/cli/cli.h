/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * cli: what all commands of `amparo` share: the home folder, opening the vault,
 * options, sentences for a person.
 *
 * A command returns one of the exit codes below and has said on stderr, in one
 * sentence, what went wrong and what to do next.
 */
#ifndef AMPARO_CLI_H
#define AMPARO_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client.h"
#include "perr.h"
#include "vault.h"

enum cli_exit {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1,            /* the request cannot be carried out; nothing was changed */
	EXIT_USAGE = 2,              /* the command line is wrong */
	EXIT_LATER = 3,              /* network or server; what was written is kept, try again */
	EXIT_LOCKED = 4,             /* wrong passphrase, or none given */
	EXIT_DAMAGED = 5             /* the vault is damaged or the disk fails */
};

struct cli {
	const char *home;            /* folder of the vault */
	const char *passphrase_file; /* NULL: agent or terminal */
	bool json;
	struct vault *vault;
	struct client *client;       /* after cli_open */
	const struct cli_command *command;
};

struct cli_command {
	const char *name;            /* "form publish" */
	const char *summary;         /* one line for `amparo --help` */
	const char *help;            /* whole text of `--help` */
	int (*run)(struct cli *cli, int argc, char **argv);  /* argv[0] is the name's last word */
};

/* ended by an entry with a NULL name; each file of commands has one such table */
extern const struct cli_command cli_org_commands[];
extern const struct cli_command cli_join_commands[];
extern const struct cli_command cli_record_commands[];
extern const struct cli_command cli_vault_commands[];

/*
 * Options of one command.  Long options of `longs` (ended by an all-zero entry) beside the
 * common ones (--home --passphrase-file --json --help), which are handled inside.  One
 * whose val is a lower-case letter can be given by that letter too.
 * Returns what getopt_long returns: -1 at the end (optind is the first operand), or the
 * option's val; '?' after a wrong option (already said: return EXIT_USAGE), 'h' after
 * --help (already printed: return EXIT_DONE).
 */
int cli_option(struct cli *cli, int argc, char **argv, const struct option *longs);

/* Open the vault and the client.  EXIT_DONE, or an exit code (already said). */
int cli_open(struct cli *cli);
/* like cli_open, but a vault without an owner is fine: for `join` */
int cli_open_any(struct cli *cli);
/* like cli_open, and the person must be a member with this role, or any if ROLE_NONE */
int cli_open_as(struct cli *cli, enum client_role role);
/* Closes, settles what was erased, wipes; harmless twice. */
void cli_close(struct cli *cli);
/* Make home and a new vault with a chosen passphrase and open both. */
int cli_create(struct cli *cli, bool light);

/* the whole program: what main() calls */
int cli_main(int argc, char **argv);

/* "amparo: sentence" on stderr; returns `code`, so that commands end with it */
int cli_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* the exit code that fits an error, with "what: perr_text" and the usual next step */
int cli_fail_err(enum perr err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* wrong number of operands and the like: says it and points to --help; EXIT_USAGE */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* what the core needs of this machine: system randomness, clock, threads */
struct client_env cli_env(void);
/* a monotonic clock in milliseconds */
uint64_t cli_now_ms(void);

/*
 * Read a whole file.  *data is malloc'd with a 0 byte behind len, freed by the caller.
 * EXIT_DONE, or an exit code (already said: names the file).
 */
int cli_read_file(const char *path, size_t max, uint8_t **data, size_t *len);
/* write a new file (mode as given, via a temporary name and rename); already said on error */
int cli_write_file(const char *path, const void *data, size_t len, unsigned mode);

/* a JSON string with its quotes, escaped; for --json output */
void cli_json_str(FILE *f, const char *s, size_t len);
/* "2026-11-24" of a day; size >= 11 */
void cli_day(char out[16], uint32_t day);

#endif
