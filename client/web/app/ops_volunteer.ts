// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The volunteer's operations of the core, as the page calls them: call('fill_answer', {…}).
 *
 * UNITS.  A day is the number of days since 1970-01-01 (UTC), as the protocol counts them:
 * show it with dayToIso.  Sizes are bytes.  Bytes are Uint8Array, never borrowed: what comes
 * out is a copy.  A number is a whole one, 0 or more.  Texts are Unicode without U+0000.
 * "" and [] mean "none"; null is used only where it is named here.
 *
 * ERRORS.  A rejected call is a CoreError {code, why}.  `why` is a sentence of the form in
 * the language of the interview where it is said here, else "".  Any call may also be
 * rejected with
 *   format    an argument is missing, of the wrong type or too long: a fault of the page
 *   state     it makes no sense now: locked; or a fill_* call while no interview is open
 *   nomem     out of memory: nothing was changed
 *   full, io  the store refused; nothing was changed
 *   corrupt   what is stored was altered
 *   store     (from store.ts) the change could not be written: the core is dead until reload
 *
 * DURABILITY.  When a promise of a call that changes something resolves, the change is on
 * the disk of the device, sealed.  There is no "save" to forget.
 */

/* ---- time ------------------------------------------------------------------------------- */

/* What `tz` wants: 1440 + minutes by which local time is ahead of UTC, so that it is never
 * below zero.  Guatemala, UTC-6: 1080. */
export function tzNow(at: Date = new Date()): number {
	return 1440 - at.getTimezoneOffset();
}
/* 20781 → "2026-11-24" */
export function dayToIso(day: number): string {
	return new Date(day * 86400000).toISOString().slice(0, 10);
}
/* "2026-11-24" → 20781; NaN for anything else */
export function isoToDay(iso: string): number {
	return /^\d{4}-\d\d-\d\d$/.test(iso) ? Date.parse(iso + 'T00:00:00Z') / 86400000 : NaN;
}

/* ---- who I am, whom I trust --------------------------------------------------------------- */

export type MemberState = 'nobody' | 'joining' | 'member';
export type Role = '' | 'volunteer' | 'attorney' | 'interpreter' | 'administrator';

/* Why this device seals to a desk; 'unknown': it does not, until two of its words are typed. */
export type Trust = 'unknown' | 'invitation' | 'holder' | 'countersigned' | 'words';

export interface Desk {
	id: Uint8Array;               /* 32 bytes */
	name: string;
	organisation: string;
	words: string[];              /* six, English: to be compared with the training sheet */
	trust: Trust;
	n_holders: number;            /* attorneys who read its interviews */
	i_hold: boolean;              /* this member is one of them */
	n_changes: number;            /* how often its holders changed, by their own signatures */
}

export interface Me {
	state: MemberState;
	name: string;
	role: Role;                   /* '' until confirmed */
	languages: string[];
	organisation: string;         /* "" until the first sync brought the roster */
	roster: number;               /* its version; 0: none is known: sync */
	roster_is_past: boolean;      /* it is past its last day: the administrator must publish */
	today: number;                /* the day the members are at */
	words: string[];              /* four, English, to be said to the administrator on the
	                                 phone; [] before the first sync, and for a member */
	key_words: string[];          /* six, English, of one's own key, for whoever assigns a case
	                                 to this member; [] for a volunteer and before */
	revoked: number;              /* day on which the membership ended; 0: it has not.  What
	                                 waits can be saved to a file (outbox_save) and carried */
	is_doubled: boolean;          /* somebody else uses this member's key, or a second device
	                                 does: call the administrator */
	reads: boolean;               /* opens the desk screens: attorney, interpreter, a holder */
	desks: Desk[];                /* of the roster, in its order */
	attachment_bytes: number;     /* largest allowed attachment; 0 until a roster is known */
	attachments: number;          /* most of them in one interview */
	grace_days: number;           /* what waits longer than so many days can perhaps be opened
	                                 by nobody any more */
	n_drafts: number;             /* interviews not finished, sealed ones with an open slip too */
}

export interface Invitation {
	address: string;              /* "host:port" of the server that is visited first */
}

/* ---- forms --------------------------------------------------------------------------------- */

/*
 * 'ok'          can be filled in and sealed
 * 'untrusted'   can be filled in, not sealed: the desk's words are to be compared first
 *               (desk_ask); never offered without saying so before the first question
 * 'no_keys'     can be filled in, not sealed yet: no attorney of the desk has published
 *               keys; sync
 * 'no_desk'     can be filled in, not sealed: its desk is not in the list of the organisation
 * 'not_here'    its text has not arrived yet; sync
 * 'unreadable'  this program is too old for it
 */
export type FormReady = 'ok' | 'untrusted' | 'no_keys' | 'no_desk' | 'not_here' | 'unreadable';

export interface Lang {
	code: string;                 /* "es": what `lang` wants; as the form says, any length */
	name: string;                 /* "Español (es)", as the form says */
}

export interface Form {
	id: string;
	version: string;
	title: string;
	desk: Uint8Array;             /* id, 32 bytes */
	desk_name: string;            /* "" for 'no_desk' */
	langs: Lang[];                /* []: one language without a name */
	lang: string;                 /* code that fill_begin would take for the `lang` asked for */
	n_questions: number;          /* 0 unless the form can be filled in */
	ready: FormReady;
	n_readers: number;            /* attorneys it can be sealed to today */
	n_holders: number;            /* attorneys the desk has */
}

/* ---- an interview ----------------------------------------------------------------------------- */

export type StepKind = 'question' | 'note' | 'repeat' | 'end';
export type StepType =
	| 'text' | 'int' | 'decimal' | 'date' | 'time' | 'datetime' | 'boolean'
	| 'select1' | 'select' | 'rank' | 'range' | 'place' | 'trace' | 'shape' | 'file'
	| 'confirm';

export interface Option {
	value: string;                /* what fill_answer takes */
	label: string;
	chosen: boolean;
}

/*
 * What the interview stands at.
 *   question  fill_answer, then fill_next; or fill_answer with go
 *   note      nothing to answer: fill_next
 *   repeat    "add another?": fill_add_repeat, or fill_next to go on
 *   end       the review (fill_review), then fill_seal
 *
 * How `text` of fill_answer looks, by type (as ODK stores it; "" takes the answer away):
 *   text      as it is; at most 64 KiB
 *   int       "12"          decimal "1.5" or "1,5"     range   a number between start and end
 *   date      "2026-11-24"  time "09:30"               datetime "2026-11-24T09:30"
 *   boolean   "true", "false"
 *   select1   the option's value
 *   select, rank   values with one blank between, for rank in the order chosen
 *   place     "14.5 -91.4" (latitude, longitude; optionally altitude and accuracy)
 *   trace, shape   places with ";" between
 *   file      by fill_attach only; "" takes the file away
 *   confirm   "OK"
 */
export interface Step {
	kind: StepKind;
	type: StepType;               /* of a question or note; else 'text' */
	number: number;               /* of the question, as on paper; 0: it has none */
	path: string;                 /* "/data/child[2]/age"; of a repeat that of the instance
	                                 that would be added; "" at the end */
	where: string;                /* "Children left alone 2 › Medicines 1"; "" */
	label: string;
	hint: string;
	guidance: string;             /* longer help, for behind a button */
	value: string;                /* the answer as stored; "" */
	shown: string;                /* the answer for people: labels, dates in words */
	required: boolean;            /* without it the interview cannot be sealed */
	options: Option[];            /* select1, select, rank */
	start: string;                /* range: ends and step; else "" */
	end: string;
	by: string;
	media: string;                /* file: "image/*", "audio/*", … as the form asks; "" */
	appearance: string;           /* words for the widget, as the form says: "multiline" … */
	n_instances: number;          /* repeat: how many there are */
	inside: string;               /* path of the innermost instance of a repeat it stands in,
	                                 "/data/child[2]", for fill_remove_repeat; "" */
	file: FileInfo | null;        /* file: the attachment it has; null: none */
	done: number;                 /* questions before it, and all that are asked now: for
	                                 the progress */
	total: number;
}

export interface FileInfo {
	name: string;
	size: number;
}

/* What is asked before the questions of a form that was filled in by hand. */
export interface Paper {
	visit_day: number;            /* 0: to be asked */
	transcriber: string;          /* who types it in; "": to be asked (offer me.name) */
	has_scans: boolean;           /* the question about scans was answered */
	scans: FileInfo[];
	ready: boolean;               /* all three are there: go on to the questions */
}

/* The interview after a call. */
export interface At {
	draft: number;                /* its number, as people name it; 0: nothing was answered yet,
	                                 so nothing is stored */
	step: Step;
	from_review: boolean;         /* the step was opened from the review: fill_next goes back */
}

export interface Interview extends At {
	form: string;
	version: string;
	title: string;
	lang: string;                 /* code of the form's language in use; "" if it has none */
	langs: Lang[];
	is_replaced: boolean;         /* a newer version of the form came since it was begun; this
	                                 one goes on with the old one, and can be sealed */
	ready: FormReady;             /* 'untrusted', 'no_keys', 'no_desk': say it before the first
	                                 question */
	desk: Uint8Array;
	desk_name: string;
	paper: Paper | null;          /* null: not from paper */
}

export interface ReviewRow {
	kind: 'question' | 'note';
	type: StepType;
	number: number;
	path: string;                 /* for fill_jump */
	where: string;
	label: string;
	value: string;
	shown: string;
	required: boolean;
	file: FileInfo | null;
}

/* What keeps an interview from being sealed. */
export interface Fault {
	number: number;               /* 0: no question */
	path: string;                 /* for fill_jump; "" */
	text: string;                 /* one sentence in the interview's language */
}

export interface Draft {
	draft: number;
	day: number;                  /* begun */
	form: string;
	version: string;
	title: string;                /* the id where the form is not here */
	lang: string;
	n_answers: number;
	n_files: number;
	is_paper: boolean;
	is_amendment: boolean;        /* a correction begun with the command line: cannot be opened
	                                 here */
	is_sealed: boolean;           /* only its code is left: show the slip (slip) */
	is_replaced: boolean;
	can_open: boolean;            /* its form is here and can be read */
}

export interface Sealed {
	draft: number;                /* for slip, slip_check, slip_done */
	code: string;                 /* "XXXXX-XXXXX", for the family's slip */
	desk_name: string;
	n_readers: number;            /* attorneys who can open it; this device cannot any more.
	                                 Less than 2 of 2 or more: sync before the next one */
	n_holders: number;
	had_files: boolean;           /* remind: the originals of photographs lie in the gallery */
	is_urgent: boolean;           /* by the marks of the form: find a network now */
}

export interface Slip {
	draft: number;
	code: string;                 /* "XXXXX-XXXXX" */
	desk_name: string;
	is_paper: boolean;            /* copy it onto the paper too */
}

export interface Outbox {
	waiting: number;              /* interviews (and what else was sent) not on all servers that
	                                 are needed; "3 waiting" */
	safe: number;                 /* that became safe since the vault was opened: nothing of
	                                 them is left here, so of earlier ones nothing is known;
	                                 "2 safe" */
	on_one: number;               /* of those waiting: whole on at least one server already */
	needed: number;               /* servers each must reach; 0: no roster yet */
	saved: number;                /* of those waiting: in a saved file, too */
	since: number;                /* day since which the oldest waits; 0: nothing waits */
	late: boolean;                /* it waits so long that its readers may soon not have the
	                                 keys any more: find a network or save to a file today */
	servers: { address: string; lacks: number }[];
}

/* ---- the operations --------------------------------------------------------------------------- */

type None = Record<string, never>;

export interface OpsVolunteer {
	/* A fresh passphrase of six English words, with one blank between.  No vault needed. */
	passphrase_words: { args: None; result: { words: string } };
	/*
	 * Strength, counting every word as one that everybody knows (phrase.h): five words that
	 * do not belong together are enough, or the six that are offered.  No vault needed.
	 * enough    bits that a vault asks for
	 * ok        strong enough: the core makes no vault with less ('key')
	 * is_words  it is six words of our list, however they were typed
	 */
	passphrase_judge: { args: { pass: string };
	                    result: { bits: number; enough: number; ok: boolean; is_words: boolean } };
	/*
	 * Was it typed a second time as it was the first time?  Six words of our list in any
	 * spelling that would unlock, four letters of each; anything else byte by byte.  No vault
	 * needed.
	 */
	passphrase_same: { args: { pass: string; again: string }; result: { same: boolean } };

	me: { args: None; result: Me };

	/*
	 * text: what was pasted or scanned: "amparo:…", with blanks and line ends in it, or a
	 * link that has it behind #.  No vault needed; nothing is stored.
	 * corrupt   a character is wrong or missing
	 * unknown   no invitation, or one for a newer program
	 */
	invite_read: { args: { text: string }; result: Invitation };
	/*
	 * Makes this member's keys.  Afterwards sync, then say me.words to the administrator.
	 * name       1 to 128 bytes, as the organisation knows the person
	 * languages  codes the person speaks ("es", "mam"), at most 16 of at most 35 bytes
	 * state: somebody lives in this vault already.  range: name or languages.
	 * corrupt, unknown: as invite_read.
	 */
	join: { args: { text: string; name: string; languages: string[] }; result: None };

	/*
	 * Trust a desk by its words.  First ask which two of the six are wanted (places 1..6, in
	 * the order to ask them), then give both as typed from paper (any case, four letters are
	 * enough).
	 * notfound: no such desk.  of desk_trust — unknown: one is no word of the list.
	 * auth: they are not the desk's words: nothing is sealed to it.
	 */
	desk_ask: { args: { desk: Uint8Array }; result: { places: number[] } };
	desk_trust: { args: { desk: Uint8Array; places: number[]; words: string[] }; result: None };

	/* Active forms, in the roster's order; lang: what the person reads ("es").  [] without a
	 * roster. */
	forms: { args: { lang: string }; result: { forms: Form[] } };

	/*
	 * Begin an interview; nothing is stored before the first answer.  Whatever was open is
	 * closed (it is saved).
	 * lang   a code of the form's languages; "": the form's own
	 * tz     tzNow()
	 * notfound: no such active form, or its text is not here.  unknown: this program cannot
	 * read it.  limit: the form computes without end (why).
	 */
	fill_begin: { args: { form: string; lang: string; paper: boolean; tz: number };
	              result: Interview };
	/*
	 * Go on with a draft where it stood.
	 * notfound: there is none of this number.  exists: it is sealed: slip.  refused: a
	 * correction of the command line.  unknown: its form is not here or not readable.
	 */
	fill_resume: { args: { draft: number; tz: number }; result: Interview };
	/* Close what is open and wipe it from memory; the draft stays. */
	fill_close: { args: None; result: None };
	/* What is open, anew. */
	fill_open: { args: None; result: Interview };

	/* Where it stands. */
	fill_step: { args: None; result: At };
	/*
	 * The steps that belong on one page with the current one: neighbours in the same group or
	 * instance of a repeat, at most 25 of them.  at: which of them is the current one.
	 */
	fill_page: { args: None; result: At & { steps: Step[]; at: number } };
	/*
	 * Answer a question.  Saved when it resolves.
	 * path  of the question; it becomes the current one
	 * go    true: go on to what follows (at once, in the same call)
	 * range: not accepted, why says it for the person; nothing changed.  notfound: the
	 * question is not asked any more.  state: it takes no answer.
	 */
	fill_answer: { args: { path: string; text: string; go: boolean }; result: At };
	/* At the end, or from the review back to it. */
	fill_next: { args: None; result: At };
	/* notfound: this is the first one. */
	fill_back: { args: None; result: At };
	/*
	 * To a question of the review, or to any path.  review: fill_next comes back to the
	 * review.  notfound: it is not asked with the answers as they are.
	 */
	fill_jump: { args: { path: string; review: boolean }; result: At };
	/* To the end: the review. */
	fill_end: { args: None; result: At };
	/* path: of a step of kind 'repeat'.  limit: a thousand are there. */
	fill_add_repeat: { args: { path: string }; result: At };
	/* path: Step.inside.  Its attachments go too.  state: the form asks for exactly so many. */
	fill_remove_repeat: { args: { path: string }; result: At };
	/* Another language of the form, by its code. */
	fill_lang: { args: { lang: string }; result: Interview };

	/*
	 * Attach a file as the answer of the question at path ("": a scan of the paper form).
	 * What the page made smaller is looked at again: metadata (place, camera, date) is taken
	 * out of JPEG, PNG and WebP.  The name is kept where it can be, else changed.
	 * name    without folder; its ending is set by the content
	 * bytes   at most me.attachment_bytes
	 * unknown: content of no kind that is taken (HEIC, TIFF, a program).  corrupt: a picture
	 * that is cut off or damaged.  range: too large, empty, or why: the form does not want it.
	 * limit: no more attachments fit into this interview.
	 */
	fill_attach: { args: { path: string; name: string; bytes: Uint8Array };
	               result: At & { file: FileInfo; paper: Paper | null } };
	/* The content of an attachment of the open interview.  notfound. */
	fill_file: { args: { name: string }; result: { bytes: Uint8Array; media: string } };
	/* Take a scan away again (an answer's file: fill_answer with ""). */
	fill_scan_drop: { args: { name: string }; result: { paper: Paper } };
	/*
	 * What stands before the questions of a form from paper; all three are given each time,
	 * 0, "" and false for what is not known yet.
	 * range: a day in the future or the name (1..64 bytes).  state: not from paper.
	 */
	fill_paper: { args: { visit_day: number; transcriber: string; has_scans: boolean };
	              result: { draft: number; paper: Paper } };

	/* Every question with an answer or without, and what keeps it from being sealed. */
	fill_review: { args: None;
	               result: { rows: ReviewRow[]; faults: Fault[]; paper: Paper | null } };
	/* The second half of it. */
	fill_check: { args: None; result: { faults: Fault[] } };
	/*
	 * Seal it for the attorneys of its desk.  Answers and files are erased in the same batch;
	 * the code is left for the slip until slip_done.
	 * refused: the desk is not trusted here: desk_ask.  notfound: no attorney has published
	 * keys, or the desk is gone: sync.  format: something of it is missing or wrong: the first
	 * fault is in why; fill_review has all.  range: larger than the organisation allows.
	 */
	fill_seal: { args: None; result: Sealed };

	/* All of them, oldest first: also sealed ones whose slip is not done. */
	draft_list: { args: None; result: { drafts: Draft[] } };
	/* For good.  notfound.  exists: it is sealed; slip_done is meant. */
	draft_drop: { args: { draft: number }; result: None };

	/* The code again: after a reload, before slip_done.  notfound: none, or not sealed. */
	slip: { args: { draft: number }; result: Slip };
	/* What the volunteer reads from the slip: is it the code?  Any spelling. */
	slip_check: { args: { draft: number; text: string }; result: { ok: boolean } };
	/* It is on the slip: the device forgets the code. */
	slip_done: { args: { draft: number }; result: None };

	outbox: { args: None; result: Outbox };
	/*
	 * Forget what waits: what is in a saved file (all: false), or everything.  What no server
	 * and no file has is lost for good: ask first.  n: how many.
	 */
	outbox_clear: { args: { all: boolean }; result: { n: number } };
}
