/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * session: what several screens show of the open vault: who one is, what waits, whether a
 * sync goes on.  Read anew from the core after whatever may change it; empty while locked.
 */
import { useEffect, useState } from 'preact/hooks';
import { call, CoreError } from './core';
import type { Draft, Me, Outbox } from './ops';

/* what the page's network (net.ts) tells of a sync */
export interface SyncState {
	running: boolean;
	/* milliseconds since 1970 of the last one that reached a server; 0: none yet */
	last: number;
}

export interface Session {
	me: Me | null;
	outbox: Outbox | null;
	drafts: Draft[];
	/* a hall's tablet: nothing is kept when the page closes */
	kiosk: boolean;
	sync: SyncState | null;
	/* what the last sync failed with; null: it did not */
	sync_error: unknown;
}

const nothing: Session = { me: null, outbox: null, drafts: [], kiosk: false, sync: null, sync_error: null };
let now: Session = nothing;
const watchers = new Set<() => void>();
let run: () => Promise<unknown> = () => Promise.reject(new CoreError('net'));

function set(change: Partial<Session>): void {
	now = { ...now, ...change };
	for (const w of [...watchers])
		w();
}

export function session(): Readonly<Session> {
	return now;
}

/* The same for a component, which is drawn anew when it changes. */
export function useSession(): Readonly<Session> {
	const [, turn] = useState(0);
	useEffect(() => {
		const w = (): void => turn((n) => n + 1);
		watchers.add(w);
		return () => {
			watchers.delete(w);
		};
	}, []);
	return now;
}

/* After a join, a seal, a draft, a sync: who one is and what waits. */
export async function refresh(): Promise<void> {
	const me = await call('me', {});
	const outbox = await call('outbox', {});
	const { drafts } = await call('draft_list', {});
	set({ me, outbox, drafts });
}

export async function openSession(kiosk: boolean): Promise<Me> {
	now = { ...nothing, kiosk };
	await refresh();
	if (!now.me)
		throw new Error('no identity after a refresh');
	return now.me;
}

/* At lock and exit: nothing of it stays. */
export function closeSession(): void {
	set(nothing);
}

/* A sync that a person asked for: its fault is shown until the next one. */
export async function syncByHand(sync: () => Promise<unknown> = run): Promise<boolean> {
	set({ sync_error: null });
	try {
		await sync();
		return true;
	} catch (e) {
		set({ sync_error: e });
		return false;
	} finally {
		if (now.me)
			await refresh().catch(() => undefined);
	}
}

/*
 * main.tsx: once.  How a sync is made, and how this page hears of those that begin by
 * themselves.
 */
export function startSync(sync: () => Promise<unknown>, on_state: (fn: (s: SyncState) => void) => void): void {
	run = sync;
	on_state((s) => {
		if (!now.me)
			return;
		const ended = now.sync?.running === true && !s.running;
		set({ sync: s });
		if (ended)
			void refresh().catch(() => undefined);
	});
}
