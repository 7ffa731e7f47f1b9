/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "kv.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* The length stands before the bytes, so that kv_free knows what to wipe; the
 * union keeps the bytes aligned as malloc would. */
union block {
	size_t len;
	max_align_t align;
};

uint8_t *kv_alloc(size_t len)
{
	union block *b;

	if (len > SIZE_MAX - sizeof *b - 1)
		return NULL;
	b = malloc(sizeof *b + len + 1);
	if (b == NULL)
		return NULL;
	b->len = len;
	((uint8_t *)(b + 1))[len] = 0;
	return (uint8_t *)(b + 1);
}

void kv_free(uint8_t *value)
{
	union block *b;

	if (value == NULL)
		return;
	b = (union block *)(void *)value - 1;
	sodium_memzero(value, b->len);
	free(b);
}

size_t kv_len(const uint8_t *value)
{
	return ((const union block *)(const void *)value - 1)->len;
}

void kv_cut(uint8_t *value, size_t len)
{
	union block *b = (union block *)(void *)value - 1;

	sodium_memzero(value + len, b->len - len);
	b->len = len;
}

bool kv_name_ok(const char *name)
{
	size_t i;

	if (name == NULL || name[0] == '.' || name[0] == 0)
		return false;
	for (i = 0; name[i] != 0; i++)
		if (i == KV_NAME_MAX || name[i] <= 0x20 || name[i] >= 0x7f)
			return false;
	return true;
}
