/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The same server, run by somebody who wants to deceive its members.
 *
 * The file named by AMPAROD_LIE holds one word: which lie is told.  It is read at every
 * answer, so that a test changes it while the server runs.  Everything else is the real
 * server: the linker puts the calls between host and session through here (--wrap).  Its
 * clock is that of clock_file.h.
 *
 *	truth       none
 *	shrink      segments that were announced before are not there any more
 *	withhold    nothing newer than what was announced when the truth was told last
 *	contradict  hello names the newest segment, and the list does not reach it
 *	hole        the first segment of a list of several is left out
 *	miss        a cell of every pull is left out
 *	alter       one bit of every cell is changed
 *	swap        two cells of a pull change places
 *	repeat      every cell of a pull is the first one
 *	foreign     a well-formed cell of the server's own making instead of every other one
 *	old-roster  hello names an older bulletin
 *	no-roster   hello names none
 *	new-roster  hello names a newer bulletin, of which nothing is there
 *	bad-part    parts of the bulletin are altered
 *	endless     a part of the bulletin has another size at each piece
 *	future      the day is 300 days ahead
 *	past        the day is 300 days back
 *	forget      says "stored" and stores nothing
 *	refuse      refuses every cell for good
 *	full        says that the disk is full
 *	later       puts everything off
 *	short       answers a commit with too few statuses
 *	many        says there are more cells in a segment than there are
 *	round       lists the same segments again and again
 *	board       the board is empty
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock_file.h"
#include "command.h"
#include "host.h"
#include "session.h"

void __real_session_answer(struct session_call *call, struct rpc_msg *m);
void __real_session_cell(struct session_call *call, const uint8_t *cell);
void __real_session_committed(struct session_call *call, enum rpc_error error);
void __wrap_session_answer(struct session_call *call, struct rpc_msg *m);
void __wrap_session_cell(struct session_call *call, const uint8_t *cell);
void __wrap_session_committed(struct session_call *call, enum rpc_error error);
struct session_host *__real_host_sessions(struct host *h);
struct session_host *__wrap_host_sessions(struct host *h);

static int lie_file = -1;

static bool lie(const char *what)
{
	char word[32] = "";

	if (lie_file < 0 || pread(lie_file, word, sizeof word - 1, 0) <= 0)
		return strcmp(what, "truth") == 0;
	word[strcspn(word, "\n")] = '\0';
	return strcmp(word, what) == 0;
}

/* ---- cells ----------------------------------------------------------------------------- */

static struct {
	const struct session_call *call;
	uint32_t n;                      /* cells of it that came by */
	uint8_t first[CELL_SIZE], held[CELL_SIZE];
	bool is_held;
} pull;

/* a cell that opens for nobody, with a real key: what a server can make by itself */
static void make_foreign(uint8_t cell[CELL_SIZE])
{
	uint8_t sk[32];

	randombytes_buf(cell, CELL_SIZE);
	randombytes_buf(sk, sizeof sk);
	if (crypto_scalarmult_base(cell, sk) != 0)
		abort();
}

void __wrap_session_cell(struct session_call *call, const uint8_t *cell)
{
	uint8_t copy[CELL_SIZE];

	if (pull.call != call) {
		pull.call = call;
		pull.n = 0;
		pull.is_held = false;
		memcpy(pull.first, cell, CELL_SIZE);
	}
	pull.n++;
	memcpy(copy, cell, CELL_SIZE);
	if (lie("miss") && pull.n == 1)
		return;
	if (lie("alter"))
		copy[40 + pull.n % 4000] ^= 1;
	else if (lie("repeat"))
		memcpy(copy, pull.first, CELL_SIZE);
	else if (lie("foreign") && pull.n % 2 == 0)
		make_foreign(copy);
	else if (lie("swap") && !pull.is_held) {
		memcpy(pull.held, cell, CELL_SIZE);
		pull.is_held = true;
		return;
	}
	__real_session_cell(call, copy);
	if (pull.is_held) {
		__real_session_cell(call, pull.held);
		pull.is_held = false;
	}
}

/* ---- answers --------------------------------------------------------------------------- */

static uint8_t store[RPC_PART_GET];

/* the newest segment at the last truthful hello */
static bool had_newest;
static uint32_t top_day, top_release;

static void lie_hello(struct rpc_msg *m)
{
	if (lie("truth")) {
		had_newest = m->hello.has_newest;
		top_day = m->hello.newest_day;
		top_release = m->hello.newest_release;
	} else if (lie("withhold")) {
		m->hello.has_newest = had_newest;
		m->hello.newest_day = top_day;
		m->hello.newest_release = top_release;
	} else if (lie("old-roster") && m->hello.bulletin_version > 1) {
		m->hello.bulletin_version--;
		m->hello.header_hash[0] ^= 1;
	} else if (lie("no-roster")) {
		m->hello.bulletin_version = 0;
		memset(m->hello.header_hash, 0, 32);
	} else if (lie("new-roster")) {
		m->hello.bulletin_version++;
		m->hello.header_hash[0] ^= 1;
	} else if (lie("future")) {
		m->hello.day += 300;
	} else if (lie("past")) {
		m->hello.day -= 300;
	} else if (lie("board")) {
		crypto_generichash(m->hello.board_digest, 32, NULL, 0, NULL, 0);
	} else if (lie("shrink") && m->hello.has_newest) {
		m->hello.newest_release = 0;
		m->hello.newest_day -= 3;
	}
}

static void lie_segments(struct rpc_msg *m)
{
	uint32_t i;

	if (lie("shrink")) {
		m->n = 0;
	} else if (lie("withhold")) {
		while (m->n > 0 && (m->segments[m->n - 1].day > top_day ||
		                    (m->segments[m->n - 1].day == top_day &&
		                     m->segments[m->n - 1].release > top_release)))
			m->n--;
	} else if (lie("contradict") && m->n > 0) {
		m->n--;
	} else if (lie("hole") && m->n > 1) {
		memmove(m->segments, m->segments + 1, --m->n * sizeof m->segments[0]);
	} else if (lie("many")) {
		for (i = 0; i < m->n; i++)
			m->segments[i].count += 5;
	} else if (lie("round") && m->n > 0) {
		for (i = m->n; i < 64; i++)
			m->segments[i] = m->segments[i % m->n];
		m->n = 64;
	}
}

void __wrap_session_answer(struct session_call *call, struct rpc_msg *m)
{
	switch (call->method) {
	case RPC_HELLO:
		lie_hello(m);
		break;
	case RPC_SEGMENTS:
		lie_segments(m);
		break;
	case RPC_PULL: case RPC_FETCH:
		if (pull.call == call && pull.is_held) {
			__real_session_cell(call, pull.held);
			pull.is_held = false;
		}
		pull.call = NULL;
		break;
	case RPC_BULLETIN_GET:
		if (lie("bad-part") && m->bytes_len > 0) {
			memcpy(store, m->bytes, m->bytes_len);
			store[m->bytes_len / 2] ^= 1;
			m->bytes = store;
		} else if (lie("endless")) {
			m->total += 4096;
		}
		break;
	case RPC_BOARD_GET:
		if (lie("board")) {
			m->n = 0;
			m->cell = NULL;
			crypto_generichash(m->digest, 32, NULL, 0, NULL, 0);
		}
		break;
	default:
		break;
	}
	__real_session_answer(call, m);
}

/* ---- uploads --------------------------------------------------------------------------- */

void __wrap_session_committed(struct session_call *call, enum rpc_error error)
{
	struct session_batch *b = call->batch;
	size_t i;

	if (b != NULL && error == RPC_OK) {
		for (i = 0; i < b->n_how; i++) {
			if (lie("refuse"))
				b->how[i] = RPC_NOT_A_CELL;
			else if (lie("full"))
				b->how[i] = RPC_DISK_FULL;
			else if (lie("later"))
				b->how[i] = RPC_OVER_LIMIT;
		}
		if (lie("short") && b->n_how > 0)
			b->n_how--;
	}
	__real_session_committed(call, error);
}

static void (*real_commit)(void *ctx, struct session_call *call);

/* what a server that throws everything away would say */
static void commit_or_forget(void *ctx, struct session_call *call)
{
	struct session_batch *b = call->batch;
	size_t i;

	if (!lie("forget")) {
		real_commit(ctx, call);
		return;
	}
	for (i = 0; i < b->n_how; i++)
		b->how[i] = RPC_STORED;
	__real_session_committed(call, RPC_OK);
}

struct session_host *__wrap_host_sessions(struct host *h)
{
	struct session_host *s = __real_host_sessions(h);

	if (s->commit != commit_or_forget) {
		real_commit = s->commit;
		s->commit = commit_or_forget;
	}
	return s;
}

int main(int argc, char **argv)
{
	clock_file_open();
	lie_file = clock_file_named("AMPAROD_LIE");
	return command_main(argc, argv);
}
