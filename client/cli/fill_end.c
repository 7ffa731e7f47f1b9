/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The end of an interview: the review, sealing, the case code. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_record.h"
#include "dispatch.h"
#include "fault.h"
#include "filling.h"
#include "fold.h"
#include "large.h"
#include "outbox.h"
#include "term.h"

#define T(en, es) ASK_T(&f->ask, en, es)

/* ---- the review ---------------------------------------------------------------------------- */

struct page {
	struct filling *f;
	char where[512];
};

static bool review_row(void *arg, const struct fill_step *step)
{
	struct page *p = arg;
	struct filling *f = p->f;
	const char *shown = step->shown[0] != '\0' ? step->shown : step->value;

	if (step->kind == FILL_REPEAT || (step->kind == FILL_NOTE && step->value[0] == '\0'))
		return true;
	if (strncmp(p->where, step->where, sizeof p->where - 1) != 0) {
		snprintf(p->where, sizeof p->where, "%s", step->where);
		ask_gap(&f->ask);
		if (step->where[0] != '\0')
			ask_say(&f->ask, 0, "%s", step->where);
	}
	if (step->type == FILL_BOOLEAN && step->value[0] != '\0')
		shown = strcmp(step->value, "true") == 0 || strcmp(step->value, "1") == 0
			? T("Yes", "Sí") : T("No", "No");
	if (step->number != 0)
		ask_say(&f->ask, 0, "%u. %s", step->number, step->label);
	else
		ask_say(&f->ask, 0, "%s", step->label);
	ask_say(&f->ask, 4, "%s", shown[0] != '\0' ? shown : T("(blank)", "(en blanco)"));
	return true;
}

static void show_paper(struct filling *f)
{
	char day[FDATE_SIZE];
	size_t n = 0;

	if (!f->iv.d->head.is_paper)
		return;
	fdate_show(day, (double)f->iv.d->visit_day, false, f->ask.is_es ? "es" : "en");
	ask_say(&f->ask, 0, T("Date of the visit: %s", "Fecha de la visita: %s"), day);
	ask_say(&f->ask, 0, T("Typed in by: %s", "Pasado a la computadora por: %s"), f->iv.d->transcriber);
	for (size_t i = 0; i < f->iv.d->n_files; i++)
		if (f->iv.d->files[i].is_scan) {
			ask_say(&f->ask, 0, T("Scan: %s", "Escaneo: %s"), f->iv.d->files[i].name);
			n++;
		}
	if (n == 0)
		ask_say(&f->ask, 0, T("No scan.", "Sin escaneo."));
}

/* what keeps it from being sealed; 0: nothing */
static size_t show_faults(struct filling *f)
{
	struct faults *l = faults_new();
	enum perr err = l == NULL ? PERR_NOMEM : fill_check(f->iv.s, l);
	size_t n = 1;

	if (err != PERR_OK) {
		cli_fail_err(err, "%s", T("the answers could not be checked",
		             "no se pudieron revisar las respuestas"));
		goto out;
	}
	n = faults_total(l);
	if (n > 0) {
		ask_gap(&f->ask);
		ask_say(&f->ask, 0, T("Before it can be sealed:", "Antes de poder sellarla:"));
	}
	for (size_t i = 0; i < faults_count(l); i++)
		ask_say(&f->ask, 0, "- %s", faults_at(l, i)->text);
out:
	faults_free(l);
	return n;
}

static bool show_page(struct filling *f)
{
	struct page p = { .f = f };
	enum perr err;

	ask_gap(&f->ask);
	ask_say(&f->ask, 0, T("Review: all the answers", "Revisión: todas las respuestas"));
	show_paper(f);
	err = fill_review(f->iv.s, review_row, &p);
	sodium_memzero(p.where, sizeof p.where);
	if (err != PERR_OK) {
		filling_failed(f, err, T("the answers could not be shown",
		               "no se pudieron mostrar las respuestas"));
		return false;
	}
	show_faults(f);
	ask_gap(&f->ask);
	ask_say(&f->ask, 0, T("What now?", "¿Y ahora?"));
	ask_say(&f->ask, 2, T("a number   change that answer", "un número  cambiar esa respuesta"));
	if (f->iv.d->head.is_paper)
		ask_say(&f->ask, 2, T("date, name, scan   change what is at the top",
		        "fecha, nombre, escaneo   cambiar lo de arriba"));
	ask_say(&f->ask, 2, T("submit     finish: seal it", "enviar     terminar: sellarla"));
	ask_say(&f->ask, 2, T("save       stop, go on another time", "guardar    parar, seguir otro día"));
	return true;
}

/* ---- sealing ------------------------------------------------------------------------------- */

static enum filling_next seal(struct filling *f)
{
	enum filling_next next = FILLING_ON;
	char why[DISPATCH_WHY] = "";
	struct intake_receipt r;
	/* sync may have run beside us for hours: seal with the newest list of attorneys */
	enum perr err = client_reload(f->cli->client);

	memset(&r, 0, sizeof r);
	if (err != PERR_OK) {
		next = FILLING_FAILED;
		f->code = EXIT_DAMAGED;
	} else {
		f->iv.tz_min = cmd_tz_min();
		err = interview_seal(&f->iv, &r, why);
	}
	if (err == PERR_OK) {
		next = fill_end_code(f, &r);
	} else if (why[0] != '\0') {
		char *text = filling_why(f, err, why);

		ask_say(&f->ask, 0, T("It was not sealed, and nothing is lost: %s",
		        "No se selló, y no se perdió nada: %s"), text == NULL ? why : text);
		free(text);
	} else {
		cli_fail_err(err, "%s", T("it was not sealed, and nothing is lost",
		             "no se selló, y no se perdió nada"));
	}
	sodium_memzero(&r, sizeof r);
	return next;
}

/* ---- the code ------------------------------------------------------------------------------ */

static void show_code(struct filling *f, const char shown[CASE_CODE_SHOWN + 1])
{
	const char *term = getenv("TERM");
	char spelled[2 * CASE_CODE_SHOWN + 1];
	size_t n = 0;

	for (size_t i = 0; i < CASE_CODE_SHOWN; i++) {
		spelled[n++] = shown[i];
		spelled[n++] = ' ';
	}
	spelled[n - 1] = '\0';
	ask_gap(&f->ask);
	if (f->iv.d->head.is_paper)
		ask_say(&f->ask, 0, T("Sealed.  Copy this code onto the paper, where it says \"Case code\", "
		        "and onto the family's slip:", "Sellada.  Copie esta clave en el papel, donde dice "
		        "«Clave del caso», y en el papelito de la familia:"));
	else
		ask_say(&f->ask, 0, T("Sealed.  Copy this code onto the family's slip and read it back to "
		        "them:", "Sellada.  Copie esta clave en el papelito de la familia y léaselo en voz "
		        "alta:"));
	ask_gap(&f->ask);
	ask_say(&f->ask, 4, "%s", shown);
	ask_gap(&f->ask);
	ask_say(&f->ask, 4, "%s", spelled);
	ask_gap(&f->ask);
	/* a speaking terminal says so, and would read every mark aloud */
	if (term == NULL || strcmp(term, "dumb") != 0) {
		large_print(stdout, shown, 5);
		ask_gap(&f->ask);
		large_print(stdout, shown + 6, 5);
		ask_gap(&f->ask);
	}
	ask_say(&f->ask, 0, T("0 is a zero and 1 is a one: no code has the letters O, I, L or U.",
	        "0 es cero y 1 es uno: ninguna clave tiene las letras O, I, L ni U."));
	sodium_memzero(spelled, sizeof spelled);
}

/* true: the slip says what the seal says, or the person is sure without typing it */
static enum filling_next compare(struct filling *f)
{
	char code[CASE_CODE_LEN + 1];
	enum ask_result got;
	bool is_right = false;
	char *line;

	while (!is_right) {
		ask_gap(&f->ask);
		ask_say(&f->ask, 0, T("Now type the code from the slip, so that we know it was copied right "
		        "(or Enter, if you have compared it).", "Ahora escriba la clave leyéndola del "
		        "papelito, para saber que se copió bien (o Enter, si ya la comparó)."));
		got = ask_line(&f->ask, T("Code on the slip: ", "Clave del papelito: "), &line);
		if (got != ASK_LINE) {
			ask_free(line);
			sodium_memzero(code, sizeof code);
			return FILLING_STOPPED;
		}
		is_right = line[strspn(line, " \t")] == '\0' ||
		           (case_code_parse(code, line) == PERR_OK && strcmp(code, f->iv.d->code) == 0);
		ask_free(line);
		if (!is_right)
			ask_say(&f->ask, 0, T("That is not the code above.  Look again, character by character, "
			        "and mend the slip.", "Esa no es la clave de arriba.  Mire otra vez, signo por "
			        "signo, y corrija el papelito."));
	}
	sodium_memzero(code, sizeof code);
	return FILLING_DONE;
}

static void show_receipt(struct filling *f, const struct intake_receipt *r)
{
	struct outbox_counts n;

	ask_gap(&f->ask);
	ask_say(&f->ask, 0, T("%u of %u attorneys of the desk %s can open it; this device cannot any "
	        "more.", "La pueden abrir %u de %u abogados de la mesa %s; este aparato ya no."),
	        r->n_readers, r->n_holders, r->desk_name);
	if (r->n_readers < 2 && r->n_holders >= 2)
		ask_say(&f->ask, 0, T("Only one attorney has published keys: run `amparo sync` before the "
		        "next interview.", "Solo un abogado ha publicado sus llaves: ejecute `amparo sync` "
		        "antes de la próxima entrevista."));
	if (outbox_counts(f->cli->client, &n) == PERR_OK)
		ask_say(&f->ask, 0, T("%u waiting to be sent; `amparo sync` sends, when there is a network.",
		        "%u por enviar; `amparo sync` envía cuando haya red."), n.submissions);
}

static void show_farewell(struct filling *f, bool had_files)
{
	ask_gap(&f->ask);
	if (had_files)
		ask_say(&f->ask, 0, T("Now delete the photographs from where they were made: gallery, trash "
		        "and cloud copies too.  Those were never sealed.", "Ahora borre las fotos de donde "
		        "se tomaron: también de la galería, la papelera y la nube.  Esas nunca estuvieron "
		        "selladas."));
	ask_say(&f->ask, 0, T("Close this window: what was typed can still be read by scrolling up.",
	        "Cierre esta ventana: subiendo por ella todavía se puede leer lo que se escribió."));
}

enum filling_next fill_end_code(struct filling *f, const struct intake_receipt *r)
{
	struct kv *kv = f->cli->client->kv;
	uint32_t number = f->iv.d->head.number;
	bool had_files = f->iv.d->n_files > 0;
	char shown[CASE_CODE_SHOWN + 1];
	enum filling_next next;
	enum perr err;

	if (r != NULL) {
		struct draft *left = NULL;

		/* The answers must not lie in the free pages while somebody looks for a pen. */
		err = kv_settle(kv);
		if (err != PERR_OK)
			cli_fail(EXIT_DAMAGED, T("what was deleted could not be overwritten yet (%s); it is "
			         "tried again at the next command.", "lo borrado no se pudo sobrescribir "
			         "todavía (%s); se intenta otra vez con el próximo comando."),
			         perr_text(err));
		err = draft_open(kv, number, &left);
		if (err == PERR_OK) {
			draft_free(f->iv.d);
			f->iv.d = left;
		} else {
			snprintf(f->iv.d->code, sizeof f->iv.d->code, "%s", r->code);
		}
	}
	case_code_show(shown, f->iv.d->code);
	show_code(f, shown);
	sodium_memzero(shown, sizeof shown);
	if (r != NULL)
		show_receipt(f, r);
	next = compare(f);
	if (next != FILLING_DONE)
		return next;
	err = draft_drop(kv, number);
	if (err != PERR_OK && err != PERR_NOTFOUND)
		cli_fail_err(err, "%s", T("the code could not be forgotten", "no se pudo olvidar la clave"));
	show_farewell(f, had_files);
	return FILLING_DONE;
}

/* ---- what is typed at the review ------------------------------------------------------------ */

static bool is_word(const char *line, const char *const *words)
{
	char folded[64];
	size_t len = strlen(line);

	while (len > 0 && line[len - 1] == ' ')
		len--;
	if (len == 0 || len > 30)
		return false;
	fold_text(folded, sizeof folded, line, len);
	for (; *words != NULL; words++)
		if (strcmp(folded, *words) == 0)
			return true;
	return false;
}

static enum filling_next submit(struct filling *f)
{
	/* the page may have been left by an answer since it was shown */
	if (show_faults(f) > 0)
		return FILLING_SAME;
	return seal(f);
}

static enum filling_next paper_word(struct filling *f, const char *line, bool *is_it)
{
	static const char *const date[] = { "date", "fecha", NULL }, *const name[] = { "name", "nombre", NULL },
	                  *const scan[] = { "scan", "escaneo", NULL };

	*is_it = f->iv.d->head.is_paper;
	if (*is_it && is_word(line, date)) {
		f->iv.d->visit_day = 0;
		return FILLING_ON;
	}
	if (*is_it && is_word(line, name)) {
		f->iv.d->transcriber[0] = '\0';
		return FILLING_ON;
	}
	if (*is_it && is_word(line, scan))
		return fill_paper_scan(f);
	*is_it = false;
	return FILLING_SAME;
}

static enum filling_next at_review(struct filling *f, const char *line)
{
	static const char *const go[] = {
		"submit", "seal", "send", "enviar", "sellar", "terminar", "finish", NULL
	};
	enum filling_next next;
	enum typed_command c;
	const char *rest;
	bool is_it;

	c = typed_command(line, &rest);
	if (c == TYPED_ANSWER)
		c = typed_word(rest, &rest);
	if (c == TYPED_REVIEW)
		return FILLING_ON;
	if (c != TYPED_ANSWER)
		return filling_command(f, c, rest, NULL);
	if (is_word(rest, go))
		return submit(f);
	next = paper_word(f, rest, &is_it);
	if (is_it)
		return next;
	if (rest[0] >= '0' && rest[0] <= '9') {
		next = filling_command(f, TYPED_JUMP, rest, NULL);
		if (next == FILLING_ON)
			f->iv.d->from_review = true;
		return next;
	}
	ask_say(&f->ask, 0, T("Type the number of a question, or submit, or save.",
	        "Escriba el número de una pregunta, o enviar, o guardar."));
	return FILLING_SAME;
}

enum filling_next fill_end_page(struct filling *f)
{
	bool is_same = f->asked != NULL && strcmp(f->asked, "/") == 0;
	enum filling_next next;
	enum ask_result got;
	char *line;

	if (!is_same && !show_page(f))
		return FILLING_FAILED;
	free(f->asked);
	f->asked = strdup("/");
	got = ask_line(&f->ask, T("Your choice: ", "Su elección: "), &line);
	if (got == ASK_STOPPED || line == NULL)
		return FILLING_STOPPED;
	next = at_review(f, line);
	ask_free(line);
	if (next != FILLING_SAME) {
		free(f->asked);
		f->asked = NULL;
	}
	if (got == ASK_END && (next == FILLING_ON || next == FILLING_SAME))
		next = FILLING_STOPPED;
	return next;
}
