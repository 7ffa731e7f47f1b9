/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Commands by which a family's consent ends, or a court holds a case. */
#ifndef AMPARO_CMD_ERASE_H
#define AMPARO_CMD_ERASE_H

#include "cli.h"

extern const char cmd_erase_help[], cmd_hold_help[], cmd_unhold_help[];
int cmd_erase(struct cli *cli, int argc, char **argv);
int cmd_hold(struct cli *cli, int argc, char **argv);
int cmd_unhold(struct cli *cli, int argc, char **argv);

#endif
