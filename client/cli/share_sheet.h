/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * share_sheet: a share of a paper holder as a sheet to print: for whom it is, what it is, what
 * to do and not to do with it, the 36 words, the QR code; in English and Spanish.
 */
#ifndef AMPARO_CLI_SHARE_SHEET_H
#define AMPARO_CLI_SHARE_SHEET_H

#include <stddef.h>

#include "paper.h"
#include "perr.h"

struct share_trustee {
	char name[129];
	char organisation[129];
};
/* what all sheets of one ceremony say */
struct share_set {
	const char *organisation, *desk; /* whose records */
	uint32_t day, need, of;
	char key_words[64];              /* of the new holder's key, for the list */
	const struct share_trustee *trustees;
};

/*
 * html  out: malloc'd, *len bytes; the caller wipes and frees it
 * PERR_NOMEM.  PERR_RANGE: the share does not encode, or names are endless.
 */
PERR_MUST_CHECK enum perr share_sheet(char **html, size_t *len, const struct share_set *set,
                                     const struct paper_share *s);
/* the list of who has which sheet, without a secret in it */
PERR_MUST_CHECK enum perr share_list(char **html, size_t *len, const struct share_set *set);

#endif
