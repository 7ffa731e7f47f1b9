/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * icon: small drawings, inside the page as everything else.  They take the colour of the
 * text beside them and are never the only sign of anything: a word stands next to each, or
 * the button that holds one has a label.
 */
import type { JSX } from 'preact';

/* paths in a square of 24, drawn with a stroke of 2 */
const DRAWINGS = {
	back: 'M15 5l-7 7 7 7',
	next: 'M9 5l7 7-7 7',
	down: 'M5 9l7 7 7-7',
	up: 'M5 15l7-7 7 7',
	plus: 'M12 5v14M5 12h14',
	minus: 'M5 12h14',
	check: 'M5 12.5l4.5 4.5L19 7',
	close: 'M6 6l12 12M18 6L6 18',
	warning: 'M12 4L2.5 20h19zM12 10v4M12 17v.5',
	info: 'M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v5M12 7.5v.5',
	lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 017 0v3',
	unlock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 016.8-1.2',
	exit: 'M14 4h5v16h-5M4 12h10M10 8l4 4-4 4',
	settings: 'M4 7h9M17 7h3M4 12h3M11 12h9M4 17h7M15 17h5M15 5v4M9 10v4M13 15v4',
	send: 'M4 12l16-8-6 16-3-6.5z',
	save: 'M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14',
	camera: 'M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 10.5a3 3 0 100 6 3 3 0 000-6z',
	photo: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.5',
	file: 'M6 3h8l4 4v14H6zM14 3v4h4',
	form: 'M6 3h12v18H6zM9 8h6M9 12h6M9 16h4',
	edit: 'M5 19l1-4L16 5l3 3L9 18z',
	trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
	search: 'M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.5 15.5L20 20',
	person: 'M12 4a4 4 0 100 8 4 4 0 000-8zM4.5 20c1-4.5 4-6 7.5-6s6.5 1.500 7.5 6',
	people: 'M9 5a3.500 3.500 0 100 7 3.500 3.500 0 000-7zM2.500 19c.8-4 3.200-5.200 6.500-5.200s5.700 1.200 6.500 5.200M16 5.500a3.500 3.500 0 010 6.500M18 14.300c2 .7 3.100 2.200 3.500 4.700',
	phone: 'M7 3h10v18H7zM11 18h2',
	print: 'M7 9V3h10v6M7 17H4V9h16v8h-3M7 14h10v7H7z',
	sync: 'M5 12a7 7 0 0112-5l2 2M19 4v5h-5M19 12a7 7 0 01-12 5l-2-2M5 20v-5h5',
	flag: 'M6 21V4h11l-2 4 2 4H6',
	clock: 'M12 3.500a8.500 8.500 0 100 17 8.500 8.500 0 000-17zM12 8v4.500l3 2',
	star: 'M12 4l2.400 5.200 5.600.7-4.100 3.900 1.100 5.600L12 16.600 7 19.400l1.100-5.600L4 9.900l5.600-.7z',
	note: 'M5 4h14v12l-4 4H5zM15 20v-4h4M8.500 9h7M8.500 13h4',
	eye: 'M2.500 12C5 7.500 8.500 5.500 12 5.500s7 2 9.500 6.500c-2.500 4.500-6 6.500-9.500 6.500s-7-2-9.500-6.500zM12 9.500a2.500 2.500 0 100 5 2.500 2.500 0 000-5z',
	globe: 'M12 3.500a8.500 8.500 0 100 17 8.500 8.500 0 000-17zM3.500 12h17M12 3.500c-5 5-5 12 0 17M12 3.500c5 5 5 12 0 17',
	sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 2.500V5M12 19v2.500M2.500 12H5M19 12h2.500M5.300 5.300L7 7M17 17l1.700 1.700M18.700 5.300L17 7M7 17l-1.700 1.700',
	home: 'M4 11l8-7 8 7M6 10v10h12V10M10 20v-6h4v6',
	tablet: 'M5 3h14v18H5zM11 18h2',
	qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM14 19v1M19 14h1',
	link: 'M10 14a4 4 0 005.700 0l3-3a4 4 0 00-5.700-5.700l-1 1M14 10a4 4 0 00-5.700 0l-3 3a4 4 0 005.700 5.700l1-1',
} as const;

export type IconName = keyof typeof DRAWINGS;

export function Icon(p: { name: IconName; size?: number; class?: string }): JSX.Element {
	const size = p.size ?? 24;
	return (
		<svg class={`icon ${p.class ?? ''}`} width={size} height={size} viewBox="0 0 24 24"
			aria-hidden="true" focusable="false">
			<path d={DRAWINGS[p.name]} fill="none" stroke="currentColor" stroke-width="2"
				stroke-linecap="round" stroke-linejoin="round" />
		</svg>
	);
}
