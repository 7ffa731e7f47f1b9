/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * wasm: the core as a WebAssembly module: bytes in, bytes out.  The same in the page's worker
 * and in the tests under node.  What a call and its answer look like: core/web.h.
 *
 * No view of the module's memory outlives a call: memory may grow, and a view then points
 * nowhere.  What comes out is a copy, and what it was copied from is wiped by the core.
 */
import { encode } from '@msgpack/msgpack';

export type Arg = string | number | boolean | null | Uint8Array | Arg[];
export type Args = { readonly [name: string]: Arg | undefined };

interface Exports {
	memory: WebAssembly.Memory;
	_initialize(): void;
	web_alloc(len: number): number;
	web_free(p: number): void;
	web_len(p: number): number;
	web_run(op: number, args: number): number;
	web_next(): number;
}

export interface Reply {
	answer: Uint8Array;
	/* what the store has to write before the answer counts */
	changes: Uint8Array[];
}

/* The core has ended for good: no memory, or a fault of its own. */
export class CoreEnd extends Error {}

/* half of a pair of surrogates alone is no Unicode; the core would refuse the whole call */
const LONE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

function plain(v: Arg): Arg {
	if (typeof v === 'string')
		return v.replace(LONE, '\uFFFD');
	if (typeof v === 'number' && (!Number.isSafeInteger(v) || v < 0))
		throw new TypeError(`not a count: ${v}`);
	if (Array.isArray(v))
		return v.map(plain);
	if (typeof v === 'object' && v !== null && !(v instanceof Uint8Array))
		throw new TypeError('an argument is a text, a count, bytes or a list of them');
	return v;
}

/*
 * [name, value, name, value, ...].  A list goes as the bytes of its own MessagePack array.
 * This encoder writes every number, text and length in its shortest form, which is the only
 * form the core reads.
 */
export function encodeArgs(args: Args): Uint8Array {
	const pairs: unknown[] = [];
	for (const name of Object.keys(args)) {
		const v = args[name];
		if (v === undefined)
			continue;
		pairs.push(name, Array.isArray(v) ? encode(plain(v)) : plain(v));
	}
	return encode(pairs);
}

export class WasmCore {
	private constructor(private readonly e: Exports) {}

	static async make(module: BufferSource, now: () => number): Promise<WasmCore> {
		let memory: WebAssembly.Memory | null = null;
		const { instance } = await WebAssembly.instantiate(module, {
			amparo: {
				random(p: number, len: number): void {
					if (!memory)
						throw new CoreEnd('random bytes before the memory is there');
					/* not more than 65,536 bytes at once: Web Cryptography */
					for (let at = 0; at < len; at += 65536)
						crypto.getRandomValues(new Uint8Array(memory.buffer, p + at, Math.min(65536, len - at)));
				},
				now_ms: now,
			},
		});
		const e = instance.exports as unknown as Exports;
		memory = e.memory;
		e._initialize();
		return new WasmCore(e);
	}

	/* bytes of memory that the module has taken so far */
	get memory(): number {
		return this.e.memory.buffer.byteLength;
	}

	private put(bytes: Uint8Array): number {
		const p = this.e.web_alloc(bytes.length);
		if (p === 0)
			throw new CoreEnd('no memory');
		new Uint8Array(this.e.memory.buffer, p, bytes.length).set(bytes);
		return p;
	}

	/* a copy; the core's is wiped and freed */
	private take(p: number): Uint8Array {
		const copy = new Uint8Array(this.e.memory.buffer, p, this.e.web_len(p)).slice();
		this.e.web_free(p);
		return copy;
	}

	/* args: already encoded; the caller's, wiped by it */
	run(op: string, args: Uint8Array): Reply {
		const o = this.put(new TextEncoder().encode(op));
		let a = 0, p = 0;
		try {
			a = this.put(args);
			p = this.e.web_run(o, a);
		} finally {
			this.e.web_free(o);
			this.e.web_free(a);
		}
		if (p === 0)
			throw new CoreEnd('no memory for an answer');
		const answer = this.take(p);
		const changes: Uint8Array[] = [];
		for (;;) {
			const c = this.e.web_next();
			if (c === 0)
				break;
			changes.push(this.take(c));
		}
		return { answer, changes };
	}
}
