// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: when a page syncs (net.ts): at once after what it sends, with pauses that double and
// differ after failures, a minute after "later", when the network is back, never two at once,
// never while locked.  Time is the test's own; at the end, a server that goes away in the middle
// of an upload and comes back, with a real core and a real server.
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Core, TOP } from './core.mjs'
import { figure, Organisation } from './harness.mjs'
import { NodeSocket } from './socket.mjs'

const require = createRequire(join(TOP, 'client/web/package.json'))
const esbuild = require('esbuild')

// net.ts with what is around it replaced: the core by `stub.core`; visit.ts by `stub.visit`, or itself
let n_bundles = 0
async function load (stub, real_visit) {
	const name = `stub${++n_bundles}`
	globalThis[name] = stub
	const { outputFiles: [built] } = await esbuild.build({
		entryPoints: [join(TOP, 'client/web/app/net.ts')], bundle: true, format: 'esm', write: false,
		absWorkingDir: join(TOP, 'client/web'), logLevel: 'warning',
		define: { window: `globalThis.${name}.window`, navigator: `globalThis.${name}.navigator`, Date: `globalThis.${name}.Date`, WebSocket: `globalThis.${name}.WebSocket` },
		plugins: [{
			name: 'around',
			setup (b) {
				b.onResolve({ filter: real_visit ? /^\.\/core$/ : /^\.\/(core|visit)$/ }, a => ({ path: a.path, namespace: 'around' }))
				b.onLoad({ filter: /core$/, namespace: 'around' }, () => ({
					contents: `const s = globalThis.${name}.core
						export class CoreError extends Error { constructor (code, why = '') { super(code); this.code = code; this.why = why } }
						s.CoreError = CoreError
						export const call = (op, args) => s.call(op, args)
						export const isOpen = () => s.open
						export const settleNow = () => s.settle()
						export const onVault = fn => { s.vault = fn }
						export const onCalled = fn => { s.called = fn }`
				}))
				b.onLoad({ filter: /visit$/, namespace: 'around' }, () => ({
					contents: `export class Off { is = false; wake = null; now () { this.is = true; this.wake?.() } }
						export const visitAll = (...a) => globalThis.${name}.visit(...a)`
				}))
			}
		}]
	})
	return import(`data:text/javascript;base64,${Buffer.from(built.contents).toString('base64')}`)
}

// time that passes when it is told to
class Clock {
	now = 1_800_000_000_000
	timers = new Map()
	last = 0
	setTimeout = (fn, ms) => {
		this.timers.set(++this.last, { at: this.now + ms, fn })
		return this.last
	}
	clearTimeout = id => { this.timers.delete(id) }
	async pass (ms) {
		const until = this.now + ms
		for (;;) {
			const due = [...this.timers].filter(([, t]) => t.at <= until).sort((a, b) => a[1].at - b[1].at)[0]
			if (!due) break
			this.timers.delete(due[0])
			this.now = due[1].at
			due[1].fn()
			await settled()
		}
		this.now = until
		await settled()
	}
}
const settled = async () => { for (let i = 0; i < 50; i++) await Promise.resolve() }

const SERVER = { address: 's1:1', reached: true, complete: true, code: '', why: '', notes: [] }
const whole = (more = {}) => ({ code: '', servers: [SERVER], complete: 1, roster_new: false, submissions: 0, to_send: 0, wants: 0, alarms: 0, fresh: 0, more: false, backlog: null, ...more })
const gone = () => whole({ code: 'net', complete: 0, servers: [{ ...SERVER, reached: false, complete: false, code: 'net' }] })
const later = to_send => whole({ submissions: 1, to_send, servers: [{ ...SERVER, notes: ['limit'] }] })

// a page with this answer for each sync: visits are the moments
async function page (answer = whole) {
	const clock = new Clock(), events = new EventTarget()
	const p = { clock, visits: [], choices: [], answer, states: [] }
	const stub = {
		window: { setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout, addEventListener: (...a) => events.addEventListener(...a) },
		navigator: { onLine: true },
		Date: { now: () => clock.now },
		core: { open: false, call: async () => ({ state: 'member' }), settle: async () => {} },
		visit: async (call, socket, choice, off) => {
			p.visits.push(clock.now)
			p.choices.push(choice)
			return p.answer(p.visits.length, off)
		}
	}
	Object.assign(p, { stub, net: await load(stub, false) })
	p.net.startNet()
	p.net.onSyncState(s => p.states.push(s))
	p.open = async () => {
		stub.core.open = true
		stub.core.vault(true)
		await clock.pass(400)
	}
	p.lock = () => {
		stub.core.open = false
		stub.core.vault(false)
	}
	p.deed = op => stub.core.called(op)
	p.online = is => {
		stub.navigator.onLine = is
		if (is) events.dispatchEvent(new Event('online'))
	}
	// until the next sync; how long it took
	p.next = async () => {
		const n = p.visits.length, from = clock.now
		for (let i = 0; i < 100000 && p.visits.length === n; i++) await clock.pass(1000)
		assert.ok(p.visits.length > n, 'it never syncs again')
		return p.visits[n] - from
	}
	return p
}

test('at once after unlocking, after a seal, and once for several notes', async () => {
	const p = await page()
	await p.clock.pass(3600000)
	assert.equal(p.visits.length, 0, 'a locked page synced')
	await p.open()
	assert.equal(p.visits.length, 1)
	p.deed('fill_seal')
	await p.clock.pass(1000)
	assert.equal(p.visits.length, 2)
	for (let i = 0; i < 5; i++) {
		p.deed('case_note')
		await p.clock.pass(200)
	}
	p.deed('fill_answer')
	await p.clock.pass(10000)
	assert.equal(p.visits.length, 3)
	// a seal does not wait for the notes' pause
	p.deed('case_note')
	p.deed('fill_seal')
	await p.clock.pass(1000)
	assert.equal(p.visits.length, 4)
})

test('after failures the pause doubles up to half an hour, and no two pages come together', async () => {
	const firsts = new Set()
	const means = []
	for (let k = 0; k < 30; k++) {
		const p = await page(gone)
		await p.open()
		for (let i = 0; i < 12; i++) {
			const ms = await p.next()
			means[i] = (means[i] ?? 0) + ms / 30
			if (i === 0) firsts.add(ms)
			const base = Math.min(30 * 60000, 20000 * 2 ** Math.min(i, 8))
			assert.ok(ms >= base * 0.75 - 1000 && ms <= base * 1.25 + 1000, `pause ${i}: ${ms}`)
		}
		assert.equal(p.states.at(-1).error, 'net')
	}
	assert.ok(firsts.size > 25, `${firsts.size} different pauses of 30`)
	figure(`sync: pauses after failures, mean of 30 pages: ${means.map(m => Math.round(m / 1000)).join(', ')} s`)
	// whatever the reason: a call that is rejected counts as a failure of the same kind
	const p = await page(() => { throw Object.assign(new Error('planted'), { code: 'nomem' }) })
	await p.open()
	const ms = await p.next()
	assert.ok(ms >= 14000 && ms <= 26000, `${ms}`)
	// one that works, and it begins small again
	p.answer = () => whole({ submissions: 1 })
	await p.next()
	p.answer = gone
	await p.next()
	assert.ok(await p.next() < 26000)
})

test('a server that takes only so much is visited a minute later, as long as it brings something on', async () => {
	let left = 100
	const p = await page(() => later(left -= 40))
	await p.open()
	for (let i = 0; i < 2; i++) {
		const ms = await p.next()
		assert.ok(ms >= 60000 && ms <= 66000, `${ms}`)
	}
	// nothing got on: it is not asked every minute for ever
	p.answer = () => later(20)
	await p.next()
	const ms = await p.next()
	assert.ok(ms > 2 * 60000, `${ms}`)
})

test('while something waits every few minutes; else rarely; a member\'s news come by themselves', async () => {
	const p = await page(() => whole({ submissions: 2 }))
	await p.open()
	const waits = await p.next()
	assert.ok(waits >= 3 * 60000 && waits <= 5 * 60000 + 1000, `${waits}`)
	p.answer = () => whole()
	await p.next()
	const news = await p.next()
	assert.ok(news >= 7 * 60000 && news <= 13 * 60000, `${news}`)
})

test('without a network nothing is tried; when it is back, all of a hall do not come in one moment', async () => {
	const delays = new Set()
	for (let k = 0; k < 20; k++) {
		const p = await page(gone)
		p.online(false)
		await p.open()
		await p.clock.pass(20 * 60000)
		assert.equal(p.visits.length, 0)
		p.answer = () => whole()
		p.online(true)
		const ms = await p.next()
		assert.ok(ms <= 3000, `${ms}`)
		delays.add(ms)
	}
	assert.ok(delays.size > 15, `${delays.size} of 20`)
	// a person who asks is not told that the browser thinks there is none
	const p = await page()
	p.online(false)
	await p.open()
	await p.net.syncNow()
	assert.equal(p.visits.length, 1)
	// it comes back while locked: nothing
	p.lock()
	p.online(true)
	await p.clock.pass(3600000)
	assert.equal(p.visits.length, 1)
})

test('never two at once; what was queued meanwhile has a sync of its own behind it', async () => {
	let release
	const p = await page(() => new Promise(resolve => { release = () => resolve(whole()) }))
	await p.open()
	assert.equal(p.visits.length, 1)
	const asked = p.net.syncNow()
	p.deed('fill_seal')
	p.online(true)
	await p.clock.pass(60000)
	assert.equal(p.visits.length, 1)
	release()
	await asked
	await p.clock.pass(1000)
	assert.equal(p.visits.length, 2)
	release()
})

test('a choice about a large download begins behind the sync that runs; a lock breaks off and plans nothing', async () => {
	let release
	const p = await page((n, off) => new Promise(resolve => {
		off.wake = () => resolve(whole({ code: 'net', complete: 0 }))
		release = () => resolve(whole({ backlog: { address: 's1:1', cells: 9, bytes: 9, minutes: 1, light_bytes: 1, rescan: false } }))
	}))
	await p.open()
	const go = p.net.syncNow({ choice: 'go' })
	await settled()
	assert.deepEqual(p.choices, ['ask'])
	release()
	await settled()
	assert.deepEqual(p.choices, ['ask', 'go'])
	p.lock()
	await assert.rejects(go)
	await p.clock.pass(24 * 3600000)
	assert.equal(p.visits.length, 2)
	assert.deepEqual([p.states.at(-1).running, p.states.at(-1).next], [false, 0])
})

test('nobody joined here: nothing is planned until somebody does', async () => {
	const p = await page(() => { throw new p.stub.core.CoreError('state') })
	await p.open()
	await p.clock.pass(3600000)
	assert.equal(p.visits.length, 1)
	p.answer = () => whole()
	p.deed('join')
	await p.clock.pass(1000)
	assert.equal(p.visits.length, 2)
})

// ---- with a real server -----------------------------------------------------------------------

let org
before(async () => { org = await Organisation.found() })
after(() => org?.end())

test('a server gone in the middle of an upload, and back: sent when the network is back, once', async () => {
	const core = await Core.start()
	const events = new EventTarget()
	const trouble = { cutAfter: Infinity }
	const stub = {
		window: { setTimeout, clearTimeout, addEventListener: (...a) => events.addEventListener(...a) },
		navigator: { onLine: true },
		Date,
		WebSocket: class extends NodeSocket {
			constructor (url, [protocol]) { super(url, protocol, { trouble }) }
		},
		core: { open: false, call: async (op, args) => { const r = core.call(op, args); stub.core.called(op); return r }, settle: async () => {} }
	}
	const net = await load(stub, true)
	net.startNet()
	const summaries = []
	let state
	net.onSyncState(s => {
		state = s
		if (s.summary && s.summary !== summaries.at(-1)) summaries.push(s.summary)
	})
	const until = async (what, is) => {
		for (let i = 0; i < 3000 && !is(); i++) await new Promise(resolve => setTimeout(resolve, 10))
		assert.ok(is(), what)
	}
	core.create('meadow kettle anchor violin pepper candle')
	core.call('join', { text: await org.invitation(), name: 'Gone Web', languages: ['es'] })
	stub.core.open = true
	stub.core.vault(true)
	await until('the first sync', () => core.call('me').roster > 0 && !state.running)
	const [form] = core.call('forms', { lang: 'en' }).forms
	let { step } = core.call('fill_begin', { form: form.id, lang: 'en', paper: false, tz: 1440 })
	while (step.kind !== 'end') {
		if (step.kind === 'question' && step.required && step.value === '')
			core.call('fill_answer', { path: step.path, text: { boolean: 'true', date: '2026-11-20', int: '3', select1: step.options[0]?.value, select: step.options[0]?.value, confirm: 'OK' }[step.type] ?? 'planted', go: false })
		step = core.call('fill_next').step
	}
	// gone after some of its cells, and with it the port
	trouble.cutAfter = 30000
	const { code } = await stub.core.call('fill_seal', {})
	await until('a connection was cut', () => trouble.cut > 0)
	await org.run('server_kill s1')
	await until('the sync ended', () => !state.running)
	assert.equal(state.error === '', false)
	assert.equal(core.call('outbox').waiting, 1)
	assert.ok(state.next > Date.now() + 10000, 'the next one is planned, and not at once')
	trouble.cutAfter = Infinity
	stub.navigator.onLine = false
	await org.run('server_start s1')
	stub.navigator.onLine = true
	const back = Date.now()
	events.dispatchEvent(new Event('online'))
	await until('it was sent', () => core.call('outbox').waiting === 0 && !state.running)
	figure(`sync: cut in an upload, server killed and back: sent ${Date.now() - back} ms after the network`)
	await org.release()
	await org.run('as ana sync --yes')
	const cases = await org.run('as ana cases --json')
	assert.equal(cases.split(code).length - 1 >= 1, true)
	assert.equal(cases.match(/"code"/g).length, 1, 'sent once')
	stub.core.open = false
	stub.core.vault(false)
})
