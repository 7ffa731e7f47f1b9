// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: a volunteer's device from the invitation to the wipe, without an interview: joining by
// the camera, the door, locking by time, another passphrase, wiping; and a hall's tablet, of
// which nothing is left.
import test from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { Device, host, Organisation } from './harness.mjs'
import { foundIn, inMemory } from './memory.mjs'
import { button, chooseLanguage, confirm, join, say, unlock, wordsOf } from './steps.mjs'
import { film } from './camera.mjs'

const work = mkdtempSync(path(tmpdir(), 'amparo-device.'))
let org, site
const devices = []
async function device (options) {
	const d = await Device.start(options)
	devices.push(d)
	return d
}
// one test's devices do not run beside the next one's; what a failed one showed is told
test.afterEach(async t => {
	for (const d of devices.splice(0)) {
		if (!t.passed) console.log((await d.page.evaluate(() => document.body.innerText).catch(() => '')).replace(/\s+/g, ' ').slice(0, 600), d.troubles)
		await d.end()
	}
})
const FORM = `<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml">
<h:head><h:title>Short intake</h:title><model><instance><data id="short" version="1"><name/><needs/></data></instance>
<bind nodeset="/data/name" type="string" required="true()"/><bind nodeset="/data/needs" type="string"/></model></h:head>
<h:body><input ref="/data/name"><label>Name of the person</label></input><input ref="/data/needs"><label>What is needed tonight</label></input></h:body>
</h:html>`
test.before(async () => {
	process.env.FORM = path(work, 'short.xml')
	writeFileSync(process.env.FORM, FORM)
	site = await host()
	org = await Organisation.found({ sitePort: site.port })
})
test.after(async () => {
	for (const d of devices) await d.end()
	await site?.end()
	await org?.end()
	rmSync(work, { recursive: true, force: true })
})

const settings = async (page, lang) => button(page, lang, 'settings.title').click()

test('a slip before the camera joins; a wrong code does not', async () => {
	const text = await org.invitation()
	const other = path(work, 'other.y4m'), slip = path(work, 'slip.y4m')
	film(other, 'https://example.org/another-code')
	film(slip, text)
	const wrong = await device({ camera: other })
	await wrong.goto(site.url)
	await chooseLanguage(wrong.page, 'es')
	await button(wrong.page, 'es', 'start.join').click()
	await button(wrong.page, 'es', 'invite.scan').click()
	await wrong.page.getByText(say('es', 'scan.other_code')).waitFor()

	const d = await device({ camera: slip })
	await d.goto(site.url)
	await chooseLanguage(d.page, 'es')
	await button(d.page, 'es', 'start.join').click()
	const t0 = Date.now()
	await button(d.page, 'es', 'invite.scan').click()
	await d.page.getByLabel(say('es', 'who.name')).waitFor()
	console.log(`figure: a slip before the camera is read in ${Date.now() - t0} ms`)
	// the camera is off again
	assert.equal(await d.page.evaluate(() => document.querySelector('video')), null)
	// the way back keeps what was read; the device's own back button is a way back
	await d.page.goBack()
	assert.equal((await d.page.getByLabel(say('es', 'invite.paste')).inputValue()).trim(), text)
	assert.deepEqual(d.troubles, [])
})

test('the door: words as they are typed, a wrong passphrase, the lock, another passphrase, a wipe', async () => {
	const d = await device()
	const { pass, words } = await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Vera Plantedname' })
	assert.equal(pass.split(' ').length, 6)
	assert.equal(words.split(' ').length, 4)
	await button(d.page, 'en', 'joined.go').click()
	await button(d.page, 'en', 'home.begin').waitFor()

	// nothing of her or the organisation is in the profile in the clear
	const planted = ['Vera Plantedname', pass]
	assert.deepEqual(foundIn(d.profile, planted), [])

	await settings(d.page, 'en')
	await d.page.getByRole('button', { name: say('en', 'settings.lock') }).click()
	await d.page.getByLabel(say('en', 'unlock.pass'), { exact: true }).waitFor()
	assert.ok(!(await d.page.evaluate(() => document.body.innerText)).includes('Vera'))
	await unlock(d.page, 'en', 'correct horse battery staple')
	await d.page.getByText(say('en', 'error.unlock.auth')).waitFor()
	// four letters, capitals, any blanks
	await unlock(d.page, 'en', '  ' + pass.split(' ').map(w => w.slice(0, 4).toUpperCase()).join('   '))
	await button(d.page, 'en', 'home.begin').waitFor()

	// time passes: the clock of the page is set ahead
	await d.page.evaluate(() => {
		const now = Date.now
		Date.now = () => now() + 6 * 60000
		document.dispatchEvent(new Event('visibilitychange'))
	})
	await d.page.getByText(say('en', 'unlock.idle')).waitFor()
	await d.page.reload()
	const t0 = Date.now()
	await unlock(d.page, 'en', pass)
	await button(d.page, 'en', 'home.begin').waitFor()
	console.log(`figure: unlocking and the first screen ${Date.now() - t0} ms`)

	// another passphrase, of one's own
	await settings(d.page, 'en')
	await d.page.getByRole('button', { name: say('en', 'settings.passphrase') }).click()
	await d.page.getByLabel(say('en', 'pass.old'), { exact: true }).fill(pass)
	await button(d.page, 'en', 'common.next').click()
	await button(d.page, 'en', 'pass.own_instead').click()
	await d.page.getByLabel(say('en', 'pass.own'), { exact: true }).fill('password1')
	await d.page.getByText(say('en', 'pass.weak')).waitFor()
	assert.ok(await button(d.page, 'en', 'common.next').isDisabled())
	const own = 'seven green herons mistrust the bailiff'
	await d.page.getByLabel(say('en', 'pass.own'), { exact: true }).fill(own)
	await d.page.getByText(say('en', 'pass.strong')).waitFor()
	await button(d.page, 'en', 'common.next').click()
	await d.page.getByLabel(say('en', 'pass.again'), { exact: true }).fill(own + '!')
	await button(d.page, 'en', 'common.continue').click()
	await d.page.getByText(say('en', 'pass.differs_own')).waitFor()
	await d.page.getByLabel(say('en', 'pass.again'), { exact: true }).fill(own)
	await button(d.page, 'en', 'common.continue').click()
	await d.page.getByText(say('en', 'pass.changed'), { exact: true }).waitFor()
	await d.page.reload()
	await unlock(d.page, 'en', pass)
	await d.page.getByText(say('en', 'error.unlock.auth')).waitFor()
	await unlock(d.page, 'en', own)
	await button(d.page, 'en', 'home.begin').waitFor()

	// wiped: not before the word is typed
	await settings(d.page, 'en')
	await button(d.page, 'en', 'wipe.button').click()
	assert.ok(await button(d.page, 'en', 'wipe.yes').isDisabled())
	await d.page.getByLabel(say('en', 'wipe.type', { word: say('en', 'wipe.word') })).fill(say('en', 'wipe.word'))
	await button(d.page, 'en', 'wipe.yes').click()
	await d.page.getByRole('button', { name: 'Español', exact: true }).waitFor()
	// no database either, not even an empty one: before anything else, since looking makes one
	assert.deepEqual(await d.page.evaluate(async () => (await indexedDB.databases()).map(x => x.name)), [])
	const left = await d.page.evaluate(async () => {
		const rows = []
		for (const { name } of await indexedDB.databases()) {
			const db = await new Promise((resolve, reject) => {
				const r = indexedDB.open(name)
				r.onsuccess = () => resolve(r.result)
				r.onerror = () => reject(r.error)
			})
			for (const store of db.objectStoreNames) {
				rows.push(await new Promise(resolve => { db.transaction(store).objectStore(store).count().onsuccess = e => resolve(`${name}/${store}: ${e.target.result}`) }))
			}
			db.close()
		}
		return { rows: rows.filter(r => !r.endsWith(': 0')), local: { ...localStorage }, caches: await caches.keys(), workers: (await navigator.serviceWorker.getRegistrations()).length }
	})
	assert.deepEqual(left, { rows: [], local: {}, caches: [], workers: 0 })
	await d.page.reload()
	await d.page.getByRole('button', { name: 'Español', exact: true }).waitFor()
	assert.deepEqual(d.troubles, [])
})

test('who was revoked is told, and begins no interview that nobody would receive', async () => {
	const d = await device()
	const { pass, words } = await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Nora Gone' })
	await confirm(org, 'Nora Gone', words)
	await button(d.page, 'en', 'joined.go').click()
	await button(d.page, 'en', 'home.begin').waitFor()
	await org.run('as ruth revoke "Nora Gone" --yes && as ruth release && as ruth sync')
	await d.page.reload()
	await unlock(d.page, 'en', pass)
	await d.page.getByText(say('en', 'home.revoked_text')).waitFor({ timeout: 60000 })
	assert.equal(await button(d.page, 'en', 'home.begin').count(), 0)
	assert.equal(await d.page.getByRole('list', { name: say('en', 'home.forms') }).count(), 0)
})

test('an invitation that was used, and a device without a network, say what to do', async () => {
	const d = await device()
	const invitation = await org.invitation()
	await org.run('server_kill s1')
	await d.goto(`${site.url}#${invitation}`)
	await chooseLanguage(d.page, 'es')
	await button(d.page, 'es', 'common.next').click()
	await d.page.getByLabel(say('es', 'who.name')).fill('Luz')
	await button(d.page, 'es', 'common.next').click()
	const words = (await wordsOf(d.page, say('es', 'pass.words'))).join(' ')
	await button(d.page, 'es', 'pass.written').click()
	await d.page.getByLabel(say('es', 'pass.again'), { exact: true }).fill(words)
	await button(d.page, 'es', 'common.continue').click()
	await d.page.getByText(say('es', 'joined.offline'), { exact: true }).waitFor({ timeout: 90000 })
	await button(d.page, 'es', 'joined.go').click()
	await d.page.getByText(say('es', 'home.no_roster'), { exact: true }).waitFor()
	await org.run('server_start s1')
	await button(d.page, 'es', 'sync.connect').click()
	await button(d.page, 'es', 'home.begin').waitFor({ timeout: 90000 })
	await d.page.getByRole('list', { name: say('es', 'call.words') }).waitFor()
})

test('a hall\'s tablet: no passphrase, and after the end not a byte of it', async () => {
	const d = await device()
	const { pass } = await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Hall Plantedname', kiosk: true, lang: 'es' })
	assert.equal(pass, null)
	await button(d.page, 'es', 'joined.go').click()
	await button(d.page, 'es', 'home.begin').waitFor()
	const rows = () => d.page.evaluate(async () => {
		let n = 0
		for (const { name } of await indexedDB.databases()) {
			const db = await new Promise(resolve => { indexedDB.open(name).onsuccess = e => resolve(e.target.result) })
			for (const store of db.objectStoreNames) {
				n += await new Promise(resolve => { db.transaction(store).objectStore(store).count().onsuccess = e => resolve(e.target.result) })
			}
			db.close()
		}
		return n
	})
	assert.equal(await rows(), 0)
	await d.page.evaluate(() => {
		const now = Date.now
		Date.now = () => now() + 60 * 60000
		document.dispatchEvent(new Event('visibilitychange'))
	})
	// covered, not locked: nothing is lost
	await d.page.locator('.clock').waitFor()
	assert.ok(!(await d.page.content()).includes('Plantedname'))
	await d.page.locator('.clock button').click()
	await button(d.page, 'es', 'home.begin').waitFor()
	await settings(d.page, 'es')
	await d.page.getByRole('button', { name: say('es', 'kiosk.end') }).click()
	await button(d.page, 'es', 'start.join').waitFor()
	assert.equal(await rows(), 0)
	assert.ok(!(await d.page.content()).includes('Plantedname'))
})

// what a family said, and the code on its slip
const SAID = ['Xochitl Plantedfamily', 'insulin before midnight, planted']

async function interview (page, lang, { send = true } = {}) {
	await button(page, lang, 'home.begin').click()
	await button(page, lang, 'begin.go').click()
	for (const text of SAID) {
		await page.getByRole('textbox').fill(text)
		await button(page, lang, 'fill.next').click()
	}
	if (!send) return null
	await button(page, lang, 'review.send').click()
	return codeShown(page)
}

async function codeShown (page) {
	await page.locator('.code').waitFor()
	const halves = await page.locator('.code span').allInnerTexts()
	const code = halves.join('').replace(/[^0-9A-Z]/g, '')
	assert.equal(code.length, 10)
	return code
}

test('a hall\'s tablet: nothing of a family is left when the next one sits down', async () => {
	const d = await device()
	await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Hall', kiosk: true, lang: 'es' })
	await button(d.page, 'es', 'joined.go').click()
	// control: while the interview is open, it is found, in the page and in the core
	await interview(d.page, 'es', { send: false })
	const open = await inMemory(d.page, SAID)
	assert.ok(open.page.length > 0, 'the search of the page finds nothing at all')
	assert.ok(open.core.length > 0, 'the search of the core finds nothing at all')

	await button(d.page, 'es', 'review.send').click()
	const code = await codeShown(d.page)
	await d.page.getByLabel(say('es', 'slip.compare')).fill(code)
	await button(d.page, 'es', 'slip.check').click()
	await button(d.page, 'es', 'slip.done').click()
	await button(d.page, 'es', 'home.begin').waitFor()
	// it becomes safe by itself
	await d.page.locator('.send-state').getByText('1 a salvo').waitFor({ timeout: 60000 })
	// the next family sits down: nothing of the last one is offered.  (The debugger that drives
	// this test keeps the button it pressed last, hence also that.)
	await button(d.page, 'es', 'home.begin').click()
	await button(d.page, 'es', 'begin.go').click()
	assert.equal(await d.page.getByRole('textbox').inputValue(), '')
	// neither by undoing
	await d.page.getByRole('textbox').focus()
	for (const key of ['Control+z', 'Control+z', 'Control+Shift+z', 'Control+y']) await d.page.keyboard.press(key)
	assert.equal(await d.page.getByRole('textbox').inputValue(), '')
	await d.page.getByRole('textbox').fill('the next one')
	await button(d.page, 'es', 'fill.next').click()
	const planted = [...SAID, code, `${code.slice(0, 5)}-${code.slice(5)}`]
	const left = await inMemory(d.page, planted)
	assert.deepEqual(left, { page: [], core: [] })
	for (const p of planted) assert.ok(!(await d.page.content()).includes(p))
	assert.deepEqual(foundIn(d.profile, planted), [])
})

test('a hall\'s tablet: leaving in a hurry drops what is open and keeps what is sealed', async () => {
	const d = await device()
	await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Hall', kiosk: true, lang: 'en' })
	await button(d.page, 'en', 'joined.go').click()
	await org.run('server_kill s1')
	await interview(d.page, 'en')
	await button(d.page, 'en', 'slip.done').click()
	await button(d.page, 'en', 'slip.done_yes').click()
	await d.page.locator('.send-state').getByText(say('en', 'outbox.waiting.one', { n: 1 })).waitFor()
	await interview(d.page, 'en', { send: false })
	await button(d.page, 'en', 'common.exit').click()
	await d.page.locator('.clock').waitFor()
	assert.ok(!(await d.page.content()).includes('Plantedfamily'))
	await d.page.locator('.clock button').click()
	await button(d.page, 'en', 'home.begin').waitFor()
	assert.equal(await d.page.getByText(say('en', 'home.unfinished')).count(), 0)
	await d.page.locator('.send-state').getByText(say('en', 'outbox.waiting.one', { n: 1 })).waitFor()
	// the browser asks before the page is closed; the end asks too
	await settings(d.page, 'en')
	await d.page.getByRole('button', { name: say('en', 'kiosk.end') }).click()
	await d.page.getByText(say('en', 'kiosk.end_lost.one', { n: 1 })).waitFor()
	await button(d.page, 'en', 'common.cancel').click()
	let asked = 0
	d.page.on('dialog', async x => { asked += x.type() === 'beforeunload' ? 1 : 0; await x.dismiss() })
	await d.page.close({ runBeforeUnload: true })
	await d.page.waitForTimeout(1500)
	assert.equal(asked, 1)
	assert.ok(!d.page.isClosed())
	// back on the first screen: with a network it becomes safe
	await org.run('server_start s1')
	await d.page.goBack()
	await d.page.getByRole('button', { name: say('en', 'outbox.waiting.one', { n: 1 }) }).click()
	await button(d.page, 'en', 'sync.now').click()
	await d.page.locator('.figure.good').getByText('1', { exact: true }).waitFor({ timeout: 90000 })
	// nothing waits: now it leaves for good
	await button(d.page, 'en', 'common.exit').click()
	await d.page.waitForURL('about:blank')
})
