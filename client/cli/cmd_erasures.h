/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_erasures: what stewards order of every server: erasures voided, the board cleared. */
#ifndef AMPARO_CMD_ERASURES_H
#define AMPARO_CMD_ERASURES_H

#include "cli.h"

extern const char cmd_erasures_help[], cmd_erasures_void_help[], cmd_board_clear_help[];
int cmd_erasures(struct cli *cli, int argc, char **argv);
int cmd_erasures_void(struct cli *cli, int argc, char **argv);
int cmd_board_clear(struct cli *cli, int argc, char **argv);

#endif
