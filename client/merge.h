/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * merge: what several amendments of one interview come to, field by field.  PROTOCOL 4.5.
 *
 * A pure function of a set: whatever the order in which amendments arrived, and however
 * often, the result is the same on every device.  It knows neither the form nor the
 * interview: fpatch.h puts the result into the answers.
 *
 * A path is a question, or one of several (a child, a paper), in its canonical form:
 *
 *	/data/child/age          of the first child (an index of 1 is left out)
 *	/data/child[2]/age       of the second child of the interview as it was sent
 *	/data/child[+1@3f…]/age  of the first child that the amendment 3f… added; in that
 *	                         amendment itself it is written /data/child[+1]/age
 *
 * Nothing is lost: every change stands in its field's history, also those replaced, and
 * those whose path means nothing.
 */
#ifndef AMPARO_MERGE_H
#define AMPARO_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "statement.h"

#define MERGE_MAX   1024         /* amendments of one interview */
#define MERGE_MARK  16           /* hex digits of an amendment's hash in a path */

struct merge_in {
	const struct statement *st;      /* an amendment; borrowed, as long as the result lives */
	uint8_t hash[32];                /* statement_hash */
};

/* one amendment's word about a field */
struct merge_said {
	uint32_t by, nth;                /* place in merge.at, and in that one's changes */
	bool is_gone;                    /* the answer, or one of several, is taken away */
	struct doc_text value;           /* borrowed from the statement; p NULL where is_gone */
	bool stands;                     /* no other one replaces it */
};
struct merge_field {
	char *path;                      /* canonical, ended by a zero */
	uint32_t n_said;                 /* 1.. */
	struct merge_said *said;         /* in the order of amendments; the last one counts now */
	/*
	 * Several stand and differ; or it is to be taken away, and somebody who did not know
	 * that changed something in it: then it stays, and is_kept is set as well.
	 */
	bool is_conflict, is_kept;
	bool is_waiting;                 /* of one that an amendment adds which is not here (yet) */
	bool is_path;                    /* false: no path at all; kept and shown, never applied */
};
struct merge {
	uint32_t n;
	const struct merge_in **at;      /* each once, in their order: what is known comes before */
	uint32_t n_fields;
	struct merge_field *fields;      /* in an order in which they can be applied */
};

/*
 * out  out: for merge_free; NULL after an error
 * in   in: n of them in any order, repeats allowed; borrowed until merge_free
 * PERR_LIMIT: more than MERGE_MAX different ones.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr merge_make(struct merge **out, const struct merge_in *in, size_t n);
void merge_free(struct merge *m);        /* wipes; NULL is harmless */

/* what counts of a field now: the last that stands */
const struct merge_said *merge_now(const struct merge_field *f);

/*
 * A path as people or forms write it ("/data/child[1]/age") in its canonical form; those an
 * amendment adds stay "[+1]".
 * out  out: malloc'd; NULL after an error
 * PERR_FORMAT: no path.
 */
PERR_MUST_CHECK enum perr merge_path(char **out, const char *path, size_t len);

#endif
