/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fuzz_docs.h"
#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy p;
	static struct policy_order o;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (policy_decode(&p, data, size) == PERR_OK) {
		err = policy_encode(&again, &len, &p);
		must_be_same(err, again, len, data, size);
	}
	if (policy_order_decode(&o, data, size) == PERR_OK) {
		err = policy_order_encode(&again, &len, &o);
		must_be_same(err, again, len, data, size);
	}
	return 0;
}
