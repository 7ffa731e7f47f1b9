# SPDX-License-Identifier: AGPL-3.0-or-later
# The browser's part of the build.

# the boundary and its ops; natively libamparo-web.a
WEB_CORE_SRC = \
               client/web/core/web.c \
               client/web/core/web_args.c \
               client/web/core/web_out.c \
               client/web/core/row_table.c \
               client/web/core/kv_rows.c \
               client/web/core/op_vault.c \
               client/web/core/op_pass.c \
               client/web/core/op_me.c \
               client/web/core/op_forms.c \
               client/web/core/op_fill.c \
               client/web/core/op_step.c \
               client/web/core/op_go.c \
               client/web/core/op_attach.c \
               client/web/core/op_seal.c \
               client/web/core/op_outbox.c \
               client/web/core/op_sync.c \
               client/web/core/wdesk.c \
               client/web/core/op_cases.c \
               client/web/core/op_record.c \
               client/web/core/op_events.c \
               client/web/core/op_act.c \
               client/web/core/op_people.c \
               client/web/core/op_export.c \
               client/web/core/op_desk.c

# ---- WebAssembly ------------------------------------------------------------------------------
# The same protocol/, forms and core by clang, with libsodium, libxml2 and msgpack-c from
# Debian's source packages (sources.sh unpacks them).  amparo.wasm holds what is reached from
# its exports and nothing else.
W            = $(B)/web
WS           = $(W)/src
WASM_CC      = clang-14 --target=wasm32-wasi
# what browsers since 2021 have; no SIMD and no threads.  A stack that grows too far traps
# instead of running into data, which stands above it.
WASM_ISA     = -mbulk-memory -msign-ext -mnontrapping-fptoint -mmutable-globals
WASM_STACK   = 1048576
WASM_MAX     = 2147483648

# what stays outside: files, terminals, LMDB, libuv, paper shares
WASM_NOT     = client/agent.c \
               client/export_dir.c \
               client/link.c \
               client/passphrase.c \
               client/phrase_bits.c \
               client/shares.c \
               client/spool_dir.c \
               client/vault.c \
               client/vault_disk.c \
               client/vault_kv.c \
               client/vault_page.c \
               client/cli/%
WASM_SRC     = $(PROTOCOL_SRC) $(FORMS_SRC) $(filter-out $(WASM_NOT),$(CLIENT_SRC)) $(WEB_CORE_SRC)
WASM_MAIN    = client/web/core/web_main.c \
               client/web/core/wasi.c

WASM_CF      = -std=c11 -O2 -nostdlibinc -isystem /usr/include/wasm32-wasi -D_GNU_SOURCE -DAMPARO_VERSION='"$(VERSION)"' $(WASM_ISA) -fvisibility=hidden \
               -D_Thread_local= -D__thread= -fstack-protector-strong -ffunction-sections -fdata-sections \
               -D_WASI_EMULATED_SIGNAL -ffile-prefix-map=$(W)/= \
               -I$(WS)/libsodium/src/libsodium/include -I$(WS)/msgpack-c/include -I$(WS)/libxml2/include
WASM_OURS    = $(WASM_CF) $(filter-out -Wno-format-truncation,$(WARN)) -Iprotocol -Iclient -Iclient/forms -Iclient/web/core -MMD -MP
# without HAVE_TI_MODE: 32-bit limbs, no 128-bit arithmetic; without ED25519_NONDETERMINISTIC
WASM_SODIUM  = $(WASM_CF) -w -DCONFIGURED=1 -DNATIVE_LITTLE_ENDIAN=1 -DHAVE_WEAK_SYMBOLS=1 -DRANDOMBYTES_CUSTOM_IMPLEMENTATION=1 \
               -DRANDOMBYTES_DEFAULT_IMPLEMENTATION=NULL \
               -I$(WS)/libsodium/src/libsodium/include/sodium
WASM_XML     = $(WASM_CF) -w -DLIBXML_STATIC -I$(WS)/libxml2
WASM_MSGPACK = $(WASM_CF) -w

XML_SRC      = SAX2.c \
               buf.c \
               chvalid.c \
               dict.c \
               encoding.c \
               entities.c \
               error.c \
               globals.c \
               hash.c \
               list.c \
               parser.c \
               parserInternals.c \
               threads.c \
               tree.c \
               uri.c \
               valid.c \
               xmlIO.c \
               xmlmemory.c \
               xmlstring.c
MSGPACK_SRC  = objectc.c \
               unpack.c \
               version.c \
               vrefbuffer.c \
               zone.c

.PHONY: wasm wasm-build wasm-sources
wasm-sources:
	@client/web/sources.sh $(W)
# in two steps: which files libsodium has is known once it is unpacked
wasm: wasm-sources
	@$(MAKE) --no-print-directory wasm-build
wasm-build: $(W)/amparo.wasm

SODIUM_SRC   = $(filter-out %/randombytes_sysrandom.c %/randombytes_internal_random.c,$(sort $(shell find $(WS)/libsodium/src/libsodium -name '*.c' 2>/dev/null)))
wobj         = $(patsubst %.c,$(W)/o/%.o,$(1))

$(W)/o/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(WASM_CC) $(WASM_OURS) -c $< -o $@
$(W)/sodium/%.o: $(WS)/libsodium/src/libsodium/%.c
	@mkdir -p $(@D)
	$(Q)$(WASM_CC) $(WASM_SODIUM) -c $< -o $@
$(W)/xml/%.o: $(WS)/libxml2/%.c
	@mkdir -p $(@D)
	$(Q)$(WASM_CC) $(WASM_XML) -c $< -o $@
$(W)/msgpack/%.o: $(WS)/msgpack-c/src/%.c
	@mkdir -p $(@D)
	$(Q)$(WASM_CC) $(WASM_MSGPACK) -c $< -o $@

# D: no dates and no owners in the archive
$(W)/libcore.a: $(call wobj,$(WASM_SRC))
	@rm -f $@
	$(Q)llvm-ar-14 rcsD $@ $^
$(W)/libdeps.a: $(patsubst $(WS)/libsodium/src/libsodium/%.c,$(W)/sodium/%.o,$(SODIUM_SRC)) \
                $(patsubst %.c,$(W)/xml/%.o,$(XML_SRC)) \
                $(patsubst %.c,$(W)/msgpack/%.o,$(MSGPACK_SRC))
	@rm -f $@
	$(Q)llvm-ar-14 rcsD $@ $^

WASM_LD      = -mexec-model=reactor -Wl,--gc-sections -Wl,--strip-all -Wl,-z,stack-size=$(WASM_STACK) \
               -Wl,--stack-first -Wl,--max-memory=$(WASM_MAX) -Wl,--fatal-warnings
$(W)/amparo.wasm: $(call wobj,$(WASM_MAIN)) $(W)/libcore.a $(W)/libdeps.a
	$(Q)$(WASM_CC) $(WASM_LD) $^ -lwasi-emulated-signal -o $@
	@client/web/check-wasm.sh $@

# ---- the vectors, as modules of their own (tests/web/vectors.test.mjs) --------------------------
WASM_VECTORS = \
               test_address \
               test_admins \
               test_batch \
               test_blob \
               test_board \
               test_bulletin \
               test_case_code \
               test_cell \
               test_channel \
               test_charter \
               test_desk \
               test_doc \
               test_envelope \
               test_handout \
               test_hpke \
               test_invite \
               test_join \
               test_noise \
               test_outfile \
               test_paper \
               test_policy \
               test_proposal \
               test_roster \
               test_rpc \
               test_signed \
               test_statement
.PHONY: wasm-vectors wasm-vectors-build
wasm-vectors: wasm-sources
	@$(MAKE) --no-print-directory wasm-vectors-build
wasm-vectors-build: $(patsubst %,$(W)/vectors/%.wasm,$(WASM_VECTORS))
$(W)/vectors/%.o: tests/unit/%.c tests/web/vectors/cmocka.h
	@mkdir -p $(@D)
	$(Q)$(WASM_CC) $(WASM_OURS) -Itests/web/vectors -include cmocka.h -c $< -o $@
$(W)/vectors/vectors.o: tests/web/vectors/vectors.c tests/web/vectors/cmocka.h tests/web/vectors/digest.h
	@mkdir -p $(@D)
	$(Q)$(WASM_CC) $(WASM_OURS) -Itests/web/vectors -c $< -o $@
$(W)/vectors/%.wasm: $(W)/vectors/%.o $(W)/vectors/vectors.o $(call wobj,client/web/core/wasi.c) $(W)/libcore.a $(W)/libdeps.a
	$(Q)$(WASM_CC) $(WASM_LD) $^ -lwasi-emulated-signal -o $@
