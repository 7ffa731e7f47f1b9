/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * accept: takes what comes to the listening handles and hands it to connection.h.
 *
 * Fairness.  At most ACCEPT_TURN connections are taken in one turn of the loop, so that a
 * flood of new ones does not keep those who are there from being read.
 */
#ifndef AMPARO_ACCEPT_H
#define AMPARO_ACCEPT_H

#include "connection.h"

#define ACCEPT_TURN 64
#define ACCEPT_LISTENERS 8               /* listening handles, at most */

/* of all listening handles together; zeroed by the owner, then set is filled in */
struct acceptor {
	struct conn_set *set;

	/* accept.c's own */
	uv_check_t turn;                 /* a turn of the loop ends: accept again */
	uv_idle_t more;                  /* active while somebody waits to be accepted */
	unsigned accepted;               /* in this turn */
	uv_stream_t *waiting[ACCEPT_LISTENERS];
	size_t n_waiting;
	uv_tcp_t refuse;                 /* for the case of no memory */
	uv_stream_t *refused_by;
	bool refusing;
};

/* before listening; false: libuv cannot */
bool accept_start(struct acceptor *a);
/* uv's connection callback of a listening handle; server->data is the acceptor */
void accept_on_connection(uv_stream_t *server, int status);

#endif
