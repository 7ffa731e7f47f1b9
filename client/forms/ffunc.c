/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The functions of ODK XForms that work on text, choices, nodes and dates. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ffunc_int.h"
#include "fold.h"
#include "fregex.h"

#define TEXT_MAX ((size_t)1 << 20)

const struct fexpr *ffunc_arg(const struct fexpr *e, unsigned i)
{
	const struct fexpr *a = e->args;

	while (i-- > 0 && a != NULL)
		a = a->next;
	return a;
}

double ffunc_number(struct feval *ev, const struct fexpr *e, unsigned i)
{
	struct fval v;

	feval_expr(ev, ffunc_arg(e, i), &v);
	return fval_number(ev, &v);
}

const char *ffunc_string(struct feval *ev, const struct fexpr *e, unsigned i)
{
	struct fval v;

	feval_expr(ev, ffunc_arg(e, i), &v);
	return fval_string(ev, &v);
}

/* Doubles outside int are no index: -1. */
long ffunc_index(double v)
{
	return isnan(v) || v < -2e9 || v > 2e9 ? -1 : (long)v;
}

/* ---- text --------------------------------------------------------------------------- */

static void f_string(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	fval_set_string(out, ffunc_string(ev, e, 0));
}

struct joined {
	char *s;
	size_t len, cap;
	unsigned n;
};

static void join_one(struct feval *ev, struct joined *j, const char *sep, const char *s)
{
	size_t sep_len = j->n == 0 ? 0 : strlen(sep), len = strlen(s), cap;
	char *bigger;

	if (j->len + sep_len + len + 1 > j->cap) {
		cap = (j->len + sep_len + len + 1) * 2;
		bigger = j->len + sep_len + len > TEXT_MAX ? NULL : farena_get(ev->scratch, cap);
		if (bigger == NULL) {
			feval_stop(ev, "A calculated text of the form is too long.");
			return;
		}
		memcpy(bigger, j->s, j->len);
		j->s = bigger;
		j->cap = cap;
	}
	memcpy(j->s + j->len, sep, sep_len);
	memcpy(j->s + j->len + sep_len, s, len);
	j->len += sep_len + len;
	j->s[j->len] = '\0';
	j->n++;
}

static void join_args(struct feval *ev, const struct fexpr *e, unsigned from, const char *sep,
                      struct fval *out)
{
	char empty[1] = "";
	struct joined j = {empty, 0, 1, 0};
	struct fval v;
	size_t k;

	for (; from < e->n_args && ev->fuel > 0; from++) {
		feval_expr(ev, ffunc_arg(e, from), &v);
		if (v.kind != FVAL_NODES)
			join_one(ev, &j, sep, fval_string(ev, &v));
		for (k = 0; v.kind == FVAL_NODES && k < v.n_nodes && ev->fuel > 0; k++)
			join_one(ev, &j, sep, feval_node_text(ev, v.nodes[k]));
	}
	fval_set_string(out, j.s == empty ? "" : j.s);
}

static void f_concat(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	join_args(ev, e, 0, "", out);
}

static void f_join(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	join_args(ev, e, 1, ffunc_string(ev, e, 0), out);
}

static const char *cut(struct feval *ev, const char *s, size_t len)
{
	char *copy = farena_str(ev->scratch, s, len);

	if (copy == NULL)
		feval_stop(ev, "A calculated text of the form is too long.");
	return copy == NULL ? "" : copy;
}

/* Byte where the n-th character begins. */
static const char *at_char(const char *s, long n)
{
	const char *end = s + strlen(s);

	while (n-- > 0 && s < end)
		fold_utf8(&s, end);
	return s;
}

static void f_substr(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = ffunc_string(ev, e, 0);
	long len = (long)fold_length(s, strlen(s)), end = len;
	double a = ffunc_number(ev, e, 1), b;
	long start = isnan(a) ? 0 : a > 2e9 ? len : a < -2e9 ? 0 : (long)a;

	if (e->n_args == 3) {
		b = ffunc_number(ev, e, 2);
		end = isnan(b) ? 0 : b > 2e9 ? len : b < -2e9 ? 0 : (long)b;
	}
	if (start < 0)
		start += len;
	if (end < 0)
		end += len;
	start = start < 0 ? 0 : start > len ? len : start;
	end = end < 0 ? 0 : end > len ? len : end;
	if (start > end)
		end = start;
	s = at_char(s, start);
	fval_set_string(out, cut(ev, s, (size_t)(at_char(s, end - start) - s)));
}

static void f_substring_before(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = ffunc_string(ev, e, 0), *found = strstr(s, ffunc_string(ev, e, 1));

	fval_set_string(out, found == NULL ? "" : cut(ev, s, (size_t)(found - s)));
}

static void f_substring_after(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = ffunc_string(ev, e, 0), *sub = ffunc_string(ev, e, 1);
	const char *found = strstr(s, sub);

	fval_set_string(out, found == NULL ? "" : found + strlen(sub));
}

/* Which character of set c is, from 0; -1: none. */
static long char_index(const char *set, unsigned c)
{
	const char *end = set + strlen(set);
	long i;

	for (i = 0; set < end; i++)
		if (fold_utf8(&set, end) == c)
			return i;
	return -1;
}

static void f_translate(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = ffunc_string(ev, e, 0), *from = ffunc_string(ev, e, 1);
	const char *to = ffunc_string(ev, e, 2), *end = s + strlen(s), *c, *c_end;
	char *w, *result = farena_get(ev->scratch, strlen(s) * 4 + 1);
	long i;

	fval_set_string(out, result);
	for (w = result; w != NULL && s < end && feval_spend(ev, 1 + strlen(from)); ) {
		c = s;
		i = char_index(from, fold_utf8(&s, end));
		c_end = s;
		if (i >= 0) {
			c = at_char(to, i);
			c_end = at_char(c, 1);
		}
		memcpy(w, c, (size_t)(c_end - c));
		w += c_end - c;
	}
}

static void f_string_length(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = e->n_args == 1 ? ffunc_string(ev, e, 0)
		: ev->node == NULL ? "" : feval_node_text(ev, ev->node);

	fval_set_number(out, (double)fold_length(s, strlen(s)));
}

static void f_normalize_space(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = e->n_args == 1 ? ffunc_string(ev, e, 0)
		: ev->node == NULL ? "" : feval_node_text(ev, ev->node);
	char *w, *result = farena_get(ev->scratch, strlen(s) + 1);
	size_t len;

	fval_set_string(out, result);
	for (w = result; w != NULL && *(s += strspn(s, " \t\r\n")) != '\0'; s += len, w += len) {
		if (w != result)
			*w++ = ' ';
		len = strcspn(s, " \t\r\n");
		memcpy(w, s, len);
	}
}

static void f_contains(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = ffunc_string(ev, e, 0);

	fval_set_boolean(out, strstr(s, ffunc_string(ev, e, 1)) != NULL);
}

static void f_starts_with(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = ffunc_string(ev, e, 0), *part = ffunc_string(ev, e, 1);

	fval_set_boolean(out, strncmp(s, part, strlen(part)) == 0);
}

static void f_ends_with(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = ffunc_string(ev, e, 0), *part = ffunc_string(ev, e, 1);
	size_t len = strlen(s), part_len = strlen(part);

	fval_set_boolean(out, part_len <= len && strcmp(s + len - part_len, part) == 0);
}

static void f_regex(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = ffunc_string(ev, e, 0);
	int found;

	feval_spend(ev, 100 + strlen(s));
	found = fregex_matches(ffunc_string(ev, e, 1), s);
	if (found < 0)
		feval_lacks(ev, NULL, "There is not enough memory to look at an answer.");
	fval_set_boolean(out, found == 1);
}

/* ---- booleans ----------------------------------------------------------------------- */

static void f_true(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	fval_set_boolean(out, true);
}

static void f_false(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	fval_set_boolean(out, false);
}

static void f_boolean(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	struct fval v;

	feval_expr(ev, e->args, &v);
	fval_set_boolean(out, fval_boolean(ev, &v));
}

static void f_not(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	f_boolean(ev, e, out);
	out->boolean = !out->boolean;
}

static void f_boolean_from_string(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *s = ffunc_string(ev, e, 0);

	fval_set_boolean(out, strcmp(s, "1") == 0 || strcasecmp(s, "true") == 0);
}

static void f_if(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	struct fval v;

	feval_expr(ev, e->args, &v);
	feval_expr(ev, ffunc_arg(e, fval_boolean(ev, &v) ? 1 : 2), out);
}

static void f_coalesce(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const struct fexpr *a;

	for (a = e->args; a != NULL; a = a->next) {
		feval_expr(ev, a, out);
		fval_unpack(ev, out);
		if (!(out->kind == FVAL_STRING && out->string[0] == '\0')
		    && !(out->kind == FVAL_NUMBER && isnan(out->number)))
			return;
	}
}

static void f_once(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	if (ev->current != NULL && ev->current->text[0] != '\0')
		fval_set_string(out, ev->current->text);
	else
		feval_expr(ev, e->args, out);
}

/* How many of the values from argument `from` on are true; weights come in between. */
static void f_checklist(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double min = ffunc_number(ev, e, 0), max = ffunc_number(ev, e, 1), count = 0;
	struct fval v, one;
	unsigned i;
	size_t k;

	for (i = 2; i < e->n_args; i++) {
		feval_expr(ev, ffunc_arg(e, i), &v);
		if (v.kind != FVAL_NODES) {
			count += fval_boolean(ev, &v);
			continue;
		}
		for (k = 0; k < v.n_nodes; k++) {
			one = v;
			one.nodes += k;
			one.n_nodes = 1;
			count += fval_boolean(ev, &one);
		}
	}
	fval_set_boolean(out, (min < 0 || count >= min) && (max < 0 || count <= max));
}

static void f_weighted_checklist(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double min = ffunc_number(ev, e, 0), max = ffunc_number(ev, e, 1), sum = 0;
	struct fval v;
	unsigned i;

	for (i = 2; i + 1 < e->n_args; i += 2) {
		feval_expr(ev, ffunc_arg(e, i), &v);
		if (fval_boolean(ev, &v))
			sum += ffunc_number(ev, e, i + 1);
	}
	fval_set_boolean(out, sum >= min && sum <= max);
}

/* ---- choices ------------------------------------------------------------------------ */

static void f_selected(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *list = ffunc_string(ev, e, 0), *want = ffunc_string(ev, e, 1);
	size_t len, want_len;

	want += strspn(want, " ");
	want_len = strcspn(want, " ");
	fval_set_boolean(out, false);
	while (*(list += strspn(list, " ")) != '\0') {
		len = strcspn(list, " ");
		if (len == want_len && memcmp(list, want, len) == 0)
			out->boolean = true;
		list += len;
	}
}

static void f_selected_at(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *list = ffunc_string(ev, e, 0);
	long i = ffunc_index(ffunc_number(ev, e, 1));

	fval_set_string(out, "");
	while (i >= 0 && *(list += strspn(list, " ")) != '\0') {
		size_t len = strcspn(list, " ");

		if (i-- == 0)
			fval_set_string(out, cut(ev, list, len));
		list += len;
	}
}

static void f_count_selected(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *list = ffunc_string(ev, e, 0);
	double n = 0;

	while (*(list += strspn(list, " ")) != '\0') {
		n++;
		list += strcspn(list, " ");
	}
	fval_set_number(out, n);
}

static void f_choice_name(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *value = ffunc_string(ev, e, 0), *path = ffunc_string(ev, e, 1), *label = NULL;
	const struct fdef *from = ev->current == NULL ? ev->form->root : ev->current->def;
	const struct fdef *def = xform_resolve(ev->form, from, path);

	if (def != NULL && def->ctl != NULL)
		label = xform_choice_label(ev->scratch, ev->form, def->ctl, value, strlen(value), ev->lang);
	fval_set_string(out, label == NULL ? "" : label);
}

static void f_itext(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	struct ftext t = {NULL, NULL};

	t.itext = fmap_get(&ev->form->itext_by_id, NULL, ffunc_string(ev, e, 0));
	fval_set_string(out, t.itext == NULL ? "" : feval_label(ev, &t, ev->current));
}

/* ---- nodes -------------------------------------------------------------------------- */

static void f_count(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	struct fval v;

	feval_expr(ev, e->args, &v);
	fval_set_number(out, v.kind == FVAL_NODES ? (double)v.n_nodes : NAN);
}

static void f_count_non_empty(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	struct fval v;
	size_t i;
	double n = 0;

	feval_expr(ev, e->args, &v);
	for (i = 0; v.kind == FVAL_NODES && i < v.n_nodes; i++)
		n += v.nodes[i]->first != NULL || feval_node_text(ev, v.nodes[i])[0] != '\0';
	fval_set_number(out, n);
}

static void f_position(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	struct fval v;

	if (e->n_args == 0) {
		fval_set_number(out, ev->position > 0 ? (double)ev->position
		                : ev->node == NULL ? 1 : (double)ev->node->ord);
		return;
	}
	feval_expr(ev, e->args, &v);
	fval_set_number(out, v.kind == FVAL_NODES && v.n_nodes > 0 ? (double)v.nodes[0]->ord : 0);
}

static void one_node(struct feval *ev, struct fval *out, const struct fnode *n)
{
	const struct fnode **at = n == NULL ? NULL : farena_get(ev->scratch, sizeof *at);

	memset(out, 0, sizeof *out);
	out->kind = FVAL_NODES;
	if (at != NULL) {
		at[0] = n;
		out->nodes = at;
		out->n_nodes = 1;
	}
}

static void f_instance(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const struct finst *inst = xform_inst(ev->form, e->args->string);

	/* The steps that follow begin with the document element, so what is above it. */
	one_node(ev, out, inst == NULL || inst->root == NULL ? NULL : inst->root->parent);
}

static void f_current(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	one_node(ev, out, ev->current);
}

static void f_pulldata(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *id = ffunc_string(ev, e, 0), *wanted = ffunc_string(ev, e, 1);
	const char *column = ffunc_string(ev, e, 2), *key = ffunc_string(ev, e, 3);
	const struct finst *inst = xform_inst(ev->form, id);
	const struct fnode *item, *n;

	fval_set_string(out, "");
	item = inst == NULL || inst->root == NULL ? NULL : ftree_child(inst->root, NULL);
	for (; item != NULL && feval_spend(ev, 4); item = ftree_next(item, NULL)) {
		n = ftree_child(item, column);
		if (n == NULL || strcmp(n->text, key) != 0)
			continue;
		n = ftree_child(item, wanted);
		fval_set_string(out, n == NULL ? "" : n->text);
		return;
	}
}

/* What a path means here, without predicates: its definition. */
static const struct fdef *path_def(struct feval *ev, const struct fexpr *e)
{
	return e->op == FOP_PATH ? e->def : NULL;
}

static void f_indexed_repeat(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const struct fdef *target = path_def(ev, e->args), *step, *group;
	const struct fnode *n = ev->root, *c, *up;
	unsigned i;
	double index;

	one_node(ev, out, NULL);
	while (target != NULL && n != NULL && n->def != target) {
		for (step = target; step->parent != n->def; step = step->parent)
			;
		index = 0;
		for (i = 1; step->is_repeat && i + 1 < e->n_args; i += 2) {
			group = path_def(ev, ffunc_arg(e, i));
			if (group == step) {
				index = ffunc_number(ev, e, i + 1);
				index = isnan(index) || index < 1 ? 1 : floor(index);
			}
		}
		/* A repeat no index is given for is the one we are in, else the first. */
		for (up = ev->node; step->is_repeat && index == 0 && up != NULL; up = up->parent)
			if (up->def == step && up->parent == n)
				index = up->ord;
		for (c = n->first; c != NULL && feval_spend(ev, 1); c = c->next)
			if (c->def == step && (index <= 1 || c->ord == index))
				break;
		n = c;
	}
	if (n != NULL && target != NULL && feval_relevant(ev, n))
		one_node(ev, out, n);
}

/* Park and Miller's generator with the shuffle of the specification, from a seed. */
static void shuffle(struct feval *ev, const struct fnode **to, const struct fnode *const *from,
                    size_t n, bool seeded, double seed)
{
	uint64_t state = 0;
	size_t i, j;
	uint32_t r;

	if (seeded) {
		double m = fmod(isfinite(seed) ? trunc(seed) : 0, 2147483647.0);

		state = (uint64_t)(m <= 0 ? m + 2147483646.0 : m);
	}
	for (i = 0; i < n; i++) {
		if (seeded) {
			state = state * 16807 % 2147483647;
			j = (size_t)floor((double)(state - 1) / 2147483646.0 * (double)(i + 1));
		} else {
			r = 0;
			if (ev->random != NULL)
				ev->random(ev->random_ctx, (uint8_t *)&r, sizeof r);
			j = (size_t)((double)r / 4294967296.0 * (double)(i + 1));
		}
		if (j > i)
			j = i;
		if (j != i)
			to[i] = to[j];
		to[j] = from[i];
	}
}

static void f_randomize(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const struct fnode **to;
	struct fval v;

	feval_expr(ev, e->args, &v);
	*out = v;
	if (v.kind != FVAL_NODES || v.n_nodes < 2)
		return;
	to = farena_get(ev->scratch, v.n_nodes * sizeof *to);
	if (to == NULL)
		return;
	shuffle(ev, to, v.nodes, v.n_nodes, e->n_args == 2,
	        e->n_args == 2 ? ffunc_number(ev, e, 1) : 0);
	out->nodes = to;
}

static void f_version(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	fval_set_string(out, ev->form->version);
}

/* Properties of the device are never given to a form. */
static void f_property(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	fval_set_string(out, "");
}

static void f_depend(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	feval_expr(ev, e->args, out);
}

/* ---- dates -------------------------------------------------------------------------- */

static void set_date(struct fval *out, double days, bool has_time)
{
	memset(out, 0, sizeof *out);
	out->kind = FVAL_DATE;
	out->number = days;
	out->has_time = has_time;
}

static void f_today(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	set_date(out, floor(fdate_now(&ev->now)), false);
}

static void f_now(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	set_date(out, fdate_now(&ev->now), true);
}

static bool arg_date(struct feval *ev, const struct fexpr *e, double *days, bool *has_time)
{
	struct fval v;

	feval_expr(ev, e->args, &v);
	return fval_date(ev, &v, days, has_time);
}

static void f_date(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double days;
	bool has_time;

	if (arg_date(ev, e, &days, &has_time))
		set_date(out, floor(days), false);
	else
		fval_set_string(out, "");
}

static void f_date_time(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double days;
	bool has_time;

	if (arg_date(ev, e, &days, &has_time))
		set_date(out, days, true);
	else
		fval_set_string(out, "");
}

static void f_decimal_date_time(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double days;
	bool has_time;
	struct fval v;

	feval_expr(ev, e->args, &v);
	fval_unpack(ev, &v);
	if (v.kind == FVAL_NUMBER)
		fval_set_number(out, v.number);
	else if (fval_date(ev, &v, &days, &has_time))
		/* Days since 1970 in UTC, where all else counts in local time. */
		fval_set_number(out, days - ev->now.tz_min / 1440.0);
	else
		fval_set_number(out, NAN);
}

static void f_decimal_time(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	double days;
	bool has_time;
	struct fval v;

	feval_expr(ev, e->args, &v);
	if (fdate_parse_time(fval_string(ev, &v), ev->now.tz_min, &days))
		fval_set_number(out, days);
	else if (fval_date(ev, &v, &days, &has_time))
		fval_set_number(out, days - floor(days));
	else
		fval_set_number(out, NAN);
}

static void f_format_date(struct feval *ev, const struct fexpr *e, struct fval *out)
{
	const char *format = ffunc_string(ev, e, 1);
	char buf[1024];
	double days;
	bool has_time;
	struct fval v;

	feval_expr(ev, e->args, &v);
	fval_set_string(out, "");
	if (!fval_date(ev, &v, &days, &has_time)) {
		/* A time alone has hours and minutes to show. */
		if (!fdate_parse_time(fval_string(ev, &v), ev->now.tz_min, &days))
			return;
	}
	if (fdate_format(buf, sizeof buf, format, days, ev->lang_code))
		fval_set_string(out, cut(ev, buf, strlen(buf)));
}

static const struct ffunc functions[] = {
	{"string", 1, 1, f_string}, {"concat", 0, -1, f_concat}, {"join", 1, -1, f_join},
	{"substr", 2, 3, f_substr}, {"substring-before", 2, 2, f_substring_before},
	{"substring-after", 2, 2, f_substring_after}, {"translate", 3, 3, f_translate},
	{"string-length", 0, 1, f_string_length}, {"normalize-space", 0, 1, f_normalize_space},
	{"contains", 2, 2, f_contains}, {"starts-with", 2, 2, f_starts_with},
	{"ends-with", 2, 2, f_ends_with}, {"regex", 2, 2, f_regex},
	{"true", 0, 0, f_true}, {"false", 0, 0, f_false}, {"boolean", 1, 1, f_boolean},
	{"not", 1, 1, f_not}, {"boolean-from-string", 1, 1, f_boolean_from_string},
	{"if", 3, 3, f_if}, {"coalesce", 2, 2, f_coalesce}, {"once", 1, 1, f_once},
	{"checklist", 2, -1, f_checklist}, {"weighted-checklist", 2, -1, f_weighted_checklist},
	{"selected", 2, 2, f_selected}, {"is-selected", 2, 2, f_selected},
	{"selected-at", 2, 2, f_selected_at}, {"count-selected", 1, 1, f_count_selected},
	{"jr:choice-name", 2, 2, f_choice_name}, {"jr:itext", 1, 1, f_itext},
	{"count", 1, 1, f_count}, {"count-non-empty", 1, 1, f_count_non_empty},
	{"position", 0, 1, f_position}, {"instance", 1, 1, f_instance},
	{"current", 0, 0, f_current}, {"pulldata", 4, 4, f_pulldata},
	{"indexed-repeat", 3, 11, f_indexed_repeat}, {"randomize", 1, 2, f_randomize},
	{"version", 0, 0, f_version}, {"property", 1, 1, f_property}, {"depend", 1, -1, f_depend},
	{"today", 0, 0, f_today}, {"now", 0, 0, f_now}, {"date", 1, 1, f_date},
	{"date-time", 1, 1, f_date_time}, {"decimal-date-time", 1, 1, f_decimal_date_time},
	{"decimal-time", 1, 1, f_decimal_time}, {"format-date", 2, 2, f_format_date},
	{"format-date-time", 2, 2, f_format_date},
};

const struct ffunc *ffunc_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof functions / sizeof functions[0]; i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return ffunc_find_number(name);
}
