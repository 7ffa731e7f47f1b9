/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A vault's backup.  The input is what stands inside the seal, as somebody who knows the
 * passphrase could make it.  What is read restores into a store, and has an owner or is refused.
 */
#include "backup.h"
#include "fuzz_docs.h"
#include "kv_mem.h"

#define SIZE (2u * PIECES_SIZE)

static uint8_t file[SIZE];
static size_t at;

static enum perr keep(void *arg, const uint8_t piece[PIECES_SIZE])
{
	(void)arg;
	if (at + PIECES_SIZE > SIZE)
		abort();
	memcpy(file + at, piece, PIECES_SIZE);
	at += PIECES_SIZE;
	return PERR_OK;
}

static enum perr give(void *arg, uint32_t i, uint8_t piece[PIECES_SIZE])
{
	(void)arg;
	if (i > 1)
		abort();
	memcpy(piece, file + (size_t)i * PIECES_SIZE, PIECES_SIZE);
	return PERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pieces_writer w;
	const struct vault_key key = { { 7 } };
	const uint8_t salt[PIECES_SALT_SIZE] = { 3 };
	struct backup_sum sum;
	struct backup *b;
	struct kv *kv;
	uint8_t *me;
	enum perr err;

	if (size > SIZE - 64)
		size = SIZE - 64;
	at = 0;
	pieces_begin(&w, key.b, "amparo/1 backup", salt, 2, keep, NULL);
	if (pieces_add(&w, data, size) != PERR_OK || pieces_end(&w) != PERR_OK)
		abort();
	if (backup_open_key(&b, &key, SIZE, give, NULL, &sum) != PERR_OK)
		return 0;
	kv = kv_mem_new();
	if (kv == NULL)
		abort();
	err = backup_restore(b, kv, 20100);
	if (err == PERR_OK) {
		if (kv_get(kv, "me", &me, NULL) != PERR_OK)
			abort();
		kv_free(me);
	}
	backup_close(b);
	kv_mem_free(kv);
	return 0;
}
