/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "form_test.h"
#include "farena.h"
#include "ftree.h"

static const struct ftree_limits limits = {1 << 20, 1000, 20, true};

static enum perr parse(const char *xml, size_t len, char why[FTREE_WHY])
{
	struct farena *a = farena_new(1 << 20);
	struct fnode *root;
	enum perr err = ftree_parse(&root, a, (const uint8_t *)xml, len, &limits, why);

	assert_true((err == PERR_OK) == (root != NULL));
	assert_true((err == PERR_OK) == (why[0] == '\0'));
	farena_free(a);
	return err;
}

static void refused(const char *xml, enum perr err, const char *part)
{
	char why[FTREE_WHY];

	assert_int_equal(parse(xml, strlen(xml), why), err);
	if (strstr(why, part) == NULL)
		fail_msg("expected \"%s\" in: %s", part, why);
	assert_int_equal(why[strlen(why) - 1], '.');
}

static void ftree_keeps_text_elements_and_attributes(void **state)
{
	static const char xml[] = "<a xmlns:x='urn:x' x:k='1&amp;2'>one<b/> <c>t&#xe9;</c>\n\t<c/></a>";
	struct farena *a = farena_new(1 << 20);
	char why[FTREE_WHY];
	struct fnode *root;

	assert_int_equal(ftree_parse(&root, a, (const uint8_t *)xml, sizeof xml - 1, &limits, why),
	                 PERR_OK);
	assert_string_equal(ftree_attr(root, "urn:x", "k"), "1&2");
	assert_null(ftree_attr(root, "", "k"));
	assert_string_equal(root->first->text, "one");
	assert_null(root->first->name);
	assert_string_equal(ftree_child(root, "c")->text, "té");
	assert_string_equal(ftree_child(root, "b")->next->text, " ");
	assert_null(ftree_next(ftree_next(ftree_child(root, "c"), "c"), "c"));
	/* Indentation between the two c is no text. */
	assert_ptr_equal(ftree_child(root, "c")->next, root->last);
	farena_free(a);
}

static void ftree_refuses_doctypes_and_entities(void **state)
{
	refused("<!DOCTYPE a><a/>", PERR_FORMAT, "DOCTYPE");
	refused("<!DOCTYPE a [<!ENTITY l 'lol'><!ENTITY m '&l;&l;&l;&l;'>]><a>&m;</a>", PERR_FORMAT,
	        "DOCTYPE");
	refused("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", PERR_FORMAT, "DOCTYPE");
	refused("<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1/x'> %p;]><a/>", PERR_FORMAT,
	        "DOCTYPE");
	refused("<a>&unknown;</a>", PERR_FORMAT, ".");
	refused("<a b='&unknown;'/>", PERR_FORMAT, ".");
}

static void ftree_refuses_what_is_too_deep_or_too_much(void **state)
{
	char *xml = calloc(1, 2 << 20), why[FTREE_WHY];
	size_t i;

	for (i = 0; i < 300; i++)
		strcat(xml, "<a>");
	refused(xml, PERR_LIMIT, "deep");
	strcpy(xml, "<a>");
	for (i = 0; i < 1100; i++)
		strcat(xml, "<b/>");
	strcat(xml, "</a>");
	refused(xml, PERR_LIMIT, "too many");
	memset(xml, ' ', (1 << 20) + 1);
	assert_int_equal(parse(xml, (1 << 20) + 1, why), PERR_LIMIT);
	/* The arena's limit holds although the document is within the others. */
	memset(xml, 'x', 1 << 20);
	memcpy(xml, "<a>", 3);
	memcpy(xml + (1 << 20) - 4, "</a>", 4);
	assert_int_equal(parse(xml, 1 << 20, why), PERR_LIMIT);
	free(xml);
	assert_int_equal(parse("", 0, why), PERR_FORMAT);
}

static void ftree_refuses_every_truncation(void **state)
{
	char why[FTREE_WHY];
	size_t i;

	for (i = 0; i < strlen(FAMILY_DATA); i++)
		assert_int_equal(parse(FAMILY_DATA, i, why), PERR_FORMAT);
	assert_int_equal(parse(FAMILY_DATA, strlen(FAMILY_DATA), why), PERR_OK);
	refused("<a></b>", PERR_FORMAT, "well-formed");
	refused("<a/><a/>", PERR_FORMAT, "well-formed");
	refused("<a><x:b/></a>", PERR_FORMAT, "well-formed");
	refused("<a>\xff\xfe</a>", PERR_FORMAT, "well-formed");
}

static void ftree_reads_utf16(void **state)
{
	static const char xml[] = "\xff\xfe<\0a\0>\0\xe9\0<\0/\0a\0>";
	struct farena *a = farena_new(1 << 20);
	char why[FTREE_WHY];
	struct fnode *root;

	assert_int_equal(ftree_parse(&root, a, (const uint8_t *)xml, sizeof xml, &limits, why),
	                 PERR_OK);
	assert_string_equal(root->text, "é");
	farena_free(a);
}

static void ftree_text_can_be_replaced(void **state)
{
	struct farena *a = farena_new(1 << 20);
	struct fnode *n = ftree_new(a, "", "n");

	assert_int_equal(ftree_set_text(a, n, "long answer", 11), 0);
	assert_int_equal(ftree_set_text(a, n, "no", 2), 0);
	assert_string_equal(n->text, "no");
	assert_memory_equal(n->text + 3, "\0\0\0\0\0\0\0\0", 8);
	assert_int_equal(ftree_set_text(a, n, "", 0), 0);
	assert_string_equal(n->text, "");
	farena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ftree_keeps_text_elements_and_attributes),
		cmocka_unit_test(ftree_refuses_doctypes_and_entities),
		cmocka_unit_test(ftree_refuses_what_is_too_deep_or_too_much),
		cmocka_unit_test(ftree_refuses_every_truncation),
		cmocka_unit_test(ftree_reads_utf16),
		cmocka_unit_test(ftree_text_can_be_replaced),
	};

	return cmocka_run_group_tests_name("form_tree", tests, NULL, NULL);
}
