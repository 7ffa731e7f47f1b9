// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: an interview half filled in, and then: six of them; a second tab; the exit in a hurry; a
// new version of the page; a disk that is full; a wipe.  What was told as saved is there again,
// and of what was not the person is told.
import test from 'node:test'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { beyondTheList, Device, figure, host, LAPTOP, Organisation, overflows, PAGE_DIR, violations } from './harness.mjs'
import { foundIn } from './memory.mjs'
import { button, confirm, join, say, unlock } from './steps.mjs'

const L = 'en'
const work = mkdtempSync(path(tmpdir(), 'amparo-mishaps.'))
const dir = path(work, 'site')
const FORM = `<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:amparo="urn:amparo:forms:1">
<h:head><h:title>Short intake</h:title><model><instance><data id="short" version="1"><name/><needs/></data></instance>
<bind nodeset="/data/name" type="string" required="true()"/><bind nodeset="/data/needs" type="string" amparo:urgent=". = 'insulin'"/></model></h:head>
<h:body><input ref="/data/name"><label>Name</label></input><input ref="/data/needs"><label>Needs</label></input></h:body></h:html>`

let org, site, d, pass
test.before(async () => {
	process.env.FORM = path(work, 'short.xml')
	writeFileSync(process.env.FORM, FORM)
	cpSync(PAGE_DIR, dir, { recursive: true })
	site = await host(dir)
	org = await Organisation.found({ sitePort: site.port })
	d = await Device.start()
	pass = (await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Vera Sol' })).pass
	await button(d.page, L, 'joined.go').click()
	await button(d.page, L, 'home.begin').waitFor()
})
test.afterEach(async t => {
	if (!t.passed) console.log((await d.page.evaluate(() => document.body.innerText).catch(() => '')).replace(/\s+/g, ' ').slice(0, 600), d.troubles)
})
test.after(async () => {
	await d?.end()
	await site?.end()
	await org?.end()
	rmSync(work, { recursive: true, force: true })
})

const page = () => d.page
const heading = name => page().getByRole('heading', { level: 2, name, exact: true })
const saved = () => page().locator('.saved[data-sign=saved]').waitFor()
const field = () => page().locator('.widget input')
const unfinished = () => page().getByRole('list', { name: say(L, 'home.unfinished'), exact: true }).locator('button.row-main')
async function begin (name) {
	await button(page(), L, 'home.begin').click()
	await button(page(), L, 'begin.go').click()
	await heading('Name').waitFor()
	await field().fill(name)
	await saved()
}
async function comeBack () {
	await unlock(page(), L, pass)
	await button(page(), L, 'home.begin').waitFor({ timeout: 60000 })
}
async function leave () {
	await button(page(), L, 'fill.leave').click()
	await button(page(), L, 'home.begin').waitFor()
}
// what stands in each of the unfinished ones; want: how many there are to be, once the first screen,
// which is there at once, has asked the core
async function all (want = 0) {
	const names = []
	if (want > 0) await page().waitForFunction(([label, n]) => document.querySelectorAll(`[aria-label="${label}"] button.row-main`).length === n, [say(L, 'home.unfinished'), want])
	const n = await unfinished().count()
	for (let i = 0; i < n; i++) {
		await unfinished().nth(i).click()
		await heading('Name').waitFor()
		names.push(await field().inputValue())
		await leave()
	}
	return names.sort()
}

const NAMES = ['Ana', 'Beto', 'Chayo', 'Dina', 'Elmer', 'Flor']

test('six half filled in at once: each is its own, and all are there after a reload', async () => {
	for (const n of NAMES) {
		await begin(n)
		await leave()
	}
	assert.deepEqual(await all(NAMES.length), NAMES)
	assert.deepEqual(await violations(page()), [])
	assert.ok(await overflows(page()) <= 0)
	await page().reload()
	await comeBack()
	assert.deepEqual(await all(NAMES.length), NAMES)
	// one is dropped: it, and no other
	await unfinished().nth(0).waitFor()
	await page().getByRole('button', { name: say(L, 'home.drop', { title: 'Short intake' }), exact: true }).first().click()
	await page().getByRole('dialog').getByRole('button', { name: say(L, 'home.drop_yes'), exact: true }).click()
	const left = await all(NAMES.length - 1)
	assert.equal(left.length, 5)
	assert.equal(NAMES.filter(n => !left.includes(n)).length, 1)
	d.troubles.length = 0
})

test('a second tab says where Amparo is open, and goes on there when the first is closed', async () => {
	await begin('Two tabs')
	const second = await d.context.newPage()
	await second.goto(site.url)
	await second.getByText(say(L, 'boot.tab'), { exact: true }).waitFor()
	assert.deepEqual(await violations(second), [])
	await button(second, L, 'common.retry').click()
	await second.getByText(say(L, 'boot.tab'), { exact: true }).waitFor()
	// the first one is not disturbed by it
	await field().fill('Two tabs, still')
	await saved()
	await page().close()
	d.page = second
	await button(second, L, 'common.retry').click()
	await page().getByLabel(say(L, 'unlock.pass'), { exact: true }).waitFor()
	await comeBack()
	assert.ok((await all()).includes('Two tabs, still'))
})

test('the exit in a hurry keeps what was answered, behind the passphrase', async () => {
	await begin('In a hurry')
	await button(page(), L, 'common.exit').click()
	await page().waitForURL('about:blank')
	await page().goBack()
	await page().getByLabel(say(L, 'unlock.pass'), { exact: true }).waitFor()
	assert.ok(!(await page().content()).includes('In a hurry'))
	await comeBack()
	assert.ok((await all()).includes('In a hurry'))
	// and by the button of the browser, as well as by another address
	await begin('Another address')
	await page().goto('about:blank')
	await page().goBack()
	await page().getByLabel(say(L, 'unlock.pass'), { exact: true }).waitFor()
	await comeBack()
	assert.ok((await all()).includes('Another address'))
})

let version = 1
// a new release on the host, and the browser looks for it; whether it waits
async function release (on) {
	const html = readFileSync(path(dir, 'amparo.html'), 'utf8'), sw = readFileSync(path(dir, 'sw.js'), 'utf8')
	const next = html.replace('</html>', `<!-- ${++version} --></html>`)
	const hash = text => createHash('sha256').update(text).digest('hex')
	writeFileSync(path(dir, 'sw.js'), sw.replaceAll(hash(html), hash(next)))
	writeFileSync(path(dir, 'amparo.html'), next)
	return on.evaluate(async () => {
		const reg = await navigator.serviceWorker.getRegistration()
		await reg.update()
		const w = reg.installing
		if (w) await new Promise(resolve => w.addEventListener('statechange', () => { if (w.state !== 'installing') resolve() }))
		return reg.waiting !== null
	})
}
const isVersion = (on, n) => on.evaluate(n => document.documentElement.outerHTML.includes(`<!-- ${n} -->`), n)

test('a new version comes while a form is half filled in: it waits, and nothing is lost by it', async () => {
	await page().evaluate(() => navigator.serviceWorker.ready.then(() => true))
	await page().reload()
	await comeBack()
	await begin('Old version')
	await page().evaluate(() => { window.still = true })
	await field().fill('Old version, mid-word')
	assert.equal(await release(page()), true)
	await saved()
	// not in the middle of an interview, and not by itself
	assert.equal(await page().getByText(say(L, 'update.title')).count(), 0)
	await page().locator('.fill-next').click()
	await heading('Needs').waitFor()
	await field().fill('a lawyer')
	await saved()
	assert.equal(await page().evaluate(() => window.still), true)
	await leave()
	await page().getByText(say(L, 'update.title')).waitFor()
	assert.deepEqual(await violations(page()), [])
	assert.equal(await page().evaluate(() => window.still), true)
	// something waits to be sent as well: taking the new version is not asked about as leaving
	await org.run('server_stop s1')
	await begin('Sealed before')
	await button(page(), L, 'fill.to_review').click()
	await button(page(), L, 'review.send').click()
	await page().locator('.code').waitFor({ timeout: 60000 })
	assert.equal(await page().getByText(say(L, 'slip.urgent')).count(), 0)
	await button(page(), L, 'slip.done').click()
	await page().getByRole('dialog').getByRole('button', { name: say(L, 'slip.done_yes'), exact: true }).click()
	await page().getByText(say(L, 'outbox.waiting.one', { n: 1 })).first().waitFor()
	let asked = 0
	page().on('dialog', x => { asked++; void x.accept() })
	await button(page(), L, 'update.go').click()
	await page().getByLabel(say(L, 'unlock.pass'), { exact: true }).waitFor()
	assert.equal(asked, 0)
	assert.ok(await isVersion(page(), version))
	await comeBack()
	await page().getByText(say(L, 'outbox.waiting.one', { n: 1 })).first().waitFor()
	await org.run('server_start s1')
	await unfinished().first().waitFor()
	// it stands at the second question, where it was left
	let found = false
	for (let i = 0; i < await unfinished().count() && !found; i++) {
		await unfinished().nth(i).click()
		await heading('Name').or(heading('Needs')).waitFor()
		found = await heading('Needs').count() > 0
		if (found) {
			assert.equal(await field().inputValue(), 'a lawyer')
			await button(page(), L, 'fill.back').click()
			await heading('Name').waitFor()
			assert.equal(await field().inputValue(), 'Old version, mid-word')
		}
		await leave()
	}
	assert.ok(found)
})

test('a hall\'s tablet is not offered a new version: its keys are in this page alone', async () => {
	const hall = await Device.start()
	try {
		await join(hall.page, { url: site.url, invitation: await org.invitation(), name: 'Hall', kiosk: true })
		await button(hall.page, L, 'joined.go').click()
		await button(hall.page, L, 'home.begin').waitFor()
		await hall.page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
		assert.equal(await release(hall.page), true)
		await button(hall.page, L, 'settings.title').click()
		await hall.page.goBack()
		await button(hall.page, L, 'home.begin').waitFor()
		assert.equal(await hall.page.getByText(say(L, 'update.title')).count(), 0)
		// it has no database at all
		assert.deepEqual(await hall.page.evaluate(async () => (await indexedDB.databases()).map(x => x.name)), [])
	} finally { await hall.end() }
})

test('the disk is full at an answer: one clear sentence, and nothing that was told as saved is lost', async () => {
	await begin('Before the disk was full')
	await page().locator('.fill-next').click()
	await heading('Needs').waitFor()
	await page().evaluate(() => {
		window.signs = []
		new MutationObserver(() => window.signs.push(document.querySelector('.saved')?.dataset.sign)).observe(document.body, { subtree: true, childList: true, attributes: true })
	})
	await page().evaluate(() => { IDBObjectStore.prototype.put = () => { throw new DOMException('planted', 'QuotaExceededError') } })
	await field().fill('too much for it')
	await page().getByText(say(L, 'error.full')).waitFor()
	await page().getByText(say(L, 'fill.cannot_save')).waitFor()
	assert.deepEqual(await violations(page()), [])
	assert.ok(await overflows(page()) <= 0)
	// what was typed stands there, to be copied
	assert.equal(await field().inputValue(), 'too much for it')
	assert.ok(!(await page().evaluate(() => window.signs)).slice(1).includes('saved'), 'it was told as saved')
	assert.equal(await button(page(), L, 'fill.try_again').count(), 0)
	await button(page(), L, 'fill.reopen').click()
	await comeBack()
	const n = await unfinished().count()
	let found = false
	for (let i = 0; i < n && !found; i++) {
		await unfinished().nth(i).click()
		await heading('Name').or(heading('Needs')).waitFor()
		if (await heading('Needs').count() > 0) {
			const now = await field().inputValue()
			await button(page(), L, 'fill.back').click()
			await heading('Name').waitFor()
			found = await field().inputValue() === 'Before the disk was full'
			if (found) assert.equal(now, '')
		}
		await leave()
	}
	assert.ok(found)
	// with room again it is saved
	await begin('With room again')
	await leave()
	figure('the disk full at an answer: told as saved and lost: 0')
})

test('a wipe with interviews half filled in: no database, no cache, no worker, nothing to open', async () => {
	const before = await page().evaluate(async () => [(await indexedDB.databases()).length, (await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length])
	assert.ok(before.every(n => n > 0), `the control: ${before}`)
	await button(page(), L, 'settings.title').click()
	await button(page(), L, 'wipe.button').click()
	await page().getByText(/not finished and will be lost/).waitFor()
	await page().getByLabel(say(L, 'wipe.type', { word: say(L, 'wipe.word') })).fill(say(L, 'wipe.word'))
	await button(page(), L, 'wipe.yes').click()
	await page().getByRole('button', { name: 'Español', exact: true }).waitFor()
	assert.deepEqual(await page().evaluate(async () => ({
		databases: (await indexedDB.databases()).map(x => x.name), caches: await caches.keys(),
		workers: (await navigator.serviceWorker.getRegistrations()).length, local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie
	})), { databases: [], caches: [], workers: 0, local: {}, session: {}, cookies: '' })
	await page().reload()
	await page().getByRole('button', { name: 'Español', exact: true }).waitFor()
})

test('from a file on a laptop the whole day works too, and after a kill', async () => {
	const laptop = await Device.start({ viewport: LAPTOP })
	const was = d
	try {
		const url = `file://${dir}/amparo.html`
		const invitation = await org.invitation()
		const r = await join(laptop.page, { url, invitation, name: 'From File' })
		await confirm(org, 'From File', r.words)
		await button(laptop.page, L, 'joined.go').click()
		d = laptop
		await begin('From a file')
		await laptop.kill()
		await laptop.open()
		await laptop.goto(url)
		await unlock(laptop.page, L, r.pass)
		await button(page(), L, 'home.begin').waitFor({ timeout: 60000 })
		await unfinished().first().click()
		await heading('Name').waitFor()
		assert.equal(await field().inputValue(), 'From a file')
		await page().locator('.fill-next').click()
		await heading('Needs').waitFor()
		await field().fill('insulin')
		await page().locator('.fill-next').click()
		await button(page(), L, 'review.send').click()
		await page().locator('.code').waitFor({ timeout: 60000 })
		// what the form marks as urgent is told to whoever can still find a network
		await page().getByText(say(L, 'slip.urgent')).waitFor()
		assert.deepEqual(await violations(page()), [])
		await button(page(), L, 'slip.done').click()
		await page().getByRole('dialog').getByRole('button', { name: say(L, 'slip.done_yes'), exact: true }).click()
		await page().getByText(say(L, 'outbox.safe.one', { n: 1 })).first().waitFor({ timeout: 60000 })
		const second = await laptop.context.newPage()
		await second.goto(url)
		await second.getByText(say(L, 'boot.tab'), { exact: true }).waitFor()
		await second.close()
		assert.deepEqual(beyondTheList(laptop, { site: 'file:', servers: ['127.0.0.1'] }), [])
		assert.deepEqual(laptop.troubles, [])
		// the invitation that came in the link is not in the browser's history.  What the browser
		// itself wrote down of the address it was given, no page can take back: docs/THREATS.md
		await laptop.context.close()
		const where = foundIn(laptop.profile, [invitation.split(':')[1].slice(0, 40)])
		assert.deepEqual(where.filter(w => !/\/(Sessions|segmentation_platform)\//.test(w)), [])
		assert.ok(foundIn(laptop.profile, ['amparo.html']).length > 0, 'the control: the page itself is in its history')
	} finally {
		d = was
		await laptop.end()
	}
})
