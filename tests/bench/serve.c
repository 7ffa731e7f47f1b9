/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

void serve_remove(const char *dir)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* a port that is free now; somebody else may take it first, and then the start fails */
static unsigned free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		bench_broke("no port: %s", strerror(errno));
	(void)close(fd);
	return ntohs(a.sin_port);
}

static void make(struct serve *s, unsigned port)
{
	char cmd[700], line[512];
	bool has_card = false;
	FILE *f;

	snprintf(cmd, sizeof cmd, "'%s' init --data '%s' --address 127.0.0.1:%u", s->bin, s->dir,
	         port);
	f = popen(cmd, "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, POLICY_CARD_PREFIX, strlen(POLICY_CARD_PREFIX)) == 0)
			has_card = policy_card_decode(&s->card, line) == PERR_OK;
	if (f == NULL || pclose(f) != 0 || !has_card)
		bench_broke("a server could not be made in %s", s->dir);
}

static void run_child(struct serve *s, int ready)
{
	char fd[16], log[300];
	char *argv[] = { s->bin, (char *)"run", (char *)"--data", s->dir, (char *)"--listen",
	                 s->card.address, (char *)"--ready-fd", fd, (char *)"--source-limits",
	                 (char *)"no", NULL };
	int out;

	snprintf(fd, sizeof fd, "%d", ready);
	snprintf(log, sizeof log, "%s.log", s->dir);
	out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void)dup2(out, 1);
	(void)dup2(out, 2);
	execv(s->bin, argv);
	_exit(127);
}

void serve_start(struct serve *s, const char *name)
{
	const char *own = getenv("AMPAROD");
	int fds[2];
	char byte;

	memset(s, 0, sizeof *s);
	snprintf(s->bin, sizeof s->bin, "%s", own != NULL ? own : "build/amparod");
	snprintf(s->dir, sizeof s->dir, "%s", bench_path(name));
	serve_remove(s->dir);
	make(s, free_port());
	if (pipe(fds) != 0)
		bench_broke("no pipe");
	s->pid = fork();
	if (s->pid == 0) {
		(void)close(fds[0]);
		run_child(s, fds[1]);
	}
	(void)close(fds[1]);
	if (s->pid < 0 || read(fds[0], &byte, 1) != 1)
		bench_broke("the server in %s did not start", s->dir);
	(void)close(fds[0]);
}

void serve_end(struct serve *s)
{
	char log[300];
	int status = -1;

	(void)kill(s->pid, SIGTERM);
	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		bench_broke("the server did not stop in order; see %s.log", s->dir);
	serve_remove(s->dir);
	snprintf(log, sizeof log, "%s.log", s->dir);
	(void)unlink(log);
}
