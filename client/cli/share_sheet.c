/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "share_sheet.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "sheet.h"
#include "words.h"

#define COLUMNS  4
#define HTML_MAX 131072         /* a sheet takes about 20 KB */

/* ink on Letter and on A4: no size is set, and less than the smaller of both is used */
static const char style[] =
	"@page{margin:14mm}\n"
	"body{font:10.5pt/1.35 Georgia,serif;margin:0;color:#111;background:#fff;max-width:180mm}\n"
	"h1{font-size:17pt;margin:0 0 1mm}h2{font-size:11pt;margin:3mm 0 0}\n"
	"p,ul{margin:1mm 0}ul{padding-left:6mm}\n"
	".for{border:1px solid #111;padding:2mm 3mm;margin:2mm 0}\n"
	".key{display:grid;grid-template-columns:1fr 48mm;gap:5mm;margin:3mm 0;break-inside:avoid}\n"
	".key svg{width:48mm;height:48mm;display:block}\n"
	"table{border-collapse:collapse;font:12pt/1.5 monospace;width:100%}\n"
	"th{font:9pt sans-serif;color:#444;text-align:right;padding-right:3mm;width:12mm}\n"
	"td{padding-right:3mm}tr{border-bottom:1px dotted #999}\n"
	".list{font:10.5pt/1.6 Georgia,serif}.list td,.list th{text-align:left;width:auto}\n"
	".es{color:#222}\n";

static void begin(FILE *f, const char *title)
{
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", f);
	sheet_text(f, title);
	fprintf(f, "</title>\n<style>\n%s</style></head><body>\n", style);
}

static enum perr put_words(FILE *f, const struct paper_share *s)
{
	uint16_t words[PAPER_WORDS];
	enum perr err = paper_share_words(words, s);

	fputs("<table>\n", f);
	for (unsigned i = 0; err == PERR_OK && i < PAPER_WORDS; i++) {
		if (i % COLUMNS == 0)
			fprintf(f, "<tr><th>%u</th>", i + 1);
		fprintf(f, "<td>%s</td>", words_get(words[i]));
		if (i % COLUMNS == COLUMNS - 1)
			fputs("</tr>\n", f);
	}
	fputs("</table>\n", f);
	sodium_memzero(words, sizeof words);
	return err;
}

static void put_explanation(FILE *f, const struct share_set *set)
{
	char year[16];

	cli_day(year, set->day + 365);
	fprintf(f, "<div lang=\"en\"><h2>What this is</h2>\n<p>One of %u parts of a key that opens "
	        "the case records of <b>", set->of);
	sheet_text(f, set->organisation);
	fprintf(f, "</b> if all its devices are lost. Any %u of the %u sheets together open them; "
	        "fewer say nothing at all. It is replaced every year, by %s.</p>\n", set->need,
	        set->of, year);
	fputs("<h2>When you are asked for it</h2>\n<ul><li>Only somebody of this organisation whom "
	      "you know asks, in person or by a voice you know. If anybody else asks, say no, "
	      "and call the organisation.</li>\n<li>Bring this sheet and type its words yourself, "
	      "or hold its code before the scanner. Nobody else needs to see them.</li>\n"
	      "<li>Now and then it is only tried out. After a real recovery, and when you get a "
	      "newer sheet, burn or shred this one.</li></ul>\n<h2>Never</h2>\n<ul><li>photograph, "
	      "copy, scan or type it into anything else; read it out on a telephone</li>\n"
	      "<li>keep two sheets in one place, or with a device of that organisation</li>\n"
	      "<li>tell who else has one</li></ul></div>\n", f);
	fprintf(f, "<div class=\"es\" lang=\"es\"><h2>Qué es esto</h2>\n<p>Una de %u partes de una "
	        "clave que abre los registros de esta organización si se pierden todos sus "
	        "dispositivos. Hacen falta %u hojas; menos no dicen nada. <b>Nunca</b> la fotografíe, "
	        "copie ni dicte por teléfono; nunca guarde dos juntas. Solo se la pedirá alguien a "
	        "quien usted conoce: traiga la hoja y escriba usted mismo las palabras. Cuando reciba "
	        "una hoja más nueva, destruya esta.</p></div>\n", set->of, set->need);
}

/* a buffer that never moves: one that grows leaves copies of a share behind, and so does stdio */
static FILE *open_buffer(char **html)
{
	FILE *f = NULL;

	*html = calloc(1, HTML_MAX);
	if (*html != NULL)
		f = fmemopen(*html, HTML_MAX, "w");
	if (f == NULL) {
		free(*html);
		*html = NULL;
		return NULL;
	}
	setvbuf(f, NULL, _IONBF, 0);
	return f;
}

static enum perr end(FILE *f, char **html, size_t *len, enum perr err)
{
	long at = ftell(f);

	if (ferror(f) || at < 0 || at >= HTML_MAX)
		err = err == PERR_OK ? PERR_RANGE : err;
	fclose(f);
	*len = err == PERR_OK ? (size_t)at : 0;
	if (err != PERR_OK) {
		sodium_memzero(*html, HTML_MAX);
		free(*html);
		*html = NULL;
	}
	return err;
}

enum perr share_sheet(char **html, size_t *len, const struct share_set *set,
                      const struct paper_share *s)
{
	const struct share_trustee *t = &set->trustees[s->index - 1];
	char text[PAPER_TEXT_SIZE], day[16];
	FILE *f;
	enum perr err;

	f = open_buffer(html);
	if (f == NULL)
		return PERR_NOMEM;
	cli_day(day, set->day);
	begin(f, "Recovery share");
	fprintf(f, "<h1>Recovery share %u of %u</h1>\n<p><b>", s->index, set->of);
	sheet_text(f, set->organisation);
	fputs("</b>, desk ", f);
	sheet_text(f, set->desk);
	fprintf(f, ". Made on %s.</p>\n<p class=\"for\">For <b>", day);
	sheet_text(f, t->name);
	fputs("</b>, ", f);
	sheet_text(f, t->organisation);
	fputs("</p>\n<div class=\"key\"><div>", f);
	err = put_words(f, s);
	fputs("</div><div>", f);
	if (err == PERR_OK)
		err = paper_share_text(text, s);
	if (err == PERR_OK)
		err = sheet_qr(f, text);
	fputs("</div></div>\n", f);
	put_explanation(f, set);
	fputs("</body></html>\n", f);
	sodium_memzero(text, sizeof text);
	return end(f, html, len, err);
}

enum perr share_list(char **html, size_t *len, const struct share_set *set)
{
	char day[16], year[16];
	FILE *f;

	f = open_buffer(html);
	if (f == NULL)
		return PERR_NOMEM;
	cli_day(day, set->day);
	cli_day(year, set->day + 365);
	begin(f, "Recovery shares: who has which");
	fputs("<h1>Who has which share</h1>\n<p><b>", f);
	sheet_text(f, set->organisation);
	fputs("</b>, desk ", f);
	sheet_text(f, set->desk);
	fprintf(f, ". Made on %s; to be replaced by %s. Any %u of %u are needed.</p>\n<table "
	        "class=\"list\"><tr><th>Share</th><th>Trustee</th><th>Organisation</th><th>How to reach "
	        "them</th></tr>\n", day, year, set->need, set->of);
	for (uint32_t i = 0; i < set->of; i++) {
		fprintf(f, "<tr><td>%u</td><td>", i + 1);
		sheet_text(f, set->trustees[i].name);
		fputs("</td><td>", f);
		sheet_text(f, set->trustees[i].organisation);
		fputs("</td><td>&nbsp;</td></tr>\n", f);
	}
	fputs("</table>\n<p>Keep this list on paper, with neither a share nor a device: it says whom "
	      "to press. Amparo keeps no copy of it.</p>\n<p>Words of the paper holder, to be compared "
	      "by voice before a holder signs: <b>", f);
	sheet_text(f, set->key_words);
	fputs("</b></p>\n</body></html>\n", f);
	return end(f, html, len, PERR_OK);
}
