/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * exit: one tap, and nothing of a family is on the screen, in the page or in its memory.
 *
 * What it does, in this order: the drawing is emptied (so that even a slow device shows
 * nothing more), the core's worker is ended and the keys in its memory with it, and the page is
 * replaced by an empty one, so that "back" does not show it as it was.
 *
 * What it cannot: the browser's history still names the page's address (not what was done in
 * it), a sealed file that was saved stays in the downloads, and whoever examines the device
 * finds that Amparo is used on it.  It does not erase: what was sealed or unfinished stays,
 * sealed, and opens with the passphrase.  docs/THREATS.md says the same.
 *
 * On a hall's tablet sealed interviews that are not sent yet live in memory alone: leaving
 * would lose them.  While there are any, the open interview is dropped and a clock is shown.
 */
import { call, lockHard } from './core';
import { closeSession, session } from './session';
import { hush } from './ui/live';

let empty: () => void = () => undefined;
let cover: () => void = () => undefined;
let leaving = false;

/* main.tsx: how the drawing is emptied; app.tsx: how a hall's tablet is covered. */
export function onExit(empty_fn: () => void): void {
	empty = empty_fn;
}
export function onCover(cover_fn: () => void): void {
	cover = cover_fn;
}

/* beforeunload: a person who leaves in a hurry is not asked. */
export function isLeaving(): boolean {
	return leaving;
}

async function dropOpen(): Promise<void> {
	await call('fill_close', {}).catch(() => undefined);
	const { drafts } = await call('draft_list', {});
	for (const d of drafts) {
		if (!d.is_sealed)
			await call('draft_drop', { draft: d.draft });
	}
}

export function quickExit(): void {
	const s = session();
	if (s.kiosk && (s.outbox?.waiting ?? 0) + s.drafts.filter((d) => d.is_sealed).length > 0) {
		cover();
		hush();
		void dropOpen().catch(() => undefined);
		return;
	}
	leaving = true;
	empty();
	hush();
	closeSession();
	/* the worker ends at once and its memory with it; what was saved is on disk */
	lockHard();
	window.location.replace('about:blank');
}
