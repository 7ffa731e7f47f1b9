/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * rank: put in order, by two buttons at each or by the arrow keys on its row.  As long as
 * nothing was moved and the order is not confirmed, there is no answer: the order in which
 * the form lists them is nobody's opinion.
 */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { Button, say } from '../ui';
import type { Ask } from './widget';

export function RankWidget(p: Ask): JSX.Element {
	const list = useRef<HTMLOListElement>(null);
	/* the row to which the focus goes back when the list is drawn in its new order */
	const moved = useRef<{ value: string; selector: string } | null>(null);
	const options = p.step.options;
	const given = p.text === '' ? [] : p.text.split(' ');
	const order = [
		...given.flatMap((v) => options.filter((o) => o.value === v)),
		...options.filter((o) => !given.includes(o.value)),
	];
	useEffect(() => {
		const m = moved.current;
		moved.current = null;
		const row = m && list.current?.querySelector(`[data-value="${CSS.escape(m.value)}"]`);
		const at = row?.querySelector<HTMLElement>(m?.selector ?? '');
		(at && !(at as HTMLButtonElement).disabled ? at : row?.querySelector<HTMLElement>('button:not([disabled])'))?.focus();
	}, [p.text]);
	const move = (i: number, to: number, selector: string): void => {
		const o = order[i];
		if (!o || to < 0 || to >= order.length)
			return;
		const now = order.filter((x) => x !== o);
		now.splice(to, 0, o);
		moved.current = { value: o.value, selector };
		p.put(now.map((x) => x.value).join(' '));
		say(t('rank.now', { what: o.label || o.value, n: to + 1 }));
	};
	if (options.length === 0)
		return <p class="field-hint">{t('fill.no_options')}</p>;
	return (
		<div class="stack">
			<p class="field-hint">{t('rank.hint')}</p>
			<ol class={`rank ${p.text === '' ? 'unset' : ''}`} ref={list} aria-labelledby={p.labelledBy}
				aria-describedby={p.describedBy}>
				{order.map((o, i) => (
					<li key={o.value} class="rank-row" data-value={o.value} onKeyDown={(e) => {
						if (e.key !== 'ArrowUp' && e.key !== 'ArrowDown')
							return;
						e.preventDefault();
						move(i, i + (e.key === 'ArrowUp' ? -1 : 1), e.key === 'ArrowUp' ? '.rank-up' : '.rank-down');
					}}>
						<span class="rank-number" aria-hidden="true">{i + 1}</span>
						<span class="rank-label" lang={p.lang}>{o.label || o.value}</span>
						<Button class="rank-up" kind="quiet" icon="up" label={t('rank.up', { what: o.label || o.value })}
							disabled={i === 0} onClick={() => move(i, i - 1, '.rank-up')} />
						<Button class="rank-down" kind="quiet" icon="down" label={t('rank.down', { what: o.label || o.value })}
							disabled={i === order.length - 1} onClick={() => move(i, i + 1, '.rank-down')} />
					</li>
				))}
			</ol>
			{p.text === '' && (
				<>
					<p class="field-hint">{t('rank.none')}</p>
					<Button icon="check" onClick={() => p.put(order.map((o) => o.value).join(' '))}>{t('rank.take')}</Button>
				</>
			)}
		</div>
	);
}
