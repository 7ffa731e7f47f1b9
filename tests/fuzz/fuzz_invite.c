/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fuzz_docs.h"
#include "invite.h"
#include "policy.h"

/* also the bytes as an address, which a check would keep a fuzzer from */
static void as_address(const uint8_t *data, size_t size)
{
	char text[ADDRESS_TEXT_MAX + 1];
	uint8_t again[ADDRESS_BYTES_MAX];
	size_t used, len;

	if (address_decode(text, &used, data, size) != PERR_OK)
		return;
	if (address_encode(again, &len, text) != PERR_OK || len != used ||
	    memcmp(again, data, used) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[INVITE_TEXT_MAX + 1], *in;
	struct invite inv, back;
	struct policy_card card;

	as_address(data, size);
	in = malloc(size + 1);
	if (in == NULL)
		return 0;
	memcpy(in, data, size);
	in[size] = '\0';
	if (policy_card_decode(&card, in) == PERR_OK && !address_is_valid(card.address))
		abort();
	if (invite_decode(&inv, in) == PERR_OK &&
	    (invite_encode(text, &inv) != PERR_OK || invite_decode(&back, text) != PERR_OK ||
	     memcmp(&inv, &back, sizeof inv) != 0))
		abort();
	free(in);
	return 0;
}
