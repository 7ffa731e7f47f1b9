/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "web.h"

#include <stdlib.h>
#include <string.h>

enum web_phase {
	WEB_SNIFF,               /* the first four bytes */
	WEB_REQUEST,
	WEB_ASKED,               /* the request is whole; is its first message one of ours? */
	WEB_MESSAGES,
	WEB_OVER
};

struct web {
	enum web_phase phase;
	size_t n_sniffed;
	const struct upgrade_origins *origins;
	struct upgrade *request;         /* until it is answered */
	bool saying;
	struct ws ws;
	uint8_t pong[WS_CONTROL_MAX];
};

static const uint8_t start[UPGRADE_START_LEN + 1] = UPGRADE_START;

bool web_may_begin(uint8_t byte)
{
	return byte == start[0];
}

enum perr web_new(struct web **out, const struct upgrade_origins *origins)
{
	struct web *w = calloc(1, sizeof *w);

	*out = w;
	if (w == NULL)
		return PERR_NOMEM;
	w->origins = origins;
	ws_init(&w->ws);
	return PERR_OK;
}

void web_free(struct web *w)
{
	if (w == NULL)
		return;
	upgrade_free(w->request);
	ws_end(&w->ws);
	free(w);
}

static enum web_event over(struct web *w, enum web_event event)
{
	upgrade_free(w->request);
	w->request = NULL;
	w->phase = WEB_OVER;
	return event;
}

/* PROTOCOL 5.3: "`GET ` begins an HTTP request, anything else a handshake message." */
static enum web_event sniff(struct web *w, const uint8_t *in, size_t in_len,
                            struct ws_part *part)
{
	while (part->used < in_len && w->n_sniffed < UPGRADE_START_LEN) {
		if (in[part->used] != start[w->n_sniffed]) {
			/* what was taken so far is known by its number */
			part->bytes = start;
			part->len = w->n_sniffed;
			return over(w, WEB_PLAIN);
		}
		part->used++;
		w->n_sniffed++;
	}
	if (w->n_sniffed < UPGRADE_START_LEN)
		return WEB_MORE;
	if (upgrade_new(&w->request, w->origins) != PERR_OK)
		return over(w, WEB_BROKEN);
	w->phase = WEB_REQUEST;
	if (upgrade_recv(w->request, start, UPGRADE_START_LEN) != PERR_MORE)
		return over(w, WEB_OUTSIDER);
	return WEB_MORE;
}

static enum web_event request(struct web *w, const uint8_t *in, size_t in_len,
                              struct ws_part *part)
{
	enum perr err;

	if (in_len == 0)
		return WEB_MORE;
	part->used += in_len;
	err = upgrade_recv(w->request, in, in_len);
	if (err == PERR_MORE)
		return WEB_MORE;
	if (err != PERR_OK)
		return over(w, WEB_OUTSIDER);
	w->phase = WEB_ASKED;
	part->bytes = upgrade_first(w->request);
	part->len = NOISE_MSG_SIZE;
	return WEB_FIRST;
}

static enum web_event pong(struct web *w, struct ws_part *part)
{
	/* RFC 6455 section 5.5.3: whoever gets several pings may answer the last one only */
	if (w->saying)
		return WEB_MORE;
	part->len = ws_pong(w->pong, part->bytes, part->len);
	part->bytes = w->pong;
	if (part->len == 0)
		return over(w, WEB_BROKEN);
	w->saying = true;
	return WEB_SAY;
}

static enum web_event messages(struct web *w, const uint8_t *in, size_t in_len,
                               uint64_t now_ms, struct ws_part *part)
{
	switch (ws_recv(&w->ws, in, in_len, now_ms, part)) {
	case WS_MORE:
		return WEB_MORE;
	case WS_PAYLOAD:
		return WEB_BYTES;
	case WS_PING:
		return pong(w, part);
	case WS_CLOSE:
		return WEB_END;
	case WS_BROKEN:
	case WS_NOMEM:
		break;
	}
	return over(w, WEB_BROKEN);
}

enum web_event web_recv(struct web *w, const uint8_t *in, size_t in_len, uint64_t now_ms,
                        struct ws_part *part)
{
	enum web_event event = WEB_MORE;

	part->used = part->len = 0;
	part->bytes = NULL;
	switch (w->phase) {
	case WEB_SNIFF:
		event = sniff(w, in, in_len, part);
		if (event != WEB_MORE || w->phase != WEB_REQUEST)
			return event;
		in += part->used;
		in_len -= part->used;
		/* fall through */
	case WEB_REQUEST:
		return request(w, in, in_len, part);
	case WEB_MESSAGES:
		return messages(w, in, in_len, now_ms, part);
	case WEB_ASKED:
	case WEB_OVER:
		break;
	}
	return WEB_BROKEN;
}

void web_settle(struct web *w)
{
	ws_settle(&w->ws);
}

size_t web_open(struct web *w, char out[UPGRADE_ANSWER_MAX])
{
	size_t len = upgrade_answer(w->request, out);

	upgrade_free(w->request);
	w->request = NULL;
	w->phase = WEB_MESSAGES;
	return len;
}

bool web_is_open(const struct web *w)
{
	return w->phase == WEB_MESSAGES;
}

void web_said(struct web *w)
{
	w->saying = false;
}
