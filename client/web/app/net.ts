// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * net: when this page syncs, and what it tells of it.
 *
 *	startNet();                          once, in main.tsx
 *	await syncNow();                     a person asks; rejects if no server was visited whole
 *	onSyncState((s) => ...);
 *
 * BY ITSELF  after unlocking, when the network comes back, after whatever is to be sent (a
 *   seal, an answer, a note), and every few minutes while something waits; an attorney's page
 *   also looks for news.  Never two at once.  After a failure the pause doubles, and each is
 *   drawn anew, so that phones of one hall do not come together.
 * A server that takes only so much a minute is visited again a minute later, as long as each
 * round brings something on (client/cli/net.c does the same).
 * A large download is never begun by itself: state.backlog says what it is, and
 * syncNow({choice}) begins it.
 */
import { call, CoreError, isOpen, onCalled, onVault, settleNow } from './core';
import type { Ops } from './ops';
import type { SyncBacklog, SyncChoice, SyncSummary } from './ops_sync';
import { Off, visitAll, type Socket, type SyncCall, type SyncProgress } from './visit';

export type { SyncProgress } from './visit';
export type { SyncBacklog, SyncChoice, SyncSummary } from './ops_sync';

export interface SyncState {
	running: boolean;
	progress: SyncProgress | null;       /* while running */
	last: number;                        /* of the last one that reached a server; 0: none yet */
	summary: SyncSummary | null;         /* of the last one */
	error: string;                       /* code of what the last one failed with, or "" */
	backlog: SyncBacklog | null;         /* that waits for a choice */
	next: number;                        /* when it begins by itself again; 0: not planned */
}

const idle: SyncState = { running: false, progress: null, last: 0, summary: null, error: '',
	backlog: null, next: 0 };

const AFTER_OPEN_MS = 300;
const AFTER_SEAL_MS = 500;
/* several notes and answers in a row are one sync */
const AFTER_DEED_MS = 4000;
const ONLINE_MS = 1500;
const WAITS_MS = 4 * 60000;
const NEWS_MS = 10 * 60000;
/* an allowance is whole again after a minute (server/quota.h) */
const LIMIT_MS = 60000;
const FAILED_MS = 20000;
const FAILED_MAX_MS = 30 * 60000;
/* several syncs in a row, because each queued something */
const ROUNDS = 4;

/* after these something is to be sent; what only reads is not among them */
const DEEDS: ReadonlyMap<keyof Ops, number> = new Map<keyof Ops, number>([
	['fill_seal', AFTER_SEAL_MS], ['join', AFTER_SEAL_MS],
	['case_note', AFTER_DEED_MS], ['case_assign', AFTER_DEED_MS], ['case_unassign', AFTER_DEED_MS],
	['case_accept', AFTER_DEED_MS], ['case_decline', AFTER_DEED_MS], ['case_recuse', AFTER_DEED_MS],
	['case_close', AFTER_DEED_MS], ['case_reopen', AFTER_DEED_MS], ['case_hold', AFTER_DEED_MS],
]);

let state: SyncState = idle;
const watchers = new Set<(s: SyncState) => void>();
let going: Promise<SyncSummary> | null = null;
let off = new Off();
let timer = 0;
let failures = 0;
/* something was queued while a sync ran, behind what that one sends */
let again = 0;

function set(change: Partial<SyncState>): void {
	state = { ...state, ...change };
	for (const w of [...watchers])
		w(state);
}

/* between three quarters and five quarters of it */
function about(ms: number): number {
	const r = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
	return Math.round(ms * (0.75 + r / 2 ** 33));
}

function plan(ms: number): void {
	window.clearTimeout(timer);
	timer = 0;
	if (!isOpen()) {
		set({ next: 0 });
		return;
	}
	timer = window.setTimeout(() => {
		timer = 0;
		void byItself();
	}, ms);
	set({ next: Date.now() + ms });
}

/* sooner than what is planned, never later */
function soon(ms: number): void {
	if (going) {
		again = again === 0 ? ms : Math.min(again, ms);
		return;
	}
	if (timer === 0 || state.next === 0 || Date.now() + ms < state.next)
		plan(ms);
}

async function byItself(): Promise<void> {
	if (!isOpen() || going)
		return;
	/* the event comes when it changes */
	if (!navigator.onLine) {
		plan(about(FAILED_MAX_MS));
		return;
	}
	await sync('ask').catch(() => undefined);
}

function socket(url: string, protocol: string): Socket {
	return new WebSocket(url, [protocol]) as unknown as Socket;
}

const coreCall: SyncCall = (op, args) => call(op, args as never) as never;

async function rounds(choice: SyncChoice): Promise<SyncSummary> {
	let sum: SyncSummary | null = null;
	for (let i = 0; i < ROUNDS && !off.is; i++) {
		const before = sum;
		sum = await visitAll(coreCall, socket, choice, off, (progress) => set({ progress }));
		/* what was not begun is not forgotten by a round that came after it */
		sum.backlog ??= before?.backlog ?? null;
		if (!sum.more || sum.complete === 0)
			break;
	}
	if (!sum)
		throw new CoreError('locked');
	return sum;
}

/* a server that asked to wait, and a sync that brought something on */
function limited(s: SyncSummary, before: SyncSummary | null): boolean {
	return s.submissions > 0 && s.servers.some((v) => v.complete && v.notes.includes('limit')) &&
		(!before || before.to_send === 0 || s.to_send < before.to_send ||
			!before.servers.some((v) => v.notes.includes('limit')));
}

function planFailed(): void {
	failures++;
	plan(about(Math.min(FAILED_MAX_MS, FAILED_MS * 2 ** Math.min(failures - 1, 8))));
}

async function planAfter(s: SyncSummary, before: SyncSummary | null): Promise<void> {
	if (s.complete === 0) {
		planFailed();
		return;
	}
	failures = 0;
	if (again > 0) {
		plan(again);
	} else if (limited(s, before)) {
		plan(LIMIT_MS + about(4000));
	} else {
		const me = await call('me', {});
		if (s.submissions > 0 || s.to_send > 0 || s.complete < s.servers.length || me.state !== 'member')
			plan(about(WAITS_MS));
		else
			plan(about(NEWS_MS));
	}
}

async function run(choice: SyncChoice): Promise<SyncSummary> {
	const before = state.summary;
	again = 0;
	off = new Off();
	window.clearTimeout(timer);
	timer = 0;
	set({ running: true, progress: null, error: '', backlog: null, next: 0 });
	try {
		const sum = await rounds(choice);
		await settleNow();
		set({ running: false, progress: null, summary: sum, error: sum.code, backlog: sum.backlog,
			last: sum.complete > 0 ? Date.now() : state.last });
		await planAfter(sum, before);
		if (sum.code !== '')
			throw new CoreError(sum.code, sum.servers[0]?.why ?? '');
		return sum;
	} catch (e) {
		if (state.running) {
			set({ running: false, progress: null, error: e instanceof CoreError ? e.code : 'net' });
			/* 'state': nobody joined here; nothing is to be visited until somebody does */
			if (isOpen() && !(e instanceof CoreError && e.code === 'state'))
				planFailed();
		}
		throw e;
	}
}

async function sync(choice: SyncChoice): Promise<SyncSummary> {
	if (going)
		return going;
	const mine = run(choice).finally(() => {
		if (going === mine)
			going = null;
		if (again > 0 && timer === 0 && isOpen())
			plan(again);
	});
	going = mine;
	return mine;
}

/*
 * A person asks.  One that runs is waited for; a choice about a backlog begins one of its own
 * behind it.  Rejects with the code of the first server if none was visited whole.
 */
export async function syncNow(how: { choice?: SyncChoice } = {}): Promise<SyncSummary> {
	if (going && how.choice !== undefined && how.choice !== 'ask')
		await going.catch(() => undefined);
	return sync(how.choice ?? 'ask');
}

/* Break it off; what was stored and what servers took stays so. */
export function syncStop(): void {
	off.now();
}

/* Not now: the backlog is not shown again until the next sync. */
export function backlogLater(): void {
	set({ backlog: null });
}

/* Told at once, and at every change; the function it returns ends that. */
export function onSyncState(fn: (s: SyncState) => void): () => void {
	watchers.add(fn);
	fn(state);
	return () => {
		watchers.delete(fn);
	};
}

export function syncState(): Readonly<SyncState> {
	return state;
}

/* main.tsx: once. */
export function startNet(): void {
	onVault((is_open) => {
		if (is_open) {
			failures = 0;
			soon(AFTER_OPEN_MS);
			return;
		}
		off.now();
		window.clearTimeout(timer);
		timer = 0;
		again = 0;
		set(idle);
	});
	onCalled((op) => {
		const ms = DEEDS.get(op);
		if (ms !== undefined && isOpen())
			soon(ms);
	});
	window.addEventListener('online', () => {
		failures = 0;
		if (isOpen())
			soon(about(ONLINE_MS));
	});
}
