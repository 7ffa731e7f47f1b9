/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "fexpr.h"
#include "fregex.h"

enum token {
	TOK_END, TOK_NUMBER, TOK_STRING, TOK_NAME, TOK_OPERATOR, TOK_BAD
};

struct lexer {
	struct xparse *p;
	const char *what, *source, *s;
	enum token tok;
	bool after_operand;             /* then "*" multiplies and "div" is an operator */
	const char *text;               /* of names, strings and operators */
	double number;
	unsigned depth;
	const struct fdef *context;     /* NULL inside predicates over other instances */
	const struct fdef *current;
	bool is_volatile;
};

static int wrong(struct lexer *l, const char *reason)
{
	return xparse_fail(l->p, PERR_FORMAT, "The expression in %.160s is wrong (%s): %.200s", l->what,
	                   reason, l->source);
}

static bool name_start(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool name_char(unsigned char c)
{
	return name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static bool keep(struct lexer *l, const char *s, size_t len)
{
	l->text = farena_str(l->p->f->arena, s, len);
	return l->text != NULL;
}

static double number_at(const char **s)
{
	double v = 0, unit = 0.1;

	for (; **s >= '0' && **s <= '9'; (*s)++)
		v = v * 10 + (**s - '0');
	if (**s == '.') {
		for ((*s)++; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
			v += unit * (**s - '0');
	}
	return v;
}

/* Moves to the next token.  TOK_BAD: no token of the grammar, or no memory. */
static void next(struct lexer *l)
{
	static const char *const two[] = {"!=", "<=", ">=", "//", "..", "::"};
	static const char *const words[] = {"and", "or", "div", "mod"};
	const char *s, *end;
	size_t i;

	l->s += strspn(l->s, " \t\r\n");
	s = l->s;
	if (*s == '\0') {
		l->tok = TOK_END;
		return;
	}
	l->tok = TOK_BAD;
	if ((*s >= '0' && *s <= '9') || (*s == '.' && s[1] >= '0' && s[1] <= '9')) {
		/* Not strtod: it knows exponents, hexadecimal and the locale's comma. */
		l->number = number_at(&l->s);
		l->tok = TOK_NUMBER;
		l->after_operand = true;
		return;
	}
	if (*s == '\'' || *s == '"') {
		end = strchr(s + 1, *s);
		if (end != NULL && keep(l, s + 1, (size_t)(end - s - 1))) {
			l->s = end + 1;
			l->tok = TOK_STRING;
			l->after_operand = true;
		}
		return;
	}
	if (name_start((unsigned char)*s)) {
		while (name_char((unsigned char)*l->s))
			l->s++;
		/* A prefix belongs to the name; "::" does not. */
		if (*l->s == ':' && name_start((unsigned char)l->s[1]))
			for (l->s++; name_char((unsigned char)*l->s); l->s++)
				;
		if (!keep(l, s, (size_t)(l->s - s)))
			return;
		l->tok = TOK_NAME;
		if (l->after_operand) {
			for (i = 0; i < 4 && strcmp(l->text, words[i]) != 0; i++)
				;
			if (i < 4) {
				l->tok = TOK_OPERATOR;
				l->after_operand = false;
				return;
			}
		}
		l->after_operand = true;
		return;
	}
	for (i = 0; i < sizeof two / sizeof two[0]; i++)
		if (strncmp(s, two[i], 2) == 0)
			break;
	if (i == sizeof two / sizeof two[0] && strchr("()[],@|+-=<>*/.", *s) == NULL)
		return;
	l->s += i < sizeof two / sizeof two[0] ? 2 : 1;
	if (!keep(l, s, (size_t)(l->s - s)))
		return;
	l->tok = TOK_OPERATOR;
	if (strcmp(l->text, "*") == 0)
		l->after_operand = !l->after_operand;   /* a wildcard is an operand */
	else
		l->after_operand = strcmp(l->text, ")") == 0 || strcmp(l->text, "]") == 0
			|| strcmp(l->text, ".") == 0 || strcmp(l->text, "..") == 0;
}

static bool is(const struct lexer *l, const char *op)
{
	return l->tok == TOK_OPERATOR && strcmp(l->text, op) == 0;
}

static struct fexpr *new_expr(struct lexer *l, enum fop op)
{
	struct fexpr *e = farena_get(l->p->f->arena, sizeof *e);

	if (e == NULL)
		xparse_nomem(l->p);
	else
		e->op = op;
	return e;
}

static struct fexpr *parse_or(struct lexer *l);

/* "[" has been seen; at_def is what the node is, as far as it is known. */
static int parse_predicates(struct lexer *l, struct fexpr **list, const struct fdef *at_def)
{
	const struct fdef *outer = l->context;

	l->context = at_def;
	while (is(l, "[")) {
		next(l);
		*list = parse_or(l);
		if (*list == NULL)
			return -1;
		if (!is(l, "]"))
			return wrong(l, "a \"]\" is missing");
		next(l);
		list = &(*list)->next;
	}
	l->context = outer;
	return 0;
}

static const char *local(const char *name)
{
	const char *colon = strchr(name, ':');

	return colon == NULL ? name : colon + 1;
}

/*
 * Where a step leads from *def, so that a path to nowhere is found when the form is
 * published and not at night.  A NULL definition is beyond what is known.
 */
static int follow(struct lexer *l, const struct fdef **def, bool *is_known, bool *at_top,
                  const struct fstep *step)
{
	if (!*is_known)
		return 0;
	switch (step->axis) {
	case FAXIS_SELF:
		return 0;
	case FAXIS_PARENT:
		if (*def == NULL || (*def)->parent == NULL)
			*is_known = false;
		else
			*def = (*def)->parent;
		return 0;
	case FAXIS_CHILD:
		if (step->name == NULL)
			break;
		*def = fmap_get(&l->p->f->def_by_name, *at_top ? NULL : *def, step->name);
		*at_top = false;
		if (*def == NULL)
			return xparse_fail(l->p, PERR_FORMAT, "The expression in %.160s refers to \"%.80s\", "
			                   "which the form's data does not have there: %.160s", l->what,
			                   step->name, l->source);
		return 0;
	case FAXIS_ATTRIBUTE:
	case FAXIS_DESCENDANT:
		break;
	}
	*is_known = false;
	return 0;
}

static int parse_step(struct lexer *l, struct fstep *step)
{
	if (is(l, "..") || is(l, ".")) {
		step->axis = is(l, "..") ? FAXIS_PARENT : FAXIS_SELF;
		next(l);
		return 0;
	}
	if (is(l, "@")) {
		step->axis = FAXIS_ATTRIBUTE;
		next(l);
	}
	if (l->tok == TOK_NAME && strncmp(l->s + strspn(l->s, " "), "::", 2) == 0) {
		if (strcmp(l->text, "child") == 0)
			step->axis = FAXIS_CHILD;
		else if (strcmp(l->text, "attribute") == 0)
			step->axis = FAXIS_ATTRIBUTE;
		else if (strcmp(l->text, "parent") == 0)
			step->axis = FAXIS_PARENT;
		else if (strcmp(l->text, "self") == 0)
			step->axis = FAXIS_SELF;
		else
			return xparse_fail(l->p, PERR_UNKNOWN, "The expression in %.160s uses the axis "
			                   "\"%.40s\", which forms do not have: %.200s", l->what, l->text,
			                   l->source);
		next(l);
		l->after_operand = false;
		next(l);
	}
	if (is(l, "*")) {
		next(l);
		return 0;
	}
	if (l->tok != TOK_NAME)
		return wrong(l, "a name is missing");
	if (*l->s == '(' && strcmp(l->text, "node") == 0) {
		next(l);
		next(l);
		if (!is(l, ")"))
			return wrong(l, "node() takes no argument");
		next(l);
		return 0;
	}
	step->name = local(l->text);
	next(l);
	return 0;
}

/* e->start is set; the lexer stands at the first step. */
static int parse_steps(struct lexer *l, struct fexpr *e, bool slashes)
{
	struct fstep **end = &e->steps, *step;
	const struct fdef *def = e->start == FSTART_CONTEXT ? l->context : NULL;
	bool at_top = e->start == FSTART_ROOT;
	bool is_known = at_top || (e->start == FSTART_CONTEXT && def != NULL);

	if (e->start == FSTART_EXPR && e->args->op == FOP_CALL && e->predicates == NULL
	    && strcmp(e->args->func->name, "current") == 0) {
		def = l->current;
		is_known = def != NULL;
	}
	for (;;) {
		if (slashes) {
			if (!is(l, "/") && !is(l, "//"))
				break;
			if (is(l, "//")) {
				step = farena_get(l->p->f->arena, sizeof *step);
				if (step == NULL)
					return xparse_nomem(l->p);
				step->axis = FAXIS_DESCENDANT;
				*end = step;
				end = &step->next;
				is_known = false;
			}
			next(l);
		}
		slashes = true;
		step = farena_get(l->p->f->arena, sizeof *step);
		if (step == NULL)
			return xparse_nomem(l->p);
		*end = step;
		end = &step->next;
		/* "/item/[x=1]" is no XPath, but ODK's own documents have it. */
		if (is(l, "["))
			step->axis = FAXIS_SELF;
		else if (parse_step(l, step) != 0)
			return -1;
		if (follow(l, &def, &is_known, &at_top, step) != 0)
			return -1;
		if (is(l, "[") && parse_predicates(l, &step->predicates, is_known ? def : NULL) != 0)
			return -1;
	}
	e->def = is_known ? def : NULL;
	return 0;
}

static int check_call(struct lexer *l, struct fexpr *e)
{
	const struct fexpr *a = e->args;
	char why[128];
	int supported = 1;

	if (e->n_args < (unsigned)e->func->min
	    || (e->func->max >= 0 && e->n_args > (unsigned)e->func->max))
		return wrong(l, "a function has the wrong number of arguments");
	if (strcmp(e->func->name, "instance") == 0) {
		if (a->op != FOP_STRING)
			return wrong(l, "instance() takes a name in quotes");
		if (xform_inst(l->p->f, a->string) == NULL && strcmp(a->string, l->p->f->id) != 0)
			return xparse_fail(l->p, PERR_FORMAT, "The expression in %.160s uses "
			                   "instance('%.80s'), which the form does not have.", l->what,
			                   a->string);
	}
	if (strcmp(e->func->name, "pulldata") == 0 && a->op == FOP_STRING
	    && xform_inst(l->p->f, a->string) == NULL)
		return xparse_fail(l->p, PERR_FORMAT, "The expression in %.160s pulls data from "
		                   "\"%.80s\", which the form does not have.", l->what, a->string);
	if (strcmp(e->func->name, "regex") == 0 && a->next->op == FOP_STRING)
		supported = fregex_is_supported(a->next->string, why, sizeof why);
	if (supported < 0)
		return xparse_fail(l->p, PERR_NOMEM, "There is not enough memory to read the form.");
	if (supported == 0)
		return xparse_fail(l->p, PERR_UNKNOWN, "The pattern in %.160s cannot be used: %.120s "
		                   "(%.160s).", l->what, why, a->next->string);
	if (strcmp(e->func->name, "digest") == 0 && a->next->op == FOP_STRING
	    && strcmp(a->next->string, "SHA-256") != 0 && strcmp(a->next->string, "SHA-512") != 0)
		return xparse_fail(l->p, PERR_UNKNOWN, "The expression in %.160s uses digest() with "
		                   "%.20s; only SHA-256 and SHA-512 are supported.", l->what,
		                   a->next->string);
	if (strcmp(e->func->name, "weighted-checklist") == 0 && e->n_args % 2 != 0)
		return wrong(l, "weighted-checklist() takes pairs");
	if (strcmp(e->func->name, "indexed-repeat") == 0 && e->n_args % 2 == 0)
		return wrong(l, "indexed-repeat() takes pairs of repeat and index");
	return 0;
}

static struct fexpr *parse_call(struct lexer *l)
{
	struct fexpr *e = new_expr(l, FOP_CALL), **end;

	if (e == NULL)
		return NULL;
	e->func = ffunc_find(l->text);
	if (e->func == NULL) {
		xparse_fail(l->p, PERR_UNKNOWN, "The expression in %.160s uses the function %.60s(), "
		            "which is not supported.", l->what, l->text);
		return NULL;
	}
	if (strcmp(l->text, "uuid") == 0 || strcmp(l->text, "random") == 0
	    || strcmp(l->text, "now") == 0)
		l->is_volatile = true;
	next(l);
	next(l);
	end = &e->args;
	while (!is(l, ")")) {
		if (e->n_args > 0) {
			if (!is(l, ",")) {
				wrong(l, "a \")\" is missing");
				return NULL;
			}
			next(l);
		}
		*end = parse_or(l);
		if (*end == NULL)
			return NULL;
		end = &(*end)->next;
		e->n_args++;
	}
	l->after_operand = true;
	next(l);
	return check_call(l, e) == 0 ? e : NULL;
}

static bool at_call(const struct lexer *l)
{
	return l->tok == TOK_NAME && l->s[strspn(l->s, " \t\r\n")] == '('
		&& strcmp(l->text, "node") != 0;
}

/* A primary expression with what may follow it: predicates and steps. */
static struct fexpr *parse_path(struct lexer *l)
{
	struct fexpr *e, *inner;

	if (is(l, "/") || is(l, "//") || is(l, ".") || is(l, "..") || is(l, "@") || is(l, "*")
	    || (l->tok == TOK_NAME && !at_call(l))) {
		e = new_expr(l, FOP_PATH);
		if (e == NULL)
			return NULL;
		e->start = is(l, "/") || is(l, "//") ? FSTART_ROOT : FSTART_CONTEXT;
		return parse_steps(l, e, e->start == FSTART_ROOT) == 0 ? e : NULL;
	}
	if (l->tok == TOK_NUMBER) {
		inner = new_expr(l, FOP_NUMBER);
		if (inner != NULL)
			inner->number = l->number;
		next(l);
		return inner;
	}
	if (l->tok == TOK_STRING) {
		inner = new_expr(l, FOP_STRING);
		if (inner != NULL)
			inner->string = l->text;
		next(l);
		return inner;
	}
	if (at_call(l)) {
		inner = parse_call(l);
	} else if (is(l, "(")) {
		next(l);
		inner = parse_or(l);
		if (inner != NULL && !is(l, ")")) {
			wrong(l, "a \")\" is missing");
			return NULL;
		}
		if (inner != NULL)
			next(l);
	} else {
		wrong(l, l->tok == TOK_BAD ? "there is a sign that has no meaning"
		      : "something is missing");
		return NULL;
	}
	if (inner == NULL || (!is(l, "[") && !is(l, "/") && !is(l, "//")))
		return inner;
	e = new_expr(l, FOP_PATH);
	if (e == NULL)
		return NULL;
	e->start = FSTART_EXPR;
	e->args = inner;
	if (is(l, "[") && parse_predicates(l, &e->predicates, NULL) != 0)
		return NULL;
	return parse_steps(l, e, true) == 0 ? e : NULL;
}

static struct fexpr *parse_unary(struct lexer *l)
{
	struct fexpr *e;

	if (!is(l, "-"))
		return parse_path(l);
	if (++l->depth > FEXPR_DEPTH_MAX) {
		xparse_fail(l->p, PERR_LIMIT, "The expression in %.160s is nested too deeply.", l->what);
		return NULL;
	}
	e = new_expr(l, FOP_NEG);
	next(l);
	if (e != NULL && (e->args = parse_unary(l)) == NULL)
		return NULL;
	l->depth--;
	return e;
}

static const struct {
	const char *text;
	enum fop op;
	int level;
} operators[] = {
	{"or", FOP_OR, 0}, {"and", FOP_AND, 1}, {"=", FOP_EQ, 2}, {"!=", FOP_NE, 2},
	{"<", FOP_LT, 3}, {"<=", FOP_LE, 3}, {">", FOP_GT, 3}, {">=", FOP_GE, 3},
	{"+", FOP_ADD, 4}, {"-", FOP_SUB, 4}, {"*", FOP_MUL, 5}, {"div", FOP_DIV, 5},
	{"mod", FOP_MOD, 5}, {"|", FOP_UNION, 6},
};

static struct fexpr *parse_level(struct lexer *l, int level)
{
	struct fexpr *left, *e;
	size_t i;

	left = level > 6 ? parse_unary(l) : parse_level(l, level + 1);
	for (; left != NULL && level <= 6 && l->tok == TOK_OPERATOR; left = e) {
		for (i = 0; i < sizeof operators / sizeof operators[0]; i++)
			if (operators[i].level == level && strcmp(operators[i].text, l->text) == 0)
				break;
		if (i == sizeof operators / sizeof operators[0])
			break;
		/* A chain leans left and is as deep to evaluate as it is long. */
		if (++l->p->n_chain > 800) {
			xparse_fail(l->p, PERR_LIMIT, "The expression in %.160s is too long.", l->what);
			return NULL;
		}
		e = new_expr(l, operators[i].op);
		if (e == NULL)
			return NULL;
		next(l);
		e->args = left;
		left->next = parse_level(l, level + 1);
		if (left->next == NULL)
			return NULL;
	}
	return left;
}

static struct fexpr *parse_or(struct lexer *l)
{
	struct fexpr *e;

	if (++l->depth > FEXPR_DEPTH_MAX) {
		xparse_fail(l->p, PERR_LIMIT, "The expression in %.160s is nested too deeply.", l->what);
		return NULL;
	}
	e = parse_level(l, 0);
	l->depth--;
	return e;
}

int fexpr_compile(struct xparse *p, struct fexpr **out, const char *source,
                  const struct fdef *context, const char *what)
{
	struct lexer l = {p, what, source, source, TOK_END, false, "", 0, 0, context, context,
	                  false};

	if (strlen(source) > FEXPR_LENGTH_MAX)
		return xparse_fail(p, PERR_LIMIT, "The expression in %.160s is too long.", what);
	p->n_chain = 0;
	next(&l);
	*out = parse_or(&l);
	if (*out == NULL)
		return -1;
	if (l.tok != TOK_END)
		return wrong(&l, "there is something behind its end");
	(*out)->is_volatile = l.is_volatile;
	return 0;
}

static void reads_steps(const struct fstep *s, void (*fn)(void *, const struct fdef *), void *ctx)
{
	const struct fexpr *e;

	for (; s != NULL; s = s->next)
		for (e = s->predicates; e != NULL; e = e->next)
			fexpr_reads(e, fn, ctx);
}

void fexpr_reads(const struct fexpr *e, void (*fn)(void *ctx, const struct fdef *def), void *ctx)
{
	const struct fexpr *a;

	if (e->op == FOP_PATH && e->def != NULL)
		fn(ctx, e->def);
	for (a = e->args; a != NULL; a = a->next)
		fexpr_reads(a, fn, ctx);
	for (a = e->predicates; a != NULL; a = a->next)
		fexpr_reads(a, fn, ctx);
	reads_steps(e->steps, fn, ctx);
}
