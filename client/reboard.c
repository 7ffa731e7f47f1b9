/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "reboard.h"

#include <string.h>

#include "charters.h"
#include "doc.h"
#include "roster.h"
#include "vouch.h"

#define NAME      "reboard"
#define MARK_SIZE 36

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
	unsigned n = 0;
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
	err = kv_begin(c->kv);
	/* the first time nothing can be under an older key */
	if (err == PERR_OK && any)
		err = charters_repost(c, &n);
	if (err == PERR_OK && any)
		err = vouch_repost(c, &n);
	if (err == PERR_OK)
		err = kv_put(c->kv, NAME, mark, sizeof mark);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	*more |= err == PERR_OK && n > 0;
	return err;
}
