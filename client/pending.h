/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * pending: the changes of the roster that this administrator made and that not every server
 * is known to have.
 *
 * Two administrators may publish at once.  A server takes one of the two versions (PROTOCOL
 * section 6, bulletin.commit), and what the other one *did* must not be lost with the
 * version it was done in: so each change is kept as what it is, "enrol her", "list this
 * desk", until every server has it, beside the roster that lay under the first of them.
 * rebase.h puts them upon another administrator's version.
 *
 * Each change of one device has a number, and the roster's admin body says up to which number
 * it holds whose changes (PROTOCOL 8.1, ext 1).  So it is known of any two rosters whether
 * one contains the other, and a server is only ever given one that contains what it has:
 * what a server once had of somebody's changes it has for good.
 *
 * In the store (of administrators only):
 *	pend/op/<number, 10 digits>   one change
 *	pend/base             the header below the changes
 *	pend/had/<Noise key hex>      that server has the changes up to this number
 *	pend/last             number of the last change ever made
 *	pend/highest          highest version ever adopted or looked at
 *	pend/seen/<version, 10 digits>.<hash, 16 hex digits>   whose changes a header holds
 *	pend/dropped/<number> a sentence: this change could not be made upon the other's
 */
#ifndef AMPARO_PENDING_H
#define AMPARO_PENDING_H

#include "bulletin.h"
#include "client.h"
#include "perr.h"

#define PENDING_SEEN_MAX 128     /* headers remembered */
#define PENDING_KIND_MAX 63      /* highest number of a kind */

/* stored: a number keeps its meaning */
enum pending_kind {
	PENDING_SERVER = 1, PENDING_SCHEDULE = 2, PENDING_INVITE = 3, PENDING_CONFIRM = 4,
	PENDING_REFUSE = 5, PENDING_DESK = 6, PENDING_FORM = 7, PENDING_DECOYS = 8,
	PENDING_DROPPED = 9,     /* was not possible; only its number is kept */
	/* rotate.h */
	PENDING_SEASON = 16, PENDING_ACCESS = 17, PENDING_LOWEST = 18, PENDING_PLAN = 19,
	PENDING_REVOKE = 20,
	PENDING_THRESHOLD = 24,
	PENDING_CHARTER = 32,    /* the next charter of a listed desk, signed by its holders */
	PENDING_COUNTERSIGN = 33,        /* a listed desk's first charter, countersigned */
	PENDING_ANSWER_DAYS = 40,
	PENDING_VOID = 44,       /* erase orders of a holder up to a day (id, day) */
	PENDING_SERVER_DROP = 48, PENDING_SERVER_REPLACE = 49
};

/* One change.  Fields that its kind does not use are zero.  Secret: pending_op_free. */
struct pending_op {
	enum pending_kind kind;
	uint32_t number;
	uint8_t id[32];          /* server: Noise key (of the new one); confirm, refuse, lowest, revoke: key id;
	                            form: desk */
	uint8_t ticket[16];      /* invite, confirm, refuse */
	uint8_t slot_pk[32], slot_secret[32];    /* invite, confirm */
	enum roster_role role;   /* invite, confirm */
	uint32_t day;            /* invite, confirm, season, access, revoke */
	char text[3][ROSTER_NAME_MAX + 1];  /* server add, replace: address; invite: note; confirm: name;
	                                       form: id, version, title */
	uint32_t n_languages;    /* confirm */
	char languages[ROSTER_LANGUAGES_MAX][36];
	uint8_t part[32], key[32];          /* form: name and key of its sealed part;
	                                       server replace: part: the old Noise key;
	                                       server: key: its setup key;
	                                       season, revoke: key: the new PSK */
	uint32_t size;           /* form */
	uint32_t numbers[4];     /* schedule: which are meant (bits 0..2), then the three;
	                            decoys: of a day; answer days: how many; those of rotate.h:
	                            see there */
	uint8_t *bytes;          /* desk, charter, countersign: signed charter; confirm: the
	                            answer as it came; access, revoke: the new keys */
	size_t len;
};
/* wipes; o itself is the caller's */
void pending_op_free(struct pending_op *o);
/* its bytes, without the number, as a proposal carries them.  out: for doc_free */
PERR_MUST_CHECK enum perr pending_op_encode(uint8_t **out, size_t *len,
                                           const struct pending_op *o);
/* PERR_FORMAT: not one, or of another version of the program */
PERR_MUST_CHECK enum perr pending_op_decode(struct pending_op *o, const uint8_t *in,
                                           size_t in_len);

struct pending_list {
	struct pending_op *at;
	size_t n;
};
/* all changes, oldest first.  To be freed also after an error. */
PERR_MUST_CHECK enum perr pending_load(struct client *c, struct pending_list *l);
void pending_list_free(struct pending_list *l);

/* is there any? */
PERR_MUST_CHECK enum perr pending_any(struct client *c, bool *any);

/* ---- whose changes a roster holds --------------------------------------------------------- */

enum pending_order {
	PENDING_WITHIN,          /* theirs holds nothing that ours lacks */
	PENDING_BEYOND,          /* theirs holds all of ours, and more */
	PENDING_APART            /* each holds something that the other lacks */
};
enum pending_order pending_compare(const struct roster_admin *ours,
                                   const struct roster_admin *theirs);
/* the number up to which a roster holds this one's changes; 0: none */
uint32_t pending_made(const struct roster_admin *a, const uint8_t key[32]);
/* the roster in memory holds this device's changes up to this number */
PERR_MUST_CHECK enum perr pending_mark(struct client *c, uint32_t number);
/* the same for another administrator's device, whose change is made here (quorum.h) */
PERR_MUST_CHECK enum perr pending_mark_for(struct client *c, const uint8_t key[32],
                                          uint32_t number);
/* give n changes their numbers, the next ones */
PERR_MUST_CHECK enum perr pending_number(struct client *c, struct pending_op *ops, size_t n);

/* ---- inside a batch of the caller's ------------------------------------------------------ */

/*
 * Add n changes (numbered), before the roster that holds them is stored: the first of all
 * keeps the present header as the base.  Does nothing before there is a roster.
 */
PERR_MUST_CHECK enum perr pending_add(struct client *c, const struct pending_op *ops, size_t n);
/* this one could not be made again: forget it, keep the sentence */
PERR_MUST_CHECK enum perr pending_drop(struct client *c, const struct pending_op *o,
                                      const char *why);
/*
 * Forget the changes that the newest roster does not hold, and tell fn (or NULL) each first.
 */
typedef enum perr pending_op_fn(void *arg, const struct pending_op *o);
PERR_MUST_CHECK enum perr pending_withdraw(struct client *c, pending_op_fn *fn, void *arg);
/* another administrator's roster, as it came from a server, becomes the base */
PERR_MUST_CHECK enum perr pending_rebase(struct client *c, const uint8_t *header, size_t len);
/* a header was adopted here, or looked at.  a NULL: it holds nothing that matters here */
PERR_MUST_CHECK enum perr pending_saw(struct client *c, uint32_t version,
                                     const uint8_t hash[32], const struct roster_admin *a);

/* ---- questions and notes ------------------------------------------------------------------ */

/* the base, to hold a header against.  PERR_NOTFOUND: nothing is pending */
PERR_MUST_CHECK enum perr pending_base(struct client *c, struct bulletin_known *k);
/* the highest version ever adopted or looked at; 0: none */
PERR_MUST_CHECK enum perr pending_highest(struct client *c, uint32_t *version);
/*
 * Does this device's roster contain what a server shows (header hash, version)?  false also
 * if that was never looked at.
 */
PERR_MUST_CHECK enum perr pending_covers(struct client *c, const uint8_t hash[32],
                                        uint32_t version, bool *does);
/*
 * A server has the newest roster of this device.  Once all servers of the roster have, the
 * changes are forgotten.  A batch of its own.
 */
PERR_MUST_CHECK enum perr pending_had(struct client *c, const uint8_t server_pk[32]);

/* the sentences of dropped changes, oldest first; then they are forgotten */
typedef void pending_say_fn(void *arg, const char *sentence);
PERR_MUST_CHECK enum perr pending_say(struct client *c, pending_say_fn *fn, void *arg);

#endif
