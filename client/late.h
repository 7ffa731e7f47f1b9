/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * late: statements that opened here for a desk that this member does not hold: any more, or
 * not yet.
 *
 * A phone that was offline while the holders of a desk changed seals to those it knew.  What
 * reaches somebody who left is not shown to them: their device seals it on to those who hold
 * the desk now, and forgets it.  Where nobody of those the phone knew holds the desk any more
 * this is the only way it takes.  What reaches somebody whose device does not know yet that
 * they hold the desk waits until it does.
 *
 * In the store: late/<first 20 bytes of the statement's hash, hex>
 */
#ifndef AMPARO_LATE_H
#define AMPARO_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "origin.h"
#include "perr.h"
#include "statement.h"

#define LATE_MAX  512            /* kept at once: nobody fills a vault with what is not for it */
#define LATE_DAYS 60             /* so long one waits, and so long it is known as handed on */

/*
 * Keep it, unless it was handed on before or is of no desk (inside a batch of the caller's).
 * st, hash  in: of the envelope, whose signature was checked
 * from      in: the cell it came in; NULL: not known
 */
PERR_MUST_CHECK enum perr late_note(struct client *c, const struct statement *st,
                                   const uint8_t hash[32], const struct origin *from,
                                   const uint8_t *envelope, size_t len);
/*
 * The duty: take in what is this member's now, seal on what is others', forget what is old.
 * more  out: something is queued
 */
PERR_MUST_CHECK enum perr late_duty(struct client *c, bool *more);
/* statements that wait, and were handed on lately */
PERR_MUST_CHECK enum perr late_count(struct client *c, unsigned *waiting, unsigned *handed);

#endif
