/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * statement_int: the bodies of statements, each read and written in one place; statement.c has
 * what is around them.  PROTOCOL section 4.2.
 *
 * get: the map is begun; what is wrong fails the reader (mp.h).  The body is zeros before.
 * put: counts are within their limits; everything else is found when what was written is read.
 */
#ifndef AMPARO_STATEMENT_INT_H
#define AMPARO_STATEMENT_INT_H

#include "statement.h"

#define TEXT_MAX     1024                /* reasons and remarks */
#define LANGUAGE_MAX 16

/* statement_said.c: what a family said, and what it asks of it */
void statement_get_intake(struct mp_reader *r, struct doc_map *m, struct statement_intake *in);
void statement_put_intake(struct mp_writer *w, const struct statement_intake *in);
void statement_get_amendment(struct mp_reader *r, struct doc_map *m,
                             struct statement_amendment *am);
void statement_put_amendment(struct mp_writer *w, const struct statement_amendment *am);
void statement_get_erase(struct mp_reader *r, struct doc_map *m, struct statement_erase *e);
void statement_put_erase(struct mp_writer *w, const struct statement_erase *e);

/* statement_passed.c: who is asked to have it, has it, and was passed what */
void statement_get_passed(struct mp_reader *r, struct doc_map *m, struct statement_passed *p,
                          bool is_referral);
void statement_put_passed(struct mp_writer *w, const struct statement_passed *p, bool is_referral);
void statement_get_copy(struct mp_reader *r, struct doc_map *m, struct statement_passed *p);
void statement_put_copy(struct mp_writer *w, const struct statement_passed *p);
void statement_get_answer(struct mp_reader *r, struct doc_map *m, struct statement_answer *a);
void statement_put_answer(struct mp_writer *w, const struct statement_answer *a);
void statement_get_status(struct mp_reader *r, struct doc_map *m, struct statement_status *s);
void statement_put_status(struct mp_writer *w, const struct statement_status *s);
void statement_get_receipt(struct mp_reader *r, struct doc_map *m, struct statement_receipt *p);
void statement_put_receipt(struct mp_writer *w, const struct statement_receipt *p);

#endif
