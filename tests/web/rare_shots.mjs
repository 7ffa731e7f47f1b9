// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: a picture of every screen that a volunteer meets when something is not as usual, and of
// those beside the day: no invitation, a wrong one, no network, no camera, a weak passphrase, a
// wrong one, the lock, a full disk, a new version, a second tab, a damaged vault, paper, a hall's
// tablet, every kind of question, being revoked.  At both widths, light and dark, in both
// languages:  node tests/web/rare_shots.mjs [FOLDER]
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { ALBUMS, album } from './album.mjs'
import { B, Device, host, Organisation, PAGE_DIR, TOP } from './harness.mjs'
import { button, chooseLanguage, confirm, join, say, unlock } from './steps.mjs'

const out = process.argv[2] ?? path(TOP, B, 'web/shots')
const work = mkdtempSync(path(tmpdir(), 'amparo-shots.'))
const dir = path(work, 'site')
cpSync(PAGE_DIR, dir, { recursive: true })
const site = await host(dir)
const org = await Organisation.found({ sitePort: site.port })
await org.run('as ruth form publish tests/forms/types.form.xml --desk Intake && as ruth release && as ruth sync')

// a new release on the host, and the browser looks for it
let version = 1
async function release (page) {
	const html = readFileSync(path(dir, 'amparo.html'), 'utf8'), sw = readFileSync(path(dir, 'sw.js'), 'utf8')
	const next = html.replace('</html>', `<!-- ${++version} --></html>`)
	const hash = text => createHash('sha256').update(text).digest('hex')
	writeFileSync(path(dir, 'sw.js'), sw.replaceAll(hash(html), hash(next)))
	writeFileSync(path(dir, 'amparo.html'), next)
	await page.evaluate(async () => {
		const reg = await navigator.serviceWorker.ready
		await reg.update()
		const w = reg.installing
		if (w) await new Promise(resolve => w.addEventListener('statechange', () => { if (w.state !== 'installing') resolve() }))
	})
}

const at = (page, lang, key, values) => page.getByText(say(lang, key, values)).first().waitFor({ timeout: 90000 })
const home = (page, lang) => button(page, lang, 'home.begin').waitFor({ timeout: 90000 })
const TYPES = 'Every type and control'

// from nothing to a home without a network and back
async function joining (d, lang, look) {
	const { page } = d
	await d.goto(site.url)
	await chooseLanguage(page, lang)
	await button(page, lang, 'start.join').waitFor()
	await look('no invitation')
	await button(page, lang, 'start.join').click()
	await look('invitation empty')
	await button(page, lang, 'invite.scan').click()
	await page.locator('.banner').first().waitFor()
	await look('no camera')
	await page.goto('about:blank')
	const invitation = await org.invitation()
	await page.goto(site.url)
	await button(page, lang, 'start.join').click()
	await page.getByLabel(say(lang, 'invite.paste')).fill(invitation.slice(0, -9) + 'x' + invitation.slice(-8))
	await button(page, lang, 'common.next').click()
	await page.locator('.fault, .banner').first().waitFor()
	await look('invitation damaged')
	await org.run('server_kill s1')
	await page.getByLabel(say(lang, 'invite.paste')).fill(invitation)
	await button(page, lang, 'common.next').click()
	await page.getByLabel(say(lang, 'who.name')).fill('Luz Marisol')
	await button(page, lang, 'common.next').click()
	await button(page, lang, 'pass.own_instead').click()
	await page.getByLabel(say(lang, 'pass.own'), { exact: true }).fill('password1')
	await at(page, lang, 'pass.weak')
	await look('passphrase weak')
	const own = 'seven green herons mistrust the bailiff'
	await page.getByLabel(say(lang, 'pass.own'), { exact: true }).fill(own)
	await at(page, lang, 'pass.strong')
	await button(page, lang, 'common.next').click()
	await page.getByLabel(say(lang, 'pass.again'), { exact: true }).fill(own + '!')
	await button(page, lang, 'common.continue').click()
	await at(page, lang, 'pass.differs_own')
	await look('passphrase differs')
	await page.getByLabel(say(lang, 'pass.again'), { exact: true }).fill(own)
	await button(page, lang, 'common.continue').click()
	await at(page, lang, 'joined.offline')
	await look('joined without a network')
	await button(page, lang, 'joined.go').click()
	await at(page, lang, 'home.no_roster')
	await look('home without a network')
	await org.run('server_start s1')
	await button(page, lang, 'sync.connect').click()
	await home(page, lang)
	return own
}

// the door and what is behind the settings
async function settings (d, lang, look, pass) {
	const { page } = d
	const open = async () => button(page, lang, 'settings.title').click()
	await open()
	await page.getByRole('button', { name: say(lang, 'about.title') }).click()
	await look('about')
	await page.goBack()
	await page.getByRole('button', { name: say(lang, 'settings.passphrase') }).click()
	await page.getByLabel(say(lang, 'pass.old'), { exact: true }).waitFor()
	await look('another passphrase')
	await page.goBack()
	await button(page, lang, 'wipe.button').click()
	await page.getByRole('dialog').waitFor()
	await look('wipe')
	await page.keyboard.press('Escape')
	await page.getByRole('button', { name: say(lang, 'settings.lock') }).click()
	await page.getByLabel(say(lang, 'unlock.pass'), { exact: true }).waitFor()
	await look('door')
	await unlock(page, lang, 'correct horse battery staple')
	await at(page, lang, 'error.unlock.auth')
	await look('passphrase wrong')
	await unlock(page, lang, pass)
	await home(page, lang)
	await page.evaluate(() => {
		const now = Date.now
		Date.now = () => now() + 6 * 60000
		document.dispatchEvent(new Event('visibilitychange'))
	})
	await at(page, lang, 'unlock.idle')
	await look('locked by itself')
	await page.reload()
	await unlock(page, lang, pass)
	await home(page, lang)
}

const form = (page, lang, title) => page.getByRole('list', { name: say(lang, 'home.forms'), exact: true }).getByRole('button', { name: title })
const leave = async (page, lang) => {
	await button(page, lang, 'fill.leave').click()
	await home(page, lang)
}

// each kind of question, as it stands before an answer, and the ways an answer is refused
async function questions (d, lang, look) {
	const { page } = d
	await form(page, lang, TYPES).click()
	await button(page.getByRole('dialog'), lang, 'begin.go').click()
	let last = ''
	for (let n = 0; n < 60; n++) {
		await page.locator('.question h2').or(button(page, lang, 'review.send')).first().waitFor()
		if (await button(page, lang, 'review.send').isVisible()) break
		const label = (await page.locator('.question h2').innerText()).trim()
		if (label === last) {
			// a reason why not: an answer is wanted
			await look(`question ${label} wanted`)
			break
		}
		await look(`question ${label}`)
		if (label === 'a photo') {
			await page.locator('.widget input[type=file]').last().setInputFiles({ name: 'cut.jpg', mimeType: 'image/jpeg', buffer: Buffer.from([0xff, 0xd8, 0xff, 0xe0]) })
			await at(page, lang, 'file.no_picture')
			await look('photograph that does not open')
		}
		last = label
		await button(page, lang, 'fill.next').click()
		await page.waitForFunction(was => document.querySelector('.question h2')?.innerText.trim() !== was || document.querySelector('.fault') !== null, label)
	}
	if (await button(page, lang, 'review.send').isVisible()) {
		await look('review of a form left empty')
		await button(page, lang, 'review.send').click()
		await page.locator('.code').waitFor({ timeout: 60000 })
		await look('slip of every kind')
	}
	await page.reload()
}

async function paper (d, lang, look) {
	const { page } = d
	await form(page, lang, 'Raid intake').click()
	const dialog = page.getByRole('dialog')
	await dialog.getByRole('switch').check({ force: true })
	await look('begin from paper')
	await button(dialog, lang, 'begin.go').click()
	await at(page, lang, 'paper.visit')
	await look('paper')
	await button(page, lang, 'paper.on').click()
	await at(page, lang, 'paper.need_visit')
	await look('paper without a day')
	await leave(page, lang)
}

async function fullDisk (d, lang, look) {
	const { page } = d
	await form(page, lang, TYPES).click()
	await button(page.getByRole('dialog'), lang, 'begin.go').click()
	await page.locator('.widget input').first().waitFor()
	await page.evaluate(() => { IDBObjectStore.prototype.put = () => { throw new DOMException('planted', 'QuotaExceededError') } })
	await page.locator('.widget input').first().fill('too much for it')
	await at(page, lang, 'error.full')
	await look('disk full')
	await page.reload()
}

async function tabsAndVersions (d, lang, look, pass) {
	const { page } = d
	await page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
	await page.reload()
	await unlock(page, lang, pass)
	await home(page, lang)
	await release(page)
	await button(page, lang, 'settings.title').click()
	await page.goBack()
	await at(page, lang, 'update.title')
	await look('new version')
	const second = await d.context.newPage()
	await second.setViewportSize(page.viewportSize())
	await second.goto(site.url)
	await second.getByText(say(lang, 'boot.tab')).waitFor()
	await look('second tab', second)
	await second.close()
}

// the administrator ends a membership; then the vault itself is damaged
async function ends (d, lang, look, pass) {
	const { page } = d
	await org.run('as ruth revoke "Luz Marisol" --yes >/dev/null 2>&1 || as ruth revoke "Luz Marisol"; as ruth release; as ruth sync; true')
	await page.reload()
	await unlock(page, lang, pass)
	await page.locator('main').waitFor()
	await at(page, lang, 'home.revoked_text')
	await look('revoked')
	await page.evaluate(async () => {
		const r = indexedDB.open('amparo')
		await new Promise(resolve => { r.onsuccess = resolve })
		const t = r.result.transaction('rows', 'readwrite')
		t.objectStore('rows').delete('header')
		await new Promise(resolve => { t.oncomplete = resolve })
		r.result.close()
	})
	await page.reload()
	await at(page, lang, 'boot.failed')
	await look('vault damaged')
}

async function hall (d, lang, look) {
	const { page } = d
	await join(page, { url: site.url, invitation: await org.invitation(), name: 'Hall', kiosk: true, lang })
	await button(page, lang, 'joined.go').click()
	await home(page, lang)
	await look('hall home')
	await button(page, lang, 'settings.title').click()
	await look('hall settings')
	await page.goBack()
	await page.evaluate(() => {
		const now = Date.now
		Date.now = () => now() + 60 * 60000
		document.dispatchEvent(new Event('visibilitychange'))
	})
	await page.locator('.clock').waitFor()
	await look('hall covered')
}

let pictures = 0
try {
	for (const [name, viewport, dark, lang] of ALBUMS) {
		const take = album(path(out, `rare-${name}`), viewport)
		const d = await Device.start({ viewport, dark })
		const tablet = await Device.start({ viewport, dark })
		const look = (screen, page = d.page) => take(screen, page)
		try {
			const pass = await joining(d, lang, look)
			await org.run('as ruth sync')
			const words = await d.page.getByRole('list', { name: say(lang, 'call.words') }).getByRole('listitem').allInnerTexts()
			await look('home not confirmed yet')
			await confirm(org, 'Luz Marisol', words.map(w => w.trim()).join(' '))
			await settings(d, lang, look, pass)
			await questions(d, lang, look)
			await unlock(d.page, lang, pass)
			await home(d.page, lang)
			await paper(d, lang, look)
			await fullDisk(d, lang, look)
			await unlock(d.page, lang, pass)
			await home(d.page, lang)
			await tabsAndVersions(d, lang, look, pass)
			await ends(d, lang, look, pass)
			await hall(tablet, lang, screen => take(screen, tablet.page))
		} catch (e) {
			console.error(`${name} shows:\n${(await d.page.locator('body').innerText().catch(() => '')).slice(0, 1500)}`)
			throw e
		} finally {
			await d.end()
			await tablet.end()
		}
		pictures += take.n
		console.log(`rare-${name}: ${take.n} pictures in ${path(out, `rare-${name}`)}`)
	}
} finally {
	await site.end()
	await org.end()
	rmSync(work, { recursive: true, force: true })
}
console.log(`${pictures} pictures`)
