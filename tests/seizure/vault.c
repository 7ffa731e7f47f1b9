/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * seizure_vault: what the drill has to know of members' vaults and of a server, and what
 * no command does yet.
 *
 *	secrets HOME PASSFILE       canaries: everything secret in the vault, each private key with
 *	                            its public half
 *	access HOME PASSFILE CLASS  canaries: the field and counsel keys as derived for each server
 *	keys HOME PASSFILE          an administrator's: server, access keys and signing key, as
 *	                            seizure_visitor reads them
 *	renew HOME PASSFILE         start a new batch of prekeys at once
 *	revoke HOME PASSFILE NAME   publish a roster without that member, with new access keys of
 *	                            field and counsel and a new season
 *	card FILE                   canaries of a server's card
 *	server FOLDER               canaries of a server that does not run: its private key
 *
 * $AMPARO_TEST_CLOCK: seconds this device's clock is off.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "home.h"
#include "arena.h"
#include "channel.h"
#include "org.h"
#include "policy.h"
#include "prekeys.h"
#include "roster.h"
#include "rpc.h"
#include "signed.h"
#include "store.h"

static void die(const char *what)
{
	fprintf(stderr, "seizure_vault: %s\n", what);
	exit(2);
}

/* ---- canaries ---------------------------------------------------------------------------- */

static void hex(const char *class, const uint8_t *p, size_t len)
{
	char text[257];

	if (!sodium_is_zero(p, len))
		printf("%s\thex\t%s\n", class, sodium_bin2hex(text, sizeof text, p, len));
}

/* an X25519 private key and its public half */
static void dh_key(const char *what, const uint8_t sk[32])
{
	uint8_t pk[32];

	hex(what, sk, 32);
	if (!sodium_is_zero(sk, 32) && crypto_scalarmult_base(pk, sk) == 0)
		hex("public key", pk, 32);
}

static void text(const char *class, const char *s)
{
	if (s != NULL && strlen(s) >= 6)
		printf("%s\ttext\t%s\n", class, s);
}

static void field_secrets(const struct roster_field *f)
{
	uint32_t i;

	for (i = 0; i < f->n_seasons; i++)
		hex("season key", f->seasons[i].psk, 32);
	hex("access key", f->field_access, 32);
	dh_key("board key", f->board_sk);
	hex("public key", f->inbox_pk, 32);
	for (i = 0; i < f->n_forms; i++) {
		hex("form key", f->forms[i].key, 32);
		text("form title", f->forms[i].title);
	}
}

static void staff_secrets(const struct roster_staff *s)
{
	uint32_t i;

	hex("access key", s->counsel_access, 32);
	dh_key("board key", s->board_sk);
	for (i = 0; i < s->n_members; i++)
		hex(s->members[i].role == ROSTER_ADMINISTRATOR ? "administrator's public key" :
		    "public key", s->members[i].key, 32);
	for (i = 0; i < s->n_volunteers; i++)
		hex("public key", s->volunteers[i].key, 32);
}

static void admin_secrets(const struct roster_admin *a)
{
	uint8_t hash[32];
	uint32_t i;

	for (i = 0; i < a->n_members; i++) {
		hex("public key", a->members[i].slot_pk, 32);
		hex("slot secret", a->members[i].slot_secret, 32);
	}
	for (i = 0; i < a->n_invitations; i++) {
		hex("ticket", a->invitations[i].ticket, 16);
		hex("slot secret", a->invitations[i].slot_secret, 32);
		policy_ticket_hash(hash, a->invitations[i].ticket);
		hex("hash of an open ticket", hash, 32);
	}
	for (i = 0; i < a->n_answered; i++)
		hex("ticket", a->answered[i].ticket, 16);
	hex("access key", a->steward_access, 32);
	for (i = 0; i < a->n_guests; i++)
		hex("access key", a->guests[i].key, 32);
	dh_key("inbox key", a->inbox_sk);
	hex("policy seed", a->policy_seed, 32);
}

static void secrets(struct client *c)
{
	const struct identity *me = c->me;
	struct reader_key *keys = NULL;
	size_t n = 0;

	hex(me->role == ROLE_ADMINISTRATOR ? "administrator's public key" : "public key",
	    me->sign_pk, 32);
	hex("member's signing key", me->sign_sk, 32);
	dh_key("slot key", me->slot.sk);
	hex("slot secret", me->slot_secret, 32);
	dh_key("slot key", me->old_slot.sk);
	hex("access key", me->guest_key, 32);
	hex("ticket", me->ticket, 16);
	hex("roster key", c->level_key, 32);
	if (c->field != NULL)
		field_secrets(c->field);
	if (c->staff != NULL)
		staff_secrets(c->staff);
	if (c->admin != NULL)
		admin_secrets(c->admin);
	if (prekeys_needed(c) && prekeys_readers(c, true, &keys, &n) == PERR_OK) {
		for (size_t i = 0; i < n; i++)
			dh_key("prekey", keys[i].sk);
		prekeys_drop(keys);
	}
}

static void access_keys(struct client *c, const char *class)
{
	uint8_t derived[32];

	if (c->field == NULL || c->staff == NULL)
		die("this vault knows no access keys");
	for (uint32_t i = 0; i < c->field->n_servers; i++) {
		channel_access(derived, c->field->field_access, c->field->servers[i].pk);
		hex(class, derived, 32);
		channel_access(derived, c->staff->counsel_access, c->field->servers[i].pk);
		hex(class, derived, 32);
	}
}

/* ---- for the visitor --------------------------------------------------------------------- */

static void line(const char *key, const uint8_t *p, size_t len)
{
	char out[257];

	printf("%s %s\n", key, sodium_bin2hex(out, sizeof out, p, len));
}

static void visitor_keys(struct client *c)
{
	const struct roster_admin *a = c->admin;

	if (a == NULL || c->field->n_servers == 0)
		die("not an administrator's vault, or no server yet");
	line("server", c->field->servers[0].pk, 32);
	printf("port %s\n", strrchr(c->field->servers[0].address, ':') + 1);
	line("access1", a->guests[a->n_guests - 1].key, 32);
	line("access2", c->field->field_access, 32);
	line("access3", c->staff->counsel_access, 32);
	line("access4", a->steward_access, 32);
	line("admin", c->me->sign_sk, 64);
}

/* ---- what no command does ---------------------------------------------------------------- */

static void revoke(struct client *c, const char *name)
{
	struct roster_admin *a = c->admin;
	struct roster_field *f = c->field;
	struct roster_staff *s = c->staff;
	uint8_t key[32] = { 0 };
	uint32_t i;

	if (a == NULL)
		die("not an administrator's vault");
	for (i = 0; i < a->n_members && strcmp(a->members[i].name, name) != 0; i++)
		;
	if (i == a->n_members)
		die("no such member");
	memcpy(key, a->members[i].key, 32);
	a->members[i] = a->members[--a->n_members];
	for (i = 0; i < s->n_members; i++)
		if (memcmp(s->members[i].key, key, 32) == 0)
			s->members[i--] = s->members[--s->n_members];
	for (i = 0; i < s->n_volunteers; i++)
		if (memcmp(s->volunteers[i].key, key, 32) == 0)
			s->volunteers[i--] = s->volunteers[--s->n_volunteers];
	rng_fill(c->env.rng, f->field_access, 32);
	rng_fill(c->env.rng, s->counsel_access, 32);
	f->seasons = arena_grow(f->mem, f->seasons, f->n_seasons, f->n_seasons + 1,
	                        sizeof *f->seasons);
	if (f->seasons == NULL)
		die("out of memory");
	f->seasons[f->n_seasons].number = f->seasons[f->n_seasons - 1].number + 1;
	rng_fill(c->env.rng, f->seasons[f->n_seasons].psk, 32);
	f->n_seasons++;
	if (org_publish(c) != PERR_OK)
		die("the roster cannot be published");
}

static void card(const char *path)
{
	struct policy_card card;
	uint8_t derived[32];
	char buf[512];
	FILE *f = fopen(path, "r");

	if (f == NULL || fgets(buf, sizeof buf, f) == NULL)
		die("the card cannot be read");
	fclose(f);
	buf[strcspn(buf, "\r\n")] = '\0';
	if (policy_card_decode(&card, buf) != PERR_OK)
		die("not a card");
	hex("server's public key", card.server_pk, 32);
	hex("setup key", card.setup_key, 32);
	channel_access(derived, card.setup_key, card.server_pk);
	hex("setup key, derived", derived, 32);
}

static void server(const char *dir)
{
	const char *why = "";
	struct store *st;
	uint8_t sk[32];
	size_t len;

	if (store_open(&st, dir, NULL, &why) != PERR_OK ||
	    store_meta_get(st, "noise-key", sk, sizeof sk, &len) != PERR_OK || len != 32)
		die("the server's folder cannot be read");
	hex("server's private key", sk, 32);
	store_close(st);
}

int main(int argc, char **argv)
{
	struct home o;
	bool made;

	if (argc < 3 || sodium_init() < 0)
		goto usage;
	if (argc == 3 && strcmp(argv[1], "card") == 0) {
		card(argv[2]);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "server") == 0) {
		server(argv[2]);
		return 0;
	}
	if (argc < 4)
		goto usage;
	home_open(&o, argv[2], argv[3]);
	if (strcmp(argv[1], "secrets") == 0)
		secrets(o.client);
	else if (strcmp(argv[1], "access") == 0 && argc == 5)
		access_keys(o.client, argv[4]);
	else if (strcmp(argv[1], "keys") == 0)
		visitor_keys(o.client);
	else if (strcmp(argv[1], "revoke") == 0 && argc == 5)
		revoke(o.client, argv[4]);
	else if (strcmp(argv[1], "renew") != 0 || prekeys_renew(o.client, true, &made) != PERR_OK)
		goto usage;
	home_close(&o);
	return fflush(stdout) == 0 ? 0 : 2;
usage:
	fputs("Use: seizure_vault secrets|access|keys|renew|revoke HOME PASSFILE [CLASS|NAME], or\n"
	      "     seizure_vault card FILE, or seizure_vault server FOLDER\n", stderr);
	return 2;
}
