/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The volunteer's day through web_call, as the page lives it: an organisation in memory, a
 * store that takes each call's changes as one transaction, a page that is closed in the middle.
 */
#include "web_day.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "case.h"
#include "../../client/org.h"        /* tests/unit has an org.h of its own */
#include "outbox.h"
#include "picture.h"
#include "roster.h"
#include "words.h"
#include "wfill.h"

#define PASS "nogal lento puente azul tambor sesenta"

static bool holds(const uint8_t *in, size_t len, const char *text)
{
	return memmem(in, len, text, strlen(text)) != NULL;
}

/* ---- walking ------------------------------------------------------------------------------------- */

static const char *answer_for(const struct kit *k)
{
	const char *type = kit_str(k, "step.type");

	return strcmp(type, "text") == 0 ? "Tomás" : strcmp(type, "int") == 0 ? "17"
	     : strcmp(type, "select1") == 0 ? "yes" : strcmp(type, "date") == 0 ? "2026-11-20"
	     : strcmp(type, "boolean") == 0 ? "true" : NULL;
}

static double ms_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* answers until the end, or so many questions; returns how many */
static unsigned walk(struct day *d, unsigned max)
{
	static uint8_t photo[100000];
	struct kit *k = &d->k;
	unsigned n = 0;

	kit_call(k, "fill_step", "");
	while (strcmp(kit_str(k, "step.kind"), "end") != 0 && n < max) {
		const char *kind = kit_str(k, "step.kind"), *path = kit_str(k, "step.path");

		if (strcmp(kind, "repeat") == 0 && kit_uint(k, "step.n_instances") == 0) {
			kit_call(k, "fill_add_repeat", "path:s", path);
			continue;
		}
		if (strcmp(kind, "question") == 0 && strcmp(kit_str(k, "step.type"), "file") == 0) {
			struct kit_bytes b = { photo, day_jpeg(photo, sizeof photo, n, 6) };

			kit_call(k, "fill_attach", "path:s name:s bytes:x", path, "IMG 001.JPEG", &b);
			assert_true(kit_uint(k, "draft") > 0);
			kit_call(k, "fill_next", "");
			n++;
		} else if (strcmp(kind, "question") == 0) {
			kit_call(k, "fill_answer", "path:s text:s go:b", path, answer_for(k), 1);
			n++;
		} else {
			kit_call(k, "fill_next", "");
		}
	}
	return n;
}
/* ---- tests ----------------------------------------------------------------------------------------- */

static void a_whole_day_reaches_the_attorney(void **state)
{
	struct day *d = day_new();
	struct kit *k = &d->k;
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct case_file *file = NULL;
	char code[32];
	unsigned long draft;
	double from, answers, seal;
	unsigned n;

	kit_call(k, "vault_create", "kiosk:b light:b pass:s", 0, 1, PASS);
	day_join(d);
	kit_call(k, "forms", "lang:s", "es");
	assert_int_equal(kit_count(k, "forms"), 2);
	assert_string_equal(kit_str(k, "forms.1.id"), "large");
	assert_string_equal(kit_str(k, "forms.1.ready"), "ok");
	assert_int_equal(kit_uint(k, "forms.1.n_questions"), BIG);
	assert_string_equal(kit_str(k, "forms.1.lang"), "es");
	assert_string_equal(kit_str(k, "forms.1.desk_name"), "Mesa Delta");
	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "es", 0, TZ);
	assert_int_equal(kit_uint(k, "draft"), 0);
	assert_string_equal(kit_str(k, "step.label"), "Pregunta 1");
	from = ms_now();
	n = walk(d, 120);
	answers = ms_now() - from;
	draft = kit_uint(k, "draft");
	assert_int_equal(n, 120);

	/* the battery dies; another core opens what the store has */
	kit_reload(k, &d->env, PASS);
	kit_call(k, "draft_list", "");
	assert_int_equal(kit_count(k, "drafts"), 1);
	assert_int_equal(kit_uint(k, "drafts.0.n_answers"), 120);
	assert_int_equal(kit_uint(k, "drafts.0.n_files"), 2);
	assert_true(kit_bool(k, "drafts.0.can_open"));
	kit_call(k, "fill_resume", "draft:u tz:u", draft, TZ);
	assert_string_equal(kit_str(k, "lang"), "es");
	assert_string_equal(kit_str(k, "step.label"), "Pregunta 121");
	from = ms_now();
	n += walk(d, BIG);
	answers += ms_now() - from;
	assert_int_equal(n, BIG);
	kit_call(k, "fill_review", "");
	assert_int_equal(kit_count(k, "rows"), BIG);
	assert_int_equal(kit_count(k, "faults"), 0);
	kit_call(k, "outbox", "");
	assert_int_equal(kit_uint(k, "waiting"), 0);

	from = ms_now();
	kit_call(k, "fill_seal", "");
	seal = ms_now() - from;
	print_message("figure: web core, natively: %d answers, two of them photographs: %.2f ms each, kept; "
	              "sealing them: %.0f ms\n", BIG, answers / BIG, seal);
	snprintf(code, sizeof code, "%s", kit_str(k, "code"));
	assert_int_equal(strlen(code), CASE_CODE_SHOWN);
	assert_int_equal(kit_uint(k, "n_readers"), 2);
	assert_true(kit_bool(k, "had_files"));
	assert_true(kit_owed(k));
	kit_call(k, "vault_settle", "");

	/* closed before the slip was written: the code is still there, the answers are not */
	kit_reload(k, &d->env, PASS);
	kit_refused(k, "exists", "fill_resume", "draft:u tz:u", draft, TZ);
	kit_refused(k, "exists", "draft_drop", "draft:u", draft);
	kit_call(k, "slip", "draft:u", draft);
	assert_string_equal(kit_str(k, "code"), code);
	kit_call(k, "slip_check", "draft:u text:s", draft, "00000-00000");
	assert_false(kit_bool(k, "ok"));
	kit_call(k, "slip_check", "draft:u text:s", draft, code);
	assert_true(kit_bool(k, "ok"));
	kit_call(k, "slip_done", "draft:u", draft);
	kit_refused(k, "notfound", "slip", "draft:u", draft);
	kit_call(k, "draft_list", "");
	assert_int_equal(kit_count(k, "drafts"), 0);

	kit_call(k, "outbox", "");
	assert_int_equal(kit_uint(k, "waiting"), 1);
	assert_int_equal(kit_uint(k, "safe"), 0);
	assert_int_equal(kit_uint(k, "needed"), 2);
	assert_false(kit_bool(k, "late"));
	d->f->p[ME].c = k->w->c;
	assert_true(fixture_upload(d->f, ME) > 0);
	d->f->p[ME].c = NULL;
	kit_call(k, "outbox", "");
	assert_int_equal(kit_uint(k, "waiting"), 0);
	assert_int_equal(kit_uint(k, "safe"), 1);
	assert_int_equal(kit_uint(k, "since"), 0);

	/* and it is there, whole, with its photographs cleaned */
	fixture_sync(d->f, FIX_HOLDER0);
	fixture_only_case(d->f, FIX_HOLDER0, record);
	OK(case_open(fix(d->f, FIX_HOLDER0), record, &file));
	assert_string_equal(file->s.form_id, "large");
	case_close(file);
	day_free(d);
}

/* ---- cut at every write ------------------------------------------------------------------------------ */

#define CUTS 200
struct cuts {
	struct kit_store at[CUTS];
	unsigned n;
};

static void note_store(struct kit *k)
{
	struct cuts *c = k->ctx;

	assert_true(c->n < CUTS);
	kit_store_copy(&c->at[c->n++], &k->store);
}

/*
 * The page may die after any transaction.  Whatever it was, the store opens; there is never an
 * interview both as a draft and sealed, and never neither.
 */
static void each_call_leaves_what_it_said(void **state)
{
	struct day *d = day_new();
	struct kit *k = &d->k, after;
	struct cuts cuts = { .n = 0 };
	unsigned long answers = 0, drafts, sealed = 0, waiting;
	unsigned n_seen[3] = { 0 };

	kit_call(k, "vault_create", "kiosk:b light:b pass:s", 0, 1, PASS);
	day_join(d);
	k->wrote = note_store;
	k->ctx = &cuts;
	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "", 0, TZ);
	walk(d, 9);
	kit_call(k, "fill_end", "");
	kit_call(k, "fill_seal", "");
	kit_call(k, "vault_settle", "");
	kit_call(k, "slip_done", "draft:u", 1UL);
	kit_call(k, "vault_settle", "");
	k->wrote = NULL;
	assert_true(cuts.n >= 12);
	for (unsigned i = 0; i < cuts.n; i++) {
		memset(&after, 0, sizeof after);
		kit_open(&after, &d->env);
		after.store = cuts.at[i];
		kit_reload(&after, &d->env, PASS);
		kit_call(&after, "outbox", "");
		waiting = kit_uint(&after, "waiting");
		kit_call(&after, "draft_list", "");
		drafts = kit_count(&after, "drafts");
		if (drafts == 1 && !kit_bool(&after, "drafts.0.is_sealed")) {
			assert_int_equal(waiting, 0);
			assert_true(kit_uint(&after, "drafts.0.n_answers") >= answers);
			answers = kit_uint(&after, "drafts.0.n_answers");
			kit_call(&after, "fill_resume", "draft:u tz:u", 1UL, TZ);
			kit_call(&after, "fill_review", "");
			n_seen[0]++;
		} else if (drafts == 1) {
			assert_int_equal(waiting, 1);
			kit_call(&after, "slip", "draft:u", 1UL);
			sealed = 1;
			n_seen[1]++;
		} else {
			assert_int_equal(drafts, 0);
			assert_int_equal(waiting, 1);
			assert_int_equal(sealed, 1);
			n_seen[2]++;
		}
		kit_close(&after);
		kit_store_clear(&after.store);
	}
	assert_int_equal(answers, 9);
	assert_true(n_seen[0] >= 9 && n_seen[1] >= 1 && n_seen[2] >= 1);
	print_message("figure: web: the store opens after each of %u transactions of an interview\n",
	              cuts.n);
	day_free(d);
}

static void a_passphrase_is_made_and_judged_without_a_vault(void **state)
{
	struct day *d = day_new();
	struct kit *k = &d->k;
	char words[200], shouted[200];

	kit_call(k, "passphrase_words", "");
	snprintf(words, sizeof words, "%s", kit_str(k, "words"));
	kit_call(k, "passphrase_judge", "pass:s", words);
	assert_true(kit_bool(k, "ok"));
	assert_true(kit_bool(k, "is_words"));
	for (size_t i = 0; i <= strlen(words); i++)
		shouted[i] = (char)(words[i] >= 'a' && words[i] <= 'z' ? words[i] - 32 : words[i]);
	kit_call(k, "passphrase_judge", "pass:s", shouted);
	assert_true(kit_bool(k, "is_words"));
	kit_call(k, "passphrase_judge", "pass:s", "rosa1990");
	assert_false(kit_bool(k, "ok"));
	assert_false(kit_bool(k, "is_words"));
	kit_call(k, "passphrase_judge", "pass:s", "");
	assert_false(kit_bool(k, "ok"));
	assert_int_equal(kit_uint(k, "bits"), 0);
	/* and what needs a vault says so */
	kit_refused(k, "state", "me", "");
	kit_refused(k, "state", "fill_step", "");
	kit_refused(k, "unknown", "fill_everything", "");
	day_free(d);
}

static void an_invitation_is_read_wherever_it_stands(void **state)
{
	static const char *const none[] = { NULL };
	struct day *d = day_new();
	struct kit *k = &d->k;
	char text[600];
	size_t at;

	kit_call(k, "invite_read", "text:s", d->text);
	assert_string_equal(kit_str(k, "address"), d->inv.address);
	snprintf(text, sizeof text, "Hola Rosa, su invitación:\n %.30s\n%s", d->text, d->text + 30);
	kit_call(k, "invite_read", "text:s", text);
	snprintf(text, sizeof text, "%s", d->text);
	at = strlen(text) / 2;
	text[at] = text[at] == 'A' ? 'B' : 'A';
	kit_refused(k, "corrupt", "invite_read", "text:s", text);
	text[strlen(text) - 3] = '\0';
	kit_refused(k, "corrupt", "invite_read", "text:s", text);
	kit_refused(k, "unknown", "invite_read", "text:s", "https://example.org");
	kit_refused(k, "unknown", "invite_read", "text:s", "");
	kit_call(k, "vault_create", "kiosk:b", 1);
	kit_refused(k, "unknown", "join", "text:s name:s languages:l", "amparo", "Rosa", none);
	kit_refused(k, "range", "join", "text:s name:s languages:l", d->text, "", none);
	kit_call(k, "join", "text:s name:s languages:l", d->text, "Rosa", none);
	kit_refused(k, "state", "join", "text:s name:s languages:l", d->text, "Rosa", none);
	day_free(d);
}

static void a_desk_is_trusted_by_two_of_its_words(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;
	struct kit_bytes id = { d->f->desk, 32 }, other = { "not the id of any desk there is.", 32 };
	unsigned places[3] = { 0 }, same[] = { 2, 2, 0 };
	const char *words[3] = { NULL }, *bad[] = { "zzzz", "zzzz", NULL };
	char name[96], six[6][16];

	kit_call(k, "me", "");
	assert_string_equal(kit_str(k, "desks.0.trust"), "invitation");
	assert_int_equal(kit_count(k, "desks.0.words"), 6);
	for (unsigned i = 0; i < 6; i++) {
		char path[32];

		snprintf(path, sizeof path, "desks.0.words.%u", i);
		snprintf(six[i], sizeof six[i], "  %.4s", kit_str(k, path));
		six[i][2] = (char)(six[i][2] - 32);
	}
	/* as if the invitation named no desk */
	client_key_name(name, "pin/", d->f->desk, 32);
	OK(kv_begin(k->w->kv));
	OK(kv_del(k->w->kv, name));
	OK(kv_commit(k->w->kv));
	memset(k->w->c->me->anchor, 0, 32);
	kit_call(k, "me", "");
	assert_string_equal(kit_str(k, "desks.0.trust"), "unknown");
	kit_call(k, "forms", "lang:s", "");
	assert_string_equal(kit_str(k, "forms.1.ready"), "untrusted");
	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "", 0, TZ);
	assert_string_equal(kit_str(k, "ready"), "untrusted");
	assert_string_equal(kit_str(k, "desk_name"), "Mesa Delta");
	walk(d, BIG);
	kit_refused(k, "refused", "fill_seal", "");
	assert_string_equal(kit_why(k), "");

	kit_refused(k, "notfound", "desk_ask", "desk:x", &other);
	kit_call(k, "desk_ask", "desk:x", &id);
	places[0] = (unsigned)kit_uint(k, "places.0");
	places[1] = (unsigned)kit_uint(k, "places.1");
	assert_true(places[0] >= 1 && places[0] <= 6 && places[1] >= 1 && places[1] <= 6);
	assert_int_not_equal(places[0], places[1]);
	words[0] = six[places[1] - 1];
	words[1] = six[places[0] - 1];
	kit_refused(k, "auth", "desk_trust", "desk:x places:L words:l", &id, places, words);
	kit_refused(k, "unknown", "desk_trust", "desk:x places:L words:l", &id, places, bad);
	kit_refused(k, "format", "desk_trust", "desk:x places:L words:l", &id, same, words);
	words[0] = six[places[0] - 1];
	words[1] = six[places[1] - 1];
	kit_call(k, "desk_trust", "desk:x places:L words:l", &id, places, words);
	kit_call(k, "me", "");
	assert_string_equal(kit_str(k, "desks.0.trust"), "words");
	kit_call(k, "fill_seal", "");
	day_free(d);
}

static void photographs_are_cleaned_replaced_and_limited(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;
	const msgpack_object *o;
	static uint8_t photo[300000];
	struct kit_bytes b = { photo, day_jpeg(photo, 60000, 4, 8) };
	char path[40];

	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "es", 0, TZ);
	assert_true(holds(photo, b.len, "GPS15N91") && holds(photo, b.len, "camera77"));
	kit_call(k, "fill_attach", "path:s name:s bytes:x", "/data/q5", "acta.png", &b);
	assert_string_equal(kit_str(k, "file.name"), "acta.jpg");
	assert_string_equal(kit_str(k, "step.value"), "acta.jpg");
	assert_string_equal(kit_str(k, "step.file.name"), "acta.jpg");
	kit_call(k, "fill_file", "name:s", "acta.jpg");
	assert_string_equal(kit_str(k, "media"), "image/jpeg");
	o = kit_need(k, "bytes");
	assert_int_equal(o->type, MSGPACK_OBJECT_BIN);
	assert_false(holds((const uint8_t *)o->via.bin.ptr, o->via.bin.size, "GPS15N91"));
	assert_false(holds((const uint8_t *)o->via.bin.ptr, o->via.bin.size, "camera77"));
	assert_true(holds((const uint8_t *)o->via.bin.ptr, o->via.bin.size, "Exif"));
	/* another one takes its place, and its name */
	b.len = day_jpeg(photo, 5000, 5, 1);
	kit_call(k, "fill_attach", "path:s name:s bytes:x", "/data/q5", "acta.jpg", &b);
	assert_string_equal(kit_str(k, "file.name"), "acta.jpg");
	assert_true(kit_uint(k, "file.size") < 5000);
	kit_call(k, "draft_list", "");
	assert_int_equal(kit_uint(k, "drafts.0.n_files"), 1);
	/* one byte more than is allowed */
	kit_call(k, "me", "");
	b.len = day_jpeg(photo, kit_uint(k, "attachment_bytes") + 1, 6, 1);
	kit_refused(k, "range", "fill_attach", "path:s name:s bytes:x", "/data/q5", "x.jpg", &b);
	/* sixteen, and no more */
	b.len = day_jpeg(photo, 3000, 7, 1);
	for (unsigned i = 1; i <= 15; i++) {
		snprintf(path, sizeof path, "/data/kid[%u]", i);
		kit_call(k, "fill_add_repeat", "path:s", path);
		assert_string_equal(kit_str(k, "step.inside"), path);
		snprintf(path, sizeof path, "/data/kid[%u]/q6", i);
		kit_call(k, "fill_attach", "path:s name:s bytes:x", path, "niño.jpg", &b);
	}
	kit_call(k, "fill_add_repeat", "path:s", "/data/kid[16]");
	kit_refused(k, "limit", "fill_attach", "path:s name:s bytes:x", "/data/kid[16]/q6", "y.jpg", &b);
	/* a photograph in place of another is no seventeenth */
	kit_call(k, "fill_attach", "path:s name:s bytes:x", "/data/q5", "z.jpg", &b);
	/* an instance goes with its photograph */
	kit_call(k, "fill_remove_repeat", "path:s", "/data/kid[2]");
	kit_call(k, "draft_list", "");
	assert_int_equal(kit_uint(k, "drafts.0.n_files"), 15);
	kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q5", "", 0);
	assert_true(kit_is_nil(k, "step.file"));
	kit_call(k, "draft_list", "");
	assert_int_equal(kit_uint(k, "drafts.0.n_files"), 14);
	kit_refused(k, "notfound", "fill_file", "name:s", "z.jpg");
	day_free(d);
}

static void paper_is_asked_first(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;
	static uint8_t photo[3000];
	struct kit_bytes b = { photo, day_jpeg(photo, sizeof photo, 1, 1) };
	unsigned long today;

	kit_call(k, "me", "");
	today = kit_uint(k, "today");
	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "es", 1, TZ);
	assert_false(kit_bool(k, "paper.ready"));
	kit_refused(k, "range", "fill_paper", "visit_day:u transcriber:s has_scans:b", today + 2, "Rosa", 0);
	kit_call(k, "fill_paper", "visit_day:u transcriber:s has_scans:b", today - 5, "", 0);
	assert_false(kit_bool(k, "paper.ready"));
	kit_call(k, "fill_paper", "visit_day:u transcriber:s has_scans:b", today - 5, "Rosa", 0);
	kit_call(k, "fill_attach", "path:s name:s bytes:x", "", "hoja 1.jpg", &b);
	assert_int_equal(kit_count(k, "paper.scans"), 1);
	assert_string_equal(kit_str(k, "paper.scans.0.name"), "hoja 1.jpg");
	kit_call(k, "fill_attach", "path:s name:s bytes:x", "", "hoja 1.jpg", &b);
	assert_int_equal(kit_count(k, "paper.scans"), 2);
	kit_call(k, "fill_scan_drop", "name:s", "hoja 1.jpg");
	assert_int_equal(kit_count(k, "paper.scans"), 1);
	kit_refused(k, "notfound", "fill_scan_drop", "name:s", "hoja 1.jpg");
	kit_refused(k, "state", "fill_seal", "");
	kit_call(k, "fill_paper", "visit_day:u transcriber:s has_scans:b", today - 5, "Rosa", 1);
	assert_true(kit_bool(k, "paper.ready"));
	walk(d, BIG);
	kit_call(k, "fill_seal", "");
	kit_call(k, "slip", "draft:u", 1UL);
	assert_true(kit_bool(k, "is_paper"));
	day_free(d);
}

static void the_review_leads_back_to_itself(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;

	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "en", 0, TZ);
	kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q1", "3", 1);
	kit_call(k, "fill_end", "");
	assert_string_equal(kit_str(k, "step.kind"), "end");
	kit_call(k, "fill_jump", "path:s review:b", "/data/q10", 1);
	assert_true(kit_bool(k, "from_review"));
	kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q10", "Ana", 1);
	assert_string_equal(kit_str(k, "step.kind"), "end");
	/* an answer that opens a question leads on, not back */
	kit_call(k, "fill_jump", "path:s review:b", "/data/q2", 1);
	kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q2", "yes", 1);
	assert_string_equal(kit_str(k, "step.path"), "/data/q3");
	assert_int_equal(kit_uint(k, "step.total"), BIG - 1);
	/* neighbours on a page, in whole pages wherever one stands */
	kit_call(k, "fill_page", "");
	assert_int_equal(kit_count(k, "steps"), 5);
	assert_int_equal(kit_uint(k, "at"), 2);
	assert_string_equal(kit_str(k, "steps.0.path"), "/data/q1");
	assert_string_equal(kit_str(k, "steps.2.path"), kit_str(k, "step.path"));
	kit_call(k, "fill_jump", "path:s review:b", "/data/q40", 0);
	kit_call(k, "fill_page", "");
	assert_int_equal(kit_count(k, "steps"), 25);
	assert_string_equal(kit_str(k, "steps.0.path"), "/data/q32");
	assert_int_equal(kit_uint(k, "at"), 8);
	kit_call(k, "fill_jump", "path:s review:b", "/data/kid[1]", 0);
	kit_call(k, "fill_page", "");
	assert_int_equal(kit_count(k, "steps"), 1);
	assert_string_equal(kit_str(k, "steps.0.kind"), "repeat");
	assert_string_equal(kit_str(k, "steps.0.inside"), "");
	kit_call(k, "fill_end", "");
	kit_call(k, "fill_page", "");
	assert_int_equal(kit_count(k, "steps"), 0);
	day_free(d);
}

static void an_urgent_case_is_called_so(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;

	for (int i = 0; i < 2; i++) {
		kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "es", 0, TZ);
		kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q3", "2026-11-01", 1);
		kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q10", i == 0 ? "leve" : "grave", 1);
		kit_call(k, "fill_seal", "");
		assert_int_equal(kit_bool(k, "is_urgent"), i);
	}
	day_free(d);
}

static void a_newer_form_does_not_end_an_old_draft(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;
	uint8_t *form;
	size_t len;
	char *at, *xml;

	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "en", 0, TZ);
	kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q3", "2026-11-01", 1);
	kit_call(k, "fill_close", "");
	kit_refused(k, "state", "fill_open", "");
	xml = day_form(&len);
	form = (uint8_t *)xml;
	at = strstr(xml, "version=\"1\"");
	assert_non_null(at);
	at[9] = '2';
	OK(org_form_publish(fix(d->f, FIX_ADMIN), "large", "2", "Large", d->f->desk, form, len));
	free(xml);
	day_bring(d, true);
	kit_call(k, "draft_list", "");
	assert_true(kit_bool(k, "drafts.0.is_replaced"));
	assert_true(kit_bool(k, "drafts.0.can_open"));
	kit_call(k, "fill_resume", "draft:u tz:u", 1UL, TZ);
	assert_string_equal(kit_str(k, "version"), "1");
	assert_true(kit_bool(k, "is_replaced"));
	walk(d, BIG);
	kit_call(k, "fill_seal", "");
	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "en", 0, TZ);
	assert_string_equal(kit_str(k, "version"), "2");
	day_free(d);
}

static void a_dropped_draft_is_gone(void **state)
{
	struct day *d = day_new();
	struct kit *k = &d->k;

	kit_call(k, "vault_create", "kiosk:b light:b pass:s", 0, 1, PASS);
	day_join(d);
	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "en", 0, TZ);
	kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q3", "2026-11-01", 1);
	assert_true(k->n_changes > 0);
	kit_call(k, "draft_drop", "draft:u", 1UL);
	assert_true(kit_owed(k));
	/* it was the open one */
	kit_refused(k, "state", "fill_step", "");
	kit_refused(k, "notfound", "draft_drop", "draft:u", 1UL);
	kit_refused(k, "notfound", "fill_resume", "draft:u tz:u", 1UL, TZ);
	day_free(d);
}

static void what_waits_can_be_cleared_and_is_not_called_safe(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;

	for (int i = 0; i < 2; i++) {
		kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "en", 0, TZ);
		kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q3", "2026-11-01", 1);
		kit_call(k, "fill_seal", "");
	}
	kit_call(k, "outbox", "");
	assert_int_equal(kit_uint(k, "waiting"), 2);
	kit_call(k, "outbox_clear", "all:b", 0);
	assert_int_equal(kit_uint(k, "n"), 0);
	d->f->now += 20 * 86400;
	kit_call(k, "outbox", "");
	assert_true(kit_bool(k, "late"));
	kit_call(k, "outbox_clear", "all:b", 1);
	assert_int_equal(kit_uint(k, "n"), 2);
	kit_call(k, "outbox", "");
	assert_int_equal(kit_uint(k, "waiting"), 0);
	assert_int_equal(kit_uint(k, "safe"), 0);
	day_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_day_reaches_the_attorney),
		cmocka_unit_test(each_call_leaves_what_it_said),
		cmocka_unit_test(a_passphrase_is_made_and_judged_without_a_vault),
		cmocka_unit_test(an_invitation_is_read_wherever_it_stands),
		cmocka_unit_test(a_desk_is_trusted_by_two_of_its_words),
		cmocka_unit_test(photographs_are_cleaned_replaced_and_limited),
		cmocka_unit_test(paper_is_asked_first),
		cmocka_unit_test(the_review_leads_back_to_itself),
		cmocka_unit_test(an_urgent_case_is_called_so),
		cmocka_unit_test(a_newer_form_does_not_end_an_old_draft),
		cmocka_unit_test(a_dropped_draft_is_gone),
		cmocka_unit_test(what_waits_can_be_cleared_and_is_not_called_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
