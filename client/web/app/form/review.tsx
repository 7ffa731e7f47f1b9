/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * review: all answers on one page, what is still missing at its top, each of them one tap
 * away; and "Send", which seals.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../core';
import { dayText, t, tn } from '../i18n';
import type { Fault as FormFault, Paper, ReviewRow, Sealed } from '../ops';
import { Banner, Button, Confirm, Icon, useFault, Waiting } from '../ui';
import { Picture } from './file';
import { Ready } from './fill';
import type { Filling } from './filling';

/* rows of one group stand together, under its name */
function groups(rows: readonly ReviewRow[]): { where: string; rows: ReviewRow[] }[] {
	const out: { where: string; rows: ReviewRow[] }[] = [];
	for (const r of rows) {
		const last = out[out.length - 1];
		if (last && last.where === r.where)
			last.rows.push(r);
		else
			out.push({ where: r.where, rows: [r] });
	}
	return out;
}

function shownOf(r: ReviewRow): string {
	if (r.type === 'boolean' && r.value !== '')
		return t(r.value === 'true' || r.value === '1' ? 'common.yes' : 'common.no');
	if (r.type === 'confirm' && r.value !== '')
		return t('common.yes');
	return r.shown || r.value;
}

export function Review(p: {
	filling: Filling; onSealed: (sealed: Sealed) => void; onDropped: () => void;
}): JSX.Element {
	const { filling } = p;
	const { at } = filling;
	const [page, setPage] = useState<{ rows: ReviewRow[]; faults: FormFault[]; paper: Paper | null } | null>(null);
	const [sealing, setSealing] = useState(false);
	const [drops, setDrops] = useState(false);
	const head = useRef<HTMLHeadingElement>(null);
	const fault = useFault();
	const load = (): Promise<unknown> => fault.try_('fill_review', async () =>
		setPage(await filling.ask(() => call('fill_review', {}))));
	useEffect(() => {
		void load();
	}, [at.lang]);
	useEffect(() => {
		queueMicrotask(() => {
			head.current?.focus({ preventScroll: true });
			window.scrollTo(0, 0);
		});
	}, [page === null]);
	if (!page)
		return fault.banner ?? <Waiting />;
	const lang = at.lang || undefined;
	const rows = page.rows.filter((r) => r.kind === 'question' || r.value !== '');
	const faulty = new Set(page.faults.map((f) => f.path).filter(Boolean));
	const jump = (path: string): Promise<boolean> =>
		filling.move('fill_move', () => call('fill_jump', { path, review: true }));
	const first = page.faults.find((f) => f.path !== '');
	const send = async (): Promise<void> => {
		setSealing(true);
		const sealed = await fault.try_('fill_seal', () => filling.ask(() => call('fill_seal', {})));
		setSealing(false);
		if (sealed)
			p.onSealed(sealed);
		else
			void load();
	};
	if (sealing)
		return <Waiting text={t('review.sealing')} />;
	return (
		<div class="review">
			<h2 class="question-label" tabIndex={-1} ref={head}>{t('review.title')}</h2>
			{fault.banner}
			<Ready at={at} />
			{page.faults.length > 0 ? (
				<Banner tone="warn" title={tn('review.faults', page.faults.length)}>
					<ul class="faults" lang={lang}>
						{page.faults.map((f, i) => (
							<li key={i}>
								{f.path === '' ? f.text : (
									<button type="button" class="fault-go" onClick={() => void jump(f.path)}>{f.text}</button>
								)}
							</li>
						))}
					</ul>
				</Banner>
			) : <Banner tone="good">{t('review.complete')}</Banner>}
			{page.paper && (
				<section class="review-group">
					<h3 class="review-where">{t('review.paper')}</h3>
					<ul class="list">
						<li class="row"><div class="row-main"><span class="row-text">
							<span class="row-detail">{t('paper.visit')}</span>
							<span>{page.paper.visit_day > 0 ? dayText(page.paper.visit_day) : t('review.blank')}</span>
						</span></div></li>
						<li class="row"><div class="row-main"><span class="row-text">
							<span class="row-detail">{t('paper.name')}</span>
							<span>{page.paper.transcriber || t('review.blank')}</span>
						</span></div></li>
						<li class="row"><div class="row-main scans">
							{page.paper.scans.length === 0 && <span>{t('review.no_scan')}</span>}
							{page.paper.scans.map((s, i) => (
								<Picture key={s.name} small filling={filling} file={s} alt={t('paper.page', { n: i + 1 })} />
							))}
						</div></li>
					</ul>
				</section>
			)}
			{rows.length === 0 && <p class="quiet-text">{t('review.no_answer')}</p>}
			{groups(rows).map((g, i) => (
				<section class="review-group" key={i}>
					{g.where !== '' && <h3 class="review-where" lang={lang}>{g.where}</h3>}
					<ul class="list">
						{g.rows.map((r) => {
							const shown = shownOf(r);
							const inside = (
								<span class="row-text">
									<span class="row-detail" lang={lang}>{r.number > 0 ? `${r.number}. ` : ''}{r.label}</span>
									<span class={shown === '' ? 'blank' : 'review-answer'} lang={shown === '' ? undefined : lang}>
										{shown === '' ? t('review.blank') : shown}
									</span>
								</span>
							);
							return (
								<li key={r.path} class={`row ${faulty.has(r.path) ? 'faulty' : ''}`}>
									{r.kind === 'question' ? (
										<button type="button" class="row-main" onClick={() => void jump(r.path)}>
											{inside}
											{faulty.has(r.path) && <Icon name="warning" size={20} />}
											<span class="sr-only">{t('review.change')}</span>
											<Icon name="edit" size={20} class="row-go" />
										</button>
									) : <div class="row-main">{inside}</div>}
									{r.file && /\.(jpe?g|png|webp)$/.test(r.file.name) && (
										<div class="row-action"><Picture small filling={filling} file={r.file} alt={r.label} /></div>
									)}
								</li>
							);
						})}
					</ul>
				</section>
			))}
			<div class="stack review-end">
				<p>{t('review.send_note')}</p>
				{first
					? <Button kind="primary" big wide icon="edit" onClick={() => jump(first.path)}>{t('review.fix')}</Button>
					: <Button kind="primary" big wide icon="send" disabled={page.faults.length > 0 || at.ready !== 'ok'}
						onClick={send}>{t('review.send')}</Button>}
				<Button icon="back" wide onClick={() => filling.back()}>{t('review.back')}</Button>
				<Button kind="quiet" class="quiet-danger" icon="trash" onClick={() => setDrops(true)}>{t('review.drop')}</Button>
			</div>
			{drops && (
				<Confirm danger title={t('review.drop_title')} yes={t('review.drop_yes')} onNo={() => setDrops(false)}
					onYes={async () => {
						const done = await fault.try_('draft_drop', async () => {
							await filling.ask(() => call('fill_close', {}));
							if (at.draft !== 0)
								await filling.ask(() => call('draft_drop', { draft: at.draft }));
							return true;
						});
						setDrops(false);
						if (done)
							p.onDropped();
					}}>{t('review.drop_text')}</Confirm>
			)}
		</div>
	);
}
