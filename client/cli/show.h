/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* show: what the files of `amparo show` share: texts on a page, the answers of a case. */
#ifndef AMPARO_SHOW_H
#define AMPARO_SHOW_H

#include "case.h"
#include "case_merge.h"
#include "client.h"

struct show_page {
	struct client *c;
	const char *lang;
	unsigned width;
	bool any;
	const struct case_merged *merged;        /* of the interview that is being printed */
};

/* untrusted text, wrapped; every line after `indent` spaces */
void show_paragraph(const struct show_page *p, unsigned indent, const char *text, size_t len);
/* "label: value" on one line if it fits, else the value below */
void show_labelled(const struct show_page *p, unsigned indent, const char *label,
                   size_t label_len, const char *value, size_t value_len);

/* why it is urgent and what is due, in the language asked for */
PERR_MUST_CHECK enum perr show_marks(struct show_page *p, const struct case_file *f);
/*
 * The answers of every interview as they stand now, with who corrected what; then what was
 * taken away, what two people say differently, and each correction with what became of it.
 */
PERR_MUST_CHECK enum perr show_interviews(struct show_page *p, const struct case_file *f);

#endif
