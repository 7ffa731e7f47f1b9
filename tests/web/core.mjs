// SPDX-License-Identifier: AGPL-3.0-or-later
// The core under node: the module that the page holds, reached by the page's own wasm.ts, and
// a store in memory that keeps what IndexedDB would keep.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

export const TOP = fileURLToPath(new URL('../../', import.meta.url))
export const WASM = join(TOP, process.env.B ?? 'build', 'web/amparo.wasm')

const require = createRequire(join(TOP, 'client/web/package.json'))
const esbuild = require('esbuild')
const { decode } = await import(require.resolve('@msgpack/msgpack'))

const bundled = await esbuild.build({
	entryPoints: [join(TOP, 'client/web/app/wasm.ts')], bundle: true, format: 'esm',
	write: false, absWorkingDir: join(TOP, 'client/web'), logLevel: 'warning'
})
const text = Buffer.from(bundled.outputFiles[0].contents).toString('base64')
export const { WasmCore, encodeArgs } = await import(`data:text/javascript;base64,${text}`)

export class CoreError extends Error {
	constructor (code, why) {
		super(why ? `${code}: ${why}` : code)
		this.code = code
		this.why = why
	}
}

const hex = bytes => Buffer.from(bytes).toString('hex')

// what a browser would have on disk: rows by rk, and the header
export class Disk {
	constructor (header = null, rows = new Map()) {
		this.header = header
		this.rows = rows
	}

	copy () {
		return new Disk(this.header, new Map(this.rows))
	}

	// one call's changes, as store.ts writes them
	write (changes) {
		for (const c of changes) {
			const kind = String.fromCharCode(c[0])
			if (kind === 'c') {
				this.rows.clear()
				this.header = null
			} else if (kind === 'h') {
				this.header = c.slice(1)
			} else if (kind === 'r') {
				const rk = hex(c.subarray(1, 33))
				if (c.length === 33) this.rows.delete(rk)
				else this.rows.set(rk, c.slice(33))
			} else throw new Error(`a change of kind ${kind}`)
		}
	}
}

/*
 *	const core = await Core.start()
 *	await core.create('six words ...')          or  await core.unlock(pass, disk)
 *	core.call('me', {})                          the answer, or CoreError {code, why}
 *
 * disk holds what was written; journals each call's changes; ahead_ms moves its clock.
 */
export class Core {
	static async start () {
		const c = new Core()
		c.disk = new Disk()
		c.journals = []
		c.ahead_ms = 0
		c.owed = false
		c.wasm = await WasmCore.make(await readFile(WASM), () => Date.now() + c.ahead_ms)
		return c
	}

	call (op, args = {}) {
		const { answer, changes } = this.wasm.run(op, encodeArgs(args))
		const e = decode(answer)
		if (changes.length > e.n) throw new Error(`${op}: ${changes.length} changes, told ${e.n}`)
		this.disk.write(changes)
		if (changes.length > 0) this.journals.push(changes)
		this.owed = e.owed
		if (e.err !== undefined) throw new CoreError(e.err, e.why)
		return e.ok
	}

	create (pass) {
		return this.call('vault_create', { kiosk: false, light: true, pass })
	}

	kiosk () {
		return this.call('vault_create', { kiosk: true })
	}

	unlock (pass, disk = this.disk) {
		this.disk = disk
		this.call('vault_unlock', { header: disk.header, pass })
		const rows = [...disk.rows].map(([rk, row]) => Buffer.concat([Buffer.from(rk, 'hex'), row]))
		for (let i = 0; i < rows.length; i += 512) this.call('vault_load', { rows: rows.slice(i, i + 512).map(r => new Uint8Array(r)) })
		return this.call('vault_open')
	}

	settle () {
		return this.call('vault_settle')
	}

	lock () {
		return this.call('vault_lock')
	}
}
