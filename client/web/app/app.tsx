/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * app: what is shown when.
 *
 *	language   nothing was chosen yet
 *	start      no vault on this device: join                        volunteer/start.tsx
 *	unlock     a vault, locked                                      volunteer/unlock.tsx
 *	open       the screens of nav.ts; the lowest is the desk of whoever reads, else home
 *	clock      a hall's tablet, covered                             volunteer/clock.tsx
 */
import type { ComponentType, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { boot, CoreError, deviceHasVault } from './core';
import { isLeaving, onCover } from './exit';
import { onInvitation } from './fragment';
import { onLang, t } from './i18n';
import { onLock, stillHere } from './lock';
import { here, reset, startNav } from './nav';
import { readPrefs } from './prefs';
import { SCREENS } from './screens';
import { openSession, session, useSession } from './session';
import { Banner, Button, errorSentence, Page, say, Waiting } from './ui';
import { hasUpdate, isUpdating, onUpdate, takeUpdate } from './update';
import { Clock } from './volunteer/clock';
import { Language } from './volunteer/language';
import { outboxWords } from './volunteer/outbox';
import { Start } from './volunteer/start';
import { Unlock } from './volunteer/unlock';

type Phase = 'boot' | 'tab' | 'failed' | 'language' | 'start' | 'nobody' | 'unlock' | 'open' | 'clock';

/* the lowest screen of whoever is here */
function begin(): void {
	stillHere();
	if (session().me?.reads === true)
		reset('desk', {});
	else
		reset('home', {});
}

export function App(p: { invitation: string; complete: boolean }): JSX.Element {
	const [, redraw] = useState(0);
	const [phase, setPhase] = useState<Phase>('boot');
	const [why, setWhy] = useState<CoreError | null>(null);
	const [idle, setIdle] = useState(false);
	const [invitation, setInvitation] = useState(p.invitation);
	const { outbox, drafts, kiosk } = useSession();

	const door = async (): Promise<void> => {
		const has = await deviceHasVault();
		setPhase(has ? 'unlock' : readPrefs().lang === null ? 'language' : 'start');
	};
	const failed = (e: unknown): void => {
		setWhy(e instanceof CoreError ? e : null);
		setPhase(e instanceof CoreError && e.code === 'tab' ? 'tab' : 'failed');
	};
	const start = (): void => {
		setPhase('boot');
		boot().then(door).catch(failed);
	};
	useEffect(() => {
		const again = (): void => redraw((n) => n + 1);
		onLang(again);
		onUpdate(again);
		onInvitation(setInvitation);
		startNav(again);
		onLock((why) => {
			setIdle(why === 'idle');
			door().catch(failed);
		}, () => setPhase('clock'));
		onCover(() => setPhase('clock'));
		if (p.complete)
			start();
	}, []);

	/* what would be lost, or wait unseen, with the page */
	const unsent = (outbox?.waiting ?? 0) > 0 || (kiosk && drafts.length > 0);
	useEffect(() => {
		if (!unsent)
			return undefined;
		const ask = (e: BeforeUnloadEvent): void => {
			if (isLeaving() || isUpdating())
				return;
			e.preventDefault();
			/* older browsers ask for this */
			e.returnValue = true;
		};
		window.addEventListener('beforeunload', ask);
		return () => window.removeEventListener('beforeunload', ask);
	}, [unsent]);

	/* that something was sealed, or became safe, is said on whatever screen one is */
	const told = useRef<string | null>(null);
	const counts = outbox && `${outbox.waiting} ${outbox.safe}`;
	useEffect(() => {
		if (outbox && told.current !== null && told.current !== counts)
			say(outboxWords(outbox) || t('outbox.nothing'));
		told.current = counts;
	}, [counts]);

	if (!p.complete)
		return <Page title="Amparo"><Banner tone="bad" title={t('boot.no_core')} /></Page>;
	switch (phase) {
	case 'boot':
		return <Page title="Amparo" hideTitle><Waiting /></Page>;
	case 'tab':
		return (
			<Page title="Amparo">
				<Banner tone="warn" title={t('boot.tab')}
					action={<Button kind="primary" onClick={start}>{t('common.retry')}</Button>}>
					{t('boot.tab_hint')}
				</Banner>
			</Page>
		);
	case 'failed':
		return (
			<Page title="Amparo">
				<Banner tone="bad" title={t('boot.failed')}
					action={<Button onClick={() => window.location.reload()}>{t('common.retry')}</Button>}>
					{why?.code === 'corrupt' || why?.code === 'unknown' ? errorSentence(why) : t('boot.failed_hint')}
				</Banner>
			</Page>
		);
	case 'language':
		return <Language remember onDone={() => setPhase('start')} />;
	case 'start':
	case 'nobody':
		return (
			<Start invitation={invitation} has_vault={phase === 'nobody'} onDone={() => {
				setInvitation('');
				setPhase('open');
				begin();
			}} />
		);
	case 'unlock':
		return (
			<Unlock was_idle={idle} has_invitation={invitation !== ''} onWiped={() => void door()}
				onOpen={async () => {
					const me = await openSession(false);
					setIdle(false);
					if (me.state === 'nobody') {
						setPhase('nobody');
						return;
					}
					setPhase('open');
					begin();
				}} />
		);
	case 'clock':
		return (
			<Clock onTouch={() => {
				setPhase('open');
				begin();
			}} />
		);
	case 'open':
		return <Screen />;
	}
}

function Screen(): JSX.Element {
	const { kiosk } = useSession();
	const place = here();
	const Shown = place ? SCREENS[place.name] as ComponentType<unknown> | undefined : undefined;
	if (!place || !Shown)
		return <Page title="Amparo" hideTitle><Waiting /></Page>;
	/* a hall's tablet has its keys in this page alone: a new one would lose them */
	const resting = (place.name === 'home' || place.name === 'desk') && !kiosk;
	return (
		<>
			{hasUpdate() && resting && (
				<aside class="over">
					<Banner tone="info" title={t('update.title')}
						action={<Button onClick={takeUpdate}>{t('update.go')}</Button>}>{t('update.text')}</Banner>
				</aside>
			)}
			<Shown key={place.id} {...place.params as object} />
		</>
	);
}
