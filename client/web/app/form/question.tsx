/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * question: one question, note, or offer of one more, as the form asks it.
 *
 * The texts of the form are in the form's language, and say so to screen readers.  A new
 * question takes the focus: its field where there is a keyboard anyway, else its text, since
 * a keyboard that jumps over half of a small screen hides what is asked.
 */
import type { ComponentType, JSX } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t, tn } from '../i18n';
import type { StepType } from '../ops';
import { call } from '../core';
import { Button, Confirm, Fault, Icon, More } from '../ui';
import { BooleanWidget, ChoiceWidget, ConfirmWidget } from './choices';
import { DateWidget, MomentWidget, TimeWidget } from './dates';
import { FileWidget } from './file';
import type { Filling } from './filling';
import { PlaceWidget, TraceWidget } from './place';
import { RankWidget } from './rank';
import { NumberWidget, RangeWidget, TextWidget } from './typed';
import type { Ask } from './widget';

/* Every type that the core knows has one: what this table lacks does not compile. */
const WIDGETS: Record<StepType, ComponentType<Ask>> = {
	text: TextWidget, int: NumberWidget, decimal: NumberWidget, range: RangeWidget,
	date: DateWidget, time: TimeWidget, datetime: MomentWidget,
	boolean: BooleanWidget, confirm: ConfirmWidget, select1: ChoiceWidget, select: ChoiceWidget,
	rank: RankWidget, place: PlaceWidget, trace: TraceWidget, shape: TraceWidget, file: FileWidget,
};

const TYPED: ReadonlySet<StepType> = new Set(['text', 'int', 'decimal', 'date', 'time', 'datetime']);

/* a keyboard that is there anyway: no harm in a field that has the focus at once */
function hasKeyboard(): boolean {
	return window.matchMedia('(hover: hover) and (pointer: fine)').matches;
}

/* Paragraphs as the form has them. */
export function Lines(p: { text: string; class?: string; id?: string; lang?: string }): JSX.Element {
	return (
		<div class={p.class} id={p.id} lang={p.lang}>
			{p.text.split(/\n+/).map((line, i) => <p key={i}>{line}</p>)}
		</div>
	);
}

export function Question(p: { filling: Filling; next: () => void }): JSX.Element {
	const { filling } = p;
	const { step, lang: code } = filling.at;
	const id = useId();
	const box = useRef<HTMLDivElement>(null);
	const lang = code === '' ? undefined : code;
	const asks = step.kind === 'question';
	const [removes, setRemoves] = useState(false);
	const [fixed, setFixed] = useState(false);
	const focus = (): void => {
		const field = asks && hasKeyboard()
			? box.current?.querySelector<HTMLElement>(TYPED.has(step.type)
				? '.widget input, .widget textarea, .widget select' : '.widget input:checked, .widget input')
			: null;
		(field ?? box.current?.querySelector<HTMLElement>('h2'))?.focus({ preventScroll: true });
	};
	/* with the drawing itself: the next letter may be typed already */
	useLayoutEffect(() => {
		focus();
		window.scrollTo(0, 0);
	}, []);
	/* and again behind the frame, which gives the focus to its own title when it is new */
	useEffect(() => queueMicrotask(() => {
		if (document.activeElement?.tagName === 'H1')
			focus();
	}), []);
	/* refused: the focus goes where it can be mended */
	useEffect(() => {
		if (filling.refusal !== '')
			box.current?.querySelector<HTMLElement>('.widget input, .widget textarea, .widget select')?.focus();
	}, [filling.refusal]);
	const described = [step.hint !== '' ? `${id}-hint` : '', filling.refusal !== '' ? `${id}-fault` : '']
		.filter(Boolean).join(' ') || undefined;
	const text = filling.typed ?? step.value;
	const Widget = WIDGETS[step.type];
	return (
		<div class="question" ref={box}>
			{step.where !== '' && <p class="question-where" lang={lang}>{step.where}</p>}
			<div class="question-head">
				<h2 class={`question-label ${step.kind}`} id={`${id}-label`} tabIndex={-1} lang={lang}>
					{step.label.split(/\n+/).map((line, i) => <span key={i}>{line}</span>)}
				</h2>
				{asks && step.required && <p class="question-must">{t('fill.must')}</p>}
			</div>
			{step.hint !== '' && <Lines text={step.hint} class="question-hint" id={`${id}-hint`} lang={lang} />}
			{step.guidance !== '' && (
				<More title={t('fill.help')}><Lines text={step.guidance} lang={lang} /></More>
			)}
			{step.kind === 'note' && step.value !== '' && <p class="question-value" lang={lang}>{step.shown || step.value}</p>}
			{asks && (
				<div class="widget">
					<Widget filling={filling} step={step} text={text} lang={lang} labelledBy={`${id}-label`}
						describedBy={described} invalid={filling.refusal !== ''}
						type={(x) => filling.type(x)} put={(x) => void filling.put(x)} next={p.next} />
				</div>
			)}
			{filling.refusal !== '' && (
				<div class="stack close">
					<Fault id={`${id}-fault`} text={filling.refusal} />
					<div><Button icon="close" onClick={() => filling.dropTyped()}>{t('fill.drop_typed')}</Button></div>
				</div>
			)}
			{(asks && step.type !== 'file' && text !== '' || step.inside !== '') && (
				<div class="question-foot">
					{asks && step.type !== 'file' && text !== '' && (
						<Button kind="quiet" icon="close" onClick={async () => {
							if (await filling.put(''))
								filling.dropTyped();
						}}>{t('fill.clear')}</Button>
					)}
					{step.inside !== '' && (
						<Button kind="quiet" icon="trash" onClick={() => setRemoves(true)}>{t('repeat.remove')}</Button>
					)}
				</div>
			)}
			{removes && (
				<Confirm danger title={t('repeat.remove_title', { where: step.where || step.label })}
					yes={t('repeat.remove_yes')} onNo={() => setRemoves(false)}
					onYes={async () => {
						filling.dropTyped();
						await filling.move('fill_remove', () => call('fill_remove_repeat', { path: step.inside }));
						setRemoves(false);
						if ((filling.error as { code?: string } | null)?.code === 'state') {
							filling.error = null;
							setFixed(true);
						}
					}}>{t('repeat.remove_text')}</Confirm>
			)}
			{fixed && <Fault text={t('repeat.fixed')} />}
		</div>
	);
}

/* "Add another child?" */
export function Repeat(p: { filling: Filling; next: () => void }): JSX.Element {
	const { filling } = p;
	const { step, lang: code } = filling.at;
	const head = useRef<HTMLHeadingElement>(null);
	const [full, setFull] = useState(false);
	const lang = code === '' ? undefined : code;
	useEffect(() => {
		queueMicrotask(() => {
			head.current?.focus({ preventScroll: true });
			window.scrollTo(0, 0);
		});
	}, []);
	return (
		<div class="question">
			{step.where !== '' && <p class="question-where" lang={lang}>{step.where}</p>}
			<h2 class="question-label" tabIndex={-1} ref={head}>{t('repeat.add', { what: step.label })}</h2>
			<p class="quiet-text">{step.n_instances === 0 ? t('repeat.none') : tn('repeat.so_far', step.n_instances)}</p>
			<div class="stack">
				<Button wide big icon="plus" onClick={async () => {
					if (!await filling.move('fill_add', () => call('fill_add_repeat', { path: step.path })) &&
					    (filling.error as { code?: string } | null)?.code === 'limit') {
						filling.error = null;
						setFull(true);
					}
				}}>{t(step.n_instances === 0 ? 'repeat.add_first' : 'repeat.add_more')}</Button>
				<Button wide big icon="next" onClick={p.next}>{t('repeat.on')}</Button>
			</div>
			{full && <p class="field-fault" role="alert"><Icon name="warning" size={20} /><span>{t('repeat.full')}</span></p>}
		</div>
	);
}
