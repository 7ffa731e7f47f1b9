/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "fregex.h"

#define NODES_MAX 4000
#define STEPS_MAX 2000000
#define DEPTH_MAX 60            /* nested groups */
#define STACK_MAX 2000          /* depth of matching: rounds of a repeated group */
#define COUNT_MAX 1000

enum kind {
	ANY, CHAR, SET, START, END, WORD_EDGE, GROUP, AHEAD, NOT_AHEAD, ALTERNATIVE
};

/*
 * A sequence is a list by next.  GROUP, AHEAD and NOT_AHEAD hold alternatives in child,
 * each an ALTERNATIVE whose own sequence is in its child.
 */
struct node {
	enum kind kind;
	unsigned c;
	const char *set, *set_end;      /* the pattern between the brackets, or the escape */
	bool is_escape;
	unsigned min, max;
	bool is_lazy;
	struct node *child, *next;
};

struct regex {
	struct node *nodes;
	size_t n_nodes;
	const char *s, *end;
	const char *why;
	unsigned depth;
	bool is_starved;
};

/* What follows the sequence being matched, innermost first. */
struct cont {
	const struct node *loop;        /* a group that may match again; NULL: just go on */
	const struct node *next;
	unsigned count;
	const char *loop_start;
	const struct cont *outer;
};

struct match {
	const char *text, *end;
	unsigned steps, depth;
	bool is_whole;
};

static struct node *fail(struct regex *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
	return NULL;
}

static struct node *new_node(struct regex *r, enum kind kind)
{
	struct node *n;

	if (r->n_nodes == NODES_MAX)
		return fail(r, "it is too long");
	n = &r->nodes[r->n_nodes++];
	n->kind = kind;
	n->min = n->max = 1;
	return n;
}

static bool is_digit(unsigned c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(unsigned c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z';
	/* Capital letters of Latin with marks: in Unicode they stand before the small ones. */
	if (c >= 0xc0 && c < 0xdf)
		return c != 0xd7;
	if (c >= 0x100 && c < 0x138)
		return c % 2 == 0;
	if ((c >= 0x14a && c < 0x178) || (c >= 0x1e00 && c < 0x1f00))
		return c % 2 == 0;
	return (c >= 0x391 && c <= 0x3a9) || (c >= 0x400 && c <= 0x42f);
}

static bool is_letter(unsigned c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	/* Signs below are none; from Latin with marks on nearly everything people write is. */
	return c == 0xaa || c == 0xb5 || c == 0xba || (c >= 0xc0 && c != 0xd7 && c != 0xf7
		&& !(c >= 0x300 && c < 0x370) && !(c >= 0x2000 && c < 0x2c00)
		&& !(c >= 0x3000 && c < 0x3005) && c < 0xfe00 && !(c >= 0xd800 && c < 0xf900));
}

static bool is_word(unsigned c)
{
	return is_digit(c) || c == '_' || (c < 0x80 && is_letter(c));
}

static bool is_white(unsigned c)
{
	return c == ' ' || (c >= 9 && c <= 13);
}

/* \p{NAME}: -1 unknown */
static int property(const char *name, size_t len, unsigned c)
{
#define NAMED(s) (len == sizeof s - 1 && memcmp(name, s, len) == 0)
	if (NAMED("L") || NAMED("IsL") || NAMED("IsAlphabetic") || NAMED("Letter"))
		return is_letter(c);
	if (NAMED("Lu") || NAMED("IsUppercase"))
		return is_letter(c) && is_upper(c);
	if (NAMED("Ll") || NAMED("IsLowercase"))
		return is_letter(c) && !is_upper(c);
	if (NAMED("N") || NAMED("Nd") || NAMED("Digit"))
		return is_digit(c);
	if (NAMED("M") || NAMED("Mn"))
		return c >= 0x300 && c < 0x370;
	if (NAMED("Alpha"))
		return c < 0x80 && is_letter(c);
	if (NAMED("Alnum"))
		return c < 0x80 && (is_letter(c) || is_digit(c));
	if (NAMED("Upper"))
		return c >= 'A' && c <= 'Z';
	if (NAMED("Lower"))
		return c >= 'a' && c <= 'z';
	if (NAMED("Space"))
		return is_white(c);
	if (NAMED("Punct"))
		return c > 32 && c < 127 && !is_letter(c) && !is_digit(c);
	if (NAMED("P"))
		return (c > 32 && c < 127 && !is_letter(c) && !is_digit(c)) || (c >= 0x2010 && c < 0x2028);
	return -1;
#undef NAMED
}

/*
 * An escape at *s, behind its backslash: either one character (returned in *c) or a class
 * (then *c is compared against it and the result returned in *in).
 * 0: character, 1: class, -1: not supported
 */
static int escape(const char **s, const char *end, unsigned test, unsigned *c, bool *in)
{
	const char *close;
	int k, v;

	if (*s >= end)
		return -1;
	*c = (unsigned char)*(*s)++;
	switch (*c) {
	case 'd': *in = is_digit(test); return 1;
	case 'D': *in = !is_digit(test); return 1;
	case 'w': *in = is_word(test); return 1;
	case 'W': *in = !is_word(test); return 1;
	case 's': *in = is_white(test); return 1;
	case 'S': *in = !is_white(test); return 1;
	case 't': *c = '\t'; return 0;
	case 'n': *c = '\n'; return 0;
	case 'r': *c = '\r'; return 0;
	case 'f': *c = '\f'; return 0;
	case 'u':
	case 'x':
		k = *c == 'u' ? 4 : 2;
		for (*c = 0; k > 0 && *s < end; k--, (*s)++) {
			v = **s >= '0' && **s <= '9' ? **s - '0' : (**s | 32) >= 'a' && (**s | 32) <= 'f'
				? (**s | 32) - 'a' + 10 : -1;
			if (v < 0)
				return -1;
			*c = *c * 16 + (unsigned)v;
		}
		return k == 0 ? 0 : -1;
	case 'p':
	case 'P':
		if (*s >= end || **s != '{' || (close = memchr(*s, '}', (size_t)(end - *s))) == NULL)
			return -1;
		k = property(*s + 1, (size_t)(close - *s - 1), test);
		*in = *c == 'p' ? k == 1 : k == 0;
		*s = close + 1;
		return k < 0 ? -1 : 1;
	}
	if (*c >= 0x80) {
		(*s)--;
		*c = fold_utf8(s, end);
		return 0;
	}
	return is_letter(*c) || is_digit(*c) ? -1 : 0;
}

/* Whether c is in the set whose inside is [s, end).  *bad: it is no set that is known. */
static bool in_set(const char *s, const char *end, unsigned c, bool *bad)
{
	bool negated = s < end && *s == '^', found = false, in;
	unsigned from, to;
	int k;

	*bad = false;
	if (negated)
		s++;
	while (s < end) {
		from = fold_utf8(&s, end);
		if (from == '[' || (from == '&' && s < end && *s == '&')) {
			*bad = true;            /* unions and intersections of Java */
			return false;
		}
		if (from == '\\') {
			k = escape(&s, end, c, &from, &in);
			if (k < 0) {
				*bad = true;
				return false;
			}
			if (k == 1) {
				found |= in;
				continue;
			}
		}
		to = from;
		if (end - s >= 2 && *s == '-') {
			s++;
			to = fold_utf8(&s, end);
			if (to == '\\' && escape(&s, end, c, &to, &in) != 0) {
				*bad = true;
				return false;
			}
		}
		if (to < from)
			*bad = true;
		found |= c >= from && c <= to;
	}
	return found != negated;
}

static struct node *parse_alternatives(struct regex *r);

static struct node *parse_set(struct regex *r)
{
	struct node *n = new_node(r, SET);
	bool bad;

	if (n == NULL)
		return NULL;
	n->set = r->s;
	if (r->s < r->end && *r->s == '^')
		r->s++;
	/* A bracket right at the start is one of the characters. */
	if (r->s < r->end && *r->s == ']')
		r->s++;
	while (r->s < r->end && *r->s != ']')
		r->s += *r->s == '\\' && r->end - r->s > 1 ? 2 : 1;
	if (r->s >= r->end)
		return fail(r, "a \"]\" is missing");
	n->set_end = r->s++;
	in_set(n->set, n->set_end, 'a', &bad);
	return bad ? fail(r, "a set in brackets is not supported") : n;
}

static struct node *parse_group(struct regex *r)
{
	struct node *n = new_node(r, GROUP);

	if (n == NULL)
		return NULL;
	if (++r->depth > DEPTH_MAX)
		return fail(r, "it is nested too deeply");
	if (r->s < r->end && *r->s == '?') {
		if (r->end - r->s >= 2 && strchr(":=!", r->s[1]) != NULL) {
			n->kind = r->s[1] == ':' ? GROUP : r->s[1] == '=' ? AHEAD : NOT_AHEAD;
			r->s += 2;
		} else {
			return fail(r, "flags, names and look-behind are not supported");
		}
	}
	n->child = parse_alternatives(r);
	if (n->child == NULL)
		return NULL;
	if (r->s >= r->end || *r->s != ')')
		return fail(r, "a \")\" is missing");
	r->s++;
	r->depth--;
	return n;
}

static struct node *parse_atom(struct regex *r)
{
	const char *before = r->s;
	unsigned c = fold_utf8(&r->s, r->end), test;
	struct node *n;
	bool in;
	int k;

	switch (c) {
	case '[': return parse_set(r);
	case '(': return parse_group(r);
	case '.': return new_node(r, ANY);
	case '^': return new_node(r, START);
	case '$': return new_node(r, END);
	case '*':
	case '+':
	case '?':
	case '{':
		return fail(r, "a repetition has nothing to repeat");
	case '\\':
		if (r->s < r->end && *r->s == 'b') {
			r->s++;
			return new_node(r, WORD_EDGE);
		}
		k = escape(&r->s, r->end, 'a', &test, &in);
		if (k < 0)
			return fail(r, "an escape in it is not supported");
		n = new_node(r, k == 1 ? SET : CHAR);
		if (n != NULL) {
			n->c = test;
			n->set = before;
			n->set_end = r->s;
			n->is_escape = true;
		}
		return n;
	}
	n = new_node(r, CHAR);
	if (n != NULL)
		n->c = c;
	return n;
}

static bool parse_count(struct regex *r, unsigned *v)
{
	if (r->s >= r->end || !is_digit((unsigned char)*r->s))
		return false;
	for (*v = 0; r->s < r->end && is_digit((unsigned char)*r->s); r->s++)
		if ((*v = *v * 10 + (unsigned)(*r->s - '0')) > COUNT_MAX)
			return false;
	return true;
}

static bool parse_quantifier(struct regex *r, struct node *n)
{
	if (r->s >= r->end || strchr("*+?{", *r->s) == NULL)
		return true;
	if (n->kind != ANY && n->kind != CHAR && n->kind != SET && n->kind != GROUP)
		return fail(r, "something in it cannot be repeated") != NULL;
	switch (*r->s++) {
	case '*': n->min = 0; n->max = UINT32_MAX; break;
	case '+': n->min = 1; n->max = UINT32_MAX; break;
	case '?': n->min = 0; n->max = 1; break;
	case '{':
		if (!parse_count(r, &n->min))
			return fail(r, "a number in braces is wrong") != NULL;
		n->max = n->min;
		if (r->s < r->end && *r->s == ',') {
			r->s++;
			if (r->s < r->end && *r->s == '}')
				n->max = UINT32_MAX;
			else if (!parse_count(r, &n->max))
				return fail(r, "a number in braces is wrong") != NULL;
		}
		if (r->s >= r->end || *r->s != '}' || n->max < n->min)
			return fail(r, "a number in braces is wrong") != NULL;
		r->s++;
		break;
	}
	if (r->s < r->end && *r->s == '?') {
		n->is_lazy = true;
		r->s++;
	} else if (r->s < r->end && strchr("*+{", *r->s) != NULL) {
		return fail(r, "possessive repetitions are not supported") != NULL;
	}
	return true;
}

static struct node *parse_alternatives(struct regex *r)
{
	struct node *first = NULL, **alt = &first, **end, *n;

	for (;;) {
		*alt = new_node(r, ALTERNATIVE);
		if (*alt == NULL)
			return NULL;
		end = &(*alt)->child;
		while (r->s < r->end && *r->s != '|' && *r->s != ')') {
			n = parse_atom(r);
			if (n == NULL || !parse_quantifier(r, n))
				return NULL;
			*end = n;
			end = &n->next;
		}
		if (r->s >= r->end || *r->s == ')')
			return first;
		r->s++;
		alt = &(*alt)->next;
	}
}

static struct node *compile(struct regex *r, const char *pattern)
{
	struct node *n;

	memset(r, 0, sizeof *r);
	r->s = pattern;
	r->end = pattern + strlen(pattern);
	if (r->end - r->s > FREGEX_PATTERN_MAX)
		return fail(r, "it is too long");
	r->nodes = calloc(NODES_MAX, sizeof *r->nodes);
	if (r->nodes == NULL) {
		r->is_starved = true;
		return fail(r, "there is not enough memory");
	}
	n = parse_alternatives(r);
	if (n != NULL && r->s < r->end)
		return fail(r, "a \"(\" is missing");
	return n;
}

static bool match_seq(struct match *m, const struct node *n, const char *s,
                      const struct cont *k);

static bool match_one(const struct node *n, const char **s, const char *end)
{
	const char *set;
	unsigned c;
	bool bad, in = false;

	if (*s >= end)
		return false;
	c = fold_utf8(s, end);
	switch (n->kind) {
	case ANY:
		return c != '\n' && c != '\r';
	case CHAR:
		return c == n->c;
	case SET:
		if (n->is_escape) {
			set = n->set + 1;
			return escape(&set, n->set_end, c, &c, &in) == 1 && in;
		}
		return in_set(n->set, n->set_end, c, &bad);
	case START:
	case END:
	case WORD_EDGE:
	case GROUP:
	case AHEAD:
	case NOT_AHEAD:
	case ALTERNATIVE:
		break;
	}
	return false;
}

/* One more round of a group, after count of them. */
static bool match_group(struct match *m, const struct node *g, unsigned count, const char *s,
                        const struct cont *outer)
{
	struct cont k = {g, g->next, count + 1, s, outer};
	const struct node *alt;
	bool may_stop = count >= g->min;

	if (may_stop && g->is_lazy && match_seq(m, g->next, s, outer))
		return true;
	if (count < g->max)
		for (alt = g->child; alt != NULL; alt = alt->next)
			if (match_seq(m, alt->child, s, &k))
				return true;
	return may_stop && !g->is_lazy && match_seq(m, g->next, s, outer);
}

static bool match_end(struct match *m, const char *s, const struct cont *k)
{
	if (k == NULL)
		return !m->is_whole || s == m->end;
	if (k->loop == NULL)
		return match_seq(m, k->next, s, k->outer);
	/* A round that matched nothing would match nothing for ever. */
	if (s == k->loop_start)
		return match_seq(m, k->next, s, k->outer);
	return match_group(m, k->loop, k->count, s, k->outer);
}

static bool match_repeated(struct match *m, const struct node *n, const char *s,
                           const struct cont *k)
{
	const char *at = s, *p;
	unsigned count = 0;

	while (count < n->min) {
		if (!match_one(n, &at, m->end))
			return false;
		count++;
	}
	if (n->is_lazy) {
		for (;;) {
			if (match_seq(m, n->next, at, k))
				return true;
			if (count++ >= n->max || !match_one(n, &at, m->end) || ++m->steps > STEPS_MAX)
				return false;
		}
	}
	s = at;
	while (count < n->max) {
		p = at;
		if (!match_one(n, &p, m->end) || ++m->steps > STEPS_MAX)
			break;
		at = p;
		count++;
	}
	for (;;) {
		if (match_seq(m, n->next, at, k))
			return true;
		if (at == s || m->steps > STEPS_MAX)
			return false;
		for (at--; at > s && ((unsigned char)*at & 0xc0) == 0x80; at--)
			;
	}
}

static bool match_ahead(struct match *m, const struct node *n, const char *s)
{
	struct match inner = {m->text, m->end, m->steps, m->depth, false};
	const struct node *alt;
	bool found = false;

	for (alt = n->child; alt != NULL && !found; alt = alt->next)
		found = match_seq(&inner, alt->child, s, NULL);
	m->steps = inner.steps;
	return found;
}

static bool match_seq(struct match *m, const struct node *n, const char *s,
                      const struct cont *k)
{
	bool ok = false;

	if (++m->steps > STEPS_MAX || m->depth >= STACK_MAX)
		return false;
	m->depth++;
	for (; n != NULL; n = n->next) {
		if (n->kind == START || n->kind == END || n->kind == WORD_EDGE) {
			bool before = s > m->text && is_word((unsigned char)s[-1]);
			bool after = s < m->end && is_word((unsigned char)*s);

			if (n->kind == START ? s != m->text : n->kind == END ? s != m->end
			    : before == after)
				goto out;
		} else if (n->kind == AHEAD || n->kind == NOT_AHEAD) {
			if (match_ahead(m, n, s) != (n->kind == AHEAD))
				goto out;
		} else if (n->kind == GROUP) {
			ok = match_group(m, n, 0, s, k);
			goto out;
		} else if (n->min == 1 && n->max == 1) {
			if (!match_one(n, &s, m->end))
				goto out;
		} else {
			ok = match_repeated(m, n, s, k);
			goto out;
		}
	}
	ok = match_end(m, s, k);
out:
	m->depth--;
	return ok;
}

int fregex_is_supported(const char *pattern, char *why, size_t why_cap)
{
	struct regex r;
	bool ok = compile(&r, pattern) != NULL;

	snprintf(why, why_cap, "%s", ok ? "" : r.why);
	free(r.nodes);
	return ok ? 1 : r.is_starved ? -1 : 0;
}

int fregex_matches(const char *pattern, const char *text)
{
	struct match m = {text, text + strlen(text), 0, 0, true};
	const struct node *alt;
	struct regex r;
	bool found = false;

	alt = compile(&r, pattern);
	if (r.nodes == NULL && r.is_starved)
		return -1;
	for (; alt != NULL && !found; alt = alt->next)
		found = match_seq(&m, alt->child, text, NULL);
	free(r.nodes);
	return found;
}
