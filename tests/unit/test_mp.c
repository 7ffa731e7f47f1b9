/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "hex.h"

#include <malloc.h>
#include <stdlib.h>

#include "mp.h"

/*
 * The n-th allocation fails: ours, or one inside msgpack-c.  Only where malloc may be
 * replaced, that is not under a sanitizer, which replaces it already.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_MALLOC 0
#else
#define OWN_MALLOC 1
#endif
#else
#define OWN_MALLOC 1
#endif

#if OWN_MALLOC
extern void *__libc_malloc(size_t size);
static int fail_in = -1;

void *malloc(size_t size)
{
	if (fail_in >= 0 && fail_in-- == 0)
		return NULL;
	return __libc_malloc(size);
}
#endif

/* does the reader admit these bytes as one item? */
static enum perr admits(const uint8_t *p, size_t len)
{
	struct mp_reader r;

	mp_reader_init(&r, p, len);
	mp_skip(&r);
	return mp_finish(&r);
}

static enum perr admits_hex(const char *hex)
{
	uint8_t buf[256];
	size_t len = unhex(buf, sizeof buf, hex);
	/* an exact copy, so that ASan sees the first byte read behind it */
	uint8_t *p = malloc(len + 1);
	enum perr err;

	assert_non_null(p);
	memcpy(p, buf, len);
	err = admits(p, len);
	free(p);
	return err;
}

static void admits_what_the_specification_lists(void **state)
{
	static const char *const good[] = {
		"c0", "c2", "c3", "00", "7f", "cc80", "ccff", "cd0100", "cdffff", "ce00010000",
		"ceffffffff", "cf0000000100000000", "cfffffffffffffffff",
		"c400", "c40100", "a0", "a161", "90", "80", "9190", "8100c0", "820001cc8000",
		"92c0c0", "9f000102030405060708090a0b0c0d0e",
		"dc001000000000000000000000000000000000",
		"9191919191919190",                      /* eight deep */
		"a2c2a0", "a3e0a080", "a3efbfbf", "a4f0908080", "a4f48fbfbf", "a3ed9fbf",
		"a3ee8080",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		if (admits_hex(good[i]) != PERR_OK)
			fail_msg("refused %s", good[i]);
}

static void refuses_what_is_not_canonical(void **state)
{
	static const char *const bad[] = {
		/* longer than needed */
		"cc00", "cc7f", "cd0000", "cd00ff", "ce00000000", "ce0000ffff",
		"cf0000000000000000", "cf00000000ffffffff",
		"c50000", "c500ff", "c600000000", "c60000ffff",
		"d900", "d91f", "da0000", "da00ff", "db00000000", "db0000ffff",
		"dc0000", "dc000f", "dd00000000", "dd0000ffff", "de0000", "de000f",
		"df00000000", "df0000ffff",
		/* kinds that are not admitted: negative, float, ext, unused */
		"ff", "e0", "d080", "d1ff00", "d200000001", "d30000000000000001",
		"ca00000000", "cb0000000000000000", "c1",
		"c70000", "c8000000", "c90000000000", "d40000", "d5000000", "d600000000",
		/* keys: not rising, twice, not an unsigned integer */
		"8201c000c0", "8200c000c0", "81a161c0", "81c0c0", "81c4016100", "8190c0", "81ffc0",
		"81cc01c0",
		/* bytes behind, or nothing */
		"c0c0", "9000", "", "a16100",
		/* nine deep */
		"919191919191919190",
		/* not UTF-8, or with U+0000 */
		"a100", "a2c080", "a180", "a1ff", "a2c328", "a3e08080", "a3eda080", "a4f0808080",
		"a4f4908080", "a1c3", "a2e282", "a5f888808080", "a3610062",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (admits_hex(bad[i]) != PERR_FORMAT)
			fail_msg("admitted %s", bad[i]);
	assert_int_equal(admits(NULL, 0), PERR_FORMAT);
}

/* the non-minimal lengths again, with enough bytes behind that only the form is wrong */
static void refuses_long_forms_that_are_otherwise_whole(void **state)
{
	static const uint8_t heads[][5] = {
		{ 0xc5, 0x00, 0x10 }, { 0xc6, 0x00, 0x00, 0x00, 0x10 },
		{ 0xd9, 0x10 }, { 0xda, 0x00, 0x10 }, { 0xdb, 0x00, 0x00, 0x00, 0x10 },
		{ 0xdc, 0x00, 0x0f }, { 0xdd, 0x00, 0x00, 0x00, 0x0f },
	};
	static const size_t head_len[] = { 3, 5, 2, 3, 5, 3, 5 };
	static const size_t body[] = { 16, 16, 16, 16, 16, 15, 15 };
	uint8_t buf[32];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof head_len / sizeof head_len[0]; i++) {
		memset(buf, 'a', sizeof buf);
		memcpy(buf, heads[i], head_len[i]);
		assert_int_equal(admits(buf, head_len[i] + body[i]), PERR_FORMAT);
	}
}

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void a_lying_count_costs_nothing(void **state)
{
	static const char *const lies[] = {
		"dd10000000", "ddffffffff", "df10000000", "df7fffffff", "dfffffffff", "dcffff",
		"deffff", "c6ffffffff", "c5ffff", "c4ff", "dbffffffff", "daffff", "d9ff", "bf",
		"9f", "8f", "9fc0", "9192dd10000000c0", "8100dd10000000",
		"dd0001000000000000000000",
	};
	size_t i, before, after;
	struct mp_reader r;
	uint8_t buf[64];

	(void)state;
	for (i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		size_t len = unhex(buf, sizeof buf, lies[i]);

		before = in_use();
		mp_reader_init(&r, buf, len);
		after = in_use();
		assert_int_equal(r.err, PERR_FORMAT);
		assert_true(after <= before);
		assert_int_equal(mp_finish(&r), PERR_FORMAT);
	}
}

/* msgpack-c's objects are 24 bytes for one byte of input: the worst there is */
static void memory_is_bounded_by_the_input(void **state)
{
	static const size_t counts[] = { 100, 5000, 65536, 300000 };
	size_t i, worst = 0;

	(void)state;
	for (i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		size_t n = counts[i], len, before, cost;
		uint8_t *buf = malloc(n + 5);
		struct mp_writer w;
		struct mp_reader r;
		uint32_t k;

		assert_non_null(buf);
		mp_writer_init(&w, buf, n + 5);
		mp_put_array(&w, (uint32_t)n);
		for (k = 0; k < n; k++)
			mp_put_nil(&w);
		assert_int_equal(mp_written(&w, &len), PERR_OK);
		before = in_use();
		mp_reader_init(&r, buf, len);
		cost = in_use() - before;
		assert_int_equal(r.err, PERR_OK);
		assert_true(cost <= MP_COST * len);
		if (cost / len > worst)
			worst = cost / len;
		mp_skip(&r);
		assert_int_equal(mp_finish(&r), PERR_OK);
		free(buf);
	}
	printf("figure: mp allocates at most %zu bytes for each byte read (limit %d)\n", worst,
	       MP_COST);
}

/* one of everything, nested */
static size_t sample(uint8_t *buf, size_t size)
{
	struct mp_writer w;
	size_t len;

	mp_writer_init(&w, buf, size);
	mp_put_array(&w, 8);
	mp_put_uint(&w, 300);
	mp_put_bool(&w, true);
	mp_put_nil(&w);
	mp_put_bin(&w, (const uint8_t *)"\x00\x01\x02", 3);
	mp_put_str(&w, "Q\xca\xbc" "anjob\xca\xbc" "al");
	mp_put_map(&w, 2);
	mp_put_key(&w, 1);
	mp_put_array(&w, 2);
	mp_put_uint(&w, 0);
	mp_put_uint(&w, UINT64_MAX);
	mp_put_key(&w, 200);
	mp_put_map(&w, 0);
	mp_put_array(&w, 0);
	mp_put_uint(&w, 7);
	assert_int_equal(mp_written(&w, &len), PERR_OK);
	return len;
}

static void sample_read(struct mp_reader *r)
{
	size_t len;

	mp_array(r, 8);
	mp_uint(r, 300);
	mp_bool(r);
	mp_nil(r);
	mp_bin(r, 3);
	mp_str(r, 1, 40, &len);
	mp_map(r, 2);
	mp_key(r);
	mp_array(r, 2);
	mp_uint(r, 0);
	mp_uint(r, UINT64_MAX);
	mp_key(r);
	mp_map(r, 0);
	mp_array(r, 0);
	mp_uint(r, 7);
}

static void what_was_written_reads_back(void **state)
{
	struct mp_reader r;
	uint8_t buf[128];
	const uint8_t *bin;
	const char *s;
	size_t len = sample(buf, sizeof buf), n;

	(void)state;
	assert_hex(buf, len, "98cd012cc3c0c403000102ac51cabc616e6a6f62cabc616c"
	                     "82019200cfffffffffffffffffccc8809007");
	mp_reader_init(&r, buf, len);
	mp_array(&r, 8);
	assert_int_equal(mp_uint(&r, 300), 300);
	assert_true(mp_bool(&r));
	assert_true(mp_nil(&r));
	bin = mp_bin_var(&r, 0, 9, &n);
	assert_int_equal(n, 3);
	assert_true(bin >= buf && bin + 3 <= buf + len);
	s = mp_str(&r, 1, 12, &n);
	assert_int_equal(n, 12);
	assert_memory_equal(s, "Q\xca\xbc" "anjob\xca\xbc" "al", 12);
	assert_int_equal(mp_map(&r, 2), 2);
	assert_int_equal(mp_key(&r), 1);
	assert_int_equal(mp_array_var(&r, 0, 5), 2);
	assert_int_equal(mp_uint(&r, 9), 0);
	assert_true(mp_uint(&r, UINT64_MAX) == UINT64_MAX);
	assert_int_equal(mp_key(&r), 200);
	assert_int_equal(mp_map(&r, 5), 0);
	assert_int_equal(mp_array_var(&r, 0, 5), 0);
	assert_int_equal(mp_uint(&r, 7), 7);
	assert_int_equal(mp_finish(&r), PERR_OK);
	assert_int_equal(mp_finish(&r), PERR_OK);
}

static void copies_and_bools_come_back(void **state)
{
	struct mp_writer w;
	struct mp_reader r;
	uint8_t buf[32], bin[3] = { 9, 9, 9 };
	char text[6];
	size_t len;

	(void)state;
	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 4);
	mp_put_bool(&w, false);
	mp_put_bin(&w, (const uint8_t *)"abc", 3);
	mp_put_str(&w, "hello");
	mp_put_bin(&w, NULL, 0);
	assert_int_equal(mp_written(&w, &len), PERR_OK);
	assert_hex(buf, len, "94c2c403616263a568656c6c6fc400");
	mp_reader_init(&r, buf, len);
	mp_array(&r, 4);
	assert_false(mp_bool(&r));
	mp_bin_copy(&r, bin, 3);
	mp_str_copy(&r, text, sizeof text, 1);
	mp_bin_copy(&r, NULL, 0);
	assert_int_equal(mp_finish(&r), PERR_OK);
	assert_memory_equal(bin, "abc", 3);
	assert_string_equal(text, "hello");
}

static void truncation_at_every_byte_is_refused(void **state)
{
	uint8_t buf[128], *cut;
	size_t len = sample(buf, sizeof buf), n;

	(void)state;
	for (n = 0; n < len; n++) {
		cut = malloc(n + 1);
		assert_non_null(cut);
		memcpy(cut, buf, n);
		assert_int_equal(admits(cut, n), PERR_FORMAT);
		free(cut);
	}
	assert_int_equal(admits(buf, len), PERR_OK);
}

/* whatever a flipped bit makes of it, it is refused or is canonical: never a second spelling */
static void a_flipped_bit_is_another_message_or_none(void **state)
{
	uint8_t buf[128];
	size_t len = sample(buf, sizeof buf), bit, same = 0;
	struct mp_reader r;

	(void)state;
	for (bit = 0; bit < 8 * len; bit++) {
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		mp_reader_init(&r, buf, len);
		sample_read(&r);
		if (mp_finish(&r) == PERR_OK)
			same++;
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* bits of the numbers (in range), of the bin, of ASCII letters, of the bool */
	assert_true(same > 0 && same < 8 * len);
}

static void first_error_stays_and_later_answers_are_harmless(void **state)
{
	uint8_t buf[128], out[4] = { 9, 9, 9, 9 };
	char text[4] = "xyz";
	size_t len = sample(buf, sizeof buf), n = 77;
	struct mp_reader r;

	(void)state;
	mp_reader_init(&r, buf, len);
	mp_array(&r, 8);
	mp_fail(&r, PERR_SIGS);
	mp_fail(&r, PERR_OLD);
	assert_int_equal(mp_uint(&r, UINT64_MAX), 0);
	assert_false(mp_bool(&r));
	assert_false(mp_nil(&r));
	assert_null(mp_bin(&r, 3));
	assert_null(mp_bin_var(&r, 0, 9, &n));
	assert_int_equal(n, 0);
	n = 77;
	assert_null(mp_str(&r, 0, 99, &n));
	assert_int_equal(n, 0);
	mp_str_copy(&r, text, sizeof text, 0);
	assert_string_equal(text, "");
	mp_bin_copy(&r, out, 4);
	assert_zero(out, 4);
	assert_int_equal(mp_array_var(&r, 0, 99), 0);
	assert_int_equal(mp_map(&r, 99), 0);
	assert_int_equal(mp_key(&r), 0);
	mp_skip(&r);
	assert_int_equal(mp_finish(&r), PERR_SIGS);
	assert_int_equal(mp_finish(&r), PERR_SIGS);
}

static enum perr read_as(const char *hex, void (*read)(struct mp_reader *))
{
	uint8_t buf[64];
	size_t len = unhex(buf, sizeof buf, hex);
	struct mp_reader r;

	mp_reader_init(&r, buf, len);
	read(&r);
	return mp_finish(&r);
}

static void pair_of_ints(struct mp_reader *r) { mp_array(r, 2); mp_uint(r, 9); mp_uint(r, 9); }
static void three_ints(struct mp_reader *r) { pair_of_ints(r); mp_uint(r, 9); }
static void one_of_two(struct mp_reader *r) { mp_array(r, 2); mp_uint(r, 9); }
static void nothing(struct mp_reader *r) { (void)r; }
static void key_of_array(struct mp_reader *r) { mp_array(r, 1); mp_key(r); mp_uint(r, 9); }
static void value_without_key(struct mp_reader *r) { mp_map(r, 1); mp_uint(r, 9); }
static void key_twice(struct mp_reader *r) { mp_map(r, 2); mp_key(r); mp_key(r); }
static void value_left(struct mp_reader *r) { mp_map(r, 1); mp_key(r); }
static void short_str(struct mp_reader *r) { char t[3]; mp_str_copy(r, t, sizeof t, 1); }
static void two_bytes(struct mp_reader *r) { mp_bin(r, 2); }
static void any_map(struct mp_reader *r) { mp_map(r, 1); }
static void nested(struct mp_reader *r)
{
	mp_array(r, 2);
	mp_array(r, 1);
	mp_array(r, 1);
	mp_uint(r, 9);
	mp_uint(r, 9);
}

static void counts_types_and_ranges_are_checked(void **state)
{
	(void)state;
	assert_int_equal(read_as("920102", pair_of_ints), PERR_OK);
	assert_int_equal(read_as("9101", pair_of_ints), PERR_FORMAT);
	assert_int_equal(read_as("93010203", pair_of_ints), PERR_FORMAT);
	assert_int_equal(read_as("92010a", pair_of_ints), PERR_FORMAT);
	assert_int_equal(read_as("9201c0", pair_of_ints), PERR_FORMAT);
	assert_int_equal(read_as("820102", pair_of_ints), PERR_FORMAT);
	assert_int_equal(read_as("920102", three_ints), PERR_FORMAT);
	assert_int_equal(read_as("920102", one_of_two), PERR_FORMAT);
	assert_int_equal(read_as("920102", nothing), PERR_FORMAT);
	assert_int_equal(read_as("9101", key_of_array), PERR_FORMAT);
	assert_int_equal(read_as("810101", value_without_key), PERR_FORMAT);
	assert_int_equal(read_as("8201010202", key_twice), PERR_FORMAT);
	assert_int_equal(read_as("810101", value_left), PERR_FORMAT);
	assert_int_equal(read_as("a26162", short_str), PERR_OK);
	assert_int_equal(read_as("a3616263", short_str), PERR_FORMAT);
	assert_int_equal(read_as("a0", short_str), PERR_FORMAT);
	assert_int_equal(read_as("c4026162", short_str), PERR_FORMAT);
	assert_int_equal(read_as("c4026162", two_bytes), PERR_OK);
	assert_int_equal(read_as("a26162", two_bytes), PERR_FORMAT);
	assert_int_equal(read_as("c40161", two_bytes), PERR_FORMAT);
	assert_int_equal(read_as("c403616263", two_bytes), PERR_FORMAT);
	assert_int_equal(read_as("820102ccc803", any_map), PERR_FORMAT);
	assert_int_equal(read_as("9291910102", nested), PERR_OK);
	assert_int_equal(read_as("9291920102", nested), PERR_FORMAT);
}

static void nil_is_asked_for_without_harm(void **state)
{
	static const uint8_t buf[] = { 0x92, 0xc0, 0x05 };
	struct mp_reader r;

	(void)state;
	mp_reader_init(&r, buf, sizeof buf);
	mp_array(&r, 2);
	assert_true(mp_nil(&r));
	assert_false(mp_nil(&r));
	assert_int_equal(mp_uint(&r, 9), 5);
	assert_false(mp_nil(&r));
	assert_int_equal(mp_finish(&r), PERR_OK);
}

static void skip_takes_a_whole_tree(void **state)
{
	uint8_t buf[] = { 0x92, 0x92, 0x01, 0x81, 0x01, 0x90, 0x05 };
	struct mp_reader r;

	(void)state;
	mp_reader_init(&r, buf, sizeof buf);
	mp_array(&r, 2);
	mp_skip(&r);
	assert_int_equal(mp_uint(&r, 9), 5);
	mp_skip(&r);
	assert_int_equal(mp_finish(&r), PERR_FORMAT);
}

static void an_empty_string_is_not_an_error(void **state)
{
	static const uint8_t buf[] = { 0x92, 0xa0, 0xc4, 0x00 };
	struct mp_reader r;
	size_t len;

	(void)state;
	mp_reader_init(&r, buf, sizeof buf);
	mp_array(&r, 2);
	assert_non_null(mp_str(&r, 0, 5, &len));
	assert_non_null(mp_bin_var(&r, 0, 5, &len));
	assert_int_equal(mp_finish(&r), PERR_OK);
}

#if OWN_MALLOC
static void every_failing_allocation_is_reported_and_leaves_nothing(void **state)
{
	uint8_t buf[128];
	size_t len = sample(buf, sizeof buf), before = in_use();
	enum perr err;
	int n = 0;

	(void)state;
	do {
		fail_in = n;
		err = admits(buf, len);
		fail_in = -1;
		assert_true(err == PERR_NOMEM || err == PERR_OK);
		assert_int_equal(in_use(), before);
		n++;
	} while (err != PERR_OK);
	assert_true(n > 1);
	printf("figure: mp reader: %d of %d allocations failed in turn, all reported\n", n - 1,
	       n - 1);
}
#endif

static void a_big_bin_is_borrowed_not_copied(void **state)
{
	static uint8_t cell[4080], buf[4174];
	struct mp_writer w;
	struct mp_reader r;
	const uint8_t *p;
	size_t len, before, n;

	(void)state;
	memset(cell, 0xa5, sizeof cell);
	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 3);
	mp_put_uint(&w, 2);
	mp_put_str(&w, "put");
	mp_put_array(&w, 1);
	mp_put_bin(&w, cell, sizeof cell);
	assert_int_equal(mp_written(&w, &len), PERR_OK);
	assert_int_equal(len, 4090);
	before = in_use();
	mp_reader_init(&r, buf, len);
	assert_true(in_use() - before < 1024);
	mp_array(&r, 3);
	mp_uint(&r, 2);
	mp_str(&r, 3, 3, &n);
	mp_array(&r, 1);
	p = mp_bin(&r, sizeof cell);
	assert_true(p == buf + len - sizeof cell);
	assert_int_equal(mp_finish(&r), PERR_OK);
}

static void writer_uses_the_shortest_form(void **state)
{
	static const struct {
		uint64_t v;
		const char *hex;
	} ints[] = {
		{ 0, "00" }, { 127, "7f" }, { 128, "cc80" }, { 255, "ccff" }, { 256, "cd0100" },
		{ 65535, "cdffff" }, { 65536, "ce00010000" }, { UINT32_MAX, "ceffffffff" },
		{ (uint64_t)UINT32_MAX + 1, "cf0000000100000000" },
	};
	static const size_t lens[] = { 0, 1, 31, 32, 255, 256, 65535, 65536 };
	static uint8_t buf[70000], body[65536];
	static char str[65537];
	struct mp_writer w;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof ints / sizeof ints[0]; i++) {
		mp_writer_init(&w, buf, sizeof buf);
		mp_put_uint(&w, ints[i].v);
		assert_int_equal(mp_written(&w, &len), PERR_OK);
		assert_hex(buf, len, ints[i].hex);
	}
	memset(str, 'a', sizeof str - 1);
	for (i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		mp_writer_init(&w, buf, sizeof buf);
		mp_put_bin(&w, body, lens[i]);
		assert_int_equal(mp_written(&w, &len), PERR_OK);
		assert_int_equal(admits(buf, len), PERR_OK);
		mp_writer_init(&w, buf, sizeof buf);
		mp_put_strn(&w, str, lens[i]);
		assert_int_equal(mp_written(&w, &len), PERR_OK);
		assert_int_equal(admits(buf, len), PERR_OK);
	}
}

static void writer_stays_inside_every_buffer_size(void **state)
{
	uint8_t whole[128];
	size_t full = sample(whole, sizeof whole), size, len;

	(void)state;
	for (size = 0; size < full; size++) {
		uint8_t *buf = malloc(size + 1);
		struct mp_writer w;

		assert_non_null(buf);
		buf[size] = 0xee;
		mp_writer_init(&w, buf, size);
		mp_put_array(&w, 2);
		mp_put_bin(&w, whole, full);
		mp_put_str(&w, "more");
		len = 9;
		assert_int_equal(mp_written(&w, &len), PERR_RANGE);
		assert_int_equal(len, 0);
		assert_int_equal(buf[size], 0xee);
		free(buf);
	}
}

static void writer_refuses_text_that_no_reader_admits(void **state)
{
	static const char *const bad[] = { "\xff", "\xc3", "\xed\xa0\x80", "a\xc0\x80" };
	struct mp_writer w;
	uint8_t buf[32];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		mp_writer_init(&w, buf, sizeof buf);
		mp_put_str(&w, bad[i]);
		assert_int_equal(mp_written(&w, &len), PERR_FORMAT);
	}
	mp_writer_init(&w, buf, sizeof buf);
	mp_put_strn(&w, "a\0b", 3);
	assert_int_equal(mp_written(&w, &len), PERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admits_what_the_specification_lists),
		cmocka_unit_test(refuses_what_is_not_canonical),
		cmocka_unit_test(refuses_long_forms_that_are_otherwise_whole),
		cmocka_unit_test(a_lying_count_costs_nothing),
		cmocka_unit_test(memory_is_bounded_by_the_input),
		cmocka_unit_test(what_was_written_reads_back),
		cmocka_unit_test(copies_and_bools_come_back),
		cmocka_unit_test(truncation_at_every_byte_is_refused),
		cmocka_unit_test(a_flipped_bit_is_another_message_or_none),
		cmocka_unit_test(first_error_stays_and_later_answers_are_harmless),
		cmocka_unit_test(counts_types_and_ranges_are_checked),
		cmocka_unit_test(nil_is_asked_for_without_harm),
		cmocka_unit_test(skip_takes_a_whole_tree),
		cmocka_unit_test(an_empty_string_is_not_an_error),
#if OWN_MALLOC
		cmocka_unit_test(every_failing_allocation_is_reported_and_leaves_nothing),
#endif
		cmocka_unit_test(a_big_bin_is_borrowed_not_copied),
		cmocka_unit_test(writer_uses_the_shortest_form),
		cmocka_unit_test(writer_stays_inside_every_buffer_size),
		cmocka_unit_test(writer_refuses_text_that_no_reader_admits),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests_name("mp", tests, NULL, NULL);
}
