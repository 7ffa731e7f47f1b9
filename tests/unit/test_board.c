/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "board.h"

#include "docs_vec.h"

static struct board_entry e;
static struct board_rekey rk;

static enum perr open_board(const uint8_t *in, size_t len)
{
	return board_decode(&e, in, len);
}

static enum perr open_rekey(const uint8_t *in, size_t len)
{
	return board_rekey_open(&rk, in, len);
}

static void an_entry_comes_back_as_it_went(void **state)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	size_t len;

	(void)state;
	for (int type = BOARD_BATCH; type <= BOARD_PAPER; type++) {
		struct board_entry in = { (enum board_type)type, doc_bytes_of("document", 8) };

		assert_int_equal(board_encode(payload, &len, &in), PERR_OK);
		assert_int_equal(open_board(payload, len), PERR_OK);
		assert_int_equal(e.type, type);
		assert_int_equal(e.doc.len, 8);
		assert_memory_equal(e.doc.p, "document", 8);
		kit_refuses_truncation(open_board, payload, len);
		kit_refuses_trailing(open_board, payload, len);
	}
}

static void a_type_of_a_later_version_is_told_apart(void **state)
{
	(void)state;
	assert_int_equal(open_board((const uint8_t *)"\x92\x07\xc4\x01x", 5), PERR_UNKNOWN);
	assert_int_equal(open_board((const uint8_t *)"\x92\x00\xc4\x01x", 5), PERR_UNKNOWN);
	assert_int_equal(open_board((const uint8_t *)"\x92\x01\xc4\x00", 4), PERR_FORMAT);
}

static void what_does_not_fit_a_cell_is_refused(void **state)
{
	static uint8_t big[CELL_PAYLOAD_MAX];
	uint8_t payload[CELL_PAYLOAD_MAX];
	struct board_entry in = { BOARD_CHARTER, doc_bytes_of(big, CELL_PAYLOAD_MAX - 5) };
	size_t len;

	(void)state;
	assert_int_equal(board_encode(payload, &len, &in), PERR_OK);
	assert_int_equal(len, CELL_PAYLOAD_MAX);
	in.doc.len++;
	assert_int_equal(board_encode(payload, &len, &in), PERR_RANGE);
	in.doc.len = 0;
	assert_int_equal(board_encode(payload, &len, &in), PERR_RANGE);
}

static uint8_t *rekey(size_t *len)
{
	struct sign_key a, b;
	uint8_t *out;

	kit_key(&a, 0x52);
	kit_key(&b, 0x54);
	memcpy(rk.old_key, a.id, 32);
	memcpy(rk.new_key, b.id, 32);
	rk.number = 1;
	assert_int_equal(board_rekey_sign(&out, len, &rk, &a, &b), PERR_OK);
	return out;
}

static void a_change_of_key_opens_and_any_other_byte_breaks_it(void **state)
{
	size_t len;
	uint8_t *in = rekey(&len);

	(void)state;
	assert_int_equal(open_rekey(in, len), PERR_OK);
	assert_int_equal(rk.number, 1);
	kit_refuses_truncation(open_rekey, in, len);
	kit_refuses_any_flip(open_rekey, in, len);
	doc_free(in, len);
}

static void a_change_of_key_needs_both_signatures(void **state)
{
	struct signed_doc d;
	uint8_t *out, *in;
	size_t len, out_len;

	(void)state;
	for (uint32_t drop = 0; drop < 2; drop++) {
		in = rekey(&len);
		assert_int_equal(signed_decode(&d, in, len), PERR_OK);
		if (drop == 0)
			d.sigs.at[0] = d.sigs.at[1];
		d.sigs.n = 1;
		assert_int_equal(signed_encode(&out, &out_len, &d), PERR_OK);
		assert_int_equal(open_rekey(out, out_len), PERR_SIGS);
		doc_free(out, out_len);
		doc_free(in, len);
		signed_doc_free(&d);
	}
}

static void a_key_cannot_be_changed_into_itself(void **state)
{
	struct sign_key a;
	uint8_t *out;
	size_t len;

	(void)state;
	kit_key(&a, 0x52);
	memcpy(rk.old_key, a.id, 32);
	memcpy(rk.new_key, a.id, 32);
	rk.number = 1;
	assert_int_equal(board_rekey_sign(&out, &len, &rk, &a, &a), PERR_RANGE);
	rk.number = 0;
	rk.new_key[0] ^= 1;
	assert_int_equal(board_rekey_encode(&out, &len, &rk), PERR_RANGE);
}

static void vectors(void)
{
	uint8_t payload[CELL_PAYLOAD_MAX];
	struct reader_key board;
	uint8_t sk[32];
	size_t len, doc_len;
	uint8_t *out = rekey(&doc_len);

	vec_note("change of the key of seed 32 x 52 into that of seed 32 x 54, number 1");
	vec("rekey.signed", out, doc_len);
	e = (struct board_entry){ BOARD_REKEY, doc_bytes_of(out, doc_len) };
	assert_int_equal(board_encode(payload, &len, &e), PERR_OK);
	vec("rekey.payload", payload, len);
	kit_corpus("board", "rekey", payload, len);
	doc_free(out, doc_len);
	assert_int_equal(board_rekey_encode(&out, &doc_len, &rk), PERR_OK);
	vec("rekey.document", out, doc_len);
	kit_corpus("board", "rekey-document", out, doc_len);
	doc_free(out, doc_len);
	vec_note("a board key: private half 32 x 62");
	memset(sk, 0x62, sizeof sk);
	board_key(&board, sk);
	vec("board.public", board.pk, 32);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(an_entry_comes_back_as_it_went),
		cmocka_unit_test(a_type_of_a_later_version_is_told_apart),
		cmocka_unit_test(what_does_not_fit_a_cell_is_refused),
		cmocka_unit_test(a_change_of_key_opens_and_any_other_byte_breaks_it),
		cmocka_unit_test(a_change_of_key_needs_both_signatures),
		cmocka_unit_test(a_key_cannot_be_changed_into_itself),
	};

	if (kit_written(argc, argv, "board"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
