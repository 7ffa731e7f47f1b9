/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "now.h"

#include <time.h>

int64_t now_unix_s(void)
{
	return (int64_t)time(NULL);
}
