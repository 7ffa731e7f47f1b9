/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A page's sync: the ops of op_sync.c move the bytes between a member's core and real servers,
 * in pieces of any length, with cuts and locks; a large backlog is put to a person.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox.h"
#include "outbox_file.h"
#include "roster.h"
#include "web_kit.h"

#define OK(x) assert_int_equal((x), PERR_OK)

static unsigned seed = 1;

/* a page around somebody of the world: his core, without rows of its own */
struct page {
	struct kit k;
	struct web w;
	uint8_t *out;
	size_t len, at;
	bool is_done;
	unsigned n_recv;
};

static void page_open(struct page *p, struct world *w, enum world_who who)
{
	memset(p, 0, sizeof *p);
	p->w.env = w->p[who].c->env;
	p->w.c = w->p[who].c;
	p->k.w = &p->w;
	msgpack_unpacked_init(&p->k.answer);
}

/* what web_lock does first; the client is the world's */
static void page_forget(struct page *p)
{
	for (int i = 0; i < WEB_PARTS; i++)
		web_part_set(&p->w, (enum web_part_id)i, NULL, NULL);
}

static void page_close(struct page *p)
{
	page_forget(p);
	msgpack_unpacked_destroy(&p->k.answer);
	kv_free(p->k.raw);
	free(p->out);
}

static const char *ask(struct page *p, const char *op, const char *shape, ...)
{
	va_list ap;

	va_start(ap, shape);
	kit_vcall(&p->k, op, shape, ap);
	va_end(ap);
	return kit_err(&p->k);
}

static void must(const char *err)
{
	assert_string_equal(err, "");
}

static void take_out(struct page *p, const char *field)
{
	const msgpack_object *o = kit_need(&p->k, field);

	assert_int_equal(o->type, MSGPACK_OBJECT_BIN);
	if (p->at == p->len)
		p->at = p->len = 0;
	p->out = realloc(p->out, p->len + o->via.bin.size + 1);
	assert_non_null(p->out);
	memcpy(p->out + p->len, o->via.bin.ptr, o->via.bin.size);
	p->len += o->via.bin.size;
}

static void take_step(struct page *p)
{
	take_out(p, "out");
	p->is_done = kit_bool(&p->k, "done");
}

static size_t page_pending(void *ctx, const uint8_t **out)
{
	struct page *p = ctx;

	/* whatever waits is asked for once what was given is gone */
	if (p->at == p->len && !p->is_done && p->n_recv > 0) {
		must(ask(p, "sync_sent", ""));
		take_step(p);
	}
	*out = p->out + p->at;
	return p->len - p->at;
}

static void page_sent(void *ctx, size_t n)
{
	((struct page *)ctx)->at += n;
}

static void page_recv(void *ctx, const uint8_t *in, size_t len)
{
	struct page *p = ctx;
	struct kit_bytes b = { in, len };

	if (len == 0)
		return;
	p->n_recv++;
	must(ask(p, "sync_recv", "bytes:x", &b));
	take_step(p);
}

static bool page_done(void *ctx)
{
	struct page *p = ctx;

	return p->is_done && p->at == p->len;
}

/* one sync; the summary is the last answer.  false: locked in the middle */
static bool page_sync(struct page *p, struct world *w, const char *choice)
{
	struct world_mouth m = { p, page_pending, page_sent, page_recv, page_done };

	must(ask(p, "sync_start", "choice:s", choice));
	for (;;) {
		char address[81];
		enum perr err;

		must(ask(p, "sync_next", ""));
		if (!kit_bool(&p->k, "want"))
			break;
		snprintf(address, sizeof address, "%s", kit_str(&p->k, "address"));
		p->at = p->len = 0;
		p->is_done = false;
		p->n_recv = 0;
		take_out(p, "hello");
		assert_int_equal(p->len, 48);
		err = world_talk(w, address, &m);
		if (w->leaves)
			return false;
		must(ask(p, "sync_closed", "how:s", err == PERR_NET ? "connect" : "end"));
	}
	must(ask(p, "sync_summary", ""));
	return true;
}

static void a_page_sends_and_fetches_as_a_command_does(void **state)
{
	struct world *w = world_full(seed);
	struct page v, h;

	(void)state;
	world_submit(w, VOLUNTEER0, 300000, 1, NULL);
	page_open(&v, w, VOLUNTEER0);
	assert_true(page_sync(&v, w, "ask"));
	assert_string_equal(kit_str(&v.k, "code"), "");
	assert_int_equal(kit_uint(&v.k, "complete"), WORLD_SERVERS);
	assert_int_equal(kit_uint(&v.k, "submissions"), 0);
	assert_true(kit_is_nil(&v.k, "backlog"));
	assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
	world_release(w);
	page_open(&h, w, HOLDER0);
	assert_true(page_sync(&h, w, "ask"));
	assert_int_equal(kit_uint(&h.k, "fresh"), 1);
	assert_true(world_has(w, HOLDER0, 300000, 1));
	page_close(&v);
	page_close(&h);
	world_free(w);
}

static void a_large_backlog_waits_for_a_choice(void **state)
{
	static const char *const choices[] = { "go", "light" };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct world *w = world_full(seed);
		struct page p;

		world_sync(w, HOLDER0);          /* the roster of today */
		world_submit(w, VOLUNTEER0, 300000, 1, NULL);
		world_sync(w, VOLUNTEER0);
		world_release(w);
		w->p[HOLDER0].c->field->limits.light_bytes = 100000;
		page_open(&p, w, HOLDER0);
		assert_true(page_sync(&p, w, "ask"));
		assert_true(kit_uint(&p.k, "backlog.bytes") > 300000);
		assert_true(kit_uint(&p.k, "backlog.cells") > 70);
		assert_true(kit_uint(&p.k, "backlog.light_bytes") < kit_uint(&p.k, "backlog.bytes"));
		assert_string_equal(kit_str(&p.k, "backlog.address"), kit_str(&p.k, "servers.0.address"));
		assert_false(world_has(w, HOLDER0, 300000, 1));
		assert_true(page_sync(&p, w, choices[i]));
		assert_true(kit_is_nil(&p.k, "backlog"));
		assert_true(world_has(w, HOLDER0, 300000, 1));
		page_close(&p);
		world_free(w);
	}
}

static unsigned leave_at, steps;

static void leave_between(struct world *w)
{
	if (++steps == leave_at)
		w->leaves = true;
}

static void a_page_that_is_cut_or_locked_loses_nothing(void **state)
{
	unsigned at, cuts = 0, locks = 0;

	(void)state;
	for (at = 200; at < 200000; at += at / 2) {
		struct world *w = world_full(seed);
		struct page p;

		world_submit(w, VOLUNTEER0, 20000, 1, NULL);
		page_open(&p, w, VOLUNTEER0);
		w->cut_at = at;
		assert_true(page_sync(&p, w, "ask"));
		cuts += w->was_cut ? 1 : 0;
		if (w->was_cut)
			assert_string_not_equal(kit_str(&p.k, "servers.0.code"), "");
		w->cut_at = WORLD_NO_CUT;
		/* and locked at some moment of the next one */
		steps = 0;
		leave_at = at / 150;
		w->between = leave_between;
		if (!page_sync(&p, w, "ask")) {
			locks++;
			page_forget(&p);
			assert_string_equal(ask(&p, "sync_next", ""), "state");
		}
		w->between = NULL;
		w->leaves = false;
		assert_true(page_sync(&p, w, "ask"));
		assert_int_equal(world_waiting(w, VOLUNTEER0), 0);
		world_release(w);
		world_sync(w, HOLDER0);
		assert_true(world_has(w, HOLDER0, 20000, 1));
		page_close(&p);
		world_free(w);
	}
	assert_true(cuts > 3 && locks > 3);
	print_message("figure: a page cut %u times and locked %u times in the middle; lost: 0\n", cuts,
	              locks);
}

static void a_server_that_is_away_is_named(void **state)
{
	struct world *w = world_full(seed);
	struct page p;

	(void)state;
	world_stop(w, 0);
	world_stop(w, 1);
	page_open(&p, w, VOLUNTEER0);
	assert_true(page_sync(&p, w, "ask"));
	assert_string_equal(kit_str(&p.k, "code"), "net");
	assert_int_equal(kit_uint(&p.k, "complete"), 0);
	assert_string_equal(kit_str(&p.k, "servers.1.code"), "net");
	assert_true(kit_str(&p.k, "servers.0.why")[0] != '\0');
	page_close(&p);
	world_free(w);
}

static void what_is_no_argument_is_refused(void **state)
{
	static const uint8_t noise[5000] = { 1, 2, 3 };
	struct kit_bytes b = { noise, sizeof noise };
	struct world *w = world_full(seed);
	struct page p;

	(void)state;
	page_open(&p, w, VOLUNTEER0);
	assert_string_equal(ask(&p, "sync_next", ""), "state");
	assert_string_equal(ask(&p, "sync_summary", ""), "state");
	assert_string_equal(ask(&p, "sync_start", "choice:s", "all"), "format");
	assert_string_equal(ask(&p, "sync_start", ""), "format");
	must(ask(&p, "sync_start", "choice:s", "ask"));
	assert_string_equal(ask(&p, "sync_recv", "bytes:x", &b), "state");
	assert_string_equal(ask(&p, "sync_summary", ""), "state");
	must(ask(&p, "sync_next", ""));
	assert_string_equal(ask(&p, "sync_closed", "how:s", "somehow"), "format");
	/* noise in place of the server's answer ends the connection, not the sync */
	must(ask(&p, "sync_recv", "bytes:x", &b));
	assert_true(kit_bool(&p.k, "done"));
	must(ask(&p, "sync_closed", "how:s", "end"));
	must(ask(&p, "sync_next", ""));
	/* one that was left behind begins anew */
	must(ask(&p, "sync_start", "choice:s", "go"));
	assert_true(page_sync(&p, w, "ask"));
	assert_string_equal(kit_str(&p.k, "code"), "");
	page_close(&p);
	world_free(w);
}

struct read_file {
	const uint8_t *bytes;
	size_t len;
};

static enum perr read_piece(void *arg, uint32_t at, uint8_t piece[OUTFILE_PIECE])
{
	const struct read_file *f = arg;

	assert_true(((size_t)at + 1) * OUTFILE_PIECE <= f->len);
	memcpy(piece, f->bytes + (size_t)at * OUTFILE_PIECE, OUTFILE_PIECE);
	return PERR_OK;
}

static void the_outbox_as_a_file_is_carried_by_another(void **state)
{
	struct world *w = world_full(seed);
	struct outbox_carry carried;
	struct read_file f;
	struct page p;

	(void)state;
	page_open(&p, w, VOLUNTEER0);
	assert_string_equal(ask(&p, "outbox_save", ""), "notfound");
	world_submit(w, VOLUNTEER0, 20000, 1, NULL);
	must(ask(&p, "outbox_save", ""));
	f.bytes = (const uint8_t *)kit_need(&p.k, "bytes")->via.bin.ptr;
	f.len = kit_need(&p.k, "bytes")->via.bin.size;
	assert_int_equal(f.len % OUTFILE_PIECE, 0);
	assert_false(kit_bool(&p.k, "more"));
	OK(outbox_carry(w->p[VOLUNTEER1].c, f.len, read_piece, &f, &carried));
	assert_true(carried.fresh > 0);
	must(ask(&p, "outbox_saved", "last:u", kit_uint(&p.k, "last")));
	world_sync(w, VOLUNTEER1);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, 20000, 1));
	page_close(&p);
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_sends_and_fetches_as_a_command_does),
		cmocka_unit_test(a_large_backlog_waits_for_a_choice),
		cmocka_unit_test(a_page_that_is_cut_or_locked_loses_nothing),
		cmocka_unit_test(a_server_that_is_away_is_named),
		cmocka_unit_test(what_is_no_argument_is_refused),
		cmocka_unit_test(the_outbox_as_a_file_is_carried_by_another),
	};

	(void)argc;
	(void)argv;
	if (sodium_init() < 0)
		return 1;
	if (getenv("AMPARO_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("AMPARO_SEED"), NULL, 10);
	print_message("seed %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
