/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_form: the commands about forms; cmd_org.c lists them. */
#ifndef AMPARO_CMD_FORM_H
#define AMPARO_CMD_FORM_H

#include "cli.h"

extern const char cmd_form_check_help[], cmd_form_publish_help[], cmd_form_list_help[],
                  cmd_form_print_help[];
int cmd_form_check(struct cli *cli, int argc, char **argv);
int cmd_form_publish(struct cli *cli, int argc, char **argv);
int cmd_form_list(struct cli *cli, int argc, char **argv);
int cmd_form_print(struct cli *cli, int argc, char **argv);

#endif
