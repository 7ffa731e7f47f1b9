/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * photos: the files of a case.  Pictures are shown small and open large; everything else is
 * only offered as a file.  What is a picture, the core says by its first bytes.
 */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../core';
import { sizeText, t } from '../i18n';
import type { CaseAttachment, Media, RecordId } from '../ops';
import { Button, Dialog, Icon, Spinner, useFault } from '../ui';
import { blobUrl, dropUrl, saveFile } from './blobs';

export interface Photo { url: string; media: Media; name: string; size: number }
export type Photos = ReadonlyMap<string, Photo | null>;

export function isPicture(m: Media): boolean {
	return m.startsWith('image/');
}

/* All contents that are here, one after the other; null: it could not be read. */
export function usePhotos(record: RecordId, list: readonly CaseAttachment[]): Photos {
	const [photos, setPhotos] = useState<Photos>(new Map());
	const ids = list.filter((a) => a.here).map((a) => a.id).join();
	useEffect(() => {
		let over = false;
		const mine = new Map<string, Photo | null>();
		const load = async (): Promise<void> => {
			for (const id of ids === '' ? [] : [...new Set(ids.split(','))]) {
				let one: Photo | null = null;
				try {
					const b = await call('case_blob', { record, id });
					if (over)
						return;
					one = { url: blobUrl(b.bytes, b.media), media: b.media, name: b.name, size: b.bytes.length };
				} catch {
					one = null;
				}
				if (over)
					return;
				mine.set(id, one);
				setPhotos(new Map(mine));
			}
		};
		void load();
		return () => {
			over = true;
			for (const p of mine.values())
				if (p)
					dropUrl(p.url);
		};
	}, [record, ids]);
	return photos;
}

/* the question it answers and the file's name: three papers answer one question */
function whatIs(a: CaseAttachment): string {
	return a.label === '' ? a.name : `${a.label}: ${a.name}`;
}

/* One of them, as large as a thumb; for print as wide as the paper. */
export function Thumb(p: { a: CaseAttachment; photo: Photo | null | undefined; onOpen: () => void }): JSX.Element {
	const what = whatIs(p.a);
	if (!p.a.here)
		return <div class="thumb lack"><Icon name="clock" /><span>{what}</span><span class="row-detail">{t('photo.not_here')}</span></div>;
	if (p.photo === undefined)
		return <div class="thumb lack"><Spinner /><span class="sr-only">{t('common.wait')}</span></div>;
	if (p.photo === null)
		return <div class="thumb lack"><Icon name="warning" /><span>{t('photo.unreadable')}</span></div>;
	if (!isPicture(p.photo.media)) {
		return (
			<div class="thumb lack"><Icon name="file" /><span>{p.a.name}</span>
				<span class="row-detail">{t('photo.other', { size: sizeText(p.a.size) })}</span></div>
		);
	}
	return (
		<figure class="thumb">
			<button type="button" class="thumb-button" onClick={p.onOpen} aria-label={t('photo.open', { what })}>
				<img src={p.photo.url} alt={what} decoding="async" />
			</button>
			<figcaption>{what}{p.a.correction && <> · {t('photo.correction')}</>}</figcaption>
		</figure>
	);
}

const ZOOMS = [1, 1.5, 2, 3, 4, 6];

/* One picture as large as the screen, with the next and the one before. */
export function Viewer(p: {
	record: RecordId; list: readonly CaseAttachment[]; photos: Photos; at: string; onAt: (id: string) => void; onClose: () => void;
}): JSX.Element | null {
	const [zoom, setZoom] = useState(0);
	const pane = useRef<HTMLDivElement>(null);
	const drag = useRef<{ x: number; y: number } | null>(null);
	const i = p.list.findIndex((a) => a.id === p.at);
	const a = p.list[i];
	const photo = a ? p.photos.get(a.id) : null;
	useEffect(() => {
		setZoom(0);
		pane.current?.focus();
	}, [p.at]);
	if (!a || !photo)
		return null;
	const step = (by: number): void => {
		const to = p.list[i + by];
		if (to)
			p.onAt(to.id);
	};
	/* the middle stays in the middle */
	const zoomBy = (by: number): void => {
		const to = Math.min(Math.max(0, zoom + by), ZOOMS.length - 1);
		const d = pane.current;
		if (!d || to === zoom)
			return;
		const part = (ZOOMS[to] ?? 1) / (ZOOMS[zoom] ?? 1);
		const x = (d.scrollLeft + d.clientWidth / 2) * part - d.clientWidth / 2;
		const y = (d.scrollTop + d.clientHeight / 2) * part - d.clientHeight / 2;
		setZoom(to);
		requestAnimationFrame(() => d.scrollTo(x, y));
	};
	const what = whatIs(a);
	return (
		<Dialog wide title={what} onClose={p.onClose} actions={
			<>
				<Button icon="back" label={t('photo.before')} disabled={i === 0} onClick={() => step(-1)} />
				<Button icon="minus" label={t('photo.smaller')} disabled={zoom === 0} onClick={() => zoomBy(-1)} />
				<Button icon="plus" label={t('photo.larger')} disabled={zoom === ZOOMS.length - 1} onClick={() => zoomBy(1)} />
				<Button icon="next" label={t('photo.after')} disabled={i === p.list.length - 1} onClick={() => step(1)} />
				<SaveOne record={p.record} a={a} />
			</>
		}>
			{/* a scrolling picture is moved by the arrows: it takes the focus */}
			<div class={`viewer ${zoom > 0 ? 'large' : ''}`} ref={pane} tabIndex={0} role="group" aria-label={t('photo.pane', { what })}
				onKeyDown={(e) => {
					if (e.key === '+' || e.key === '=')
						zoomBy(1);
					else if (e.key === '-')
						zoomBy(-1);
					else if (zoom === 0 && e.key === 'ArrowRight')
						step(1);
					else if (zoom === 0 && e.key === 'ArrowLeft')
						step(-1);
				}}
				onDblClick={() => zoomBy(zoom === 0 ? 2 : -zoom)}
				onPointerDown={(e) => {
					if (e.pointerType === 'mouse')
						drag.current = { x: e.clientX, y: e.clientY };
				}}
				onPointerMove={(e) => {
					if (!drag.current)
						return;
					e.currentTarget.scrollBy(drag.current.x - e.clientX, drag.current.y - e.clientY);
					drag.current = { x: e.clientX, y: e.clientY };
				}}
				onPointerUp={() => {
					drag.current = null;
				}}
				onPointerLeave={() => {
					drag.current = null;
				}}>
				<img src={photo.url} alt={what} draggable={false} style={{ width: zoom === 0 ? undefined : `${(ZOOMS[zoom] ?? 1) * 100}%` }} />
			</div>
			<p class="small quiet-text">{sizeText(photo.size)} · {Math.round((ZOOMS[zoom] ?? 1) * 100)} %</p>
		</Dialog>
	);
}

/* As a file of its own, which from then on nothing protects: asked about first. */
export function SaveOne(p: { record: RecordId; a: CaseAttachment }): JSX.Element {
	const [ask, setAsk] = useState(false);
	const fault = useFault();
	return (
		<>
			<Button icon="save" onClick={() => setAsk(true)}>{t('photo.save')}</Button>
			{ask && (
				<Dialog title={t('photo.save_title')} onClose={() => setAsk(false)} actions={
					<>
						<Button kind="danger" onClick={() => fault.try_('case_blob', async () => {
							const b = await call('case_blob', { record: p.record, id: p.a.id });
							saveFile(b.name, [b.bytes], b.media);
							setAsk(false);
						})}>{t('photo.save_yes')}</Button>
						<Button onClick={() => setAsk(false)}>{t('common.cancel')}</Button>
					</>
				}>
					{fault.banner}
					<p>{t('export.warning')}</p>
				</Dialog>
			)}
		</>
	);
}
