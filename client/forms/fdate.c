/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fdate.h"

#define DAYS_MIN (-719162.0)    /* 0001-01-01 */
#define DAYS_MAX 2932896.0      /* 9999-12-31 */

static const char *const months[2][12] = {
	{"January", "February", "March", "April", "May", "June", "July", "August", "September",
	 "October", "November", "December"},
	{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
	 "octubre", "noviembre", "diciembre"},
};
static const char *const weekdays[2][7] = {
	{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
	{"dom", "lun", "mar", "mié", "jue", "vie", "sáb"},
};

static int names_of(const char *lang)
{
	return lang != NULL && strncmp(lang, "es", 2) == 0
		&& (lang[2] == '\0' || lang[2] == '-' || lang[2] == '_');
}

int64_t fdate_days(int year, int month, int day)
{
	/* Years that begin in March: the leap day is then the last one. */
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void fdate_civil(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

static bool digits(const char **s, int n, int *out)
{
	int i;

	*out = 0;
	for (i = 0; i < n; i++) {
		if ((*s)[i] < '0' || (*s)[i] > '9')
			return false;
		*out = *out * 10 + ((*s)[i] - '0');
	}
	*s += n;
	return true;
}

static bool parse_date(const char **s, int64_t *days)
{
	static const int length[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, m, d;

	if (!digits(s, 4, &y) || *(*s)++ != '-' || !digits(s, 2, &m) || *(*s)++ != '-'
	    || !digits(s, 2, &d))
		return false;
	if (y < 1 || m < 1 || m > 12 || d < 1 || d > length[m - 1])
		return false;
	if (m == 2 && d == 29 && (y % 4 != 0 || (y % 100 == 0 && y % 400 != 0)))
		return false;
	*days = fdate_days(y, m, d);
	return true;
}

/* minutes: of the time in the device's zone, may leave the day on either side */
static bool parse_time(const char **s, int tz_min, double *minutes)
{
	int h, m, sec = 0, zh, zm = 0, sign;
	double fraction = 0, unit = 0.1;

	if (!digits(s, 2, &h) || *(*s)++ != ':' || !digits(s, 2, &m) || h > 24 || m > 59)
		return false;
	if (**s == ':') {
		(*s)++;
		if (!digits(s, 2, &sec) || sec > 59)
			return false;
		if (**s == '.') {
			(*s)++;
			if (**s < '0' || **s > '9')
				return false;
			for (; **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
				fraction += unit * (**s - '0');
		}
	}
	if (h == 24 && (m != 0 || sec != 0))
		return false;
	*minutes = h * 60 + m + (sec + fraction) / 60;
	if (**s == 'Z') {
		(*s)++;
		*minutes += tz_min;
	} else if (**s == '+' || **s == '-') {
		sign = *(*s)++ == '-' ? -1 : 1;
		if (!digits(s, 2, &zh))
			return false;
		if (**s == ':')
			(*s)++;
		if (**s != '\0' && !digits(s, 2, &zm))
			return false;
		if (zh > 14 || zm > 59)
			return false;
		*minutes += tz_min - sign * (zh * 60 + zm);
	}
	return true;
}

bool fdate_parse(const char *s, int tz_min, double *days, bool *has_time)
{
	double minutes = 0;
	bool timed = false;
	int64_t day;

	if (!parse_date(&s, &day))
		return false;
	if (*s == 'T') {
		s++;
		timed = true;
		if (!parse_time(&s, tz_min, &minutes))
			return false;
	}
	if (*s != '\0')
		return false;
	*days = (double)day + minutes / 1440;
	if (has_time != NULL)
		*has_time = timed;
	return true;
}

bool fdate_parse_time(const char *s, int tz_min, double *fraction)
{
	double minutes;

	if (!parse_time(&s, tz_min, &minutes) || *s != '\0')
		return false;
	minutes = fmod(minutes, 1440);
	*fraction = (minutes < 0 ? minutes + 1440 : minutes) / 1440;
	return true;
}

static bool in_range(double days)
{
	return days >= DAYS_MIN && days < DAYS_MAX + 1;
}

/* Whole days and milliseconds, rounded together: 23:59:59.9996 is the next day. */
static void split(double days, int64_t *day, int *ms)
{
	double whole = floor(days);

	*day = (int64_t)whole;
	*ms = (int)floor((days - whole) * 86400000 + 0.5);
	if (*ms >= 86400000) {
		*ms -= 86400000;
		++*day;
	}
}

void fdate_write(char out[FDATE_SIZE], double days, bool with_time, int tz_min)
{
	int y, m, d, ms = 0, zone = tz_min < 0 ? -tz_min : tz_min;
	int64_t day;

	out[0] = '\0';
	if (!in_range(days))
		return;
	if (with_time)
		split(days, &day, &ms);
	else
		day = (int64_t)floor(days);
	fdate_civil(day, &y, &m, &d);
	if (!with_time)
		snprintf(out, FDATE_SIZE, "%04d-%02d-%02d", y, m, d);
	else
		snprintf(out, FDATE_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02d:%02d", y, m, d,
		         ms / 3600000, ms / 60000 % 60, ms / 1000 % 60, ms % 1000,
		         tz_min < 0 ? '-' : '+', zone / 60 % 100, zone % 60);
}

double fdate_now(const struct fclock *now)
{
	return ((double)now->unix_ms + 60000.0 * now->tz_min) / 86400000.0;
}

bool fdate_format(char *out, size_t cap, const char *format, double days, const char *lang)
{
	int y, m, d, ms, names = names_of(lang), n;
	char piece[32];
	size_t used = 0;
	int64_t day;

	if (!in_range(days) || cap == 0)
		return false;
	split(days, &day, &ms);
	fdate_civil(day, &y, &m, &d);
	for (; *format != '\0'; format++) {
		if (*format != '%') {
			piece[0] = *format;
			piece[1] = '\0';
		} else switch (*++format) {
		case 'Y': snprintf(piece, sizeof piece, "%04d", y); break;
		case 'y': snprintf(piece, sizeof piece, "%02d", y % 100); break;
		case 'm': snprintf(piece, sizeof piece, "%02d", m); break;
		case 'n': snprintf(piece, sizeof piece, "%d", m); break;
		case 'b': snprintf(piece, sizeof piece, "%.3s", months[names][m - 1]); break;
		case 'd': snprintf(piece, sizeof piece, "%02d", d); break;
		case 'e': snprintf(piece, sizeof piece, "%d", d); break;
		case 'a':
			snprintf(piece, sizeof piece, "%s",
			         weekdays[names][((day + 4) % 7 + 7) % 7]);
			break;
		case 'H': snprintf(piece, sizeof piece, "%02d", ms / 3600000); break;
		case 'h': snprintf(piece, sizeof piece, "%d", ms / 3600000); break;
		case 'M': snprintf(piece, sizeof piece, "%02d", ms / 60000 % 60); break;
		case 'S': snprintf(piece, sizeof piece, "%02d", ms / 1000 % 60); break;
		case '3': snprintf(piece, sizeof piece, "%03d", ms % 1000); break;
		case '%': snprintf(piece, sizeof piece, "%%"); break;
		default: return false;
		}
		n = snprintf(out + used, cap - used, "%s", piece);
		if (n < 0 || (size_t)n >= cap - used)
			return false;
		used += (size_t)n;
	}
	out[used] = '\0';
	return true;
}

void fdate_show(char out[FDATE_SIZE], double days, bool has_time, const char *lang)
{
	int y, m, d, ms, n, names = names_of(lang);
	int64_t day;

	out[0] = '\0';
	if (!in_range(days))
		return;
	split(days, &day, &ms);
	if (!has_time)
		day = (int64_t)floor(days);
	fdate_civil(day, &y, &m, &d);
	n = snprintf(out, FDATE_SIZE, names == 1 ? "%d de %s de %d" : "%d %s %d", d,
	             months[names][m - 1], y);
	if (has_time && n > 0 && n < FDATE_SIZE)
		snprintf(out + n, FDATE_SIZE - (size_t)n, " %02d:%02d", ms / 3600000, ms / 60000 % 60);
}
