/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "batch.h"
#include "fuzz_docs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct batch b;
	uint32_t from, to, day;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (batch_decode(&b, data, size) != PERR_OK)
		return 0;
	err = batch_encode(&again, &len, &b);
	must_be_same(err, again, len, data, size);
	/* whatever the figures: some key is in use, and the key of the day among them */
	for (day = b.first_day; day < b.first_day + 200 && day >= b.first_day; day += 7) {
		uint32_t i = batch_index(&b, day);

		batch_in_use(&b, day, 30, &from, &to);
		if (from > i || i >= to || to > b.n || batch_n_dead(&b, day, 30) >= b.n)
			abort();
	}
	return 0;
}
