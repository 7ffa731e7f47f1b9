/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The server's configuration (config.h). */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "hex.h"

static struct config c;
static char why[200];

static enum perr load(const char *text)
{
	char path[] = "/tmp/amparo-config-XXXXXX";
	int fd = mkstemp(path);
	enum perr err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	config_default(&c);
	err = config_load(&c, path, why);
	unlink(path);
	return err;
}

static void config_reads_every_key(void **state)
{
	assert_int_equal(load("; a comment\n[server]\ndata = /srv/a\nlisten = 127.0.0.1:1\n"
	                      "listen = [::1]:2\nstatus-socket = /run/a/s\nmax-connections = 9\n"
	                      "handshake-seconds = 3\nidle-seconds = 4\nstall-seconds = 5\n"
	                      "source-limits = no\nsource-per-minute = 6\nmemory-mib = 64\n"),
	                 PERR_OK);
	assert_string_equal(c.data, "/srv/a");
	assert_int_equal(c.n_listen, 2);
	assert_string_equal(c.listen[1], "[::1]:2");
	assert_string_equal(c.status_socket, "/run/a/s");
	assert_int_equal(c.max_connections, 9);
	assert_int_equal(c.handshake_seconds, 3);
	assert_int_equal(c.idle_seconds, 4);
	assert_int_equal(c.stall_seconds, 5);
	assert_false(c.source_limits);
	assert_int_equal(c.source_per_minute, 6);
	assert_int_equal(c.memory_mib, 64);
	assert_int_equal(config_check(&c, why), PERR_OK);
}

static void config_origins_add_up(void **state)
{
	static char many[UPGRADE_ORIGINS_MAX * 6 + 7];
	size_t i;

	assert_int_equal(load("web-origins = https://a.example, null\n"
	                      "web-origins = http://b.example:81  https://c.example,\n"), PERR_OK);
	assert_int_equal(c.origins.n, 4);
	assert_string_equal(c.origins.text[0], "https://a.example");
	assert_string_equal(c.origins.text[1], "null");
	assert_string_equal(c.origins.text[3], "https://c.example");
	config_default(&c);
	assert_int_equal(c.origins.n, 0);
	assert_int_equal(config_set(&c, "web-origins", "", why), PERR_RANGE);
	assert_int_equal(config_set(&c, "web-origins", " , ", why), PERR_RANGE);
	assert_int_equal(config_set(&c, "web-origins", "https://a.example/", why), PERR_RANGE);
	assert_non_null(strstr(why, "without a path"));
	for (i = 0; i <= UPGRADE_ORIGINS_MAX; i++)
		memcpy(many + i * 5, "null ", 6);
	assert_int_equal(config_set(&c, "web-origins", many, why), PERR_RANGE);
	assert_non_null(strstr(why, "at most 16"));
}

static void config_refuses_what_it_does_not_know_by_name(void **state)
{
	assert_int_equal(load("data = /a\n\nlimit = 5\n"), PERR_UNKNOWN);
	assert_non_null(strstr(why, "\"limit\""));
	assert_non_null(strstr(why, "line 3"));
	assert_int_equal(load("[client]\ndata = /a\n"), PERR_UNKNOWN);
	assert_non_null(strstr(why, "[client]"));
	assert_int_equal(load("data = /a\nnonsense\n"), PERR_FORMAT);
	assert_non_null(strstr(why, "line 2"));
	config_default(&c);
	assert_int_equal(config_load(&c, "/nonexistent/file", why), PERR_IO);
}

static void config_refuses_values_out_of_range(void **state)
{
	static const char *const wrong[][2] = {
		{ "max-connections", "7" }, { "max-connections", "65537" },
		{ "max-connections", "" }, { "max-connections", "-1" },
		{ "max-connections", "100x" }, { "max-connections", " 100" },
		{ "max-connections", "99999999999999999999" }, { "handshake-seconds", "0" },
		{ "source-limits", "true" }, { "data", "" }, { "listen", "127.0.0.1" },
		{ "listen", "127.0.0.1:" }, { "listen", ":1" }, { "listen", "127.0.0.1:65536" },
		{ "listen", "127.0.0.1:01" }, { "listen", "" }, { "idle-seconds", "1" },
	};
	char longest[CONFIG_PATH_MAX + 10];
	size_t i;

	config_default(&c);
	for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(config_set(&c, wrong[i][0], wrong[i][1], why), PERR_RANGE);
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(config_set(&c, "data", longest, why), PERR_RANGE);
	assert_int_equal(config_set(&c, "listen", longest, why), PERR_RANGE);
	assert_int_equal(config_set(&c, longest, "1", why), PERR_UNKNOWN);
	for (i = 0; i < CONFIG_LISTEN_MAX; i++)
		assert_int_equal(config_set(&c, "listen", "127.0.0.1:0", why), PERR_OK);
	assert_int_equal(config_set(&c, "listen", "127.0.0.1:0", why), PERR_RANGE);
}

static void config_knows_required_wanted_and_off(void **state)
{
	config_default(&c);
	assert_int_equal(c.sandbox, CONFIG_WANTED);
	assert_int_equal(c.lock_memory, CONFIG_REQUIRED);
	assert_int_equal(config_set(&c, "sandbox", "off", why), PERR_OK);
	assert_int_equal(c.sandbox, CONFIG_OFF);
	assert_int_equal(config_set(&c, "sandbox", "required", why), PERR_OK);
	assert_int_equal(c.sandbox, CONFIG_REQUIRED);
	assert_int_equal(config_set(&c, "lock-memory", "wanted", why), PERR_OK);
	assert_int_equal(c.lock_memory, CONFIG_WANTED);
	/* a word that is none must not look like a protection switched on */
	assert_int_equal(config_set(&c, "sandbox", "yes", why), PERR_RANGE);
	assert_int_equal(config_set(&c, "lock-memory", "off", why), PERR_RANGE);
	assert_non_null(strstr(why, "required or wanted"));
	assert_int_equal(c.sandbox, CONFIG_REQUIRED);
	assert_int_equal(c.lock_memory, CONFIG_WANTED);
}

static void config_says_what_is_missing(void **state)
{
	config_default(&c);
	assert_int_equal(config_check(&c, why), PERR_STATE);
	assert_non_null(strstr(why, "--data"));
	assert_int_equal(config_set(&c, "data", "/a", why), PERR_OK);
	assert_int_equal(config_check(&c, why), PERR_STATE);
	assert_non_null(strstr(why, "--listen"));
	assert_int_equal(config_set(&c, "listen", "127.0.0.1:0", why), PERR_OK);
	assert_int_equal(config_check(&c, why), PERR_OK);
	assert_string_equal(c.status_socket, "/a/status.sock");
	c.status_socket[0] = '\0';
	memset(c.data, 'a', 104);
	c.data[104] = '\0';
	assert_int_equal(config_check(&c, why), PERR_STATE);
	assert_non_null(strstr(why, "--status-socket"));
}

static void config_listen_takes_a_port_of_the_systems_choice(void **state)
{
	char host[ADDRESS_TEXT_MAX + 1];
	uint16_t port = 9;

	assert_int_equal(config_listen("127.0.0.1:0", host, &port), PERR_OK);
	assert_int_equal(port, 0);
	assert_string_equal(host, "127.0.0.1");
	assert_int_equal(config_listen("[::1]:4711", host, &port), PERR_OK);
	assert_int_equal(port, 4711);
	assert_string_equal(host, "::1");
	assert_int_equal(config_listen("127.0.0.1:00", host, &port), PERR_FORMAT);
	assert_int_equal(config_listen(":0", host, &port), PERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_reads_every_key),
		cmocka_unit_test(config_origins_add_up),
		cmocka_unit_test(config_refuses_what_it_does_not_know_by_name),
		cmocka_unit_test(config_refuses_values_out_of_range),
		cmocka_unit_test(config_knows_required_wanted_and_off),
		cmocka_unit_test(config_says_what_is_missing),
		cmocka_unit_test(config_listen_takes_a_port_of_the_systems_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
