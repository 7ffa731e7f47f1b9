/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fcheck: is this an answer to this question?  For submissions and for filling alike.
 */
#ifndef AMPARO_FCHECK_H
#define AMPARO_FCHECK_H

#include "feval.h"

/*
 * text   a non-empty answer to the question at n
 * kind   out: FAULT_TYPE, FAULT_CHOICE or FAULT_CONSTRAINT
 * why    out: what is wrong: the form's message in the language, or "must be a whole
 *        number" ("debe ser un número entero" where ev->is_es); in ev->scratch
 * Returns true when the answer can stand.
 */
bool fcheck_answer(struct feval *ev, const struct fnode *n, const char *text,
                   enum fault_kind *kind, const char **why);

/* One of two texts, by the language of our own sentences. */
#define FCHECK_SAY(ev, en, es) ((ev)->is_es ? (es) : (en))

/* Whether an answer must be given now; why as above. */
bool fcheck_required(struct feval *ev, const struct fnode *n, const char **why);
/* whether a required answer's why is ours, to be read behind the question's name */
bool fcheck_is_ours(const char *why);

/*
 * "Question 6 \"Age of Luz\" in \"Children\" 2", "La pregunta 6 «Edad de Luz» en «Hijos» 2",
 * in ev->scratch; also what it is made of.
 */
const char *fcheck_name(struct feval *ev, const struct fnode *n);
const char *fcheck_label(struct feval *ev, const struct fnode *n);

/* Instances a repeat must have below parent by its count; -1: as many as people like. */
long fcheck_count(struct feval *ev, const struct fctl *repeat, const struct fnode *parent);
#define FCHECK_COUNT_MAX 1000

#endif
