// SPDX-License-Identifier: AGPL-3.0-or-later
// What the tests of the page share: an organisation of the native programs, a host for the
// page, Debian's Chromium, one browser profile for each device, the accessibility check, and
// the list of requests a page may make.  Everything is on loopback and ends with the test.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { readFile, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { tmpdir } from 'node:os'
import { join, extname, normalize } from 'node:path'

export const TOP = fileURLToPath(new URL('../../', import.meta.url))
export const B = process.env.B ?? 'build'
export const PAGE_DIR = join(TOP, B, 'web/site')

// the npm packages lie with the page, not with the tests
const require = createRequire(join(TOP, 'client/web/package.json'))
const { chromium } = require('playwright-core')

// ---- the organisation -----------------------------------------------------------------------

const quote = s => `'${String(s).replaceAll("'", "'\\''")}'`

export class Organisation {
	// sitePort: of the host whose pages the servers let in (Origin)
	static async found ({ bare = false, sitePort = 0 } = {}) {
		const o = new Organisation()
		o.child = spawn('bash', ['tests/web/organisation.sh', ...(bare ? ['--bare'] : [])], {
			cwd: TOP,
			env: { ...process.env, B, SITE_PORT: String(sitePort) },
			stdio: ['pipe', 'pipe', 'inherit']
		})
		o.lines = createInterface({ input: o.child.stdout })[Symbol.asyncIterator]()
		const first = await o.lines.next()
		if (first.done) throw new Error('the organisation could not be founded')
		o.work = first.value.replace(/^ready /, '')
		return o
	}

	// one line of bash with the functions of tests/e2e/lib.sh; resolves to what it printed
	async run (line) {
		const { code, text } = await this.try(line)
		if (code !== 0) throw new Error(`${line}: exit ${code}\n${text}`)
		return text
	}

	async try (line) {
		if (line.includes('\n')) throw new Error('one line at a time')
		// one after the other: the answers come in the order of the lines
		const before = this.last ?? Promise.resolve()
		let release
		this.last = new Promise(resolve => { release = resolve })
		await before
		try {
			this.child.stdin.write(line + '\n')
			const answer = await this.lines.next()
			if (answer.done) throw new Error(`the organisation ended at: ${line}`)
			return { code: Number(answer.value), text: await readFile(join(this.work, 'reply'), 'utf8') }
		} finally {
			release()
		}
	}

	// a command of a person with a native device
	as (who, ...args) {
		return this.run(['as', who, ...args].map(quote).join(' '))
	}

	async invitation (role = 'volunteer') {
		return (await this.run(`invitation ${role}`)).trim()
	}

	release () {
		return this.run('as ruth release')
	}

	async end () {
		this.child.stdin.end()
		if (this.child.exitCode === null) await once(this.child, 'exit')
	}
}

// ---- the host of the page -------------------------------------------------------------------

const TYPES = {
	'.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
	'.webmanifest': 'application/manifest+json', '.png': 'image/png', '.svg': 'image/svg+xml'
}

// a static host on loopback, as a page's host would be; counts what was asked of it
export async function host (dir = PAGE_DIR, port = 0) {
	const asked = []
	const server = createServer(async (req, res) => {
		const path = normalize(new URL(req.url, 'http://host').pathname)
		asked.push(path)
		try {
			const file = join(dir, path === '/' ? 'amparo.html' : path)
			const bytes = await readFile(file)
			res.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'Cache-Control': 'no-cache' })
			res.end(bytes)
		} catch {
			res.writeHead(404).end()
		}
	})
	server.listen(port, '127.0.0.1')
	await once(server, 'listening')
	return {
		port: server.address().port,
		url: `http://127.0.0.1:${server.address().port}/`,
		asked,
		async end () {
			server.closeAllConnections()
			server.close()
			await once(server, 'close')
		}
	}
}

// ---- the browser ----------------------------------------------------------------------------

export const PHONE = { width: 360, height: 740 }
export const LAPTOP = { width: 1280, height: 800 }

/*
 * One device: a profile of its own on disk, so that killing the browser and opening it again is
 * what it is on a phone.
 *
 *	camera   a file (.y4m, .mjpeg) shown to the page as its camera
 */
export class Device {
	static async start ({ viewport = PHONE, locale = 'en-US', dark = false, camera, args = [] } = {}) {
		const d = new Device()
		d.options = {
			executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
			headless: true,
			viewport,
			locale,
			colorScheme: dark ? 'dark' : 'light',
			hasTouch: viewport.width < 700,
			acceptDownloads: true,
			args: [
				'--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
				'--disable-background-networking', '--disable-component-update', '--disable-sync',
				...(camera ? ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${camera}`] : []),
				...args
			]
		}
		d.profile = await mkdtemp(join(tmpdir(), 'amparo-web.'))
		d.requests = []
		d.sockets = []
		d.troubles = []
		await d.open()
		return d
	}

	async open () {
		this.context = await chromium.launchPersistentContext(this.profile, this.options)
		this.context.setDefaultTimeout(20000)
		const watch = page => {
			page.on('request', r => this.requests.push(r.url()))
			page.on('websocket', s => this.sockets.push(s.url()))
			page.on('pageerror', e => this.troubles.push(`page error: ${e.message}`))
			page.on('console', m => { if (m.type() === 'error') this.troubles.push(`console: ${m.text()}`) })
		}
		this.context.on('page', watch)
		this.page = this.context.pages()[0] ?? await this.context.newPage()
		watch(this.page)
		// the first page was there before it could be watched by the event
		return this.page
	}

	async goto (url) {
		await this.page.goto(url)
		return this.page
	}

	// as a dead battery does it: no event reaches the page
	async kill () {
		const closed = new Promise(resolve => this.context.once('close', resolve))
		process.kill(-await this.group(), 'SIGKILL')
		await closed
	}

	// the process group of this browser: playwright begins each browser as the leader of one
	async group () {
		const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
		for (const pid of children.trim().split(' ')) {
			const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
			if (!words.includes(`--user-data-dir=${this.profile}`)) continue
			// behind the name, which may have blanks in it: state, parent, group
			const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
			const leads = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]
			if (leads === pid) return Number(pid)
		}
		throw new Error(`no browser of this process has the profile ${this.profile}`)
	}

	async end () {
		await this.context.close().catch(() => {})
		await rm(this.profile, { recursive: true, force: true, maxRetries: 5 })
	}
}

// ---- what every screen is held against ------------------------------------------------------

const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8')

/*
 * WCAG 2.2 A and AA (also the size of targets, which axe leaves out unless asked) and axe's best
 * practices on what is shown now.  The page's own policy forbids foreign scripts, so axe is put in
 * through the debugger, not through the page.  A target that lies half below a bar at this moment
 * is measured again where it can be tapped.
 * returns the violations, one line each
 */
export async function violations (page) {
	const session = await page.context().newCDPSession(page)
	await session.send('Runtime.evaluate', { expression: axe })
	await session.detach()
	return page.evaluate(async () => {
		const result = await window.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } })
		const size = result.violations.find(v => v.id === 'target-size')
		if (size) {
			const at = scrollY
			const small = []
			for (const n of size.nodes) {
				const e = document.querySelector(n.target[0])
				e.scrollIntoView({ block: 'center' })
				const again = await window.axe.run(e, { runOnly: { type: 'rule', values: ['target-size'] } })
				if (again.violations.length > 0) small.push(n)
			}
			scrollTo(0, at)
			size.nodes = small
		}
		return result.violations.flatMap(v => v.nodes.map(n => `${v.id} (${v.impact}): ${n.target.join(' ')}: ${n.failureSummary.replace(/\s+/g, ' ')}`))
	})
}

// nothing is wider than the screen, at whatever width
export async function overflows (page) {
	return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

/*
 * Requests beyond the list: the page, its worker and manifest from its own host, blobs made in
 * the page, and WebSockets to the servers named.
 */
export function beyondTheList (device, { site, servers = [] }) {
	const own = new Set(['', 'amparo.html', 'sw.js', 'manifest.webmanifest', 'icon.svg', 'icon-192.png', 'icon-512.png', 'icon-maskable-512.png'].map(f => site + f))
	const bad = device.requests.map(u => u.split('#')[0].split('?')[0])
		.filter(u => !own.has(u) && !u.startsWith('blob:') && !u.startsWith('data:') && !u.startsWith('chrome') && !u.startsWith('file:') && u !== 'about:blank')
	const wrong = device.sockets.filter(u => !servers.some(s => u.startsWith(`ws://${s}`) || u.startsWith(`wss://${s}`)))
	return [...bad, ...wrong]
}

// a figure, as the native tests print theirs
export function figure (text) {
	console.log(`figure: ${text}`)
}
