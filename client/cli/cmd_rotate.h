/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_rotate: `amparo rotate`; cmd_org.c lists them. */
#ifndef AMPARO_CMD_ROTATE_H
#define AMPARO_CMD_ROTATE_H

#include "cli.h"

extern const char cmd_rotate_help[], cmd_rotate_season_help[], cmd_rotate_access_help[],
                  cmd_rotate_prekeys_help[];
int cmd_rotate(struct cli *cli, int argc, char **argv);
int cmd_rotate_season(struct cli *cli, int argc, char **argv);
int cmd_rotate_access(struct cli *cli, int argc, char **argv);
int cmd_rotate_prekeys(struct cli *cli, int argc, char **argv);

/* why a change of the roster was refused; EXIT_REFUSED or another code (said here) */
int cmd_rotate_failed(struct cli *cli, enum perr err, const char *what);

#endif
