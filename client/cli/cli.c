/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "now.h"
#include "passphrase.h"

enum { OPT_HOME = 1000, OPT_PASSFILE, OPT_JSON };

#define LONGS_MAX 32

int cli_fail(int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("amparo: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

static const char *next_step(enum perr err, int *code)
{
	*code = EXIT_REFUSED;
	switch (err) {
	case PERR_NET:
	case PERR_TIMEOUT:
	case PERR_TRUNCATED:
		*code = EXIT_LATER;
		return "; what you entered is kept, try again when there is a network";
	case PERR_AUTH:
		return "; check that this is the right server or invitation";
	case PERR_FULL:
		*code = EXIT_DAMAGED;
		return "; free some space and try again, nothing was lost";
	case PERR_NOMEM:
		*code = EXIT_DAMAGED;
		return "; close other programs and try again, nothing was lost";
	case PERR_IO:
	case PERR_CORRUPT:
		*code = EXIT_DAMAGED;
		return "; keep this device as it is and tell your administrator";
	case PERR_FORK:
	case PERR_CHAIN:
	case PERR_SIGS:
	case PERR_OLD:
		return "; do not go on before you have spoken with your administrator or a holder of your desk";
	case PERR_OK: case PERR_MORE: case PERR_FORMAT: case PERR_NOTMINE: case PERR_UNKNOWN:
	case PERR_REFUSED: case PERR_REPLAY: case PERR_RANGE: case PERR_KEY: case PERR_STATE:
	case PERR_NOTFOUND: case PERR_EXISTS: case PERR_LIMIT: case PERR_COUNT:
		return "";
	}
	return "";
}

int cli_fail_err(enum perr err, const char *fmt, ...)
{
	va_list ap;
	int code;
	const char *next = next_step(err, &code);

	fflush(stdout);
	fputs("amparo: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s%s.\n", perr_text(err), next);
	return code;
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("amparo: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; `amparo %s --help` shows how.\n", cli->command->name);
	return EXIT_USAGE;
}

int cli_option(struct cli *cli, int argc, char **argv, const struct option *longs)
{
	static const struct option common[] = {
		{ "home", required_argument, NULL, OPT_HOME },
		{ "passphrase-file", required_argument, NULL, OPT_PASSFILE },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct option all[LONGS_MAX + 5];
	char shorts[2 * LONGS_MAX + 3] = ":h";
	size_t n = 0, k = 2;
	int c;

	for (; longs != NULL && longs[n].name != NULL && n < LONGS_MAX; n++) {
		all[n] = longs[n];
		/* one whose value is a letter can be given by it: -o FILE */
		if (longs[n].val >= 'a' && longs[n].val <= 'z' && longs[n].val != 'h') {
			shorts[k++] = (char)longs[n].val;
			if (longs[n].has_arg == required_argument)
				shorts[k++] = ':';
		}
	}
	memcpy(all + n, common, sizeof common);
	for (;;) {
		opterr = 0;
		c = getopt_long(argc, argv, shorts, all, NULL);
		switch (c) {
		case OPT_HOME:
			cli->home = optarg;
			break;
		case OPT_PASSFILE:
			cli->passphrase_file = optarg;
			break;
		case OPT_JSON:
			cli->json = true;
			break;
		case 'h':
			fputs(cli->command->help, stdout);
			return 'h';
		case ':':
			cli_usage(cli, "the option %s needs a value", argv[optind - 1]);
			return '?';
		case '?':
			cli_usage(cli, "there is no option %s, or it takes no value",
			          argv[optind - 1]);
			return '?';
		default:
			return c;
		}
	}
}

uint64_t cli_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int64_t env_now(void *ctx)
{
	return now_unix_s();
}

struct crew {
	pthread_mutex_t lock;
	size_t next, n;
	void (*fn)(void *, size_t);
	void *arg;
};

static void *crew_work(void *p)
{
	struct crew *crew = p;

	for (;;) {
		size_t i;

		pthread_mutex_lock(&crew->lock);
		i = crew->next++;
		pthread_mutex_unlock(&crew->lock);
		if (i >= crew->n)
			return NULL;
		crew->fn(crew->arg, i);
	}
}

/* time() may be a moment behind clock_gettime; a test's clock is far from both */
static int64_t env_now_ms(void *ctx)
{
	struct timespec ts;
	int64_t s = now_unix_s();

	(void)ctx;
	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return s * 1000;
	if (s == ts.tv_sec - 1)
		s = ts.tv_sec;
	return s * 1000 + ts.tv_nsec / 1000000;
}

static void env_parallel(void *ctx, size_t n, void (*fn)(void *, size_t), void *arg)
{
	struct crew crew = { .n = n, .fn = fn, .arg = arg };
	pthread_t threads[15];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t want = cores > 16 ? 15 : cores > 1 ? (size_t)cores - 1 : 0, made = 0;

	if (want >= n)
		want = n > 0 ? n - 1 : 0;
	pthread_mutex_init(&crew.lock, NULL);
	/* fewer threads than wanted only take longer */
	while (made < want && pthread_create(&threads[made], NULL, crew_work, &crew) == 0)
		made++;
	crew_work(&crew);
	while (made > 0)
		pthread_join(threads[--made], NULL);
	pthread_mutex_destroy(&crew.lock);
}

struct client_env cli_env(void)
{
	return (struct client_env){
		.rng = rng_system(), .now = env_now, .now_ms = env_now_ms, .parallel = env_parallel
	};
}

static int open_vault(struct cli *cli)
{
	struct vault_key *key = sodium_malloc(sizeof *key);
	struct phrase *pass = NULL;
	enum perr err = PERR_NOMEM;
	int code = EXIT_DONE;

	if (key == NULL)
		goto out;
	if (!vault_exists(cli->home)) {
		code = cli_fail(EXIT_REFUSED, "there is no vault in %s; `amparo join` or "
		                "`amparo org create` makes one, --home names another folder.",
		                cli->home);
		goto out;
	}
	err = agent_get_key(cli->home, key);
	if (err == PERR_OK) {
		err = vault_open(&cli->vault, cli->home, key);
		if (err != PERR_AUTH)
			goto out;
		/* the passphrase was changed by somebody else meanwhile: ask */
	}
	err = passphrase_ask(&pass, cli->passphrase_file);
	if (err != PERR_OK) {
		code = EXIT_LOCKED;           /* already said */
		goto out;
	}
	err = vault_derive(key, cli->home, pass->text, pass->len);
	if (err == PERR_OK)
		err = vault_open(&cli->vault, cli->home, key);
out:
	phrase_free(pass);
	if (key != NULL) {
		sodium_memzero(key, sizeof *key);
		sodium_free(key);
	}
	if (code == EXIT_DONE && err != PERR_OK)
		code = cli_fail(err == PERR_AUTH ? EXIT_LOCKED : EXIT_DAMAGED, "%s",
		                vault_explain(err));
	return code;
}

static int open_client(struct cli *cli)
{
	struct client_env env = cli_env();
	enum perr err = client_open(&cli->client, vault_kv(cli->vault), &env);

	if (err != PERR_OK)
		return cli_fail_err(err, "the vault in %s cannot be read", cli->home);
	return EXIT_DONE;
}

int cli_open_any(struct cli *cli)
{
	int code = open_vault(cli);

	return code == EXIT_DONE ? open_client(cli) : code;
}

int cli_open(struct cli *cli)
{
	int code = cli_open_any(cli);

	if (code == EXIT_DONE && cli->client->me->state == CLIENT_NOBODY)
		code = cli_fail(EXIT_REFUSED, "this vault belongs to nobody yet; `amparo join` "
		                "goes on where it was interrupted.");
	return code;
}

int cli_open_as(struct cli *cli, enum client_role role)
{
	int code = cli_open(cli);
	static const char *const whom[] = {
		"members", "volunteers", "attorneys", "interpreters", "administrators"
	};

	if (code != EXIT_DONE || role == ROLE_NONE || cli->client->me->role == role)
		return code;
	if (cli->client->me->state == CLIENT_JOINING)
		return cli_fail(EXIT_REFUSED, "your administrator has not confirmed you yet; tell "
		                "them the four words of `amparo status`, then run `amparo sync`.");
	return cli_fail(EXIT_REFUSED, "`amparo %s` is for %s only; `amparo status` shows what "
	                "you can do.", cli->command->name, whom[role]);
}

int cli_create(struct cli *cli, bool light)
{
	struct phrase *pass = NULL;
	enum perr err;
	int code = EXIT_DONE;

	if (vault_exists(cli->home))
		return cli_fail(EXIT_REFUSED, "there is a vault in %s already; --home names "
		                "another folder.", cli->home);
	err = passphrase_choose(&pass, cli->passphrase_file);
	if (err != PERR_OK)
		return EXIT_LOCKED;           /* already said */
	err = vault_create(cli->home, pass->text, pass->len,
	                   light ? VAULT_LIGHT : VAULT_MODERATE);
	if (err == PERR_OK) {
		struct vault_key *key = sodium_malloc(sizeof *key);

		err = key == NULL ? PERR_NOMEM
		                  : vault_derive(key, cli->home, pass->text, pass->len);
		if (err == PERR_OK)
			err = vault_open(&cli->vault, cli->home, key);
		if (key != NULL) {
			sodium_memzero(key, sizeof *key);
			sodium_free(key);
		}
	}
	phrase_free(pass);
	if (err != PERR_OK)
		code = cli_fail(EXIT_DAMAGED, "%s", vault_explain(err));
	if (code == EXIT_DONE)
		code = open_client(cli);
	return code;
}

void cli_close(struct cli *cli)
{
	client_free(cli->client);
	cli->client = NULL;
	if (cli->vault != NULL && vault_owes_compact(cli->vault)) {
		enum perr err = kv_settle(vault_kv(cli->vault));

		if (err != PERR_OK)
			cli_fail(EXIT_DAMAGED, "what was deleted could not be overwritten yet (%s); "
			         "it is tried again at the next command.", perr_text(err));
	}
	vault_close(cli->vault);
	cli->vault = NULL;
}

int cli_read_file(const char *path, size_t max, uint8_t **data, size_t *len)
{
	struct stat st;
	uint8_t *buf = NULL;
	size_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), code = EXIT_REFUSED;

	*data = NULL;
	*len = 0;
	if (fd < 0)
		return cli_fail(EXIT_REFUSED, "%s cannot be opened: %s.", path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		cli_fail(code, "%s is not a file.", path);
		goto out;
	}
	if ((uint64_t)st.st_size > max) {
		cli_fail(code, "%s is too large: %llu bytes, at most %zu are allowed.", path,
		         (unsigned long long)st.st_size, max);
		goto out;
	}
	buf = malloc((size_t)st.st_size + 1);
	if (buf == NULL) {
		code = cli_fail_err(PERR_NOMEM, "%s cannot be read", path);
		goto out;
	}
	while (got < (size_t)st.st_size) {
		ssize_t k = read(fd, buf + got, (size_t)st.st_size - got);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0) {
			cli_fail(code, "%s could not be read to its end; copy it again.", path);
			goto out;
		}
		got += (size_t)k;
	}
	buf[got] = 0;
	*data = buf;
	*len = got;
	buf = NULL;
	code = EXIT_DONE;
out:
	free(buf);
	close(fd);
	return code;
}

int cli_write_file(const char *path, const void *data, size_t len, unsigned mode)
{
	size_t tmp_len = strlen(path) + 8, at = 0;
	char *tmp = malloc(tmp_len);
	int fd = -1, code = EXIT_DONE;

	if (tmp == NULL)
		return cli_fail_err(PERR_NOMEM, "%s cannot be written", path);
	snprintf(tmp, tmp_len, "%s.XXXXXX", path);
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0) {
		code = cli_fail(EXIT_REFUSED, "%s cannot be written: %s.", path, strerror(errno));
		goto out;
	}
	while (at < len) {
		ssize_t k = write(fd, (const char *)data + at, len - at);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		at += (size_t)k;
	}
	if (at < len || fchmod(fd, mode) != 0 || fsync(fd) != 0 || rename(tmp, path) != 0) {
		code = cli_fail(EXIT_REFUSED, "%s could not be written: %s; free some space or "
		                "name another place.", path, strerror(errno));
		unlink(tmp);
	}
out:
	if (fd >= 0)
		close(fd);
	free(tmp);
	return code;
}

void cli_json_str(FILE *f, const char *s, size_t len)
{
	fputc('"', f);
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)s[i];

		if (ch == '"' || ch == '\\')
			fprintf(f, "\\%c", ch);
		else if (ch < 0x20 || ch == 0x7f)
			fprintf(f, "\\u%04x", ch);
		else
			fputc(ch, f);
	}
	fputc('"', f);
}

void cli_day(char out[16], uint32_t day)
{
	time_t t = (time_t)day * 86400;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
		snprintf(out, 16, "day %u", day % 1000000);
}
