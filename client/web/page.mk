# SPDX-License-Identifier: AGPL-3.0-or-later
# The page: one HTML file, and what an installed one needs beside it.  client/web/build.mjs
# prints the SHA-256 and the size of each; the same sources give the same bytes.
WEB_WASM ?= $(B)/web/amparo.wasm

.PHONY: web web-page web-deps web-check web-twice deps-web test-web demo-web web-shots

web-deps:
	@client/web/npm.sh

web-page: web-deps wasm
	@cd client/web && node build.mjs --out $(abspath $(B)/web/site) --wasm $(abspath $(WEB_WASM)) --version $(VERSION)

web: web-page

# types; the sentences of both languages; what the page may not contain
web-check: web-deps
	@cd client/web && node_modules/.bin/tsc --noEmit && node check.mjs

# what the tests of the page need: a browser, and what signs
deps-web:
	@tests/deps.sh web

# the page built in two folders, from nothing: the same bytes
web-twice: web
	@tests/web/twice.sh

test-web: build deps-web web wasm-vectors web-check $(addprefix $(B)/tests/tools/,many_intakes amparo_clock amparod_clock)
	@tests/web/run.sh

demo-web: build deps-web web
	@tests/web/demo.sh

# a picture of every screen, at both widths, light and dark: build/web/shots
web-shots: build deps-web web
	@node tests/web/shots.mjs && node tests/web/rare_shots.mjs && node tests/web/desk_shots.mjs
