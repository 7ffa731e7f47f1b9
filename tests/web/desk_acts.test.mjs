// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: everything that can be done with a case, clicked by two attorneys in two browsers
// against a real server, and what the native programs see of it: a wrong passphrase, giving,
// declining, recusing, taking back while it is read, closing, reopening, a legal hold, several
// cases exported and one file, a case on paper, words of a desk from a sheet of paper.
import test from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { Device, host, LAPTOP, Organisation, overflows, PHONE, TOP, violations } from './harness.mjs'
import { aDay, button, holdDesk, joinDesk, say, syncDesk, unlock } from './steps.mjs'

const work = mkdtempSync(path(tmpdir(), 'amparo-acts.'))
let org, site, carol, dan
const passes = {}
// the case codes by the number of their interview
const code = {}

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
const dialog = page => page.getByRole('dialog')
const choice = (page, text) => dialog(page).locator('label.choice').filter({ hasText: text }).first()
const press = (page, lang, key, values) => dialog(page).getByRole('button', { name: say(lang, key, values), exact: true }).click()
const banner = (page, text) => page.locator('.banner').filter({ hasText: text }).first()

// a list that is sorted anew shows another case in the place that was clicked: seen by its code,
// which on a telephone only the bar above shows
async function open (page, code) {
	const shown = page.locator('.record-head .record-code').filter({ hasText: code })
	for (let i = 0; i < 5 && await shown.count() === 0; i++) {
		await row(page, code).click()
		await shown.waitFor({ state: 'attached', timeout: 4000 }).catch(() => {})
	}
	await shown.waitFor({ state: 'attached' })
}

// a button of the case, what is asked behind it, and the sentence that it was done
async function act (page, lang, name, { reason = '', sure = false, told = `did.${name}` } = {}) {
	await page.locator('.record-tools').getByRole('button', { name: say(lang, `act.${name}`), exact: true }).click()
	// each of them names the case
	await dialog(page).getByText(await page.locator('.record-head .record-code').innerText()).waitFor()
	if (reason !== '') await dialog(page).getByRole('textbox').fill(reason)
	if (sure) {
		// not by accident
		await press(page, lang, `act.${name}_yes`)
		await dialog(page).getByText(say(lang, 'act.be_sure')).waitFor()
		await choice(page, say(lang, 'act.recuse_sure')).click()
	}
	await press(page, lang, `act.${name}_yes`)
	await banner(page, say(lang, told)).waitFor()
	await dialog(page).waitFor({ state: 'detached' })
}

async function assign (page, lang, to, { days = '', compare = false } = {}) {
	await page.locator('.record-tools').getByRole('button', { name: say(lang, 'act.assign'), exact: true }).click()
	await choice(page, to).click()
	if (days !== '') await dialog(page).getByLabel(say(lang, 'assign.days')).selectOption(days)
	await press(page, lang, 'act.assign_yes')
	if (compare) await press(page, lang, 'compare.same')
	await banner(page, say(lang, 'did.assign', { who: to })).waitFor()
	await dialog(page).waitFor({ state: 'detached' })
}

// everything that waits is sent and shown to whoever syncs next
async function round (...pages) {
	for (const [page, lang] of pages) {
		await syncDesk(page, lang)
		await org.release()
	}
}
const ana = async (...args) => {
	await org.run('as ana sync --yes')
	return org.as('ana', ...args)
}
// what the native program has of a case
const native = async n => JSON.parse(await ana('show', code[n], '--json'))
const history = (show, kind) => show.history.filter(e => e.kind === kind)

step('two attorneys join; a wrong passphrase is none, and the door opens by the keyboard alone', async () => {
	carol = await Device.start({ viewport: LAPTOP })
	dan = await Device.start({ viewport: PHONE, locale: 'es-MX' })
	passes.carol = await joinDesk(org, carol.page, { url: site.url, name: 'Carol Diaz' })
	await joinDesk(org, dan.page, { url: site.url, name: 'Dan Okoro', lang: 'es' })
	await holdDesk(org, carol.page, { name: 'Carol Diaz' })
	await org.run('enrol vera "Vera Cruz" volunteer && as vera sync')
	for (const n of ['01', '02', '03', '05', '06', '10']) code[n] = (await org.run(`submit vera ${n}`)).trim()
	await org.run('as vera sync && as ruth release')
	const page = carol.page
	await button(page, 'en', 'desk.lock').click()
	await unlock(page, 'en', `${passes.carol} x`)
	await banner(page, say('en', 'error.unlock.auth')).waitFor()
	assert.equal(await grid(page).count(), 0)
	assert.equal(await page.getByLabel(say('en', 'unlock.pass'), { exact: true }).inputValue(), '')
	// the field has the focus again
	await page.keyboard.type(passes.carol)
	await page.keyboard.press('Enter')
	await syncDesk(page, 'en')
	await row(page, code['01']).waitFor({ timeout: 60000 })
	assert.equal(await grid(page).getAttribute('aria-rowcount'), '6')
})

step('three cases are given to a colleague; he declines one, recuses himself from one, accepts one', async () => {
	let page = carol.page
	await open(page, code['01'])
	await assign(page, 'en', 'Dan Okoro', { compare: true })
	// the words were compared: from then on it is one step
	await open(page, code['02'])
	await assign(page, 'en', 'Dan Okoro', { days: '3' })
	await open(page, code['03'])
	await assign(page, 'en', 'Dan Okoro')
	await page.keyboard.press('Escape')
	await round([page, 'en'], [dan.page, 'es'])

	page = dan.page
	await page.waitForFunction(() => document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') === '3')
	await open(page, code['01'])
	assert.equal(await page.getByRole('button', { name: say('es', 'act.assign'), exact: true }).count(), 0)
	await act(page, 'es', 'decline', { reason: 'Estoy en la corte ese día' })
	await row(page, code['02']).waitFor()
	assert.equal(await row(page, code['01']).count(), 0)
	await open(page, code['02'])
	await page.locator('.people').getByText(/responder hasta/).waitFor()
	// who sent it has no name here, and is called in the language of the page
	await page.getByText(/por persona voluntaria 1/).waitFor()
	await act(page, 'es', 'recuse', { sure: true })
	await page.waitForFunction(() => document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') === '1')
	await open(page, code['03'])
	await act(page, 'es', 'accept')
	// on a phone the list has the button
	await page.goBack()
	await round([page, 'es'])

	const declined = await native('01')
	assert.equal(history(declined, 'declined').length, 1)
	assert.equal(history(declined, 'declined')[0].text, 'Estoy en la corte ese día')
	assert.equal(history(declined, 'declined')[0].author, 'Dan Okoro')
	assert.equal(declined.state, 'returned')
	const recused = await native('02')
	assert.deepEqual(history(recused, 'recused').map(e => e.author), ['Dan Okoro'])
	const accepted = await native('03')
	assert.equal(accepted.state, 'accepted')
	assert.deepEqual(accepted.assigned.map(p => [p.name, p.answer]), [['Dan Okoro', 'accepted']])
})

step('the case that was pressed is opened, also if the list is sorted anew under the finger', async () => {
	const page = carol.page
	const first = grid(page).locator('[role=row][aria-rowindex="1"]')
	const pressed = await first.locator('.case-code').innerText()
	const other = Object.values(code).find(c => c !== pressed)
	await first.hover()
	await page.mouse.down()
	await page.getByRole('searchbox').fill(other)
	await first.filter({ hasText: other }).waitFor()
	await page.mouse.up()
	await page.locator('.record-head .record-code').filter({ hasText: pressed }).waitFor()
	await page.getByRole('searchbox').fill('')
	await row(page, pressed).waitFor()
})

step('the first attorney sees what the second did, and cannot give it to who recused himself', async () => {
	const page = carol.page
	await syncDesk(page, 'en')
	await open(page, code['01'])
	await page.locator('.event.is-declined').getByText('Estoy en la corte ese día').waitFor()
	await page.locator('.people').getByText(/Dan Okoro: said no/).waitFor()
	await open(page, code['02'])
	await page.locator('.event.is-recused').waitFor()
	await page.locator('.record-tools').getByRole('button', { name: say('en', 'act.assign'), exact: true }).click()
	await dialog(page).locator('.cannot').getByText(say('en', 'refusal.recused')).waitFor()
	assert.equal(await choice(page, 'Dan Okoro').count(), 0)
	// nobody chosen is said, not guessed
	await press(page, 'en', 'act.assign_yes')
	await dialog(page).getByText(say('en', 'assign.choose')).waitFor()
	await page.keyboard.press('Escape')
	await dialog(page).waitFor({ state: 'detached' })
	// what a native colleague does comes the same way
	await org.run('as ana sync')
	await org.as('ana', 'note', code['02'], 'The aunt has the insulin.')
	await org.run('as ana sync && as ruth release')
	await syncDesk(page, 'en')
	await page.locator('.event.is-note').getByText('The aunt has the insulin.').waitFor()
})

step('a case that is taken back leaves the screen of who reads it, with a word', async () => {
	const page = carol.page
	await open(page, code['03'])
	await page.locator('.people').getByRole('button', { name: say('en', 'act.unassign_from', { who: 'Dan Okoro' }) }).click()
	await dialog(page).getByRole('textbox').fill('Ana knows the family')
	await press(page, 'en', 'act.unassign_yes')
	await banner(page, say('en', 'did.unassign')).waitFor()
	await round([page, 'en'])
	// he has it open when a sync begins by itself
	await open(dan.page, code['03'])
	await dan.page.evaluate(() => window.dispatchEvent(new Event('online')))
	await banner(dan.page, code['03']).waitFor({ timeout: 60000 })
	assert.equal(await dan.page.locator('.record').count(), 0)
	await dan.page.getByText(say('es', 'desk.none')).waitFor()
	assert.deepEqual(await violations(dan.page), [])
	const show = await native('03')
	assert.equal(history(show, 'unassigned')[0].whom, 'Dan Okoro')
	assert.equal(history(show, 'unassigned')[0].text, 'Ana knows the family')
})

step('closed, reopened, closed; a hold with a reason, ended; a note that is begun is not lost', async () => {
	const page = carol.page
	await open(page, code['05'])
	await act(page, 'en', 'close', { reason: 'Released' })
	// the button is gone: the keyboard goes on from the case
	await page.locator('.record-tools').getByRole('button', { name: say('en', 'act.close'), exact: true }).waitFor({ state: 'detached' })
	await page.waitForFunction(() => document.activeElement?.classList.contains('record-title'))
	await act(page, 'en', 'reopen', { reason: 'Taken again' })
	await open(page, code['06'])
	await act(page, 'en', 'close')

	await open(page, code['10'])
	await page.locator('.record-tools').getByRole('button', { name: say('en', 'act.hold'), exact: true }).click()
	await press(page, 'en', 'act.hold_yes')
	await dialog(page).getByText(say('en', 'act.hold_empty')).waitFor()
	await dialog(page).getByRole('textbox').fill('á'.repeat(129))
	await dialog(page).getByText(say('en', 'act.too_long.other', { n: 2 })).waitFor()
	await dialog(page).getByRole('textbox').fill('Order of the court, 24 November')
	await press(page, 'en', 'act.hold_yes')
	await banner(page, say('en', 'did.hold')).waitFor()
	await row(page, code['10']).getByText(say('en', 'mark.held')).waitFor()
	await act(page, 'en', 'unhold')
	await row(page, code['10']).getByText(say('en', 'mark.held')).waitFor({ state: 'detached' })

	await page.locator('.record-tools').getByRole('button', { name: say('en', 'act.note'), exact: true }).click()
	await dialog(page).getByRole('textbox').fill('A long note about the hearing')
	await page.keyboard.press('Escape')
	await dialog(page).getByText(say('en', 'act.note_leave')).waitFor()
	await press(page, 'en', 'act.note_back')
	assert.equal(await dialog(page).getByRole('textbox').inputValue(), 'A long note about the hearing')
	await press(page, 'en', 'act.note_yes')
	await page.locator('.event.is-note').getByText('A long note about the hearing').waitFor()

	await round([page, 'en'])
	const states = Object.fromEntries(JSON.parse(await ana('cases', '--json')).map(c => [c.code, c.state]))
	assert.equal(states[code['05']], 'open')
	assert.equal(states[code['06']], 'closed')
	const show = await native('05')
	assert.deepEqual(show.history.map(e => [e.kind, e.text]), [['closed', 'Released'], ['open', 'Taken again']])
	// what is closed stands behind "Closed" alone
	await button(page, 'en', 'chip.closed').click()
	await page.waitForFunction(() => document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') === '1')
	await row(page, code['06']).waitFor()
	await button(page, 'en', 'chip.all').click()
	await row(page, code['01']).waitFor()
})

// the files that a native export and the page's have, by name
function files (folder, at = '') {
	return readdirSync(path(folder, at), { withFileTypes: true }).flatMap(e =>
		e.isDirectory() ? files(folder, path(at, e.name)) : [path(at, e.name)]).sort()
}

step('several cases and single files go out as the native program writes them', async () => {
	const page = carol.page
	await page.keyboard.press('Escape')
	await button(page, 'en', 'desk.choose').click()
	await row(page, code['01']).click()
	// and by the keyboard
	await row(page, code['02']).focus()
	await page.keyboard.press('x')
	await page.getByText(say('en', 'desk.n_chosen.other', { n: 2 })).waitFor()
	await page.locator('.desk-tools').getByRole('button', { name: say('en', 'export.button'), exact: true }).click()
	await choice(page, say('en', 'export.agree')).click()
	let [d] = await Promise.all([page.waitForEvent('download'), press(page, 'en', 'export.go')])
	const zip = path(work, 'two.zip')
	await d.saveAs(zip)
	await press(page, 'en', 'common.done')
	const ours = path(work, 'ours'), theirs = path(work, 'theirs')
	execFileSync('python3', ['-c', 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])', zip, ours])
	mkdirSync(theirs, { mode: 0o700 })
	await org.run('as ana sync')
	for (const n of ['01', '02']) await org.as('ana', 'export', code[n], '--to', theirs)
	const names = files(theirs)
	assert.deepEqual(files(ours), [...names, 'index.csv'].sort())
	assert.ok(names.some(n => n.endsWith('.jpg')))
	for (const n of names) assert.ok(readFileSync(path(ours, n)).equals(readFileSync(path(theirs, n))), `${n} differs`)
	const index = readFileSync(path(ours, 'index.csv'), 'utf8').trim().split('\r\n')
	assert.equal(index.length, 3)
	await button(page, 'en', 'desk.choose_end').click()

	// one case as single files
	await open(page, code['01'])
	await page.locator('.record-tools').getByRole('button', { name: say('en', 'export.button'), exact: true }).click()
	await choice(page, say('en', 'export.attachments')).click()
	await dialog(page).getByRole('switch', { name: say('en', 'export.single') }).check()
	await choice(page, say('en', 'export.agree')).click()
	const got = []
	page.on('download', x => got.push(x))
	await press(page, 'en', 'export.go')
	await dialog(page).getByText(say('en', 'export.done.other', { n: 3 })).waitFor()
	for (let i = 0; got.length < 3 && i < 100; i++) await page.waitForTimeout(50)
	assert.equal(got.length, 3)
	for (const x of got) {
		const file = path(work, x.suggestedFilename())
		await x.saveAs(file)
		assert.ok(readFileSync(file).equals(readFileSync(path(theirs, code['01'], x.suggestedFilename()))), x.suggestedFilename())
	}
	await press(page, 'en', 'common.done')

	// one photograph from its own picture
	await page.locator('.thumbs .thumb-button').first().click()
	await press(page, 'en', 'photo.save')
	;[d] = await Promise.all([page.waitForEvent('download'), dialog(page).last().getByRole('button', { name: say('en', 'photo.save_yes'), exact: true }).click()])
	await d.saveAs(path(work, 'one'))
	assert.ok(readFileSync(path(work, 'one')).equals(readFileSync(path(theirs, code['01'], d.suggestedFilename()))))
	await page.keyboard.press('Escape')
	await dialog(page).waitFor({ state: 'detached' })
})

step('on paper: this case from its code to its last note, and nothing else', async () => {
	const page = carol.page
	await page.evaluate(() => {
		window.print = () => { window.printed = document.querySelectorAll('.record img').length }
	})
	const print = page.locator('.record-tools').getByRole('button', { name: say('en', 'record.print'), exact: true })
	await print.click()
	await page.waitForFunction(() => window.printed > 0)
	const pdf = path(work, 'case.pdf')
	await page.pdf({ path: pdf, format: 'Letter' })
	const paper = execFileSync('pdftotext', ['-layout', pdf, '-']).toString()
	for (const wanted of [code['01'], 'Tzʼunun', 'Estoy en la corte', say('en', 'record.events'), 'destroy it when it is filed'])
		assert.ok(paper.includes(wanted) || paper.replace(/\s+/g, ' ').includes(wanted), `${wanted} is not on paper`)
	for (const n of ['02', '03', '05', '06', '10']) assert.ok(!paper.includes(code[n]), `case ${n} is on the paper of 01`)
	for (const key of ['desk.search', 'export.button', 'record.print', 'act.note', 'record.empty', 'desk.lock', 'common.exit'])
		assert.ok(!paper.split('\n').some(l => l.trim() === say('en', key)), `the button ${key} is on paper`)
	const info = execFileSync('pdfinfo', [pdf]).toString()
	assert.doesNotMatch(info, new RegExp(`Title:.*${code['01']}`))
	// the pictures are on it, as wide as they are on the screen at least
	const images = execFileSync('pdfimages', ['-list', pdf]).toString().trim().split('\n').slice(2)
	assert.ok(images.length >= 3, images.join('\n'))
})

step('a holder who recuses herself reads no further, and finds it nowhere', async () => {
	const page = carol.page
	await page.keyboard.press('Escape')
	const title = await row(page, code['06']).locator('.case-title').innerText()
	await open(page, code['06'])
	await act(page, 'en', 'recuse', { sure: true })
	assert.equal(await page.locator('.record').count(), 0)
	await row(page, code['06']).getByText(say('en', 'desk.recused_title')).waitFor()
	assert.ok(!(await page.locator('body').innerText()).includes(title))
	await row(page, code['06']).click()
	await banner(page, say('en', 'desk.recused_closed')).waitFor()
	assert.equal(await page.locator('.record').count(), 0)
	await page.getByRole('searchbox').fill(title)
	await page.getByText(say('en', 'desk.none_fits')).waitFor()
	await page.getByRole('searchbox').fill('')
	await row(page, code['06']).waitFor()
	// nor does it go out with a choice of several
	await button(page, 'en', 'desk.choose').click()
	await row(page, code['06']).click()
	await page.getByText(say('en', 'desk.n_chosen.other', { n: 0 })).waitFor()
	await button(page, 'en', 'desk.choose_end').click()
	await round([page, 'en'])
	assert.deepEqual(history(await native('06'), 'recused').map(e => e.author), ['Carol Diaz'])
})

step('answers that were written to confuse stand in their own place, at both widths', async () => {
	// turned around, joined, endless, of several lines; a formula; what looks like a folder
	const odd = {
		name: `\u202eamparo\u202c ${'W'.repeat(220)}`,
		aliases: '=HYPERLINK("x")',
		home_town: 'ירושלים \u2066القدس\u2069 👩‍👩‍👧‍👦 Z̴̢͉a̶l̵g̷o',
		name_papers: `../../etc/passwd ${'ñ'.repeat(300)}`
	}
	let xml = readFileSync(path(TOP, 'tests/e2e/data/intake-05.xml'), 'utf8')
	for (const [tag, text] of Object.entries(odd)) {
		const plain = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
		const with_it = xml.replace(new RegExp(`<${tag}>[^<]*</${tag}>|<${tag}/>`), `<${tag}>${plain}</${tag}>`)
		assert.notEqual(with_it, xml, tag)
		xml = with_it
	}
	writeFileSync(path(work, 'odd.xml'), xml)
	code.odd = /"code":"([0-9A-Z-]*)"/.exec(await org.as('vera', 'intake', 'submit', '--instance', path(work, 'odd.xml'), '--attach', 'tests/e2e/data/talon-pago-pelicanfork.jpg', '--lang', 'es', '--json'))[1]
	await org.run('as vera sync && as ruth release')
	let page = carol.page
	await syncDesk(page, 'en')
	await open(page, code.odd)
	await assign(page, 'en', 'Dan Okoro')
	await page.keyboard.press('Escape')
	await round([page, 'en'], [dan.page, 'es'])
	await open(carol.page, code.odd)
	for (const d of [carol, dan]) {
		page = d.page
		if (d === dan) {
			const title = await row(page, code.odd).locator('.case-title').boundingBox()
			const shown = await row(page, code.odd).locator('.case-code').boundingBox()
			assert.ok(title.x + title.width <= 360 && shown.x + shown.width <= 360, 'wider than the screen')
			assert.ok(shown.y >= title.y + title.height - 1, 'the title lies over the code')
			await open(page, code.odd)
		}
		assert.equal(await overflows(page), 0)
		assert.deepEqual(await violations(page), [])
		// every answer stays inside its own cell, and none is drawn over another
		const boxes = await page.$$eval('.answer dd, .answer dt', all => all.map(e => ({ over: e.scrollWidth - e.clientWidth, text: e.textContent.slice(0, 40) })))
		assert.deepEqual(boxes.filter(b => b.over > 1), [])
		const there = await page.locator('.record').innerText()
		for (const text of Object.values(odd)) assert.ok(there.includes(text.slice(0, 60)), text)
		// what turns writing around ends with its answer
		for (const of of ['.record-title', '.answer-text'])
			assert.equal(await page.locator(of).first().evaluate(e => getComputedStyle(e).unicodeBidi), 'plaintext')
	}
	// as a table a formula is a text, and nothing leaves the folder
	page = carol.page
	await page.locator('.record-tools').getByRole('button', { name: say('en', 'export.button'), exact: true }).click()
	await choice(page, say('en', 'export.tables')).click()
	await choice(page, say('en', 'export.agree')).click()
	const [d] = await Promise.all([page.waitForEvent('download'), press(page, 'en', 'export.go')])
	await d.saveAs(path(work, 'odd.zip'))
	await press(page, 'en', 'common.done')
	const csv = execFileSync('python3', ['-c', 'import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nfor n in z.namelist(): print(n, z.read(n).decode())', path(work, 'odd.zip')], { env: { ...process.env, PYTHONIOENCODING: 'utf-8' } }).toString()
	assert.match(csv, /'=HYPERLINK/)
	assert.doesNotMatch(csv, /[,\n]"?=HYPERLINK/)
	await dan.page.goBack()
})

step('a desk that is not trusted is trusted by words from paper, and by no others', async () => {
	await org.run('as ruth desk create Hotline --holders "Ana Ruiz,Ben Carter" && as ruth release')
	for (const who of ['ana', 'ben']) await org.run(`as ${who} sync && as ${who} desk sign Hotline`)
	await org.run('as ruth release && as ruth sync && as ruth desk publish Hotline && as ruth form publish tests/e2e/data/left-alone.form.xml --desk Hotline')
	await org.run('as ana sync && as ben sync && as ruth release && as ana sync')
	const page = carol.page
	await syncDesk(page, 'en')
	const about = await org.as('ana', 'about')
	const sheet = /^Desk Hotline.*\n([^]*?)\n\n/m.exec(`${about}\n\n`)?.[1].trim().split(/\s+/).slice(0, 6)
	assert.equal(sheet?.length, 6, about)

	await button(page, 'en', 'desk.intake').click()
	await page.getByText('Children left alone').first().click()
	await press(page, 'en', 'desk_words.compare')
	const type = async words => {
		for (const field of await page.getByRole('textbox').all()) {
			const label = await field.evaluate(f => f.labels[0].innerText)
			await field.fill(words[Number(/\d/.exec(label)[0]) - 1])
		}
		await button(page, 'en', 'desk_words.check').click()
	}
	// which two are asked for comes from the core; its own screen does not show them
	await page.getByRole('textbox').nth(1).waitFor()
	const shown = await page.locator('main').innerText()
	assert.ok(!sheet.some(w => new RegExp(`\\b${w}\\b`, 'i').test(shown)), shown)
	await type([...sheet.slice(1), sheet[0]])
	await banner(page, say('en', 'error.desk_trust.auth')).waitFor()
	await type(sheet.map(() => 'nosuchwordatall'))
	await banner(page, say('en', 'error.desk_trust.unknown')).waitFor()
	await type(sheet)
	await banner(page, say('en', 'desk_words.trusted')).waitFor()
	assert.deepEqual(await violations(page), [])
	await button(page, 'en', 'common.continue').click()
	await page.getByText('Children left alone').first().click()
	assert.equal(await dialog(page).getByRole('button', { name: say('en', 'desk_words.compare') }).count(), 0)
	await page.keyboard.press('Escape')
	await page.goBack()
	await grid(page).waitFor()
})

step('locked, nothing of a case is in the page or on its disk', async () => {
	const page = carol.page
	await open(page, code['01'])
	await page.getByRole('searchbox').fill('Tzunun')
	await page.waitForFunction(() => document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') === '1')
	await button(page, 'en', 'desk.lock').click()
	await page.getByLabel(say('en', 'unlock.pass'), { exact: true }).waitFor()
	// everything the page may read without the passphrase
	const all = () => page.evaluate(async () => {
		const out = [document.documentElement.innerText, document.title, JSON.stringify(history.state), location.href,
			JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie,
			...[...document.querySelectorAll('input, textarea')].map(i => i.value)]
		const latin = bytes => new TextDecoder('latin1').decode(bytes)
		for (const { name } of await indexedDB.databases()) {
			const db = await new Promise((resolve, reject) => {
				const r = indexedDB.open(name)
				r.onsuccess = () => resolve(r.result)
				r.onerror = () => reject(r.error)
			})
			for (const s of db.objectStoreNames) {
				const rows = await new Promise(resolve => {
					const r = db.transaction(s).objectStore(s).getAll()
					r.onsuccess = () => resolve(r.result)
				})
				for (const x of rows) out.push(x instanceof Uint8Array ? latin(x) : JSON.stringify(x, (k, v) => v instanceof Uint8Array ? latin(v) : v))
			}
			db.close()
		}
		for (const name of await caches.keys())
			for (const r of await (await caches.open(name)).keys()) out.push(r.url)
		return out
	})
	// UTF-8 bytes, read as Latin-1, of what was planted
	const planted = ['Tz\u00ca\u00bcunun', 'Tzʼunun', 'Tzunun', 'Estoy en la corte', code['01'], 'insulin']
	const found = (await all()).filter(t => planted.some(p => t?.includes(p)))
	assert.deepEqual(found, [])
	// the control: what is planted is found
	await page.evaluate(() => localStorage.setItem('planted', 'Estoy en la corte'))
	assert.equal((await all()).filter(t => planted.some(p => t?.includes(p))).length, 1)
	await page.evaluate(() => localStorage.removeItem('planted'))
	for (const d of [carol, dan]) {
		assert.deepEqual(d.troubles, [])
		assert.equal(await overflows(d.page), 0)
	}
})
