/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proposal.h"

#include "docs_vec.h"

static struct proposal p, back;
static struct proposal_sheet sheet, sheet_back;
static struct proposal_part part, part_back;
static uint8_t hash[32], form_content[100];
static struct sign_key key;

static void make(enum proposal_kind kind)
{
	memset(&p, 0, sizeof p);
	kit_key(&key, 'a');
	p.kind = kind;
	memcpy(p.proposer, key.id, 32);
	p.revision = 7;
	memset(p.base, 0xb0, 32);
	p.day = 20782;
	if (kind == PROPOSAL_ORDERS) {
		p.n_orders = 2;
		p.orders[0] = doc_bytes_of("an order", 8);
		p.orders[1] = doc_bytes_of("another", 7);
		return;
	}
	p.version = 9;
	memset(p.seed, 0xb1, 32);
	p.last = 3;
	p.n_servers = 1;
	memset(p.servers[0].pk, 0xb2, 32);
	p.servers[0].counter = 1004;
	p.n_changes = 1;
	p.changes[0] = doc_bytes_of("a change", 8);
}

static uint8_t *made(enum proposal_kind kind, size_t *len)
{
	uint8_t *out;

	make(kind);
	assert_int_equal(proposal_sign(&out, len, &p, &key), PERR_OK);
	return out;
}

static enum perr open_proposal(const uint8_t *in, size_t len)
{
	return proposal_open(&back, hash, in, len);
}

static void a_proposal_comes_back_and_any_change_is_refused(void **state)
{
	(void)state;
	for (int kind = PROPOSAL_CHANGES; kind <= PROPOSAL_ORDERS; kind++) {
		size_t len;
		uint8_t *in = made((enum proposal_kind)kind, &len);

		assert_int_equal(open_proposal(in, len), PERR_OK);
		assert_int_equal(back.revision, 7);
		assert_int_equal(back.n_changes, kind == PROPOSAL_CHANGES);
		assert_int_equal(back.n_orders, kind == PROPOSAL_ORDERS ? 2 : 0);
		kit_refuses_truncation(open_proposal, in, len);
		kit_refuses_any_flip(open_proposal, in, len);
		kit_refuses_trailing(open_proposal, in, len);
		doc_free(in, len);
	}
}

static void a_proposal_is_its_proposers_own(void **state)
{
	struct sign_key other;
	uint8_t *in;
	size_t len;

	(void)state;
	make(PROPOSAL_CHANGES);
	kit_key(&other, 'b');
	assert_int_equal(proposal_sign(&in, &len, &p, &other), PERR_OK);
	assert_int_equal(open_proposal(in, len), PERR_SIGS);
	assert_int_equal(back.n_changes, 0);
	doc_free(in, len);
}

/* a signer must not be shown half of what is signed */
static void changes_and_orders_are_never_mixed(void **state)
{
	uint8_t *out;
	size_t len;

	(void)state;
#define REFUSED(kind, change) do { \
		make(kind); \
		change; \
		assert_int_equal(proposal_encode(&out, &len, &p), PERR_RANGE); \
	} while (0)
	REFUSED(PROPOSAL_CHANGES, p.n_changes = 0);
	REFUSED(PROPOSAL_CHANGES, (p.n_orders = 1, p.orders[0] = doc_bytes_of("x", 1)));
	REFUSED(PROPOSAL_CHANGES, p.version = 1);
	REFUSED(PROPOSAL_CHANGES, p.revision = 0);
	REFUSED(PROPOSAL_CHANGES, p.n_servers = 9);
	REFUSED(PROPOSAL_CHANGES, p.n_changes = PROPOSAL_CHANGES_MAX + 1);
	REFUSED(PROPOSAL_ORDERS, p.n_orders = 0);
	REFUSED(PROPOSAL_ORDERS, (p.n_changes = 1, p.changes[0] = doc_bytes_of("x", 1)));
	REFUSED(PROPOSAL_ORDERS, p.n_servers = 1);
	REFUSED(PROPOSAL_ORDERS, p.version = 2);
	REFUSED((enum proposal_kind)3, (void)0);
#undef REFUSED
}

/* ---- sheets --------------------------------------------------------------------------------- */

static void make_sheet(void)
{
	kit_key(&key, 'b');
	memset(&sheet, 0, sizeof sheet);
	memcpy(sheet.signer, key.id, 32);
	memset(sheet.hash, 0xb3, 32);
	sheet.n = 2;
	memset(sheet.sigs[0], 0xb4, 64);
	memset(sheet.sigs[1], 0xb5, 64);
	sheet.n_policies = 1;
	memset(sheet.policies[0].server_pk, 0xb6, 32);
	sheet.policies[0].counter = 2008;
	sheet.policies[0].day = 20783;
	memset(sheet.policies[0].sig, 0xb7, 64);
}

static enum perr open_sheet(const uint8_t *in, size_t len)
{
	return proposal_sheet_open(&sheet_back, in, len);
}

static void a_sheet_is_its_signers_own_and_the_largest_fits_a_cell(void **state)
{
	struct sign_key other;
	uint8_t *in;
	size_t len;

	(void)state;
	make_sheet();
	assert_int_equal(proposal_sheet_sign(&in, &len, &sheet, &key), PERR_OK);
	assert_int_equal(open_sheet(in, len), PERR_OK);
	assert_memory_equal(&sheet_back, &sheet, sizeof sheet);
	kit_refuses_truncation(open_sheet, in, len);
	kit_refuses_any_flip(open_sheet, in, len);
	kit_refuses_trailing(open_sheet, in, len);
	doc_free(in, len);
	kit_key(&other, 'c');
	assert_int_equal(proposal_sheet_sign(&in, &len, &sheet, &other), PERR_OK);
	assert_int_equal(open_sheet(in, len), PERR_SIGS);
	doc_free(in, len);
	sheet.n = PROPOSAL_DOCS_MAX;
	sheet.n_policies = PROPOSAL_SERVERS_MAX;
	for (uint32_t i = 0; i < sheet.n_policies; i++)
		sheet.policies[i].counter = sheet.policies[i].day = UINT32_MAX;
	assert_int_equal(proposal_sheet_sign(&in, &len, &sheet, &key), PERR_OK);
	assert_true(len <= 3997 - 8);
	doc_free(in, len);
	sheet.n++;
	assert_int_equal(proposal_sheet_sign(&in, &len, &sheet, &key), PERR_RANGE);
}

/* ---- bundles -------------------------------------------------------------------------------- */

static struct bulletin_slot slots[3];
static uint8_t slot_sk[3][32];

static void make_slots(void)
{
	for (int i = 0; i < 3; i++) {
		memset(slot_sk[i], 0xc0 + i, 32);
		crypto_scalarmult_base(slots[i].pk, slot_sk[i]);
		memset(slots[i].secret, 0xd0 + i, 32);
	}
}

/* sealed to the first n */
static uint8_t *sealed(size_t *len, size_t n)
{
	struct proposal_bundle b = { .n_sheets = 1, .n_forms = 1 };
	struct rng_seeded st;
	uint8_t *doc, *out;
	size_t doc_len;

	make_slots();
	doc = made(PROPOSAL_CHANGES, &doc_len);
	b.proposal = doc_bytes_of(doc, doc_len);
	b.sheets[0] = doc_bytes_of("a sheet", 7);
	memset(form_content, 'f', sizeof form_content);
	memset(b.forms[0].part, 0xe0, 32);
	b.forms[0].content = doc_bytes_of(form_content, sizeof form_content);
	assert_int_equal(proposal_seal(&out, len, &b, slots, n, kit_rng(&st, 0x4a)), PERR_OK);
	doc_free(doc, doc_len);
	return out;
}

static unsigned reader;

static enum perr unseal(const uint8_t *in, size_t len)
{
	struct proposal_bundle b;
	uint8_t *content;
	size_t content_len;
	enum perr err = proposal_unseal(&b, &content, &content_len, in, len, slot_sk[reader],
	                                slots[reader].secret);

	if (err == PERR_OK) {
		assert_int_equal(b.n_sheets, 1);
		assert_int_equal(b.n_forms, 1);
		assert_memory_equal(b.forms[0].content.p, form_content, sizeof form_content);
	} else {
		assert_null(content);
	}
	doc_free(content, content_len);
	return err;
}

static void a_bundle_opens_for_those_it_is_sealed_to_and_nobody_else(void **state)
{
	size_t len;
	uint8_t *in = sealed(&len, 2);

	(void)state;
	assert_int_equal(len, 1280 + 4096);
	for (reader = 0; reader < 3; reader++)
		assert_int_equal(unseal(in, len), reader < 2 ? PERR_OK : PERR_NOTMINE);
	doc_free(in, len);
}

/* also in the slots of others: what travels is one thing */
static void a_changed_bundle_is_refused(void **state)
{
	size_t len;
	uint8_t *in = sealed(&len, 2);

	(void)state;
	reader = 1;
	for (size_t i = 0; i < len; i += i < 1280 ? 7 : 61) {
		in[i] ^= (uint8_t)(1u << i % 8);
		if (unseal(in, len) == PERR_OK)
			fail_msg("taken with byte %zu changed", i);
		in[i] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < len; n += n < 2000 ? 97 : 311)
		assert_int_not_equal(kit_try(unseal, in, n), PERR_OK);
	assert_int_equal(unseal(in, len), PERR_OK);
	doc_free(in, len);
}

static void a_bundle_for_nobody_or_too_many_is_not_made(void **state)
{
	struct proposal_bundle b = { .proposal = doc_bytes_of("x", 1) };
	static struct bulletin_slot many[ADMINS_MAX + 1];
	struct rng_seeded st;
	uint8_t *out;
	size_t len;

	(void)state;
	make_slots();
	for (int i = 0; i <= ADMINS_MAX; i++)
		many[i] = slots[0];
	assert_int_equal(proposal_seal(&out, &len, &b, many, 0, kit_rng(&st, 1)), PERR_RANGE);
	assert_int_equal(proposal_seal(&out, &len, &b, many, ADMINS_MAX + 1, kit_rng(&st, 1)),
	                 PERR_RANGE);
	assert_int_equal(proposal_seal(&out, &len, &b, many, ADMINS_MAX, kit_rng(&st, 1)), PERR_OK);
	doc_free(out, len);
}

/* ---- parts ---------------------------------------------------------------------------------- */

static void make_part(uint32_t place, uint32_t of, size_t len)
{
	static uint8_t bytes[PROPOSAL_PART_MAX + 1];

	kit_key(&key, 'a');
	memset(bytes, 0xe1, sizeof bytes);
	memset(&part, 0, sizeof part);
	memcpy(part.proposer, key.id, 32);
	part.kind = PROPOSAL_CHANGES;
	part.revision = 7;
	part.place = place;
	part.of = of;
	part.bytes = doc_bytes_of(bytes, len);
}

static enum perr open_part(const uint8_t *in, size_t len)
{
	return proposal_part_open(&part_back, in, len);
}

static void a_part_is_its_proposers_own_and_the_largest_fits_a_cell(void **state)
{
	static const struct { uint32_t place, of; size_t len; enum perr want; } cases[] = {
		{ 0, 1, 10, PERR_OK }, { 39, 40, PROPOSAL_PART_MAX, PERR_OK }, { 0, 0, 0, PERR_OK },
		{ 0, 41, 10, PERR_RANGE }, { 1, 1, 10, PERR_RANGE }, { 0, 1, 0, PERR_RANGE },
		{ 0, 0, 1, PERR_RANGE }, { 0, 1, PROPOSAL_PART_MAX + 1, PERR_RANGE },
	};
	struct sign_key other;
	uint8_t *in;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		make_part(cases[i].place, cases[i].of, cases[i].len);
		assert_int_equal(proposal_part_sign(&in, &len, &part, &key), cases[i].want);
		if (cases[i].want != PERR_OK)
			continue;
		assert_true(len <= 3997 - 8);
		assert_int_equal(open_part(in, len), PERR_OK);
		assert_int_equal(part_back.bytes.len, cases[i].len);
		if (cases[i].len == 10) {
			kit_refuses_truncation(open_part, in, len);
			kit_refuses_any_flip(open_part, in, len);
			kit_refuses_trailing(open_part, in, len);
		}
		doc_free(in, len);
	}
	make_part(0, 1, 10);
	kit_key(&other, 'b');
	assert_int_equal(proposal_part_sign(&in, &len, &part, &other), PERR_OK);
	assert_int_equal(open_part(in, len), PERR_SIGS);
	doc_free(in, len);
}

static void vectors(void)
{
	uint8_t *out;
	size_t len;

	vec_note("a proposal of changes: proposer seed 61, revision 7, base b0, version 9, day 20782, seed b1,");
	vec_note("last 3, server b2 with counter 1004, one change \"a change\"; signed");
	out = made(PROPOSAL_CHANGES, &len);
	vec("proposal", out, len);
	assert_int_equal(open_proposal(out, len), PERR_OK);
	vec("proposal.hash", hash, 32);
	kit_corpus("proposal", "changes", out, len);
	doc_free(out, len);
	vec_note("of orders: \"an order\", \"another\"");
	out = made(PROPOSAL_ORDERS, &len);
	vec("orders", out, len);
	kit_corpus("proposal", "orders", out, len);
	doc_free(out, len);
	vec_note("a sheet of seed 62: hash b3, signatures b4 b5, policy of server b6, 2008, 20783, b7");
	make_sheet();
	assert_int_equal(proposal_sheet_sign(&out, &len, &sheet, &key), PERR_OK);
	vec("sheet", out, len);
	kit_corpus("proposal", "sheet", out, len);
	doc_free(out, len);
	vec_note("a bundle of the proposal, \"a sheet\" and the form e0 (100 x 'f'), sealed to the slots of");
	vec_note("private keys c0 c1 (secrets d0 d1), rng_seeded(4a): first the key, then as slots are made");
	out = sealed(&len, 2);
	vec("sealed", out, len);
	kit_corpus("proposal", "sealed", out, len);
	doc_free(out, len);
	vec_note("a part: kind 1, revision 7, place 0 of 1, ten bytes e1");
	make_part(0, 1, 10);
	assert_int_equal(proposal_part_sign(&out, &len, &part, &key), PERR_OK);
	vec("part", out, len);
	kit_corpus("proposal", "part", out, len);
	doc_free(out, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_proposal_comes_back_and_any_change_is_refused),
		cmocka_unit_test(a_proposal_is_its_proposers_own),
		cmocka_unit_test(changes_and_orders_are_never_mixed),
		cmocka_unit_test(a_sheet_is_its_signers_own_and_the_largest_fits_a_cell),
		cmocka_unit_test(a_bundle_opens_for_those_it_is_sealed_to_and_nobody_else),
		cmocka_unit_test(a_changed_bundle_is_refused),
		cmocka_unit_test(a_bundle_for_nobody_or_too_many_is_not_made),
		cmocka_unit_test(a_part_is_its_proposers_own_and_the_largest_fits_a_cell),
	};

	if (kit_written(argc, argv, "proposal"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
