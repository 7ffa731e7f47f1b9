/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * update: the installed page and its newer versions.  sw.js keeps this page; a newer one is
 * fetched beside it and waits until its person says so, never in the middle of an interview.
 */
import { scriptUrl } from './trusted';

let waiting: ServiceWorker | null = null;
const watchers = new Set<() => void>();
let ready = false;
const tell = (): void => {
	for (const w of [...watchers])
		w();
};
let reloading = false;

export function hasUpdate(): boolean {
	return waiting !== null;
}

/* whether the page is kept here whole, and opens without a network */
export function isReadyOffline(): boolean {
	return ready;
}

/* returns how to stop it */
export function onUpdate(fn: () => void): () => void {
	watchers.add(fn);
	return () => {
		watchers.delete(fn);
	};
}

/* beforeunload: what is unsent is on the disk, and there again behind the passphrase. */
export function isUpdating(): boolean {
	return reloading;
}

/* The new version in place of this one: nothing is open any more (the screen asks that). */
export function takeUpdate(): void {
	reloading = true;
	waiting?.postMessage('go');
}

/* main.tsx: once.  Not on file://, and where the browser has no service workers. */
export function watchUpdate(): void {
	const sw = (navigator as Partial<Navigator>).serviceWorker;
	if (!sw || !window.location.protocol.startsWith('http'))
		return;
	sw.addEventListener('controllerchange', () => {
		if (reloading)
			window.location.reload();
	});
	sw.ready.then(() => {
		ready = true;
		tell();
	}).catch(() => undefined);
	sw.register(scriptUrl('sw.js')).then((reg) => {
		const look = (): void => {
			/* the first one is no update: there is nothing that it replaces */
			if (reg.waiting && sw.controller) {
				waiting = reg.waiting;
				tell();
			}
		};
		look();
		reg.addEventListener('updatefound', () =>
			reg.installing?.addEventListener('statechange', look));
	}).catch(() => {
		/* a private window, or a host without HTTPS: the page works, uninstalled */
	});
}
