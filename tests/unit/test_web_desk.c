/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What an attorney reads, through web_call: the list, a search, a record, photographs, the
 * desk's status; and that thousands of cases do not hold a page up.
 */
#include "desk_kit.h"

#include <stdlib.h>
#include <time.h>

#include "amend.h"
#include "case.h"
#include "case_code.h"
#include "doc.h"
#include "envelope.h"
#include "kv_rows.h"
#include "media.h"
#include "rng.h"
#include "roster.h"
#include "signed.h"
#include "statement.h"

/* ---- the list ------------------------------------------------------------------------------- */

static void a_new_interview_is_in_the_list_of_both_holders(void **state)
{
	struct kit *p = page(FIX_HOLDER0);
	char code[CASE_CODE_LEN + 1], shown[CASE_CODE_SHOWN + 1], record[33];

	assert_int_equal(total(FIX_HOLDER0, "all"), 0);
	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, code);
	send_all();
	snprintf(record, sizeof record, "%s", only(FIX_HOLDER0));
	assert_string_equal(only(FIX_HOLDER1), record);
	assert_int_equal(total(FIX_COUNSEL, "all"), 0);
	case_code_show(shown, code);
	list(FIX_HOLDER0, "all");
	assert_string_equal(kit_str(p, "rows.0.code"), shown);
	assert_string_equal(kit_str(p, "rows.0.state"), "open");
	assert_string_equal(kit_str(p, "rows.0.desk_name"), "Mesa Delta");
	assert_string_equal(kit_str(p, "rows.0.form_id"), "raid-intake");
	assert_string_equal(kit_str(p, "rows.0.desk"), hex(f->desk, 32));
	assert_true(kit_is_nil(p, "rows.0.my_state"));
	assert_false(kit_bool(p, "rows.0.mine"));
	assert_int_equal(kit_uint(p, "rows.0.n_attachments"), 3);
	/* a code as people type it */
	kit_call(p, "case_find", "code:s", shown);
	assert_string_equal(kit_str(p, "record"), record);
	shown[0] = shown[0] == '7' ? '8' : '7';
	kit_refused(p, "auth", "case_find", "code:s", shown);
	kit_refused(p, "format", "case_find", "code:s", "7");
}

static void views_and_filters_choose(void **state)
{
	struct kit *p = page(FIX_HOLDER0);
	const char *record;
	unsigned long all, due;

	for (unsigned i = 1; i <= 12; i++)
		fixture_submit(f, i % 2 == 0 ? FIX_VOLUNTEER0 : FIX_VOLUNTEER1, i, i, NULL);
	send_all();
	all = total(FIX_HOLDER0, "all");
	assert_int_equal(all, 12);
	assert_int_equal(total(FIX_HOLDER0, "waiting"), 12);
	assert_int_equal(total(FIX_HOLDER0, "unassigned"), 12);
	assert_int_equal(total(FIX_HOLDER0, "mine"), 0);
	/* urgent ones lead, and among equals the next deadline */
	list(FIX_HOLDER0, "all");
	assert_true(kit_uint(p, "n_urgent") > 0);
	for (unsigned i = 0; i < 12; i++) {
		char path[40];

		snprintf(path, sizeof path, "rows.%u.urgent", i);
		assert_int_equal(kit_bool(p, path), i < kit_uint(p, "n_urgent"));
	}
	kit_call(p, "cases", LIST, "due", 3650UL, 0UL, 100UL);
	due = kit_uint(p, "total");
	assert_true(due > 0);
	kit_call(p, "cases", LIST, "due", 0UL, 0UL, 100UL);
	assert_true(kit_uint(p, "total") < due);
	/* one page after the other is the whole */
	kit_call(p, "cases", LIST, "all", 0UL, 5UL, 4UL);
	assert_int_equal(kit_count(p, "rows"), 4);
	kit_call(p, "cases", LIST, "all", 0UL, 10UL, 4UL);
	assert_int_equal(kit_count(p, "rows"), 2);
	kit_call(p, "cases", LIST, "all", 0UL, 12UL, 4UL);
	assert_int_equal(kit_count(p, "rows"), 0);
	/* by state and by desk */
	kit_call(p, "cases", "view:s state:s desk:n days:u from:u n:u", "all", "closed", 0UL, 0UL,
	         9UL);
	assert_int_equal(kit_uint(p, "total"), 0);
	kit_call(p, "cases", "view:s state:n desk:s days:u from:u n:u", "all", hex(f->desk, 32), 0UL,
	         0UL, 9UL);
	assert_int_equal(kit_uint(p, "total"), 12);
	kit_call(p, "cases", "view:s state:n desk:s days:u from:u n:u", "all", key_of(FIX_ADMIN),
	         0UL, 0UL, 9UL);
	assert_int_equal(kit_uint(p, "total"), 0);
	list(FIX_HOLDER0, "all");
	record = kit_str(p, "rows.3.record");
	kit_call(p, "case_close", "record:s reason:s", record, "");
	assert_int_equal(total(FIX_HOLDER0, "waiting"), 11);
	list(FIX_HOLDER0, "all");
	assert_string_equal(kit_str(p, "rows.11.record"), record);
	assert_string_equal(kit_str(p, "rows.11.state"), "closed");
}

static void search_folds_accents_and_glottal_marks(void **state)
{
	struct kit *p = page(FIX_HOLDER0);

	fixture_submit(f, FIX_VOLUNTEER0, 2, 0, NULL);
	fixture_submit(f, FIX_VOLUNTEER1, 10, 0, NULL);
	fixture_submit(f, FIX_VOLUNTEER0, 3, 0, NULL);
	send_all();
	search(FIX_HOLDER0, "rosalinda");
	assert_int_equal(kit_uint(p, "total"), 1);
	search(FIX_HOLDER0, "velásquez qanel");
	assert_int_equal(kit_uint(p, "total"), 1);
	search(FIX_HOLDER0, "VELASQUEZ Q’anel");
	assert_int_equal(kit_uint(p, "total"), 1);
	search(FIX_HOLDER0, "rosalinda nosuchword");
	assert_int_equal(kit_uint(p, "total"), 0);
	/* the same filter twice, then another one, is not the first one's answer */
	search(FIX_HOLDER0, "rosalinda");
	assert_int_equal(kit_uint(p, "total"), 1);
	assert_int_equal(total(FIX_HOLDER0, "all"), 3);
	kit_refused(p, "range", "case_search", LIST " text:s", "all", 0UL, 0UL, 9UL, "  ");
}

/* ---- a record ------------------------------------------------------------------------------- */

/* the number of the first answer with a photograph */
static int first_file(struct kit *p)
{
	char path[60];

	for (unsigned i = 0; i < kit_count(p, "interviews.0.answers"); i++) {
		snprintf(path, sizeof path, "interviews.0.answers.%u.file", i);
		if (!kit_is_nil(p, path))
			return (int)i;
	}
	return -1;
}

static bool has_label(struct kit *p, const char *label)
{
	char path[60];

	for (unsigned i = 0; i < kit_count(p, "interviews.0.answers"); i++) {
		snprintf(path, sizeof path, "interviews.0.answers.%u.label", i);
		if (strcmp(kit_str(p, path), label) == 0)
			return true;
	}
	return false;
}

static void a_record_is_shown_in_both_languages_with_its_photographs(void **state)
{
	struct kit *p = page(FIX_HOLDER0);
	char path[60], en[400], id[65], record[33];
	const uint8_t *photo;
	const msgpack_object *bytes;
	uint32_t few, many;
	size_t len;
	int at;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, NULL);
	send_all();
	snprintf(record, sizeof record, "%s", only(FIX_HOLDER0));
	kit_call(p, "case_show", SHOW, record, "en", 0);
	assert_string_equal(kit_str(p, "lang"), "en");
	assert_true(kit_count(p, "langs") >= 2);
	assert_int_equal(kit_count(p, "interviews"), 1);
	assert_int_equal(kit_count(p, "corrections"), 0);
	assert_int_equal(kit_count(p, "attachments"), 3);
	assert_string_not_equal(kit_str(p, "form_title"), "");
	assert_true(kit_bool(p, "interviews.0.enrolled"));
	assert_true(kit_is_nil(p, "from"));
	assert_true(kit_is_nil(p, "erasing"));
	few = kit_count(p, "interviews.0.answers");
	assert_true(few > 10);
	at = first_file(p);
	assert_true(at >= 0);
	snprintf(path, sizeof path, "interviews.0.answers.%d.label", at);
	snprintf(en, sizeof en, "%s", kit_str(p, path));
	snprintf(path, sizeof path, "interviews.0.answers.%d.file", at);
	snprintf(id, sizeof id, "%s", kit_str(p, path));
	assert_true(has_label(p, en));
	kit_call(p, "case_show", SHOW, record, "es", 0);
	assert_string_equal(kit_str(p, "lang"), "es");
	assert_int_equal(kit_count(p, "interviews.0.answers"), few);
	assert_false(has_label(p, en));
	kit_call(p, "case_show", SHOW, record, "es", 1);
	many = kit_count(p, "interviews.0.answers");
	assert_true(many > few);
	/* a language the form does not have: its own */
	kit_call(p, "case_show", SHOW, record, "tlh", 0);
	assert_int_equal(kit_count(p, "interviews.0.answers"), few);
	/* its bytes, under a name that is safe as a file's */
	kit_call(p, "case_blob", "record:s id:s", record, id);
	bytes = kit_need(p, "bytes");
	assert_int_equal(bytes->type, MSGPACK_OBJECT_BIN);
	photo = fixture_photo(kit_str(p, "name"), 5, &len);
	assert_int_equal(bytes->via.bin.size, len);
	assert_memory_equal(bytes->via.bin.ptr, photo, len);
	assert_string_equal(kit_str(p, "media"), media_of(photo, len));
	/* a content that is nobody's, or another case's */
	id[0] = id[0] == '0' ? '1' : '0';
	kit_refused(p, "notfound", "case_blob", "record:s id:s", record, id);
}

static void a_correction_is_shown_where_it_counts(void **state)
{
	struct kit *p = page(FIX_HOLDER0);
	char code[CASE_CODE_LEN + 1], path[80], record[33];
	struct amend_list changes = { .n = 0 };
	struct amend am = { .code = code, .form_id = "raid-intake", .changes = &changes };
	struct amend_receipt receipt;
	char why[DISPATCH_WHY];
	unsigned found = 0;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, code);
	send_all();
	snprintf(record, sizeof record, "%s", only(FIX_HOLDER0));
	kit_call(p, "case_show", SHOW, record, "en", 0);
	/* the first plain text of the interview */
	for (unsigned i = 0; i < kit_count(p, "interviews.0.answers"); i++) {
		snprintf(path, sizeof path, "interviews.0.answers.%u.path", i);
		if (strstr(kit_str(p, path), "name") != NULL) {
			OK(amend_set(&changes, kit_str(p, path), "Xwan B’alam"));
			break;
		}
	}
	assert_int_equal(changes.n, 1);
	am.form_version = fix(f, FIX_VOLUNTEER0)->field->forms[0].version;
	OK(amend_seal(fix(f, FIX_VOLUNTEER0), &am, &receipt, why));
	send_all();
	kit_call(p, "case_show", SHOW, record, "en", 0);
	assert_int_equal(kit_count(p, "corrections"), 1);
	assert_string_equal(kit_str(p, "corrections.0.changes.0.fate"), "counts");
	assert_string_equal(kit_str(p, "corrections.0.changes.0.value"), "Xwan B’alam");
	assert_int_equal(kit_uint(p, "row.n_corrections"), 1);
	for (unsigned i = 0; i < kit_count(p, "interviews.0.answers"); i++) {
		snprintf(path, sizeof path, "interviews.0.answers.%u.changed", i);
		if (kit_is_nil(p, path))
			continue;
		found++;
		snprintf(path, sizeof path, "interviews.0.answers.%u.changed.how", i);
		assert_string_equal(kit_str(p, path), "corrected");
		snprintf(path, sizeof path, "interviews.0.answers.%u.changed.said.0.shown", i);
		assert_string_equal(kit_str(p, path), "Xwan B’alam");
		snprintf(path, sizeof path, "interviews.0.answers.%u.changed.before", i);
		assert_string_not_equal(kit_str(p, path), "");
		snprintf(path, sizeof path, "interviews.0.answers.%u.shown", i);
		assert_string_equal(kit_str(p, path), "Xwan B’alam");
	}
	assert_int_equal(found, 1);
	amend_clear(&changes);
}

static void media_goes_by_the_first_bytes(void **state)
{
	static const struct { const char *bytes; size_t len; const char *media; } t[] = {
		{ "\xff\xd8\xff\xe0....", 8, "image/jpeg" },
		{ "\x89PNG\r\n\x1a\n", 8, "image/png" },
		{ "\x89PNG\r\n\x1a", 7, "application/octet-stream" },
		{ "RIFF1234WEBP", 12, "image/webp" }, { "RIFF1234WAVE", 12, "audio/wav" },
		{ "GIF89a", 6, "image/gif" }, { "%PDF-1.7", 8, "application/pdf" },
		{ "....ftypM4A ", 12, "audio/mp4" }, { "....ftypisom", 12, "video/mp4" },
		{ "....ftypheic", 12, "application/octet-stream" },
		{ "OggS", 4, "audio/ogg" }, { "ID3", 3, "audio/mpeg" },
		{ "<svg onload=x>", 14, "application/octet-stream" },
		{ "<html>", 6, "application/octet-stream" }, { "", 0, "application/octet-stream" }
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		uint8_t *exact = malloc(t[i].len + 1);

		assert_non_null(exact);
		memcpy(exact, t[i].bytes, t[i].len);
		assert_string_equal(media_of(exact, t[i].len), t[i].media);
		free(exact);
	}
}

/* ---- status, people ------------------------------------------------------------------------- */

static void status_counts_what_waits(void **state)
{
	struct kit *p = page(FIX_HOLDER0);

	for (unsigned i = 1; i <= 12; i++)
		fixture_submit(f, FIX_VOLUNTEER0, i, i, NULL);
	send_all();
	kit_call(p, "desk_status", "");
	assert_int_equal(kit_uint(p, "cases.open"), 12);
	assert_int_equal(kit_uint(p, "cases.waiting"), 12);
	assert_int_equal(kit_uint(p, "cases.mine"), 0);
	assert_true(kit_uint(p, "cases.urgent") > 0);
	assert_int_equal(kit_uint(p, "cases.urgent"), kit_uint(p, "cases.urgent_unassigned"));
	assert_int_equal(kit_uint(p, "today"), client_day(fix(f, FIX_HOLDER0)));
	assert_int_equal(kit_count(p, "custody"), 1);
	assert_string_equal(kit_str(p, "custody.0.desk_name"), "Mesa Delta");
	assert_int_equal(kit_uint(p, "custody.0.records"), 12);
	assert_int_equal(kit_count(p, "custody.0.others"), 1);
	assert_int_equal(kit_count(p, "alarms"), 0);
	assert_int_equal(kit_count(p, "to_compare"), 2);
	compare(FIX_HOLDER0, FIX_COUNSEL);
	kit_call(p, "desk_status", "");
	assert_int_equal(kit_count(p, "to_compare"), 1);
	assert_string_equal(kit_str(p, "to_compare.0.key"), key_of(FIX_HOLDER1));
	assert_int_equal(kit_uint(p, "revoked"), 0);
	kit_call(p, "alarms_seen", "");
	kit_call(p, "desks", "");
	assert_int_equal(kit_count(p, "desks"), 1);
	assert_int_equal(kit_uint(p, "desks.0.n_cases"), 12);
	assert_true(kit_bool(p, "desks.0.i_hold"));
	assert_int_equal(kit_count(p, "desks.0.holders"), 2);
	kit_call(p, "holders", "desk:s", hex(f->desk, 32));
	assert_int_equal(kit_count(p, "holders"), 2);
	kit_refused(p, "notfound", "holders", "desk:s", key_of(FIX_ADMIN));
	kit_call(p, "people", "record:n");
	assert_int_equal(kit_count(p, "people"), 3);
	assert_true(kit_is_nil(p, "people.0.state"));
	kit_refused(p, "notfound", "person_words", "key:s", hex(f->desk, 32));
	kit_refused(p, "notfound", "person_compared", "key:s", hex(f->desk, 32));
}

/* ---- five thousand -------------------------------------------------------------------------- */

static double ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static enum perr copy_row(void *arg, const char *name, const uint8_t *value, size_t len)
{
	return kv_put(arg, name, value, len);
}

/* holder 0's device as a page has it: sealed rows in memory */
static void open_sealed(struct kit *p)
{
	struct client_env env = fix(f, FIX_HOLDER0)->env;
	struct kv *kv;

	kit_open(p, &env);
	OK(kv_rows_new_kiosk(&p->w->rows));
	p->w->is_kiosk = true;
	kv = p->w->kv = kv_rows_kv(p->w->rows);
	OK(kv_begin(kv));
	OK(kv_each(f->p[FIX_HOLDER0].kv, "", copy_row, kv));
	OK(kv_commit(kv));
	OK(client_open(&p->w->c, kv, &p->w->env));
}

static void the_list_is_loaded_once_and_again_after_a_change(void **state)
{
	struct kit p = { .n_calls = 0 };
	unsigned long stamp;
	char record[33];

	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, NULL);
	fixture_submit(f, FIX_VOLUNTEER0, 2, 6, NULL);
	send_all();
	open_sealed(&p);
	kit_call(&p, "cases", LIST, "all", 0UL, 0UL, 9UL);
	stamp = kit_uint(&p, "stamp");
	snprintf(record, sizeof record, "%s", kit_str(&p, "rows.1.record"));
	kit_call(&p, "cases", LIST, "all", 0UL, 1UL, 9UL);
	assert_int_equal(kit_uint(&p, "stamp"), stamp);
	/* a change of something else is none of the list */
	kit_call(&p, "person_compared", "key:s", key_of(FIX_COUNSEL));
	kit_call(&p, "cases", LIST, "all", 0UL, 0UL, 9UL);
	assert_int_equal(kit_uint(&p, "stamp"), stamp);
	kit_call(&p, "case_note", "record:s text:s", record, "x");
	kit_call(&p, "cases", LIST, "all", 0UL, 0UL, 9UL);
	assert_true(kit_uint(&p, "stamp") > stamp);
	assert_int_equal(kit_uint(&p, "rows.1.n_notes"), 1);
	/* and tomorrow is another day */
	stamp = kit_uint(&p, "stamp");
	f->now += 86400;
	kit_call(&p, "cases", LIST, "all", 0UL, 0UL, 9UL);
	assert_true(kit_uint(&p, "stamp") > stamp);
	kit_close(&p);
}

/* what a volunteer sealed, as it comes out of a cell */
static uint8_t *intake_envelope(uint32_t number, size_t *len)
{
	struct client *v = fix(f, FIX_VOLUNTEER0);
	struct statement *st = calloc(1, sizeof *st);
	unsigned which = number % 12;
	struct sign_key key;
	uint8_t *env;

	assert_non_null(st);
	st->kind = STATEMENT_INTAKE;
	st->day = client_day(v) - number % 90;
	memcpy(st->to, f->desk, 32);
	randombytes_buf(st->record, sizeof st->record);
	st->body.intake.form_id = doc_text_of("raid-intake");
	st->body.intake.form_version = doc_text_of(v->field->forms[0].version);
	st->body.intake.language = doc_text_of("es");
	st->body.intake.instance = doc_bytes_of(f->xml[which], f->xml_len[which]);
	case_code_new(st->body.intake.code, rng_system());
	client_sign_key(v, &key);
	OK(envelope_make(&env, len, NULL, st, number, NULL, 0, &key, rng_system()));
	signed_key_wipe(&key);
	free(st);
	return env;
}

#define MANY 5000

static double called(struct kit *p, const char *view, unsigned long from)
{
	double begin = ms_now();

	kit_call(p, "cases", LIST, view, 14UL, from, 50UL);
	return ms_now() - begin;
}

/* limits: a page's first list within 100 ms, later pages within 20 ms */
static void a_list_of_thousands_does_not_stutter(void **state)
{
	unsigned n = getenv("AMPARO_LONG") != NULL ? MANY : MANY / 10;
	struct client *c = fix(f, FIX_HOLDER0);
	double first, slowest = 0, again, found, shown, status, begin;
	struct kit p = { .n_calls = 0 };
	char record[33];

	OK(kv_begin(c->kv));
	for (unsigned i = 1; i <= n; i++) {
		enum take_result result;
		size_t len;
		uint8_t *env = intake_envelope(i, &len);

		OK(record_take(c, env, len, &result));
		assert_int_equal(result, TAKE_NEW);
		doc_free(env, len);
	}
	OK(kv_commit(c->kv));
	OK(case_refresh(c));
	open_sealed(&p);
	first = called(&p, "all", 0);
	assert_int_equal(kit_uint(&p, "total"), n);
	for (unsigned long from = 50; from < n; from += 50) {
		double ms = called(&p, "all", from);

		slowest = ms > slowest ? ms : slowest;
	}
	snprintf(record, sizeof record, "%s", kit_str(&p, "rows.0.record"));
	begin = ms_now();
	kit_call(&p, "case_search", LIST " text:s", "all", 0UL, 0UL, 50UL, "rosalinda qanel");
	found = ms_now() - begin;
	assert_true(kit_uint(&p, "total") > 0);
	begin = ms_now();
	kit_call(&p, "case_show", SHOW, record, "es", 0);
	shown = ms_now() - begin;
	kit_call(&p, "case_note", "record:s text:s", record, "x");
	again = called(&p, "all", 0);
	begin = ms_now();
	kit_call(&p, "desk_status", "");
	status = ms_now() - begin;
	if (n == MANY) {
		print_message("figure: list of %u cases: first page %.0f ms (limit 100 ms), later pages at "
		              "most %.1f ms (limit 20 ms), after a note %.0f ms\n", n, first, slowest,
		              again);
		print_message("figure: search over %u cases: %.0f ms; one case shown: %.1f ms; the status: "
		              "%.0f ms (limit 500 ms)\n", n, found, shown, status);
		assert_true(first < 100 && slowest < 20 && status < 500);
	}
	kit_close(&p);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_new_interview_is_in_the_list_of_both_holders),
		T(views_and_filters_choose),
		T(search_folds_accents_and_glottal_marks),
		T(a_record_is_shown_in_both_languages_with_its_photographs),
		T(a_correction_is_shown_where_it_counts),
		T(media_goes_by_the_first_bytes),
		T(status_counts_what_waits),
		T(the_list_is_loaded_once_and_again_after_a_change),
		T(a_list_of_thousands_does_not_stutter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
