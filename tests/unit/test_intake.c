/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_org.h"

#include "fault.h"
#include "fdate.h"
#include "kv_mem.h"
#include "record_gaps.h"
#include "roster.h"
#include "trust.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static struct fixture *f;

static int setup(void **state)
{
	f = fixture_new();
	return 0;
}

static int teardown(void **state)
{
	fixture_free(f);
	return 0;
}

/* the faults of an intake by the first volunteer, as one text */
static size_t faults_of(const struct intake *in, char *out, size_t size)
{
	struct faults *l = faults_new();
	const struct roster_form *form;
	size_t n;

	out[0] = '\0';
	OK(intake_check(fix(f, FIX_VOLUNTEER0), in, l, &form));
	n = faults_count(l);
	for (size_t i = 0; i < n; i++) {
		strncat(out, faults_at(l, i)->text, size - strlen(out) - 1);
		strncat(out, "\n", size - strlen(out) - 1);
	}
	faults_free(l);
	return n;
}

/* a copy of a filled form with one piece of text replaced; the caller frees it */
static struct intake changed(unsigned which, const char *from, const char *to)
{
	const char *xml = (const char *)f->xml[which - 1];
	size_t len = f->xml_len[which - 1], at, n = strlen(from), m = strlen(to);
	const char *p = memmem(xml, len, from, n);
	uint8_t *copy;

	assert_non_null(p);
	at = (size_t)(p - xml);
	copy = malloc(len + m);
	assert_non_null(copy);
	memcpy(copy, xml, at);
	memcpy(copy + at, to, m);
	memcpy(copy + at + m, p + n, len - at - n);
	return (struct intake){ .xml = copy, .xml_len = len - n + m };
}

static void intake_check_finds_nothing_wrong_with_good_ones(void **state)
{
	char text[4000];

	for (unsigned i = 1; i <= 12; i++) {
		struct intake_file files[4];
		struct intake in = { .xml = f->xml[i - 1], .xml_len = f->xml_len[i - 1],
		                     .files = files };

		for (; in.n_files < 4 && fixture_photos(i)[in.n_files] != NULL; in.n_files++)
			files[in.n_files] = (struct intake_file){
				.name = fixture_photos(i)[in.n_files],
				.data = (const uint8_t *)"x", .len = 1 };
		if (faults_of(&in, text, sizeof text) != 0)
			fail_msg("intake-%02u: %s", i, text);
	}
}

static void expect(struct intake in, const char *sentence)
{
	char text[4000];

	if (faults_of(&in, text, sizeof text) != 1 || strstr(text, sentence) == NULL)
		fail_msg("expected \"%s\", got \"%s\"", sentence, text);
}

static void intake_check_says_each_fault_in_a_sentence(void **state)
{
	static const struct {
		const char *from, *to, *sentence;
	} cases[] = {
		{ "id=\"raid-intake\"", "id=\"other\"", "No form with the id \"other\" is published" },
		{ "version=\"2026112401\"", "version=\"1\"", "version \"2026112401\" is the published" },
		{ "<speaker>", "<speaker><shoe_size>44</shoe_size>", "no question \"shoe_size\"" },
		{ "</speaker>", "</speakr>", "" },
		{ "<consent>", "<consent><agreed>no</agreed>", "more than once" },
		{ "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!DOCTYPE x [<!ENTITY a \"b\">]>", "" },
	};
	struct intake_file file = { .name = "foto.jpg", .data = (const uint8_t *)"x", .len = 1 };
	struct intake in;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		in = changed(4, cases[i].from, cases[i].to);
		expect(in, cases[i].sentence);
		free((void *)(uintptr_t)in.xml);
	}
	in = (struct intake){ .xml = f->xml[1], .xml_len = f->xml_len[1] };
	expect(in, "\"insulina-caja-lucrecia.jpg\", but it was not given");
	in = (struct intake){ .xml = f->xml[3], .xml_len = f->xml_len[3], .files = &file,
	                      .n_files = 1 };
	expect(in, "\"foto.jpg\" was given, but no answer names it");
	in = (struct intake){ .xml = f->xml[3], .xml_len = f->xml_len[3], .form_id = "housing" };
	expect(in, "not to \"housing\"");
	in = (struct intake){ .xml = f->xml[3], .xml_len = (512u << 10) + 1 };
	expect(in, "at most 512 are allowed");
	in = (struct intake){ .xml = (const uint8_t *)"", .xml_len = 0 };
	expect(in, "");
}

static void intake_check_names_every_fault_by_number_and_label(void **state)
{
	struct intake in = changed(4, "<agreed>yes</agreed>", "<agreed/>");
	char text[16000];

	/* without consent everything that was answered is irrelevant as well: all are said */
	assert_true(faults_of(&in, text, sizeof text) > 5);
	assert_non_null(strstr(text, "Question 1 \"Do you agree to go on?\": Without an answer about "
	                       "consent nothing may be written down."));
	assert_non_null(strstr(text, "is answered, although the other answers make it irrelevant"));
	in.language = "es";
	faults_of(&in, text, sizeof text);
	assert_non_null(strstr(text, "La pregunta 1 «¿Está de acuerdo en continuar?»: Sin una "
	                       "respuesta"));
	assert_non_null(strstr(text, "tiene respuesta, aunque por las demás respuestas no corresponde"));
	free((void *)(uintptr_t)in.xml);
	in = changed(4, "<agreed>yes</agreed>", "<agreed>perhaps</agreed>");
	faults_of(&in, text, sizeof text);
	assert_non_null(strstr(text, "has no choice \"perhaps\""));
	free((void *)(uintptr_t)in.xml);
}

static void intake_check_takes_today_for_the_day_of_the_visit(void **state)
{
	struct client *c = fix(f, FIX_VOLUNTEER0);
	struct fclock now = intake_clock(c, 0, -360), visit = intake_clock(c, 20000, -360);
	double day = fdate_now(&visit);
	struct intake in = { .xml = f->xml[6], .xml_len = f->xml_len[6] };
	char text[4000];

	assert_int_equal(now.unix_ms, f->now * 1000);
	assert_true(day > 20000.49 && day < 20000.51);
	assert_int_equal(faults_of(&in, text, sizeof text), 0);
	/* the arrest of that form is later than this visit */
	in.visit_day = 20000;
	assert_int_not_equal(faults_of(&in, text, sizeof text), 0);
	assert_non_null(strstr(text, "This date cannot be in the future."));
}

static enum perr note_batch(void *ctx, const struct intake_receipt *r)
{
	struct client *c = fix(f, FIX_VOLUNTEER0);

	assert_int_equal(strlen(r->code), CASE_CODE_LEN);
	assert_string_equal(r->desk_name, "Mesa Delta");
	assert_int_equal(r->n_readers, 2);
	return ctx != NULL ? PERR_REFUSED : kv_put(c->kv, "test/note", (const uint8_t *)"x", 1);
}

static void intake_seal_takes_the_callers_change_into_its_batch(void **state)
{
	struct client *c = fix(f, FIX_VOLUNTEER0);
	struct intake in = { .xml = f->xml[3], .xml_len = f->xml_len[3], .in_batch = note_batch };
	struct intake_receipt r;
	char why[DISPATCH_WHY];
	uint8_t *value;

	/* neither: the commit fails */
	kv_mem_fail_commit(f->p[FIX_VOLUNTEER0].kv, 1);
	assert_int_equal(intake_seal(c, &in, &r, why), PERR_IO);
	assert_int_equal(kv_get(c->kv, "test/note", &value, NULL), PERR_NOTFOUND);
	assert_int_equal(fixture_upload(f, FIX_VOLUNTEER0), 0);
	/* neither: the caller refuses */
	in.in_batch_ctx = &r;
	assert_int_equal(intake_seal(c, &in, &r, why), PERR_REFUSED);
	assert_int_equal(fixture_upload(f, FIX_VOLUNTEER0), 0);
	/* both */
	in.in_batch_ctx = NULL;
	OK(intake_seal(c, &in, &r, why));
	OK(kv_get(c->kv, "test/note", &value, NULL));
	kv_free(value);
	assert_int_equal(fixture_upload(f, FIX_VOLUNTEER0), 2);
}

static enum perr look_at_paper(void *arg, const char *name, const uint8_t *value, size_t len)
{
	unsigned *found = arg;

	/* body: 6 uint 20000, 7 str "Ruth" */
	*found += memmem(value, len, "\x06\xcd\x4e\x20\x07\xa4Ruth", 10) != NULL;
	return PERR_OK;
}

static void intake_of_a_paper_form_says_when_and_who(void **state)
{
	struct intake_file scan = { .name = "page-1.jpg", .data = (const uint8_t *)"x", .len = 1 };
	struct intake in = changed(10, "<date>2026-11-12</date>", "<date>2024-10-01</date>");
	struct intake_receipt r;
	unsigned found = 0;
	char why[DISPATCH_WHY], text[4000], name[70];

	in.files = &scan;
	in.n_files = 1;
	in.visit_day = 20000;
	in.transcriber = "Ruth";
	assert_int_not_equal(faults_of(&in, text, sizeof text), 0);
	scan.is_scan = true;
	if (faults_of(&in, text, sizeof text) != 0)
		fail_msg("%s", text);
	memset(name, 'R', sizeof name);
	name[65] = '\0';
	in.transcriber = name;
	assert_int_equal(faults_of(&in, text, sizeof text), 1);
	in.transcriber = "Ruth";
	OK(intake_seal(fix(f, FIX_VOLUNTEER0), &in, &r, why));
	fixture_upload(f, FIX_VOLUNTEER0);
	fixture_sync(f, FIX_HOLDER0);
	assert_int_equal(f->p[FIX_HOLDER0].taken[TAKE_NEW], 1);
	OK(kv_each(fix(f, FIX_HOLDER0)->kv, "stmt/", look_at_paper, &found));
	assert_int_equal(found, 1);
	free((void *)(uintptr_t)in.xml);
}

static void intake_begun_before_a_newer_form_can_still_be_sealed(void **state)
{
	struct client *c = fix(f, FIX_VOLUNTEER0);
	struct intake in = { .xml = f->xml[3], .xml_len = f->xml_len[3] };
	char text[4000];

	for (uint32_t i = 0; i < c->field->n_forms; i++)
		c->field->forms[i].active = false;
	assert_int_equal(faults_of(&in, text, sizeof text), 1);
	assert_non_null(strstr(text, "was replaced"));
	in.allow_replaced = true;
	assert_int_equal(faults_of(&in, text, sizeof text), 0);
}

static void intake_check_holds_attachments_to_the_limits(void **state)
{
	const uint8_t *big = calloc(1, (256u << 10) + 1);
	struct intake_file file = { .name = "insulina-caja-lucrecia.jpg", .data = big,
	                            .len = (256u << 10) + 1 };
	struct intake_file twice[2];
	struct intake in = { .xml = f->xml[1], .xml_len = f->xml_len[1], .files = &file,
	                     .n_files = 1 };
	char text[4000];

	expect(in, "at most 256 are allowed");
	file.len--;
	assert_int_equal(faults_of(&in, text, sizeof text), 0);
	twice[0] = twice[1] = file;
	in.files = twice;
	in.n_files = 2;
	expect(in, "Two files named");
	in.n_files = 1;
	twice[0].name = "../insulina-caja-lucrecia.jpg";
	assert_int_equal(faults_of(&in, text, sizeof text), 2);
	free((void *)(uintptr_t)big);
}

static void intake_check_survives_any_truncation(void **state)
{
	char text[4000];

	for (size_t n = 0; n < f->xml_len[11] - 1; n += 7) {
		struct intake in = { .xml = f->xml[11], .xml_len = n };

		assert_int_not_equal(faults_of(&in, text, sizeof text), 0);
	}
}

struct hunt {
	const uint8_t *needle;
	size_t len;
	unsigned found;
};

static enum perr look(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct hunt *h = arg;

	h->found += memmem(value, len, h->needle, h->len) != NULL ||
	            memmem(name, strlen(name), h->needle, h->len) != NULL;
	return PERR_OK;
}

static unsigned kept(enum fixture_who who, const void *needle, size_t len)
{
	struct hunt h = { .needle = needle, .len = len };

	OK(kv_each(fix(f, who)->kv, "", look, &h));
	return h.found;
}

static void intake_seal_leaves_nothing_that_opens(void **state)
{
	struct client *c = fix(f, FIX_VOLUNTEER0);
	uint8_t record[16];
	char code[CASE_CODE_LEN + 1], hex[33];

	/* the control: what a device does keep is found */
	assert_int_not_equal(kept(FIX_VOLUNTEER0, c->me->sign_sk, 64), 0);
	fixture_submit(f, FIX_VOLUNTEER0, 7, 0, code);
	fixture_sync(f, FIX_HOLDER0);
	fixture_only_case(f, FIX_HOLDER0, record);
	sodium_bin2hex(hex, sizeof hex, record, 16);
	assert_int_equal(kept(FIX_VOLUNTEER0, code, CASE_CODE_LEN), 0);
	assert_int_equal(kept(FIX_VOLUNTEER0, record, 16), 0);
	assert_int_equal(kept(FIX_VOLUNTEER0, hex, 32), 0);
	assert_int_equal(kept(FIX_VOLUNTEER0, f->xml[6] + f->xml_len[6] / 2, 40), 0);
	assert_int_not_equal(kept(FIX_HOLDER0, code, CASE_CODE_LEN), 0);
	/* one cell for each holder and no more, or chunks besides */
	assert_int_equal(f->p[FIX_HOLDER0].opened, 1);
	fixture_sync(f, FIX_COUNSEL);
	fixture_sync(f, FIX_ADMIN);
	assert_int_equal(f->p[FIX_COUNSEL].opened, 0);
	assert_int_equal(f->p[FIX_ADMIN].opened, 0);
}

static void intake_seal_is_whole_or_not_at_all(void **state)
{
	struct intake in = { .xml = f->xml[3], .xml_len = f->xml_len[3] };
	struct intake_receipt r;
	char why[DISPATCH_WHY], code[CASE_CODE_LEN + 1];

	kv_mem_fail_commit(f->p[FIX_VOLUNTEER0].kv, 1);
	assert_int_equal(intake_seal(fix(f, FIX_VOLUNTEER0), &in, &r, why), PERR_IO);
	assert_true(sodium_is_zero((const uint8_t *)&r, sizeof r));
	assert_int_equal(fixture_upload(f, FIX_VOLUNTEER0), 0);
	/* and the next one is number 1: no gap */
	fixture_submit(f, FIX_VOLUNTEER0, 4, 0, code);
	fixture_sync(f, FIX_HOLDER0);
	assert_int_equal(f->p[FIX_HOLDER0].taken[TAKE_NEW], 1);
}

static enum perr any_gap(void *arg, const struct record_gap *g)
{
	*(struct record_gap *)arg = *g;
	return PERR_OK;
}

static void intake_numbers_show_a_gap(void **state)
{
	struct record_gap gap = { .highest = 0 };
	size_t from;

	fixture_submit(f, FIX_VOLUNTEER0, 4, 0, NULL);
	from = f->n_cells;
	fixture_submit(f, FIX_VOLUNTEER0, 12, 0, NULL);
	f->n_cells = from;               /* both cells of it are lost */
	fixture_submit(f, FIX_VOLUNTEER0, 7, 0, NULL);
	fixture_sync(f, FIX_HOLDER0);
	OK(record_gaps(fix(f, FIX_HOLDER0), any_gap, &gap));
	assert_int_equal(gap.highest, 3);
	assert_int_equal(gap.missing, 1);
	assert_int_equal(gap.twice, 0);
	assert_memory_equal(gap.author, fix(f, FIX_VOLUNTEER0)->me->sign_pk, 32);
}

static void intake_is_never_sealed_to_a_desk_that_is_not_trusted(void **state)
{
	struct client *c = fix(f, FIX_VOLUNTEER0);
	struct intake in = { .xml = f->xml[3], .xml_len = f->xml_len[3] };
	struct intake_receipt r;
	char why[DISPATCH_WHY], name[96];

	client_key_name(name, "pin/", f->desk, 32);
	OK(kv_begin(c->kv));
	OK(kv_del(c->kv, name));
	OK(kv_commit(c->kv));
	assert_int_equal(intake_seal(c, &in, &r, why), PERR_REFUSED);
	assert_non_null(strstr(why, "amparo desk trust \"Mesa Delta\""));
	assert_int_equal(fixture_upload(f, FIX_VOLUNTEER0), 0);
}

static void forget_batch(enum fixture_who of)
{
	struct client *c = fix(f, FIX_VOLUNTEER0);
	char name[96];

	client_key_name(name, "batch/", fix(f, of)->me->sign_pk, 32);
	OK(kv_begin(c->kv));
	OK(kv_del(c->kv, name));
	OK(kv_commit(c->kv));
}

static void intake_counts_holders_without_keys_and_needs_one(void **state)
{
	struct intake in = { .xml = f->xml[3], .xml_len = f->xml_len[3] };
	struct intake_receipt r;
	char why[DISPATCH_WHY];

	OK(intake_seal(fix(f, FIX_VOLUNTEER0), &in, &r, why));
	assert_int_equal(r.n_readers, 2);
	assert_int_equal(r.n_holders, 2);
	assert_string_equal(r.desk_name, "Mesa Delta");
	forget_batch(FIX_HOLDER1);
	OK(intake_seal(fix(f, FIX_VOLUNTEER0), &in, &r, why));
	assert_int_equal(r.n_readers, 1);
	assert_int_equal(r.n_holders, 2);
	forget_batch(FIX_HOLDER0);
	assert_int_equal(intake_seal(fix(f, FIX_VOLUNTEER0), &in, &r, why), PERR_NOTFOUND);
	assert_non_null(strstr(why, "has published keys yet"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(intake_check_finds_nothing_wrong_with_good_ones),
		T(intake_check_says_each_fault_in_a_sentence),
		T(intake_check_names_every_fault_by_number_and_label),
		T(intake_check_takes_today_for_the_day_of_the_visit),
		T(intake_check_holds_attachments_to_the_limits),
		T(intake_check_survives_any_truncation),
		T(intake_seal_leaves_nothing_that_opens),
		T(intake_seal_is_whole_or_not_at_all),
		T(intake_seal_takes_the_callers_change_into_its_batch),
		T(intake_of_a_paper_form_says_when_and_who),
		T(intake_begun_before_a_newer_form_can_still_be_sealed),
		T(intake_numbers_show_a_gap),
		T(intake_is_never_sealed_to_a_desk_that_is_not_trusted),
		T(intake_counts_holders_without_keys_and_needs_one),
	};

	return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
