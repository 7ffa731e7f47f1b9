/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Joining, first step: the invitation, from the camera, pasted, or from a link. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call } from '../core';
import { t } from '../i18n';
import { Banner, Button, Card, Field, More, Page, useFault } from '../ui';
import { hasCamera } from '../ui/camera';
import { Scanner } from './scanner';

/*
 * given       what was there before
 * from_link   it came with a link: it is looked at like a pasted one, and nothing else is offered first
 */
export function Invite(p: {
	given: string; from_link: boolean; kiosk: boolean; onBack?: () => void;
	onDone: (text: string, address: string) => void;
}): JSX.Element {
	const [text, setText] = useState(p.given);
	const [scanning, setScanning] = useState(false);
	/* of a link that was taken there is nothing to do but to go on */
	const [other, setOther] = useState(!p.from_link);
	const fault = useFault();
	const take = async (from: string): Promise<boolean> => {
		const read = await fault.try_('invite', () => call('invite_read', { text: from }));
		if (read)
			p.onDone(from, read.address);
		else
			setOther(true);
		return read !== undefined;
	};
	if (scanning)
		return (
			<Scanner onClose={() => setScanning(false)} onText={(found) => {
				setScanning(false);
				setText(found);
				void take(found);
			}} />
		);
	return (
		<Page title={t('invite.title')} onBack={p.onBack} focusKey={other ? 'other' : 'link'}
			foot={<Button kind="primary" disabled={text.trim() === ''} onClick={() => take(text)}>{t('common.next')}</Button>}>
			{other && <p>{t('invite.intro')}</p>}
			{fault.banner}
			{!other && (
				<>
					<Banner tone="info" title={t('invite.from_link')}>{t('invite.from_link_text')}</Banner>
					<div><Button kind="quiet" onClick={() => setOther(true)}>{t('invite.other')}</Button></div>
				</>
			)}
			{other && hasCamera() && (
				<Card tone="accent">
					<Button kind="primary" big wide icon="qr" onClick={() => setScanning(true)}>{t('invite.scan')}</Button>
					<p class="small">{t('invite.scan_hint')}</p>
				</Card>
			)}
			{other && (
				<>
					<Field label={t('invite.paste')} hint={t('invite.paste_hint')} value={text} lines={5} mono
						maxLength={1000} onInput={setText} />
					<More title={t('invite.none')}><p>{t('invite.none_text')}</p></More>
				</>
			)}
			{p.kiosk && <Banner tone="warn" title={t('kiosk.warning_title')}>{t('kiosk.warning')}</Banner>}
		</Page>
	);
}
