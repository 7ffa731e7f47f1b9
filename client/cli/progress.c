/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "progress.h"

#include <inttypes.h>
#include <string.h>

#include "term.h"

#define TTY_MS   200
#define PLAIN_MS 10000
#define RATE_MS  500            /* before that a rate is only noise */

void progress_bytes(char *out, size_t out_size, uint64_t n)
{
	static const char *const unit[] = { "kB", "MB", "GB", "TB" };
	uint64_t scale = 1000;
	unsigned i = 0;

	if (n < 1000) {
		snprintf(out, out_size, "%" PRIu64 " B", n);
		return;
	}
	/* 999,950 and above rounds to a thousand of the smaller unit */
	while (i < 3 && n >= scale * 1000 - scale / 20) {
		scale *= 1000;
		i++;
	}
	snprintf(out, out_size, "%" PRIu64 ".%" PRIu64 " %s", (n + scale / 20) / scale,
	         (n + scale / 20) % scale / (scale / 10), unit[i]);
}

void progress_time(char *out, size_t out_size, uint64_t seconds)
{
	if (seconds < 60)
		snprintf(out, out_size, "%" PRIu64 " s", seconds);
	else if (seconds < 3600)
		snprintf(out, out_size, "%" PRIu64 " min %02" PRIu64 " s", seconds / 60,
		         seconds % 60);
	else
		snprintf(out, out_size, "%" PRIu64 " h %02" PRIu64 " min", seconds / 3600,
		         seconds % 3600 / 60);
}

static void amount(char *out, size_t out_size, enum progress_unit unit, uint64_t n)
{
	switch (unit) {
	case PROGRESS_BYTES:
		progress_bytes(out, out_size, n);
		return;
	case PROGRESS_ITEMS:
		snprintf(out, out_size, "%" PRIu64, n);
		return;
	}
}

/* a * b / c without leaving 64 bits; c > 0 */
static uint64_t scaled(uint64_t a, uint64_t b, uint64_t c)
{
	return (uint64_t)((double)a * (double)b / (double)c);
}

static void show(struct progress *p, uint64_t now_ms, bool is_last)
{
	char done[32], total[32], rate[32], left[32], line[256];
	uint64_t ms = now_ms - p->begin_ms;
	size_t at;

	amount(done, sizeof done, p->unit, p->done);
	at = (size_t)snprintf(line, sizeof line, "%.100s: %s", p->label, done);
	if (p->total > 0 && !is_last) {
		amount(total, sizeof total, p->unit, p->total);
		at += (size_t)snprintf(line + at, sizeof line - at, " of %s", total);
	}
	if (ms >= RATE_MS) {
		amount(rate, sizeof rate, p->unit, scaled(p->done, 1000, ms));
		at += (size_t)snprintf(line + at, sizeof line - at, ", %s/s", rate);
	}
	if (is_last) {
		progress_time(left, sizeof left, (ms + 500) / 1000);
		snprintf(line + at, sizeof line - at, ", in %s", left);
	} else if (ms >= RATE_MS && p->total > p->done && p->done > 0) {
		progress_time(left, sizeof left,
		              scaled(p->total - p->done, ms, p->done) / 1000 + 1);
		snprintf(line + at, sizeof line - at, ", %s left", left);
	}
	if (p->is_tty) {
		/* Longer than the line it would wrap, and \r reaches only the last row. */
		size_t fit = term_fit(line, term_width(fileno(p->f)) - 1, NULL);

		fprintf(p->f, "\r%.*s\033[K%s", (int)fit, line, is_last ? "\n" : "");
	} else {
		fprintf(p->f, "%s\n", line);
	}
	fflush(p->f);
	p->shown_ms = now_ms;
	p->is_shown = true;
}

void progress_begin(struct progress *p, FILE *f, const char *label, enum progress_unit unit,
                    uint64_t total, uint64_t now_ms)
{
	memset(p, 0, sizeof *p);
	p->f = f;
	p->label = label;
	p->unit = unit;
	p->total = total;
	p->begin_ms = p->shown_ms = now_ms;
	p->is_tty = term_is_tty(fileno(f));
}

void progress_update(struct progress *p, uint64_t done, uint64_t now_ms)
{
	p->done = done;
	if (now_ms - p->shown_ms >= (p->is_tty ? TTY_MS : PLAIN_MS))
		show(p, now_ms, false);
}

void progress_end(struct progress *p, uint64_t now_ms)
{
	if (p->is_shown || (!p->is_tty && now_ms - p->begin_ms >= 1000))
		show(p, now_ms, true);
}
