/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What may change a server (orders.h, access.h). */
#include "orders.h"

#include "org.h"

static const uint8_t server_pk[32] = { 5, 5, 5 };
static struct org org, stranger;
static struct slab *slab;       /* for the access of every test */

static int setup(void **state)
{
	enum perr err = slab_new(&slab, 8 * access_room(), 1, 1);

	org_init(&org, 1);
	org_init(&stranger, 2);
	return err == PERR_OK || err == PERR_LIMIT ? 0 : -1;
}

static int teardown(void **state)
{
	org_free(&org);
	org_free(&stranger);
	slab_free(slab);
	return 0;
}

/* ---- pieces ------------------------------------------------------------------------------ */

static void orders_put_pieces_together(void **state)
{
	struct orders_staging s = { 0 };
	uint8_t name[32] = { 1 }, other[32] = { 2 }, doc[9000], *got;
	uint32_t have, at, n;
	size_t len;

	for (at = 0; at < sizeof doc; at++)
		doc[at] = (uint8_t)(at * 5);
	for (at = 0; at < sizeof doc; at = have) {
		n = sizeof doc - at < 4000 ? sizeof doc - at : 4000;
		assert_false(orders_complete(&s));
		/* a gap moves nothing and says where to go on */
		if (at + 1 + n <= sizeof doc) {
			assert_int_equal(orders_piece(&s, name, sizeof doc, at + 1, doc, n, &have),
			                 PERR_OK);
			assert_int_equal(have, at);
		}
		assert_int_equal(orders_piece(&s, name, sizeof doc, at, doc + at, n, &have),
		                 PERR_OK);
		assert_int_equal(have, at + n);
		/* the same once more */
		assert_int_equal(orders_piece(&s, name, sizeof doc, at, doc + at, n, &have),
		                 PERR_OK);
		assert_int_equal(have, at + n);
	}
	assert_true(orders_complete(&s));
	got = orders_take(&s, &len);
	assert_int_equal(len, sizeof doc);
	assert_memory_equal(got, doc, len);
	free(got);
	assert_false(orders_complete(&s));

	/* another name at offset 0 begins anew, elsewhere it is told to */
	assert_int_equal(orders_piece(&s, name, 100, 0, doc, 50, &have), PERR_OK);
	assert_int_equal(orders_piece(&s, other, 100, 50, doc, 50, &have), PERR_OK);
	assert_int_equal(have, 0);
	assert_int_equal(orders_piece(&s, other, 100, 0, doc, 10, &have), PERR_OK);
	assert_int_equal(have, 10);
	assert_int_equal(orders_piece(&s, name, 100, 50, doc, 50, &have), PERR_OK);
	assert_int_equal(have, 0);
	orders_clear(&s);
}

static void orders_refuse_pieces_out_of_bounds(void **state)
{
	struct orders_staging s = { 0 };
	uint8_t name[32] = { 1 }, doc[4000] = { 0 };
	uint32_t have;

	assert_int_equal(orders_piece(&s, name, 0, 0, doc, 0, &have), PERR_RANGE);
	assert_int_equal(orders_piece(&s, name, ORDERS_TOTAL_MAX + 1, 0, doc, 10, &have),
	                 PERR_RANGE);
	assert_int_equal(orders_piece(&s, name, UINT32_MAX, UINT32_MAX, doc, 10, &have),
	                 PERR_RANGE);
	assert_int_equal(orders_piece(&s, name, 100, 0, doc, 101, &have), PERR_RANGE);
	assert_int_equal(orders_piece(&s, name, 100, 100, doc, 1, &have), PERR_RANGE);
	assert_int_equal(orders_piece(&s, name, 100, 4294967290u, doc, 100, &have), PERR_RANGE);
	assert_null(s.bytes);
	orders_clear(&s);
}

/* ---- policies ---------------------------------------------------------------------------- */

static enum perr judge_policy(const struct access *a, const struct org *o, uint32_t counter,
                              unsigned signers, const uint8_t pk[32])
{
	struct policy *p = malloc(sizeof *p);
	uint8_t *bytes;
	size_t len;
	enum perr err;

	org_policy(o, pk, counter, 0x1e, 1, signers, &bytes, &len);
	err = orders_policy(p, a, server_pk, bytes, len);
	doc_free(bytes, len);
	free(p);
	return err;
}

static void put_in_force(struct access *a, uint32_t counter, unsigned scopes)
{
	uint8_t *bytes;
	size_t len;

	org_policy(&org, server_pk, counter, scopes, 1, 2, &bytes, &len);
	assert_int_equal(access_set_policy(a, bytes, len), PERR_OK);
	doc_free(bytes, len);
}

static void orders_judge_policies(void **state)
{
	static const uint8_t elsewhere[32] = { 6 };
	struct access *a;

	assert_int_equal(access_new(&a, server_pk, slab), PERR_OK);
	/* the first one: whoever comes with the setup key and signs consistently */
	assert_int_equal(judge_policy(a, &org, 1, 2, server_pk), PERR_OK);
	assert_int_equal(judge_policy(a, &org, 1, 1, server_pk), PERR_SIGS);
	assert_int_equal(judge_policy(a, &org, 1, 2, elsewhere), PERR_CHAIN);
	put_in_force(a, 5, 0x1e);
	assert_int_equal(judge_policy(a, &org, 5, 2, server_pk), PERR_OLD);
	assert_int_equal(judge_policy(a, &org, 4, 3, server_pk), PERR_OLD);
	assert_int_equal(judge_policy(a, &org, 6, 2, server_pk), PERR_OK);
	assert_int_equal(judge_policy(a, &stranger, 6, 3, server_pk), PERR_CHAIN);
	/* an order uses up counters as well */
	access_set_counter(a, 9);
	assert_int_equal(judge_policy(a, &org, 9, 2, server_pk), PERR_OLD);
	assert_int_equal(judge_policy(a, &org, 10, 2, server_pk), PERR_OK);
	/* and loading the policy again does not lower it */
	put_in_force(a, 6, 0x1e);
	assert_int_equal(access_known(a)->counter, 9);
	access_free(a);
}

static void orders_policy_refuses_any_flipped_bit(void **state)
{
	struct access *a;
	struct policy *p = malloc(sizeof *p);
	uint8_t *bytes;
	size_t len, i;
	unsigned n = 0;

	assert_int_equal(access_new(&a, server_pk, slab), PERR_OK);
	org_policy(&org, server_pk, 1, 0x1e, 1, 2, &bytes, &len);
	for (i = 0; i < len; i += i < 200 ? 1 : 13) {
		bytes[i] ^= (uint8_t)(1u << (i % 8));
		assert_int_not_equal(orders_policy(p, a, server_pk, bytes, len), PERR_OK);
		bytes[i] ^= (uint8_t)(1u << (i % 8));
		n++;
	}
	for (i = 0; i < len; i += 7)
		assert_int_not_equal(orders_policy(p, a, server_pk, bytes, i), PERR_OK);
	assert_int_equal(orders_policy(p, a, server_pk, bytes, len), PERR_OK);
	printf("figure: flipped policies: %u; accepted: 0\n", n);
	doc_free(bytes, len);
	free(p);
	access_free(a);
}

/* ---- access ------------------------------------------------------------------------------ */

static void access_admits_the_setup_key_until_the_policy(void **state)
{
	struct access *a;
	const uint8_t (*keys)[32];
	uint8_t setup[32], derived[32];
	uint32_t serial, kept[5] = { 0 };
	size_t n, i;

	memset(setup, 0x77, sizeof setup);
	assert_int_equal(access_new(&a, server_pk, slab), PERR_OK);
	assert_int_equal(access_keys(a, 1, &keys), 0);
	access_set_setup(a, setup);
	assert_int_equal(access_keys(a, 1, &keys), 1);
	assert_memory_equal(keys[0], setup, 32);
	assert_int_equal(access_scope(a, 0, &serial), RPC_SETUP);
	assert_true(access_still(a, serial, 1));

	put_in_force(a, 1, 0x1e);
	assert_false(access_still(a, serial, 1));
	access_set_setup(a, setup);              /* never again */
	n = access_keys(a, 1, &keys);
	assert_int_equal(n, 4);
	for (i = 0; i < n; i++) {
		enum rpc_scope scope = access_scope(a, i, &kept[i]);

		assert_int_equal(scope, i + 1);
		channel_access(derived, org.access[scope], server_pk);
		assert_memory_equal(keys[i], derived, 32);
	}
	/* connections under keys that stay go on; others end */
	put_in_force(a, 2, 0x1e & ~(1u << RPC_FIELD));
	assert_true(access_still(a, kept[0], 1));
	assert_false(access_still(a, kept[1], 1));
	assert_true(access_still(a, kept[2], 1));
	assert_int_equal(access_keys(a, 1, &keys), 3);
	access_free(a);
	access_free(NULL);
}

static void access_retires_a_key_after_its_last_day(void **state)
{
	struct policy *p = malloc(sizeof *p);
	const struct sign_key *keys[2] = { &org.admin[0], &org.admin[1] };
	struct access *a;
	const uint8_t (*now)[32];
	uint8_t *bytes;
	uint32_t serial;
	size_t len;

	policy_default(p);
	memcpy(p->server_pk, server_pk, 32);
	p->counter = 1;
	p->n_chain = 1;
	p->chain[0] = doc_bytes_of(org.link, org.link_len);
	p->n_access = 2;
	p->access[0].scope = p->access[1].scope = RPC_GUEST;
	memset(p->access[0].derived, 1, 32);
	memset(p->access[1].derived, 2, 32);
	p->access[0].last_day = 100;
	assert_int_equal(policy_pad_tickets(p, rng_system()), PERR_OK);
	assert_int_equal(policy_sign(&bytes, &len, p, keys, 2), PERR_OK);
	assert_int_equal(access_new(&a, server_pk, slab), PERR_OK);
	assert_int_equal(access_set_policy(a, bytes, len), PERR_OK);
	assert_int_equal(access_keys(a, 100, &now), 2);
	(void)access_scope(a, 0, &serial);
	assert_true(access_still(a, serial, 100));
	assert_int_equal(access_keys(a, 101, &now), 1);
	assert_int_equal(now[0][0], 2);
	assert_false(access_still(a, serial, 101));
	doc_free(bytes, len);
	free(p);
	access_free(a);
}

/* ---- orders ------------------------------------------------------------------------------ */

static enum perr judge_order(const struct access *a, const struct org *o, uint32_t counter,
                             enum policy_order_kind kind, enum policy_order_kind as,
                             unsigned signers, const uint8_t pk[32])
{
	struct policy_order order;
	uint8_t *bytes;
	size_t len;
	enum perr err;

	org_order(o, pk, counter, kind, 20000, NULL, signers, &bytes, &len);
	err = orders_order(&order, a, server_pk, as, bytes, len);
	doc_free(bytes, len);
	return err;
}

static void orders_judge_orders(void **state)
{
	static const uint8_t elsewhere[32] = { 6 };
	struct access *a;

	assert_int_equal(access_new(&a, server_pk, slab), PERR_OK);
	assert_int_equal(judge_order(a, &org, 1, POLICY_RELEASE, POLICY_RELEASE, 3, server_pk),
	                 PERR_SIGS);             /* no policy, nobody to obey */
	put_in_force(a, 5, 0x1e);
	assert_int_equal(judge_order(a, &org, 6, POLICY_RELEASE, POLICY_RELEASE, 1, server_pk),
	                 PERR_OK);               /* one administrator is enough */
	assert_int_equal(judge_order(a, &org, 6, POLICY_VOID, POLICY_VOID, 1, server_pk),
	                 PERR_SIGS);
	assert_int_equal(judge_order(a, &org, 6, POLICY_VOID, POLICY_VOID, 2, server_pk), PERR_OK);
	assert_int_equal(judge_order(a, &org, 6, POLICY_CLEAR_BOARD, POLICY_CLEAR_BOARD, 1,
	                             server_pk), PERR_SIGS);
	/* an order of one kind is no order of another */
	assert_int_equal(judge_order(a, &org, 6, POLICY_RELEASE, POLICY_CLEAR_BOARD, 3, server_pk),
	                 PERR_UNKNOWN);
	assert_int_equal(judge_order(a, &org, 5, POLICY_RELEASE, POLICY_RELEASE, 3, server_pk),
	                 PERR_OLD);
	assert_int_equal(judge_order(a, &org, 6, POLICY_RELEASE, POLICY_RELEASE, 3, elsewhere),
	                 PERR_CHAIN);
	assert_int_equal(judge_order(a, &stranger, 6, POLICY_RELEASE, POLICY_RELEASE, 3, server_pk),
	                 PERR_SIGS);
	access_free(a);
}

/* ---- bulletins --------------------------------------------------------------------------- */

static enum perr judge_bulletin(const struct access *a, const struct org *o, uint32_t version,
                                unsigned signers, struct bulletin_known *known, bool take)
{
	static const uint8_t zeros[32];
	struct bulletin *b = malloc(sizeof *b);
	struct admins *who = malloc(sizeof *who);
	uint8_t *bytes, hash[32], named[32], parts[4 + BULLETIN_FORMS_MAX][32];
	size_t len;
	enum perr err;

	org_header(o, version, version == 1 ? zeros : known->hash, signers, &bytes, &len, named);
	err = orders_bulletin(b, who, hash, a, known, bytes, len);
	if (err == PERR_OK) {
		assert_memory_equal(hash, named, 32);
		assert_int_equal(orders_parts(parts, b), 4);
		assert_true(doc_is_rising((const uint8_t (*)[32])parts, 4));
		if (take)
			bulletin_known_set(known, b, who, hash);
	}
	doc_free(bytes, len);
	free(b);
	free(who);
	return err;
}

static void orders_judge_bulletins(void **state)
{
	struct bulletin_known known;
	struct access *a;

	memset(&known, 0, sizeof known);
	assert_int_equal(access_new(&a, server_pk, slab), PERR_OK);
	assert_int_equal(judge_bulletin(a, &org, 1, 2, &known, false), PERR_STATE);
	put_in_force(a, 1, 0x1e);
	assert_int_equal(judge_bulletin(a, &org, 1, 1, &known, false), PERR_SIGS);
	assert_int_equal(judge_bulletin(a, &stranger, 1, 3, &known, false), PERR_CHAIN);
	assert_int_equal(judge_bulletin(a, &org, 1, 2, &known, true), PERR_OK);
	assert_int_equal(judge_bulletin(a, &org, 1, 2, &known, false), PERR_OLD);
	/* a server that missed some versions catches up */
	assert_int_equal(judge_bulletin(a, &org, 7, 2, &known, true), PERR_OK);
	assert_int_equal(judge_bulletin(a, &org, 6, 2, &known, false), PERR_OLD);
	access_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_put_pieces_together),
		cmocka_unit_test(orders_refuse_pieces_out_of_bounds),
		cmocka_unit_test(orders_judge_policies),
		cmocka_unit_test(orders_policy_refuses_any_flipped_bit),
		cmocka_unit_test(access_admits_the_setup_key_until_the_policy),
		cmocka_unit_test(access_retires_a_key_after_its_last_day),
		cmocka_unit_test(orders_judge_orders),
		cmocka_unit_test(orders_judge_bulletins),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, setup, teardown);
}
