/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* op_forms: the forms that can be filled in.  Shapes: app/ops_volunteer.ts. */
#include <string.h>

#include "cache.h"
#include "wfill.h"
#include "roster.h"
#include "web_ops.h"

#define LANG_MAX 128

enum perr wfill_ready(struct web *w, const struct roster_form *entry, struct dispatch_readers *r,
                     const char **ready)
{
	char why[DISPATCH_WHY];
	const struct desk *desk;
	enum perr err;

	memset(r, 0, sizeof *r);
	*ready = "no_desk";
	if (entry == NULL)
		return PERR_OK;
	err = cache_desk(w->c, entry->desk, &desk);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	err = dispatch_desk(w->c, entry->desk, true, r, why);
	memcpy(r->desk_name, desk->now.name, sizeof r->desk_name);
	*ready = err == PERR_OK ? "ok" : err == PERR_REFUSED ? "untrusted" : "no_keys";
	if (r->n_holders == 0)
		r->n_holders = desk->now.n;
	return err == PERR_REFUSED || err == PERR_NOTFOUND ? PERR_OK : err;
}

void wfill_out_langs(struct web_out *o, const struct xform *form)
{
	web_out_list(o, "langs");
	for (size_t i = 0; form != NULL && i < xform_n_langs(form); i++) {
		web_out_map(o, NULL);
		web_out_str(o, "code", xform_lang_code(form, i));
		web_out_str(o, "name", xform_lang(form, i));
		web_out_end(o);
	}
	web_out_end(o);
}

static enum perr put_form(struct web *w, struct web_out *o, const struct roster_form *entry,
                          const char *lang)
{
	const struct xform *form = NULL;
	struct dispatch_readers r;
	const char *ready;
	enum perr err = wfill_ready(w, entry, &r, &ready), read;

	if (err != PERR_OK)
		return err;
	read = cache_form(w->c, entry->id, entry->version, &form);
	if (read == PERR_NOTFOUND)
		ready = "not_here";
	else if (read == PERR_UNKNOWN)
		ready = "unreadable";
	else if (read != PERR_OK)
		return read;
	web_out_map(o, NULL);
	web_out_str(o, "id", entry->id);
	web_out_str(o, "version", entry->version);
	web_out_str(o, "title", entry->title);
	web_out_bin(o, "desk", entry->desk, 32);
	web_out_str(o, "desk_name", r.desk_name);
	wfill_out_langs(o, form);
	web_out_str(o, "lang", form == NULL || xform_n_langs(form) == 0 ? lang
	            : xform_lang_code(form, xform_find_lang(form, lang[0] == '\0' ? NULL : lang)));
	web_out_uint(o, "n_questions", form == NULL ? 0 : xform_n_questions(form));
	web_out_str(o, "ready", ready);
	web_out_uint(o, "n_readers", r.n);
	web_out_uint(o, "n_holders", r.n_holders);
	web_out_end(o);
	return PERR_OK;
}

enum perr op_forms(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *lang = web_arg_text(a, "lang", 0, LANG_MAX);
	const struct roster_field *field = w->c->field;
	enum perr err = web_args_end(a);

	web_out_list(o, "forms");
	for (uint32_t i = 0; err == PERR_OK && field != NULL && i < field->n_forms; i++)
		if (field->forms[i].active)
			err = put_form(w, o, &field->forms[i], lang);
	web_out_end(o);
	return err;
}
