/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "pass.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "ledger.h"

void pass_free(struct pass *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->items[i].refs != NULL)
			sodium_memzero(p->items[i].refs,
			               STATEMENT_ATTACHMENTS * sizeof *p->items[i].refs);
		free(p->items[i].refs);
	}
	free(p->items);
	memset(p, 0, sizeof *p);
}

struct planning {
	struct pass *p;
	struct saying *s;
	pass_wanted_fn *wanted;
	void *arg;
};

static bool is_wanted(const struct planning *g, const uint8_t hash[32],
                      const struct case_statement *by)
{
	return g->wanted == NULL || g->wanted(g->arg, hash, by);
}

static enum perr seal_attachments(struct planning *g, const struct case_source *src,
                                  struct pass_item *item)
{
	const struct statement_attachments *list = envelope_attachments(src->st);
	enum perr err = PERR_OK;

	for (uint32_t i = 0; list != NULL && i < list->n && err == PERR_OK; i++) {
		struct case_attachment a = { .a = &list->at[i], .of = src };
		uint8_t *data = NULL;
		size_t len, same = 0;

		if (!is_wanted(g, a.a->hash, src->by))
			continue;
		while (same < item->n_refs && memcmp(item->refs[same].hash, a.a->hash, 32) != 0)
			same++;
		if (same < item->n_refs) {
			g->p->n_attachments++;
			continue;
		}
		err = case_content(g->s->c, &a, &data, &len);
		if (err == PERR_NOTFOUND) {
			g->p->n_missing++;
			err = PERR_OK;
			continue;
		}
		if (err == PERR_OK)
			err = dispatch_blob(g->s->d, data, len, &item->refs[item->n_refs]);
		kv_free(data);
		if (err == PERR_OK) {
			item->n_refs++;
			g->p->n_attachments++;
		}
	}
	return err;
}

static enum perr plan_source(struct planning *g, const struct case_source *src)
{
	struct pass_item *item = &g->p->items[g->p->n];
	enum perr err;

	item->refs = calloc(STATEMENT_ATTACHMENTS, sizeof *item->refs);
	if (item->refs == NULL)
		return PERR_NOMEM;
	item->src = src;
	g->p->n++;
	err = seal_attachments(g, src, item);
	/* attachments need the statement that names them, also where that was passed on before */
	if (err == PERR_OK && item->n_refs == 0 && !is_wanted(g, src->hash, src->by)) {
		free(item->refs);
		memset(item, 0, sizeof *item);
		g->p->n--;
	}
	return err;
}

enum perr pass_plan(struct pass *p, struct saying *s, const struct assigned *to,
                    pass_wanted_fn *wanted, void *arg)
{
	struct planning g = { .p = p, .s = s, .wanted = wanted, .arg = arg };
	const struct case_file *f = s->file;
	enum perr err = PERR_OK;

	memset(p, 0, sizeof *p);
	p->items = calloc(f->n_interviews + f->n_corrections + f->n + 1, sizeof *p->items);
	if (p->items == NULL)
		return PERR_NOMEM;
	if (ledger_wants_sources(to)) {
		for (size_t i = 0; i < f->n_interviews && err == PERR_OK; i++)
			err = plan_source(&g, &f->interviews[i]);
		for (size_t i = 0; i < f->n_corrections && err == PERR_OK; i++)
			err = plan_source(&g, &f->corrections[i]);
	}
	for (size_t i = 0; i < f->n; i++)
		if (ledger_wants(f, to, f->at[i]) && is_wanted(&g, f->at[i]->hash, f->at[i]))
			p->items[p->n++].word = f->at[i];
	return err;
}

static enum perr send_source(const struct pass_item *item, struct saying *s,
                             const struct assigned *to, const struct dispatch_readers *r,
                             const struct pass_offer *offer)
{
	struct statement_passed *body = &s->st->body.passed;

	if (offer == NULL)
		return saying_copy(s, to->key, to->turn, item->src->pass, item->src->pass_sig,
		                   item->refs, item->n_refs, r);
	saying_next(s, STATEMENT_ASSIGNMENT, to->key);
	body->reason = doc_text_of(offer->reason);
	body->original = item->src->pass;
	body->original_sig = item->src->pass_sig;
	body->turn = to->turn;
	body->role = offer->role;
	body->answer_by = offer->answer_by;
	return dispatch_send(s->d, s->st, item->refs, item->n_refs, r, false);
}

static enum perr note_source(const struct pass_item *item, struct saying *s,
                             const struct assigned *to)
{
	enum perr err = saying_passed(s, to->key, to->turn, item->src->hash);

	for (size_t i = 0; i < item->n_refs && err == PERR_OK; i++)
		err = saying_passed(s, to->key, to->turn, item->refs[i].hash);
	return err;
}

enum perr pass_send(struct pass *p, struct saying *s, const struct assigned *to,
                    const struct dispatch_readers *r, const struct pass_offer *offer)
{
	enum perr err = PERR_OK;

	for (size_t i = 0; i < p->n && err == PERR_OK; i++) {
		const struct pass_item *item = &p->items[i];

		if (item->src != NULL) {
			err = send_source(item, s, to, r, offer);
			if (err == PERR_OK)
				err = note_source(item, s, to);
			continue;
		}
		err = saying_copy(s, to->key, to->turn, item->word->env.statement,
		                  item->word->env.sig, NULL, 0, r);
		if (err == PERR_OK)
			err = saying_passed(s, to->key, to->turn, item->word->hash);
	}
	return err;
}
