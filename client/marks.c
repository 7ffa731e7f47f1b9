/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "marks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdate.h"
#include "fold.h"

#define DEPTH_MAX   20           /* parentheses of a condition */
#define PATH_MAX_   1024
#define EACH_MAX    200          /* instances of one repeat looked at */
#define LOOKS_MAX   4000         /* answers looked at for one mark: repeats multiply */

/* ---- conditions --------------------------------------------------------------------- */

struct cond {
	const char *s;
	const char *answer;
	unsigned depth;
	bool is_odd;                     /* not of the kind this file knows */
};

enum { NO = 0, YES = 1 };

struct operand {
	bool is_number;
	double number;
	const char *text;
	size_t len;
};

static void blanks(struct cond *k)
{
	k->s += strspn(k->s, " \t\r\n");
}

static bool take(struct cond *k, const char *token)
{
	size_t n = strlen(token);

	blanks(k);
	if (strncmp(k->s, token, n) != 0)
		return false;
	k->s += n;
	return true;
}

/* a word ends where no name goes on */
static bool take_word(struct cond *k, const char *word)
{
	size_t n = strlen(word);
	char next;

	blanks(k);
	if (strncmp(k->s, word, n) != 0)
		return false;
	next = k->s[n];
	if (next == '-' || next == '_' || next == ':' || (next >= '0' && next <= '9') ||
	    (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'))
		return false;
	k->s += n;
	return true;
}

static int odd(struct cond *k)
{
	k->is_odd = true;
	return NO;
}

static bool call_of_self(struct cond *k, const char *name)
{
	const char *before = k->s;

	if (take_word(k, name) && take(k, "(") && take(k, ".") && take(k, ")"))
		return true;
	k->s = before;
	return false;
}

static double count_words(const char *s)
{
	double n = 0;

	while (*(s += strspn(s, " ")) != '\0') {
		n++;
		s += strcspn(s, " ");
	}
	return n;
}

static bool text_of(struct cond *k, struct operand *o)
{
	const char *end;
	char quote;

	blanks(k);
	quote = *k->s;
	if (quote != '\'' && quote != '"')
		return false;
	end = strchr(k->s + 1, quote);
	if (end == NULL)
		return false;
	o->is_number = false;
	o->text = k->s + 1;
	o->len = (size_t)(end - o->text);
	k->s = end + 1;
	return true;
}

/* digits only: strtod would read "inf", "0x" and what a locale allows */
static bool number_of(struct cond *k, struct operand *o)
{
	const char *s;
	double unit = 1;

	blanks(k);
	s = k->s;
	o->is_number = true;
	o->number = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		o->number = o->number * 10 + (*s - '0');
	if (s == k->s)
		return false;
	if (*s == '.' && s[1] >= '0' && s[1] <= '9')
		for (s++; *s >= '0' && *s <= '9'; s++) {
			unit /= 10;
			o->number += (*s - '0') * unit;
		}
	k->s = s;
	return true;
}

static bool operand(struct cond *k, struct operand *o)
{
	if (text_of(k, o) || number_of(k, o))
		return true;
	if (call_of_self(k, "string-length")) {
		*o = (struct operand){ .is_number = true,
		                       .number = (double)fold_length(k->answer,
		                                                     strlen(k->answer)) };
		return true;
	}
	if (call_of_self(k, "count-selected")) {
		*o = (struct operand){ .is_number = true, .number = count_words(k->answer) };
		return true;
	}
	if (*k->s == '.' && k->s[1] != '.' && k->s[1] != '/') {
		k->s++;
		*o = (struct operand){ .text = k->answer, .len = strlen(k->answer) };
		return true;
	}
	return false;
}

static double as_number(const struct operand *o)
{
	struct cond k = { .s = o->text };
	struct operand n;
	char buf[40];
	bool minus;

	if (o->is_number)
		return o->number;
	if (o->len == 0 || o->len >= sizeof buf)
		return NAN;
	memcpy(buf, o->text, o->len);
	buf[o->len] = '\0';
	minus = buf[0] == '-';
	k.s = buf + minus;
	if (!number_of(&k, &n) || *k.s != '\0')
		return NAN;
	return minus ? -n.number : n.number;
}

static int compare(struct cond *k)
{
	static const char *const ops[] = { "!=", "<=", ">=", "=", "<", ">" };
	struct operand a, b;
	double x, y;
	size_t op;
	bool same;

	if (!operand(k, &a))
		return odd(k);
	for (op = 0; op < 6 && !take(k, ops[op]); op++)
		;
	if (op == 6 || !operand(k, &b))
		return odd(k);
	if (op == 0 || op == 3) {
		same = a.is_number || b.is_number ? as_number(&a) == as_number(&b)
		     : a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
		return same == (op == 3) ? YES : NO;
	}
	x = as_number(&a);
	y = as_number(&b);
	return op == 1 ? x <= y : op == 2 ? x >= y : op == 4 ? x < y : x > y;
}

static int is_selected(struct cond *k)
{
	struct operand o;
	const char *s = k->answer;
	int found = NO;

	if (!take(k, "(") || !take(k, ".") || !take(k, ",") || !text_of(k, &o) || !take(k, ")"))
		return odd(k);
	while (*(s += strspn(s, " ")) != '\0') {
		size_t n = strcspn(s, " ");

		if (n == o.len && memcmp(s, o.text, n) == 0)
			found = YES;
		s += n;
	}
	return found;
}

static int either(struct cond *k);

static int in_brackets(struct cond *k)
{
	int v;

	if (k->depth++ >= DEPTH_MAX)
		return odd(k);
	v = either(k);
	k->depth--;
	return take(k, ")") ? v : odd(k);
}

static int one(struct cond *k)
{
	const char *before;

	blanks(k);
	before = k->s;
	if (take_word(k, "true") && take(k, "(") && take(k, ")"))
		return YES;
	k->s = before;
	if (take_word(k, "false") && take(k, "(") && take(k, ")"))
		return NO;
	k->s = before;
	if (take_word(k, "selected"))
		return is_selected(k);
	if (take_word(k, "not"))
		return take(k, "(") ? !in_brackets(k) : odd(k);
	if (take(k, "("))
		return in_brackets(k);
	return compare(k);
}

static int both(struct cond *k)
{
	int v = one(k);

	while (!k->is_odd && take_word(k, "and"))
		v &= one(k);
	return v;
}

static int either(struct cond *k)
{
	int v = both(k);

	while (!k->is_odd && take_word(k, "or"))
		v |= both(k);
	return v;
}

int marks_condition(const char *condition, const char *answer)
{
	struct cond k = { .s = condition, .answer = answer };
	int v = either(&k);

	blanks(&k);
	return k.is_odd || *k.s != '\0' ? -1 : v;
}

/* ---- answers of a marked question --------------------------------------------------- */

typedef void answer_fn(void *arg, const char *answer);

struct each {
	const struct instance *in;
	answer_fn *fn;
	void *arg;
	unsigned looks;
};

/* every answer at a path whose steps may repeat; `done` bytes of path stand in full */
static void each_answer(struct each *e, char *full, size_t done, const char *rest)
{
	size_t step = strcspn(rest + 1, "/") + 1, n = done + step;
	const char *v;

	if (*rest != '/' || n + 16 >= PATH_MAX_)
		return;
	memcpy(full + done, rest, step);
	for (unsigned i = 1; i <= EACH_MAX && e->looks < LOOKS_MAX; i++) {
		/* the document element stands once, and instance_value wants no index there */
		int k = i == 1 ? 0 : snprintf(full + n, 16, "[%u]", i);

		full[n + (size_t)k] = '\0';
		e->looks++;
		v = instance_value(e->in, full);
		if (v == NULL)
			return;
		if (rest[step] == '\0')
			e->fn(e->arg, v);
		else
			each_answer(e, full, n + (size_t)k, rest + step);
		if (done == 0)
			return;
	}
}

static void answers_at(const struct instance *in, const char *path, answer_fn *fn, void *arg)
{
	struct each e = { .in = in, .fn = fn, .arg = arg };
	char full[PATH_MAX_];

	each_answer(&e, full, 0, path);
	explicit_bzero(full, sizeof full);
}

/* ---- urgent and deadline ------------------------------------------------------------ */

struct look {
	const char *condition;
	bool holds;
	uint32_t day, next, last;        /* deadline: on or after day; before it */
};

static void look_urgent(void *arg, const char *answer)
{
	struct look *l = arg;
	int v = marks_condition(l->condition, answer);

	l->holds = l->holds || v == 1 || (v < 0 && answer[0] != '\0');
}

static void look_deadline(void *arg, const char *answer)
{
	struct look *l = arg;
	double days;
	uint32_t day;

	if (marks_condition(l->condition, answer) == 0 ||
	    !fdate_parse(answer, 0, &days, NULL) || days < 1)
		return;
	day = (uint32_t)days;
	if (day >= l->day && (l->next == 0 || day < l->next))
		l->next = day;
	if (day < l->day && day > l->last)
		l->last = day;
}

/* ---- title -------------------------------------------------------------------------- */

static bool is_file(const struct instance *in, const char *v)
{
	for (size_t i = 0; i < instance_n_files(in); i++)
		if (strcmp(instance_file(in, i), v) == 0)
			return true;
	return false;
}

static size_t group_len(const char *path)
{
	const char *last = strrchr(path, '/');

	return last == NULL ? 0 : (size_t)(last - path);
}

/* marks of identity in the group of this path: the person's own group has the most */
static unsigned weight(const struct xform *f, const char *path)
{
	const char *other, *value;
	size_t n = group_len(path);
	unsigned w = 0;

	for (size_t i = 0; (other = xform_marked(f, XFORM_IDENTITY, i, &value)) != NULL; i++)
		w += group_len(other) == n && memcmp(other, path, n) == 0 ? 1 : 0;
	return w;
}

static void set_title(struct marks *m, const char *text)
{
	size_t n = strlen(text);

	if (n > MARKS_TITLE_MAX)
		for (n = MARKS_TITLE_MAX; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
			;
	memcpy(m->title, text, n);
	m->title[n] = '\0';
}

/*
 * Whom a case is about: the first answer in the group with the most marks of identity.  Who
 * speaks and whom to call are marked too, with one or two answers, and often come first.
 */
static void read_title(struct marks *m, const struct xform *f, const struct instance *in)
{
	unsigned best = 0;
	const char *path, *value;

	for (size_t i = 0; (path = xform_marked(f, XFORM_IDENTITY, i, &value)) != NULL; i++) {
		const char *v = instance_value(in, path);
		unsigned w;

		if (v == NULL || v[0] == '\0' || is_file(in, v))
			continue;
		w = weight(f, path);
		if (w > best) {
			best = w;
			set_title(m, v);
		}
	}
}

void marks_read(struct marks *m, const struct xform *form, const struct instance *in,
                uint32_t day)
{
	struct look l = { .day = day };
	const char *path;

	memset(m, 0, sizeof *m);
	read_title(m, form, in);
	for (size_t i = 0; (path = xform_marked(form, XFORM_URGENT, i, &l.condition)) != NULL; i++)
		answers_at(in, path, look_urgent, &l);
	for (size_t i = 0; (path = xform_marked(form, XFORM_DEADLINE, i, &l.condition)) != NULL; i++)
		answers_at(in, path, look_deadline, &l);
	m->urgent = l.holds;
	m->deadline = l.next != 0 ? l.next : l.last;
}
