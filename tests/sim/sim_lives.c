/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Every key lives as the table in docs/PROTOCOL.md, section 11, says.  The table is read here:
 * for each key in each of its states, the bytes of its secret and of what is public or derived
 * of it are looked for in every member's vault and on every server's disk, and stand just where
 * the row says.  Every row is visited.
 *
 * Controls: a key kept aside in another vault, one written to a server's disk, one that is
 * missing where it should be: each is noticed by the same comparison.
 */
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "bring.h"
#include "ceremony.h"
#include "channel.h"
#include "desk.h"
#include "holders.h"
#include "invite.h"
#include "cell.h"
#include "envelope.h"
#include "record.h"
#include "store.h"
#include "org.h"
#include "prekeys.h"
#include "recovery.h"
#include "revoke.h"
#include "roster.h"
#include "rotate.h"
#include "rpc.h"
#include "shares.h"
#include "steward.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define ROWS 64
#define PERSON(who) (1u << (who))
#define SERVER(at)  (1u << (16 + (at)))

/* ---- the table ---------------------------------------------------------------------------- */

struct row {
	char key[64], state[24], secret[96], other[96];
	unsigned visits;
};
static struct row rows[ROWS];
static unsigned n_rows;

static void cell_of(char *out, size_t size, const char **at)
{
	const char *end = strchr(*at, '|');
	size_t len;

	assert_non_null(end);
	while (**at == ' ')
		(*at)++;
	len = (size_t)(end - *at);
	while (len > 0 && (*at)[len - 1] == ' ')
		len--;
	assert_true(len < size);
	memcpy(out, *at, len);
	out[len] = '\0';
	*at = end + 1;
}

static int read_table(void **state)
{
	FILE *f = fopen("docs/PROTOCOL.md", "r");
	char line[4096];
	bool inside = false;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		const char *at = line + 1;

		if (strncmp(line, "<!-- lives -->", 14) == 0)
			inside = true;
		else if (strncmp(line, "<!-- end of lives -->", 21) == 0)
			inside = false;
		if (!inside || line[0] != '|' || line[1] == '-' || strncmp(line, "| key |", 7) == 0)
			continue;
		assert_true(n_rows < ROWS);
		cell_of(rows[n_rows].key, sizeof rows[0].key, &at);
		cell_of(rows[n_rows].state, sizeof rows[0].state, &at);
		cell_of(rows[n_rows].secret, sizeof rows[0].secret, &at);
		cell_of(rows[n_rows].other, sizeof rows[0].other, &at);
		n_rows++;
	}
	fclose(f);
	assert_true(n_rows > 20);
	return 0;
}

/* "administrators, owner" as a set of vaults and disks */
static uint32_t set_of(const char *words, enum world_who owner)
{
	static const struct {
		const char *word;
		uint32_t set;
	} known[] = {
		{ "nobody", 0 },
		{ "administrators", PERSON(ADMIN) },
		{ "holders", PERSON(HOLDER0) | PERSON(HOLDER1) },
		{ "attorneys", PERSON(HOLDER0) | PERSON(HOLDER1) | PERSON(COUNSEL) },
		{ "staff", PERSON(ADMIN) | PERSON(HOLDER0) | PERSON(HOLDER1) | PERSON(COUNSEL) },
		{ "volunteers", PERSON(VOLUNTEER0) | PERSON(VOLUNTEER1) },
		{ "members", PERSON(ADMIN) | PERSON(HOLDER0) | PERSON(HOLDER1) | PERSON(COUNSEL) |
		             PERSON(VOLUNTEER0) | PERSON(VOLUNTEER1) },
		{ "server", SERVER(0) }, { "servers", SERVER(0) | SERVER(1) },
	};
	uint32_t set = 0;
	char copy[96], *save = NULL;

	snprintf(copy, sizeof copy, "%s", words);
	for (char *w = strtok_r(copy, ", ", &save); w != NULL; w = strtok_r(NULL, ", ", &save)) {
		bool found = strcmp(w, "owner") == 0;

		if (found)
			set |= PERSON(owner);
		for (size_t i = 0; i < sizeof known / sizeof known[0] && !found; i++) {
			found = strcmp(w, known[i].word) == 0;
			if (found)
				set |= known[i].set;
		}
		if (!found)
			fail_msg("docs/PROTOCOL.md 11: \"%s\" is nobody known here", w);
	}
	return set;
}

/* ---- looking ------------------------------------------------------------------------------ */

struct look {
	const uint8_t *p;
	size_t n;
	bool found;
	char name[64];                   /* of the last value in which it stands */
};

static enum perr in_value(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct look *l = arg;

	/* a bulletin on its way, as it stands on every server */
	if (strncmp(name, "part/", 5) != 0 && memmem(value, len, l->p, l->n) != NULL) {
		l->found = true;
		snprintf(l->name, sizeof l->name, "%s", name);
	}
	return PERR_OK;
}

static void in_folder(struct look *l, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char path[512];
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		assert_int_equal(lstat(path, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			in_folder(l, path);
		} else if (S_ISREG(st.st_mode) && st.st_size > 0) {
			uint8_t *p = malloc((size_t)st.st_size);
			int fd = open(path, O_RDONLY);

			assert_non_null(p);
			assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
			l->found |= memmem(p, (size_t)st.st_size, l->p, l->n) != NULL;
			close(fd);
			free(p);
		}
	}
	closedir(d);
}

static char last_name[64];       /* of a value in which it stood, for whoever mends it */

/* the vaults and disks on which these bytes stand */
static uint32_t stands(struct world *w, const uint8_t *p, size_t n)
{
	uint32_t set = 0;

	for (unsigned i = 0; i < WORLD_PEOPLE; i++) {
		struct look l = { .p = p, .n = n };

		if (w->p[i].kv == NULL)
			continue;
		OK(kv_each(w->p[i].kv, "", in_value, &l));
		set |= l.found ? PERSON(i) : 0;
		if (l.found)
			snprintf(last_name, sizeof last_name, "%s", l.name);
	}
	for (unsigned i = 0; i < WORLD_SERVERS; i++) {
		struct look l = { .p = p, .n = n };

		in_folder(&l, w->s[i].dir);
		set |= l.found ? SERVER(i) : 0;
	}
	return set;
}

static void print_set(const char *what, uint32_t set)
{
	static const char *const names[] = { "administrator", "holder0", "holder1", "counsel",
	                                     "volunteer0", "volunteer1", "interpreter" };

	print_message("    %s:", what);
	for (unsigned i = 0; i < 7; i++)
		if (set & PERSON(i))
			print_message(" %s", names[i]);
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		if (set & SERVER(i))
			print_message(" server%u", i);
	print_message("\n");
}

/* is it as the row says?  p NULL: there is no such part */
static bool is_so(struct world *w, const char *words, enum world_who owner, const uint8_t *p,
                  size_t n, bool say)
{
	uint32_t want, got;

	if (p == NULL)
		return strcmp(words, "-") == 0;
	want = set_of(words, owner);
	got = stands(w, p, n);
	if (want != got && say) {
		print_set("should stand at", want);
		print_set("stands at", got);
		print_message("    last in: %s\n", last_name);
	}
	return want == got;
}

static unsigned wrong;

/*
 * The key is in this state now.  secret, other: 32 bytes each; other NULL: nothing public or
 * derived of it stands anywhere.
 */
static void now_is(struct world *w, const char *key, const char *state, enum world_who owner,
                   const uint8_t *secret, const uint8_t *other)
{
	for (unsigned i = 0; i < n_rows; i++) {
		struct row *r = &rows[i];

		if (strcmp(r->key, key) != 0 || strcmp(r->state, state) != 0)
			continue;
		r->visits++;
		if (!is_so(w, r->secret, owner, secret, 32, true) ||
		    !is_so(w, r->other, owner, other, 32, true)) {
			print_message("  ^ %s, %s\n", key, state);
			wrong++;
		}
		return;
	}
	fail_msg("docs/PROTOCOL.md 11 has no row for %s, %s", key, state);
}

/* ---- the walk ----------------------------------------------------------------------------- */

static struct client *of(struct world *w, enum world_who who)
{
	return w->p[who].c;
}

static bool is_revoked(struct world *w, unsigned who)
{
	for (uint32_t i = 0; i < of(w, ADMIN)->staff->n_former; i++)
		if (memcmp(of(w, ADMIN)->staff->former[i].key, of(w, who)->me->sign_pk, 32) == 0)
			return true;
	return false;
}

/* everybody who still can hears of everything */
static void round_of_all(struct world *w)
{
	struct bring_result r;

	OK(bring_all(of(w, ADMIN), &w->net, STEWARD_PUSH | STEWARD_ANSWERS, &r));
	for (unsigned i = 0; i < r.n; i++)
		if (!r.server[i].complete)
			print_message("    server %u: %s (%d, reached %d)\n", i, r.server[i].why, (int)r.server[i].err,
			              r.server[i].reached);
	assert_int_equal(r.done, r.n);
	for (unsigned twice = 0; twice < 2; twice++) {
		for (unsigned i = 0; i < WORLD_PEOPLE; i++)
			if (w->p[i].c != NULL && of(w, i)->me->state == CLIENT_MEMBER &&
			    world_try(w, i) != PERR_OK && !is_revoked(w, i))
				fail_msg("%u could not sync", i);
		world_release(w);
	}
}

static struct world *begin(void)
{
	struct world *w = world_full(1);

	round_of_all(w);
	wrong = 0;
	return w;
}

static void end(struct world *w)
{
	world_free(w);
	assert_int_equal(wrong, 0);
}

static void copy32(uint8_t to[32], const uint8_t *from)
{
	memcpy(to, from, 32);
}

static void signing_and_slot_keys(void **state)
{
	uint8_t sign[32], pk[32], slot[32], slot_secret[32], admin[32], admin_pk[32];
	struct world *w = begin();

	(void)state;
	copy32(admin, of(w, ADMIN)->me->sign_sk);
	copy32(admin_pk, of(w, ADMIN)->me->sign_pk);
	now_is(w, "administrator's signing key", "active", ADMIN, admin, admin_pk);
	copy32(sign, of(w, COUNSEL)->me->sign_sk);
	copy32(pk, of(w, COUNSEL)->me->sign_pk);
	copy32(slot, of(w, COUNSEL)->me->slot.sk);
	copy32(slot_secret, of(w, COUNSEL)->me->slot_secret);
	now_is(w, "member's signing key", "active", COUNSEL, sign, pk);
	now_is(w, "slot key", "active", COUNSEL, slot, of(w, COUNSEL)->me->slot.pk);
	now_is(w, "slot secret", "active", COUNSEL, slot_secret, NULL);
	OK(revoke_members(of(w, ADMIN), (const uint8_t (*)[32])pk, 1));
	round_of_all(w);
	now_is(w, "member's signing key", "retired", COUNSEL, sign, pk);
	now_is(w, "slot key", "retired", COUNSEL, slot, of(w, COUNSEL)->me->slot.pk);
	now_is(w, "slot secret", "retired", COUNSEL, slot_secret, NULL);
	end(w);
}

static void an_invitation(void **state)
{
	struct world *w = begin();
	struct invite_keys k;
	struct invite inv;

	(void)state;
	OK(org_invite(of(w, ADMIN), ROLE_VOLUNTEER, 1, w->desk, NULL, &inv));
	round_of_all(w);
	invite_derive(&k, inv.seed);
	now_is(w, "invitation's slot secret", "active", ADMIN, k.slot_secret, k.slot_pk);
	OK(org_refuse(of(w, ADMIN), k.ticket));
	round_of_all(w);
	now_is(w, "invitation's slot secret", "destroyed", ADMIN, k.slot_secret, k.slot_pk);
	end(w);
}

struct halves {
	uint8_t sk[64][32];
	char name[64][32];
	unsigned n;
};
static enum perr one_half(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct halves *h = arg;

	if (len == 32 && strlen(name) > 16 && h->n < 64) {
		snprintf(h->name[h->n], sizeof h->name[0], "%s", name);
		copy32(h->sk[h->n++], value);
	}
	return PERR_OK;
}

static void prekeys(void **state)
{
	struct world *w = begin();
	struct halves h = { .n = 0 };
	uint8_t pk[32], staff_pk[32];
	struct halves mine = { .n = 0 };
	uint32_t day = client_day(of(w, HOLDER0));

	(void)state;
	OK(kv_each(w->p[HOLDER0].kv, "prekey/", one_half, &h));
	OK(kv_each(w->p[COUNSEL].kv, "prekey/", one_half, &mine));
	assert_true(h.n > 2 && mine.n > 2);
	crypto_scalarmult_base(pk, h.sk[0]);
	crypto_scalarmult_base(staff_pk, mine.sk[0]);
	now_is(w, "holder's prekey", "active", HOLDER0, h.sk[0], pk);
	now_is(w, "attorney's prekey", "active", COUNSEL, mine.sk[0], staff_pk);
	/* its period is over, its grace is not */
	world_day(w, 20);
	round_of_all(w);
	assert_true(client_day(of(w, HOLDER0)) > day + 14);
	now_is(w, "holder's prekey", "retired", HOLDER0, h.sk[0], pk);
	now_is(w, "attorney's prekey", "retired", COUNSEL, mine.sk[0], staff_pk);
	for (unsigned i = 0; i < 40; i += 5) {
		world_day(w, 5);
		round_of_all(w);
	}
	now_is(w, "holder's prekey", "destroyed", HOLDER0, h.sk[0], pk);
	now_is(w, "attorney's prekey", "destroyed", COUNSEL, mine.sk[0], staff_pk);
	end(w);
}

/* held, rehearsed, and used to restore: nothing of it stays on any device */
static void a_paper_holder(void **state)
{
	struct world *w = begin();
	uint8_t seed[32], sks[PAPER_KEYS][32], proof[32];
	struct batch *b = calloc(1, sizeof *b);
	struct paper_share shares[2];
	struct ceremony *m;
	struct recovery *r;
	struct sign_key k;
	const uint8_t index[2] = { 1, 3 };
	uint8_t raw[2][32];
	char why[RECOVERY_WHY];

	(void)state;
	assert_non_null(b);
	OK(ceremony_new(&m, of(w, HOLDER0), w->desk, 2, 3, why));
	for (uint32_t i = 1; i <= 3; i++)
		OK(ceremony_read(m, i, ceremony_share(m, i), why));
	shares[0] = *ceremony_share(m, 1);
	shares[1] = *ceremony_share(m, 3);
	OK(ceremony_publish(m, why));
	ceremony_free(m);
	for (unsigned i = 0; i < 3; i++)
		round_of_all(w);
	for (unsigned use = 0; use < 2; use++) {
		OK(recovery_new(&r, of(w, use == 0 ? HOLDER1 : COUNSEL)));
		for (unsigned i = 0; i < 2; i++)
			OK(recovery_add(r, &shares[i], why));
		OK(recovery_join(r, why));
		if (use == 0)
			OK(recovery_rehearse(r, why));
		else
			OK(recovery_begin(r, NULL, 0, true, why));
		round_of_all(w);
		recovery_free(r);
	}
	for (unsigned i = 0; i < 2; i++)
		copy32(raw[i], shares[i].bytes);
	OK(shares_join(seed, (const uint8_t (*)[32])raw, index, 2));
	paper_batch(b, sks, seed, 20000);
	paper_sign_key(&k, seed);
	OK(paper_proof(proof, &shares[1]));
	now_is(w, "paper holder's seed", "made", ADMIN, seed, NULL);
	now_is(w, "paper holder's share", "made", ADMIN, raw[1], proof);
	now_is(w, "paper holder's signing key", "active", ADMIN, k.sk, k.id);
	now_is(w, "paper holder's prekey", "active", ADMIN, sks[5], b->keys[5]);
	free(b);
	end(w);
}

static void seasons(void **state)
{
	struct world *w = begin();
	uint8_t old[32], fresh[32];

	(void)state;
	copy32(old, of(w, ADMIN)->field->seasons[0].psk);
	now_is(w, "season", "active", ADMIN, old, NULL);
	OK(rotate_season(of(w, ADMIN)));
	copy32(fresh, of(w, ADMIN)->field->seasons[of(w, ADMIN)->field->n_seasons - 1].psk);
	now_is(w, "season", "made", ADMIN, fresh, NULL);
	round_of_all(w);
	now_is(w, "season", "active", ADMIN, fresh, NULL);
	now_is(w, "season", "retired", ADMIN, old, NULL);
	for (unsigned i = 0; i < 300; i += 30) {
		world_day(w, 30);
		round_of_all(w);
	}
	OK(rotate_season(of(w, ADMIN)));
	round_of_all(w);
	now_is(w, "season", "destroyed", ADMIN, old, NULL);
	end(w);
}

/* an access key as a server has it */
static void derived(uint8_t out[32], struct world *w, const uint8_t key[32])
{
	channel_access(out, key, w->s[0].pk);
}

static void access_keys(void **state)
{
	uint8_t k[4][32], d[4][32];
	static const char *const names[] = { "guest access key", "field access key",
	                                     "counsel access key", "steward access key" };
	struct world *w = begin();
	struct roster_admin *a;

	(void)state;
	/* the founding ones stand on slips of paper */
	OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
	round_of_all(w);
	a = of(w, ADMIN)->admin;
	copy32(k[0], a->guests[a->n_guests - 1].key);
	copy32(k[1], of(w, ADMIN)->field->field_access);
	copy32(k[2], of(w, ADMIN)->staff->counsel_access);
	copy32(k[3], a->steward_access);
	for (unsigned i = 0; i < 4; i++) {
		derived(d[i], w, k[i]);
		now_is(w, names[i], "active", ADMIN, k[i], d[i]);
	}
	OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
	round_of_all(w);
	for (unsigned i = 0; i < 4; i++)
		now_is(w, names[i], "retired", ADMIN, k[i], d[i]);
	/* their last days pass; the next policy is without them, and members forget the fifth */
	for (unsigned i = 0; i < 5; i++) {
		world_day(w, i == 0 ? 440 : 1);
		OK(rotate_access(of(w, ADMIN), ROTATE_OVERLAP_DAYS));
		round_of_all(w);
	}
	for (unsigned i = 0; i < 4; i++)
		now_is(w, names[i], "destroyed", ADMIN, k[i], d[i]);
	end(w);
}

static void keys_of_the_roster(void **state)
{
	struct world *w = begin();
	uint8_t field_board[32], staff_board[32], inbox[32], pk[32], second[32];
	struct roster_keys k;

	(void)state;
	world_join_as(w, INTERPRETER, ROLE_ADMINISTRATOR, w->desk);
	round_of_all(w);
	copy32(second, of(w, INTERPRETER)->me->sign_pk);
	copy32(inbox, of(w, ADMIN)->admin->inbox_sk);
	copy32(pk, of(w, ADMIN)->field->inbox_pk);
	OK(revoke_members(of(w, ADMIN), (const uint8_t (*)[32])second, 1));
	round_of_all(w);
	now_is(w, "inbox key", "retired", INTERPRETER, inbox, pk);

	roster_keys_from_admin(&k, of(w, ADMIN)->level_key);
	now_is(w, "k_admin", "active", ADMIN, k.admin, NULL);
	now_is(w, "k_staff", "active", ADMIN, k.staff, NULL);
	now_is(w, "k_field", "active", ADMIN, k.field, NULL);
	copy32(field_board, of(w, ADMIN)->field->board_sk);
	copy32(staff_board, of(w, ADMIN)->staff->board_sk);
	copy32(inbox, of(w, ADMIN)->admin->inbox_sk);
	copy32(pk, of(w, ADMIN)->field->inbox_pk);
	now_is(w, "field board key", "active", ADMIN, field_board, NULL);
	now_is(w, "staff board key", "active", ADMIN, staff_board, NULL);
	now_is(w, "inbox key", "active", ADMIN, inbox, pk);
	OK(org_publish(of(w, ADMIN)));
	round_of_all(w);
	now_is(w, "k_admin", "destroyed", ADMIN, k.admin, NULL);
	now_is(w, "k_staff", "destroyed", ADMIN, k.staff, NULL);
	now_is(w, "k_field", "destroyed", ADMIN, k.field, NULL);
	roster_keys_wipe(&k);
	copy32(second, of(w, COUNSEL)->me->sign_pk);
	OK(revoke_members(of(w, ADMIN), (const uint8_t (*)[32])second, 1));
	round_of_all(w);
	now_is(w, "field board key", "retired", COUNSEL, field_board, NULL);
	now_is(w, "staff board key", "retired", COUNSEL, staff_board, NULL);
	end(w);
}

static void keys_of_a_server(void **state)
{
	struct world *w = begin();
	struct policy_card card;
	uint8_t old[32], d[32];

	(void)state;
	copy32(old, w->s[1].pk);
	world_anew(w, 1, &card);
	OK(org_server_replace(of(w, ADMIN), old, &card));
	channel_access(d, card.setup_key, card.server_pk);
	now_is(w, "setup key", "made", ADMIN, card.setup_key, NULL);
	round_of_all(w);
	now_is(w, "setup key", "destroyed", ADMIN, card.setup_key, d);
	end(w);
}

/* a statement with an attachment on a server's disk that opens for this reader, as it was sealed */
static void sealed_statement(struct world *w, enum world_who who, uint8_t *envelope, size_t *len,
                             struct envelope *env)
{
	static uint8_t cells[STORE_READ_MAX * STORE_CELL];
	struct store_segment seg[8];
	struct reader_key *keys;
	enum cell_form form = CELL_STATEMENT;
	const char *why = "";
	struct store *st;
	size_t n_keys, n, k, s;
	uint32_t got = 0;

	OK(prekeys_readers(of(w, who), true, &keys, &n_keys));
	world_stop(w, 0);
	OK(store_open(&st, w->s[0].dir, NULL, &why));
	n = store_segments(st, 0, 0, seg, 8);
	*len = 0;
	for (size_t i = 0; i < n && *len == 0; i++) {
		OK(store_read(st, seg[i].day, seg[i].release, NULL, 0, STORE_READ_MAX, cells, &got));
		for (uint32_t c = 0; c < got && *len == 0; c++) {
			const uint8_t *cell = cells + (size_t)c * STORE_CELL;

			if (cell_trial(&k, &s, NULL, cell, keys, n_keys, of(w, who)->seasons,
			               of(w, who)->n_seasons) == PERR_OK)
				OK(cell_open(&form, envelope, len, cell, &keys[k], &of(w, who)->seasons[s]));
			if (*len > 0 && (form != CELL_STATEMENT ||
			                 envelope_decode(env, envelope, *len) != PERR_OK || env->n_refs == 0))
				*len = 0;
		}
	}
	store_close(st);
	world_start(w, 0);
	prekeys_drop(keys);
	assert_int_not_equal(*len, 0);
}

static void keys_of_a_record(void **state)
{
	static const enum world_who holders[] = { HOLDER0, HOLDER1 };
	struct envelope *env = malloc(sizeof *env);
	uint8_t payload[CELL_PAYLOAD_MAX], sk[32];
	struct world *w = begin();
	enum take_result result;
	size_t len;

	(void)state;
	assert_non_null(env);
	world_submit(w, VOLUNTEER0, 9000, 7, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	sealed_statement(w, HOLDER0, payload, &len, env);
	assert_int_equal(env->n_refs, 1);
	copy32(sk, env->refs[0].sk);
	/* the sealed reference is all there is of it before a holder has synced */
	assert_int_equal(stands(w, sk, 32), 0);
	/* the statement has come, its photograph has not */
	for (size_t i = 0; i < 2; i++) {
		struct client *c = of(w, holders[i]);

		OK(kv_begin(c->kv));
		OK(record_take(c, payload, len, &result));
		OK(kv_commit(c->kv));
		assert_int_equal(result, TAKE_NEW);
	}
	now_is(w, "blob's key", "active", VOLUNTEER0, sk, NULL);
	world_sync(w, HOLDER0);
	world_sync(w, HOLDER1);
	assert_true(world_has(w, HOLDER1, 9000, 7));
	now_is(w, "blob's key", "destroyed", VOLUNTEER0, sk, NULL);
	free(env);
	end(w);
}

/* what the comparison is worth: a key kept aside, one on a disk, one that is missing */
static void what_is_elsewhere_is_noticed(void **state)
{
	struct world *w = begin();
	uint8_t psk[32], nothing[32];
	char path[128];
	FILE *f;

	(void)state;
	copy32(psk, of(w, ADMIN)->field->seasons[0].psk);
	assert_true(is_so(w, "members", ADMIN, psk, 32, true));
	snprintf(path, sizeof path, "%s/notes", w->s[1].dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite("a", 1, 1, f) + fwrite(psk, 1, 32, f), 33);
	fclose(f);
	assert_false(is_so(w, "members", ADMIN, psk, 32, false));
	unlink(path);
	assert_true(is_so(w, "members", ADMIN, psk, 32, true));
	randombytes_buf(nothing, sizeof nothing);
	assert_true(is_so(w, "nobody", ADMIN, nothing, 32, true));
	assert_false(is_so(w, "staff", ADMIN, nothing, 32, false));
	OK(kv_begin(w->p[VOLUNTEER1].kv));
	OK(kv_put(w->p[VOLUNTEER1].kv, "aside", nothing, 32));
	OK(kv_commit(w->p[VOLUNTEER1].kv));
	assert_false(is_so(w, "nobody", ADMIN, nothing, 32, false));
	assert_true(is_so(w, "owner", VOLUNTEER1, nothing, 32, true));
	end(w);
}

static void every_row_was_visited(void **state)
{
	unsigned missed = 0;

	(void)state;
	for (unsigned i = 0; i < n_rows; i++)
		if (rows[i].visits == 0) {
			print_message("not visited: %s, %s\n", rows[i].key, rows[i].state);
			missed++;
		}
	print_message("figure: states of keys in docs/PROTOCOL.md: %u, walked through: %u\n", n_rows,
	              n_rows - missed);
	assert_int_equal(missed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signing_and_slot_keys),
		cmocka_unit_test(an_invitation),
		cmocka_unit_test(prekeys),
		cmocka_unit_test(a_paper_holder),
		cmocka_unit_test(seasons),
		cmocka_unit_test(access_keys),
		cmocka_unit_test(keys_of_the_roster),
		cmocka_unit_test(keys_of_a_server),
		cmocka_unit_test(keys_of_a_record),
		cmocka_unit_test(what_is_elsewhere_is_noticed),
		cmocka_unit_test(every_row_was_visited),
	};

	return sodium_init() < 0 ? 2 : cmocka_run_group_tests(tests, read_table, NULL);
}
