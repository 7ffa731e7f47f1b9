/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "board.h"
#include "fuzz_docs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	struct board_entry e;
	struct board_rekey rk;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (board_decode(&e, data, size) == PERR_OK &&
	    (board_encode(payload, &len, &e) != PERR_OK || len != size ||
	     memcmp(payload, data, size) != 0))
		abort();
	if (board_rekey_decode(&rk, data, size) == PERR_OK) {
		err = board_rekey_encode(&again, &len, &rk);
		must_be_same(err, again, len, data, size);
	}
	return 0;
}
