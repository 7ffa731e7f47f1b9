/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * filling: one interview at the terminal, from the first question to the slip.
 *
 *	cmd_fill.c      begins or goes on, keeps the draft, leads from step to step
 *	fill_ask.c      one question: shown, answered
 *	fill_paper.c    what is asked before the questions of a paper form
 *	fill_end.c      the review, sealing, the case code
 *
 * The draft is saved before every prompt, so a kill while somebody thinks loses nothing.
 */
#ifndef AMPARO_FILLING_H
#define AMPARO_FILLING_H

#include "ask.h"
#include "cli.h"
#include "draft.h"
#include "fill.h"
#include "intake.h"

struct filling {
	struct cli *cli;
	struct ask ask;
	struct draft *d;
	struct fill *s;
	const struct xform *form;
	bool is_first;                  /* the first save has not been told of */
	bool is_back;                   /* went backwards: notes without text are passed that way */
	int lock;                       /* descriptor; -1: none */
	char *asked;                    /* path of the step that stands on the screen; NULL: none */
	char *where;                    /* its group, said once for all its questions */
};

/* What follows a step. */
enum filling_next {
	FILLING_ON,                     /* look where the session stands now */
	FILLING_SAME,                   /* ask again without showing the question again */
	FILLING_SAVED,                  /* the person stops; everything is stored */
	FILLING_STOPPED,                /* end of input or a signal; everything is stored */
	FILLING_DONE,                   /* sealed, and the code is copied; or the draft is dropped */
	FILLING_FAILED                  /* said already */
};

/*
 * Store answers, files and place, if anything changed.  must: also a draft that was never
 * stored.  EXIT_DONE, or an exit code (already said).
 */
int filling_save(struct filling *f, bool must);
/* The session's moment: now, or the day of the visit. */
void filling_clock(struct filling *f);

/* A command at any prompt; step NULL: not at a question. */
enum filling_next filling_command(struct filling *f, enum typed_command c, const char *rest,
                                  const struct fill_step *step);
/* Ask once more before something that cannot be undone; false also at the end of input. */
bool filling_sure(struct filling *f, const char *question);
/* "123 KiB" */
void filling_size(char out[24], uint64_t bytes);

/*
 * Read a file and check it against the roster's limits; says what is wrong.
 * data  out: malloc'd; the caller wipes and frees it
 */
bool filling_read_file(struct filling *f, const char *typed, uint8_t **data, size_t *len,
                       const char **base, char **path);

enum filling_next fill_ask_step(struct filling *f, const struct fill_step *step);
/* The command list, then how the question is answered. */
void fill_ask_help(struct filling *f, const struct fill_step *step);
enum filling_next fill_paper_ask(struct filling *f);
/* one more scan, from the review */
enum filling_next fill_paper_scan(struct filling *f);
enum filling_next fill_end_page(struct filling *f);
/* the slip of a draft that is sealed; then the draft goes */
enum filling_next fill_end_code(struct filling *f, const struct intake_receipt *r);

#endif
