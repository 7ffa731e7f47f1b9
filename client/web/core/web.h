/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * web: the client's core behind one call, for a page in a browser.
 *
 * A page holds the same C as the command line, compiled to WebAssembly, and speaks to it
 * through web_call alone: the name of an op and its arguments in, one answer out.  Here it
 * also compiles natively, so that units and sanitizers reach it.
 *
 * ARGUMENTS  one MessagePack array of pairs, [name, value, name, value, ...]; read with
 *            web_args.h.  Values are texts, bytes, counts, booleans, nil, or a list (as bytes
 *            that hold a MessagePack array).
 * ANSWER     one MessagePack map, written with web_out.h:
 *              { "ok": { what the op wrote }, "n": changed rows, "owed": settle is due }
 *            or { "err": "auth", "why": "sentence or empty", "n": ..., "owed": ... }
 *            err is perr_name in lower case without PERR_.
 * CHANGES    The rows that the op's commits changed are then taken with web_change, one at a
 *            time, until it gives NULL.  Whoever calls MUST write them, all of them at once
 *            and durably, before the answer counts: nothing is shown as saved and no byte
 *            leaves for a server before.  This holds for an answer with err, too: what was
 *            committed before the failure is committed.  Bytes of a change:
 *              'c'                        every row goes (a new vault key); rows follow
 *              'h' header 116             vault_seal.h's header
 *              'r' rk 32                  this row goes
 *              'r' rk 32, name 136, value this row's sealed name and sealed value
 * RUNS       An op runs to its end; nothing in it waits.  A batch that it left open is
 *            aborted.
 *
 * HOW AN OP IS WRITTEN.  One function in an op_*.c, one line in web_ops.h (name, and whether
 * it needs an open vault), the file in WEB_CORE_SRC of client/web/web.mk:
 *
 *	enum perr op_case_note(struct web *w, struct web_args *a, struct web_out *o)
 *	{
 *		const uint8_t *id = web_arg_bin(a, "record", 32);
 *		const char *text = web_arg_text(a, "text", 1, 4000);   ends with a zero byte
 *		enum perr err = web_args_end(a);      first error, also of an unknown argument
 *
 *		if (err != PERR_OK)
 *			return err;
 *		err = note_write(w->c, id, text);
 *		if (err == PERR_NOTFOUND)
 *			web_out_why(o, "sentence of a form");     seldom: the page has its own
 *		web_out_uint(o, "number", 7);         ignored if the op fails
 *		web_out_list(o, "rows");
 *		for (...) {
 *			web_out_map(o, NULL);         no name inside of a list
 *			web_out_str(o, "label", label);
 *			web_out_end(o);
 *		}
 *		web_out_end(o);
 *		return err;
 *	}
 *
 * What web_arg_text gave is wiped and gone when the op returns.  What has to live from
 * one call to the next (an interview, a visit to a server) hangs in w->part[], with a function
 * that wipes and frees it; vault_lock calls that, in rising order, before the client goes.
 */
#ifndef AMPARO_WEB_H
#define AMPARO_WEB_H

#include "client.h"
#include "web_args.h"
#include "web_out.h"

#define WEB_OP_MAX   40                   /* bytes of an op's name */
#define WEB_ARGS_MAX ((size_t)80 << 20)   /* bytes of one call's arguments */

struct kv_rows;

/* what modules keep between calls; freed in this order */
enum web_part_id {
	WEB_PART_FILL,                    /* op_fill.c: the interview that is open */
	WEB_PART_SYNC,                    /* op_sync.c: the visit that is going on */
	WEB_PART_DESK,                    /* op_desk.c: what the list was made of */
	WEB_PART_OUTBOX,                  /* op_outbox.c: what became safe since the opening */
	WEB_PARTS
};

struct web_part {
	void *state;
	void (*free)(void *state);        /* wipes too */
};

/*
 * Locked: kv and c are NULL.  Between vault_unlock and vault_open there are rows, and no kv
 * yet.  Open: both are there.
 */
struct web {
	struct client_env env;
	struct kv_rows *rows;
	struct kv *kv;                    /* of rows; NULL unless open */
	struct client *c;                 /* NULL unless open */
	bool is_kiosk;                    /* nothing ever leaves memory */
	struct web_part part[WEB_PARTS];
};

/* env  in: randomness and clock; copied.  NULL: no memory.  sodium_init was called before. */
struct web *web_new(const struct client_env *env);
/* locks, frees; NULL is harmless */
void web_free(struct web *w);

/*
 * Run one op.
 *
 * op, op_len       in: its name
 * args, args_len   in: as above; wiped by the caller
 * len              out: bytes of the answer
 *
 * returns          kv_alloc'd: kv_free wipes it; NULL: there was no memory for an answer
 *
 * An unknown op is "unknown", one that needs an open vault without one is "state".
 */
uint8_t *web_call(struct web *w, const char *op, size_t op_len, const uint8_t *args,
                  size_t args_len, size_t *len);

/*
 * The next change of the last call, as above; kv_alloc'd.  NULL with *err == PERR_OK: there
 * is none left.  NULL with another *err: the core is of no use any more (web_lock).
 */
uint8_t *web_change(struct web *w, size_t *len, enum perr *err);

/* Forget everything secret: parts, client, rows, keys. */
void web_lock(struct web *w);

/* set what a module keeps, over what it kept */
void web_part_set(struct web *w, enum web_part_id id, void *state, void (*free_fn)(void *state));

#endif
