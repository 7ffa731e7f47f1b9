/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * restored: this vault came back from a backup on some day.  PROTOCOL 4.2 and 12.
 *
 * Since the backup the old device may have used sequence numbers and published keys that the
 * backup does not know.  So numbers go on in a new stretch, which the day names, and what the
 * board shows under this member's key from before that day raises no alarm.  Everything newer
 * that this device did not make does: the old device, or somebody, goes on with the same keys.
 *
 * And a family may have taken its consent back since: its record is in the backup, and the word
 * to erase it was sealed to keys that are gone.  Co-holders say by custody what was erased;
 * what of that is here is ordered to be erased, by this holder, as any other (erasing.h).
 *
 * In the store: restored, the day (u32).
 */
#ifndef AMPARO_RESTORED_H
#define AMPARO_RESTORED_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"

#define RESTORED_LISTEN_DAYS 120 /* after restoring, co-holders' words on erased records count */

/* the day of the last restoring; 0: never */
PERR_MUST_CHECK enum perr restored_day(struct client *c, uint32_t *day);
/* inside a batch of the caller's, of a store that no client has open */
PERR_MUST_CHECK enum perr restored_note(struct kv *kv, uint32_t day);
/* sequence numbers are above this; 0: never restored */
PERR_MUST_CHECK enum perr restored_floor(struct client *c, uint32_t *number);

/*
 * After a sync: order what co-holders say was erased.  A batch for each record.
 * more  out: set if something was queued
 */
PERR_MUST_CHECK enum perr restored_duty(struct client *c, bool *more);

#endif
