/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * device_probe: what a member's folder tells whoever takes it.
 *
 *	device_probe sealed HOME
 *		without the passphrase: databases, records, lengths of keys and values, commits.
 *		Exit code 1 if keys are not of one length, or keys or values are not even.
 *	device_probe forge HOME KIND
 *		a control for `sealed`: a file like a vault's, whose record keys are names (names),
 *		or whose values are text (text)
 *	device_probe dump HOME PASSPHRASE-FILE OUT
 *		with the passphrase: every record, and every record of before that still opens in
 *		free or half-free pages, as they are, into OUT
 *	device_probe link DUMP BASELINE SERVER-FOLDER…
 *		does anything of DUMP stand on the servers' disks too, or lead to something there?
 *		Every 8 bytes of the dump against every 8 bytes of every file and against the id of
 *		every cell; every 32 bytes as an erase secret and as the key of a blob against every
 *		tag.  What BASELINE, the dump of a member who never sent anything, shares with the
 *		disks as well says nothing about this member, and is counted apart.  Then the same
 *		with things planted, all of which must be found (else exit code 3).
 *	device_probe plain DUMP FOLDER…
 *		does any 8 bytes of DUMP stand in the folder's files, in the clear?  With a planted one
 *	device_probe cells FOLDER
 *		how many cells a spool has, and the digest of the set (PROTOCOL 6.1)
 *	device_probe times DUMP FROM TO
 *		any moment between two (seconds since 1970), as seconds, milliseconds or
 *		microseconds in both byte orders, or in digits; with a planted one
 *
 * Exit code 0: nothing, 1: something, 2: usage or damage, 3: the control was not found.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob.h"
#include "cell.h"
#include "vault_base.h"

#define PAGE 4096

static void die(const char *what)
{
	fprintf(stderr, "device_probe: %s\n", what);
	exit(2);
}

static void *need(void *p)
{
	if (p == NULL)
		die("out of memory");
	return p;
}

struct bytes {
	uint8_t *p;
	size_t n, room;
};

static void append(struct bytes *b, const void *p, size_t n)
{
	if (b->room - b->n < n) {
		b->room = (b->n + n) * 2;
		b->p = need(realloc(b->p, b->room));
	}
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static struct bytes slurp(const char *path)
{
	struct bytes b = { 0 };
	uint8_t buf[65536];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		die(path);
	while ((n = fread(buf, 1, sizeof buf, f)) > 0)
		append(&b, buf, n);
	fclose(f);
	return b;
}

static const char *in(const char *home, const char *name)
{
	static char path[4096];

	snprintf(path, sizeof path, "%s/%s", home, name);
	return path;
}

/* ---- sealed -------------------------------------------------------------------------------- */

/*
 * Chi square of the bytes' frequencies: 255 degrees of freedom, mean 255, deviation 22.6.
 * Even bytes exceed 400 once in 1e8 times.
 */
static double unevenness(const struct bytes *b)
{
	double count[256] = { 0 }, expect = (double)b->n / 256, sum = 0;

	for (size_t i = 0; i < b->n; i++)
		count[b->p[i]]++;
	for (int i = 0; i < 256; i++)
		sum += (count[i] - expect) * (count[i] - expect) / expect;
	return b->n < 512 ? 0 : sum;
}

static MDB_env *open_env(const char *home)
{
	MDB_env *env;

	if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, 4) != 0 ||
	    mdb_env_open(env, in(home, "vault.mdb"),
	                 MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0) != 0)
		die("the vault's file does not open");
	return env;
}

static int sealed(const char *home)
{
	MDB_env *env = open_env(home);
	MDB_envinfo info;
	MDB_txn *txn;
	int bad = 0;

	if (mdb_env_info(env, &info) != 0 || mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
		die("the vault's file does not open");
	for (int d = 0; d < 2; d++) {
		const char *name = d == 0 ? "n" : "v";
		struct bytes keys = { 0 }, values = { 0 };
		size_t sizes[64], counts[64], n_sizes = 0, n = 0, i;
		bool lengths_ok = true;
		MDB_cursor *cur;
		MDB_val k, v;
		MDB_dbi dbi;

		if (mdb_dbi_open(txn, name, 0, &dbi) != 0 || mdb_cursor_open(txn, dbi, &cur) != 0)
			die("a database is missing");
		while (mdb_cursor_get(cur, &k, &v, MDB_NEXT) == 0) {
			n++;
			lengths_ok &= k.mv_size == VAULT_RK_SIZE;
			append(&keys, k.mv_data, k.mv_size);
			append(&values, v.mv_data, v.mv_size);
			for (i = 0; i < n_sizes && sizes[i] != v.mv_size; i++)
				;
			if (i == n_sizes && n_sizes < 64) {
				sizes[n_sizes] = v.mv_size;
				counts[n_sizes++] = 0;
			}
			counts[i]++;
		}
		mdb_cursor_close(cur);
		/* by size, so that two listings can be compared */
		for (i = 0; i + 1 < n_sizes; i++)
			for (size_t j = i + 1; j < n_sizes; j++)
				if (sizes[j] < sizes[i]) {
					size_t t = sizes[i];

					sizes[i] = sizes[j];
					sizes[j] = t;
					t = counts[i];
					counts[i] = counts[j];
					counts[j] = t;
				}
		printf("%s: %zu records, keys of %s; values", name, n,
		       lengths_ok ? "32 bytes" : "several lengths");
		for (i = 0; i < n_sizes; i++)
			printf(" %zux%zu", counts[i], sizes[i]);
		printf("\n");
		if (!lengths_ok || unevenness(&keys) > 400 || unevenness(&values) > 400) {
			printf("%s: not even: keys %.0f, values %.0f (bound 400)\n", name,
			       unevenness(&keys), unevenness(&values));
			bad = 1;
		}
		free(keys.p);
		free(values.p);
	}
	/* the tree's shape depends on the random keys: two vaults with the same records differ in
	 * a page or so, and one vault after each rewriting */
	printf("commits %zu\npages %zu\n", info.me_last_txnid, info.me_last_pgno + 1);
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return bad;
}

static int forge(const char *home, const char *kind)
{
	bool names = strcmp(kind, "names") == 0;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi n, v;

	if (mkdir(home, 0700) != 0 && errno != EEXIST)
		die(home);
	if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, 4) != 0 ||
	    mdb_env_open(env, in(home, "vault.mdb"), MDB_NOSUBDIR | MDB_NOLOCK, 0600) != 0 ||
	    mdb_txn_begin(env, NULL, 0, &txn) != 0 || mdb_dbi_open(txn, "n", MDB_CREATE, &n) != 0 ||
	    mdb_dbi_open(txn, "v", MDB_CREATE, &v) != 0)
		die("the forgery cannot be written");
	for (int i = 0; i < 60; i++) {
		uint8_t name[64], key[32], value[296];
		MDB_val k = { sizeof key, key }, val = { VAULT_NAME_SIZE, value };

		randombytes_buf(key, sizeof key);
		randombytes_buf(value, sizeof value);
		if (names) {
			k.mv_size = (size_t)snprintf((char *)name, sizeof name, "case/%d", i * i);
			k.mv_data = name;
		}
		if (mdb_put(txn, n, &k, &val, 0) != 0)
			die("the forgery cannot be written");
		if (!names)
			memset(value + 40, 'a' + i % 26, 100);
		val.mv_size = sizeof value;
		if (mdb_put(txn, v, &k, &val, 0) != 0)
			die("the forgery cannot be written");
	}
	if (mdb_txn_commit(txn) != 0)
		die("the forgery cannot be written");
	mdb_env_close(env);
	return 0;
}

/* ---- dump ---------------------------------------------------------------------------------- */

static unsigned long long n_live;

static enum perr dump_live(void *arg, const char *name, const uint8_t *value, size_t len)
{
	FILE *f = arg;

	n_live++;
	if (fwrite(name, 1, strlen(name) + 1, f) != strlen(name) + 1 ||
	    fwrite(value, 1, len, f) != len)
		return PERR_IO;
	return PERR_OK;
}

struct slack {
	struct vault *v;
	const struct bytes *raw;
	FILE *out;
	uint8_t (*rks)[VAULT_RK_SIZE];
	size_t n_rks;
	unsigned long long tried, opened;
};

static unsigned u16_at(const uint8_t *p)
{
	return (unsigned)p[0] | (unsigned)p[1] << 8;
}

static bool try_one(struct slack *s, const uint8_t *rk, const uint8_t *p, size_t len)
{
	uint8_t *value;
	size_t n;

	s->tried++;
	if (vault_value_open(&value, &n, s->v->keys, rk, p, len) != PERR_OK)
		return false;
	s->opened++;
	if (fwrite(value, 1, n, s->out) != n)
		die("the dump cannot be written");
	kv_free(value);
	return true;
}

/*
 * LMDB's pages as they lie in the file, whether the tree still names them or not.  A leaf's
 * nodes give pairs of record key and value; an overflow page nobody points to is tried under
 * every record key that was seen.
 */
static void slack_pages(struct slack *s, int pass)
{
	for (size_t at = 0; at + PAGE <= s->raw->n; at += PAGE) {
		const uint8_t *pg = s->raw->p + at;
		unsigned flags = u16_at(pg + 10), lower = u16_at(pg + 12), i;

		if (pass == 1 && (flags & 0x04) != 0) {          /* P_OVERFLOW */
			size_t pages = (size_t)u16_at(pg + 12) | (size_t)u16_at(pg + 14) << 16;
			size_t len[2] = { pages * PAGE - 16, vault_value_size(2900) };

			if (pages == 0 || pages > (s->raw->n - at) / PAGE)
				continue;
			for (i = 0; i < 2; i++)
				for (size_t k = 0; k < s->n_rks && len[i] <= pages * PAGE - 16; k++)
					if (try_one(s, s->rks[k], pg + 16, len[i]))
						break;
			continue;
		}
		if (pass != 0 || (flags & 0x02) == 0 || lower < 16 || lower > PAGE) /* P_LEAF */
			continue;
		for (i = 0; i < (lower - 16) / 2; i++) {
			unsigned off = u16_at(pg + 16 + 2 * i), key_len, node_flags;
			size_t len;

			if (off < 16 || off + 8 > PAGE)
				continue;
			len = (size_t)u16_at(pg + off) | (size_t)u16_at(pg + off + 2) << 16;
			node_flags = u16_at(pg + off + 4);
			key_len = u16_at(pg + off + 6);
			if (key_len != VAULT_RK_SIZE || off + 8 + key_len > PAGE)
				continue;
			s->rks = need(realloc(s->rks, (s->n_rks + 1) * sizeof *s->rks));
			memcpy(s->rks[s->n_rks++], pg + off + 8, VAULT_RK_SIZE);
			if ((node_flags & 0x01) == 0 && off + 8 + key_len + len <= PAGE)
				(void)try_one(s, pg + off + 8, pg + off + 8 + key_len, len);
		}
	}
}

static int dump(const char *home, const char *passfile, const char *out)
{
	struct bytes pass = slurp(passfile), raw;
	struct vault_key *key = need(sodium_malloc(sizeof *key));
	struct slack s = { 0 };
	struct vault *v;
	FILE *f = fopen(out, "wb");
	size_t live;

	if (f == NULL)
		die(out);
	while (pass.n > 0 && (pass.p[pass.n - 1] == '\n' || pass.p[pass.n - 1] == '\r'))
		pass.n--;
	if (vault_derive(key, home, (const char *)pass.p, pass.n) != PERR_OK ||
	    vault_open(&v, home, key) != PERR_OK || kv_each(vault_kv(v), "", dump_live, f) != PERR_OK)
		die("the vault does not open");
	live = (size_t)ftell(f);
	raw = slurp(in(home, "vault.mdb"));
	s.v = v;
	s.raw = &raw;
	s.out = f;
	slack_pages(&s, 0);
	slack_pages(&s, 1);
	/* each live one was found again among the pages; more are of before */
	printf("dump: %llu live records, %zu bytes; records of before that still open: %llu (%llu "
	       "tried)\n", n_live, live, s.opened - n_live, s.tried);
	if (s.opened < n_live)
		die("not even the live records were found among the pages");
	fclose(f);
	vault_close(v);
	sodium_free(key);
	free(s.rks);
	free(raw.p);
	free(pass.p);
	return 0;
}

/* ---- link ---------------------------------------------------------------------------------- */

/* a set of 8-byte strings, open addressing; flag bits beside each */
struct set {
	uint64_t *at;
	uint8_t *flags;
	size_t mask, n;
};
enum { IN_DUMP = 1, IN_BASE = 2, ON_DISK = 4 };

static uint64_t load(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, 8);
	return x;
}

/* zeros and the like stand everywhere */
static bool says_nothing(const uint8_t *p)
{
	unsigned same = 0;

	for (int i = 1; i < 8; i++)
		same += p[i] == p[i - 1];
	return same >= 4;
}

static size_t place(const struct set *s, uint64_t x)
{
	size_t i = (size_t)((x * 0x9e3779b97f4a7c15u) >> 20) & s->mask;

	while (s->flags[i] != 0 && s->at[i] != x)
		i = (i + 1) & s->mask;
	return i;
}

static void fill(struct set *s, const struct bytes *b, uint8_t flag)
{
	for (size_t i = 0; i + 8 <= b->n; i++) {
		size_t k;

		if (says_nothing(b->p + i))
			continue;
		k = place(s, load(b->p + i));
		s->n += s->flags[k] == 0;
		s->at[k] = load(b->p + i);
		s->flags[k] |= flag;
		if (s->n > s->mask / 2)
			die("the dumps are too large");
	}
}

struct disk {
	struct set *windows;     /* of the dumps: marked when they stand on the disk */
	struct set tags;         /* of the cells */
	unsigned long long files, bytes, cells;
};

static void look(struct disk *d, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 8 <= n; i++) {
		size_t k = place(d->windows, load(p + i));

		if (d->windows->flags[k] != 0)
			d->windows->flags[k] |= ON_DISK;
	}
}

static bool is_cell(const uint8_t *p)
{
	return !sodium_is_zero(p, 32) && !sodium_is_zero(p + 2000, 64) && cell_check(p) == PERR_OK;
}

static void take_file(struct disk *d, const struct bytes *b)
{
	d->files++;
	d->bytes += b->n;
	look(d, b->p, b->n);
	/* cells fill pages behind 16 bytes; ids of those of the pool stand nowhere else */
	for (size_t at = 0; at + PAGE <= b->n; at += PAGE) {
		const uint8_t *cell = b->p + at + 16;
		uint8_t id[32];
		size_t k;

		if (!is_cell(cell))
			continue;
		d->cells++;
		cell_id(id, cell);
		look(d, id, sizeof id);
		k = place(&d->tags, load(cell + CELL_TAG_AT));
		d->tags.at[k] = load(cell + CELL_TAG_AT);
		d->tags.flags[k] = 1;
	}
}

static void take_folder(struct disk *d, const char *path)
{
	DIR *list = opendir(path);
	struct dirent *e;

	if (list == NULL) {
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			struct bytes b = slurp(path);

			take_file(d, &b);
			free(b.p);
		}
		return;
	}
	while ((e = readdir(list)) != NULL) {
		char sub[4096];

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
		take_folder(d, sub);
	}
	closedir(list);
}

static void set_new(struct set *s, size_t bits)
{
	s->mask = ((size_t)1 << bits) - 1;
	s->at = need(calloc(s->mask + 1, sizeof *s->at));
	s->flags = need(calloc(s->mask + 1, 1));
	s->n = 0;
}

static void set_end(struct set *s)
{
	free(s->at);
	free(s->flags);
}

struct found {
	unsigned long long direct, shared, secrets;
	bool planted[3];         /* each string that was planted stands on the disk */
};

/* what a control adds: to the disk a page, to the dump what follows from it */
struct plant {
	struct bytes page, more;
	uint64_t strings[3];
};

static struct found search(const struct bytes *dump, const struct bytes *base, char **dirs,
                           const struct plant *plant, bool tell)
{
	struct bytes all = { 0 };
	struct disk d = { 0 };
	struct set w;
	struct found f = { 0 };

	append(&all, dump->p, dump->n);
	if (plant != NULL)
		append(&all, plant->more.p, plant->more.n);
	set_new(&w, 22);
	set_new(&d.tags, 18);
	d.windows = &w;
	fill(&w, &all, IN_DUMP);
	fill(&w, base, IN_BASE);
	for (; *dirs != NULL; dirs++)
		take_folder(&d, *dirs);
	if (plant != NULL)
		take_file(&d, &plant->page);
	for (size_t i = 0; i <= w.mask; i++) {
		f.direct += w.flags[i] == (IN_DUMP | ON_DISK);
		f.shared += w.flags[i] == (IN_DUMP | IN_BASE | ON_DISK);
	}
	for (size_t i = 0; base->n > 0 && i + 32 <= all.n; i++) {
		struct blob_ref ref = { .size = 1 };
		uint8_t tag[2][CELL_TAG_SIZE];

		cell_tag(tag[0], all.p + i);
		memcpy(ref.sk, all.p + i, 32);
		blob_chunk_tag(tag[1], &ref, 0);
		for (int k = 0; k < 2; k++)
			f.secrets += d.tags.flags[place(&d.tags, load(tag[k]))] != 0;
	}
	for (int k = 0; plant != NULL && k < 3; k++)
		f.planted[k] = plant->strings[k] != 0 &&
		               (w.flags[place(&w, plant->strings[k])] & ON_DISK) != 0;
	if (tell)
		printf("searched: %zu bytes of records against %llu files, %llu bytes, %llu cells\n",
		       dump->n, d.files, d.bytes, d.cells);
	if (d.cells == 0 && tell && base->n > 0)
		die("no cell was found on the servers");
	set_end(&w);
	set_end(&d.tags);
	free(all.p);
	return f;
}

static void plant_string(struct plant *p, unsigned at, const uint8_t *s)
{
	p->strings[at] = load(s);
	append(&p->more, s, 8);
}

/* two cells, of which the dump gets 8 bytes of an id, of an E, of a T, and two secrets */
static void plant_cells(struct plant *p)
{
	static const uint8_t psk[32] = { 1 }, head[16];
	uint8_t cell[2][CELL_SIZE], ds[32], id[32];
	struct blob_ref ref = { .size = 1 };
	struct reader_key key;
	struct season season;

	memset(p, 0, sizeof *p);
	season_init(&season, 1, psk);
	randombytes_buf(ref.sk, 32);
	blob_key(&key, &ref);
	if (cell_seal(cell[0], ds, CELL_STATEMENT, NULL, 0, key.pk, &season, rng_system()) != PERR_OK ||
	    blob_seal_chunk(cell[1], &ref, 0, (const uint8_t *)"x", 1, &season,
	                    rng_system()) != PERR_OK)
		die("no control cell");
	for (int i = 0; i < 2; i++) {
		append(&p->page, head, sizeof head);
		append(&p->page, cell[i], CELL_SIZE);
	}
	cell_id(id, cell[0]);
	plant_string(p, 0, id + 5);
	plant_string(p, 1, cell[1] + 9);
	plant_string(p, 2, cell[0] + CELL_TAG_AT + 8);
	append(&p->more, ds, sizeof ds);
	append(&p->more, ref.sk, sizeof ref.sk);
}

static int link_up(const char *dump_path, const char *base_path, char **dirs)
{
	struct bytes dump = slurp(dump_path), base = slurp(base_path);
	struct found f = search(&dump, &base, dirs, NULL, true), c;
	struct plant p;
	unsigned long long caught;

	plant_cells(&p);
	c = search(&dump, &base, dirs, &p, false);
	caught = c.planted[0] + c.planted[1] + c.planted[2] + (c.secrets - f.secrets);
	printf("link: %llu strings of 8 bytes stand here and there, %llu secrets fit a cell; %llu are "
	       "shared by every member; planted: %llu of 5 found\n", f.direct, f.secrets, f.shared,
	       caught);
	free(p.page.p);
	free(p.more.p);
	free(dump.p);
	free(base.p);
	return caught != 5 ? 3 : f.direct + f.secrets > 0 ? 1 : 0;
}

static int plain(const char *dump_path, char **dirs)
{
	struct bytes dump = slurp(dump_path), none = { 0 };
	struct found f = search(&dump, &none, dirs, NULL, true), c;
	struct plant p = { 0 };
	uint8_t noise[64];

	randombytes_buf(noise, sizeof noise);
	append(&p.page, noise, 29);
	plant_string(&p, 0, noise + 13);
	c = search(&dump, &none, dirs, &p, false);
	printf("plain: %llu strings of 8 bytes of the opened vault stand in the folder; planted: %u of "
	       "1 found\n", f.direct, c.planted[0]);
	free(dump.p);
	free(p.page.p);
	free(p.more.p);
	return !c.planted[0] ? 3 : f.direct > 0 ? 1 : 0;
}

/* ---- cells --------------------------------------------------------------------------------- */

static void gather_ids(struct bytes *ids, const char *path)
{
	DIR *list = opendir(path);
	struct dirent *e;

	while (list != NULL && (e = readdir(list)) != NULL) {
		struct bytes b;

		if (e->d_name[0] == '.')
			continue;
		b = slurp(in(path, e->d_name));
		for (size_t at = 0; at + CELL_SIZE <= b.n; at += CELL_SIZE) {
			uint8_t id[32];

			cell_id(id, b.p + at);
			append(ids, id, sizeof id);
		}
		free(b.p);
	}
	if (list != NULL)
		closedir(list);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static int cells(const char *path)
{
	struct bytes ids = { 0 };
	uint8_t digest[32];
	char hex[65];

	gather_ids(&ids, path);
	if (ids.n > 0)
		qsort(ids.p, ids.n / 32, 32, by_bytes);
	crypto_generichash(digest, sizeof digest, ids.p, ids.n, NULL, 0);
	sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
	printf("%zu cells, digest %s\n", ids.n / 32, hex);
	free(ids.p);
	return 0;
}

/* ---- times --------------------------------------------------------------------------------- */

static unsigned long long times_in(const struct bytes *b, uint64_t from, uint64_t to)
{
	static const uint64_t scale[] = { 1, 1000, 1000000, 1000000000 };
	unsigned long long n = 0;

	for (size_t i = 0; i < b->n; i++) {
		uint64_t be = 0, le = 0;
		size_t k;

		for (k = 0; k < 8 && i + k < b->n; k++) {
			be = be << 8 | b->p[i + k];
			le |= (uint64_t)b->p[i + k] << (8 * k);
			/* seconds fit 4 bytes and stand also in more; the others in 8 */
			for (unsigned s = 0; s < 4; s++)
				if ((k == 7 || (k == 3 && s == 0)) &&
				    ((be >= from * scale[s] && be < (to + 1) * scale[s]) ||
				     (le >= from * scale[s] && le < (to + 1) * scale[s])))
					n++;
		}
		if (b->p[i] >= '1' && b->p[i] <= '9' && i + 10 <= b->n) {
			uint64_t x = 0;

			for (k = 0; k < 10 && b->p[i + k] >= '0' && b->p[i + k] <= '9'; k++)
				x = x * 10 + (b->p[i + k] - '0');
			n += k == 10 && x >= from && x <= to;
		}
	}
	return n;
}

static int times(const char *path, uint64_t from, uint64_t to)
{
	struct bytes b = slurp(path);
	unsigned long long n = times_in(&b, from, to), m;
	uint8_t be[4] = { (uint8_t)(from >> 24), (uint8_t)(from >> 16), (uint8_t)(from >> 8),
	                  (uint8_t)from };
	uint64_t ms = from * 1000 + 123;
	char text[24];

	append(&b, be, sizeof be);
	append(&b, &ms, sizeof ms);
	snprintf(text, sizeof text, " %" PRIu64 " ", to);
	append(&b, text, strlen(text));
	m = times_in(&b, from, to) - n;
	printf("times: %llu moments of %" PRIu64 " s in %zu bytes; planted: %llu of 3 found\n", n,
	       to - from + 1, b.n, m);
	free(b.p);
	return m < 3 ? 3 : n > 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 2;
	if (argc == 3 && strcmp(argv[1], "sealed") == 0)
		return sealed(argv[2]);
	if (argc == 4 && strcmp(argv[1], "forge") == 0)
		return forge(argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[1], "dump") == 0)
		return dump(argv[2], argv[3], argv[4]);
	if (argc >= 5 && strcmp(argv[1], "link") == 0)
		return link_up(argv[2], argv[3], argv + 4);
	if (argc >= 4 && strcmp(argv[1], "plain") == 0)
		return plain(argv[2], argv + 3);
	if (argc == 3 && strcmp(argv[1], "cells") == 0)
		return cells(argv[2]);
	if (argc == 5 && strcmp(argv[1], "times") == 0)
		return times(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
	fputs("Use: device_probe sealed HOME | forge HOME names|text | dump HOME PASSPHRASE-FILE OUT |\n"
	      "     link DUMP BASELINE SERVER-FOLDER… | plain DUMP FOLDER… |\n"
	      "     cells FOLDER | times DUMP FROM TO\n", stderr);
	return 2;
}
