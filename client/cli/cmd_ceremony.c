/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* `amparo recovery setup`: the ceremony at which a desk gets its paper holder. */
#include "cmd_recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "assign.h"
#include "ceremony.h"
#include "cmd_desk.h"
#include "net.h"
#include "papers.h"
#include "roster.h"
#include "share_ask.h"
#include "share_sheet.h"
#include "term.h"

#define TMPFS 0x01021994
#define TRUSTEES_FILE_MAX 16384

enum { OPT_NEED = 1, OPT_OF, OPT_DESK, OPT_SHEETS, OPT_TRUSTEES };

const char cmd_recovery_setup_help[] =
	"Use: amparo recovery setup --need K --of N [--desk NAME] [--sheets DIR]\n"
	"                           [--trustees-file FILE]\n\n"
	"Gives a desk a holder that is paper: a key cut into N shares, on N sheets for N people you\n"
	"trust, of several organisations.  Any K of them together can restore what the servers\n"
	"still hold if every device of the desk is lost; fewer know nothing.\n\n"
	"Needs a printer, and the printed sheets in your hands: every one is read back, by its words\n"
	"or by a scanner on its code, before anything is published.  Then the desk's holders sign.\n"
	"If you stop before, nothing was published, and what was printed opens nothing.\n\n"
	"Do it again every year, and after each recovery: the new sheets take the old ones' place.\n\n"
	"  --need K           how many sheets are needed: 2 or more\n"
	"  --of N             how many there are: up to 16\n"
	"  --desk NAME        which desk, where you hold several\n"
	"  --sheets DIR       where the files to print are written, instead of a folder in memory;\n"
	"                     they are overwritten and removed at the end\n"
	"  --trustees-file F  a line \"Name, Organisation\" for each sheet, instead of being asked\n\n"
	"Example: amparo recovery setup --need 3 --of 5\n";

struct setup {
	struct cli *cli;
	struct ask ask;
	uint8_t desk[32];
	char *desk_name;
	uint32_t need, of;
	struct share_trustee trustees[PAPER_SHARES_MAX];
	char dir[512];
	bool made_dir;
	unsigned n_written;
};

/* ---- who gets them ------------------------------------------------------------------------- */

/* "Name, Organisation" */
static bool take_trustee(struct share_trustee *t, const char *line)
{
	const char *comma = strchr(line, ',');
	size_t n, m;

	line += strspn(line, " \t");
	if (comma == NULL || comma < line)
		return false;
	n = (size_t)(comma - line);
	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	comma++;
	comma += strspn(comma, " \t");
	m = strlen(comma);
	while (m > 0 && strchr(" \t\r", comma[m - 1]) != NULL)
		m--;
	if (n == 0 || n >= sizeof t->name || m == 0 || m >= sizeof t->organisation)
		return false;
	memcpy(t->name, line, n);
	t->name[n] = '\0';
	memcpy(t->organisation, comma, m);
	t->organisation[m] = '\0';
	return true;
}

static int read_trustees(struct setup *s, const char *path)
{
	uint8_t *data = NULL;
	size_t len = 0;
	char *save = NULL;
	uint32_t n = 0;
	int code = cli_read_file(path, TRUSTEES_FILE_MAX, &data, &len);

	if (code != EXIT_DONE)
		return code;
	for (char *line = strtok_r((char *)data, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (line[strspn(line, " \t\r")] == '\0')
			continue;
		if (n < s->of && !take_trustee(&s->trustees[n], line))
			code = cli_fail(EXIT_REFUSED, "line %u of %s is not \"Name, Organisation\".", n + 1,
			                path);
		n++;
	}
	sodium_memzero(data, len);
	free(data);
	if (code == EXIT_DONE && n != s->of)
		code = cli_fail(EXIT_REFUSED, "%s names %u trustees, and there are %u sheets.", path, n,
		                s->of);
	return code;
}

static int ask_trustees(struct setup *s)
{
	for (uint32_t i = 0; i < s->of;) {
		char prompt[80], *line = NULL;
		enum ask_result got;

		snprintf(prompt, sizeof prompt, "Sheet %u is for (name, organisation): ", i + 1);
		got = ask_line(&s->ask, prompt, &line);
		if (got == ASK_LINE && take_trustee(&s->trustees[i], line))
			i++;
		else if (got == ASK_LINE)
			ask_say(&s->ask, 0, "Type the name, a comma, and the organisation.");
		ask_free(line);
		if (got != ASK_LINE)
			return cli_fail(EXIT_REFUSED, "ended; nothing was made.");
	}
	return EXIT_DONE;
}

/* a raid, a court order or a quarrel reaches one organisation at a time */
static int check_trustees(const struct setup *s)
{
	for (uint32_t i = 0; i < s->of; i++) {
		uint32_t same = 0;

		for (uint32_t j = 0; j < s->of; j++) {
			same += strcasecmp(s->trustees[i].organisation,
			                   s->trustees[j].organisation) == 0 ? 1 : 0;
			if (j < i && strcasecmp(s->trustees[i].name, s->trustees[j].name) == 0)
				return cli_fail(EXIT_REFUSED, "one person would have two sheets: every sheet needs "
				                "a trustee of its own.");
		}
		if (same >= s->need)
			return cli_fail(EXIT_REFUSED, "one organisation would have %u sheets, and %u are "
			                "enough: whoever searches it would have the key.  Spread them over "
			                "several organisations.", same, s->need);
	}
	return EXIT_DONE;
}

/* ---- the files ----------------------------------------------------------------------------- */

static bool is_in_memory(const char *dir)
{
	struct statfs st;

	return statfs(dir, &st) == 0 && st.f_type == TMPFS;
}

static int choose_dir(struct setup *s, const char *given)
{
	const char *bases[] = { getenv("XDG_RUNTIME_DIR"), "/dev/shm" };

	if (given != NULL) {
		if (strlen(given) >= sizeof s->dir)
			return cli_fail(EXIT_REFUSED, "the name of the folder is too long.");
		snprintf(s->dir, sizeof s->dir, "%s", given);
		if (mkdir(s->dir, 0700) == 0)
			s->made_dir = true;
		else if (errno != EEXIST)
			return cli_fail(EXIT_REFUSED, "the folder %s cannot be made: %s.", s->dir,
			                strerror(errno));
		if (!is_in_memory(s->dir))
			fprintf(stderr, "Note: %s is on a disk.  The files will be overwritten at the end, "
			        "but some disks keep what was written; a folder in memory does not.\n",
			        s->dir);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
		if (bases[i] == NULL || *bases[i] != '/' || !is_in_memory(bases[i]) ||
		    strlen(bases[i]) + 32 >= sizeof s->dir)
			continue;
		snprintf(s->dir, sizeof s->dir, "%s/amparo-sheets-XXXXXX", bases[i]);
		if (mkdtemp(s->dir) != NULL) {
			s->made_dir = true;
			return EXIT_DONE;
		}
	}
	return cli_fail(EXIT_REFUSED, "this machine has no folder in memory that can be used; name one "
	                "for the files to print with --sheets.");
}

/* number 0: the list */
static void file_name(const struct setup *s, uint32_t i, char out[560])
{
	if (i == 0)
		snprintf(out, 560, "%s/list.html", s->dir);
	else
		snprintf(out, 560, "%s/share-%u.html", s->dir, i);
}

static void destroy(const char *path)
{
	static const char zeros[4096];
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		for (off_t left = st.st_size; left > 0;) {
			size_t n = left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros;
			ssize_t done = write(fd, zeros, n);

			if (done <= 0)
				break;
			left -= done;
		}
		fsync(fd);
	}
	if (fd >= 0)
		close(fd);
	if (unlink(path) != 0 && errno != ENOENT)
		fprintf(stderr, "amparo: %s could not be removed; remove it yourself.\n", path);
}

/* the list too: it holds no share, and says whom to press for them */
static void destroy_files(struct setup *s)
{
	char path[560];

	for (uint32_t i = 1; i <= s->n_written; i++) {
		file_name(s, i, path);
		destroy(path);
	}
	if (s->n_written > 0) {
		file_name(s, 0, path);
		destroy(path);
	}
	s->n_written = 0;
	if (s->made_dir)
		(void)rmdir(s->dir);
}

static int write_one(struct setup *s, uint32_t i, const struct share_set *set,
                     const struct paper_share *share)
{
	char path[560], *html = NULL;
	size_t len = 0;
	enum perr err = i == 0 ? share_list(&html, &len, set) : share_sheet(&html, &len, set, share);
	int code;

	if (err != PERR_OK)
		return cli_fail_err(err, "a sheet could not be made");
	file_name(s, i, path);
	code = cli_write_file(path, html, len, 0600);
	if (html != NULL)
		sodium_memzero(html, len);
	free(html);
	return code;
}

static int write_files(struct setup *s, const struct ceremony *m, struct share_set *set)
{
	int code = EXIT_DONE;

	for (uint32_t i = 1; i <= s->of && code == EXIT_DONE; i++) {
		code = write_one(s, i, set, ceremony_share(m, i));
		s->n_written = i;
	}
	return code == EXIT_DONE ? write_one(s, 0, set, NULL) : code;
}

/* ---- reading back -------------------------------------------------------------------------- */

static int stopped(void)
{
	return cli_fail(EXIT_REFUSED, "ended before every sheet was read back: nothing was published, "
	                "and the key is gone.  What was printed opens nothing; burn it, and begin "
	                "again.");
}

static int read_back(struct setup *s, struct ceremony *m)
{
	struct share_typed t;
	char label[48], why[CHARTERS_WHY];
	enum ask_result got = ASK_LINE;

	for (uint32_t i = 1; i <= s->of && got == ASK_LINE;) {
		enum perr err;

		snprintf(label, sizeof label, "Share %u of %u", i, s->of);
		got = share_ask(&s->ask, label, &t);
		if (got != ASK_LINE)
			break;
		if (t.is_text && t.err != PERR_OK) {
			ask_say(&s->ask, 0, "This is not the code of a share, or it was not read whole.");
			continue;
		}
		err = t.is_text ? ceremony_read(m, i, &t.share, why)
		                : ceremony_read_words(m, i, t.words, why);
		sodium_memzero(&t, sizeof t);
		if (err == PERR_OK)
			ask_say(&s->ask, 0, "Share %u is on its sheet as it was made.", i++);
		else
			ask_say(&s->ask, 0, "Share %u: %s.  Type it again from the sheet; if the sheet is "
			        "wrong, print it again from %s.", i, why, s->dir);
	}
	sodium_memzero(&t, sizeof t);
	return got == ASK_LINE ? EXIT_DONE : stopped();
}

static int wait_for_printing(struct setup *s)
{
	char *line = NULL;
	enum ask_result got;

	ask_say(&s->ask, 0, "%u sheets are in %s, share-1.html to share-%u.html, and list.html, which "
	        "says who has which.  Open each one in a browser's private window and print it.  Then "
	        "each is read back here from its paper.", s->of, s->dir, s->of);
	got = ask_line(&s->ask, "When all are printed, press Enter: ", &line);
	ask_free(line);
	return got == ASK_LINE ? EXIT_DONE : stopped();
}

static int ceremony(struct setup *s, struct ceremony *m)
{
	struct client *c = s->cli->client;
	struct share_set set = {
		.organisation = c->field->organisation, .desk = s->desk_name,
		.day = ceremony_share(m, 1)->day, .need = s->need, .of = s->of,
		.trustees = s->trustees
	};
	char why[CHARTERS_WHY];
	enum perr err;
	int code;

	assign_words(set.key_words, ceremony_key(m));
	code = write_files(s, m, &set);
	if (code == EXIT_DONE)
		code = wait_for_printing(s);
	if (code == EXIT_DONE)
		code = read_back(s, m);
	destroy_files(s);
	if (code != EXIT_DONE)
		return code;
	err = ceremony_publish(m, why);
	if (err == PERR_REFUSED)
		return cli_fail(EXIT_REFUSED, "%s.  Nothing was published; burn the sheets.", why);
	if (err != PERR_OK)
		return cli_fail_err(err, "nothing was published; burn the sheets and begin again");
	printf("All %u sheets were read back, and the files were removed.  Hand the sheets out; clear "
	       "the printer's memory if it has one.\n", s->of);
	printf("Words of the paper holder, for the holders who sign:\n    %s\n", set.key_words);
	puts("Next: after a release the desk's other holders run `amparo sync` and `amparo desk sign`; "
	     "then an administrator's `amparo sync` lists the change.  From then on intakes are sealed "
	     "to the paper holder too.  Burn any older sheets once `amparo status` shows the new set.");
	return EXIT_DONE;
}

/* the only desk this member holds, or the one named */
static int find_desk(struct cli *cli, const char *name, uint8_t id[32])
{
	return cmd_desk_find(cli, name, true, id);
}

int cmd_recovery_setup(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "need", required_argument, NULL, OPT_NEED }, { "of", required_argument, NULL, OPT_OF },
		{ "desk", required_argument, NULL, OPT_DESK },
		{ "sheets", required_argument, NULL, OPT_SHEETS },
		{ "trustees-file", required_argument, NULL, OPT_TRUSTEES }, { 0 }
	};
	struct setup *s = calloc(1, sizeof *s);
	const char *desk = NULL, *sheets = NULL, *trustees = NULL;
	struct ceremony *m = NULL;
	char why[CHARTERS_WHY], *end;
	enum perr err;
	int c, code = EXIT_DONE;

	if (s == NULL)
		return cli_fail_err(PERR_NOMEM, "the set-up could not begin");
	while (code == EXIT_DONE && (c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_NEED:
		case OPT_OF: {
			unsigned long n = strtoul(optarg, &end, 10);

			if (*optarg == '\0' || *end != '\0' || n < 1 || n > PAPER_SHARES_MAX)
				code = cli_usage(cli, "\"%s\" is not a number from 1 to %d", optarg,
				                 PAPER_SHARES_MAX);
			else
				*(c == OPT_NEED ? &s->need : &s->of) = (uint32_t)n;
			break;
		}
		case OPT_DESK:     desk = optarg; break;
		case OPT_SHEETS:   sheets = optarg; break;
		case OPT_TRUSTEES: trustees = optarg; break;
		default:
			free(s);
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (code == EXIT_DONE && (argc != optind || s->need == 0 || s->of == 0))
		code = cli_usage(cli, "--need and --of are needed");
	s->cli = cli;
	if (code == EXIT_DONE)
		code = cli_open_as(cli, ROLE_NONE);
	if (code == EXIT_DONE)
		code = find_desk(cli, desk, s->desk);
	if (code == EXIT_DONE) {
		err = cmd_desk_name(cli->client, s->desk, &s->desk_name);
		if (err != PERR_OK)
			code = cli_fail_err(err, "the desk could not be read");
	}
	if (code == EXIT_DONE) {
		err = ceremony_new(&m, cli->client, s->desk, s->need, s->of, why);
		if (err == PERR_REFUSED)
			code = cli_fail(EXIT_REFUSED, "%s.", why);
		else if (err != PERR_OK)
			code = cli_fail_err(err, "the set-up could not begin");
	}
	if (code != EXIT_DONE)
		goto out;
	ask_begin(&s->ask, false);
	code = trustees != NULL ? read_trustees(s, trustees) : ask_trustees(s);
	if (code == EXIT_DONE)
		code = check_trustees(s);
	if (code == EXIT_DONE)
		code = choose_dir(s, sheets);
	if (code == EXIT_DONE)
		code = ceremony(s, m);
	ask_done(&s->ask);
	ceremony_free(m);
	m = NULL;
	if (code == EXIT_DONE)
		code = net_sync(cli, NET_QUIET | NET_YES);
out:
	ceremony_free(m);
	free(s->desk_name);
	sodium_memzero(s, sizeof *s);
	free(s);
	return code;
}
