/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * window: which rows of a long list are in the page.  All rows have one height, so that where a row
 * stands follows from its number alone, and a list of five thousand costs what twenty cost.
 */

export interface Span {
	readonly first: number; // the first row drawn
	readonly end: number; // one past the last
}

/* top and view: of the part on screen, in pixels.  spare: rows beyond each edge, so that a
 * quick finger meets rows and not a gap. */
export function spanOf(top: number, view: number, row: number, total: number, spare: number): Span {
	if (total <= 0 || row <= 0) return { first: 0, end: 0 };
	const at = Math.floor(Math.max(0, top) / row);
	const seen = Math.ceil(Math.max(0, view) / row) + 1;
	const first = Math.min(Math.max(0, at - spare), total);
	return { first: Math.min(first, Math.max(0, total - 1)), end: Math.min(total, at + seen + spare) };
}

/* The scroll position at which a row is wholly on screen, moving as little as possible. */
export function scrollFor(index: number, top: number, view: number, row: number): number {
	const from = index * row;
	if (from < top) return from;
	if (from + row > top + view) return from + row - view;
	return top;
}

/* The pages of a list that a span touches, with one more on the side of the movement. */
export function pagesOf(span: Span, page: number, total: number, down: boolean): number[] {
	const out: number[] = [];
	if (span.end <= span.first) return out;
	const last = Math.floor((total - 1) / page);
	const from = Math.floor(span.first / page);
	const to = Math.min(last, Math.floor((span.end - 1) / page));
	for (let p = from; p <= to; p++) out.push(p);
	const next = down ? to + 1 : from - 1;
	if (next >= 0 && next <= last) out.push(next);
	return out;
}
