// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * visit: one sync over WebSockets (PROTOCOL 5.3): the core says which server is wanted and
 * what is to be sent, this moves the bytes.  It decides nothing else, and runs under node too.
 */
import type { OpsSync, SyncChoice, SyncEnd, SyncPhase, SyncStep, SyncSummary } from './ops_sync';

export type SyncCall = <K extends keyof OpsSync>(op: K, args: OpsSync[K]['args']) =>
	Promise<OpsSync[K]['result']>;

/* as much of a WebSocket as is used */
export interface Socket {
	binaryType: string;
	readonly bufferedAmount: number;
	onmessage: ((e: { data: unknown }) => void) | null;
	onclose: ((e: { code: number }) => void) | null;
	onerror: ((e: unknown) => void) | null;
	send(bytes: Uint8Array): void;
	close(code?: number): void;
}
export type SocketMaker = (url: string, protocol: string) => Socket;

export interface SyncProgress {
	address: string;
	phase: SyncPhase;
	n: number;
	total: number;
	moved: number;
}

const FRAME = 4192;
/* with TCP, TLS, the request and the server's answer */
const OPEN_MS = 15000;
/*
 * Whoever is not let in hears nothing until the server's time for a handshake is over; a
 * network that is not there says so sooner.  A browser tells a page only that it failed.
 */
const REFUSED_MS = 2500;
const IDLE_MS = 30000;
/* for the server's bye, before the WebSocket is closed */
const BYE_MS = 2000;
/* of messages given to the core at once; above it what was sent has to leave first */
const BATCH = 256 << 10;
const BUFFERED = 256 << 10;
const BUFFERED_LOOK_MS = 15;

const PORT = /:([0-9]{1,5})$/;

/* PROTOCOL 5.3's table; null: no address */
export function socketUrl(address: string): string | null {
	const port = PORT.exec(address);
	const host = address.slice(0, port?.index ?? 0).toLowerCase();
	if (!port || host === '' || Number(port[1]) < 1 || Number(port[1]) > 65535)
		return null;
	const plain = host === 'localhost' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host) ||
		host === '[::1]' || host.endsWith('.onion');
	try {
		const url = new URL(`${plain ? 'ws' : 'wss'}://${address}/`);
		return url.username + url.password + url.search + url.hash === '' && url.pathname === '/'
			? url.href : null;
	} catch {
		return null;
	}
}

export function base64url(bytes: Uint8Array): string {
	return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/* what came and was not taken yet, and who waits for it */
class Line {
	private readonly came: Uint8Array[] = [];
	private wake: (() => void) | null = null;
	closed = false;
	bad = false;
	any = false;

	constructor(readonly socket: Socket) {
		socket.binaryType = 'arraybuffer';
		socket.onmessage = (e) => {
			/* never a text, nor anything that is no message of the protocol */
			if (!(e.data instanceof ArrayBuffer) || e.data.byteLength !== (this.any ? FRAME : 48)) {
				this.bad = true;
				this.close();
			} else {
				this.any = true;
				this.came.push(new Uint8Array(e.data));
			}
			this.wake?.();
		};
		socket.onerror = () => undefined;
		socket.onclose = () => {
			this.closed = true;
			this.wake?.();
		};
	}

	/* false: nothing came, and the line is closed or the time is over */
	async wait(ms: number, off: Off): Promise<boolean> {
		if (this.came.length === 0 && !this.closed && !this.bad && !off.is)
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, ms);
				this.wake = off.wake = () => {
					clearTimeout(timer);
					resolve();
				};
			});
		this.wake = off.wake = null;
		return this.came.length > 0 && !off.is;
	}

	take(): Uint8Array {
		let n = 0, len = 0;
		while (n < this.came.length && (n === 0 || len + FRAME <= BATCH))
			len += this.came[n++]?.length ?? 0;
		const out = new Uint8Array(len);
		let at = 0;
		for (const m of this.came.splice(0, n)) {
			out.set(m, at);
			at += m.length;
		}
		return out;
	}

	/* one message each; false: the line is closed */
	send(out: Uint8Array): boolean {
		for (let at = 0; at < out.length && !this.closed; at += FRAME)
			this.socket.send(out.subarray(at, at + FRAME));
		return !this.closed;
	}

	async drained(off: Off): Promise<boolean> {
		let left = this.socket.bufferedAmount, since = Date.now();
		while (left > BUFFERED && !this.closed && !off.is) {
			await new Promise((resolve) => setTimeout(resolve, BUFFERED_LOOK_MS));
			if (this.socket.bufferedAmount < left)
				since = Date.now();
			left = this.socket.bufferedAmount;
			if (Date.now() - since > IDLE_MS)
				return false;
		}
		return !this.closed;
	}

	close(): void {
		try {
			this.socket.close(1000);
		} catch {
			/* it was never open */
		}
	}
}

/* how a person, or a lock, breaks a sync off */
export class Off {
	is = false;
	wake: (() => void) | null = null;

	now(): void {
		this.is = true;
		this.wake?.();
	}
}

async function move(line: Line, call: SyncCall, off: Off, tell: (s: SyncStep) => void): Promise<SyncEnd> {
	const began = Date.now();
	for (;;) {
		if (!await line.wait(line.any ? IDLE_MS : OPEN_MS, off)) {
			if (off.is)
				return 'off';
			if (line.closed && !line.any)
				return Date.now() - began < REFUSED_MS ? 'connect' : 'end';
			return line.closed || line.bad ? 'end' : 'timeout';
		}
		let step = await call('sync_recv', { bytes: line.take() });
		for (;;) {
			tell(step);
			if (!line.send(step.out) && !step.done)
				return 'end';
			if (step.done || !step.more)
				break;
			if (!await line.drained(off))
				return off.is ? 'off' : line.closed ? 'end' : 'timeout';
			step = await call('sync_sent', {});
		}
		if (step.done) {
			/* "After both byes the client closes the WebSocket" */
			if (!line.closed)
				await line.wait(BYE_MS, off);
			return 'end';
		}
	}
}

/*
 * One sync of all servers.  Rejects only if a call does; what servers did stands in the summary.
 */
export async function visitAll(call: SyncCall, open: SocketMaker, choice: SyncChoice, off: Off,
		tell: (p: SyncProgress) => void): Promise<SyncSummary> {
	await call('sync_start', { choice });
	for (;;) {
		const next = await call('sync_next', {});
		if (!next.want)
			return call('sync_summary', {});
		const { address, hello } = next;
		const at = { address, phase: 'connecting' as SyncPhase, n: 0, total: 0, moved: 0 };
		tell(at);
		const url = off.is ? null : socketUrl(address);
		let how: SyncEnd = off.is ? 'off' : 'connect';
		if (url) {
			let line: Line | null = null;
			try {
				line = new Line(open(url, base64url(hello)));
			} catch {
				/* the browser's own rules forbid it: as good as no network */
			}
			if (line) {
				try {
					how = await move(line, call, off, (s) => tell({
						address, phase: s.phase, n: s.n, total: s.total, moved: s.moved,
					}));
				} finally {
					line.close();
				}
			}
		}
		await call('sync_closed', { how });
	}
}
