/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cell.h"
#include "roster_body.h"
#include "rpc.h"

/* keys of ext: PROTOCOL 8.1 */
#define EXT_MADE     1
#define EXT_RETIRED  3
#define EXT_REVOKED  5
#define EXT_PLANS    7

struct roster_admin *roster_admin_new(void)
{
	struct arena *mem;
	struct roster_admin *a = roster_body_new(&mem, sizeof *a);

	if (a != NULL) {
		a->mem = mem;
		a->next_volunteer = 1;
		a->schedule = (struct roster_schedule){ .release_minutes = 60,
		                                        .surge_minutes = 10 };
	}
	return a;
}

void roster_admin_free(struct roster_admin *a)
{
	if (a != NULL)
		arena_free(a->mem);
}

/* ---- reading ----------------------------------------------------------------------------- */

/* a slot key that cannot be sealed to would stop every later version */
static void get_slot(struct mp_reader *r, uint8_t pk[32], uint8_t secret[32])
{
	mp_bin_copy(r, pk, 32);
	mp_bin_copy(r, secret, 32);
	if (cell_check_pk(pk) != PERR_OK)
		mp_fail(r, PERR_FORMAT);
}

/*
 * PROTOCOL 8.1: "members array 0..4096 of `[key id bin32, role, name str 1..128, slot public key
 * bin32, slot secret bin32, day]`"
 */
static void get_enrolled(struct mp_reader *r, struct arena *mem, struct roster_enrolled *e)
{
	mp_array(r, 6);
	mp_bin_copy(r, e->key, 32);
	e->role = roster_get_role(r);
	e->name = roster_get_str(r, mem, 1, ROSTER_NAME_MAX);
	get_slot(r, e->slot_pk, e->slot_secret);
	e->day = doc_get_uint(r, UINT32_MAX);
}

/*
 * PROTOCOL 8.1: "invitations array 0..512 of `[ticket bin16, role, note str 0..128, slot public
 * key bin32, slot secret bin32, day]`"
 */
static void get_invitation(struct mp_reader *r, struct arena *mem, struct roster_invitation *v)
{
	mp_array(r, 6);
	mp_bin_copy(r, v->ticket, sizeof v->ticket);
	v->role = roster_get_role(r);
	v->note = roster_get_str(r, mem, 0, 128);
	get_slot(r, v->slot_pk, v->slot_secret);
	v->day = doc_get_uint(r, UINT32_MAX);
}

static void get_schedule(struct mp_reader *r, struct roster_schedule *s)
{
	mp_array(r, 3);
	s->release_minutes = doc_get_uint(r, 1440);
	s->surge_minutes = doc_get_uint(r, 1440);
	s->surge_until = doc_get_uint(r, UINT32_MAX);
	if (s->release_minutes < 1 || s->surge_minutes < 1)
		mp_fail(r, PERR_FORMAT);
}

static void get_made(struct mp_reader *r, struct roster_admin *a)
{
	a->made = roster_get_array(r, a->mem, &a->n_made, 1, ROSTER_MADE_MAX, sizeof *a->made);
	for (uint32_t i = 0; i < a->n_made; i++) {
		mp_array(r, 2);
		mp_bin_copy(r, a->made[i].key, 32);
		a->made[i].number = doc_get_uint(r, UINT32_MAX);
		if (i > 0 && memcmp(a->made[i - 1].key, a->made[i].key, 32) >= 0)
			mp_fail(r, PERR_FORMAT);
	}
}

static void get_retired(struct mp_reader *r, struct roster_admin *a)
{
	a->retired = roster_get_array(r, a->mem, &a->n_retired, 1, ROSTER_RETIRED_MAX,
	                              sizeof *a->retired);
	for (uint32_t i = 0; i < a->n_retired; i++) {
		mp_array(r, 3);
		a->retired[i].scope = doc_get_uint(r, RPC_STEWARD);
		mp_bin_copy(r, a->retired[i].key, 32);
		a->retired[i].last_day = doc_get_uint(r, UINT32_MAX);
		/* without an end it would be in force for ever, and guests' have a list of their own */
		if (a->retired[i].scope < RPC_FIELD || a->retired[i].last_day == 0)
			mp_fail(r, PERR_FORMAT);
	}
}

static void get_revoked(struct mp_reader *r, struct roster_admin *a)
{
	mp_array(r, 3);
	a->revocations = doc_get_uint(r, UINT32_MAX);
	a->revoked = roster_get_array(r, a->mem, &a->n_revoked, 0, ROSTER_REVOKED_MAX,
	                              sizeof *a->revoked);
	for (uint32_t i = 0; i < a->n_revoked; i++) {
		mp_array(r, 4);
		mp_bin_copy(r, a->revoked[i].key, 32);
		get_slot(r, a->revoked[i].slot_pk, a->revoked[i].slot_secret);
		a->revoked[i].day = doc_get_uint(r, UINT32_MAX);
	}
	a->inboxes = roster_get_boards(r, a->mem, &a->n_inboxes);
}

static void get_plans(struct mp_reader *r, struct roster_admin *a)
{
	mp_array(r, ROSTER_PLANS);
	for (int i = 0; i < ROSTER_PLANS; i++) {
		struct roster_plan *p = &a->plans[i];

		mp_array(r, 2);
		p->every = doc_get_uint(r, ROSTER_EVERY_MAX);
		p->last = doc_get_uint(r, UINT32_MAX);
		if (p->every > 0 && p->every < ROSTER_EVERY_MIN)
			mp_fail(r, PERR_FORMAT);
	}
}

/* the odd keys known here are read; other odd ones are skipped, as doc_ext does */
static void get_ext(struct mp_reader *r, struct roster_admin *a)
{
	for (uint32_t n = mp_map(r, UINT32_MAX); n > 0 && r->err == PERR_OK; n--) {
		uint64_t key = mp_key(r);

		if (key % 2 == 0)
			mp_fail(r, PERR_UNKNOWN);
		switch (key) {
		case EXT_MADE:
			get_made(r, a);
			break;
		case EXT_RETIRED:
			get_retired(r, a);
			break;
		case EXT_REVOKED:
			get_revoked(r, a);
			break;
		case EXT_PLANS:
			get_plans(r, a);
			break;
		default:
			a->has_ext = true;
			mp_skip(r);
			break;
		}
	}
}

static void get_admin(struct mp_reader *r, struct roster_admin *a)
{
	struct doc_map m;

	doc_map_begin(&m, r);
	doc_need(&m, 0);
	a->members = roster_get_array(r, a->mem, &a->n_members, 0, ROSTER_MEMBERS_MAX,
	                              sizeof *a->members);
	for (uint32_t i = 0; i < a->n_members; i++)
		get_enrolled(r, a->mem, &a->members[i]);
	doc_need(&m, 1);
	a->invitations = roster_get_array(r, a->mem, &a->n_invitations, 0, ROSTER_INVITES_MAX,
	                                  sizeof *a->invitations);
	for (uint32_t i = 0; i < a->n_invitations; i++)
		get_invitation(r, a->mem, &a->invitations[i]);
	doc_need(&m, 2);
	mp_bin_copy(r, a->steward_access, 32);
	doc_need(&m, 3);
	a->guests = roster_get_array(r, a->mem, &a->n_guests, 1, ROSTER_GUESTS_MAX,
	                             sizeof *a->guests);
	for (uint32_t i = 0; i < a->n_guests; i++) {
		mp_array(r, 2);
		mp_bin_copy(r, a->guests[i].key, 32);
		a->guests[i].last_day = doc_get_uint(r, UINT32_MAX);
	}
	doc_need(&m, 4);
	mp_bin_copy(r, a->inbox_sk, 32);
	doc_need(&m, 5);
	mp_bin_copy(r, a->policy_seed, 32);
	doc_need(&m, 6);
	a->next_volunteer = doc_get_uint(r, UINT32_MAX);
	doc_need(&m, 7);
	a->answered = roster_get_array(r, a->mem, &a->n_answered, 0, ROSTER_INVITES_MAX,
	                               sizeof *a->answered);
	for (uint32_t i = 0; i < a->n_answered; i++)
		mp_bin_copy(r, a->answered[i].ticket, sizeof a->answered[i].ticket);
	doc_need(&m, 8);
	get_schedule(r, &a->schedule);
	if (doc_has(&m, 9))
		get_ext(r, a);
	doc_map_end(&m);
}

enum perr roster_admin_decode(struct roster_admin **out, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	struct roster_admin *a;
	enum perr err;

	*out = NULL;
	if (in_len > ROSTER_BODY_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	if (r.err != PERR_OK)
		return mp_finish(&r);    /* locked memory is dear: none for noise */
	a = roster_admin_new();
	if (a == NULL)
		mp_fail(&r, PERR_NOMEM);
	else
		get_admin(&r, a);
	err = mp_finish(&r);
	if (err == PERR_OK)
		*out = a;
	else
		roster_admin_free(a);
	return err;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put_enrolled(struct mp_writer *w, const struct roster_enrolled *e)
{
	mp_put_array(w, 6);
	mp_put_bin(w, e->key, 32);
	mp_put_uint(w, e->role);
	roster_put_str(w, e->name);
	mp_put_bin(w, e->slot_pk, 32);
	mp_put_bin(w, e->slot_secret, 32);
	mp_put_uint(w, e->day);
}

static void put_invitation(struct mp_writer *w, const struct roster_invitation *v)
{
	mp_put_array(w, 6);
	mp_put_bin(w, v->ticket, sizeof v->ticket);
	mp_put_uint(w, v->role);
	roster_put_str(w, v->note);
	mp_put_bin(w, v->slot_pk, 32);
	mp_put_bin(w, v->slot_secret, 32);
	mp_put_uint(w, v->day);
}

static void put_made(struct mp_writer *w, const struct roster_admin *a)
{
	mp_put_array(w, a->n_made);
	for (uint32_t i = 0; i < a->n_made; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, a->made[i].key, 32);
		mp_put_uint(w, a->made[i].number);
	}
}

static void put_retired(struct mp_writer *w, const struct roster_admin *a)
{
	mp_put_array(w, a->n_retired);
	for (uint32_t i = 0; i < a->n_retired; i++) {
		mp_put_array(w, 3);
		mp_put_uint(w, a->retired[i].scope);
		mp_put_bin(w, a->retired[i].key, 32);
		mp_put_uint(w, a->retired[i].last_day);
	}
}

static void put_revoked(struct mp_writer *w, const struct roster_admin *a)
{
	mp_put_array(w, 3);
	mp_put_uint(w, a->revocations);
	mp_put_array(w, a->n_revoked);
	for (uint32_t i = 0; i < a->n_revoked; i++) {
		mp_put_array(w, 4);
		mp_put_bin(w, a->revoked[i].key, 32);
		mp_put_bin(w, a->revoked[i].slot_pk, 32);
		mp_put_bin(w, a->revoked[i].slot_secret, 32);
		mp_put_uint(w, a->revoked[i].day);
	}
	roster_put_boards(w, a->inboxes, a->n_inboxes);
}

static void put_plans(struct mp_writer *w, const struct roster_admin *a)
{
	mp_put_array(w, ROSTER_PLANS);
	for (int i = 0; i < ROSTER_PLANS; i++) {
		mp_put_array(w, 2);
		mp_put_uint(w, a->plans[i].every);
		mp_put_uint(w, a->plans[i].last);
	}
}

static bool has_revoked(const struct roster_admin *a)
{
	return a->revocations > 0 || a->n_revoked > 0 || a->n_inboxes > 0;
}

static bool has_plans(const struct roster_admin *a)
{
	bool has = false;

	for (int i = 0; i < ROSTER_PLANS; i++)
		has |= a->plans[i].every > 0 || a->plans[i].last > 0;
	return has;
}

static uint32_t n_ext(const struct roster_admin *a)
{
	return (a->n_made > 0) + (a->n_retired > 0) + has_revoked(a) + has_plans(a);
}

static void put_ext(struct mp_writer *w, const struct roster_admin *a)
{
	mp_put_key(w, 9);
	mp_put_map(w, n_ext(a));
	if (a->n_made > 0) {
		mp_put_key(w, EXT_MADE);
		put_made(w, a);
	}
	if (a->n_retired > 0) {
		mp_put_key(w, EXT_RETIRED);
		put_retired(w, a);
	}
	if (has_revoked(a)) {
		mp_put_key(w, EXT_REVOKED);
		put_revoked(w, a);
	}
	if (has_plans(a)) {
		mp_put_key(w, EXT_PLANS);
		put_plans(w, a);
	}
}

static void put_admin(struct mp_writer *w, const void *what)
{
	const struct roster_admin *a = what;

	mp_put_map(w, n_ext(a) > 0 ? 10 : 9);
	mp_put_key(w, 0);
	mp_put_array(w, a->n_members);
	for (uint32_t i = 0; i < a->n_members; i++)
		put_enrolled(w, &a->members[i]);
	mp_put_key(w, 1);
	mp_put_array(w, a->n_invitations);
	for (uint32_t i = 0; i < a->n_invitations; i++)
		put_invitation(w, &a->invitations[i]);
	mp_put_key(w, 2);
	mp_put_bin(w, a->steward_access, 32);
	mp_put_key(w, 3);
	mp_put_array(w, a->n_guests);
	for (uint32_t i = 0; i < a->n_guests; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, a->guests[i].key, 32);
		mp_put_uint(w, a->guests[i].last_day);
	}
	mp_put_key(w, 4);
	mp_put_bin(w, a->inbox_sk, 32);
	mp_put_key(w, 5);
	mp_put_bin(w, a->policy_seed, 32);
	mp_put_key(w, 6);
	mp_put_uint(w, a->next_volunteer);
	mp_put_key(w, 7);
	mp_put_array(w, a->n_answered);
	for (uint32_t i = 0; i < a->n_answered; i++)
		mp_put_bin(w, a->answered[i].ticket, sizeof a->answered[i].ticket);
	mp_put_key(w, 8);
	mp_put_array(w, 3);
	mp_put_uint(w, a->schedule.release_minutes);
	mp_put_uint(w, a->schedule.surge_minutes);
	mp_put_uint(w, a->schedule.surge_until);
	if (n_ext(a) > 0)
		put_ext(w, a);
}

enum perr roster_admin_encode(uint8_t **out, size_t *out_len, const struct roster_admin *a)
{
	struct roster_admin *again;
	enum perr err = doc_write(out, out_len, ROSTER_BODY_MAX, put_admin, a);

	if (err != PERR_OK)
		return err;
	err = roster_admin_decode(&again, *out, *out_len);
	roster_admin_free(again);
	return roster_encoded(out, out_len, err);
}

/* ---- looking ----------------------------------------------------------------------------- */

const struct roster_enrolled *roster_admin_find(const struct roster_admin *a,
                                                const uint8_t key[32])
{
	for (uint32_t i = 0; i < a->n_members; i++)
		if (memcmp(a->members[i].key, key, 32) == 0)
			return &a->members[i];
	return NULL;
}

const struct roster_invitation *roster_invitation_find(const struct roster_admin *a,
                                                       const uint8_t ticket[16])
{
	for (uint32_t i = 0; i < a->n_invitations; i++)
		if (memcmp(a->invitations[i].ticket, ticket, ROSTER_TICKET_SIZE) == 0)
			return &a->invitations[i];
	return NULL;
}
