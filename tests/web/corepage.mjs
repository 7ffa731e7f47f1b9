// SPDX-License-Identifier: AGPL-3.0-or-later
// The page's core.ts, worker and store in a real browser, without its screens: a page that
// gives them to a test as window.amparo.  Its policy is the page's, but for the script's hash.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { TOP, WASM } from './core.mjs'

const require = createRequire(join(TOP, 'client/web/package.json'))
const esbuild = require('esbuild')
const web = join(TOP, 'client/web')

function texts (modules) {
	return {
		name: 'texts',
		setup (b) {
			b.onResolve({ filter: /^amparo:/ }, a => ({ path: a.path, namespace: 'texts' }))
			b.onLoad({ filter: /.*/, namespace: 'texts' }, a => ({ contents: modules[a.path], loader: 'text' }))
		}
	}
}

async function bundle (contents, plugins = []) {
	const made = await esbuild.build({
		stdin: { contents, resolveDir: join(web, 'app'), loader: 'ts' },
		bundle: true, format: 'iife', target: ['chrome90'], write: false, absWorkingDir: web, logLevel: 'warning', plugins
	})
	return made.outputFiles[0].text
}

// wasm: another module than the page's, for vectors
export async function corePage ({ wasm = WASM } = {}) {
	const worker = await bundle("import './worker'")
	const script = await bundle("import * as core from './core'; import * as store from './store'; import { WasmCore } from './wasm'; Object.assign(window, { amparo: { ...core, store, WasmCore } })",
		[texts({ 'amparo:worker': worker, 'amparo:wasm': (await readFile(wasm)).toString('base64') })])
	const hash = createHash('sha256').update(script).digest('base64')
	const policy = `default-src 'none'; img-src data:; script-src 'sha256-${hash}' 'wasm-unsafe-eval'; worker-src blob:; require-trusted-types-for 'script'; trusted-types amparo`
	const html = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>core</title><link rel="icon" href="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22/%3E"><script>${script}</script>`
	const server = createServer((req, res) => {
		res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
		res.end(html)
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	return {
		html,
		url: `http://127.0.0.1:${server.address().port}/`,
		async end () {
			server.closeAllConnections()
			server.close()
			await once(server, 'close')
		}
	}
}
