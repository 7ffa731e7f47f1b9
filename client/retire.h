/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * retire: when own private halves die.  DESIGN 8: "A private prekey is destroyed only after
 * a sync that scanned, on every server, all segments up to its last day + grace, with all
 * attachments in the vault, and, for holders, the records in two vaults by custody".
 *
 * Puts the conditions together; the rule itself is prekey_may_die (prekeys.h).
 */
#ifndef AMPARO_RETIRE_H
#define AMPARO_RETIRE_H

#include <stdint.h>

#include "client.h"
#include "perr.h"

/*
 * Attachments and spilled statements that a server may still have: those that are missing,
 * without those for which every server of the roster was looked through whole since, in vain
 * (a volunteer who names chunks that are nowhere would otherwise keep every key alive).
 * What is looked for is opened by the key in its reference, never by a prekey.
 */
PERR_MUST_CHECK enum perr retire_wants(struct client *c, unsigned *n);
/*
 * The day up to which the statements of every desk held here are in two vaults, by
 * covaults_through; UINT32_MAX: all of them, or no desk is held.
 */
PERR_MUST_CHECK enum perr retire_custody(struct client *c, uint32_t scanned_through,
                                        uint32_t *day);

/*
 * After a sync that visited every server whole.  One batch, or none.
 * destroyed  out: private halves
 */
PERR_MUST_CHECK enum perr retire_prekeys(struct client *c, uint32_t scanned_through,
                                        unsigned *destroyed);

#endif
