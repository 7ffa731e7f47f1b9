/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "compare.h"

#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "papers.h"
#include "term.h"
#include "trust.h"

static int remember(struct client *c, const uint8_t key[32])
{
	enum perr err = trust_member_compared(c, key);

	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the comparison was not stored");
}

/* an administrator could list a key of his own under an attorney's name; a voice could not */
int compare_words(struct cli *cli, const uint8_t key[32], bool checked, const char *what)
{
	char words[WORDS_PHRASE_SIZE(ASSIGN_WORDS)], name[140], *safe;
	int known;
	enum perr err = trust_member(cli->client, key, &known);

	if (err != PERR_OK)
		return cli_fail_err(err, "the members could not be read");
	if (known == 2)
		return EXIT_DONE;
	if (checked)
		return remember(cli->client, key);
	assign_words(words, key);
	client_name_of(cli->client, key, name, sizeof name);
	if (papers_is_key(cli->client, key)) {
		fprintf(stderr, "The new holder is paper: it has no device of its own.  Ask whoever held "
		        "the ceremony, by a voice you know, for the words of the paper holder on the "
		        "list of trustees:\n\n    %s\n\n", words);
		if (!term_yes(stdin, stderr, "Are they exactly these words?", false))
			return cli_fail(EXIT_REFUSED, "nothing was done.  If the words were others, %s "
			                "nothing to this holder: it may be somebody's device.", what);
		return remember(cli->client, key);
	}
	safe = term_safe(name, strlen(name), TERM_LINE);
	fprintf(stderr, "You have not compared the key of %s yet.  Call them, at a number you "
	        "know.\nThey type `amparo about` and read their six words to you:\n\n    %s\n\n",
	        safe != NULL ? safe : "this person", words);
	free(safe);
	if (!term_yes(stdin, stderr, "Did they read exactly these words?", false))
		return cli_fail(EXIT_REFUSED, "nothing was done.  If the words were others, %s nothing to "
		                "this name and speak with a holder of your desk in person.", what);
	return remember(cli->client, key);
}
