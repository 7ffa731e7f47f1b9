/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * paper: what is asked before the questions of a form that was filled in by hand: the day of
 * the visit, who types it in, and the pages themselves.
 */
import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { call } from '../core';
import { sizeText, t } from '../i18n';
import { dayToIso, isoToDay } from '../ops';
import { session } from '../session';
import { Button, Confirm, ErrorBanner, Fault, Field, FileButton } from '../ui';
import { hasCamera } from '../ui/camera';
import { Camera } from './camera';
import { DayField, localDay } from './dates';
import { attachFile, FileRefused, hasOwnCamera, Picture } from './file';
import type { Filling } from './filling';

const NAME_MAX = 64;

export function PaperStart(p: { filling: Filling; redraw: () => void }): JSX.Element | null {
	const { filling } = p;
	const paper = filling.at.paper;
	const id = useId();
	const [day, setDay] = useState(paper && paper.visit_day > 0 ? dayToIso(paper.visit_day) : '');
	const [name, setName] = useState(paper?.transcriber || session().me?.name || '');
	const [asks, setAsks] = useState(false);
	const [busy, setBusy] = useState(false);
	const [live, setLive] = useState(false);
	const [faults, setFaults] = useState({ day: '', name: '', scan: '' });
	const [error, setError] = useState<unknown>(null);
	useEffect(() => {
		document.getElementById(`${id}-day`)?.focus({ preventScroll: true });
	}, []);
	if (!paper)
		return null;
	const good_name = name.trim() !== '' && new TextEncoder().encode(name.trim()).length <= NAME_MAX;
	/* false: something of it is not right, and said */
	const keep = async (has_scans: boolean): Promise<boolean> => {
		const wrong = {
			day: day === '' ? t('paper.need_visit') : day > localDay() ? t('paper.no_future') : '',
			name: good_name ? '' : t('paper.bad_name'), scan: '',
		};
		setFaults(wrong);
		if (wrong.day !== '' || wrong.name !== '')
			return false;
		try {
			setError(null);
			const r = await filling.ask(() =>
				call('fill_paper', { visit_day: isoToDay(day), transcriber: name.trim(), has_scans }));
			filling.at = { ...filling.at, draft: r.draft, paper: r.paper };
			filling.sign = 'saved';
			if (r.paper.ready)
				/* "today" is the day of the visit from here on: what the first question says may differ */
				filling.take(await filling.ask(() => call('fill_open', {})));
			p.redraw();
			return true;
		} catch (e) {
			if ((e as { code?: string }).code === 'range')
				setFaults({ ...wrong, day: t('paper.no_future') });
			else
				setError(e);
			return false;
		}
	};
	const take = async (files: File[]): Promise<void> => {
		setBusy(true);
		try {
			setError(null);
			setFaults({ ...faults, scan: '' });
			for (const f of files)
				await attachFile(filling, '', f, '');
		} catch (e) {
			if (e instanceof FileRefused)
				setFaults({ ...faults, scan: e.message });
			else
				setError(e);
		} finally {
			setBusy(false);
			p.redraw();
		}
	};
	return (
		<div class="stack paper">
			<ErrorBanner error={error} op="fill_attach" />
			<div class={`field ${faults.day ? 'has-fault' : ''}`}>
				<label class="field-label" id={`${id}-dl`} for={`${id}-day`}>{t('paper.visit')}</label>
				<div class="field-hint" id={`${id}-dh`}>{t('paper.visit_hint')}</div>
				<div class="line">
					<DayField value={day} max={localDay()} onDay={setDay} named={{
						id: `${id}-day`, 'aria-labelledby': `${id}-dl`, 'aria-describedby': `${id}-dh ${id}-df`,
						'aria-invalid': faults.day !== '' || undefined,
					}} />
				</div>
				<Fault id={`${id}-df`} text={faults.day || null} />
			</div>
			<Field label={t('paper.name')} hint={t('paper.name_hint')} value={name} maxLength={NAME_MAX}
				fault={faults.name || null} onInput={setName} capitalize="words" />
			<section class="stack close" aria-label={t('paper.scans')}>
				<h2 class="section-title">{t('paper.scans')}</h2>
				<p class="field-hint">{t('paper.scans_hint')}</p>
				<Fault text={faults.scan || null} />
				{busy && <p role="status" class="line"><span class="spinner" aria-hidden="true" />{t('file.shrinking')}</p>}
				{paper.scans.length > 0 && (
					<ul class="scans">
						{paper.scans.map((s, i) => (
							<li key={s.name} class="scan">
								<Picture small filling={filling} file={s} alt={t('paper.page', { n: i + 1 })} />
								<span>{t('paper.page', { n: i + 1 })}<br /><span class="row-detail">{sizeText(s.size)}</span></span>
								<Button kind="quiet" icon="trash" label={`${t('file.remove')}: ${t('paper.page', { n: i + 1 })}`}
									onClick={async () => {
										try {
											const r = await filling.ask(() => call('fill_scan_drop', { name: s.name }));
											filling.at = { ...filling.at, paper: r.paper };
											p.redraw();
										} catch (e) {
											setError(e);
										}
									}} />
							</li>
						))}
					</ul>
				)}
				{hasOwnCamera() && (
					<FileButton camera many wide icon="camera" accept="image/*" onFiles={take} disabled={busy}>{t('paper.photo')}</FileButton>
				)}
				{hasCamera() && !live && (
					<Button wide icon="camera" disabled={busy} onClick={() => setLive(true)}>
						{t(hasOwnCamera() ? 'camera.here' : 'paper.photo')}</Button>
				)}
				{/* it stays on: there are more pages */}
				{live && <Camera onPicture={(f) => take([f])} onClose={() => setLive(false)} />}
				<FileButton many wide icon="photo" accept="image/*,application/pdf" onFiles={take} disabled={busy}>{t('paper.scan')}</FileButton>
			</section>
			<Button kind="primary" big wide icon="next" disabled={busy} onClick={async () => {
				if (paper.scans.length > 0)
					return keep(true);
				/* the day and the name are looked at before anybody is asked about scans */
				if (await keep(false))
					setAsks(true);
				return undefined;
			}}>{t('paper.on')}</Button>
			{asks && (
				<Confirm title={t('paper.none_title')} yes={t('paper.none_yes')} no={t('paper.none_no')}
					onNo={() => setAsks(false)} onYes={async () => {
						setAsks(false);
						await keep(true);
					}}>{t('paper.none_text')}</Confirm>
			)}
		</div>
	);
}
