/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ontty: run a program on a terminal of its own and answer what it asks.
 *
 *	ontty [OPTIONS] COMMAND [ARG…] <answers
 *
 *	--columns N      the terminal's width
 *	--silence MS     instead of 100
 *	--stop-at N      at the N-th prompt, instead of an answer, send a signal
 *	--after-us U     with --stop-at: type the answer first, and wait so long
 *	--signal NAME    KILL (else), INT, TERM; HUP closes the terminal
 *	--head PREFIX    a line that begins so says where one is; at most 16
 *	--typed FILE     for each line typed, where one was; then "at" and where one is at the end
 *
 * Each time the output ends in ": ", "? ", "] " or "Enter:" and the program has been silent for
 * 100 ms, the next line of the input is typed: a prompt waits, a line of text that happens
 * to end like one goes on.  What the terminal shows goes to stdout.  The exit code is the
 * program's, 128 + n if signal n ended it; 124 if nothing happens for 60 seconds.
 */
#include <getopt.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct options {
	int columns, silence, stop_at, after_us, signal;
	const char *typed;
	const char *heads[16];
	unsigned n_heads;
};

static int signal_of(const char *name)
{
	return strcmp(name, "INT") == 0 ? SIGINT : strcmp(name, "TERM") == 0 ? SIGTERM :
	       strcmp(name, "HUP") == 0 ? SIGHUP : SIGKILL;
}

static bool options_of(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "columns", required_argument, NULL, 'c' }, { "silence", required_argument, NULL, 's' },
		{ "stop-at", required_argument, NULL, 'k' }, { "after-us", required_argument, NULL, 'u' },
		{ "signal", required_argument, NULL, 'g' }, { "typed", required_argument, NULL, 't' },
		{ "head", required_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	/* the first thing that is no option is the command */
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1)
		switch (c) {
		case 'c': o->columns = atoi(optarg); break;
		case 's': o->silence = atoi(optarg); break;
		case 'k': o->stop_at = atoi(optarg); break;
		case 'u': o->after_us = atoi(optarg); break;
		case 'g': o->signal = signal_of(optarg); break;
		case 't': o->typed = optarg; break;
		case 'h':
			if (o->n_heads == 16)
				return false;
			o->heads[o->n_heads++] = optarg;
			break;
		default: return false;
		}
	return optind < argc;
}

/* where one is: the last whole line that began with one of the heads */
struct place {
	char now[512], line[512];
	size_t len;
};

static void follow(const struct options *o, struct place *p, char c)
{
	if (c == '\r')
		return;
	if (c != '\n') {
		if (p->len + 1 < sizeof p->line)
			p->line[p->len++] = c;
		return;
	}
	p->line[p->len] = '\0';
	for (unsigned i = 0; i < o->n_heads; i++)
		if (strncmp(p->line, o->heads[i], strlen(o->heads[i])) == 0)
			memcpy(p->now, p->line, p->len + 1);
	p->len = 0;
}

static bool asks(const char *tail, size_t n)
{
	while (n > 0 && (tail[n - 1] == '\r' || tail[n - 1] == '\n'))
		n--;
	return (n >= 2 && (memcmp(tail + n - 2, ": ", 2) == 0 || memcmp(tail + n - 2, "? ", 2) == 0 ||
	        memcmp(tail + n - 2, "] ", 2) == 0)) ||
	       (n >= 6 && memcmp(tail + n - 6, "Enter:", 6) == 0);
}

int main(int argc, char **argv)
{
	struct options o = { .silence = 100, .after_us = -1, .signal = SIGKILL };
	char tail[64] = "", buf[4096], *line = NULL;
	size_t n_tail = 0, room = 0;
	int fd, status, prompts = 0;
	struct place at = { .len = 0 };
	FILE *typed;
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	pid_t pid;

	if (!options_of(&o, argc, argv)) {
		fputs("Use: ontty [OPTIONS] COMMAND [ARG…] <answers\n", stderr);
		return 2;
	}
	typed = fopen(o.typed != NULL ? o.typed : "/dev/null", "we");
	if (typed == NULL)
		return 2;
	size.ws_col = o.columns > 0 ? (unsigned short)o.columns : size.ws_col;
	pid = forkpty(&fd, NULL, NULL, &size);
	if (pid < 0)
		return 2;
	if (pid == 0) {
		execv(argv[optind], argv + optind);
		_exit(127);
	}
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, 60000) <= 0) {
			kill(pid, SIGKILL);
			return 124;
		}
		n = read(fd, buf, sizeof buf);
		if (n <= 0)
			break;           /* EIO: the program has closed its terminal */
		fwrite(buf, 1, (size_t)n, stdout);
		fflush(stdout);          /* whoever watches sees each prompt when it is there */
		for (ssize_t i = 0; i < n; i++) {
			if (n_tail == sizeof tail) {
				memmove(tail, tail + 32, 32);
				n_tail = 32;
			}
			tail[n_tail++] = buf[i];
			follow(&o, &at, buf[i]);
		}
		if (asks(tail, n_tail) && poll(&p, 1, o.silence) == 0) {
			bool is_last = ++prompts == o.stop_at;

			n_tail = 0;
			if (!is_last || o.after_us >= 0) {
				n = getline(&line, &room, stdin);
				if (n > 0 && write(fd, line, (size_t)n) != n)
					break;
				if (n <= 0 && write(fd, "\004", 1) != 1)
					break;
				if (n > 0)
					fprintf(typed, "%s\n", at.now);
			}
			if (is_last && o.after_us > 0)
				usleep((useconds_t)o.after_us);
			if (is_last && o.signal == SIGHUP)
				break;           /* closed below: the kernel sends it */
			if (is_last)
				kill(pid, o.signal);
		}
	}
	free(line);
	close(fd);
	fprintf(typed, "at %s\n", at.now);
	if (fclose(typed) != 0)
		return 2;
	if (waitpid(pid, &status, 0) != pid)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
