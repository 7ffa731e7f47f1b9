/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * night: one run of the two worlds.  An organisation is founded on a fresh server, and one
 * night and the days after it go by: real clients make real cells, a real store and host
 * take them, release them in a surge and by the hour, rest and apply erasures, settle,
 * restart.  Clock, network and randomness are the test's: a run is a function of its side
 * and its seed, byte for byte (but for what the machine puts beside files: free space,
 * times, inode numbers).
 *
 * What both sides have in common is all that a server may know: who connects with which
 * scope at which moment, how many cells are put in it and how many commits that takes,
 * releases, erasures, restarts, the number of members, desks and forms.
 *
 * What differs is all that it may not:
 *
 *	                 side 0                       side 1
 *	clients          short names                  long names, other alphabets
 *	intakes          one with many photographs    many without any
 *	repeats          nobody comes twice           one family three times, the same photograph
 *	form             the first                    mostly the second, which is longer
 *	attorneys        all cases to one             half of them to another
 *	holders          assign                       write notes instead
 *	late at night    nobody: decoys               intakes
 *	erased           chunks of a photograph       statements
 *	staff, desk      other names
 */
#ifndef AMPARO_WORLDS_NIGHT_H
#define AMPARO_WORLDS_NIGHT_H

#include "answers.h"
#include "feature.h"

/* what a leaky server or client would do, each a control that must be caught */
enum night_leak {
	NIGHT_LEAK_BYTE,        /* cells for an attorney carry a byte that says which */
	NIGHT_LEAK_ORDER,       /* the segment's writer puts cells down attorney by attorney */
	NIGHT_LEAK_COUNT,       /* `status` counts one attorney's cases among the joins */
	NIGHT_LEAK_SIZE,        /* state.mdb grows with one attorney's cases */
	NIGHT_LEAK_FAINT,       /* a bias in every byte, too faint to be seen in any one */
	NIGHT_LEAKS
};
const char *night_leak_text(enum night_leak l);

struct night_result {
	struct features plain;
	struct features leaky[NIGHT_LEAKS];      /* n = 0 where not asked for */
	unsigned n_cells, n_waiting;             /* left on the server; of them in the pool */
};

/*
 * Live through one night.
 * side        in: 0 or 1          seed  in: 32 bytes
 * with_names  in: of plain
 * with_leaks  in: also what the controls would have left
 * out: night_result_free.  Ends the program if anything goes otherwise than it should.
 */
void night_live(struct night_result *out, int side, const uint8_t seed[32], int with_names,
                int with_leaks);
void night_result_free(struct night_result *r);

/* once, before sodium_init: from now on libsodium's randomness follows the seeds */
void night_init(void);

#endif
