/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * b64: base64 that somebody else wrote, read strictly: bytes have one spelling.
 *
 * libsodium 1.0.18 reads some bytes above 0x7f as digits, so what it read is written again
 * and compared, without a branch on what stands in it.  Writing is sodium_bin2base64's.
 */
#ifndef AMPARO_B64_H
#define AMPARO_B64_H

#include <stddef.h>
#include <stdint.h>

#include "perr.h"

/*
 * out      out: room for out_size bytes; all zero after an error
 * out_len  out: bytes read
 * text     in: text_len characters, no blanks and no line ends among them
 * variant  in: sodium_base64_VARIANT_...
 *
 * PERR_FORMAT: not base64 of this variant, not what the bytes are written as, or more than
 * out_size bytes.
 */
PERR_MUST_CHECK enum perr b64_read(uint8_t *out, size_t out_size, size_t *out_len,
                                   const char *text, size_t text_len, int variant);

#endif
