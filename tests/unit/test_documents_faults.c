/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Every document with the n-th allocation failing, for each n until a run is clean.  What
 * fails says PERR_NOMEM, hands out nothing, and leaves nothing behind (the sanitizers' run
 * counts leaks).  Linked with --wrap for malloc, calloc, realloc and sodium_malloc.
 */
#include <sodium.h>

#include "batch.h"
#include "board.h"
#include "bulletin.h"
#include "desk.h"
#include "docs_kit.h"
#include "docs_org.h"
#include "docs_roster.h"
#include "docs_statement.h"
#include "envelope.h"
#include "join.h"
#include "policy.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_sodium_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_sodium_malloc(size_t size);

static bool armed, tripped;
static unsigned long left;

static bool fails(void)
{
	if (!armed || --left > 0)
		return false;
	armed = false;                   /* one failure a run: the clean-up must work */
	tripped = true;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_sodium_malloc(size_t size)
{
	return fails() ? NULL : __real_sodium_malloc(size);
}

static unsigned long points;

/* what is tried: makes or opens one document, frees what it got */
typedef enum perr attempt(void);

static void sweep(attempt *try)
{
	for (unsigned long n = 1;; n++) {
		enum perr err;

		left = n;
		tripped = false;
		armed = true;
		err = try();
		armed = false;
		if (!tripped) {
			assert_int_equal(err, PERR_OK);
			break;
		}
		points++;
		assert_int_equal(err, PERR_NOMEM);
	}
}

/* an encoder's result is freed; after an error there must be none */
static enum perr freed(enum perr err, uint8_t *out, size_t len)
{
	if (err != PERR_OK && (out != NULL || len != 0))
		return PERR_STATE;
	doc_free(out, len);
	return err;
}

/* ---- fixtures, made before anything is armed --------------------------------------------- */

static struct statement st, seen;
static struct envelope env;
static struct sign_key key;
static struct rng_seeded rng_state;
static struct doc_bytes packed, link_0, first;
static struct desk desk;
static struct batch batch;
static struct policy policy;
static struct admins admins;
static struct bulletin bulletin;
static struct join join;
static uint8_t hash[32];

/* ---- attempts ---------------------------------------------------------------------------- */

static enum perr make_envelope(void)
{
	uint8_t *out;
	size_t len;
	enum perr err;

	kit_statement(&st, STATEMENT_INTAKE);
	err = envelope_make(&out, &len, NULL, &st, 1, NULL, 0, &key, kit_rng(&rng_state, 1));
	return freed(err, out, len);
}

static enum perr read_envelope(void)
{
	return envelope_open(&env, &seen, packed.p, packed.len);
}

static enum perr verify_admins(void)
{
	return admins_verify(&admins, &link_0, 1);
}

static enum perr make_charter(void)
{
	struct charter_signed c, copy = { 0 };
	uint8_t ids[2][32] = { { 1 }, { 2 } }, *out = NULL;
	size_t len = 0;
	enum perr err = charter_make(&c, "Mesa", "Casa", 1, ids, 2, NULL);

	if (err == PERR_OK)
		err = charter_sign(&c, &key);
	if (err == PERR_OK)
		err = charter_countersign(&c, ids[0], &key);
	if (err == PERR_OK)
		err = charter_signed_encode(&out, &len, &c);
	if (err == PERR_OK)
		err = charter_signed_decode(&copy, out, len);
	if (err == PERR_OK)
		err = charter_merge(&copy, &c, c.body.holders, 2, (const uint8_t (*)[32])ids, 2);
	doc_free(out, len);
	charter_signed_free(&copy);
	charter_signed_free(&c);
	return err;
}

static enum perr verify_desk(void)
{
	struct desk d;
	struct desk_verdict v;
	enum perr err = desk_verify(&d, &first, 1, desk.now.holders[0]);

	return err == PERR_OK ? desk_judge(&v, &desk, &first, 1, NULL, NULL, 0, key.id) : err;
}

static enum perr make_batch(void)
{
	uint8_t *out;
	size_t len;
	enum perr err = batch_sign(&out, &len, &batch, &key);
	struct batch back;

	if (err != PERR_OK)
		return freed(err, out, len);
	err = batch_open(&back, out, len);
	doc_free(out, len);
	return err;
}

static enum perr make_rekey(void)
{
	struct board_rekey rk = { .number = 1 }, back;
	struct sign_key other;
	uint8_t *out;
	size_t len;
	enum perr err;

	kit_key(&other, 'q');
	memcpy(rk.old_key, key.id, 32);
	memcpy(rk.new_key, other.id, 32);
	err = board_rekey_sign(&out, &len, &rk, &key, &other);
	if (err != PERR_OK)
		return freed(err, out, len);
	err = board_rekey_open(&back, out, len);
	doc_free(out, len);
	return err;
}

static enum perr make_join(void)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	uint16_t words[JOIN_WORDS];
	struct join back;
	size_t len;
	enum perr err = join_sign(payload, &len, words, &join, &key, kit_rng(&rng_state, 2));

	return err == PERR_OK ? join_open(&back, words, payload, len) : err;
}

#define BODY(name, made) \
static struct doc_bytes name##_bytes; \
static enum perr name##_both(void) \
{ \
	struct roster_##name *body; \
	uint8_t *out; \
	size_t len; \
	enum perr err = roster_##name##_decode(&body, name##_bytes.p, name##_bytes.len); \
\
	if (err != PERR_OK) \
		return body == NULL ? err : PERR_STATE; \
	err = roster_##name##_encode(&out, &len, body); \
	roster_##name##_free(body); \
	return freed(err, out, len); \
} \
static void name##_set_up(void) \
{ \
	struct roster_##name *body = made; \
	uint8_t *out; \
	size_t len; \
\
	assert_int_equal(roster_##name##_encode(&out, &len, body), PERR_OK); \
	name##_bytes = doc_bytes_of(out, len); \
	roster_##name##_free(body); \
}
BODY(field, kit_field(first, desk.id))
BODY(staff, kit_staff())
BODY(admin, kit_admin())

static enum perr new_bodies(void)
{
	struct roster_field *f = roster_field_new();
	struct roster_staff *s = roster_staff_new();
	struct roster_admin *a = roster_admin_new();
	bool all = f != NULL && s != NULL && a != NULL &&
	           arena_alloc(f->mem, 1000, 1000) != NULL &&
	           arena_grow(s->mem, NULL, 0, 3000, 100) != NULL;

	roster_field_free(f);
	roster_staff_free(s);
	roster_admin_free(a);
	return all ? PERR_OK : PERR_NOMEM;
}

static enum perr make_bulletin(void)
{
	const struct sign_key *keys[1] = { &key };
	uint8_t *out;
	size_t len;
	enum perr err = bulletin_sign(&out, &len, &bulletin, keys, 1);
	static struct bulletin back;

	if (err != PERR_OK)
		return freed(err, out, len);
	err = bulletin_open(&back, &admins, hash, out, len);
	doc_free(out, len);
	return err;
}

static enum perr make_parts(void)
{
	uint8_t *part, *content = NULL, *slots = NULL, name[32];
	size_t len, content_len = 0, slots_len = 0;
	enum perr err = bulletin_part_seal(&part, &len, name, hash, BULLETIN_FORM, 0,
	                                   (const uint8_t *)"form", 4);

	if (err != PERR_OK)
		return freed(err, part, len);
	err = bulletin_part_open(&content, &content_len, name, hash, BULLETIN_FORM, 0, part, len);
	if (err == PERR_OK)
		err = bulletin_slots_make(&slots, &slots_len, name, 1, NULL, 0,
		                          kit_rng(&rng_state, 3));
	doc_free(slots, slots_len);
	doc_free(content, content_len);
	doc_free(part, len);
	return err;
}

static enum perr make_policy(void)
{
	const struct sign_key *keys[1] = { &key };
	static struct policy back;
	uint8_t *out;
	size_t len;
	enum perr err = policy_sign(&out, &len, &policy, keys, 1);

	if (err != PERR_OK)
		return freed(err, out, len);
	err = policy_open(&back, &admins, out, len);
	doc_free(out, len);
	return err;
}

static enum perr make_order(void)
{
	const struct sign_key *keys[1] = { &key };
	struct policy_order o = { .counter = 1, .kind = POLICY_RELEASE }, back;
	uint8_t *out;
	size_t len;
	enum perr err = policy_order_sign(&out, &len, &o, keys, 1);

	if (err != PERR_OK)
		return freed(err, out, len);
	err = policy_order_open(&back, &admins, o.server_pk, 0, out, len);
	doc_free(out, len);
	return err;
}

static enum perr decode_signed(void)
{
	struct signed_doc d;
	enum perr err = signed_decode(&d, link_0.p, link_0.len);

	signed_doc_free(&d);
	return err;
}

/* ---- the claim --------------------------------------------------------------------------- */

static void set_up(void)
{
	uint8_t sks[3][32], *out;
	size_t len;

	kit_key(&key, 'a');
	kit_make_original();
	kit_statement(&st, STATEMENT_INTAKE);
	assert_int_equal(envelope_make(&out, &len, NULL, &st, 1, NULL, 0, &key,
	                               kit_rng(&rng_state, 1)), PERR_OK);
	packed = doc_bytes_of(out, len);
	link_0 = kit_link(NULL, 1, "a", "a");
	assert_int_equal(admins_verify(&admins, &link_0, 1), PERR_OK);
	first = kit_desk(&desk, "Mesa", 2, "hij");
	field_set_up();
	staff_set_up();
	admin_set_up();
	assert_int_equal(batch_make(&batch, sks, key.id, 1, 20782, 14, 3, kit_rng(&rng_state, 4)),
	                 PERR_OK);
	policy_default(&policy);
	policy.counter = 1;
	policy.n_chain = 1;
	policy.chain[0] = link_0;
	policy.n_access = 1;
	policy.access[0].scope = 4;
	assert_int_equal(policy_pad_tickets(&policy, kit_rng(&rng_state, 5)), PERR_OK);
	bulletin.version = 1;
	bulletin.n_chain = 1;
	bulletin.chain[0] = link_0;
	for (int i = 0; i < 3; i++)
		bulletin.bodies[i].part.size = 4096;
	bulletin.slots.size = 16 * BULLETIN_SLOT_SIZE;
	strcpy(join.name, "Ana");
	kit_public(join.slot_pk, 0x42);
}

static void any_failing_allocation_is_told_and_leaves_nothing(void **state)
{
	static attempt *const all[] = {
		make_envelope, read_envelope, verify_admins, make_charter, verify_desk, make_batch,
		make_rekey, make_join, field_both, staff_both, admin_both, new_bodies,
		make_bulletin, make_parts, make_policy, make_order, decode_signed,
	};

	(void)state;
	set_up();
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		sweep(all[i]);
	assert_true(points > 50);
	printf("figure: documents, failing allocations: %lu, crashes: 0, wrong answers: 0\n", points);
	kit_free(&packed, 1);
	kit_free(&link_0, 1);
	kit_free(&first, 1);
	kit_free(&field_bytes, 1);
	kit_free(&staff_bytes, 1);
	kit_free(&admin_bytes, 1);
}

/* the control: an attempt that answers wrongly must be caught */
static enum perr forgets_to_check(void)
{
	arena_free(arena_new());
	return PERR_OK;
}

static void the_sweep_would_see_an_unchecked_allocation(void **state)
{
	(void)state;
	left = 1;
	tripped = false;
	armed = true;
	assert_int_equal(forgets_to_check(), PERR_OK);
	armed = false;
	assert_true(tripped);            /* sweep() demands PERR_NOMEM here */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_failing_allocation_is_told_and_leaves_nothing),
		cmocka_unit_test(the_sweep_would_see_an_unchecked_allocation),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
