/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Any bytes as each kind of message.  What decodes must encode to the very same bytes: two
 * encodings of one message would be two names for one thing.
 */
#include <stdlib.h>
#include <string.h>

#include "rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct rpc_msg *m, const uint8_t *data, size_t size)
{
	uint8_t again[FRAME_MSG_MAX];
	size_t len;

	if (rpc_encode(again, &len, m) != PERR_OK || len != size ||
	    memcmp(again, data, size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rpc_msg m;
	enum rpc_type type;
	uint32_t msgid;
	int asked;

	if (size > FRAME_MSG_MAX)
		return 0;
	if (rpc_decode_request(&m, data, size) == PERR_OK)
		check(&m, data, size);
	if (rpc_decode_notify(&m, data, size) == PERR_OK)
		check(&m, data, size);
	for (asked = 0; asked < RPC_N_METHODS; asked++) {
		if (rpc_decode_response(&m, (enum rpc_method)asked, data, size) != PERR_OK)
			continue;
		check(&m, data, size);
		if (rpc_peek(&type, &msgid, data, size) != PERR_OK || msgid != m.msgid)
			abort();
	}
	return 0;
}
