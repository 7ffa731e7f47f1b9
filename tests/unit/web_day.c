/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "web_day.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrol.h"
#include "join.h"
#include "kv_mem.h"
#include "../../client/org.h"        /* tests/unit has an org.h of its own */
#include "words.h"

static int64_t day_now(void *ctx)
{
	return ((struct fixture *)ctx)->now;
}

/* ---- the large form ------------------------------------------------------------------------ */

struct text {
	char *p;
	size_t len, size;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->p + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	assert_true(t->len < t->size);
}

char *day_form(size_t *len)
{
	static const char *const types[] = { "string", "int", "string", "date", "boolean" };
	struct text t = { .p = malloc(1 << 18), .size = 1 << 18 };

	assert_non_null(t.p);
	add(&t, "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\" "
	    "xmlns:jr=\"http://openrosa.org/javarosa\" xmlns:amparo=\"urn:amparo:forms:1\"><h:head><h:title>Large</h:title><model><itext>");
	for (int es = 0; es < 2; es++) {
		add(&t, "<translation lang=\"%s\"%s>", es ? "es" : "en", es ? "" : " default=\"true()\"");
		for (int i = 1; i <= BIG; i++)
			add(&t, "<text id=\"q%d\"><value>%s %d</value></text>", i, es ? "Pregunta" : "Question",
			    i);
		add(&t, "<text id=\"kid\"><value>%s</value></text><text id=\"few\"><value>%s</value></text>"
		    "<text id=\"yes\"><value>%s</value></text><text id=\"no\"><value>No</value></text>"
		    "</translation>", es ? "Hijos" : "Children", es ? "Muy grande." : "Too many.",
		    es ? "Sí" : "Yes");
	}
	add(&t, "</itext><instance><data id=\"large\" version=\"1\">");
	for (int i = 1; i <= BIG; i++)
		if (i != 6)
			add(&t, "<q%d/>", i);
	add(&t, "<kid jr:template=\"\"><q6/></kid><meta><instanceID/></meta></data></instance>");
	for (int i = 1; i <= BIG; i++)
		if (i == 6)
			add(&t, "<bind nodeset=\"/data/kid/q6\" type=\"binary\"/>");
		else
			add(&t, "<bind nodeset=\"/data/q%d\" type=\"%s\"%s%s/>", i,
			    i == 5 ? "binary" : types[i % 5],
			    i == 1 ? " constraint=\". &lt; 1000\" jr:constraintMsg=\"jr:itext('few')\"" : "",
			    i == 3 ? " required=\"true()\"" : i == 10 ? " amparo:urgent=\". = 'grave'\"" : i == BIG ? " relevant=\"/data/q2 = 'yes'\"" : "");
	add(&t, "<bind nodeset=\"/data/meta/instanceID\" type=\"string\" jr:preload=\"uid\"/></model></h:head>"
	    "<h:body>");
	for (int i = 1; i <= BIG; i++) {
		if (i == 6)
			add(&t, "<group ref=\"/data/kid\"><label ref=\"jr:itext('kid')\"/><repeat "
			    "nodeset=\"/data/kid\"><upload ref=\"/data/kid/q6\" mediatype=\"image/*\"><label "
			    "ref=\"jr:itext('q6')\"/></upload></repeat></group>");
		else if (i == 5)
			add(&t, "<upload ref=\"/data/q5\" mediatype=\"image/*\"><label "
			    "ref=\"jr:itext('q5')\"/></upload>");
		else if (i % 5 == 2)
			add(&t, "<select1 ref=\"/data/q%d\"><label ref=\"jr:itext('q%d')\"/><item><label "
			    "ref=\"jr:itext('yes')\"/><value>yes</value></item><item><label "
			    "ref=\"jr:itext('no')\"/><value>no</value></item></select1>", i, i);
		else
			add(&t, "<input ref=\"/data/q%d\"><label ref=\"jr:itext('q%d')\"/></input>", i, i);
	}
	add(&t, "</h:body></h:html>");
	*len = t.len;
	return t.p;
}

/* ---- pictures ------------------------------------------------------------------------------- */

size_t day_jpeg(uint8_t *out, size_t size, unsigned seed, unsigned turn)
{
	static const uint8_t head[] = { 0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0,
	                                1, 0, 1, 0, 0 };
	uint8_t exif[] = { 0xff, 0xe1, 0, 62, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', '*', 0, 8, 0, 0, 0, 2, 0,
	                   0x12, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	                   0x0f, 1, 2, 0, 8, 0, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0,
	                   'G', 'P', 'S', '1', '5', 'N', '9', '1', 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t more[] = { 0xff, 0xfe, 0, 10, 'c', 'a', 'm', 'e', 'r', 'a', '7', '7',
	                                0xff, 0xdb, 0, 3, 1, 0xff, 0xda, 0, 3, 1 };
	size_t n = 0;

	exif[28] = (uint8_t)turn;
	memcpy(out, head, sizeof head);
	n += sizeof head;
	memcpy(out + n, exif, sizeof exif);
	n += sizeof exif;
	memcpy(out + n, more, sizeof more);
	n += sizeof more;
	for (; n < size - 2; n++) {
		seed = seed * 1103515245 + 12345;
		out[n] = (uint8_t)(seed >> 16) == 0xff ? 0 : (uint8_t)(seed >> 16);
	}
	out[n++] = 0xff;
	out[n++] = 0xd9;
	return n;
}

/* ---- the day's beginning ------------------------------------------------------------------------ */

static enum perr copy_batch(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct kv *kv = arg;

	OK(kv_begin(kv));
	OK(kv_put(kv, name, value, len));
	return kv_commit(kv);
}

/* its rows are written with the next call */
void day_bring(struct day *d, bool own_slot)
{
	d->f->p[ME].c = d->k.w->c;
	d->f->p[ME].kv = d->k.w->kv;
	fixture_adopt(d->f, ME, own_slot);
	OK(kv_each(fix(d->f, FIX_ADMIN)->kv, "form/", copy_batch, d->k.w->kv));
	OK(kv_each(fix(d->f, FIX_VOLUNTEER0)->kv, "batch/", copy_batch, d->k.w->kv));
	d->f->p[ME].c = NULL;
	d->f->p[ME].kv = NULL;
	kit_call(&d->k, "me", "");
}

struct day *day_new(void)
{
	struct day *d = calloc(1, sizeof *d);
	size_t len;
	char *form;

	assert_non_null(d);
	d->f = fixture_new();
	client_free(d->f->p[ME].c);
	kv_mem_free(d->f->p[ME].kv);
	d->f->p[ME].c = NULL;
	d->f->p[ME].kv = NULL;
	form = day_form(&len);
	OK(org_form_publish(fix(d->f, FIX_ADMIN), "large", "1", "Large", d->f->desk, (uint8_t *)form, len));
	free(form);
	fixture_publish(d->f);
	OK(org_invite(fix(d->f, FIX_ADMIN), ROLE_VOLUNTEER, 1, d->f->desk, NULL, &d->inv));
	OK(invite_encode(d->text, &d->inv));
	d->env = (struct client_env){ .rng = rng_system(), .now = day_now, .ctx = d->f };
	kit_open(&d->k, &d->env);
	return d;
}

void day_free(struct day *d)
{
	invite_wipe(&d->inv);
	kit_close(&d->k);
	kit_store_clear(&d->k.store);
	fixture_free(d->f);
	free(d);
}

void day_confirm(struct day *d)
{
	struct client *c = d->k.w->c;
	uint16_t words[JOIN_WORDS];
	uint8_t *raw;
	size_t len;
	struct join j;

	OK(enrol_answer(c));            /* what a sync does */
	kit_call(&d->k, "me", "");
	assert_int_equal(kit_count(&d->k, "words"), JOIN_WORDS);
	OK(kv_get(c->kv, "join/mine", &raw, &len));
	OK(join_open(&j, words, raw, len));
	kv_free(raw);
	/* the words for the phone are those that the administrator's device shows */
	for (unsigned i = 0; i < JOIN_WORDS; i++) {
		char path[16];

		snprintf(path, sizeof path, "words.%u", i);
		assert_string_equal(kit_str(&d->k, path), words_get(words[i]));
	}
	OK(org_confirm(fix(d->f, FIX_ADMIN), &j, NULL));
	join_wipe(&j);
}

void day_join(struct day *d)
{
	static const char *const languages[] = { "es", "mam", NULL };
	char link[400];

	snprintf(link, sizeof link, "https://ayuda.example.org/amparo.html#%s\n", d->text);
	kit_call(&d->k, "join", "text:s name:s languages:l", link, "Rosa Ixcoy", languages);
	kit_call(&d->k, "me", "");
	assert_string_equal(kit_str(&d->k, "state"), "joining");
	assert_int_equal(kit_count(&d->k, "words"), 0);
	assert_int_equal(kit_uint(&d->k, "roster"), 0);
	day_bring(d, false);
	day_confirm(d);
	day_bring(d, true);
	assert_string_equal(kit_str(&d->k, "state"), "member");
	assert_string_equal(kit_str(&d->k, "role"), "volunteer");
	assert_int_equal(kit_count(&d->k, "words"), 0);
}

struct day *day_joined(void)
{
	struct day *d = day_new();

	kit_call(&d->k, "vault_create", "kiosk:b", 1);
	day_join(d);
	return d;
}
