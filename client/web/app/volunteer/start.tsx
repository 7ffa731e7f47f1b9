/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * start: a device without a vault, from the choice "mine or the hall's" to the first sync.
 *
 *	choice → invitation → who → passphrase (a device of one's own) → joining → joined
 *
 * The invitation is kept in memory until the core has it, and is gone with the page before.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, create } from '../core';
import { t } from '../i18n';
import { keepStorage } from '../keep';
import { onLeave } from '../nav';
import { openSession, refresh, syncByHand, useSession } from '../session';
import { Banner, Button, Card, ErrorBanner, Page, useFault, Waiting } from '../ui';
import { Invite } from './invite';
import { InstallHint } from './install';
import { LanguageButton } from './language';
import { Mark } from './mark';
import { ChoosePassphrase } from './passphrase';
import { CallWords, DeskWords } from './compare';
import { Who, type Person } from './who';

type Step = 'choice' | 'invite' | 'who' | 'pass' | 'joining' | 'joined';

/*
 * has_vault   the vault is there and open, but nobody lives in it (the page ended between):
 *             no passphrase is chosen again
 */
export function Start(p: {
	invitation: string; has_vault: boolean; onDone: () => void;
}): JSX.Element {
	const [step, setStep] = useState<Step>(p.has_vault || p.invitation !== '' ? 'invite' : 'choice');
	const [text, setText] = useState(p.invitation);
	const [who, setWho] = useState<Person>({ name: '', languages: [] });
	const [kiosk, setKiosk] = useState(false);
	const fault = useFault();
	/* a fault after the vault is there leads back to the invitation, not to another vault */
	const [made, setMade] = useState(p.has_vault);

	/* the device's own back button: a step, not the whole page */
	const before: Step | null = step === 'who' ? 'invite' : step === 'pass' ? 'who'
		: step === 'invite' && !p.has_vault && !made ? 'choice' : null;
	useEffect(() => {
		onLeave(before === null ? null : () => {
			setStep(before);
			return false;
		});
		return () => onLeave(null);
	}, [before]);

	/* another link, while this screen is there */
	useEffect(() => {
		if (p.invitation === '' || p.invitation === text || step === 'joining' || step === 'joined')
			return;
		setText(p.invitation);
		setStep('invite');
	}, [p.invitation]);

	const join = async (person: Person, pass: string | null): Promise<void> => {
		if (!made) {
			await create(pass ?? '', { kiosk });
			setMade(true);
			if (!kiosk)
				void keepStorage();
		}
		setStep('joining');
		const joined = await fault.try_('join', async () => {
			await call('join', { text, name: person.name, languages: person.languages });
			setText('');
			await openSession(kiosk);
			return true;
		});
		if (!joined) {
			setStep('invite');
			return;
		}
		await syncByHand();
		setStep('joined');
	};

	switch (step) {
	case 'choice':
		return (
			<Page title={t('start.title')} hideTitle tools={<LanguageButton />}>
				<div class="welcome">
					<Mark />
					<p class="welcome-name">Amparo</p>
					<p class="lead">{t('start.lead')}</p>
				</div>
				<Button kind="primary" big wide icon="qr" onClick={() => {
					setKiosk(false);
					setStep('invite');
				}}>{t('start.join')}</Button>
				<InstallHint />
				<Card title={t('start.kiosk_title')} icon="tablet">
					<p>{t('start.kiosk_text')}</p>
					<Button icon="tablet" onClick={() => {
						setKiosk(true);
						setStep('invite');
					}}>{t('start.kiosk')}</Button>
				</Card>
			</Page>
		);
	case 'invite':
		return (
			<>
				{fault.banner && <aside class="over">{fault.banner}</aside>}
				<Invite key={text} given={text} from_link={text !== '' && text === p.invitation} kiosk={kiosk}
					onBack={p.has_vault || made ? undefined : () => setStep('choice')}
					onDone={(found) => {
						fault.clear();
						setText(found);
						setStep('who');
					}} />
			</>
		);
	case 'who':
		return (
			<>
				{fault.banner && <aside class="over">{fault.banner}</aside>}
				<Who given={who} onBack={() => setStep('invite')} onDone={(person) => {
					setWho(person);
					if (kiosk || made)
						void fault.try_('create', () => join(person, null));
					else
						setStep('pass');
				}} />
			</>
		);
	case 'pass':
		return (
			<ChoosePassphrase title={t('pass.title')} onBack={() => setStep('who')}
				onDone={(pass) => join(who, pass)} />
		);
	case 'joining':
		return <Page title={t('joining.title')}><Waiting text={t('joining.wait')} /></Page>;
	case 'joined':
		return <Joined onDone={p.onDone} />;
	}
}

/* After the first sync: what is said by voice, and what is compared on paper. */
function Joined(p: { onDone: () => void }): JSX.Element {
	const { me, sync_error } = useSession();
	useEffect(() => {
		void refresh().catch(() => undefined);
	}, []);
	if (!me)
		return <Page title={t('joining.title')}><Waiting /></Page>;
	const no_roster = me.roster === 0;
	return (
		<Page title={no_roster ? t('joined.not_yet') : t('joined.title')}
			foot={
				<>
					{no_roster && <Button kind="primary" icon="sync" onClick={syncByHand}>{t('sync.connect')}</Button>}
					<Button kind={no_roster ? 'plain' : 'primary'} onClick={p.onDone}>{t('joined.go')}</Button>
				</>
			}>
			{no_roster && (
				<>
					<ErrorBanner error={sync_error} op="sync" />
					<Banner tone="info" title={t('joined.offline')}>{t('joined.offline_text')}</Banner>
				</>
			)}
			{!no_roster && <p class="lead">{me.organisation}</p>}
			{me.words.length > 0 && <CallWords words={me.words} />}
			{me.desks.map((d) => <DeskWords key={d.name} desk={d} />)}
		</Page>
	);
}
