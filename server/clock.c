/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "clock.h"

#include <time.h>

int64_t clock_unix_s(void)
{
	return (int64_t)time(NULL);
}
