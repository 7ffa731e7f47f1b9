/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * address: where a server listens, and the texts people copy: prefix, base64url, check.
 * PROTOCOL sections 9.1 and 10.3.
 *
 * As text: "host:port", "[IPv6]:port" or "<56 characters>.onion:port".  In the bytes of
 * invitations and cards an onion name takes 35 bytes instead of 62 characters.
 */
#ifndef AMPARO_ADDRESS_H
#define AMPARO_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

#define ADDRESS_TEXT_MAX   80
#define ADDRESS_HOST_MAX   40            /* "host:port" in an invitation or card */
#define ADDRESS_BYTES_MAX  (2 + ADDRESS_HOST_MAX)
#define ADDRESS_CHECK_SIZE 4

/*
 * Is it an address: letters, digits, dots and hyphens, or a bracketed IPv6 address, or an
 * onion name; then a colon and a port 1..65535 without leading zeros; at most 80 bytes?
 */
bool address_is_valid(const char *text);
bool address_is_onion(const char *text);
/*
 * host  out: without brackets      port  out
 * PERR_FORMAT: not an address
 */
PERR_MUST_CHECK enum perr address_split(char host[ADDRESS_TEXT_MAX + 1], uint16_t *port,
                                       const char *text);

/* out_len: bytes used.  PERR_FORMAT: not an address.  PERR_RANGE: longer than 40 characters */
PERR_MUST_CHECK enum perr address_encode(uint8_t out[ADDRESS_BYTES_MAX], size_t *out_len,
                                        const char *text);
/* used out: bytes taken from in.  PERR_FORMAT */
PERR_MUST_CHECK enum perr address_decode(char text[ADDRESS_TEXT_MAX + 1], size_t *used,
                                        const uint8_t *in, size_t in_len);

/*
 * prefix || base64url(bytes || check), check the first 4 bytes of H(bytes).
 * text  out: ended with a zero.  PERR_RANGE: does not fit text_size
 */
PERR_MUST_CHECK enum perr address_armor(char *text, size_t text_size, const char *prefix,
                                       const uint8_t *bytes, size_t len);
/*
 * Blanks and line ends anywhere are ignored.
 * len  in: room in bytes; out: bytes without the check
 * PERR_UNKNOWN: another prefix.  PERR_FORMAT: not base64url, or too long.  PERR_CORRUPT: the
 * check does not fit: a character is wrong or missing.
 */
PERR_MUST_CHECK enum perr address_unarmor(uint8_t *bytes, size_t *len, const char *prefix,
                                         const char *text);

#endif
