/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* op_outbox: what waits, what became safe.  Shapes: app/ops_volunteer.ts. */
#include <stdlib.h>
#include <string.h>

#include "wfill.h"
#include "outbox.h"
#include "roster.h"
#include "web_ops.h"

/*
 * Nothing of what left stays in the store, so "2 safe" is counted in memory, from the opening
 * of the vault on: whenever fewer wait than were seen last, the rest has left.  Seals and
 * clearings are told to it (wfill_tally), so that neither hides the other.
 */
struct tally {
	unsigned seen, safe;
};

static enum perr tally_of(struct web *w, struct tally **t, struct outbox_counts *n)
{
	enum perr err = outbox_counts(w->c, n);

	*t = w->part[WEB_PART_OUTBOX].state;
	if (err != PERR_OK || *t != NULL)
		return err;
	*t = calloc(1, sizeof **t);
	if (*t == NULL)
		return PERR_NOMEM;
	(*t)->seen = n->submissions;
	web_part_set(w, WEB_PART_OUTBOX, *t, free);
	return PERR_OK;
}

enum perr wfill_tally(struct web *w, bool is_ours)
{
	struct outbox_counts n;
	struct tally *t;
	enum perr err = tally_of(w, &t, &n);

	if (err != PERR_OK)
		return err;
	if (!is_ours && n.submissions < t->seen)
		t->safe += t->seen - n.submissions;
	t->seen = n.submissions;
	return PERR_OK;
}

enum perr op_outbox(struct web *w, struct web_args *a, struct web_out *o)
{
	const struct roster_field *field = w->c->field;
	struct outbox_counts n;
	struct tally *t;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = wfill_tally(w, false);
	if (err == PERR_OK)
		err = tally_of(w, &t, &n);
	if (err != PERR_OK)
		return err;
	web_out_uint(o, "waiting", n.submissions);
	web_out_uint(o, "safe", t->safe);
	web_out_uint(o, "on_one", n.on_one);
	web_out_uint(o, "needed", field == NULL ? 0 : n.needed);
	web_out_uint(o, "saved", n.saved);
	web_out_uint(o, "since", n.since);
	/* half of the days that its readers keep their keys are over */
	web_out_bool(o, "late", n.since != 0 && field != NULL &&
	             client_day(w->c) >= n.since + field->limits.grace_days / 2);
	web_out_list(o, "servers");
	for (uint32_t i = 0; field != NULL && i < field->n_servers; i++) {
		web_out_map(o, NULL);
		web_out_str(o, "address", field->servers[i].address);
		web_out_uint(o, "lacks", n.lacks[i]);
		web_out_end(o);
	}
	web_out_end(o);
	return PERR_OK;
}

enum perr op_outbox_clear(struct web *w, struct web_args *a, struct web_out *o)
{
	bool all = web_arg_bool(a, "all");
	unsigned cleared = 0;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = wfill_tally(w, false);
	if (err == PERR_OK)
		err = outbox_clear(w->c, all, &cleared);
	if (err == PERR_OK)
		err = wfill_tally(w, true);
	if (err == PERR_OK)
		web_out_uint(o, "n", cleared);
	return err;
}
