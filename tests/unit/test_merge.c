/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Amendments merged field by field: a function of the set, not of the order of arrival. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merge.h"
#include "rng.h"

#define AMENDMENTS 12
#define SEEDS      3000

static struct statement st[AMENDMENTS + 2];
static struct merge_in in[4 * AMENDMENTS];
static uint8_t knew[AMENDMENTS + 2][STATEMENT_KNEW][32];

/* amendment i by an author; what it says and knows comes after */
static struct statement_amendment *amend(unsigned i, uint8_t author, uint32_t day, uint32_t second)
{
	memset(&st[i], 0, sizeof st[i]);
	st[i].kind = STATEMENT_AMENDMENT;
	memset(st[i].author, author, 32);
	st[i].day = day;
	st[i].body.amendment.milli = second;
	in[i].st = &st[i];
	crypto_generichash(in[i].hash, 32, (const uint8_t *)&i, sizeof i, NULL, 0);
	return &st[i].body.amendment;
}

static void says(unsigned i, const char *path, const char *value)
{
	struct statement_amendment *am = &st[i].body.amendment;
	struct statement_change *ch = &am->changes[am->n_changes++];

	ch->path = doc_text_of(path);
	ch->is_gone = value == NULL;
	if (value != NULL)
		ch->value = doc_text_of(value);
}

static void knows(unsigned i, unsigned other)
{
	struct statement_amendment *am = &st[i].body.amendment;

	memcpy(knew[i][am->knew.len / 32], in[other].hash, 32);
	am->knew = doc_bytes_of(knew[i], am->knew.len + 32);
}

static struct merge *made(size_t n)
{
	struct merge *m;

	assert_int_equal(merge_make(&m, in, n), PERR_OK);
	return m;
}

static const struct merge_field *field(const struct merge *m, const char *path)
{
	for (uint32_t i = 0; i < m->n_fields; i++)
		if (strcmp(m->fields[i].path, path) == 0)
			return &m->fields[i];
	fail_msg("no field %s", path);
	return NULL;
}

static bool is_now(const struct merge_field *f, const char *value)
{
	const struct merge_said *s = merge_now(f);

	return value == NULL ? s->is_gone : !s->is_gone && doc_text_is(s->value, value);
}

/* ---- rules ------------------------------------------------------------------------------ */

static void disjoint_changes_merge(void **state)
{
	struct merge *m;

	amend(0, 1, 100, 5);
	says(0, "/d/name", "Luz");
	amend(1, 2, 100, 6);
	says(1, "/d/phone", "555");
	says(1, "/d/kid[1]/age", "7");
	m = made(2);
	assert_int_equal(m->n_fields, 3);
	assert_true(is_now(field(m, "/d/name"), "Luz"));
	assert_true(is_now(field(m, "/d/phone"), "555"));
	assert_true(is_now(field(m, "/d/kid/age"), "7"));       /* the first one */
	for (uint32_t i = 0; i < m->n_fields; i++)
		assert_false(m->fields[i].is_conflict);
	merge_free(m);
}

static void two_authors_who_did_not_know_are_a_conflict_and_both_are_kept(void **state)
{
	const struct merge_field *f;
	struct merge *m;

	amend(0, 1, 100, 5);
	says(0, "/d/age", "7");
	amend(1, 2, 101, 0);
	says(1, "/d/age", "8");
	m = made(2);
	f = field(m, "/d/age");
	assert_true(f->is_conflict);
	assert_int_equal(f->n_said, 2);
	assert_true(f->said[0].stands && f->said[1].stands);
	assert_true(doc_text_is(f->said[0].value, "7"));
	assert_true(is_now(f, "8"));
	merge_free(m);
	/* the same answer twice is none; taken away and left blank are not the same */
	st[1].body.amendment.changes[0].value = doc_text_of("7");
	m = made(2);
	assert_false(field(m, "/d/age")->is_conflict);
	merge_free(m);
	st[0].body.amendment.changes[0].value = doc_text_of("");
	st[1].body.amendment.changes[0] = (struct statement_change){
		.path = doc_text_of("/d/age"), .is_gone = true };
	m = made(2);
	assert_true(field(m, "/d/age")->is_conflict);
	merge_free(m);
}

static void an_authors_later_word_replaces_the_earlier_and_it_stays_in_the_history(void **state)
{
	const struct merge_field *f;
	struct merge *m;

	amend(0, 1, 100, 500);
	says(0, "/d/age", "8");
	amend(1, 1, 100, 499);
	says(1, "/d/age", "7");
	m = made(2);
	f = field(m, "/d/age");
	assert_false(f->is_conflict);
	assert_true(is_now(f, "8"));
	assert_int_equal(f->n_said, 2);
	assert_false(f->said[0].stands);
	merge_free(m);
	/* within one amendment the last counts */
	says(0, "/d/age", "9");
	m = made(2);
	assert_true(is_now(field(m, "/d/age"), "9"));
	assert_false(field(m, "/d/age")->is_conflict);
	merge_free(m);
}

static void who_has_seen_both_settles_it(void **state)
{
	const struct merge_field *f;
	struct merge *m;

	amend(0, 1, 100, 5);
	says(0, "/d/age", "7");
	amend(1, 2, 101, 0);
	says(1, "/d/age", "8");
	amend(2, 3, 90, 0);              /* a clock ten days behind */
	says(2, "/d/age", "7");
	knows(2, 0);
	knows(2, 1);
	m = made(3);
	f = field(m, "/d/age");
	assert_false(f->is_conflict);
	assert_true(is_now(f, "7"));
	assert_int_equal(m->at[2]->st->author[0], 3);
	merge_free(m);
	/* knowing one of them is not enough */
	st[2].body.amendment.knew.len = 32;
	m = made(3);
	assert_true(field(m, "/d/age")->is_conflict);
	merge_free(m);
	/* what is known through another is known; and a set-back clock makes no circle */
	amend(3, 2, 80, 0);
	says(3, "/d/age", "9");
	knows(3, 2);
	knows(2, 1);
	m = made(4);
	f = field(m, "/d/age");
	assert_false(f->is_conflict);
	assert_true(is_now(f, "9"));
	merge_free(m);
}

static void a_child_that_somebody_else_tells_of_is_not_taken_out(void **state)
{
	const struct merge_field *f;
	struct merge *m;

	amend(0, 1, 100, 5);
	says(0, "/d/kid[2]", NULL);
	amend(1, 2, 100, 6);
	says(1, "/d/kid[2]/age", "3");
	m = made(2);
	f = field(m, "/d/kid[2]");
	assert_true(f->is_conflict && f->is_kept);
	merge_free(m);
	/* of another child, or by somebody who knew, it is taken out */
	st[1].body.amendment.changes[0].path = doc_text_of("/d/kid[21]/age");
	m = made(2);
	assert_false(field(m, "/d/kid[2]")->is_kept);
	merge_free(m);
	st[1].body.amendment.changes[0].path = doc_text_of("/d/kid[2]/age");
	knows(0, 1);
	m = made(2);
	assert_false(field(m, "/d/kid[2]")->is_conflict);
	assert_true(is_now(field(m, "/d/kid[2]"), NULL));
	merge_free(m);
}

static void two_who_add_a_child_add_two(void **state)
{
	char mark[2][33], path[3][80];
	struct merge *m;

	amend(0, 1, 101, 5);
	says(0, "/d/kid[+1]/name", "Luz");
	amend(1, 2, 100, 6);
	says(1, "/d/kid[+1]/name", "Mar");
	says(1, "/d/kid[3]/name", "Sol");
	sodium_bin2hex(mark[0], 33, in[0].hash, MERGE_MARK / 2);
	sodium_bin2hex(mark[1], 33, in[1].hash, MERGE_MARK / 2);
	snprintf(path[0], 80, "/d/kid[+1@%s]/name", mark[0]);
	snprintf(path[1], 80, "/d/kid[+1@%s]/name", mark[1]);
	snprintf(path[2], 80, "/d/kid[+1@%s]/age", mark[1]);
	/* somebody who sees them names them */
	amend(2, 3, 102, 0);
	says(2, path[2], "4");
	m = made(3);
	assert_true(is_now(field(m, path[0]), "Luz"));
	assert_true(is_now(field(m, path[1]), "Mar"));
	assert_int_equal(m->n_fields, 4);
	/* those of the interview, then the additions in the order of amendments */
	assert_string_equal(m->fields[0].path, "/d/kid[3]/name");
	assert_string_equal(m->fields[1].path, path[2]);
	assert_string_equal(m->fields[2].path, path[1]);
	assert_string_equal(m->fields[3].path, path[0]);
	assert_false(m->fields[1].is_waiting);
	merge_free(m);
	/* of one whose amendment is not here it waits */
	in[1] = in[2];
	m = made(2);
	assert_true(field(m, path[2])->is_waiting);
	merge_free(m);
}

static void what_is_no_path_is_kept(void **state)
{
	static const char *const bad[] = {
		"", "d", "/", "//", "/d/", "/d[0]", "/d[]", "/d[x]", "/d[1", "/d[-1]", "/d[+]", "/d[+0]",
		"/d[1]x", "/d[+1@12]", "/d[+1@zzzzzzzzzzzzzzzz]", "/d name", "/9", "/d/../x", "/d[100001]",
		"/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"
		"/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"
	};
	char *out;
	struct merge *m;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(merge_path(&out, bad[i], strlen(bad[i])), PERR_FORMAT);
		assert_null(out);
	}
	assert_int_equal(merge_path(&out, "/d[1]/ñ[02]/x[+3]", 18), PERR_OK);
	assert_string_equal(out, "/d/ñ[2]/x[+3]");
	free(out);
	amend(0, 1, 100, 5);
	says(0, "age of the girl", "7");
	says(0, "/d/age", "7");
	m = made(1);
	assert_int_equal(m->n_fields, 2);
	assert_false(field(m, "age of the girl")->is_path);
	assert_true(is_now(field(m, "age of the girl"), "7"));
	merge_free(m);
}

static void more_than_a_person_makes_is_refused(void **state)
{
	struct merge_in *many = calloc(MERGE_MAX + 1, sizeof *many);
	struct merge *m;

	amend(0, 1, 1, 1);
	says(0, "/d/a", "1");
	for (uint32_t i = 0; i <= MERGE_MAX; i++) {
		many[i].st = &st[0];
		memcpy(many[i].hash, &i, sizeof i);
	}
	assert_int_equal(merge_make(&m, many, MERGE_MAX + 1), PERR_LIMIT);
	assert_null(m);
	assert_int_equal(merge_make(&m, many, MERGE_MAX), PERR_OK);
	merge_free(m);
	free(many);
	assert_int_equal(merge_make(&m, NULL, 0), PERR_OK);
	assert_int_equal(m->n_fields, 0);
	merge_free(m);
}

/* ---- any order of arrival ---------------------------------------------------------------- */

static struct rng_seeded seeded;

static struct rng rng;

static unsigned dice(unsigned n)
{
	uint32_t x;

	rng_fill(rng, (uint8_t *)&x, sizeof x);
	return x % n;
}

static char *written(const struct merge *m)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);

	for (uint32_t i = 0; i < m->n_fields; i++) {
		const struct merge_field *x = &m->fields[i];

		fprintf(f, "%s %d%d%d%d", x->path, x->is_conflict, x->is_kept, x->is_waiting, x->is_path);
		for (uint32_t s = 0; s < x->n_said; s++)
			fprintf(f, " %02x%d%d%.*s", m->at[x->said[s].by]->hash[0], x->said[s].stands,
			        x->said[s].is_gone, (int)x->said[s].value.len, x->said[s].value.p);
		fputc('\n', f);
	}
	fclose(f);
	return out;
}

static const char *const paths[] = {
	"/d/name", "/d/age", "/d/kid[2]", "/d/kid[2]/age", "/d/kid[+1]/name", "/d/kid[1]/age", "no"
};

static void shuffle(size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = dice((unsigned)i);
		struct merge_in t = in[i - 1];

		in[i - 1] = in[k];
		in[k] = t;
	}
}

/* amendments by few authors over few paths, some knowing others; n of them */
static unsigned invent(void)
{
	static const char *const values[] = { "1", "2", "", NULL };
	unsigned n = 2 + dice(AMENDMENTS - 1);

	for (unsigned i = 0; i < n; i++) {
		amend(i, (uint8_t)(1 + dice(4)), 100 + dice(3), dice(4));
		for (unsigned k = 1 + dice(3); k > 0; k--)
			says(i, paths[dice(7)], values[dice(4)]);
		for (unsigned j = 0; j < i; j++)
			if (dice(4) == 0)
				knows(i, j);
	}
	return n;
}

/* the control: a merge in which whatever came last counts */
static char *written_by_arrival(size_t n)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);

	for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
		const struct statement_change *now = NULL;

		for (size_t i = 0; i < n; i++)
			for (uint32_t c = 0; c < in[i].st->body.amendment.n_changes; c++) {
				const struct statement_change *ch = &in[i].st->body.amendment.changes[c];

				if (doc_text_is(ch->path, paths[p]))
					now = ch;
			}
		if (now != NULL)
			fprintf(f, "%s %d%.*s\n", paths[p], now->is_gone, (int)now->value.len, now->value.p);
	}
	fclose(f);
	return out;
}

static void any_order_and_any_repeat_gives_the_same(void **state)
{
	unsigned caught = 0, conflicts = 0;

	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		uint8_t s[32] = { (uint8_t)seed, (uint8_t)(seed >> 8) };
		char *first = NULL, *naive = NULL;
		bool is_caught = false;
		struct merge_in set[AMENDMENTS];
		unsigned n;

		rng = rng_seeded(&seeded, s);
		n = invent();
		memcpy(set, in, n * sizeof *set);
		for (unsigned turn = 0; turn < 4; turn++) {
			size_t more = turn == 0 ? 0 : dice(n);
			struct merge *m;
			char *text, *other;

			memcpy(in, set, n * sizeof *set);
			for (size_t i = 0; i < more; i++)
				in[n + i] = in[dice(n)];
			shuffle(n + more);
			m = made(n + more);
			text = written(m);
			other = written_by_arrival(n + more);
			for (uint32_t i = 0; turn == 0 && i < m->n_fields; i++)
				if (m->fields[i].is_conflict) {
					conflicts++;
					break;
				}
			merge_free(m);
			if (first != NULL && strcmp(first, text) != 0)
				fail_msg("seed %u: \n%s\nthen\n%s", seed, first, text);
			is_caught = is_caught || (naive != NULL && strcmp(naive, other) != 0);
			free(first);
			free(naive);
			first = text;
			naive = other;
		}
		caught += is_caught;
		free(first);
		free(naive);
	}
	print_message("figure: %d sets of amendments, each in 4 orders with repeats: 0 differ; %u of them "
	              "with conflicts; control, a merge by arrival: %u differ\n", SEEDS, conflicts,
	              caught);
	assert_true(conflicts > SEEDS / 10);
	assert_true(caught > SEEDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disjoint_changes_merge),
		cmocka_unit_test(two_authors_who_did_not_know_are_a_conflict_and_both_are_kept),
		cmocka_unit_test(an_authors_later_word_replaces_the_earlier_and_it_stays_in_the_history),
		cmocka_unit_test(who_has_seen_both_settles_it),
		cmocka_unit_test(a_child_that_somebody_else_tells_of_is_not_taken_out),
		cmocka_unit_test(two_who_add_a_child_add_two),
		cmocka_unit_test(what_is_no_path_is_kept),
		cmocka_unit_test(more_than_a_person_makes_is_refused),
		cmocka_unit_test(any_order_and_any_repeat_gives_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
