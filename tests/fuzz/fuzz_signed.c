/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fuzz_docs.h"
#include "signed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct signed_doc d;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (signed_decode(&d, data, size) != PERR_OK)
		return 0;
	err = signed_encode(&again, &len, &d);
	must_be_same(err, again, len, data, size);
	signed_doc_free(&d);
	return 0;
}
