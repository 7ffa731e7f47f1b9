/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * choices: one of several, any of several, yes or no, and "I have read it".
 *
 * Every choice is a target a thumb finds.  Of more than LONG choices only those are drawn
 * that have the letters looked for, and those that are chosen.
 */
import type { JSX } from 'preact';
import { useId, useMemo, useState } from 'preact/hooks';
import { t, tn } from '../i18n';
import type { Option } from '../ops';
import { Icon, NO_HELP } from '../ui';
import { type Ask, folded, looks, named } from './widget';

const LONG = 12;          /* more than this: a field to look for them */
const DRAWN = 40;         /* of those that fit */

function Choice(p: {
	name: string; many: boolean; option: Option; on: boolean; lang: string | undefined;
	invalid: boolean; onPick: (on: boolean) => void;
}): JSX.Element {
	return (
		<label class="choice" lang={p.lang}>
			<input type={p.many ? 'checkbox' : 'radio'} name={p.name} value={p.option.value} checked={p.on}
				autocomplete="off" aria-invalid={p.invalid && p.many || undefined}
				onChange={(e) => p.onPick(e.currentTarget.checked)} />
			<span class="choice-mark" aria-hidden="true">{p.many && <Icon name="check" size={18} />}</span>
			<span class="choice-text"><span>{p.option.label || p.option.value}</span></span>
		</label>
	);
}

/* how the choices lie: the form's wish, where the screen is wide enough for it */
function layout(p: Ask): string {
	if (looks(p.step, 'likert'))
		return 'likert';
	return /(^|\s)(columns|horizontal|compact)/.test(p.step.appearance) ? 'columns' : '';
}

export function ChoiceWidget(p: Ask): JSX.Element {
	const id = useId();
	const [sought, setSought] = useState('');
	const many = p.step.type === 'select';
	const chosen = p.text === '' ? [] : many ? p.text.split(' ') : [p.text];
	const options = p.step.options;
	const is_long = options.length > LONG;
	const fits = useMemo(() => {
		const want = folded(sought.trim());
		return want === '' ? options
			: options.filter((o) => folded(o.label).includes(want) || o.value.toLowerCase() === want);
	}, [sought, options]);
	const pick = (o: Option, on: boolean): void => {
		if (many) {
			/* in the order in which they are offered, whatever was tapped first */
			p.put(options.filter((x) => x.value === o.value ? on : chosen.includes(x.value))
				.map((x) => x.value).join(' '));
			return;
		}
		p.put(o.value);
		if (looks(p.step, 'quick'))
			p.next();
	};
	if (options.length === 0)
		return <p class="field-hint">{t('fill.no_options')}</p>;
	if (!many && !is_long && looks(p.step, 'minimal'))
		return (
			<div class="select">
				<select {...named(p)} class="input" value={p.text} lang={p.lang} autocomplete="off"
					onChange={(e) => {
						const o = options.find((x) => x.value === e.currentTarget.value);
						if (o)
							pick(o, true);
						else
							p.put('');
					}}>
					<option value="">{t('choice.choose')}</option>
					{options.map((o) => <option key={o.value} value={o.value}>{o.label || o.value}</option>)}
				</select>
				<Icon name="down" size={20} />
			</div>
		);
	const one = (o: Option): JSX.Element => (
		<Choice key={o.value} name={id} many={many} option={o} on={chosen.includes(o.value)} lang={p.lang}
			invalid={p.invalid} onPick={(on) => pick(o, on)} />
	);
	const group = many
		? { role: 'group' as const }
		: { role: 'radiogroup' as const, 'aria-required': p.step.required || undefined, 'aria-invalid': p.invalid || undefined };
	const names = { 'aria-labelledby': p.labelledBy, 'aria-describedby': p.describedBy };
	if (!is_long)
		return <div {...group} {...names} class={`choices ${layout(p)}`}>{options.map(one)}</div>;
	/* those chosen stay at the top: looking for another one must not hide them */
	const above = options.filter((o) => chosen.includes(o.value));
	const below = fits.filter((o) => !chosen.includes(o.value));
	return (
		<div class="stack">
			<div class="field">
				<label class="field-label" for={`${id}-s`}>{t('choice.search')}</label>
				<div class="search">
					<Icon name="search" size={20} />
					<input {...NO_HELP} id={`${id}-s`} class="input" type="text" inputMode="search" enterKeyHint="search"
						value={sought} aria-describedby={`${id}-n`} onInput={(e) => setSought(e.currentTarget.value)} />
				</div>
				<p class="field-hint" id={`${id}-n`} role="status">
					{fits.length === 0 ? t('choice.none') : tn('choice.search_hint', fits.length)}
				</p>
			</div>
			<div {...group} {...names} class="choices">
				{above.map(one)}
				{below.slice(0, DRAWN).map(one)}
			</div>
			{below.length > DRAWN && <p class="field-hint">{tn('choice.more', below.length - DRAWN)}</p>}
		</div>
	);
}

export function BooleanWidget(p: Ask): JSX.Element {
	const id = useId();
	/* the specification knows four spellings */
	const is = { true: p.text === 'true' || p.text === '1', false: p.text === 'false' || p.text === '0' };
	return (
		<div role="radiogroup" aria-labelledby={p.labelledBy} aria-describedby={p.describedBy}
			aria-required={p.step.required || undefined} class="choices columns">
			{(['true', 'false'] as const).map((v) => (
				<Choice key={v} name={id} many={false} lang={undefined} on={is[v]} invalid={p.invalid}
					option={{ value: v, label: t(v === 'true' ? 'common.yes' : 'common.no'), chosen: is[v] }}
					onPick={() => p.put(v)} />
			))}
		</div>
	);
}

export function ConfirmWidget(p: Ask): JSX.Element {
	const id = useId();
	return (
		<div role="group" aria-labelledby={p.labelledBy} aria-describedby={p.describedBy} class="choices">
			<Choice name={id} many option={{ value: 'OK', label: t('confirm.ok'), chosen: p.text !== '' }}
				on={p.text !== ''} lang={undefined} invalid={p.invalid} onPick={(on) => p.put(on ? 'OK' : '')} />
		</div>
	);
}
