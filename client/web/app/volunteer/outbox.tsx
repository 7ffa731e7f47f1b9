/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * outbox: what waits to be sent, in plain words.  "Waiting" is on this device alone (or not
 * on all servers that are needed); "safe" is on them, and gone from here.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../core';
import { count, dayText, t, tn } from '../i18n';
import { isInstalled, isKept, keepStorage } from '../keep';
import { back, go } from '../nav';
import type { Outbox } from '../ops';
import { offerFile, whenWas } from '../out';
import { refresh, syncByHand, useSession } from '../session';
import { Banner, Button, Card, Confirm, ErrorBanner, List, More, Page, Progress, Row, useFault, Waiting } from '../ui';

/* "3 waiting, 2 safe"; "" if there is neither */
export function outboxWords(o: Outbox): string {
	return [o.waiting > 0 ? tn('outbox.waiting', o.waiting) : '', o.safe > 0 ? tn('outbox.safe', o.safe) : '']
		.filter(Boolean).join(', ');
}

/* On the first screen: a card that leads to the whole. */
export function SendState(): JSX.Element | null {
	const { outbox, sync, kiosk } = useSession();
	if (!outbox)
		return null;
	const { waiting } = outbox;
	const words = outboxWords(outbox);
	return (
		<section class={`send-state ${waiting > 0 ? 'waits' : 'clear'}`}>
			<h2 class="section-title">{t('outbox.title')}</h2>
			<List label={t('outbox.title')}>
				<Row icon={waiting > 0 ? 'send' : 'check'} title={words || t('outbox.nothing')}
					detail={sync?.running ? t('sync.running')
						: waiting > 0 ? (kiosk ? t('kiosk.unsent') : t('outbox.waits_short')) : t('outbox.clear_short')}
					onClick={() => go('outbox', {})} />
			</List>
			{outbox.late && <Banner tone="bad" title={t('outbox.late')}>{t('outbox.late_text')}</Banner>}
		</section>
	);
}

export function OutboxScreen(): JSX.Element {
	const { me, outbox, sync, sync_error, kiosk } = useSession();
	const [kept, setKept] = useState<boolean | null>(null);
	const [given, setGiven] = useState<{ last: number; more: boolean } | null>(null);
	const [clearing, setClearing] = useState(false);
	const fault = useFault();
	useEffect(() => {
		void refresh().catch(() => undefined);
		void isKept().then(setKept);
	}, []);
	if (!outbox || !me)
		return <Page title={t('outbox.title')} onBack={() => void back()}><Waiting /></Page>;
	const running = sync?.running === true;
	const { waiting, safe } = outbox;
	const save = async (): Promise<void> => {
		const file = await fault.try_('outbox_save', () => call('outbox_save', {}));
		if (file) {
			offerFile(file.name, file.bytes, 'application/octet-stream');
			setGiven({ last: file.last, more: file.more });
		}
	};
	/* only a person can say that the browser kept it */
	const has = async (): Promise<void> => {
		const g = given;
		if (!g)
			return;
		const done = await fault.try_('outbox_save', async () => {
			await call('outbox_saved', { last: g.last });
			await refresh();
			return true;
		});
		if (done) {
			setGiven(null);
			if (g.more)
				await save();
		}
	};
	return (
		<Page title={t('outbox.title')} onBack={() => void back()}
			foot={<Button kind="primary" icon="sync" busy={running} onClick={syncByHand}>{running ? t('sync.running') : t('sync.now')}</Button>}>
			{fault.banner}
			<div class="figures">
				<p class={waiting > 0 ? 'figure waits' : 'figure'}><span>{count(waiting)}</span>{t('outbox.waiting_word')}</p>
				<p class="figure good"><span>{count(safe)}</span>{t('outbox.safe_word')}</p>
			</div>
			{running && <Progress label={t('sync.running')} />}
			<ErrorBanner error={sync_error} op="sync" />
			{sync && sync.last > 0 && !running && <p class="quiet-text small">{t('sync.last', { when: whenWas(sync.last) })}</p>}
			{outbox.late && <Banner tone="bad" title={t('outbox.late')}>{t('outbox.late_text')}</Banner>}
			{waiting > 0 && kiosk && <Banner tone="bad" title={t('kiosk.unsent')}>{t('kiosk.unsent_text')}</Banner>}
			{waiting > 0 && !kiosk && (
				<Banner tone="warn" title={tn('outbox.warning', waiting)}
					action={kept === false && (
						<Button onClick={async () => setKept(await keepStorage())}>{t('outbox.ask_keep')}</Button>
					)}>
					<p>{isInstalled() ? t('outbox.warning_installed') : t('outbox.warning_text')}</p>
				</Banner>
			)}
			<Card title={t('outbox.what')} icon="info">
				<dl class="meaning">
					<dt>{t('outbox.waiting_word')}</dt>
					<dd>{outbox.needed > 1 ? tn('outbox.waiting_means_n', outbox.needed) : t('outbox.waiting_means')}
						{outbox.on_one > 0 && ` ${tn('outbox.on_one', outbox.on_one)}`}
						{outbox.since > 0 && ` ${t('outbox.since', { day: dayText(outbox.since) })}`}</dd>
					<dt>{t('outbox.safe_word')}</dt>
					<dd>{t('outbox.safe_means')}</dd>
				</dl>
			</Card>
			{outbox.servers.length > 0 && (
				<More title={t('outbox.servers')}>
					<List label={t('outbox.servers')}>
						{outbox.servers.map((s) => (
							<Row key={s.address} title={s.address}
								detail={s.lacks > 0 ? tn('outbox.lacks', s.lacks) : t('outbox.has_all')} />
						))}
					</List>
				</More>
			)}
			{waiting > 0 && (
				<Card title={t('outbox.file')} icon="save">
					<p>{t('outbox.file_text')}</p>
					{given
						? (
							<Banner tone="info" title={t('outbox.given')} action={
								<>
									<Button kind="primary" onClick={has}>{t('outbox.has')}</Button>
									<Button onClick={save}>{t('outbox.again')}</Button>
								</>
							}>{t('outbox.given_text')}</Banner>
						)
						: <Button icon="save" onClick={save}>{t('outbox.save')}</Button>}
					{outbox.saved > 0 && <p class="good-text">{tn('outbox.saved', outbox.saved)}</p>}
					{outbox.saved > 0 && (
						<Button kind="quiet" onClick={() => setClearing(true)}>{tn('outbox.clear_saved', outbox.saved)}</Button>
					)}
				</Card>
			)}
			{clearing && (
				<Confirm title={t('outbox.clear_title')} danger yes={t('outbox.clear_yes')} onNo={() => setClearing(false)}
					onYes={async () => {
						await fault.try_('outbox_clear', async () => {
							await call('outbox_clear', { all: false });
							await refresh();
						});
						setClearing(false);
					}}>
					<p>{t('outbox.clear_text')}</p>
				</Confirm>
			)}
		</Page>
	);
}
