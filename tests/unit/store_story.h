/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_story: one store's life in fifteen steps, each of which may be repeated: cells, board,
 * inbox, bulletin, three releases, two erasures, a settled day.  However often it is broken
 * off, told on from the first step that was not acknowledged it ends in the same store.
 */
#ifndef AMPARO_STORE_STORY_H
#define AMPARO_STORE_STORY_H

#include "store_test.h"

#define N_CELLS 24
#define ERASED_EARLY 2          /* in a segment of its own day */
#define ERASED_LATE  9          /* while its day settles */

static struct test_cell *cell;
static uint8_t part[2][5000], part_hash[2][STORE_ID];
static const uint8_t ticket[STORE_ID] = { 77 };

static inline enum perr append(struct store *st, int from, int n)
{
	struct store_cell v[N_CELLS];
	enum perr err;
	int i;

	for (i = 0; i < n; i++) {
		v[i].cell = cell[from + i].cell;
		memcpy(v[i].id, cell[from + i].id, STORE_ID);
	}
	err = store_append(st, v, (size_t)n);
	if (err == PERR_OK)
		err = store_commit(st);
	for (i = 0; err == PERR_OK && i < n; i++)
		if (v[i].status == STORE_FULL)
			err = PERR_FULL;        /* the sender keeps it and comes again */
	return err;
}

static inline enum perr put_part(struct store *st, int i)
{
	uint32_t have;
	enum perr err = store_part_put(st, part_hash[i], sizeof part[i], 0, part[i], 3000, &have);

	if (err == PERR_OK && have < sizeof part[i])
		err = store_part_put(st, part_hash[i], sizeof part[i], have, part[i] + have,
		                     sizeof part[i] - have, &have);
	return err;
}

static inline enum perr commit_after(struct store *st, enum perr err, enum store_status status)
{
	enum perr commit = store_commit(st);

	if (err == PERR_OK)
		err = commit;
	return err == PERR_OK && status == STORE_FULL ? PERR_FULL : err;
}

static inline enum perr release(struct store *st, uint32_t day)
{
	struct store_release rel = { .day = day, .retention_days = 60 };
	enum perr err = store_release(st, &rel);

	/* Work put off is asked for again; so the end is the same in every run. */
	return err == PERR_OK && rel.deferred > 0 ? PERR_MORE : err;
}

#define N_OPS 15
static inline enum perr op(struct store *st, int i)
{
	enum store_status status = STORE_STORED;
	struct store_meta meta = { "policy", (const uint8_t *)(i > 7 ? "new" : "old"), 3 };
	enum perr err;

	switch (i) {
	case 0:
		return append(st, 0, 8);
	case 1:
		err = store_board_put(st, cell[20].cell, cell[20].id, NULL, &status);
		return commit_after(st, err, status);
	case 2:
		err = store_join_put(st, ticket, cell[21].cell, cell[21].id, &status);
		return commit_after(st, err, status);
	case 3:
		return put_part(st, 0);
	case 4:
		err = put_part(st, 0);  /* a restart forgets staged parts */
		return err != PERR_OK ? err : store_bulletin_commit(st,
		       (const uint8_t (*)[STORE_ID])part_hash, 1, &meta, 1);
	case 5:
		return release(st, DAY0);
	case 6:
		return append(st, 8, 6);
	case 7:
		err = store_erase(st, cell[ERASED_EARLY].id, cell[ERASED_EARLY].ds, DAY0, &status);
		return commit_after(st, err, status);
	case 8:
		err = store_board_put(st, cell[22].cell, cell[22].id, cell[20].ds, &status);
		return commit_after(st, err, status);
	case 9:
		return release(st, DAY0);
	case 10:
		return append(st, 14, 4);
	case 11:
		err = store_erase(st, cell[ERASED_LATE].id, cell[ERASED_LATE].ds, DAY0 + 3, &status);
		return commit_after(st, err, status);
	case 12:
		return release(st, DAY0 + 3);
	case 13:
		err = put_part(st, 1);
		return err != PERR_OK ? err : store_bulletin_commit(st,
		       (const uint8_t (*)[STORE_ID])part_hash[1], 1, &meta, 1);
	default:
		return append(st, 18, 2);
	}
}

static unsigned lost, wrong, left_over;
static bool is_early;           /* the control: answers leave before their commit */

static inline int is_stray(const char *path, const struct stat *sb, int type, struct FTW *f)
{
	if (S_ISREG(sb->st_mode) && (strstr(path, ".new") != NULL || strstr(path, ".old") != NULL ||
	                             strstr(path, ".part") != NULL || sb->st_nlink != 1))
		left_over++;
	return 0;
}

static inline bool has_bytes(const char *dir, const char *name, const uint8_t *bytes)
{
	char path[512];
	size_t len, i;
	uint8_t *buf;
	bool found = false;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (access(path, R_OK) != 0)
		return false;
	buf = slurp(dir, name, &len);
	for (i = 0; i + 64 <= len && !found; i++)
		found = buf[i] == bytes[0] && memcmp(buf + i, bytes, 64) == 0;
	free(buf);
	return found;
}

/* The story has been told to its end: is all of it there? */
static inline void check_end(struct store *st, const char *dir)
{
	static uint8_t buf[8 * STORE_CELL];
	unsigned times[N_CELLS], i;
	uint32_t got, total;
	size_t len;

	if (release(st, DAY0 + 3) != PERR_OK)
		wrong++;
	count_released(st, cell, N_CELLS, times);
	for (i = 0; i < 20; i++) {
		bool is_erased = i == ERASED_EARLY || i == ERASED_LATE;

		lost += !is_erased && times[i] == 0;
		wrong += !is_erased ? times[i] > 1 : times[i] > 0;
	}
	/* nowhere: not in a retired file that a kill left behind, nor in a page nobody reads */
	wrong += in_folder(dir, cell[ERASED_LATE].cell + 100) > 0;
	wrong += in_folder(dir, cell[ERASED_EARLY].cell + 100) > 0;
	wrong += in_folder(dir, cell[20].cell + 100) > 0;       /* replaced on the board */
	wrong += in_folder(dir, part[0]) > 0;                   /* replaced in the bulletin */
	lost += !has_bytes(dir, "segments/20782.mdb", cell[0].cell + 100);
	if (store_board_get(st, 0, 8, buf, &got, &total, NULL) != PERR_OK || total != 1 ||
	    memcmp(buf, cell[22].cell, STORE_CELL) != 0)
		lost++;
	if (store_join_list(st, 0, 8, NULL, buf, &got) != PERR_OK || got != 1 ||
	    memcmp(buf, cell[21].cell, STORE_CELL) != 0)
		lost++;
	if (store_meta_get(st, "policy", buf, 3, &len) != PERR_OK || memcmp(buf, "new", 3) != 0)
		lost++;
	if (store_part_get(st, part_hash[1], 0, buf, sizeof buf, &len, &total) != PERR_OK ||
	    len != 5000 || memcmp(buf, part[1], 5000) != 0)
		lost++;
	nftw(dir, is_stray, 16, FTW_PHYS);
}

static inline void story_init(void)
{
	int i;

	cell = make_cells(0, N_CELLS);
	for (i = 0; i < 2; i++) {
		memset(part[i], i + 1, sizeof part[i]);
		crypto_generichash(part_hash[i], STORE_ID, part[i], sizeof part[i], NULL, 0);
	}
}

/* Make and open. */
static inline struct store *begin(const char *dir)
{
	struct store *st = NULL;
	enum perr err;
	int tries;

	for (tries = 0; st == NULL && tries < 5; tries++) {
		err = store_open(&st, dir, &test_config, NULL);
		if (err == PERR_NOTFOUND)
			(void)!store_create(dir, DAY0, NULL, 0);
	}
	return st;
}

/* All the story from op `from` on; an op that fails is tried again, by a new process's eyes
 * if the store has died.  acked_fd: told after each op. */
static void (*on_ack)(int op);  /* told after each step, if set */

static inline struct store *tell(struct store *st, const char *dir, int from, int acked_fd)
{
	int i, tries;

	for (i = from; st != NULL && i < N_OPS; i++) {
		if (is_early && acked_fd >= 0 && write(acked_fd, &(char){ (char)i }, 1) != 1)
			_exit(1);
		for (tries = 0; op(st, i) != PERR_OK; tries++) {
			if (store_dead_reason(st) != NULL) {
				store_close(st);
				st = begin(dir);
			}
			if (tries == 5 || st == NULL) {
				wrong++;
				return st;
			}
		}
		if (acked_fd >= 0 && write(acked_fd, &(char){ (char)i }, 1) != 1)
			_exit(1);
		if (on_ack != NULL)
			on_ack(i);
	}
	return st;
}

#endif
