/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Against web_call: what a volunteer's page may not do, whatever else may stand in its
 * arguments, and memory that fails at each of a call's requests.
 */
#include "web_day.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "starve.h"
#include "wfill.h"

static void what_is_refused_changes_nothing(void **state)
{
	struct day *d = day_joined();
	struct kit *k = &d->k;
	static uint8_t photo[2000];
	struct kit_bytes b = { photo, day_jpeg(photo, sizeof photo, 1, 1) }, none = { "", 0 }, program = { "\x7f" "ELF\1\1\1", 7 };

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
	there.form = NULL;
	OK(draft_open(w->kv, iv->d->head.number, &there.d));
	OK(interview_load(&there));
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
	struct kit_bytes b = { photo, day_jpeg(photo, sizeof photo, turn, 6) };

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
	struct kit_bytes b = { photo, day_jpeg(photo, sizeof photo, 1, 1) };
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
		cmocka_unit_test(what_is_refused_changes_nothing),
		cmocka_unit_test(wrong_arguments_are_refused),
		cmocka_unit_test(without_memory_nothing_is_half_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
