// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: a volunteer who sees nothing of the page, or has no mouse, or reads twice as large, does
// the same: by keyboard in the order of reading, told by a voice what changed, in the language
// that was chosen.
import test from 'node:test'
import assert from 'node:assert/strict'
import { Device, figure, host, LAPTOP, Organisation, PHONE, violations } from './harness.mjs'
import { button, chooseLanguage, confirm, join, say } from './steps.mjs'
import { otherLanguage, sound, walk } from './sound.mjs'

let org, site
const devices = []
test.before(async () => {
	site = await host()
	org = await Organisation.found({ sitePort: site.port })
})
test.after(async () => {
	for (const d of devices) await d.end()
	await site?.end()
	await org?.end()
})
async function device (options) {
	const d = await Device.start(options)
	devices.push(d)
	return d
}
let screens = 0
async function look (page, lang, what) {
	screens++
	assert.deepEqual(await sound(page, lang), [], what)
}
// what has the focus once the screen has settled
const hasFocus = (page, want) => page.waitForFunction(want => {
	const e = document.activeElement
	return `${e.tagName} ${(e.innerText || e.labels?.[0]?.innerText || '').trim()}`.startsWith(want)
}, want, { timeout: 5000 }).catch(async () => assert.fail(`${await focused(page)} has the focus, not ${want}`))
const focused = page => page.evaluate(() => {
	const e = document.activeElement
	return e.tagName === 'BODY' ? '' : `${e.tagName} ${(e.innerText || e.labels?.[0]?.innerText || '').trim()}`
})

test('control: what is wrong is found', async () => {
	const d = await device()
	await d.goto(site.url)
	await chooseLanguage(d.page, 'es')
	await button(d.page, 'es', 'start.join').waitFor()
	assert.deepEqual(await sound(d.page, 'es'), [])
	const wrong = async (what, plant, find, pattern) => {
		await d.page.evaluate(plant)
		const faults = await find(d.page)
		assert.ok(faults.some(f => pattern.test(f)), `${what}: ${faults}`)
		await d.page.evaluate(() => document.querySelector('.planted').remove())
	}
	const put = (tag, set) => `{ const e = document.createElement('${tag}'); e.className = 'planted'; (${set})(e); document.querySelector('main').prepend(e) }`
	await wrong('no name', put('button', 'e => {}'), violations, /button-name/)
	await wrong('too small', put('div', `e => { for (let i = 0; i < 2; i++) { const b = document.createElement('button'); b.ariaLabel = 'b' + i; b.style.cssText = 'width:9px;height:9px;padding:0;min-height:0;min-width:0'; e.append(b) } }`), violations, /target-size/)
	await wrong('pale', put('p', `e => { e.textContent = 'pale'; e.style.color = '#c8c8c8' }`), violations, /color-contrast/)
	await wrong('English', put('p', `e => { e.textContent = ${JSON.stringify(say('en', 'start.lead'))} }`), p => otherLanguage(p, 'es'), /not in es/)
	await wrong('English with a number', put('p', `e => { e.textContent = ${JSON.stringify(say('en', 'home.questions.other', { n: 82 }))} }`), p => otherLanguage(p, 'es'), /not in es/)
	await wrong('not by keyboard', put('div', `e => { e.innerText = 'x'; e.tabIndex = 0; e.onfocus = () => e.blur() }`), async p => (await walk(p)).faults, /Tab does not lead there/)
	await wrong('order', put('button', `e => { e.textContent = 'first'; e.tabIndex = 5 }`), async p => (await walk(p)).faults.concat(await violations(p)), /tabindex|comes after|Tab does not lead/)
	await wrong('no ring', put('button', `e => { e.textContent = 'ringless'; e.style.outline = 'none' }`), async p => (await walk(p)).faults, /does not look it/)
	await d.page.evaluate(() => { document.documentElement.lang = 'en' })
	assert.ok((await otherLanguage(d.page, 'es')).some(f => /says that it is in/.test(f)))
})

for (const [lang, viewport, dark] of [['es', PHONE, true], ['en', LAPTOP, false]]) {
	test(`from the first screen to a case code by keyboard alone, in ${lang} at ${viewport.width}`, async () => {
		const d = await device({ viewport, dark })
		const { page } = d
		const name = `Key ${lang}`
		const press = async label => {
			await page.getByRole('button', { name: label, exact: true }).first().focus()
			await page.keyboard.press('Enter')
		}
		const { words } = await join(page, { url: site.url, invitation: await org.invitation(), name, lang, after: async w => {
			// the very first is in both languages
			if (w === 'language') return
			await page.waitForFunction(() => document.activeElement !== document.body, null, { timeout: 5000 }).catch(() => assert.fail(`${w}: nothing has the focus`))
			if (w === 'joined') await hasFocus(page, `H1 ${say(lang, 'joined.title')}`)
			await look(page, lang, w)
		} })
		await confirm(org, name, words)
		await press(say(lang, 'joined.go'))
		await button(page, lang, 'home.begin').waitFor()
		// a new screen: its title has the focus
		await hasFocus(page, 'H1 Pine Belt')
		await look(page, lang, 'home')
		await press(say(lang, 'settings.title'))
		await hasFocus(page, `H1 ${say(lang, 'settings.title')}`)
		await look(page, lang, 'settings')
		await page.getByRole('button', { name: say(lang, 'about.title') }).focus()
		await page.keyboard.press('Enter')
		await hasFocus(page, `H1 ${say(lang, 'about.title')}`)
		await look(page, lang, 'about')
		await press(say(lang, 'common.back'))
		await press(say(lang, 'common.back'))
		await hasFocus(page, 'H1 Pine Belt')

		await press(say(lang, 'home.begin'))
		await page.getByRole('dialog').waitFor()
		assert.ok(await page.evaluate(() => document.querySelector('dialog').contains(document.activeElement)))
		await look(page, lang, 'begin')
		// Escape closes, and the focus is where it was
		await page.keyboard.press('Escape')
		await hasFocus(page, `BUTTON ${say(lang, 'home.begin')}`)
		await page.keyboard.press('Enter')
		await page.getByRole('dialog').getByRole('button', { name: say(lang, 'begin.go'), exact: true }).focus()
		await page.keyboard.press('Enter')
		await page.locator('.question h2').waitFor()
		await look(page, lang, 'the first note')
		await press(say(lang, 'fill.next'))
		await page.locator('.widget input[type=radio]').first().waitFor()
		await look(page, lang, 'the first question')
		await page.locator('.widget input[type=radio]').first().focus()
		await page.keyboard.press('Space')
		await page.locator('.saved[data-sign=saved]').waitFor()
		await press(say(lang, 'fill.to_review'))
		await page.locator('.review').waitFor()
		await hasFocus(page, `H2 ${say(lang, 'review.title')}`)
		await look(page, lang, 'review')
		const live = () => page.evaluate(() => document.querySelector('[aria-live]').textContent.trim())
		await page.evaluate(() => {
			window.told = []
			new MutationObserver(() => window.told.push(document.querySelector('[aria-live]').textContent.trim()))
				.observe(document.querySelector('[aria-live]'), { childList: true, characterData: true, subtree: true })
		})
		await press(say(lang, 'review.send'))
		await page.locator('.slip-screen .code').waitFor({ timeout: 60000 })
		await hasFocus(page, `H1 ${say(lang, 'slip.title')}`)
		// the code is spelled, letter by letter
		assert.match(await page.locator('.code').getAttribute('aria-label'), /(?:[0-9A-Z] ){9}[0-9A-Z]$/)
		await look(page, lang, 'slip')
		await press(say(lang, 'slip.done'))
		await press(say(lang, 'slip.done_yes'))
		await button(page, lang, 'home.begin').waitFor()
		// what became of it is said without being looked for
		await page.waitForFunction(want => window.told.some(s => s === want), say(lang, 'outbox.safe.one', { n: 1 }), { timeout: 60000 })
		const told = await page.evaluate(() => window.told)
		assert.ok(told.includes(say(lang, 'outbox.waiting.one', { n: 1 })), told.join('; '))
		assert.notEqual(await live(), '')
		await look(page, lang, 'home, all safe')
		assert.deepEqual(d.troubles, [])
	})
}

test('letters twice as large, a telephone on its side, the system\'s own colours, nothing that moves', async () => {
	const d = await device()
	const { page } = d
	await join(page, { url: site.url, invitation: await org.invitation(), name: 'Large', lang: 'es' })
	await button(page, 'es', 'joined.go').click()
	await button(page, 'es', 'home.begin').waitFor()
	const everywhere = async what => {
		for (const open of [
			async () => {},
			async () => button(page, 'es', 'settings.title').click(),
			async () => { await page.goBack(); await button(page, 'es', 'home.begin').click() },
			async () => { await button(page, 'es', 'begin.go').click(); await page.locator('.question h2').waitFor() },
			async () => { await button(page, 'es', 'fill.next').click(); await page.locator('.widget input').first().waitFor() },
			async () => { await button(page, 'es', 'fill.to_review').click(); await page.locator('.review').waitFor() }
		]) {
			await open()
			screens++
			const wide = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => `${e.tagName} ${e.className} ${e.innerText?.slice(0, 30)}`))
			assert.deepEqual(wide, [], `${what}: wider than the screen`)
			assert.deepEqual((await walk(page)).faults, [], what)
			// what leads out is there, whole, without scrolling, also beside an open dialog
			const exit = await page.getByRole('button', { name: say('es', 'common.exit'), exact: true, includeHidden: true }).first().boundingBox()
			const size = page.viewportSize()
			assert.ok(exit && exit.x >= 0 && exit.x + exit.width <= size.width && exit.y >= 0 && exit.y + exit.height <= size.height, `${what}: exit ${JSON.stringify(exit)}`)
		}
		await button(page, 'es', 'review.drop').click()
		await page.getByRole('dialog').getByRole('button', { name: say('es', 'review.drop_yes'), exact: true }).click()
		await button(page, 'es', 'home.begin').waitFor()
	}
	await page.evaluate(() => { document.documentElement.style.fontSize = '200%' })
	await everywhere('twice as large')
	await page.evaluate(() => { document.documentElement.style.fontSize = '' })
	await page.setViewportSize({ width: 740, height: 360 })
	await everywhere('on its side')
	await page.setViewportSize(PHONE)
	await page.emulateMedia({ forcedColors: 'active' })
	await everywhere('forced colours')
	// on and off look different when the system chooses the colours
	await button(page, 'es', 'settings.title').click()
	const looks = await page.evaluate(() => ['input:checked', 'input:not(:checked)'].map(s => {
		const e = document.querySelector(`.choice:has(${s})`), style = getComputedStyle(e)
		return [style.borderColor, style.outlineStyle].join(' ')
	}))
	assert.notEqual(looks[0], looks[1])
	await page.goBack()
	await button(page, 'es', 'home.begin').waitFor()
	// what moves on the way to another screen; fading is no movement
	const moving = () => page.evaluate(async label => {
		document.querySelector(`button[aria-label="${label}"]`).click()
		await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))
		return document.getAnimations().filter(a => a.effect.getKeyframes().some(k => k.transform !== undefined || k.marginLeft !== undefined) && a.effect.getTiming().duration > 20).length
	}, say('es', 'settings.title'))
	await page.emulateMedia({ forcedColors: null, reducedMotion: 'no-preference' })
	assert.ok(await moving() > 0, 'control: a new screen comes up')
	await page.goBack()
	await button(page, 'es', 'home.begin').waitFor()
	await page.emulateMedia({ reducedMotion: 'reduce' })
	assert.equal(await moving(), 0)
	figure(`screens by keyboard, in both languages and as large, turned and plain as people need them: ${screens}`)
})
