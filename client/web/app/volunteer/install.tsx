/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* How to install the page, on phones where it is not. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n';
import { install, installWay, onInstallChange } from '../keep';
import { Button, Card, Icon } from '../ui';
import { isReadyOffline, onUpdate } from '../update';

export function InstallHint(): JSX.Element | null {
	const [, turn] = useState(0);
	useEffect(() => {
		const again = (): void => turn((n) => n + 1);
		const stop = onUpdate(again);
		onInstallChange(again);
		return () => {
			stop();
			onInstallChange(() => undefined);
		};
	}, []);
	const way = installWay();
	if (way === 'none')
		return null;
	return (
		<Card title={t('install.title')} icon="phone">
			<p>{t('install.why')}</p>
			{isReadyOffline() && <p class="good-text with-icon"><Icon name="check" size={20} /><span>{t('install.ready')}</span></p>}
			{way === 'offer'
				? <Button icon="save" onClick={install}>{t('install.button')}</Button>
				: <p><strong>{way === 'ios' ? t('install.ios') : t('install.menu')}</strong></p>}
		</Card>
	);
}
