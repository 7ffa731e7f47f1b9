/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Attacks on the shape of a cell: a ciphertext that opens for several readers, second
 * spellings of E, and kinds of cells that could be told apart.  Each detector is run on a
 * control that it must catch.
 */
#include "hex.h"

#include "blob.h"
#include "cell.h"
#include "modp.h"

/* One ciphertext for several keys. */

#define N_READERS  6
#define AAD_BLOCKS 2                     /* T */
#define CT_BLOCKS  (CELL_PLAIN_SIZE / 16)
#define ALL_BLOCKS (AAD_BLOCKS + CT_BLOCKS + 1)
#define FREE_AT    (AAD_BLOCKS + 20)     /* the first block that the forger chooses */

/* a Poly1305 one-time key as numbers: tag = (sum of block_i r^(n-i) mod p) + s mod 2^128 */
struct one_time {
	struct num r, s;
};

static void one_time_key(struct one_time *k, const struct hpke *ctx)
{
	uint8_t rs[32];
	static const uint8_t clamped[] = { 3, 7, 11, 15 }, even[] = { 4, 8, 12 };
	size_t i;

	/* RFC 8439 section 2.6: half of block 0; at sequence 0 the base nonce is the nonce */
	crypto_stream_chacha20_ietf(rs, sizeof rs, ctx->base_nonce, ctx->key);
	for (i = 0; i < 4; i++)
		rs[clamped[i]] &= 15;
	for (i = 0; i < 3; i++)
		rs[even[i]] &= 252;
	k->r = num_le(rs, 16);
	k->s = num_le(rs + 16, 16);
}

/* the blocks that Poly1305 sees for one cell, each with its high bit 2^128 */
static void mac_blocks(struct num blocks[ALL_BLOCKS], const uint8_t cell[CELL_SIZE])
{
	uint8_t lens[16] = { CELL_TAG_SIZE, 0, 0, 0, 0, 0, 0, 0,
	                     CELL_PLAIN_SIZE & 0xff, CELL_PLAIN_SIZE >> 8 };
	size_t i;

	for (i = 0; i < AAD_BLOCKS + CT_BLOCKS; i++)
		blocks[i] = num_le(cell + CELL_TAG_AT + 16 * i, 16);
	blocks[ALL_BLOCKS - 1] = num_le(lens, 16);
	for (i = 0; i < ALL_BLOCKS; i++)
		blocks[i].v[4] = 1;
}

/* m becomes its inverse, by Gauss and Jordan; the test fails if it has none */
static void invert(struct num m[N_READERS][N_READERS])
{
	struct num out[N_READERS][N_READERS];
	size_t i, j, k;

	memset(out, 0, sizeof out);
	for (i = 0; i < N_READERS; i++)
		out[i][i] = num_of(1);
	for (i = 0; i < N_READERS; i++) {
		struct num inv;

		assert_false(num_equal(m[i][i], num_of(0)));
		inv = modp_inverse(&p1305, m[i][i]);
		for (j = 0; j < N_READERS; j++) {
			m[i][j] = modp_mul(&p1305, m[i][j], inv);
			out[i][j] = modp_mul(&p1305, out[i][j], inv);
		}
		for (k = 0; k < N_READERS; k++) {
			struct num f = m[k][i];

			if (k == i)
				continue;
			for (j = 0; j < N_READERS; j++) {
				m[k][j] = modp_sub(&p1305, m[k][j], modp_mul(&p1305, f, m[i][j]));
				out[k][j] = modp_sub(&p1305, out[k][j],
				                     modp_mul(&p1305, f, out[i][j]));
			}
		}
	}
	memcpy(m, out, sizeof out);
}

/*
 * Replace N_READERS blocks of the ciphertext and the tag, so that the tag is right under
 * every key.  One tag and n keys are n linear equations for n blocks; a solution serves
 * when each block it asks for has 128 bits, one time in 4 for each, so some thousands of
 * tags are tried.
 */
static unsigned long forge(uint8_t cell[CELL_SIZE], const struct hpke ctx[N_READERS])
{
	struct one_time key[N_READERS];
	struct num blocks[ALL_BLOCKS], m[N_READERS][N_READERS], fixed[N_READERS];
	unsigned long tries;
	size_t i, k;

	mac_blocks(blocks, cell);
	for (i = 0; i < N_READERS; i++)
		blocks[FREE_AT + i] = num_of(0);
	for (k = 0; k < N_READERS; k++) {
		struct num acc = num_of(0), power = num_of(1);

		one_time_key(&key[k], &ctx[k]);
		for (i = 0; i < ALL_BLOCKS; i++)
			acc = modp_mul(&p1305, modp_add(&p1305, acc, blocks[i]), key[k].r);
		fixed[k] = acc;
		for (i = ALL_BLOCKS; i-- > FREE_AT;) {
			power = modp_mul(&p1305, power, key[k].r);
			if (i < FREE_AT + N_READERS)
				m[k][i - FREE_AT] = power;
		}
	}
	invert(m);
	for (tries = 1; tries < 1000000; tries++) {
		uint8_t tag[16];
		struct num want[N_READERS], t;
		size_t good = 0;

		randombytes_buf(tag, sizeof tag);
		for (k = 0; k < N_READERS; k++) {
			/* any sum that is tag - s below bit 128 will do: add 2^128, take s away */
			t = num_le(tag, 16);
			t.v[4] = 1;
			t = modp_sub(&p1305, t, key[k].s);
			want[k] = modp_sub(&p1305, t, fixed[k]);
		}
		for (i = 0; i < N_READERS; i++) {
			struct num x = num_of(0);

			for (k = 0; k < N_READERS; k++)
				x = modp_add(&p1305, x, modp_mul(&p1305, m[i][k], want[k]));
			if (x.v[4] != 1)
				break;
			num_bytes(cell + CELL_TAG_AT + 16 * (FREE_AT + i), 16, &x);
			good++;
		}
		if (good == N_READERS) {
			memcpy(cell + CELL_SIZE - HPKE_TAG_SIZE, tag, 16);
			return tries;
		}
	}
	return 0;
}

/* what the forger needs of each reader: all of it can be had by one turned volunteer */
static void contexts(struct hpke ctx[N_READERS], uint8_t e_pk[32],
                     const struct reader_key keys[N_READERS], const struct season *season)
{
	uint8_t e_sk[32];
	size_t k;

	randombytes_buf(e_sk, sizeof e_sk);
	for (k = 0; k < N_READERS; k++)
		assert_int_equal(hpke_setup_s_with(&ctx[k], e_pk, &season->params, keys[k].pk,
		                                   e_sk), PERR_OK);
}

static void keys_new(struct reader_key *keys, size_t n)
{
	size_t k;

	for (k = 0; k < n; k++) {
		randombytes_buf(keys[k].sk, 32);
		crypto_scalarmult_base(keys[k].pk, keys[k].sk);
	}
}

static void season_new(struct season *s)
{
	uint8_t psk[32];

	randombytes_buf(psk, sizeof psk);
	season_init(s, 1, psk);
}

static void one_ciphertext_never_opens_for_two_readers(void **state)
{
	struct reader_key keys[N_READERS];
	struct season season;
	unsigned bare = 0, opened = 0, tried = 0;
	unsigned long tags = 0;
	size_t mine, k;

	(void)state;
	keys_new(keys, N_READERS);
	season_new(&season);
	for (mine = 0; mine < N_READERS; mine++) {
		struct hpke ctx[N_READERS];
		uint8_t cell[CELL_SIZE], ds[32], plain[CELL_PLAIN_SIZE], payload[CELL_PAYLOAD_MAX];
		size_t key_at, season_at, len;
		unsigned long n;

		/* a good full cell for reader `mine`, some blocks of which are then given up */
		contexts(ctx, cell, keys, &season);
		assert_int_equal(hpke_export(&ctx[mine], ds, 32,
		                             (const uint8_t *)"amparo/1 erase", 14), PERR_OK);
		cell_tag(cell + CELL_TAG_AT, ds);
		memset(plain, 'x', sizeof plain);
		plain[0] = CELL_STATEMENT;
		plain[1] = CELL_PAYLOAD_MAX >> 8;
		plain[2] = CELL_PAYLOAD_MAX & 0xff;
		assert_int_equal(hpke_seal(&ctx[mine], cell + CELL_HEAD_SIZE, cell + CELL_TAG_AT,
		                           CELL_TAG_SIZE, plain, sizeof plain), PERR_OK);
		ctx[mine].seq = 0;
		n = forge(cell, ctx);
		assert_true(n > 0);
		tags += n;

		/* control: the AEAD alone is content under each of the keys */
		for (k = 0; k < N_READERS; k++)
			bare += hpke_open(&ctx[k], plain, cell + CELL_TAG_AT, CELL_TAG_SIZE,
			                  cell + CELL_HEAD_SIZE,
			                  CELL_SIZE - CELL_HEAD_SIZE) == PERR_OK;
		/* T is the hash of a secret that only one key exports */
		for (k = 0; k < N_READERS; k++) {
			enum cell_form form;
			enum perr want = k == mine ? PERR_OK : PERR_NOTMINE;
			enum perr err = cell_open(&form, payload, &len, cell, &keys[k], &season);

			tried++;
			opened += err == PERR_OK;
			assert_int_equal(err, want);
			assert_int_equal(cell_trial(&key_at, &season_at, NULL, cell, &keys[k], 1,
			                            &season, 1), want);
		}
		assert_int_equal(cell_trial(&key_at, &season_at, NULL, cell, keys, N_READERS,
		                            &season, 1), PERR_OK);
		assert_int_equal(key_at, mine);
	}
	assert_int_equal(bare, N_READERS * N_READERS);
	assert_int_equal(opened, N_READERS);
	printf("figure: one ciphertext for %d readers: the bare AEAD opens %u/%u (control), "
	       "cells open for %u reader each; tags tried %lu\n", N_READERS, bare, tried,
	       opened / N_READERS, tags);
}

/* Second spellings of E. */

static void good_cell(uint8_t cell[CELL_SIZE], const struct reader_key *key,
                      const struct season *season)
{
	assert_int_equal(cell_seal(cell, NULL, CELL_STATEMENT, (const uint8_t *)"text", 4, key->pk,
	                           season, rng_system()), PERR_OK);
}

static void is_refused(const uint8_t cell[CELL_SIZE], const struct reader_key *key,
                       const struct season *season)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	size_t len, k, s;
	enum cell_form form;

	assert_int_equal(cell_check(cell), PERR_FORMAT);
	assert_int_equal(cell_open(&form, payload, &len, cell, key, season), PERR_NOTMINE);
	assert_int_equal(cell_trial(&k, &s, NULL, cell, key, 1, season, 1), PERR_NOTMINE);
	assert_int_equal(cell_open_chunk(payload, &len, cell, key, season, 1), PERR_AUTH);
}

/* X25519 ignores bit 255: without the check each cell would have a second id */
static void top_bit_of_e_is_refused(void **state)
{
	struct reader_key key;
	struct season season;
	uint8_t cell[CELL_SIZE], a[32], b[32];
	unsigned i;

	(void)state;
	keys_new(&key, 1);
	season_new(&season);
	for (i = 0; i < 50; i++) {
		good_cell(cell, &key, &season);
		assert_int_equal(cell_check(cell), PERR_OK);
		assert_int_equal(crypto_scalarmult(a, key.sk, cell), 0);
		cell[31] |= 0x80;
		/* control: to the Diffie-Hellman it is the same point */
		assert_int_equal(crypto_scalarmult(b, key.sk, cell), 0);
		assert_memory_equal(a, b, 32);
		is_refused(cell, &key, &season);
	}
}

static void non_canonical_and_small_order_points_are_refused(void **state)
{
	static const char *const small[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	struct reader_key key;
	struct season season;
	uint8_t cell[CELL_SIZE];
	struct num n;
	unsigned i, refused = 0;

	(void)state;
	keys_new(&key, 1);
	season_new(&season);
	good_cell(cell, &key, &season);
	for (i = 0; i < 5; i++, refused += 2) {
		unhex(cell, 32, small[i]);
		is_refused(cell, &key, &season);
		cell[31] |= 0x80;
		is_refused(cell, &key, &season);
	}
	/* p to 2^255 - 1, all of them, with either top bit */
	for (i = 0; i < 19; i++, refused += 2) {
		n = modp_below(&p25519, 0);
		n.v[0] += i;
		num_bytes(cell, 32, &n);
		is_refused(cell, &key, &season);
		cell[31] |= 0x80;
		is_refused(cell, &key, &season);
	}
	/* the greatest that is neither: p - 2 */
	n = modp_below(&p25519, 2);
	num_bytes(cell, 32, &n);
	assert_int_equal(cell_check(cell), PERR_OK);
	/* smaller in one high byte only */
	memset(cell, 0xff, 32);
	cell[31] = 0x7f;
	for (i = 1; i < 31; i++) {
		cell[i] = 0xfe;
		assert_int_equal(cell_check(cell), PERR_OK);
		cell[i] = 0xff;
	}
	printf("figure: small-order and non-canonical E refused: %u/48\n", refused);
}

/* u to y of the birationally equivalent Edwards curve, and back (RFC 7748 section 4.1) */
static void to_edwards(uint8_t y[32], const uint8_t u_bytes[32])
{
	struct num u = num_le(u_bytes, 32), one = num_of(1);

	u = modp_mul(&p25519, modp_sub(&p25519, u, one),
	             modp_inverse(&p25519, modp_add(&p25519, u, one)));
	num_bytes(y, 32, &u);
}

static void to_montgomery(uint8_t u_bytes[32], const uint8_t y_bytes[32])
{
	struct num y = num_le(y_bytes, 32), one = num_of(1);

	y.v[7] &= 0x7fffffff;
	y = modp_mul(&p25519, modp_add(&p25519, one, y),
	             modp_inverse(&p25519, modp_sub(&p25519, one, y)));
	num_bytes(u_bytes, 32, &y);
}

/*
 * E plus a point of order 8 is canonical, is not of small order, and gives the very same
 * Diffie-Hellman result, as every private key is a multiple of 8.  A server cannot tell.
 * The KEM hashes E itself, so it opens for nobody.
 */
static void e_shifted_by_a_small_order_point_opens_for_nobody(void **state)
{
	struct reader_key key;
	struct season season;
	uint8_t cell[CELL_SIZE], payload[CELL_PAYLOAD_MAX], y[32], order8[32], sum[32];
	uint8_t u8[32], a[32], b[32];
	size_t len, k, s;
	enum cell_form form;

	(void)state;
	keys_new(&key, 1);
	season_new(&season);
	good_cell(cell, &key, &season);
	assert_int_equal(crypto_scalarmult(a, key.sk, cell), 0);
	unhex(u8, 32, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
	to_edwards(order8, u8);
	to_edwards(y, cell);
	assert_int_equal(crypto_core_ed25519_is_valid_point(y), 1);
	assert_int_equal(crypto_core_ed25519_add(sum, y, order8), 0);
	assert_int_equal(crypto_core_ed25519_is_valid_point(sum), 0);
	to_montgomery(cell, sum);
	assert_int_equal(cell_check(cell), PERR_OK);
	assert_int_equal(crypto_scalarmult(b, key.sk, cell), 0);
	assert_memory_equal(a, b, 32);   /* control: the attack works on the bare DH */
	assert_int_equal(cell_open(&form, payload, &len, cell, &key, &season), PERR_NOTMINE);
	assert_int_equal(cell_trial(&k, &s, NULL, cell, &key, 1, &season, 1), PERR_NOTMINE);
	assert_int_equal(cell_open_chunk(payload, &len, cell, &key, &season, 1), PERR_AUTH);
}

/* No kind can be told from another. */

#define N_CELLS 256
#define N_KINDS 6

static const char *const kind_names[N_KINDS] = {
	"statement", "spilled", "chunk", "board", "join", "decoy"
};

static void make_kind(uint8_t cell[CELL_SIZE], unsigned kind, const struct season *season,
                      struct rng rng)
{
	static uint8_t photo[CELL_PAYLOAD_MAX];
	struct reader_key key;
	struct blob_ref ref;

	rng_fill(rng, key.sk, 32);
	crypto_scalarmult_base(key.pk, key.sk);
	switch (kind) {
	case 0:
		assert_int_equal(cell_seal(cell, NULL, CELL_STATEMENT, photo, 1200, key.pk, season,
		                           rng), PERR_OK);
		break;
	case 1:
		assert_int_equal(cell_seal(cell, NULL, CELL_SPILLED, photo, BLOB_REF_SIZE, key.pk,
		                           season, rng), PERR_OK);
		break;
	case 2:
		assert_int_equal(blob_begin(&ref, photo, sizeof photo, rng), PERR_OK);
		assert_int_equal(blob_seal_chunk(cell, &ref, 0, photo, sizeof photo, season, rng),
		                 PERR_OK);
		break;
	case 3:
		assert_int_equal(cell_seal(cell, NULL, CELL_BOARD, photo, 3000, key.pk, season,
		                           rng), PERR_OK);
		break;
	case 4:
		assert_int_equal(cell_seal(cell, NULL, CELL_JOIN, photo, 300, key.pk, season, rng),
		                 PERR_OK);
		break;
	default:
		assert_int_equal(cell_seal_decoy(cell, season, rng), PERR_OK);
		break;
	}
}

static int is_on_curve(const uint8_t e[32])
{
	/* v^2 = u^3 + 486662 u^2 + u */
	struct num u = num_le(e, 32), t;

	t = modp_add(&p25519, u, num_of(486662));
	t = modp_add(&p25519, modp_mul(&p25519, t, u), num_of(1));
	return modp_is_square(&p25519, modp_mul(&p25519, t, u));
}

static int is_in_subgroup(const uint8_t e[32])
{
	uint8_t y[32];

	to_edwards(y, e);
	return crypto_core_ed25519_is_valid_point(y) == 1;
}

/* what stands out about the E of these cells; three zeros is as it must be */
struct shape {
	unsigned top_bit, off_curve, off_subgroup;
};

static struct shape shape_of(uint8_t (*e)[32], unsigned n)
{
	struct shape s = { 0, 0, 0 };
	unsigned i;

	for (i = 0; i < n; i++) {
		uint8_t u[32];

		memcpy(u, e[i], 32);
		s.top_bit += u[31] >> 7;
		u[31] &= 0x7f;
		if (is_in_subgroup(u))
			continue;        /* hence on the curve */
		s.off_subgroup++;
		s.off_curve += !is_on_curve(u);
	}
	return s;
}

static struct rng seeded(struct rng_seeded *st, uint8_t n)
{
	uint8_t seed[32];

	memset(seed, n, sizeof seed);
	return rng_seeded(st, seed);
}

static void e_of_every_kind_is_a_point_that_a_real_key_gives(void **state)
{
	static uint8_t e[N_CELLS][32];
	struct season season;
	struct rng_seeded st;
	struct rng rng = seeded(&st, 21);
	uint8_t psk[32] = { 1 }, cell[CELL_SIZE];
	struct shape s;
	unsigned kind, i, caught = 0;

	(void)state;
	season_init(&season, 1, psk);
	for (kind = 0; kind < N_KINDS; kind++) {
		for (i = 0; i < N_CELLS; i++) {
			make_kind(cell, kind, &season, rng);
			memcpy(e[i], cell, 32);
		}
		s = shape_of(e, N_CELLS);
		if (s.top_bit + s.off_curve + s.off_subgroup != 0)
			fail_msg("%s: top bit %u, off the curve %u, off the subgroup %u",
			         kind_names[kind], s.top_bit, s.off_curve, s.off_subgroup);
	}
	/* controls: decoys made ever more cleverly without a key */
	for (i = 0; i < N_CELLS; i++)
		rng_fill(rng, e[i], 32);
	s = shape_of(e, N_CELLS);
	caught += s.top_bit > 0;
	for (i = 0; i < N_CELLS; i++)
		e[i][31] &= 0x7f;
	s = shape_of(e, N_CELLS);
	caught += s.top_bit == 0 && s.off_curve > 0;
	for (i = 0; i < N_CELLS; i++) {
		do {
			rng_fill(rng, e[i], 32);
			e[i][31] &= 0x7f;
		} while (!is_on_curve(e[i]));
	}
	s = shape_of(e, N_CELLS);
	caught += s.off_curve == 0 && s.off_subgroup > 0;
	assert_int_equal(caught, 3);
	printf("figure: E of %d kinds x %d cells: 0 with the top bit, 0 off the curve, 0 off the "
	       "subgroup; keyless decoys caught %u/3\n", N_KINDS, N_CELLS, caught);
}

/* ones at each bit of N_CELLS cells, and how often each byte value stands behind E */
struct census {
	uint16_t ones[8 * CELL_SIZE];
	uint32_t values[256];
};

static void census_add(struct census *c, const uint8_t cell[CELL_SIZE])
{
	size_t i;
	unsigned b;

	for (i = 0; i < CELL_SIZE; i++) {
		for (b = 0; b < 8; b++)
			c->ones[8 * i + b] = (uint16_t)(c->ones[8 * i + b] + (cell[i] >> b & 1));
		if (i >= CELL_E_SIZE)
			c->values[cell[i]]++;
	}
}

/* the square of the greatest deviation of a bit, in variances; bit 255 of E is always clear */
static double worst_bit(const struct census *c)
{
	double worst = 0;
	size_t i;

	for (i = 0; i < 8 * CELL_SIZE; i++) {
		double d = c->ones[i] - N_CELLS / 2.0;

		if (i != 255 && d * d / (N_CELLS / 4.0) > worst)
			worst = d * d / (N_CELLS / 4.0);
	}
	return worst;
}

static double chi_square(const struct census *c)
{
	double expect = (double)N_CELLS * (CELL_SIZE - CELL_E_SIZE) / 256, sum = 0;
	unsigned i;

	for (i = 0; i < 256; i++)
		sum += (c->values[i] - expect) * (c->values[i] - expect) / expect;
	return sum;
}

/*
 * Bounds.  32,639 bits of 6 kinds: the greatest of 2e5 normal deviations is 4.5 sigma on
 * average and 6.5 one time in 6e4.  255 degrees of freedom: mean 255, sigma 22.6; 390 is 6.
 */
#define BIT_BOUND (6.5 * 6.5)
#define CHI_LOW   120.0
#define CHI_HIGH  390.0

static int stands_out(const struct census *c)
{
	return worst_bit(c) > BIT_BOUND || chi_square(c) < CHI_LOW || chi_square(c) > CHI_HIGH;
}

static void no_bit_of_any_kind_is_biased(void **state)
{
	static struct census c;
	struct season season;
	struct rng_seeded st;
	struct rng rng = seeded(&st, 22);
	uint8_t psk[32] = { 1 }, cell[CELL_SIZE];
	unsigned kind, i, control, caught = 0;
	double worst = 0;

	(void)state;
	season_init(&season, 1, psk);
	for (kind = 0; kind < N_KINDS; kind++) {
		memset(&c, 0, sizeof c);
		for (i = 0; i < N_CELLS; i++) {
			make_kind(cell, kind, &season, rng);
			census_add(&c, cell);
		}
		if (stands_out(&c))
			fail_msg("%s stands out: bit %.1f, chi square %.1f", kind_names[kind],
			         worst_bit(&c), chi_square(&c));
		worst = worst_bit(&c) > worst ? worst_bit(&c) : worst;
	}
	/* controls: a bit of T that names the kind, a bit that does so three times in four,
	   and plain text in one cell of sixteen */
	for (control = 0; control < 3; control++) {
		memset(&c, 0, sizeof c);
		for (i = 0; i < N_CELLS; i++) {
			make_kind(cell, 0, &season, rng);
			if (control == 0)
				cell[CELL_TAG_AT] |= 1;
			if (control == 1 && i % 2 == 0)
				cell[2000] |= 1;
			if (control == 2 && i % 16 == 0)
				memset(cell + 100, 0, 3000);
			census_add(&c, cell);
		}
		caught += stands_out(&c) != 0;
	}
	assert_int_equal(caught, 3);
	printf("figure: bits of %d kinds x %d cells: greatest squared deviation %.1f (bound %.1f); "
	       "leaks caught %u/3\n", N_KINDS, N_CELLS, worst, BIT_BOUND, caught);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_ciphertext_never_opens_for_two_readers),
		cmocka_unit_test(top_bit_of_e_is_refused),
		cmocka_unit_test(non_canonical_and_small_order_points_are_refused),
		cmocka_unit_test(e_shifted_by_a_small_order_point_opens_for_nobody),
		cmocka_unit_test(e_of_every_kind_is_a_point_that_a_real_key_gives),
		cmocka_unit_test(no_bit_of_any_kind_is_biased),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("hostile cells", tests, NULL, NULL);
}
