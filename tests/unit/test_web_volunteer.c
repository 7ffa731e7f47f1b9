/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The volunteer's day through web_call, as the page lives it: an organisation in memory, a
 * store that takes each call's changes as one transaction, a page that is closed in the middle.
 */
#include "fixture_org.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "case.h"
#include "enrol.h"
#include "invite.h"
#include "join.h"
#include "kv_mem.h"
#include "../../client/org.h"        /* tests/unit has an org.h of its own */
#include "outbox.h"
#include "picture.h"
#include "roster.h"
#include "words.h"
#include "starve.h"
#include "web_kit.h"
#include "wfill.h"

#define OK(e) assert_int_equal(e, PERR_OK)
#define PASS "nogal lento puente azul tambor sesenta"
#define ME FIX_VOLUNTEER1
#define BIG 250                  /* questions of the large form, two photographs among them */
#define TZ 1080UL                /* Guatemala */

struct day {
	struct fixture *f;
	struct client_env env;
	struct kit k;
	struct invite inv;
	char text[INVITE_TEXT_MAX + 1];
};

static int64_t day_now(void *ctx)
{
	return ((struct fixture *)ctx)->now;
}

/* ---- the large form ------------------------------------------------------------------------ */

struct text {
	char *p;
	size_t len, size;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->p + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	assert_true(t->len < t->size);
}

static char *big_form(size_t *len)
{
	static const char *const types[] = { "string", "int", "string", "date", "boolean" };
	struct text t = { .p = malloc(1 << 18), .size = 1 << 18 };

	assert_non_null(t.p);
	add(&t, "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
	    "xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:amparo=\"urn:amparo:forms:1\"><h:head><h:title>Large</h:title><model><itext>");
	for (int es = 0; es < 2; es++) {
		add(&t, "<translation lang=\"%s\"%s>", es ? "es" : "en", es ? "" : " default=\"true()\"");
		for (int i = 1; i <= BIG; i++)
			add(&t, "<text id=\"q%d\"><value>%s %d</value></text>", i, es ? "Pregunta" : "Question",
			    i);
		add(&t, "<text id=\"kid\"><value>%s</value></text><text id=\"few\"><value>%s</value></text>"
		    "<text id=\"yes\"><value>%s</value></text><text id=\"no\"><value>No</value></text>"
		    "</translation>", es ? "Hijos" : "Children", es ? "Muy grande." : "Too many.",
		    es ? "Sí" : "Yes");
	}
	add(&t, "</itext><instance><data id=\"large\" version=\"1\">");
	for (int i = 1; i <= BIG; i++)
		if (i != 6)
			add(&t, "<q%d/>", i);
	add(&t, "<kid jr:template=\"\"><q6/></kid><meta><instanceID/></meta></data></instance>");
	for (int i = 1; i <= BIG; i++)
		if (i == 6)
			add(&t, "<bind nodeset=\"/data/kid/q6\" type=\"binary\"/>");
		else
			add(&t, "<bind nodeset=\"/data/q%d\" type=\"%s\"%s%s/>", i,
			    i == 5 ? "binary" : types[i % 5],
			    i == 1 ? " constraint=\". &lt; 1000\" jr:constraintMsg=\"jr:itext('few')\"" : "",
			    i == 3 ? " required=\"true()\"" : i == 10 ? " amparo:urgent=\". = 'grave'\"" : i == BIG ? " relevant=\"/data/q2 = 'yes'\"" : "");
	add(&t, "<bind nodeset=\"/data/meta/instanceID\" type=\"string\" jr:preload=\"uid\"/></model></h:head>"
	    "<h:body>");
	for (int i = 1; i <= BIG; i++) {
		if (i == 6)
			add(&t, "<group ref=\"/data/kid\"><label ref=\"jr:itext('kid')\"/><repeat "
			    "nodeset=\"/data/kid\"><upload ref=\"/data/kid/q6\" mediatype=\"image/*\"><label "
			    "ref=\"jr:itext('q6')\"/></upload></repeat></group>");
		else if (i == 5)
			add(&t, "<upload ref=\"/data/q5\" mediatype=\"image/*\"><label "
			    "ref=\"jr:itext('q5')\"/></upload>");
		else if (i % 5 == 2)
			add(&t, "<select1 ref=\"/data/q%d\"><label ref=\"jr:itext('q%d')\"/><item><label "
			    "ref=\"jr:itext('yes')\"/><value>yes</value></item><item><label "
			    "ref=\"jr:itext('no')\"/><value>no</value></item></select1>", i, i);
		else
			add(&t, "<input ref=\"/data/q%d\"><label ref=\"jr:itext('q%d')\"/></input>", i, i);
	}
	add(&t, "</h:body></h:html>");
	*len = t.len;
	return t.p;
}

/* ---- pictures ------------------------------------------------------------------------------- */

/* a JPEG whose segments and lengths are right; the picture in it is noise */
static size_t jpeg(uint8_t *out, size_t size, unsigned seed, unsigned turn)
{
	static const uint8_t head[] = { 0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0,
	                                1, 0, 1, 0, 0 };
	uint8_t exif[] = { 0xff, 0xe1, 0, 62, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', '*', 0, 8, 0, 0, 0, 2, 0,
	                   0x12, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	                   0x0f, 1, 2, 0, 8, 0, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0,
	                   'G', 'P', 'S', '1', '5', 'N', '9', '1', 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t more[] = { 0xff, 0xfe, 0, 10, 'c', 'a', 'm', 'e', 'r', 'a', '7', '7',
	                                0xff, 0xdb, 0, 3, 1, 0xff, 0xda, 0, 3, 1 };
	size_t n = 0;

	exif[28] = (uint8_t)turn;
	memcpy(out, head, sizeof head);
	n += sizeof head;
	memcpy(out + n, exif, sizeof exif);
	n += sizeof exif;
	memcpy(out + n, more, sizeof more);
	n += sizeof more;
	for (; n < size - 2; n++) {
		seed = seed * 1103515245 + 12345;
		out[n] = (uint8_t)(seed >> 16) == 0xff ? 0 : (uint8_t)(seed >> 16);
	}
	out[n++] = 0xff;
	out[n++] = 0xd9;
	return n;
}

static bool holds(const uint8_t *in, size_t len, const char *text)
{
	return memmem(in, len, text, strlen(text)) != NULL;
}

/* ---- the day's beginning ------------------------------------------------------------------------ */

static enum perr copy_batch(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct kv *kv = arg;

	OK(kv_begin(kv));
	OK(kv_put(kv, name, value, len));
	return kv_commit(kv);
}

/* what a sync would have brought; its rows are written with the next call */
static void bring(struct day *d, bool own_slot)
{
	d->f->p[ME].c = d->k.w->c;
	d->f->p[ME].kv = d->k.w->kv;
	fixture_adopt(d->f, ME, own_slot);
	OK(kv_each(fix(d->f, FIX_ADMIN)->kv, "form/", copy_batch, d->k.w->kv));
	OK(kv_each(fix(d->f, FIX_VOLUNTEER0)->kv, "batch/", copy_batch, d->k.w->kv));
	d->f->p[ME].c = NULL;
	d->f->p[ME].kv = NULL;
	kit_call(&d->k, "me", "");
}

static struct day *day_new(void)
{
	struct day *d = calloc(1, sizeof *d);
	size_t len;
	char *form;

	assert_non_null(d);
	d->f = fixture_new();
	client_free(d->f->p[ME].c);
	kv_mem_free(d->f->p[ME].kv);
	d->f->p[ME].c = NULL;
	d->f->p[ME].kv = NULL;
	form = big_form(&len);
	OK(org_form_publish(fix(d->f, FIX_ADMIN), "large", "1", "Large", d->f->desk, (uint8_t *)form, len));
	free(form);
	fixture_publish(d->f);
	OK(org_invite(fix(d->f, FIX_ADMIN), ROLE_VOLUNTEER, 1, d->f->desk, NULL, &d->inv));
	OK(invite_encode(d->text, &d->inv));
	d->env = (struct client_env){ .rng = rng_system(), .now = day_now, .ctx = d->f };
	kit_open(&d->k, &d->env);
	return d;
}

static void day_free(struct day *d)
{
	invite_wipe(&d->inv);
	kit_close(&d->k);
	kit_store_clear(&d->k.store);
	fixture_free(d->f);
	free(d);
}

static void confirm(struct day *d)
{
	struct client *c = d->k.w->c;
	uint16_t words[JOIN_WORDS];
	uint8_t *raw;
	size_t len;
	struct join j;

	OK(enrol_answer(c));            /* what a sync does */
	kit_call(&d->k, "me", "");
	assert_int_equal(kit_count(&d->k, "words"), JOIN_WORDS);
	OK(kv_get(c->kv, "join/mine", &raw, &len));
	OK(join_open(&j, words, raw, len));
	kv_free(raw);
	/* the words for the phone are those that the administrator's device shows */
	for (unsigned i = 0; i < JOIN_WORDS; i++) {
		char path[16];

		snprintf(path, sizeof path, "words.%u", i);
		assert_string_equal(kit_str(&d->k, path), words_get(words[i]));
	}
	OK(org_confirm(fix(d->f, FIX_ADMIN), &j, NULL));
	join_wipe(&j);
}

static void join(struct day *d)
{
	static const char *const languages[] = { "es", "mam", NULL };
	char link[400];

	snprintf(link, sizeof link, "https://ayuda.example.org/amparo.html#%s\n", d->text);
	kit_call(&d->k, "join", "text:s name:s languages:l", link, "Rosa Ixcoy", languages);
	kit_call(&d->k, "me", "");
	assert_string_equal(kit_str(&d->k, "state"), "joining");
	assert_int_equal(kit_count(&d->k, "words"), 0);
	assert_int_equal(kit_uint(&d->k, "roster"), 0);
	bring(d, false);
	confirm(d);
	bring(d, true);
	assert_string_equal(kit_str(&d->k, "state"), "member");
	assert_string_equal(kit_str(&d->k, "role"), "volunteer");
	assert_int_equal(kit_count(&d->k, "words"), 0);
}

static struct day *day_joined(void)
{
	struct day *d = day_new();

	kit_call(&d->k, "vault_create", "kiosk:b", 1);
	join(d);
	return d;
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
			struct kit_bytes b = { photo, jpeg(photo, sizeof photo, n, 6) };

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
	join(d);
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
	join(d);
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

static void what_is_refused_changes_nothing(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;
	static uint8_t photo[2000];
	struct kit_bytes b = { photo, jpeg(photo, sizeof photo, 1, 1) }, none = { "", 0 }, program = { "\x7f" "ELF\1\1\1", 7 };

	kit_refused(k, "state", "fill_answer", "path:s text:s go:b", "/data/q1", "1", 0);
	kit_refused(k, "notfound", "fill_begin", "form:s lang:s paper:b tz:u", "none", "", 0, TZ);
	kit_refused(k, "notfound", "fill_resume", "draft:u tz:u", 7UL, TZ);
	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "es", 0, TZ);
	kit_refused(k, "notfound", "fill_back", "");
	kit_refused(k, "range", "fill_answer", "path:s text:s go:b", "/data/q1", "5000", 1);
	assert_string_equal(kit_why(k), "Muy grande.");
	kit_call(k, "fill_lang", "lang:s", "en");
	kit_refused(k, "range", "fill_answer", "path:s text:s go:b", "/data/q1", "5000", 1);
	assert_string_equal(kit_why(k), "Too many.");
	kit_call(k, "fill_step", "");
	assert_int_equal(kit_uint(k, "draft"), 0);
	assert_string_equal(kit_str(k, "step.value"), "");
	assert_int_equal(k->n_changes, 0);
	/* the last question hangs on the second */
	kit_refused(k, "notfound", "fill_answer", "path:s text:s go:b", "/data/q250", "x", 0);
	kit_refused(k, "notfound", "fill_jump", "path:s review:b", "/data/q250", 0);
	kit_refused(k, "state", "fill_answer", "path:s text:s go:b", "/data/q5", "x.jpg", 0);
	kit_refused(k, "state", "fill_attach", "path:s name:s bytes:x", "/data/q1", "x.jpg", &b);
	kit_refused(k, "state", "fill_attach", "path:s name:s bytes:x", "", "x.jpg", &b);
	kit_refused(k, "range", "fill_attach", "path:s name:s bytes:x", "/data/q5", "x.jpg", &none);
	kit_refused(k, "unknown", "fill_attach", "path:s name:s bytes:x", "/data/q5", "x.jpg", &program);
	b.len -= 2;
	kit_refused(k, "corrupt", "fill_attach", "path:s name:s bytes:x", "/data/q5", "x.jpg", &b);
	kit_refused(k, "state", "fill_paper", "visit_day:u transcriber:s has_scans:b", 20700UL, "Rosa", 1);
	kit_refused(k, "state", "fill_remove_repeat", "path:s", "/data/kid[1]");
	/* a required answer is missing: the form's own sentence, and nothing is sealed */
	kit_call(k, "fill_end", "");
	kit_refused(k, "format", "fill_seal", "");
	assert_true(strlen(kit_why(k)) > 10);
	kit_call(k, "fill_check", "");
	assert_int_equal(kit_count(k, "faults"), 1);
	assert_string_equal(kit_str(k, "faults.0.path"), "/data/q3");
	kit_call(k, "draft_list", "");
	assert_int_equal(kit_count(k, "drafts"), 0);
	kit_call(k, "outbox", "");
	assert_int_equal(kit_uint(k, "waiting"), 0);
	day_free(d);
}

static void photographs_are_cleaned_replaced_and_limited(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;
	const msgpack_object *o;
	static uint8_t photo[300000];
	struct kit_bytes b = { photo, jpeg(photo, 60000, 4, 8) };
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
	b.len = jpeg(photo, 5000, 5, 1);
	kit_call(k, "fill_attach", "path:s name:s bytes:x", "/data/q5", "acta.jpg", &b);
	assert_string_equal(kit_str(k, "file.name"), "acta.jpg");
	assert_true(kit_uint(k, "file.size") < 5000);
	kit_call(k, "draft_list", "");
	assert_int_equal(kit_uint(k, "drafts.0.n_files"), 1);
	/* one byte more than is allowed */
	kit_call(k, "me", "");
	b.len = jpeg(photo, kit_uint(k, "attachment_bytes") + 1, 6, 1);
	kit_refused(k, "range", "fill_attach", "path:s name:s bytes:x", "/data/q5", "x.jpg", &b);
	/* sixteen, and no more */
	b.len = jpeg(photo, 3000, 7, 1);
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
	struct kit_bytes b = { photo, jpeg(photo, sizeof photo, 1, 1) };
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
	xml = big_form(&len);
	form = (uint8_t *)xml;
	at = strstr(xml, "version=\"1\"");
	assert_non_null(at);
	at[9] = '2';
	OK(org_form_publish(fix(d->f, FIX_ADMIN), "large", "2", "Large", d->f->desk, form, len));
	free(xml);
	bring(d, true);
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
	join(d);
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

/* one argument of the wrong kind, too long, or that nobody asked for */
static void refused_alone(struct kit *k, const char *op, const char *name, char kind,
                          const char *huge)
{
	struct kit_bytes odd = { huge, 33 };
	static uint8_t buf[400000];
	struct mp_writer w;
	size_t len;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 2);
	mp_put_str(&w, name);
	switch (kind) {
	case 's': mp_put_str(&w, huge); break;
	case 'u': mp_put_uint(&w, UINT64_MAX); break;
	case 'b': mp_put_bool(&w, true); break;
	case 'x': mp_put_bin(&w, odd.p, odd.len); break;
	default:  mp_put_nil(&w); break;
	}
	OK(mp_written(&w, &len));
	kit_raw(k, op, buf, len);
	/* the one op with one boolean takes that */
	if (strcmp(op, "outbox_clear") != 0 || kind != 'b')
		assert_string_not_equal(kit_err(k), "");
}

/* whatever stands in the arguments: an answer, and the core goes on */
static void wrong_arguments_are_refused(void **state)
{
	static const char *const ops[] = {
		"passphrase_judge", "me", "invite_read", "join", "desk_ask", "desk_trust", "forms",
		"fill_begin", "fill_resume", "fill_close", "fill_open", "fill_step", "fill_page",
		"fill_answer", "fill_next", "fill_back", "fill_jump", "fill_end", "fill_add_repeat",
		"fill_remove_repeat", "fill_lang", "fill_attach", "fill_file", "fill_scan_drop",
		"fill_paper", "fill_review", "fill_check", "fill_seal", "draft_list", "draft_drop", "slip",
		"slip_check", "slip_done", "outbox", "outbox_clear"
	};
	static const char *const names[] = { "text", "path", "draft", "pass", "form", "lang", "name",
	                                     "desk", "bytes", "tz", "go", "all", "places", "words" };
	static char huge[300000];
	struct day *d = day_joined();
	struct kit *k = &d->k;
	uint8_t junk[64];
	unsigned refused = 0;

	memset(huge, 'x', sizeof huge - 1);
	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "", 0, TZ);
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
		for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
			for (const char *kind = "subxn"; *kind != '\0'; kind++)
				refused_alone(k, ops[i], names[j], *kind, huge);
		/* no arguments, too many, no array, cut off */
		kit_raw(k, ops[i], (const uint8_t *)"\x92\xa1z\xa1z", 5);
		assert_string_not_equal(kit_err(k), "");
		kit_raw(k, ops[i], (const uint8_t *)"\x91\xa1z", 3);
		assert_string_not_equal(kit_err(k), "");
		kit_raw(k, ops[i], (const uint8_t *)"\x80", 1);
		assert_string_not_equal(kit_err(k), "");
		kit_raw(k, ops[i], NULL, 0);
		assert_string_not_equal(kit_err(k), "");
		for (int r = 0; r < 200; r++) {
			randombytes_buf(junk, sizeof junk);
			junk[0] = (uint8_t)(0x91 + junk[0] % 15);
			kit_raw(k, ops[i], junk, 1 + junk[1] % 60);
			refused += kit_err(k)[0] != '\0';
		}
	}
	assert_int_equal(refused, 200 * sizeof ops / sizeof ops[0]);
	kit_call(k, "me", "");
	day_free(d);
}

/* ---- without memory -------------------------------------------------------------------------------- */

static bool hash_row(void *ctx, const struct fill_step *step)
{
	crypto_generichash_state *h = ctx;

	crypto_generichash_update(h, (const uint8_t *)step->path, strlen(step->path) + 1);
	crypto_generichash_update(h, (const uint8_t *)step->value, strlen(step->value) + 1);
	return true;
}

static void hash_answers(uint8_t out[32], struct fill *s)
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, 32);
	OK(fill_review(s, hash_row, &h));
	crypto_generichash_final(&h, out, 32);
}

/* what is answered in memory is what is answered in the store, files too */
static void same_as_stored(struct web *w)
{
	struct interview *iv = wfill_of(w), there = *iv;
	uint8_t here[32], stored[32];
	char why[FILL_WHY_SIZE];

	there.s = NULL;
	OK(draft_open(w->kv, iv->d->head.number, &there.d));
	OK(interview_open(&there, why));
	hash_answers(here, iv->s);
	hash_answers(stored, there.s);
	assert_memory_equal(here, stored, 32);
	assert_int_equal(there.d->n_files, iv->d->n_files);
	for (size_t i = 0; i < there.d->n_files; i++) {
		uint8_t *data;
		size_t len;

		assert_non_null(draft_find(iv->d, there.d->files[i].name));
		OK(draft_read(w->kv, iv->d, there.d->files[i].name, &data, &len));
		kv_free(data);
	}
	interview_free(&there);
}

/* with memory again: the same interview, or opened anew */
static void go_on(struct kit *k)
{
	if (wfill_of(k->w) == NULL)
		kit_call(k, "fill_resume", "draft:u tz:u", 1UL, TZ);
	kit_call(k, "fill_step", "");
	same_as_stored(k->w);
}

/* each of its requests for memory fails in turn; how many there are */
static unsigned long starve_op(struct day *d, const char *op, const uint8_t *(*args)(unsigned, size_t *),
                               unsigned *failed)
{
	struct kit *k = &d->k;
	unsigned long all = 1, step = 1;
	unsigned turn = 0;

	for (unsigned long n = 0; n <= all; n += n == 0 ? 1 : step) {
		size_t len, out_len;
		const uint8_t *in = args(turn++, &len);
		uint8_t *out;
		bool tripped;

		starve_arm(n);
		out = web_call(k->w, op, strlen(op), in, len, &out_len);
		tripped = starve_disarm();
		if (n == 0) {
			all = starve_seen;
			step = all / 150 + 1;
			assert_non_null(out);
			if (memmem(out, 8, "\xa2ok", 3) == NULL)
				fail_msg("%s: %.*s", op, (int)out_len - 12, (const char *)out + 12);
		}
		if (tripped && out != NULL && memmem(out, 8, "\xa2ok", 3) == NULL) {
			if (memmem(out, out_len, "nomem", 5) == NULL)
				fail_msg("%s, request %lu of %lu: %.16s", op, n, all,
				         (const char *)out + 9);
			++*failed;
		}
		kv_free(out);
		go_on(k);
	}
	return all;
}

static const uint8_t *args_answer(unsigned turn, size_t *len)
{
	static uint8_t buf[200];

	*len = kit_args(buf, sizeof buf, "path:s text:s go:b", "/data/q10", turn % 2 ? "Ana" : "Beto", 1);
	return buf;
}

static const uint8_t *args_attach(unsigned turn, size_t *len)
{
	static uint8_t buf[9000], photo[8000];
	struct kit_bytes b = { photo, jpeg(photo, sizeof photo, turn, 6) };

	*len = kit_args(buf, sizeof buf, "path:s name:s bytes:x", "/data/q5", turn % 3 ? "a.jpg" : "b.jpg",
	                &b);
	return buf;
}

static const uint8_t *args_clear(unsigned turn, size_t *len)
{
	static uint8_t buf[200];

	*len = kit_args(buf, sizeof buf, "path:s text:s go:b", "/data/q10", "", turn % 2);
	return buf;
}

static unsigned n_kids;
static const uint8_t *args_kid(unsigned turn, size_t *len)
{
	static uint8_t buf[200];

	/* a later one too: the first one has a photograph */
	*len = kit_args(buf, sizeof buf, "path:s", "/data/kid[1]");
	(void)turn;
	return buf;
}

static void without_memory_nothing_is_half_done(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;
	unsigned failed = 0, sealed = 0, tries = 0;
	unsigned long all[4], n;
	static uint8_t photo[3000];
	struct kit_bytes b = { photo, jpeg(photo, sizeof photo, 1, 1) };
	size_t len;

	kit_call(k, "fill_begin", "form:s lang:s paper:b tz:u", "large", "es", 0, TZ);
	kit_call(k, "fill_answer", "path:s text:s go:b", "/data/q3", "2026-11-20", 0);
	all[0] = starve_op(d, "fill_answer", args_answer, &failed);
	all[1] = starve_op(d, "fill_attach", args_attach, &failed);
	all[2] = starve_op(d, "fill_answer", args_clear, &failed);
	/* enough instances that each try has one to take out */
	for (n_kids = 1; n_kids <= 5; n_kids++) {
		char path[40];

		snprintf(path, sizeof path, "/data/kid[%u]", n_kids);
		kit_call(k, "fill_add_repeat", "path:s", path);
		snprintf(path, sizeof path, "/data/kid[%u]/q6", n_kids);
		kit_call(k, "fill_attach", "path:s name:s bytes:x", path, "n.jpg", &b);
	}
	for (n = 1; n < 2000 && tries < 5; n += 37) {
		const uint8_t *in = args_kid(0, &len);
		size_t out_len;
		uint8_t *out;

		starve_arm(n);
		out = web_call(k->w, "fill_remove_repeat", strlen("fill_remove_repeat"), in, len, &out_len);
		failed += starve_disarm();
		tries += out != NULL && memmem(out, 8, "\xa2ok", 3) != NULL;
		kv_free(out);
		go_on(k);
	}
	/* sealed whole, or not at all */
	for (n = 1; !sealed; n += n / 8 + 1) {
		size_t out_len;
		uint8_t *out;

		starve_arm(n);
		out = web_call(k->w, "fill_seal", 9, (const uint8_t *)"\x90", 1, &out_len);
		failed += starve_disarm();
		kv_free(out);
		kit_call(k, "draft_list", "");
		sealed = kit_bool(k, "drafts.0.is_sealed");
		kit_call(k, "outbox", "");
		assert_int_equal(kit_uint(k, "waiting"), sealed);
		if (!sealed) {
			go_on(k);
		}
	}
	assert_true(failed > 100);
	print_message("figure: web: requests for memory: answer %lu, photograph %lu, clearing %lu; failed in "
	              "turn: %u; half done: 0\n", all[0], all[1], all[2], failed);
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
		cmocka_unit_test(what_is_refused_changes_nothing),
		cmocka_unit_test(photographs_are_cleaned_replaced_and_limited),
		cmocka_unit_test(paper_is_asked_first),
		cmocka_unit_test(the_review_leads_back_to_itself),
		cmocka_unit_test(an_urgent_case_is_called_so),
		cmocka_unit_test(a_newer_form_does_not_end_an_old_draft),
		cmocka_unit_test(a_dropped_draft_is_gone),
		cmocka_unit_test(what_waits_can_be_cleared_and_is_not_called_safe),
		cmocka_unit_test(wrong_arguments_are_refused),
		cmocka_unit_test(without_memory_nothing_is_half_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
