/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * main: starts the page.  What is shown when is app.tsx; which screens there are, nav.ts.
 */
import { render } from 'preact';
import wasm from 'amparo:wasm';
import { App } from './app';
import { isLeaving, onExit } from './exit';
import { watchFragment } from './fragment';
import { watchInstall } from './keep';
import { watchIdle } from './lock';
import { onSyncState, startNet, syncNow } from './net';
import { applyTheme } from './prefs';
import { startSync } from './session';
import { makeLive } from './ui';
import { watchUpdate } from './update';

const root = document.getElementById('app');
if (root && window.top === window) {
	/* at once: whatever else happens, the invitation does not stay in the address bar */
	const invitation = watchFragment();
	applyTheme();
	makeLive();
	watchInstall();
	watchIdle();
	watchUpdate();
	startNet();
	startSync(() => syncNow(), (fn) => void onSyncState(fn));
	onExit(() => render(null, root));
	/* a browser that kept the page that was left shows it anew, at its door */
	window.addEventListener('pageshow', (e) => {
		if (e.persisted && isLeaving())
			window.location.reload();
	});
	render(<App invitation={invitation} complete={wasm !== ''} />, root);
}
