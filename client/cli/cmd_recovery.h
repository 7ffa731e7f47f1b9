/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_recovery: a desk's paper holder: made, rehearsed, used; cmd_org.c lists the commands. */
#ifndef AMPARO_CMD_RECOVERY_H
#define AMPARO_CMD_RECOVERY_H

#include "cli.h"

extern const char cmd_recovery_setup_help[], cmd_recovery_rehearse_help[],
                  cmd_recovery_run_help[];
int cmd_recovery_setup(struct cli *cli, int argc, char **argv);
int cmd_recovery_rehearse(struct cli *cli, int argc, char **argv);
int cmd_recovery_run(struct cli *cli, int argc, char **argv);

#endif
