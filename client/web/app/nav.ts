/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * nav: which screen is shown.  Screens have no addresses: where one is and what one looks at
 * is in memory alone, so neither the browser's history nor its address bar tells of it.
 *
 *	go('fill', { draft: 3 })    a screen on top of this one; the way back leads here
 *	replace('home', {})         instead of this one
 *	reset('home', {})           instead of all: no way back
 *	back()                      to the one below; false at the lowest
 *
 * A part of the page adds its screens to Screens and registers them in main.tsx.  The device's
 * own back button does what back() does: one spare entry of the history, with the same
 * address, is kept for it.
 */
import type { ComponentType } from 'preact';

/* screens and what each needs to know */
export interface Screens {
	home: Record<string, never>;
	outbox: Record<string, never>;
	settings: Record<string, never>;
	about: Record<string, never>;
	/* compare a desk's words with the training sheet */
	desk_words: { desk: Uint8Array };
	passphrase: Record<string, never>;
	/* an interview: begun, or gone on with */
	fill: { form: string; lang: string; paper: boolean } | { draft: number };
	/* the case code of a sealed one, for the family's slip; then home */
	slip: { draft: number };
	/* the attorney's: the list of cases, lowest screen of whoever reads */
	desk: Record<string, never>;
}

export type ScreenName = keyof Screens;
export interface Place<K extends ScreenName = ScreenName> { name: K; params: Screens[K]; id: number }
export type ScreenMap = { [K in ScreenName]: ComponentType<Screens[K]> };

let stack: Place[] = [];
let next_id = 1;
let draw: () => void = () => undefined;
/* asked before a screen is left; false keeps it */
let guard: (() => boolean) | null = null;

function place<K extends ScreenName>(name: K, params: Screens[K]): Place {
	return { name, params, id: next_id++ } as Place;
}

function show(to: Place[]): void {
	guard = null;
	stack = to;
	draw();
}

export function here(): Place | null {
	return stack[stack.length - 1] ?? null;
}

/* no way back from here */
export function isLowest(): boolean {
	return stack.length < 2;
}

export function go<K extends ScreenName>(name: K, params: Screens[K]): void {
	show([...stack, place(name, params)]);
}

export function replace<K extends ScreenName>(name: K, params: Screens[K]): void {
	show([...stack.slice(0, -1), place(name, params)]);
}

export function reset<K extends ScreenName>(name: K, params: Screens[K]): void {
	show([place(name, params)]);
}

/* Nothing is shown of what was: at lock and exit. */
export function forget(): void {
	show([]);
}

export function back(): boolean {
	if (guard && !guard())
		return true;
	if (stack.length < 2)
		return false;
	show(stack.slice(0, -1));
	return true;
}

/* A screen that has steps of its own, or something to ask, before it is left; until it is left. */
export function onLeave(fn: (() => boolean) | null): void {
	guard = fn;
}

/* main.tsx: once. */
export function startNav(fn: () => void): void {
	draw = fn;
	if (typeof history === 'undefined')
		return;
	history.replaceState(null, '');
	history.pushState(null, '');
	window.addEventListener('popstate', () => {
		/* the spare entry was used up: what it was for is done, and there is another one */
		if (back())
			history.pushState(null, '');
		else
			history.back();
	});
}
