/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "fcheck.h"
#include "fexpr.h"
#include "instance.h"

#define LABEL_MAX_CHARS 80

static bool is_integer(const char *s)
{
	size_t n;

	s += *s == '-';
	n = strspn(s, "0123456789");
	return n > 0 && n <= 18 && s[n] == '\0';
}

static bool is_decimal(const char *s)
{
	size_t whole, part = 0;

	s += *s == '-';
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.')
		part = strspn(++s, "0123456789");
	s += part;
	return whole + part > 0 && whole + part <= 30 && *s == '\0';
}

/* One "lat lon [alt [acc]]" up to ';' or the end. */
static bool is_point(const char **s, double at[2])
{
	double limit[4] = {90, 180, 1e7, 1e8}, v;
	unsigned i, k;
	char word[40];
	size_t len;

	for (i = 0; i < 4; i++) {
		*s += strspn(*s, " ");
		len = strcspn(*s, " ;");
		if (len == 0)
			break;
		if (len >= sizeof word)
			return false;
		memcpy(word, *s, len);
		word[len] = '\0';
		if (!is_decimal(word))
			return false;
		for (v = 0, k = word[0] == '-'; word[k] >= '0' && word[k] <= '9'; k++)
			v = v * 10 + (word[k] - '0');
		if (v > limit[i] || (v == limit[i] && word[k] == '.' && strspn(word + k + 1, "0")
		                     != strlen(word + k + 1)))
			return false;
		if (i < 2)
			at[i] = word[0] == '-' ? -v : v;
		*s += len;
	}
	*s += strspn(*s, " ");
	return i >= 2 && (**s == ';' || **s == '\0');
}

static unsigned count_points(const char *s)
{
	unsigned n = 0;
	double at[2];

	while (*s != '\0') {
		if (!is_point(&s, at))
			return 0;
		n++;
		if (*s == ';')
			s++;
		s += strspn(s, " ");
	}
	return n;
}

/* NULL: fine. */
static const char *type_fault(struct feval *ev, const struct fdef *def, const char *s)
{
	double v;
	bool has_time;

	switch (def->type) {
	case FTYPE_INT:
		return is_integer(s) ? NULL : FCHECK_SAY(ev, "must be a whole number",
			"debe ser un número entero");
	case FTYPE_DECIMAL:
		return is_decimal(s) ? NULL : FCHECK_SAY(ev, "must be a number",
			"debe ser un número");
	case FTYPE_BOOLEAN:
		return strcmp(s, "true") == 0 || strcmp(s, "false") == 0 || strcmp(s, "1") == 0
			|| strcmp(s, "0") == 0 ? NULL : FCHECK_SAY(ev, "must be true or false",
				"debe ser sí o no");
	case FTYPE_DATE:
		return fdate_parse(s, ev->now.tz_min, &v, &has_time)
			? NULL : FCHECK_SAY(ev, "must be a date that exists, as in 2026-11-24",
				"debe ser una fecha que exista, como 2026-11-24");
	case FTYPE_DATETIME:
		return fdate_parse(s, ev->now.tz_min, &v, &has_time) && has_time
			? NULL :
				FCHECK_SAY(ev, "must be a date with a time, as in 2026-11-24T09:30",
				"debe ser una fecha con hora, como 2026-11-24T09:30");
	case FTYPE_TIME:
		return fdate_parse_time(s, ev->now.tz_min, &v) ? NULL :
			FCHECK_SAY(ev, "must be a time, as in 09:30",
			"debe ser una hora, como 09:30");
	case FTYPE_GEOPOINT:
		return count_points(s) == 1 && strchr(s, ';') == NULL
			? NULL :
				FCHECK_SAY(ev, "must be a place: latitude and longitude, as in 14.53 -91.47",
				"debe ser un lugar: latitud y longitud, como 14.53 -91.47");
	case FTYPE_GEOTRACE:
		return count_points(s) >= 2 ? NULL :
			FCHECK_SAY(ev, "must be two places or more, between semicolons",
			"debe tener dos lugares o más, entre punto y coma");
	case FTYPE_GEOSHAPE:
		return count_points(s) >= 3 ? NULL :
			FCHECK_SAY(ev, "must be three places or more, between semicolons",
			"debe tener tres lugares o más, entre punto y coma");
	case FTYPE_BINARY:
		return instance_file_name_ok(s) ? NULL :
			FCHECK_SAY(ev, "must be the plain name of a file",
			"debe ser el nombre de un archivo, sin carpeta");
	case FTYPE_STRING:
	case FTYPE_SELECT:
		break;
	}
	return NULL;
}

static size_t find_option(const struct foption *options, size_t n, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(options[i].value) == len && memcmp(options[i].value, s, len) == 0)
			break;
	return i;
}

static const char *choice_fault(struct feval *ev, const struct fctl *ctl, const struct fnode *n,
                                const char *s)
{
	struct foption *options;
	size_t n_options, i, len, n_chosen = 0;
	bool *seen;
	char *word;

	/* what can be chosen stands in other answers */
	if (ev->is_blind && ctl->itemset != NULL && ctl->itemset->inst == NULL) {
		ev->was_unchecked = true;
		return NULL;
	}
	if (feval_options(ev, ctl, n, &options, &n_options) != 0)
		return FCHECK_SAY(ev, "has too many choices to look through",
			"tiene demasiadas opciones para revisarlas");
	if (ctl->kind == FCTL_SELECT1) {
		if (find_option(options, n_options, s, strlen(s)) < n_options)
			return NULL;
		return ctl->itemset == NULL
			? farena_fmt(ev->scratch, FCHECK_SAY(ev, "has no choice \"%.60s\"",
			             "tiene una opción que no existe: «%.60s»"), s)
			: farena_fmt(ev->scratch, FCHECK_SAY(ev, "has no choice \"%.60s\" after what was "
			             "answered before", "tiene una opción que no existe según lo que se "
			             "contestó antes: «%.60s»"), s);
	}
	seen = farena_get(ev->scratch, n_options + 1);
	if (seen == NULL)
		return FCHECK_SAY(ev, "has too many choices to look through",
			"tiene demasiadas opciones para revisarlas");
	while (*(s += strspn(s, " ")) != '\0' && feval_spend(ev, n_options)) {
		len = strcspn(s, " ");
		i = find_option(options, n_options, s, len);
		if (i == n_options) {
			word = farena_str(ev->scratch, s, len < 60 ? len : 60);
			return farena_fmt(ev->scratch, FCHECK_SAY(ev, "has no choice \"%s\"",
			                  "tiene una opción que no existe: «%s»"),
			                  word == NULL ? "?" : word);
		}
		if (seen[i])
			return farena_fmt(ev->scratch, FCHECK_SAY(ev, "has the choice \"%s\" twice",
			                  "tiene dos veces la opción «%s»"), options[i].value);
		seen[i] = true;
		n_chosen++;
		s += len;
	}
	if (ctl->kind == FCTL_RANK && n_chosen != n_options && !(ev->is_blind && ctl->itemset != NULL))
		return FCHECK_SAY(ev, "must put all choices in an order",
			"debe poner en orden todas las opciones");
	return NULL;
}

static const char *range_fault(struct feval *ev, const struct fctl *ctl, const char *s)
{
	struct fval v;
	double start, end, step, x, steps;

	fval_set_string(&v, ctl->start);
	start = fval_number(ev, &v);
	fval_set_string(&v, ctl->end);
	end = fval_number(ev, &v);
	fval_set_string(&v, ctl->step);
	step = fabs(fval_number(ev, &v));
	fval_set_string(&v, s);
	x = fval_number(ev, &v);
	steps = fabs(x - start) / step;
	if (isnan(x) || x < fmin(start, end) - 1e-9 || x > fmax(start, end) + 1e-9
	    || fabs(steps - round(steps)) > 1e-6)
		return farena_fmt(ev->scratch, FCHECK_SAY(ev, "must be from %s to %s in steps of %s",
		                  "debe ir de %s a %s, en pasos de %s"), ctl->start, ctl->end, ctl->step);
	return NULL;
}

struct reads {
	const struct fdef *own;
	bool others;
};

static void on_read(void *ctx, const struct fdef *def)
{
	struct reads *r = ctx;

	r->others = r->others || def != r->own;
}

static bool reads_others(const struct fexpr *e, const struct fdef *own)
{
	struct reads r = {own, false};

	fexpr_reads(e, on_read, &r);
	return r.others;
}

bool fcheck_answer(struct feval *ev, const struct fnode *n, const char *text,
                   enum fault_kind *kind, const char **why)
{
	const struct fdef *def = n->def;
	const struct fctl *ctl = def->ctl;

	*kind = FAULT_TYPE;
	*why = type_fault(ev, def, text);
	if (*why != NULL)
		return false;
	if (ctl != NULL) {
		*kind = FAULT_CHOICE;
		switch (ctl->kind) {
		case FCTL_SELECT1:
		case FCTL_SELECT:
		case FCTL_RANK:
			*why = choice_fault(ev, ctl, n, text);
			break;
		case FCTL_RANGE:
			*why = range_fault(ev, ctl, text);
			break;
		case FCTL_TRIGGER:
			*why = strcmp(text, "OK") == 0 ? NULL :
				FCHECK_SAY(ev, "can only be confirmed with OK",
				"solo se puede confirmar con OK");
			break;
		case FCTL_GROUP:
		case FCTL_REPEAT:
		case FCTL_INPUT:
		case FCTL_UPLOAD:
			break;
		}
		if (*why != NULL)
			return false;
	}
	*kind = FAULT_CONSTRAINT;
	if (def->expr[FSLOT_CONSTRAINT] == NULL)
		return true;
	if (ev->is_blind && reads_others(def->expr[FSLOT_CONSTRAINT], def)) {
		ev->was_unchecked = true;
		return true;
	}
	ev->candidate = n;
	ev->candidate_text = text;
	if (!feval_is_true(ev, def->expr[FSLOT_CONSTRAINT], n))
		*why = feval_label(ev, def->constraint_msg, n);
	ev->candidate = NULL;
	if (*why != NULL && (*why)[0] == '\0')
		*why = FCHECK_SAY(ev, "has an answer that the form does not allow",
			"tiene una respuesta que el formulario no permite");
	return *why == NULL;
}

bool fcheck_is_ours(const char *why)
{
	return strcmp(why, "must be answered") == 0 || strcmp(why, "debe contestarse") == 0;
}

bool fcheck_required(struct feval *ev, const struct fnode *n, const char **why)
{
	const struct fexpr *e = n->def->expr[FSLOT_REQUIRED];

	if (e == NULL || ev->is_blind || n->def->ctl == NULL || n->def->ctl->is_note || !feval_is_true(ev, e, n))
		return false;
	*why = feval_label(ev, n->def->required_msg, n);
	if ((*why)[0] == '\0')
		*why = FCHECK_SAY(ev, "must be answered",
			"debe contestarse");
	return true;
}

const char *fcheck_label(struct feval *ev, const struct fnode *n)
{
	const struct fctl *ctl = n->def == NULL ? NULL : n->def->ctl;
	char *s = (char *)feval_label(ev, ctl == NULL ? NULL : ctl->label, n), *p;
	size_t chars = 0;

	if (s[0] == '\0')
		return n->name;
	for (p = s; *p != '\0'; p++) {
		if (*p == '\n')
			*p = ' ';
		if (((unsigned char)*p & 0xc0) != 0x80 && ++chars > LABEL_MAX_CHARS) {
			*p = '\0';
			p = farena_fmt(ev->scratch, "%s…", s);
			return p == NULL ? s : p;
		}
	}
	return s;
}

const char *fcheck_name(struct feval *ev, const struct fnode *n)
{
	unsigned number = n->def->ctl == NULL ? 0 : n->def->ctl->number;
	const char *s = number == 0
		? farena_fmt(ev->scratch, FCHECK_SAY(ev, "\"%s\"", "«%s»"), fcheck_label(ev, n))
		: farena_fmt(ev->scratch, FCHECK_SAY(ev, "Question %u \"%s\"", "La pregunta %u «%s»"),
		             number, fcheck_label(ev, n));
	const struct fnode *up;

	for (up = n->parent; up != NULL && s != NULL; up = up->parent)
		if (up->def != NULL && up->def->is_repeat)
			s = farena_fmt(ev->scratch, FCHECK_SAY(ev, "%s in \"%s\" %u", "%s en «%s» %u"), s,
			               fcheck_label(ev, up), (unsigned)up->ord);
	return s == NULL ? "?" : s;
}

long fcheck_count(struct feval *ev, const struct fctl *repeat, const struct fnode *parent)
{
	struct farena_mark m = farena_mark(ev->scratch);
	struct fnode there;
	struct fval v;
	double d;

	if (repeat->count_expr == NULL)
		return -1;
	/* A relative path in the count starts at the repeat itself, which may not exist yet. */
	memset(&there, 0, sizeof there);
	there.ns = there.text = "";
	there.name = repeat->def->name;
	there.parent = (struct fnode *)parent;
	there.def = repeat->def;
	there.relevant = FEVAL_YES;
	feval_at(ev, repeat->count_expr, &there, &v);
	d = fval_number(ev, &v);
	farena_release(ev->scratch, m);
	if (isnan(d) || d < 0)
		return 0;
	return d > FCHECK_COUNT_MAX ? FCHECK_COUNT_MAX : (long)d;
}
