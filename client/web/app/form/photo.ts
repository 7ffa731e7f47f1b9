/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * photo: a picture made small enough to be sent over a bad network, and still legible.
 *
 * It is drawn anew and written as JPEG, upright, on white.  What the camera had written into
 * the file (place, moment, its own number, a small copy of the uncut picture) is not in the
 * drawing, so it cannot be in what is written; the core takes it out once more.
 *
 * Papers are photographed to be read, so size comes before smoothness: the largest picture
 * that fits at a quality at which letters stay clean, then the best quality that fits.
 */

export interface Photo { bytes: Uint8Array; width: number; height: number }

/* no_picture: it cannot be decoded here; not_small: not even SMALLEST fits */
export class PhotoError extends Error {
	constructor(readonly what: 'no_picture' | 'not_small') {
		super(what);
	}
}

const LARGEST = 2600;        /* longer side; a page of Letter at 236 dots an inch */
const SMALLEST = 480;
const CLEAN = 0.6;           /* letters keep their edges from here on */
const BEST = 0.92;
const PIXELS_MAX = 100e6;    /* a decoded picture larger than this would end the page */

interface Source { draw: CanvasImageSource; width: number; height: number }
interface Decoded extends Source { close: () => void }

/* upright, as the camera's note of its orientation says */
async function decode(file: Blob): Promise<Decoded> {
	try {
		const b = await createImageBitmap(file, { imageOrientation: 'from-image' });
		return { draw: b, width: b.width, height: b.height, close: () => b.close() };
	} catch {
		/* older Safari knows no options; some formats only an <img> can decode */
	}
	const url = URL.createObjectURL(file);
	try {
		const img = new Image();
		img.src = url;
		await img.decode();
		if (img.naturalWidth === 0)
			throw new PhotoError('no_picture');
		return { draw: img, width: img.naturalWidth, height: img.naturalHeight, close: () => URL.revokeObjectURL(url) };
	} catch {
		URL.revokeObjectURL(url);
		throw new PhotoError('no_picture');
	}
}

function written(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
	return new Promise((resolve, reject) => canvas.toBlob(
		(b) => b && b.type === 'image/jpeg' ? resolve(b) : reject(new PhotoError('no_picture')),
		'image/jpeg', quality));
}

/* A canvas whose longer side has this length, or the picture's own where that is shorter. */
function drawn(s: Source, side: number): HTMLCanvasElement {
	const scale = Math.min(1, side / Math.max(s.width, s.height));
	const canvas = document.createElement('canvas');
	canvas.width = Math.max(1, Math.round(s.width * scale));
	canvas.height = Math.max(1, Math.round(s.height * scale));
	const c = canvas.getContext('2d', { alpha: false });
	if (!c)
		throw new PhotoError('no_picture');
	c.fillStyle = '#ffffff';
	c.fillRect(0, 0, canvas.width, canvas.height);
	c.imageSmoothingEnabled = true;
	c.imageSmoothingQuality = 'high';
	c.drawImage(s.draw, 0, 0, canvas.width, canvas.height);
	return canvas;
}

/* The picture is not left in memory that the page no longer looks at. */
function wipe(canvas: HTMLCanvasElement): void {
	canvas.width = 0;
	canvas.height = 0;
}

/* At the largest size that is ever tried.  The picture as it was taken, 200 MB in a telephone
 * of 50 megapixels, is let go before anything is tried with it. */
async function large(file: Blob): Promise<Source & { draw: HTMLCanvasElement }> {
	const whole = await decode(file);
	try {
		if (whole.width * whole.height > PIXELS_MAX)
			throw new PhotoError('no_picture');
		const canvas = drawn(whole, LARGEST);
		return { draw: canvas, width: canvas.width, height: canvas.height };
	} finally {
		whole.close();
	}
}

/* max: bytes the result may have */
export async function shrink(file: Blob, max: number): Promise<Photo> {
	const source = await large(file);
	try {
		const longer = Math.max(source.width, source.height);
		const at = async (side: number, quality: number): Promise<Blob | null> => {
			const canvas = drawn(source, side);
			try {
				const b = await written(canvas, quality);
				return b.size <= max ? b : null;
			} finally {
				wipe(canvas);
			}
		};
		/* the largest that fits when clean */
		let high = Math.min(LARGEST, longer);
		let low = Math.min(SMALLEST, high);
		let side = high;
		let best = await at(high, CLEAN);
		if (!best) {
			best = await at(low, CLEAN);
			if (!best)
				throw new PhotoError('not_small');
			side = low;
			while (high - low > Math.max(24, high / 40)) {
				const middle = Math.round((low + high) / 2);
				const b = await at(middle, CLEAN);
				if (b) {
					best = b;
					side = low = middle;
				} else {
					high = middle;
				}
			}
		}
		/* then the best quality that fits at this size */
		const canvas = drawn(source, side);
		try {
			let bad = BEST, good = CLEAN;
			const top = await written(canvas, BEST);
			if (top.size <= max)
				best = top;
			else
				while (bad - good > 0.02) {
					const q = (bad + good) / 2;
					const b = await written(canvas, q);
					if (b.size <= max) {
						best = b;
						good = q;
					} else {
						bad = q;
					}
				}
			return { bytes: new Uint8Array(await best.arrayBuffer()), width: canvas.width, height: canvas.height };
		} finally {
			wipe(canvas);
		}
	} finally {
		wipe(source.draw);
	}
}
