/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "share_ask.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "term.h"
#include "typed.h"
#include "words.h"

#define ROW 4                    /* words in a row of the sheet */

/* the second screen has no memory of what scrolled away; the first one's is not touched */
static void screen(struct ask *a, bool second)
{
	if (!a->is_tty || !term_is_tty(STDOUT_FILENO))
		return;
	fputs(second ? "\033[?1049h\033[2J\033[H" : "\033[2J\033[3J\033[H\033[?1049l", stdout);
	fflush(stdout);
}

/* the words of one line behind those that are there; false: one is no word of the list */
static bool take_words(struct ask *a, const char *line, struct share_typed *t, unsigned *n)
{
	while (*line != '\0') {
		size_t len;
		int word;

		line += strspn(line, " \t,;");
		len = strcspn(line, " \t,;");
		if (len == 0)
			break;
		/* the sheet numbers its rows, and some type the numbers too */
		if (strspn(line, "0123456789-.") == len) {
			line += len;
			continue;
		}
		if (*n == PAPER_WORDS) {
			ask_say(a, 0, "A sheet has %d words; what came after them was left out.",
			        PAPER_WORDS);
			return true;
		}
		word = words_find(line, len);
		if (word < 0) {
			ask_say(a, 0, "Word %u, \"%.*s\", is no word of the list.  Type on from that "
			        "word.", *n + 1, (int)(len < 20 ? len : 20), line);
			return false;
		}
		t->words[(*n)++] = (uint16_t)word;
		line += len;
	}
	return true;
}

static enum ask_result ask_words(struct ask *a, const char *label, struct share_typed *t)
{
	unsigned n = 0;

	while (n < PAPER_WORDS) {
		unsigned last = n - n % ROW + ROW;
		char prompt[80], *line = NULL;
		enum ask_result got;
		const char *at;

		snprintf(prompt, sizeof prompt, last == n + 1 ? "%s, word %u: " : "%s, words %u to %u: ",
		         label, n + 1, last);
		got = ask_line(a, prompt, &line);
		if (got != ASK_LINE) {
			ask_free(line);
			return got;
		}
		at = line + strspn(line, " \t");
		if (strncmp(at, "amparo-share:", 13) == 0) {
			t->is_text = true;
			t->err = paper_share_from_text(&t->share, at);
			ask_free(line);
			return ASK_LINE;
		}
		if (strcmp(at, ".") == 0) {
			ask_say(a, 0, "From the first word again.");
			n = 0;
		} else {
			(void)take_words(a, at, t, &n);
		}
		ask_free(line);
	}
	return ASK_LINE;
}

enum ask_result share_ask(struct ask *a, const char *label, struct share_typed *t)
{
	enum ask_result got;

	memset(t, 0, sizeof *t);
	screen(a, true);
	ask_say(a, 0, "%s: type the words of the sheet row by row, or scan its code.  The first "
	        "four letters of a word are enough; a full stop alone begins again.", label);
	got = ask_words(a, label, t);
	screen(a, false);
	if (got != ASK_LINE)
		sodium_memzero(t, sizeof *t);
	return got;
}

static bool agrees(struct ask *a, const char *question)
{
	for (unsigned i = 0; i < 3; i++) {
		char *line = NULL;
		int yes;

		if (ask_line(a, question, &line) != ASK_LINE) {
			ask_free(line);
			return false;
		}
		yes = typed_yes(line);
		ask_free(line);
		if (yes >= 0)
			return yes == 1;
	}
	return false;
}

/* words are said on the second screen as well: two of them narrow a share down */
static bool mend(struct ask *a, struct share_typed *t, const struct paper_wrong *w)
{
	unsigned at = w->at;
	bool yes;

	screen(a, true);
	if (w->slip == PAPER_SLIP_SWAPPED)
		ask_say(a, 0, "Words %u and %u seem to have changed places: does the sheet say \"%s "
		        "%s\"?", at + 1, at + 2, words_get(t->words[at + 1]),
		        words_get(t->words[at]));
	else
		ask_say(a, 0, "Word %u is not what the sheet says: \"%s\" was typed.  Does the sheet "
		        "say \"%s\" there?", at + 1, words_get(t->words[at]), words_get(w->right));
	yes = agrees(a, "yes or no: ");
	screen(a, false);
	if (!yes)
		return false;
	if (w->slip == PAPER_SLIP_SWAPPED)
		t->words[at + 1] = t->words[at];
	t->words[at] = w->right;
	return true;
}

bool share_whole(struct ask *a, struct share_typed *t)
{
	struct paper_wrong wrong;

	if (t->is_text) {
		if (t->err != PERR_OK)
			ask_say(a, 0, "This is not the code of a share, or it was not read whole: scan it "
			        "again, or type its words.");
		return t->err == PERR_OK;
	}
	t->err = paper_share_from_words(&t->share, &wrong, t->words);
	if (t->err == PERR_OK)
		return true;
	if (t->err == PERR_FORMAT)
		ask_say(a, 0, "This sheet was made by a later version of this program.");
	else if (wrong.slip == PAPER_SLIP_NONE)
		ask_say(a, 0, "More than one word is not what the sheet says.  Compare row by row and "
		        "type it again.");
	else if (mend(a, t, &wrong))
		t->err = paper_share_from_words(&t->share, &wrong, t->words);
	else
		ask_say(a, 0, "Then it is not whole.  Compare row by row and type it again.");
	return t->err == PERR_OK;
}
