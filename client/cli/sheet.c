/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "sheet.h"

#include <qrencode.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "roster.h"
#include "words.h"

void sheet_text(FILE *f, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '&': fputs("&amp;", f); break;
		case '"': fputs("&quot;", f); break;
		default:  fputc(*s, f);
		}
}

/* one path of unit squares, row by row; four modules of quiet zone around */
enum perr sheet_qr(FILE *f, const char *text)
{
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	int w;

	if (qr == NULL)
		return PERR_NOMEM;
	w = qr->width;
	fprintf(f, "<svg viewBox=\"-4 -4 %d %d\" role=\"img\" aria-label=\"QR\"><path d=\"", w + 8,
	        w + 8);
	for (int y = 0; y < w; y++)
		for (int x = 0; x < w; x++) {
			int run = 0;

			while (x + run < w && (qr->data[y * w + x + run] & 1))
				run++;
			if (run > 0)
				fprintf(f, "M%d %dh%dv1h-%dz", x, y, run, run);
			x += run;
		}
	fputs("\"/></svg>\n", f);
	sodium_memzero(qr->data, (size_t)w * (size_t)w);
	QRcode_free(qr);
	return PERR_OK;
}

static enum perr put_slip(FILE *f, const char *organisation, const char *desk,
                          const uint16_t *words, enum client_role role,
                          const struct invite *inv)
{
	char text[INVITE_TEXT_MAX + 1];
	enum perr err = invite_encode(text, inv);

	if (err != PERR_OK)
		return err;
	fputs("<section><div class=\"qr\">", f);
	err = sheet_qr(f, text);
	fputs("</div><div class=\"say\"><h1>", f);
	sheet_text(f, organisation);
	fprintf(f, "</h1>\n<p class=\"role\">%s</p>\n", roster_role_text((enum roster_role)role));
	fputs("<p lang=\"en\">Run <b>amparo join</b> and scan the code or type the text below. Then "
	      "call your administrator and say the four words that you see. For one person, "
	      "once. Keep it secret until then; destroy it afterwards.</p>\n"
	      "<p lang=\"es\">Ejecute <b>amparo join</b> y escanee el código o escriba el texto "
	      "de abajo. Después llame a su administrador y diga las cuatro palabras que ve. "
	      "Para una sola persona, una sola vez. Guárdelo en secreto hasta entonces; después "
	      "destrúyalo.</p>\n", f);
	if (words != NULL) {
		fputs("<p class=\"words\"><span lang=\"en\">Words of the desk</span> / <span "
		      "lang=\"es\">Palabras de la mesa</span> <i>", f);
		sheet_text(f, desk);
		fputs("</i>:<br><b>", f);
		for (int i = 0; i < 6; i++)
			fprintf(f, "%s%s", i == 0 ? "" : " ", words_get(words[i]));
		fputs("</b></p>\n", f);
	}
	fputs("</div><code>", f);
	sheet_text(f, text);
	fputs("</code></section>\n", f);
	sodium_memzero(text, sizeof text);
	return err;
}

enum perr sheet_html(char **html, size_t *len, const char *organisation, const char *desk,
                     const uint16_t *words, enum client_role role,
                     const struct invite *invites, unsigned n)
{
	enum perr err = PERR_OK;
	FILE *f;

	*html = NULL;
	f = open_memstream(html, len);
	if (f == NULL)
		return PERR_NOMEM;
	fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", f);
	sheet_text(f, organisation);
	fputs("</title>\n<style>\n"
	      "@page{margin:12mm}\n"
	      "body{font:11pt/1.35 Georgia,serif;margin:0;color:#111;background:#fff}\n"
	      "section{display:grid;grid-template-columns:52mm 1fr;gap:4mm;padding:5mm 0;"
	      "border-bottom:1px dashed #777;break-inside:avoid}\n"
	      ".qr svg{width:52mm;height:52mm;display:block}\n"
	      "h1{font-size:14pt;margin:0}\n"
	      "p{margin:1.5mm 0}.role{color:#444;margin-top:0}\n"
	      ".words b{letter-spacing:.02em;font-family:monospace}\n"
	      "code{grid-column:1/3;font-size:8pt;overflow-wrap:anywhere;color:#333}\n"
	      "</style></head><body>\n", f);
	for (unsigned i = 0; i < n && err == PERR_OK; i++)
		err = put_slip(f, organisation, desk, words, role, &invites[i]);
	fputs("</body></html>\n", f);
	if (fclose(f) != 0 && err == PERR_OK)
		err = PERR_NOMEM;
	if (err != PERR_OK) {
		if (*html != NULL)
			sodium_memzero(*html, *len);
		free(*html);
		*html = NULL;
	}
	return err;
}
