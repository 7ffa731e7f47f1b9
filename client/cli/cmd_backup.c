/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "now.h"
#include "outbox.h"
#include "passphrase.h"
#include "progress.h"
#include "roster.h"
#include "term.h"

enum { OPT_LIGHT = 1, OPT_KEYS, OPT_NO_KEYS };

/* the file: what fails with it is told apart from the vault's failures */
struct file {
	int fd;
	bool failed;
	int why;                         /* errno; 0: it ended too soon */
};

static enum perr file_failed(struct file *f, int why)
{
	f->failed = true;
	f->why = why;
	return PERR_IO;
}

/* ---- backup ------------------------------------------------------------------------------ */

const char cmd_vault_backup_help[] =
	"Use: amparo vault backup FILE [--light] [--with-keys | --without-keys]\n\n"
	"Writes this vault to one sealed file: records with their photographs, your signing key,\n"
	"the roster.  It opens with this vault's passphrase, which is asked for.  Not in it:\n"
	"what waits to be sent (`amparo outbox save`), unfinished interviews, and the short-lived\n"
	"private keys: so a backup opens nothing that lies on a server.  `amparo vault restore`\n"
	"makes new ones, and the other holders of your desk give back what is missing.\n\n"
	"Nobody gives anything back to the only holder of a desk.  Then --with-keys puts the\n"
	"private keys in: whoever opens that file opens what the servers hold for the desk.\n\n"
	"  --light          less memory for guessing protection: for devices with under 1 GB\n"
	"  --with-keys      of the only holder of a desk: private keys, too\n"
	"  --without-keys   … not, without being asked\n\n"
	"Example: amparo vault backup /media/stick/vault.amparo\n";

static enum perr write_piece(void *arg, const uint8_t piece[PIECES_SIZE])
{
	struct file *f = arg;
	size_t at = 0;

	while (at < PIECES_SIZE) {
		ssize_t k = write(f->fd, piece + at, PIECES_SIZE - at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return file_failed(f, errno);
		at += (size_t)k;
	}
	return PERR_OK;
}

/* the passphrase is typed here even if the vault is unlocked: the file needs it */
static int open_asking(struct cli *cli, struct phrase **pass)
{
	struct vault_key *key = sodium_malloc(sizeof *key);
	enum perr err;
	int code;

	*pass = NULL;
	if (key == NULL)
		return cli_fail_err(PERR_NOMEM, "the vault could not be opened");
	code = cli_open(cli);
	if (code != EXIT_DONE)
		goto out;
	if (passphrase_ask(pass, cli->passphrase_file) != PERR_OK) {
		code = EXIT_LOCKED;           /* already said */
		goto out;
	}
	err = vault_derive(key, cli->home, (*pass)->text, (*pass)->len);
	if (err == PERR_OK)
		err = vault_check(cli->vault, key);
	if (err != PERR_OK)
		code = cli_fail(err == PERR_AUTH ? EXIT_LOCKED : EXIT_DAMAGED, "%s",
		                vault_explain(err));
out:
	sodium_memzero(key, sizeof *key);
	sodium_free(key);
	return code;
}

static int backup_to(struct cli *cli, const char *path, const struct phrase *pass,
                     enum vault_cost cost, bool with_keys, struct backup_sum *sum)
{
	struct file f = { .fd = -1 };
	char *tmp = NULL;
	int code = EXIT_DONE;
	enum perr err;

	if (asprintf(&tmp, "%s.XXXXXX", path) < 0)
		return cli_fail_err(PERR_NOMEM, "the file cannot be written");
	f.fd = mkostemp(tmp, O_CLOEXEC);
	if (f.fd < 0) {
		code = cli_fail(EXIT_REFUSED, "%s cannot be written: %s.", path, strerror(errno));
		free(tmp);
		return code;
	}
	err = backup_write(cli->client, pass->text, pass->len, cost, with_keys, write_piece, &f, sum);
	if (err == PERR_OK && (fsync(f.fd) != 0 || rename(tmp, path) != 0))
		err = file_failed(&f, errno);
	if (f.failed)
		code = cli_fail(EXIT_REFUSED, "%s could not be written: %s; free some space or name "
		                "another place.", path, strerror(f.why));
	else if (err == PERR_RANGE)
		code = cli_fail(EXIT_REFUSED, "another amparo wrote to the vault meanwhile; run it again.");
	else if (err == PERR_NOMEM)
		code = cli_fail(EXIT_REFUSED, "this device has not enough memory; try --light.");
	else if (err != PERR_OK)
		code = cli_fail_err(err, "the backup could not be made");
	if (err != PERR_OK)
		unlink(tmp);
	close(f.fd);
	free(tmp);
	return code;
}

/* private keys go in only where nobody else could give back what they open */
static int choose_keys(struct cli *cli, bool with, bool without, bool *keys)
{
	char desk[65], question[400];
	bool sole;
	enum perr err = backup_is_sole_holder(cli->client, &sole, desk, sizeof desk);

	*keys = false;
	if (err != PERR_OK)
		return cli_fail_err(err, "the desks could not be looked at");
	if (!sole)
		return !with ? EXIT_DONE
		     : cli_fail(EXIT_REFUSED, "private keys go into no backup here: the other holders of "
		                "your desk give back what is missing.");
	if (with || without) {
		*keys = with;
		return EXIT_DONE;
	}
	fputs("You are the only holder of ", stderr);
	term_print(stderr, desk, strlen(desk), TERM_LINE);
	fputs(": if this vault is lost, what the servers hold for the desk is lost, too,\n"
	      "unless its private keys are in the backup.  Whoever opens the backup then opens that "
	      "as well.\n", stderr);
	snprintf(question, sizeof question, "Put the private keys in?");
	*keys = term_yes(stdin, stderr, question, false);
	return EXIT_DONE;
}

int cmd_vault_backup(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "light", no_argument, NULL, OPT_LIGHT },
		{ "with-keys", no_argument, NULL, OPT_KEYS },
		{ "without-keys", no_argument, NULL, OPT_NO_KEYS }, { 0 }
	};
	enum vault_cost cost = VAULT_MODERATE;
	bool with = false, without = false, keys;
	struct phrase *pass = NULL;
	struct outbox_counts n;
	struct backup_sum sum;
	char size[16];
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_LIGHT:   cost = VAULT_LIGHT; break;
		case OPT_KEYS:    with = true; break;
		case OPT_NO_KEYS: without = true; break;
		default:          return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (argc - optind != 1)
		return cli_usage(cli, "the name of the file to write is needed");
	if (with && without)
		return cli_usage(cli, "--with-keys and --without-keys exclude each other");
	code = open_asking(cli, &pass);
	if (code == EXIT_DONE)
		code = choose_keys(cli, with, without, &keys);
	if (code == EXIT_DONE)
		code = backup_to(cli, argv[optind], pass, cost, keys, &sum);
	phrase_free(pass);
	if (code != EXIT_DONE)
		return code;
	progress_bytes(size, sizeof size, (uint64_t)sum.pieces * PIECES_SIZE);
	printf("%s: %s, opens with this vault's passphrase%s.\n", argv[optind], size,
	       keys ? " and holds the private keys" : "");
	err = outbox_counts(cli->client, &n);
	if (err != PERR_OK)
		return cli_fail_err(err, "the outbox could not be read");
	if (n.submissions > 0)
		printf("Not in it: %u submission%s that wait%s to be sent; `amparo sync`, or `amparo outbox "
		       "save`.\n", n.submissions, n.submissions == 1 ? "" : "s",
		       n.submissions == 1 ? "s" : "");
	return EXIT_DONE;
}

/* ---- restore ----------------------------------------------------------------------------- */

const char cmd_vault_restore_help[] =
	"Use: amparo vault restore FILE [--light]\n\n"
	"Makes a vault out of a backup, in an empty folder (--home).  It has the backup's\n"
	"passphrase.  The next `amparo sync` publishes new keys and learns what happened since; the\n"
	"other holders of your desk give back the records that the backup lacks.\n\n"
	"Use one device only afterwards: if the old one goes on, with you or with somebody who has\n"
	"it, both devices and every holder of the desk are told so.  If the old one was lost or\n"
	"taken, tell your administrator.\n\n"
	"  --light   less memory for guessing protection: for devices with under 1 GB\n\n"
	"Example: amparo vault restore /media/stick/vault.amparo\n";

static enum perr read_piece(void *arg, uint32_t at, uint8_t piece[PIECES_SIZE])
{
	struct file *f = arg;
	size_t got = 0;

	while (got < PIECES_SIZE) {
		ssize_t k = pread(f->fd, piece + got, PIECES_SIZE - got,
		                  (off_t)at * PIECES_SIZE + (off_t)got);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return file_failed(f, k == 0 ? 0 : errno);
		got += (size_t)k;
	}
	return PERR_OK;
}

static int open_backup(const char *path, struct file *f, const struct phrase *pass,
                       struct backup **b, struct backup_sum *sum)
{
	struct stat st;
	enum perr err;

	if (fstat(f->fd, &st) != 0)
		return cli_fail(EXIT_REFUSED, "%s cannot be read: %s.", path, strerror(errno));
	err = S_ISREG(st.st_mode) ? backup_open(b, pass->text, pass->len, (uint64_t)st.st_size,
	                                        read_piece, f, sum) : PERR_FORMAT;
	if (f->failed)
		return cli_fail(EXIT_REFUSED, "%s could not be read to its end; copy it again.", path);
	switch (err) {
	case PERR_OK:
		return EXIT_DONE;
	case PERR_AUTH:
		return cli_fail(EXIT_LOCKED, "%s does not open with this passphrase, or it is not whole.",
		                path);
	case PERR_CORRUPT:
		return cli_fail(EXIT_REFUSED, "%s was altered or copied badly; copy it again.", path);
	case PERR_FORMAT:
		return cli_fail(EXIT_REFUSED, "%s is not a file of `amparo vault backup`, or it is not "
		                "whole.", path);
	case PERR_UNKNOWN:
		return cli_fail(EXIT_REFUSED, "%s was made by a later version of amparo.", path);
	default:
		return cli_fail_err(err, "%s could not be opened", path);
	}
}

/* an empty vault under the backup's passphrase; or one that a killed restore left */
static int empty_vault(struct cli *cli, const struct phrase *pass, enum vault_cost cost)
{
	struct vault_key *key = sodium_malloc(sizeof *key);
	struct client_env env = cli_env();
	enum perr err = key == NULL ? PERR_NOMEM : PERR_OK;
	int code = EXIT_DONE;

	if (err == PERR_OK && !vault_exists(cli->home))
		err = vault_create(cli->home, pass->text, pass->len, cost);
	if (err == PERR_OK)
		err = vault_derive(key, cli->home, pass->text, pass->len);
	if (err == PERR_OK)
		err = vault_open(&cli->vault, cli->home, key);
	if (err == PERR_OK)
		err = client_open(&cli->client, vault_kv(cli->vault), &env);
	if (err == PERR_AUTH)
		code = cli_fail(EXIT_REFUSED, "there is another vault in %s already; --home names an empty "
		                "folder.", cli->home);
	else if (err != PERR_OK)
		code = cli_fail(EXIT_DAMAGED, "%s", vault_explain(err));
	else if (cli->client->me->state != CLIENT_NOBODY)
		code = cli_fail(EXIT_REFUSED, "the vault in %s belongs to a member already; --home names "
		                "an empty folder.", cli->home);
	client_free(cli->client);
	cli->client = NULL;
	if (key != NULL) {
		sodium_memzero(key, sizeof *key);
		sodium_free(key);
	}
	return code;
}

static enum perr count(void *arg, const char *name)
{
	(void)name;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static int say_restored(struct cli *cli, const struct backup_sum *sum)
{
	const struct client *c = cli->client;
	unsigned cases = 0;
	char day[16];
	enum perr err = kv_each_name(c->kv, "case/", count, &cases);

	if (err != PERR_OK)
		return cli_fail_err(err, "the vault could not be read");
	cli_day(day, sum->day);
	term_print(stdout, c->me->name, strlen(c->me->name), TERM_LINE);
	if (c->field != NULL) {
		fputs(", ", stdout);
		term_print(stdout, c->field->organisation, strlen(c->field->organisation), TERM_LINE);
	}
	printf(": the vault as it was on %s, with %u case%s%s.\n", day, cases, cases == 1 ? "" : "s",
	       sum->halves > 0 ? " and private keys" : "");
	puts("Next: `amparo sync`.  It publishes new keys, and other holders give back what is missing.\n"
	     "Use this device only from now on: if the old one goes on, all holders are told.  If it\n"
	     "was lost or taken, tell your administrator.");
	return EXIT_DONE;
}

int cmd_vault_restore(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "light", no_argument, NULL, OPT_LIGHT }, { 0 }
	};
	enum vault_cost cost = VAULT_MODERATE;
	struct client_env env = cli_env();
	struct phrase *pass = NULL;
	struct backup *b = NULL;
	struct backup_sum sum;
	struct file f;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c != OPT_LIGHT)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		cost = VAULT_LIGHT;
	}
	if (argc - optind != 1)
		return cli_usage(cli, "the file of the backup is needed");
	f = (struct file){ .fd = open(argv[optind], O_RDONLY | O_CLOEXEC) };
	if (f.fd < 0)
		return cli_fail(EXIT_REFUSED, "%s cannot be read: %s.", argv[optind], strerror(errno));
	code = passphrase_ask(&pass, cli->passphrase_file) == PERR_OK ? EXIT_DONE : EXIT_LOCKED;
	if (code == EXIT_DONE)
		code = open_backup(argv[optind], &f, pass, &b, &sum);
	if (code == EXIT_DONE)
		code = empty_vault(cli, pass, cost);
	if (code != EXIT_DONE)
		goto out;
	err = backup_restore(b, vault_kv(cli->vault), (uint32_t)(now_unix_s() / 86400));
	if (err == PERR_OK)
		err = client_open(&cli->client, vault_kv(cli->vault), &env);
	if (f.failed)
		code = cli_fail(EXIT_REFUSED, "%s could not be read to its end; run it again.",
		                argv[optind]);
	else if (err != PERR_OK)
		code = cli_fail_err(err, "the vault could not be written");
	else
		code = say_restored(cli, &sum);
out:
	backup_close(b);
	phrase_free(pass);
	close(f.fd);
	return code;
}
