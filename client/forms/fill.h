/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fill: one person filling in one form, question by question.
 *
 * A session stands at a step: a question, a note, the offer to add one more instance of a
 * repeat, or the end, where the review is.  Steps that are irrelevant after what was
 * answered do not exist for next, back and jump; what was answered there before is kept in
 * the draft, in case the person changes their mind, and leaves the submission.
 *
 * The session does no I/O: its draft is bytes, for the caller to encrypt and store after
 * every answer.  Texts it hands out are borrowed until the next call on it.
 */
#ifndef AMPARO_FILL_H
#define AMPARO_FILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fdate.h"
#include "perr.h"
#include "xform.h"

struct faults;
struct fill;

#define FILL_WHY_SIZE 512
#define FILL_ANSWER_MAX ((size_t)64 << 10)      /* bytes of one answer */
#define FILL_REPEATS_MAX 1000                   /* instances of one repeat */

/* What a session gets from outside. */
struct fill_env {
	const char *lang;                       /* NULL: the form's default, or the draft's */
	struct fclock now;
	void (*random)(void *ctx, uint8_t *out, size_t n);      /* for uuid() and random() */
	void *random_ctx;
};

enum fill_kind {
	FILL_QUESTION,
	FILL_NOTE,              /* nothing to answer: a note, or a read-only value */
	FILL_REPEAT,            /* "add another?": fill_add_repeat, or fill_next to go on */
	FILL_END
};

enum fill_type {
	FILL_TEXT, FILL_INT, FILL_DECIMAL, FILL_DATE, FILL_TIME, FILL_DATETIME, FILL_BOOLEAN,
	FILL_SELECT1, FILL_SELECT, FILL_RANK, FILL_RANGE, FILL_PLACE, FILL_TRACE, FILL_SHAPE,
	FILL_FILE,              /* the answer is an attachment's name */
	FILL_CONFIRM            /* the answer is OK */
};

struct fill_option {
	const char *value, *label;
	bool is_chosen;
};

struct fill_step {
	enum fill_kind kind;
	enum fill_type type;
	unsigned number;                /* of the question; 0: none */
	const char *path;               /* "/data/child[2]/age" */
	const char *where;              /* "Children left alone 2", outermost first; "" */
	const char *label, *hint, *guidance;
	const char *value;              /* the answer as stored; "" */
	const char *shown;              /* for people: labels of choices, dates in words */
	bool is_required;
	const struct fill_option *options;
	size_t n_options;
	const char *start, *end, *by;   /* FILL_RANGE; else "" */
	const char *media;              /* FILL_FILE: the kinds of file the form asks for; else "" */
	const char *appearance;         /* as the form says; "" */
	unsigned n_instances;           /* FILL_REPEAT: how many there are */
	unsigned done, total;           /* questions passed and relevant now, for progress */
};

/*
 * A new session stands at its first step: defaults, preloads, first-load actions and
 * calculations have run.
 * PERR_NOMEM.  PERR_LIMIT: the form computes without end, why says so.
 */
enum perr fill_new(struct fill **out, const struct xform *f, const struct fill_env *env,
                   char why[FILL_WHY_SIZE]);

/*
 * The same from a draft.  The session stands where it stood.
 * PERR_FORMAT: no draft.  PERR_STATE: it belongs to another form or version.
 */
enum perr fill_open(struct fill **out, const struct xform *f, const struct fill_env *env,
                    const uint8_t *draft, size_t draft_len, char why[FILL_WHY_SIZE]);

/*
 * A session for corrections of an interview that is not here: every question can be asked,
 * in one instance of each repeat, without an answer; nothing is required, and what depends
 * on other answers is not checked.
 */
enum perr fill_new_blind(struct fill **out, const struct xform *f, const struct fill_env *env,
                         char why[FILL_WHY_SIZE]);
/* Whether the answer that fill_answer took last may still be refused by what others are. */
bool fill_was_unchecked(const struct fill *s);
/*
 * A session over a submission's answers.
 * PERR_FORMAT: they are not this form's.
 */
enum perr fill_open_answers(struct fill **out, const struct xform *f, const struct fill_env *env,
                            const uint8_t *xml, size_t xml_len, char why[FILL_WHY_SIZE]);
/* The answer at a step's path, "" for none; NULL: there is no such question now.  Borrowed. */
const char *fill_value(struct fill *s, const char *path);

/* Wipes and frees; NULL is harmless. */
void fill_free(struct fill *s);

/*
 * A call ran out of memory: what the session says from now on may be wrong.  Open it again
 * from its draft.
 */
bool fill_is_starved(const struct fill *s);

/*
 * Another language, another moment (a session may last over midnight).  Sentences of our
 * own are Spanish where lang is, else English.
 */
void fill_set_lang(struct fill *s, const char *lang);
void fill_set_now(struct fill *s, const struct fclock *now);

/* PERR_NOMEM, PERR_LIMIT */
enum perr fill_current(struct fill *s, struct fill_step *out);

/*
 * Answers the current question with text as ODK stores it ("es mam", "2026-11-24");
 * "09:30", "14.5 -91.4" and decimal commas are completed.  len 0 takes the answer away.
 * why   out: for PERR_RANGE, the form's message in the language, or one of ours
 * PERR_RANGE: not accepted, nothing changed.  PERR_STATE: not at a question.
 */
enum perr fill_answer(struct fill *s, const char *text, size_t len, char why[FILL_WHY_SIZE]);

/* PERR_NOTFOUND: already at the end, at the start, no such question now. */
enum perr fill_next(struct fill *s);
enum perr fill_back(struct fill *s);
enum perr fill_jump(struct fill *s, unsigned number);   /* the first one of this number */
enum perr fill_jump_path(struct fill *s, const char *path);
enum perr fill_jump_end(struct fill *s);

/* At FILL_REPEAT: adds an instance and goes to its first step.  PERR_LIMIT: too many. */
enum perr fill_add_repeat(struct fill *s);
/*
 * Removes the instance of a repeat that is around the current question ("" for path) or
 * at a path ("/data/child[2]"), and goes to the offer to add one.
 * PERR_STATE: there is none, or the form does not allow it.
 */
enum perr fill_remove_repeat(struct fill *s, const char *path);

/* Adds what keeps it from being submitted; none: it is complete. */
enum perr fill_check(struct fill *s, struct faults *faults);

/*
 * The submission: irrelevant answers left out, end time set.  Also of an incomplete
 * session, so check first.  The caller wipes and frees *xml.
 */
enum perr fill_submission(struct fill *s, uint8_t **xml, size_t *len);

/* Everything needed to go on later.  The caller wipes and frees *draft. */
enum perr fill_draft(struct fill *s, uint8_t **draft, size_t *len);

/* Every step with an answer or without, for a review page; false from fn stops. */
enum perr fill_review(struct fill *s, bool (*fn)(void *ctx, const struct fill_step *step),
                      void *ctx);

#endif
