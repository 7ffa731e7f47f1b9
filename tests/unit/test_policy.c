/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "policy.h"

#include "docs_vec.h"
#include "docs_org.h"

static struct policy p, back;            /* some 20 KB each */
static struct admins a;

static void keys_of(struct sign_key *k, const struct sign_key **at, const char *names)
{
	for (size_t i = 0; names[i] != '\0'; i++) {
		kit_key(&k[i], (uint8_t)names[i]);
		at[i] = &k[i];
	}
}

/* 2 of {a b c}; the caller frees the chain */
static void make(struct doc_bytes chain[1])
{
	struct rng_seeded st;

	chain[0] = kit_link(NULL, 2, "abc", "abc");
	policy_default(&p);
	memset(p.server_pk, 0x31, 32);
	p.counter = 5;
	p.day = 20782;
	p.n_chain = 1;
	p.chain[0] = chain[0];
	assert_int_equal(admins_link_hash(p.link, chain[0]), PERR_OK);
	p.n_access = 2;
	p.access[0] = (struct policy_access){ .scope = 1, .last_day = 21000 };
	memset(p.access[0].derived, 0x32, 32);
	p.access[1] = (struct policy_access){ .scope = 4 };
	memset(p.access[1].derived, 0x33, 32);
	p.n_tickets = 1;
	policy_ticket_hash(p.tickets[0], (const uint8_t *)"0123456789abcdef");
	assert_int_equal(policy_pad_tickets(&p, kit_rng(&st, 0x45)), PERR_OK);
	memset(p.seed, 0x34, 32);
}

static uint8_t *signed_policy(size_t *len, const char *signers)
{
	struct sign_key k[8];
	const struct sign_key *at[8];
	struct doc_bytes chain[1];
	uint8_t *out;

	make(chain);
	keys_of(k, at, signers);
	assert_int_equal(policy_sign(&out, len, &p, at, strlen(signers)), PERR_OK);
	kit_free(chain, 1);
	return out;
}

static enum perr open_policy(const uint8_t *in, size_t len)
{
	return policy_open(&back, &a, in, len);
}

static void a_policy_signed_by_the_threshold_opens(void **state)
{
	size_t len;
	uint8_t *in = signed_policy(&len, "ac");

	(void)state;
	assert_int_equal(open_policy(in, len), PERR_OK);
	assert_int_equal(back.counter, 5);
	assert_int_equal(back.n_access, 2);
	assert_int_equal(back.access[0].last_day, 21000);
	assert_int_equal(back.retention_days, 60);
	assert_int_equal(back.limits.reserve_mib, p.limits.reserve_mib);
	assert_int_equal(a.last.threshold, 2);
	doc_free(in, len);
}

static void too_few_or_foreign_signatures_are_refused(void **state)
{
	static const char *const signers[] = { "", "a", "ad", "xyz" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t len;
		uint8_t *in = signed_policy(&len, signers[i]);

		assert_int_equal(open_policy(in, len), PERR_SIGS);
		assert_int_equal(back.n_chain, 0);
		doc_free(in, len);
	}
}

static void a_truncated_policy_is_refused(void **state)
{
	size_t len;
	uint8_t *in = signed_policy(&len, "ac");

	(void)state;
	kit_refuses_truncation(open_policy, in, len);
	kit_refuses_trailing(open_policy, in, len);
	doc_free(in, len);
}

static void tickets_are_padded_to_a_power_of_two_and_sorted(void **state)
{
	static const uint32_t counts[][2] = {
		{ 0, 16 }, { 1, 16 }, { 16, 16 }, { 17, 32 }, { 64, 64 }, { 65, 128 }, { 257, 512 },
		{ 512, 512 }
	};
	struct rng_seeded st;
	struct rng rng = kit_rng(&st, 0x46);

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		policy_default(&p);
		for (p.n_tickets = 0; p.n_tickets < counts[i][0]; p.n_tickets++)
			rng_fill(rng, p.tickets[p.n_tickets], 32);
		assert_int_equal(policy_pad_tickets(&p, rng), PERR_OK);
		assert_int_equal(p.n_tickets, counts[i][1]);
		assert_true(doc_is_rising(p.tickets, p.n_tickets));
	}
	p.n_tickets = 513;
	assert_int_equal(policy_pad_tickets(&p, rng), PERR_RANGE);
}

static void values_that_could_destroy_the_unread_are_refused(void **state)
{
	struct doc_bytes chain[1];
	uint8_t *out;
	size_t len;

	(void)state;
#define REFUSED(change) do { \
		make(chain); \
		change; \
		assert_int_equal(policy_encode(&out, &len, &p), PERR_RANGE); \
		kit_free(chain, 1); \
	} while (0)
	REFUSED(p.retention_days = 6);
	REFUSED(p.retention_days = 401);
	REFUSED(p.settle_days = 0);
	REFUSED(p.settle_days = 31);
	REFUSED(p.erase_delay_hours = 721);
	REFUSED(p.release_minutes = 0);
	REFUSED(p.release_minutes = 1441);
	REFUSED(p.surge_minutes = 0);
	REFUSED(p.n_access = 0);
	REFUSED(p.n_access = 65);
	REFUSED(p.access[0].scope = 0);
	REFUSED(p.access[0].scope = 5);          /* setup is never a policy's */
	REFUSED(p.n_tickets = 15);
	REFUSED(p.counter = 0);
	REFUSED(p.version = 0);
	REFUSED(memset(p.link, 0, 32));
#undef REFUSED
}

static void the_counter_rises_and_the_server_is_the_right_one(void **state)
{
	struct policy_known known = { 0 };
	uint8_t pk[32];
	size_t len;
	uint8_t *in = signed_policy(&len, "ab");

	(void)state;
	memset(pk, 0x31, 32);
	assert_int_equal(open_policy(in, len), PERR_OK);
	assert_int_equal(policy_accept(&known, pk, &back, &a), PERR_OK);
	policy_known_set(&known, &back, &a);
	assert_int_equal(policy_accept(&known, pk, &back, &a), PERR_OLD);
	known.counter = 4;
	assert_int_equal(policy_accept(&known, pk, &back, &a), PERR_OK);
	known.links[0][0] ^= 1;                  /* another organisation's server */
	assert_int_equal(policy_accept(&known, pk, &back, &a), PERR_CHAIN);
	known.links[0][0] ^= 1;
	pk[0] ^= 1;
	assert_int_equal(policy_accept(&known, pk, &back, &a), PERR_CHAIN);
	doc_free(in, len);
}

/* ---- orders ------------------------------------------------------------------------------ */

static struct policy_order o, o_back;

static void make_order(enum policy_order_kind kind)
{
	memset(&o, 0, sizeof o);
	memset(o.server_pk, 0x31, 32);
	o.counter = 6;
	o.kind = kind;
	o.day = 20782;
	if (kind == POLICY_VOID) {
		o.n_ids = 2;
		memset(o.ids[0], 0x35, 32);
		memset(o.ids[1], 0x36, 32);
	}
}

static enum perr judged(const char *signers, uint32_t counter)
{
	struct sign_key k[8];
	const struct sign_key *at[8];
	struct doc_bytes chain;
	uint8_t pk[32], *in;
	size_t len;
	enum perr err;

	chain = kit_link(NULL, 2, "abc", "abc");
	assert_int_equal(admins_verify(&a, &chain, 1), PERR_OK);
	keys_of(k, at, signers);
	assert_int_equal(policy_order_sign(&in, &len, &o, at, strlen(signers)), PERR_OK);
	memset(pk, 0x31, 32);
	err = policy_order_open(&o_back, &a, pk, counter, in, len);
	doc_free(in, len);
	kit_free(&chain, 1);
	return err;
}

static void one_administrator_may_release_and_only_the_threshold_may_void(void **state)
{
	(void)state;
	make_order(POLICY_RELEASE);
	assert_int_equal(judged("b", 5), PERR_OK);
	assert_memory_equal(&o_back, &o, sizeof o);
	assert_int_equal(judged("", 5), PERR_SIGS);
	assert_int_equal(judged("x", 5), PERR_SIGS);
	make_order(POLICY_VOID);
	assert_int_equal(judged("b", 5), PERR_SIGS);
	assert_int_equal(judged("bc", 5), PERR_OK);
	assert_int_equal(o_back.n_ids, 2);
	make_order(POLICY_CLEAR_BOARD);
	assert_int_equal(judged("a", 5), PERR_SIGS);
	assert_int_equal(judged("ac", 5), PERR_OK);
}

static void an_order_collects_signatures_one_by_one(void **state)
{
	struct policy_order shown;
	struct sign_key k[8];
	const struct sign_key *at[8];
	uint8_t pk[32], *in, *more;
	size_t len, more_len;

	(void)state;
	memset(pk, 0x31, 32);
	make_order(POLICY_VOID);
	assert_int_equal(judged("a", 5), PERR_SIGS);            /* two of a, b, c are needed */
	assert_int_equal(policy_order_needs(&a, POLICY_VOID), 2);
	assert_int_equal(policy_order_needs(&a, POLICY_CLEAR_BOARD), 2);
	assert_int_equal(policy_order_needs(&a, POLICY_RELEASE), 1);
	keys_of(k, at, "ab");
	assert_int_equal(policy_order_sign(&in, &len, &o, at, 1), PERR_OK);
	/* the same hand twice is still one */
	assert_int_equal(policy_order_cosign(&more, &more_len, NULL, in, len, at[0]), PERR_OK);
	assert_int_equal(policy_order_open(&o_back, &a, pk, 5, more, more_len), PERR_SIGS);
	doc_free(more, more_len);
	assert_int_equal(policy_order_cosign(&more, &more_len, &shown, in, len, at[1]), PERR_OK);
	assert_memory_equal(&shown, &o, sizeof o);
	assert_int_equal(policy_order_open(&o_back, &a, pk, 5, more, more_len), PERR_OK);
	assert_memory_equal(&o_back, &o, sizeof o);
	doc_free(in, len);
	doc_free(more, more_len);
	/* what is no order is signed by nobody */
	assert_int_not_equal(policy_order_cosign(&more, &more_len, &shown, pk, 32, at[1]), PERR_OK);
	assert_null(more);
}

static void an_order_is_good_once_and_at_one_server(void **state)
{
	(void)state;
	make_order(POLICY_RELEASE);
	assert_int_equal(judged("a", 6), PERR_OLD);
	assert_int_equal(judged("a", 7), PERR_OLD);
	o.server_pk[0] ^= 1;
	assert_int_equal(judged("a", 5), PERR_CHAIN);
}

static enum perr open_order(const uint8_t *in, size_t len)
{
	return policy_order_decode(&o_back, in, len);
}

static void an_order_of_an_unknown_kind_is_told_apart(void **state)
{
	uint8_t *in;
	size_t len;

	(void)state;
	make_order(POLICY_VOID);
	assert_int_equal(policy_order_encode(&in, &len, &o), PERR_OK);
	kit_refuses_truncation(open_order, in, len);
	assert_int_equal(in[37], POLICY_VOID);
	in[37] = 4;
	assert_int_equal(open_order(in, len), PERR_UNKNOWN);
	doc_free(in, len);
	o.n_ids = 65;
	assert_int_equal(policy_order_encode(&in, &len, &o), PERR_RANGE);
}

/* ---- card -------------------------------------------------------------------------------- */

static void a_card_comes_back_and_notices_any_wrong_character(void **state)
{
	struct policy_card card = { "127.0.0.1:4433", { 1 }, { 2 } }, card_back;
	char text[POLICY_CARD_TEXT_MAX + 1];

	(void)state;
	assert_int_equal(policy_card_encode(text, &card), PERR_OK);
	assert_int_equal(policy_card_decode(&card_back, text), PERR_OK);
	assert_memory_equal(&card_back, &card, sizeof card);
	for (size_t i = 0; text[i] != '\0'; i++) {
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		assert_int_not_equal(policy_card_decode(&card_back, text), PERR_OK);
		assert_zero((const uint8_t *)&card_back, sizeof card_back);
		text[i] = was;
	}
	/* an invitation is no card */
	text[POLICY_CARD_TEXT_MAX] = '\0';
	assert_int_equal(policy_card_decode(&card_back, "amparo:AAAA"), PERR_UNKNOWN);
	strcpy(card.address, "123456789012345678901234567890123456.x:1");
	assert_int_equal(policy_card_encode(text, &card), PERR_OK);
}

static void vectors(void)
{
	struct sign_key k[2];
	const struct sign_key *at[2];
	struct doc_bytes chain[1];
	struct policy_card card = { .address = "intake.example.org:4433" };
	char text[POLICY_CARD_TEXT_MAX + 1];
	uint8_t *out;
	size_t len;

	vec_note("administrators: 2 of the Ed25519 seeds 32 x 61, 62, 63; server Noise key 32 x 31;");
	vec_note("scopes 1 (key 32 x 32, until day 21000) and 4 (32 x 33); tickets: H of the ticket");
	vec_note("\"0123456789abcdef\" and 15 random ones of rng_seeded(45); seed 32 x 34");
	make(chain);
	policy_ticket_hash(back.tickets[0], (const uint8_t *)"0123456789abcdef");
	vec("ticket_hash", back.tickets[0], 32);
	assert_int_equal(policy_encode(&out, &len, &p), PERR_OK);
	vec("policy", out, len);
	kit_corpus("policy", "policy", out, len);
	doc_free(out, len);
	kit_free(chain, 1);
	out = signed_policy(&len, "ab");
	vec("policy.signed", out, len);
	doc_free(out, len);
	vec_note("order 2 (void) of the ids 32 x 35 and 32 x 36, counter 6, signed by 61 and 62");
	make_order(POLICY_VOID);
	assert_int_equal(policy_order_encode(&out, &len, &o), PERR_OK);
	vec("order", out, len);
	kit_corpus("policy", "order", out, len);
	doc_free(out, len);
	keys_of(k, at, "ab");
	assert_int_equal(policy_order_sign(&out, &len, &o, at, 2), PERR_OK);
	vec("order.signed", out, len);
	doc_free(out, len);
	vec_note("card: Noise key 32 x 31, setup key 32 x 37");
	memset(card.server_pk, 0x31, 32);
	memset(card.setup_key, 0x37, 32);
	assert_int_equal(policy_card_encode(text, &card), PERR_OK);
	vec_text("card", text);
	kit_corpus("invite", "card", (uint8_t *)text, strlen(text));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_policy_signed_by_the_threshold_opens),
		cmocka_unit_test(too_few_or_foreign_signatures_are_refused),
		cmocka_unit_test(a_truncated_policy_is_refused),
		cmocka_unit_test(tickets_are_padded_to_a_power_of_two_and_sorted),
		cmocka_unit_test(values_that_could_destroy_the_unread_are_refused),
		cmocka_unit_test(the_counter_rises_and_the_server_is_the_right_one),
		cmocka_unit_test(one_administrator_may_release_and_only_the_threshold_may_void),
		cmocka_unit_test(an_order_collects_signatures_one_by_one),
		cmocka_unit_test(an_order_is_good_once_and_at_one_server),
		cmocka_unit_test(an_order_of_an_unknown_kind_is_told_apart),
		cmocka_unit_test(a_card_comes_back_and_notices_any_wrong_character),
	};

	if (kit_written(argc, argv, "policy"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
