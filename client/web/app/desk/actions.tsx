/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * actions: what can be done with a case.  Each says beforehand what will happen and who is
 * told; what cannot be taken back asks for one more tap.
 */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../core';
import { t, tn } from '../i18n';
import type { CasePerson, CaseShow, Told } from '../ops';
import { Banner, Button, Choices, Dialog, Field, type IconName } from '../ui';
import { AssignDialog } from './assigning';
import { deskFault, nameOf, titleOf } from './words';

export type ActName = 'note' | 'assign' | 'unassign' | 'accept' | 'decline' | 'recuse' | 'close' | 'reopen' | 'hold' | 'unhold';
export interface Act { act: ActName; whom: CasePerson | null }

const ORDER: readonly { act: Exclude<ActName, 'unassign'>; icon: IconName; main: boolean }[] = [
	{ act: 'accept', icon: 'check', main: true },
	{ act: 'decline', icon: 'close', main: false },
	{ act: 'note', icon: 'note', main: false },
	{ act: 'assign', icon: 'person', main: false },
	{ act: 'close', icon: 'lock', main: false },
	{ act: 'reopen', icon: 'unlock', main: false },
	{ act: 'hold', icon: 'flag', main: false },
	{ act: 'unhold', icon: 'flag', main: false },
	{ act: 'recuse', icon: 'exit', main: false },
];

export function actsOf(show: CaseShow): typeof ORDER {
	return ORDER.filter((o) => show.may[o.act]);
}

export interface ActProps {
	show: CaseShow; act: Act; onClose: () => void;
	/* what happened, in a sentence; gone: the case left this device */
	onDone: (sentence: string, gone: boolean) => void;
}

export function ActDialog(p: ActProps): JSX.Element {
	if (p.act.act === 'assign')
		return <AssignDialog {...p} />;
	return <SayDialog {...p} />;
}

/* what others learn of it, after the sentence of what was done */
export function toldText(done: string, told: Told): string {
	const parts = [done];
	parts.push(told.n_readers === 0 ? t('told.nobody') : tn('told.readers', told.n_readers));
	if (told.n_without > 0)
		parts.push(tn('told.without', told.n_without));
	if (told.gone)
		parts.push(t('told.gone'));
	return parts.join(' ');
}

const NOTE_MAX = 65536;
export const REASON_MAX = 1024;
const HOLD_MAX = 256;

/* as the core counts it: bytes */
export function sizeOf(text: string): number {
	return new TextEncoder().encode(text).length;
}

/* an act that consists of a text, or of nothing */
function SayDialog(p: ActProps): JSX.Element {
	const [text, setText] = useState('');
	const [sure, setSure] = useState(false);
	const [leaving, setLeaving] = useState(false);
	const [fault, setFault] = useState<string | null>(null);
	const act = p.act.act;
	const record = p.show.row.record;
	const max = act === 'note' ? NOTE_MAX : act === 'hold' ? HOLD_MAX : REASON_MAX;
	const long = sizeOf(text) > max;
	const final = act === 'recuse';
	const danger = act === 'recuse' || act === 'decline' || act === 'unassign';
	const who = p.act.whom ? nameOf(p.act.whom) : '';

	const say = async (): Promise<void> => {
		const reason = text.trim();
		const args = { record, reason };
		if (act === 'note' && reason === '') {
			setFault(t('act.note_empty'));
			return;
		}
		if (act === 'hold' && reason === '') {
			setFault(t('act.hold_empty'));
			return;
		}
		if (final && !sure) {
			setFault(t('act.be_sure'));
			return;
		}
		try {
			let told: Told | null = null;
			if (act === 'note') told = await call('case_note', { record, text: reason });
			else if (act === 'unassign') told = await call('case_unassign', { record, whom: p.act.whom?.key ?? '', reason });
			else if (act === 'accept') told = await call('case_accept', args);
			else if (act === 'decline') told = await call('case_decline', args);
			else if (act === 'recuse') told = await call('case_recuse', args);
			else if (act === 'close') told = await call('case_close', args);
			else if (act === 'reopen') told = await call('case_reopen', args);
			else await call('case_hold', { record, on: act === 'hold', reason });
			const done = act === 'assign' ? '' : t(`did.${act}`);
			p.onDone(told ? toldText(done, told) : done, told?.gone === true);
		} catch (e) {
			setFault(deskFault(e, `case_${act}`));
		}
	};

	/* a key pressed by chance does not throw a long note away */
	const leave = (): void => {
		if (act === 'note' && text.trim() !== '' && !leaving)
			setLeaving(true);
		else
			p.onClose();
	};

	return (
		<Dialog title={act === 'unassign' ? t('act.unassign_from', { who }) : act === 'assign' ? '' : t(`act.${act}_title`)} onClose={leave} actions={leaving ? (
			<>
				<Button kind="primary" onClick={() => setLeaving(false)}>{t('act.note_back')}</Button>
				<Button kind="danger" onClick={p.onClose}>{t('act.note_drop')}</Button>
			</>
		) : (
			<>
				<Button kind={danger ? 'danger' : 'primary'} disabled={long} onClick={say}>{act === 'assign' ? '' : t(`act.${act}_yes`)}</Button>
				<Button onClick={leave}>{t('common.cancel')}</Button>
			</>
		)}>
			{/* a list that is sorted anew lies where the finger is: which case it is, is said again */}
			<p class="act-case"><span class="act-code">{p.show.row.code}</span> {titleOf(p.show.row)}</p>
			{leaving && <Banner tone="warn" title={t('act.note_leave')} />}
			{fault && <Banner tone="bad" title={fault} />}
			<p>{act === 'assign' ? '' : t(`act.${act}_text`)}</p>
			{act !== 'unhold' && (
				<Field label={t(act === 'note' ? 'act.note_label' : 'act.reason')} value={text} onInput={setText}
					lines={act === 'note' ? 6 : 2} required={act === 'note' || act === 'hold'}
					hint={act === 'note' ? undefined : t(act === 'hold' ? 'act.hold_hint' : 'act.reason_hint')}
					fault={long ? tn('act.too_long', sizeOf(text) - max) : null} />
			)}
			{final && (
				<Choices legend={t('act.be_sure_legend')} hideLegend many value={sure ? ['yes'] : []}
					options={[{ value: 'yes', label: t('act.recuse_sure') }]} onChange={(v) => setSure(v.length > 0)} />
			)}
		</Dialog>
	);
}
