/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * sw: what makes the installed page open without a network.  It keeps the page and its
 * pictures, and nothing else: no record, sealed or not, ever passes here (they travel by
 * WebSocket, which a service worker does not see).
 *
 * A page that is kept is used until its person says otherwise: a newer one is fetched into
 * a cache of its own, whole or not at all, and waits ("a new version is ready").  Every
 * release has another AMPARO_PAGE, the SHA-256 of its page, and what was fetched is
 * compared with it: a host that is in the middle of an upload cannot mix two releases.
 */

/* this file runs as a service worker: its own few types */
interface Ending extends Event { waitUntil(p: Promise<unknown>): void }
interface Fetching extends Ending {
	readonly request: Request;
	respondWith(r: Promise<Response> | Response): void;
}
interface Telling extends Ending { readonly data: unknown }
interface Worker {
	readonly location: Location;
	skipWaiting(): Promise<void>;
	clients: { claim(): Promise<void> };
	addEventListener(type: 'install' | 'activate', fn: (e: Ending) => void): void;
	addEventListener(type: 'fetch', fn: (e: Fetching) => void): void;
	addEventListener(type: 'message', fn: (e: Telling) => void): void;
}
declare const AMPARO_PAGE: string;

const scope = self as unknown as Worker;
const PREFIX = 'amparo-page-';
const CACHE = PREFIX + AMPARO_PAGE.slice(0, 16);
const PAGE = 'amparo.html';
const BESIDE = ['manifest.webmanifest', 'icon.svg', 'icon-192.png', 'icon-512.png',
	'icon-maskable-512.png'];

function hex(bytes: ArrayBuffer): string {
	return Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, '0')).join('');
}

async function keep(): Promise<void> {
	const cache = await caches.open(CACHE);
	const page = await fetch(PAGE, { cache: 'reload', credentials: 'omit', redirect: 'error' });
	if (!page.ok)
		throw new Error('the page is not there');
	const body = await page.arrayBuffer();
	if (hex(await crypto.subtle.digest('SHA-256', body)) !== AMPARO_PAGE)
		throw new Error('the page is of another release');
	await cache.put(PAGE, new Response(body, { headers: { 'content-type': 'text/html; charset=utf-8' } }));
	await cache.addAll(BESIDE.map((u) => new Request(u, { cache: 'reload', credentials: 'omit' })));
}

async function forget_others(): Promise<void> {
	for (const name of await caches.keys()) {
		if (name.startsWith(PREFIX) && name !== CACHE)
			await caches.delete(name);
	}
	await scope.clients.claim();
}

async function answer(request: Request): Promise<Response> {
	const cache = await caches.open(CACHE);
	const here = new URL('./', scope.location.href).href;
	const bare = request.url.split(/[?#]/)[0] ?? '';
	const name = bare.startsWith(here) ? bare.slice(here.length) : '?';
	const kept = await cache.match(name === '' ? PAGE : name);
	return kept ?? fetch(request);
}

scope.addEventListener('install', (e) => e.waitUntil(keep()));
scope.addEventListener('activate', (e) => e.waitUntil(forget_others()));
scope.addEventListener('message', (e) => {
	if (e.data === 'go')
		e.waitUntil(scope.skipWaiting());
});
scope.addEventListener('fetch', (e) => {
	const url = new URL(e.request.url);
	if (e.request.method === 'GET' && url.origin === scope.location.origin)
		e.respondWith(answer(e.request));
});
