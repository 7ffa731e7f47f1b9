/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "vault_page.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC      0xBEEFC0DEu
#define HDR        16u           /* of a page: number, pad, flags, lower, upper */
#define NODE       8u            /* of an entry: size, flags, key size */
#define DB_SIZE    48u           /* pad, flags, depth, three counts, entries, root */
#define P_BRANCH   0x01u
#define P_LEAF     0x02u
#define P_OVERFLOW 0x04u
#define P_META     0x08u
#define F_BIGDATA  0x01u
#define F_SUBDATA  0x02u
#define DB_INTEGERKEY 0x08u
#define ENV_NOSUBDIR  0x4000u    /* kept beside it in a meta page; another one moves the map */
#define KEY_MAX    511u
#define DEPTH_MAX  20
#define PAGE_MIN   4096u
#define PAGE_MAX   32768u
#define NONE       UINT64_MAX
#define UNWRITTEN_MAX (UINT64_C(16) << 30)   /* bytes: four of the largest batches */

enum kind { TREE_FREE, TREE_MAIN, TREE_RECORDS };

struct look {
	int fd;
	uint32_t psize;
	uint64_t last_page, file_pages;
	uint8_t *used;                   /* a bit for each page that something names */
	uint8_t *sub[2];                 /* entries of "n" and "v" in the main tree, copied */
};

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

static enum perr read_at(const struct look *l, uint64_t at, uint8_t *out, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(l->fd, out + got, len - got, (off_t)(at + got));

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

/* these pages belong to one place; false: to another one already, or outside */
static bool claim(struct look *l, uint64_t pgno, uint64_t n)
{
	if (pgno < 2 || n == 0 || pgno > l->last_page || n > l->last_page - pgno + 1)
		return false;
	for (; n > 0; n--, pgno++) {
		uint8_t bit = (uint8_t)(1u << pgno % 8);

		if ((l->used[pgno / 8] & bit) != 0)
			return false;
		l->used[pgno / 8] |= bit;
	}
	return true;
}

/* ---- one page -------------------------------------------------------------------------- */

struct node {
	const uint8_t *key, *val;
	uint32_t key_len, val_len, flags;
	uint64_t page;                   /* child, or first overflow page */
};

static void node_at(const uint8_t *page, uint32_t i, bool is_leaf, struct node *out)
{
	const uint8_t *p = page + get16(page + HDR + 2 * i);

	out->key = p + NODE;
	out->key_len = get16(p + 6);
	out->flags = is_leaf ? get16(p + 4) : 0;
	out->val_len = is_leaf ? get32(p) : 0;
	out->val = p + NODE + out->key_len;
	out->page = !is_leaf ? get32(p) | (uint64_t)get16(p + 4) << 32
	    : (out->flags & F_BIGDATA) != 0 ? get64(out->val) : 0;
}

/* flags, bounds, and that entries fill exactly the room between upper and the end, once */
static bool page_is_whole(const struct look *l, uint64_t pgno, const uint8_t *page, bool is_leaf,
                          uint32_t *n)
{
	uint32_t lower = get16(page + 12), upper = get16(page + 14), sum = 0;
	uint8_t taken[PAGE_MAX / 16] = { 0 };

	if (get64(page) != pgno || get16(page + 10) != (is_leaf ? P_LEAF : P_BRANCH) ||
	    lower < HDR || lower % 2 != 0 || upper < lower || upper > l->psize)
		return false;
	*n = (lower - HDR) / 2;
	if (*n < (is_leaf ? 1u : 2u))
		return false;
	for (uint32_t i = 0; i < *n; i++) {
		uint32_t at = get16(page + HDR + 2 * i), size;
		struct node e;

		if (at < upper || at % 2 != 0 || at > l->psize - NODE)
			return false;
		if (get16(page + at + 6) > KEY_MAX ||
		    at + NODE + get16(page + at + 6) > l->psize)
			return false;
		size = NODE + get16(page + at + 6);
		if (is_leaf) {
			uint32_t flags = get16(page + at + 4), len = get32(page + at);

			if ((flags & ~(F_BIGDATA | F_SUBDATA)) != 0 ||
			    flags == (F_BIGDATA | F_SUBDATA))
				return false;
			if ((flags & F_BIGDATA) == 0 && len > l->psize)
				return false;
			size += (flags & F_BIGDATA) != 0 ? 8 : len;
		}
		size += size % 2;
		if (at + size > l->psize)
			return false;
		for (uint32_t k = at / 2; k < (at + size) / 2; k++) {
			if ((taken[k / 8] >> k % 8 & 1) != 0)
				return false;
			taken[k / 8] |= (uint8_t)(1u << k % 8);
		}
		sum += size;
		node_at(page, i, is_leaf, &e);
		if (e.key_len == 0 && (is_leaf || i > 0))
			return false;
	}
	return sum == l->psize - upper;
}

/* ---- one tree -------------------------------------------------------------------------- */

/* the last key met, and the key that stands above what comes next */
struct order {
	uint8_t last[KEY_MAX], above[KEY_MAX];
	size_t last_len, above_len;
	bool has_last, has_above;
};

static int compare(enum kind kind, const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t min = a_len < b_len ? a_len : b_len;
	int c;

	if (kind == TREE_FREE && a_len == 8 && b_len == 8)
		return get64(a) < get64(b) ? -1 : get64(a) > get64(b);
	c = memcmp(a, b, min);
	return c != 0 ? c : a_len < b_len ? -1 : a_len > b_len;
}

static bool comes_next(struct order *o, enum kind kind, const struct node *e)
{
	if (kind == TREE_FREE && e->key_len != 8)
		return false;
	if (o->has_last && compare(kind, o->last, o->last_len, e->key, e->key_len) >= 0)
		return false;
	if (o->has_above && compare(kind, o->above, o->above_len, e->key, e->key_len) > 0)
		return false;
	memcpy(o->last, e->key, e->key_len);
	o->last_len = e->key_len;
	o->has_last = true;
	o->has_above = false;
	return true;
}

/* a key of a branch: above what follows, and above everything before */
static bool stands_above(struct order *o, enum kind kind, const struct node *e, uint32_t i)
{
	if (i == 0)
		return true;             /* the first of a branch has no key that counts */
	if (o->has_last && compare(kind, o->last, o->last_len, e->key, e->key_len) >= 0)
		return false;
	memcpy(o->above, e->key, e->key_len);
	o->above_len = e->key_len;
	o->has_above = true;
	return true;
}

static enum perr free_pages(struct look *l, const uint8_t *list, uint64_t len)
{
	uint64_t n = get64(list);

	if (len < 8 || len % 8 != 0 || n > len / 8 - 1)
		return PERR_CORRUPT;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t pgno = get64(list + 8 * (i + 1));

		/* falling, as LMDB searches them */
		if ((i > 0 && pgno >= get64(list + 8 * i)) || !claim(l, pgno, 1))
			return PERR_CORRUPT;
	}
	return PERR_OK;
}

/* an entry of a leaf; overflow counts the pages it takes outside */
static enum perr leaf_entry(struct look *l, enum kind kind, const struct node *e,
                            uint64_t *overflow)
{
	uint8_t hdr[HDR], *list;
	uint64_t pages;
	enum perr err;

	if (kind == TREE_MAIN) {
		if (e->key_len != 1)     /* the header; its hash tells */
			return e->flags == 0 ? PERR_OK : PERR_CORRUPT;
		if (e->flags != F_SUBDATA || e->val_len != DB_SIZE ||
		    (e->key[0] != 'n' && e->key[0] != 'v'))
			return PERR_CORRUPT;
		list = l->sub[e->key[0] == 'v'];
		memcpy(list, e->val, DB_SIZE);
		return PERR_OK;
	}
	if (e->flags == F_SUBDATA)
		return PERR_CORRUPT;
	if (e->flags == 0)
		return kind == TREE_FREE ? (e->val_len < 8 ? PERR_CORRUPT
		                            : free_pages(l, e->val, e->val_len)) : PERR_OK;
	pages = ((uint64_t)HDR - 1 + e->val_len) / l->psize + 1;
	if (!claim(l, e->page, pages))
		return PERR_CORRUPT;
	*overflow += pages;
	err = read_at(l, e->page * l->psize, hdr, sizeof hdr);
	if (err != PERR_OK)
		return err;
	if (get64(hdr) != e->page || get16(hdr + 10) != P_OVERFLOW || get32(hdr + 12) != pages)
		return PERR_CORRUPT;
	if (kind != TREE_FREE)
		return PERR_OK;
	if (e->val_len < 8)
		return PERR_CORRUPT;
	list = malloc(e->val_len);
	if (list == NULL)
		return PERR_NOMEM;
	err = read_at(l, e->page * l->psize + HDR, list, e->val_len);
	if (err == PERR_OK)
		err = free_pages(l, list, e->val_len);
	free(list);
	return err;
}

struct level {
	uint8_t *page;
	uint32_t at, n;
};

struct walk {
	struct level level[DEPTH_MAX];
	struct order order;
	uint64_t branches, leaves, overflow, entries;
};

static enum perr enter_page(struct look *l, struct walk *w, int at, uint64_t pgno, bool is_leaf)
{
	struct level *v = &w->level[at];
	enum perr err;

	if (!claim(l, pgno, 1))
		return PERR_CORRUPT;
	if (v->page == NULL)
		v->page = malloc(l->psize);
	if (v->page == NULL)
		return PERR_NOMEM;
	err = read_at(l, pgno * l->psize, v->page, l->psize);
	if (err == PERR_OK && !page_is_whole(l, pgno, v->page, is_leaf, &v->n))
		err = PERR_CORRUPT;
	v->at = 0;
	*(is_leaf ? &w->leaves : &w->branches) += 1;
	return err;
}

static enum perr whole_leaf(struct look *l, struct walk *w, enum kind kind, struct level *v)
{
	enum perr err = PERR_OK;

	for (; v->at < v->n && err == PERR_OK; v->at++) {
		struct node e;

		node_at(v->page, v->at, true, &e);
		err = comes_next(&w->order, kind, &e) ? leaf_entry(l, kind, &e, &w->overflow)
		                                      : PERR_CORRUPT;
		w->entries++;
	}
	return err;
}

/* db: its description, 48 bytes, from a meta page or the main tree */
static enum perr tree(struct look *l, enum kind kind, const uint8_t *db)
{
	int depth = get16(db + 6), at = 0;
	uint64_t root = get64(db + 40);
	struct walk *w;
	enum perr err;

	if (kind != TREE_FREE && get16(db + 4) != 0)
		return PERR_CORRUPT;
	if (root == NONE)
		return depth == 0 && get64(db + 32) == 0 ? PERR_OK : PERR_CORRUPT;
	if (depth < 1 || depth > DEPTH_MAX)
		return PERR_CORRUPT;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return PERR_NOMEM;
	err = enter_page(l, w, 0, root, depth == 1);
	while (err == PERR_OK && at >= 0) {
		struct level *v = &w->level[at];
		struct node e;

		if (at == depth - 1) {   /* a leaf's entries lead nowhere, whatever was found */
			err = whole_leaf(l, w, kind, v);
			at--;
			continue;
		}
		if (v->at >= v->n) {
			at--;
			continue;
		}
		node_at(v->page, v->at, false, &e);
		if (!stands_above(&w->order, kind, &e, v->at)) {
			err = PERR_CORRUPT;
			break;
		}
		v->at++;
		at++;
		err = enter_page(l, w, at, e.page, at == depth - 1);
	}
	if (err == PERR_OK && (w->branches != get64(db + 8) || w->leaves != get64(db + 16) ||
	                       w->overflow != get64(db + 24) || w->entries != get64(db + 32)))
		err = PERR_CORRUPT;
	for (int i = 0; i < DEPTH_MAX; i++)
		free(w->level[i].page);
	free(w);
	return err;
}

/* ---- the file -------------------------------------------------------------------------- */

/* both meta pages, of which LMDB takes the one with the higher number; out: its data */
static enum perr meta(struct look *l, uint8_t out[136])
{
	uint8_t head[2][HDR + 136];
	struct stat st;
	int newer;
	enum perr err;

	if (fstat(l->fd, &st) != 0)
		return PERR_IO;
	err = read_at(l, 0, head[0], sizeof head[0]);
	if (err != PERR_OK)
		return err;
	l->psize = get32(head[0] + HDR + 24);
	if (l->psize < PAGE_MIN || l->psize > PAGE_MAX || (l->psize & (l->psize - 1)) != 0)
		return PERR_CORRUPT;
	err = read_at(l, l->psize, head[1], sizeof head[1]);
	if (err != PERR_OK)
		return err;
	for (int i = 0; i < 2; i++)
		if (get64(head[i]) != (uint64_t)i || get16(head[i] + 10) != P_META ||
		    get32(head[i] + HDR) != MAGIC || get32(head[i] + HDR + 4) != 1 ||
		    get32(head[i] + HDR + 24) != l->psize ||
		    (get16(head[i] + HDR + 24 + 4) & ~ENV_NOSUBDIR) != DB_INTEGERKEY)
			return PERR_CORRUPT;
	newer = get64(head[0] + HDR + 128) < get64(head[1] + HDR + 128);
	memcpy(out, head[newer] + HDR, 136);
	l->last_page = get64(out + 120);
	l->file_pages = (uint64_t)st.st_size / l->psize;
	/*
	 * The last pages that a batch took and gave back were perhaps never written: the file
	 * may be shorter than its number of pages.  A page that is alive out there cannot be
	 * read, and is noticed by that.
	 */
	return l->last_page < 1 || l->last_page >= l->file_pages + UNWRITTEN_MAX / l->psize
	    ? PERR_CORRUPT : PERR_OK;
}

static bool is_big_endian(void)
{
	const uint16_t one = 1;
	uint8_t first;

	memcpy(&first, &one, 1);
	return first == 0;
}

enum perr vault_page_check(int fd)
{
	uint8_t m[136], sub[2][DB_SIZE] = { { 0 }, { 0 } };
	struct look l = { .fd = fd, .sub = { sub[0], sub[1] } };
	enum perr err;

	/* the layout is that of 64-bit words; elsewhere LMDB is on its own */
	if (sizeof(size_t) != 8 || is_big_endian())
		return PERR_OK;
	err = meta(&l, m);
	if (err != PERR_OK)
		return err;
	l.used = calloc(l.last_page / 8 + 1, 1);
	if (l.used == NULL)
		return PERR_NOMEM;
	err = tree(&l, TREE_MAIN, m + 72);
	for (int i = 0; i < 2 && err == PERR_OK; i++)
		err = tree(&l, TREE_RECORDS, sub[i]);
	/* last: a free page that is alive is then noticed */
	if (err == PERR_OK)
		err = tree(&l, TREE_FREE, m + 24);
	free(l.used);
	return err;
}
