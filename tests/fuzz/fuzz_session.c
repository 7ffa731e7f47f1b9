/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A member who may say anything.  The first byte chooses scope and how the host behaves; then
 * records of u16 length and message, each sealed into a frame of its own.  With scope 0 the
 * bytes go in raw, before any handshake.  Whatever comes: memory is given back, answers are
 * frames, an outsider gets nothing.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct session_host host;
static struct session_call *held[256];
static size_t n_held, cells_out;
static unsigned behave;          /* bit 0: hold answers; bit 1: retire the key at times */
static uint8_t sk[32], pk[32], derived[5][32];
static struct rng_seeded rng_state;

/*
 * What an outsider makes the server allocate: the largest single request, and all that is
 * held at once, from session_new to the end of a session that never authenticated.
 */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *))
	__attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void *p) __attribute__((weak));
static bool is_outsider;
static size_t largest, held_now, held_most;

static void on_malloc(const volatile void *p, size_t n)
{
	(void)p;
	if (!is_outsider)
		return;
	largest = n > largest ? n : largest;
	held_now += n;
	held_most = held_now > held_most ? held_now : held_most;
}

static void on_free(const volatile void *p)
{
	size_t n = is_outsider && p != NULL ? __sanitizer_get_allocated_size(p) : 0;

	held_now -= n < held_now ? n : held_now;
}

__attribute__((destructor)) static void tell(void)
{
	if (held_most > 0)
		fprintf(stderr, "figure: largest allocation before authentication: %zu bytes; held at "
		        "once: %zu bytes\n", largest, held_most);
}

static void must(bool ok)
{
	if (!ok)
		abort();
}

static size_t on_keys(void *ctx, const uint8_t (**out)[32])
{
	*out = (const uint8_t (*)[32])derived;
	return 5;
}

static bool on_admit(void *ctx, size_t which, const uint8_t e[32], uint32_t *serial,
                     enum rpc_scope *scope)
{
	*serial = 1;
	*scope = (enum rpc_scope)(which + 1);
	return true;
}

static bool on_still(void *ctx, uint32_t serial)
{
	return (behave & 2) == 0 || n_held < 3;
}

static uint8_t *on_take(void *ctx, size_t n)
{
	if (cells_out == 20)
		return NULL;
	cells_out++;
	return malloc(STORE_CELL);
}

static void on_give(void *ctx, uint8_t *cell)
{
	must(cells_out > 0);
	cells_out--;
	free(cell);
}

static void finish(struct session_call *call)
{
	static uint8_t cell[STORE_CELL];
	struct rpc_msg m;
	uint32_t i;

	if (call->method == RPC_COMMIT) {
		session_committed(call, RPC_OK);
		return;
	}
	memset(&m, 0, sizeof m);
	if (call->method == RPC_PULL)
		for (i = 0; i < call->reserved / FRAME_SIZE && i < 3; i++)
			session_cell(call, cell);
	session_answer(call, &m);
}

static void take(struct session_call *call)
{
	if ((behave & 1) != 0 && n_held < 256)
		held[n_held++] = call;
	else
		finish(call);
}

static void on_commit(void *ctx, struct session_call *call)
{
	must(call->batch->n_cells <= host.puts_per_commit);
	must(call->batch->n_how <= RPC_STATUSES_MAX);
	take(call);
}

static void on_request(void *ctx, struct session_call *call, const struct rpc_msg *m,
                       void **data)
{
	must(rpc_allowed(m->method, call->scope));
	take(call);
}

static void on_closed(void *ctx, void *data)
{
}

static void on_wake(void *user)
{
}

static void set_up(void)
{
	int i;

	if (sodium_init() < 0)
		abort();
	if (__sanitizer_install_malloc_and_free_hooks != NULL)
		(void)__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	memset(sk, 0x42, sizeof sk);
	(void)crypto_scalarmult_base(pk, sk);
	for (i = 0; i < 5; i++)
		memset(derived[i], i + 1, 32);
	host.server_sk = sk;
	host.server_pk = pk;
	host.puts_per_commit = 8;
	host.out_max = 1u << 20;
	host.keys = on_keys;
	host.admit = on_admit;
	host.still = on_still;
	host.cell_take = on_take;
	host.cell_give = on_give;
	host.commit = on_commit;
	host.request = on_request;
	host.closed = on_closed;
}

/* what was said; the client must be able to open all of it */
static size_t drain(struct session *s, struct channel *ch)
{
	struct session_out *o = session_take(s), *next;
	size_t total = 0;

	for (; o != NULL; o = next) {
		size_t at = 0, used, len;
		const uint8_t *msg;

		next = o->next;
		while (at < o->len) {
			must(channel_recv(ch, o->bytes + at, o->len - at, &used, &msg, &len) ==
			     PERR_OK);
			at += used;
		}
		total += o->len;
		free(o);
	}
	session_written(s, total);
	return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct channel ch;
	uint8_t first[NOISE_MSG_SIZE], frame[FRAME_SIZE];
	struct session *s;
	unsigned scope;
	size_t i;

	if (size < 1)
		return 0;
	if (host.keys == NULL)
		set_up();
	host.rng = rng_seeded(&rng_state, sk);
	scope = data[0] % 6;
	behave = data[0] / 6;
	data++;
	size--;
	is_outsider = scope == 0;
	held_now = 0;
	must(session_new(&s, &host, on_wake, NULL) == PERR_OK);
	if (scope == 0) {
		(void)session_recv(s, data, size, 1);
		must(session_take(s) == NULL);
		is_outsider = false;
		session_free(s);
		/* "nothing is parsed before the 48-byte first message authenticates" */
		must(held_most <= 64u << 10);
		return 0;
	}
	must(channel_connect(&ch, first, pk, derived[scope - 1], host.rng) == PERR_OK);
	must(session_recv(s, first, sizeof first, 1) == sizeof first);
	must(drain(s, &ch) == NOISE_MSG_SIZE);
	while (size >= 2 && session_state(s) == SESSION_OPEN) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		len = len > size ? size : len;
		if (len > FRAME_MSG_MAX || channel_send(&ch, frame, data, len) != PERR_OK)
			break;
		data += len;
		size -= len;
		if (session_recv(s, frame, sizeof frame, 1) == 0) {
			must(session_is_blocked(s));
			break;
		}
		(void)drain(s, &ch);
	}
	/* half of the answers before it is gone, half after */
	for (i = 0; i < n_held / 2; i++)
		finish(held[i]);
	(void)drain(s, &ch);
	session_free(s);
	for (; i < n_held; i++)
		finish(held[i]);
	n_held = 0;
	channel_kill(&ch);
	must(cells_out == 0 && host.out_now == 0);
	return 0;
}
