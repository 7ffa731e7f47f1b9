/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Order and bounds of one connection: commits, allowances, answers that nobody reads, ends. */
#include "session_kit.h"

/* ---- order and bounds -------------------------------------------------------------------- */

static void session_answers_commits_in_order(void **state)
{
	struct pair p;
	struct rpc_msg m;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_FIELD);
	(void)send_method(&p, RPC_PUT);
	params(&m, RPC_COMMIT);
	m.msgid = 1;
	(void)send_msg(&p, &m);
	m.msgid = 2;
	assert_int_equal(send_msg(&p, &m), FRAME_SIZE);
	/* two are under way: a third is not even read */
	m.msgid = 3;
	assert_int_equal(send_msg(&p, &m), 0);
	assert_true(session_is_blocked(p.s));
	assert_int_equal(fake.n_held, 2);
	finish(fake.held[1]);                    /* the second is ready first: it waits */
	assert_int_equal(drain(&p, RPC_COMMIT), 0);
	finish(fake.held[0]);
	assert_int_equal(fake.woken, 2);
	fake.n_held = 0;
	assert_int_equal(drain(&p, RPC_COMMIT), 2 * FRAME_SIZE);
	assert_int_equal(p.m.msgid, 2);
	assert_false(session_is_blocked(p.s));
	/* the frame that waited is taken now */
	assert_int_equal(session_recv(p.s, p.frame, FRAME_SIZE, 1), FRAME_SIZE);
	finish(fake.held[0]);
	fake.n_held = 0;
	assert_int_equal(drain(&p, RPC_COMMIT), FRAME_SIZE);
	assert_int_equal(p.m.msgid, 3);
	assert_int_equal(p.m.bytes_len, 0);
	pair_close(&p);
}

static void session_reports_every_status_in_its_place(void **state)
{
	static const uint8_t cell_want[] = { RPC_STORED, RPC_ALREADY, RPC_ERASED, RPC_DISK_FULL };
	static const uint8_t erase_want[] = { RPC_ACCEPTED, RPC_ALREADY, RPC_NOT_KNOWN,
	                                      RPC_OVER_LIMIT, RPC_NOT_KNOWN };
	struct pair p;
	struct rpc_msg m;
	uint8_t bad[CELL_SIZE];
	int st;

	for (st = STORE_STORED; st <= STORE_NOTFOUND; st++) {
		fake_reset();
		fake.status = (uint8_t)st;
		fake.cells_max = 2;
		pair_open(&p, RPC_COUNSEL);
		memset(bad, 0xff, sizeof bad);   /* E not canonical */
		params(&m, RPC_PUT);
		(void)send_msg(&p, &m);
		m.cell = bad;
		(void)send_msg(&p, &m);
		params(&m, RPC_ERASE);
		m.bytes_len = 3 * 64;
		(void)send_msg(&p, &m);
		params(&m, RPC_PUT);
		(void)send_msg(&p, &m);
		(void)send_msg(&p, &m);          /* no buffer is left for this one */
		(void)send_method(&p, RPC_COMMIT);
		assert_int_equal(drain(&p, RPC_COMMIT), FRAME_SIZE);
		assert_int_equal(p.m.bytes_len, 7);
		if (st < 4) {
			assert_int_equal(p.m.bytes[0], cell_want[st]);
			assert_int_equal(p.m.bytes[5], cell_want[st]);
		}
		assert_int_equal(p.m.bytes[1], RPC_NOT_A_CELL);
		assert_int_equal(p.m.bytes[2], erase_want[st]);
		assert_int_equal(p.m.bytes[4], erase_want[st]);
		assert_int_equal(p.m.bytes[6], RPC_OVER_LIMIT);
		pair_close(&p);
	}
}

static void session_ends_when_more_is_put_than_announced(void **state)
{
	struct pair p;
	int i;

	fake_reset();
	pair_open(&p, RPC_FIELD);
	for (i = 0; i < 8; i++)
		(void)send_method(&p, RPC_PUT);
	assert_int_equal(session_state(p.s), SESSION_OPEN);
	assert_int_equal(fake.cells_out, 8);
	(void)send_method(&p, RPC_PUT);
	assert_int_equal(session_state(p.s), SESSION_DONE);
	assert_int_equal(fake.cells_out, 0);     /* nothing of it is kept */
	assert_int_equal(fake.commits, 0);
	(void)drain(&p, RPC_HELLO);
	pair_close(&p);

	/* erasures: at most what the answer has room for */
	fake_reset();
	pair_open(&p, RPC_COUNSEL);
	for (i = 0; i < 64; i++) {
		struct rpc_msg m;

		params(&m, RPC_ERASE);
		m.bytes_len = 4096;
		(void)send_msg(&p, &m);
	}
	assert_int_equal(session_state(p.s), SESSION_OPEN);
	(void)send_method(&p, RPC_ERASE);
	assert_int_equal(session_state(p.s), SESSION_DONE);
	(void)drain(&p, RPC_HELLO);
	pair_close(&p);
}

static void session_refuses_puts_over_the_minutes_allowance(void **state)
{
	struct pair p;

	fake_reset();
	fake.host.puts_per_minute = 3;
	pair_open(&p, RPC_FIELD);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_COMMIT);
	(void)drain(&p, RPC_COMMIT);
	assert_int_equal(p.m.bytes[2], RPC_STORED);
	assert_int_equal(p.m.bytes[3], RPC_OVER_LIMIT);
	assert_int_equal(fake.host.n_refused, 1);
	pair_close(&p);
}

static void session_holds_erasures_to_the_same_allowance(void **state)
{
	struct pair p;
	struct rpc_msg m;
	unsigned i;

	fake_reset();
	fake.host.puts_per_minute = 40;
	pair_open(&p, RPC_COUNSEL);
	params(&m, RPC_ERASE);
	m.bytes_len = 64 * 64;
	(void)send_msg(&p, &m);
	/* refused erasures are no puts: eight more fit the batch */
	for (i = 0; i < 8; i++)
		(void)send_method(&p, RPC_PUT);
	assert_int_equal(session_state(p.s), SESSION_OPEN);
	(void)send_method(&p, RPC_COMMIT);
	(void)drain(&p, RPC_COMMIT);
	assert_int_equal(p.m.bytes_len, 64 + 8);
	for (i = 0; i < 64; i++)
		assert_int_equal(p.m.bytes[i], i < 40 ? RPC_ACCEPTED : RPC_OVER_LIMIT);
	for (; i < 72; i++)
		assert_int_equal(p.m.bytes[i], RPC_OVER_LIMIT);
	assert_int_equal(fake.host.n_refused, 24 + 8);
	pair_close(&p);
}

static void session_stops_reading_while_answers_are_not_read(void **state)
{
	struct pair p;
	struct rpc_msg m;
	struct session_out *o, *next;
	size_t waiting = 0;
	unsigned taken = 0;

	fake_reset();
	pair_open(&p, RPC_COUNSEL);
	while (send_method(&p, RPC_HELLO) == FRAME_SIZE)
		assert_true(++taken < 1000);
	assert_true(session_is_blocked(p.s));
	assert_true(fake.host.out_now <= SESSION_OUT_HIGH + FRAME_SIZE);
	for (o = session_take(p.s); o != NULL; o = next) {
		next = o->next;
		waiting += o->len;
		free(o);
	}
	assert_int_equal(waiting, fake.host.out_now);
	/* taken is not sent: still blocked */
	assert_true(session_is_blocked(p.s));
	session_written(p.s, waiting);
	assert_false(session_is_blocked(p.s));
	pair_close(&p);

	/* what a pull will say counts before it is said */
	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_COUNSEL);
	params(&m, RPC_PULL);
	m.n = 64;
	taken = 0;
	while (send_msg(&p, &m) == FRAME_SIZE)
		taken++;
	assert_true(fake.host.out_reserved > SESSION_OUT_HIGH);
	assert_true(fake.host.out_reserved <= SESSION_OUT_HIGH + 65 * FRAME_SIZE);
	assert_int_equal(fake.host.out_reserved, taken * 65 * FRAME_SIZE);
	pair_close(&p);
	assert_int_equal(fake.host.out_reserved, 0);

	/* and all sessions together have a bound */
	fake_reset();
	fake.host.out_max = 100000;
	pair_open(&p, RPC_COUNSEL);
	(void)send_msg(&p, &m);
	assert_int_equal(drain(&p, RPC_PULL), FRAME_SIZE);
	assert_int_equal(p.m.error, RPC_LATER);
	assert_int_equal(fake.requests, 0);
	pair_close(&p);
}

static void session_passes_cells_before_the_answer(void **state)
{
	struct pair p;
	struct rpc_msg m;
	int i;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_COUNSEL);
	params(&m, RPC_PULL);
	m.n = 3;
	(void)send_msg(&p, &m);
	for (i = 0; i < 3; i++)
		session_cell(fake.held[0], cell);
	memset(&m, 0, sizeof m);
	m.n = 3;
	session_answer(fake.held[0], &m);
	fake.n_held = 0;
	assert_int_equal(drain(&p, RPC_PULL), 4 * FRAME_SIZE);
	assert_int_equal(p.messages, 4);
	assert_int_equal(p.m.n, 3);
	pair_close(&p);
}

static void session_finishes_what_was_asked_before_its_bye(void **state)
{
	struct pair p;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_FIELD);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_COMMIT);
	(void)send_method(&p, RPC_PUT);          /* never committed: forgotten */
	(void)send_method(&p, RPC_BYE);
	assert_int_equal(drain(&p, RPC_COMMIT), 0);
	assert_int_equal(fake.cells_out, 1);
	finish(fake.held[0]);
	fake.n_held = 0;
	assert_int_equal(drain(&p, RPC_COMMIT), 2 * FRAME_SIZE);
	assert_int_equal(p.m.method, RPC_BYE);
	assert_int_equal(session_state(p.s), SESSION_DONE);
	pair_close(&p);
}

static void session_that_is_gone_makes_late_answers_harmless(void **state)
{
	struct pair p;
	struct session_call *one, *two;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_COUNSEL);
	(void)send_method(&p, RPC_PULL);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_COMMIT);
	one = fake.held[0];
	two = fake.held[1];
	fake.n_held = 0;
	session_free(p.s);
	assert_int_equal(fake.freed_data, 1);
	assert_int_equal(fake.cells_out, 1);     /* the writer still needs it */
	session_cell(one, cell);
	finish(one);
	finish(two);
	assert_int_equal(fake.cells_out, 0);
	assert_int_equal(fake.host.out_now, 0);
	channel_kill(&p.ch);
}

static void session_tells_nobody_anything_when_the_disk_failed(void **state)
{
	struct pair p;

	fake_reset();
	fake.hold = true;
	pair_open(&p, RPC_FIELD);
	(void)send_method(&p, RPC_PUT);
	(void)send_method(&p, RPC_COMMIT);
	session_drop(fake.held[0]);
	fake.n_held = 0;
	assert_int_equal(session_state(p.s), SESSION_DEAD);
	assert_null(session_take(p.s));
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_answers_commits_in_order),
		cmocka_unit_test(session_reports_every_status_in_its_place),
		cmocka_unit_test(session_ends_when_more_is_put_than_announced),
		cmocka_unit_test(session_refuses_puts_over_the_minutes_allowance),
		cmocka_unit_test(session_holds_erasures_to_the_same_allowance),
		cmocka_unit_test(session_stops_reading_while_answers_are_not_read),
		cmocka_unit_test(session_passes_cells_before_the_answer),
		cmocka_unit_test(session_finishes_what_was_asked_before_its_bye),
		cmocka_unit_test(session_that_is_gone_makes_late_answers_harmless),
		cmocka_unit_test(session_tells_nobody_anything_when_the_disk_failed),
	};

	if (!session_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
