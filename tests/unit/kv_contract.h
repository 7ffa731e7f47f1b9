/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What kv.h promises of every implementation, as one walk through it: check_contract(kv). */
#ifndef AMPARO_KV_CONTRACT_H
#define AMPARO_KV_CONTRACT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kv.h"

#define UNUSED __attribute__((unused))
#define ok(e) assert_int_equal((e), PERR_OK)

UNUSED static const uint8_t *b(const char *s)
{
	return (const uint8_t *)s;
}

UNUSED static void put1(struct kv *kv, const char *name, const char *text)
{
	ok(kv_begin(kv));
	ok(kv_put(kv, name, b(text), strlen(text)));
	ok(kv_commit(kv));
}

UNUSED static void expect(struct kv *kv, const char *name, const char *text)
{
	uint8_t *value;
	size_t len;

	ok(kv_get(kv, name, &value, &len));
	assert_int_equal(len, strlen(text));
	assert_string_equal((char *)value, text);
	kv_free(value);
}

UNUSED static void expect_none(struct kv *kv, const char *name)
{
	uint8_t *value;

	assert_int_equal(kv_get(kv, name, &value, NULL), PERR_NOTFOUND);
	assert_null(value);
}

struct seen {
	char text[2048];
	struct kv *kv;
	unsigned calls;
};

UNUSED static enum perr note(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct seen *s = arg;
	size_t at = strlen(s->text);

	snprintf(s->text + at, sizeof s->text - at, "%s=%.*s;", name, (int)len,
	         (const char *)value);
	assert_int_equal(value[len], 0);
	s->calls++;
	return PERR_OK;
}

UNUSED static enum perr note_name(void *arg, const char *name)
{
	struct seen *s = arg;
	size_t at = strlen(s->text);

	snprintf(s->text + at, sizeof s->text - at, "%s;", name);
	return PERR_OK;
}

UNUSED static enum perr stop_at_second(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct seen *s = arg;

	(void)name;
	(void)value;
	(void)len;
	return ++s->calls == 2 ? PERR_REFUSED : PERR_OK;
}

/* Deletes the next but one, changes the next, adds a new one. */
UNUSED static enum perr meddle(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct seen *s = arg;

	note(arg, name, value, len);
	if (strcmp(name, "m/1") == 0) {
		ok(kv_begin(s->kv));
		ok(kv_put(s->kv, "m/2", b("new"), 3));
		ok(kv_del(s->kv, "m/3"));
		ok(kv_put(s->kv, "m/9", b("late"), 4));
		ok(kv_commit(s->kv));
	}
	return PERR_OK;
}

UNUSED static enum perr delete_next(void *arg, const char *name)
{
	struct seen *s = arg;

	note_name(arg, name);
	if (strcmp(name, "m/2") == 0) {
		ok(kv_begin(s->kv));
		ok(kv_del(s->kv, "m/4"));
		ok(kv_commit(s->kv));
	}
	return PERR_OK;
}

UNUSED static void check_contract(struct kv *kv)
{
	struct seen s = { .kv = kv };
	char long_name[KV_NAME_MAX + 2];
	uint8_t *value;
	size_t len;

	/* changes only in batches */
	assert_int_equal(kv_put(kv, "a", b("1"), 1), PERR_STATE);
	assert_int_equal(kv_del(kv, "a"), PERR_STATE);
	assert_int_equal(kv_erase(kv, "a"), PERR_STATE);
	assert_int_equal(kv_commit(kv), PERR_STATE);
	kv_abort(kv);

	/* own changes are seen inside, gone after abort, there after commit */
	put1(kv, "case/2", "two");
	ok(kv_begin(kv));
	assert_int_equal(kv_begin(kv), PERR_STATE);
	assert_int_equal(kv_settle(kv), PERR_STATE);
	ok(kv_put(kv, "case/1", b("one"), 3));
	ok(kv_put(kv, "case/2", b("zwei"), 4));
	ok(kv_put(kv, "empty", NULL, 0));
	ok(kv_del(kv, "nothing-of-that-name"));
	expect(kv, "case/1", "one");
	ok(kv_each(kv, "case/", note, &s));
	assert_string_equal(s.text, "case/1=one;case/2=zwei;");
	kv_abort(kv);
	expect_none(kv, "case/1");
	expect(kv, "case/2", "two");
	s.text[0] = 0;
	ok(kv_each(kv, "", note, &s));
	assert_string_equal(s.text, "case/2=two;");
	ok(kv_begin(kv));
	ok(kv_put(kv, "case/10", b("ten"), 3));
	ok(kv_put(kv, "case/1", b("one"), 3));
	ok(kv_put(kv, "casé", b("x"), 1) == PERR_RANGE ? PERR_OK : PERR_STATE);
	assert_int_equal(kv_commit(kv), PERR_RANGE);
	expect_none(kv, "case/1");

	/* order, prefixes, an end by the callback */
	ok(kv_begin(kv));
	ok(kv_put(kv, "cash", b("no"), 2));
	ok(kv_put(kv, "case/10", b("ten"), 3));
	ok(kv_put(kv, "case/1", b("one"), 3));
	ok(kv_put(kv, "empty", NULL, 0));
	ok(kv_commit(kv));
	s.text[0] = 0;
	ok(kv_each(kv, "case/", note, &s));
	assert_string_equal(s.text, "case/1=one;case/10=ten;case/2=two;");
	s.text[0] = 0;
	ok(kv_each_name(kv, "", note_name, &s));
	assert_string_equal(s.text, "case/1;case/10;case/2;cash;empty;");
	s.text[0] = 0;
	ok(kv_each(kv, "zebra", note, &s));
	ok(kv_each(kv, "case/100", note, &s));
	assert_string_equal(s.text, "");
	s.calls = 0;
	assert_int_equal(kv_each(kv, "case/", stop_at_second, &s), PERR_REFUSED);
	assert_int_equal(s.calls, 2);
	ok(kv_get(kv, "empty", &value, &len));
	assert_non_null(value);
	assert_int_equal(len, 0);
	kv_free(value);

	/* a callback may change what is walked through */
	ok(kv_begin(kv));
	ok(kv_put(kv, "m/1", b("1"), 1));
	ok(kv_put(kv, "m/2", b("2"), 1));
	ok(kv_put(kv, "m/3", b("3"), 1));
	ok(kv_put(kv, "m/4", b("4"), 1));
	ok(kv_commit(kv));
	s.text[0] = 0;
	ok(kv_each(kv, "m/", meddle, &s));
	assert_string_equal(s.text, "m/1=1;m/2=new;m/4=4;");
	s.text[0] = 0;
	ok(kv_each_name(kv, "m/", delete_next, &s));
	assert_string_equal(s.text, "m/1;m/2;m/9;");

	/* erase and settle */
	ok(kv_begin(kv));
	ok(kv_erase(kv, "m/1"));
	ok(kv_erase(kv, "m/none"));
	ok(kv_commit(kv));
	expect_none(kv, "m/1");
	ok(kv_settle(kv));
	ok(kv_settle(kv));
	expect(kv, "m/9", "late");
	expect(kv, "case/10", "ten");
	s.text[0] = 0;
	ok(kv_each_name(kv, "", note_name, &s));
	assert_string_equal(s.text, "case/1;case/10;case/2;cash;empty;m/2;m/9;");

	/* names */
	memset(long_name, 'n', sizeof long_name);
	long_name[KV_NAME_MAX + 1] = 0;
	assert_int_equal(kv_get(kv, long_name, &value, NULL), PERR_RANGE);
	assert_int_equal(kv_get(kv, "", &value, NULL), PERR_RANGE);
	assert_int_equal(kv_get(kv, ".owed", &value, NULL), PERR_RANGE);
	long_name[KV_NAME_MAX] = 0;
	put1(kv, long_name, "long");
	expect(kv, long_name, "long");
	ok(kv_begin(kv));
	assert_int_equal(kv_put(kv, "big", b(""), KV_VALUE_MAX + 1), PERR_RANGE);
	assert_int_equal(kv_commit(kv), PERR_RANGE);
}

#endif
