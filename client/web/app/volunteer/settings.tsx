/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* settings: language, colours, when it locks, passphrase, about, wipe. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { changePassphrase } from '../core';
import { lang, setLang, t, tn } from '../i18n';
import { isInstalled, isKept, keepStorage } from '../keep';
import { lockNow } from '../lock';
import { back, go } from '../nav';
import { IDLE_CHOICES, readPrefs, writePrefs, type Theme } from '../prefs';
import { useSession } from '../session';
import { Banner, Button, Card, Choices, Confirm, List, Page, Row, SecretField, useFault, Words } from '../ui';
import { DeskWords } from './compare';
import { InstallHint } from './install';
import { isReadyOffline } from '../update';
import { ChoosePassphrase } from './passphrase';
import { WipeButton } from './wipe';

export function Settings(): JSX.Element {
	const { me, outbox, drafts, kiosk } = useSession();
	const [ending, setEnding] = useState(false);
	/* in a hall's tablet: what ends with its memory */
	const lost = kiosk ? (outbox?.waiting ?? 0) + drafts.length : 0;
	const [, turn] = useState(0);
	const [kept, setKept] = useState<boolean | null>(null);
	useEffect(() => {
		void isKept().then(setKept);
	}, []);
	const prefs = readPrefs();
	const change = (to: Parameters<typeof writePrefs>[0]): void => {
		writePrefs(to, !kiosk);
		turn((n) => n + 1);
	};
	return (
		<Page title={t('settings.title')} onBack={() => void back()}>
			<List label={t('settings.title')}>
				<Row icon="info" title={t('about.title')} detail={t('about.detail')} onClick={() => go('about', {})} />
				{!kiosk && <Row icon="lock" title={t('settings.passphrase')} onClick={() => go('passphrase', {})} />}
				<Row icon="lock" title={kiosk ? t('kiosk.end') : t('settings.lock')}
					detail={kiosk ? t('kiosk.end_text') : t('settings.lock_text')} onClick={() => {
						if (lost > 0)
							setEnding(true);
						else
							void lockNow();
					}} />
			</List>
			<Choices legend={t('language.title')} columns value={[lang()]}
				options={[{ value: 'es', label: <span lang="es">Español</span> }, { value: 'en', label: <span lang="en">English</span> }]}
				onChange={(v) => setLang(v[0] === 'es' ? 'es' : 'en', !kiosk)} />
			<Choices legend={t('settings.theme')} columns value={[prefs.theme]}
				options={(['system', 'light', 'dark'] as const).map((v) => ({ value: v, label: t(`settings.theme_${v}`) }))}
				onChange={(v) => change({ theme: v[0] as Theme })} />
			{!kiosk && (
				<Choices legend={t('settings.idle')} hint={t('settings.idle_hint')} columns value={[String(prefs.idle_min)]}
					options={IDLE_CHOICES.map((m) => ({ value: String(m), label: tn('settings.minutes', m) }))}
					onChange={(v) => change({ idle_min: Number(v[0]) })} />
			)}
			{!kiosk && (
				<Card title={t('settings.storage')} icon="save">
					{isReadyOffline() && <p class="good-text">{t('install.ready')}</p>}
					{kept === true
						? <p>{t('settings.kept')}</p>
						: (
							<>
								<p>{isInstalled() ? t('settings.not_kept_installed') : t('settings.not_kept')}</p>
								<div><Button onClick={async () => setKept(await keepStorage())}>{t('outbox.ask_keep')}</Button></div>
							</>
						)}
				</Card>
			)}
			{!kiosk && <InstallHint />}
			<Card title={t('exit.title')} icon="exit">
				<p>{kiosk ? t('exit.kiosk') : t('exit.text')}</p>
				<p class="quiet-text">{t('exit.cannot')}</p>
			</Card>
			<Card title={t('wipe.card')} icon="trash">
				<p>{t('wipe.card_text')}</p>
				<div><WipeButton onWiped={() => lockNow()} /></div>
			</Card>
			{ending && (
				<Confirm title={t('kiosk.end_title')} danger yes={t('kiosk.end_yes')} onNo={() => setEnding(false)}
					onYes={() => lockNow()}>
					<p>{tn('kiosk.end_lost', lost)}</p>
				</Confirm>
			)}
			<p class="quiet-text small">{t('common.version', { v: AMPARO_VERSION })}{me && me.roster > 0 ? ` · ${t('about.roster', { n: me.roster })}` : ''}</p>
		</Page>
	);
}

/* Who one is, which desks receive, and their words. */
export function About(): JSX.Element {
	const { me } = useSession();
	return (
		<Page title={t('about.title')} onBack={() => void back()}>
			{me && (
				<Card title={me.name} icon="person">
					<p>{me.organisation}</p>
					<p class="quiet-text">{me.state === 'joining' ? t('about.joining') : t(`about.role_${me.role === '' ? 'none' : me.role}`)}</p>
					{me.key_words.length > 0 && (
						<>
							<p>{t('about.key_words')}</p>
							<Words words={me.key_words} label={t('about.key_words')} />
						</>
					)}
				</Card>
			)}
			{me?.roster_is_past && <Banner tone="warn" title={t('about.past')}>{t('about.past_text')}</Banner>}
			{me?.desks.map((d) => <DeskWords key={d.name} desk={d} />)}
			<Card title={t('about.how')} icon="lock">
				<p>{t('about.how_text')}</p>
			</Card>
		</Page>
	);
}

export function PassphraseScreen(): JSX.Element {
	const [old, setOld] = useState('');
	const [step, setStep] = useState<'old' | 'new' | 'done'>('old');
	const fault = useFault();
	if (step === 'done')
		return (
			<Page title={t('settings.passphrase')} focusKey="done"
				foot={<Button kind="primary" onClick={() => void back()}>{t('common.done')}</Button>}>
				<Banner tone="good" title={t('pass.changed')}>{t('pass.changed_text')}</Banner>
			</Page>
		);
	if (step === 'new')
		return (
			<ChoosePassphrase title={t('pass.title')} onBack={() => setStep('old')}
				onDone={async (pass) => {
					const done = await fault.try_('passphrase', async () => {
						await changePassphrase(old, pass);
						return true;
					});
					setOld('');
					setStep(done ? 'done' : 'old');
				}} />
		);
	return (
		<Page title={t('settings.passphrase')} onBack={() => void back()}
			foot={<Button kind="primary" disabled={old === ''} onClick={() => setStep('new')}>{t('common.next')}</Button>}>
			{fault.banner}
			<SecretField label={t('pass.old')} value={old} onInput={setOld}
				onEnter={() => {
					if (old !== '')
						setStep('new');
				}} />
		</Page>
	);
}
