/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * seized_keys: what somebody who took one server's disk can do at another server with it.
 *
 *	seized_keys FOLDER CARD PORT HOME PASSPHRASE-FILE      (CARD: the seized server's, a file)
 *	seized_keys --count PORT FILE
 *
 * The first takes every 32 bytes of every file of the folder, at every offset, as they are and
 * derived for the other server, and holds them against the access keys that the other server
 * (the one of HOME's roster at 127.0.0.1:PORT) admits: without a network, so that none is left
 * out.  Then it goes there with each value that stands in a document, in both ways, and must be
 * met with silence.  Controls: the seized server's own access keys are among what is found on
 * its disk; the other server's own key, from the vault, is admitted.  HOME is an
 * administrator's.  Exit code 0: nothing fits; 1: something does, or a control failed.
 *
 * The second stands in the place of a server and writes a line to FILE for each connection.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "channel.h"
#include "home.h"
#include "policy.h"
#include "roster.h"

#define KEYS_MAX 64

static void die(const char *what)
{
	fprintf(stderr, "seized_keys: %s\n", what);
	exit(2);
}

/* ---- whose keys ------------------------------------------------------------------------ */

struct keys {
	uint8_t at[KEYS_MAX][32];
	unsigned n;
};

static void add_key(struct keys *k, const uint8_t access[32], const uint8_t server_pk[32])
{
	if (k->n == KEYS_MAX)
		die("too many keys");
	channel_access(k->at[k->n++], access, server_pk);
}

/* what a server with this key admits, as an administrator knows it */
static void admitted(struct keys *k, const struct client *c, const uint8_t pk[32])
{
	k->n = 0;
	add_key(k, c->field->field_access, pk);
	add_key(k, c->staff->counsel_access, pk);
	add_key(k, c->admin->steward_access, pk);
	for (uint32_t i = 0; i < c->admin->n_guests; i++)
		add_key(k, c->admin->guests[i].key, pk);
}

static bool is_one(const struct keys *k, const uint8_t p[32])
{
	for (unsigned i = 0; i < k->n; i++)
		if (memcmp(k->at[i], p, 32) == 0)
			return true;
	return false;
}

/* ---- the disk -------------------------------------------------------------------------- */

struct search {
	const struct keys *other, *own;
	const uint8_t *other_pk;
	uint64_t windows;
	unsigned fit;                    /* keys of the other server: must stay 0 */
	struct keys own_seen;            /* of the seized one's: the control */
	uint8_t (*values)[32];           /* that stand in documents */
	size_t n_values;
};

static void note_value(struct search *s, const uint8_t *p)
{
	for (size_t i = 0; i < s->n_values; i++)
		if (memcmp(s->values[i], p, 32) == 0)
			return;
	s->values = realloc(s->values, (s->n_values + 1) * sizeof *s->values);
	if (s->values == NULL)
		die("out of memory");
	memcpy(s->values[s->n_values++], p, 32);
}

static void search_bytes(struct search *s, const uint8_t *p, size_t len)
{
	uint8_t derived[32];

	for (size_t i = 0; i + 32 <= len; i++) {
		if (p[i] == 0 && sodium_is_zero(p + i, 32))
			continue;
		s->windows++;
		channel_access(derived, p + i, s->other_pk);
		if (is_one(s->other, p + i) || is_one(s->other, derived))
			s->fit++;
		if (is_one(s->own, p + i) && !is_one(&s->own_seen, p + i))
			memcpy(s->own_seen.at[s->own_seen.n++], p + i, 32);
		if (i >= 2 && p[i - 2] == 0xc4 && p[i - 1] == 32)
			note_value(s, p + i);
	}
	/* keys in files of their own */
	if (len == 32 || len == 64)
		note_value(s, p);
}

static void search_folder(struct search *s, const char *dir)
{
	const struct dirent *de;
	DIR *d = opendir(dir);

	if (d == NULL)
		die("the folder cannot be read");
	while ((de = readdir(d)) != NULL) {
		char path[1024];
		struct stat st;
		uint8_t *p;
		FILE *f;

		snprintf(path, sizeof path, "%s/%s", dir, de->d_name);
		if (de->d_name[0] == '.' || stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			search_folder(s, path);
			continue;
		}
		if (!S_ISREG(st.st_mode) || st.st_size == 0)
			continue;
		p = malloc((size_t)st.st_size);
		f = fopen(path, "rb");
		if (p == NULL || f == NULL || fread(p, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
			die("a file cannot be read");
		fclose(f);
		search_bytes(s, p, (size_t)st.st_size);
		free(p);
	}
	closedir(d);
}

/* ---- the port -------------------------------------------------------------------------- */

/* bytes that come back for a handshake under this key */
static size_t knock(uint16_t port, const uint8_t pk[32], const uint8_t derived[32])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_sec = 20 };
	uint8_t first[NOISE_MSG_SIZE], back[256];
	struct channel ch;
	size_t got = 0;
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
	    connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		die("the other server cannot be reached");
	if (channel_connect(&ch, first, pk, derived, rng_system()) != PERR_OK)
		die("no handshake");
	if (send(fd, first, sizeof first, MSG_NOSIGNAL) != (ssize_t)sizeof first)
		die("the handshake cannot be sent");
	/* a stranger is shut out by an end of the stream; a member waits for our next frame */
	shutdown(fd, SHUT_WR);
	while ((n = recv(fd, back, sizeof back, 0)) > 0)
		got += (size_t)n;
	channel_kill(&ch);
	close(fd);
	return got;
}

static void read_card(struct policy_card *card, const char *path)
{
	char text[512];
	FILE *f = fopen(path, "r");

	if (f == NULL || fgets(text, sizeof text, f) == NULL ||
	    policy_card_decode(card, text) != PERR_OK)
		die("the card cannot be read");
	fclose(f);
}

static int compare(const char *folder, const char *card_file, uint16_t port, const char *home_dir,
                   const char *passfile)
{
	const uint8_t *other_pk = NULL;
	static struct keys other, own;
	struct search s = { .other = &other, .own = &own };
	unsigned let_in = 0, tried = 0;
	struct policy_card card;
	uint8_t derived[32];
	struct home h;
	size_t control;
	bool good;

	home_open(&h, home_dir, passfile);
	if (h.client->admin == NULL)
		die("this home is no administrator's");
	read_card(&card, card_file);
	for (uint32_t i = 0; i < h.client->field->n_servers; i++)
		if (atoi(strrchr(h.client->field->servers[i].address, ':') + 1) == port)
			other_pk = h.client->field->servers[i].pk;
	if (other_pk == NULL)
		die("no server of the roster has this port");
	admitted(&other, h.client, other_pk);
	admitted(&own, h.client, card.server_pk);
	s.other_pk = other_pk;
	search_folder(&s, folder);
	for (size_t i = 0; i < s.n_values; i++) {
		let_in += knock(port, other_pk, s.values[i]) > 0;
		channel_access(derived, s.values[i], other_pk);
		let_in += knock(port, other_pk, derived) > 0;
		tried += 2;
	}
	control = knock(port, other_pk, other.at[0]);
	printf("seized disk: %llu strings of 32 bytes held against the other server's %u access keys: "
	       "%u fit; %u tried at its port: %u admitted\n", (unsigned long long)s.windows, other.n,
	       s.fit, tried, let_in);
	printf("control: %u of the seized server's own %u access keys found on it; the other "
	       "server's own key gets %zu bytes\n", s.own_seen.n, own.n, control);
	good = s.fit == 0 && let_in == 0 && tried > 0 && s.own_seen.n == own.n &&
	       control == NOISE_MSG_SIZE;
	free(s.values);
	home_close(&h);
	return good ? 0 : 1;
}

/* ---- in the place of a server ------------------------------------------------------------ */

static int count(uint16_t port, const char *path)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0), peer;
	FILE *f = fopen(path, "w");

	if (f == NULL || fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 16) != 0)
		die("the port cannot be used");
	puts("listening");
	fflush(stdout);
	while ((peer = accept(fd, NULL, NULL)) >= 0) {
		fputs("connection\n", f);
		fflush(f);
		close(peer);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 2;
	if (argc == 4 && strcmp(argv[1], "--count") == 0)
		return count((uint16_t)atoi(argv[2]), argv[3]);
	if (argc != 6) {
		fputs("Use: seized_keys FOLDER CARD PORT HOME PASSPHRASE-FILE\n"
		      "     seized_keys --count PORT FILE\n", stderr);
		return 2;
	}
	return compare(argv[1], argv[2], (uint16_t)atoi(argv[3]), argv[4], argv[5]);
}
