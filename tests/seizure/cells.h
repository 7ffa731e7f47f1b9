/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * cells of the drill: their bytes follow from $SEIZURE_CELLS and a number, so that whoever
 * searches an image can make them again.  To a server they are cells like any other: random
 * bytes whose E is canonical, with a T that their erase secret fits.
 */
#ifndef AMPARO_SEIZURE_CELLS_H
#define AMPARO_SEIZURE_CELLS_H

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"

/* ds out: 32 bytes, the erase secret; may be NULL */
static inline void drill_cell(uint8_t cell[CELL_SIZE], uint8_t *ds, uint64_t number)
{
	const char *text = getenv("SEIZURE_CELLS");
	uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : 0;
	uint8_t key[32] = { 'c' }, secret[32];

	memcpy(key + 8, &seed, sizeof seed);
	memcpy(key + 16, &number, sizeof number);
	randombytes_buf_deterministic(cell, CELL_SIZE, key);
	key[0] = 'd';
	randombytes_buf_deterministic(secret, sizeof secret, key);
	cell[31] &= 0x7f;
	cell_tag(cell + CELL_TAG_AT, secret);
	if (ds != NULL)
		memcpy(ds, secret, sizeof secret);
}

#endif
