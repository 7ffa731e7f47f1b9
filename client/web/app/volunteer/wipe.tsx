/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Wiping the device: asked twice, because what no server has is lost with it. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { boot, wipe } from '../core';
import { t, tn } from '../i18n';
import { forgetPrefs } from '../prefs';
import { closeSession, useSession } from '../session';
import { Banner, Button, Dialog, Field, useFault } from '../ui';

export function WipeButton(p: { onWiped: () => void }): JSX.Element {
	const [asking, setAsking] = useState(false);
	const [typed, setTyped] = useState('');
	const { outbox, drafts } = useSession();
	const fault = useFault();
	const close = (): void => {
		setAsking(false);
		setTyped('');
	};
	const word = t('wipe.word');
	const right = typed.trim().toLocaleUpperCase() === word;
	const go = async (): Promise<void> => {
		const done = await fault.try_('wipe', async () => {
			await wipe();
			await boot();
			forgetPrefs();
			await forgetWorker();
			closeSession();
			return true;
		});
		if (done) {
			close();
			p.onWiped();
		}
	};
	return (
		<>
			<Button kind="quiet" class="quiet-danger" icon="trash" onClick={() => setAsking(true)}>{t('wipe.button')}</Button>
			{asking && (
				<Dialog title={t('wipe.title')} onClose={close} actions={
					<>
						<Button kind="danger" disabled={!right} onClick={go}>{t('wipe.yes')}</Button>
						<Button onClick={close}>{t('common.cancel')}</Button>
					</>
				}>
					{fault.banner}
					<p>{t('wipe.text')}</p>
					{outbox && outbox.waiting > 0 && <Banner tone="bad" title={tn('wipe.waiting', outbox.waiting)} />}
					{drafts.length > 0 && <Banner tone="warn" title={tn('wipe.drafts', drafts.length)} />}
					<Field label={t('wipe.type', { word })} value={typed} onInput={setTyped}
						onEnter={() => {
							if (right)
								void go();
						}} capitalize="characters" maxLength={20} />
				</Dialog>
			)}
		</>
	);
}

/* the installed page's service worker too (wipe() has deleted its copies) */
async function forgetWorker(): Promise<void> {
	const worker = (navigator as Partial<Navigator>).serviceWorker;
	if (worker) {
		for (const r of await worker.getRegistrations().catch(() => []))
			await r.unregister();
	}
}
