/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What changes a server: policies' orders, the board, joins, the bulletin, releases; one at a
 * time, in the order in which they came.
 */
#include "host_kit.h"

/* ---- orders ------------------------------------------------------------------------------ */

static void host_refuses_replayed_and_forged_orders(void **state)
{
	struct peer p;
	struct rpc_msg m = { .method = RPC_RELEASE };
	uint8_t *bytes;
	uint32_t n;

	world_with_policy();
	peer_open(&p, RPC_STEWARD);
	org_order(&w.org, w.pk, 7, POLICY_RELEASE, DAY0, NULL, 1, &bytes, &m.bytes_len);
	m.bytes = bytes;
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.release, 0);        /* there was nothing to release */
	assert_int_equal(ask(&p, &m), RPC_STALE);
	m.method = RPC_BOARD_CLEAR;
	assert_int_equal(ask(&p, &m), RPC_STALE);
	m.method = RPC_RELEASE;
	bytes[m.bytes_len - 1] ^= 1;
	assert_int_not_equal(ask(&p, &m), RPC_OK);
	free(bytes);
	/* also after a restart */
	peer_close(&p);
	host_close(w.h);
	open_host();
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 7, NULL, 1, &n), RPC_STALE);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 8, NULL, 1, &n), RPC_OK);
	world_free();
}

/* ---- board ------------------------------------------------------------------------------- */

static uint8_t board_put(struct peer *p, uint32_t number, const uint8_t *ds_of_old)
{
	uint8_t cell[CELL_SIZE], ds[32];
	struct rpc_msg m = { .method = RPC_BOARD_PUT, .cell = cell, .ds = ds_of_old };

	make_cell(cell, ds, number);
	assert_int_equal(ask(p, &m), RPC_OK);
	return p->m.status;
}

static uint32_t board_count(struct peer *p)
{
	struct rpc_msg m = { .method = RPC_BOARD_GET };
	uint32_t n, i;

	assert_int_equal(ask(p, &m), RPC_OK);
	n = p->m.n;
	for (i = 0; i <= n; i++) {
		m.from = i;
		assert_int_equal(ask(p, &m), RPC_OK);
		assert_int_equal(p->m.cell != NULL, i < n);
	}
	return n;
}

static void host_changes_the_board_at_releases(void **state)
{
	struct peer p;
	uint8_t cell[CELL_SIZE], ds[32], before[32];
	uint32_t n;

	world_with_policy();
	peer_open(&p, RPC_COUNSEL);
	assert_int_equal(board_put(&p, 1, NULL), RPC_ACCEPTED);
	assert_int_equal(board_put(&p, 1, NULL), RPC_ALREADY);
	assert_int_equal(board_put(&p, 2, NULL), RPC_ACCEPTED);
	assert_int_equal(board_count(&p), 0);
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	memcpy(before, p.m.hello.board_digest, 32);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	assert_int_equal(board_count(&p), 2);
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_memory_not_equal(before, p.m.hello.board_digest, 32);
	make_cell(cell, ds, 1);
	assert_int_equal(board_put(&p, 3, ds), RPC_ACCEPTED);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 3, NULL, 1, &n), RPC_OK);
	assert_int_equal(board_count(&p), 2);
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 4, NULL, 1, &n), RPC_SIGNATURE);
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 4, NULL, 2, &n), RPC_OK);
	assert_int_equal(n, 2);
	assert_int_equal(board_count(&p), 0);
	peer_close(&p);
	world_free();
}

/* ---- joining ----------------------------------------------------------------------------- */

static uint8_t join_put(const uint8_t ticket[16], uint32_t number)
{
	uint8_t cell[CELL_SIZE], ds[32], status;
	struct rpc_msg m = { .method = RPC_JOIN_PUT, .cell = cell, .ticket = ticket };
	struct peer p;

	peer_open(&p, RPC_GUEST);
	make_cell(cell, ds, number);
	assert_int_equal(ask(&p, &m), RPC_OK);
	status = p.m.status;
	peer_close(&p);
	return status;
}

static uint32_t join_count(void)
{
	struct rpc_msg m = { .method = RPC_JOIN_LIST };
	struct peer p;
	uint32_t n;

	peer_open(&p, RPC_STEWARD);
	assert_int_equal(ask(&p, &m), RPC_OK);
	n = p.m.n;
	assert_int_equal(p.m.cell != NULL, n > 0);
	m.from = n;
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_null(p.m.cell);
	peer_close(&p);
	return n;
}

static void host_keeps_one_join_answer_per_open_ticket(void **state)
{
	static const uint8_t unknown[16] = { 9 };

	world_with_policy();
	assert_int_equal(join_put(unknown, 1), RPC_NOT_KNOWN);
	assert_int_equal(join_put(w.org.ticket[0], 1), RPC_STORED);
	assert_int_equal(join_put(w.org.ticket[0], 1), RPC_ALREADY);
	assert_int_equal(join_put(w.org.ticket[0], 2), RPC_NOT_KNOWN);
	assert_int_equal(join_put(w.org.ticket[1], 3), RPC_STORED);
	assert_int_equal(join_count(), 2);
	/* the second ticket is closed: its answer goes with it */
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 2, 0x1e, 1, 2), RPC_OK);
	assert_int_equal(join_count(), 1);
	assert_int_equal(join_put(w.org.ticket[1], 3), RPC_NOT_KNOWN);
	world_free();
}

/* ---- bulletin ---------------------------------------------------------------------------- */

static void upload_parts(struct peer *p, uint32_t version)
{
	uint8_t part[ORG_PART_LEN], name[32];
	int i;

	for (i = 0; i < 3; i++) {
		org_part(part, version, i, name);
		assert_int_equal(upload(p, name, part, sizeof part), RPC_OK);
	}
	org_part(part, version, 3, name);
	bulletin_part_name(name, part, 16 * BULLETIN_SLOT_SIZE);
	assert_int_equal(upload(p, name, part, 16 * BULLETIN_SLOT_SIZE), RPC_OK);
}

static enum rpc_error publish(struct peer *p, uint32_t version, const uint8_t previous[32],
                              const uint8_t current[32], unsigned signers, uint8_t hash[32])
{
	struct rpc_msg m = { .method = RPC_BULLETIN_COMMIT };
	uint8_t *bytes;
	size_t len;
	enum rpc_error err;

	org_header(&w.org, version, previous, signers, &bytes, &len, hash);
	err = upload(p, hash, bytes, len);
	free(bytes);
	if (err != RPC_OK)
		return err;
	memcpy(m.hash, hash, 32);
	memcpy(m.digest, current, 32);
	return ask(p, &m);
}

static size_t download(struct peer *p, const uint8_t hash[32], uint8_t *out, size_t size)
{
	struct rpc_msg m = { .method = RPC_BULLETIN_GET };
	size_t at = 0;

	memcpy(m.hash, hash, 32);
	do {
		m.offset = (uint32_t)at;
		if (ask(p, &m) != RPC_OK)
			return 0;
		assert_true(at + p->m.bytes_len <= size);
		memcpy(out + at, p->m.bytes, p->m.bytes_len);
		at += p->m.bytes_len;
	} while (p->m.bytes_len > 0 && at < p->m.total);
	return at;
}

static void host_switches_the_bulletin_when_all_of_it_is_there(void **state)
{
	static const uint8_t zeros[32];
	uint8_t part[ORG_PART_LEN], name[32], got[65536], h1[32], h2[32], other[32];
	struct peer p, guest;
	struct bulletin *b = malloc(sizeof *b);
	struct admins *who = malloc(sizeof *who);

	world_with_policy();
	peer_open(&p, RPC_STEWARD);
	assert_int_equal(publish(&p, 1, zeros, zeros, 1, h1), RPC_SIGNATURE);
	assert_int_equal(publish(&p, 1, zeros, zeros, 2, h1), RPC_UNKNOWN);     /* no part is there */
	upload_parts(&p, 1);
	assert_int_equal(publish(&p, 1, zeros, zeros, 2, h1), RPC_OK);
	assert_int_equal(p.m.status, RPC_STORED);

	peer_open(&guest, RPC_GUEST);
	assert_int_equal(simple(&guest, RPC_HELLO), RPC_OK);
	assert_int_equal(guest.m.hello.bulletin_version, 1);
	assert_memory_equal(guest.m.hello.header_hash, h1, 32);
	assert_int_equal(bulletin_open(b, who, other, got, download(&guest, h1, got, sizeof got)),
	                 PERR_OK);
	assert_memory_equal(other, h1, 32);
	org_part(part, 1, 0, name);
	assert_int_equal(download(&guest, name, got, sizeof got), ORG_PART_LEN);
	assert_memory_equal(got, part, ORG_PART_LEN);

	/* two administrators at once: the second is told that it builds on an old one */
	upload_parts(&p, 2);
	assert_int_equal(publish(&p, 2, h1, zeros, 2, h2), RPC_STALE);
	assert_int_equal(publish(&p, 2, h1, h1, 2, h2), RPC_OK);
	assert_int_equal(publish(&p, 2, h2, h2, 2, other), RPC_STALE);   /* not a higher version */
	/* the parts of the first are gone */
	assert_int_equal(download(&guest, name, got, sizeof got), 0);

	peer_close(&p);
	peer_close(&guest);
	host_close(w.h);
	open_host();
	peer_open(&guest, RPC_FIELD);
	assert_int_equal(simple(&guest, RPC_HELLO), RPC_OK);
	assert_int_equal(guest.m.hello.bulletin_version, 2);
	assert_memory_equal(guest.m.hello.header_hash, h2, 32);
	assert_true(download(&guest, h2, got, sizeof got) > 0);
	peer_close(&guest);
	free(b);
	free(who);
	world_free();
}

static void host_refuses_parts_that_are_not_what_they_are_called(void **state)
{
	uint8_t part[ORG_PART_LEN], name[32];
	struct rpc_msg m = { .method = RPC_BULLETIN_PART };
	struct peer p;

	world_with_policy();
	peer_open(&p, RPC_STEWARD);
	org_part(part, 1, 0, name);
	part[77] ^= 1;
	assert_int_equal(upload(&p, name, part, sizeof part), RPC_MALFORMED);
	part[77] ^= 1;
	assert_int_equal(upload(&p, name, part, sizeof part), RPC_OK);
	m.total = BULLETIN_PART_MAX + 1;
	m.bytes = part;
	m.bytes_len = 10;
	assert_int_equal(ask(&p, &m), RPC_LIMIT);
	peer_close(&p);
	world_free();
}

/* ---- time -------------------------------------------------------------------------------- */

static void host_releases_on_schedule_once(void **state)
{
	struct peer p, f;
	uint32_t i;

	world_with_policy();
	peer_open(&p, RPC_STEWARD);
	peer_open(&f, RPC_FIELD);
	(void)host_tick(w.h);
	for (i = 0; i < 3; i++) {
		assert_int_equal(commit_one(&f, i), RPC_STORED);
		/* within the hour nothing happens; jobs are done in order, so the answer to
		 * this commit would come after a release */
		w.unix_s += 60;
		(void)host_tick(w.h);
		assert_int_equal(commit_one(&f, i), RPC_ALREADY);
		assert_int_equal(simple(&p, RPC_STATUS), RPC_OK);
		assert_int_equal(p.m.st.cells_waiting, 1);
		w.unix_s += 3600;
		(void)host_tick(w.h);
		/* commits may overtake a release, a change of the board waits for it */
		assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 2 + i, NULL, 2, NULL),
		                 RPC_OK);
		assert_int_equal(simple(&p, RPC_STATUS), RPC_OK);
		assert_int_equal(p.m.st.cells_waiting, 0);
		assert_int_equal(p.m.st.segments, i + 1);
	}
	assert_true(host_tick(w.h) <= 10000);
	peer_close(&p);
	peer_close(&f);
	world_free();
}

/* an order that is on its way; its answer is not awaited */
static void give(struct peer *p, uint32_t counter)
{
	struct rpc_msg m = { .type = RPC_REQUEST, .method = RPC_BOARD_CLEAR };
	uint8_t *bytes;

	peer_open(p, RPC_STEWARD);
	org_order(&w.org, w.pk, counter, POLICY_CLEAR_BOARD, DAY0, NULL, 2, &bytes, &m.bytes_len);
	m.bytes = bytes;
	m.msgid = ++p->next_id;
	tell(p, &m);
	free(bytes);
}

#define WAITERS 17                       /* 16 that wait, one too many */

/* the writer holds the release of the hour; until it is collected nothing else can begin */
static void host_lets_changes_wait_their_turn_in_order(void **state)
{
	static struct peer p[WAITERS];
	unsigned i, n;

	world_with_policy();
	w.unix_s += 3600;
	(void)host_tick(w.h);
	w.unix_s += 3600;
	(void)host_tick(w.h);
	for (i = 0; i < WAITERS; i++) {
		give(&p[i], 2 + i);
		assert_int_equal(listen(&p[i], RPC_BOARD_CLEAR), i == 16);
	}
	assert_int_equal(p[16].m.error, RPC_LATER);
	/* who went away meanwhile was heard all the same */
	peer_close(&p[3]);
	for (n = 0; !listen(&p[15], RPC_BOARD_CLEAR); n++) {
		assert_true(n < 200);
		collect();
	}
	assert_int_equal(p[15].m.error, RPC_OK);
	for (i = 0; i < 15; i++)
		if (i != 3) {
			assert_true(listen(&p[i], RPC_BOARD_CLEAR));
			assert_int_equal(p[i].m.error, RPC_OK);
		}
	/* each took its number, in the order in which they came */
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 17, NULL, 2, NULL), RPC_STALE);
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 18, NULL, 2, NULL), RPC_OK);
	for (i = 0; i < WAITERS; i++)
		if (i != 3)
			peer_close(&p[i]);
	world_free();
}

/* else a member who never lets the line end would keep all cells from being released */
static void host_releases_before_those_who_wait(void **state)
{
	uint8_t cell[CELL_SIZE], ds[32];
	struct rpc_msg put = { .type = RPC_NOTIFY, .method = RPC_PUT, .cell = cell };
	struct rpc_msg commit = { .type = RPC_REQUEST, .method = RPC_COMMIT };
	struct peer f, p, waits;

	world_with_policy();
	peer_open(&f, RPC_FIELD);
	peer_open(&p, RPC_STEWARD);
	w.unix_s += 3600;
	(void)host_tick(w.h);
	w.unix_s += 3600;
	(void)host_tick(w.h);            /* the writer has a release, */
	give(&waits, 2);
	make_cell(cell, ds, 0);
	tell(&f, &put);
	commit.msgid = ++f.next_id;
	tell(&f, &commit);               /* behind it a cell, */
	w.unix_s += 3600;
	(void)host_tick(w.h);            /* and the next release is due */
	for (unsigned n = 0; !listen(&waits, RPC_BOARD_CLEAR); n++) {
		assert_true(n < 200);
		collect();
	}
	assert_int_equal(waits.m.error, RPC_OK);
	assert_int_equal(simple(&p, RPC_STATUS), RPC_OK);
	assert_int_equal(p.m.st.cells_waiting, 0);
	peer_close(&f);
	peer_close(&p);
	peer_close(&waits);
	world_free();
}

static void host_tells_changes_that_waited_long_to_come_again(void **state)
{
	struct peer p, q;

	world_with_policy();
	w.unix_s += 3600;
	(void)host_tick(w.h);
	w.unix_s += 3600;
	(void)host_tick(w.h);
	give(&p, 2);
	w.now_ms += 9999;
	(void)host_tick(w.h);
	assert_false(listen(&p, RPC_BOARD_CLEAR));
	w.now_ms += 1;
	(void)host_tick(w.h);
	assert_true(listen(&p, RPC_BOARD_CLEAR));
	assert_int_equal(p.m.error, RPC_LATER);
	/* its number is not used up */
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 2, NULL, 2, NULL), RPC_OK);
	/* the server stops while one waits: it is not carried out */
	w.unix_s += 3600;
	(void)host_tick(w.h);
	give(&q, 3);
	peer_close(&p);
	peer_close(&q);
	host_close(w.h);
	open_host();
	assert_int_equal(order(RPC_BOARD_CLEAR, POLICY_CLEAR_BOARD, 3, NULL, 2, NULL), RPC_OK);
	world_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_refuses_replayed_and_forged_orders),
		cmocka_unit_test(host_changes_the_board_at_releases),
		cmocka_unit_test(host_keeps_one_join_answer_per_open_ticket),
		cmocka_unit_test(host_switches_the_bulletin_when_all_of_it_is_there),
		cmocka_unit_test(host_refuses_parts_that_are_not_what_they_are_called),
		cmocka_unit_test(host_releases_on_schedule_once),
		cmocka_unit_test(host_lets_changes_wait_their_turn_in_order),
		cmocka_unit_test(host_releases_before_those_who_wait),
		cmocka_unit_test(host_tells_changes_that_waited_long_to_come_again),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
