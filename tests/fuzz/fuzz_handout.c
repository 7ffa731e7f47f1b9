/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A bulletin in a file, which anybody may hand to a member.  What decodes encodes the same. */
#include "fuzz_docs.h"
#include "handout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct handout h;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (handout_decode(&h, data, size) != PERR_OK)
		return 0;
	err = handout_encode(&again, &len, &h);
	must_be_same(err, again, len, data, size);
	return 0;
}
