/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "rpc.h"

#include <string.h>

#include "mp.h"

/*
 * What can stand at a place of params or result.  One list for both directions: put_field
 * and get_field each have a case for it, and the compiler finds a forgotten one.
 */
enum field {
	F_END = 0,
	F_DAY, F_RELEASE, F_FROM, F_TOTAL, F_OFFSET, F_STATUS,
	F_N64,                   /* n, 1..64: asked */
	F_N,                     /* n, any: counted */
	F_HASH, F_DIGEST, F_TICKET,
	F_CELL, F_CELL_OR_NIL, F_DS_OR_NIL,
	F_PART_GET,              /* bytes, 0..4096 */
	F_PART_PUT,              /* bytes, 1..4000 */
	F_STATUSES,              /* bytes, 0..4096 */
	F_POSITIONS,             /* bytes, 4 each, 1..64 of them */
	F_ERASES,                /* bytes, 64 each, 1..64 of them */
	F_HEADS,                 /* bytes, 64 each, 0..64 of them */
	F_ORDER,                 /* bytes, 1..4096 */
	F_PULL_ID                /* msgid of the pull that a cell answers */
};

#define SHAPE_MAX 6

/* results that are not a plain list of fields */
enum special { PLAIN = 0, HELLO_RESULT, SEGMENTS_RESULT, STATUS_RESULT };

#define G (1u << RPC_GUEST)
#define F (1u << RPC_FIELD)
#define C (1u << RPC_COUNSEL)
#define S (1u << RPC_STEWARD)
#define U (1u << RPC_SETUP)

static const struct entry {
	const char *name;
	enum rpc_type type;              /* of what asks: request or notification */
	unsigned scopes;                 /* who may send it to a server */
	bool to_client;                  /* a notification that a client receives */
	enum field params[SHAPE_MAX];
	enum field result[SHAPE_MAX];
	enum special special;
} table[RPC_N_METHODS] = {
	[RPC_HELLO] = { "hello", RPC_REQUEST, G | F | C | S | U, false,
		{ F_END }, { F_END }, HELLO_RESULT },
	[RPC_BULLETIN_GET] = { "bulletin.get", RPC_REQUEST, G | F | C | S, false,
		{ F_HASH, F_OFFSET }, { F_TOTAL, F_PART_GET }, PLAIN },
	[RPC_JOIN_PUT] = { "join.put", RPC_REQUEST, G, false,
		{ F_TICKET, F_CELL }, { F_STATUS }, PLAIN },
	[RPC_BOARD_GET] = { "board.get", RPC_REQUEST, F | C, false,
		{ F_FROM }, { F_N, F_DIGEST, F_CELL_OR_NIL }, PLAIN },
	[RPC_BOARD_PUT] = { "board.put", RPC_REQUEST, C, false,
		{ F_CELL, F_DS_OR_NIL }, { F_STATUS }, PLAIN },
	[RPC_PUT] = { "put", RPC_NOTIFY, F | C, false,
		{ F_CELL }, { F_END }, PLAIN },
	[RPC_ERASE] = { "erase", RPC_NOTIFY, C, false,
		{ F_ERASES }, { F_END }, PLAIN },
	[RPC_COMMIT] = { "commit", RPC_REQUEST, F | C, false,
		{ F_END }, { F_STATUSES }, PLAIN },
	[RPC_SEGMENTS] = { "segments", RPC_REQUEST, C, false,
		{ F_DAY, F_RELEASE, F_N64 }, { F_END }, SEGMENTS_RESULT },
	[RPC_PULL] = { "pull", RPC_REQUEST, C, false,
		{ F_DAY, F_RELEASE, F_FROM, F_N64 }, { F_N }, PLAIN },
	[RPC_FETCH] = { "fetch", RPC_REQUEST, C, false,
		{ F_DAY, F_RELEASE, F_POSITIONS }, { F_N }, PLAIN },
	[RPC_PEEK] = { "peek", RPC_REQUEST, C, false,
		{ F_DAY, F_RELEASE, F_FROM }, { F_HEADS }, PLAIN },
	[RPC_CELL] = { "cell", RPC_NOTIFY, 0, true,
		{ F_PULL_ID, F_CELL }, { F_END }, PLAIN },
	[RPC_JOIN_LIST] = { "join.list", RPC_REQUEST, S, false,
		{ F_FROM }, { F_N, F_CELL_OR_NIL }, PLAIN },
	[RPC_BULLETIN_PART] = { "bulletin.part", RPC_REQUEST, S, false,
		{ F_HASH, F_TOTAL, F_OFFSET, F_PART_PUT }, { F_TOTAL }, PLAIN },
	[RPC_BULLETIN_COMMIT] = { "bulletin.commit", RPC_REQUEST, S, false,
		{ F_HASH, F_DIGEST }, { F_STATUS }, PLAIN },
	[RPC_POLICY_PUT] = { "policy.put", RPC_REQUEST, S | U, false,
		{ F_TOTAL, F_OFFSET, F_PART_PUT }, { F_TOTAL }, PLAIN },
	[RPC_RELEASE] = { "release", RPC_REQUEST, S, false,
		{ F_ORDER }, { F_DAY, F_RELEASE, F_N }, PLAIN },
	[RPC_ERASE_VOID] = { "erase.void", RPC_REQUEST, S, false,
		{ F_ORDER }, { F_N }, PLAIN },
	[RPC_BOARD_CLEAR] = { "board.clear", RPC_REQUEST, S, false,
		{ F_ORDER }, { F_N }, PLAIN },
	[RPC_STATUS] = { "status", RPC_REQUEST, S, false,
		{ F_END }, { F_END }, STATUS_RESULT },
	[RPC_BYE] = { "bye", RPC_NOTIFY, G | F | C | S | U, true,
		{ F_END }, { F_END }, PLAIN },
};

#undef G
#undef F
#undef C
#undef S
#undef U

#define NAME_MAX_LEN 16
#define TICKET_SIZE  16
#define ORDER_MAX    4096

const char *rpc_name(enum rpc_method m)
{
	return (unsigned)m < RPC_N_METHODS ? table[m].name : "?";
}

bool rpc_allowed(enum rpc_method m, enum rpc_scope scope)
{
	if ((unsigned)m >= RPC_N_METHODS || scope < RPC_GUEST || scope > RPC_SETUP)
		return false;
	return (table[m].scopes >> scope & 1u) != 0;
}

static unsigned shape_len(const enum field *shape)
{
	unsigned n = 0;

	while (n < SHAPE_MAX && shape[n] != F_END)
		n++;
	return n;
}

/* bounds of the fields that are `bytes` */
struct bounds {
	size_t min, max, unit;
};

static struct bounds bounds_of(enum field f)
{
	switch (f) {
	case F_PART_GET:  return (struct bounds){ 0, RPC_PART_GET, 1 };
	case F_PART_PUT:  return (struct bounds){ 1, RPC_PART_PUT, 1 };
	case F_STATUSES:  return (struct bounds){ 0, RPC_STATUSES_MAX, 1 };
	case F_POSITIONS: return (struct bounds){ 4, 4 * RPC_BATCH, 4 };
	case F_ERASES:    return (struct bounds){ 64, 64 * RPC_BATCH, 64 };
	case F_HEADS:     return (struct bounds){ 0, CELL_HEAD_SIZE * RPC_BATCH,
	                                          CELL_HEAD_SIZE };
	case F_ORDER:     return (struct bounds){ 1, ORDER_MAX, 1 };
	case F_END: case F_DAY: case F_RELEASE: case F_FROM: case F_TOTAL: case F_OFFSET:
	case F_STATUS: case F_N64: case F_N: case F_HASH: case F_DIGEST: case F_TICKET:
	case F_CELL: case F_CELL_OR_NIL: case F_DS_OR_NIL: case F_PULL_ID:
		break;
	}
	return (struct bounds){ 1, 0, 1 };       /* admits nothing */
}

/* ---- decode ------------------------------------------------------------------------------ */

static uint32_t get_u32(struct mp_reader *r)
{
	return (uint32_t)mp_uint(r, UINT32_MAX);
}

static void get_bytes(struct mp_reader *r, struct rpc_msg *m, enum field f)
{
	struct bounds b = bounds_of(f);

	m->bytes = mp_bin_var(r, b.min, b.max, &m->bytes_len);
	if (m->bytes_len % b.unit != 0)
		mp_fail(r, PERR_FORMAT);
}

static void get_field(struct mp_reader *r, struct rpc_msg *m, enum field f)
{
	switch (f) {
	case F_DAY:      m->day = get_u32(r); return;
	case F_RELEASE:  m->release = get_u32(r); return;
	case F_FROM:     m->from = get_u32(r); return;
	case F_TOTAL:    m->total = get_u32(r); return;
	case F_OFFSET:   m->offset = get_u32(r); return;
	case F_STATUS:   m->status = (uint8_t)mp_uint(r, RPC_NOT_KNOWN); return;
	case F_N64:
		m->n = (uint32_t)mp_uint(r, RPC_BATCH);
		if (m->n == 0)
			mp_fail(r, PERR_FORMAT);
		return;
	case F_N:        m->n = get_u32(r); return;
	case F_HASH:     mp_bin_copy(r, m->hash, sizeof m->hash); return;
	case F_DIGEST:   mp_bin_copy(r, m->digest, sizeof m->digest); return;
	case F_TICKET:   m->ticket = mp_bin(r, TICKET_SIZE); return;
	case F_CELL:     m->cell = mp_bin(r, CELL_SIZE); return;
	case F_CELL_OR_NIL:
		m->cell = mp_nil(r) ? NULL : mp_bin(r, CELL_SIZE);
		return;
	case F_DS_OR_NIL:
		m->ds = mp_nil(r) ? NULL : mp_bin(r, CELL_DS_SIZE);
		return;
	case F_PULL_ID:  m->msgid = get_u32(r); return;
	case F_PART_GET: case F_PART_PUT: case F_STATUSES: case F_POSITIONS:
	case F_ERASES: case F_HEADS: case F_ORDER:
		get_bytes(r, m, f);
		return;
	case F_END:
		return;
	}
}

static void get_shape(struct mp_reader *r, struct rpc_msg *m, const enum field *shape)
{
	unsigned i, n = shape_len(shape);

	mp_array(r, n);
	for (i = 0; i < n; i++)
		get_field(r, m, shape[i]);
}

static void get_hello(struct mp_reader *r, struct rpc_msg *m)
{
	mp_array(r, 9);
	if (mp_uint(r, 1) != 1)
		mp_fail(r, PERR_FORMAT);
	m->hello.day = get_u32(r);
	m->hello.bulletin_version = get_u32(r);
	mp_bin_copy(r, m->hello.header_hash, sizeof m->hello.header_hash);
	mp_bin_copy(r, m->hello.board_digest, sizeof m->hello.board_digest);
	if (!mp_nil(r)) {
		m->hello.has_newest = true;
		mp_array(r, 2);
		m->hello.newest_day = get_u32(r);
		m->hello.newest_release = get_u32(r);
	}
	m->hello.counter = get_u32(r);
	m->hello.puts_per_commit = get_u32(r);
	m->hello.policy_version = get_u32(r);
}

static void get_segments(struct mp_reader *r, struct rpc_msg *m)
{
	uint32_t i;

	m->n = mp_array_var(r, 0, RPC_BATCH);
	for (i = 0; i < m->n; i++) {
		struct rpc_segment *sg = &m->segments[i];

		mp_array(r, 4);
		sg->day = get_u32(r);
		sg->release = get_u32(r);
		sg->count = get_u32(r);
		mp_bin_copy(r, sg->digest, sizeof sg->digest);
	}
}

static void get_status(struct mp_reader *r, struct rpc_msg *m)
{
	mp_array(r, 15);
	m->st.day = get_u32(r);
	m->st.cells_waiting = get_u32(r);
	m->st.cells_released = get_u32(r);
	m->st.segments = get_u32(r);
	m->st.board = get_u32(r);
	m->st.joins = get_u32(r);
	m->st.erasures = get_u32(r);
	m->st.erase_day = get_u32(r);
	m->st.free_mib = get_u32(r);
	m->st.reserve_mib = get_u32(r);
	m->st.refused = get_u32(r);
	m->st.refused_full = get_u32(r);
	m->st.alerts = get_u32(r);
	m->st.frozen = mp_bool(r);
	m->st.full = mp_bool(r);
}

static void get_result(struct mp_reader *r, struct rpc_msg *m)
{
	switch (table[m->method].special) {
	case PLAIN:           get_shape(r, m, table[m->method].result); return;
	case HELLO_RESULT:    get_hello(r, m); return;
	case SEGMENTS_RESULT: get_segments(r, m); return;
	case STATUS_RESULT:   get_status(r, m); return;
	}
}

/* all but the 64 segments, which are valid only up to n: 3 KiB a message spared */
static void clear(struct rpc_msg *m)
{
	memset(m, 0, offsetof(struct rpc_msg, segments));
	memset(&m->st, 0, sizeof m->st);
}

/* nothing of a refused message is left for a careless caller */
static enum perr finish(struct mp_reader *r, struct rpc_msg *m)
{
	enum perr err = mp_finish(r);

	if (err != PERR_OK)
		clear(m);
	return err;
}

static bool find(enum rpc_method *out, const char *name, size_t len)
{
	int i;

	for (i = 0; i < RPC_N_METHODS; i++) {
		if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0) {
			*out = (enum rpc_method)i;
			return true;
		}
	}
	return false;
}

/* from the method's name on; to_client: which of the two directions */
static enum perr get_call(struct mp_reader *r, struct rpc_msg *m, bool to_client)
{
	size_t len;
	const char *name = mp_str(r, 1, NAME_MAX_LEN, &len);
	const struct entry *e;
	enum perr err;

	if (name == NULL)
		return finish(r, m);
	if (!find(&m->method, name, len)) {
		mp_skip(r);              /* the shape of what is unknown is unknown too */
		err = finish(r, m);
		return err == PERR_OK ? PERR_UNKNOWN : err;
	}
	e = &table[m->method];
	if (e->type != m->type || (to_client ? !e->to_client : e->scopes == 0))
		mp_fail(r, PERR_FORMAT);
	get_shape(r, m, e->params);
	return finish(r, m);
}

enum perr rpc_decode_request(struct rpc_msg *m, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	uint32_t n;

	clear(m);
	mp_reader_init(&r, in, in_len);
	n = mp_array_var(&r, 3, 4);
	m->type = (enum rpc_type)mp_uint(&r, RPC_NOTIFY);
	if (n == 4 && m->type == RPC_REQUEST)
		m->msgid = get_u32(&r);
	else if (n != 3 || m->type != RPC_NOTIFY)
		mp_fail(&r, PERR_FORMAT);
	return get_call(&r, m, false);
}

enum perr rpc_decode_notify(struct rpc_msg *m, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;

	clear(m);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 3);
	m->type = (enum rpc_type)mp_uint(&r, RPC_NOTIFY);
	if (m->type != RPC_NOTIFY)
		mp_fail(&r, PERR_FORMAT);
	return get_call(&r, m, true);
}

enum perr rpc_peek(enum rpc_type *type, uint32_t *msgid, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;
	uint32_t n;

	mp_reader_init(&r, in, in_len);
	n = mp_array_var(&r, 3, 4);
	*type = (enum rpc_type)mp_uint(&r, RPC_NOTIFY);
	*msgid = 0;
	if (*type == RPC_NOTIFY ? n != 3 : n != 4)
		mp_fail(&r, PERR_FORMAT);
	if (*type != RPC_NOTIFY)
		*msgid = get_u32(&r);
	mp_skip(&r);
	mp_skip(&r);
	err = mp_finish(&r);
	if (err != PERR_OK) {
		*type = RPC_NOTIFY;
		*msgid = 0;
	}
	return err;
}

enum perr rpc_decode_response(struct rpc_msg *m, enum rpc_method asked,
                              const uint8_t *in, size_t in_len)
{
	struct mp_reader r;

	clear(m);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 4);
	m->type = (enum rpc_type)mp_uint(&r, RPC_NOTIFY);
	m->method = asked;
	if (m->type != RPC_RESPONSE || (unsigned)asked >= RPC_N_METHODS ||
	    table[asked].type != RPC_REQUEST) {
		mp_fail(&r, PERR_FORMAT);
		return finish(&r, m);
	}
	m->msgid = get_u32(&r);
	if (mp_nil(&r)) {
		get_result(&r, m);
		return finish(&r, m);
	}
	m->error = (enum rpc_error)mp_uint(&r, RPC_DAMAGED);
	/* PROTOCOL 6: "With an error, result is nil."  No error is nil, never 0 */
	if (m->error == RPC_OK || !mp_nil(&r))
		mp_fail(&r, PERR_FORMAT);
	return finish(&r, m);
}

/* ---- encode ------------------------------------------------------------------------------ */

static void put_range(struct mp_writer *w)
{
	if (w->err == PERR_OK)
		w->err = PERR_RANGE;
}

static void put_fixed(struct mp_writer *w, const uint8_t *p, size_t len)
{
	if (p == NULL)
		put_range(w);
	else
		mp_put_bin(w, p, len);
}

static void put_optional(struct mp_writer *w, const uint8_t *p, size_t len)
{
	if (p == NULL)
		mp_put_nil(w);
	else
		mp_put_bin(w, p, len);
}

static void put_bytes(struct mp_writer *w, const struct rpc_msg *m, enum field f)
{
	struct bounds b = bounds_of(f);

	if (m->bytes_len < b.min || m->bytes_len > b.max || m->bytes_len % b.unit != 0 ||
	    (m->bytes == NULL && m->bytes_len > 0))
		put_range(w);
	else
		mp_put_bin(w, m->bytes, m->bytes_len);
}

static void put_field(struct mp_writer *w, const struct rpc_msg *m, enum field f)
{
	switch (f) {
	case F_DAY:      mp_put_uint(w, m->day); return;
	case F_RELEASE:  mp_put_uint(w, m->release); return;
	case F_FROM:     mp_put_uint(w, m->from); return;
	case F_TOTAL:    mp_put_uint(w, m->total); return;
	case F_OFFSET:   mp_put_uint(w, m->offset); return;
	case F_STATUS:
		if (m->status > RPC_NOT_KNOWN)
			put_range(w);
		mp_put_uint(w, m->status);
		return;
	case F_N64:
		if (m->n < 1 || m->n > RPC_BATCH)
			put_range(w);
		mp_put_uint(w, m->n);
		return;
	case F_N:        mp_put_uint(w, m->n); return;
	case F_HASH:     mp_put_bin(w, m->hash, sizeof m->hash); return;
	case F_DIGEST:   mp_put_bin(w, m->digest, sizeof m->digest); return;
	case F_TICKET:   put_fixed(w, m->ticket, TICKET_SIZE); return;
	case F_CELL:     put_fixed(w, m->cell, CELL_SIZE); return;
	case F_CELL_OR_NIL: put_optional(w, m->cell, CELL_SIZE); return;
	case F_DS_OR_NIL:   put_optional(w, m->ds, CELL_DS_SIZE); return;
	case F_PULL_ID:  mp_put_uint(w, m->msgid); return;
	case F_PART_GET: case F_PART_PUT: case F_STATUSES: case F_POSITIONS:
	case F_ERASES: case F_HEADS: case F_ORDER:
		put_bytes(w, m, f);
		return;
	case F_END:
		return;
	}
}

static void put_shape(struct mp_writer *w, const struct rpc_msg *m, const enum field *shape)
{
	unsigned i, n = shape_len(shape);

	mp_put_array(w, n);
	for (i = 0; i < n; i++)
		put_field(w, m, shape[i]);
}

static void put_hello(struct mp_writer *w, const struct rpc_msg *m)
{
	mp_put_array(w, 9);
	mp_put_uint(w, 1);
	mp_put_uint(w, m->hello.day);
	mp_put_uint(w, m->hello.bulletin_version);
	mp_put_bin(w, m->hello.header_hash, sizeof m->hello.header_hash);
	mp_put_bin(w, m->hello.board_digest, sizeof m->hello.board_digest);
	if (m->hello.has_newest) {
		mp_put_array(w, 2);
		mp_put_uint(w, m->hello.newest_day);
		mp_put_uint(w, m->hello.newest_release);
	} else {
		mp_put_nil(w);
	}
	mp_put_uint(w, m->hello.counter);
	mp_put_uint(w, m->hello.puts_per_commit);
	mp_put_uint(w, m->hello.policy_version);
}

static void put_segments(struct mp_writer *w, const struct rpc_msg *m)
{
	uint32_t i;

	if (m->n > RPC_BATCH) {
		put_range(w);
		return;
	}
	mp_put_array(w, m->n);
	for (i = 0; i < m->n; i++) {
		const struct rpc_segment *sg = &m->segments[i];

		mp_put_array(w, 4);
		mp_put_uint(w, sg->day);
		mp_put_uint(w, sg->release);
		mp_put_uint(w, sg->count);
		mp_put_bin(w, sg->digest, sizeof sg->digest);
	}
}

static void put_status(struct mp_writer *w, const struct rpc_msg *m)
{
	mp_put_array(w, 15);
	mp_put_uint(w, m->st.day);
	mp_put_uint(w, m->st.cells_waiting);
	mp_put_uint(w, m->st.cells_released);
	mp_put_uint(w, m->st.segments);
	mp_put_uint(w, m->st.board);
	mp_put_uint(w, m->st.joins);
	mp_put_uint(w, m->st.erasures);
	mp_put_uint(w, m->st.erase_day);
	mp_put_uint(w, m->st.free_mib);
	mp_put_uint(w, m->st.reserve_mib);
	mp_put_uint(w, m->st.refused);
	mp_put_uint(w, m->st.refused_full);
	mp_put_uint(w, m->st.alerts);
	mp_put_bool(w, m->st.frozen);
	mp_put_bool(w, m->st.full);
}

static void put_result(struct mp_writer *w, const struct rpc_msg *m)
{
	switch (table[m->method].special) {
	case PLAIN:           put_shape(w, m, table[m->method].result); return;
	case HELLO_RESULT:    put_hello(w, m); return;
	case SEGMENTS_RESULT: put_segments(w, m); return;
	case STATUS_RESULT:   put_status(w, m); return;
	}
}

static void put_response(struct mp_writer *w, const struct rpc_msg *m)
{
	if (m->error > RPC_DAMAGED || table[m->method].type != RPC_REQUEST)
		put_range(w);
	mp_put_array(w, 4);
	mp_put_uint(w, RPC_RESPONSE);
	mp_put_uint(w, m->msgid);
	if (m->error == RPC_OK) {
		mp_put_nil(w);
		put_result(w, m);
	} else {
		mp_put_uint(w, m->error);
		mp_put_nil(w);
	}
}

static void put_call(struct mp_writer *w, const struct rpc_msg *m)
{
	if (table[m->method].type != m->type)
		put_range(w);
	mp_put_array(w, m->type == RPC_REQUEST ? 4 : 3);
	mp_put_uint(w, m->type);
	if (m->type == RPC_REQUEST)
		mp_put_uint(w, m->msgid);
	mp_put_str(w, table[m->method].name);
	put_shape(w, m, table[m->method].params);
}

enum perr rpc_encode(uint8_t out[FRAME_MSG_MAX], size_t *out_len, const struct rpc_msg *m)
{
	struct mp_writer w;

	*out_len = 0;
	if ((unsigned)m->method >= RPC_N_METHODS)
		return PERR_RANGE;
	mp_writer_init(&w, out, FRAME_MSG_MAX);
	switch (m->type) {
	case RPC_REQUEST:
	case RPC_NOTIFY:
		put_call(&w, m);
		break;
	case RPC_RESPONSE:
		put_response(&w, m);
		break;
	default:
		return PERR_RANGE;       /* the caller's field, not a peer's */
	}
	return mp_written(&w, out_len);
}
