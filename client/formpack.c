/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "formpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulletin.h"
#include "fold.h"
#include "instance.h"
#include "mp.h"

/* PROTOCOL 8.1: "[version, XForm bin, files array 1..16 of [name str 1..200, content bin]]" */
#define VERSION 1
/* heads of the document, and of one file: at most */
#define HEAD_SIZE 16

static int by_name(const void *a, const void *b)
{
	const struct formpack_file *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* PROTOCOL 8.1: "sorted by name, each name once" */
static bool is_sorted(const struct formpack *p)
{
	for (size_t i = 1; i < p->n_files; i++)
		if (strcmp(p->files[i - 1].name, p->files[i].name) >= 0)
			return false;
	return true;
}

enum perr formpack_encode(uint8_t **out, size_t *out_len, struct formpack *p)
{
	size_t size = p->xml_len;
	struct mp_writer w;
	enum perr err = PERR_OK;

	*out = NULL;
	*out_len = 0;
	if (p->xml_len == 0 || p->xml_len > BULLETIN_CONTENT_MAX || p->n_files > FORMPACK_FILES_MAX)
		return PERR_RANGE;
	for (size_t i = 0; i < p->n_files; i++) {
		if (!instance_file_name_ok(p->files[i].name) || p->files[i].len == 0 ||
		    p->files[i].len > BULLETIN_CONTENT_MAX)
			return PERR_RANGE;
		size += HEAD_SIZE + strlen(p->files[i].name) + p->files[i].len;
	}
	qsort(p->files, p->n_files, sizeof p->files[0], by_name);
	if (!is_sorted(p))
		return PERR_EXISTS;
	*out = malloc(size + HEAD_SIZE);
	if (*out == NULL)
		return PERR_NOMEM;
	if (p->n_files == 0) {
		memcpy(*out, p->xml, p->xml_len);
		*out_len = p->xml_len;
		return PERR_OK;
	}
	mp_writer_init(&w, *out, size + HEAD_SIZE);
	mp_put_array(&w, 3);
	mp_put_uint(&w, VERSION);
	mp_put_bin(&w, p->xml, p->xml_len);
	mp_put_array(&w, (uint32_t)p->n_files);
	for (size_t i = 0; i < p->n_files; i++) {
		mp_put_array(&w, 2);
		mp_put_str(&w, p->files[i].name);
		mp_put_bin(&w, p->files[i].bytes, p->files[i].len);
	}
	err = mp_written(&w, out_len);
	if (err == PERR_OK && *out_len > BULLETIN_CONTENT_MAX)
		err = PERR_RANGE;
	if (err != PERR_OK) {
		free(*out);
		*out = NULL;
		*out_len = 0;
	}
	return err;
}

enum perr formpack_decode(struct formpack *p, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;

	memset(p, 0, sizeof *p);
	if (in_len == 0 || in_len > BULLETIN_CONTENT_MAX)
		return PERR_FORMAT;
	/* PROTOCOL 8.1: "a content whose first byte is not 0x93 is the XForm alone" */
	if (in[0] != FORMPACK_MARK) {
		p->xml = in;
		p->xml_len = in_len;
		return PERR_OK;
	}
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 3);
	if (mp_uint(&r, VERSION) != VERSION)
		mp_fail(&r, PERR_FORMAT);
	p->xml = mp_bin_var(&r, 1, BULLETIN_CONTENT_MAX, &p->xml_len);
	p->n_files = mp_array_var(&r, 1, FORMPACK_FILES_MAX);
	for (size_t i = 0; i < p->n_files; i++) {
		struct formpack_file *f = &p->files[i];

		mp_array(&r, 2);
		mp_str_copy(&r, f->name, sizeof f->name, 1);
		f->bytes = mp_bin_var(&r, 1, BULLETIN_CONTENT_MAX, &f->len);
		if (!instance_file_name_ok(f->name))
			mp_fail(&r, PERR_FORMAT);
	}
	if (!is_sorted(p))
		mp_fail(&r, PERR_FORMAT);
	return mp_finish(&r);
}

enum perr formpack_form(struct xform **out, const uint8_t *in, size_t in_len,
                        char why[XFORM_WHY_SIZE])
{
	struct formpack *p = malloc(sizeof *p);
	enum perr err = PERR_NOMEM;

	*out = NULL;
	snprintf(why, XFORM_WHY_SIZE, "There is not enough memory for this form.");
	if (p == NULL)
		return PERR_NOMEM;
	err = formpack_decode(p, in, in_len);
	if (err == PERR_FORMAT)
		snprintf(why, XFORM_WHY_SIZE, "The form and its files are not packed as they should be.");
	if (err == PERR_OK)
		err = xform_parse(out, p->xml, p->xml_len, why);
	for (size_t i = 0; err == PERR_OK && i < p->n_files; i++) {
		char told[XFORM_WHY_SIZE];

		err = xform_supply(*out, p->files[i].name, p->files[i].bytes, p->files[i].len, told);
		if (err == PERR_OK)
			continue;
		snprintf(why, XFORM_WHY_SIZE, "%.100s: %.390s", p->files[i].name, told);
		fold_tidy(why);
		if (err == PERR_NOTFOUND)
			err = PERR_UNKNOWN;
	}
	if (err != PERR_OK) {
		xform_free(*out);
		*out = NULL;
	}
	free(p);
	return err;
}

const char *formpack_missing(const struct xform *form, const struct formpack *p)
{
	for (size_t i = 0; i < xform_n_files(form); i++) {
		size_t k = 0;

		while (k < p->n_files && strcmp(p->files[k].name, xform_file(form, i)) != 0)
			k++;
		if (k == p->n_files)
			return xform_file(form, i);
	}
	return NULL;
}
