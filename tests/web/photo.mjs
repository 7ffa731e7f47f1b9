// SPDX-License-Identifier: AGPL-3.0-or-later
// Photographs for the tests, as a telephone makes them: large, on their side with a note of it,
// with the place and the camera's name written into them; and what a file says of that.

function exif () {
	// TIFF, big-endian: IFD0 (Make, Orientation, GPS) and the GPS IFD
	const b = Buffer.alloc(160)
	b.write('MM\0*', 0, 'latin1')
	b.writeUInt32BE(8, 4)
	b.writeUInt16BE(3, 8)
	const entry = (at, tag, type, count, value) => {
		b.writeUInt16BE(tag, at)
		b.writeUInt16BE(type, at + 2)
		b.writeUInt32BE(count, at + 4)
		if (type === 3) b.writeUInt16BE(value, at + 8)
		else b.writeUInt32BE(value, at + 8)
	}
	entry(10, 0x010f, 2, 10, 140)
	entry(22, 0x0112, 3, 1, 6)
	entry(34, 0x8825, 4, 1, 50)
	b.write('AmparoCam\0', 140, 'latin1')
	b.writeUInt16BE(2, 50)
	entry(52, 0x0001, 2, 2, 0x4e000000)
	entry(64, 0x0002, 5, 3, 90)
	for (let i = 0; i < 3; i++) {
		b.writeUInt32BE([32, 21, 55][i], 90 + 8 * i)
		b.writeUInt32BE(1, 94 + 8 * i)
	}
	return Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), b])
}

// a page with writing on it, drawn by the browser; lines and noise, so that it is as large as one
export async function photograph (page, { width, height }) {
	const made = await page.evaluate(async ([w, h]) => {
		const c = document.createElement('canvas')
		c.width = w
		c.height = h
		const x = c.getContext('2d')
		x.fillStyle = '#f4f1e8'
		x.fillRect(0, 0, w, h)
		x.fillStyle = '#222'
		x.font = `${Math.round(h / 80)}px serif`
		for (let y = h / 20; y < h; y += h / 50) x.fillText('NOTICE TO APPEAR A 123 456 789 before an immigration judge at the court '.repeat(3), w / 20, y)
		const d = x.getImageData(0, 0, w, h)
		let s = 7
		for (let i = 0; i < d.data.length; i += 4) {
			s = (s * 1103515245 + 12345) & 0x7fffffff
			const n = (s >> 16) % 24 - 12
			for (let k = 0; k < 3; k++) d.data[i + k] += n
		}
		x.putImageData(d, 0, 0)
		const blob = await new Promise(resolve => c.toBlob(resolve, 'image/jpeg', 0.92))
		const bytes = new Uint8Array(await blob.arrayBuffer())
		let text = ''
		for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768))
		return btoa(text)
	}, [width, height])
	const jpeg = Buffer.from(made, 'base64')
	const body = exif()
	const head = Buffer.from([0xff, 0xe1, 0, 0])
	head.writeUInt16BE(body.length + 2, 2)
	return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)])
}

/*
 * What a JPEG's segments say before the picture begins.
 * app1  how many segments of metadata there are; orientation 0: none
 */
export function exifOf (b) {
	const said = { gps: false, orientation: 0, app1: 0 }
	for (let at = 2; at + 4 <= b.length && b[at] === 0xff && b[at + 1] !== 0xda; at += 2 + b.readUInt16BE(at + 2)) {
		if (b[at + 1] < 0xe1 || b[at + 1] > 0xef) continue
		if (b[at + 1] === 0xee) continue
		said.app1++
		if (b.toString('latin1', at + 4, at + 8) !== 'Exif') continue
		const t = at + 10
		const n = b.readUInt16BE(t + 8)
		for (let i = 0; i < n; i++) {
			const e = t + 10 + 12 * i
			if (b.readUInt16BE(e) === 0x0112) said.orientation = b.readUInt16BE(e + 8)
			if (b.readUInt16BE(e) === 0x8825) said.gps = true
		}
	}
	return said
}

// ---- notes of every kind ---------------------------------------------------------------------

const segment = (marker, body) => {
	const head = Buffer.from([0xff, marker, 0, 0])
	head.writeUInt16BE(body.length + 2, 2)
	return Buffer.concat([head, body])
}
const MARKS = {
	xmp: 'PLANTED-XMP', icc: 'PLANTED-ICC', iptc: 'PLANTED-IPTC', comment: 'PLANTED-COMMENT',
	thumbnail: 'PLANTED-THUMBNAIL', exif: 'AmparoCam'
}

// a JPEG with whatever cameras and programs write beside the picture, and a picture behind its end
export function withNotes (jpeg) {
	return Buffer.concat([
		jpeg.subarray(0, 2),
		...(jpeg.includes(MARKS.exif) ? [] : [segment(0xe1, exif())]),
		segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>${MARKS.xmp}</x:xmpmeta>`, 'latin1')),
		segment(0xe2, Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), Buffer.alloc(128), Buffer.from(MARKS.icc)])),
		segment(0xed, Buffer.from(`Photoshop 3.0\x008BIM${MARKS.iptc}`, 'latin1')),
		segment(0xfe, Buffer.from(MARKS.comment)),
		jpeg.subarray(2),
		Buffer.from(`\xff\xd8\xff${MARKS.thumbnail}\xff\xd9`, 'latin1')
	])
}

// CRC-32, as PNG wants it
function crc (bytes) {
	let c = 0xffffffff
	for (const b of bytes) {
		c ^= b
		for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
	}
	return (c ^ 0xffffffff) >>> 0
}

// base64 of a PNG, with Exif, XMP and a comment put before its picture
export function pngWith (base64) {
	const png = Buffer.from(base64, 'base64')
	const chunk = (type, body) => {
		const b = Buffer.alloc(12 + body.length)
		b.writeUInt32BE(body.length, 0)
		b.write(type, 4, 'latin1')
		body.copy(b, 8)
		b.writeUInt32BE(crc(b.subarray(4, 8 + body.length)), 8 + body.length)
		return b
	}
	/* behind the header chunk: 8 of signature, 25 of IHDR */
	return Buffer.concat([png.subarray(0, 33), chunk('eXIf', exif().subarray(6)),
		chunk('iTXt', Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${MARKS.xmp}`, 'latin1')),
		chunk('tEXt', Buffer.from(`Comment\0${MARKS.comment}`, 'latin1')), png.subarray(33)])
}

// which of them are in any byte of a file
export function notesOf (bytes) {
	return Object.keys(MARKS).filter(k => bytes.includes(MARKS[k])).sort()
}
