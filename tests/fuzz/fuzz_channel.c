/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The first byte says what the rest is, the second how the stream is cut:
 *	0  what an outsider sends to a server
 *	1  what somebody in the middle answers to a client
 *	2  plaintext of frames from a peer who holds the keys: what is taken must be sent as
 *	   the very same frame by channel_send
 *	3  lengths of messages between two honest sides: each arrives, whole and in order
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static uint8_t server_sk[32], server_pk[32], derived[2][32];
static uint8_t m1[NOISE_MSG_SIZE], m2[NOISE_MSG_SIZE];
static struct channel client_waits, client_open, server_open;

static void must(int so)
{
	if (!so)
		abort();
}

static struct rng replay(struct rng_seeded *st, uint8_t n)
{
	uint8_t seed[32] = { 0 };

	seed[0] = n;
	return rng_seeded(st, seed);
}

static enum perr accept(struct channel *c, uint8_t out[NOISE_MSG_SIZE])
{
	struct rng_seeded st;
	size_t which = 9;
	enum perr err = channel_accept(c, out, &which, server_sk, server_pk,
	                               (const uint8_t (*)[32])derived, 2, replay(&st, 2));

	must(which == (err == PERR_OK ? 1 : 9));
	return err;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct rng_seeded st;
	const uint8_t *msg;
	size_t used, len;

	(void)argc;
	(void)argv;
	must(sodium_init() >= 0);
	memset(server_sk, 0x42, sizeof server_sk);
	crypto_scalarmult_base(server_pk, server_sk);
	memset(derived[1], 0x17, sizeof derived[1]);
	must(channel_connect(&client_waits, m1, server_pk, derived[1], replay(&st, 1)) == PERR_OK);
	channel_listen(&server_open);
	must(channel_recv(&server_open, m1, sizeof m1, &used, &msg, &len) == PERR_OK);
	must(accept(&server_open, m2) == PERR_OK);
	client_open = client_waits;
	must(channel_recv(&client_open, m2, sizeof m2, &used, &msg, &len) == PERR_OK);
	return 0;
}

static void must_be_dead(struct channel *c)
{
	uint8_t frame[FRAME_SIZE];
	const uint8_t *msg;
	size_t used, len;

	must(c->state == CHANNEL_DEAD);
	must(sodium_is_zero((const uint8_t *)&c->own.hs, sizeof c->own.hs));
	must(sodium_is_zero((const uint8_t *)&c->own.tx, sizeof c->own.tx));
	must(sodium_is_zero((const uint8_t *)&c->own.rx, sizeof c->own.rx));
	must(sodium_is_zero(c->in, sizeof c->in));
	must(channel_recv(c, m1, sizeof m1, &used, &msg, &len) == PERR_STATE && used == 0);
	must(channel_send(c, frame, m1, 1) == PERR_STATE);
}

/* bytes nobody with a key has made; m1 or m2 themselves may be among them */
static void from_outside(struct channel c, const uint8_t *data, size_t size, size_t cut)
{
	uint8_t out[NOISE_MSG_SIZE];
	const uint8_t *msg;
	size_t used, len, at = 0;

	while (at < size) {
		size_t give = size - at < cut ? size - at : cut;
		enum perr err = channel_recv(&c, data + at, give, &used, &msg, &len);

		must(used <= give && (err == PERR_OK || len == 0));
		at += used;
		if (err == PERR_MORE) {
			must(used == give && msg == NULL);
			continue;
		}
		if (err == PERR_OK && c.state == CHANNEL_REPLY) {
			must(at == NOISE_MSG_SIZE);
			must(memcmp(channel_first(&c), data, NOISE_MSG_SIZE) == 0);
			err = accept(&c, out);
			must((err == PERR_OK) == (memcmp(data, m1, sizeof m1) == 0));
		} else if (err == PERR_OK) {
			/* no frame can have come: only the answer to m1 opens anything */
			must(c.is_client && at == NOISE_MSG_SIZE && msg == NULL);
			must(memcmp(data, m2, sizeof m2) == 0);
		}
		if (err != PERR_OK) {
			must(err == PERR_AUTH);
			must_be_dead(&c);
			return;
		}
	}
}

static void from_peer(const uint8_t *data, size_t size, size_t cut)
{
	struct channel from = client_open, to = server_open, twin;

	while (size > 0) {
		uint8_t plain[FRAME_PLAIN] = { 0 }, frame[FRAME_SIZE], again[FRAME_SIZE];
		const uint8_t *msg = NULL;
		size_t take = size < sizeof plain ? size : sizeof plain, used, len = 0, at = 0;
		enum perr err = PERR_MORE;

		memcpy(plain, data, take);
		data += take;
		size -= take;
		twin = from;
		must(noise_encrypt(&from.own.tx, frame, plain, sizeof plain) == PERR_OK);
		while (at < sizeof frame) {
			size_t give = sizeof frame - at < cut ? sizeof frame - at : cut;

			must(err == PERR_MORE);
			err = channel_recv(&to, frame + at, give, &used, &msg, &len);
			must(used == give);
			at += used;
		}
		if (err != PERR_OK) {
			must(err == PERR_FORMAT && msg == NULL && len == 0);
			must_be_dead(&to);
			return;
		}
		must(channel_send(&twin, again, msg, len) == PERR_OK);
		must(memcmp(again, frame, sizeof frame) == 0);
	}
}

static void between_honest(const uint8_t *data, size_t size, size_t cut)
{
	static uint8_t text[FRAME_MSG_MAX];
	struct channel from = server_open, to = client_open;
	size_t i;

	for (i = 0; i + 1 < size && i < 40; i += 2) {
		size_t want = (size_t)(data[i] << 8 | data[i + 1]) % (FRAME_MSG_MAX + 2);
		size_t at = 0, used, len = 0;
		uint8_t frame[FRAME_SIZE];
		const uint8_t *msg = NULL;
		enum perr err = channel_send(&from, frame, text, want);

		must(err == (want > FRAME_MSG_MAX ? PERR_RANGE : PERR_OK));
		if (err != PERR_OK)
			continue;
		for (; at < sizeof frame; at += used) {
			size_t give = sizeof frame - at < cut ? sizeof frame - at : cut;

			err = channel_recv(&to, frame + at, give, &used, &msg, &len);
			must(err == (at + give == sizeof frame ? PERR_OK : PERR_MORE));
		}
		must(len == want && memcmp(msg, text, len) == 0);
		memset(text, data[i], sizeof text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct channel listens;
	size_t cut;

	if (size < 2)
		return 0;
	/* small cuts are the telling ones, but a long stream must not cost a thousand calls */
	cut = size > 512 ? (size_t)data[1] * 32 + 33 : (size_t)data[1] + 1;
	switch (data[0] % 4) {
	case 0:
		channel_listen(&listens);
		from_outside(listens, data + 2, size - 2, cut);
		break;
	case 1:
		from_outside(client_waits, data + 2, size - 2, cut);
		break;
	case 2:
		from_peer(data + 2, size - 2, cut);
		break;
	default:
		between_honest(data + 2, size - 2, cut);
		break;
	}
	return 0;
}
