/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_erasures: erasures that rest on the servers, for administrators. */
#ifndef AMPARO_CMD_ERASURES_H
#define AMPARO_CMD_ERASURES_H

#include "cli.h"

extern const char cmd_erasures_help[], cmd_erasures_void_help[];
int cmd_erasures(struct cli *cli, int argc, char **argv);
int cmd_erasures_void(struct cli *cli, int argc, char **argv);

#endif
