/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * keys: whether single letters are commands at the desk.  Whoever dictates, or hits keys by
 * chance, turns them off (WCAG 2.1.4); arrows, Enter and Escape always work.
 */
let on = true;

export function lettersAreKeys(): boolean {
	return on;
}

export function setLetters(to: boolean): void {
	on = to;
}

/* somebody is writing: no key is a command */
export function isTyping(target: EventTarget | null): boolean {
	return target instanceof HTMLElement &&
		(target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
