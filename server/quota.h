/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * quota: how much one connection, one source and one scope may do.  DESIGN section 10.
 *
 * Nobody has an identity here, so nothing is kept that would be one: a source is an
 * 8-byte hash of its address under a key made at start, in memory, forgotten when it has
 * no connection left and its allowance is whole again.
 * (A header called limits.h in an include path would hide the C library's.)
 */
#ifndef AMPARO_QUOTA_H
#define AMPARO_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "rng.h"

/* ---- an allowance that refills ----------------------------------------------------------- */

/* starts as { 0 }: full */
struct quota_bucket {
	uint64_t used_micro;     /* millionths of one unit, taken and not yet refilled */
	uint64_t at_ms;
};
/*
 * Take one unit of an allowance of per_minute units a minute, of which at most `burst` may
 * be taken at once.  per_minute = 0: no limit.  now_ms never runs backwards.
 */
bool quota_take(struct quota_bucket *b, uint32_t per_minute, uint32_t burst, uint64_t now_ms);
/* nothing is missing from it */
bool quota_is_full(const struct quota_bucket *b, uint32_t per_minute, uint64_t now_ms);

/* ---- sources ----------------------------------------------------------------------------- */

struct quota_sources;
struct quota_source;            /* one source while it has connections */

#define QUOTA_KEY 16             /* bytes */

/*
 * max  in: connections that can exist at once; 40 bytes are kept for each of 2 * max slots or
 *      more
 * key  in: QUOTA_KEY bytes of the caller's, in locked memory; filled here, wiped by
 *      quota_sources_free, which comes before they go
 */
PERR_MUST_CHECK enum perr quota_sources_new(struct quota_sources **out, size_t max,
                                            uint8_t key[QUOTA_KEY], struct rng rng);
/* wipes; NULL is harmless */
void quota_sources_free(struct quota_sources *s);
/*
 * One more connection from this address (4 or 16 bytes; of IPv6 the first 8 count, what one
 * subscriber is given).
 *
 * max_connections  in: 0 = no limit        per_minute  in: new connections, 0 = no limit
 * out              out: for quota_source_leave; NULL when refused
 * false: over one of the two.
 */
bool quota_source_enter(struct quota_sources *s, struct quota_source **out,
                         const uint8_t *addr, size_t addr_len, uint32_t max_connections,
                         uint32_t per_minute, uint64_t now_ms);
/* stands for the source while the server runs, to nobody else; 0 for NULL */
uint64_t quota_source_tag(const struct quota_source *src);
/* NULL is harmless */
void quota_source_leave(struct quota_sources *s, struct quota_source *src);

/* ---- scopes ------------------------------------------------------------------------------ */

/* cells of one scope within the present hour of uptime; starts as { 0 } */
struct quota_meter {
	uint64_t hour;
	uint64_t cells;
	bool told;
};
enum quota_verdict { QUOTA_FINE, QUOTA_SLOW, QUOTA_SLOW_AND_TELL };
/*
 * Count n cells.  "a scope's total slows and alerts but never refuses": TELL comes once an
 * hour.  per_hour = 0: never slow.
 */
enum quota_verdict quota_count(struct quota_meter *m, uint32_t per_hour, size_t n,
                                 uint64_t now_ms);

#endif
