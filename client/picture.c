/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "picture.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"

/* what a cleaned file may be longer by: an EXIF block of one tag */
#define ROOM 64

struct out {
	uint8_t *p;
	size_t len, size;
};

static void put(struct out *o, const uint8_t *p, size_t n)
{
	/* never more than what was read, plus ROOM */
	if (n > o->size - o->len)
		abort();
	memcpy(o->p + o->len, p, n);
	o->len += n;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* ---- kinds -------------------------------------------------------------------------------- */

static bool begins(const uint8_t *in, size_t len, const char *with, size_t n)
{
	return len >= n && memcmp(in, with, n) == 0;
}

/* ISO media: the brand says whether it is a film, a sound, or a picture nobody here shows */
static enum perr brand(const uint8_t *in, size_t len, enum picture_kind *kind)
{
	static const char *const films[] = { "isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42",
	                                     "avc1", "dash", "MSNV" };

	if (len < 12)
		return PERR_UNKNOWN;
	if (memcmp(in + 8, "M4A", 3) == 0 || memcmp(in + 8, "M4B", 3) == 0)
		*kind = PICTURE_M4A;
	else if (memcmp(in + 8, "3gp", 3) == 0 || memcmp(in + 8, "3g2", 3) == 0)
		*kind = PICTURE_3GP;
	else {
		for (size_t i = 0; i < sizeof films / sizeof films[0]; i++)
			if (memcmp(in + 8, films[i], 4) == 0) {
				*kind = PICTURE_MP4;
				return PERR_OK;
			}
		return PERR_UNKNOWN;
	}
	return PERR_OK;
}

enum perr picture_kind_of(const uint8_t *in, size_t len, enum picture_kind *kind)
{
	static const struct {
		const char *magic;
		size_t n;
		enum picture_kind kind;
	} magics[] = {
		{ "\xff\xd8\xff", 3, PICTURE_JPEG }, { "\x89PNG\r\n\x1a\n", 8, PICTURE_PNG },
		{ "GIF87a", 6, PICTURE_GIF }, { "GIF89a", 6, PICTURE_GIF },
		{ "%PDF-", 5, PICTURE_PDF }, { "OggS", 4, PICTURE_OGG }, { "ID3", 3, PICTURE_MP3 },
		{ "\xff\xfb", 2, PICTURE_MP3 }, { "\xff\xf3", 2, PICTURE_MP3 },
		{ "\xff\xf2", 2, PICTURE_MP3 },
	};

	*kind = PICTURE_TEXT;
	for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
		if (begins(in, len, magics[i].magic, magics[i].n)) {
			*kind = magics[i].kind;
			return PERR_OK;
		}
	if (begins(in, len, "RIFF", 4) && len >= 12) {
		*kind = memcmp(in + 8, "WEBP", 4) == 0 ? PICTURE_WEBP : PICTURE_WAV;
		return *kind == PICTURE_WEBP || memcmp(in + 8, "WAVE", 4) == 0 ? PERR_OK
		                                                               : PERR_UNKNOWN;
	}
	if (len >= 8 && memcmp(in + 4, "ftyp", 4) == 0)
		return brand(in, len, kind);
	/* a program of a phone begins with this byte */
	return len > 0 && in[0] != 0x7f && fold_is_text((const char *)in, len) ? PERR_OK
	                                                                      : PERR_UNKNOWN;
}

const char *picture_ending(enum picture_kind kind)
{
	switch (kind) {
	case PICTURE_JPEG: return ".jpg";
	case PICTURE_PNG:  return ".png";
	case PICTURE_WEBP: return ".webp";
	case PICTURE_GIF:  return ".gif";
	case PICTURE_PDF:  return ".pdf";
	case PICTURE_MP4:  return ".mp4";
	case PICTURE_M4A:  return ".m4a";
	case PICTURE_3GP:  return ".3gp";
	case PICTURE_MP3:  return ".mp3";
	case PICTURE_OGG:  return ".ogg";
	case PICTURE_WAV:  return ".wav";
	case PICTURE_TEXT: return ".txt";
	}
	return "";
}

const char *picture_media(enum picture_kind kind)
{
	switch (kind) {
	case PICTURE_JPEG: return "image/jpeg";
	case PICTURE_PNG:  return "image/png";
	case PICTURE_WEBP: return "image/webp";
	case PICTURE_GIF:  return "image/gif";
	case PICTURE_PDF:  return "application/pdf";
	case PICTURE_MP4:  return "video/mp4";
	case PICTURE_M4A:  return "audio/mp4";
	case PICTURE_3GP:  return "video/3gpp";
	case PICTURE_MP3:  return "audio/mpeg";
	case PICTURE_OGG:  return "audio/ogg";
	case PICTURE_WAV:  return "audio/wav";
	case PICTURE_TEXT: return "text/plain";
	}
	return "application/octet-stream";
}

/* ---- EXIF: which way up -------------------------------------------------------------------------- */

/* the orientation in a TIFF block, 1..8; 0: none, or nothing that can be trusted */
static unsigned orientation(const uint8_t *t, size_t len)
{
	bool is_le;
	uint32_t at, n;

	if (len < 8 || (memcmp(t, "II*\0", 4) != 0 && memcmp(t, "MM\0*", 4) != 0))
		return 0;
	is_le = t[0] == 'I';
	at = is_le ? le32(t + 4) : be32(t + 4);
	if (at > len - 2 || at < 8)
		return 0;
	n = is_le ? t[at] | (uint32_t)t[at + 1] << 8 : (uint32_t)t[at] << 8 | t[at + 1];
	for (at += 2; n > 0 && len - at >= 12; n--, at += 12) {
		const uint8_t *e = t + at;
		unsigned tag = is_le ? e[0] | (unsigned)e[1] << 8 : (unsigned)e[0] << 8 | e[1];
		unsigned type = is_le ? e[2] : e[3], value = is_le ? e[8] : e[9];

		if (tag == 0x0112)
			return type == 3 && value >= 1 && value <= 8 ? value : 0;
	}
	return 0;
}

/* a TIFF block of this one tag: 26 bytes */
#define TIFF_SIZE 26
static void make_tiff(uint8_t t[TIFF_SIZE], unsigned value)
{
	static const uint8_t head[TIFF_SIZE] = {
		'M', 'M', 0, '*', 0, 0, 0, 8,  0, 1,  0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0,
		0, 0, 0, 0
	};

	memcpy(t, head, TIFF_SIZE);
	t[19] = (uint8_t)value;
}

/* ---- JPEG --------------------------------------------------------------------------------------- */

/* behind the head of a scan: where the next marker stands that is none of its own */
static size_t scan_end(const uint8_t *in, size_t len, size_t at)
{
	while (at + 1 < len && (in[at] != 0xff || in[at + 1] == 0 ||
	                        (in[at + 1] >= 0xd0 && in[at + 1] <= 0xd7)))
		at++;
	return at;
}

static bool jpeg_keeps(unsigned marker, const uint8_t *body, size_t n)
{
	if (marker == 0xe0)
		return n >= 5 && memcmp(body, "JFIF", 5) == 0;
	if (marker == 0xee)
		return n == 12 && memcmp(body, "Adobe", 5) == 0;
	return (marker < 0xe0 || marker > 0xef) && marker != 0xfe;
}

static void jpeg_turn(struct out *o, unsigned turn)
{
	uint8_t app1[4 + 6 + TIFF_SIZE] = { 0xff, 0xe1, 0, 2 + 6 + TIFF_SIZE, 'E', 'x', 'i', 'f' };

	make_tiff(app1 + 10, turn);
	put(o, app1, sizeof app1);
}

/* JFIF's head without the small picture it may hold, which could be an older one */
static void jpeg_jfif(struct out *o, const uint8_t *body, size_t n)
{
	uint8_t app0[18] = { 0xff, 0xe0, 0, 16 };

	if (n < 14)
		return;
	memcpy(app0 + 4, body, 12);
	put(o, app0, sizeof app0);
}

static unsigned jpeg_orientation(const uint8_t *in, size_t len)
{
	size_t at = 2;

	while (len - at >= 4 && in[at] == 0xff && in[at + 1] != 0xda) {
		size_t n = (size_t)in[at + 2] << 8 | in[at + 3];

		if (n < 2 || n > len - at - 2)
			return 0;
		if (in[at + 1] == 0xe1 && n >= 8 && memcmp(in + at + 4, "Exif\0\0", 6) == 0)
			return orientation(in + at + 10, n - 8);
		at += 2 + n;
	}
	return 0;
}

static enum perr jpeg(struct out *o, const uint8_t *in, size_t len)
{
	unsigned turn = jpeg_orientation(in, len);
	bool has_scan = false;
	size_t at = 2;

	put(o, in, 2);
	while (len - at >= 2) {
		unsigned marker = in[at + 1];
		size_t n;

		if (in[at] != 0xff)
			return PERR_CORRUPT;
		if (marker == 0xff) {           /* a fill byte */
			at++;
			continue;
		}
		if (marker == 0xd9) {
			put(o, in + at, 2);
			return has_scan ? PERR_OK : PERR_CORRUPT;
		}
		if (marker == 0 || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8) || len - at < 4)
			return PERR_CORRUPT;
		n = (size_t)in[at + 2] << 8 | in[at + 3];
		if (n < 2 || n > len - at - 2)
			return PERR_CORRUPT;
		if (marker != 0xe0 && turn > 1) {
			jpeg_turn(o, turn);
			turn = 0;
		}
		if (marker == 0xe0 && jpeg_keeps(marker, in + at + 4, n - 2))
			jpeg_jfif(o, in + at + 4, n - 2);
		else if (marker != 0xe0 && jpeg_keeps(marker, in + at + 4, n - 2))
			put(o, in + at, 2 + n);
		at += 2 + n;
		if (marker == 0xda) {
			size_t end = scan_end(in, len, at);

			has_scan = true;
			put(o, in + at, end - at);
			at = end;
		}
	}
	return PERR_CORRUPT;
}

/* ---- PNG ----------------------------------------------------------------------------------------- */

static bool png_keeps(const uint8_t *type)
{
	static const char *const shown[] = { "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM",
	                                     "sRGB", "sBIT", "bKGD", "pHYs", "acTL", "fcTL", "fdAT" };

	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
		if (memcmp(type, shown[i], 4) == 0)
			return true;
	return false;
}

static enum perr png(struct out *o, const uint8_t *in, size_t len)
{
	size_t at = 8;

	put(o, in, 8);
	while (len - at >= 12) {
		uint32_t n = be32(in + at);

		if (n > len - at - 12)
			return PERR_CORRUPT;
		if (at == 8 && memcmp(in + at + 4, "IHDR", 4) != 0)
			return PERR_CORRUPT;
		if (png_keeps(in + at + 4))
			put(o, in + at, 12 + (size_t)n);
		if (memcmp(in + at + 4, "IEND", 4) == 0)
			return PERR_OK;
		at += 12 + (size_t)n;
	}
	return PERR_CORRUPT;
}

/* ---- WebP ------------------------------------------------------------------------------------------ */

static bool webp_keeps(const uint8_t *type)
{
	static const char *const shown[] = { "VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF" };

	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
		if (memcmp(type, shown[i], 4) == 0)
			return true;
	return false;
}

static enum perr webp(struct out *o, const uint8_t *in, size_t len)
{
	uint32_t riff = le32(in + 4), size;
	bool has_picture = false;
	size_t at = 12;

	if (riff > len - 8 || riff < 4)
		return PERR_CORRUPT;
	len = 8 + (size_t)riff;
	put(o, in, 12);
	while (len - at >= 8) {
		uint32_t n = le32(in + at + 4);
		size_t whole = 8 + (size_t)n + (n & 1), start = o->len;

		/* some writers leave out the pad byte behind the last one */
		if (n > len - at - 8)
			return PERR_CORRUPT;
		if (whole > len - at)
			whole = len - at;
		if (webp_keeps(in + at)) {
			put(o, in + at, whole);
			has_picture = has_picture || memcmp(in + at, "VP8X", 4) != 0;
			/* no profile, EXIF or XMP is there any more */
			if (memcmp(in + at, "VP8X", 4) == 0) {
				if (n < 10)
					return PERR_CORRUPT;
				o->p[start + 8] &= (uint8_t)~(0x20 | 0x08 | 0x04);
			}
		}
		at += whole;
	}
	if (at != len || !has_picture)
		return PERR_CORRUPT;
	size = (uint32_t)(o->len - 8);
	for (int i = 0; i < 4; i++)
		o->p[4 + i] = (uint8_t)(size >> 8 * i);
	return PERR_OK;
}

/* ---- all ------------------------------------------------------------------------------------------- */

enum perr picture_clean(uint8_t **out, size_t *out_len, const uint8_t *in, size_t len,
                        enum picture_kind *kind)
{
	struct out o = { .size = len + ROOM };
	enum perr err = picture_kind_of(in, len, kind);

	*out = NULL;
	*out_len = 0;
	if (err != PERR_OK)
		return err;
	o.p = malloc(o.size);
	if (o.p == NULL)
		return PERR_NOMEM;
	switch (*kind) {
	case PICTURE_JPEG:
		err = jpeg(&o, in, len);
		break;
	case PICTURE_PNG:
		err = png(&o, in, len);
		break;
	case PICTURE_WEBP:
		err = webp(&o, in, len);
		break;
	case PICTURE_GIF: case PICTURE_PDF: case PICTURE_MP4: case PICTURE_M4A: case PICTURE_3GP:
	case PICTURE_MP3: case PICTURE_OGG: case PICTURE_WAV: case PICTURE_TEXT:
		put(&o, in, len);
		break;
	}
	if (err != PERR_OK) {
		picture_free(o.p, o.size);
		return err;
	}
	*out = o.p;
	*out_len = o.len;
	return PERR_OK;
}

void picture_free(uint8_t *p, size_t len)
{
	if (p != NULL)
		sodium_memzero(p, len);
	free(p);
}
