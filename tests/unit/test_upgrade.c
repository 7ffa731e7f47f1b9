/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The request for a WebSocket (upgrade.h); the whole table of refusals: server_outsiders. */
#include "upgrade.h"

#include <sodium.h>
#include <stdlib.h>

#include "hex.h"

/* a browser's; the key and its answer are the example of RFC 6455 section 1.3 */
static const char right[] =
	"GET / HTTP/1.1\r\n"
	"Host: cells.example.org:4711\r\n"
	"Connection: keep-alive, Upgrade\r\n"
	"User-Agent: Mozilla/5.0\r\n"
	"Upgrade: WebSocket\r\n"
	"origin: https://forms.example.org\r\n"
	"SEC-WEBSOCKET-VERSION: 13\r\n"
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	"Sec-WebSocket-Extensions: permessage-deflate\r\n"
	"Sec-WebSocket-Protocol:"
	" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\r\n"
	"\r\n";
static struct upgrade_origins origins;

static void allow(const char *a, const char *b)
{
	memset(&origins, 0, sizeof origins);
	if (a != NULL)
		assert_int_equal(upgrade_origins_add(&origins, a, strlen(a)), PERR_OK);
	if (b != NULL)
		assert_int_equal(upgrade_origins_add(&origins, b, strlen(b)), PERR_OK);
}

/* a request in two pieces; each piece in memory of its own, so that a sanitizer sees its end */
static enum perr ask_cut(const char *text, size_t len, size_t cut, struct upgrade **out)
{
	struct upgrade *u;
	uint8_t *a = malloc(cut + 1), *b = malloc(len - cut + 1);
	enum perr err = PERR_MORE;

	assert_int_equal(upgrade_new(&u, &origins), PERR_OK);
	memcpy(a, text, cut);
	memcpy(b, text + cut, len - cut);
	if (cut > 0)
		err = upgrade_recv(u, a, cut);
	if (err == PERR_MORE && cut < len)
		err = upgrade_recv(u, b, len - cut);
	free(a);
	free(b);
	if (out != NULL)
		*out = u;
	else
		upgrade_free(u);
	return err;
}

static enum perr ask(const char *text, size_t len)
{
	return ask_cut(text, len, 0, NULL);
}

/* the right one with `from` exchanged for `to` */
static enum perr with(const char *from, const char *to)
{
	static char text[20000];
	const char *at = strstr(right, from);

	assert_non_null(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - right), right, to, at + strlen(from));
	return ask(text, strlen(text));
}

static void upgrade_takes_a_browsers_request_cut_anywhere(void **state)
{
	const size_t len = sizeof right - 1;
	struct upgrade *u;
	char out[UPGRADE_ANSWER_MAX];
	size_t cut, i, n;

	allow("https://forms.example.org", NULL);
	for (cut = 0; cut <= len; cut++) {
		assert_int_equal(ask_cut(right, len, cut, &u), PERR_OK);
		for (i = 0; i < NOISE_MSG_SIZE; i++)
			assert_int_equal(upgrade_first(u)[i], i);
		n = upgrade_answer(u, out);
		assert_true(n < sizeof out);
		out[n] = '\0';
		assert_string_equal(out,
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			"Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
			"Sec-WebSocket-Protocol: "
			"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\r\n\r\n");
		upgrade_free(u);
	}
	for (cut = 0; cut < len; cut++)
		assert_int_equal(cut == 0 ? PERR_MORE : ask(right, cut), PERR_MORE);
}

static void upgrade_takes_it_byte_by_byte(void **state)
{
	struct upgrade *u;
	size_t i;

	allow("any", NULL);
	assert_int_equal(upgrade_new(&u, &origins), PERR_OK);
	for (i = 0; i + 1 < sizeof right - 1; i++)
		assert_int_equal(upgrade_recv(u, (const uint8_t *)right + i, 1), PERR_MORE);
	assert_int_equal(upgrade_recv(u, (const uint8_t *)right + i, 1), PERR_OK);
	/* nothing may follow */
	assert_int_equal(upgrade_recv(u, (const uint8_t *)"x", 1), PERR_FORMAT);
	upgrade_free(u);
}

static void upgrade_refuses_what_is_not_one(void **state)
{
	static const char *const wrong[][2] = {
		{ "GET /", "PUT /" }, { "GET /", "GET  /" }, { "GET / ", "GET /a " },
		{ "HTTP/1.1", "HTTP/1.0" }, { "HTTP/1.1\r\n", "HTTP/1.1\n" },
		{ "Connection: keep-alive, Upgrade", "Connection: keep-alive" },
		{ "Connection: ", "Connectiom: " },
		{ "Upgrade: WebSocket\r\n", "" }, { "Upgrade: WebSocket", "Upgrade: websockets" },
		{ "Upgrade: WebSocket", "Upgrade: " },
		{ "Upgrade: WebSocket\r\n", "Upgrade: WebSocket\r\nUpgrade: WebSocket\r\n" },
		{ "13", "12" }, { "13", "13, 8" }, { "13", "" },
		{ "dGhlIHNhbXBsZSBub25jZQ==", "" },
		{ "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR==" },
		{ "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=" },
		{ "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZGFh" },
		{ "Protocol: ", "Protokol: " }, { " AAEC", " AAE" }, { " AAEC", " AAE+" },
		{ " AAEC", " AAECA" }, { " AAEC", " a, AAEC" }, { "LS4v", "LS4=" }, { "GBka", "G\xc0ka" }, { "ZSBu", "Z\xc0" "Bu" },
		{ "Host: ", "Content-Length: 1\r\nHost: " },
		{ "Host: ", "Content-Length: 0\r\nHost: " },
		{ "Host: ", "Transfer-Encoding: chunked\r\nHost: " },
		/* whoever stands before may count a body behind these */
		{ "Host: ", "Transfer-Encoding: gzip\r\nHost: " },
		{ "Host: ", "Transfer-Encoding: identity\r\nHost: " },
		{ "Host: ", "Transfer-Encoding: xchunked\r\nHost: " },
		{ "Host: ", "Origin: https://forms.example.org\r\nHost: " },
		{ "Host: ", "Sec-WebSocket-Version: 13\r\nHost: " },
		{ "Upgrade: WebSocket", "Upgrade : WebSocket" },
		{ "Upgrade: WebSocket", "Upgrade: WebSocket, h2c" },
		{ "Connection: keep-alive, Upgrade", "Connection: keep-alive, Upgrade-x" },
		{ "\r\n\r\n", "\r\n\r\nx" },
		{ "forms.example.org\r\n", "forms.example.or\r\n" },
	};
	size_t i;

	allow("https://forms.example.org", "null");
	assert_int_equal(with("Host", "Host"), PERR_OK);
	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (with(wrong[i][0], wrong[i][1]) != PERR_FORMAT)
			fail_msg("taken: \"%s\" for \"%s\"", wrong[i][1], wrong[i][0]);
}

static void upgrade_bounds_bytes_and_lines(void **state)
{
	static char more[2 * UPGRADE_REQUEST_MAX];
	size_t n = 0, i, own = 9;
	const size_t room = UPGRADE_REQUEST_MAX - (sizeof right - 1);

	allow("any", NULL);
	for (i = 0; i < UPGRADE_LINES_MAX - own; i++)
		n += (size_t)snprintf(more + n, sizeof more - n, "X: y\r\n");
	snprintf(more + n, sizeof more - n, "Host: ");
	assert_int_equal(with("Host: ", more), PERR_OK);
	snprintf(more + n, sizeof more - n, "X: y\r\nHost: ");
	assert_int_equal(with("Host: ", more), PERR_FORMAT);
	/* one line of just what fits, and of one byte more */
	memset(more, 'y', sizeof more);
	memcpy(more, "X: ", 3);
	memcpy(more + room - 2, "\r\nHost: ", 9);
	assert_int_equal(with("Host: ", more), PERR_OK);
	memset(more + room - 2, 'y', 8);
	memcpy(more + room - 1, "\r\nHost: ", 9);
	assert_int_equal(with("Host: ", more), PERR_FORMAT);
	/* a value that counts and is too long, however it is cut */
	memset(more, 'y', 5000);
	memcpy(more + 5000, "\r\nUpgrade: websocket", 20);
	memcpy(more, "Origin: ", 8);
	assert_int_equal(with("origin: https://forms.example.org", more), PERR_FORMAT);
	/* a long name is nobody's */
	memset(more, 'y', 5000);
	memcpy(more, "Upgrade", 7);
	memcpy(more + 5000, ": h2c\r\nHost: ", 14);
	assert_int_equal(with("Host: ", more), PERR_OK);
}

static void upgrade_compares_origins_exactly(void **state)
{
	static const char line[] = "origin: https://forms.example.org\r\n";

	allow(NULL, NULL);
	assert_int_equal(with("Host", "Host"), PERR_FORMAT);
	allow("https://other.example.org", "https://forms.example.org");
	assert_int_equal(with("Host", "Host"), PERR_OK);
	assert_int_equal(with(line, ""), PERR_FORMAT);
	assert_int_equal(with(line, "Origin: null\r\n"), PERR_FORMAT);
	assert_int_equal(with(line, "Origin: file://\r\n"), PERR_FORMAT);
	assert_int_equal(with(line, "Origin: https://forms.example.org:444\r\n"), PERR_FORMAT);
	assert_int_equal(with(line, "Origin: https://forms.example.orgx\r\n"), PERR_FORMAT);
	assert_int_equal(with(line, "Origin: http://forms.example.org\r\n"), PERR_FORMAT);
	allow("null", NULL);
	assert_int_equal(with(line, "Origin: null\r\n"), PERR_OK);
	assert_int_equal(with(line, "Origin: file://\r\n"), PERR_OK);
	assert_int_equal(with("Host", "Host"), PERR_FORMAT);
	assert_int_equal(with(line, ""), PERR_FORMAT);
	assert_int_equal(with(line, "Origin: any\r\n"), PERR_FORMAT);
	allow("any", NULL);
	assert_int_equal(with("Host", "Host"), PERR_OK);
	assert_int_equal(with(line, ""), PERR_OK);
}

static void upgrade_origins_are_written_as_browsers_write_them(void **state)
{
	static const char *const wrong[] = {
		"", "forms.example.org", "https://", "https://forms.example.org/",
		"https://Forms.example.org", "wss://forms.example.org", "ANY", "https://a b",
		"https://a,b",
	};
	char text[UPGRADE_ORIGIN_MAX + 2];
	size_t i;

	memset(&origins, 0, sizeof origins);
	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(upgrade_origins_add(&origins, wrong[i], strlen(wrong[i])),
		                 PERR_FORMAT);
	memset(text, 'a', sizeof text);
	memcpy(text, "https://", 8);
	assert_int_equal(upgrade_origins_add(&origins, text, sizeof text - 1), PERR_FORMAT);
	assert_int_equal(upgrade_origins_add(&origins, text, sizeof text - 2), PERR_OK);
	assert_int_equal(upgrade_origins_add(&origins, "http://[::1]:8000", 17), PERR_OK);
	for (i = 2; i < UPGRADE_ORIGINS_MAX; i++)
		assert_int_equal(upgrade_origins_add(&origins, "null", 4), PERR_OK);
	assert_int_equal(upgrade_origins_add(&origins, "null", 4), PERR_LIMIT);
	assert_int_equal(origins.n, UPGRADE_ORIGINS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(upgrade_takes_a_browsers_request_cut_anywhere),
		cmocka_unit_test(upgrade_takes_it_byte_by_byte),
		cmocka_unit_test(upgrade_refuses_what_is_not_one),
		cmocka_unit_test(upgrade_bounds_bytes_and_lines),
		cmocka_unit_test(upgrade_compares_origins_exactly),
		cmocka_unit_test(upgrade_origins_are_written_as_browsers_write_them),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
