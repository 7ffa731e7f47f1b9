/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * i18n: every sentence on the screen, in English and Spanish.
 *
 *	t('home.title')                       one sentence
 *	t('draft.of', { title, day })         with what stands in {braces}; a name left out does not compile
 *	tn('outbox.waiting', n)               'outbox.waiting.one' or '.other' by the number, which is {n}
 *
 * Sentences live in i18n/en/*.ts and i18n/es/*.ts, a file for each part of the page; the
 * Spanish ones are typed by the English ones, so neither lacks a key of the other.
 * The whole page is drawn anew when the language changes (main.tsx), so t() is called while
 * drawing and never kept.
 */
import { readPrefs, writePrefs, type Lang } from '../prefs';
import { en } from './en';
import { es } from './es';

export type { Lang };
type En = typeof en;
export type Key = keyof En;

/* the names in braces of a sentence */
type Holes<S extends string> =
	S extends `${string}{${infer N}}${infer R}` ? N | Holes<R> : never;
type Fill<K extends Key> =
	[Holes<En[K]>] extends [never] ? [] : [values: Record<Holes<En[K]>, string | number>];
/* keys that exist as .one and .other */
export type Counted = { [K in Key]: K extends `${infer B}.one` ? B : never }[Key];

let now: Lang = readPrefs().lang ?? guess();
let redraw: () => void = () => undefined;

function guess(): Lang {
	const wanted = typeof navigator !== 'undefined' ? navigator.language : 'en';
	return wanted.toLowerCase().startsWith('es') ? 'es' : 'en';
}

export function lang(): Lang {
	return now;
}

/* The page in another language; remember: also the next time. */
export function setLang(to: Lang, remember = true): void {
	now = to;
	writePrefs({ lang: to }, remember);
	document.documentElement.lang = to;
	redraw();
}

/* main.tsx: what draws everything anew. */
export function onLang(fn: () => void): void {
	redraw = fn;
	document.documentElement.lang = now;
}

function say(key: Key, values?: Record<string, string | number>): string {
	const text: string = (now === 'es' ? es : en)[key];
	if (!values)
		return text;
	return text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

export function t<K extends Key>(key: K, ...values: Fill<K>): string {
	return say(key, values[0] as Record<string, string | number> | undefined);
}

/* t() with a key that is known only at run time; null if there is none */
export function tMaybe(key: string, values?: Record<string, string | number>): string | null {
	return Object.prototype.hasOwnProperty.call(en, key) ? say(key as Key, values) : null;
}

export function tn(key: Counted, n: number, values: Record<string, string | number> = {}): string {
	return say(`${key}.${n === 1 ? 'one' : 'other'}` as Key, { n: count(n), ...values });
}

/* numbers, days and sizes as people write them */
export function count(n: number): string {
	return new Intl.NumberFormat(now === 'es' ? 'es-MX' : 'en-US').format(n);
}

/*
 * A language of a form by its name, in itself: as the form says ("Español (es)"), or as the
 * browser knows it where the form has only a code.
 */
export function langName(code: string, name: string): string {
	const said = name.replace(/ \([^)]*\)$/, '');
	if (said !== '' && said !== code)
		return said;
	try {
		const known = new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code;
		return known.charAt(0).toLocaleUpperCase(code) + known.slice(1);
	} catch {
		return code;
	}
}

/* day: days since 1970-01-01, as the core counts them */
export function dayText(day: number): string {
	return new Intl.DateTimeFormat(now === 'es' ? 'es-MX' : 'en-US',
		{ day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })
		.format(new Date(day * 86400000));
}

/* "2026-11-24" in words, with its weekday: whatever order the device's own field writes it in */
export function dayWords(day: string): string {
	const at = new Date(`${day}T00:00:00Z`);
	return Number.isNaN(at.getTime()) ? '' : new Intl.DateTimeFormat(now === 'es' ? 'es-MX' : 'en-US',
		{ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' }).format(at);
}

export function sizeText(bytes: number): string {
	return bytes < 1000000 ? `${count(Math.ceil(bytes / 1000))} kB`
		: `${count(Math.round(bytes / 100000) / 10)} MB`;
}
