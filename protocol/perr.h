/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * perr: the one list of errors of the whole program.
 *
 * Classes stay apart, so that a caller can decide without knowing the module:
 *   not yet           PERR_MORE: feed more bytes; not a failure
 *   peer's fault      the bytes came from somebody else and are wrong
 *   caller's fault    an argument is wrong; a program error or a user's input
 *   no resources      memory, space, a limit
 *   our disk          the system call failed, or what was stored is damaged
 *
 * perr_text() gives a lower-case clause without a full stop, for the middle of
 * a sentence.  It never holds a key, an id or an address.
 */
#ifndef AMPARO_PERR_H
#define AMPARO_PERR_H

#define PERR_LIST(X) \
	X(PERR_OK,        "no error") \
	X(PERR_MORE,      "more input is needed") \
	/* the peer's fault */ \
	X(PERR_FORMAT,    "the bytes do not have the agreed form") \
	X(PERR_AUTH,      "authentication failed") \
	X(PERR_NOTMINE,   "no key held here opens it") \
	X(PERR_SIGS,      "valid signatures are missing") \
	X(PERR_OLD,       "an older version than the one already known") \
	X(PERR_FORK,      "another document of the same version is already known") \
	X(PERR_CHAIN,     "it does not follow from what is already trusted") \
	X(PERR_UNKNOWN,   "it is of a kind this program does not know") \
	X(PERR_TRUNCATED, "the other side ended without saying goodbye") \
	X(PERR_REFUSED,   "the other side refused") \
	X(PERR_REPLAY,    "it was seen before") \
	/* the caller's fault */ \
	X(PERR_RANGE,     "a value is out of range") \
	X(PERR_KEY,       "a key is unusable") \
	X(PERR_STATE,     "not possible in this state") \
	X(PERR_NOTFOUND,  "not found") \
	X(PERR_EXISTS,    "it is there already") \
	/* no resources */ \
	X(PERR_NOMEM,     "out of memory") \
	X(PERR_FULL,      "no space is left") \
	X(PERR_LIMIT,     "a limit is reached") \
	X(PERR_NET,       "the network did not answer") \
	X(PERR_TIMEOUT,   "time ran out") \
	/* our disk */ \
	X(PERR_IO,        "the disk reported an error") \
	X(PERR_CORRUPT,   "what is stored is damaged")

enum perr {
#define PERR_ENUM(name, text) name,
	PERR_LIST(PERR_ENUM)
#undef PERR_ENUM
	PERR_COUNT
};

#define PERR_MUST_CHECK __attribute__((warn_unused_result))

/* text   out: static string, never NULL, also for a value outside the list */
const char *perr_text(enum perr err);
/* name   out: "PERR_AUTH"; static, never NULL */
const char *perr_name(enum perr err);

#endif
