/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * web_ops: every op of web_call.  OP(name, needs): the function is op_<name>; needs is
 * WEB_ANY, or WEB_OPEN for what works on an open vault only.
 */
#ifndef AMPARO_WEB_OPS_H
#define AMPARO_WEB_OPS_H

#include "web.h"

#define WEB_OPS(OP) \
	/* op_vault.c */ \
	OP(vault_create,     WEB_ANY) \
	OP(vault_unlock,     WEB_ANY) \
	OP(vault_load,       WEB_ANY) \
	OP(vault_open,       WEB_ANY) \
	OP(vault_lock,       WEB_ANY) \
	OP(vault_passphrase, WEB_OPEN) \
	OP(vault_settle,     WEB_OPEN)

enum web_needs { WEB_ANY, WEB_OPEN };

#define WEB_OP_DECLARE(name, needs) \
	enum perr op_##name(struct web *w, struct web_args *a, struct web_out *o);
WEB_OPS(WEB_OP_DECLARE)
#undef WEB_OP_DECLARE

#endif
