/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "phrase.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "words.h"

struct phrase *phrase_new(void)
{
	struct phrase *p = sodium_malloc(sizeof *p);

	if (p != NULL)
		memset(p, 0, sizeof *p);
	return p;
}

void phrase_free(struct phrase *p)
{
	/* without guarded pages, sodium_free may be plain free */
	if (p != NULL)
		sodium_memzero(p, sizeof *p);
	sodium_free(p);
}

static size_t token(const char *text, size_t len, size_t *at)
{
	size_t n = 0;

	while (*at < len && (text[*at] == ' ' || text[*at] == '\t'))
		(*at)++;
	while (*at + n < len && text[*at + n] != ' ' && text[*at + n] != '\t')
		n++;
	return n;
}

bool phrase_canon(struct phrase *p)
{
	int word[PHRASE_WORDS];
	size_t at = 0, i, n;
	bool is_words = false;

	for (i = 0; i < PHRASE_WORDS; i++) {
		n = token(p->text, p->len, &at);
		word[i] = words_find(p->text + at, n);
		if (word[i] < 0)
			goto out;
		at += n;
	}
	if (token(p->text, p->len, &at) != 0)
		goto out;
	is_words = true;
	sodium_memzero(p->text, sizeof p->text);
	p->len = 0;
	for (i = 0; i < PHRASE_WORDS; i++) {
		const char *w = words_get((unsigned)word[i]);

		if (i > 0)
			p->text[p->len++] = ' ';
		memcpy(p->text + p->len, w, strlen(w));
		p->len += strlen(w);
	}
out:
	sodium_memzero(word, sizeof word);
	return is_words;
}

enum perr phrase_of(struct phrase **out, const char *text, size_t len)
{
	struct phrase *p;

	*out = NULL;
	if (len == 0 || len > PHRASE_MAX || memchr(text, 0, len) != NULL)
		return PERR_RANGE;
	p = phrase_new();
	if (p == NULL)
		return PERR_NOMEM;
	memcpy(p->text, text, len);
	p->len = len;
	phrase_canon(p);
	*out = p;
	return PERR_OK;
}

enum perr phrase_generate(struct phrase **out)
{
	struct phrase *p = phrase_new();
	uint8_t bytes[(PHRASE_WORDS * WORDS_BITS + 7) / 8];
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (p == NULL)
		return err;
	/* once in ten thousand so many words are the same that whoever took it would be refused */
	do {
		randombytes_buf(bytes, sizeof bytes);
		err = words_phrase(p->text, sizeof p->text, PHRASE_WORDS, bytes, sizeof bytes);
		p->len = strlen(p->text);
	} while (err == PERR_OK && !phrase_is_enough(p));
	sodium_memzero(bytes, sizeof bytes);
	if (err == PERR_OK) {
		*out = p;
		p = NULL;
	}
	phrase_free(p);
	return err;
}

/* ---- strength without a dictionary ------------------------------------------------------------- */

enum sort { BLANK, LOWER, UPPER, DIGIT, SIGN };

static enum sort sort_of(char c)
{
	if (c == ' ' || c == '\t')
		return BLANK;
	if ((c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80)
		return LOWER;
	if (c >= 'A' && c <= 'Z')
		return UPPER;
	return c >= '0' && c <= '9' ? DIGIT : SIGN;
}

static bool is_letter(enum sort s)
{
	return s == LOWER || s == UPPER;
}

static size_t count_digits(const char *w, size_t n, bool from_end)
{
	size_t k = 0;

	while (k < n && sort_of(w[from_end ? n - 1 - k : k]) == DIGIT)
		k++;
	return k;
}

static unsigned digits_bits(size_t n)
{
	size_t bits = n == 0 ? 0 : 3 + 2 * (n - 1);

	return bits > 12 ? 12 : (unsigned)bits;
}

/* one of n bytes without a blank in it */
static unsigned word_bits(const char *w, size_t n)
{
	size_t head = count_digits(w, n, false), tail, letters = 0;
	unsigned bits = digits_bits(head);

	w += head;
	n -= head;
	tail = count_digits(w, n, true);
	n -= tail;
	bits += digits_bits(tail);
	for (size_t i = 0; i < n; i++) {
		enum sort s = sort_of(w[i]);

		/* a letter of two bytes is one */
		letters += is_letter(s) && ((unsigned char)w[i] & 0xc0) != 0x80;
		/* a capital at the head is what everybody does */
		if (i > 0 && s != sort_of(w[i - 1]) && !(i == 1 && sort_of(w[0]) == UPPER))
			bits += 2;
	}
	return bits + (letters >= 4 ? 10 : letters > 0 ? 5 : 0);
}

static bool is_same_word(const char *a, const char *b, size_t n)
{
	unsigned differs = 0;

	for (size_t i = 0; i < n; i++) {
		char x = sort_of(a[i]) == UPPER ? (char)(a[i] + 32) : a[i];
		char y = sort_of(b[i]) == UPPER ? (char)(b[i] + 32) : b[i];

		differs |= (unsigned)(x ^ y);
	}
	return differs == 0;
}

/* has a word like the one of n bytes at `at` stood before it? */
static bool stood_before(const struct phrase *p, size_t at, size_t n)
{
	size_t k = 0, m;

	for (; (m = token(p->text, p->len, &k)) > 0 && k < at; k += m)
		if (m == n && is_same_word(p->text + k, p->text + at, n))
			return true;
	return false;
}

/* six words of the list, as phrase_generate makes them: there the short ones count too */
static bool is_six(const struct phrase *p)
{
	size_t at = 0, n, i = 0;

	for (; (n = token(p->text, p->len, &at)) > 0; at += n, i++)
		if (words_find(p->text + at, n) < 0)
			return false;
	return i == PHRASE_WORDS;
}

unsigned phrase_least(const struct phrase *p)
{
	bool is_ours = is_six(p);
	unsigned bits = 0;
	size_t at = 0, n;

	for (; (n = token(p->text, p->len, &at)) > 0; at += n)
		bits += stood_before(p, at, n) ? 1 : is_ours ? WORDS_BITS : word_bits(p->text + at, n);
	return bits;
}

bool phrase_is_enough(const struct phrase *p)
{
	return phrase_least(p) >= PHRASE_MIN_BITS;
}

bool phrase_is_same(const struct phrase *a, const struct phrase *b)
{
	return a->len == b->len && sodium_memcmp(a->text, b->text, a->len) == 0;
}
