/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * fault: what went wrong, in one sentence with what to do next.
 *
 * A CoreError's code chooses the sentence: first 'error.<op>.<code>' (the operation says more:
 * a passphrase, an invitation), then 'error.<code>', then 'error.other'.  Its `why` is shown
 * as it is where it comes from the form, in the form's language.
 */
import type { JSX } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { t, tMaybe } from '../i18n';
import { Banner } from './basics';

/* what a CoreError says; "" of anything else */
function word(e: unknown, name: 'code' | 'why'): string {
	const v: unknown = typeof e === 'object' && e !== null ? (e as Record<string, unknown>)[name] : '';
	return typeof v === 'string' ? v : '';
}

export function errorSentence(e: unknown, op?: string): string {
	const code = word(e, 'code');
	return (op !== undefined && tMaybe(`error.${op}.${code}`)) || tMaybe(`error.${code}`) || t('error.other');
}

export function ErrorBanner(p: { error: unknown; op?: string }): JSX.Element | null {
	if (p.error === null || p.error === undefined)
		return null;
	const why = word(p.error, 'why');
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
