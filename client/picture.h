/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * picture: what kind of file some bytes are, and a picture without what nobody meant to send.
 *
 * A photograph says where and when it was taken and with which device: in JPEG's APP and
 * comment segments, in PNG's text, time and eXIf chunks, in WebP's EXIF and XMP chunks.  All
 * of that is left out, and whatever stands behind the picture's end, where some phones keep
 * a second, uncut one.  The picture itself is copied byte for byte; nothing is decoded.
 *
 * The walk trusts no length and reads each byte at most a few times.
 */
#ifndef AMPARO_PICTURE_H
#define AMPARO_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

enum picture_kind {
	PICTURE_JPEG, PICTURE_PNG, PICTURE_WEBP,        /* cleaned */
	PICTURE_GIF, PICTURE_PDF, PICTURE_MP4, PICTURE_M4A, PICTURE_3GP, PICTURE_MP3,
	PICTURE_OGG, PICTURE_WAV, PICTURE_TEXT          /* as they are */
};

/*
 * kind  out: by the first bytes, whatever the file was called; text is UTF-8 without control
 *       signs but tab and line ends
 * PERR_UNKNOWN: nothing that is taken (HEIC, TIFF, a program, a damaged head).
 */
PERR_MUST_CHECK enum perr picture_kind_of(const uint8_t *in, size_t len, enum picture_kind *kind);

/*
 * A copy without metadata, of PICTURE_JPEG, _PNG and _WEBP; of others a copy.
 *
 * out  out: for picture_free; NULL after an error
 *
 * A JPEG keeps its JFIF head and Adobe's note on its colours, which say nothing of anybody,
 * and its orientation, without which it would lie on its side: as an EXIF block of that one
 * tag.  Colour profiles go: some name the device.
 *
 * PERR_UNKNOWN: as above.  PERR_CORRUPT: cut off, or lengths that do not fit.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr picture_clean(uint8_t **out, size_t *out_len, const uint8_t *in,
                                       size_t len, enum picture_kind *kind);
/* wipes; NULL is harmless */
void picture_free(uint8_t *p, size_t len);

/* ".jpg"; static */
const char *picture_ending(enum picture_kind kind);
/* "image/jpeg"; static */
const char *picture_media(enum picture_kind kind);

#endif
