/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_forms: how long a form of 250 questions takes to be checked, and 5,000 cases to
 * become tables: by the library alone, and from a holder's vault as the command does it.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "case.h"
#include "export_tables.h"
#include "fault.h"
#include "fexport.h"
#include "instance.h"
#include "intake.h"
#include "team.h"

#define VOLUNTEERS 10
#define QUESTIONS 250

static const char *const filled[] = {
	"tests/e2e/data/intake-04.xml", "tests/e2e/data/intake-07.xml",
	"tests/e2e/data/intake-10.xml", "tests/e2e/data/intake-11.xml"
};
#define FILLED (sizeof filled / sizeof filled[0])

/* 24 November 2026, 09:30 in Guatemala */
static const struct fclock now = { .unix_ms = 1795534200000, .tz_min = -360 };

/* ---- checking --------------------------------------------------------------------------- */

/* a form of 250 questions, each with a type, half with a condition, a tenth with a pattern */
static char *large_form(void)
{
	char *s = malloc(QUESTIONS * 700 + 2000), *at = s;

	if (s == NULL)
		bench_broke("out of memory");
	at += sprintf(at, "<h:html xmlns='http://www.w3.org/2002/xforms' xmlns:h='http://www.w3.org/1999/xhtml'>"
	              "<h:head><h:title>Large</h:title><model><instance><data id='large' version='1'>");
	for (int i = 0; i < QUESTIONS; i++)
		at += sprintf(at, "<q%d/>", i);
	at += sprintf(at, "</data></instance>");
	for (int i = 0; i < QUESTIONS; i++) {
		at += sprintf(at, "<bind nodeset='/data/q%d' type='%s'%s", i,
		              i % 5 == 1 ? "int" : i % 5 == 2 ? "date" : "string",
		              i % 10 == 3 ? " constraint=\"regex(., '^[A-Z][a-z]+ [0-9]{1,4}$')\"" :
		              i % 5 == 1 ? " constraint='. &gt;= 0 and . &lt; 200'" : "");
		if (i % 2 == 0 && i > 0)
			at += sprintf(at, " relevant=\"/data/q%d != 'never'\"", i % 5 == 0 ? i - 5 : i - i % 5);
		at += sprintf(at, "/>");
	}
	at += sprintf(at, "</model></h:head><h:body>");
	for (int i = 0; i < QUESTIONS; i++)
		at += i % 5 == 0
		    ? sprintf(at, "<select1 ref='/data/q%d'><label>Question %d</label><item><label>Yes</label>"
		              "<value>yes</value></item><item><label>No</label><value>no</value></item>"
		              "</select1>", i, i)
		    : sprintf(at, "<input ref='/data/q%d'><label>Question %d</label></input>", i, i);
	sprintf(at, "</h:body></h:html>");
	return s;
}

static char *large_instance(bool wrong)
{
	char *s = malloc(QUESTIONS * 80 + 200), *at = s;

	if (s == NULL)
		bench_broke("out of memory");
	at += sprintf(at, "<data id='large' version='1'>");
	for (int i = 0; i < QUESTIONS; i++)
		at += sprintf(at, "<q%d>%s</q%d>", i, i % 5 == 0 ? "yes" : i % 5 == 1 ? (wrong ? "x" : "42")
		              : i % 5 == 2 ? "2026-11-24" : "Street 12", i);
	sprintf(at, "</data>");
	return s;
}

static struct xform *parse_form(const char *xml, size_t len)
{
	char why[XFORM_WHY_SIZE];
	struct xform *f;

	if (xform_parse(&f, (const uint8_t *)xml, len, why) != PERR_OK)
		bench_broke("the form is refused: %s", why);
	return f;
}

/* milliseconds for reading a submission and checking it in full */
static double check(const struct xform *f, const char *xml, size_t want)
{
	char why[INSTANCE_WHY_SIZE];
	struct faults *l = faults_new();
	struct instance *in;
	double t = bench_now();
	size_t n;

	if (l == NULL || instance_parse(&in, f, (const uint8_t *)xml, strlen(xml), why) != PERR_OK ||
	    instance_check(in, INSTANCE_FULL, NULL, &now, l) != PERR_OK)
		bench_broke("the submission cannot be checked");
	t = (bench_now() - t) * 1e3;
	n = faults_total(l);
	if (n != want)
		bench_broke("%zu faults, not %zu; the first: %s", n, want,
		            n > 0 ? faults_at(l, 0)->text : "none");
	instance_free(in);
	faults_free(l);
	return t;
}

static void bench_check(void)
{
	struct bench_series ok = { .n = 0 }, bad = { .n = 0 }, parse = { .n = 0 };
	char *form = large_form(), *good = large_instance(false), *wrong = large_instance(true);
	struct xform *f = parse_form(form, strlen(form));

	if (xform_n_questions(f) != QUESTIONS)
		bench_broke("%u questions", xform_n_questions(f));
	for (unsigned i = 0; i < bench_number("BENCH_RUNS", 31); i++) {
		double t = bench_now();

		xform_free(f);
		f = parse_form(form, strlen(form));
		bench_add(&parse, (bench_now() - t) * 1e3);
		bench_add(&ok, check(f, good, 0));
		bench_add(&bad, check(f, wrong, QUESTIONS / 5));
	}
	bench_figure("validate_250_questions", bench_median(&ok), "ms", 5,
	             "an aim of our own: not noticed at a question", BENCH_VALUE_MAX, 5);
	bench_note("read and checked in full; with a wrong answer in every fifth question %.2f ms; the "
	           "form itself is read in %.2f ms", bench_median(&bad), bench_median(&parse));
	xform_free(f);
	free(form);
	free(good);
	free(wrong);
}

/* ---- tables ----------------------------------------------------------------------------- */

struct counted {
	size_t bytes;
	unsigned files, rows;
};

static enum perr count_file(void *ctx, const char *dir, const char *name, const uint8_t *data,
                            size_t len)
{
	struct counted *k = ctx;
	bool is_quoted = false;

	k->bytes += len;
	k->files++;
	if (strcmp(name, "raid-intake.csv") == 0)
		for (size_t i = 0; i < len; i++) {
			is_quoted ^= data[i] == '"';
			k->rows += data[i] == '\n' && !is_quoted;
		}
	return PERR_OK;
}

struct records {
	uint8_t (*at)[STATEMENT_RECORD_SIZE];
	unsigned n;
};

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct records *r = arg;

	memcpy(r->at[r->n++], s->record, STATEMENT_RECORD_SIZE);
	return PERR_OK;
}

static double export_all(struct member *m, unsigned n, struct counted *k)
{
	struct records r = { .at = calloc(n + 1, STATEMENT_RECORD_SIZE) };
	struct export_sink sink = { count_file, k };
	struct export_tables *x;
	double t = bench_now();
	unsigned files;

	memset(k, 0, sizeof *k);
	if (r.at == NULL || case_each(m->c, one_case, &r, NULL) != PERR_OK || r.n != n ||
	    export_tables_new(&x, m->c, FEXPORT_SAFE, NULL) != PERR_OK)
		bench_broke("%u of %u cases are there", r.n, n);
	for (unsigned i = 0; i < n; i++) {
		struct case_file *f;
		unsigned unreadable;

		if (case_open(m->c, r.at[i], &f) != PERR_OK ||
		    export_tables_add(x, f, &unreadable) != PERR_OK || unreadable != 0)
			bench_broke("a case cannot be exported");
		case_close(f);
	}
	if (export_tables_write(x, &sink, &files) != PERR_OK)
		bench_broke("the tables cannot be written");
	t = bench_now() - t;
	export_tables_free(x);
	free(r.at);
	return t;
}

/* one pass over the same bytes: what nobody can do without */
static double copy_of(size_t len)
{
	char *a = malloc(len), *b = malloc(len);
	double t;

	if (a == NULL || b == NULL)
		bench_broke("out of memory");
	memset(a, 'a', len);
	t = bench_now();
	memcpy(b, a, len);
	t = bench_now() - t;
	if (b[len / 2] != 'a')
		bench_broke("a copy differs");
	free(a);
	free(b);
	return t;
}

static void seal(struct member *m, unsigned n)
{
	struct intake in = { .language = "es" };
	struct intake_receipt r;
	char why[DISPATCH_WHY] = "";

	for (unsigned i = 0; i < n; i++) {
		uint8_t *xml = team_source(filled[i % FILLED], &in.xml_len);
		enum perr err;

		in.xml = xml;
		err = intake_seal(m->c, &in, &r, why);
		if (err != PERR_OK)
			bench_broke("intake_seal: %s: %s", perr_text(err), why);
		free(xml);
	}
}

static void bench_tables(void)
{
	struct bench_series took = { .n = 0 };
	unsigned n = bench_number("BENCH_CASES", 5000);
	struct team *t = team_new(VOLUNTEERS, true);
	struct member *m = &t->holders[0];
	struct counted k;

	for (unsigned i = 0; i < VOLUNTEERS; i++) {
		seal(&t->volunteers[i], n / VOLUNTEERS);
		team_sync(&t->volunteers[i]);
	}
	(void)team_release(t);
	team_sync(m);
	if (case_refresh(m->c) != PERR_OK)
		bench_broke("case_refresh failed");
	for (unsigned i = 0; i < 3; i++) {
		/* as a command does it: nothing of the vault is in memory yet */
		team_reopen(m);
		bench_add(&took, export_all(m, n, &k));
	}
	if (k.rows != n + 1)
		bench_broke("%u lines for %u cases", k.rows, n);
	bench_figure("export_5000_cases", bench_median(&took), "s", 5,
	             "an aim of our own: a cup of coffee is longer", BENCH_VALUE_MAX, 5);
	bench_note("%u cases of the intake form out of a vault into %u tables, %zu bytes; copying these "
	           "bytes: %.4f s", n, k.files, k.bytes, copy_of(k.bytes));
	team_free(t);
}

int main(void)
{
	bench_check();
	bench_tables();
	return 0;
}
