/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "accept.h"

/* an idle handle keeps the loop from sleeping; the check handle comes after its reading */
static void accept_on_more(uv_idle_t *idle)
{
	(void)idle;
}

static void accept_on_turn(uv_check_t *turn)
{
	struct acceptor *a = turn->data;
	size_t i, n = a->n_waiting;

	a->accepted = 0;
	a->n_waiting = 0;
	if (n > 0)
		(void)uv_idle_stop(&a->more);
	for (i = 0; i < n; i++)
		if (!uv_is_closing((uv_handle_t *)a->waiting[i]))
			accept_on_connection(a->waiting[i], 0);
}

bool accept_start(struct acceptor *a)
{
	if (uv_check_init(a->set->loop, &a->turn) != 0 ||
	    uv_idle_init(a->set->loop, &a->more) != 0)
		return false;
	a->turn.data = a;
	return uv_check_start(&a->turn, accept_on_turn) == 0;
}

static void accept_on_refused(uv_handle_t *h)
{
	struct acceptor *a = h->data;

	a->refusing = false;
	if (!a->set->closing)
		accept_on_connection(a->refused_by, 0);  /* one more may have come meanwhile */
}

/* out of memory: libuv offers nothing further until this one is taken */
static void turn_away(struct acceptor *a, uv_stream_t *server)
{
	if (a->refusing)
		return;
	(void)uv_tcp_init(a->set->loop, &a->refuse);
	a->refuse.data = a;
	a->refused_by = server;
	a->refusing = true;
	(void)uv_accept(server, (uv_stream_t *)&a->refuse);
	uv_close((uv_handle_t *)&a->refuse, accept_on_refused);
}

void accept_on_connection(uv_stream_t *server, int status)
{
	struct acceptor *a = server->data;

	if (status < 0)
		return;
	if (a->accepted >= ACCEPT_TURN) {
		/* not taken: libuv offers nothing further from there until it is */
		a->waiting[a->n_waiting++] = server;
		(void)uv_idle_start(&a->more, accept_on_more);
		return;
	}
	a->accepted++;
	if (!conn_take(a->set, server))
		turn_away(a, server);
}
