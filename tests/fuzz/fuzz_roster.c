/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fuzz_docs.h"
#include "roster.h"

static void check(bool has_ext, enum perr err, uint8_t *again, size_t len, const uint8_t *data,
                  size_t size)
{
	if (has_ext)
		must_encode(err, again, len);
	else
		must_be_same(err, again, len, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct roster_field *f;
	struct roster_staff *s;
	struct roster_admin *a;
	uint8_t *again;
	size_t len;
	enum perr err;

	if (roster_field_decode(&f, data, size) == PERR_OK) {
		err = roster_field_encode(&again, &len, f);
		check(f->has_ext, err, again, len, data, size);
		roster_field_free(f);
	}
	if (roster_staff_decode(&s, data, size) == PERR_OK) {
		err = roster_staff_encode(&again, &len, s);
		check(s->has_ext, err, again, len, data, size);
		roster_staff_free(s);
	}
	if (roster_admin_decode(&a, data, size) == PERR_OK) {
		err = roster_admin_encode(&again, &len, a);
		check(a->has_ext, err, again, len, data, size);
		roster_admin_free(a);
	}
	return 0;
}
