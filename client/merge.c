/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "merge.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_EXTRA   32           /* bytes a step of a key takes beyond those of its path */
#define STEPS_MAX   64
#define INDEX_MAX   100000u

/* ---- paths -------------------------------------------------------------------------- */

/* one step of a path, taken apart */
struct step {
	const char *name;
	size_t name_len;
	uint32_t index;                  /* from 1 */
	bool is_added;                   /* index counts those an amendment adds */
	const char *mark;                /* MERGE_MARK hex digits of the one that adds; NULL: itself */
};

/* letters, digits and everything that is not ASCII; a colon ends a prefix */
static bool is_name(const char *s, size_t len)
{
	if (len == 0 || (s[0] >= '0' && s[0] <= '9') || s[0] == '-' || s[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)s[i];

		if (ch < 0x80 && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		                        "_-.:", ch) == NULL)
			return false;
	}
	return true;
}

static bool take_index(const char **at, const char *end, uint32_t *index)
{
	const char *s = *at;
	uint32_t n = 0;

	while (s < end && *s >= '0' && *s <= '9' && n <= INDEX_MAX)
		n = n * 10 + (uint32_t)(*s++ - '0');
	if (s == *at || n == 0 || n > INDEX_MAX)
		return false;
	*index = n;
	*at = s;
	return true;
}

/* steps of a path, from 1 to STEPS_MAX; 0: it is none */
static size_t take_apart(struct step *steps, const char *path, size_t len)
{
	const char *s = path, *end = path + len;
	size_t n = 0;

	while (s < end) {
		struct step *st = &steps[n];

		if (n++ == STEPS_MAX || *s++ != '/')
			return 0;
		*st = (struct step){ .name = s, .index = 1 };
		while (s < end && *s != '/' && *s != '[')
			s++;
		st->name_len = (size_t)(s - st->name);
		if (!is_name(st->name, st->name_len))
			return 0;
		if (s == end || *s == '/')
			continue;
		s++;
		st->is_added = s < end && *s == '+';
		s += st->is_added;
		if (!take_index(&s, end, &st->index))
			return 0;
		if (st->is_added && s < end && *s == '@') {
			st->mark = ++s;
			for (size_t i = 0; i < MERGE_MARK; i++, s++)
				if (s >= end || *s == '\0' || strchr("0123456789abcdef", *s) == NULL)
					return 0;
		}
		if (s == end || *s++ != ']')
			return 0;
	}
	return n;
}

/* out has room for the path and KEY_EXTRA bytes a step */
static size_t put_step(char *out, const struct step *st, const char *own)
{
	const char *mark = st->mark != NULL ? st->mark : own;
	int n = sprintf(out, "/%.*s", (int)st->name_len, st->name);

	if (st->is_added && mark != NULL)
		n += sprintf(out + n, "[+%u@%.*s]", st->index, MERGE_MARK, mark);
	else if (st->is_added)
		n += sprintf(out + n, "[+%u]", st->index);
	else if (st->index > 1)
		n += sprintf(out + n, "[%u]", st->index);
	return (size_t)n;
}

static char *put_together(const struct step *steps, size_t n, size_t len, const char *own)
{
	char *out = malloc(len + n * KEY_EXTRA + 1);
	size_t at = 0;

	for (size_t i = 0; out != NULL && i < n; i++)
		at += put_step(out + at, &steps[i], own);
	return out;
}

enum perr merge_path(char **out, const char *path, size_t len)
{
	struct step steps[STEPS_MAX + 1];
	size_t n = take_apart(steps, path, len);

	*out = n == 0 ? NULL : put_together(steps, n, len, NULL);
	return n == 0 ? PERR_FORMAT : *out == NULL ? PERR_NOMEM : PERR_OK;
}

/* ---- who knows whom ----------------------------------------------------------------- */

/* while it is being made */
struct making {
	struct merge *m;
	uint32_t n;
	uint64_t *time;                  /* of m->at[i] */
	uint8_t *knows;                  /* bit b of row a: a knows b */
	size_t row;                      /* bytes of a row */
	char (*mark)[MERGE_MARK + 1];
	struct word *words;
	size_t n_words;
};
/* a change with its path and a key to sort by */
struct word {
	char *path, *key;
	struct merge_said said;
	bool is_path, is_waiting;
};

static bool bit(const uint8_t *row, uint32_t b)
{
	return (row[b / 8] >> (b % 8) & 1) != 0;
}

static int by_hash(const void *a, const void *b)
{
	const struct merge_in *x = *(const struct merge_in *const *)a;
	const struct merge_in *y = *(const struct merge_in *const *)b;

	return memcmp(x->hash, y->hash, 32);
}

/* each once, by hash */
static enum perr gather(struct making *k, const struct merge_in *in, size_t n)
{
	struct merge *m = k->m;

	m->at = calloc(n + 1, sizeof *m->at);
	if (m->at == NULL)
		return PERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		m->at[i] = &in[i];
	if (n > 1)
		qsort(m->at, n, sizeof *m->at, by_hash);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || by_hash(&m->at[i - 1], &m->at[i]) != 0) {
			if (k->n == MERGE_MAX)
				return PERR_LIMIT;
			m->at[k->n++] = m->at[i];
		}
	m->n = k->n;
	return PERR_OK;
}

static uint32_t find(const struct making *k, const uint8_t hash[32])
{
	uint32_t low = 0, high = k->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int d = memcmp(k->m->at[mid]->hash, hash, 32);

		if (d == 0)
			return mid;
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return k->n;
}

/* what each one knows, with what those know (Warshall) */
static void learn(struct making *k)
{
	for (uint32_t a = 0; a < k->n; a++) {
		const struct doc_bytes *knew = &k->m->at[a]->st->body.amendment.knew;

		for (size_t i = 0; i + 32 <= knew->len; i += 32) {
			uint32_t b = find(k, knew->p + i);

			if (b < k->n && b != a)
				k->knows[a * k->row + b / 8] |= (uint8_t)(1u << (b % 8));
		}
	}
	for (uint32_t b = 0; b < k->n; b++)
		for (uint32_t a = 0; a < k->n; a++)
			for (size_t i = 0; bit(k->knows + a * k->row, b) && i < k->row; i++)
				k->knows[a * k->row + i] |= k->knows[b * k->row + i];
}

static uint32_t n_known(const struct making *k, uint32_t a)
{
	uint32_t n = 0;

	for (uint32_t b = 0; b < k->n; b++)
		n += bit(k->knows + a * k->row, b);
	return n;
}

/*
 * The time of each: its own, or just after the latest it knows, since a clock that was set
 * back must not undo a correction.  Who knows another knows more than that one, so those
 * that know least come first; nobody can know a hash that is not made yet, so there are no
 * circles.
 */
static enum perr tell_time(struct making *k)
{
	uint32_t *known = calloc(k->n + 1, sizeof *known);

	if (known == NULL)
		return PERR_NOMEM;
	for (uint32_t a = 0; a < k->n; a++) {
		const struct statement *st = k->m->at[a]->st;

		known[a] = n_known(k, a);
		k->time[a] = (uint64_t)st->day * 86400000 + st->body.amendment.milli;
	}
	for (uint32_t level = 1; level < k->n; level++)
		for (uint32_t a = 0; a < k->n; a++)
			for (uint32_t b = 0; known[a] == level && b < k->n; b++)
				if (bit(k->knows + a * k->row, b) && k->time[a] <= k->time[b])
					k->time[a] = k->time[b] + 1;
	free(known);
	return PERR_OK;
}

static bool is_before(const struct making *k, uint32_t a, uint32_t b)
{
	return k->time[a] != k->time[b] ? k->time[a] < k->time[b]
	     : memcmp(k->m->at[a]->hash, k->m->at[b]->hash, 32) < 0;
}

/* by insertion: there are few, and qsort hands its comparison no context */
static enum perr put_in_order(struct making *k)
{
	const struct merge_in **at = calloc(k->n + 1, sizeof *at);
	uint64_t *time = calloc(k->n + 1, sizeof *time);
	uint32_t *order = calloc(k->n + 1, sizeof *order), i, j;
	uint8_t *knows = calloc(k->n + 1, k->row);

	if (at == NULL || time == NULL || order == NULL || knows == NULL) {
		free(at);
		free(time);
		free(order);
		free(knows);
		return PERR_NOMEM;
	}
	for (i = 0; i < k->n; i++) {
		for (j = i; j > 0 && is_before(k, i, order[j - 1]); j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
	for (i = 0; i < k->n; i++) {
		at[i] = k->m->at[order[i]];
		time[i] = k->time[order[i]];
		for (j = 0; j < k->n; j++)
			if (bit(k->knows + order[i] * k->row, order[j]))
				knows[i * k->row + j / 8] |= (uint8_t)(1u << (j % 8));
	}
	free(order);
	free(k->m->at);
	free(k->time);
	free(k->knows);
	k->m->at = at;
	k->time = time;
	k->knows = knows;
	return PERR_OK;
}

/* a and b are places in the order: what comes before replaces nothing */
static bool replaces(const struct making *k, uint32_t a, uint32_t b)
{
	return a > b && (bit(k->knows + a * k->row, b) ||
	                 memcmp(k->m->at[a]->st->author, k->m->at[b]->st->author, 32) == 0);
}

/* ---- fields ------------------------------------------------------------------------- */

static uint32_t place_of_mark(const struct making *k, const char *mark)
{
	for (uint32_t i = 0; i < k->n; i++)
		if (memcmp(k->mark[i], mark, MERGE_MARK) == 0)
			return i;
	return k->n;
}

/*
 * Sorts as the answers stand: the second before the tenth, then those that were added, in
 * the order of the amendments that add them; a group before what is in it.
 */
static char *key_of(const struct making *k, const struct step *steps, size_t n, size_t len,
                    uint32_t own)
{
	char *out = malloc(len + n * KEY_EXTRA + 1);
	size_t at = 0;

	for (size_t i = 0; out != NULL && i < n; i++) {
		const struct step *st = &steps[i];
		uint32_t by = !st->is_added ? 0 : st->mark == NULL ? own : place_of_mark(k, st->mark);

		at += (size_t)sprintf(out + at, "\x01%.*s\x02%c%04x%06u%.*s", (int)st->name_len, st->name,
		                      st->is_added ? '+' : '!', by, st->index,
		                      by == k->n ? MERGE_MARK / 4 : 0, st->mark == NULL ? "" : st->mark);
	}
	return out;
}

static enum perr one_word(struct making *k, uint32_t by, uint32_t nth)
{
	const struct statement_change *ch = &k->m->at[by]->st->body.amendment.changes[nth];
	struct word *w = &k->words[k->n_words++];
	struct step steps[STEPS_MAX + 1];
	size_t n = take_apart(steps, ch->path.p, ch->path.len);

	w->said = (struct merge_said){ .by = by, .nth = nth, .is_gone = ch->is_gone, .value = ch->value };
	w->is_path = n > 0;
	for (size_t i = 0; i < n; i++)
		w->is_waiting = w->is_waiting || (steps[i].mark != NULL &&
		                                  place_of_mark(k, steps[i].mark) == k->n);
	if (n > 0) {
		w->path = put_together(steps, n, ch->path.len, k->mark[by]);
		w->key = key_of(k, steps, n, ch->path.len, by);
	} else {
		w->path = strndup(ch->path.p, ch->path.len);
		/* behind all that are paths */
		if (w->path != NULL && asprintf(&w->key, "\x7f%s", w->path) < 0)
			w->key = NULL;
	}
	return w->path == NULL || w->key == NULL ? PERR_NOMEM : PERR_OK;
}

static int by_field(const void *a, const void *b)
{
	const struct word *x = a, *y = b;
	int d = strcmp(x->key, y->key);

	if (d == 0)
		d = strcmp(x->path, y->path);
	if (d != 0)
		return d;
	if (x->said.by != y->said.by)
		return x->said.by < y->said.by ? -1 : 1;
	return x->said.nth < y->said.nth ? -1 : x->said.nth > y->said.nth;
}

static enum perr all_words(struct making *k)
{
	enum perr err = PERR_OK;
	size_t n = 0;

	for (uint32_t i = 0; i < k->n; i++)
		n += k->m->at[i]->st->body.amendment.n_changes;
	k->words = calloc(n + 1, sizeof *k->words);
	if (k->words == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < k->n; i++)
		for (uint32_t c = 0; c < k->m->at[i]->st->body.amendment.n_changes; c++)
			if (err == PERR_OK)
				err = one_word(k, i, c);
	if (err == PERR_OK && n > 1)
		qsort(k->words, n, sizeof *k->words, by_field);
	return err;
}

static bool same_value(const struct merge_said *a, const struct merge_said *b)
{
	return a->is_gone == b->is_gone && a->value.len == b->value.len &&
	       (a->value.len == 0 || memcmp(a->value.p, b->value.p, a->value.len) == 0);
}

static void judge(const struct making *k, struct merge_field *f)
{
	const struct merge_said *last = &f->said[f->n_said - 1];

	for (uint32_t i = 0; i < f->n_said; i++) {
		f->said[i].stands = true;
		for (uint32_t j = i + 1; j < f->n_said && f->said[i].stands; j++)
			/* who says two things in one breath means the last */
			f->said[i].stands = f->said[j].by != f->said[i].by &&
			                    !replaces(k, f->said[j].by, f->said[i].by);
	}
	for (uint32_t i = 0; i < f->n_said; i++)
		f->is_conflict = f->is_conflict || (f->said[i].stands && !same_value(&f->said[i], last));
}

static enum perr all_fields(struct making *k)
{
	struct merge *m = k->m;

	m->fields = calloc(k->n_words + 1, sizeof *m->fields);
	if (m->fields == NULL)
		return PERR_NOMEM;
	for (size_t i = 0, n; i < k->n_words; i += n) {
		struct merge_field *f = &m->fields[m->n_fields++];

		for (n = 1; i + n < k->n_words && strcmp(k->words[i].path, k->words[i + n].path) == 0 &&
		     k->words[i].is_path == k->words[i + n].is_path; n++)
			;
		f->path = k->words[i].path;
		k->words[i].path = NULL;
		f->is_path = k->words[i].is_path;
		f->is_waiting = k->words[i].is_waiting;
		f->n_said = (uint32_t)n;
		f->said = calloc(n, sizeof *f->said);
		if (f->said == NULL)
			return PERR_NOMEM;
		for (size_t j = 0; j < n; j++)
			f->said[j] = k->words[i + j].said;
		judge(k, f);
	}
	return PERR_OK;
}

static bool is_below(const char *path, const char *above)
{
	size_t n = strlen(above);

	return strncmp(path, above, n) == 0 && path[n] == '/';
}

/*
 * A child that one says is none, and of whom another, who did not know of that, tells
 * something: the child stays until somebody has looked.
 */
static void keep_what_changed(const struct making *k)
{
	for (uint32_t i = 0; i < k->m->n_fields; i++) {
		struct merge_field *f = &k->m->fields[i];
		const struct merge_said *gone = merge_now(f);

		for (uint32_t j = i + 1; gone->is_gone && j < k->m->n_fields &&
		     is_below(k->m->fields[j].path, f->path); j++) {
			const struct merge_field *below = &k->m->fields[j];

			for (uint32_t s = 0; s < below->n_said; s++)
				if (below->said[s].stands && below->said[s].by != gone->by &&
				    !replaces(k, gone->by, below->said[s].by))
					f->is_conflict = f->is_kept = true;
		}
	}
}

const struct merge_said *merge_now(const struct merge_field *f)
{
	/* the last of them in the order is replaced by none */
	return &f->said[f->n_said - 1];
}

static void making_end(struct making *k)
{
	for (size_t i = 0; i < k->n_words; i++) {
		free(k->words[i].path);
		free(k->words[i].key);
	}
	free(k->words);
	free(k->time);
	free(k->knows);
	free(k->mark);
}

enum perr merge_make(struct merge **out, const struct merge_in *in, size_t n)
{
	struct making k = { .m = calloc(1, sizeof *k.m) };
	enum perr err = k.m == NULL ? PERR_NOMEM : gather(&k, in, n);

	*out = NULL;
	k.row = (k.n + 7) / 8;
	if (err == PERR_OK) {
		k.time = calloc(k.n + 1, sizeof *k.time);
		k.knows = calloc(k.n + 1, k.row + 1);
		k.mark = calloc(k.n + 1, sizeof *k.mark);
		err = k.time == NULL || k.knows == NULL || k.mark == NULL ? PERR_NOMEM : PERR_OK;
	}
	if (err == PERR_OK) {
		learn(&k);
		err = tell_time(&k);
	}
	if (err == PERR_OK)
		err = put_in_order(&k);
	for (uint32_t i = 0; err == PERR_OK && i < k.n; i++)
		sodium_bin2hex(k.mark[i], sizeof k.mark[i], k.m->at[i]->hash, MERGE_MARK / 2);
	if (err == PERR_OK)
		err = all_words(&k);
	if (err == PERR_OK)
		err = all_fields(&k);
	if (err == PERR_OK) {
		keep_what_changed(&k);
		*out = k.m;
		k.m = NULL;
	}
	making_end(&k);
	merge_free(k.m);
	return err;
}

void merge_free(struct merge *m)
{
	if (m == NULL)
		return;
	for (uint32_t i = 0; m->fields != NULL && i < m->n_fields; i++) {
		free(m->fields[i].path);
		free(m->fields[i].said);
	}
	free(m->fields);
	free(m->at);
	free(m);
}
