/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * exit: one tap, and nothing of a family is on the screen, in the page or in its memory.
 *
 * What it does, in this order: the drawing is emptied (so that even a slow device shows
 * nothing more), the core is locked, which wipes its keys and ends its worker, and the page
 * is replaced by an empty one, so that "back" does not show it as it was.
 *
 * What it cannot: the browser's history still names the page's address (not what was done in
 * it), a sealed file that was saved stays in the downloads, and whoever examines the device
 * finds that Amparo is used on it.  It does not erase: what was sealed or unfinished stays,
 * sealed, and opens with the passphrase.  docs/THREATS.md says the same.
 */
import { hush } from './ui/live';

let empty: () => void = () => undefined;
let lock: () => Promise<unknown> = () => Promise.resolve();

/* main.tsx: how the drawing is emptied, and how the core is locked. */
export function onExit(empty_fn: () => void, lock_fn: () => Promise<unknown>): void {
	empty = empty_fn;
	lock = lock_fn;
}

export function quickExit(): void {
	/* unsent records are on disk, sealed: leaving must not be asked about */
	leaving = true;
	empty();
	hush();
	document.title = '';
	const gone = (): void => window.location.replace('about:blank');
	/* the worker is ended by the new page in any case: its answer is not waited for long */
	const limit = window.setTimeout(gone, 300);
	lock().catch(() => undefined).finally(() => {
		window.clearTimeout(limit);
		gone();
	});
}

let leaving = false;
export function isLeaving(): boolean {
	return leaving;
}
