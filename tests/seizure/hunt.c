/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * seizure_hunt PLAN WHERE=PATH…: look for every canary of a plan (canary.h), in every shape,
 * in files or in all files below folders; names of files are looked into as well.
 *
 * Prints, parted by tabs:
 *
 *	hit	CLASS	NUMBER	SHAPE	WHERE	COUNT	PATH	OFFSET    of the first one
 *	searched	WHERE	BYTES	FILES
 *	plan	CANARIES	PATTERNS	SHAPES
 *
 * NUMBER counts the canaries of the plan from 1.  Exit code 0 whatever is found; 2: usage, or
 * something could not be read (nothing is known then).
 */
#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scan.h"

struct found {
	uint64_t count, first;
	char *path;
};

struct hunt {
	struct plan plan;
	struct scan *scan;
	struct found *found;             /* by canary and shape */
	const char *path;
	uint64_t bytes, files;
	bool failed;
};

static void on_hit(void *arg, size_t canary, enum shape shape, uint64_t at)
{
	struct hunt *h = arg;
	struct found *f = &h->found[canary * SHAPE_N + shape];

	if (f->count++ == 0) {
		f->first = at;
		f->path = need(strdup(h->path));
	}
}

static void walk(struct hunt *h, const char *path)
{
	const char *base = strrchr(path, '/');
	struct dirent *e;
	struct stat st;
	DIR *d;

	base = base == NULL ? path : base + 1;
	h->path = path;
	scan_data(h->scan, (const uint8_t *)base, strlen(base), strlen(base), 0, on_hit, h);
	if (lstat(path, &st) != 0) {
		h->failed = true;
		fprintf(stderr, "seizure_hunt: %s: %s\n", path, strerror(errno));
		return;
	}
	if (S_ISREG(st.st_mode)) {
		if (!scan_file(h->scan, path, &h->bytes, on_hit, h)) {
			h->failed = true;
			fprintf(stderr, "seizure_hunt: %s cannot be read\n", path);
		}
		h->files++;
		return;
	}
	if (!S_ISDIR(st.st_mode) || (d = opendir(path)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		char *sub;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (asprintf(&sub, "%s/%s", path, e->d_name) < 0)
			need(NULL);
		walk(h, sub);
		free(sub);
	}
	closedir(d);
}

static void tell(struct hunt *h, const char *where)
{
	for (size_t i = 0; i < h->plan.n; i++)
		for (int s = 0; s < SHAPE_N; s++) {
			struct found *f = &h->found[i * SHAPE_N + (size_t)s];

			if (f->count == 0)
				continue;
			printf("hit\t%s\t%zu\t%s\t%s\t%llu\t%s\t%llu\n", h->plan.v[i].class, i + 1,
			       shape_text((enum shape)s), where, (unsigned long long)f->count,
			       f->path, (unsigned long long)f->first);
			free(f->path);
			memset(f, 0, sizeof *f);
		}
	printf("searched\t%s\t%llu\t%llu\n", where, (unsigned long long)h->bytes,
	       (unsigned long long)h->files);
	h->bytes = h->files = 0;
}

int main(int argc, char **argv)
{
	struct hunt h = { 0 };

	if (argc < 3 || sodium_init() < 0) {
		fputs("Use: seizure_hunt PLAN WHERE=PATH…\n", stderr);
		return 2;
	}
	plan_read(&h.plan, argv[1]);
	h.scan = scan_new(&h.plan);
	h.found = need(calloc(h.plan.n * SHAPE_N + 1, sizeof *h.found));
	for (int i = 2; i < argc; i++) {
		char *eq = strchr(argv[i], '=');

		if (eq == NULL)
			return 2;
		*eq = '\0';
		walk(&h, eq + 1);
		/* several paths in a row may be one place */
		if (i + 1 == argc || strncmp(argv[i + 1], argv[i], strlen(argv[i])) != 0 ||
		    argv[i + 1][strlen(argv[i])] != '=')
			tell(&h, argv[i]);
	}
	printf("plan\t%zu\t%zu\t%d\n", h.plan.n, scan_patterns(h.scan), SHAPE_N);
	scan_free(h.scan);
	plan_free(&h.plan);
	free(h.found);
	return h.failed ? 2 : 0;
}
