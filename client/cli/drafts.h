/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* drafts: what the commands about unfinished interviews share. */
#ifndef AMPARO_DRAFTS_H
#define AMPARO_DRAFTS_H

#include "cli.h"

/*
 * Keep other windows from the same draft; the kernel lets go when the process ends, however
 * it ends.  Result: a descriptor to close; -1: this folder has no locks, go on; -2: another
 * window has it.
 */
int drafts_lock(const struct cli *cli, uint32_t number);

/* "3" -> 3; false: no number of a draft */
bool drafts_number(const char *text, uint32_t *number);

/* "es" of LC_ALL, LC_MESSAGES or LANG, static; NULL where they say nothing */
const char *drafts_env_lang(void);
/* Spanish sentences?  By lang ("es-MX"), or by the environment if it is NULL or neither. */
bool drafts_is_es(const char *lang);

#endif
