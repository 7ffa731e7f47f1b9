/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The forms library: ODK XForms in, answers checked, shown and written out.
 *
 * It does no I/O and has no globals: bytes come in, bytes go out, and the time is an
 * argument; a command line and a browser call the same functions.  One struct xform may
 * serve several threads that only read it (every function taking a const struct xform).
 *
 *   xform.h      a form's bytes -> struct xform, or one sentence why it is refused
 *   instance.h   a submission's bytes + its form -> struct instance; instance_check lists
 *                its faults (basic or full) and the attachments it names
 *   render.h     an instance in a language -> rows to print, or text to search
 *   fold.h       text -> the same text without case, accents and glottal marks
 *   fill.h       a filling session: current question, answer, next, back, draft bytes
 *   fexport.h    instances -> CSV tables as ODK makes them, or JSON
 *   flint.h      a form -> what its author should mend
 *   fpaper.h     a form -> a paper form as HTML
 *   fault.h      the list of sentences several of these fill in
 *
 * Beneath: ftree (bounded XML), fexpr and feval (the expressions, with JavaRosa's types),
 * fdate, farena, fmap.  xform_int.h shows the insides to the library's own files only.
 *
 * Languages are named as the form names them ("Español (es)"); every function that takes
 * one also takes the code alone ("es"), ignores case, and falls back to the form's
 * default language when the form does not have it or it is NULL.
 */
#ifndef AMPARO_XFORM_H
#define AMPARO_XFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perr.h"

struct xform;

#define XFORM_BYTES_MAX ((size_t)8 << 20)
#define XFORM_WHY_SIZE 512
#define XFORM_LABEL_SIZE 512

/*
 * Parse a form.
 *
 * out   out: the caller owns it and frees it with xform_free; NULL after an error
 * xml   in: the form as ODK Central, Kobo or pyxform export it; not kept
 * why   out: after an error one English sentence naming the question or the feature
 *
 * PERR_FORMAT: not XML, or not an XForm.  PERR_UNKNOWN: a feature that is refused.
 * PERR_LIMIT: over a limit of size, depth or number.  PERR_NOMEM.
 */
enum perr xform_parse(struct xform **out, const uint8_t *xml, size_t xml_len,
                      char why[XFORM_WHY_SIZE]);

/* Frees; NULL is harmless. */
void xform_free(struct xform *f);

/* Borrowed until xform_free; version is "" where the form has none. */
const char *xform_id(const struct xform *f);
const char *xform_version(const struct xform *f);
const char *xform_title(const struct xform *f);

/* Languages in the form's order; 0 when the form is in one language without a name. */
size_t xform_n_langs(const struct xform *f);
const char *xform_lang(const struct xform *f, size_t i);
const char *xform_default_lang(const struct xform *f);  /* "" when there is none */

/* Which of the form's languages is meant by `lang`; the default one when none is. */
size_t xform_find_lang(const struct xform *f, const char *lang);
/* "es" of "Español (es)"; "en" where the form has no languages. */
const char *xform_lang_code(const struct xform *f, size_t i);
/* Whether the form really has it. */
bool xform_has_lang(const struct xform *f, const char *lang);

/* Questions a person answers (numbered from 1); notes and groups are not counted. */
unsigned xform_n_questions(const struct xform *f);
/*
 * Their label by number, outputs shown as "…", cut to about 80 characters; "" where there
 * is no such number.  The text is written to out and ended by a zero.
 */
void xform_question_label(const struct xform *f, unsigned number, const char *lang,
                          char out[XFORM_LABEL_SIZE]);
/* "/data/family/name" */
const char *xform_question_path(const struct xform *f, unsigned number);

/*
 * The repeats a question stands in, outermost first: the path of the i-th ("/data/child");
 * NULL: no more.  label out: XFORM_LABEL_SIZE, in the language; may be NULL
 */
const char *xform_question_repeat(const struct xform *f, unsigned number, size_t i,
                                  const char *lang, char *label);

/*
 * Files the form takes choices from ("cities.csv").  Until a file has been supplied, the
 * choices from it are empty.
 */
size_t xform_n_files(const struct xform *f);
const char *xform_file(const struct xform *f, size_t i);
/*
 * Supply one; the bytes are copied.  CSV, XML or GeoJSON, as the form says.
 * PERR_NOTFOUND: the form does not name this file.  PERR_FORMAT, PERR_LIMIT: why says what
 * is wrong with it, in one sentence.  PERR_EXISTS: supplied before.  PERR_NOMEM.
 */
enum perr xform_supply(struct xform *f, const char *name, const uint8_t *bytes, size_t len,
                       char why[XFORM_WHY_SIZE]);

/* Markings of the project's own namespace on binds: what the office does with an answer. */
#define XFORM_NS_AMPARO "urn:amparo:forms:1"
enum xform_mark {
	XFORM_URGENT,           /* amparo:urgent: expression; a case for which it is true comes first */
	XFORM_DEADLINE,         /* amparo:deadline="true()": this date is one; or an expression */
	XFORM_IDENTITY,         /* amparo:identity: the answer says who somebody is */
	XFORM_STAT,             /* amparo:stat: may be counted in statistics */
	XFORM_N_MARKS
};
/* Path of the i-th node with this mark, and the mark's value; NULL: no more. */
const char *xform_marked(const struct xform *f, enum xform_mark mark, size_t i,
                         const char **value);

#endif
