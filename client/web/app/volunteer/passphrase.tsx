/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * passphrase: how a passphrase is chosen.  Six generated words are offered; they are shown
 * once, copied to paper, and typed again.  Somebody's own is judged while it is typed.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../core';
import { t } from '../i18n';
import { Banner, Button, Card, Page, Progress, say, SecretField, useFault, Words } from '../ui';

type Step = 'offer' | 'own' | 'again';

/* done gets the passphrase; it is asked a second time before */
export function ChoosePassphrase(p: {
	title: string; onBack: () => void; onDone: (pass: string) => Promise<unknown>;
}): JSX.Element {
	const [step, setStep] = useState<Step>('offer');
	const [words, setWords] = useState('');
	const [own, setOwn] = useState('');
	const [again, setAgain] = useState('');
	const [judged, setJudged] = useState({ bits: 0, enough: 1, ok: false });
	const [differs, setDiffers] = useState(false);
	const [is_own, setIsOwn] = useState(false);
	const fault = useFault();
	const offer = async (): Promise<void> => {
		const made = await fault.try_('passphrase', () => call('passphrase_words', {}));
		if (made)
			setWords(made.words);
	};
	useEffect(() => {
		void offer();
	}, []);
	useEffect(() => {
		if (step !== 'own')
			return undefined;
		let old = false;
		const timer = window.setTimeout(() => {
			call('passphrase_judge', { pass: own })
				.then((j) => {
					if (!old)
						setJudged(j);
				})
				.catch(() => undefined);
		}, 200);
		return () => {
			old = true;
			window.clearTimeout(timer);
		};
	}, [own, step]);

	const pass = is_own ? own : words;
	const finish = async (): Promise<void> => {
		await fault.try_('passphrase', async () => {
			const { same } = await call('passphrase_same', { pass, again });
			setDiffers(!same);
			if (same)
				await p.onDone(pass);
		});
	};

	if (step === 'again')
		return (
			<Page title={t('pass.again_title')} focusKey="again"
				onBack={() => {
					setAgain('');
					setDiffers(false);
					setStep(is_own ? 'own' : 'offer');
				}}
				foot={<Button kind="primary" disabled={again === ''} onClick={finish}>{t('common.continue')}</Button>}>
				{fault.banner}
				<p>{is_own ? t('pass.again_own') : t('pass.again_words')}</p>
				<SecretField label={t('pass.again')} value={again} onEnter={() => void finish()}
					fault={differs ? (is_own ? t('pass.differs_own') : t('pass.differs_words')) : null}
					onInput={(v) => {
						setAgain(v);
						setDiffers(false);
					}} />
				<Banner tone="warn" title={t('pass.nobody_title')}>{t('pass.nobody')}</Banner>
			</Page>
		);
	if (step === 'own')
		return (
			<Page title={t('pass.own_title')} focusKey="own" onBack={() => setStep('offer')}
				foot={
					<Button kind="primary" disabled={!judged.ok} onClick={() => {
						setIsOwn(true);
						setStep('again');
					}}>{t('common.next')}</Button>
				}>
				<p>{t('pass.own_intro')}</p>
				<SecretField label={t('pass.own')} value={own} onInput={setOwn} />
				<Progress label={t('pass.strength')} done={Math.min(judged.bits, judged.enough)} total={judged.enough}
					text={own === '' ? '' : judged.ok ? t('pass.strong') : t('pass.weak')} />
			</Page>
		);
	return (
		<Page title={p.title} focusKey="offer" onBack={p.onBack}
			foot={
				<>
					<Button kind="primary" disabled={words === ''} onClick={() => {
						setIsOwn(false);
						setStep('again');
					}}>{t('pass.written')}</Button>
					<Button kind="quiet" onClick={() => setStep('own')}>{t('pass.own_instead')}</Button>
				</>
			}>
			{fault.banner}
			<p>{t('pass.intro')}</p>
			<Card>
				{words !== '' && <Words words={words.split(' ')} label={t('pass.words')} />}
				<div>
					<Button kind="quiet" icon="sync" onClick={async () => {
						await offer();
						say(t('pass.others_said'));
					}}>{t('pass.others')}</Button>
				</div>
			</Card>
			<p class="quiet-text">{t('pass.paper')}</p>
		</Page>
	);
}
