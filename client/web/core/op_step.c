/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* op_step: one step of an interview, as the page gets it.  Shapes: app/ops_volunteer.ts. */
#include <string.h>

#include "wfill.h"
#include "roster.h"

static const char *kind_name(enum fill_kind k)
{
	switch (k) {
	case FILL_QUESTION: return "question";
	case FILL_NOTE:     return "note";
	case FILL_REPEAT:   return "repeat";
	case FILL_END:      return "end";
	}
	return "end";
}

static const char *type_name(enum fill_type t)
{
	switch (t) {
	case FILL_TEXT:     return "text";
	case FILL_INT:      return "int";
	case FILL_DECIMAL:  return "decimal";
	case FILL_DATE:     return "date";
	case FILL_TIME:     return "time";
	case FILL_DATETIME: return "datetime";
	case FILL_BOOLEAN:  return "boolean";
	case FILL_SELECT1:  return "select1";
	case FILL_SELECT:   return "select";
	case FILL_RANK:     return "rank";
	case FILL_RANGE:    return "range";
	case FILL_PLACE:    return "place";
	case FILL_TRACE:    return "trace";
	case FILL_SHAPE:    return "shape";
	case FILL_FILE:     return "file";
	case FILL_CONFIRM:  return "confirm";
	}
	return "text";
}

void wfill_out_file(struct web_out *o, const char *name, const struct draft_file *f)
{
	if (f == NULL) {
		web_out_nil(o, name);
		return;
	}
	web_out_map(o, name);
	web_out_str(o, "name", f->name);
	web_out_uint(o, "size", f->size);
	web_out_end(o);
}

void wfill_out_paper(struct web_out *o, const struct interview *iv)
{
	const struct draft *d = iv->d;

	if (!d->head.is_paper) {
		web_out_nil(o, "paper");
		return;
	}
	web_out_map(o, "paper");
	web_out_uint(o, "visit_day", d->visit_day);
	web_out_str(o, "transcriber", d->transcriber);
	web_out_bool(o, "has_scans", d->has_scans);
	web_out_list(o, "scans");
	for (size_t i = 0; i < d->n_files; i++)
		if (d->files[i].is_scan && !d->files[i].is_gone)
			wfill_out_file(o, NULL, &d->files[i]);
	web_out_end(o);
	web_out_bool(o, "ready", interview_paper_ready(iv));
	web_out_end(o);
}

/*
 * "/data/child[2]" of "/data/child[2]/age".  An offer has the path that a new instance would
 * get: it stands inside of what is around that.
 */
static void put_inside(struct web_out *o, const struct fill_step *step)
{
	const char *last = strrchr(step->path, '/');
	size_t len = step->kind != FILL_REPEAT ? strlen(step->path)
	           : last == NULL ? 0 : (size_t)(last - step->path);

	while (len > 0 && step->path[len - 1] != ']')
		len--;
	web_out_strn(o, "inside", step->path, len);
}

void wfill_out_brief(struct web_out *o, const struct interview *iv, const struct fill_step *step)
{
	web_out_str(o, "kind", kind_name(step->kind));
	web_out_str(o, "type", type_name(step->type));
	web_out_uint(o, "number", step->number);
	web_out_str(o, "path", step->path);
	web_out_str(o, "where", step->where);
	web_out_str(o, "label", step->label);
	web_out_str(o, "value", step->value);
	web_out_str(o, "shown", step->shown);
	web_out_bool(o, "required", step->is_required);
	wfill_out_file(o, "file", step->kind == FILL_QUESTION && step->type == FILL_FILE &&
	              step->value[0] != '\0' ? draft_find(iv->d, step->value) : NULL);
}

void wfill_out_step(struct web_out *o, const char *name, const struct interview *iv,
                   const struct fill_step *step)
{
	web_out_map(o, name);
	wfill_out_brief(o, iv, step);
	web_out_str(o, "hint", step->hint);
	web_out_str(o, "guidance", step->guidance);
	web_out_list(o, "options");
	for (size_t i = 0; i < step->n_options; i++) {
		web_out_map(o, NULL);
		web_out_str(o, "value", step->options[i].value);
		web_out_str(o, "label", step->options[i].label);
		web_out_bool(o, "chosen", step->options[i].is_chosen);
		web_out_end(o);
	}
	web_out_end(o);
	web_out_str(o, "start", step->start);
	web_out_str(o, "end", step->end);
	web_out_str(o, "by", step->by);
	web_out_str(o, "media", step->media);
	web_out_str(o, "appearance", step->appearance);
	web_out_uint(o, "n_instances", step->n_instances);
	put_inside(o, step);
	web_out_uint(o, "done", step->done);
	web_out_uint(o, "total", step->total);
	web_out_end(o);
}

enum perr wfill_out_at(struct web *w, struct web_out *o)
{
	struct interview *iv = wfill_of(w);
	struct fill_step step;
	enum perr err = interview_step(iv, &step);

	if (err != PERR_OK)
		return err;
	web_out_uint(o, "draft", iv->d->head.number);
	web_out_bool(o, "from_review", iv->d->from_review);
	wfill_out_step(o, "step", iv, &step);
	/* a label that there was no memory for is not an empty one */
	return wfill_truth(iv, PERR_OK);
}

enum perr wfill_out_interview(struct web *w, struct web_out *o)
{
	static const uint8_t nobody[32];
	struct interview *iv = wfill_of(w);
	const struct roster_form *entry = interview_entry(iv);
	struct dispatch_readers r;
	const char *ready;
	enum perr err = wfill_ready(w, entry, &r, &ready);

	if (err != PERR_OK)
		return err;
	web_out_str(o, "form", iv->d->head.form_id);
	web_out_str(o, "version", iv->d->head.form_version);
	web_out_str(o, "title", xform_title(iv->form));
	web_out_str(o, "lang", interview_lang(iv));
	wfill_out_langs(o, iv->form);
	web_out_bool(o, "is_replaced", entry != NULL && !entry->active);
	web_out_str(o, "ready", ready);
	web_out_bin(o, "desk", entry == NULL ? nobody : entry->desk, 32);
	web_out_str(o, "desk_name", r.desk_name);
	wfill_out_paper(o, iv);
	return wfill_out_at(w, o);
}
