/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fuzz_docs.h"
#include "statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct statement st, original;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (statement_decode(&st, data, size) != PERR_OK)
		return 0;
	err = statement_encode(&again, &len, &st);
	if (st.has_ext)
		must_encode(err, again, len);
	else
		must_be_same(err, again, len, data, size);
	if (statement_original(&original, &st) == PERR_OK &&
	    st.kind != STATEMENT_ASSIGNMENT && st.kind != STATEMENT_REFERRAL &&
	    st.kind != STATEMENT_COPY)
		abort();
	return 0;
}
