/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What an attorney does, through web_call: cases are given, accepted, given back, closed; they go
 * out as files; who may not is refused; bad arguments change nothing; and each request for
 * memory that fails leaves things done or undone, never half.
 */
#include "desk_kit.h"

#include "marks.h"
#include "starve.h"

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

/* ---- what a page must not be able to break ----------------------------------------------------- */

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

/* ---- without memory ------------------------------------------------------------------------- */

struct call {
	const char *op;
	uint8_t args[600];
	size_t len;
};

static struct call call_of(const char *op, const char *shape, ...)
{
	struct call c = { .op = op };
	va_list ap;

	va_start(ap, shape);
	c.len = kit_vargs(c.args, sizeof c.args, shape, ap);
	va_end(ap);
	return c;
}

/* what the last answer says, without what every answer has */
static size_t said(const struct kit *p, uint8_t out[32])
{
	crypto_generichash(out, 32, p->raw, p->raw_len, NULL, 0);
	return p->raw_len;
}

/*
 * A call whose n-th request for memory fails: it answers nonetheless, or says that there was no
 * memory, or cannot say even that.
 * returns true if it answered "ok"
 */
static bool starved(struct kit *p, const struct call *c, unsigned long n, bool *tripped)
{
	size_t len;
	uint8_t *out;
	bool ok;

	starve_arm(n);
	out = web_call(p->w, c->op, strlen(c->op), c->args, c->len, &len);
	*tripped = starve_disarm();
	ok = out != NULL && memmem(out, len < 8 ? len : 8, "\xa2ok", 3) != NULL;
	if (out != NULL && !ok && memmem(out, len, "nomem", 5) == NULL) {
		const char *err = memmem(out, len, "\xa3""err", 4);

		fail_msg("%s, request %lu: %.16s", c->op, n, err == NULL ? "?" : err + 5);
	}
	if (!*tripped && !ok)
		fail_msg("%s: no answer, and no request failed", c->op);
	kv_free(out);
	return ok;
}

/* a question: with memory again it has the same answer, to the letter */
static unsigned walk_question(struct kit *p, struct call c)
{
	uint8_t before[32], after[32];
	unsigned long all;
	unsigned failed = 0;
	bool tripped;

	kit_raw(p, c.op, c.args, c.len);
	assert_string_equal(kit_err(p), "");
	said(p, before);
	assert_true(starved(p, &c, 0, &tripped));
	all = starve_seen;
	for (unsigned long n = 1; n <= all; n++) {
		(void)starved(p, &c, n, &tripped);
		failed += tripped;
		kit_raw(p, c.op, c.args, c.len);
		assert_string_equal(kit_err(p), "");
		said(p, after);
		if (memcmp(before, after, 32) != 0)
			fail_msg("%s: another answer after request %lu of %lu failed", c.op, n, all);
	}
	return failed;
}

/* the case as it is shown, and how much waits to be sent */
static unsigned long world(struct kit *p, const char *record, uint8_t out[32])
{
	kit_call(p, "case_show", SHOW, record, "es", 1);
	said(p, out);
	kit_call(p, "outbox", "");
	return kit_uint(p, "waiting");
}

/*
 * An act: where it did not say "ok", the case is as before and nothing waits to be sent; where it
 * did, both have changed.
 * back  in: undoes it, so that it can be tried again; op NULL: it can be repeated
 */
static unsigned walk_act(struct kit *p, const char *record, struct call c, struct call back)
{
	unsigned long all = 1, n_before, n_after;
	uint8_t before[32], after[32];
	unsigned failed = 0;

	for (unsigned long n = 0; n <= all; n++) {
		bool tripped, ok;

		n_before = world(p, record, before);
		ok = starved(p, &c, n, &tripped);
		if (n == 0) {
			assert_true(ok);
			all = starve_seen;
		}
		failed += tripped;
		n_after = world(p, record, after);
		if (ok != (memcmp(before, after, 32) != 0) || (ok && n_after <= n_before) ||
		    (!ok && n_after != n_before))
			fail_msg("%s: half done after request %lu of %lu failed (%s; %lu waited, %lu wait)",
			         c.op, n, all, ok ? "ok" : "refused", n_before, n_after);
		if (ok && back.op != NULL) {
			kit_raw(p, back.op, back.args, back.len);
			assert_string_equal(kit_err(p), "");
		}
	}
	return failed;
}

static void without_memory_no_question_is_answered_wrong(void **state)
{
	struct kit *p = page(FIX_HOLDER0);
	char record[33], id[65];
	unsigned failed = 0;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, NULL);
	fixture_submit(f, FIX_VOLUNTEER0, 3, 6, NULL);
	send_all();
	kit_call(p, "cases", LIST, "all", 0UL, 0UL, 9UL);
	for (unsigned i = 0; i < 2; i++) {
		char path[40];

		snprintf(path, sizeof path, "rows.%u.record", i);
		snprintf(record, sizeof record, "%s", kit_str(p, path));
		snprintf(path, sizeof path, "rows.%u.n_attachments", i);
		if (kit_uint(p, path) > 0)
			break;
	}
	kit_call(p, "case_show", SHOW, record, "es", 0);
	snprintf(id, sizeof id, "%s", kit_str(p, "attachments.0.id"));
	failed += walk_question(p, call_of("cases", LIST, "all", 0UL, 0UL, 9UL));
	failed += walk_question(p, call_of("cases", LIST, "due", 14UL, 0UL, 9UL));
	failed += walk_question(p, call_of("case_search", LIST " text:s", "all", 0UL, 0UL, 9UL,
	                                   "tzunun"));
	failed += walk_question(p, call_of("case_show", SHOW, record, "es", 1));
	failed += walk_question(p, call_of("case_blob", "record:s id:s", record, id));
	failed += walk_question(p, call_of("people", "record:s", record));
	failed += walk_question(p, call_of("desk_status", ""));
	failed += walk_question(p, call_of("desks", ""));
	failed += walk_question(p, call_of("holders", "desk:s", hex(f->desk, 32)));
	failed += walk_question(p, call_of("person_words", "key:s", key_of(FIX_COUNSEL)));
	assert_true(failed > 300);
	print_message("figure: web desk: requests for memory failed in questions: %u; another answer "
	              "afterwards: 0\n", failed);
}

static void without_memory_no_act_is_half_done(void **state)
{
	struct kit *p = page(FIX_HOLDER0);
	const struct call none = { .op = NULL };
	char record[33];
	unsigned failed = 0;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, NULL);
	send_all();
	snprintf(record, sizeof record, "%s", only(FIX_HOLDER0));
	compare(FIX_HOLDER0, FIX_COUNSEL);
	failed += walk_act(p, record, call_of("case_note", "record:s text:s", record, "x"), none);
	failed += walk_act(p, record,
	                   call_of("case_assign", ASSIGN, record, key_of(FIX_COUNSEL), "Mam"),
	                   call_of("case_unassign", "record:s whom:s reason:s", record,
	                           key_of(FIX_COUNSEL), ""));
	kit_call(p, "case_assign", ASSIGN, record, key_of(FIX_COUNSEL), "");
	failed += walk_act(p, record,
	                   call_of("case_unassign", "record:s whom:s reason:s", record,
	                           key_of(FIX_COUNSEL), ""),
	                   call_of("case_assign", ASSIGN, record, key_of(FIX_COUNSEL), ""));
	failed += walk_act(p, record, call_of("case_close", "record:s reason:s", record, "done"),
	                   call_of("case_reopen", "record:s reason:s", record, ""));
	assert_true(failed > 300);
	print_message("figure: web desk: requests for memory failed in acts: %u; half done: 0\n", failed);
}

static void without_memory_an_export_is_whole_or_ends(void **state)
{
	struct kit *p = page(FIX_HOLDER0);
	struct call begin = call_of("export_begin", "records:n kind:s lang:s labels:b split:b",
	                            "folders", "es", 0, 0);
	struct call next = call_of("export_next", "");
	static const char *const kinds[] = { "folders", "tables", "json" };
	unsigned failed = 0;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, NULL);
	fixture_submit(f, FIX_VOLUNTEER0, 2, 6, NULL);
	send_all();
	for (size_t i = 0; i < 3; i++) {
		unsigned long all = 1;
		uint8_t whole[32], now[32];

		begin = call_of("export_begin", "records:n kind:s lang:s labels:b split:b", kinds[i],
		                "es", 0, 0);
		kit_raw(p, begin.op, begin.args, begin.len);
		kit_call(p, "export_next", "");
		assert_true(kit_bool(p, "done"));
		said(p, whole);
		for (unsigned long n = 0; n <= all; n++) {
			bool tripped;

			kit_raw(p, begin.op, begin.args, begin.len);
			assert_string_equal(kit_err(p), "");
			(void)starved(p, &next, n, &tripped);
			if (n == 0) {
				all = starve_seen;
				}
			failed += tripped;
			/* done, failed, or not begun: nothing goes on from a half */
			kit_raw(p, next.op, next.args, next.len);
			said(p, now);
			if (strcmp(kit_err(p), "state") != 0 && memcmp(whole, now, 32) != 0)
				fail_msg("%s: half of it after request %lu of %lu failed (%s)", kinds[i],
				         n, all, kit_err(p));
		}
		kit_raw(p, begin.op, begin.args, begin.len);
		kit_call(p, "export_next", "");
		said(p, now);
		assert_memory_equal(whole, now, 32);
	}
	assert_true(failed > 200);
	print_message("figure: web desk: requests for memory failed in exports: %u; went on from a half: "
	              "0\n", failed);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_case_is_given_accepted_and_given_back),
		T(a_case_is_taken_back_moved_and_closed),
		T(who_recused_themselves_does_not_come_upon_it),
		T(export_gives_the_files_of_the_command_line),
		T(volunteers_read_nothing),
		T(no_arguments_are_taken_for_good),
		T(without_memory_no_question_is_answered_wrong),
		T(without_memory_no_act_is_half_done),
		T(without_memory_an_export_is_whole_or_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
