// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: a picture of every screen of a volunteer's day, at the width of a phone and of a laptop,
// light and dark, in both languages:  node tests/web/shots.mjs [FOLDER]
import { mkdirSync, rmSync } from 'node:fs'
import { join as path } from 'node:path'
import { B, Device, host, LAPTOP, Organisation, PHONE, TOP } from './harness.mjs'
import { button, confirm, interview, join } from './steps.mjs'

const out = process.argv[2] ?? path(TOP, B, 'web/shots')
rmSync(out, { recursive: true, force: true })
const site = await host()
const org = await Organisation.found({ sitePort: site.port })
let pictures = 0
try {
	for (const [name, viewport, dark, lang] of [
		['phone-light-es', PHONE, false, 'es'], ['phone-dark-en', PHONE, true, 'en'],
		['laptop-light-en', LAPTOP, false, 'en'], ['laptop-dark-es', LAPTOP, true, 'es']
	]) {
		const folder = path(out, name)
		mkdirSync(folder, { recursive: true })
		const d = await Device.start({ viewport, dark })
		let n = 0
		const look = async screen => {
			if (screen === 'language') await d.page.getByRole('button', { name: 'English', exact: true }).waitFor()
			// as high as what is on it, so that the bars stand at its ends and not across it
			const height = await d.page.evaluate(() => document.documentElement.scrollHeight)
			await d.page.setViewportSize({ ...viewport, height: Math.max(height, viewport.height) })
			await d.page.screenshot({ path: path(folder, `${String(n++).padStart(2, '0')}-${screen.replace(/\W+/g, '-')}.png`), fullPage: true })
			await d.page.setViewportSize(viewport)
			pictures++
		}
		try {
			const { words } = await join(d.page, { url: site.url, invitation: await org.invitation(), name: `Volunteer ${name}`, lang, after: look })
			await confirm(org, `Volunteer ${name}`, words)
			await button(d.page, lang, 'joined.go').click()
			await button(d.page, lang, 'home.begin').waitFor()
			await look('home')
			await button(d.page, lang, 'settings.title').click()
			await look('settings')
			await d.page.goBack()
			await interview(d.page, lang, { answers: [{ label: lang === 'es' ? 'Está de acuerdo en continuar' : 'Do you agree', choose: lang === 'es' ? 'Sí' : 'Yes' }], after: look })
			await look('home-after-sending')
			await d.page.locator('.send-state button').first().click()
			await look('outbox')
		} finally {
			await d.end()
		}
		console.log(`${name}: ${n} pictures in ${folder}`)
	}
} finally {
	await site.end()
	await org.end()
}
console.log(`${pictures} pictures`)
