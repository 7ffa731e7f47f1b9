/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Frames of a WebSocket (ws.h), and what comes before them (browser.h). */
#include "browser.h"

#include <sodium.h>
#include <stdlib.h>
#include <wslay/wslay.h>

#include "hex.h"
#include "starve.h"

static uint8_t body[70000];

/* one frame as a client says it, by hand */
static size_t frame(uint8_t *out, uint8_t first, bool mask, size_t len)
{
	static const uint8_t key[4] = { 0xa1, 0x02, 0x83, 0x44 };
	size_t n = 0, i;

	out[n++] = first;
	if (len < 126) {
		out[n++] = (uint8_t)len;
	} else if (len < 65536) {
		out[n++] = 126;
		out[n++] = (uint8_t)(len >> 8);
		out[n++] = (uint8_t)len;
	} else {
		out[n++] = 127;
		memset(out + n, 0, 4);
		n += 4;
		for (i = 0; i < 4; i++)
			out[n++] = (uint8_t)(len >> (24 - 8 * i));
	}
	out[1] |= mask ? 0x80 : 0;
	for (i = 0; mask && i < 4; i++)
		out[n++] = key[i];
	for (i = 0; i < len; i++)
		out[n++] = body[i] ^ (mask ? key[i % 4] : 0);
	return n;
}

struct heard {
	uint8_t bytes[4 * FRAME_SIZE];
	size_t len, pings;
	enum ws_event last;
};

/* pieces of at most `piece` bytes, each in memory of its own */
static void hear(struct ws *w, const uint8_t *in, size_t len, size_t piece, struct heard *h)
{
	struct ws_part part;
	size_t at = 0;

	h->last = WS_MORE;
	while (at < len) {
		size_t n = len - at < piece ? len - at : piece, used = 0;
		uint8_t *copy = malloc(n);

		memcpy(copy, in + at, n);
		while (used < n) {
			enum ws_event e = ws_recv(w, copy + used, n - used, 1000, &part);

			used += part.used;
			if (e == WS_PAYLOAD) {
				assert_true(h->len + part.len <= sizeof h->bytes);
				memcpy(h->bytes + h->len, part.bytes, part.len);
				h->len += part.len;
			}
			h->pings += e == WS_PING;
			if (e != WS_PAYLOAD && e != WS_MORE && e != WS_PING) {
				h->last = e;
				free(copy);
				return;
			}
		}
		free(copy);
		at += n;
	}
}

static void ws_hands_out_frames_cut_anywhere(void **state)
{
	static uint8_t in[3 * (FRAME_SIZE + 8) + 20];
	static struct heard h;
	const size_t pieces[] = { 1, 2, 3, 7, 100, 4096, FRAME_SIZE, FRAME_SIZE + 8, 9000, 20000 };
	size_t len = 0, i;
	struct ws w;

	len += frame(in, 0x82, true, FRAME_SIZE);
	len += frame(in + len, 0x89, true, 5);
	len += frame(in + len, 0x82, true, FRAME_SIZE);
	len += frame(in + len, 0x8a, true, 0);
	len += frame(in + len, 0x82, true, FRAME_SIZE);
	for (i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		memset(&h, 0, sizeof h);
		ws_init(&w);
		hear(&w, in, len, pieces[i], &h);
		assert_int_equal(h.last, WS_MORE);
		assert_int_equal(h.len, 3 * FRAME_SIZE);
		assert_int_equal(h.pings, 1);
		assert_memory_equal(h.bytes, body, FRAME_SIZE);
		assert_memory_equal(h.bytes + FRAME_SIZE, body, FRAME_SIZE);
		assert_memory_equal(h.bytes + 2 * FRAME_SIZE, body, FRAME_SIZE);
		/* between two messages nothing is held */
		ws_settle(&w);
		assert_null(w.frame);
		ws_end(&w);
	}
}

static void ws_never_hands_out_beyond_a_message(void **state)
{
	static uint8_t in[2 * (FRAME_SIZE + 8)];
	struct ws_part part;
	size_t at = 0, got = 0, len = frame(in, 0x82, true, FRAME_SIZE);
	struct ws w;

	len += frame(in + len, 0x82, true, FRAME_SIZE);
	ws_init(&w);
	while (got < FRAME_SIZE) {
		if (ws_recv(&w, in + at, len - at, 0, &part) == WS_PAYLOAD)
			got += part.len;
		at += part.used;
	}
	assert_int_equal(got, FRAME_SIZE);
	assert_int_equal(at, FRAME_SIZE + 8);
	ws_end(&w);
}

static void ws_ends_at_whatever_is_no_message_of_one_frame(void **state)
{
	static uint8_t in[70020];
	static struct heard h;
	size_t n_refused = 0, len, k;
	unsigned first, mask;
	const size_t lens[] = { 0, 1, 2, 48, 125, 126, FRAME_SIZE - 1, FRAME_SIZE, FRAME_SIZE + 1,
	                        65535, 65536 };
	struct ws w;

	/* every first byte there is, masked and not, with these lengths */
	for (first = 0; first < 256; first++)
		for (mask = 0; mask < 2; mask++)
			for (k = 0; k < sizeof lens / sizeof lens[0]; k++) {
				bool good = mask == 1 && first == 0x82 && lens[k] == FRAME_SIZE;
				bool ping = mask == 1 && (first == 0x89 || first == 0x8a) &&
				            lens[k] <= 125;
				bool end = mask == 1 && first == 0x88 && lens[k] <= 125 &&
				           lens[k] != 1;

				memset(&h, 0, sizeof h);
				ws_init(&w);
				len = frame(in, (uint8_t)first, mask == 1, lens[k]);
				hear(&w, in, len, 5000, &h);
				if (good || ping || end) {
					assert_int_equal(h.last, end ? WS_CLOSE : WS_MORE);
					assert_int_equal(h.len, good ? FRAME_SIZE : 0);
					assert_int_equal(h.pings, first == 0x89);
				} else if (h.last != WS_BROKEN || h.len != 0) {
					fail_msg("taken: %02x, mask %u, %zu bytes", first, mask,
					         lens[k]);
				} else {
					n_refused++;
				}
				ws_end(&w);
			}
	printf("figure: kinds of frame refused: %zu of %zu\n", n_refused,
	       256 * 2 * sizeof lens / sizeof lens[0]);
	/* good 1, ping and pong at 5 lengths, close at 4 */
	assert_int_equal(n_refused, 256 * 2 * 11 - 1 - 10 - 4);
}

static void ws_refuses_a_length_in_a_longer_form_than_needed(void **state)
{
	static const uint8_t in[2][16] = {
		{ 0x89, 0xfe, 0, 5, 1, 2, 3, 4, 0, 0, 0, 0, 0 },
		{ 0x82, 0xff, 0, 0, 0, 0, 0, 0, 0x10, 0x60, 1, 2, 3, 4, 0, 0 },
	};
	static struct heard h;
	struct ws w;
	int i;

	for (i = 0; i < 2; i++) {
		memset(&h, 0, sizeof h);
		ws_init(&w);
		hear(&w, in[i], sizeof in[i], 100, &h);
		assert_int_equal(h.last, WS_BROKEN);
		/* for good */
		hear(&w, in[i], sizeof in[i], 100, &h);
		assert_int_equal(h.last, WS_BROKEN);
		ws_end(&w);
	}
}

static void ws_bounds_pings_and_pongs(void **state)
{
	uint8_t in[8];
	size_t len = frame(in, 0x8a, true, 0), i;
	struct ws_part part;
	struct ws w;

	ws_init(&w);
	for (i = 0; i < WS_PINGS; i++)
		assert_int_equal(ws_recv(&w, in, len, 1000, &part), WS_MORE);
	assert_int_equal(ws_recv(&w, in, len, 1000, &part), WS_BROKEN);
	ws_end(&w);
	/* one a second goes on for ever */
	ws_init(&w);
	for (i = 0; i < 10 * WS_PINGS; i++)
		assert_int_equal(ws_recv(&w, in, len, 1000 * (i + 1), &part), WS_MORE);
	ws_end(&w);
}

static void ws_writes_what_a_client_reads(void **state)
{
	static const uint8_t frame_head[4] = { 0x82, 126, 0x10, 0x60 }, first_head[2] = { 0x82, 48 };
	static const uint8_t end[4] = { 0x88, 2, 0x03, 0xe8 };
	uint8_t out[WS_CONTROL_MAX];
	size_t len;

	assert_int_equal(ws_head(out, FRAME_SIZE), 4);
	assert_memory_equal(out, frame_head, 4);
	assert_int_equal(ws_head(out, NOISE_MSG_SIZE), 2);
	assert_memory_equal(out, first_head, 2);
	for (len = 0; len <= 125; len++) {
		assert_int_equal(ws_pong(out, body, len), len + 2);
		assert_int_equal(out[0], 0x8a);
		assert_int_equal(out[1], len);
		assert_memory_equal(out + 2, body, len);
	}
	assert_int_equal(ws_close(out), 4);
	assert_memory_equal(out, end, 4);
}

/* ---- browser.h ------------------------------------------------------------------------------- */

static struct upgrade_origins origins = { 1, { "any" } };
static const char request[] =
	"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	"Sec-WebSocket-Protocol:"
	" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\r\n\r\n";

static void browser_tells_a_request_from_a_handshake(void **state)
{
	static const char *const plain[] = { "G", "GE", "GET" };
	struct ws_part part;
	struct browser *w;
	uint8_t in[48];
	size_t i, cut;

	assert_true(browser_may_begin('G'));
	for (i = 0; i < 256; i++)
		assert_int_equal(browser_may_begin((uint8_t)i), i == 'G');
	/* a handshake message that begins like a request comes through whole, wherever cut */
	for (i = 0; i < 3; i++)
		for (cut = 0; cut <= i + 1; cut++) {
			memset(in, 'x', sizeof in);
			memcpy(in, plain[i], i + 1);
			assert_int_equal(browser_new(&w, &origins), PERR_OK);
			if (cut > 0)
				assert_int_equal(browser_recv(w, in, cut, 0, &part), BROWSER_MORE);
			assert_int_equal(browser_recv(w, in + cut, sizeof in - cut, 0, &part),
			                 BROWSER_PLAIN);
			assert_int_equal(part.len, i + 1);
			assert_memory_equal(part.bytes, in, i + 1);
			assert_int_equal(part.used, i + 1 - cut);
			browser_free(w);
		}
	/* anything else that begins with GET and a blank is an outsider */
	memcpy(in, "GET ", 4);
	assert_int_equal(browser_new(&w, &origins), PERR_OK);
	assert_int_equal(browser_recv(w, in, sizeof in, 0, &part), BROWSER_OUTSIDER);
	browser_free(w);
}

static void browser_answers_a_ping_at_a_time(void **state)
{
	char out[UPGRADE_ANSWER_MAX];
	uint8_t in[20], first[NOISE_MSG_SIZE];
	size_t len = frame(in, 0x89, true, 4), at = 0, i;
	enum browser_event e = BROWSER_MORE;
	struct ws_part part;
	struct browser *w;

	assert_int_equal(browser_new(&w, &origins), PERR_OK);
	while (e == BROWSER_MORE && at < sizeof request - 1) {
		e = browser_recv(w, (const uint8_t *)request + at, 1, 0, &part);
		at += part.used;
	}
	assert_int_equal(e, BROWSER_FIRST);
	assert_int_equal(at, sizeof request - 1);
	assert_false(browser_is_open(w));
	for (i = 0; i < sizeof first; i++)
		first[i] = (uint8_t)i;
	assert_int_equal(part.len, sizeof first);
	assert_memory_equal(part.bytes, first, sizeof first);
	/* not before it is decided */
	assert_int_equal(browser_recv(w, in, len, 0, &part), BROWSER_BROKEN);
	assert_true(browser_open(w, out) > 100);
	assert_true(browser_is_open(w));
	assert_int_equal(browser_recv(w, in, len, 0, &part), BROWSER_SAY);
	assert_int_equal(part.len, 6);
	assert_int_equal(browser_recv(w, in, len, 0, &part), BROWSER_MORE);
	assert_int_equal(part.used, len);
	browser_said(w);
	assert_int_equal(browser_recv(w, in, len, 0, &part), BROWSER_SAY);
	browser_free(w);
}

/* one whole connection; false: it ended early, as it may for want of memory */
static bool a_visit(const uint8_t *in, size_t len)
{
	char out[UPGRADE_ANSWER_MAX];
	uint8_t pong[WS_CONTROL_MAX];
	struct ws_part part;
	struct browser *w;
	size_t at = 0, got = 0, pings = 0;
	enum browser_event e = BROWSER_MORE;

	if (browser_new(&w, &origins) != PERR_OK)
		return false;
	e = browser_recv(w, (const uint8_t *)request, sizeof request - 1, 0, &part);
	if (e != BROWSER_FIRST)
		goto early;
	(void)browser_open(w, out);
	while (at < len) {
		e = browser_recv(w, in + at, len - at, 0, &part);
		at += part.used;
		if (e == BROWSER_BROKEN)
			goto early;
		got += e == BROWSER_BYTES ? part.len : 0;
		pings += e == BROWSER_SAY;
	}
	assert_int_equal(got, FRAME_SIZE);
	assert_int_equal(pings, 1);
	browser_free(w);
	return ws_head(pong, FRAME_SIZE) == 4 && ws_close(pong) == 4;
early:
	assert_int_equal(e, BROWSER_BROKEN);
	/* for good */
	assert_int_equal(browser_recv(w, in, len, 0, &part), BROWSER_BROKEN);
	browser_free(w);
	return false;
}

static void browser_ends_in_order_without_memory(void **state)
{
	static uint8_t in[FRAME_SIZE + 100];
	size_t len = frame(in, 0x89, true, 9);
	unsigned long n;
	bool done = false;

	len += frame(in + len, 0x82, true, FRAME_SIZE);
	for (n = 1; n < 100 && !done; n++) {
		bool failed, whole;

		starve_arm(n);
		whole = a_visit(in, len);
		failed = starve_disarm();
		/* whatever was refused is noticed */
		assert_int_equal(whole, !failed);
		done = !failed;
	}
	printf("figure: requests for memory that failed: %lu\n", n - 2);
	/* under a sanitizer those of wslay are not among them */
	assert_true(done && n > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ws_hands_out_frames_cut_anywhere),
		cmocka_unit_test(ws_never_hands_out_beyond_a_message),
		cmocka_unit_test(ws_ends_at_whatever_is_no_message_of_one_frame),
		cmocka_unit_test(ws_refuses_a_length_in_a_longer_form_than_needed),
		cmocka_unit_test(ws_bounds_pings_and_pongs),
		cmocka_unit_test(ws_writes_what_a_client_reads),
		cmocka_unit_test(browser_tells_a_request_from_a_handshake),
		cmocka_unit_test(browser_answers_a_ping_at_a_time),
		cmocka_unit_test(browser_ends_in_order_without_memory),
	};

	if (sodium_init() < 0)
		return 1;
	randombytes_buf_deterministic(body, sizeof body, body);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
