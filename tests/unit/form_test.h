/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the tests of the forms library share: cmocka, and a form with one of everything. */
#ifndef AMPARO_FORM_TEST_H
#define AMPARO_FORM_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "instance.h"
#include "xform.h"

#define FORM_HEAD \
	"<h:html xmlns='http://www.w3.org/2002/xforms' xmlns:h='http://www.w3.org/1999/xhtml'" \
	" xmlns:jr='http://openrosa.org/javarosa' xmlns:orx='http://openrosa.org/xforms'" \
	" xmlns:odk='http://www.opendatakit.org/xforms'" \
	" xmlns:amparo='" XFORM_NS_AMPARO "'>\n<h:head><h:title>Test</h:title><model>"
/* A form of one language: nodes of <data>, binds and other instances, body. */
#define FORM(data, binds, body) \
	FORM_HEAD "<instance><data id='t' version='1'>" data \
	"<meta><instanceID/></meta></data></instance>" binds \
	"</model></h:head><h:body>" body "</h:body></h:html>"
#define DATA(answers) "<data id='t' version='1'>" answers "</data>"

#define FAMILY_FORM \
	FORM_HEAD \
	"<itext><translation lang='English (en)' default='true()'>" \
	"<text id='/data/name:label'><value>Full name</value></text>" \
	"<text id='/data/taken:label'><value>Day taken</value></text>" \
	"<text id='/data/lang:label'><value>Languages</value></text>" \
	"<text id='l-0'><value>Spanish</value></text><text id='l-1'><value>Mam</value></text>" \
	"<text id='/data/kids:label'><value>Children left alone</value></text>" \
	"<text id='/data/kids/age:label'><value>Age of <output value=' /data/kids/first '/>" \
	"</value></text>" \
	"<text id='/data/kids/first:label'><value>First name</value></text>" \
	"<text id='/data/photo:label'><value>Photograph</value>" \
	"<value form='image'>jr://images/p.png</value></text>" \
	"<text id='/data/town:label'><value>Town</value></text>" \
	"<text id='only-en'><value>Thank you</value></text>" \
	"</translation><translation lang='Español (es)'>" \
	"<text id='/data/name:label'><value>Nombre completo</value></text>" \
	"<text id='/data/taken:label'><value>Día de la detención</value></text>" \
	"<text id='/data/lang:label'><value>Idiomas</value></text>" \
	"<text id='l-0'><value>Español</value></text><text id='l-1'><value>Mam</value></text>" \
	"<text id='/data/kids:label'><value>Niños que quedaron solos</value></text>" \
	"<text id='/data/kids/age:label'><value>Edad de <output value=' /data/kids/first '/>" \
	"</value></text>" \
	"<text id='/data/kids/first:label'><value>Primer nombre</value></text>" \
	"<text id='/data/photo:label'><value>Fotografía</value></text>" \
	"<text id='/data/town:label'><value>Pueblo</value></text>" \
	"</translation></itext>" \
	"<instance><data id='family' version='2026112401'><name/><taken/><lang/><town/>" \
	"<kids jr:template=''><first/><age/></kids><photo/><n_kids/><bye/>" \
	"<meta><instanceID/></meta></data></instance>" \
	"<instance id='towns'><root><item><name>mtn</name><label>Morton</label></item>" \
	"<item><name>can</name><label>Canton</label></item></root></instance>" \
	"<bind nodeset='/data/name' type='string' required='true()' amparo:identity='true()'/>" \
	"<bind nodeset='/data/taken' type='date'/>" \
	"<bind nodeset='/data/kids/age' type='int'/>" \
	"<bind nodeset='/data/photo' type='binary'/>" \
	"<bind nodeset='/data/n_kids' type='int' calculate='count(/data/kids)'/>" \
	"<bind nodeset='/data/bye' readonly='true()'/>" \
	"</model></h:head><h:body>" \
	"<input ref='/data/name'><label ref=\"jr:itext('/data/name:label')\"/></input>" \
	"<input ref='/data/taken'><label ref=\"jr:itext('/data/taken:label')\"/></input>" \
	"<select ref='/data/lang'><label ref=\"jr:itext('/data/lang:label')\"/>" \
	"<item><label ref=\"jr:itext('l-0')\"/><value>es</value></item>" \
	"<item><label ref=\"jr:itext('l-1')\"/><value>mam</value></item></select>" \
	"<select1 ref='/data/town'><label ref=\"jr:itext('/data/town:label')\"/>" \
	"<itemset nodeset=\"instance('towns')/root/item\"><value ref='name'/><label ref='label'/>" \
	"</itemset></select1>" \
	"<group ref='/data/kids'><label ref=\"jr:itext('/data/kids:label')\"/>" \
	"<repeat nodeset='/data/kids'>" \
	"<input ref='/data/kids/first'><label ref=\"jr:itext('/data/kids/first:label')\"/></input>" \
	"<input ref='/data/kids/age'><label ref=\"jr:itext('/data/kids/age:label')\"/></input>" \
	"</repeat></group>" \
	"<upload ref='/data/photo' mediatype='image/*'>" \
	"<label ref=\"jr:itext('/data/photo:label')\"/></upload>" \
	"<input ref='/data/bye'><label ref=\"jr:itext('only-en')\"/></input>" \
	"</h:body></h:html>"

#define FAMILY_DATA \
	"<data id='family' version='2026112401'><name> Ana Q\xca\xbc" "anil </name>" \
	"<taken>2026-11-24</taken><lang>es mam</lang><town>can</town>" \
	"<kids><first>Luz</first><age>7</age></kids><kids><first>Juan</first><age>2</age></kids>" \
	"<photo>id.jpg</photo><n_kids>2</n_kids>" \
	"<meta><instanceID>uuid:1</instanceID></meta></data>"

static inline struct xform *form_of(const char *xml)
{
	char why[XFORM_WHY_SIZE];
	struct xform *f;

	if (xform_parse(&f, (const uint8_t *)xml, strlen(xml), why) != PERR_OK)
		fail_msg("form refused: %s", why);
	return f;
}

/* The form is refused with a sentence that holds part. */
static inline void form_refused(const char *xml, const char *part)
{
	char why[XFORM_WHY_SIZE];
	struct xform *f;

	assert_int_not_equal(xform_parse(&f, (const uint8_t *)xml, strlen(xml), why), PERR_OK);
	assert_null(f);
	if (strstr(why, part) == NULL)
		fail_msg("expected \"%s\" in: %s", part, why);
	assert_int_equal(why[strlen(why) - 1], '.');
}

static inline struct instance *instance_of(const struct xform *f, const char *xml)
{
	char why[INSTANCE_WHY_SIZE];
	struct instance *in;

	if (instance_parse(&in, f, (const uint8_t *)xml, strlen(xml), why) != PERR_OK)
		fail_msg("instance refused: %s", why);
	return in;
}

/* 24 November 2026, 09:30 in Guatemala */
static const struct fclock noon __attribute__((unused)) = {1795534200000, -360};

/*
 * All faults of an instance, one a line; the caller frees it.
 */
static inline char *faults_of(const char *form, const char *xml, enum instance_level level)
{
	struct xform *f = form_of(form);
	struct instance *in = instance_of(f, xml);
	struct faults *l = faults_new();
	char *all = calloc(1, 1);
	size_t i;

	assert_int_equal(instance_check(in, level, NULL, &noon, l), PERR_OK);
	for (i = 0; i < faults_count(l); i++) {
		const char *text = faults_at(l, i)->text;

		all = realloc(all, strlen(all) + strlen(text) + 2);
		strcat(all, text);
		strcat(all, "\n");
	}
	faults_free(l);
	instance_free(in);
	xform_free(f);
	return all;
}

/* part NULL: no fault at all; else exactly one, whose sentence holds part. */
static inline void check_faults(const char *form, const char *xml, enum instance_level level,
                                const char *part)
{
	char *all = faults_of(form, xml, level), *line = strchr(all, '\n');

	if (part == NULL ? all[0] != '\0'
	    : strstr(all, part) == NULL || line == NULL || line[1] != '\0')
		fail_msg("expected %s, have: %s", part == NULL ? "no fault" : part, all);
	free(all);
}

#endif
