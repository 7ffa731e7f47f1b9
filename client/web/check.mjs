// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * check: what the compiler does not see.
 *
 * - each sentence is there in both languages, with the same {names}, and differs unless it is
 *   in the list of those that are alike
 * - text and edges stand out from their grounds, by day and by night, as tokens.css promises
 * - no source uses what the page's policy is there to forbid: HTML from texts, eval, requests
 * - each source says its licence
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const faults = [];

async function sentences(file, name) {
	const made = await build({ entryPoints: [join(here, file)], bundle: true, format: 'esm', write: false });
	const url = 'data:text/javascript;base64,' + Buffer.from(made.outputFiles[0].text).toString('base64');
	return (await import(url))[name];
}

const en = await sentences('app/i18n/en.ts', 'en');
const es = await sentences('app/i18n/es.ts', 'es');
const holes = (s) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();
/* what is the same word in both languages */
const ALIKE = new Set(['No', 'Amparo', 'Error', 'Normal', 'Total', '{n}', '{a} – {b}', '{a}: {b}']);
for (const key of new Set([...Object.keys(en), ...Object.keys(es)])) {
	const a = en[key], b = es[key];
	if (a === undefined || b === undefined)
		faults.push(`${key}: missing in ${a === undefined ? 'English' : 'Spanish'}`);
	else if (a.trim() === '' || b.trim() === '')
		faults.push(`${key}: empty`);
	else if (holes(a) !== holes(b))
		faults.push(`${key}: {${holes(a)}} in English, {${holes(b)}} in Spanish`);
	else if (a === b && !ALIKE.has(a))
		faults.push(`${key}: not translated: ${a}`);
	if (key.endsWith('.one') && !(key.replace(/one$/, 'other') in en))
		faults.push(`${key}: has no .other`);
}

const FORBIDDEN = [
	[/\.innerHTML|\.outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write/, 'HTML from a text'],
	[/\beval\(|new Function\(/, 'script from a text'],
	[/\bXMLHttpRequest\b|\bsendBeacon\b|\bEventSource\b|\bRTCPeerConnection\b/, 'a request'],
	[/\bconsole\.(log|debug|info)\b/, 'the console, which keeps what it is told'],
	[/sessionStorage|document\.cookie/, 'storage that is not sealed'],
];
/* the only places that may */
const MAY = { 'app/sw.ts': /\bfetch\(/, 'app/prefs.ts': /localStorage/ };
let n_files = 0;
for (const entry of readdirSync(join(here, 'app'), { recursive: true })) {
	const name = join('app', String(entry));
	if (!/\.(tsx?|css)$/.test(name))
		continue;
	n_files++;
	const text = readFileSync(join(here, name), 'utf8');
	if (!text.slice(0, 200).includes('SPDX-License-Identifier: AGPL-3.0-or-later'))
		faults.push(`${name}: does not say its licence`);
	for (const [pattern, what] of FORBIDDEN) {
		if (pattern.test(text))
			faults.push(`${name}: ${what}`);
	}
	if (/\bfetch\(/.test(text) && !MAY[name]?.source.includes('fetch'))
		faults.push(`${name}: a request`);
	if (/localStorage/.test(text) && !MAY[name]?.source.includes('localStorage'))
		faults.push(`${name}: storage that is not sealed`);
}

/* ---- contrast, as WCAG 2.2 measures it ---- */

const tokens = readFileSync(join(here, 'app/ui/tokens.css'), 'utf8');
const colours = new Map([...tokens.matchAll(/(--[\w-]+): var\(--day, (#\w{6})\) var\(--night, (#\w{6})\)/g)]
	.map(([, name, day, night]) => [name, [day, night]]));
/* relative luminance of "#rrggbb" */
function light(colour) {
	const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)
		.map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a, b) {
	const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
	return (x + 0.05) / (y + 0.05);
}
if (contrast('#000000', '#ffffff').toFixed(2) !== '21.00' || contrast('#777777', '#ffffff').toFixed(2) !== '4.48')
	faults.push('check.mjs: contrast is measured wrongly');
const GROUNDS = ['--ground', '--surface', '--surface-2'];
const SOFT = ['--accent-soft', '--good-soft', '--warn-soft', '--bad-soft'];
/* what stands on what, and at least how far apart */
const PAIRS = [
	[['--text'], [...GROUNDS, ...SOFT], 7],
	[['--text-2'], [...GROUNDS, '--accent-soft'], 4.5],
	[['--accent', '--good', '--warn', '--bad'], GROUNDS, 4.5],
	[['--accent'], ['--accent-soft'], 4.5], [['--good'], ['--good-soft'], 4.5],
	[['--warn'], ['--warn-soft'], 4.5], [['--bad'], ['--bad-soft'], 4.5],
	[['--on-accent'], ['--accent', '--accent-hover'], 4.5],
	[['--on-bad'], ['--bad', '--bad-hover'], 4.5],
	[['--edge-strong', '--focus'], GROUNDS, 3],
];
let least = Infinity, n_pairs = 0;
for (const [fronts, grounds, wanted] of PAIRS) {
	for (const [front, ground] of fronts.flatMap((f) => grounds.map((g) => [f, g]))) {
		for (const when of [0, 1]) {
			const a = colours.get(front)?.[when], b = colours.get(ground)?.[when];
			const got = a && b ? contrast(a, b) : 0;
			n_pairs++;
			least = Math.min(least, got / wanted);
			if (got < wanted)
				faults.push(`tokens.css: ${front} on ${ground} by ${when ? 'night' : 'day'}: ${got.toFixed(2)} : 1, at least ${wanted} : 1 is wanted`);
		}
	}
}

for (const f of faults)
	console.error(`check.mjs: ${f}`);
console.log(`check: ${Object.keys(en).length} sentences in 2 languages, ${n_files} sources, ${n_pairs} pairs of colours (the closest has ${least.toFixed(2)} of the contrast it needs), ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
