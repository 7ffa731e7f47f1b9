/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * zip: a zip of files as they are: nothing is compressed, since photographs are already and
 * the rest is small.
 */
import { Zip, ZipPassThrough } from 'fflate';

export interface ZipFile {
	readonly name: string; // '7K3QX-M0T9Z/case.json'
	readonly bytes: Uint8Array;
}

/* what an archive holds without Zip64, which fflate does not write */
const FILES_MAX = 0xffff;
const BYTES_MAX = 0xffffffff;

/* The parts of the archive in order, for a Blob: the files' bytes are not copied. */
export function zipParts(files: readonly ZipFile[], now: Date): Uint8Array[] {
	const parts: Uint8Array[] = [];
	const zip = new Zip((error, part) => {
		if (error)
			throw error;
		parts.push(part);
	});
	if (files.length > FILES_MAX)
		throw new RangeError('zip: too many files');
	for (const f of files) {
		const entry = new ZipPassThrough(f.name);
		entry.mtime = now;
		zip.add(entry);
		entry.push(f.bytes, true);
	}
	zip.end();
	if (parts.reduce((sum, p) => sum + p.length, 0) > BYTES_MAX)
		throw new RangeError('zip: too large');
	return parts;
}
