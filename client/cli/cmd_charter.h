/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_charter: the commands that change who holds a desk; cmd_org.c lists them. */
#ifndef AMPARO_CMD_CHARTER_H
#define AMPARO_CMD_CHARTER_H

#include "cli.h"

extern const char cmd_desk_change_help[], cmd_desk_show_help[], cmd_desk_countersign_help[];
int cmd_desk_change(struct cli *cli, int argc, char **argv);
int cmd_desk_show(struct cli *cli, int argc, char **argv);
int cmd_desk_countersign(struct cli *cli, int argc, char **argv);

/* changes that wait for this member's signature; name: of that desk only, or NULL: all */
PERR_MUST_CHECK enum perr cmd_change_count(struct cli *cli, const char *name, unsigned *n);
/*
 * The part of `amparo desk sign` for a desk that is listed: one of the changes that
 * cmd_change_count counted is shown, asked about and signed.
 * number  in: which, from 1; 0: the only one.  Where there are several they are shown
 * EXIT_DONE, or an exit code (already said).
 */
int cmd_change_sign(struct cli *cli, const char *name, unsigned number, bool yes, bool checked);

#endif
