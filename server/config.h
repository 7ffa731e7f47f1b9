/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * config: what an operator may set, from a file (inih) and from flags; flags win.  The keys
 * are described in amparod.conf(5).  A key nobody knows is refused by name: a limit
 * mistyped must not look like a limit set.
 */
#ifndef AMPARO_CONFIG_H
#define AMPARO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "perr.h"
#include "upgrade.h"

#define CONFIG_LISTEN_MAX 4
#define CONFIG_PATH_MAX   1024
#define CONFIG_SOCKET_MAX 104    /* what a local socket's address can hold */

/* what happens when the machine does not grant it */
enum config_need {
	CONFIG_WANTED,           /* one loud line, then without */
	CONFIG_REQUIRED,         /* no start */
	CONFIG_OFF               /* not even tried */
};

struct config {
	char data[CONFIG_PATH_MAX];              /* "": not set */
	size_t n_listen;
	char listen[CONFIG_LISTEN_MAX][ADDRESS_TEXT_MAX + 1];   /* port 0: the system chooses */
	struct upgrade_origins origins;          /* whose pages may come; none: no browsers */
	char status_socket[CONFIG_SOCKET_MAX];   /* "": DATA/status.sock */
	uint32_t max_connections;
	uint32_t handshake_seconds, idle_seconds, stall_seconds;
	bool source_limits;                      /* no: everybody comes from one address */
	uint32_t source_per_minute;              /* new connections */
	uint32_t memory_mib;                     /* uploads and answers under way */
	enum config_need sandbox, lock_memory;
};

void config_default(struct config *c);
/*
 * Set one key, as in the file or as a flag.
 * why  out: 200 bytes; a sentence for a person, after an error
 * PERR_UNKNOWN: no such key.  PERR_RANGE: not a value it takes.
 */
PERR_MUST_CHECK enum perr config_set(struct config *c, const char *key, const char *value,
                                    char why[200]);
/* PERR_IO: cannot be read.  Other errors as config_set; why names the line. */
PERR_MUST_CHECK enum perr config_load(struct config *c, const char *path, char why[200]);
/* after all is set: is it enough to run?  PERR_STATE */
PERR_MUST_CHECK enum perr config_check(struct config *c, char why[200]);
/* "127.0.0.1:0" too.  host without brackets.  PERR_FORMAT */
PERR_MUST_CHECK enum perr config_listen(const char *text, char host[ADDRESS_TEXT_MAX + 1],
                                       uint16_t *port);

#endif
