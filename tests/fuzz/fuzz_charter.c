/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "charter.h"
#include "desk.h"
#include "fuzz_docs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct doc_bytes chain = doc_bytes_of(data, size);
	struct charter_signed s;
	struct charter c;
	struct desk d;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (charter_decode(&c, data, size) == PERR_OK) {
		if (c.threshold < 1 || c.threshold > charter_threshold_max(charter_living(&c)) ||
		    (c.has_paper && !charter_has_holder(&c, c.paper)))
			abort();
		err = charter_encode(&again, &len, &c);
		must_be_same(err, again, len, data, size);
	}
	if (charter_signed_decode(&s, data, size) != PERR_OK)
		return 0;
	err = charter_signed_encode(&again, &len, &s);
	must_be_same(err, again, len, data, size);
	if (desk_verify(&d, &chain, 1, NULL) == PERR_OK &&
	    memcmp(d.id, s.hash, sizeof d.id) != 0)
		abort();
	charter_signed_free(&s);
	return 0;
}
