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
               client/web/core/op_sync.c
