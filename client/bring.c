/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quorum.h"
#include "rebase.h"
#include "roster.h"

static bool of_our_store(enum perr err)
{
	return err == PERR_IO || err == PERR_CORRUPT || err == PERR_FULL || err == PERR_NOMEM;
}

/* where to go: the roster may change under the walk */
struct place {
	char address[81];
	uint8_t pk[32];
};

static unsigned places(const struct client *c, struct place at[SYNC_SERVERS_MAX])
{
	unsigned n = 0;

	for (uint32_t i = 0; c->field != NULL && i < c->field->n_servers && n < SYNC_SERVERS_MAX; i++) {
		snprintf(at[n].address, sizeof at[n].address, "%s", c->field->servers[i].address);
		memcpy(at[n++].pk, c->field->servers[i].pk, 32);
	}
	return n;
}

static enum perr fetch(struct client *c, const struct sync_net *net, const struct place *p,
                       bool *reached)
{
	struct sync_server *out = calloc(1, sizeof *out);
	enum perr err;

	*reached = false;
	if (out == NULL)
		return PERR_NOMEM;
	err = sync_roster(c, net, p->address, p->pk, out);
	*reached = out->reached;
	free(out);
	return of_our_store(err) ? err : PERR_OK;
}

enum perr bring_newest(struct client *c, const struct sync_net *net, unsigned *reached)
{
	struct place at[SYNC_SERVERS_MAX];
	unsigned n = places(c, at), redone;
	enum perr err = rebase_settle(c, &redone);

	*reached = 0;
	for (unsigned i = 0; i < n && err == PERR_OK; i++) {
		bool there;

		err = fetch(c, net, &at[i], &there);
		*reached += there ? 1 : 0;
	}
	return err;
}

static struct steward_server *result_of(struct bring_result *r, const char *address)
{
	for (unsigned i = 0; i < r->n; i++)
		if (strcmp(r->server[i].address, address) == 0)
			return &r->server[i];
	if (r->n == SYNC_SERVERS_MAX)
		return NULL;
	snprintf(r->server[r->n].address, sizeof r->server[r->n].address, "%s", address);
	return &r->server[r->n++];
}

/* the visit's result beside what earlier visits of this call did there */
static void join_results(struct steward_server *all, const struct steward_server *now)
{
	struct steward_server before = *all;

	*all = *now;
	all->policy_put |= before.policy_put;
	all->bulletin_put |= before.bulletin_put;
	all->parts_put += before.parts_put;
	all->answers += before.answers;
	if (before.released_day != 0 && now->released_day == 0) {
		all->released_day = before.released_day;
		all->released_number = before.released_number;
		all->released_cells = before.released_cells;
	}
}

/*
 * One server.  true in *behind: another administrator's roster was fetched from it, and what
 * stands here now has to be brought.
 */
static enum perr bring_one(struct client *c, const struct sync_net *net, const struct place *p,
                           unsigned want, struct steward_server *all, bool *behind)
{
	struct steward_server now;
	uint8_t before[32];
	bool reached;
	uint32_t at = 0;
	enum perr err;

	*behind = false;
	while (at < c->field->n_servers && memcmp(c->field->servers[at].pk, p->pk, 32) != 0)
		at++;
	if (c->admin == NULL || at == c->field->n_servers)
		return PERR_OK;          /* not listed any more */
	if (all->complete)
		want &= (unsigned)STEWARD_PUSH;
	memcpy(before, c->header_hash, 32);
	for (unsigned tries = 0;; tries++) {
		err = steward_visit(c, net, at, want, &now);
		join_results(all, &now);
		/* a steward's key it does not know: another administrator's change is there first */
		if ((err != PERR_OLD && err != PERR_FORK && err != PERR_AUTH) || tries == 2)
			break;
		err = fetch(c, net, p, &reached);
		*behind = err == PERR_OK && memcmp(before, c->header_hash, 32) != 0;
		/* the roster is another one: its servers, and who is an administrator, too */
		if (err != PERR_OK || *behind)
			return err;
	}
	return of_our_store(err) ? err : PERR_OK;
}

enum perr bring_all(struct client *c, const struct sync_net *net, unsigned want,
                    struct bring_result *r)
{
	uint8_t has[SYNC_SERVERS_MAX][32];
	unsigned redone;
	bool again = true, adopted;
	enum perr err = quorum_settle(c, &adopted);

	if (err == PERR_OK)
		err = rebase_settle(c, &redone);

	memset(r, 0, sizeof *r);
	memset(has, 0, sizeof has);
	for (unsigned round = 0; round < BRING_TRIES && again && err == PERR_OK; round++) {
		struct place at[SYNC_SERVERS_MAX];
		unsigned n = places(c, at);

		again = false;
		for (unsigned i = 0; i < n && err == PERR_OK; i++) {
			struct steward_server *all = result_of(r, at[i].address);
			size_t k = all == NULL ? 0 : (size_t)(all - r->server);
			bool behind;

			if (all == NULL || (round > 0 && memcmp(has[k], c->header_hash, 32) == 0))
				continue;
			err = bring_one(c, net, &at[i], want, all, &behind);
			if (behind) {
				r->tries++;
				again = true;
			}
			/* those that did not answer are not asked once more in each round */
			if (all->complete || (!behind && !all->reached))
				memcpy(has[k], c->header_hash, 32);
		}
		/* a later server may have brought what an earlier one has not */
		for (unsigned k = 0; k < r->n; k++)
			again |= r->server[k].complete && memcmp(has[k], c->header_hash, 32) != 0;
	}
	for (unsigned k = 0; k < r->n; k++)
		r->done += r->server[k].complete && memcmp(has[k], c->header_hash, 32) == 0;
	return err;
}
