/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * scanner: an invitation's square code before the camera.  Each picture is looked at on this
 * device by the page's own decoder and forgotten; nothing is recorded.  The browser's own
 * detector is not used: on many phones it is a service of somebody else.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import decodeQR from 'qr/decode.js';
import { t } from '../i18n';
import { Banner, Button, Page, say, Waiting } from '../ui';
import { useCamera } from '../ui/camera';

/* between two pictures: a phone's processor is to do other things too */
const PAUSE_MS = 120;
/* the longer side of a picture as it is looked at */
const LOOK_PX = 960;
/* an invitation has at most 220 characters; other codes are no reason to stop */
const LONGEST = 1000;

/* What a picture says; '' for nothing. */
export function readPicture(picture: ImageData): string {
	try {
		return decodeQR({ width: picture.width, height: picture.height, data: picture.data }).slice(0, LONGEST);
	} catch {
		return '';
	}
}

export function Scanner(p: { onText: (text: string) => void; onClose: () => void }): JSX.Element {
	const { video, state } = useCamera(1280, 960);
	const [other, setOther] = useState(false);
	useEffect(() => {
		if (state !== 'on')
			return undefined;
		let timer = 0;
		const canvas = document.createElement('canvas');
		const look = (): void => {
			const v = video.current;
			if (!v)
				return;
			if (v.readyState >= v.HAVE_CURRENT_DATA && v.videoWidth > 0) {
				const scale = Math.min(1, LOOK_PX / Math.max(v.videoWidth, v.videoHeight));
				canvas.width = Math.round(v.videoWidth * scale);
				canvas.height = Math.round(v.videoHeight * scale);
				const ctx = canvas.getContext('2d', { willReadFrequently: true });
				if (ctx) {
					ctx.drawImage(v, 0, 0, canvas.width, canvas.height);
					const text = readPicture(ctx.getImageData(0, 0, canvas.width, canvas.height));
					if (/amparo:/i.test(text)) {
						say(t('scan.found'));
						p.onText(text);
						return;
					}
					if (text !== '')
						setOther(true);
				}
			}
			timer = window.setTimeout(look, PAUSE_MS);
		};
		look();
		return () => {
			window.clearTimeout(timer);
			canvas.width = canvas.height = 0;
		};
	}, [state]);
	const refused = state === 'denied' || state === 'none' || state === 'failed';
	return (
		<Page title={t('scan.title')} onBack={p.onClose}
			foot={<Button onClick={p.onClose}>{t('scan.type_instead')}</Button>}>
			{refused
				? <Banner tone="warn" title={t(`scan.${state}`)}>{t('scan.other_way')}</Banner>
				: (
					<>
						<p role="status">{other ? t('scan.other_code') : t('scan.hold')}</p>
						<div class="viewfinder">
							{state === 'starting' && <Waiting text={t('scan.starting')} />}
							<video ref={video} muted playsInline aria-label={t('scan.title')}
								class={state === 'on' ? '' : 'sr-only'} />
							{state === 'on' && <span class="viewfinder-frame" aria-hidden="true" />}
						</div>
						<p class="small quiet-text">{t('scan.private')}</p>
					</>
				)}
		</Page>
	);
}
