/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "address.h"

#include "docs_vec.h"

static const char onion[] =
	"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:443";

static void addresses_are_told_from_anything_else(void **state)
{
	static const char *const right[] = {
		"a:1", "intake.example.org:4433", "127.0.0.1:65535", "[::1]:4433",
		"[2001:db8::7]:1", onion, "xn--bcher-kva.example:443",
	};
	static const char *const wrong[] = {
		"", ":", ":1", "a", "a:", "a:0", "a:01", "a:65536", "a:99999", "a:123456", "a:-1",
		"a:1 ", " a:1", "a b:1", "a:1:2", "::1:1", "[::1:1", "::1]:1", "[]:1", "[::g]:1",
		"user@host:1", "host/path:1", "http://a:1", "-oProxyCommand:1", "a\n:1", "é:1",
		"12345678901234567890123456789012345678901234567890123456789012345678901234567890:1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_true(address_is_valid(right[i]));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (address_is_valid(wrong[i]))
			fail_msg("taken: %s", wrong[i]);
	assert_true(address_is_onion(onion));
	assert_false(address_is_onion("a.onion:1"));
}

static void host_and_port_come_apart(void **state)
{
	char host[ADDRESS_TEXT_MAX + 1];
	uint16_t port;

	(void)state;
	assert_int_equal(address_split(host, &port, "[2001:db8::7]:4433"), PERR_OK);
	assert_string_equal(host, "2001:db8::7");
	assert_int_equal(port, 4433);
	assert_int_equal(address_split(host, &port, onion), PERR_OK);
	assert_int_equal(strlen(host), 62);
	assert_int_equal(port, 443);
	assert_int_equal(address_split(host, &port, "nothing"), PERR_FORMAT);
	assert_string_equal(host, "");
}

static void bytes_give_the_text_back(void **state)
{
	static const char *const texts[] = { "a:1", "127.0.0.1:4433", "[::1]:65535", onion };
	uint8_t bytes[ADDRESS_BYTES_MAX];
	char back[ADDRESS_TEXT_MAX + 1];
	size_t len, used;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(address_encode(bytes, &len, texts[i]), PERR_OK);
		assert_int_equal(address_decode(back, &used, bytes, len), PERR_OK);
		assert_string_equal(back, texts[i]);
		assert_int_equal(used, len);
		for (size_t n = 0; n < len; n++)
			assert_int_equal(address_decode(back, &used, bytes, n), PERR_FORMAT);
	}
	assert_int_equal(address_encode(bytes, &len, onion), PERR_OK);
	assert_int_equal(len, 38);
}

static void what_is_too_long_or_hides_something_is_refused(void **state)
{
	uint8_t bytes[64] = { 0, 5, 'a', ':', '1', 0, '2' };
	char back[ADDRESS_TEXT_MAX + 1];
	size_t len, used;

	(void)state;
	assert_int_equal(address_encode(bytes + 10, &len,
	                                "1234567890123456789012345678901234567.x:1"), PERR_RANGE);
	assert_int_equal(address_encode(bytes + 10, &len,
	                                "123456789012345678901234567890123456.x:1"), PERR_OK);
	assert_int_equal(address_decode(back, &used, bytes, 7), PERR_FORMAT);
	bytes[0] = 2;
	assert_int_equal(address_decode(back, &used, bytes, 7), PERR_FORMAT);
	memset(bytes, 1, sizeof bytes);
	bytes[36] = bytes[37] = 0;               /* port 0 */
	assert_int_equal(address_decode(back, &used, bytes, 38), PERR_FORMAT);
}

static void armor_survives_blanks_and_notices_any_wrong_character(void **state)
{
	static const char b64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t bytes[20], back[20];
	char text[64], spaced[128] = "";
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 37);
	assert_int_equal(address_armor(text, sizeof text, "x:", bytes, sizeof bytes), PERR_OK);
	for (size_t i = 0; text[i] != '\0'; i++)
		snprintf(spaced + strlen(spaced), 4, i % 7 == 6 ? "%c\r\n" : i % 2 ? "%c " : "%c",
		         text[i]);
	len = sizeof back;
	assert_int_equal(address_unarmor(back, &len, "x:", spaced), PERR_OK);
	assert_int_equal(len, sizeof bytes);
	assert_memory_equal(back, bytes, len);
	len = sizeof back - 1;
	assert_int_equal(address_unarmor(back, &len, "x:", text), PERR_FORMAT);
	len = sizeof back;
	assert_int_equal(address_unarmor(back, &len, "y:", text), PERR_UNKNOWN);
	for (size_t i = 2; text[i] != '\0'; i++)
		for (const char *c = b64; *c != '\0'; c++) {
			char was = text[i];

			if (*c == was)
				continue;
			text[i] = *c;
			len = sizeof back;
			assert_int_not_equal(address_unarmor(back, &len, "x:", text), PERR_OK);
			text[i] = was;
		}
	for (size_t n = strlen(text); n > 0; n--) {
		text[n - 1] = '\0';
		len = sizeof back;
		assert_int_not_equal(address_unarmor(back, &len, "x:", text), PERR_OK);
	}
	assert_int_equal(address_armor(text, 30, "x:", bytes, sizeof bytes), PERR_RANGE);
}

/* the check does not see it: another byte that is read as the same digit */
static void a_text_has_one_spelling(void **state)
{
	uint8_t bytes[60], back[60];
	char text[128];
	size_t len, tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 61 + 5);
	assert_int_equal(address_armor(text, sizeof text, "x:", bytes, sizeof bytes), PERR_OK);
	for (size_t i = 2; text[i] != '\0'; i++)
		for (unsigned c = 0x80; c < 0x100; c++, tried++) {
			char was = text[i];

			text[i] = (char)c;
			len = sizeof back;
			assert_int_equal(address_unarmor(back, &len, "x:", text), PERR_FORMAT);
			assert_int_equal(len, 0);
			text[i] = was;
		}
	assert_true(tried > 10000);
}

static void vectors(void)
{
	uint8_t bytes[ADDRESS_BYTES_MAX];
	size_t len;

	vec_text("host.text", "intake.example.org:4433");
	assert_int_equal(address_encode(bytes, &len, "intake.example.org:4433"), PERR_OK);
	vec("host.bytes", bytes, len);
	kit_corpus("invite", "address-host", bytes, len);
	vec_text("onion.text", onion);
	assert_int_equal(address_encode(bytes, &len, onion), PERR_OK);
	vec("onion.bytes", bytes, len);
	kit_corpus("invite", "address-onion", bytes, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(addresses_are_told_from_anything_else),
		cmocka_unit_test(host_and_port_come_apart),
		cmocka_unit_test(bytes_give_the_text_back),
		cmocka_unit_test(what_is_too_long_or_hides_something_is_refused),
		cmocka_unit_test(armor_survives_blanks_and_notices_any_wrong_character),
		cmocka_unit_test(a_text_has_one_spelling),
	};

	if (kit_written(argc, argv, "address"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
