/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * place: one point, a way, or an area: measured by the device after its permission, or typed.
 * There is no map: its tiles would tell a stranger's server which street somebody looks at.
 */
import type { JSX } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { t, tn } from '../i18n';
import { Button, Fault, NO_HELP } from '../ui';
import { type Ask, useHold } from './widget';

type Trouble = 'denied' | 'not_found' | 'cannot';

/* "14.6349 -90.5069 1500 12.5": latitude, longitude, altitude, accuracy */
function locate(): Promise<string> {
	return new Promise((resolve, reject) => {
		if (!window.isSecureContext || !('geolocation' in navigator)) {
			reject('cannot' satisfies Trouble);
			return;
		}
		const round = (n: number, places: number): string => String(Number(n.toFixed(places)));
		navigator.geolocation.getCurrentPosition(
			(at) => resolve([round(at.coords.latitude, 6), round(at.coords.longitude, 6),
				round(at.coords.altitude ?? 0, 1), round(at.coords.accuracy, 1)].join(' ')),
			(e) => reject((e.code === 1 ? 'denied' : 'not_found') satisfies Trouble),
			{ enableHighAccuracy: true, timeout: 30000, maximumAge: 0 });
	});
}

/* "-90,5069" and "−90.5069" too; "" if it is no number between ± max */
function coordinate(text: string, max: number): string {
	const clean = text.trim().replace(/−/g, '-').replace(',', '.');
	return /^-?\d{1,3}(\.\d{1,12})?$/.test(clean) && Math.abs(Number(clean)) <= max ? clean : '';
}

function Locate(p: { label: string; onPlace: (place: string) => void }): JSX.Element {
	const [trouble, setTrouble] = useState<Trouble | null>(null);
	const [busy, setBusy] = useState(false);
	const here = useRef(true);
	useEffect(() => () => {
		here.current = false;
	}, []);
	return (
		<div class="stack close">
			<p class="field-hint">{t('place.why')}</p>
			<Button icon="flag" wide busy={busy} onClick={async () => {
				setTrouble(null);
				setBusy(true);
				try {
					const place = await locate();
					/* somebody may have gone on meanwhile: it is not another question's answer */
					if (here.current)
						p.onPlace(place);
				} catch (e) {
					setTrouble(e === 'denied' || e === 'cannot' ? e : 'not_found');
				} finally {
					setBusy(false);
				}
			}}>{busy ? t('place.searching') : p.label}</Button>
			<Fault text={trouble && t(`place.${trouble}`)} />
		</div>
	);
}

/* two numbers; onPlace gets "" until both are there and right */
function Typed(p: {
	ask: Ask; first: string; second: string;
	onPlace: (place: string, half: boolean) => void; onBlur?: () => void;
}): JSX.Element {
	const id = useId();
	const [lat, setLat] = useState(p.first);
	const [lon, setLon] = useState(p.second);
	const wrong = (lat.trim() !== '' && coordinate(lat, 90) === '') || (lon.trim() !== '' && coordinate(lon, 180) === '');
	const half = (lat.trim() === '') !== (lon.trim() === '');
	const set = (a: string, b: string): void => {
		setLat(a);
		setLon(b);
		const x = coordinate(a, 90), y = coordinate(b, 180);
		p.onPlace(x !== '' && y !== '' ? `${x} ${y}` : '', (a.trim() !== '' || b.trim() !== '') && (x === '' || y === ''));
	};
	const field = (name: 'lat' | 'lon', value: string, label: string, hint: string): JSX.Element => (
		<div class="field">
			<label class="field-label" for={`${id}-${name}`}>{label}</label>
			<input {...NO_HELP} id={`${id}-${name}`} class="input number" type="text" inputMode="text" maxLength={20}
				value={value} aria-describedby={`${id}-${name}-hint`} onBlur={p.onBlur}
				onInput={(e) => name === 'lat' ? set(e.currentTarget.value, lon) : set(lat, e.currentTarget.value)} />
			<p class="field-hint" id={`${id}-${name}-hint`}>{hint}</p>
		</div>
	);
	return (
		<div class="stack close" role="group" aria-labelledby={p.ask.labelledBy} aria-describedby={p.ask.describedBy}>
			<div class="place-fields">
				{field('lat', lat, t('place.latitude'), t('place.example_lat'))}
				{field('lon', lon, t('place.longitude'), t('place.example_lon'))}
			</div>
			{wrong ? <Fault text={t('place.not_real')} /> : half && <p class="field-hint">{t('place.half')}</p>}
		</div>
	);
}

export function PlaceWidget(p: Ask): JSX.Element {
	const [drawn, again] = useState(0);
	const [now, setNow] = useState(p.text);
	const [half, setHalf] = useState(false);
	useHold(p.filling, half ? async () => t('place.not_whole') : null);
	const [lat = '', lon = '', , accuracy = ''] = now.split(/\s+/);
	const set = (place: string): void => {
		setNow(place);
		p.type(place);
	};
	return (
		<div class="stack">
			<Typed key={drawn} ask={p} first={lat} second={lon} onBlur={() => void p.filling.flush()}
				onPlace={(place, is_half) => {
					setHalf(is_half);
					/* one number alone is no place: what was there before goes when both are gone */
					if (!is_half)
						set(place);
				}} />
			{Number(accuracy) > 0 && <p class="field-hint">{t('place.accuracy', { m: Math.round(Number(accuracy)) })}</p>}
			<Locate label={t('place.here')} onPlace={(place) => {
				setNow(place);
				setHalf(false);
				p.put(place);
				again(drawn + 1);
			}} />
		</div>
	);
}

/* A way (two points or more) or an area (three; its end is its beginning). */
export function TraceWidget(p: Ask): JSX.Element {
	const shape = p.step.type === 'shape';
	const least = shape ? 3 : 2;
	const [points, setPoints] = useState(() => {
		const all = p.text.split(';').map((s) => s.trim()).filter(Boolean);
		return shape && all.length > 1 && all[0] === all[all.length - 1] ? all.slice(0, -1) : all;
	});
	const [typed, setTyped] = useState('');
	const [drawn, again] = useState(0);
	useHold(p.filling, typed !== '' ? async () => t('trace.not_added')
		: points.length > 0 && points.length < least ? async () => t('trace.few', { n: least }) : null);
	const set = (now: string[]): void => {
		setPoints(now);
		if (now.length === 0)
			p.put('');
		else if (now.length >= least)
			p.put((shape ? [...now, now[0]] : now).join('; '));
		else if (p.text !== '')
			p.put('');
	};
	const short = (point: string): string => point.split(/\s+/).slice(0, 2).join(', ');
	return (
		<div class="stack">
			<p class="field-hint">{t(shape ? 'shape.hint' : 'trace.hint')}</p>
			<p role="status">{tn('trace.points', points.length)}
				{points.length < least && ` · ${t('trace.few', { n: least })}`}</p>
			{points.length > 0 && (
				<ol class="rank" aria-labelledby={p.labelledBy} aria-describedby={p.describedBy}>
					{points.map((point, i) => (
						<li key={i} class="rank-row">
							<span class="rank-number" aria-hidden="true">{i + 1}</span>
							<span class="rank-label">{short(point)}</span>
							<Button kind="quiet" icon="trash" label={t('trace.remove', { n: i + 1 })}
								onClick={() => set(points.filter((_, k) => k !== i))} />
						</li>
					))}
				</ol>
			)}
			<Locate label={t('trace.add_here')} onPlace={(point) => set([...points, point])} />
			<section class="stack close" aria-label={t('trace.add_typed')}>
				<h3 class="section-title">{t('trace.add_typed')}</h3>
				<Typed key={drawn} ask={p} first="" second="" onPlace={(point) => setTyped(point)} />
				<Button icon="plus" disabled={typed === ''} onClick={() => {
					set([...points, typed]);
					setTyped('');
					again(drawn + 1);
				}}>{t('trace.add')}</Button>
			</section>
		</div>
	);
}
