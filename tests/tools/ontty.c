/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ontty: run a program on a terminal of its own and answer what it asks.
 *
 *	ontty COMMAND [ARG…] <answers
 *
 * Each time the output ends in ": ", "? ", "] " or "Enter:" and the program has been silent for
 * 100 ms, the next line of the input is typed: a prompt waits, a line of text that happens
 * to end like one goes on.  What the terminal shows goes to stdout.  The exit code is the
 * program's; 124 if nothing happens for 60 seconds.
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SILENCE_MS 100

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
	char tail[64] = "", buf[4096], *line = NULL;
	size_t n_tail = 0, room = 0;
	int fd, status;
	pid_t pid;

	if (argc < 2) {
		fputs("Use: ontty COMMAND [ARG…] <answers\n", stderr);
		return 2;
	}
	pid = forkpty(&fd, NULL, NULL, NULL);
	if (pid < 0)
		return 2;
	if (pid == 0) {
		execv(argv[1], argv + 1);
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
		for (ssize_t i = 0; i < n; i++) {
			if (n_tail == sizeof tail) {
				memmove(tail, tail + 32, 32);
				n_tail = 32;
			}
			tail[n_tail++] = buf[i];
		}
		if (asks(tail, n_tail) && poll(&p, 1, SILENCE_MS) == 0) {
			n_tail = 0;
			n = getline(&line, &room, stdin);
			if (n > 0 && write(fd, line, (size_t)n) != n)
				break;
			if (n <= 0 && write(fd, "\004", 1) != 1)
				break;
		}
	}
	free(line);
	if (waitpid(pid, &status, 0) != pid)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
