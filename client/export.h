/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * export: cases as plain files, for an office's own system.
 *
 *	<code>/submission.xml     the instance, byte for byte as it was submitted
 *	<code>/corrected.xml      the same after the corrections (case_merge.h), where there are any
 *	<code>/submission-2.xml   only where two interviews have one record id: see conflict
 *	<code>/<attachments>      byte for byte
 *	<code>/case.json          everything else: who, when, notes, assignments, corrections
 *	index.csv                 one line a case (export_index)
 *
 * submission.xml beside its attachments is what ODK tools call a submission folder.  Several
 * cases with one code get <code>-2 and so on.
 */
#ifndef AMPARO_EXPORT_H
#define AMPARO_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "case.h"
#include "client.h"
#include "export_names.h"
#include "perr.h"

/*
 * Where files go.  dir "" is the folder the person named; else one folder below it.
 * Anything but PERR_OK ends the export and is its result.
 */
struct export_sink {
	enum perr (*file)(void *ctx, const char *dir, const char *name, const uint8_t *data,
	                  size_t len);
	void *ctx;
};

struct export_done {
	char dir[EXPORT_NAME_MAX + 1];
	unsigned n_files;
	unsigned n_missing;              /* attachments not in this vault */
};
/* an attachment that is not here; name is untrusted */
typedef void export_missing_fn(void *arg, const char *name, size_t len);

/*
 * One case as a folder.
 * same  in: how many cases with this code were written before (0)
 * miss  in: may be NULL
 */
PERR_MUST_CHECK enum perr export_case(struct client *c, const struct case_file *f, unsigned same,
                                     const struct export_sink *sink, struct export_done *done,
                                     export_missing_fn *miss, void *arg);
/* Only the attachments, into the sink's top folder. */
PERR_MUST_CHECK enum perr export_attachments(struct client *c, const struct case_file *f,
                                            const struct export_sink *sink,
                                            struct export_done *done,
                                            export_missing_fn *miss, void *arg);

/* index.csv: begin, one line for each case, end (writes the file) */
struct export_index;
struct export_index *export_index_new(void);     /* NULL: out of memory */
PERR_MUST_CHECK enum perr export_index_add(struct export_index *x, struct client *c,
                                          const struct case_file *f, const char *dir);
PERR_MUST_CHECK enum perr export_index_write(struct export_index *x,
                                            const struct export_sink *sink);
void export_index_free(struct export_index *x);

#endif
