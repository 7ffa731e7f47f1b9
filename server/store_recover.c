/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store_recover: after a kill, make the folder match state.mdb again.
 *
 *   state.new.mdb            never renamed: the release did not happen; drop it
 *   state.old.mdb            the release happened; drop it (or it is state.mdb's second name)
 *   pool.new.mdb             never used
 *   pool.old.mdb             see open_pools: by serial number released or not
 *   segments/X.new           if it is what the state lists and X.mdb is not, put it in place;
 *                            else drop it
 *   segments/X.old, X.mdb    not listed: drop
 *
 *   bulletin/X               not listed: drop
 *
 * "Drop" is always: overwrite, sync, unlink.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_file.h"
#include "store_int.h"

static bool is_listed_as(struct store *st, const struct store_segment *s, const char *name)
{
	struct store_seg *seg = NULL;
	bool is_it = store_seg_open(&seg, st->sfd, name, NULL, NULL) == PERR_OK &&
	             store_seg_count(seg) == s->count &&
	             memcmp(store_seg_ids_digest(seg), s->digest, STORE_ID) == 0;

	store_seg_close(seg);
	return is_it;
}

/* digits [. digits] . mdb|new|old: only such files are ours to remove. */
static bool is_ours(const char *name, const char **ending)
{
	size_t i = strspn(name, "0123456789");

	if (i == 0 || name[i] != '.')
		return false;
	i++;
	if (strspn(name + i, "0123456789") > 0) {
		i += strspn(name + i, "0123456789");
		if (name[i] != '.')
			return false;
		i++;
	}
	*ending = name + i;
	return strcmp(*ending, "mdb") == 0 || strcmp(*ending, "new") == 0 ||
	       strcmp(*ending, "old") == 0;
}

static bool is_in_list(const struct store *st, const char *name)
{
	char listed[STORE_NAME_MAX];
	size_t i;

	for (i = 0; i < st->list.n; i++) {
		store_list_name(listed, &st->list.v[i], "mdb");
		if (strcmp(listed, name) == 0)
			return true;
	}
	return false;
}

static enum perr drop_strays(struct store *st)
{
	int fd = dup(st->sfd);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	enum perr err = PERR_OK;
	struct dirent *e;
	const char *ending;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return PERR_IO;
	}
	rewinddir(d);
	while (err == PERR_OK && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, "check.tmp") != 0 &&
		    (!is_ours(e->d_name, &ending) ||
		     (strcmp(ending, "mdb") == 0 && is_in_list(st, e->d_name))))
			continue;
		err = store_file_retire(st->sfd, e->d_name);
	}
	closedir(d);
	if (err == PERR_OK)
		err = store_file_sync_dir(st->sfd);
	return err;
}

enum perr store_recover(struct store *st, const char **why)
{
	static const char *const left_over[] = {
		"state.new.mdb", "state.old.mdb", "pool.new.mdb"
	};
	enum perr err = PERR_OK;
	size_t i;

	*why = "left-overs of a release cannot be cleared";
	for (i = 0; err == PERR_OK && i < 3; i++)
		err = store_file_retire(st->dfd, left_over[i]);
	/* A second name of pool.mdb: the swap had only begun. */
	if (err == PERR_OK && store_file_exists(st->dfd, "pool.old.mdb") &&
	    store_file_is_same(st->dfd, "pool.old.mdb", "pool.mdb"))
		err = store_file_retire(st->dfd, "pool.old.mdb");
	if (err == PERR_OK)
		err = store_file_sync_dir(st->dfd);
	for (i = 0; err == PERR_OK && i < st->list.n; i++) {
		const struct store_segment *s = &st->list.v[i];
		char name[STORE_NAME_MAX], fresh[STORE_NAME_MAX], old[STORE_NAME_MAX];

		store_list_name(name, s, "mdb");
		store_list_name(fresh, s, "new");
		store_list_name(old, s, "old");
		if (store_file_exists(st->sfd, fresh) && is_listed_as(st, s, fresh) &&
		    !is_listed_as(st, s, name))
			err = store_file_swap(st->sfd, fresh, name, old);
	}
	if (err == PERR_OK)
		err = drop_strays(st);
	if (err == PERR_OK)
		err = store_bulletin_tidy(st);
	return err;
}
