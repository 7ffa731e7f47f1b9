// SPDX-License-Identifier: AGPL-3.0-or-later
// The module as the page holds it, under node: what it gives and takes, a vault's life, what
// its arguments may not be, and that no failure in the middle leaves a store that does not open.
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Core, CoreError, TOP, WASM, encodeArgs } from './core.mjs'
import { figure } from './harness.mjs'

const PASS = 'hello lagoon acid spaniel focus octagon'
const list = async name => (await readFile(join(TOP, 'client/web', name), 'utf8'))
	.split('\n').filter(l => l && !l.startsWith('#')).map(l => l.split(' '))
const code = want => e => e instanceof CoreError && e.code === want

test('the module gives and takes what the lists say', async () => {
	const module = new WebAssembly.Module(await readFile(WASM))
	const exports = WebAssembly.Module.exports(module).map(e => `${e.name} ${e.kind}`).sort()
	const imports = WebAssembly.Module.imports(module).map(i => `${i.module} ${i.name} ${i.kind}`).sort()
	assert.deepEqual(exports, (await list('exports.txt')).map(l => `${l[0]} ${l[1]}`).sort())
	assert.deepEqual(imports, (await list('imports.txt')).map(l => `${l[0]} ${l[1]} ${l[2]}`).sort())
	figure(`wasm: ${(await readFile(WASM)).length} bytes; exports ${exports.length}; imports ${imports.length}; beyond the lists: 0`)
})

test('a vault is made, locked, unlocked; a wrong passphrase and a damaged row are told apart', async () => {
	const c = await Core.start()
	let t = performance.now()
	assert.equal(c.create(PASS).state, 0)
	const made = performance.now() - t
	assert.equal(c.disk.header.length, 116)
	assert.throws(() => c.create(PASS), code('state'))
	c.lock()
	assert.throws(() => c.call('me'), code('state'))
	assert.throws(() => c.unlock('another passphrase'), code('auth'))
	t = performance.now()
	/* any spelling of the six words */
	c.unlock('HELL lago   acid span focu octa')
	figure(`wasm: Argon2id light: made in ${made.toFixed(0)} ms, unlocked in ${(performance.now() - t).toFixed(0)} ms; memory ${c.wasm.memory >> 20} MiB`)
	c.lock()
	const bad = c.disk.copy()
	bad.header = bad.header.slice()
	bad.header[40] ^= 1
	assert.throws(() => c.unlock(PASS, bad), code('corrupt'))
})

test('a new passphrase', async () => {
	const c = await Core.start()
	c.create(PASS)
	assert.throws(() => c.call('vault_passphrase', { old: 'x', pass: 'lime river cotton basket window seven', light: true }), code('auth'))
	assert.throws(() => c.call('vault_passphrase', { old: PASS, pass: 'rosa1990', light: true }), code('key'))
	c.call('vault_passphrase', { old: PASS, pass: 'lime river cotton basket window seven', light: true })
	c.lock()
	assert.throws(() => c.unlock(PASS), code('auth'))
	c.unlock('lime river cotton basket window seven')
})

test('a kiosk tells its store nothing', async () => {
	const c = await Core.start()
	c.kiosk()
	assert.equal(c.call('me').state, 'nobody')
	assert.equal(c.journals.length, 0)
	assert.equal(c.disk.header, null)
})

test('arguments that are wrong are refused, whole', async () => {
	const c = await Core.start()
	c.kiosk()
	for (const [op, args] of [
		['me', { more: 1 }], ['passphrase_judge', {}], ['passphrase_judge', { pass: 7 }],
		['passphrase_judge', { pass: 'a\0b' }], ['passphrase_judge', { pass: new Uint8Array(3) }]
	]) assert.throws(() => c.call(op, args), code('format'), `${op} ${JSON.stringify(args)}`)
	assert.throws(() => c.call('no_such_op'), code('unknown'))
	for (const args of [{ n: 1.5 }, { n: -1 }, { n: 2 ** 60 }, { n: { a: 1 } }, { n: NaN }])
		assert.throws(() => encodeArgs(args), TypeError)
	/* half a pair of surrogates becomes a sign that is Unicode */
	assert.equal(c.call('passphrase_judge', { pass: 'a\ud800' }).ok, false)
	/* bytes that are no MessagePack */
	for (let n = 0; n < 300; n++) {
		const bytes = crypto.getRandomValues(new Uint8Array(n))
		c.wasm.run('me', bytes)
	}
	assert.equal(c.call('me').state, 'nobody')
})

test('memory has a bound, and what is too large is an error, not an end', async () => {
	const c = await Core.start()
	c.kiosk()
	const big = new Uint8Array(100 << 20)
	assert.throws(() => c.call('vault_load', { rows: [big, big] }), code('limit'))
	assert.equal(c.call('me').state, 'nobody')
	assert.ok(c.wasm.memory <= 2 ** 31)
})
