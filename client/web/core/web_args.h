/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * web_args: the arguments of one web_call, read by name.
 *
 * Each is read once, in any order.  After the first error every getter gives a harmless
 * value (0, NULL, "") and the error is kept; web_args_end tells it.  An argument that is
 * missing, of another kind, out of its bounds, or that nobody asked for: PERR_FORMAT or
 * PERR_RANGE.  What is returned lives until the op returns and is wiped then.
 */
#ifndef AMPARO_WEB_ARGS_H
#define AMPARO_WEB_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mp.h"
#include "perr.h"

#define WEB_ARGS_N 24                     /* arguments of one call, at most */

struct web_args {
	const uint8_t *buf;
	size_t len;
	enum perr err;
	uint32_t n, n_read;               /* pairs there, pairs read */
	uint8_t *own[WEB_ARGS_N];         /* kv_alloc'd copies */
	unsigned n_own;
};

/* args  in: borrowed until web_args_free */
void web_args_init(struct web_args *a, const uint8_t *args, size_t args_len);
/* the first error so far, or PERR_FORMAT if an argument was not read */
PERR_MUST_CHECK enum perr web_args_end(struct web_args *a);
/* wipes the copies; harmless twice */
void web_args_free(struct web_args *a);

/* whether it was given and is not nil; what is nil counts as read */
bool web_arg_has(struct web_args *a, const char *name);
/* a text of min..max bytes, ended by a zero, which is not in it elsewhere; never NULL: "" */
const char *web_arg_text(struct web_args *a, const char *name, size_t min, size_t max);
/* exactly len bytes; NULL after an error */
const uint8_t *web_arg_bin(struct web_args *a, const char *name, size_t len);
/* min..max bytes; NULL and *len = 0 after an error */
const uint8_t *web_arg_bytes(struct web_args *a, const char *name, size_t min, size_t max,
                             size_t *len);
/* 0..max */
uint64_t web_arg_uint(struct web_args *a, const char *name, uint64_t max);
bool web_arg_bool(struct web_args *a, const char *name);
/*
 * A list of min..max items: *r stands before the first; read them with mp.h, then mp_finish,
 * which must always be called, and whose error counts.  Returns how many there are.
 *
 *	n = web_arg_list(a, "languages", 1, 16, &r);
 *	for (i = 0; i < n; i++)
 *		mp_str_copy(&r, languages[i], sizeof languages[i], 2);
 *	web_args_fail(a, mp_finish(&r));
 */
uint32_t web_arg_list(struct web_args *a, const char *name, uint32_t min, uint32_t max,
                      struct mp_reader *r);
/* keeps the first error; PERR_OK changes nothing */
void web_args_fail(struct web_args *a, enum perr err);

#endif
