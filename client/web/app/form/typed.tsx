/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * typed: text, numbers, and numbers on a scale.
 *
 * A field holds its own text while it is on the screen: what is stored may be written in
 * another way ("1,5" becomes "1.5"), and must not change under the fingers.
 */
import type { JSX, TargetedEvent } from 'preact';
import { useId, useState } from 'preact/hooks';
import { t } from '../i18n';
import { Button, NO_HELP } from '../ui';
import { type Ask, looks, named } from './widget';

const MAX = 65536;

export function TextWidget(p: Ask): JSX.Element {
	const [text, setText] = useState(p.text);
	const input = (e: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>): void => {
		setText(e.currentTarget.value);
		p.type(e.currentTarget.value);
	};
	if (looks(p.step, 'multiline'))
		return <textarea {...NO_HELP} {...named(p)} class="input" rows={5} autocapitalize="sentences"
			value={text} maxLength={MAX} onInput={input} onBlur={() => void p.filling.flush()} />;
	/* numbers as text: "0012" keeps its zeros */
	return <input {...NO_HELP} {...named(p)} class="input" type="text" value={text} maxLength={MAX}
		inputMode={looks(p.step, 'numbers') ? 'numeric' : looks(p.step, 'url') ? 'url' : 'text'}
		autocapitalize={looks(p.step, 'numbers', 'url') ? 'off' : 'sentences'}
		onInput={input} onBlur={() => void p.filling.flush()} />;
}

/*
 * Keyboards of telephones for numbers lack the minus sign: the button beside the field
 * changes it.  "counter": one more, one less.
 */
export function NumberWidget(p: Ask): JSX.Element {
	const [text, setText] = useState(p.text);
	const set = (to: string): void => {
		setText(to);
		p.type(to);
	};
	const field = (
		<input {...NO_HELP} {...named(p)} class="input number" type="text" value={text} maxLength={40}
			inputMode={p.step.type === 'int' ? 'numeric' : 'decimal'}
			onInput={(e) => set(e.currentTarget.value)} onBlur={() => void p.filling.flush()} />
	);
	if (looks(p.step, 'counter')) {
		const by = (n: number): void => {
			const to = String((Number(text) || 0) + n);
			setText(to);
			p.put(to);
		};
		return (
			<div class="number-line">
				<Button icon="minus" label={t('number.less')} onClick={() => by(-1)} />
				{field}
				<Button icon="plus" label={t('number.more')} onClick={() => by(1)} />
			</div>
		);
	}
	return (
		<div class="number-line">
			{field}
			<Button kind="quiet" class="number-sign" label={t('number.sign')}
				onClick={() => set(/^\s*[-−]/.test(text) ? text.replace(/^\s*[-−]\s*/, '') : `-${text.trim()}`)}>
				+/−
			</Button>
		</div>
	);
}

/* how many digits behind the point a number of the form has */
function digits(s: string): number {
	return (s.split('.')[1] ?? '').length;
}

export function RangeWidget(p: Ask): JSX.Element {
	const id = useId();
	const start = Number(p.step.start), end = Number(p.step.end);
	const by = Math.abs(Number(p.step.by)) || 1;
	const places = Math.max(digits(p.step.start), digits(p.step.end), digits(p.step.by));
	const low = Math.min(start, end), high = Math.max(start, end);
	const [text, setText] = useState(p.text);
	const none = text.trim() === '' || !Number.isFinite(Number(text));
	const set = (to: string, whole: boolean): void => {
		setText(to);
		if (whole)
			p.put(to);
		else
			p.type(to);
	};
	const slid = (e: TargetedEvent<HTMLInputElement>, whole: boolean): void =>
		set(Number(e.currentTarget.value).toFixed(places), whole);
	return (
		<div class="range">
			{/* a scale that goes down begins at its larger end: the slider is turned around */}
			<input {...named(p)} type="range" min={low} max={high} step={by} autocomplete="off"
				class={none ? 'unset' : ''} dir={start > end ? 'rtl' : 'ltr'}
				value={none ? (low + high) / 2 : Number(text)}
				aria-valuetext={none ? t('range.none') : text}
				onInput={(e) => slid(e, false)} onChange={(e) => slid(e, true)}
				/* a tap exactly where it stands chooses that, though nothing changes */
				onClick={(e) => none && slid(e, true)} />
			<div class="range-ends" aria-hidden="true"><span>{p.step.start}</span><span>{p.step.end}</span></div>
			<div class="range-number">
				<label for={id}>{t('range.value')}</label>
				<input {...NO_HELP} id={id} class="input number" type="text" inputMode="decimal" maxLength={40}
					value={text} aria-describedby={`${id}-hint`} onInput={(e) => set(e.currentTarget.value, false)}
					onBlur={() => void p.filling.flush()} />
			</div>
			<p class="field-hint" id={`${id}-hint`}>
				{none ? t('range.none') : t('range.from', { start: p.step.start, end: p.step.end })}
			</p>
		</div>
	);
}
