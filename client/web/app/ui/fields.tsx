/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fields: where somebody types or chooses.
 *
 * No field lets the browser help: autocomplete, spelling services and keyboards that learn
 * would keep a family's answers, or send them elsewhere.
 */
import type { ComponentChildren, JSX, Ref } from 'preact';
import { useId, useState } from 'preact/hooks';
import { t } from '../i18n';
import { Button } from './basics';
import { Icon } from './icon';

/* what every field where a person types has */
export const NO_HELP = {
	autocomplete: 'off', autocorrect: 'off', autocapitalize: 'off', spellcheck: false,
	'data-1p-ignore': true, 'data-lpignore': 'true', 'data-form-type': 'other',
} as const;

/* label, hint and fault around any input: children gets the ids to point at */
export interface FrameProps {
	label: ComponentChildren;
	hint?: ComponentChildren;
	/* what is wrong with the answer, in one sentence; read aloud */
	fault?: string | null;
	required?: boolean;
}

export function Frame(p: FrameProps & {
	children: (a: { id: string; describedBy: string | undefined; invalid: boolean }) => ComponentChildren;
}): JSX.Element {
	const id = useId();
	const described = [p.hint !== undefined ? `${id}-hint` : '', p.fault ? `${id}-fault` : '']
		.filter(Boolean).join(' ');
	return (
		<div class={`field ${p.fault ? 'has-fault' : ''}`}>
			<label class="field-label" for={id}>
				{p.label}
				{p.required && <span class="field-required"> · {t('common.required')}</span>}
			</label>
			{p.hint !== undefined && <div class="field-hint" id={`${id}-hint`}>{p.hint}</div>}
			{p.children({ id, describedBy: described || undefined, invalid: Boolean(p.fault) })}
			<Fault id={`${id}-fault`} text={p.fault} />
		</div>
	);
}

export function Fault(p: { id?: string; text: string | null | undefined }): JSX.Element | null {
	return p.text
		? <p class="field-fault" id={p.id} role="alert"><Icon name="warning" size={20} /><span>{p.text}</span></p>
		: null;
}

/*
 * One line of text, or several (lines > 1).
 * value and onInput: the screen holds the text.  onEnter: Enter in a single line.
 */
export interface FieldProps extends FrameProps {
	value: string;
	onInput: (text: string) => void;
	onEnter?: () => void;
	onBlur?: () => void;
	lines?: number;
	type?: 'text' | 'tel' | 'search' | 'date' | 'time' | 'number' | 'datetime-local';
	inputMode?: 'text' | 'numeric' | 'decimal' | 'tel' | 'search' | 'none';
	placeholder?: string;
	capitalize?: 'words' | 'sentences' | 'characters' | 'off';
	maxLength?: number;
	disabled?: boolean;
	lang?: string;
	inputRef?: Ref<HTMLInputElement> | Ref<HTMLTextAreaElement>;
	mono?: boolean;
}

export function Field(p: FieldProps): JSX.Element {
	return (
		<Frame label={p.label} hint={p.hint} fault={p.fault} required={p.required}>
			{(a) => {
				/* one set of properties for both kinds of element */
				const same: object = {
					...NO_HELP, id: a.id, class: `input ${p.mono ? 'mono' : ''}`, value: p.value,
					'aria-describedby': a.describedBy, 'aria-invalid': a.invalid || undefined,
					'aria-required': p.required || undefined,
					autocapitalize: p.capitalize ?? 'off', placeholder: p.placeholder,
					maxLength: p.maxLength, disabled: p.disabled, lang: p.lang, ref: p.inputRef,
					onBlur: p.onBlur,
					onInput: (e: Event) =>
						p.onInput((e.currentTarget as HTMLInputElement).value),
				};
				return (p.lines ?? 1) > 1
					? <textarea {...same} rows={p.lines} />
					: <input {...same} {...{ type: p.type ?? 'text', inputMode: p.inputMode } as object}
						onKeyDown={(e: KeyboardEvent) => {
							if (e.key === 'Enter' && p.onEnter) {
								e.preventDefault();
								p.onEnter();
							}
						}} />;
			}}
		</Frame>
	);
}

/* A passphrase: hidden, with a button that shows it.  Never a password manager's business. */
export function SecretField(p: FrameProps & {
	value: string; onInput: (text: string) => void; onEnter?: () => void;
	disabled?: boolean; inputRef?: Ref<HTMLInputElement>;
}): JSX.Element {
	const [shown, setShown] = useState(false);
	return (
		<Frame label={p.label} hint={p.hint} fault={p.fault} required={p.required}>
			{(a) => (
				<div class="secret">
					<input {...NO_HELP as object} {...{ type: shown ? 'text' : 'password' } as object} id={a.id}
						class="input mono" autocomplete="new-password" value={p.value} disabled={p.disabled}
						aria-describedby={a.describedBy} aria-invalid={a.invalid || undefined}
						ref={p.inputRef}
						onInput={(e) => p.onInput(e.currentTarget.value)}
						onKeyDown={(e) => {
							if (e.key === 'Enter' && p.onEnter) {
								e.preventDefault();
								p.onEnter();
							}
						}} />
					<Button kind="quiet" icon="eye" pressed={shown}
						label={shown ? t('common.hide') : t('common.show')}
						onClick={() => setShown(!shown)} />
				</div>
			)}
		</Frame>
	);
}

/*
 * One of several (radio) or any of several (check), each a large target.
 * value   radio: [the one chosen] or []; check: all chosen
 */
export interface Option { value: string; label: ComponentChildren; detail?: ComponentChildren }

export function Choices(p: {
	legend: ComponentChildren; hint?: ComponentChildren; fault?: string | null; required?: boolean;
	options: readonly Option[]; value: readonly string[]; many?: boolean;
	onChange: (value: string[]) => void; columns?: boolean; lang?: string; hideLegend?: boolean;
	disabled?: boolean;
}): JSX.Element {
	const id = useId();
	const pick = (v: string, on: boolean): void => {
		if (!p.many)
			p.onChange([v]);
		else
			/* in the order in which they are offered, whatever was tapped first */
			p.onChange(p.options.map((o) => o.value)
				.filter((o) => o === v ? on : p.value.includes(o)));
	};
	const described = [p.hint !== undefined ? `${id}-hint` : '', p.fault ? `${id}-fault` : '']
		.filter(Boolean).join(' ');
	return (
		<fieldset class={`choices ${p.columns ? 'columns' : ''} ${p.fault ? 'has-fault' : ''}`}
			aria-describedby={described || undefined}>
			<legend class={p.hideLegend ? 'sr-only' : 'field-label'}>
				{p.legend}
				{p.required && <span class="field-required"> · {t('common.required')}</span>}
			</legend>
			{p.hint !== undefined && <div class="field-hint" id={`${id}-hint`}>{p.hint}</div>}
			{p.options.map((o) => (
				<label key={o.value} class="choice" lang={p.lang}>
					<input type={p.many ? 'checkbox' : 'radio'} name={id} value={o.value} autocomplete="off"
						checked={p.value.includes(o.value)} disabled={p.disabled}
						onChange={(e) => pick(o.value, e.currentTarget.checked)} />
					<span class="choice-mark" aria-hidden="true">
						{p.many && <Icon name="check" size={18} />}
					</span>
					<span class="choice-text">
						<span>{o.label}</span>
						{o.detail !== undefined && <span class="row-detail">{o.detail}</span>}
					</span>
				</label>
			))}
			<Fault id={`${id}-fault`} text={p.fault} />
		</fieldset>
	);
}

/* One of many in a native list. */
export function Select(p: FrameProps & {
	options: readonly { value: string; label: string }[]; value: string;
	onChange: (value: string) => void; empty?: string; disabled?: boolean; lang?: string;
}): JSX.Element {
	return (
		<Frame label={p.label} hint={p.hint} fault={p.fault} required={p.required}>
			{(a) => (
				<div class="select">
					<select id={a.id} class="input" value={p.value} disabled={p.disabled} lang={p.lang}
						autocomplete="off" aria-describedby={a.describedBy}
						aria-invalid={a.invalid || undefined}
						onChange={(e) => p.onChange(e.currentTarget.value)}>
						{p.empty !== undefined && <option value="">{p.empty}</option>}
						{p.options.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}
					</select>
					<Icon name="down" size={20} />
				</div>
			)}
		</Frame>
	);
}

/* On or off. */
export function Switch(p: {
	label: ComponentChildren; hint?: ComponentChildren; on: boolean;
	onChange: (on: boolean) => void; disabled?: boolean;
}): JSX.Element {
	const id = useId();
	return (
		<label class="switch">
			<span class="choice-text">
				<span id={id}>{p.label}</span>
				{p.hint !== undefined && <span class="row-detail" id={`${id}-hint`}>{p.hint}</span>}
			</span>
			<input type="checkbox" role="switch" autocomplete="off" checked={p.on} disabled={p.disabled}
				aria-labelledby={id} aria-describedby={p.hint !== undefined ? `${id}-hint` : undefined}
				onChange={(e) => p.onChange(e.currentTarget.checked)} />
			<span class="switch-track" aria-hidden="true"><span class="switch-thumb" /></span>
		</label>
	);
}

/*
 * A button that opens the device's own file or camera chooser.
 * accept   as in HTML; camera: ask for the back camera rather than a file
 */
export function FileButton(p: {
	children: ComponentChildren; accept?: string; camera?: boolean; many?: boolean;
	onFiles: (files: File[]) => void | Promise<unknown>; kind?: 'primary' | 'plain' | 'quiet';
	icon?: 'camera' | 'photo' | 'file' | 'plus'; wide?: boolean; disabled?: boolean;
}): JSX.Element {
	const id = useId();
	return (
		<span class={`file-button ${p.wide ? 'wide' : ''}`}>
			<input id={id} type="file" class="sr-only" accept={p.accept} multiple={p.many}
				capture={p.camera ? 'environment' : undefined} disabled={p.disabled}
				onChange={(e) => {
					const input = e.currentTarget;
					const files = Array.from(input.files ?? []);
					/* the same file can be chosen again */
					input.value = '';
					if (files.length > 0)
						void p.onFiles(files);
				}} />
			<label for={id} class={`button ${p.kind ?? 'plain'} ${p.wide ? 'wide' : ''}`}>
				<Icon name={p.icon ?? 'file'} /><span>{p.children}</span>
			</label>
		</span>
	);
}
