/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "refer.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case.h"
#include "doc.h"

struct refer {
	struct client *c;
	struct case_file *file;
	struct dispatch *d;
	struct statement *st;            /* large: not on the stack */
	const uint8_t *to;
	struct dispatch_readers there;   /* holders of the other desk */
	struct dispatch_readers here;    /* co-holders */
	char *why;
};

static enum perr no(struct refer *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static enum perr no(struct refer *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->why, DISPATCH_WHY, fmt, ap);
	va_end(ap);
	return PERR_REFUSED;
}

static void refer_end(struct refer *r)
{
	dispatch_free(r->d);
	if (r->st != NULL)
		sodium_memzero(r->st, sizeof *r->st);
	free(r->st);
	case_close(r->file);
	sodium_memzero(r, sizeof *r);
}

static enum perr check_case(struct refer *r)
{
	const struct case_file *f = r->file;

	if (f->n_interviews == 0)
		return no(r, "the interview itself has not arrived yet; run `amparo sync`");
	if (!cache_is_holder(r->c, f->s.desk, r->c->me->sign_pk))
		return no(r, "only the attorneys who hold its desk can refer this case; ask one of them");
	if (case_referral(f->interviews[0].by) != NULL)
		return no(r, "this case was referred to your desk by another one, with which the family "
		          "spoke; ask that desk to refer it");
	if (memcmp(f->s.desk, r->to, 32) == 0)
		return no(r, "this case is of that desk already");
	return PERR_OK;
}

static enum perr refer_begin(struct refer *r, struct client *c,
                             const uint8_t record[STATEMENT_RECORD_SIZE], const uint8_t desk[32],
                             char why[DISPATCH_WHY])
{
	enum perr err;

	memset(r, 0, sizeof *r);
	r->c = c;
	r->to = desk;
	r->why = why;
	why[0] = '\0';
	err = case_open(c, record, &r->file);
	if (err == PERR_OK)
		err = check_case(r);
	if (err == PERR_OK)
		err = dispatch_desk(c, desk, true, &r->there, why);
	if (err != PERR_OK)
		return err;
	r->d = dispatch_new(c);
	r->st = calloc(1, sizeof *r->st);
	if (r->d == NULL || r->st == NULL)
		return PERR_NOMEM;
	err = dispatch_desk(c, r->file->s.desk, false, &r->here, why);
	/* co-holders without keys stop nobody: their vaults will ask for it */
	if (err == PERR_NOTFOUND && r->here.n_holders > 0) {
		why[0] = '\0';
		err = PERR_OK;
	}
	return err;
}

/* ---- what would travel -------------------------------------------------------------------- */

static void copy_name(struct client *c, const uint8_t id[32], char name[CHARTER_NAME_MAX + 1],
                      char *organisation)
{
	const struct desk *d;

	if (cache_desk(c, id, &d) != PERR_OK)
		return;
	memcpy(name, d->now.name, CHARTER_NAME_MAX + 1);
	if (organisation != NULL)
		memcpy(organisation, d->now.organisation, CHARTER_NAME_MAX + 1);
}

/* once for each content: two names for one photograph are one blob */
static bool is_first(const struct case_file *f, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (memcmp(f->attachments[i].a->hash, f->attachments[at].a->hash, 32) == 0)
			return false;
	return true;
}

enum perr refer_look(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                     const uint8_t desk[32], struct refer_plan *plan, char why[DISPATCH_WHY])
{
	struct refer r;
	enum perr err = refer_begin(&r, c, record, desk, why);
	const struct case_file *f = r.file;

	memset(plan, 0, sizeof *plan);
	memcpy(plan->to, desk, 32);
	if (err != PERR_OK)
		goto out;
	copy_name(c, f->s.desk, plan->from_name, NULL);
	copy_name(c, desk, plan->to_name, plan->to_organisation);
	memcpy(plan->language, f->s.language, sizeof plan->language);
	plan->n_interviews = (uint32_t)f->n_interviews;
	plan->n_corrections = (uint32_t)f->n_corrections;
	for (size_t i = 0; i < f->n_attachments; i++) {
		plan->n_attachments += is_first(f, i);
		plan->n_missing += is_first(f, i) && !f->attachments[i].is_here;
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct case_statement *s = f->at[i];

		if (s->is_unknown || s->original != NULL || (s->st.kind != STATEMENT_INTAKE &&
		                                             s->st.kind != STATEMENT_AMENDMENT))
			plan->n_staying++;
		if (!s->is_unknown && s->st.kind == STATEMENT_STATUS &&
		    (s->flags & RECORD_COUNTS) != 0 &&
		    s->st.body.status.state == STATEMENT_REFERRED &&
		    memcmp(s->st.body.status.whom, desk, 32) == 0 && s->st.day > plan->before)
			plan->before = s->st.day;
	}
	plan->n_readers = r.there.n;
	plan->n_without = r.there.n_holders - r.there.n;
out:
	refer_end(&r);
	return err;
}

/* ---- referring ------------------------------------------------------------------------------ */

/* one interview or correction, with fresh chunks: the other desk erases only its own copy */
struct passing {
	const struct case_source *src;
	struct blob_ref refs[STATEMENT_ATTACHMENTS];
	size_t n_refs;
};

static enum perr seal_attachments(struct refer *r, struct passing *p, struct refer_done *done)
{
	const struct case_file *f = r->file;
	enum perr err = PERR_OK;

	for (size_t i = 0; i < f->n_attachments && err == PERR_OK; i++) {
		const struct case_attachment *a = &f->attachments[i];
		uint8_t *data = NULL;
		size_t len, same = 0;

		if (memcmp(a->of->hash, p->src->hash, 32) != 0)
			continue;
		while (same < p->n_refs && memcmp(p->refs[same].hash, a->a->hash, 32) != 0)
			same++;
		if (same < p->n_refs)
			continue;
		if (!a->is_here) {
			done->n_missing++;
			continue;
		}
		err = case_content(r->c, a, &data, &len);
		if (err == PERR_OK)
			err = dispatch_blob(r->d, data, len, &p->refs[p->n_refs++]);
		kv_free(data);
		done->n_attachments += err == PERR_OK;
	}
	return err;
}

static void next_statement(struct refer *r, enum statement_kind kind, const uint8_t to[32])
{
	sodium_memzero(r->st, sizeof *r->st);
	r->st->kind = kind;
	r->st->day = client_day(r->c);
	memcpy(r->st->to, to, 32);
	memcpy(r->st->record, r->file->s.record, STATEMENT_RECORD_SIZE);
}

static void put_consent(struct statement_consent *out, const struct refer_consent *c)
{
	out->text = doc_text_of(c->text);
	out->day = c->day;
	out->by = doc_text_of(c->by);
	out->language = doc_text_of(c->language);
}

static enum perr pass_on(struct refer *r, const struct passing *p, const char *reason,
                         const struct refer_consent *consent)
{
	struct statement_passed *body = &r->st->body.passed;

	next_statement(r, STATEMENT_REFERRAL, r->to);
	body->reason = doc_text_of(reason);
	body->original = p->src->bytes;
	body->original_sig = p->src->sig;
	put_consent(&body->consent, consent);
	return dispatch_send(r->d, r->st, p->refs, p->n_refs, &r->there, false);
}

/* the co-holders answer for the record as well: they see where it went, and why it might */
static enum perr tell_desk(struct refer *r, const char *reason,
                           const struct refer_consent *consent)
{
	struct statement_status *body = &r->st->body.status;

	next_statement(r, STATEMENT_STATUS, r->file->s.desk);
	body->state = STATEMENT_REFERRED;
	body->text = doc_text_of(reason);
	body->has_whom = true;
	memcpy(body->whom, r->to, 32);
	body->has_consent = true;
	put_consent(&body->consent, consent);
	return dispatch_send(r->d, r->st, NULL, 0, &r->here, true);
}

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

static enum perr check_consent(struct refer *r, const char *reason,
                               const struct refer_consent *c)
{
	if (c == NULL || is_blank(c->text))
		return no(r, "without the client's consent nothing is referred: ask the client, and "
		          "write down what they said");
	if (is_blank(c->by))
		return no(r, "who asked the client and wrote the consent down has to be named");
	if (c->day == 0 || c->day > client_day(r->c))
		return no(r, "the client cannot have been asked on a day that has not come yet");
	return strlen(c->text) > REFER_TEXT_MAX || strlen(c->by) > REFER_BY_MAX ||
	       strlen(c->language) > 16 || strlen(reason) > REFER_TEXT_MAX ? PERR_RANGE : PERR_OK;
}

static enum perr seal_all(struct refer *r, struct passing *p, size_t n, bool partial,
                          struct refer_done *done)
{
	const struct case_file *f = r->file;
	enum perr err = PERR_OK;

	for (size_t i = 0; i < n && err == PERR_OK; i++) {
		p[i].src = i < f->n_interviews ? &f->interviews[i]
		                               : &f->corrections[i - f->n_interviews];
		err = seal_attachments(r, &p[i], done);
	}
	if (err == PERR_OK && done->n_missing > 0 && !partial)
		err = no(r, "%u of its attachments %s not on this device yet; run `amparo sync` first, or "
		         "refer it without with --partial", done->n_missing,
		         done->n_missing == 1 ? "is" : "are");
	return err;
}

enum perr refer_record(struct client *c, const uint8_t record[STATEMENT_RECORD_SIZE],
                       const uint8_t desk[32], const char *reason,
                       const struct refer_consent *consent, bool partial,
                       struct refer_done *done, char why[DISPATCH_WHY])
{
	struct passing *p = NULL;
	struct refer r;
	size_t n = 0;
	enum perr err;

	memset(done, 0, sizeof *done);
	err = refer_begin(&r, c, record, desk, why);
	if (err == PERR_OK)
		err = check_consent(&r, reason, consent);
	if (err != PERR_OK)
		goto out;
	n = r.file->n_interviews + r.file->n_corrections;
	p = calloc(n, sizeof *p);
	err = p == NULL ? PERR_NOMEM : seal_all(&r, p, n, partial, done);
	if (err == PERR_OK)
		err = dispatch_begin(r.d);
	for (size_t i = 0; i < n && err == PERR_OK; i++)
		err = pass_on(&r, &p[i], reason, consent);
	if (err == PERR_OK)
		err = tell_desk(&r, reason, consent);
	if (err == PERR_OK)
		err = dispatch_commit(r.d, &done->group);
	done->n_readers = r.there.n;
	done->n_without = r.there.n_holders - r.there.n;
	done->n_told = r.here.n;
	done->n_untold = r.here.n_holders - r.here.n;
out:
	if (p != NULL)
		sodium_memzero(p, n * sizeof *p);
	free(p);
	refer_end(&r);
	return err;
}
