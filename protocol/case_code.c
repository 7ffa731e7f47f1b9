/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "case_code.h"

#include <sodium.h>
#include <string.h>

/*
 * A code is the only handle to a record outside the seal, so no branch and no index depends on
 * its characters: masks are all ones for true.  tests/ctgrind holds this.
 */
static unsigned between(unsigned c, unsigned lo, unsigned hi)
{
	return 0u - (((lo - 1 - c) & (c - hi - 1)) >> 31);
}

static unsigned is_equal(unsigned a, unsigned b)
{
	return between(a, b, b);
}

/* 0123456789ABCDEFGHJKMNPQRSTVWXYZ: letters without I, L, O, U */
static char char_of(unsigned v)
{
	unsigned letter = 'A' + v - 10 + (between(v, 18, 31) & 1) + (between(v, 20, 31) & 1) +
	                  (between(v, 22, 31) & 1) + (between(v, 27, 31) & 1);
	unsigned digit = between(v, 0, 9);

	return (char)((digit & ('0' + v)) | (~digit & letter));
}

/* *known: all ones if c is of the alphabet, else 0 and the value is meaningless */
static unsigned value_of(char ch, unsigned *known)
{
	static const struct {
		uint8_t lo, hi, value;
	} runs[] = {
		{ '0', '9', 0 }, { 'A', 'H', 10 }, { 'J', 'K', 18 }, { 'M', 'N', 20 },
		{ 'P', 'T', 22 }, { 'V', 'Z', 27 },
	};
	unsigned c = (uint8_t)ch, v = 0;
	size_t i;

	*known = 0;
	for (i = 0; i < sizeof runs / sizeof runs[0]; i++) {
		unsigned in = between(c, runs[i].lo, runs[i].hi);

		v |= in & (c - runs[i].lo + runs[i].value);
		*known |= in;
	}
	return v;
}

/* times alpha = 2 in GF(32) over x^5 + x^2 + 1 */
static unsigned times_alpha(unsigned v)
{
	v <<= 1;
	return v ^ (0x25 & (0u - (v >> 5)));
}

/* PROTOCOL 4.3: "`c = Σ α^(i+1)·x_i`, i = 0..8." */
static unsigned check_of(const unsigned x[CASE_CODE_LEN - 1])
{
	unsigned sum = 0;

	/* Horner's rule from the highest power down */
	for (int i = CASE_CODE_LEN - 2; i >= 0; i--)
		sum = times_alpha(sum ^ x[i]);
	return sum;
}

void case_code_new(char code[CASE_CODE_LEN + 1], struct rng rng)
{
	unsigned x[CASE_CODE_LEN - 1];
	uint8_t random[CASE_CODE_LEN - 1];

	rng_fill(rng, random, sizeof random);
	for (int i = 0; i < CASE_CODE_LEN - 1; i++) {
		x[i] = random[i] & 31;
		code[i] = char_of(x[i]);
	}
	code[CASE_CODE_LEN - 1] = char_of(check_of(x));
	code[CASE_CODE_LEN] = '\0';
	sodium_memzero(random, sizeof random);
	sodium_memzero(x, sizeof x);
}

/* do the characters belong to the alphabet, and does the last fit the others? */
static void check(const char s[CASE_CODE_LEN], unsigned *known, unsigned *fits)
{
	unsigned x[CASE_CODE_LEN], one;

	*known = ~0u;
	for (int i = 0; i < CASE_CODE_LEN; i++) {
		x[i] = value_of(s[i], &one);
		*known &= one;
	}
	*fits = is_equal(check_of(x), x[CASE_CODE_LEN - 1]);
	sodium_memzero(x, sizeof x);
}

/* PROTOCOL 4.3: "Readers accept lower case, blanks, hyphens, `O` for 0, `I` and `L` for 1." */
static unsigned canonical(unsigned c)
{
	unsigned low = between(c, 'a', 'z'), one;

	c -= low & ('a' - 'A');
	one = is_equal(c, 'I') | is_equal(c, 'L');
	c = (~one & c) | (one & '1');
	low = is_equal(c, 'O');
	return (~low & c) | (low & '0');
}

static unsigned is_gap(unsigned c)
{
	return is_equal(c, ' ') | is_equal(c, '-') | is_equal(c, '\t') | is_equal(c, '\n') |
	       is_equal(c, '\r');
}

/* The first ten characters that are no gap, zeros behind; returns how many there are in all.
 * Only the length of the text shows: each place is visited for each character. */
static unsigned collect(char code[CASE_CODE_LEN + 1], const char *text)
{
	size_t at, len = strlen(text);
	unsigned n = 0;

	memset(code, 0, CASE_CODE_LEN + 1);
	for (at = 0; at < len; at++) {
		unsigned c = (uint8_t)text[at], counts = ~is_gap(c);

		c = canonical(c);
		for (unsigned i = 0; i < CASE_CODE_LEN; i++)
			code[i] = (char)((uint8_t)code[i] | (c & counts & is_equal(n, i)));
		/* no further than eleven, which is too many */
		n += 1 & counts & ~is_equal(n, CASE_CODE_LEN + 1);
	}
	return n;
}

enum perr case_code_parse(char code[CASE_CODE_LEN + 1], const char *text)
{
	unsigned n = collect(code, text), known, fits, good;

	check(code, &known, &fits);
	known &= is_equal(n, CASE_CODE_LEN);
	good = known & fits;
	for (int i = 0; i < CASE_CODE_LEN; i++)
		code[i] = (char)((uint8_t)code[i] & good);
	return (enum perr)((~known & PERR_FORMAT) | (known & ~fits & PERR_AUTH));
}

size_t case_code_part(char part[CASE_CODE_LEN + 1], const char *text)
{
	unsigned n = collect(part, text), good = between(n, 0, CASE_CODE_LEN), known;

	for (unsigned i = 0; i < CASE_CODE_LEN; i++) {
		(void)value_of(part[i], &known);
		good &= known | ~between(n, i + 1, CASE_CODE_LEN + 1);
	}
	for (int i = 0; i < CASE_CODE_LEN; i++)
		part[i] = (char)((uint8_t)part[i] & good);
	return n & good;
}

bool case_code_begins(const char code[CASE_CODE_LEN], const char part[CASE_CODE_LEN + 1])
{
	unsigned differs = 0;

	/* a zero in part stands for whatever is in the code */
	for (int i = 0; i < CASE_CODE_LEN; i++)
		differs |= (unsigned)(uint8_t)(code[i] ^ part[i]) &
		           ~is_equal((uint8_t)part[i], 0);
	return is_equal(differs, 0) & 1;
}

bool case_code_is_canonical(const char *s, size_t len)
{
	unsigned known, fits;

	if (len != CASE_CODE_LEN)
		return false;
	check(s, &known, &fits);
	return known & fits & 1;
}

void case_code_show(char out[CASE_CODE_SHOWN + 1], const char code[CASE_CODE_LEN + 1])
{
	memcpy(out, code, 5);
	out[5] = '-';
	memcpy(out + 6, code + 5, 5);
	out[CASE_CODE_SHOWN] = '\0';
}
