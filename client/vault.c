/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "vault.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vault_base.h"
#include "vault_page.h"

#define ENV_FLAGS (MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS)
#define UNSAFE_FLAGS (MDB_NOSYNC | MDB_NOMETASYNC | MDB_WRITEMAP | MDB_MAPASYNC | MDB_NOMEMINIT)
#define ROOM (sizeof(void *) >= 8 ? (size_t)4 << 30 : (size_t)256 << 20)
#define HEADER_KEY "amparo"

/* How much one commit of a rebuild holds in memory. */
#define REBUILD_LEN ((size_t)32 << 20)

enum perr vault_from_mdb(int rc)
{
	switch (rc) {
	case MDB_SUCCESS:
		return PERR_OK;
	case MDB_NOTFOUND:
		return PERR_NOTFOUND;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
		return PERR_FULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
	case MDB_BAD_DBI:
	case MDB_BAD_VALSIZE:
		return PERR_CORRUPT;
	default:
		return rc > 0 ? vault_disk_errno(rc) : PERR_IO;
	}
}

/* The same where every record asked for has to be there. */
static enum perr must_find(int rc)
{
	return rc == MDB_NOTFOUND ? PERR_CORRUPT : vault_from_mdb(rc);
}

/* ---- opening and locking ---- */

void vault_base_close(struct vault_base *b)
{
	if (b->env != NULL)
		mdb_env_close(b->env);
	b->env = NULL;
}

/* before LMDB sees it (vault_page.h) */
static enum perr tree_check(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum perr err;

	if (fd < 0)
		return vault_disk_errno(errno);
	err = vault_page_check(fd);
	close(fd);
	return err;
}

/* extra: MDB_NOSYNC for a new file that is synced once at its end, else 0. */
static enum perr base_open(struct vault_base *b, const char *path, size_t map_len, bool is_new,
                           unsigned extra)
{
	MDB_txn *txn = NULL;
	unsigned flags = 0;
	enum perr err;

	b->env = NULL;
	err = is_new ? PERR_OK : tree_check(path);
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_env_create(&b->env));
	if (err != PERR_OK)
		goto out;
	err = vault_from_mdb(mdb_env_set_maxdbs(b->env, 2));
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_env_set_mapsize(b->env, map_len));
	/* Read-only would do for most commands, but a new file must be 0600. */
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_env_open(b->env, path, ENV_FLAGS | extra, 0600));
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_env_get_flags(b->env, &flags));
	assert(err != PERR_OK || is_new || (flags & UNSAFE_FLAGS) == 0);
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_txn_begin(b->env, NULL, is_new ? 0 : MDB_RDONLY, &txn));
	if (err != PERR_OK)
		goto out;
	err = must_find(mdb_dbi_open(txn, NULL, 0, &b->main));
	if (err == PERR_OK)
		err = must_find(mdb_dbi_open(txn, "n", is_new ? MDB_CREATE : 0, &b->n));
	if (err == PERR_OK)
		err = must_find(mdb_dbi_open(txn, "v", is_new ? MDB_CREATE : 0, &b->v));
	if (err == PERR_OK) {
		err = vault_from_mdb(mdb_txn_commit(txn));
		txn = NULL;
	}
out:
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (err != PERR_OK)
		vault_base_close(b);
	return err;
}

/*
 * LMDB commits by writing one of two meta pages in turn, and takes the newer one:
 * damage to its number would quietly bring back the state before.  In a whole file
 * the numbers differ by one, and the even one stands on page 0.
 * The layout (lmdb 0.9, data version 1), W = a machine word: page header W + 8;
 * magic, version u32; address, map size W; two databases 8 + 5 W; last page W; number W.
 */
static enum perr metas_check(MDB_env *env)
{
	const size_t w = sizeof(size_t);
	const off_t at = (off_t)(w + 8 + 4 + 4 + 2 * w + 2 * (8 + 5 * w) + w);
	size_t number[2];
	MDB_stat st;
	mdb_filehandle_t fd;
	off_t i;

	if (mdb_env_stat(env, &st) != MDB_SUCCESS || mdb_env_get_fd(env, &fd) != MDB_SUCCESS)
		return PERR_IO;
	for (i = 0; i < 2; i++)
		if (pread(fd, &number[i], w, i * (off_t)st.ms_psize + at) != (ssize_t)w)
			return PERR_CORRUPT;
	if (number[0] % 2 != 0 || (number[0] + 1 != number[1] && number[1] + 1 != number[0]))
		return PERR_CORRUPT;
	return PERR_OK;
}

static size_t map_for(const struct vault *v, off_t file_len)
{
	/* Twice the room, so that it is not enlarged at each batch; whole pages. */
	return (((size_t)file_len + 2 * v->room) | 0xffff) + 1;
}

/* Under a lock: the file by that name is the one that is open, and has room. */
static enum perr base_check(struct vault *v)
{
	struct stat st;
	MDB_txn *txn = NULL;
	MDB_val key = { sizeof HEADER_KEY - 1, (void *)(uintptr_t)HEADER_KEY }, val;
	enum perr err = vault_disk_stat(&v->disk, &st);

	if (err != PERR_OK)
		return err;
	if (v->b.env != NULL && (st.st_ino != v->ino || st.st_dev != v->dev)) {
		/* Another process ran vault_compact: new file, new vault key, and
		 * the passphrase key still opens it. */
		vault_names_drop(v);
		vault_base_close(&v->b);
	}
	if (v->b.env != NULL) {
		if ((size_t)st.st_size + v->room <= v->map_len)
			return PERR_OK;
		v->map_len = map_for(v, st.st_size);
		return vault_from_mdb(mdb_env_set_mapsize(v->b.env, v->map_len));
	}
	v->map_len = map_for(v, st.st_size);
	err = base_open(&v->b, v->disk.mdb, v->map_len, false, 0);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_CORRUPT : err;
	v->dev = st.st_dev;
	v->ino = st.st_ino;
	err = metas_check(v->b.env);
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_txn_begin(v->b.env, NULL, MDB_RDONLY, &txn));
	if (err == PERR_OK)
		err = must_find(mdb_get(txn, v->b.main, &key, &val));
	if (err == PERR_OK)
		err = vault_header_open(v->keys, val.mv_data, val.mv_size);
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (err != PERR_OK)
		vault_base_close(&v->b);
	return err;
}

enum perr vault_enter(struct vault *v, int how)
{
	enum perr err;

	if (v->txn != NULL)             /* the batch holds LOCK_EX */
		return PERR_OK;
	err = vault_disk_lock(&v->disk, how);
	if (err != PERR_OK)
		return err;
	err = base_check(v);
	if (err == PERR_NOTFOUND) {
		/* Somebody was killed inside vault_disk_swap. */
		vault_disk_unlock(&v->disk);
		err = vault_disk_lock(&v->disk, LOCK_EX);
		if (err != PERR_OK)
			return err;
		err = vault_disk_recover(&v->disk);
		if (err == PERR_OK)
			err = base_check(v);
	}
	if (err != PERR_OK)
		vault_disk_unlock(&v->disk);
	return err;
}

void vault_leave(struct vault *v)
{
	if (v->txn == NULL)
		vault_disk_unlock(&v->disk);
}

/* A transaction to read with: the batch's, or a new one. */
enum perr vault_read_begin(struct vault *v, MDB_txn **txn)
{
	*txn = v->txn;
	if (v->txn != NULL)
		return PERR_OK;
	return vault_from_mdb(mdb_txn_begin(v->b.env, NULL, MDB_RDONLY, txn));
}

void vault_read_end(struct vault *v, MDB_txn *txn)
{
	if (txn != NULL && txn != v->txn)
		mdb_txn_abort(txn);
}

/* ---- new files ---- */

/* An empty vault.new with its header, durable unless extra has MDB_NOSYNC. */
static enum perr base_make(struct vault_base *b, const char *path, size_t map_len, unsigned extra,
                           const struct vault_params *p, const struct vault_keys *k)
{
	uint8_t header[VAULT_HEADER_SIZE];
	MDB_val key = { sizeof HEADER_KEY - 1, (void *)(uintptr_t)HEADER_KEY };
	MDB_val val = { sizeof header, header };
	MDB_txn *txn = NULL;
	enum perr err = base_open(b, path, map_len, true, extra);

	if (err != PERR_OK)
		return err;
	vault_header_make(header, p, k);
	err = vault_from_mdb(mdb_txn_begin(b->env, NULL, 0, &txn));
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_put(txn, b->main, &key, &val, MDB_NOOVERWRITE));
	if (err == PERR_OK) {
		err = vault_from_mdb(mdb_txn_commit(txn));
		txn = NULL;
	}
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (err != PERR_OK)
		vault_base_close(b);
	return err;
}

static enum perr home_make(const char *home)
{
	char *parent;
	struct stat st;
	enum perr err = PERR_OK;

	if (mkdir(home, 0700) == 0) {
		if (asprintf(&parent, "%s/..", home) < 0)
			return PERR_NOMEM;
		err = vault_disk_sync(parent);
		free(parent);
		return err;
	}
	if (errno != EEXIST)
		return vault_disk_errno(errno);
	if (stat(home, &st) != 0 || !S_ISDIR(st.st_mode))
		return PERR_IO;
	if ((st.st_mode & 077) != 0 && chmod(home, 0700) != 0)
		return PERR_IO;
	return PERR_OK;
}

/*
 * PERR_OK: there is one; PERR_NOTFOUND: certainly none.  Takes no memory: an answer that failed
 * must not look like an empty folder to vault_create, which would take the place of what is there.
 */
static enum perr is_there(const char *home)
{
	static const char *const files[] = { "vault.mdb", "vault.old" };
	struct stat st;
	enum perr err = PERR_NOTFOUND;
	int dir = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOTDIR ? PERR_NOTFOUND : vault_disk_errno(errno);
	for (size_t i = 0; i < 2 && err == PERR_NOTFOUND; i++)
		err = fstatat(dir, files[i], &st, AT_SYMLINK_NOFOLLOW) == 0 ? PERR_OK
		    : vault_disk_errno(errno);
	close(dir);
	return err;
}

bool vault_exists(const char *home)
{
	return is_there(home) == PERR_OK;
}

enum perr vault_create(const char *home, const char *pass, size_t pass_len, enum vault_cost cost)
{
	struct vault_disk disk;
	struct vault_params params;
	struct vault_keys *keys = NULL;
	struct vault_base b = { 0 };
	bool is_begun = false;
	enum perr err;

	memset(&disk, 0, sizeof disk);
	disk.lock_fd = -1;
	if (pass_len == 0)
		return PERR_RANGE;
	err = home_make(home);
	if (err == PERR_OK)
		err = vault_disk_open(&disk, home);
	if (err == PERR_OK)
		err = vault_disk_lock(&disk, LOCK_EX);
	if (err == PERR_OK)
		err = vault_disk_recover(&disk);
	if (err != PERR_OK)
		goto out;
	err = is_there(home);
	if (err != PERR_NOTFOUND) {
		err = err == PERR_OK ? PERR_EXISTS : err;
		goto out;
	}
	err = PERR_NOMEM;
	keys = sodium_malloc(sizeof *keys);
	if (keys == NULL)
		goto out;
	vault_params_make(&params, cost);
	err = vault_params_derive(&keys->pass, &params, pass, pass_len);
	if (err != PERR_OK)
		goto out;
	vault_keys_make(keys);
	is_begun = true;
	err = base_make(&b, disk.fresh, (size_t)1 << 20, 0, &params, keys);
	vault_base_close(&b);
	if (err == PERR_OK)
		err = vault_disk_swap(&disk);
out:
	if (err != PERR_OK && is_begun && vault_disk_shred(&disk, disk.fresh) != PERR_OK)
		err = PERR_IO;
	sodium_free(keys);
	vault_disk_close(&disk);
	return err;
}

/* ---- opening ---- */

/* A handle with the lock file open and nothing else. */
static enum perr vault_new(struct vault **out, const char *home)
{
	struct vault *v = calloc(1, sizeof *v);
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (v == NULL)
		return err;
	v->disk.lock_fd = -1;
	v->kv.ops = &vault_kv_ops;
	v->room = ROOM;
	v->keys = sodium_malloc(sizeof *v->keys);
	if (v->keys == NULL)
		goto out;
	err = is_there(home);
	if (err != PERR_OK)
		goto out;
	err = vault_disk_open(&v->disk, home);
	if (err != PERR_OK)
		goto out;
	*out = v;
	v = NULL;
out:
	vault_close(v);
	return err;
}

void vault_close(struct vault *v)
{
	if (v == NULL)
		return;
	kv_abort(&v->kv);
	vault_names_drop(v);
	vault_base_close(&v->b);
	sodium_free(v->keys);           /* wipes */
	vault_disk_close(&v->disk);
	free(v);
}

enum perr vault_derive(struct vault_key *key, const char *home, const char *pass, size_t pass_len)
{
	struct vault *v = NULL;
	struct vault_params params = { 0 };
	struct stat st;
	MDB_txn *txn = NULL;
	MDB_val k = { sizeof HEADER_KEY - 1, (void *)(uintptr_t)HEADER_KEY }, val;
	enum perr err;

	sodium_memzero(key, sizeof *key);
	err = vault_new(&v, home);
	if (err != PERR_OK)
		return err;
	err = vault_disk_lock(&v->disk, LOCK_EX);
	if (err == PERR_OK)
		err = vault_disk_recover(&v->disk);
	if (err == PERR_OK)
		err = vault_disk_stat(&v->disk, &st);
	if (err == PERR_OK)
		err = base_open(&v->b, v->disk.mdb, map_for(v, st.st_size), false, 0);
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_txn_begin(v->b.env, NULL, MDB_RDONLY, &txn));
	if (err == PERR_OK)
		err = must_find(mdb_get(txn, v->b.main, &k, &val));
	if (err == PERR_OK)
		err = vault_header_read(&params, val.mv_data, val.mv_size);
	if (txn != NULL)
		mdb_txn_abort(txn);
	vault_close(v);                 /* unlocks: Argon2id takes a second */
	if (err == PERR_OK)
		err = vault_params_derive(key, &params, pass, pass_len);
	return err;
}

enum perr vault_check(const struct vault *v, const struct vault_key *key)
{
	return sodium_memcmp(&v->keys->pass, key, sizeof *key) == 0 ? PERR_OK : PERR_AUTH;
}

enum perr vault_open(struct vault **out, const char *home, const struct vault_key *key)
{
	struct vault *v = NULL;
	enum perr err = vault_new(&v, home);

	*out = NULL;
	if (err != PERR_OK)
		return err;
	memcpy(&v->keys->pass, key, sizeof *key);
	err = vault_disk_lock(&v->disk, LOCK_EX);
	if (err == PERR_OK)
		err = vault_disk_recover(&v->disk);
	if (err == PERR_OK)
		err = base_check(v);
	if (err == PERR_OK) {
		vault_disk_unlock(&v->disk);
		*out = v;
		v = NULL;
	}
	vault_close(v);
	return err;
}

struct kv *vault_kv(struct vault *v)
{
	return &v->kv;
}

void vault_batch_room(struct vault *v, size_t bytes)
{
	v->room = bytes;
	if (v->txn == NULL)
		vault_base_close(&v->b);        /* opened again with the new room */
}

void vault_lock_wait(struct vault *v, unsigned ms)
{
	v->disk.wait_ms = ms;
}

bool vault_owes_compact(struct vault *v)
{
	MDB_txn *txn = NULL;
	uint8_t *value = NULL;
	size_t len;
	/* What cannot be read counts as owed: vault_compact will say why. */
	bool owes = true;

	if (vault_enter(v, LOCK_SH) != PERR_OK)
		return owes;
	if (vault_read_begin(v, &txn) == PERR_OK)
		owes = vault_record_get(v, txn, VAULT_OWED, &value, &len) != PERR_NOTFOUND;
	vault_read_end(v, txn);
	vault_leave(v);
	kv_free(value);
	return owes;
}

/* ---- rebuilding ---- */

struct move {
	uint8_t rk[VAULT_RK_SIZE];
	const char *name;
};

static int move_compare(const void *a, const void *b)
{
	return memcmp(((const struct move *)a)->rk, ((const struct move *)b)->rk, VAULT_RK_SIZE);
}

/*
 * The live records of v into b.  In the order of their new record keys, so that
 * neither page numbers nor the tree tell in which order they once came.
 */
static enum perr move_records(struct vault *v, struct vault_base *b, const struct vault_keys *k)
{
	const size_t n = v->index.n;
	struct move *moves = calloc(n ? n : 1, sizeof *moves);
	MDB_txn *from = NULL, *to = NULL;
	size_t i, held = 0;
	enum perr err = moves == NULL ? PERR_NOMEM : PERR_OK;

	if (err == PERR_OK)
		err = vault_from_mdb(mdb_txn_begin(v->b.env, NULL, MDB_RDONLY, &from));
	for (i = 0; i < n && err == PERR_OK; i++) {
		moves[i].name = v->index.names[i];
		vault_rk(moves[i].rk, k, moves[i].name);
	}
	if (err == PERR_OK)
		qsort(moves, n, sizeof *moves, move_compare);
	for (i = 0; i < n && err == PERR_OK; i++) {
		uint8_t *value = NULL;
		size_t len = 0;

		if (to == NULL)
			err = vault_from_mdb(mdb_txn_begin(b->env, NULL, 0, &to));
		if (err == PERR_OK)
			err = vault_record_get(v, from, moves[i].name, &value, &len);
		if (err == PERR_NOTFOUND)
			err = PERR_CORRUPT;
		if (err == PERR_OK)
			err = vault_record_put(b, k, to, moves[i].name, value, len);
		kv_free(value);
		held += len;
		if (err == PERR_OK && held > REBUILD_LEN) {
			err = vault_from_mdb(mdb_txn_commit(to));
			to = NULL;
			held = 0;
		}
	}
	if (to != NULL && err == PERR_OK) {
		err = vault_from_mdb(mdb_txn_commit(to));
		to = NULL;
	}
	if (to != NULL)
		mdb_txn_abort(to);
	if (from != NULL)
		mdb_txn_abort(from);
	free(moves);
	return err;
}

/* Under LOCK_EX: vault.new, complete and synced. */
static enum perr rebuild(struct vault *v, const struct vault_params *p, const struct vault_keys *k)
{
	struct vault_base b = { 0 };
	MDB_txn *txn = NULL;
	enum perr err = vault_from_mdb(mdb_txn_begin(v->b.env, NULL, MDB_RDONLY, &txn));

	if (err == PERR_OK)
		err = vault_names_load(v, txn);
	if (txn != NULL)
		mdb_txn_abort(txn);
	/* NOSYNC: nobody sees the file before the one sync at its end. */
	if (err == PERR_OK)
		err = base_make(&b, v->disk.fresh, v->map_len, MDB_NOSYNC, p, k);
	if (err == PERR_OK)
		err = move_records(v, &b, k);
	if (err == PERR_OK)
		err = vault_from_mdb(mdb_env_sync(b.env, 1));
	vault_base_close(&b);
	return err;
}

/* params and pass: NULL to keep what is there. */
static enum perr compact(struct vault *v, const struct vault_params *params,
                         const struct vault_key *pass)
{
	struct vault_params now;
	struct vault_keys *keys = NULL;
	MDB_txn *txn = NULL;
	MDB_val k = { sizeof HEADER_KEY - 1, (void *)(uintptr_t)HEADER_KEY }, val;
	enum perr err, err_shred;

	if (v->txn != NULL)
		return PERR_STATE;
	err = vault_enter(v, LOCK_EX);
	if (err != PERR_OK)
		return err;
	err = vault_disk_recover(&v->disk);
	if (err != PERR_OK)
		goto out;
	err = vault_from_mdb(mdb_txn_begin(v->b.env, NULL, MDB_RDONLY, &txn));
	if (err != PERR_OK)
		goto out;
	err = must_find(mdb_get(txn, v->b.main, &k, &val));
	if (err == PERR_OK)
		err = vault_header_read(&now, val.mv_data, val.mv_size);
	mdb_txn_abort(txn);
	if (err != PERR_OK)
		goto out;
	err = PERR_NOMEM;
	keys = sodium_malloc(sizeof *keys);
	if (keys == NULL)
		goto out;
	memcpy(&keys->pass, pass != NULL ? pass : &v->keys->pass, sizeof keys->pass);
	vault_keys_make(keys);
	err = rebuild(v, params != NULL ? params : &now, keys);
	if (err == PERR_OK) {
		v->changes++;
		vault_names_drop(v);
		vault_base_close(&v->b);      /* the next vault_enter() opens what is there then */
		err = vault_disk_swap(&v->disk);
		if (err == PERR_OK)
			memcpy(&v->keys->pass, &keys->pass, sizeof keys->pass);
	}
	/* Whichever of the two is not vault.mdb now goes. */
	err_shred = vault_disk_recover(&v->disk);
	if (err == PERR_OK)
		err = err_shred;
out:
	sodium_free(keys);
	vault_leave(v);
	return err;
}

enum perr vault_compact(struct vault *v)
{
	return compact(v, NULL, NULL);
}

enum perr vault_change_passphrase(struct vault *v, const char *pass, size_t pass_len,
                                  enum vault_cost cost, struct vault_key *key)
{
	struct vault_params params;
	struct vault_key *fresh = sodium_malloc(sizeof *fresh);
	enum perr err = PERR_NOMEM;

	if (key != NULL)
		sodium_memzero(key, sizeof *key);
	if (fresh == NULL)
		goto out;
	err = PERR_RANGE;
	if (pass_len == 0)
		goto out;
	vault_params_make(&params, cost);
	err = vault_params_derive(fresh, &params, pass, pass_len);
	if (err == PERR_OK)
		err = compact(v, &params, fresh);
	if (err == PERR_OK && key != NULL)
		memcpy(key, fresh, sizeof *key);
out:
	sodium_free(fresh);
	return err;
}

const char *vault_explain(enum perr err)
{
	switch ((int)err) {
	case PERR_AUTH:
		return "The passphrase is not the one of this vault.";
	case PERR_NOTFOUND:
		return "There is no vault in this folder yet; join an organisation or create one "
		       "first.";
	case PERR_EXISTS:
		return "There is a vault in this folder already; it was left as it is.";
	case PERR_CORRUPT:
		return "The vault file is damaged; nothing was changed. Restore it from a backup, "
		       "or ask co-holders to send the records again.";
	case PERR_UNKNOWN:
		return "The vault was written by a newer version of amparo; install that version.";
	case PERR_TIMEOUT:
		return "Another amparo command is still working on the vault; wait until it has "
		       "finished and try again.";
	case PERR_FULL:
		return "The disk is full; nothing was changed. Make room and try again.";
	case PERR_NOMEM:
		return "There is not enough memory; close other programs and try again.";
	case PERR_IO:
		return "The disk or its permissions refuse; nothing was changed.";
	default:
		return perr_text(err);
	}
}
