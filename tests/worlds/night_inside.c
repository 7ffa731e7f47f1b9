/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assign.h"
#include "case.h"
#include "intake.h"
#include "must.h"
#include "night_int.h"
#include "org.h"
#include "outbox.h"

#define CHUNK CELL_PAYLOAD_MAX

/* ---- who they are ------------------------------------------------------------------------ */

static const struct night_side sides[2] = {
	{ "Casa Ana", "Mesa 1",
	  { "Ana Paz", "Eva Ruiz", "Leo Cruz", "Ida Roe", "Max Ito", "Beto", "Lupe", "Toño" } },
	{ "Coalición por los Derechos de las Familias del Delta",
	  "Guardia jurídica de la costa norte",
	  { "María de los Ángeles Xicohténcatl-Villaseñor", "Ixchel Tzʼunun Palax viuda de Kʼanil",
	    "Roberto OʼMalley-Fitzgerald", "Yesenia Guadalupe Montenegro Quiñónez",
	    "Nguyễn Thị Minh Khai", "Ewul Katal Sebastián de la Rosa",
	    "Qʼanil Méndez Ajpacajá", "Jean-Baptiste Desrosiers Toussaint" } }
};

const struct night_side *night_side_of(const struct night *n)
{
	return &sides[n->side];
}

static const char form_head[] =
	"<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\">"
	"<h:head><h:title>%s</h:title><model><instance><data id=\"%s\" version=\"1\">"
	"<name/><age/><note/><photo/></data></instance>"
	"<bind nodeset=\"/data/photo\" type=\"binary\"/></model></h:head><h:body>"
	"<input ref=\"/data/name\"><label>%s</label></input>"
	"<input ref=\"/data/age\"><label>Age</label></input>"
	"<input ref=\"/data/note\"><label>Note</label></input>"
	"<upload ref=\"/data/photo\" mediatype=\"image/*\"><label>Photograph</label></upload>"
	"</h:body></h:html>";
static const char *const form_ids[2] = { "raid", "hospital-visit-and-children" };

void night_publish_forms(struct night *n)
{
	static const char *const titles[2][2] = {
		{ "Raid", "Hospital" },
		{ "What happened at the plant, and who was taken",
		  "At the hospital: who needs what" }
	};
	char xml[2048];
	int i;

	for (i = 0; i < 2; i++) {
		snprintf(xml, sizeof xml, form_head, titles[n->side][i], form_ids[i],
		         titles[n->side][i]);
		must(org_form_publish(n->p[ADMIN].c, form_ids[i], "1", titles[n->side][i], n->desk,
		                      (const uint8_t *)xml, strlen(xml)), "org_form_publish");
	}
}

static uint32_t below(uint32_t many)
{
	return randombytes_uniform(many);
}

static const char *const first_names[2][8] = {
	{ "Ana", "Luz", "Eva", "Juan", "Noé", "Ivo", "Rut", "Pia" },
	{ "María Guadalupe", "Xhunik Mateo", "Thị Minh Khai", "Jean-Baptiste Emmanuel",
	  "Concepción Inmaculada", "Wilhelmina Aurora", "José Francisco Javier", "Ixchel Yolotzin" }
};
static const char *const last_names[2][8] = {
	{ "Paz", "Sol", "Gil", "Rey", "Vega", "Mora", "Díaz", "Roa" },
	{ "Xicohténcatl Villaseñor", "Tzʼunun Palax", "Nguyễn-Hernández", "de la Rosa Montenegro",
	  "Ajpacajá Chʼumilkaj", "Desrosiers Toussaint", "Quiñónez Echeverría",
	  "Katal Sebastián viuda de Domingo" }
};

struct family {
	char xml[2048];
	int form;
	uint8_t *photo;
	size_t photo_len;
};

/* a family of its side; chunks of photograph, 0: none */
static void family_new(struct night *n, struct family *f, unsigned chunks)
{
	const char *const *first = first_names[n->side], *const *last = last_names[n->side];
	char note[1024];
	size_t len = 0, want = n->side == 0 ? 20 + below(80) : 200 + below(600);

	while (len < want)
		len += (size_t)snprintf(note + len, sizeof note - len, "%s %s; ", first[below(8)],
		                        last[below(8)]);
	f->form = n->side == 0 ? 0 : below(3) > 0;
	f->photo_len = chunks == 0 ? 0 : chunks * (size_t)CHUNK - below(CHUNK);
	f->photo = must_alloc(f->photo_len, 1);
	randombytes_buf(f->photo, f->photo_len);
	snprintf(f->xml, sizeof f->xml, "<data id=\"%s\" version=\"1\"><name>%s %s %u</name>"
	         "<age>%u</age><note>%s</note>%s</data>", form_ids[f->form], first[below(8)],
	         last[below(8)], n->n_families++, n->side == 0 ? below(9) : 10 + below(80), note,
	         chunks == 0 ? "" : "<photo>photo.jpg</photo>");
}

static void submit(struct night *n, enum night_who who, const struct family *f)
{
	struct intake_file file = { "photo.jpg", f->photo, f->photo_len, false };
	struct intake in = {
		.xml = (const uint8_t *)f->xml, .xml_len = strlen(f->xml), .files = &file,
		.n_files = f->photo_len > 0, .language = n->side == 0 ? "es" : "kjb"
	};
	struct intake_receipt r;
	char why[DISPATCH_WHY] = "";
	enum perr err = intake_seal(n->p[who].c, &in, &r, why);

	if (err != PERR_OK)
		must_fail("not sealed: %s (%s)", why, perr_name(err));
	if (r.n_readers != 2)
		must_fail("sealed to %u of 2 holders", r.n_readers);
}

static void submit_new(struct night *n, enum night_who who, unsigned many, unsigned chunks)
{
	struct family f;

	for (; many > 0; many--) {
		family_new(n, &f, chunks);
		submit(n, who, &f);
		free(f.photo);
	}
}

/* ---- what is done about them ------------------------------------------------------------- */

struct picking {
	uint8_t (*records)[STATEMENT_RECORD_SIZE];
	size_t n, max;
	bool with_photo, mine;
};

static enum perr pick(void *arg, const struct case_summary *s)
{
	struct picking *k = arg;

	if (k->n < k->max && (s->n_attachments > 0) == k->with_photo && (!k->mine || s->is_mine))
		memcpy(k->records[k->n++], s->record, STATEMENT_RECORD_SIZE);
	return PERR_OK;
}

static void cases(struct night *n, enum night_who who, bool with_photo, bool mine,
                  uint8_t (*records)[STATEMENT_RECORD_SIZE], size_t want)
{
	struct picking k = { records, 0, want, with_photo, mine };

	must(case_each(n->p[who].c, pick, &k, NULL), "case_each");
	if (k.n < want)
		must_fail("person %d has %zu of %zu cases to act on", who, k.n, want);
}

static void assign(struct night *n, enum night_who who, const uint8_t *record, int attorney)
{
	struct assign_done done;
	char why[DISPATCH_WHY] = "";
	const struct assign_what what = {
		.reader = n->p[ATTORNEY0 + attorney].c->me->sign_pk,
		.reason = n->side == 0 ? "" : "habla kʼicheʼ; vive cerca",
		.answer_days = ASSIGN_BY_POLICY
	};
	enum perr err = assign_record(n->p[who].c, record, &what, &done, why);

	if (err != PERR_OK)
		must_fail("not assigned: %s (%s)", why, perr_name(err));
}

static void note(struct night *n, enum night_who who, const uint8_t *record)
{
	struct assign_told told;
	char why[DISPATCH_WHY] = "";
	const char *text = n->side == 0 ? "sí" : "La tía recoge a los niños en la escuela; llamar "
	                   "antes de las tres.";
	enum perr err = assign_note(n->p[who].c, record, text, &told, why);

	if (err != PERR_OK)
		must_fail("no note: %s (%s)", why, perr_name(err));
}

static void answer(struct night *n, enum night_who who, const uint8_t *record)
{
	struct assign_told told;
	char why[DISPATCH_WHY] = "";
	enum perr err = assign_answer(n->p[who].c, record, n->side == 0 ? STATEMENT_ACCEPT :
	                              STATEMENT_DECLINE, n->side == 0 ? "" : "ya tengo demasiados",
	                              &told, why);

	if (err != PERR_OK)
		must_fail("no answer: %s (%s)", why, perr_name(err));
}

#define CASES 32
static void act0(struct night *n, enum night_who who, enum night_step step)
{
	uint8_t r[CASES][STATEMENT_RECORD_SIZE];
	unsigned i;

	switch (step) {
	case STEP_EVENING0: submit_new(n, who, 1, 64); submit_new(n, who, 3, 0); return;
	case STEP_EVENING1: submit_new(n, who, 4, 0); submit_new(n, who, 1, 6); return;
	case STEP_EVENING2: submit_new(n, who, 6, 0); return;
	case STEP_HOLDER0:
		cases(n, who, false, false, r, 13);
		for (i = 0; i < 13; i++)
			assign(n, who, r[i], 0);
		return;
	case STEP_HOLDER1: return;
	case STEP_LATER0: submit_new(n, who, 8, 0); return;
	case STEP_ATTORNEY0:
		cases(n, who, false, true, r, 2);
		answer(n, who, r[0]);
		answer(n, who, r[1]);
		return;
	case STEP_ATTORNEY1: return;
	case STEP_LATE1: return;
	case STEP_MORNING2: submit_new(n, who, 3, 2); return;
	case STEP_LAST1: submit_new(n, who, 3, 0); return;
	}
}

static void act1(struct night *n, enum night_who who, enum night_step step)
{
	uint8_t r[CASES][STATEMENT_RECORD_SIZE];
	static struct family again;
	unsigned i;

	switch (step) {
	case STEP_EVENING0: submit_new(n, who, 36, 0); return;
	case STEP_EVENING1:
		family_new(n, &again, 4);
		submit(n, who, &again);
		submit(n, who, &again);
		submit_new(n, who, 6, 0);
		return;
	case STEP_EVENING2:
		submit(n, who, &again);
		free(again.photo);
		submit_new(n, who, 3, 0);
		return;
	case STEP_HOLDER0:
		cases(n, who, false, false, r, 19);
		for (i = 0; i < 13; i++)
			assign(n, who, r[i], i % 2 == 0);
		for (; i < 19; i++)
			note(n, who, r[i]);
		return;
	case STEP_HOLDER1:
		cases(n, who, false, false, r, 10);
		for (i = 0; i < 10; i++)
			note(n, who, r[i]);
		return;
	case STEP_LATER0: submit_new(n, who, 2, 6); return;
	case STEP_ATTORNEY0:
		cases(n, who, false, true, r, 1);
		answer(n, who, r[0]);
		return;
	case STEP_ATTORNEY1:
		cases(n, who, false, true, r, 2);
		answer(n, who, r[0]);
		answer(n, who, r[1]);
		return;
	case STEP_LATE1: submit_new(n, who, 8, 0); return;
	case STEP_MORNING2: submit_new(n, who, 6, 0); return;
	case STEP_LAST1: submit_new(n, who, 1, 4); return;
	}
}

static void fill_up(struct client *c, unsigned many)
{
	uint8_t *cells = must_alloc(many, CELL_SIZE);
	uint32_t group;
	unsigned i;

	for (i = 0; i < many; i++)
		must(cell_seal_decoy(cells + (size_t)i * CELL_SIZE, &c->seasons[c->n_seasons - 1],
		                     c->env.rng), "cell_seal_decoy");
	if (many > 0) {
		must(kv_begin(c->kv), "kv_begin");
		must(outbox_add(c, cells, many, &group), "outbox_add");
		must(kv_commit(c->kv), "kv_commit");
	}
	free(cells);
}

void night_act(struct night *n, enum night_who who, enum night_step step, unsigned quota)
{
	struct outbox_counts k;

	if (n->side == 0)
		act0(n, who, step);
	else
		act1(n, who, step);
	must(outbox_counts(n->p[who].c, &k), "outbox_counts");
	if (k.cells > quota)
		must_fail("side %d, step %d: %u cells are more than the %u of the schedule",
		          n->side, step, k.cells, quota);
	fill_up(n->p[who].c, quota - k.cells);
}

size_t night_to_erase(const struct night *n, struct night_cell *out, size_t want)
{
	size_t i, got = 0;

	/* the first evening's: chunks on side 0, statements on side 1 */
	for (i = 0; i < n->n_sealed && got < want; i++)
		if (n->sealed[i].is_chunk == (n->side == 0))
			out[got++] = n->sealed[i];
	if (got < want)
		must_fail("%zu of %zu cells to erase", got, want);
	return got;
}
