/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * enrol: a new member's side of joining.  PROTOCOL section 9.
 *
 *	enrol_begin     from the invitation: fresh keys, what the paper says
 *	(sync)          fetches the bulletin with the guest key, pins the anchored desk
 *	enrol_answer    once the roster is known: seals the answer for the stewards
 *	(sync)          puts it; the person says four words on the phone
 *	(sync)          after the confirmation the fresh slot opens: CLIENT_MEMBER
 */
#ifndef AMPARO_ENROL_H
#define AMPARO_ENROL_H

#include "client.h"
#include "invite.h"
#include "join.h"
#include "perr.h"

/*
 * languages  in: n language codes the person speaks ("es", "mam"), n <= 16
 * PERR_STATE: somebody lives in this store already.  PERR_RANGE: name or languages.
 */
PERR_MUST_CHECK enum perr enrol_begin(struct client *c, const struct invite *inv,
                                     const char *name, const char *const *languages,
                                     unsigned n_languages);
/*
 * Make the answer and queue it, once; later calls do nothing.
 * PERR_STATE: no roster is known yet (sync first), or already a member.
 */
PERR_MUST_CHECK enum perr enrol_answer(struct client *c);
/* the four words of the answer.  PERR_NOTFOUND: there is none yet */
PERR_MUST_CHECK enum perr enrol_words(struct client *c, uint16_t words[JOIN_WORDS]);

#endif
