/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * page: the frame of a screen: where one is, the way back, and on every one the quick exit.
 * A new screen's title takes the focus, so that a screen reader begins there; the browser's
 * own title says nothing of it, for it stands in lists of windows.
 */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { quickExit } from '../exit';
import { Button } from './basics';

/* of the screen's height, for both bars together */
const MOST_BARS = 0.45;

export interface PageProps {
	title: ComponentChildren;
	/* the way back; without it there is none */
	onBack?: () => void;
	/* what it does, where it is more than one step back */
	backLabel?: string;
	/* beside the title: a Button or two with icons */
	tools?: ComponentChildren;
	/* stays at the lower edge: the screen's main buttons */
	foot?: ComponentChildren;
	/* below the title, stays at the upper edge: a Progress */
	under?: ComponentChildren;
	children?: ComponentChildren;
	/* for lists and records at a desk: the whole width of a large screen */
	wide?: boolean;
	/* the title is for screen readers alone: the screen shows something larger */
	hideTitle?: boolean;
	/* changes when the same frame shows something new: the title takes the focus again */
	focusKey?: string | number;
	lang?: string;
}

export function Page(p: PageProps): JSX.Element {
	const title = useRef<HTMLHeadingElement>(null);
	const box = useRef<HTMLDivElement>(null);
	useEffect(() => {
		title.current?.focus({ preventScroll: true });
		window.scrollTo(0, 0);
	}, [p.focusKey]);
	/* where two bars would leave little between them (large letters, a low screen), the lower one
	 * stands behind what it is about instead of in front of it */
	useLayoutEffect(() => {
		const fit = (): void => {
			const page = box.current;
			if (!page)
				return;
			const bars = Array.from(page.children).filter((e) => e.matches('.top, .foot'))
				.reduce((h, e) => h + e.getBoundingClientRect().height, 0);
			page.toggleAttribute('data-crowded', bars > window.innerHeight * MOST_BARS);
		};
		fit();
		window.addEventListener('resize', fit);
		return () => window.removeEventListener('resize', fit);
	});
	return (
		<div class={`page ${p.wide ? 'wide' : ''}`} ref={box}>
			<header class="top">
				<div class="top-bar">
					{p.onBack && <Button kind="quiet" icon="back" label={p.backLabel ?? t('common.back')} onClick={p.onBack} />}
					<h1 class={p.hideTitle ? 'sr-only' : 'top-title'} tabIndex={-1} ref={title} lang={p.lang}>
						{p.title}
					</h1>
					{p.hideTitle && <span class="top-space" />}
					<div class="top-tools">
						{p.tools}
						<Button kind="quiet" class="quick-exit" icon="exit" onClick={quickExit}>{t('common.exit')}</Button>
					</div>
				</div>
				{p.under}
			</header>
			<main class="content">{p.children}</main>
			{p.foot !== undefined && <footer class="foot"><div class="foot-inner">{p.foot}</div></footer>}
		</div>
	);
}
