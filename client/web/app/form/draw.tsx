/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * draw: a signature or a drawing by finger, pen or mouse.  Black on white whatever the
 * page's colours are, since it is printed.  Who cannot draw can photograph a paper: the
 * question offers that beside it.
 */
import type { JSX, TargetedPointerEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n';
import { Button } from '../ui';
import type { Filling } from './filling';
import { useHold } from './widget';

type Stroke = { x: number; y: number }[];

const WIDTH = 900, HEIGHT = 420;

function paint(canvas: HTMLCanvasElement, strokes: readonly Stroke[]): void {
	const c = canvas.getContext('2d');
	if (!c)
		return;
	c.fillStyle = '#ffffff';
	c.fillRect(0, 0, WIDTH, HEIGHT);
	c.strokeStyle = c.fillStyle = '#101010';
	c.lineWidth = 5;
	c.lineCap = c.lineJoin = 'round';
	for (const s of strokes) {
		const first = s[0];
		if (!first)
			continue;
		c.beginPath();
		c.moveTo(first.x, first.y);
		/* a line to itself: a dot is drawn as one */
		for (const at of s)
			c.lineTo(at.x, at.y);
		c.stroke();
	}
}

/*
 * label    the id of the question's label
 * onKeep   false: it could not be kept, and the reason is on the screen
 * Whoever goes on without "Keep it" has signed all the same: it is kept then.
 */
export function DrawPad(p: { filling: Filling; label: string; onKeep: (file: File) => Promise<boolean> }): JSX.Element {
	const canvas = useRef<HTMLCanvasElement>(null);
	const strokes = useRef<Stroke[]>([]);
	const [n, setN] = useState(0);
	const pen = useRef<number | null>(null);
	useEffect(() => {
		if (canvas.current)
			paint(canvas.current, strokes.current);
	}, []);
	const keep = (): Promise<boolean> => new Promise((resolve) => {
		if (!canvas.current)
			resolve(true);
		canvas.current?.toBlob((b) => resolve(b !== null
			&& p.onKeep(new File([b], 'drawing.png', { type: 'image/png' }))), 'image/png');
	});
	useHold(p.filling, n === 0 ? null : async () => await keep() ? '' : t('draw.not_kept'));
	const point = (e: TargetedPointerEvent<HTMLCanvasElement>): { x: number; y: number } => {
		const box = e.currentTarget.getBoundingClientRect();
		return { x: (e.clientX - box.left) * WIDTH / box.width, y: (e.clientY - box.top) * HEIGHT / box.height };
	};
	const redraw = (): void => {
		setN(strokes.current.length);
		if (canvas.current)
			paint(canvas.current, strokes.current);
	};
	return (
		<div class="stack close">
			<p class="field-hint">{t('draw.hint')}</p>
			<canvas ref={canvas} class="pad" width={WIDTH} height={HEIGHT} role="img"
				aria-label={t('draw.area')} aria-describedby={p.label}
				onPointerDown={(e) => {
					if (pen.current !== null)
						return;
					pen.current = e.pointerId;
					e.currentTarget.setPointerCapture(e.pointerId);
					strokes.current.push([point(e)]);
					redraw();
				}}
				onPointerMove={(e) => {
					if (e.pointerId !== pen.current)
						return;
					strokes.current[strokes.current.length - 1]?.push(point(e));
					if (canvas.current)
						paint(canvas.current, strokes.current);
				}}
				onPointerUp={() => {
					pen.current = null;
				}}
				onPointerCancel={() => {
					pen.current = null;
				}} />
			<div class="line">
				<Button icon="back" disabled={n === 0} onClick={() => {
					strokes.current.pop();
					redraw();
				}}>{t('draw.undo')}</Button>
				<Button kind="primary" icon="check" disabled={n === 0} onClick={keep}>{t('draw.keep')}</Button>
			</div>
		</div>
	);
}
