/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* wrecord: a case while it is written as an answer: op_record.c and op_events.c share it. */
#ifndef AMPARO_WRECORD_H
#define AMPARO_WRECORD_H

#include "case_merge.h"
#include "wdesk.h"

struct wrecord {
	struct web *w;
	struct web_out *o;
	const struct case_file *f;
	const char *lang;                        /* NULL: the form's default */
	bool empty;                              /* questions without an answer, too */
	size_t which;                            /* the interview that is being written … */
	const struct case_merged *merged;        /* … and its answers */
	char **label_of;                         /* of each attachment: the question it answers */
	enum perr err;                           /* the first error */
};

/* the fields attachments; events, from, hold, erasing; may */
void wrecord_put_attachments(struct wrecord *r);
void wrecord_put_events(struct wrecord *r);
void wrecord_put_may(struct wrecord *r);

#endif
