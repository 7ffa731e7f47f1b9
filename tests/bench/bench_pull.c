/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * bench_pull: bytes a second of a whole segment at the client's decrypted side: the real
 * server, the client's own peer (client/peer.h), four requests under way; against one core
 * that only opens the same frames.
 */
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "load.h"
#include "peer.h"

#define CONNS     16
#define UNDER_WAY 4              /* requests of 64 cells */

struct pulling {
	struct peer *p;
	struct rpc_segment seg;
	uint32_t asked, answered, got;
	uint8_t sink;                    /* so that the cells are really looked at */
};

static void on_cell(void *ud, const uint8_t cell[CELL_SIZE])
{
	struct pulling *pl = ud;

	pl->sink ^= cell[CELL_SIZE - 1];
	pl->got++;
}

static void ask(struct pulling *pl);

static void on_pulled(void *ud, enum perr err, const struct rpc_msg *answer)
{
	struct pulling *pl = ud;

	if (err != PERR_OK)
		bench_broke("pull: %s", perr_text(err));
	pl->answered += answer->n;
	if (pl->asked < pl->seg.count)
		ask(pl);
	else if (pl->answered == pl->seg.count)
		peer_bye(pl->p);
}

static void ask(struct pulling *pl)
{
	struct rpc_msg m = { .method = RPC_PULL, .n = RPC_BATCH };

	m.day = pl->seg.day;
	m.release = pl->seg.release;
	m.from = pl->asked;
	pl->asked += RPC_BATCH;
	if (peer_call_cells(pl->p, &m, on_cell, on_pulled, pl) != PERR_OK)
		bench_broke("pull cannot be asked");
}

/* one blocking socket: what the link does, without its loop */
static void move(struct pulling *pl, int fd)
{
	static uint8_t in[256 << 10];
	const uint8_t *out;
	size_t n;
	ssize_t k;

	while (!peer_done(pl->p)) {
		while ((n = peer_pending(pl->p, &out)) > 0) {
			k = send(fd, out, n, MSG_NOSIGNAL);
			if (k <= 0)
				bench_broke("the connection broke");
			peer_sent(pl->p, (size_t)k);
		}
		if (peer_done(pl->p))
			break;
		k = recv(fd, in, sizeof in, 0);
		if (k < 0)
			bench_broke("the connection broke");
		if (k == 0)
			peer_eof(pl->p);
		else if (peer_recv(pl->p, in, (size_t)k) != PERR_OK)
			bench_broke("pull: %s", perr_text(peer_error(pl->p)));
	}
}

static double pull_once(const struct daemon *d, const struct org *o,
                        const struct rpc_segment *seg)
{
	struct pulling pl = { .seg = *seg };
	struct client tcp;
	unsigned i;
	double t = bench_now();

	if (!client_dial(&tcp, d->port, NULL, 20) ||
	    peer_new(&pl.p, d->pk, o->access[RPC_COUNSEL], rng_system()) != PERR_OK)
		bench_broke("no connection");
	for (i = 0; i < UNDER_WAY && pl.asked < seg->count; i++)
		ask(&pl);
	move(&pl, tcp.fd);
	t = bench_now() - t;
	if (pl.got != seg->count || peer_state(pl.p) != PEER_ENDED)
		bench_broke("%u of %u cells came", pl.got, seg->count);
	peer_free(pl.p);
	(void)close(tcp.fd);
	return t;
}

/* one core opening n frames, which lie in memory as they would come */
static double open_once(const uint8_t *frames, size_t n, const uint8_t key[32])
{
	static uint8_t plain[FRAME_PLAIN];
	uint8_t nonce[12] = { 0 };
	double t = bench_now();
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t number = i;

		memcpy(nonce + 4, &number, sizeof number);
		if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL,
		    frames + i * FRAME_SIZE, FRAME_SIZE, NULL, 0, nonce, key) != 0)
			bench_broke("a frame cannot be opened");
	}
	return bench_now() - t;
}

static uint8_t *seal_all(size_t n, uint8_t key[32])
{
	uint8_t *frames = malloc(n * FRAME_SIZE), plain[FRAME_PLAIN], nonce[12] = { 0 };
	size_t i;

	if (frames == NULL)
		bench_broke("out of memory");
	crypto_aead_chacha20poly1305_ietf_keygen(key);
	randombytes_buf(plain, sizeof plain);
	for (i = 0; i < n; i++) {
		uint64_t number = i;

		memcpy(nonce + 4, &number, sizeof number);
		(void)crypto_aead_chacha20poly1305_ietf_encrypt(frames + i * FRAME_SIZE, NULL,
		        plain, sizeof plain, NULL, 0, NULL, nonce, key);
	}
	return frames;
}

int main(void)
{
	struct bench_series wire = { .n = 0 }, aead = { .n = 0 }, first = { .n = 0 };
	unsigned runs = bench_number("BENCH_RUNS", 7), i;
	unsigned cells = bench_number("BENCH_CELLS", 32768);
	struct rpc_segment seg;
	struct daemon d;
	struct org o;
	struct load *l;
	struct client *c = malloc(sizeof *c);
	uint8_t key[32], *frames;
	uint32_t n;
	size_t got;
	double bytes;

	if (sodium_init() < 0 || c == NULL)
		return 1;
	load_daemon(&d, &o, "pull");
	l = load_new(&d, &o, RPC_FIELD, CONNS);
	(void)load_run(l, cells / CONNS / 32, 32);
	load_free(l);
	if (!daemon_release(&d, &o, &n) || !daemon_open(&d, &o, RPC_COUNSEL, c) ||
	    !client_segments(c, &seg, 1, &got) || got != 1 || !client_bye(c))
		bench_broke("no segment");
	frames = seal_all(seg.count, key);
	bytes = (double)seg.count * CELL_SIZE;
	for (i = 0; i < 3; i++) {
		/* a server just started knows no cell of it */
		if (daemon_stop(&d) != 0 || !daemon_start(&d, NULL))
			bench_broke("the server did not start again");
		bench_add(&first, bytes / pull_once(&d, &o, &seg) / 1e6);
	}
	for (i = 0; i < runs; i++) {
		bench_add(&wire, bytes / pull_once(&d, &o, &seg) / 1e6);
		bench_add(&aead, bytes / open_once(frames, seg.count, key) / 1e6);
	}
	bench_figure("pull", bench_median(&wire), "MB/s", bench_median(&aead),
	             "one core opening the same frames (ChaCha20-Poly1305)", BENCH_RATIO_MIN, 0.5);
	bench_note("a segment of %u cells, bytes of cells only, server and client on the same cores",
	           seg.count);
	bench_note("the first reader after a start, when each cell is hashed: %.0f MB/s; ratio %.2f",
	           bench_median(&first), bench_median(&first) / bench_median(&aead));
	load_daemon_end(&d);
	free(o.link);
	free(frames);
	free(c);
	return 0;
}
