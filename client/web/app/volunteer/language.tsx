/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The first screen: both languages at once, so nobody has to read the other one. */
import type { JSX } from 'preact';
import { lang, setLang, t } from '../i18n';
import { Button, Page } from '../ui';
import { Mark } from './mark';

export function Language(p: { onDone: () => void; remember: boolean }): JSX.Element {
	const choose = (to: 'en' | 'es'): void => {
		setLang(to, p.remember);
		p.onDone();
	};
	return (
		<Page title={t('language.title')} hideTitle>
			<div class="welcome">
				<Mark />
				<p class="welcome-name">Amparo</p>
				<p class="lead" lang="es">Escriba lo que las familias le cuentan. Solo sus abogados pueden leerlo.</p>
				<p class="lead" lang="en">Write down what families tell you. Only their lawyers can read it.</p>
			</div>
			<div class="stack">
				<Button kind="primary" big wide onClick={() => choose('es')}><span lang="es">Español</span></Button>
				<Button kind="primary" big wide onClick={() => choose('en')}><span lang="en">English</span></Button>
			</div>
		</Page>
	);
}

/* The other language, named in itself. */
export function LanguageButton(): JSX.Element {
	const other = lang() === 'es' ? 'en' : 'es';
	return (
		<Button kind="quiet" icon="globe" onClick={() => setLang(other)}>
			<span lang={other}>{other === 'es' ? 'Español' : 'English'}</span>
		</Button>
	);
}
