// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: how long people wait, as figures: from the address to the first question, for each
// question of a long interview, and for sealing 250 answers with two photographs.
import test from 'node:test'
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join as path } from 'node:path'
import { Device, figure, host, Organisation } from './harness.mjs'
import { button, confirm, join, unlock } from './steps.mjs'
import { photograph } from './photo.mjs'

const L = 'en'
const TYPED = 248
let org, site, d, pass

const median = all => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]

function longForm () {
	const names = [...Array(TYPED).keys()].map(i => `q${i + 1}`)
	return `<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml">
<h:head><h:title>Long interview</h:title><model><instance><data id="long" version="1">
${names.map(n => `<${n}/>`).join('')}<p1/><p2/><meta><instanceID/></meta></data></instance>
${names.map(n => `<bind nodeset="/data/${n}" type="string"/>`).join('')}
<bind nodeset="/data/p1" type="binary"/><bind nodeset="/data/p2" type="binary"/>
<bind nodeset="/data/meta/instanceID" type="string" readonly="true()" calculate="concat('uuid:', uuid())"/>
</model></h:head><h:body>
<upload ref="/data/p1" mediatype="image/*"><label>First photograph</label></upload>
<upload ref="/data/p2" mediatype="image/*"><label>Second photograph</label></upload>
${names.map((n, i) => `<input ref="/data/${n}"><label>Question ${i + 1}</label></input>`).join('\n')}
</h:body></h:html>`
}

test.before(async () => {
	site = await host()
	org = await Organisation.found({ sitePort: site.port })
	writeFileSync(path(org.work, 'long.xml'), longForm())
	await org.run('as ruth form publish $work/long.xml --desk Intake')
	await org.run('as ruth release')
	await org.run('as ruth sync')
	d = await Device.start()
	const r = await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Lupe Ortega' })
	pass = r.pass
	await confirm(org, 'Lupe Ortega', r.words)
	await button(d.page, L, 'joined.go').click()
	await button(d.page, L, 'home.begin').waitFor()
})
test.after(async () => {
	await d?.end()
	await site?.end()
	await org?.end()
})

const ask = label => d.page.getByRole('heading', { level: 2, name: label, exact: true })

test('from the address to the first question', async () => {
	const opened = [], asked = []
	for (let i = 0; i < 3; i++) {
		let t0 = Date.now()
		await d.page.goto('about:blank')
		t0 = Date.now()
		await d.page.goto(site.url)
		await d.page.locator('input').first().waitFor()
		opened.push(Date.now() - t0)
		t0 = Date.now()
		await unlock(d.page, L, pass)
		await button(d.page, L, 'home.begin').waitFor()
		await d.page.getByRole('button', { name: /Long interview/ }).last().click()
		await button(d.page, L, 'begin.go').click()
		await ask('First photograph').waitFor()
		asked.push(Date.now() - t0)
		await d.page.goBack()
	}
	figure(`time to first question: page and core ready ${median(opened)} ms, then unlocking, choosing and the question ${median(asked)} ms (medians of ${opened.length})`)
	assert.ok(median(opened) < 10000 && median(asked) < 20000)
})

test('250 questions with two photographs', async () => {
	await button(d.page, L, 'home.begin').waitFor()
	await d.page.getByRole('button', { name: /Long interview/ }).last().click()
	await button(d.page, L, 'begin.go').click()
	for (const label of ['First photograph', 'Second photograph']) {
		await ask(label).waitFor()
		await d.page.locator('.widget input[type=file]').first().setInputFiles({ name: 'p.jpg', mimeType: 'image/jpeg', buffer: await photograph(d.page, { width: 1600, height: 1200 }) })
		await d.page.locator('.widget img').first().waitFor()
		await button(d.page, L, 'fill.next').click()
	}
	const each = []
	for (let i = 1; i <= TYPED; i++) {
		await ask(`Question ${i}`).waitFor()
		await d.page.locator('.widget input').first().fill(`Answer number ${i} as a family would give it.`)
		const t0 = Date.now()
		await d.page.keyboard.press('Enter')
		await (i < TYPED ? ask(`Question ${i + 1}`) : button(d.page, L, 'review.send')).waitFor()
		each.push(Date.now() - t0)
	}
	figure(`an answer kept, encrypted, and the next question shown: median ${median(each)} ms, worst ${Math.max(...each)} ms of ${each.length}`)
	const t0 = Date.now()
	await button(d.page, L, 'review.send').click()
	await d.page.locator('.slip-screen .code').waitFor({ timeout: 60000 })
	figure(`sealing a 250-question intake with two photographs: ${Date.now() - t0} ms`)
	assert.ok(median(each) < 2000)
	assert.deepEqual(d.troubles, [])
})
