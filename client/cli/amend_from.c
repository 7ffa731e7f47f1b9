/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Corrections that a file or a program gives, checked all at once. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amending.h"
#include "doc.h"
#include "fold.h"
#include "merge.h"
#include "roster.h"
#include "term.h"

#define FROM_MAX  ((size_t)4 << 20)
#define FILES_MAX STATEMENT_ATTACHMENTS

#define T(en, es) ASK_T(&a->f.ask, en, es)

/* ---- a file of corrections ------------------------------------------------------------- */

/* "\n" and "\\" */
static void unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (*s == '\\' && (s[1] == 'n' || s[1] == '\\')) {
			*to++ = s[1] == 'n' ? '\n' : '\\';
			s++;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static char *trim(char *s)
{
	size_t n;

	s += strspn(s, " \t");
	n = strlen(s);
	while (n > 0 && strchr(" \t\r", s[n - 1]) != NULL)
		s[--n] = '\0';
	return s;
}

struct reading {
	struct amending *a;
	struct intake_file files[FILES_MAX];
	size_t n_files;
	unsigned n_faults, line;
};

static void fault(struct reading *r, const char *what, const char *more)
{
	char *safe = term_safe(more, strlen(more), TERM_LINE), *item = NULL;

	if (r->n_faults++ == 0)
		cli_fail(EXIT_REFUSED, ASK_T(&r->a->f.ask, "nothing was sealed.  Mend this and repeat the "
		         "command:", "no se selló nada.  Corrija esto y repita la orden:"));
	if (asprintf(&item, ASK_T(&r->a->f.ask, "- line %u: %s%s", "- línea %u: %s%s"), r->line, what,
	             safe == NULL ? "" : safe) < 0)
		item = NULL;
	term_wrap(stderr, term_width(2), 2, item == NULL ? what : item);
	free(safe);
	free(item);
}

static bool is_given(const struct reading *r, const char *name)
{
	for (size_t i = 0; i < r->n_files; i++)
		if (strcmp(r->files[i].name, name) == 0)
			return true;
	return false;
}

/* by itself, as the question would be asked */
static void check_answer(struct reading *r, unsigned number, const char *value)
{
	struct amending *a = r->a;
	char why[FILL_WHY_SIZE], *at = amending_blind_path(a, number);
	struct fill_step step;
	enum perr err = at == NULL ? PERR_NOMEM : fill_jump_path(a->blind, at);

	if (err == PERR_OK)
		err = fill_current(a->blind, &step);
	if (err == PERR_OK && step.type == FILL_FILE && !is_given(r, value))
		fault(r, T("its file was not given with --attach: ", "falta dar su archivo con --attach: "),
		      value);
	if (err == PERR_OK)
		err = fill_answer(a->blind, value, strlen(value), why);
	if (err == PERR_RANGE)
		fault(r, why, "");
	else if (err != PERR_OK)
		fault(r, T("this question cannot be answered", "esta pregunta no se puede contestar"), "");
	free(at);
}

/* value NULL: taken away; is_whole: a whole one of several is meant */
static void take_change(struct reading *r, char *path, char *value, bool is_whole)
{
	struct amending *a = r->a;
	char *canonical = NULL;
	unsigned number = 0;
	enum perr err;

	if (path[strspn(path, "0123456789")] == '\0' && path[0] != '\0') {
		number = (unsigned)strtoul(path, NULL, 10);
		if (xform_question_path(a->f.iv.form, number) == NULL) {
			fault(r, T("the form has no question ", "el formulario no tiene la pregunta "), path);
			return;
		}
		if (xform_question_repeat(a->f.iv.form, number, 0, NULL, NULL) != NULL) {
			fault(r, T("this question is there for each of several: give its path, as in ",
			      "esta pregunta está una vez por cada una: dé su ruta, como "),
			      xform_question_path(a->f.iv.form, number));
			return;
		}
		path = (char *)xform_question_path(a->f.iv.form, number);
	}
	err = merge_path(&canonical, path, strlen(path));
	if (err == PERR_FORMAT) {
		fault(r, T("this is no path of a question: ", "esto no es la ruta de una pregunta: "), path);
		return;
	}
	if (err == PERR_OK && is_whole && !amending_is_repeat(a, canonical, NULL))
		fault(r, T("the form asks this once only: ", "el formulario pregunta esto una sola vez: "),
		      path);
	number = err == PERR_OK && !is_whole ? amending_question(a, canonical) : 0;
	if (err == PERR_OK && !is_whole && number == 0)
		fault(r, T("the form has no such question: ", "el formulario no tiene esa pregunta: "), path);
	if (err == PERR_OK && number != 0 && value != NULL)
		check_answer(r, number, value);
	if (err == PERR_OK)
		err = amend_set(&a->changes, canonical, value);
	if (err == PERR_LIMIT)
		fault(r, T("these are too many corrections at once", "son demasiadas correcciones a la vez"), "");
	else if (err != PERR_OK)
		fault(r, T("this cannot be taken: ", "esto no se puede tomar: "), perr_text(err));
	free(canonical);
}

static void take_line(struct reading *r, char *line)
{
	static const struct {
		const char *word;
		bool is_whole, is_gone;
	} words[] = {
		{ "clear ", false, true }, { "remove ", true, true }, { "add ", true, false }
	};
	char *text = trim(line), *value;

	if (text[0] == '\0' || text[0] == '#')
		return;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(text, words[i].word, strlen(words[i].word)) == 0) {
			take_change(r, trim(text + strlen(words[i].word)), words[i].is_gone ? NULL : (char[]){ "" },
			            words[i].is_whole);
			return;
		}
	value = strchr(text, '=');
	if (value == NULL) {
		fault(r, ASK_T(&r->a->f.ask, "write it as PATH = ANSWER, or clear PATH: ",
		      "escríbalo como RUTA = RESPUESTA, o clear RUTA: "), text);
		return;
	}
	*value++ = '\0';
	value = trim(value);
	unescape(value);
	take_change(r, trim(text), value, false);
}

/* a pipe has no size; for doc_free */
static int read_pipe(uint8_t **out, size_t *len)
{
	uint8_t *bytes = malloc(FROM_MAX + 1);
	ssize_t n = bytes == NULL ? -1 : 1;

	*len = 0;
	while (n > 0 && *len <= FROM_MAX) {
		n = read(STDIN_FILENO, bytes + *len, FROM_MAX + 1 - *len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			*len += (size_t)n;
	}
	*out = bytes;
	if (n < 0)
		return cli_fail_err(bytes == NULL ? PERR_NOMEM : PERR_IO, "nothing was sealed");
	return *len > FROM_MAX ? cli_fail(EXIT_REFUSED, "the corrections are too large.") : EXIT_DONE;
}

static int read_from(struct reading *r, const char *name)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int code = strcmp(name, "-") == 0 ? read_pipe(&bytes, &len)
	                                  : cli_read_file(name, FROM_MAX, &bytes, &len);
	char *text = code == EXIT_DONE ? malloc(len + 1) : NULL, *line, *next;

	if (code == EXIT_DONE && text == NULL)
		code = cli_fail_err(PERR_NOMEM, "nothing was sealed");
	if (text != NULL) {
		memcpy(text, bytes, len);
		text[len] = '\0';
		if (strlen(text) != len || !fold_is_text(text, len)) {
			r->line = 1;
			fault(r, ASK_T(&r->a->f.ask, "this is no text", "esto no es un texto"), "");
		} else {
			for (line = text; line != NULL; line = next) {
				next = strchr(line, '\n');
				if (next != NULL)
					*next++ = '\0';
				r->line++;
				take_line(r, line);
			}
		}
		sodium_memzero(text, len);
	}
	free(text);
	doc_free(bytes, len);
	return code;
}

/* the files are in the draft's place: nothing is stored before it is sealed */
int amend_from(struct amending *a, const struct amend_given *g)
{
	struct reading *r = calloc(1, sizeof *r);
	uint8_t *data[FILES_MAX] = { NULL };
	int code = r == NULL ? cli_fail_err(PERR_NOMEM, "nothing was sealed") : EXIT_DONE;

	for (size_t i = 0; code == EXIT_DONE && i < g->n_attach; i++) {
		const char *slash = strrchr(g->attach[i], '/');

		code = cli_read_file(g->attach[i], a->f.cli->client->field->limits.attachment_bytes,
		                     &data[i], &r->files[i].len);
		r->files[i].name = slash == NULL ? g->attach[i] : slash + 1;
		r->files[i].data = data[i];
		r->n_files++;
	}
	if (code == EXIT_DONE) {
		r->a = a;
		if (g->from != NULL)
			code = read_from(r, g->from);
		for (size_t i = 0; code == EXIT_DONE && i < g->n_clear; i++) {
			char *path = strdup(g->clear[i]);

			r->line++;
			if (path != NULL)
				take_change(r, path, NULL, false);
			free(path);
		}
	}
	for (size_t i = 0; code == EXIT_DONE && i < r->n_files; i++) {
		bool is_named = false;

		for (size_t k = 0; k < a->changes.n; k++)
			is_named = is_named || (a->changes.at[k].value != NULL &&
			                        strcmp(a->changes.at[k].value, r->files[i].name) == 0);
		if (!is_named)
			fault(r, T("no correction names the file ", "ninguna corrección nombra el archivo "),
			      r->files[i].name);
	}
	if (code == EXIT_DONE && r->n_faults > 0)
		code = EXIT_REFUSED;
	for (size_t i = 0; code == EXIT_DONE && i < r->n_files; i++)
		if (draft_attach(a->f.iv.d, r->files[i].name, r->files[i].data, r->files[i].len, false) != PERR_OK)
			code = cli_fail(EXIT_REFUSED, T("the file \"%s\" is not accepted; nothing was sealed.",
			                "el archivo «%s» no se acepta; no se selló nada."), r->files[i].name);
	if (code == EXIT_DONE)
		code = amending_seal(a);
	for (size_t i = 0; i < FILES_MAX && data[i] != NULL; i++) {
		sodium_memzero(data[i], r->files[i].len);
		free(data[i]);
	}
	free(r);
	return code;
}

