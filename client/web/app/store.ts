/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * store: the vault's sealed rows in IndexedDB.  Nothing readable ever comes here: a row is
 * its keyed hash, its sealed name and its sealed value (core/kv_rows.h).
 *
 * Object store "rows":  'header' -> the vault's header, a Blob; 'turn' -> a count that rises with
 * each write; rk (32 bytes) -> sealed name, sealed value.
 *
 * - The changes of one call are one transaction with durability "strict": after write() they
 *   are on disk, all of them; after an error or a dead battery, none of them.
 * - One tab.  Two would write over each other's rows.  A lock lets the second one say so in
 *   a sentence; and where a browser has no locks, `turn` is compared inside of each
 *   transaction: whoever is behind writes nothing and ends.
 * - Settling.  A browser's database keeps what was deleted or replaced in its files for as
 *   long as it likes: old sealed rows, too.  What they could be opened with, the old header
 *   (it holds the old vault key, wrapped), must not be among them: it is stored as a Blob,
 *   which browsers keep in a file of its own, and remove when it is replaced (at the latest
 *   after the page that had read it is closed).
 */
export type Row = readonly [rk: Uint8Array, row: Uint8Array];

const NAME = 'amparo';
const ROWS = 'rows';
const CHUNK_BYTES = 4 << 20;

export class StoreError extends Error {
	/*
	 * 'tab'      another tab has it
	 * 'corrupt'  what is there is no whole vault
	 * 'unknown'  it is of a later page
	 */
	constructor(readonly code: 'store' | 'tab' | 'full' | 'corrupt' | 'unknown', message: string) {
		super(message);
	}
}

function fault(e: unknown): StoreError {
	if (e instanceof StoreError)
		return e;
	const name = e instanceof DOMException ? e.name : '';
	const text = e instanceof Error ? e.message : String(e);
	return new StoreError(name === 'QuotaExceededError' ? 'full'
		: name === 'VersionError' ? 'unknown' : 'store', text);
}

function done<T>(r: IDBRequest<T>): Promise<T> {
	return new Promise((resolve, reject) => {
		r.onsuccess = () => resolve(r.result);
		r.onerror = () => reject(fault(r.error));
	});
}

function ended(t: IDBTransaction): Promise<void> {
	return new Promise((resolve, reject) => {
		t.oncomplete = () => resolve();
		t.onabort = () => reject(fault(t.error ?? new Error('aborted')));
	});
}

/* make: also where there is none yet; otherwise null, and none is left behind */
function openDb(make: true): Promise<IDBDatabase>;
function openDb(make: boolean): Promise<IDBDatabase | null>;
function openDb(make: boolean): Promise<IDBDatabase | null> {
	return new Promise((resolve, reject) => {
		let r: IDBOpenDBRequest;
		try {
			r = indexedDB.open(NAME, 1);
		} catch (e) {
			reject(fault(e));
			return;
		}
		let is_none = false;
		r.onupgradeneeded = () => {
			if (make) {
				r.result.createObjectStore(ROWS);
			} else {
				/* a database whose first transaction is aborted was never there */
				is_none = true;
				r.transaction?.abort();
			}
		};
		r.onsuccess = () => {
			const db = r.result;
			/* a wipe in another tab: this one must not keep it from happening */
			db.onversionchange = () => db.close();
			resolve(db);
		};
		r.onerror = (e) => {
			e.preventDefault();
			if (is_none)
				resolve(null);
			else
				reject(fault(r.error));
		};
	});
}

/* keys of rows are bytes, and bytes stand behind all texts */
const ALL = (): IDBKeyRange => IDBKeyRange.lowerBound(new ArrayBuffer(0));

export class Store {
	private turn = 0;
	/* db: null until something is written */
	private constructor(private db: IDBDatabase | null, private readonly release: () => void) {}

	/*
	 * StoreError 'tab': another tab has the vault.  Nothing is made on the disk: a page that was
	 * only looked at, a hall's tablet, and one that was wiped have no database.
	 */
	static async open(): Promise<Store> {
		const release = await takeLock();
		try {
			const s = new Store(await openDb(false), release);
			s.turn = await s.readTurn();
			return s;
		} catch (e) {
			release();
			throw fault(e);
		}
	}

	private read(db: IDBDatabase): IDBObjectStore {
		return db.transaction(ROWS, 'readonly').objectStore(ROWS);
	}

	private async readTurn(): Promise<number> {
		const v: unknown = this.db && await done(this.read(this.db).get('turn'));
		return typeof v === 'number' ? v : 0;
	}

	/*
	 * null: there is no vault.  'corrupt': there was one, and its header is gone or is something
	 * else.  It must not look like none: making a new vault clears every row.
	 */
	async header(): Promise<Uint8Array | null> {
		try {
			const v: unknown = this.db && await done(this.read(this.db).get('header'));
			if (v instanceof Blob)
				return new Uint8Array(await v.arrayBuffer());
			if (this.turn > 0)
				throw new StoreError('corrupt', 'a vault without its header');
			return null;
		} catch (e) {
			throw fault(e);
		}
	}

	/* All rows, some at a time. */
	async *rows(): AsyncGenerator<Row[]> {
		let range = ALL(), n = 64;
		const db = this.db;
		if (!db)
			return;
		try {
			for (;;) {
				const rows = this.read(db);
				const [keys, values] = await Promise.all([
					done(rows.getAllKeys(range, n)), done(rows.getAll(range, n)),
				]);
				const found = keys.map((k, i): Row =>
					[new Uint8Array(k as ArrayBuffer), values[i] as Uint8Array]);
				const last = keys[keys.length - 1];
				if (last === undefined)
					return;
				yield found;
				const bytes = found.reduce((sum, r) => sum + r[1].length, 0);
				n = Math.max(16, Math.min(1024, Math.floor(n * CHUNK_BYTES / Math.max(bytes, 1))));
				range = IDBKeyRange.lowerBound(last, true);
			}
		} catch (e) {
			throw fault(e);
		}
	}

	/*
	 * Everything that one call of the core changed, at once and durably.  After an error the
	 * disk is as it was, and the core must not go on.
	 */
	async write(changes: readonly Uint8Array[]): Promise<void> {
		if (changes.length === 0)
			return;
		try {
			this.db ??= await openDb(true);
			const t = this.db.transaction(ROWS, 'readwrite', { durability: 'strict' });
			const end = ended(t);
			end.catch(() => undefined);
			const rows = t.objectStore(ROWS);
			if (((await done(rows.get('turn'))) ?? 0) !== this.turn) {
				t.abort();
				throw new StoreError('tab', 'another tab has changed the vault');
			}
			try {
				for (const c of changes)
					put(rows, c);
				rows.put(this.turn + 1, 'turn');
			} catch (e) {
				/* half of a call must not be committed by itself */
				t.abort();
				throw e;
			}
			await end;
			this.turn++;
		} catch (e) {
			throw fault(e);
		}
	}

	/* The database goes, whatever is in it. */
	async wipe(): Promise<void> {
		this.db?.close();
		try {
			await done(indexedDB.deleteDatabase(NAME));
		} catch (e) {
			throw fault(e);
		} finally {
			this.release();
		}
	}

	close(): void {
		this.db?.close();
		this.release();
	}
}

function put(rows: IDBObjectStore, change: Uint8Array): void {
	const kind = change[0];
	if (kind === 0x63 /* c */) {
		rows.clear();
	} else if (kind === 0x68 /* h */) {
		rows.put(new Blob([change.slice(1)]), 'header');
	} else if (kind === 0x72 /* r */) {
		const rk = change.slice(1, 33);
		if (change.length === 33)
			rows.delete(rk);
		else
			rows.put(change.slice(33), rk);
	} else {
		throw new StoreError('store', 'a change of a kind that is not known');
	}
}

/* Until release() or the end of the page.  Rejects with 'tab' if another tab has it. */
function takeLock(): Promise<() => void> {
	/* older browsers: `turn` alone stands guard */
	if (!('locks' in navigator))
		return Promise.resolve(() => undefined);
	return new Promise((resolve, reject) => {
		navigator.locks.request(NAME, { ifAvailable: true }, (lock) => {
			if (!lock) {
				reject(new StoreError('tab', 'another tab has the vault open'));
				return undefined;
			}
			return new Promise<void>((release) => resolve(release));
		}).catch((e: unknown) => reject(fault(e)));
	});
}

/*
 * Ask the browser not to evict what is stored; what it says, and how much room there is.
 * 0: unknown.
 */
export interface Room { persisted: boolean; used: number; quota: number }

export async function askToPersist(): Promise<Room> {
	const room: Room = { persisted: false, used: 0, quota: 0 };
	try {
		room.persisted = await navigator.storage.persisted() || await navigator.storage.persist();
		const e = await navigator.storage.estimate();
		room.used = e.usage ?? 0;
		room.quota = e.quota ?? 0;
	} catch {
		/* file:// in some browsers: then nothing is known and the warning stays */
	}
	return room;
}
