/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * sheet: invitations as slips to print: one HTML file, a QR code and the text of each,
 * in English and Spanish, with the words of the desk to compare.
 */
#ifndef AMPARO_SHEET_H
#define AMPARO_SHEET_H

#include <stdint.h>
#include <stdio.h>

#include "client.h"
#include "invite.h"
#include "perr.h"

/*
 * words  in: the desk's six indices into words.h, or NULL: no desk yet
 * html   out: malloc'd, *len bytes; the caller wipes and frees it
 * PERR_NOMEM.  PERR_RANGE: an invitation does not encode.
 */
PERR_MUST_CHECK enum perr sheet_html(char **html, size_t *len, const char *organisation,
                                    const char *desk, const uint16_t *words,
                                    enum client_role role, const struct invite *invites,
                                    unsigned n);

/* text into HTML, escaped */
void sheet_text(FILE *f, const char *s);
/* a QR code as SVG: unit squares with four modules of quiet zone around.  PERR_NOMEM */
PERR_MUST_CHECK enum perr sheet_qr(FILE *f, const char *text);

#endif
