// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: a published page can be checked: its hashes are signed, and whatever was changed is seen.
import test from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PAGE_DIR, TOP } from './harness.mjs'

const work = mkdtempSync(join(tmpdir(), 'amparo-release.'))
const dir = join(work, 'site')
const key = join(work, 'page.key')
const pub = join(work, 'page.pub')
test.after(() => rmSync(work, { recursive: true, force: true }))

// what docs/guide-page.md tells people to type
const check = () => spawnSync('sh', ['-c', `minisign -Vm SHA256SUMS -p ${pub} && sha256sum -c --quiet SHA256SUMS`],
	{ cwd: dir, encoding: 'utf8' })

test('a signed page is checked as the guide says', () => {
	cpSync(PAGE_DIR, dir, { recursive: true })
	execFileSync('minisign', ['-G', '-W', '-p', pub, '-s', key])
	execFileSync('client/web/sign.sh', ['--key', key, '--dir', dir], { cwd: TOP })
	const r = check()
	assert.equal(r.status, 0, r.stdout + r.stderr)
	assert.match(r.stdout, /Signature and comment signature verified/)
	assert.match(r.stdout, /Amparo page \d+\.\d+\.\d+, signed \d{4}-\d\d-\d\d/)
	const names = readFileSync(join(dir, 'SHA256SUMS'), 'utf8')
	for (const f of ['amparo.html', 'sw.js', 'manifest.webmanifest']) assert.ok(names.includes(`  ${f}\n`), f)
})

test('one byte more in the page is seen', () => {
	appendFileSync(join(dir, 'amparo.html'), ' ')
	assert.notEqual(check().status, 0)
	cpSync(join(PAGE_DIR, 'amparo.html'), join(dir, 'amparo.html'))
	assert.equal(check().status, 0)
})

test('another list of hashes, and another signer, are seen', () => {
	const sums = readFileSync(join(dir, 'SHA256SUMS'))
	writeFileSync(join(dir, 'SHA256SUMS'), sums.toString().replace(/^./, c => (c === '0' ? '1' : '0')))
	assert.notEqual(check().status, 0)
	writeFileSync(join(dir, 'SHA256SUMS'), sums)
	assert.equal(check().status, 0)
	execFileSync('minisign', ['-G', '-W', '-p', join(work, 'other.pub'), '-s', join(work, 'other.key')])
	execFileSync('client/web/sign.sh', ['--key', join(work, 'other.key'), '--dir', dir], { cwd: TOP })
	assert.notEqual(check().status, 0)
})

test('without a key or a page it says what to do', () => {
	const none = spawnSync('client/web/sign.sh', ['--key', join(work, 'nowhere.key'), '--dir', dir], { cwd: TOP, encoding: 'utf8' })
	assert.equal(none.status, 1)
	assert.match(none.stderr, /minisign -G/)
	const empty = spawnSync('client/web/sign.sh', ['--key', key, '--dir', work], { cwd: TOP, encoding: 'utf8' })
	assert.equal(empty.status, 1)
	assert.match(empty.stderr, /make web/)
})
