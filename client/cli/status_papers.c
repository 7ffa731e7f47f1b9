/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status_papers.h"

#include <stdio.h>
#include <string.h>

#include "cache.h"
#include "cli.h"
#include "papers.h"
#include "status.h"

#define WHAT_SIZE 320
#define REHEARSE_DAYS 183

static enum perr one_desk(struct client *c, struct list *l, const struct desk *d)
{
	char what[WHAT_SIZE], made[16], last[16], end[16];
	uint32_t today = client_day(c), rehearsed;
	struct papers_info p;
	enum perr err = papers_of_desk(c, d->id, &p);

	if (err == PERR_NOTFOUND) {
		snprintf(what, sizeof what, "desk %s has no paper holder: were every vault of it lost, nothing "
		         "could be restored", d->now.name);
		status_line(l, true, what, "");
		return PERR_OK;
	}
	if (err != PERR_OK)
		return err;
	if (!p.has_doc || !p.has_batch) {
		snprintf(what, sizeof what, "the keys of the paper holder of desk %s are here", d->now.name);
		status_line(l, false, what, "run `amparo sync` after a release; if they do not come, hold a "
		            "new ceremony with `amparo recovery setup`");
		return PERR_OK;
	}
	rehearsed = p.doc.rehearsed;
	cli_day(made, p.doc.day);
	cli_day(last, rehearsed);
	cli_day(end, p.last_day);
	snprintf(what, sizeof what, "paper holder of desk %s: %u of %u shares, set of %s, %s%s, keys until "
	         "%s", d->now.name, p.doc.need, p.doc.of, made, rehearsed > 0 ? "rehearsed on " :
	         "not rehearsed yet", rehearsed > 0 ? last : "", end);
	if (today >= p.doc.day + PAPERS_YEAR_DAYS)
		status_line(l, false, what, "the sheets are over a year old: hold a new ceremony with "
		            "`amparo recovery setup`");
	else if (today >= (rehearsed > 0 ? rehearsed : p.doc.day) + REHEARSE_DAYS)
		status_line(l, false, what, "bring the trustees together for `amparo recovery rehearse`");
	else
		status_line(l, true, what, "");
	return PERR_OK;
}

enum perr status_papers(struct client *c, struct list *l)
{
	const uint8_t (*held)[32];
	size_t n = 0;
	enum perr err = PERR_OK;

	if (c->staff != NULL)
		err = cache_held(c, &held, &n);
	for (size_t i = 0; err == PERR_OK && i < n; i++) {
		const struct desk *d;

		err = cache_desk(c, held[i], &d);
		if (err == PERR_OK)
			err = one_desk(c, l, d);
	}
	return err;
}
