/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Several administrators must sign: one seized vault publishes nothing, what is shown to who
 * signs is all there is, and a client that was away checks the newest roster alone.
 */
#include "quorum_kit.h"

/* ---- what a signer is shown --------------------------------------------------------------------- */

struct heard {
	unsigned n;
	char all[4000];
};

static enum perr hear(void *arg, const char *sentence, bool grave)
{
	struct heard *h = arg;
	size_t n = strlen(h->all);

	h->n++;
	snprintf(h->all + n, sizeof h->all - n, "%s%s\n", grave ? "! " : "", sentence);
	return PERR_OK;
}

static struct roster_admin *adm(struct world *w)
{
	return of(w, ADMIN)->admin;
}

static void m_nothing(struct world *w) { (void)w; }
static void m_threshold(struct world *w) { of(w, ADMIN)->threshold = 2; }
static void m_role(struct world *w) { adm(w)->members[adm(w)->n_members - 1].role = ROSTER_ATTORNEY; }
static void m_member(struct world *w) { adm(w)->n_members--; }
static void m_name(struct world *w) { adm(w)->members[0].name = "Somebody Else"; }
static void m_slot(struct world *w) { adm(w)->members[0].slot_secret[0] ^= 1; }
static void m_invite(struct world *w) { adm(w)->invitations[0].role = ROSTER_ADMINISTRATOR; }
static void m_withdraw(struct world *w) { adm(w)->n_invitations = 0; }
static void m_steward(struct world *w) { adm(w)->steward_access[0] ^= 1; }
static void m_inbox(struct world *w) { adm(w)->inbox_sk[0] ^= 1; }
static void m_seed(struct world *w) { adm(w)->policy_seed[0] ^= 1; }
static void m_schedule(struct world *w) { adm(w)->schedule.release_minutes++; }
static void m_plan(struct world *w) { adm(w)->plans[0].every = 30; }
static void m_organisation(struct world *w) { of(w, ADMIN)->field->organisation = "Another"; }
static void m_desk(struct world *w) { of(w, ADMIN)->field->n_desks = 0; }
static void m_server(struct world *w) { of(w, ADMIN)->field->n_servers--; }
static void m_address(struct world *w) { of(w, ADMIN)->field->servers[0].address = "x.example:1"; }
static void m_season(struct world *w) { of(w, ADMIN)->field->seasons[0].psk[0] ^= 1; }
static void m_field(struct world *w) { of(w, ADMIN)->field->field_access[0] ^= 1; }
static void m_board(struct world *w) { of(w, ADMIN)->field->board_sk[0] ^= 1; }
static void m_limits(struct world *w) { of(w, ADMIN)->field->limits.retention_days = 7; }
static void m_counsel(struct world *w) { of(w, ADMIN)->staff->counsel_access[0] ^= 1; }
static void m_decoys(struct world *w) { of(w, ADMIN)->staff->decoys_per_day++; }
static void m_staff(struct world *w) { of(w, ADMIN)->staff->members[0].name = "Somebody Else"; }

/* whatever is changed in a roster has a sentence; nothing changed has another */
static void every_part_of_a_roster_has_its_sentence(void **state)
{
	static const struct {
		void (*change)(struct world *w);
		const char *says;
	} at[] = {
		{ m_nothing, "Nothing of it can be seen" },
		{ m_threshold, "! A change then takes the signatures of 2 of 2 administrators; now it is 1" },
		{ m_role, "is an administrator no more" },
		{ m_member, "The membership of" },
		{ m_name, "is called Somebody Else from now on" },
		{ m_slot, "opens the roster with another key" },
		{ m_invite, "1 open invitation gets another role or key" },
		{ m_withdraw, "1 open invitation is withdrawn" },
		{ m_steward, "The access keys change: administrators." },
		{ m_inbox, "Answers to invitations are sealed to a new key" },
		{ m_seed, "The servers erase old cells on other days" },
		{ m_schedule, "Minutes between two releases: 61, until now 60" },
		{ m_plan, "The season change every 30 days" },
		{ m_organisation, "The organisation is called Another" },
		{ m_desk, "is taken out of the roster" },
		{ m_server, "The server server1" },
		{ m_address, "is found at x.example:1 from now on" },
		{ m_season, "A new season begins" },
		{ m_field, "The access keys change: field." },
		{ m_board, "The keys of the board change: field." },
		{ m_limits, "! Days that servers keep cells: 7, until now 60" },
		{ m_counsel, "The access keys change: staff." },
		{ m_decoys, "Decoys a day: 1, until now 0" },
		{ m_staff, "The staff sees Somebody Else" },
	};
	struct world *w = world_full(seed);
	struct client *c = of(w, ADMIN);
	unsigned told = 0;
	struct invite inv;

	world_join_as(w, INTERPRETER, ROLE_ADMINISTRATOR, NULL);
	OK(org_invite(c, ROLE_VOLUNTEER, 1, w->desk, NULL, &inv));
	world_push(w);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		struct quorum_docs d = { .p = calloc(1, sizeof *d.p) };
		struct heard h = { 0 };
		uint32_t version, day;

		assert_non_null(d.p);
		OK(press_next(c, &version, &day));
		at[i].change(w);
		OK(press_make(&d.press, c, version, day, w->rng));
		OK(client_reload(c));
		OK(quorum_words(c, &d, hear, &h));
		if (strstr(h.all, at[i].says) == NULL)
			fail_msg("change %zu says: %s", i, h.all);
		if (i > 0 && strstr(h.all, "Nothing of it can be seen") != NULL)
			fail_msg("change %zu is not seen", i);
		told += i > 0;
		press_free(d.press);
		free(d.p);
	}
	print_message("figure: parts of a roster changed: %u; without a sentence: 0\n", told);
	world_free(w);
}

/* ---- proposals of a program of one's own -------------------------------------------------------- */

/* a schedule of 30 minutes, as THIRD's program would propose it; to be spoilt */
static struct proposal *honest(struct world *w, struct pending_op *o, uint8_t **op, size_t *op_len)
{
	struct client *c = of(w, THIRD);
	struct proposal *p = calloc(1, sizeof *p);

	assert_non_null(p);
	memset(o, 0, sizeof *o);
	o->kind = PENDING_SCHEDULE;
	o->numbers[0] = 1;
	o->numbers[1] = 30;
	OK(pending_op_encode(op, op_len, o));
	p->kind = PROPOSAL_CHANGES;
	memcpy(p->proposer, c->me->sign_pk, 32);
	p->revision = 1;
	memcpy(p->base, c->header_hash, 32);
	OK(press_next(c, &p->version, &p->day));
	p->last = pending_made(c->admin, c->me->sign_pk) + 1;
	p->n_servers = 1;
	memcpy(p->servers[0].pk, w->s[0].pk, 32);
	OK(policies_counter(c, w->s[0].pk, &p->servers[0].counter));
	p->servers[0].counter += 1000;
	p->n_changes = 1;
	p->changes[0] = doc_bytes_of(*op, *op_len);
	return p;
}

static enum perr offered(struct world *w, const struct proposal *p, enum world_who signer)
{
	struct proposal_bundle b = { .n_sheets = 0 };
	const struct roster_admin *a = of(w, THIRD)->admin;
	struct bulletin_slot slots[ADMINS_MAX];
	struct quorum_docs *d = NULL;
	uint8_t *doc, *file, hash[32];
	struct sign_key key;
	size_t len, file_len, n = 0;
	enum perr err;

	for (uint32_t i = 0; i < a->n_members; i++)
		if (a->members[i].role == ROSTER_ADMINISTRATOR) {
			memcpy(slots[n].pk, a->members[i].slot_pk, 32);
			memcpy(slots[n++].secret, a->members[i].slot_secret, 32);
		}
	client_sign_key(of(w, signer), &key);
	OK(proposal_sign(&doc, &len, p, &key));
	b.proposal = doc_bytes_of(doc, len);
	OK(proposal_seal(&file, &file_len, &b, slots, n, w->rng));
	err = quorum_load(of(w, SECOND), file, file_len, hash);
	if (err == PERR_OK)
		err = quorum_make(of(w, SECOND), hash, &d);
	if (err == PERR_OK)
		assert_int_equal(press_bulletin(quorum_press(d))->version, p->version);
	quorum_docs_free(d);
	doc_free(doc, len);
	doc_free(file, file_len);
	return err;
}

static void a_proposal_out_of_bounds_is_signed_by_nobody(void **state)
{
	struct world *w = world_admins(seed, 3);
	struct pending_op o;
	uint8_t *op;
	size_t op_len;
	unsigned revision = 1;

	world_join_as(w, VOLUNTEER0, ROLE_VOLUNTEER, NULL);
	raise_to(w, 2, 3);
#define OFFERED(want, spoil) do { \
		struct proposal *p = honest(w, &o, &op, &op_len); \
		p->revision = revision++; \
		spoil; \
		assert_int_equal(offered(w, p, THIRD), want); \
		doc_free(op, op_len); \
		free(p); \
	} while (0)
	OFFERED(PERR_OK, (void)0);               /* the control */
	OFFERED(PERR_OLD, p->base[0] ^= 1);
	OFFERED(PERR_RANGE, p->version += 2000);
	OFFERED(PERR_RANGE, p->version = client_bulletin(of(w, SECOND))->version);
	OFFERED(PERR_RANGE, p->day += 10);
	OFFERED(PERR_RANGE, p->day -= 100);
	OFFERED(PERR_RANGE, p->last--);
	OFFERED(PERR_RANGE, p->servers[0].counter = UINT32_MAX);
	OFFERED(PERR_RANGE, p->servers[0].pk[0] ^= 1);
	OFFERED(PERR_UNKNOWN, p->changes[0].len--);
	OFFERED(PERR_UNKNOWN, op[3] = 60);       /* a kind of another version */
	OFFERED(PERR_OK, (void)0);
	{
		/* in another administrator's name, and of somebody who is none */
		struct proposal *p = honest(w, &o, &op, &op_len);

		p->revision = revision++;
		assert_int_equal(offered(w, p, ADMIN), PERR_SIGS);
		memcpy(p->proposer, of(w, VOLUNTEER0)->me->sign_pk, 32);
		assert_int_equal(offered(w, p, VOLUNTEER0), PERR_SIGS);
		/* an older revision than one seen */
		memcpy(p->proposer, of(w, THIRD)->me->sign_pk, 32);
		p->revision = 1;
		assert_int_equal(offered(w, p, THIRD), PERR_OLD);
		doc_free(op, op_len);
		free(p);
	}
#undef OFFERED
	world_free(w);
}

/* ---- one seized vault ------------------------------------------------------------------------- */

/* the next version of the roster in memory, signed by those named, as it would travel */
struct forged {
	uint8_t *header, hash[32];
	size_t len;
	struct press *press;
	uint8_t *link;
	size_t link_len;
};

static void forge(struct world *w, enum world_who who, const enum world_who *signers, unsigned n,
                  struct forged *f)
{
	struct client *c = of(w, who);
	struct press_doc docs[PRESS_DOCS];
	struct bulletin *b = malloc(sizeof *b);
	uint32_t version, day;
	size_t k;

	assert_non_null(b);
	memset(f, 0, sizeof *f);
	OK(press_next(c, &version, &day));
	OK(press_make(&f->press, c, version, day, w->rng));
	k = press_docs(f->press, docs);
	for (size_t i = 0; i < k; i++)
		for (unsigned s = 0; s < n; s++) {
			struct sign_key key;

			client_sign_key(of(w, signers[s]), &key);
			OK(signed_add(docs[i].sigs, &key, docs[i].context, docs[i].bytes,
			              docs[i].len));
		}
	*b = *press_bulletin(f->press);
	if (k == 2) {
		OK(signed_pack(&f->link, &f->link_len, docs[1].bytes, docs[1].len, docs[1].sigs));
		b->chain[b->n_chain++] = doc_bytes_of(f->link, f->link_len);
	}
	OK(bulletin_pack(&f->header, &f->len, b, docs[0].sigs));
	memcpy(f->hash, press_hash(f->press), 32);
	free(b);
}

static void forged_free(struct forged *f)
{
	doc_free(f->header, f->len);
	doc_free(f->link, f->link_len);
	press_free(f->press);
}

/* does the server take the header? */
static struct raw offer(struct world *w, enum world_who who, const struct forged *f)
{
	return send_all(w, of(w, who)->admin->steward_access, RPC_BULLETIN_PART, f->hash, f->header,
	                f->len, NULL);
}

static enum perr client_takes(struct world *w, enum world_who who, const struct forged *f)
{
	struct bulletin *b = malloc(sizeof *b);
	struct admins *a = malloc(sizeof *a);
	struct bulletin_known known;
	uint8_t hash[32];
	enum perr err;

	assert_true(b != NULL && a != NULL);
	client_known(of(w, who), &known);
	err = bulletin_open(b, a, hash, f->header, f->len);
	if (err == PERR_OK)
		err = bulletin_accept(&known, b, a, hash);
	free(b);
	free(a);
	return err;
}

static struct raw offer_policy(struct world *w, enum world_who who, const enum world_who *signers,
                               unsigned n)
{
	struct client *c = of(w, who);
	struct policy *p = calloc(1, sizeof *p);
	const struct bulletin *b = client_bulletin(c);
	struct signed_sigs sigs = { 0 };
	uint8_t *doc, *out;
	size_t doc_len, len;
	struct raw r;

	assert_non_null(p);
	OK(policies_make(c, 0, 1000000, client_day(c), b->version, b->link, c->level_key, p));
	p->n_chain = b->n_chain;
	memcpy(p->chain, b->chain, sizeof p->chain);
	OK(policy_encode(&doc, &doc_len, p));
	for (unsigned s = 0; s < n; s++) {
		struct sign_key key;

		client_sign_key(of(w, signers[s]), &key);
		OK(signed_add(&sigs, &key, POLICY_CONTEXT, doc, doc_len));
	}
	OK(policy_pack(&out, &len, p, &sigs));
	r = send_all(w, c->admin->steward_access, RPC_POLICY_PUT, NULL, out, len, NULL);
	doc_free(doc, doc_len);
	doc_free(out, len);
	free(p);
	return r;
}

static void no_change(struct world *w)
{
	(void)w;
}

static void less(struct world *w)
{
	of(w, THIRD)->threshold = 1;
}

/* everybody but the thief is no administrator any more */
static void alone(struct world *w)
{
	struct roster_admin *a = of(w, THIRD)->admin;

	for (uint32_t i = 0; i < a->n_members; i++)
		if (memcmp(a->members[i].key, of(w, THIRD)->me->sign_pk, 32) != 0)
			a->members[i].role = ROSTER_ATTORNEY;
	of(w, THIRD)->threshold = 1;
}

static void one_seized_administrators_vault_publishes_nothing(void **state)
{
	static const enum world_who thief[] = { THIRD }, two[] = { SECOND, THIRD };
	static void (*const wishes[])(struct world *w) = { no_change, less, alone };
	struct world *w = world_admins(seed, 3);
	unsigned refused = 0, tried = 0, taken = 0;
	struct forged f;
	struct raw r;
	struct bring_result b;
	bool done, adopted;

	world_join_as(w, VOLUNTEER0, ROLE_VOLUNTEER, NULL);
	raise_to(w, 2, 3);
	for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
		/* header, and a link of one's own making */
		wishes[i](w);
		forge(w, THIRD, thief, 1, &f);
		r = offer(w, THIRD, &f);
		assert_int_equal(r.err, PERR_REFUSED);
		assert_int_equal(r.error, RPC_SIGNATURE);
		assert_int_equal(client_takes(w, VOLUNTEER0, &f), PERR_SIGS);
		assert_int_equal(client_takes(w, ADMIN, &f), PERR_SIGS);
		tried += 3;
		refused += 3;
		forged_free(&f);
		OK(client_reload(of(w, THIRD)));
		/* the control: with a second vault's key */
		wishes[i](w);
		forge(w, THIRD, two, 2, &f);
		r = offer(w, THIRD, &f);
		assert_int_equal(r.err, PERR_OK);
		OK(client_takes(w, VOLUNTEER0, &f));
		taken += 2;
		forged_free(&f);
		OK(client_reload(of(w, THIRD)));
	}
	r = offer_order(w, THIRD, POLICY_VOID, RPC_ERASE_VOID, thief, 1, 3000010);
	assert_int_equal(r.error, RPC_SIGNATURE);
	r = offer_order(w, THIRD, POLICY_CLEAR_BOARD, RPC_BOARD_CLEAR, thief, 1, 3000020);
	assert_int_equal(r.error, RPC_SIGNATURE);
	r = offer_policy(w, THIRD, thief, 1);
	assert_int_equal(r.error, RPC_SIGNATURE);
	/* the same administrator twice is one */
	r = offer_order(w, THIRD, POLICY_VOID, RPC_ERASE_VOID, (const enum world_who[]){ THIRD, THIRD },
	                2, 3000030);
	assert_int_equal(r.error, RPC_SIGNATURE);
	tried += 4;
	refused += 4;
	r = offer_policy(w, THIRD, two, 2);
	assert_int_equal(r.err, PERR_OK);
	r = offer_order(w, THIRD, POLICY_VOID, RPC_ERASE_VOID, two, 2, 3000040);
	assert_int_equal(r.err, PERR_OK);
	r = offer_order(w, THIRD, POLICY_CLEAR_BOARD, RPC_BOARD_CLEAR, two, 2, 3000050);
	assert_int_equal(r.err, PERR_OK);
	taken += 3;
	/* the vault's own program does not get further either */
	OK(org_admin_remove(of(w, THIRD), of(w, ADMIN)->me->sign_pk));
	OK(bring_all(of(w, THIRD), &w->net, STEWARD_PUSH, &b));
	OK(quorum_settle(of(w, THIRD), &adopted));
	assert_false(adopted);
	{
		struct first one = { .any = true };

		OK(quorum_each(of(w, THIRD), take_first, &one));
		OK(quorum_sign(of(w, THIRD), one.v.hash, &done));
		assert_false(done);
	}
	turn(w, ADMIN);
	assert_int_equal(client_admins(of(w, ADMIN))->last.n, 3);
	print_message("figure: one vault of three, threshold 2: tried: %u; refused by servers and "
	              "clients: %u; controls with two vaults: %u taken\n", tried, refused, taken);
	world_free(w);
}

/* ---- a client that was away ------------------------------------------------------------------------ */

/* the chain grows, thresholds change, in the end nobody of the first ones is left */
static void a_client_that_was_away_checks_the_newest_roster_alone(void **state)
{
	struct world *w = world_admins(seed, 1);
	struct bulletin *b = malloc(sizeof *b);
	struct admins *a = malloc(sizeof *a);
	struct bulletin_known known[8];
	const uint8_t *header;
	uint8_t hash[32], first[32];
	unsigned n = 0;
	size_t len;

	assert_true(b != NULL && a != NULL);
	memcpy(first, of(w, ADMIN)->me->sign_pk, 32);
	world_join_as(w, VOLUNTEER0, ROLE_VOLUNTEER, NULL);
	bulletin_known_begin(&known[n++], of(w, ADMIN)->me->genesis);
	client_known(of(w, ADMIN), &known[n++]);
	world_join_as(w, SECOND, ROLE_ADMINISTRATOR, NULL);
	client_known(of(w, ADMIN), &known[n++]);
	world_join_as(w, THIRD, ROLE_ADMINISTRATOR, NULL);
	turn_all(w, 3);
	raise_to(w, 2, 3);
	client_known(of(w, SECOND), &known[n++]);
	/* the founder goes */
	OK(org_admin_remove(of(w, SECOND), first));
	turn_all(w, 3);
	assert_true(sign(w, THIRD));
	turn(w, THIRD);
	turn(w, SECOND);
	turn(w, THIRD);
	client_known(of(w, SECOND), &known[n++]);
	OK(org_admin_threshold(of(w, SECOND), 1));
	turn(w, SECOND);
	release_by(w, SECOND);
	turn(w, THIRD);
	assert_true(sign(w, THIRD));
	turn(w, THIRD);
	turn(w, SECOND);
	header = client_header_bytes(of(w, SECOND), &len);
	for (unsigned i = 0; i < n; i++) {
		struct bulletin_known other = known[i];

		OK(bulletin_open(b, a, hash, header, len));
		OK(bulletin_accept(&known[i], b, a, hash));
		/* the control: a link that it knows and that is not in the chain */
		other.links[other.n_links - 1][0] ^= 1;
		assert_int_equal(bulletin_accept(&other, b, a, hash), PERR_CHAIN);
		other.links[other.n_links - 1][0] ^= 1;
		if (other.n_links < a->n_links) {
			memset(other.links[other.n_links++], 7, 32);
			assert_int_equal(bulletin_accept(&other, b, a, hash), PERR_CHAIN);
		}
	}
	assert_false(admins_has(a, first));
	/* the volunteer knows the version of the day they joined */
	assert_int_equal(client_admins(of(w, VOLUNTEER0))->n_links, 1);
	world_sync(w, VOLUNTEER0);
	assert_int_equal(client_admins(of(w, VOLUNTEER0))->n_links, a->n_links);
	print_message("figure: versions behind: %u; links in the newest chain: %u; verified alone: "
	              "%u; refused with a link missing: %u\n", b->version - 2, a->n_links, n, n);
	free(b);
	free(a);
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_of_a_roster_has_its_sentence),
		cmocka_unit_test(a_proposal_out_of_bounds_is_signed_by_nobody),
		cmocka_unit_test(one_seized_administrators_vault_publishes_nothing),
		cmocka_unit_test(a_client_that_was_away_checks_the_newest_roster_alone),
	};

	if (!admins_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
