// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: an attorney's day at the desk in the page, against a real server: Carol joins in the
// browser and becomes a holder, interviews come from a volunteer's native device, she finds,
// reads and prints them, writes a note, assigns one to Dan in another browser, who accepts;
// natively Ana sees all of it.  What she exports is what was sent; when the page is locked,
// nothing of a case is left in it.
import test from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { Device, figure, host, LAPTOP, Organisation, overflows, PHONE, TOP, violations, beyondTheList } from './harness.mjs'
import { aDay, button, holdDesk, joinDesk, say, syncDesk, unlock } from './steps.mjs'

const work = mkdtempSync(path(tmpdir(), 'amparo-desk.'))
const data = name => path(TOP, 'tests/e2e/data', name)
let org, site, carol, dan, code
const passes = {}

test.before(async () => {
	site = await host()
	org = await Organisation.found({ sitePort: site.port })
})
test.after(async () => {
	await carol?.end()
	await dan?.end()
	await site?.end()
	await org?.end()
	rmSync(work, { recursive: true, force: true })
})

const step = aDay(() => ({ carol, dan }))

const grid = page => page.getByRole('grid')
const row = (page, text) => grid(page).getByRole('row').filter({ hasText: text })
const choiceOf = (page, text) => page.locator('dialog label.choice').filter({ hasText: text })
const dialogButton = (page, lang, key, values) => page.getByRole('dialog').getByRole('button', { name: say(lang, key, values), exact: true })

// every screen is held against WCAG and the width of the device
async function look (device, what) {
	assert.deepEqual(await violations(device.page), [], what)
	assert.equal(await overflows(device.page), 0, `${what} is wider than the screen`)
}

step('two attorneys join in the browser; one becomes a holder of the desk', async () => {
	carol = await Device.start({ viewport: LAPTOP })
	dan = await Device.start({ viewport: PHONE, locale: 'es-MX' })
	passes['Carol Diaz'] = await joinDesk(org, carol.page, { url: site.url, name: 'Carol Diaz' })
	await joinDesk(org, dan.page, { url: site.url, name: 'Dan Okoro', lang: 'es' })
	await holdDesk(org, carol.page, { name: 'Carol Diaz' })
	await carol.page.getByText(say('en', 'desk.none')).waitFor()
	await look(carol, 'an empty desk')
	await button(carol.page, 'en', 'status.title').click()
	await carol.page.locator('.status').getByRole('heading', { name: 'Intake' }).waitFor()
	await look(carol, 'the state of the desk')
	await carol.page.keyboard.press('Escape')
	await look(dan, 'an empty desk on a phone')
})

step('interviews from a native device are listed, urgent ones first, and found with and without accents', async () => {
	await org.run('enrol vera "Vera Cruz" volunteer && as vera sync')
	code = (await org.run('submit vera 01')).trim()
	for (const n of ['03', '05', '06', '10', '12']) await org.run(`submit vera ${n}`)
	await org.run('as vera sync && as ruth release')
	await syncDesk(carol.page, 'en')
	const page = carol.page
	await row(page, code).waitFor({ timeout: 60000 })
	assert.equal(await grid(page).getAttribute('aria-rowcount'), '6')
	const rows = await grid(page).getByRole('row').allInnerTexts()
	const last_urgent = rows.findLastIndex(r => r.includes(say('en', 'desk.urgent')))
	assert.ok(last_urgent >= 0 && rows.slice(0, last_urgent + 1).every(r => r.includes(say('en', 'desk.urgent'))), rows.join('\n'))
	await look(carol, 'the list')

	for (const [text, n] of [['Tzʼunun', 1], ["tz'unun", 1], ['TZUNUN xhunik', 1], ['nobody whatsoever', 0], [code, 1]]) {
		await page.getByRole('searchbox').fill(text)
		if (n === 0) await page.getByText(say('en', 'desk.none_fits')).waitFor()
		else {
			await page.waitForFunction(k => document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') === String(k), n)
			assert.equal(await row(page, code).count(), 1, text)
		}
	}
	await page.getByRole('searchbox').fill('')
	await page.waitForFunction(() => document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') === '6')

	// a word of a note or a code that nobody has is not found: the control of the search
	await page.getByRole('searchbox').fill('zzzz')
	await page.getByText(say('en', 'desk.none_fits')).waitFor()
	await page.getByRole('searchbox').fill('')
	await row(page, code).waitFor()
})

step('by the keyboard alone: from the list into a case and back', async () => {
	const page = carol.page
	await page.getByRole('searchbox').focus()
	await page.keyboard.press('ArrowDown')
	await page.keyboard.press('j')
	await page.keyboard.press('k')
	await page.waitForFunction(() => document.activeElement?.getAttribute('aria-rowindex') === '1')
	await page.keyboard.press('End')
	await page.waitForFunction(() => document.activeElement?.getAttribute('aria-rowindex') === '6')
	await page.keyboard.press('Home')
	await page.keyboard.press('Enter')
	await page.locator('.record .answers').waitFor()
	assert.ok(await page.evaluate(() => document.activeElement?.classList.contains('record-title')))
	await page.keyboard.press('Escape')
	await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'row')
	await page.keyboard.press('/')
	await page.waitForFunction(() => document.activeElement?.getAttribute('type') === 'search')
})

step('a case is read by the form’s labels, with its photographs, in two languages', async () => {
	const page = carol.page
	await row(page, code).click()
	const record = page.locator('.record')
	await record.getByText('Xhunik Mateo Tzʼunun Palax').first().waitFor()
	await record.getByText('Name as on documents', { exact: false }).or(record.locator('dt[lang=en]')).first().waitFor()
	const english = await record.locator('.answers dt').allInnerTexts()
	await page.getByLabel(say('en', 'record.language')).selectOption('es')
	await record.locator('dt[lang=es]').first().waitFor()
	const spanish = await record.locator('.answers dt').allInnerTexts()
	assert.equal(english.length, spanish.length)
	assert.notDeepEqual(english, spanish)
	await page.getByLabel(say('en', 'record.language')).selectOption('en')

	// each photograph is really drawn: its own width, not a broken picture
	await page.waitForFunction(() => document.querySelectorAll('.thumbs img').length === 3)
	const widths = await page.$$eval('.thumbs img', all => Promise.all(all.map(async i => {
		await i.decode()
		return i.naturalWidth
	})))
	assert.ok(widths.every(w => w > 100), String(widths))
	await look(carol, 'a case')
	await page.locator('.thumbs .thumb-button').first().click()
	await page.getByRole('dialog').locator('img').waitFor()
	await page.keyboard.press('+')
	await page.getByText('150 %').waitFor()
	await look(carol, 'a photograph')
	await page.keyboard.press('Escape')
	await page.getByRole('dialog').waitFor({ state: 'detached' })
})

step('a note, and an assignment after six words were compared', async () => {
	const page = carol.page
	await button(page, 'en', 'act.note').click()
	await dialogButton(page, 'en', 'act.note_yes').click()
	await page.getByRole('dialog').getByText(say('en', 'act.note_empty')).waitFor()
	await page.getByRole('dialog').getByRole('textbox').fill('Called the aunt; she keeps the children. ¡Urgente!')
	await dialogButton(page, 'en', 'act.note_yes').click()
	await page.locator('.event.is-note').getByText('Called the aunt').waitFor()

	await button(page, 'en', 'act.assign').click()
	await look(carol, 'assigning')
	await choiceOf(page, 'Dan Okoro').click()
	await dialogButton(page, 'en', 'act.assign_yes').click()
	const words = page.getByRole('dialog').getByRole('list', { name: say('en', 'compare.words') })
	await words.waitFor()
	const carols = await words.getByRole('listitem').allInnerTexts()
	// Dan reads them out from the state of his desk
	await button(dan.page, 'es', 'status.title').click()
	const his = await dan.page.getByRole('list', { name: say('es', 'compare.words') }).getByRole('listitem').allInnerTexts()
	assert.deepEqual(carols, his)
	assert.equal(carols.length, 6)
	await look(dan, 'the state of the desk on a phone')
	await dialogButton(page, 'en', 'compare.same').click()
	await page.getByText(say('en', 'did.assign', { who: 'Dan Okoro' })).first().waitFor()
	await syncDesk(page, 'en')
})

step('the other attorney accepts on a phone; everybody sees it', async () => {
	await org.release()
	const page = dan.page
	await page.keyboard.press('Escape')
	await syncDesk(page, 'es')
	await row(page, code).waitFor({ timeout: 60000 })
	// only what was assigned
	assert.equal(await grid(page).getAttribute('aria-rowcount'), '1')
	await look(dan, 'the list on a phone')
	await row(page, code).click()
	await page.locator('.event.is-note').getByText('Called the aunt').waitFor()
	await look(dan, 'a case on a phone')
	await button(page, 'es', 'act.accept').click()
	await dialogButton(page, 'es', 'act.accept_yes').click()
	await page.getByText(say('es', 'did.accept')).first().waitFor()
	// the device's own back button closes the case
	await page.goBack()
	await grid(page).waitFor()
	await syncDesk(page, 'es')
	await org.release()
	await syncDesk(carol.page, 'en')
	await carol.page.locator('.people').getByText(/accepted/).waitFor()
	await org.run('as ana sync')
	const shown = await org.as('ana', 'show', code)
	assert.match(shown, /Called the aunt/)
	assert.match(shown, /Dan Okoro .*accepted|Dan Okoro: accepted/)
})

async function exported (page, kind, more = async () => {}) {
	await page.locator('.record-tools').getByRole('button', { name: say('en', 'export.button'), exact: true }).click()
	await choiceOf(page, say('en', kind)).first().click()
	await more()
	await dialogButton(page, 'en', 'export.go').click()
	await page.getByText(say('en', 'export.agree_first')).waitFor()
	await choiceOf(page, say('en', 'export.agree')).click()
	const [d] = await Promise.all([page.waitForEvent('download'), dialogButton(page, 'en', 'export.go').click()])
	const file = path(work, d.suggestedFilename())
	await d.saveAs(file)
	await dialogButton(page, 'en', 'common.done').click()
	return file
}

step('an export is what was sent, byte for byte, and says that nothing protects it', async () => {
	const page = carol.page
	const zip = await exported(page, 'export.folders')
	// read by another program than the one that wrote it
	const out = path(work, 'out')
	execFileSync('python3', ['-c', 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])', zip, out])
	const folder = path(out, code)
	assert.deepEqual(readFileSync(path(folder, 'submission.xml')), readFileSync(data('intake-01.xml')))
	for (const p of ['nta-tzunun-hoja1.jpg', 'nta-tzunun-hoja2.jpg', 'dpi-frente-palax.jpg'])
		assert.deepEqual(readFileSync(path(folder, p)), readFileSync(data(p)), p)
	assert.match(readFileSync(path(folder, 'case.json'), 'utf8'), /Called the aunt/)
	// the control: a byte that is wrong is noticed by that other program
	const bytes = readFileSync(zip)
	const at = bytes.indexOf(readFileSync(data('dpi-frente-palax.jpg')).subarray(0, 64))
	assert.ok(at > 0)
	bytes[at + 20] ^= 1
	writeFileSync(zip, bytes)
	assert.throws(() => execFileSync('python3', ['-c', 'import sys, zipfile; assert zipfile.ZipFile(sys.argv[1]).testzip() is None', zip], { stdio: 'ignore' }))

	const json = await exported(page, 'export.json')
	assert.equal(JSON.parse(readFileSync(json, 'utf8')).length, 1)
	const csv = await exported(page, 'export.tables')
	const names = execFileSync('python3', ['-c', 'import sys, zipfile; print("\\n".join(zipfile.ZipFile(sys.argv[1]).namelist()))', csv]).toString()
	assert.match(names, /\.csv/)
})

step('on paper: the case with its photographs, its code above, and no buttons', async () => {
	const page = carol.page
	await page.emulateMedia({ media: 'print' })
	assert.equal(await page.locator('button:visible').filter({ hasNot: page.locator('img') }).count(), 0)
	assert.equal(await page.locator('.desk-list').isVisible(), false)
	assert.ok(await page.locator('.record-code').isVisible())
	const photo = await page.locator('.thumbs img').first().boundingBox()
	assert.ok(photo.width > 200, `a photograph is ${photo.width} wide`)
	const pdf = await page.pdf({ path: path(work, 'case.pdf') })
	assert.ok(pdf.length > 20000)
	await page.emulateMedia({ media: null })
})

step('locked: nothing of a case is left in the page', async () => {
	const page = carol.page
	const urls = await page.$$eval('img', all => all.map(i => i.src).filter(s => s.startsWith('blob:')))
	assert.ok(urls.length > 0)
	// the control: before, the addresses can be read
	const readable = () => page.evaluate(list => Promise.all(list.map(src => new Promise(resolve => {
		const i = new Image()
		i.onload = () => resolve(true)
		i.onerror = () => resolve(false)
		i.src = src
	}))), urls)
	assert.ok((await readable()).every(Boolean))
	await button(page, 'en', 'desk.lock').click()
	await page.getByLabel(say('en', 'unlock.pass'), { exact: true }).waitFor()
	const html = await page.evaluate(() => document.documentElement.outerHTML)
	for (const planted of ['Tzʼunun', 'Called the aunt', code]) assert.ok(!html.replace(/<script[^]*?<\/script>/g, '').includes(planted), planted)
	const before = carol.troubles.length
	assert.ok((await readable()).every(r => r === false), 'a picture can still be read')
	// the browser's own word for each of these questions
	assert.ok(carol.troubles.slice(before).every(t => t.includes('ERR_FILE_NOT_FOUND')), carol.troubles.join('\n'))
	carol.troubles.length = before
	await unlock(page, 'en', passes['Carol Diaz'])
	await row(page, code).waitFor()
	// by time, too
	await row(page, code).click()
	await page.locator('.record .answers').waitFor()
	await page.evaluate(() => {
		const now = Date.now
		Date.now = () => now() + 6 * 60000
		document.dispatchEvent(new Event('visibilitychange'))
	})
	await page.getByText(say('en', 'unlock.idle')).waitFor()
	assert.ok(!(await page.evaluate(() => document.body.innerText)).includes('Tzʼunun'))
})

step('nothing was asked for beyond the list, and the page had no troubles', async () => {
	const servers = [`127.0.0.1:${(await org.run('cat "$work/s1.port"')).trim()}`]
	let n = 0
	for (const d of [carol, dan]) {
		assert.deepEqual(beyondTheList(d, { site: site.url, servers }), [])
		assert.deepEqual(d.troubles, [])
		n += d.requests.length + d.sockets.length
	}
	assert.ok(n > 0)
	figure(`desk: ${n} requests of two attorneys' pages, beyond the list 0`)
})
