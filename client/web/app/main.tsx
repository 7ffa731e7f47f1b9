/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * main: starts the page.  What is shown when is app.tsx; which screens there are, nav.ts.
 */
import { render } from 'preact';
import wasm from 'amparo:wasm';
import { App } from './app';
import { takeFragment } from './fragment';
import { onExit } from './exit';
import { applyTheme } from './prefs';
import { makeLive } from './ui';

const root = document.getElementById('app');
if (root) {
	applyTheme();
	makeLive();
	/* at once: whatever else happens, the invitation does not stay in the address bar */
	const invitation = takeFragment();
	onExit(() => render(null, root), () => Promise.resolve());
	render(<App invitation={invitation} complete={wasm !== ''} />, root);
}
