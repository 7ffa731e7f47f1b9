/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fpatch: corrections put into the answers they correct.  PROTOCOL 4.5.
 *
 * The positions in a path are those of the document as it was parsed, so the order of
 * corrections makes no difference; what is added to a repeat is named by a mark of its own.
 * Whatever does not fit the form is left alone and its fate says why.
 */
#ifndef AMPARO_FPATCH_H
#define AMPARO_FPATCH_H

#include "instance.h"

enum fpatch_fate {
	FPATCH_DONE,            /* it is the answer now */
	FPATCH_UNKNOWN,         /* no such question in this version, or one that is no answer's place */
	FPATCH_COMPUTED,        /* a calculated value: it follows from other answers */
	FPATCH_NO_PLACE,        /* the question is known; one of several in which it stands is not */
	FPATCH_TAKEN_OUT        /* one of several in which it stands was taken out */
};

struct fpatch {
	const char *path;       /* "/data/child[2]/age", "/data/child[+1@3f…]/age"; 1 is left out */
	const char *value;      /* len bytes; NULL: taken away.  Empty at one of a repeat: it is there */
	size_t len;
	bool keep;              /* one of a repeat that is not taken out all the same */
	/* out: */
	enum fpatch_fate fate;
	const char *before;     /* the answer in the document as parsed, "" for none; the instance's */
	const char *at;         /* the path it has now; "" where it has none; the instance's */
	struct fnode *node;     /* for this module */
};

/*
 * Puts n corrections in.  Calculated values are computed anew where what they read has
 * changed; now is the moment that today() means in them.  in must have been parsed with its
 * form, or only what stands in the document can be corrected; an instance is patched once.
 * PERR_NOMEM: in is spoilt.  PERR_LIMIT: a calculation has no end; all are as they were.
 */
enum perr fpatch_apply(struct instance *in, struct fpatch *p, size_t n, const struct fclock *now);

/*
 * The path by which a correction names what stands at `path` now: positions as they were
 * sent, what was added by its mark.
 * out  out: malloc'd; NULL after an error.  PERR_NOTFOUND: nothing stands there.
 */
enum perr fpatch_sent_path(const struct instance *in, const char *path, char **out);

/* Whether the value at a path (as render.h names it) was computed anew by fpatch_apply. */
bool fpatch_is_anew(const struct instance *in, const char *path);

/* The document as it is now.  The caller wipes and frees *xml.  PERR_NOMEM. */
enum perr fpatch_write(const struct instance *in, uint8_t **xml, size_t *len);

#endif
