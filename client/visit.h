/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * visit: one connection to one server, from hello to bye, as a chain of callbacks over a
 * peer.  Inside of sync.c: see sync.h for the order and the promises.
 *
 *	visit_new(&v, …);  visit_start(v);   (the network moves p's bytes until it is done)
 *	visit_end(v)                         fills the result, frees
 *
 * Steps run one after the other; each ends with visit_next, or with visit_fail.
 */
#ifndef AMPARO_VISIT_H
#define AMPARO_VISIT_H

#include <stdbool.h>
#include <stdint.h>

#include "seen.h"
#include "sync.h"

enum visit_step {
	VISIT_HELLO, VISIT_BULLETIN, VISIT_FORMS, VISIT_BOARD, VISIT_POSTS, VISIT_UPLOAD,
	VISIT_DOWNLOAD, VISIT_ERASE, VISIT_BYE
};

struct visit_part;               /* a part being fetched (visit_bulletin.c) */
struct visit_bulletin;
struct visit_board;
struct upload;                   /* visit_upload.c */
struct fetch;                    /* fetch.h */
struct visit_erase;              /* visit_erase.c */
struct tagmap;
struct decoys;

struct visit {
	struct client *c;
	struct peer *p;
	struct spool *spool;
	struct tagmap *done_ids;         /* cells worked on in this run, from any server; borrowed */
	struct decoys *decoys;           /* for the upload; borrowed; may be NULL: none are mixed in */
	const struct sync_hooks *hooks;
	struct sync_server *out;
	enum rpc_scope scope;
	bool only_join;                  /* guest: put the answer, nothing else */
	bool only_roster;                /* bulletin and forms, nothing else */
	bool rebased;                    /* the roster here is now above the server's (rebase.h) */
	uint8_t access[32];              /* the key of this connection */
	bool is_old_key;                 /* a roster came that has another one: begin again */
	enum visit_step step;
	bool is_over;                    /* bye was said, or it failed */
	enum perr store_err;             /* of our own store: ends the whole sync */
	struct seen seen;
	/* of hello */
	uint32_t day;
	uint32_t bulletin_version;
	uint8_t header_hash[32], board_digest[32];
	bool has_newest;
	uint32_t newest_day, newest_release;
	uint32_t puts_per_commit;
	/* of the steps, freed by visit_end */
	struct visit_bulletin *bulletin;
	struct visit_board *board;
	struct upload *upload;
	struct fetch *fetch;
	struct visit_erase *erase;
};

PERR_MUST_CHECK enum perr visit_new(struct visit **out, struct client *c, struct peer *p,
                                   struct spool *spool, struct tagmap *done_ids,
                                   const struct sync_hooks *hooks,
                                   struct sync_server *result, enum rpc_scope scope,
                                   bool only_join);
/* queue hello */
void visit_start(struct visit *v);
/*
 * After the peer ended.  The error of our own store, or PERR_OK; everything else is in the
 * result.  Frees v; NULL is harmless.
 */
PERR_MUST_CHECK enum perr visit_end(struct visit *v);

/* ---- for the steps ------------------------------------------------------------------------- */

void visit_next(struct visit *v);
/* say it in a sentence (kept if there is none yet) and leave; later steps do not run */
void visit_fail(struct visit *v, enum perr err, const char *why);
/* our own store failed */
void visit_store_failed(struct visit *v, enum perr err);
/*
 * For callbacks of peer_call: true if the visit goes on.  The end of the connection is
 * noted; a refusal is the caller's (err stays PERR_REFUSED).
 */
bool visit_alive(struct visit *v, enum perr err);
void visit_progress(struct visit *v, enum sync_phase phase, uint64_t done, uint64_t total);
/* write v->seen: one batch of its own */
PERR_MUST_CHECK enum perr visit_save_seen(struct visit *v);
/*
 * A request for something at a place: answers come in any order and do not say which place
 * they are for.  fn is called once, unless the visit is over by then.
 */
typedef void visit_fn(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m);
/* false: it could not be asked, and the visit is over */
bool visit_ask(struct visit *v, const struct rpc_msg *m, uint32_t at, visit_fn *fn);

void visit_bulletin_start(struct visit *v);
void visit_bulletin_free(struct visit *v);
void visit_forms_start(struct visit *v);
void visit_board_start(struct visit *v);
void visit_board_free(struct visit *v);
void visit_posts_start(struct visit *v);
void visit_upload_start(struct visit *v);
void visit_upload_free(struct visit *v);
void visit_erase_start(struct visit *v);
void visit_erase_free(struct visit *v);

#endif
