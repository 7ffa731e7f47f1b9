// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: the page as a file and as an installed page: its policy, its requests, its first
// screens, leaving it in a hurry, and its updates.  No organisation is needed.
import test from 'node:test'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beyondTheList, Device, host, LAPTOP, overflows, PAGE_DIR, PHONE, violations } from './harness.mjs'
import { button, chooseLanguage, say } from './steps.mjs'

const html = readFileSync(join(PAGE_DIR, 'amparo.html'), 'utf8')
const work = mkdtempSync(join(tmpdir(), 'amparo-page.'))
const devices = []
const hosts = []
test.after(async () => {
	for (const d of devices) await d.end()
	for (const h of hosts) await h.end()
	rmSync(work, { recursive: true, force: true })
})
async function device (options) {
	const d = await Device.start(options)
	devices.push(d)
	return d
}
async function site (dir) {
	const h = await host(dir)
	hosts.push(h)
	return h
}
const between = (a, b) => html.slice(html.indexOf(a) + a.length, html.indexOf(b, html.indexOf(a) + a.length))
const hash = text => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

test('the policy names one script and one style, and nothing else of their kind', () => {
	const policy = between('http-equiv="Content-Security-Policy" content="', '"')
	const rules = Object.fromEntries(policy.split('; ').map(r => [r.split(' ')[0], r.split(' ').slice(1)]))
	assert.deepEqual(rules['default-src'], ["'none'"])
	assert.deepEqual(rules['script-src'], [hash(between('<script>', '</script>')), "'wasm-unsafe-eval'"])
	assert.deepEqual(rules['style-src'], [hash(between('<style>', '</style>'))])
	for (const source of rules['connect-src']) assert.match(source, /^wss:$|^ws:\/\/(localhost|127\.0\.0\.1|\*\.onion):\*$/)
	assert.deepEqual(rules['require-trusted-types-for'], ["'script'"])
	assert.equal(html.match(/<script/g).length, 1)
	assert.doesNotMatch(html.replace(/<script>.*<\/script>/s, '').replace(/<style>.*<\/style>/s, ''), / on[a-z]+=|style=|src=/)
})

test('one character changed in the script, and nothing of it runs', async () => {
	const changed = join(work, 'changed.html')
	writeFileSync(changed, html.replace('</script>', ' </script>'))
	const d = await device()
	await d.goto(`file://${changed}`)
	await d.page.waitForTimeout(500)
	assert.equal(await d.page.locator('#app > *').count(), 0)
	assert.ok(d.troubles.some(t => /Content Security Policy/.test(t)), d.troubles.join())
	// control: unchanged it does
	d.troubles.length = 0
	await d.goto(`file://${PAGE_DIR}/amparo.html`)
	await d.page.getByRole('button', { name: 'English', exact: true }).waitFor()
	assert.deepEqual(d.troubles, [])
})

test('what the page is told not to do is not done, whoever asks', async () => {
	const d = await device()
	const h = await site(), other = await site()
	await d.goto(h.url)
	await d.page.getByRole('button', { name: 'English', exact: true }).waitFor()
	const tried = await d.page.evaluate(async ([url, other]) => {
		const out = {}
		out.fetch = await fetch(url + 'sw.js').then(() => 'done', () => 'refused')
		out.image = await new Promise(resolve => {
			const i = new Image()
			i.onload = () => resolve('done')
			i.onerror = () => resolve('refused')
			i.src = other + 'icon-192.png'
		})
		out.beacon = navigator.sendBeacon(url + 'beacon') ? 'asked' : 'refused'
		try { document.body.insertAdjacentHTML('beforeend', '<b>x</b>'); out.html = 'done' } catch { out.html = 'refused' }
		try { out.socket = await new Promise(resolve => {
			const s = new WebSocket('ws://192.0.2.1:1/')
			s.onerror = () => resolve('refused')
			s.onopen = () => resolve('done')
		}) } catch { out.socket = 'refused' }
		return out
	}, [h.url, other.url])
	assert.deepEqual({ ...tried, beacon: 'refused' }, { fetch: 'refused', image: 'refused', beacon: 'refused', html: 'refused', socket: 'refused' })
	assert.ok(!h.asked.includes('/beacon'), 'the beacon reached the host')
	assert.deepEqual(other.asked, [])
})

for (const [lang, viewport, dark] of [['es', PHONE, false], ['en', LAPTOP, true]]) {
	test(`the first screens in ${lang} at ${viewport.width}: no violation, nothing too wide, large targets`, async () => {
		const d = await device({ viewport, dark })
		await d.goto(`file://${PAGE_DIR}/amparo.html`)
		const look = async what => {
			assert.deepEqual(await violations(d.page), [], what)
			assert.ok(await overflows(d.page) <= 0, what)
			const small = await d.page.evaluate(() => [...document.querySelectorAll('button, summary, select, label.choice, label.button, label.switch')]
				.map(e => [e.textContent, e.getBoundingClientRect()]).filter(([, r]) => r.width > 0 && (r.height < 47 || r.width < 47)).map(([t]) => t))
			assert.deepEqual(small, [], what)
		}
		await d.page.getByRole('button', { name: 'English', exact: true }).waitFor()
		await look('language')
		await chooseLanguage(d.page, lang)
		await look('start')
		await button(d.page, lang, 'start.join').click()
		await look('invite')
		await d.page.getByLabel(say(lang, 'invite.paste')).fill('a text that is none')
		await button(d.page, lang, 'common.next').click()
		await d.page.getByText(say(lang, 'error.invite.unknown')).waitFor()
		await look('not an invitation')
		assert.equal(await d.page.evaluate(() => document.documentElement.lang), lang)
		// the choice is remembered
		await d.page.reload()
		await button(d.page, lang, 'start.join').waitFor()
		assert.deepEqual(d.troubles, [])
		assert.deepEqual(beyondTheList(d, { site: 'file:///' }), [])
	})
}

test('light or dark as the device, or by wish against it, and the browser around the page too', async () => {
	const seen = {}
	for (const device_dark of [false, true]) {
		const d = await device({ dark: device_dark })
		await d.goto(`file://${PAGE_DIR}/amparo.html`)
		await d.page.getByRole('button', { name: 'English', exact: true }).waitFor()
		for (const theme of ['system', 'light', 'dark']) {
			await d.page.evaluate(theme => { localStorage.setItem('amparo.prefs', JSON.stringify({ theme, lang: 'en' })) }, theme)
			await d.page.reload()
			await button(d.page, 'en', 'start.join').waitFor()
			seen[`${device_dark ? 'dark' : 'light'} ${theme}`] = await d.page.evaluate(() => {
				const style = getComputedStyle(document.documentElement)
				const around = [...document.querySelectorAll('meta[name=theme-color]')].find(m => matchMedia(m.media).matches)
				return [style.backgroundColor, getComputedStyle(document.querySelector('h1')).color, style.colorScheme, around.content].join(' ')
			})
		}
	}
	const day = 'rgb(250, 246, 240) rgb(42, 36, 29) light #faf6f0', night = 'rgb(27, 24, 21) rgb(240, 233, 222) dark #1b1815'
	assert.deepEqual(seen, {
		'light system': day, 'light light': day, 'light dark': night,
		'dark system': night, 'dark light': day, 'dark dark': night
	})
})

test('an invitation in the address is not there any more when something is drawn', async () => {
	const d = await device()
	const h = await site()
	const seen = []
	await d.page.exposeFunction('seen', (...a) => { seen.push(a) })
	await d.page.addInitScript(() => {
		new MutationObserver(() => window.seen(location.href, history.length)).observe(document, { childList: true, subtree: true })
	})
	await d.goto(`${h.url}#amparo:SECRETINVITATION`)
	await d.page.getByRole('button', { name: 'English', exact: true }).waitFor()
	assert.equal(await d.page.evaluate(() => location.href), h.url)
	const drawn = seen.filter(([href]) => href === h.url)
	assert.ok(drawn.length > 0)
	assert.ok(!h.asked.some(p => p.includes('SECRET')))
	await chooseLanguage(d.page, 'en')
	// it is used all the same
	await d.page.getByText(say('en', 'invite.from_link')).waitFor()
	await button(d.page, 'en', 'invite.other').click()
	assert.match(await d.page.getByLabel(say('en', 'invite.paste')).inputValue(), /SECRETINVITATION/)
	await d.page.reload()
	assert.equal(await d.page.evaluate(() => JSON.stringify({ ...localStorage })).then(s => s.includes('SECRET')), false)
})

test('one tap leaves: an empty page, and "back" shows the door', async () => {
	const d = await device()
	const h = await site()
	await d.goto(h.url)
	await chooseLanguage(d.page, 'en')
	await button(d.page, 'en', 'start.join').click()
	await d.page.getByLabel(say('en', 'invite.paste')).fill('amparo:PLANTEDTEXT')
	const t0 = Date.now()
	await button(d.page, 'en', 'common.exit').click()
	await d.page.waitForURL('about:blank')
	const ms = Date.now() - t0
	assert.equal(await d.page.evaluate(() => document.body.textContent), '')
	await d.page.goBack()
	await button(d.page, 'en', 'start.join').waitFor()
	assert.ok(!(await d.page.content()).replace(html, '').includes('PLANTEDTEXT'))
	console.log(`figure: quick exit to an empty page ${ms} ms`)
	assert.ok(ms < 1500)
})

test('installed: opens without its host; a new version waits for a yes', async () => {
	const dir = join(work, 'site')
	cpSync(PAGE_DIR, dir, { recursive: true })
	const h = await site(dir)
	const d = await device()
	await d.goto(h.url)
	await chooseLanguage(d.page, 'en')
	await d.page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
	await d.page.reload()
	await d.context.setOffline(true)
	await d.page.reload()
	await button(d.page, 'en', 'start.join').waitFor()
	await d.context.setOffline(false)
	const asked = new Set(h.asked)
	for (const path of asked) assert.match(path, /^\/(amparo\.html|sw\.js|manifest\.webmanifest|icon[-a-z0-9]*\.(png|svg))?$/)

	// the host is in the middle of an upload: a worker for a page that is not there yet
	const page2 = html.replace('</html>', '<!-- 2 --></html>')
	const is = createHash('sha256').update(html).digest('hex'), will = createHash('sha256').update(page2).digest('hex')
	const sw = readFileSync(join(dir, 'sw.js'), 'utf8')
	assert.ok(sw.includes(is), 'sw.js does not name its page')
	writeFileSync(join(dir, 'sw.js'), sw.replaceAll(is, will))
	const update = () => d.page.evaluate(async () => {
		const reg = await navigator.serviceWorker.getRegistration()
		await reg.update().catch(() => {})
		const w = reg.installing
		if (w) await new Promise(resolve => w.addEventListener('statechange', () => { if (w.state !== 'installing') resolve() }))
		return reg.waiting !== null
	})
	assert.equal(await update(), false, 'half a release was taken')
	writeFileSync(join(dir, 'amparo.html'), page2)
	assert.equal(await update(), true)
	// until somebody says yes, it is the old one
	await d.page.reload()
	assert.ok(!(await d.page.content()).includes('<!-- 2 -->'))
	assert.deepEqual(d.troubles.filter(t => !/ERR_INTERNET_DISCONNECTED/.test(t)), [])
})

test('a phone can install it: the browser finds nothing missing', async () => {
	const d = await device()
	const h = await site()
	await d.goto(h.url)
	await chooseLanguage(d.page, 'en')
	await d.page.evaluate(() => navigator.serviceWorker.ready.then(() => true))
	const cdp = await d.context.newCDPSession(d.page)
	const { url, errors, data } = await cdp.send('Page.getAppManifest')
	assert.equal(url, `${h.url}manifest.webmanifest`)
	assert.deepEqual(errors, [])
	const { name, display, start_url } = JSON.parse(data)
	assert.deepEqual([name, display, start_url], ['Amparo', 'standalone', 'amparo.html'])
	const { installabilityErrors } = await cdp.send('Page.getInstallabilityErrors')
	assert.deepEqual(installabilityErrors.map(e => e.errorId).filter(e => e !== 'in-incognito'), [])
	// from a file there is nothing to install, and nothing is complained of
	await d.goto(`file://${PAGE_DIR}/amparo.html`)
	await d.page.getByRole('button', { name: 'English', exact: true }).waitFor()
	assert.equal(await d.page.locator('link[rel=manifest]').count(), 0)
	assert.deepEqual(d.troubles, [])
})

test('a link that is opened while the page is there: taken, and in no entry of the history', async () => {
	const d = await device()
	const h = await site()
	await d.goto(h.url)
	await chooseLanguage(d.page, 'en')
	await button(d.page, 'en', 'start.join').click()
	await d.page.getByLabel(say('en', 'invite.paste')).fill('half of a text')
	// the same document: nothing is loaded anew
	await d.page.evaluate(() => { window.still = true })
	await d.goto(`${h.url}#amparo:SECRETINVITATION`)
	await d.page.waitForFunction(() => location.hash === '')
	assert.equal(await d.page.evaluate(() => window.still), true)
	await button(d.page, 'en', 'invite.other').click()
	assert.match(await d.page.getByLabel(say('en', 'invite.paste')).inputValue(), /SECRETINVITATION/)
	const cdp = await d.context.newCDPSession(d.page)
	const entries = async () => (await cdp.send('Page.getNavigationHistory')).entries.map(e => e.url + e.userTypedURL)
	assert.deepEqual((await entries()).filter(u => u.includes('SECRET') && !u.startsWith('about:')).length, 0, (await entries()).join())
	// the device's own way back is still a step, and ends at the first screen
	await d.page.goBack()
	await button(d.page, 'en', 'start.join').waitFor()
	assert.deepEqual(d.troubles, [])
})
