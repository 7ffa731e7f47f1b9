/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* a share from its bytes, its text and its words; the document of a paper holder */
#include "paper.h"
#include "fuzz_docs.h"

static void as_words(const uint8_t *data, size_t size)
{
	uint16_t words[PAPER_WORDS] = { 0 };
	struct paper_wrong wrong;
	struct paper_share s;

	/* looking for the slip takes 40 ms: only now and then */
	if (size != 2 * PAPER_WORDS || data[0] % 16 != 0)
		return;
	for (unsigned i = 0; i < PAPER_WORDS; i++)
		words[i] = (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
	if (paper_share_from_words(&s, &wrong, words) == PERR_AUTH &&
	    (wrong.at >= PAPER_WORDS || wrong.right >= 1024))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t raw[PAPER_SHARE_SIZE], *again;
	struct paper_share s;
	struct paper_doc d;
	char *text = calloc(1, size + 1);
	size_t len;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	if (size == sizeof raw && paper_share_decode(&s, data) == PERR_OK) {
		if (s.need < 2 || s.need > s.of || s.index < 1 || s.index > s.of)
			abort();
		if (paper_share_encode(raw, &s) != PERR_OK || memcmp(raw, data, sizeof raw) != 0)
			abort();
	}
	(void)!paper_share_from_text(&s, text);
	free(text);
	as_words(data, size);
	if (paper_doc_decode(&d, data, size) == PERR_OK) {
		enum perr err = paper_doc_encode(&again, &len, &d);

		must_be_same(err, again, len, data, size);
	}
	(void)!paper_doc_open(&d, data, size);
	return 0;
}
