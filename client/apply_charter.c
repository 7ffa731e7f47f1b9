/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "apply_charter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "charters.h"
#include "desk.h"
#include "roster.h"
#include "vouch.h"

/* is this document a version of some listed desk already? */
static enum perr is_there(const struct client *c, const uint8_t hash[32], bool *is)
{
	struct desk *d = malloc(sizeof *d);
	enum perr err = d == NULL ? PERR_NOMEM : PERR_OK;

	*is = false;
	for (uint32_t i = 0; i < c->field->n_desks && err == PERR_OK && !*is; i++) {
		err = client_desk(c, i, d);
		if (err == PERR_OK)
			*is = doc_find((const uint8_t (*)[32])d->hashes, d->n_hashes, hash) <
			      d->n_hashes;
	}
	free(d);
	return err;
}

enum perr apply_charter(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct charter_signed ch = { 0 }, tip = { 0 };
	struct roster_field *f = c->field;
	struct roster_desk *rd;
	uint32_t at = 0, valid = 0, needed = 1;
	bool is = false;
	enum perr err = charter_signed_decode(&ch, o->bytes, o->len);

	if (err == PERR_OK)
		err = is_there(c, ch.hash, &is);
	if (err != PERR_OK || is)
		goto out;
	err = charters_follows(c, &ch, &at, &tip);
	if (err == PERR_NOTFOUND) {
		snprintf(d->why, sizeof d->why, "the change of the desk %s was not listed: another "
		         "change of its holders was listed first; its holders propose theirs anew if "
		         "it is still wanted.", ch.body.name);
		err = PERR_OK;
		goto out;
	}
	if (err == PERR_OK)
		err = charter_progress(&valid, &needed, &ch, &tip);
	if (err != PERR_OK)
		goto out;
	if (valid < needed) {            /* no device of ours makes such an op; no client follows it */
		snprintf(d->why, sizeof d->why, "the change of the desk %s was not listed: its holders "
		         "have not signed it.", ch.body.name);
		goto out;
	}
	rd = &f->desks[at];
	rd->charters = arena_grow(f->mem, rd->charters, rd->n_charters, rd->n_charters + 1,
	                          sizeof *rd->charters);
	err = rd->charters == NULL ? PERR_NOMEM : PERR_OK;
	if (err != PERR_OK)
		goto out;
	rd->charters[rd->n_charters] = doc_bytes_of(arena_bytes(f->mem, o->bytes, o->len), o->len);
	err = rd->charters[rd->n_charters].p == NULL ? PERR_NOMEM : PERR_OK;
	if (err != PERR_OK)
		goto out;
	rd->n_charters++;
	/* who comes later must not be shown a desk that those who left still hold */
	rd->lowest_charter = ch.body.version;
	d->changed = true;
out:
	charter_signed_free(&ch);
	charter_signed_free(&tip);
	return err;
}

enum perr apply_countersign(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct charter_signed ch = { 0 }, first = { 0 };
	struct roster_field *f = c->field;
	uint8_t *out = NULL;
	size_t len = 0;
	uint32_t at;
	enum perr err = charter_signed_decode(&ch, o->bytes, o->len);

	for (at = 0; err == PERR_OK && at < f->n_desks; at++) {
		err = charter_signed_decode(&first, f->desks[at].charters[0].p,
		                            f->desks[at].charters[0].len);
		if (err != PERR_OK || memcmp(first.hash, ch.hash, 32) == 0)
			break;
		charter_signed_free(&first);
	}
	if (err == PERR_OK && at == f->n_desks) {
		snprintf(d->why, sizeof d->why, "the desk %s is not in the roster any more: nobody can "
		         "vouch for it.", ch.body.name);
		goto out;
	}
	if (err == PERR_OK)
		err = vouch_merge(c, at, &ch, &out, &len);
	if (err == PERR_LIMIT) {
		snprintf(d->why, sizeof d->why, "another desk's word for the desk %s was not listed: "
		         "%d desks vouch for it already, the most that is possible.", ch.body.name,
		         CHARTER_COUNTER_MAX);
		err = PERR_OK;
	}
	if (err != PERR_OK || out == NULL)
		goto out;
	f->desks[at].charters[0] = doc_bytes_of(arena_bytes(f->mem, out, len), len);
	err = f->desks[at].charters[0].p == NULL ? PERR_NOMEM : PERR_OK;
	d->changed = true;
out:
	charter_signed_free(&ch);
	charter_signed_free(&first);
	doc_free(out, len);
	return err;
}
