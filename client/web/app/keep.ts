/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * keep: what the browser says about keeping this page's storage, and installing it.
 *
 * A browser may delete a page's storage when the device is short of space, some also after
 * a week without a visit.  An installed page is safer; only what the servers have is safe.
 */

/* what Chromium offers before it installs a page; not in TypeScript's library */
interface InstallEvent extends Event {
	prompt(): Promise<unknown>;
	readonly userChoice: Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

let offer: InstallEvent | null = null;
let tell: () => void = () => undefined;

/*
 * main.tsx: once; the browser makes its offer early or never.  The manifest is named here and
 * not in the HTML: on file:// browsers refuse it aloud, and there is nothing to install.
 */
export function watchInstall(): void {
	if (window.location.protocol.startsWith('http')) {
		const link = document.createElement('link');
		link.rel = 'manifest';
		link.href = 'manifest.webmanifest';
		document.head.append(link);
	}
	window.addEventListener('beforeinstallprompt', (e) => {
		e.preventDefault();
		offer = e as InstallEvent;
		tell();
	});
	window.addEventListener('appinstalled', () => {
		offer = null;
		tell();
	});
}

export function onInstallChange(fn: () => void): void {
	tell = fn;
}

export function isInstalled(): boolean {
	return window.matchMedia('(display-mode: standalone)').matches
		|| (navigator as { standalone?: boolean }).standalone === true;
}

/*
 * offer    the browser installs it when asked
 * ios      by Safari's share button alone
 * menu     by the browser's menu
 * none     installed already, opened from a file, or no phone or tablet
 */
export function installWay(): 'offer' | 'ios' | 'menu' | 'none' {
	if (isInstalled() || !window.location.protocol.startsWith('http'))
		return 'none';
	if (offer)
		return 'offer';
	if (!window.matchMedia('(pointer: coarse)').matches)
		return 'none';
	return /iPad|iPhone|iPod/.test(navigator.userAgent)
		|| (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1) ? 'ios' : 'menu';
}

export async function install(): Promise<void> {
	const o = offer;
	offer = null;
	if (o) {
		await o.prompt();
		await o.userChoice;
	}
	tell();
}

/* Ask the browser to keep the storage.  Whether it promises to. */
export async function keepStorage(): Promise<boolean> {
	try {
		return await navigator.storage.persist();
	} catch {
		return false;
	}
}

export async function isKept(): Promise<boolean> {
	try {
		return await navigator.storage.persisted();
	} catch {
		return false;
	}
}
