/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The server without its sockets: sessions, host, writer and a real store in a temporary
 * folder; a clock made here; what is offloaded runs at once.  All requests of PROTOCOL
 * section 6 go through it, by all scopes that may.
 */
#include "host_kit.h"

/* ---- founding ---------------------------------------------------------------------------- */

static void host_admits_the_setup_key_once(void **state)
{
	struct peer p, q;

	world_new();
	assert_false(peer_new(&q, w.org.access[RPC_STEWARD]));
	peer_close(&q);
	assert_true(peer_new(&p, w.setup));
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_int_equal(p.m.hello.policy_version, 0);
	assert_int_equal(p.m.hello.day, DAY0);
	assert_int_equal(simple(&p, RPC_STATUS), RPC_SCOPE);
	/* one signature of two is not enough, and does not use the key up */
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 1, 1), RPC_SIGNATURE);
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 1, 2), RPC_OK);
	/* the connection under the old key gets a goodbye, a new one silence */
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_true(p.bye);
	peer_close(&p);
	assert_false(peer_new(&q, w.setup));
	peer_close(&q);
	/* also after a restart */
	host_close(w.h);
	open_host();
	assert_false(peer_new(&q, w.setup));
	peer_close(&q);
	peer_open(&p, RPC_STEWARD);
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_int_equal(p.m.hello.policy_version, 1);
	assert_int_equal(p.m.hello.counter, 1);
	peer_close(&p);
	world_free();
}

static void host_follows_policies_with_rising_counters_only(void **state)
{
	struct peer field;

	world_with_policy();
	peer_open(&field, RPC_FIELD);
	assert_int_equal(commit_one(&field, 1), RPC_STORED);
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 1, 0x1e, 1, 2), RPC_STALE);
	/* the field's key goes: its connections end, others go on */
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 2, 0x1a, 1, 2), RPC_OK);
	assert_int_equal(simple(&field, RPC_HELLO), RPC_OK);
	assert_true(field.bye);
	peer_close(&field);
	assert_false(peer_new(&field, w.org.access[RPC_FIELD]));
	peer_close(&field);
	peer_open(&field, RPC_COUNSEL);
	peer_close(&field);
	world_free();
}

/* ---- cells ------------------------------------------------------------------------------- */

static void host_serves_cells_after_a_release_and_not_before(void **state)
{
	struct peer p;
	struct rpc_msg m;
	uint8_t cell[CELL_SIZE], ds[32], positions[8] = { 0, 0, 0, 2, 0, 0, 0, 0 };
	uint32_t i, n;

	world_with_policy();
	peer_open(&p, RPC_COUNSEL);
	for (i = 0; i < 3; i++)
		assert_int_equal(commit_one(&p, i), RPC_STORED);
	assert_int_equal(commit_one(&p, 1), RPC_ALREADY);
	m = (struct rpc_msg){ .method = RPC_SEGMENTS, .n = 64 };
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.n, 0);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	assert_int_equal(n, 3);
	assert_int_equal(simple(&p, RPC_HELLO), RPC_OK);
	assert_true(p.m.hello.has_newest);
	assert_int_equal(p.m.hello.newest_day, DAY0);
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.n, 1);
	assert_int_equal(p.m.segments[0].count, 3);
	m = (struct rpc_msg){ .method = RPC_PULL, .day = DAY0,
	                      .release = p.m.segments[0].release, .n = 64 };
	n = m.release;
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.n_cells, 3);
	assert_int_equal(p.m.n, 3);
	for (i = 0; i < 3; i++) {
		unsigned k, found = 0;

		make_cell(cell, ds, i);
		for (k = 0; k < 3; k++)
			found += memcmp(p.cells[k], cell, CELL_SIZE) == 0;
		assert_int_equal(found, 1);
	}
	memcpy(cell, p.cells[2], CELL_SIZE);
	m = (struct rpc_msg){ .method = RPC_FETCH, .day = DAY0, .release = n, .bytes = positions,
	                      .bytes_len = 8 };
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.n_cells, 2);
	assert_memory_equal(p.cells[0], cell, CELL_SIZE);
	positions[3] = 3;                        /* beyond the end */
	assert_int_equal(ask(&p, &m), RPC_UNKNOWN);
	m = (struct rpc_msg){ .method = RPC_PEEK, .day = DAY0, .release = n, .from = 2 };
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.bytes_len, 64);
	assert_memory_equal(p.m.bytes, cell, 64);
	m.release++;
	assert_int_equal(ask(&p, &m), RPC_UNKNOWN);
	m = (struct rpc_msg){ .method = RPC_PULL, .day = DAY0, .release = n, .from = 3, .n = 1 };
	assert_int_equal(ask(&p, &m), RPC_OK);
	assert_int_equal(p.m.n, 0);
	assert_int_equal(commit_one(&p, 2), RPC_ALREADY);
	peer_close(&p);
	world_free();
}

static uint8_t erase(struct peer *p, uint32_t number, bool right)
{
	uint8_t cell[CELL_SIZE], list[64];
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_ERASE, .bytes = list,
	                     .bytes_len = 64 };

	make_cell(cell, list + 32, number);
	cell_id(list, cell);
	list[32] ^= !right;
	tell(p, &m);
	assert_int_equal(simple(p, RPC_COMMIT), RPC_OK);
	assert_int_equal(p->m.bytes_len, 1);
	return p->m.bytes[0];
}

static void host_erases_after_the_delay_unless_it_is_voided(void **state)
{
	struct peer p, steward;
	uint8_t cell[CELL_SIZE], ds[32], id[32];
	uint32_t n, i;

	world_with_policy();
	peer_open(&p, RPC_COUNSEL);
	for (i = 0; i < 3; i++)
		(void)commit_one(&p, i);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	assert_int_equal(erase(&p, 0, false), RPC_NOT_KNOWN);
	assert_int_equal(erase(&p, 99, true), RPC_NOT_KNOWN);
	assert_int_equal(erase(&p, 0, true), RPC_ACCEPTED);
	assert_int_equal(erase(&p, 0, true), RPC_ALREADY);
	assert_int_equal(erase(&p, 1, true), RPC_ACCEPTED);
	make_cell(cell, ds, 1);
	cell_id(id, cell);
	peer_open(&steward, RPC_STEWARD);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.erasures, 2);
	assert_int_equal(steward.m.st.erase_day, DAY0 + 3);
	assert_int_equal(order(RPC_ERASE_VOID, POLICY_VOID, 3, id, 1, &n), RPC_SIGNATURE);
	assert_int_equal(order(RPC_ERASE_VOID, POLICY_VOID, 3, id, 2, &n), RPC_OK);
	assert_int_equal(n, 1);
	/* a day later nothing is gone; after 48 hours the one that was not voided */
	w.unix_s += 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 4, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 0), RPC_ALREADY);
	w.unix_s += 2 * 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 5, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 0), RPC_ERASED);
	assert_int_equal(commit_one(&p, 1), RPC_ALREADY);
	/* what was erased is not told from what was never there by those who do not know it;
	 * it was "already" for whoever asks again */
	assert_int_equal(erase(&p, 0, true), RPC_ALREADY);
	/* too late to void; and what was voided can be asked again, and rests again */
	make_cell(cell, ds, 0);
	cell_id(id, cell);
	assert_int_equal(order(RPC_ERASE_VOID, POLICY_VOID, 6, id, 2, &n), RPC_OK);
	assert_int_equal(n, 0);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.erasures, 0);
	assert_int_equal(steward.m.st.erase_day, 0);
	assert_int_equal(erase(&p, 1, true), RPC_ACCEPTED);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.erase_day, DAY0 + 6);
	w.unix_s += 2 * 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 7, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 1), RPC_ALREADY);
	w.unix_s += 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 8, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 1), RPC_ERASED);
	peer_close(&steward);
	peer_close(&p);
	world_free();
}

/* ---- limits ------------------------------------------------------------------------------ */

/* put one cell and ask for the commit; the answer is not waited for */
static void begin_commit(struct peer *p, uint32_t number, unsigned cells)
{
	uint8_t cell[CELL_SIZE], ds[32];
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_PUT, .cell = cell };
	unsigned i;

	for (i = 0; i < cells; i++) {
		make_cell(cell, ds, number + i);
		tell(p, &m);
	}
	m = (struct rpc_msg){ .type = RPC_REQUEST, .method = RPC_COMMIT, .msgid = ++p->next_id };
	tell(p, &m);
}

/*
 * One turn of the slow line, which gives so many commits to the writer: which of n peers have
 * their answer afterwards.  Nothing else can answer before the next turn.
 */
static void one_turn(struct peer *p, size_t n, bool *answered, unsigned expected)
{
	size_t i;

	(void)host_tick(w.h);
	while (expected > 0) {
		collect();
		for (i = 0; i < n; i++) {
			if (!listen(&p[i], RPC_COMMIT))
				continue;
			assert_true(expected-- > 0);
			answered[i] = true;
		}
	}
}

#define FLOOD 20
static void host_gives_every_source_its_turn_when_a_scope_is_slowed(void **state)
{
	static struct peer p[FLOOD + 2];
	bool answered[FLOOD + 2] = { false };
	struct peer steward;
	unsigned i, n;

	world_new();
	w.org.alert_cells_per_hour = 1;
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 2, 2), RPC_OK);
	for (i = 0; i < FLOOD + 2; i++) {
		peer_open(&p[i], RPC_FIELD);
		session_set_source(p[i].s, i < FLOOD ? 7 : 8 + i);
	}
	(void)host_tick(w.h);
	assert_int_equal(commit_one(&p[0], 1000), RPC_STORED);  /* the hour's allowance */
	assert_null(strstr(w.logged, "is slowed down"));
	/* one member with many connections, all before the two who have one each */
	for (i = 0; i < FLOOD + 2; i++)
		begin_commit(&p[i], i * 10, i < FLOOD ? 3 : 1);
	one_turn(p, FLOOD + 2, answered, 3);
	assert_true(answered[FLOOD] && answered[FLOOD + 1]);
	for (i = n = 0; i < FLOOD; i++)
		n += answered[i];
	assert_int_equal(n, 1);
	/* nobody is refused, and the flood has its turns */
	for (i = 1; i < FLOOD; i++)
		one_turn(p, FLOOD, answered, 1);
	for (i = 0; i < FLOOD; i++) {
		assert_true(answered[i]);
		assert_int_equal(p[i].m.bytes[0], RPC_STORED);
	}
	assert_non_null(strstr(w.logged, "it is slowed down, nothing is refused"));
	peer_open(&steward, RPC_STEWARD);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.alerts, 1);
	assert_int_equal(steward.m.st.refused, 0);
	assert_false(steward.m.st.full);
	/* all from one address, as behind an onion service: who sent the least goes first */
	memset(answered, 0, sizeof answered);
	for (i = 0; i < FLOOD + 1; i++) {
		session_set_source(p[i].s, 0);
		begin_commit(&p[i], 5000 + i * 10, 1);
	}
	one_turn(p, FLOOD + 1, answered, 1);
	assert_true(answered[FLOOD]);
	for (i = 0; i < FLOOD; i++)
		assert_false(answered[i]);
	peer_close(&steward);
	for (i = 0; i < FLOOD + 2; i++)
		peer_close(&p[i]);
	world_free();
}

/* a commit of the disk, held back */
static _Atomic int hold_in;
static sem_t held, go;

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
	if (atomic_load(&hold_in) > 0 && atomic_fetch_sub(&hold_in, 1) == 1) {
		sem_post(&held);
		sem_wait(&go);
	}
	return __real_mdb_txn_commit(txn);
}

static void begin_erasures(struct peer *p, unsigned n)
{
	uint8_t list[64 * 64];
	struct rpc_msg m = { .type = RPC_NOTIFY, .method = RPC_ERASE, .bytes = list };
	unsigned k;

	randombytes_buf(list, sizeof list);
	for (; n > 0; n -= k) {
		k = n < 64 ? n : 64;
		m.bytes_len = (size_t)k * 64;
		tell(p, &m);
	}
	m = (struct rpc_msg){ .type = RPC_REQUEST, .method = RPC_COMMIT, .msgid = ++p->next_id };
	tell(p, &m);
}

/* Erasures wait for the release that is being written; were they counted with the cells, so
 * would everybody's. */
static void host_stores_cells_while_a_release_writes_and_erasures_wait(void **state)
{
	static struct peer p[4];
	struct peer f;
	unsigned i;

	world_with_policy();
	peer_open(&f, RPC_FIELD);
	(void)host_tick(w.h);
	assert_int_equal(commit_one(&f, 1), RPC_STORED);
	for (i = 0; i < 4; i++)
		peer_open(&p[i], RPC_COUNSEL);
	atomic_store(&hold_in, 2);               /* the fresh pool's, then the segment's */
	w.unix_s += 3600;
	(void)host_tick(w.h);
	assert_int_equal(sem_wait(&held), 0);
	/* more than a share can ever be */
	for (i = 0; i < 4; i++) {
		begin_erasures(&p[i], 3000);
		begin_erasures(&p[i], 3000);
	}
	begin_commit(&f, 100, 3);
	while (!listen(&f, RPC_COMMIT))
		collect();
	assert_int_equal(f.m.bytes_len, 3);
	assert_int_equal(f.m.bytes[0], RPC_STORED);
	for (i = 0; i < 4; i++)
		assert_false(listen(&p[i], RPC_COMMIT));
	sem_post(&go);
	for (i = 0; i < 4; i++) {
		while (!listen(&p[i], RPC_COMMIT))
			collect();
		assert_int_equal(p[i].m.bytes[0], RPC_NOT_KNOWN);
		peer_close(&p[i]);
	}
	peer_close(&f);
	world_free();
}

static void host_counts_what_a_full_disk_refuses(void **state)
{
	struct peer p, steward;
	uint32_t n;

	world_with_policy();
	peer_open(&p, RPC_COUNSEL);
	assert_int_equal(commit_one(&p, 0), RPC_STORED);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	w.org.reserve_mib = 1u << 30;
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 3, 0x1e, 2, 2), RPC_OK);
	assert_int_equal(commit_one(&p, 1), RPC_DISK_FULL);
	assert_int_equal(commit_one(&p, 2), RPC_DISK_FULL);
	assert_int_equal(erase(&p, 0, true), RPC_ACCEPTED);
	peer_open(&steward, RPC_STEWARD);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_int_equal(steward.m.st.refused_full, 2);
	assert_int_equal(steward.m.st.reserve_mib, 1u << 30);
	assert_true(steward.m.st.full);
	w.unix_s += 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 4, NULL, 1, &n), RPC_OK);
	w.unix_s += 2 * 86400;
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 5, NULL, 1, &n), RPC_OK);
	assert_int_equal(commit_one(&p, 0), RPC_ERASED);
	w.org.reserve_mib = 1;
	assert_int_equal(put_policy(w.org.access[RPC_STEWARD], 6, 0x1e, 2, 2), RPC_OK);
	assert_int_equal(commit_one(&p, 1), RPC_STORED);
	assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
	assert_false(steward.m.st.full);
	peer_close(&steward);
	peer_close(&p);
	world_free();
}

static void host_settles_when_the_policy_says(void **state)
{
	struct peer p, steward;
	uint32_t n, i;

	world_new();
	w.org.settle_days = 4;
	assert_int_equal(put_policy(w.setup, 1, 0x1e, 2, 2), RPC_OK);
	peer_open(&p, RPC_FIELD);
	peer_open(&steward, RPC_STEWARD);
	for (i = 0; i < 2; i++) {
		assert_int_equal(commit_one(&p, i), RPC_STORED);
		assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2 + i, NULL, 1, &n), RPC_OK);
	}
	/* in steps the clock may take */
	for (i = 0; i < 5; i++) {
		w.unix_s += 86400;
		assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 4 + i, NULL, 1, &n), RPC_OK);
		assert_int_equal(simple(&steward, RPC_STATUS), RPC_OK);
		assert_int_equal(steward.m.st.segments, i < 4 ? 2 : 1);
	}
	peer_close(&steward);
	peer_close(&p);
	world_free();
}

/* ---- what is not kept -------------------------------------------------------------------- */

static void host_gives_no_buffer_on_with_a_cell_in_it(void **state)
{
	struct session_host *sh;
	uint8_t *cell, *again;

	world_new();
	sh = host_sessions(w.h);
	cell = sh->cell_take(sh->ctx, 0);
	assert_non_null(cell);
	memset(cell, 0xc5, STORE_CELL);
	sh->cell_give(sh->ctx, cell);
	/* the same one; its first bytes linked it to others meanwhile */
	again = sh->cell_take(sh->ctx, 0);
	assert_ptr_equal(again, cell);
	assert_true(sodium_is_zero(again + sizeof(void *), STORE_CELL - sizeof(void *)));
	sh->cell_give(sh->ctx, again);
	world_free();
}

static void host_logs_neither_ids_nor_addresses(void **state)
{
	struct peer p;
	uint32_t n;

	world_with_policy();
	peer_open(&p, RPC_FIELD);
	(void)commit_one(&p, 1);
	assert_int_equal(order(RPC_RELEASE, POLICY_RELEASE, 2, NULL, 1, &n), RPC_OK);
	peer_close(&p);
	host_close(w.h);
	/* no run of 16 hex digits, no dotted quad */
	for (n = 0; w.logged[n] != '\0'; n++)
		assert_true(strspn(w.logged + n, "0123456789abcdef") < 16);
	assert_non_null(strstr(w.logged, "released 1 cells"));
	open_host();
	world_free();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_admits_the_setup_key_once),
		cmocka_unit_test(host_follows_policies_with_rising_counters_only),
		cmocka_unit_test(host_serves_cells_after_a_release_and_not_before),
		cmocka_unit_test(host_erases_after_the_delay_unless_it_is_voided),
		cmocka_unit_test(host_gives_every_source_its_turn_when_a_scope_is_slowed),
		cmocka_unit_test(host_stores_cells_while_a_release_writes_and_erasures_wait),
		cmocka_unit_test(host_counts_what_a_full_disk_refuses),
		cmocka_unit_test(host_settles_when_the_policy_says),
		cmocka_unit_test(host_gives_no_buffer_on_with_a_cell_in_it),
		cmocka_unit_test(host_logs_neither_ids_nor_addresses),
	};

	(void)sem_init(&held, 0, 0);
	(void)sem_init(&go, 0, 0);
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
