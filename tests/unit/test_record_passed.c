/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What is said of a record after it arrived: passed on, answered, corrected, in any order. */
#include "record_kit.h"

/* ---- assignment --------------------------------------------------------------------- */

static void assignee_sees_exactly_what_was_assigned(void **state)
{
	uint8_t record[16], hers[16];
	struct case_summary s;
	struct case_file *file;

	submit_one(1, record);
	fixture_submit(f, FIX_VOLUNTEER1, 9, 3, NULL);
	fixture_sync(f, FIX_HOLDER0);
	assign_to_counsel(record);
	fixture_sync(f, FIX_COUNSEL);
	fixture_sync(f, FIX_HOLDER1);
	assert_int_equal(f->p[FIX_COUNSEL].taken[TAKE_NEW], 1);
	fixture_only_case(f, FIX_COUNSEL, hers);
	assert_memory_equal(record, hers, 16);
	OK(case_open(fix(f, FIX_COUNSEL), hers, &file));
	assert_int_equal(file->n, 1);
	assert_memory_equal(file->interviews[0].st->body.intake.instance.p, f->xml[0],
	                    f->xml_len[0]);
	assert_true(file->s.is_mine);
	for (size_t i = 0; i < file->n_attachments; i++)
		assert_true(file->attachments[i].is_here);
	/* the number she sees is the holder's towards her, not the volunteer's */
	assert_int_equal(file->at[0]->number, 1);
	assert_memory_equal(file->at[0]->st.author, fix(f, FIX_HOLDER0)->me->sign_pk, 32);
	case_close(file);
	/* the co-holder knows who has it */
	OK(case_summary(fix(f, FIX_HOLDER1), record, &s));
	assert_int_equal(s.state, CASE_ASSIGNED);
	assert_int_equal(s.n_people, 1);
	assert_memory_equal(s.people[0].key, fix(f, FIX_COUNSEL)->me->sign_pk, 32);
}

static void answers_and_notes_reach_all_readers(void **state)
{
	uint8_t record[16];
	struct assign_told told;
	struct case_summary s;
	struct case_file *file;
	char why[DISPATCH_WHY];

	submit_one(2, record);
	fixture_sync(f, FIX_HOLDER1);
	assign_to_counsel(record);
	fixture_sync(f, FIX_COUNSEL);
	fixture_sync(f, FIX_HOLDER1);
	OK(assign_answer(fix(f, FIX_COUNSEL), record, STATEMENT_ACCEPT, "mañana", &told, why));
	assert_int_equal(told.n_readers, 2);
	OK(assign_note(fix(f, FIX_COUNSEL), record, "bond hearing asked for", &told, why));
	fixture_upload(f, FIX_COUNSEL);
	OK(assign_note(fix(f, FIX_HOLDER1), record, "la tía tiene la llave", &told, why));
	assert_int_equal(told.n_readers, 2);
	fixture_upload(f, FIX_HOLDER1);
	fixture_sync(f, FIX_HOLDER0);
	fixture_sync(f, FIX_HOLDER1);
	fixture_sync(f, FIX_COUNSEL);
	for (int i = 0; i < 3; i++) {
		enum fixture_who who = i == 0 ? FIX_HOLDER0 : i == 1 ? FIX_HOLDER1 : FIX_COUNSEL;

		OK(case_open(fix(f, who), record, &file));
		assert_int_equal(file->s.n_notes, 2);
		assert_int_equal(file->s.state, CASE_ACCEPTED);
		case_close(file);
	}
	OK(assign_answer(fix(f, FIX_COUNSEL), record, STATEMENT_DECLINE, "", &told, why));
	OK(case_summary(fix(f, FIX_COUNSEL), record, &s));
	assert_int_equal(s.state, CASE_RETURNED);
	assert_int_equal(assign_answer(fix(f, FIX_COUNSEL), record, STATEMENT_ACCEPT, "", &told,
	                               why), PERR_REFUSED);
	assert_non_null(strstr(why, "you declined it"));
	assert_int_equal(assign_answer(fix(f, FIX_HOLDER0), record, STATEMENT_ACCEPT, "", &told,
	                               why), PERR_REFUSED);
}

/* an assignment by hand: the original as `by` says it is */
static enum take_result pass_by_hand(enum fixture_who by, enum fixture_who to,
                                     const uint8_t *original, size_t original_len,
                                     const uint8_t sig[64], const uint8_t record[16])
{
	struct statement *st = note_on(record, fix(f, to)->me->sign_pk, "");

	memset(&st->body, 0, sizeof st->body);
	st->kind = STATEMENT_ASSIGNMENT;
	st->body.passed.turn = 1;
	st->body.passed.role = STATEMENT_ATTORNEY;
	st->body.passed.reason = doc_text_of("");
	st->body.passed.original = doc_bytes_of(original, original_len);
	st->body.passed.original_sig = sig;
	return take_statement(by, st, 1, to);
}

static void assignment_counts_from_holders_only(void **state)
{
	uint8_t record[16], sig[64], *copy, wrong[16];
	struct case_file *file;
	size_t len;

	submit_one(7, record);
	OK(case_open(fix(f, FIX_HOLDER0), record, &file));
	len = file->interviews[0].bytes.len;
	copy = malloc(len);
	assert_non_null(copy);
	memcpy(copy, file->interviews[0].bytes.p, len);
	memcpy(sig, file->interviews[0].sig, 64);
	case_close(file);

	assert_int_equal(pass_by_hand(FIX_ADMIN, FIX_COUNSEL, copy, len, sig, record), TAKE_BAD);
	assert_int_equal(pass_by_hand(FIX_VOLUNTEER0, FIX_COUNSEL, copy, len, sig, record),
	                 TAKE_BAD);
	memcpy(wrong, record, 16);
	wrong[0] ^= 1;
	assert_int_equal(pass_by_hand(FIX_HOLDER0, FIX_COUNSEL, copy, len, sig, wrong), TAKE_BAD);
	/* any byte of the original, and of its signature */
	for (size_t i = 0; i < len; i += 97) {
		copy[i] ^= 4;
		assert_int_equal(pass_by_hand(FIX_HOLDER0, FIX_COUNSEL, copy, len, sig, record),
		                 TAKE_BAD);
		copy[i] ^= 4;
	}
	sig[3] ^= 1;
	assert_int_equal(pass_by_hand(FIX_HOLDER0, FIX_COUNSEL, copy, len, sig, record), TAKE_BAD);
	sig[3] ^= 1;
	assert_int_equal(pass_by_hand(FIX_HOLDER0, FIX_COUNSEL, copy, len, sig, record), TAKE_NEW);
	free(copy);
}

static enum perr count_case(void *arg, const struct case_summary *s)
{
	++*(unsigned *)arg;
	return PERR_OK;
}

/* somebody no roster names: kept, because a later one may; shown to nobody until then */
static void assignment_by_a_stranger_is_kept_aside(void **state)
{
	struct client *c = fix(f, FIX_COUNSEL);
	struct statement *st;
	struct case_file *file;
	struct sign_key stranger;
	unsigned n = 0, hidden = 0;
	uint8_t record[16], *env;
	size_t len;

	submit_one(7, record);
	OK(case_open(fix(f, FIX_HOLDER0), record, &file));
	st = note_on(record, c->me->sign_pk, "");
	memset(&st->body, 0, sizeof st->body);
	st->kind = STATEMENT_ASSIGNMENT;
	st->body.passed.turn = 1;
	st->body.passed.role = STATEMENT_ATTORNEY;
	st->body.passed.reason = doc_text_of("");
	st->body.passed.original = file->interviews[0].bytes;
	st->body.passed.original_sig = file->interviews[0].sig;
	signed_key_new(&stranger, rng_system());
	OK(envelope_make(&env, &len, NULL, st, 1, NULL, 0, &stranger, rng_system()));
	assert_int_equal(take(FIX_COUNSEL, env, len), TAKE_PENDING);
	OK(case_each(c, count_case, &n, &hidden));
	assert_int_equal(n, 0);
	assert_int_equal(hidden, 1);
	/* a roster that names them a volunteer: they may not assign, and it is dropped */
	memcpy(c->staff->volunteers[0].key, stranger.id, 32);
	c->header_hash[0] ^= 1;
	OK(case_each(c, count_case, &n, &hidden));
	assert_int_equal(hidden, 0);
	assert_int_equal(take(FIX_COUNSEL, env, len), TAKE_BAD);
	doc_free(env, len);
	case_close(file);
	free(st);
}

static void assignment_is_whole_or_not_at_all(void **state)
{
	struct assign_done done;
	struct case_summary s;
	char why[DISPATCH_WHY];
	uint8_t record[16];

	submit_one(1, record);
	kv_mem_fail_commit(f->p[FIX_HOLDER0].kv, 1);
	assert_int_equal(assign_by(FIX_HOLDER0, record, FIX_COUNSEL, "", &done, why), PERR_IO);
	OK(case_summary(fix(f, FIX_HOLDER0), record, &s));
	assert_int_equal(s.state, CASE_OPEN);
	assert_int_equal(fixture_upload(f, FIX_HOLDER0), 0);
	assign_to_counsel(record);
	fixture_sync(f, FIX_COUNSEL);
	assert_int_equal(f->p[FIX_COUNSEL].taken[TAKE_NEW], 1);
}

static void only_holders_assign_and_only_to_readers_with_keys(void **state)
{
	const uint8_t *counsel = fix(f, FIX_COUNSEL)->me->sign_pk;
	struct client *c = fix(f, FIX_HOLDER0);
	struct assign_done done;
	struct assign_told told;
	char why[DISPATCH_WHY], name[96];
	uint8_t record[16], key[32];

	submit_one(4, record);
	assign_to_counsel(record);
	fixture_sync(f, FIX_COUNSEL);
	assert_int_equal(assign_by(FIX_COUNSEL, record, FIX_HOLDER0, "", &done, why), PERR_REFUSED);
	assert_non_null(strstr(why, "only the attorneys who hold its desk"));
	client_key_name(name, "batch/", counsel, 32);
	OK(kv_begin(c->kv));
	OK(kv_del(c->kv, name));
	OK(kv_commit(c->kv));
	/* who has it is not asked again; who gave it back is, if there is a key to seal to */
	assert_int_equal(assign_by(FIX_HOLDER0, record, FIX_COUNSEL, "", &done, why), PERR_REFUSED);
	assert_non_null(strstr(why, "was asked already and has not answered yet"));
	OK(assign_withdraw(c, record, counsel, "", &told, why));
	assert_int_equal(assign_by(FIX_HOLDER0, record, FIX_COUNSEL, "", &done, why), PERR_NOTFOUND);
	assert_non_null(strstr(why, "has not published keys yet: ask them to run `amparo sync`"));
	/* names as people type them */
	OK(assign_find(c, "maria x'xajax de la cruz", key));
	assert_memory_equal(key, counsel, 32);
	OK(assign_find(c, "MARÍA", key));
	assert_int_equal(assign_find(c, "Teresa Núñez", key), PERR_NOTFOUND);
	assert_int_equal(assign_find(c, "", key), PERR_NOTFOUND);
}

static struct statement *custody_of(uint32_t day, uint32_t held)
{
	static uint8_t range[CUSTODY_RANGE];
	struct custody_range r = { .first = 1, .last = 2, .count = held };
	struct statement *st = note_on((const uint8_t *)"0123456789abcdef", f->desk, "");

	memset(&st->body, 0, sizeof st->body);
	st->kind = STATEMENT_CUSTODY;
	st->day = day;
	custody_put_range(range, &r);
	st->body.custody.n_held = held;
	st->body.custody.ranges = doc_bytes_of(range, held == 0 ? 0 : sizeof range);
	return st;
}

struct kept {
	uint32_t number, n_held;
};

static enum perr keep_custody(void *arg, const struct statement *st, uint32_t number)
{
	*(struct kept *)arg = (struct kept){ .number = number, .n_held = st->body.custody.n_held };
	return PERR_OK;
}

static void custody_keeps_the_newest_of_each_holder(void **state)
{
	uint32_t today = client_day(fix(f, FIX_HOLDER0)), n = 24 * today;
	struct kept k = { 0 };

	assert_int_equal(take_statement(FIX_HOLDER1, custody_of(today, 7), n, FIX_HOLDER0),
	                 TAKE_TOLD);
	assert_int_equal(take_statement(FIX_HOLDER1, custody_of(today, 9), n + 2, FIX_HOLDER0),
	                 TAKE_TOLD);
	assert_int_equal(take_statement(FIX_HOLDER1, custody_of(today, 8), n + 1, FIX_HOLDER0),
	                 TAKE_KNOWN);
	assert_int_equal(take_statement(FIX_COUNSEL, custody_of(today, 99), n + 9, FIX_HOLDER0),
	                 TAKE_BAD);
	/* a clock that is ahead: otherwise it would be believed until that day comes */
	assert_int_equal(take_statement(FIX_HOLDER1, custody_of(today + 3, 99), n + 3, FIX_HOLDER0),
	                 TAKE_BAD);
	assert_int_equal(take_statement(FIX_HOLDER1, custody_of(today, 99), n + 24 * 3, FIX_HOLDER0),
	                 TAKE_BAD);
	OK(record_custody(fix(f, FIX_HOLDER0), keep_custody, &k));
	assert_int_equal(k.number, n + 2);
	assert_int_equal(k.n_held, 9);
	/* a vault lost and restored within the hour: what claims less is believed */
	assert_int_equal(take_statement(FIX_HOLDER1, custody_of(today, 10), n + 2, FIX_HOLDER0),
	                 TAKE_KNOWN);
	assert_int_equal(take_statement(FIX_HOLDER1, custody_of(today, 0), n + 2, FIX_HOLDER0),
	                 TAKE_TOLD);
	OK(record_custody(fix(f, FIX_HOLDER0), keep_custody, &k));
	assert_int_equal(k.n_held, 0);
}

static void what_is_gone_does_not_come_back(void **state)
{
	struct client *c = fix(f, FIX_HOLDER0);
	uint8_t record[16], other[16];
	struct case_summary s;
	enum gone how;

	submit_one(7, record);
	OK(gone_of(c, record, &how));
	assert_int_equal(how, GONE_NOT);
	OK(kv_begin(c->kv));
	OK(gone_mark(c, record, GONE_KEPT));
	OK(kv_commit(c->kv));
	/* under a legal hold it goes on */
	assert_int_equal(take_statement(FIX_HOLDER1, note_on(record, f->desk, "a"), 1, FIX_HOLDER0),
	                 TAKE_NEW);
	OK(kv_begin(c->kv));
	OK(gone_mark(c, record, GONE_ERASED));
	OK(kv_commit(c->kv));
	OK(gone_of(c, record, &how));
	assert_int_equal(how, GONE_ERASED);
	assert_int_equal(take_statement(FIX_HOLDER1, note_on(record, f->desk, "b"), 2, FIX_HOLDER0),
	                 TAKE_KNOWN);
	OK(case_summary(c, record, &s));
	assert_int_equal(s.n_notes, 1);
	/* and no other record is touched */
	memset(other, 0x33, sizeof other);
	assert_int_equal(take_statement(FIX_HOLDER1, note_on(other, f->desk, "c"), 3, FIX_HOLDER0),
	                 TAKE_NEW);
}

static void status_from_others_than_holders_moves_nothing(void **state)
{
	uint8_t record[16];
	struct case_summary s;
	struct statement *st;

	submit_one(7, record);
	st = note_on(record, f->desk, "");
	memset(&st->body, 0, sizeof st->body);
	st->kind = STATEMENT_STATUS;
	st->body.status.state = STATEMENT_CLOSED;
	st->body.status.text = doc_text_of("");
	assert_int_equal(take_statement(FIX_COUNSEL, st, 1, FIX_HOLDER0), TAKE_NEW);
	OK(case_summary(fix(f, FIX_HOLDER0), record, &s));
	assert_int_equal(s.state, CASE_OPEN);
	assert_int_equal(s.n_statements, 2);
}

/* ---- order -------------------------------------------------------------------------- */

struct bag {
	uint8_t *env[16];
	size_t len[16];
	size_t n;
};

static void put_in(struct bag *b, enum fixture_who by, struct statement *st, uint32_t number)
{
	b->env[b->n] = make(by, st, number, &b->len[b->n]);
	b->n++;
	free(st);
}

static struct statement *status_on(const uint8_t record[16], enum statement_state state,
                                   enum fixture_who whom, uint32_t day)
{
	struct statement *st = note_on(record, f->desk, "");

	memset(&st->body, 0, sizeof st->body);
	st->kind = STATEMENT_STATUS;
	st->day = day;
	st->body.status.state = state;
	st->body.status.text = doc_text_of("");
	st->body.status.has_whom = true;
	memcpy(st->body.status.whom, fix(f, whom)->me->sign_pk, 32);
	st->body.status.turn = 1;
	if (state == STATEMENT_ASSIGNED)
		st->body.status.role = STATEMENT_ATTORNEY;
	return st;
}

static struct statement *answer_on(const uint8_t record[16], enum statement_decision d)
{
	struct statement *st = note_on(record, f->desk, "");

	memset(&st->body, 0, sizeof st->body);
	st->kind = STATEMENT_ANSWER;
	st->body.answer.decision = d;
	st->body.answer.text = doc_text_of("");
	st->body.answer.turn = 1;
	return st;
}

static struct statement *amendment_of(const char *code, const uint8_t record[16])
{
	struct statement *st = note_on(record, f->desk, "");

	memset(&st->body, 0, sizeof st->body);
	st->kind = STATEMENT_AMENDMENT;
	memcpy(st->body.amendment.code, code, CASE_CODE_LEN + 1);
	st->body.amendment.form_id = doc_text_of("raid-intake");
	st->body.amendment.form_version = doc_text_of("2026112401");
	st->body.amendment.n_changes = 1;
	st->body.amendment.changes[0].path = doc_text_of("/data/person/name");
	st->body.amendment.changes[0].value = doc_text_of("Xwan B’alam");
	return st;
}

static enum perr remember(void *arg, const char *name, const uint8_t *value, size_t len)
{
	uint8_t *digest = arg;
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, 32);
	crypto_generichash_update(&st, digest, 32);
	crypto_generichash_update(&st, (const uint8_t *)name, strlen(name));
	crypto_generichash_update(&st, value, len);
	crypto_generichash_final(&st, digest, 32);
	return PERR_OK;
}

static enum perr forget(void *arg, const char *name)
{
	return kv_del(arg, name);
}

static void forget_all(struct client *c)
{
	static const char *const prefixes[] = { "stmt/", "case/", "text/", "code/", "fresh/" };

	OK(kv_begin(c->kv));
	for (size_t i = 0; i < 5; i++)
		OK(kv_each_name(c->kv, prefixes[i], forget, c->kv));
	OK(kv_commit(c->kv));
}

/* every order of arrival, merged now and then, ends in the same bytes */
static void order_of_arrival_changes_nothing(void **state)
{
	struct client *c = fix(f, FIX_HOLDER0);
	uint8_t record[16], elsewhere[16], digest[32], first[32];
	struct case_summary s;
	struct bag b = { .n = 0 };
	char code[CASE_CODE_LEN + 1];

	fixture_submit(f, FIX_VOLUNTEER0, 4, 0, code);
	fixture_sync(f, FIX_HOLDER0);
	fixture_only_case(f, FIX_HOLDER0, record);
	b.env[0] = stored(FIX_HOLDER0, record, 0, &b.len[0]);
	b.n = 1;
	randombytes_buf(elsewhere, 16);
	put_in(&b, FIX_VOLUNTEER0, amendment_of(code, elsewhere), 9);
	put_in(&b, FIX_HOLDER1, note_on(record, f->desk, "uno"), 1);
	put_in(&b, FIX_HOLDER1, status_on(record, STATEMENT_ASSIGNED, FIX_COUNSEL, 20782), 2);
	put_in(&b, FIX_COUNSEL, answer_on(record, STATEMENT_DECLINE), 1);
	put_in(&b, FIX_COUNSEL, answer_on(record, STATEMENT_ACCEPT), 2);
	put_in(&b, FIX_HOLDER1, status_on(record, STATEMENT_ASSIGNED, FIX_ADMIN, 20783), 3);
	put_in(&b, FIX_HOLDER1, status_on(record, STATEMENT_UNASSIGNED, FIX_ADMIN, 20783), 4);
	put_in(&b, FIX_COUNSEL, note_on(record, f->desk, "dos"), 3);
	for (unsigned round = 0; round < 60; round++) {
		forget_all(c);
		for (size_t i = b.n; i > 1; i--) {
			size_t j = randombytes_uniform((uint32_t)i);
			uint8_t *env = b.env[i - 1];
			size_t len = b.len[i - 1];

			b.env[i - 1] = b.env[j];
			b.len[i - 1] = b.len[j];
			b.env[j] = env;
			b.len[j] = len;
		}
		for (size_t i = 0; i < b.n; i++) {
			assert_int_equal(take(FIX_HOLDER0, b.env[i], b.len[i]), TAKE_NEW);
			if (randombytes_uniform(3) == 0)
				OK(case_refresh(c));
		}
		memset(digest, 0, 32);
		OK(case_refresh(c));
		OK(kv_each(c->kv, "case/", remember, digest));
		OK(kv_each(c->kv, "text/", remember, digest));
		if (round == 0)
			memcpy(first, digest, 32);
		assert_memory_equal(first, digest, 32);
	}
	fixture_only_case(f, FIX_HOLDER0, elsewhere);
	assert_memory_equal(elsewhere, record, 16);
	OK(case_summary(c, record, &s));
	/* a yes and a no to one question: the no stands, whichever came first */
	assert_int_equal(s.state, CASE_RETURNED);
	assert_int_equal(s.n_people, 2);
	assert_int_equal(s.n_notes, 2);
	assert_int_equal(s.n_corrections, 1);
	for (size_t i = 0; i < b.n; i++)
		doc_free(b.env[i], b.len[i]);
}

static void correction_waits_for_its_interview(void **state)
{
	struct client *c = fix(f, FIX_HOLDER0);
	uint8_t record[16], elsewhere[16];
	struct case_file *file;
	char code[CASE_CODE_LEN + 1];

	fixture_submit(f, FIX_VOLUNTEER0, 4, 0, code);
	randombytes_buf(elsewhere, 16);
	assert_int_equal(take_statement(FIX_VOLUNTEER1, amendment_of(code, elsewhere), 1,
	                                FIX_HOLDER0), TAKE_NEW);
	fixture_only_case(f, FIX_HOLDER0, record);
	assert_memory_equal(record, elsewhere, 16);
	fixture_sync(f, FIX_HOLDER0);
	fixture_only_case(f, FIX_HOLDER0, record);
	assert_memory_not_equal(record, elsewhere, 16);
	OK(case_open(c, record, &file));
	assert_int_equal(file->n_corrections, 1);
	assert_true(doc_text_is(file->corrections[0].st->body.amendment.changes[0].value,
	                        "Xwan B’alam"));
	case_close(file);
	/* and travels with it */
	assign_to_counsel(record);
	fixture_sync(f, FIX_COUNSEL);
	OK(case_open(fix(f, FIX_COUNSEL), record, &file));
	assert_int_equal(file->n_corrections, 1);
	case_close(file);
}

/* ---- finding a case ----------------------------------------------------------------- */

static void case_is_found_by_code_however_it_is_typed(void **state)
{
	struct client *c = fix(f, FIX_HOLDER0);
	uint8_t record[16], found[16];
	char code[CASE_CODE_LEN + 1], typed[64];
	unsigned n;

	fixture_submit(f, FIX_VOLUNTEER0, 4, 0, code);
	fixture_sync(f, FIX_HOLDER0);
	fixture_only_case(f, FIX_HOLDER0, record);
	OK(case_find(c, code, found, &n));
	assert_memory_equal(record, found, 16);
	snprintf(typed, sizeof typed, " %.5s - %.5s", code, code + 5);
	for (char *p = typed; *p != '\0'; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p == '0' ? 'o' : *p == '1' ? 'l'
		                                                                       : *p;
	OK(case_find(c, typed, found, NULL));
	code[4] = '\0';
	OK(case_find(c, code, found, NULL));
	code[3] = '\0';
	assert_int_equal(case_find(c, code, found, NULL), PERR_FORMAT);
	assert_int_equal(case_find(c, "0000000001", found, NULL), PERR_AUTH);
	assert_int_equal(case_find(c, "0000000000", found, NULL), PERR_NOTFOUND);
	assert_int_equal(case_find(c, "../../..", found, NULL), PERR_FORMAT);
	assert_int_equal(case_find(c, "id:00112233", found, NULL), PERR_NOTFOUND);
	snprintf(typed, sizeof typed, "id:%02x%02x%02x%02x", record[0], record[1], record[2],
	         record[3]);
	OK(case_find(c, typed, found, NULL));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(assignee_sees_exactly_what_was_assigned),
		T(answers_and_notes_reach_all_readers),
		T(assignment_counts_from_holders_only),
		T(assignment_by_a_stranger_is_kept_aside),
		T(assignment_is_whole_or_not_at_all),
		T(only_holders_assign_and_only_to_readers_with_keys),
		T(custody_keeps_the_newest_of_each_holder),
		T(what_is_gone_does_not_come_back),
		T(status_from_others_than_holders_moves_nothing),
		T(order_of_arrival_changes_nothing),
		T(correction_waits_for_its_interview),
		T(case_is_found_by_code_however_it_is_typed),
	};

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
