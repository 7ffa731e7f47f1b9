/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * op_attach: photographs and other files of the open interview, and what is asked before the
 * questions of a form from paper.  Shapes: app/ops_volunteer.ts.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "wfill.h"
#include "picture.h"
#include "roster.h"
#include "web_ops.h"

#define NAME_MAX_ 255            /* of a file, as it comes; draft_name makes it fit */
#define PASTED_MAX ((size_t)64 << 20)

/* the content is what counts: a photograph called .pdf is called .jpg */
static void name_after(char out[NAME_MAX_ + 8], const char *name, enum picture_kind kind)
{
	const char *dot = strrchr(name, '.');
	size_t n = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);

	snprintf(out, NAME_MAX_ + 8, "%.*s%s", (int)n, n == 0 ? "" : name, picture_ending(kind));
	if (n == 0)
		snprintf(out, NAME_MAX_ + 8, "file%s", picture_ending(kind));
}

/* where the file goes: to the question at path, or to the paper */
static enum perr go_to(struct interview *iv, const char *path)
{
	struct fill_step step;
	enum perr err;

	if (path[0] == '\0')
		return iv->d->head.is_paper ? PERR_OK : PERR_STATE;
	err = fill_jump_path(iv->s, path);
	if (err == PERR_OK)
		err = fill_current(iv->s, &step);
	if (err == PERR_OK && (step.kind != FILL_QUESTION || step.type != FILL_FILE))
		err = PERR_STATE;
	return err;
}

static enum perr has_room(struct interview *iv, bool is_scan)
{
	struct fill_step step;
	size_t has, max;
	enum perr err = interview_room(iv, &has, &max);

	/* a scan takes no question's place */
	if (err == PERR_OK && is_scan)
		err = fill_current(iv->s, &step);
	if (err == PERR_OK && is_scan && step.kind == FILL_QUESTION && step.type == FILL_FILE &&
	    step.value[0] != '\0')
		has++;
	return err == PERR_OK && has >= max ? PERR_LIMIT : err;
}

enum perr op_fill_attach(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *path = web_arg_text(a, "path", 0, FILL_PATH_MAX);
	const char *wish = web_arg_text(a, "name", 0, NAME_MAX_);
	char name[DRAFT_NAME_MAX + 1], called[NAME_MAX_ + 8], why[FILL_WHY_SIZE] = "";
	bool is_scan = path[0] == '\0';
	struct interview *iv;
	enum picture_kind kind;
	uint8_t *clean = NULL;
	const uint8_t *bytes;
	size_t len, clean_len = 0;
	enum perr err;

	bytes = web_arg_bytes(a, "bytes", 0, PASTED_MAX, &len);
	err = wfill_begin(w, a, &iv);
	if (err == PERR_OK && (len == 0 || len > w->c->field->limits.attachment_bytes))
		err = PERR_RANGE;
	if (err == PERR_OK)
		err = wfill_truth(iv, go_to(iv, path));
	if (err == PERR_OK)
		err = has_room(iv, is_scan);
	if (err == PERR_OK)
		err = picture_clean(&clean, &clean_len, bytes, len, &kind);
	if (err == PERR_OK && clean_len > w->c->field->limits.attachment_bytes)
		err = PERR_RANGE;
	if (err != PERR_OK)
		goto out;
	name_after(called, wish, kind);
	err = wfill_truth(iv, interview_attach(iv, called, clean, clean_len, is_scan, name, why));
	if (err == PERR_RANGE)
		web_out_why(o, why);
	else if (err == PERR_OK)
		err = wfill_keep(w);
	else if (err != PERR_LIMIT && err != PERR_STATE)
		wfill_revert(w);
	if (err != PERR_OK)
		goto out;
	wfill_out_file(o, "file", draft_find(iv->d, name));
	wfill_out_paper(o, iv);
	err = wfill_out_at(w, o);
out:
	picture_free(clean, clean_len);
	sodium_memzero(why, sizeof why);
	sodium_memzero(name, sizeof name);
	sodium_memzero(called, sizeof called);
	return err;
}

enum perr op_fill_file(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *name = web_arg_text(a, "name", 1, DRAFT_NAME_MAX);
	struct interview *iv;
	enum picture_kind kind;
	uint8_t *data = NULL;
	size_t len;
	enum perr err = wfill_begin(w, a, &iv);

	if (err == PERR_OK)
		err = draft_read(w->kv, iv->d, name, &data, &len);
	if (err == PERR_OK) {
		web_out_bin(o, "bytes", data, len);
		web_out_str(o, "media", picture_kind_of(data, len, &kind) == PERR_OK
		            ? picture_media(kind) : "application/octet-stream");
	}
	kv_free(data);
	return err;
}

enum perr op_fill_scan_drop(struct web *w, struct web_args *a, struct web_out *o)
{
	const char *name = web_arg_text(a, "name", 1, DRAFT_NAME_MAX);
	struct interview *iv;
	const struct draft_file *f;
	enum perr err = wfill_begin(w, a, &iv);

	if (err != PERR_OK)
		return err;
	f = draft_find(iv->d, name);
	if (f == NULL || !f->is_scan)
		return PERR_NOTFOUND;
	draft_detach(iv->d, name);
	err = wfill_keep(w);
	if (err == PERR_OK)
		wfill_out_paper(o, iv);
	return err;
}

enum perr op_fill_paper(struct web *w, struct web_args *a, struct web_out *o)
{
	uint32_t day = (uint32_t)web_arg_uint(a, "visit_day", UINT32_MAX);
	const char *name = web_arg_text(a, "transcriber", 0, 1024);
	bool has_scans = web_arg_bool(a, "has_scans");
	struct interview *iv;
	struct draft *d;
	enum perr err = wfill_begin(w, a, &iv);

	if (err == PERR_OK && !iv->d->head.is_paper)
		err = PERR_STATE;
	if (err != PERR_OK)
		return err;
	d = iv->d;
	if (name[0] != '\0')
		err = interview_transcriber(iv, name);
	else
		sodium_memzero(d->transcriber, sizeof d->transcriber);
	if (err == PERR_OK && day != 0)
		err = interview_visit(iv, day);
	else if (err == PERR_OK)
		d->visit_day = 0;
	/* the day may be right and the name not: neither is taken */
	if (err == PERR_RANGE) {
		wfill_revert(w);
		return err;
	}
	d->has_scans = has_scans;
	if (err == PERR_OK)
		err = wfill_keep(w);
	if (err != PERR_OK)
		return err;
	web_out_uint(o, "draft", iv->d->head.number);
	wfill_out_paper(o, iv);
	return PERR_OK;
}
