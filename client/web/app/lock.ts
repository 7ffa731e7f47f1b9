/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * lock: the vault closes when it is told to, and when nobody touched the page for some
 * minutes.  What was drawn goes first, then the core's memory.
 *
 * A hall's tablet is not locked by time: its keys are in memory alone, so that a lock would
 * lose what is not sent; what it shows is covered instead (the clock).
 */
import { lock } from './core';
import { forget } from './nav';
import { readPrefs } from './prefs';
import { closeSession, session } from './session';
import { hush } from './ui/live';

type Door = (why: 'asked' | 'idle') => void;
let door: Door = () => undefined;
let cover: () => void = () => undefined;
let touched = Date.now();

/* app.tsx: what shows the door, and what covers a hall's tablet. */
export function onLock(door_fn: Door, cover_fn: () => void): void {
	door = door_fn;
	cover = cover_fn;
}

export async function lockNow(why: 'asked' | 'idle' = 'asked'): Promise<void> {
	forget();
	hush();
	closeSession();
	try {
		await lock();
	} finally {
		door(why);
	}
}

function look(): void {
	const s = session();
	if (!s.me || Date.now() - touched < readPrefs().idle_min * 60000)
		return;
	if (s.kiosk)
		cover();
	else
		void lockNow('idle');
}

/* main.tsx: once.  A page that comes back from behind is looked at before it is touched. */
export function watchIdle(): void {
	const touch = (): void => {
		touched = Date.now();
	};
	for (const type of ['pointerdown', 'keydown', 'wheel', 'touchstart'])
		window.addEventListener(type, touch, { passive: true, capture: true });
	document.addEventListener('visibilitychange', () => {
		if (!document.hidden)
			look();
	});
	window.setInterval(look, 5000);
}

/* After an unlock or a join: time counts from now. */
export function stillHere(): void {
	touched = Date.now();
}
