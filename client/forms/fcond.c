/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <string.h>

#include "fcond.h"

static enum fcond_truth negate(enum fcond_truth t)
{
	return t == FCOND_UNKNOWN ? t : t == FCOND_TRUE ? FCOND_FALSE : FCOND_TRUE;
}

static enum fcond_truth truth(bool t)
{
	return t ? FCOND_TRUE : FCOND_FALSE;
}

static bool is_call(const struct fexpr *e, const char *name)
{
	return e->op == FOP_CALL && strcmp(e->func->name, name) == 0;
}

/* A path and a text or number, whichever way round; false: something else. */
static bool pair(const struct fexpr *e, const struct fexpr **path, const struct fexpr **value)
{
	const struct fexpr *a = e->args, *b = a == NULL ? NULL : a->next;

	if (b == NULL)
		return false;
	*path = a->op == FOP_PATH ? a : b;
	*value = a->op == FOP_PATH ? b : a;
	return (*path)->op == FOP_PATH && (*path)->def != NULL
		&& ((*value)->op == FOP_STRING || (*value)->op == FOP_NUMBER);
}

static bool same_number(double v, const char *s)
{
	double n = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (*p - '0');
	return *p == '\0' && p != s && n == v;
}

static bool equals(const struct fexpr *value, const char *s)
{
	return value->op == FOP_STRING ? strcmp(value->string, s) == 0 : same_number(value->number, s);
}

static bool in_list(const char *list, const char *value)
{
	size_t len = strlen(value), n;

	for (; *(list += strspn(list, " ")) != '\0'; list += n) {
		n = strcspn(list, " ");
		if (n == len && memcmp(list, value, n) == 0)
			return true;
	}
	return false;
}

enum fcond_truth fcond_given(const struct fexpr *e, const struct fdef *def, const char *value)
{
	enum fcond_truth a, b;
	const struct fexpr *path, *v;

	switch (e->op) {
	case FOP_AND:
	case FOP_OR:
		a = fcond_given(e->args, def, value);
		b = fcond_given(e->args->next, def, value);
		if (e->op == FOP_OR)
			return a == FCOND_TRUE || b == FCOND_TRUE ? FCOND_TRUE
				: a == FCOND_FALSE && b == FCOND_FALSE ? FCOND_FALSE : FCOND_UNKNOWN;
		return a == FCOND_FALSE || b == FCOND_FALSE ? FCOND_FALSE
			: a == FCOND_TRUE && b == FCOND_TRUE ? FCOND_TRUE : FCOND_UNKNOWN;
	case FOP_EQ:
	case FOP_NE:
		if (def == NULL || !pair(e, &path, &v) || path->def != def)
			return FCOND_UNKNOWN;
		return truth(equals(v, value) == (e->op == FOP_EQ));
	case FOP_NUMBER:
		return truth(e->number != 0);
	case FOP_STRING:
		return truth(e->string[0] != '\0');
	case FOP_CALL:
		if (is_call(e, "true") || is_call(e, "false"))
			return truth(e->func->name[0] == 't');
		if (is_call(e, "not"))
			return negate(fcond_given(e->args, def, value));
		if (is_call(e, "boolean"))
			return fcond_given(e->args, def, value);
		if (is_call(e, "selected") && def != NULL && e->args->op == FOP_PATH
		    && e->args->def == def && e->args->next->op == FOP_STRING)
			return truth(in_list(value, e->args->next->string));
		break;
	default:
		break;
	}
	return FCOND_UNKNOWN;
}

enum fcond_truth fcond_relevance_given(const struct fdef *node, const struct fdef *def,
                                       const char *value)
{
	enum fcond_truth all = FCOND_TRUE, t;

	for (; node != NULL; node = node->parent) {
		if (node->expr[FSLOT_RELEVANT] == NULL)
			continue;
		t = fcond_given(node->expr[FSLOT_RELEVANT], def, value);
		if (t == FCOND_FALSE)
			return t;
		if (t == FCOND_UNKNOWN)
			all = t;
	}
	return all;
}

/* ---- words ---------------------------------------------------------------------------- */

enum word { QUESTION, IS, IS_NOT, INCLUDES, INCLUDES_NOT, ANSWERED, EMPTY, MORE, LESS, AT_LEAST,
            AT_MOST, AND, OR, N_WORDS };

static const char *const words[2][N_WORDS] = {
	{"question", "is", "is not", "includes", "does not include", "is answered", "is not answered",
	 "is more than", "is less than", "is at least", "is at most", "and", "or"},
	{"la pregunta", "es", "no es", "incluye", "no incluye", "tiene respuesta",
	 "no tiene respuesta", "es mayor que", "es menor que", "es por lo menos", "es como mucho",
	 "y", "o"},
};

struct speak {
	struct farena *a;
	const struct xform *f;
	size_t lang;
	const char *const *word;
};

static const char *question(struct speak *s, const struct fdef *def)
{
	if (def->ctl == NULL)
		return NULL;
	if (def->ctl->number != 0)
		return farena_fmt(s->a, "%s %u", s->word[QUESTION], def->ctl->number);
	return farena_fmt(s->a, "\"%s\"", xform_name(s->a, s->f, def, s->lang));
}

static const char *value_words(struct speak *s, const struct fdef *def, const struct fexpr *v)
{
	const char *label = NULL;

	if (v->op == FOP_NUMBER)
		return farena_fmt(s->a, "%.15g", v->number);
	if (def->ctl != NULL)
		label = xform_choice_label(s->a, s->f, def->ctl, v->string, strlen(v->string), s->lang);
	return farena_fmt(s->a, "\"%s\"", label == NULL || label[0] == '\0' ? v->string : label);
}

/* "= value" or selected(path, value): the question, the value, the verb. */
static bool is_plain(const struct fexpr *e, bool negated, const struct fdef **def,
                     const struct fexpr **value, enum word *verb)
{
	const struct fexpr *path;

	if ((e->op == FOP_EQ || e->op == FOP_NE) && pair(e, &path, value)
	    && !((*value)->op == FOP_STRING && (*value)->string[0] == '\0')) {
		*def = path->def;
		*verb = (e->op == FOP_EQ) != negated ? IS : IS_NOT;
		return true;
	}
	if (is_call(e, "selected") && e->args->op == FOP_PATH && e->args->def != NULL
	    && e->args->next->op == FOP_STRING) {
		*def = e->args->def;
		*value = e->args->next;
		*verb = negated ? INCLUDES_NOT : INCLUDES;
		return true;
	}
	return is_call(e, "not") && is_plain(e->args, !negated, def, value, verb);
}

/*
 * "question 18 includes A or B or C" for a chain about one question; NULL: it is none.
 * Denied, it is a chain of "and": "does not include A or B".
 */
static const char *say_chain(struct speak *s, const struct fexpr *e, bool negated)
{
	const struct fdef *def, *first_def = NULL;
	enum word verb, first_verb = IS;
	const char *out = "", *one;
	const struct fexpr *v, *at;
	enum fop op = e->op;

	for (at = e; at != NULL; at = at->op == op ? at->args : NULL) {
		if (!is_plain(at->op == op ? at->args->next : at, negated, &def, &v, &verb)
		    || (first_def != NULL && (def != first_def || verb != first_verb)))
			return NULL;
		first_def = def;
		first_verb = verb;
		if ((verb == IS || verb == INCLUDES) != ((op == FOP_OR) != negated))
			return NULL;
		one = value_words(s, def, v);
		out = one == NULL ? NULL : *out == '\0' ? one
			: farena_fmt(s->a, "%s %s %s", one, s->word[OR], out);
		if (out == NULL)
			return NULL;
	}
	one = question(s, first_def);
	return one == NULL ? NULL : farena_fmt(s->a, "%s %s %s", one, s->word[first_verb], out);
}

/* A chain about one question reads as one thing; any other "and" or "or" does not. */
static const char *in_brackets(struct speak *s, const struct fexpr *e, const char *words_of)
{
	while (is_call(e, "not"))
		e = e->args;
	if ((e->op != FOP_AND && e->op != FOP_OR) || say_chain(s, e, false) != NULL
	    || say_chain(s, e, true) != NULL)
		return words_of;
	return farena_fmt(s->a, "(%s)", words_of);
}

static const char *say(struct speak *s, const struct fexpr *e, bool negated, unsigned depth)
{
	const struct fexpr *path, *v;
	const char *a, *b;
	enum word verb = IS;
	bool is_flipped;

	if (depth > 12)
		return NULL;
	switch (e->op) {
	case FOP_AND:
	case FOP_OR:
		if ((a = say_chain(s, e, negated)) != NULL)
			return a;
		a = say(s, e->args, negated, depth + 1);
		b = say(s, e->args->next, negated, depth + 1);
		if (a == NULL || b == NULL)
			return NULL;
		/* "a or (b and c)": who reads it aloud must hear what belongs together */
		if (e->args->op != e->op)
			a = in_brackets(s, e->args, a);
		if (e->args->next->op != e->op)
			b = in_brackets(s, e->args->next, b);
		if (a == NULL || b == NULL)
			return NULL;
		/* "not (a and b)" is "not a or not b" */
		return farena_fmt(s->a, "%s %s %s", a, s->word[(e->op == FOP_AND) != negated ? AND : OR],
		                  b);
	case FOP_EQ:
	case FOP_NE:
	case FOP_LT:
	case FOP_LE:
	case FOP_GT:
	case FOP_GE:
		if (!pair(e, &path, &v) || (a = question(s, path->def)) == NULL)
			return NULL;
		is_flipped = e->args != path;
		switch (e->op) {
		case FOP_EQ: verb = negated ? IS_NOT : IS; break;
		case FOP_NE: verb = negated ? IS : IS_NOT; break;
		case FOP_LT: verb = is_flipped ? (negated ? AT_MOST : MORE) : negated ? AT_LEAST : LESS; break;
		case FOP_LE: verb = is_flipped ? (negated ? LESS : AT_LEAST) : negated ? MORE : AT_MOST; break;
		case FOP_GT: verb = is_flipped ? (negated ? AT_LEAST : LESS) : negated ? AT_MOST : MORE; break;
		default: verb = is_flipped ? (negated ? MORE : AT_MOST) : negated ? LESS : AT_LEAST; break;
		}
		if (v->op == FOP_STRING && v->string[0] == '\0')
			return farena_fmt(s->a, "%s %s", a, s->word[verb == IS ? EMPTY : ANSWERED]);
		b = value_words(s, path->def, v);
		return b == NULL ? NULL : farena_fmt(s->a, "%s %s %s", a, s->word[verb], b);
	case FOP_CALL:
		if (is_call(e, "not"))
			return say(s, e->args, !negated, depth + 1);
		if (is_call(e, "selected") && e->args->op == FOP_PATH && e->args->def != NULL
		    && e->args->next->op == FOP_STRING) {
			a = question(s, e->args->def);
			b = value_words(s, e->args->def, e->args->next);
			return a == NULL || b == NULL ? NULL : farena_fmt(s->a, "%s %s %s", a,
			       s->word[negated ? INCLUDES_NOT : INCLUDES], b);
		}
		break;
	default:
		break;
	}
	return NULL;
}

const char *fcond_words(struct farena *a, const struct xform *f, const struct fexpr *e, size_t lang)
{
	const char *code = xform_lang_code(f, lang);
	struct speak s = {a, f, lang, words[strncmp(code, "es", 2) == 0 && code[2] == '\0']};

	return say(&s, e, false, 0);
}

/* ---- what can never be ----------------------------------------------------------------- */

static bool offers(const struct fctl *ctl, const char *value)
{
	const struct fchoice *c;

	for (c = ctl->choices; c != NULL; c = c->next)
		if (strcmp(c->value, value) == 0)
			return true;
	return false;
}

void fcond_impossible(const struct xform *f, const struct fexpr *e,
                      void (*fn)(void *ctx, const struct fdef *def, const char *value), void *ctx)
{
	const struct fexpr *path = NULL, *v = NULL, *a;

	if ((e->op == FOP_EQ || e->op == FOP_NE) && !pair(e, &path, &v))
		path = NULL;
	if (is_call(e, "selected") && e->args->op == FOP_PATH && e->args->next->op == FOP_STRING) {
		path = e->args;
		v = e->args->next;
	}
	if (path != NULL && path->def != NULL && path->def->ctl != NULL
	    && path->def->ctl->choices != NULL && path->def->ctl->itemset == NULL
	    && v->op == FOP_STRING && v->string[0] != '\0' && !offers(path->def->ctl, v->string))
		fn(ctx, path->def, v->string);
	for (a = e->args; a != NULL; a = a->next)
		fcond_impossible(f, a, fn, ctx);
}
