/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * basics: buttons, cards, lists, banners, progress.  ui/index.ts is the list of all parts.
 */
import type { ComponentChildren, JSX, Ref } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { Icon, type IconName } from './icon';

/*
 * kind   primary: the one thing to do on this screen; plain: what else can be done; quiet: by
 *        the way; danger: cannot be undone (put it behind a Dialog)
 * onClick may return a promise: the button is busy until it settles, and a second tap does
 * nothing.  A rejected promise is left to the caller's own catch.
 */
export interface ButtonProps {
	children?: ComponentChildren;
	onClick?: () => void | Promise<unknown>;
	kind?: 'primary' | 'plain' | 'quiet' | 'danger';
	icon?: IconName;
	/* what is read aloud when there is only an icon */
	label?: string;
	wide?: boolean;
	big?: boolean;
	busy?: boolean;
	disabled?: boolean;
	type?: 'button' | 'submit';
	class?: string;
	id?: string;
	describedBy?: string;
	pressed?: boolean;
	buttonRef?: Ref<HTMLButtonElement>;
}

export function Button(p: ButtonProps): JSX.Element {
	const [going, setGoing] = useState(false);
	const busy = p.busy === true || going;
	const click = (): void => {
		if (busy || p.disabled)
			return;
		const done = p.onClick?.();
		if (done instanceof Promise) {
			setGoing(true);
			done.finally(() => setGoing(false)).catch(() => undefined);
		}
	};
	const names = ['button', p.kind ?? 'plain'];
	if (p.wide) names.push('wide');
	if (p.big) names.push('big');
	if (p.children === undefined) names.push('only-icon');
	if (p.class) names.push(p.class);
	return (
		<button type={p.type ?? 'button'} id={p.id} class={names.join(' ')} onClick={click}
			disabled={p.disabled} aria-busy={busy || undefined} aria-label={p.label}
			title={p.children === undefined ? p.label : undefined}
			aria-describedby={p.describedBy} aria-pressed={p.pressed} ref={p.buttonRef}>
			{busy ? <Spinner /> : p.icon && <Icon name={p.icon} />}
			{p.children !== undefined && <span>{p.children}</span>}
		</button>
	);
}

export function Spinner(): JSX.Element {
	return <span class="spinner" aria-hidden="true" />;
}

/* A box with a title of its own. */
export function Card(p: {
	title?: ComponentChildren; icon?: IconName; children?: ComponentChildren;
	class?: string; tone?: 'plain' | 'accent';
}): JSX.Element {
	return (
		<section class={`card ${p.tone ?? 'plain'} ${p.class ?? ''}`}>
			{p.title !== undefined && (
				<h2 class="card-title">{p.icon && <Icon name={p.icon} />}<span>{p.title}</span></h2>
			)}
			{p.children}
		</section>
	);
}

/* One thing to know, above what it is about.  bad and warn are read aloud when they appear. */
export function Banner(p: {
	tone: 'info' | 'good' | 'warn' | 'bad'; title?: ComponentChildren;
	children?: ComponentChildren; action?: ComponentChildren; id?: string;
}): JSX.Element {
	const icon: IconName = p.tone === 'good' ? 'check' : p.tone === 'info' ? 'info' : 'warning';
	return (
		<div class={`banner ${p.tone}`} id={p.id}
			role={p.tone === 'bad' ? 'alert' : p.tone === 'warn' ? 'status' : undefined}>
			<Icon name={icon} />
			<div class="banner-text">
				{p.title !== undefined && <p class="banner-title">{p.title}</p>}
				{p.children !== undefined && <div>{p.children}</div>}
				{p.action !== undefined && <div class="banner-action">{p.action}</div>}
			</div>
		</div>
	);
}

/*
 * A list whose rows can be tapped as a whole.  A row without onClick only shows.
 * title     what it is; detail: below, in smaller letters; badge: at the right (a Badge)
 */
export function List(p: { children: ComponentChildren; label: string }): JSX.Element {
	return <ul class="list" aria-label={p.label}>{p.children}</ul>;
}

export function Row(p: {
	title: ComponentChildren; detail?: ComponentChildren; badge?: ComponentChildren;
	icon?: IconName; onClick?: () => void | Promise<unknown>; action?: ComponentChildren;
	lang?: string;
}): JSX.Element {
	const inside = (
		<>
			{p.icon && <Icon name={p.icon} class="row-icon" />}
			<span class="row-text">
				<span class="row-title" lang={p.lang}>{p.title}</span>
				{p.detail !== undefined && <span class="row-detail">{p.detail}</span>}
			</span>
			{p.badge}
			{p.onClick && <Icon name="next" size={20} class="row-go" />}
		</>
	);
	return (
		<li class="row">
			{p.onClick
				? <button type="button" class="row-main" onClick={() => void p.onClick?.()}>{inside}</button>
				: <div class="row-main">{inside}</div>}
			{p.action !== undefined && <div class="row-action">{p.action}</div>}
		</li>
	);
}

/* A word or two in a pill. */
export function Badge(p: {
	tone?: 'plain' | 'good' | 'warn' | 'bad' | 'accent'; children: ComponentChildren;
}): JSX.Element {
	return <span class={`badge ${p.tone ?? 'plain'}`}>{p.children}</span>;
}

/*
 * How far something is: done of total, or (total 0) that it goes on without knowing how long.
 * label   read aloud, and shown above with `text`
 */
export function Progress(p: {
	label: string; done?: number; total?: number; text?: string; slim?: boolean;
}): JSX.Element {
	const known = p.total !== undefined && p.total > 0 && p.done !== undefined;
	const part = known ? Math.min(1, Math.max(0, (p.done ?? 0) / (p.total ?? 1))) : 0;
	return (
		<div class={`progress ${p.slim ? 'slim' : ''}`}>
			{!p.slim && (
				<div class="progress-head"><span>{p.label}</span>{p.text && <span>{p.text}</span>}</div>
			)}
			<div class={`progress-track ${known ? '' : 'unknown'}`} role="progressbar"
				aria-label={p.label} aria-valuemin={known ? 0 : undefined}
				aria-valuemax={known ? 100 : undefined}
				aria-valuenow={known ? Math.round(part * 100) : undefined}
				aria-valuetext={p.text}>
				<div class="progress-bar" style={{ width: known ? `${part * 100}%` : undefined }} />
			</div>
		</div>
	);
}

/* Shown where a list would be. */
export function Empty(p: { icon: IconName; title: string; children?: ComponentChildren }): JSX.Element {
	return (
		<div class="empty">
			<Icon name={p.icon} size={40} />
			<p class="empty-title">{p.title}</p>
			{p.children !== undefined && <div>{p.children}</div>}
		</div>
	);
}

/* The whole screen waits: a sentence says for what. */
export function Waiting(p: { text?: string; children?: ComponentChildren }): JSX.Element {
	return (
		<div class="waiting" role="status">
			<Spinner />
			<p>{p.text ?? t('common.wait')}</p>
			{p.children}
		</div>
	);
}

/*
 * Words to be read, spoken or copied: large, numbered, unhurried.  They are of one English list
 * whatever the page speaks, and are to be read aloud as such.
 */
export function Words(p: { words: readonly string[]; label: string; numbered?: boolean }): JSX.Element {
	return (
		<ol class={`words ${p.numbered === false ? 'bare' : ''}`} aria-label={p.label} translate={false}>
			{/* a word may be there twice */}
			{p.words.map((w, i) => <li key={i}><span lang="en">{w}</span></li>)}
		</ol>
	);
}

/* Text that is not there at first: a native details, which works without script. */
export function More(p: { title: string; children: ComponentChildren }): JSX.Element {
	return (
		<details class="more">
			<summary><Icon name="next" size={20} /><span>{p.title}</span></summary>
			<div class="more-body">{p.children}</div>
		</details>
	);
}
