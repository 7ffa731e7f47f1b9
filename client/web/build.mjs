// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * build: one HTML file that holds everything, and beside it what an installed page needs.
 *
 *	node build.mjs [--out FOLDER] [--wasm FILE] [--version V]
 *
 * amparo.html   the program: script, style, worker and wasm inside; works from file:// too
 * sw.js, manifest.webmanifest, icon-*.png, icon.svg   for a static HTTPS host
 *
 * The same sources give the same bytes: no clock, no path and no random name gets in.  The
 * page's policy (CSP) names the SHA-256 of its one script and one style, so nothing else
 * runs, and nothing is fetched: connections are WebSockets only.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { icon_png, icon_svg } from './icons.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const args = { out: '../../build/web', wasm: '../../build/web/amparo.wasm', version: '0.1.0' };
for (let i = 2; i < process.argv.length; i += 2) {
	const name = process.argv[i].replace(/^--/, '');
	if (!(name in args) || process.argv[i + 1] === undefined) {
		console.error(`build.mjs: what is ${process.argv[i]}?`);
		process.exit(2);
	}
	args[name] = process.argv[i + 1];
}
const out = resolve(here, args.out);

function sha256(data, form) {
	return createHash('sha256').update(data).digest(form);
}

/* what every bundle has in common: as old a browser as ES2020 with BigInt */
const common = {
	absWorkingDir: here,
	bundle: true,
	format: 'iife',
	target: ['es2020', 'chrome90', 'firefox90', 'safari15'],
	charset: 'utf8',
	minify: true,
	legalComments: 'none',
	write: false,
	logLevel: 'warning',
	tsconfig: 'tsconfig.json',
};

async function bundle(entry, more = {}) {
	const made = await build({ ...common, ...more, entryPoints: [entry] });
	return made.outputFiles[0].text;
}

/* "amparo:worker" and "amparo:wasm" are modules whose default export is a text */
function texts(modules) {
	return {
		name: 'texts',
		setup(b) {
			b.onResolve({ filter: /^amparo:/ }, (a) => ({ path: a.path, namespace: 'texts' }));
			b.onLoad({ filter: /.*/, namespace: 'texts' }, (a) => {
				if (!(a.path in modules))
					return { errors: [{ text: `no module ${a.path}` }] };
				return { contents: modules[a.path], loader: 'text' };
			});
		},
	};
}

/* script inside HTML: these three would end or change it */
function for_script(js) {
	const bad = /<\/script|<!--|<script/i.exec(js);
	if (bad)
		throw new Error(`the script contains ${bad[0]}, which HTML would read`);
	return js;
}

const define = { AMPARO_VERSION: JSON.stringify(args.version) };
const wasm_file = resolve(here, args.wasm);
const wasm = existsSync(wasm_file) ? readFileSync(wasm_file) : Buffer.alloc(0);
if (wasm.length === 0)
	console.error(`build.mjs: ${args.wasm} is not there: the page will say so and stop`);
const worker = existsSync(join(here, 'app/worker.ts'))
	? await bundle('app/worker.ts', { define }) : '';
const css = await bundle('app/ui/amparo.css', { format: undefined, target: ['chrome90', 'firefox90', 'safari15'] });
const script = for_script(await bundle('app/main.tsx', {
	define,
	plugins: [texts({ 'amparo:worker': worker, 'amparo:wasm': wasm.toString('base64') })],
}));
const style = css.trimEnd();
if (/<\/style/i.test(style))
	throw new Error('the style contains </style');

/*
 * 'self' opens nothing on file://; on a host it lets the page install itself, for which the
 * browser loads the manifest, its icons and sw.js by this policy.  A page's own
 * server of records is reached by wss:, by ws: on this machine, and by ws: inside Tor, which
 * encrypts by itself.  Trusted Types: a text never becomes HTML or script.
 */
const policy = [
	"default-src 'none'",
	`script-src 'sha256-${sha256(script, 'base64')}' 'wasm-unsafe-eval'`,
	`style-src 'sha256-${sha256(style, 'base64')}'`,
	"worker-src blob: 'self'",
	"img-src blob: data: 'self'",
	'media-src blob:',
	"manifest-src 'self'",
	'connect-src wss: ws://localhost:* ws://127.0.0.1:* ws://*.onion:*',
	"base-uri 'none'",
	"form-action 'none'",
	"require-trusted-types-for 'script'",
	'trusted-types amparo',
].join('; ');

/* what a browser paints around the page is the page's own ground */
const ground = /--ground: var\(--day, (#\w+)\) var\(--night, (#\w+)\)/.exec(readFileSync(join(here, 'app/ui/tokens.css'), 'utf8'));
if (!ground)
	throw new Error('tokens.css says no --ground by day and by night');
const [, day, night] = ground;

const icon = icon_svg(false);
const html = `<!doctype html>
<!-- SPDX-License-Identifier: AGPL-3.0-or-later -->
<html lang="en" translate="no">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="referrer" content="no-referrer">
<meta name="google" content="notranslate">
<meta name="robots" content="noindex, nofollow">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="${day}" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="${night}" media="(prefers-color-scheme: dark)">
<title>Amparo</title>
<link rel="icon" href="data:image/svg+xml;base64,${Buffer.from(icon).toString('base64')}">
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<noscript>Amparo needs JavaScript, which runs on this device alone. · Amparo necesita JavaScript, que solo funciona en este aparato.</noscript>
<script>${script}</script>
</body>
</html>
`;

const sw = await bundle('app/sw.ts', { define: { ...define, AMPARO_PAGE: JSON.stringify(sha256(html, 'hex')) } });
const manifest = JSON.stringify({
	name: 'Amparo',
	short_name: 'Amparo',
	start_url: 'amparo.html',
	scope: './',
	display: 'standalone',
	background_color: day,
	theme_color: day,
	icons: [
		{ src: 'icon.svg', sizes: 'any', type: 'image/svg+xml' },
		{ src: 'icon-192.png', sizes: '192x192', type: 'image/png' },
		{ src: 'icon-512.png', sizes: '512x512', type: 'image/png' },
		{ src: 'icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
	],
}, null, '\t') + '\n';

mkdirSync(out, { recursive: true });
const files = {
	'amparo.html': html,
	'sw.js': sw,
	'manifest.webmanifest': manifest,
	'icon.svg': icon,
	'icon-192.png': icon_png(192, false),
	'icon-512.png': icon_png(512, false),
	'icon-maskable-512.png': icon_png(512, true),
};
for (const [name, data] of Object.entries(files)) {
	writeFileSync(join(out, name), data);
	console.log(`${sha256(data, 'hex')}  ${String(Buffer.byteLength(data)).padStart(8)}  ${name}`);
}
