/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_desk: the commands about desks; cmd_org.c lists them. */
#ifndef AMPARO_CMD_DESK_H
#define AMPARO_CMD_DESK_H

#include "cli.h"

extern const char cmd_desk_create_help[], cmd_desk_sign_help[], cmd_desk_list_help[], cmd_desk_publish_help[],
                  cmd_desk_trust_help[];
int cmd_desk_create(struct cli *cli, int argc, char **argv);
int cmd_desk_sign(struct cli *cli, int argc, char **argv);
int cmd_desk_list(struct cli *cli, int argc, char **argv);
int cmd_desk_publish(struct cli *cli, int argc, char **argv);
int cmd_desk_trust(struct cli *cli, int argc, char **argv);

/* the six words of a desk id, or of the hash of a charter in force, on one line without its end */
void cmd_desk_words(const uint8_t id[32]);
/* the desk of this name (holders_find); EXIT_DONE, or an exit code (already said) */
int cmd_desk_find(struct cli *cli, const char *name, bool only_listed, uint8_t id[32]);

/* a desk's name, malloc'd; "" if it is not known.  PERR_NOMEM, PERR_CORRUPT */
PERR_MUST_CHECK enum perr cmd_desk_name(struct client *c, const uint8_t id[32], char **name);

#endif
