// SPDX-License-Identifier: AGPL-3.0-or-later
// The page's store in Debian's Chromium: what is told as saved is on disk after a kill; one
// tab; a write that fails ends the core and leaves the disk as it was; a settling leaves
// nothing of the old header in the browser's files; wiping leaves no database.
import { test, before, after } from 'node:test'
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { corePage } from './corepage.mjs'
import { Device, figure } from './harness.mjs'

const PASS = 'hello lagoon acid spaniel focus octagon'
const NEW = 'lime river cotton basket window seven'
let site
before(async () => { site = await corePage() })
after(() => site.end())

const boot = page => page.evaluate(() => window.amparo.boot().then(() => 'ok', e => e.code))
const unlock = (page, pass) => page.evaluate(p => window.amparo.unlock(p).then(() => 'ok', e => e.code), pass)

async function started () {
	const d = await Device.start({ args: ['--disable-http-cache'] })
	await d.goto(site.url)
	/* phones' cost: the laptop's takes seconds each time */
	await d.context.addInitScript(() => Object.defineProperty(navigator, 'deviceMemory', { value: 2 }))
	await d.page.reload()
	assert.equal(await boot(d.page), 'ok')
	return d
}

// a row as the core would give it: 'r', rk, 200 bytes of n
const rows = (page, from, to, n) => page.evaluate(async ([from, to, n]) => {
	const s = await window.amparo.store.Store.open()
	const made = []
	for (let i = from; i < to; i++) {
		const c = new Uint8Array(33 + 200).fill(n)
		c[0] = 0x72
		c.fill(i, 1, 33)
		made.push(c)
	}
	await s.write(made)
	s.close()
}, [from, to, n])
const count = page => page.evaluate(async () => {
	const s = await window.amparo.store.Store.open()
	let n = 0
	for await (const chunk of s.rows()) n += chunk.filter(r => r[0].every(b => b === r[0][0]) && r[1].every(b => b === r[1][0])).length
	s.close()
	return n
})

test('what was told as saved is there after a kill', async () => {
	const d = await Device.start()
	try {
		let kept = 0
		for (let round = 0; round < 5; round++) {
			await d.goto(site.url)
			assert.equal(await count(d.page), kept)
			await rows(d.page, kept, kept + 20, round + 1)
			kept += 20
			await d.kill()
			await d.open()
		}
		await d.goto(site.url)
		assert.equal(await count(d.page), kept)
		figure(`store: kills after a write: 5; rows: ${kept}; lost: 0`)
	} finally { await d.end() }
})

test('a vault outlives a kill, and a new passphrase one right after it was told', async () => {
	const d = await started()
	try {
		assert.equal(await d.page.evaluate(p => window.amparo.create(p).then(() => 'ok', e => e.code), PASS), 'ok')
		await d.kill()
		await d.open()
		await d.goto(site.url)
		assert.equal(await boot(d.page), 'ok')
		assert.equal(await d.page.evaluate(() => window.amparo.deviceHasVault()), true)
		assert.equal(await unlock(d.page, PASS), 'ok')
		await d.page.evaluate(([a, b]) => window.amparo.changePassphrase(a, b), [PASS, NEW])
		await d.kill()
		await d.open()
		await d.goto(site.url)
		assert.equal(await boot(d.page), 'ok')
		assert.equal(await unlock(d.page, PASS), 'auth')
		assert.equal(await unlock(d.page, NEW), 'ok')
		/* locked: the worker is gone, and with it the keys */
		await d.page.evaluate(() => window.amparo.lock())
		assert.equal(await d.page.evaluate(() => window.amparo.call('me', {}).then(() => 'ok', e => e.code)), 'locked')
		assert.equal(await d.page.evaluate(() => window.amparo.wipe().then(() => window.amparo.boot()).then(() => window.amparo.deviceHasVault())), false)
		assert.deepEqual(d.troubles, [])
	} finally { await d.end() }
})

test('a second tab says so, and goes on when the first is closed', async () => {
	const d = await started()
	try {
		await d.page.evaluate(p => window.amparo.create(p), PASS)
		const second = await d.context.newPage()
		await second.goto(site.url)
		assert.equal(await boot(second), 'tab')
		await d.page.close()
		/* the browser lets the lock go with the page: asked until it has */
		let said
		for (let i = 0; i < 50 && (said = await boot(second)) === 'tab'; i++) await second.waitForTimeout(20)
		assert.equal(said, 'ok')
		assert.equal(await unlock(second, PASS), 'ok')
	} finally { await d.end() }
})

test('without locks, a tab that is behind writes nothing', async () => {
	const d = await Device.start()
	try {
		await d.context.addInitScript(() => { delete Navigator.prototype.locks })
		await d.goto(site.url)
		const said = await d.page.evaluate(async () => {
			const { Store } = window.amparo.store
			const row = n => new Uint8Array(40).fill(n).fill(0x72, 0, 1)
			const a = await Store.open(), b = await Store.open()
			await a.write([row(1)])
			const late = await b.write([row(2)]).then(() => 'ok', e => e.code)
			const renewed = await b.write([new Uint8Array([0x63]), row(3)]).then(() => 'ok', e => e.code)
			let n = 0
			for await (const chunk of a.rows()) n += chunk.length
			return [late, renewed, n]
		})
		assert.deepEqual(said, ['tab', 'tab', 1])
	} finally { await d.end() }
})

test('a write that fails ends the core, says why, and the disk is as it was', async () => {
	const d = await started()
	try {
		await d.page.evaluate(p => window.amparo.create(p), PASS)
		for (const [name, want] of [['QuotaExceededError', 'full'], ['UnknownError', 'store']]) {
			const said = await d.page.evaluate(async ([name, old, fresh]) => {
				await window.amparo.lock()
				await window.amparo.unlock(old)
				const put = IDBObjectStore.prototype.put
				IDBObjectStore.prototype.put = function () { throw new DOMException('planted', name) }
				const first = await window.amparo.changePassphrase(old, fresh).then(() => 'ok', e => e.code)
				IDBObjectStore.prototype.put = put
				return [first, await window.amparo.call('me', {}).then(() => 'ok', e => e.code), window.amparo.isOpen()]
			}, [name, PASS, NEW])
			assert.deepEqual(said, [want, want, false])
			await d.page.reload()
			assert.equal(await boot(d.page), 'ok')
			assert.equal(await unlock(d.page, NEW), 'auth')
			assert.equal(await unlock(d.page, PASS), 'ok')
		}
		figure('store: writes that failed: 2; told as saved: 0; vaults lost: 0')
	} finally { await d.end() }
})

// a lock that comes twice, or in the middle of an unlocking, must not leave the queue waiting
test('locking twice at once, and while it is being unlocked', async () => {
	const d = await started()
	try {
		const said = await d.page.evaluate(async pass => {
			const core = window.amparo
			const told = p => p.then(() => 'ok', e => e.code)
			const limit = p => Promise.race([told(p), new Promise(resolve => setTimeout(resolve, 20000, 'waits for ever'))])
			/* resolves when the worker has got this op, and not answered yet */
			const post = Worker.prototype.postMessage
			const asked = op => new Promise(resolve => {
				Worker.prototype.postMessage = function (m, t) { post.call(this, m, t); if (m.op === op) resolve() }
			})
			await core.create(pass)
			let at = asked('vault_lock')
			const locking = limit(core.lock())
			await at
			const out = [await limit(core.lock()), await locking]
			out.push(await limit(core.unlock(pass)))
			await core.lock()
			at = asked('vault_unlock')
			const unlocking = limit(core.unlock(pass))
			await at
			out.push(await limit(core.lock()), await unlocking, core.isOpen(), await limit(core.unlock(pass)), await limit(core.call('me', {})))
			return out
		}, PASS)
		assert.deepEqual(said, ['ok', 'ok', 'ok', 'ok', 'locked', false, 'ok', 'ok'])
	} finally { await d.end() }
})

test('a listener that throws does not make a call fail that was done', async () => {
	const d = await started()
	try {
		const said = await d.page.evaluate(async pass => {
			const core = window.amparo
			core.onVault(() => { throw new Error('planted') })
			core.onCalled(() => { throw new Error('planted') })
			await core.create(pass)
			return [core.isOpen(), (await core.call('me', {})).state]
		}, PASS)
		assert.deepEqual(said, [true, 'nobody'])
	} finally { await d.end() }
})

// a new vault clears every row: what is damaged, or of a later page, must not look like none
test('a vault whose header is gone, is something else, or is of a later page is not taken for none', async () => {
	const d = await started()
	try {
		await d.page.evaluate(p => window.amparo.create(p), PASS)
		const with_db = (version, fn) => d.page.evaluate(async ([version, fn]) => {
			const r = indexedDB.open('amparo', version)
			await new Promise((resolve, reject) => { r.onsuccess = resolve; r.onerror = () => reject(r.error) })
			const t = r.result.transaction('rows', 'readwrite')
			if (fn === 'delete') t.objectStore('rows').delete('header')
			if (fn === 'bytes') t.objectStore('rows').put(new Uint8Array(116), 'header')
			await new Promise(resolve => { t.oncomplete = resolve })
			r.result.close()
		}, [version, fn])
		const asked = () => d.page.evaluate(async p => {
			const told = q => q.then(v => v ?? 'ok', e => e.code)
			return [await told(window.amparo.deviceHasVault()), await told(window.amparo.create(p)), await told(window.amparo.unlock(p))]
		}, PASS)
		for (const fn of ['delete', 'bytes']) {
			await with_db(undefined, fn)
			await d.page.reload()
			assert.equal(await boot(d.page), 'ok')
			assert.deepEqual(await asked(), ['corrupt', 'corrupt', 'corrupt'])
		}
		await d.goto('about:blank')
		await d.goto(site.url)
		await with_db(2, '')
		await d.page.reload()
		assert.equal(await boot(d.page), 'unknown')
		figure('store: vaults that are damaged or of a later page: 3; taken for none: 0')
	} finally { await d.end() }
})

async function hunt (dir, needle) {
	const where = []
	for (const e of await readdir(dir, { withFileTypes: true, recursive: true })) {
		if (!e.isFile()) continue
		const bytes = await readFile(join(e.parentPath ?? e.path, e.name)).catch(() => Buffer.alloc(0))
		if (bytes.includes(needle)) where.push(e.name)
	}
	return where
}

const header = page => page.evaluate(async () => {
	const r = indexedDB.open('amparo')
	await new Promise(resolve => { r.onsuccess = resolve })
	const g = r.result.transaction('rows').objectStore('rows').get('header')
	await new Promise(resolve => { g.onsuccess = resolve })
	const bytes = new Uint8Array(await g.result.arrayBuffer())
	r.result.close()
	return [...bytes]
})

test('a settling leaves nothing of the old header in the files of the browser', async () => {
	const d = await started()
	try {
		await d.page.evaluate(p => window.amparo.create(p), PASS)
		/* the wrapped vault key */
		const mark = Buffer.from(await header(d.page)).subarray(52, 100)
		const before = await hunt(d.profile, mark)
		assert.ok(before.length > 0, 'the control: before, it is found')
		await d.page.evaluate(([a, b]) => window.amparo.changePassphrase(a, b), [PASS, NEW])
		const fresh = Buffer.from(await header(d.page)).subarray(52, 100)
		/* a page that has read the old one keeps its file until it is closed */
		await d.goto('about:blank')
		await d.context.close()
		await d.open()
		await d.goto(site.url)
		assert.equal(await boot(d.page), 'ok')
		let left = before
		for (let i = 0; i < 100 && left.length > 0; i++) {
			left = await hunt(d.profile, mark)
			if (left.length > 0) await d.page.waitForTimeout(100)
		}
		assert.deepEqual(left, [])
		assert.ok((await hunt(d.profile, fresh)).length > 0, 'the control: the new one is found')
		figure(`store: files with the header before a settling: ${before.length}; with the old one after: ${left.length}; controls found: 2/2`)
	} finally { await d.end() }
})
