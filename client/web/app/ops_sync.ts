// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * The operations of a sync, as the page's network calls them (net.ts, visit.ts), and of the
 * outbox as a file.  Screens call syncNow and onSyncState of net.ts, and the last two.
 *
 *	sync_start → { sync_next → connect → { sync_recv | sync_sent } → sync_closed }
 *	           → sync_next says that nothing more is wanted → sync_summary
 *
 * Anything else may be called in between.  vault_lock breaks a sync off; what was stored stays.
 * 'state': no sync goes on, or nobody joined on this device.
 */

export type SyncPhase = 'connecting' | 'bulletin' | 'board' | 'posting' | 'uploading' |
	'downloading' | 'storing';

/* after bytes came, or left */
export interface SyncStep {
	out: Uint8Array;              /* to be sent: whole frames */
	more: boolean;                /* call sync_sent when these have left */
	done: boolean;                /* nothing comes or goes any more: close, once out has left */
	phase: SyncPhase;
	n: number;                    /* cells of this phase */
	total: number;                /* 0: not known */
	moved: number;                /* bytes in this connection */
}

/* client/sync.h, enum sync_note */
export type SyncNote = 'roster_new' | 'fork' | 'behind' | 'bad_bulletin' | 'disk_full' | 'limit' |
	'refused' | 'digest' | 'stopped' | 'light' | 'rescanned' | 'no_slot' | 'shrunk' | 'clock' |
	'board' | 'ticket' | 'damaged' | 'apart' | 'revoked';

export interface SyncServer {
	address: string;
	reached: boolean;             /* the channel opened */
	complete: boolean;            /* everything that was to be done was done */
	code: string;                 /* why not: 'net', 'auth', 'timeout', 'truncated', ...; or "" */
	why: string;                  /* the same as an English sentence, for whoever is asked for help */
	notes: SyncNote[];
	uploaded: number;             /* cells, decoys counted: not for a person */
	submissions: number;          /* of which it got the last cell now */
	posted: number;
	pulled: number;               /* cells */
	fresh: number;                /* statements new to this device */
	blobs: number;                /* attachments completed */
	bytes_in: number;
	bytes_out: number;
}

/* A download that was not begun, since it is larger than the organisation's limit. */
export interface SyncBacklog {
	address: string;
	cells: number;
	bytes: number;
	minutes: number;              /* 0: less than one */
	light_bytes: number;          /* what the light way costs, without what it finds */
	rescan: boolean;              /* everything once more, for attachments that are missing */
}

export interface SyncSummary {
	code: string;                 /* "": one server at least was visited whole */
	servers: SyncServer[];
	complete: number;             /* servers visited whole */
	roster_new: boolean;
	submissions: number;          /* that wait for a server */
	to_send: number;              /* cells that wait: only to see whether a sync got on */
	wants: number;                /* attachments that have not arrived */
	alarms: number;
	fresh: number;
	more: boolean;                /* something was queued that is better sent at once */
	backlog: SyncBacklog | null;
}

/* 'ask': a large download is not begun and comes back as backlog; 'go': all of it; 'light':
 * the own cells among others; what that tells a server is said in docs/THREATS.md */
export type SyncChoice = 'ask' | 'go' | 'light';

/* how a connection ended: a proper end or a stream that broke off; it could not be made;
 * nothing came in time; the page broke it off */
export type SyncEnd = 'end' | 'connect' | 'timeout' | 'off';

export interface OutboxFile {
	name: string;
	bytes: Uint8Array;
	last: number;                 /* for outbox_saved */
	more: boolean;                /* more waits than one file holds: save again once these are gone */
}

type None = Record<string, never>;

export interface OpsSync {
	sync_start: { args: { choice: SyncChoice }; result: None };
	sync_next: { args: None; result: { want: false } | { want: true; address: string; hello: Uint8Array } };
	sync_recv: { args: { bytes: Uint8Array }; result: SyncStep };
	sync_sent: { args: None; result: SyncStep };
	sync_closed: { args: { how: SyncEnd }; result: None };
	sync_summary: { args: None; result: SyncSummary };
	/*
	 * What waits, sealed, as a file that any other member can carry (amparo outbox carry).
	 * It stays here, too, until outbox_clear.  'notfound': nothing waits.  'state': no roster
	 * is here yet, so nobody could open it.  Say outbox_saved once the file is in safety.
	 */
	outbox_save: { args: None; result: OutboxFile };
	outbox_saved: { args: { last: number }; result: None };
}
