/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * spool_dir: the spool's storage as files, one per day: DIR/20782, cells one behind the
 * other.  DIR is made with 0700, files with 0600.  What they tell: spool.h.
 */
#ifndef AMPARO_SPOOL_DIR_H
#define AMPARO_SPOOL_DIR_H

#include "spool.h"

/* dir  in: copied; made if it is missing (its parent is there).  PERR_IO, PERR_NOMEM */
PERR_MUST_CHECK enum perr spool_dir_new(struct spool_store **out, const char *dir);

#endif
