/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "record_gaps.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "doc.h"
#include "envelope.h"
#include "record.h"

struct seen {
	uint8_t author[32], desk[32];
	uint32_t number, day;
};

struct gaps {
	struct client *c;
	struct envelope env;
	struct statement st;
	struct seen *at;
	size_t n, room;
};

static enum perr one_number(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct gaps *g = arg;
	const uint8_t (*held)[32];
	size_t n_held;
	enum perr err;

	if (len <= RECORD_HEAD)
		return PERR_CORRUPT;
	err = envelope_decode(&g->env, value + RECORD_HEAD, len - RECORD_HEAD);
	if (err == PERR_OK && g->env.has_opening) {
		err = statement_decode(&g->st, g->env.statement.p, g->env.statement.len);
		if (err == PERR_UNKNOWN)
			err = PERR_OK;
	}
	if (err != PERR_OK)
		return err == PERR_NOMEM ? err : PERR_CORRUPT;
	err = cache_taken(g->c, &held, &n_held);
	if (err != PERR_OK || !g->env.has_opening ||
	    doc_find(held, n_held, g->st.to) == n_held)
		return err;
	if (g->n == g->room) {
		size_t room = g->room == 0 ? 256 : 2 * g->room;
		struct seen *more = realloc(g->at, room * sizeof *more);

		if (more == NULL)
			return PERR_NOMEM;
		g->at = more;
		g->room = room;
	}
	memcpy(g->at[g->n].author, g->st.author, 32);
	memcpy(g->at[g->n].desk, g->st.to, 32);
	g->at[g->n].day = g->st.day;
	g->at[g->n++].number = g->env.number;
	return PERR_OK;
}

static int by_author(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int d = memcmp(x, y, offsetof(struct seen, number));

	return d != 0 ? d : x->number < y->number ? -1 : x->number > y->number;
}

/* did the device of the stretches before this one go on after it had begun? */
static bool went_on(const struct seen *at, size_t before, uint32_t day)
{
	for (size_t i = 0; i < before; i++)
		if (at[i].day > day)
			return true;
	return false;
}

/* one author's numbers towards one desk, in rising order, stretch after stretch */
static enum perr report(const struct seen *at, size_t n, record_gap_fn *fn, void *arg)
{
	struct record_gap gap = { .highest = 0 };
	uint32_t different = 0;

	memcpy(gap.author, at->author, 32);
	memcpy(gap.desk, at->desk, 32);
	for (size_t i = 0; i < n; i++) {
		uint32_t stretch = at[i].number >> STATEMENT_STRETCH_BITS;

		if (i == 0 || at[i].number != at[i - 1].number)
			different++;
		else if (i == 1 || at[i].number != at[i - 2].number)
			gap.twice++;
		if (stretch > 0 && (i == 0 || at[i - 1].number >> STATEMENT_STRETCH_BITS != stretch)) {
			gap.restored = STATEMENT_STRETCH_DAY + stretch;
			gap.two_devices |= went_on(at, i, gap.restored);
		}
		/* the last of its stretch */
		if (i + 1 == n || at[i + 1].number >> STATEMENT_STRETCH_BITS != stretch)
			gap.highest += at[i].number & STATEMENT_PLACE_MAX;
	}
	gap.missing = gap.highest - different;
	return gap.missing == 0 && gap.twice == 0 && !gap.two_devices ? PERR_OK : fn(arg, &gap);
}

enum perr record_gaps(struct client *c, record_gap_fn *fn, void *arg)
{
	struct gaps *g = calloc(1, sizeof *g);
	enum perr err;

	if (g == NULL)
		return PERR_NOMEM;
	g->c = c;
	err = kv_each(c->kv, "stmt/", one_number, g);
	if (err == PERR_OK && g->n > 0) {
		qsort(g->at, g->n, sizeof *g->at, by_author);
		for (size_t i = 0, n; i < g->n && err == PERR_OK; i += n) {
			for (n = 1; i + n < g->n &&
			     memcmp(&g->at[i], &g->at[i + n], offsetof(struct seen, number)) == 0; n++)
				;
			err = report(g->at + i, n, fn, arg);
		}
	}
	free(g->at);
	sodium_memzero(g, sizeof *g);
	free(g);
	return err;
}
