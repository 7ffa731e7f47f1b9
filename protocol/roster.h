/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * roster: the three bodies of an organisation's list, one for each level.  PROTOCOL
 * section 8.1.
 *
 * A body is one heap object with an arena of its own (arena.h): everything in it lives
 * until roster_*_free, which wipes; texts are ended with a zero.  To change a body, point
 * its fields at new arrays from its arena (arena_grow, arena_str) and encode it.
 */
#ifndef AMPARO_ROSTER_H
#define AMPARO_ROSTER_H

#include "arena.h"
#include "doc.h"
#include "rng.h"

#define ROSTER_BODY_MAX      (1048576u - 20)     /* bytes that fit the largest sealed part */
#define ROSTER_DESKS_MAX     32
#define ROSTER_FORMS_MAX     64
#define ROSTER_SERVERS_MAX   8
#define ROSTER_SEASONS_MAX   16
#define ROSTER_STAFF_MAX     1024
#define ROSTER_VOLUNTEERS_MAX 4096
#define ROSTER_MEMBERS_MAX   4096
#define ROSTER_INVITES_MAX   512
#define ROSTER_GUESTS_MAX    16
#define ROSTER_RETIRED_MAX   40          /* access keys of the other scopes */
#define ROSTER_BOARDS_MAX    4           /* retired board keys of one kind */
#define ROSTER_FORMER_MAX    2048        /* people who were members */
#define ROSTER_REVOKED_MAX   512         /* of them, those whose slot still tells them */
#define ROSTER_EVERY_MIN     7           /* days between planned rotations */
#define ROSTER_EVERY_MAX     400
#define ROSTER_LANGUAGES_MAX 16
#define ROSTER_NAME_MAX      128
#define ROSTER_MADE_MAX      64
#define ROSTER_TICKET_SIZE   16
#define ROSTER_DECOYS_MAX    100000      /* a day */
#define ROSTER_ANSWER_DAYS   7           /* where the body does not say */
#define ROSTER_ANSWER_MAX    365

enum roster_role {
	ROSTER_VOLUNTEER = 1, ROSTER_ATTORNEY = 2, ROSTER_INTERPRETER = 3,
	ROSTER_ADMINISTRATOR = 4
};
/* "volunteer"; static */
const char *roster_role_text(enum roster_role role);

/* ---- keys of the bodies ------------------------------------------------------------------ */

struct roster_keys {
	bool has_admin, has_staff;       /* has_field always, after roster_keys_from_* */
	uint8_t admin[32], staff[32], field[32];
};
void roster_keys_new(struct roster_keys *k, struct rng rng);
void roster_keys_from_admin(struct roster_keys *k, const uint8_t k_admin[32]);
void roster_keys_from_staff(struct roster_keys *k, const uint8_t k_staff[32]);
void roster_keys_from_field(struct roster_keys *k, const uint8_t k_field[32]);
void roster_keys_wipe(struct roster_keys *k);
/* the commitment that stands in the header: H(k, "amparo/1 commit") */
void roster_commit(uint8_t commit[32], const uint8_t key[32]);

/* ---- field body: desks, forms, servers; no member, no name ------------------------------- */

struct roster_lowest {
	uint8_t owner[32];
	uint32_t number;                 /* lowest acceptable batch */
};
struct roster_desk {
	uint32_t lowest_charter;
	uint32_t n_charters;             /* 1..64 */
	struct doc_bytes *charters;      /* signed charters from version 0 on */
	uint32_t n_lowest;               /* 0..16 */
	struct roster_lowest *lowest;
};
struct roster_form {
	const char *id;                  /* 1..64 bytes */
	const char *version;             /* 0..32 */
	const char *title;               /* 1..128 */
	uint8_t desk[32];
	uint8_t part[32];                /* name of the sealed part */
	uint8_t key[32];                 /* of the sealed part */
	uint32_t size;                   /* of the sealed part, bytes */
	bool active;
};
struct roster_server {
	const char *address;             /* "host:port", see address.h */
	uint8_t pk[32];                  /* Noise key */
};
/*
 * PROTOCOL 8.1: "The number of a season is 65,536 times the day on which it was made, and 16
 * random bits": two administrators who make one on the same day give two numbers.
 */
struct roster_season {
	uint32_t number;
	uint8_t psk[32];
};
struct roster_board {
	uint8_t sk[32];
};
struct roster_limits {
	uint32_t attachment_bytes;
	uint32_t attachments;            /* per record */
	uint32_t instance_bytes;
	uint32_t copies;                 /* servers that must have committed a cell */
	uint32_t light_bytes;            /* *light* is offered above this */
	uint32_t retention_days;
	uint32_t period_days;            /* of prekeys */
	uint32_t grace_days;
};
struct roster_field {
	struct arena *mem;
	const char *organisation;        /* 1..64 */
	uint32_t n_desks;
	struct roster_desk *desks;
	uint32_t n_forms;
	struct roster_form *forms;
	uint32_t n_servers;              /* 0..8 */
	struct roster_server *servers;
	uint32_t n_seasons;              /* 1..16, rising; the last one seals */
	struct roster_season *seasons;
	uint8_t field_access[32];
	uint8_t board_sk[32];            /* field board, private half */
	uint8_t inbox_pk[32];
	struct roster_limits limits;
	uint8_t guest_access[32];        /* current; in ext; zeros: as the invitation says */
	uint32_t n_boards;               /* 0..4: field board keys of before, private halves */
	struct roster_board *boards;     /* oldest first; in ext */
	bool has_ext;
};
/* 256 KiB, 16 attachments, 512 KiB, 2 copies, 32 MiB, 60, 14 and 30 days */
void roster_limits_default(struct roster_limits *l);

/* an empty body with default limits, to be filled before it can be encoded (it needs a name,
 * a season and an inbox key); NULL: out of memory */
struct roster_field *roster_field_new(void);
/* out: malloc'd, for doc_free.  PERR_RANGE: a field is outside its limits */
PERR_MUST_CHECK enum perr roster_field_encode(uint8_t **out, size_t *out_len,
                                             const struct roster_field *f);
/* *out: NULL after an error.  PERR_FORMAT; PERR_UNKNOWN: an even ext key; PERR_NOMEM */
PERR_MUST_CHECK enum perr roster_field_decode(struct roster_field **out, const uint8_t *in,
                                             size_t in_len);
void roster_field_free(struct roster_field *f);
/* the newest active entry of a form, or NULL.  version NULL: any */
const struct roster_form *roster_form_find(const struct roster_field *f, const char *id,
                                           const char *version);
/* lowest acceptable batch number of an owner at this desk; 0 if none is set */
uint32_t roster_lowest_batch(const struct roster_desk *d, const uint8_t owner[32]);

/* ---- staff body -------------------------------------------------------------------------- */

struct roster_member {
	uint8_t key[32];
	enum roster_role role;
	const char *name;                /* 1..128 */
	uint32_t n_languages;            /* 0..16 */
	const char **languages;          /* 1..35 bytes each */
	uint32_t lowest_batch;
};
struct roster_volunteer {
	uint8_t key[32];
	uint32_t number;
};
/* who was a member: what such a person wrote before stays what it is */
struct roster_former {
	uint8_t key[32];
	enum roster_role role;
	uint32_t number;                 /* a volunteer's; else 0 */
	const char *name;                /* 0..128; "" for a volunteer */
	uint32_t day;                    /* on which the membership ended */
};
/* erase orders of this holder (zeros: of everybody) up to a day are not carried out */
struct roster_void {
	uint8_t key[32];
	uint32_t day;
};
#define ROSTER_VOIDS_MAX 64
struct roster_staff {
	struct arena *mem;
	uint32_t n_members;
	struct roster_member *members;   /* attorneys, interpreters, administrators */
	uint32_t n_volunteers;
	struct roster_volunteer *volunteers;
	uint8_t counsel_access[32];
	uint8_t board_sk[32];            /* staff board, private half */
	uint32_t decoys_per_day;         /* that attorneys' clients share; in ext; 0: none */
	uint32_t answer_days;            /* an unanswered assignment returns to the desk after so
	                                    many; in ext; 0: never */
	uint32_t n_boards;               /* 0..4: staff board keys of before; in ext */
	struct roster_board *boards;     /* oldest first */
	uint32_t n_former;               /* 0..2048; in ext; oldest first */
	struct roster_former *former;
	uint32_t n_voids;                /* 0..ROSTER_VOIDS_MAX; in ext */
	struct roster_void *voids;
	bool has_ext;
};
struct roster_staff *roster_staff_new(void);
PERR_MUST_CHECK enum perr roster_staff_encode(uint8_t **out, size_t *out_len,
                                             const struct roster_staff *s);
PERR_MUST_CHECK enum perr roster_staff_decode(struct roster_staff **out, const uint8_t *in,
                                             size_t in_len);
void roster_staff_free(struct roster_staff *s);
const struct roster_member *roster_staff_find(const struct roster_staff *s,
                                              const uint8_t key[32]);
const struct roster_volunteer *roster_volunteer_find(const struct roster_staff *s,
                                                     const uint8_t key[32]);
const struct roster_former *roster_former_find(const struct roster_staff *s,
                                               const uint8_t key[32]);

/* ---- admin body -------------------------------------------------------------------------- */

struct roster_enrolled {
	uint8_t key[32];
	enum roster_role role;
	const char *name;                /* 1..128 */
	uint8_t slot_pk[32];
	uint8_t slot_secret[32];
	uint32_t day;                    /* of enrolment */
};
struct roster_invitation {
	uint8_t ticket[ROSTER_TICKET_SIZE];
	enum roster_role role;
	const char *note;                /* 0..128: for whom */
	uint8_t slot_pk[32];
	uint8_t slot_secret[32];
	uint32_t day;
};
struct roster_guest {
	uint8_t key[32];
	uint32_t last_day;               /* 0: no end */
};
struct roster_answered {
	uint8_t ticket[ROSTER_TICKET_SIZE];
};
/*
 * The changes that one administrator's device made, counted from 1: the roster holds all of
 * them up to this number.  Of two rosters, the one that holds at least as many of everybody's
 * contains the other.
 */
struct roster_made {
	uint8_t key[32];
	uint32_t number;
};
/* for the servers' policies (policy.h); field 8 of the admin body */
struct roster_schedule {
	uint32_t release_minutes;        /* 1..1440 */
	uint32_t surge_minutes;          /* 1..1440 */
	uint32_t surge_until;            /* hours since 1970-01-01; 0: no surge */
};

/* an access key of before; servers admit it through its last day */
struct roster_retired {
	uint32_t scope;                  /* 2 field, 3 counsel, 4 steward (rpc.h) */
	uint8_t key[32];
	uint32_t last_day;
};
/* whose slot holds, instead of a key, that the membership ended (bulletin.h) */
struct roster_revoked {
	uint8_t key[32];
	uint8_t slot_pk[32];
	uint8_t slot_secret[32];
	uint32_t day;
};
enum roster_plan_what { ROSTER_PLAN_SEASON, ROSTER_PLAN_ACCESS, ROSTER_PLANS };
struct roster_plan {
	uint32_t every;                  /* days, 7..400; 0: none */
	uint32_t last;                   /* day of the last rotation; 0: never */
};

struct roster_admin {
	struct arena *mem;
	uint32_t n_members;
	struct roster_enrolled *members; /* everybody, volunteers too */
	uint32_t n_invitations;
	struct roster_invitation *invitations;
	uint8_t steward_access[32];
	uint32_t n_guests;               /* 1..16; the last one is current */
	struct roster_guest *guests;
	uint8_t inbox_sk[32];
	uint8_t policy_seed[32];
	uint32_t next_volunteer;
	uint32_t n_answered;
	struct roster_answered *answered;
	struct roster_schedule schedule; /* roster_admin_new: 60, 10, 0 */
	uint32_t n_made;                 /* 0..64, sorted by key */
	struct roster_made *made;
	uint32_t n_retired;              /* 0..40; in ext; oldest first */
	struct roster_retired *retired;
	uint32_t revocations;            /* how many there were ever; in ext */
	uint32_t n_revoked;              /* 0..512; oldest first */
	struct roster_revoked *revoked;
	uint32_t n_inboxes;              /* 0..4: inbox keys of before, for answers on their way */
	struct roster_board *inboxes;    /* oldest first */
	struct roster_plan plans[ROSTER_PLANS];      /* in ext */
	bool has_ext;
};
struct roster_admin *roster_admin_new(void);
PERR_MUST_CHECK enum perr roster_admin_encode(uint8_t **out, size_t *out_len,
                                             const struct roster_admin *a);
PERR_MUST_CHECK enum perr roster_admin_decode(struct roster_admin **out, const uint8_t *in,
                                             size_t in_len);
void roster_admin_free(struct roster_admin *a);
const struct roster_enrolled *roster_admin_find(const struct roster_admin *a,
                                                const uint8_t key[32]);
const struct roster_invitation *roster_invitation_find(const struct roster_admin *a,
                                                       const uint8_t ticket[16]);

#endif
