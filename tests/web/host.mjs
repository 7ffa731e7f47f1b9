// SPDX-License-Identifier: AGPL-3.0-or-later
// Serve the built page on loopback until the input ends:  node tests/web/host.mjs PORT
import { host } from './harness.mjs'

const h = await host(undefined, Number(process.argv[2] ?? 0))
console.log(h.url)
process.stdin.resume()
process.stdin.on('end', () => h.end())
