/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Drafts: nothing of one is lost, nothing of one is left. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draft.h"
#include "kv_mem.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static struct kv *kv;

static int setup(void **state)
{
	kv = kv_mem_new();
	return kv == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	kv_mem_free(kv);
	return 0;
}

static struct draft *begin(void)
{
	struct draft *d = draft_new();

	assert_non_null(d);
	d->head.day = 20781;
	strcpy(d->head.form_id, "raid-intake");
	strcpy(d->head.form_version, "2026112401");
	strcpy(d->head.lang, "es");
	return d;
}

static enum perr save(struct draft *d, const char *answers)
{
	return draft_save(kv, d, (const uint8_t *)answers, strlen(answers));
}

static struct draft *opened(uint32_t number)
{
	struct draft *d;

	OK(draft_open(kv, number, &d));
	return d;
}

/* records that hold these bytes, in name or value */
struct hunt {
	const char *needle;
	unsigned found, records;
};

static enum perr look(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct hunt *h = arg;

	h->records++;
	h->found += memmem(value, len, h->needle, strlen(h->needle)) != NULL ||
	            strstr(name, h->needle) != NULL;
	return PERR_OK;
}

static unsigned kept(const char *needle)
{
	struct hunt h = { .needle = needle };

	OK(kv_each(kv, "", look, &h));
	return h.found;
}

static unsigned records(void)
{
	struct hunt h = { .needle = "" };

	OK(kv_each(kv, "", look, &h));
	return h.records;
}

static void draft_opens_as_it_was_saved(void **state)
{
	struct draft *d = begin();
	uint8_t *data;
	size_t len;

	d->head.is_paper = true;
	d->head.n_answers = 7;
	d->visit_day = 20770;
	strcpy(d->transcriber, "Ruth Álvarez");
	d->has_scans = d->from_review = true;
	OK(draft_attach(d, "nta.jpg", (const uint8_t *)"picture", 7, false));
	OK(draft_attach(d, "scan.pdf", (const uint8_t *)"", 0, true));
	OK(save(d, "<draft>Xhunik</draft>"));
	assert_int_equal(d->head.number, 1);
	draft_free(d);
	d = opened(1);
	assert_int_equal(d->head.day, 20781);
	assert_string_equal(d->head.form_id, "raid-intake");
	assert_string_equal(d->head.form_version, "2026112401");
	assert_string_equal(d->head.lang, "es");
	assert_true(d->head.is_paper && d->has_scans && d->from_review && !d->head.is_sealed);
	assert_int_equal(d->head.n_answers, 7);
	assert_int_equal(d->head.n_files, 2);
	assert_int_equal(d->visit_day, 20770);
	assert_string_equal(d->transcriber, "Ruth Álvarez");
	assert_int_equal(d->answers_len, 21);
	assert_memory_equal(d->answers, "<draft>Xhunik</draft>", 21);
	assert_true(d->files[1].is_scan && !d->files[0].is_scan);
	OK(draft_read(kv, d, "nta.jpg", &data, &len));
	assert_int_equal(len, 7);
	assert_memory_equal(data, "picture", 7);
	kv_free(data);
	OK(draft_read(kv, d, "scan.pdf", &data, &len));
	assert_int_equal(len, 0);
	kv_free(data);
	assert_int_equal(draft_read(kv, d, "other.jpg", &data, &len), PERR_NOTFOUND);
	draft_free(d);
	assert_int_equal(draft_open(kv, 2, &d), PERR_NOTFOUND);
	assert_int_equal(draft_open(kv, 0, &d), PERR_NOTFOUND);
	assert_null(d);
}

static void draft_numbers_follow_the_highest(void **state)
{
	struct draft *a = begin(), *b = begin(), *c = begin();

	OK(save(a, "a"));
	OK(save(b, "b"));
	OK(draft_drop(kv, 1));
	OK(save(c, "c"));
	assert_int_equal(b->head.number, 2);
	assert_int_equal(c->head.number, 3);
	OK(save(c, "c again"));
	assert_int_equal(c->head.number, 3);
	draft_free(a);
	draft_free(b);
	draft_free(c);
}

static void draft_save_is_whole_or_not_at_all(void **state)
{
	struct draft *d = begin(), *seen;
	uint8_t *data;
	size_t len;

	/* the first one */
	kv_mem_fail_commit(kv, 1);
	assert_int_equal(save(d, "first"), PERR_IO);
	assert_int_equal(d->head.number, 0);
	assert_int_equal(records(), 0);
	OK(draft_attach(d, "a.jpg", (const uint8_t *)"A", 1, false));
	OK(save(d, "first"));
	/* a later one, with a file that comes and one that goes */
	OK(draft_attach(d, "b.jpg", (const uint8_t *)"B", 1, false));
	draft_detach(d, "a.jpg");
	kv_mem_fail_commit(kv, 1);
	assert_int_equal(save(d, "second"), PERR_IO);
	seen = opened(1);
	assert_memory_equal(seen->answers, "first", 5);
	assert_int_equal(seen->n_files, 1);
	OK(draft_read(kv, seen, "a.jpg", &data, &len));
	kv_free(data);
	draft_free(seen);
	/* and nothing is forgotten of what was to be done */
	OK(save(d, "second"));
	seen = opened(1);
	assert_memory_equal(seen->answers, "second", 6);
	assert_int_equal(seen->n_files, 1);
	OK(draft_read(kv, seen, "b.jpg", &data, &len));
	assert_memory_equal(data, "B", 1);
	kv_free(data);
	draft_free(seen);
	draft_free(d);
	assert_int_equal(records(), 2);
}

static void draft_save_from_two_places_loses_neither(void **state)
{
	struct draft *a = begin(), *b, *c;

	OK(save(a, "one"));
	b = opened(1);
	OK(save(b, "of b"));
	assert_int_equal(save(a, "of a"), PERR_EXISTS);
	c = opened(1);
	assert_memory_equal(c->answers, "of b", 4);
	assert_memory_equal(a->answers, "one", 3);
	OK(draft_drop(kv, 1));
	assert_int_equal(save(b, "of b again"), PERR_NOTFOUND);
	assert_int_equal(records(), 0);
	draft_free(a);
	draft_free(b);
	draft_free(c);
}

static void draft_names_of_files_never_meet(void **state)
{
	static const struct {
		const char *wish, *name;
	} cases[] = {
		{ "nta.jpg", "nta.jpg" }, { "nta.jpg", "nta-2.jpg" }, { "nta.jpg", "nta-3.jpg" },
		{ "acta de nacimiento.jpg", "acta de nacimiento.jpg" }, { ".hidden", "attachment" },
		{ "a/b", "attachment-2" }, { "", "attachment-3" }, { "foto", "foto" },
		{ "x\x1b[2J.jpg", "attachment-4" },
	};
	char name[DRAFT_NAME_MAX + 1], wish[400];
	struct draft *d = begin();

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		draft_name(d, cases[i].wish, name);
		assert_string_equal(name, cases[i].name);
		OK(draft_attach(d, name, (const uint8_t *)"", 0, false));
	}
	assert_int_equal(draft_attach(d, "nta.jpg", NULL, 0, false), PERR_EXISTS);
	assert_int_equal(draft_attach(d, "../x", NULL, 0, false), PERR_RANGE);
	/* long ones are cut between characters and keep their ending */
	wish[0] = '\0';
	for (size_t i = 0; i < 80; i++)
		strcat(wish, "ñ");
	strcat(wish, ".jpeg");
	for (unsigned i = 0; i < 12; i++) {
		draft_name(d, wish, name);
		assert_true(strlen(name) <= DRAFT_NAME_MAX && strlen(name) > DRAFT_NAME_MAX - 3);
		assert_string_equal(name + strlen(name) - 5, ".jpeg");
		OK(draft_attach(d, name, (const uint8_t *)"", 0, false));
	}
	OK(save(d, "all of them"));
	while (d->n_files < DRAFT_FILES_MAX) {
		draft_name(d, "more.jpg", name);
		OK(draft_attach(d, name, (const uint8_t *)"", 0, false));
	}
	assert_int_equal(draft_attach(d, "last.jpg", NULL, 0, false), PERR_LIMIT);
	draft_free(d);
}

static void draft_file_that_was_taken_away_is_erased(void **state)
{
	struct draft *d = begin();

	OK(draft_attach(d, "a.jpg", (const uint8_t *)"insulin", 7, false));
	draft_detach(d, "a.jpg");
	OK(save(d, "x"));
	assert_int_equal(kept("insulin"), 0);
	OK(draft_attach(d, "a.jpg", (const uint8_t *)"insulin", 7, false));
	OK(save(d, "x"));
	assert_int_equal(kept("insulin"), 1);
	/* the same name at once for another picture */
	draft_detach(d, "a.jpg");
	OK(draft_attach(d, "a.jpg", (const uint8_t *)"passport", 8, false));
	OK(save(d, "x"));
	assert_int_equal(kept("insulin"), 0);
	assert_int_equal(kept("passport"), 1);
	assert_int_equal(d->n_files, 1);
	/* and one that stays after all */
	draft_detach(d, "a.jpg");
	assert_null(draft_find(d, "a.jpg"));
	draft_undo_detach(d, "a.jpg");
	assert_non_null(draft_find(d, "a.jpg"));
	OK(save(d, "x"));
	assert_int_equal(kept("passport"), 1);
	draft_free(d);
}

static void draft_finish_leaves_the_code_and_nothing_else(void **state)
{
	struct draft *d = begin(), *other = begin(), *left;

	OK(draft_attach(d, "nta.jpg", (const uint8_t *)"A200123456", 10, false));
	strcpy(d->transcriber, "Ruth");
	OK(save(d, "Xhunik Tz'unun"));
	OK(save(other, "somebody else"));
	/* the control: it was there */
	assert_int_equal(kept("Xhunik"), 1);
	assert_int_equal(kept("A200123456"), 1);
	OK(kv_begin(kv));
	OK(draft_finish(kv, d, "7K3QXM0T9Z", "Mesa Delta"));
	OK(kv_commit(kv));
	assert_int_equal(kept("Xhunik"), 0);
	assert_int_equal(kept("A200123456"), 0);
	assert_int_equal(kept("Ruth"), 0);
	left = opened(1);
	assert_true(left->head.is_sealed);
	assert_string_equal(left->code, "7K3QXM0T9Z");
	assert_string_equal(left->desk_name, "Mesa Delta");
	assert_int_equal(left->answers_len, 0);
	assert_int_equal(left->n_files, 0);
	/* who still has the old one open cannot bring it back */
	assert_int_equal(save(d, "Xhunik Tz'unun"), PERR_EXISTS);
	OK(draft_drop(kv, 1));
	assert_int_equal(kept("7K3QXM0T9Z"), 0);
	assert_int_equal(records(), 1);
	draft_free(d);
	draft_free(left);
	draft_free(other);
}

static void draft_finish_outside_its_batch_does_nothing(void **state)
{
	struct draft *d = begin();

	assert_int_equal(draft_finish(kv, d, "7K3QXM0T9Z", "x"), PERR_STATE);
	OK(save(d, "answers"));
	assert_int_not_equal(draft_finish(kv, d, "7K3QXM0T9Z", "x"), PERR_OK);
	OK(kv_begin(kv));
	OK(draft_finish(kv, d, "7K3QXM0T9Z", "x"));
	kv_abort(kv);
	assert_int_equal(kept("answers"), 1);
	OK(save(d, "goes on"));
	draft_free(d);
}

static enum perr list_one(void *arg, const struct draft_head *h)
{
	char *out = arg;

	sprintf(out + strlen(out), "%u:%s:%u:%u%s ", h->number, h->form_id, h->n_answers, h->n_files,
	        h->is_sealed ? "!" : "");
	return PERR_OK;
}

static void draft_list_is_in_order_and_drop_takes_one(void **state)
{
	struct draft *d;
	char list[200] = "";

	for (unsigned i = 1; i <= 3; i++) {
		d = begin();
		d->head.n_answers = i * 10;
		OK(draft_attach(d, "a.jpg", (const uint8_t *)"x", 1, false));
		OK(save(d, "x"));
		draft_free(d);
	}
	OK(draft_each(kv, list_one, list));
	assert_string_equal(list, "1:raid-intake:10:1 2:raid-intake:20:1 3:raid-intake:30:1 ");
	OK(draft_drop(kv, 2));
	assert_int_equal(draft_drop(kv, 2), PERR_NOTFOUND);
	assert_int_equal(records(), 4);
	list[0] = '\0';
	OK(draft_each(kv, list_one, list));
	assert_string_equal(list, "1:raid-intake:10:1 3:raid-intake:30:1 ");
}

static void draft_refuses_a_record_that_was_changed(void **state)
{
	struct draft *d = begin(), *seen;
	uint8_t *value, *bad;
	unsigned refused = 0;
	size_t len;

	OK(draft_attach(d, "a.jpg", (const uint8_t *)"x", 1, false));
	OK(save(d, "answers"));
	draft_free(d);
	OK(kv_get(kv, "draft/000001", &value, &len));
	bad = malloc(len);
	assert_non_null(bad);
	/* every truncation; every byte changed either fails or is another valid draft */
	for (size_t n = 0; n < len; n++) {
		OK(kv_begin(kv));
		OK(kv_put(kv, "draft/000001", value, n));
		OK(kv_commit(kv));
		assert_int_equal(draft_open(kv, 1, &seen), PERR_CORRUPT);
		assert_null(seen);
	}
	for (size_t i = 0; i < len; i++) {
		enum perr err;

		memcpy(bad, value, len);
		bad[i] ^= 0xc1;
		OK(kv_begin(kv));
		OK(kv_put(kv, "draft/000001", bad, len));
		OK(kv_commit(kv));
		err = draft_open(kv, 1, &seen);
		assert_true(err == PERR_OK || err == PERR_CORRUPT || err == PERR_UNKNOWN);
		refused += err != PERR_OK;
		draft_free(seen);
	}
	assert_true(refused > len / 4);
	/* one that cannot be read can still be dropped, with its files */
	OK(kv_begin(kv));
	OK(kv_put(kv, "draft/000001", bad, 3));
	OK(kv_commit(kv));
	OK(draft_drop(kv, 1));
	assert_int_equal(records(), 0);
	free(bad);
	kv_free(value);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(draft_opens_as_it_was_saved),
		T(draft_numbers_follow_the_highest),
		T(draft_save_is_whole_or_not_at_all),
		T(draft_save_from_two_places_loses_neither),
		T(draft_names_of_files_never_meet),
		T(draft_file_that_was_taken_away_is_erased),
		T(draft_finish_leaves_the_code_and_nothing_else),
		T(draft_finish_outside_its_batch_does_nothing),
		T(draft_list_is_in_order_and_drop_takes_one),
		T(draft_refuses_a_record_that_was_changed),
	};

	return cmocka_run_group_tests_name("draft", tests, NULL, NULL);
}
