/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * op_export: cases as files in memory, part by part: what `amparo export` writes to a folder.
 * Shapes: app/ops_desk.ts.
 *
 * Each part ends when it holds enough; what spans all cases (index, tables, the JSON array)
 * comes with the last one.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "export_json.h"
#include "export_list.h"
#include "export_tables.h"
#include "fbuf.h"
#include "fexport.h"
#include "wdesk.h"
#include "web_ops.h"

#define PART_BYTES ((size_t)4 << 20)
#define PART_CASES 100

enum kind { FOLDERS, ATTACHMENTS, TABLES, JSON };

struct wdesk_export {
	enum kind kind;
	struct export_list list;
	size_t at;
	bool is_all;                     /* several: with an index */
	struct export_index *index;
	struct export_tables *tables;
	char *lang;                      /* tables borrow it; an argument is gone with its call */
	struct fbuf json;                /* what is written of the array */
};

void wdesk_export_free(struct wdesk_export *x)
{
	if (x == NULL)
		return;
	export_list_free(&x->list);
	export_index_free(x->index);
	export_tables_free(x->tables);
	free(x->lang);
	fbuf_drop(&x->json);
	free(x);
}

/* ---- beginning ------------------------------------------------------------------------------ */

static void arg_kind(struct web_args *a, enum kind *kind)
{
	static const char *const names[] = { "folders", "attachments", "tables", "json" };
	const char *text = web_arg_text(a, "kind", 1, 16);

	for (unsigned i = 0; a->err == PERR_OK && i < sizeof names / sizeof names[0]; i++)
		if (strcmp(text, names[i]) == 0) {
			*kind = (enum kind)i;
			return;
		}
	web_args_fail(a, PERR_FORMAT);
}

/* the records asked for; each must be open to this member */
static enum perr take_records(struct web *w, struct web_out *o, struct wdesk_export *x,
                              const uint8_t (*records)[STATEMENT_RECORD_SIZE], size_t n)
{
	enum perr err = PERR_OK;

	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		struct case_file *f = NULL;

		err = wdesk_case(w, o, records[i], &f);
		case_close(f);
		if (err == PERR_OK)
			err = export_list_one(w->c, &x->list, records[i]);
	}
	return err;
}

static uint8_t (*arg_records(struct web_args *a, size_t *n))[STATEMENT_RECORD_SIZE]
{
	uint8_t (*at)[STATEMENT_RECORD_SIZE];
	struct mp_reader r;

	*n = web_arg_list(a, "records", 1, WDESK_CASES_MAX, &r);
	at = calloc(*n + 1, sizeof *at);
	for (size_t i = 0; at != NULL && i < *n; i++) {
		size_t len;
		const char *hex = mp_str(&r, 0, 2 * STATEMENT_RECORD_SIZE, &len);

		web_args_fail(a, wdesk_unhex(at[i], sizeof at[i], hex == NULL ? "" : hex, len));
	}
	web_args_fail(a, mp_finish(&r));
	web_args_fail(a, at == NULL ? PERR_NOMEM : PERR_OK);
	return at;
}

enum perr op_export_begin(struct web *w, struct web_args *a, struct web_out *o)
{
	uint8_t (*records)[STATEMENT_RECORD_SIZE] = NULL;
	struct wdesk_export *x = calloc(1, sizeof *x);
	unsigned flags = FEXPORT_SAFE;
	struct wdesk *d = NULL;
	const char *lang;
	size_t n = 0;
	enum perr err = x == NULL ? PERR_NOMEM : PERR_OK;

	if (err != PERR_OK)
		return err;
	if (web_arg_has(a, "records"))
		records = arg_records(a, &n);
	arg_kind(a, &x->kind);
	lang = wdesk_arg_lang(a);
	flags |= web_arg_bool(a, "labels") ? FEXPORT_LABELS : 0;
	flags |= web_arg_bool(a, "split") ? FEXPORT_SPLIT : 0;
	err = web_args_end(a);
	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK && x->kind == ATTACHMENTS && n != 1)
		err = PERR_RANGE;
	if (err == PERR_OK)
		err = records == NULL ? export_list_all(w->c, &x->list, true)
		    : take_records(w, o, x, (const uint8_t (*)[STATEMENT_RECORD_SIZE])records, n);
	if (err == PERR_OK) {
		export_list_sort(&x->list);
		x->is_all = records == NULL || n > 1;
		if (x->kind == FOLDERS && x->is_all && (x->index = export_index_new()) == NULL)
			err = PERR_NOMEM;
	}
	if (err == PERR_OK && lang != NULL && (x->lang = strdup(lang)) == NULL)
		err = PERR_NOMEM;
	if (err == PERR_OK && x->kind == TABLES)
		err = export_tables_new(&x->tables, w->c, flags, x->lang);
	if (err == PERR_OK) {
		web_out_uint(o, "of", x->list.n);
		web_out_uint(o, "n_kept", x->list.n_kept);
		wdesk_export_free(d->export);
		d->export = x;
		x = NULL;
	}
	wdesk_export_free(x);
	free(records);
	return err;
}

/* ---- one part ------------------------------------------------------------------------------- */

struct part {
	struct web_out *o;
	size_t bytes;
	/* what is missing is told when the files are closed */
	struct missing {
		char code[CASE_CODE_SHOWN + 1];
		char *name;
	} *missing;
	size_t n_missing, room;
	const char *code;                /* of the case that is written */
	enum perr err;
};

static enum perr put_file(void *ctx, const char *dir, const char *name, const uint8_t *data,
                          size_t len)
{
	struct part *p = ctx;
	char path[2 * EXPORT_NAME_MAX + 2];

	snprintf(path, sizeof path, "%s%s%s", dir, dir[0] == '\0' ? "" : "/", name);
	web_out_map(p->o, NULL);
	web_out_str(p->o, "name", path);
	web_out_bin(p->o, "bytes", data, len);
	web_out_end(p->o);
	p->bytes += len;
	return p->o->err;
}

static void one_missing(void *arg, const char *name, size_t len)
{
	struct part *p = arg;
	struct missing *m;

	if (p->n_missing == p->room) {
		size_t room = p->room == 0 ? 16 : 2 * p->room;

		m = realloc(p->missing, room * sizeof *m);
		if (m == NULL) {
			p->err = PERR_NOMEM;
			return;
		}
		p->missing = m;
		p->room = room;
	}
	m = &p->missing[p->n_missing];
	case_code_show(m->code, p->code);
	m->name = strndup(name, len);
	if (m->name == NULL)
		p->err = PERR_NOMEM;
	else
		p->n_missing++;
}

static void put_missing(struct part *p)
{
	web_out_list(p->o, "missing");
	for (size_t i = 0; i < p->n_missing; i++) {
		web_out_map(p->o, NULL);
		web_out_str(p->o, "code", p->missing[i].code);
		web_out_str(p->o, "name", p->missing[i].name);
		web_out_end(p->o);
		free(p->missing[i].name);
	}
	web_out_end(p->o);
	free(p->missing);
}

static enum perr json_case(struct web *w, struct wdesk_export *x, const struct case_file *f)
{
	char *text = NULL;
	size_t len = 0;
	enum perr err = export_json(w->c, f, &text, &len);

	if (err == PERR_OK) {
		fbuf_text(&x->json, x->json.len == 0 ? "[\n" : ",\n");
		/* without its line end */
		fbuf_add(&x->json, text, len - 1);
		err = x->json.is_broken ? PERR_NOMEM : PERR_OK;
	}
	if (text != NULL)
		sodium_memzero(text, len);
	free(text);
	return err;
}

static enum perr one_case(struct web *w, struct wdesk_export *x, struct part *p,
                          const struct export_sink *sink, unsigned *unreadable)
{
	struct case_file *f = NULL;
	struct export_done done;
	unsigned n = 0;
	enum perr err = case_open(w->c, x->list.at[x->at].record, &f);

	if (err == PERR_NOTFOUND)
		return PERR_OK;          /* it left between two parts */
	if (err != PERR_OK)
		return err;
	p->code = f->s.code;
	switch (x->kind) {
	case FOLDERS:
		err = export_case(w->c, f, export_list_same(&x->list, x->at), sink, &done,
		                  one_missing, p);
		if (err == PERR_OK && x->index != NULL)
			err = export_index_add(x->index, w->c, f, done.dir);
		break;
	case ATTACHMENTS:
		err = export_attachments(w->c, f, sink, &done, one_missing, p);
		break;
	case TABLES:
		err = export_tables_add(x->tables, f, &n);
		break;
	case JSON:
		err = json_case(w, x, f);
		break;
	}
	*unreadable += n;
	case_close(f);
	return err;
}

/* what stands for all cases */
static enum perr finish(struct wdesk_export *x, const struct export_sink *sink)
{
	unsigned n;
	enum perr err = PERR_OK;

	if (x->index != NULL)
		err = export_index_write(x->index, sink);
	if (x->tables != NULL)
		err = export_tables_write(x->tables, sink, &n);
	if (x->kind == JSON) {
		fbuf_text(&x->json, x->json.len == 0 ? "[\n]\n" : "\n]\n");
		err = x->json.is_broken ? PERR_NOMEM
		    : sink->file(sink->ctx, "", "cases.json", x->json.bytes, x->json.len);
	}
	return err;
}

enum perr op_export_next(struct web *w, struct web_args *a, struct web_out *o)
{
	struct part p = { .o = o };
	const struct export_sink sink = { .file = put_file, .ctx = &p };
	struct wdesk_export *x = NULL;
	unsigned unreadable = 0, n = 0;
	struct wdesk *d = NULL;
	bool done = false;
	enum perr err = web_args_end(a);

	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err == PERR_OK && (x = d->export) == NULL)
		err = PERR_STATE;
	if (err != PERR_OK)
		return err;
	web_out_list(o, "files");
	for (; err == PERR_OK && x->at < x->list.n && n < PART_CASES && p.bytes < PART_BYTES; n++) {
		err = one_case(w, x, &p, &sink, &unreadable);
		x->at++;
	}
	if (err == PERR_OK && x->at == x->list.n) {
		err = finish(x, &sink);
		done = true;
	}
	web_out_end(o);
	if (err == PERR_OK)
		err = p.err;
	put_missing(&p);
	web_out_uint(o, "at", x->at);
	web_out_uint(o, "of", x->list.n);
	web_out_bool(o, "done", done);
	web_out_uint(o, "n_unreadable", unreadable);
	/* a part that cannot be answered is lost: nothing goes on behind it */
	if (err == PERR_OK)
		err = o->err;
	if (done || err != PERR_OK) {
		wdesk_export_free(x);
		d->export = NULL;
	}
	return err;
}

enum perr op_export_end(struct web *w, struct web_args *a, struct web_out *o)
{
	struct wdesk *d;
	enum perr err = web_args_end(a);

	(void)o;
	if (err == PERR_OK)
		err = wdesk_open(w, &d);
	if (err != PERR_OK)
		return err;
	wdesk_export_free(d->export);
	d->export = NULL;
	return PERR_OK;
}
