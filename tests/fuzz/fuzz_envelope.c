/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "envelope.h"
#include "fuzz_docs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct envelope env;
	static struct statement st;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (envelope_decode(&env, data, size) != PERR_OK)
		return 0;
	err = envelope_encode(&again, &len, &env);
	must_be_same(err, again, len, data, size);
	if (envelope_open(&env, &st, data, size) == PERR_OK) {
		if (env.has_opening && env.number == 0)
			abort();
	}
	return 0;
}
