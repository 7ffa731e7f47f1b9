/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * daemon: one amparod of a test's own: made, started, killed, asked; and the organisation
 * that it serves, all of whose keys follow from one seed.
 */
#ifndef AMPARO_TEST_DAEMON_H
#define AMPARO_TEST_DAEMON_H

#include <sys/types.h>

#include "client.h"
#include "policy.h"

struct org {
	struct sign_key admin;
	uint8_t *link;                   /* signed link 0 */
	size_t link_len;
	uint8_t access[6][32];           /* by enum rpc_scope, 1..4 */
	uint8_t ticket[16];              /* of an open invitation */
	struct policy_limits limits;
	uint32_t erase_delay_hours;
};
bool org_init(struct org *o, uint8_t seed);
/* signed; free() it.  counter: of this policy */
bool org_policy(const struct org *o, const uint8_t server_pk[32], uint32_t counter,
                uint32_t day, uint8_t **out, size_t *len);
bool org_order(const struct org *o, const uint8_t server_pk[32], uint32_t counter,
               enum policy_order_kind kind, uint32_t day, const uint8_t (*ids)[32], size_t n,
               uint8_t **out, size_t *len);

struct daemon {
	char bin[256], dir[256], log[280];
	uint16_t port;
	pid_t pid;
	uint8_t pk[32], setup[32];
};
/* $AMPAROD, or $B/amparod, or build/amparod; dir is made by `amparod init` */
bool daemon_init(struct daemon *d, const char *dir);
/*
 * Start and wait until it accepts.  extra: NULL-ended list of arguments, may be NULL.
 * Listens on a port of the system's choice the first time, on the same one afterwards.
 */
bool daemon_start(struct daemon *d, char *const *extra);
void daemon_kill(struct daemon *d);      /* SIGKILL, reaped */
int daemon_stop(struct daemon *d);       /* SIGTERM; exit status, or -1 */
/* the first policy, with the setup key */
bool daemon_setup(struct daemon *d, const struct org *o);
bool daemon_open(const struct daemon *d, const struct org *o, enum rpc_scope scope,
                 struct client *c);
/* a steward's release order with the next counter; *n: cells released */
bool daemon_release(struct daemon *d, const struct org *o, uint32_t *n);
/* a line "VmHWM", "VmRSS", … of /proc/PID/status, in KiB; -1 */
long daemon_memory(const struct daemon *d, const char *what);
int daemon_files(const struct daemon *d);        /* open descriptors; -1 */
/*
 * Does the kernel remember the address `from` as that of a peer whose connection to this port
 * was ended here first (TIME_WAIT)?
 */
bool daemon_remembers(uint16_t port, const char *from);
/* a figure of `amparod status`; -1 */
long daemon_figure(const struct daemon *d, const char *key);

/* remove a test's folder with everything in it */
void daemon_remove(const char *dir);

uint64_t test_now_us(void);              /* monotonic */

#endif
