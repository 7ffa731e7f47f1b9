/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "duties.h"

#include "charters.h"
#include "custody_say.h"
#include "dispatch.h"
#include "erasing.h"
#include "forward.h"
#include "gaps.h"
#include "late.h"
#include "leave.h"
#include "papers.h"
#include "parting.h"
#include "post.h"
#include "prekeys.h"
#include "quorum.h"
#include "rebase.h"
#include "reboard.h"
#include "restored.h"
#include "retire.h"
#include "rotate.h"
#include "vouch.h"

/* the answer to the invitation of a member who was confirmed is over */
static enum perr forget_answer(struct client *c, const struct duties_sync *s, bool *more)
{
	uint8_t *value;
	enum perr err;

	(void)s;
	(void)more;
	if (c->me->state != CLIENT_MEMBER)
		return PERR_OK;
	err = kv_get(c->kv, "post/join", &value, NULL);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	kv_free(value);
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = post_drop(c, "join");
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

static enum perr look_for_gaps(struct client *c, const struct duties_sync *s, bool *more)
{
	(void)more;
	return s->fresh > 0 ? gaps_look(c) : PERR_OK;
}

/* what this member has of a desk that others hold now, or that it holds since this sync */
static enum perr hand_on_late(struct client *c, const struct duties_sync *s, bool *more)
{
	(void)s;
	enum perr err = c->staff == NULL ? PERR_OK : late_duty(c, more);

	return err == PERR_OK && c->staff != NULL ? parting_duty(c, more) : err;
}

/* an administrator's device lists what the holders of desks signed */
static enum perr list_charters(struct client *c, const struct duties_sync *s, bool *more)
{
	(void)s;
	return charters_duty(c, more);
}

static enum perr list_vouchers(struct client *c, const struct duties_sync *s, bool *more)
{
	(void)s;
	return vouch_duty(c, more);
}

/* what came in since a record was assigned, to whom it is assigned */
static enum perr pass_on(struct client *c, const struct duties_sync *s, bool *more)
{
	unsigned n;
	enum perr err = forward_run(c, &n);

	(void)s;
	*more = *more || n > 0;
	return err;
}

/* what is not this member's to read any more */
static enum perr let_go(struct client *c, const struct duties_sync *s, bool *more)
{
	unsigned n;
	enum perr err = leave_tidy(c, &n);

	(void)s;
	*more = *more || n > 0;
	return err;
}

/* cases whose erasure was ordered, and has rested long enough */
static enum perr carry_out_erasures(struct client *c, const struct duties_sync *s, bool *more)
{
	unsigned n;
	enum perr err = s->any_complete ? erasing_run(c, s->all_complete, &n) : PERR_OK;

	*more = *more || (s->any_complete && err == PERR_OK && n > 0);
	return err;
}

/* co-holders tell each other what they hold, and fill up what is lacked */
static enum perr tell_custody(struct client *c, const struct duties_sync *s, bool *more)
{
	return s->any_complete ? custody_say(c, s->fresh + s->told > 0, more) : PERR_OK;
}

/* what was erased between a backup and its restoring */
static enum perr let_go_since(struct client *c, const struct duties_sync *s, bool *more)
{
	return s->any_complete ? restored_duty(c, more) : PERR_OK;
}

/* what is left of paper holders that no charter names any more */
static enum perr tidy_papers(struct client *c, const struct duties_sync *s, bool *more)
{
	(void)s;
	(void)more;
	return papers_duty(c);
}

/* private halves that nothing needs any more */
static enum perr retire(struct client *c, const struct duties_sync *s, bool *more)
{
	unsigned n;

	(void)more;
	return s->all_complete ? retire_prekeys(c, s->scanned_through, &n) : PERR_OK;
}

/* own charters, under a board key of before */
static enum perr put_on_board_again(struct client *c, const struct duties_sync *s, bool *more)
{
	(void)s;
	return reboard(c, more);
}

/* an administrator's: seasons and access keys, by plan */
static enum perr rotate_when_due(struct client *c, const struct duties_sync *s, bool *more)
{
	unsigned n;

	(void)more;                      /* an administrator's sync ends by bringing what is new */
	return s->any_complete ? rotate_due(c, &n) : PERR_OK;
}

/*
 * A volunteer's vault looks the same after a sync, whether or not something was ever sent
 * with it: the records of the first submission are there before it, and the file is written
 * anew every time, so that neither its size nor its count of commits tells of a rewriting.
 */
static enum perr level_out(struct client *c, const struct duties_sync *s, bool *more)
{
	enum perr err;

	(void)s;
	(void)more;
	if (c->level != LEVEL_FIELD)
		return PERR_OK;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = dispatch_level(c);
	/* there is none of this name: what matters is that a settling is owed now */
	if (err == PERR_OK)
		err = kv_erase(c->kv, "outbox/000000000000.0000");
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

/* administrators': versions and orders that have enough signatures, policies to be signed anew */
static enum perr settle_quorum(struct client *c, const struct duties_sync *s, bool *more)
{
	unsigned due_before, due, redone;
	bool adopted;
	enum perr err;

	(void)s;
	if (c->admin == NULL)
		return PERR_OK;
	err = post_count_due(c, &due_before);
	if (err == PERR_OK)
		err = quorum_settle(c, &adopted);
	/* this device's own, upon a version that came first */
	if (err == PERR_OK)
		err = rebase_settle(c, &redone);
	if (err == PERR_OK)
		err = post_count_due(c, &due);
	*more |= err == PERR_OK && due > due_before;
	return err;
}

enum perr duties_run(struct client *c, const struct duties_sync *s, bool *more)
{
	static enum perr (*const duties[])(struct client *, const struct duties_sync *, bool *) = {
		forget_answer,
		hand_on_late,
		look_for_gaps,
		list_charters,
		list_vouchers,
		let_go,
		pass_on,
		carry_out_erasures,
		let_go_since,
		tell_custody,
		tidy_papers,
		retire,
		rotate_when_due,
		put_on_board_again,
		settle_quorum,
		level_out,
	};
	enum perr err = PERR_OK;

	*more = false;
	for (size_t i = 0; err == PERR_OK && i < sizeof duties / sizeof duties[0]; i++)
		err = duties[i](c, s, more);
	return err;
}
