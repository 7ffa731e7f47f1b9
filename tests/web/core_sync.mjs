// SPDX-License-Identifier: AGPL-3.0-or-later
// A core under node that visits real servers: the page's own mover of bytes (visit.ts) over a
// WebSocket of node.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Core, TOP } from './core.mjs'
import { NodeSocket } from './socket.mjs'

const require = createRequire(join(TOP, 'client/web/package.json'))
const { outputFiles: [built] } = await require('esbuild').build({
	entryPoints: [join(TOP, 'client/web/app/visit.ts')], bundle: true, format: 'esm',
	write: false, absWorkingDir: join(TOP, 'client/web'), logLevel: 'warning'
})
export const { visitAll, socketUrl, base64url, Off } = await import(`data:text/javascript;base64,${Buffer.from(built.contents).toString('base64')}`)

export const PASS = 'meadow kettle anchor violin pepper candle'
// what the sockets of these visits said, in order
export const log = []

// one sync, and again as long as it asks for it; between: called before each call of the core
export async function syncCore (core, { choice = 'ask', trouble = null, between = () => {}, off = new Off(), tell = () => {} } = {}) {
	const call = async (op, args) => {
		between(op)
		return core.call(op, args)
	}
	let sum
	for (let i = 0; i < 4; i++) {
		sum = await visitAll(call, (url, protocol) => new NodeSocket(url, protocol, { trouble, log }), choice, off, tell)
		if (!sum.more || sum.complete === 0) break
	}
	return sum
}

export async function whole (core, how) {
	const sum = await syncCore(core, how)
	assert.equal(sum.code, '', JSON.stringify(sum.servers))
	assert.equal(sum.complete, sum.servers.length)
	return sum
}

// an attorney or volunteer with a core of their own, confirmed by ruth
export async function memberOf (org, name, role) {
	const core = await Core.start()
	core.create(PASS)
	core.call('join', { text: await org.invitation(role), name, languages: ['es', 'en'] })
	await whole(core)
	const { words, state } = core.call('me')
	assert.equal(state, 'joining')
	assert.equal(words.length, 4)
	await org.run('as ruth sync')
	await org.as('ruth', 'confirm', name, '--words', words.join(' '))
	await org.run('as ruth sync')
	await whole(core)
	assert.equal(core.call('me').state, 'member')
	return core
}
