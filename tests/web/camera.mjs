// SPDX-License-Identifier: AGPL-3.0-or-later
// A film for the browser's camera: a slip with a square code on a table, a little out of
// line, dim and grainy, as a hand holds it.  The code is drawn by libqrencode's own tool, like
// those of the program, so that reader and writer are not one library.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

const WIDTH = 640, HEIGHT = 480

// rows of 0 and 1, without a margin
export function modules (text) {
	const art = execFileSync('qrencode', ['-t', 'ASCII', '-m', '0', '-l', 'M', '-o', '-'], { input: text, encoding: 'utf8' })
	return art.split('\n').filter(l => l !== '').map(l => Array.from({ length: l.length / 2 }, (_, i) => l[2 * i] === '#' ? 1 : 0))
}

// noise that is the same each time
function grain (seed) {
	let s = seed >>> 0
	return () => {
		s = (Math.imul(s, 1664525) + 1013904223) >>> 0
		return (s >>> 16) / 65536 - 0.5
	}
}

/*
 * file     .y4m to write, of one second
 * text     what the code says; null: an empty table
 * turn     degrees by which the slip is turned
 */
export function film (file, text, { turn = 7, side = 330, noise = 24 } = {}) {
	const code = text === null ? null : modules(text)
	const n = code ? code.length : 0
	const a = turn * Math.PI / 180
	const frames = []
	for (let f = 0; f < 5; f++) {
		const rnd = grain(f + 1)
		const y = Buffer.alloc(WIDTH * HEIGHT)
		for (let j = 0; j < HEIGHT; j++) {
			for (let i = 0; i < WIDTH; i++) {
				const dx = i - WIDTH / 2 - f, dy = j - HEIGHT / 2 + f
				const u = (dx * Math.cos(a) + dy * Math.sin(a)) / side + 0.5
				const v = (-dx * Math.sin(a) + dy * Math.cos(a)) / side + 0.5
				let light = 96
				if (code && u > -0.12 && u < 1.12 && v > -0.12 && v < 1.12) {
					light = 200
					const row = code[Math.floor(v * n)]
					if (u >= 0 && v >= 0 && row && row[Math.floor(u * n)]) light = 48
				}
				y[j * WIDTH + i] = Math.max(16, Math.min(235, light + rnd() * noise - i / 40))
			}
		}
		frames.push(Buffer.from('FRAME\n'), y, Buffer.alloc(WIDTH * HEIGHT / 2, 128))
	}
	writeFileSync(file, Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F5:1 Ip A1:1 C420jpeg\n`), ...frames]))
}
