/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * live: what a screen reader says without the focus moving.  One region for the whole page,
 * made once; a sentence said twice in a row is said twice.
 */

let region: HTMLElement | null = null;
let turn = false;

/* main.tsx: before anything is drawn. */
export function makeLive(): void {
	region = document.createElement('div');
	region.className = 'sr-only';
	region.setAttribute('aria-live', 'polite');
	region.setAttribute('role', 'status');
	document.body.append(region);
}

export function say(sentence: string): void {
	if (!region)
		return;
	turn = !turn;
	/* a space that cannot be heard makes the same sentence another text */
	region.textContent = turn ? sentence : `${sentence}\u00a0`;
}

/* Quick exit and lock: nothing of what was said stays in the page. */
export function hush(): void {
	if (region)
		region.textContent = '';
}
