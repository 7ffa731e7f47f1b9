/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "retire.h"

#include "cache.h"
#include "covault.h"
#include "prekeys.h"
#include "record_blobs.h"
#include "roster.h"
#include "seen.h"

struct counting {
	uint32_t searched;               /* every server was looked through on this day or later */
	unsigned n;
};

static enum perr count_want(void *arg, const struct want *w)
{
	struct counting *k = arg;

	k->n += w->since_day >= k->searched;
	return PERR_OK;
}

enum perr retire_wants(struct client *c, unsigned *n)
{
	struct counting k = { .searched = c->field->n_servers == 0 ? 0 : UINT32_MAX };
	enum perr err = PERR_OK;

	*n = 0;
	for (uint32_t i = 0; err == PERR_OK && i < c->field->n_servers; i++) {
		struct seen s;

		err = seen_load(c, c->field->servers[i].pk, &s);
		if (err == PERR_OK && s.rescan_day < k.searched)
			k.searched = s.rescan_day;
	}
	if (err == PERR_OK)
		err = record_wants(c, count_want, &k);
	*n = k.n;
	return err;
}

enum perr retire_custody(struct client *c, uint32_t scanned_through, uint32_t *day)
{
	const uint8_t (*held)[32];
	size_t n;
	enum perr err = cache_held(c, &held, &n);

	*day = UINT32_MAX;
	for (size_t i = 0; err == PERR_OK && i < n; i++) {
		struct covaults *v;
		uint32_t through;

		err = covaults_load(c, held[i], &v);
		if (err != PERR_OK)
			break;
		through = covaults_through(v, scanned_through);
		*day = through < *day ? through : *day;
		covaults_free(v);
	}
	return err;
}

enum perr retire_prekeys(struct client *c, uint32_t scanned_through, unsigned *destroyed)
{
	unsigned wants = 0, due = 0;
	uint32_t custody;
	enum perr err;

	*destroyed = 0;
	if (c->field == NULL || !prekeys_needed(c))
		return PERR_OK;
	err = retire_wants(c, &wants);
	/* comparing vaults takes a walk through all of this one: not on most days */
	if (err == PERR_OK)
		err = prekeys_count_due(c, scanned_through, wants, &due);
	if (err != PERR_OK || due == 0)
		return err;
	err = retire_custody(c, scanned_through, &custody);
	return err == PERR_OK
	    ? prekeys_retire(c, scanned_through, wants, custody, destroyed) : err;
}
