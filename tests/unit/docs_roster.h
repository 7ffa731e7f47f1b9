/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docs_roster: a small organisation's three bodies, for the tests of rosters and bulletins. */
#ifndef AMPARO_TEST_DOCS_ROSTER_H
#define AMPARO_TEST_DOCS_ROSTER_H

#include "docs_kit.h"
#include "docs_org.h"
#include "roster.h"

/* 32 times the byte */
static inline void kit_fill(uint8_t out[32], uint8_t byte)
{
	memset(out, byte, 32);
}

static inline void kit_public(uint8_t pk[32], uint8_t sk_byte)
{
	uint8_t sk[32];

	kit_fill(sk, sk_byte);
	crypto_scalarmult_base(pk, sk);
}

/* charter: the bytes of the desk's signed version 0, which must outlive the body */
static inline struct roster_field *kit_field(struct doc_bytes charter, const uint8_t desk[32])
{
	struct roster_field *f = roster_field_new();
	uint8_t ids[1][32];

	assert_non_null(f);
	f->organisation = arena_str(f->mem, "Casa Abierta");
	f->n_desks = 1;
	f->desks = arena_alloc(f->mem, 1, sizeof *f->desks);
	f->desks[0].n_charters = 1;
	f->desks[0].charters = arena_alloc(f->mem, 1, sizeof *f->desks[0].charters);
	f->desks[0].charters[0] = charter;
	f->desks[0].n_lowest = 1;
	f->desks[0].lowest = arena_alloc(f->mem, 1, sizeof *f->desks[0].lowest);
	kit_ids(ids, "h");
	memcpy(f->desks[0].lowest[0].owner, ids[0], 32);
	f->desks[0].lowest[0].number = 2;
	f->n_forms = 2;
	f->forms = arena_alloc(f->mem, 2, sizeof *f->forms);
	for (int i = 0; i < 2; i++) {
		f->forms[i].id = "raid-intake";
		f->forms[i].version = i == 0 ? "2" : "3";
		f->forms[i].title = "Raid intake / Registro de redada";
		memcpy(f->forms[i].desk, desk, 32);
		kit_fill(f->forms[i].part, (uint8_t)(0x80 + i));
		kit_fill(f->forms[i].key, (uint8_t)(0x82 + i));
		f->forms[i].size = 4096;
		f->forms[i].active = i == 1;
	}
	f->n_servers = 2;
	f->servers = arena_alloc(f->mem, 2, sizeof *f->servers);
	f->servers[0].address = "127.0.0.1:4433";
	kit_public(f->servers[0].pk, 0x84);
	f->servers[1].address = "intake.example.org:443";
	kit_public(f->servers[1].pk, 0x85);
	f->n_seasons = 2;
	f->seasons = arena_alloc(f->mem, 2, sizeof *f->seasons);
	f->seasons[0].number = 1;
	kit_fill(f->seasons[0].psk, 0x86);
	f->seasons[1].number = 2;
	kit_fill(f->seasons[1].psk, 0x87);
	kit_fill(f->field_access, 0x88);
	kit_fill(f->board_sk, 0x89);
	kit_public(f->inbox_pk, 0x8a);
	return f;
}

static inline struct roster_staff *kit_staff(void)
{
	struct roster_staff *s = roster_staff_new();
	uint8_t ids[3][32];

	assert_non_null(s);
	kit_ids(ids, "hnv");
	s->n_members = 2;
	s->members = arena_alloc(s->mem, 2, sizeof *s->members);
	memcpy(s->members[0].key, ids[0], 32);
	s->members[0].role = ROSTER_ATTORNEY;
	s->members[0].name = "Eulalia Tomás";
	s->members[0].n_languages = 2;
	s->members[0].languages = arena_alloc(s->mem, 2, sizeof *s->members[0].languages);
	s->members[0].languages[0] = "es";
	s->members[0].languages[1] = "mam";
	s->members[0].lowest_batch = 2;
	memcpy(s->members[1].key, ids[1], 32);
	s->members[1].role = ROSTER_INTERPRETER;
	s->members[1].name = "Nicolás Pop";
	s->n_volunteers = 1;
	s->volunteers = arena_alloc(s->mem, 1, sizeof *s->volunteers);
	memcpy(s->volunteers[0].key, ids[2], 32);
	s->volunteers[0].number = 17;
	kit_fill(s->counsel_access, 0x8b);
	kit_fill(s->board_sk, 0x8c);
	return s;
}

static inline struct roster_admin *kit_admin(void)
{
	struct roster_admin *a = roster_admin_new();
	uint8_t ids[2][32];

	assert_non_null(a);
	kit_ids(ids, "hv");
	a->n_members = 2;
	a->members = arena_alloc(a->mem, 2, sizeof *a->members);
	memcpy(a->members[0].key, ids[0], 32);
	a->members[0].role = ROSTER_ATTORNEY;
	a->members[0].name = "Eulalia Tomás";
	kit_public(a->members[0].slot_pk, 0x90);
	kit_fill(a->members[0].slot_secret, 0x91);
	a->members[0].day = 20700;
	memcpy(a->members[1].key, ids[1], 32);
	a->members[1].role = ROSTER_VOLUNTEER;
	a->members[1].name = "María Juárez";
	kit_public(a->members[1].slot_pk, 0x92);
	kit_fill(a->members[1].slot_secret, 0x93);
	a->members[1].day = 20782;
	a->n_invitations = 1;
	a->invitations = arena_alloc(a->mem, 1, sizeof *a->invitations);
	memset(a->invitations[0].ticket, 0x94, 16);
	a->invitations[0].role = ROSTER_VOLUNTEER;
	a->invitations[0].note = "church hall, Canton";
	kit_public(a->invitations[0].slot_pk, 0x95);
	kit_fill(a->invitations[0].slot_secret, 0x96);
	a->invitations[0].day = 20782;
	kit_fill(a->steward_access, 0x97);
	a->n_guests = 2;
	a->guests = arena_alloc(a->mem, 2, sizeof *a->guests);
	kit_fill(a->guests[0].key, 0x98);
	a->guests[0].last_day = 21182;
	kit_fill(a->guests[1].key, 0x99);
	kit_fill(a->inbox_sk, 0x8a);
	kit_fill(a->policy_seed, 0x9a);
	a->next_volunteer = 18;
	a->n_answered = 1;
	a->answered = arena_alloc(a->mem, 1, sizeof *a->answered);
	memset(a->answered[0].ticket, 0x9b, 16);
	return a;
}

#endif
