/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * compare: the words of a member's signing key, compared by voice once: before the first case
 * is assigned to them, before they hold a desk.
 */
#ifndef AMPARO_CLI_COMPARE_H
#define AMPARO_CLI_COMPARE_H

#include "cli.h"

/*
 * Show the words of this key and ask whether the person read them, unless that was done before.
 * checked  in: it was done already, says the caller: remembered as such
 * what     in: what is not done to this name without, "assign"
 * EXIT_DONE, or an exit code (already said).
 */
int compare_words(struct cli *cli, const uint8_t key[32], bool checked, const char *what);

#endif
