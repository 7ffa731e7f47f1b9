/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "forget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "case_int.h"
#include "origin.h"
#include "record.h"
#include "search.h"

/* ---- attachments that another record has too ---------------------------------------- */

struct shared {
	struct client *c;
	const struct case_file *f;
	bool *keep;                      /* one for each attachment of f */
};

static void look_at(struct shared *g, const struct case_file *other)
{
	for (size_t i = 0; i < g->f->n_attachments; i++)
		for (size_t k = 0; k < other->n_attachments; k++)
			if (memcmp(g->f->attachments[i].a->hash, other->attachments[k].a->hash,
			           32) == 0)
				g->keep[i] = true;
}

static enum perr one_other(void *arg, const char *name)
{
	struct shared *g = arg;
	uint8_t record[STATEMENT_RECORD_SIZE];
	struct case_file *other = NULL;
	enum perr err = case_record_of(name, record);

	/* a correction's own record goes with the case */
	for (size_t i = 0; err == PERR_OK && i < g->f->n; i++)
		if (memcmp(record, g->f->at[i]->st.record, sizeof record) == 0)
			return PERR_OK;
	if (err == PERR_OK)
		err = case_load(g->c, record, &other);
	if (err == PERR_OK && other != NULL)
		look_at(g, other);
	case_close(other);
	return err;
}

/* ---- one record --------------------------------------------------------------------- */

static enum perr erase_one(void *arg, const char *name)
{
	struct client *c = arg;

	return kv_erase(c->kv, name);
}

static enum perr erase_all(struct client *c, const char *prefix,
                           const uint8_t record[STATEMENT_RECORD_SIZE])
{
	char name[96];

	record_name(name, prefix, record);
	return kv_each_name(c->kv, name, erase_one, c);
}

static enum perr erase_attachments(struct client *c, const struct case_file *f,
                                   const bool *keep)
{
	enum perr err = PERR_OK;
	char name[96];

	for (size_t i = 0; i < f->n_attachments && err == PERR_OK; i++) {
		if (keep[i])
			continue;
		client_key_name(name, "blob/", f->attachments[i].a->hash, 32);
		err = kv_erase(c->kv, name);
		client_key_name(name, "want/", f->attachments[i].a->hash, 32);
		if (err == PERR_OK)
			err = kv_each_name(c->kv, name, erase_one, c);
	}
	return err;
}

/* one record of the case: a correction that came by the code alone has one of its own */
static enum perr forget_record(struct client *c, const struct case_file *f,
                               const uint8_t record[STATEMENT_RECORD_SIZE])
{
	char prefix[96], name[96];
	enum perr err;

	snprintf(prefix, sizeof prefix, "code/%s/", f->s.code);
	record_name(name, prefix, record);
	err = f->s.code[0] == '\0' ? PERR_OK : kv_erase(c->kv, name);
	if (err == PERR_OK)
		err = erase_all(c, "stmt/", record);
	if (err == PERR_OK)
		err = origin_forget(c, record);
	if (err == PERR_OK)
		err = erase_all(c, "case/", record);
	if (err == PERR_OK)
		err = erase_all(c, "fresh/", record);
	return err == PERR_OK ? search_put(c, record, NULL, 0) : err;
}

static bool is_first_of_its_record(const struct case_file *f, size_t at)
{
	for (size_t k = 0; k < at; k++)
		if (memcmp(f->at[k]->st.record, f->at[at]->st.record, STATEMENT_RECORD_SIZE) == 0)
			return false;
	return true;
}

/* everything of it, and what the caller puts in its place */
static enum perr forget(struct client *c, const struct case_file *f, const bool *keep,
                        enum perr (*also)(void *arg), void *arg)
{
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = erase_attachments(c, f, keep);
	for (size_t i = 0; i < f->n && err == PERR_OK; i++)
		for (uint32_t k = 0; k < f->at[i]->env.n_refs && err == PERR_OK; k++)
			err = origin_forget_chunks(c, &f->at[i]->env.refs[k]);
	for (size_t i = 0; i < f->n && err == PERR_OK; i++)
		if (is_first_of_its_record(f, i))
			err = forget_record(c, f, f->at[i]->st.record);
	if (err == PERR_OK)
		err = also(arg);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

enum perr forget_case(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                      enum perr (*also)(void *arg), void *arg)
{
	struct shared g = { .c = c };
	struct case_file *f = NULL;
	enum perr err = case_open(c, record, &f);

	if (err == PERR_OK) {
		g.f = f;
		g.keep = calloc(f->n_attachments + 1, sizeof *g.keep);
		err = g.keep == NULL ? PERR_NOMEM : kv_each_name(c->kv, "case/", one_other, &g);
	}
	if (err == PERR_OK)
		err = forget(c, f, g.keep, also, arg);
	free(g.keep);
	case_close(f);
	return err;
}
