/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "fuzz_docs.h"
#include "pending.h"
#include "proposal.h"

/* what comes from another administrator: proposal, sheet, part, sealed bundle; and one change */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct proposal p;
	static struct proposal_sheet s;
	static struct proposal_part part;
	static struct proposal_bundle b;
	static const uint8_t key[32] = { 1 };
	struct signed_sigs sigs;
	struct doc_bytes doc;
	struct pending_op o;
	uint8_t hash[32], *again;
	size_t len;
	enum perr err;

	if (signed_view(&doc, &sigs, data, size) == PERR_OK &&
	    proposal_decode(&p, doc.p, doc.len) == PERR_OK) {
		err = proposal_encode(&again, &len, &p);
		must_be_same(err, again, len, doc.p, doc.len);
	}
	if (proposal_open(&p, hash, data, size) == PERR_OK && p.revision == 0)
		abort();
	if (proposal_sheet_open(&s, data, size) == PERR_OK && s.n > PROPOSAL_DOCS_MAX)
		abort();
	if (proposal_part_open(&part, data, size) == PERR_OK && part.of > 0 && part.place >= part.of)
		abort();
	if (proposal_unseal(&b, &again, &len, data, size, key, key) == PERR_OK)
		abort();
	if (pending_op_decode(&o, data, size) == PERR_OK) {
		err = pending_op_encode(&again, &len, &o);
		must_be_same(err, again, len, data, size);
		pending_op_free(&o);
	}
	return 0;
}
