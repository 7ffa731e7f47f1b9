/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A request is one byte (K key, R remaining, U update + key, S stop); the answer
 * one status byte and u32 seconds left (big-endian), for K and no other the key.
 */
#define ARG        "--amparo-agent"
#define SOCK       "agent.sock"
#define LOCK       "agent.lock"
#define START_FD   3
#define PEER_S     2            /* how long one peer may keep the agent waiting */
#define ANSWER_S   15           /* how long we wait for an agent */
#define LOOK_MS    10000        /* how often it looks whether its socket is still there */
#define TAKEOVER_MS 5000

static bool is_hooked;

void agent_protect(void)
{
	static const struct rlimit none = { 0, 0 };

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

/* ---- bytes over a socket ---- */

static bool send_all(int fd, const void *p, size_t len)
{
	const uint8_t *at = p;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool recv_all(int fd, void *p, size_t len)
{
	uint8_t *at = p;

	while (len > 0) {
		ssize_t n = recv(fd, at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static void set_timeout(int fd, int seconds)
{
	struct timeval t = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static bool is_own_uid(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       len == sizeof peer && peer.uid == geteuid();
}

static uint32_t u32_get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void u32_put(uint8_t *p, uint32_t x)
{
	p[0] = (uint8_t)(x >> 24);
	p[1] = (uint8_t)(x >> 16);
	p[2] = (uint8_t)(x >> 8);
	p[3] = (uint8_t)x;
}

/* ---- asking ---- */

static enum perr agent_connect(const char *home, int *out)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int n = snprintf(a.sun_path, sizeof a.sun_path, "%s/" SOCK, home), dir = -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	enum perr err = PERR_IO;

	*out = -1;
	if (fd < 0)
		return err;
	/* A longer path than the 107 bytes of a socket address: by way of /proc. */
	if (n < 0 || (size_t)n >= sizeof a.sun_path) {
		dir = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
		snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/" SOCK, dir);
	}
	set_timeout(fd, ANSWER_S);
	err = PERR_NOTFOUND;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		goto out;
	err = PERR_REFUSED;
	if (!is_own_uid(fd))
		goto out;
	*out = fd;
	fd = -1;
	err = PERR_OK;
out:
	if (dir >= 0)
		close(dir);
	if (fd >= 0)
		close(fd);
	return err;
}

/*
 * One request and its answer.  give, take: VAULT_KEY_SIZE bytes or NULL.
 * until_end: also wait for the other side to be gone.
 */
static enum perr request(const char *home, char what, const struct vault_key *give,
                         struct vault_key *take, unsigned *seconds, bool until_end)
{
	uint8_t head[5];
	int fd;
	enum perr err = agent_connect(home, &fd);

	if (err != PERR_OK)
		return err;
	err = PERR_NOTFOUND;    /* it may end between connect and answer */
	if (!send_all(fd, &what, 1) || (give != NULL && !send_all(fd, give->b, sizeof give->b)) ||
	    !recv_all(fd, head, sizeof head))
		goto out;
	err = PERR_REFUSED;
	if (head[0] != 0)
		goto out;
	if (take != NULL && !recv_all(fd, take->b, sizeof take->b)) {
		sodium_memzero(take, sizeof *take);
		goto out;
	}
	if (seconds != NULL)
		*seconds = u32_get(head + 1);
	err = PERR_OK;
	if (until_end && recv_all(fd, head, 1))
		err = PERR_REFUSED;
out:
	close(fd);
	return err;
}

enum perr agent_get_key(const char *home, struct vault_key *key)
{
	sodium_memzero(key, sizeof *key);
	return request(home, 'K', NULL, key, NULL, false);
}

enum perr agent_update(const char *home, const struct vault_key *key)
{
	return request(home, 'U', key, NULL, NULL, false);
}

enum perr agent_stop(const char *home)
{
	return request(home, 'S', NULL, NULL, NULL, true);
}

enum perr agent_remaining(const char *home, unsigned *seconds)
{
	*seconds = 0;
	return request(home, 'R', NULL, NULL, seconds, false);
}

/* ---- the agent ---- */

struct agent {
	struct vault_key *key;          /* sodium_malloc, locked */
	struct vault_key *fresh;        /* the same, while an update arrives */
	int listen_fd, signal_fd, lock_fd;
	ino_t sock_ino;
	dev_t sock_dev;
	uint64_t end_ms;
};

/* Time asleep counts: a closed lid must not prolong anything. */
static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void *locked(size_t size)
{
	void *p = sodium_malloc(size);

	/* sodium_malloc ignores a failing mlock; asked again, it tells. */
	if (p != NULL && sodium_mlock(p, size) != 0) {
		sodium_free(p);
		p = NULL;
	}
	return p;
}

/* The working directory is home from here on, so that no path is too long. */
static enum perr sock_make(struct agent *a)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = SOCK };
	struct timespec pause = { 0, 10 * 1000000 };
	uint64_t give_up = now_ms() + TAKEOVER_MS;
	struct stat st;

	/* The lock says who the agent is; a socket alone could be a dead one's. */
	a->lock_fd = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a->lock_fd < 0)
		return PERR_IO;
	while (flock(a->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		enum perr err = agent_stop(".");

		if (now_ms() > give_up)
			return PERR_TIMEOUT;
		if (err != PERR_OK)
			nanosleep(&pause, NULL);
	}
	if (unlink(SOCK) != 0 && errno != ENOENT)
		return PERR_IO;
	a->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->listen_fd < 0 || bind(a->listen_fd, (struct sockaddr *)&addr, sizeof addr) != 0 ||
	    listen(a->listen_fd, 16) != 0 || lstat(SOCK, &st) != 0)
		return PERR_IO;
	a->sock_ino = st.st_ino;
	a->sock_dev = st.st_dev;
	return PERR_OK;
}

static bool sock_is_ours(const struct agent *a)
{
	struct stat st;

	return lstat(SOCK, &st) == 0 && st.st_ino == a->sock_ino && st.st_dev == a->sock_dev;
}

/* One peer.  True: it asked for the end and waits at `fd`, which stays open. */
static bool serve(struct agent *a, int fd)
{
	uint8_t head[5] = { 0 };
	uint64_t now;
	char what;

	/* Without a word to others. */
	if (!is_own_uid(fd))
		return false;
	set_timeout(fd, PEER_S);
	if (!recv_all(fd, &what, 1))
		return false;
	now = now_ms();
	if (now >= a->end_ms)
		return false;
	u32_put(head + 1, (uint32_t)((a->end_ms - now + 999) / 1000));
	switch (what) {
	case 'K':
		if (send_all(fd, head, sizeof head))
			send_all(fd, a->key->b, sizeof a->key->b);
		return false;
	case 'R':
		send_all(fd, head, sizeof head);
		return false;
	case 'U':
		if (recv_all(fd, a->fresh->b, sizeof a->fresh->b)) {
			memcpy(a->key, a->fresh, sizeof *a->key);
			send_all(fd, head, sizeof head);
		}
		sodium_memzero(a->fresh, sizeof *a->fresh);
		return false;
	case 'S':
		sodium_memzero(a->key, sizeof *a->key);
		unlink(SOCK);
		send_all(fd, head, sizeof head);
		return true;
	default:
		return false;
	}
}

static void agent_loop(struct agent *a)
{
	for (;;) {
		struct pollfd p[2] = {
			{ .fd = a->listen_fd, .events = POLLIN },
			{ .fd = a->signal_fd, .events = POLLIN },
		};
		uint64_t now = now_ms();
		int fd, wait_ms;

		if (now >= a->end_ms || !sock_is_ours(a))
			return;
		wait_ms = a->end_ms - now < LOOK_MS ? (int)(a->end_ms - now) : LOOK_MS;
		if (poll(p, 2, wait_ms) < 0 && errno != EINTR)
			return;
		if (p[1].revents != 0)
			return;
		if (p[0].revents == 0)
			continue;
		fd = accept4(a->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		/* The peer of a stop waits until the end of the process closes fd. */
		if (serve(a, fd))
			return;
		close(fd);
	}
}

/* What the starter sends: u32 seconds, u32 length of the path, path, key. */
static enum perr receive_orders(struct agent *a)
{
	char home[4096];
	uint8_t head[8];
	uint32_t len;

	if (!recv_all(START_FD, head, sizeof head))
		return PERR_IO;
	len = u32_get(head + 4);
	if (len == 0 || len >= sizeof home || !recv_all(START_FD, home, len) ||
	    !recv_all(START_FD, a->key->b, sizeof a->key->b))
		return PERR_IO;
	home[len] = 0;
	a->end_ms = now_ms() + (uint64_t)u32_get(head) * 1000;
	return chdir(home) == 0 ? PERR_OK : PERR_IO;
}

static void agent_run(void)
{
	struct agent a = { .listen_fd = -1, .signal_fd = -1, .lock_fd = -1 };
	sigset_t signals;
	uint8_t told;
	enum perr err = PERR_NOMEM;

	agent_protect();
	umask(0177);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (sodium_init() < 0)
		_exit(1);
	a.signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	a.key = locked(sizeof *a.key);
	a.fresh = locked(sizeof *a.fresh);
	if (a.key == NULL || a.fresh == NULL)
		err = PERR_LIMIT;
	else if (a.signal_fd >= 0)
		err = receive_orders(&a);
	if (err == PERR_OK)
		err = sock_make(&a);
	told = (uint8_t)err;
	send_all(START_FD, &told, 1);
	close(START_FD);
	if (err == PERR_OK)
		agent_loop(&a);
	sodium_free(a.key);             /* wipes */
	sodium_free(a.fresh);
	if (a.listen_fd >= 0 && err == PERR_OK && sock_is_ours(&a))
		unlink(SOCK);
	_exit(err == PERR_OK ? 0 : 1);
}

void agent_hook(int argc, char **argv)
{
	struct stat st;

	is_hooked = true;
	if (argc != 2 || strcmp(argv[1], ARG) != 0)
		return;
	if (fstat(START_FD, &st) != 0 || !S_ISSOCK(st.st_mode))
		_exit(1);
	agent_run();
}

/* ---- starting it ---- */

/* Between fork and exec: only what a signal handler may call. */
static void become_agent(int start_fd)
{
	static char name[] = "amparo", arg[] = ARG;
	char *argv[] = { name, arg, NULL }, *envp[] = { NULL };
	sigset_t none;
	int i, null;

	setsid();
	/* Not a session's leader any more, so it never gets a terminal; and nobody's
	 * child to wait for. */
	switch (fork()) {
	case 0:
		break;
	case -1:
		_exit(1);
	default:
		_exit(0);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (i = 1; i < 32; i++)
		signal(i, SIG_DFL);
	if (start_fd != START_FD && dup2(start_fd, START_FD) < 0)
		_exit(1);
	if (start_fd == START_FD && fcntl(START_FD, F_SETFD, 0) != 0)
		_exit(1);
	if (close_range(START_FD + 1, ~0u, 0) != 0)
		for (i = START_FD + 1; i < 65536; i++)
			close(i);
	null = open("/dev/null", O_RDWR);
	for (i = 0; i < 3; i++)
		if (null < 0 || dup2(null, i) < 0)
			_exit(1);
	if (null > 2)
		close(null);
	/* A new program image: none of this process's keys and texts comes along. */
	execve("/proc/self/exe", argv, envp);
	_exit(1);
}

static enum perr send_orders(int fd, const char *home, const struct vault_key *key,
                             unsigned seconds)
{
	char *path = realpath(home, NULL);
	uint8_t head[8], told;
	enum perr err = PERR_IO;

	if (path == NULL)
		return err;
	u32_put(head, seconds);
	u32_put(head + 4, (uint32_t)strlen(path));
	/* A failing write is told better by what the agent says. */
	if (send_all(fd, head, sizeof head) && send_all(fd, path, strlen(path)))
		send_all(fd, key->b, sizeof key->b);
	if (recv_all(fd, &told, 1))
		err = told < PERR_COUNT ? (enum perr)told : PERR_IO;
	free(path);
	return err;
}

enum perr agent_start(const char *home, const struct vault_key *key, unsigned seconds)
{
	enum perr err = PERR_NOMEM;
	int fd[2], status;
	pid_t pid;

	if (!is_hooked)
		return PERR_STATE;
	if (seconds < 1 || seconds > AGENT_SECONDS_MAX)
		return PERR_RANGE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		return PERR_IO;
	pid = fork();
	if (pid == 0)
		become_agent(fd[1]);
	close(fd[1]);
	if (pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		set_timeout(fd[0], ANSWER_S);
		err = send_orders(fd[0], home, key, seconds);
	}
	close(fd[0]);
	return err;
}
