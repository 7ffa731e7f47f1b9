/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * record: what a reader holds: statements taken in, merged into cases, with their
 * attachments.
 */
#ifndef AMPARO_RECORD_H
#define AMPARO_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "client.h"
#include "perr.h"

/* what became of an envelope */
enum take_result {
	TAKE_NEW,                    /* stored */
	TAKE_KNOWN,                  /* a repeat; dropped */
	TAKE_PENDING,                /* stored, its author is not in the roster (yet) */
	TAKE_NOT_FOR_ME,             /* `to` is neither this member nor a desk it holds */
	TAKE_BAD                     /* signature, form or opening wrong; dropped */
};

/*
 * Take in an envelope that was opened from a cell (or from a spilled blob).  Checks
 * signature, addressee and form; stores the statement; notes the attachments that are
 * wanted (want/…).  Inside a batch of the caller's.
 */
PERR_MUST_CHECK enum perr record_take(struct client *c, const uint8_t *envelope, size_t len,
                                     enum take_result *result);

/*
 * Blobs whose chunks are still missing: attachments, and spilled envelopes noted by
 * record_want_spilled.  The download looks for their tags among all cells it sees.
 */
struct want {
	struct blob_ref ref;
	bool is_envelope;            /* content goes to record_take, else to blob/<hash> */
	uint32_t since_day;
};
typedef enum perr want_fn(void *arg, const struct want *w);
PERR_MUST_CHECK enum perr record_wants(struct client *c, want_fn *fn, void *arg);
PERR_MUST_CHECK enum perr record_want_spilled(struct client *c, const struct blob_ref *ref);
/* the content is whole and its hash is right: store or take it, forget the want; in a batch */
PERR_MUST_CHECK enum perr record_have(struct client *c, const struct want *w,
                                     const uint8_t *data, size_t len,
                                     enum take_result *result);

#endif
