/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "store_page.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC      0xBEEFC0DEu
#define P_BRANCH   0x01u
#define P_LEAF     0x02u
#define P_OVERFLOW 0x04u
#define P_META     0x08u
#define F_BIGDATA  0x01u
#define NODE_HDR   8u
#define KEY_MAX    511u
#define DEPTH_MAX  8
#define VAL_MAX    (64u << 20)

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static enum perr read_page(const struct store_pages *ps, uint64_t pgno,
                           uint8_t page[STORE_PAGE])
{
	size_t got = 0;

	while (got < STORE_PAGE) {
		ssize_t n = pread(ps->fd, page + got, STORE_PAGE - got,
		                  (off_t)(pgno * STORE_PAGE + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return PERR_IO;
		if (n == 0)
			return PERR_CORRUPT;
		got += (size_t)n;
	}
	return PERR_OK;
}

static void get_tree(struct store_tree *t, const uint8_t *p)
{
	t->depth = get16(p + 6);
	t->entries = get64(p + 32);
	t->root = get64(p + 40);
}

enum perr store_pages_open(struct store_pages *ps, int fd)
{
	uint8_t page[2][STORE_PAGE];
	const uint8_t *m;
	struct stat sb;
	enum perr err;
	int i;

	memset(ps, 0, sizeof *ps);
	ps->fd = fd;
	if (fstat(fd, &sb) != 0)
		return PERR_IO;
	ps->size = (uint64_t)sb.st_size;
	for (i = 0; i < 2; i++) {
		err = read_page(ps, (uint64_t)i, page[i]);
		if (err != PERR_OK)
			return err;
		m = page[i] + STORE_PAGE_HDR;
		/* As LMDB does, both must be whole, although only the newer one is used. */
		if (get64(page[i]) != (uint64_t)i || get16(page[i] + 10) != P_META ||
		    get32(m) != MAGIC || get32(m + 4) != 1)
			return PERR_CORRUPT;
		if (get32(m + 24) != STORE_PAGE)
			return PERR_UNKNOWN;
	}
	m = page[get64(page[0] + 144) < get64(page[1] + 144)] + STORE_PAGE_HDR;
	get_tree(&ps->free_tree, m + 24);
	get_tree(&ps->main_tree, m + 72);
	ps->last_page = get64(m + 120);
	ps->txnid = get64(m + 128);
	if (ps->last_page < 1 || ps->last_page >= ps->size / STORE_PAGE)
		return PERR_CORRUPT;
	return PERR_OK;
}

/* Flags, bounds and every pointer of a branch or leaf page. */
static enum perr check_page(const struct store_pages *ps, uint64_t pgno, const uint8_t *page,
                            uint32_t type, uint32_t *n)
{
	uint32_t lower = get16(page + 12), upper = get16(page + 14), i;

	if (get64(page) != pgno || get16(page + 10) != type || lower < STORE_PAGE_HDR ||
	    lower % 2 != 0 || upper < lower || upper > STORE_PAGE)
		return PERR_CORRUPT;
	*n = (lower - STORE_PAGE_HDR) / 2;
	if (*n == 0)
		return PERR_CORRUPT;
	for (i = 0; i < *n; i++) {
		uint32_t at = get16(page + STORE_PAGE_HDR + 2 * i), key_len, len;
		const uint8_t *node = page + at;
		uint64_t to;

		if (at < upper || at % 2 != 0 || at > STORE_PAGE - NODE_HDR)
			return PERR_CORRUPT;
		key_len = get16(node + 6);
		if (key_len > KEY_MAX || at + NODE_HDR + key_len > STORE_PAGE)
			return PERR_CORRUPT;
		if (type == P_BRANCH) {
			to = get32(node) | (uint64_t)get16(node + 4) << 32;
			if (to < 2 || to > ps->last_page)
				return PERR_CORRUPT;
			continue;
		}
		len = get32(node);
		if (get16(node + 4) == F_BIGDATA) {
			if (len > VAL_MAX || at + NODE_HDR + key_len + 8 > STORE_PAGE)
				return PERR_CORRUPT;
			to = get64(node + NODE_HDR + key_len);
			if (to < 2 || to > ps->last_page ||
			    (len + STORE_PAGE_HDR - 1) / STORE_PAGE > ps->last_page - to)
				return PERR_CORRUPT;
		} else if (get16(node + 4) != 0 || len > STORE_PAGE ||
		           at + NODE_HDR + key_len + len > STORE_PAGE) {
			return PERR_CORRUPT;    /* sub-databases and duplicates are not used */
		}
	}
	return PERR_OK;
}

enum perr store_pages_leaf(const struct store_pages *ps, uint64_t pgno,
                           uint8_t page[STORE_PAGE], uint32_t *n)
{
	enum perr err;

	if (pgno < 2 || pgno > ps->last_page)
		return PERR_CORRUPT;
	err = read_page(ps, pgno, page);
	if (err == PERR_OK)
		err = check_page(ps, pgno, page, P_LEAF, n);
	return err;
}

void store_pages_node(const uint8_t page[STORE_PAGE], uint32_t i, struct store_node *out)
{
	const uint8_t *node = page + get16(page + STORE_PAGE_HDR + 2 * i);

	out->key = node + NODE_HDR;
	out->key_len = get16(node + 6);
	out->val_len = get32(node);
	if (get16(node + 4) == F_BIGDATA) {
		out->val = NULL;
		out->page = get64(out->key + out->key_len);
	} else {
		out->val = out->key + out->key_len;
		out->page = 0;
	}
}

int store_pages_is_overflow(const uint8_t hdr[STORE_PAGE_HDR], uint64_t pgno, uint32_t n)
{
	return get64(hdr) == pgno && get16(hdr + 10) == P_OVERFLOW && get32(hdr + 12) == n;
}

static enum perr walk(const struct store_pages *ps, const struct store_tree *tree, int is_sorted,
                      enum perr (*leaf)(void *arg, uint64_t pgno, const uint8_t *page,
                                        uint32_t n),
                      void *arg, uint8_t pages[DEPTH_MAX][STORE_PAGE], uint8_t last_key[KEY_MAX])
{
	uint32_t at[DEPTH_MAX] = { 0 }, n[DEPTH_MAX] = { 0 }, i;
	uint64_t pgno = tree->root, visited = 0, entries = 0;
	size_t last_len = 0;
	int level = 0, depth = tree->depth;
	enum perr err;

	if (tree->root == UINT64_MAX)
		return tree->entries == 0 && depth == 0 ? PERR_OK : PERR_CORRUPT;
	if (depth < 1 || depth > DEPTH_MAX)
		return PERR_CORRUPT;
	while (level >= 0) {
		if (at[level] == 0) {
			/* A page that names itself or a neighbour would be walked for ever. */
			if (pgno < 2 || pgno > ps->last_page || ++visited > ps->last_page)
				return PERR_CORRUPT;
			err = read_page(ps, pgno, pages[level]);
			if (err == PERR_OK)
				err = check_page(ps, pgno, pages[level],
				                 level == depth - 1 ? P_LEAF : P_BRANCH,
				                 &n[level]);
			if (err != PERR_OK)
				return err;
		}
		if (level == depth - 1) {
			for (i = 0; is_sorted && i < n[level]; i++) {
				struct store_node node;
				size_t min;
				int cmp;

				store_pages_node(pages[level], i, &node);
				min = node.key_len < last_len ? node.key_len : last_len;
				cmp = memcmp(last_key, node.key, min);
				if (entries + i > 0 &&
				    (cmp > 0 || (cmp == 0 && last_len >= node.key_len)))
					return PERR_CORRUPT;
				memcpy(last_key, node.key, node.key_len);
				last_len = node.key_len;
			}
			entries += n[level];
			err = leaf != NULL ? leaf(arg, pgno, pages[level], n[level]) : PERR_OK;
			if (err != PERR_OK)
				return err;
			at[level] = n[level];
		}
		if (at[level] < n[level]) {
			const uint8_t *node = pages[level] +
			    get16(pages[level] + STORE_PAGE_HDR + 2 * at[level]);

			pgno = get32(node) | (uint64_t)get16(node + 4) << 32;
			at[level]++;
			level++;
			at[level] = 0;
		} else {
			level--;
		}
	}
	return entries == tree->entries ? PERR_OK : PERR_CORRUPT;
}

enum perr store_pages_walk(const struct store_pages *ps, const struct store_tree *tree,
                           int is_sorted,
                           enum perr (*leaf)(void *arg, uint64_t pgno, const uint8_t *page,
                                             uint32_t n),
                           void *arg)
{
	uint8_t pages[DEPTH_MAX][STORE_PAGE], last_key[KEY_MAX];
	enum perr err = walk(ps, tree, is_sorted, leaf, arg, pages, last_key);

	/* A stack is not overwritten by itself; ids in order of arrival stand here. */
	sodium_memzero(pages, sizeof pages);
	sodium_memzero(last_key, sizeof last_key);
	return err;
}

static enum perr check_leaf(void *arg, uint64_t pgno, const uint8_t *page, uint32_t n)
{
	const struct store_pages *ps = arg;
	struct store_node node;
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint8_t hdr[STORE_PAGE_HDR];
		ssize_t got;

		store_pages_node(page, i, &node);
		if (node.val != NULL)
			continue;
		got = pread(ps->fd, hdr, sizeof hdr, (off_t)(node.page * STORE_PAGE));
		if (got < 0)
			return PERR_IO;
		if (got != sizeof hdr ||
		    !store_pages_is_overflow(hdr, node.page,
		                             (node.val_len + STORE_PAGE_HDR - 1) / STORE_PAGE + 1))
			return PERR_CORRUPT;
	}
	return PERR_OK;
}

enum perr store_pages_check(int fd, int with_overflow)
{
	struct store_pages ps;
	enum perr err = store_pages_open(&ps, fd);

	if (err == PERR_OK)
		err = store_pages_walk(&ps, &ps.main_tree, 1,
		                       with_overflow ? check_leaf : NULL, &ps);
	if (err == PERR_OK)     /* its keys are native integers */
		err = store_pages_walk(&ps, &ps.free_tree, 0, check_leaf, &ps);
	return err;
}
