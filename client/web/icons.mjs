// SPDX-License-Identifier: AGPL-3.0-or-later
/*
 * icons: the page's picture, a roof over an open door, drawn once as geometry and written
 * as SVG and as PNG.  The PNG is made here, so that no image tool has to be the same
 * version on two machines: each row is told as differences to the pixel on the left, and
 * zlib's Z_RLE knows runs alone, without the searches in which its builds differ.
 */
import { constants, deflateSync } from 'node:zlib';

const SIZE = 96;
const GROUND = [0x1f, 0x5b, 0x57];
const PAPER = [0xfa, 0xf6, 0xf0];
const LAMP = [0xf2, 0xb8, 0x6b];

/* each: colour and polygon, in a square of 96; the ground comes first */
const ROOF = [[48, 18], [82, 47], [76, 54], [48, 30], [20, 54], [14, 47]];
const WALLS = [[26, 53], [48, 34.5], [70, 53], [70, 78], [26, 78]];
const DOOR = [[41, 78], [41, 58], [55, 58], [55, 78]];

function inside(poly, x, y) {
	let is_in = false;
	for (let i = 0, j = poly.length - 1; i < poly.length; j = i++) {
		const [xi, yi] = poly[i], [xj, yj] = poly[j];
		if ((yi > y) !== (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi)
			is_in = !is_in;
	}
	return is_in;
}

/* whether a point is on the rounded square of the ground */
function on_ground(x, y, radius) {
	const dx = Math.max(radius - x, x - (SIZE - radius), 0);
	const dy = Math.max(radius - y, y - (SIZE - radius), 0);
	return dx * dx + dy * dy <= radius * radius;
}

function colour_at(x, y, maskable) {
	if (!maskable && !on_ground(x, y, 20))
		return [0, 0, 0, 0];
	/* what a launcher cuts out is a circle of 80 %: the drawing stays inside of it */
	const s = maskable ? 1 / 0.78 : 1;
	const u = SIZE / 2 + (x - SIZE / 2) * s, v = SIZE / 2 + (y - SIZE / 2) * s;
	if (inside(DOOR, u, v))
		return [...LAMP, 255];
	if (inside(ROOF, u, v) || inside(WALLS, u, v))
		return [...PAPER, 255];
	return [...GROUND, 255];
}

function hex(c) {
	return '#' + c.map((v) => v.toString(16).padStart(2, '0')).join('');
}

export function icon_svg(maskable) {
	const points = (poly) => poly.map((p) => p.join(',')).join(' ');
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96">`
		+ `<rect width="96" height="96" rx="${maskable ? 0 : 20}" fill="${hex(GROUND)}"/>`
		+ `<polygon points="${points(ROOF)}" fill="${hex(PAPER)}"/>`
		+ `<polygon points="${points(WALLS)}" fill="${hex(PAPER)}"/>`
		+ `<polygon points="${points(DOOR)}" fill="${hex(LAMP)}"/></svg>\n`;
}

const CRC = new Uint32Array(256).map((_, n) => {
	for (let k = 0; k < 8; k++)
		n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
	return n >>> 0;
});

function chunk(type, data) {
	const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
	let crc = 0xffffffff;
	for (const b of body)
		crc = CRC[(crc ^ b) & 255] ^ (crc >>> 8);
	const head = Buffer.alloc(4), tail = Buffer.alloc(4);
	head.writeUInt32BE(data.length);
	tail.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
	return Buffer.concat([head, body, tail]);
}

/* 3 × 3 samples a pixel */
export function icon_png(px, maskable) {
	const row = px * 4 + 1;
	const raw = Buffer.alloc(px * row);
	for (let y = 0; y < px; y++) {
		for (let x = 0; x < px; x++) {
			const sum = [0, 0, 0, 0];
			for (let k = 0; k < 9; k++) {
				const c = colour_at((x + (k % 3 + 0.5) / 3) * SIZE / px,
					(y + (Math.floor(k / 3) + 0.5) / 3) * SIZE / px, maskable);
				for (let i = 0; i < 3; i++)
					sum[i] += c[i] * c[3];
				sum[3] += c[3];
			}
			const at = y * row + 1 + x * 4;
			for (let i = 0; i < 3; i++)
				raw[at + i] = sum[3] ? Math.round(sum[i] / sum[3]) : 0;
			raw[at + 3] = Math.round(sum[3] / 9);
		}
	}
	for (let y = 0; y < px; y++) {
		for (let i = row - 1; i > 4; i--)
			raw[y * row + i] -= raw[y * row + i - 4];
		raw[y * row] = 1;
	}
	const ihdr = Buffer.alloc(13);
	ihdr.writeUInt32BE(px, 0);
	ihdr.writeUInt32BE(px, 4);
	ihdr.set([8, 6, 0, 0, 0], 8);
	return Buffer.concat([
		Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
		chunk('IHDR', ihdr), chunk('IDAT', deflateSync(raw, { level: 9, strategy: constants.Z_RLE })), chunk('IEND', Buffer.alloc(0)),
	]);
}
