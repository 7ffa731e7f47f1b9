/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * syncing: what a sync is doing, in one line under the title; and, before a large download,
 * the choice between all of it, the light way and not now.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { sizeText, t, tn } from '../i18n';
import { backlogLater, onSyncState, syncNow, syncState, type SyncState } from '../net';
import { syncByHand } from '../session';
import { Banner, Button, Dialog, Progress, say } from '../ui';

/* how often a screen reader is told how far it is */
const SAY_MS = 10_000;

function useSyncing(): Readonly<SyncState> {
	const [s, set] = useState(syncState());
	useEffect(() => onSyncState(set), []);
	return s;
}

/* of a cell, on the wire */
const CELL_BYTES = 4096;

/* how long it will go on at the rate since this phase began; 0: too early to say */
function minutesLeft(began: { at: number; n: number }, n: number, total: number): number {
	const took = Date.now() - began.at;
	if (took < 3000 || n <= began.n || total <= n)
		return 0;
	return Math.ceil((total - n) * took / (n - began.n) / 60000);
}

export function SyncLine(): JSX.Element | null {
	const s = useSyncing();
	const said = useRef({ phase: '', at: 0 });
	const began = useRef({ phase: '', at: 0, n: 0 });
	const p = s.running ? s.progress : null;
	const phase = !s.running ? '' : t(`sync_phase.${p?.phase ?? 'connecting'}`);
	if (p && began.current.phase !== p.phase)
		began.current = { phase: p.phase, at: Date.now(), n: p.n };
	const cells = p !== null && p.total > 0 && (p.phase === 'downloading' || p.phase === 'uploading');
	const text = !p ? '' : cells
		? t('desk_sync.of', { done: sizeText(p.n * CELL_BYTES), total: sizeText(p.total * CELL_BYTES) })
		: p.moved > 0 ? sizeText(p.moved) : '';
	const minutes = p && cells ? minutesLeft(began.current, p.n, p.total) : 0;
	const all = minutes > 0 ? `${text} · ${tn('desk_sync.minutes', minutes)}` : text;
	useEffect(() => {
		if (phase === '')
			return;
		const now = Date.now();
		if (phase === said.current.phase && now - said.current.at < SAY_MS)
			return;
		said.current = { phase, at: now };
		say(all === '' ? phase : `${phase}, ${all}`);
	}, [phase, all]);
	if (!s.running)
		return null;
	return <Progress label={phase} done={p?.n} total={p?.total} text={all} />;
}

/*
 * Megabytes have to come: all of them, or only what is one's own, or later.  It is asked once;
 * who said "not now" finds a line above the list, and is not asked again by each sync.
 *
 * quiet	a case is being read: the line alone, nothing that takes the focus
 */
export function Backlog(p: { quiet: boolean }): JSX.Element | null {
	const { backlog, running } = useSyncing();
	const [put_off, setPutOff] = useState(false);
	if (!backlog || running)
		return null;
	if (put_off || p.quiet) {
		return (
			<Banner tone="warn" title={t('backlog.title')}
				action={<Button onClick={() => setPutOff(false)}>{t('backlog.fetch')}</Button>}>{t('backlog.later_text')}</Banner>
		);
	}
	/* its faults are shown as those of any other sync */
	const choose = (choice: 'go' | 'light'): void => {
		backlogLater();
		void syncByHand(() => syncNow({ choice }));
	};
	const later = (): void => setPutOff(true);
	return (
		<Dialog title={t(backlog.rescan ? 'backlog.rescan_title' : 'backlog.title')} onClose={later} actions={
			<>
				<Button kind="primary" onClick={() => choose('go')}>{t('backlog.all')}</Button>
				<Button onClick={() => choose('light')}>{t('backlog.light')}</Button>
				<Button onClick={later}>{t('backlog.later')}</Button>
			</>
		}>
			<p>{t(backlog.rescan ? 'backlog.rescan_text' : 'backlog.text')}</p>
			<dl class="backlog">
				<dt>{t('backlog.all')}</dt>
				<dd>{sizeText(backlog.bytes)}, {tn('desk_sync.minutes', Math.max(1, backlog.minutes))}. {t('backlog.all_text')}</dd>
				<dt>{t('backlog.light')}</dt>
				<dd>{sizeText(backlog.light_bytes)} {t('backlog.light_text')}</dd>
				<dt>{t('backlog.later')}</dt>
				<dd>{t('backlog.later_text')}</dd>
			</dl>
		</Dialog>
	);
}
