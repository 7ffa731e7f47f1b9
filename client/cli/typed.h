/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * typed: what a person types at a question, understood.
 *
 * People write dates as they speak, drag files into the window, and forget an accent in a
 * command: everything here forgives what cannot be meant otherwise, and asks where two
 * things can be meant.  Words are English and Spanish at once.  No I/O, no globals.
 */
#ifndef AMPARO_TYPED_H
#define AMPARO_TYPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fdate.h"

enum typed_command {
	TYPED_ANSWER,           /* no command */
	TYPED_UNKNOWN,          /* looks like one: ".foo" */
	TYPED_HELP, TYPED_BACK, TYPED_SKIP, TYPED_JUMP, TYPED_REVIEW, TYPED_CLEAR, TYPED_AGAIN,
	TYPED_LIST, TYPED_REMOVE, TYPED_LANG, TYPED_SAVE, TYPED_DROP
};

/*
 * "?", "<", or a period and a word: ".back", ".atrás", ".jump 12".
 *
 * rest   out: what follows the command without the blanks before it; for TYPED_ANSWER the
 *        answer: ". text" is the answer "text", whatever it looks like
 */
enum typed_command typed_command(const char *line, const char **rest);
/* The same without the period, for questions that no such word can answer. */
enum typed_command typed_word(const char *line, const char **rest);

/* 1 yes, 0 no, -1 neither: "y", "Sí", "no" */
int typed_yes(const char *line);

/*
 * A date in figures or words: "2026-11-24", "24 nov 2026", "November 24, 2026",
 * "24 de noviembre de 2026", "11/24/2026", "hoy", "yesterday".
 *
 * days   out: as fdate.h counts them; [0] the month first, [1] the day first
 * returns how many days can be meant: 0 none, 1, or 2 ("03/09/2026")
 */
unsigned typed_date(const char *text, const struct fclock *now, int64_t days[2]);

/*
 * "9:30", "2:30 pm", "2 p. m.", "14.30", "930": hour and minute.
 * is_sure  out: false where nothing said whether it is morning or afternoon and both can be
 */
bool typed_time(const char *text, unsigned *hour, unsigned *minute, bool *is_sure);

/* A date and then a time in one line: where the time begins; 0: there is none. */
size_t typed_split(const char *text);

/*
 * Numbers of choices: "2", "1 3", "1, 3 y 4".
 *
 * at    out: places from 0, room for max
 * returns how many; 0: the text is no such list, or a number is not 1..n_options
 */
size_t typed_numbers(const char *text, size_t n_options, size_t *at, size_t max);

/*
 * The path of a file, as typed, pasted, or dragged into the window: quotes, backslashes
 * before blanks, file:// with %20, a ~ for the home folder.
 * home   in: NULL leaves ~ alone
 * Result: malloc'd, the caller frees it; NULL: out of memory.
 */
char *typed_path(const char *text, const char *home);

#endif
