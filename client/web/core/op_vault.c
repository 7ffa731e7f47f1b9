/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * op_vault: a vault is made, unlocked, loaded, opened, locked; its passphrase; its settling.
 *
 *	vault_create      pass (text), light (bool) | kiosk (bool)    -> state
 *	vault_unlock      header (bytes), pass (text)                 -> nothing yet
 *	vault_load        rows (list of bytes: rk 32, then the row)   any number of times
 *	vault_open                                                    -> state, bytes
 *	vault_lock
 *	vault_passphrase  old, pass (texts), light (bool)
 *	vault_settle                                                  -> bytes
 *
 * state is client_state of client.h.  A text of six words is brought to one spelling, as on
 * the command line (phrase.h).  As there, a new passphrase that is too weak is refused: PERR_KEY.
 */
#include <sodium.h>
#include <string.h>

#include "kv_rows.h"
#include "phrase.h"
#include "web_ops.h"

#define LOAD_MAX 4096           /* rows of one vault_load */

static enum perr arg_phrase(struct web_args *a, const char *name, struct phrase **p)
{
	const char *text = web_arg_text(a, name, 1, PHRASE_MAX);

	*p = NULL;
	return a->err == PERR_OK ? phrase_of(p, text, strlen(text)) : a->err;
}

/* of a vault that is made, or from now on: whatever the page showed of its strength */
static enum perr arg_new_phrase(struct web_args *a, struct phrase **p)
{
	enum perr err = arg_phrase(a, "pass", p);

	return err == PERR_OK && !phrase_is_enough(*p) ? PERR_KEY : err;
}

static enum vault_cost cost_of(bool is_light)
{
	return is_light ? VAULT_LIGHT : VAULT_MODERATE;
}

/* The rows are there: the client over them. */
static enum perr open_client(struct web *w, struct web_out *o)
{
	enum perr err;

	w->kv = kv_rows_kv(w->rows);
	err = client_open(&w->c, w->kv, &w->env);
	if (err != PERR_OK) {
		web_lock(w);
		return err;
	}
	web_out_uint(o, "state", w->c->me->state);
	web_out_uint(o, "bytes", kv_rows_bytes(w->rows));
	return PERR_OK;
}

enum perr op_vault_create(struct web *w, struct web_args *a, struct web_out *o)
{
	bool is_kiosk = web_arg_bool(a, "kiosk"), is_light = false;
	struct phrase *pass = NULL;
	enum perr err = PERR_OK;

	if (w->rows != NULL)
		return PERR_STATE;
	if (!is_kiosk) {
		is_light = web_arg_bool(a, "light");
		err = arg_new_phrase(a, &pass);
	}
	if (err == PERR_OK)
		err = web_args_end(a);
	if (err == PERR_OK)
		err = is_kiosk ? kv_rows_new_kiosk(&w->rows)
		    : kv_rows_create(&w->rows, pass->text, pass->len, cost_of(is_light));
	phrase_free(pass);
	if (err != PERR_OK)
		return err;
	w->is_kiosk = is_kiosk;
	return open_client(w, o);
}

enum perr op_vault_unlock(struct web *w, struct web_args *a, struct web_out *o)
{
	size_t header_len;
	const uint8_t *header = web_arg_bytes(a, "header", 0, 4096, &header_len);
	struct phrase *pass = NULL;
	enum perr err;

	(void)o;
	/* A vault that was unlocked and never opened begins again. */
	if (w->c != NULL)
		return PERR_STATE;
	web_lock(w);
	err = arg_phrase(a, "pass", &pass);
	if (err == PERR_OK)
		err = web_args_end(a);
	if (err == PERR_OK)
		err = kv_rows_unlock(&w->rows, header, header_len, pass->text, pass->len);
	phrase_free(pass);
	return err;
}

enum perr op_vault_load(struct web *w, struct web_args *a, struct web_out *o)
{
	struct mp_reader r;
	uint32_t n = web_arg_list(a, "rows", 0, LOAD_MAX, &r), i;
	enum perr err = web_args_end(a);

	(void)o;
	if (w->rows == NULL || w->c != NULL)
		err = PERR_STATE;
	for (i = 0; i < n && err == PERR_OK; i++) {
		size_t len;
		const uint8_t *row = mp_bin_var(&r, 0, SIZE_MAX, &len);

		err = row == NULL ? r.err
		    : len < VAULT_RK_SIZE ? PERR_CORRUPT
		    : kv_rows_load(w->rows, row, row + VAULT_RK_SIZE, len - VAULT_RK_SIZE);
	}
	if (err == PERR_OK)
		return mp_finish(&r);
	(void)!mp_finish(&r);
	return err;
}

enum perr op_vault_open(struct web *w, struct web_args *a, struct web_out *o)
{
	enum perr err = web_args_end(a);

	if (err != PERR_OK)
		return err;
	if (w->rows == NULL || w->c != NULL)
		return PERR_STATE;
	err = kv_rows_open(w->rows);
	if (err != PERR_OK) {
		web_lock(w);
		return err;
	}
	return open_client(w, o);
}

enum perr op_vault_lock(struct web *w, struct web_args *a, struct web_out *o)
{
	(void)o;
	/* whatever the arguments: it is locked afterwards */
	web_lock(w);
	return web_args_end(a);
}

enum perr op_vault_passphrase(struct web *w, struct web_args *a, struct web_out *o)
{
	bool is_light = web_arg_bool(a, "light");
	struct phrase *old = NULL, *pass = NULL;
	enum perr err;

	(void)o;
	err = arg_phrase(a, "old", &old);
	if (err == PERR_OK)
		err = arg_new_phrase(a, &pass);
	if (err == PERR_OK)
		err = web_args_end(a);
	if (err == PERR_OK)
		err = kv_rows_check(w->rows, old->text, old->len);
	if (err == PERR_OK)
		err = kv_rows_passphrase(w->rows, pass->text, pass->len, cost_of(is_light));
	phrase_free(old);
	phrase_free(pass);
	return err;
}

enum perr op_vault_settle(struct web *w, struct web_args *a, struct web_out *o)
{
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = kv_settle(w->kv);
	if (err == PERR_OK)
		web_out_uint(o, "bytes", kv_rows_bytes(w->rows));
	return err;
}
