/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * refusal: why something was not said of a case, as a code.  Whatever fills `why` with a
 * sentence for a terminal (assign.h, erasing.h, dispatch.h) notes the code beside it in
 * struct client, for a page that has sentences of its own in two languages.
 *
 * It is of the last such call, and REFUSAL_NONE after one that was not refused.
 */
#ifndef AMPARO_REFUSAL_H
#define AMPARO_REFUSAL_H

enum refusal {
	REFUSAL_NONE = 0,
	REFUSAL_NOT_HOLDER,      /* only who holds the case's desk can do that */
	REFUSAL_NOT_ASSIGNED,    /* it was not assigned to this member */
	REFUSAL_NOT_MEMBER,      /* no attorney or interpreter (any more) */
	REFUSAL_HAS_IT,          /* the person has accepted it */
	REFUSAL_ASKED,           /* the person was asked and has not answered */
	REFUSAL_HAS_IT_NOT,      /* nothing to take back */
	REFUSAL_RECUSED,         /* the person is out of it for good; or that was said before */
	REFUSAL_ANSWERED,        /* that was answered before */
	REFUSAL_WITHDRAWN,       /* the desk took it back */
	REFUSAL_TOO_LATE,        /* another one has it since */
	REFUSAL_CLOSED,          /* it is closed (already) */
	REFUSAL_NOT_CLOSED,
	REFUSAL_ALONE,           /* the interview has not arrived */
	REFUSAL_ERASED,          /* kept under a hold only */
	REFUSAL_NO_KEYS,         /* nobody to seal to has published keys */
	REFUSAL_NO_DESK,         /* its desk is not listed */
	REFUSAL_UNTRUSTED        /* its desk is not trusted here */
};

/* "not_holder"; "" for REFUSAL_NONE; static */
const char *refusal_text(enum refusal r);

#endif
