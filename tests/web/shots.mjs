// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: a picture of every screen of a volunteer's day, at the width of a phone and of a laptop,
// light and dark, in both languages:  node tests/web/shots.mjs [FOLDER]
import { rmSync } from 'node:fs'
import { join as path } from 'node:path'
import { ALBUMS, album } from './album.mjs'
import { B, Device, host, Organisation, TOP } from './harness.mjs'
import { button, confirm, interview, join } from './steps.mjs'

const out = process.argv[2] ?? path(TOP, B, 'web/shots')
rmSync(out, { recursive: true, force: true })
const site = await host()
const org = await Organisation.found({ sitePort: site.port })
let pictures = 0
try {
	for (const [name, viewport, dark, lang] of ALBUMS) {
		const d = await Device.start({ viewport, dark })
		const take = album(path(out, name), viewport)
		const look = async screen => {
			if (screen === 'language') await d.page.getByRole('button', { name: 'English', exact: true }).waitFor()
			await take(screen, d.page)
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
		pictures += take.n
		console.log(`${name}: ${take.n} pictures in ${path(out, name)}`)
	}
} finally {
	await site.end()
	await org.end()
}
console.log(`${pictures} pictures`)
