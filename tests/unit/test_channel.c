/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "vec.h"

#include "channel.h"

struct pair {
	uint8_t server_sk[32], server_pk[32];
	uint8_t derived[3][32];
	struct channel client, server;
	uint8_t m1[NOISE_MSG_SIZE], m2[NOISE_MSG_SIZE];
};

static const uint8_t (*keys_of(const struct pair *p))[32]
{
	return (const uint8_t (*)[32])p->derived;
}

static void is_dead(const struct channel *c)
{
	struct channel zero;

	memset(&zero, 0, sizeof zero);
	assert_int_equal(c->state, CHANNEL_DEAD);
	assert_memory_equal(&c->own.hs, &zero.own.hs, sizeof zero.own.hs);
	assert_memory_equal(&c->own.tx, &zero.own.tx, sizeof zero.own.tx);
	assert_memory_equal(&c->own.rx, &zero.own.rx, sizeof zero.own.rx);
	assert_zero(c->in, sizeof c->in);
}

/* one call that takes everything given */
static enum perr feed(struct channel *c, const uint8_t *in, size_t len, const uint8_t **msg,
                      size_t *msg_len)
{
	size_t used;
	enum perr err = channel_recv(c, in, len, &used, msg, msg_len);

	if (err == PERR_OK || err == PERR_MORE)
		assert_int_equal(used, len);
	return err;
}

static void pair_new(struct pair *p)
{
	randombytes_buf(p->server_sk, 32);
	crypto_scalarmult_base(p->server_pk, p->server_sk);
	randombytes_buf(p->derived, sizeof p->derived);
	assert_int_equal(channel_connect(&p->client, p->m1, p->server_pk, p->derived[1],
	                                 rng_system()), PERR_OK);
	channel_listen(&p->server);
}

static void pair_open(struct pair *p)
{
	const uint8_t *msg;
	size_t which, len;

	pair_new(p);
	assert_int_equal(feed(&p->server, p->m1, sizeof p->m1, &msg, &len), PERR_OK);
	assert_int_equal(p->server.state, CHANNEL_REPLY);
	assert_memory_equal(channel_first(&p->server), p->m1, sizeof p->m1);
	assert_int_equal(channel_accept(&p->server, p->m2, &which, p->server_sk, p->server_pk,
	                                keys_of(p), 3, rng_system()), PERR_OK);
	assert_int_equal(which, 1);
	assert_int_equal(p->server.state, CHANNEL_OPEN);
	assert_int_equal(feed(&p->client, p->m2, sizeof p->m2, &msg, &len), PERR_OK);
	assert_int_equal(p->client.state, CHANNEL_OPEN);
	assert_int_equal(len, 0);
}

/* Vectors. */

static void published_layout(void **state)
{
	struct rng_seeded st1, st2;
	struct channel client, server;
	struct noise ni, nr;
	struct noise_cipher to_server, to_client;
	uint8_t access[32], sk[32], pk[32], derived[1][32], seed1[32], seed2[32];
	uint8_t m1[48], m2[48], hash[64], message[FRAME_MSG_MAX], frame[FRAME_SIZE], digest[32];
	const uint8_t *msg;
	size_t len, n, which;

	(void)state;
	vec_bytes(access, 32, "channel", "access", "access_key");
	vec_bytes(sk, 32, "channel", "access", "server_sk");
	crypto_scalarmult_base(pk, sk);
	assert_vec(pk, 32, "channel", "access", "server_pk");
	channel_access(derived[0], access, pk);
	assert_vec(derived[0], 32, "channel", "access", "derived");

	vec_bytes(seed1, 32, "channel", "handshake", "client_seed");
	vec_bytes(seed2, 32, "channel", "handshake", "server_seed");
	assert_int_equal(channel_connect(&client, m1, pk, derived[0], rng_seeded(&st1, seed1)),
	                 PERR_OK);
	assert_vec(client.own.hs.e_sk, 32, "channel", "handshake", "client_e_sk");
	assert_vec(m1, 48, "channel", "handshake", "message_1");
	channel_listen(&server);
	assert_int_equal(feed(&server, m1, 48, &msg, &len), PERR_OK);
	assert_int_equal(channel_accept(&server, m2, &which, sk, pk,
	                                (const uint8_t (*)[32])derived, 1,
	                                rng_seeded(&st2, seed2)), PERR_OK);
	assert_vec(m2, 48, "channel", "handshake", "message_2");
	assert_int_equal(feed(&client, m2, 48, &msg, &len), PERR_OK);
	assert_vec(client.own.tx.key, 32, "channel", "handshake", "key_to_server");
	assert_vec(client.own.rx.key, 32, "channel", "handshake", "key_to_client");
	assert_vec(server.own.rx.key, 32, "channel", "handshake", "key_to_server");

	/* the hash is not kept by a channel: once more with the handshake alone */
	assert_int_equal(noise_write_1(&ni, m1, (const uint8_t *)CHANNEL_PROLOGUE, 8, pk,
	                               derived[0], NULL, 0, rng_seeded(&st1, seed1)), PERR_OK);
	assert_int_equal(noise_read_1(&nr, &which, NULL, m1, 48, (const uint8_t *)CHANNEL_PROLOGUE,
	                              8, sk, pk, (const uint8_t (*)[32])derived, 1), PERR_OK);
	assert_int_equal(noise_write_2(&nr, m2, NULL, 0, rng_seeded(&st2, seed2)), PERR_OK);
	noise_split(&nr, &to_server, &to_client, hash);
	assert_vec(hash, 64, "channel", "handshake", "hash");

	n = vec_bytes(message, sizeof message, "channel", "to server 0", "message");
	assert_int_equal(channel_send(&client, frame, message, n), PERR_OK);
	assert_vec(frame, FRAME_SIZE, "channel", "to server 0", "frame");
	assert_int_equal(feed(&server, frame, FRAME_SIZE, &msg, &len), PERR_OK);
	assert_int_equal(len, n);
	assert_memory_equal(msg, message, n);
	assert_int_equal(channel_send(&client, frame, NULL, 0), PERR_OK);
	crypto_generichash(digest, 32, frame, FRAME_SIZE, NULL, 0);
	assert_vec(digest, 32, "channel", "to server 1", "digest");
	n = vec_number("channel", "to client 0", "sample_len");
	vec_sample(message, n);
	assert_int_equal(channel_send(&server, frame, message, n), PERR_OK);
	crypto_generichash(digest, 32, frame, FRAME_SIZE, NULL, 0);
	assert_vec(digest, 32, "channel", "to client 0", "digest");
	printf("figure: channel vectors %u/%u\n", vec_checked, vec_checked);
}

/* The way it should go. */

static void messages_of_every_length_arrive_both_ways(void **state)
{
	static const size_t lens[] = { 0, 1, 2, 255, 256, 4090, FRAME_MSG_MAX - 1, FRAME_MSG_MAX };
	struct pair p;
	uint8_t data[FRAME_MSG_MAX], frame[FRAME_SIZE];
	const uint8_t *msg;
	size_t i, way, len;

	(void)state;
	pair_open(&p);
	randombytes_buf(data, sizeof data);
	for (i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		for (way = 0; way < 2; way++) {
			struct channel *from = way ? &p.server : &p.client;
			struct channel *to = way ? &p.client : &p.server;

			assert_int_equal(channel_send(from, frame, data, lens[i]), PERR_OK);
			assert_int_equal(feed(to, frame, sizeof frame, &msg, &len), PERR_OK);
			assert_int_equal(len, lens[i]);
			assert_memory_equal(msg, data, len);
		}
	}
	assert_int_equal(channel_send(&p.client, frame, data, FRAME_MSG_MAX + 1), PERR_RANGE);
	assert_int_equal(p.client.state, CHANNEL_OPEN);
}

static void message_may_lie_inside_the_frame(void **state)
{
	struct pair p;
	uint8_t frame[FRAME_SIZE];
	const uint8_t *msg;
	size_t len;

	(void)state;
	pair_open(&p);
	memcpy(frame, "abcdef", 6);
	assert_int_equal(channel_send(&p.client, frame, frame, 6), PERR_OK);
	assert_int_equal(feed(&p.server, frame, sizeof frame, &msg, &len), PERR_OK);
	assert_memory_equal(msg, "abcdef", 6);
}

/* the client's frames can only follow the server's answer */
static void answer_and_send_two(struct pair *p, uint8_t out[2 * FRAME_SIZE])
{
	const uint8_t *msg;
	size_t which, len;

	assert_int_equal(channel_accept(&p->server, p->m2, &which, p->server_sk, p->server_pk,
	                                keys_of(p), 3, rng_system()), PERR_OK);
	assert_int_equal(feed(&p->client, p->m2, sizeof p->m2, &msg, &len), PERR_OK);
	assert_int_equal(channel_send(&p->client, out, (const uint8_t *)"x", 1), PERR_OK);
	assert_int_equal(channel_send(&p->client, out + FRAME_SIZE, (const uint8_t *)"yz", 2),
	                 PERR_OK);
}

/* a session of two frames each way, with the stream cut at one place or in equal steps */
static void run_cut(size_t cut, size_t step)
{
	struct pair p;
	uint8_t stream[NOISE_MSG_SIZE + 2 * FRAME_SIZE], frame[FRAME_SIZE];
	const uint8_t *msg = NULL;
	size_t at = 0, len = 0, used, got = 0, total = NOISE_MSG_SIZE;
	unsigned way;

	pair_new(&p);
	memcpy(stream, p.m1, NOISE_MSG_SIZE);
	for (way = 0; way < 2; way++) {
		struct channel *to = way ? &p.client : &p.server;
		size_t end = cut < total ? cut : total;

		at = 0;
		got = 0;
		while (at < total) {
			enum perr err;

			if (at == end)
				end = step > 0 && at + step < total ? at + step : total;
			err = channel_recv(to, stream + at, end - at, &used, &msg, &len);
			at += used;
			if (err == PERR_MORE)
				continue;
			assert_int_equal(err, PERR_OK);
			if (to->state == CHANNEL_REPLY) {
				answer_and_send_two(&p, stream + total);
				total += 2 * FRAME_SIZE;
				if (at == end)
					end = cut > at && cut < total ? cut : at;
				continue;
			}
			got++;
			assert_int_equal(len, got);
			assert_memory_equal(msg, got == 1 ? "x" : "yz", got);
		}
		assert_int_equal(got, 2);
		if (way == 1)
			break;
		assert_int_equal(channel_send(&p.server, stream, (const uint8_t *)"x", 1), PERR_OK);
		assert_int_equal(channel_send(&p.server, frame, (const uint8_t *)"yz", 2), PERR_OK);
		memcpy(stream + FRAME_SIZE, frame, FRAME_SIZE);
		total = 2 * FRAME_SIZE;
	}
}

static void stream_may_be_cut_anywhere(void **state)
{
	static const size_t steps[] = { 1, 2, 47, 48, 49, 1000, FRAME_SIZE - 1, FRAME_SIZE + 1 };
	size_t i, runs = 0;

	(void)state;
	for (i = 0; i < sizeof steps / sizeof steps[0]; i++, runs++)
		run_cut(steps[i], steps[i]);
	for (i = 0; i <= NOISE_MSG_SIZE + 8; i++, runs++)
		run_cut(i, 0);
	for (i = NOISE_MSG_SIZE + 9; i <= NOISE_MSG_SIZE + 2 * FRAME_SIZE; i += 37, runs++)
		run_cut(i, 0);
	printf("figure: channel sessions with the stream cut: %zu\n", runs);
}

/* Handshake, attacked. */

static enum perr accept(struct pair *p, const uint8_t m1[48])
{
	const uint8_t *msg;
	uint8_t out[NOISE_MSG_SIZE];
	size_t which = 99, len, i;
	enum perr err;

	channel_listen(&p->server);
	assert_int_equal(feed(&p->server, m1, 48, &msg, &len), PERR_OK);
	memset(out, 0xee, sizeof out);
	err = channel_accept(&p->server, out, &which, p->server_sk, p->server_pk, keys_of(p), 3,
	                     rng_system());
	if (err != PERR_OK) {
		/* an outsider gets no byte */
		for (i = 0; i < sizeof out; i++)
			assert_int_equal(out[i], 0xee);
		assert_int_equal(which, 99);
		is_dead(&p->server);
	}
	return err;
}

static void first_message_altered_in_any_bit_gets_silence(void **state)
{
	struct pair p;
	size_t bit;

	(void)state;
	pair_new(&p);
	for (bit = 0; bit < 8 * 48; bit++) {
		p.m1[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(accept(&p, p.m1), PERR_AUTH);
		p.m1[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_equal(accept(&p, p.m1), PERR_OK);
}

static void first_message_of_small_order_looks_like_any_other_failure(void **state)
{
	struct pair p;
	uint8_t m1[48] = { 0 };

	(void)state;
	pair_new(&p);
	assert_int_equal(accept(&p, m1), PERR_AUTH);
	m1[0] = 1;
	assert_int_equal(accept(&p, m1), PERR_AUTH);
}

static void handshake_cut_at_every_byte_stays_silent(void **state)
{
	struct pair p;
	const uint8_t *msg;
	uint8_t out[48];
	size_t n, len, which;

	(void)state;
	for (n = 0; n < NOISE_MSG_SIZE; n++) {
		pair_new(&p);
		assert_int_equal(feed(&p.server, p.m1, n, &msg, &len), PERR_MORE);
		assert_int_equal(p.server.state, CHANNEL_AWAIT_1);
		assert_int_equal(channel_accept(&p.server, out, &which, p.server_sk, p.server_pk,
		                                keys_of(&p), 3, rng_system()), PERR_STATE);
		assert_int_equal(channel_send(&p.server, p.server.in, NULL, 0), PERR_STATE);
		assert_int_equal(feed(&p.client, p.m2, n, &msg, &len), PERR_MORE);
		assert_int_equal(p.client.state, CHANNEL_AWAIT_2);
	}
}

/* PROTOCOL 10.1: "Of several entries of one key that are in force on a day the last one counts." */
static void of_a_key_that_is_there_twice_the_last_one_counts(void **state)
{
	struct pair p;
	const uint8_t *msg;
	size_t which, len;

	(void)state;
	pair_new(&p);
	memcpy(p.derived[2], p.derived[1], 32);
	assert_int_equal(feed(&p.server, p.m1, sizeof p.m1, &msg, &len), PERR_OK);
	assert_int_equal(channel_accept(&p.server, p.m2, &which, p.server_sk, p.server_pk,
	                                keys_of(&p), 3, rng_system()), PERR_OK);
	assert_int_equal(which, 2);
}

static void wrong_key_server_or_prologue_is_refused(void **state)
{
	struct pair p, q;
	struct noise ns;
	uint8_t m1[48];
	const uint8_t *msg;
	size_t which, len;

	(void)state;
	pair_new(&p);
	/* the psk of another server, as from a seized mirror */
	pair_new(&q);
	assert_int_equal(channel_connect(&p.client, m1, p.server_pk, q.derived[0], rng_system()),
	                 PERR_OK);
	assert_int_equal(accept(&p, m1), PERR_AUTH);
	/* the right psk towards another server's key */
	assert_int_equal(channel_connect(&p.client, m1, q.server_pk, p.derived[0], rng_system()),
	                 PERR_OK);
	assert_int_equal(accept(&p, m1), PERR_AUTH);
	/* another version of the protocol */
	assert_int_equal(noise_write_1(&ns, m1, (const uint8_t *)"amparo/2", 8, p.server_pk,
	                               p.derived[0], NULL, 0, rng_system()), PERR_OK);
	assert_int_equal(accept(&p, m1), PERR_AUTH);
	assert_int_equal(noise_write_1(&ns, m1, (const uint8_t *)"amparo/1", 8, p.server_pk,
	                               p.derived[0], NULL, 0, rng_system()), PERR_OK);
	assert_int_equal(accept(&p, m1), PERR_OK);
	/* no keys at all: a server before its first policy */
	channel_listen(&p.server);
	assert_int_equal(feed(&p.server, m1, 48, &msg, &len), PERR_OK);
	assert_int_equal(channel_accept(&p.server, m1, &which, p.server_sk, p.server_pk,
	                                keys_of(&p), 0, rng_system()), PERR_AUTH);
	is_dead(&p.server);
}

static void unusable_server_key_is_refused_before_a_byte_leaves(void **state)
{
	struct channel c;
	uint8_t out[48], zero[32] = { 0 }, psk[32] = { 1 };

	(void)state;
	memset(out, 0xee, sizeof out);
	assert_int_equal(channel_connect(&c, out, zero, psk, rng_system()), PERR_KEY);
	assert_zero(out, sizeof out);
	is_dead(&c);
}

/*
 * A replayed first message authenticates: that is the nature of the pattern.  What it must
 * not give is a channel: the replayer lacks e, and both runs have different keys.  Silence
 * is the caller's part, by the E that channel_first shows.
 */
static void replayed_first_message_shows_its_e_and_opens_nothing(void **state)
{
	struct pair p;
	struct channel first;
	uint8_t frame[FRAME_SIZE];
	const uint8_t *msg;
	size_t len;

	(void)state;
	pair_open(&p);
	first = p.server;
	assert_int_equal(accept(&p, p.m1), PERR_OK);
	assert_memory_not_equal(first.own.rx.key, p.server.own.rx.key, 32);
	/* the frames recorded with it do not open in the new run */
	assert_int_equal(channel_send(&p.client, frame, (const uint8_t *)"put", 3), PERR_OK);
	assert_int_equal(feed(&p.server, frame, sizeof frame, &msg, &len), PERR_AUTH);
	is_dead(&p.server);
	channel_listen(&p.server);
	assert_int_equal(feed(&p.server, p.m1, 48, &msg, &len), PERR_OK);
	assert_memory_equal(channel_first(&p.server), p.m1, 32);
}

static void answer_altered_or_reflected_kills_the_client(void **state)
{
	struct pair p;
	struct channel fresh;
	const uint8_t *msg;
	size_t bit, len;

	(void)state;
	pair_new(&p);
	fresh = p.client;
	assert_int_equal(accept(&p, p.m1), PERR_OK);
	/* the client's own message sent back */
	assert_int_equal(feed(&p.client, p.m1, 48, &msg, &len), PERR_AUTH);
	is_dead(&p.client);
	pair_open(&p);
	for (bit = 0; bit < 8 * 48; bit++) {
		pair_new(&p);
		channel_listen(&p.server);
		fresh = p.client;
		assert_int_equal(feed(&p.server, p.m1, 48, &msg, &len), PERR_OK);
		assert_int_equal(channel_accept(&p.server, p.m2, &len, p.server_sk, p.server_pk,
		                                keys_of(&p), 3, rng_system()), PERR_OK);
		p.m2[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(feed(&fresh, p.m2, 48, &msg, &len), PERR_AUTH);
		is_dead(&fresh);
	}
}

/* Frames, attacked. */

static void frame_altered_in_any_byte_kills_the_channel(void **state)
{
	struct pair p;
	struct channel copy;
	uint8_t frame[FRAME_SIZE];
	const uint8_t *msg;
	size_t i, len;

	(void)state;
	pair_open(&p);
	assert_int_equal(channel_send(&p.client, frame, (const uint8_t *)"bye", 3), PERR_OK);
	for (i = 0; i < FRAME_SIZE; i++) {
		copy = p.server;
		frame[i] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(feed(&copy, frame, sizeof frame, &msg, &len), PERR_AUTH);
		assert_null(msg);
		assert_int_equal(len, 0);
		is_dead(&copy);
		frame[i] ^= (uint8_t)(1u << i % 8);
	}
}

static void frames_replayed_reordered_or_reflected_are_refused(void **state)
{
	struct pair p;
	struct channel copy;
	uint8_t a[FRAME_SIZE], b[FRAME_SIZE], back[FRAME_SIZE];
	const uint8_t *msg;
	size_t len;

	(void)state;
	pair_open(&p);
	assert_int_equal(channel_send(&p.client, a, (const uint8_t *)"1", 1), PERR_OK);
	assert_int_equal(channel_send(&p.client, b, (const uint8_t *)"2", 1), PERR_OK);
	assert_int_equal(channel_send(&p.server, back, (const uint8_t *)"3", 1), PERR_OK);
	copy = p.server;                 /* reordered, or the first one dropped */
	assert_int_equal(feed(&copy, b, sizeof b, &msg, &len), PERR_AUTH);
	is_dead(&copy);
	copy = p.server;                 /* replayed */
	assert_int_equal(feed(&copy, a, sizeof a, &msg, &len), PERR_OK);
	assert_int_equal(feed(&copy, a, sizeof a, &msg, &len), PERR_AUTH);
	is_dead(&copy);
	copy = p.client;                 /* the client's frame sent back to it */
	assert_int_equal(feed(&copy, a, sizeof a, &msg, &len), PERR_AUTH);
	is_dead(&copy);
	copy = p.server;                 /* the server's frame sent back to it */
	assert_int_equal(feed(&copy, back, sizeof back, &msg, &len), PERR_AUTH);
	is_dead(&copy);
	copy = p.server;                 /* a handshake message where a frame should be */
	assert_int_equal(feed(&copy, p.m1, sizeof p.m1, &msg, &len), PERR_MORE);
	assert_int_equal(feed(&copy, a, FRAME_SIZE - 48, &msg, &len), PERR_AUTH);
	assert_int_equal(feed(&p.server, a, sizeof a, &msg, &len), PERR_OK);
	assert_int_equal(feed(&p.server, b, sizeof b, &msg, &len), PERR_OK);
}

static void frame_truncated_at_every_byte_is_never_a_message(void **state)
{
	struct pair p;
	struct channel copy;
	uint8_t frame[FRAME_SIZE];
	const uint8_t *msg;
	size_t n, len;

	(void)state;
	pair_open(&p);
	assert_int_equal(channel_send(&p.client, frame, (const uint8_t *)"put", 3), PERR_OK);
	for (n = 0; n < FRAME_SIZE; n++) {
		copy = p.server;
		assert_int_equal(feed(&copy, frame, n, &msg, &len), PERR_MORE);
		assert_null(msg);
		assert_int_equal(copy.state, CHANNEL_OPEN);
	}
	/* what follows a cut frame shifts the stream and fails */
	for (n = 1; n < FRAME_SIZE; n += 101) {
		copy = p.server;
		assert_int_equal(feed(&copy, frame, FRAME_SIZE - n, &msg, &len), PERR_MORE);
		assert_int_equal(feed(&copy, frame, n, &msg, &len), PERR_AUTH);
		is_dead(&copy);
	}
}

/* the peer holds the keys and lies inside the frame */
static void lies_inside_a_frame_kill_the_channel(void **state)
{
	struct pair p;
	struct channel from, to;
	uint8_t plain[FRAME_PLAIN] = { 0 }, frame[FRAME_SIZE];
	const uint8_t *msg;
	size_t len, n;

	(void)state;
	pair_open(&p);
	for (n = FRAME_MSG_MAX + 1; n < 65536; n += 911) {
		from = p.client;
		to = p.server;
		plain[0] = (uint8_t)(n >> 8);
		plain[1] = (uint8_t)n;
		assert_int_equal(noise_encrypt(&from.own.tx, frame, plain, sizeof plain), PERR_OK);
		assert_int_equal(feed(&to, frame, sizeof frame, &msg, &len), PERR_FORMAT);
		assert_null(msg);
		is_dead(&to);
	}
	plain[0] = 0;
	for (n = 0; n < 3; n++) {
		static const size_t at[] = { 2 + 5, 3000, FRAME_PLAIN - 1 };

		from = p.client;
		to = p.server;
		plain[1] = 5;
		plain[at[n]] = 1;
		assert_int_equal(noise_encrypt(&from.own.tx, frame, plain, sizeof plain), PERR_OK);
		assert_int_equal(feed(&to, frame, sizeof frame, &msg, &len), PERR_FORMAT);
		is_dead(&to);
		plain[at[n]] = 0;
	}
}

static void counter_at_its_limit_ends_the_channel(void **state)
{
	struct pair p;
	uint8_t frame[FRAME_SIZE];
	const uint8_t *msg;
	size_t len;

	(void)state;
	pair_open(&p);
	p.client.own.tx.n = p.server.own.rx.n = UINT64_MAX - 1;
	assert_int_equal(channel_send(&p.client, frame, (const uint8_t *)"z", 1), PERR_OK);
	assert_int_equal(feed(&p.server, frame, sizeof frame, &msg, &len), PERR_OK);
	assert_int_equal(channel_send(&p.client, frame, (const uint8_t *)"z", 1), PERR_STATE);
	assert_zero(frame, sizeof frame);
	is_dead(&p.client);
	assert_int_equal(feed(&p.server, frame, sizeof frame, &msg, &len), PERR_AUTH);
	is_dead(&p.server);
}

static void dead_is_never_left(void **state)
{
	struct pair p;
	uint8_t frame[FRAME_SIZE], out[48];
	const uint8_t *msg;
	size_t len, used, which;

	(void)state;
	pair_open(&p);
	assert_int_equal(channel_send(&p.client, frame, (const uint8_t *)"x", 1), PERR_OK);
	channel_kill(&p.server);
	is_dead(&p.server);
	assert_int_equal(channel_recv(&p.server, frame, sizeof frame, &used, &msg, &len),
	                 PERR_STATE);
	assert_int_equal(used, 0);
	assert_int_equal(channel_recv(&p.server, p.m1, 48, &used, &msg, &len), PERR_STATE);
	assert_int_equal(channel_send(&p.server, frame, NULL, 0), PERR_STATE);
	assert_int_equal(channel_accept(&p.server, out, &which, p.server_sk, p.server_pk,
	                                keys_of(&p), 3, rng_system()), PERR_STATE);
	channel_kill(&p.server);
	is_dead(&p.server);
}

/* every call in every state: only the pairs that the header names may do anything */
static void calls_in_the_wrong_state_change_nothing(void **state)
{
	static const enum channel_state states[] = {
		CHANNEL_AWAIT_1, CHANNEL_REPLY, CHANNEL_AWAIT_2, CHANNEL_OPEN, CHANNEL_DEAD
	};
	struct pair p;
	const uint8_t *msg;
	uint8_t frame[FRAME_SIZE], out[48];
	size_t i, used, len, which, wrong = 0;

	(void)state;
	for (i = 0; i < 5; i++) {
		struct channel c, before;

		pair_new(&p);
		c = p.server;
		if (states[i] == CHANNEL_REPLY)
			assert_int_equal(feed(&c, p.m1, 48, &msg, &len), PERR_OK);
		if (states[i] == CHANNEL_AWAIT_2)
			c = p.client;
		if (states[i] == CHANNEL_OPEN) {
			pair_open(&p);
			c = p.server;
		}
		if (states[i] == CHANNEL_DEAD)
			channel_kill(&c);
		assert_int_equal(c.state, states[i]);
		before = c;
		if (states[i] != CHANNEL_OPEN) {
			assert_int_equal(channel_send(&c, frame, NULL, 0), PERR_STATE);
			wrong++;
		}
		if (states[i] != CHANNEL_REPLY) {
			assert_int_equal(channel_accept(&c, out, &which, p.server_sk, p.server_pk,
			                                keys_of(&p), 3, rng_system()), PERR_STATE);
			wrong++;
		}
		if (states[i] == CHANNEL_REPLY || states[i] == CHANNEL_DEAD) {
			assert_int_equal(channel_recv(&c, p.m1, 48, &used, &msg, &len), PERR_STATE);
			assert_int_equal(used, 0);
			wrong++;
		}
		assert_memory_equal(&c, &before, sizeof c);
	}
	printf("figure: channel calls refused in the wrong state: %zu/10\n", wrong);
}

static void keys_of_a_server_say_nothing_about_another(void **state)
{
	uint8_t access[32] = { 5 }, a[32] = { 1 }, b[32] = { 2 }, da[32], db[32], other[32] = { 6 };

	(void)state;
	channel_access(da, access, a);
	channel_access(db, access, b);
	assert_memory_not_equal(da, db, 32);
	channel_access(db, other, a);
	assert_memory_not_equal(da, db, 32);
	channel_access(db, access, a);
	assert_memory_equal(da, db, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_layout),
		cmocka_unit_test(messages_of_every_length_arrive_both_ways),
		cmocka_unit_test(message_may_lie_inside_the_frame),
		cmocka_unit_test(stream_may_be_cut_anywhere),
		cmocka_unit_test(first_message_altered_in_any_bit_gets_silence),
		cmocka_unit_test(first_message_of_small_order_looks_like_any_other_failure),
		cmocka_unit_test(handshake_cut_at_every_byte_stays_silent),
		cmocka_unit_test(of_a_key_that_is_there_twice_the_last_one_counts),
		cmocka_unit_test(wrong_key_server_or_prologue_is_refused),
		cmocka_unit_test(unusable_server_key_is_refused_before_a_byte_leaves),
		cmocka_unit_test(replayed_first_message_shows_its_e_and_opens_nothing),
		cmocka_unit_test(answer_altered_or_reflected_kills_the_client),
		cmocka_unit_test(frame_altered_in_any_byte_kills_the_channel),
		cmocka_unit_test(frames_replayed_reordered_or_reflected_are_refused),
		cmocka_unit_test(frame_truncated_at_every_byte_is_never_a_message),
		cmocka_unit_test(lies_inside_a_frame_kill_the_channel),
		cmocka_unit_test(counter_at_its_limit_ends_the_channel),
		cmocka_unit_test(dead_is_never_left),
		cmocka_unit_test(calls_in_the_wrong_state_change_nothing),
		cmocka_unit_test(keys_of_a_server_say_nothing_about_another),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
