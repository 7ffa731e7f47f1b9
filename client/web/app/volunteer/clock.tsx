/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * clock: what a hall's tablet shows after the quick exit while sealed interviews wait in its
 * memory, which would be lost with the page.  Nothing on it tells what it is; a touch brings
 * the first screen back.  The interview that was open is dropped before it is shown.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { lang } from '../i18n';

export function Clock(p: { onTouch: () => void }): JSX.Element {
	const [at, setAt] = useState(new Date());
	useEffect(() => {
		const timer = window.setInterval(() => setAt(new Date()), 1000);
		return () => window.clearInterval(timer);
	}, []);
	const l = lang() === 'es' ? 'es-MX' : 'en-US';
	return (
		<main class="clock">
			<button type="button" onClick={p.onTouch}>
				<span class="clock-time">{at.toLocaleTimeString(l, { hour: 'numeric', minute: '2-digit' })}</span>
				<span class="clock-day">{at.toLocaleDateString(l, { weekday: 'long', day: 'numeric', month: 'long' })}</span>
			</button>
		</main>
	);
}
