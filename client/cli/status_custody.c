/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status_custody.h"

#include <stdio.h>

#include "cache.h"
#include "covault.h"
#include "status.h"

#define WHAT_SIZE 400

/*
 * A record that came today is in one vault as far as this one can know: the others say so
 * tomorrow.  What is still so after half of the retention calls for somebody.
 */
static enum perr records_line(const struct covaults *v, const char *desk, struct list *l)
{
	char what[WHAT_SIZE], next[WHAT_SIZE];
	struct covaults_sum sum;
	enum perr err = covaults_sum(v, &sum);

	if (err != PERR_OK)
		return err;
	if (v->is_alone) {
		snprintf(what, sizeof what, "in one vault only: %u (desk %s has no other holder)",
		         sum.in_one, desk);
		snprintf(next, sizeof next, "find a second attorney for the desk %s: if this device is "
		         "lost, what the servers no longer have is lost", desk);
		status_line(l, false, what, next);
		return PERR_OK;
	}
	if (sum.in_one_old == 0) {
		snprintf(what, sizeof what, "in one vault only: %u of %u record%s (desk %s)%s",
		         sum.in_one, sum.records, sum.records == 1 ? "" : "s", desk,
		         sum.in_one > 0 ? "; co-holders tell what they have once a day" : "");
		status_line(l, true, what, "");
		return PERR_OK;
	}
	snprintf(what, sizeof what, "in one vault only: %u of %u record%s (desk %s), %u of them for "
	         "more than %u days", sum.in_one, sum.records, sum.records == 1 ? "" : "s", desk,
	         sum.in_one_old, v->retention / 2);
	snprintf(next, sizeof next, "call a co-holder of the desk %s: whoever runs `amparo sync` now "
	         "gets them, and a day later they are in two vaults; the servers forget after %u "
	         "days", desk, v->retention);
	status_line(l, false, what, next);
	return PERR_OK;
}

static void sign_line(struct client *c, const struct covaults *v, const struct covault *co,
                      const char *desk, struct list *l)
{
	char what[WHAT_SIZE], next[WHAT_SIZE], who[160], day[16];
	bool fresh = covault_is_fresh(v, co);

	client_name_of(c, co->key, who, sizeof who);
	cli_day(day, co->day);
	if (!co->has_said)
		snprintf(what, sizeof what, "%s's vault has not been heard of yet (desk %s)", who, desk);
	else
		snprintf(what, sizeof what, "%s's vault was last heard of on %s (desk %s)%s", who, day,
		         desk, fresh ? "" : ": too long ago to count on it");
	snprintf(next, sizeof next, "ask %s to run `amparo sync`; if that device is lost, a vault "
	         "begun anew is filled up by the others", who);
	status_line(l, fresh, what, next);
}

enum perr status_custody(struct client *c, struct list *l)
{
	const uint8_t (*held)[32];
	size_t n;
	enum perr err = cache_held(c, &held, &n);

	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		const struct desk *desk;
		struct covaults *v;

		err = cache_desk(c, held[i], &desk);
		if (err == PERR_OK)
			err = covaults_load(c, held[i], &v);
		if (err != PERR_OK)
			break;
		err = records_line(v, desk->now.name, l);
		for (uint32_t k = 0; k < v->n && err == PERR_OK; k++)
			sign_line(c, v, &v->at[k], desk->now.name, l);
		covaults_free(v);
	}
	return err;
}
