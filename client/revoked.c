/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "revoked.h"

#include "doc.h"

#define NAME "revoked"

enum perr revoked_since(struct client *c, uint32_t *day)
{
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, NAME, &value, &len);

	*day = 0;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (len == 8)
		*day = doc_get_u32(value);
	else
		err = PERR_CORRUPT;
	kv_free(value);
	return err;
}

enum perr revoked_note(struct client *c, uint32_t day, uint32_t version)
{
	uint8_t value[8], *old = NULL;
	size_t len = 0;
	enum perr err = kv_get(c->kv, NAME, &old, &len);
	bool newer = err == PERR_NOTFOUND || (len == 8 && doc_get_u32(old + 4) < version);

	kv_free(old);
	if (err != PERR_OK && err != PERR_NOTFOUND)
		return err;
	if (!newer)
		return PERR_OK;
	doc_u32(value, day);
	doc_u32(value + 4, version);
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_put(c->kv, NAME, value, sizeof value);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

enum perr revoked_clear(struct client *c)
{
	uint8_t *old;
	enum perr err = kv_get(c->kv, NAME, &old, NULL);

	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	kv_free(old);
	return kv_del(c->kv, NAME);
}
