/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * dialog: a question before something that cannot be undone.  The browser's own <dialog>:
 * it holds the focus, makes the rest unreachable, closes with Escape and gives the focus back.
 */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { t } from '../i18n';
import { Button } from './basics';

/* open while it is drawn; onClose: Escape or the cross */
export function Dialog(p: {
	title: ComponentChildren; onClose: () => void; children?: ComponentChildren;
	actions?: ComponentChildren; wide?: boolean;
}): JSX.Element {
	const ref = useRef<HTMLDialogElement>(null);
	const id = useId();
	useEffect(() => {
		const d = ref.current;
		const before = document.activeElement;
		if (d && !d.open)
			d.showModal();
		return () => {
			if (d?.open)
				d.close();
			if (before instanceof HTMLElement && before.isConnected)
				before.focus();
		};
	}, []);
	return (
		<dialog ref={ref} class={`dialog ${p.wide ? 'wide' : ''}`} aria-labelledby={id}
			onCancel={(e) => {
				e.preventDefault();
				p.onClose();
			}}>
			<div class="dialog-head">
				<h2 id={id} class="dialog-title">{p.title}</h2>
				<Button kind="quiet" icon="close" label={t('common.close')} onClick={p.onClose} />
			</div>
			<div class="dialog-body">{p.children}</div>
			{p.actions !== undefined && <div class="dialog-actions">{p.actions}</div>}
		</dialog>
	);
}

/* The usual one: a sentence, "yes, do it" and "no". */
export function Confirm(p: {
	title: ComponentChildren; children?: ComponentChildren; yes: string; no?: string;
	danger?: boolean; onYes: () => void | Promise<unknown>; onNo: () => void;
}): JSX.Element {
	return (
		<Dialog title={p.title} onClose={p.onNo} actions={
			<>
				<Button kind={p.danger ? 'danger' : 'primary'} onClick={p.onYes}>{p.yes}</Button>
				<Button onClick={p.onNo}>{p.no ?? t('common.cancel')}</Button>
			</>
		}>{p.children}</Dialog>
	);
}
