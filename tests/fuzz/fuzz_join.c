/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fuzz_docs.h"
#include "join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct join j;
	uint16_t words[JOIN_WORDS];
	uint8_t *again;
	size_t len;
	enum perr err;

	if (join_open(&j, words, data, size) == PERR_OK && words[0] > 1023)
		abort();
	if (join_decode(&j, data, size) != PERR_OK)
		return 0;
	err = join_encode(&again, &len, &j);
	must_be_same(err, again, len, data, size);
	return 0;
}
