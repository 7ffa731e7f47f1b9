/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "intake.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cache.h"
#include "instance.h"
#include "statement.h"
#include "xform.h"

#define NAME_MAX_ 128            /* bytes of an attachment's name: PROTOCOL 4.2 */
#define TRANSCRIBER_MAX 64

struct fclock intake_clock(const struct client *c, uint32_t visit_day, int tz_min)
{
	int64_t s = c->env.now(c->env.ctx), day = (int64_t)client_day(c) * 86400;
	int64_t of_day = (s % 86400 + 86400) % 86400;

	if (visit_day != 0)
		s = (int64_t)visit_day * 86400 + 43200 - (int64_t)tz_min * 60;
	else
		s = day + of_day;
	return (struct fclock){ .unix_ms = s * 1000, .tz_min = tz_min };
}

const char *intake_media_type(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{ ".jpg", "image/jpeg" }, { ".jpeg", "image/jpeg" }, { ".png", "image/png" },
		{ ".webp", "image/webp" }, { ".heic", "image/heic" }, { ".gif", "image/gif" },
		{ ".pdf", "application/pdf" }, { ".txt", "text/plain" }, { ".csv", "text/csv" },
		{ ".mp3", "audio/mpeg" }, { ".m4a", "audio/mp4" }, { ".ogg", "audio/ogg" },
		{ ".wav", "audio/wav" }, { ".mp4", "video/mp4" }, { ".3gp", "video/3gpp" }
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++)
		if (strcasecmp(dot, types[i].ending) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* ---- checking ----------------------------------------------------------------------- */

static const struct intake_file *given(const struct intake *in, const char *name)
{
	for (size_t i = 0; i < in->n_files; i++)
		if (strcmp(in->files[i].name, name) == 0)
			return &in->files[i];
	return NULL;
}

static bool is_named(const struct instance *doc, const char *name)
{
	for (size_t i = 0; i < instance_n_files(doc); i++)
		if (strcmp(instance_file(doc, i), name) == 0)
			return true;
	return false;
}

static void check_files(const struct intake *in, const struct instance *doc,
                        const struct roster_limits *lim, struct faults *faults)
{
	size_t max = lim->attachments < STATEMENT_ATTACHMENTS ? lim->attachments
	                                                      : STATEMENT_ATTACHMENTS;

	for (size_t i = 0; i < instance_n_files(doc); i++)
		if (given(in, instance_file(doc, i)) == NULL)
			faults_add(faults, FAULT_FILE, 0, "", "", "The answers name the attachment "
			           "\"%s\", but it was not given: add --attach with that file.",
			           instance_file(doc, i));
	for (size_t i = 0; i < in->n_files; i++) {
		const struct intake_file *f = &in->files[i];

		if (given(in, f->name) != f) {
			faults_add(faults, FAULT_FILE, 0, "", "", "Two files named \"%s\" were "
			           "given; rename one of them, in the answers too.", f->name);
			continue;
		}
		if (!instance_file_name_ok(f->name) || strlen(f->name) > NAME_MAX_)
			faults_add(faults, FAULT_FILE, 0, "", "", "The attachment \"%s\" has a name "
			           "that is not accepted: no folder, no leading dot, no control "
			           "characters, at most %d bytes.", f->name, NAME_MAX_);
		else if (!f->is_scan && !is_named(doc, f->name))
			faults_add(faults, FAULT_FILE, 0, "", "", "\"%s\" was given, but no answer "
			           "names it; leave it out, or enter it in the form.", f->name);
		if (f->len > lim->attachment_bytes)
			faults_add(faults, FAULT_FILE, 0, "", "", "The attachment \"%s\" has %zu "
			           "KiB; at most %u are allowed. Make the picture smaller.",
			           f->name, (f->len + 1023) / 1024, lim->attachment_bytes / 1024);
	}
	if (in->n_files > max)
		faults_add(faults, FAULT_FILE, 0, "", "", "%zu attachments were given; at most %zu "
		           "are allowed.", in->n_files, max);
}

static const struct roster_form *find_form(struct client *c, const struct intake *in,
                                           const struct instance *doc, struct faults *faults)
{
	const char *id = instance_form_id(doc), *version = instance_form_version(doc);
	const struct roster_form *entry;

	if (in->form_id != NULL && strcmp(in->form_id, id) != 0) {
		faults_add(faults, FAULT_FORM, 0, "", "", "The answers belong to the form \"%s\", "
		           "not to \"%s\".", id, in->form_id);
		return NULL;
	}
	entry = cache_form_entry(c, id, version);
	if (entry != NULL && (entry->active || in->allow_replaced))
		return entry;
	if (entry != NULL)
		faults_add(faults, FAULT_FORM, 0, "", "", "Version \"%s\" of the form \"%s\" was "
		           "replaced; fill in version \"%s\" (`amparo form list`).", version, id,
		           cache_form_entry(c, id, NULL) == NULL ? "?"
		           : cache_form_entry(c, id, NULL)->version);
	else if (cache_form_entry(c, id, NULL) != NULL)
		faults_add(faults, FAULT_FORM, 0, "", "", "The answers are for version \"%s\" of the "
		           "form \"%s\", but version \"%s\" is the published one; run `amparo sync` "
		           "or fill that one in.", version, id,
		           cache_form_entry(c, id, NULL)->version);
	else
		faults_add(faults, FAULT_FORM, 0, "", "", "No form with the id \"%s\" is published; "
		           "run `amparo sync`, or see `amparo form list`.", id);
	return NULL;
}

enum perr intake_check(struct client *c, const struct intake *in, struct faults *faults,
                       const struct roster_form **form)
{
	const struct xform *xform = NULL;
	struct instance *doc = NULL;
	struct fclock now = intake_clock(c, in->visit_day, in->tz_min);
	char why[INSTANCE_WHY_SIZE];
	enum perr err;

	*form = NULL;
	if (c->field == NULL)
		return PERR_STATE;
	if (in->xml_len > c->field->limits.instance_bytes || in->xml_len > STATEMENT_INSTANCE_MAX) {
		faults_add(faults, FAULT_XML, 0, "", "", "The filled form has %zu KiB; at most %u "
		           "are allowed.", (in->xml_len + 1023) / 1024,
		           c->field->limits.instance_bytes / 1024);
		return faults_is_broken(faults) ? PERR_NOMEM : PERR_OK;
	}
	if (in->transcriber != NULL && strlen(in->transcriber) > TRANSCRIBER_MAX)
		faults_add(faults, FAULT_FORM, 0, "", "", "The transcriber's name has %zu bytes; at "
		           "most %d are allowed.", strlen(in->transcriber), TRANSCRIBER_MAX);
	/* once without the form, to learn which one it names */
	err = instance_parse(&doc, NULL, in->xml, in->xml_len, why);
	if (err == PERR_OK)
		*form = find_form(c, in, doc, faults);
	instance_free(doc);
	doc = NULL;
	if (err == PERR_OK && *form != NULL) {
		err = cache_form(c, (*form)->id, (*form)->version, &xform);
		if (err == PERR_NOTFOUND)
			faults_add(faults, FAULT_FORM, 0, "", "", "The form \"%s\" is listed, but its "
			           "text is not on this device yet; run `amparo sync`.", (*form)->id);
		else if (err == PERR_UNKNOWN)
			faults_add(faults, FAULT_FORM, 0, "", "", "The form \"%s\" cannot be read by "
			           "this version of amparo.", (*form)->id);
		if (err == PERR_NOTFOUND || err == PERR_UNKNOWN)
			return faults_is_broken(faults) ? PERR_NOMEM : PERR_OK;
		if (err == PERR_OK)
			err = instance_parse(&doc, xform, in->xml, in->xml_len, why);
		if (err == PERR_OK)
			err = instance_check(doc, INSTANCE_FULL, in->language, &now, faults);
		if (err == PERR_OK)
			check_files(in, doc, &c->field->limits, faults);
	}
	if (err == PERR_FORMAT || err == PERR_LIMIT) {
		faults_add(faults, FAULT_XML, 0, "", "", "%s", why);
		err = PERR_OK;
	}
	instance_free(doc);
	return err == PERR_OK && faults_is_broken(faults) ? PERR_NOMEM : err;
}

/* ---- sealing ------------------------------------------------------------------------ */

/* chunks of every attachment; the same content twice travels once */
static enum perr seal_files(struct dispatch *d, const struct intake *in,
                            struct statement_attachments *list, struct blob_ref *refs,
                            size_t *n_refs)
{
	enum perr err = PERR_OK;

	for (size_t i = 0; i < in->n_files && err == PERR_OK; i++) {
		struct statement_attachment *a = &list->at[list->n++];
		size_t same = 0;

		a->name = doc_text_of(in->files[i].name);
		a->type = doc_text_of(intake_media_type(in->files[i].name));
		a->size = (uint32_t)in->files[i].len;
		crypto_generichash(a->hash, 32, in->files[i].data, in->files[i].len, NULL, 0);
		while (same < *n_refs && memcmp(refs[same].hash, a->hash, 32) != 0)
			same++;
		if (same == *n_refs)
			err = dispatch_blob(d, in->files[i].data, in->files[i].len,
			                    &refs[(*n_refs)++]);
	}
	return err;
}

static enum perr first_fault(struct client *c, const struct intake *in,
                             const struct roster_form **form, char why[DISPATCH_WHY])
{
	struct faults *faults = faults_new();
	enum perr err = faults == NULL ? PERR_NOMEM : intake_check(c, in, faults, form);

	if (err == PERR_OK && faults_count(faults) > 0) {
		snprintf(why, DISPATCH_WHY, "%s", faults_at(faults, 0)->text);
		err = PERR_FORMAT;
	}
	faults_free(faults);
	return err;
}

static void describe(struct client *c, const struct intake *in, const struct roster_form *form,
                     struct statement *st)
{
	struct statement_intake *body = &st->body.intake;
	size_t lang_len = in->language == NULL ? 0 : strlen(in->language);

	st->kind = STATEMENT_INTAKE;
	st->day = client_day(c);
	memcpy(st->to, form->desk, 32);
	rng_fill(c->env.rng, st->record, sizeof st->record);
	body->form_id = doc_text_of(form->id);
	body->form_version = doc_text_of(form->version);
	/* a language's name of more than the field holds says nothing to a machine */
	body->language = doc_text_of(lang_len <= 16 && lang_len > 0 ? in->language : "");
	body->instance = doc_bytes_of(in->xml, in->xml_len);
	case_code_new(body->code, c->env.rng);
	body->has_visit_day = in->visit_day != 0 && in->visit_day != st->day;
	body->visit_day = in->visit_day;
	if (in->transcriber != NULL && in->transcriber[0] != '\0')
		body->transcriber = doc_text_of(in->transcriber);
}

static void fill_receipt(struct intake_receipt *r, const struct statement *st,
                         const struct dispatch *d, const struct dispatch_readers *readers)
{
	memcpy(r->code, st->body.intake.code, sizeof r->code);
	memcpy(r->desk_name, readers->desk_name, sizeof r->desk_name);
	r->n_readers = readers->n;
	r->n_holders = readers->n_holders;
	r->n_cells = dispatch_cells(d);
}

enum perr intake_seal(struct client *c, const struct intake *in, struct intake_receipt *r,
                      char why[DISPATCH_WHY])
{
	struct dispatch_readers readers;
	const struct roster_form *form;
	struct dispatch *d = NULL;
	struct statement *st = NULL;
	struct blob_ref *refs = NULL;
	size_t n_refs = 0;
	enum perr err;

	memset(r, 0, sizeof *r);
	why[0] = '\0';
	err = first_fault(c, in, &form, why);
	if (err == PERR_OK)
		err = dispatch_desk(c, form->desk, true, &readers, why);
	if (err != PERR_OK)
		goto out;
	err = PERR_NOMEM;
	d = dispatch_new(c);
	st = calloc(1, sizeof *st);
	refs = calloc(STATEMENT_ATTACHMENTS, sizeof *refs);
	if (d == NULL || st == NULL || refs == NULL)
		goto out;
	describe(c, in, form, st);
	err = seal_files(d, in, &st->body.intake.attachments, refs, &n_refs);
	if (err == PERR_OK)
		err = dispatch_begin(d);
	if (err == PERR_OK)
		err = dispatch_send(d, st, refs, n_refs, &readers, false);
	if (err != PERR_OK)
		goto out;
	fill_receipt(r, st, d, &readers);
	if (in->in_batch != NULL)
		err = in->in_batch(in->in_batch_ctx, r);
	if (err == PERR_OK)
		err = dispatch_commit(d, &r->group);
out:
	if (err != PERR_OK)
		sodium_memzero(r, sizeof *r);
	if (st != NULL)
		sodium_memzero(st, sizeof *st);
	if (refs != NULL)
		sodium_memzero(refs, STATEMENT_ATTACHMENTS * sizeof *refs);
	free(st);
	free(refs);
	dispatch_free(d);
	return err;
}
