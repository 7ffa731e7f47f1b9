/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * web_out: what an op answers, written as it comes; MessagePack that JavaScript reads as
 * plain objects.  Counts need not be known ahead.
 *
 * name is the field's name inside of a map, and NULL inside of a list (asserted).  The op
 * writes into a map that is open already.  The first error (PERR_NOMEM) is kept and becomes
 * the answer; nothing has to be checked on the way.
 */
#ifndef AMPARO_WEB_OUT_H
#define AMPARO_WEB_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

#define WEB_OUT_DEPTH 16
#define WEB_OUT_WHY   512

struct web_out {
	uint8_t *buf;                     /* kv_alloc'd */
	size_t len, size;
	enum perr err;
	struct {
		size_t at;                /* where its count stands */
		uint32_t n;
		bool is_map;
	} open[WEB_OUT_DEPTH];
	unsigned depth;
	size_t spare;                     /* kept free behind what is written: web_out_spare */
	char why[WEB_OUT_WHY];            /* ends with a zero */
};

void web_out_map(struct web_out *o, const char *name);
void web_out_list(struct web_out *o, const char *name);
/* closes what was opened last */
void web_out_end(struct web_out *o);

/* s: UTF-8, ended by a zero; NULL is written as nil */
void web_out_str(struct web_out *o, const char *name, const char *s);
void web_out_strn(struct web_out *o, const char *name, const char *s, size_t len);
void web_out_bin(struct web_out *o, const char *name, const uint8_t *p, size_t len);
/* above 2^53 it would arrive rounded: asserted */
void web_out_uint(struct web_out *o, const char *name, uint64_t v);
void web_out_bool(struct web_out *o, const char *name, bool v);
void web_out_nil(struct web_out *o, const char *name);
/* "notfound" for PERR_NOTFOUND; "" for PERR_OK */
void web_out_err(struct web_out *o, const char *name, enum perr err);
/* the words of a phrase, with blanks between, as a list */
void web_out_words(struct web_out *o, const char *name, const char *phrase);

/*
 * A sentence that goes with an error, in the language of the form; cut at WEB_OUT_WHY - 1
 * bytes, never inside of a character.
 */
void web_out_why(struct web_out *o, const char *sentence);

/* ---- for the dispatcher ---- */

/*
 * From now on len bytes stay free for what is written after the next web_out_spare(o, 0): it
 * cannot fail for want of memory any more.
 */
void web_out_spare(struct web_out *o, size_t len);
/* an empty one, with nothing open */
void web_out_init(struct web_out *o);
/* drop what was written; what is open is closed; err stays as it is; why too */
void web_out_clear(struct web_out *o);
/* the bytes, now the caller's (kv_free); NULL and PERR_NOMEM.  Everything must be closed. */
PERR_MUST_CHECK enum perr web_out_take(struct web_out *o, uint8_t **buf, size_t *len);
void web_out_free(struct web_out *o);

#endif
