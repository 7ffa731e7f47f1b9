/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * desk_kit: an organisation in memory with a page over each attorney's device, for tests of the
 * attorney's ops: two holders of a desk, an attorney who holds nothing, and volunteers.  Included
 * once.
 */
#ifndef AMPARO_DESK_KIT_H
#define AMPARO_DESK_KIT_H

#include "fixture_org.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "leave.h"
#include "web_kit.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static struct fixture *f;
static struct kit k[FIXTURE_PEOPLE];

/* a page over somebody's device: the client is the fixture's, so that others get what it says */
static inline void open_page(enum fixture_who who)
{
	struct client_env env = fix(f, who)->env;

	kit_open(&k[who], &env);
	k[who].w->c = fix(f, who);
}

static inline void close_page(enum fixture_who who)
{
	if (k[who].w == NULL)
		return;
	for (int i = 0; i < WEB_PARTS; i++)
		web_part_set(k[who].w, (enum web_part_id)i, NULL, NULL);
	k[who].w->c = NULL;
	kit_close(&k[who]);
}

static inline int setup(void **state)
{
	f = fixture_new();
	memset(k, 0, sizeof k);
	open_page(FIX_HOLDER0);
	open_page(FIX_HOLDER1);
	open_page(FIX_COUNSEL);
	open_page(FIX_VOLUNTEER0);
	return 0;
}

static inline int teardown(void **state)
{
	for (int i = 0; i < FIXTURE_PEOPLE; i++)
		close_page((enum fixture_who)i);
	fixture_free(f);
	return 0;
}

static inline struct kit *page(enum fixture_who who)
{
	return &k[who];
}

static inline const char *hex(const uint8_t *id, size_t len)
{
	static char bufs[4][65];
	static unsigned at;
	char *buf = bufs[at++ % 4];

	sodium_bin2hex(buf, sizeof bufs[0], id, len);
	return buf;
}

static inline const char *key_of(enum fixture_who who)
{
	return hex(fix(f, who)->me->sign_pk, 32);
}

#define LIST "view:s state:n desk:n days:u from:u n:u"
static inline void list(enum fixture_who who, const char *view)
{
	kit_call(page(who), "cases", LIST, view, 0UL, 0UL, 100UL);
}

static inline unsigned long total(enum fixture_who who, const char *view)
{
	list(who, view);
	return kit_uint(page(who), "total");
}

static inline void search(enum fixture_who who, const char *text)
{
	kit_call(page(who), "case_search", LIST " text:s", "all", 0UL, 0UL, 100UL, text);
}

/* the id of the only case of a person */
static inline const char *only(enum fixture_who who)
{
	static char record[33];

	list(who, "all");
	assert_int_equal(kit_uint(page(who), "total"), 1);
	snprintf(record, sizeof record, "%s", kit_str(page(who), "rows.0.record"));
	return record;
}

static inline void send_all(void)
{
	for (int i = 0; i < FIXTURE_PEOPLE; i++)
		fixture_upload(f, (enum fixture_who)i);
	for (int i = FIX_HOLDER0; i <= FIX_COUNSEL; i++) {
		unsigned n;

		fixture_sync(f, (enum fixture_who)i);
		OK(leave_tidy(fix(f, (enum fixture_who)i), &n));
	}
}

static inline void compare(enum fixture_who who, enum fixture_who with)
{
	kit_call(page(who), "person_words", "key:s", key_of(with));
	assert_int_equal(kit_count(page(who), "words"), 6);
	assert_false(kit_bool(page(who), "compared"));
	kit_call(page(who), "person_compared", "key:s", key_of(with));
	kit_call(page(who), "person_words", "key:s", key_of(with));
	assert_true(kit_bool(page(who), "compared"));
}

/* arguments */
#define SHOW "record:s lang:s empty:b"
#define ASSIGN "record:s to:s reason:s answer_days:n from:n"

#endif
