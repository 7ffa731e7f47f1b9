/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "case_code.h"

#include <string.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* value 0..31 of a canonical character, or -1 */
static int value_of(char c)
{
	const char *at = c == '\0' ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : (int)(at - alphabet);
}

/* times alpha = 2 in GF(32) over x^5 + x^2 + 1 */
static unsigned times_alpha(unsigned v)
{
	v <<= 1;
	return v & 32 ? v ^ 0x25 : v;
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
		code[i] = alphabet[x[i]];
	}
	code[CASE_CODE_LEN - 1] = alphabet[check_of(x)];
	code[CASE_CODE_LEN] = '\0';
}

/* all ten characters of the alphabet are there; does the last fit the others? */
static enum perr check(const char *s)
{
	unsigned x[CASE_CODE_LEN];

	for (int i = 0; i < CASE_CODE_LEN; i++) {
		int v = value_of(s[i]);

		if (v < 0)
			return PERR_FORMAT;
		x[i] = (unsigned)v;
	}
	return check_of(x) == x[CASE_CODE_LEN - 1] ? PERR_OK : PERR_AUTH;
}

/* PROTOCOL 4.3: "Readers accept lower case, blanks, hyphens, `O` for 0, `I` and `L` for 1." */
static char canonical(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		return '0';
	if (c == 'I' || c == 'L')
		return '1';
	return c;
}

enum perr case_code_parse(char code[CASE_CODE_LEN + 1], const char *text)
{
	enum perr err = PERR_FORMAT;
	size_t n = 0;

	memset(code, 0, CASE_CODE_LEN + 1);
	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == '-' || *text == '\t' || *text == '\n' ||
		    *text == '\r')
			continue;
		if (n == CASE_CODE_LEN)
			goto out;
		code[n++] = canonical(*text);
	}
	if (n == CASE_CODE_LEN)
		err = check(code);
out:
	if (err != PERR_OK)
		memset(code, 0, CASE_CODE_LEN + 1);
	return err;
}

bool case_code_is_canonical(const char *s, size_t len)
{
	return len == CASE_CODE_LEN && check(s) == PERR_OK;
}

void case_code_show(char out[CASE_CODE_SHOWN + 1], const char code[CASE_CODE_LEN + 1])
{
	memcpy(out, code, 5);
	out[5] = '-';
	memcpy(out + 6, code + 5, 5);
	out[CASE_CODE_SHOWN] = '\0';
}
