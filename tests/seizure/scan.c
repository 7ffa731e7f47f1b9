/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEY          4u
#define MAP_BITS     18u
#define MIN_LEN      4u          /* of a pattern: an address */
#define STRONG_LEN   6u          /* shorter ones may be met by chance */
#define STEP         (4u << 20)
#define N_UNITS      5
#define AROUND       24u         /* bytes on either side that tell cipher text from the rest */

struct pattern {
	size_t canary;
	enum shape shape;
	uint8_t *p;
	uint32_t len, at;        /* at: where its key lies in it */
	uint32_t key;
	struct pattern *next;    /* same bucket */
};

/* visits: sorted ranges in one unit */
struct unit {
	enum shape le, be;
	uint64_t per_s;
	uint64_t epoch_s;        /* so many seconds before 1970: XFS counts from 1901 */
	uint64_t lowest, highest;
	uint64_t *from, *to;
};

struct scan {
	const struct plan *plan;
	struct pattern *v;
	size_t n, max;
	uint8_t map[1u << (MAP_BITS - 3)];
	struct pattern **buckets;
	size_t longest;
	size_t *times;           /* canaries that are times */
	size_t n_times;
	struct unit units[N_UNITS];
};

static uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint32_t bucket_of(uint32_t key)
{
	return key * 0x9e3779b1u >> (32 - MAP_BITS);
}

static void add(struct scan *s, size_t canary, enum shape shape, const uint8_t *p, size_t len)
{
	struct pattern *q;

	if (len < MIN_LEN || (len < STRONG_LEN && s->plan->v[canary].type != CANARY_IP))
		return;                  /* too short to mean anything */
	if (s->n == s->max) {
		s->max = 2 * s->max + 1024;
		s->v = need(realloc(s->v, s->max * sizeof *s->v));
	}
	q = &s->v[s->n++];
	memset(q, 0, sizeof *q);
	q->canary = canary;
	q->shape = shape;
	q->p = need(malloc(len));
	memcpy(q->p, p, len);
	q->len = (uint32_t)len;
	if (len > s->longest)
		s->longest = len;
}

/* the text of a moment, to the second (1764000000) and to the minute (2025-11-24T16:00) */
static void add_texts(struct scan *s, size_t canary)
{
	const struct canary *c = &s->plan->v[canary];
	char text[5][64];

	for (uint64_t t = c->from_us / 1000000; t <= c->to_us / 1000000; t++) {
		time_t unix_s = (time_t)t;
		struct tm tm;

		snprintf(text[0], sizeof text[0], "%llu", (unsigned long long)t);
		add(s, canary, SHAPE_DIGITS, (uint8_t *)text[0], strlen(text[0]));
		(void)gmtime_r(&unix_s, &tm);
		(void)strftime(text[0], sizeof text[0], "%Y-%m-%d %H:%M", &tm);
		(void)strftime(text[1], sizeof text[1], "%Y-%m-%dT%H:%M", &tm);
		(void)strftime(text[2], sizeof text[2], "%d/%b/%Y:%H:%M", &tm);
		(void)strftime(text[3], sizeof text[3], "%b %e %H:%M:%S", &tm);
		(void)strftime(text[4], sizeof text[4], "%H:%M:%S", &tm);
		for (size_t i = 0; i < 5; i++)
			add(s, canary, SHAPE_CALENDAR, (uint8_t *)text[i], strlen(text[i]));
	}
}

static int by_from(const void *a, const void *b, void *arg)
{
	const struct plan *p = arg;
	uint64_t x = p->v[*(const size_t *)a].from_us, y = p->v[*(const size_t *)b].from_us;

	return (x > y) - (x < y);
}

static void add_units(struct scan *s)
{
	static const struct unit units[N_UNITS] = {
		{ SHAPE_S_LE, SHAPE_S_BE, 1, 0, 0, 0, NULL, NULL },
		{ SHAPE_MS_LE, SHAPE_MS_BE, 1000, 0, 0, 0, NULL, NULL },
		{ SHAPE_US_LE, SHAPE_US_BE, 1000000, 0, 0, 0, NULL, NULL },
		{ SHAPE_NS_LE, SHAPE_NS_BE, 1000000000, 0, 0, 0, NULL, NULL },
		{ SHAPE_XFS_LE, SHAPE_XFS_BE, 1000000000, 1ull << 31, 0, 0, NULL, NULL },
	};

	qsort_r(s->times, s->n_times, sizeof *s->times, by_from,
	        (void *)(uintptr_t)s->plan);
	memcpy(s->units, units, sizeof units);
	for (size_t u = 0; u < N_UNITS; u++) {
		struct unit *t = &s->units[u];

		t->from = need(malloc((s->n_times + 1) * sizeof *t->from));
		t->to = need(malloc((s->n_times + 1) * sizeof *t->to));
		t->lowest = UINT64_MAX;
		for (size_t i = 0; i < s->n_times; i++) {
			const struct canary *c = &s->plan->v[s->times[i]];
			uint64_t from = c->from_us + t->epoch_s * 1000000;
			uint64_t to = c->to_us + t->epoch_s * 1000000;

			t->from[i] = t->per_s < 1000000 ? from / (1000000 / t->per_s)
			           : from * (t->per_s / 1000000);
			t->to[i] = t->per_s < 1000000 ? to / (1000000 / t->per_s)
			         : to * (t->per_s / 1000000);
			if (t->from[i] < t->lowest)
				t->lowest = t->from[i];
			if (t->to[i] > t->highest)
				t->highest = t->to[i];
		}
	}
}

static bool is_dull(const uint8_t *p)
{
	unsigned zeros = 0;

	for (unsigned i = 0; i < KEY; i++)
		zeros += p[i] == 0;
	return zeros > 2;
}

/* file each pattern under those of its bytes that fewest others have */
static void index_all(struct scan *s)
{
	uint32_t *crowd = need(calloc(1u << MAP_BITS, sizeof *crowd));

	for (size_t i = 0; i < s->n; i++)
		for (uint32_t k = 0; k + KEY <= s->v[i].len; k++)
			crowd[bucket_of(load32(s->v[i].p + k))]++;
	s->buckets = need(calloc(1u << MAP_BITS, sizeof(struct pattern *)));
	for (size_t i = 0; i < s->n; i++) {
		struct pattern *q = &s->v[i];
		uint32_t best = 0, least = UINT32_MAX;

		for (uint32_t k = 0; k + KEY <= q->len; k++) {
			uint32_t n = crowd[bucket_of(load32(q->p + k))];

			if (is_dull(q->p + k))
				n += 1u << 20;
			if (n < least) {
				least = n;
				best = k;
			}
		}
		q->at = best;
		q->key = load32(q->p + best);
		q->next = s->buckets[bucket_of(q->key)];
		s->buckets[bucket_of(q->key)] = q;
		s->map[bucket_of(q->key) >> 3] |= (uint8_t)(1u << (bucket_of(q->key) & 7));
	}
	free(crowd);
}

struct scan *scan_new(const struct plan *p)
{
	struct scan *s = need(calloc(1, sizeof *s));

	s->plan = p;
	s->times = need(malloc((p->n + 1) * sizeof *s->times));
	for (size_t i = 0; i < p->n; i++) {
		uint8_t *buf;

		if (p->v[i].type == CANARY_TIME) {
			s->times[s->n_times++] = i;
			add_texts(s, i);
			continue;
		}
		buf = need(malloc(shape_room(&p->v[i])));
		for (int shape = 0; shape < SHAPE_N; shape++) {
			size_t len = shape_make(buf, &p->v[i], (enum shape)shape);

			if (len > 0)
				add(s, i, (enum shape)shape, buf, len);
		}
		free(buf);
	}
	add_units(s);
	index_all(s);
	return s;
}

void scan_free(struct scan *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].p);
	for (size_t u = 0; u < N_UNITS; u++) {
		free(s->units[u].from);
		free(s->units[u].to);
	}
	free(s->v);
	free(s->buckets);
	free(s->times);
	free(s);
}

size_t scan_patterns(const struct scan *s)
{
	return s->n + 2 * N_UNITS * s->n_times;
}

/*
 * Four bytes are met by chance in much cipher text.  Random bytes on both sides: it is in a
 * cell or a key, and was sealed or hashed; a record of ours never looks like that.
 */
static bool is_chance(const uint8_t *p, size_t len, size_t at, size_t n)
{
	const size_t ends[2][2] = { { at < AROUND ? 0 : at - AROUND, at },
	                            { at + n, at + n + AROUND > len ? len : at + n + AROUND } };

	for (int side = 0; side < 2; side++) {
		bool seen[256] = { 0 };
		unsigned distinct = 0, total = 0;

		for (size_t i = ends[side][0]; i < ends[side][1]; i++, total++) {
			distinct += !seen[p[i]];
			seen[p[i]] = true;
		}
		/* 24 random bytes have 22.9 different ones; fewer than 19 once in 1,000 times */
		if (total < AROUND || distinct < 19)
			return false;
	}
	return true;
}

/* the visit in which v lies, or n_times */
static size_t visit_of(const struct scan *s, const struct unit *u, uint64_t v)
{
	if (v < u->lowest || v > u->highest)
		return s->n_times;
	for (size_t i = 0; i < s->n_times && u->from[i] <= v; i++)
		if (v <= u->to[i])
			return i;
	return s->n_times;
}

typedef void hit_fn(void *arg, size_t canary, enum shape shape, uint64_t at);

static void look_time(const struct scan *s, const struct unit *u, const uint8_t *p, size_t len,
                      size_t at, uint64_t le, uint64_t be, uint64_t base, hit_fn *hit, void *arg)
{
	size_t n = u->per_s == 1 ? 4 : 8, i;

	i = visit_of(s, u, le);
	if (i < s->n_times && !is_chance(p, len, at, n))
		hit(arg, s->times[i], u->le, base + at);
	i = visit_of(s, u, be);
	if (i < s->n_times && !is_chance(p, len, at, n))
		hit(arg, s->times[i], u->be, base + at);
}

static void look_times(const struct scan *s, const uint8_t *p, size_t len, size_t at,
                       uint64_t base, hit_fn *hit, void *arg)
{
	uint32_t w = load32(p + at), wb = __builtin_bswap32(w);
	uint64_t v, vb;

	/* cheap refusals first: this runs at every offset */
	if (w - s->units[0].lowest <= s->units[0].highest - s->units[0].lowest ||
	    wb - s->units[0].lowest <= s->units[0].highest - s->units[0].lowest)
		look_time(s, &s->units[0], p, len, at, w, wb, base, hit, arg);
	if (at + 8 > len)
		return;
	v = load64(p + at);
	vb = __builtin_bswap64(v);
	for (int u = 1; u < N_UNITS; u++) {
		uint64_t span = s->units[u].highest - s->units[u].lowest;

		if (v - s->units[u].lowest <= span || vb - s->units[u].lowest <= span)
			look_time(s, &s->units[u], p, len, at, v, vb, base, hit, arg);
	}
}

static void look(const struct scan *s, const uint8_t *p, size_t len, size_t own, size_t at,
                 uint64_t base, hit_fn *hit, void *arg)
{
	uint32_t key = load32(p + at);

	for (const struct pattern *q = s->buckets[bucket_of(key)]; q != NULL; q = q->next) {
		size_t begin;

		if (q->key != key || at < q->at)
			continue;
		begin = at - q->at;
		if (begin >= own || begin + q->len > len || memcmp(p + begin, q->p, q->len) != 0)
			continue;
		if (q->len < STRONG_LEN && is_chance(p, len, begin, q->len))
			continue;
		hit(arg, q->canary, q->shape, base + begin);
	}
}

static bool is_zero_page(const uint8_t *p)
{
	return p[0] == 0 && memcmp(p, p + 1, 4095) == 0;
}

void scan_data(struct scan *s, const uint8_t *p, size_t len, size_t own, uint64_t base,
               hit_fn *hit, void *arg)
{
	size_t at = 0;

	while (at + KEY <= len) {
		/* a pattern that begins before these zeros and ends behind has its key in one
		 * of both: zeros are nobody's key */
		if ((at & 4095) == 0 && at + 4096 <= len && is_zero_page(p + at)) {
			at += 4096;
			continue;
		}
		if (s->map[bucket_of(load32(p + at)) >> 3] >> (bucket_of(load32(p + at)) & 7) & 1)
			look(s, p, len, own, at, base, hit, arg);
		if (s->n_times > 0 && at < own)
			look_times(s, p, len, at, base, hit, arg);
		at++;
	}
}

bool scan_file(struct scan *s, const char *path, uint64_t *bytes, hit_fn *hit, void *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t tail = s->longest > 64 ? s->longest : 64;
	uint8_t *buf = need(malloc(STEP + tail));
	uint64_t at = 0;
	struct stat st;
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	while (ok && at < (uint64_t)st.st_size) {
		off_t data = lseek(fd, (off_t)at, SEEK_DATA);
		size_t got = 0;

		if (data < 0)
			break;                   /* only a hole is left */
		/* step back to a whole page, so that zero pages are seen as such */
		if ((uint64_t)data > at)
			at = (uint64_t)data & ~4095ull;
		while (got < STEP + tail) {
			ssize_t n = pread(fd, buf + got, STEP + tail - got, (off_t)(at + got));

			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0) {
				ok = n == 0;
				break;
			}
			got += (size_t)n;
		}
		scan_data(s, buf, got, got < STEP ? got : STEP, at, hit, arg);
		at += STEP;
	}
	if (ok)
		*bytes += (uint64_t)st.st_size;
	free(buf);
	if (fd >= 0)
		(void)close(fd);
	return ok;
}
