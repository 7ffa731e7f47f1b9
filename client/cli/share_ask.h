/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * share_ask: a share of a paper holder, typed from its sheet or read from its QR code by a
 * scanner that types.
 *
 * On a terminal everything happens on its second screen, which is cleared after each share:
 * what one trustee typed must not stand there, or in what can be scrolled back to, when the
 * next one sits down.
 */
#ifndef AMPARO_CLI_SHARE_ASK_H
#define AMPARO_CLI_SHARE_ASK_H

#include <stdbool.h>

#include "ask.h"
#include "paper.h"

/* secret: wipe */
struct share_typed {
	bool is_text;                    /* the QR code's text: share is there if err is PERR_OK */
	enum perr err;
	struct paper_share share;
	uint16_t words[PAPER_WORDS];     /* otherwise */
};

/*
 * Ask until a whole share was typed.  A word that is not of the list is said at once, and the
 * rest of its line is asked for again; a full stop alone begins the sheet again.
 *
 * label  in: "Share 2": how the prompt begins
 * ASK_LINE: *t is filled.  ASK_END, ASK_STOPPED: *t is zero.
 */
enum ask_result share_ask(struct ask *a, const char *label, struct share_typed *t);

/*
 * Make a share of it, for those who do not know what the sheet says.  One misread word, or two
 * that changed places, is named by its place, and taken as on the sheet if the person says so.
 * False: it is not whole; said.
 */
bool share_whole(struct ask *a, struct share_typed *t);

#endif
