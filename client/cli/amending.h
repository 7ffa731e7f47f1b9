/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * amending: one amendment, from the question to correct to the receipt.
 *
 *	cmd_amend.c     the command; the case and its form; sealing
 *	amend_from.c    corrections from a file or a pipe
 *	amend_names.c   paths and labels
 *	amend_ask.c     at the terminal: which question, which child, the new answer, the review
 *
 * Where the case is on this device, questions show the answers as they stand; where it is
 * not, nothing is known and nothing is shown.
 */
#ifndef AMPARO_AMENDING_H
#define AMPARO_AMENDING_H

#include "amend.h"
#include "case.h"
#include "case_merge.h"
#include "filling.h"

struct amending {
	struct filling f;                /* its draft holds code, form, files */
	struct amend_list changes;
	struct case_file *file;          /* the case, where it is here */
	struct case_merged *merged;
	struct fill *blind, *known;      /* known: NULL unless the case is here and can be read */
	/* the question that is asked now */
	char *path;                      /* of the change, canonical; NULL: none */
	char *at;                        /* in the session */
	bool is_taken;                   /* an answer was given, or taken away */
};

/* amend_names.c */
/* positions left aside: which question a path leads to; 0: none */
unsigned amending_question(struct amending *a, const char *path);
/* whether it is that of one of a repeat.  label out: XFORM_LABEL_SIZE, the repeat's; or NULL */
bool amending_is_repeat(struct amending *a, const char *path, char *label);
/* the place of a question in the blind session, one of each repeat; for free */
char *amending_blind_path(struct amending *a, unsigned number);

/* what is given without questions; amend_from.c */
struct amend_given {
	const char *from;                /* NULL: none; "-": standard input */
	const char *const *clear;
	size_t n_clear;
	const char *const *attach;
	size_t n_attach;
};
/* check all of it, then seal it, or say every fault; an exit code */
int amend_from(struct amending *a, const struct amend_given *g);

/* at the terminal until it is sealed, saved or dropped; an exit code */
int amend_ask(struct amending *a);

/* Seal what is there and print the receipt; an exit code (said). */
int amending_seal(struct amending *a);
/* the label of a change, with which child it means: "Age (Children left alone 2)"; for free */
char *amending_label(struct amending *a, const char *path);

#endif
