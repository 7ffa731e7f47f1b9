// SPDX-License-Identifier: AGPL-3.0-or-later
// The published vectors and the project's own, by the same C tests that run natively, compiled
// to WebAssembly: under node and in Debian's Chromium.  And one digest over libsodium's answers,
// which test_web_digest.c compares natively.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TOP, WASM } from './core.mjs'
import { corePage } from './corepage.mjs'
import { Device, figure } from './harness.mjs'

const dir = join(WASM, '../vectors')
const modules = (await readdir(dir)).filter(f => f.endsWith('.wasm')).sort()
const native = /#define DIGEST "([0-9a-f]{64})"/.exec(await readFile(join(TOP, 'tests/unit/test_web_digest.c'), 'utf8'))[1]
const files = {}
for (const f of await readdir(join(TOP, 'tests/vectors')))
	if (f.endsWith('.txt')) files[`tests/vectors/${f}`] = (await readFile(join(TOP, 'tests/vectors', f))).toString('base64')

// runs in node and, as text, in the page; spoil: a control, one hex digit of each file is another
async function runModule ({ wasm, files, spoil }) {
	const bytes = s => Uint8Array.from(atob(s), c => c.charCodeAt(0))
	let memory
	let said = ''
	const text = (p, len) => new TextDecoder().decode(new Uint8Array(memory.buffer, p, len))
	const { instance } = await WebAssembly.instantiate(bytes(wasm), {
		amparo: {
			say: (p, len) => { said = text(p, len) },
			random: (p, len) => { for (let at = 0; at < len; at += 65536) crypto.getRandomValues(new Uint8Array(memory.buffer, p + at, Math.min(65536, len - at))) },
			file: (p, len, out, size) => {
				let b = files[text(p, len)]
				if (b === undefined) return 0
				b = bytes(b)
				if (spoil) b = new TextEncoder().encode(new TextDecoder().decode(b).replace(/ ([0-9a-f]{31,})([0-9a-f])$/gm, (_, a, z) => ` ${a}${z === '0' ? '1' : '0'}`))
				if (b.length <= size) new Uint8Array(memory.buffer, out, b.length).set(b)
				return b.length
			}
		}
	})
	const e = instance.exports
	memory = e.memory
	e._initialize()
	let passed
	try { passed = e.run() } catch (error) { return { passed: 0, said: said || String(error) } }
	const at = e.digest()
	return { passed, said, digest: text(at, 64) }
}

async function all (run) {
	let passed = 0
	let spoilt = 0
	for (const m of modules) {
		const wasm = (await readFile(join(dir, m))).toString('base64')
		const r = await run({ wasm, files, spoil: false })
		assert.ok(r.passed > 0, `${m}: ${r.said}`)
		assert.equal(r.digest, native)
		passed += r.passed
		if ((await run({ wasm, files, spoil: true })).passed === 0) spoilt++
	}
	assert.ok(modules.length >= 26)
	assert.ok(spoilt >= 23, 'the control: spoilt vectors are noticed')
	return `modules ${modules.length}; tests ${passed}/${passed}; digest equal to native; spoilt vectors noticed in ${spoilt}`
}

test('vectors under node', async () => {
	figure(`vectors under node: ${await all(runModule)}`)
})

test('vectors in the browser', async () => {
	const site = await corePage()
	const d = await Device.start()
	try {
		await d.goto(site.url)
		figure(`vectors in Chromium: ${await all(a => d.page.evaluate(runModule, a))}`)
	} finally {
		await d.end()
		await site.end()
	}
})
