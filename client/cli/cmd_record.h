/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* cmd_record: the commands about records; cmd_record.c lists them. */
#ifndef AMPARO_CMD_RECORD_H
#define AMPARO_CMD_RECORD_H

#include "assign.h"
#include "case.h"
#include "cli.h"

extern const char cmd_amend_help[];
extern const char cmd_fill_help[], cmd_drafts_help[], cmd_drafts_drop_help[];
extern const char cmd_intake_help[], cmd_cases_help[], cmd_show_help[],
                  cmd_note_help[],
                  cmd_assign_help[], cmd_unassign_help[], cmd_reassign_help[],
                  cmd_accept_help[], cmd_decline_help[], cmd_recuse_help[], cmd_close_help[],
                  cmd_reopen_help[],
                  cmd_attachments_help[], cmd_export_help[], cmd_refer_help[];
int cmd_intake(struct cli *cli, int argc, char **argv);
int cmd_fill(struct cli *cli, int argc, char **argv);
int cmd_amend(struct cli *cli, int argc, char **argv);
int cmd_drafts(struct cli *cli, int argc, char **argv);
int cmd_drafts_drop(struct cli *cli, int argc, char **argv);
int cmd_cases(struct cli *cli, int argc, char **argv);
int cmd_show(struct cli *cli, int argc, char **argv);
int cmd_assign(struct cli *cli, int argc, char **argv);
int cmd_refer(struct cli *cli, int argc, char **argv);
int cmd_note(struct cli *cli, int argc, char **argv);
int cmd_unassign(struct cli *cli, int argc, char **argv);
int cmd_reassign(struct cli *cli, int argc, char **argv);
int cmd_accept(struct cli *cli, int argc, char **argv);
int cmd_decline(struct cli *cli, int argc, char **argv);
int cmd_recuse(struct cli *cli, int argc, char **argv);
int cmd_close(struct cli *cli, int argc, char **argv);
int cmd_reopen(struct cli *cli, int argc, char **argv);
int cmd_attachments(struct cli *cli, int argc, char **argv);
int cmd_export(struct cli *cli, int argc, char **argv);

/* cli_open for those who read: EXIT_DONE, or an exit code (already said) */
int cmd_open_reader(struct cli *cli);
/* the case a person means (case_find); EXIT_DONE, or an exit code (already said) */
int cmd_find_case(struct cli *cli, const char *text, uint8_t record[STATEMENT_RECORD_SIZE]);
/* the same, opened; to be given to case_close */
int cmd_open_case(struct cli *cli, const char *text, struct case_file **file);
/* local time minus UTC, in minutes, now */
int cmd_tz_min(void);
/* after a refusal of the core: `why` as the sentence, else the error's */
int cmd_refused(enum perr err, const char *why, const char *what);
/* how many a statement reached; what: "Noted" */
void cmd_say_told(struct cli *cli, const struct assign_told *told, const char *what);
/* untrusted text on one line, harmless */
void cmd_print(const char *text, size_t len);
/* the name of a key, harmless */
void cmd_print_name(struct client *c, const uint8_t key[32]);

#endif
