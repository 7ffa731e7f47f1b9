/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * filling: one interview at the terminal, from the first question to the slip.
 *
 *	interview.h     draft, session, form and sealing: the half that a browser shares
 *	cmd_fill.c      begins or goes on, leads from step to step
 *	filling.c       keeps the draft; what the others share
 *	fill_command.c  .back, .jump, .drop …
 *	fill_ask.c      one question: shown, answered
 *	fill_paper.c    what is asked before the questions of a paper form
 *	fill_end.c      the review, sealing, the case code
 *	amend_ask.c     corrections, which ask single questions in the same way
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
#include "interview.h"

struct filling;

/* What follows a step. */
enum filling_next {
	FILLING_ON,                     /* look where the session stands now */
	FILLING_SAME,                   /* ask again without showing the question again */
	FILLING_SAVED,                  /* the person stops; everything is stored */
	FILLING_STOPPED,                /* end of input or a signal; everything is stored */
	FILLING_DONE,                   /* sealed, and the code is copied; or the draft is dropped */
	FILLING_FAILED                  /* said already; code says how the program ends */
};

/* what is different where a correction is made, not an interview */
struct filling_other {
	/* what the draft keeps, for doc_free.  must: an answer was just given */
	enum perr (*bytes)(struct filling *f, bool must, uint8_t **out, size_t *len);
	/* a command at a question */
	enum filling_next (*command)(struct filling *f, enum typed_command c, const char *rest,
	                             const struct fill_step *step);
};

struct filling {
	const struct filling_other *other;      /* NULL: an interview */
	void *other_ctx;
	struct cli *cli;
	struct ask ask;
	struct interview iv;            /* its client is cli->client */
	int lock;                       /* descriptor; -1: none */
	int code;                       /* exit code of FILLING_FAILED */
	char *asked;                    /* path of the step that stands on the screen; NULL: none */
	char *where;                    /* its group, said once for all its questions */
};

/*
 * Store answers, files and place, if anything changed.  must: also a draft that was never
 * stored.  On a full or failing disk it says so and tries again as often as the person
 * wishes, since the answer is still in memory.  False: given up (said; FILLING_FAILED).
 */
bool filling_save(struct filling *f, bool must);
/* FILLING_FAILED, with what went wrong said */
enum filling_next filling_failed(struct filling *f, enum perr err, const char *what);
/* the same where the form itself is at fault */
enum filling_next filling_stuck(struct filling *f, enum perr err);
/* cmd_fill.c: how a draft is begun or taken up; exit codes, EXIT_DONE or said already */
int filling_choose_form(struct filling *f, const char *id);
int filling_choose_lang(struct filling *f, const char *lang);
int filling_load_form(struct filling *f);
int filling_take_draft(struct filling *f, uint32_t number);
/* Speak and ask in this language of the form ("": its first). */
void filling_speak(struct filling *f, const char *lang);
/*
 * Why a desk cannot be sealed to, in the person's language; why: as dispatch_desk or
 * intake_seal said it.  For free.
 */
char *filling_why(struct filling *f, enum perr err, const char *why);
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
