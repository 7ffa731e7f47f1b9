/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * trusted: the two addresses from which this page runs script, a blob of its own for the
 * worker and sw.js beside it.  The page's policy (Trusted Types) refuses every other text
 * as a script's address, and every text as HTML.
 */

function check(url: string): string {
	if (url === 'sw.js' || (url.startsWith('blob:') && !/[<>"'\s]/.test(url)))
		return url;
	throw new TypeError('not an address of a script of ours');
}

const policy = typeof window !== 'undefined' && window.trustedTypes
	? window.trustedTypes.createPolicy('amparo', { createScriptURL: check }) : null;

/* For new Worker(...) and serviceWorker.register(...). */
export function scriptUrl(url: string): string {
	return policy ? policy.createScriptURL(url) as unknown as string : check(url);
}
