/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_backup: a vault as one file, and back; cmd_vault.c lists the commands. */
#ifndef AMPARO_CLI_CMD_BACKUP_H
#define AMPARO_CLI_CMD_BACKUP_H

#include "cli.h"

extern const char cmd_vault_backup_help[], cmd_vault_restore_help[];
int cmd_vault_backup(struct cli *cli, int argc, char **argv);
int cmd_vault_restore(struct cli *cli, int argc, char **argv);

#endif
