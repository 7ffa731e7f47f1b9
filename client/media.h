/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * media: what a file is by its first bytes, whatever its sender called it.  Only what a
 * browser shows without running anything in it is named as an image: no SVG, no HTML.
 */
#ifndef AMPARO_MEDIA_H
#define AMPARO_MEDIA_H

#include <stddef.h>
#include <stdint.h>

/* "image/jpeg", …; "application/octet-stream" for all else; static */
const char *media_of(const uint8_t *data, size_t len);

#endif
