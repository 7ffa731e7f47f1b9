/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "command.h"

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "host.h"
#include "listener.h"
#include "policy.h"
#include "sandbox.h"
#include "scrub.h"

static const char usage_text[] =
"Usage: amparod COMMAND [OPTION...]\n"
"\n"
"  init    make a new server: its folder, its keys, and the card for an administrator\n"
"            --data DIR --address HOST:PORT [--listen HOST:PORT]\n"
"  run     serve, in the foreground, until SIGTERM\n"
"            [--config FILE] [--data DIR] [--listen HOST:PORT]... [--ready-fd N]\n"
"            [--web-origins ORIGINS] [--require-sandbox]\n"
"            and every key of amparod.conf(5) as --KEY VALUE\n"
"  check   read everything that is stored and say what is damaged (the server is stopped)\n"
"            [--config FILE | --data DIR]\n"
"  status  ask a running server for its figures\n"
"            [--config FILE | --data DIR | --status-socket PATH] [--json]\n"
"\n"
"  --help, --version\n"
"\n"
"Exit status: 0 done; 1 failed; 2 wrong usage; 3 cannot listen; 4 the disk failed;\n"
"5 damage found.  More in amparod(8).\n";

/* every configuration key is a flag too */
static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "data", required_argument, NULL, 'k' },
	{ "listen", required_argument, NULL, 'l' },
	{ "web-origins", required_argument, NULL, 'o' },
	{ "status-socket", required_argument, NULL, 'k' },
	{ "max-connections", required_argument, NULL, 'k' },
	{ "handshake-seconds", required_argument, NULL, 'k' },
	{ "idle-seconds", required_argument, NULL, 'k' },
	{ "stall-seconds", required_argument, NULL, 'k' },
	{ "source-limits", required_argument, NULL, 'k' },
	{ "source-per-minute", required_argument, NULL, 'k' },
	{ "memory-mib", required_argument, NULL, 'k' },
	{ "sandbox", required_argument, NULL, 'k' },
	{ "lock-memory", required_argument, NULL, 'k' },
	{ "require-sandbox", no_argument, NULL, 's' },
	{ "address", required_argument, NULL, 'a' },
	{ "ready-fd", required_argument, NULL, 'r' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ NULL, 0, NULL, 0 }
};

struct arguments {
	struct config cfg;
	const char *address;
	int ready_fd;
	bool json;
};

static int wrong(const char *what)
{
	fprintf(stderr, "amparod: %s; amparod --help shows how\n", what);
	return EXIT_CODE_USAGE;
}

/* the file first, so that flags win whatever their order; -1: go on */
static int load_file(int argc, char **argv, struct config *cfg)
{
	char why[200];
	int c, at;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, &at)) != -1)
		if (c == 'c' && config_load(cfg, optarg, why) != PERR_OK) {
			fprintf(stderr, "amparod: %s\n", why);
			return EXIT_CODE_USAGE;
		}
	opterr = 1;
	optind = 1;
	return -1;
}

static int to_fd(const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);

	return text[0] < '0' || text[0] > '9' || *end != '\0' || v > 65535 ? -1 : (int)v;
}

/* -1: go on */
static int parse(int argc, char **argv, struct arguments *a)
{
	bool own_listen = false, own_origins = false;
	char why[200];
	int c, at = 0, code;

	memset(a, 0, sizeof *a);
	a->ready_fd = -1;
	config_default(&a->cfg);
	code = load_file(argc, argv, &a->cfg);
	if (code >= 0)
		return code;
	while ((c = getopt_long(argc, argv, "", options, &at)) != -1) {
		switch (c) {
		case 'c':
			break;
		case 'l':
		case 'o':
			/* the first flag replaces what the file said */
			if (c == 'l' && !own_listen)
				a->cfg.n_listen = 0;
			if (c == 'o' && !own_origins)
				a->cfg.origins.n = 0;
			own_listen = own_listen || c == 'l';
			own_origins = own_origins || c == 'o';
			/* fall through */
		case 'k':
			if (config_set(&a->cfg, options[at].name, optarg, why) != PERR_OK)
				return wrong(why);
			break;
		case 's':
			a->cfg.sandbox = CONFIG_REQUIRED;
			break;
		case 'a':
			a->address = optarg;
			break;
		case 'r':
			a->ready_fd = to_fd(optarg);
			if (a->ready_fd < 0)
				return wrong("--ready-fd needs the number of an open descriptor");
			break;
		case 'j':
			a->json = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return fflush(stdout) == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
		case 'v':
			printf("amparod %s\n", AMPARO_VERSION);
			return fflush(stdout) == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
		default:
			return wrong("that was not understood");
		}
	}
	return optind == argc ? -1 : wrong("too many words");
}

/* ---- what a short command gives up ------------------------------------------------------- */

/* Best effort unless it is required: these run for seconds, hear nobody and start nothing. */
static bool confine(const struct arguments *a, const struct sandbox_folder *folders, size_t n)
{
	unsigned abi, calls;

	if (!SANDBOX_BUILT || a->cfg.sandbox == CONFIG_OFF)
		return true;
	if ((sandbox_files(folders, n, 0, &abi) == PERR_OK &&
	     sandbox_calls(SANDBOX_COMMAND, &calls) == PERR_OK) ||
	    a->cfg.sandbox != CONFIG_REQUIRED)
		return true;
	fprintf(stderr, "amparod: this machine does not grant the sandbox that is required\n");
	return false;
}

/* ---- init -------------------------------------------------------------------------------- */

/* nothing of the card may be lost: it is the only copy */
static int print_card(const struct policy_card *card, const char *dir, const char *listen)
{
	char text[POLICY_CARD_TEXT_MAX + 1];
	int code = EXIT_CODE_FAILED;

	if (policy_card_encode(text, card) == PERR_OK) {
		printf("A new server was made in %s.\n\n"
		       "This is its card. It is shown only now and works only once:\n\n"
		       "%s\n\n"
		       "Next:\n"
		       "  1. start the server:   amparod run --data %s --listen %s\n"
		       "  2. give the card to an administrator, on a way nobody else reads, who\n"
		       "     enters:             amparo server add\n"
		       "Until then the server admits only the card, and stores nothing.\n",
		       dir, text, dir, listen);
		if (fflush(stdout) == 0)
			code = EXIT_CODE_OK;
	}
	if (code != EXIT_CODE_OK)
		fprintf(stderr, "amparod: the card could not be printed; remove %s and run init "
		                "again\n", dir);
	sodium_memzero(text, sizeof text);
	return code;
}

/* the folder itself has to be there before everything around it is closed */
static bool confine_init(const struct arguments *a)
{
	char up[CONFIG_PATH_MAX + 4];
	const struct sandbox_folder folders[] = {
		{ a->cfg.data, SANDBOX_STORE },
		{ up, SANDBOX_LIST },            /* it is synced: the new name is in it */
	};

	snprintf(up, sizeof up, "%s/..", a->cfg.data);
	(void)mkdir(a->cfg.data, 0700);          /* what is wrong with it is told later */
	return confine(a, folders, 2);
}

static int cmd_init(struct arguments *a)
{
	struct policy_card card;
	uint8_t bytes[ADDRESS_BYTES_MAX];
	const char *listen = a->cfg.n_listen > 0 ? a->cfg.listen[0] : "HOST:PORT";
	size_t len;
	enum perr err;
	int code;

	if (a->cfg.data[0] == '\0')
		return wrong("init needs --data DIR");
	if (a->address == NULL && a->cfg.n_listen > 0)
		a->address = a->cfg.listen[0];
	if (a->address == NULL || address_encode(bytes, &len, a->address) != PERR_OK)
		return wrong("init needs --address HOST:PORT, where clients will find the server; "
		             "at most 40 characters, or an onion name");
	if (!confine_init(a))
		return EXIT_CODE_FAILED;
	memset(&card, 0, sizeof card);
	snprintf(card.address, sizeof card.address, "%s", a->address);
	err = host_create(a->cfg.data, clock_unix_s(), rng_system(), card.server_pk,
	                  card.setup_key);
	if (err == PERR_EXISTS)
		fprintf(stderr, "amparod: there is a server in %s already; nothing was changed\n",
		        a->cfg.data);
	else if (err == PERR_STATE)
		fprintf(stderr, "amparod: %s is not empty; choose a folder of its own\n",
		        a->cfg.data);
	else if (err != PERR_OK)
		fprintf(stderr, "amparod: the folder could not be made: %s\n", perr_text(err));
	code = err == PERR_OK ? print_card(&card, a->cfg.data, listen) : EXIT_CODE_FAILED;
	policy_card_wipe(&card);
	return code;
}

/* ---- check ------------------------------------------------------------------------------- */

static void on_finding(void *arg, const struct scrub_finding *f)
{
	if (f->kind == SCRUB_CELL)
		printf("%s, cell %u: %s\n", f->file, f->position, f->text);
	else
		printf("%s%s%s\n", f->file, f->file[0] != '\0' ? ": " : "", f->text);
}

/* -1 with errno: nobody answers */
static int ask(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, path, strlen(path) + 1);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof un) != 0) {
		int err = errno;

		(void)close(fd);
		errno = err;
		fd = -1;
	}
	return fd;
}

/* Remove the local socket that a killed server left: nobody answers there.  A file is refused in
 * the same words, and is not ours. */
static void forget_socket(const char *path)
{
	struct stat st;
	bool is_socket = lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
	int fd;

	/* this frame is never used again: the second in which the last server began would stay */
	sodium_memzero(&st, sizeof st);
	if (!is_socket)
		return;
	fd = ask(path);
	if (fd >= 0)
		(void)close(fd);         /* its server will be found running */
	else if (errno == ECONNREFUSED)
		(void)unlink(path);
}

static int cmd_check(struct arguments *a)
{
	char own[CONFIG_SOCKET_MAX];
	struct scrub_totals t;
	enum perr err;
	int n;

	if (a->cfg.data[0] == '\0')
		return wrong("check needs --data DIR");
	/* it is no part of the store */
	n = snprintf(own, sizeof own, "%s/status.sock", a->cfg.data);
	if (n > 0 && (size_t)n < sizeof own)
		forget_socket(own);
	if (!confine(a, &(struct sandbox_folder){ a->cfg.data, SANDBOX_STORE }, 1))
		return EXIT_CODE_FAILED;
	memset(&t, 0, sizeof t);
	err = scrub(a->cfg.data, on_finding, NULL, &t);
	if (err == PERR_OK || err == PERR_CORRUPT)
		printf("%llu files, %llu cells, %llu bytes were read; %llu things are damaged.\n",
		       (unsigned long long)t.files, (unsigned long long)t.cells,
		       (unsigned long long)t.bytes, (unsigned long long)t.findings);
	if (err == PERR_CORRUPT) {
		printf("Keep a copy of the folder. Members still have what this server lost, or "
		       "another server has it.\n");
		return EXIT_CODE_DAMAGED;
	}
	if (err == PERR_OK)
		return fflush(stdout) == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
	if (err == PERR_STATE)
		fprintf(stderr, "amparod: the server is running; stop it first\n");
	else if (err == PERR_NOTFOUND)
		fprintf(stderr, "amparod: there is no server in %s\n", a->cfg.data);
	else
		fprintf(stderr, "amparod: the check could not be finished: %s\n", perr_text(err));
	return EXIT_CODE_FAILED;
}

/* ---- status ------------------------------------------------------------------------------ */

static const struct {
	const char *key, *label;
	bool is_flag;
} lines[] = {
	{ "day", "day (since 1970)", false },
	{ "frozen", "clock in doubt, nothing ages", true },
	{ "policy", "has a policy", true },
	{ "counter", "highest order counter", false },
	{ "bulletin_version", "bulletin version", false },
	{ "cells_waiting", "cells waiting for release", false },
	{ "cells_released", "cells released", false },
	{ "segments", "segments", false },
	{ "board", "board entries", false },
	{ "board_waiting", "board changes waiting", false },
	{ "joins_waiting", "join answers waiting", false },
	{ "erasures_waiting", "erasures waiting", false },
	{ "erase_day", "day from which the next is applied", false },
	{ "tombstones", "tombstones", false },
	{ "damaged", "damage met since start", false },
	{ "free_mib", "free MiB", false },
	{ "reserve_mib", "MiB kept for release and erasure", false },
	{ "disk_full", "disk full, cells are refused", true },
	{ "connections", "connections", false },
	{ "refused_for_limits", "refused for limits", false },
	{ "refused_for_space", "cells refused for want of space", false },
	{ "alerts", "hours over a scope's total", false },
	{ "turned_away", "connections turned away", false },
	{ "next_release_in_seconds", "seconds to the next release", false },
};

static void print_line(const char *key, const char *value, bool json, bool first)
{
	size_t i;

	for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (strcmp(lines[i].key, key) != 0)
			continue;
		if (lines[i].is_flag)
			value = strcmp(value, "1") == 0 ? (json ? "true" : "yes") :
			        (json ? "false" : "no");
		if (json)
			printf("%s\"%s\": %s", first ? "{" : ", ", key, value);
		else
			printf("%-34s %s\n", lines[i].label, value);
		return;
	}
}

static int cmd_status(struct arguments *a)
{
	char why[200], key[64], value[64];
	bool first = true;
	FILE *f;
	int fd;

	_Static_assert(CONFIG_SOCKET_MAX <= sizeof ((struct sockaddr_un *)0)->sun_path,
	               "a configured path fits a local address");
	if (a->cfg.n_listen == 0)
		a->cfg.n_listen = 1;     /* status listens nowhere */
	if (a->cfg.status_socket[0] == '\0' && config_check(&a->cfg, why) != PERR_OK)
		return wrong(why);
	fd = ask(a->cfg.status_socket);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (f == NULL) {
		fprintf(stderr, "amparod: no server answers at %s\n", a->cfg.status_socket);
		return EXIT_CODE_FAILED;
	}
	if (!confine(a, NULL, 0)) {
		fclose(f);
		return EXIT_CODE_FAILED;
	}
	while (fscanf(f, "%63s %63s", key, value) == 2) {
		print_line(key, value, a->json, first);
		first = false;
	}
	fclose(f);
	if (a->json && !first)
		puts("}");
	if (first) {
		fprintf(stderr, "amparod: the server gave no answer\n");
		return EXIT_CODE_FAILED;
	}
	return fflush(stdout) == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

/* ---- run --------------------------------------------------------------------------------- */

static int cmd_run(struct arguments *a)
{
	char why[200];

	if (config_check(&a->cfg, why) != PERR_OK)
		return wrong(why);
	/* now: the sandbox lets a server remove nothing outside its data folder */
	forget_socket(a->cfg.status_socket);
	return listener_run(&a->cfg, a->ready_fd);
}

/* nothing of this process may reach a core file, another process or a stranger's eyes */
static void harden(void)
{
	if (sandbox_begin() != PERR_OK)
		fprintf(stderr, "amparod: the kernel does not let this process be hidden from "
		                "debuggers or give up privileges\n");
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	/* a file that may not grow is a failed write, to be told, not a sudden death */
	(void)signal(SIGXFSZ, SIG_IGN);
#ifdef M_PERTURB
	/* What is freed is overwritten, by whichever library: LMDB gives the pages of a pool back
	 * in order of arrival, and a release promises that this order is gone. */
	(void)mallopt(M_PERTURB, 0x5a);
#endif
}

int command_main(int argc, char **argv)
{
	struct arguments *a;
	int code;

	if (argc < 2)
		return wrong("a command is missing");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0) {
		if (argv[1][2] == 'v')
			printf("amparod %s\n", AMPARO_VERSION);
		else
			fputs(usage_text, stdout);
		return fflush(stdout) == 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
	}
	harden();
	if (sodium_init() < 0)
		return EXIT_CODE_FAILED;
	a = malloc(sizeof *a);
	if (a == NULL)
		return EXIT_CODE_FAILED;
	code = parse(argc - 1, argv + 1, a);
	if (code >= 0)
		;                        /* said already */
	else if (strcmp(argv[1], "init") == 0)
		code = cmd_init(a);
	else if (strcmp(argv[1], "run") == 0)
		code = cmd_run(a);
	else if (strcmp(argv[1], "check") == 0)
		code = cmd_check(a);
	else if (strcmp(argv[1], "status") == 0)
		code = cmd_status(a);
	else
		code = wrong("no such command");
	free(a);
	return code;
}
