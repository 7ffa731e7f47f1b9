/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_default(struct config *c)
{
	memset(c, 0, sizeof *c);
	c->max_connections = 4096;
	c->handshake_seconds = 10;
	c->idle_seconds = 300;
	c->stall_seconds = 30;
	c->source_limits = true;
	c->source_per_minute = 6000;
	c->memory_mib = 128;
	c->sandbox = CONFIG_WANTED;
	c->lock_memory = CONFIG_REQUIRED;
}

static enum perr set_text(char *to, size_t size, const char *key, const char *value, char *why)
{
	size_t len = strlen(value);

	if (len == 0 || len >= size) {
		snprintf(why, 200, "%s needs a value of 1 to %zu characters", key, size - 1);
		return PERR_RANGE;
	}
	memcpy(to, value, len + 1);
	return PERR_OK;
}

static enum perr set_number(uint32_t *to, const char *key, const char *value, uint32_t min,
                            uint32_t max, char *why)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || v < min || v > max) {
		snprintf(why, 200, "%s needs a number from %u to %u", key, min, max);
		return PERR_RANGE;
	}
	*to = (uint32_t)v;
	return PERR_OK;
}

static enum perr set_bool(bool *to, const char *key, const char *value, char *why)
{
	if (strcmp(value, "yes") == 0) {
		*to = true;
	} else if (strcmp(value, "no") == 0) {
		*to = false;
	} else {
		snprintf(why, 200, "%s needs yes or no", key);
		return PERR_RANGE;
	}
	return PERR_OK;
}

static enum perr set_need(enum config_need *to, bool may_off, const char *key,
                          const char *value, char *why)
{
	if (strcmp(value, "required") == 0) {
		*to = CONFIG_REQUIRED;
	} else if (strcmp(value, "wanted") == 0) {
		*to = CONFIG_WANTED;
	} else if (may_off && strcmp(value, "off") == 0) {
		*to = CONFIG_OFF;
	} else {
		if (may_off)
			snprintf(why, 200, "%s needs required, wanted or off", key);
		else
			snprintf(why, 200, "%s needs required or wanted", key);
		return PERR_RANGE;
	}
	return PERR_OK;
}

enum perr config_listen(const char *text, char host[ADDRESS_TEXT_MAX + 1], uint16_t *port)
{
	size_t len = strlen(text);
	char any[ADDRESS_TEXT_MAX + 1];
	enum perr err;

	/* port 0, "choose one", is no address for others, so address.h does not know it */
	if (len > 2 && len < sizeof any && strcmp(text + len - 2, ":0") == 0) {
		memcpy(any, text, len - 1);
		memcpy(any + len - 1, "1", 2);
		err = address_split(host, port, any);
		*port = 0;
		return err;
	}
	return address_split(host, port, text);
}

static enum perr add_listen(struct config *c, const char *value, char *why)
{
	char host[ADDRESS_TEXT_MAX + 1];
	uint16_t port;

	if (strlen(value) > ADDRESS_TEXT_MAX || config_listen(value, host, &port) != PERR_OK) {
		snprintf(why, 200, "listen needs an address and a port, like 127.0.0.1:4711 or "
		         "[::1]:4711");
		return PERR_RANGE;
	}
	if (c->n_listen == CONFIG_LISTEN_MAX) {
		snprintf(why, 200, "at most %d addresses to listen on", CONFIG_LISTEN_MAX);
		return PERR_RANGE;
	}
	snprintf(c->listen[c->n_listen++], sizeof c->listen[0], "%s", value);
	return PERR_OK;
}

/* several in one line, and several lines, add up */
static enum perr add_origins(struct config *c, const char *value, char *why)
{
	const char *at = value + strspn(value, " ,");
	enum perr err = *at != '\0' ? PERR_OK : PERR_FORMAT;

	while (err == PERR_OK && *at != '\0') {
		size_t len = strcspn(at, " ,");

		err = upgrade_origins_add(&c->origins, at, len);
		at += len;
		at += strspn(at, " ,");
	}
	if (err == PERR_OK)
		return PERR_OK;
	if (err == PERR_LIMIT)
		snprintf(why, 200, "at most %d origins", UPGRADE_ORIGINS_MAX);
	else
		snprintf(why, 200, "web-origins needs origins like https://forms.example.org, in "
		         "small letters and without a path, or null (pages opened from a file), "
		         "or any");
	return PERR_RANGE;
}

enum perr config_set(struct config *c, const char *key, const char *value, char why[200])
{
	why[0] = '\0';
	if (strcmp(key, "data") == 0)
		return set_text(c->data, sizeof c->data, key, value, why);
	if (strcmp(key, "listen") == 0)
		return add_listen(c, value, why);
	if (strcmp(key, "web-origins") == 0)
		return add_origins(c, value, why);
	if (strcmp(key, "status-socket") == 0)
		return set_text(c->status_socket, sizeof c->status_socket, key, value, why);
	if (strcmp(key, "max-connections") == 0)
		return set_number(&c->max_connections, key, value, 8, 65536, why);
	if (strcmp(key, "handshake-seconds") == 0)
		return set_number(&c->handshake_seconds, key, value, 1, 120, why);
	if (strcmp(key, "idle-seconds") == 0)
		return set_number(&c->idle_seconds, key, value, 2, 86400, why);
	if (strcmp(key, "stall-seconds") == 0)
		return set_number(&c->stall_seconds, key, value, 1, 3600, why);
	if (strcmp(key, "source-limits") == 0)
		return set_bool(&c->source_limits, key, value, why);
	if (strcmp(key, "source-per-minute") == 0)
		return set_number(&c->source_per_minute, key, value, 1, 1000000, why);
	if (strcmp(key, "memory-mib") == 0)
		return set_number(&c->memory_mib, key, value, 8, 65536, why);
	if (strcmp(key, "sandbox") == 0)
		return set_need(&c->sandbox, true, key, value, why);
	if (strcmp(key, "lock-memory") == 0)
		return set_need(&c->lock_memory, false, key, value, why);
	snprintf(why, 200, "unknown key \"%.60s\"", key);
	return PERR_UNKNOWN;
}

struct loading {
	struct config *c;
	char *why;
	enum perr err;
};

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct loading *l = user;

	if (l->err != PERR_OK)
		return 1;                /* the first error is the one told */
	if (section[0] != '\0' && strcmp(section, "server") != 0) {
		snprintf(l->why, 200, "unknown section [%.60s]", section);
		l->err = PERR_UNKNOWN;
		return 0;
	}
	l->err = config_set(l->c, name, value, l->why);
	return l->err == PERR_OK;
}

enum perr config_load(struct config *c, const char *path, char why[200])
{
	struct loading l = { .c = c, .why = why };
	FILE *f = fopen(path, "re");
	char told[200];
	int line;

	why[0] = '\0';
	if (f == NULL) {
		snprintf(why, 200, "%.120s cannot be read: %s", path, strerror(errno));
		return PERR_IO;
	}
	line = ini_parse_file(f, on_pair, &l);
	fclose(f);
	if (line == 0)
		return l.err;
	if (l.err == PERR_OK) {
		snprintf(why, 200, "%.120s, line %d: not \"key = value\"", path, line);
		return PERR_FORMAT;
	}
	memcpy(told, why, sizeof told);
	snprintf(why, 200, "%.80s, line %d: %.90s", path, line, told);
	return l.err;
}

enum perr config_check(struct config *c, char why[200])
{
	why[0] = '\0';
	if (c->data[0] == '\0') {
		snprintf(why, 200, "no data folder: give --data DIR, or data = DIR in the file");
		return PERR_STATE;
	}
	if (c->n_listen == 0) {
		snprintf(why, 200, "nowhere to listen: give --listen HOST:PORT, or listen = "
		         "HOST:PORT in the file");
		return PERR_STATE;
	}
	if (c->status_socket[0] == '\0') {
		int n = snprintf(c->status_socket, sizeof c->status_socket, "%s/status.sock",
		                 c->data);

		if (n < 0 || (size_t)n >= sizeof c->status_socket) {
			snprintf(why, 200, "the data folder's path is too long for a local socket: "
			         "give --status-socket PATH");
			return PERR_STATE;
		}
	}
	return PERR_OK;
}
