/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "sync.h"

#include <stdio.h>
#include <string.h>

#include "enrol.h"
#include "prekeys.h"
#include "roster.h"
#include "seen.h"
#include "sync_run.h"

const char *sync_note_text(unsigned note)
{
	static const char *const texts[] = {
		"it brought a newer roster",
		("it shows another bulletin under the same version, signed by the administrators: "
		 "two histories exist; speak with a holder of your desk before you go on"),
		"its bulletin is older than the one already known",
		"its bulletin does not verify",
		"its disk is full: what was not taken stays here",
		"it takes no more for now: what was not taken stays here",
		"it refused a cell for good: the cell stays here",
		"it gave other cells than it had announced",
		"its backlog was put off",
		"only the own cells were fetched, among others",
		"everything was looked through once more for missing attachments",
		("none of its slots opens for this member, and none says that the membership ended: "
		 "it may be of before your enrolment; sync again, and ask your administrator if it "
		 "stays so"),
		"it no longer shows segments that it showed before",
		"its date is more than a day from this device's",
		"its board had something new",
		"it does not know the ticket of this invitation, or has another answer to it",
		"it could not read some of its cells",
		("its roster and this one each hold changes that the other lacks; they come together "
		 "when the administrators who made them have synced"),
		"its bulletin says that you are no member any more"
	};
	unsigned i;

	for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if ((note >> i & 1) != 0)
			return texts[i];
	return "";
}

/* ---- with a network that waits ---------------------------------------------------------------- */

/* moves r on until nothing more is wanted; frees it */
static enum perr run_all(struct sync_run *r, const struct sync_net *net,
                         struct sync_summary *summary)
{
	struct sync_want want;
	enum perr err;

	while (sync_run_next(r, &want) == PERR_OK && want.peer != NULL) {
		char why[sizeof summary->servers[0].why] = "";

		err = net->run(net->ctx, want.address, want.peer, why, sizeof why);
		sync_run_over(r, err, why);
	}
	err = sync_run_summary(r, summary);
	sync_run_free(r);
	return err;
}

enum perr sync_all(struct client *c, const struct sync_net *net, struct spool *spool,
                   const struct sync_hooks *hooks, struct sync_summary *summary)
{
	struct sync_run *r;
	enum perr err = sync_run_new(&r, c, spool, hooks);

	memset(summary, 0, sizeof *summary);
	return err == PERR_OK ? run_all(r, net, summary) : err;
}

/* of a run with one server */
static enum perr run_one(struct sync_run *r, const struct sync_net *net,
                         struct sync_server *result)
{
	struct sync_summary s;
	enum perr err = run_all(r, net, &s);

	*result = s.servers[0];
	return err;
}

static void result_of(struct sync_server *result, const char *address, const uint8_t pk[32])
{
	memset(result, 0, sizeof *result);
	memcpy(result->pk, pk, 32);
	snprintf(result->address, sizeof result->address, "%s", address);
}

enum perr sync_one(struct client *c, const struct sync_net *net, struct spool *spool,
                   const struct sync_hooks *hooks, const char *address,
                   const uint8_t server_pk[32], struct sync_server *result)
{
	struct sync_run *r;
	enum perr err = sync_run_new_one(&r, c, spool, hooks, address, server_pk);

	result_of(result, address, server_pk);
	return err == PERR_OK ? run_one(r, net, result) : err;
}

enum perr sync_roster(struct client *c, const struct sync_net *net, const char *address,
                      const uint8_t server_pk[32], struct sync_server *result)
{
	struct sync_run *r;
	enum perr err = sync_run_new_roster(&r, c, address, server_pk);

	result_of(result, address, server_pk);
	return err == PERR_OK ? run_one(r, net, result) : err;
}

enum perr sync_follow_up(struct client *c, bool *more)
{
	bool made = false;
	enum perr err = PERR_OK;

	if (c->me->state == CLIENT_JOINING && c->field != NULL) {
		uint16_t words[JOIN_WORDS];

		err = enrol_words(c, words);
		if (err != PERR_NOTFOUND)
			return PERR_OK;
		err = enrol_answer(c);
		*more |= err == PERR_OK;
	} else if (c->me->state == CLIENT_MEMBER && prekeys_needed(c)) {
		err = prekeys_renew(c, false, &made);
		*more |= made;
	}
	return err;
}

enum perr sync_scanned_through(struct client *c, uint32_t *day)
{
	uint32_t i, least = UINT32_MAX;

	*day = 0;
	for (i = 0; c->field != NULL && i < c->field->n_servers; i++) {
		struct seen s;
		enum perr err = seen_load(c, c->field->servers[i].pk, &s);

		if (err != PERR_OK)
			return err;
		least = s.scanned_through < least ? s.scanned_through : least;
	}
	*day = least == UINT32_MAX ? 0 : least;
	return PERR_OK;
}
