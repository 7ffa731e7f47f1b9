/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * sync: a visit to each server of the roster.
 *
 * Which connections a visit needs.  A connection has one scope (PROTOCOL 6), so:
 *
 *	counsel   attorneys, interpreters, administrators: everything in one connection:
 *	          bulletin, board, own documents, outbox, download
 *	field     volunteers, and members whose slot opens the field body only: bulletin,
 *	          board, outbox
 *	guest     before the first roster; to put the answer to an invitation; and when a
 *	          server does not know this device's key (a phone a month off): only the
 *	          bulletin is fetched, and with the keys in it the visit begins again.  If it
 *	          has none newer, the server was away: keys of before are tried (keyring.h)
 *
 * The highest scope the client holds a key for is used.  An answer to an invitation that
 * waits is put first, in a guest connection of its own.  When a visit brought a roster that
 * opens a higher scope (a new attorney's slot), the same server is visited once more.
 *
 * The order of one visit:
 *
 *	hello → day → bulletin, if its hash is another: header, bodies, slots, forms →
 *	board, if its digest is another → own prekeys and documents → outbox (topped up with
 *	decoys and mixed before the first cell: decoys.h) → segments after the last one, trial,
 *	chunks → position saved → erasures (erase.h) → bye
 *
 * If nothing changed anywhere, hello's answer shows it and bye follows: TCP, handshake,
 * hello.  Records are stored before the position; a kill in between repeats work and loses
 * nothing.  Servers are visited one after the other, those that answered last time first;
 * one that fails never stops the others.
 *
 * A dishonest server: what pull gave is held against the count and digest that `segments`
 * announced, and a difference is reported; a bulletin is believed only as far as its
 * signatures go; an older one is reported.  What it leaves out altogether is noticed only
 * through the other servers and through gaps in sequence numbers.
 *
 * Files: sync_run.c plans and sums up (for a caller that cannot wait, too: sync_run.h), sync.c
 * moves it over a network; visit.c one connection up to the outbox; bulletin and
 * slots in visit_bulletin.c; fetch.c the download.
 */
#ifndef AMPARO_SYNC_H
#define AMPARO_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "peer.h"
#include "perr.h"
#include "rpc.h"
#include "spool.h"

#define SYNC_SERVERS_MAX 8

/* ---- what the caller supplies --------------------------------------------------------------- */

/*
 * Connect to address and move p's bytes until peer_done.  Whatever goes wrong is given to
 * the peer (peer_eof, peer_abort) and as a sentence to why (may stay "").
 * returns PERR_OK after a proper end, else the reason; PERR_AUTH: the handshake failed
 */
struct sync_net {
	enum perr (*run)(void *ctx, const char *address, struct peer *p,
	                 char *why, size_t why_size);
	void *ctx;
};

enum sync_phase {
	SYNC_CONNECTING, SYNC_BULLETIN, SYNC_BOARD, SYNC_POSTING, SYNC_UPLOADING,
	SYNC_DOWNLOADING, SYNC_STORING
};

struct sync_progress {
	enum sync_phase phase;
	const char *address;             /* of the server being visited */
	uint64_t bytes;                  /* moved in this connection */
	uint64_t done, total;            /* cells of this phase; total 0: not known */
};

/* before a download larger than the roster's "light" limit, or a rescan */
struct sync_backlog {
	const char *address;
	uint64_t cells;
	uint64_t bytes;
	unsigned minutes;                /* at the rate of the last download, 2 MB/s before one */
	uint64_t light_bytes;            /* what peeking costs, without the hits */
	bool is_rescan;                  /* everything once more, for attachments still missing */
};

enum sync_choice {
	SYNC_GO,                 /* pull everything: the server learns nothing */
	SYNC_LIGHT,              /* peek, then fetch hits among others: THREATS says what it tells */
	SYNC_STOP                /* not now; the position stays */
};

struct sync_hooks {
	/* NULL: not interested */
	void (*progress)(void *ctx, const struct sync_progress *p);
	/* NULL: always SYNC_GO.  The connection waits meanwhile, at most LINK_IDLE_MS on the
	 * server's side: a person who is asked longer finds it closed, and syncs again */
	enum sync_choice (*backlog)(void *ctx, const struct sync_backlog *b);
	void *ctx;
};

/* ---- what came of it ------------------------------------------------------------------------ */

enum sync_note {                 /* bits of sync_server.notes */
	SYNC_N_ROSTER_NEW   = 1 << 0,    /* a newer roster was adopted from here */
	SYNC_N_FORK         = 1 << 1,    /* signed differently under the same version: ALARM */
	SYNC_N_BEHIND       = 1 << 2,    /* its bulletin is older than ours */
	SYNC_N_BAD_BULLETIN = 1 << 3,    /* its bulletin does not verify, or a part is missing */
	SYNC_N_DISK_FULL    = 1 << 4,    /* it refused cells: its disk is full; they stay here */
	SYNC_N_LIMIT        = 1 << 5,    /* it refused cells for now: a limit; they stay here */
	SYNC_N_REFUSED      = 1 << 6,    /* it refused a cell for good; it stays here */
	SYNC_N_DIGEST       = 1 << 7,    /* it gave other cells than it had announced */
	SYNC_N_STOPPED      = 1 << 8,    /* the backlog was put off */
	SYNC_N_LIGHT        = 1 << 9,    /* downloaded in light mode */
	SYNC_N_RESCANNED    = 1 << 10,
	SYNC_N_NO_SLOT      = 1 << 11,   /* no slot of the newest bulletin opens for this member */
	SYNC_N_SHRUNK       = 1 << 12,   /* its newest segment is older than one seen before */
	SYNC_N_CLOCK        = 1 << 13,   /* its day is more than a day from this device's */
	SYNC_N_BOARD        = 1 << 14,   /* the board brought something new */
	SYNC_N_TICKET       = 1 << 15,   /* it does not know the invitation's ticket (any more) */
	SYNC_N_DAMAGED      = 1 << 16,   /* it could not read some of its cells */
	SYNC_N_APART        = 1 << 17,   /* its roster and ours each lack a change of the other */
	SYNC_N_REVOKED      = 1 << 18    /* its bulletin says that the membership ended (revoked.h) */
};

struct sync_taken {              /* statements */
	uint32_t fresh, known, pending, not_for_me, bad;
	uint32_t told;                   /* custody statements: nothing for a person */
};

struct sync_server {
	char address[81];
	uint8_t pk[32];
	bool reached;                    /* the channel opened */
	bool complete;                   /* everything that was to be done was done */
	enum perr err;
	char why[200];                   /* one sentence if not complete, else "" */
	unsigned notes;                  /* enum sync_note */
	enum rpc_scope scope;            /* of the last connection */
	uint32_t uploaded;               /* cells committed there now, decoys counted */
	uint32_t submissions;            /* submissions of which it got the last cell now */
	uint32_t posted;                 /* own documents accepted there */
	uint32_t erasures;               /* cells whose erasure rests there now, or is done */
	uint64_t pulled;                 /* cells */
	uint64_t own;                    /* of them opened by a key of this member */
	struct sync_taken taken;
	uint32_t blobs;                  /* attachments and spilled statements completed */
	uint64_t bytes_in, bytes_out;
	unsigned round_trips;            /* with TCP's */
};

struct sync_summary {
	struct sync_server servers[SYNC_SERVERS_MAX];
	unsigned n_servers;
	unsigned n_complete;
	bool roster_new;
	unsigned submissions;            /* still waiting for a server */
	unsigned waiting;                /* cells in them, decoys not counted */
	unsigned to_send;                /* all cells that wait: to see whether a visit got on */
	unsigned wants;                  /* blobs whose chunks are still missing */
	unsigned alarms;                 /* notices_alarms now */
	uint32_t fresh;                  /* statements new to this vault */
	bool more;                       /* duties.h: sync again now, to send what they queued */
};

/*
 * Visit every server of the roster (of the invitation before one is known).
 *
 * spool    in: where pulled cells are kept; NULL for those who download nothing
 * summary  out: always filled
 *
 * PERR_OK if at least one server was visited completely; otherwise the first server's
 * reason.  PERR_STATE: nobody joined in this store.  Errors of the own store (PERR_IO,
 * PERR_CORRUPT, PERR_FULL, PERR_NOMEM) end everything.
 */
PERR_MUST_CHECK enum perr sync_all(struct client *c, const struct sync_net *net,
                                  struct spool *spool, const struct sync_hooks *hooks,
                                  struct sync_summary *summary);

/* One server only, as sync_all does it (address and key as in the roster). */
PERR_MUST_CHECK enum perr sync_one(struct client *c, const struct sync_net *net,
                                  struct spool *spool, const struct sync_hooks *hooks,
                                  const char *address, const uint8_t server_pk[32],
                                  struct sync_server *result);

/* One server, and of it the bulletin and the forms only: nothing is sent, nothing else read. */
PERR_MUST_CHECK enum perr sync_roster(struct client *c, const struct sync_net *net,
                                     const char *address, const uint8_t server_pk[32],
                                     struct sync_server *result);

/*
 * What follows, for a member, from what a sync brought: the answer to an invitation once a
 * roster is here, prekeys of one's own.  For after each sync.
 * more  in/out: true if there is something to be sent now
 */
PERR_MUST_CHECK enum perr sync_follow_up(struct client *c, bool *more);

/* The sentence for one note (the lowest bit of `note`); static, starts in lower case. */
const char *sync_note_text(unsigned note);

/*
 * Days through which every server of the roster was scanned whole: the smallest over all
 * of them; 0 if one was never scanned.
 */
PERR_MUST_CHECK enum perr sync_scanned_through(struct client *c, uint32_t *day);

#endif
