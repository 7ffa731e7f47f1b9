/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * press: one version of the roster as it travels: seal what stands in memory, have it signed,
 * adopt it here; give the parts of the newest version to whoever brings them to a server.
 * PROTOCOL sections 7.1 and 8.1 to 8.3.
 *
 * The administrators of a version are the members of that role in its admin body; where they
 * or the threshold (client.h) differ from the chain's last link, the version has a new link.
 *
 * Where one administrator's signature is enough, press_publish does it all.  Otherwise a
 * version is made from randomness that is agreed upon (quorum.h), so that each of them makes
 * the same bytes on a device of their own and signs what was made there.
 *
 * In the store: part/<name hex> sealed parts of the newest version.
 */
#ifndef AMPARO_PRESS_H
#define AMPARO_PRESS_H

#include "admins.h"
#include "bulletin.h"
#include "client.h"
#include "perr.h"

#define PRESS_LAST_DAY 400       /* a roster's last day, counted from its first */

/* a version that was made and is not published; secret */
struct press;

/* the number and day of the next version */
PERR_MUST_CHECK enum perr press_next(struct client *c, uint32_t *version, uint32_t *day);
/*
 * Seal c->field, c->staff, c->admin under new keys and make every slot anew.  Nothing is stored.
 * The same roster in memory, version, day and rng give the same bytes.
 * PERR_RANGE: no administrator would be left, or the threshold does not fit them.
 * PERR_LIMIT: the chain is full.
 */
PERR_MUST_CHECK enum perr press_make(struct press **out, struct client *c, uint32_t version,
                                    uint32_t day, struct rng rng);
void press_free(struct press *p);        /* wipes; NULL is harmless */

/* the header hash */
const uint8_t *press_hash(const struct press *p);
/* who has to sign the header, and the policies that follow from it */
const struct admins_link *press_last(const struct press *p);
const struct bulletin *press_bulletin(const struct press *p);
/* k_admin of this version; secret */
const uint8_t *press_key(const struct press *p);
/* a body as it is sealed in it */
const uint8_t *press_body(const struct press *p, enum bulletin_which which, size_t *len);

/* what administrators sign: the header, and the link if the chain grows */
struct press_doc {
	const char *context;
	const uint8_t *bytes;            /* lives as long as the press */
	size_t len;
	struct signed_sigs *sigs;        /* those so far; to be added to */
};
#define PRESS_DOCS 2
size_t press_docs(struct press *p, struct press_doc docs[PRESS_DOCS]);
/*
 * Are the signatures enough: of the header the new threshold's, of a link the old one's and
 * the new one's?  now in: the administrators in force; NULL: there are none yet
 */
PERR_MUST_CHECK enum perr press_is_signed(struct press *p, const struct admins *now, bool *is);

/*
 * Store the parts and adopt it as the newest version, in one batch.
 * also  in: client_adopt's: what has to be written in the same batch, or NULL
 * PERR_SIGS: not signed by enough.  After an error client_reload.
 */
PERR_MUST_CHECK enum perr press_adopt(struct client *c, struct press *p,
                                     enum perr (*also)(struct client *c, void *arg),
                                     void *also_arg);

/* would this administrator's signature alone publish what stands in memory? */
bool press_alone(const struct client *c);
/*
 * Make, sign with this administrator's key and adopt.  Errors as press_make, press_adopt.
 * After an error what is in memory may differ from what is stored: client_reload.
 */
PERR_MUST_CHECK enum perr press_publish(struct client *c,
                                       enum perr (*also)(struct client *c, void *arg),
                                       void *also_arg);

/*
 * A sealed part of the newest version, by its name: as stored, or sealed once more, which
 * gives the same bytes (bodies and forms; slots only as stored).
 * out  out: for kv_free
 * PERR_NOTFOUND: it is not known here.
 */
PERR_MUST_CHECK enum perr press_part(struct client *c, const uint8_t name[32], uint8_t **out,
                                    size_t *len);

#endif
