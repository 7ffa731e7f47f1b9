/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * instance: a filled form, as ODK writes submissions.
 *
 * instance_parse reads any well-formed document, also one of another version or of a
 * form that is not at hand: answers must stay readable when the form has moved on.
 * instance_check then says what is wrong with it, each fault one sentence that names the
 * question by its number and label.
 */
#ifndef AMPARO_INSTANCE_H
#define AMPARO_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fdate.h"
#include "perr.h"
#include "xform.h"

struct faults;
struct instance;

#define INSTANCE_BYTES_MAX ((size_t)4 << 20)
#define INSTANCE_FILE_NAME_MAX 200      /* bytes of an attachment's name */
#define INSTANCE_WHY_SIZE 256

/*
 * out    out: the caller owns it (instance_free); NULL after an error
 * form   may be NULL, when the form is not known; else it must outlive the instance
 * xml    in: the submission; not kept
 * why    out: one English sentence after an error
 *
 * PERR_FORMAT: not well-formed, or a DOCTYPE.  PERR_LIMIT: over a limit of size, depth or
 * number.  PERR_NOMEM.
 */
enum perr instance_parse(struct instance **out, const struct xform *form, const uint8_t *xml,
                         size_t xml_len, char why[INSTANCE_WHY_SIZE]);

/* Wipes and frees; NULL is harmless. */
void instance_free(struct instance *in);

/* As the document names them; "" where it does not.  Borrowed. */
const char *instance_form_id(const struct instance *in);
const char *instance_form_version(const struct instance *in);
const char *instance_id(const struct instance *in);     /* meta/instanceID, "uuid:…" */

enum instance_level {
	INSTANCE_BASIC,         /* form, version, unknown and repeated nodes, attachment names */
	INSTANCE_FULL           /* also types, choices, required, constraint, relevance, counts */
};

/*
 * Adds to faults what is wrong; none added: it can be submitted.
 * lang   the language questions are named in; NULL: the form's default.  Where it is Spanish
 *        the sentences about answers are, else they are English
 * now    the moment today() and now() mean; may be NULL for INSTANCE_BASIC
 *
 * PERR_OK also when faults were found.  PERR_NOMEM.  PERR_STATE: parsed without a form.
 */
enum perr instance_check(struct instance *in, enum instance_level level, const char *lang,
                         const struct fclock *now, struct faults *faults);

/* Names of attachments, each once, in the order of the document.  Borrowed. */
size_t instance_n_files(const struct instance *in);
const char *instance_file(const struct instance *in, size_t i);

/* Whether a name can be an attachment's: no folder, no control character, not hidden. */
bool instance_file_name_ok(const char *name);

/*
 * The answer at "/data/child[2]/age" (no index means the first); NULL: none.  Borrowed.
 */
const char *instance_value(const struct instance *in, const char *path);

#endif
