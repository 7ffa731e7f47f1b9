/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "roster.h"

#include "docs_vec.h"
#include "docs_roster.h"

static struct desk desk;
static struct doc_bytes charter;

static int set_up(void **state)
{
	(void)state;
	charter = kit_desk(&desk, "Mesa", 2, "hij");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kit_free(&charter, 1);
	return 0;
}

/* ---- keys -------------------------------------------------------------------------------- */

static void keys_run_down_and_never_up(void **state)
{
	struct roster_keys a, s, f;
	struct rng_seeded st;

	(void)state;
	roster_keys_new(&a, kit_rng(&st, 0x47));
	assert_true(a.has_admin && a.has_staff);
	roster_keys_from_staff(&s, a.staff);
	assert_false(s.has_admin);
	assert_memory_equal(s.field, a.field, 32);
	assert_zero(s.admin, 32);
	roster_keys_from_field(&f, a.field);
	assert_false(f.has_staff);
	assert_zero(f.staff, 32);
	assert_memory_not_equal(a.admin, a.staff, 32);
	assert_memory_not_equal(a.staff, a.field, 32);
}

/* ---- the three bodies -------------------------------------------------------------------- */

static enum perr open_field(const uint8_t *in, size_t len)
{
	struct roster_field *f;
	enum perr err = roster_field_decode(&f, in, len);

	assert_true((f != NULL) == (err == PERR_OK));
	roster_field_free(f);
	return err;
}

static enum perr open_staff(const uint8_t *in, size_t len)
{
	struct roster_staff *s;
	enum perr err = roster_staff_decode(&s, in, len);

	assert_true((s != NULL) == (err == PERR_OK));
	roster_staff_free(s);
	return err;
}

static enum perr open_admin(const uint8_t *in, size_t len)
{
	struct roster_admin *a;
	enum perr err = roster_admin_decode(&a, in, len);

	assert_true((a != NULL) == (err == PERR_OK));
	roster_admin_free(a);
	return err;
}

static uint8_t *field_bytes(size_t *len)
{
	struct roster_field *f = kit_field(charter, desk.id);
	uint8_t *out;

	assert_int_equal(roster_field_encode(&out, len, f), PERR_OK);
	roster_field_free(f);
	return out;
}

static uint8_t *staff_bytes(size_t *len)
{
	struct roster_staff *s = kit_staff();
	uint8_t *out;

	assert_int_equal(roster_staff_encode(&out, len, s), PERR_OK);
	roster_staff_free(s);
	return out;
}

static uint8_t *admin_bytes(size_t *len)
{
	struct roster_admin *a = kit_admin();
	uint8_t *out;

	assert_int_equal(roster_admin_encode(&out, len, a), PERR_OK);
	roster_admin_free(a);
	return out;
}

static void the_field_body_comes_back(void **state)
{
	struct roster_field *f;
	size_t len, again_len;
	uint8_t *again, *in = field_bytes(&len);
	uint8_t ids[2][32];

	(void)state;
	assert_int_equal(roster_field_decode(&f, in, len), PERR_OK);
	assert_int_equal(roster_field_encode(&again, &again_len, f), PERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, in, len);
	/* the decoded body must not point into the input, which is wiped */
	memset(in, 0xee, len);
	doc_free(in, len);
	assert_string_equal(f->organisation, "Casa Abierta");
	assert_int_equal(f->desks[0].n_charters, 1);
	assert_int_equal(f->desks[0].charters[0].len, charter.len);
	assert_memory_equal(f->desks[0].charters[0].p, charter.p, charter.len);
	assert_string_equal(f->servers[1].address, "intake.example.org:443");
	assert_int_equal(f->seasons[1].number, 2);
	assert_int_equal(f->limits.attachment_bytes, 262144);
	assert_string_equal(roster_form_find(f, "raid-intake", NULL)->version, "3");
	assert_null(roster_form_find(f, "raid-intake", "2"));    /* not active */
	assert_null(roster_form_find(f, "other", NULL));
	kit_ids(ids, "hi");
	assert_int_equal(roster_lowest_batch(&f->desks[0], ids[0]), 2);
	assert_int_equal(roster_lowest_batch(&f->desks[0], ids[1]), 0);
	roster_field_free(f);
	doc_free(again, again_len);
}

static void the_staff_body_comes_back(void **state)
{
	struct roster_staff *s;
	size_t len, again_len;
	uint8_t *again, *in = staff_bytes(&len);
	uint8_t ids[3][32];

	(void)state;
	assert_int_equal(roster_staff_decode(&s, in, len), PERR_OK);
	assert_int_equal(roster_staff_encode(&again, &again_len, s), PERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, in, len);
	kit_ids(ids, "hvz");
	assert_string_equal(roster_staff_find(s, ids[0])->name, "Eulalia Tomás");
	assert_string_equal(roster_staff_find(s, ids[0])->languages[1], "mam");
	assert_int_equal(roster_volunteer_find(s, ids[1])->number, 17);
	assert_null(roster_staff_find(s, ids[1]));
	assert_null(roster_volunteer_find(s, ids[2]));
	roster_staff_free(s);
	doc_free(in, len);
	doc_free(again, again_len);
}

static void the_admin_body_comes_back(void **state)
{
	struct roster_admin *a;
	size_t len, again_len;
	uint8_t *again, *in = admin_bytes(&len);
	uint8_t ids[2][32], ticket[16];

	(void)state;
	assert_int_equal(roster_admin_decode(&a, in, len), PERR_OK);
	assert_int_equal(roster_admin_encode(&again, &again_len, a), PERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, in, len);
	kit_ids(ids, "vz");
	assert_string_equal(roster_admin_find(a, ids[0])->name, "María Juárez");
	assert_null(roster_admin_find(a, ids[1]));
	memset(ticket, 0x94, sizeof ticket);
	assert_string_equal(roster_invitation_find(a, ticket)->note, "church hall, Canton");
	ticket[0] ^= 1;
	assert_null(roster_invitation_find(a, ticket));
	assert_int_equal(a->schedule.release_minutes, 60);
	roster_admin_free(a);
	doc_free(in, len);
	doc_free(again, again_len);
}

static void a_body_can_be_added_to_and_encoded_again(void **state)
{
	struct roster_admin *a, *b;
	size_t len;
	uint8_t *in = admin_bytes(&len);

	(void)state;
	assert_int_equal(roster_admin_decode(&a, in, len), PERR_OK);
	doc_free(in, len);
	a->members = arena_grow(a->mem, a->members, a->n_members, a->n_members + 1,
	                        sizeof *a->members);
	a->members[2] = a->members[1];
	a->members[2].key[0] ^= 1;
	a->members[2].name = arena_str(a->mem, "Ixchel Pérez");
	a->n_members = 3;
	assert_int_equal(roster_admin_encode(&in, &len, a), PERR_OK);
	assert_int_equal(roster_admin_decode(&b, in, len), PERR_OK);
	assert_string_equal(b->members[2].name, "Ixchel Pérez");
	assert_string_equal(b->members[1].name, "María Juárez");
	doc_free(in, len);
	roster_admin_free(a);
	roster_admin_free(b);
}

static void truncated_bodies_are_refused(void **state)
{
	static struct {
		uint8_t *(*make)(size_t *len);
		kit_open *open;
	} const bodies[] = {
		{ field_bytes, open_field }, { staff_bytes, open_staff }, { admin_bytes, open_admin },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t len;
		uint8_t *in = bodies[i].make(&len);

		kit_refuses_truncation(bodies[i].open, in, len);
		kit_refuses_trailing(bodies[i].open, in, len);
		for (size_t other = 0; other < 3; other++)
			if (other != i)
				assert_int_not_equal(bodies[other].open(in, len), PERR_OK);
		doc_free(in, len);
	}
}

static void flipped_bits_never_reach_beyond_the_input(void **state)
{
	size_t len;
	uint8_t *in = staff_bytes(&len);

	(void)state;
	for (size_t i = 0; i < 8 * len; i++) {
		in[i / 8] ^= (uint8_t)(1u << i % 8);
		(void)kit_try(open_staff, in, len);
		in[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	doc_free(in, len);
}

static void counts_that_lie_allocate_nothing(void **state)
{
	/* {0: array of 2^20 members, ...} in a few bytes */
	static const char *const lies[] = {
		"8400dd00100000", "8400dc0400", "8400dc040001", "840090019000dd7fffffff",
		"89007801dc0020", "8000",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		uint8_t buf[32];
		size_t len = strlen(lies[i]) / 2;

		sodium_hex2bin(buf, sizeof buf, lies[i], 2 * len, NULL, NULL, NULL);
		assert_int_equal(kit_try(open_field, buf, len), PERR_FORMAT);
		assert_int_equal(kit_try(open_staff, buf, len), PERR_FORMAT);
		assert_int_equal(kit_try(open_admin, buf, len), PERR_FORMAT);
	}
}

#define FIELD_REFUSED(change) do { \
		struct roster_field *f = kit_field(charter, desk.id); \
		uint8_t *out; \
		size_t len; \
		change; \
		assert_int_equal(roster_field_encode(&out, &len, f), PERR_RANGE); \
		assert_null(out); \
		roster_field_free(f); \
	} while (0)

static void a_field_body_that_members_would_refuse_is_never_made(void **state)
{
	(void)state;
	FIELD_REFUSED(f->organisation = "");
	FIELD_REFUSED(f->n_seasons = 0);
	FIELD_REFUSED(f->seasons[1].number = 1);         /* not rising */
	FIELD_REFUSED(f->servers[0].address = "nowhere");
	FIELD_REFUSED(memset(f->servers[0].pk, 0, 32));
	FIELD_REFUSED(memset(f->inbox_pk, 0, 32));
	FIELD_REFUSED(f->forms[0].title = "");
	FIELD_REFUSED(f->forms[0].id = NULL);
	FIELD_REFUSED(f->desks[0].n_charters = 0);
	FIELD_REFUSED(f->desks[0].lowest_charter = 64);
}

static void an_admin_body_that_would_stop_the_next_bulletin_is_never_made(void **state)
{
	struct roster_admin *a = kit_admin();
	uint8_t *out;
	size_t len;

	(void)state;
	memset(a->members[1].slot_pk, 0, 32);
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	roster_admin_free(a);
	a = kit_admin();
	a->members[0].role = (enum roster_role)5;
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	a->members[0].role = (enum roster_role)0;
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	roster_admin_free(a);
	a = kit_admin();
	a->n_guests = 0;
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	roster_admin_free(a);
	a = kit_admin();
	a->schedule.surge_minutes = 0;
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	roster_admin_free(a);
}

/* the body with one more pair at its end: {ext_key: {inner: 5}} */
static enum perr with_ext(kit_open *open, uint8_t *(*make)(size_t *), uint8_t ext_key,
                          uint8_t inner)
{
	size_t len;
	uint8_t *in = make(&len), *more = malloc(len + 4);
	enum perr err;

	assert_non_null(more);
	memcpy(more, in, len);
	more[0]++;
	memcpy(more + len, (uint8_t[]){ ext_key, 0x81, inner, 0x05 }, 4);
	err = kit_try(open, more, len + 4);
	free(more);
	doc_free(in, len);
	return err;
}

static void later_fields_in_ext_are_skipped_or_refused_by_their_parity(void **state)
{
	(void)state;
	assert_int_equal(with_ext(open_field, field_bytes, 9, 1), PERR_OK);
	assert_int_equal(with_ext(open_field, field_bytes, 9, 2), PERR_UNKNOWN);
	assert_int_equal(with_ext(open_field, field_bytes, 10, 1), PERR_FORMAT);
	assert_int_equal(with_ext(open_field, field_bytes, 9, 7), PERR_FORMAT);  /* is known */
	assert_int_equal(with_ext(open_staff, staff_bytes, 4, 99), PERR_OK);
	assert_int_equal(with_ext(open_staff, staff_bytes, 4, 3), PERR_FORMAT);  /* is known */
	assert_int_equal(with_ext(open_staff, staff_bytes, 4, 0), PERR_UNKNOWN);
	assert_int_equal(with_ext(open_admin, admin_bytes, 9, 99), PERR_OK);
	for (uint8_t key = 1; key <= 7; key += 2)                                /* is known */
		assert_int_equal(with_ext(open_admin, admin_bytes, 9, key), PERR_FORMAT);
	assert_int_equal(with_ext(open_admin, admin_bytes, 9, 4), PERR_UNKNOWN);
}

/* an odd key of ext: a program that does not know it goes on without decoys */
static void the_decoys_of_a_day_travel_where_older_programs_skip_them(void **state)
{
	static const uint32_t values[] = { 1, 127, 1000, ROSTER_DECOYS_MAX };
	struct roster_staff *s, *back;
	uint8_t *out, *plain;
	size_t len, plain_len, i;

	(void)state;
	plain = staff_bytes(&plain_len);
	for (i = 0; i < 4; i++) {
		s = kit_staff();
		s->decoys_per_day = values[i];
		assert_int_equal(roster_staff_encode(&out, &len, s), PERR_OK);
		/* PROTOCOL 8.1: the body of before, and one more pair: 4 ext, 1 */
		assert_int_equal(out[0], plain[0] + 1);
		assert_memory_equal(out + 1, plain + 1, plain_len - 1);
		assert_memory_equal(out + plain_len, ((uint8_t[]){ 4, 0x81, 1 }), 3);
		assert_int_equal(roster_staff_decode(&back, out, len), PERR_OK);
		assert_int_equal(back->decoys_per_day, values[i]);
		roster_staff_free(back);
		doc_free(out, len);
		roster_staff_free(s);
	}
	assert_int_equal(roster_staff_decode(&back, plain, plain_len), PERR_OK);
	assert_int_equal(back->decoys_per_day, 0);
	roster_staff_free(back);
	doc_free(plain, plain_len);
	s = kit_staff();
	s->decoys_per_day = ROSTER_DECOYS_MAX + 1;
	assert_int_equal(roster_staff_encode(&out, &len, s), PERR_RANGE);
	roster_staff_free(s);
}

static void days_to_answer_are_seven_where_the_body_does_not_say(void **state)
{
	static const uint32_t values[] = { 0, 1, 7, 14, ROSTER_ANSWER_MAX };
	struct roster_staff *s, *back;
	uint8_t *out, *plain;
	size_t len, plain_len, i;

	(void)state;
	plain = staff_bytes(&plain_len);
	for (i = 0; i < sizeof values / sizeof values[0]; i++) {
		s = kit_staff();
		s->answer_days = values[i];
		s->decoys_per_day = i % 2 == 0 ? 0 : 100;
		assert_int_equal(roster_staff_encode(&out, &len, s), PERR_OK);
		assert_int_equal(len == plain_len, values[i] == ROSTER_ANSWER_DAYS && i % 2 == 0);
		assert_int_equal(roster_staff_decode(&back, out, len), PERR_OK);
		assert_int_equal(back->answer_days, values[i]);
		assert_int_equal(back->decoys_per_day, s->decoys_per_day);
		roster_staff_free(back);
		doc_free(out, len);
		roster_staff_free(s);
	}
	assert_int_equal(roster_staff_decode(&back, plain, plain_len), PERR_OK);
	assert_int_equal(back->answer_days, 7);
	roster_staff_free(back);
	doc_free(plain, plain_len);
	s = kit_staff();
	s->answer_days = ROSTER_ANSWER_MAX + 1;
	assert_int_equal(roster_staff_encode(&out, &len, s), PERR_RANGE);
	roster_staff_free(s);
}

static struct roster_board *board_of(struct arena *mem, uint8_t byte, uint32_t *n)
{
	struct roster_board *b = arena_alloc(mem, ROSTER_BOARDS_MAX + 1, sizeof *b);

	for (uint32_t i = 0; i <= ROSTER_BOARDS_MAX; i++)
		kit_fill(b[i].sk, (uint8_t)(byte + i));
	*n = 2;
	return b;
}

static void rotate_field(struct roster_field *f)
{
	kit_fill(f->guest_access, 0x99);
	f->boards = board_of(f->mem, 0xa0, &f->n_boards);
}

static void rotate_staff(struct roster_staff *s)
{
	s->boards = board_of(s->mem, 0xb0, &s->n_boards);
	s->n_former = 2;
	s->former = arena_alloc(s->mem, 2, sizeof *s->former);
	kit_fill(s->former[0].key, 1);
	s->former[0].role = ROSTER_VOLUNTEER;
	s->former[0].number = 9;
	s->former[0].name = "";
	s->former[0].day = 20001;
	kit_fill(s->former[1].key, 2);
	s->former[1].role = ROSTER_ATTORNEY;
	s->former[1].name = "Eulalia Tomás";
	s->former[1].day = 20002;
	s->n_voids = 2;
	s->voids = arena_alloc(s->mem, 2, sizeof *s->voids);
	memset(s->voids, 0, 2 * sizeof *s->voids);
	kit_fill(s->voids[1].key, 3);
	s->voids[1].day = 20003;
}

static void rotate_admin(struct roster_admin *a)
{
	a->n_retired = 2;
	a->retired = arena_alloc(a->mem, 2, sizeof *a->retired);
	a->retired[0].scope = 2;
	a->retired[0].last_day = 20100;
	a->retired[1].scope = 4;
	a->retired[1].last_day = 20101;
	kit_fill(a->retired[1].key, 0xc1);
	a->revocations = 300;
	a->n_revoked = 1;
	a->revoked = arena_alloc(a->mem, 1, sizeof *a->revoked);
	kit_fill(a->revoked[0].key, 0xc2);
	kit_public(a->revoked[0].slot_pk, 0xc3);
	kit_fill(a->revoked[0].slot_secret, 0xc4);
	a->revoked[0].day = 20050;
	a->inboxes = board_of(a->mem, 0xd0, &a->n_inboxes);
	a->plans[ROSTER_PLAN_ACCESS] = (struct roster_plan){ .every = 30, .last = 20049 };
}

static void keys_of_before_and_who_had_them_come_back_as_they_were(void **state)
{
	size_t len, again_len;
	uint8_t *in = field_bytes(&len), *out, *again;
	struct roster_field *f, *f2;
	struct roster_staff *s, *s2;

	(void)state;
	assert_int_equal(roster_field_decode(&f, in, len), PERR_OK);
	rotate_field(f);
	assert_int_equal(roster_field_encode(&out, &again_len, f), PERR_OK);
	assert_int_equal(roster_field_decode(&f2, out, again_len), PERR_OK);
	assert_int_equal(f2->n_boards, 2);
	assert_memory_equal(f2->boards[1].sk, f->boards[1].sk, 32);
	assert_memory_equal(f2->guest_access, f->guest_access, 32);
	/* PROTOCOL 8.1: the body of before, and one more pair: 9 ext, 7 */
	assert_memory_equal(out + 1, in + 1, len - 1);
	assert_memory_equal(out + len, ((uint8_t[]){ 9, 0x81, 7, 0x92 }), 4);
	doc_free(out, again_len);
	roster_field_free(f2);
	f->n_boards = ROSTER_BOARDS_MAX + 1;
	assert_int_equal(roster_field_encode(&out, &again_len, f), PERR_RANGE);
	roster_field_free(f);
	doc_free(in, len);

	s = kit_staff();
	rotate_staff(s);
	assert_int_equal(roster_staff_encode(&out, &len, s), PERR_OK);
	assert_int_equal(roster_staff_decode(&s2, out, len), PERR_OK);
	assert_int_equal(s2->n_voids, 2);
	assert_int_equal(s2->voids[1].day, 20003);
	assert_memory_equal(s2->voids[1].key, s->voids[1].key, 32);
	assert_int_equal(s2->n_former, 2);
	assert_int_equal(roster_former_find(s2, s->former[0].key)->number, 9);
	assert_string_equal(roster_former_find(s2, s->former[1].key)->name, "Eulalia Tomás");
	assert_int_equal(roster_staff_encode(&again, &again_len, s2), PERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, out, len);
	doc_free(again, again_len);
	doc_free(out, len);
	s->former[1].role = (enum roster_role)0;
	assert_int_equal(roster_staff_encode(&out, &len, s), PERR_RANGE);
	roster_staff_free(s);
	roster_staff_free(s2);
}

static void the_rotations_of_an_admin_body_come_back_and_keep_their_limits(void **state)
{
	size_t len, again_len;
	uint8_t *in = admin_bytes(&len), *out, *again;
	struct roster_admin *a, *b;

	(void)state;
	assert_int_equal(roster_admin_decode(&a, in, len), PERR_OK);
	assert_int_equal(a->n_retired + a->n_revoked + a->revocations + a->plans[0].every, 0);
	doc_free(in, len);
	rotate_admin(a);
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_OK);
	assert_int_equal(roster_admin_decode(&b, out, len), PERR_OK);
	assert_int_equal(b->revocations, 300);
	assert_memory_equal(b->retired[1].key, a->retired[1].key, 32);
	assert_memory_equal(b->revoked[0].slot_pk, a->revoked[0].slot_pk, 32);
	assert_int_equal(b->n_inboxes, 2);
	assert_int_equal(b->plans[ROSTER_PLAN_ACCESS].every, 30);
	assert_int_equal(b->plans[ROSTER_PLAN_ACCESS].last, 20049);
	assert_int_equal(b->plans[ROSTER_PLAN_SEASON].every, 0);
	assert_int_equal(roster_admin_encode(&again, &again_len, b), PERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, out, len);
	doc_free(again, again_len);
	doc_free(out, len);
	roster_admin_free(b);
	/* what would stop the next bulletin, or admit for ever, is never made */
	memset(a->revoked[0].slot_pk, 0, 32);
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	kit_public(a->revoked[0].slot_pk, 0xc3);
	a->retired[0].scope = 1;
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	a->retired[0].scope = 3;
	a->retired[0].last_day = 0;
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	a->retired[0].last_day = 1;
	a->plans[0].every = ROSTER_EVERY_MIN - 1;
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	a->plans[0].every = ROSTER_EVERY_MAX + 1;
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_RANGE);
	roster_admin_free(a);
}

static void whose_changes_an_admin_body_holds_comes_back_sorted(void **state)
{
	size_t len, again_len;
	uint8_t *in = admin_bytes(&len), *out, *again;
	struct roster_admin *a, *b;

	(void)state;
	assert_int_equal(roster_admin_decode(&a, in, len), PERR_OK);
	assert_int_equal(a->n_made, 0);
	a->made = arena_alloc(a->mem, 3, sizeof *a->made);
	a->n_made = 3;
	for (uint8_t i = 0; i < 3; i++) {
		a->made[i].key[0] = i;
		a->made[i].number = 70000u * i;
	}
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_OK);
	assert_int_equal(roster_admin_decode(&b, out, len), PERR_OK);
	assert_int_equal(b->n_made, 3);
	assert_int_equal(b->made[2].number, 140000);
	assert_int_equal(roster_admin_encode(&again, &again_len, b), PERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, out, len);
	doc_free(again, again_len);
	doc_free(out, len);
	/* each of them once, in order */
	a->made[0].key[0] = 1;
	assert_int_not_equal(roster_admin_encode(&out, &len, a), PERR_OK);
	a->made[0].key[0] = 2;
	assert_int_not_equal(roster_admin_encode(&out, &len, a), PERR_OK);
	roster_admin_free(a);
	roster_admin_free(b);
	free(in);
}

/* 4,096 volunteers and 1,024 of staff, as in a raid of a whole state, must still fit one part */
static void a_large_organisation_fits(void **state)
{
	struct roster_staff *s = roster_staff_new();
	uint8_t *out;
	size_t len;

	(void)state;
	s->n_members = ROSTER_STAFF_MAX;
	s->members = arena_alloc(s->mem, s->n_members, sizeof *s->members);
	for (uint32_t i = 0; i < s->n_members; i++) {
		doc_u32(s->members[i].key, i);
		s->members[i].role = ROSTER_ATTORNEY;
		s->members[i].name = "Name of an ordinary length, Esq.";
		s->members[i].n_languages = 2;
		s->members[i].languages = arena_alloc(s->mem, 2, sizeof(char *));
		s->members[i].languages[0] = "es";
		s->members[i].languages[1] = "en";
	}
	s->n_volunteers = ROSTER_VOLUNTEERS_MAX;
	s->volunteers = arena_alloc(s->mem, s->n_volunteers, sizeof *s->volunteers);
	assert_int_equal(roster_staff_encode(&out, &len, s), PERR_OK);
	printf("figure: bytes of the staff body of 1,024 staff and 4,096 volunteers: %zu of %u\n",
	       len, ROSTER_BODY_MAX);
	assert_true(len <= ROSTER_BODY_MAX);
	doc_free(out, len);
	s->n_members = ROSTER_STAFF_MAX + 1;
	s->members = arena_grow(s->mem, s->members, ROSTER_STAFF_MAX, s->n_members,
	                        sizeof *s->members);
	assert_int_equal(roster_staff_encode(&out, &len, s), PERR_RANGE);
	roster_staff_free(s);
}

static void vectors(void)
{
	struct roster_keys k;
	struct roster_field *f;
	struct roster_staff *s;
	struct roster_admin *a;
	uint8_t k_admin[32], commit[32];
	size_t len;
	uint8_t *out;

	vec_note("keys from k_admin = 32 x a0");
	kit_fill(k_admin, 0xa0);
	roster_keys_from_admin(&k, k_admin);
	vec("k_staff", k.staff, 32);
	vec("k_field", k.field, 32);
	roster_commit(commit, k_admin);
	vec("commit_admin", commit, 32);
	roster_commit(commit, k.staff);
	vec("commit_staff", commit, 32);
	roster_commit(commit, k.field);
	vec("commit_field", commit, 32);
	vec_note("the bodies of tests/unit/docs_roster.h: keys of 32 times one byte, 80 to 9b;");
	vec_note("public ones from private ones 84, 85 (servers), 8a (inbox), 90 92 95 (slots)");
	out = field_bytes(&len);
	vec("field", out, len);
	kit_corpus("roster", "field", out, len);
	doc_free(out, len);
	out = staff_bytes(&len);
	vec("staff", out, len);
	kit_corpus("roster", "staff", out, len);
	doc_free(out, len);
	out = admin_bytes(&len);
	vec("admin", out, len);
	kit_corpus("roster", "admin", out, len);
	doc_free(out, len);
	vec_note("ext of a roster with rotations and a revocation: rotate_field, rotate_staff and");
	vec_note("rotate_admin of tests/unit/test_roster.c upon the bodies above");
	out = field_bytes(&len);
	assert_int_equal(roster_field_decode(&f, out, len), PERR_OK);
	doc_free(out, len);
	rotate_field(f);
	assert_int_equal(roster_field_encode(&out, &len, f), PERR_OK);
	vec("field_rotated", out, len);
	kit_corpus("roster", "field-rotated", out, len);
	doc_free(out, len);
	roster_field_free(f);
	s = kit_staff();
	rotate_staff(s);
	assert_int_equal(roster_staff_encode(&out, &len, s), PERR_OK);
	vec("staff_rotated", out, len);
	kit_corpus("roster", "staff-rotated", out, len);
	doc_free(out, len);
	roster_staff_free(s);
	a = kit_admin();
	rotate_admin(a);
	assert_int_equal(roster_admin_encode(&out, &len, a), PERR_OK);
	vec("admin_rotated", out, len);
	kit_corpus("roster", "admin-rotated", out, len);
	doc_free(out, len);
	roster_admin_free(a);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(keys_run_down_and_never_up),
		cmocka_unit_test(the_field_body_comes_back),
		cmocka_unit_test(the_staff_body_comes_back),
		cmocka_unit_test(the_admin_body_comes_back),
		cmocka_unit_test(a_body_can_be_added_to_and_encoded_again),
		cmocka_unit_test(truncated_bodies_are_refused),
		cmocka_unit_test(flipped_bits_never_reach_beyond_the_input),
		cmocka_unit_test(counts_that_lie_allocate_nothing),
		cmocka_unit_test(a_field_body_that_members_would_refuse_is_never_made),
		cmocka_unit_test(an_admin_body_that_would_stop_the_next_bulletin_is_never_made),
		cmocka_unit_test(days_to_answer_are_seven_where_the_body_does_not_say),
		cmocka_unit_test(keys_of_before_and_who_had_them_come_back_as_they_were),
		cmocka_unit_test(the_rotations_of_an_admin_body_come_back_and_keep_their_limits),
		cmocka_unit_test(whose_changes_an_admin_body_holds_comes_back_sorted),
		cmocka_unit_test(later_fields_in_ext_are_skipped_or_refused_by_their_parity),
		cmocka_unit_test(the_decoys_of_a_day_travel_where_older_programs_skip_them),
		cmocka_unit_test(a_large_organisation_fits),
	};

	if (sodium_init() < 0 || set_up(NULL) != 0)
		return 1;
	if (kit_written(argc, argv, "roster"))
		return 0;
	tear_down(NULL);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
