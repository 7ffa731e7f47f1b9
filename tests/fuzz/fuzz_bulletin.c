/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bulletin.h"
#include "fuzz_docs.h"

/* also as a slots part and as a sealed part, which nothing but its key opens */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32] = { 1 };
	static struct bulletin b;
	uint8_t found[32], name[32], *again;
	size_t len;
	enum perr err;

	if (bulletin_slots_find(found, data, size, 1, key, key) == PERR_OK)
		abort();
	bulletin_part_name(name, data, size);
	if (bulletin_part_open(&again, &len, name, key, BULLETIN_FIELD, 1, data, size) == PERR_OK)
		abort();
	if (bulletin_decode(&b, data, size) != PERR_OK)
		return 0;
	err = bulletin_encode(&again, &len, &b);
	must_be_same(err, again, len, data, size);
	return 0;
}
