/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The thief: an image of the servers, taken on some day, and later every vault with every key
 * that is left in it.  The vaults are real ones.  The keys of that day, set aside by the test,
 * show that the image opens at all.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "assign.h"
#include "blob.h"
#include "cell.h"
#include "doc.h"
#include "envelope.h"
#include "kv_mem.h"
#include "org.h"
#include "roster.h"
#include "store.h"
#include "vault.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define PASS     "meadow kettle anchor violin"
#define SUBMISSIONS 6

static unsigned seed = 1;

/* ---- real vaults ------------------------------------------------------------------------- */

struct vaults {
	struct vault *at[WORLD_PEOPLE];
	char home[WORLD_PEOPLE][64];
};

static enum perr copy_record(void *arg, const char *name, const uint8_t *value, size_t len)
{
	return kv_put(arg, name, value, len);
}

/* everybody's store moves into a vault on a disk */
static void move_in(struct world *w, struct vaults *v)
{
	for (unsigned i = 0; i < WORLD_PEOPLE; i++) {
		struct kv *old = w->p[i].kv;
		struct vault_key key;

		if (old == NULL)
			continue;
		snprintf(v->home[i], sizeof v->home[i], "%s/amparo-thief-XXXXXX",
		         access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		assert_non_null(mkdtemp(v->home[i]));
		OK(vault_create(v->home[i], PASS, strlen(PASS), VAULT_LIGHT));
		OK(vault_derive(&key, v->home[i], PASS, strlen(PASS)));
		OK(vault_open(&v->at[i], v->home[i], &key));
		w->p[i].kv = vault_kv(v->at[i]);
		OK(kv_begin(w->p[i].kv));
		OK(kv_each(old, "", copy_record, w->p[i].kv));
		OK(kv_commit(w->p[i].kv));
		world_reopen(w, (enum world_who)i);
		kv_mem_free(old);
	}
}

static void shell(const char *what, const char *a, const char *b)
{
	char cmd[512];

	snprintf(cmd, sizeof cmd, "%s %s %s", what, a, b);
	assert_int_equal(system(cmd), 0);
}

static void move_out(struct world *w, struct vaults *v)
{
	for (unsigned i = 0; i < WORLD_PEOPLE; i++) {
		if (v->at[i] == NULL)
			continue;
		client_free(w->p[i].c);
		w->p[i].c = NULL;
		w->p[i].kv = NULL;
		vault_close(v->at[i]);
		shell("rm -rf", v->home[i], "");
	}
}

/* ---- every key there is ---------------------------------------------------------------------- */

struct keyring {
	struct reader_key *keys;
	size_t n, room;
	struct season *seasons;
	size_t n_seasons;
};

static void add_key(struct keyring *r, const uint8_t sk[32])
{
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->keys[i].sk, sk, 32) == 0)
			return;
	if (r->n == r->room) {
		r->room = r->room == 0 ? 256 : 2 * r->room;
		r->keys = realloc(r->keys, r->room * sizeof *r->keys);
		assert_non_null(r->keys);
	}
	memcpy(r->keys[r->n].sk, sk, 32);
	if (crypto_scalarmult_base(r->keys[r->n].pk, sk) == 0)
		r->n++;
}

/* a record of 32 or 33 bytes, and each 32, 64 or 68 bytes that MessagePack marks: a key, a
 * signing key, the reference of a blob */
static enum perr gather(void *arg, const char *name, const uint8_t *v, size_t len)
{
	struct keyring *r = arg;

	/* cells and parts as servers have them, and contents, are no keys */
	if (strncmp(name, "outbox/", 7) == 0 || strncmp(name, "part/", 5) == 0 ||
	    strncmp(name, "form/", 5) == 0 || strncmp(name, "blob/", 5) == 0)
		return PERR_OK;
	if (len == 32 || len == 33)
		add_key(r, v + len - 32);
	for (size_t i = 0; i + 34 <= len; i++)
		if (v[i] == 0xc4 && (v[i + 1] == 32 || v[i + 1] == 64 || v[i + 1] == 68) &&
		    i + 2 + v[i + 1] <= len)
			add_key(r, v + i + 2);
	/* a spilled statement's reference stands bare in the note of its cell (origin.h) */
	if (strncmp(name, "cell/", 5) == 0 && len > 68)
		add_key(r, v + len - BLOB_REF_SIZE);
	return PERR_OK;
}

static void gather_all(struct world *w, struct keyring *r)
{
	for (unsigned i = 0; i < WORLD_PEOPLE; i++) {
		const struct client *c = w->p[i].c;

		if (c == NULL)
			continue;
		OK(kv_each(w->p[i].kv, "", gather, r));
		for (size_t k = 0; k < c->n_seasons; k++) {
			size_t at = 0;

			while (at < r->n_seasons && memcmp(r->seasons[at].psk, c->seasons[k].psk, 32) != 0)
				at++;
			if (at < r->n_seasons)
				continue;
			r->seasons = realloc(r->seasons, (r->n_seasons + 1) * sizeof *r->seasons);
			assert_non_null(r->seasons);
			r->seasons[r->n_seasons++] = c->seasons[k];
		}
	}
}

static void keyring_free(struct keyring *r)
{
	free(r->keys);
	free(r->seasons);
}

/* ---- the image ---------------------------------------------------------------------------- */

struct opened {
	unsigned cells, statements, chunks;
};

/* what a statement refers to opens its attachments: the thief has that, too */
static void take_refs(struct keyring *r, enum cell_form form, const uint8_t *payload, size_t len)
{
	struct envelope *env;

	if (form == CELL_SPILLED) {
		add_key(r, payload);
		return;
	}
	env = malloc(sizeof *env);
	assert_non_null(env);
	OK(envelope_decode(env, payload, len));
	for (uint32_t i = 0; i < env->n_refs; i++)
		add_key(r, env->refs[i].sk);
	free(env);
}

static void try_statement(struct keyring *r, const uint8_t *cell, struct opened *o)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	size_t k, s, len;
	enum cell_form form;

	o->cells++;
	if (cell_trial(&k, &s, NULL, cell, r->keys, r->n, r->seasons, r->n_seasons) != PERR_OK)
		return;
	OK(cell_open(&form, payload, &len, cell, &r->keys[k], &r->seasons[s]));
	o->statements++;
	take_refs(r, form, payload, len);
}

static void try_chunk(struct keyring *r, const uint8_t *cell, struct opened *o)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	size_t len;

	for (size_t k = 0; k < r->n; k++)
		if (cell_open_chunk(payload, &len, cell, &r->keys[k], r->seasons, r->n_seasons) ==
		    PERR_OK) {
			o->chunks++;
			return;
		}
}

typedef void try_fn(struct keyring *r, const uint8_t *cell, struct opened *o);

static void try_each(struct keyring *r, const char *dir, try_fn *fn, struct opened *o)
{
	static uint8_t cells[STORE_READ_MAX * STORE_CELL];
	struct store_segment segs[64];
	uint32_t day = 0, release = 0;
	const char *why = "";
	struct store *st;
	size_t n;

	OK(store_open(&st, dir, NULL, &why));
	while ((n = store_segments(st, day, release, segs, 64)) > 0)
		for (size_t i = 0; i < n; i++) {
			for (uint32_t at = 0, got; at < segs[i].count; at += got) {
				OK(store_read(st, segs[i].day, segs[i].release, NULL, at, STORE_READ_MAX,
				              cells, &got));
				assert_true(got > 0);
				for (uint32_t k = 0; k < got; k++)
					fn(r, cells + (size_t)k * STORE_CELL, o);
			}
			day = segs[i].day;
			release = segs[i].release;
		}
	store_close(st);
}

static void try_image(struct keyring *r, const char *dir, struct opened *o)
{
	try_each(r, dir, try_statement, o);
	try_each(r, dir, try_chunk, o);
}

/* ---- the lives ------------------------------------------------------------------------------- */

static void live_on(struct world *w, unsigned days)
{
	static const enum world_who readers[] = { HOLDER0, HOLDER1, COUNSEL };

	for (unsigned d = 0; d < days; d++) {
		world_day(w, 1);
		world_release(w);
		if (d % 3 != 0)
			continue;
		world_sync(w, ADMIN);
		for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
			world_sync(w, readers[i]);
			OK(kv_settle(w->p[readers[i]].kv));
		}
	}
}

struct first {
	uint8_t record[16];
	bool found;
};

static enum perr first_record(void *arg, const char *name)
{
	struct first *f = arg;
	size_t len;

	if (!f->found)
		f->found = sodium_hex2bin(f->record, 16, name + 5, 32, NULL, &len, NULL) == 0;
	return PERR_OK;
}

static void an_old_image_opens_for_nobody(void **state)
{
	struct world *w = world_full(seed);
	struct vaults v = { 0 };
	struct keyring then = { 0 }, now = { 0 };
	struct opened before = { 0 }, after = { 0 };
	struct assign_what what = { .reason = "speaks Mam", .answer_days = 0 };
	struct assign_done done;
	struct first f = { 0 };
	const struct roster_limits *limits;
	char why[DISPATCH_WHY], image[WORLD_SERVERS][96];
	unsigned i, halves_then, halves_now;

	move_in(w, &v);
	for (i = 0; i < SUBMISSIONS; i++) {
		world_submit(w, i % 2 == 0 ? VOLUNTEER0 : VOLUNTEER1, 500, i, NULL);
		w->instance = i == 3 ? 6000 : 0;         /* one does not fit a cell */
	}
	w->instance = 0;
	world_sync(w, VOLUNTEER0);
	world_sync(w, VOLUNTEER1);
	world_release(w);
	world_sync(w, HOLDER0);
	world_sync(w, HOLDER1);
	OK(kv_each_name(w->p[HOLDER0].kv, "stmt/", first_record, &f));
	assert_true(f.found);
	what.reader = w->p[COUNSEL].c->me->sign_pk;
	OK(assign_record(w->p[HOLDER0].c, f.record, &what, &done, why));
	world_sync(w, HOLDER0);
	world_release(w);
	world_sync(w, COUNSEL);
	world_sync(w, HOLDER1);
	assert_int_equal(world_count(w, HOLDER1, "blob/"), SUBMISSIONS);
	assert_int_not_equal(world_count(w, COUNSEL, "stmt/"), 0);

	/* the raid, and what the test sets aside to show that it took something */
	gather_all(w, &then);
	for (i = 0; i < WORLD_SERVERS; i++) {
		world_stop(w, i);
		snprintf(image[i], sizeof image[i], "%.60s.image", w->s[i].dir);
		shell("cp -a", w->s[i].dir, image[i]);
		world_start(w, i);
	}
	halves_then = world_count(w, HOLDER0, "prekey/");

	/* a key of the day counts for a period; then the grace; then it is gone at the next sync */
	limits = &w->p[HOLDER0].c->field->limits;
	live_on(w, limits->period_days + limits->grace_days + 4);
	gather_all(w, &now);
	halves_now = world_count(w, HOLDER0, "prekey/");
	try_image(&now, image[0], &after);
	try_image(&then, image[0], &before);
	print_message("old image: cells %u; keys tried %zu with %zu season%s; opened: %u statements, %u "
	              "pieces of attachments; with the destroyed keys (control, %zu keys): %u and %u\n",
	              after.cells, now.n, now.n_seasons, now.n_seasons == 1 ? "" : "s",
	              after.statements, after.chunks, then.n, before.statements, before.chunks);
	print_message("private halves at one holder: %u then, %u now\n", halves_then, halves_now);
	assert_int_equal(before.cells, after.cells);
	/* each to two holders; the assignment, and what is told of it */
	assert_true(before.statements >= 2 * SUBMISSIONS + 2);
	/* the photographs of those that fit a cell, the two pieces of the one that does not, the
	 * photograph that was sealed anew for whom a record was assigned to */
	assert_true(before.chunks >= SUBMISSIONS - 1 + 2 + 1);
	assert_int_equal(after.statements, 0);
	assert_int_equal(after.chunks, 0);
	/* the records are where they belong */
	for (i = 0; i < SUBMISSIONS; i++) {
		assert_true(world_has(w, HOLDER0, 500, i));
		assert_true(world_has(w, HOLDER1, 500, i));
	}
	for (i = 0; i < WORLD_SERVERS; i++)
		shell("rm -rf", image[i], "");
	keyring_free(&then);
	keyring_free(&now);
	move_out(w, &v);
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_old_image_opens_for_nobody),
	};

	if (sodium_init() < 0)
		return 1;
	if (argc > 1)
		seed = (unsigned)strtoul(argv[1], NULL, 10);
	print_message("seed %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
