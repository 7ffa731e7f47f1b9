/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_seg.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "store_lmdb.h"
#include "store_page.h"

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct store_seg_item *)a)->id,
	              ((const struct store_seg_item *)b)->id, STORE_ID);
}

static void sift(struct store_seg_item *items, size_t at, size_t n)
{
	struct store_seg_item item = items[at];
	size_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && by_id(&items[child], &items[child + 1]) < 0)
			child++;
		if (by_id(&item, &items[child]) >= 0)
			break;
		items[at] = items[child];
		at = child;
	}
	items[at] = item;
}

/* A heap in place: qsort() works in memory of its own, and leaves ids there. */
void store_seg_sort(struct store_seg_item *items, size_t n)
{
	size_t i;

	for (i = n / 2; i > 0; i--)
		sift(items, i - 1, n);
	for (i = n; i > 1; i--) {
		struct store_seg_item last = items[i - 1];

		items[i - 1] = items[0];
		items[0] = last;
		sift(items, 0, i - 1);
	}
}

void store_seg_digest(const struct store_seg_item *items, size_t n, uint8_t digest[STORE_ID])
{
	crypto_generichash_state h;
	size_t i;

	crypto_generichash_init(&h, NULL, 0, STORE_ID);
	for (i = 0; i < n; i++)
		crypto_generichash_update(&h, items[i].id, STORE_ID);
	crypto_generichash_final(&h, digest, STORE_ID);
}

uint64_t store_seg_bytes(uint64_t n)
{
	/* One page a cell; 81 entries of 50 bytes fill a leaf, 101 of 40 or so a branch. */
	return (n + n / 64 + 64) * STORE_PAGE;
}

enum perr store_seg_build(const char *path, const struct store_seg_item *items, size_t n,
                          enum perr (*fetch)(void *arg, const struct store_seg_item *item,
                                             const uint8_t **cell),
                          void *arg)
{
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_dbi dbi;
	MDB_val key, val;
	enum perr err;
	size_t i;
	int rc;

	err = store_lmdb_open(&env, path, store_seg_bytes(n), STORE_LMDB_NEW);
	if (err != PERR_OK)
		goto out;
	rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &dbi);
	for (i = 0; rc == 0 && i < n; i++) {
		const uint8_t *cell;

		err = fetch(arg, &items[i], &cell);
		if (err != PERR_OK)
			goto out;
		key.mv_data = (void *)(uintptr_t)items[i].id;
		key.mv_size = STORE_ID;
		val.mv_data = (void *)(uintptr_t)cell;
		val.mv_size = STORE_CELL;
		rc = mdb_put(txn, dbi, &key, &val, MDB_APPEND);
	}
	if (rc == 0) {
		rc = mdb_txn_commit(txn);
		txn = NULL;
	}
	if (rc == 0)
		rc = mdb_env_sync(env, 1);
	err = store_lmdb_err(rc);
out:
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (env != NULL)
		mdb_env_close(env);
	return err;
}

struct leaf {
	uint32_t page;          /* 2^32 pages are 16 TiB */
	uint32_t first;         /* position of its first entry */
};

struct store_seg {
	struct store_pages ps;
	struct leaf *leaves;
	uint32_t n_leaves, max_leaves, count;
	uint8_t digest[STORE_ID];
	/* By position: the checksum of a cell whose hash was right, 0: not read yet.  NULL if
	 * there was no memory for it. */
	_Atomic uint64_t *sums;
	uint8_t sum_key[crypto_shorthash_KEYBYTES];
};

struct opening {
	struct store_seg *seg;
	crypto_generichash_state hash;
	enum perr (*each)(void *arg, uint32_t pos, const uint8_t *id);
	void *arg;
};

static enum perr open_leaf(void *arg, uint64_t pgno, const uint8_t *page, uint32_t n)
{
	struct opening *o = arg;
	struct store_seg *seg = o->seg;
	uint32_t i;

	if (pgno > UINT32_MAX || seg->count + n < n)
		return PERR_CORRUPT;
	if (seg->n_leaves == seg->max_leaves) {
		uint32_t max = seg->max_leaves == 0 ? 64 : seg->max_leaves * 2;
		struct leaf *leaves = realloc(seg->leaves, max * sizeof *leaves);

		if (leaves == NULL)
			return PERR_NOMEM;
		seg->leaves = leaves;
		seg->max_leaves = max;
	}
	seg->leaves[seg->n_leaves++] = (struct leaf){ (uint32_t)pgno, seg->count };
	for (i = 0; i < n; i++) {
		struct store_node node;
		enum perr err;

		store_pages_node(page, i, &node);
		if (node.key_len != STORE_ID || node.val_len != STORE_CELL || node.val != NULL)
			return PERR_CORRUPT;
		crypto_generichash_update(&o->hash, node.key, STORE_ID);
		err = o->each != NULL ? o->each(o->arg, seg->count, node.key) : PERR_OK;
		if (err != PERR_OK)
			return err;
		seg->count++;
	}
	return PERR_OK;
}

enum perr store_seg_open(struct store_seg **out, int dfd, const char *name,
                         enum perr (*each)(void *arg, uint32_t pos, const uint8_t *id),
                         void *arg)
{
	struct opening o = { .each = each, .arg = arg };
	struct store_seg *seg = calloc(1, sizeof *seg);
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (seg == NULL)
		return PERR_NOMEM;
	seg->ps.fd = openat(dfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (seg->ps.fd < 0) {
		err = errno == ENOENT ? PERR_NOTFOUND :
		      errno == EMFILE || errno == ENFILE ? PERR_NOMEM : PERR_IO;
		goto out;
	}
	o.seg = seg;
	crypto_generichash_init(&o.hash, NULL, 0, STORE_ID);
	err = store_pages_open(&seg->ps, seg->ps.fd);
	if (err == PERR_OK)
		err = store_pages_walk(&seg->ps, &seg->ps.main_tree, 1, open_leaf, &o);
	if (err != PERR_OK)
		goto out;
	crypto_generichash_final(&o.hash, seg->digest, STORE_ID);
	seg->sums = calloc(seg->count + 1u, sizeof *seg->sums);
	crypto_shorthash_keygen(seg->sum_key);
	*out = seg;
	seg = NULL;
out:
	store_seg_close(seg);
	return err;
}

void store_seg_close(struct store_seg *seg)
{
	if (seg == NULL)
		return;
	if (seg->ps.fd >= 0)
		close(seg->ps.fd);
	free(seg->leaves);
	free(seg->sums);
	free(seg);
}

uint32_t store_seg_count(const struct store_seg *seg)
{
	return seg->count;
}

const uint8_t *store_seg_ids_digest(const struct store_seg *seg)
{
	return seg->digest;
}

/* The leaf that holds a position. */
static uint32_t leaf_of(const struct store_seg *seg, uint32_t pos)
{
	uint32_t lo = 0, hi = seg->n_leaves;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (seg->leaves[mid].first <= pos)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t leaf_len(const struct store_seg *seg, uint32_t leaf)
{
	return (leaf + 1 < seg->n_leaves ? seg->leaves[leaf + 1].first : seg->count) -
	       seg->leaves[leaf].first;
}

struct want {
	uint8_t id[STORE_ID];
	uint64_t page;
};

/* Look the positions up: where each cell lies and what it must hash to. */
static enum perr look_up(const struct store_seg *seg, const uint32_t *positions, uint32_t n,
                         struct want *want)
{
	uint8_t page[STORE_PAGE];
	uint32_t i, n_nodes = 0, have = UINT32_MAX;

	for (i = 0; i < n; i++) {
		uint32_t leaf = leaf_of(seg, positions[i]);
		struct store_node node;

		if (leaf != have) {
			enum perr err = store_pages_leaf(&seg->ps, seg->leaves[leaf].page, page,
			                                 &n_nodes);

			if (err == PERR_OK && n_nodes != leaf_len(seg, leaf))
				err = PERR_CORRUPT;     /* changed under us */
			if (err != PERR_OK)
				return err;
			have = leaf;
		}
		store_pages_node(page, positions[i] - seg->leaves[leaf].first, &node);
		if (node.key_len != STORE_ID || node.val_len != STORE_CELL || node.val != NULL)
			return PERR_CORRUPT;
		memcpy(want[i].id, node.key, STORE_ID);
		want[i].page = node.page;
	}
	return PERR_OK;
}

/* Read a run of n cells on consecutive pages, headers apart from cells. */
static enum perr read_run(int fd, uint64_t page, uint32_t n, uint8_t (*hdrs)[STORE_PAGE_HDR],
                          uint8_t *cells)
{
	struct iovec iov[2 * STORE_READ_MAX];
	struct iovec *v = iov;
	int n_iov = 2 * (int)n;
	off_t at = (off_t)(page * STORE_PAGE);
	uint32_t i;

	for (i = 0; i < n; i++) {
		iov[2 * i] = (struct iovec){ hdrs[i], STORE_PAGE_HDR };
		iov[2 * i + 1] = (struct iovec){ cells + (size_t)i * STORE_CELL, STORE_CELL };
	}
	while (n_iov > 0) {
		ssize_t got = preadv(fd, v, n_iov, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return PERR_IO;
		if (got == 0)
			return PERR_CORRUPT;
		at += got;
		while (n_iov > 0 && (size_t)got >= v->iov_len) {
			got -= (ssize_t)v->iov_len;
			v++;
			n_iov--;
		}
		if (n_iov > 0) {
			v->iov_base = (uint8_t *)v->iov_base + got;
			v->iov_len -= (size_t)got;
		}
	}
	return PERR_OK;
}

/*
 * Is this still the cell that the id names?  Several readers pull the same segment, and the
 * hash is dearer than all else that is done for a pull.  So what hashed right once is known
 * again by a checksum under a key that never leaves the process: a bit that rots afterwards
 * is noticed as before.
 */
static bool is_whole(const struct store_seg *seg, uint32_t pos, const uint8_t *cell,
                     const uint8_t id[STORE_ID])
{
	uint8_t hash[STORE_ID];
	uint64_t sum = 0;

	if (seg->sums != NULL) {
		crypto_shorthash((uint8_t *)&sum, cell, STORE_CELL, seg->sum_key);
		if (sum != 0 && atomic_load_explicit(&seg->sums[pos], memory_order_relaxed) == sum)
			return true;
	}
	crypto_generichash(hash, STORE_ID, cell, STORE_CELL, NULL, 0);
	if (memcmp(hash, id, STORE_ID) != 0)
		return false;
	if (seg->sums != NULL)
		atomic_store_explicit(&seg->sums[pos], sum, memory_order_relaxed);
	return true;
}

enum perr store_seg_read(const struct store_seg *seg, const uint32_t *positions, uint32_t n,
                         uint8_t *cells)
{
	struct want want[STORE_READ_MAX];
	uint8_t hdrs[STORE_READ_MAX][STORE_PAGE_HDR];
	enum perr err, worst = PERR_OK;
	uint32_t i, j, run;

	if (n > STORE_READ_MAX)
		return PERR_RANGE;
	for (i = 0; i < n; i++)
		if (positions[i] >= seg->count)
			return PERR_RANGE;
	err = look_up(seg, positions, n, want);
	if (err != PERR_OK) {
		memset(cells, 0, (size_t)n * STORE_CELL);
		return err;
	}
	for (i = 0; i < n; i += run) {
		for (run = 1; i + run < n && want[i + run].page == want[i].page + run; run++)
			;
		err = read_run(seg->ps.fd, want[i].page, run, hdrs + i,
		               cells + (size_t)i * STORE_CELL);
		if (err != PERR_OK) {
			/* One bad sector must not hide its neighbours. */
			for (j = i; j < i + run; j++) {
				uint8_t *cell = cells + (size_t)j * STORE_CELL;

				if (read_run(seg->ps.fd, want[j].page, 1, hdrs + j, cell) !=
				    PERR_OK)
					memset(cell, 0, STORE_CELL);
			}
		}
	}
	for (i = 0; i < n; i++) {
		uint8_t *cell = cells + (size_t)i * STORE_CELL;

		if (!is_whole(seg, positions[i], cell, want[i].id) ||
		    !store_pages_is_overflow(hdrs[i], want[i].page, 1)) {
			memset(cell, 0, STORE_CELL);
			worst = PERR_CORRUPT;
		}
	}
	return worst;
}

enum perr store_seg_find(const struct store_seg *seg, const uint8_t id[STORE_ID],
                         uint32_t *pos)
{
	uint32_t lo = 0, hi = seg->n_leaves, n;
	uint8_t page[STORE_PAGE];
	struct store_node node;
	enum perr err;

	/* The last leaf whose first id is not above the wanted one. */
	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		err = store_pages_leaf(&seg->ps, seg->leaves[mid].page, page, &n);
		if (err != PERR_OK)
			return err;
		store_pages_node(page, 0, &node);
		if (node.key_len != STORE_ID)
			return PERR_CORRUPT;
		if (memcmp(node.key, id, STORE_ID) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	if (seg->n_leaves == 0)
		return PERR_NOTFOUND;
	err = store_pages_leaf(&seg->ps, seg->leaves[lo].page, page, &n);
	if (err != PERR_OK)
		return err;
	for (hi = n, n = 0; n < hi; n++) {
		store_pages_node(page, n, &node);
		if (node.key_len == STORE_ID && memcmp(node.key, id, STORE_ID) == 0) {
			*pos = seg->leaves[lo].first + n;
			return PERR_OK;
		}
	}
	return PERR_NOTFOUND;
}
