/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * wfill: what the volunteer's ops share: the interview that is open, how steps are written.
 *
 *	op_fill.c     begin, resume, close; drafts
 *	op_step.c     one step, one interview, as the page gets them
 *	op_go.c       answers, next, back, jump, repeats, language
 *	op_attach.c   photographs and other files; paper
 *	op_seal.c     the review, sealing, the slip
 *	op_outbox.c   what waits; op_forms.c the forms; op_me.c joining and trust
 *
 * One interview is open at a time.  It hangs in WEB_PART_FILL, and goes with the lock.
 */
#ifndef AMPARO_WFILL_H
#define AMPARO_WFILL_H

#include "interview.h"
#include "web.h"

#define FILL_PATH_MAX 4096       /* bytes of a step's path */

/* the open interview; NULL: none */
struct interview *wfill_of(const struct web *w);
/*
 * What every op of the open interview begins with: the arguments are read, an interview is
 * open (PERR_STATE), it is not one that ran out of memory before, and it is now.
 */
PERR_MUST_CHECK enum perr wfill_begin(struct web *w, struct web_args *a, struct interview **iv);
/*
 * err, as an op may tell it: an interview that ran out of memory finds no question and takes
 * no answer, which is not what the page should hear.
 */
PERR_MUST_CHECK enum perr wfill_truth(const struct interview *iv, enum perr err);
/* close it: wiped from memory; the draft stays */
void wfill_shut(struct web *w);

/*
 * Save what an op changed.  After an error the interview stands where it was saved last; if
 * not even that works, it is closed.  The error goes on.
 */
PERR_MUST_CHECK enum perr wfill_keep(struct web *w);
/* back to what was saved last; closed if that does not work */
void wfill_revert(struct web *w);

/*
 * A place is kept with the next answer; where nothing was answered yet, nothing is.  PERR_NOMEM
 * also where the session ran out of memory without saying so.
 */
PERR_MUST_CHECK enum perr wfill_keep_place(struct web *w);

/* minutes of local time ahead of UTC, from `tz` (1440 more) */
int wfill_arg_tz(struct web_args *a);

/* ---- written ---- */

/* At: draft, step, from_review.  Moves on where what stood here is not asked any more. */
PERR_MUST_CHECK enum perr wfill_out_at(struct web *w, struct web_out *o);
/* Interview */
PERR_MUST_CHECK enum perr wfill_out_interview(struct web *w, struct web_out *o);
/* a Step, into the map or list that is open */
void wfill_out_step(struct web_out *o, const char *name, const struct interview *iv,
                   const struct fill_step *step);
/* FileInfo | null */
void wfill_out_file(struct web_out *o, const char *name, const struct draft_file *f);
/* Paper | null, as "paper" */
void wfill_out_paper(struct web_out *o, const struct interview *iv);
/* kind, type, number, path, where, label, value, shown, required, file */
void wfill_out_brief(struct web_out *o, const struct interview *iv, const struct fill_step *step);
/* Lang[], as "langs"; form NULL: none */
void wfill_out_langs(struct web_out *o, const struct xform *form);

/*
 * Can a form of the roster be sealed to its desk today?
 * entry  in: NULL: not listed any more
 * r      out: readers, and the desk's name where it is listed
 * ready  out: FormReady, static; 'ok' and the reasons of a desk
 */
PERR_MUST_CHECK enum perr wfill_ready(struct web *w, const struct roster_form *entry,
                                    struct dispatch_readers *r, const char **ready);

/*
 * Look at the outbox: fewer than before became safe; is_ours: what changed was done here, and
 * says nothing about servers.
 */
PERR_MUST_CHECK enum perr wfill_tally(struct web *w, bool is_ours);

#endif
