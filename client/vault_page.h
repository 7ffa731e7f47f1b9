/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * vault_page: is the tree of a vault.mdb whole?  Looked at with pread only, before LMDB
 * opens the file.
 *
 * LMDB trusts its pages: a flipped bit in a branch or leaf page sends it outside of the map,
 * into abort(), or makes the next batch write over what is alive.  So every page that any of
 * the four trees names is checked here (data format 1, as lmdb 0.9 writes it): kind, number,
 * bounds and overlap of the entries, order of the keys, counts, overflow runs, the list of
 * free pages, and that no page belongs to two of them.  What the pages *hold* is sealed; the
 * seals tell.
 */
#ifndef AMPARO_VAULT_PAGE_H
#define AMPARO_VAULT_PAGE_H

#include "perr.h"

/*
 * fd  in: the file, under the vault's lock
 * PERR_CORRUPT: not whole.  PERR_IO: it cannot be read.  PERR_NOMEM.
 * Time and memory grow with the number of tree pages; values on overflow pages are not read.
 */
PERR_MUST_CHECK enum perr vault_page_check(int fd);

#endif
