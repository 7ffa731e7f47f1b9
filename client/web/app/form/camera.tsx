/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * camera: a photograph taken in the page itself.  A telephone's own camera takes better ones,
 * and keeps a copy in the gallery, and perhaps in a cloud; of these there is none.  At a
 * laptop it is the only way to the camera.
 */
import type { JSX } from 'preact';
import { t } from '../i18n';
import { Banner, Button, Waiting } from '../ui';
import { useCamera } from '../ui/camera';

/* more than photo.ts keeps */
const WIDTH = 3840, HEIGHT = 2160;

export function Camera(p: { onPicture: (file: File) => void | Promise<unknown>; onClose: () => void }): JSX.Element {
	const { video, state } = useCamera(WIDTH, HEIGHT);
	const take = (): Promise<void> => new Promise((done) => {
		const v = video.current;
		const canvas = document.createElement('canvas');
		canvas.width = v?.videoWidth ?? 0;
		canvas.height = v?.videoHeight ?? 0;
		const c = canvas.getContext('2d', { alpha: false });
		if (!v || !c || canvas.width === 0) {
			done();
			return;
		}
		c.drawImage(v, 0, 0);
		canvas.toBlob((b) => {
			canvas.width = canvas.height = 0;
			if (b)
				void Promise.resolve(p.onPicture(new File([b], 'photo.png', { type: 'image/png' }))).finally(done);
			else
				done();
		}, 'image/png');
	});
	const refused = state === 'denied' || state === 'none' || state === 'failed';
	return (
		<div class="stack close">
			{refused
				? <Banner tone="warn" title={t(`scan.${state}`)}>{t('camera.other_way')}</Banner>
				: (
					<div class="viewfinder">
						{state === 'starting' && <Waiting text={t('scan.starting')} />}
						<video ref={video} muted playsInline aria-label={t('camera.view')} class={state === 'on' ? '' : 'sr-only'} />
					</div>
				)}
			{!refused && <Button kind="primary" wide icon="camera" disabled={state !== 'on'} onClick={take}>{t('camera.take')}</Button>}
			<Button wide icon="close" onClick={p.onClose}>{t('camera.stop')}</Button>
		</div>
	);
}
