// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The attorney's operations of the core, as the page calls them: call('cases', {…}).
 *
 * UNITS.  As in ops_volunteer.ts: a day is days since 1970-01-01 (dayToIso), a size is bytes,
 * a number is whole and 0 or more.  null means "there is none" and stands only where it is
 * named.  All arguments are always given.
 *
 * IDS.  Cases, people, desks and contents of attachments are named by lower-case hex, so that
 * they can be compared with === and stand in an address: RecordId 32 digits, the others 64.
 *
 * LANGUAGE.  `lang` is a language of the form ("es"); "" or one that the form does not have:
 * its default.  Labels and answers come in it.  Everything else is a code or a number: the
 * page has the sentences.
 *
 * ERRORS.  Beside those that any call may give (ops_volunteer.ts):
 *   notfound  no such case, attachment or person here (any more): it may have left the device
 *             at a sync.  Back to the list
 *   refused   not possible, or not this member's to do; nothing was changed.  `why` is then
 *             a Refusal, never a sentence
 *   range     a text is too long
 * `state` also: this member reads no cases (me.reads is false).
 *
 * DURABILITY.  What an act says is sealed, in the outbox and on the disk when its promise
 * resolves; the next sync sends it.
 */

export type RecordId = string;   /* 32 hex digits */
export type KeyId = string;      /* 64 hex digits: a person */
export type DeskId = string;     /* 64 hex digits */
export type ContentId = string;  /* 64 hex digits: an attachment's content */

export function hexOf(bytes: Uint8Array): string {
	let out = '';
	for (const b of bytes) out += b.toString(16).padStart(2, '0');
	return out;
}

/* why an act was refused: CoreError {code: 'refused', why: Refusal} */
export type Refusal =
	| 'not_holder'      /* only the attorneys who hold the case's desk can do that */
	| 'not_assigned'    /* the case was not assigned to this member */
	| 'not_compared'    /* the six words of this person were not compared by voice: person_words,
	                       then person_compared, then again */
	| 'not_member'      /* this person is no attorney or interpreter of the organisation (any more) */
	| 'has_it'          /* they have accepted it already */
	| 'asked'           /* they were asked already and have not answered yet */
	| 'has_it_not'      /* they do not have it: nothing to take back */
	| 'recused'         /* they recused themselves: they never get it; or it was said already */
	| 'answered'        /* this member gave that answer already */
	| 'withdrawn'       /* the desk took it back meanwhile */
	| 'too_late'        /* the time to answer was over, and somebody else has it now */
	| 'closed'          /* it is closed: reopen it first; or it is closed already */
	| 'not_closed'      /* it is not closed */
	| 'alone'           /* a correction whose interview has not arrived yet */
	| 'erased'          /* erased everywhere else, here under a legal hold only: nothing is passed on */
	| 'no_keys'         /* this person, or nobody of the desk, has published keys yet: sync */
	| 'no_desk'         /* the organisation does not list its desk (any more) */
	| 'untrusted'       /* its desk is not trusted on this device */
	| 'same_person'     /* from and to are one */
	| 'other';          /* anything else */

/* ---- people --------------------------------------------------------------------------------- */

export interface Who {
	key: KeyId;
	name: string;                 /* of a volunteer "volunteer 7", of a stranger "unknown key ab12cd34" */
	me: boolean;
}

export type PersonRole = 'attorney' | 'interpreter';

/*
 * What somebody has to do with a case.
 *   offered    asked, no answer yet          accepted   has it
 *   silent     asked, no answer in time: it is back at the desk
 *   late       said yes when another one had it already
 *   declined, withdrawn (taken back by the desk), recused (never again): over
 */
export type PersonState =
	| 'offered' | 'accepted' | 'declined' | 'withdrawn' | 'recused' | 'late' | 'silent';

export interface CasePerson extends Who {
	role: PersonRole;
	state: PersonState;
	since: number;                /* day of what stands */
	answer_by: number;            /* last day for an answer; 0: no end.  For offered, silent */
}

/* somebody a case can be given to */
export interface Person extends Who {
	role: PersonRole;
	languages: string[];          /* "es", "mam" */
	holder: boolean;              /* of the case's desk (or of any desk, without a case) */
	compared: boolean;            /* their six words were compared by voice; always true for oneself */
	keys: boolean;                /* something can be sealed to them */
	n_open: number;               /* open cases they have or are asked to take, as seen from here */
	state: PersonState | null;    /* in this case; null: nothing, or no case was named */
	refused: Refusal | null;      /* why case_assign would refuse; null: it can be assigned */
}

export interface CaseDesk {
	id: DeskId;
	name: string;
	organisation: string;
	i_hold: boolean;              /* this member holds it, and so may assign its cases */
	holders: Who[];               /* attorneys who read everything sent to it */
	n_cases: number;              /* that are here */
}

/* ---- the list ------------------------------------------------------------------------------- */

/*
 * What attorneys make of a case.
 *   open      nobody has it           assigned  somebody was asked
 *   accepted  somebody said yes       returned  everybody asked said no, or nothing
 *   held, closed
 */
export type CaseState = 'open' | 'assigned' | 'accepted' | 'returned' | 'held' | 'closed';

export interface Due {
	day: number;
	label: string;                /* of the question that says so; "" if it has none */
	overdue: boolean;             /* the day is before today */
}

export interface CaseRow {
	record: RecordId;
	code: string;                 /* as on the slip: "7K3QX-M0T9Z" */
	title: string;                /* who it is about; the code where nobody is named; "" if recused */
	recused: boolean;             /* this member recused themselves: it is listed, never opened */
	day: number;                  /* of the interview */
	received: number;             /* day */
	desk: DeskId;
	desk_name: string;            /* "" if the desk is not listed (any more) */
	form_id: string;
	language: string;             /* in which the interview was held */
	state: CaseState;
	urgent: boolean;
	due: Due | null;              /* the next deadline, else the last one that passed;
	                                 of the view 'due': the one this row is about */
	mine: boolean;                /* assigned to this member, answered or not */
	my_state: PersonState | null; /* null: this member was never asked */
	unanswered: boolean;          /* returned because somebody did not answer in time */
	pending: boolean;             /* a sender is not enrolled (yet): ask the administrator who it is */
	twice: boolean;               /* two interviews carry one record number: read both with care */
	alone: boolean;               /* a correction whose interview has not arrived */
	held: boolean;                /* under a legal hold on this device */
	n_attachments: number;
	n_notes: number;
	n_corrections: number;
	n_conflicts: number;          /* answers on which corrections differ */
	people: CasePerson[];         /* who has it or was asked; while nobody has it also who said no */
}

/*
 * all         every case: urgent, then by the next deadline, then the newest; closed ones last
 * mine        assigned to this member, answered or not; in the same order
 * waiting     waits for an attorney: first what nobody answered in time, then what was given
 *             back, then what nobody has, then what somebody was asked to take
 * unassigned  the same without the last
 * due         one row for each deadline up to `days` from today, earliest first, overdue ones
 *             too; closed cases are left out.  A case with two deadlines has two rows
 */
export type CaseView = 'all' | 'mine' | 'waiting' | 'unassigned' | 'due';

export interface CaseFilter {
	view: CaseView;
	state: CaseState | null;      /* only these */
	desk: DeskId | null;          /* only of this one */
	days: number;                 /* of the view 'due', at most 3650; else 0 */
	from: number;                 /* rows left out at the beginning */
	n: number;                    /* rows wanted, at most 500 */
}

export interface CaseList {
	total: number;                /* rows there are with this filter */
	n_urgent: number;             /* of them */
	n_overdue: number;            /* of them: whose `due` is overdue */
	n_hidden: number;             /* kept aside besides: assigned by somebody the organisation
	                                 does not list.  0 for a search and for 'due' */
	rows: CaseRow[];
	stamp: number;                /* rises whenever the list may have changed: pages of one stamp
	                                 fit together.  After another one begin again */
}

/* ---- one case ------------------------------------------------------------------------------- */

/*
 * group     a heading; value and shown are ""
 * repeat    one of several, `index` of `of`: a child, a paper
 * question  what was asked and answered
 * note      a text of the form that was read aloud; nobody answered it
 * hidden    calculated or recorded without a question
 * unknown   the form has no such question; label is its short name
 */
export type RowKind = 'group' | 'repeat' | 'question' | 'note' | 'hidden' | 'unknown';

/* one thing that somebody said of an answer afterwards */
export interface Said {
	who: Who;
	day: number;
	shown: string | null;         /* "": left blank; null: taken away */
}

/*
 * corrected  the answer is that of a correction    added     a correction adds it
 * conflict   corrections differ: `said` has them, the row shows one; somebody must settle it
 * doubt      one takes it out, another corrects something in it; it stays for now
 */
export interface Changed {
	how: 'corrected' | 'added' | 'conflict' | 'doubt';
	said: Said[];                 /* what stands now: one, or several in a conflict */
	before: string;               /* at the interview; "": nothing */
}

export interface CaseAnswer {
	kind: RowKind;
	depth: number;                /* 0 at the top */
	index: number;                /* of a repeat, from 1; else 0 */
	of: number;
	number: number;               /* of the question, as on paper; 0: none */
	label: string;
	value: string;                /* as it is stored */
	shown: string;                /* for people; several lines are possible */
	path: string;
	file: ContentId | null;       /* a photograph that is this answer: case_blob */
	changed: Changed | null;
	anew: boolean;                /* calculated anew because of corrections */
}

/* an answer that has no row any more */
export interface Taken {
	label: string;
	path: string;
	changed: Changed;
}

export interface CaseInterview {
	who: Who;                     /* who held it */
	enrolled: boolean;            /* false: not (yet) in the organisation's list */
	day: number;
	transcriber: string;          /* who copied it from paper; "": nobody did */
	answers: CaseAnswer[];        /* in the form's order; [] if unreadable */
	taken: Taken[];
	faults: string[];             /* what the form says of the answers as corrected; sentences of
	                                 the form in `lang` */
	raw: string;                  /* the text as sent, if it cannot be read as answers; else "" */
}

/*
 * counts    it is the answer            conflict  it stands, and so does another one
 * replaced  a later word replaced it    unknown   the form has no such question
 * computed  a calculated value          no_place  there is no such child, paper …
 * taken_out … or it was taken out       waiting   what it belongs to is not here
 * pending   its sender is not enrolled  form      it is for another form
 * many      more corrections than are merged
 */
export type ChangeFate =
	| 'counts' | 'conflict' | 'replaced' | 'unknown' | 'computed' | 'no_place' | 'taken_out'
	| 'waiting' | 'pending' | 'form' | 'many';

export interface Correction {
	who: Who;
	enrolled: boolean;
	day: number;
	changes: { label: string; path: string; value: string | null /* taken away */; fate: ChangeFate }[];
}

export interface CaseAttachment {
	id: ContentId;
	name: string;                 /* safe as a file's name */
	type: string;                 /* as its sender says; never to be trusted: case_blob looks */
	size: number;
	here: boolean;                /* false: not arrived yet; sync */
	label: string;                /* the question it answers; "": none, or taken away */
	correction: boolean;          /* it came with a correction */
}

export interface Consent {
	text: string;                 /* what the family agreed to */
	by: string;
	day: number;
	language: string;             /* "" if not said */
}

/*
 * assigned, unassigned   whom; role and answer_by of assigned
 * accepted, declined     by who
 * note                   text
 * closed, reopened, held, returned
 * recused                who, a conflict of interest
 * referred               to the desk desk_name, with the family's consent
 * erase_asked erase_ordered erase_done erase_kept erase_stopped
 * later                  only a newer program can read it
 */
export type EventKind =
	| 'assigned' | 'unassigned' | 'accepted' | 'declined' | 'note' | 'closed' | 'reopened'
	| 'held' | 'returned' | 'recused' | 'referred' | 'erase_asked' | 'erase_ordered'
	| 'erase_done' | 'erase_kept' | 'erase_stopped' | 'later';

export interface CaseEvent {
	kind: EventKind;
	who: Who;
	enrolled: boolean;
	day: number;
	text: string;                 /* the note, the reason; "" */
	whom: Who | null;
	role: PersonRole;
	answer_by: number;            /* day; 0: none */
	desk_name: string;
	counts: boolean;              /* false: not theirs to say, it changes nothing */
	consent: Consent | null;
}

export interface CaseShow {
	row: CaseRow;
	who: Who;                     /* who held the interview */
	form_title: string;           /* "" if the form is not here: questions have short names then */
	form_version: string;
	langs: { code: string; name: string }[];      /* of the form, to choose from */
	lang: string;                 /* the one used; "" if it has one without a name */
	urgent: { label: string; shown: string }[];   /* the answers that make it so */
	due: Due[];                   /* all, by day */
	people: CasePerson[];         /* all, also whose part in it is over */
	interviews: CaseInterview[];      /* the first is the case's; more only if row.twice; [] if row.alone */
	corrections: Correction[];    /* in order */
	attachments: CaseAttachment[];
	events: CaseEvent[];          /* since then, in order: notes, assignments, … */
	from: { day: number; who: Who; desk_name: string; consent: Consent } | null;
	                              /* by whom it was referred to this desk */
	hold: number;                 /* day since which it is under a legal hold here; 0: it is not */
	erasing: { state: 'asked' | 'ordered' | 'kept'; due: number /* day it goes; 0: not ordered */;
	           by: Who | null } | null;
	may: {                        /* what this member can do now */
		note: boolean; assign: boolean; unassign: boolean; accept: boolean; decline: boolean;
		recuse: boolean; close: boolean; reopen: boolean; hold: boolean; unhold: boolean;
	};
}

/* by its first bytes, whatever its sender said.  'image/*': the page may show it in an <img>;
 * anything else is only offered as a file */
export type Media =
	| 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp' | 'application/pdf'
	| 'audio/mpeg' | 'audio/ogg' | 'audio/wav' | 'audio/mp4' | 'video/mp4' | 'audio/webm'
	| 'application/octet-stream';

/* ---- acts ----------------------------------------------------------------------------------- */

export interface Told {
	n_readers: number;            /* others it was sealed to; 0: nobody else has this case */
	n_without: number;            /* others who have not published keys: it follows */
	gone: boolean;                /* the case has left this device: back to the list */
}

export interface Assigned {
	n_attachments: number;        /* sealed for the person */
	n_missing: number;            /* not on this device yet: they follow by themselves */
	n_told: number;               /* co-holders */
	n_untold: number;             /* co-holders without keys */
	answer_by: number;            /* day; 0: no end */
	role: PersonRole;
}

/* ---- export --------------------------------------------------------------------------------- */

/*
 * folders      as `amparo export`: for each case CODE/submission.xml, its photographs, case.json;
 *              for several cases index.csv
 * attachments  photographs alone, of one case
 * tables       a CSV for each form, with one row a case, and corrections.csv
 * json         cases.json: all of them in one array
 */
export type ExportKind = 'folders' | 'attachments' | 'tables' | 'json';

export interface ExportFile {
	name: string;                 /* "7K3QX-M0T9Z/case.json": safe in any file system */
	bytes: Uint8Array;
}

export interface ExportPart {
	files: ExportFile[];          /* to be added to the zip at once; may be empty */
	at: number;                   /* cases done */
	of: number;
	done: boolean;                /* nothing comes after this */
	missing: { code: string; name: string }[];    /* attachments that are not on this device */
	n_unreadable: number;         /* tables: interviews that are no answers, in this part */
}

/* ---- status --------------------------------------------------------------------------------- */

/* what `amparo status` tells an attorney, without the sentences */
export interface DeskStatus {
	today: number;
	roster: { version: number; past: boolean };   /* past: its last day is over; ask for a newer one */
	cases: {
		open: number;             /* not closed */
		urgent: number; urgent_unassigned: number;
		due: number;              /* deadlines within 14 days */
		overdue: number;
		silent: number;           /* back at the desk: nobody answered in time */
		waiting: number;          /* for an attorney, without those */
		mine: number;             /* wait for this member's own answer */
		alone: number;            /* corrections whose interview has not come for some days … */
		alone_since: number;      /* … since this day; 0 */
		conflicts: number;        /* cases on which corrections differ */
	};
	keys: {                       /* of this member; null: publishes none */
		number: number;           /* 0: none yet, sync */
		last_day: number;
		posted: boolean;          /* on every server */
	} | null;
	custody: {                    /* of each desk this member holds */
		desk: DeskId; desk_name: string;
		alone: boolean;           /* nobody else holds it: find a second attorney */
		records: number;
		in_one: number;           /* of them in this device only */
		in_one_old: number;       /* … for longer than half_days: call a co-holder now */
		half_days: number;
		others: { who: Who; said: number /* day last heard of; 0: never */; fresh: boolean }[];
	}[];
	gaps: {                       /* messages of somebody that did not arrive */
		who: Who;
		missing: number; highest: number;
		since: number;            /* day */
		searched: boolean;        /* every server was looked through, in vain */
		twice: number;            /* numbers used for two messages: the device lives twice, or
		                             somebody else has its key */
		restored: number;         /* the old device went on after a backup came back on this day; 0 */
	}[];
	alarms: { kind: 'document' | 'keys' | 'charter' | 'rekey'; day: number }[];
	                              /* under this member's own key, not made here: call the
	                                 administrator and the co-holders; alarms_seen */
	to_compare: Who[];            /* staff whose six words were not compared yet */
	erasures: {
		asked: number;            /* families that ask; a holder has to order it */
		resting: number; next: number;            /* ordered, the next on this day; 0 */
		waiting: number;          /* gone here, not everywhere yet */
		many: { who: Who; n: number; day: number }[];  /* ordered suspiciously many: ask them by voice */
	};
	charters: {                   /* only the program on a computer can sign them */
		to_sign: string[];        /* names of desks */
	};
	backup: {                     /* a browser cannot make one: for a desk held alone only a
	                                 second attorney or the program on a computer helps */
		sole_holder: string;      /* name of a desk nobody else of the organisation holds; "" */
	};
	outbox: number;               /* submissions that wait to be sent */
	revoked: number;              /* day on which the membership ended; 0 */
}

export interface LeftCase {
	code: string;
	late: boolean;                /* given to somebody else before the answer came; else taken back */
	day: number;
}

export interface OpsDesk {
	/* A page of the list.  The first call after a sync walks through all cases, later ones do not. */
	cases: { args: CaseFilter; result: CaseList };
	/*
	 * Cases in whose answers, notes and codes every word occurs: case, accents and glottal
	 * marks do not matter, a word may be part of a longer one; 6 digits or more are found
	 * however they were grouped.  Cases one recused oneself from are left out.
	 * range: nothing to search for, or over 1024 bytes or 32 words.
	 */
	case_search: { args: CaseFilter & { text: string }; result: CaseList };
	/*
	 * Which case a person means: a code in any spelling, or its first four characters or more.
	 * notfound; auth: a whole code that is mistyped; exists: several begin so; format: no code
	 */
	case_find: { args: { code: string }; result: { record: RecordId } };
	/* `empty`: questions without an answer too.  refused 'recused' */
	case_show: { args: { record: RecordId; lang: string; empty: boolean }; result: CaseShow };
	/* An attachment.  notfound: not here yet; refused 'recused' */
	case_blob: { args: { record: RecordId; id: ContentId };
	             result: { name: string; media: Media; bytes: Uint8Array } };

	/* 1..65536 bytes of UTF-8; blanks at its ends are cut */
	case_note: { args: { record: RecordId; text: string }; result: Told };
	/*
	 * Give it to somebody; `from`: and take it from somebody else in the same step.
	 * answer_days: until it returns to the desk unanswered; 0 never; null: as the organisation
	 * says.  At most 365.  reason at most 1024 bytes.  Giving it to oneself accepts it as well.
	 */
	case_assign: { args: { record: RecordId; to: KeyId; reason: string; answer_days: number | null;
	                       from: KeyId | null }; result: Assigned };
	/* Take it back; they may have left the organisation already. */
	case_unassign: { args: { record: RecordId; whom: KeyId; reason: string }; result: Told };
	case_accept: { args: { record: RecordId; reason: string }; result: Told };
	/* It returns to the desk and leaves this device; a holder's device keeps it for the desk. */
	case_decline: { args: { record: RecordId; reason: string }; result: Told };
	/* A conflict of interest, for good.  Ask twice. */
	case_recuse: { args: { record: RecordId; reason: string }; result: Told };
	case_close: { args: { record: RecordId; reason: string }; result: Told };
	case_reopen: { args: { record: RecordId; reason: string }; result: Told };
	/* Keep this device's copy whatever is ordered (at most 256 bytes); or not any longer. */
	case_hold: { args: { record: RecordId; on: boolean; reason: string }; result: {} };

	/* Who a case can be given to: this member first, then by name.  record null: all staff */
	people: { args: { record: RecordId | null }; result: { people: Person[] } };
	/* The six words to compare by voice with what that person's device shows (me.key_words). */
	person_words: { args: { key: KeyId }; result: { who: Who; words: string[]; compared: boolean } };
	/* They were read out and are the same.  Never to be called without asking. */
	person_compared: { args: { key: KeyId }; result: {} };
	/* The desks that cases here belong to, or that this member holds. */
	desks: { args: {}; result: { desks: CaseDesk[] } };
	/* People who hold a desk. */
	holders: { args: { desk: DeskId }; result: { holders: Who[] } };

	/*
	 * An export in parts, so that photographs of many cases never stand in memory at once:
	 * export_begin, then export_next until done.  records null: every case, without those that
	 * a legal hold alone keeps (n_kept of them) and those one recused oneself from.
	 * lang, labels, split are of tables: choices as people read them, in this language; a
	 * column for each choice.  refused 'recused'
	 */
	export_begin: { args: { records: RecordId[] | null; kind: ExportKind; lang: string;
	                        labels: boolean; split: boolean }; result: { of: number; n_kept: number } };
	/* state: nothing was begun, or it is done.  A failed one ends the export. */
	export_next: { args: {}; result: ExportPart };
	export_end: { args: {}; result: {} };

	desk_status: { args: {}; result: DeskStatus };
	/* somebody has read them: they are not told again */
	alarms_seen: { args: {}; result: {} };
	/* Cases that left this device since the last call: to be told once, after a sync. */
	cases_left: { args: {}; result: { left: LeftCase[] } };
}
