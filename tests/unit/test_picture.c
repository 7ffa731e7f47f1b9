/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

#define OK(e) assert_int_equal(e, PERR_OK)

struct bytes {
	uint8_t p[4096];
	size_t len;
};

static void add(struct bytes *b, const void *p, size_t n)
{
	assert_true(b->len + n <= sizeof b->p);
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

#define ADD(b, text) add(b, text, sizeof text - 1)

static bool holds(const uint8_t *p, size_t len, const char *text)
{
	return len > 0 && memmem(p, len, text, strlen(text)) != NULL;
}

/* a TIFF block: camera, orientation, a note, in this byte order */
static void exif(struct bytes *b, bool is_le, unsigned turn)
{
	static const uint8_t le[] = { 'I', 'I', '*', 0, 8, 0, 0, 0, 2, 0, 0x0f, 1, 2, 0, 8, 0, 0, 0, 38, 0,
	                              0, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t be[] = { 'M', 'M', 0, '*', 0, 0, 0, 8, 0, 2, 1, 0x0f, 0, 2, 0, 0, 0, 8, 0, 0,
	                              0, 38, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
	uint8_t t[sizeof le];

	memcpy(t, is_le ? le : be, sizeof t);
	t[is_le ? 30 : 31] = (uint8_t)turn;
	ADD(b, "\xff\xe1\0\x36" "Exif\0\0");
	add(b, t, sizeof t);
	ADD(b, "GPSSECR\0");
}

static void make_jpeg(struct bytes *b, bool is_le, unsigned turn)
{
	b->len = 0;
	ADD(b, "\xff\xd8");
	ADD(b, "\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0");
	exif(b, is_le, turn);
	ADD(b, "\xff\xe1\0\x10http://ns.ado\0");          /* XMP */
	ADD(b, "\xff\xe2\0\x0eMPF\0SECRETS\0");
	ADD(b, "\xff\xed\0\x0bPhotosho\0");
	ADD(b, "\xff\xee\0\x0e" "Adobe\0d\0\0\0\0\1");
	ADD(b, "\xff\xfe\0\x08SECRET");
	ADD(b, "\xff\xdb\0\x04qt");
	ADD(b, "\xff\xff\xc0\0\x05sof");                  /* a fill byte before it */
	ADD(b, "\xff\xda\0\x04s1pixels\xff\0more\xff\xd3rest");
	ADD(b, "\xff\xc4\0\x04ht\xff\xda\0\x04s2second scan");
	ADD(b, "\xff\xd9");
	ADD(b, "SECRET behind the end\xff\xd8\xff\xe1");
}

static void a_jpeg_keeps_its_picture_and_nothing_else(void **state)
{
	static const uint8_t turned[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M' };
	enum picture_kind kind;
	struct bytes b;
	uint8_t *out;
	size_t len;

	for (unsigned turn = 0; turn <= 9; turn++)
		for (int is_le = 0; is_le < 2; is_le++) {
			make_jpeg(&b, is_le, turn);
			/* the control: there is something to take out */
			assert_true(holds(b.p, b.len, "SECR") && holds(b.p, b.len, "MPF"));
			OK(picture_clean(&out, &len, b.p, b.len, &kind));
			assert_int_equal(kind, PICTURE_JPEG);
			assert_false(holds(out, len, "SECR"));
			assert_false(holds(out, len, "MPF"));
			assert_false(holds(out, len, "http:"));
			assert_false(holds(out, len, "Photosho"));
			assert_true(holds(out, len, "JFIF") && holds(out, len, "Adobe"));
			assert_true(holds(out, len, "qt") && holds(out, len, "sof"));
			assert_true(memmem(out, len, "pixels\xff\0more\xff\xd3rest", 18) != NULL);
			assert_true(holds(out, len, "second scan"));
			assert_memory_equal(out + len - 2, "\xff\xd9", 2);
			assert_int_equal(memmem(out, len, turned, sizeof turned) != NULL,
			                 turn >= 2 && turn <= 8);
			if (turn >= 2 && turn <= 8) {
				const uint8_t *at = memmem(out, len, turned, sizeof turned);

				assert_int_equal(at[10 + 19], turn);
			}
			/* what is clean stays as it is */
			memcpy(b.p, out, b.len = len);
			picture_free(out, len);
			OK(picture_clean(&out, &len, b.p, b.len, &kind));
			assert_int_equal(len, b.len);
			assert_memory_equal(out, b.p, len);
			picture_free(out, len);
		}
}

static void chunk(struct bytes *b, const char *type, const char *body, size_t n)
{
	uint8_t head[8] = { 0, 0, (uint8_t)(n >> 8), (uint8_t)n };

	memcpy(head + 4, type, 4);
	add(b, head, 8);
	add(b, body, n);
	ADD(b, "crc.");
}

static void make_png(struct bytes *b)
{
	b->len = 0;
	ADD(b, "\x89PNG\r\n\x1a\n");
	chunk(b, "IHDR", "0123456789abc", 13);
	chunk(b, "tEXt", "SECRET", 6);
	chunk(b, "eXIf", "SECRET", 6);
	chunk(b, "tIME", "SECRET.", 7);
	chunk(b, "iTXt", "SECRET", 6);
	chunk(b, "zTXt", "SECRET", 6);
	chunk(b, "iCCP", "SECRET", 6);
	chunk(b, "prVt", "SECRET", 6);
	chunk(b, "PLTE", "palette", 7);
	chunk(b, "IDAT", "pixels", 6);
	chunk(b, "IEND", "", 0);
	ADD(b, "SECRET");
}

static void riff(struct bytes *b, const char *type, const char *body, size_t n)
{
	uint8_t head[8] = { 0 };

	memcpy(head, type, 4);
	head[4] = (uint8_t)n;
	add(b, head, 8);
	add(b, body, n);
	if (n & 1)
		add(b, "", 1);
}

static void make_webp(struct bytes *b)
{
	b->len = 0;
	ADD(b, "RIFF\0\0\0\0WEBP");
	riff(b, "VP8X", "\x3c\0\0\0\1\0\0\1\0\0", 10);
	riff(b, "ICCP", "SECRET", 6);
	riff(b, "VP8 ", "pixels!", 7);
	riff(b, "EXIF", "SECRET", 6);
	riff(b, "XMP ", "SECRETS", 7);
	b->p[4] = (uint8_t)(b->len - 8);
	ADD(b, "SECRET");
}

static void a_png_and_a_webp_too(void **state)
{
	enum picture_kind kind;
	struct bytes b;
	uint8_t *out;
	size_t len;

	make_png(&b);
	OK(picture_clean(&out, &len, b.p, b.len, &kind));
	assert_int_equal(kind, PICTURE_PNG);
	assert_false(holds(out, len, "SECRET"));
	assert_true(holds(out, len, "IHDR") && holds(out, len, "palette") && holds(out, len, "pixels"));
	assert_memory_equal(out + len - 8, "IENDcrc.", 8);
	picture_free(out, len);

	make_webp(&b);
	OK(picture_clean(&out, &len, b.p, b.len, &kind));
	assert_int_equal(kind, PICTURE_WEBP);
	assert_false(holds(out, len, "SECRET"));
	assert_true(holds(out, len, "pixels!"));
	assert_int_equal(out[4] + 8, len);
	assert_int_equal(out[20], 0x10);        /* no profile, EXIF or XMP; transparency stays */
	picture_free(out, len);
}

static void kinds_are_told_by_content(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *ending;
	} files[] = {
		{ "GIF89a....", 10, ".gif" }, { "%PDF-1.7", 8, ".pdf" }, { "OggS....", 8, ".ogg" },
		{ "ID3.....", 8, ".mp3" }, { "\xff\xfb\x90\0", 4, ".mp3" }, { "RIFF....WAVE", 12, ".wav" },
		{ "\0\0\0\x18" "ftypisom....", 16, ".mp4" }, { "\0\0\0\x18" "ftypM4A ....", 16, ".m4a" },
		{ "\0\0\0\x18" "ftyp3gp5....", 16, ".3gp" }, { "Querido\n", 8, ".txt" },
		{ "\xc3\xb1", 2, ".txt" },
		{ "\0\0\0\x18" "ftypheic....", 16, NULL }, { "\0\0\0\x18" "ftypavif....", 16, NULL },
		{ "II*\0....", 8, NULL }, { "MM\0*....", 8, NULL }, { "\x7f" "ELF", 4, NULL },
		{ "MZ\x90\0", 4, NULL }, { "PK\3\4", 4, NULL }, { "", 0, NULL }, { "a\0b", 3, NULL },
		{ "\xc3(", 2, NULL }, { "RIFF....AVI ", 12, NULL }, { "\0\0\0\x18" "ftyp", 8, NULL },
	};
	enum picture_kind kind;

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		enum perr err = picture_kind_of((const uint8_t *)files[i].bytes, files[i].n, &kind);

		if (files[i].ending == NULL) {
			assert_int_equal(err, PERR_UNKNOWN);
			continue;
		}
		OK(err);
		assert_string_equal(picture_ending(kind), files[i].ending);
		assert_true(strchr(picture_media(kind), '/') != NULL);
	}
}

/* cut anywhere, any byte another: an answer, and never a byte of what was to go */
static void damage_is_refused_or_harmless(void **state)
{
	void (*const makers[])(struct bytes *) = { make_png, make_webp };
	unsigned n_refused = 0, n_taken = 0;

	for (int which = 0; which < 3; which++) {
		enum picture_kind kind;
		struct bytes b;
		uint8_t *out, *exact;
		size_t len, end;

		if (which == 2)
			make_jpeg(&b, true, 6);
		else
			makers[which](&b);
		end = b.len;
		for (size_t cut = 0; cut < end; cut++) {
			enum perr err;

			/* no byte behind the cut is read: an exact allocation lets a sanitizer see */
			exact = malloc(cut + (cut == 0));
			assert_non_null(exact);
			memcpy(exact, b.p, cut);
			err = picture_clean(&out, &len, exact, cut, &kind);
			assert_true(err == PERR_OK || err == PERR_CORRUPT || err == PERR_UNKNOWN);
			n_refused += err != PERR_OK;
			picture_free(out, len);
			free(exact);
		}
		for (size_t at = 0; at < end; at++)
			for (int bit = 0; bit < 8; bit++) {
				b.p[at] ^= (uint8_t)(1 << bit);
				if (picture_clean(&out, &len, b.p, b.len, &kind) == PERR_OK) {
					assert_true(len <= b.len + 64);
					n_taken++;
				}
				picture_free(out, len);
				b.p[at] ^= (uint8_t)(1 << bit);
			}
	}
	assert_true(n_refused > 300);
	assert_true(n_taken > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jpeg_keeps_its_picture_and_nothing_else),
		cmocka_unit_test(a_png_and_a_webp_too),
		cmocka_unit_test(kinds_are_told_by_content),
		cmocka_unit_test(damage_is_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
