/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* op_pass: passphrases before there is a vault.  Shapes: app/ops_volunteer.ts. */
#include <string.h>

#include "phrase.h"
#include "web_ops.h"

enum perr op_passphrase_words(struct web *w, struct web_args *a, struct web_out *o)
{
	struct phrase *p = NULL;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = phrase_generate(&p);
	if (err == PERR_OK)
		web_out_str(o, "words", p->text);
	phrase_free(p);
	return err;
}

enum perr op_passphrase_judge(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *text = web_arg_text(a, "pass", 0, PHRASE_MAX);
	struct phrase *p = NULL;
	enum perr err = web_args_end(a);
	unsigned bits = 0;
	bool is_words = false, is_enough = false;

	/* nothing typed yet is weak, not wrong */
	if (err == PERR_OK && text[0] != '\0') {
		err = phrase_of(&p, text, strlen(text));
		if (err == PERR_OK) {
			is_words = phrase_canon(p);
			bits = phrase_least(p);
			is_enough = phrase_is_enough(p);
		}
	}
	phrase_free(p);
	if (err != PERR_OK)
		return err;
	web_out_uint(o, "bits", bits);
	web_out_uint(o, "enough", (uint64_t)PHRASE_MIN_BITS);
	web_out_bool(o, "ok", is_enough);
	web_out_bool(o, "is_words", is_words);
	return PERR_OK;
}

enum perr op_passphrase_same(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *pass = web_arg_text(a, "pass", 1, PHRASE_MAX);
	const char *again = web_arg_text(a, "again", 0, PHRASE_MAX);
	struct phrase *p = NULL, *q = NULL;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = phrase_of(&p, pass, strlen(pass));
	if (err == PERR_OK && again[0] != '\0')
		err = phrase_of(&q, again, strlen(again));
	if (err == PERR_OK)
		web_out_bool(o, "same", q != NULL && phrase_is_same(p, q));
	phrase_free(p);
	phrase_free(q);
	return err;
}
