/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* out: what leaves the page by a person's own doing, and how long ago something was. */
import { count, lang, t } from './i18n';

/* A file for the browser's downloads.  The address is given back once the browser has it. */
export function offerFile(name: string, bytes: Uint8Array, media: string): void {
	const url = URL.createObjectURL(new Blob([bytes.slice().buffer], { type: media }));
	const a = document.createElement('a');
	a.href = url;
	a.download = name;
	a.rel = 'noopener';
	document.body.append(a);
	a.click();
	a.remove();
	window.setTimeout(() => URL.revokeObjectURL(url), 60000);
}

/* at: milliseconds since 1970 */
export function whenWas(at: number): string {
	const minutes = Math.floor((Date.now() - at) / 60000);
	if (minutes < 1)
		return t('when.now');
	if (minutes < 60)
		return t('when.minutes', { n: count(minutes) });
	return new Intl.DateTimeFormat(lang() === 'es' ? 'es-MX' : 'en-US',
		minutes < 1200 ? { hour: 'numeric', minute: '2-digit' }
			: { day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' }).format(new Date(at));
}
