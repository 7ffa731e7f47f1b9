/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * cache: what is worked out from the roster once and asked for thousands of times: parsed
 * forms, verified desks.
 *
 * It hangs on struct client and follows it: desks are verified anew when another header
 * was adopted; a form is found by the name of its part, which never changes its content.
 */
#ifndef AMPARO_CACHE_H
#define AMPARO_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "desk.h"
#include "perr.h"
#include "roster.h"
#include "xform.h"

/*
 * The form of this id and version, active or not, with the files it was published with.
 * version  in: NULL means the active one
 * out      out: borrowed until the next roster is adopted; NULL after an error
 * PERR_NOTFOUND: the roster does not list it, or its XML is not here yet.
 * PERR_UNKNOWN: it is here and this program cannot read it.
 */
PERR_MUST_CHECK enum perr cache_form(struct client *c, const char *id, const char *version,
                                     const struct xform **out);
/*
 * The same, borrowed until cache_form_drop, whatever rosters come meanwhile: an interview goes
 * on with the form it began with, also where that is listed no longer.  Each hold has one drop,
 * which has to come before client_free.
 */
PERR_MUST_CHECK enum perr cache_form_hold(struct client *c, const char *id, const char *version,
                                          const struct xform **out);
/* NULL is harmless */
void cache_form_drop(struct client *c, const struct xform *form);
/* the roster's entry of a form; NULL: not listed */
const struct roster_form *cache_form_entry(const struct client *c, const char *id,
                                           const char *version);

/*
 * A desk of the roster, verified.
 * out  out: borrowed until the next roster is adopted
 * PERR_NOTFOUND: the roster has no desk of this id that verifies.
 */
PERR_MUST_CHECK enum perr cache_desk(struct client *c, const uint8_t desk_id[32],
                                     const struct desk **out);
/* the ids of the desks this member holds; borrowed as above */
PERR_MUST_CHECK enum perr cache_held(struct client *c, const uint8_t (**ids)[32], size_t *n);
/*
 * Those, and the desks whose records come in with their paper holder before a charter names this
 * member (recovery.h): what is addressed to one of them is taken in.
 */
PERR_MUST_CHECK enum perr cache_taken(struct client *c, const uint8_t (**ids)[32], size_t *n);
/* is this one of them? */
bool cache_is_taken(struct client *c, const uint8_t desk_id[32]);
/* is this key a holder of the desk, by the charter in force? */
bool cache_is_holder(struct client *c, const uint8_t desk_id[32], const uint8_t key[32]);
/*
 * Is or was this key a holder of the desk, by any charter of its chain?  For what somebody said
 * as a holder: it stays said when the holders change, for those who come later as well.
 */
bool cache_was_holder(struct client *c, const uint8_t desk_id[32], const uint8_t key[32]);
/* the ids of the desks this member held once and does not hold now; borrowed as above */
PERR_MUST_CHECK enum perr cache_left(struct client *c, const uint8_t (**ids)[32], size_t *n);
/* is this key anybody's in the roster: this member, staff, a volunteer, a holder? */
bool cache_is_member(struct client *c, const uint8_t key[32]);

/* which desks there are, and which are held, is worked out anew when next asked for */
void cache_forget_desks(struct client *c);

/* called by client_free; NULL is harmless */
struct cache;
void cache_free(struct cache *k);

#endif
