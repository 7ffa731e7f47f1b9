/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * erasing: a family withdraws its consent, and a case goes from every reader's device and from
 * the servers.  PROTOCOL 4.6.
 *
 *	asked     by anybody, by the code alone; nothing follows by itself
 *	ordered   by a holder of the case's desk.  It rests for ERASING_REST_DAYS from the later of
 *	          its day and of the day of the segment it came in, so that nobody dates it back
 *	done      this device's copy is gone, and the servers were asked for the cells it knows
 *	kept      … the servers were asked, the copy stays here under a legal hold
 *	stopped   a holder said no, the administrators voided it, or whoever ordered it is no
 *	          holder any more: looked at when the rest is over, by the newest roster
 *
 * A stolen vault can order the erasure of everything it has.  Until the rest is over nothing
 * has happened, on no server and in no vault; everybody sees who ordered how much, and
 * revoking that holder, or the administrators' void, ends it (docs/THREATS.md).
 *
 * In the store:
 *	erasing/<record hex>   what is known of one, as canonical MessagePack; no answer of the case
 *	gonecode/<16 bytes of a hash, hex>   codes of erased cases: late corrections are dropped
 *	hold/<record hex>      u32 day ‖ reason: a legal hold
 */
#ifndef AMPARO_ERASING_H
#define AMPARO_ERASING_H

#include <stdbool.h>
#include <stdint.h>

#include "case_code.h"
#include "client.h"
#include "dispatch.h"
#include "perr.h"
#include "statement.h"

#define ERASING_REST_DAYS   3    /* the server's delay of 48 hours is over then as well */
#define ERASING_ALONE_DAYS  14   /* then without having seen every server */
#define ERASING_KEPT_DAYS   120  /* how long it is remembered who has said what */
#define ERASING_ORDERS_MAX  8
#define ERASING_READERS_MAX 64
#define ERASING_REASON_MAX  256
#define ERASING_MANY        5    /* orders of one holder on one day that are said loudly */

enum erasing_state {
	ERASING_ASKED = 1, ERASING_ORDERED = 2, ERASING_DONE = 3, ERASING_KEPT = 4,
	ERASING_STOPPED = 5
};
struct erasing_order {
	uint8_t author[32];
	uint32_t day;
};
struct erasing_reader {
	uint8_t key[32];
	enum statement_erase_step step;  /* DONE, KEPT; 0: not heard of */
};
struct erasing {
	uint8_t record[STATEMENT_RECORD_SIZE];
	char code[CASE_CODE_LEN + 1];    /* "" where it is not known */
	uint8_t desk[32];
	enum erasing_state state;
	uint32_t day;                    /* first heard of */
	uint32_t changed;                /* of the state */
	uint32_t stopped;                /* orders up to this day do not count; 0: none */
	bool said;                       /* the desk was told of done or kept */
	bool was_asked;                  /* before it was ordered */
	bool is_snapped;                 /* readers are those of the day of the order */
	char reason[ERASING_REASON_MAX + 1];
	uint32_t n_orders;               /* ASKED: who asked, on which day */
	struct erasing_order orders[ERASING_ORDERS_MAX];
	uint32_t n_readers;              /* besides this member */
	struct erasing_reader readers[ERASING_READERS_MAX];
};

/* ---- asking, ordering, stopping, holding ------------------------------------------------- */

struct erasing_told {
	uint32_t n_readers;              /* co-holders and others it was sealed to */
	uint32_t n_without;              /* holders without a prekey */
	uint32_t due;                    /* day from which it is carried out; 0: only asked */
	uint32_t group;
};
/*
 * Order the erasure of a case; from somebody who holds no desk of it, ask for it.
 * step  in: ASK, ORDER or STOP
 * why   out: after an error a sentence, or ""
 * PERR_NOTFOUND: no such case.  PERR_REFUSED: STOP is for holders; or nothing is ordered.
 */
PERR_MUST_CHECK enum perr erasing_say(struct client *c,
                                     const uint8_t record[STATEMENT_RECORD_SIZE],
                                     enum statement_erase_step step, const char *reason,
                                     struct erasing_told *told, char why[DISPATCH_WHY]);
/* Ask by the code alone, from a device that has nothing of the case. */
PERR_MUST_CHECK enum perr erasing_ask(struct client *c, const char code[CASE_CODE_LEN + 1],
                                     const uint8_t desk[32], const char *reason,
                                     struct erasing_told *told, char why[DISPATCH_WHY]);
/* a batch.  reason: at most ERASING_REASON_MAX bytes */
PERR_MUST_CHECK enum perr erasing_hold(struct client *c,
                                      const uint8_t record[STATEMENT_RECORD_SIZE],
                                      const char *reason);
/*
 * The hold ends.  What was kept although it was ordered to be erased goes at the next sync.
 * PERR_NOTFOUND: there is none.
 */
PERR_MUST_CHECK enum perr erasing_unhold(struct client *c,
                                        const uint8_t record[STATEMENT_RECORD_SIZE]);
PERR_MUST_CHECK enum perr erasing_is_held(struct client *c,
                                         const uint8_t record[STATEMENT_RECORD_SIZE],
                                         bool *is, uint32_t *day);

/* ---- what is known ------------------------------------------------------------------------ */

typedef enum perr erasing_fn(void *arg, const struct erasing *e);
PERR_MUST_CHECK enum perr erasing_each(struct client *c, erasing_fn *fn, void *arg);
/* PERR_NOTFOUND: nobody asked or ordered */
PERR_MUST_CHECK enum perr erasing_get(struct client *c,
                                     const uint8_t record[STATEMENT_RECORD_SIZE],
                                     struct erasing *e);
/*
 * The day from which an order counts, as the roster is now, and whose it is; 0: none counts.
 * why  out: where none does: "" or what a person is told ("its author is no holder any more")
 */
uint32_t erasing_due(struct client *c, const struct erasing *e, uint8_t author[32],
                     const char **why);

/* ---- for duties.c and record.c ------------------------------------------------------------ */

/*
 * Carry out what is due.  Each case is some batches; a kill between them is completed by the
 * next sync.  The caller settles.
 * all_seen  in: every server was visited whole in this sync
 * n  out: things queued for servers
 */
PERR_MUST_CHECK enum perr erasing_run(struct client *c, bool all_seen, unsigned *n);
/*
 * Note what an erase request says (inside a batch).
 * st   in: of kind 7, received itself or as a copy
 * day  in: of the segment it came in; 0: not known
 */
PERR_MUST_CHECK enum perr erasing_take(struct client *c, const struct statement *st, uint32_t day);
/* does this correction, or request, belong to a case that was erased, by its code? */
PERR_MUST_CHECK enum perr erasing_is_gone_code(struct client *c, const char *code, bool *is);

#endif
