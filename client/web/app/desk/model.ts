/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * model: the list of cases as far as the screen has asked for it.
 *
 * The core has the list; here are the pages of it around what is seen, and no more of them
 * than KEEP, so that little of the vault lies open in the page.  Answers of a question that
 * is no longer the one on the screen are dropped; after a change in the vault (another
 * stamp) the pages are fetched anew, and the old ones stay until the new ones are there.
 */
import { call, CoreError } from '../core';
import type { CaseFilter, CaseList, CaseRow } from '../ops';
import { pagesOf, type Span } from './window';

export const CHIPS = ['all', 'mine', 'unassigned', 'urgent', 'due', 'closed'] as const;
export type Chip = (typeof CHIPS)[number];

const PAGE = 50;
const KEEP = 12;
export const DUE_DAYS = 14;

function filterOf(chip: Chip, from: number, n: number): CaseFilter {
	return {
		view: chip === 'mine' || chip === 'unassigned' || chip === 'due' ? chip : 'all',
		state: chip === 'closed' ? 'closed' : null,
		desk: null,
		days: chip === 'due' ? DUE_DAYS : 0,
		from,
		n,
	};
}

export class Cases {
	chip: Chip = 'all';
	text = '';
	total = 0;
	n_urgent = 0;
	n_overdue = 0;
	n_hidden = 0;
	/* cases there are, whatever is shown of them; as last counted */
	n_all = 0;
	/* no answer to the question on the screen yet */
	asking = true;
	error: unknown = null;
	/* what the page of the list on screen answers: changes with each new question */
	turn = 0;

	private stamp = -1;
	private pages = new Map<number, CaseRow[]>();
	private under_way = new Set<number>();
	private span: Span = { first: 0, end: 0 };
	private down = true;
	private is_over = false;

	constructor(private readonly tell: () => void) {}

	row(i: number): CaseRow | undefined {
		return this.pages.get(Math.floor(i / PAGE))?.[i % PAGE];
	}

	indexOf(record: string): number {
		for (const [p, rows] of this.pages) {
			const at = rows.findIndex((r) => r.record === record);
			if (at >= 0)
				return p * PAGE + at;
		}
		return -1;
	}

	ask(chip: Chip, text: string): void {
		if (chip === this.chip && text === this.text && this.turn > 0)
			return;
		this.chip = chip;
		this.text = text;
		this.span = { first: 0, end: 1 };
		this.turn++;
		this.asking = true;
		this.error = null;
		this.under_way.clear();
		void this.load(0);
		this.tell();
	}

	/* The vault changed: everything on the screen once more. */
	again(): void {
		this.under_way.clear();
		this.stamp = -1;
		const pages = this.total > 0 ? pagesOf(this.span, PAGE, this.total, this.down) : [0];
		for (const p of pages.length > 0 ? pages : [0])
			void this.load(p);
	}

	/* These rows are on the screen. */
	see(span: Span): void {
		this.down = span.first >= this.span.first;
		this.span = span;
		for (const p of pagesOf(span, PAGE, this.total, this.down))
			if (!this.pages.has(p))
				void this.load(p);
	}

	/* Locked, or left: nothing stays. */
	end(): void {
		this.is_over = true;
		this.pages.clear();
		this.text = '';
	}

	private get(from: number, n: number): Promise<CaseList> {
		const f = filterOf(this.chip, from, n);
		return this.text === '' ? call('cases', f) : call('case_search', { ...f, text: this.text });
	}

	private async load(page: number): Promise<void> {
		if (this.under_way.has(page))
			return;
		this.under_way.add(page);
		const turn = this.turn;
		try {
			const l = await this.get(page * PAGE, PAGE);
			const total = this.chip === 'urgent' ? await this.urgent(l) : l.total;
			if (turn !== this.turn || this.is_over)
				return;
			this.take(page, l, total);
		} catch (e) {
			if (turn !== this.turn || this.is_over)
				return;
			/* a search for blanks and signs alone finds nothing, which is no fault */
			if (e instanceof CoreError && e.code === 'range' && this.text !== '')
				this.take(0, { total: 0, n_urgent: 0, n_overdue: 0, n_hidden: 0, rows: [], stamp: this.stamp }, 0);
			else
				this.error = e;
			this.asking = false;
		} finally {
			if (turn === this.turn)
				this.under_way.delete(page);
		}
		if (!this.is_over)
			this.tell();
	}

	private take(page: number, l: CaseList, total: number): void {
		const is_new = this.asking || l.stamp !== this.stamp;
		if (is_new) {
			this.pages.clear();
			this.stamp = l.stamp;
		}
		this.asking = false;
		this.error = null;
		this.total = total;
		this.n_urgent = l.n_urgent;
		this.n_overdue = l.n_overdue;
		this.n_hidden = l.n_hidden;
		if (this.chip === 'all' && this.text === '')
			this.n_all = l.total;
		this.pages.set(page, l.rows);
		if (this.pages.size > KEEP)
			this.forgetFar();
		if (is_new)
			this.see(this.span);
	}

	private forgetFar(): void {
		const at = Math.floor(this.span.first / PAGE);
		const far = [...this.pages.keys()].sort((a, b) => Math.abs(b - at) - Math.abs(a - at));
		for (const p of far.slice(0, this.pages.size - KEEP))
			this.pages.delete(p);
	}

	/*
	 * How many rows at the beginning are urgent and not closed: these lead the list.  n_urgent
	 * counts closed ones as well, which stand at its end, so the border is looked for.
	 */
	private async urgent(l: CaseList): Promise<number> {
		const is = (r: CaseRow | undefined): boolean => r !== undefined && r.urgent && r.state !== 'closed';
		let low = 0, high = Math.min(l.n_urgent, l.total);
		const at = async (i: number): Promise<boolean> => is((await this.get(i, 1)).rows[0]);
		if (high === 0 || await at(high - 1))
			return high;
		high--;
		while (low < high) {
			const mid = (low + high) >> 1;
			if (await at(mid))
				low = mid + 1;
			else
				high = mid;
		}
		return low;
	}
}
