/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "vec.h"

#include "cell.h"

/* Vectors. */

static void season_of(struct season *s)
{
	uint8_t psk[32];

	vec_bytes(psk, 32, "cell", "season", "psk");
	season_init(s, (uint32_t)vec_number("cell", "season", "number"), psk);
}

static void seeded_stream_does_not_depend_on_the_cuts(void **state)
{
	static const uint8_t seed[32] = { 4 };
	uint8_t whole[300], part[300];
	struct rng_seeded a, b;
	struct rng rng;
	size_t step, at;

	(void)state;
	rng_fill(rng_seeded(&a, seed), whole, sizeof whole);
	for (step = 1; step < 140; step++) {
		rng = rng_seeded(&b, seed);
		for (at = 0; at < sizeof part; at += step)
			rng_fill(rng, part + at, sizeof part - at < step ? sizeof part - at : step);
		assert_memory_equal(part, whole, sizeof whole);
	}
}

static void season_vectors(void **state)
{
	static const char *const records[] = { "season", "season of a large number" };
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		uint8_t psk[32];
		struct season s;

		vec_bytes(psk, 32, "cell", records[i], "psk");
		season_init(&s, (uint32_t)vec_number("cell", records[i], "number"), psk);
		assert_vec(s.params.context, 65, "cell", records[i], "context");
	}
}

static size_t payload_of(uint8_t payload[CELL_PAYLOAD_MAX], const char *record)
{
	size_t len;

	if (strcmp(record, "statement") == 0 || strcmp(record, "empty spilled") == 0)
		return vec_bytes(payload, CELL_PAYLOAD_MAX, "cell", record, "payload");
	len = vec_number("cell", record, "sample_len");
	vec_sample(payload, len);
	return len;
}

static void sealed_vectors(void **state)
{
	static const char *const records[] = { "statement", "empty spilled", "full board", "join" };
	struct season season;
	size_t i;

	(void)state;
	season_of(&season);
	for (i = 0; i < 4; i++) {
		const char *r = records[i];
		uint8_t seed[32], eph[32], payload[CELL_PAYLOAD_MAX], back[CELL_PAYLOAD_MAX];
		uint8_t cell[CELL_SIZE], ds[32], id[32], shared[32];
		struct reader_key key;
		struct rng_seeded st;
		struct hpke ctx;
		enum cell_form form = (enum cell_form)vec_number("cell", r, "form"), got;
		size_t len = payload_of(payload, r), back_len, k, s;

		vec_bytes(seed, 32, "cell", r, "seed");
		vec_bytes(key.sk, 32, "cell", r, "reader_sk");
		crypto_scalarmult_base(key.pk, key.sk);
		assert_vec(key.pk, 32, "cell", r, "reader_pk");
		rng_fill(rng_seeded(&st, seed), eph, 32);
		assert_vec(eph, 32, "cell", r, "eph_sk");
		assert_int_equal(cell_seal(cell, ds, form, payload, len, key.pk, &season,
		                           rng_seeded(&st, seed)), PERR_OK);
		assert_vec(cell, 32, "cell", r, "E");
		assert_vec(ds, 32, "cell", r, "ds");
		assert_vec(cell + CELL_TAG_AT, 32, "cell", r, "T");
		assert_vec(cell, CELL_SIZE, "cell", r, "cell");
		cell_id(id, cell);
		assert_vec(id, 32, "cell", r, "id");
		assert_int_equal(hpke_decap(shared, cell, key.sk, key.pk), PERR_OK);
		assert_vec(shared, 32, "cell", r, "shared_secret");
		assert_int_equal(hpke_setup_r(&ctx, cell, &season.params, key.sk, key.pk), PERR_OK);
		assert_vec(ctx.key, 32, "cell", r, "key");
		assert_vec(ctx.base_nonce, 12, "cell", r, "base_nonce");
		assert_vec(ctx.exporter_secret, 32, "cell", r, "exporter_secret");
		memset(ds, 0, 32);
		assert_int_equal(cell_trial(&k, &s, ds, cell, &key, 1, &season, 1), PERR_OK);
		assert_vec(ds, 32, "cell", r, "ds");
		assert_int_equal(cell_open(&got, back, &back_len, cell, &key, &season), PERR_OK);
		assert_int_equal(got, form);
		assert_int_equal(back_len, len);
		assert_memory_equal(back, payload, len);
	}
}

static void decoy_vector(void **state)
{
	uint8_t seed[32], cell[CELL_SIZE], payload[CELL_PAYLOAD_MAX], id[32];
	struct rng_seeded st;
	struct season season;
	struct reader_key key;
	enum cell_form form;
	size_t len;

	(void)state;
	season_of(&season);
	vec_bytes(seed, 32, "cell", "decoy", "seed");
	assert_int_equal(cell_seal_decoy(cell, &season, rng_seeded(&st, seed)), PERR_OK);
	assert_vec(cell, CELL_SIZE, "cell", "decoy", "cell");
	cell_id(id, cell);
	assert_vec(id, 32, "cell", "decoy", "id");
	/* it opens for the key that a real sender forgets */
	vec_bytes(key.sk, 32, "cell", "decoy", "reader_sk");
	vec_bytes(key.pk, 32, "cell", "decoy", "reader_pk");
	assert_int_equal(cell_open(&form, payload, &len, cell, &key, &season), PERR_OK);
	assert_int_equal(len, 0);
	printf("figure: cell vectors %u/%u\n", vec_checked, vec_checked);
}

/* What one cell does. */

struct world {
	struct reader_key keys[4];
	struct season seasons[3];
};

static void world_new(struct world *w)
{
	uint8_t psk[32];
	size_t i;

	for (i = 0; i < 4; i++) {
		randombytes_buf(w->keys[i].sk, 32);
		crypto_scalarmult_base(w->keys[i].pk, w->keys[i].sk);
	}
	for (i = 0; i < 3; i++) {
		randombytes_buf(psk, 32);
		season_init(&w->seasons[i], 40 + (uint32_t)i, psk);
	}
}

static void seal_some(const struct world *w, uint8_t cell[CELL_SIZE], uint8_t ds[32], size_t key,
                      size_t season)
{
	static const uint8_t text[] = "Ana, 7, with her aunt";

	assert_int_equal(cell_seal(cell, ds, CELL_STATEMENT, text, sizeof text, w->keys[key].pk,
	                           &w->seasons[season], rng_system()), PERR_OK);
}

static void every_length_comes_back_from_the_same_size(void **state)
{
	static const size_t lens[] = { 0, 1, 2, 255, 256, 257, 3995, 3996, CELL_PAYLOAD_MAX };
	struct world w;
	uint8_t payload[CELL_PAYLOAD_MAX], back[CELL_PAYLOAD_MAX], cell[CELL_SIZE], ds[32];
	size_t i, f, len;

	(void)state;
	world_new(&w);
	randombytes_buf(payload, sizeof payload);
	for (f = 0; f <= CELL_FORM_MAX; f++) {
		for (i = 0; i < sizeof lens / sizeof lens[0]; i++) {
			enum cell_form form = (enum cell_form)f, got;

			assert_int_equal(cell_seal(cell, ds, form, payload, lens[i], w.keys[0].pk,
			                           &w.seasons[0], rng_system()), PERR_OK);
			assert_int_equal(cell_check(cell), PERR_OK);
			memset(back, 0xee, sizeof back);
			assert_int_equal(cell_open(&got, back, &len, cell, &w.keys[0],
			                           &w.seasons[0]), PERR_OK);
			assert_int_equal(got, form);
			assert_int_equal(len, lens[i]);
			assert_memory_equal(back, payload, len);
			assert_zero(back + len, sizeof back - len);
		}
	}
}

static void what_does_not_fit_is_refused_and_leaves_zeros(void **state)
{
	struct world w;
	struct season gone;
	uint8_t cell[CELL_SIZE], ds[32], payload[CELL_PAYLOAD_MAX + 1] = { 0 };
	uint8_t nobody[32] = { 0 };

	(void)state;
	world_new(&w);
	memset(cell, 0xee, sizeof cell);
	memset(ds, 0xee, sizeof ds);
	assert_int_equal(cell_seal(cell, ds, CELL_STATEMENT, payload, sizeof payload,
	                           w.keys[0].pk, &w.seasons[0], rng_system()), PERR_RANGE);
	assert_zero(cell, sizeof cell);
	assert_zero(ds, sizeof ds);
	assert_int_equal(cell_seal(cell, ds, (enum cell_form)(CELL_FORM_MAX + 1), payload, 1,
	                           w.keys[0].pk, &w.seasons[0], rng_system()), PERR_RANGE);
	memset(cell, 0xee, sizeof cell);
	assert_int_equal(cell_seal(cell, NULL, CELL_STATEMENT, payload, 1, nobody,
	                           &w.seasons[0], rng_system()), PERR_KEY);
	assert_zero(cell, sizeof cell);
	gone = w.seasons[0];
	season_wipe(&gone);
	assert_zero((const uint8_t *)&gone, sizeof gone);
	assert_int_equal(cell_seal(cell, NULL, CELL_STATEMENT, payload, 1, w.keys[0].pk, &gone,
	                           rng_system()), PERR_RANGE);
}

static void trial_finds_key_and_season_among_many(void **state)
{
	struct world w;
	uint8_t cell[CELL_SIZE], ds[32], found[32], tag[32];
	size_t k, s, key_at, season_at;

	(void)state;
	world_new(&w);
	for (k = 0; k < 4; k++) {
		for (s = 0; s < 3; s++) {
			seal_some(&w, cell, ds, k, s);
			assert_int_equal(cell_trial(&key_at, &season_at, found, cell, w.keys, 4,
			                            w.seasons, 3), PERR_OK);
			assert_int_equal(key_at, k);
			assert_int_equal(season_at, s);
			assert_memory_equal(found, ds, 32);
			cell_tag(tag, found);
			assert_memory_equal(tag, cell + CELL_TAG_AT, 32);
			assert_int_equal(cell_trial(&key_at, &season_at, NULL, cell, w.keys, 4,
			                            w.seasons, 3), PERR_OK);
		}
	}
}

static void nobody_else_opens_it(void **state)
{
	struct world w;
	uint8_t cell[CELL_SIZE], ds[32], found[32], payload[CELL_PAYLOAD_MAX];
	size_t key_at, season_at, len;
	enum cell_form form;

	(void)state;
	world_new(&w);
	seal_some(&w, cell, ds, 0, 0);
	memset(found, 0xee, sizeof found);
	/* other keys, right seasons; right key, other seasons; nothing at all */
	assert_int_equal(cell_trial(&key_at, &season_at, found, cell, w.keys + 1, 3, w.seasons, 3),
	                 PERR_NOTMINE);
	assert_zero(found, 32);
	assert_int_equal(cell_trial(&key_at, &season_at, found, cell, w.keys, 1, w.seasons + 1, 2),
	                 PERR_NOTMINE);
	assert_int_equal(cell_trial(&key_at, &season_at, found, cell, w.keys, 0, w.seasons, 3),
	                 PERR_NOTMINE);
	assert_int_equal(cell_trial(&key_at, &season_at, found, cell, w.keys, 4, w.seasons, 0),
	                 PERR_NOTMINE);
	memset(payload, 0xee, sizeof payload);
	assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[1], &w.seasons[0]),
	                 PERR_NOTMINE);
	assert_zero(payload, sizeof payload);
	assert_int_equal(len, 0);
	assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[0], &w.seasons[1]),
	                 PERR_NOTMINE);
}

/* the number is psk_id: the same PSK under another number is another season */
static void season_number_is_sealed_in(void **state)
{
	struct world w;
	struct season renumbered;
	uint8_t cell[CELL_SIZE], ds[32], payload[CELL_PAYLOAD_MAX];
	size_t len;
	enum cell_form form;

	(void)state;
	world_new(&w);
	season_init(&renumbered, w.seasons[0].number + 1, w.seasons[0].psk);
	seal_some(&w, cell, ds, 0, 0);
	assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[0], &renumbered),
	                 PERR_NOTMINE);
}

static void no_two_cells_share_anything(void **state)
{
	struct world w;
	uint8_t a[CELL_SIZE], b[CELL_SIZE], da[32], db[32], ia[32], ib[32];
	size_t i;

	(void)state;
	world_new(&w);
	seal_some(&w, a, da, 0, 0);
	seal_some(&w, b, db, 0, 0);
	cell_id(ia, a);
	cell_id(ib, b);
	assert_memory_not_equal(da, db, 32);
	assert_memory_not_equal(ia, ib, 32);
	for (i = 0; i < CELL_SIZE; i += 16)
		assert_memory_not_equal(a + i, b + i, 16);
}

static void open_refuses_any_flipped_bit(void **state)
{
	struct world w;
	uint8_t cell[CELL_SIZE], ds[32], payload[CELL_PAYLOAD_MAX];
	size_t bit, len, notmine = 0, auth = 0;
	enum cell_form form;

	(void)state;
	world_new(&w);
	seal_some(&w, cell, ds, 0, 0);
	for (bit = 0; bit < 8 * CELL_SIZE; bit++) {
		enum perr err;

		cell[bit / 8] ^= (uint8_t)(1u << bit % 8);
		err = cell_open(&form, payload, &len, cell, &w.keys[0], &w.seasons[0]);
		notmine += err == PERR_NOTMINE;
		auth += err == PERR_AUTH;
		assert_int_equal(len, 0);
		if (bit % 997 == 0)
			assert_zero(payload, sizeof payload);
		cell[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* a flip in E or T hides the cell; elsewhere it is noise under a right T */
	assert_int_equal(notmine, 8 * CELL_HEAD_SIZE);
	assert_int_equal(auth, 8 * (CELL_SIZE - CELL_HEAD_SIZE));
	assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[0], &w.seasons[0]), PERR_OK);
	printf("figure: cells with one flipped bit refused: %zu/%d\n", notmine + auth,
	       8 * CELL_SIZE);
}

/* A sender who seals by hand. */

/* a cell with any plaintext at all, right in every other way */
static void seal_by_hand(uint8_t cell[CELL_SIZE], const uint8_t plain[CELL_PLAIN_SIZE],
                         const uint8_t reader_pk[32], const struct season *season)
{
	struct hpke ctx;
	uint8_t ds[32];

	assert_int_equal(hpke_setup_s(&ctx, cell, &season->params, reader_pk, rng_system()),
	                 PERR_OK);
	assert_int_equal(hpke_export(&ctx, ds, 32, (const uint8_t *)"amparo/1 erase", 14), PERR_OK);
	cell_tag(cell + CELL_TAG_AT, ds);
	assert_int_equal(hpke_seal(&ctx, cell + CELL_HEAD_SIZE, cell + CELL_TAG_AT, 32, plain,
	                           CELL_PLAIN_SIZE), PERR_OK);
}

static void lies_inside_the_seal_are_refused(void **state)
{
	struct world w;
	uint8_t plain[CELL_PLAIN_SIZE] = { 0 }, cell[CELL_SIZE], payload[CELL_PAYLOAD_MAX];
	size_t len, i;
	enum cell_form form;

	(void)state;
	world_new(&w);
	plain[0] = CELL_JOIN;
	plain[2] = 5;
	memcpy(plain + 3, "12345", 5);
	seal_by_hand(cell, plain, w.keys[0].pk, &w.seasons[0]);
	assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[0], &w.seasons[0]), PERR_OK);
	assert_int_equal(form, CELL_JOIN);
	assert_int_equal(len, 5);
	/* forms that do not exist */
	for (i = CELL_FORM_MAX + 1; i < 256; i++) {
		plain[0] = (uint8_t)i;
		seal_by_hand(cell, plain, w.keys[0].pk, &w.seasons[0]);
		memset(payload, 0xee, sizeof payload);
		assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[0], &w.seasons[0]),
		                 PERR_FORMAT);
		assert_zero(payload, sizeof payload);
	}
	plain[0] = CELL_JOIN;
	/* shorter than what is there: bytes behind the payload are a hidden channel */
	for (i = 0; i < 5; i++) {
		plain[2] = (uint8_t)i;
		seal_by_hand(cell, plain, w.keys[0].pk, &w.seasons[0]);
		assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[0], &w.seasons[0]),
		                 PERR_FORMAT);
		assert_int_equal(len, 0);
	}
	/* longer than a cell */
	for (i = CELL_PAYLOAD_MAX + 1; i < 65536; i += 1013) {
		plain[1] = (uint8_t)(i >> 8);
		plain[2] = (uint8_t)i;
		seal_by_hand(cell, plain, w.keys[0].pk, &w.seasons[0]);
		assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[0], &w.seasons[0]),
		                 PERR_FORMAT);
	}
	/* one byte not zero, at the first and the last place where it must be */
	plain[1] = 0;
	plain[2] = 5;
	for (i = 0; i < 2; i++) {
		size_t at = i == 0 ? 8 : CELL_PLAIN_SIZE - 1;

		plain[at] = 1;
		seal_by_hand(cell, plain, w.keys[0].pk, &w.seasons[0]);
		assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[0], &w.seasons[0]),
		                 PERR_FORMAT);
		plain[at] = 0;
	}
}

/* Chunks. */

static void chunk_opens_under_any_season_held(void **state)
{
	struct world w;
	uint8_t cell[CELL_SIZE], ds[32], tag[32], payload[CELL_PAYLOAD_MAX], data[9] = "some jpeg";
	size_t s, len;

	(void)state;
	world_new(&w);
	randombytes_buf(ds, sizeof ds);
	cell_tag(tag, ds);
	for (s = 0; s < 3; s++) {
		assert_int_equal(cell_seal_chunk(cell, ds, data, sizeof data, w.keys[0].pk,
		                                 &w.seasons[s], rng_system()), PERR_OK);
		assert_memory_equal(cell + CELL_TAG_AT, tag, 32);
		assert_int_equal(cell_open_chunk(payload, &len, cell, &w.keys[0], w.seasons, 3),
		                 PERR_OK);
		assert_int_equal(len, sizeof data);
		assert_memory_equal(payload, data, len);
		memset(payload, 0xee, sizeof payload);
		assert_int_equal(cell_open_chunk(payload, &len, cell, &w.keys[1], w.seasons, 3),
		                 PERR_AUTH);
		assert_zero(payload, sizeof payload);
		assert_int_equal(cell_open_chunk(payload, &len, cell, &w.keys[0],
		                                 &w.seasons[(s + 1) % 3], 1), PERR_AUTH);
		assert_int_equal(cell_open_chunk(payload, &len, cell, &w.keys[0], w.seasons, 0),
		                 PERR_AUTH);
	}
}

/* T says nothing about the reader's key here, and trial must not take it for a statement */
static void chunk_is_no_statement_and_no_statement_a_chunk(void **state)
{
	struct world w;
	uint8_t cell[CELL_SIZE], ds[32], payload[CELL_PAYLOAD_MAX];
	size_t len, k, s;
	enum cell_form form;

	(void)state;
	world_new(&w);
	randombytes_buf(ds, sizeof ds);
	assert_int_equal(cell_seal_chunk(cell, ds, NULL, 0, w.keys[0].pk, &w.seasons[0],
	                                 rng_system()), PERR_OK);
	assert_int_equal(cell_trial(&k, &s, NULL, cell, w.keys, 4, w.seasons, 3), PERR_NOTMINE);
	assert_int_equal(cell_open(&form, payload, &len, cell, &w.keys[0], &w.seasons[0]),
	                 PERR_NOTMINE);
	seal_some(&w, cell, ds, 0, 0);
	assert_int_equal(cell_open_chunk(payload, &len, cell, &w.keys[0], w.seasons, 3),
	                 PERR_FORMAT);
	assert_zero(payload, sizeof payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeded_stream_does_not_depend_on_the_cuts),
		cmocka_unit_test(season_vectors),
		cmocka_unit_test(sealed_vectors),
		cmocka_unit_test(decoy_vector),
		cmocka_unit_test(every_length_comes_back_from_the_same_size),
		cmocka_unit_test(what_does_not_fit_is_refused_and_leaves_zeros),
		cmocka_unit_test(trial_finds_key_and_season_among_many),
		cmocka_unit_test(nobody_else_opens_it),
		cmocka_unit_test(season_number_is_sealed_in),
		cmocka_unit_test(no_two_cells_share_anything),
		cmocka_unit_test(open_refuses_any_flipped_bit),
		cmocka_unit_test(lies_inside_the_seal_are_refused),
		cmocka_unit_test(chunk_opens_under_any_season_held),
		cmocka_unit_test(chunk_is_no_statement_and_no_statement_a_chunk),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("cell", tests, NULL, NULL);
}
