/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What a browser, or anybody who says to be one, may send: first byte even: from the first byte
 * of the connection on; odd: after the answer, frames.  A second byte says how the rest is cut.
 * However it is cut, the same comes out: the same bytes for the session, the same end.  Pieces
 * never go beyond a frame of the channel, at most 60 pings come, what was opened was asked for
 * as PROTOCOL 5.3 says, and between two messages no memory is held.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "browser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOLD_MAX 70000

/* what came out of one run */
struct told {
	enum browser_event end;              /* BROWSER_MORE: it goes on */
	size_t len, says;
	bool opened;
	uint8_t bytes[TOLD_MAX];
};

static const struct upgrade_origins origins = { 2, { "https://forms.example.org", "null" } };
static const char request[] =
	"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: null\r\n"
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	"Sec-WebSocket-Protocol:"
	" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\r\n\r\n";

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void keep(struct told *t, const uint8_t *bytes, size_t len)
{
	must(len <= TOLD_MAX - t->len);
	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
}

static void open_it(struct browser *w, struct told *t)
{
	char out[UPGRADE_ANSWER_MAX];
	size_t len = browser_open(w, out);

	must(len > 100 && len < sizeof out && browser_is_open(w));
	must(memcmp(out, "HTTP/1.1 101 ", 13) == 0);
	t->opened = true;
}

/* false: nothing further is taken */
static bool on_event(struct browser *w, enum browser_event e, const struct ws_part *part, size_t *in_frame,
                     struct told *t)
{
	switch (e) {
	case BROWSER_MORE:
		return true;
	case BROWSER_BYTES:
		must(part->len > 0 && part->len <= FRAME_SIZE - *in_frame);
		*in_frame = (*in_frame + part->len) % FRAME_SIZE;
		keep(t, part->bytes, part->len);
		return true;
	case BROWSER_FIRST:
		must(part->len == NOISE_MSG_SIZE);
		keep(t, part->bytes, part->len);
		open_it(w, t);
		return true;
	case BROWSER_SAY:
		must(part->len >= 2 && part->len <= WS_CONTROL_MAX && part->bytes[0] == 0x8a);
		must(part->bytes[1] == part->len - 2);
		keep(t, part->bytes, part->len);
		browser_said(w);
		t->says++;
		return true;
	case BROWSER_PLAIN:
		must(part->len < UPGRADE_START_LEN);
		keep(t, part->bytes, part->len);
		break;
	case BROWSER_END:
	case BROWSER_OUTSIDER:
	case BROWSER_BROKEN:
		break;
	}
	t->end = e;
	return false;
}

/* piece 0: all at once */
static void run(const uint8_t *data, size_t size, bool opened, size_t piece, struct told *t)
{
	size_t at = 0, in_frame = 0;
	struct ws_part part;
	struct browser *w;
	bool more = true;

	t->end = BROWSER_MORE;
	t->len = t->says = 0;
	t->opened = false;
	must(browser_new(&w, &origins) == PERR_OK);
	if (opened) {
		must(browser_recv(w, (const uint8_t *)request, sizeof request - 1, 0, &part) ==
		     BROWSER_FIRST);
		open_it(w, t);
	}
	while (more && at < size) {
		size_t n = piece > 0 && piece < size - at ? piece : size - at, used = 0;
		uint8_t *copy = malloc(n);

		must(copy != NULL);
		memcpy(copy, data + at, n);
		while (more && used < n) {
			enum browser_event e = browser_recv(w, copy + used, n - used, 1, &part);

			must(part.used <= n - used);
			/* a step that takes nothing says something */
			must(part.used > 0 || e != BROWSER_MORE);
			used += part.used;
			more = on_event(w, e, &part, &in_frame, t);
			/* nothing may follow a request before its answer */
			if (e == BROWSER_FIRST && used < n)
				must(false);
		}
		free(copy);
		at += n;
	}
	must(t->says <= WS_PINGS);
	browser_settle(w);
	browser_free(w);
}

/* what was opened is in the input, spelt as it must be */
static void check_opened(const uint8_t *data, size_t size, const struct told *t)
{
	char text[80];

	sodium_bin2base64(text, sizeof text, t->bytes, NOISE_MSG_SIZE,
	                  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	must(size > 16 && memcmp(data, "GET / HTTP/1.1\r\n", 16) == 0);
	must(memmem(data, size, text, 64) != NULL);
	must(memmem(data, size, "null", 4) != NULL || memmem(data, size, "file://", 7) != NULL ||
	     memmem(data, size, "https://forms.example.org", 25) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct told whole, cut;
	bool opened;
	size_t piece;

	if (size < 2 || size > 60000 || sodium_init() < 0)
		return 0;
	opened = data[0] & 1;
	piece = data[1] + 1u;
	data += 2;
	size -= 2;
	if (!opened && (size == 0 || !browser_may_begin(data[0])))
		return 0;
	run(data, size, opened, piece, &cut);
	if (cut.opened && !opened)
		check_opened(data, size, &cut);
	/* all at once a request with something behind it is refused, in pieces it may be answered
	 * before that comes */
	if (opened || !cut.opened) {
		run(data, size, opened, 0, &whole);
		must(whole.end == cut.end || !opened);
		must(whole.len == cut.len && memcmp(whole.bytes, cut.bytes, cut.len) == 0);
		must(opened || whole.end == cut.end);
	}
	return 0;
}
