/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ask: plain lines out, plain lines in, in English or Spanish, for a long conversation.
 *
 * Lines are wrapped to the terminal and never moved, coloured or overwritten: a screen reader
 * reads them once, in order.  Ctrl-C, a closed terminal and a polite kill end the waiting
 * and nothing else, so that whoever asked can finish what it was doing; a signal that comes
 * between two questions is noticed at the next one.
 */
#ifndef AMPARO_ASK_H
#define AMPARO_ASK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "typed.h"

/* English and Spanish beside each other, both literal, so that compilers check both. */
#define ASK_T(a, en, es) ((a)->is_es ? (es) : (en))

struct ask {
	bool is_es;
	bool is_tty;                    /* a person sits there */
	/* for this module */
	char buf[4096];
	size_t at, len;
	bool is_ended;
	sigset_t before, during;
	struct sigaction old[4];
};

enum ask_result {
	ASK_LINE,
	ASK_END,                        /* end of input, Ctrl-D; *line is what stood before it, or NULL */
	ASK_STOPPED                     /* a signal: ask_signal says which */
};

/* Takes over SIGINT, SIGHUP, SIGTERM and SIGPIPE until ask_done. */
void ask_begin(struct ask *a, bool is_es);
/* Gives signals back; wipes what was read ahead. */
void ask_done(struct ask *a);
/* The signal that stopped it, 0: none. */
int ask_signal(void);

/*
 * One line of an answer.
 *
 * prompt  in: one short line, ending in ": "
 * line    out: malloc'd, without its line end; ask_free it; NULL after ASK_STOPPED, and after
 *         ASK_END unless something stood before the end
 */
enum ask_result ask_line(struct ask *a, const char *prompt, char **line);
/* Wipes and frees; NULL is harmless. */
void ask_free(char *line);

/*
 * Print a sentence, wrapped, every line after `indent` spaces.  Whatever is formatted in may
 * come from strangers: the whole is made harmless (term_safe) before it is printed.
 */
void ask_say(struct ask *a, unsigned indent, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Nothing but a line end: before a question, so that an ear and an eye find its beginning. */
void ask_gap(struct ask *a);

#endif
