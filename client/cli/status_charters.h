/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* status_charters: lines of `amparo status` about changes of who holds a desk. */
#ifndef AMPARO_CLI_STATUS_CHARTERS_H
#define AMPARO_CLI_STATUS_CHARTERS_H

#include "client.h"
#include "perr.h"

struct list;

/* changes that wait for signatures, those overtaken, desks that are asked to vouch */
PERR_MUST_CHECK enum perr status_charters(struct client *c, struct list *l);
/*
 * Who joins and who leaves by a change, in words: "Ana Ruiz joins; Ben Carter leaves".
 * Names are as they are: to be printed through term.h.
 */
struct charters_change;
void status_change_words(struct client *c, const struct charters_change *ch, char *out,
                         size_t size);

#endif
