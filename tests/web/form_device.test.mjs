// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: what questions ask of the device, given, refused and late: where it is, its camera, a
// finger on the screen; lists that are too long for it; and pictures as they come: with a
// camera's notes of every kind, of fifty million points, of kinds that no browser opens.
import test from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { Device, figure, host, LAPTOP, Organisation, overflows, violations } from './harness.mjs'
import { button, join, say } from './steps.mjs'
import { film } from './camera.mjs'
import { notesOf, photograph, pngWith, withNotes } from './photo.mjs'

const L = 'en'
const work = mkdtempSync(path(tmpdir(), 'amparo-form.'))
const TOWNS = Array.from({ length: 300 }, (_, i) => i === 211 ? 'Güinope' : i === 212 ? 'Guinope Viejo' : `Town ${i + 1}`)
const items = TOWNS.map((t, i) => `<item><label>${t}</label><value>t${i + 1}</value></item>`).join('')
const QUESTIONS = ['here', 'way', 'when', 'born', 'paper', 'sign', 'town', 'towns', 'any']
const FORM = `<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml" xmlns:odk="http://www.opendatakit.org/xforms">
<h:head><h:title>Device</h:title><model><instance><data id="device" version="1">${QUESTIONS.map(q => `<${q}/>`).join('')}</data></instance>
<bind nodeset="/data/here" type="geopoint"/><bind nodeset="/data/way" type="geotrace"/><bind nodeset="/data/when" type="dateTime"/><bind nodeset="/data/born" type="date"/>
<bind nodeset="/data/paper" type="binary"/><bind nodeset="/data/sign" type="binary"/><bind nodeset="/data/town" type="string"/><bind nodeset="/data/towns" type="odk:select"/>
<bind nodeset="/data/any" type="binary"/></model></h:head>
<h:body><input ref="/data/here"><label>here</label></input><input ref="/data/way"><label>way</label></input><input ref="/data/when"><label>when</label></input>
<input ref="/data/born" appearance="month-year"><label>born</label></input>
<upload ref="/data/paper" mediatype="image/*"><label>paper</label></upload><upload ref="/data/sign" mediatype="image/*" appearance="signature"><label>sign</label></upload>
<select1 ref="/data/town" appearance="minimal"><label>town</label>${items}</select1><select ref="/data/towns"><label>towns</label>${items}</select>
<upload ref="/data/any" mediatype="application/*"><label>any</label></upload></h:body></h:html>`

let org, site, d
test.before(async () => {
	process.env.FORM = path(work, 'device.xml')
	writeFileSync(process.env.FORM, FORM)
	const slip = path(work, 'paper.y4m')
	film(slip, 'a paper before the camera')
	site = await host()
	org = await Organisation.found({ sitePort: site.port })
	d = await Device.start({ camera: slip })
	await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Vera Sol' })
	await button(d.page, L, 'joined.go').click()
	d.context.setDefaultTimeout(10000)
	await button(d.page, L, 'home.begin').click()
	await button(d.page, L, 'begin.go').click()
	await heading('here').waitFor()
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
async function sound (what) {
	assert.deepEqual(await violations(page()), [], what)
	assert.ok(await overflows(page()) <= 0, `${what}: wider than the screen`)
}
// to a question, by the list of all answers
async function to (name) {
	if (await heading(name).count() > 0) return
	if (await heading(say(L, 'review.title')).count() === 0) await button(page(), L, 'fill.to_review').click()
	await heading(say(L, 'review.title')).waitFor()
	await page().locator('.review-group button.row-main', { has: page().locator('.row-detail', { hasText: new RegExp(`\\d\\. ${name}$`) }) }).click()
	await heading(name).waitFor()
}
const go = () => page().locator('.fill-next').click()

test('where the device is: refused, not found, late, given', async () => {
	const press = () => button(page(), L, 'place.here').click()
	// refused
	await d.context.grantPermissions([], { origin: site.url.slice(0, -1) })
	await press()
	await page().getByText(say(L, 'place.denied')).waitFor()
	await sound('a place refused')
	// allowed, but the device does not know
	await d.context.grantPermissions(['geolocation'], { origin: site.url.slice(0, -1) })
	await d.context.setGeolocation(null)
	await press()
	await page().getByText(say(L, 'place.not_found')).waitFor()
	assert.equal(await page().getByText(say(L, 'place.denied')).count(), 0)
	// late: it says that it looks, typing goes on, and then that nothing was found
	await page().evaluate(() => {
		window.asked = []
		Geolocation.prototype.getCurrentPosition = function (ok, no, how) { window.asked.push({ ok, no, how }) }
	})
	await press()
	await button(page(), L, 'place.searching').waitFor()
	await page().getByLabel(say(L, 'place.latitude')).fill('14.5')
	assert.ok(await page().evaluate(() => window.asked[0].how.timeout <= 30000), 'it would look for ever')
	await page().evaluate(() => window.asked[0].no({ code: 3, message: 'planted' }))
	await page().getByText(say(L, 'place.not_found')).waitFor()
	assert.equal(await page().getByLabel(say(L, 'place.latitude')).inputValue(), '14.5')
	// one number alone is not left behind unseen
	await go()
	await page().getByText(say(L, 'place.not_whole')).waitFor()
	await sound('half a place')
	await button(page(), L, 'fill.drop_typed').click()
	assert.equal(await page().getByLabel(say(L, 'place.latitude')).inputValue(), '')
	// late, and somebody went on: it is not the next question's answer
	await press()
	await button(page(), L, 'place.searching').waitFor()
	await go()
	await heading('way').waitFor()
	await page().evaluate(() => window.asked[1].ok({ coords: { latitude: 1, longitude: 2, altitude: null, accuracy: 3 } }))
	assert.equal(await page().locator('.saved').getAttribute('data-sign'), 'fresh')
	await button(page(), L, 'fill.back').click()
	await heading('here').waitFor()
	// given
	await page().evaluate(() => {
		Geolocation.prototype.getCurrentPosition = function (ok) { ok({ coords: { latitude: 14.63491234567, longitude: -90.5069, altitude: null, accuracy: 12.34 } }) }
	})
	await press()
	await saved()
	assert.equal(await page().getByLabel(say(L, 'place.latitude')).inputValue(), '14.634912')
	await page().getByText(say(L, 'place.accuracy', { m: 12 })).waitFor()
	await go()
	await heading('way').waitFor()
})

test('half a way, half a moment, half a month: never left behind unseen', async () => {
	await to('way')
	await page().getByLabel(say(L, 'place.latitude')).fill('14')
	await page().getByLabel(say(L, 'place.longitude')).fill('-91')
	await go()
	await page().getByText(say(L, 'trace.not_added')).waitFor()
	await button(page(), L, 'trace.add').click()
	await go()
	await page().getByText(say(L, 'trace.few', { n: 2 }), { exact: true }).waitFor()
	await button(page(), L, 'fill.drop_typed').click()
	await go()
	await heading('when').waitFor()
	await page().locator('.widget input[type=date]').fill('2026-11-24')
	// leaving the one field for the other is no reason to complain
	await page().locator('.widget input[type=time]').focus()
	assert.equal(await page().locator('.field-fault').count(), 0)
	await go()
	await page().locator('.field-fault', { hasText: say(L, 'date.half') }).waitFor()
	await page().locator('.widget input[type=time]').fill('09:30')
	await go()
	await heading('born').waitFor()
	await page().locator('.widget select').selectOption({ index: 3 })
	await go()
	await page().getByText(say(L, 'date.not_whole')).waitFor()
	await sound('half a date')
	await page().getByLabel(say(L, 'date.year')).fill('2019')
	await go()
	await heading('paper').waitFor()
})

test('a photograph in the page itself: what the camera sees, kept; and off again', async () => {
	await to('paper')
	await button(page(), L, 'camera.here').click()
	await page().locator('video').waitFor()
	await sound('the camera')
	await button(page(), L, 'camera.take').click()
	await page().locator('.kept img').waitFor({ timeout: 30000 })
	assert.deepEqual(await page().evaluate(() => {
		const i = document.querySelector('.kept img')
		return [i.naturalWidth, i.naturalHeight, document.querySelector('video')]
	}), [640, 480, null])
	await saved()
	// beside it: a file, and the telephone's own camera
	assert.equal(await page().locator('.widget input[type=file][capture]').count(), 1)
	await sound('a photograph kept')
	// refused: the reason, and the other ways stay
	await page().evaluate(() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('planted', 'NotAllowedError')) })
	await button(page(), L, 'camera.here').click()
	await page().getByText(say(L, 'scan.denied')).waitFor()
	await sound('the camera refused')
	await page().evaluate(() => { delete navigator.mediaDevices.getUserMedia })
	await button(page(), L, 'camera.stop').click()
	await page().locator('.kept img').waitFor()
	// at a laptop the button for a photograph is this one
	await page().setViewportSize(LAPTOP)
	await sound('a photograph at a laptop')
	await page().setViewportSize({ width: 360, height: 740 })
})

test('a signature: drawn, taken back, drawn anew; kept also by whoever just goes on', async () => {
	await to('sign')
	await button(page(), L, 'draw.sign').click()
	const pad = page().locator('canvas.pad')
	const stroke = async (...points) => {
		const b = await pad.boundingBox()
		await page().mouse.move(b.x + b.width * points[0][0], b.y + b.height * points[0][1])
		await page().mouse.down()
		for (const [x, y] of points.slice(1)) await page().mouse.move(b.x + b.width * x, b.y + b.height * y, { steps: 5 })
		await page().mouse.up()
	}
	const dark = () => pad.evaluate(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 === 0 && v < 128).length)
	assert.ok(await button(page(), L, 'draw.keep').isDisabled())
	await stroke([0.1, 0.2], [0.8, 0.8])
	const one = await dark()
	assert.ok(one > 500, `${one} dark points`)
	await stroke([0.1, 0.8], [0.8, 0.2])
	assert.ok(await dark() > one * 1.5)
	await button(page(), L, 'draw.undo').click()
	assert.equal(await dark(), one)
	await sound('a signature')
	// without "Keep it"
	await go()
	await heading(say(L, 'review.title')).waitFor()
	await to('sign')
	await page().locator('.kept img').waitFor()
	const kept = await page().evaluate(() => {
		const i = document.querySelector('.kept img'), c = document.createElement('canvas')
		c.width = i.naturalWidth
		c.height = i.naturalHeight
		const x = c.getContext('2d')
		x.drawImage(i, 0, 0)
		return { width: c.width, dark: x.getImageData(0, 0, c.width, c.height).data.filter((v, n) => n % 4 === 0 && v < 128).length }
	})
	assert.equal(kept.width, 900)
	assert.ok(Math.abs(kept.dark - one) < one / 5, `${kept.dark} of ${one}`)
	// anew, and left alone: the page is hidden in the middle of it, as by a call
	await button(page(), L, 'draw.again').click()
	await stroke([0.2, 0.5], [0.6, 0.5])
	await page().evaluate(() => {
		Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
		document.dispatchEvent(new Event('visibilitychange'))
		delete document.visibilityState
	})
	await page().locator('.kept img').waitFor()
	await saved()
	await go()
	await heading(say(L, 'review.title')).waitFor()
})

test('of three hundred choices the letters find the one, accents or not; those chosen stay', async () => {
	await to('town')
	const search = page().getByLabel(say(L, 'choice.search'))
	const shown = () => page().locator('.widget .choice').allInnerTexts()
	assert.equal((await shown()).length, 40)
	await page().getByText(say(L, 'choice.more.other', { n: 260 })).waitFor()
	await sound('a long list')
	await search.fill('guinope')
	assert.deepEqual(await shown(), ['Güinope', 'Guinope Viejo'])
	await search.fill('zzz')
	await page().getByText(say(L, 'choice.none')).waitFor()
	await search.fill('GÜINOPE')
	await page().locator('.widget').getByLabel('Güinope', { exact: true }).check()
	await saved()
	// Enter in the field that searches goes on, with what is chosen
	await search.press('Enter')
	await heading(say(L, 'review.title')).waitFor()
	await to('towns')
	await search.fill('town 3')
	for (const t of ['Town 3', 'Town 30']) await page().locator('.widget').getByLabel(t, { exact: true }).check()
	await search.fill('viejo')
	assert.deepEqual(await shown(), ['Town 3', 'Town 30', 'Guinope Viejo'])
	await page().locator('.widget').getByLabel('Guinope Viejo', { exact: true }).check()
	await page().locator('.widget').getByLabel('Town 3', { exact: true }).click()
	await saved()
	await sound('a long list of many')
	await button(page(), L, 'fill.to_review').click()
	const review = await page().locator('.review').innerText()
	assert.match(review, /Güinope/)
	assert.match(review, /Town 30, Guinope Viejo/)
})

// what was kept, as the page shows it: byte for byte what is sealed
const keptBytes = async () => {
	const text = await page().locator('.kept img').evaluate(async i => {
		const c = document.createElement('canvas')
		c.width = i.naturalWidth
		c.height = i.naturalHeight
		return `${c.width} ${c.height}`
	})
	return text.split(' ').map(Number)
}

test('pictures as they come: notes of every kind are gone, whatever the file is', async () => {
	await to('any')
	const jpeg = await photograph(page(), { width: 1200, height: 900 })
	const all = withNotes(jpeg)
	// control: the notes are in the originals, and are found
	assert.deepEqual(notesOf(all), ['comment', 'exif', 'icc', 'iptc', 'thumbnail', 'xmp'])
	const png = pngWith(await page().evaluate(() => {
		const c = document.createElement('canvas')
		c.width = 300
		c.height = 200
		return c.toDataURL('image/png').split(',')[1]
	}))
	assert.deepEqual(notesOf(png), ['comment', 'exif', 'xmp'])
	for (const [name, type, bytes] of [['IMG_1.jpg', 'image/jpeg', all], ['IMG_2.PNG', '', png]]) {
		const sealed = page().evaluate(() => new Promise(resolve => {
			const post = Worker.prototype.postMessage
			Worker.prototype.postMessage = function (m, ...rest) {
				if (m.op === 'fill_attach') {
					Worker.prototype.postMessage = post
					let text = ''
					for (const b of m.args.bytes) text += String.fromCharCode(b)
					resolve({ name: m.args.name, bytes: btoa(text) })
				}
				return post.call(this, m, ...rest)
			}
		}))
		await page().locator('.widget input[type=file]').last().setInputFiles({ name, mimeType: type, buffer: bytes })
		const out = await sealed
		await page().locator('.kept').waitFor()
		const kept = Buffer.from(out.bytes, 'base64')
		assert.equal(out.name, 'photo.jpg')
		assert.equal(kept.readUInt16BE(0), 0xffd8)
		assert.deepEqual(notesOf(kept), [], name)
		await saved()
	}
})

test('what is no picture, or none that opens here, is told apart from what is one', async () => {
	await to('paper')
	const give = (name, mimeType, buffer) => page().locator('.widget input[type=file]').last().setInputFiles({ name, mimeType, buffer })
	const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(4000, 7)])
	await give('IMG_0001.HEIC', 'image/heic', heic)
	await page().getByText(say(L, 'file.no_picture')).waitFor()
	await sound('a picture that does not open')
	// what was there before is still there
	await page().locator('.kept img').waitFor()
	await give('cut.jpg', 'image/jpeg', Buffer.from([0xff, 0xd8, 0xff, 0xe0]))
	await page().getByText(say(L, 'file.no_picture')).waitFor()
	await give('empty.jpg', 'image/jpeg', Buffer.alloc(0))
	await page().getByText(say(L, 'file.empty')).waitFor()
	await give('notes.txt', 'text/plain', Buffer.from('no picture'))
	await page().getByText(say(L, 'file.no_kind')).waitFor()
	// a drawing that could ask a stranger's server for something asks for nothing
	const before = d.requests.length
	await give('a.svg', 'image/svg+xml', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40"><image href="http://127.0.0.1:9/x.png" width="9" height="9"/><script>parent.hit = 1</script><rect width="60" height="40" fill="red"/></svg>'))
	await page().waitForFunction(() => document.querySelector('.spinner') === null)
	assert.deepEqual(d.requests.slice(before).filter(u => !u.startsWith('blob:')), [])
	assert.equal(await page().evaluate(() => window.hit), undefined)
})

test('a photograph of fifty million points becomes small', async () => {
	await to('paper')
	const photo = await photograph(page(), { width: 8160, height: 6144 })
	const t0 = Date.now()
	await page().locator('.widget input[type=file]').last().setInputFiles({ name: 'big.jpg', mimeType: 'image/jpeg', buffer: photo }, { timeout: 60000 })
	await page().getByText(/removed\./).waitFor({ timeout: 120000 })
	await saved()
	const ms = Date.now() - t0
	const [w, h] = await keptBytes()
	figure(`a photograph of 50 megapixels, ${photo.length} bytes: ${w} x ${h} kept after ${ms} ms`)
	assert.ok(Math.max(w, h) >= 1200, 'it can be read')
	assert.deepEqual(d.troubles, [])
})

test('letters twice as large, or a screen of 320 points: nothing is cut off', async () => {
	const wide = []
	for (const [what, width, size] of [['320 points', 320, ''], ['200 %', 360, '200%']]) {
		await page().setViewportSize({ width, height: 740 })
		await page().evaluate(s => { document.documentElement.style.fontSize = s }, size)
		for (const q of ['here', 'way', 'when', 'born', 'paper', 'sign', 'town', 'towns', 'any']) {
			await to(q)
			if (await overflows(page()) > 0) wide.push(`${q}, ${what}: ${await overflows(page())}`)
			// the frame leaves more than half of the screen to the question, and the way out is there
			const framed = await page().evaluate(() => [...document.querySelectorAll('.top, .foot')]
				.filter(e => getComputedStyle(e).position === 'sticky').reduce((sum, e) => sum + e.getBoundingClientRect().height, 0) / innerHeight)
			if (framed > 0.5) wide.push(`${q}, ${what}: the frame has ${Math.round(framed * 100)} % of the screen`)
			await page().evaluate(() => window.scrollTo(0, document.body.scrollHeight))
			const exit = await button(page(), L, 'common.exit').boundingBox()
			if (!exit || exit.y < 0 || exit.y > 100 || exit.x + exit.width > width) wide.push(`${q}, ${what}: no way out, ${JSON.stringify(exit)}`)
		}
		await button(page(), L, 'fill.to_review').click()
		await heading(say(L, 'review.title')).waitFor()
		if (await overflows(page()) > 0) wide.push(`review, ${what}: ${await overflows(page())}`)
	}
	assert.deepEqual(wide, [])
	await page().evaluate(() => { document.documentElement.style.fontSize = '' })
})

test('pages of a paper form before the camera of the page, one after the other', async () => {
	await page().setViewportSize(LAPTOP)
	await button(page(), L, 'fill.leave').click()
	await button(page(), L, 'home.begin').click()
	await page().getByRole('dialog').getByRole('switch').check({ force: true })
	await button(page(), L, 'begin.go').click()
	await page().locator('input[type=date]').fill('2026-11-20')
	// a telephone has its own camera beside it; the name differs by that
	await page().locator('.paper button', { hasText: new RegExp(`^(${say(L, 'paper.photo')}|${say(L, 'camera.here')})$`) }).click()
	for (const n of [1, 2]) {
		await button(page(), L, 'camera.take').click()
		await page().locator('.scan img').nth(n - 1).waitFor({ timeout: 30000 })
	}
	await sound('pages before the camera')
	await button(page(), L, 'camera.stop').click()
	assert.equal(await page().locator('video').count(), 0)
	await button(page(), L, 'paper.on').click()
	await heading('here').waitFor()
	await button(page(), L, 'fill.to_review').click()
	await page().locator('.scans img').nth(1).waitFor()
	assert.equal(await page().locator('.scans img').count(), 2)
	assert.deepEqual(d.troubles, [])
})
