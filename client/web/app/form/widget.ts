/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What each widget gets: the question, where it is on the screen, and where answers go. */
import { useLayoutEffect } from 'preact/hooks';
import type { Step } from '../ops';
import type { Filling } from './filling';

export interface Ask {
	filling: Filling;
	step: Step;
	/* the answer as it stands: typed, or stored */
	text: string;
	/* the form's language: for the texts that come from it */
	lang: string | undefined;
	/* ids of the question's label, and of hint and fault */
	labelledBy: string;
	describedBy: string | undefined;
	invalid: boolean;
	/* typed so far; chosen, or typed to the end */
	type: (text: string) => void;
	put: (text: string) => void;
	next: () => void;
}

/* Is this word among the appearance's? */
export function looks(step: Step, ...words: string[]): boolean {
	const has = step.appearance.split(/\s+/);
	return words.some((w) => has.includes(w));
}

/* As searches compare: small letters, without accents. */
export function folded(s: string): string {
	return s.normalize('NFD').replace(/\p{Mn}/gu, '').toLowerCase();
}

/* What an input has that stands for the question as a whole. */
export function named(p: Ask): Record<string, string | boolean | undefined> {
	return {
		'aria-labelledby': p.labelledBy, 'aria-describedby': p.describedBy,
		'aria-invalid': p.invalid || undefined, 'aria-required': p.step.required || undefined,
	};
}

/* While fn is there, nobody goes on without it having been asked (Filling.hold). */
export function useHold(filling: Filling, fn: (() => Promise<string>) | null): void {
	/* with the drawing itself: the next key may be Enter */
	useLayoutEffect(() => {
		filling.hold = fn;
		return () => {
			if (filling.hold === fn)
				filling.hold = null;
		};
	});
}
