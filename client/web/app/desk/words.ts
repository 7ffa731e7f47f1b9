/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * words: what a case is, in the words of a list or a heading.  Codes in, sentences out.
 */
import { dayText, t, tMaybe, tn } from '../i18n';
import type { CasePerson, CaseRow, Changed, Due, PersonState, Who } from '../ops';
import { errorSentence } from '../ui';

/* who has no name in the organisation's list is called by the core in English (Who.name) */
const NAMELESS: readonly [RegExp, 'desk.volunteer' | 'desk.unknown_key' | 'desk.paper_holder'][] = [
	[/^volunteer (\d+)$/, 'desk.volunteer'],
	[/^unknown key ([0-9a-f]+)$/, 'desk.unknown_key'],
	[/^the paper holder$/, 'desk.paper_holder'],
];

export function nameOf(w: Who): string {
	if (w.me)
		return t('desk.you');
	for (const [form, key] of NAMELESS) {
		const found = form.exec(w.name);
		if (found)
			return t(key, { n: found[1] ?? '' });
	}
	return w.name;
}

/* still theirs, or may become so */
export function hasIt(s: PersonState | null): boolean {
	return s === 'offered' || s === 'accepted';
}

export function dueText(d: Due, today: number): string {
	const day = dayText(d.day);
	if (d.overdue)
		return t('desk.overdue', { day });
	if (today > 0 && d.day === today)
		return t('desk.due_today', { day });
	return today > 0 && d.day > today ? tn('desk.due_in', d.day - today, { day }) : t('desk.due', { day });
}

export function personText(p: CasePerson): string {
	const day = dayText(p.state === 'silent' ? p.answer_by : p.since);
	const role = p.role === 'interpreter' ? ` (${t('desk.interpreter')})` : '';
	return `${nameOf(p)}${role}: ${t(`person_state.${p.state}`, { day })}`;
}

/* one line for a list: who has it, or that nobody has */
export function withText(r: CaseRow): string {
	const at = r.people.find((p) => hasIt(p.state)) ?? r.people[0];
	if (!at)
		return t(`case_state.${r.state}`);
	return personText(at);
}

export function titleOf(r: CaseRow): string {
	if (r.recused)
		return t('desk.recused_title');
	return r.title === '' ? r.code : r.title;
}

export function changedText(c: Changed): string {
	const by = c.said[0];
	if (c.how === 'conflict' || c.how === 'doubt')
		return t(`changed.${c.how}`);
	if (!by)
		return '';
	return t(c.how === 'added' ? 'changed.added' : 'changed.corrected', { day: dayText(by.day), who: nameOf(by.who) });
}

/* what was said instead: an answer, nothing, or that it is taken away */
export function saidText(shown: string | null): string {
	return shown === null ? t('changed.gone') : shown === '' ? t('changed.blank') : shown;
}

/* A refusal says why by a code; everything else as on any other screen. */
export function deskFault(e: unknown, op: string): string {
	const fault = e as { code?: unknown; why?: unknown } | null;
	if (fault?.code === 'refused' && typeof fault.why === 'string') {
		/* of a case that is opened it is oneself who did */
		if (fault.why === 'recused' && (op === 'case_show' || op === 'case_blob'))
			return t('desk.recused_closed');
		const text = tMaybe(`refusal.${fault.why}`);
		if (text !== null)
			return text;
	}
	return errorSentence(e, op);
}
