/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_settings: what the administrators set for everybody; cmd_org.c lists it. */
#ifndef AMPARO_CMD_SETTINGS_H
#define AMPARO_CMD_SETTINGS_H

#include "cli.h"

extern const char cmd_settings_help[];
int cmd_settings(struct cli *cli, int argc, char **argv);

#endif
