/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fdraw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xform_int.h"

static bool number_of(const char *s, double *out)
{
	char *end;

	/* "0x10", "nan" and "inf" are numbers to strtod, not to a form */
	if (s == NULL || s[0] == '\0' || s[strspn(s, "0123456789.+-eE ")] != '\0')
		return false;
	*out = strtod(s, &end);
	return end != s && end[strspn(end, " ")] == '\0' && isfinite(*out);
}

static const char *scale_fault(const struct fctl *ctl)
{
	double start, end, step;

	if (!number_of(ctl->start, &start) || !number_of(ctl->end, &end) ||
	    !number_of(ctl->step, &step))
		return "is a scale whose start, end or step is no number.";
	return step == 0 ? "is a scale with a step of nothing." : NULL;
}

/* "application/zip,text/plain": one that is taken is enough */
static const char *file_fault(const struct fctl *ctl)
{
	static const char *const taken[] = {
		"image/", "audio/", "video/", "text/", "*/*", "application/*", "application/pdf"
	};
	const char *s = ctl->mediatype;

	if (s == NULL || s[strspn(s, " ,")] == '\0')
		return NULL;
	while (s[0] != '\0') {
		s += strspn(s, " ,");
		for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
			if (strncasecmp(s, taken[i], strlen(taken[i])) == 0)
				return NULL;
		s += strcspn(s, " ,");
	}
	return "asks for a file of a kind that is not taken; photographs, recordings, films, text and "
	       "PDF are.";
}

bool fdraw_check(const struct xform *f, char why[XFORM_WHY_SIZE])
{
	char label[XFORM_LABEL_SIZE];

	for (unsigned i = 0; i < f->n_questions; i++) {
		const struct fctl *ctl = f->questions[i];
		const char *fault = NULL;

		if (ctl->kind == FCTL_RANGE)
			fault = scale_fault(ctl);
		else if (ctl->kind == FCTL_UPLOAD)
			fault = file_fault(ctl);
		if (fault == NULL)
			continue;
		xform_question_label(f, ctl->number, xform_default_lang(f), label);
		snprintf(why, XFORM_WHY_SIZE, "Question %u \"%s\" %s", ctl->number, label, fault);
		return false;
	}
	return true;
}
