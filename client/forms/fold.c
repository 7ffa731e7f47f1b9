/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <string.h>

#include "fold.h"

/* What a letter is without its marks and case.  "\1": the letter itself, unchanged. */
static const char latin[][3] = {
	"a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e",
	"i", "i", "i", "i", "d", "n", "o", "o", "o", "o", "o", "x",
	"o", "u", "u", "u", "u", "y", "th", "ss", "a", "a", "a", "a",
	"a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",
	"d", "n", "o", "o", "o", "o", "o", "/", "o", "u", "u", "u",
	"u", "y", "th", "y", "a", "a", "a", "a", "a", "a", "c", "c",
	"c", "c", "c", "c", "c", "c", "d", "d", "d", "d", "e", "e",
	"e", "e", "e", "e", "e", "e", "e", "e", "g", "g", "g", "g",
	"g", "g", "g", "g", "h", "h", "h", "h", "i", "i", "i", "i",
	"i", "i", "i", "i", "i", "i", "ij", "ij", "j", "j", "k", "k",
	"k", "l", "l", "l", "l", "l", "l", "l", "l", "l", "l", "n",
	"n", "n", "n", "n", "n", "n", "n", "n", "o", "o", "o", "o",
	"o", "o", "oe", "oe", "r", "r", "r", "r", "r", "r", "s", "s",
	"s", "s", "s", "s", "s", "s", "t", "t", "t", "t", "t", "t",
	"u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u",
	"w", "w", "y", "y", "y", "z", "z", "z", "z", "z", "z", "s",
	"b", "b", "b", "b", "\1", "\1", "o", "c", "c", "d", "d", "d",
	"d", "\1", "e", "e", "e", "f", "f", "g", "g", "hv", "i", "i",
	"k", "k", "l", "\1", "\1", "n", "n", "o", "o", "o", "\1", "\1",
	"p", "p", "\1", "\1", "\1", "\1", "\1", "t", "t", "t", "t", "u",
	"u", "\1", "v", "y", "y", "z", "z", "z", "\1", "\1", "\1", "\1",
	"\1", "\1", "\1", "\1", "\1", "\1", "\1", "\1", "dz", "dz", "dz", "lj",
	"lj", "lj", "nj", "nj", "nj", "a", "a", "i", "i", "o", "o", "u",
	"u", "u", "u", "u", "u", "u", "u", "u", "u", "e", "a", "a",
	"a", "a", "\1", "\1", "g", "g", "g", "g", "k", "k", "o", "o",
	"o", "o", "\1", "\1", "j", "dz", "dz", "dz", "g", "g", "\1", "\1",
	"n", "n", "a", "a", "\1", "\1", "\1", "\1", "a", "a", "a", "a",
	"e", "e", "e", "e", "i", "i", "i", "i", "o", "o", "o", "o",
	"r", "r", "r", "r", "u", "u", "u", "u", "s", "s", "t", "t",
	"\1", "\1", "h", "h", "n", "d", "ou", "ou", "z", "z", "a", "a",
	"e", "e", "o", "o", "o", "o", "o", "o", "o", "o", "y", "y",
	"l", "n", "t", "\1", "\1", "\1", "a", "c", "c", "l", "t", "s",
	"z", "", "", "b", "u", "v", "e", "e", "j", "j", "q", "q",
	"r", "r", "y", "y",
};

static const char latin_more[][3] = {
	"a", "a", "b", "b", "b", "b", "b", "b", "c", "c", "d", "d",
	"d", "d", "d", "d", "d", "d", "d", "d", "e", "e", "e", "e",
	"e", "e", "e", "e", "e", "e", "f", "f", "g", "g", "h", "h",
	"h", "h", "h", "h", "h", "h", "h", "h", "i", "i", "i", "i",
	"k", "k", "k", "k", "k", "k", "l", "l", "l", "l", "l", "l",
	"l", "l", "m", "m", "m", "m", "m", "m", "n", "n", "n", "n",
	"n", "n", "n", "n", "o", "o", "o", "o", "o", "o", "o", "o",
	"p", "p", "p", "p", "r", "r", "r", "r", "r", "r", "r", "r",
	"s", "s", "s", "s", "s", "s", "s", "s", "s", "s", "t", "t",
	"t", "t", "t", "t", "t", "t", "u", "u", "u", "u", "u", "u",
	"u", "u", "u", "u", "v", "v", "v", "v", "w", "w", "w", "w",
	"w", "w", "w", "w", "w", "w", "x", "x", "x", "x", "y", "y",
	"z", "z", "z", "z", "z", "z", "h", "t", "w", "y", "a", "s",
	"\1", "\1", "ss", "\1", "a", "a", "a", "a", "a", "a", "a", "a",
	"a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a",
	"a", "a", "a", "a", "e", "e", "e", "e", "e", "e", "e", "e",
	"e", "e", "e", "e", "e", "e", "e", "e", "i", "i", "i", "i",
	"o", "o", "o", "o", "o", "o", "o", "o", "o", "o", "o", "o",
	"o", "o", "o", "o", "o", "o", "o", "o", "o", "o", "o", "o",
	"u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "u",
	"u", "u", "y", "y", "y", "y", "y", "y", "y", "y", "\1", "\1",
	"\1", "\1", "\1", "\1",
};

unsigned fold_utf8(const char **s, const char *end)
{
	const unsigned char *p = (const unsigned char *)*s;
	size_t left = (size_t)(end - *s), need, i;
	unsigned c = p[0], least;

	(*s)++;
	if (c < 0x80)
		return c;
	if (c >= 0xf0 && c < 0xf5) {
		need = 3;
		c &= 7;
		least = 0x10000;
	} else if (c >= 0xe0 && c < 0xf0) {
		need = 2;
		c &= 15;
		least = 0x800;
	} else if (c >= 0xc2 && c < 0xe0) {
		need = 1;
		c &= 31;
		least = 0x80;
	} else {
		return 0xfffd;
	}
	if (left <= need)
		return 0xfffd;
	for (i = 1; i <= need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0xfffd;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0xfffd;
	*s += need;
	return c;
}

void fold_tidy(char *s)
{
	const char *r = s, *end = s + strlen(s), *start;
	char *w = s;
	unsigned c;

	while (r < end) {
		start = r;
		c = fold_utf8(&r, end);
		if (c == 0xfffd && r - start == 1)
			continue;
		if (c < 32 || (c >= 127 && c < 160) || (c >= 0x202a && c <= 0x202e)
		    || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029) {
			*w++ = ' ';
			continue;
		}
		memmove(w, start, (size_t)(r - start));
		w += r - start;
	}
	*w = '\0';
}

bool fold_is_text(const char *s, size_t len)
{
	const char *end = s + len, *start;
	unsigned c;

	while (s < end) {
		start = s;
		c = fold_utf8(&s, end);
		if ((c < 32 && c != '\n' && c != '\t' && c != '\r') || c == 0xfffe || c == 0xffff
		    || (c == 0xfffd && s - start == 1))
			return false;
	}
	return true;
}

size_t fold_length(const char *s, size_t len)
{
	const char *end = s + len;
	size_t n = 0;

	while (s < end) {
		fold_utf8(&s, end);
		n++;
	}
	return n;
}

/* Marks people write for one sound, and combining marks: neither is kept. */
static bool is_mark(unsigned c)
{
	switch (c) {
	case '\'': case '`': case 0xb4: case 0x294: case 0x2b9: case 0x2bb: case 0x2bc:
	case 0x2bd: case 0x2be: case 0x2bf: case 0x2c0: case 0x2c8: case 0x2ca: case 0x2cb:
	case 0x2018: case 0x2019: case 0x201b: case 0x2032: case 0x2035: case 0xa78b:
	case 0xa78c: case 0xff07: case 0x200b: case 0x200c: case 0x200d: case 0xfeff: case 0xad:
		return true;
	}
	return (c >= 0x300 && c < 0x370) || (c >= 0x1ab0 && c < 0x1b00)
		|| (c >= 0x1dc0 && c < 0x1e00) || (c >= 0x20d0 && c < 0x2100);
}

static bool is_space(unsigned c)
{
	return c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xa0 || c == 0x1680
		|| (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f
		|| c == 0x205f || c == 0x3000;
}

static size_t encode(char to[4], unsigned c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}

static size_t fold_one(char to[4], unsigned c)
{
	const char *base = NULL;

	if (is_mark(c))
		return 0;
	if (c >= 'A' && c <= 'Z')
		c += 32;
	else if (c == 0xfffd)
		c = '?';
	else if (c >= 0xc0 && c < 0x250)
		base = latin[c - 0xc0];
	else if (c >= 0x1e00 && c < 0x1f00)
		base = latin_more[c - 0x1e00];
	else if (c == 0x268)
		c = 'i';
	else if ((c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		c += 32;
	else if (c >= 0x400 && c <= 0x40f)
		c += 80;
	else if (c == 0x3c2)
		c = 0x3c3;
	if (base != NULL && base[0] != 1) {
		memcpy(to, base, strlen(base));
		return strlen(base);
	}
	return encode(to, c);
}

size_t fold_text(char *out, size_t out_cap, const char *text, size_t len)
{
	const char *end = text + len;
	size_t n = 0, k;
	char one[4];
	bool space = false;

	while (text < end) {
		unsigned c = fold_utf8(&text, end);

		if (is_space(c)) {
			space = n > 0;
			continue;
		}
		k = fold_one(one, c);
		if (k == 0)
			continue;
		if (n + space + k + 1 > out_cap)
			break;
		if (space)
			out[n++] = ' ';
		space = false;
		memcpy(out + n, one, k);
		n += k;
	}
	out[n] = '\0';
	return n;
}
