/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * command: `amparod init | run | check | status`, as amparod(8) describes them.  Apart from
 * main() so that a test program can be the same server with another clock.
 */
#ifndef AMPARO_COMMAND_H
#define AMPARO_COMMAND_H

/* returns the exit status */
int command_main(int argc, char **argv);

#endif
