/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bulletin.h"
#include "fuzz_docs.h"

/* also as a slots part and as a sealed part, which nothing but its key opens */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32] = { 1 };
	static struct bulletin b;
	static struct admins a;
	static struct admins_doc d;
	uint8_t found[32], name[32], *again;
	size_t len;
	enum perr err;

	if (bulletin_slots_find(found, data, size, 1, key, key) == PERR_OK)
		abort();
	bulletin_part_name(name, data, size);
	if (bulletin_part_open(&again, &len, name, key, BULLETIN_FIELD, 1, data, size) == PERR_OK)
		abort();
	/* what travels: whoever opens it must not be hurt by what stands beside the document */
	if (bulletin_open(&b, &a, found, data, size) == PERR_OK &&
	    (b.n_chain == 0 || a.n_links != b.n_chain))
		abort();
	if (admins_view(&d, data, size) == PERR_OK) {
		err = admins_pack(&again, &len, &d);
		must_be_same(err, again, len, data, size);
		return 0;
	}
	if (bulletin_decode(&b, data, size) != PERR_OK)
		return 0;
	err = bulletin_encode(&again, &len, &b);
	must_be_same(err, again, len, data, size);
	return 0;
}
