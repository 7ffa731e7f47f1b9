/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status_charters.h"

#include <stdio.h>
#include <string.h>

#include "charters.h"
#include "cli.h"
#include "late.h"
#include "parting.h"
#include "status.h"
#include "vouch.h"

#define WHAT_SIZE 900            /* sixteen names that join and sixteen that leave are cut */

struct lines {
	struct client *c;
	struct list *l;
};

static size_t add_names(struct client *c, const uint8_t (*keys)[32], uint32_t n, const char *verb,
                        char *out, size_t at, size_t size)
{
	for (uint32_t i = 0; i < n && at < size; i++) {
		char name[160];

		client_name_of(c, keys[i], name, sizeof name);
		at += (size_t)snprintf(out + at, size - at, "%s%s %s", at > 0 ? "; " : "", name, verb);
	}
	return at;
}

void status_change_words(struct client *c, const struct charters_change *ch, char *out,
                         size_t size)
{
	size_t at;

	out[0] = '\0';
	at = add_names(c, (const uint8_t (*)[32])ch->added, ch->n_added, "joins", out, 0, size);
	at = add_names(c, (const uint8_t (*)[32])ch->removed, ch->n_removed, "leaves", out, at, size);
	if (ch->next->threshold != ch->desk->now.threshold && at < size)
		snprintf(out + at, size - at, "%s%u signature%s for the next change instead of %u",
		         at > 0 ? "; " : "", ch->next->threshold, ch->next->threshold == 1 ? "" : "s",
		         ch->desk->now.threshold);
}

static enum perr change_line(void *arg, const struct charters_change *ch)
{
	struct lines *k = arg;
	char what[WHAT_SIZE], who[WHAT_SIZE - 200];
	bool complete = ch->n_signed >= ch->n_needed;

	if (!ch->may_sign && !charter_has_holder(ch->next, k->c->me->sign_pk) && k->c->admin == NULL)
		return PERR_OK;          /* not a matter of this member's */
	status_change_words(k->c, ch, who, sizeof who);
	snprintf(what, sizeof what, "desk %s is to change: %s (%u of %u signatures)",
	         ch->desk->now.name, who, ch->n_signed, ch->n_needed);
	status_line(k->l, false, what, complete
	            ? k->c->admin != NULL ? "run `amparo sync`: it lists the change"
	                                  : "an administrator's next `amparo sync` lists it"
	            : ch->may_sign && !ch->signed_by_me
	            ? "look at it and sign it with `amparo desk sign`, or leave it"
	            : "its other holders run `amparo sync` and `amparo desk sign`");
	return PERR_OK;
}

static enum perr overtaken_line(void *arg, const char *desk, uint32_t day)
{
	struct lines *k = arg;
	char what[WHAT_SIZE], when[16];

	cli_day(when, day);
	snprintf(what, sizeof what, "a change of desk %s that you signed was not listed: another one "
	         "was listed first (%s); `amparo desk change` proposes it anew", desk, when);
	status_line(k->l, true, what, "");
	return PERR_OK;
}

static enum perr vouch_line(void *arg, const struct vouch *v)
{
	struct lines *k = arg;
	char what[WHAT_SIZE], next[200];

	if (v->listed || !v->may_sign || (v->signed_by_me && v->n_signed >= v->n_needed))
		return PERR_OK;
	snprintf(what, sizeof what, "desk %s vouches for desk %s: %u of %u signatures of those who "
	         "hold it now", v->by_name, v->desk_name, v->n_signed, v->n_needed);
	snprintf(next, sizeof next, v->signed_by_me ? "the other holders run `amparo desk "
	         "countersign \"%s\"`" : "compare its words with somebody who holds it, then run "
	         "`amparo desk countersign \"%s\"`", v->desk_name);
	status_line(k->l, false, what, next);
	return PERR_OK;
}

/* nobody is asked anything: it says why bytes go out, and what waits for others' keys */
static enum perr late_lines(struct lines *k)
{
	unsigned waiting, handed, n;
	char what[WHAT_SIZE];
	enum perr err = parting_count(k->c, &n);

	if (err == PERR_OK && n > 0) {
		snprintf(what, sizeof what, "what you have of %u desk%s you left is not handed over yet", n,
		         n == 1 ? "" : "s");
		status_line(k->l, false, what, "run `amparo sync` until this line is gone, before you put the "
		            "device away");
	}
	if (err == PERR_OK)
		err = late_count(k->c, &waiting, &handed);
	if (err != PERR_OK || waiting + handed == 0)
		return err;
	snprintf(what, sizeof what, "%u message%s for a desk you do not hold: %u sealed on to who does, "
	         "%u wait%s", waiting + handed, waiting + handed == 1 ? "" : "s", handed, waiting,
	         waiting == 1 ? "s" : "");
	status_line(k->l, waiting == 0, what, "run `amparo sync`: it passes them on when it knows the "
	            "keys of who holds the desk now");
	return PERR_OK;
}

enum perr status_charters(struct client *c, struct list *l)
{
	struct lines k = { .c = c, .l = l };
	enum perr err = charters_each(c, change_line, &k);

	if (err == PERR_OK)
		err = charters_overtaken(c, overtaken_line, &k);
	if (err == PERR_OK)
		err = vouch_each(c, vouch_line, &k);
	return err == PERR_OK ? late_lines(&k) : err;
}
