/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "apply_server.h"

#include <stdio.h>
#include <string.h>

#include "roster.h"

/* its place in the list; n_servers: it is not there */
static uint32_t find(const struct roster_field *f, const uint8_t pk[32])
{
	uint32_t i = 0;

	while (i < f->n_servers && memcmp(f->servers[i].pk, pk, 32) != 0)
		i++;
	return i;
}

static enum perr append(struct roster_field *f, const uint8_t pk[32], const char *address,
                        struct applied *d)
{
	if (f->n_servers >= ROSTER_SERVERS_MAX) {
		snprintf(d->why, sizeof d->why, "the server %.80s was not listed: other administrators "
		         "listed others meanwhile, and an organisation has at most %d.", address,
		         ROSTER_SERVERS_MAX);
		return PERR_OK;
	}
	f->servers = arena_grow(f->mem, f->servers, f->n_servers, f->n_servers + 1,
	                        sizeof *f->servers);
	if (f->servers == NULL)
		return PERR_NOMEM;
	memcpy(f->servers[f->n_servers].pk, pk, 32);
	f->servers[f->n_servers].address = arena_str(f->mem, address);
	if (f->servers[f->n_servers].address == NULL)
		return PERR_NOMEM;
	f->n_servers++;
	d->changed = true;
	return PERR_OK;
}

enum perr apply_server_add(struct client *c, const struct pending_op *o, struct applied *d)
{
	return find(c->field, o->id) < c->field->n_servers ? PERR_OK
	     : append(c->field, o->id, o->text[0], d);
}

static void take_out(struct roster_field *f, uint32_t at, struct applied *d)
{
	memmove(&f->servers[at], &f->servers[at + 1],
	        (f->n_servers - at - 1) * sizeof *f->servers);
	f->n_servers--;
	d->changed = true;
}

enum perr apply_server_drop(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_field *f = c->field;
	uint32_t at = find(f, o->id);

	if (at == f->n_servers)
		return PERR_OK;
	if (f->n_servers == 1) {
		snprintf(d->why, sizeof d->why, "the server %.80s was not dropped: no other one is "
		         "listed any more; `amparo server replace` puts a new one in its place.",
		         f->servers[at].address);
		return PERR_OK;
	}
	take_out(f, at, d);
	return PERR_OK;
}

enum perr apply_server_replace(struct client *c, const struct pending_op *o, struct applied *d)
{
	struct roster_field *f = c->field;
	uint32_t old = find(f, o->part), new = find(f, o->id);
	char *address;

	if (old == f->n_servers)
		return new < f->n_servers ? PERR_OK : append(f, o->id, o->text[0], d);
	if (new < f->n_servers) {
		take_out(f, old, d);
		return PERR_OK;
	}
	address = arena_str(f->mem, o->text[0]);
	if (address == NULL)
		return PERR_NOMEM;
	memcpy(f->servers[old].pk, o->id, 32);
	f->servers[old].address = address;
	d->changed = true;
	return PERR_OK;
}
