/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "restored.h"

#include "doc.h"
#include "statement.h"

#define NAME "restored"

enum perr restored_day(struct client *c, uint32_t *day)
{
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, NAME, &value, &len);

	*day = 0;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (len == 4)
		*day = doc_get_u32(value);
	else
		err = PERR_CORRUPT;
	kv_free(value);
	return err;
}

enum perr restored_note(struct kv *kv, uint32_t day)
{
	uint8_t value[4];

	doc_u32(value, day);
	return kv_put(kv, NAME, value, sizeof value);
}

enum perr restored_floor(struct client *c, uint32_t *number)
{
	uint32_t day;
	enum perr err = restored_day(c, &day);

	*number = day == 0 ? 0 : statement_stretch(day);
	return err;
}
