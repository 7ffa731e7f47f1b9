/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * day: what the server's clock may and may not decide.  Pure functions; nothing is read
 * from the system, nothing is kept.  A day is the count of whole UTC days since 1970-01-01.
 *
 * The day never jumps (DESIGN section 9).  day = max(last recorded, clock): a clock set back
 * moves nothing.  A clock that runs more than DAY_LEAP_MAX days past the last recorded day
 * freezes the server: it goes on accepting cells and releasing them under the recorded day,
 * but the day does not advance and nothing is settled, erased or expired, until a steward's
 * signed `release` names the day.  A wrong clock must not destroy what nobody has read.
 */
#ifndef AMPARO_DAY_H
#define AMPARO_DAY_H

#include <stdbool.h>
#include <stdint.h>

#define DAY_SECONDS    86400
#define DAY_LEAP_MAX   2     /* days a clock may be ahead of the last recorded day */
#define DAY_JITTER_MAX 3     /* expiry comes 0..3 days after the retention */
#define DAY_SETTLE_AGE 2     /* without a policy: a day older than this many days is settled */

/* unix_s   in: seconds since 1970, from the wall clock; negative counts as 0 */
uint32_t day_of(int64_t unix_s);

/* True if the clock is too far ahead of `recorded` to be believed. */
bool day_is_frozen(uint32_t recorded, int64_t unix_s);

/* The day to work under: `recorded` when frozen or when the clock is behind, else the clock's. */
uint32_t day_now(uint32_t recorded, int64_t unix_s);

/*
 * May a signed order name `day`?  Yes for recorded <= day <= the clock's day: a steward can
 * confirm what the clock says, in one step or several, and can neither go back nor ahead of
 * both.  The caller checks the signatures.
 */
bool day_order_ok(uint32_t recorded, int64_t unix_s, uint32_t day);

/*
 * First day on which nothing of `day` may be left: day + retention_days + jitter, the jitter
 * 0..DAY_JITTER_MAX from BLAKE2b(key = policy seed, day), the same on every mirror.
 *
 * seed   in: 32 bytes, the policy's seed
 */
uint32_t day_expiry(uint32_t day, uint32_t retention_days, const uint8_t seed[32]);

/*
 * First day on which an erasure asked on `day` is applied.  Whole days only, since no time is
 * written to disk: never earlier than rest_hours, at most a day later.  rest_hours = 0: `day`,
 * that is, at the next release.
 */
uint32_t day_erase_due(uint32_t day, uint32_t rest_hours);

struct day_schedule {
	uint32_t interval_min;        /* normal: minutes between releases, 1..1440 */
	uint32_t surge_interval_min;  /* in a surge; 0 = no surge */
	int64_t surge_until_s;        /* wall clock second at which the surge ends */
};

/*
 * The wall clock second of the first release strictly after now_s.  Releases stand on whole
 * multiples of the interval since 1970, so no last time need be kept and the moment of a
 * release tells nothing about arrivals.  An interval of 0 counts as 60 minutes.
 */
int64_t day_next_release(const struct day_schedule *sch, int64_t now_s);

#endif
