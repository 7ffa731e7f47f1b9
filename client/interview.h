/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * interview: one interview from the first question to the seal, whoever shows the questions.
 *
 * Brings together the filling session (fill.h), the draft that is kept of it (draft.h) and
 * the sealing (intake.h).  The command line (cli/filling.h) and the browser stand on it; it
 * asks nobody anything and prints nothing.
 *
 *	interview_new, interview_resume    a draft, its form, its language, its session
 *	interview_answer, …_clear, …_attach, …_remove    change something, in memory
 *	interview_save                     what was changed, durable: after every change
 *	interview_next, …_back             on to what is to be shown
 *	interview_seal                     sealed, the draft gone but for the code
 *
 * After a failed interview_save the session is ahead of what is stored: it can be tried
 * again, taken back (interview_revert), or closed, which leaves what was saved last.
 */
#ifndef AMPARO_INTERVIEW_H
#define AMPARO_INTERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "dispatch.h"
#include "draft.h"
#include "fill.h"
#include "intake.h"
#include "perr.h"
#include "xform.h"

struct interview {
	struct client *c;                /* borrowed */
	struct draft *d;                 /* owned */
	struct fill *s;                  /* owned; NULL: none is open */
	const struct xform *form;        /* held: cache.h */
	int tz_min;                      /* local time minus UTC */
	bool is_back;                    /* went backwards: silent notes are passed that way */
};

/* ---- beginning and end -------------------------------------------------------------------- */

/*
 * The draft of an interview that begins: nothing is stored.  PERR_NOMEM.  The head's form
 * and version are the caller's to fill in, before interview_load.
 */
PERR_MUST_CHECK enum perr interview_new(struct interview *iv, struct client *c, bool is_paper,
                                       int tz_min);
/* Wipes and frees session and draft, lets the form go; the store is not touched. */
void interview_free(struct interview *iv);

/*
 * The form that the draft names.
 * PERR_NOTFOUND: it is not on this device.  PERR_UNKNOWN: it is, and cannot be read.
 */
PERR_MUST_CHECK enum perr interview_load(struct interview *iv);
/*
 * The language it is filled in with: the form's own code of `want`, or of its first where the
 * form has it not or want is NULL or "".  In a form without languages, want is noted.
 */
void interview_choose_lang(struct interview *iv, const char *want);
/* what a session of this interview gets from outside */
struct fill_env interview_env(const struct interview *iv);
/*
 * Open the session, where it stood.  why: FILL_WHY_SIZE; after an error, in the language
 * Errors as fill_new and fill_open.
 */
PERR_MUST_CHECK enum perr interview_open(struct interview *iv, char why[FILL_WHY_SIZE]);

/* Speak and ask in this language of the form ("": its first). */
void interview_speak(struct interview *iv, const char *lang);
/* Its code: of the form where it has languages, else what was noted. */
const char *interview_lang(const struct interview *iv);
/* The session's moment: now, or the day of the visit. */
void interview_clock(struct interview *iv);

/* The roster's entry of the form in this version; NULL: not listed any more. */
const struct roster_form *interview_entry(const struct interview *iv);
/* Can it be sealed today?  As dispatch_desk; PERR_NOTFOUND also when it is not listed. */
PERR_MUST_CHECK enum perr interview_readers(struct interview *iv, struct dispatch_readers *r,
                                           char why[DISPATCH_WHY]);

/* ---- keeping -------------------------------------------------------------------------------- */

/*
 * Store answers, files and place, if anything changed.
 * must  in: also where nothing seems to have; a draft that was never stored is made then
 * Errors as draft_save.
 */
PERR_MUST_CHECK enum perr interview_save(struct interview *iv, bool must);

/*
 * Back to what was saved last, session and files: for a caller who gives up after a failed
 * save.  After an error there is no session: close it.
 */
PERR_MUST_CHECK enum perr interview_revert(struct interview *iv);

/* ---- from step to step --------------------------------------------------------------------- */

/* a note without a word on it: a value the form computes and shows nowhere */
bool interview_is_silent(const struct fill_step *step);
/*
 * The step to show: silent notes are passed, in the direction last gone.
 * PERR_LIMIT, PERR_NOMEM: as fill_current.
 */
PERR_MUST_CHECK enum perr interview_step(struct interview *iv, struct fill_step *step);
/*
 * On to what comes after a question: where the person came from (the review), or the next.
 * At the end nothing happens.
 */
PERR_MUST_CHECK enum perr interview_next(struct interview *iv);
/* PERR_NOTFOUND: this is the first one. */
PERR_MUST_CHECK enum perr interview_back(struct interview *iv);

/*
 * Answer where the session stands.  An answer changed from the review that opened new
 * questions leads on to them, not back.  why, errors: as fill_answer.
 */
PERR_MUST_CHECK enum perr interview_answer(struct interview *iv, const char *text, size_t len,
                                          char why[FILL_WHY_SIZE]);
/* Take the answer away, and the file it names. */
PERR_MUST_CHECK enum perr interview_clear(struct interview *iv, char why[FILL_WHY_SIZE]);
/*
 * Remove the instance of a repeat at path with all that was answered in it, files too.
 * Errors as fill_remove_repeat.
 */
PERR_MUST_CHECK enum perr interview_remove(struct interview *iv, const char *path);

/* ---- files ----------------------------------------------------------------------------------- */

/*
 * Files there are, the one that the current question has left out; and how many are allowed.
 */
PERR_MUST_CHECK enum perr interview_room(struct interview *iv, size_t *has, size_t *max);
/*
 * Attach a file: to the current question, or (is_scan) to the paper form as a whole.
 *
 * wish  in: its name, without folder; changed where it cannot be kept
 * data  in: borrowed until interview_save returned PERR_OK, or interview_unattach
 * name  out: what it is called; the question's answer
 * why   out: after PERR_RANGE and PERR_STATE, as fill_answer
 *
 * The file that the question had goes with the save that brings the new one.  After an error
 * nothing changed.  PERR_LIMIT: no more fit.
 */
PERR_MUST_CHECK enum perr interview_attach(struct interview *iv, const char *wish,
                                          const uint8_t *data, size_t len, bool is_scan,
                                          char name[DRAFT_NAME_MAX + 1],
                                          char why[FILL_WHY_SIZE]);
/* After a failed save: data is about to be freed, nothing may point there. */
void interview_unattach(struct interview *iv, const char *name);

/* ---- paper ------------------------------------------------------------------------------------ */

/* PERR_RANGE: the visit cannot be in the future, a day ahead of UTC at most. */
PERR_MUST_CHECK enum perr interview_visit(struct interview *iv, int64_t day);
/* PERR_RANGE: no text of 1..64 bytes. */
PERR_MUST_CHECK enum perr interview_transcriber(struct interview *iv, const char *name);
/* what is asked before the questions is answered; true also when it is not from paper */
bool interview_paper_ready(const struct interview *iv);
size_t interview_scans(const struct interview *iv);

/*
 * Do the form's marks (marks.h) make a case of these answers urgent?  For whoever must find a
 * network now.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr interview_is_urgent(struct interview *iv, bool *urgent);

/* ---- sealing ----------------------------------------------------------------------------------- */

/*
 * Seal it, with the roster this process knows: client_reload before, where another process may
 * have fetched a newer one.  The draft must have been saved.  Its answers and files are
 * erased in the same batch, the code stays for the slip; kv_settle makes that final.
 * Afterwards iv has no session, and draft_open gives what is left under the draft's number.
 *
 * r, why  out: as intake_seal.  Errors as intake_seal; after one, nothing is lost.
 */
PERR_MUST_CHECK enum perr interview_seal(struct interview *iv, struct intake_receipt *r,
                                        char why[DISPATCH_WHY]);

#endif
