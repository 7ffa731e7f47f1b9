/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "admins.h"
#include "fuzz_docs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct doc_bytes chain = doc_bytes_of(data, size);
	struct admins_link l;
	struct admins a;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (admins_verify(&a, &chain, 1) == PERR_OK &&
	    (a.n_links != 1 || a.last.index != 0 || a.last.threshold > a.last.n))
		abort();
	if (admins_link_decode(&l, data, size) != PERR_OK)
		return 0;
	if (l.threshold < 1 || l.threshold > l.n || l.n > ADMINS_MAX)
		abort();
	err = admins_link_encode(&again, &len, &l);
	must_be_same(err, again, len, data, size);
	return 0;
}
