/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Administrators k of n: who signs, what waits for signatures, signing (quorum.h). */
#ifndef AMPARO_CMD_ADMIN_H
#define AMPARO_CMD_ADMIN_H

#include "cli.h"

extern const char cmd_admin_help[], cmd_admin_threshold_help[], cmd_admin_remove_help[],
	cmd_admin_proposals_help[], cmd_admin_sign_help[], cmd_admin_refuse_help[],
	cmd_admin_withdraw_help[], cmd_admin_save_help[];
int cmd_admin(struct cli *cli, int argc, char **argv);
int cmd_admin_threshold(struct cli *cli, int argc, char **argv);
int cmd_admin_remove(struct cli *cli, int argc, char **argv);
int cmd_admin_proposals(struct cli *cli, int argc, char **argv);
int cmd_admin_sign(struct cli *cli, int argc, char **argv);
int cmd_admin_refuse(struct cli *cli, int argc, char **argv);
int cmd_admin_withdraw(struct cli *cli, int argc, char **argv);
int cmd_admin_save(struct cli *cli, int argc, char **argv);

/* "Sol Ortiz, Ana Ruiz": n key ids, with a word before the last one; size >= 600 */
void cmd_admin_names(const struct client *c, const uint8_t (*keys)[32], uint32_t n, char *out,
                     size_t size);

#endif
