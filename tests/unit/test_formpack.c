/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "formpack.h"

#include "bulletin.h"
#include "docs_vec.h"
#include "xform.h"

static const char form_xml[] =
	"<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\">"
	"<h:head><h:title>t</h:title><model><instance><data id=\"t\" version=\"1\"><town/></data>"
	"</instance><instance id=\"towns\" src=\"jr://file-csv/towns.csv\"/>"
	"<bind nodeset=\"/data/town\" type=\"string\"/></model></h:head><h:body>"
	"<select1 ref=\"/data/town\"><label>Town</label><itemset nodeset=\"instance('towns')/root/item\">"
	"<value ref=\"name\"/><label ref=\"label\"/></itemset></select1></h:body></h:html>";
static const char towns[] = "name,label\nmor,Morton\nfor,Forest\n";

static struct formpack small(void)
{
	struct formpack p = { .xml = (const uint8_t *)"<form/>", .xml_len = 7, .n_files = 2 };

	strcpy(p.files[0].name, "towns.csv");
	p.files[0].bytes = (const uint8_t *)"name\n";
	p.files[0].len = 5;
	strcpy(p.files[1].name, "shelters.xml");
	p.files[1].bytes = (const uint8_t *)"<root/>";
	p.files[1].len = 7;
	return p;
}

static struct formpack real(void)
{
	struct formpack p = { .xml = (const uint8_t *)form_xml, .xml_len = sizeof form_xml - 1,
	                      .n_files = 1 };

	strcpy(p.files[0].name, "towns.csv");
	p.files[0].bytes = (const uint8_t *)towns;
	p.files[0].len = sizeof towns - 1;
	return p;
}

static uint8_t *encoded(struct formpack *p, size_t *len)
{
	uint8_t *out;

	assert_int_equal(formpack_encode(&out, len, p), PERR_OK);
	return out;
}

static void a_form_without_files_is_its_xml(void **state)
{
	struct formpack p = { .xml = (const uint8_t *)"<form/>", .xml_len = 7 }, back;
	size_t len;
	uint8_t *out = encoded(&p, &len);

	assert_int_equal(len, 7);
	assert_memory_equal(out, "<form/>", 7);
	assert_int_equal(formpack_decode(&back, out, len), PERR_OK);
	assert_int_equal(back.n_files, 0);
	assert_ptr_equal(back.xml, out);
	doc_free(out, len);
}

static void files_come_back_sorted_and_byte_for_byte(void **state)
{
	struct formpack p = small(), back;
	size_t len;
	uint8_t *out = encoded(&p, &len);

	assert_int_equal(out[0], FORMPACK_MARK);
	assert_int_equal(formpack_decode(&back, out, len), PERR_OK);
	assert_int_equal(back.n_files, 2);
	assert_string_equal(back.files[0].name, "shelters.xml");
	assert_string_equal(back.files[1].name, "towns.csv");
	assert_int_equal(back.files[1].len, 5);
	assert_memory_equal(back.files[1].bytes, "name\n", 5);
	doc_free(out, len);
}

static void every_shorter_or_longer_document_is_refused(void **state)
{
	struct formpack p = small(), back;
	size_t len;
	uint8_t *out = encoded(&p, &len), *more = malloc(len + 1);

	assert_non_null(more);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(formpack_decode(&back, out, n), PERR_FORMAT);
	memcpy(more, out, len);
	more[len] = 0xc0;
	assert_int_equal(formpack_decode(&back, more, len + 1), PERR_FORMAT);
	free(more);
	doc_free(out, len);
}

static void what_decodes_has_one_encoding(void **state)
{
	struct formpack p = small(), back;
	unsigned taken = 0;
	size_t len, again_len;
	uint8_t *out = encoded(&p, &len), *again;

	for (size_t bit = 0; bit < len * 8; bit++) {
		out[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (formpack_decode(&back, out, len) == PERR_OK) {
			assert_int_equal(formpack_encode(&again, &again_len, &back), PERR_OK);
			assert_int_equal(again_len, len);
			assert_memory_equal(again, out, len);
			doc_free(again, again_len);
			taken++;
		}
		out[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	/* flips inside names and contents are other names and contents */
	assert_in_range(taken, 100, len * 8);
	doc_free(out, len);
}

static void bytes(const char *hex, enum perr want)
{
	uint8_t in[200];
	size_t len;
	struct formpack p;

	assert_int_equal(sodium_hex2bin(in, sizeof in, hex, strlen(hex), " ", &len, NULL), 0);
	assert_int_equal(formpack_decode(&p, in, len), want);
}

static void what_is_not_by_the_table_is_refused(void **state)
{
	/* the control: this one is by the table */
	bytes("93 01 c4013c 91 92a161c40162", PERR_OK);
	bytes("93 02 c4013c 91 92a161c40162", PERR_FORMAT);     /* version */
	bytes("93 00 c4013c 91 92a161c40162", PERR_FORMAT);
	bytes("93 cc01 c4013c 91 92a161c40162", PERR_FORMAT);   /* not the shortest form */
	bytes("93 01 c50001 3c 91 92a161c40162", PERR_FORMAT);
	bytes("93 01 a13c 91 92a161c40162", PERR_FORMAT);       /* str for bin */
	bytes("93 01 c400 91 92a161c40162", PERR_FORMAT);       /* empty form */
	bytes("93 01 c4013c 90", PERR_FORMAT);                  /* no file: then it is bare XML */
	bytes("93 01 c4013c 91 92a161c400", PERR_FORMAT);       /* empty file */
	bytes("93 01 c4013c 91 92a0c40162", PERR_FORMAT);       /* empty name */
	bytes("93 01 c4013c 91 92a22f61c40162", PERR_FORMAT);   /* "/a" */
	bytes("93 01 c4013c 91 92a22e61c40162", PERR_FORMAT);   /* ".a" */
	bytes("93 01 c4013c 91 92a2610ac40162", PERR_FORMAT);   /* a line end */
	bytes("93 01 c4013c 92 92a161c40162 92a161c40163", PERR_FORMAT); /* twice */
	bytes("93 01 c4013c 92 92a162c40162 92a161c40163", PERR_FORMAT); /* unsorted */
	bytes("93 01 c4013c 91 93a161c40162c0", PERR_FORMAT);
	bytes("93 01 c4013c dd10000000", PERR_FORMAT);          /* lies about a count */
	bytes("93 01 c6ffffffff3c", PERR_FORMAT);               /* and about a length */
}

static void seventeen_files_are_refused(void **state)
{
	struct formpack p = { .xml = (const uint8_t *)"<", .xml_len = 1,
	                      .n_files = FORMPACK_FILES_MAX }, back;
	size_t len;
	uint8_t *out, more[200];

	for (int i = 0; i < FORMPACK_FILES_MAX; i++) {
		p.files[i].name[0] = (char)('a' + i);
		p.files[i].bytes = p.xml;
		p.files[i].len = 1;
	}
	out = encoded(&p, &len);
	assert_int_equal(formpack_decode(&back, out, len), PERR_OK);
	/* [1, "<", 16 files] with a seventeenth: the array's head is dc 0010, then dc 0011 */
	assert_int_equal(out[5], 0xdc);
	memcpy(more, out, len);
	more[7] = 17;
	memcpy(more + len, "\x92\xa1z\xc4\x01<", 6);
	assert_int_equal(formpack_decode(&back, more, len + 6), PERR_FORMAT);
	doc_free(out, len);
	p.n_files++;
	assert_int_equal(formpack_encode(&out, &len, &p), PERR_RANGE);
}

static void what_does_not_fit_a_part_is_not_packed(void **state)
{
	struct formpack p = real(), back;
	size_t len, room = BULLETIN_CONTENT_MAX - (sizeof form_xml - 1) - 32;
	uint8_t *big = malloc(BULLETIN_CONTENT_MAX + 1), *out;

	assert_non_null(big);
	memset(big, 'a', BULLETIN_CONTENT_MAX + 1);
	p.files[0].bytes = big;
	for (p.files[0].len = room; formpack_encode(&out, &len, &p) == PERR_OK; p.files[0].len++) {
		assert_in_range(len, BULLETIN_CONTENT_MAX - 32, BULLETIN_CONTENT_MAX);
		assert_int_equal(formpack_decode(&back, out, len), PERR_OK);
		doc_free(out, len);
	}
	assert_null(out);
	/* the last one filled the part to its last byte */
	p.files[0].len--;
	out = encoded(&p, &len);
	assert_int_equal(len, BULLETIN_CONTENT_MAX);
	doc_free(out, len);
	p = (struct formpack){ .xml = big, .xml_len = BULLETIN_CONTENT_MAX + 1 };
	assert_int_equal(formpack_encode(&out, &len, &p), PERR_RANGE);
	free(big);
}

static void a_form_comes_with_its_files_supplied(void **state)
{
	struct formpack p = real(), back;
	char why[XFORM_WHY_SIZE];
	struct xform *f;
	size_t len;
	uint8_t *out = encoded(&p, &len);

	assert_int_equal(formpack_form(&f, out, len, why), PERR_OK);
	assert_int_equal(formpack_decode(&back, out, len), PERR_OK);
	assert_null(formpack_missing(f, &back));
	/* supplied already */
	assert_int_equal(xform_supply(f, "towns.csv", (const uint8_t *)towns, sizeof towns - 1, why),
	                 PERR_EXISTS);
	xform_free(f);
	doc_free(out, len);
	/* the control: without the file the form is there, and its choices are not */
	p.n_files = 0;
	out = encoded(&p, &len);
	assert_int_equal(formpack_form(&f, out, len, why), PERR_OK);
	assert_string_equal(formpack_missing(f, &p), "towns.csv");
	xform_free(f);
	doc_free(out, len);
}

static void a_file_that_is_wrong_is_named(void **state)
{
	struct formpack p = real();
	char why[XFORM_WHY_SIZE];
	struct xform *f;
	size_t len;
	uint8_t *out;

	strcpy(p.files[0].name, "other.csv");
	out = encoded(&p, &len);
	assert_int_equal(formpack_form(&f, out, len, why), PERR_UNKNOWN);
	assert_null(f);
	assert_non_null(strstr(why, "other.csv"));
	doc_free(out, len);
	p = real();
	p.files[0].bytes = (const uint8_t *)"name,label\n\"mor";
	p.files[0].len = 15;
	out = encoded(&p, &len);
	assert_int_equal(formpack_form(&f, out, len, why), PERR_FORMAT);
	assert_null(f);
	assert_non_null(strstr(why, "towns.csv: "));
	doc_free(out, len);
}

static void vectors(void)
{
	static const char map[] = "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"id\":\"mor\","
		"\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[1,2],[3.5,4,5]]]},\"properties\":{\"name\":\"mor\","
		"\"label\":\"Mor\\u00f3n \\\"x\\\"\",\"n\":[1,{\"a\":null}]}}]}";
	char map_xml[sizeof form_xml];
	struct formpack p = small(), full = real();
	size_t len;
	uint8_t *out = encoded(&p, &len);

	vec_note("the form <form/> with the files shelters.xml (<root/>) and towns.csv (name, line end)");
	vec("formpack", out, len);
	doc_free(out, len);
	out = encoded(&full, &len);
	kit_corpus("formpack", "towns", out, len);
	doc_free(out, len);
	kit_corpus("formpack", "bare", (const uint8_t *)form_xml, sizeof form_xml - 1);
	strcpy(full.files[0].name, "other.csv");
	out = encoded(&full, &len);
	kit_corpus("formpack", "other-file", out, len);
	doc_free(out, len);
	out = encoded(&p, &len);
	kit_corpus("formpack", "two-files", out, len);
	doc_free(out, len);
	/* the same form with its towns as places on a map */
	p = real();
	strcpy(map_xml, form_xml);
	memcpy(strstr(map_xml, "jr://file-csv/towns.csv"), "jr://file/towns.geojson", 23);
	p.xml = (const uint8_t *)map_xml;
	strcpy(p.files[0].name, "towns.geojson");
	p.files[0].bytes = (const uint8_t *)map;
	p.files[0].len = sizeof map - 1;
	out = encoded(&p, &len);
	kit_corpus("formpack", "map", out, len);
	doc_free(out, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_layout_has_its_vector),
		cmocka_unit_test(a_form_without_files_is_its_xml),
		cmocka_unit_test(files_come_back_sorted_and_byte_for_byte),
		cmocka_unit_test(every_shorter_or_longer_document_is_refused),
		cmocka_unit_test(what_decodes_has_one_encoding),
		cmocka_unit_test(what_is_not_by_the_table_is_refused),
		cmocka_unit_test(seventeen_files_are_refused),
		cmocka_unit_test(what_does_not_fit_a_part_is_not_packed),
		cmocka_unit_test(a_form_comes_with_its_files_supplied),
		cmocka_unit_test(a_file_that_is_wrong_is_named),
	};

	if (kit_written(argc, argv, "formpack"))
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
