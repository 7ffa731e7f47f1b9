/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_server: the servers of an organisation: listed, added, dropped, replaced; cmd_org.c lists
 * the commands. */
#ifndef AMPARO_CLI_CMD_SERVER_H
#define AMPARO_CLI_CMD_SERVER_H

#include "cli.h"

extern const char cmd_server_list_help[], cmd_server_add_help[], cmd_server_drop_help[],
                  cmd_server_replace_help[], cmd_server_schedule_help[],
                  cmd_server_notice_help[], cmd_follow_help[];
int cmd_server_list(struct cli *cli, int argc, char **argv);
int cmd_server_add(struct cli *cli, int argc, char **argv);
int cmd_server_drop(struct cli *cli, int argc, char **argv);
int cmd_server_replace(struct cli *cli, int argc, char **argv);
int cmd_server_schedule(struct cli *cli, int argc, char **argv);
int cmd_server_notice(struct cli *cli, int argc, char **argv);
int cmd_follow(struct cli *cli, int argc, char **argv);

#endif
