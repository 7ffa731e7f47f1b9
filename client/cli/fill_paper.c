/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What is asked before the questions of a paper form: when the visit was, who types it in,
 * and the scan.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "filling.h"

#define T(en, es) ASK_T(&f->ask, en, es)

static enum filling_next take_visit(struct filling *f, const char *line)
{
	struct fclock now = intake_clock(f->cli->client, 0, 0);
	char first[FDATE_SIZE], second[FDATE_SIZE], *choice;
	const char *lang = f->ask.is_es ? "es" : "en";
	int64_t days[2], today = client_day(f->cli->client);
	unsigned n = typed_date(line, &now, days);
	size_t at[1];

	if (n == 2 && days[1] > today)
		n = 1;
	if (n == 2 && days[0] > today) {
		days[0] = days[1];
		n = 1;
	}
	if (n == 0) {
		ask_say(&f->ask, 0, T("That is no date that exists.  Write it as in 24 nov 2026.",
		        "Esa fecha no existe.  Escríbala como 24 nov 2026."));
		return FILLING_SAME;
	}
	if (n == 2) {
		fdate_show(first, (double)days[0], false, lang);
		fdate_show(second, (double)days[1], false, lang);
		ask_say(&f->ask, 0, T("Which day is meant?", "¿Qué día quiere decir?"));
		ask_say(&f->ask, 2, "1. %s", first);
		ask_say(&f->ask, 2, "2. %s", second);
		if (ask_line(&f->ask, T("Number: ", "Número: "), &choice) != ASK_LINE)
			return FILLING_STOPPED;
		n = (unsigned)typed_numbers(choice, 2, at, 1);
		ask_free(choice);
		if (n != 1)
			return FILLING_SAME;
		days[0] = days[at[0]];
	}
	if (interview_visit(&f->iv, days[0]) != PERR_OK) {
		ask_say(&f->ask, 0, T("The visit cannot be in the future.",
		        "La visita no puede estar en el futuro."));
		return FILLING_SAME;
	}
	fdate_show(first, (double)days[0], false, lang);
	ask_say(&f->ask, 2, "%s", first);
	return FILLING_ON;
}

static enum filling_next take_name(struct filling *f, const char *line)
{
	const char *own = f->cli->client->me->name;

	if (line[0] == '\0' && own[0] != '\0' && strlen(own) < sizeof f->iv.d->transcriber)
		line = own;
	if (interview_transcriber(&f->iv, line) != PERR_OK) {
		ask_say(&f->ask, 0, T("Write a name of at most 64 letters, so that the attorneys know whom "
		        "to ask about the handwriting.", "Escriba un nombre de 64 letras como máximo, para "
		        "que los abogados sepan a quién preguntar por la letra."));
		return FILLING_SAME;
	}
	return FILLING_ON;
}

static bool take_scan(struct filling *f, const char *line)
{
	char name[DRAFT_NAME_MAX + 1], size[24], why[FILL_WHY_SIZE], *path = NULL;
	uint8_t *data = NULL;
	const char *base;
	bool ok = false;
	size_t len = 0;

	if (!filling_read_file(f, line, &data, &len, &base, &path))
		goto out;
	if (interview_attach(&f->iv, base, data, len, true, name, why) != PERR_OK) {
		ask_say(&f->ask, 0, T("No more files fit into this interview.",
		        "Ya no caben más archivos en esta entrevista."));
		goto out;
	}
	if (!filling_save(f, true)) {
		interview_unattach(&f->iv, name);
		goto out;
	}
	filling_size(size, len);
	ask_say(&f->ask, 0, T("%s: %s, copied here and encrypted.", "%s: %s, copiado aquí y cifrado."),
	        name, size);
	ok = true;
out:
	if (data != NULL)
		sodium_memzero(data, len);
	free(data);
	ask_free(path);
	return ok;
}

static enum filling_next take_scans(struct filling *f, const char *line)
{
	if (line[0] != '\0') {
		take_scan(f, line);
		return FILLING_SAME;
	}
	if (interview_scans(&f->iv) == 0 && !filling_sure(f, T("Without a scan the attorneys cannot compare the "
	    "answers with the paper.  Go on without one?", "Sin el escaneo los abogados no pueden "
	    "comparar las respuestas con el papel.  ¿Seguir sin él?")))
		return ask_signal() != 0 ? FILLING_STOPPED : FILLING_SAME;
	f->iv.d->has_scans = true;
	return FILLING_ON;
}

static const char *show(struct filling *f)
{
	const char *own = f->cli->client->me->name;
	struct ask *a = &f->ask;

	if (f->asked == NULL)
		ask_gap(a);
	if (f->iv.d->visit_day == 0) {
		if (f->asked == NULL)
			ask_say(a, 0, T("From paper, 1 of 3.  On which day was the visit?",
			        "Del papel, 1 de 3.  ¿Qué día fue la visita?"));
		return T("Date, as in 24 nov 2026: ", "Fecha, como 24 nov 2026: ");
	}
	if (f->iv.d->transcriber[0] == '\0') {
		if (f->asked == NULL) {
			ask_say(a, 0, T("From paper, 2 of 3.  Who is typing it in?",
			        "Del papel, 2 de 3.  ¿Quién lo está pasando a la computadora?"));
			if (own[0] != '\0' && strlen(own) < sizeof f->iv.d->transcriber)
				ask_say(a, 0, T("(Enter: %s)", "(Enter: %s)"), own);
		}
		return T("Name: ", "Nombre: ");
	}
	if (f->asked == NULL)
		ask_say(a, 0, T("From paper, 3 of 3.  Where is the scan or photograph of the paper?  One "
		        "file for each page; Enter on an empty line when that was all.",
		        "Del papel, 3 de 3.  ¿Dónde está el escaneo o la foto del papel?  Un archivo por "
		        "página; Enter en una línea vacía cuando ya sean todos."));
	return T("Where the file is: ", "Dónde está el archivo: ");
}

enum filling_next fill_paper_ask(struct filling *f)
{
	enum filling_next next = FILLING_SAME;
	enum typed_command c;
	enum ask_result got;
	const char *rest;
	char *line;

	got = ask_line(&f->ask, show(f), &line);
	if (got == ASK_STOPPED || line == NULL)
		return FILLING_STOPPED;
	c = typed_command(line, &rest);
	if (c == TYPED_BACK && f->iv.d->transcriber[0] != '\0') {
		f->iv.d->transcriber[0] = '\0';
		next = FILLING_ON;
	} else if (c == TYPED_BACK) {
		f->iv.d->visit_day = 0;
		next = FILLING_ON;
	} else if (c != TYPED_ANSWER) {
		next = filling_command(f, c, rest, NULL);
	} else if (f->iv.d->visit_day == 0) {
		next = take_visit(f, rest);
	} else if (f->iv.d->transcriber[0] == '\0') {
		next = take_name(f, rest);
	} else {
		next = take_scans(f, rest);
	}
	ask_free(line);
	if (next == FILLING_ON && !filling_save(f, true))
		return FILLING_FAILED;
	free(f->asked);
	f->asked = next == FILLING_SAME ? strdup("") : NULL;
	if (got == ASK_END && (next == FILLING_ON || next == FILLING_SAME))
		return FILLING_STOPPED;
	return next;
}

enum filling_next fill_paper_scan(struct filling *f)
{
	enum ask_result got;
	char *line;

	got = ask_line(&f->ask, T("Where the file is: ", "Dónde está el archivo: "), &line);
	if (got == ASK_STOPPED || line == NULL)
		return FILLING_STOPPED;
	if (line[strspn(line, " \t")] != '\0')
		take_scan(f, line);
	ask_free(line);
	return got == ASK_END ? FILLING_STOPPED : FILLING_ON;
}
