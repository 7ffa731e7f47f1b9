/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "media.h"

#include <stdbool.h>
#include <string.h>

static bool has(const uint8_t *data, size_t len, size_t at, const char *magic, size_t n)
{
	return len >= at + n && memcmp(data + at, magic, n) == 0;
}

/* an ISO base media file by its brand */
static const char *iso_media(const uint8_t *data)
{
	static const char *const audio[] = { "M4A ", "M4B " };
	static const char *const video[] = { "isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42",
	                                     "avc1", "3gp4", "3gp5", "3gp6", "3gpp", "qt  ", "dash" };

	for (size_t i = 0; i < sizeof audio / sizeof audio[0]; i++)
		if (memcmp(data + 8, audio[i], 4) == 0)
			return "audio/mp4";
	for (size_t i = 0; i < sizeof video / sizeof video[0]; i++)
		if (memcmp(data + 8, video[i], 4) == 0)
			return "video/mp4";
	return "application/octet-stream";       /* HEIC among them: no browser shows it alike */
}

const char *media_of(const uint8_t *data, size_t len)
{
	if (has(data, len, 0, "\xff\xd8\xff", 3))
		return "image/jpeg";
	if (has(data, len, 0, "\x89PNG\r\n\x1a\n", 8))
		return "image/png";
	if (has(data, len, 0, "GIF87a", 6) || has(data, len, 0, "GIF89a", 6))
		return "image/gif";
	if (has(data, len, 0, "RIFF", 4) && has(data, len, 8, "WEBP", 4))
		return "image/webp";
	if (has(data, len, 0, "RIFF", 4) && has(data, len, 8, "WAVE", 4))
		return "audio/wav";
	if (has(data, len, 0, "%PDF-", 5))
		return "application/pdf";
	if (has(data, len, 0, "OggS", 4))
		return "audio/ogg";
	if (has(data, len, 0, "ID3", 3) ||
	    (len >= 2 && data[0] == 0xff && (data[1] == 0xfb || data[1] == 0xf3 || data[1] == 0xf2)))
		return "audio/mpeg";
	if (has(data, len, 0, "\x1a\x45\xdf\xa3", 4))
		return "audio/webm";
	if (len >= 12 && has(data, len, 4, "ftyp", 4))
		return iso_media(data);
	return "application/octet-stream";
}
