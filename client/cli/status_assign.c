/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status_assign.h"

#include <stdio.h>
#include <string.h>

#include "case.h"
#include "leave.h"
#include "status.h"

struct counts {
	struct client *c;
	unsigned silent, waiting, mine;
};

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct counts *k = arg;
	const struct assigned *me = case_person(s, k->c->me->sign_pk);

	if (s->state == CASE_CLOSED)
		return PERR_OK;
	k->mine += me != NULL && (me->state == ASSIGNED_OFFERED || me->state == ASSIGNED_SILENT);
	if (!client_is_holder(k->c, s->desk))
		return PERR_OK;
	k->silent += s->unanswered;
	k->waiting += case_is_unassigned(s);
	return PERR_OK;
}

enum perr status_assign(struct client *c, struct list *l)
{
	struct counts k = { .c = c };
	char what[200];
	enum perr err;

	if (c->staff == NULL)
		return PERR_OK;
	err = case_each(c, one_case, &k, NULL);
	if (err != PERR_OK)
		return err;
	if (k.silent > 0) {
		snprintf(what, sizeof what, "%u case%s back at the desk: nobody answered in time",
		         k.silent, k.silent == 1 ? " is" : "s are");
		status_line(l, false, what, "run `amparo cases --waiting`, then `amparo assign`");
	}
	if (k.waiting > k.silent) {
		snprintf(what, sizeof what, "%u case%s for an attorney", k.waiting - k.silent,
		         k.waiting - k.silent == 1 ? " waits" : "s wait");
		status_line(l, false, what, "run `amparo cases --waiting`, then `amparo assign`");
	}
	if (k.mine > 0) {
		snprintf(what, sizeof what, "%u case%s for your answer", k.mine,
		         k.mine == 1 ? " waits" : "s wait");
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
