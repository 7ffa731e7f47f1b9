/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * intake: a filled form, checked and sealed to the desk it belongs to.  PROTOCOL 4.2 kind 1.
 *
 * Whoever sends one can open nothing afterwards: keys, code and record id are forgotten,
 * and what stays here are cells as sealed as on a server.
 */
#ifndef AMPARO_INTAKE_H
#define AMPARO_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "case_code.h"
#include "client.h"
#include "dispatch.h"
#include "fault.h"
#include "fdate.h"
#include "perr.h"
#include "roster.h"

/* a file given with the instance; nothing is copied */
struct intake_file {
	const char *name;                /* as the instance names it: no folder */
	const uint8_t *data;
	size_t len;
	bool is_scan;                    /* of the paper the answers stood on: no answer names it */
};

struct intake_receipt {
	char code[CASE_CODE_LEN + 1];    /* for the family's slip; wipe it */
	char desk_name[CHARTER_NAME_MAX + 1];
	uint32_t n_readers;              /* holders it was sealed to */
	uint32_t n_holders;              /* holders the desk has */
	size_t n_cells;
	uint32_t group;                  /* of the outbox */
};

struct intake {
	const uint8_t *xml;              /* ODK instance, sent byte for byte */
	size_t xml_len;
	const struct intake_file *files;
	size_t n_files;
	const char *language;            /* spoken or of the form; NULL or "": not said */
	const char *form_id;             /* the form it must belong to; NULL: the one it names */
	uint32_t visit_day;              /* 0: today */
	const char *transcriber;         /* who typed in a paper form; NULL or "": nobody did */
	int tz_min;                      /* local time minus UTC, for what the answers call now */
	bool allow_replaced;             /* begun before a newer version of the form came */
	/*
	 * Called inside the batch that seals, with everything of the receipt but the group: what
	 * it changes in the store is there if and only if the intake is sealed.  NULL: nothing.
	 */
	enum perr (*in_batch)(void *ctx, const struct intake_receipt *r);
	void *in_batch_ctx;
};

/*
 * The moment the answers call now: the members' day (client_day) at this device's hour; noon
 * of the visit for what was written on paper, since the family spoke of that day.
 */
struct fclock intake_clock(const struct client *c, uint32_t visit_day, int tz_min);

/*
 * Everything that is wrong with it: every answer against its question (INSTANCE_FULL), the
 * attachments against the roster's limits.  Each fault is one sentence, which names the
 * question by number and label; none added: it can be sealed.  Nothing is written.
 *
 * form  out: the roster's entry; NULL if there is none
 * PERR_OK also when faults were found.  PERR_STATE: no roster is known yet.
 */
PERR_MUST_CHECK enum perr intake_check(struct client *c, const struct intake *in,
                                      struct faults *faults, const struct roster_form **form);

/*
 * Seal it and put it into the outbox, all in one batch.
 *
 * r    out: all zero after an error
 * why  out: after an error a sentence that says what to do, or "" where the error says it
 *
 * PERR_FORMAT: intake_check finds a fault (the first is in why).  PERR_REFUSED: the desk is
 * not trusted here.  PERR_NOTFOUND: form or desk not listed, or no holder has a prekey.
 * Whatever in_batch returned: nothing was sealed.
 */
PERR_MUST_CHECK enum perr intake_seal(struct client *c, const struct intake *in,
                                     struct intake_receipt *r, char why[DISPATCH_WHY]);

/* "image/jpeg" by the name's ending, else "application/octet-stream"; static */
const char *intake_media_type(const char *name);

#endif
