/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * prefs: the few wishes kept outside the vault, because they are needed before it is open:
 * language and colours.  Nothing in them tells of a person or a record; wiping removes them.
 * A browser that keeps nothing (a private window) is no reason to fail.
 */

export type Lang = 'en' | 'es';
export type Theme = 'system' | 'light' | 'dark';

export interface Prefs {
	lang: Lang | null;      /* null: not chosen yet */
	theme: Theme;
	idle_min: number;       /* minutes without a touch until the page locks */
}

const NAME = 'amparo.prefs';
export const IDLE_CHOICES = [1, 3, 5, 10] as const;

const prefs: Prefs = { lang: null, theme: 'system', idle_min: 5 };

function take(from: unknown): void {
	if (typeof from !== 'object' || from === null)
		return;
	const p = from as Record<string, unknown>;
	if (p.lang === 'en' || p.lang === 'es')
		prefs.lang = p.lang;
	if (p.theme === 'light' || p.theme === 'dark')
		prefs.theme = p.theme;
	if (IDLE_CHOICES.some((m) => m === p.idle_min))
		prefs.idle_min = p.idle_min as number;
}

try {
	take(JSON.parse(localStorage.getItem(NAME) ?? 'null'));
} catch {
	/* no storage, or not ours: the defaults stand */
}

export function readPrefs(): Readonly<Prefs> {
	return prefs;
}

export function writePrefs(change: Partial<Prefs>, remember = true): void {
	Object.assign(prefs, change);
	applyTheme();
	if (!remember)
		return;
	try {
		localStorage.setItem(NAME, JSON.stringify(prefs));
	} catch {
		/* it holds for as long as the page is open */
	}
}

export function forgetPrefs(): void {
	Object.assign(prefs, { lang: null, theme: 'system', idle_min: 5 });
	applyTheme();
	try {
		localStorage.removeItem(NAME);
	} catch {
		/* nothing was kept */
	}
}

/* what the browser paints around the page, by the system's colours: as the build wrote it */
const around = new Map<HTMLMetaElement, string>();

/*
 * The style follows the system unless the root says otherwise; so does what the browser paints
 * around it: a white bar above a dark page lights up a face.
 */
export function applyTheme(): void {
	const root = document.documentElement;
	if (prefs.theme === 'system')
		delete root.dataset.theme;
	else
		root.dataset.theme = prefs.theme;
	const ground = getComputedStyle(root).getPropertyValue('--ground').trim();
	for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
		if (!around.has(meta))
			around.set(meta, meta.content);
		meta.content = prefs.theme === 'system' ? around.get(meta) ?? ground : ground;
	}
}
