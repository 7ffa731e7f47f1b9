/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "browser.h"

#include <stdlib.h>
#include <string.h>

enum browser_phase {
	BROWSER_SNIFF,               /* the first four bytes */
	BROWSER_REQUEST,
	BROWSER_ASKED,               /* the request is whole; is its first message one of ours? */
	BROWSER_MESSAGES,
	BROWSER_OVER
};

struct browser {
	enum browser_phase phase;
	size_t n_sniffed;
	const struct upgrade_origins *origins;
	struct upgrade *request;         /* until it is answered */
	bool saying;
	struct ws ws;
	uint8_t pong[WS_CONTROL_MAX];
};

static const uint8_t start[UPGRADE_START_LEN + 1] = UPGRADE_START;

bool browser_may_begin(uint8_t byte)
{
	return byte == start[0];
}

enum perr browser_new(struct browser **out, const struct upgrade_origins *origins)
{
	struct browser *w = calloc(1, sizeof *w);

	*out = w;
	if (w == NULL)
		return PERR_NOMEM;
	w->origins = origins;
	ws_init(&w->ws);
	return PERR_OK;
}

void browser_free(struct browser *w)
{
	if (w == NULL)
		return;
	upgrade_free(w->request);
	ws_end(&w->ws);
	free(w);
}

static enum browser_event over(struct browser *w, enum browser_event event)
{
	upgrade_free(w->request);
	w->request = NULL;
	w->phase = BROWSER_OVER;
	return event;
}

/* PROTOCOL 5.3: "`GET ` begins an HTTP request, anything else a handshake message." */
static enum browser_event sniff(struct browser *w, const uint8_t *in, size_t in_len,
                            struct ws_part *part)
{
	while (part->used < in_len && w->n_sniffed < UPGRADE_START_LEN) {
		if (in[part->used] != start[w->n_sniffed]) {
			/* what was taken so far is known by its number */
			part->bytes = start;
			part->len = w->n_sniffed;
			return over(w, BROWSER_PLAIN);
		}
		part->used++;
		w->n_sniffed++;
	}
	if (w->n_sniffed < UPGRADE_START_LEN)
		return BROWSER_MORE;
	if (upgrade_new(&w->request, w->origins) != PERR_OK)
		return over(w, BROWSER_BROKEN);
	w->phase = BROWSER_REQUEST;
	if (upgrade_recv(w->request, start, UPGRADE_START_LEN) != PERR_MORE)
		return over(w, BROWSER_OUTSIDER);
	return BROWSER_MORE;
}

static enum browser_event request(struct browser *w, const uint8_t *in, size_t in_len,
                              struct ws_part *part)
{
	enum perr err;

	if (in_len == 0)
		return BROWSER_MORE;
	part->used += in_len;
	err = upgrade_recv(w->request, in, in_len);
	if (err == PERR_MORE)
		return BROWSER_MORE;
	if (err != PERR_OK)
		return over(w, BROWSER_OUTSIDER);
	w->phase = BROWSER_ASKED;
	part->bytes = upgrade_first(w->request);
	part->len = NOISE_MSG_SIZE;
	return BROWSER_FIRST;
}

static enum browser_event pong(struct browser *w, struct ws_part *part)
{
	/* RFC 6455 section 5.5.3: whoever gets several pings may answer the last one only */
	if (w->saying)
		return BROWSER_MORE;
	part->len = ws_pong(w->pong, part->bytes, part->len);
	part->bytes = w->pong;
	if (part->len == 0)
		return over(w, BROWSER_BROKEN);
	w->saying = true;
	return BROWSER_SAY;
}

static enum browser_event messages(struct browser *w, const uint8_t *in, size_t in_len,
                               uint64_t now_ms, struct ws_part *part)
{
	switch (ws_recv(&w->ws, in, in_len, now_ms, part)) {
	case WS_MORE:
		return BROWSER_MORE;
	case WS_PAYLOAD:
		return BROWSER_BYTES;
	case WS_PING:
		return pong(w, part);
	case WS_CLOSE:
		return BROWSER_END;
	case WS_BROKEN:
	case WS_NOMEM:
		break;
	}
	return over(w, BROWSER_BROKEN);
}

enum browser_event browser_recv(struct browser *w, const uint8_t *in, size_t in_len,
                                uint64_t now_ms, struct ws_part *part)
{
	enum browser_event event = BROWSER_MORE;

	part->used = part->len = 0;
	part->bytes = NULL;
	switch (w->phase) {
	case BROWSER_SNIFF:
		event = sniff(w, in, in_len, part);
		if (event != BROWSER_MORE || w->phase != BROWSER_REQUEST)
			return event;
		in += part->used;
		in_len -= part->used;
		/* fall through */
	case BROWSER_REQUEST:
		return request(w, in, in_len, part);
	case BROWSER_MESSAGES:
		return messages(w, in, in_len, now_ms, part);
	case BROWSER_ASKED:
	case BROWSER_OVER:
		break;
	}
	return BROWSER_BROKEN;
}

void browser_settle(struct browser *w)
{
	ws_settle(&w->ws);
}

size_t browser_open(struct browser *w, char out[UPGRADE_ANSWER_MAX])
{
	size_t len = upgrade_answer(w->request, out);

	upgrade_free(w->request);
	w->request = NULL;
	w->phase = BROWSER_MESSAGES;
	return len;
}

bool browser_is_open(const struct browser *w)
{
	return w->phase == BROWSER_MESSAGES;
}

void browser_said(struct browser *w)
{
	w->saying = false;
}
