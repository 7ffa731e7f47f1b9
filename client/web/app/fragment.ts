/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fragment: an invitation that came as a link, behind "#".  What stands there is never sent
 * to a host; it is taken out of the address (and of the history's entry) before anything is
 * drawn, and lives in memory until somebody joins with it.  The same of a link that is opened
 * while the page is there already, which loads nothing anew.
 */

let tell: (invitation: string) => void = () => undefined;

/* what stood behind "#" if it can be an invitation; "" otherwise */
function takeFragment(): string {
	const raw = window.location.hash.slice(1);
	if (window.location.href.includes('#'))
		history.replaceState(null, '', window.location.pathname + window.location.search);
	try {
		const text = decodeURIComponent(raw);
		return text.length <= 1000 ? text : '';
	} catch {
		return '';
	}
}

/* app.tsx: who hears of a later one. */
export function onInvitation(fn: (invitation: string) => void): void {
	tell = fn;
}

/* main.tsx: once, before anything else.  What came with the page; "" for nothing. */
export function watchFragment(): string {
	const later = (e: Event): void => {
		if (window.location.hash === '')
			return;
		/* it is no step back: nav.ts, which listens behind this, must not take it for one */
		e.stopImmediatePropagation();
		const invitation = takeFragment();
		if (invitation !== '')
			tell(invitation);
	};
	/* browsers differ in which of the two they fire */
	window.addEventListener('popstate', later);
	window.addEventListener('hashchange', later);
	return takeFragment();
}
