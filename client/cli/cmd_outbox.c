/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net.h"
#include "outbox.h"
#include "outbox_file.h"
#include "progress.h"
#include "revoked.h"
#include "roster.h"
#include "term.h"

enum { OPT_YES = 1, OPT_UNSAVED };

static const char *s_of(unsigned n)
{
	return n == 1 ? "" : "s";
}

/* ---- what waits ------------------------------------------------------------------------- */

const char cmd_outbox_help[] =
	"Use: amparo outbox [--json]\n\n"
	"How many interviews, notes and assignments wait here for the servers, since when, and\n"
	"which servers still lack them.  They are sealed: this device cannot open them.  Each is\n"
	"forgotten here when enough servers have it; `amparo sync` sends them.\n\n"
	"`amparo outbox save` writes them to a file that another member can carry.\n\n"
	"Example: amparo outbox\n";

static void print_json(const struct client *c, const struct outbox_counts *n)
{
	char day[16] = "";

	if (n->since > 0)
		cli_day(day, n->since);
	printf("{\"submissions\":%u,\"cells\":%u,\"on_one\":%u,\"needed\":%u,\"saved\":%u,"
	       "\"since\":\"%s\",\"servers\":[", n->submissions, n->cells, n->on_one, n->needed,
	       n->saved, day);
	for (uint32_t i = 0; c->field != NULL && i < c->field->n_servers; i++) {
		printf("%s{\"address\":", i == 0 ? "" : ",");
		cli_json_str(stdout, c->field->servers[i].address,
		             strlen(c->field->servers[i].address));
		printf(",\"lacks\":%u}", n->lacks[i]);
	}
	puts("]}");
}

static void print_counts(const struct client *c, const struct outbox_counts *n)
{
	char day[16];

	if (n->submissions == 0) {
		puts("Nothing waits here: the servers have everything.");
		return;
	}
	cli_day(day, n->since);
	printf("%u submission%s wait%s here, since %s; each goes to %u server%s.\n", n->submissions,
	       s_of(n->submissions), n->submissions == 1 ? "s" : "", day, n->needed,
	       s_of(n->needed));
	if (n->on_one > 0)
		printf("%u of them %s whole on a server already.\n", n->on_one,
		       n->on_one == 1 ? "is" : "are");
	for (uint32_t i = 0; c->field != NULL && i < c->field->n_servers; i++) {
		fputs("  ", stdout);
		term_print(stdout, c->field->servers[i].address,
		           strlen(c->field->servers[i].address), TERM_LINE);
		if (n->lacks[i] > 0)
			printf(" lacks %u\n", n->lacks[i]);
		else
			puts(" has all of them");
	}
	if (n->saved > 0)
		printf("%u %s in a file, too: when that has arrived, `amparo outbox clear`.\n", n->saved,
		       n->saved == 1 ? "is" : "are");
	puts("`amparo sync` sends them.");
}

int cmd_outbox(struct cli *cli, int argc, char **argv)
{
	struct outbox_counts n;
	enum perr err;
	int c, code;

	if ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (optind != argc)
		return cli_usage(cli, "only save, carry or clear stands behind it");
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	err = outbox_counts(cli->client, &n);
	if (err != PERR_OK)
		return cli_fail_err(err, "the outbox could not be read");
	if (cli->json)
		print_json(cli->client, &n);
	else
		print_counts(cli->client, &n);
	return EXIT_DONE;
}

/* ---- save ------------------------------------------------------------------------------- */

const char cmd_outbox_save_help[] =
	"Use: amparo outbox save FILE\n\n"
	"Writes all that waits here to a file that any other member's device can bring to the\n"
	"servers: for a phone without a network, or a member whose membership ended.  It is\n"
	"sealed for its readers as before, and once more, so that the file tells whoever finds it\n"
	"its size and nothing else.  Any way of sending it is good enough; a stick in a pocket, too.\n\n"
	"What waits stays here until `amparo outbox clear`: type that when the other one says that\n"
	"everything was sent.  It does no harm if both of you send it.\n\n"
	"Example: amparo outbox save /media/stick/outbox.amparo\n";

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

static enum perr write_piece(void *arg, const uint8_t piece[OUTFILE_PIECE])
{
	struct file *f = arg;
	size_t at = 0;

	while (at < OUTFILE_PIECE) {
		ssize_t k = write(f->fd, piece + at, OUTFILE_PIECE - at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return file_failed(f, errno);
		at += (size_t)k;
	}
	return PERR_OK;
}

/* the file is whole under its name, or not there */
static int save_to(struct cli *cli, const char *path, struct outbox_save *s)
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
	err = outbox_save(cli->client, write_piece, &f, s);
	if (err == PERR_OK && (fsync(f.fd) != 0 || rename(tmp, path) != 0))
		err = file_failed(&f, errno);
	if (f.failed)
		code = cli_fail(EXIT_REFUSED, "%s could not be written: %s; free some space or name "
		                "another place.", path, strerror(f.why));
	else if (err == PERR_NOTFOUND)
		code = cli_fail(EXIT_REFUSED, "nothing waits here: the servers have everything.");
	else if (err == PERR_STATE)
		code = cli_fail(EXIT_REFUSED, "this device has no roster yet, so nobody could open the "
		                "file; run `amparo sync` first.");
	else if (err != PERR_OK)
		code = cli_fail_err(err, "the outbox could not be saved");
	if (err != PERR_OK)
		unlink(tmp);
	close(f.fd);
	free(tmp);
	return code;
}

int cmd_outbox_save(struct cli *cli, int argc, char **argv)
{
	struct outbox_save s;
	char size[16];
	enum perr err;
	int c, code;

	if ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind != 1)
		return cli_usage(cli, "the name of the file to write is needed");
	code = cli_open(cli);
	if (code == EXIT_DONE)
		code = save_to(cli, argv[optind], &s);
	if (code != EXIT_DONE)
		return code;
	/* a kill before this: they are in the file and not marked; saving again does both */
	err = outbox_saved(cli->client, s.last_group);
	if (err != PERR_OK)
		return cli_fail_err(err, "the file is written, but the vault could not note it");
	progress_bytes(size, sizeof size, (uint64_t)s.pieces * OUTFILE_PIECE);
	if (cli->json) {
		printf("{\"cells\":%u,\"bytes\":%llu,\"more\":%s}\n", s.cells,
		       (unsigned long long)s.pieces * OUTFILE_PIECE, s.more ? "true" : "false");
		return EXIT_DONE;
	}
	printf("%s: %s, sealed.  Any other member sends it: amparo outbox carry FILE\n"
	       "What waits stays here, too, until you type `amparo outbox clear`: when they say that\n"
	       "it arrived.\n", argv[optind], size);
	if (s.more)
		puts("More waits than one file holds: save again after that.");
	return EXIT_DONE;
}

/* ---- carry ------------------------------------------------------------------------------- */

const char cmd_outbox_carry_help[] =
	"Use: amparo outbox carry FILE\n\n"
	"Sends what another member's device wrote to a file with `amparo outbox save`.  You cannot\n"
	"read any of it, and nobody learns from it whose it was.  What is sent once is not sent\n"
	"again, so a file may be carried twice, and by two people.  Without a network it waits here\n"
	"like your own; `amparo sync` sends it.\n\n"
	"Example: amparo outbox carry /media/stick/outbox.amparo\n";

static enum perr read_piece(void *arg, uint32_t at, uint8_t piece[OUTFILE_PIECE])
{
	struct file *f = arg;
	size_t got = 0;

	while (got < OUTFILE_PIECE) {
		ssize_t k = pread(f->fd, piece + got, OUTFILE_PIECE - got,
		                  (off_t)at * OUTFILE_PIECE + (off_t)got);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return file_failed(f, k == 0 ? 0 : errno);
		got += (size_t)k;
	}
	return PERR_OK;
}

static int carry_from(struct cli *cli, const char *path, struct outbox_carry *k)
{
	struct file f = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct stat st;
	enum perr err;

	if (f.fd < 0 || fstat(f.fd, &st) != 0) {
		int why = errno;

		if (f.fd >= 0)
			close(f.fd);
		return cli_fail(EXIT_REFUSED, "%s cannot be read: %s.", path, strerror(why));
	}
	err = S_ISREG(st.st_mode) ? outbox_carry(cli->client, (uint64_t)st.st_size, read_piece, &f, k)
	                          : PERR_FORMAT;
	close(f.fd);
	if (f.failed)
		return cli_fail(EXIT_REFUSED, "%s could not be read to its end; copy it again.", path);
	switch (err) {
	case PERR_OK:
		return EXIT_DONE;
	case PERR_FORMAT:
		return cli_fail(EXIT_REFUSED, "%s is not a file of `amparo outbox save`, or it is not "
		                "whole; nothing was taken from it: ask for it again.", path);
	case PERR_AUTH:
		return cli_fail(EXIT_REFUSED, "%s does not open here: it is not whole, or of another "
		                "organisation, or sealed with newer keys than this device has: run "
		                "`amparo sync` and try again.", path);
	case PERR_CORRUPT:
		return cli_fail(EXIT_REFUSED, "%s was altered or copied badly; nothing was taken from "
		                "it: ask for it again.", path);
	case PERR_STATE:
		return cli_fail(EXIT_REFUSED, "this device has no roster yet; run `amparo sync` first.");
	default:
		return cli_fail_err(err, "the file could not be taken over");
	}
}

int cmd_outbox_carry(struct cli *cli, int argc, char **argv)
{
	struct outbox_carry k;
	struct outbox_counts n;
	uint32_t day;
	enum perr err;
	int c, code;

	if ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	if (argc - optind != 1)
		return cli_usage(cli, "the file to carry is needed");
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	err = revoked_since(cli->client, &day);
	if (err != PERR_OK)
		return cli_fail_err(err, "the vault could not be read");
	if (day > 0)
		return cli_fail(EXIT_REFUSED, "your membership ended: the servers take nothing from this "
		                "device; give the file to somebody who is a member.");
	code = carry_from(cli, argv[optind], &k);
	if (code != EXIT_DONE)
		return code;
	if (cli->json)
		printf("{\"cells\":%u,\"fresh\":%u}\n", k.cells, k.fresh);
	else if (k.fresh == 0)
		printf("All %u sealed cells of the file wait here already.\n", k.cells);
	else
		printf("%u sealed cells were taken over from the file.\n", k.fresh);
	code = net_sync(cli, cli->json ? NET_QUIET : 0);
	err = outbox_counts(cli->client, &n);
	if (err != PERR_OK)
		return cli_fail_err(err, "the outbox could not be read");
	if (cli->json)
		return code;
	if (n.submissions == 0)
		puts("Everything is on the servers.  The file is not needed any more: delete it, and tell\n"
		     "whoever gave it to you.");
	else
		puts("It is not on all servers yet: keep the file until `amparo outbox` says that nothing\n"
		     "waits.");
	return code;
}

/* ---- clear ------------------------------------------------------------------------------- */

const char cmd_outbox_clear_help[] =
	"Use: amparo outbox clear [--unsaved] [--yes]\n\n"
	"Forgets what waits here and was saved to a file, when whoever carried the file says that\n"
	"it arrived.  Says first what goes, and asks.\n\n"
	"  --unsaved   also what is in no file: it is lost for good\n"
	"  --yes       do not ask\n\n"
	"Example: amparo outbox clear\n";

int cmd_outbox_clear(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "unsaved", no_argument, NULL, OPT_UNSAVED }, { "yes", no_argument, NULL, OPT_YES },
		{ 0 }
	};
	struct outbox_counts n;
	bool unsaved = false, yes = false;
	unsigned gone, lost;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_UNSAVED: unsaved = true; break;
		case OPT_YES:     yes = true; break;
		default:          return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (optind != argc)
		return cli_usage(cli, "nothing stands behind it");
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	err = outbox_counts(cli->client, &n);
	if (err != PERR_OK)
		return cli_fail_err(err, "the outbox could not be read");
	if (n.submissions == 0) {
		puts("Nothing waits here: there is nothing to clear.");
		return EXIT_DONE;
	}
	if (n.saved == 0 && !unsaved)
		return cli_fail(EXIT_REFUSED, "what waits here is in no file yet: `amparo outbox save FILE` "
		                "first, and clear when it has arrived.");
	gone = unsaved ? n.submissions : n.saved;
	lost = unsaved ? n.submissions - n.saved : 0;
	fprintf(stderr, "%u submission%s leave%s this device for good.  Are they on the servers?  "
	        "`amparo outbox\ncarry` says so to whoever carried the file.\n", gone, s_of(gone),
	        gone == 1 ? "s" : "");
	if (lost > 0)
		fprintf(stderr, "%u of them %s in no file: what no server has of %s is lost.\n", lost,
		        lost == 1 ? "is" : "are", lost == 1 ? "it" : "them");
	if (!yes && !term_yes(stdin, stderr, "Forget them here?", false))
		return cli_fail(EXIT_REFUSED, "nothing was changed; --yes answers the question.");
	err = outbox_clear(cli->client, unsaved, &gone);
	if (err != PERR_OK)
		return cli_fail_err(err, "the outbox could not be cleared");
	printf("%u submission%s forgotten here.\n", gone, gone == 1 ? " is" : "s are");
	return EXIT_DONE;
}
