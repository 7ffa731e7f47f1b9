/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * net: syncing and pushing as the commands do it: with progress, and with sentences.
 */
#ifndef AMPARO_CLI_NET_H
#define AMPARO_CLI_NET_H

#include "cli.h"
#include "steward.h"
#include "sync.h"

enum net_flags {
	NET_QUIET = 1,               /* say only what went wrong */
	NET_YES = 2,                 /* a big backlog is downloaded without asking */
	NET_LIGHT = 4                /* … in light mode */
};

/*
 * Visit all servers (sync.h), renew prekeys, answer an invitation that waits, push what an
 * administrator published, fetch answers.  Prints what happened.
 * EXIT_DONE; EXIT_LATER: no server was reached whole; everything is kept.
 */
int net_sync(struct cli *cli, unsigned flags);

/*
 * Before an administrator's change: take over what other administrators published, so that
 * the change is made upon the newest roster.  If no server can be reached that is said, and
 * the change goes upon what is known here.
 * EXIT_DONE: go on.  EXIT_REFUSED: no administrator any more.  EXIT_DAMAGED.
 */
int net_newest(struct cli *cli);

/* does what this administrator changed wait for the signatures of others?  Then it is not done */
bool net_waits(struct cli *cli);

/*
 * An administrator's visits after a change: policy and bulletin to every server.
 * Says which servers have it; a server that cannot be reached gets it at the next sync.
 * When another administrator was faster the change is put upon theirs (bring.h).  What waits for
 * signatures is put on the boards, and that is said (quorum.h).
 * EXIT_DONE if one server has it, else EXIT_LATER.  EXIT_REFUSED: a change was not possible
 * any more; said in a sentence.
 */
int net_push(struct cli *cli, unsigned want);

#endif
