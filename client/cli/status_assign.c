/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status_assign.h"

#include <stdio.h>
#include <string.h>

#include "case_code.h"
#include "leave.h"
#include "status.h"
#include "tally.h"

enum perr status_assign(struct client *c, struct list *l)
{
	struct tally k;
	char what[200];
	enum perr err;

	if (c->staff == NULL)
		return PERR_OK;
	err = tally_make(c, &k);
	if (err != PERR_OK)
		return err;
	if (k.n_silent > 0) {
		snprintf(what, sizeof what, "%u case%s back at the desk: nobody answered in time",
		         k.n_silent, k.n_silent == 1 ? " is" : "s are");
		status_line(l, false, what, "run `amparo cases --waiting`, then `amparo assign`");
	}
	if (k.n_waiting > k.n_silent) {
		snprintf(what, sizeof what, "%u case%s for an attorney", k.n_waiting - k.n_silent,
		         k.n_waiting - k.n_silent == 1 ? " waits" : "s wait");
		status_line(l, false, what, "run `amparo cases --waiting`, then `amparo assign`");
	}
	if (k.n_mine > 0) {
		snprintf(what, sizeof what, "%u case%s for your answer", k.n_mine,
		         k.n_mine == 1 ? " waits" : "s wait");
		status_line(l, false, what, "run `amparo cases --mine`, then `amparo accept` or "
		            "`amparo decline`");
	}
	return PERR_OK;
}

static void one_left(void *arg, const struct left *l)
{
	char code[CASE_CODE_SHOWN + 1];

	(void)arg;
	case_code_show(code, l->code);
	printf("Case %s %s; it is no longer on this device.\n", code, l->state == ASSIGNED_LATE
	       ? "was given to somebody else before your answer came"
	       : "was taken back by the desk");
}

enum perr status_say_left(struct client *c)
{
	return leave_tell(c, one_left, NULL);
}
