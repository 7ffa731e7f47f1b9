/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "b64.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#define STEP 48                  /* bytes at a time: whole groups of three, so no padding between */

static bool is_spelling(const char *text, size_t text_len, const uint8_t *bytes, size_t len,
                        int variant)
{
	char again[STEP / 3 * 4 + 1];
	int differs = 0;

	while (len > 0) {
		size_t n = len < STEP ? len : STEP, n_text;

		sodium_bin2base64(again, sizeof again, bytes, n, variant);
		n_text = strlen(again);
		if (n_text > text_len)
			break;
		differs |= sodium_memcmp(again, text, n_text);
		text += n_text;
		text_len -= n_text;
		bytes += n;
		len -= n;
	}
	sodium_memzero(again, sizeof again);
	return differs == 0 && len == 0 && text_len == 0;
}

enum perr b64_read(uint8_t *out, size_t out_size, size_t *out_len, const char *text,
                   size_t text_len, int variant)
{
	size_t n = 0;

	*out_len = 0;
	/* without a place for the end, what is not a digit is an error of its own */
	if (sodium_base642bin(out, out_size, text, text_len, NULL, &n, NULL, variant) != 0 ||
	    !is_spelling(text, text_len, out, n, variant)) {
		sodium_memzero(out, out_size);
		return PERR_FORMAT;
	}
	*out_len = n;
	return PERR_OK;
}
