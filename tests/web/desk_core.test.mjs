// SPDX-License-Identifier: AGPL-3.0-or-later
// Goal: what becomes of a case under an attorney who has it open, without a browser: ordered to be
// erased, gone after its rest, kept where a legal hold says so; and that an export says what it
// leaves out.  The core of the page under node, a real server, native colleagues.
import test, { before, after } from 'node:test'
import assert from 'node:assert/strict'
import { Organisation } from './harness.mjs'
import { memberOf, PASS, whole } from './core_sync.mjs'

const DAY_MS = 86400000
let org, carol, gone, kept
const code = {}

before(async () => {
	org = await Organisation.found()
	// server and native devices by a clock that the test sets
	await org.run('now=0; echo 0 >"$work/clock.s1"; server_stop s1; export AMPAROD=tests/tools/amparod_clock AMPAROD_TEST_CLOCK="$work/clock.s1"; server_start s1')
	await org.run('as() { local who=$1; shift; AMPARO_TEST_CLOCK=$now AMPARO_HOME=$work/home/$who "$BIN/tests/tools/amparo_clock" "$@" --passphrase-file "$work/pass.$who"; }')
})
after(() => org?.end())

// a day later for everybody: the rest of an order is counted by what servers released
async function day () {
	carol.ahead_ms += DAY_MS
	await org.run(`now=${carol.ahead_ms / 1000} && echo "$now" >"$work/clock.s1" && as ruth release`)
	await org.run('as ana sync --yes && as ben sync --yes')
	await whole(carol)
}

const list = () => carol.call('cases', { view: 'all', state: null, desk: null, days: 0, from: 0, n: 100 })
const show = record => carol.call('case_show', { record, lang: 'es', empty: false })
const refused = (op, args, code, why = '') => assert.throws(() => carol.call(op, args), e => e.code === code && (why === '' || e.why === why))

test('a holder reads what native devices sent', async () => {
	carol = await memberOf(org, 'Carol Diaz', 'attorney')
	await org.release()
	await whole(carol)
	await org.run('as ana sync && as ben sync && as ruth sync && as ruth release && as ana sync')
	await org.as('ana', 'desk', 'change', 'Intake', '--add', 'Carol Diaz', '--yes', '--words-checked')
	await org.run('as ana sync && as ruth release && as ben sync')
	await org.as('ben', 'desk', 'sign', 'Intake', '--yes', '--words-checked')
	await org.run('as ben sync && as ruth release && as ruth sync && as ruth release')
	await whole(carol)
	await org.release()
	await org.run('enrol vera "Vera Cruz" volunteer && as vera sync')
	for (const n of ['01', '03']) code[n] = (await org.run(`submit vera ${n}`)).trim()
	await org.run('as vera sync && as ruth release')
	await whole(carol)
	const { total, rows } = list()
	assert.equal(total, 2)
	gone = rows.find(r => r.code === code['01']).record
	kept = rows.find(r => r.code === code['03']).record
	assert.equal(show(gone).attachments.length, 3)
})

test('ordered to be erased it says so, and by whom; a hold is said of it', async () => {
	await org.run('as ana sync')
	for (const n of ['01', '03']) await org.as('ana', 'erase', code[n], '--reason', 'asked on Friday', '--yes')
	await org.run('as ana sync && as ruth release')
	await whole(carol)
	for (const record of [gone, kept]) {
		const { erasing, events } = show(record)
		assert.equal(erasing.state, 'ordered')
		assert.equal(erasing.by.name, 'Ana Ruiz')
		assert.ok(erasing.due > carol.call('me').today)
		assert.ok(events.some(e => e.kind === 'erase_ordered' && e.text === 'asked on Friday'))
	}
	refused('case_hold', { record: kept, on: true, reason: '' }, 'range')
	carol.call('case_hold', { record: kept, on: true, reason: 'order of the court' })
	assert.ok(show(kept).may.unhold)
	assert.equal(carol.call('desk_status').erasures.resting, 2)
})

test('after its rest it is gone from under the reader, and what is held stays here alone', async () => {
	const before = carol.disk.rows.size
	for (let i = 0; i < 5; i++) await day()
	refused('case_show', { record: gone, lang: 'es', empty: false }, 'notfound')
	for (const [op, args] of [['case_note', { text: 'x' }], ['case_close', { reason: '' }], ['case_accept', { reason: '' }],
		['case_recuse', { reason: '' }], ['case_blob', { id: '0'.repeat(64) }]])
		refused(op, { record: gone, ...args }, 'notfound')
	assert.ok(carol.disk.rows.size < before)
	const { total, rows } = list()
	assert.equal(total, 1)
	assert.equal(rows[0].record, kept)
	assert.ok(rows[0].held)
	assert.equal(show(kept).erasing.state, 'kept')
	// nothing of it is passed on, whoever asks
	const { people } = carol.call('people', { record: kept })
	assert.ok(people.length > 0 && people.every(p => p.refused === 'erased'), JSON.stringify(people))
	assert.deepEqual(Object.entries(show(kept).may).filter(([, can]) => can), [['unhold', true]])
	assert.equal(carol.call('case_search', { view: 'all', state: null, desk: null, days: 0, from: 0, n: 9, text: 'Tzunun' }).total, 0)
})

test('an export leaves out what only a hold keeps, says so, and ends where a chosen case is gone', async () => {
	const all = { records: null, kind: 'folders', lang: '', labels: false, split: false }
	const { of, n_kept } = carol.call('export_begin', all)
	assert.equal(of, 0)
	assert.equal(n_kept, 1)
	const part = carol.call('export_next')
	assert.ok(part.done)
	assert.deepEqual(part.files.map(f => f.name), ['index.csv'])
	refused('export_begin', { ...all, records: [gone] }, 'notfound')
	refused('export_next', {}, 'state')
	// named, it goes out: whoever holds it has to be able to give it to the court
	carol.call('export_begin', { ...all, records: [kept] })
	assert.ok(carol.call('export_next').files.some(f => f.name === `${code['03']}/submission.xml`))
})

test('the hold ended, it goes too, and a page that opens the store again finds nothing of it', async () => {
	carol.call('case_hold', { record: kept, on: false, reason: '' })
	await day()
	assert.equal(list().total, 0)
	carol.settle()
	carol.lock()
	assert.throws(() => list(), e => e.code === 'state')
	carol.unlock(PASS)
	assert.equal(list().total, 0)
	for (const record of [gone, kept]) refused('case_show', { record, lang: 'es', empty: false }, 'notfound')
})
