/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "visit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "notices.h"
#include "papers.h"
#include "post.h"
#include "prekeys.h"

#define TRIES 3                  /* a release in the middle changes the board */

struct visit_board {
	struct visit *v;
	uint32_t n, got, asked;
	unsigned tries;
	bool again;
	uint8_t digest[32];
	uint8_t *cells;
	uint8_t (*ids)[32];
};

static void board_begin(struct visit_board *vb);

/* everything is there: is it what the digest says, in the order of ids? */
static bool is_whole(struct visit_board *vb)
{
	crypto_generichash_state h;
	uint8_t digest[32];
	uint32_t i;

	crypto_generichash_init(&h, NULL, 0, 32);
	for (i = 0; i < vb->n; i++) {
		cell_id(vb->ids[i], vb->cells + (size_t)i * CELL_SIZE);
		if (i > 0 && memcmp(vb->ids[i - 1], vb->ids[i], 32) >= 0)
			return false;
		crypto_generichash_update(&h, vb->ids[i], 32);
	}
	crypto_generichash_final(&h, digest, 32);
	return memcmp(digest, vb->digest, 32) == 0;
}

static enum perr take_all(struct visit_board *vb)
{
	struct visit *v = vb->v;
	enum notices_taken taken;
	struct papers_watch watch;
	bool any = false;
	uint32_t i;
	enum perr err = papers_watch_begin(v->c, &watch);

	if (err == PERR_OK)
		err = kv_begin(v->c->kv);
	for (i = 0; err == PERR_OK && i < vb->n; i++) {
		err = notices_take(v->c, vb->cells + (size_t)i * CELL_SIZE, &taken);
		any |= taken != NOTICE_NOTHING;
	}
	if (err == PERR_OK)
		err = papers_watch_end(v->c);
	v->c->watch = NULL;
	if (err == PERR_OK) {
		memcpy(v->seen.board_digest, vb->digest, 32);
		memcpy(v->seen.board_header, v->c->header_hash, 32);
		err = seen_save(v->c, v->out->pk, &v->seen);
	}
	if (err == PERR_OK)
		err = kv_commit(v->c->kv);
	kv_abort(v->c->kv);
	if (err == PERR_OK && any)
		v->out->notes |= SYNC_N_BOARD;
	if (err == PERR_OK)
		err = post_check_board(v->c, v->out->pk, vb->digest, (const uint8_t (*)[32])vb->ids,
		                       vb->n);
	/* a charter may name this member now: volunteers then look under the field board key */
	if (err == PERR_OK && prekeys_needed(v->c))
		err = prekeys_renew(v->c, false, NULL);
	if (err == PERR_OK)
		err = prekeys_repost(v->c);
	return err;
}

static void board_finish(struct visit_board *vb)
{
	struct visit *v = vb->v;
	enum perr err = PERR_OK;

	if (vb->again) {
		if (++vb->tries < TRIES) {
			board_begin(vb);
			return;
		}
		v->out->notes |= SYNC_N_DIGEST;
	} else if (!is_whole(vb)) {
		v->out->notes |= SYNC_N_DIGEST;
	} else {
		err = take_all(vb);
	}
	if (err != PERR_OK) {
		visit_store_failed(v, err);
		return;
	}
	/* what this visit puts is staged against the board as it is shown now */
	memcpy(v->board_digest, vb->digest, 32);
	visit_board_free(v);
	visit_next(v);
}

static void on_entry(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m);

static bool ask(struct visit_board *vb, uint32_t at)
{
	struct rpc_msg *m = calloc(1, sizeof *m);
	bool ok;

	if (m == NULL) {
		visit_fail(vb->v, PERR_NOMEM, "out of memory");
		return false;
	}
	m->method = RPC_BOARD_GET;
	m->from = at;
	ok = visit_ask(vb->v, m, at, on_entry);
	vb->asked += ok ? 1 : 0;
	free(m);
	return ok;
}

static bool begin_list(struct visit_board *vb, const struct rpc_msg *m)
{
	uint32_t i;

	if (m->n > BOARD_ENTRIES_MAX)
		return false;
	vb->n = m->n;
	memcpy(vb->digest, m->digest, 32);
	vb->cells = malloc(((size_t)vb->n + 1) * CELL_SIZE);
	vb->ids = malloc(((size_t)vb->n + 1) * 32);
	if (vb->cells == NULL || vb->ids == NULL)
		return false;
	for (i = 1; i < vb->n; i++)
		if (!ask(vb, i))
			break;
	return true;
}

static void on_entry(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m)
{
	struct visit_board *vb = v->board;

	vb->asked--;
	if (err == PERR_OK && vb->cells == NULL && !begin_list(vb, m))
		err = PERR_FORMAT;
	if (v->is_over)
		return;
	if (err != PERR_OK || m->n != vb->n || memcmp(m->digest, vb->digest, 32) != 0 ||
	    (m->cell == NULL) != (at >= vb->n)) {
		vb->again = true;
	} else if (m->cell != NULL) {
		memcpy(vb->cells + (size_t)at * CELL_SIZE, m->cell, CELL_SIZE);
		visit_progress(v, SYNC_BOARD, ++vb->got, vb->n);
	}
	if (vb->asked == 0)
		board_finish(vb);
}

static void board_begin(struct visit_board *vb)
{
	free(vb->cells);
	free(vb->ids);
	vb->cells = NULL;
	vb->ids = NULL;
	vb->n = vb->got = vb->asked = 0;
	vb->again = false;
	(void)ask(vb, 0);
}

void visit_board_start(struct visit *v)
{
	/* read again under a new roster: it may have brought a board key */
	if (v->c->field == NULL ||
	    (memcmp(v->board_digest, v->seen.board_digest, 32) == 0 &&
	     memcmp(v->c->header_hash, v->seen.board_header, 32) == 0)) {
		visit_next(v);
		return;
	}
	v->board = calloc(1, sizeof *v->board);
	if (v->board == NULL) {
		visit_fail(v, PERR_NOMEM, "out of memory");
		return;
	}
	v->board->v = v;
	visit_progress(v, SYNC_BOARD, 0, 0);
	board_begin(v->board);
}

void visit_board_free(struct visit *v)
{
	if (v->board == NULL)
		return;
	free(v->board->cells);
	free(v->board->ids);
	free(v->board);
	v->board = NULL;
}
