/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * outbox_file: what waits here as a file for somebody else to carry, and the other way round.
 * PROTOCOL 3.8.
 *
 * For a member whose membership ended, or whose device will not see a network soon: the cells
 * are sealed for their readers, so any member's device can bring them, and none can open them.
 *
 * What was saved stays here until the person says that it arrived (outbox_clear): a file can
 * get lost.  Ids name contents, so it does no harm if both bring it, or the file is carried
 * twice.  Fresh submissions are mixed with their decoys before they are saved (outbox.h): cells
 * that get decoys of their own on each way would be those that come twice.
 */
#ifndef AMPARO_OUTBOX_FILE_H
#define AMPARO_OUTBOX_FILE_H

#include <stdint.h>

#include "client.h"
#include "outfile.h"
#include "perr.h"

struct outbox_save {
	uint32_t cells;                  /* in the file, decoys among them */
	uint32_t pieces;                 /* of OUTFILE_PIECE bytes */
	bool more;                       /* more waits than fits one file: once these are gone */
	uint32_t last_group;             /* for outbox_saved, once the file is durable */
};
/*
 * Everything that waits, oldest first, in whole groups.
 * fn  in: gets the pieces in order
 * PERR_NOTFOUND: nothing waits.  PERR_STATE: no roster is known, so nobody could open it.
 * PERR_RANGE: the oldest group is larger than a file.  Errors of fn come back.
 */
PERR_MUST_CHECK enum perr outbox_save(struct client *c, outfile_piece_fn *fn, void *arg,
                                     struct outbox_save *s);

/* piece number `at` of the file; it is asked for in order, twice each */
typedef enum perr outbox_read_fn(void *arg, uint32_t at, uint8_t piece[OUTFILE_PIECE]);
struct outbox_carry {
	uint32_t cells;                  /* in the file */
	uint32_t fresh;                  /* of them: did not wait here already */
};
/*
 * Add the cells of a file to this device's outbox: all or nothing, one batch.
 * PERR_FORMAT: not such a file.  PERR_AUTH: sealed under a season that is not known here, or
 * its beginning is altered or its end is missing.  PERR_CORRUPT: altered further on.
 * PERR_STATE: no roster is known.  Errors of fn come back.
 */
PERR_MUST_CHECK enum perr outbox_carry(struct client *c, uint64_t file_size, outbox_read_fn *fn,
                                      void *arg, struct outbox_carry *k);

#endif
