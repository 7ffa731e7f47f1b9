// SPDX-License-Identifier: AGPL-3.0-or-later
// The page's core and its mover of bytes (visit.ts) under node, against real servers over
// WebSocket: what it sealed is read by native programs, and the reverse; cuts, a server that is
// away, one that does not know this device, a lock and an interview in the middle, and the
// outbox as a file.
import test, { before, after } from 'node:test'
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Organisation, figure } from './harness.mjs'
import { Core, TOP } from './core.mjs'
import { base64url, log, memberOf, Off, PASS, socketUrl, syncCore, visitAll, whole } from './core_sync.mjs'
import { NodeSocket } from './socket.mjs'

const PHOTO = await readFile(new URL('../e2e/data/carta-poder-yesenia.jpg', import.meta.url))

let org, server

before(async () => {
	org = await Organisation.found()
	server = (await org.run('cat $work/s1.port')).trim()
})
after(() => org?.end())

const member = (name, role) => memberOf(org, name, role)

// every question that must be answered, and each text
function fillIn (core, text) {
	const { forms } = core.call('forms', { lang: 'en' })
	assert.equal(forms.length, 1)
	let { step } = core.call('fill_begin', { form: forms[0].id, lang: 'en', paper: false, tz: 1440 })
	let photographed = null
	const answer = (path, value) => {
		try {
			return core.call('fill_answer', { path, text: value, go: false })
		} catch (e) {
			if (step.required) throw e
			return null
		}
	}
	for (let n = 0; step.kind !== 'end' && n < 900; n++) {
		if (step.kind === 'question' && step.value === '') {
			if (step.type === 'file' && !photographed && step.media.startsWith('image')) {
				core.call('fill_attach', { path: step.path, name: 'paper.jpg', bytes: new Uint8Array(PHOTO) })
				/* as it is kept: without what the camera wrote beside the picture */
				photographed = core.call('fill_file', { name: core.call('fill_step').step.file.name }).bytes
			} else if (step.type === 'text') answer(step.path, text)
			else if (step.required || step.type === 'select1' || step.type === 'boolean') {
				const by = {
					int: '3', decimal: '1.5', date: '2026-11-20', time: '09:30', datetime: '2026-11-20T09:30',
					boolean: 'true', place: '14.5 -91.4', confirm: 'OK', range: step.start,
					select1: step.options[0]?.value, select: step.options[0]?.value,
					rank: step.options.map(o => o.value).join(' ')
				}
				answer(step.path, by[step.type])
			}
		}
		step = step.kind === 'repeat' && step.n_instances === 0
			? core.call('fill_add_repeat', { path: step.path }).step
			: core.call('fill_next').step
	}
	assert.equal(step.kind, 'end')
	return photographed
}

function trustAll (core) {
	for (const d of core.call('me').desks.filter(d => d.trust === 'unknown')) {
		const { places } = core.call('desk_ask', { desk: d.id })
		core.call('desk_trust', { desk: d.id, places, words: places.map(p => d.words[p - 1] ?? d.words[p]) })
	}
}

function sealOne (core, text) {
	const photographed = fillIn(core, text)
	assert.deepEqual(core.call('fill_check').faults, [])
	const sealed = core.call('fill_seal')
	core.call('fill_close')
	return { ...sealed, photographed }
}

const folded = async line => (await org.run(line)).trim()

test('an address becomes the WebSocket that PROTOCOL 5.3 names, and nothing else does', () => {
	for (const [address, url] of [
		['localhost:7411', 'ws://localhost:7411/'], ['127.0.0.1:7411', 'ws://127.0.0.1:7411/'],
		['127.9.8.7:1', 'ws://127.9.8.7:1/'], ['[::1]:7411', 'ws://[::1]:7411/'],
		['abcdefghij.onion:7411', 'ws://abcdefghij.onion:7411/'],
		['records.example:7411', 'wss://records.example:7411/'], ['records.example:443', 'wss://records.example/'],
		['10.0.0.1:7411', 'wss://10.0.0.1:7411/'], ['128.0.0.1:7411', 'wss://128.0.0.1:7411/'],
		['localhost.example:1', 'wss://localhost.example:1/'], ['onion:7411', 'wss://onion:7411/']
	]) assert.equal(socketUrl(address), url, address)
	for (const bad of ['', 'a', ':7411', 'a:0', 'a:65536', 'a:b', 'a/b:7', 'u@a:7', 'a?x:7', 'a#x:7', 'a b:7'])
		assert.equal(socketUrl(bad), null, bad)
	assert.equal(base64url(new Uint8Array([251, 255, 190])), '-_--')
})

let volunteer, first

test('a volunteer joins, seals and syncs; a native attorney reads what was sealed', async () => {
	volunteer = await member('Marta Web', 'volunteer')
	trustAll(volunteer)
	first = sealOne(volunteer, 'canary ñandú 4711')
	assert.match(first.code, /^[0-9A-Z]{5}-[0-9A-Z]{5}$/)
	assert.ok(first.photographed.length > 10000)
	assert.equal(volunteer.call('outbox').waiting, 1)
	const phases = new Set()
	const began = performance.now()
	const sum = await whole(volunteer, { tell: p => phases.add(p.phase) })
	figure(`a sealed intake with a photograph of ${first.photographed.length} bytes synced over WebSocket in ${Math.round(performance.now() - began)} ms, ${sum.servers[0].bytes_out} bytes out`)
	assert.equal(sum.servers[0].submissions, 1)
	assert.equal(sum.servers[0].uploaded % 18, 0)
	assert.ok(phases.has('uploading'))
	assert.deepEqual([volunteer.call('outbox').waiting, volunteer.call('outbox').safe], [0, 1])
	await org.release()
	await org.run('as ana sync --yes')
	assert.equal((await org.run('as ana cases --json')).match(/"code"/g).length, 1)
	assert.match(await org.run(`as ana show ${first.code} --lang en`), /canary ñandú 4711/)
	// the photograph, byte for byte
	await org.run(`rm -rf $work/x; as ana export ${first.code} --to $work/x`)
	assert.equal(await folded(`find $work/x -name '*.jpg' -size +4k | wc -l`), '1')
	await writeFile(join(org.work, 'want.jpg'), first.photographed)
	assert.equal(await folded(`cmp $(find $work/x -name '*.jpg' -size +4k) $work/want.jpg && echo same`), 'same')
})

test('what a native attorney passes on is read by the page’s core', async () => {
	const carla = await member('Carla Web', 'attorney')
	await org.release()
	await whole(carla)
	await org.run('as ana sync --yes')
	await org.as('ana', 'assign', first.code, 'Carla Web', '--words-checked')
	await org.run('as ana sync --yes')
	await org.release()
	const sum = await whole(carla, { choice: 'go' })
	assert.ok(sum.fresh > 0, JSON.stringify(sum))
	assert.ok(sum.servers[0].blobs >= 1)
	const { rows } = carla.call('cases', { view: 'all', state: null, desk: null, days: 0, from: 0, n: 10 })
	assert.deepEqual(rows.map(r => r.code), [first.code])
})

test('a cut anywhere repeats work and loses nothing', async () => {
	const codes = []
	let cuts = 0
	for (let cutAfter = 300, n = 0; n < 40; cutAfter = Math.ceil(cutAfter * 1.35), n++) {
		if (n % 6 === 0) codes.push(sealOne(volunteer, `cut ${n}`).code)
		const trouble = { cutAfter, cut: 0 }
		const sum = await syncCore(volunteer, { trouble })
		cuts += trouble.cut
		if (trouble.cut > 0 && sum.complete === 0) assert.notEqual(sum.servers[0].code, '')
	}
	assert.ok(cuts > 10, `${cuts} cuts`)
	await whole(volunteer)
	assert.equal(volunteer.call('outbox').waiting, 0)
	await org.release()
	await org.run('as ana sync --yes')
	const cases = await org.run('as ana cases --json')
	for (const code of codes) assert.ok(cases.includes(code), code)
	figure(`${cuts} connections cut, ${codes.length} intakes sealed meanwhile, lost: 0`)
})

test('an interview goes on, and another is sealed, between any two calls of a sync', async () => {
	sealOne(volunteer, 'before the sync')
	let n = 0
	const codes = []
	await whole(volunteer, {
		between: op => {
			n++
			if (op === 'sync_recv' && codes.length < 2) codes.push(sealOne(volunteer, `between ${n}`).code)
			else volunteer.call('draft_list')
		}
	})
	assert.equal(codes.length, 2)
	await whole(volunteer)
	assert.equal(volunteer.call('outbox').waiting, 0)
	await org.release()
	await org.run('as ana sync --yes')
	const cases = await org.run('as ana cases --json')
	for (const code of codes) assert.ok(cases.includes(code), code)
})

test('a lock in the middle of a sync ends it, and the next unlocking goes on', async () => {
	const { code } = sealOne(volunteer, 'locked away')
	let n = 0
	await assert.rejects(syncCore(volunteer, { between: op => { if (op === 'sync_recv' && ++n === 3) volunteer.lock() } }), { code: 'state' })
	volunteer.unlock(PASS)
	await whole(volunteer)
	assert.equal(volunteer.call('outbox').waiting, 0)
	await org.release()
	await org.run('as ana sync --yes')
	assert.ok((await org.run('as ana cases --json')).includes(code))
})

test('a server that is away, and one that keeps silent, are told apart', async () => {
	await org.run('server_stop s1')
	const gone = await syncCore(volunteer)
	assert.deepEqual([gone.complete, gone.code], [0, 'net'])
	await org.run('server_start s1')
	// a page of an origin that is not on the list is an outsider: it hears nothing
	const call = async (op, args) => volunteer.call(op, args)
	const began = performance.now()
	const out = await visitAll(call, (url, p) => new NodeSocket(url, p, { origin: 'https://evil.example' }), 'ask', new Off(), () => {})
	assert.equal(out.complete, 0)
	assert.equal(out.code, 'auth')
	assert.ok(performance.now() - began > 2500)
	await whole(volunteer)
})

test('what waits as a file is carried by a native member', async () => {
	const { code } = sealOne(volunteer, 'in a file')
	const file = volunteer.call('outbox_save')
	assert.equal(file.name, 'outbox.amparo')
	await writeFile(join(org.work, file.name), file.bytes)
	volunteer.call('outbox_saved', { last: file.last })
	assert.equal(volunteer.call('outbox').saved, 1)
	await org.run('enrol v1 "Volunteer One" volunteer')
	await org.run(`as v1 outbox carry $work/${file.name}`)
	await org.run('as v1 sync')
	assert.equal(volunteer.call('outbox_clear', { all: false }).n, 1)
	assert.equal(volunteer.call('outbox').waiting, 0)
	assert.throws(() => volunteer.call('outbox_save'), { code: 'notfound' })
	await org.release()
	await org.run('as ana sync --yes')
	assert.ok((await org.run('as ana cases --json')).includes(code))
})

test('only WebSockets to the server of the roster were opened', () => {
	assert.ok(log.length > 20)
	assert.deepEqual([...new Set(log)], [`ws://127.0.0.1:${server}/`])
})

test('an op of a sync without a sync says so', async () => {
	for (const [op, args] of [['sync_next', {}], ['sync_recv', { bytes: new Uint8Array(48) }], ['sync_sent', {}], ['sync_closed', { how: 'end' }], ['sync_summary', {}]])
		assert.throws(() => volunteer.call(op, args), { code: 'state' }, op)
	assert.throws(() => volunteer.call('sync_start', { choice: 'all' }), { code: 'format' })
	const nobody = await Core.start()
	nobody.kiosk()
	assert.throws(() => nobody.call('sync_start', { choice: 'ask' }), { code: 'state' })
})
