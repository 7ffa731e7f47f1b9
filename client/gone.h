/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * gone: records that a family asked to have erased, so that they never come back: not by a
 * late copy of a phone, and not by a co-holder who fills up what a vault lacks (custody.h).
 *
 * GONE_ERASED   nothing of the record is in this vault; what comes of it is dropped
 * GONE_KEPT     it is kept under a legal hold, and goes on being merged here; but no custody
 *               statement speaks of it, and it is re-sealed to no co-holder
 *
 * Marks are of record ids: an amendment has one of its own, so all records of a case are
 * marked.  They stay for good; an id says nothing.
 *
 * In the store: gone/<record hex>: u32 day ‖ u8 how
 */
#ifndef AMPARO_GONE_H
#define AMPARO_GONE_H

#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "statement.h"

enum gone { GONE_NOT = 0, GONE_ERASED = 1, GONE_KEPT = 2 };

/*
 * Inside a batch of the caller's, who also removes the record's statements and attachments
 * (GONE_ERASED).  Later marks take the place of earlier ones; GONE_NOT forgets the mark.
 */
PERR_MUST_CHECK enum perr gone_mark(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                                   enum gone how);
PERR_MUST_CHECK enum perr gone_of(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                                 enum gone *how);

typedef enum perr gone_fn(void *arg, const uint8_t record[STATEMENT_RECORD_SIZE], enum gone how,
                          uint32_t day);
/* in rising order of the ids */
PERR_MUST_CHECK enum perr gone_each(struct client *c, gone_fn *fn, void *arg);

#endif
