/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The functions of ODK XForms that give numbers, places and randomness. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "b64.h"
#include "ffunc_int.h"
#include "fold.h"

#define PI 3.14159265358979323846
#define EARTH_CIRCUMFERENCE_M 40075017.0
#define POINTS_MAX 10000
#define UUID_MAX 64

static void f_number(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	fval_set_number(out, ffunc_number(ev, e, 0));
}

static void f_int(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	fval_set_number(out, trunc(ffunc_number(ev, e, 0)));
}

/* Halves go up, as in XPath: round(-2.5) is -2. */
static void f_round(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double v = ffunc_number(ev, e, 0), places = e->n_args == 2 ? ffunc_number(ev, e, 1) : 0, scale;

	if (isnan(places) || places > 30 || places < -30) {
		fval_set_number(out, NAN);
		return;
	}
	scale = pow(10, trunc(fabs(places)));
	if (isfinite(v)) {
		double scaled = places < 0 ? v / scale : v * scale, down = floor(scaled);

		/* 1.005 × 100 is a little less than 100.5; people expect it to go up. */
		scaled = scaled - down >= 0.5 - 1e-9 * (fabs(scaled) + 1) / 1e6 ? down + 1 : down;
		v = places < 0 ? scaled * scale : scaled / scale;
	}
	fval_set_number(out, v);
}

/* Calls fn for the number of every node or argument. */
static void each_number(struct feval *ev, const struct fexpr *e,
                        void (*fn)(double *acc, double v), double *acc, bool *any)
{
	const struct fexpr *a;
	struct fval v, one;
	size_t k;
	double d;

	for (a = e->args; a != NULL; a = a->next) {
		feval_expr(ev, a, &v);
		for (k = 0; k < (v.kind == FVAL_NODES ? v.n_nodes : 1); k++) {
			one = v;
			if (v.kind == FVAL_NODES) {
				one.nodes += k;
				one.n_nodes = 1;
			}
			d = fval_number(ev, &one);
			if (!isnan(d)) {
				fn(acc, d);
				*any = true;
			}
		}
	}
}

static void add(double *acc, double v)
{
	*acc += v;
}

static void larger(double *acc, double v)
{
	if (v > *acc)
		*acc = v;
}

static void smaller(double *acc, double v)
{
	if (v < *acc)
		*acc = v;
}

static void f_sum(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double acc = 0;
	bool any;

	each_number(ev, e, add, &acc, &any);
	fval_set_number(out, acc);
}

static void f_max(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double acc = -INFINITY;
	bool any = false;

	each_number(ev, e, larger, &acc, &any);
	fval_set_number(out, any ? acc : NAN);
}

static void f_min(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double acc = INFINITY;
	bool any = false;

	each_number(ev, e, smaller, &acc, &any);
	fval_set_number(out, any ? acc : NAN);
}

#define OF_ONE(name, expr) \
	static void f_##name(struct feval *ev, const struct fexpr *e, struct fval *out) \
	{ \
		double v = ffunc_number(ev, e, 0); \
		fval_set_number(out, expr); \
	}
OF_ONE(abs, fabs(v))
OF_ONE(log, log(v))
OF_ONE(log10, log10(v))
OF_ONE(sin, sin(v))
OF_ONE(cos, cos(v))
OF_ONE(tan, tan(v))
OF_ONE(asin, asin(v))
OF_ONE(acos, acos(v))
OF_ONE(atan, atan(v))
OF_ONE(sqrt, sqrt(v))
OF_ONE(exp, exp(v))
OF_ONE(exp10, pow(10, v))

static void f_atan2(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double y = ffunc_number(ev, e, 0);

	fval_set_number(out, atan2(y, ffunc_number(ev, e, 1)));
}

static void f_pow(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double base = ffunc_number(ev, e, 0);

	fval_set_number(out, pow(base, ffunc_number(ev, e, 1)));
}

static void f_pi(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	fval_set_number(out, PI);
}

/* ---- places ------------------------------------------------------------------------- */

struct point {
	double lat, lon;
};

static bool decimal(struct feval *ev, const char **s, double *out)
{
	size_t len;
	char *word;
	struct fval v;

	*s += strspn(*s, " ");
	len = strcspn(*s, " ;");
	word = len == 0 ? NULL : farena_str(ev->scratch, *s, len);
	if (word == NULL)
		return false;
	fval_set_string(&v, word);
	*out = fval_number(ev, &v);
	*s += len;
	return !isnan(*out);
}

/* "lat lon alt acc; lat lon alt acc; …" or a set of such nodes */
static size_t read_points(struct feval *ev, const struct fexpr *e, struct point *to)
{
	struct fval v;
	size_t k = 0, n = 0;
	const char *s;

	feval_expr(ev, e->args, &v);
	do {
		s = v.kind != FVAL_NODES ? fval_string(ev, &v)
			: k < v.n_nodes ? feval_node_text(ev, v.nodes[k]) : "";
		while (*s != '\0' && n < POINTS_MAX && feval_spend(ev, 4)) {
			if (!decimal(ev, &s, &to[n].lat) || !decimal(ev, &s, &to[n].lon))
				return 0;
			n++;
			s += strcspn(s, ";");
			s += *s == ';';
			s += strspn(s, " ");
		}
	} while (v.kind == FVAL_NODES && ++k < v.n_nodes);
	return n;
}

static void f_distance(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	struct point *p = farena_get(ev->scratch, POINTS_MAX * sizeof *p);
	size_t i, n = p == NULL ? 0 : read_points(ev, e, p);
	double sum = 0;

	for (i = 1; i < n; i++) {
		double a = p[i - 1].lat * PI / 180, b = p[i].lat * PI / 180;
		double d = (p[i].lon - p[i - 1].lon) * PI / 180;
		double h = pow(sin((b - a) / 2), 2) + cos(a) * cos(b) * pow(sin(d / 2), 2);

		sum += EARTH_CIRCUMFERENCE_M / PI * asin(sqrt(h > 1 ? 1 : h));
	}
	fval_set_number(out, sum);
}

/* On a plane that touches the Earth at the first point: exact enough for a field. */
static void f_area(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	struct point *p = farena_get(ev->scratch, POINTS_MAX * sizeof *p);
	size_t i, n = p == NULL ? 0 : read_points(ev, e, p);
	double sum = 0, metre = EARTH_CIRCUMFERENCE_M / 360;

	for (i = 1; n >= 3 && i < n; i++) {
		const struct point *a = &p[i], *b = &p[i + 1 < n ? i + 1 : 0];
		double ax = (a->lon - p[0].lon) * metre * cos(a->lat * PI / 180);
		double ay = (a->lat - p[0].lat) * metre;
		double bx = (b->lon - p[0].lon) * metre * cos(b->lat * PI / 180);
		double by = (b->lat - p[0].lat) * metre;

		sum += (ay * bx - by * ax) / 2;
	}
	fval_set_number(out, fabs(sum));
}

/* ---- randomness and digests --------------------------------------------------------- */

static void random_bytes(struct feval *ev, uint8_t *out, size_t n)
{
	memset(out, 0, n);
	if (ev->random != NULL)
		ev->random(ev->random_ctx, out, n);
}

static void f_random(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	uint64_t r;

	random_bytes(ev, (uint8_t *)&r, sizeof r);
	fval_set_number(out, (double)(r >> 11) / 9007199254740992.0);
}

static void f_uuid(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint8_t r[UUID_MAX];
	char *s = farena_get(ev->scratch, UUID_MAX + 1);
	double want;
	size_t n, i;

	fval_set_string(out, "");
	if (ev->random == NULL || s == NULL)
		return;
	if (e->n_args == 1) {
		want = ffunc_number(ev, e, 0);
		n = isnan(want) || want < 1 ? 0 : want > UUID_MAX ? UUID_MAX : (size_t)want;
		random_bytes(ev, r, n);
		for (i = 0; i < n; i++)
			s[i] = letters[r[i] % (sizeof letters - 1)];
	} else {
		random_bytes(ev, r, 16);
		snprintf(s, UUID_MAX, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		         "%02x%02x%02x%02x%02x%02x", r[0], r[1], r[2], r[3], r[4], r[5],
		         (r[6] & 15) | 0x40, r[7], (r[8] & 63) | 0x80, r[9], r[10], r[11], r[12], r[13],
		         r[14], r[15]);
	}
	fval_set_string(out, s);
}

static void f_digest(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *text = ffunc_string(ev, e, 0), *algorithm = ffunc_string(ev, e, 1);
	const char *encoding = e->n_args == 3 ? ffunc_string(ev, e, 2) : "base64";
	uint8_t hash[crypto_hash_sha512_BYTES];
	char *s = farena_get(ev->scratch, 2 * sizeof hash + 1);
	size_t n = 0;

	fval_set_string(out, "");
	if (s == NULL)
		return;
	if (strcmp(algorithm, "SHA-256") == 0) {
		n = crypto_hash_sha256_BYTES;
		crypto_hash_sha256(hash, (const uint8_t *)text, strlen(text));
	} else if (strcmp(algorithm, "SHA-512") == 0) {
		n = crypto_hash_sha512_BYTES;
		crypto_hash_sha512(hash, (const uint8_t *)text, strlen(text));
	} else {
		return;
	}
	if (strcmp(encoding, "hex") == 0)
		sodium_bin2hex(s, 2 * sizeof hash + 1, hash, n);
	else
		sodium_bin2base64(s, 2 * sizeof hash + 1, hash, n, sodium_base64_VARIANT_ORIGINAL);
	fval_set_string(out, s);
}

static void f_base64_decode(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *text = ffunc_string(ev, e, 0);
	size_t n = 0, len = strlen(text);
	char *flat = farena_get(ev->scratch, len + 1), *s = farena_get(ev->scratch, len + 1);

	fval_set_string(out, "");
	if (flat == NULL || s == NULL)
		return;
	for (; *text != '\0'; text++)
		if (strchr(" \t\r\n", *text) == NULL)
			flat[n++] = *text;
	if (b64_read((uint8_t *)s, len, &n, flat, n, sodium_base64_VARIANT_ORIGINAL) == PERR_OK &&
	    fold_is_text(s, n))
		fval_set_string(out, s);
}

static const struct ffunc functions[] = {
	{"number", 1, 1, f_number}, {"int", 1, 1, f_int}, {"round", 1, 2, f_round},
	{"sum", 1, 1, f_sum}, {"max", 1, -1, f_max}, {"min", 1, -1, f_min}, {"abs", 1, 1, f_abs},
	{"log", 1, 1, f_log}, {"log10", 1, 1, f_log10}, {"sin", 1, 1, f_sin}, {"cos", 1, 1, f_cos},
	{"tan", 1, 1, f_tan}, {"asin", 1, 1, f_asin}, {"acos", 1, 1, f_acos},
	{"atan", 1, 1, f_atan}, {"atan2", 2, 2, f_atan2}, {"sqrt", 1, 1, f_sqrt},
	{"exp", 1, 1, f_exp}, {"exp10", 1, 1, f_exp10}, {"pow", 2, 2, f_pow}, {"pi", 0, 0, f_pi},
	{"area", 1, 1, f_area}, {"enclosed-area", 1, 1, f_area}, {"distance", 1, 1, f_distance},
	{"random", 0, 0, f_random}, {"uuid", 0, 1, f_uuid}, {"digest", 2, 3, f_digest},
	{"base64-decode", 1, 1, f_base64_decode},
};

const struct ffunc *ffunc_find_number(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof functions / sizeof functions[0]; i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}
