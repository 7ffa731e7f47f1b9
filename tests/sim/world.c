/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "world.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatch.h"
#include "enrol.h"
#include "holders.h"
#include "host_int.h"
#include "kv_mem.h"
#include "link.h"
#include "org.h"
#include "outbox.h"
#include "roster.h"
#include "session.h"
#include "steward.h"

#ifdef __SANITIZE_THREAD__
#include "cli.h"
#endif

#define OK(call) assert_int_equal((call), PERR_OK)

static const char *const names[WORLD_PEOPLE] = {
	"Teresa Núñez", "Ana Ixchel Tz’unun", "Robert O’Malley", "María de la Cruz", "Beto",
	"Q’anil Méndez", "Juana Domingo"
};

static uint32_t pick(struct world *w, uint32_t n)
{
	uint8_t b[4];

	rng_fill(w->rng, b, sizeof b);
	return n == 0 ? 0 : ((uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2]) % n;
}

/* ---- servers ----------------------------------------------------------------------------------- */

static int64_t env_unix_s(void *ctx)
{
	return ((struct world_server *)ctx)->w->now;
}

static uint64_t env_now_ms(void *ctx)
{
	return (uint64_t)((struct world_server *)ctx)->w->now * 1000;
}

static enum perr env_offload(void *ctx, struct host_work *work)
{
	struct world_server *s = ctx;
	struct host_work **more = realloc(s->works, (s->n_works + 1) * sizeof *more);

	if (more == NULL)
		return PERR_NOMEM;
	s->works = more;
	s->works[s->n_works++] = work;
	return PERR_OK;
}

static void env_notify(void *ctx)
{
	(void)ctx;                       /* the writer is asked, not waited for */
}

static void env_log(void *ctx, const char *line)
{
	(void)ctx;
	if (getenv("AMPARO_SIM_LOG") != NULL)
		print_message("server: %s\n", line);
}

/* some of what the server has to do; false: nothing */
static bool server_step(struct world_server *s)
{
	struct host_work *work;
	uint32_t i;

	if (writer_queued(s->host->writer) > 0)
		writer_wait(s->host->writer);
	if (writer_collect(s->host->writer) > 0) {
		host_collect(s->host);
		return true;
	}
	if (s->n_works == 0)
		return false;
	i = pick(s->w, (uint32_t)s->n_works);
	work = s->works[i];
	s->works[i] = s->works[--s->n_works];
	work->run(work);
	work->done(work);
	return true;
}

void world_start(struct world *w, unsigned server)
{
	struct world_server *s = &w->s[server];
	struct host_config cfg = { .store = { .reserve_bytes = 1 << 20, .prewrite_bytes = 1 << 16 } };
	struct host_env env = {
		.ctx = s, .unix_s = env_unix_s, .now_ms = env_now_ms, .offload = env_offload,
		.notify = env_notify, .log = env_log, .rng = rng_system()
	};
	const char *why;

	OK(host_open(&s->host, s->dir, &cfg, &env, &why));
}

void world_limit(struct world *w, unsigned server, uint32_t puts_per_minute)
{
	w->s[server].host->sessions.puts_per_minute = puts_per_minute;
}

void world_stop(struct world *w, unsigned server)
{
	struct world_server *s = &w->s[server];

	while (server_step(s))
		;
	host_close(s->host);
	s->host = NULL;
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

static void server_create(struct world *w, unsigned i)
{
	struct world_server *s = &w->s[i];
	char parent[64];

	s->w = w;
	/* in memory where there is such a folder: thousands of commits, and no power cut here */
	snprintf(parent, sizeof parent, "%s/amparo-sim-XXXXXX",
	         access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(parent));
	snprintf(s->dir, sizeof s->dir, "%.40s/data", parent);
	snprintf(s->address, sizeof s->address, "server%u.example:4711", i);
	OK(host_create(s->dir, w->now, rng_system(), s->pk, s->setup_key));
	world_start(w, i);
}

void world_anew(struct world *w, unsigned server, struct policy_card *card)
{
	struct world_server *s = &w->s[server];

	if (s->host != NULL)
		world_stop(w, server);
	*strrchr(s->dir, '/') = '\0';
	remove_all(s->dir);
	server_create(w, server);
	memset(card, 0, sizeof *card);
	snprintf(card->address, sizeof card->address, "%s", s->address);
	memcpy(card->server_pk, s->pk, 32);
	memcpy(card->setup_key, s->setup_key, 32);
}

uint64_t world_cells(struct world *w, unsigned server)
{
	struct store_counts c;

	store_counts(w->s[server].host->store, &c);
	return c.cells + c.pool_cells;
}

/* ---- the network ------------------------------------------------------------------------------- */

static void never_mind(void *user)
{
	(void)user;
}

struct wire {
	struct world *w;
	struct world_server *srv;
	struct session *s;
	const struct world_mouth *m;
	struct session_out *out;         /* of the server, not delivered yet */
	size_t out_at;
};

static void turn(struct world *w, bool server)
{
	if (w->turn != NULL)
		w->turn(server);
}

static bool server_turn(struct wire *x)
{
	bool moved;

	turn(x->w, true);
	moved = server_step(x->srv);
	turn(x->w, false);
	return moved;
}

static size_t room(struct wire *x, size_t n)
{
	uint64_t left = x->w->cut_at - x->w->moved;
	size_t some = 1 + pick(x->w, 9000);

	n = n < some ? n : some;
	return n < left ? n : (size_t)left;
}

static bool to_server(struct wire *x)
{
	const uint8_t *bytes;
	size_t n = x->m->pending(x->m->ctx, &bytes), used;

	if (n == 0)
		return false;
	n = room(x, n);
	turn(x->w, true);
	used = session_recv(x->s, bytes, n, env_now_ms(x->srv));
	turn(x->w, false);
	x->m->sent(x->m->ctx, used);
	x->w->moved += used;
	return used > 0;
}

static bool to_client(struct wire *x)
{
	size_t n;

	if (x->out == NULL) {
		turn(x->w, true);
		x->out = session_take(x->s);
		turn(x->w, false);
		x->out_at = 0;
	}
	if (x->out == NULL)
		return false;
	n = room(x, x->out->len - x->out_at);
	x->m->recv(x->m->ctx, x->out->bytes + x->out_at, n);
	turn(x->w, true);
	session_written(x->s, n);
	turn(x->w, false);
	x->w->moved += n;
	x->out_at += n;
	if (x->out_at == x->out->len) {
		struct session_out *next = x->out->next;

		free(x->out);
		x->out = next;
		x->out_at = 0;
	}
	return n > 0;
}

static struct world_server *server_of(struct world *w, const char *address)
{
	unsigned i;

	for (i = 0; i < WORLD_SERVERS; i++)
		if (strcmp(w->s[i].address, address) == 0)
			return &w->s[i];
	fail_msg("no server %s", address);
	return NULL;
}

enum perr world_talk(struct world *w, const char *address, const struct world_mouth *m)
{
	struct wire x = { .w = w, .srv = server_of(w, address), .m = m };
	bool done;

	w->moved = 0;
	if (x.srv->host == NULL)
		return PERR_NET;
	turn(w, true);
	OK(session_new(&x.s, host_sessions(x.srv->host), never_mind, NULL));
	turn(w, false);
	while (!m->done(m->ctx) && w->moved < w->cut_at && !w->leaves) {
		bool moved;

		if (w->between != NULL) {
			uint64_t so_far = w->moved;

			w->between(w);
			w->moved = so_far;       /* others may have been visited meanwhile */
			if (w->leaves)
				break;
		}
		moved = to_server(&x);
		moved |= to_client(&x);
		if (!moved && pick(w, 4) > 0)
			moved = server_turn(&x);
		if (!moved && !server_turn(&x) && !to_server(&x) && !to_client(&x))
			break;
	}
	done = m->done(m->ctx);
	if (!done && !w->leaves) {
		w->was_cut |= w->moved >= w->cut_at;
		/* quiet on both sides is what an outsider meets; anything else hangs */
		if (w->moved < w->cut_at && session_state(x.s) == SESSION_OPEN)
			fail_msg("client and server wait for each other");
	}
	if (w->moved > w->longest)
		w->longest = w->moved;
	turn(w, true);
	session_free(x.s);
	while (x.out != NULL) {
		struct session_out *next = x.out->next;

		free(x.out);
		x.out = next;
	}
	while (server_step(x.srv))
		;
	turn(w, false);
	return done ? PERR_OK : PERR_TRUNCATED;
}

static size_t of_peer_pending(void *ctx, const uint8_t **out)
{
	return peer_pending(ctx, out);
}

static void of_peer_sent(void *ctx, size_t n)
{
	peer_sent(ctx, n);
}

static void of_peer_recv(void *ctx, const uint8_t *in, size_t len)
{
	(void)!peer_recv(ctx, in, len);
}

static bool of_peer_done(void *ctx)
{
	return peer_done(ctx);
}

static enum perr world_run(void *ctx, const char *address, struct peer *p, char *why,
                           size_t why_size)
{
	struct world *w = ctx;
	struct world_mouth m = { p, of_peer_pending, of_peer_sent, of_peer_recv, of_peer_done };
	enum perr err = world_talk(w, address, &m);

	if (err == PERR_NET) {
		snprintf(why, why_size, "%s", link_text(LINK_CONNECT));
		peer_abort(p, PERR_NET);
	} else if (err != PERR_OK && !w->leaves) {
		peer_eof(p);
	}
	return err == PERR_NET ? err : peer_error(p);
}

/* ---- people ------------------------------------------------------------------------------------ */

static int64_t client_now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

#ifdef __SANITIZE_THREAD__
static void parallel(void *ctx, size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
	struct client_env own = cli_env();

	(void)ctx;
	own.parallel(own.ctx, n, fn, arg);
}
#endif

void world_reopen(struct world *w, enum world_who who)
{
	struct client_env env = { .rng = rng_system(), .now = client_now, .ctx = w };

#ifdef __SANITIZE_THREAD__
	env.parallel = parallel;         /* the program's own threads; without them it repeats */
#endif
	client_free(w->p[who].c);
	OK(client_open(&w->p[who].c, w->p[who].kv, &env));
}

void world_person(struct world *w, enum world_who who)
{
	w->p[who].kv = kv_mem_new();
	assert_non_null(w->p[who].kv);
	world_reopen(w, who);
	OK(spool_open(&w->p[who].spool, spool_mem_new()));
}

enum perr world_try(struct world *w, enum world_who who)
{
	return sync_all(w->p[who].c, &w->net, w->p[who].spool, NULL, &w->last);
}

void world_sync(struct world *w, enum world_who who)
{
	unsigned i;
	enum perr err = world_try(w, who);

	for (i = 0; i < w->last.n_servers; i++)
		if (!w->last.servers[i].complete &&
		    server_of(w, w->last.servers[i].address)->host != NULL)
			print_message("%s: %s (%s)\n", w->last.servers[i].address,
			              w->last.servers[i].why, perr_name(w->last.servers[i].err));
	assert_int_equal(err, PERR_OK);
}

void world_sync_on(struct world *w, enum world_who who)
{
	world_sync(w, who);
	if (w->last.more)
		world_sync(w, who);
}

void world_push(struct world *w)
{
	size_t i;

	for (i = 0; i < WORLD_SERVERS; i++) {
		struct steward_server r;
		enum perr err = steward_visit(w->p[ADMIN].c, &w->net, i,
		                              STEWARD_PUSH | STEWARD_ANSWERS, &r);

		if (err != PERR_OK)
			fail_msg("push to %s: %s (%s)", r.address, perr_name(err), r.why);
	}
}

void world_release(struct world *w)
{
	size_t i;

	for (i = 0; i < WORLD_SERVERS; i++) {
		struct steward_server r;

		if (w->s[i].host != NULL &&
		    steward_visit(w->p[ADMIN].c, &w->net, i, STEWARD_RELEASE, &r) != PERR_OK)
			fail_msg("release at %s: %s (%s)", r.address, perr_name(r.err), r.why);
	}
}

void world_day(struct world *w, int days)
{
	for (; days > 0; days--) {
		unsigned i;

		w->now += 86400;
		for (i = 0; i < WORLD_SERVERS; i++) {
			if (w->s[i].host == NULL)
				continue;
			(void)host_tick(w->s[i].host);
			while (server_step(&w->s[i]))
				;
		}
	}
}

struct confirm {
	struct client *admin;
	bool done;
	struct join join;
};

static enum perr take_answer(void *arg, const struct org_answer *a)
{
	struct confirm *k = arg;

	k->join = a->join;
	k->done = true;
	return PERR_OK;
}

void world_join(struct world *w, enum world_who who, const uint8_t *desk)
{
	world_join_as(w, who, who == INTERPRETER ? ROLE_INTERPRETER
	              : who >= VOLUNTEER0 ? ROLE_VOLUNTEER : ROLE_ATTORNEY, desk);
}

void world_join_as(struct world *w, enum world_who who, enum client_role role,
                   const uint8_t *desk)
{
	const char *const languages[] = { "es", "mam" };
	struct client *admin = w->p[ADMIN].c;
	struct confirm k = { .admin = admin };
	struct invite inv;

	world_person(w, who);
	OK(org_invite(admin, role, 1, desk, NULL, &inv));
	world_push(w);
	OK(enrol_begin(w->p[who].c, &inv, names[who], languages, 2));
	world_sync(w, who);
	assert_int_equal(w->p[who].c->me->state, CLIENT_JOINING);
	OK(enrol_answer(w->p[who].c));
	world_sync(w, who);
	world_push(w);
	OK(org_answers(admin, take_answer, &k));
	assert_true(k.done);
	OK(org_confirm(admin, &k.join, NULL));
	world_push(w);
	world_sync(w, who);
	assert_int_equal(w->p[who].c->me->state, CLIENT_MEMBER);
	assert_int_equal(w->p[who].c->me->role, role);
	invite_wipe(&inv);
}

struct world *world_new(unsigned seed)
{
	struct world *w = calloc(1, sizeof *w);
	uint8_t s[32] = { 0 };
	unsigned i;

	assert_non_null(w);
	memcpy(s, &seed, sizeof seed);
	w->rng = rng_seeded(&w->seed, s);
	w->now = (int64_t)20000 * 86400 + 3600;
	w->cut_at = WORLD_NO_CUT;
	w->net = (struct sync_net){ .run = world_run, .ctx = w };
	for (i = 0; i < WORLD_SERVERS; i++)
		server_create(w, i);
	world_person(w, ADMIN);
	OK(org_found(w->p[ADMIN].c, "Casa Abierta", names[ADMIN]));
	for (i = 0; i < WORLD_SERVERS; i++) {
		struct policy_card card = { 0 };

		snprintf(card.address, sizeof card.address, "%s", w->s[i].address);
		memcpy(card.server_pk, w->s[i].pk, 32);
		memcpy(card.setup_key, w->s[i].setup_key, 32);
		OK(org_server_add(w->p[ADMIN].c, &card));
	}
	world_push(w);
	world_sync(w, ADMIN);
	return w;
}

struct world *world_desk(unsigned seed, unsigned n, const struct roster_limits *limits)
{
	static const enum world_who who[] = { HOLDER0, HOLDER1, COUNSEL };
	struct world *w = world_new(seed);
	uint8_t holders[3][32];
	unsigned i;

	if (limits != NULL) {
		struct client *admin = w->p[ADMIN].c;

		admin->field->limits = *limits;
		OK(org_decoys(admin, 1));        /* any change: the roster is made anew */
		OK(org_decoys(admin, 0));
		world_push(w);
	}
	w->readers = n;
	for (i = 0; i < n; i++) {
		world_join(w, who[i], NULL);
		memcpy(holders[i], w->p[who[i]].c->me->sign_pk, 32);
	}
	OK(holders_propose(w->p[HOLDER0].c, "Mesa Delta", "Casa Abierta", 1,
	                   (const uint8_t (*)[32])holders, n, w->desk));
	world_sync(w, HOLDER0);
	world_release(w);
	for (i = 1; i < n; i++) {
		world_sync(w, who[i]);
		OK(holders_sign(w->p[who[i]].c, w->desk));
		world_sync(w, who[i]);
		world_release(w);
	}
	world_sync(w, ADMIN);
	OK(org_desk_list(w->p[ADMIN].c, w->desk));
	world_push(w);
	if (n < 3)
		world_join(w, COUNSEL, w->desk);
	/* holders have told each other that they hold nothing: not again on this day */
	for (i = 0; i < 2 * n; i++) {
		world_sync_on(w, who[i % n]);
		if (i % n == n - 1)
			world_release(w);
	}
	for (i = 0; i < n; i++)
		world_sync(w, who[i]);
	world_join(w, VOLUNTEER0, w->desk);
	world_join(w, VOLUNTEER1, w->desk);
	return w;
}

struct world *world_full(unsigned seed)
{
	return world_desk(seed, 2, NULL);
}

static enum perr copy_identity(void *arg, const char *name, const uint8_t *value, size_t len)
{
	return strcmp(name, "me") == 0 ? kv_put(arg, name, value, len) : PERR_OK;
}

void world_lose_vault(struct world *w, enum world_who who)
{
	struct world_person *p = &w->p[who];
	struct kv *old = p->kv;

	client_free(p->c);
	p->c = NULL;
	spool_free(p->spool);
	p->kv = kv_mem_new();
	assert_non_null(p->kv);
	OK(kv_begin(p->kv));
	OK(kv_each(old, "me", copy_identity, p->kv));
	OK(kv_commit(p->kv));
	kv_mem_free(old);
	OK(spool_open(&p->spool, spool_mem_new()));
	world_reopen(w, who);
}

void world_free(struct world *w)
{
	unsigned i;

	for (i = 0; i < WORLD_PEOPLE; i++) {
		client_free(w->p[i].c);
		spool_free(w->p[i].spool);
		if (w->p[i].kv != NULL)
			kv_mem_free(w->p[i].kv);
	}
	for (i = 0; i < WORLD_SERVERS; i++) {
		if (w->s[i].host != NULL)
			world_stop(w, i);
		free(w->s[i].works);
		*strrchr(w->s[i].dir, '/') = '\0';
		remove_all(w->s[i].dir);
	}
	free(w);
}

/* ---- records ----------------------------------------------------------------------------------- */

static uint8_t *content(size_t len, unsigned seed)
{
	uint8_t key[randombytes_SEEDBYTES] = { 0 };
	uint8_t *p = malloc(len + 1);

	assert_non_null(p);
	memcpy(key, &seed, sizeof seed);
	key[31] = 7;
	randombytes_buf_deterministic(p, len, key);
	return p;
}

void world_submit(struct world *w, enum world_who who, size_t attachment, unsigned seed,
                  uint8_t hash[32])
{
	struct client *c = w->p[who].c;
	struct statement *st = calloc(1, sizeof *st);
	struct dispatch *d = dispatch_new(c);
	struct dispatch_readers r;
	char why[DISPATCH_WHY] = "", *xml = malloc(128 + w->instance);
	uint8_t *data = content(attachment, seed);
	struct blob_ref ref;
	uint32_t group;

	assert_non_null(st);
	assert_non_null(d);
	assert_non_null(xml);
	snprintf(xml, 128 + w->instance, "<data id=\"raid\"><name>family %u%*s</name></data>", seed,
	         (int)w->instance, "");
	if (dispatch_desk(c, w->desk, true, &r, why) != PERR_OK)
		fail_msg("not sealed: %s", why);
	assert_int_equal(r.n, w->readers == 0 ? 2 : w->readers);
	st->kind = STATEMENT_INTAKE;
	st->day = client_day(c);
	memcpy(st->to, w->desk, 32);
	rng_fill(c->env.rng, st->record, sizeof st->record);
	memcpy(w->record, st->record, sizeof w->record);
	st->body.intake.form_id = doc_text_of("raid");
	st->body.intake.form_version = doc_text_of("1");
	st->body.intake.language = doc_text_of("es");
	st->body.intake.instance = doc_bytes_of(xml, strlen(xml));
	case_code_new(st->body.intake.code, c->env.rng);
	OK(dispatch_blob(d, data, attachment, &ref));
	st->body.intake.attachments.n = 1;
	st->body.intake.attachments.at[0].name = doc_text_of("photo.jpg");
	st->body.intake.attachments.at[0].type = doc_text_of("image/jpeg");
	st->body.intake.attachments.at[0].size = (uint32_t)attachment;
	memcpy(st->body.intake.attachments.at[0].hash, ref.hash, 32);
	if (hash != NULL)
		memcpy(hash, ref.hash, 32);
	OK(dispatch_begin(d));
	OK(dispatch_send(d, st, &ref, 1, &r, false));
	OK(dispatch_commit(d, &group));
	dispatch_free(d);
	free(data);
	free(xml);
	free(st);
}

static enum perr count(void *arg, const char *name)
{
	(void)name;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

unsigned world_count(struct world *w, enum world_who who, const char *prefix)
{
	unsigned n = 0;

	OK(kv_each_name(w->p[who].kv, prefix, count, &n));
	return n;
}

bool world_has(struct world *w, enum world_who who, size_t attachment, unsigned seed)
{
	uint8_t *data = content(attachment, seed), *value = NULL, hash[32];
	char name[96];
	size_t len;
	bool same;

	crypto_generichash(hash, 32, data, attachment, NULL, 0);
	client_key_name(name, "blob/", hash, 32);
	same = kv_get(w->p[who].kv, name, &value, &len) == PERR_OK && len == attachment &&
	       memcmp(value, data, len) == 0;
	kv_free(value);
	free(data);
	return same;
}

unsigned world_waiting(struct world *w, enum world_who who)
{
	struct outbox_counts k;

	OK(outbox_counts(w->p[who].c, &k));
	return k.cells;
}
