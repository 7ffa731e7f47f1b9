/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * paper: a holder without a device: what follows from its seed, and the shares of that seed as
 * they stand on sheets of paper.  PROTOCOL section 7.4.
 *
 * The seed exists at three moments only: at the ceremony, at a rehearsal, at a recovery; each
 * time in sodium_malloc of one device, for as long as it takes.  How a seed becomes shares is
 * in the client's shares.h.
 *
 * A share has no secret but itself: fewer than `need` of them say nothing about the seed.
 */
#ifndef AMPARO_PAPER_H
#define AMPARO_PAPER_H

#include "batch.h"
#include "signed.h"

#define PAPER_SEED_SIZE   32
#define PAPER_KEYS        BATCH_KEYS_MAX
#define PAPER_PERIOD      14             /* days: 64 keys reach 896 days, two yearly ceremonies */
#define PAPER_SHARES_MAX  16
#define PAPER_SET_SIZE    4
#define PAPER_SHARE_SIZE  45
#define PAPER_WORDS       36             /* 45 bytes are 36 words of ten bits */
#define PAPER_TEXT_SIZE   80             /* "amparo-share:" and 60 characters; the 0 included */
#define PAPER_CONTEXT     "amparo/1 paper"

/* ---- what follows from the seed ------------------------------------------------------------ */

/* the holder's signing key.  k out: secret, signed_key_wipe */
void paper_sign_key(struct sign_key *k, const uint8_t seed[PAPER_SEED_SIZE]);
/*
 * The holder's batch and its private halves, by the one-way chain: whoever finds a later state
 * of the chain finds no earlier key.
 * sks  out: PAPER_KEYS private halves, secret; NULL: not wanted
 */
void paper_batch(struct batch *b, uint8_t (*sks)[32], const uint8_t seed[PAPER_SEED_SIZE],
                 uint32_t first_day);
/* the name of a set of shares: which holder of which desk they are for */
void paper_set_id(uint8_t id[PAPER_SET_SIZE], const uint8_t key[32], const uint8_t desk[32]);

/* ---- a share ------------------------------------------------------------------------------- */

struct paper_share {
	uint8_t set[PAPER_SET_SIZE];
	uint32_t day;                    /* of the ceremony, 0..65535 */
	uint32_t need, of;               /* 2..of, ..PAPER_SHARES_MAX */
	uint32_t index;                  /* 1..of */
	uint8_t bytes[PAPER_SEED_SIZE];
};

/* PERR_RANGE: a number is out of its limits */
PERR_MUST_CHECK enum perr paper_share_encode(uint8_t out[PAPER_SHARE_SIZE],
                                            const struct paper_share *s);
/* PERR_FORMAT: of another version, or a number is out of its limits.  PERR_AUTH: the check */
PERR_MUST_CHECK enum perr paper_share_decode(struct paper_share *s,
                                            const uint8_t in[PAPER_SHARE_SIZE]);
/* as the QR code holds it */
PERR_MUST_CHECK enum perr paper_share_text(char out[PAPER_TEXT_SIZE], const struct paper_share *s);
/* blanks and line ends are ignored.  PERR_FORMAT, PERR_AUTH */
PERR_MUST_CHECK enum perr paper_share_from_text(struct paper_share *s, const char *text);
/* as it is typed: numbers of words.h */
PERR_MUST_CHECK enum perr paper_share_words(uint16_t words[PAPER_WORDS],
                                           const struct paper_share *s);

enum paper_slip {
	PAPER_SLIP_NONE,                 /* no single slip explains it */
	PAPER_SLIP_WORD,                 /* word `at` was misread: it is `right` */
	PAPER_SLIP_SWAPPED               /* words `at` and `at` + 1 changed places */
};
struct paper_wrong {
	enum paper_slip slip;
	unsigned at;                     /* 0..PAPER_WORDS-1 */
	uint16_t right;                  /* what stands on the sheet at `at` */
};
/*
 * From words typed.  PERR_FORMAT: of another version.  After PERR_AUTH *wrong says which one word is not the
 * sheet's, found by trying: a wrong guess among the 37,000 passes the check of 40 bits once in
 * 30 million cases.
 */
PERR_MUST_CHECK enum perr paper_share_from_words(struct paper_share *s, struct paper_wrong *wrong,
                                                const uint16_t words[PAPER_WORDS]);
/* what everybody who holds the desk may know of a share: H of it; says nothing about the seed */
PERR_MUST_CHECK enum perr paper_proof(uint8_t proof[32], const struct paper_share *s);

/* ---- the document on the board --------------------------------------------------------------- */

/* what co-holders know of the paper; signed by the paper key itself */
struct paper_doc {
	uint8_t key[32], desk[32];
	uint32_t day;                    /* of the ceremony */
	uint32_t need, of;
	uint8_t proofs[PAPER_SHARES_MAX][32];    /* of share 1..of */
	uint32_t rehearsed;              /* day of the last rehearsal; 0: none yet */
};
PERR_MUST_CHECK enum perr paper_doc_encode(uint8_t **out, size_t *out_len,
                                          const struct paper_doc *d);
PERR_MUST_CHECK enum perr paper_doc_decode(struct paper_doc *d, const uint8_t *in, size_t in_len);
/* out: the signed document, for doc_free.  PERR_KEY: k is not the document's */
PERR_MUST_CHECK enum perr paper_doc_sign(uint8_t **out, size_t *out_len, const struct paper_doc *d,
                                        const struct sign_key *k);
/* PERR_FORMAT.  PERR_SIGS: not signed by the paper key */
PERR_MUST_CHECK enum perr paper_doc_open(struct paper_doc *d, const uint8_t *in, size_t in_len);
/* does a count instead of b?  The same paper, rehearsed later.  b may be NULL */
bool paper_doc_supersedes(const struct paper_doc *a, const struct paper_doc *b);

#endif
