/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the files of an interview share: keeping, failing, files, languages. */
#include "filling.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cache.h"
#include "cmd_record.h"
#include "drafts.h"

#define T(en, es) ASK_T(&f->ask, en, es)

void filling_size(char out[24], uint64_t bytes)
{
	if (bytes < 1024)
		snprintf(out, 24, "%u bytes", (unsigned)bytes);
	else
		snprintf(out, 24, "%llu KiB", (unsigned long long)(bytes + 1023) / 1024);
}

void filling_clock(struct filling *f)
{
	f->iv.tz_min = cmd_tz_min();
	interview_clock(&f->iv);
}

bool filling_sure(struct filling *f, const char *question)
{
	bool yes;
	char *line;

	ask_say(&f->ask, 0, "%s", question);
	if (ask_line(&f->ask, T("Type yes if so: ", "Escriba sí si es así: "), &line) == ASK_STOPPED ||
	    line == NULL)
		return false;
	yes = typed_yes(line) == 1;
	ask_free(line);
	return yes;
}

enum filling_next filling_failed(struct filling *f, enum perr err, const char *what)
{
	f->code = cli_fail_err(err, "%s", what);
	return FILLING_FAILED;
}

/* the answer is still in memory: room can be made meanwhile; false: given up */
static bool try_again(struct filling *f, enum perr err)
{
	enum ask_result got;
	char *line;

	if (err == PERR_FULL)
		ask_say(&f->ask, 0, T("The last answer is NOT kept yet: the disk is full.  Make room (empty "
		        "the trash, delete what is not needed), then press Enter here.", "La última respuesta "
		        "todavía NO está guardada: el disco está lleno.  Haga lugar (vacíe la papelera, borre "
		        "lo que no haga falta) y después oprima Enter aquí."));
	else if (err == PERR_TIMEOUT)
		ask_say(&f->ask, 0, T("The last answer is NOT kept yet: another amparo is busy with the vault. "
		        " Wait for it, then press Enter here.", "La última respuesta todavía NO está guardada: "
		        "otro amparo está usando la bóveda.  Espere a que termine y oprima Enter aquí."));
	else
		ask_say(&f->ask, 0, T("The last answer is NOT kept yet: writing failed (%s).  Close other "
		        "programs, then press Enter here.", "La última respuesta todavía NO está guardada: no "
		        "se pudo escribir (%s).  Cierre otros programas y oprima Enter aquí."),
		        perr_text(err));
	got = ask_line(&f->ask, T("Enter to try again: ", "Enter para intentar: "), &line);
	ask_free(line);
	return got == ASK_LINE;
}

static enum perr save_once(struct filling *f, bool must)
{
	struct draft *d = f->iv.d;
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum perr err;

	if (f->other == NULL)
		return interview_save(&f->iv, must);
	err = f->other->bytes(f, must, &bytes, &len);
	if (err == PERR_OK && (must || len != d->answers_len || memcmp(bytes, d->answers, len) != 0))
		err = draft_save(f->cli->client->kv, d, bytes, len);
	if (bytes != NULL)
		sodium_memzero(bytes, len);
	free(bytes);
	return err;
}

bool filling_save(struct filling *f, bool must)
{
	bool is_new = f->iv.d->head.number == 0;
	enum perr err;

	if (!must && is_new)
		return true;
	do
		err = save_once(f, must);
	while ((err == PERR_FULL || err == PERR_IO || err == PERR_TIMEOUT || err == PERR_NOMEM) &&
	       try_again(f, err));
	if (err == PERR_EXISTS)
		f->code = cli_fail(EXIT_REFUSED, T("draft %u was changed in another window; what was entered "
		                   "there stands.  `amparo %s --resume %u` goes on with it.",
		                   "el borrador %u se cambió en otra ventana; vale lo que se escribió allá. "
		                   " `amparo %s --resume %u` sigue con él."), f->iv.d->head.number,
		                   f->other != NULL ? "amend" : "intake fill", f->iv.d->head.number);
	else if (err == PERR_NOTFOUND)
		f->code = cli_fail(EXIT_REFUSED, T("draft %u was deleted in another window.",
		                   "el borrador %u se eliminó en otra ventana."), f->iv.d->head.number);
	else if (err != PERR_OK)
		filling_failed(f, err, T("the last answer could not be kept; those before it are",
		               "no se pudo guardar la última respuesta; las anteriores sí están"));
	if (err != PERR_OK)
		return false;
	if (is_new) {
		f->lock = drafts_lock(f->cli, f->iv.d->head.number);
		ask_say(&f->ask, 0, T("Kept on this device, encrypted, as draft %u.",
		        "Guardada en este aparato, cifrada, como borrador %u."), f->iv.d->head.number);
	}
	return true;
}

char *filling_why(struct filling *f, enum perr err, const char *why)
{
	const struct draft_head *h = &f->iv.d->head;
	const struct roster_form *entry = cache_form_entry(f->cli->client, h->form_id,
	                                                   h->form_version);
	const struct desk *desk = NULL;
	char *out = NULL;

	if (!f->ask.is_es || entry == NULL ||
	    cache_desk(f->cli->client, entry->desk, &desk) != PERR_OK)
		return strdup(why);
	if (err == PERR_REFUSED &&
	    asprintf(&out, "la mesa «%s» no es de confianza en este aparato; compare dos de sus "
	             "palabras con la hoja de capacitación: `amparo desk trust \"%s\"`", desk->now.name,
	             desk->now.name) >= 0)
		return out;
	if (err == PERR_NOTFOUND &&
	    asprintf(&out, "todavía nadie de la mesa «%s» ha publicado llaves, así que no se le puede "
	             "sellar nada; ejecute `amparo sync` e intente otra vez", desk->now.name) >= 0)
		return out;
	return strdup(why);
}

/* said here, wrapped and in the language, before cli_read_file would say it in its way */
static bool may_read(struct filling *f, const char *path, size_t max)
{
	char has[24], may[24];
	struct stat st;

	if (stat(path, &st) != 0) {
		ask_say(&f->ask, 0, errno == EACCES
		        ? T("\"%s\" may not be read by you.", "Usted no tiene permiso de leer «%s».")
		        : T("There is no \"%s\".  See whether folder and name are spelled right; dragging the "
		            "file into this window types them.", "No existe «%s».  Mire si la carpeta y el "
		            "nombre están bien escritos; si arrastra el archivo a esta ventana se escriben "
		            "solos."), path);
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		ask_say(&f->ask, 0, T("\"%s\" is no file.", "«%s» no es un archivo."), path);
		return false;
	}
	if ((uint64_t)st.st_size <= max)
		return true;
	filling_size(has, (uint64_t)st.st_size);
	filling_size(may, max);
	ask_say(&f->ask, 0, T("That file has %s; at most %s are allowed.  Make the picture smaller, or "
	        "photograph less of the page at a time.", "Ese archivo tiene %s; se permiten %s como "
	        "máximo.  Haga la foto más pequeña o fotografíe menos de la página a la vez."), has, may);
	return false;
}

bool filling_read_file(struct filling *f, const char *typed, uint8_t **data, size_t *len,
                       const char **base, char **path)
{
	const struct roster_limits *lim = &f->cli->client->field->limits;
	const char *slash;
	size_t has, max;

	*path = typed_path(typed, getenv("HOME"));
	if (*path == NULL || interview_room(&f->iv, &has, &max) != PERR_OK)
		return false;
	if (has >= max) {
		ask_say(&f->ask, 0, T("There are %zu files in this interview, and no more are allowed.",
		        "Ya hay %zu archivos en esta entrevista y no se permiten más."), has);
		return false;
	}
	if (!may_read(f, *path, lim->attachment_bytes) ||
	    cli_read_file(*path, lim->attachment_bytes, data, len) != EXIT_DONE)
		return false;
	slash = strrchr(*path, '/');
	*base = slash == NULL ? *path : slash + 1;
	return true;
}

enum filling_next filling_stuck(struct filling *f, enum perr err)
{
	return filling_failed(f, err, T("the form cannot go on from here", "el formulario no puede seguir"));
}

/* the languages of our own sentences are two, those of the form as many as it has */
void filling_speak(struct filling *f, const char *lang)
{
	const char *code;

	interview_speak(&f->iv, lang);
	code = interview_lang(&f->iv);
	if (strncasecmp(code, "es", 2) == 0 || strncasecmp(code, "en", 2) == 0)
		f->ask.is_es = strncasecmp(code, "es", 2) == 0;
}
