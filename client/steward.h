/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * steward: an administrator's visit to a server: bring it the policy and the bulletin,
 * fetch the answers to invitations, order a release.  PROTOCOL sections 6 and 10.
 *
 * Every step can be repeated.  What a server has is asked of it (hello), never assumed:
 * a visit that was cut goes on at the next one, and a server that missed three versions
 * gets the newest.  In the store: setup/<key hex> until the first policy is in force,
 * answer/<ticket hex> an opened answer, figures/<key hex> what the server said of itself last.
 */
#ifndef AMPARO_STEWARD_H
#define AMPARO_STEWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "sync.h"

enum steward_want {
	STEWARD_PUSH    = 1,         /* policy and bulletin, where they are behind */
	STEWARD_ANSWERS = 2,         /* answers to invitations */
	STEWARD_RELEASE = 4,         /* order a release now */
	STEWARD_STATUS  = 8          /* the server's counts; kept in the store as well */
};

/* what a server says of itself */
struct steward_figures {
	uint32_t day;                /* the server's, when it said so */
	uint32_t cells_waiting, cells_released, segments, board, joins;
	uint32_t erasures, erase_day;        /* waiting; from when the next is applied, 0: none */
	uint32_t free_mib, reserve_mib;
	uint32_t refused, refused_full;      /* since its start: for limits, for want of space */
	uint32_t alerts;             /* hours since its start in which a scope sent too much */
	bool frozen, full;
};

struct steward_server {
	char address[81];
	bool reached, complete;
	enum perr err;
	char why[200];               /* one sentence if not complete */
	bool policy_put, bulletin_put;
	bool policy_waits;           /* its policy lacks signatures of other administrators */
	uint32_t parts_put;
	uint32_t answers;            /* new ones stored */
	uint32_t day;                /* of the server */
	uint32_t released_day, released_number, released_cells;  /* STEWARD_RELEASE */
	uint32_t voided;             /* steward_void, or an order that several signed */
	uint32_t cleared;            /* steward_board_clear: entries; or likewise */
	uint32_t orders;             /* that several signed (quorum.h), brought now */
	bool has_status;
	struct steward_figures st;
};

/*
 * Visit server number `at` of the roster.
 * want    in: bits of enum steward_want
 * result  out: always filled
 * PERR_STATE: this member is no administrator.  PERR_OLD: the server has a bulletin that
 * another administrator published: fetch it, then come again (bring.h does both).
 * PERR_FORK: it has another one of the same version.
 */
PERR_MUST_CHECK enum perr steward_visit(struct client *c, const struct sync_net *net, size_t at,
                                       unsigned want, struct steward_server *result);
/*
 * Void erasures that wait at server number `at`.  PROTOCOL 10.2: it takes the threshold of
 * administrators.
 * ids     in: n of them, at most POLICY_ORDER_IDS_MAX; n 0: all
 * result  out: voided, and the status after it
 * PERR_SIGS: more signatures are needed than this administrator's; nothing was sent, and
 * why says how many.  Else as steward_visit.
 */
PERR_MUST_CHECK enum perr steward_void(struct client *c, const struct sync_net *net, size_t at,
                                      const uint8_t (*ids)[32], uint32_t n,
                                      struct steward_server *result);
/*
 * Take everything off the board of server number `at`: for a board that somebody filled with
 * nonsense.  Members' devices put their documents there again at their next syncs.  It takes
 * the threshold of administrators; errors as steward_void.
 */
PERR_MUST_CHECK enum perr steward_board_clear(struct client *c, const struct sync_net *net,
                                             size_t at, struct steward_server *result);
/* keep what a server said of itself (a batch of its own): for steward.c */
PERR_MUST_CHECK enum perr steward_keep_figures(struct client *c, const uint8_t server_pk[32],
                                              const struct steward_figures *st);
/* what server number `at` said of itself at the last visit.  PERR_NOTFOUND: never asked */
PERR_MUST_CHECK enum perr steward_last(struct client *c, size_t at, struct steward_figures *f);

#endif
