/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * export_json: a case as JSON: case.json of an export, and what `list --json` and `show --json`
 * print.
 */
#ifndef AMPARO_EXPORT_JSON_H
#define AMPARO_EXPORT_JSON_H

#include <stddef.h>

#include "case.h"
#include "client.h"
#include "perr.h"

/*
 * All of a case.  An interview's "answers" are the form's rows in order (path, question,
 * value, value for people), also those the form does not have any more; its "data" is what
 * fexport_json makes of it.  out: malloc'd, for doc_free
 */
PERR_MUST_CHECK enum perr export_json(struct client *c, const struct case_file *f, char **out,
                                     size_t *len);
/* one case of a list as a JSON object, without a line end.  out: malloc'd, for doc_free */
PERR_MUST_CHECK enum perr export_json_summary(struct client *c, const struct case_summary *s,
                                             char **out, size_t *len);

/* the words it uses, for `show` too: "accepted", "asked"; "assigned", "on hold"; static */
const char *export_json_answer_text(enum assigned_state a);
const char *export_json_state_text(enum statement_state s);
const char *export_json_erase_text(enum statement_erase_step s);

#endif
