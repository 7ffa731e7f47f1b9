/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The control of tests/fuzz/run.sh: a bug behind four bytes, which must be found. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 3 && data[0] == 'a' && data[1] == 'm' && data[2] == 'p' && data[3] == 0xf7) {
		fputs("the planted bug\n", stderr);
		abort();
	}
	return 0;
}
