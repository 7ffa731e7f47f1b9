/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * press: one version of the roster as it travels: seal what stands in memory, sign it, adopt
 * it here; give the parts of the newest version to whoever brings them to a server.
 * PROTOCOL sections 8.1 to 8.3.
 *
 * In the store: part/<name hex> sealed parts of the newest version.
 */
#ifndef AMPARO_PRESS_H
#define AMPARO_PRESS_H

#include "client.h"
#include "perr.h"

#define PRESS_LAST_DAY 400       /* a roster's last day, counted from its first */

/*
 * Seal c->field, c->staff, c->admin under new keys, make every slot anew, sign, store the
 * parts and adopt the result as the next version.
 * link  in: a signed link that the administrators' chain grows by, or NULL
 * also  in: client_adopt's: what has to be written in the same batch, or NULL
 * After an error what is in memory may differ from what is stored: client_reload.
 */
PERR_MUST_CHECK enum perr press_publish(struct client *c, const uint8_t *link, size_t link_len,
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
