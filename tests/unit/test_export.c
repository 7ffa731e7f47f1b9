/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture_org.h"

#include "assign.h"
#include "case.h"
#include "envelope.h"
#include "export.h"
#include "export_json.h"
#include "export_dir.h"
#include "export_tables.h"
#include "fexport.h"
#include "kv_mem.h"
#include "roster.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static struct fixture *f;
static char dir[64];

static int setup(void **state)
{
	f = fixture_new();
	snprintf(dir, sizeof dir, "/tmp/amparo-export-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	fixture_free(f);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static char *path_of(const char *rest)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, rest);
	return path;
}

static uint8_t *slurp(const char *rest, size_t *len)
{
	FILE *in = fopen(path_of(rest), "rb");
	uint8_t *buf = malloc(1 << 20);

	if (in == NULL)
		fail_msg("%s is missing", path_of(rest));
	assert_non_null(buf);
	*len = fread(buf, 1, (1 << 20) - 1, in);
	buf[*len] = 0;
	fclose(in);
	return buf;
}

static void spit(const char *rest, const char *text)
{
	FILE *out = fopen(path_of(rest), "wb");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static struct case_file *only_case(enum fixture_who who)
{
	uint8_t record[16];
	struct case_file *file;

	fixture_only_case(f, who, record);
	OK(case_open(fix(f, who), record, &file));
	return file;
}

static enum perr export_to(const struct case_file *file, bool force, struct export_done *done)
{
	struct export_dir *d;
	struct export_sink sink;
	enum perr err;

	OK(export_dir_open(&d, path_of("out"), force));
	sink = export_dir_sink(d);
	err = export_case(fix(f, FIX_HOLDER0), file, 0, &sink, done, NULL, NULL);
	export_dir_close(d);
	return err;
}

static void export_gives_back_what_was_submitted(void **state)
{
	struct assign_told told;
	struct export_done done;
	struct case_file *file;
	char why[DISPATCH_WHY], rest[300];
	uint8_t *got;
	size_t len, want;
	struct stat st;

	fixture_submit(f, FIX_VOLUNTEER0, 1, 5, NULL);
	fixture_sync(f, FIX_HOLDER0);
	file = only_case(FIX_HOLDER0);
	OK(assign_note(fix(f, FIX_HOLDER0), file->s.record, "dice \"mañana\"\n\\ y ya", &told, why));
	case_close(file);
	file = only_case(FIX_HOLDER0);
	OK(export_to(file, false, &done));
	assert_int_equal(done.n_files, 5);
	assert_int_equal(done.n_missing, 0);
	snprintf(rest, sizeof rest, "out/%s/submission.xml", done.dir);
	got = slurp(rest, &len);
	assert_int_equal(len, f->xml_len[0]);
	assert_memory_equal(got, f->xml[0], len);
	free(got);
	for (size_t i = 0; i < 3; i++) {
		const uint8_t *photo = fixture_photo(fixture_photos(1)[i], 5, &want);

		snprintf(rest, sizeof rest, "out/%s/%s", done.dir, fixture_photos(1)[i]);
		got = slurp(rest, &len);
		assert_int_equal(len, want);
		assert_memory_equal(got, photo, want);
		free(got);
		assert_int_equal(stat(path_of(rest), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	snprintf(rest, sizeof rest, "out/%s/case.json", done.dir);
	got = slurp(rest, &len);
	assert_non_null(strstr((char *)got, "dice \\\"mañana\\\"\\u000a\\\\ y ya"));
	assert_non_null(strstr((char *)got, "\"desk\":\"Mesa Delta\""));
	assert_non_null(strstr((char *)got, "\"author\":\"volunteer 1\""));
	free(got);
	/* again: the same files are no obstacle */
	OK(export_to(file, false, &done));
	case_close(file);
}

static void export_overwrites_only_by_force(void **state)
{
	struct export_done done;
	struct case_file *file;
	char rest[300];
	uint8_t *got;
	size_t len;

	fixture_submit(f, FIX_VOLUNTEER0, 4, 0, NULL);
	fixture_sync(f, FIX_HOLDER0);
	file = only_case(FIX_HOLDER0);
	OK(export_to(file, false, &done));
	snprintf(rest, sizeof rest, "out/%s/submission.xml", done.dir);
	spit(rest, "somebody's work");
	assert_int_equal(export_to(file, false, &done), PERR_EXISTS);
	got = slurp(rest, &len);
	assert_string_equal(got, "somebody's work");
	free(got);
	OK(export_to(file, true, &done));
	got = slurp(rest, &len);
	assert_int_equal(len, f->xml_len[3]);
	free(got);
	case_close(file);
}

static void export_follows_no_link_out_of_the_folder(void **state)
{
	struct export_done done;
	struct case_file *file;
	char rest[300], command[600];
	uint8_t *got;
	size_t len;

	fixture_submit(f, FIX_VOLUNTEER0, 4, 0, NULL);
	fixture_sync(f, FIX_HOLDER0);
	file = only_case(FIX_HOLDER0);
	spit("precious", "precious");
	OK(export_to(file, false, &done));
	snprintf(rest, sizeof rest, "out/%s/submission.xml", done.dir);
	assert_int_equal(unlink(path_of(rest)), 0);
	assert_int_equal(symlink("../../precious", path_of(rest)), 0);
	assert_int_equal(export_to(file, false, &done), PERR_EXISTS);
	OK(export_to(file, true, &done));
	got = slurp("precious", &len);
	assert_string_equal(got, "precious");
	free(got);
	/* the case's folder itself a link */
	snprintf(rest, sizeof rest, "out/%s", done.dir);
	snprintf(command, sizeof command, "rm -rf '%s'", path_of(rest));
	assert_int_equal(system(command), 0);
	assert_int_equal(symlink("..", path_of(rest)), 0);
	assert_int_equal(export_to(file, true, &done), PERR_IO);
	assert_int_equal(access(path_of("submission.xml"), F_OK), -1);
	case_close(file);
}

static void safe_names_stay_in_the_folder(void **state)
{
	static const struct {
		const char *name, *safe;
	} cases[] = {
		{ "foto.jpg", "foto.jpg" }, { "Tz’unun Qꞌanel.jpg", "Tz’unun Qꞌanel.jpg" },
		{ "../../etc/passwd", "attachment-.._.._etc_passwd" },
		{ ".bashrc", "attachment-.bashrc" }, { "..", "attachment-" }, { "", "attachment-" },
		{ "case.json", "attachment-case.json" }, { "CASE.JSON", "attachment-CASE.JSON" },
		{ "submission.xml", "attachment-submission.xml" },
		{ "Submission-2.XML", "attachment-Submission-2.XML" },
		{ "a\x1b[2Jb.jpg", "a_[2Jb.jpg" }, { "a\nb", "a_b" }, { "c:\\x", "c__x" },
		{ "gpj.\xe2\x80\xae" "exe", "gpj._exe" }, { "x.jpg. .", "x.jpg" },
		{ "-rf", "attachment--rf" }, { "\xff\xfe", "__" }, { "case.json ", "attachment-case.json" },
	};
	char out[EXPORT_NAME_MAX + 1], longest[900];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		export_names_safe(out, cases[i].name, strlen(cases[i].name));
		assert_string_equal(out, cases[i].safe);
	}
	for (size_t i = 0; i < sizeof longest - 1; i += 2)
		memcpy(longest + i, "ñ", 2);
	export_names_safe(out, longest, sizeof longest - 2);
	assert_true(strlen(out) <= EXPORT_NAME_MAX);
	assert_memory_equal(out + strlen(out) - 2, "ñ", 2);
}

/* two attachments that would be one file, and names that are ours */
static void attachments_of_one_name_are_kept_apart(void **state)
{
	struct client *c = fix(f, FIX_HOLDER0);
	static const char *const names[] = { "a.jpg", "A.JPG", "a.jpg", "case.json" };
	static const char *const wanted[] = { "a.jpg", "A-2.JPG", "a-3.jpg", "attachment-case.json" };
	struct statement *st = calloc(1, sizeof *st);
	struct blob_ref refs[4];
	struct export_done done;
	struct case_file *file;
	struct sign_key key;
	enum take_result result;
	uint8_t *env, *got;
	char rest[300];
	size_t len;

	assert_non_null(st);
	st->kind = STATEMENT_INTAKE;
	st->day = 20782;
	memcpy(st->to, f->desk, 32);
	st->body.intake.form_id = doc_text_of("raid-intake");
	st->body.intake.form_version = doc_text_of("none");
	st->body.intake.language = doc_text_of("");
	st->body.intake.instance = doc_bytes_of("not <xml", 8);
	case_code_new(st->body.intake.code, rng_system());
	st->body.intake.attachments.n = 4;
	for (int i = 0; i < 4; i++) {
		struct statement_attachment *a = &st->body.intake.attachments.at[i];

		a->name = doc_text_of(names[i]);
		a->type = doc_text_of("image/jpeg");
		a->size = (uint32_t)i + 1;
		crypto_generichash(a->hash, 32, (const uint8_t *)"abcd", a->size, NULL, 0);
		OK(blob_begin(&refs[i], (const uint8_t *)"abcd", a->size, rng_system()));
	}
	client_sign_key(fix(f, FIX_VOLUNTEER0), &key);
	OK(envelope_make(&env, &len, NULL, st, 1, refs, 4, &key, rng_system()));
	OK(kv_begin(c->kv));
	OK(record_take(c, env, len, &result));
	for (int i = 0; i < 3; i++) {
		struct want w = { .ref = refs[i] };

		OK(record_have(c, &w, (const uint8_t *)"abcd", (size_t)i + 1, &result));
	}
	OK(kv_commit(c->kv));
	file = only_case(FIX_HOLDER0);
	OK(export_to(file, false, &done));
	assert_int_equal(done.n_missing, 1);
	for (int i = 0; i < 3; i++) {
		snprintf(rest, sizeof rest, "out/%s/%s", done.dir, wanted[i]);
		got = slurp(rest, &len);
		assert_int_equal(len, i + 1);
		free(got);
	}
	snprintf(rest, sizeof rest, "out/%s/case.json", done.dir);
	got = slurp(rest, &len);
	assert_non_null(strstr((char *)got, wanted[3]));
	assert_non_null(strstr((char *)got, "\"here\":false"));
	free(got);
	snprintf(rest, sizeof rest, "out/%s/submission.xml", done.dir);
	got = slurp(rest, &len);
	assert_string_equal(got, "not <xml");
	free(got);
	case_close(file);
	doc_free(env, 0);
	free(st);
}

static void index_csv_holds_no_formula(void **state)
{
	struct export_index *x = export_index_new();
	struct case_file *file;
	struct export_dir *d;
	struct export_sink sink;
	uint8_t *got;
	size_t len;

	fixture_submit(f, FIX_VOLUNTEER0, 3, 0, NULL);
	fixture_sync(f, FIX_HOLDER0);
	file = only_case(FIX_HOLDER0);
	snprintf(file->s.title, sizeof file->s.title, "=HYPERLINK(\"x\")");
	OK(export_index_add(x, fix(f, FIX_HOLDER0), file, "folder"));
	OK(export_dir_open(&d, path_of("out"), false));
	sink = export_dir_sink(d);
	OK(export_index_write(x, &sink));
	got = slurp("out/index.csv", &len);
	assert_non_null(strstr((char *)got, ",\"'=HYPERLINK(\"\"x\"\")\","));
	free(got);
	export_dir_close(d);
	export_index_free(x);
	case_close(file);
}

/* ---- tables ----------------------------------------------------------------------------- */

static void add_all(struct export_tables *x, unsigned want_unreadable)
{
	struct case_file *file;
	uint8_t record[16];
	unsigned n;

	fixture_only_case(f, FIX_HOLDER0, record);
	OK(case_open(fix(f, FIX_HOLDER0), record, &file));
	OK(export_tables_add(x, file, &n));
	assert_int_equal(n, want_unreadable);
	case_close(file);
}

static char *tables_to(struct export_tables *x, const char *want, unsigned *n_files)
{
	struct export_dir *d;
	struct export_sink sink;
	size_t len;

	OK(export_dir_open(&d, path_of("tables"), true));
	sink = export_dir_sink(d);
	OK(export_tables_write(x, &sink, n_files));
	export_dir_close(d);
	return (char *)slurp(want, &len);
}

static unsigned count_lines(const char *s)
{
	unsigned n = 0;
	bool quoted = false;

	for (; *s != '\0'; s++) {
		quoted ^= *s == '"';
		n += *s == '\n' && !quoted;
	}
	return n;
}

static void tables_have_a_row_a_case_with_its_code(void **state)
{
	char code[CASE_CODE_LEN + 1], shown[CASE_CODE_SHOWN + 1], want[64], *got;
	struct export_tables *x;
	unsigned n_files;

	fixture_submit(f, FIX_VOLUNTEER0, 4, 5, code);
	fixture_sync(f, FIX_HOLDER0);
	OK(export_tables_new(&x, fix(f, FIX_HOLDER0), FEXPORT_SAFE, NULL));
	add_all(x, 0);
	got = tables_to(x, "tables/raid-intake.csv", &n_files);
	/* the cases, two groups that repeat, corrections */
	assert_int_equal(n_files, 4);
	assert_int_equal(count_lines(got), 2);
	assert_memory_equal(got, "SubmissionDate,consent-", 23);
	assert_non_null(strstr(got, ",KEY,FormVersion,OtherAnswers,CaseCode,InterviewDay,Language,Desk,"
	                       "Author,State,AssignedTo,Urgent,Deadline,AttachmentsPresent,"
	                       "AttachmentsExpected,Edits,Corrected,Conflicts\n"));
	case_code_show(shown, code);
	snprintf(want, sizeof want, ",2026112401,,%s,", shown);
	assert_non_null(strstr(got, want));
	assert_non_null(strstr(got, ",Mesa Delta,volunteer 1,open,,"));
	free(got);
	export_tables_free(x);
}

/* the form gone from the roster: as on a device that has not fetched it yet */
static void tables_keep_answers_of_a_form_that_is_not_here(void **state)
{
	struct export_tables *x;
	unsigned n_files, forms;
	char *got;

	fixture_submit(f, FIX_VOLUNTEER0, 4, 5, NULL);
	fixture_sync(f, FIX_HOLDER0);
	OK(export_tables_new(&x, fix(f, FIX_HOLDER0), 0, NULL));
	OK(case_refresh(fix(f, FIX_HOLDER0)));
	forms = fix(f, FIX_HOLDER0)->field->n_forms;
	fix(f, FIX_HOLDER0)->field->n_forms = 0;
	add_all(x, 0);
	fix(f, FIX_HOLDER0)->field->n_forms = forms;
	got = tables_to(x, "tables/raid-intake.csv", &n_files);
	assert_int_equal(n_files, 2);
	assert_memory_equal(got, "SubmissionDate,KEY,FormVersion,OtherAnswers,CaseCode,", 53);
	assert_non_null(strstr(got, "\"\"/data/consent/agreed\"\":\"\"yes\"\""));
	assert_int_equal(count_lines(got), 2);
	free(got);
	export_tables_free(x);
}

static void json_has_the_answers_with_types_and_with_labels(void **state)
{
	struct case_file *file;
	char *json;
	size_t len;

	fixture_submit(f, FIX_VOLUNTEER0, 4, 5, NULL);
	fixture_sync(f, FIX_HOLDER0);
	file = only_case(FIX_HOLDER0);
	OK(export_json(fix(f, FIX_HOLDER0), file, &json, &len));
	assert_non_null(strstr(json, "\"form\":\"raid-intake\",\"form_version\":\"2026112401\""));
	assert_non_null(strstr(json, "{\"path\":\"/data/consent/agreed\",\"question\":\"Do you agree to go on?\","
	                       "\"value\":\"yes\",\"shown\":\"Yes, let us go on\"}"));
	assert_non_null(strstr(json, "\"data\":{\"form\":\"raid-intake\",\"version\":\"2026112401\","));
	assert_non_null(strstr(json, "\"answers\":{\"consent\":{\"agreed\":\"yes\""));
	sodium_memzero(json, len);
	free(json);
	case_close(file);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(export_gives_back_what_was_submitted),
		T(export_overwrites_only_by_force),
		T(export_follows_no_link_out_of_the_folder),
		cmocka_unit_test(safe_names_stay_in_the_folder),
		T(attachments_of_one_name_are_kept_apart),
		T(index_csv_holds_no_formula),
		T(tables_have_a_row_a_case_with_its_code),
		T(tables_keep_answers_of_a_form_that_is_not_here),
		T(json_has_the_answers_with_types_and_with_labels),
	};

	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
