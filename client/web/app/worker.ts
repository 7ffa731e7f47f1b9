/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * worker: holds the core, so that seconds of Argon2id or of trial decryption never stop the
 * page from answering a finger.  It computes only: a worker of a file:// page has no storage
 * and no network of its own, and gets neither here.
 *
 * One message in, one message out, in order.
 */
import { encodeArgs, WasmCore, type Args } from './wasm';

interface Scope {
	onmessage: ((e: MessageEvent<Ask>) => void) | null;
	postMessage(message: Answer, transfer: Transferable[]): void;
}

export type Ask =
	| { id: number; kind: 'start'; module: ArrayBuffer }
	| { id: number; kind: 'call'; op: string; args: Args };
export type Answer =
	| { id: number; ok: true; answer: Uint8Array; changes: Uint8Array[]; memory: number }
	| { id: number; ok: false; what: string };

const scope = self as unknown as Scope;
let core: WasmCore | null = null;

function wipe(args: Args): void {
	for (const v of Object.values(args)) {
		if (v instanceof Uint8Array)
			v.fill(0);
	}
}

async function serve(ask: Ask): Promise<Answer> {
	if (ask.kind === 'start') {
		core = await WasmCore.make(ask.module, () => Date.now());
		return { id: ask.id, ok: true, answer: new Uint8Array(0), changes: [], memory: core.memory };
	}
	if (!core)
		throw new Error('not started');
	let args: Uint8Array | null = null;
	try {
		args = encodeArgs(ask.args);
		const { answer, changes } = core.run(ask.op, args);
		return { id: ask.id, ok: true, answer, changes, memory: core.memory };
	} finally {
		args?.fill(0);
		wipe(ask.args);
	}
}

scope.onmessage = (e) => {
	serve(e.data).catch((error: unknown): Answer =>
		({ id: e.data.id, ok: false, what: error instanceof Error ? error.message : String(error) }))
		.then((a) => scope.postMessage(a, a.ok ? [a.answer.buffer, ...a.changes.map((c) => c.buffer)] : []));
};
