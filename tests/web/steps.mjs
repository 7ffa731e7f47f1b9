// SPDX-License-Identifier: AGPL-3.0-or-later
// What people do in the page, step by step, as they do it: by what is written on the buttons.
// Texts are looked up in the page's own tables, so the same steps run in both languages.
import test from 'node:test'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join as path } from 'node:path'
import { TOP } from './harness.mjs'

const require = createRequire(path(TOP, 'client/web/package.json'))
const { transformSync } = require('esbuild')

// the tables are plain objects: read without the rest of the page
function table (lang, part) {
	const source = readFileSync(path(TOP, `client/web/app/i18n/${lang}/${part}.ts`), 'utf8')
	const { code } = transformSync(source, { loader: 'ts', format: 'cjs' })
	const module = { exports: {} }
	// eslint-disable-next-line no-new-func
	new Function('module', 'exports', 'require', code)(module, module.exports, () => ({}))
	return Object.assign({}, ...Object.values(module.exports).filter(v => v && typeof v === 'object'))
}

const PARTS = ['common', 'volunteer', 'errors', 'form', 'desk']
const tables = {}
for (const lang of ['en', 'es']) {
	tables[lang] = {}
	for (const part of PARTS) {
		try {
			Object.assign(tables[lang], table(lang, part))
		} catch (e) {
			if (e.code !== 'ENOENT') throw e
		}
	}
}

// all of a language, by key
export const sentences = lang => tables[lang]

// the sentence under a key, blanks filled in
export function say (lang, key, values = {}) {
	const text = tables[lang][key]
	if (text === undefined) throw new Error(`there is no text ${key} in ${lang}`)
	return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole))
}

export const button = (page, lang, key, values) => page.getByRole('button', { name: say(lang, key, values), exact: true })

export async function chooseLanguage (page, lang) {
	await page.getByRole('button', { name: lang === 'es' ? 'Español' : 'English', exact: true }).click()
}

/*
 * One day in steps, each a test: after one that failed the others would only wait in vain.
 * people	() => ({ name: Device }): what each of them sees is printed with a failure
 */
export function aDay (people) {
	let failed = null
	return (name, fn) => test(name, async () => {
		if (failed) throw new Error(`not begun: "${failed}" failed`)
		failed = name
		try {
			await fn()
		} catch (e) {
			for (const [who, d] of Object.entries(people()))
				if (d) {
					const shown = await d.page.locator('body').innerText().catch(() => '')
					console.error(`${who} sees:\n${shown.slice(0, 2000)}\n${d.troubles.join('\n')}`)
				}
			throw e
		}
		failed = null
	})
}

// the texts of an ordered list of words
export async function wordsOf (page, label) {
	const list = page.getByRole('list', { name: label, exact: true })
	await list.waitFor()
	return list.getByRole('listitem').allInnerTexts().then(all => all.map(w => w.trim()))
}

/*
 * From the first screen to the four words, on a device without anything.
 * returns { pass, words }: the passphrase that was offered and taken (null in kiosk mode)
 */
export async function join (page, { url, invitation, name, lang = 'en', kiosk = false, after = async () => {} }) {
	await page.goto(kiosk ? url : `${url}#${invitation}`)
	await after('language')
	await chooseLanguage(page, lang)
	if (kiosk) {
		await after('start')
		await button(page, lang, 'start.kiosk').click()
		await page.getByLabel(say(lang, 'invite.paste')).fill(invitation)
	}
	await after('invite')
	await button(page, lang, 'common.next').click()
	await page.getByLabel(say(lang, 'who.name')).fill(name)
	await after('who')
	await button(page, lang, 'common.next').click()
	let pass = null
	if (!kiosk) {
		const words = await wordsOf(page, say(lang, 'pass.words'))
		pass = words.join(' ')
		await after('passphrase')
		await button(page, lang, 'pass.written').click()
		await page.getByLabel(say(lang, 'pass.again'), { exact: true }).fill(pass)
		await after('passphrase again')
		await button(page, lang, 'common.continue').click()
	}
	await page.getByRole('heading', { name: say(lang, 'joined.title'), exact: true }).waitFor({ timeout: 90000 })
	const words = await wordsOf(page, say(lang, 'call.words'))
	await after('joined')
	return { pass, words: words.join(' ') }
}

// the administrator hears the four words on the telephone
export async function confirm (org, name, words) {
	await org.run('as ruth sync')
	await org.as('ruth', 'confirm', name, '--words', words)
	await org.run('as ruth sync')
}

export async function unlock (page, lang, pass) {
	await page.getByLabel(say(lang, 'unlock.pass'), { exact: true }).fill(pass)
	await button(page, lang, 'unlock.open').click()
}

/*
 * An interview from the first screen to "Send": each question gets what answers.<name at the
 * end of its path> says, or is left blank.  Choices are told by value.
 *
 *	stopAt   a question's label (or part): stop there instead
 *	after    called at each step with what is shown
 * returns the case code, or null if stopped
 */
export async function interview (page, lang, { answers = [], stopAt = '', resume = false, after = async () => {} } = {}) {
	if (!resume) {
		await button(page, lang, 'home.begin').click()
		await after('begin')
		await button(page, lang, 'begin.go').click()
	}
	for (let n = 0; n < 400; n++) {
		const heading = page.locator('.question h2, .review-head, .slip-screen').first()
		const send = button(page, lang, 'review.send')
		await page.locator('.question h2').or(send).first().waitFor()
		if (await send.isVisible()) break
		const label = (await heading.innerText()).trim()
		await after(`question ${n}`)
		if (stopAt !== '' && label.includes(stopAt)) return null
		const where = await page.locator('.fill-line').innerText()
		const answer = answers.find(a => label.includes(a.label))
		if (answer && !answer.given) {
			answer.given = true
			if (answer.text !== undefined) await page.locator('.widget input, .widget textarea').first().fill(answer.text)
			if (answer.choose !== undefined) {
				// the box that is pressed is the label around the control
				await page.locator('.widget label', { hasText: answer.choose }).first().click()
			}
			if (answer.file !== undefined) {
				await page.locator('.widget input[type=file]').first().setInputFiles(answer.file)
				await page.locator('.widget img').first().waitFor()
			}
		}
		const no = button(page, lang, 'repeat.on')
		if (await no.isVisible()) await no.click()
		else await button(page, lang, 'fill.next').click()
		// the next question, the review, or a reason why not
		await page.waitForFunction(([was, at]) => {
			const h = document.querySelector('.question h2')
			return h === null || h.innerText.trim() !== was || document.querySelector('.fill-line')?.innerText !== at ||
				document.querySelector('.fault') !== null
		}, [label, where])
		if (await page.locator('.fault').count() > 0) throw new Error(`${label}: ${await page.locator('.fault').first().innerText()}`)
	}
	await after('review')
	await button(page, lang, 'review.send').click()
	const code = page.locator('.slip-screen .code')
	await code.waitFor({ timeout: 60000 })
	await after('slip')
	// the dash between its halves is drawn
	const text = (await code.innerText()).replace(/[\s-]/g, '').replace(/^(.{5})/, '$1-')
	await button(page, lang, 'slip.done').click()
	await button(page, lang, 'slip.done_yes').click()
	return text
}

// ---- at the desk ----------------------------------------------------------------------------

// above the list; "nothing here yet" has one of the same name
export const syncButton = (page, lang) => button(page.locator('.top-tools'), lang, 'desk.sync')

// one sync from the button to its end
export async function syncDesk (page, lang) {
	const idle = syncButton(page, lang).and(page.locator(':not([aria-busy])'))
	await idle.waitFor({ timeout: 60000 })
	await idle.click()
	await page.locator('.top .progress').waitFor({ timeout: 5000 }).catch(() => {})
	await idle.waitFor({ timeout: 60000 })
}

// an attorney joins and is confirmed; the desk is on the screen.  returns the passphrase
export async function joinDesk (org, page, { url, name, lang = 'en' }) {
	const { pass, words } = await join(page, { url, invitation: await org.invitation('attorney'), name, lang })
	await button(page, lang, 'joined.go').click()
	await button(page, lang, 'home.begin').or(page.getByText(say(lang, 'call.words'))).first().waitFor()
	await confirm(org, name, words)
	await org.release()
	await page.reload()
	await unlock(page, lang, pass)
	// the sync that follows unlocking brings the roster, and with it the desk
	await syncButton(page, lang).waitFor({ timeout: 60000 })
	await syncDesk(page, lang)
	await org.release()
	return pass
}

// those who hold the desk Intake put somebody into it, whose keys then go where volunteers read
export async function holdDesk (org, page, { name, lang = 'en' }) {
	await org.run('as ana sync && as ben sync && as ruth sync')
	await org.as('ana', 'desk', 'change', 'Intake', '--add', name, '--yes', '--words-checked')
	await org.run('as ana sync && as ruth release && as ben sync')
	await org.as('ben', 'desk', 'sign', 'Intake', '--yes', '--words-checked')
	await org.run('as ben sync && as ruth release && as ruth sync && as ruth release')
	await syncDesk(page, lang)
	await org.release()
}
