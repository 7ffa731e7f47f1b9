/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * progress: how far long work is.  On a terminal one line that is rewritten at
 * most five times a second; elsewhere a plain line at most every ten seconds, so
 * that a log stays readable.  Nothing is printed for work shorter than a second
 * where there is no terminal.
 */
#ifndef AMPARO_PROGRESS_H
#define AMPARO_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum progress_unit {
	PROGRESS_BYTES,         /* "12.4 MB of 189.0 MB, 3.1 MB/s, 57 s left" */
	PROGRESS_ITEMS          /* "120 of 680, 40/s, 14 s left" */
};

/* The caller's, on the stack; the fields are private. */
struct progress {
	FILE *f;
	const char *label;
	uint64_t total, done;
	uint64_t begin_ms, shown_ms;
	enum progress_unit unit;
	bool is_tty, is_shown;
};

/*
 * label   in: trusted, borrowed until progress_end
 * total   0 if it is not known: then neither a share nor the time left is shown
 * f       usually stderr
 * now_ms  a monotonic clock in milliseconds, also below
 */
void progress_begin(struct progress *p, FILE *f, const char *label, enum progress_unit unit,
                    uint64_t total, uint64_t now_ms);
/* done: since the beginning, not since the last call.  Cheap enough to call for each cell. */
void progress_update(struct progress *p, uint64_t done, uint64_t now_ms);
/* Last line: what was done in what time.  Call it after an error too: it ends the line. */
void progress_end(struct progress *p, uint64_t now_ms);

/* "3.1 MB" into out (16 bytes or more suffice).  1 MB = 1,000,000 bytes. */
void progress_bytes(char *out, size_t out_size, uint64_t n);
/* "2 h 05 min", "3 min 20 s", "14 s" */
void progress_time(char *out, size_t out_size, uint64_t seconds);

#endif
