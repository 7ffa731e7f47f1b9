// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * check: what the compiler does not see.
 *
 * - each sentence is there in both languages, with the same {names}, and differs unless it is
 *   in the list of those that are alike
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

for (const f of faults)
	console.error(`check.mjs: ${f}`);
console.log(`check: ${Object.keys(en).length} sentences in 2 languages, ${n_files} sources, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
