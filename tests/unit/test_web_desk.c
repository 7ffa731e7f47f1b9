/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The attorney's day through web_call: the list, a record, what is said of it, files, status;
 * an organisation in memory, two holders of a desk and an attorney who holds nothing.
 */
#include "fixture_org.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "amend.h"
#include "assign.h"
#include "case.h"
#include "case_code.h"
#include "doc.h"
#include "envelope.h"
#include "rng.h"
#include "signed.h"
#include "erasing.h"
#include "kv_mem.h"
#include "kv_rows.h"
#include "leave.h"
#include "media.h"
#include "roster.h"
#include "search.h"
#include "statement.h"
#include "trust.h"
#include "web_kit.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static struct fixture *f;
static struct kit k[FIXTURE_PEOPLE];

/* a page over somebody's device: the client is the fixture's, so that others get what it says */
static void open_page(enum fixture_who who)
{
	struct client_env env = fix(f, who)->env;

	kit_open(&k[who], &env);
	k[who].w->c = fix(f, who);
}

static void close_page(enum fixture_who who)
{
	if (k[who].w == NULL)
		return;
	for (int i = 0; i < WEB_PARTS; i++)
		web_part_set(k[who].w, (enum web_part_id)i, NULL, NULL);
	k[who].w->c = NULL;
	kit_close(&k[who]);
}

static int setup(void **state)
{
	f = fixture_new();
	memset(k, 0, sizeof k);
	open_page(FIX_HOLDER0);
	open_page(FIX_HOLDER1);
	open_page(FIX_COUNSEL);
	open_page(FIX_VOLUNTEER0);
	return 0;
}

static int teardown(void **state)
{
	for (int i = 0; i < FIXTURE_PEOPLE; i++)
		close_page((enum fixture_who)i);
	fixture_free(f);
	return 0;
}

static struct kit *page(enum fixture_who who)
{
	return &k[who];
}

static const char *hex(const uint8_t *id, size_t len)
{
	static char bufs[4][65];
	static unsigned at;
	char *buf = bufs[at++ % 4];

	sodium_bin2hex(buf, sizeof bufs[0], id, len);
	return buf;
}

static const char *key_of(enum fixture_who who)
{
	return hex(fix(f, who)->me->sign_pk, 32);
}

#define LIST "view:s state:n desk:n days:u from:u n:u"
static void list(enum fixture_who who, const char *view)
{
	kit_call(page(who), "cases", LIST, view, 0UL, 0UL, 100UL);
}

static unsigned long total(enum fixture_who who, const char *view)
{
	list(who, view);
	return kit_uint(page(who), "total");
}

static void search(enum fixture_who who, const char *text)
{
	kit_call(page(who), "case_search", LIST " text:s", "all", 0UL, 0UL, 100UL, text);
}

/* the id of the only case of a person */
static const char *only(enum fixture_who who)
{
	static char record[33];

	list(who, "all");
	assert_int_equal(kit_uint(page(who), "total"), 1);
	snprintf(record, sizeof record, "%s", kit_str(page(who), "rows.0.record"));
	return record;
}

static void send_all(void)
{
	for (int i = 0; i < FIXTURE_PEOPLE; i++)
		fixture_upload(f, (enum fixture_who)i);
	for (int i = FIX_HOLDER0; i <= FIX_COUNSEL; i++) {
		unsigned n;

		fixture_sync(f, (enum fixture_who)i);
		OK(leave_tidy(fix(f, (enum fixture_who)i), &n));
	}
}

static void compare(enum fixture_who who, enum fixture_who with)
{
	kit_call(page(who), "person_words", "key:s", key_of(with));
	assert_int_equal(kit_count(page(who), "words"), 6);
	assert_false(kit_bool(page(who), "compared"));
	kit_call(page(who), "person_compared", "key:s", key_of(with));
	kit_call(page(who), "person_words", "key:s", key_of(with));
	assert_true(kit_bool(page(who), "compared"));
}

static void refused(enum fixture_who who, const char *why)
{
	assert_string_equal(kit_err(page(who)), "refused");
	assert_string_equal(kit_why(page(who)), why);
}

/* a call whatever its answer is: what counts is that there is one */
static void call_any(struct kit *p, const char *op, const char *shape, ...)
{
	va_list ap;

	va_start(ap, shape);
	kit_vcall(p, op, shape, ap);
	va_end(ap);
	assert_non_null(p->raw);
}

/* n letters; static */
static const char *long_text(size_t n)
{
	static char text[70000];

	assert_true(n < sizeof text);
	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

#define ASSIGN "record:s to:s reason:s answer_days:n from:n"

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

#define SHOW "record:s lang:s empty:b"

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

/* of the first event of this kind; those of one day come in an order of their own */
static const char *event_text(struct kit *p, const char *kind)
{
	char path[40];

	for (unsigned i = 0; i < kit_count(p, "events"); i++) {
		snprintf(path, sizeof path, "events.%u.kind", i);
		if (strcmp(kit_str(p, path), kind) != 0)
			continue;
		snprintf(path, sizeof path, "events.%u.text", i);
		return kit_str(p, path);
	}
	fail_msg("nothing was %s", kind);
	return "";
}

/* ---- acts ----------------------------------------------------------------------------------- */

static void a_case_is_given_accepted_and_given_back(void **state)
{
	struct kit *h = page(FIX_HOLDER0), *c = page(FIX_COUNSEL);
	char record[33];

	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, NULL);
	send_all();
	snprintf(record, sizeof record, "%s", only(FIX_HOLDER0));
	/* nothing is sealed to a name whose key nobody compared */
	kit_refused(h, "refused", "case_assign", ASSIGN, record, key_of(FIX_COUNSEL), "");
	refused(FIX_HOLDER0, "not_compared");
	compare(FIX_HOLDER0, FIX_COUNSEL);
	kit_call(h, "people", "record:s", record);
	assert_true(kit_bool(h, "people.0.me"));
	kit_call(h, "case_assign", ASSIGN, record, key_of(FIX_COUNSEL), "speaks Mam");
	assert_int_equal(kit_uint(h, "n_attachments"), 3);
	assert_int_equal(kit_uint(h, "n_told"), 1);
	assert_string_equal(kit_str(h, "role"), "attorney");
	kit_refused(h, "refused", "case_assign", ASSIGN, record, key_of(FIX_COUNSEL), "");
	refused(FIX_HOLDER0, "asked");
	send_all();
	assert_string_equal(only(FIX_COUNSEL), record);
	assert_int_equal(total(FIX_COUNSEL, "mine"), 1);
	assert_string_equal(kit_str(c, "rows.0.my_state"), "offered");
	kit_call(c, "case_show", SHOW, record, "es", 0);
	assert_true(kit_bool(c, "may.accept"));
	assert_false(kit_bool(c, "may.assign"));
	assert_string_equal(event_text(c, "assigned"), "speaks Mam");
	kit_refused(c, "refused", "case_close", "record:s reason:s", record, "");
	refused(FIX_COUNSEL, "not_holder");
	kit_call(c, "case_accept", "record:s reason:s", record, "gladly");
	assert_false(kit_bool(c, "gone"));
	assert_int_equal(kit_uint(c, "n_readers"), 2);
	kit_refused(c, "refused", "case_accept", "record:s reason:s", record, "");
	refused(FIX_COUNSEL, "answered");
	kit_call(c, "case_note", "record:s text:s", record, "  called the school\n");
	kit_refused(c, "range", "case_note", "record:s text:s", record, " \n ");
	kit_refused(c, "range", "case_note", "record:s text:s", record, long_text(65537));
	kit_refused(c, "range", "case_decline", "record:s reason:s", record, long_text(1025));
	send_all();
	list(FIX_HOLDER1, "all");
	assert_string_equal(kit_str(page(FIX_HOLDER1), "rows.0.state"), "accepted");
	assert_int_equal(kit_uint(page(FIX_HOLDER1), "rows.0.n_notes"), 1);
	assert_string_equal(kit_str(page(FIX_HOLDER1), "rows.0.people.0.key"), key_of(FIX_COUNSEL));
	kit_call(page(FIX_HOLDER1), "case_show", SHOW, record, "es", 0);
	assert_string_equal(event_text(page(FIX_HOLDER1), "note"), "called the school");
	assert_string_equal(event_text(page(FIX_HOLDER1), "accepted"), "gladly");
	kit_refused(h, "refused", "case_assign", ASSIGN, record, key_of(FIX_COUNSEL), "");
	refused(FIX_HOLDER0, "has_it");
	/* back it goes, and off the device */
	kit_call(c, "case_decline", "record:s reason:s", record, "in court");
	assert_true(kit_bool(c, "gone"));
	assert_int_equal(total(FIX_COUNSEL, "all"), 0);
	kit_refused(c, "notfound", "case_show", SHOW, record, "es", 0);
	send_all();
	list(FIX_HOLDER0, "waiting");
	assert_string_equal(kit_str(h, "rows.0.state"), "returned");
}

static void a_case_is_taken_back_moved_and_closed(void **state)
{
	struct kit *h = page(FIX_HOLDER0);
	char record[33];

	fixture_submit(f, FIX_VOLUNTEER0, 2, 5, NULL);
	send_all();
	snprintf(record, sizeof record, "%s", only(FIX_HOLDER0));
	compare(FIX_HOLDER0, FIX_COUNSEL);
	compare(FIX_HOLDER0, FIX_HOLDER1);
	kit_refused(h, "refused", "case_unassign", "record:s whom:s reason:s", record,
	            key_of(FIX_COUNSEL), "");
	refused(FIX_HOLDER0, "has_it_not");
	kit_call(h, "case_assign", ASSIGN, record, key_of(FIX_COUNSEL), "");
	send_all();
	assert_int_equal(total(FIX_COUNSEL, "all"), 1);
	/* from one to the other in one step */
	kit_refused(h, "refused", "case_assign", "record:s to:s reason:s answer_days:u from:s",
	            record, key_of(FIX_COUNSEL), "", 3UL, key_of(FIX_COUNSEL));
	refused(FIX_HOLDER0, "same_person");
	kit_call(h, "case_assign", "record:s to:s reason:s answer_days:u from:s", record,
	         key_of(FIX_HOLDER1), "", 3UL, key_of(FIX_COUNSEL));
	assert_int_equal(kit_uint(h, "answer_by"), client_day(fix(f, FIX_HOLDER0)) + 3);
	send_all();
	assert_int_equal(total(FIX_COUNSEL, "all"), 0);
	kit_call(page(FIX_COUNSEL), "cases_left", "");
	assert_int_equal(kit_count(page(FIX_COUNSEL), "left"), 1);
	assert_false(kit_bool(page(FIX_COUNSEL), "left.0.late"));
	kit_call(page(FIX_COUNSEL), "cases_left", "");
	assert_int_equal(kit_count(page(FIX_COUNSEL), "left"), 0);
	assert_int_equal(total(FIX_HOLDER1, "mine"), 1);
	kit_call(h, "case_unassign", "record:s whom:s reason:s", record, key_of(FIX_HOLDER1), "");
	/* a holder takes it: that is a yes as well */
	kit_call(h, "case_assign", ASSIGN, record, key_of(FIX_HOLDER0), "");
	assert_int_equal(kit_uint(h, "answer_by"), 0);
	list(FIX_HOLDER0, "mine");
	assert_string_equal(kit_str(h, "rows.0.my_state"), "accepted");
	kit_call(h, "case_close", "record:s reason:s", record, "done");
	kit_refused(h, "refused", "case_close", "record:s reason:s", record, "");
	refused(FIX_HOLDER0, "closed");
	kit_call(h, "case_show", SHOW, record, "en", 0);
	assert_true(kit_bool(h, "may.reopen"));
	assert_false(kit_bool(h, "may.close"));
	kit_call(h, "case_reopen", "record:s reason:s", record, "");
	kit_refused(h, "refused", "case_reopen", "record:s reason:s", record, "");
	refused(FIX_HOLDER0, "not_closed");
	kit_refused(h, "range", "case_hold", "record:s on:b reason:s", record, 1, "");
	kit_call(h, "case_hold", "record:s on:b reason:s", record, 1, "court order");
	kit_call(h, "case_show", SHOW, record, "en", 0);
	assert_true(kit_bool(h, "may.unhold"));
	assert_true(kit_bool(h, "row.held"));
	kit_call(h, "case_hold", "record:s on:b reason:s", record, 0, "");
	kit_refused(h, "notfound", "case_hold", "record:s on:b reason:s", record, 0, "");
}

static void who_recused_themselves_does_not_come_upon_it(void **state)
{
	struct kit *h = page(FIX_HOLDER0);
	char record[33], id[65], title[MARKS_TITLE_MAX + 1];

	fixture_submit(f, FIX_VOLUNTEER0, 2, 5, NULL);
	send_all();
	snprintf(record, sizeof record, "%s", only(FIX_HOLDER0));
	kit_call(h, "case_show", SHOW, record, "en", 0);
	snprintf(id, sizeof id, "%s", kit_count(h, "attachments") > 0
	         ? kit_str(h, "attachments.0.id") : hex(f->desk, 32));
	snprintf(title, sizeof title, "%s", kit_str(h, "row.title"));
	search(FIX_HOLDER0, title);
	assert_int_equal(kit_uint(h, "total"), 1);
	kit_call(h, "case_recuse", "record:s reason:s", record, "");
	assert_false(kit_bool(h, "gone"));
	list(FIX_HOLDER0, "all");
	assert_true(kit_bool(h, "rows.0.recused"));
	assert_string_equal(kit_str(h, "rows.0.title"), "");
	kit_refused(h, "refused", "case_show", SHOW, record, "en", 0);
	refused(FIX_HOLDER0, "recused");
	kit_refused(h, "refused", "case_blob", "record:s id:s", record, id);
	search(FIX_HOLDER0, title);
	assert_int_equal(kit_uint(h, "total"), 0);
	search(FIX_HOLDER1, title);
	assert_int_equal(kit_uint(page(FIX_HOLDER1), "total"), 1);
	kit_call(h, "export_begin", "records:n kind:s lang:s labels:b split:b", "json", "", 0, 0);
	assert_int_equal(kit_uint(h, "of"), 0);
	send_all();
	compare(FIX_HOLDER1, FIX_HOLDER0);
	kit_refused(page(FIX_HOLDER1), "refused", "case_assign", ASSIGN, record, key_of(FIX_HOLDER0),
	            "");
	refused(FIX_HOLDER1, "recused");
}

/* ---- files ---------------------------------------------------------------------------------- */

static unsigned all_parts(struct kit *p, unsigned *n_parts, bool *has_index)
{
	unsigned files = 0;
	char path[40];

	*n_parts = 0;
	*has_index = false;
	do {
		kit_call(p, "export_next", "");
		++*n_parts;
		for (unsigned i = 0; i < kit_count(p, "files"); i++) {
			snprintf(path, sizeof path, "files.%u.name", i);
			*has_index = *has_index || strcmp(kit_str(p, path), "index.csv") == 0;
			assert_null(strstr(kit_str(p, path), ".."));
			files++;
		}
	} while (!kit_bool(p, "done"));
	return files;
}

#define EXPORT "records:l kind:s lang:s labels:b split:b"

static void export_gives_the_files_of_the_command_line(void **state)
{
	struct kit *p = page(FIX_HOLDER0);
	const char *records[3] = { NULL };
	const msgpack_object *bytes;
	char first[33], second[33], path[40];
	unsigned n_parts, n;
	bool has_index, found = false;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, NULL);
	fixture_submit(f, FIX_VOLUNTEER0, 2, 6, NULL);
	send_all();
	list(FIX_HOLDER0, "all");
	snprintf(first, sizeof first, "%s", kit_str(p, "rows.0.record"));
	snprintf(second, sizeof second, "%s", kit_str(p, "rows.1.record"));
	kit_refused(p, "state", "export_next", "");
	records[0] = first;
	records[1] = second;
	kit_call(p, "export_begin", EXPORT, records, "folders", "", 0, 0);
	assert_int_equal(kit_uint(p, "of"), 2);
	kit_call(p, "export_next", "");
	assert_true(kit_bool(p, "done"));
	assert_int_equal(kit_count(p, "missing"), 0);
	n = kit_count(p, "files");
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof path, "files.%u.name", i);
		if (strstr(kit_str(p, path), "/submission.xml") == NULL)
			continue;
		snprintf(path, sizeof path, "files.%u.bytes", i);
		bytes = kit_need(p, path);
		found = found || (bytes->via.bin.size == f->xml_len[0] &&
		                  memcmp(bytes->via.bin.ptr, f->xml[0], f->xml_len[0]) == 0);
	}
	assert_true(found);
	kit_refused(p, "state", "export_next", "");
	records[1] = NULL;
	kit_call(p, "export_begin", EXPORT, records, "folders", "", 0, 0);
	all_parts(p, &n_parts, &has_index);
	assert_false(has_index);
	kit_call(p, "export_begin", EXPORT, records, "attachments", "", 0, 0);
	all_parts(p, &n_parts, &has_index);
	kit_call(p, "export_begin", "records:n kind:s lang:s labels:b split:b", "folders", "", 0, 0);
	assert_int_equal(all_parts(p, &n_parts, &has_index), n);
	assert_true(has_index);
	kit_call(p, "export_begin", "records:n kind:s lang:s labels:b split:b", "tables", "es", 1, 1);
	assert_true(all_parts(p, &n_parts, &has_index) >= 1);
	kit_call(p, "export_begin", "records:n kind:s lang:s labels:b split:b", "json", "", 0, 0);
	kit_call(p, "export_next", "");
	assert_string_equal(kit_str(p, "files.0.name"), "cases.json");
	bytes = kit_need(p, "files.0.bytes");
	assert_true(bytes->via.bin.size > 100);
	assert_int_equal(bytes->via.bin.ptr[0], '[');
	assert_int_equal(bytes->via.bin.ptr[bytes->via.bin.size - 2], ']');
	kit_call(p, "export_begin", "records:n kind:s lang:s labels:b split:b", "json", "", 0, 0);
	kit_call(p, "export_end", "");
	kit_refused(p, "state", "export_next", "");
	kit_refused(p, "range", "export_begin", "records:n kind:s lang:s labels:b split:b",
	            "attachments", "", 0, 0);
	kit_refused(p, "format", "export_begin", "records:n kind:s lang:s labels:b split:b", "zip", "",
	            0, 0);
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

static void volunteers_read_nothing(void **state)
{
	struct kit *v = page(FIX_VOLUNTEER0);
	const char *none = "00000000000000000000000000000000";

	kit_refused(v, "state", "cases", LIST, "all", 0UL, 0UL, 9UL);
	kit_refused(v, "state", "case_show", SHOW, none, "es", 0);
	kit_refused(v, "state", "case_note", "record:s text:s", none, "x");
	kit_refused(v, "state", "desk_status", "");
	kit_refused(v, "state", "people", "record:n");
	kit_refused(v, "state", "export_begin", "records:n kind:s lang:s labels:b split:b", "json",
	            "", 0, 0);
}

/* ---- what a page must not be able to break ----------------------------------------------------- */

static const char *const ops[] = {
	"cases", "case_search", "case_find", "desks", "holders", "case_show", "case_blob", "case_note",
	"case_assign", "case_unassign", "case_accept", "case_decline", "case_recuse", "case_close",
	"case_reopen", "case_hold", "people", "person_words", "person_compared", "export_begin",
	"export_next", "export_end", "desk_status", "alarms_seen", "cases_left"
};

static void no_arguments_are_taken_for_good(void **state)
{
	static const char *const bad[] = { "", "0", "ZZ", "00000000000000000000000000000000",
	                                   "ABCDEF00000000000000000000000000", "\xc3\xa1" };
	struct kit *p = page(FIX_HOLDER0);
	uint8_t junk[64];

	fixture_submit(f, FIX_VOLUNTEER0, 2, 5, NULL);
	send_all();
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		for (unsigned n = 0; n < 200; n++) {
			size_t len = randombytes_uniform(sizeof junk);

			randombytes_buf(junk, len);
			kit_raw(p, ops[i], junk, len);
			/* 0x90 alone is an empty list of arguments */
			if (!(len == 1 && junk[0] == 0x90))
				assert_string_not_equal(kit_err(p), "");
		}
		for (size_t k2 = 0; k2 < sizeof bad / sizeof bad[0]; k2++) {
			kit_refused(p, "format", ops[i], "nosuch:s", bad[k2]);
			call_any(p, ops[i], "record:s lang:s empty:b", bad[k2], "es", 0);
			call_any(p, ops[i], "record:s reason:s", bad[k2], "");
			call_any(p, ops[i], "record:u reason:b", 7UL, 1);
			call_any(p, ops[i], "key:s", bad[k2]);
		}
	}
	kit_refused(p, "format", "case_show", SHOW, "ABCDEF00000000000000000000000000", "es", 0);
	kit_refused(p, "notfound", "case_show", SHOW, bad[3], "es", 0);
	kit_refused(p, "format", "cases", LIST, "everything", 0UL, 0UL, 9UL);
	kit_refused(p, "format", "cases", LIST, "all", 0UL, 0UL, 501UL);
	assert_int_equal(total(FIX_HOLDER0, "all"), 1);
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
		T(a_case_is_given_accepted_and_given_back),
		T(a_case_is_taken_back_moved_and_closed),
		T(who_recused_themselves_does_not_come_upon_it),
		T(export_gives_the_files_of_the_command_line),
		T(status_counts_what_waits),
		T(volunteers_read_nothing),
		T(no_arguments_are_taken_for_good),
		T(the_list_is_loaded_once_and_again_after_a_change),
		T(a_list_of_thousands_does_not_stutter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
