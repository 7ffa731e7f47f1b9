/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * handout: a bulletin as one file, for members whose servers are gone: they find the new ones in
 * it.  PROTOCOL 8.4.
 *
 * What is in it a server would have given: it is as sealed and as signed as there, so it may be
 * sent by any way and tells whoever finds it what a server's disk tells.
 */
#ifndef AMPARO_HANDOUT_H
#define AMPARO_HANDOUT_H

#include <stddef.h>
#include <stdint.h>

#include "doc.h"
#include "perr.h"

#define HANDOUT_MAX (5u * 1048576u + 64)

struct handout {
	struct doc_bytes header;         /* signed, as bulletin_open takes it */
	struct doc_bytes slots;
	struct doc_bytes bodies[3];      /* sealed; by enum bulletin_which */
};

/* out: malloc'd, for doc_free.  PERR_RANGE: a part is empty or larger than parts are; PERR_NOMEM */
PERR_MUST_CHECK enum perr handout_encode(uint8_t **out, size_t *out_len, const struct handout *h);
/* h borrows from in.  PERR_FORMAT.  Verifies nothing */
PERR_MUST_CHECK enum perr handout_decode(struct handout *h, const uint8_t *in, size_t in_len);

#endif
