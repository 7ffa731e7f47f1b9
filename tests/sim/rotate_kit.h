/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* rotate_kit: people whose keys change, for the simulations of rotations and revocations. */
#ifndef AMPARO_TEST_ROTATE_KIT_H
#define AMPARO_TEST_ROTATE_KIT_H

#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply_rotate.h"
#include "bring.h"
#include "bulletin.h"
#include "holders.h"
#include "host.h"
#include "keyring.h"
#include "kv_mem.h"
#include "org.h"
#include "pending.h"
#include "prekeys.h"
#include "quorum.h"
#include "revoke.h"
#include "revoked.h"
#include "roster.h"
#include "rotate.h"
#include "rpc.h"
#include "steward.h"


#define OK(call) assert_int_equal((call), PERR_OK)
#define SECOND INTERPRETER       /* a second administrator, in the stories that have one */
#define SMALL 900                /* bytes of an attachment */

static unsigned seed = 1;

static inline bool is_long(void)
{
	const char *mode = getenv("AMPARO_TEST_MODE");

	return mode != NULL && strcmp(mode, "long") == 0;
}

static inline struct client *of(struct world *w, enum world_who who)
{
	return w->p[who].c;
}

static inline unsigned bring(struct world *w, enum world_who who)
{
	struct bring_result r;

	OK(bring_all(of(w, who), &w->net, STEWARD_PUSH, &r));
	return r.done;
}

static inline void second_administrator(struct world *w)
{
	world_join_as(w, SECOND, ROLE_ADMINISTRATOR, w->desk);
	world_sync(w, SECOND);
}

/* both holders sync, after a release: every intake so far stands in both vaults */
static inline void all_read(struct world *w, unsigned n)
{
	enum world_who who;

	world_release(w);
	for (who = HOLDER0; who <= HOLDER1; who++) {
		world_sync(w, who);
		for (unsigned i = 1; i <= n; i++)
			if (!world_has(w, who, SMALL, i))
				fail_msg("holder %d lacks intake %u", (int)who, i);
	}
}

static inline void revoke_one(struct world *w, enum world_who by, enum world_who who)
{
	uint8_t key[1][32];

	memcpy(key[0], of(w, who)->me->sign_pk, 32);
	OK(revoke_members(of(w, by), (const uint8_t (*)[32])key, 1));
}

static inline unsigned has_how_many(struct world *w, enum world_who who, unsigned n)
{
	unsigned has = 0;

	for (unsigned i = 1; i <= n; i++)
		has += world_has(w, who, SMALL, i) ? 1 : 0;
	return has;
}

/* the holders sync, so that no prekey runs out and the board is fresh */
static inline void holders_sync(struct world *w)
{
	world_sync(w, HOLDER0);
	world_sync(w, HOLDER1);
	world_release(w);
}

/* ---- who is let in -------------------------------------------------------------------------- */

struct knock {
	struct peer *p;
	bool opened, more;
};

static inline void on_hello(void *ud, enum perr err, const struct rpc_msg *m)
{
	(void)m;
	((struct knock *)ud)->opened |= err == PERR_OK;
}

static inline void on_board(void *ud, enum perr err, const struct rpc_msg *m)
{
	struct knock *k = ud;

	/* a guest is told that this is not in its scope */
	if (err == PERR_REFUSED)
		assert_int_equal(m->error, RPC_SCOPE);
	k->more |= err == PERR_OK;
	peer_bye(k->p);
}

/* into more than a guest's scope */
static inline bool let_in(struct world *w, unsigned server, const uint8_t key[32])
{
	struct rpc_msg *m = calloc(1, sizeof *m);
	char why[200] = "";
	struct knock k = { 0 };

	assert_non_null(m);
	m->method = RPC_HELLO;
	OK(peer_new(&k.p, w->s[server].pk, key, rng_system()));
	OK(peer_call(k.p, m, on_hello, &k));
	m->method = RPC_BOARD_GET;
	OK(peer_call(k.p, m, on_board, &k));
	(void)!w->net.run(w->net.ctx, w->s[server].address, k.p, why, sizeof why);
	peer_free(k.p);
	free(m);
	return k.opened && k.more;
}

/* keys of this device, of a scope, that some server admits */
static inline unsigned admitted(struct world *w, enum world_who who, uint32_t scope)
{
	struct keyring k;
	unsigned n = 0;

	OK(keyring_of(of(w, who), scope, &k));
	for (size_t i = 0; i < k.n; i++)
		for (unsigned s = 0; s < WORLD_SERVERS; s++)
			n += w->s[s].host != NULL && let_in(w, s, k.at[i]) ? 1 : 0;
	keyring_wipe(&k);
	return n;
}

static inline void revoke_name(struct world *w, const char *name)
{
	const struct roster_enrolled *e = revoke_find(of(w, ADMIN), name);
	uint8_t key[1][32];

	assert_non_null(e);
	memcpy(key[0], e->key, 32);
	OK(revoke_members(of(w, ADMIN), (const uint8_t (*)[32])key, 1));
}

/* before the tests of a program; false: no libsodium */
static inline bool rotate_begin(void)
{
	if (sodium_init() < 0)
		return false;
	if (getenv("AMPARO_SEED") != NULL)
		seed = (unsigned)strtoul(getenv("AMPARO_SEED"), NULL, 10);
	print_message("seed %u\n", seed);
	if (getenv("AMPARO_ONLY") != NULL)
		cmocka_set_test_filter(getenv("AMPARO_ONLY"));
	return true;
}

#endif
