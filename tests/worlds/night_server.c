/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <dirent.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "enrol.h"
#include "holders.h"
#include "host_int.h"
#include "kv_mem.h"
#include "must.h"
#include "night_int.h"
#include "org.h"
#include "roster.h"
#include "session.h"
#include "steward.h"

#define ADDRESS "server.example:4711"
#define RESERVE (1u << 20)
#define PREWRITE (256u << 10)

/* ---- what is replaced by the linker ------------------------------------------------------ */

/* free space is the machine's, and `status` tells it: here it is always the same */
int __wrap_fstatvfs(int fd, struct statvfs *sv);
int __wrap_fstatvfs(int fd, struct statvfs *sv)
{
	memset(sv, 0, sizeof *sv);
	sv->f_bsize = sv->f_frsize = 4096;
	sv->f_blocks = sv->f_bfree = sv->f_bavail = 1u << 20;
	return 0;
}

/*
 * The writing thread writes zeros ahead whenever it is idle, so how far it has come when
 * the folder is looked at would be the scheduler's choice: it is asked to here instead, when
 * nothing else goes on.
 */
bool __real_store_idle(struct store *st);
bool __wrap_store_idle(struct store *st);
bool __wrap_store_idle(struct store *st)
{
	(void)st;
	return false;
}

static struct night *living;     /* whose cells are being sealed */

static void note_sealed(const uint8_t *cell, const uint8_t ds[32], const uint8_t reader[32],
                        int is_chunk)
{
	struct night_cell *c;

	if (living == NULL)
		return;
	if (living->n_sealed == NIGHT_CELLS)
		must_fail("more than %d cells in one night", NIGHT_CELLS);
	c = &living->sealed[living->n_sealed++];
	cell_id(c->id, cell);
	memcpy(c->ds, ds, 32);
	memcpy(c->reader, reader, 32);
	c->is_chunk = is_chunk;
}

enum perr __real_cell_seal(uint8_t *cell, uint8_t *ds, enum cell_form form,
                           const uint8_t *payload, size_t len, const uint8_t reader[32],
                           const struct season *season, struct rng rng);
enum perr __wrap_cell_seal(uint8_t *cell, uint8_t *ds, enum cell_form form,
                           const uint8_t *payload, size_t len, const uint8_t reader[32],
                           const struct season *season, struct rng rng);
enum perr __wrap_cell_seal(uint8_t *cell, uint8_t *ds, enum cell_form form,
                           const uint8_t *payload, size_t len, const uint8_t reader[32],
                           const struct season *season, struct rng rng)
{
	uint8_t own[32];
	enum perr err = __real_cell_seal(cell, own, form, payload, len, reader, season, rng);

	if (err == PERR_OK)
		note_sealed(cell, own, reader, 0);
	if (ds != NULL)
		memcpy(ds, own, 32);
	return err;
}

enum perr __real_cell_seal_chunk(uint8_t *cell, const uint8_t *ds, const uint8_t *payload,
                                 size_t len, const uint8_t reader[32],
                                 const struct season *season, struct rng rng);
enum perr __wrap_cell_seal_chunk(uint8_t *cell, const uint8_t *ds, const uint8_t *payload,
                                 size_t len, const uint8_t reader[32],
                                 const struct season *season, struct rng rng);
enum perr __wrap_cell_seal_chunk(uint8_t *cell, const uint8_t *ds, const uint8_t *payload,
                                 size_t len, const uint8_t reader[32],
                                 const struct season *season, struct rng rng)
{
	enum perr err = __real_cell_seal_chunk(cell, ds, payload, len, reader, season, rng);

	if (err == PERR_OK)
		note_sealed(cell, ds, reader, 1);
	return err;
}

/* ---- the host ---------------------------------------------------------------------------- */

static int64_t env_unix_s(void *ctx)
{
	return ((struct night *)ctx)->now;
}

static uint64_t env_now_ms(void *ctx)
{
	return (uint64_t)((struct night *)ctx)->now * 1000;
}

static enum perr env_offload(void *ctx, struct host_work *work)
{
	struct night *n = ctx;
	struct host_work **more = realloc(n->works, (n->n_works + 1) * sizeof *more);

	if (more == NULL)
		return PERR_NOMEM;
	n->works = more;
	n->works[n->n_works++] = work;
	return PERR_OK;
}

static void env_nothing(void *ctx)
{
	(void)ctx;
}

static void env_log(void *ctx, const char *line)
{
	(void)ctx;
	if (getenv("AMPARO_WORLDS_LOG") != NULL)
		fprintf(stderr, "server: %s\n", line);
}

/* The scope of a connection is known to nobody but the server: it is asked. */
static bool (*real_admit)(void *ctx, size_t which, const uint8_t e[32], uint32_t *serial,
                          enum rpc_scope *scope);

static bool tell_admit(void *ctx, size_t which, const uint8_t e[32], uint32_t *serial,
                       enum rpc_scope *scope)
{
	bool ok = real_admit(ctx, which, e, serial, scope);

	if (ok)
		answers_connection(*scope);
	return ok;
}

void night_server_start(struct night *n)
{
	struct host_config cfg = {
		.store = { .reserve_bytes = RESERVE, .prewrite_bytes = PREWRITE }
	};
	struct host_env env = {
		.ctx = n, .unix_s = env_unix_s, .now_ms = env_now_ms, .offload = env_offload,
		.hurry = env_nothing, .notify = env_nothing, .log = env_log, .rng = rng_system()
	};
	const char *why;

	living = n;
	must(host_open(&n->host, n->dir, &cfg, &env, &why), "the server does not open");
	real_admit = host_sessions(n->host)->admit;
	host_sessions(n->host)->admit = tell_admit;
	(void)host_tick(n->host);
}

void night_server_new(struct night *n)
{
	char parent[40];

	snprintf(parent, sizeof parent, "%s/amparo-worlds-XXXXXX",
	         access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(parent) == NULL)
		must_fail("no temporary folder");
	snprintf(n->dir, sizeof n->dir, "%s/data", parent);
	must(host_create(n->dir, n->now, rng_system(), n->pk, n->setup_key), "host_create");
	night_server_start(n);
}

static bool step(struct night *n)
{
	struct host_work *work;

	if (writer_queued(n->host->writer) > 0)
		writer_wait(n->host->writer);
	if (writer_collect(n->host->writer) > 0) {
		host_collect(n->host);
		return true;
	}
	if (n->n_works == 0)
		return false;
	work = n->works[0];
	memmove(n->works, n->works + 1, --n->n_works * sizeof *n->works);
	work->run(work);
	work->done(work);
	return true;
}

static bool work_off(struct night *n)
{
	bool any = false;

	while (step(n))
		any = true;
	return any;
}

void night_settle(struct night *n)
{
	(void)work_off(n);
	while (__real_store_idle(n->host->store))
		;
	if (host_dead(n->host) != NULL)
		must_fail("the server died: %s", host_dead(n->host));
}

void night_until(struct night *n, int64_t then_)
{
	if (then_ < n->now)
		must_fail("the schedule goes backwards");
	n->now = then_;
	(void)host_tick(n->host);
	night_settle(n);
}

void night_server_stop(struct night *n)
{
	night_settle(n);
	host_close(n->host);
	n->host = NULL;
}

static void remove_all(const char *dir)
{
	char path[512];
	const struct dirent *de;
	struct stat st;
	DIR *d = opendir(dir);

	while (d != NULL && (de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, de->d_name);
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			remove_all(path);
		else
			unlink(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(dir);
}

void night_server_remove(struct night *n)
{
	if (n->host != NULL)
		night_server_stop(n);
	free(n->works);
	*strrchr(n->dir, '/') = '\0';
	remove_all(n->dir);
	living = NULL;
}

/* ---- the network ------------------------------------------------------------------------- */

static void never_mind(void *user)
{
	(void)user;
}

/*
 * One frame to the server, and all that comes of it, before the next: so each commit is one
 * batch of the writer, in every run.  false: nothing moves any more
 */
static bool move(struct night_talk *t)
{
	const uint8_t *bytes;
	size_t len = peer_pending(t->p, &bytes), used;
	struct session_out *o;
	bool moved = false;

	if (len > 0) {
		used = session_recv(t->s, bytes, len < FRAME_SIZE ? len : FRAME_SIZE,
		                    env_now_ms(t->n));
		peer_sent(t->p, used);
		moved = used > 0;
	}
	moved |= work_off(t->n);
	while ((o = session_take(t->s)) != NULL) {
		struct session_out *next = o->next;

		for (; o != NULL; o = next) {
			next = o->next;
			answers_sent(o->len);
			(void)!peer_recv(t->p, o->bytes, o->len);
			session_written(t->s, o->len);
			free(o);
		}
		moved = true;
	}
	return moved;
}

static enum perr run(void *ctx, const char *address, struct peer *p, char *why, size_t why_size)
{
	struct night_talk t = { .n = ctx, .p = p };

	(void)why;
	(void)why_size;
	if (strcmp(address, ADDRESS) != 0)
		must_fail("no server %s", address);
	must(session_new(&t.s, host_sessions(t.n->host), never_mind, NULL), "session_new");
	while (!peer_done(p) && move(&t))
		;
	if (!peer_done(p))
		peer_eof(p);
	session_free(t.s);
	(void)work_off(t.n);
	return peer_error(p);
}

void night_talk_open(struct night *n, struct night_talk *t, const uint8_t access[32])
{
	t->n = n;
	must(peer_new(&t->p, n->pk, access, rng_system()), "peer_new");
	must(session_new(&t->s, host_sessions(n->host), never_mind, NULL), "session_new");
}

void night_talk_run(struct night_talk *t)
{
	while (move(t))
		;
	if (peer_waiting(t->p) > 0 || peer_error(t->p) != PERR_OK)
		must_fail("the server does not answer: %s", perr_text(peer_error(t->p)));
}

void night_talk_close(struct night_talk *t)
{
	peer_bye(t->p);
	while (!peer_done(t->p) && move(t))
		;
	session_free(t->s);
	peer_free(t->p);
	(void)work_off(t->n);
}

/* ---- people ------------------------------------------------------------------------------ */

static int64_t client_now(void *ctx)
{
	return ((struct night *)ctx)->now;
}

static void person_new(struct night *n, enum night_who who)
{
	struct client_env env = { .rng = rng_system(), .now = client_now, .ctx = n };

	n->p[who].kv = kv_mem_new();
	if (n->p[who].kv == NULL)
		must_fail("out of memory");
	must(client_open(&n->p[who].c, n->p[who].kv, &env), "client_open");
	if (who < VOLUNTEER0)
		must(spool_open(&n->p[who].spool, spool_mem_new()), "spool_open");
}

void night_people_free(struct night *n)
{
	unsigned i;

	for (i = 0; i < PEOPLE; i++) {
		client_free(n->p[i].c);
		spool_free(n->p[i].spool);
		if (n->p[i].kv != NULL)
			kv_mem_free(n->p[i].kv);
	}
}

void night_sync(struct night *n, enum night_who who)
{
	struct sync_summary sum;
	enum perr err = sync_all(n->p[who].c, &n->net, n->p[who].spool, NULL, &sum);

	if (err != PERR_OK)
		must_fail("person %d cannot sync: %s (%s)", who,
		          sum.servers[0].why, perr_name(err));
	if ((sum.servers[0].notes & (SYNC_N_LIMIT | SYNC_N_DISK_FULL | SYNC_N_REFUSED)) != 0)
		must_fail("person %d: the server refused cells", who);
}

static void visit(struct night *n, unsigned want)
{
	struct steward_server r;
	enum perr err = steward_visit(n->p[ADMIN].c, &n->net, 0, want, &r);

	if (err != PERR_OK)
		must_fail("the administrator's visit: %s (%s)", r.why, perr_name(err));
}

static void push(struct night *n)
{
	visit(n, STEWARD_PUSH | STEWARD_ANSWERS);
}

struct taking {
	struct join v[PEOPLE];
	unsigned n;
};

static enum perr take_answer(void *arg, const struct org_answer *a)
{
	struct taking *k = arg;

	if (k->n < PEOPLE)
		k->v[k->n++] = a->join;
	return PERR_OK;
}

/* people first..last with one invitation each, confirmed together */
static void join(struct night *n, enum night_who first, enum night_who last, const uint8_t *desk)
{
	enum client_role role = first >= VOLUNTEER0 ? ROLE_VOLUNTEER : ROLE_ATTORNEY;
	const char *const languages[] = { "es", "mam" };
	struct client *admin = n->p[ADMIN].c;
	unsigned many = (unsigned)(last - first + 1), i;
	struct taking k = { .n = 0 };
	struct invite inv[PEOPLE];

	must(org_invite(admin, role, many, desk, NULL, inv), "org_invite");
	push(n);
	for (i = 0; i < many; i++) {
		enum night_who who = (enum night_who)(first + i);

		person_new(n, who);
		must(enrol_begin(n->p[who].c, &inv[i], night_side_of(n)->people[who], languages, 2),
		     "enrol_begin");
		night_sync(n, who);
		must(enrol_answer(n->p[who].c), "enrol_answer");
		night_sync(n, who);
		invite_wipe(&inv[i]);
	}
	push(n);
	must(org_answers(admin, take_answer, &k), "org_answers");
	if (k.n != many)
		must_fail("%u of %u answers came", k.n, many);
	for (i = 0; i < many; i++)
		must(org_confirm(admin, &k.v[i], NULL), "org_confirm");
	push(n);
	for (i = 0; i < many; i++) {
		night_sync(n, (enum night_who)(first + i));
		if (n->p[first + i].c->me->state != CLIENT_MEMBER)
			must_fail("person %d did not become a member", (int)(first + i));
	}
}

void night_found(struct night *n)
{
	const struct night_side *side = night_side_of(n);
	struct policy_card card = { 0 };
	uint8_t holders[2][32];
	unsigned i;

	n->net = (struct sync_net){ .run = run, .ctx = n };
	person_new(n, ADMIN);
	must(org_found(n->p[ADMIN].c, side->organisation, side->people[ADMIN]), "org_found");
	/* few prekeys: readers try all they have on every cell, and here only that costs time */
	n->p[ADMIN].c->field->limits.period_days = 90;
	snprintf(card.address, sizeof card.address, "%s", ADDRESS);
	memcpy(card.server_pk, n->pk, 32);
	memcpy(card.setup_key, n->setup_key, 32);
	must(org_server_add(n->p[ADMIN].c, &card), "org_server_add");
	push(n);
	night_sync(n, ADMIN);
	join(n, HOLDER0, HOLDER1, NULL);
	for (i = 0; i < 2; i++)
		memcpy(holders[i], n->p[HOLDER0 + i].c->me->sign_pk, 32);
	must(holders_propose(n->p[HOLDER0].c, side->desk, side->organisation, 1,
	                     (const uint8_t (*)[32])holders, 2, n->desk), "holders_propose");
	night_sync(n, HOLDER0);
	visit(n, STEWARD_RELEASE);
	night_sync(n, HOLDER1);
	must(holders_sign(n->p[HOLDER1].c, n->desk), "holders_sign");
	night_sync(n, HOLDER1);
	visit(n, STEWARD_RELEASE);
	night_sync(n, ADMIN);
	must(org_desk_list(n->p[ADMIN].c, n->desk), "org_desk_list");
	night_publish_forms(n);
	push(n);
	join(n, ATTORNEY0, ATTORNEY1, n->desk);
	night_sync(n, HOLDER0);
	night_sync(n, HOLDER1);
	visit(n, STEWARD_RELEASE);
	join(n, VOLUNTEER0, VOLUNTEER2, n->desk);
	/* everybody learns everybody's keys */
	for (i = HOLDER0; i < PEOPLE; i++)
		night_sync(n, (enum night_who)i);
}
