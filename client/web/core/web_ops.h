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
	OP(vault_settle,     WEB_OPEN) \
	/* op_pass.c */ \
	OP(passphrase_words,    WEB_ANY) \
	OP(passphrase_judge,    WEB_ANY) \
	OP(passphrase_same,     WEB_ANY) \
	/* op_me.c */ \
	OP(me,                  WEB_OPEN) \
	OP(invite_read,         WEB_ANY) \
	OP(join,                WEB_OPEN) \
	OP(desk_ask,            WEB_OPEN) \
	OP(desk_trust,          WEB_OPEN) \
	/* op_forms.c */ \
	OP(forms,               WEB_OPEN) \
	/* op_fill.c */ \
	OP(fill_begin,          WEB_OPEN) \
	OP(fill_resume,         WEB_OPEN) \
	OP(fill_close,          WEB_OPEN) \
	OP(fill_open,           WEB_OPEN) \
	OP(draft_list,          WEB_OPEN) \
	OP(draft_drop,          WEB_OPEN) \
	/* op_go.c */ \
	OP(fill_step,           WEB_OPEN) \
	OP(fill_page,           WEB_OPEN) \
	OP(fill_answer,         WEB_OPEN) \
	OP(fill_next,           WEB_OPEN) \
	OP(fill_back,           WEB_OPEN) \
	OP(fill_jump,           WEB_OPEN) \
	OP(fill_end,            WEB_OPEN) \
	OP(fill_add_repeat,     WEB_OPEN) \
	OP(fill_remove_repeat,  WEB_OPEN) \
	OP(fill_lang,           WEB_OPEN) \
	/* op_attach.c */ \
	OP(fill_attach,         WEB_OPEN) \
	OP(fill_file,           WEB_OPEN) \
	OP(fill_scan_drop,      WEB_OPEN) \
	OP(fill_paper,          WEB_OPEN) \
	/* op_seal.c */ \
	OP(fill_review,         WEB_OPEN) \
	OP(fill_check,          WEB_OPEN) \
	OP(fill_seal,           WEB_OPEN) \
	OP(slip,                WEB_OPEN) \
	OP(slip_check,          WEB_OPEN) \
	OP(slip_done,           WEB_OPEN) \
	/* op_outbox.c */ \
	OP(outbox,              WEB_OPEN) \
	OP(outbox_clear,        WEB_OPEN) \
	/* op_sync.c */ \
	OP(sync_start,          WEB_OPEN) \
	OP(sync_next,           WEB_OPEN) \
	OP(sync_recv,           WEB_OPEN) \
	OP(sync_sent,           WEB_OPEN) \
	OP(sync_closed,         WEB_OPEN) \
	OP(sync_summary,        WEB_OPEN) \
	OP(outbox_save,         WEB_OPEN) \
	OP(outbox_saved,        WEB_OPEN) \
	/* op_cases.c */ \
	OP(cases,               WEB_OPEN) \
	OP(case_search,         WEB_OPEN) \
	OP(case_find,           WEB_OPEN) \
	OP(desks,               WEB_OPEN) \
	OP(holders,             WEB_OPEN) \
	/* op_record.c */ \
	OP(case_show,           WEB_OPEN) \
	/* op_events.c */ \
	OP(case_blob,           WEB_OPEN) \
	/* op_act.c */ \
	OP(case_note,           WEB_OPEN) \
	OP(case_assign,         WEB_OPEN) \
	OP(case_unassign,       WEB_OPEN) \
	OP(case_accept,         WEB_OPEN) \
	OP(case_decline,        WEB_OPEN) \
	OP(case_recuse,         WEB_OPEN) \
	OP(case_close,          WEB_OPEN) \
	OP(case_reopen,         WEB_OPEN) \
	OP(case_hold,           WEB_OPEN) \
	/* op_people.c */ \
	OP(people,              WEB_OPEN) \
	OP(person_words,        WEB_OPEN) \
	OP(person_compared,     WEB_OPEN) \
	/* op_export.c */ \
	OP(export_begin,        WEB_OPEN) \
	OP(export_next,         WEB_OPEN) \
	OP(export_end,          WEB_OPEN) \
	/* op_desk.c */ \
	OP(desk_status,         WEB_OPEN) \
	OP(alarms_seen,         WEB_OPEN) \
	OP(cases_left,          WEB_OPEN)

enum web_needs { WEB_ANY, WEB_OPEN };

#define WEB_OP_DECLARE(name, needs) \
	enum perr op_##name(struct web *w, struct web_args *a, struct web_out *o);
WEB_OPS(WEB_OP_DECLARE)
#undef WEB_OP_DECLARE

#endif
