/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "restored.h"

#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case.h"
#include "charter.h"
#include "custody.h"
#include "desk.h"
#include "doc.h"
#include "erasing.h"
#include "record.h"
#include "statement.h"

#define NAME "restored"
#define AT_ONCE 64               /* orders of one sync: the rest comes with the next */

enum perr restored_day(struct client *c, uint32_t *day)
{
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, NAME, &value, &len);

	*day = 0;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (len == 4)
		*day = doc_get_u32(value);
	else
		err = PERR_CORRUPT;
	kv_free(value);
	return err;
}

enum perr restored_note(struct kv *kv, uint32_t day)
{
	uint8_t value[4];

	doc_u32(value, day);
	return kv_put(kv, NAME, value, sizeof value);
}

enum perr restored_floor(struct client *c, uint32_t *number)
{
	uint32_t day;
	enum perr err = restored_day(c, &day);

	*number = day == 0 ? 0 : statement_stretch(day);
	return err;
}

/* ---- what was erased since --------------------------------------------------------------- */

struct listening {
	struct client *c;
	uint8_t at[AT_ONCE][CUSTODY_RECORD];
	size_t n;
};

/* is it here, of this desk, and nobody has ordered anything yet? */
static enum perr is_due(struct client *c, const uint8_t record[CUSTODY_RECORD],
                        const uint8_t desk[32], bool *due)
{
	struct case_summary *s = calloc(1, sizeof *s);
	struct erasing *e = calloc(1, sizeof *e);
	enum perr err = s == NULL || e == NULL ? PERR_NOMEM : case_summary(c, record, s);

	*due = err == PERR_OK && memcmp(s->desk, desk, 32) == 0;
	if (*due)
		err = erasing_get(c, record, e);
	/* an order, or a holder's no to one, is the answer already */
	if (*due && err == PERR_OK)
		*due = e->state == ERASING_ASKED;
	free(s);
	free(e);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static enum perr hear_one(void *arg, const struct statement *st, uint32_t number)
{
	struct listening *l = arg;
	const struct doc_bytes *erased = &st->body.custody.erased;
	const struct desk *d;
	enum perr err = cache_desk(l->c, st->to, &d);

	(void)number;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (!charter_has_holder(&d->now, st->author) || !charter_has_holder(&d->now, l->c->me->sign_pk))
		return PERR_OK;
	for (size_t i = 0; err == PERR_OK && i + CUSTODY_RECORD <= erased->len && l->n < AT_ONCE;
	     i += CUSTODY_RECORD) {
		bool due;

		err = is_due(l->c, erased->p + i, st->to, &due);
		if (err == PERR_OK && due)
			memcpy(l->at[l->n++], erased->p + i, CUSTODY_RECORD);
	}
	return err;
}

enum perr restored_duty(struct client *c, bool *more)
{
	struct listening *l;
	uint32_t day;
	enum perr err = restored_day(c, &day);

	if (err != PERR_OK || day == 0 || client_day(c) > day + RESTORED_LISTEN_DAYS)
		return err;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return PERR_NOMEM;
	l->c = c;
	err = record_custody(c, hear_one, l);
	for (size_t i = 0; i < l->n && err == PERR_OK; i++) {
		struct erasing_told told;
		char why[DISPATCH_WHY];

		err = erasing_say(c, l->at[i], STATEMENT_ERASE_ORDER,
		                  "erased by a co-holder before this vault was restored", &told, why);
		/* not possible now: the next sync tries again */
		if (err == PERR_REFUSED || err == PERR_NOTFOUND)
			err = PERR_OK;
		else if (err == PERR_OK)
			*more = true;
	}
	free(l);
	return err;
}
