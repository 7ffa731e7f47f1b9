/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Open invitations: listed, and written again if a slip was lost before it was handed out. */
#ifndef AMPARO_CLI_CMD_INVITE_H
#define AMPARO_CLI_CMD_INVITE_H

#include "cli.h"
#include "invite.h"

extern const char cmd_invitations_help[];
int cmd_invitations(struct cli *cli, int argc, char **argv);

/* the texts, one a line, or a JSON array; EXIT_REFUSED: they could not be written (said) */
int cmd_invite_print(struct cli *cli, const struct invite *inv, unsigned n);
/* slips to print, as a file; desk_id NULL: none yet */
int cmd_invite_sheet(struct cli *cli, const char *path, enum client_role role,
                     const uint8_t *desk_id, const struct invite *inv, unsigned n);

#endif
