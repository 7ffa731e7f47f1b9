/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* docs_statement: one sample of each kind of statement, for several tests. */
#ifndef AMPARO_TEST_DOCS_STATEMENT_H
#define AMPARO_TEST_DOCS_STATEMENT_H

#include "docs_kit.h"
#include "statement.h"

static const char *const kit_kind[] = {
	NULL, "intake", "amendment", "assignment", "answer", "note", "status", "erase", "custody",
	"referral", NULL, "copy", NULL, "receipt"
};
#define KIT_KINDS 13             /* numbers between that have no sample: no such kind yet */

static inline void kit_attachments(struct statement_attachments *as)
{
	as->n = 2;
	as->at[0].name = doc_text_of("cédula.jpg");
	as->at[0].type = doc_text_of("image/jpeg");
	as->at[0].size = 200000;
	memset(as->at[0].hash, 0xa1, 32);
	as->at[1].name = doc_text_of("orden de la corte.jpg");
	as->at[1].type = doc_text_of("image/jpeg");
	as->at[1].size = 1;
	memset(as->at[1].hash, 0xa2, 32);
}

/* the original of the samples of kinds 3, 9 and 11; made once, never freed */
static struct doc_bytes kit_original;
static uint8_t kit_original_sig[64];

static inline void kit_statement(struct statement *st, enum statement_kind kind);

/* what the sample receipt lists */
static const uint8_t kit_things[32] = "a statement's    an attachment's";

static inline void kit_make_original(void)
{
	struct statement *st;
	struct sign_key volunteer;
	static uint8_t keep[4096];
	uint8_t *bytes;
	size_t len;

	if (kit_original.p != NULL)
		return;
	st = malloc(sizeof *st);
	assert_non_null(st);
	kit_key(&volunteer, 0x51);
	kit_statement(st, STATEMENT_INTAKE);
	assert_int_equal(statement_encode(&bytes, &len, st), PERR_OK);
	assert_true(len <= sizeof keep);
	memcpy(keep, bytes, len);
	assert_int_equal(statement_sign(kit_original_sig, &volunteer, keep, len), PERR_OK);
	kit_original = doc_bytes_of(keep, len);
	doc_free(bytes, len);
	free(st);
}

/* two statements of day 20780, of which one is held without its second attachment */
static inline void kit_custody(struct custody *k)
{
	static uint8_t elements[2][CUSTODY_ELEMENT], range[CUSTODY_RANGE], erased[CUSTODY_RECORD];
	struct custody_range r = { .first = 20780, .last = 20780, .count = 2 };
	uint8_t hash[CUSTODY_HASH];

	memset(hash, 0x11, sizeof hash);
	custody_element(elements[0], hash, 0);
	memset(hash, 0x99, sizeof hash);
	custody_element(elements[1], hash, 2);
	custody_digest(r.digest, (const uint8_t (*)[CUSTODY_ELEMENT])elements, 2);
	custody_put_range(range, &r);
	memset(erased, 0x74, sizeof erased);
	k->through_day = 20780;
	k->n_held = 2;
	k->ranges = doc_bytes_of(range, sizeof range);
	k->n_lists = 1;
	k->lists[0] = (struct custody_list){
		.first = 20780, .last = 20781, .low = 0, .high = 255,
		.elements = doc_bytes_of(elements, sizeof elements)
	};
	k->erased = doc_bytes_of(erased, sizeof erased);
}

static inline void kit_statement(struct statement *st, enum statement_kind kind)
{
	static const char instance[] = "<data id=\"raid-intake\"><name>Eulalia Nolasco Q'anjob'al"
	                               "</name></data>";
	static uint8_t knew[2][32];
	uint8_t salt[STATEMENT_SALT_SIZE];
	struct sign_key author;

	memset(st, 0, sizeof *st);
	kit_key(&author, kind <= STATEMENT_AMENDMENT ? 0x51 : 0x52);
	st->kind = kind;
	memcpy(st->author, author.id, 32);
	memset(salt, 0x5a, sizeof salt);
	statement_sequence(st->seq_commit, salt, 7);
	st->day = 20782;
	memset(st->to, 0x70, 32);
	memset(st->header_hash, 0x71, 32);
	memset(st->record, 0x72, STATEMENT_RECORD_SIZE);
	switch (kind) {
	case STATEMENT_INTAKE:
		st->body.intake.form_id = doc_text_of("raid-intake");
		st->body.intake.form_version = doc_text_of("3");
		st->body.intake.language = doc_text_of("es");
		st->body.intake.instance = doc_bytes_of(instance, sizeof instance - 1);
		strcpy(st->body.intake.code, "18EZCNFXK1");
		kit_attachments(&st->body.intake.attachments);
		st->body.intake.has_visit_day = true;
		st->body.intake.visit_day = 20781;
		st->body.intake.transcriber = doc_text_of("Ana");
		break;
	case STATEMENT_AMENDMENT:
		strcpy(st->body.amendment.code, "18EZCNFXK1");
		st->body.amendment.form_id = doc_text_of("raid-intake");
		st->body.amendment.form_version = doc_text_of("3");
		st->body.amendment.n_changes = 4;
		st->body.amendment.changes[0].path = doc_text_of("/data/held/where");
		st->body.amendment.changes[0].value = doc_text_of("Jena, LA");
		st->body.amendment.changes[1].path = doc_text_of("/data/medical");
		st->body.amendment.changes[1].value = doc_text_of("");
		st->body.amendment.changes[2].path = doc_text_of("/data/child[2]");
		st->body.amendment.changes[2].is_gone = true;
		st->body.amendment.changes[3].path = doc_text_of("/data/child[+1]/name");
		st->body.amendment.changes[3].value = doc_text_of("Luz");
		st->body.amendment.milli = 64800123;
		memset(knew[0], 0x31, 32);
		memset(knew[1], 0xd2, 32);
		st->body.amendment.knew = doc_bytes_of(knew, sizeof knew);
		break;
	case STATEMENT_REFERRAL:
		st->body.passed.consent = (struct statement_consent){
			.text = doc_text_of("Sí, a la oficina de Jackson"), .day = 20784,
			.by = doc_text_of("Beto"), .language = doc_text_of("es")
		};
		/* fall through */
	case STATEMENT_ASSIGNMENT:
		kit_make_original();
		st->body.passed.reason = doc_text_of("bond hearing on Tuesday");
		if (kind == STATEMENT_ASSIGNMENT) {
			st->body.passed.turn = 2;
			st->body.passed.role = STATEMENT_INTERPRETER;
			st->body.passed.answer_by = 20789;
		}
		st->body.passed.original = kit_original;
		st->body.passed.original_sig = kit_original_sig;
		break;
	case STATEMENT_ANSWER:
		st->body.answer.decision = STATEMENT_ACCEPT;
		st->body.answer.text = doc_text_of("I can be there");
		st->body.answer.turn = 2;
		break;
	case STATEMENT_NOTE:
		st->body.note = doc_text_of("Sister called: Popti' interpreter needed");
		break;
	case STATEMENT_STATUS:
		st->body.status.state = STATEMENT_ASSIGNED;
		st->body.status.text = doc_text_of("");
		st->body.status.has_whom = true;
		memset(st->body.status.whom, 0x73, 32);
		st->body.status.turn = 2;
		st->body.status.role = STATEMENT_ATTORNEY;
		st->body.status.answer_by = 20789;
		break;
	case STATEMENT_ERASE:
		st->body.erase.reason = doc_text_of("asked by the family");
		st->body.erase.step = STATEMENT_ERASE_ASK;
		st->body.erase.has_code = true;
		strcpy(st->body.erase.code, "18EZCNFXK1");
		break;
	case STATEMENT_CUSTODY:
		kit_custody(&st->body.custody);
		break;
	case STATEMENT_COPY:
		kit_make_original();
		st->body.passed.turn = 2;
		st->body.passed.original = kit_original;
		st->body.passed.original_sig = kit_original_sig;
		break;
	case STATEMENT_RECEIPT:
		st->body.receipt.n = 2;
		memset(st->body.receipt.to[0].whom, 0x73, 32);
		st->body.receipt.to[0].turn = 2;
		st->body.receipt.to[0].things = doc_bytes_of(kit_things, 16);
		memset(st->body.receipt.to[1].whom, 0x75, 32);
		st->body.receipt.to[1].turn = 1;
		st->body.receipt.to[1].things = doc_bytes_of(kit_things, sizeof kit_things);
		break;
	}
}

#endif
