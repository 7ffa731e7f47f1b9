/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Joining, second step: who joins, and which languages the person speaks. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { lang, t } from '../i18n';
import { Choices, Button, Field, More, Page } from '../ui';

/* languages that are heard in intake halls; codes as in BCP 47, named in themselves */
const SPOKEN: readonly { value: string; label: string }[] = [
	{ value: 'es', label: 'Español' },
	{ value: 'en', label: 'English' },
	{ value: 'mam', label: 'Mam' },
	{ value: 'quc', label: 'K’iche’' },
	{ value: 'kek', label: 'Q’eqchi’' },
	{ value: 'kjb', label: 'Q’anjob’al' },
	{ value: 'acr', label: 'Achi' },
	{ value: 'jac', label: 'Popti’' },
	{ value: 'nah', label: 'Nahuatl' },
	{ value: 'mix', label: 'Mixteco' },
	{ value: 'zap', label: 'Zapoteco' },
	{ value: 'ht', label: 'Kreyòl ayisyen' },
	{ value: 'pt', label: 'Português' },
	{ value: 'fr', label: 'Français' },
	{ value: 'ar', label: 'العربية' },
	{ value: 'zh', label: '中文' },
];
/* the core's bound, in bytes */
const NAME_MAX = 128;

export interface Person { name: string; languages: string[] }

export function Who(p: {
	given: Person; onBack: () => void; onDone: (who: Person) => void;
}): JSX.Element {
	const [name, setName] = useState(p.given.name);
	const [languages, setLanguages] = useState(
		p.given.languages.length > 0 ? p.given.languages : [lang() as string]);
	const [fault, setFault] = useState<string | null>(null);
	const done = (): void => {
		const n = name.trim().replace(/\s+/g, ' ');
		const size = new TextEncoder().encode(n).length;
		if (n === '')
			setFault(t('who.name_missing'));
		else if (size > NAME_MAX)
			setFault(t('who.name_long'));
		else
			p.onDone({ name: n, languages });
	};
	return (
		<Page title={t('who.title')} onBack={p.onBack}
			foot={<Button kind="primary" onClick={done}>{t('common.next')}</Button>}>
			<Field label={t('who.name')} hint={t('who.name_hint')} value={name} fault={fault}
				capitalize="words" onInput={setName} onEnter={done} maxLength={NAME_MAX} />
			<Choices legend={t('who.languages')} hint={t('who.languages_hint')} many columns
				options={SPOKEN.slice(0, 6)} value={languages}
				onChange={(v) => setLanguages([...v, ...languages.filter((l) => SPOKEN.slice(6).some((s) => s.value === l))])} />
			<More title={t('who.more_languages')}>
				<Choices legend={t('who.more_languages')} hideLegend many columns options={SPOKEN.slice(6)}
					value={languages}
					onChange={(v) => setLanguages([...languages.filter((l) => SPOKEN.slice(0, 6).some((s) => s.value === l)), ...v])} />
			</More>
		</Page>
	);
}
