/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * op_sync: a sync whose bytes the page moves (sync_run.h).  Shapes and order: app/ops_sync.ts.
 *
 * What a step gives out leaves the page only after what that step stored is on disk, since an
 * op's answer comes after its changes (web.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbox.h"
#include "outbox_file.h"
#include "spool.h"
#include "sync_run.h"
#include "web_ops.h"

#define IN_MAX    ((size_t)1 << 20)       /* bytes of one sync_recv */
/* of cells kept for attachments that come later (spool.h); more cost a rescan, no record */
#define SPOOL_MAX ((uint64_t)128 << 20)
#define FILE_MAX  ((size_t)256 << 20)     /* of an outbox file */

struct wsync {
	struct spool *spool;             /* from one sync to the next, until the vault is locked */
	struct sync_run *run;            /* NULL: none is going on */
	struct sync_hooks hooks;
	struct sync_progress at;
	enum sync_choice choice;         /* for a large backlog; SYNC_STOP: ask */
	struct sync_backlog backlog;
	bool has_backlog;
	char address[81];                /* of the backlog */
};

static void wsync_free(void *state)
{
	struct wsync *s = state;

	sync_run_free(s->run);
	spool_free(s->spool);
	free(s);
}

static void on_progress(void *ctx, const struct sync_progress *p)
{
	((struct wsync *)ctx)->at = *p;
}

static enum sync_choice on_backlog(void *ctx, const struct sync_backlog *b)
{
	struct wsync *s = ctx;

	if (s->choice == SYNC_STOP && !s->has_backlog) {
		s->backlog = *b;
		snprintf(s->address, sizeof s->address, "%s", b->address);
		s->has_backlog = true;
	}
	return s->choice;
}

static enum perr wsync_of(struct web *w, struct wsync **out)
{
	struct wsync *s = w->part[WEB_PART_SYNC].state;
	struct spool_store *store;
	enum perr err;

	*out = s;
	if (s != NULL)
		return PERR_OK;
	s = calloc(1, sizeof *s);
	store = spool_mem_new();
	if (s == NULL || store == NULL) {
		free(s);
		if (store != NULL)
			store->free(store);
		return PERR_NOMEM;
	}
	err = spool_open(&s->spool, store);
	if (err != PERR_OK) {
		free(s);
		return err;
	}
	spool_bound(s->spool, SPOOL_MAX);
	s->hooks = (struct sync_hooks){ .progress = on_progress, .backlog = on_backlog, .ctx = s };
	web_part_set(w, WEB_PART_SYNC, s, wsync_free);
	*out = s;
	return PERR_OK;
}

/* the sync that is going on; PERR_STATE: none */
static enum perr running(struct web *w, struct wsync **out)
{
	*out = w->part[WEB_PART_SYNC].state;
	return *out == NULL || (*out)->run == NULL ? PERR_STATE : PERR_OK;
}

enum perr op_sync_start(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *choice = web_arg_text(a, "choice", 1, 8);
	enum perr err = web_args_end(a);
	enum sync_choice c = SYNC_STOP;
	struct wsync *s;

	(void)o;
	if (err != PERR_OK)
		return err;
	if (strcmp(choice, "go") == 0)
		c = SYNC_GO;
	else if (strcmp(choice, "light") == 0)
		c = SYNC_LIGHT;
	else if (strcmp(choice, "ask") != 0)
		return PERR_FORMAT;
	err = wsync_of(w, &s);
	if (err != PERR_OK)
		return err;
	/* one that the page left behind: it begins anew */
	sync_run_free(s->run);
	s->run = NULL;
	s->choice = c;
	s->has_backlog = false;
	s->at = (struct sync_progress){ .phase = SYNC_CONNECTING };
	return sync_run_new(&s->run, w->c, s->spool, &s->hooks);
}

static enum perr fail_run(struct wsync *s, enum perr err)
{
	sync_run_free(s->run);
	s->run = NULL;
	return err;
}

enum perr op_sync_next(struct web *w, struct web_args *a, struct web_out *o)
{
	enum perr err = web_args_end(a);
	const uint8_t *hello;
	struct sync_want want;
	struct wsync *s;
	size_t n;

	if (err == PERR_OK)
		err = running(w, &s);
	if (err != PERR_OK)
		return err;
	err = sync_run_next(s->run, &want);
	if (err != PERR_OK)
		return fail_run(s, err);
	web_out_bool(o, "want", want.peer != NULL);
	if (want.peer == NULL)
		return PERR_OK;
	/* it goes in the request that opens the WebSocket (PROTOCOL 5.3) */
	n = peer_pending(want.peer, &hello);
	web_out_str(o, "address", want.address);
	web_out_bin(o, "hello", hello, n);
	peer_sent(want.peer, n);
	return PERR_OK;
}

static const char *phase_name(enum sync_phase p)
{
	switch (p) {
	case SYNC_CONNECTING:  return "connecting";
	case SYNC_BULLETIN:    return "bulletin";
	case SYNC_BOARD:       return "board";
	case SYNC_POSTING:     return "posting";
	case SYNC_UPLOADING:   return "uploading";
	case SYNC_DOWNLOADING: return "downloading";
	case SYNC_STORING:     return "storing";
	}
	return "";
}

/* what is to be sent now, and how far it is */
static void put_step(const struct wsync *s, struct peer *p, struct web_out *o)
{
	const uint8_t *out, *more;
	size_t n = peer_pending(p, &out);

	web_out_bin(o, "out", out, n);
	peer_sent(p, n);
	web_out_bool(o, "more", peer_pending(p, &more) > 0);
	web_out_bool(o, "done", peer_done(p));
	web_out_str(o, "phase", phase_name(s->at.phase));
	web_out_uint(o, "n", s->at.done);
	web_out_uint(o, "total", s->at.total);
	web_out_uint(o, "moved", peer_bytes_in(p) + peer_bytes_out(p));
}

static enum perr connected(struct web *w, struct wsync **s, struct peer **p)
{
	enum perr err = running(w, s);

	if (err != PERR_OK)
		return err;
	*p = sync_run_peer((*s)->run);
	return *p == NULL ? PERR_STATE : PERR_OK;
}

enum perr op_sync_recv(struct web *w, struct web_args *a, struct web_out *o)
{
	size_t len;
	const uint8_t *bytes = web_arg_bytes(a, "bytes", 1, IN_MAX, &len);
	enum perr err = web_args_end(a);
	struct wsync *s;
	struct peer *p;

	if (err == PERR_OK)
		err = connected(w, &s, &p);
	if (err != PERR_OK)
		return err;
	/* its failure is the connection's, not the op's: sync_closed follows */
	(void)!peer_recv(p, bytes, len);
	put_step(s, p, o);
	return PERR_OK;
}

enum perr op_sync_sent(struct web *w, struct web_args *a, struct web_out *o)
{
	enum perr err = web_args_end(a);
	struct wsync *s;
	struct peer *p;

	if (err == PERR_OK)
		err = connected(w, &s, &p);
	if (err == PERR_OK)
		put_step(s, p, o);
	return err;
}

enum perr op_sync_closed(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *how = web_arg_text(a, "how", 1, 16);
	enum perr err = web_args_end(a), net = PERR_NET;
	const char *why = "";
	struct wsync *s;
	struct peer *p;

	(void)o;
	if (err == PERR_OK)
		err = connected(w, &s, &p);
	if (err != PERR_OK)
		return err;
	if (strcmp(how, "end") == 0) {
		peer_eof(p);
		net = peer_error(p);
	} else if (strcmp(how, "connect") == 0) {
		why = "no connection could be made";
	} else if (strcmp(how, "timeout") == 0) {
		net = PERR_TIMEOUT;
		why = "it did not answer in time";
	} else if (strcmp(how, "off") == 0) {
		why = "the visit was broken off";
	} else {
		return PERR_FORMAT;
	}
	sync_run_over(s->run, net, why);
	return PERR_OK;
}

/* ---- what came of it ----------------------------------------------------------------------- */

static void put_notes(struct web_out *o, unsigned notes)
{
	/* by the bits of enum sync_note */
	static const char *const names[] = {
		"roster_new", "fork", "behind", "bad_bulletin", "disk_full", "limit", "refused",
		"digest", "stopped", "light", "rescanned", "no_slot", "shrunk", "clock", "board",
		"ticket", "damaged", "apart", "revoked"
	};
	size_t i;

	web_out_list(o, "notes");
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((notes >> i & 1) != 0)
			web_out_str(o, NULL, names[i]);
	web_out_end(o);
}

static void put_server(struct web_out *o, const struct sync_server *s)
{
	web_out_map(o, NULL);
	web_out_str(o, "address", s->address);
	web_out_bool(o, "reached", s->reached);
	web_out_bool(o, "complete", s->complete);
	web_out_err(o, "code", s->err);
	web_out_str(o, "why", s->why);
	put_notes(o, s->notes);
	web_out_uint(o, "uploaded", s->uploaded);
	web_out_uint(o, "submissions", s->submissions);
	web_out_uint(o, "posted", s->posted);
	web_out_uint(o, "pulled", s->pulled);
	web_out_uint(o, "fresh", s->taken.fresh + s->taken.pending);
	web_out_uint(o, "blobs", s->blobs);
	web_out_uint(o, "bytes_in", s->bytes_in);
	web_out_uint(o, "bytes_out", s->bytes_out);
	web_out_end(o);
}

static void put_backlog(struct web_out *o, const struct wsync *s)
{
	if (!s->has_backlog) {
		web_out_nil(o, "backlog");
		return;
	}
	web_out_map(o, "backlog");
	web_out_str(o, "address", s->address);
	web_out_uint(o, "cells", s->backlog.cells);
	web_out_uint(o, "bytes", s->backlog.bytes);
	web_out_uint(o, "minutes", s->backlog.minutes);
	web_out_uint(o, "light_bytes", s->backlog.light_bytes);
	web_out_bool(o, "rescan", s->backlog.is_rescan);
	web_out_end(o);
}

static void put_summary(struct web_out *o, const struct wsync *s, enum perr code,
                        const struct sync_summary *sum, bool more)
{
	unsigned i;

	web_out_err(o, "code", code);
	web_out_list(o, "servers");
	for (i = 0; i < sum->n_servers; i++)
		put_server(o, &sum->servers[i]);
	web_out_end(o);
	web_out_uint(o, "complete", sum->n_complete);
	web_out_bool(o, "roster_new", sum->roster_new);
	web_out_uint(o, "submissions", sum->submissions);
	web_out_uint(o, "to_send", sum->to_send);
	web_out_uint(o, "wants", sum->wants);
	web_out_uint(o, "alarms", sum->alarms);
	web_out_uint(o, "fresh", sum->fresh);
	web_out_bool(o, "more", more);
	put_backlog(o, s);
}

enum perr op_sync_summary(struct web *w, struct web_args *a, struct web_out *o)
{
	enum perr err = web_args_end(a), code;
	struct sync_summary *sum;
	struct wsync *s;
	bool more;

	if (err == PERR_OK)
		err = running(w, &s);
	if (err != PERR_OK)
		return err;
	sum = calloc(1, sizeof *sum);
	if (sum == NULL)
		return fail_run(s, PERR_NOMEM);
	code = sync_run_summary(s->run, sum);
	more = sum->more;
	if (code == PERR_MORE)
		err = PERR_STATE;
	else
		err = sync_follow_up(w->c, &more);
	if (err == PERR_OK)
		put_summary(o, s, code, sum, more);
	free(sum);
	return code == PERR_MORE ? err : fail_run(s, err);
}

/* ---- what waits, as a file ------------------------------------------------------------------ */

struct file {
	uint8_t *bytes;
	size_t len, size;
};

static enum perr add_piece(void *arg, const uint8_t piece[OUTFILE_PIECE])
{
	struct file *f = arg;

	if (f->size - f->len < OUTFILE_PIECE) {
		size_t size = f->size == 0 ? (size_t)4 * OUTFILE_PIECE : f->size * 2;
		uint8_t *more = size > FILE_MAX ? NULL : realloc(f->bytes, size);

		if (more == NULL)
			return PERR_NOMEM;
		f->bytes = more;
		f->size = size;
	}
	memcpy(f->bytes + f->len, piece, OUTFILE_PIECE);
	f->len += OUTFILE_PIECE;
	return PERR_OK;
}

enum perr op_outbox_save(struct web *w, struct web_args *a, struct web_out *o)
{
	enum perr err = web_args_end(a);
	struct file f = { .len = 0 };
	struct outbox_save s;

	if (err == PERR_OK)
		err = outbox_save(w->c, add_piece, &f, &s);
	if (err == PERR_OK) {
		/* a date in the name would say when somebody had to carry it */
		web_out_str(o, "name", "outbox.amparo");
		web_out_bin(o, "bytes", f.bytes, f.len);
		web_out_uint(o, "last", s.last_group);
		web_out_bool(o, "more", s.more);
	}
	free(f.bytes);                   /* sealed: nothing in it is secret */
	return err;
}

enum perr op_outbox_saved(struct web *w, struct web_args *a, struct web_out *o)
{
	uint32_t last = (uint32_t)web_arg_uint(a, "last", UINT32_MAX);
	enum perr err = web_args_end(a);

	(void)o;
	return err == PERR_OK ? outbox_saved(w->c, last) : err;
}
