/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * covault: what is in this vault of a desk, held against what each co-holder said of hers.
 * PROTOCOL 4.4.
 *
 * A co-holder is whoever else the charter in force names as a living holder: a paper one has
 * no vault.  One who never said anything counts as no vault either, and stops nothing: what
 * matters is that one vault beside this one has a statement.
 */
#ifndef AMPARO_COVAULT_H
#define AMPARO_COVAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "charter.h"
#include "client.h"
#include "custody.h"
#include "holding.h"
#include "perr.h"

/* days beside the roster's retention until no server has a cell any more: the jitter of an
 * expiry is at most 3 (PROTOCOL 10.4), and clocks differ by one */
#define COVAULT_EXPIRY_SLACK 4

/* what a co-holder's newest words mean for one statement of this vault */
enum covault_says {
	COVAULT_UNKNOWN = 0,             /* nothing: not heard of, or not listed yet */
	COVAULT_HOLDS,
	COVAULT_LACKS,
	COVAULT_ERASED                   /* it was erased there, or is kept aside */
};
struct covault_word {
	enum covault_says says;
	uint64_t missing;                /* COVAULT_HOLDS: attachments lacked there */
};

struct covault_days { uint32_t first, last; };

struct covault {
	uint8_t key[32];
	bool has_said;                   /* else what follows is zero */
	uint32_t number, day;            /* of her newest custody statement */
	struct custody said;             /* borrows bytes */
	uint8_t *bytes;
	bool differs;                    /* her vault and this one */
	struct covault_word *words;      /* one for each item of the holding */
	size_t n_dirty;                  /* days over which her digest is another one */
	struct covault_days *dirty;
};

struct covaults {
	struct holding *own;
	uint32_t today, retention;       /* days */
	bool is_alone;                   /* the charter names nobody else but paper */
	uint32_t n;
	struct covault at[CHARTER_HOLDERS_MAX];
};

/*
 * out  out: for covaults_free; NULL after an error
 * PERR_NOTFOUND: no such desk.  PERR_STATE: this member never held it.  Of a desk that it left:
 * what the present holders said before (parting.h)
 */
PERR_MUST_CHECK enum perr covaults_load(struct client *c, const uint8_t desk[32],
                                       struct covaults **out);
void covaults_free(struct covaults *v);          /* NULL is harmless */

/*
 * Compare: fills words, dirty and differs from said.  Pure; v->words has room for h->n.
 * PERR_NOMEM
 */
PERR_MUST_CHECK enum perr covault_compare(struct covault *v, const struct holding *h);

/* does she lack something of it that is here? */
bool covault_needs(const struct covault *v, const struct holding *h, size_t i);
/* has she said something within half of the retention? */
bool covault_is_fresh(const struct covaults *v, const struct covault *co);
/*
 * Is item i in two vaults: this one and a co-holder's?  With all attachments; those that no
 * server can have any more and no co-holder has count no longer.
 * fresh  in: only by words of the last days, as is needed before anything is destroyed
 */
bool covaults_in_two(const struct covaults *v, size_t i, bool fresh);
/*
 * The day up to which everything is in two vaults, by fresh words; UINT32_MAX: everything.
 * For a desk with one living holder there is no second vault: then what lies longer than the
 * retention and COVAULT_EXPIRY_SLACK behind the last full scan, where no server has a cell
 * left that a private half could open once more.
 * scanned_through  in: as of sync_scanned_through
 */
uint32_t covaults_through(const struct covaults *v, uint32_t scanned_through);

struct covaults_sum {
	uint32_t records;                /* with a statement of this desk */
	uint32_t in_one;                 /* of them: with one that is in this vault only */
	uint32_t in_one_old;             /* of them: received longer ago than half the retention */
};
/* PERR_NOMEM */
PERR_MUST_CHECK enum perr covaults_sum(const struct covaults *v, struct covaults_sum *sum);

#endif
