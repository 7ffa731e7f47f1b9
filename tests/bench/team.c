/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "team.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "enrol.h"
#include "holders.h"
#include "kv_mem.h"
#include "link.h"
#include "org.h"
#include "roster.h"
#include "spool_dir.h"
#include "steward.h"
#include "vault.h"

#define PASS "bench violet kettle harbor"

static void must(enum perr err, const char *what)
{
	if (err != PERR_OK)
		bench_broke("%s: %s", what, perr_text(err));
}

/* ---- what the command line gives its client --------------------------------------------- */

static int64_t env_now(void *ctx)
{
	return (int64_t)time(NULL);
}

struct crew {
	pthread_mutex_t mu;
	size_t next, n;
	void (*fn)(void *arg, size_t i);
	void *arg;
};

static void *crew_work(void *p)
{
	struct crew *crew = p;

	for (;;) {
		size_t i;

		pthread_mutex_lock(&crew->mu);
		i = crew->next++;
		pthread_mutex_unlock(&crew->mu);
		if (i >= crew->n)
			return NULL;
		crew->fn(crew->arg, i);
	}
}

static void env_parallel(void *ctx, size_t n, void (*fn)(void *arg, size_t i), void *arg)
{
	struct crew crew = { .n = n, .fn = fn, .arg = arg };
	pthread_t threads[15];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t want = cores > 16 ? 15 : cores > 1 ? (size_t)cores - 1 : 0, made = 0;

	pthread_mutex_init(&crew.mu, NULL);
	while (made < want && pthread_create(&threads[made], NULL, crew_work, &crew) == 0)
		made++;
	crew_work(&crew);
	while (made > 0)
		pthread_join(threads[--made], NULL);
	pthread_mutex_destroy(&crew.mu);
}

/* ---- people ------------------------------------------------------------------------------ */

static void open_client(struct member *m)
{
	struct client_env env = { .rng = rng_system(), .now = env_now, .parallel = env_parallel };

	if (m->key != NULL) {
		must(vault_open(&m->vault, bench_path(m->name), m->key), "vault_open");
		m->kv = vault_kv(m->vault);
	}
	must(client_open(&m->c, m->kv, &env), "client_open");
}

static void member_new(struct member *m, const char *name, bool has_vault, bool downloads)
{
	snprintf(m->name, sizeof m->name, "%s", name);
	if (has_vault) {
		struct spool_store *store;
		char home[300], dir[320];

		snprintf(home, sizeof home, "%s", bench_path(name));
		snprintf(dir, sizeof dir, "%s/spool", home);
		m->key = sodium_malloc(sizeof *m->key);
		if (m->key == NULL)
			bench_broke("out of memory");
		must(vault_create(home, PASS, sizeof PASS - 1, VAULT_LIGHT), "vault_create");
		must(vault_derive(m->key, home, PASS, sizeof PASS - 1), "vault_derive");
		if (downloads) {
			must(spool_dir_new(&store, dir), "spool_dir_new");
			must(spool_open(&m->spool, store), "spool_open");
		}
	} else {
		m->kv = kv_mem_new();
		if (m->kv == NULL)
			bench_broke("out of memory");
	}
	open_client(m);
}

void team_reopen(struct member *m)
{
	client_free(m->c);
	vault_close(m->vault);
	open_client(m);
}

static void member_end(struct member *m)
{
	client_free(m->c);
	spool_free(m->spool);
	if (m->key != NULL) {
		vault_close(m->vault);
		sodium_free(m->key);
		serve_remove(bench_path(m->name));
	} else if (m->kv != NULL) {
		kv_mem_free(m->kv);
	}
}

void team_sync(struct member *m)
{
	struct link_loop *loop;
	struct sync_net net;
	enum perr err;

	must(link_loop_new(&loop), "link_loop_new");
	net = link_net(loop);
	err = sync_all(m->c, &net, m->spool, NULL, &m->last);
	link_loop_free(loop);
	if (err != PERR_OK)
		bench_broke("%s cannot sync: %s: %s", m->name, perr_text(err),
		            m->last.servers[0].why);
}

static void visit(struct team *t, unsigned want, struct steward_server *r)
{
	struct link_loop *loop;
	struct sync_net net;
	enum perr err;

	must(link_loop_new(&loop), "link_loop_new");
	net = link_net(loop);
	err = steward_visit(t->admin.c, &net, 0, want, r);
	link_loop_free(loop);
	if (err != PERR_OK)
		bench_broke("the administrator's visit: %s: %s", perr_text(err), r->why);
}

static void push(struct team *t)
{
	struct steward_server r;

	visit(t, STEWARD_PUSH | STEWARD_ANSWERS, &r);
}

uint32_t team_release(struct team *t)
{
	struct steward_server r;

	visit(t, STEWARD_RELEASE, &r);
	return r.released_cells;
}

/* ---- joining ----------------------------------------------------------------------------- */

struct answers {
	struct join *v;
	size_t n, max;
};

static enum perr take_answer(void *arg, const struct org_answer *a)
{
	struct answers *k = arg;

	if (k->n < k->max)
		k->v[k->n++] = a->join;
	return PERR_OK;
}

/* n people with one invitation each, confirmed together */
static void join_all(struct team *t, struct member *m, size_t n, enum client_role role,
                     const uint8_t *desk, bool in_memory)
{
	struct invite *inv = calloc(n, sizeof *inv);
	struct answers k = { .v = calloc(n, sizeof *k.v), .max = n };
	const char *const languages[] = { "es", "en" };
	char name[32];
	size_t i;

	if (inv == NULL || k.v == NULL)
		bench_broke("out of memory");
	must(org_invite(t->admin.c, role, (unsigned)n, desk, NULL, inv), "org_invite");
	push(t);
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof name, "%s %zu", role == ROLE_VOLUNTEER ? "volunteer" : "holder",
		         i + 1);
		member_new(&m[i], name, !in_memory, role != ROLE_VOLUNTEER);
		must(enrol_begin(m[i].c, &inv[i], name, languages, 2), "enrol_begin");
		team_sync(&m[i]);
		must(enrol_answer(m[i].c), "enrol_answer");
		team_sync(&m[i]);
		invite_wipe(&inv[i]);
	}
	push(t);
	must(org_answers(t->admin.c, take_answer, &k), "org_answers");
	if (k.n != n)
		bench_broke("%zu of %zu answers came", k.n, n);
	for (i = 0; i < n; i++)
		must(org_confirm(t->admin.c, &k.v[i], NULL), "org_confirm");
	push(t);
	for (i = 0; i < n; i++) {
		team_sync(&m[i]);
		if (m[i].c->me->state != CLIENT_MEMBER)
			bench_broke("%s did not become a member", m[i].name);
	}
	free(k.v);
	free(inv);
}

static void sync_both(struct team *t)
{
	team_sync(&t->holders[0]);
	team_sync(&t->holders[1]);
}

static void found_desk(struct team *t)
{
	uint8_t ids[2][32], *form;
	size_t len, i;

	for (i = 0; i < 2; i++)
		memcpy(ids[i], t->holders[i].c->me->sign_pk, 32);
	must(holders_propose(t->holders[0].c, "Mesa Delta", "Amparo del Delta", 1,
	                     (const uint8_t (*)[32])ids, 2, t->desk), "holders_propose");
	team_sync(&t->holders[0]);
	(void)team_release(t);
	team_sync(&t->holders[1]);
	must(holders_sign(t->holders[1].c, t->desk), "holders_sign");
	team_sync(&t->holders[1]);
	(void)team_release(t);
	team_sync(&t->admin);
	must(org_desk_list(t->admin.c, t->desk), "org_desk_list");
	form = team_source("docs/forms/raid-intake.xml", &len);
	must(org_form_publish(t->admin.c, "raid-intake", "2026112401", "Raid intake", t->desk, form,
	                      len), "org_form_publish");
	free(form);
	push(t);
	/* holders' keys move to the board that volunteers read */
	sync_both(t);
	(void)team_release(t);
	sync_both(t);
}

struct team *team_new(size_t n_volunteers, bool in_memory)
{
	struct team *t = calloc(1, sizeof *t);

	if (t == NULL || sodium_init() < 0)
		bench_broke("out of memory");
	serve_start(&t->server, "team");
	member_new(&t->admin, "administrator", false, false);
	must(spool_open(&t->admin.spool, spool_mem_new()), "spool_open");
	must(org_found(t->admin.c, "Amparo del Delta", "Teresa Nunez"), "org_found");
	must(org_server_add(t->admin.c, &t->server.card), "org_server_add");
	push(t);
	team_sync(&t->admin);
	join_all(t, t->holders, 2, ROLE_ATTORNEY, NULL, false);
	found_desk(t);
	t->volunteers = calloc(n_volunteers + 1, sizeof *t->volunteers);
	if (t->volunteers == NULL)
		bench_broke("out of memory");
	if (n_volunteers > 0)
		join_all(t, t->volunteers, n_volunteers, ROLE_VOLUNTEER, t->desk, in_memory);
	t->n_volunteers = n_volunteers;
	(void)team_release(t);
	sync_both(t);
	return t;
}

void team_free(struct team *t)
{
	size_t i;

	for (i = 0; i < t->n_volunteers; i++)
		member_end(&t->volunteers[i]);
	member_end(&t->holders[0]);
	member_end(&t->holders[1]);
	member_end(&t->admin);
	free(t->volunteers);
	serve_end(&t->server);
	free(t);
}

uint8_t *team_source(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf;
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
		bench_broke("%s cannot be read: run from the sources' folder", path);
	rewind(f);
	buf = malloc((size_t)size + 1);
	if (buf == NULL)
		bench_broke("out of memory");
	*len = fread(buf, 1, (size_t)size, f);
	fclose(f);
	return buf;
}
