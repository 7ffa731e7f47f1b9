/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* admins_kit: up to three administrators in a world, for the simulations of what they change. */
#ifndef AMPARO_SIM_ADMINS_KIT_H
#define AMPARO_SIM_ADMINS_KIT_H

#include "world.h"

#include <sodium.h>
#include <stdlib.h>

#define OK(call) assert_int_equal((call), PERR_OK)
#define SECOND COUNSEL
#define THIRD  HOLDER1

static unsigned seed = 1;        /* AMPARO_SEED */

static const enum world_who admins[3] = { ADMIN, SECOND, THIRD };

static inline struct client *of(struct world *w, enum world_who who)
{
	return w->p[who].c;
}

/* n of them, each with the roster that names them all */
static inline struct world *world_admins(unsigned s, unsigned n)
{
	struct world *w = world_new(s);

	for (unsigned i = 1; i < n; i++)
		world_join_as(w, admins[i], ROLE_ADMINISTRATOR, NULL);
	for (unsigned i = 0; i < n; i++)
		world_sync(w, admins[i]);
	return w;
}

/* before the tests of a program; false: no libsodium */
static inline bool admins_begin(void)
{
	if (sodium_init() < 0)
		return false;
	if (getenv("AMPARO_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("AMPARO_SEED"), NULL, 10);
	print_message("seed %u\n", seed);
	return true;
}

#endif
