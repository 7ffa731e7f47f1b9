/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * charter: who may read a desk's intakes, signed by those who read.  PROTOCOL section 7.2.
 *
 * No administrator's signature counts here: that is the point.  This file is the
 * document; chains, pins and words of a desk are in desk.h.
 */
#ifndef AMPARO_CHARTER_H
#define AMPARO_CHARTER_H

#include "signed.h"

#define CHARTER_HOLDERS_MAX   16
#define CHARTER_NAME_MAX      64
#define CHARTER_COUNTER_MAX   8
#define CHARTER_CHAIN_MAX     64
#define CHARTER_DOC_MAX       1024       /* 16 holders, a paper one, two full names: 765 */
#define CHARTER_COUNTER_TEXT_MAX (32 + CHARTER_DOC_MAX)
#define CHARTER_CONTEXT       "amparo/1 charter"
#define CHARTER_COUNTER_CONTEXT "amparo/1 countersign"

struct charter {
	uint32_t version;
	char name[CHARTER_NAME_MAX + 1];             /* 1..64 bytes, ended with a zero */
	char organisation[CHARTER_NAME_MAX + 1];     /* 1..64 */
	uint32_t threshold;              /* below the number of living holders, or 1 of 1 */
	uint32_t n;                      /* 1..CHARTER_HOLDERS_MAX */
	uint8_t holders[CHARTER_HOLDERS_MAX][32];    /* signing keys, sorted */
	uint8_t previous[32];            /* hash of the charter before; zeros in version 0 */
	/*
	 * The holder that is paper (PROTOCOL 7.4), if the desk has one: intakes are sealed to it
	 * as to any other, but nobody waits for it: it has no device, hence no vault and no
	 * custody, and signs nothing but a recovery.
	 */
	bool has_paper;
	uint8_t paper[32];               /* one of holders; zeros if there is none */
};

/* signatures of another desk's holders under this charter */
struct charter_counter {
	uint8_t desk[32];
	struct signed_sigs sigs;
};
/* signed charter: [document bin, sigs, countersignatures] */
struct charter_signed {
	uint8_t *doc;                    /* malloc'd, owned */
	size_t doc_len;
	struct charter body;             /* doc, decoded */
	uint8_t hash[32];                /* of doc; the desk id if version is 0 */
	struct signed_sigs sigs;
	uint32_t n_counter;
	struct charter_counter *counter; /* malloc'd, owned; in rising order of desk */
};

/* H("amparo/1 charter hash" || document) */
void charter_hash(uint8_t hash[32], const uint8_t *doc, size_t doc_len);
PERR_MUST_CHECK enum perr charter_encode(uint8_t **out, size_t *out_len, const struct charter *c);
PERR_MUST_CHECK enum perr charter_decode(struct charter *c, const uint8_t *in, size_t in_len);

/*
 * A charter without signatures: version 0 (previous is NULL), or the one after
 * `previous`, whose paper holder stays paper as long as it is among the holders.  holders
 * need not be sorted.
 * PERR_RANGE: threshold against n, a repeated holder, a name too long or empty.
 */
PERR_MUST_CHECK enum perr charter_make(struct charter_signed *out, const char *name,
                                      const char *organisation, uint32_t threshold,
                                      const uint8_t (*holders)[32], uint32_t n,
                                      const struct charter_signed *previous);
/* the same, and says which holder is paper: NULL for none.  PERR_RANGE: not one of holders */
PERR_MUST_CHECK enum perr charter_make_paper(struct charter_signed *out, const char *name,
                                            const char *organisation, uint32_t threshold,
                                            const uint8_t (*holders)[32], uint32_t n,
                                            const uint8_t paper[32],
                                            const struct charter_signed *previous);
/* put a holder's signature under it.  PERR_LIMIT */
PERR_MUST_CHECK enum perr charter_sign(struct charter_signed *c, const struct sign_key *k);
/* put a signature of a holder of another desk under it.  PERR_LIMIT */
PERR_MUST_CHECK enum perr charter_countersign(struct charter_signed *c, const uint8_t desk[32],
                                             const struct sign_key *k);
/*
 * Take over signatures that travelled with a copy of the same charter, as on the board:
 * valid ones of `allowed` holders, and countersignatures in the name of `desks` (those of
 * the roster).  Whether a countersignature counts is judged in desk.h.
 * PERR_FORK: not the same document.  PERR_LIMIT: a set was full; the rest was taken.
 */
PERR_MUST_CHECK enum perr charter_merge(struct charter_signed *into,
                                       const struct charter_signed *from,
                                       const uint8_t (*allowed)[32], size_t n_allowed,
                                       const uint8_t (*desks)[32], size_t n_desks);
/* what a countersignature is over, under CHARTER_COUNTER_CONTEXT; its length is returned */
size_t charter_counter_text(uint8_t text[CHARTER_COUNTER_TEXT_MAX], const uint8_t desk[32],
                            const struct charter_signed *c);
/*
 * Who has signed: version 0 needs all its holders; later ones the threshold of previous, or
 * its paper holder alone if that one is no holder any more (a recovery): it counts as all
 * that are needed.
 * n_valid, n_needed  out
 * PERR_CHAIN: version or previous hash does not follow, or a living holder became paper or the
 * other way round.  PERR_OK also when too few signed.
 */
PERR_MUST_CHECK enum perr charter_progress(uint32_t *n_valid, uint32_t *n_needed,
                                          const struct charter_signed *c,
                                          const struct charter_signed *previous);

PERR_MUST_CHECK enum perr charter_signed_encode(uint8_t **out, size_t *out_len,
                                               const struct charter_signed *c);
/* PERR_FORMAT, PERR_NOMEM; *c is { 0 } then.  Verifies no signature */
PERR_MUST_CHECK enum perr charter_signed_decode(struct charter_signed *c, const uint8_t *in,
                                               size_t in_len);
void charter_signed_free(struct charter_signed *c);

bool charter_has_holder(const struct charter *c, const uint8_t key[32]);
/* is this holder paper? */
bool charter_is_paper(const struct charter *c, const uint8_t key[32]);
/* the number of holders with a device of their own, and their keys, sorted */
uint32_t charter_living(const struct charter *c);
uint32_t charter_living_keys(const struct charter *c, uint8_t keys[CHARTER_HOLDERS_MAX][32]);
/* the highest threshold that no single living holder can block */
uint32_t charter_threshold_max(uint32_t living);

#endif
