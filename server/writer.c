/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "writer.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#define MAX_CELLS     16384u
#define RELEASE_STACK (128u << 10)      /* more than a release takes */

struct queue {
	struct writer_job *head, **tail;
};

struct writer {
	struct store *st;
	size_t max_cells;
	void (*notify)(void *arg);
	void *arg;
	pthread_t thread;

	pthread_mutex_t mu;             /* all below */
	pthread_cond_t work, finished;
	struct queue waiting, done;
	size_t queued;                  /* weight of what waits or is being written */
	bool is_stopping;
	/* a second thread, for the files of a release (store.h, aside) */
	pthread_t helper;
	pthread_cond_t helped;
	void (*help)(void *job);
	void *help_job;
	bool helper_leaves;
};

static void queue_init(struct queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

static void queue_add(struct queue *q, struct writer_job *job)
{
	job->next = NULL;
	*q->tail = job;
	q->tail = &job->next;
}

/* Move everything from the head of `from` up to, not including, `end` behind `to`. */
static void queue_move(struct queue *to, struct queue *from, const struct writer_job *end)
{
	while (from->head != NULL && from->head != end) {
		struct writer_job *job = from->head;

		from->head = job->next;
		queue_add(to, job);
	}
	if (from->head == NULL)
		queue_init(from);
}

static size_t weight(const struct writer_job *job)
{
	size_t n = job->kind == WRITER_APPEND ? job->u.append.n :
	           job->kind == WRITER_ERASE ? job->u.erase.n : 1;

	return n > 0 ? n : 1;
}

/* These commit by themselves, with no batch open. */
static bool is_alone(const struct writer_job *job)
{
	return job->kind == WRITER_RELEASE || job->kind == WRITER_BULLETIN;
}

static void breathe(void *arg, unsigned ms);
static void aside(void *arg, void (*fn)(void *job), void *job);

static enum perr run_alone(struct writer *w, struct writer_job *job)
{
	struct store *st = w->st;

	if (job->kind == WRITER_RELEASE) {
		job->u.release.breathe = breathe;
		job->u.release.aside = aside;
		job->u.release.arg = w;
		return store_release(st, &job->u.release);
	}
	return store_bulletin_commit(st, job->u.ids.ids, job->u.ids.n, job->metas, job->n_metas);
}

/* Put one job into the batch. */
static enum perr run(struct store *st, struct writer_job *job)
{
	enum perr err = PERR_OK;
	size_t i;

	switch (job->kind) {
	case WRITER_APPEND:
		return store_append(st, job->u.append.cells, job->u.append.n);
	case WRITER_PART:
		return store_part_put(st, job->u.part.hash, job->u.part.total,
		                      job->u.part.offset, job->u.part.piece, job->u.part.len,
		                      &job->u.part.have);
	case WRITER_BOARD_PUT:
		err = store_board_put(st, job->u.put.cell, job->u.put.id, job->u.put.ds,
		                      &job->u.put.status);
		break;
	case WRITER_BOARD_CLEAR:
		err = store_board_clear(st);
		break;
	case WRITER_JOIN_PUT:
		err = store_join_put(st, job->u.put.ticket, job->u.put.cell, job->u.put.id,
		                     &job->u.put.status);
		break;
	case WRITER_JOIN_DROP:
		err = store_join_drop(st, job->u.ids.ids, job->u.ids.n);
		break;
	case WRITER_ERASE:
		for (i = 0; err == PERR_OK && i < job->u.erase.n; i++) {
			struct writer_erase *e = &job->u.erase.items[i];

			err = store_erase(st, e->id, e->ds, job->u.erase.due_day, &e->status);
		}
		break;
	case WRITER_ERASE_VOID:
		err = store_erase_void(st, job->u.ids.ids, job->u.ids.n, &job->u.ids.voided);
		break;
	case WRITER_META:
	case WRITER_BULLETIN:
	case WRITER_RELEASE:
		break;
	}
	if (err == PERR_OK && job->n_metas > 0)
		err = store_meta_set(st, job->metas, job->n_metas);
	return err;
}

static bool touches_state(const struct writer_job *job)
{
	return job->kind != WRITER_APPEND && job->kind != WRITER_PART;
}

/* One commit for the jobs from `job` up to the first that must be alone; what is left. */
static struct writer_job *run_batch(struct writer *w, struct writer_job *job)
{
	struct writer_job *first = job, *j;
	struct store *st = w->st;
	enum perr err;

	if (is_alone(job)) {
		job->result = run_alone(w, job);
		return job->next;
	}
	for (; job != NULL && !is_alone(job); job = job->next)
		job->result = run(st, job);
	err = store_commit(st);
	for (j = first; err != PERR_OK && j != job; j = j->next)
		/* Dead: nobody may be told anything.  Full: only the state part is void. */
		if (err == PERR_IO || touches_state(j))
			j->result = err;
	return job;
}

/* Hand back the jobs of `taken` up to, not including, `rest`; mu is held, and given up once. */
static void hand_back(struct writer *w, struct queue *taken, const struct writer_job *rest)
{
	struct writer_job *job;
	size_t n = 0;

	for (job = taken->head; job != rest; job = job->next)
		n += weight(job);
	queue_move(&w->done, taken, rest);
	w->queued -= n;
	pthread_cond_broadcast(&w->finished);
	if (w->notify == NULL)
		return;
	pthread_mutex_unlock(&w->mu);
	w->notify(w->arg);
	pthread_mutex_lock(&w->mu);
}

/* Take the appends out of what waits; the others stay, in their order. */
static void take_appends(struct queue *to, struct queue *from)
{
	struct writer_job *job = from->head, *next;

	queue_init(from);
	for (; job != NULL; job = next) {
		next = job->next;
		queue_add(job->kind == WRITER_APPEND ? to : from, job);
	}
}

/*
 * While a release writes: cells go into the new pool, which it does not look at.  Whoever else
 * waits is served when it is done.
 */
static void breathe(void *arg, unsigned ms)
{
	struct writer *w = arg;
	struct timespec until;
	struct queue taken;

	queue_init(&taken);
	pthread_mutex_lock(&w->mu);
	take_appends(&taken, &w->waiting);
	if (taken.head == NULL) {
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += ms * 1000000l;
		until.tv_sec += until.tv_nsec / 1000000000l;
		until.tv_nsec %= 1000000000l;
		(void)pthread_cond_timedwait(&w->work, &w->mu, &until);
		take_appends(&taken, &w->waiting);
	}
	if (taken.head != NULL) {
		pthread_mutex_unlock(&w->mu);
		(void)run_batch(w, taken.head);
		pthread_mutex_lock(&w->mu);
		hand_back(w, &taken, NULL);
	}
	pthread_mutex_unlock(&w->mu);
}

static void aside(void *arg, void (*fn)(void *job), void *job)
{
	struct writer *w = arg;

	pthread_mutex_lock(&w->mu);
	w->help = fn;
	w->help_job = job;
	pthread_cond_signal(&w->helped);
	pthread_mutex_unlock(&w->mu);
}

static void *helper_thread(void *arg)
{
	struct writer *w = arg;

	pthread_mutex_lock(&w->mu);
	for (;;) {
		void (*fn)(void *job);
		void *job;

		while (w->help == NULL && !w->helper_leaves)
			pthread_cond_wait(&w->helped, &w->mu);
		if (w->help == NULL)
			break;
		fn = w->help;
		job = w->help_job;
		w->help = NULL;
		pthread_mutex_unlock(&w->mu);
		fn(job);
		/* it walked pages in order of arrival */
		sodium_stackzero(RELEASE_STACK);
		pthread_mutex_lock(&w->mu);
	}
	pthread_mutex_unlock(&w->mu);
	return NULL;
}

static void *writer_thread(void *arg)
{
	struct writer *w = arg;
	struct queue taken;
	struct writer_job *rest;

	queue_init(&taken);
	pthread_mutex_lock(&w->mu);
	for (;;) {
		while (w->waiting.head == NULL && !w->is_stopping) {
			bool has_more;

			pthread_mutex_unlock(&w->mu);
			has_more = store_idle(w->st);
			pthread_mutex_lock(&w->mu);
			if (!has_more && w->waiting.head == NULL && !w->is_stopping)
				pthread_cond_wait(&w->work, &w->mu);
		}
		if (w->waiting.head == NULL)
			break;
		queue_move(&taken, &w->waiting, NULL);
		/* Each commit is handed back at once: its jobs do not wait for a release behind. */
		while (taken.head != NULL) {
			pthread_mutex_unlock(&w->mu);
			rest = run_batch(w, taken.head);
			/* a release walks pages in order of arrival, on this stack */
			if (is_alone(taken.head))
				sodium_stackzero(RELEASE_STACK);
			pthread_mutex_lock(&w->mu);
			hand_back(w, &taken, rest);
		}
	}
	pthread_mutex_unlock(&w->mu);
	return NULL;
}

static void helper_stop(struct writer *w)
{
	pthread_mutex_lock(&w->mu);
	w->helper_leaves = true;
	pthread_cond_signal(&w->helped);
	pthread_mutex_unlock(&w->mu);
	pthread_join(w->helper, NULL);
}

enum perr writer_start(struct writer **out, struct store *st, size_t max_cells,
                       void (*notify)(void *arg), void *arg)
{
	struct writer *w = calloc(1, sizeof *w);
	pthread_condattr_t attr;
	sigset_t all, before;
	int rc;

	*out = NULL;
	if (w == NULL)
		return PERR_NOMEM;
	w->st = st;
	w->max_cells = max_cells == 0 ? MAX_CELLS : max_cells;
	w->notify = notify;
	w->arg = arg;
	queue_init(&w->waiting);
	queue_init(&w->done);
	pthread_mutex_init(&w->mu, NULL);
	/* breathe() must not sleep for an hour because somebody set the clock back */
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&w->finished, NULL);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_cond_init(&w->helped, NULL);
	rc = pthread_create(&w->helper, NULL, helper_thread, w);
	if (rc == 0) {
		rc = pthread_create(&w->thread, NULL, writer_thread, w);
		if (rc != 0)
			helper_stop(w);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		pthread_cond_destroy(&w->helped);
		pthread_cond_destroy(&w->finished);
		pthread_cond_destroy(&w->work);
		pthread_mutex_destroy(&w->mu);
		free(w);
		return PERR_NOMEM;
	}
	*out = w;
	return PERR_OK;
}

enum perr writer_submit(struct writer *w, struct writer_job *job)
{
	enum perr err = PERR_OK;
	size_t n = weight(job);

	pthread_mutex_lock(&w->mu);
	if (w->is_stopping) {
		err = PERR_STATE;
	} else if (w->queued > 0 && w->queued + n > w->max_cells) {
		err = PERR_LIMIT;
	} else {
		w->queued += n;
		queue_add(&w->waiting, job);
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->mu);
	return err;
}

size_t writer_collect(struct writer *w)
{
	struct writer_job *job, *next;
	struct queue done;
	size_t n = 0;

	queue_init(&done);
	pthread_mutex_lock(&w->mu);
	queue_move(&done, &w->done, NULL);
	pthread_mutex_unlock(&w->mu);
	for (job = done.head; job != NULL; job = next) {
		next = job->next;       /* done() may free the job */
		job->done(job);
		n++;
	}
	return n;
}

void writer_wait(struct writer *w)
{
	pthread_mutex_lock(&w->mu);
	while (w->done.head == NULL && w->queued > 0)
		pthread_cond_wait(&w->finished, &w->mu);
	pthread_mutex_unlock(&w->mu);
}

size_t writer_queued(struct writer *w)
{
	size_t n;

	pthread_mutex_lock(&w->mu);
	n = w->queued;
	pthread_mutex_unlock(&w->mu);
	return n;
}

void writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->mu);
	w->is_stopping = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->mu);
	pthread_join(w->thread, NULL);
	helper_stop(w);
	pthread_cond_destroy(&w->helped);
	writer_collect(w);
	pthread_cond_destroy(&w->finished);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->mu);
	free(w);
}
