/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>

#include "address.h"
#include "cell.h"
#include "charter.h"
#include "roster_body.h"
#include "signed.h"

/* keys of ext: PROTOCOL 8.1 */
#define EXT_KEYS 7
#define LIMITS 8

void roster_limits_default(struct roster_limits *l)
{
	*l = (struct roster_limits){
		.attachment_bytes = 256u << 10,
		.attachments = 16,
		.instance_bytes = 512u << 10,
		.copies = 2,
		.light_bytes = 32u << 20,
		.retention_days = 60,
		.period_days = 14,
		.grace_days = 30,
	};
}

struct roster_field *roster_field_new(void)
{
	struct arena *mem;
	struct roster_field *f = roster_body_new(&mem, sizeof *f);

	if (f == NULL)
		return NULL;
	f->mem = mem;
	f->organisation = "";
	roster_limits_default(&f->limits);
	return f;
}

void roster_field_free(struct roster_field *f)
{
	if (f != NULL)
		arena_free(f->mem);      /* f lives in it */
}

/* ---- reading ----------------------------------------------------------------------------- */

/*
 * PROTOCOL 8.1: "desks array 0..32 of `[lowest charter version, charters array 1..64 of bin
 * (signed charters from version 0 on), lowest batches array 0..16 of [owner bin32, number]]`"
 */
static void get_desk(struct mp_reader *r, struct arena *mem, struct roster_desk *d)
{
	mp_array(r, 3);
	d->lowest_charter = doc_get_uint(r, CHARTER_CHAIN_MAX - 1);
	d->charters = roster_get_array(r, mem, &d->n_charters, 1, CHARTER_CHAIN_MAX,
	                               sizeof *d->charters);
	for (uint32_t i = 0; i < d->n_charters; i++)
		d->charters[i] = roster_get_bytes(r, mem, 1, SIGNED_DOC_MAX);
	d->lowest = roster_get_array(r, mem, &d->n_lowest, 0, CHARTER_HOLDERS_MAX,
	                             sizeof *d->lowest);
	for (uint32_t i = 0; i < d->n_lowest; i++) {
		mp_array(r, 2);
		mp_bin_copy(r, d->lowest[i].owner, 32);
		d->lowest[i].number = doc_get_uint(r, UINT32_MAX);
	}
}

static void get_form(struct mp_reader *r, struct arena *mem, struct roster_form *f)
{
	mp_array(r, 8);
	f->id = roster_get_str(r, mem, 1, 64);
	f->version = roster_get_str(r, mem, 0, 32);
	f->title = roster_get_str(r, mem, 1, 128);
	mp_bin_copy(r, f->desk, 32);
	mp_bin_copy(r, f->part, 32);
	mp_bin_copy(r, f->key, 32);
	f->size = doc_get_uint(r, 1u << 20);
	f->active = mp_bool(r);
}

static void get_server(struct mp_reader *r, struct arena *mem, struct roster_server *s)
{
	mp_array(r, 2);
	s->address = roster_get_str(r, mem, 1, ADDRESS_TEXT_MAX);
	mp_bin_copy(r, s->pk, 32);
	/* what every client will dial; the name is looked up, so nothing else may hide in it */
	if (!address_is_valid(s->address) || cell_check_pk(s->pk) != PERR_OK)
		mp_fail(r, PERR_FORMAT);
}

static void get_limits(struct mp_reader *r, struct roster_limits *l)
{
	uint32_t *const at[LIMITS] = {
		&l->attachment_bytes, &l->attachments, &l->instance_bytes, &l->copies,
		&l->light_bytes, &l->retention_days, &l->period_days, &l->grace_days
	};
	struct doc_map m;

	doc_map_begin(&m, r);
	for (uint32_t i = 0; i < LIMITS; i++) {
		doc_need(&m, i);
		*at[i] = doc_get_uint(r, UINT32_MAX);
	}
	doc_map_end(&m);
}

static void get_seasons(struct mp_reader *r, struct roster_field *f)
{
	f->seasons = roster_get_array(r, f->mem, &f->n_seasons, 1, ROSTER_SEASONS_MAX,
	                              sizeof *f->seasons);
	for (uint32_t i = 0; i < f->n_seasons; i++) {
		mp_array(r, 2);
		f->seasons[i].number = doc_get_uint(r, UINT32_MAX);
		mp_bin_copy(r, f->seasons[i].psk, 32);
		/* PROTOCOL 8.1: "seasons array 1..16 of `[number, psk bin32]`, rising" */
		if (i > 0 && f->seasons[i].number <= f->seasons[i - 1].number)
			mp_fail(r, PERR_FORMAT);
	}
}

/* the odd keys known here are read, other odd ones skipped, even ones refused (PROTOCOL 2) */
static void get_ext(struct mp_reader *r, struct roster_field *f)
{
	f->has_ext = true;
	for (uint32_t n = mp_map(r, UINT32_MAX); n > 0 && r->err == PERR_OK; n--) {
		uint64_t key = mp_key(r);

		if (key % 2 == 0)
			mp_fail(r, PERR_UNKNOWN);
		switch (key) {
		case EXT_KEYS:
			mp_array(r, 2);
			mp_bin_copy(r, f->guest_access, 32);
			f->boards = roster_get_boards(r, f->mem, &f->n_boards);
			break;
		default:
			mp_skip(r);
			break;
		}
	}
}

static void get_field(struct mp_reader *r, struct roster_field *f)
{
	struct doc_map m;

	doc_map_begin(&m, r);
	doc_need(&m, 0);
	f->organisation = roster_get_str(r, f->mem, 1, 64);
	doc_need(&m, 1);
	f->desks = roster_get_array(r, f->mem, &f->n_desks, 0, ROSTER_DESKS_MAX,
	                            sizeof *f->desks);
	for (uint32_t i = 0; i < f->n_desks; i++)
		get_desk(r, f->mem, &f->desks[i]);
	doc_need(&m, 2);
	f->forms = roster_get_array(r, f->mem, &f->n_forms, 0, ROSTER_FORMS_MAX,
	                            sizeof *f->forms);
	for (uint32_t i = 0; i < f->n_forms; i++)
		get_form(r, f->mem, &f->forms[i]);
	doc_need(&m, 3);
	f->servers = roster_get_array(r, f->mem, &f->n_servers, 0, ROSTER_SERVERS_MAX,
	                              sizeof *f->servers);
	for (uint32_t i = 0; i < f->n_servers; i++)
		get_server(r, f->mem, &f->servers[i]);
	doc_need(&m, 4);
	get_seasons(r, f);
	doc_need(&m, 5);
	mp_bin_copy(r, f->field_access, 32);
	doc_need(&m, 6);
	mp_bin_copy(r, f->board_sk, 32);
	doc_need(&m, 7);
	mp_bin_copy(r, f->inbox_pk, 32);
	if (cell_check_pk(f->inbox_pk) != PERR_OK)
		mp_fail(r, PERR_FORMAT);
	doc_need(&m, 8);
	get_limits(r, &f->limits);
	if (doc_has(&m, 9))
		get_ext(r, f);
	doc_map_end(&m);
}

enum perr roster_field_decode(struct roster_field **out, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	struct roster_field *f;
	enum perr err;

	*out = NULL;
	if (in_len > ROSTER_BODY_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	if (r.err != PERR_OK)
		return mp_finish(&r);    /* locked memory is dear: none for noise */
	f = roster_field_new();
	if (f == NULL)
		mp_fail(&r, PERR_NOMEM);
	else
		get_field(&r, f);
	err = mp_finish(&r);
	if (err == PERR_OK)
		*out = f;
	else
		roster_field_free(f);
	return err;
}

/* ---- writing ----------------------------------------------------------------------------- */

static void put_desk(struct mp_writer *w, const struct roster_desk *d)
{
	mp_put_array(w, 3);
	mp_put_uint(w, d->lowest_charter);
	mp_put_array(w, d->n_charters);
	for (uint32_t i = 0; i < d->n_charters; i++)
		doc_put_bytes(w, d->charters[i]);
	mp_put_array(w, d->n_lowest);
	for (uint32_t i = 0; i < d->n_lowest; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, d->lowest[i].owner, 32);
		mp_put_uint(w, d->lowest[i].number);
	}
}

static void put_form(struct mp_writer *w, const struct roster_form *f)
{
	mp_put_array(w, 8);
	roster_put_str(w, f->id);
	roster_put_str(w, f->version);
	roster_put_str(w, f->title);
	mp_put_bin(w, f->desk, 32);
	mp_put_bin(w, f->part, 32);
	mp_put_bin(w, f->key, 32);
	mp_put_uint(w, f->size);
	mp_put_bool(w, f->active);
}

static void put_limits(struct mp_writer *w, const struct roster_limits *l)
{
	const uint32_t at[LIMITS] = {
		l->attachment_bytes, l->attachments, l->instance_bytes, l->copies,
		l->light_bytes, l->retention_days, l->period_days, l->grace_days
	};

	mp_put_map(w, LIMITS);
	for (uint32_t i = 0; i < LIMITS; i++) {
		mp_put_key(w, i);
		mp_put_uint(w, at[i]);
	}
}

static bool has_keys(const struct roster_field *f)
{
	return f->n_boards > 0 || !sodium_is_zero(f->guest_access, 32);
}

static void put_ext(struct mp_writer *w, const struct roster_field *f)
{
	uint32_t n = has_keys(f) ? 1 : 0;

	if (n == 0)
		return;
	mp_put_key(w, 9);
	mp_put_map(w, n);
	if (has_keys(f)) {
		mp_put_key(w, EXT_KEYS);
		mp_put_array(w, 2);
		mp_put_bin(w, f->guest_access, 32);
		roster_put_boards(w, f->boards, f->n_boards);
	}
}

static void put_field(struct mp_writer *w, const void *what)
{
	const struct roster_field *f = what;

	mp_put_map(w, has_keys(f) ? 10 : 9);
	mp_put_key(w, 0);
	roster_put_str(w, f->organisation);
	mp_put_key(w, 1);
	mp_put_array(w, f->n_desks);
	for (uint32_t i = 0; i < f->n_desks; i++)
		put_desk(w, &f->desks[i]);
	mp_put_key(w, 2);
	mp_put_array(w, f->n_forms);
	for (uint32_t i = 0; i < f->n_forms; i++)
		put_form(w, &f->forms[i]);
	mp_put_key(w, 3);
	mp_put_array(w, f->n_servers);
	for (uint32_t i = 0; i < f->n_servers; i++) {
		mp_put_array(w, 2);
		roster_put_str(w, f->servers[i].address);
		mp_put_bin(w, f->servers[i].pk, 32);
	}
	mp_put_key(w, 4);
	mp_put_array(w, f->n_seasons);
	for (uint32_t i = 0; i < f->n_seasons; i++) {
		mp_put_array(w, 2);
		mp_put_uint(w, f->seasons[i].number);
		mp_put_bin(w, f->seasons[i].psk, 32);
	}
	mp_put_key(w, 5);
	mp_put_bin(w, f->field_access, 32);
	mp_put_key(w, 6);
	mp_put_bin(w, f->board_sk, 32);
	mp_put_key(w, 7);
	mp_put_bin(w, f->inbox_pk, 32);
	mp_put_key(w, 8);
	put_limits(w, &f->limits);
	put_ext(w, f);
}

enum perr roster_field_encode(uint8_t **out, size_t *out_len, const struct roster_field *f)
{
	struct roster_field *again;
	enum perr err = doc_write(out, out_len, ROSTER_BODY_MAX, put_field, f);

	if (err != PERR_OK)
		return err;
	err = roster_field_decode(&again, *out, *out_len);
	roster_field_free(again);
	return roster_encoded(out, out_len, err);
}

/* ---- looking ----------------------------------------------------------------------------- */

const struct roster_form *roster_form_find(const struct roster_field *f, const char *id,
                                           const char *version)
{
	for (uint32_t i = f->n_forms; i > 0; i--) {
		const struct roster_form *form = &f->forms[i - 1];

		if (strcmp(form->id, id) == 0 && form->active &&
		    (version == NULL || strcmp(form->version, version) == 0))
			return form;
	}
	return NULL;
}

uint32_t roster_lowest_batch(const struct roster_desk *d, const uint8_t owner[32])
{
	for (uint32_t i = 0; i < d->n_lowest; i++)
		if (memcmp(d->lowest[i].owner, owner, 32) == 0)
			return d->lowest[i].number;
	return 0;
}
