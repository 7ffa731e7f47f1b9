/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * status: the checklist of `amparo status`: what is set up, who is waited for, what comes
 * next.  It reads the vault only and asks no server.
 */
#ifndef AMPARO_CLI_STATUS_H
#define AMPARO_CLI_STATUS_H

#include "cli.h"

/* prints; EXIT_DONE, or an exit code (already said) */
int status_print(struct cli *cli);

/*
 * For status_<topic>.c: one line of the checklist.  The first line that is not done gives the
 * next step.
 */
struct list;
void status_line(struct list *l, bool done, const char *what, const char *next);

/* the four words a joining member has to say, with a sentence; nothing if there are none */
void join_say_words(struct client *c);

#endif
