/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * modp: plain arithmetic modulo a prime 2^bits - c, for tests that attack with it: 2^130 - 5
 * (Poly1305) and 2^255 - 19 (Curve25519).  Short, slow, not constant in time.
 */
#ifndef AMPARO_TEST_MODP_H
#define AMPARO_TEST_MODP_H

#include <stdint.h>
#include <string.h>

#define NUM_LIMBS 9

struct num {
	uint32_t v[NUM_LIMBS];           /* least first */
};

struct modp {
	unsigned bits;
	uint32_t c;
};

static const struct modp p1305 = { 130, 5 };
static const struct modp p25519 = { 255, 19 };

static inline struct num num_of(uint32_t v)
{
	struct num a = { { v } };

	return a;
}

static inline struct num num_le(const uint8_t *p, size_t len)
{
	struct num a = { { 0 } };
	size_t i;

	for (i = 0; i < len; i++)
		a.v[i / 4] |= (uint32_t)p[i] << (8 * (i % 4));
	return a;
}

static inline void num_bytes(uint8_t *out, size_t len, const struct num *a)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = (uint8_t)(a->v[i / 4] >> (8 * (i % 4)));
}

static inline unsigned num_bit(const struct num *a, unsigned i)
{
	return a->v[i / 32] >> (i % 32) & 1;
}

/* 2^bits - c - less */
static inline struct num modp_below(const struct modp *m, uint32_t less)
{
	struct num a = { { 0 } };
	int64_t carry = -(int64_t)m->c - less;
	unsigned i;

	a.v[m->bits / 32] = 1u << m->bits % 32;
	for (i = 0; i < NUM_LIMBS; i++) {
		carry += a.v[i];
		a.v[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return a;
}

/* the remainder of a number of 2 * NUM_LIMBS limbs */
static inline struct num modp_wide(const struct modp *m, uint32_t x[2 * NUM_LIMBS])
{
	struct num a, p = modp_below(m, 0), d;
	unsigned i, round, limb = m->bits / 32, shift = m->bits % 32;

	/* what stands above 2^bits counts c times below it */
	for (round = 0; round < 3; round++) {
		uint32_t low[2 * NUM_LIMBS] = { 0 };
		uint64_t carry = 0;

		memcpy(low, x, limb * 4);
		low[limb] = x[limb] & ((1u << shift) - 1);
		for (i = 0; i < 2 * NUM_LIMBS; i++) {
			uint64_t high = 0;

			if (i + limb < 2 * NUM_LIMBS)
				high = x[i + limb] >> shift;
			if (i + limb + 1 < 2 * NUM_LIMBS)
				high |= (uint64_t)x[i + limb + 1] << (32 - shift) & UINT32_MAX;
			carry += low[i] + high * m->c;
			x[i] = (uint32_t)carry;
			carry >>= 32;
		}
	}
	memcpy(a.v, x, sizeof a.v);
	for (round = 0; round < 2; round++) {
		int64_t borrow = 0;

		for (i = 0; i < NUM_LIMBS; i++) {
			borrow += (int64_t)a.v[i] - p.v[i];
			d.v[i] = (uint32_t)borrow;
			borrow >>= 32;
		}
		if (borrow == 0)
			a = d;
	}
	return a;
}

static inline struct num modp_mul(const struct modp *m, struct num a, struct num b)
{
	uint32_t x[2 * NUM_LIMBS] = { 0 };
	unsigned i, j;

	for (i = 0; i < NUM_LIMBS; i++) {
		uint64_t carry = 0;

		for (j = 0; j < NUM_LIMBS; j++) {
			carry += x[i + j] + (uint64_t)a.v[i] * b.v[j];
			x[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		x[i + NUM_LIMBS] = (uint32_t)carry;
	}
	return modp_wide(m, x);
}

static inline struct num modp_add(const struct modp *m, struct num a, struct num b)
{
	uint32_t x[2 * NUM_LIMBS] = { 0 };
	uint64_t carry = 0;
	unsigned i;

	for (i = 0; i < NUM_LIMBS; i++) {
		carry += (uint64_t)a.v[i] + b.v[i];
		x[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return modp_wide(m, x);
}

static inline struct num modp_neg(const struct modp *m, struct num a)
{
	return modp_mul(m, a, modp_below(m, 1));
}

static inline struct num modp_sub(const struct modp *m, struct num a, struct num b)
{
	return modp_add(m, a, modp_neg(m, b));
}

static inline struct num modp_pow(const struct modp *m, struct num a, struct num e)
{
	struct num r = num_of(1);
	unsigned i;

	for (i = m->bits; i-- > 0;) {
		r = modp_mul(m, r, r);
		if (num_bit(&e, i))
			r = modp_mul(m, r, a);
	}
	return r;
}

static inline struct num modp_inverse(const struct modp *m, struct num a)
{
	return modp_pow(m, a, modp_below(m, 2));
}

static inline int num_equal(struct num a, struct num b)
{
	return memcmp(&a, &b, sizeof a) == 0;
}

/* Euler's criterion; 0 counts as a square */
static inline int modp_is_square(const struct modp *m, struct num a)
{
	struct num half = modp_below(m, 1);
	unsigned i;

	for (i = 0; i < NUM_LIMBS; i++)
		half.v[i] = half.v[i] >> 1 | (i + 1 < NUM_LIMBS ? half.v[i + 1] << 31 : 0);
	return num_equal(a, num_of(0)) || num_equal(modp_pow(m, a, half), num_of(1));
}

#endif
