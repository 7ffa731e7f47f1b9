/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "ask.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include "term.h"

#define LINE_MAX_LEN ((size_t)256 << 10)
/* A terminal hands over at most this much of one line, and drops the rest in silence. */
#define TTY_LINE_MAX 4095

static const int signals[] = { SIGINT, SIGHUP, SIGTERM, SIGPIPE };
static volatile sig_atomic_t caught;

static void catch(int sig)
{
	if (sig != SIGPIPE)
		caught = sig;
}

/* Without it Backspace takes half of an "ñ" away, and the answer is no text any more. */
static void whole_characters(void)
{
#ifdef IUTF8
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) == 0 && (t.c_iflag & IUTF8) == 0) {
		t.c_iflag |= IUTF8;
		tcsetattr(STDIN_FILENO, TCSANOW, &t);
	}
#endif
}

void ask_begin(struct ask *a, bool is_es)
{
	struct sigaction sa;

	memset(a, 0, sizeof *a);
	a->is_es = is_es;
	a->is_tty = term_is_tty(STDIN_FILENO);
	caught = 0;
	memset(&sa, 0, sizeof sa);
	sa.sa_handler = catch;
	sigemptyset(&sa.sa_mask);
	sigemptyset(&a->during);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		sigaction(signals[i], &sa, &a->old[i]);
		sigaddset(&a->during, signals[i]);
	}
	/* Blocked but while waiting: a signal never falls between looking and sleeping. */
	sigprocmask(SIG_BLOCK, &a->during, &a->before);
	if (a->is_tty)
		whole_characters();
}

void ask_done(struct ask *a)
{
	/* what is pending is caught, not carried out by the old handlers */
	sigprocmask(SIG_SETMASK, &a->before, NULL);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		sigaction(signals[i], &a->old[i], NULL);
	sodium_memzero(a->buf, sizeof a->buf);
}

int ask_signal(void)
{
	return caught;
}

/* 1: there is more in buf; 0: the end; -1: stopped */
static int fill_up(struct ask *a)
{
	for (;;) {
		fd_set in;
		ssize_t n;

		FD_ZERO(&in);
		FD_SET(STDIN_FILENO, &in);
		if (pselect(STDIN_FILENO + 1, &in, NULL, NULL, NULL, &a->before) < 0) {
			if (caught != 0)
				return -1;
			if (errno == EINTR)
				continue;
			return 0;
		}
		n = read(STDIN_FILENO, a->buf, sizeof a->buf);
		if (n < 0 && errno == EINTR)
			continue;
		/* EIO: the terminal is gone, which is an end as well */
		if (n <= 0)
			return 0;
		a->at = 0;
		a->len = (size_t)n;
		return 1;
	}
}

void ask_free(char *line)
{
	if (line != NULL)
		sodium_memzero(line, strlen(line));
	free(line);
}

static bool grow(char **line, size_t *cap)
{
	char *more = malloc(*cap * 2);

	if (more == NULL)
		return false;
	memcpy(more, *line, *cap);
	sodium_memzero(*line, *cap);
	free(*line);
	*line = more;
	*cap *= 2;
	return true;
}

enum ask_result ask_line(struct ask *a, const char *prompt, char **line)
{
	size_t n = 0, cap = 256;
	char *out = malloc(cap);
	enum ask_result result = ASK_LINE;

	*line = NULL;
	if (out == NULL)
		return ASK_END;
	fputs(prompt, stdout);
	fflush(stdout);
	for (;;) {
		if (a->at == a->len) {
			int more = a->is_ended ? 0 : fill_up(a);

			if (more > 0)
				continue;
			result = more < 0 ? ASK_STOPPED : ASK_END;
			a->is_ended = true;
			break;
		}
		if (a->buf[a->at] == '\n') {
			a->at++;
			break;
		}
		if (n + 1 == cap && (cap >= LINE_MAX_LEN || !grow(&out, &cap))) {
			a->at++;         /* more than any answer may have: fill_answer refuses it */
			continue;
		}
		/* a zero byte would cut the answer without a word */
		out[n++] = a->buf[a->at] == '\0' ? '\x01' : a->buf[a->at];
		a->at++;
	}
	while (n > 0 && out[n - 1] == '\r')
		n--;
	out[n] = '\0';
	/* not with what was typed on the same line */
	if (result != ASK_LINE || !a->is_tty)
		putchar('\n');
	if (a->is_tty && n >= TTY_LINE_MAX)
		ask_say(a, 0, ASK_T(a, "That line was very long, and the terminal may have cut it.  Look "
		        "at its end: \"…%s\".  What is missing can be added on another line.",
		        "Esa línea era muy larga y la terminal quizá la cortó.  Mire cómo termina: "
		        "«…%s».  Lo que falte se puede agregar en otra línea."), out + n - 40);
	if (result == ASK_STOPPED || (result == ASK_END && n == 0)) {
		ask_free(out);
		return result;
	}
	*line = out;
	return result;
}

void ask_say(struct ask *a, unsigned indent, const char *fmt, ...)
{
	char *text = NULL, *safe;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	safe = term_safe(text, (size_t)n, TERM_TEXT);
	if (safe != NULL) {
		term_wrap(stdout, term_width(STDOUT_FILENO), indent, safe);
		sodium_memzero(safe, strlen(safe));
	}
	free(safe);
	sodium_memzero(text, (size_t)n);
	free(text);
}

void ask_gap(struct ask *a)
{
	putchar('\n');
}
