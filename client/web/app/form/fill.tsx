/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fill: an interview on the screen, one question at a time, from the first one to "Send".
 *
 * Enter goes on.  The device's own way back goes to the question before, and from the first
 * one out of the interview; what was answered is kept either way.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, isOpen } from '../core';
import { lang as pageLang, langName, setLang, t, tn } from '../i18n';
import { back, go, here, onLeave, replace } from '../nav';
import type { Interview } from '../ops';
import { refresh } from '../session';
import { Banner, Button, Choices, Dialog, ErrorBanner, Icon, Page, Progress, useFault, Waiting } from '../ui';
import { Filling, type Sign } from './filling';
import { PaperStart } from './paper';
import { Question, Repeat } from './question';
import { Review } from './review';
import { justSealed } from './slip';

/* a new one of this form, or one that was begun */
export type FillParams = { form: string; lang: string; paper: boolean } | { draft: number };

const SIGNS: Record<Sign, 'fill.saved' | 'fill.saving' | 'fill.unsaved' | 'fill.fresh'> = {
	fresh: 'fill.fresh', saved: 'fill.saved', saving: 'fill.saving', unsaved: 'fill.unsaved', failed: 'fill.unsaved',
};

function Saved(p: { sign: Sign }): JSX.Element {
	return (
		<span class={`saved ${p.sign}`} data-sign={p.sign}>
			{p.sign === 'saved' && <Icon name="check" size={18} />}
			{p.sign === 'failed' && <Icon name="warning" size={18} />}
			{t(SIGNS[p.sign])}
		</span>
	);
}

/* What keeps it from being sent later: said before the first question, and at the end. */
export function Ready(p: { at: Interview }): JSX.Element | null {
	const desk = p.at.desk_name;
	if (p.at.ready === 'untrusted')
		return (
			<Banner tone="warn" title={t('fill.untrusted', { desk })} action={
				<Button icon="lock" onClick={() => go('desk_words', { desk: p.at.desk })}>{t('fill.untrusted_do')}</Button>
			}>{t('fill.untrusted_why')}</Banner>
		);
	if (p.at.ready === 'no_keys')
		return <Banner tone="warn" title={t('fill.no_keys', { desk })}>{t('fill.no_keys_why')}</Banner>;
	if (p.at.ready === 'no_desk')
		return <Banner tone="warn" title={t('fill.no_desk')}>{t('fill.no_desk_why')}</Banner>;
	return null;
}

/* The page speaks the language of the interview while it lasts, where it knows it. */
function follow(code: string): void {
	const two = code.toLowerCase().slice(0, 2);
	if ((two === 'es' || two === 'en') && two !== pageLang())
		setLang(two, false);
}

export function Fill(p: FillParams): JSX.Element {
	const [, turn] = useState(0);
	const [filling, setFilling] = useState<Filling | null>(null);
	const fault = useFault();
	useEffect(() => {
		const place = here();
		const before = pageLang();
		let mine: Filling | null = null, over = false;
		const draw = (): void => {
			if (over)
				return;
			/* coming back to this screen goes on with the draft, and does not begin another */
			if (mine && place && mine.at.draft !== 0)
				place.params = { draft: mine.at.draft };
			turn((n) => n + 1);
		};
		void fault.try_('draft' in p ? 'fill_resume' : 'fill_begin', async () => {
			const f = await ('draft' in p ? Filling.resume(p.draft, draw) : Filling.begin(p.form, p.lang, p.paper, draw));
			if (over) {
				await f.end();
				return;
			}
			mine = f;
			follow(f.at.lang);
			setFilling(f);
		});
		return () => {
			over = true;
			if (before !== pageLang())
				setLang(before, false);
			void mine?.end().then(refresh).catch(() => undefined);
		};
	}, []);
	if (!filling)
		return (
			<Page title={t('fill.opening')} hideTitle onBack={back}>
				{fault.banner ?? <Waiting text={t('fill.opening')} />}
			</Page>
		);
	return <Open filling={filling} redraw={() => turn((n) => n + 1)} />;
}

function Open(p: { filling: Filling; redraw: () => void }): JSX.Element {
	const { filling } = p;
	const { at } = filling;
	const { step } = at;
	const [languages, setLanguages] = useState(false);
	const body = useRef<HTMLDivElement>(null);
	const at_paper = at.paper !== null && !at.paper.ready;
	const is_end = step.kind === 'end' && !at_paper;
	const next = (): void => void filling.next();
	/* nothing before the first question: there the way back leads out */
	const is_first = step.done === 0 && step.number <= 1 && step.kind !== 'end';
	const tryBack = async (): Promise<void> => {
		const before = filling.moves;
		if (!await filling.back() && filling.moves === before && filling.error === null && filling.refusal === '')
			back();
	};
	useEffect(() => {
		onLeave(at_paper || is_first ? null : () => {
			void tryBack();
			return false;
		});
		return () => onLeave(null);
	});
	const leave = async (): Promise<void> => {
		if (!await filling.ready())
			return;
		onLeave(null);
		back();
	};
	useEffect(() => {
		const key = (e: KeyboardEvent): void => {
			if (e.key !== 'Enter' || e.defaultPrevented || e.isComposing || document.querySelector('dialog[open]'))
				return;
			const on = e.target as HTMLElement;
			/* Enter does its own there; in several lines it begins a new one unless Ctrl is held */
			if (on.closest('button, a, summary, select, input[type="file"]') || (on.tagName === 'TEXTAREA' && !e.ctrlKey))
				return;
			if (at_paper || is_end || step.kind === 'repeat')
				return;
			e.preventDefault();
			next();
		};
		document.addEventListener('keydown', key);
		return () => document.removeEventListener('keydown', key);
	});
	const total = Math.max(step.total, step.done, 1);
	const now = step.kind === 'question' ? Math.min(step.done + 1, total) : Math.min(step.done, total);
	/* the number is the form's own, as on its paper; how many are left may grow with an answer,
	 * and before the first one (does the family agree?) it says nothing yet */
	const where = [step.number > 0 ? t('fill.at', { number: step.number }) : '',
		total > 1 && total > now ? tn('fill.left', total - now) : ''].filter(Boolean).join(' · ');
	const under = (
		<div class="fill-under">
			<Progress slim label={t('fill.progress')} done={is_end ? total : step.done} total={total} />
			<div class="fill-line">
				<span>{at_paper ? t('paper.title') : is_end ? t('review.title') : where}</span>
				<Saved sign={filling.sign} />
			</div>
		</div>
	);
	const tools = (
		<>
			{at.langs.length > 1 && (
				<Button kind="quiet" icon="globe" label={t('fill.language')} onClick={() => setLanguages(true)} />
			)}
			{!is_end && !at_paper && (
				<Button kind="quiet" icon="form" label={t('fill.to_review')}
					onClick={() => filling.move('fill_move', () => call('fill_end', {}))} />
			)}
		</>
	);
	const foot = at_paper || is_end ? undefined : (
		<div class="fill-foot">
			<Button icon="back" onClick={tryBack}>{t('fill.back')}</Button>
			{step.kind !== 'repeat' && (
				<Button kind="primary" class="fill-next" onClick={() => filling.next()}>
					{t(at.from_review ? 'review.return' : 'fill.next')}
				</Button>
			)}
		</div>
	);
	return (
		<Page title={at.title} lang={at.lang || undefined} onBack={() => void leave()} backLabel={t('fill.leave')} tools={tools} under={under} foot={foot}>
			<div class="fill" ref={body}>
				{filling.error !== null && (
					<div class="stack close">
						{/* also while it is tried again, which leaving the field does: the button must stay under the finger */}
						{filling.error_op === 'fill_answer' && <Banner tone="bad" title={t('fill.cannot_save')} action={
							/* a core that could not write is over: only a page loaded anew goes on */
							isOpen()
								? <Button icon="sync" onClick={() => filling.flush()}>{t('fill.try_again')}</Button>
								: <Button icon="sync" onClick={() => window.location.reload()}>{t('fill.reopen')}</Button>
						}>{t('fill.cannot_save_do')}</Banner>}
						<ErrorBanner error={filling.error} op={filling.error_op} />
					</div>
				)}
				{is_first && <Ready at={at} />}
				{is_first && at.is_replaced && <Banner tone="info">{t('fill.replaced')}</Banner>}
				{at_paper
					? <PaperStart filling={filling} redraw={p.redraw} />
					: is_end
						? <Review filling={filling} onSealed={(sealed) => {
							justSealed(sealed);
							filling.forget();
							onLeave(null);
							replace('slip', { draft: sealed.draft });
							void refresh().catch(() => undefined);
						}} onDropped={() => {
							filling.forget();
							onLeave(null);
							back();
							void refresh().catch(() => undefined);
						}} />
						: step.kind === 'repeat'
							? <Repeat key={`${filling.moves} ${step.path}`} filling={filling} next={next} />
							: <Question key={`${filling.moves} ${step.path}`} filling={filling} next={next} />}
			</div>
			{languages && (
				<Dialog title={t('fill.language')} onClose={() => setLanguages(false)}>
					<Choices legend={t('fill.languages')} hideLegend value={[at.lang]}
						options={at.langs.map((l) => ({ value: l.code, label: langName(l.code, l.name) }))}
						onChange={async ([code]) => {
							if (code === undefined)
								return;
							await filling.move('fill_lang', () => call('fill_lang', { lang: code }));
							follow(filling.at.lang);
							setLanguages(false);
						}} />
				</Dialog>
			)}
		</Page>
	);
}
