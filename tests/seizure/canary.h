/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * canary: what is planted before a seizure and hunted after it, and every shape it may
 * have taken on the way.
 *
 * A plan is a text file, one canary a line, fields parted by tabs:
 *
 *	CLASS	text	UTF-8 text
 *	CLASS	hex	bytes as hexadecimal digits            (keys, ids, pieces of files)
 *	CLASS	ip	an IPv4 or IPv6 address as text
 *	CLASS	time	FROM TO, microseconds since 1970       (a visit: any moment in it)
 *
 * CLASS names a row of the residue table (docs/THREATS.md) or nothing there: then it must
 * not be found.  Lines that start with # are skipped.
 */
#ifndef AMPARO_SEIZURE_CANARY_H
#define AMPARO_SEIZURE_CANARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum canary_type { CANARY_TEXT, CANARY_HEX, CANARY_IP, CANARY_TIME };

struct canary {
	char *class;
	enum canary_type type;
	uint8_t *v;              /* text or bytes; of an address 4 or 16 bytes, network order */
	size_t len;
	char *text;              /* of an address: as written */
	uint64_t from_us, to_us; /* CANARY_TIME */
};

struct plan {
	struct canary *v;
	size_t n;
};

/* ends the program with 2 if the file cannot be read or a line is wrong */
void plan_read(struct plan *p, const char *path);
void plan_free(struct plan *p);

/* the shapes; not every type has each */
enum shape {
	SHAPE_PLAIN, SHAPE_LOWER, SHAPE_UPPER, SHAPE_UTF16LE, SHAPE_UTF16BE,
	SHAPE_HEX, SHAPE_HEX_UPPER,
	SHAPE_BASE64_0, SHAPE_BASE64_1, SHAPE_BASE64_2,
	SHAPE_BASE64URL_0, SHAPE_BASE64URL_1, SHAPE_BASE64URL_2,
	SHAPE_REVERSED,
	SHAPE_WORDS,             /* bytes of each 32-bit word reversed: how a kernel prints IPv6 */
	SHAPE_WORDS_HEX,         /* the same in upper-case hexadecimal digits */
	SHAPE_BINARY,            /* an address as 4 or 16 bytes, network order */
	SHAPE_BINARY_LE,         /* the other order */
	SHAPE_BINARY_HEX,        /* network order, lower-case digits */
	/* times: found by range, not by bytes */
	SHAPE_S_LE, SHAPE_S_BE, SHAPE_MS_LE, SHAPE_MS_BE, SHAPE_US_LE, SHAPE_US_BE,
	SHAPE_NS_LE, SHAPE_NS_BE, SHAPE_XFS_LE, SHAPE_XFS_BE, SHAPE_DIGITS, SHAPE_CALENDAR,
	SHAPE_N
};
const char *shape_text(enum shape s);

/*
 * One canary in one shape.
 * out  out: room for shape_room(c) bytes
 * The length, or 0: this type has no such shape, or it is the same as the plain one, or (for
 * base64) nothing of it depends on the canary alone.
 */
size_t shape_make(uint8_t *out, const struct canary *c, enum shape s);
size_t shape_room(const struct canary *c);

/* malloc and realloc that end the program instead of failing */
void *need(void *p);

#endif
