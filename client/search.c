/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "search.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "doc.h"
#include "fold.h"

#define DIGITS_MIN 6             /* of a number that is written with gaps */

/* ---- the text of a case ------------------------------------------------------------- */

static bool make_room(struct search_text *t, size_t n)
{
	size_t size;
	char *p;

	if (t->size - t->len >= n)
		return true;
	size = t->size * 2 + n + 2048;
	p = malloc(size);
	if (p == NULL) {
		t->err = PERR_NOMEM;
		return false;
	}
	if (t->p != NULL) {
		memcpy(p, t->p, t->len);
		sodium_memzero(t->p, t->size);
		free(t->p);
	}
	t->p = p;
	t->size = size;
	return true;
}

static bool is_gap(char ch)
{
	return ch == ' ' || ch == '-' || ch == '.' || ch == '(' || ch == ')' || ch == '/';
}

/*
 * The next number of text that is written with gaps: digits only, to out (len bytes or
 * more of room).  *at moves behind it.  0: no more.
 */
static size_t next_number(char *out, const char *text, size_t len, size_t *at)
{
	size_t i = *at, n = 0, gaps = 0, since = 0;

	for (; i < len; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			out[n++] = text[i];
			gaps += n > 1 && since > 0 ? 1 : 0;
			since = 0;
		} else if (n > 0 && is_gap(text[i]) && since < 2) {
			since++;
		} else if (n > 0) {
			if (n >= DIGITS_MIN && gaps > 0)
				break;
			n = gaps = since = 0;
		}
	}
	*at = i;
	return n >= DIGITS_MIN && gaps > 0 ? n : 0;
}

/* folded text, line by line kept apart; then its numbers once more without gaps */
void search_text_add(struct search_text *t, const char *text, size_t len)
{
	size_t from, n, at = 0;

	if (t->err != PERR_OK || len == 0 || !make_room(t, 2 * FOLD_MAX(len) + 4))
		return;
	from = t->len;
	t->len += fold_text(t->p + t->len, t->size - t->len, text, len);
	n = t->len - from;
	t->p[t->len++] = '\n';
	for (;;) {
		size_t digits;

		if (!make_room(t, n + 4))
			return;
		digits = next_number(t->p + t->len, t->p + from, n, &at);
		if (digits == 0)
			return;
		t->len += digits;
		t->p[t->len++] = '\n';
	}
}

void search_text_free(struct search_text *t)
{
	if (t->p != NULL)
		sodium_memzero(t->p, t->size);
	free(t->p);
	memset(t, 0, sizeof *t);
}

/* ---- where the texts are kept ------------------------------------------------------- */

#define ENTRY_HEAD (STATEMENT_RECORD_SIZE + 4)

/* the entry at *at, which moves behind it.  false: the value is damaged */
static bool next_entry(const uint8_t *value, size_t len, size_t *at, const uint8_t **record,
                       const uint8_t **text, size_t *text_len)
{
	if (len - *at < ENTRY_HEAD)
		return false;
	*record = value + *at;
	*text_len = doc_get_u32(value + *at + STATEMENT_RECORD_SIZE);
	*text = value + *at + ENTRY_HEAD;
	if (len - *at - ENTRY_HEAD < *text_len)
		return false;
	*at += ENTRY_HEAD + *text_len;
	return true;
}

enum perr search_put(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                     const char *text, size_t len)
{
	const uint8_t *id, *old_text;
	uint8_t *old = NULL, *value = NULL;
	size_t old_len = 0, n = 0, at = 0, from = 0, k;
	char name[96];
	enum perr err;

	client_key_name(name, "text/", record, 1);
	err = kv_get(c->kv, name, &old, &old_len);
	if (err == PERR_NOTFOUND)
		err = len == 0 ? PERR_NOTFOUND : PERR_OK;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	value = malloc(old_len + ENTRY_HEAD + len);
	if (value == NULL)
		err = PERR_NOMEM;
	while (err == PERR_OK && at < old_len) {
		if (!next_entry(old, old_len, &at, &id, &old_text, &k)) {
			err = PERR_CORRUPT;
		} else if (memcmp(id, record, STATEMENT_RECORD_SIZE) != 0) {
			memcpy(value + n, old + from, at - from);
			n += at - from;
		}
		from = at;
	}
	if (err == PERR_OK && len > 0) {
		memcpy(value + n, record, STATEMENT_RECORD_SIZE);
		doc_u32(value + n + STATEMENT_RECORD_SIZE, (uint32_t)len);
		memcpy(value + n + ENTRY_HEAD, text, len);
		n += ENTRY_HEAD + len;
	}
	if (err == PERR_OK)
		err = n > 0 ? kv_put(c->kv, name, value, n) : kv_del(c->kv, name);
	doc_free(value, n);
	kv_free(old);
	return err;
}

/* ---- the query ---------------------------------------------------------------------- */

struct word {
	const char *p;
	size_t len;
	char digits[32];                 /* the same without gaps; n_digits 0: no number */
	size_t n_digits;
};

struct query {
	char folded[FOLD_MAX(SEARCH_QUERY_MAX)];
	struct word words[SEARCH_WORDS_MAX];
	size_t n;
	search_fn *fn;
	void *arg;
};

static void find_digits(struct word *w)
{
	for (size_t i = 0; i < w->len; i++) {
		bool digit = w->p[i] >= '0' && w->p[i] <= '9';

		if ((!digit && !is_gap(w->p[i]) && !(i == 0 && w->p[i] == 'a')) ||
		    w->n_digits == sizeof w->digits) {
			w->n_digits = 0;
			return;
		}
		if (digit)
			w->digits[w->n_digits++] = w->p[i];
	}
	if (w->n_digits < DIGITS_MIN)
		w->n_digits = 0;
}

static enum perr parse(struct query *q, const char *text)
{
	size_t len = strlen(text), at = 0, n;

	if (len > SEARCH_QUERY_MAX)
		return PERR_RANGE;
	n = fold_text(q->folded, sizeof q->folded, text, len);
	for (;;) {
		while (at < n && q->folded[at] == ' ')
			at++;
		if (at == n)
			break;
		if (q->n == SEARCH_WORDS_MAX)
			return PERR_RANGE;
		q->words[q->n].p = q->folded + at;
		while (at < n && q->folded[at] != ' ')
			at++;
		q->words[q->n].len = (size_t)(q->folded + at - q->words[q->n].p);
		find_digits(&q->words[q->n++]);
	}
	return q->n == 0 ? PERR_RANGE : PERR_OK;
}

static bool occurs(const struct word *w, const uint8_t *text, size_t len)
{
	return memmem(text, len, w->p, w->len) != NULL ||
	       (w->n_digits > 0 && memmem(text, len, w->digits, w->n_digits) != NULL);
}

static enum perr one_value(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct query *q = arg;
	enum perr err = PERR_OK;
	size_t at = 0;

	while (err == PERR_OK && at < len) {
		const uint8_t *record, *text;
		size_t text_len, i = 0;

		if (!next_entry(value, len, &at, &record, &text, &text_len))
			return PERR_CORRUPT;
		while (i < q->n && occurs(&q->words[i], text, text_len))
			i++;
		if (i == q->n)
			err = q->fn(q->arg, record);
	}
	return err;
}

enum perr search_run(struct client *c, const char *query, search_fn *fn, void *arg)
{
	struct query *q = calloc(1, sizeof *q);
	enum perr err;

	if (q == NULL)
		return PERR_NOMEM;
	q->fn = fn;
	q->arg = arg;
	err = parse(q, query);
	if (err == PERR_OK)
		err = case_refresh(c);
	if (err == PERR_OK)
		err = kv_each(c->kv, "text/", one_value, q);
	sodium_memzero(q, sizeof *q);
	free(q);
	return err;
}
