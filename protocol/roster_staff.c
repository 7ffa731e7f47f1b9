/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "roster_body.h"

#define LANGUAGE_MAX 35
/* keys of ext: PROTOCOL 8.1 */
#define EXT_DECOYS   1
#define EXT_FORMER   3
#define EXT_ANSWER   5
#define EXT_VOIDS    7

struct roster_staff *roster_staff_new(void)
{
	struct arena *mem;
	struct roster_staff *s = roster_body_new(&mem, sizeof *s);

	if (s != NULL) {
		s->mem = mem;
		s->answer_days = ROSTER_ANSWER_DAYS;
	}
	return s;
}

void roster_staff_free(struct roster_staff *s)
{
	if (s != NULL)
		arena_free(s->mem);
}

/* ---- reading ----------------------------------------------------------------------------- */

/*
 * PROTOCOL 8.1: "members array 0..1024 of `[key id bin32, role, name str 1..128, languages array
 * 0..16 of str 1..35, lowest batch number]`"
 */
static void get_member(struct mp_reader *r, struct arena *mem, struct roster_member *m)
{
	mp_array(r, 5);
	mp_bin_copy(r, m->key, 32);
	m->role = roster_get_role(r);
	m->name = roster_get_str(r, mem, 1, ROSTER_NAME_MAX);
	m->languages = roster_get_array(r, mem, &m->n_languages, 0, ROSTER_LANGUAGES_MAX,
	                                sizeof *m->languages);
	for (uint32_t i = 0; i < m->n_languages; i++)
		m->languages[i] = roster_get_str(r, mem, 1, LANGUAGE_MAX);
	m->lowest_batch = doc_get_uint(r, UINT32_MAX);
}

static void get_former(struct mp_reader *r, struct roster_staff *s)
{
	mp_array(r, 2);
	s->boards = roster_get_boards(r, s->mem, &s->n_boards);
	s->former = roster_get_array(r, s->mem, &s->n_former, 0, ROSTER_FORMER_MAX,
	                             sizeof *s->former);
	for (uint32_t i = 0; i < s->n_former; i++) {
		struct roster_former *f = &s->former[i];

		mp_array(r, 5);
		mp_bin_copy(r, f->key, 32);
		f->role = roster_get_role(r);
		f->number = doc_get_uint(r, UINT32_MAX);
		f->name = roster_get_str(r, s->mem, 0, ROSTER_NAME_MAX);
		f->day = doc_get_uint(r, UINT32_MAX);
	}
}

static void get_voids(struct mp_reader *r, struct roster_staff *s)
{
	s->voids = roster_get_array(r, s->mem, &s->n_voids, 0, ROSTER_VOIDS_MAX, sizeof *s->voids);
	for (uint32_t i = 0; i < s->n_voids; i++) {
		mp_array(r, 2);
		mp_bin_copy(r, s->voids[i].key, 32);
		s->voids[i].day = doc_get_uint(r, UINT32_MAX);
	}
}

/*
 * PROTOCOL 2: "a reader skips odd keys it does not know and refuses a document with an even
 * key it does not know."
 */
static void get_ext(struct mp_reader *r, struct roster_staff *s)
{
	uint32_t n;

	for (n = mp_map(r, UINT32_MAX); n > 0 && r->err == PERR_OK; n--) {
		uint64_t key = mp_key(r);

		if (key % 2 == 0)
			mp_fail(r, PERR_UNKNOWN);
		switch (key) {
		case EXT_DECOYS:
			s->decoys_per_day = doc_get_uint(r, ROSTER_DECOYS_MAX);
			break;
		case EXT_FORMER:
			get_former(r, s);
			break;
		case EXT_ANSWER:
			s->answer_days = doc_get_uint(r, ROSTER_ANSWER_MAX);
			break;
		case EXT_VOIDS:
			get_voids(r, s);
			break;
		default:
			mp_skip(r);
			break;
		}
	}
}

static void get_staff(struct mp_reader *r, struct roster_staff *s)
{
	struct doc_map m;

	doc_map_begin(&m, r);
	doc_need(&m, 0);
	s->members = roster_get_array(r, s->mem, &s->n_members, 0, ROSTER_STAFF_MAX,
	                              sizeof *s->members);
	for (uint32_t i = 0; i < s->n_members; i++)
		get_member(r, s->mem, &s->members[i]);
	doc_need(&m, 1);
	s->volunteers = roster_get_array(r, s->mem, &s->n_volunteers, 0, ROSTER_VOLUNTEERS_MAX,
	                                 sizeof *s->volunteers);
	for (uint32_t i = 0; i < s->n_volunteers; i++) {
		mp_array(r, 2);
		mp_bin_copy(r, s->volunteers[i].key, 32);
		s->volunteers[i].number = doc_get_uint(r, UINT32_MAX);
	}
	doc_need(&m, 2);
	mp_bin_copy(r, s->counsel_access, 32);
	doc_need(&m, 3);
	mp_bin_copy(r, s->board_sk, 32);
	s->has_ext = doc_has(&m, 4);
	if (s->has_ext)
		get_ext(r, s);
	doc_map_end(&m);
}

enum perr roster_staff_decode(struct roster_staff **out, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	struct roster_staff *s;
	enum perr err;

	*out = NULL;
	if (in_len > ROSTER_BODY_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	if (r.err != PERR_OK)
		return mp_finish(&r);    /* locked memory is dear: none for noise */
	s = roster_staff_new();
	if (s == NULL)
		mp_fail(&r, PERR_NOMEM);
	else
		get_staff(&r, s);
	err = mp_finish(&r);
	if (err == PERR_OK)
		*out = s;
	else
		roster_staff_free(s);
	return err;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put_member(struct mp_writer *w, const struct roster_member *m)
{
	mp_put_array(w, 5);
	mp_put_bin(w, m->key, 32);
	mp_put_uint(w, m->role);
	roster_put_str(w, m->name);
	mp_put_array(w, m->n_languages);
	for (uint32_t i = 0; i < m->n_languages; i++)
		roster_put_str(w, m->languages[i]);
	mp_put_uint(w, m->lowest_batch);
}

static void put_former(struct mp_writer *w, const struct roster_staff *s)
{
	mp_put_array(w, 2);
	roster_put_boards(w, s->boards, s->n_boards);
	mp_put_array(w, s->n_former);
	for (uint32_t i = 0; i < s->n_former; i++) {
		const struct roster_former *f = &s->former[i];

		mp_put_array(w, 5);
		mp_put_bin(w, f->key, 32);
		mp_put_uint(w, f->role);
		mp_put_uint(w, f->number);
		roster_put_str(w, f->name);
		mp_put_uint(w, f->day);
	}
}

/* what is as without it is left out, so that old and new bodies are the same bytes */
static uint32_t n_ext(const struct roster_staff *s)
{
	return (s->decoys_per_day > 0) + (s->n_boards > 0 || s->n_former > 0) +
	       (s->answer_days != ROSTER_ANSWER_DAYS) + (s->n_voids > 0);
}

static void put_ext(struct mp_writer *w, const struct roster_staff *s)
{
	mp_put_key(w, 4);
	mp_put_map(w, n_ext(s));
	if (s->decoys_per_day > 0) {
		mp_put_key(w, EXT_DECOYS);
		mp_put_uint(w, s->decoys_per_day);
	}
	if (s->n_boards > 0 || s->n_former > 0) {
		mp_put_key(w, EXT_FORMER);
		put_former(w, s);
	}
	if (s->answer_days != ROSTER_ANSWER_DAYS) {
		mp_put_key(w, EXT_ANSWER);
		mp_put_uint(w, s->answer_days);
	}
	if (s->n_voids > 0) {
		mp_put_key(w, EXT_VOIDS);
		mp_put_array(w, s->n_voids);
		for (uint32_t i = 0; i < s->n_voids; i++) {
			mp_put_array(w, 2);
			mp_put_bin(w, s->voids[i].key, 32);
			mp_put_uint(w, s->voids[i].day);
		}
	}
}

static void put_staff(struct mp_writer *w, const void *what)
{
	const struct roster_staff *s = what;

	mp_put_map(w, n_ext(s) > 0 ? 5 : 4);
	mp_put_key(w, 0);
	mp_put_array(w, s->n_members);
	for (uint32_t i = 0; i < s->n_members; i++)
		put_member(w, &s->members[i]);
	mp_put_key(w, 1);
	mp_put_array(w, s->n_volunteers);
	for (uint32_t i = 0; i < s->n_volunteers; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, s->volunteers[i].key, 32);
		mp_put_uint(w, s->volunteers[i].number);
	}
	mp_put_key(w, 2);
	mp_put_bin(w, s->counsel_access, 32);
	mp_put_key(w, 3);
	mp_put_bin(w, s->board_sk, 32);
	if (n_ext(s) > 0)
		put_ext(w, s);
}

enum perr roster_staff_encode(uint8_t **out, size_t *out_len, const struct roster_staff *s)
{
	struct roster_staff *again;
	enum perr err = doc_write(out, out_len, ROSTER_BODY_MAX, put_staff, s);

	if (err != PERR_OK)
		return err;
	err = roster_staff_decode(&again, *out, *out_len);
	roster_staff_free(again);
	return roster_encoded(out, out_len, err);
}

/* ---- looking ----------------------------------------------------------------------------- */

const struct roster_member *roster_staff_find(const struct roster_staff *s, const uint8_t key[32])
{
	for (uint32_t i = 0; i < s->n_members; i++)
		if (memcmp(s->members[i].key, key, 32) == 0)
			return &s->members[i];
	return NULL;
}

const struct roster_volunteer *roster_volunteer_find(const struct roster_staff *s,
                                                     const uint8_t key[32])
{
	for (uint32_t i = 0; i < s->n_volunteers; i++)
		if (memcmp(s->volunteers[i].key, key, 32) == 0)
			return &s->volunteers[i];
	return NULL;
}

const struct roster_former *roster_former_find(const struct roster_staff *s,
                                               const uint8_t key[32])
{
	for (uint32_t i = s->n_former; i > 0; i--)
		if (memcmp(s->former[i - 1].key, key, 32) == 0)
			return &s->former[i - 1];
	return NULL;
}
