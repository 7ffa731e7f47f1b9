/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status_erase.h"

#include <stdio.h>
#include <string.h>

#include "erasing.h"
#include "tally.h"

enum perr status_amend(struct client *c, struct list *l)
{
	struct tally a;
	char what[200], day[16];
	enum perr err;

	if (c->staff == NULL)
		return PERR_OK;
	err = tally_make(c, &a);
	if (err == PERR_OK && a.n_alone > 0) {
		cli_day(day, a.alone_since);
		snprintf(what, sizeof what, "%u correction%s for the interview of the same code, since %s", a.n_alone,
		         a.n_alone == 1 ? " waits" : "s wait", day);
		status_line(l, false, what, "ask the volunteer whether the interview was sent; `amparo cases` "
		            "has the code");
	}
	if (err == PERR_OK && a.n_conflicts > 0) {
		snprintf(what, sizeof what, "corrections differ on answers of %u case%s", a.n_conflicts,
		         a.n_conflicts == 1 ? "" : "s");
		status_line(l, false, what, "`amparo show CASE` says which; `amparo amend CASE` settles them");
	}
	return err;
}

enum perr status_erase(struct client *c, struct list *l)
{
	struct tally_erasures k;
	char what[400], who[140], day[16];
	enum perr err;

	if (c->staff == NULL)
		return PERR_OK;
	err = tally_erasures(c, &k);
	if (err != PERR_OK)
		return err;
	for (unsigned i = 0; i < k.n_by; i++) {
		if (k.by[i].n <= ERASING_MANY)
			continue;
		client_name_of(c, k.by[i].author, who, sizeof who);
		cli_day(day, k.by[i].day);
		snprintf(what, sizeof what, "MANY ERASURES: %s ordered %u on %s", who, k.by[i].n, day);
		status_line(l, false, what, "ask them by voice; if it was not them, call an administrator now: "
		            "`amparo erasures void --all`, then `amparo revoke`");
	}
	if (k.n_asked > 0) {
		snprintf(what, sizeof what, "%u famil%s to have a case erased", k.n_asked,
		         k.n_asked == 1 ? "y asks" : "ies ask");
		status_line(l, false, what, "`amparo erase` lists them; `amparo erase CASE` orders it, with "
		            "--stop it is not");
	}
	if (k.n_resting > 0) {
		cli_day(day, k.next);
		snprintf(what, sizeof what, "%u case%s to be erased, the next from %s on", k.n_resting,
		         k.n_resting == 1 ? " is" : "s are", day);
		status_line(l, false, what, "`amparo erase` lists them; `amparo erase CASE --stop` stops one");
	}
	if (k.n_waiting > 0) {
		snprintf(what, sizeof what, "%u erased case%s not gone everywhere yet", k.n_waiting,
		         k.n_waiting == 1 ? " is" : "s are");
		status_line(l, false, what, "`amparo erase` says who has not synced since");
	}
	return PERR_OK;
}
