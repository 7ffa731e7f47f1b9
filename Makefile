# SPDX-License-Identifier: AGPL-3.0-or-later
# One Makefile.  CC, CFLAGS and LDFLAGS belong to whoever builds; ours have other names.
#   B    the build folder (sanitizer builds use their own)     SAN  -fsanitize list, empty for none
B      ?= build
SAN    ?=
PREFIX ?= /usr/local
VERSION = 0.1.0
Q      ?=

# These see first to what they need, and the make that begins after that finds it.  What else the
# same call asks for goes to that one too: two makes in one tree would write the same archives.
GOALS := $(or $(MAKECMDGOALS),all)
ifneq ($(if $(READY),,$(filter all test-web demo-web web-shots,$(GOALS))),)
.PHONY: $(GOALS) all-together
# what is asked for is not the building: a thousand lines of it would hide what is
FOR_PEOPLE := $(if $(filter test-web demo-web web-shots,$(GOALS)),Q=@)
$(GOALS): all-together ;
all-together:
	@tests/deps.sh build
	@$(if $(FOR_PEOPLE),echo "building; this takes some minutes the first time")
	@$(MAKE) --no-print-directory READY=yes $(FOR_PEOPLE) $(patsubst all,build,$(GOALS))
else

CFLAGS  ?= -O2 -g
PKGS     = libsodium msgpack lmdb libuv libxml-2.0 libqrencode inih libseccomp libgfshare libmd
PKG_CF  := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LD  := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lzxcvbn -lwslay -lhttp_parser -lm -lpthread

WARN     = -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
           -Wwrite-strings -Wvla -Wformat=2 -Wno-unused-parameter -Wno-format-truncation
ifeq ($(CI),true)
WARN    += -Werror
endif
ifeq ($(SAN),)
HARDEN   = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -fstack-clash-protection
HARDENLD = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed
# the processor's own checks of jumps and returns.  Debian's start-up objects carry no note of
# it, so the linker is told; that all of ours do is checked by tests/check-hardening.sh.
MACHINE := $(shell $(CC) -dumpmachine 2>/dev/null)
ifneq ($(filter x86_64-%,$(MACHINE)),)
HARDEN   += -fcf-protection
HARDENLD += -Wl,-z,ibt -Wl,-z,shstk
else ifneq ($(filter aarch64-%,$(MACHINE)),)
HARDEN   += -mbranch-protection=standard
endif
else
HARDEN   = -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all
HARDENLD = -fsanitize=$(SAN)
endif
OURS     = -std=c11 -D_GNU_SOURCE -DAMPARO_VERSION='"$(VERSION)"' $(WARN) $(HARDEN) \
           -Iprotocol -Iserver -Iclient -Iclient/forms -Iclient/cli -Iclient/web/core $(PKG_CF) -MMD -MP

# ---- sources -------------------------------------------------------------------------------
PROTOCOL_SRC = protocol/perr.c \
               protocol/rng.c \
               protocol/mp.c \
               protocol/hpke.c \
               protocol/noise.c \
               protocol/rpc.c \
               protocol/cell.c \
               protocol/blob.c \
               protocol/channel.c \
               protocol/doc.c \
               protocol/arena.c \
               protocol/signed.c \
               protocol/case_code.c \
               protocol/custody.c \
               protocol/statement.c \
               protocol/statement_said.c \
               protocol/statement_passed.c \
               protocol/envelope.c \
               protocol/admins.c \
               protocol/charter.c \
               protocol/desk.c \
               protocol/batch.c \
               protocol/paper.c \
               protocol/board.c \
               protocol/b64.c \
               protocol/address.c \
               protocol/invite.c \
               protocol/join.c \
               protocol/roster.c \
               protocol/roster_field.c \
               protocol/roster_staff.c \
               protocol/roster_admin.c \
               protocol/bulletin.c \
               protocol/bulletin_slots.c \
               protocol/handout.c \
               protocol/pieces.c \
               protocol/outfile.c \
               protocol/policy.c \
               protocol/proposal.c \
               protocol/words.c
SERVER_SRC   = \
               server/accept.c \
               server/access.c \
               server/clock.c \
               server/command.c \
               server/config.c \
               server/connection.c \
               server/host.c \
               server/host_order.c \
               server/host_put.c \
               server/host_read.c \
               server/listener.c \
               server/orders.c \
               server/quota.c \
               server/replay.c \
               server/sandbox.c \
               server/session.c \
               server/upgrade.c \
               server/browser.c \
               server/ws.c \
               server/slab.c \
               server/day.c \
               server/store.c \
               server/store_batch.c \
               server/store_bulletin.c \
               server/store_file.c \
               server/store_ids.c \
               server/store_list.c \
               server/store_lmdb.c \
               server/store_page.c \
               server/store_pool.c \
               server/store_read.c \
               server/store_recover.c \
               server/store_release.c \
               server/store_seg.c \
               server/store_state.c \
               server/writer.c \
               server/scrub.c \
               server/store_plan.c
SERVER_MAIN  = server/main.c
CLIENT_SRC   = \
               client/client.c \
               client/cache.c \
               client/forget.c \
               client/formpack.c \
               client/marks.c \
               client/dispatch.c \
               client/intake.c \
               client/interview.c \
               client/picture.c \
               client/origin.c \
               client/draft.c \
               client/record.c \
               client/record_blobs.c \
               client/record_gaps.c \
               client/erase.c \
               client/erasing.c \
               client/erasing_say.c \
               client/case.c \
               client/case_file.c \
               client/case_merge.c \
               client/case_list.c \
               client/case_view.c \
               client/tally.c \
               client/refusal.c \
               client/media.c \
               client/export_list.c \
               client/merge.c \
               client/search.c \
               client/assign.c \
              client/assigned.c \
              client/forward.c \
              client/leave.c \
              client/ledger.c \
              client/pass.c \
              client/saying.c \
               client/export.c \
               client/export_json.c \
               client/export_names.c \
               client/export_dir.c \
               client/export_tables.c \
               client/trust.c \
               client/peer.c \
               client/link.c \
               client/org.c \
               client/org_found.c \
               client/press.c \
               client/policies.c \
               client/quorum.c \
               client/quorum_box.c \
               client/quorum_docs.c \
               client/quorum_done.c \
               client/quorum_words.c \
               client/pending.c \
               client/amend.c \
               client/apply.c \
               client/apply_charter.c \
               client/apply_server.c \
               client/charters.c \
               client/late.c \
               client/parting.c \
               client/refer.c \
               client/papers.c \
               client/shares.c \
               client/ceremony.c \
               client/recovery.c \
               client/vouch.c \
               client/apply_rotate.c \
               client/rotate.c \
               client/revoke.c \
               client/keyring.c \
               client/revoked.c \
               client/reboard.c \
               client/rebase.c \
               client/bring.c \
               client/enrol.c \
               client/holders.c \
               client/steward.c \
               client/steward_figures.c \
               client/steward_push.c \
               client/kv.c \
               client/kv_mem.c \
               client/vault.c \
               client/vault_kv.c \
               client/vault_disk.c \
               client/vault_index.c \
               client/vault_seal.c \
               client/vault_page.c \
               client/outbox.c \
               client/outbox_ack.c \
               client/outbox_file.c \
               client/backup.c \
               client/restored.c \
               client/decoys.c \
               client/post.c \
               client/spool.c \
               client/spool_dir.c \
               client/prekeys.c \
               client/notices.c \
               client/agent.c \
               client/passphrase.c \
               client/phrase.c \
               client/phrase_bits.c \
               client/cli/term.c \
               client/cli/table.c \
               client/cli/typed.c \
               client/cli/progress.c \
               client/tagmap.c \
               client/seen.c \
               client/wants.c \
               client/visit.c \
               client/verify.c \
               client/handed.c \
               client/visit_bulletin.c \
               client/visit_board.c \
               client/visit_upload.c \
               client/visit_erase.c \
               client/fetch.c \
               client/gaps.c \
               client/gone.c \
               client/holding.c \
               client/covault.c \
               client/custody_body.c \
               client/custody_say.c \
               client/reseal.c \
               client/retire.c \
               client/duties.c \
               client/fetch_batch.c \
               client/fetch_light.c \
               client/sync.c \
               client/sync_run.c
FORMS_SRC    = \
               client/forms/farena.c \
               client/forms/fault.c \
               client/forms/fdate.c \
               client/forms/fmap.c \
               client/forms/fold.c \
               client/forms/ftree.c \
               client/forms/instance.c \
               client/forms/render.c \
               client/forms/xform.c \
               client/forms/xform_body.c \
               client/forms/xform_text.c \
               client/forms/fcheck.c \
               client/forms/feval.c \
               client/forms/fexpr.c \
               client/forms/fexpr_form.c \
               client/forms/ffunc.c \
               client/forms/ffunc_number.c \
               client/forms/fregex.c \
               client/forms/instance_full.c \
               client/forms/fbuf.c \
               client/forms/fill.c \
               client/forms/fill_blind.c \
               client/forms/fill_io.c \
               client/forms/fexport.c \
               client/forms/fexport_json.c \
               client/forms/xform_file.c \
               client/forms/xform_geojson.c \
               client/forms/fcond.c \
               client/forms/fdraw.c \
               client/forms/flint.c \
               client/forms/fmark.c \
               client/forms/fpaper.c \
               client/forms/fpatch.c \
               client/forms/fill_settle.c \
               client/forms/fval.c
CLI_MAIN     = client/cli/main.c
CLI_SRC      = \
               client/cli/cli.c \
               client/cli/commands.c \
               client/cli/now.c \
               client/cli/net.c \
               client/cli/sheet.c \
               client/cli/show_answers.c \
               client/cli/status.c \
               client/cli/cmd_join.c \
               client/cli/cmd_record.c \
               client/cli/cmd_intake.c \
               client/cli/cmd_outbox.c \
               client/cli/cmd_backup.c \
               client/cli/amend_ask.c \
               client/cli/amend_from.c \
               client/cli/amend_names.c \
               client/cli/ask.c \
               client/cli/large.c \
               client/cli/filling.c \
               client/cli/fill_command.c \
               client/cli/fill_ask.c \
               client/cli/fill_paper.c \
               client/cli/fill_end.c \
               client/cli/cmd_fill.c \
               client/cli/cmd_draft.c \
               client/cli/cmd_cases.c \
               client/cli/cmd_show.c \
               client/cli/cmd_act.c \
               client/cli/cmd_admin.c \
              client/cli/cmd_answer.c \
              client/cli/cmd_assign.c \
               client/cli/status_admins.c \
              client/cli/status_assign.c \
               client/cli/cmd_amend.c \
               client/cli/cmd_export.c \
               client/cli/cmd_org.c \
               client/cli/cmd_settings.c \
               client/cli/cmd_rotate.c \
               client/cli/cmd_revoke.c \
               client/cli/say.c \
               client/cli/status_rotation.c \
               client/cli/cmd_server.c \
               client/cli/cmd_invite.c \
               client/cli/cmd_desk.c \
               client/cli/cmd_charter.c \
               client/cli/cmd_refer.c \
               client/cli/compare.c \
               client/cli/status_charters.c \
               client/cli/status_custody.c \
               client/cli/status_papers.c \
               client/cli/share_ask.c \
               client/cli/share_sheet.c \
               client/cli/cmd_ceremony.c \
               client/cli/cmd_recovery.c \
               client/cli/cmd_erase.c \
               client/cli/status_erase.c \
               client/cli/cmd_erasures.c \
               client/cli/cmd_form.c \
               client/cli/cmd_vault.c
UNIT_TESTS   = \
               test_intake \
               test_cache \
               test_web_digest \
               test_web_rows \
               test_web_volunteer \
               test_web_attacks \
               test_web_desk \
               test_web_acts \
               test_picture \
               test_draft \
               test_typed \
               test_record \
               test_record_passed \
               test_trust \
               test_charters \
               test_merge \
               test_amend \
               test_search \
               test_export \
               test_hpke \
               test_noise \
               test_rpc \
               test_form_fold \
               test_form_instance \
               test_form_render \
               test_form_tree \
               test_form_xform \
               test_mp \
               test_peer \
               test_notices \
               test_prekeys \
               test_custody_set \
               test_covault \
               test_cell \
               test_blob \
               test_channel \
               test_hostile_cells \
               test_form_eval \
               test_form_full \
               test_form_regex \
               test_words \
               test_vault \
               test_vault_mishaps \
               test_outbox \
               test_assigned \
               test_outbox_file \
               test_decoys \
               test_spool \
               test_doc \
               test_signed \
               test_case_code \
               test_statement \
               test_envelope \
               test_day \
               test_store \
               test_store_board \
               test_store_damage \
               test_store_life \
               test_batch \
               test_paper \
               test_shares \
               test_board \
               test_admins \
               test_charter \
               test_desk \
               test_form_fill \
               test_agent \
               test_passphrase \
               test_term \
               test_address \
               test_b64 \
               test_invite \
               test_join \
               test_policy \
               test_proposal \
               test_roster \
               test_bulletin \
               test_session \
               test_session_bounds \
               test_quota \
               test_replay \
               test_slab \
               test_upgrade \
               test_ws \
               test_config \
               test_orders \
               test_form_export \
               test_formpack \
               test_handout \
               test_outfile \
               test_hostile_documents \
               test_host \
               test_host_changes \
               test_form_lint \
               test_form_attacks \
               test_marks \
               test_writer \
               test_store_faults \
               test_form_paper \
               test_form_patch \
               test_form_torture \
               test_documents_faults \
               test_scrub \
               test_store_power \
               test_worlds \
               test_store_history \
               test_starved
FUZZERS      = \
               fuzz_rpc \
               fuzz_browser \
               fuzz_mp \
               fuzz_cell \
               fuzz_channel \
               fuzz_signed \
               fuzz_statement \
               fuzz_envelope \
               fuzz_admins \
               fuzz_charter \
               fuzz_batch \
               fuzz_paper \
               fuzz_board \
               fuzz_roster \
               fuzz_bulletin \
               fuzz_invite \
               fuzz_join \
               fuzz_policy \
               fuzz_proposal \
               fuzz_case_code \
               fuzz_session \
               fuzz_form \
               fuzz_formpack \
               fuzz_handout \
               fuzz_outfile \
               fuzz_backup \
               fuzz_web
MORE_test_intake = tests/unit/fixture_org.c
MORE_test_cache = tests/unit/fixture_org.c
MORE_test_web_volunteer = tests/unit/fixture_org.c tests/unit/web_day.c
MORE_test_web_attacks = tests/unit/fixture_org.c tests/unit/web_day.c
MORE_test_web_desk = tests/unit/fixture_org.c
MORE_test_web_acts = tests/unit/fixture_org.c
MORE_test_decoys = tests/unit/fixture_org.c
MORE_test_amend = tests/unit/fixture_org.c
MORE_test_record = tests/unit/fixture_org.c
MORE_test_record_passed = tests/unit/fixture_org.c
MORE_test_trust = tests/unit/fixture_org.c
MORE_test_charters = tests/unit/fixture_org.c
WRAP_test_trust = -Wl,--wrap=trust_follow -Wl,--wrap=charter_progress
MORE_test_search = tests/unit/fixture_org.c
MORE_test_export = tests/unit/fixture_org.c
MORE_test_notices = tests/unit/fixture_org.c
MORE_test_prekeys = tests/unit/fixture_org.c
MORE_test_worlds = $(WORLDS_STAT)
MORE_test_starved = tests/unit/fixture_org.c
STARVE = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=sodium_malloc
WRAP_test_starved = $(STARVE)
WRAP_test_ws = $(STARVE)
WRAP_test_web_attacks = $(STARVE)
WRAP_test_web_acts = $(STARVE)
WRAP_test_web_rows = $(STARVE) -Wl,--wrap=crypto_pwhash
WRAP_sim_starved = $(STARVE)
WRAP_test_writer = -Wl,--wrap=mdb_txn_commit
WRAP_test_host = -Wl,--wrap=mdb_txn_commit
WRAP_test_store_faults = -Wl,--wrap=renameat -Wl,--wrap=linkat -Wl,--wrap=unlinkat -Wl,--wrap=preadv \
               -Wl,--wrap=fstatvfs -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
               -Wl,--wrap=mdb_env_create -Wl,--wrap=mdb_env_open -Wl,--wrap=mdb_env_sync \
               -Wl,--wrap=mdb_txn_begin -Wl,--wrap=mdb_put -Wl,--wrap=mdb_del \
               -Wl,--wrap=mdb_cursor_open -Wl,--wrap=mdb_txn_commit
WRAP_test_store_history = -Wl,--wrap=mdb_txn_commit -Wl,--wrap=mdb_env_sync -Wl,--wrap=mdb_put \
               -Wl,--wrap=renameat -Wl,--wrap=linkat -Wl,--wrap=unlinkat -Wl,--wrap=fdatasync \
               -Wl,--wrap=fsync -Wl,--wrap=store_seg_sort
WRAP_test_documents_faults = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=sodium_malloc
WRAP_test_vault_mishaps = -Wl,--wrap=vault_page_check
WRAP_test_store = -Wl,--wrap=fstatvfs
WRAP_test_store_life = -Wl,--wrap=fstatvfs -Wl,--wrap=pread
# two worlds: its statistics, which have a unit test, and the rest
WORLDS_STAT  = \
               tests/worlds/classify.c \
               tests/worlds/feature.c \
               tests/worlds/image.c \
               tests/worlds/must.c \
               tests/worlds/permute.c \
               tests/worlds/rank.c
WORLDS_SRC   = \
               tests/worlds/answers.c \
               tests/worlds/night.c \
               tests/worlds/night_inside.c \
               tests/worlds/night_leak.c \
               tests/worlds/night_server.c \
               tests/worlds/two_worlds.c
WRAP_WORLDS  = -Wl,--wrap=rpc_encode -Wl,--wrap=cell_seal -Wl,--wrap=cell_seal_chunk \
               -Wl,--wrap=fstatvfs -Wl,--wrap=store_idle
# the longest first: they go side by side
SIM_TESTS    = \
               sim_starved \
               sim_lives \
               sim_rotate \
               sim_rotate_two \
               sim_custody \
               sim_assign \
               sim_assign_over \
               sim_erase_case \
               sim_charter \
               sim_turns \
               sim_sync \
               sim_between \
               sim_web \
               sim_erase \
               sim_recovery \
               sim_seized \
               sim_thief \
               sim_backup \
               sim_admins \
               sim_quorum \
               sim_quorum_alone
E2E_TESTS    = \
               90-night-of-changes.sh \
               80-handbook.sh \
               50-fill.sh \
               50-charters.sh \
               55-recovery.sh \
               50-custody.sh \
               55-assign.sh \
               10-story.sh \
               20-clocks.sh \
               30-forms.sh \
               40-commands.sh \
               50-administrators.sh \
               50-quorum.sh \
               70-hostile-server.sh \
               60-office-forms.sh \
               50-erase.sh \
               50-erase-case.sh \
               50-amend.sh \
               50-seized.sh \
               50-outbox.sh \
               50-rotate.sh \
               50-backup.sh \
               server-command.sh \
               server-kill.sh \
               server-outsiders.sh \
               server-web.sh \
               server-proxy.sh \
               server-sandbox.sh \
               server-flood.sh \
               server-clock.sh \
               server-disk.sh \
               server-limits.sh
TOOLS        = \
               server_kill \
               server_flood \
               server_outsiders \
               server_clock \
               amparod_clock \
               server_bench \
               server_disk \
               server_limits \
               sandbox_acts \
               server_sealed \
               server_web \
               server_proxy \
               server_member
SIM_SRC      = \
               tests/sim/world.c
BENCHES      = \
               bench_ingest \
               bench_pg \
               bench_pull \
               bench_trial \
               bench_decoys \
               bench_uptodate \
               bench_night \
               bench_idle \
               bench_grow \
               bench_search \
               bench_forms
# two kinds: over the blocking test client, and over the client's core
BENCH_SRC    = \
               tests/bench/bench.c
BENCH_LOAD   = \
               tests/bench/bare.c \
               tests/bench/load.c \
               tests/tools/client.c \
               tests/tools/daemon.c
BENCH_TEAM   = \
               tests/bench/serve.c \
               tests/bench/team.c
BENCH_ON_bench_uptodate = $(BENCH_TEAM)
BENCH_ON_bench_night    = $(BENCH_TEAM)
BENCH_ON_bench_decoys   = $(BENCH_TEAM)
BENCH_ON_bench_search   = $(BENCH_TEAM)
BENCH_ON_bench_forms    = $(BENCH_TEAM)
# what is run with undefined secrets, and at which levels of optimisation
CT_SRC       = $(PROTOCOL_SRC) \
               server/access.c \
               server/replay.c \
               server/slab.c \
               tests/ctgrind/accepted.c \
               tests/ctgrind/ctgrind.c
CT_SHORT     = O0 O2
CT_ALL       = O0 O1 O2 O3 Os
TOOLS_SRC    = \
               tests/tools/client.c \
               tests/tools/web_client.c \
               tests/tools/daemon.c

# the seizure drill: tools of its own, a server whose days pass quickly, and one that forgets to
# overwrite (a control)
SEIZURE      = \
               hunt \
               carve \
               memory \
               decoy \
               plan \
               vault \
               visitor \
               server \
               careless
SEIZURE_SRC  = \
               tests/seizure/canary.c \
               tests/seizure/scan.c
WRAP_seizure_server = -Wl,--wrap=host_tick
WRAP_seizure_careless = -Wl,--wrap=store_file_retire

include client/web/web.mk

# ---- what is built -------------------------------------------------------------------------
obj = $(patsubst %.c,$(B)/%.o,$(1))
LIBS_A = $(B)/libamparo-web.a $(B)/libamparo-cli.a $(B)/libamparo-client.a $(B)/libamparo-server.a $(B)/libamparo-protocol.a

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: build deps deps-test deps-seizure deps-bench demo test test-long bench bench-long check-spec fuzz asan tsan \
        stories install uninstall clean dist unit-bins tools bench-bins two-worlds worlds-bins ctgrind ctgrind-bins \
        seizure seizure-bins

build: $(B)/amparo $(B)/amparod

deps:
	@tests/deps.sh build
deps-test:
	@tests/deps.sh test
deps-seizure:
	@tests/deps.sh seizure
deps-bench:
	@tests/deps.sh bench

# nothing else needs libpq
$(B)/tests/bench/%.o: OURS += -Itests/tools $(shell pkg-config --cflags libpq 2>/dev/null)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(OURS) $(CFLAGS) -c $< -o $@

$(B)/libamparo-protocol.a: $(call obj,$(PROTOCOL_SRC))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(B)/libamparo-server.a: $(call obj,$(SERVER_SRC))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(B)/libamparo-client.a: $(call obj,$(CLIENT_SRC) $(FORMS_SRC))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/libamparo-cli.a: $(call obj,$(CLI_SRC))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/libamparo-web.a: $(call obj,$(WEB_CORE_SRC))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/amparo: $(call obj,$(CLI_MAIN)) $(B)/libamparo-cli.a $(B)/libamparo-client.a $(B)/libamparo-protocol.a
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $^ -o $@ $(PKG_LD)
$(B)/amparod: $(call obj,$(SERVER_MAIN)) $(B)/libamparo-server.a $(B)/libamparo-protocol.a
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $^ -o $@ $(PKG_LD)

# a test binary may need everything; WRAP_<name> adds linker flags, MORE_<name> objects
$(B)/tests/test_%: $(B)/tests/unit/test_%.o $(LIBS_A)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $(WRAP_test_$*) $< $(call obj,$(MORE_test_$*)) -Wl,--start-group $(LIBS_A) -Wl,--end-group -o $@ $(PKG_LD) -lcmocka
$(B)/tests/test_worlds: $(call obj,$(WORLDS_STAT))
$(B)/tests/worlds/two_worlds: $(call obj,$(WORLDS_SRC) $(WORLDS_STAT)) $(LIBS_A)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $(WRAP_WORLDS) $(filter %.o,$^) -Wl,--start-group $(LIBS_A) -Wl,--end-group -o $@ $(PKG_LD)
$(addprefix $(B)/tests/test_,web_volunteer web_attacks): $(B)/tests/unit/web_day.o
$(addprefix $(B)/tests/test_,web_volunteer web_attacks web_desk web_acts trust charters amend intake decoys record record_passed search export notices prekeys): $(B)/tests/unit/fixture_org.o
$(addprefix $(B)/tests/test_,intake cache record record_passed search export notices prekeys starved): $(B)/tests/unit/fixture_org.o
$(B)/tests/sim/sim_starved.o $(B)/tests/sim/sim_web.o: OURS += -Itests/unit
$(B)/tests/sim_%: $(B)/tests/sim/sim_%.o $(call obj,$(SIM_SRC)) $(LIBS_A)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $(WRAP_sim_$*) $(filter %.o,$^) -Wl,--start-group $(LIBS_A) -Wl,--end-group -o $@ $(PKG_LD) -lcmocka
$(B)/tests/replay_%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay_main.o $(LIBS_A)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $(filter %.o,$^) -Wl,--start-group $(LIBS_A) -Wl,--end-group -o $@ $(PKG_LD)
$(B)/tests/bench/bench_%: $(B)/tests/bench/bench_%.o $(call obj,$(BENCH_SRC) $(BENCH_LOAD) $(BENCH_TEAM)) $(LIBS_A)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $< $(call obj,$(BENCH_SRC) $(or $(BENCH_ON_bench_$*),$(BENCH_LOAD))) \
	    -Wl,--start-group $(LIBS_A) -Wl,--end-group -o $@ $(PKG_LD) $(if $(filter pg,$*),-lpq)
# these stand on the client, whose names the small test client of the others shares
OWN_TOOLS = $(addprefix $(B)/tests/tools/,hunt tryall seized_keys amparo_clock ontty amparod_liar erase_case device_probe many_intakes race)
WRAP_amparod_liar = -Wl,--wrap=session_answer -Wl,--wrap=session_cell -Wl,--wrap=session_committed \
                    -Wl,--wrap=host_sessions
$(OWN_TOOLS): $(B)/tests/tools/%: $(B)/tests/tools/%.o $(LIBS_A)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $(WRAP_$*) $(filter %.o,$^) -Wl,--start-group $(LIBS_A) -Wl,--end-group -o $@ $(PKG_LD)
# the server with another clock, in place of server/clock.c
$(B)/tests/tools/amparod_clock $(B)/tests/tools/amparod_liar $(B)/tests/seizure/server: $(B)/tests/tools/clock_file.o
# a member's vault
$(B)/tests/tools/erase_case $(B)/tests/tools/many_intakes $(B)/tests/tools/seized_keys $(B)/tests/tools/tryall $(B)/tests/seizure/vault: $(B)/tests/tools/home.o
$(B)/tests/tools/%: $(B)/tests/tools/%.o $(call obj,$(TOOLS_SRC)) $(LIBS_A)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $(WRAP_$*) $(filter %.o,$^) -Wl,--start-group $(LIBS_A) -Wl,--end-group -o $@ $(PKG_LD)

# the objects of the program are not used: the levels are the point
CT_WRAP := $(shell sed -n 's/^. declassify \([a-z0-9_]*\):.*/-Wl,--wrap=\1/p' tests/ctgrind/accepted.supp)
CT_FLAGS = $(filter-out -D_FORTIFY_SOURCE=2 -MMD -MP,$(OURS)) -g -Itests/ctgrind
$(B)/ctgrind/gcc-%: $(CT_SRC) tests/ctgrind/ct.h tests/ctgrind/accepted.supp $(wildcard protocol/*.h server/*.h)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CT_FLAGS) -$* $(CT_SRC) $(CT_WRAP) $(HARDENLD) -o $@ $(PKG_LD)
$(B)/ctgrind/clang-%: $(CT_SRC) tests/ctgrind/ct.h tests/ctgrind/accepted.supp $(wildcard protocol/*.h server/*.h)
	@mkdir -p $(@D)
	$(Q)clang-14 $(filter-out -fstack-clash-protection,$(CT_FLAGS)) -gdwarf-4 -w -$* $(CT_SRC) $(CT_WRAP) $(HARDENLD) -o $@ $(PKG_LD)
ctgrind-bins: $(patsubst %,$(B)/ctgrind/gcc-%,$(CT_SHORT))

$(B)/tests/seizure/%: $(B)/tests/seizure/%.o $(call obj,$(SEIZURE_SRC)) $(LIBS_A)
	@mkdir -p $(@D)
	$(Q)$(CC) $(HARDENLD) $(LDFLAGS) $(WRAP_seizure_$*) $(filter %.o,$^) -Wl,--start-group $(LIBS_A) -Wl,--end-group -o $@ $(PKG_LD)
$(B)/tests/seizure/visitor: $(call obj,$(TOOLS_SRC))
$(B)/tests/seizure/from.so: tests/seizure/from.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS) -fPIC -shared $(LDFLAGS) $< -o $@ -ldl
$(B)/tests/seizure/visitor.o $(B)/tests/seizure/server.o $(B)/tests/seizure/vault.o: OURS += -Itests/tools

seizure-bins: $(patsubst %,$(B)/tests/seizure/%,$(SEIZURE)) $(B)/tests/seizure/from.so \
              $(B)/tests/tools/amparo_clock
bench-bins: $(patsubst %,$(B)/tests/bench/%,$(BENCHES))
worlds-bins: $(B)/tests/worlds/two_worlds
$(B)/tests/tools/pwhash_once.so: tests/tools/pwhash_once.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(CFLAGS) -fPIC -shared $(LDFLAGS) $< -o $@ -lsodium -ldl
own-tools: $(OWN_TOOLS)
tools: own-tools $(patsubst %,$(B)/tests/tools/%,$(TOOLS)) $(B)/tests/tools/pwhash_once.so
unit-bins: $(patsubst %,$(B)/tests/%,$(UNIT_TESTS)) $(patsubst %,$(B)/tests/%,$(SIM_TESTS)) \
           $(patsubst fuzz_%,$(B)/tests/replay_fuzz_%,$(FUZZERS))

# ---- what is run ---------------------------------------------------------------------------
# what has threads: the server's writer and workers, and the client's trial of cells
THREADED     = \
               test_writer \
               test_store \
               test_host \
               test_host_changes \
               test_scrub
export THREADED UNIT_TESTS SIM_TESTS E2E_TESTS FUZZERS
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

demo: deps
	@$(MAKE) --no-print-directory -s -j$(JOBS) Q=@ build $(B)/tests/tools/hunt $(B)/tests/tools/tryall
	@tests/e2e/demo.sh

test: deps-test
	@tests/run.sh short
test-long: deps-test
	@tests/run.sh long
# every story, each with as many kills as in the long run
stories: deps-test
	@tests/run.sh stories
asan: deps-test
	@tests/run.sh asan
tsan: deps-test
	@tests/run.sh tsan
# every level, and another compiler where there is one
ctgrind: deps-test
	@tests/ctgrind/run.sh $(addprefix gcc-,$(CT_ALL)) \
	    $(if $(shell command -v clang-14 2>/dev/null),$(addprefix clang-,$(CT_ALL)))
check-spec:
	@tests/check-spec.sh
# RUNS=200 SEED=… LEVEL=… are passed on; the figures go to build/two-worlds.json too
two-worlds: deps
	@$(MAKE) --no-print-directory -s -j$(JOBS) Q=@ worlds-bins
	@$(B)/tests/worlds/two_worlds --json $(B)/two-worlds.json $(if $(RUNS),--runs $(RUNS)) \
	    $(if $(SEED),--seed $(SEED)) $(if $(LEVEL),--level $(LEVEL)) $(WORLDS)
bench: deps-bench
	@tests/bench/run.sh short
bench-long: deps-bench
	@tests/bench/run.sh long

# a seized server reveals nothing: needs root and loop mounts; minutes.  SEED=n repeats one
seizure: deps-seizure
	@$(MAKE) --no-print-directory -s -j$(JOBS) Q=@ B=$(B) seizure-bins
	@B=$(B) tests/seizure/drill.sh long

# clang's fuzzer; `make fuzz T=60` gives each parser 60 seconds
T ?= 30
# every parser under clang's libFuzzer; FUZZ_SECONDS for each (tests/fuzz/run.sh)
FUZZ_SECONDS ?= 60
export FUZZ_SECONDS
fuzz:
	@tests/fuzz/run.sh

# linked by tests/fuzz/run.sh, in a build folder of its own
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(LIBS_A)
	@mkdir -p $(@D)
	$(Q)clang-14 $(filter-out -fcf-protection -mbranch-protection=standard -fstack-clash-protection -D_FORTIFY_SOURCE=2 -fPIE -MMD -MP,$(OURS)) \
	    -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $^ -o $@ $(PKG_LD)
	$(Q)$(CC) $(HARDENLD) -fsanitize=fuzzer $(LDFLAGS) $< -Wl,--start-group $(LIBS_A) -Wl,--end-group -o $@ $(PKG_LD)

install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8 \
	    $(DESTDIR)$(PREFIX)/share/amparo/forms $(DESTDIR)$(PREFIX)/share/doc/amparo \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 755 $(B)/amparo $(DESTDIR)$(PREFIX)/bin/amparo
	install -m 755 $(B)/amparod $(DESTDIR)$(PREFIX)/sbin/amparod
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 docs/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 docs/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 docs/forms/*.xml $(DESTDIR)$(PREFIX)/share/amparo/forms/
	install -m 644 docs/*.md $(DESTDIR)$(PREFIX)/share/doc/amparo/
	install -d $(DESTDIR)$(PREFIX)/share/doc/amparo/examples
	install -m 644 docs/examples/* $(DESTDIR)$(PREFIX)/share/doc/amparo/examples/
	sed 's,/usr/local/sbin,$(PREFIX)/sbin,' server/amparod.service \
	    >$(DESTDIR)$(PREFIX)/lib/systemd/system/amparod.service
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/amparo $(DESTDIR)$(PREFIX)/sbin/amparod \
	    $(DESTDIR)$(PREFIX)/share/man/man1/amparo*.1 $(DESTDIR)$(PREFIX)/share/man/man5/amparod*.5 \
	    $(DESTDIR)$(PREFIX)/share/man/man8/amparod*.8 $(DESTDIR)$(PREFIX)/lib/systemd/system/amparod.service
	rm -rf $(DESTDIR)$(PREFIX)/share/amparo $(DESTDIR)$(PREFIX)/share/doc/amparo

include client/web/page.mk

dist:
	@mkdir -p build
	git archive --prefix=amparo-$(VERSION)/ HEAD | gzip -n9 >build/amparo-$(VERSION).tar.gz
clean:
	rm -rf build

-include $(shell find $(B) -type f -name '*.d' 2>/dev/null)

endif
