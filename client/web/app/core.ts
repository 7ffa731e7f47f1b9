/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * core: how the screens reach the C core.
 *
 *	await boot();                                  once; 'tab': another tab has the vault
 *	if (await deviceHasVault()) await unlock(pass); else await create(pass);
 *	const me = await call('me', {});
 *	await lock();
 *
 * ORDER     Calls run one after the other, in the order they were made.
 * DURABLE   A promise resolves when what the call changed is on disk, sealed; never before.
 *           So nothing is shown as saved, and no byte is given to a server, too early.
 * ERRORS    CoreError {code, why}: the code of the core ("auth", "notfound", ...), and
 *             store, full   the change could not be written: the disk is as it was, the core is
 *                           dead until the page is loaded again ('full': no room is left)
 *             corrupt       the vault on this device is damaged
 *             unknown       it was written by a later page
 *             tab           another tab has the vault, or took it
 *             locked        the vault was locked while the call waited
 *             end           the core itself ended (no memory); dead until the page is loaded
 * SETTLING  What was erased is made unopenable by a settling (kv_rows.h), which writes every
 *           row anew.  It is done here, by itself: after unlocking, and as soon as calls have
 *           paused; a large vault waits for settleNow (after a sync) or the next unlocking.
 */
import { decode } from '@msgpack/msgpack';
import wasmText from 'amparo:wasm';
import workerText from 'amparo:worker';
import type { Ops } from './ops';
import { askToPersist, Store, StoreError, type Room, type Row } from './store';
import { scriptUrl } from './trusted';
import type { Args } from './wasm';
import type { Answer, Ask } from './worker';

export class CoreError extends Error {
	constructor(readonly code: string, readonly why: string = '') {
		super(why === '' ? code : `${code}: ${why}`);
		this.name = 'CoreError';
	}
}

/* a settling of so many bytes is not noticed */
const SETTLE_BYTES = 16 << 20;
const SETTLE_PAUSE_MS = 400;
/* of one vault_load */
const LOAD_ROWS = 1024;

interface Waiting { resolve(a: Answer): void; reject(e: unknown): void }

let worker: Worker | null = null;
let store: Store | null = null;
let dead: CoreError | null = null;
let kiosk = false;
let open = false;
let bytes = 0;
let owed = false;
let memory = 0;
let last_id = 0;
let queue: Promise<unknown> = Promise.resolve();
let pause = 0;
const waiting = new Map<number, Waiting>();

/* ---- the worker ------------------------------------------------------------------------- */

function die(code: string, why: string): CoreError {
	dead ??= new CoreError(code, why);
	stopWorker(dead);
	setOpen(false);
	return dead;
}

/* whoever waits for an answer of it is told: the queue must not wait for ever */
function stopWorker(why: CoreError): void {
	worker?.terminate();
	worker = null;
	for (const w of waiting.values())
		w.reject(why);
	waiting.clear();
}

function ask(message: Ask, transfer: Transferable[] = []): Promise<Answer> {
	const w = worker;
	if (!w)
		return Promise.reject(dead ?? new CoreError('locked'));
	return new Promise((resolve, reject) => {
		waiting.set(message.id, { resolve, reject });
		w.postMessage(message, transfer);
	});
}

function fromBase64(text: string): ArrayBuffer {
	const bin = atob(text);
	const out = new Uint8Array(bin.length);
	for (let i = 0; i < bin.length; i++)
		out[i] = bin.charCodeAt(i);
	return out.buffer;
}

async function startWorker(): Promise<void> {
	if (worker)
		return;
	const url = URL.createObjectURL(new Blob([workerText], { type: 'text/javascript' }));
	try {
		const w = new Worker(scriptUrl(url), { name: 'amparo' });
		w.onmessage = (e: MessageEvent<Answer>) => {
			const who = waiting.get(e.data.id);
			waiting.delete(e.data.id);
			who?.resolve(e.data);
		};
		w.onerror = (e) => {
			e.preventDefault();
			die('end', e.message);
		};
		worker = w;
		const module = fromBase64(wasmText);
		const a = await ask({ id: ++last_id, kind: 'start', module }, [module]);
		if (!a.ok)
			throw die('end', a.what);
	} finally {
		URL.revokeObjectURL(url);
	}
}

/* ---- who listens ------------------------------------------------------------------------ */

const vault_fns: ((is_open: boolean) => void)[] = [];
const called_fns: ((op: keyof Ops) => void)[] = [];

/* Told when a vault is open, and when it is not any more. */
export function onVault(fn: (is_open: boolean) => void): void {
	vault_fns.push(fn);
}

/* Told of each call that worked, once what it changed is on disk. */
export function onCalled(fn: (op: keyof Ops) => void): void {
	called_fns.push(fn);
}

/* a fault of theirs is not one of the call, which has done what it was to do */
function tell<T>(fns: readonly ((what: T) => void)[], what: T): void {
	for (const fn of fns) {
		try {
			fn(what);
		} catch (e) {
			window.setTimeout(() => {
				throw e;
			});
		}
	}
}

function setOpen(is_open: boolean): void {
	if (open === is_open)
		return;
	open = is_open;
	tell(vault_fns, is_open);
}

/* ---- one call --------------------------------------------------------------------------- */

interface Envelope { ok?: unknown; err?: string; why?: string; n: number; owed: boolean }

async function run(op: string, args: Args, transfer: Transferable[] = []): Promise<unknown> {
	if (dead)
		throw dead;
	const a = await ask({ id: ++last_id, kind: 'call', op, args }, transfer);
	if (!a.ok)
		throw die('end', a.what);
	memory = a.memory;
	const e = decode(a.answer) as Envelope;
	/* the core says how many changes there are at most, and never fewer than it gives */
	if (a.changes.length > e.n)
		throw die('end', 'more changes than were told');
	if (e.n > 0 && a.changes.length === 0)
		throw die('end', 'changes are missing');
	if (a.changes.length > 0) {
		try {
			if (!store)
				throw new StoreError('store', 'there is no store');
			await store.write(a.changes);
		} catch (fault) {
			throw fault instanceof StoreError ? die(fault.code, fault.message) : die('store', String(fault));
		}
	}
	owed = e.owed;
	if (e.err !== undefined)
		throw new CoreError(e.err, e.why ?? '');
	return e.ok;
}

/* after everything that was asked before */
function inTurn<T>(fn: () => Promise<T>): Promise<T> {
	const mine = queue.then(fn, fn);
	queue = mine.catch(() => undefined);
	return mine;
}

async function settle(): Promise<void> {
	const r = await run('vault_settle', {}) as { bytes: number };
	bytes = r.bytes;
}

function settleLater(): void {
	window.clearTimeout(pause);
	if (!owed || kiosk || !open || bytes > SETTLE_BYTES)
		return;
	pause = window.setTimeout(() => {
		settleNow().catch(() => undefined);
	}, SETTLE_PAUSE_MS);
}

function ofStore(e: unknown): CoreError {
	return new CoreError(e instanceof StoreError ? e.code : 'store', String(e));
}

/* ---- for the screens --------------------------------------------------------------------- */

/* Takes the store and starts the core.  May be called again after 'tab'. */
export async function boot(): Promise<void> {
	if (dead)
		throw dead;
	try {
		store ??= await Store.open();
	} catch (e) {
		throw ofStore(e);
	}
	await startWorker();
}

export async function deviceHasVault(): Promise<boolean> {
	if (!store)
		return false;
	try {
		return (await store.header()) !== null;
	} catch (e) {
		throw ofStore(e);
	}
}

export function call<K extends keyof Ops>(op: K, args: Ops[K]['args']): Promise<Ops[K]['result']> {
	return inTurn(async () => {
		if (dead)
			throw dead;
		if (!open && !ANYTIME.has(op))
			throw new CoreError('locked');
		try {
			const result = await run(op, args as unknown as Args) as Ops[K]['result'];
			tell(called_fns, op);
			return result;
		} finally {
			settleLater();
		}
	});
}

/* what works without a vault */
const ANYTIME = new Set<string>(['passphrase_words', 'passphrase_judge', 'passphrase_same', 'invite_read']);

/* phones get the lighter Argon2id: 64 MiB instead of 256, which many of them do not have */
export function isLight(): boolean {
	const n = navigator as Navigator & { deviceMemory?: number; userAgentData?: { mobile: boolean } };
	return n.userAgentData?.mobile === true || (n.deviceMemory !== undefined && n.deviceMemory <= 4) ||
		/Android|iPhone|iPad|Mobile/.test(n.userAgent);
}

interface Opened { state: number; bytes: number }

function opened(r: unknown, is_kiosk: boolean): void {
	kiosk = is_kiosk;
	bytes = (r as Opened).bytes;
	setOpen(true);
}

/*
 * A new vault; kiosk: nothing is ever written, pass is not used.  'exists': there is one on
 * this device (a kiosk does not touch it).  'key': the passphrase is too weak.
 */
export function create(pass: string, how: { kiosk?: boolean } = {}): Promise<void> {
	return inTurn(async () => {
		await startWorker();
		if (how.kiosk === true) {
			opened(await run('vault_create', { kiosk: true }), true);
			return;
		}
		if (await deviceHasVault())
			throw new CoreError('exists');
		opened(await run('vault_create', { kiosk: false, light: isLight(), pass }), false);
		void askToPersist();
	});
}

/* 'auth': not the passphrase.  'notfound': there is no vault. */
export function unlock(pass: string): Promise<void> {
	return inTurn(async () => {
		await startWorker();
		const s = store;
		const header = s ? await s.header().catch((e: unknown) => Promise.reject(ofStore(e))) : null;
		if (!s || !header)
			throw new CoreError('notfound');
		await run('vault_unlock', { header, pass });
		let some: Uint8Array[] = [], sum = 0;
		const load = async (): Promise<void> => {
			const rows = some;
			some = [];
			sum = 0;
			if (rows.length > 0)
				await run('vault_load', { rows }, rows.map((r) => r.buffer as ArrayBuffer));
		};
		try {
			for await (const chunk of s.rows()) {
				for (const row of chunk) {
					some.push(join(row));
					sum += row[1].length;
					if (some.length === LOAD_ROWS || sum > 4 << 20)
						await load();
				}
			}
		} catch (e) {
			throw e instanceof StoreError ? die(e.code, e.message) : e;
		}
		await load();
		opened(await run('vault_open', {}), false);
		void askToPersist();
		settleLater();
	});
}

function join(row: Row): Uint8Array {
	const out = new Uint8Array(row[0].length + row[1].length);
	out.set(row[0]);
	out.set(row[1], row[0].length);
	return out;
}

let locking: Promise<void> | null = null;

async function lockNow(): Promise<void> {
	setOpen(false);
	await inTurn(async () => {
		/* what was erased is not left openable for want of a pause */
		if (owed && !kiosk && !dead && bytes <= SETTLE_BYTES)
			await settle().catch(() => undefined);
		await run('vault_lock', {}).catch(() => undefined);
		stopWorker(new CoreError('locked'));
		owed = false;
		kiosk = false;
	});
	await startWorker().catch(() => undefined);
}

/*
 * The keys are wiped, and the memory that held them goes with the worker.  Again, while it is
 * being locked: the same promise.  While it is being unlocked: that ends with 'locked'.
 */
export function lock(): Promise<void> {
	window.clearTimeout(pause);
	if (locking)
		return locking;
	if (!open) {
		lockHard();
		return Promise.resolve();
	}
	locking = lockNow().finally(() => {
		locking = null;
	});
	return locking;
}

/* At once, in the middle of whatever goes on: the worker ends, and with it all keys. */
export function lockHard(): void {
	window.clearTimeout(pause);
	setOpen(false);
	stopWorker(new CoreError('locked'));
}

/* 'auth': old is not the passphrase.  'key': the new one is too weak. */
export function changePassphrase(old: string, pass: string): Promise<void> {
	return inTurn(async () => {
		await run('vault_passphrase', { old, pass, light: isLight() });
	});
}

/* After a sync, which is when much was erased.  Seconds for a large vault. */
export function settleNow(): Promise<void> {
	return inTurn(async () => {
		if (open && owed && !kiosk)
			await settle();
	});
}

export function isOpen(): boolean {
	return open && !dead;
}

export function isKiosk(): boolean {
	return open && kiosk;
}

/* The vault goes from this device: keys, database, caches.  Afterwards boot() begins anew. */
export async function wipe(): Promise<void> {
	lockHard();
	await queue;
	dead = null;
	owed = false;
	kiosk = false;
	try {
		const s = store ?? await Store.open();
		store = null;
		await s.wipe();
	} catch (e) {
		throw ofStore(e);
	}
	if ('caches' in window) {
		for (const name of await caches.keys())
			await caches.delete(name);
	}
}

/* Whether the browser promised not to evict the vault, and its room. */
export function room(): Promise<Room> {
	return askToPersist();
}

/* bytes the core's memory has grown to, for figures */
export function coreMemory(): number {
	return memory;
}
