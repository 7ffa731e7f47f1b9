/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fdate: the dates and times of forms, without a clock and without a locale.
 *
 * Days are counted from 1 January 1970 in the proleptic Gregorian calendar; years 1 to
 * 9999.  A moment is a number of days with its fraction, in the local time of the device.
 */
#ifndef AMPARO_FDATE_H
#define AMPARO_FDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The moment everything is evaluated at: the library has no clock of its own. */
struct fclock {
	int64_t unix_ms;
	int tz_min;             /* local time minus UTC, in minutes: -360 in Guatemala */
};

int64_t fdate_days(int year, int month, int day);
void fdate_civil(int64_t days, int *year, int *month, int *day);

/*
 * "2026-11-24", "2026-11-24T09:30:00.000-06:00", "2026-11-24T15:30Z".  A time with an
 * offset is turned into local time of tz_min; one without is local already.
 * days      out: with the fraction of the day
 * has_time  out, may be NULL
 * false: no date, or one that does not exist (30 February).
 */
bool fdate_parse(const char *s, int tz_min, double *days, bool *has_time);

/* "09:30", "09:30:00.000-06:00" -> fraction of a day, offset converted as above. */
bool fdate_parse_time(const char *s, int tz_min, double *fraction);

#define FDATE_SIZE 64
/* "2026-11-24", or with_time "2026-11-24T09:30:00.000-06:00"; "" outside years 1..9999 */
void fdate_write(char out[FDATE_SIZE], double days, bool with_time, int tz_min);

/* Now, in days of local time. */
double fdate_now(const struct fclock *now);

/*
 * format-date and format-date-time: %Y %y %m %n %b %d %e %a %H %h %M %S %3 %%.
 * lang   code whose month and weekday names are used: "es", else English
 * returns false when the format asks for something else, or does not fit.
 */
bool fdate_format(char *out, size_t cap, const char *format, double days, const char *lang);

/* For people: "24 November 2026", "24 de noviembre de 2026"; has_time adds " 09:30". */
void fdate_show(char out[FDATE_SIZE], double days, bool has_time, const char *lang);

#endif
