/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Values and their conversions: XPath's, with the types JavaRosa gives them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feval.h"

void fval_set_string(struct fval *out, const char *s)
{
	memset(out, 0, sizeof *out);
	out->string = s == NULL ? "" : s;
}

void fval_set_number(struct fval *out, double v)
{
	memset(out, 0, sizeof *out);
	out->kind = FVAL_NUMBER;
	out->number = v;
}

void fval_set_boolean(struct fval *out, bool v)
{
	memset(out, 0, sizeof *out);
	out->kind = FVAL_BOOLEAN;
	out->boolean = v;
}

static void set_date(struct fval *out, double days, bool has_time)
{
	memset(out, 0, sizeof *out);
	out->kind = FVAL_DATE;
	out->number = days;
	out->has_time = has_time;
}

static bool read_number(const char *s, double *out)
{
	char buf[64];
	size_t i, n = 0;
	double unit = 0.1, v = 0;
	bool negative = false, any = false;

	s += strspn(s, " \t\r\n");
	for (; *s != '\0' && n < sizeof buf - 1; s++)
		buf[n++] = *s == ',' ? '.' : *s;
	if (*s != '\0')
		return false;
	while (n > 0 && strchr(" \t\r\n", buf[n - 1]) != NULL)
		n--;
	buf[n] = '\0';
	i = 0;
	if (buf[0] == '-') {
		negative = true;
		i++;
	}
	for (; buf[i] >= '0' && buf[i] <= '9'; i++, any = true)
		;
	if (buf[i] == '.')
		for (i++; buf[i] >= '0' && buf[i] <= '9'; i++, any = true)
			;
	if (!any || buf[i] != '\0')
		return false;
	/* By hand: strtod follows the locale's decimal sign.  15 digits are exact this way. */
	if (n <= 16) {
		double scale = 1;

		for (i = negative ? 1 : 0; buf[i] >= '0' && buf[i] <= '9'; i++)
			v = v * 10 + (buf[i] - '0');
		if (buf[i] == '.')
			for (i++; buf[i] != '\0'; i++, scale *= 10)
				v = v * 10 + (buf[i] - '0');
		v /= scale;
	} else {
		for (i = negative ? 1 : 0; buf[i] >= '0' && buf[i] <= '9'; i++)
			v = v * 10 + (buf[i] - '0');
		if (buf[i] == '.')
			for (i++; buf[i] != '\0'; i++, unit /= 10)
				v += unit * (buf[i] - '0');
	}
	*out = negative ? -v : v;
	return true;
}

/* The value of one answer, by the type of its question. */
static void node_value(struct feval *ev, const struct fnode *n, struct fval *out)
{
	const char *s = feval_node_text(ev, n);
	double v;
	bool has_time;

	fval_set_string(out, s);
	if (n->def == NULL || s[0] == '\0')
		return;
	switch (n->def->type) {
	case FTYPE_INT:
	case FTYPE_DECIMAL:
		if (read_number(s, &v))
			fval_set_number(out, v);
		return;
	case FTYPE_DATE:
	case FTYPE_DATETIME:
		if (fdate_parse(s, ev->now.tz_min, &v, &has_time))
			set_date(out, v, has_time);
		return;
	case FTYPE_BOOLEAN:
		if (strcmp(s, "true") == 0 || strcmp(s, "1") == 0)
			fval_set_boolean(out, true);
		else if (strcmp(s, "false") == 0 || strcmp(s, "0") == 0)
			fval_set_boolean(out, false);
		return;
	case FTYPE_STRING:
	case FTYPE_TIME:
	case FTYPE_GEOPOINT:
	case FTYPE_GEOTRACE:
	case FTYPE_GEOSHAPE:
	case FTYPE_BINARY:
	case FTYPE_SELECT:
		return;
	}
}

void fval_unpack(struct feval *ev, struct fval *v)
{
	if (v->kind != FVAL_NODES)
		return;
	if (v->n_nodes == 0)
		fval_set_string(v, "");
	else
		node_value(ev, v->nodes[0], v);
}

bool fval_date(struct feval *ev, const struct fval *value, double *days, bool *has_time)
{
	struct fval v = *value;

	fval_unpack(ev, &v);
	switch (v.kind) {
	case FVAL_DATE:
		*days = v.number;
		*has_time = v.has_time;
		return true;
	case FVAL_NUMBER:
		*days = v.number;
		*has_time = v.number != floor(v.number);
		return isfinite(v.number);
	case FVAL_STRING:
		return fdate_parse(v.string, ev->now.tz_min, days, has_time);
	case FVAL_BOOLEAN:
	case FVAL_NODES:
		break;
	}
	return false;
}

double fval_number(struct feval *ev, const struct fval *value)
{
	struct fval v = *value;
	double number;

	fval_unpack(ev, &v);
	switch (v.kind) {
	case FVAL_NUMBER:
	case FVAL_DATE:
		return v.number;
	case FVAL_BOOLEAN:
		return v.boolean;
	case FVAL_STRING:
		if (read_number(v.string, &number) || fdate_parse(v.string, ev->now.tz_min, &number, NULL)
		    || fdate_parse_time(v.string, ev->now.tz_min, &number))
			return number;
		break;
	case FVAL_NODES:
		break;
	}
	return NAN;
}

bool fval_boolean(struct feval *ev, const struct fval *value)
{
	struct fval v = *value;

	fval_unpack(ev, &v);
	switch (v.kind) {
	case FVAL_BOOLEAN:
		return v.boolean;
	case FVAL_NUMBER:
		return !isnan(v.number) && fabs(v.number) > 1e-12;
	case FVAL_STRING:
		return v.string[0] != '\0';
	case FVAL_DATE:
		return true;
	case FVAL_NODES:
		break;
	}
	return false;
}

const char *fval_number_text(struct feval *ev, double v)
{
	char buf[400], *s;
	int digits;

	if (isnan(v))
		return "NaN";
	if (isinf(v))
		return v < 0 ? "-Infinity" : "Infinity";
	if (fabs(v) < 1e-12)
		return "0";
	if (fabs(v) < 9e15 && fabs(v - round(v)) < 1e-12) {
		snprintf(buf, sizeof buf, "%lld", (long long)round(v));
	} else {
		/* The fewest digits that read back as the same number; never an exponent. */
		for (digits = 1; digits < 17; digits++) {
			snprintf(buf, sizeof buf, "%.*g", digits, v);
			if (strtod(buf, NULL) == v)
				break;
		}
		digits -= 1 + (int)floor(log10(fabs(v)));
		snprintf(buf, sizeof buf, "%.*f", digits < 0 ? 0 : digits > 30 ? 30 : digits, v);
		/* A locale may have written its comma. */
		if ((s = strchr(buf, ',')) != NULL)
			*s = '.';
	}
	s = farena_str(ev->scratch, buf, strlen(buf));
	if (s == NULL)
		feval_lacks(ev, ev->scratch, "The form asks for more memory than an answer may take.");
	return s == NULL ? "" : s;
}

const char *fval_string(struct feval *ev, const struct fval *value)
{
	struct fval v = *value;
	char buf[FDATE_SIZE];
	char *s;

	/* A node's own text, not its number: "007" stays "007". */
	if (v.kind == FVAL_NODES)
		return v.n_nodes == 0 ? "" : feval_node_text(ev, v.nodes[0]);
	switch (v.kind) {
	case FVAL_STRING:
		return v.string;
	case FVAL_NUMBER:
		return fval_number_text(ev, v.number);
	case FVAL_BOOLEAN:
		return v.boolean ? "true" : "false";
	case FVAL_DATE:
		fdate_write(buf, v.number, v.has_time, ev->now.tz_min);
		s = farena_str(ev->scratch, buf, strlen(buf));
		return s == NULL ? "" : s;
	case FVAL_NODES:
		break;
	}
	return "";
}

const char *fval_store(struct feval *ev, const struct fval *value, const struct fdef *def)
{
	struct fval v = *value;
	bool has_time;
	double d;

	if (v.kind == FVAL_NODES && v.n_nodes > 0 && v.nodes[0]->def == def)
		return feval_node_text(ev, v.nodes[0]);
	fval_unpack(ev, &v);
	if (v.kind == FVAL_NUMBER && isnan(v.number))
		return "";
	switch (def->type) {
	case FTYPE_INT:
		d = fval_number(ev, &v);
		return isnan(d) ? fval_string(ev, &v) : fval_number_text(ev, trunc(d));
	case FTYPE_DECIMAL:
		d = fval_number(ev, &v);
		return isnan(d) ? fval_string(ev, &v) : fval_number_text(ev, d);
	case FTYPE_DATE:
	case FTYPE_DATETIME:
		if (!fval_date(ev, &v, &d, &has_time))
			break;
		set_date(&v, def->type == FTYPE_DATE ? floor(d) : d, def->type == FTYPE_DATETIME);
		break;
	case FTYPE_STRING:
	case FTYPE_BOOLEAN:
	case FTYPE_TIME:
	case FTYPE_GEOPOINT:
	case FTYPE_GEOTRACE:
	case FTYPE_GEOSHAPE:
	case FTYPE_BINARY:
	case FTYPE_SELECT:
		break;
	}
	return fval_string(ev, &v);
}
