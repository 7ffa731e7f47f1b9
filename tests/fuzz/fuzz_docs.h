/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* fuzz_docs: what the fuzz targets of documents share. */
#ifndef AMPARO_FUZZ_DOCS_H
#define AMPARO_FUZZ_DOCS_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return sodium_init() < 0 ? -1 : 0;
}

/*
 * What was decoded from data and encoded again must be the very same bytes: a second
 * encoding would be a second name for one thing.  Frees again.
 */
static inline void must_be_same(enum perr err, uint8_t *again, size_t again_len,
                                const uint8_t *data, size_t size)
{
	if (err == PERR_NOMEM)
		return;
	if (err != PERR_OK || again_len != size || memcmp(again, data, size) != 0)
		abort();
	doc_free(again, again_len);
}

/* a later version's fields are skipped: only that it encodes at all */
static inline void must_encode(enum perr err, uint8_t *again, size_t again_len)
{
	if (err != PERR_OK && err != PERR_NOMEM)
		abort();
	doc_free(again, again_len);
}

#endif
