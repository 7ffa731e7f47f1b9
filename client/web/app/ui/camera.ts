/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * camera: the device's camera on the screen, for a code (volunteer/scanner.tsx) and for a
 * photograph that no gallery keeps (form/camera.tsx).  It is on while the screen that asked
 * for it is there, and not a moment longer; nothing is recorded.
 */
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/* denied: the browser does not allow it; none: there is no camera; failed: it cannot be used now */
export type CameraState = 'starting' | 'on' | 'denied' | 'none' | 'failed';

export function hasCamera(): boolean {
	return typeof navigator !== 'undefined' && navigator.mediaDevices !== undefined
		&& typeof navigator.mediaDevices.getUserMedia === 'function';
}

function refusal(e: unknown): CameraState {
	const name = e instanceof DOMException ? e.name : '';
	if (name === 'NotAllowedError' || name === 'SecurityError')
		return 'denied';
	return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'none' : 'failed';
}

/* width, height: as large as is wished; the browser gives what comes next to it */
export function useCamera(width: number, height: number): { video: RefObject<HTMLVideoElement | null>; state: CameraState } {
	const video = useRef<HTMLVideoElement>(null);
	const [state, setState] = useState<CameraState>('starting');
	useEffect(() => {
		let ended = false;
		let stream: MediaStream | null = null;
		const stop = (): void => {
			for (const track of stream?.getTracks() ?? [])
				track.stop();
		};
		navigator.mediaDevices.getUserMedia({
			audio: false,
			video: { facingMode: { ideal: 'environment' }, width: { ideal: width }, height: { ideal: height } },
		}).then(async (s) => {
			stream = s;
			if (ended || !video.current) {
				stop();
				return;
			}
			video.current.srcObject = s;
			await video.current.play();
			setState('on');
		}).catch((e: unknown) => {
			stop();
			if (!ended)
				setState(refusal(e));
		});
		const shown = video.current;
		return () => {
			ended = true;
			stop();
			if (shown)
				shown.srcObject = null;
		};
	}, []);
	return { video, state };
}
