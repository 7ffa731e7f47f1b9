/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * wants: blobs whose chunks are looked for, by T, among the cells pulled; and putting them
 * together.
 *
 * Every chunk's T follows from the blob's key (PROTOCOL 3.4), so one table answers for each
 * cell that passes whether it is a chunk of ours; such a cell needs no trial.
 *
 * A blob whose chunks all open, but whose content has another hash than its statement
 * signed, can never be had: noted under unwant/<hash of its key, hex>, so that it causes no
 * rescan for ever.
 */
#ifndef AMPARO_WANTS_H
#define AMPARO_WANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "spool.h"
#include "sync.h"

/* chunks looked for at once: 4 GiB of attachments; more wait for their turn */
#define WANTS_CHUNKS_MAX (1u << 20)

struct wants;

/* spool in: borrowed */
PERR_MUST_CHECK enum perr wants_new(struct wants **out, struct client *c, struct spool *spool);
void wants_free(struct wants *w);
/* take over what record.h noted since; looks for their chunks in the spool */
PERR_MUST_CHECK enum perr wants_refresh(struct wants *w);
/* is this the T of a chunk that is looked for?  May be asked by several threads at once */
bool wants_tag(const struct wants *w, const uint8_t tag[CELL_TAG_SIZE]);
/* a cell with this T is in the spool now */
void wants_saw(struct wants *w, const uint8_t tag[CELL_TAG_SIZE]);
/*
 * Put together what is complete, and hand it to record.h: batches of its own.
 * taken   in/out: statements that came out of spilled ones are counted here
 * blobs   in/out: completed ones are counted
 * PERR_FULL, PERR_IO, … of the own store only.
 */
PERR_MUST_CHECK enum perr wants_assemble(struct wants *w, struct sync_taken *taken,
                                        uint32_t *blobs);
/* blobs still looked for, those that can never be had left out */
size_t wants_open(const struct wants *w);
/* the day since when the oldest of them is missing, at least from; UINT32_MAX: none */
uint32_t wants_oldest(const struct wants *w, uint32_t from);
/* the T of every chunk still missing, for the light mode */
typedef void wants_tag_fn(void *arg, const uint8_t tag[CELL_TAG_SIZE]);
void wants_each_missing(const struct wants *w, wants_tag_fn *fn, void *arg);

/* count what record_take said */
void wants_count(struct sync_taken *taken, int take_result);

#endif
