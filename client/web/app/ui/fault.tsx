/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fault: what went wrong, in one sentence with what to do next.
 *
 * A CoreError's code chooses the sentence: 'error.<code>.<why>' where why is the word of a
 * reason, else 'error.<op>.<code>' (the operation says more: a passphrase, an invitation), else
 * 'error.<code>', else 'error.other'.  A `why` is shown as it is only with the codes with which
 * a form speaks, in its own language.
 */
import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { t, tMaybe } from '../i18n';
import { session } from '../session';
import { Banner } from './basics';

const OF_FORM = new Set(['range', 'format', 'limit']);

/* what a CoreError says; "" of anything else */
function word(e: unknown, name: 'code' | 'why'): string {
	const v: unknown = typeof e === 'object' && e !== null ? (e as Record<string, unknown>)[name] : '';
	return typeof v === 'string' ? v : '';
}

export function errorSentence(e: unknown, op?: string): string {
	const code = word(e, 'code');
	const why = word(e, 'why');
	/* nothing is on a hall's tablet's disk: what is kept elsewhere is not kept there */
	const hall = session().kiosk ? tMaybe(`error.kiosk.${code}`) : undefined;
	return hall || (why !== '' && tMaybe(`error.${code}.${why}`)) || (op !== undefined && tMaybe(`error.${op}.${code}`))
		|| tMaybe(`error.${code}`) || t(session().kiosk ? 'error.kiosk.other' : 'error.other');
}

export function ErrorBanner(p: { error: unknown; op?: string }): JSX.Element | null {
	if (p.error === null || p.error === undefined)
		return null;
	const why = OF_FORM.has(word(p.error, 'code')) ? word(p.error, 'why') : '';
	return <Banner tone="bad" title={errorSentence(p.error, p.op)}>{why === '' ? undefined : why}</Banner>;
}

/*
 * For a screen that calls the core: what went wrong last, a banner for it (null if nothing
 * did), and try_ around a call, which resolves to undefined when it failed.
 *
 *	const fault = useFault();
 *	const done = await fault.try_('join', () => call('join', …));
 *	{fault.banner}
 */
export function useFault(): {
	error: unknown; banner: JSX.Element | null; clear: () => void;
	try_: <T>(op: string, fn: () => Promise<T>) => Promise<T | undefined>;
} {
	const [last, setLast] = useState<{ op: string; error: unknown } | null>(null);
	const try_ = useCallback(async <T,>(op: string, fn: () => Promise<T>): Promise<T | undefined> => {
		setLast(null);
		try {
			return await fn();
		} catch (error) {
			setLast({ op, error });
			return undefined;
		}
	}, []);
	const clear = useCallback(() => setLast(null), []);
	return { error: last?.error ?? null, banner: last && <ErrorBanner error={last.error} op={last.op} />, clear, try_ };
}
