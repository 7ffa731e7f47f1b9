/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* what a server said of itself last, in the store */
#include "steward.h"

#include <string.h>

#include "mp.h"
#include "roster.h"

#define FIGURES 15

enum perr steward_keep_figures(struct client *c, const uint8_t server_pk[32],
                               const struct steward_figures *st)
{
	const uint32_t at[FIGURES] = {
		st->day, st->cells_waiting, st->cells_released, st->segments, st->board, st->joins,
		st->erasures, st->erase_day, st->free_mib, st->reserve_mib, st->refused,
		st->refused_full, st->alerts, st->frozen, st->full
	};
	uint8_t buf[FIGURES * 5 + 8];
	struct mp_writer w;
	char name[96];
	size_t len, i;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, FIGURES);
	for (i = 0; i < FIGURES; i++)
		mp_put_uint(&w, at[i]);
	err = mp_written(&w, &len);
	client_key_name(name, "figures/", server_pk, 32);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, buf, len);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

enum perr steward_last(struct client *c, size_t at, struct steward_figures *f)
{
	uint32_t got[FIGURES];
	struct mp_reader r;
	uint8_t *value;
	char name[96];
	size_t len, i;
	enum perr err;

	memset(f, 0, sizeof *f);
	if (c->field == NULL || at >= c->field->n_servers)
		return PERR_NOTFOUND;
	client_key_name(name, "figures/", c->field->servers[at].pk, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		return err;
	mp_reader_init(&r, value, len);
	mp_array(&r, FIGURES);
	for (i = 0; i < FIGURES; i++)
		got[i] = (uint32_t)mp_uint(&r, UINT32_MAX);
	err = mp_finish(&r) == PERR_OK ? PERR_OK : PERR_CORRUPT;
	kv_free(value);
	if (err != PERR_OK)
		return err;
	*f = (struct steward_figures){
		.day = got[0], .cells_waiting = got[1], .cells_released = got[2],
		.segments = got[3], .board = got[4], .joins = got[5], .erasures = got[6],
		.erase_day = got[7], .free_mib = got[8], .reserve_mib = got[9],
		.refused = got[10], .refused_full = got[11], .alerts = got[12],
		.frozen = got[13] != 0, .full = got[14] != 0
	};
	return PERR_OK;
}
