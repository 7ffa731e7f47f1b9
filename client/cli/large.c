/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "large.h"

#include <string.h>

#define ROWS 5
#define COLS 5

/* The 32 characters of a case code; five rows of five bits, the left one highest. */
static const char order[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const unsigned char shapes[][ROWS] = {
	{ 14, 19, 21, 25, 14 }, { 4, 12, 4, 4, 14 }, { 30, 1, 14, 16, 31 }, { 30, 1, 14, 1, 30 },
	{ 18, 18, 31, 2, 2 }, { 31, 16, 30, 1, 30 }, { 14, 16, 30, 17, 14 }, { 31, 1, 2, 4, 4 },
	{ 14, 17, 14, 17, 14 }, { 14, 17, 15, 1, 14 }, { 14, 17, 31, 17, 17 }, { 30, 17, 30, 17, 30 },
	{ 15, 16, 16, 16, 15 }, { 30, 17, 17, 17, 30 }, { 31, 16, 30, 16, 31 }, { 31, 16, 30, 16, 16 },
	{ 15, 16, 19, 17, 15 }, { 17, 17, 31, 17, 17 }, { 7, 2, 2, 18, 12 }, { 17, 18, 28, 18, 17 },
	{ 17, 27, 21, 17, 17 }, { 17, 25, 21, 19, 17 }, { 30, 17, 30, 16, 16 }, { 14, 17, 21, 18, 13 },
	{ 30, 17, 30, 18, 17 }, { 15, 16, 14, 1, 30 }, { 31, 4, 4, 4, 4 }, { 17, 17, 17, 10, 4 },
	{ 17, 17, 21, 27, 17 }, { 17, 10, 4, 10, 17 }, { 17, 10, 4, 4, 4 }, { 31, 2, 4, 8, 31 },
};

void large_print(FILE *f, const char *text, size_t len)
{
	for (unsigned row = 0; row < ROWS; row++) {
		fputs("   ", f);
		for (size_t i = 0; i < len; i++) {
			const char *at = text[i] == '\0' ? NULL : strchr(order, text[i]);

			if (at == NULL)
				continue;
			fputc(' ', f);
			for (unsigned bit = COLS; bit > 0; bit--)
				fputc(shapes[at - order][row] >> (bit - 1) & 1 ? '#' : ' ', f);
		}
		fputc('\n', f);
	}
}
