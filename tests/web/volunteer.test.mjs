// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: a volunteer's whole day on a phone, in Spanish: joined in the morning, the evening in a
// hall without a network, the battery dead in the middle of an interview, home again; and the
// attorneys, with native devices, read what was said.
import test from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Device, beyondTheList, figure, host, Organisation, overflows, violations } from './harness.mjs'
import { button, confirm, interview, join, say, unlock } from './steps.mjs'

const ES = 'es'
let org, site, d, pass, code
let screens = 0
const found = []

// each screen as it is shown: nothing inaccessible, nothing wider than the phone
async function look (name) {
	screens++
	for (const v of await violations(d.page)) found.push(`${name}: ${v}`)
	if (await overflows(d.page) > 0) found.push(`${name}: wider than the screen`)
}

test.before(async () => {
	site = await host()
	org = await Organisation.found({ sitePort: site.port })
	d = await Device.start()
})
test.afterEach(async t => {
	if (t.passed === false && process.env.SHOTS) await d.page.screenshot({ path: `${process.env.SHOTS}/${t.name.replace(/\W+/g, '_').slice(0, 40)}.png` })
})
test.after(async () => {
	await d?.end()
	await site?.end()
	await org?.end()
})

test('joins with a link, and is confirmed by four words', async () => {
	const r = await join(d.page, { url: site.url, invitation: await org.invitation(), name: 'Lupe Ortega', lang: ES, after: look })
	pass = r.pass
	// the link's invitation is not left in the address bar or the history
	assert.equal(await d.page.evaluate(() => location.hash), '')
	await confirm(org, 'Lupe Ortega', r.words)
	await button(d.page, ES, 'joined.go').click()
	await button(d.page, ES, 'home.begin').waitFor()
	await look('home')
	// the page has put itself by for the evening
	await d.page.waitForFunction(async () => (await navigator.serviceWorker.ready).active !== null && (await caches.keys()).length > 0)
})

const answers = () => [
	{ label: 'Está de acuerdo en continuar', choose: 'Sí' },
	{ label: 'Nombre, como lo dice la familia', text: 'Xhunik Mateo Tzʼunun Palax' },
	{ label: 'Lugar de trabajo o sitio', text: 'planta de pollo, segundo turno' },
	{ label: 'Qué quisiera contar', text: 'Los niños están con la vecina.' }
]

test('in the hall: the page opens without any network, and an interview survives a dead battery', async () => {
	await site.end()
	await d.context.setOffline(true)
	await d.page.goto(site.url)
	await unlock(d.page, ES, pass)
	const stopped = await interview(d.page, ES, { answers: answers(), stopAt: 'Fecha en que se la llevaron', after: look })
	assert.equal(stopped, null)
	await d.kill()
	await d.open()
	await d.context.setOffline(true)
	await d.page.goto(site.url)
	await unlock(d.page, ES, pass)
	await d.page.getByRole('button', { name: /Raid intake/ }).first().click()
	await d.page.locator('.question h2', { hasText: 'Fecha en que se la llevaron' }).waitFor()
})

test('sends it: sealed, a code for the slip, one waiting', async () => {
	code = await interview(d.page, ES, { resume: true, answers: answers().slice(2), after: look })
	assert.match(code, /^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/)
	await d.page.getByText(say(ES, 'outbox.waiting.one', { n: 1 })).first().waitFor()
	await look('home with one waiting')
})

test('the sealed outbox can be carried in a file by somebody else', async () => {
	await d.page.getByRole('button', { name: new RegExp(say(ES, 'outbox.waiting.one', { n: 1 })) }).click()
	await look('outbox')
	const saved = d.page.waitForEvent('download')
	await button(d.page, ES, 'outbox.save').click()
	const file = await (await saved).path()
	for (const name of ['Xhunik', 'pollo', code, 'Lupe']) assert.ok(!readFileSync(file).includes(name), name)
	assert.match(await org.as('ana', 'outbox', 'carry', file), /1/)
	await d.page.goBack()
})

test('with a network again it syncs by itself: nothing waits, one safe', async () => {
	await d.context.setOffline(false)
	const state = d.page.locator('.send-state')
	await state.getByText(say(ES, 'outbox.safe.one', { n: 1 })).waitFor({ timeout: 60000 })
	assert.equal(await state.getByText(say(ES, 'outbox.waiting.one', { n: 1 })).count(), 0)
	await look('home, all safe')
})

test('the attorneys read it with native devices, byte for byte what was said', async () => {
	await org.release()
	await org.as('ana', 'sync', '--yes')
	const cases = await org.as('ana', 'cases', '--json')
	assert.equal(cases.split('"code"').length - 1, 1, 'the carried copy and the sent one are one case')
	const shown = await org.as('ana', 'show', code, '--lang', 'es')
	for (const text of ['Xhunik Mateo Tzʼunun Palax', 'planta de pollo, segundo turno', 'Los niños están con la vecina.'])
		assert.ok(shown.includes(text), `${text}\n${shown}`)
})

test('no screen is inaccessible or too wide; the page asked for nothing but itself and its server', () => {
	figure(`screens of a volunteer's day: ${screens}; violations: ${found.length}`)
	assert.deepEqual(found, [])
	const port = d.sockets.map(u => new URL(u).host)
	assert.equal(new Set(port).size, 1)
	const beyond = beyondTheList(d, { site: site.url, servers: [port[0]] })
	figure(`requests: ${d.requests.length}, WebSockets: ${d.sockets.length}, beyond the list: ${beyond.length}`)
	assert.deepEqual(beyond, [])
	// control: another address is seen
	d.requests.push('https://example.org/pixel.png')
	assert.equal(beyondTheList(d, { site: site.url, servers: [port[0]] }).length, 1)
	assert.deepEqual(d.troubles.filter(t => !/ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|Failed to load resource/.test(t)), [])
})
