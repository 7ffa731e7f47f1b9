/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * zip: a zip of files as they are: nothing is compressed, since photographs are already and the
 * rest is small.  APPNOTE.TXT 6.3, method 0, names in UTF-8; no entry is 4 GiB or larger, and
 * there are at most 65,535 of them, so nothing of Zip64 is needed: more is refused.
 */

export interface ZipFile {
	readonly name: string; // '7K3QX-M0T9Z/case.json'
	readonly bytes: Uint8Array;
}

const TABLE = /* @__PURE__ */ (() => {
	const t = new Uint32Array(256);
	for (let n = 0; n < 256; n++) {
		let c = n;
		for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
		t[n] = c >>> 0;
	}
	return t;
})();

export function crc32(bytes: Uint8Array): number {
	let c = 0xffffffff;
	for (let i = 0; i < bytes.length; i++) c = TABLE[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
	return (c ^ 0xffffffff) >>> 0;
}

/* a local date as MS-DOS writes it; before 1980 it has no words */
function dosTime(d: Date): { time: number; date: number } {
	const year = Math.min(Math.max(d.getFullYear(), 1980), 2107);
	return {
		time: (d.getHours() << 11) | (d.getMinutes() << 5) | (d.getSeconds() >> 1),
		date: ((year - 1980) << 9) | ((d.getMonth() + 1) << 5) | d.getDate(),
	};
}

const UTF8_NAMES = 1 << 11;
const VERSION = 20;

/* The parts of the archive in order, for a Blob: the files' bytes are not copied. */
export function zipParts(files: readonly ZipFile[], now: Date): Uint8Array[] {
	const parts: Uint8Array[] = [];
	const central: Uint8Array[] = [];
	const { time, date } = dosTime(now);
	let at = 0;

	if (files.length > 0xffff) throw new RangeError('zip: too many files');
	for (const f of files) {
		const name = new TextEncoder().encode(f.name);
		const crc = crc32(f.bytes);
		const local = new DataView(new ArrayBuffer(30));
		const entry = new DataView(new ArrayBuffer(46));
		const common = (v: DataView, o: number): void => {
			v.setUint16(o, VERSION, true);
			v.setUint16(o + 2, UTF8_NAMES, true);
			v.setUint16(o + 4, 0, true);
			v.setUint16(o + 6, time, true);
			v.setUint16(o + 8, date, true);
			v.setUint32(o + 10, crc, true);
			v.setUint32(o + 14, f.bytes.length, true);
			v.setUint32(o + 18, f.bytes.length, true);
			v.setUint16(o + 22, name.length, true);
		};
		local.setUint32(0, 0x04034b50, true);
		common(local, 4);
		entry.setUint32(0, 0x02014b50, true);
		entry.setUint16(4, VERSION, true);
		common(entry, 6);
		entry.setUint32(42, at, true);
		parts.push(new Uint8Array(local.buffer), name, f.bytes);
		central.push(new Uint8Array(entry.buffer), name);
		at += 30 + name.length + f.bytes.length;
		if (at > 0xffffffff) throw new RangeError('zip: too large');
	}
	const size = central.reduce((n, p) => n + p.length, 0);
	const end = new DataView(new ArrayBuffer(22));
	end.setUint32(0, 0x06054b50, true);
	end.setUint16(8, files.length, true);
	end.setUint16(10, files.length, true);
	end.setUint32(12, size, true);
	end.setUint32(16, at, true);
	return [...parts, ...central, new Uint8Array(end.buffer)];
}
