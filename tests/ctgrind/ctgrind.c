/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * ctgrind: each place of ours where a secret is at work, run with that secret undefined.
 * Under valgrind memcheck counts what depends on it; tests/ctgrind/run.sh reads what is printed:
 *
 *	target NAME FOUND reached|lost       how many branches; did the secret get to the end?
 *	control NAME FOUND                   must be above 0
 *	accepted NAME TIMES                  decisions of accepted.supp that were met
 */
#include "ct.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "access.h"
#include "blob.h"
#include "bulletin.h"
#include "case_code.h"
#include "cell.h"
#include "channel.h"
#include "policy.h"
#include "replay.h"
#include "slab.h"

#define N_KEYS 5

static int wrong;                /* a function did not do what it should: no test of anything */
static bool reached;             /* some output depended on the secret */

static void must(bool ok, const char *what)
{
	if (!ok) {
		printf("wrong %s\n", what);
		wrong++;
	}
}

/* an output; public afterwards, so that the test may look at it */
static void result(void *p, size_t len)
{
	reached = reached || ct_is_secret(p, len);
	ct_public(p, len);
}

/* numbers of a fixed stream, all of them secret */
static struct rng_seeded stream;
static struct rng source;

static void fill_secret(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	source.fill(source.ctx, out, len);
	ct_secret(out, len);
}

static struct rng secret_rng(void)
{
	static const uint8_t seed[32] = { 1 };

	source = rng_seeded(&stream, seed);
	return (struct rng){ .fill = fill_secret };
}

static void pair(uint8_t sk[32], uint8_t pk[32], uint8_t first)
{
	memset(sk, first, 32);
	must(crypto_scalarmult_base(pk, sk) == 0, "a key pair");
}

/* ---- the channel ------------------------------------------------------------------------- */

static uint8_t server_sk[32], server_pk[32], derived[N_KEYS][32];

static void server_keys(void)
{
	size_t i;

	pair(server_sk, server_pk, 0x41);
	for (i = 0; i < N_KEYS; i++)
		memset(derived[i], 0x10 + (int)i, 32);
	ct_secret(server_sk, 32);
	ct_secret(derived, sizeof derived);
}

/* a client's first message under key `which`, or under one nobody has */
static void first_message(struct channel *client, uint8_t m1[NOISE_MSG_SIZE], size_t which)
{
	static const uint8_t seed[32] = { 2 };
	static struct rng_seeded st;
	uint8_t key[32];

	memset(key, 0x10 + (int)which, 32);
	must(channel_connect(client, m1, server_pk, key, rng_seeded(&st, seed)) == PERR_OK,
	     "message 1");
}

static enum perr answer(struct channel *server, const uint8_t m1[NOISE_MSG_SIZE],
                        uint8_t m2[NOISE_MSG_SIZE], size_t *which)
{
	const uint8_t *msg;
	size_t used, len;
	enum perr err;

	channel_listen(server);
	must(channel_recv(server, m1, NOISE_MSG_SIZE, &used, &msg, &len) == PERR_OK, "receive");
	err = channel_accept(server, m2, which, server_sk, server_pk,
	                     (const uint8_t (*)[32])derived, N_KEYS, secret_rng());
	result(&err, sizeof err);
	return err;
}

static void handshake(void)
{
	struct channel client, server;
	uint8_t m1[NOISE_MSG_SIZE], m2[NOISE_MSG_SIZE];
	size_t i, which;

	server_keys();
	for (i = 0; i <= N_KEYS; i++) {
		bool member = i < N_KEYS;

		first_message(&client, m1, i);
		must((answer(&server, m1, m2, &which) == PERR_OK) == member, "who is admitted");
		if (member)
			result(m2, sizeof m2);
		must(!member || which == i, "which key");
		channel_kill(&server);
		channel_kill(&client);
	}
}

/* the client's side: the access key, and its own ephemeral key */
static void handshake_client(void)
{
	struct channel client, server;
	uint8_t m1[NOISE_MSG_SIZE], m2[NOISE_MSG_SIZE], key[32];
	const uint8_t *msg;
	size_t used, len, which;

	server_keys();
	memset(key, 0x12, 32);
	ct_secret(key, 32);
	must(channel_connect(&client, m1, server_pk, key, secret_rng()) == PERR_OK, "message 1");
	result(m1, sizeof m1);
	must(answer(&server, m1, m2, &which) == PERR_OK, "message 2");
	ct_public(m2, sizeof m2);
	must(channel_recv(&client, m2, sizeof m2, &used, &msg, &len) == PERR_OK, "opened");
	m2[40] ^= 1;
	must(channel_connect(&client, m1, server_pk, key, secret_rng()) == PERR_OK, "again");
	must(channel_recv(&client, m2, sizeof m2, &used, &msg, &len) == PERR_AUTH, "altered");
}

static void frames(void)
{
	struct channel a, b;
	uint8_t m1[NOISE_MSG_SIZE], m2[NOISE_MSG_SIZE], frame[FRAME_SIZE], text[100];
	const uint8_t *msg;
	size_t used, len, which;

	server_keys();
	first_message(&a, m1, 3);
	must(answer(&b, m1, m2, &which) == PERR_OK, "message 2");
	ct_public(m2, sizeof m2);
	must(channel_recv(&a, m2, sizeof m2, &used, &msg, &len) == PERR_OK, "opened");
	ct_secret(&a.own, sizeof a.own.hs + 2 * sizeof a.own.tx);
	ct_public(&a.own.tx.n, sizeof a.own.tx.n);
	ct_public(&a.own.rx.n, sizeof a.own.rx.n);
	memset(text, 7, sizeof text);
	ct_secret(text, sizeof text);
	must(channel_send(&a, frame, text, sizeof text) == PERR_OK, "sent");
	result(frame, sizeof frame);
	must(channel_recv(&b, frame, FRAME_SIZE, &used, &msg, &len) == PERR_OK && len == 100,
	     "received");
	must(channel_send(&b, frame, text, 0) == PERR_OK, "sent back");
	ct_public(frame, sizeof frame);
	must(channel_recv(&a, frame, FRAME_SIZE, &used, &msg, &len) == PERR_OK, "received back");
	must(channel_send(&b, frame, text, 1) == PERR_OK, "sent again");
	ct_public(frame, sizeof frame);
	frame[9] ^= 4;
	must(channel_recv(&a, frame, FRAME_SIZE, &used, &msg, &len) == PERR_AUTH, "altered");
}

static void access_derived(void)
{
	uint8_t key[32] = { 3 }, out[32];

	pair(server_sk, server_pk, 0x41);
	ct_secret(key, sizeof key);
	channel_access(out, key, server_pk);
	result(out, sizeof out);
}

/* ---- HPKE, cells, blobs, slots ----------------------------------------------------------- */

static struct reader_key keys[3];
static struct season seasons[2];

static void reader(bool secret)
{
	uint8_t psk[32];
	size_t i;

	for (i = 0; i < 3; i++)
		pair(keys[i].sk, keys[i].pk, (uint8_t)(0x20 + i));
	for (i = 0; i < 2; i++) {
		memset(psk, 0x30 + (int)i, sizeof psk);
		if (secret)
			ct_secret(psk, sizeof psk);
		season_init(&seasons[i], (uint32_t)i + 1, psk);
	}
	for (i = 0; secret && i < 3; i++)
		ct_secret(keys[i].sk, 32);
}

static void hpke_both(void)
{
	uint8_t sk[32], pk[32], psk[32], enc[HPKE_ENC_SIZE], text[64], ct[64 + HPKE_TAG_SIZE];
	uint8_t back[64], out[40];
	struct hpke_params p;
	struct hpke s, r;

	pair(sk, pk, 0x51);
	memset(psk, 0x52, sizeof psk);
	memset(text, 0x53, sizeof text);
	ct_secret(sk, sizeof sk);
	ct_secret(psk, sizeof psk);
	ct_secret(text, sizeof text);
	must(hpke_params_psk(&p, (const uint8_t *)"i", 1, psk, 32, (const uint8_t *)"n", 1) ==
	     PERR_OK, "params");
	must(hpke_setup_s(&s, enc, &p, pk, secret_rng()) == PERR_OK, "sender");
	must(hpke_seal(&s, ct, pk, 32, text, sizeof text) == PERR_OK, "seal");
	result(enc, sizeof enc);
	result(ct, sizeof ct);
	must(hpke_setup_r(&r, enc, &p, sk, pk) == PERR_OK, "reader");
	must(hpke_open(&r, back, pk, 32, ct, sizeof ct) == PERR_OK, "open");
	result(back, sizeof back);
	must(back[0] == 0x53, "what was sealed");
	must(hpke_export(&r, out, sizeof out, (const uint8_t *)"e", 1) == PERR_OK, "export");
	result(out, sizeof out);
	ct[3] ^= 1;
	must(hpke_open(&r, back, pk, 32, ct, sizeof ct) == PERR_AUTH, "altered");
}

static void seal(uint8_t cell[CELL_SIZE], size_t key, size_t season)
{
	static const uint8_t seed[32] = { 4 };
	static struct rng_seeded st;
	uint8_t payload[300];

	memset(payload, 0x66, sizeof payload);
	must(cell_seal(cell, NULL, CELL_STATEMENT, payload, sizeof payload, keys[key].pk,
	               &seasons[season], rng_seeded(&st, seed)) == PERR_OK, "seal");
	ct_public(cell, CELL_SIZE);
}

static void sealing(void)
{
	uint8_t cell[CELL_SIZE], ds[CELL_DS_SIZE], payload[300];

	reader(true);
	memset(payload, 0x66, sizeof payload);
	ct_secret(payload, sizeof payload);
	must(cell_seal(cell, ds, CELL_STATEMENT, payload, sizeof payload, keys[0].pk, &seasons[0],
	               secret_rng()) == PERR_OK, "seal");
	result(cell, sizeof cell);
	result(ds, sizeof ds);
	must(cell_seal_decoy(cell, &seasons[1], secret_rng()) == PERR_OK, "decoy");
	result(cell, sizeof cell);
}

static void trial(void)
{
	uint8_t cell[CELL_SIZE], ds[CELL_DS_SIZE];
	size_t k, s, i;

	for (i = 0; i < 7; i++) {
		enum perr err;

		reader(false);
		seal(cell, i % 3, i % 2);
		reader(true);
		if (i == 6)
			cell[CELL_TAG_AT] ^= 1;
		err = cell_trial(&k, &s, ds, cell, keys, 3, seasons, 2);
		must((err == PERR_OK) == (i < 6), "whose it is");
		must(i == 6 || (k == i % 3 && s == i % 2), "which key and season");
		result(ds, sizeof ds);
	}
}

static void opening(void)
{
	uint8_t cell[CELL_SIZE], payload[CELL_PAYLOAD_MAX];
	enum cell_form form;
	size_t len;

	reader(false);
	seal(cell, 1, 1);
	reader(true);
	must(cell_open(&form, payload, &len, cell, &keys[1], &seasons[1]) == PERR_OK &&
	     len == 300 && payload[0] == 0x66, "open");
	must(cell_open(&form, payload, &len, cell, &keys[2], &seasons[1]) == PERR_NOTMINE,
	     "another's");
	cell[100] ^= 1;
	must(cell_open(&form, payload, &len, cell, &keys[1], &seasons[1]) == PERR_AUTH, "altered");
	reached = true;          /* what is opened is public by decision: see trial, hpke */
}

static void chunks(void)
{
	uint8_t cell[CELL_SIZE], data[500], payload[CELL_PAYLOAD_MAX], tag[CELL_TAG_SIZE];
	struct reader_key key;
	struct blob_ref ref;
	size_t len;

	reader(true);
	memset(data, 0x77, sizeof data);
	ct_secret(data, sizeof data);
	must(blob_begin(&ref, data, sizeof data, secret_rng()) == PERR_OK, "begin");
	blob_chunk_tag(tag, &ref, 0);
	result(tag, sizeof tag);
	blob_key(&key, &ref);
	must(cell_seal_chunk(cell, data, data, sizeof data, key.pk, &seasons[1], secret_rng()) ==
	     PERR_OK, "seal");
	result(cell, sizeof cell);
	must(cell_open_chunk(payload, &len, cell, &key, seasons, 2) == PERR_OK && len == 500,
	     "open");
}

static void slots(void)
{
	static const uint8_t seed[32] = { 5 };
	struct rng_seeded st;
	struct bulletin_slot who[3];
	uint8_t sk[3][32], *part, name[32], key[32], secret[32];
	size_t len, i;

	memset(who, 0, sizeof who);
	for (i = 0; i < 3; i++) {
		pair(sk[i], who[i].pk, (uint8_t)(0x70 + i));
		memset(who[i].secret, 0x71 + (int)i, 32);
		memset(who[i].key, 0x78 + (int)i, 32);
	}
	must(bulletin_slots_make(&part, &len, name, 9, who, 3, rng_seeded(&st, seed)) == PERR_OK,
	     "slots");
	for (i = 0; i < 3; i++) {
		ct_secret(sk[i], 32);
		memcpy(secret, who[i].secret, 32);
		ct_secret(secret, 32);
		must(bulletin_slots_find(key, part, len, 9, sk[i], secret) == PERR_OK, "mine");
		result(key, sizeof key);
		must(key[0] == 0x78 + (int)i, "its key");
	}
	must(bulletin_slots_find(key, part, len, 8, sk[0], secret) == PERR_NOTMINE, "no one's");
	doc_free(part, len);
}

/* mark every copy of these keys in a piece of memory, found while it is still public */
static size_t mark_keys(uint8_t *room, size_t len)
{
	size_t at, k, n = 0;
	uint8_t *found[8 * N_KEYS];

	for (at = 0; at + 32 <= len; at++)
		for (k = 0; k < N_KEYS; k++)
			if (n < 8 * N_KEYS && room[at] == 0x10 + k && room[at + 31] == 0x10 + k &&
			    memcmp(room + at, room + at + 1, 31) == 0)
				found[n++] = room + at;
	for (k = 0; k < n; k++)
		ct_secret(found[k], 32);
	return n;
}

/* ---- looking up keys and codes ----------------------------------------------------------- */

static void lookup_keys(void)
{
	struct policy *p = calloc(1, sizeof *p);
	struct access *a;
	struct slab *slab;
	struct sign_key admin;
	const struct sign_key *signer = &admin;
	struct signed_doc link;
	const uint8_t (*now)[32];
	uint8_t seed[32] = { 8 }, setup[32], *bytes, *doc, *room;
	uint32_t serial = 0, again, i;
	size_t len, doc_len, n;
	enum perr err = slab_new(&slab, access_room() + 64, 1, 64);

	must(err == PERR_OK || err == PERR_LIMIT, "slab");
	pair(server_sk, server_pk, 0x41);
	room = (uint8_t *)slab_keep(slab, 64) + 64;      /* where access will have its keys */
	must(access_new(&a, server_pk, slab) == PERR_OK, "access");
	memset(setup, 0x21, sizeof setup);
	ct_secret(setup, sizeof setup);
	access_set_setup(a, setup);
	must(access_keys(a, 1, &now) == 1, "the setup key");
	result((uint8_t *)(uintptr_t)now[0], 32);

	signed_key_from_seed(&admin, seed);
	memset(&link, 0, sizeof link);
	must(admins_genesis(&link, 1, (const uint8_t (*)[32])&admin.id, 1) == PERR_OK &&
	     signed_add(&link.sigs, &admin, ADMINS_CONTEXT, link.bytes, link.len) == PERR_OK &&
	     signed_encode(&doc, &doc_len, &link) == PERR_OK, "administrators");
	policy_default(p);
	memcpy(p->server_pk, server_pk, 32);
	p->counter = 1;
	p->day = 20000;
	p->n_chain = 1;
	p->chain[0] = doc_bytes_of(doc, doc_len);
	p->n_access = N_KEYS;
	for (i = 0; i < N_KEYS; i++) {
		p->access[i].scope = 1 + i % 4;
		memset(p->access[i].derived, 0x10 + (int)i, 32);
	}
	must(policy_pad_tickets(p, rng_system()) == PERR_OK &&
	     policy_sign(&bytes, &len, p, &signer, 1) == PERR_OK, "a policy");
	must(access_set_policy(a, bytes, len) == PERR_OK, "in force");
	must(mark_keys(room, access_room() - 64) == N_KEYS, "the keys in the slab");
	n = access_keys(a, 20000, &now);
	must(n == N_KEYS, "keys of the day");
	result((uint8_t *)(uintptr_t)now[0], 32);
	must(access_scope(a, 2, &serial) == RPC_COUNSEL && access_still(a, serial, 20000), "scope");
	/* the same policy once more: each key is compared with those in force */
	must(access_set_policy(a, bytes, len) == PERR_OK, "again");
	(void)access_keys(a, 20000, &now);
	(void)access_scope(a, 2, &again);
	result(&again, sizeof again);
	must(again == serial, "a key that stays keeps its place");
	access_free(a);
	slab_free(slab);
	free(bytes);
	free(doc);
	signed_doc_free(&link);
	free(p);
}

static void replayed(void)
{
	uint8_t key[REPLAY_KEY], e[32] = { 4 };
	struct replay *r;

	must(replay_new(&r, key, secret_rng()) == PERR_OK, "replay");
	reached = ct_is_secret(key, sizeof key);
	must(!replay_seen(r, e) && replay_seen(r, e), "seen");
	replay_free(r);
}

static void codes(void)
{
	char code[CASE_CODE_LEN + 1], typed[16], shown[CASE_CODE_SHOWN + 1], part[CASE_CODE_LEN + 1];
	enum perr err;
	size_t n;
	bool ok;
	int i;

	case_code_new(code, secret_rng());
	case_code_show(shown, code);
	ok = case_code_is_canonical(code, CASE_CODE_LEN);
	result(&ok, sizeof ok);
	must(ok, "a new code");
	result(code, CASE_CODE_LEN);
	/* as typed, in small letters; then with a wrong character, and with too many */
	for (i = 0; i < 3; i++) {
		snprintf(typed, sizeof typed, "%.5s %.5s%s", code, code + 5, i == 2 ? "7" : "");
		typed[2] = (char)(typed[2] >= 'A' ? typed[2] + 32 : typed[2]);
		if (i == 1)
			typed[0] = typed[0] == '7' ? '8' : '7';
		ct_secret(typed, strlen(typed));
		err = case_code_parse(part, typed);
		result(&err, sizeof err);
		must(err == (i == 0 ? PERR_OK : i == 1 ? PERR_AUTH : PERR_FORMAT), "typed");
		ct_public(typed, sizeof typed);
	}
	/* the lookup: against each code there is */
	snprintf(typed, sizeof typed, "%.6s", code);
	ct_secret(typed, 6);
	n = case_code_part(part, typed);
	result(&n, sizeof n);
	must(n == 6, "a part");
	ct_secret(code, CASE_CODE_LEN);
	ok = case_code_begins(code, part);
	result(&ok, sizeof ok);
	must(ok, "its code");
	ok = case_code_begins("0000000000", part);
	result(&ok, sizeof ok);
	must(!ok, "another's");
}

static const struct target {
	const char *name;
	void (*run)(void);
	bool decides;            /* without the accepted decisions it must be found */
} targets[] = {
	{ "handshake, server, each key and none", handshake, true },
	{ "handshake, client", handshake_client, true },
	{ "frames, both ways", frames, true },
	{ "derived access key", access_derived, false },
	{ "HPKE: seal, open, export", hpke_both, true },
	{ "cell: seal", sealing, true },
	{ "cell: trial", trial, true },
	{ "cell: open", opening, true },
	{ "blob: tags, chunks", chunks, true },
	{ "bulletin: own slot", slots, true },
	{ "access keys: look up, replace", lookup_keys, true },
	{ "replayed messages", replayed, true },
	{ "case code: new, read, look up", codes, false },
};

/* ---- controls: what must be found -------------------------------------------------------- */

static volatile unsigned sink;

static __attribute__((noinline)) int early_exit(const uint8_t *a, const uint8_t *b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (a[i] != b[i])
			return 1;
	return 0;
}

static void control_early_exit(void)
{
	uint8_t a[32] = { 1, 2, 3 }, b[32] = { 1, 2, 3 };

	ct_secret(a, sizeof a);
	sink += (unsigned)early_exit(a, b, sizeof a);
}

static void control_memcmp(void)
{
	uint8_t a[32] = { 1, 2, 3 }, b[32] = { 1, 2, 4 };
	volatile size_t len = sizeof a;

	ct_secret(a, sizeof a);
	sink += memcmp(a, b, len) != 0;
}

static void control_index(void)
{
	static volatile uint8_t table[256];
	uint8_t key[1] = { 7 };

	ct_secret(key, sizeof key);
	sink += table[key[0]];
}

static void control_branch(void)
{
	uint8_t key[32] = { 5 };

	ct_secret(key, sizeof key);
	if (*(volatile uint8_t *)key & 1)
		sink++;
}

/* the former reading of a case code: a search in the alphabet */
static void control_alphabet(void)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char code[2] = "K";
	volatile char c;

	ct_secret(code, 1);
	c = code[0];
	sink += strchr(alphabet, c) != NULL;
}

/* only a part of a key: what enters a handshake through a copy and a DH */
static void control_through_dh(void)
{
	uint8_t sk[32], pk[32], dh[32];

	pair(sk, pk, 9);
	ct_secret(sk, 4);
	ct_accept(CT_ALL, false);
	sink += (unsigned)crypto_scalarmult(dh, sk, pk);
	ct_accept(CT_ALL, true);
	if (((volatile uint8_t *)dh)[31] & 1)
		sink++;
}

static const struct target controls[] = {
	{ "an early exit of a comparison", control_early_exit, false },
	{ "memcmp of a secret", control_memcmp, false },
	{ "a table by a secret", control_index, false },
	{ "a branch on a bit", control_branch, false },
	{ "a search in the alphabet", control_alphabet, false },
	{ "a branch behind a DH", control_through_dh, false },
};

static unsigned run(const struct target *t)
{
	unsigned before = ct_found();

	reached = false;
	t->run();
	return ct_found() - before;
}

int main(int argc, char **argv)
{
	unsigned n, used;
	size_t i;

	(void)argv;
	if (sodium_init() < 0)
		return 2;
	if (!RUNNING_ON_VALGRIND && argc == 1) {
		printf("wrong: to be run under valgrind\n");
		return 2;
	}
	for (i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		n = run(&targets[i]);
		printf("target %s: %u %s\n", targets[i].name, n, reached ? "reached" : "lost");
	}
	for (i = 0; ct_wrapper((unsigned)i, &used) != NULL; i++)
		printf("accepted %s %u\n", ct_wrapper((unsigned)i, &used), used);
	fflush(stdout);
	VALGRIND_PRINTF("==== controls: what follows is meant to be found ====\n");
	for (i = 0; i < sizeof controls / sizeof controls[0]; i++)
		printf("control %s: %u\n", controls[i].name, run(&controls[i]));
	/* the targets themselves, their decisions no longer accepted */
	ct_accept(CT_ALL, false);
	for (i = 0; i < sizeof targets / sizeof targets[0]; i++)
		if (targets[i].decides)
			printf("control %s, its decisions not accepted: %u\n", targets[i].name,
			       run(&targets[i]));
	return wrong != 0;
}
