/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "case_code.h"
#include "fuzz_docs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char code[CASE_CODE_LEN + 1], shown[CASE_CODE_SHOWN + 1], back[CASE_CODE_LEN + 1];
	char *in = malloc(size + 1);

	if (in == NULL)
		return 0;
	memcpy(in, data, size);
	in[size] = '\0';
	if (case_code_parse(code, in) == PERR_OK) {
		if (!case_code_is_canonical(code, CASE_CODE_LEN))
			abort();
		case_code_show(shown, code);
		if (case_code_parse(back, shown) != PERR_OK || strcmp(back, code) != 0)
			abort();
	}
	free(in);
	return 0;
}
