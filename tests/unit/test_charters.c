/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Changes of who holds a desk, and desks that vouch for each other, over the board. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_org.h"

#include "board.h"
#include "cache.h"
#include "case.h"
#include "charters.h"
#include "notices.h"
#include "post.h"
#include "reboard.h"
#include "refer.h"
#include "roster.h"
#include "trust.h"
#include "vouch.h"
#include "../../client/org.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static const uint8_t *key(struct fixture *f, enum fixture_who who)
{
	return fix(f, who)->me->sign_pk;
}

/* ---- the board: what one member has due, every other one looks at -------------------------- */

struct carry {
	struct fixture *f;
	enum fixture_who from;
	unsigned n, alarms;
};

static enum perr carry_one(void *arg, const char *slot, const struct post *p)
{
	struct carry *k = arg;

	if (strncmp(slot, "charter/", 8) != 0 && strncmp(slot, "counter/", 8) != 0)
		return PERR_OK;
	for (size_t i = 0; i < FIXTURE_PEOPLE; i++) {
		enum notices_taken taken;

		if (i == (size_t)k->from)
			continue;
		OK(kv_begin(k->f->p[i].kv));
		OK(notices_take(k->f->p[i].c, p->cell, &taken));
		OK(kv_commit(k->f->p[i].kv));
		k->alarms += taken == NOTICE_ALARM;
	}
	k->n++;
	return PERR_OK;
}

static unsigned board(struct fixture *f, enum fixture_who from)
{
	struct carry k = { .f = f, .from = from };
	const uint8_t server[32] = { 9 };

	OK(post_each_due(fix(f, from), server, carry_one, &k));
	assert_int_equal(k.alarms, 0);
	return k.n;
}

/* an administrator's duty, then the roster to everybody, whose duty is done as well */
static bool list(struct fixture *f)
{
	bool more = false, never_mind;

	OK(charters_duty(fix(f, FIX_ADMIN), &more));
	OK(vouch_duty(fix(f, FIX_ADMIN), &more));
	fixture_publish(f);
	for (size_t i = 1; i < FIXTURE_PEOPLE; i++)
		OK(charters_duty(f->p[i].c, &never_mind));
	return more;
}

static const struct desk *desk_of(struct fixture *f, enum fixture_who who)
{
	const struct desk *d;

	OK(cache_desk(fix(f, who), f->desk, &d));
	return d;
}

struct wish {
	uint8_t add[CHARTER_HOLDERS_MAX][32], remove[CHARTER_HOLDERS_MAX][32];
	struct charters_wish w;
	char why[CHARTERS_WHY];
	uint8_t hash[32];
};

static enum perr propose(struct fixture *f, enum fixture_who by, int add, int remove,
                         uint32_t threshold, struct wish *w)
{
	memset(w, 0, sizeof *w);
	w->w.add = (const uint8_t (*)[32])w->add;
	w->w.remove = (const uint8_t (*)[32])w->remove;
	w->w.threshold = threshold;
	if (add >= 0)
		memcpy(w->add[w->w.n_add++], key(f, (enum fixture_who)add), 32);
	if (remove >= 0)
		memcpy(w->remove[w->w.n_remove++], key(f, (enum fixture_who)remove), 32);
	return charters_propose(fix(f, by), f->desk, &w->w, w->hash, w->why);
}

/* ---- proposing ------------------------------------------------------------------------------- */

static void what_cannot_be_is_refused_with_a_sentence(void **state)
{
	struct fixture *f = fixture_new();
	struct wish w;

	(void)state;
	assert_int_equal(propose(f, FIX_COUNSEL, FIX_COUNSEL, -1, 0, &w), PERR_REFUSED);
	assert_non_null(strstr(w.why, "only who holds"));
	assert_int_equal(propose(f, FIX_HOLDER0, FIX_HOLDER1, -1, 0, &w), PERR_REFUSED);
	assert_non_null(strstr(w.why, "already"));
	assert_int_equal(propose(f, FIX_HOLDER0, -1, FIX_COUNSEL, 0, &w), PERR_REFUSED);
	assert_non_null(strstr(w.why, "does not hold"));
	assert_int_equal(propose(f, FIX_HOLDER0, -1, -1, 0, &w), PERR_REFUSED);
	assert_non_null(strstr(w.why, "nothing would change"));
	assert_int_equal(propose(f, FIX_HOLDER0, -1, -1, 2, &w), PERR_REFUSED);
	assert_non_null(strstr(w.why, "below the number"));
	/* all of them at once */
	memset(&w, 0, sizeof w);
	w.w.add = (const uint8_t (*)[32])w.add;
	w.w.remove = (const uint8_t (*)[32])w.remove;
	memcpy(w.add[0], key(f, FIX_COUNSEL), 32);
	memcpy(w.remove[0], key(f, FIX_HOLDER0), 32);
	memcpy(w.remove[1], key(f, FIX_HOLDER1), 32);
	w.w.n_add = 1;
	w.w.n_remove = 2;
	assert_int_equal(charters_propose(fix(f, FIX_HOLDER0), f->desk, &w.w, NULL, w.why),
	                 PERR_REFUSED);
	assert_non_null(strstr(w.why, "has to stay"));
	assert_int_equal(board(f, FIX_HOLDER0), 0);
	fixture_free(f);
}

static void to_a_single_holder_and_back(void **state)
{
	struct fixture *f = fixture_new();
	struct wish w;

	(void)state;
	OK(propose(f, FIX_HOLDER0, -1, FIX_HOLDER1, 0, &w));
	board(f, FIX_HOLDER0);
	assert_true(list(f));
	assert_int_equal(desk_of(f, FIX_VOLUNTEER0)->now.n, 1);
	assert_int_equal(desk_of(f, FIX_VOLUNTEER0)->now.threshold, 1);
	assert_int_equal(propose(f, FIX_HOLDER1, FIX_HOLDER1, -1, 0, &w), PERR_REFUSED);
	OK(propose(f, FIX_HOLDER0, FIX_COUNSEL, -1, 0, &w));
	board(f, FIX_HOLDER0);
	assert_true(list(f));
	assert_int_equal(desk_of(f, FIX_COUNSEL)->now.n, 2);
	assert_false(list(f));           /* done once */
	/* the lowest acceptable version rose with it */
	assert_int_equal(fix(f, FIX_ADMIN)->field->desks[0].lowest_charter, 2);
	fixture_free(f);
}

static void a_change_counts_with_the_threshold_and_not_before(void **state)
{
	struct fixture *f = fixture_new();
	struct wish w;

	(void)state;
	OK(propose(f, FIX_HOLDER0, FIX_COUNSEL, -1, 2, &w));
	board(f, FIX_HOLDER0);
	assert_true(list(f));
	/* three holders, two signatures */
	OK(propose(f, FIX_COUNSEL, -1, FIX_HOLDER0, 0, &w));
	board(f, FIX_COUNSEL);
	assert_false(list(f));
	assert_int_equal(charters_sign(fix(f, FIX_VOLUNTEER0), w.hash), PERR_NOTFOUND);
	OK(charters_sign(fix(f, FIX_HOLDER1), w.hash));
	board(f, FIX_HOLDER1);
	assert_true(list(f));
	assert_int_equal(desk_of(f, FIX_HOLDER0)->n_former, 1);
	/* who left cannot sign what follows */
	OK(propose(f, FIX_HOLDER1, FIX_HOLDER0, -1, 1, &w));
	board(f, FIX_HOLDER1);
	assert_int_equal(charters_sign(fix(f, FIX_HOLDER0), w.hash), PERR_KEY);
	fixture_free(f);
}

static enum perr count_change(void *arg, const struct charters_change *ch)
{
	(void)ch;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static enum perr count_told(void *arg, const char *desk, uint32_t day)
{
	(void)desk;
	(void)day;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static void of_two_changes_one_is_listed_and_the_other_told_of(void **state)
{
	struct fixture *f = fixture_new();
	unsigned n = 0, told = 0;
	uint8_t first[32];
	struct wish a, b;

	(void)state;
	OK(propose(f, FIX_HOLDER0, FIX_COUNSEL, -1, 0, &a));
	OK(propose(f, FIX_HOLDER1, -1, FIX_HOLDER0, 0, &b));
	board(f, FIX_HOLDER0);
	board(f, FIX_HOLDER1);
	OK(charters_each(fix(f, FIX_HOLDER0), count_change, &n));
	assert_int_equal(n, 2);                  /* both see both */
	memcpy(first, memcmp(a.hash, b.hash, 32) < 0 ? a.hash : b.hash, 32);
	assert_true(list(f));
	assert_memory_equal(desk_of(f, FIX_ADMIN)->hashes[1], first, 32);
	assert_int_equal(desk_of(f, FIX_ADMIN)->now.version, 1);
	OK(charters_overtaken(fix(f, FIX_HOLDER0), count_told, &told));
	OK(charters_overtaken(fix(f, FIX_HOLDER1), count_told, &told));
	assert_int_equal(told, 1);               /* whoever signed the other one */
	f->now += (CHARTERS_TOLD_DAYS + 2) * 86400LL;
	list(f);
	told = 0;
	OK(charters_overtaken(fix(f, FIX_HOLDER0), count_told, &told));
	OK(charters_overtaken(fix(f, FIX_HOLDER1), count_told, &told));
	assert_int_equal(told, 0);
	n = 0;
	OK(charters_each(fix(f, FIX_HOLDER0), count_change, &n));
	assert_int_equal(n, 0);
	fixture_free(f);
}

static void a_later_proposal_takes_the_place_of_an_unsigned_one(void **state)
{
	struct fixture *f = fixture_new();
	unsigned n = 0;
	struct wish w;

	(void)state;
	/* three holders, two signatures: what one proposes is not complete */
	OK(propose(f, FIX_HOLDER0, FIX_COUNSEL, -1, 2, &w));
	board(f, FIX_HOLDER0);
	assert_true(list(f));
	OK(propose(f, FIX_HOLDER0, -1, FIX_HOLDER1, 0, &w));
	OK(propose(f, FIX_HOLDER0, -1, FIX_COUNSEL, 0, &w));
	OK(charters_each(fix(f, FIX_HOLDER0), count_change, &n));
	assert_int_equal(n, 1);
	assert_int_equal(board(f, FIX_HOLDER0), 1);
	fixture_free(f);
}

static void after_63_changes_a_sentence_says_what_to_do(void **state)
{
	struct fixture *f = fixture_new();
	struct wish w;
	unsigned n = 0;

	(void)state;
	for (;; n++) {
		enum perr err = propose(f, FIX_HOLDER0, n % 2 == 0 ? (int)FIX_COUNSEL : -1,
		                        n % 2 == 0 ? -1 : (int)FIX_COUNSEL, 0, &w);

		if (err != PERR_OK)
			break;
		board(f, FIX_HOLDER0);
		assert_true(list(f));
	}
	assert_int_equal(n, CHARTER_CHAIN_MAX - 1);
	assert_non_null(strstr(w.why, "the most that is possible: found a new desk"));
	assert_int_equal(desk_of(f, FIX_VOLUNTEER0)->now.version, CHARTER_CHAIN_MAX - 1);
	fixture_free(f);
}

/* ---- what travels ---------------------------------------------------------------------------- */

static void a_charter_of_sixteen_signatures_and_more_always_travels(void **state)
{
	struct fixture *f = fixture_new();
	struct client *h = fix(f, FIX_HOLDER0);
	struct charter_signed ch = { 0 };
	struct sign_key k[CHARTER_HOLDERS_MAX], mine;
	uint8_t ids[CHARTER_HOLDERS_MAX][32], name[65];
	unsigned n_posted;

	(void)state;
	memset(name, 'x', 64);
	name[64] = '\0';
	client_sign_key(h, &mine);
	for (unsigned i = 0; i < CHARTER_HOLDERS_MAX; i++) {
		if (i == 0)
			k[i] = mine;
		else
			signed_key_new(&k[i], rng_system());
		memcpy(ids[i], k[i].id, 32);
	}
	OK(charter_make(&ch, (char *)name, (char *)name, 15, (const uint8_t (*)[32])ids, 16, NULL));
	for (unsigned i = 0; i < CHARTER_HOLDERS_MAX; i++)
		OK(charter_sign(&ch, &k[i]));
	OK(kv_begin(h->kv));
	OK(charters_post(h, "charter/all", &ch));
	OK(kv_commit(h->kv));
	/* with the words of eight desks under it only this member's part fits */
	for (unsigned d = 0; d < CHARTER_COUNTER_MAX; d++) {
		uint8_t by[32] = { (uint8_t)(d + 1) };

		for (unsigned i = 0; i < CHARTER_HOLDERS_MAX; i++)
			OK(charter_countersign(&ch, by, &k[i]));
	}
	OK(kv_begin(h->kv));
	OK(charters_post(h, "charter/more", &ch));
	OK(kv_commit(h->kv));
	OK(post_count_due(h, &n_posted));
	assert_true(n_posted >= 2);
	charter_signed_free(&ch);
	fixture_free(f);
}

static void a_proposal_without_a_holders_signature_takes_nobodys_room(void **state)
{
	struct fixture *f = fixture_new();
	struct client *admin = fix(f, FIX_ADMIN), *c = fix(f, FIX_COUNSEL);
	const struct doc_bytes *first = &admin->field->desks[0].charters[0];
	struct charter_signed c0, c1 = { 0 };
	uint8_t ids[2][32], cell[CELL_SIZE], ds[32], *raw;
	enum notices_taken taken;
	struct sign_key k;
	size_t len;
	unsigned n = 0;

	(void)state;
	OK(charter_signed_decode(&c0, first->p, first->len));
	memcpy(ids[0], key(f, FIX_COUNSEL), 32);
	memcpy(ids[1], key(f, FIX_HOLDER0), 32);
	for (int with = 0; with < 2; with++) {
		OK(charter_make(&c1, "Mesa Delta", "Amparo del Delta", 1, (const uint8_t (*)[32])ids,
		                2, &c0));
		client_sign_key(fix(f, with ? FIX_HOLDER0 : FIX_COUNSEL), &k);
		OK(charter_sign(&c1, &k));
		OK(charter_signed_encode(&raw, &len, &c1));
		OK(notices_seal(c, false, BOARD_CHARTER, raw, len, cell, ds));
		OK(kv_begin(admin->kv));
		OK(notices_take(admin, cell, &taken));
		OK(kv_commit(admin->kv));
		n = 0;
		OK(charters_each(admin, count_change, &n));
		assert_int_equal(n, with);       /* with a holder's: control */
		/* and it is an alarm to whom it is signed for without their device's doing */
		OK(kv_begin(fix(f, FIX_HOLDER0)->kv));
		OK(notices_take(fix(f, FIX_HOLDER0), cell, &taken));
		OK(kv_commit(fix(f, FIX_HOLDER0)->kv));
		assert_int_equal(taken == NOTICE_ALARM, with);
		doc_free(raw, len);
		charter_signed_free(&c1);
	}
	charter_signed_free(&c0);
	fixture_free(f);
}

static void under_another_board_key_a_change_is_put_there_again(void **state)
{
	struct fixture *f = fixture_new();
	struct client *h = fix(f, FIX_HOLDER0), *admin = fix(f, FIX_ADMIN);
	bool more = false;
	unsigned n = 0;
	struct wish w;

	(void)state;
	OK(propose(f, FIX_HOLDER0, FIX_COUNSEL, -1, 2, &w));
	board(f, FIX_HOLDER0);
	assert_true(list(f));
	OK(propose(f, FIX_HOLDER0, -1, FIX_COUNSEL, 0, &w));
	OK(reboard(h, &more));           /* under which key it is */
	h->field->board_sk[3] ^= 1;
	admin->field->board_sk[3] ^= 1;
	board(f, FIX_HOLDER0);
	OK(charters_each(admin, count_change, &n));
	assert_int_equal(n, 0);          /* control: sealed under the key of before */
	more = false;
	OK(reboard(h, &more));
	assert_true(more);
	assert_int_equal(board(f, FIX_HOLDER0), 1);
	OK(charters_each(admin, count_change, &n));
	assert_int_equal(n, 1);
	fixture_free(f);
}

/* ---- vouching and referring --------------------------------------------------------------------- */

/* a second desk, held by counsel alone, listed and vouched for by the first one */
static void second_desk(struct fixture *f, uint8_t id[32], bool vouched)
{
	struct client *counsel = fix(f, FIX_COUNSEL);
	struct charter_signed ch = { 0 };
	struct sign_key k;
	char name[96];
	uint8_t *raw;
	size_t len;

	OK(charter_make(&ch, "Mesa Sur", "Otra Casa", 1,
	                (const uint8_t (*)[32])counsel->me->sign_pk, 1, NULL));
	client_sign_key(counsel, &k);
	OK(charter_sign(&ch, &k));
	memcpy(id, ch.hash, 32);
	OK(charter_signed_encode(&raw, &len, &ch));
	client_key_name(name, "charter/", id, 32);
	OK(kv_begin(fix(f, FIX_ADMIN)->kv));
	OK(kv_put(fix(f, FIX_ADMIN)->kv, name, raw, len));
	OK(kv_commit(fix(f, FIX_ADMIN)->kv));
	OK(org_desk_list(fix(f, FIX_ADMIN), id));
	fixture_publish(f);
	if (vouched) {
		OK(vouch_sign(fix(f, FIX_HOLDER0), id, f->desk));
		board(f, FIX_HOLDER0);
		assert_true(list(f));
		assert_false(list(f));
	}
	doc_free(raw, len);
	charter_signed_free(&ch);
}

static void a_desk_that_is_not_trusted_is_referred_nothing(void **state)
{
	struct refer_consent yes = { .text = "Yes, to them", .by = "Ana", .language = "es" };
	struct fixture *f = fixture_new();
	uint8_t id[32], record[STATEMENT_RECORD_SIZE];
	struct refer_done done;
	char why[DISPATCH_WHY];

	(void)state;
	second_desk(f, id, false);
	fixture_submit(f, FIX_VOLUNTEER0, 1, 1, NULL);
	fixture_sync(f, FIX_HOLDER0);
	fixture_only_case(f, FIX_HOLDER0, record);
	yes.day = client_day(fix(f, FIX_HOLDER0));
	assert_int_equal(refer_record(fix(f, FIX_HOLDER0), record, id, "", &yes, false, &done, why),
	                 PERR_REFUSED);
	assert_non_null(strstr(why, "not trusted on this device"));
	fixture_free(f);
}

static void a_referred_record_is_the_volunteers_own_and_needs_consent(void **state)
{
	struct refer_consent yes = { .text = "Yes, to them", .by = "Ana", .language = "es" };
	struct fixture *f = fixture_new();
	uint8_t id[32], record[STATEMENT_RECORD_SIZE];
	struct case_file *here, *there;
	struct refer_plan plan;
	struct refer_done done;
	char why[DISPATCH_WHY];

	(void)state;
	second_desk(f, id, true);
	fixture_submit(f, FIX_VOLUNTEER0, 1, 1, NULL);
	fixture_sync(f, FIX_HOLDER0);
	fixture_sync(f, FIX_HOLDER1);
	fixture_only_case(f, FIX_HOLDER0, record);
	OK(refer_look(fix(f, FIX_HOLDER0), record, id, &plan, why));
	assert_int_equal(plan.n_interviews, 1);
	assert_true(plan.n_attachments > 0);
	assert_int_equal(plan.n_missing, 0);
	/* no consent, none from nobody, none of tomorrow */
	yes.day = client_day(fix(f, FIX_HOLDER0));
	assert_int_equal(refer_record(fix(f, FIX_HOLDER0), record, id, "", NULL, false, &done, why),
	                 PERR_REFUSED);
	for (int i = 0; i < 3; i++) {
		struct refer_consent no = yes;

		if (i == 0)
			no.text = " \n";
		else if (i == 1)
			no.by = "";
		else
			no.day++;
		assert_int_equal(refer_record(fix(f, FIX_HOLDER0), record, id, "", &no, false,
		                              &done, why), PERR_REFUSED);
	}
	assert_int_equal(fixture_upload(f, FIX_HOLDER0), 0);
	OK(refer_record(fix(f, FIX_HOLDER0), record, id, "speaks Mam", &yes, false, &done, why));
	assert_int_equal(done.n_readers, 1);
	assert_int_equal(done.n_told, 1);
	assert_int_equal(done.n_attachments, plan.n_attachments);
	fixture_upload(f, FIX_HOLDER0);
	fixture_sync(f, FIX_COUNSEL);
	fixture_sync(f, FIX_HOLDER1);
	OK(case_open(fix(f, FIX_COUNSEL), record, &there));
	OK(case_open(fix(f, FIX_HOLDER1), record, &here));
	assert_int_equal(there->n_interviews, 1);
	/* byte for byte what the volunteer signed; the number stays with the first desk */
	assert_memory_equal(there->interviews[0].hash, here->interviews[0].hash, 32);
	assert_memory_equal(there->interviews[0].st->author, key(f, FIX_VOLUNTEER0), 32);
	assert_memory_equal(there->s.desk, id, 32);
	assert_memory_equal(here->s.desk, f->desk, 32);
	assert_non_null(case_referral(there->interviews[0].by));
	for (size_t i = 0; i < there->n_attachments; i++)
		assert_true(there->attachments[i].is_here);
	case_close(here);
	case_close(there);
	/* it is not referred on; the first desk's holder may do so again */
	assert_int_equal(refer_record(fix(f, FIX_COUNSEL), record, f->desk, "", &yes, false, &done,
	                              why), PERR_REFUSED);
	assert_non_null(strstr(why, "ask that desk"));
	OK(refer_look(fix(f, FIX_HOLDER1), record, id, &plan, why));
	assert_int_equal(plan.before, yes.day);
	fixture_free(f);
}

static void what_a_former_holder_said_stays_said(void **state)
{
	struct refer_consent yes = { .text = "Yes, to them", .by = "Ana", .language = "es" };
	struct fixture *f = fixture_new();
	uint8_t id[32], record[STATEMENT_RECORD_SIZE];
	struct case_file *there;
	struct refer_done done;
	char why[DISPATCH_WHY];
	struct wish w;

	(void)state;
	second_desk(f, id, true);
	fixture_submit(f, FIX_VOLUNTEER0, 2, 1, NULL);
	fixture_sync(f, FIX_HOLDER0);
	fixture_only_case(f, FIX_HOLDER0, record);
	yes.day = client_day(fix(f, FIX_HOLDER0));
	OK(refer_record(fix(f, FIX_HOLDER0), record, id, "", &yes, false, &done, why));
	/* she leaves before it is read */
	OK(propose(f, FIX_HOLDER1, -1, FIX_HOLDER0, 0, &w));
	board(f, FIX_HOLDER1);
	assert_true(list(f));
	fixture_upload(f, FIX_HOLDER0);
	fixture_sync(f, FIX_COUNSEL);
	OK(case_open(fix(f, FIX_COUNSEL), record, &there));
	assert_int_equal(there->n_interviews, 1);
	case_close(there);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_is_refused_with_a_sentence),
		cmocka_unit_test(to_a_single_holder_and_back),
		cmocka_unit_test(a_change_counts_with_the_threshold_and_not_before),
		cmocka_unit_test(of_two_changes_one_is_listed_and_the_other_told_of),
		cmocka_unit_test(a_later_proposal_takes_the_place_of_an_unsigned_one),
		cmocka_unit_test(after_63_changes_a_sentence_says_what_to_do),
		cmocka_unit_test(a_charter_of_sixteen_signatures_and_more_always_travels),
		cmocka_unit_test(a_proposal_without_a_holders_signature_takes_nobodys_room),
		cmocka_unit_test(under_another_board_key_a_change_is_put_there_again),
		cmocka_unit_test(a_desk_that_is_not_trusted_is_referred_nothing),
		cmocka_unit_test(a_referred_record_is_the_volunteers_own_and_needs_consent),
		cmocka_unit_test(what_a_former_holder_said_stays_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
