/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * dates: days and times.  The device's own field where it has one, since people know it;
 * three plain ones (day, month by its name, year) where it has none, or where the form asks
 * for a month or a year alone.
 */
import type { JSX, Ref, TargetedInputEvent } from 'preact';
import { useId, useMemo, useRef, useState } from 'preact/hooks';
import { dayWords, lang, t } from '../i18n';
import { Button, NO_HELP, Select } from '../ui';
import { type Ask, looks, named, useHold } from './widget';

function knows(type: string): boolean {
	const i = document.createElement('input');
	i.setAttribute('type', type);
	return i.type === type;
}
const HAS_DATE = knows('date');
const HAS_TIME = knows('time');

const two = (n: number): string => String(n).padStart(2, '0');

/* the day and the time on this device's clock */
export function localDay(at: Date = new Date()): string {
	return `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
function localTime(at: Date = new Date()): string {
	return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/* "2026-02-30" is none */
export function isDay(text: string): boolean {
	const d = new Date(`${text}T00:00:00Z`);
	return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(d.getTime()) && d.toISOString().slice(0, 10) === text;
}

/*
 * Day, month and year each by itself; "" until all are there.
 * what   0: the whole day, 1: month and year, 2: the year (the rest is the first of it)
 */
function DayParts(p: {
	value: string; onDay: (day: string, half: boolean) => void; what: 0 | 1 | 2; named: Record<string, string | boolean | undefined>;
}): JSX.Element {
	const id = useId();
	const [parts, setParts] = useState(() => {
		const [y = '', m = '', d = ''] = p.value.split('-');
		return { y, m, d };
	});
	const months = useMemo(() => Array.from({ length: 12 }, (_, i) => ({
		value: two(i + 1),
		label: new Intl.DateTimeFormat(lang() === 'es' ? 'es-MX' : 'en-US', { month: 'long', timeZone: 'UTC' })
			.format(new Date(Date.UTC(2000, i, 1))),
	})), [lang()]);
	const set = (change: Partial<typeof parts>): void => {
		const now = { ...parts, ...change };
		setParts(now);
		const m = p.what === 2 ? '01' : now.m, d = p.what > 0 ? '01' : two(Number(now.d) || 0);
		const day = /^\d{4}$/.test(now.y) && m !== '' && d !== '00' ? `${now.y}-${m}-${d}` : '';
		p.onDay(day, day === '' && now.y + now.m + now.d !== '');
	};
	const number = (key: 'y' | 'd', label: string, length: number): JSX.Element => (
		<div class={`field part-${key}`}>
			<label class="field-label" for={`${id}-${key}`}>{label}</label>
			<input {...NO_HELP} id={`${id}-${key}`} class="input number" type="text" inputMode="numeric"
				maxLength={length} value={parts[key]} aria-describedby={p.named['aria-describedby'] as string}
				onInput={(e) => set({ [key]: e.currentTarget.value.replace(/\D/g, '') })} />
		</div>
	);
	return (
		<div class="date-parts" role="group" aria-labelledby={p.named['aria-labelledby'] as string}>
			{p.what === 0 && number('d', t('date.day'), 2)}
			{p.what < 2 && (
				<div class="part-m">
					<Select label={t('date.month')} options={months} value={parts.m} empty="–"
						onChange={(m) => set({ m })} />
				</div>
			)}
			{number('y', t('date.year'), 4)}
		</div>
	);
}

/* One day; also before the questions of a form from paper.  max: "2026-11-24" */
export function DayField(p: {
	value: string; onDay: (day: string, half: boolean) => void; named: Record<string, string | boolean | undefined>;
	what?: 0 | 1 | 2; max?: string; onBlur?: () => void;
}): JSX.Element {
	if (!HAS_DATE || (p.what ?? 0) > 0)
		return <DayParts value={p.value} onDay={p.onDay} what={p.what ?? 0} named={p.named} />;
	/* the field writes 11/12 as the device is set, not as the page is: said in words */
	return (
		<div class="day-box">
			<input {...NO_HELP} {...p.named} class="input day" type="date" value={p.value} min="0001-01-01"
				max={p.max ?? '9999-12-31'} onInput={(e) => p.onDay(e.currentTarget.value, e.currentTarget.validity.badInput)} onBlur={p.onBlur} />
			<p class="day-words" role="status">{p.value === '' ? '' : dayWords(p.value)}</p>
		</div>
	);
}

/*
 * Half of a date or a time is no answer, and must not go unseen.  Returns the box to draw
 * around the fields, and how those that the browser does not look at itself tell of theirs.
 */
function useWhole(p: Ask): { box: Ref<HTMLDivElement>; half: { current: boolean } } {
	const box = useRef<HTMLDivElement>(null);
	const half = useRef(false);
	useHold(p.filling, async () => half.current
		|| [...box.current?.querySelectorAll('input') ?? []].some((i) => i.validity.badInput) ? t('date.not_whole') : '');
	return { box, half };
}

export function DateWidget(p: Ask): JSX.Element {
	const [day, setDay] = useState(p.text);
	const [drawn, again] = useState(0);
	const { box, half } = useWhole(p);
	const what = looks(p.step, 'year') ? 2 : looks(p.step, 'month-year') ? 1 : 0;
	const set = (to: string, whole: boolean): void => {
		setDay(to);
		if (whole)
			p.put(to);
		else
			p.type(to);
	};
	return (
		<div class="line" ref={box}>
			<DayField key={drawn} value={day} what={what} named={named(p)} onBlur={() => void p.filling.flush()}
				onDay={(d, is_half) => {
					half.current = is_half;
					set(d, false);
				}} />
			{what === 0 && (
				<Button onClick={() => {
					half.current = false;
					set(localDay(), true);
					again(drawn + 1);
				}}>{t('date.today')}</Button>
			)}
		</div>
	);
}

function TimeField(p: {
	value: string; onTime: (time: string) => void; named: Record<string, string | boolean | undefined>;
	onBlur?: () => void;
}): JSX.Element {
	const same = {
		...NO_HELP, ...p.named, class: 'input time', value: p.value, onBlur: p.onBlur,
		onInput: (e: TargetedInputEvent<HTMLInputElement>) => p.onTime(e.currentTarget.value),
	};
	return HAS_TIME ? <input {...same} type="time" /> : <input {...same} type="text" placeholder="09:30" />;
}

export function TimeWidget(p: Ask): JSX.Element {
	/* stored with seconds and the distance from UTC: "09:30:00.000-06:00" */
	const [time, setTime] = useState(p.text.slice(0, 5));
	const { box } = useWhole(p);
	const set = (to: string, whole: boolean): void => {
		setTime(to);
		if (whole)
			p.put(to);
		else
			p.type(to);
	};
	return (
		<div class="line" ref={box}>
			<TimeField value={time} named={named(p)} onTime={(x) => set(x, false)}
				onBlur={() => void p.filling.flush()} />
			<Button onClick={() => set(localTime(), true)}>{t('date.now')}</Button>
		</div>
	);
}

export function MomentWidget(p: Ask): JSX.Element {
	const id = useId();
	const [day, setDay] = useState(p.text.slice(0, 10));
	const [time, setTime] = useState(p.text.slice(11, 16));
	const [drawn, again] = useState(0);
	const set = (d: string, x: string): void => {
		setDay(d);
		setTime(x);
		if (d !== '' && x !== '')
			p.type(`${d}T${x}`);
		else if (d === '' && x === '')
			p.type('');
		else if (p.text !== '')
			/* one half was taken away: half a moment is no answer */
			p.type('');
	};
	const half = (day === '') !== (time === '');
	useHold(p.filling, half ? async () => t('date.half') : null);
	const flush = (): void => void p.filling.flush();
	const part = (name: string): Record<string, string | boolean | undefined> => ({
		...named(p), 'aria-labelledby': `${p.labelledBy} ${id}-${name}`,
		'aria-describedby': [p.describedBy ?? '', half ? `${id}-half` : ''].filter(Boolean).join(' ') || undefined,
	});
	return (
		<div class="stack close">
			<div class="line">
				<div class="field">
					<span class="field-label" id={`${id}-d`}>{t('date.date')}</span>
					<DayField key={drawn} value={day} named={part('d')} onDay={(d) => set(d, time)} onBlur={flush} />
				</div>
				<div class="field">
					<span class="field-label" id={`${id}-t`}>{t('date.time')}</span>
					<TimeField value={time} named={part('t')} onTime={(x) => set(day, x)} onBlur={flush} />
				</div>
			</div>
			<div>
				<Button onClick={() => {
					set(localDay(), localTime());
					again(drawn + 1);
					flush();
				}}>{t('date.now')}</Button>
			</div>
			{half && <p class="field-hint" id={`${id}-half`}>{t('date.half')}</p>}
		</div>
	);
}
