// SPDX-License-Identifier: AGPL-3.0-or-later
// A WebSocket for node, as much of RFC 6455 as a browser's has of it that visit.ts uses: the
// request with Origin and one subprotocol, masked binary messages, a Close.  What a server sends
// otherwise ends it.  Also counts and cuts, for the tests.
import { connect } from 'node:net'
import { createHash, randomBytes } from 'node:crypto'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

// trouble: { cutAfter }: the connection is gone after so many bytes, counted over both ways
export class NodeSocket {
	constructor (url, protocol, { origin = 'null', trouble = null, log = [] } = {}) {
		const u = new URL(url)
		if (u.protocol !== 'ws:') throw new Error(`${url}: only loopback here`)
		this.trouble = trouble
		this.moved = 0
		this.state = 'opening'
		this.rest = Buffer.alloc(0)
		this.onmessage = this.onclose = this.onerror = null
		this.code = 1006
		log.push(url)
		const key = randomBytes(16).toString('base64')
		this.accept = createHash('sha1').update(key + GUID).digest('base64')
		this.protocol = protocol
		this.s = connect({ host: u.hostname, port: Number(u.port) })
		this.s.on('connect', () => this.write(`GET / HTTP/1.1\r\nHost: ${u.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
			`Origin: ${origin}\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`))
		this.s.on('data', b => this.came(b))
		this.s.on('error', e => this.onerror?.(e))
		this.s.on('close', () => {
			if (this.state === 'closed') return
			this.state = 'closed'
			this.onclose?.({ code: this.code })
		})
	}

	get bufferedAmount () {
		return this.s.writableLength
	}

	write (bytes) {
		this.count(bytes.length)
		if (!this.s.destroyed) this.s.write(bytes)
	}

	count (n) {
		this.moved += n
		if (this.trouble && !this.s.destroyed && this.moved >= this.trouble.cutAfter) {
			this.trouble.cut = (this.trouble.cut ?? 0) + 1
			this.s.destroy()
		}
	}

	send (bytes) {
		if (this.state !== 'open') return
		this.frame(2, Buffer.from(bytes))
	}

	frame (opcode, body) {
		const head = Buffer.alloc(body.length < 126 ? 2 : 4)
		head[0] = 0x80 | opcode
		if (body.length < 126) head[1] = 0x80 | body.length
		else {
			head[1] = 0x80 | 126
			head.writeUInt16BE(body.length, 2)
		}
		const mask = randomBytes(4)
		const masked = Buffer.from(body)
		for (let i = 0; i < masked.length; i++) masked[i] ^= mask[i & 3]
		this.write(Buffer.concat([head, mask, masked]))
	}

	came (bytes) {
		this.count(bytes.length)
		if (this.s.destroyed) return
		this.rest = Buffer.concat([this.rest, bytes])
		if (this.state === 'opening' && !this.opened()) return
		for (;;) {
			if (this.rest.length < 2) return
			let len = this.rest[1]
			let at = 2
			if (len > 126) return this.s.destroy()
			if (len === 126) {
				if (this.rest.length < 4) return
				len = this.rest.readUInt16BE(2)
				at = 4
			}
			if (this.rest.length < at + len) return
			const body = this.rest.subarray(at, at + len)
			const first = this.rest[0]
			this.rest = this.rest.subarray(at + len)
			if (first === 0x88) {
				this.code = len >= 2 ? body.readUInt16BE(0) : 1005
				if (this.state === 'open') this.frame(8, Buffer.from(body))
				this.s.end()
				return
			}
			if (first !== 0x82) return this.s.destroy()
			this.onmessage?.({ data: new Uint8Array(body).slice().buffer })
		}
	}

	opened () {
		const end = this.rest.indexOf('\r\n\r\n')
		if (end < 0) return false
		const lines = this.rest.subarray(0, end).toString('latin1').split('\r\n')
		const value = name => lines.find(l => l.toLowerCase().startsWith(name + ':'))?.slice(name.length + 1).trim()
		if (!lines[0].startsWith('HTTP/1.1 101 ') || value('sec-websocket-accept') !== this.accept ||
			value('sec-websocket-protocol') !== this.protocol || value('sec-websocket-extensions') !== undefined) {
			this.s.destroy()
			return false
		}
		this.rest = this.rest.subarray(end + 4)
		this.state = 'open'
		return true
	}

	close (code = 1000) {
		if (this.state === 'open') {
			this.state = 'closing'
			const body = Buffer.alloc(2)
			body.writeUInt16BE(code)
			this.frame(8, body)
		} else if (this.state === 'opening') {
			this.s.destroy()
		}
	}
}
