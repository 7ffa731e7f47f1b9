/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * list: the cases, as many as there are, with no more rows in the page than fit on it.
 *
 * For a screen reader it is a grid of as many rows as there are cases (aria-rowcount), each
 * with its number.  One row is the active one: Tab leads to it, arrows, j and k, Page, Home
 * and End move it, Enter opens it, x or the space bar chooses it.  The active row stays in the
 * page even when it is scrolled away, so that the focus is never lost.
 */
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t, tn } from '../i18n';
import type { CaseRow } from '../ops';
import { Badge, Icon } from '../ui';
import { lettersAreKeys } from './keys';
import type { Cases } from './model';
import { scrollFor, spanOf } from './window';
import { dueText, titleOf, withText } from './words';

const SPARE = 6;
/* before the first row was measured */
const ROW_GUESS = 92;

export interface ListProps {
	cases: Cases;
	today: number;
	/* the case shown beside the list; null: none */
	shown: string | null;
	active: number;
	onActive: (i: number) => void;
	onOpen: (r: CaseRow) => void;
	/* choosing several: those chosen; null: not choosing */
	chosen: ReadonlySet<string> | null;
	onChoose: (r: CaseRow) => void;
	/* raise it and the active row takes the focus */
	focus: number;
}

export function CaseListView(p: ListProps): JSX.Element {
	const box = useRef<HTMLDivElement>(null);
	const ruler = useRef<HTMLDivElement>(null);
	const [row, setRow] = useState(ROW_GUESS);
	const [view, setView] = useState(600);
	const [top, setTop] = useState(0);
	const { cases } = p;
	const total = cases.total;
	const span = spanOf(top, view, row, total, SPARE);

	/* measures change with the width, the language's font and the person's text size */
	useLayoutEffect(() => {
		const measure = (): void => {
			if (ruler.current && ruler.current.offsetHeight > 0)
				setRow(ruler.current.offsetHeight);
			if (box.current)
				setView(box.current.clientHeight);
		};
		measure();
		const o = new ResizeObserver(measure);
		if (box.current)
			o.observe(box.current);
		if (ruler.current)
			o.observe(ruler.current);
		return () => o.disconnect();
	}, []);

	useEffect(() => cases.see(span), [span.first, span.end, total, cases.turn]);

	/* another question begins at its beginning */
	useLayoutEffect(() => {
		if (box.current)
			box.current.scrollTop = 0;
		setTop(0);
	}, [cases.turn]);

	const bring = (i: number): void => {
		const b = box.current;
		if (b)
			b.scrollTop = scrollFor(i, b.scrollTop, b.clientHeight, row);
	};
	/* the row that is to take the focus as soon as it is drawn: by its number, for an effect of
	 * an earlier drawing may still come after the key was pressed */
	const wanted = useRef(-1);
	useEffect(() => {
		if (p.focus > 0) {
			wanted.current = p.active;
			bring(p.active);
			setTop(box.current?.scrollTop ?? 0);
		}
	}, [p.focus]);
	useEffect(() => {
		if (wanted.current < 0)
			return;
		const el = box.current?.querySelector<HTMLElement>(`[aria-rowindex="${wanted.current + 1}"]`);
		if (el) {
			wanted.current = -1;
			el.focus({ preventScroll: true });
		}
	});

	const move = (to: number): void => {
		const i = Math.min(Math.max(0, to), total - 1);
		if (i < 0)
			return;
		wanted.current = i;
		p.onActive(i);
		bring(i);
	};
	const press = (e: KeyboardEvent): void => {
		if (e.ctrlKey || e.metaKey || e.altKey)
			return;
		const page = Math.max(1, Math.floor(view / row) - 1);
		const letters = lettersAreKeys();
		const at = cases.row(p.active);
		let used = true;
		if (e.key === 'ArrowDown' || (letters && e.key === 'j'))
			move(p.active + 1);
		else if (e.key === 'ArrowUp' || (letters && e.key === 'k'))
			move(p.active - 1);
		else if (e.key === 'PageDown')
			move(p.active + page);
		else if (e.key === 'PageUp')
			move(p.active - page);
		else if (e.key === 'Home')
			move(0);
		else if (e.key === 'End')
			move(total - 1);
		else if (e.key === 'Enter' && at)
			p.onOpen(at);
		else if ((e.key === ' ' || (letters && e.key === 'x')) && at && p.chosen)
			p.onChoose(at);
		else
			used = false;
		if (used) {
			e.preventDefault();
			e.stopPropagation();
		}
	};

	const drawn: number[] = [];
	for (let i = span.first; i < span.end; i++)
		drawn.push(i);
	if (p.active < total && (p.active < span.first || p.active >= span.end))
		drawn.push(p.active);

	return (
		<div class="case-list" ref={box} onScroll={(e) => setTop(e.currentTarget.scrollTop)}>
			<div class="case-row ruler" ref={ruler} aria-hidden="true" />
			{total > 0 && (
				<div role="grid" aria-label={t('desk.cases')} aria-rowcount={total} aria-colcount={2}
					aria-multiselectable={p.chosen !== null || undefined} aria-busy={cases.asking || undefined}
					class="case-grid" style={{ height: `${total * row}px` }} onKeyDown={press}>
					{drawn.map((i) => (
						<CaseLine key={i} index={i} top={i * row} row={cases.row(i)} today={p.today}
							active={i === p.active} shown={cases.row(i)?.record === p.shown && p.shown !== null}
							chosen={p.chosen && cases.row(i) ? p.chosen.has(cases.row(i)?.record ?? '') : null}
							onTap={(r) => {
								p.onActive(i);
								if (p.chosen)
									p.onChoose(r);
								else
									p.onOpen(r);
							}} onFocus={() => p.onActive(i)} />
					))}
				</div>
			)}
		</div>
	);
}

interface LineProps {
	index: number; top: number; row: CaseRow | undefined; today: number;
	active: boolean; shown: boolean; chosen: boolean | null;
	onTap: (r: CaseRow) => void; onFocus: () => void;
}

function CaseLine(p: LineProps): JSX.Element {
	const r = p.row;
	/* the list may be sorted anew between the finger's coming and its going: what was pressed counts */
	const pressed = useRef<CaseRow | undefined>(undefined);
	const tap = (by_pointer: boolean): void => {
		const meant = by_pointer ? pressed.current ?? r : r;
		pressed.current = undefined;
		if (meant)
			p.onTap(meant);
	};
	const names = ['case-row'];
	if (p.shown) names.push('shown');
	if (p.chosen) names.push('chosen');
	if (r?.state === 'closed') names.push('closed');
	const marks = r ? marksOf(r) : [];
	return (
		<div role="row" class={names.join(' ')} aria-rowindex={p.index + 1} tabIndex={p.active ? 0 : -1}
			data-active={p.active || undefined} aria-selected={p.chosen ?? p.shown} aria-busy={r ? undefined : true}
			style={{ transform: `translateY(${p.top}px)` }}
			onPointerDown={() => {
				pressed.current = r;
			}} onClick={(e) => tap(e.detail > 0)} onFocus={p.active ? undefined : p.onFocus}>
			{p.chosen !== null && (
				<span class="case-tick" aria-hidden="true">{p.chosen && <Icon name="check" size={18} />}</span>
			)}
			<div role="rowheader" class="case-main">
				{r ? (
					<span class="case-title">{titleOf(r)}</span>
				) : <span class="case-blank">{t('common.wait')}</span>}
			</div>
			<div role="gridcell" class="case-rest">
				{r && (
					<>
						<span class="case-line">
							<span class="case-with">{withText(r)}</span>
							<span class="case-code">{r.code}</span>
						</span>
						<span class="case-marks">
							{r.urgent && <Badge tone="bad">{t('desk.urgent')}</Badge>}
							{r.due && <span class={`case-due ${r.due.overdue ? 'late' : ''}`}>{dueText(r.due, p.today)}</span>}
							{marks.slice(0, 2).map((m) => <Badge key={m} tone="warn">{m}</Badge>)}
						</span>
					</>
				)}
			</div>
		</div>
	);
}

/* what should not be overlooked about a case, besides its urgency */
export function marksOf(r: CaseRow): string[] {
	const out: string[] = [];
	if (r.n_conflicts > 0) out.push(t('mark.conflict'));
	if (r.alone) out.push(t('mark.alone'));
	if (r.pending) out.push(t('mark.pending'));
	if (r.twice) out.push(t('mark.twice'));
	if (r.unanswered) out.push(t('mark.unanswered'));
	if (r.held) out.push(t('mark.held'));
	return out;
}

/* above the list: how many, and what of them matters */
export function listSentence(c: Cases): string {
	const parts = [tn('desk.n_cases', c.total)];
	if (c.n_urgent > 0 && c.chip !== 'urgent' && c.chip !== 'closed')
		parts.push(tn('desk.n_urgent', c.n_urgent));
	if (c.n_overdue > 0)
		parts.push(tn('desk.n_overdue', c.n_overdue));
	return parts.join(' · ');
}
