// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: an interview in the page: every kind of question by the forms of tests/forms, on a phone
// and at a keyboard; photographs without what the camera wrote into them; a draft that outlives
// a reload and a killed browser at every question; two languages; paper; the slip.
import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Device, figure, host, LAPTOP, Organisation, overflows, violations } from './harness.mjs'
import { button, confirm, join, say, unlock } from './steps.mjs'
import { exifOf, photograph } from './photo.mjs'

let org, site, d, pass
const L = 'en'
const FORMS = ['types', 'repeats', 'skip', 'languages']

test.before(async () => {
	site = await host()
	org = await Organisation.found({ sitePort: site.port })
	for (const f of FORMS) await org.run(`as ruth form publish tests/forms/${f}.form.xml --desk Intake`)
	await org.run('as ruth release')
	await org.run('as ruth sync')
	d = await Device.start()
	const r = await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Vera Sol' })
	pass = r.pass
	await confirm(org, 'Vera Sol', r.words)
	await button(d.page, L, 'joined.go').click()
})
// each test begins at the first screen, whatever became of the one before
test.beforeEach(async () => {
	d.context.setDefaultTimeout(8000)
	if (await button(page(), L, 'home.begin').count() === 0) {
		await page().reload()
		await comeBack()
	}
	d.troubles.length = 0
})
test.after(async () => {
	await d?.end()
	await site?.end()
	await org?.end()
})

// ---- what a person does ---------------------------------------------------------------------

const page = () => d.page
const heading = name => page().getByRole('heading', { level: 2, name, exact: true })

async function begin (title, { lang = L, in_lang, paper = false } = {}) {
	await page().getByRole('list', { name: say(lang, 'home.forms'), exact: true }).getByRole('button', { name: title }).click()
	const dialog = page().getByRole('dialog')
	if (in_lang) await dialog.getByRole('radio', { name: in_lang, exact: true }).check()
	if (paper) await dialog.getByRole('switch').check({ force: true })
	await dialog.getByRole('button', { name: say(lang, 'begin.go'), exact: true }).click()
}

const sign = async () => page().locator('.saved').getAttribute('data-sign')
const saved = () => page().locator('.saved[data-sign=saved]').waitFor()

// on to the question of this label
async function next (label, lang = L) {
	await page().locator('.fill-next').click()
	if (label) await heading(label).waitFor()
}

async function leave () {
	await button(page(), L, 'fill.leave').click()
	await button(page(), L, 'home.begin').waitFor()
}

async function resume (title) {
	await page().getByRole('list', { name: say(L, 'home.unfinished'), exact: true })
		.getByRole('button', { name: new RegExp(`^${title} begun|^${title}`) }).first().click()
}

async function comeBack () {
	await unlock(page(), L, pass)
	await button(page(), L, 'home.begin').waitFor({ timeout: 60000 })
}

// the screen as it stands: nothing to hold against it
async function sound (what) {
	assert.deepEqual(await violations(page()), [], what)
	// no browser keeps, offers or restores what was typed or chosen
	const helped = await page().evaluate(() => [...document.querySelectorAll('input, textarea, select')]
		.filter(e => e.type !== 'file' && !['off', 'new-password'].includes(e.autocomplete)).map(e => e.outerHTML.slice(0, 80)))
	assert.deepEqual(helped, [], what)
	assert.equal(await overflows(page()), 0, `${what}: wider than the screen`)
}

const choose = name => page().locator('.widget').getByLabel(name, { exact: true }).check()
const value = async selector => page().locator(selector).inputValue()

// ---- the tests ------------------------------------------------------------------------------

test('every type is answered, and stands there again after a reload', async () => {
	await begin('Every type and control')
	await heading('a string').waitFor()
	await sound('text')
	assert.equal(await sign(), 'fresh')
	await page().locator('.widget input').fill('Ana Qʼanil')
	await saved()
	await page().keyboard.press('Enter')

	await heading('an int').waitFor()
	await page().locator('.widget input').fill('12')
	await button(page(), L, 'number.sign').click()
	assert.equal(await value('.widget input'), '-12')
	await sound('int')
	await next('a decimal')
	await page().locator('.widget input').fill('1,')
	// what is stored in another way does not change under the fingers
	await page().waitForFunction(() => document.querySelector('.saved')?.getAttribute('data-sign') !== 'saving')
	assert.equal(await value('.widget input'), '1,')
	await page().locator('.widget input').fill('1,25')
	await next('a date')
	await page().locator('.widget input').fill('2024-02-29')
	// in words: the field itself writes 02/29 or 29/02, as the device is set
	await page().getByText('Thursday, February 29, 2024', { exact: true }).waitFor()
	await sound('date')
	await next('a time')
	await page().locator('.widget input').fill('23:59')
	await sound('time')
	await next('a moment')
	await page().locator('.widget input[type=date]').fill('2026-11-24')
	await page().getByText(say(L, 'date.half')).waitFor()
	await page().locator('.widget input[type=time]').fill('09:30')
	await sound('moment')
	await next('a boolean')
	await choose(say(L, 'common.no'))
	await saved()
	await sound('boolean')
	await next('a place')
	await page().getByLabel(say(L, 'place.latitude')).fill('14.5')
	await page().getByText(say(L, 'place.half')).waitFor()
	await page().getByLabel(say(L, 'place.longitude')).fill('−91,4')
	await sound('place')
	await next('a trace')
	for (const [a, b] of [['14.5', '-91.4'], ['14.6', '-91.5']]) {
		await page().getByLabel(say(L, 'place.latitude')).fill(a)
		await page().getByLabel(say(L, 'place.longitude')).fill(b)
		await button(page(), L, 'trace.add').click()
	}
	await saved()
	await sound('trace')
	await next('a shape')
	for (const [a, b] of [['14', '-91'], ['14', '-92'], ['15', '-92']]) {
		await page().getByLabel(say(L, 'place.latitude')).fill(a)
		await page().getByLabel(say(L, 'place.longitude')).fill(b)
		await button(page(), L, 'trace.add').click()
	}
	await saved()
	await next('a photo')
	await sound('photo')
	await next('a sound')
	await page().locator('.widget input[type=file]').setInputFiles({ name: 'big.mp3', mimeType: 'audio/mpeg', buffer: Buffer.alloc(300 * 1024, 0xff) })
	await page().getByText(/at most .* are allowed/).waitFor()
	await sound('sound')
	await next('a paper')
	await page().locator('.widget input[type=file]').setInputFiles({ name: 'a paper.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer <<>>\n%%EOF\n') })
	await page().getByText('encrypted on this device').waitFor()
	await next('a code')
	await page().locator('.widget input').fill('0012')
	await next('an xsd')
	await page().locator('.widget input').fill('7')
	await next('one')
	await page().locator('.widget select').selectOption({ label: 'Bee' })
	await sound('minimal')
	await next('many')
	await choose('Cow')
	await choose('Ant')
	await saved()
	await sound('many')
	await next('order')
	// no answer before somebody has an opinion
	assert.equal(await button(page(), L, 'fill.clear').count(), 0)
	await button(page(), L, 'rank.up', { what: 'Cow' }).click()
	await saved()
	// the focus stayed with what was moved: the arrow key moves it on
	await page().keyboard.press('ArrowUp')
	assert.deepEqual(await page().locator('.rank-label').allInnerTexts(), ['Cow', 'Ant', 'Bee'])
	await sound('rank')
	await next('pain')
	await page().getByText(say(L, 'range.none')).waitFor()
	await page().locator('.widget input[type=range]').focus()
	for (let i = 0; i < 5; i++) await page().keyboard.press('ArrowRight')
	await page().locator('.range-number input').waitFor()
	assert.equal(await value('.range-number input'), '10')
	await sound('range')
	await next('tenths')
	await page().locator('.range-number input').fill('-0.5')
	await sound('range down')
	await next('sure')
	await choose(say(L, 'confirm.ok'))
	await saved()
	await sound('confirm')
	await next('said')
	await next('plain bold')
	await page().locator('.widget textarea').fill('two')
	await page().keyboard.press('Enter')
	await page().keyboard.type('lines & <more>')
	await sound('multiline')
	await next()
	await heading(say(L, 'review.title')).waitFor()
	await sound('review')

	await page().reload()
	await comeBack()
	await resume('Every type and control')
	await heading(say(L, 'review.title')).waitFor()
	const shown = await page().locator('.review').innerText()
	for (const s of ['Ana Qʼanil', '-12', '1.25', '29 February 2024', '23:59', '0012', 'Bee', 'Cow, Ant, Bee', '-0.5', 'lines & <more>'])
		assert.ok(shown.includes(s), `${s} in ${shown}`)

	await button(page(), L, 'review.send').click()
	await page().getByRole('img', { name: /Case code/ }).waitFor({ timeout: 60000 })
	await sound('slip')
	const code = (await page().locator('.code').innerText()).replace(/\s/g, '').replace(/^(.{5})-?(.{5})$/, '$1-$2')
	assert.match(code, /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/)

	// a wrong copy is noticed; the right one, however it is spelled, is not
	await page().getByLabel(say(L, 'slip.compare')).fill(code.replace(/.$/, c => c === '0' ? '1' : '0'))
	await button(page(), L, 'slip.check').click()
	await page().getByText(say(L, 'slip.wrong')).waitFor()
	await page().getByLabel(say(L, 'slip.compare')).fill(code.toLowerCase().replace('-', ' '))
	await page().keyboard.press('Enter')
	await page().getByText(say(L, 'slip.right')).waitFor()
	// what would be printed has the code, and nothing that tells of the interview
	await page().emulateMedia({ media: 'print' })
	const printed = await page().locator('main').innerText()
	assert.ok(printed.includes(code))
	assert.ok(!printed.includes('Every type') && !printed.includes('2 of 2'), printed)
	await page().emulateMedia({ media: null })
	await button(page(), L, 'slip.done').click()
	await button(page(), L, 'home.begin').waitFor()
	assert.equal(await page().getByText(code).count(), 0)

	// and a native reader has the same answers
	await org.run(`for i in $(seq 40); do as ruth release >/dev/null 2>&1; as ana sync --yes >/dev/null 2>&1; as ana cases --json | grep -q ${code} && break; sleep 1; done`)
	await org.run(`as ana export ${code} --to $work/form-types`)
	const xml = await org.run('cat $work/form-types/*/submission.xml')
	const has = name => xml.match(new RegExp(`<${name}>([^<]*)</${name}>`))?.[1]
	assert.equal(has('a_string'), 'Ana Qʼanil')
	assert.equal(has('an_int'), '-12')
	assert.equal(has('a_decimal'), '1.25')
	assert.equal(has('a_date'), '2024-02-29')
	assert.match(has('a_time'), /^23:59:00/)
	assert.match(has('a_moment'), /^2026-11-24T09:30:00/)
	assert.equal(has('a_boolean'), 'false')
	assert.match(has('a_place'), /^14\.5 -91\.4/)
	assert.match(has('a_trace'), /^14\.5 -91\.4.*; ?14\.6 -91\.5/)
	assert.match(has('a_shape'), /^14 -91.*; ?14 -92.*; ?15 -92.*; ?14 -91/)
	assert.match(has('a_paper'), /\.pdf$/)
	assert.equal(has('a_code'), '0012')
	assert.equal(has('many'), 'a c')
	assert.equal(has('order'), 'c a b')
	assert.equal(has('pain'), '10')
	assert.equal(has('tenths'), '-0.5')
	assert.equal(has('sure'), 'OK')
	assert.equal(has('plain'), 'two\nlines &amp; &lt;more&gt;')
	assert.deepEqual(d.troubles, [])
})

test('a photograph is made small, stands upright, and says nothing of where it was taken', async () => {
	const photo = await photograph(page(), { width: 3000, height: 4000 })
	// control: the original does say it, and is far too large
	const before = exifOf(photo)
	assert.ok(before.gps && before.orientation === 6, JSON.stringify(before))
	assert.ok(photo.length > 1024 * 1024, `${photo.length}`)

	await begin('Every type and control')
	await heading('a string').waitFor()
	await button(page(), L, 'fill.to_review').click()
	await page().getByRole('button', { name: /a photo/ }).click()
	await heading('a photo').waitFor()
	const t0 = Date.now()
	await page().locator('.widget input[type=file]').first().setInputFiles({ name: 'IMG_20261124_SECRET.JPG', mimeType: 'image/jpeg', buffer: photo })
	await page().locator('.kept img').waitFor({ timeout: 60000 })
	figure(`a photograph of ${photo.length} bytes is small and sealed in ${Date.now() - t0} ms`)
	const shape = await page().evaluate(() => {
		const i = document.querySelector('.kept img')
		return [i.naturalWidth, i.naturalHeight]
	})
	// it lay on its side, and stands
	assert.ok(shape[1] < shape[0], `${shape}`)
	const said = await page().locator('.kept figcaption').innerText()
	await sound('a photograph')
	figure(`what was kept of 3000 x 4000: ${said.split(',').slice(0, 2).join(',')}`)

	await button(page(), L, 'review.return').click()
	await heading(say(L, 'review.title')).waitFor()
	await button(page(), L, 'review.send').click()
	await page().getByRole('img', { name: /Case code/ }).waitFor({ timeout: 60000 })
	const code = (await page().locator('.code').innerText()).replace(/\s/g, '').replace(/^(.{5})-?(.{5})$/, '$1-$2')
	await page().getByText(say(L, 'slip.gallery')).waitFor()
	await button(page(), L, 'slip.done').click()
	await page().getByRole('dialog').getByRole('button', { name: say(L, 'slip.done_yes'), exact: true }).click()
	await button(page(), L, 'home.begin').waitFor()
	await org.run(`for i in $(seq 40); do as ruth release >/dev/null 2>&1; as ana sync --yes >/dev/null 2>&1; as ana cases --json | grep -q ${code} && break; sleep 1; done`)
	await org.run(`as ana export ${code} --to $work/form-photo`)
	const file = (await org.run('ls $work/form-photo/*/*.jpg')).trim().split('\n')[0]
	const kept = readFileSync(file)
	assert.ok(kept.length <= 256 * 1024, `${kept.length}`)
	assert.ok(kept.length > 128 * 1024, `the bound is used: ${kept.length}`)
	assert.deepEqual(exifOf(kept), { gps: false, orientation: 0, app1: 0 })
	assert.ok(!file.includes('SECRET'))
	// whatever it says, the place and the camera are in no byte of it
	assert.ok(!kept.includes('AmparoCam') && photo.includes('AmparoCam'))
	assert.deepEqual(d.troubles, [])
})

test('what the form refuses is said, and is not in the way of going back', async () => {
	await begin('Relevance in groups')
	await heading('Age').waitFor()
	await page().getByText(say(L, 'fill.must')).waitFor()
	await page().locator('.widget input').fill('200')
	// it was offered to the form and not taken; while somebody is still typing, nothing is complained of
	await page().locator('.saved[data-sign=saving]').waitFor({ timeout: 1000 }).catch(() => {})
	await page().locator('.saved[data-sign=unsaved]').waitFor()
	assert.equal(await page().getByText('Nobody is that old.').count(), 0)
	assert.equal(await sign(), 'unsaved')
	await page().locator('.fill-next').click()
	await page().getByText('Nobody is that old.').waitFor()
	await sound('a refused answer')
	assert.equal(await page().locator('.widget input').getAttribute('aria-invalid'), 'true')
	await button(page(), L, 'fill.drop_typed').click()
	assert.equal(await value('.widget input'), '')
	// a question may be left blank: the review says what is missing, and leads there
	await next(say(L, 'review.title'))
	await page().locator('.faults').waitFor()
	await sound('a review with faults')
	assert.equal(await button(page(), L, 'review.send').count(), 0)
	await button(page(), L, 'review.fix').click()
	await heading('Age').waitFor()
	await page().locator('.widget input').fill('7')
	// an answer that opens questions leads on to them, not back to the review
	await next('School?')
	await button(page(), L, 'fill.to_review').click()
	await page().locator('.fault-go', { hasText: 'Children go to school.' }).click()
	await heading('School?').waitFor()
	await choose('No')
	await saved()
	await button(page(), L, 'review.return').click()
	await button(page(), L, 'review.send').waitFor()
	await button(page(), L, 'review.drop').click()
	await page().getByRole('dialog').getByRole('button', { name: say(L, 'review.drop_yes'), exact: true }).click()
	await button(page(), L, 'home.begin').waitFor()
	assert.equal(await page().getByText(say(L, 'home.unfinished'), { exact: true }).count(), 0)
})

test('several of a kind are added and taken out', async () => {
	await begin('Repeats in repeats')
	await heading('How many fixed?').waitFor()
	await page().locator('.widget input').fill('0')
	await page().locator('.fill-next').click()
	await heading(say(L, 'repeat.add', { what: 'Child' })).waitFor()
	await sound('an offer')
	await button(page(), L, 'repeat.add_first').click()
	await heading('Name').waitFor()
	await page().locator('.widget input').fill('Lucía')
	await next('Age of Lucía')
	await page().locator('.widget input').fill('14')
	await page().locator('.fill-next').click()
	await button(page(), L, 'repeat.add_more').click()
	await heading('Name').waitFor()
	await page().getByText('Child 2', { exact: false }).first().waitFor()
	await page().locator('.widget input').fill('nobody')
	await saved()
	await sound('in a repeat')
	await button(page(), L, 'repeat.remove').click()
	await sound('before removing')
	await page().getByRole('dialog').getByRole('button', { name: say(L, 'repeat.remove_yes'), exact: true }).click()
	await heading(say(L, 'repeat.add', { what: 'Child' })).waitFor()
	await page().getByText(say(L, 'repeat.so_far.one', { n: 1 })).waitFor()
	await button(page(), L, 'repeat.on').click()
	await heading('Who is eldest?').waitFor()
	assert.deepEqual(await page().locator('.choice').allInnerTexts(), ['Lucía'])
	await leave()
})

test('the draft outlives a reload and a killed browser at each question', async () => {
	await begin('Relevance in groups')
	const answers = [['Age', '7'], ['School?', 'yes'], ['Grade', '2']]
	for (const [label, answer] of answers) {
		await heading(label).waitFor()
		if (answer === 'yes') {
			await choose('Yes')
			await saved()
		} else {
			await page().locator('.widget input').pressSequentially(answer)
			// no button, no other field: the battery dies half a second after the last letter
			await saved()
		}
		await d.kill()
		await d.open()
		await d.goto(site.url)
		await comeBack()
		await page().getByRole('list', { name: say(L, 'home.unfinished'), exact: true }).getByRole('button', { name: /^Relevance/ }).click()
		await heading(label).waitFor()
		if (answer === 'yes') assert.ok(await page().getByRole('radio', { name: 'Yes' }).isChecked())
		else assert.equal(await value('.widget input'), answer)
		await page().reload()
		await comeBack()
		await page().getByRole('list', { name: say(L, 'home.unfinished'), exact: true }).getByRole('button', { name: /^Relevance/ }).click()
		await heading(label).waitFor()
		await next()
	}
	await leave()
})

test('what was just typed is kept when the page is hidden, before the pause is over', async () => {
	await begin('Three languages', { in_lang: 'English' })
	await heading('The whole question').waitFor()
	await page().locator('.widget input').fill('Xa')
	// in the same moment, as when another app comes to the front
	await page().evaluate(() => {
		Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
		document.dispatchEvent(new Event('visibilitychange'))
	})
	await page().waitForTimeout(150)
	assert.equal(await sign(), 'saved')
	await page().reload()
	await comeBack()
	await page().getByRole('list', { name: say(L, 'home.unfinished'), exact: true }).getByRole('button', { name: /^Three/ }).click()
	await heading('The whole question').waitFor()
	assert.equal(await value('.widget input'), 'Xa')
	await page().getByText(say(L, 'fill.help')).click()
	await page().getByText('More to know').waitFor()

	// another language in the middle: questions, reasons and the page's own words
	await button(page(), L, 'fill.language').click()
	await sound('languages')
	await page().getByRole('dialog').getByRole('radio', { name: /^Español/ }).click()
	await heading('La pregunta entera').waitFor()
	assert.equal(await page().evaluate(() => document.documentElement.lang), 'es')
	await page().locator('.widget input').fill('X')
	await page().locator('.fill-next').click()
	await page().getByText('Diga por lo menos dos letras').waitFor()
	await sound('en español')
	await button(page(), 'es', 'fill.drop_typed').click()
	await page().locator('.fill-next').click()
	await heading('¿Edad?').waitFor()
	await page().locator('.widget input').fill('9')
	await page().locator('.fill-next').click()
	await page().getByText('Hola Xa, tiene 9').waitFor()
	await button(page(), 'es', 'fill.leave').click()
	// the volunteer's own language is back
	await button(page(), L, 'home.begin').waitFor()
})

test('from paper: the day of the visit, who types it in, the pages', async () => {
	await begin('Relevance in groups', { paper: true })
	await page().getByText(say(L, 'paper.visit')).waitFor()
	await sound('paper')
	await button(page(), L, 'paper.on').click()
	await page().getByText(say(L, 'paper.need_visit')).waitFor()
	await page().locator('input[type=date]').fill('2030-01-01')
	await button(page(), L, 'paper.on').click()
	await page().getByText(say(L, 'paper.no_future')).waitFor()
	await page().locator('input[type=date]').fill('2026-11-20')
	await button(page(), L, 'paper.on').click()
	await page().getByRole('dialog').getByRole('button', { name: say(L, 'paper.none_no'), exact: true }).click()
	await page().locator('.paper input[type=file]').last().setInputFiles({ name: 'p1.jpg', mimeType: 'image/jpeg', buffer: await photograph(page(), { width: 1200, height: 1600 }) })
	await page().locator('.scan img').waitFor({ timeout: 60000 })
	await sound('a scan')
	await button(page(), L, 'paper.on').click()
	await heading('Age').waitFor()
	await page().locator('.widget input').fill('40')
	await button(page(), L, 'fill.to_review').click()
	await page().getByText('Vera Sol').waitFor()
	await button(page(), L, 'review.send').click()
	await page().getByText(say(L, 'slip.copy_paper')).waitFor({ timeout: 60000 })
	await button(page(), L, 'slip.done').click()
	await page().getByRole('dialog').getByRole('button', { name: say(L, 'slip.done_yes'), exact: true }).click()
	await button(page(), L, 'home.begin').waitFor()
	assert.deepEqual(d.troubles, [])
})

test('at a keyboard: the field has the focus, Enter goes on, nothing needs a mouse', async () => {
	await page().setViewportSize(LAPTOP)
	const k = await Device.start({ viewport: LAPTOP })
	try {
		const first = d
		await join(k.page, { url: site.url, invitation: await org.invitation(), name: 'Key Board' })
		await button(k.page, L, 'joined.go').click()
		d = k
		try {
			await begin('Relevance in groups')
			await heading('Age').waitFor()
			await page().keyboard.type('9')
			await page().keyboard.press('Enter')
			await heading('School?').waitFor()
			await page().keyboard.press('Space')
			await saved()
			assert.ok(await page().getByRole('radio', { name: 'Yes' }).isChecked())
			await sound('at a laptop')
			await page().keyboard.press('Enter')
			await heading('Grade').waitFor()
			await page().keyboard.type('3')
			await page().keyboard.press('Enter')
			await heading('Grade 3 of 4').waitFor()
			await page().keyboard.press('Enter')
			await heading(say(L, 'review.title')).waitFor()
		} finally {
			d = first
		}
	} finally {
		await k.end()
	}
})
