/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bulletin.h"

#include "docs_vec.h"
#include "docs_roster.h"

/* ---- sealed parts ------------------------------------------------------------------------ */

static uint8_t part_key[32] = { 0x11 };
static uint8_t part_name[32];

static enum perr open_part(const uint8_t *in, size_t len)
{
	uint8_t name[32], *content;
	size_t content_len;
	enum perr err;

	bulletin_part_name(name, in, len);       /* the attacker also controls the name */
	err = bulletin_part_open(&content, &content_len, name, part_key, BULLETIN_STAFF, 7, in, len);
	doc_free(content, content_len);
	return err;
}

static uint8_t *sealed(size_t *len, size_t content_len)
{
	uint8_t *content = malloc(content_len + 1), *out;

	assert_non_null(content);
	for (size_t i = 0; i < content_len; i++)
		content[i] = (uint8_t)(i * 7);
	assert_int_equal(bulletin_part_seal(&out, len, part_name, part_key, BULLETIN_STAFF, 7,
	                                    content, content_len), PERR_OK);
	free(content);
	return out;
}

static void parts_of_any_length_show_only_a_power_of_two(void **state)
{
	static const size_t sizes[][2] = {
		{ 0, 4096 }, { 1, 4096 }, { 4076, 4096 }, { 4077, 8192 }, { 8172, 8192 },
		{ 8173, 16384 }, { 1048556, 1048576 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t len, back_len;
		uint8_t *back, *part = sealed(&len, sizes[i][0]);

		assert_int_equal(len, sizes[i][1]);
		assert_int_equal(bulletin_part_size(sizes[i][0]), sizes[i][1]);
		assert_int_equal(bulletin_part_open(&back, &back_len, part_name, part_key,
		                                    BULLETIN_STAFF, 7, part, len), PERR_OK);
		assert_int_equal(back_len, sizes[i][0]);
		for (size_t k = 0; k < back_len; k++)
			assert_int_equal(back[k], (uint8_t)(k * 7));
		doc_free(back, back_len);
		doc_free(part, len);
	}
	assert_int_equal(bulletin_part_size(1048557), 0);
}

static void a_part_opens_only_in_its_place_version_and_name(void **state)
{
	size_t len, n;
	uint8_t *back, *part = sealed(&len, 100), other[32];

	(void)state;
	assert_int_equal(bulletin_part_open(&back, &n, part_name, part_key, BULLETIN_FIELD, 7, part,
	                                    len), PERR_AUTH);
	assert_int_equal(bulletin_part_open(&back, &n, part_name, part_key, BULLETIN_STAFF, 8, part,
	                                    len), PERR_AUTH);
	memcpy(other, part_key, 32);
	other[31] ^= 1;
	assert_int_equal(bulletin_part_open(&back, &n, part_name, other, BULLETIN_STAFF, 7, part,
	                                    len), PERR_AUTH);
	memcpy(other, part_name, 32);
	other[31] ^= 1;
	assert_int_equal(bulletin_part_open(&back, &n, other, part_key, BULLETIN_STAFF, 7, part,
	                                    len), PERR_CORRUPT);
	assert_null(back);
	doc_free(part, len);
}

static void a_changed_or_shortened_part_is_refused(void **state)
{
	size_t len;
	uint8_t *part = sealed(&len, 100);

	(void)state;
	kit_refuses_truncation(open_part, part, len);
	for (size_t i = 0; i < len; i++) {
		part[i] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(kit_try(open_part, part, len), PERR_AUTH);
		part[i] ^= (uint8_t)(1u << i % 8);
	}
	doc_free(part, len);
}

/* an administrator could hide bytes behind the content, or waste a member's memory */
static void padding_that_is_not_zeros_or_too_long_is_refused(void **state)
{
	static const uint8_t nonce[12];
	static const struct { uint32_t says; size_t size; uint8_t last; enum perr want; } cases[] = {
		{ 100, 4096, 0, PERR_OK },
		{ 100, 4096, 1, PERR_FORMAT },
		{ 100, 8192, 0, PERR_FORMAT },           /* 4,096 would have been enough */
		{ 4077, 4096, 0, PERR_FORMAT },
		{ UINT32_MAX, 4096, 0, PERR_FORMAT },
	};
	uint8_t aad[] = "amparo/1 part\x01\x00\x00\x00\x07";

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t *part = calloc(1, cases[i].size);

		assert_non_null(part);
		doc_u32(part, cases[i].says);
		part[cases[i].size - 17] = cases[i].last;
		crypto_aead_chacha20poly1305_ietf_encrypt(part, NULL, part, cases[i].size - 16, aad,
		                                          sizeof aad - 1, NULL, nonce, part_key);
		assert_int_equal(open_part(part, cases[i].size), cases[i].want);
		free(part);
	}
}

/* ---- header ------------------------------------------------------------------------------ */

static struct bulletin b, back;
static struct admins a;
static uint8_t hash[32];

static void make(uint32_t version, struct doc_bytes *chain, uint32_t n_chain)
{
	memset(&b, 0, sizeof b);
	b.version = version;
	b.day = 20782;
	b.last_day = 20812;
	if (version > 1)
		memset(b.previous, 0xc0, 32);
	b.n_chain = n_chain;
	memcpy(b.chain, chain, n_chain * sizeof *chain);
	assert_int_equal(admins_link_hash(b.link, chain[n_chain - 1]), PERR_OK);
	for (int i = 0; i < 3; i++) {
		memset(b.bodies[i].part.name, 0xc1 + i, 32);
		b.bodies[i].part.size = 4096u << i;
		memset(b.bodies[i].commitment, 0xc4 + i, 32);
	}
	memset(b.slots.name, 0xc7, 32);
	b.slots.size = 32 * BULLETIN_SLOT_SIZE;
	b.n_forms = 2;
	for (int i = 0; i < 2; i++) {
		memset(b.forms[i].name, 0xc8 + i, 32);
		b.forms[i].size = 8192;
	}
}

/* the header b, signed by the keys named */
static uint8_t *signed_header(size_t *len, const char *signers)
{
	struct sign_key k[8];
	const struct sign_key *at[8];
	size_t n = strlen(signers);
	uint8_t *out;

	for (size_t i = 0; i < n; i++) {
		kit_key(&k[i], (uint8_t)signers[i]);
		at[i] = &k[i];
	}
	assert_int_equal(bulletin_sign(&out, len, &b, at, n), PERR_OK);
	return out;
}

static enum perr open_header(const uint8_t *in, size_t len)
{
	return bulletin_open(&back, &a, hash, in, len);
}

static void a_header_signed_by_the_threshold_opens(void **state)
{
	struct doc_bytes chain = kit_link(NULL, 2, "abc", "abc");
	uint8_t *in;
	size_t len;

	(void)state;
	make(3, &chain, 1);
	in = signed_header(&len, "ac");
	assert_int_equal(open_header(in, len), PERR_OK);
	assert_int_equal(back.version, 3);
	assert_int_equal(back.bodies[2].part.size, 16384);
	assert_int_equal(back.n_forms, 2);
	doc_free(in, len);
	kit_free(&chain, 1);
}

static void too_few_or_foreign_signatures_are_refused(void **state)
{
	static const char *const signers[] = { "", "a", "axyz" };
	struct doc_bytes chain = kit_link(NULL, 2, "abc", "abc");

	(void)state;
	make(3, &chain, 1);
	for (size_t i = 0; i < 3; i++) {
		size_t len;
		uint8_t *in = signed_header(&len, signers[i]);

		assert_int_equal(open_header(in, len), PERR_SIGS);
		assert_int_equal(back.version, 0);
		doc_free(in, len);
	}
	kit_free(&chain, 1);
}

static void any_changed_bit_of_a_header_is_refused(void **state)
{
	struct doc_bytes chain = kit_link(NULL, 1, "a", "a");
	uint8_t *in;
	size_t len;

	(void)state;
	make(3, &chain, 1);
	b.n_forms = 0;
	in = signed_header(&len, "a");
	kit_refuses_truncation(open_header, in, len);
	kit_refuses_any_flip(open_header, in, len);
	kit_refuses_trailing(open_header, in, len);
	doc_free(in, len);
	kit_free(&chain, 1);
}

static void sizes_that_no_honest_part_has_are_refused(void **state)
{
	struct doc_bytes chain = kit_link(NULL, 1, "a", "a");
	uint8_t *out;
	size_t len;

	(void)state;
#define REFUSED(change) do { \
		make(2, &chain, 1); \
		change; \
		assert_int_equal(bulletin_encode(&out, &len, &b), PERR_RANGE); \
	} while (0)
	REFUSED(b.bodies[0].part.size = 4095);
	REFUSED(b.bodies[1].part.size = 2048);
	REFUSED(b.bodies[2].part.size = 2u << 20);
	REFUSED(b.forms[0].size = 5000);
	REFUSED(b.slots.size = 15 * 80);
	REFUSED(b.slots.size = 17 * 80);
	REFUSED(b.slots.size = 16 * 80 + 1);
	REFUSED(b.slots.size = 16384 * 80);
	REFUSED(b.version = 0);
	REFUSED(b.version = 1);                          /* but it has a previous one */
	REFUSED(memset(b.previous, 0, 32));
	REFUSED(memset(b.link, 0, 32));
	REFUSED(memset(b.forms[0].name, 0xff, 32));      /* unsorted */
	REFUSED(memcpy(b.forms[0].name, b.forms[1].name, 32));
#undef REFUSED
	make(2, &chain, 1);
	b.n_chain = 0;
	assert_int_equal(bulletin_sign(&out, &len, &b, NULL, 0), PERR_RANGE);
	kit_free(&chain, 1);
}

/* the chain is not under the signatures: what stands there must be the one that is named */
static void a_header_under_another_chain_than_it_names_is_refused(void **state)
{
	struct doc_bytes chain[3];
	struct admins one;
	uint8_t *in;
	size_t len;

	(void)state;
	chain[0] = kit_link(NULL, 1, "a", "a");
	assert_int_equal(admins_verify(&one, chain, 1), PERR_OK);
	chain[1] = kit_link(&one, 2, "ab", "ab");
	chain[2] = kit_link(&one, 1, "ac", "ac");
	for (int i = 0; i < 3; i++) {
		struct admins_doc d;
		uint8_t *changed;
		size_t n;

		/* named: 0 and 1, signed by both; shown: that, 0 alone, 0 and another 1 */
		make(3, chain, 2);
		in = signed_header(&len, "ab");
		assert_int_equal(admins_view(&d, in, len), PERR_OK);
		if (i == 1)
			d.n_chain = 1;
		if (i == 2)
			d.chain[1] = chain[2];
		assert_int_equal(admins_pack(&changed, &n, &d), PERR_OK);
		assert_int_equal(open_header(changed, n), i == 0 ? PERR_OK : PERR_CHAIN);
		doc_free(changed, n);
		doc_free(in, len);
	}
	kit_free(chain, 3);
}

/* ---- what is known ----------------------------------------------------------------------- */

/* open header b signed by a, and ask whether known may take it */
static enum perr accepted(const struct bulletin_known *known, const char *signer)
{
	size_t len;
	uint8_t *in = signed_header(&len, signer);
	enum perr err;

	assert_int_equal(open_header(in, len), PERR_OK);
	back.n_chain = 0;                        /* its slices die with in */
	err = bulletin_accept(known, &back, &a, hash);
	doc_free(in, len);
	return err;
}

static void newer_is_taken_older_refused_and_a_fork_told(void **state)
{
	struct doc_bytes chain = kit_link(NULL, 1, "a", "a");
	struct bulletin_known known;
	struct admins genesis;

	(void)state;
	assert_int_equal(admins_verify(&genesis, &chain, 1), PERR_OK);
	bulletin_known_begin(&known, genesis.genesis);
	make(5, &chain, 1);
	assert_int_equal(accepted(&known, "a"), PERR_OK);
	bulletin_known_set(&known, &back, &a, hash);
	assert_int_equal(accepted(&known, "a"), PERR_OK);        /* the same again */
	make(4, &chain, 1);
	assert_int_equal(accepted(&known, "a"), PERR_OLD);
	make(5, &chain, 1);
	b.last_day++;
	assert_int_equal(accepted(&known, "a"), PERR_FORK);
	make(900, &chain, 1);                    /* a phone that was off for a long time */
	assert_int_equal(accepted(&known, "a"), PERR_OK);
	kit_free(&chain, 1);
}

static void a_second_history_shows_in_the_next_version(void **state)
{
	struct doc_bytes chain = kit_link(NULL, 1, "a", "a");
	struct bulletin_known known;
	struct admins genesis;

	(void)state;
	assert_int_equal(admins_verify(&genesis, &chain, 1), PERR_OK);
	bulletin_known_begin(&known, genesis.genesis);
	make(5, &chain, 1);
	assert_false(bulletin_breaks_history(&known, &b));
	assert_int_equal(accepted(&known, "a"), PERR_OK);
	bulletin_known_set(&known, &back, &a, hash);
	make(6, &chain, 1);
	assert_true(bulletin_breaks_history(&known, &b));
	memcpy(b.previous, known.hash, 32);
	assert_false(bulletin_breaks_history(&known, &b));
	make(7, &chain, 1);                      /* 6 was not seen: nothing to compare */
	assert_false(bulletin_breaks_history(&known, &b));
	kit_free(&chain, 1);
}

static void another_organisation_or_a_rewritten_chain_is_refused(void **state)
{
	struct doc_bytes chain[2], other;
	struct bulletin_known known;
	struct admins one;

	(void)state;
	chain[0] = kit_link(NULL, 1, "a", "a");
	assert_int_equal(admins_verify(&one, chain, 1), PERR_OK);
	bulletin_known_begin(&known, one.genesis);
	chain[1] = kit_link(&one, 1, "b", "ab");
	make(5, chain, 2);
	assert_int_equal(accepted(&known, "b"), PERR_OK);
	bulletin_known_set(&known, &back, &a, hash);
	/* a, no longer an administrator, goes on from link 0 */
	make(6, chain, 1);
	assert_int_equal(accepted(&known, "a"), PERR_CHAIN);
	make(4, chain, 1);
	assert_int_equal(accepted(&known, "a"), PERR_OLD);
	kit_free(&chain[1], 1);
	chain[1] = kit_link(&one, 1, "c", "ac");
	make(6, chain, 2);
	assert_int_equal(accepted(&known, "c"), PERR_CHAIN);
	other = kit_link(NULL, 1, "z", "z");
	make(9, &other, 1);
	assert_int_equal(accepted(&known, "z"), PERR_CHAIN);
	kit_free(chain, 2);
	kit_free(&other, 1);
}

/* ---- slots ------------------------------------------------------------------------------- */

#define N_SLOTS 3
static struct bulletin_slot slots[N_SLOTS];
static uint8_t slot_sk[N_SLOTS][32];

static void make_slots(void)
{
	for (uint8_t i = 0; i < N_SLOTS; i++) {
		memset(slot_sk[i], 0xd0 + i, 32);
		crypto_scalarmult_base(slots[i].pk, slot_sk[i]);
		memset(slots[i].secret, 0xd3 + i, 32);
		memset(slots[i].key, 0xd6 + i, 32);
	}
}

static uint8_t *slots_part(size_t *len, uint32_t version)
{
	struct rng_seeded st;
	uint8_t *out, name[32], again[32];

	make_slots();
	assert_int_equal(bulletin_slots_make(&out, len, name, version, slots, N_SLOTS,
	                                     kit_rng(&st, 0x48)), PERR_OK);
	bulletin_part_name(again, out, *len);
	assert_memory_equal(name, again, 32);
	return out;
}

static void each_member_finds_its_key_and_only_its_own(void **state)
{
	size_t len;
	uint8_t key[32], *part = slots_part(&len, 7);

	(void)state;
	assert_int_equal(len, 16 * BULLETIN_SLOT_SIZE);
	for (int i = 0; i < N_SLOTS; i++) {
		assert_int_equal(bulletin_slots_find(key, part, len, 7, slot_sk[i],
		                                     slots[i].secret), PERR_OK);
		assert_memory_equal(key, slots[i].key, 32);
		assert_int_equal(bulletin_slots_find(key, part, len, 7, slot_sk[i],
		                                     slots[(i + 1) % N_SLOTS].secret), PERR_NOTMINE);
		assert_zero(key, 32);
	}
	doc_free(part, len);
}

/* PROTOCOL 8.3: "`"amparo/1 revoked"` ‖ u32 day ‖ 12 zeros" */
static void a_slot_says_that_a_membership_ended_and_nothing_else_is_taken_for_it(void **state)
{
	uint8_t key[32], other[32];
	uint32_t day;

	(void)state;
	bulletin_slot_ended(key, 20050);
	assert_memory_equal(key, "amparo/1 revoked\0\0\x4e\x52", 20);
	assert_true(bulletin_slot_is_ended(key, &day));
	assert_int_equal(day, 20050);
	for (unsigned i = 0; i < 32; i++) {
		if (i >= 16 && i < 20)
			continue;        /* the day */
		memcpy(other, key, 32);
		other[i] ^= 1;
		assert_false(bulletin_slot_is_ended(other, &day));
	}
}

static void a_slot_of_another_version_does_not_open(void **state)
{
	size_t len;
	uint8_t key[32], *part = slots_part(&len, 7);

	(void)state;
	assert_int_equal(bulletin_slots_find(key, part, len, 8, slot_sk[0], slots[0].secret),
	                 PERR_NOTMINE);
	assert_int_equal(bulletin_slots_find(key, part, len, 6, slot_sk[0], slots[0].secret),
	                 PERR_NOTMINE);
	doc_free(part, len);
}

static void a_damaged_or_unsorted_slots_part_gives_no_wrong_key(void **state)
{
	size_t len;
	uint8_t key[32], swap[BULLETIN_SLOT_SIZE], *part = slots_part(&len, 7);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		enum perr err;

		part[i] ^= 0x80;
		err = bulletin_slots_find(key, part, len, 7, slot_sk[0], slots[0].secret);
		if (err == PERR_OK)
			assert_memory_equal(key, slots[0].key, 32);
		part[i] ^= 0x80;
	}
	memcpy(swap, part, sizeof swap);
	memcpy(part, part + sizeof swap, sizeof swap);
	memcpy(part + sizeof swap, swap, sizeof swap);
	assert_int_equal(bulletin_slots_find(key, part, len, 7, slot_sk[0], slots[0].secret),
	                 PERR_FORMAT);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(bulletin_slots_find(key, part, n, 7, slot_sk[0], slots[0].secret),
		                 PERR_FORMAT);
	doc_free(part, len);
}

static void the_number_of_slots_is_a_power_of_two(void **state)
{
	static const size_t counts[][2] = { { 0, 16 }, { 16, 16 }, { 17, 32 }, { 33, 64 } };
	struct bulletin_slot many[33];
	struct rng_seeded st;
	uint8_t *out, name[32];
	size_t len;

	(void)state;
	make_slots();
	for (int i = 0; i < 33; i++)
		many[i] = slots[0];
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(bulletin_slots_make(&out, &len, name, 1, many, counts[i][0],
		                                     kit_rng(&st, 2)), PERR_OK);
		assert_int_equal(len, counts[i][1] * BULLETIN_SLOT_SIZE);
		doc_free(out, len);
	}
	assert_int_equal(bulletin_slots_make(&out, &len, name, 1, many, BULLETIN_SLOTS_MAX + 1,
	                                     kit_rng(&st, 2)), PERR_RANGE);
	memset(many[4].pk, 0, 32);
	assert_int_equal(bulletin_slots_make(&out, &len, name, 1, many, 33, kit_rng(&st, 2)),
	                 PERR_KEY);
	assert_null(out);
}

/* ---- levels ------------------------------------------------------------------------------ */

static void the_commitments_tell_the_level_of_a_key(void **state)
{
	struct doc_bytes chain = kit_link(NULL, 1, "a", "a");
	struct roster_keys k, found;
	struct rng_seeded st;
	enum bulletin_which which;
	uint8_t other[32] = { 1 };

	(void)state;
	make(2, &chain, 1);
	roster_keys_new(&k, kit_rng(&st, 0x49));
	roster_commit(b.bodies[BULLETIN_FIELD].commitment, k.field);
	roster_commit(b.bodies[BULLETIN_STAFF].commitment, k.staff);
	roster_commit(b.bodies[BULLETIN_ADMIN].commitment, k.admin);
	assert_int_equal(bulletin_level(&which, &found, &b, k.admin), PERR_OK);
	assert_int_equal(which, BULLETIN_ADMIN);
	assert_memory_equal(found.field, k.field, 32);
	assert_int_equal(bulletin_level(&which, &found, &b, k.staff), PERR_OK);
	assert_int_equal(which, BULLETIN_STAFF);
	assert_false(found.has_admin);
	assert_int_equal(bulletin_level(&which, &found, &b, k.field), PERR_OK);
	assert_int_equal(which, BULLETIN_FIELD);
	assert_int_equal(bulletin_level(&which, &found, &b, other), PERR_UNKNOWN);
	/* staff must not be shown another field body than the field sees */
	b.bodies[BULLETIN_FIELD].commitment[0] ^= 1;
	assert_int_equal(bulletin_level(&which, &found, &b, k.staff), PERR_CHAIN);
	assert_zero(found.staff, 32);
	kit_free(&chain, 1);
}

static void vectors(void)
{
	struct doc_bytes chain = kit_link(NULL, 1, "ab", "ab");
	struct admins_doc d;
	uint8_t *out;
	size_t len;

	vec_note("a sealed part: key 11 00.., which 1 (staff), version 7, content 00 07 0e .. of 100 bytes");
	out = sealed(&len, 100);
	vec("part.name", part_name, 32);
	vec("part", out, len);
	doc_free(out, len);
	vec_note("a header: version 3, one link (1 of seeds 61 62), fields of 32 times c0 to c9, signed by 61");
	make(3, &chain, 1);
	out = signed_header(&len, "a");
	assert_int_equal(admins_view(&d, out, len), PERR_OK);
	vec("header", d.doc.p, d.doc.len);
	kit_corpus("bulletin", "header", d.doc.p, d.doc.len);
	kit_corpus("bulletin", "signed", out, len);
	vec("header.signed", out, len);
	bulletin_hash(hash, d.doc.p, d.doc.len);
	vec("header.hash", hash, 32);
	doc_free(out, len);
	kit_free(&chain, 1);
	vec_note("slots, version 7: private keys 32 x d0, d1, d2, secrets d3.., keys inside d6..; in the");
	vec_note("order made, each takes 32 bytes of rng_seeded(48) as ephemeral private key; each of the");
	vec_note("13 unused before that 96 bytes: private key, secret, key");
	out = slots_part(&len, 7);
	vec("slot.0.pk", slots[0].pk, 32);
	vec("slots", out, len);
	doc_free(out, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(parts_of_any_length_show_only_a_power_of_two),
		cmocka_unit_test(a_part_opens_only_in_its_place_version_and_name),
		cmocka_unit_test(a_changed_or_shortened_part_is_refused),
		cmocka_unit_test(padding_that_is_not_zeros_or_too_long_is_refused),
		cmocka_unit_test(a_header_signed_by_the_threshold_opens),
		cmocka_unit_test(too_few_or_foreign_signatures_are_refused),
		cmocka_unit_test(any_changed_bit_of_a_header_is_refused),
		cmocka_unit_test(sizes_that_no_honest_part_has_are_refused),
		cmocka_unit_test(a_header_under_another_chain_than_it_names_is_refused),
		cmocka_unit_test(newer_is_taken_older_refused_and_a_fork_told),
		cmocka_unit_test(a_second_history_shows_in_the_next_version),
		cmocka_unit_test(another_organisation_or_a_rewritten_chain_is_refused),
		cmocka_unit_test(each_member_finds_its_key_and_only_its_own),
		cmocka_unit_test(a_slot_of_another_version_does_not_open),
		cmocka_unit_test(a_slot_says_that_a_membership_ended_and_nothing_else_is_taken_for_it),
		cmocka_unit_test(a_damaged_or_unsorted_slots_part_gives_no_wrong_key),
		cmocka_unit_test(the_number_of_slots_is_a_power_of_two),
		cmocka_unit_test(the_commitments_tell_the_level_of_a_key),
	};

	if (kit_written(argc, argv, "bulletin"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
