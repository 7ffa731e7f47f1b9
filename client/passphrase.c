/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define ROUNDS 5

static void say(const char *text)
{
	fprintf(stderr, "%s\n", text);
}

/* ---- from a file ---- */

static enum perr from_file(struct phrase *p, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	enum perr err = PERR_OK;

	if (fd < 0) {
		err = errno == ENOENT ? PERR_NOTFOUND : PERR_IO;
		say(err == PERR_NOTFOUND ? "There is no passphrase file of that name."
		                         : "The passphrase file cannot be opened.");
		return err;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		say("Warning: others on this computer can read the passphrase file; chmod 600 it.");
	/* Byte by byte: what stands after the first line is never read, and no
	 * buffer of stdio keeps a copy. */
	for (;;) {
		char c;
		ssize_t n = read(fd, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = PERR_IO;
		if (n <= 0 || c == '\n')
			break;
		if (c == 0 || p->len == PHRASE_MAX) {
			err = PERR_RANGE;
			break;
		}
		p->text[p->len++] = c;
		c = 0;
	}
	close(fd);
	if (err == PERR_OK && p->len > 0 && p->text[p->len - 1] == '\r')
		p->text[--p->len] = 0;
	if (err == PERR_OK && p->len == 0)
		err = PERR_RANGE;
	if (err == PERR_IO)
		say("The passphrase file cannot be read.");
	else if (err == PERR_RANGE)
		say("The first line of the passphrase file is empty, too long, or no text.");
	return err;
}

/* ---- from the terminal ---- */

static const int watched[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU
};
#define N_WATCHED (sizeof watched / sizeof watched[0])

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught = sig;
}

static void put(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* One line, signals blocked except while waiting: none falls between a look at
 * `caught` and the wait.  PERR_MORE: a signal came. */
static enum perr read_line(int fd, const sigset_t *open_mask, struct phrase *p)
{
	enum perr err = PERR_OK;

	p->len = 0;
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		ssize_t n;
		char c;

		if (caught != 0)
			return PERR_MORE;
		if (ppoll(&pfd, 1, NULL, open_mask) < 0) {
			if (errno == EINTR)
				continue;
			return PERR_IO;
		}
		n = read(fd, &c, 1);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return PERR_IO;
		if (n == 0)
			return p->len == 0 ? PERR_TRUNCATED : err;
		if (c == '\n' || c == '\r')
			return err;
		/* To the end of the line all the same: the rest must not answer the
		 * next question. */
		if (c == 0 || p->len == PHRASE_MAX)
			err = PERR_RANGE;
		else
			p->text[p->len++] = c;
		c = 0;
	}
}

struct ask {
	const char *intro;      /* shown before the prompt, on a screen of its own where
	                         * the terminal has one, so that it does not stay */
	const char *prompt;
};

static bool has_other_screen(void)
{
	const char *term = getenv("TERM");

	return term != NULL && term[0] != 0 && strcmp(term, "dumb") != 0;
}

/* Ask once with the echo off.  A stopped and continued process asks again. */
static enum perr ask_tty(int fd, const struct ask *ask, struct phrase *p)
{
	bool is_other = ask->intro != NULL && has_other_screen();
	struct sigaction act = { .sa_handler = on_signal }, old[N_WATCHED];
	struct termios saved, quiet;
	sigset_t block, before;
	enum perr err;
	size_t i;
	int sig;

	sigemptyset(&act.sa_mask);
again:
	sodium_memzero(p, sizeof *p);
	caught = 0;
	sigemptyset(&block);
	for (i = 0; i < N_WATCHED; i++)
		sigaddset(&block, watched[i]);
	sigprocmask(SIG_BLOCK, &block, &before);
	if (tcgetattr(fd, &saved) != 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return PERR_STATE;
	}
	for (i = 0; i < N_WATCHED; i++) {
		sigaction(watched[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			sigaction(watched[i], &act, NULL);
	}
	quiet = saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	quiet.c_lflag |= ICANON | ISIG;
	/* Before the prompt, and what was typed earlier is thrown away: it was
	 * shown on the screen. */
	tcsetattr(fd, TCSAFLUSH, &quiet);
	if (ask->intro != NULL) {
		put(fd, is_other ? "\033[?1049h\033[H\033[2J" : "\n");
		put(fd, ask->intro);
	}
	put(fd, ask->prompt);
	err = read_line(fd, &before, p);
	sig = caught;
	put(fd, is_other ? "\033[?1049l" : "\n");
	tcsetattr(fd, TCSAFLUSH, &saved);
	for (i = 0; i < N_WATCHED; i++)
		sigaction(watched[i], &old[i], NULL);
	if (err != PERR_OK)
		sodium_memzero(p, sizeof *p);
	/* Now as if we had never been here: the signal does what it would have done. */
	if (sig != 0)
		kill(getpid(), sig);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)
		goto again;
	return err == PERR_MORE ? PERR_TRUNCATED : err;
}

static int tty_open(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		say("There is no terminal to ask for the passphrase; use --passphrase-file FILE.");
	return fd;
}

enum perr passphrase_ask(struct phrase **out, const char *file)
{
	static const struct ask ask = { NULL, "Passphrase: " };
	struct phrase *p = phrase_new();
	enum perr err = PERR_NOMEM;
	int fd = -1, round;

	*out = NULL;
	if (p == NULL)
		return err;
	if (file != NULL) {
		err = from_file(p, file);
		goto out;
	}
	err = PERR_STATE;
	fd = tty_open();
	if (fd < 0)
		goto out;
	for (round = 0; round < ROUNDS; round++) {
		err = ask_tty(fd, &ask, p);
		if (err != PERR_OK && err != PERR_RANGE)
			break;
		if (err == PERR_OK && p->len > 0)
			break;
		put(fd, err == PERR_OK ? "Nothing was typed.\n" : "That is too long.\n");
		err = PERR_RANGE;
	}
out:
	if (fd >= 0)
		close(fd);
	if (err == PERR_OK) {
		phrase_canon(p);
		*out = p;
		p = NULL;
	}
	phrase_free(p);
	return err;
}

static const char too_weak[] =
	"That one could be guessed by somebody with many computers. Longer is better than\n"
	"stranger: a few more words that do not belong together, no names, no dates.\n";

/* One round at the terminal.  PERR_KEY: to be tried again; says why. */
static enum perr choose_once(int fd, const struct phrase *made, const char *intro,
                             struct phrase *p, struct phrase *again)
{
	struct ask ask = { intro, "Press Enter to take these words, or type a passphrase of your "
	                          "own: " };
	bool is_made;
	enum perr err = ask_tty(fd, &ask, p);

	if (err == PERR_RANGE) {
		put(fd, "That is too long.\n");
		return PERR_KEY;
	}
	if (err != PERR_OK)
		return err;
	phrase_canon(p);
	is_made = p->len == 0 || phrase_is_same(p, made);
	if (is_made) {
		memcpy(p, made, sizeof *p);
	} else if (phrase_bits(p) < PHRASE_MIN_BITS) {
		put(fd, too_weak);
		return PERR_KEY;
	}
	ask.intro = NULL;
	ask.prompt = is_made ? "Now type the six words from your paper: "
	                     : "Type it once more: ";
	err = ask_tty(fd, &ask, again);
	if (err != PERR_OK && err != PERR_RANGE)
		return err;
	phrase_canon(again);
	if (err == PERR_OK && phrase_is_same(p, again))
		return PERR_OK;
	put(fd, "Those two are not the same; let us try again.\n");
	return PERR_KEY;
}

static enum perr choose_tty(struct phrase *p)
{
	/* The words stand in it: guarded like them. */
	static const size_t intro_len = 1024;
	struct phrase *made = NULL, *again = phrase_new();
	char *intro = sodium_malloc(intro_len);
	enum perr err = PERR_NOMEM;
	int fd = -1, round;

	if (again == NULL || intro == NULL)
		goto out;
	err = phrase_generate(&made);
	if (err != PERR_OK)
		goto out;
	snprintf(intro, intro_len,
	         "A passphrase protects everything Amparo keeps on this device. Nobody can find\n"
	         "it out for you if it is lost. Here is a good one, made for you:\n\n"
	         "    %s\n\n"
	         "Write the six words on paper, and keep the paper apart from the device.\n"
	         "What you type is not shown.\n\n", made->text);
	err = PERR_STATE;
	fd = tty_open();
	if (fd < 0)
		goto out;
	for (round = 0; round < ROUNDS; round++) {
		err = choose_once(fd, made, intro, p, again);
		if (err != PERR_KEY)
			break;
	}
out:
	if (fd >= 0)
		close(fd);
	sodium_free(intro);
	phrase_free(made);
	phrase_free(again);
	return err;
}

enum perr passphrase_choose(struct phrase **out, const char *file)
{
	struct phrase *p = phrase_new();
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (p == NULL)
		return err;
	if (file == NULL) {
		err = choose_tty(p);
	} else {
		err = from_file(p, file);
		if (err == PERR_OK)
			phrase_canon(p);
		if (err == PERR_OK && phrase_bits(p) < PHRASE_MIN_BITS) {
			err = PERR_KEY;
			fputs(too_weak, stderr);
		}
	}
	if (err == PERR_OK) {
		*out = p;
		p = NULL;
	}
	phrase_free(p);
	return err;
}
