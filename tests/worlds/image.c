/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "image.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "must.h"

#define PAGE 4096u
#define HEAD 16u
#define CELL 4080u
/* page flags of LMDB 0.9 */
#define P_BRANCH   0x01u
#define P_LEAF     0x02u
#define P_OVERFLOW 0x04u
#define P_META     0x08u
#define F_BIG      0x01u
#define META_MAGIC 0xBEEFC0DEu
#define KEY_MAX    (IMAGE_ID + 8)        /* arrival number ‖ id, in the pool */

/* ---- reading ---- */

static void read_file(struct image *im, int dfd, const char *folder, const char *name)
{
	struct image_file *f = &im->v[im->n++];
	int fd = openat(dfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat sb;
	ssize_t got;

	if (im->n == IMAGE_FILES || fd < 0 || fstat(fd, &sb) != 0)
		must_fail("%s%s cannot be read", folder, name);
	snprintf(f->name, sizeof f->name, "%s%s", folder, name);
	f->len = (size_t)sb.st_size;
	f->blocks = (uint64_t)sb.st_blocks;
	f->mode = sb.st_mode;
	f->bytes = must_alloc(f->len, 1);
	got = f->len == 0 ? 0 : pread(fd, f->bytes, f->len, 0);
	if (got != (ssize_t)f->len)
		must_fail("%s%s cannot be read", folder, name);
	close(fd);
}

static void read_folder(struct image *im, int dfd, const char *folder)
{
	DIR *d = fdopendir(dfd);
	const struct dirent *de;
	struct stat sb;
	char below[64];

	if (d == NULL)
		must_fail("the folder cannot be read");
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (fstatat(dfd, de->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
			must_fail("the folder changes while it is read");
		if (S_ISDIR(sb.st_mode)) {
			snprintf(below, sizeof below, "%.40s%.20s/", folder, de->d_name);
			read_folder(im, openat(dfd, de->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			            below);
		} else {
			read_file(im, dfd, folder, de->d_name);
		}
	}
	closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct image_file *)a)->name, ((const struct image_file *)b)->name);
}

void image_read(struct image *im, const char *dir)
{
	im->v = must_alloc(IMAGE_FILES, sizeof *im->v);
	im->n = 0;
	read_folder(im, open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "");
	qsort(im->v, im->n, sizeof *im->v, by_name);
}

void image_free(struct image *im)
{
	size_t i;

	for (i = 0; i < im->n; i++)
		free(im->v[i].bytes);
	free(im->v);
	memset(im, 0, sizeof *im);
}

const struct image_file *image_find(const struct image *im, const char *name)
{
	size_t i;

	for (i = 0; i < im->n; i++)
		if (strcmp(im->v[i].name, name) == 0)
			return &im->v[i];
	return NULL;
}

/* ---- arrivals ---- */

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, IMAGE_ID);
}

void image_arrived(struct image_arrivals *a, const uint8_t id[IMAGE_ID])
{
	if (a->n == a->room) {
		a->room = a->room == 0 ? 512 : 2 * a->room;
		a->v = realloc(a->v, a->room * sizeof *a->v);
		if (a->v == NULL)
			must_fail("out of memory");
	}
	memcpy(a->v[a->n].id, id, IMAGE_ID);
	a->v[a->n].nth = (uint32_t)a->n;
	a->n++;
	a->is_sorted = 0;
}

int image_nth(struct image_arrivals *a, const uint8_t id[IMAGE_ID], uint32_t *nth)
{
	const struct image_arrival *found;

	/* by id alone: the number of each stands beside it */
	if (!a->is_sorted && a->n > 0)
		qsort(a->v, a->n, sizeof *a->v, by_id);
	a->is_sorted = 1;
	found = a->n == 0 ? NULL : bsearch(id, a->v, a->n, sizeof *a->v, by_id);
	if (found != NULL)
		*nth = found->nth;
	return found != NULL;
}

void image_arrivals_free(struct image_arrivals *a)
{
	free(a->v);
	memset(a, 0, sizeof *a);
}

/* ---- pages ---- */

static uint32_t le16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

struct node {
	const uint8_t *key;
	uint32_t key_len, len, flags;
	uint64_t page;          /* of a large value or a child */
};

static int node_at(const uint8_t *page, uint32_t i, struct node *n)
{
	uint32_t at = le16(page + HEAD + 2 * i);
	const uint8_t *p = page + at;

	if (at < HEAD || at + 8 > PAGE)
		return 0;
	n->len = le16(p) | le16(p + 2) << 16;
	n->flags = le16(p + 4);
	n->key_len = le16(p + 6);
	n->key = p + 8;
	n->page = 0;
	if (at + 8 + n->key_len > PAGE)
		return 0;
	if ((n->flags & F_BIG) != 0) {
		if (at + 8 + n->key_len + 8 > PAGE)
			return 0;
		n->page = le64(n->key + n->key_len);
	}
	return 1;
}

static uint32_t n_nodes(const uint8_t *page)
{
	uint32_t lower = le16(page + 12);

	return lower < HEAD || lower > PAGE ? 0 : (lower - HEAD) / 2;
}

enum kind { META, BRANCH, LEAF, OVERFLOW, ZERO, OTHER, KINDS };
static const char *const kind_names[KINDS] = {
	"meta", "branch", "leaf", "overflow", "zero", "other"
};

static enum kind kind_of(const uint8_t *page, uint64_t pgno)
{
	if (page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0)
		return ZERO;
	if (le64(page) != pgno)
		return OTHER;
	switch (le16(page + 10)) {
	case P_META:     return META;
	case P_BRANCH:   return BRANCH;
	case P_LEAF:     return LEAF;
	case P_OVERFLOW: return OVERFLOW;
	default:         return OTHER;
	}
}

struct walk {
	uint64_t n[KINDS], n_pages, overflow_runs;
	uint64_t fill[2], slack_used, nodes[2];         /* branch, leaf */
	uint64_t free_entries, free_pages;
	uint64_t heads[HEAD];
	crypto_generichash_state h;                     /* kinds and headers, in page order */
	/* cells, by page */
	struct cell {
		uint8_t key[KEY_MAX], id[IMAGE_ID];
		uint64_t page;
		uint32_t nth_key;
	} *cells;
	size_t n_cells, room;
};

static void take_cell(struct walk *w, const struct node *n)
{
	struct cell *c;

	/* id → cell in a segment, arrival number ‖ id → cell in the pool */
	if (n->len != CELL || n->page == 0 || n->key_len < IMAGE_ID || n->key_len > KEY_MAX)
		return;
	if (w->n_cells == w->room) {
		w->room = w->room == 0 ? 256 : 2 * w->room;
		w->cells = realloc(w->cells, w->room * sizeof *w->cells);
		if (w->cells == NULL)
			must_fail("out of memory");
	}
	c = &w->cells[w->n_cells++];
	memset(c, 0, sizeof *c);
	memcpy(c->key, n->key, n->key_len);
	memcpy(c->id, n->key + n->key_len - IMAGE_ID, IMAGE_ID);
	c->page = n->page;
}

static int by_key(const void *a, const void *b)
{
	return memcmp(((const struct cell *)a)->key, ((const struct cell *)b)->key, KEY_MAX);
}

static void take_tree_page(struct walk *w, const uint8_t *page, enum kind k)
{
	uint32_t lower = le16(page + 12), upper = le16(page + 14), i, n = n_nodes(page);
	struct node node;

	w->fill[k == LEAF] += lower <= upper && upper <= PAGE ? PAGE - (upper - lower) : 0;
	w->nodes[k == LEAF] += n;
	for (i = lower; i < upper && upper <= PAGE; i++)
		w->slack_used += page[i] != 0;
	for (i = 0; k == LEAF && i < n && node_at(page, i, &node); i++) {
		take_cell(w, &node);
		/* a record of the free list: transaction → pages */
		if (node.key_len == 8 && (node.flags & F_BIG) == 0 && node.len >= 8 &&
		    node.key + 8 + 8 <= page + PAGE && node.len % 8 == 0 &&
		    le64(node.key + 8) == node.len / 8 - 1) {
			w->free_entries++;
			w->free_pages += node.len / 8 - 1;
		}
	}
}

static void walk_file(struct walk *w, const struct image_file *f)
{
	uint64_t i, n = f->len / PAGE, kept;

	memset(w, 0, sizeof *w);
	w->n_pages = n;
	crypto_generichash_init(&w->h, NULL, 0, 32);
	for (i = 0; i < n; i++) {
		const uint8_t *page = f->bytes + i * PAGE;
		enum kind k = kind_of(page, i);
		uint64_t run = k == OVERFLOW ? le32(page + 12) : 1, j;

		if (run == 0 || run > n - i)
			run = 1;
		w->n[k] += run;
		w->overflow_runs += k == OVERFLOW;
		crypto_generichash_update(&w->h, (const uint8_t *)&(uint32_t){ k }, 4);
		if (k != ZERO)
			crypto_generichash_update(&w->h, page, HEAD);
		for (j = 0; j < HEAD; j++)
			w->heads[j] += page[j];
		if (k == BRANCH || k == LEAF)
			take_tree_page(w, page, k);
		i += run - 1;
	}
	if (w->n_cells > 0)
		qsort(w->cells, w->n_cells, sizeof *w->cells, by_key);
	/* an old leaf, not used any more, names the same cells once more */
	for (i = 0, kept = 0; i < w->n_cells; i++)
		if (kept == 0 || memcmp(w->cells[i].key, w->cells[kept - 1].key, KEY_MAX) != 0)
			w->cells[kept++] = w->cells[i];
	w->n_cells = kept;
	for (i = 0; i < w->n_cells; i++)
		w->cells[i].nth_key = (uint32_t)i;
}

static int by_page(const void *a, const void *b)
{
	uint64_t x = ((const struct cell *)a)->page, y = ((const struct cell *)b)->page;

	return (x > y) - (x < y);
}

static void order_features(struct features *f, const struct walk *w, struct image_arrivals *a,
                           const char *label)
{
	float *arrival = must_alloc(w->n_cells, sizeof *arrival);
	float *page = must_alloc(w->n_cells, sizeof *page);
	float *key = must_alloc(w->n_cells, sizeof *key);
	char name[64];
	size_t i, n = 0;
	uint32_t nth;

	for (i = 0; i < w->n_cells; i++) {
		if (!image_nth(a, w->cells[i].id, &nth))
			continue;
		arrival[n] = (float)nth;
		page[n] = (float)w->cells[i].page;
		key[n++] = (float)w->cells[i].nth_key;
	}
	snprintf(name, sizeof name, "%.40s, cells by page", label);
	feature_order(f, arrival, page, n, name);
	snprintf(name, sizeof name, "%.40s, cells by key", label);
	feature_order(f, arrival, key, n, name);
	snprintf(name, sizeof name, "%.40s, pages by key", label);
	feature_order(f, key, page, n, name);
	free(arrival);
	free(page);
	free(key);
}

static void meta_features(struct features *f, const struct image_file *file, const char *label)
{
	unsigned i, j;

	for (i = 0; i < 2; i++) {
		static const struct {
			const char *name;
			unsigned at, len;
		} fields[] = {
			{ "map size", 16, 8 }, { "free tree flags", 28, 2 },
			{ "free depth", 30, 2 },
			{ "free branches", 32, 8 }, { "free leaves", 40, 8 },
			{ "free overflow", 48, 8 }, { "free entries", 56, 8 },
			{ "free root", 64, 8 },
			{ "depth", 78, 2 }, { "branches", 80, 8 }, { "leaves", 88, 8 },
			{ "overflow", 96, 8 }, { "entries", 104, 8 }, { "root", 112, 8 },
			{ "last page", 120, 8 }, { "transaction", 128, 8 }
		};
		const uint8_t *m = NULL;

		if (file != NULL && file->len >= (i + 1) * PAGE &&
		    le32(file->bytes + i * PAGE + HEAD) == META_MAGIC)
			m = file->bytes + i * PAGE + HEAD;
		for (j = 0; j < sizeof fields / sizeof fields[0]; j++) {
			const uint8_t *p = m == NULL ? NULL : m + fields[j].at;
			double v = p == NULL ? 0 : fields[j].len == 8 ? (double)le64(p) : le16(p);

			feature_add(f, FEATURE_FILES, v, "%s, meta %u: %s", label, i,
			             fields[j].name);
		}
	}
}

void image_structure(struct features *f, const struct image_file *file,
                     struct image_arrivals *a, const char *label)
{
	static const struct image_file none;
	struct walk w;
	uint8_t digest[32];
	unsigned i;

	walk_file(&w, file == NULL ? &none : file);
	feature_add(f, FEATURE_FILES, file == NULL ? 0 : (double)file->len, "%s: size", label);
	feature_add(f, FEATURE_FILES, file == NULL ? 0 : (double)file->blocks, "%s: blocks", label);
	feature_add(f, FEATURE_FILES, file == NULL ? 0 : file->mode, "%s: mode", label);
	feature_add(f, FEATURE_FILES, (double)w.n_pages, "%s: pages", label);
	for (i = 0; i < KINDS; i++)
		feature_add(f, FEATURE_FILES, (double)w.n[i], "%s: %s pages", label,
		             kind_names[i]);
	feature_add(f, FEATURE_FILES, (double)w.overflow_runs, "%s: overflow runs", label);
	for (i = 0; i < 2; i++) {
		feature_add(f, FEATURE_FILES, (double)w.fill[i], "%s: fill of %s pages", label,
		             i == 0 ? "branch" : "leaf");
		feature_add(f, FEATURE_FILES, (double)w.nodes[i], "%s: nodes of %s pages", label,
		             i == 0 ? "branch" : "leaf");
	}
	feature_add(f, FEATURE_FILES, (double)w.slack_used, "%s: bytes in the slack", label);
	feature_add(f, FEATURE_FILES, (double)w.free_entries, "%s: free list entries", label);
	feature_add(f, FEATURE_FILES, (double)w.free_pages, "%s: free list pages", label);
	feature_add(f, FEATURE_FILES, (double)w.n_cells, "%s: cells", label);
	for (i = 0; i < HEAD; i++)
		feature_add(f, FEATURE_FILES, (double)w.heads[i], "%s: headers, byte %u", label, i);
	crypto_generichash_final(&w.h, digest, sizeof digest);
	feature_add(f, FEATURE_FILES, feature_digest(digest, sizeof digest),
	             "%s: kinds and headers in order", label);
	meta_features(f, file, label);
	order_features(f, &w, a, label);
	free(w.cells);
}

void image_pages(struct features *f, const struct image_file *file, size_t bucket,
                 const char *label)
{
	uint64_t i, n = file == NULL ? 0 : file->len / PAGE, kept = 0;
	uint8_t *pages = must_alloc(n, PAGE);

	for (i = 0; i < n; i++) {
		const uint8_t *page = file->bytes + i * PAGE;
		enum kind k = kind_of(page, i);

		if (k == OVERFLOW && le32(page + 12) > 0 && le32(page + 12) <= n - i)
			i += le32(page + 12) - 1;       /* values are looked at elsewhere */
		else if (k != ZERO)
			memcpy(pages + kept++ * PAGE, page, PAGE);
	}
	feature_means(f, pages, kept, PAGE, PAGE, bucket, label);
	free(pages);
}

/* records of state.mdb by the letter that says what they are (server/store_state.h) */
static void record_features(struct features *f, const struct image_file *file, const char *label)
{
	static const char letters[] = "BEJLMPSTV";
	double n[sizeof letters] = { 0 }, len[sizeof letters] = { 0 };
	uint64_t i, n_pages = file == NULL ? 0 : file->len / PAGE;
	uint32_t j, head[3];
	crypto_generichash_state h;
	uint8_t digest[32];
	const char *at;

	crypto_generichash_init(&h, NULL, 0, 32);
	for (i = 0; i < n_pages; i++) {
		const uint8_t *page = file->bytes + i * PAGE;
		enum kind k = kind_of(page, i);
		struct node node;

		if (k == OVERFLOW && le32(page + 12) > 0 && le32(page + 12) <= n_pages - i)
			i += le32(page + 12) - 1;
		for (j = 0; k == LEAF && j < n_nodes(page) && node_at(page, j, &node); j++) {
			at = node.key_len == 0 ? NULL : memchr(letters, node.key[0], 9);
			if (at == NULL)
				continue;
			n[at - letters]++;
			len[at - letters] += node.len;
			head[0] = (uint32_t)(at - letters);
			head[1] = node.key_len;
			head[2] = node.len;
			crypto_generichash_update(&h, (const uint8_t *)head, sizeof head);
		}
	}
	crypto_generichash_final(&h, digest, sizeof digest);
	for (j = 0; j < 9; j++) {
		feature_add(f, FEATURE_FILES, n[j], "%s: records %c", label, letters[j]);
		feature_add(f, FEATURE_FILES, len[j], "%s: bytes of records %c", label, letters[j]);
	}
	feature_add(f, FEATURE_FILES, feature_digest(digest, sizeof digest),
	             "%s: records in order", label);
}

static int is_in(const struct image_file *f, const char *folder)
{
	return strncmp(f->name, folder, strlen(folder)) == 0;
}

static void bulletin_features(struct features *f, const struct image *im, const char *label)
{
	double bytes = 0, n = 0, squares = 0;
	uint8_t *all = NULL;
	size_t i, len = 0;
	char name[64];

	for (i = 0; i < im->n; i++) {
		if (!is_in(&im->v[i], "bulletin/"))
			continue;
		n++;
		bytes += (double)im->v[i].len;
		squares += (double)im->v[i].len / PAGE * (double)im->v[i].len / PAGE;
		all = realloc(all, len + im->v[i].len + PAGE);
		if (all == NULL)
			must_fail("out of memory");
		memcpy(all + len, im->v[i].bytes, im->v[i].len);
		memset(all + len + im->v[i].len, 0, PAGE);
		len += (im->v[i].len + PAGE - 1) / PAGE * PAGE;
	}
	feature_add(f, FEATURE_FILES, n, "%s bulletin: parts", label);
	feature_add(f, FEATURE_FILES, bytes, "%s bulletin: bytes", label);
	feature_add(f, FEATURE_FILES, squares, "%s bulletin: squares of sizes", label);
	snprintf(name, sizeof name, "%.40s bulletin", label);
	feature_means(f, all, len / PAGE, PAGE, PAGE, 64, name);
	free(all);
}

/* names, sizes and modes; of the bulletin, whose names are hashes, only sizes, in order */
static double listing(const struct image *im)
{
	crypto_generichash_state h;
	uint64_t sizes[IMAGE_FILES], t;
	uint8_t digest[32];
	size_t i, j, n = 0;
	char line[128];

	crypto_generichash_init(&h, NULL, 0, 32);
	for (i = 0; i < im->n; i++) {
		if (is_in(&im->v[i], "bulletin/")) {
			for (j = n++; j > 0 && sizes[j - 1] > im->v[i].len; j--)
				sizes[j] = sizes[j - 1];
			sizes[j] = im->v[i].len;
			continue;
		}
		snprintf(line, sizeof line, "%s %zu %llu %o\n", im->v[i].name, im->v[i].len,
		         (unsigned long long)im->v[i].blocks, im->v[i].mode);
		crypto_generichash_update(&h, (const uint8_t *)line, strlen(line));
	}
	for (i = 0; i < n; i++) {
		t = sizes[i];
		crypto_generichash_update(&h, (const uint8_t *)&t, sizeof t);
	}
	crypto_generichash_final(&h, digest, sizeof digest);
	return feature_digest(digest, sizeof digest);
}

void image_features(struct features *f, const struct image *im, struct image_arrivals *a,
                    const char *label)
{
	const struct image_file *segments[IMAGE_SEGMENTS] = { NULL };
	size_t i, n = 0, strangers = 0;
	char name[48];

	for (i = 0; i < im->n; i++) {
		if (is_in(&im->v[i], "segments/")) {
			if (n < IMAGE_SEGMENTS)
				segments[n] = &im->v[i];
			n++;
		} else if (!is_in(&im->v[i], "bulletin/") &&
		           strcmp(im->v[i].name, "state.mdb") != 0 &&
		           strcmp(im->v[i].name, "pool.mdb") != 0) {
			strangers++;
		}
	}
	if (n > IMAGE_SEGMENTS)
		must_fail("%zu segments are more than there is room for", n);
	feature_add(f, FEATURE_FILES, listing(im), "%s: the folder's listing", label);
	feature_add(f, FEATURE_FILES, (double)im->n, "%s: files", label);
	feature_add(f, FEATURE_FILES, (double)n, "%s: segments", label);
	feature_add(f, FEATURE_FILES, (double)strangers, "%s: other files", label);
	snprintf(name, sizeof name, "%s state", label);
	image_structure(f, image_find(im, "state.mdb"), a, name);
	record_features(f, image_find(im, "state.mdb"), name);
	image_pages(f, image_find(im, "state.mdb"), 16, name);
	snprintf(name, sizeof name, "%s pool", label);
	image_structure(f, image_find(im, "pool.mdb"), a, name);
	image_pages(f, image_find(im, "pool.mdb"), 16, name);
	for (i = 0; i < IMAGE_SEGMENTS; i++) {
		snprintf(name, sizeof name, "%s segment %zu", label, i + 1);
		image_structure(f, segments[i], a, name);
		image_pages(f, segments[i], 64, name);
	}
	bulletin_features(f, im, label);
}

/* ---- cells ---- */

size_t image_cells_of(const struct image_file *file, uint8_t *cells, size_t max)
{
	struct walk w;
	size_t i, n = 0;

	walk_file(&w, file);
	if (w.n_cells > 0)
		qsort(w.cells, w.n_cells, sizeof *w.cells, by_page);
	for (i = 0; i < w.n_cells && n < max; i++)
		if ((w.cells[i].page + 1) * PAGE <= file->len)
			memcpy(cells + n++ * CELL,
			       file->bytes + w.cells[i].page * PAGE + HEAD, CELL);
	free(w.cells);
	return n;
}

uint8_t *image_cells(const struct image *im, size_t *n)
{
	uint8_t *cells;
	size_t i, max = 0;

	*n = 0;
	for (i = 0; i < im->n; i++)
		max += is_in(&im->v[i], "segments/") ? im->v[i].len / PAGE : 0;
	cells = must_alloc(max, CELL);
	for (i = 0; i < im->n; i++)
		if (is_in(&im->v[i], "segments/"))
			*n += image_cells_of(&im->v[i], cells + *n * CELL, max - *n);
	return cells;
}
