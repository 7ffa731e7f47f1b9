/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Attacks on the documents that must fail, told as the client meets them: a dishonest
 * server, a turned administrator, a turned member.  Each claim first shows that the honest
 * case works, so that none passes because everything is refused.
 */
#include <sodium.h>

#include "batch.h"
#include "bulletin.h"
#include "desk.h"
#include "docs_kit.h"
#include "docs_org.h"
#include "docs_roster.h"
#include "docs_statement.h"
#include "envelope.h"
#include "invite.h"

static struct statement st, seen;
static struct envelope env;

static void own_key(uint8_t id[32], char name)
{
	kit_ids((uint8_t (*)[32])id, (char[]){ name, '\0' });
}

/* ---- statements: what a turned reader may try -------------------------------------------- */

/* a note from v to `to`, number 1 */
static uint8_t *note_to(size_t *len, const uint8_t to[32])
{
	struct rng_seeded state;
	struct sign_key v;
	uint8_t *out;

	kit_key(&v, 'v');
	kit_statement(&st, STATEMENT_NOTE);
	memcpy(st.to, to, 32);
	assert_int_equal(envelope_make(&out, len, NULL, &st, 1, NULL, 0, &v, kit_rng(&state, 3)),
	                 PERR_OK);
	return out;
}

static void a_statement_resealed_to_another_reader_is_not_addressed_to_him(void **state)
{
	uint8_t ana[32], ben[32], desk_of_ana[1][32], desk_of_ben[1][32];
	size_t len;
	uint8_t *in;

	(void)state;
	own_key(ana, 'h');
	own_key(ben, 'i');
	memset(desk_of_ana, 0x01, 32);
	memset(desk_of_ben, 0x02, 32);
	in = note_to(&len, ana);
	assert_int_equal(envelope_open(&env, &seen, in, len), PERR_OK);
	assert_true(statement_addressed_to(&seen, ana, desk_of_ana, 1));
	/* the same bytes, opened by Ben out of a cell that Ana sealed to him */
	assert_false(statement_addressed_to(&seen, ben, desk_of_ben, 1));
	doc_free(in, len);
	in = note_to(&len, desk_of_ana[0]);
	assert_int_equal(envelope_open(&env, &seen, in, len), PERR_OK);
	assert_true(statement_addressed_to(&seen, ana, desk_of_ana, 1));
	assert_false(statement_addressed_to(&seen, ben, desk_of_ben, 1));
	doc_free(in, len);
}

static void readdressing_a_statement_breaks_its_signature(void **state)
{
	uint8_t ana[32], ben[32];
	size_t len, at;
	uint8_t *in;

	(void)state;
	own_key(ana, 'h');
	own_key(ben, 'i');
	in = note_to(&len, ana);
	for (at = 0; memcmp(in + at, ana, 32) != 0; at++)
		assert_true(at + 32 < len);
	memcpy(in + at, ben, 32);
	assert_int_equal(envelope_open(&env, &seen, in, len), PERR_AUTH);
	doc_free(in, len);
}

static void a_statement_in_another_authors_name_is_refused(void **state)
{
	struct sign_key v, h;
	uint8_t to[32] = { 1 }, *bytes, *out;
	size_t len, out_len;

	(void)state;
	kit_key(&v, 'v');
	kit_key(&h, 'h');
	kit_statement(&st, STATEMENT_NOTE);
	memcpy(st.to, to, 32);
	memcpy(st.author, h.id, 32);
	assert_int_equal(statement_encode(&bytes, &len, &st), PERR_OK);
	memset(&env, 0, sizeof env);
	env.statement = doc_bytes_of(bytes, len);
	assert_int_equal(statement_sign(env.sig, &v, bytes, len), PERR_OK);
	assert_int_equal(envelope_encode(&out, &out_len, &env), PERR_OK);
	assert_int_equal(envelope_open(&env, &seen, out, out_len), PERR_AUTH);
	doc_free(out, out_len);
	doc_free(bytes, len);
}

static void an_assignment_cannot_put_words_into_the_volunteers_mouth(void **state)
{
	static uint8_t changed[4096];
	size_t at = 0;

	(void)state;
	kit_statement(&st, STATEMENT_ASSIGNMENT);
	assert_int_equal(statement_original(&seen, &st), PERR_OK);
	memcpy(changed, kit_original.p, kit_original.len);
	while (memcmp(changed + at, "Eulalia", 7) != 0)
		at++;
	memcpy(changed + at, "Eufemia", 7);
	st.body.passed.original = doc_bytes_of(changed, kit_original.len);
	assert_int_equal(statement_original(&seen, &st), PERR_AUTH);
}

static void a_signature_for_one_kind_of_document_is_none_for_another(void **state)
{
	static const char *const contexts[] = {
		STATEMENT_CONTEXT, ADMINS_CONTEXT, CHARTER_CONTEXT, CHARTER_COUNTER_CONTEXT,
		BATCH_CONTEXT, BULLETIN_CONTEXT, "amparo/1 rekey", "amparo/1 join",
		"amparo/1 policy", "amparo/1 order"
	};
	const size_t n = sizeof contexts / sizeof contexts[0];
	const uint8_t doc[] = "x";
	struct sign_key k;
	uint8_t sig[64];

	(void)state;
	kit_key(&k, 'a');
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(signed_make(sig, &k, contexts[i], doc, 1), PERR_OK);
		for (size_t j = 0; j < n; j++)
			assert_int_equal(signed_verify(k.id, sig, contexts[j], doc, 1),
			                 i == j ? PERR_OK : PERR_AUTH);
		/* no context may be the beginning of another: the border would be movable */
		for (size_t j = 0; j < n; j++)
			assert_true(i == j || strncmp(contexts[i], contexts[j],
			                              strlen(contexts[i])) != 0);
	}
}

/* ---- signatures: points and scalars nobody honest makes ---------------------------------- */

static const uint8_t group_order[32] = {
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10
};

static void a_malleated_signature_is_refused(void **state)
{
	const uint8_t doc[] = "x";
	struct sign_key k;
	uint8_t sig[64];
	unsigned carry = 0;

	(void)state;
	kit_key(&k, 'a');
	assert_int_equal(signed_make(sig, &k, "c", doc, 1), PERR_OK);
	assert_int_equal(signed_verify(k.id, sig, "c", doc, 1), PERR_OK);
	for (int i = 0; i < 32; i++) {           /* S + L satisfies the same equation */
		carry += sig[32 + i] + group_order[i];
		sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(signed_verify(k.id, sig, "c", doc, 1), PERR_AUTH);
}

/*
 * Under a key of small order the all-zero S and a matching R verify for many messages in a
 * lax verifier.  The points of order 1, 2, 4, 8 and their other encodings.
 */
static void keys_of_small_order_or_in_another_encoding_sign_nothing(void **state)
{
	static const char *const points[] = {
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	const size_t n = sizeof points / sizeof points[0];
	unsigned tried = 0;

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			for (uint8_t m = 0; m < 16; m++) {
				uint8_t key[32], sig[64] = { 0 };

				unhex(key, 32, points[i]);
				unhex(sig, 32, points[j]);
				assert_int_equal(signed_verify(key, sig, "c", &m, 1), PERR_AUTH);
				tried++;
			}
	printf("figure: small-order signatures tried: %u, accepted: 0\n", tried);
}

static void an_administrator_of_small_order_lends_nobody_a_signature(void **state)
{
	struct signed_doc d;
	struct doc_bytes chain;
	struct sign_key a;
	struct admins admins;
	uint8_t ids[2][32] = { { 1 } }, *out;    /* the neutral point, and a */
	size_t len;

	(void)state;
	kit_key(&a, 'a');
	memcpy(ids[1], a.id, 32);
	assert_int_equal(admins_genesis(&d, 2, ids, 2), PERR_OK);
	assert_int_equal(signed_add(&d.sigs, &a, ADMINS_CONTEXT, d.bytes, d.len), PERR_OK);
	/* R the neutral point, S zero, put in by hand */
	memmove(&d.sigs.at[1], &d.sigs.at[0], sizeof d.sigs.at[0]);
	memset(&d.sigs.at[0], 0, sizeof d.sigs.at[0]);
	d.sigs.at[0].key[0] = 1;
	d.sigs.at[0].sig[0] = 1;
	d.sigs.n = 2;
	assert_int_equal(signed_encode(&out, &len, &d), PERR_OK);
	chain = doc_bytes_of(out, len);
	assert_int_equal(admins_verify(&admins, &chain, 1), PERR_SIGS);
	doc_free(out, len);
	signed_doc_free(&d);
}

static void one_signer_named_twice_counts_once(void **state)
{
	struct doc_bytes genesis = kit_link(NULL, 2, "ab", "ab"), twice;
	struct admins admins;
	struct signed_doc d;
	uint8_t *out;
	size_t len;

	(void)state;
	assert_int_equal(admins_verify(&admins, &genesis, 1), PERR_OK);
	assert_int_equal(signed_decode(&d, genesis.p, genesis.len), PERR_OK);
	d.sigs.at[1] = d.sigs.at[0];
	assert_int_equal(signed_encode(&out, &len, &d), PERR_OK);
	twice = doc_bytes_of(out, len);
	assert_int_equal(admins_verify(&admins, &twice, 1), PERR_FORMAT);
	doc_free(out, len);
	d.sigs.n = 1;
	assert_int_equal(signed_encode(&out, &len, &d), PERR_OK);
	twice = doc_bytes_of(out, len);
	assert_int_equal(admins_verify(&admins, &twice, 1), PERR_SIGS);
	doc_free(out, len);
	signed_doc_free(&d);
	kit_free(&genesis, 1);
}

/* ---- rosters: what a dishonest server or administrator may show -------------------------- */

struct published {
	struct doc_bytes chain;          /* one link: 2 of a b c */
	struct admins admins;
	struct roster_keys keys;
	uint8_t *part[3];                /* field, staff, admin */
	size_t part_len[3];
	uint8_t *slots;
	size_t slots_len;
	uint8_t *header;
	size_t header_len;
	struct desk desk;
	struct doc_bytes charter;
};

static struct bulletin header;
static struct admins header_admins;
static uint8_t header_hash[32];

/* a whole bulletin of this version, signed by `signers`; slot 0 holds k_staff */
static void publish(struct published *p, uint32_t version, const char *signers)
{
	struct roster_field *f;
	struct roster_staff *s = kit_staff();
	struct roster_admin *a = kit_admin();
	struct bulletin_slot slot;
	struct bulletin b = { .version = version, .day = 20782, .last_day = 20812, .n_chain = 1 };
	struct rng_seeded st_rng;
	struct rng rng = kit_rng(&st_rng, (uint8_t)version);
	struct sign_key k[8];
	const struct sign_key *at[8];
	uint8_t *body[3];
	size_t len[3];

	memset(p, 0, sizeof *p);
	p->chain = kit_link(NULL, 2, "abc", "abc");
	assert_int_equal(admins_verify(&p->admins, &p->chain, 1), PERR_OK);
	p->charter = kit_desk(&p->desk, "Mesa", 2, "hij");
	f = kit_field(p->charter, p->desk.id);
	roster_keys_new(&p->keys, rng);
	assert_int_equal(roster_field_encode(&body[0], &len[0], f), PERR_OK);
	assert_int_equal(roster_staff_encode(&body[1], &len[1], s), PERR_OK);
	assert_int_equal(roster_admin_encode(&body[2], &len[2], a), PERR_OK);
	for (int i = 0; i < 3; i++) {
		const uint8_t *key = i == 0 ? p->keys.field : i == 1 ? p->keys.staff : p->keys.admin;

		assert_int_equal(bulletin_part_seal(&p->part[i], &p->part_len[i],
		                                    b.bodies[i].part.name, key,
		                                    (enum bulletin_which)i, version, body[i],
		                                    len[i]), PERR_OK);
		b.bodies[i].part.size = (uint32_t)p->part_len[i];
		roster_commit(b.bodies[i].commitment, key);
		doc_free(body[i], len[i]);
	}
	kit_public(slot.pk, 0x90);
	kit_fill(slot.secret, 0x91);
	memcpy(slot.key, p->keys.staff, 32);
	assert_int_equal(bulletin_slots_make(&p->slots, &p->slots_len, b.slots.name, version, &slot,
	                                     1, rng), PERR_OK);
	b.slots.size = (uint32_t)p->slots_len;
	b.chain[0] = p->chain;
	if (version > 1)
		memset(b.previous, 0x77, 32);
	for (size_t i = 0; signers[i] != '\0'; i++) {
		kit_key(&k[i], (uint8_t)signers[i]);
		at[i] = &k[i];
	}
	assert_int_equal(bulletin_sign(&p->header, &p->header_len, &b, at, strlen(signers)),
	                 PERR_OK);
	roster_field_free(f);
	roster_staff_free(s);
	roster_admin_free(a);
}

static void unpublish(struct published *p)
{
	kit_free(&p->chain, 1);
	kit_free(&p->charter, 1);
	for (int i = 0; i < 3; i++)
		doc_free(p->part[i], p->part_len[i]);
	doc_free(p->slots, p->slots_len);
	doc_free(p->header, p->header_len);
}

static enum perr open_published(const struct published *p)
{
	return bulletin_open(&header, &header_admins, header_hash, p->header, p->header_len);
}

static void a_lower_roster_version_is_refused(void **state)
{
	struct bulletin_known known;
	struct published old, now;

	(void)state;
	publish(&old, 6, "ab");
	publish(&now, 7, "bc");
	bulletin_known_begin(&known, now.admins.genesis);
	assert_int_equal(open_published(&now), PERR_OK);
	assert_int_equal(bulletin_accept(&known, &header, &header_admins, header_hash), PERR_OK);
	bulletin_known_set(&known, &header, &header_admins, header_hash);
	assert_int_equal(open_published(&old), PERR_OK);
	assert_int_equal(bulletin_accept(&known, &header, &header_admins, header_hash), PERR_OLD);
	unpublish(&old);
	unpublish(&now);
}

static void a_fork_of_the_roster_is_told(void **state)
{
	struct bulletin_known known;
	struct published one, other;
	struct bulletin b;
	struct sign_key k[2];
	const struct sign_key *at[2] = { &k[0], &k[1] };
	uint8_t *in;
	size_t len;

	(void)state;
	publish(&one, 7, "ab");
	publish(&other, 7, "bc");
	bulletin_known_begin(&known, one.admins.genesis);
	assert_int_equal(open_published(&one), PERR_OK);
	bulletin_known_set(&known, &header, &header_admins, header_hash);
	/* other signatures under the same document are no fork */
	assert_int_equal(open_published(&other), PERR_OK);
	assert_int_equal(bulletin_accept(&known, &header, &header_admins, header_hash), PERR_OK);
	b = header;
	b.bodies[BULLETIN_STAFF].commitment[0] ^= 1;
	kit_key(&k[0], 'a');
	kit_key(&k[1], 'c');
	assert_int_equal(bulletin_sign(&in, &len, &b, at, 2), PERR_OK);
	assert_int_equal(bulletin_open(&header, &header_admins, header_hash, in, len), PERR_OK);
	assert_int_equal(bulletin_accept(&known, &header, &header_admins, header_hash), PERR_FORK);
	doc_free(in, len);
	unpublish(&one);
	unpublish(&other);
}

static void a_roster_with_too_few_signatures_is_refused(void **state)
{
	static const char *const signers[] = { "", "a", "az", "hij" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct published p;

		publish(&p, 7, signers[i]);
		assert_int_equal(open_published(&p), PERR_SIGS);
		unpublish(&p);
	}
}

static void bodies_swapped_between_levels_do_not_open(void **state)
{
	const uint8_t *key[3];
	struct published p;
	uint8_t *out;
	size_t len;

	(void)state;
	publish(&p, 7, "ab");
	assert_int_equal(open_published(&p), PERR_OK);
	key[0] = p.keys.field;
	key[1] = p.keys.staff;
	key[2] = p.keys.admin;
	for (int place = 0; place < 3; place++)
		for (int part = 0; part < 3; part++) {
			enum perr err = bulletin_part_open(&out, &len, header.bodies[place].part.name,
			                                   key[place], (enum bulletin_which)place,
			                                   header.version, p.part[part],
			                                   p.part_len[part]);

			assert_int_equal(err, place == part ? PERR_OK : PERR_CORRUPT);
			doc_free(out, len);
			/* and where the header itself names it at the wrong place */
			err = bulletin_part_open(&out, &len, header.bodies[part].part.name,
			                         key[part], (enum bulletin_which)place,
			                         header.version, p.part[part], p.part_len[part]);
			assert_int_equal(err, place == part ? PERR_OK : PERR_AUTH);
			doc_free(out, len);
		}
	unpublish(&p);
}

static void a_slot_or_body_of_another_version_does_not_open(void **state)
{
	struct published old, now;
	uint8_t sk[32], secret[32], key[32], *out;
	size_t len;

	(void)state;
	publish(&old, 6, "ab");
	publish(&now, 7, "ab");
	kit_fill(sk, 0x90);
	kit_fill(secret, 0x91);
	assert_int_equal(bulletin_slots_find(key, now.slots, now.slots_len, 7, sk, secret),
	                 PERR_OK);
	assert_int_equal(bulletin_slots_find(key, old.slots, old.slots_len, 7, sk, secret),
	                 PERR_NOTMINE);
	assert_int_equal(open_published(&old), PERR_OK);
	assert_int_equal(bulletin_part_open(&out, &len, header.bodies[0].part.name, old.keys.field,
	                                    BULLETIN_FIELD, 7, old.part[0], old.part_len[0]),
	                 PERR_AUTH);
	unpublish(&old);
	unpublish(&now);
}

static void two_readers_cannot_be_shown_two_bodies_under_one_header(void **state)
{
	struct roster_keys found;
	enum bulletin_which which;
	struct published p;
	uint8_t other[32];

	(void)state;
	publish(&p, 7, "ab");
	assert_int_equal(open_published(&p), PERR_OK);
	assert_int_equal(bulletin_level(&which, &found, &header, p.keys.staff), PERR_OK);
	/* a slot that holds another key than all others' */
	kit_fill(other, 0x66);
	assert_int_equal(bulletin_level(&which, &found, &header, other), PERR_UNKNOWN);
	unpublish(&p);
}

/* ---- desks: what an administrator may try ------------------------------------------------ */

static enum desk_trust judge(const struct desk *d, const struct doc_bytes *first, size_t at,
                             size_t n, const struct desk_pin *pins, size_t n_pins,
                             const uint8_t *own)
{
	struct desk_verdict v[4];

	assert_int_equal(desk_judge(v, d, first, n, NULL, pins, n_pins, own), PERR_OK);
	return v[at].err == PERR_OK ? v[at].trust : DESK_UNKNOWN;
}

static void a_desk_key_without_charter_signatures_is_refused(void **state)
{
	struct charter_signed c = kit_charter(NULL, "Mesa", 1, "hz", "h");
	struct doc_bytes b = kit_pack(&c);
	struct desk d;

	(void)state;
	/* z was put into the charter by somebody else and signed nothing */
	assert_int_equal(desk_verify(&d, &b, 1, NULL), PERR_SIGS);
	kit_free(&b, 1);
	charter_signed_free(&c);
	c = kit_charter(NULL, "Mesa", 1, "hz", "hz");
	b = kit_pack(&c);
	assert_int_equal(desk_verify(&d, &b, 1, NULL), PERR_OK);
	kit_free(&b, 1);
	charter_signed_free(&c);
}

/* the administrator's key is a; he adds it to the desk of h i j */
static void an_administrator_cannot_add_himself_as_a_holder(void **state)
{
	struct charter_signed c0 = kit_charter(NULL, "Mesa", 2, "hij", "hij"), c1;
	struct doc_bytes chain[2];
	struct desk d, before;

	(void)state;
	chain[0] = kit_pack(&c0);
	assert_int_equal(desk_verify(&before, chain, 1, NULL), PERR_OK);
	/* with his own signature, with those of all administrators */
	for (int i = 0; i < 2; i++) {
		c1 = kit_charter(&c0, "Mesa", 2, "ahij", i == 0 ? "a" : "abc");
		chain[1] = kit_pack(&c1);
		assert_int_equal(desk_verify(&d, chain, 2, NULL), PERR_SIGS);
		kit_free(&chain[1], 1);
		charter_signed_free(&c1);
	}
	/* or by writing himself into version 0: that is another desk */
	c1 = kit_charter(NULL, "Mesa", 2, "ahi", "a");
	chain[1] = kit_pack(&c1);
	assert_int_equal(desk_verify(&d, &chain[1], 1, NULL), PERR_SIGS);
	kit_free(&chain[1], 1);
	charter_signed_free(&c1);
	/* what two holders sign is what happens */
	c1 = kit_charter(&c0, "Mesa", 2, "hijk", "hj");
	chain[1] = kit_pack(&c1);
	assert_int_equal(desk_verify(&d, chain, 2, NULL), PERR_OK);
	kit_free(chain, 2);
	charter_signed_free(&c1);
	charter_signed_free(&c0);
}

static void a_desk_of_sock_puppets_stays_unknown_until_its_words_are_typed(void **state)
{
	struct doc_bytes firsts[2];
	struct desk desks[2];
	struct desk_pin pins[2];
	struct roster_field *f;
	uint16_t words[DESK_WORDS], real[DESK_WORDS];
	const unsigned at[2] = { 0, 3 };

	(void)state;
	firsts[0] = kit_desk(&desks[0], "Mesa", 2, "hij");
	firsts[1] = kit_desk(&desks[1], "Mesa", 2, "xyz");       /* the same name, too */
	desk_pin_of(&pins[0], &desks[0], DESK_PINNED_ANCHOR);
	/* the form is pointed at it: where a form points says nothing about trust */
	f = kit_field(firsts[0], desks[1].id);
	assert_memory_equal(roster_form_find(f, "raid-intake", NULL)->desk, desks[1].id, 32);
	assert_int_equal(judge(desks, firsts, 0, 2, pins, 1, NULL), DESK_PINNED_ANCHOR);
	assert_int_equal(judge(desks, firsts, 1, 2, pins, 1, NULL), DESK_UNKNOWN);
	/* the sheet on the wall has the real desk's words */
	desk_words(real, desks[0].id);
	desk_words(words, desks[1].id);
	assert_memory_not_equal(real, words, sizeof words);
	assert_false(desk_words_match(desks[1].id, at, (uint16_t[]){ real[0], real[3] }));
	assert_true(desk_words_match(desks[1].id, at, (uint16_t[]){ words[0], words[3] }));
	desk_pin_of(&pins[1], &desks[1], DESK_PINNED_WORDS);
	assert_int_equal(judge(desks, firsts, 1, 2, pins, 2, NULL), DESK_PINNED_WORDS);
	roster_field_free(f);
	kit_free(firsts, 2);
}

static void sock_puppets_cannot_vouch_for_themselves_or_each_other(void **state)
{
	struct charter_signed c = kit_charter(NULL, "Mesa", 1, "wx", "wx"), c2;
	struct doc_bytes firsts[3];
	struct desk desks[3];
	struct desk_pin pin;

	(void)state;
	firsts[0] = kit_desk(&desks[0], "Mesa", 2, "hij");
	kit_countersign(&c, c.hash, "wx");       /* by itself */
	c2 = kit_charter(NULL, "Mesa Dos", 1, "yz", "yz");
	kit_countersign(&c2, c.hash, "wx");      /* by the other */
	kit_countersign(&c2, desks[0].id, "wxyz");       /* in the real desk's name */
	firsts[1] = kit_pack(&c);
	firsts[2] = kit_pack(&c2);
	assert_int_equal(desk_verify(&desks[1], &firsts[1], 1, NULL), PERR_OK);
	assert_int_equal(desk_verify(&desks[2], &firsts[2], 1, NULL), PERR_OK);
	desk_pin_of(&pin, &desks[0], DESK_PINNED_ANCHOR);
	assert_int_equal(judge(desks, firsts, 1, 3, &pin, 1, NULL), DESK_UNKNOWN);
	assert_int_equal(judge(desks, firsts, 2, 3, &pin, 1, NULL), DESK_UNKNOWN);
	kit_free(firsts, 3);
	charter_signed_free(&c);
	charter_signed_free(&c2);
}

/* sock-puppets name the client a holder of their desk, to have it pinned */
static void being_named_a_holder_by_strangers_pins_nothing(void **state)
{
	struct charter_signed c0 = kit_charter(NULL, "Mesa", 1, "yz", "yz");
	struct charter_signed c1 = kit_charter(&c0, "Mesa", 2, "hyz", "yz");
	struct doc_bytes chain[2];
	struct desk d;
	uint8_t own[32];

	(void)state;
	own_key(own, 'h');
	chain[0] = kit_pack(&c0);
	chain[1] = kit_pack(&c1);
	assert_int_equal(desk_verify(&d, chain, 2, own), PERR_OK);
	assert_true(charter_has_holder(&d.now, own));
	assert_int_equal(judge(&d, chain, 0, 1, NULL, 0, own), DESK_UNKNOWN);
	kit_free(chain, 2);
	charter_signed_free(&c0);
	charter_signed_free(&c1);
}

static void a_retired_holder_cannot_bring_an_old_charter_back(void **state)
{
	struct charter_signed c0 = kit_charter(NULL, "Mesa", 2, "hij", "hij");
	struct charter_signed c1 = kit_charter(&c0, "Mesa", 1, "ij", "ij");
	/* h and another one, who was tricked, sign a second version 1 */
	struct charter_signed fork = kit_charter(&c0, "Mesa", 1, "hz", "hi");
	struct doc_bytes chain[2], forked[2];
	struct desk d;
	struct desk_pin pin;

	(void)state;
	chain[0] = forked[0] = kit_pack(&c0);
	chain[1] = kit_pack(&c1);
	forked[1] = kit_pack(&fork);
	assert_int_equal(desk_verify(&d, chain, 2, NULL), PERR_OK);
	desk_pin_of(&pin, &d, DESK_PINNED_ANCHOR);
	assert_int_equal(judge(&d, chain, 0, 1, &pin, 1, NULL), DESK_PINNED_ANCHOR);
	assert_int_equal(desk_verify(&d, chain, 1, NULL), PERR_OK);
	assert_int_equal(judge(&d, chain, 0, 1, &pin, 1, NULL), DESK_UNKNOWN);
	assert_int_equal(desk_verify(&d, forked, 2, NULL), PERR_OK);
	assert_int_equal(judge(&d, forked, 0, 1, &pin, 1, NULL), DESK_UNKNOWN);
	kit_free(&forked[1], 1);
	kit_free(chain, 2);
	charter_signed_free(&c0);
	charter_signed_free(&c1);
	charter_signed_free(&fork);
}

/*
 * The administrator writes his own signing key beside the attorney's name in the staff body.
 * Nothing sealed to a desk changes: who reads there stands in the charter.  And a batch of
 * his is his own: it never counts as hers.
 */
static void swapping_an_attorneys_key_gives_no_access_to_her_desk(void **state)
{
	struct doc_bytes first;
	struct desk d;
	struct roster_staff *s = kit_staff();
	struct batch b, hers;
	struct sign_key admin, ana;
	struct rng_seeded rng;
	uint8_t sks[2][32], *out;
	size_t len;

	(void)state;
	kit_key(&admin, 'a');
	kit_key(&ana, 'h');
	first = kit_desk(&d, "Mesa", 2, "hij");
	memcpy(s->members[0].key, admin.id, 32);
	assert_non_null(roster_staff_find(s, admin.id));
	assert_null(roster_staff_find(s, ana.id));       /* her client sees herself missing */
	assert_false(charter_has_holder(&d.now, admin.id));
	assert_true(charter_has_holder(&d.now, ana.id));

	assert_int_equal(batch_make(&hers, sks, ana.id, 1, 20782, 14, 2, kit_rng(&rng, 1)), PERR_OK);
	/* prekeys of his own in her name: he cannot sign them */
	assert_int_equal(batch_make(&b, sks, ana.id, 2, 20782, 14, 2, kit_rng(&rng, 2)), PERR_OK);
	assert_int_equal(batch_sign(&out, &len, &b, &admin), PERR_KEY);
	/* under his own name they do not take the place of hers */
	memcpy(b.owner, admin.id, 32);
	assert_int_equal(batch_sign(&out, &len, &b, &admin), PERR_OK);
	assert_int_equal(batch_open(&b, out, len), PERR_OK);
	assert_false(batch_supersedes(&b, &hers, 0));
	doc_free(out, len);
	roster_staff_free(s);
	kit_free(&first, 1);
}

/*
 * An invitation with another charter in its anchor makes a client that pins the other desk.
 * That cannot be refused: it is the client's first knowledge.  It shows: the words on the
 * About screen are those of the other desk, and the sheet says to compare them.
 */
static void an_invitation_minted_for_another_charter_shows_other_words(void **state)
{
	struct doc_bytes firsts[2], link = kit_link(NULL, 1, "a", "a");
	struct desk desks[2];
	struct admins admins;
	uint8_t ids[2][32], anchor[32];
	uint16_t sheet[DESK_WORDS], shown[DESK_WORDS];
	size_t at;

	(void)state;
	assert_int_equal(admins_verify(&admins, &link, 1), PERR_OK);
	firsts[0] = kit_desk(&desks[0], "Mesa", 2, "hij");
	firsts[1] = kit_desk(&desks[1], "Mesa", 2, "xyz");
	memcpy(ids[0], desks[0].id, 32);
	memcpy(ids[1], desks[1].id, 32);
	desk_words(sheet, desks[0].id);

	invite_anchor(anchor, admins.genesis, desks[0].id);
	assert_int_equal(invite_anchor_match(&at, anchor, admins.genesis, ids, 2), PERR_OK);
	desk_words(shown, ids[at]);
	assert_memory_equal(shown, sheet, sizeof sheet);

	invite_anchor(anchor, admins.genesis, desks[1].id);
	assert_int_equal(invite_anchor_match(&at, anchor, admins.genesis, ids, 2), PERR_OK);
	assert_int_equal(at, 1);
	desk_words(shown, ids[at]);
	assert_memory_not_equal(shown, sheet, sizeof sheet);
	/* and a roster cannot swap the desk behind an honest invitation */
	invite_anchor(anchor, admins.genesis, desks[0].id);
	assert_int_equal(invite_anchor_match(&at, anchor, admins.genesis, ids + 1, 1), PERR_CHAIN);
	kit_free(firsts, 2);
	kit_free(&link, 1);
}

/* one desk pinned for the client, another organisation's chain behind the same server */
static void another_organisations_roster_is_refused_at_the_first_sight(void **state)
{
	struct bulletin_known known;
	struct published p;
	uint8_t genesis[32];

	(void)state;
	publish(&p, 7, "ab");
	kit_fill(genesis, 0x67);
	bulletin_known_begin(&known, genesis);
	assert_int_equal(open_published(&p), PERR_OK);
	assert_int_equal(bulletin_accept(&known, &header, &header_admins, header_hash), PERR_CHAIN);
	unpublish(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_statement_resealed_to_another_reader_is_not_addressed_to_him),
		cmocka_unit_test(readdressing_a_statement_breaks_its_signature),
		cmocka_unit_test(a_statement_in_another_authors_name_is_refused),
		cmocka_unit_test(an_assignment_cannot_put_words_into_the_volunteers_mouth),
		cmocka_unit_test(a_signature_for_one_kind_of_document_is_none_for_another),
		cmocka_unit_test(a_malleated_signature_is_refused),
		cmocka_unit_test(keys_of_small_order_or_in_another_encoding_sign_nothing),
		cmocka_unit_test(an_administrator_of_small_order_lends_nobody_a_signature),
		cmocka_unit_test(one_signer_named_twice_counts_once),
		cmocka_unit_test(a_lower_roster_version_is_refused),
		cmocka_unit_test(a_fork_of_the_roster_is_told),
		cmocka_unit_test(a_roster_with_too_few_signatures_is_refused),
		cmocka_unit_test(bodies_swapped_between_levels_do_not_open),
		cmocka_unit_test(a_slot_or_body_of_another_version_does_not_open),
		cmocka_unit_test(two_readers_cannot_be_shown_two_bodies_under_one_header),
		cmocka_unit_test(a_desk_key_without_charter_signatures_is_refused),
		cmocka_unit_test(an_administrator_cannot_add_himself_as_a_holder),
		cmocka_unit_test(a_desk_of_sock_puppets_stays_unknown_until_its_words_are_typed),
		cmocka_unit_test(sock_puppets_cannot_vouch_for_themselves_or_each_other),
		cmocka_unit_test(being_named_a_holder_by_strangers_pins_nothing),
		cmocka_unit_test(a_retired_holder_cannot_bring_an_old_charter_back),
		cmocka_unit_test(swapping_an_attorneys_key_gives_no_access_to_her_desk),
		cmocka_unit_test(an_invitation_minted_for_another_charter_shows_other_words),
		cmocka_unit_test(another_organisations_roster_is_refused_at_the_first_sight),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
