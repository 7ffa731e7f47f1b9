/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * web_day: a volunteer's day through web_call: an organisation in memory (fixture_org.h), a
 * core of one volunteer, and a large form of BIG questions.  Everything fails the running test
 * by itself, so there is nothing to check.
 */
#ifndef AMPARO_WEB_DAY_H
#define AMPARO_WEB_DAY_H

#include "fixture_org.h"

#include "client.h"
#include "invite.h"
#include "web_kit.h"

#define OK(e) assert_int_equal(e, PERR_OK)
#define ME FIX_VOLUNTEER1
#define BIG 250                  /* questions of the large form, two photographs among them */
#define TZ 1080UL                /* Guatemala */

struct day {
	struct fixture *f;
	struct client_env env;
	struct kit k;
	struct invite inv;
	char text[INVITE_TEXT_MAX + 1];
};

/* The large form, version 1, of *len bytes; the caller frees it. */
char *day_form(size_t *len);

/* The organisation with its form, an invitation as text, a core without a vault. */
struct day *day_new(void);
/* The same, joined in a vault in memory alone. */
struct day *day_joined(void);
void day_free(struct day *d);

/* The volunteer joins, is confirmed, and has what the syncs between would have brought. */
void day_join(struct day *d);
/* The administrator hears the four words. */
void day_confirm(struct day *d);
/* What a sync would have brought; own_slot: the volunteer's own place in the roster too. */
void day_bring(struct day *d, bool own_slot);

/*
 * A JPEG of size bytes whose segments and lengths are right, with a camera's notes in it; the
 * picture is noise from seed.  turn: its orientation, 1 to 8.  Returns size.
 */
size_t day_jpeg(uint8_t *out, size_t size, unsigned seed, unsigned turn);

#endif
