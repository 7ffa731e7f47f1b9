/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_revoke: `amparo revoke`; cmd_org.c lists it. */
#ifndef AMPARO_CMD_REVOKE_H
#define AMPARO_CMD_REVOKE_H

#include "cli.h"

extern const char cmd_revoke_help[];
int cmd_revoke(struct cli *cli, int argc, char **argv);

/*
 * On the device of somebody who was revoked: says so in one sentence, with what waits in the
 * outbox.  EXIT_REFUSED; EXIT_DONE and nothing said if this device knows of nothing of the kind
 */
int cmd_revoke_tell(struct client *c);

#endif
