// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: a picture of every screen of the attorney's desk, at the width of a phone and of a laptop,
// light and dark, in both languages:  node tests/web/desk_shots.mjs [FOLDER]
import { mkdirSync } from 'node:fs'
import { join as path } from 'node:path'
import { B, Device, host, LAPTOP, Organisation, PHONE, TOP } from './harness.mjs'
import { button, holdDesk, joinDesk, say, syncDesk, unlock } from './steps.mjs'

const out = process.argv[2] ?? path(TOP, B, 'web/shots')
const site = await host()
const org = await Organisation.found({ sitePort: site.port })
const d = await Device.start({ viewport: LAPTOP })
const page = d.page
let pictures = 0
try {
	const pass = await joinDesk(org, page, { url: site.url, name: 'Carol Diaz' })
	await holdDesk(org, page, { name: 'Carol Diaz' })
	await org.run('enrol vera "Vera Cruz" volunteer && as vera sync && enrol dan "Dan Okoro" attorney && as ruth release')
	const code = (await org.run('submit vera 01')).trim()
	for (const n of ['02', '03', '05', '06', '07', '10', '11', '12']) await org.run(`submit vera ${n}`)
	await org.run('as vera sync && as ruth release')
	await syncDesk(page, 'en')
	for (const [name, viewport, scheme, lang] of [
		['desk-laptop-light-en', LAPTOP, 'light', 'en'], ['desk-laptop-dark-es', LAPTOP, 'dark', 'es'],
		['desk-phone-light-es', PHONE, 'light', 'es'], ['desk-phone-dark-en', PHONE, 'dark', 'en']
	]) {
		const folder = path(out, name)
		mkdirSync(folder, { recursive: true })
		let n = 0
		const look = async screen => {
			await page.waitForTimeout(250)
			await page.screenshot({ path: path(folder, `${String(n++).padStart(2, '0')}-${screen.replace(/\W+/g, '-')}.png`) })
			pictures++
		}
		await page.setViewportSize(viewport)
		await page.emulateMedia({ colorScheme: scheme })
		await page.evaluate(l => localStorage.setItem('amparo.prefs', JSON.stringify({ lang: l })), lang)
		await page.reload()
		await look('door')
		await unlock(page, lang, pass)
		const row = page.getByRole('grid').getByRole('row').filter({ hasText: code })
		await row.waitFor({ timeout: 60000 })
		await look('list')
		await button(page, lang, 'status.title').click()
		await page.locator('.status .card').first().waitFor()
		await look('status')
		await page.keyboard.press('Escape')
		await row.click()
		await page.waitForFunction(() => document.querySelectorAll('.thumbs img').length === 3)
		await look('case')
		await page.locator('.answers').evaluate(e => e.scrollIntoView())
		await look('answers')
		await page.locator('.thumbs').evaluate(e => e.scrollIntoView())
		await look('photographs')
		await page.locator('.thumbs .thumb-button').first().click()
		await look('photograph')
		await page.keyboard.press('Escape')
		for (const act of ['note', 'assign', 'close', 'hold']) {
			await page.locator('.record-tools').getByRole('button', { name: say(lang, `act.${act}`), exact: true }).click()
			await page.getByRole('dialog').getByRole('textbox').first().waitFor()
			await look(act)
			if (act === 'assign') {
				await page.locator('dialog label.choice').filter({ hasText: 'Dan Okoro' }).click()
				await page.getByRole('dialog').getByRole('button', { name: say(lang, 'act.assign_yes'), exact: true }).click()
				await page.locator('dialog .words').waitFor()
				await look('compare')
				await page.keyboard.press('Escape')
				await page.locator('dialog label.choice').first().waitFor()
			}
			await page.keyboard.press('Escape')
			await page.getByRole('dialog').waitFor({ state: 'detached' })
		}
		await page.locator('.record-tools').getByRole('button', { name: say(lang, 'export.button'), exact: true }).click()
		await look('export')
		await page.keyboard.press('Escape')
		await page.emulateMedia({ media: 'print', colorScheme: scheme })
		await page.screenshot({ path: path(folder, `${String(n++).padStart(2, '0')}-paper.png`), fullPage: true })
		pictures++
		await page.emulateMedia({ media: null, colorScheme: scheme })
		console.log(`${name}: ${n} pictures in ${folder}`)
	}
} finally {
	await d.end()
	await site.end()
	await org.end()
}
console.log(`${pictures} pictures`)
