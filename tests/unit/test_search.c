/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fixture_org.h"

#include "assign.h"
#include "case.h"
#include "instance.h"
#include "render.h"
#include "search.h"
#include "vault.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define CASES 10000

static struct fixture *f;

static int setup(void **state)
{
	f = fixture_new();
	return 0;
}

static int teardown(void **state)
{
	fixture_free(f);
	return 0;
}

struct found {
	uint8_t record[16];
	unsigned n;
};

static enum perr one(void *arg, const uint8_t record[STATEMENT_RECORD_SIZE])
{
	struct found *r = arg;

	memcpy(r->record, record, 16);
	r->n++;
	return PERR_OK;
}

static unsigned hits(struct client *c, const char *query)
{
	struct found r = { .n = 0 };

	OK(search_run(c, query, one, &r));
	return r.n;
}

static void search_finds_answers_notes_and_codes(void **state)
{
	struct client *c = fix(f, FIX_HOLDER0);
	struct assign_told told;
	char why[DISPATCH_WHY], code[CASE_CODE_LEN + 1], shown[CASE_CODE_SHOWN + 1];
	struct found r = { .n = 0 };

	fixture_submit(f, FIX_VOLUNTEER0, 2, 0, NULL);
	fixture_submit(f, FIX_VOLUNTEER1, 10, 0, NULL);
	fixture_submit(f, FIX_VOLUNTEER0, 3, 0, code);
	fixture_sync(f, FIX_HOLDER0);
	assert_int_equal(hits(c, "rosalinda"), 1);
	assert_int_equal(hits(c, "ROSALINDA velasquez"), 1);
	assert_int_equal(hits(c, "Velásquez Q’anel"), 1);
	assert_int_equal(hits(c, "qanel"), 1);
	assert_int_equal(hits(c, "Qʼanel"), 1);
	assert_int_equal(hits(c, "Qꞌanel chewitz"), 1);
	assert_int_equal(hits(c, "rosalinda nosuchword"), 0);
	assert_int_equal(hits(c, code), 1);
	case_code_show(shown, code);
	assert_int_equal(hits(c, shown), 1);
	/* a choice by its label in either language */
	assert_int_equal(hits(c, "rosalinda missing"), 1);
	OK(search_run(c, "rosalinda", one, &r));
	OK(assign_note(c, r.record, "llamó Xʼẍajaẍ a las 8", &told, why));
	assert_int_equal(hits(c, "xxajax"), 1);
	assert_int_equal(hits(c, "insulina-caja"), 0);
}

static void search_finds_numbers_however_they_are_written(void **state)
{
	struct search_text t = { .p = NULL };

	search_text_add(&t, "call (601) 555-0142 soon", 24);
	search_text_add(&t, "A-000 123 456", 13);
	search_text_add(&t, "12 34", 5);
	assert_int_equal(t.err, PERR_OK);
	assert_non_null(memmem(t.p, t.len, "6015550142", 10));
	assert_non_null(memmem(t.p, t.len, "000123456", 9));
	assert_null(memmem(t.p, t.len, "1234\n", 5));
	search_text_free(&t);
}

static void search_refuses_an_empty_or_endless_query(void **state)
{
	struct client *c = fix(f, FIX_HOLDER0);
	char many[SEARCH_QUERY_MAX + 2];
	struct found r = { .n = 0 };

	assert_int_equal(search_run(c, "", one, &r), PERR_RANGE);
	assert_int_equal(search_run(c, " \t ", one, &r), PERR_RANGE);
	memset(many, 'a', sizeof many);
	many[sizeof many - 1] = '\0';
	assert_int_equal(search_run(c, many, one, &r), PERR_RANGE);
	for (size_t i = 0; i < 100; i++)
		memcpy(many + 2 * i, "a ", 3);
	assert_int_equal(search_run(c, many, one, &r), PERR_RANGE);
}

/* ---- 10,000 cases in a vault on disk ------------------------------------------------ */

static double ms_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* the answers of the twelve filled forms as a search keeps them */
static void texts(struct search_text out[12])
{
	char why[INSTANCE_WHY_SIZE];

	for (unsigned i = 0; i < 12; i++) {
		struct instance *in;
		char *text;
		size_t len;

		OK(instance_parse(&in, NULL, f->xml[i], f->xml_len[i], why));
		OK(render_text(in, &text, &len));
		memset(&out[i], 0, sizeof out[i]);
		search_text_add(&out[i], text, len);
		free(text);
		instance_free(in);
	}
}

static int64_t any_now(void *ctx)
{
	return 20782LL * 86400;
}

/* texts as they are kept, and names of everything else that a vault of such a size has */
static void fill(struct client *c, const struct search_text t[12])
{
	uint8_t record[16], hash[20];
	char *value = malloc(65536), name[96], prefix[96];

	assert_non_null(value);
	for (unsigned i = 0; i < CASES; i++) {
		const struct search_text *s = &t[i % 12];
		int n = snprintf(value, 65536, "needle%05u alias%u ", i, i % 97);

		if (i % 1000 == 0)
			OK(kv_begin(c->kv));
		assert_true(s->len + (size_t)n < 65536);
		memcpy(value + n, s->p, s->len);
		randombytes_buf(record, sizeof record);
		randombytes_buf(hash, sizeof hash);
		OK(search_put(c, record, value, (size_t)n + s->len));
		record_name(name, "case/", record);
		OK(kv_put(c->kv, name, hash, sizeof hash));
		record_name(prefix, "stmt/", record);
		strcat(prefix, "/");
		client_key_name(name, prefix, hash, sizeof hash);
		OK(kv_put(c->kv, name, hash, sizeof hash));
		if (i % 1000 == 999)
			OK(kv_commit(c->kv));
	}
	free(value);
}

static void search_over_ten_thousand_cases_is_quick(void **state)
{
	static const char *const queries[] = {
		"needle07777", "Rosalinda Qꞌanel alias13", "no such words anywhere", "a",
		"601-555-0142 alias5"
	};
	struct client_env env = { .rng = rng_system(), .now = any_now };
	char dir[] = "/tmp/amparo-search-XXXXXX", home[64], command[128];
	struct search_text t[12];
	struct vault_key key;
	struct vault *v;
	struct client *c;
	double took[15], first;

	assert_non_null(mkdtemp(dir));
	snprintf(home, sizeof home, "%s/home", dir);
	OK(vault_create(home, "correct horse", 13, VAULT_LIGHT));
	OK(vault_derive(&key, home, "correct horse", 13));
	OK(vault_open(&v, home, &key));
	texts(t);
	OK(client_open(&c, vault_kv(v), &env));
	first = ms_now();
	fill(c, t);
	print_message("figure: a text added to as many others: %.2f ms\n", (ms_now() - first) / CASES);
	client_free(c);
	vault_close(v);
	for (size_t i = 0; i < 15; i++) {
		/* each as a command of its own: open, search, close */
		OK(vault_open(&v, home, &key));
		first = ms_now();
		OK(client_open(&c, vault_kv(v), &env));
		if (i % 5 == 0)
			assert_int_equal(hits(c, queries[i % 5]), 1);
		else if (i % 5 == 2)
			assert_int_equal(hits(c, queries[i % 5]), 0);
		else
			assert_true(hits(c, queries[i % 5]) > 0 || i % 5 == 4);
		took[i] = ms_now() - first;
		client_free(c);
		vault_close(v);
	}
	qsort(took, 15, sizeof took[0], by_size);
	print_message("figure: search over %d cases: %.0f ms (limit 200 ms), slowest %.0f ms\n",
	              CASES, took[7], took[14]);
	for (unsigned i = 0; i < 12; i++)
		search_text_free(&t[i]);
	sodium_memzero(&key, sizeof key);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(search_finds_answers_notes_and_codes),
		cmocka_unit_test(search_finds_numbers_however_they_are_written),
		T(search_refuses_an_empty_or_endless_query),
		T(search_over_ten_thousand_cases_is_quick),
	};

	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
