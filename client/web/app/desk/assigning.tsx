/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * assigning: a case is given to somebody.  The first time to a person, six words of their
 * key are read out by them on the telephone and compared: it is the only check that this
 * key is that person, so there is no way around it but to stop.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../core';
import { dayText, langName, t, tn } from '../i18n';
import type { Person, Who } from '../ops';
import { Banner, Button, Choices, Dialog, Field, Select, Waiting, Words } from '../ui';
import { REASON_MAX, sizeOf, type ActProps } from './actions';
import { deskFault, hasIt, nameOf } from './words';

function aboutPerson(x: Person): string {
	const parts = [t(x.role === 'interpreter' ? 'desk.interpreter' : 'desk.attorney')];
	if (x.holder) parts.push(t('assign.holder'));
	if (x.languages.length > 0) parts.push(x.languages.map((l) => langName(l, l)).join(', '));
	parts.push(tn('assign.open', x.n_open));
	if (x.refused && x.refused !== 'not_compared') parts.push(t(`refusal.${x.refused}`));
	else if (!x.compared && !x.me) parts.push(t('assign.not_compared'));
	return parts.join(' · ');
}

export function AssignDialog(p: ActProps): JSX.Element {
	const record = p.show.row.record;
	const [people, setPeople] = useState<Person[] | null>(null);
	const [to, setTo] = useState<string | null>(null);
	const [from, setFrom] = useState('');
	const [days, setDays] = useState('');
	const [reason, setReason] = useState('');
	const [comparing, setComparing] = useState<Person | null>(null);
	const [fault, setFault] = useState<string | null>(null);
	const over = sizeOf(reason) - REASON_MAX;
	const having = p.show.people.filter((x) => hasIt(x.state));
	useEffect(() => {
		call('people', { record }).then((l) => setPeople(l.people), (e) => setFault(deskFault(e, 'people')));
	}, [record]);

	const give = async (person: Person): Promise<void> => {
		setFault(null);
		try {
			const d = await call('case_assign', {
				record, to: person.key, reason: reason.trim(),
				answer_days: days === '' ? null : Number(days), from: from === '' ? null : from,
			});
			const parts = [t(person.me ? 'did.assign_me' : 'did.assign', { who: nameOf(person) })];
			if (d.n_attachments > 0) parts.push(tn('did.assign_files', d.n_attachments));
			if (d.n_missing > 0) parts.push(tn('did.assign_missing', d.n_missing));
			if (d.answer_by > 0) parts.push(t('did.assign_by', { day: dayText(d.answer_by) }));
			if (d.n_untold > 0) parts.push(tn('told.without', d.n_untold));
			p.onDone(parts.join(' '), false);
		} catch (e) {
			setFault(deskFault(e, 'case_assign'));
		}
	};
	const go = async (): Promise<void> => {
		const person = people?.find((x) => x.key === to);
		if (!person) {
			setFault(t('assign.choose'));
			return;
		}
		if (!person.compared && !person.me)
			setComparing(person);
		else
			await give(person);
	};

	if (comparing) {
		return (
			<CompareDialog who={comparing} onClose={() => setComparing(null)} onSame={async () => {
				const person = { ...comparing, compared: true };
				setPeople((l) => l?.map((x) => x.key === person.key ? { ...x, compared: true } : x) ?? null);
				setComparing(null);
				await give(person);
			}} />
		);
	}
	return (
		<Dialog title={t('act.assign_title', { code: p.show.row.code })} onClose={p.onClose} actions={
			<>
				<Button kind="primary" onClick={go} disabled={people === null || over > 0}>{t('act.assign_yes')}</Button>
				<Button onClick={p.onClose}>{t('common.cancel')}</Button>
			</>
		}>
			{fault && <Banner tone="bad" title={fault} />}
			<p>{t('assign.text')}</p>
			{people === null ? <Waiting /> : (
				<PersonChoices people={people} value={to} onChange={setTo} />
			)}
			{having.length > 0 && (
				<Select label={t('assign.from')} empty={t('assign.from_nobody')} value={from} onChange={setFrom}
					options={having.map((x) => ({ value: x.key, label: nameOf(x) }))} />
			)}
			<Select label={t('assign.days')} empty={t('assign.days_policy')} value={days} onChange={setDays}
				options={[1, 2, 3, 7, 14, 30].map((n) => ({ value: String(n), label: tn('assign.n_days', n) }))
					.concat({ value: '0', label: t('assign.days_never') })} />
			<Field label={t('act.reason')} hint={t('act.reason_hint')} value={reason} onInput={setReason} lines={2}
				fault={over > 0 ? tn('act.too_long', over) : null} />
		</Dialog>
	);
}

/* one of many people; those who cannot get it are named with the reason and cannot be chosen */
function PersonChoices(p: { people: readonly Person[]; value: string | null; onChange: (key: string) => void }): JSX.Element {
	const can = p.people.filter((x) => !x.refused || x.refused === 'not_compared');
	const cannot = p.people.filter((x) => x.refused && x.refused !== 'not_compared');
	return (
		<>
			<Choices legend={t('assign.to')} value={p.value === null ? [] : [p.value]} onChange={(v) => p.onChange(v[0] ?? '')}
				options={can.map((x) => ({ value: x.key, label: x.me ? t('assign.me', { name: x.name }) : x.name, detail: aboutPerson(x) }))} />
			{can.length === 0 && <p class="quiet-text">{t('assign.nobody')}</p>}
			{cannot.length > 0 && (
				<div class="cannot">
					<p class="field-label">{t('assign.cannot')}</p>
					<ul class="plain-list">{cannot.map((x) => <li key={x.key}>{nameOf(x)} <span class="quiet-text small">{aboutPerson(x)}</span></li>)}</ul>
				</div>
			)}
		</>
	);
}

/* Six words, on the telephone. */
export function CompareDialog(p: { who: Who; onClose: () => void; onSame: () => void | Promise<unknown> }): JSX.Element {
	const [words, setWords] = useState<string[] | null>(null);
	const [differ, setDiffer] = useState(false);
	const [fault, setFault] = useState<string | null>(null);
	useEffect(() => {
		call('person_words', { key: p.who.key }).then((w) => setWords(w.words), (e) => setFault(deskFault(e, 'person_words')));
	}, [p.who.key]);
	return (
		<Dialog title={t('compare.title', { who: p.who.name })} onClose={p.onClose} actions={differ
			? <Button kind="primary" onClick={p.onClose}>{t('common.close')}</Button>
			: (
				<>
					<Button kind="primary" disabled={words === null} onClick={async () => {
						try {
							await call('person_compared', { key: p.who.key });
							await p.onSame();
						} catch (e) {
							setFault(deskFault(e, 'person_compared'));
						}
					}}>{t('compare.same')}</Button>
					<Button disabled={words === null} onClick={() => setDiffer(true)}>{t('compare.differ')}</Button>
					<Button onClick={p.onClose}>{t('compare.later')}</Button>
				</>
			)}>
			{fault && <Banner tone="bad" title={fault} />}
			{differ
				? <Banner tone="bad" title={t('compare.stop')}>{t('compare.stop_text')}</Banner>
				: (
					<>
						<p>{t('compare.text', { who: p.who.name })}</p>
						{words === null ? !fault && <Waiting /> : <Words words={words} label={t('compare.words')} />}
					</>
				)}
		</Dialog>
	);
}
