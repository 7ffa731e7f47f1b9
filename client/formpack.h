/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * formpack: what a form's part in the bulletin holds: the XForm, and the files it takes
 * choices from.  PROTOCOL section 8.1.
 *
 * A form that needs no file is its XML and nothing else; one that does is a document of
 * three items.  XML never begins with the byte of an array of three (0x93), so the first
 * byte tells them apart.
 */
#ifndef AMPARO_FORMPACK_H
#define AMPARO_FORMPACK_H

#include <stddef.h>
#include <stdint.h>

#include "perr.h"
#include "xform.h"

#define FORMPACK_FILES_MAX 16
#define FORMPACK_NAME_MAX  200   /* bytes of a file's name */
#define FORMPACK_MARK      0x93  /* first byte of a part with files */

struct formpack_file {
	char name[FORMPACK_NAME_MAX + 1];
	const uint8_t *bytes;            /* borrowed */
	size_t len;                      /* at least 1 */
};
struct formpack {
	const uint8_t *xml;              /* borrowed */
	size_t xml_len;                  /* at least 1 */
	size_t n_files;
	struct formpack_file files[FORMPACK_FILES_MAX];  /* sorted by name, as bytes */
};

/*
 * out  out: malloc'd, for doc_free; NULL after an error
 * p    in: its files are sorted here
 * PERR_RANGE: larger than a sealed part can hold (BULLETIN_CONTENT_MAX), empty, or a name
 * that is none.  PERR_EXISTS: two files have one name.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr formpack_encode(uint8_t **out, size_t *out_len, struct formpack *p);

/*
 * p   out: borrows from in
 * PERR_FORMAT: not canonical, or not by the table.  PERR_NOMEM.
 */
PERR_MUST_CHECK enum perr formpack_decode(struct formpack *p, const uint8_t *in, size_t in_len);

/*
 * The form as its readers get it: parsed, its files supplied.
 *
 * out   out: for xform_free; NULL after an error
 * in    in: a part's content; not kept
 * why   out: after an error one English sentence, as xform_parse and xform_supply say it,
 *       with the file's name where it is about a file
 *
 * A file of which the form says nothing is refused, since it would travel to every device
 * for nothing; one that the form asks for and that is not there leaves its choices empty
 * (formpack_missing).  Errors as xform_parse; PERR_FORMAT also as formpack_decode.
 */
PERR_MUST_CHECK enum perr formpack_form(struct xform **out, const uint8_t *in, size_t in_len,
                                       char why[XFORM_WHY_SIZE]);

/* A file the form takes choices from and the part does not hold; borrowed; NULL: none. */
const char *formpack_missing(const struct xform *form, const struct formpack *p);

#endif
