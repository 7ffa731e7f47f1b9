/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "orders.h"

#include <stdlib.h>

/* ---- pieces ------------------------------------------------------------------------------ */

void orders_clear(struct orders_staging *s)
{
	doc_free(s->bytes, s->total);
	memset(s, 0, sizeof *s);
}

enum perr orders_piece(struct orders_staging *s, const uint8_t hash[32], uint32_t total,
                       uint32_t offset, const uint8_t *piece, size_t len, uint32_t *have)
{
	bool same = s->bytes != NULL && s->total == total && memcmp(s->hash, hash, 32) == 0;

	*have = same ? s->have : 0;
	if (total == 0 || total > ORDERS_TOTAL_MAX || offset > total || len > total - offset)
		return PERR_RANGE;
	if (!same) {
		if (offset != 0)
			return PERR_OK;  /* *have = 0: begin at the beginning */
		orders_clear(s);
		s->bytes = malloc(total);
		if (s->bytes == NULL)
			return PERR_NOMEM;
		s->total = total;
		memcpy(s->hash, hash, 32);
	}
	if (offset > s->have)
		return PERR_OK;
	memcpy(s->bytes + offset, piece, len);
	if (offset + len > s->have)
		s->have = offset + (uint32_t)len;
	*have = s->have;
	return PERR_OK;
}

bool orders_complete(const struct orders_staging *s)
{
	return s->bytes != NULL && s->have == s->total;
}

uint8_t *orders_take(struct orders_staging *s, size_t *len)
{
	uint8_t *bytes = s->bytes;

	*len = s->total;
	memset(s, 0, sizeof *s);
	return bytes;
}

/* ---- judgement --------------------------------------------------------------------------- */

enum perr orders_policy(struct policy *p, const struct access *a, const uint8_t server_pk[32],
                        const uint8_t *bytes, size_t len)
{
	struct admins *who = malloc(sizeof *who);
	enum perr err = PERR_NOMEM;

	if (who == NULL)
		return err;
	err = policy_open(p, who, bytes, len);
	if (err == PERR_OK)
		err = policy_accept(access_known(a), server_pk, p, who);
	free(who);
	return err;
}

enum perr orders_order(struct policy_order *o, const struct access *a,
                       const uint8_t server_pk[32], enum policy_order_kind kind,
                       const uint8_t *bytes, size_t len)
{
	const struct admins *who = access_admins(a);
	enum perr err;

	if (who == NULL)
		return PERR_SIGS;
	err = policy_order_open(o, who, server_pk, access_known(a)->counter, bytes, len);
	if (err == PERR_OK && o->kind != kind)
		err = PERR_UNKNOWN;
	return err;
}

enum perr orders_bulletin(struct bulletin *b, struct admins *who, uint8_t hash[32],
                          const struct access *a, const struct bulletin_known *known,
                          const uint8_t *bytes, size_t len)
{
	const struct policy_known *pinned = access_known(a);
	enum perr err;

	if (pinned->n_links == 0)
		return PERR_STATE;
	err = bulletin_open(b, who, hash, bytes, len);
	if (err != PERR_OK)
		return err;
	/* administrators who were replaced in the policy publish no more */
	err = admins_continues(who, (const uint8_t (*)[32])pinned->links, pinned->n_links);
	if (err != PERR_OK)
		return err;
	if (known->version == 0)
		return PERR_OK;
	err = admins_continues(who, (const uint8_t (*)[32])known->links, known->n_links);
	if (err != PERR_OK)
		return err;
	return b->version > known->version ? PERR_OK : PERR_OLD;
}

size_t orders_parts(uint8_t (*out)[32], const struct bulletin *b)
{
	size_t i, n = 0;

	for (i = 0; i < 3; i++)
		memcpy(out[n++], b->bodies[i].part.name, 32);
	memcpy(out[n++], b->slots.name, 32);
	for (i = 0; i < b->n_forms; i++)
		memcpy(out[n++], b->forms[i].name, 32);
	doc_sort(out, n);
	for (i = 1; i < n; )
		if (memcmp(out[i - 1], out[i], 32) == 0)
			memmove(out[i], out[i + 1], (--n - i) * 32);
		else
			i++;
	return n;
}
