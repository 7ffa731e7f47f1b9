/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "typed.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"

#define WORD_MAX 64

/* ---- commands ---------------------------------------------------------------------------- */

static const struct {
	const char *word;
	enum typed_command command;
} commands[] = {
	{ "help", TYPED_HELP }, { "ayuda", TYPED_HELP },
	{ "back", TYPED_BACK }, { "atras", TYPED_BACK }, { "volver", TYPED_BACK },
	{ "regresar", TYPED_BACK }, { "anterior", TYPED_BACK },
	{ "skip", TYPED_SKIP }, { "next", TYPED_SKIP }, { "saltar", TYPED_SKIP },
	{ "siguiente", TYPED_SKIP },
	{ "jump", TYPED_JUMP }, { "go", TYPED_JUMP }, { "ir", TYPED_JUMP },
	{ "review", TYPED_REVIEW }, { "revisar", TYPED_REVIEW }, { "end", TYPED_REVIEW },
	{ "final", TYPED_REVIEW },
	{ "clear", TYPED_CLEAR }, { "borrar", TYPED_CLEAR }, { "vaciar", TYPED_CLEAR },
	{ "again", TYPED_AGAIN }, { "repeat", TYPED_AGAIN }, { "repetir", TYPED_AGAIN },
	{ "list", TYPED_LIST }, { "all", TYPED_LIST }, { "lista", TYPED_LIST },
	{ "todas", TYPED_LIST },
	{ "remove", TYPED_REMOVE }, { "quitar", TYPED_REMOVE },
	{ "lang", TYPED_LANG }, { "language", TYPED_LANG }, { "idioma", TYPED_LANG },
	{ "save", TYPED_SAVE }, { "guardar", TYPED_SAVE }, { "stop", TYPED_SAVE },
	{ "quit", TYPED_SAVE }, { "exit", TYPED_SAVE }, { "salir", TYPED_SAVE },
	{ "parar", TYPED_SAVE },
	{ "drop", TYPED_DROP }, { "delete", TYPED_DROP }, { "eliminar", TYPED_DROP },
	{ "desechar", TYPED_DROP },
};

static const char *blanks(const char *s)
{
	return s + strspn(s, " \t");
}

enum typed_command typed_word(const char *line, const char **rest)
{
	char word[FOLD_MAX(WORD_MAX)];
	size_t len;

	line = blanks(line);
	len = strcspn(line, " \t");
	*rest = line;
	if (len == 0 || len > WORD_MAX)
		return TYPED_ANSWER;
	fold_text(word, sizeof word, line, len);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(word, commands[i].word) == 0) {
			*rest = blanks(line + len);
			/* only a jump and a language are followed by anything */
			if (**rest != '\0' && commands[i].command != TYPED_JUMP &&
			    commands[i].command != TYPED_LANG)
				break;
			return commands[i].command;
		}
	*rest = line;
	return TYPED_ANSWER;
}

/* letters only, of any alphabet: ".5", "./photo.jpg" and ".cache/x" are answers */
static bool is_word(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalpha((unsigned char)s[i]) && (unsigned char)s[i] < 0x80)
			return false;
	return len > 0;
}

enum typed_command typed_command(const char *line, const char **rest)
{
	const char *s = blanks(line);
	enum typed_command c;

	*rest = s;
	if ((s[0] == '?' || s[0] == '<') && *blanks(s + 1) == '\0')
		return s[0] == '?' ? TYPED_HELP : TYPED_BACK;
	if (strncmp(s, "\xc2\xbf", 2) == 0 && *blanks(s + 2) == '\0')
		return TYPED_HELP;               /* the inverted question mark alone */
	if (s[0] != '.')
		return TYPED_ANSWER;
	if (s[1] == ' ' || s[1] == '\t') {
		*rest = blanks(s + 1);
		return TYPED_ANSWER;
	}
	c = typed_word(s + 1, rest);
	if (c != TYPED_ANSWER)
		return c;
	*rest = s;
	return is_word(s + 1, strcspn(s + 1, " \t")) ? TYPED_UNKNOWN : TYPED_ANSWER;
}

int typed_yes(const char *line)
{
	static const char *const yes[] = { "y", "yes", "s", "si", "ok" };
	char word[FOLD_MAX(WORD_MAX)];
	size_t len = strlen(line = blanks(line));

	while (len > 0 && strchr(" \t.!", line[len - 1]) != NULL)
		len--;
	if (len == 0 || len > WORD_MAX)
		return -1;
	fold_text(word, sizeof word, line, len);
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		if (strcmp(word, yes[i]) == 0)
			return 1;
	return strcmp(word, "n") == 0 || strcmp(word, "no") == 0 ? 0 : -1;
}

/* ---- dates and times --------------------------------------------------------------------- */

static unsigned month_of(const char *word)
{
	static const char *const months[12][2] = {
		{ "january", "enero" }, { "february", "febrero" }, { "march", "marzo" },
		{ "april", "abril" }, { "may", "mayo" }, { "june", "junio" }, { "july", "julio" },
		{ "august", "agosto" }, { "september", "septiembre" }, { "october", "octubre" },
		{ "november", "noviembre" }, { "december", "diciembre" },
	};
	size_t len = strlen(word);

	if (strcmp(word, "setiembre") == 0 || strcmp(word, "sept") == 0 || strcmp(word, "set") == 0)
		return 9;
	for (unsigned m = 0; m < 12 && len >= 3; m++)
		for (unsigned l = 0; l < 2; l++)
			if (strncmp(word, months[m][l], len) == 0)
				return m + 1;
	return 0;
}

static bool is_day(int64_t *days, unsigned year, unsigned month, unsigned day)
{
	int y, m, d;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	*days = fdate_days((int)year, (int)month, (int)day);
	fdate_civil(*days, &y, &m, &d);
	return (unsigned)y == year && (unsigned)m == month && (unsigned)d == day;
}

struct word {
	char text[24];
	unsigned number, digits, month;
};

/* figures and names of months in their order; 0: something else is in it, or too much */
static unsigned split(const char *folded, struct word w[3])
{
	unsigned n = 0;

	while (*(folded += strspn(folded, " ,./-")) != '\0') {
		size_t len = isdigit((unsigned char)*folded) ? strspn(folded, "0123456789")
		                                             : strcspn(folded, " ,./-0123456789");
		struct word one = { .number = 0 };

		if (len >= sizeof one.text)
			return 0;
		memcpy(one.text, folded, len);
		one.text[len] = '\0';
		folded += len;
		if (isdigit((unsigned char)one.text[0])) {
			one.digits = (unsigned)len;
			one.number = len > 4 ? 0 : (unsigned)strtoul(one.text, NULL, 10);
			/* "24th" */
			if (strncmp(folded, "st", 2) == 0 || strncmp(folded, "nd", 2) == 0 ||
			    strncmp(folded, "rd", 2) == 0 || strncmp(folded, "th", 2) == 0)
				folded += 2;
		} else if (strcmp(one.text, "de") == 0 || strcmp(one.text, "del") == 0 ||
		           strcmp(one.text, "of") == 0) {
			continue;
		} else if ((one.month = month_of(one.text)) == 0) {
			return 0;
		}
		if (n == 3)
			return 0;
		w[n++] = one;
	}
	return n == 3 ? n : 0;
}

static bool is_relative(const char *folded, const struct fclock *now, int64_t *day)
{
	static const struct {
		const char *word;
		int off;
	} words[] = {
		{ "today", 0 }, { "hoy", 0 }, { "yesterday", -1 }, { "ayer", -1 }, { "tomorrow", 1 },
		{ "manana", 1 },
	};
	double t = fdate_now(now);

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(folded, words[i].word) == 0) {
			*day = (int64_t)t + words[i].off;
			return true;
		}
	return false;
}

unsigned typed_date(const char *text, const struct fclock *now, int64_t days[2])
{
	char folded[FOLD_MAX(WORD_MAX)];
	struct word w[3];
	unsigned n = 0;
	size_t len = strlen(text = blanks(text));

	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '.'))
		len--;
	if (len == 0 || len > WORD_MAX)
		return 0;
	fold_text(folded, sizeof folded, text, len);
	if (is_relative(folded, now, &days[0]))
		return 1;
	if (split(folded, w) == 0)
		return 0;
	if (w[0].digits == 4)
		return is_day(&days[0], w[0].number, w[1].month != 0 ? w[1].month : w[1].number,
		              w[2].number) && w[2].month == 0;
	/* a year of two figures can be meant in two centuries */
	if (w[2].digits != 4)
		return 0;
	if (w[0].month != 0 || w[1].month != 0)
		return (w[0].month == 0 || w[1].month == 0) &&
		       is_day(&days[0], w[2].number, w[0].month + w[1].month,
		              w[0].month != 0 ? w[1].number : w[0].number);
	if (is_day(&days[n], w[2].number, w[0].number, w[1].number))
		n++;
	if (w[0].number != w[1].number && is_day(&days[n], w[2].number, w[1].number, w[0].number))
		n++;
	return n;
}

bool typed_time(const char *text, unsigned *hour, unsigned *minute, bool *is_sure)
{
	char s[FOLD_MAX(WORD_MAX)], *p, *to;
	unsigned h = 0, m = 0, digits = 0;
	bool am = false, pm = false, has_minutes = false;
	size_t len = strlen(text);

	if (len > WORD_MAX)
		return false;
	fold_text(s, sizeof s, text, len);
	/* without blanks; without the periods of "p. m.", but with that of "14.30" */
	for (p = to = s; *p != '\0'; p++)
		if (*p != ' ' && !(*p == '.' && !isdigit((unsigned char)p[1])))
			*to++ = *p;
	*to = '\0';
	for (p = s; isdigit((unsigned char)*p) && digits < 4; p++, digits++)
		h = h * 10 + (unsigned)(*p - '0');
	if (digits == 0)
		return false;
	if (digits > 2) {
		m = h % 100;
		h /= 100;
		has_minutes = true;
	} else if (*p == ':' || *p == '.' || *p == 'h') {
		bool is_h = *p++ == 'h';

		if (isdigit((unsigned char)p[0]) && isdigit((unsigned char)p[1])) {
			m = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
			p += 2;
			has_minutes = true;
		} else if (!is_h) {
			return false;
		}
	}
	am = strcmp(p, "am") == 0 || strcmp(p, "a") == 0 || strcmp(p, "delamanana") == 0;
	pm = strcmp(p, "pm") == 0 || strcmp(p, "p") == 0 || strcmp(p, "delatarde") == 0 ||
	     strcmp(p, "delanoche") == 0;
	if ((*p != '\0' && !am && !pm) || h > 23 || m > 59 || ((am || pm) && (h == 0 || h > 12)))
		return false;
	*is_sure = am || pm || h == 0 || h > 12 || (digits == 2 && s[0] == '0' && has_minutes);
	if (pm && h < 12)
		h += 12;
	if (am && h == 12)
		h = 0;
	*hour = h;
	*minute = m;
	return true;
}

size_t typed_split(const char *text)
{
	unsigned h, m;
	bool is_sure;

	/* the shortest beginning after which a time stands */
	for (size_t i = 1; text[i] != '\0'; i++)
		if ((text[i - 1] == ' ' || text[i - 1] == 'T') && isdigit((unsigned char)text[i]) &&
		    strcspn(text + i, ":hHpPaA") < strlen(text + i) &&
		    typed_time(text + i, &h, &m, &is_sure))
			return i;
	return 0;
}

/* ---- choices and paths ------------------------------------------------------------------- */

size_t typed_numbers(const char *text, size_t n_options, size_t *at, size_t max)
{
	size_t n = 0;

	for (;;) {
		unsigned long v;
		char *end;

		text += strspn(text, " \t,.;");
		/* "1 y 3", "1 and 3" */
		if (n > 0 && (strncmp(text, "y ", 2) == 0 || strncmp(text, "e ", 2) == 0))
			text += 2;
		else if (n > 0 && strncmp(text, "and ", 4) == 0)
			text += 4;
		text += strspn(text, " \t");
		if (*text == '\0')
			return n;
		if (!isdigit((unsigned char)*text))
			return 0;
		v = strtoul(text, &end, 10);
		if (v == 0 || v > n_options || n == max ||
		    (*end != '\0' && strchr(" \t,.;", *end) == NULL))
			return 0;
		at[n++] = (size_t)v - 1;
		text = end;
	}
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
	     : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *typed_path(const char *text, const char *home)
{
	size_t len = strlen(text = blanks(text)), home_len = home == NULL ? 0 : strlen(home);
	char *out = malloc(len + home_len + 1), *to = out;
	bool is_url, is_quoted = false;

	if (out == NULL)
		return NULL;
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (len >= 2 && (text[0] == '\'' || text[0] == '"') && text[len - 1] == text[0]) {
		text++;
		len -= 2;
		is_quoted = true;
	}
	is_url = len >= 7 && strncmp(text, "file://", 7) == 0;
	if (is_url) {
		text += 7;
		len -= 7;
	} else if (home_len > 0 && len >= 1 && text[0] == '~' && (len == 1 || text[1] == '/')) {
		memcpy(to, home, home_len);
		to += home_len;
		text++;
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		if (is_url && text[i] == '%' && i + 2 < len && hex(text[i + 1]) >= 0 &&
		    hex(text[i + 2]) >= 0) {
			*to++ = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
			i += 2;
		} else if (!is_url && !is_quoted && text[i] == '\\' && i + 1 < len) {
			*to++ = text[++i];
		} else {
			*to++ = text[i];
		}
	}
	*to = '\0';
	return out;
}
