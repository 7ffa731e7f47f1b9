/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * export_dir: the files of export.h in a folder on disk.
 *
 * Folders 0700, files 0600.  A file appears whole under its name or not at all.  Nothing is
 * followed out of the folder: neither a symbolic link nor a name with a slash.  A file that
 * is there already with the same content is left alone; with other content it is refused,
 * unless force was asked for.
 */
#ifndef AMPARO_EXPORT_DIR_H
#define AMPARO_EXPORT_DIR_H

#include <stdbool.h>

#include "export.h"
#include "perr.h"

struct export_dir;

/*
 * path  in: the folder; made if it is missing, its parent must be there
 * PERR_IO: cannot be made or opened (errno)
 */
PERR_MUST_CHECK enum perr export_dir_open(struct export_dir **out, const char *path, bool force);
void export_dir_close(struct export_dir *d);     /* NULL is harmless */
/* PERR_EXISTS from its file(): export_dir_where names what is in the way */
struct export_sink export_dir_sink(struct export_dir *d);
/* "7K3QX-M0T9Z/foto.jpg" of the last error; "" if there was none */
const char *export_dir_where(const struct export_dir *d);

#endif
