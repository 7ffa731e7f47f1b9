/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Passphrases: through a real terminal (a pty), and from files. */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "passphrase.h"
#include "words.h"

#define OWN "murky tuba 94 over Lleida-gate"

enum what { ASK, CHOOSE };

struct child {
	pid_t pid;
	int tty, result;
	char seen[16384];       /* everything the terminal showed */
	size_t seen_len, from;  /* from: what was not yet waited for */
};

static void child_main(enum what what, int result, const char *term)
{
	struct phrase *p = NULL;
	uint8_t told;

	if (term != NULL)
		setenv("TERM", term, 1);
	else
		unsetenv("TERM");
	told = (uint8_t)(what == ASK ? passphrase_ask(&p, NULL) : passphrase_choose(&p, NULL));
	if (write(result, &told, 1) != 1)
		_exit(1);
	if (p != NULL && write(result, p->text, p->len) != (ssize_t)p->len)
		_exit(1);
	phrase_free(p);
	_exit(0);
}

static void start(struct child *c, enum what what, const char *term)
{
	int fd[2];

	memset(c, 0, sizeof *c);
	assert_int_equal(pipe(fd), 0);
	c->pid = forkpty(&c->tty, NULL, NULL, NULL);
	assert_true(c->pid >= 0);
	if (c->pid == 0) {
		close(fd[0]);
		child_main(what, fd[1], term);
	}
	close(fd[1]);
	c->result = fd[0];
}

/* Read what the terminal shows until `text` is there. */
static void wait_for(struct child *c, const char *text)
{
	char *at;

	while ((at = strstr(c->seen + c->from, text)) == NULL) {
		struct pollfd p = { .fd = c->tty, .events = POLLIN };
		ssize_t n;

		assert_int_equal(poll(&p, 1, 20000), 1);
		n = read(c->tty, c->seen + c->seen_len, sizeof c->seen - 1 - c->seen_len);
		if (n <= 0)
			fail_msg("the terminal never showed: %s; but: %s", text,
			         c->seen + c->from);
		c->seen_len += (size_t)n;
		c->seen[c->seen_len] = 0;
	}
	c->from = (size_t)(at - c->seen) + strlen(text);
}

static bool echoes(const struct child *c)
{
	struct termios t;

	assert_int_equal(tcgetattr(c->tty, &t), 0);
	return (t.c_lflag & ECHO) != 0;
}

static void type(struct child *c, const char *text)
{
	assert_int_equal(write(c->tty, text, strlen(text)), strlen(text));
}

/* The result; the text of the passphrase into text. */
static enum perr finish(struct child *c, char *text, size_t text_size)
{
	uint8_t told = 255;
	size_t len = 0;
	ssize_t n;
	int status;

	if (read(c->result, &told, 1) == 1)
		while ((n = read(c->result, text + len, text_size - 1 - len)) > 0)
			len += (size_t)n;
	text[len] = 0;
	/* what was shown last */
	for (;;) {
		struct pollfd p = { .fd = c->tty, .events = POLLIN };

		if (poll(&p, 1, 20000) != 1)
			break;
		n = read(c->tty, c->seen + c->seen_len, sizeof c->seen - 1 - c->seen_len);
		if (n <= 0)
			break;
		c->seen_len += (size_t)n;
		c->seen[c->seen_len] = 0;
	}
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(c->tty);
	close(c->result);
	return (enum perr)told;
}

static void asking_shows_nothing_of_what_is_typed(void **state)
{
	struct child c;
	char text[600];

	(void)state;
	start(&c, ASK, NULL);
	wait_for(&c, "Passphrase: ");
	assert_false(echoes(&c));
	type(&c, "\n");
	wait_for(&c, "Nothing was typed.");
	wait_for(&c, "Passphrase: ");
	type(&c, "s\xc3\xa9samo " OWN "x\b\x7f\n");
	assert_int_equal(finish(&c, text, sizeof text), PERR_OK);
	assert_null(strstr(c.seen, "samo"));
	assert_null(strstr(c.seen, "murky"));
	assert_non_null(strstr(text, OWN));
}

static void the_terminal_echoes_again_afterwards(void **state)
{
	struct child c;
	char text[600];
	int keep;

	(void)state;
	start(&c, ASK, "xterm");
	/* the other side stays open, so that its settings can be read at the end */
	keep = open(ptsname(c.tty), O_RDWR | O_NOCTTY);
	assert_true(echoes(&c) || keep >= 0);
	wait_for(&c, "Passphrase: ");
	assert_false(echoes(&c));
	type(&c, OWN "\n");
	assert_int_equal(read(c.result, text, 1), 1);
	assert_int_equal(text[0], PERR_OK);
	assert_true(echoes(&c));
	close(keep);
	waitpid(c.pid, NULL, 0);
	close(c.tty);
	close(c.result);
}

static void ctrl_c_ends_the_process_and_restores_the_terminal(void **state)
{
	static const int signals[] = { 0, SIGTERM, SIGHUP };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct child c;
		int status, keep;

		start(&c, i == 1 ? CHOOSE : ASK, "xterm");
		keep = open(ptsname(c.tty), O_RDWR | O_NOCTTY);
		assert_true(keep >= 0);
		wait_for(&c, i == 1 ? "of your own: " : "Passphrase: ");
		assert_false(echoes(&c));
		type(&c, "half a pass");
		if (signals[i] == 0)
			type(&c, "\x03");
		else
			kill(c.pid, signals[i]);
		assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i] ? signals[i] : SIGINT);
		assert_true(echoes(&c));
		if (i == 1)
			wait_for(&c, "\033[?1049l");
		close(keep);
		close(c.tty);
		close(c.result);
	}
}

static void a_stopped_process_asks_again(void **state)
{
	struct child c;
	char text[600];

	(void)state;
	start(&c, ASK, "xterm");
	wait_for(&c, "Passphrase: ");
	type(&c, "not this");
	/* Its process group is an orphan here, so it is not stopped, but asks anew. */
	type(&c, "\x1a");
	wait_for(&c, "Passphrase: ");
	type(&c, OWN "\n");
	assert_int_equal(finish(&c, text, sizeof text), PERR_OK);
	assert_string_equal(text, OWN);
}

static void ctrl_d_is_no_passphrase(void **state)
{
	struct child c;
	char text[600];

	(void)state;
	start(&c, ASK, "xterm");
	wait_for(&c, "Passphrase: ");
	type(&c, "\x04");
	assert_int_equal(finish(&c, text, sizeof text), PERR_TRUNCATED);
	start(&c, CHOOSE, "xterm");
	wait_for(&c, "of your own: ");
	type(&c, "\x04");
	assert_int_equal(finish(&c, text, sizeof text), PERR_TRUNCATED);
}

/* The six words as the screen shows them. */
static void words_shown(const struct child *c, char *words, size_t size)
{
	const char *at = strstr(c->seen, "\n    ");
	size_t len;

	assert_non_null(at);
	at += 5;
	len = strcspn(at, "\r\n");
	assert_true(len < size);
	memcpy(words, at, len);
	words[len] = 0;
}

static void the_offered_words_are_taken_with_enter(void **state)
{
	struct child c;
	char text[600], words[128], sloppy[160] = "  ";
	char *word, *rest;

	(void)state;
	start(&c, CHOOSE, "xterm");
	wait_for(&c, "\033[?1049h");
	wait_for(&c, "of your own: ");
	words_shown(&c, words, sizeof words);
	type(&c, "\n");
	/* gone from the screen before they are asked */
	wait_for(&c, "\033[?1049l");
	wait_for(&c, "from your paper: ");
	memcpy(text, words, sizeof words);
	for (word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
		assert_true(words_find(word, strlen(word)) >= 0);
		word[0] = (char)(word[0] - 'a' + 'A');
		strncat(sloppy, word, 4);
		strcat(sloppy, "  ");
	}
	strcat(sloppy, "\n");
	type(&c, sloppy);
	assert_int_equal(finish(&c, text, sizeof text), PERR_OK);
	assert_string_equal(text, words);
}

static void weak_and_mistyped_ones_are_asked_again(void **state)
{
	struct child c;
	char text[600];

	(void)state;
	start(&c, CHOOSE, NULL);
	wait_for(&c, "of your own: ");
	type(&c, "guatemala2019\n");
	wait_for(&c, "could be guessed");
	wait_for(&c, "of your own: ");
	type(&c, OWN "\n");
	wait_for(&c, "once more: ");
	type(&c, OWN "!\n");
	wait_for(&c, "not the same");
	wait_for(&c, "of your own: ");
	type(&c, OWN "\n");
	wait_for(&c, "once more: ");
	type(&c, OWN "\n");
	assert_int_equal(finish(&c, text, sizeof text), PERR_OK);
	assert_string_equal(text, OWN);
	assert_null(strstr(c.seen, "murky"));
	assert_null(strstr(c.seen, "\033["));
	/* five rounds, not for ever; too long a line is drained */
	start(&c, CHOOSE, NULL);
	memset(text, 'x', PHRASE_MAX + 20);
	strcpy(text + PHRASE_MAX + 20, "\n");
	wait_for(&c, "of your own: ");
	type(&c, text);
	wait_for(&c, "too long");
	for (int i = 0; i < 4; i++) {
		wait_for(&c, "of your own: ");
		type(&c, "12345678\n");
	}
	assert_int_equal(finish(&c, text, sizeof text), PERR_KEY);
}

static void without_a_terminal_it_says_what_to_do(void **state)
{
	struct phrase *p;
	int fd[2], status;
	char said[256] = { 0 };
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		setsid();
		dup2(fd[1], 2);
		_exit(passphrase_ask(&p, NULL) == PERR_STATE &&
		      passphrase_choose(&p, NULL) == PERR_STATE && p == NULL ? 0 : 1);
	}
	close(fd[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(read(fd[0], said, sizeof said - 1) > 0);
	assert_non_null(strstr(said, "--passphrase-file"));
	close(fd[0]);
}

/* ---- files ---- */

static char path[64];

static enum perr from(const void *bytes, size_t len, mode_t mode, char *text, bool is_new)
{
	struct phrase *p;
	enum perr err;
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	err = is_new ? passphrase_choose(&p, path) : passphrase_ask(&p, path);
	assert_int_equal(p != NULL, err == PERR_OK);
	text[0] = 0;
	if (p != NULL)
		memcpy(text, p->text, p->len + 1);
	phrase_free(p);
	unlink(path);
	return err;
}

static void a_file_gives_its_first_line(void **state)
{
	char text[600], big[PHRASE_MAX + 2];
	struct phrase *p;

	(void)state;
	snprintf(path, sizeof path, "/tmp/test_passphrase.%d", (int)getpid());
	assert_int_equal(from(OWN "\nmore\n", sizeof OWN + 5, 0600, text, true), PERR_OK);
	assert_string_equal(text, OWN);
	assert_int_equal(from(OWN "\r\n", sizeof OWN + 1, 0600, text, false), PERR_OK);
	assert_string_equal(text, OWN);
	assert_int_equal(from(OWN, sizeof OWN - 1, 0600, text, false), PERR_OK);
	assert_int_equal(from("LIME  river cotton bask wind\tcelery", 35, 0600, text, false),
	                 PERR_OK);
	assert_string_equal(text, "lime river cotton basket window celery");
	assert_int_equal(from("lime river cotton bask wind celery salt", 39, 0600, text, false),
	                 PERR_OK);
	assert_string_equal(text, "lime river cotton bask wind celery salt");
	assert_int_equal(from("weak\n", 5, 0600, text, false), PERR_OK);
	assert_int_equal(from("weak\n", 5, 0600, text, true), PERR_KEY);
	assert_int_equal(from("", 0, 0600, text, false), PERR_RANGE);
	assert_int_equal(from("\nsecond\n", 8, 0600, text, false), PERR_RANGE);
	assert_int_equal(from("a\0b\n", 4, 0600, text, false), PERR_RANGE);
	memset(big, 'x', sizeof big);
	assert_int_equal(from(big, PHRASE_MAX, 0600, text, false), PERR_OK);
	assert_int_equal(strlen(text), PHRASE_MAX);
	assert_int_equal(from(big, PHRASE_MAX + 1, 0600, text, false), PERR_RANGE);
	assert_int_equal(passphrase_ask(&p, "/nonexistent/file"), PERR_NOTFOUND);
	assert_null(p);
	assert_int_equal(passphrase_ask(&p, "/"), PERR_IO);
}

static void a_file_others_can_read_is_warned_about(void **state)
{
	char text[600], said[256] = { 0 };
	int fd[2], saved = dup(2);

	(void)state;
	assert_int_equal(pipe(fd), 0);
	dup2(fd[1], 2);
	assert_int_equal(from(OWN "\n", sizeof OWN, 0600, text, false), PERR_OK);
	assert_int_equal(from(OWN "\n", sizeof OWN, 0640, text, false), PERR_OK);
	dup2(saved, 2);
	close(fd[1]);
	close(saved);
	assert_true(read(fd[0], said, sizeof said - 1) > 0);
	assert_non_null(strstr(said, "chmod 600"));
	/* once: the private one was not warned about */
	assert_null(strstr(strstr(said, "chmod 600") + 1, "chmod 600"));
	close(fd[0]);
}

static void generated_ones_differ_and_are_strong(void **state)
{
	struct phrase *a, *b;
	double least = 1e9;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		double bits;

		assert_int_equal(phrase_generate(&a), PERR_OK);
		assert_int_equal(phrase_generate(&b), PERR_OK);
		assert_string_not_equal(a->text, b->text);
		bits = phrase_bits(a);
		if (bits < least)
			least = bits;
		phrase_free(a);
		phrase_free(b);
	}
	print_message("figure: passphrase: least strength zxcvbn sees in 200: %.0f bits\n", least);
	assert_true(least >= PHRASE_MIN_BITS);
}

/* words of six that stood there before */
static unsigned repeated(const char *text)
{
	const char *word[PHRASE_WORDS];
	size_t len[PHRASE_WORDS];
	unsigned n = 0;

	for (int i = 0; i < PHRASE_WORDS; i++) {
		bool before = false;

		word[i] = text;
		len[i] = strcspn(text, " ");
		text += len[i] + (text[len[i]] == ' ');
		for (int k = 0; k < i; k++)
			before = before || (len[k] == len[i] && memcmp(word[k], word[i], len[i]) == 0);
		n += before;
	}
	return n;
}

/*
 * A page judges without a dictionary.  What everybody types is refused there too, and never
 * called much stronger than zxcvbn calls it; what is offered is taken.
 */
static void a_page_takes_nothing_that_the_terminal_refuses(void **state)
{
	static const char *const weak[] = {
		"password", "Password1!", "p4ssw0rd", "P@ssw0rd123", "iloveyou", "qwertyuiop", "1234567890",
		"letmein2024", "rosa1990", "Maria12061985", "guatemala", "Guatemala502!", "teamo", "te amo",
		"correct horse", "CorrectHorseBatteryStaple", "amparo amparo amparo amparo amparo amparo",
		"dios es amor", "Dios es amor 777", "barcelona2023!", "abc123abc123abc123", "zaq12wsx!QAZ",
		"the cat sat on my red hat", "november 24 2026", "jesus jesus jesus", "monkey dragon", "trustno1 trustno1",
		"a b c d e f g h i", "1 2 3 4 5 6 7 8 9", "aaaaaaaaaaaaaaaaaaaaaaaa", "11/24/2026",
	};
	static const char *const strong[] = {
		"tortuga camino lluvia ventana naranja", "the goat ate nine purple umbrellas quietly",
		"xK9$mQ2vLw7#TzRb4!Np8@Yc",
	};
	unsigned over = 0;
	struct phrase *p;

	for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
		assert_int_equal(phrase_of(&p, weak[i], strlen(weak[i])), PERR_OK);
		if (phrase_least(p) >= PHRASE_MIN_BITS)
			fail_msg("\"%s\" is called strong: %u bits", weak[i], phrase_least(p));
		over += phrase_least(p) > phrase_bits(p) + 12;
		phrase_free(p);
	}
	for (size_t i = 0; i < sizeof strong / sizeof strong[0]; i++) {
		assert_int_equal(phrase_of(&p, strong[i], strlen(strong[i])), PERR_OK);
		if (phrase_least(p) < PHRASE_MIN_BITS)
			fail_msg("\"%s\" is called weak: %u bits", strong[i], phrase_least(p));
		phrase_free(p);
	}
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(phrase_generate(&p), PERR_OK);
		/* one word may be there twice; two such are not offered */
		assert_int_equal(phrase_least(p), 60 - 9 * repeated(p->text));
		assert_true(phrase_is_enough(p));
		assert_true(i >= 200 || phrase_least(p) <= phrase_bits(p));
		phrase_free(p);
	}
	print_message("figure: passphrase: of %zu weak ones a page calls 0 strong, %u stronger by 12 bits "
	              "than zxcvbn does\n", sizeof weak / sizeof weak[0], over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asking_shows_nothing_of_what_is_typed),
		cmocka_unit_test(the_terminal_echoes_again_afterwards),
		cmocka_unit_test(ctrl_c_ends_the_process_and_restores_the_terminal),
		cmocka_unit_test(a_stopped_process_asks_again),
		cmocka_unit_test(ctrl_d_is_no_passphrase),
		cmocka_unit_test(the_offered_words_are_taken_with_enter),
		cmocka_unit_test(weak_and_mistyped_ones_are_asked_again),
		cmocka_unit_test(without_a_terminal_it_says_what_to_do),
		cmocka_unit_test(a_file_gives_its_first_line),
		cmocka_unit_test(a_file_others_can_read_is_warned_about),
		cmocka_unit_test(generated_ones_differ_and_are_strong),
		cmocka_unit_test(a_page_takes_nothing_that_the_terminal_refuses),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
