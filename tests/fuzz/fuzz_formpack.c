/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What a form's part holds: a form, or a form with its files, from an administrator who may
 * be turned.
 *
 * Beyond not crashing: what decodes encodes to the same bytes; a form that is refused is
 * refused in one sentence of one line; a form that is taken names every file it came with.
 */
#include "formpack.h"
#include "fold.h"
#include "fuzz_docs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct formpack p;
	char why[XFORM_WHY_SIZE];
	struct xform *form;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (formpack_decode(&p, data, size) == PERR_OK) {
		err = formpack_encode(&again, &len, &p);
		must_be_same(err, again, len, data, size);
	}
	if (formpack_form(&form, data, size, why) != PERR_OK) {
		const char *at = why, *end = why + strlen(why);

		if (form != NULL || why[0] == '\0')
			abort();
		while (at < end)
			if (fold_utf8(&at, end) < 32)
				abort();
		return 0;
	}
	for (size_t i = 0; i < p.n_files; i++) {
		size_t k = 0;

		while (k < xform_n_files(form) && strcmp(xform_file(form, k), p.files[i].name) != 0)
			k++;
		if (k == xform_n_files(form))
			abort();
	}
	(void)formpack_missing(form, &p);
	xform_free(form);
	return 0;
}
