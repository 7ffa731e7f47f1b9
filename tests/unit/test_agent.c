/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The agent: what it gives, to whom, and how it ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent.h"

static char root[64];
static char home[80];
static struct vault_key key;

#define ok(e) assert_int_equal((e), PERR_OK)

static char *at(const char *name)
{
	static char path[2][512];
	static unsigned i;

	i = !i;
	snprintf(path[i], sizeof path[i], "%s/%s", home, name);
	return path[i];
}

static int setup(void **state)
{
	(void)state;
	randombytes_buf(&key, sizeof key);
	return mkdir(home, 0700);
}

static int teardown(void **state)
{
	(void)state;
	if (agent_stop(home) == PERR_OK)
		print_message("an agent was still there\n");
	unlink(at("agent.sock"));
	unlink(at("agent.lock"));
	return rmdir(home);
}

static int raw_connect(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, at("agent.sock"));
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static pid_t agent_pid(void)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	int fd = raw_connect();

	assert_true(fd >= 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len), 0);
	close(fd);
	return peer.pid;
}

/* Returns when the agent's lock is free: it has ended. */
static void wait_for_the_end(void)
{
	int fd = open(at("agent.lock"), O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	close(fd);
}

static void expect_key(const struct vault_key *expected)
{
	struct vault_key got;

	ok(agent_get_key(home, &got));
	assert_memory_equal(&got, expected, sizeof got);
}

static void expect_none(void)
{
	struct vault_key got;
	static const struct vault_key zero;
	unsigned seconds = 7;

	memset(&got, 1, sizeof got);
	assert_int_equal(agent_get_key(home, &got), PERR_NOTFOUND);
	assert_memory_equal(&got, &zero, sizeof got);
	assert_int_equal(agent_stop(home), PERR_NOTFOUND);
	assert_int_equal(agent_remaining(home, &seconds), PERR_NOTFOUND);
	assert_int_equal(seconds, 0);
}

static void it_gives_the_key_until_it_is_stopped(void **state)
{
	struct vault_key other;
	unsigned seconds;
	struct stat st;

	(void)state;
	expect_none();
	assert_int_equal(agent_update(home, &key), PERR_NOTFOUND);
	assert_int_equal(agent_start(home, &key, 0), PERR_RANGE);
	assert_int_equal(agent_start(home, &key, AGENT_SECONDS_MAX + 1), PERR_RANGE);
	ok(agent_start(home, &key, 600));
	expect_key(&key);
	expect_key(&key);
	ok(agent_remaining(home, &seconds));
	assert_in_range(seconds, 500, 600);
	assert_int_equal(lstat(at("agent.sock"), &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	randombytes_buf(&other, sizeof other);
	ok(agent_update(home, &other));
	expect_key(&other);
	ok(agent_stop(home));
	wait_for_the_end();
	assert_int_equal(lstat(at("agent.sock"), &st), -1);
	expect_none();
}

static void a_second_one_takes_over(void **state)
{
	struct vault_key other;
	pid_t first;

	(void)state;
	ok(agent_start(home, &key, 600));
	first = agent_pid();
	randombytes_buf(&other, sizeof other);
	ok(agent_start(home, &other, 30));
	/* it holds the lock, so the first one let it go, which only its end does */
	assert_int_not_equal(agent_pid(), first);
	expect_key(&other);
	ok(agent_stop(home));
}

static void it_ends_by_itself(void **state)
{
	(void)state;
	ok(agent_start(home, &key, 1));
	wait_for_the_end();
	expect_none();
}

static void it_ends_at_each_signal(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGKILL };
	struct stat st;
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		ok(agent_start(home, &key, 600));
		assert_int_equal(kill(agent_pid(), signals[i]), 0);
		wait_for_the_end();
		/* a kill leaves its socket; it counts as none, and is replaced */
		assert_int_equal(lstat(at("agent.sock"), &st), signals[i] == SIGKILL ? 0 : -1);
		expect_none();
	}
	ok(agent_start(home, &key, 600));
	expect_key(&key);
	ok(agent_stop(home));
}

static void it_inherits_nothing_and_cannot_be_dumped(void **state)
{
	char path[64], link[256], text[4096];
	/* without CLOEXEC: a careless program would pass it on */
	int leak = open("/dev/null", O_RDWR), n_fd = 0, tries, i;
	struct rlimit lim;
	struct stat st;
	struct dirent *e;
	size_t len;
	DIR *d;
	FILE *f;
	pid_t pid;

	(void)state;
	assert_true(leak >= 0);
	assert_int_equal(setenv("AMPARO_SECRET", "in the environment", 1), 0);
	ok(agent_start(home, &key, 600));
	pid = agent_pid();
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (d != NULL) {                /* root may look */
		/* null three times, signals, lock, socket; and for a moment still the
		 * connection that told us its pid */
		for (tries = 0; n_fd != 6 && tries < 5000; tries++) {
			if (tries > 0)          /* it shares the processor with others */
				(void)poll(NULL, 0, 1);
			rewinddir(d);
			for (n_fd = 0; (e = readdir(d)) != NULL;)
				n_fd += e->d_name[0] != '.';
		}
		closedir(d);
		assert_int_equal(n_fd, 6);
		for (i = 0; i < 3; i++) {
			ssize_t n;

			snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, i);
			n = readlink(path, link, sizeof link - 1);
			assert_true(n > 0);
			link[n] = 0;
			assert_string_equal(link, "/dev/null");
		}
	} else {
		assert_int_equal(errno, EACCES);        /* not dumpable: not even ours */
	}
	/* what is not dumpable belongs to root in /proc */
	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(prlimit(pid, RLIMIT_CORE, NULL, &lim), 0);
	assert_int_equal(lim.rlim_cur, 0);
	assert_int_equal(lim.rlim_max, 0);
	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	f = fopen(path, "r");
	if (f != NULL) {
		len = fread(text, 1, sizeof text, f);
		assert_null(memmem(text, len, "in the environment", 18));
		fclose(f);
	}
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof text, f);
	assert_null(memmem(text, len, home, strlen(home)));
	fclose(f);
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof text - 1, f);
	text[len] = 0;
	fclose(f);
	assert_non_null(strstr(text, "VmLck:"));
	print_message("figure: agent: %d descriptors; locked %s kB\n", n_fd,
	              strtok(strstr(text, "VmLck:") + 6, " \tk\n"));
	close(leak);
	ok(agent_stop(home));
}

/* The address sanitizer replaces mlock by a function that does nothing. */
#ifndef __SANITIZE_ADDRESS__
static void without_lockable_memory_it_does_not_start(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		static const struct rlimit none = { 0, 0 };

		if (setrlimit(RLIMIT_MEMLOCK, &none) != 0)
			_exit(2);
		/* root may lock beyond any limit */
		if (geteuid() == 0 && (chown(home, 65534, 65534) != 0 || setgid(65534) != 0 ||
		                       setuid(65534) != 0))
			_exit(3);
		_exit(agent_start(home, &key, 600) == PERR_LIMIT ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	expect_none();
}
#endif

static void another_user_gets_not_a_byte(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	ok(agent_start(home, &key, 600));
	/* as if somebody had opened every door */
	assert_int_equal(chmod(root, 0755) + chmod(home, 0755) + chmod(at("agent.sock"), 0666), 0);
	pid = fork();
	if (pid == 0) {
		struct vault_key got;
		char c;
		int fd;

		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(3);
		fd = raw_connect();
		if (fd < 0)
			_exit(2);
		/* and we do not talk to another user's agent either */
		if (agent_get_key(home, &got) != PERR_REFUSED)
			_exit(4);
		signal(SIGPIPE, SIG_IGN);       /* it may be closed already */
		(void)!write(fd, "K", 1);
		_exit(read(fd, &c, 1) <= 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	expect_key(&key);
	ok(agent_stop(home));
}

static void a_silent_or_confused_peer_does_not_stop_it(void **state)
{
	int silent, fd;
	uint8_t c;

	(void)state;
	ok(agent_start(home, &key, 600));
	silent = raw_connect();
	assert_true(silent >= 0);
	fd = raw_connect();
	assert_int_equal(write(fd, "x", 1), 1);
	assert_true(read(fd, &c, 1) <= 0);
	close(fd);
	/* half an update changes nothing */
	fd = raw_connect();
	assert_int_equal(write(fd, "U12345678", 9), 9);
	shutdown(fd, SHUT_WR);
	assert_true(read(fd, &c, 1) <= 0);
	close(fd);
	expect_key(&key);
	close(silent);
	ok(agent_stop(home));
}

static void it_ends_when_its_socket_is_gone(void **state)
{
	(void)state;
	ok(agent_start(home, &key, 600));
	/* a peer wakes it up, so the test need not wait for its next look */
	int fd = raw_connect();

	assert_int_equal(unlink(at("agent.sock")), 0);
	close(fd);
	wait_for_the_end();
	expect_none();
}

static void a_long_path_works(void **state)
{
	char saved[80], long_home[400];
	size_t len;

	(void)state;
	memcpy(saved, home, sizeof saved);
	len = (size_t)snprintf(long_home, sizeof long_home, "%s/", home);
	memset(long_home + len, 'l', 150);
	long_home[len + 150] = 0;
	assert_int_equal(mkdir(long_home, 0700), 0);
	ok(agent_start(long_home, &key, 600));
	{
		struct vault_key got;
		char path[512];

		ok(agent_get_key(long_home, &got));
		assert_memory_equal(&got, &key, sizeof got);
		ok(agent_stop(long_home));
		snprintf(path, sizeof path, "%s/agent.lock", long_home);
		unlink(path);
	}
	assert_int_equal(rmdir(long_home), 0);
	assert_int_equal(agent_start("/nonexistent", &key, 5), PERR_IO);
}

static void the_key_of_the_agent_outlives_a_compaction(void **state)
{
	struct vault_key got;
	struct vault *v;

	(void)state;
	ok(vault_create(home, "passphrase", 10, VAULT_LIGHT));
	ok(vault_derive(&key, home, "passphrase", 10));
	ok(agent_start(home, &key, 600));
	ok(vault_open(&v, home, &key));
	ok(vault_compact(v));
	ok(vault_change_passphrase(v, "another", 7, VAULT_LIGHT, &key));
	vault_close(v);
	ok(agent_get_key(home, &got));
	assert_int_equal(vault_open(&v, home, &got), PERR_AUTH);
	ok(agent_update(home, &key));
	ok(agent_get_key(home, &got));
	ok(vault_open(&v, home, &got));
	ok(vault_compact(v));
	vault_close(v);
	ok(vault_open(&v, home, &got));
	vault_close(v);
	ok(agent_stop(home));
	unlink(at("vault.mdb"));
	unlink(at("vault.lock"));
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(it_gives_the_key_until_it_is_stopped),
		T(a_second_one_takes_over),
		T(it_ends_by_itself),
		T(it_ends_at_each_signal),
		T(it_inherits_nothing_and_cannot_be_dumped),
#ifndef __SANITIZE_ADDRESS__
		T(without_lockable_memory_it_does_not_start),
#endif
		T(another_user_gets_not_a_byte),
		T(a_silent_or_confused_peer_does_not_stop_it),
		T(it_ends_when_its_socket_is_gone),
		T(a_long_path_works),
		T(the_key_of_the_agent_outlives_a_compaction),
	};
	struct vault_key none = { { 0 } };
	int failed;

	if (sodium_init() < 0)
		return 1;
	/* before the hook: refused, instead of running this program again and again */
	if (argc == 1 && agent_start("/tmp", &none, 5) != PERR_STATE)
		return 1;
	agent_hook(argc, argv);
	snprintf(root, sizeof root, "/tmp/test_agent.XXXXXX");
	if (mkdtemp(root) == NULL)
		return 1;
	chmod(root, 0755);
	snprintf(home, sizeof home, "%s/home", root);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(root);
	return failed;
}
