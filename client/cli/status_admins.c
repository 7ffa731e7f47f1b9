/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status_admins.h"

#include <stdio.h>
#include <string.h>

#include "admins.h"
#include "cmd_admin.h"
#include "policies.h"
#include "quorum.h"
#include "roster.h"

struct saying {
	struct client *c;
	struct list *l;
};

static bool is_among(const uint8_t (*keys)[32], uint32_t n, const uint8_t key[32])
{
	for (uint32_t i = 0; i < n; i++)
		if (memcmp(keys[i], key, 32) == 0)
			return true;
	return false;
}

/* administrators who have neither signed nor refused */
static void silent(const struct client *c, const struct quorum_view *v, char *out, size_t size)
{
	const struct admins_link *l = &client_admins(c)->last;
	uint8_t keys[ADMINS_MAX][32];
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n; i++)
		if (!is_among((const uint8_t (*)[32])v->signers, v->n_signed, l->keys[i]) &&
		    !is_among((const uint8_t (*)[32])v->refusers, v->n_refused, l->keys[i]))
			memcpy(keys[n++], l->keys[i], 32);
	cmd_admin_names(c, (const uint8_t (*)[32])keys, n, out, size);
}

static enum perr one(void *arg, const struct quorum_view *v)
{
	struct saying *s = arg;
	const char *what = v->kind == PROPOSAL_ORDERS ? "order to the servers" : "change";
	char line[700], names[500], who[160];

	client_name_of(s->c, v->proposer, who, sizeof who);
	if (v->is_mine) {
		silent(s->c, v, names, sizeof names);
		snprintf(line, sizeof line, "your %s has %u of %u signatures%s%s", what, v->n_signed,
		         v->needs, *names == '\0' ? "" : "; not yet of ", names);
		status_line(s->l, false, line, v->is_stale ? "`amparo sync` makes it again upon the newest "
		            "roster" : v->is_too_large ? "`amparo admin save FILE`, and give the file to them"
		            : "they run `amparo sync` and `amparo admin sign`");
	} else if (v->is_stale) {
		snprintf(line, sizeof line, "another change came before the %s that %s proposed", what, who);
		status_line(s->l, true, line, "");
	} else if (!v->signed_here && !v->refused_here) {
		snprintf(line, sizeof line, "the %s that %s proposed has your signature", what, who);
		status_line(s->l, false, line, "`amparo admin proposals` shows it, `amparo admin sign` signs");
	}
	return PERR_OK;
}

static enum perr policies(struct client *c, struct list *l)
{
	enum perr err = PERR_OK;

	for (uint32_t i = 0; i < c->field->n_servers && err == PERR_OK; i++) {
		char line[200];
		bool any, newest;

		err = policies_has(c, c->field->servers[i].pk, &any, &newest);
		if (err != PERR_OK || newest || client_admins(c)->last.threshold == 1)
			continue;
		snprintf(line, sizeof line, "server %.80s has keys and tickets of the newest roster",
		         c->field->servers[i].address);
		status_line(l, false, line, "administrators run `amparo sync`, each once before and once "
		            "after a release: their devices sign it");
	}
	return err;
}

enum perr status_admins(struct client *c, struct list *l)
{
	const struct admins *a = client_admins(c);
	struct saying s = { c, l };
	char line[200];
	enum perr err;

	if (c->admin == NULL || a == NULL)
		return PERR_OK;
	err = quorum_each(c, one, &s);
	if (err == PERR_OK)
		err = policies(c, l);
	if (err != PERR_OK)
		return err;
	if (a->last.n == 1)
		status_line(l, false, "a second administrator, because a lost vault has no way back",
		            "`amparo invite --role administrator`");
	else if (a->last.n > 2 && a->last.threshold == 1)
		status_line(l, false, "no administrator can publish alone", "`amparo admin threshold 2`: one "
		            "seized vault then publishes nothing");
	else if (a->last.n > 2 && a->last.threshold == a->last.n) {
		snprintf(line, sizeof line, "one administrator's vault may be lost (all %u must sign now)",
		         a->last.n);
		status_line(l, false, line, "`amparo admin threshold` lowers it");
	}
	return PERR_OK;
}
