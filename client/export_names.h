/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * export_names: what files are called when cases go out as files.
 *
 * Names come from strangers: one that is a path, is hidden, or is one of ours is changed, and
 * case.json says which name an attachment has now.
 */
#ifndef AMPARO_EXPORT_NAMES_H
#define AMPARO_EXPORT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "case.h"
#include "perr.h"

#define EXPORT_NAME_MAX 200      /* bytes of a file's or folder's name */

/*
 * A name that is safe as a file's, inside any folder of any file system: not a path, not
 * hidden, not one of ours (submission.xml, corrected.xml, case.json), no control or direction
 * characters, at most EXPORT_NAME_MAX bytes.
 */
void export_names_safe(char out[EXPORT_NAME_MAX + 1], const char *name, size_t len);

/*
 * The file's name of each attachment of a case, in their order: f->n_attachments of them.
 * The same content under one name is one file.
 * names  out: to be freed; NULL after PERR_NOMEM
 */
PERR_MUST_CHECK enum perr export_names_of(const struct case_file *f,
                                          char (**names)[EXPORT_NAME_MAX + 1]);
/* one of the first n is this name, in whatever case */
bool export_names_taken(char (*names)[EXPORT_NAME_MAX + 1], size_t n, const char *name);

#endif
