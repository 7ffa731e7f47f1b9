/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "web.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "kv_rows.h"
#include "web_ops.h"

struct op {
	const char *name;
	enum web_needs needs;
	enum perr (*run)(struct web *w, struct web_args *a, struct web_out *o);
};

static const struct op ops[] = {
#define WEB_OP_ENTRY(name, needs) { #name, needs, op_##name },
	WEB_OPS(WEB_OP_ENTRY)
#undef WEB_OP_ENTRY
};

struct web *web_new(const struct client_env *env)
{
	struct web *w = calloc(1, sizeof *w);

	if (w != NULL)
		w->env = *env;
	return w;
}

void web_part_set(struct web *w, enum web_part_id id, void *state, void (*free_fn)(void *state))
{
	struct web_part *part = &w->part[id];

	if (part->state != NULL && part->free != NULL && part->state != state)
		part->free(part->state);
	part->state = state;
	part->free = free_fn;
}

void web_lock(struct web *w)
{
	int i;

	for (i = 0; i < WEB_PARTS; i++)
		web_part_set(w, (enum web_part_id)i, NULL, NULL);
	client_free(w->c);
	w->c = NULL;
	w->kv = NULL;
	kv_rows_free(w->rows);
	w->rows = NULL;
	w->is_kiosk = false;
}

void web_free(struct web *w)
{
	if (w == NULL)
		return;
	web_lock(w);
	free(w);
}

static const struct op *op_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof ops / sizeof ops[0]; i++)
		if (strlen(ops[i].name) == len && memcmp(ops[i].name, name, len) == 0)
			return &ops[i];
	return NULL;
}

/* of answer_end: two names, a number and a flag */
#define END_SIZE 32

static void answer_begin(struct web_out *o)
{
	web_out_clear(o);
	web_out_map(o, NULL);
	web_out_spare(o, END_SIZE);
}

static void answer_end(const struct web *w, struct web_out *o)
{
	web_out_spare(o, 0);
	web_out_uint(o, "n", w->rows == NULL ? 0 : kv_rows_changes(w->rows));
	web_out_bool(o, "owed", w->rows != NULL && kv_rows_owes(w->rows));
	web_out_end(o);
}

static void answer_error(const struct web *w, struct web_out *o, enum perr err)
{
	answer_begin(o);
	web_out_err(o, "err", err);
	web_out_str(o, "why", o->why);
	answer_end(w, o);
}

uint8_t *web_call(struct web *w, const char *name, size_t name_len, const uint8_t *args,
                  size_t args_len, size_t *len)
{
	const struct op *op = op_find(name, name_len);
	struct web_args a;
	struct web_out o;
	uint8_t *out = NULL;
	enum perr err;

	*len = 0;
	web_out_init(&o);
	answer_begin(&o);
	web_out_map(&o, "ok");
	/* too much is read as nothing at all, which is no array */
	web_args_init(&a, args, args_len <= WEB_ARGS_MAX ? args_len : 0);
	err = args_len <= WEB_ARGS_MAX ? a.err : PERR_LIMIT;
	if (op == NULL)
		err = PERR_UNKNOWN;
	else if (op->needs == WEB_OPEN && w->c == NULL)
		err = PERR_STATE;
	/* What is done is answered: an act's few words fit into the first buffer, and the answer's
	 * end into what is spared. */
	if (err == PERR_OK)
		err = o.err;
	if (err == PERR_OK)
		err = op->run(w, &a, &o);
	if (w->kv != NULL) {
		kv_abort(w->kv);
		/* What was not settled whole must not be taken for the store's state. */
		if (err == PERR_OK && kv_rows_is_dead(w->rows))
			err = PERR_NOMEM;
	}
	if (err == PERR_OK)
		err = o.err;
	if (err == PERR_OK) {
		web_out_end(&o);
		answer_end(w, &o);
		err = o.err;
	}
	if (err != PERR_OK) {
		o.err = PERR_OK;        /* the answer was too large: there is room for the error */
		answer_error(w, &o, err);
	}
	web_args_free(&a);
	if (web_out_take(&o, &out, len) != PERR_OK)
		out = NULL;
	web_out_free(&o);
	return out;
}

uint8_t *web_change(struct web *w, size_t *len, enum perr *err)
{
	uint8_t *out = NULL;

	*len = 0;
	*err = w->rows == NULL ? PERR_OK : kv_rows_change(w->rows, &out, len);
	return out;
}
