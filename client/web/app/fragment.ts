/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fragment: an invitation that came as a link, behind "#".  What stands there is never sent
 * to a host; it is taken out of the address (and of the history's entry) before anything is
 * drawn, and lives in memory until somebody joins with it.
 */

/* what stood behind "#" if it can be an invitation; "" otherwise */
export function takeFragment(): string {
	const raw = window.location.hash.slice(1);
	if (raw === '')
		return '';
	history.replaceState(null, '', window.location.pathname + window.location.search);
	try {
		const text = decodeURIComponent(raw);
		return text.length <= 1000 ? text : '';
	} catch {
		return '';
	}
}
