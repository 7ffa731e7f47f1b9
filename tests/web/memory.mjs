// SPDX-License-Identifier: AGPL-3.0-or-later
// What a page and its core have in memory: every text of the heaps of both threads, as a heap
// snapshot lists them after a collection, and every byte of the core's memory; and what the
// browser has on the disk.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

// a session with the worker, through the page's own (the debugger's old way: messages in messages)
async function workerSession (cdp) {
	let id = 0
	const waiting = new Map()
	const listeners = []
	let attached
	const there = new Promise(resolve => { attached = resolve })
	cdp.on('Target.attachedToTarget', e => { if (e.targetInfo.type === 'worker') attached(e.sessionId) })
	await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false })
	const sessionId = await Promise.race([there, new Promise((_resolve, reject) => setTimeout(() => reject(new Error('the worker was not found')), 5000))])
	cdp.on('Target.receivedMessageFromTarget', e => {
		const m = JSON.parse(e.message)
		if (m.id === undefined) for (const fn of listeners) fn(m)
		else {
			const w = waiting.get(m.id)
			waiting.delete(m.id)
			if (m.error) w?.reject(new Error(m.error.message))
			else w?.resolve(m.result)
		}
	})
	return {
		send: (method, params = {}) => new Promise((resolve, reject) => {
			waiting.set(++id, { resolve, reject })
			cdp.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) }).catch(reject)
		}),
		on: (name, fn) => listeners.push(m => { if (m.method === name) fn(m.params) })
	}
}

async function texts (session) {
	const parts = []
	session.on('HeapProfiler.addHeapSnapshotChunk', e => parts.push(e.chunk))
	await session.send('HeapProfiler.enable')
	await session.send('HeapProfiler.collectGarbage')
	await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false, captureNumericValue: false })
	await session.send('HeapProfiler.disable')
	return JSON.parse(parts.join('')).strings
}

// the addresses of the texts in every WebAssembly.Memory, as UTF-8
const SEARCH = `function (list) {
	const found = []
	for (const memory of this) {
		const bytes = new Uint8Array(memory.buffer)
		for (const text of list) {
			const needle = new TextEncoder().encode(text)
			for (let at = bytes.indexOf(needle[0]); at >= 0; at = bytes.indexOf(needle[0], at + 1)) {
				let i = 1
				while (i < needle.length && bytes[at + i] === needle[i]) i++
				if (i === needle.length) found.push(text + ' at ' + at)
			}
		}
	}
	return JSON.stringify({ found, n: this.length })
}`

/*
 * { page, core }: where the texts were found; page: in texts of the page's or the worker's
 * heap; core: in the memory of the core
 */
export async function inMemory (page, list) {
	const cdp = await page.context().newCDPSession(page)
	try {
		const worker = await workerSession(cdp)
		const look = (what, strings) => strings.filter(s => list.some(t => s.includes(t))).map(s => `${what}: ${s.slice(0, 80)}`)
		const in_page = look('page', await texts(cdp))
		const in_worker = look('worker', await texts(worker))
		await worker.send('Runtime.enable')
		const proto = await worker.send('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' })
		const { objects } = await worker.send('Runtime.queryObjects', { prototypeObjectId: proto.result.objectId })
		const r = await worker.send('Runtime.callFunctionOn', { objectId: objects.objectId, functionDeclaration: SEARCH, arguments: [{ value: list }], returnByValue: true })
		const core = JSON.parse(r.result.value)
		if (core.n < 1) throw new Error('the core has no memory')
		return { page: [...in_page, ...in_worker], core: core.found }
	} finally {
		await cdp.detach()
	}
}

// every byte of every file below a folder that holds one of the texts, as UTF-8 or UTF-16
export function foundIn (folder, texts) {
	const hits = []
	const needles = texts.flatMap(t => [Buffer.from(t), Buffer.from(t, 'utf16le')])
	const walk = at => {
		for (const name of readdirSync(at)) {
			const file = join(at, name)
			const s = statSync(file, { throwIfNoEntry: false })
			if (s?.isDirectory()) walk(file)
			else if (s?.isFile()) {
				const bytes = readFileSync(file)
				for (const n of needles) if (bytes.includes(n)) hits.push(`${file}: ${n}`)
			}
		}
	}
	walk(folder)
	return hits
}
