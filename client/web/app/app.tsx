/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * app: what is shown when.  language → (the vault's door) → screens of nav.ts.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { onLang, t } from './i18n';
import { readPrefs } from './prefs';
import { Banner, Page } from './ui';
import { Language } from './volunteer/language';

export function App(p: { invitation: string; complete: boolean }): JSX.Element {
	const [, redraw] = useState(0);
	const [chosen, setChosen] = useState(readPrefs().lang !== null);
	useEffect(() => onLang(() => redraw((n) => n + 1)), []);
	if (!p.complete)
		return (
			<Page title="Amparo">
				<Banner tone="bad" title={t('boot.no_core')} />
			</Page>
		);
	if (!chosen)
		return <Language remember onDone={() => setChosen(true)} />;
	return <Page title="Amparo" />;
}
