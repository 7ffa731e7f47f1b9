/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_search: a holder's vault with 10,000 cases, all of which came over the network:
 * search over all answers, opening the vault, the list of cases.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "case.h"
#include "intake.h"
#include "search.h"
#include "team.h"
#include "vault.h"

#define VOLUNTEERS 10

/* filled forms of the end-to-end tests without photographs */
static const char *const forms[] = {
	"tests/e2e/data/intake-04.xml", "tests/e2e/data/intake-07.xml",
	"tests/e2e/data/intake-10.xml", "tests/e2e/data/intake-11.xml"
};
#define FORMS (sizeof forms / sizeof forms[0])

static void seal(struct member *m, unsigned n)
{
	struct intake in = { .language = "es" };
	struct intake_receipt r;
	char why[DISPATCH_WHY] = "";
	enum perr err;
	unsigned i;

	for (i = 0; i < n; i++) {
		uint8_t *xml = team_source(forms[i % FORMS], &in.xml_len);

		in.xml = xml;
		err = intake_seal(m->c, &in, &r, why);
		if (err != PERR_OK)
			bench_broke("intake_seal: %s: %s", perr_text(err), why);
		free(xml);
	}
}

static enum perr count_hit(void *arg, const uint8_t record[STATEMENT_RECORD_SIZE])
{
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static enum perr count_case(void *arg, const struct case_summary *s)
{
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static double search(struct member *m, const char *query, unsigned *hits)
{
	double t = bench_now();
	enum perr err;

	*hits = 0;
	err = search_run(m->c, query, count_hit, hits);
	if (err != PERR_OK)
		bench_broke("search_run: %s", perr_text(err));
	return (bench_now() - t) * 1e3;
}

/* one pass over so many bytes: what no search can do without */
static double scan(size_t len)
{
	char *text = malloc(len + 1);
	double t;

	if (text == NULL)
		bench_broke("out of memory");
	memset(text, 'a', len);
	text[len] = '\0';
	t = bench_now();
	if (memmem(text, len, "palax", 5) != NULL)
		bench_broke("found what is not there");
	t = (bench_now() - t) * 1e3;
	free(text);
	return t;
}

static enum perr add_len(void *arg, const char *name, const uint8_t *value, size_t len)
{
	*(size_t *)arg += len;
	return PERR_OK;
}

int main(void)
{
	struct bench_series one = { .n = 0 }, again = { .n = 0 }, least = { .n = 0 },
	                    open = { .n = 0 }, list = { .n = 0 };
	unsigned runs = bench_number("BENCH_RUNS", 9), n = bench_number("BENCH_CASES", 10000), i;
	struct team *t = team_new(VOLUNTEERS, true);
	struct member *m = &t->holders[0];
	unsigned hits = 0, cases;
	size_t text = 0;
	double at, took;

	for (i = 0; i < VOLUNTEERS; i++) {
		seal(&t->volunteers[i], n / VOLUNTEERS);
		team_sync(&t->volunteers[i]);
	}
	(void)team_release(t);
	at = bench_now();
	team_sync(m);
	took = bench_now() - at;
	at = bench_now();
	if (case_refresh(m->c) != PERR_OK)
		bench_broke("case_refresh failed");
	bench_note("%u cases came in %.1f s, merged in %.1f s", n, took, bench_now() - at);
	if (kv_each(m->kv, "text/", add_len, &text) != PERR_OK)
		bench_broke("the texts cannot be read");
	for (i = 0; i < runs; i++) {
		/* as a command does it: nothing of the vault is in memory yet */
		at = bench_now();
		team_reopen(m);
		bench_add(&open, (bench_now() - at) * 1e3);
		bench_add(&one, search(m, "tia", &hits));
		bench_add(&again, search(m, "nobody whatsoever", &cases));
		bench_add(&least, scan(text));
		cases = 0;
		at = bench_now();
		if (case_each(m->c, count_case, &cases, NULL) != PERR_OK || cases != n)
			bench_broke("%u of %u cases are listed", cases, n);
		bench_add(&list, (bench_now() - at) * 1e3);
	}
	bench_figure("search_10000_cases", bench_median(&one), "ms", bench_median(&least),
	             "looking once through the same bytes in memory", BENCH_VALUE_MAX, 200);
	bench_note("a vault just opened, %zu bytes of text, %u hits; once more, in memory now: "
	           "%.0f ms", text, hits, bench_median(&again));
	bench_figure("open_10000_cases", bench_median(&open), "ms", 200,
	             "an aim of our own: not noticed behind Argon2id", BENCH_VALUE_MAX, 200);
	bench_note("vault and client opened, the key given; the list of all cases: %.0f ms",
	           bench_median(&list));
	team_free(t);
	return 0;
}
