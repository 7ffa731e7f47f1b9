/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * two_worlds: does the server's disk, or anything it answers, depend on who the clients are?
 *
 * Two sides live through the same night (night.h): same moments, same numbers of
 * connections and cells, other people and other doings.  All that can be counted on the disk
 * and in the answers is compared between the sides: feature by feature (permute.h) and all
 * together (classify.h).  Then the same nights are looked at as leaky servers would have left
 * them: each leak must be found, or nothing was proved.
 *
 *	two_worlds [--runs N] [--seed HEX] [--level P] [--jobs N] [--json FILE] [--show]
 *	two_worlds --seed HEX --night SIDE,NUMBER
 *
 * runs   a side, 16..250; 20 if not said
 * level  chance of a false alarm, for features and again for the classifier; 0.001
 * show   the ten most remarkable features
 * night  live through one of the nights again and print all its features
 *
 * Exit code 0: the promise holds and every control was caught; 1: not so; 2: the setting
 * itself broke.
 */
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "classify.h"
#include "must.h"
#include "night.h"
#include "permute.h"
#include "rank.h"

#define COLUMNS       98304u     /* room for features */
#define RUNS_MIN      16       /* fewer cannot be remarkable among so many features */
#define RUNS_MAX      (PERMUTE_RUNS_MAX / 2 - 6)
#define CONTROL_RUNS  20         /* a side; controls need no more */
#define FOLDS         5
#define RIDGE         0.5
#define SHOWN         10
#define ORDER_FAR     5.0        /* standard errors: one time in a million by chance */
#define ORDER_FILES   4          /* released files at several moments, at least */

struct options {
	unsigned runs, jobs;
	uint64_t seed;
	double level;
	const char *json;
	bool show;
	int night_side;
	unsigned night_number;
	bool is_night;
};

/* what the workers fill, in memory shared with them */
struct shared {
	struct feature_name names[COLUMNS];
	uint32_t n;
	uint32_t width[2 * RUNS_MAX];            /* features of each run */
	uint32_t n_cells[2 * RUNS_MAX], n_waiting[2 * RUNS_MAX];
	float replayed[COLUMNS];                 /* side 1, number 0, once more */
	float v[];                               /* plain, then each control */
};

static size_t n_control(const struct options *o)
{
	return 2 * (o->runs < CONTROL_RUNS ? o->runs : CONTROL_RUNS);
}

static float *row_of(const struct options *o, struct shared *s, size_t run)
{
	return s->v + run * COLUMNS;
}

static float *control_row_of(const struct options *o, struct shared *s, int leak, size_t run)
{
	return s->v + (2 * o->runs + (size_t)leak * n_control(o) + run) * COLUMNS;
}

static size_t shared_size(const struct options *o)
{
	return sizeof(struct shared) +
	       (2 * o->runs + NIGHT_LEAKS * n_control(o)) * COLUMNS * sizeof(float);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- nights ------------------------------------------------------------------------------ */

static void night_seed(const struct options *o, unsigned number, int side, uint8_t seed[32])
{
	uint8_t text[16] = { 0 };
	unsigned i;

	for (i = 0; i < 8; i++)
		text[i] = (uint8_t)(o->seed >> (56 - 8 * i));
	text[8] = (uint8_t)side;
	text[9] = (uint8_t)(number >> 8);
	text[10] = (uint8_t)number;
	crypto_generichash(seed, 32, text, sizeof text,
	                   (const uint8_t *)"two worlds of amparo", 20);
}

static void keep(float *row, const struct features *f)
{
	if (f->n > COLUMNS)
		must_fail("%zu features are more than there is room for", f->n);
	memcpy(row, f->v, f->n * sizeof *row);
}

/* run number i: side i % 2, number i / 2 */
static void live(const struct options *o, struct shared *s, size_t run)
{
	bool controls = run < n_control(o);
	struct night_result r;
	uint8_t seed[32];
	int leak;

	night_seed(o, (unsigned)(run / 2), (int)(run % 2), seed);
	night_live(&r, (int)(run % 2), seed, run == 0, controls);
	keep(row_of(o, s, run), &r.plain);
	s->width[run] = (uint32_t)r.plain.n;
	s->n_cells[run] = r.n_cells;
	s->n_waiting[run] = r.n_waiting;
	if (run == 0) {
		memcpy(s->names, r.plain.names, r.plain.n * sizeof *s->names);
		s->n = (uint32_t)r.plain.n;
	}
	for (leak = 0; controls && leak < NIGHT_LEAKS; leak++)
		keep(control_row_of(o, s, leak, run), &r.leaky[leak]);
	night_result_free(&r);
}

static void live_again(const struct options *o, struct shared *s)
{
	struct night_result r;
	uint8_t seed[32];

	night_seed(o, 0, 1, seed);
	night_live(&r, 1, seed, 0, 0);
	keep(s->replayed, &r.plain);
	night_result_free(&r);
}

/* fn in a process of its own for each of n jobs, at most o->jobs at once */
static void in_parallel(unsigned jobs, unsigned n, void (*fn)(void *arg, unsigned i), void *arg)
{
	unsigned begun = 0, ended = 0;
	int status;

	fflush(stdout);
	while (ended < n) {
		if (begun < n && begun - ended < jobs) {
			pid_t pid = fork();

			if (pid < 0)
				must_fail("fork: %s", strerror(errno));
			if (pid == 0) {
				fn(arg, begun);
				fflush(stdout);
				_exit(0);
			}
			begun++;
			continue;
		}
		if (wait(&status) < 0)
			must_fail("wait: %s", strerror(errno));
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			must_fail("a worker ended with status %#x", (unsigned)status);
		ended++;
	}
}

struct nights {
	const struct options *o;
	struct shared *s;
	unsigned workers;
};

static void worker(void *arg, unsigned i)
{
	struct nights *k = arg;
	size_t run;

	for (run = i; run < 2 * k->o->runs; run += k->workers)
		live(k->o, k->s, run);
	if (i == 0)
		live_again(k->o, k->s);
}

static struct shared *live_all(const struct options *o)
{
	struct shared *s = mmap(NULL, shared_size(o), PROT_READ | PROT_WRITE,
	                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct nights k = { o, s, o->jobs };
	size_t i;

	if (s == MAP_FAILED)
		must_fail("no memory for %zu MiB of features", shared_size(o) >> 20);
	in_parallel(o->jobs, o->jobs, worker, &k);
	for (i = 0; i < 2 * o->runs; i++) {
		if (s->width[i] != s->n)
			must_fail("run %zu has %u features, the first one %u", i, s->width[i],
			          s->n);
		/* the sides' clients must send as much: no server can hide that they do not */
		if (s->n_cells[i] != s->n_cells[0] || s->n_waiting[i] != s->n_waiting[0])
			must_fail("run %zu (side %zu) left %u cells, %u of them in the pool; the "
			          "first one %u and %u", i, i % 2, s->n_cells[i], s->n_waiting[i],
			          s->n_cells[0], s->n_waiting[0]);
	}
	return s;
}

/* ---- judging ----------------------------------------------------------------------------- */

struct verdict {
	size_t n_varying;
	double largest, smallest_p;      /* abs(AUC - 0.5); of Holm's */
	double chance;                   /* largest if the sides are named at random */
	uint64_t namings;
	struct classify_result all;
	struct remarkable {
		uint32_t at;
		double auc, p, corrected;
	} top[SHOWN];
	unsigned n_top;
};

/* the features that vary, one after the other; columns out: which */
static float *turn(const struct options *o, struct shared *s, int leak, size_t n_runs,
                   uint32_t *columns, size_t *n)
{
	float *x = must_alloc(n_runs * s->n, sizeof *x);
	size_t run, at;

	*n = 0;
	for (at = 0; at < s->n; at++) {
		float *col = x + *n * n_runs;
		bool varies = false;

		for (run = 0; run < n_runs; run++) {
			const float *row = leak < 0 ? row_of(o, s, run)
			                            : control_row_of(o, s, leak, run);

			col[run] = row[at];
			varies |= col[run] < col[0] || col[run] > col[0];
		}
		if (varies)
			columns[(*n)++] = (uint32_t)at;
	}
	return x;
}

static const double *order_p;

static int by_p(const void *a, const void *b)
{
	double x = order_p[*(const uint32_t *)a], y = order_p[*(const uint32_t *)b];

	return (x > y) - (x < y);
}

static double largest_of(const float *x, size_t n, const uint8_t *side, size_t n_runs)
{
	double largest = 0;
	size_t i;

	for (i = 0; i < n; i++)
		largest = fmax(largest, fabs(rank_auc(x + i * n_runs, side, n_runs) - 0.5));
	return largest;
}

static void judge(struct verdict *v, const struct options *o, struct shared *s, int leak)
{
	size_t n_runs = leak < 0 ? 2 * o->runs : n_control(o), n, i;
	uint32_t *columns = must_alloc(s->n, sizeof *columns);
	uint8_t *side = must_alloc(n_runs, 1), *group;
	uint64_t seed = o->seed + 1000u * (unsigned)(leak + 2);
	double *p, *auc, *corrected;
	uint32_t *order;
	float *x = turn(o, s, leak, n_runs, columns, &n);

	memset(v, 0, sizeof *v);
	v->n_varying = n;
	p = must_alloc(n, sizeof *p);
	auc = must_alloc(n, sizeof *auc);
	corrected = must_alloc(n, sizeof *corrected);
	order = must_alloc(n, sizeof *order);
	group = must_alloc(n, 1);
	for (i = 0; i < n_runs; i++)
		side[i] = i % 2;
	/* with many runs: so many that a feature that no naming reaches is remarkable */
	v->namings = permute_all(x, n, side, n_runs, (uint64_t)(1.5 * (double)n / o->level) + 1000,
	                         seed, p, auc);
	permute_holm(p, n, corrected);
	v->smallest_p = 1;
	for (i = 0; i < n; i++) {
		v->largest = fmax(v->largest, fabs(auc[i] - 0.5));
		v->smallest_p = fmin(v->smallest_p, corrected[i]);
		order[i] = (uint32_t)i;
		group[i] = s->names[columns[i]].group;
	}
	order_p = p;
	qsort(order, n, sizeof *order, by_p);
	for (i = 0; i < n && i < SHOWN; i++)
		v->top[v->n_top++] = (struct remarkable){ columns[order[i]], auc[order[i]],
		                                          p[order[i]], corrected[order[i]] };
	v->all = classify(x, group, FEATURE_GROUPS, n, side, n_runs, FOLDS, RIDGE,
	                  (unsigned)(2 / o->level), seed + 1);
	if (leak < 0) {
		struct permute_rng r;
		uint64_t bits[PERMUTE_RUNS_MAX / 64];

		permute_seed(&r, seed + 2);
		permute_draw(&r, n_runs, n_runs / 2, bits);
		for (i = 0; i < n_runs; i++)
			side[i] = bits[i / 64] >> i % 64 & 1;
		v->chance = largest_of(x, n, side, n_runs);
	}
	free(columns);
	free(side);
	free(group);
	free(p);
	free(auc);
	free(corrected);
	free(order);
	free(x);
}

struct judging {
	const struct options *o;
	struct shared *s;
	struct verdict *v;       /* [0] the promise, [1 + leak] a control; shared */
};

static void judge_one(void *arg, unsigned i)
{
	struct judging *j = arg;

	judge(&j->v[i], j->o, j->s, (int)i - 1);
}

/* found, and by what it was planted in */
static bool is_caught(const struct options *o, const struct shared *s, const struct verdict *v,
                      enum night_leak leak)
{
	enum feature_group g = v->n_top == 0 ? FEATURE_GROUPS
	                     : (enum feature_group)s->names[v->top[0].at].group;
	bool found = v->smallest_p < o->level;

	switch (leak) {
	case NIGHT_LEAK_BYTE:  return found && (g == FEATURE_CELL_VALUES || g == FEATURE_CELL_BITS);
	case NIGHT_LEAK_ORDER: return found && (g == FEATURE_ORDER || g == FEATURE_FILES);
	case NIGHT_LEAK_COUNT: return found && g == FEATURE_ANSWERS;
	case NIGHT_LEAK_SIZE:  return found && g == FEATURE_FILES;
	case NIGHT_LEAK_FAINT: return v->all.p < o->level;
	case NIGHT_LEAKS:      break;
	}
	return false;
}

/* ---- telling ----------------------------------------------------------------------------- */

static void show(const struct shared *s, const struct verdict *v, unsigned n)
{
	unsigned i;

	for (i = 0; i < v->n_top && i < n; i++)
		printf("  p %.2g (corrected %.2g), AUC %.3f: %s\n", v->top[i].p,
		       v->top[i].corrected, v->top[i].auc, s->names[v->top[i].at].text);
}

static const char *group_name(int g)
{
	return g < 0 ? "all" : feature_group_name((enum feature_group)g);
}

static bool claim(bool holds, const char *what)
{
	printf("%s %s\n", holds ? "ok" : "FAIL", what);
	return holds;
}

static bool is_replayed(const struct shared *s)
{
	uint32_t at, n = 0;

	for (at = 0; at < s->n; at++) {
		const float *first = &s->v[COLUMNS + at];        /* run 1: side 1, number 0 */

		if (memcmp(first, &s->replayed[at], sizeof *first) != 0 && n++ < SHOWN)
			printf("  %s: %.9g, then %.9g\n", s->names[at].text, *first,
			       s->replayed[at]);
	}
	return n == 0;
}

/*
 * Arrivals are the same on both sides, so a store that keeps their order does not tell the
 * sides apart; it is asked by itself.  Over all nights: how many standard errors is the mean
 * rank correlation of arrival against page away from 0?  The worst of the files whose
 * features are called so; n_files out: those that have cells.
 */
static double order_kept(const struct options *o, struct shared *s, const char *file,
                         double *mean_out, unsigned *n_files)
{
	double worst = 0;
	uint32_t at;

	*mean_out = 0;
	*n_files = 0;
	for (at = 0; at < s->n; at++) {
		double sum = 0, squares = 0, mean, var, far, n = 2.0 * o->runs;
		size_t run;

		if (strstr(s->names[at].text, file) == NULL ||
		    strstr(s->names[at].text, "cells by page: arrival against place") == NULL)
			continue;
		for (run = 0; run < 2 * o->runs; run++) {
			double v = row_of(o, s, run)[at];

			sum += v;
			squares += v * v;
		}
		if (!(squares > 0))
			continue;       /* no such file then */
		++*n_files;
		mean = sum / n;
		var = fmax((squares - sum * mean) / (n - 1), 1e-9);
		far = fabs(mean) / sqrt(var / n);
		if (far > worst) {
			worst = far;
			*mean_out = mean;
		}
	}
	return worst;
}

static bool tell_order(const struct options *o, struct shared *s)
{
	double mean, pool_mean, far, pool_far;
	unsigned n, n_pool;
	bool ok = true;

	far = order_kept(o, s, " segment ", &mean, &n);
	pool_far = order_kept(o, s, "evening pool", &pool_mean, &n_pool);
	ok &= claim(n >= ORDER_FILES && far < ORDER_FAR,
	            "released cells stand in no order of arrival");
	ok &= claim(n_pool == 1 && pool_far > ORDER_FAR && pool_mean > 0.9,
	            "control: in the pool they do, until the release");
	printf("figure: order of arrival in released files: worst mean correlation %.3f, %.1f "
	       "standard errors; control, the pool: %.3f\n", mean, far, pool_mean);
	return ok;
}

static bool tell(const struct options *o, struct shared *s, const struct verdict *v,
                 unsigned *caught)
{
	char text[256];
	bool ok = true;
	int leak;

	ok &= claim(is_replayed(s),
	            "a night lived through again from its seed gives the same features");
	ok &= claim(v[0].smallest_p >= o->level, "no feature tells the two worlds apart");
	if (o->show || v[0].smallest_p < o->level)
		show(s, &v[0], SHOWN);
	ok &= claim(v[0].all.p >= o->level, "nor do all of them together");
	ok &= tell_order(o, s);
	*caught = 0;
	for (leak = 0; leak < NIGHT_LEAKS; leak++) {
		const struct verdict *c = &v[1 + leak];
		bool is = is_caught(o, s, c, (enum night_leak)leak);

		*caught += is;
		snprintf(text, sizeof text, "control: %s is %s (smallest corrected p %.2g; "
		         "classifier %.2f, best %.2f by %s, p %.2g)",
		         night_leak_text((enum night_leak)leak),
		         is ? "caught" : "NOT caught", c->smallest_p, c->all.accuracy, c->all.best,
		         group_name(c->all.best_group), c->all.p);
		ok &= claim(is, text);
		show(s, c, o->show || !is ? SHOWN : 1);
	}
	printf("figure: features: %u; largest abs(AUC-0.5): %.3f; smallest corrected p: %.3g; "
	       "controls caught: %u/%d\n", s->n, v[0].largest, v[0].smallest_p, *caught,
	       NIGHT_LEAKS);
	printf("figure: two worlds: %u runs a side, %zu features vary, by chance the largest is "
	       "%.3f; all together right %.1f %% of the time, best group (%s) %.1f %%, p %.2g; "
	       "seed %016llx\n", o->runs,
	       v[0].n_varying, v[0].chance, 100 * v[0].all.accuracy,
	       group_name(v[0].all.best_group), 100 * v[0].all.best, v[0].all.p,
	       (unsigned long long)o->seed);
	if (!ok)
		printf("the same again: make two-worlds SEED=%016llx RUNS=%u LEVEL=%g "
		       "WORLDS=--show\n",
		       (unsigned long long)o->seed, o->runs, o->level);
	return ok;
}

static void write_json(const struct options *o, const struct shared *s, const struct verdict *v,
                       unsigned caught, bool ok, double seconds)
{
	FILE *f = fopen(o->json, "w");
	int leak;

	if (f == NULL)
		must_fail("%s: %s", o->json, strerror(errno));
	fprintf(f, "{\n  \"ok\": %s,\n  \"seed\": \"%016llx\",\n  \"runs_per_side\": %u,\n"
	        "  \"cells_per_run\": %u,\n  \"features\": %u,\n  \"features_varying\": %zu,\n"
	        "  \"level\": %g,\n  \"largest_abs_auc_minus_half\": %.6f,\n"
	        "  \"largest_by_chance\": %.6f,\n  \"smallest_corrected_p\": %.6g,\n"
	        "  \"namings\": %llu,\n  \"classifier\": { \"accuracy\": %.4f, "
	        "\"best\": %.4f, \"best_by\": \"%s\", \"p\": %.6g },\n"
	        "  \"controls_caught\": %u,\n  \"controls\": [\n", ok ? "true" : "false",
	        (unsigned long long)o->seed, o->runs, s->n_cells[0], s->n, v[0].n_varying, o->level,
	        v[0].largest, v[0].chance, v[0].smallest_p, (unsigned long long)v[0].namings,
	        v[0].all.accuracy, v[0].all.best, group_name(v[0].all.best_group), v[0].all.p,
	        caught);
	for (leak = 0; leak < NIGHT_LEAKS; leak++) {
		const struct verdict *c = &v[1 + leak];

		fprintf(f, "    { \"leak\": \"%s\", \"caught\": %s, "
		        "\"smallest_corrected_p\": %.6g, "
		        "\"by\": \"%s\", \"classifier\": { \"accuracy\": %.4f, \"best\": %.4f, "
		        "\"best_by\": \"%s\", \"p\": %.6g } }%s\n",
		        night_leak_text((enum night_leak)leak),
		        is_caught(o, s, c, (enum night_leak)leak) ? "true" : "false", c->smallest_p,
		        c->n_top > 0 ? s->names[c->top[0].at].text : "", c->all.accuracy,
		        c->all.best,
		        group_name(c->all.best_group), c->all.p,
		        leak + 1 < NIGHT_LEAKS ? "," : "");
	}
	fprintf(f, "  ],\n  \"seconds\": %.1f\n}\n", seconds);
	if (fclose(f) != 0)
		must_fail("%s: %s", o->json, strerror(errno));
}

/* ---- main -------------------------------------------------------------------------------- */

static void usage(void)
{
	fputs("usage: two_worlds [--runs N] [--seed HEX] [--level P] [--jobs N] [--json FILE] "
	      "[--show]\n       two_worlds --seed HEX --night SIDE,NUMBER\n", stderr);
	exit(MUST_BROKE);
}

static void read_options(struct options *o, int argc, char **argv)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int i;

	memset(o, 0, sizeof *o);
	o->runs = 20;
	o->level = 0.001;
	o->jobs = cores < 1 ? 1 : cores > 8 ? 8 : (unsigned)cores;
	if (getrandom(&o->seed, sizeof o->seed, 0) != (ssize_t)sizeof o->seed)
		must_fail("no random seed");
	for (i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--show") == 0) {
			o->show = true;
			continue;
		}
		if (strcmp(argv[i], "--runs") == 0)
			o->runs = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0)
			o->seed = strtoull(value, NULL, 16);
		else if (strcmp(argv[i], "--level") == 0)
			o->level = strtod(value, NULL);
		else if (strcmp(argv[i], "--jobs") == 0)
			o->jobs = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(argv[i], "--json") == 0)
			o->json = value;
		else if (strcmp(argv[i], "--night") == 0)
			o->is_night = sscanf(value, "%d,%u", &o->night_side, &o->night_number) == 2;
		else
			usage();
		i++;
	}
	if (i > argc || o->runs < RUNS_MIN || o->runs > RUNS_MAX || o->jobs < 1 ||
	    o->jobs > 64 || !(o->level >= 1e-6 && o->level <= 0.1) ||
	    o->night_side < 0 || o->night_side > 1)
		usage();
}

static int one_night(const struct options *o)
{
	struct night_result r;
	uint8_t seed[32];
	size_t i;

	night_seed(o, o->night_number, o->night_side, seed);
	night_live(&r, o->night_side, seed, 1, 0);
	for (i = 0; i < r.plain.n; i++)
		printf("%-12s %.9g  %s\n",
		       feature_group_name((enum feature_group)r.plain.names[i].group),
		       r.plain.v[i], r.plain.names[i].text);
	night_result_free(&r);
	return 0;
}

int main(int argc, char **argv)
{
	double began = now_s();
	struct judging j;
	struct options o;
	struct shared *s;
	struct verdict *v;
	unsigned caught;
	bool ok;

	setvbuf(stdout, NULL, _IOLBF, 0);
	read_options(&o, argc, argv);
	night_init();
	if (o.is_night)
		return one_night(&o);
	printf("two worlds: %u nights a side, seed %016llx\n", o.runs, (unsigned long long)o.seed);
	s = live_all(&o);
	printf("each night: %u cells left on the server; %.1f s\n", s->n_cells[0], now_s() - began);
	v = mmap(NULL, (1 + NIGHT_LEAKS) * sizeof *v, PROT_READ | PROT_WRITE,
	         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (v == MAP_FAILED)
		must_fail("no memory");
	j = (struct judging){ &o, s, v };
	in_parallel(o.jobs, 1 + NIGHT_LEAKS, judge_one, &j);
	ok = tell(&o, s, v, &caught);
	if (o.json != NULL)
		write_json(&o, s, v, caught, ok, now_s() - began);
	munmap(v, (1 + NIGHT_LEAKS) * sizeof *v);
	munmap(s, shared_size(&o));
	printf("%.1f s\n", now_s() - began);
	return ok ? 0 : 1;
}
