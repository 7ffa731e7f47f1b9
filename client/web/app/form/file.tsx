/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * file: a photograph of a paper, a drawing, or another file as the answer.
 *
 * A picture is made small here (photo.ts).  Of other files nothing can be made smaller, so a
 * larger one is refused with a sentence that says so.
 */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call } from '../core';
import { sizeText, t } from '../i18n';
import type { FileInfo } from '../ops';
import { Button, Confirm, Dialog, ErrorBanner, Fault, FileButton } from '../ui';
import { hasCamera } from '../ui/camera';
import { Camera } from './camera';
import { DrawPad } from './draw';
import type { Filling } from './filling';
import { PhotoError, shrink } from './photo';
import { type Ask, looks } from './widget';

/* before the organisation's list is known; PROTOCOL: at most 256 KiB are ever allowed */
const BOUND = 256 * 1024;

let bound = 0;
async function attachmentBound(filling: Filling): Promise<number> {
	if (bound === 0)
		bound = await filling.ask(() => call('me', {})).then((m) => m.attachment_bytes, () => 0);
	return bound === 0 ? BOUND : Math.min(bound, BOUND);
}

/* a telephone's: what <input capture> opens; elsewhere that is no more than a choice of files */
export function hasOwnCamera(): boolean {
	return window.matchMedia('(pointer: coarse)').matches;
}

export class FileRefused extends Error {}

function isPicture(file: File): boolean {
	return file.type.startsWith('image/') || /\.(jpe?g|png|webp|gif|bmp|heic|heif|avif)$/i.test(file.name);
}

/*
 * Make a chosen file ready and attach it.
 * media   what the form asks for, "image/*"; "" for any (a scan: pictures and PDF)
 */
export async function attachFile(filling: Filling, path: string, file: File, media: string):
Promise<{ file: FileInfo; width: number; height: number }> {
	const max = await attachmentBound(filling);
	const kind = media.split('/')[0] ?? '';
	if (file.size === 0)
		throw new FileRefused(t('file.empty'));
	/* whatever else the question would take: a picture is never kept as the camera wrote it */
	if (isPicture(file) && kind !== 'audio' && kind !== 'video') {
		try {
			const photo = await shrink(file, max);
			const r = await filling.attach('photo.jpg', photo.bytes, path);
			return { file: r.file, width: photo.width, height: photo.height };
		} catch (e) {
			if (e instanceof PhotoError)
				throw new FileRefused(t(`file.${e.what}`));
			throw e;
		}
	}
	if (kind === 'image' || (kind === 'audio' && file.type !== '' && !file.type.startsWith('audio/')) ||
	    (kind === 'video' && file.type !== '' && !file.type.startsWith('video/')))
		throw new FileRefused(t('file.no_kind'));
	if (file.size > max)
		throw new FileRefused(t('file.too_large', { size: sizeText(file.size), max: sizeText(max) }));
	const r = await filling.attach(file.name.slice(-64), new Uint8Array(await file.arrayBuffer()), path);
	return { file: r.file, width: 0, height: 0 };
}

/* An attachment as an address for <img>; "" while it is fetched, null if it is no picture. */
export function usePicture(filling: Filling, name: string): { url: string | null; error: unknown } {
	const [url, setUrl] = useState<string | null>('');
	const [error, setError] = useState<unknown>(null);
	useEffect(() => {
		let mine: string | null = null, over = false;
		setUrl('');
		setError(null);
		filling.ask(() => call('fill_file', { name })).then((f) => {
			if (over)
				return;
			if (!f.media.startsWith('image/')) {
				setUrl(null);
				return;
			}
			mine = URL.createObjectURL(new Blob([f.bytes as BlobPart], { type: f.media }));
			setUrl(mine);
		}, (e: unknown) => {
			if (over)
				return;
			setUrl(null);
			setError(e);
		});
		return () => {
			over = true;
			if (mine)
				URL.revokeObjectURL(mine);
		};
	}, [name]);
	return { url, error };
}

export function Picture(p: { filling: Filling; file: FileInfo; alt: string; small?: boolean }): JSX.Element | null {
	const { url, error } = usePicture(p.filling, p.file.name);
	const [large, setLarge] = useState(false);
	if (error)
		return <Fault text={t('file.gone')} />;
	if (url === null)
		return null;
	if (url === '')
		return <div class={`picture waits ${p.small ? 'small' : ''}`} />;
	return (
		<>
			<button type="button" class={`picture ${p.small ? 'small' : ''}`} onClick={() => setLarge(true)}
				aria-label={`${p.alt}: ${t('file.look')}`}>
				<img src={url} alt="" />
			</button>
			{large && (
				<Dialog wide title={t('file.look')} onClose={() => setLarge(false)}>
					<div class="picture-large" tabIndex={0} role="group" aria-label={p.alt}><img src={url} alt={p.alt} /></div>
				</Dialog>
			)}
		</>
	);
}

export function FileWidget(p: Ask): JSX.Element {
	const [busy, setBusy] = useState<'' | 'shrinking' | 'storing'>('');
	const [refused, setRefused] = useState('');
	const [error, setError] = useState<unknown>(null);
	const [shape, setShape] = useState<{ name: string; width: number; height: number } | null>(null);
	const [asks, setAsks] = useState(false);
	const [pad, setPad] = useState(false);
	const [live, setLive] = useState(false);
	const { step, filling } = p;
	const image = step.media.startsWith('image/');
	const draws = image && looks(step, 'signature', 'draw');
	const take = async (files: File[]): Promise<boolean> => {
		const file = files[0];
		if (!file)
			return false;
		setRefused('');
		setError(null);
		setBusy(isPicture(file) ? 'shrinking' : 'storing');
		try {
			const r = await attachFile(filling, step.path, file, step.media);
			setShape({ name: r.file.name, width: r.width, height: r.height });
			setPad(false);
			setLive(false);
			return true;
		} catch (e) {
			if (e instanceof FileRefused)
				setRefused(e.message);
			else if ((e as { code?: string }).code === 'range' && (e as { why?: string }).why)
				setRefused((e as { why: string }).why);
			else
				setError(e);
			return false;
		} finally {
			setBusy('');
		}
	};
	const file = step.file;
	const again = file !== null;
	const buttons = (
		<div class="stack close">
			{draws && <Button kind={again ? 'plain' : 'primary'} wide icon="edit" onClick={() => setPad(true)}>
				{t(again ? 'draw.again' : looks(step, 'signature') ? 'draw.sign' : 'draw.begin')}</Button>}
			{image && !draws && hasOwnCamera() && (
				<FileButton camera wide icon="camera" accept="image/*" kind={again ? 'plain' : 'primary'} onFiles={take}
					disabled={busy !== ''}>{t(again ? 'file.again' : 'file.camera')}</FileButton>
			)}
			{image && !draws && hasCamera() && !live && (
				<Button wide icon="camera" kind={again || hasOwnCamera() ? 'plain' : 'primary'} disabled={busy !== ''}
					onClick={() => setLive(true)}>{t(hasOwnCamera() ? 'camera.here' : again ? 'file.again' : 'file.camera')}</Button>
			)}
			<FileButton wide icon={image ? 'photo' : 'file'} accept={step.media || undefined} onFiles={take}
				disabled={busy !== ''}>
				{t(image ? again ? 'file.other' : 'file.choose_picture' : again ? 'file.other' : 'file.choose')}
			</FileButton>
		</div>
	);
	return (
		<div class="stack" role="group" aria-labelledby={p.labelledBy} aria-describedby={p.describedBy}>
			{image && !draws && !again && <p class="field-hint">{t('file.hint_document')}</p>}
			{!image && !again && <p class="field-hint">{t('file.raw')}</p>}
			<ErrorBanner error={error} op="fill_attach" />
			<Fault text={refused || null} />
			{busy !== '' && <p role="status" class="line"><span class="spinner" aria-hidden="true" />{t(`file.${busy}`)}</p>}
			{pad && <div class={busy === '' ? '' : 'sr-only'}><DrawPad filling={filling} label={p.labelledBy} onKeep={(f) => take([f])} /></div>}
			{live && busy === '' && <Camera onPicture={(f) => take([f])} onClose={() => setLive(false)} />}
			{file && busy === '' && !pad && !live && (
				<figure class="kept">
					<Picture key={file.name} filling={filling} file={file}
						alt={t(draws ? 'file.alt_signature' : 'file.alt')} />
					<figcaption class="field-hint">
						{shape && shape.name === file.name && shape.width > 0
							? t('file.shrunk', { width: shape.width, height: shape.height, size: sizeText(file.size) })
							: `${image ? '' : `${file.name}: `}${t('file.kept', { size: sizeText(file.size) })}`}
					</figcaption>
				</figure>
			)}
			{buttons}
			{file && (
				<div>
					<Button kind="quiet" icon="trash" onClick={() => setAsks(true)}>{t('file.remove')}</Button>
				</div>
			)}
			{asks && (
				<Confirm danger title={t('file.remove_title')} yes={t('file.remove')} onNo={() => setAsks(false)}
					onYes={async () => {
						await filling.put('');
						setAsks(false);
						setShape(null);
					}}>{t('file.remove_text')}</Confirm>
			)}
		</div>
	);
}
