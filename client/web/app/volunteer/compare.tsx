/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * compare: the words that people compare, by voice (one's own four, said to the
 * administrator) and on paper (a desk's six, on the training sheet).  They are what keeps
 * somebody else from receiving the interviews, so they are large and say what to do if not.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../core';
import { t, tn } from '../i18n';
import { back, go } from '../nav';
import type { Desk } from '../ops';
import { refresh, useSession } from '../session';
import { Badge, Banner, Button, Card, Field, Page, useFault, Words } from '../ui';

export function CallWords(p: { words: readonly string[] }): JSX.Element {
	return (
		<Card title={t('call.title')} icon="phone" tone="accent">
			<p>{t('call.text')}</p>
			<Words words={p.words} label={t('call.words')} />
			<p class="small"><strong>{t('call.never')}</strong></p>
			<p class="small">{t('call.meanwhile')}</p>
		</Card>
	);
}

/* A desk and its six words; one that is not trusted yet asks for two of them. */
export function DeskWords(p: { desk: Desk }): JSX.Element {
	const d = p.desk;
	const unknown = d.trust === 'unknown';
	return (
		<Card title={t('desk_words.card', { desk: d.name })} icon="people">
			<p class="quiet-text">{d.organisation}{d.organisation !== '' && ' · '}{tn('desk_words.holders', d.n_holders)}</p>
			{unknown
				? (
					<>
						<Banner tone="warn" title={t('desk_words.unknown')}>{t('desk_words.unknown_text')}</Banner>
						<Button kind="primary" onClick={() => go('desk_words', { desk: d.id })}>{t('desk_words.compare')}</Button>
					</>
				)
				: (
					<>
						<p>{t('desk_words.same')}</p>
						<Words words={d.words} label={t('desk_words.words')} />
						<p class="small"><strong>{t('desk_words.differ')}</strong></p>
						<div class="line">
							<Badge tone="good">{t(`desk_words.trust_${d.trust === 'unknown' ? 'words' : d.trust}`)}</Badge>
							{d.n_changes > 0 && <span class="small quiet-text">{tn('desk_words.changes', d.n_changes)}</span>}
						</div>
					</>
				)}
		</Card>
	);
}

/* Two of a desk's words, typed from paper: not shown here before, so that they are from paper. */
export function DeskWordsScreen(p: { desk: Uint8Array }): JSX.Element {
	const { me } = useSession();
	const desk = me?.desks.find((d) => d.id.length === p.desk.length && d.id.every((b, i) => b === p.desk[i]));
	const [places, setPlaces] = useState<number[]>([]);
	const [words, setWords] = useState(['', '']);
	const [done, setDone] = useState(false);
	const fault = useFault();
	const ask = async (): Promise<void> => {
		const asked = await fault.try_('desk_trust', () => call('desk_ask', { desk: p.desk }));
		if (asked) {
			setPlaces(asked.places);
			setWords(asked.places.map(() => ''));
		}
	};
	useEffect(() => {
		void ask();
	}, []);
	const check = async (): Promise<void> => {
		const right = await fault.try_('desk_trust', async () => {
			await call('desk_trust', { desk: p.desk, places, words: words.map((w) => w.trim()) });
			await refresh();
			return true;
		});
		setDone(right === true);
	};
	const name = desk?.name ?? '';
	if (done)
		return (
			<Page title={t('desk_words.title', { desk: name })} focusKey="done"
				foot={<Button kind="primary" onClick={() => void back()}>{t('common.continue')}</Button>}>
				<Banner tone="good" title={t('desk_words.trusted')}>{t('desk_words.trusted_text')}</Banner>
			</Page>
		);
	return (
		<Page title={t('desk_words.title', { desk: name })} onBack={() => void back()}
			foot={<Button kind="primary" disabled={words.some((w) => w.trim() === '')} onClick={check}>{t('desk_words.check')}</Button>}>
			{fault.banner}
			<p>{t('desk_words.ask')}</p>
			{places.map((place, i) => (
				<Field key={place} label={t('desk_words.place', { n: place })} value={words[i] ?? ''} mono maxLength={30}
					onInput={(v) => setWords(words.map((w, k) => k === i ? v : w))} />
			))}
			<Banner tone="warn" title={t('desk_words.none')}>{t('desk_words.none_text')}</Banner>
		</Page>
	);
}
