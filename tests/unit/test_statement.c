/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "statement.h"

#include "blob.h"
#include "docs_vec.h"
#include "docs_statement.h"

static struct statement st, back;        /* some 10 KB each */

static uint8_t *encoded(size_t *len, enum statement_kind kind)
{
	uint8_t *out;

	kit_statement(&st, kind);
	assert_int_equal(statement_encode(&out, len, &st), PERR_OK);
	return out;
}

static enum perr open_statement(const uint8_t *in, size_t len)
{
	return statement_decode(&back, in, len);
}

static void every_kind_survives_the_round_trip(void **state)
{
	(void)state;
	for (int kind = 1; kind <= KIT_KINDS; kind++) {
		if (kit_kind[kind] == NULL)
			continue;
		size_t len, again_len;
		uint8_t *again, *in = encoded(&len, (enum statement_kind)kind);

		assert_int_equal(statement_decode(&back, in, len), PERR_OK);
		assert_int_equal(back.kind, kind);
		assert_int_equal(back.day, st.day);
		assert_memory_equal(back.author, st.author, 32);
		assert_memory_equal(back.to, st.to, 32);
		assert_memory_equal(back.record, st.record, STATEMENT_RECORD_SIZE);
		assert_int_equal(statement_encode(&again, &again_len, &back), PERR_OK);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, in, len);
		doc_free(again, again_len);
		doc_free(in, len);
	}
}

static void the_fields_of_an_intake_come_back(void **state)
{
	size_t len;
	uint8_t *in = encoded(&len, STATEMENT_INTAKE);
	struct statement_intake *body = &back.body.intake;

	(void)state;
	assert_int_equal(statement_decode(&back, in, len), PERR_OK);
	assert_true(doc_text_is(body->form_id, "raid-intake"));
	assert_true(doc_text_is(body->form_version, "3"));
	assert_true(doc_text_is(body->language, "es"));
	assert_string_equal(body->code, "18EZCNFXK1");
	assert_int_equal(body->attachments.n, 2);
	assert_true(doc_text_is(body->attachments.at[0].name, "cédula.jpg"));
	assert_int_equal(body->attachments.at[0].size, 200000);
	assert_true(body->has_visit_day);
	assert_int_equal(body->visit_day, 20781);
	assert_true(doc_text_is(body->transcriber, "Ana"));
	doc_free(in, len);

	kit_statement(&st, STATEMENT_INTAKE);
	st.body.intake.has_visit_day = false;
	st.body.intake.transcriber.p = NULL;
	st.body.intake.attachments.n = 0;
	assert_int_equal(statement_encode(&in, &len, &st), PERR_OK);
	assert_int_equal(statement_decode(&back, in, len), PERR_OK);
	assert_false(body->has_visit_day);
	assert_null(body->transcriber.p);
	doc_free(in, len);
}

static void truncation_at_any_byte_is_refused(void **state)
{
	(void)state;
	for (int kind = 1; kind <= KIT_KINDS; kind++) {
		if (kit_kind[kind] == NULL)
			continue;
		size_t len;
		uint8_t *in = encoded(&len, (enum statement_kind)kind);

		kit_refuses_truncation(open_statement, in, len);
		kit_refuses_trailing(open_statement, in, len);
		doc_free(in, len);
	}
}

/* a flipped bit may give another well-formed statement, but never one with this signature */
static void any_flipped_bit_breaks_the_signature(void **state)
{
	struct sign_key k;
	uint8_t sig[64];
	size_t len;
	uint8_t *in = encoded(&len, STATEMENT_ANSWER);
	unsigned decoded = 0;

	(void)state;
	kit_key(&k, 0x52);
	assert_int_equal(statement_sign(sig, &k, in, len), PERR_OK);
	assert_int_equal(statement_decode(&back, in, len), PERR_OK);
	assert_int_equal(statement_verify(&back, in, len, sig), PERR_OK);
	for (size_t i = 0; i < 8 * len; i++) {
		in[i / 8] ^= (uint8_t)(1u << i % 8);
		if (statement_decode(&back, in, len) == PERR_OK) {
			decoded++;
			assert_int_equal(statement_verify(&back, in, len, sig), PERR_AUTH);
		}
		in[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	assert_true(decoded > 0);
	doc_free(in, len);
}

static void refused_by_encode(void)
{
	uint8_t *out;
	size_t len;

	assert_int_equal(statement_encode(&out, &len, &st), PERR_RANGE);
	assert_null(out);
}

/* without these fields nobody could tell one assignment to a person from the next */
static void an_assignment_says_whom_when_and_as_what(void)
{
	kit_statement(&st, STATEMENT_STATUS);
	st.body.status.has_whom = false;
	refused_by_encode();
	kit_statement(&st, STATEMENT_STATUS);
	st.body.status.turn = 0;
	refused_by_encode();
	kit_statement(&st, STATEMENT_STATUS);
	st.body.status.role = STATEMENT_NO_ROLE;
	refused_by_encode();
	kit_statement(&st, STATEMENT_STATUS);
	st.body.status.state = STATEMENT_UNASSIGNED;     /* with a role */
	refused_by_encode();
	st.body.status.role = STATEMENT_NO_ROLE;         /* and an end */
	refused_by_encode();
	st.body.status.answer_by = 0;
	st.body.status.turn = 0;
	refused_by_encode();
	kit_statement(&st, STATEMENT_ANSWER);
	st.body.answer.turn = 0;
	refused_by_encode();
	kit_statement(&st, STATEMENT_ASSIGNMENT);
	st.body.passed.turn = 0;
	refused_by_encode();
	kit_statement(&st, STATEMENT_ASSIGNMENT);
	st.body.passed.role = (enum statement_role)4;
	refused_by_encode();
	kit_statement(&st, STATEMENT_RECEIPT);
	st.body.receipt.n = 0;
	refused_by_encode();
	st.body.receipt.n = STATEMENT_LISTS + 1;
	refused_by_encode();
	kit_statement(&st, STATEMENT_RECEIPT);
	st.body.receipt.to[1].things.len = 17;
	refused_by_encode();
}

static void what_a_reader_would_refuse_is_never_encoded(void **state)
{
	static char long_text[70000];
	static const uint8_t same[64];

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	kit_statement(&st, STATEMENT_INTAKE);
	st.body.intake.form_id = doc_text_of("");
	refused_by_encode();
	kit_statement(&st, STATEMENT_INTAKE);
	st.body.intake.form_version = doc_text_of("123456789012345678901234567890123");
	refused_by_encode();
	kit_statement(&st, STATEMENT_INTAKE);
	st.body.intake.instance.len = 0;
	refused_by_encode();
	kit_statement(&st, STATEMENT_INTAKE);
	st.body.intake.code[3] = '*';
	refused_by_encode();
	kit_statement(&st, STATEMENT_INTAKE);
	st.body.intake.code[3] = '0';            /* a character, but the check fails */
	refused_by_encode();
	kit_statement(&st, STATEMENT_INTAKE);
	st.body.intake.attachments.n = STATEMENT_ATTACHMENTS + 1;
	refused_by_encode();
	kit_statement(&st, STATEMENT_INTAKE);
	st.body.intake.attachments.at[0].size = BLOB_SIZE_MAX + 1;
	refused_by_encode();
	kit_statement(&st, STATEMENT_AMENDMENT);
	st.body.amendment.n_changes = 0;
	refused_by_encode();
	st.body.amendment.n_changes = STATEMENT_CHANGES + 1;
	refused_by_encode();
	kit_statement(&st, STATEMENT_AMENDMENT);
	st.body.amendment.milli = 86400000;
	refused_by_encode();
	kit_statement(&st, STATEMENT_AMENDMENT);
	st.body.amendment.knew.len = 33;
	refused_by_encode();
	st.body.amendment.knew = doc_bytes_of(same, sizeof same);        /* one hash twice */
	refused_by_encode();
	kit_statement(&st, STATEMENT_ERASE);
	st.body.erase.step = (enum statement_erase_step)6;
	refused_by_encode();
	st.body.erase.step = (enum statement_erase_step)0;
	refused_by_encode();
	kit_statement(&st, STATEMENT_ERASE);
	st.body.erase.code[3] = '0';
	refused_by_encode();
	kit_statement(&st, STATEMENT_NOTE);
	st.body.note = doc_text_of("");
	refused_by_encode();
	st.body.note = doc_text_of(long_text);
	refused_by_encode();
	kit_statement(&st, STATEMENT_STATUS);
	st.body.status.state = (enum statement_state)8;
	refused_by_encode();
	an_assignment_says_whom_when_and_as_what();
	kit_statement(&st, STATEMENT_ANSWER);
	st.body.answer.decision = (enum statement_decision)0;
	refused_by_encode();
	kit_statement(&st, STATEMENT_CUSTODY);
	st.body.custody.n_lists = CUSTODY_LISTS + 1;
	refused_by_encode();
	kit_statement(&st, STATEMENT_ANSWER);
	st.kind = (enum statement_kind)10;
	refused_by_encode();
}

static void an_attachment_cannot_name_a_place_outside_its_folder(void **state)
{
	static const char *const wrong[] = {
		"/etc/passwd", "../x", "a/b", "..", ".", "a\\b", "a\nb", "\x1b[2J", "a\x01", "/"
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		kit_statement(&st, STATEMENT_INTAKE);
		st.body.intake.attachments.at[1].name = doc_text_of(wrong[i]);
		refused_by_encode();
	}
	kit_statement(&st, STATEMENT_INTAKE);
	st.body.intake.attachments.at[1].name = doc_text_of("...");
	{
		uint8_t *out;
		size_t len;

		assert_int_equal(statement_encode(&out, &len, &st), PERR_OK);
		doc_free(out, len);
	}
}

static void text_that_is_not_utf8_is_refused_when_written(void **state)
{
	uint8_t *out;
	size_t len;

	(void)state;
	kit_statement(&st, STATEMENT_NOTE);
	st.body.note = doc_text_of("caf\xe9");
	assert_int_equal(statement_encode(&out, &len, &st), PERR_FORMAT);
	assert_null(out);
}

/* the sample note with key 9 added, or its kind changed, by hand */
static size_t altered(uint8_t *buf, size_t size, uint8_t kind, const uint8_t *ext, size_t ext_len)
{
	size_t len;
	uint8_t *in = encoded(&len, STATEMENT_NOTE);

	assert_true(len + ext_len <= size);
	memcpy(buf, in, len);
	doc_free(in, len);
	assert_int_equal(buf[0], 0x89);
	assert_int_equal(buf[4], STATEMENT_NOTE);
	buf[4] = kind;
	if (ext_len > 0) {
		buf[0] = 0x8a;
		memcpy(buf + len, ext, ext_len);
	}
	return len + ext_len;
}

static void a_kind_of_a_later_version_is_told_apart_from_garbage(void **state)
{
	uint8_t buf[1024];
	size_t len = altered(buf, sizeof buf, 10, NULL, 0);

	(void)state;
	assert_int_equal(statement_decode(&back, buf, len), PERR_UNKNOWN);
	assert_int_equal(back.kind, 10);
	assert_int_equal(back.day, 20782);
	assert_int_equal(back.to[0], 0x70);
	buf[1] = 1;                              /* key 0 is missing */
	assert_int_equal(statement_decode(&back, buf, len), PERR_FORMAT);
	assert_int_equal(back.day, 0);
}

static void an_unknown_even_ext_key_is_refused_and_an_odd_one_skipped(void **state)
{
	uint8_t buf[1024];
	size_t len;

	(void)state;
	len = altered(buf, sizeof buf, STATEMENT_NOTE, (const uint8_t *)"\x09\x81\x01\x05", 4);
	assert_int_equal(statement_decode(&back, buf, len), PERR_OK);
	assert_true(back.has_ext);
	assert_int_equal(back.body.note.len, strlen("Sister called: Popti' interpreter needed"));
	len = altered(buf, sizeof buf, STATEMENT_NOTE, (const uint8_t *)"\x09\x81\x02\x05", 4);
	assert_int_equal(statement_decode(&back, buf, len), PERR_UNKNOWN);
	len = altered(buf, sizeof buf, STATEMENT_NOTE, (const uint8_t *)"\x0a\x80", 2);
	assert_int_equal(statement_decode(&back, buf, len), PERR_FORMAT);
}

static void the_sequence_number_opens_only_with_its_salt(void **state)
{
	uint8_t salt[STATEMENT_SALT_SIZE];

	(void)state;
	kit_statement(&st, STATEMENT_NOTE);
	memset(salt, 0x5a, sizeof salt);
	assert_int_equal(statement_check_opening(&st, 7, salt), PERR_OK);
	assert_int_equal(statement_check_opening(&st, 8, salt), PERR_AUTH);
	assert_int_equal(statement_check_opening(&st, 0, salt), PERR_FORMAT);
	salt[15] ^= 1;
	assert_int_equal(statement_check_opening(&st, 7, salt), PERR_AUTH);
}

static void only_ones_own_key_or_desk_is_addressed(void **state)
{
	uint8_t own[32], desks[2][32];

	(void)state;
	kit_statement(&st, STATEMENT_NOTE);
	memset(own, 0x11, 32);
	memset(desks, 0x22, sizeof desks);
	assert_false(statement_addressed_to(&st, own, desks, 2));
	assert_false(statement_addressed_to(&st, own, NULL, 0));
	memset(desks[1], 0x70, 32);
	assert_true(statement_addressed_to(&st, own, desks, 2));
	memset(own, 0x70, 32);
	assert_true(statement_addressed_to(&st, own, NULL, 0));
}

static void an_assignment_gives_back_the_authors_own_statement(void **state)
{
	uint8_t sig[64];

	(void)state;
	kit_statement(&st, STATEMENT_ASSIGNMENT);
	assert_int_equal(statement_original(&back, &st), PERR_OK);
	assert_int_equal(back.kind, STATEMENT_INTAKE);
	assert_string_equal(back.body.intake.code, "18EZCNFXK1");
	memcpy(sig, kit_original_sig, 64);
	sig[3] ^= 1;
	st.body.passed.original_sig = sig;
	assert_int_equal(statement_original(&back, &st), PERR_AUTH);
	assert_int_equal(back.kind, 0);
	kit_statement(&st, STATEMENT_NOTE);
	assert_int_equal(statement_original(&back, &st), PERR_STATE);
}

static void an_assignment_inside_an_assignment_is_refused(void **state)
{
	struct sign_key k;
	uint8_t sig[64];
	size_t len;
	uint8_t *in = encoded(&len, STATEMENT_ASSIGNMENT);

	(void)state;
	kit_key(&k, 0x52);
	assert_int_equal(statement_sign(sig, &k, in, len), PERR_OK);
	kit_statement(&st, STATEMENT_ASSIGNMENT);
	st.body.passed.original = doc_bytes_of(in, len);
	st.body.passed.original_sig = sig;
	assert_int_equal(statement_original(&back, &st), PERR_FORMAT);
	doc_free(in, len);
}

/* what the holder of the sample referral signs: it, passed on in an assignment */
static void an_assignment_passes_on_a_referral_with_its_original(void **state)
{
	struct sign_key k;
	uint8_t sig[64], bad[64], *in, *outer;
	size_t len, outer_len;

	(void)state;
	in = encoded(&len, STATEMENT_REFERRAL);
	kit_key(&k, 0x52);
	assert_int_equal(statement_sign(sig, &k, in, len), PERR_OK);
	kit_statement(&st, STATEMENT_ASSIGNMENT);
	st.body.passed.original = doc_bytes_of(in, len);
	st.body.passed.original_sig = sig;
	assert_int_equal(statement_original(&back, &st), PERR_OK);
	assert_int_equal(back.kind, STATEMENT_INTAKE);
	assert_string_equal(back.body.intake.code, "18EZCNFXK1");
	assert_int_equal(statement_via(&back, &st), PERR_OK);
	assert_int_equal(back.kind, STATEMENT_REFERRAL);
	assert_int_equal(back.body.passed.consent.day, 20784);
	assert_true(doc_text_is(back.body.passed.consent.by, "Beto"));
	/* an assignment of an assignment of a referral is one step too many */
	assert_int_equal(statement_encode(&outer, &outer_len, &st), PERR_OK);
	assert_int_equal(statement_sign(bad, &k, outer, outer_len), PERR_OK);
	kit_statement(&st, STATEMENT_ASSIGNMENT);
	st.body.passed.original = doc_bytes_of(outer, outer_len);
	st.body.passed.original_sig = bad;
	assert_int_equal(statement_original(&back, &st), PERR_FORMAT);
	/* and so is a referral of a referral */
	kit_statement(&st, STATEMENT_REFERRAL);
	st.body.passed.original = doc_bytes_of(in, len);
	st.body.passed.original_sig = sig;
	assert_int_equal(statement_original(&back, &st), PERR_FORMAT);
	assert_int_equal(statement_via(&back, &st), PERR_NOTFOUND);
	/* the referral's own signature counts as well */
	memcpy(bad, sig, 64);
	bad[5] ^= 1;
	kit_statement(&st, STATEMENT_ASSIGNMENT);
	st.body.passed.original = doc_bytes_of(in, len);
	st.body.passed.original_sig = bad;
	assert_int_equal(statement_original(&back, &st), PERR_AUTH);
	assert_int_equal(statement_via(&back, &st), PERR_AUTH);
	doc_free(in, len);
	doc_free(outer, outer_len);
}

static void a_referral_without_consent_is_none(void **state)
{
	uint8_t *in;
	size_t len;

	(void)state;
	kit_statement(&st, STATEMENT_REFERRAL);
	st.body.passed.consent.text = doc_text_of("");
	assert_int_equal(statement_encode(&in, &len, &st), PERR_RANGE);
	kit_statement(&st, STATEMENT_REFERRAL);
	st.body.passed.consent.by = doc_text_of("");
	assert_int_equal(statement_encode(&in, &len, &st), PERR_RANGE);
	/* a status says "referred" with the consent, and no other status carries one */
	kit_statement(&st, STATEMENT_STATUS);
	st.body.status.role = STATEMENT_NO_ROLE;
	st.body.status.answer_by = 0;
	st.body.status.state = STATEMENT_REFERRED;
	st.body.status.has_whom = true;
	assert_int_equal(statement_encode(&in, &len, &st), PERR_RANGE);
	st.body.status.has_consent = true;
	st.body.status.consent.text = doc_text_of("yes");
	st.body.status.consent.by = doc_text_of("Ana");
	st.body.status.consent.language = doc_text_of("");
	assert_int_equal(statement_encode(&in, &len, &st), PERR_OK);
	assert_int_equal(statement_decode(&back, in, len), PERR_OK);
	assert_true(back.body.status.has_consent);
	doc_free(in, len);
	st.body.status.state = STATEMENT_CLOSED;
	assert_int_equal(statement_encode(&in, &len, &st), PERR_RANGE);
}

static void vectors(void)
{
	uint8_t out32[32], salt[STATEMENT_SALT_SIZE], sig[64];
	struct sign_key k;

	vec_note("authors: seed 32 x 51 (intake, amendment), 32 x 52 (the rest)");
	kit_key(&k, 0x51);
	vec("volunteer.key_id", k.id, 32);
	kit_key(&k, 0x52);
	vec("holder.key_id", k.id, 32);
	vec_note("sequence number 7 under a salt of 16 x 5a");
	memset(salt, 0x5a, sizeof salt);
	statement_sequence(out32, salt, 7);
	vec("sequence_commitment", out32, 32);
	vec_note("day 20782, to 32 x 70, header hash 32 x 71, record id 16 x 72");
	for (int kind = 1; kind <= KIT_KINDS; kind++) {
		char name[32];
		size_t len;
		uint8_t *in;

		if (kit_kind[kind] == NULL)
			continue;
		in = encoded(&len, (enum statement_kind)kind);
		kit_key(&k, kind <= STATEMENT_AMENDMENT ? 0x51 : 0x52);
		assert_int_equal(statement_sign(sig, &k, in, len), PERR_OK);
		snprintf(name, sizeof name, "%s.statement", kit_kind[kind]);
		vec(name, in, len);
		snprintf(name, sizeof name, "%s.signature", kit_kind[kind]);
		vec(name, sig, 64);
		statement_hash(out32, in, len);
		snprintf(name, sizeof name, "%s.hash", kit_kind[kind]);
		vec(name, out32, 32);
		kit_corpus("statement", kit_kind[kind], in, len);
		doc_free(in, len);
	}
	vec_note("custody digest of the elements 11..11 ‖ 0 and 99..99 ‖ 2");
	kit_statement(&st, STATEMENT_CUSTODY);
	vec("custody_digest", custody_range(&st.body.custody, 0).digest, CUSTODY_DIGEST);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(every_kind_survives_the_round_trip),
		cmocka_unit_test(the_fields_of_an_intake_come_back),
		cmocka_unit_test(truncation_at_any_byte_is_refused),
		cmocka_unit_test(any_flipped_bit_breaks_the_signature),
		cmocka_unit_test(what_a_reader_would_refuse_is_never_encoded),
		cmocka_unit_test(an_attachment_cannot_name_a_place_outside_its_folder),
		cmocka_unit_test(text_that_is_not_utf8_is_refused_when_written),
		cmocka_unit_test(a_kind_of_a_later_version_is_told_apart_from_garbage),
		cmocka_unit_test(an_unknown_even_ext_key_is_refused_and_an_odd_one_skipped),
		cmocka_unit_test(the_sequence_number_opens_only_with_its_salt),
		cmocka_unit_test(only_ones_own_key_or_desk_is_addressed),
		cmocka_unit_test(an_assignment_gives_back_the_authors_own_statement),
		cmocka_unit_test(an_assignment_inside_an_assignment_is_refused),
		cmocka_unit_test(an_assignment_passes_on_a_referral_with_its_original),
		cmocka_unit_test(a_referral_without_consent_is_none),
	};

	if (kit_written(argc, argv, "statement"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
