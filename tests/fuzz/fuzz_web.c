/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What a page says to the core: a script of calls over an open interview.  A byte names the
 * op; with its high bit set the arguments' bytes follow as they are, else values for the
 * arguments that the op has.
 *
 * Beyond not crashing:
 *   - each call has an answer, a map with "ok" or "err";
 *   - what was answered as done is what the store has: every draft opens and can be reviewed;
 *   - a call that failed leaves the open interview as it is stored, or closed.
 */
#include <assert.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "client.h"
#include "doc.h"
#include "mp.h"
#include "roster.h"
#include "web.h"
#include "wfill.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CALLS_MAX 60

static const char form[] =
	"<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
	"xmlns:jr=\"http://openrosa.org/javarosa\"><h:head><h:title>F</h:title><model><instance>"
	"<data id=\"f\" version=\"1\"><a/><b/><g><c/><d/></g><kid jr:template=\"\"><n/><p/></kid><s/>"
	"<w/><meta><instanceID/></meta></data></instance>"
	"<bind nodeset=\"/data/a\" type=\"int\" constraint=\". &lt; 9\"/>"
	"<bind nodeset=\"/data/b\" type=\"string\"/>"
	"<bind nodeset=\"/data/g\" relevant=\"/data/b = 'y'\"/>"
	"<bind nodeset=\"/data/g/c\" type=\"date\"/><bind nodeset=\"/data/g/d\" type=\"binary\"/>"
	"<bind nodeset=\"/data/kid/p\" type=\"binary\"/>"
	"<bind nodeset=\"/data/s\" type=\"string\" calculate=\"count(/data/kid)\"/>"
	"<bind nodeset=\"/data/w\" type=\"geopoint\" required=\"true()\"/></model></h:head><h:body>"
	"<input ref=\"/data/a\"><label>A</label></input><select ref=\"/data/b\"><label>B</label><item>"
	"<label>Y</label><value>y</value></item><item><label>Z</label><value>z</value></item></select>"
	"<group ref=\"/data/g\"><label>G</label><input ref=\"/data/g/c\"><label>C</label></input>"
	"<upload ref=\"/data/g/d\" mediatype=\"image/*\"><label>D</label></upload></group>"
	"<group ref=\"/data/kid\"><label>K</label><repeat nodeset=\"/data/kid\"><input "
	"ref=\"/data/kid/n\"><label>N</label></input><upload ref=\"/data/kid/p\" "
	"mediatype=\"image/*\"><label>P</label></upload></repeat></group><input ref=\"/data/s\"/>"
	"<input ref=\"/data/w\"><label>W</label></input></h:body></h:html>";

static const struct {
	const char *op, *shape;          /* as of web_kit.h */
} calls[] = {
	{ "fill_begin", "form:s lang:s paper:b tz:u" }, { "fill_answer", "path:s text:s go:b" },
	{ "fill_attach", "path:s name:s bytes:x" }, { "fill_add_repeat", "path:s" },
	{ "fill_remove_repeat", "path:s" }, { "fill_jump", "path:s review:b" }, { "fill_next", "" },
	{ "fill_back", "" }, { "fill_end", "" }, { "fill_page", "" }, { "fill_step", "" },
	{ "fill_lang", "lang:s" }, { "fill_file", "name:s" }, { "fill_scan_drop", "name:s" },
	{ "fill_paper", "visit_day:u transcriber:s has_scans:b" }, { "fill_review", "" },
	{ "fill_check", "" }, { "fill_seal", "" }, { "fill_close", "" }, { "fill_open", "" },
	{ "fill_resume", "draft:u tz:u" }, { "draft_list", "" }, { "draft_drop", "draft:u" },
	{ "slip", "draft:u" }, { "slip_check", "draft:u text:s" }, { "slip_done", "draft:u" },
	{ "outbox", "" }, { "outbox_clear", "all:b" }, { "me", "" }, { "forms", "lang:s" },
	{ "invite_read", "text:s" }, { "join", "text:s name:s languages:l" },
	{ "desk_ask", "desk:x" }, { "desk_trust", "desk:x places:l words:l" },
	{ "passphrase_judge", "pass:s" },
};
#define N_CALLS (sizeof calls / sizeof calls[0])

static const char *const texts[] = {
	"f", "/data/a", "/data/b", "/data/g/c", "/data/g/d", "/data/kid[1]", "/data/kid[2]",
	"/data/kid[1]/n", "/data/kid[1]/p", "/data/kid[2]/p", "/data/w", "", "y", "y z", "7", "12",
	"2026-11-24", "14.5 -91.4", "x.jpg", "x-2.jpg", "es",
};
#define N_TEXTS (sizeof texts / sizeof texts[0])

static const uint8_t jpeg[] = { 0xff, 0xd8, 0xff, 0xdb, 0, 3, 1, 0xff, 0xda, 0, 3, 1, 7, 7, 7, 0xff, 0xd9 };

struct in {
	const uint8_t *p;
	size_t len;
};

static uint8_t byte(struct in *in)
{
	if (in->len == 0)
		return 0;
	in->len--;
	return *in->p++;
}

static size_t some(struct in *in, size_t n, const uint8_t **p)
{
	*p = in->p;
	n = n < in->len ? n : in->len;
	in->p += n;
	in->len -= n;
	return n;
}

static void put_value(struct mp_writer *w, struct in *in, char kind)
{
	uint8_t inner[64], how = byte(in);
	const uint8_t *p;
	struct mp_writer list;
	size_t n;

	switch (kind) {
	case 's':
		if (how < 2 * N_TEXTS) {
			mp_put_str(w, texts[how % N_TEXTS]);
			return;
		}
		n = some(in, how & 31, &p);
		for (size_t i = 0; i < n; i++)
			inner[i] = p[i] == 0 || p[i] > 0x7f ? '?' : p[i];
		mp_put_strn(w, (const char *)inner, n);
		return;
	case 'b':
		mp_put_bool(w, how & 1);
		return;
	case 'u':
		mp_put_uint(w, how < 200 ? how : (uint64_t)how << 40);
		return;
	case 'x':
		if (how < 100) {
			mp_put_bin(w, jpeg, sizeof jpeg);
			return;
		}
		n = some(in, how, &p);
		mp_put_bin(w, p, n);
		return;
	default:
		mp_writer_init(&list, inner, sizeof inner);
		mp_put_array(&list, 2);
		mp_put_uint(&list, how & 7);
		mp_put_uint(&list, how >> 4);
		assert(mp_written(&list, &n) == PERR_OK);
		mp_put_bin(w, inner, n);
		return;
	}
}

static size_t args_of(uint8_t *buf, size_t size, struct in *in, const char *shape)
{
	struct mp_writer w;
	uint32_t n = 0;
	size_t len;

	for (const char *p = shape; *p != '\0'; p++)
		n += *p == ':';
	mp_writer_init(&w, buf, size);
	mp_put_array(&w, 2 * n);
	for (const char *p = shape; *p != '\0';) {
		const char *colon = strchr(p, ':');

		mp_put_strn(&w, p, (size_t)(colon - p));
		put_value(&w, in, colon[1]);
		p = colon + 2 + strspn(colon + 2, " ");
	}
	assert(mp_written(&w, &len) == PERR_OK);
	return len;
}

/* a member's store as far as an interview needs it: a roster that lists the form */
static void prepare(struct web *w)
{
	struct roster_field *f = roster_field_new();
	struct roster_season season = { .number = 1 };
	struct roster_form entry = { .id = "f", .version = "1", .title = "F", .size = 8192,
	                             .active = true };
	uint8_t *raw;
	size_t len;
	char name[96];

	assert(f != NULL);
	f->organisation = "O";
	f->n_seasons = 1;
	f->seasons = &season;
	f->n_forms = 1;
	f->forms = &entry;
	memset(entry.part, 7, 32);
	memset(f->inbox_pk, 9, 32);
	memset(f->board_sk, 9, 32);
	assert(roster_field_encode(&raw, &len, f) == PERR_OK);
	f->n_seasons = 0;
	f->n_forms = 0;
	roster_field_free(f);
	assert(roster_field_decode(&w->c->field, raw, len) == PERR_OK);
	doc_free(raw, len);
	client_key_name(name, "form/", entry.part, 32);
	assert(kv_begin(w->kv) == PERR_OK);
	assert(kv_put(w->kv, name, (const uint8_t *)form, sizeof form - 1) == PERR_OK);
	assert(kv_commit(w->kv) == PERR_OK);
}

/* whether it was done */
static bool call(struct web *w, const char *op, const uint8_t *args, size_t len)
{
	size_t n;
	uint8_t *out = web_call(w, op, strlen(op), args, len, &n);
	bool ok;

	assert(out != NULL && n > 4);
	/* a map of three or four: "ok" or "err" first */
	assert((out[0] & 0xf0) == 0x80 || out[0] == 0xde || out[0] == 0xdf);
	ok = memmem(out, n < 16 ? n : 16, "\xa2ok", 3) != NULL;
	assert(ok || memmem(out, n < 16 ? n : 16, "\xa3" "err", 4) != NULL);
	kv_free(out);
	return ok;
}

/* what is in memory is what is stored, but for the place where one stands */
static void check_open(struct web *w)
{
	struct interview *iv = wfill_of(w);
	uint8_t *bytes = NULL;
	struct draft *d;
	size_t len = 0;

	if (iv == NULL || iv->d->head.number == 0)
		return;
	assert(draft_open(w->kv, iv->d->head.number, &d) == PERR_OK);
	assert(d->n_files == iv->d->n_files);
	assert(fill_draft(iv->s, &bytes, &len) == PERR_OK);
	doc_free(bytes, len);
	for (size_t i = 0; i < d->n_files; i++)
		assert(draft_find(iv->d, d->files[i].name) != NULL);
	draft_free(d);
}

static enum perr resume(void *arg, const struct draft_head *h)
{
	struct web *w = arg;
	uint8_t args[64];
	struct mp_writer m;
	size_t len;

	mp_writer_init(&m, args, sizeof args);
	mp_put_array(&m, 4);
	mp_put_str(&m, "draft");
	mp_put_uint(&m, h->number);
	mp_put_str(&m, "tz");
	mp_put_uint(&m, 1440);
	assert(mp_written(&m, &len) == PERR_OK);
	assert(call(w, "fill_resume", args, len) == !h->is_sealed);
	if (!h->is_sealed)
		assert(call(w, "fill_review", (const uint8_t *)"\x90", 1));
	return PERR_OK;
}

static int64_t now(void *ctx)
{
	(void)ctx;
	return 20781LL * 86400 + 50000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t kiosk[] = "\x92\xa5kiosk\xc3";
	struct in in = { data, size };
	struct client_env env = { .rng = rng_system(), .now = now };
	struct web *w;
	static uint8_t args[8192];

	assert(sodium_init() >= 0);
	w = web_new(&env);
	assert(w != NULL && call(w, "vault_create", kiosk, sizeof kiosk - 1));
	prepare(w);
	for (unsigned i = 0; in.len > 0 && i < CALLS_MAX; i++) {
		uint8_t which = byte(&in);
		const char *op = calls[which % 128 % N_CALLS].op;
		const uint8_t *raw;
		size_t len;

		if (which >= 128) {
			len = some(&in, (size_t)byte(&in) << 4 | byte(&in), &raw);
			memcpy(args, raw, len);
		} else {
			len = args_of(args, sizeof args, &in, calls[which % N_CALLS].shape);
		}
		call(w, op, args, len);
		check_open(w);
	}
	call(w, "fill_close", (const uint8_t *)"\x90", 1);
	assert(draft_each(w->kv, resume, w) == PERR_OK);
	web_free(w);
	return 0;
}
