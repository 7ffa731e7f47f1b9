/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * client: what a member's device knows and is.  The client's core, without I/O.
 *
 * Storage comes as a struct kv, randomness as a struct rng, time through struct
 * client_env; the network through peer.h, which moves bytes only.  The command line
 * supplies a vault, the system's clock and libuv; a browser or a simulator its own.
 *
 * How the client's files stand on each other (arrows point down):
 *
 *	cli/…                      commands for a person
 *	link.c                     libuv: connects, moves bytes, timeouts
 *	sync.c sync_run.c          all servers; a visit: bulletin, board, outbox, inbox; the
 *	                           second without a network, a browser moves the bytes
 *	bring.c                    an administrator's changes to all servers, beside other ones'
 *	org.c enrol.c holders.c    founding, members, desks, forms  (administrators, holders)
 *	charters.c vouch.c         holders of listed desks change; a desk vouches for another
 *	rebase.c apply.c apply_charter.c apply_server.c pending.c press.c   a change of the roster: kept, made, sealed
 *	quorum*.c policies.c       what several administrators sign; what servers are told
 *	ceremony.c recovery.c      a paper holder is made; shares brought together again: shares.c
 *	papers.c                   what everybody knows of paper holders
 *	draft.c                    interviews that are not finished
 *	intake.c assign.c refer.c  seal a record; pass one on, note, answer; to another desk: with
 *	                           saying.c, pass.c, ledger.c, dispatch.c
 *	forward.c leave.c          after a sync: copies for assignees; what is over leaves
 *	custody_say.c custody_body.c reseal.c   after a sync: what is held is told to co-holders;
 *	                           what they lack is sealed to them: with covault.c, holding.c, gone.c
 *	retire.c                   when own private halves die
 *	assigned.c                 who has a record, from what was said
 *	record.c case.c search.c   take one in, merge, look up
 *	export.c export_json.c export_names.c   write as files
 *	case_list.c case_view.c tally.c export_list.c   what a person sees of them, wherever
 *	case_merge.c merge.c       a case's answers after its amendments; the merge, a pure function
 *	outbox.c outbox_ack.c outbox_file.c decoys.c trust.c  cells that wait for servers, as a
 *	                           file too, and decoys; which desks are trusted
 *	backup.c restored.c        a vault in one file, and what is different after it came back
 *	verify.c handed.c          a bulletin, from a server or from a file
 *	peer.c                     requests and answers over one channel
 *	client.c                   this file: identity and the roster as last verified
 *	kv.h  protocol/
 *
 * Names in the store (values are canonical MessagePack unless said otherwise):
 *
 *	me                    identity                                     client.c
 *	roster/header         newest signed header, raw                    client.c
 *	roster/key            level (u8) and key of the newest bodies
 *	roster/field, /staff, /admin   bodies as opened, raw
 *	form/<part name hex>  a form's part, opened: formpack.h
 *	clock                 highest day seen signed, offset to the servers' day
 *	server/<Noise key hex>   what is known of one server               sync.c
 *	pin/<desk id hex>     how a desk came to be trusted                trust.c
 *	batch/<owner hex>     newest signed batch of an owner, raw         notices.c
 *	charter/<document hash hex>  signed charters not yet in the roster, raw  notices.c charters.c
 *	overtaken/<document hash hex>  proposals in whose place others were listed  charters.c
 *	parted/<desk id hex>  how much of a desk that was left is handed over  parting.c
 *	late/<hash hex>       statements for desks not held, to be handed on  late.c
 *	counter/<desk id hex> countersignatures not yet in the roster        vouch.c
 *	prekey/<number, 8 digits>  own batch with private halves           prekeys.c
 *	restored              the day on which this vault came back from a backup   restored.c
 *	seq/<to hex>          last sequence number used                    dispatch.c
 *	outbox/<group, 12 digits>.<part>, outack/<group>   sealed cells, who committed them   outbox.c
 *	decoys                how many decoys are due, and until when that was drawn   decoys.c
 *	draft/<number, 6 digits>, draftfile/…   interviews that are not finished         draft.c
 *	post/<slot>           own board document or join answer to be put  post.c
 *	stmt/…  want/…  blob/…  code/…  fresh/…  custody/…   statements taken in   record.h
 *	case/<record id hex>  statements merged                            case.c
 *	cell/…  chunks/…      the cells they came in                       origin.h
 *	erase/<T hex>         cells whose erasure is asked for             erase.h
 *	erasing/<record hex>, gonecode/…, hold/<record hex>   erasures of cases, legal holds   erasing.h
 *	gone/<record hex>     records that were erased and stay so         gone.h
 *	keep/<desk, 16 hex>   what co-holders were told last               custody_say.h
 *	reseal/…              what co-holders lack, and what was done      reseal.h
 *	text/<2 hex digits>   folded texts for the search                  search.c
 *	paper/…  postmark/…  recovered/…  what is known of paper holders     papers.h
 *	reviewed              the roster under which that was done         case.c
 *	figures/<Noise key hex>  what a server last said of itself         steward.c
 *	left/<record hex>     records that are not this member's any more  leave.h
 *	gaps                  statements that did not arrive, since when   gaps.c
 *	part/<name hex>       sealed parts of the newest bulletin            press.c
 *	pend/…                changes of the roster not yet on every server  pending.c
 *	setup/… answer/<ticket hex>   an administrator's            org.c steward.c
 *	access/<scope> letin/…  access keys of before; which is in force     keyring.c
 *	revoked               the day on which the membership ended          revoked.c
 *	reboard               for which board key own charters were sealed   reboard.c
 *	polsig/… counter/…    policies of servers, signatures for them     policies.c
 *	quorum/…              what several administrators sign             quorum.h
 *	peer/<key id hex>     a member seen before: signing key compared by voice, or not
 */
#ifndef AMPARO_CLIENT_H
#define AMPARO_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"
#include "kv.h"
#include "perr.h"
#include "refusal.h"
#include "rng.h"

struct admins;
struct bulletin;
struct bulletin_header;
struct bulletin_known;
struct cache;
struct desk;
struct papers_watch;
struct sign_key;
struct roster_field;
struct roster_staff;
struct roster_admin;

enum client_role {               /* as PROTOCOL 8.1 */
	ROLE_NONE = 0, ROLE_VOLUNTEER = 1, ROLE_ATTORNEY = 2, ROLE_INTERPRETER = 3,
	ROLE_ADMINISTRATOR = 4
};

enum client_state {
	CLIENT_NOBODY = 0,           /* no identity in this store */
	CLIENT_JOINING = 1,          /* the answer to the invitation is not confirmed yet */
	CLIENT_MEMBER = 2            /* a slot of its own opens */
};

/* which bodies the client's slot opens; each includes those before */
enum client_level { LEVEL_NONE = 0, LEVEL_FIELD = 1, LEVEL_STAFF = 2, LEVEL_ADMIN = 3 };

/* secret: lives in sodium_malloc inside struct client */
struct identity {
	uint8_t sign_pk[32];         /* the key id */
	uint8_t sign_sk[64];
	struct reader_key slot;      /* opens this member's slot */
	uint8_t slot_secret[32];
	struct reader_key old_slot;  /* of the invitation, until the fresh one opens; zero otherwise */
	uint8_t old_slot_secret[32];
	uint8_t genesis[32];         /* hash of the administrators' first link, once known */
	uint8_t anchor[32];          /* of the invitation; zeros for a founder */
	uint8_t guest_key[32];
	uint8_t ticket[16];
	char name[129];
	char languages[16][36];
	unsigned n_languages;
	enum client_role role;       /* as the roster says; ROLE_NONE while joining */
	enum client_state state;
	char first_address[81];      /* server of the invitation, used until a roster is there */
	uint8_t first_server_pk[32];
};

struct client_env {
	struct rng rng;
	/* this device's clock: seconds since 1970-01-01 UTC */
	int64_t (*now)(void *ctx);
	/* the same in milliseconds, for what must not tie; NULL: now, times 1000 */
	int64_t (*now_ms)(void *ctx);
	/*
	 * Run fn(arg, i) for i = 0..n-1, on several cores if there are, and return when all
	 * are done.  NULL: one after the other.  fn touches no kv.
	 */
	void (*parallel)(void *ctx, size_t n, void (*fn)(void *arg, size_t i), void *arg);
	void *ctx;
};

struct client {
	struct kv *kv;                       /* borrowed */
	struct client_env env;
	struct identity *me;                 /* sodium_malloc; never NULL after client_open */

	/* the newest roster that was verified; NULL while none is known */
	struct bulletin_header *header;
	uint8_t header_hash[32];
	enum client_level level;
	uint8_t level_key[32];               /* k_field, k_staff or k_admin */
	struct roster_field *field;          /* level >= LEVEL_FIELD */
	struct roster_staff *staff;          /* level >= LEVEL_STAFF */
	struct roster_admin *admin;          /* level >= LEVEL_ADMIN */
	struct season *seasons;              /* from the field body, newest last */
	size_t n_seasons;
	uint32_t threshold;                  /* of administrators, that a change in memory wants;
	                                        0: as the chain says (apply.h, press.h) */
	uint32_t as_of;                      /* a day that stands for today while a proposal is made
	                                        as its proposer made it (quorum.h); else 0 */
	uint32_t day_seen;                   /* the highest day seen signed */
	int32_t day_offset;                  /* servers' day minus this device's day */
	struct cache *cache;                 /* cache.h; made when first needed */
	struct papers_watch *watch;          /* papers.h: while a board is read; NULL otherwise */
	/* recovery.h: a paper holder's keys, read with beside one's own; NULL otherwise */
	const struct reader_key *borrowed;
	size_t n_borrowed;
	enum refusal refusal;                /* why the last thing was not said: refusal.h */
};

/*
 * Open what the store holds; an empty store gives CLIENT_NOBODY.
 * kv   in: borrowed until client_free
 * PERR_CORRUPT: what is stored does not decode or verify any more.
 */
PERR_MUST_CHECK enum perr client_open(struct client **out, struct kv *kv,
                                     const struct client_env *env);
/* read identity and roster again: after a change in memory that was not published */
PERR_MUST_CHECK enum perr client_reload(struct client *c);
/* wipes and frees; NULL is harmless; the kv stays open */
void client_free(struct client *c);

/* write the identity (inside a batch of the caller's) */
PERR_MUST_CHECK enum perr client_save_me(struct client *c);
/* a fresh signing key, slot key and slot secret for a new member */
void client_new_keys(struct client *c);

/*
 * Today as the members count it: the device's day plus the offset learnt from servers,
 * never below the highest day seen in a signed document.
 */
uint32_t client_day(const struct client *c);
/*
 * The same, but no server can push it ahead: not beyond tomorrow by this device's clock, as
 * long as that is not behind what was seen signed.  For what decides over private keys.
 */
uint32_t client_own_day(const struct client *c);
/* note a server's day (from hello); a difference of more than a day is kept as offset */
PERR_MUST_CHECK enum perr client_saw_day(struct client *c, uint32_t server_day);

/*
 * Verify and adopt a newer roster.  Takes the signed header and the opened bodies' bytes
 * (staff and admin NULL where the level does not reach).  Writes them in one batch and
 * reloads.  Also sets me->role and me->state from it, drops the old slot when the fresh
 * one opened, and follows pins (trust.h).
 * PERR_OLD, PERR_FORK, PERR_CHAIN, PERR_SIGS as bulletin_accept; nothing changes then.
 */
struct roster_bytes {
	const uint8_t *header;  size_t header_len;     /* signed document */
	enum client_level level;
	uint8_t level_key[32];
	bool own_slot;                                 /* me->slot opened it, not me->old_slot */
	const uint8_t *field;   size_t field_len;      /* plain bodies */
	const uint8_t *staff;   size_t staff_len;
	const uint8_t *admin;   size_t admin_len;
	const uint8_t *slots;   size_t slots_len;      /* administrators: kept, to bring it on */
	/* what to hold it against; NULL: what is known here (client_known) */
	const struct bulletin_known *known;
	/* what else has to be written in the same batch, before the roster; NULL: nothing */
	enum perr (*also)(struct client *c, void *arg);
	void *also_arg;
};
PERR_MUST_CHECK enum perr client_adopt(struct client *c, const struct roster_bytes *r);

/* the header adopted last, its administrators, its signed bytes; NULL while none is known */
const struct bulletin *client_bulletin(const struct client *c);
const struct admins *client_admins(const struct client *c);
const uint8_t *client_header_bytes(const struct client *c, size_t *len);
/* what to hold a header against (bulletin.h) */
void client_known(const struct client *c, struct bulletin_known *k);
/* desk number `at` of the roster, verified.  PERR_NOTFOUND: there is none */
PERR_MUST_CHECK enum perr client_desk(const struct client *c, size_t at, struct desk *d);
/* a copy of the signing key: signed_key_wipe it */
void client_sign_key(const struct client *c, struct sign_key *k);

/*
 * The access key to use for a scope (rpc.h), 32 bytes.  PERR_NOTFOUND: this member does
 * not hold it (a volunteer asks for counsel), or no roster is known yet.
 */
PERR_MUST_CHECK enum perr client_access(const struct client *c, int scope, uint8_t key[32]);

/*
 * Is this member a holder of this desk, or of any desk of the roster (desk_id NULL)?
 * PERR_NOMEM: it could not be found out.  For whatever is done or destroyed on the answer.
 */
PERR_MUST_CHECK enum perr client_holds(const struct client *c, const uint8_t desk_id[32],
                                      bool *holds);
/* the same for what is only shown: false also without memory */
bool client_is_holder(const struct client *c, const uint8_t desk_id[32]);

/*
 * A name to show for a key id: from the admin or staff body, "volunteer 7", the name of
 * somebody who left, or "unknown key ab12cd34" (size >= 140).
 */
void client_name_of(const struct client *c, const uint8_t key_id[32], char *out, size_t size);

/* lower-case hex with a prefix, for names in the store: "case/" + 32 bytes -> needs 95 bytes */
void client_key_name(char out[96], const char *prefix, const uint8_t *id, size_t id_len);

#endif
