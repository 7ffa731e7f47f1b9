/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "day.h"

#include <sodium.h>

uint32_t day_of(int64_t unix_s)
{
	int64_t day = unix_s < 0 ? 0 : unix_s / DAY_SECONDS;

	return day > UINT16_MAX ? UINT16_MAX : (uint32_t)day;
}

bool day_is_frozen(uint32_t recorded, int64_t unix_s)
{
	return day_of(unix_s) > recorded && day_of(unix_s) - recorded > DAY_LEAP_MAX;
}

uint32_t day_now(uint32_t recorded, int64_t unix_s)
{
	uint32_t clock = day_of(unix_s);

	if (clock <= recorded || day_is_frozen(recorded, unix_s))
		return recorded;
	return clock;
}

bool day_order_ok(uint32_t recorded, int64_t unix_s, uint32_t day)
{
	return day >= recorded && (day == recorded || day <= day_of(unix_s));
}

uint32_t day_expiry(uint32_t day, uint32_t retention_days, const uint8_t seed[32])
{
	uint8_t in[4] = { day >> 24, day >> 16, day >> 8, day };
	uint8_t hash[16];
	uint64_t end = (uint64_t)day + retention_days;

	crypto_generichash(hash, sizeof hash, in, sizeof in, seed, 32);
	end += hash[0] % (DAY_JITTER_MAX + 1);  /* 256 is a multiple of 4: no bias */
	return end > UINT32_MAX ? UINT32_MAX : (uint32_t)end;
}

uint32_t day_erase_due(uint32_t day, uint32_t rest_hours)
{
	/* Asked in the last minute of a day it must still rest: round up, and one day more. */
	if (rest_hours == 0)
		return day;
	return day + rest_hours / 24 + (rest_hours % 24 != 0) + 1;
}

int64_t day_next_release(const struct day_schedule *sch, int64_t now_s)
{
	int64_t step = 60 * (int64_t)(sch->interval_min == 0 ? 60 : sch->interval_min);
	int64_t surge = 60 * (int64_t)sch->surge_interval_min;
	int64_t normal, quick;

	if (now_s < 0)
		now_s = 0;
	normal = (now_s / step + 1) * step;
	if (surge == 0 || now_s >= sch->surge_until_s)
		return normal;
	quick = (now_s / surge + 1) * surge;
	return quick < normal ? quick : normal;
}
