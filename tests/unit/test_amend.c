/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Corrections by people who kept nothing: sealed, arriving in any order, merged alike. */
#include "amend.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "case_merge.h"
#include "doc.h"
#include "fixture_org.h"
#include "roster.h"

#define OK(expr) assert_int_equal(expr, PERR_OK)
#define ROUNDS 8

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

/* path, value, path, value, …, NULL; a value of NULL takes away */
static struct amend_receipt amend_as(enum fixture_who who, const char *code,
                                     const char *const (*say)[2], size_t n)
{
	struct amend_list l = { .n = 0 };
	struct amend am = {
		.code = code, .form_id = "raid-intake", .form_version = "2026112401", .changes = &l
	};
	struct amend_receipt r;
	char why[DISPATCH_WHY];

	f->now++;                        /* nobody writes two within a second */
	for (size_t i = 0; i < n; i++)
		OK(amend_set(&l, say[i][0], say[i][1]));
	OK(amend_seal(fix(f, who), &am, &r, why));
	amend_clear(&l);
	return r;
}
#define AMEND(who, code, ...) amend_as(who, code, (const char *const [][2]){ __VA_ARGS__ }, \
	sizeof((const char *const [][2]){ __VA_ARGS__ }) / sizeof(char *[2]))

/* the cells in another order: the next to look sees them so */
static void shuffle(void)
{
	uint8_t t[CELL_SIZE];

	for (size_t i = f->n_cells; i > 1; i--) {
		size_t k = randombytes_uniform((uint32_t)i);

		memcpy(t, f->cells + (i - 1) * CELL_SIZE, CELL_SIZE);
		memcpy(f->cells + (i - 1) * CELL_SIZE, f->cells + k * CELL_SIZE, CELL_SIZE);
		memcpy(f->cells + k * CELL_SIZE, t, CELL_SIZE);
	}
}

static void send(enum fixture_who who)
{
	fixture_upload(f, who);
}

/* everything about the merged answers of the only case; for free */
static char *answers_of(enum fixture_who who, unsigned *n_conflicts)
{
	struct client *c = fix(f, who);
	uint8_t record[STATEMENT_RECORD_SIZE], *xml;
	struct case_merged *m;
	struct case_file *file;
	size_t len, out_len;
	char *out;
	FILE *to = open_memstream(&out, &out_len);

	fixture_only_case(f, who, record);
	OK(case_open(c, record, &file));
	OK(case_merge(c, file, 0, &m));
	OK(fpatch_write(m->in, &xml, &len));
	fwrite(xml, 1, len, to);
	for (uint32_t i = 0; i < m->m->n_fields; i++) {
		fprintf(to, "%s %d", m->m->fields[i].path, m->m->fields[i].is_conflict);
		for (uint32_t s = 0; s < m->m->fields[i].n_said; s++)
			fprintf(to, " %02x", m->m->at[m->m->fields[i].said[s].by]->hash[0]);
	}
	fprintf(to, "\n%s %d %u %u\n", file->s.title, file->s.urgent, file->s.n_deadlines,
	        file->s.n_conflicts);
	*n_conflicts = file->s.n_conflicts;
	fclose(to);
	doc_free(xml, len);
	case_merged_free(m);
	case_close(file);
	return out;
}

static void a_phone_that_kept_nothing_corrects_and_keeps_nothing(void **state)
{
	char code[CASE_CODE_LEN + 1];
	struct amend_receipt r;
	char *text;
	unsigned n;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 0, code);
	fixture_sync(f, FIX_HOLDER0);
	r = AMEND(FIX_VOLUNTEER0, code, { "/data/person/name", "Xhunik" },
	          { "/data/person/aliases", NULL }, { "/data/children/alone", "yes" });
	assert_int_equal(r.n_readers, 2);
	assert_int_equal(r.n_cells, 2);
	assert_false(r.is_here);
	send(FIX_VOLUNTEER0);
	fixture_sync(f, FIX_HOLDER0);
	text = answers_of(FIX_HOLDER0, &n);
	assert_non_null(strstr(text, "<name>Xhunik</name>"));
	assert_null(strstr(text, "Juan Sunum"));
	assert_non_null(strstr(text, "\nXhunik 1 "));
	assert_int_equal(n, 0);
	free(text);
}

static void any_order_of_arrival_gives_every_reader_the_same(void **state)
{
	unsigned n, conflicts = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		char code[CASE_CODE_LEN + 1], *first, *other;

		if (round > 0) {
			teardown(NULL);
			setup(NULL);
		}
		fixture_submit(f, FIX_VOLUNTEER0, 1, 0, code);
		AMEND(FIX_VOLUNTEER0, code, { "/data/person/name", "A" }, { "/data/arrest/town", "B" });
		AMEND(FIX_VOLUNTEER0, code, { "/data/person/name", "C" });
		AMEND(FIX_VOLUNTEER1, code, { "/data/person/name", "D" },
		      { "/data/children/family/member[+1]/name", "Luz" },
		      { "/data/children/family/member[2]", NULL });
		if (round % 2 == 0)
			AMEND(FIX_VOLUNTEER0, code, { "/data/children/family/member[2]/age", "11" },
			      { "/data/children/family/member[+1]/name", "Mar" });
		send(FIX_VOLUNTEER0);
		send(FIX_VOLUNTEER1);
		shuffle();
		fixture_sync(f, FIX_HOLDER0);
		shuffle();
		fixture_sync(f, FIX_HOLDER1);
		first = answers_of(FIX_HOLDER0, &n);
		other = answers_of(FIX_HOLDER1, &n);
		assert_string_equal(first, other);
		assert_int_equal(n, round % 2 == 0 ? 2 : 1);
		conflicts += n;
		free(other);
		/* once more, all of it */
		f->p[FIX_HOLDER1].seen = 0;
		shuffle();
		fixture_sync(f, FIX_HOLDER1);
		other = answers_of(FIX_HOLDER1, &n);
		assert_string_equal(first, other);
		free(first);
		free(other);
	}
	print_message("figure: %u orders of arrival: readers that differ: 0; conflicts seen by both: %u\n",
	              ROUNDS, conflicts);
}

static void a_holder_who_saw_both_settles_it_for_everybody(void **state)
{
	char code[CASE_CODE_LEN + 1], *first, *other;
	struct amend_receipt r;
	unsigned n;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 0, code);
	AMEND(FIX_VOLUNTEER0, code, { "/data/person/name", "A" });
	AMEND(FIX_VOLUNTEER1, code, { "/data/person/name", "D" });
	send(FIX_VOLUNTEER0);
	send(FIX_VOLUNTEER1);
	fixture_sync(f, FIX_HOLDER0);
	free(answers_of(FIX_HOLDER0, &n));
	assert_int_equal(n, 1);
	r = AMEND(FIX_HOLDER0, code, { "/data/person/name", "A" });
	assert_true(r.is_here);
	assert_int_equal(r.n_conflicts, 0);
	assert_int_equal(r.n_readers, 1);        /* her colleague; her own copy is kept */
	send(FIX_HOLDER0);
	shuffle();
	fixture_sync(f, FIX_HOLDER1);
	fixture_sync(f, FIX_HOLDER0);
	first = answers_of(FIX_HOLDER0, &n);
	other = answers_of(FIX_HOLDER1, &n);
	assert_string_equal(first, other);
	assert_int_equal(n, 0);
	assert_non_null(strstr(other, "<name>A</name>"));
	free(first);
	free(other);
}

/* nobody in the roster: shown, and not merged until a roster says who it is */
static void whoever_nobody_knows_corrects_nothing(void **state)
{
	char code[CASE_CODE_LEN + 1], *text;
	struct client *c = fix(f, FIX_HOLDER0);
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct roster_staff *staff;
	struct case_merged *m;
	struct case_file *file;
	unsigned n;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 0, code);
	fixture_sync(f, FIX_HOLDER0);
	AMEND(FIX_VOLUNTEER1, code, { "/data/person/name", "D" });
	send(FIX_VOLUNTEER1);
	staff = c->staff;
	for (uint32_t i = 0; i < staff->n_volunteers; i++)
		if (memcmp(staff->volunteers[i].key, fix(f, FIX_VOLUNTEER1)->me->sign_pk, 32) == 0)
			staff->volunteers[i].key[0] ^= 1;
	fixture_sync(f, FIX_HOLDER0);
	text = answers_of(FIX_HOLDER0, &n);
	assert_null(strstr(text, "<name>D</name>"));
	free(text);
	fixture_only_case(f, FIX_HOLDER0, record);
	OK(case_open(c, record, &file));
	assert_int_equal(file->n_corrections, 1);
	assert_true(file->s.pending);
	OK(case_merge(c, file, 0, &m));
	assert_int_equal(m->left[0], CASE_LEFT_PENDING);
	assert_int_equal(case_change_of(file, m, 0, 0), CASE_CHANGE_PENDING);
	case_merged_free(m);
	case_close(file);
	/* a roster not looked at yet names them */
	for (uint32_t i = 0; i < staff->n_volunteers; i++)
		if (memcmp(staff->volunteers[i].key + 1, fix(f, FIX_VOLUNTEER1)->me->sign_pk + 1, 31) == 0)
			staff->volunteers[i].key[0] ^= 1;
	OK(kv_begin(c->kv));
	OK(kv_del(c->kv, "reviewed"));
	OK(kv_commit(c->kv));
	text = answers_of(FIX_HOLDER0, &n);
	assert_non_null(strstr(text, "<name>D</name>"));
	free(text);
}

static void a_conflict_is_urgent_if_any_of_its_answers_is(void **state)
{
	char code[CASE_CODE_LEN + 1];
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct case_summary s;

	/* one that is urgent by itself would say nothing */
	for (unsigned which = 1; which <= 12; which++) {
		if (which > 1) {
			teardown(NULL);
			setup(NULL);
		}
		fixture_submit(f, FIX_VOLUNTEER0, which, 0, code);
		fixture_sync(f, FIX_HOLDER0);
		fixture_only_case(f, FIX_HOLDER0, record);
		OK(case_summary(fix(f, FIX_HOLDER0), record, &s));
		if (!s.urgent)
			break;
		assert_true(which < 12);
	}
	AMEND(FIX_VOLUNTEER0, code, { "/data/children/alone", "yes" });
	AMEND(FIX_VOLUNTEER1, code, { "/data/children/alone", "no" });
	send(FIX_VOLUNTEER0);
	send(FIX_VOLUNTEER1);
	fixture_sync(f, FIX_HOLDER0);
	OK(case_summary(fix(f, FIX_HOLDER0), record, &s));
	assert_int_equal(s.n_conflicts, 1);
	assert_true(s.urgent);
}

static void a_correction_without_its_interview_is_shown_by_itself(void **state)
{
	char code[CASE_CODE_LEN + 1];
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct case_summary s;
	size_t n_cells;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 0, code);
	n_cells = f->n_cells;
	AMEND(FIX_VOLUNTEER1, code, { "/data/person/name", "D" });
	send(FIX_VOLUNTEER1);
	f->p[FIX_HOLDER0].seen = n_cells;        /* the interview is not there yet */
	fixture_sync(f, FIX_HOLDER0);
	fixture_only_case(f, FIX_HOLDER0, record);
	OK(case_summary(fix(f, FIX_HOLDER0), record, &s));
	assert_true(s.is_alone);
	f->p[FIX_HOLDER0].seen = 0;
	fixture_sync(f, FIX_HOLDER0);
	fixture_only_case(f, FIX_HOLDER0, record);
	OK(case_summary(fix(f, FIX_HOLDER0), record, &s));
	assert_false(s.is_alone);
	assert_string_equal(s.title, "D");
}

static void a_list_of_changes_survives_its_draft(void **state)
{
	struct amend_list l = { .n = 0 }, again = { .n = 0 };
	uint8_t *bytes;
	size_t len;

	OK(amend_set(&l, "/d/a[1]", "1"));
	OK(amend_set(&l, "/d/b", NULL));
	OK(amend_set(&l, "/d/a", "ñ"));          /* the same place: the later word */
	OK(amend_set(&l, "/d/k[+1]/n", ""));
	assert_int_equal(l.n, 3);
	assert_int_equal(amend_next_added(&l, "/d/k"), 2);
	assert_int_equal(amend_next_added(&l, "/d/b"), 1);
	assert_int_equal(amend_set(&l, "no path", "1"), PERR_FORMAT);
	OK(amend_encode(&l, &bytes, &len));
	OK(amend_decode(&again, bytes, len));
	assert_int_equal(again.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(l.at[i].path, again.at[i].path);
		assert_int_equal(l.at[i].value == NULL, again.at[i].value == NULL);
	}
	assert_string_equal(amend_find(&again, "/d/a")->value, "ñ");
	amend_clear(&again);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(amend_decode(&again, bytes, cut), PERR_CORRUPT);
		assert_int_equal(again.n, 0);
	}
	doc_free(bytes, len);
	amend_clear(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_phone_that_kept_nothing_corrects_and_keeps_nothing, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(any_order_of_arrival_gives_every_reader_the_same, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(a_holder_who_saw_both_settles_it_for_everybody, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(whoever_nobody_knows_corrects_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_conflict_is_urgent_if_any_of_its_answers_is, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(a_correction_without_its_interview_is_shown_by_itself, setup,
		                                teardown),
		cmocka_unit_test(a_list_of_changes_survives_its_draft),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
