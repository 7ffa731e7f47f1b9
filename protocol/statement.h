/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * statement: the signed documents inside cells: intakes, amendments, assignments, notes.
 * PROTOCOL section 4.2.
 *
 * A decoded statement borrows its texts from the bytes it was decoded from, which must
 * live as long.  Those bytes are what is signed, hashed and passed on; nothing is ever
 * encoded again.
 */
#ifndef AMPARO_STATEMENT_H
#define AMPARO_STATEMENT_H

#include "case_code.h"
#include "custody.h"
#include "doc.h"
#include "signed.h"

/*
 * Sequence numbers run in stretches: a device restored from a backup begins a new one, which
 * the day of restoring names (PROTOCOL 4.2).  Of a number: its stretch, and its place there,
 * counted from 1.
 */
#define STATEMENT_STRETCH_BITS 19
#define STATEMENT_PLACE_MAX    ((1u << STATEMENT_STRETCH_BITS) - 1)
#define STATEMENT_STRETCH_DAY  20000u    /* stretch s > 0 began on this day + s */
/* the number below the first one of the stretch that begins on this day */
static inline uint32_t statement_stretch(uint32_t day)
{
	uint32_t s = day <= STATEMENT_STRETCH_DAY ? 1 : day - STATEMENT_STRETCH_DAY;

	return (s < 8191 ? s : 8191) << STATEMENT_STRETCH_BITS;
}

#define STATEMENT_MAX          (1u << 20)        /* bytes of one statement */
#define STATEMENT_CONTEXT      "amparo/1 statement"
#define STATEMENT_RECORD_SIZE  16
#define STATEMENT_SALT_SIZE    16
#define STATEMENT_INSTANCE_MAX (512u << 10)
#define STATEMENT_ATTACHMENTS  64
#define STATEMENT_CHANGES      256
#define STATEMENT_LISTS        16                /* of a receipt */
#define STATEMENT_THINGS       256               /* of one list of a receipt */
#define STATEMENT_THING_SIZE   16
#define STATEMENT_KNEW         64

enum statement_kind {
	STATEMENT_INTAKE     = 1,
	STATEMENT_AMENDMENT  = 2,
	STATEMENT_ASSIGNMENT = 3,
	STATEMENT_ANSWER     = 4,
	STATEMENT_NOTE       = 5,
	STATEMENT_STATUS     = 6,
	STATEMENT_ERASE      = 7,
	STATEMENT_CUSTODY    = 8,
	STATEMENT_REFERRAL   = 9,
	STATEMENT_COPY       = 11,
	STATEMENT_RECEIPT    = 13
};

/* decision of an answer */
enum statement_decision { STATEMENT_ACCEPT = 1, STATEMENT_DECLINE = 2 };

/* state of a status */
enum statement_state {
	STATEMENT_OPEN = 1, STATEMENT_ASSIGNED = 2, STATEMENT_RETURNED = 3,
	STATEMENT_RECUSED = 4, STATEMENT_CLOSED = 5, STATEMENT_HELD = 6,
	STATEMENT_UNASSIGNED = 7,
	STATEMENT_REFERRED = 8           /* to the desk `whom` */
};

struct statement_attachment {
	struct doc_text name;            /* 1..128 bytes; a file name, never a path */
	struct doc_text type;            /* media type, 1..64 */
	uint32_t size;                   /* bytes; at most BLOB_SIZE_MAX */
	uint8_t hash[32];                /* H(content) */
};
struct statement_attachments {
	uint32_t n;
	struct statement_attachment at[STATEMENT_ATTACHMENTS];
};

struct statement_intake {
	struct doc_text form_id;         /* 1..64 */
	struct doc_text form_version;    /* 0..32 */
	struct doc_text language;        /* 0..16 */
	struct doc_bytes instance;       /* ODK instance XML, 1..STATEMENT_INSTANCE_MAX */
	char code[CASE_CODE_LEN + 1];
	struct statement_attachments attachments;
	bool has_visit_day;
	uint32_t visit_day;
	struct doc_text transcriber;     /* 1..64; p NULL: absent */
};
struct statement_change {
	struct doc_text path;            /* 1..512; PROTOCOL 4.4 */
	bool is_gone;                    /* the answer, or one of a repeat, is taken away */
	struct doc_text value;           /* 0..65536; p NULL where is_gone */
};
struct statement_amendment {
	char code[CASE_CODE_LEN + 1];
	struct doc_text form_id, form_version;
	uint32_t n_changes;              /* 1..STATEMENT_CHANGES */
	struct statement_change changes[STATEMENT_CHANGES];
	struct statement_attachments attachments;
	uint32_t milli;                  /* of the day, 0..86399999: orders one author's amendments */
	struct doc_bytes knew;           /* hashes of amendments seen, 32 each, rising; 0..STATEMENT_KNEW */
};

/* what an erase request says; PROTOCOL 4.5 */
enum statement_erase_step {
	STATEMENT_ERASE_ASK = 1,         /* the family asks; a holder has to order it */
	STATEMENT_ERASE_ORDER = 2,       /* a holder's word: every reader erases */
	STATEMENT_ERASE_DONE = 3,        /* this reader erased its copy */
	STATEMENT_ERASE_KEPT = 4,        /* this reader keeps its copy under a legal hold */
	STATEMENT_ERASE_STOP = 5         /* a holder's word: what was asked and ordered is not to be */
};
struct statement_erase {
	struct doc_text reason;          /* 0..1024 */
	enum statement_erase_step step;
	bool has_code;
	char code[CASE_CODE_LEN + 1];    /* who asks may know no record id */
};
/* what the client said to it that another desk reads the record */
struct statement_consent {
	struct doc_text text;            /* 1..1024, in the words of whoever recorded it */
	uint32_t day;                    /* on which the client was asked */
	struct doc_text by;              /* 1..128: who asked and recorded it */
	struct doc_text language;        /* 0..16: in which the client was asked */
};
/* what an assigned person is asked to be */
enum statement_role { STATEMENT_NO_ROLE = 0, STATEMENT_ATTORNEY = 2, STATEMENT_INTERPRETER = 3 };

/* assignment, referral and copy */
struct statement_passed {
	struct doc_text reason;          /* 0..1024; not in a copy */
	struct doc_bytes original;       /* a whole statement, 1..STATEMENT_MAX */
	const uint8_t *original_sig;     /* 64 bytes */
	struct statement_consent consent;        /* referral only */
	uint32_t turn;                   /* assignment and copy: from 1 */
	enum statement_role role;        /* assignment */
	uint32_t answer_by;              /* assignment: day; 0: no end */
};
struct statement_answer {
	enum statement_decision decision;
	struct doc_text text;            /* 0..1024 */
	uint32_t turn;                   /* from 1: of the assignment that is answered */
};
struct statement_status {
	enum statement_state state;
	struct doc_text text;            /* 0..1024 */
	bool has_whom;
	uint8_t whom[32];
	bool has_consent;                /* of STATEMENT_REFERRED only */
	struct statement_consent consent;
	uint32_t turn;                   /* from 1; 0: absent, not with assigned or unassigned */
	enum statement_role role;        /* with assigned, and only then */
	uint32_t answer_by;              /* assigned: day; 0: no end */
};
/* what a holder passed on to whom: the first 16 bytes of the hash of each thing, which is a
 * statement or an attachment's content */
struct statement_receipt {
	uint32_t n;                      /* 1..STATEMENT_LISTS */
	struct statement_list {
		uint8_t whom[32];
		uint32_t turn;           /* from 1 */
		struct doc_bytes things; /* n × STATEMENT_THING_SIZE, n 1..STATEMENT_THINGS */
	} to[STATEMENT_LISTS];
};
struct statement {
	enum statement_kind kind;
	uint8_t author[32];              /* key id */
	uint8_t seq_commit[32];          /* statement_sequence */
	uint32_t day;
	uint8_t to[32];                  /* a desk id or a key id */
	uint8_t header_hash[32];         /* of the bulletin header known to the author */
	uint8_t record[STATEMENT_RECORD_SIZE];
	union {
		struct statement_intake intake;
		struct statement_amendment amendment;
		struct statement_passed passed;  /* assignment, referral, copy */
		struct statement_answer answer;
		struct doc_text note;            /* 1..65536 */
		struct statement_status status;
		struct statement_erase erase;
		struct custody custody;
		struct statement_receipt receipt;
	} body;
	bool has_ext;                    /* decoded: fields of a later version were skipped */
};

/*
 * out  out: malloc'd, for doc_free
 * PERR_RANGE: a field is outside its limits, or the whole over STATEMENT_MAX: what is
 * encoded is decoded again before it is handed out.  PERR_FORMAT: text is not UTF-8.
 */
PERR_MUST_CHECK enum perr statement_encode(uint8_t **out, size_t *out_len,
                                          const struct statement *st);
/*
 * PERR_FORMAT.  PERR_UNKNOWN: a kind, or an even ext key, of a later version; kind and the
 * fields before the body are filled all the same, so that it can be verified and kept.
 * Verifies no signature.
 */
PERR_MUST_CHECK enum perr statement_decode(struct statement *st, const uint8_t *in,
                                          size_t in_len);

/* does it hold another statement: assignment, referral, copy? */
bool statement_has_original(enum statement_kind kind);

/* what a repeat is recognised by */
void statement_hash(uint8_t hash[32], const uint8_t *bytes, size_t len);

PERR_MUST_CHECK enum perr statement_sign(uint8_t sig[SIGNED_SIG_SIZE], const struct sign_key *k,
                                        const uint8_t *bytes, size_t len);
/* bytes are those st was decoded from.  PERR_AUTH: not signed by st->author */
PERR_MUST_CHECK enum perr statement_verify(const struct statement *st, const uint8_t *bytes,
                                          size_t len, const uint8_t sig[SIGNED_SIG_SIZE]);

/* the commitment to a sequence number: H(salt, "amparo/1 sequence" || u32 number) */
void statement_sequence(uint8_t commit[32], const uint8_t salt[STATEMENT_SALT_SIZE],
                        uint32_t number);
/* PERR_AUTH: the statement was made with another number or salt.  PERR_FORMAT: number 0 */
PERR_MUST_CHECK enum perr statement_check_opening(const struct statement *st, uint32_t number,
                                                 const uint8_t salt[STATEMENT_SALT_SIZE]);

/*
 * Is it for this reader: `to` is its own key id or a desk it holds?  What is re-sealed to
 * somebody else as if meant for them fails here.
 */
bool statement_addressed_to(const struct statement *st, const uint8_t own[32],
                            const uint8_t (*desks)[32], size_t n_desks);

/*
 * The referral that an assignment or copy passes on, decoded and its signature checked: a desk that
 * was referred a record assigns it with the proof that it may.
 * PERR_NOTFOUND: st passes on no referral.  PERR_AUTH, PERR_FORMAT.
 */
PERR_MUST_CHECK enum perr statement_via(struct statement *via, const struct statement *st);
/*
 * The original statement of an assignment, referral or copy: decoded and its signature checked;
 * of an assignment or copy that passes on a referral, that referral's original.
 * The original's own `to` is that of its first reader and not looked at.
 * PERR_AUTH: a passed signature is wrong.  PERR_STATE: st is of another kind.
 * PERR_FORMAT also: deeper than that, or of a kind that is never passed on (8, 11, 13).
 */
PERR_MUST_CHECK enum perr statement_original(struct statement *original,
                                            const struct statement *st);

#endif
