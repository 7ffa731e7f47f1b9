/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "answers.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "must.h"

enum perr __real_rpc_encode(uint8_t out[FRAME_MSG_MAX], size_t *out_len, const struct rpc_msg *m);
enum perr __wrap_rpc_encode(uint8_t out[FRAME_MSG_MAX], size_t *out_len, const struct rpc_msg *m);

#define EARS 2
static struct answers *ears[EARS];       /* filled from the front */

void answers_listen(struct answers *a, struct answers *leaky, struct image_arrivals *arrivals)
{
	unsigned i;

	ears[0] = a;
	ears[1] = leaky;
	for (i = 0; i < EARS && ears[i] != NULL; i++) {
		memset(ears[i], 0, sizeof *ears[i]);
		ears[i]->arrivals = arrivals;
	}
}

void answers_free(struct answers *a)
{
	unsigned i;

	for (i = 0; i < ANSWERS_SCENES; i++)
		free(a->order[i].arrival);
	memset(a, 0, sizeof *a);
}

void answers_scene(unsigned scene)
{
	unsigned i;

	if (scene >= ANSWERS_SCENES)
		must_fail("there is no scene %u", scene);
	for (i = 0; i < EARS && ears[i] != NULL; i++)
		ears[i]->scene = scene;
}

void answers_connection(enum rpc_scope scope)
{
	unsigned i;

	for (i = 0; i < EARS && ears[i] != NULL; i++) {
		if (ears[i]->n_connections == ANSWERS_CONNECTIONS)
			must_fail("more than %d connections", ANSWERS_CONNECTIONS);
		ears[i]->n_connections++;
		ears[i]->scope = scope;
	}
}

void answers_sent(size_t n)
{
	unsigned i;

	for (i = 0; i < EARS && ears[i] != NULL; i++)
		if (ears[i]->n_connections > 0)
			ears[i]->connection_bytes[ears[i]->n_connections - 1] += (double)n;
}

/* what the server counts in this answer */
static double count_of(const struct rpc_msg *m)
{
	switch (m->method) {
	case RPC_HELLO:
		return m->hello.bulletin_version + m->hello.counter + m->hello.newest_release +
		       (m->hello.has_newest ? 1 : 0);
	case RPC_STATUS:
		return m->st.cells_waiting + m->st.cells_released + m->st.segments + m->st.board +
		       m->st.joins + m->st.erasures + m->st.refused;
	default:
		return m->n;
	}
}

/* its numbers, each with another weight, so that one cannot make up for another */
static double total_of(const struct rpc_msg *m)
{
	double sum = 0;
	uint32_t i;

	switch (m->method) {
	case RPC_HELLO: {
		const uint32_t v[] = {
			m->hello.day, m->hello.bulletin_version, m->hello.counter,
			m->hello.puts_per_commit, m->hello.has_newest, m->hello.policy_version,
			m->hello.newest_day, m->hello.newest_release
		};

		for (i = 0; i < sizeof v / sizeof v[0]; i++)
			sum += v[i] * (i + 1.0);
		return sum;
	}
	case RPC_STATUS: {
		const uint32_t v[] = {
			m->st.day, m->st.cells_waiting, m->st.cells_released, m->st.segments,
			m->st.board, m->st.joins, m->st.erasures, m->st.free_mib, m->st.refused,
			m->st.frozen
		};

		for (i = 0; i < sizeof v / sizeof v[0]; i++)
			sum += v[i] * (i + 1.0);
		return sum;
	}
	case RPC_SEGMENTS:
		for (i = 0; i < m->n && i < 64; i++)
			sum += m->segments[i].count * (i + 1.0) + m->segments[i].day +
			       m->segments[i].release * (i + 2.0);
		return sum;
	default:
		return m->total + m->day + 2.0 * m->release + m->status + (double)m->bytes_len;
	}
}

static void note_order(struct answers *a, const uint8_t *cell)
{
	struct answers_order *o = &a->order[a->scene];
	uint8_t id[CELL_ID_SIZE];
	uint32_t nth;

	cell_id(id, cell);
	if (!image_nth(a->arrivals, id, &nth))
		return;
	if (o->n == o->room) {
		o->room = o->room == 0 ? 512 : 2 * o->room;
		o->arrival = realloc(o->arrival, o->room * sizeof *o->arrival);
		if (o->arrival == NULL)
			must_fail("out of memory");
	}
	o->arrival[o->n++] = (float)nth;
}

static void overhear(struct answers *a, const struct rpc_msg *m, size_t len)
{
	struct answers_count *c = &a->count[a->scene][a->scope][m->method];
	uint8_t (*chain)[32] = &a->sequence[a->scene][a->scope];
	double what[5] = { m->method, (double)len, m->error, 0, 0 };
	crypto_generichash_state h;
	size_t i;

	c->n++;
	c->bytes += (double)len;
	c->errors += m->error != RPC_OK;
	a->connection_messages[a->n_connections - 1]++;
	if (m->type == RPC_NOTIFY) {
		if (m->method == RPC_CELL)
			note_order(a, m->cell);
	} else {
		what[3] = count_of(m);
		if (m->method == RPC_STATUS)
			what[3] += a->leaky_more;
		what[4] = total_of(m);
		c->counts += what[3];
		c->totals += what[4];
		if (m->method == RPC_COMMIT)
			for (i = 0; i < m->bytes_len; i++)
				c->statuses[m->bytes[i] & 7]++;
	}
	crypto_generichash_init(&h, NULL, 0, 32);
	crypto_generichash_update(&h, *chain, 32);
	crypto_generichash_update(&h, (const uint8_t *)what, sizeof what);
	crypto_generichash_final(&h, *chain, 32);
}

enum perr __wrap_rpc_encode(uint8_t out[FRAME_MSG_MAX], size_t *out_len, const struct rpc_msg *m)
{
	enum perr err = __real_rpc_encode(out, out_len, m);
	uint8_t id[CELL_ID_SIZE];
	unsigned i;

	if (err != PERR_OK || ears[0] == NULL)
		return err;
	if (m->type == RPC_NOTIFY && m->method == RPC_PUT) {
		cell_id(id, m->cell);
		image_arrived(ears[0]->arrivals, id);
	}
	if (m->type != RPC_RESPONSE && (m->type != RPC_NOTIFY || m->method != RPC_CELL))
		return err;              /* a client's, or a goodbye, which is counted in bytes */
	for (i = 0; i < EARS && ears[i] != NULL; i++)
		overhear(ears[i], m, *out_len);
	return err;
}

/* ---- features ---- */

static void scope_features(struct features *f, const struct answers *a, unsigned scene,
                           enum rpc_scope scope)
{
	static const char *const scopes[] = {
		"?", "guest", "field", "counsel", "steward", "setup"
	};
	enum rpc_method m;
	unsigned i;

	for (m = 0; m < RPC_N_METHODS; m++) {
		const struct answers_count *c = &a->count[scene][scope][m];
		char at[64];

		if (!rpc_allowed(m, scope) && m != RPC_CELL)
			continue;
		snprintf(at, sizeof at, "scene %u, %s to %s", scene, rpc_name(m), scopes[scope]);
		feature_add(f, FEATURE_ANSWERS, c->n, "%s: answers", at);
		feature_add(f, FEATURE_ANSWERS, c->bytes, "%s: length", at);
		feature_add(f, FEATURE_ANSWERS, c->counts, "%s: counts", at);
		feature_add(f, FEATURE_ANSWERS, c->totals, "%s: totals", at);
		feature_add(f, FEATURE_ANSWERS, c->errors, "%s: errors", at);
		for (i = 0; m == RPC_COMMIT && i < 8; i++)
			feature_add(f, FEATURE_ANSWERS, c->statuses[i], "%s: status %u", at, i);
	}
	feature_add(f, FEATURE_ANSWERS, feature_digest(a->sequence[scene][scope], 32),
	             "scene %u: sequence of answers to %s", scene, scopes[scope]);
}

void answers_features(struct features *f, struct answers *a)
{
	unsigned scene, i;
	int scope;

	for (scene = 0; scene < ANSWERS_SCENES; scene++) {
		struct answers_order *o = &a->order[scene];
		float *place = must_alloc(o->n, sizeof *place);
		char name[32];
		size_t k;

		for (k = 0; k < o->n; k++)
			place[k] = (float)k;
		snprintf(name, sizeof name, "scene %u, cells given", scene);
		feature_order(f, o->arrival, place, o->n, name);
		free(place);
		for (scope = RPC_GUEST; scope <= RPC_SETUP; scope++)
			scope_features(f, a, scene, (enum rpc_scope)scope);
	}
	feature_add(f, FEATURE_ANSWERS, a->n_connections, "connections");
	for (i = 0; i < ANSWERS_CONNECTIONS; i++) {
		feature_add(f, FEATURE_ANSWERS, a->connection_messages[i],
		             "connection %u: messages of the server", i);
		feature_add(f, FEATURE_ANSWERS, a->connection_bytes[i],
		             "connection %u: bytes of the server", i);
	}
}
