/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "channel.h"

#include <sodium.h>
#include <string.h>

static const char access_label[] = "amparo/1 access";

void channel_access(uint8_t derived[32], const uint8_t access_key[32],
                    const uint8_t server_pk[32])
{
	uint8_t in[sizeof access_label - 1 + 32];

	memcpy(in, access_label, sizeof access_label - 1);
	memcpy(in + sizeof access_label - 1, server_pk, 32);
	crypto_generichash(derived, 32, in, sizeof in, access_key, 32);
}

static struct channel_keys *keys(struct channel *c)
{
	return c->placed != NULL ? c->placed : &c->own;
}

void channel_kill(struct channel *c)
{
	sodium_memzero(keys(c), sizeof (struct channel_keys));
	sodium_memzero(c, sizeof *c);
	c->state = CHANNEL_DEAD;
}

static enum perr die(struct channel *c, enum perr err)
{
	channel_kill(c);
	return err;
}

static void opened(struct channel *c)
{
	uint8_t hash[NOISE_HASH_SIZE];
	struct channel_keys *k = keys(c);

	if (c->is_client)
		noise_split(&k->hs, &k->tx, &k->rx, hash);
	else
		noise_split(&k->hs, &k->rx, &k->tx, hash);
	noise_wipe(&k->hs);
	sodium_memzero(hash, sizeof hash);
	sodium_memzero(c->in, NOISE_MSG_SIZE);
	c->in_len = 0;
	c->state = CHANNEL_OPEN;
}

/* Handshake. */

/* PROTOCOL 5.3: "a client draws another E if the first begins with 16 03 or with `GET `" */
static bool looks_like_another(const uint8_t e[32])
{
	return (e[0] == 0x16 && e[1] == 0x03) || memcmp(e, "GET ", 4) == 0;
}

enum perr channel_connect(struct channel *c, uint8_t out[NOISE_MSG_SIZE],
                          const uint8_t server_pk[32], const uint8_t derived_access[32],
                          struct rng rng)
{
	enum perr err;

	sodium_memzero(c, sizeof *c);
	c->is_client = true;
	do {
		err = noise_write_1(&keys(c)->hs, out, (const uint8_t *)CHANNEL_PROLOGUE,
		                    sizeof CHANNEL_PROLOGUE - 1, server_pk, derived_access, NULL,
		                    0, rng);
	} while (err == PERR_OK && looks_like_another(out));
	if (err != PERR_OK)
		return die(c, err);
	c->state = CHANNEL_AWAIT_2;
	return PERR_OK;
}

void channel_listen(struct channel *c)
{
	channel_listen_in(c, NULL);
}

void channel_listen_in(struct channel *c, struct channel_keys *placed)
{
	sodium_memzero(c, sizeof *c);
	c->placed = placed;
	sodium_memzero(keys(c), sizeof (struct channel_keys));
	c->state = CHANNEL_AWAIT_1;
}

const uint8_t *channel_first(const struct channel *c)
{
	return c->in;
}

enum perr channel_accept(struct channel *c, uint8_t out[NOISE_MSG_SIZE], size_t *which,
                         const uint8_t server_sk[32], const uint8_t server_pk[32],
                         const uint8_t (*derived)[32], size_t n_derived, struct rng rng)
{
	enum perr err;

	if (c->state != CHANNEL_REPLY)
		return PERR_STATE;
	err = noise_read_1(&keys(c)->hs, which, NULL, c->in, NOISE_MSG_SIZE,
	                   (const uint8_t *)CHANNEL_PROLOGUE, sizeof CHANNEL_PROLOGUE - 1,
	                   server_sk, server_pk, derived, n_derived);
	/* a small-order E is one more way of not holding a key */
	if (err != PERR_OK)
		return die(c, PERR_AUTH);
	err = noise_write_2(&keys(c)->hs, out, NULL, 0, rng);
	if (err != PERR_OK)
		return die(c, PERR_AUTH);
	opened(c);
	return PERR_OK;
}

/* Frames. */

enum perr channel_send(struct channel *c, uint8_t out[FRAME_SIZE], const uint8_t *msg,
                       size_t msg_len)
{
	enum perr err;

	if (c->state != CHANNEL_OPEN)
		return PERR_STATE;
	if (msg_len > FRAME_MSG_MAX)
		return PERR_RANGE;
	/* msg may lie inside out, where a caller composed it */
	if (msg_len > 0)
		memmove(out + 2, msg, msg_len);
	out[0] = (uint8_t)(msg_len >> 8);
	out[1] = (uint8_t)msg_len;
	memset(out + 2 + msg_len, 0, FRAME_MSG_MAX - msg_len);
	err = noise_encrypt(&keys(c)->tx, out, out, FRAME_PLAIN);
	if (err != PERR_OK) {
		sodium_memzero(out, FRAME_SIZE);
		return die(c, err);
	}
	return PERR_OK;
}

/* sodium_is_zero takes its time byte by byte, more than the cipher */
static bool is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* a whole frame at in, decrypted into c->in */
static enum perr open_frame(struct channel *c, const uint8_t *in, const uint8_t **msg,
                            size_t *msg_len)
{
	size_t len;

	if (noise_decrypt(&keys(c)->rx, c->in, in, FRAME_SIZE) != PERR_OK)
		return die(c, PERR_AUTH);
	len = (size_t)c->in[0] << 8 | c->in[1];
	/*
	 * The peer holds the key and still may lie.  PROTOCOL 1: "`zeros` are bytes 0x00. A reader
	 * checks that they are."
	 */
	if (len > FRAME_MSG_MAX || !is_zero(c->in + 2 + len, FRAME_MSG_MAX - len))
		return die(c, PERR_FORMAT);
	*msg = c->in + 2;
	*msg_len = len;
	return PERR_OK;
}

static size_t message_size(const struct channel *c)
{
	return c->state == CHANNEL_OPEN ? FRAME_SIZE : NOISE_MSG_SIZE;
}

enum perr channel_recv(struct channel *c, const uint8_t *in, size_t in_len, size_t *used,
                       const uint8_t **msg, size_t *msg_len)
{
	size_t want;

	*used = 0;
	*msg = NULL;
	*msg_len = 0;
	if (c->state == CHANNEL_DEAD || c->state == CHANNEL_REPLY)
		return PERR_STATE;
	want = message_size(c) - c->in_len;
	/* the usual case: a frame arrives whole and is not copied before it is opened */
	if (c->state == CHANNEL_OPEN && c->in_len == 0 && in_len >= FRAME_SIZE) {
		*used = FRAME_SIZE;
		return open_frame(c, in, msg, msg_len);
	}
	*used = in_len < want ? in_len : want;
	if (*used > 0)
		memcpy(c->in + c->in_len, in, *used);
	c->in_len += *used;
	if (*used < want)
		return PERR_MORE;

	switch (c->state) {
	case CHANNEL_AWAIT_1:
		c->state = CHANNEL_REPLY;
		return PERR_OK;
	case CHANNEL_AWAIT_2:
		if (noise_read_2(&keys(c)->hs, NULL, c->in, NOISE_MSG_SIZE) != PERR_OK)
			return die(c, PERR_AUTH);
		opened(c);
		return PERR_OK;
	case CHANNEL_OPEN:
		c->in_len = 0;
		return open_frame(c, c->in, msg, msg_len);
	case CHANNEL_REPLY:
	case CHANNEL_DEAD:
		break;
	}
	return die(c, PERR_STATE);
}
