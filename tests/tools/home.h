/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* home: a member's vault, opened by a test with its passphrase from a file. */
#ifndef AMPARO_TESTS_HOME_H
#define AMPARO_TESTS_HOME_H

#include "../../client/client.h"
#include "vault.h"

struct home {
	struct client *client;
	struct vault *vault;
};

/*
 * passfile  in: the passphrase in its first line
 * The clock is the machine's and $AMPARO_TEST_CLOCK seconds.  Whoever cannot open it ends with
 * a sentence and code 2: a test without its vault proves nothing.
 */
void home_open(struct home *h, const char *home, const char *passfile);
void home_close(struct home *h);

#endif
