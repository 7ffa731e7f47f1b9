/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "reboard.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "charters.h"
#include "doc.h"
#include "roster.h"

#define NAME      "reboard"
#define MARK_SIZE 36
#define SLOTS     "post/charter/"
#define SLOTS_MAX 64

struct slots {
	size_t n;
	char at[SLOTS_MAX][96];          /* "charter/<hash hex>" */
};

static enum perr one_slot(void *arg, const char *name)
{
	struct slots *s = arg;

	if (s->n < SLOTS_MAX)
		snprintf(s->at[s->n++], sizeof s->at[0], "%s", name + strlen("post/"));
	return PERR_OK;
}

static enum perr post_again(struct client *c, const char *slot)
{
	struct charter_signed ch = { 0 };
	uint8_t *raw;
	size_t len;
	enum perr err = kv_get(c->kv, slot, &raw, &len);

	if (err != PERR_OK)              /* a proposal that is over: its post stays as it is */
		return err == PERR_NOTFOUND ? PERR_OK : err;
	err = kv_decoded(charter_signed_decode(&ch, raw, len));
	kv_free(raw);
	if (err == PERR_OK)
		err = charters_post(c, slot, &ch);
	charter_signed_free(&ch);
	return err;
}

static enum perr is_marked(struct client *c, const uint8_t mark[MARK_SIZE], bool *is, bool *any)
{
	uint8_t *old;
	size_t len;
	enum perr err = kv_get(c->kv, NAME, &old, &len);

	*is = *any = false;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	*any = true;
	*is = len == MARK_SIZE && memcmp(old, mark, MARK_SIZE) == 0;
	kv_free(old);
	return PERR_OK;
}

enum perr reboard(struct client *c, bool *more)
{
	struct slots *s;
	uint8_t mark[MARK_SIZE];
	bool same, any;
	enum perr err;

	/* only staff puts charters on the board */
	if (c->staff == NULL || c->n_seasons == 0)
		return PERR_OK;
	doc_hash(mark, "amparo board mark", c->field->board_sk, 32);
	doc_u32(mark + 32, c->seasons[c->n_seasons - 1].number);
	err = is_marked(c, mark, &same, &any);
	if (err != PERR_OK || same)
		return err;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return PERR_NOMEM;
	/* the first time nothing can be under an older key */
	if (any)
		err = kv_each_name(c->kv, SLOTS, one_slot, s);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	for (size_t i = 0; i < s->n && err == PERR_OK; i++)
		err = post_again(c, s->at[i]);
	if (err == PERR_OK)
		err = kv_put(c->kv, NAME, mark, sizeof mark);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	*more |= err == PERR_OK && s->n > 0;
	free(s);
	return err;
}
