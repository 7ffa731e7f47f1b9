// SPDX-License-Identifier: AGPL-3.0-or-later
// Pictures of screens, numbered in the order in which they are taken, and who takes them: each
// width once by day and once by night, each language at both widths.
import { mkdirSync } from 'node:fs'
import { join as path } from 'node:path'
import { LAPTOP, PHONE } from './harness.mjs'

// [name, viewport, dark, lang]
export const ALBUMS = [
	['phone-light-es', PHONE, false, 'es'], ['phone-dark-en', PHONE, true, 'en'],
	['laptop-light-en', LAPTOP, false, 'en'], ['laptop-dark-es', LAPTOP, true, 'es']
]

/*
 * returns look(screen, page): a picture of the page as it stands, in the folder.  It is as high as
 * what is on it, so that the bars stand at its ends and not across it.  look.n counts.
 */
export function album (folder, viewport) {
	mkdirSync(folder, { recursive: true })
	const look = async (screen, page) => {
		const height = await page.evaluate(() => document.documentElement.scrollHeight)
		await page.setViewportSize({ ...viewport, height: Math.max(height, viewport.height) })
		await page.screenshot({ path: path(folder, `${String(look.n++).padStart(2, '0')}-${screen.replace(/\W+/g, '-')}.png`), fullPage: true })
		await page.setViewportSize(viewport)
	}
	look.n = 0
	return look
}
