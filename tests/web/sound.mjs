// SPDX-License-Identifier: AGPL-3.0-or-later
// What every screen is held against, and axe alone does not see: that it can be used by keyboard
// alone, in the order in which it is read; that the focus can be seen where it is; that nothing
// on it is in the other language; that it fits.
import { overflows, violations } from './harness.mjs'
import { sentences } from './steps.mjs'

/*
 * From the top of the screen (of the dialog, if one is open) with Tab to the end.
 * returns { faults, n }: one line each; how many controls there are
 */
export async function walk (page) {
	for (let i = 0; ; i++) {
		const walked = await walkOnce(page)
		// what was drawn anew on the way was another screen
		if (i === 3 || await page.evaluate(() => window.controls.every(e => e.isConnected))) return walked
	}
}

/*
 * A screen that has come to rest: nothing of it was drawn, and the focus has not moved, for a
 * quarter of a second.  One that still opens takes the focus to its title or its field.
 */
export async function rest (page) {
	await page.evaluate(() => new Promise(resolve => {
		const began = performance.now()
		let last = began, at = document.activeElement
		const o = new MutationObserver(() => { last = performance.now() })
		o.observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true })
		const look = () => {
			const now = performance.now()
			if (document.activeElement !== at) {
				at = document.activeElement
				last = now
			}
			if (now - last < 250 && now - began < 5000) return requestAnimationFrame(look)
			o.disconnect()
			resolve()
		}
		look()
	}))
}

async function walkOnce (page) {
	await rest(page)
	const n = await page.evaluate(() => {
		const root = [...document.querySelectorAll('dialog[open]')].pop() ?? document.body
		const shown = e => {
			const s = getComputedStyle(e), r = e.getBoundingClientRect()
			const shut = e.closest('details:not([open])')
			return r.width > 0 && r.height > 0 && s.visibility !== 'hidden' && !e.closest('[aria-hidden=true]') &&
				(!shut || e.closest('summary')?.parentElement === shut)
		}
		const all = [...root.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
			.filter(e => !e.disabled && e.tabIndex >= 0 && shown(e))
		// of radio buttons with one name Tab meets one: the one that is chosen, else the first
		const groups = new Map()
		for (const e of all) if (e.type === 'radio') groups.set(e.name, [...groups.get(e.name) ?? [], e])
		window.controls = all.filter(e => e.type !== 'radio' || (groups.get(e.name).find(x => x.checked) ?? groups.get(e.name)[0]) === e)
		window.groups = groups
		// from the second one back to the first; of one alone, from the frame into it
		const from = window.controls[1] ?? root
		if (from === root) root.tabIndex = -1
		from.focus()
		if (from === root) root.removeAttribute('tabindex')
		return window.controls.length
	})
	const faults = []
	const seen = new Set()
	let last = -1
	// fields for days and times are several stops each
	for (let i = 0; i < n * 4 + 4; i++) {
		await page.keyboard.press(i === 0 && n > 1 ? 'Shift+Tab' : 'Tab')
		const at = await page.evaluate(async () => {
			// what had the focus come into view has done so
			await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))
			const e = document.activeElement
			const name = e => `${e.tagName.toLowerCase()} "${(e.getAttribute('aria-label') || e.innerText || e.labels?.[0]?.innerText || '').trim().slice(0, 40) || e.id || e.className}"`
			if (!e || e === document.body) return { i: -2, name: 'nothing' }
			let i = window.controls.indexOf(e)
			// forwards into a group whose chosen one is not the first
			if (i < 0 && e.type === 'radio') i = window.controls.findIndex(c => c.type === 'radio' && c.name === e.name)
			// the field itself, or the box around it that stands for it
			const boxes = [e, e.closest('.choice'), e.nextElementSibling, e.parentElement?.querySelector('.button, .switch-track')].filter(Boolean)
			const ringed = boxes.some(b => {
				const s = getComputedStyle(b)
				return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2
			})
			const label = e.labels?.[0]
			const box = [e.getBoundingClientRect(), label?.getBoundingClientRect()].filter(r => r && r.width > 2 && r.height > 2)
			// WCAG 2.4.11: not hidden altogether by what stands in front
			const in_view = box.some(r => [0.1, 0.5, 0.9].some(f => {
				const hit = document.elementFromPoint(r.left + r.width / 2, r.top + r.height * f)
				return hit && (e.contains(hit) || hit.contains(e) && hit !== document.body && hit.id !== 'app' || label?.contains(hit))
			}))
			return { i, name: name(e), ringed, in_view }
		})
		if (at.i === -2 || seen.has(at.i) && at.i !== last) break
		if (at.i < 0) {
			// a part that scrolls may be a stop of its own
			if (!at.ringed) faults.push(`${at.name}: the focus is there and cannot be seen`)
			continue
		}
		if (at.i < last) faults.push(`${at.name}: comes after what stands below it`)
		if (!seen.has(at.i)) {
			if (!at.ringed) faults.push(`${at.name}: has the focus and does not look it`)
			if (!at.in_view) faults.push(`${at.name}: has the focus and is hidden by what stands in front`)
		}
		last = at.i
		seen.add(at.i)
	}
	const missed = await page.evaluate(seen => window.controls.map((e, i) => [i, `${e.tagName.toLowerCase()} "${(e.getAttribute('aria-label') || e.innerText || e.labels?.[0]?.innerText || '').trim().slice(0, 40) || e.id || e.className}"`]).filter(([i]) => !seen.includes(i)).map(([, n]) => n), [...seen])
	for (const m of missed) faults.push(`${m}: Tab does not lead there`)
	return { faults, n }
}

/*
 * Whatever is shown or read aloud is in the language that was chosen, and says so.
 * Sentences with something filled in are told by what stands around it.
 */
export async function otherLanguage (page, lang) {
	const mine = new Set(Object.values(sentences(lang)))
	const foreign = Object.values(sentences(lang === 'en' ? 'es' : 'en')).filter(s => !mine.has(s) && s.replace(/\{\w+\}/g, '').length >= 3)
	const escape = s => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
	const whole = new Set(foreign.filter(s => !s.includes('{')))
	const parts = foreign.filter(s => s.includes('{') && s.replace(/\{\w+\}/g, '').length >= 8)
		.map(s => new RegExp(`^${s.split(/\{\w+\}/).map(escape).join('.+')}$`))
	const session = await page.context().newCDPSession(page)
	const { nodes } = await session.send('Accessibility.getFullAXTree')
	await session.detach()
	// what says itself that it is in another language: words of the list, the other language's name
	const foreigners = new Set(await page.evaluate(lang => [...document.querySelectorAll('[lang]')]
		.filter(e => e.lang.slice(0, 2) !== lang).map(e => e.innerText.trim()), lang))
	const faults = []
	const NAMED = new Set(['button', 'link', 'textbox', 'searchbox', 'combobox', 'checkbox', 'radio', 'switch', 'slider', 'image', 'img', 'dialog', 'progressbar', 'heading', 'spinbutton', 'grid'])
	for (const n of nodes) {
		if (n.ignored) continue
		const role = n.role?.value, name = (n.name?.value ?? '').trim()
		if (NAMED.has(role) && name === '') faults.push(`a ${role} without a name`)
		if (foreigners.has(name)) continue
		if (whole.has(name) || parts.some(p => p.test(name))) faults.push(`not in ${lang}: ${name}`)
	}
	const said = await page.evaluate(() => document.documentElement.lang)
	if (said !== lang) faults.push(`the page says that it is in "${said}"`)
	return [...new Set(faults)]
}

// all of it; one line for each fault
export async function sound (page, lang) {
	const faults = [...await violations(page), ...await otherLanguage(page, lang), ...(await walk(page)).faults]
	const wide = await overflows(page)
	if (wide > 0) faults.push(`${wide} pixels wider than the screen`)
	return faults
}
