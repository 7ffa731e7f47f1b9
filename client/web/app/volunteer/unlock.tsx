/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The door of a device that has a vault. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { unlock } from '../core';
import { t } from '../i18n';
import { Banner, Button, More, Page, SecretField, useFault } from '../ui';
import { LanguageButton } from './language';
import { Mark } from './mark';
import { WipeButton } from './wipe';

export function Unlock(p: {
	was_idle: boolean; has_invitation: boolean; onOpen: () => Promise<void>; onWiped: () => void;
}): JSX.Element {
	const [pass, setPass] = useState('');
	const input = useRef<HTMLInputElement>(null);
	const fault = useFault();
	useEffect(() => input.current?.focus(), []);
	const open = async (): Promise<void> => {
		if (pass === '')
			return;
		const text = pass;
		const done = await fault.try_('unlock', async () => {
			await unlock(text);
			setPass('');
			await p.onOpen();
			return true;
		});
		if (!done) {
			setPass('');
			input.current?.focus();
		}
	};
	return (
		<Page title={t('unlock.title')} hideTitle tools={<LanguageButton />}
			foot={<Button kind="primary" big icon="unlock" disabled={pass === ''} onClick={open}>{t('unlock.open')}</Button>}>
			<div class="welcome">
				<Mark />
				<p class="welcome-name">Amparo</p>
			</div>
			{p.was_idle && <Banner tone="info" title={t('unlock.idle')} />}
			{p.has_invitation && <Banner tone="warn" title={t('unlock.invitation')} />}
			{fault.banner}
			<SecretField label={t('unlock.pass')} hint={t('unlock.hint')} value={pass} inputRef={input}
				onInput={setPass} onEnter={() => void open()} />
			<More title={t('unlock.forgot')}>
				<p>{t('unlock.forgot_text')}</p>
				<WipeButton onWiped={p.onWiped} />
			</More>
		</Page>
	);
}
