/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Typed requests (PROTOCOL section 6) against tests/vectors/rpc.txt, one line a message:
 * direction, method, hex.  `test_rpc --print` writes that file's lines.
 */
#include "rpc.h"

#include <stdlib.h>

#include "hex.h"

#define VECTORS "tests/vectors/rpc.txt"

static uint8_t cell[CELL_SIZE], some[RPC_STATUSES_MAX];

enum dir { REQUEST, NOTIFY_SERVER, NOTIFY_CLIENT, ANSWER, FAILURE, N_DIRS };
static const char *const dir_name[N_DIRS] = {
	"request", "notify-server", "notify-client", "answer", "failure"
};

static void fill(void)
{
	size_t i;

	for (i = 0; i < sizeof cell; i++)
		cell[i] = (uint8_t)(i * 7 + i / 251);
	for (i = 0; i < sizeof some; i++)
		some[i] = (uint8_t)(i * 13 + 5);
}

static bool is_notify(enum rpc_method m)
{
	return m == RPC_PUT || m == RPC_ERASE || m == RPC_CELL || m == RPC_BYE;
}

static bool exists(enum rpc_method m, enum dir d)
{
	switch (d) {
	case REQUEST: case ANSWER: return !is_notify(m);
	case FAILURE: return m == RPC_HELLO;
	case NOTIFY_SERVER: return is_notify(m) && m != RPC_CELL;
	case NOTIFY_CLIENT: return m == RPC_CELL || m == RPC_BYE;
	case N_DIRS: break;
	}
	return false;
}

/* one sample of each message, every field it has set to something recognisable */
static void sample(struct rpc_msg *m, enum rpc_method method, enum dir d)
{
	bool params = d == REQUEST || d == NOTIFY_SERVER || d == NOTIFY_CLIENT;
	uint32_t i;

	memset(m, 0, sizeof *m);
	m->method = method;
	m->type = d == REQUEST ? RPC_REQUEST : params ? RPC_NOTIFY : RPC_RESPONSE;
	if (d != NOTIFY_SERVER && (d != NOTIFY_CLIENT || method == RPC_CELL))
		m->msgid = 70000 + (uint32_t)method;
	if (d == FAILURE) {
		m->error = RPC_LATER;
		return;
	}
	switch (method) {
	case RPC_HELLO:
		if (params)
			break;
		m->hello.day = 20782;
		m->hello.bulletin_version = 9;
		memset(m->hello.header_hash, 0x11, 32);
		memset(m->hello.board_digest, 0x22, 32);
		m->hello.has_newest = true;
		m->hello.newest_day = 20782;
		m->hello.newest_release = 7;
		m->hello.counter = 300;
		m->hello.puts_per_commit = 64;
		m->hello.policy_version = 9;
		break;
	case RPC_BULLETIN_GET:
		memset(m->hash, params ? 0x33 : 0, 32);
		m->offset = params ? 8192 : 0;
		m->total = params ? 0 : 65536;
		m->bytes = params ? NULL : some;
		m->bytes_len = params ? 0 : RPC_PART_GET;
		break;
	case RPC_JOIN_PUT:
	case RPC_BOARD_PUT:
		if (!params) {
			m->status = RPC_ACCEPTED;
			break;
		}
		m->cell = cell;
		if (method == RPC_JOIN_PUT)
			m->ticket = some;
		else
			m->ds = some;
		break;
	case RPC_BOARD_GET:
	case RPC_JOIN_LIST:
		if (params) {
			m->from = 12;
			break;
		}
		m->n = 40;
		m->cell = cell;
		if (method == RPC_BOARD_GET)
			memset(m->digest, 0x44, 32);
		break;
	case RPC_PUT:
	case RPC_CELL:
		m->cell = cell;
		break;
	case RPC_ERASE:
		m->bytes = some;
		m->bytes_len = 64 * RPC_BATCH;
		break;
	case RPC_COMMIT:
		if (!params) {
			m->bytes = some;
			m->bytes_len = RPC_STATUSES_MAX;
		}
		break;
	case RPC_SEGMENTS:
		if (params) {
			m->day = 20781;
			m->release = 3;
		}
		m->n = 64;
		for (i = 0; i < 64 && !params; i++) {
			m->segments[i].day = 20782 + i;
			m->segments[i].release = i;
			m->segments[i].count = 1000 * i;
			memset(m->segments[i].digest, (int)i, 32);
		}
		break;
	case RPC_PULL:
	case RPC_FETCH:
	case RPC_PEEK:
		if (!params) {
			if (method == RPC_PEEK) {
				m->bytes = some;
				m->bytes_len = 64 * 64;
			} else {
				m->n = 64;
			}
			break;
		}
		m->day = 20782;
		m->release = 200;
		if (method == RPC_FETCH) {
			m->bytes = some;
			m->bytes_len = 4 * RPC_BATCH;
		} else {
			m->from = 128;
			m->n = method == RPC_PULL ? 64 : 0;
		}
		break;
	case RPC_BULLETIN_PART:
	case RPC_POLICY_PUT:
		m->total = 8000;
		if (!params)
			break;
		if (method == RPC_BULLETIN_PART)
			memset(m->hash, 0x55, 32);
		m->offset = 4000;
		m->bytes = some;
		m->bytes_len = RPC_PART_PUT;
		break;
	case RPC_BULLETIN_COMMIT:
		if (params) {
			memset(m->hash, 0x66, 32);
			memset(m->digest, 0x67, 32);
		}
		break;
	case RPC_RELEASE:
	case RPC_ERASE_VOID:
	case RPC_BOARD_CLEAR:
		if (params) {
			m->bytes = some;
			m->bytes_len = 4096;
			break;
		}
		m->n = 680;
		if (method == RPC_RELEASE) {
			m->day = 20783;
			m->release = 1;
		}
		break;
	case RPC_STATUS:
		if (params)
			break;
		m->st.day = 20782;
		m->st.cells_waiting = 1;
		m->st.cells_released = 200;
		m->st.segments = 3;
		m->st.board = 400;
		m->st.joins = 5;
		m->st.erasures = 70000;
		m->st.erase_day = 20785;
		m->st.free_mib = 100000;
		m->st.reserve_mib = 256;
		m->st.refused = 8;
		m->st.refused_full = 130;
		m->st.alerts = 2;
		m->st.frozen = true;
		break;
	case RPC_BYE:
	case RPC_N_METHODS:
		break;
	}
}

static enum perr decode(struct rpc_msg *m, enum rpc_method asked, enum dir d,
                        const uint8_t *in, size_t len)
{
	switch (d) {
	case REQUEST: case NOTIFY_SERVER: return rpc_decode_request(m, in, len);
	case NOTIFY_CLIENT: return rpc_decode_notify(m, in, len);
	case ANSWER: case FAILURE: case N_DIRS: break;
	}
	return rpc_decode_response(m, asked, in, len);
}

static void same_bytes(const uint8_t *a, const uint8_t *b, size_t len)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a != NULL)
		assert_memory_equal(a, b, len);
}

static void same(const struct rpc_msg *a, const struct rpc_msg *b)
{
	uint32_t i;

	assert_int_equal(a->type, b->type);
	assert_int_equal(a->msgid, b->msgid);
	assert_int_equal(a->method, b->method);
	assert_int_equal(a->error, b->error);
	assert_int_equal(a->hello.day, b->hello.day);
	assert_int_equal(a->hello.bulletin_version, b->hello.bulletin_version);
	assert_int_equal(a->hello.counter, b->hello.counter);
	assert_int_equal(a->hello.puts_per_commit, b->hello.puts_per_commit);
	assert_int_equal(a->hello.has_newest, b->hello.has_newest);
	assert_int_equal(a->hello.newest_day, b->hello.newest_day);
	assert_int_equal(a->hello.newest_release, b->hello.newest_release);
	assert_int_equal(a->hello.policy_version, b->hello.policy_version);
	assert_memory_equal(a->hello.header_hash, b->hello.header_hash, 32);
	assert_memory_equal(a->hello.board_digest, b->hello.board_digest, 32);
	assert_int_equal(a->day, b->day);
	assert_int_equal(a->release, b->release);
	assert_int_equal(a->from, b->from);
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->total, b->total);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->status, b->status);
	assert_memory_equal(a->hash, b->hash, 32);
	assert_memory_equal(a->digest, b->digest, 32);
	same_bytes(a->ticket, b->ticket, 16);
	same_bytes(a->cell, b->cell, CELL_SIZE);
	same_bytes(a->ds, b->ds, 32);
	assert_int_equal(a->bytes_len, b->bytes_len);
	same_bytes(a->bytes, b->bytes, a->bytes_len);
	assert_memory_equal(&a->st, &b->st, sizeof a->st);
	for (i = 0; a->method == RPC_SEGMENTS && a->type == RPC_RESPONSE && i < a->n; i++) {
		assert_int_equal(a->segments[i].day, b->segments[i].day);
		assert_int_equal(a->segments[i].release, b->segments[i].release);
		assert_int_equal(a->segments[i].count, b->segments[i].count);
		assert_memory_equal(a->segments[i].digest, b->segments[i].digest, 32);
	}
}

static struct rpc_msg a, b;
static uint8_t wire[FRAME_MSG_MAX];

#define EACH(m, d) \
	for (m = 0; m < RPC_N_METHODS; m++) \
		for (d = 0; d < N_DIRS; d++) \
			if (exists((enum rpc_method)m, (enum dir)d))

static void rpc_every_message_survives_the_wire(void **state)
{
	int m, d;
	size_t len;

	EACH(m, d) {
		sample(&a, (enum rpc_method)m, (enum dir)d);
		assert_int_equal(rpc_encode(wire, &len, &a), PERR_OK);
		assert_true(len > 0 && len <= FRAME_MSG_MAX);
		assert_int_equal(decode(&b, a.method, (enum dir)d, wire, len), PERR_OK);
		same(&a, &b);
	}
}

static void rpc_matches_the_vectors(void **state)
{
	static char line[2 * FRAME_MSG_MAX + 100];
	unsigned n = 0, want = 0;
	int m, d;
	FILE *f = fopen(VECTORS, "r");

	assert_non_null(f);
	EACH(m, d)
		want++;
	while (fgets(line, sizeof line, f) != NULL) {
		char *dn, *mn, *hex, *save;
		size_t len;

		if (line[0] == '#' || line[0] == '\n')
			continue;
		dn = strtok_r(line, " \n", &save);
		mn = strtok_r(NULL, " \n", &save);
		hex = strtok_r(NULL, " \n", &save);
		assert_non_null(hex);
		for (d = 0; d < N_DIRS && strcmp(dn, dir_name[d]) != 0; d++)
			;
		for (m = 0; m < RPC_N_METHODS &&
		     strcmp(mn, rpc_name((enum rpc_method)m)) != 0; m++)
			;
		assert_true(d < N_DIRS && m < RPC_N_METHODS);
		sample(&a, (enum rpc_method)m, (enum dir)d);
		assert_int_equal(rpc_encode(wire, &len, &a), PERR_OK);
		assert_hex(wire, len, hex);
		n++;
	}
	fclose(f);
	assert_int_equal(n, want);
	printf("figure: rpc vectors: %u/%u\n", n, want);
}

static void rpc_refuses_any_truncation_and_any_byte_behind(void **state)
{
	int m, d;
	size_t len, cut;
	uint8_t *exact;

	EACH(m, d) {
		sample(&a, (enum rpc_method)m, (enum dir)d);
		assert_int_equal(rpc_encode(wire, &len, &a), PERR_OK);
		for (cut = 0; cut < len; cut++) {
			/* every byte near the ends, some in the long middle */
			if (cut > 80 && cut + 80 < len && cut % 61 != 0)
				continue;
			exact = malloc(cut > 0 ? cut : 1);
			memcpy(exact, wire, cut);
			assert_int_not_equal(decode(&b, a.method, (enum dir)d, exact, cut),
			                     PERR_OK);
			assert_null(b.cell);
			assert_null(b.bytes);
			free(exact);
		}
		if (len < sizeof wire) {
			wire[len] = 0xc0;
			assert_int_equal(decode(&b, a.method, (enum dir)d, wire, len + 1),
			                 PERR_FORMAT);
		}
	}
}

/* flip every bit outside the payloads: what still decodes must encode to the same bytes */
static void rpc_has_one_encoding_of_each_message(void **state)
{
	int m, d;
	size_t len, i, len2;
	unsigned bit, accepted = 0, tried = 0;
	uint8_t again[FRAME_MSG_MAX];

	EACH(m, d) {
		sample(&a, (enum rpc_method)m, (enum dir)d);
		assert_int_equal(rpc_encode(wire, &len, &a), PERR_OK);
		for (i = 0; i < len; i++) {
			if (i > 100 && i + 100 < len)
				continue;
			for (bit = 0; bit < 8; bit++) {
				wire[i] ^= (uint8_t)(1u << bit);
				tried++;
				if (decode(&b, a.method, (enum dir)d, wire, len) == PERR_OK) {
					accepted++;
					assert_int_equal(rpc_encode(again, &len2, &b), PERR_OK);
					assert_int_equal(len2, len);
					assert_memory_equal(again, wire, len);
				}
				wire[i] ^= (uint8_t)(1u << bit);
			}
		}
	}
	printf("figure: rpc bit flips: %u tried, %u are other messages, each canonical\n", tried,
	       accepted);
}

static void rpc_refuses_what_goes_the_other_way(void **state)
{
	int m, d, d2;
	size_t len;

	EACH(m, d) {
		sample(&a, (enum rpc_method)m, (enum dir)d);
		assert_int_equal(rpc_encode(wire, &len, &a), PERR_OK);
		for (d2 = 0; d2 < N_DIRS; d2++) {
			bool fine = d2 == d ||
			            (m == RPC_BYE && d2 <= NOTIFY_CLIENT) ||
			            /* these pairs share a decoder */
			            (d <= NOTIFY_SERVER && d2 <= NOTIFY_SERVER) ||
			            (d >= ANSWER && d2 >= ANSWER);

			if (!fine)
				assert_int_equal(decode(&b, a.method, (enum dir)d2, wire, len),
				                 PERR_FORMAT);
		}
	}
}

static void rpc_tells_unknown_from_malformed(void **state)
{
	/* [0, 1, "nothing", []] and the same as a notification with odd params */
	static const uint8_t ask[] = { 0x94, 0, 1, 0xa7, 'n','o','t','h','i','n','g', 0x90 };
	static const uint8_t tell[] = { 0x93, 2, 0xa3, 'f','o','o', 0x92, 0xc0, 0x91, 1 };
	static const uint8_t empty[] = { 0x94, 0, 1, 0xa0, 0x90 };
	/* a request for a notification's name: [0, 1, "bye", []] */
	static const uint8_t bye[] = { 0x94, 0, 1, 0xa3, 'b','y','e', 0x90 };

	assert_int_equal(rpc_decode_request(&b, ask, sizeof ask), PERR_UNKNOWN);
	assert_int_equal(rpc_decode_request(&b, ask, sizeof ask - 1), PERR_FORMAT);
	assert_int_equal(rpc_decode_request(&b, tell, sizeof tell), PERR_UNKNOWN);
	assert_int_equal(rpc_decode_notify(&b, tell, sizeof tell), PERR_UNKNOWN);
	assert_int_equal(rpc_decode_request(&b, empty, sizeof empty), PERR_FORMAT);
	assert_int_equal(rpc_decode_request(&b, bye, sizeof bye), PERR_FORMAT);
	assert_int_equal(rpc_decode_request(&b, NULL, 0), PERR_FORMAT);
}

static void rpc_refuses_counts_out_of_bounds(void **state)
{
	/* [0, 1, "pull", [1, 1, 0, n]] with n = 0, 65 */
	uint8_t pull[] = { 0x94, 0, 1, 0xa4, 'p','u','l','l', 0x94, 1, 1, 0, 64 };
	/* [2, "erase", [bin 63]] */
	uint8_t erase[9 + 2 + 63] = { 0x93, 2, 0xa5, 'e','r','a','s','e', 0x91, 0xc4, 63 };
	size_t len;

	assert_int_equal(rpc_decode_request(&b, pull, sizeof pull), PERR_OK);
	pull[12] = 0;
	assert_int_equal(rpc_decode_request(&b, pull, sizeof pull), PERR_FORMAT);
	pull[12] = 65;
	assert_int_equal(rpc_decode_request(&b, pull, sizeof pull), PERR_FORMAT);
	assert_int_equal(rpc_decode_request(&b, erase, sizeof erase), PERR_FORMAT);

	/* five bytes that announce 2^28 items cost nothing */
	assert_int_equal(rpc_decode_request(&b, (const uint8_t *)"\xdd\x10\x00\x00\x00", 5),
	                 PERR_FORMAT);

	sample(&a, RPC_PULL, REQUEST);
	a.n = 65;
	assert_int_equal(rpc_encode(wire, &len, &a), PERR_RANGE);
	assert_int_equal(len, 0);
	sample(&a, RPC_COMMIT, ANSWER);
	a.bytes_len = RPC_STATUSES_MAX + 1;
	assert_int_equal(rpc_encode(wire, &len, &a), PERR_RANGE);
	sample(&a, RPC_PUT, NOTIFY_SERVER);
	a.cell = NULL;
	assert_int_equal(rpc_encode(wire, &len, &a), PERR_RANGE);
	sample(&a, RPC_SEGMENTS, ANSWER);
	a.n = 65;
	assert_int_equal(rpc_encode(wire, &len, &a), PERR_RANGE);
	sample(&a, RPC_PUT, NOTIFY_SERVER);
	a.type = RPC_REQUEST;
	assert_int_equal(rpc_encode(wire, &len, &a), PERR_RANGE);
	a.method = RPC_N_METHODS;
	assert_int_equal(rpc_encode(wire, &len, &a), PERR_RANGE);
}

static void rpc_errors_come_without_a_result(void **state)
{
	/* [1, 5, 4, nil], then error 0, error 10, an error with a result */
	uint8_t in[] = { 0x94, 1, 5, 4, 0xc0 };

	assert_int_equal(rpc_decode_response(&b, RPC_HELLO, in, sizeof in), PERR_OK);
	assert_int_equal(b.error, RPC_LATER);
	assert_int_equal(rpc_decode_response(&b, RPC_PUT, in, sizeof in), PERR_FORMAT);
	in[3] = 0;
	assert_int_equal(rpc_decode_response(&b, RPC_HELLO, in, sizeof in), PERR_FORMAT);
	in[3] = 10;
	assert_int_equal(rpc_decode_response(&b, RPC_HELLO, in, sizeof in), PERR_FORMAT);
	in[3] = 4;
	in[4] = 0x90;
	assert_int_equal(rpc_decode_response(&b, RPC_HELLO, in, sizeof in), PERR_FORMAT);
}

static void rpc_peek_tells_type_and_msgid(void **state)
{
	int m, d;
	size_t len;
	enum rpc_type type;
	uint32_t msgid;

	EACH(m, d) {
		sample(&a, (enum rpc_method)m, (enum dir)d);
		assert_int_equal(rpc_encode(wire, &len, &a), PERR_OK);
		assert_int_equal(rpc_peek(&type, &msgid, wire, len), PERR_OK);
		assert_int_equal(type, a.type);
		assert_int_equal(msgid, a.type == RPC_NOTIFY ? 0 : a.msgid);
		assert_int_equal(rpc_peek(&type, &msgid, wire, len - 1), PERR_FORMAT);
	}
}

/* the table of section 6, typed anew: g f c s u */
static void rpc_scopes_are_those_of_the_table(void **state)
{
	static const char *const rows[RPC_N_METHODS] = {
		[RPC_HELLO] = "gfcsu", [RPC_BULLETIN_GET] = "gfcs", [RPC_JOIN_PUT] = "g",
		[RPC_BOARD_GET] = "fc", [RPC_BOARD_PUT] = "c", [RPC_PUT] = "fc",
		[RPC_ERASE] = "c", [RPC_COMMIT] = "fc", [RPC_SEGMENTS] = "c",
		[RPC_PULL] = "c", [RPC_FETCH] = "c", [RPC_PEEK] = "c", [RPC_CELL] = "",
		[RPC_JOIN_LIST] = "s", [RPC_BULLETIN_PART] = "s",
		[RPC_BULLETIN_COMMIT] = "s", [RPC_POLICY_PUT] = "su", [RPC_RELEASE] = "s",
		[RPC_ERASE_VOID] = "s", [RPC_BOARD_CLEAR] = "s", [RPC_STATUS] = "s",
		[RPC_BYE] = "gfcsu"
	};
	static const char scopes[] = "gfcsu";
	int m, s;

	for (m = 0; m < RPC_N_METHODS; m++)
		for (s = 0; s < 5; s++)
			assert_int_equal(rpc_allowed((enum rpc_method)m, (enum rpc_scope)(s + 1)),
			                 strchr(rows[m], scopes[s]) != NULL);
	assert_false(rpc_allowed(RPC_HELLO, (enum rpc_scope)0));
	assert_false(rpc_allowed(RPC_HELLO, (enum rpc_scope)6));
	assert_false(rpc_allowed(RPC_N_METHODS, RPC_FIELD));
}

static void print_vectors(void)
{
	int m, d;
	size_t len, i;

	puts("# SPDX-License-Identifier: AGPL-3.0-or-later");
	puts("# One message a line: direction, method, bytes (PROTOCOL section 6).  Byte i of the");
	puts("# sample cell is (7i + i/251) mod 256; of other byte strings (13i + 5) mod 256.");
	EACH(m, d) {
		sample(&a, (enum rpc_method)m, (enum dir)d);
		if (rpc_encode(wire, &len, &a) != PERR_OK)
			abort();
		printf("%s %s ", dir_name[d], rpc_name((enum rpc_method)m));
		for (i = 0; i < len; i++)
			printf("%02x", wire[i]);
		puts("");
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rpc_every_message_survives_the_wire),
		cmocka_unit_test(rpc_matches_the_vectors),
		cmocka_unit_test(rpc_refuses_any_truncation_and_any_byte_behind),
		cmocka_unit_test(rpc_has_one_encoding_of_each_message),
		cmocka_unit_test(rpc_refuses_what_goes_the_other_way),
		cmocka_unit_test(rpc_tells_unknown_from_malformed),
		cmocka_unit_test(rpc_refuses_counts_out_of_bounds),
		cmocka_unit_test(rpc_errors_come_without_a_result),
		cmocka_unit_test(rpc_peek_tells_type_and_msgid),
		cmocka_unit_test(rpc_scopes_are_those_of_the_table),
	};

	if (sodium_init() < 0)
		return 1;
	fill();
	if (argc > 1 && strcmp(argv[1], "--print") == 0) {
		print_vectors();
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
