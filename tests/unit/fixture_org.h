/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fixture_org: a small organisation in memory, for tests of what members do: real clients
 * on kv_mem, real rosters, real cells.  What stands in for the servers is one list of
 * cells; there is no network.
 *
 *	administrator   founded it; reads nothing
 *	holders 0, 1    attorneys who hold the desk "Mesa Delta"; both signed its charter
 *	counsel         an attorney who holds nothing
 *	volunteers      two, invited to that desk
 *
 * The form docs/forms/raid-intake.xml is published.  Everything fails the running test by
 * itself, so there is nothing to check.
 */
#ifndef AMPARO_FIXTURE_ORG_H
#define AMPARO_FIXTURE_ORG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "cell.h"
#include "client.h"
#include "intake.h"
#include "record.h"
#include "record_blobs.h"

#define FIXTURE_PEOPLE 6

enum fixture_who {
	FIX_ADMIN, FIX_HOLDER0, FIX_HOLDER1, FIX_COUNSEL, FIX_VOLUNTEER0, FIX_VOLUNTEER1
};

struct fixture_person {
	struct kv *kv;
	struct client *c;
	struct reader_key prekey;        /* of a batch of one key; none for volunteers */
	size_t seen;                     /* cells looked at */
	/* of the last fixture_sync, by enum take_result */
	unsigned taken[TAKE_BAD + 1];
	unsigned opened;                 /* cells of it that a key opened */
};

struct fixture {
	struct fixture_person p[FIXTURE_PEOPLE];
	uint8_t desk[32];
	uint8_t *cells;                  /* n × CELL_SIZE, in order of arrival */
	size_t n_cells;
	int64_t now;                     /* seconds; the clock of all of them */
	uint8_t *xml[12];                /* tests/e2e/data/intake-01.xml … */
	size_t xml_len[12];
};

/* folder of the sources is the working folder or $AMPARO_SRC */
struct fixture *fixture_new(void);
void fixture_free(struct fixture *f);

static inline struct client *fix(const struct fixture *f, enum fixture_who who)
{
	return f->p[who].c;
}

/* the newest roster, to one person, as a sync would bring it; own_slot: the fresh one opens, not
 * that of the invitation */
void fixture_adopt(struct fixture *f, enum fixture_who who, bool own_slot);
/* the newest roster of the administrator, to everybody */
void fixture_publish(struct fixture *f);
/* everything in the person's outbox to the "servers" (acknowledged); how many cells */
size_t fixture_upload(struct fixture *f, enum fixture_who who);
/* look at all new cells with the person's key, take in what opens, and whole blobs */
void fixture_sync(struct fixture *f, enum fixture_who who);
/* a cell that somebody made, to the "servers" */
void fixture_put(struct fixture *f, const uint8_t cell[CELL_SIZE]);

/*
 * Seal and upload filled form number `which` (1..12), its photographs made of `seed`.
 * code  out: may be NULL
 */
void fixture_submit(struct fixture *f, enum fixture_who who, unsigned which, unsigned seed,
                    char code[CASE_CODE_LEN + 1]);
/* the content made for a photograph of that name; *len bytes, static */
const uint8_t *fixture_photo(const char *name, unsigned seed, size_t *len);
/* names of the photographs of filled form `which`, NULL at the end; static */
const char *const *fixture_photos(unsigned which);

/* the only case of this member; fails the test if there is not exactly one */
void fixture_only_case(struct fixture *f, enum fixture_who who,
                       uint8_t record[STATEMENT_RECORD_SIZE]);

#endif
