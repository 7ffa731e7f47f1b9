/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store: the server's disk (DESIGN section 9).
 *
 *   DIR/state.mdb                metas, inbox, board, erasures and tombstones, list of segments
 *   DIR/pool.mdb                 arrival number ‖ id → cell, until the next release
 *   DIR/segments/20782.07.mdb    release 7 of day 20782, id → cell, never changed afterwards
 *   DIR/segments/20780.mdb       a settled day
 *   DIR/bulletin/<hex>           a part, named by its hash; <hex>.part while it is uploaded
 *
 * Files are 0600, folders 0700; no lock file, no time, no address is ever written.  While a
 * release runs, files ending in .new or .old exist beside these; after a kill the next open
 * finishes or drops them.  The commit point of a release is the rename of state.mdb.
 *
 * Cells are opaque here: STORE_CELL bytes named by id = BLAKE2b-256(cell), with the tag T at
 * bytes 32..63.  Whoever stores a cell has hashed it and has checked that E is canonical.
 *
 * Threads.  There are two kinds of calls and each says which it is:
 *   [W]  the writing thread: one thread at a time, for the whole life of the store.  In the
 *        server this is writer.h's thread; nobody else calls these.
 *   [R]  any thread, at once with [W] and with other [R].  May wait for one commit or one
 *        read of the disk: from the loop call them through a worker.
 *
 * Death.  When a commit or a sync fails nothing can be promised any more: the store is dead,
 * every [W] call gives PERR_IO, store_dead_reason() says why, and the process must stop and
 * open again.  Whatever was not answered with PERR_OK before may or may not be there.
 *
 * Memory: STORE_ID_BYTES per cell for the id set, 8 bytes per 70 cells of an open segment
 * (at most STORE_OPEN_MAX of them) and 8 bytes per cell of it that was read, 40 bytes per cell
 * of the pool once an erasure named one of them, and during a
 * release up to 4 KiB per cell of the file being written, but never more than 512 MiB.
 */
#ifndef AMPARO_STORE_H
#define AMPARO_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

#define STORE_CELL      4080u  /* bytes of a cell */
#define STORE_ID        32u    /* bytes of an id, of a tag, of a hash */
#define STORE_DS        32u    /* bytes of an erase secret */
#define STORE_PEEK      64u    /* E ‖ T, the first bytes of a cell */
#define STORE_READ_MAX  64u    /* cells in one read */
#define STORE_BOARD_MAX 512u
#define STORE_INBOX_MAX 4096u
#define STORE_ERASE_MAX 1048576u       /* erasures waiting */
#define STORE_OPEN_MAX  16u            /* segments open at once */
#define STORE_ID_BYTES  43u            /* of memory per stored cell, at most (21 at best) */
#define STORE_META_NAME_MAX 32u
#define STORE_META_MAX  (4u << 20)
#define STORE_PART_MAX  (16u << 20)    /* bytes of one bulletin part */
#define STORE_PARTS_MAX 1024u          /* parts of one bulletin */

struct store;

struct store_config {
	uint64_t pool_max_bytes;    /* largest pool.mdb; 0 = 8 GiB */
	uint64_t reserve_bytes;     /* free disk kept for release and erasure; 0 = 64 MiB */
	uint64_t bulletin_max_bytes;/* all parts together, staged ones too; 0 = 256 MiB */
	uint32_t prewrite_bytes;    /* zeros written ahead in the pool; 0 = 8 MiB */
};

/* ---- life ---------------------------------------------------------------------------- */

/* A named blob of the server's own (policy, keys, order counter, …), at most STORE_META_MAX. */
struct store_meta {
	const char *name;           /* 1..STORE_META_NAME_MAX bytes */
	const uint8_t *bytes;       /* borrowed; NULL = forget this name */
	size_t len;
};

/*
 * Make a new, empty store.  Crash-safe: until it returns PERR_OK store_open says
 * PERR_NOTFOUND, and it can be called again.
 *
 * dir      in: made (0700) if missing; otherwise it must be empty or a failed earlier try
 * day      in: the day to record first
 * metas    in: n blobs that are there from the first moment
 *
 * PERR_EXISTS: there is a store already.  PERR_STATE: something else is in that folder, or
 * another process has it open.  PERR_UNKNOWN: this machine's pages are not 4096 bytes.
 */
PERR_MUST_CHECK enum perr store_create(const char *dir, uint32_t day,
                                       const struct store_meta *metas, size_t n);

/*
 * Open, finish or drop what a kill left half done, load the ids.
 *
 * out    out: owned by the caller, end with store_close; NULL after an error
 * cfg    in: copied; NULL = all defaults
 *
 * PERR_NOTFOUND: no store there.  PERR_STATE: another process has it open (a lock on the
 * folder, gone with the process).  PERR_CORRUPT: a file or a record is damaged; *why says
 * which.  PERR_UNKNOWN: made by a newer version, or pages are not 4096 bytes.  PERR_IO.
 *
 * why    out: if not NULL, a static or store-owned text for the log, no id in it
 */
PERR_MUST_CHECK enum perr store_open(struct store **out, const char *dir,
                                     const struct store_config *cfg, const char **why);

/* No other call may run.  NULL is harmless. */
void store_close(struct store *st);

/* [R] NULL while the store lives, else a static clause for the log. */
const char *store_dead_reason(struct store *st);

/* [R] The last recorded day. */
uint32_t store_day(struct store *st);

/* [R] Highest release number of the last recorded day; 0 if none yet. */
uint32_t store_release_number(struct store *st);

struct store_counts {
	uint64_t pool_cells;        /* waiting for the next release */
	uint64_t cells;             /* in segments */
	uint32_t segments;
	uint32_t erasures;          /* waiting */
	uint32_t erase_day;         /* from which the next of them is applied; 0: none waits */
	uint32_t tombstones;
	uint32_t inbox;
	uint32_t board;             /* shown */
	uint32_t board_staged;      /* shown at the next release */
	uint32_t damaged;           /* cells or files found damaged since the start */
};
/* [R] */
void store_counts(struct store *st, struct store_counts *out);

struct store_space {
	uint64_t free_bytes;        /* of the file system */
	uint64_t reserve_bytes;     /* as configured */
	uint64_t needed_bytes;      /* what the next release will write */
	uint64_t pool_bytes, pool_max_bytes;
	bool is_full;               /* new cells are being refused */
};
/* [R] Another reserve from now on; 0 = 64 MiB.  Not stored: set it after each open. */
void store_set_reserve(struct store *st, uint64_t bytes);

/* [R] PERR_IO */
PERR_MUST_CHECK enum perr store_space(struct store *st, struct store_space *out);

/* ---- writing: one batch, one commit ----------------------------------------------------- */

enum store_status {
	STORE_STORED,      /* durable once the batch is committed (erase: recorded, rests) */
	STORE_THERE,       /* already there, or already waiting; as good as stored */
	STORE_REFUSED,     /* erased before (cell), another cell holds the ticket (join),
	                      the secret does not fit (erase): sending it again is useless */
	STORE_FULL,        /* disk reserve or a limit reached: the sender must keep it */
	STORE_NOTFOUND     /* erase: no such cell */
};

struct store_cell {
	const uint8_t *cell;        /* STORE_CELL bytes, borrowed until store_commit returns */
	uint8_t id[STORE_ID];
	enum store_status status;   /* out */
};

/*
 * [W] Calls between two store_commit build one batch.  Statuses and results of calls that
 * gave PERR_OK become promises only when store_commit has returned PERR_OK: nobody is told
 * before.  A state call that gave PERR_FULL spoils the state part of the batch: further state
 * calls give PERR_FULL too, and so does the commit.  [R] calls of state and bulletin must not
 * be made by the writing thread while a batch is open.
 */
PERR_MUST_CHECK enum perr store_append(struct store *st, struct store_cell *cells, size_t n);

/*
 * [W] Put one document on the board; it shows at the next release.
 *
 * ds       in: erase secret of the entry to take off then, or NULL; one that fits no entry
 *          only adds
 * status   out: STORED, THERE (shown or staged), FULL (STORE_BOARD_MAX would be exceeded, or
 *          the reserve touched)
 */
PERR_MUST_CHECK enum perr store_board_put(struct store *st, const uint8_t *cell,
                                          const uint8_t id[STORE_ID],
                                          const uint8_t ds[STORE_DS],
                                          enum store_status *status);

/* [W] Take everything off the board, staged entries too, at once. */
PERR_MUST_CHECK enum perr store_board_clear(struct store *st);

/*
 * [W] One cell to the stewards' inbox under a ticket, which the caller has checked to be open.
 * status   out: STORED; THERE (same cell); REFUSED (the ticket has another cell); FULL
 */
PERR_MUST_CHECK enum perr store_join_put(struct store *st, const uint8_t ticket[STORE_ID],
                                         const uint8_t *cell, const uint8_t id[STORE_ID],
                                         enum store_status *status);

/* [W] Forget the inbox cells of n tickets (those closed by a policy); unknown ones are skipped. */
PERR_MUST_CHECK enum perr store_join_drop(struct store *st, const uint8_t (*tickets)[STORE_ID],
                                          size_t n);

/*
 * [W] Ask for the erasure of one cell.  It rests until a release on day due_day or later
 * (day_erase_due), and until then can be voided.
 *
 * ds       in: BLAKE2b-256("amparo/1 tag" ‖ ds) must be the T of the stored cell
 * status   out: STORED; THERE (waits already, or erased already); NOTFOUND; REFUSED;
 *          FULL (STORE_ERASE_MAX, or not even what the next release writes is left)
 */
PERR_MUST_CHECK enum perr store_erase(struct store *st, const uint8_t id[STORE_ID],
                                      const uint8_t ds[STORE_DS], uint32_t due_day,
                                      enum store_status *status);

/* [W] Void n waiting erasures, or all of them if n is 0.  *voided: how many there were. */
PERR_MUST_CHECK enum perr store_erase_void(struct store *st, const uint8_t (*ids)[STORE_ID],
                                           size_t n, size_t *voided);

/* [W] Set or forget n named blobs, all or none.  PERR_RANGE: a name or size is out of range. */
PERR_MUST_CHECK enum perr store_meta_set(struct store *st, const struct store_meta *metas,
                                         size_t n);

/*
 * [W] Make the batch durable: at most one commit of the pool and one of the state.  Without
 * anything in the batch it does nothing.  PERR_FULL: the state did not fit; none of the
 * batch's state calls (all but store_append) took effect, the cells did.  PERR_IO: dead.
 */
PERR_MUST_CHECK enum perr store_commit(struct store *st);

/* [W] Write up to 1 MiB of zeros ahead of the pool.  True: there is more to do when idle. */
bool store_idle(struct store *st);

/* ---- release ----------------------------------------------------------------------------- */

struct store_release {
	uint32_t day;               /* in: the segment's day, >= store_day; PERR_RANGE otherwise */
	bool frozen;                /* in: leave the recorded day, settle, erase, expire nothing */
	uint32_t retention_days;    /* in: from the policy; 0 = never expire */
	uint32_t settle_days;       /* in: from the policy; 0 = DAY_SETTLE_AGE */
	uint8_t seed[32];           /* in: policy seed, for the expiry jitter */
	const struct store_meta *metas; /* in: set in the same commit (an order's counter) */
	size_t n_metas;
	/*
	 * in: NULL, or called again and again while files are being written and overwritten on
	 * another thread: it may call store_append and store_commit, and nothing else, and
	 * should come back after about so many milliseconds.  A release of a large pool takes
	 * longer than a sender waits.
	 */
	void (*breathe)(void *arg, unsigned ms);
	/*
	 * in: with breathe: have run(job) done by a thread that exists already, and come back at
	 * once.  It is not made here: a server that is confined can make none (sandbox.h).
	 */
	void (*aside)(void *arg, void (*run)(void *job), void *job);
	void *arg;
	/* out */
	uint32_t number;            /* release number, 0 if there was nothing to release */
	uint32_t released;          /* cells */
	uint32_t erased, settled_days, expired_days;
	uint32_t deferred;          /* days left for the next release: no space, or damage */
	uint32_t damaged;           /* cells that had rotted in the pool, or beside an erased one,
	                               and could not be kept */
};

/*
 * [W] Turn the pool into a segment, apply the board, settle days older than settle_days,
 * apply erasures that are due, expire, write state.mdb anew, overwrite and unlink what is
 * retired.  A batch must not be open (PERR_STATE).
 *
 * On a disk that is nearly full the pool goes first: a day is rebuilt only if the segment
 * and the state that this release must write still fit behind it.  What does not fit is
 * deferred, and goes on at the next release, with what this one gave back.
 *
 * With an empty pool there is no segment and no release number is used, but the rest happens
 * and the day is recorded.
 *
 * An error before the commit point (PERR_FULL: not enough space; PERR_NOMEM, PERR_IO,
 * PERR_CORRUPT) leaves everything as it was: cells stay unreleased, go on being accepted, and
 * the next call tries again.  If store_dead_reason() is set, stop.
 */
PERR_MUST_CHECK enum perr store_release(struct store *st, struct store_release *rel);

/* ---- released cells ---------------------------------------------------------------------- */

struct store_segment {
	uint32_t day;
	uint32_t release;           /* of a settled day: the last one merged into it */
	bool settled;
	uint32_t count;             /* cells; positions are 0..count-1, in id order */
	uint8_t digest[STORE_ID];   /* BLAKE2b-256 over the sorted ids */
};

/*
 * [R] Segments after (day, release) in that order, at most max.  Start with (0, 0).  Someone
 * who has read everything up to (d, r) misses nothing by asking for what comes after.
 */
size_t store_segments(struct store *st, uint32_t day, uint32_t release,
                      struct store_segment *out, size_t max);

/*
 * [R] Copy whole cells, positions from .. from+n-1, n <= STORE_READ_MAX.
 *
 * digest   in: the segment's digest as listed, or NULL to take it as it is now.  Positions
 *          belong to a digest: an erasure or settling in between gives PERR_STATE: list again.
 * cells    out: n * STORE_CELL bytes; got says how many were there (fewer at the end)
 *
 * Every cell is checked again.  PERR_NOTFOUND: no such segment (any more): list again.
 * PERR_CORRUPT: damaged; all readable cells are in `cells`, a damaged one is all zero.
 */
PERR_MUST_CHECK enum perr store_read(struct store *st, uint32_t day, uint32_t release,
                                     const uint8_t *digest, uint32_t from, uint32_t n,
                                     uint8_t *cells, uint32_t *got);

/* [R] As store_read, but only E ‖ T of each: n * STORE_PEEK bytes, n <= STORE_READ_MAX. */
PERR_MUST_CHECK enum perr store_peek(struct store *st, uint32_t day, uint32_t release,
                                     const uint8_t *digest, uint32_t from, uint32_t n,
                                     uint8_t *peeks, uint32_t *got);

/* [R] As store_read, for any n <= STORE_READ_MAX positions.  PERR_RANGE: one is >= count. */
PERR_MUST_CHECK enum perr store_fetch(struct store *st, uint32_t day, uint32_t release,
                                      const uint8_t *digest, const uint32_t *positions,
                                      uint32_t n, uint8_t *cells);

/* ---- state ------------------------------------------------------------------------------- */

/*
 * [R] A named blob.  *len: its size, also when cap is too small (PERR_LIMIT: nothing copied;
 * buf may then be NULL).  PERR_NOTFOUND.  PERR_CORRUPT.
 */
PERR_MUST_CHECK enum perr store_meta_get(struct store *st, const char *name, uint8_t *buf,
                                         size_t cap, size_t *len);

/*
 * [R] Board entries in id order.  digest: out, BLAKE2b-256 over the sorted ids shown; total: out;
 * either may be NULL.  cells: n * STORE_CELL bytes, *got were there; n = 0 asks for digest only.
 */
PERR_MUST_CHECK enum perr store_board_get(struct store *st, uint32_t from, uint32_t n,
                                          uint8_t *cells, uint32_t *got, uint32_t *total,
                                          uint8_t digest[STORE_ID]);

/* [R] Inbox in ticket order, from the from-th: n tickets and n cells (either may be NULL). */
PERR_MUST_CHECK enum perr store_join_list(struct store *st, uint32_t from, uint32_t n,
                                          uint8_t (*tickets)[STORE_ID], uint8_t *cells,
                                          uint32_t *got);

/* [R] True if this ticket has its cell already. */
bool store_join_has(struct store *st, const uint8_t ticket[STORE_ID]);

/* ---- bulletin ---------------------------------------------------------------------------- */

/*
 * [W] One piece of a part.  Pieces come in order; offset must be at most what is there
 * (a repeat is harmless).  With the last one the hash is checked and the part is durable.
 *
 * hash   in: BLAKE2b-256 of the whole part          total  in: its size, 1..STORE_PART_MAX
 * have   out: bytes there now (= total: complete); on PERR_RANGE too, so that a sender can
 *        go on from there.  Not durable before it is complete: after a crash ask again
 *        with len = 0.
 *
 * PERR_RANGE: gap, or beyond total.  PERR_FORMAT: complete, but the hash is another; it was
 * wiped, begin again.  PERR_FULL: reserve or bulletin_max_bytes.  Needs no store_commit.
 */
PERR_MUST_CHECK enum perr store_part_put(struct store *st, const uint8_t hash[STORE_ID],
                                         uint32_t total, uint32_t offset,
                                         const uint8_t *piece, size_t len, uint32_t *have);

/*
 * [W] Switch the bulletin: the metas (header, signatures, counter, …) and the list of its
 * parts change in one commit of their own (no batch may be open, PERR_STATE); then every part
 * not listed, staged ones too, is overwritten and unlinked.
 *
 * PERR_NOTFOUND: a listed part is not there complete; nothing changed.  PERR_RANGE.
 */
PERR_MUST_CHECK enum perr store_bulletin_commit(struct store *st,
                                                const uint8_t (*hashes)[STORE_ID], size_t n,
                                                const struct store_meta *metas, size_t n_metas);

/*
 * [R] Read from a part of the current bulletin.  *total: its size.  *got: bytes copied.
 * PERR_NOTFOUND: not listed.  The reader checks the hash once it has the whole.
 */
PERR_MUST_CHECK enum perr store_part_get(struct store *st, const uint8_t hash[STORE_ID],
                                         uint32_t offset, uint8_t *buf, size_t cap,
                                         size_t *got, uint32_t *total);

#endif
