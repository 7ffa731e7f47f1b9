/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fixture_org.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "bulletin.h"
#include "case.h"
#include "charter.h"
#include "enrol.h"
#include "join.h"
#include "kv_mem.h"
#include "../../client/org.h"        /* tests/unit has an org.h of its own */
#include "outbox.h"
#include "roster.h"
#include "trust.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static const char *const names[FIXTURE_PEOPLE] = {
	"Teresa Núñez", "Ana Ixchel Tz’unun", "Robert O’Malley", "María Xʼẍajaẍ de la Cruz",
	"Beto", "Q’anil Méndez"
};

static int64_t fixture_now(void *ctx)
{
	return ((struct fixture *)ctx)->now;
}

static uint8_t *source(const char *path, size_t *len)
{
	const char *root = getenv("AMPARO_SRC");
	char full[512];
	uint8_t *buf;
	long size;
	FILE *in;

	snprintf(full, sizeof full, "%s/%s", root != NULL ? root : ".", path);
	in = fopen(full, "rb");
	if (in == NULL)
		fail_msg("%s cannot be opened: run from the sources' folder", full);
	fseek(in, 0, SEEK_END);
	size = ftell(in);
	rewind(in);
	buf = malloc((size_t)size + 1);
	assert_non_null(buf);
	*len = fread(buf, 1, (size_t)size, in);
	assert_int_equal(*len, size);
	fclose(in);
	return buf;
}

static void put(struct client *c, const char *name, const uint8_t *value, size_t len)
{
	OK(kv_begin(c->kv));
	OK(kv_put(c->kv, name, value, len));
	OK(kv_commit(c->kv));
}

/* ---- rosters ------------------------------------------------------------------------ */

/* what a sync would bring: the administrator's bodies, as far as the level reaches */
static void adopt(struct fixture *f, struct client *c, enum client_level level, bool own_slot)
{
	struct client *admin = fix(f, FIX_ADMIN);
	struct roster_bytes r = { .level = level, .own_slot = own_slot };
	uint8_t *header, *field, *staff = NULL;
	struct roster_keys keys;

	OK(kv_get(admin->kv, "roster/header", &header, &r.header_len));
	OK(kv_get(admin->kv, "roster/field", &field, &r.field_len));
	roster_keys_from_admin(&keys, admin->level_key);
	memcpy(r.level_key, level == LEVEL_STAFF ? keys.staff : keys.field, 32);
	if (level == LEVEL_STAFF)
		OK(kv_get(admin->kv, "roster/staff", &staff, &r.staff_len));
	r.header = header;
	r.field = field;
	r.staff = staff;
	OK(client_adopt(c, &r));
	roster_keys_wipe(&keys);
	kv_free(header);
	kv_free(field);
	kv_free(staff);
}

static enum client_level level_of(enum fixture_who who)
{
	return who >= FIX_VOLUNTEER0 ? LEVEL_FIELD : LEVEL_STAFF;
}

void fixture_adopt(struct fixture *f, enum fixture_who who, bool own_slot)
{
	adopt(f, fix(f, who), own_slot ? level_of(who) : LEVEL_FIELD, own_slot);
}

static enum perr copy_form(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct fixture *f = arg;

	for (size_t i = 1; i < FIXTURE_PEOPLE; i++)
		if (f->p[i].c != NULL)
			put(f->p[i].c, name, value, len);
	return PERR_OK;
}

void fixture_publish(struct fixture *f)
{
	for (size_t i = 1; i < FIXTURE_PEOPLE; i++)
		if (f->p[i].c != NULL)
			adopt(f, f->p[i].c, level_of((enum fixture_who)i), true);
	OK(kv_each(fix(f, FIX_ADMIN)->kv, "form/", copy_form, f));
}

/* ---- people ------------------------------------------------------------------------- */

static void open_person(struct fixture *f, enum fixture_who who)
{
	struct client_env env = { .rng = rng_system(), .now = fixture_now, .ctx = f };

	f->p[who].kv = kv_mem_new();
	assert_non_null(f->p[who].kv);
	OK(client_open(&f->p[who].c, f->p[who].kv, &env));
}

static void join_org(struct fixture *f, enum fixture_who who, const uint8_t *desk)
{
	struct client *admin = fix(f, FIX_ADMIN), *c;
	enum client_role role = who >= FIX_VOLUNTEER0 ? ROLE_VOLUNTEER : ROLE_ATTORNEY;
	const char *const languages[] = { "es", "mam" };
	struct invite inv;
	struct join j;
	uint16_t words[JOIN_WORDS];
	uint8_t *raw;
	size_t len;

	open_person(f, who);
	c = fix(f, who);
	OK(org_invite(admin, role, 1, desk, NULL, &inv));
	OK(enrol_begin(c, &inv, names[who], languages, 2));
	adopt(f, c, LEVEL_FIELD, false);
	OK(enrol_answer(c));
	OK(kv_get(c->kv, "join/mine", &raw, &len));
	OK(join_open(&j, words, raw, len));
	kv_free(raw);
	OK(org_confirm(admin, &j, NULL));
	join_wipe(&j);
	invite_wipe(&inv);
	adopt(f, c, level_of(who), true);
}

static void publish_batch(struct fixture *f, enum fixture_who who)
{
	struct client *c = fix(f, who);
	struct batch b;
	struct sign_key key;
	uint8_t sks[1][32], *doc;
	char name[96];
	size_t len;

	OK(batch_make(&b, sks, c->me->sign_pk, 1, client_day(c) - 3, 14, 1, rng_system()));
	memcpy(f->p[who].prekey.sk, sks[0], 32);
	memcpy(f->p[who].prekey.pk, b.keys[0], 32);
	client_sign_key(c, &key);
	OK(batch_sign(&doc, &len, &b, &key));
	signed_key_wipe(&key);
	client_key_name(name, "batch/", c->me->sign_pk, 32);
	for (size_t i = 0; i < FIXTURE_PEOPLE; i++)
		put(f->p[i].c, name, doc, len);
	doc_free(doc, len);
}

static void found_desk(struct fixture *f)
{
	struct charter_signed ch = { 0 };
	uint8_t holders[2][32], *raw;
	char name[96];
	size_t len;

	memcpy(holders[0], fix(f, FIX_HOLDER0)->me->sign_pk, 32);
	memcpy(holders[1], fix(f, FIX_HOLDER1)->me->sign_pk, 32);
	OK(charter_make(&ch, "Mesa Delta", "Amparo del Delta", 1,
	                (const uint8_t (*)[32])holders, 2, NULL));
	memcpy(f->desk, ch.hash, 32);
	for (int i = 0; i < 2; i++) {
		struct client *c = f->p[FIX_HOLDER0 + i].c;
		struct sign_key key;

		client_sign_key(c, &key);
		OK(charter_sign(&ch, &key));
		signed_key_wipe(&key);
		OK(kv_begin(c->kv));
		OK(trust_pin(c, f->desk, TRUST_HOLDER));
		OK(kv_commit(c->kv));
	}
	OK(charter_signed_encode(&raw, &len, &ch));
	client_key_name(name, "charter/", f->desk, 32);
	put(fix(f, FIX_ADMIN), name, raw, len);
	OK(org_desk_list(fix(f, FIX_ADMIN), f->desk));
	doc_free(raw, len);
	charter_signed_free(&ch);
}

static void add_server(struct fixture *f, uint8_t mark)
{
	struct policy_card card = { .address = "" };

	snprintf(card.address, sizeof card.address, "server%u.example.org:7700", mark);
	memset(card.server_pk, mark, 32);
	memset(card.setup_key, mark + 1, 32);
	OK(org_server_add(fix(f, FIX_ADMIN), &card));
}

struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof *f);
	uint8_t *form;
	char path[64];
	size_t len;

	assert_non_null(f);
	assert_true(sodium_init() >= 0);
	f->now = 20782LL * 86400 + 3600;
	open_person(f, FIX_ADMIN);
	OK(org_found(fix(f, FIX_ADMIN), "Amparo del Delta", names[FIX_ADMIN]));
	add_server(f, 9);
	add_server(f, 21);
	join_org(f, FIX_HOLDER0, NULL);
	join_org(f, FIX_HOLDER1, NULL);
	found_desk(f);
	form = source("docs/forms/raid-intake.xml", &len);
	OK(org_form_publish(fix(f, FIX_ADMIN), "raid-intake", "2026112401", "Raid intake", f->desk,
	                    form, len));
	free(form);
	join_org(f, FIX_COUNSEL, f->desk);
	join_org(f, FIX_VOLUNTEER0, f->desk);
	join_org(f, FIX_VOLUNTEER1, f->desk);
	fixture_publish(f);
	publish_batch(f, FIX_ADMIN);
	publish_batch(f, FIX_HOLDER0);
	publish_batch(f, FIX_HOLDER1);
	publish_batch(f, FIX_COUNSEL);
	for (unsigned i = 0; i < 12; i++) {
		snprintf(path, sizeof path, "tests/e2e/data/intake-%02u.xml", i + 1);
		f->xml[i] = source(path, &f->xml_len[i]);
	}
	return f;
}

void fixture_free(struct fixture *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < FIXTURE_PEOPLE; i++) {
		client_free(f->p[i].c);
		kv_mem_free(f->p[i].kv);
	}
	for (size_t i = 0; i < 12; i++)
		free(f->xml[i]);
	free(f->cells);
	free(f);
}

/* ---- cells -------------------------------------------------------------------------- */

void fixture_put(struct fixture *f, const uint8_t cell[CELL_SIZE])
{
	uint8_t *more = realloc(f->cells, (f->n_cells + 1) * CELL_SIZE);

	assert_non_null(more);
	f->cells = more;
	memcpy(f->cells + f->n_cells++ * CELL_SIZE, cell, CELL_SIZE);
}

struct upload {
	struct fixture *f;
	uint64_t *numbers;
	size_t n;
};

static enum perr upload_one(void *arg, uint64_t number, const uint8_t cell[CELL_SIZE])
{
	struct upload *u = arg;

	u->numbers = realloc(u->numbers, (u->n + 1) * sizeof *u->numbers);
	assert_non_null(u->numbers);
	u->numbers[u->n++] = number;
	OK(cell_check(cell));
	fixture_put(u->f, cell);
	return PERR_OK;
}

size_t fixture_upload(struct fixture *f, enum fixture_who who)
{
	struct upload u = { .f = f };
	struct client *c = fix(f, who);

	OK(outbox_next(c, c->field->servers[0].pk, 0, UINT32_MAX, upload_one, &u));
	for (uint32_t i = 0; i < c->field->n_servers; i++)
		OK(outbox_committed(c, c->field->servers[i].pk, u.numbers, u.n, NULL));
	free(u.numbers);
	return u.n;
}

static const uint8_t *cell_with_tag(const struct fixture *f, const uint8_t tag[CELL_TAG_SIZE])
{
	for (size_t i = 0; i < f->n_cells; i++)
		if (memcmp(f->cells + i * CELL_SIZE + CELL_TAG_AT, tag, CELL_TAG_SIZE) == 0)
			return f->cells + i * CELL_SIZE;
	return NULL;
}

struct hunt {
	struct fixture *f;
	struct client *c;
	struct want found;
	uint8_t *data;
};

/* the first want whose chunks are all there */
static enum perr whole(void *arg, const struct want *w)
{
	struct hunt *h = arg;
	uint8_t tag[CELL_TAG_SIZE], *data = malloc(w->ref.size + 1u);

	assert_non_null(data);
	for (uint32_t i = 0; i < blob_n_chunks(w->ref.size); i++) {
		const uint8_t *cell;

		blob_chunk_tag(tag, &w->ref, i);
		cell = cell_with_tag(h->f, tag);
		if (cell == NULL || blob_open_chunk(data, &w->ref, i, cell, h->c->seasons,
		                                    h->c->n_seasons) != PERR_OK) {
			free(data);
			return PERR_OK;
		}
	}
	OK(blob_check(&w->ref, data, w->ref.size));
	h->found = *w;
	h->data = data;
	return PERR_EXISTS;
}

static void complete_blobs(struct fixture *f, enum fixture_who who)
{
	struct client *c = fix(f, who);

	for (;;) {
		struct hunt h = { .f = f, .c = c };
		enum take_result result;
		enum perr err = record_wants(c, whole, &h);

		if (err == PERR_OK)
			return;
		assert_int_equal(err, PERR_EXISTS);
		OK(kv_begin(c->kv));
		OK(record_have(c, &h.found, h.data, h.found.ref.size, &result));
		OK(kv_commit(c->kv));
		if (h.found.is_envelope)
			f->p[who].taken[result]++;
		free(h.data);
	}
}

void fixture_sync(struct fixture *f, enum fixture_who who)
{
	struct fixture_person *p = &f->p[who];
	struct client *c = p->c;
	uint8_t payload[CELL_PAYLOAD_MAX];

	memset(p->taken, 0, sizeof p->taken);
	p->opened = 0;
	for (; p->seen < f->n_cells; p->seen++) {
		const uint8_t *cell = f->cells + p->seen * CELL_SIZE;
		size_t key_at, season_at, len;
		enum take_result result;
		struct blob_ref ref;
		enum cell_form form;

		if (cell_trial(&key_at, &season_at, NULL, cell, &p->prekey, 1, c->seasons,
		               c->n_seasons) != PERR_OK)
			continue;
		OK(cell_open(&form, payload, &len, cell, &p->prekey, &c->seasons[season_at]));
		p->opened++;
		OK(kv_begin(c->kv));
		if (form == CELL_STATEMENT) {
			OK(record_take(c, payload, len, &result));
			p->taken[result]++;
		} else {
			assert_int_equal(form, CELL_SPILLED);
			assert_int_equal(len, BLOB_REF_SIZE);
			OK(blob_ref_decode(&ref, payload));
			OK(record_want_spilled(c, NULL, &ref));
		}
		OK(kv_commit(c->kv));
	}
	complete_blobs(f, who);
}

/* ---- intakes ------------------------------------------------------------------------ */

const char *const *fixture_photos(unsigned which)
{
	static const char *const photos[12][4] = {
		{ "nta-tzunun-hoja1.jpg", "nta-tzunun-hoja2.jpg", "dpi-frente-palax.jpg" },
		{ "insulina-caja-lucrecia.jpg" },
		{ "acta de nacimiento Ixchel Velásquez.jpg" },
		{ NULL },
		{ "talon-pago-pelicanfork.jpg" },
		{ "matricula-consular-xicohtencatl.jpg", "aviso-audiencia-enero.jpg" },
		{ NULL },
		{ "1731425512043.jpg" },
		{ "carta-poder-yesenia.jpg" },
	};

	return photos[which - 1];
}

const uint8_t *fixture_photo(const char *name, unsigned seed, size_t *len)
{
	static uint8_t buf[30000];
	uint8_t key[32];
	uint32_t n = (uint32_t)(strlen(name) * 777 % 20000 + 5000);

	crypto_generichash(key, sizeof key, (const uint8_t *)name, strlen(name),
	                   (const uint8_t *)"fixture photo 00", 16);
	key[0] ^= (uint8_t)seed;
	key[1] ^= (uint8_t)(seed >> 8);
	randombytes_buf_deterministic(buf, n, key);
	*len = n;
	return buf;
}

void fixture_submit(struct fixture *f, enum fixture_who who, unsigned which, unsigned seed,
                    char code[CASE_CODE_LEN + 1])
{
	const char *const *photos = fixture_photos(which);
	struct intake_file files[4];
	uint8_t *data[4];
	struct intake in = { .xml = f->xml[which - 1], .xml_len = f->xml_len[which - 1],
	                     .files = files, .language = "es" };
	struct intake_receipt r;
	char why[DISPATCH_WHY];

	for (; in.n_files < 4 && photos[in.n_files] != NULL; in.n_files++) {
		struct intake_file *file = &files[in.n_files];
		const uint8_t *photo = fixture_photo(photos[in.n_files], seed, &file->len);

		data[in.n_files] = malloc(file->len);
		assert_non_null(data[in.n_files]);
		memcpy(data[in.n_files], photo, file->len);
		file->is_scan = false;
		file->name = photos[in.n_files];
		file->data = data[in.n_files];
	}
	if (intake_seal(fix(f, who), &in, &r, why) != PERR_OK)
		fail_msg("intake %u was not sealed: %s", which, why);
	if (code != NULL)
		memcpy(code, r.code, sizeof r.code);
	assert_int_equal(fixture_upload(f, who), r.n_cells);
	for (size_t i = 0; i < in.n_files; i++)
		free(data[i]);
}

struct only {
	uint8_t *record;
	unsigned n;
};

static enum perr only_one(void *arg, const struct case_summary *s)
{
	struct only *o = arg;

	memcpy(o->record, s->record, STATEMENT_RECORD_SIZE);
	o->n++;
	return PERR_OK;
}

void fixture_only_case(struct fixture *f, enum fixture_who who,
                       uint8_t record[STATEMENT_RECORD_SIZE])
{
	struct only o = { .record = record };

	OK(case_each(fix(f, who), only_one, &o, NULL));
	assert_int_equal(o.n, 1);
}
