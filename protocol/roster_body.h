/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * roster_body: what roster_field.c, roster_staff.c and roster_admin.c share.  Not for
 * callers of roster.h.
 */
#ifndef AMPARO_ROSTER_BODY_H
#define AMPARO_ROSTER_BODY_H

#include "roster.h"

/* a zeroed body of size bytes inside a new arena; NULL: out of memory, *mem is NULL too */
void *roster_body_new(struct arena **mem, size_t size);

/* enter an array of min..max items and allocate as many of size bytes; n out */
void *roster_get_array(struct mp_reader *r, struct arena *mem, uint32_t *n, uint32_t min,
                       uint32_t max, size_t size);
/* copies into the arena; never NULL */
const char *roster_get_str(struct mp_reader *r, struct arena *mem, size_t min, size_t max);
struct doc_bytes roster_get_bytes(struct mp_reader *r, struct arena *mem, size_t min,
                                  size_t max);
enum roster_role roster_get_role(struct mp_reader *r);
/* NULL is the empty text */
void roster_put_str(struct mp_writer *w, const char *s);

/* retired board keys: an array 0..4 of bin32 */
struct roster_board *roster_get_boards(struct mp_reader *r, struct arena *mem, uint32_t *n);
void roster_put_boards(struct mp_writer *w, const struct roster_board *b, uint32_t n);

/*
 * The end of an encoder: `again` is what decoding the result said.  A body that members
 * refuse would lock out everybody at once, so it never leaves the administrator's device.
 */
PERR_MUST_CHECK enum perr roster_encoded(uint8_t **out, size_t *out_len, enum perr again);

#endif
