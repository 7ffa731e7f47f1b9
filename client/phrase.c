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
	randombytes_buf(bytes, sizeof bytes);
	err = words_phrase(p->text, sizeof p->text, PHRASE_WORDS, bytes, sizeof bytes);
	sodium_memzero(bytes, sizeof bytes);
	if (err == PERR_OK) {
		p->len = strlen(p->text);
		*out = p;
		p = NULL;
	}
	phrase_free(p);
	return err;
}
