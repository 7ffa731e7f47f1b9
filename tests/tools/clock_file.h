/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * clock_file: in place of server/clock.c, a clock that is as many seconds off as the file named
 * by AMPAROD_TEST_CLOCK says.  It is read at every look, so that a test changes it while the
 * server runs.  Without the variable the clock is right.
 */
#ifndef AMPARO_TEST_CLOCK_FILE_H
#define AMPARO_TEST_CLOCK_FILE_H

/* a file named by a variable of the environment, -1 without one: at the beginning of main(), before
 * the sandbox closes everything outside the data folder */
int clock_file_named(const char *variable);
void clock_file_open(void);
/* seconds off */
long long clock_file_offset(void);

#endif
