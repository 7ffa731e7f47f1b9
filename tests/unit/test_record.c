/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a reader takes in, keeps and refuses; what follows from it: test_record_passed. */
#include "record_kit.h"

/* ---- what arrives ------------------------------------------------------------------- */

static void record_holds_what_the_volunteer_sent(void **state)
{
	uint8_t record[16];
	struct case_file *file;

	submit_one(1, record);
	OK(case_open(fix(f, FIX_HOLDER0), record, &file));
	assert_int_equal(file->n_interviews, 1);
	assert_int_equal(file->interviews[0].st->body.intake.instance.len, f->xml_len[0]);
	assert_memory_equal(file->interviews[0].st->body.intake.instance.p, f->xml[0],
	                    f->xml_len[0]);
	assert_int_equal(file->n_attachments, 3);
	for (size_t i = 0; i < 3; i++) {
		const char *const *names = fixture_photos(1);
		const uint8_t *photo;
		uint8_t *data;
		size_t len, want;

		assert_true(file->attachments[i].is_here);
		assert_true(doc_text_is(file->attachments[i].a->name, names[i]));
		OK(case_content(fix(f, FIX_HOLDER0), &file->attachments[i], &data, &len));
		photo = fixture_photo(names[i], 0, &want);
		assert_int_equal(len, want);
		assert_memory_equal(data, photo, want);
		kv_free(data);
	}
	assert_int_equal(file->s.state, CASE_OPEN);
	assert_false(file->s.pending);
	assert_true(file->s.urgent);
	case_close(file);
}

static void record_is_named_after_whom_it_is_about(void **state)
{
	struct case_summary s;
	uint8_t record[16];

	submit_one(3, record);
	OK(case_summary(fix(f, FIX_HOLDER0), record, &s));
	assert_string_equal(s.title, "Rosalinda Velásquez Qꞌanel");
	assert_string_equal(s.form_id, "raid-intake");
}

static void marks_of_the_form_make_the_list(void **state)
{
	static const struct {
		unsigned which;
		const char *title;
		bool urgent;
		uint32_t deadline;
	} cases[] = {
		{ 1, "Xhunik Mateo Tzʼunun Palax", true, 20804 },
		{ 10, "Tomás Xhunik Lukʼas Yaxʼajaw", false, 0 },
		{ 12, "Doña Candelaria", false, 0 },
	};
	struct case_summary s;
	uint8_t record[16];
	char code[CASE_CODE_LEN + 1];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fixture_submit(f, FIX_VOLUNTEER0, cases[i].which, 0, code);
		fixture_sync(f, FIX_HOLDER0);
		OK(case_find(fix(f, FIX_HOLDER0), code, record, NULL));
		OK(case_summary(fix(f, FIX_HOLDER0), record, &s));
		assert_string_equal(s.title, cases[i].title);
		assert_int_equal(s.urgent, cases[i].urgent);
		assert_int_equal(s.deadline, cases[i].deadline);
		/* by its question, whatever the day it is looked at */
		assert_int_equal(s.n_deadlines, cases[i].deadline != 0);
		if (cases[i].deadline != 0) {
			assert_int_equal(s.deadlines[0].day, cases[i].deadline);
			assert_string_equal(s.deadlines[0].label, "Date of the hearing");
			assert_ptr_equal(case_deadline(&s, cases[i].deadline + 1), &s.deadlines[0]);
		}
		assert_int_equal(s.received_day, 20782);
	}
}

static void record_drops_repeats(void **state)
{
	uint8_t record[16], *env;
	size_t len, n = f->n_cells;

	submit_one(4, record);
	for (size_t i = n, end = f->n_cells; i < end; i++) {
		uint8_t cell[CELL_SIZE];

		memcpy(cell, f->cells + i * CELL_SIZE, CELL_SIZE);
		fixture_put(f, cell);
	}
	fixture_sync(f, FIX_HOLDER0);
	assert_int_equal(f->p[FIX_HOLDER0].taken[TAKE_KNOWN], 1);
	env = stored(FIX_HOLDER0, record, 0, &len);
	assert_int_equal(take(FIX_HOLDER0, env, len), TAKE_KNOWN);
	doc_free(env, len);
	fixture_only_case(f, FIX_HOLDER0, record);
}

/* the other holder has it under the same record, and both have one copy */
static void record_is_the_same_at_both_holders(void **state)
{
	uint8_t one[16], two[16];

	submit_one(2, one);
	fixture_sync(f, FIX_HOLDER1);
	fixture_only_case(f, FIX_HOLDER1, two);
	assert_memory_equal(one, two, 16);
}

/* ---- attacks ------------------------------------------------------------------------ */

static void statement_resealed_to_another_reader_is_refused(void **state)
{
	uint8_t record[16], *env;
	size_t len;

	submit_one(4, record);
	env = stored(FIX_HOLDER0, record, 0, &len);
	assert_int_equal(take(FIX_COUNSEL, env, len), TAKE_NOT_FOR_ME);
	assert_int_equal(take(FIX_ADMIN, env, len), TAKE_NOT_FOR_ME);
	doc_free(env, len);
}

static void envelope_with_any_changed_byte_is_refused(void **state)
{
	uint8_t record[16], *env;
	struct envelope parts;
	size_t len;

	submit_one(4, record);
	env = stored(FIX_HOLDER0, record, 0, &len);
	OK(envelope_decode(&parts, env, len));
	for (size_t i = 0; i < len; i += 3) {
		env[i] ^= 0x10;
		assert_int_equal(take(FIX_HOLDER1, env, len), TAKE_BAD);
		env[i] ^= 0x10;
	}
	for (size_t n = 0; n < len; n += 5)
		assert_int_equal(take(FIX_HOLDER1, env, n), TAKE_BAD);
	assert_int_equal(take(FIX_HOLDER1, env, len), TAKE_NEW);
	envelope_wipe(&parts);
	doc_free(env, len);
}

static void opening_of_another_number_is_refused(void **state)
{
	uint8_t record[16], *env, *again;
	struct envelope parts;
	size_t len, again_len;

	submit_one(4, record);
	env = stored(FIX_HOLDER0, record, 0, &len);
	OK(envelope_decode(&parts, env, len));
	parts.number++;
	OK(envelope_encode(&again, &again_len, &parts));
	assert_int_equal(take(FIX_HOLDER1, again, again_len), TAKE_BAD);
	doc_free(again, again_len);
	envelope_wipe(&parts);
	doc_free(env, len);
}

static void garbage_is_refused(void **state)
{
	uint8_t bytes[600] = { 0 };

	assert_int_equal(take(FIX_HOLDER0, bytes, 0), TAKE_BAD);
	for (unsigned i = 0; i < 2000; i++) {
		randombytes_buf(bytes, sizeof bytes);
		if (i % 2 == 0) {
			bytes[0] = 0x94;         /* begins like an envelope */
			bytes[1] = 0xc5;
		}
		assert_int_equal(take(FIX_HOLDER0, bytes, i % sizeof bytes), TAKE_BAD);
	}
}

/* references are not signed: whoever changes them can only make content fail to arrive */
static void attachments_cannot_be_swapped(void **state)
{
	struct client *c = fix(f, FIX_HOLDER1);
	uint8_t record[16], *env, *again, *data;
	struct envelope parts;
	struct case_file *file;
	struct blob_ref other;
	size_t len, again_len;
	enum take_result result;
	struct want w = { .is_envelope = false };

	submit_one(2, record);
	env = stored(FIX_HOLDER0, record, 0, &len);
	OK(envelope_decode(&parts, env, len));
	assert_int_equal(parts.n_refs, 1);
	OK(blob_begin(&other, (const uint8_t *)"another picture", 15, rng_system()));
	parts.refs[0] = other;
	OK(envelope_encode(&again, &again_len, &parts));
	assert_int_equal(take(FIX_HOLDER1, again, again_len), TAKE_NEW);
	OK(case_open(c, record, &file));
	assert_false(file->attachments[0].is_here);
	assert_int_equal(case_content(c, &file->attachments[0], &data, &len), PERR_NOTFOUND);
	/* even content put under the right name is held against what was signed */
	memcpy(w.ref.hash, file->attachments[0].a->hash, 32);
	w.ref.size = 15;
	OK(kv_begin(c->kv));
	OK(record_have(c, &w, (const uint8_t *)"another picture", 15, &result));
	OK(kv_commit(c->kv));
	assert_int_equal(case_content(c, &file->attachments[0], &data, &len), PERR_CORRUPT);
	case_close(file);
	envelope_wipe(&parts);
	doc_free(again, again_len);
	doc_free(env, 0);
}

static enum perr count_want(void *arg, const struct want *w)
{
	++*(unsigned *)arg;
	return PERR_OK;
}

static void record_sent_again_is_a_second_chance_for_attachments(void **state)
{
	uint8_t record[16], *env;
	size_t len;
	struct envelope parts;
	unsigned n = 0;

	submit_one(2, record);
	env = stored(FIX_HOLDER0, record, 0, &len);
	OK(envelope_decode(&parts, env, len));
	assert_int_equal(take(FIX_HOLDER1, env, len), TAKE_NEW);
	OK(record_wants(fix(f, FIX_HOLDER1), count_want, &n));
	assert_int_equal(n, 1);
	{
		struct blob_ref fresh = parts.refs[0];
		uint8_t *again;
		size_t again_len;

		randombytes_buf(fresh.sk, 32);
		parts.refs[0] = fresh;
		OK(envelope_encode(&again, &again_len, &parts));
		assert_int_equal(take(FIX_HOLDER1, again, again_len), TAKE_KNOWN);
		doc_free(again, again_len);
	}
	n = 0;
	OK(record_wants(fix(f, FIX_HOLDER1), count_want, &n));
	assert_int_equal(n, 2);
	fixture_sync(f, FIX_HOLDER1);
	n = 0;
	OK(record_wants(fix(f, FIX_HOLDER1), count_want, &n));
	assert_int_equal(n, 0);
	envelope_wipe(&parts);
	doc_free(env, len);
}

/* ---- whom nobody knows yet ---------------------------------------------------------- */

static void statement_of_a_stranger_is_pending_until_a_roster_names_them(void **state)
{
	struct client *holder = fix(f, FIX_HOLDER0), *volunteer = fix(f, FIX_VOLUNTEER1);
	uint8_t keep[32], other[32];
	uint8_t record[16];
	struct case_summary s;

	/* the holder's roster, with one volunteer less: as if not confirmed yet */
	for (uint32_t i = 0; i < holder->staff->n_volunteers; i++)
		if (memcmp(holder->staff->volunteers[i].key, volunteer->me->sign_pk, 32) == 0) {
			memcpy(keep, holder->staff->volunteers[i].key, 32);
			randombytes_buf(other, 32);
			memcpy(holder->staff->volunteers[i].key, other, 32);
		}
	fixture_submit(f, FIX_VOLUNTEER1, 4, 0, NULL);
	fixture_sync(f, FIX_HOLDER0);
	assert_int_equal(f->p[FIX_HOLDER0].taken[TAKE_PENDING], 1);
	fixture_only_case(f, FIX_HOLDER0, record);
	OK(case_summary(holder, record, &s));
	assert_true(s.pending);
	for (uint32_t i = 0; i < holder->staff->n_volunteers; i++)
		if (memcmp(holder->staff->volunteers[i].key, other, 32) == 0)
			memcpy(holder->staff->volunteers[i].key, keep, 32);
	holder->header_hash[0] ^= 1;     /* a newer roster */
	OK(case_summary(holder, record, &s));
	assert_false(s.pending);
}

/* ---- speed -------------------------------------------------------------------------- */

static double ms_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void a_night_of_intakes_is_taken_in_fast(void **state)
{
	struct client *c = fix(f, FIX_HOLDER0);
	enum { N = 680 };
	uint8_t **env = calloc(N, sizeof *env);
	size_t *len = calloc(N, sizeof *len);
	double begin, taken, merged;

	assert_true(env != NULL && len != NULL);
	for (unsigned i = 0; i < N; i++) {
		struct statement *st = note_on((const uint8_t *)"0123456789abcdef", f->desk, "");

		memset(&st->body, 0, sizeof st->body);
		st->kind = STATEMENT_INTAKE;
		randombytes_buf(st->record, 16);
		st->body.intake.form_id = doc_text_of("raid-intake");
		st->body.intake.form_version = doc_text_of("2026112401");
		st->body.intake.language = doc_text_of("es");
		st->body.intake.instance = doc_bytes_of(f->xml[i % 12], f->xml_len[i % 12]);
		case_code_new(st->body.intake.code, rng_system());
		env[i] = make(FIX_VOLUNTEER0, st, i + 1, &len[i]);
		free(st);
	}
	begin = ms_now();
	OK(kv_begin(c->kv));
	for (unsigned i = 0; i < N; i++) {
		enum take_result result;

		OK(record_take(c, env[i], len[i], &result));
		assert_int_equal(result, TAKE_NEW);
	}
	OK(kv_commit(c->kv));
	taken = ms_now();
	OK(case_refresh(c));
	merged = ms_now();
	print_message("figure: %d intakes taken in: %.2f ms each; merged: %.2f ms each "
	              "(limit 1 ms together)\n", N, (taken - begin) / N, (merged - taken) / N);
	for (unsigned i = 0; i < N; i++)
		doc_free(env[i], len[i]);
	free(env);
	free(len);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(record_holds_what_the_volunteer_sent),
		T(record_is_named_after_whom_it_is_about),
		T(marks_of_the_form_make_the_list),
		T(record_drops_repeats),
		T(record_is_the_same_at_both_holders),
		T(statement_resealed_to_another_reader_is_refused),
		T(envelope_with_any_changed_byte_is_refused),
		T(opening_of_another_number_is_refused),
		T(garbage_is_refused),
		T(attachments_cannot_be_swapped),
		T(record_sent_again_is_a_second_chance_for_attachments),
		T(statement_of_a_stranger_is_pending_until_a_roster_names_them),
		T(a_night_of_intakes_is_taken_in_fast),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
