/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * slip: the case code, large, until it is on the family's slip; then the device forgets it.
 *
 * What can be printed has the code and what is safe beside it, the sentence of the paper
 * form's slip and the organisation: no name, no form, no day.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../core';
import { t, tn } from '../i18n';
import { back, onLeave } from '../nav';
import type { Sealed, Slip as SlipFacts } from '../ops';
import { refresh, session } from '../session';
import { Banner, Button, Confirm, Field, Icon, More, Page, useFault, Waiting } from '../ui';

/* what fill_seal said, for the screen that follows it; not there after a reload */
let fresh: Sealed | null = null;
export function justSealed(sealed: Sealed): void {
	fresh = sealed;
}

/* "7 K 3 Q X - …": a screen reader spells it */
function spelled(code: string): string {
	return code.replace(/-/g, '').split('').join(' ');
}

export function Slip(p: { draft: number }): JSX.Element {
	const [slip, setSlip] = useState<SlipFacts | null>(null);
	const [typed, setTyped] = useState('');
	const [said, setSaid] = useState<'' | 'right' | 'wrong'>('');
	const [asks, setAsks] = useState(false);
	const fault = useFault();
	const leave = (): void => {
		onLeave(null);
		back();
	};
	useEffect(() => {
		void fault.try_('slip', async () => setSlip(await call('slip', { draft: p.draft })));
		return () => {
			fresh = null;
		};
	}, [p.draft]);
	if (!slip)
		return (
			<Page title={t('slip.title')} onBack={leave}>
				{fault.banner ?? <Waiting text={t('slip.loading')} />}
			</Page>
		);
	const [first = '', second = ''] = slip.code.split('-');
	const compare = async (): Promise<void> => {
		const r = await fault.try_('slip_check', () => call('slip_check', { draft: p.draft, text: typed }));
		if (r)
			setSaid(r.ok ? 'right' : 'wrong');
	};
	const done = async (): Promise<void> => {
		const ok = await fault.try_('slip_done', async () => {
			await call('slip_done', { draft: p.draft });
			return true;
		});
		setAsks(false);
		if (!ok)
			return;
		setSlip(null);
		leave();
		void refresh().catch(() => undefined);
	};
	const s = fresh?.draft === p.draft ? fresh : null;
	const organisation = session().me?.organisation ?? '';
	return (
		<Page title={t('slip.title')} onBack={leave} foot={
			<Button kind={said === 'right' ? 'primary' : 'plain'} big icon="check"
				onClick={() => said === 'right' ? done() : setAsks(true)}>{t('slip.done')}</Button>
		}>
			{fault.banner}
			{s?.is_urgent && <Banner tone="bad" title={t('slip.urgent')}>{t('slip.urgent_text')}</Banner>}
			<div class="slip-screen">
				<p class="slip-sealed"><Icon name="lock" /> {t('slip.sealed')}</p>
				<p class="lead">{t(slip.is_paper ? 'slip.copy_paper' : 'slip.copy')}</p>
				<div class="code" role="img" aria-label={t('slip.code', { spelled: spelled(slip.code) })} translate={false}>
					<span aria-hidden="true">{first}</span><span class="code-dash" aria-hidden="true">-</span><span aria-hidden="true">{second}</span>
				</div>
				<p class="small quiet-text">{t('slip.zero')} {t('slip.do_not_photograph')}</p>
			</div>
			<div class="stack close slip-compare">
				<Field label={t('slip.compare')} value={typed} mono capitalize="characters" maxLength={40}
					fault={said === 'wrong' ? t('slip.wrong') : null}
					onInput={(x) => {
						setTyped(x);
						setSaid('');
					}} onEnter={() => void compare()} />
				{said === 'right'
					? <Banner tone="good">{t('slip.right')}</Banner>
					: <Button icon="search" disabled={typed.trim() === ''} onClick={compare}>{t('slip.check')}</Button>}
			</div>
			{s && (
				<div class="stack close slip-facts">
					<p>{tn('slip.readers', s.n_readers, { all: s.n_holders, desk: s.desk_name })}</p>
					{s.n_readers < 2 && s.n_holders >= 2 && <Banner tone="warn">{t('slip.few')}</Banner>}
				</div>
			)}
			{s?.had_files && <Banner tone="warn">{t('slip.gallery')}</Banner>}
			<div class="slip-print-offer">
				<More title={t('slip.print')}>
					<p>{t('slip.print_note')}</p>
					<Button icon="print" onClick={() => window.print()}>{t('slip.print')}</Button>
				</More>
			</div>
			<section class="slip-paper" aria-hidden="true">
				<h2>{organisation !== '' ? `${organisation} · ` : ''}{t('slip.title')}</h2>
				<p class="slip-paper-code">{slip.code}</p>
				<p>{t('slip.keep')}</p>
				<p>{t('slip.ask_at')}: ______________________________</p>
			</section>
			{asks && (
				<Confirm title={t('slip.done_title')} yes={t('slip.done_yes')} no={t('slip.done_no')}
					onYes={done} onNo={() => setAsks(false)}>{t('slip.done_text')}</Confirm>
			)}
		</Page>
	);
}
