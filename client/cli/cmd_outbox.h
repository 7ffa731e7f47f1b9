/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_outbox: what waits here, as a list and as a file that somebody else carries; cmd_record.c
 * lists the commands. */
#ifndef AMPARO_CLI_CMD_OUTBOX_H
#define AMPARO_CLI_CMD_OUTBOX_H

#include "cli.h"

extern const char cmd_outbox_help[], cmd_outbox_save_help[], cmd_outbox_carry_help[],
                  cmd_outbox_clear_help[];
int cmd_outbox(struct cli *cli, int argc, char **argv);
int cmd_outbox_save(struct cli *cli, int argc, char **argv);
int cmd_outbox_carry(struct cli *cli, int argc, char **argv);
int cmd_outbox_clear(struct cli *cli, int argc, char **argv);

#endif
