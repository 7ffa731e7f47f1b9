/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * agent: keeps a vault unlocked for a while, so that people are not asked for
 * their passphrase at each command (`amparo unlock --for 30m`, `amparo lock`).
 *
 * A separate process without a terminal, started from the program's own file with
 * clean memory.  It holds one thing: the passphrase key of one vault, in locked
 * memory.  That key stays right when vault_compact changes the vault key; only a
 * new passphrase makes it wrong (agent_update; vault_open says PERR_AUTH, and the
 * caller asks the person).
 *
 *   home/agent.sock  0600, answers only peers whose SO_PEERCRED uid is our own
 *   home/agent.lock  empty; flock held as long as the agent lives: one per home
 *
 * It wipes the key and ends: when the time is over (time asleep counts), at
 * agent_stop, at SIGTERM, SIGINT, SIGHUP, and when its socket or the folder is
 * gone.  It is not dumpable, leaves no core, inherits no open file, writes nothing.
 * What it cannot stop: another program of the same user that asks as we ask.
 */
#ifndef AMPARO_AGENT_H
#define AMPARO_AGENT_H

#include "vault.h"

#define AGENT_SECONDS_MAX (24 * 3600)
#define AGENT_SECONDS_DEFAULT (30 * 60)

/*
 * The first call in main() of a program that uses agent_start.  Where the process
 * was started as an agent it runs as one and never returns; else it returns at
 * once.  Forgetting it makes agent_start fail with PERR_STATE.
 */
void agent_hook(int argc, char **argv);

/* Make this process undumpable, without core files.  For main() of every command. */
void agent_protect(void);

/*
 * Start an agent, in place of a running one of this home.  When it returns
 * PERR_OK the agent answers.
 *
 * key      in: copied
 * seconds  1..AGENT_SECONDS_MAX
 *
 * PERR_LIMIT: memory could not be locked (ulimit -l), no agent runs.  PERR_RANGE:
 * seconds.  PERR_STATE: agent_hook was not called.  PERR_IO: no socket can be made
 * in home.  PERR_TIMEOUT: an older agent does not end.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr agent_start(const char *home, const struct vault_key *key,
                                      unsigned seconds);

/*
 * Ask for the key.  key is all zero after an error.
 * PERR_NOTFOUND: no agent runs (a socket left behind by a kill counts as none).
 * PERR_REFUSED: what answers is not ours.
 */
PERR_MUST_CHECK enum perr agent_get_key(const char *home, struct vault_key *key);

/* Give a running agent another key, after vault_change_passphrase; its end stays. */
PERR_MUST_CHECK enum perr agent_update(const char *home, const struct vault_key *key);

/* End it; the key is wiped and the process ends when this returns PERR_OK. */
PERR_MUST_CHECK enum perr agent_stop(const char *home);

/* seconds   out: until it ends by itself; 0 after an error */
PERR_MUST_CHECK enum perr agent_remaining(const char *home, unsigned *seconds);

#endif
