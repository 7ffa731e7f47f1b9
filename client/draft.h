/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * draft: an interview that is not finished, kept encrypted from its first answer on.
 *
 * The store is a struct kv, so the same drafts live in a vault on disk or in a browser.
 * What the person answered is the bytes of a filling session (fill.h), not looked into here;
 * attachments are copied in beside them, so that a photograph deleted later is not lost.
 *
 *	draft_new            nothing is stored yet
 *	draft_attach, draft_detach   noted, done by the next
 *	draft_save           the answers and the files, in one batch: after every answer
 *	draft_finish         inside the batch that seals: answers and files go, the case code
 *	                     stays until somebody has copied it
 *	draft_drop           everything goes
 *
 * A kill at any moment leaves the state of the last draft_save that returned PERR_OK.
 *
 * In the store, as canonical MessagePack:
 *	draft/<number, 6 digits>                one draft and its answers
 *	draftfile/<number, 6 digits>.<3 digits>  one attachment, raw
 */
#ifndef AMPARO_DRAFT_H
#define AMPARO_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "case_code.h"
#include "kv.h"
#include "perr.h"
#include "statement.h"

#define DRAFT_NUMBER_MAX   999999u
#define DRAFT_FILES_MAX    STATEMENT_ATTACHMENTS
#define DRAFT_NAME_MAX     128           /* bytes of an attachment's name: PROTOCOL 4.2 */
#define DRAFT_BYTES_MAX    ((size_t)16 << 20)

/* What a list may show: nothing anybody answered. */
struct draft_head {
	uint32_t number;                 /* 1.. as people name it; 0: never saved */
	uint32_t day;                    /* started; as client_day */
	uint32_t n_answers;              /* as the caller counts them */
	uint32_t n_files;
	char form_id[65], form_version[33];
	char lang[33];                   /* the form's language it is filled in with; "" */
	bool is_paper;                   /* typed in from paper */
	bool is_amendment;               /* answers are those of amend.h; code is the case's */
	bool is_sealed;                  /* finished: only the code is left, to be copied */
};

struct draft_file {
	char name[DRAFT_NAME_MAX + 1];
	uint32_t size;
	bool is_scan;                    /* of the paper form: no answer names it */
	/* for this module */
	uint32_t key;
	bool is_gone;
	const uint8_t *fresh;
};

struct draft {
	struct draft_head head;
	/* from paper: what is asked before the questions; 0 and "" until then */
	uint32_t visit_day;
	char transcriber[65];
	bool has_scans;                  /* the question about scans was answered */
	bool from_review;                /* the question was jumped to from the review */
	uint8_t *answers;                /* of fill_draft, as last saved or opened; borrowed by users */
	size_t answers_len;
	struct draft_file files[DRAFT_FILES_MAX];
	size_t n_files;
	/* is_sealed: what the slip needs; is_amendment: which case */
	char code[CASE_CODE_LEN + 1];
	char desk_name[65];
	/* for this module */
	uint32_t revision, next_key;
};

/* NULL: out of memory.  The caller fills in the head's day, form and language. */
struct draft *draft_new(void);
/* Wipes and frees; NULL is harmless.  The store is not touched. */
void draft_free(struct draft *d);

/*
 * out  out: for draft_free; NULL after an error
 * PERR_NOTFOUND: no draft of this number.  PERR_CORRUPT.
 */
PERR_MUST_CHECK enum perr draft_open(struct kv *kv, uint32_t number, struct draft **out);

/*
 * Store everything; a new draft gets the number after the highest one there is.
 *
 * answers   in: of fill_draft; copied, also into d->answers
 *
 * PERR_EXISTS: the draft was saved from somewhere else since d was opened; nothing is
 * written, and nothing of either is lost.  PERR_NOTFOUND: it was dropped meanwhile.
 * PERR_LIMIT: DRAFT_NUMBER_MAX.  PERR_RANGE: more than DRAFT_BYTES_MAX.
 */
PERR_MUST_CHECK enum perr draft_save(struct kv *kv, struct draft *d, const uint8_t *answers,
                                     size_t len);

/*
 * Note a file, to be stored by the next draft_save.
 *
 * name  in: as the answer names it (draft_name)
 * data  in: borrowed until draft_save has returned PERR_OK, or draft_detach was called
 *
 * PERR_EXISTS: there is one of this name.  PERR_LIMIT: DRAFT_FILES_MAX.  PERR_RANGE: name.
 */
PERR_MUST_CHECK enum perr draft_attach(struct draft *d, const char *name, const uint8_t *data,
                                       size_t len, bool is_scan);
/* The same name is free at once; the stored file is erased by the next draft_save. */
void draft_detach(struct draft *d, const char *name);
/* Take back a draft_detach of a stored file that no draft_save has carried out yet. */
void draft_undo_detach(struct draft *d, const char *name);
/* The file of this name; NULL: none. */
const struct draft_file *draft_find(const struct draft *d, const char *name);
/*
 * A name for a new file that no other one of the draft has and that an answer can hold:
 * `wish` if it is such a one, else with a number before its ending ("nta-2.jpg").
 */
void draft_name(const struct draft *d, const char *wish, char out[DRAFT_NAME_MAX + 1]);
/* The content of a saved file; for kv_free.  PERR_NOTFOUND: none of this name. */
PERR_MUST_CHECK enum perr draft_read(struct kv *kv, const struct draft *d, const char *name,
                                     uint8_t **data, size_t *len);

/* Each draft in the order of numbers.  Anything but PERR_OK from fn ends it. */
typedef enum perr draft_fn(void *arg, const struct draft_head *head);
PERR_MUST_CHECK enum perr draft_each(struct kv *kv, draft_fn *fn, void *arg);

/*
 * Inside a batch of the caller's: erase (kv_erase) answers and files, keep the code and the
 * desk's name under the same number until draft_drop.  d itself does not change: draft_open
 * it again.
 */
PERR_MUST_CHECK enum perr draft_finish(struct kv *kv, const struct draft *d, const char *code,
                                       const char *desk_name);

/* Inside a batch of the caller's: erase everything.  PERR_EXISTS: saved from elsewhere since. */
PERR_MUST_CHECK enum perr draft_erase(struct kv *kv, const struct draft *d);

/* The same of every draft that is about this case. */
PERR_MUST_CHECK enum perr draft_forget_code(struct kv *kv, const char *code);

/*
 * Erase a draft and its files, in a batch of its own; kv_settle afterwards makes that
 * final.  PERR_NOTFOUND: there is none of this number.
 */
PERR_MUST_CHECK enum perr draft_drop(struct kv *kv, uint32_t number);

#endif
