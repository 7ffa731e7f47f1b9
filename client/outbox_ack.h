/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * outbox_ack: the record outack/<group> of the outbox: what is known of one group of cells.
 * Inside of outbox.c and outbox_file.c: outbox.h has the rules.
 */
#ifndef AMPARO_OUTBOX_ACK_H
#define AMPARO_OUTBOX_ACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "outbox.h"
#include "perr.h"

#define OUTBOX_ACKS      "outack/"
#define OUTBOX_SERVERS   16      /* remembered for a group; a roster has 8 */
#define OUTBOX_BITS_MAX  (OUTBOX_GROUP_MAX / 8)
#define OUTBOX_PARTS_MAX (OUTBOX_GROUP_MAX / OUTBOX_PART)

/* where a submission ends in its group, and how many of the cells up to there are its own */
struct outbox_span {
	uint32_t end, real;
};
/* which server has which cells of one group; bit set: it has committed that cell */
struct outbox_ack {
	uint32_t n;              /* cells */
	uint8_t gone[OUTBOX_PARTS_MAX / 8];      /* parts already erased here */
	bool is_mixed;           /* else it is one submission, and has no spans in the store */
	bool is_saved;           /* all of it is in a file that was saved */
	uint32_t day;            /* since when it waits */
	uint32_t n_spans;
	struct outbox_span spans[OUTBOX_MIX_MAX];
	uint32_t n_servers;
	struct {
		uint8_t pk[32];
		uint8_t bits[OUTBOX_BITS_MAX];
	} at[OUTBOX_SERVERS];
};

static inline bool outbox_bit(const uint8_t *bits, uint32_t i)
{
	return (bits[i / 8] >> (i % 8) & 1) != 0;
}

static inline void outbox_set_bit(uint8_t *bits, uint32_t i)
{
	bits[i / 8] |= (uint8_t)(1u << (i % 8));
}

void outbox_ack_name(char name[KV_NAME_MAX + 1], uint32_t group);
void outbox_part_name(char name[KV_NAME_MAX + 1], uint32_t group, uint32_t part);
/* the group that a record's name is about */
uint32_t outbox_ack_group(const char *name);
uint32_t outbox_ack_parts(const struct outbox_ack *a);

/* PERR_CORRUPT */
PERR_MUST_CHECK enum perr outbox_ack_decode(struct outbox_ack *a, const uint8_t *in, size_t len);
PERR_MUST_CHECK enum perr outbox_ack_load(struct client *c, uint32_t group, struct outbox_ack *a);
/* inside a batch of the caller's */
PERR_MUST_CHECK enum perr outbox_ack_save(struct client *c, uint32_t group,
                                         const struct outbox_ack *a);
/* what this server has; NULL: nothing */
const uint8_t *outbox_ack_bits(const struct outbox_ack *a, const uint8_t pk[32]);

#endif
