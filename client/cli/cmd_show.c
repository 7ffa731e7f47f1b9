/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "cmd_record.h"
#include "export.h"
#include "fmark.h"
#include "instance.h"
#include "progress.h"
#include "render.h"
#include "term.h"

enum { OPT_LANG = 1 };

const char cmd_show_help[] =
	"Use: amparo show CASE [--lang LANG] [--json]\n\n"
	"The whole case: the answers under the form's questions, corrections, photographs,\n"
	"who has it, notes; first why it is urgent and what is due when.  CASE is the code on the slip in any spelling, or its first four\n"
	"characters or more if only one case begins so.\n\n"
	"  --lang LANG    language of the questions and choices (es, en, …), if the form has it\n"
	"  --json         everything as one object, as in case.json of `amparo export`\n\n"
	"Examples:\n"
	"  amparo show 7K3QX-M0T9Z --lang es\n"
	"  amparo show 7k3q | less\n";

struct page {
	struct client *c;
	const char *lang;
	unsigned width;
	bool any;
};

/* untrusted text, wrapped; every line after `indent` spaces */
static void paragraph(const struct page *p, unsigned indent, const char *text, size_t len)
{
	char *safe = term_safe(text, len, TERM_TEXT);

	term_wrap(stdout, p->width, indent, safe != NULL ? safe : "(out of memory)");
	free(safe);
}

/* "label: value" on one line if it fits, else the value below */
static void labelled(const struct page *p, unsigned indent, const char *label, size_t label_len,
                     const char *value, size_t value_len)
{
	char *l = term_safe(label, label_len, TERM_LINE), *v = term_safe(value, value_len, TERM_TEXT);

	if (l == NULL || v == NULL) {
		puts("(out of memory)");
	} else if (strchr(v, '\n') == NULL &&
	           indent + term_columns(l) + 2 + term_columns(v) <= p->width) {
		printf("%*s%s: %s\n", (int)indent, "", l, v);
	} else {
		term_wrap(stdout, p->width, indent, l);
		term_wrap(stdout, p->width, indent + 4, v);
	}
	free(l);
	free(v);
}

/* ---- answers ------------------------------------------------------------------------ */

static bool one_row(void *ctx, const struct render_row *row)
{
	struct page *p = ctx;
	unsigned indent = 2 * (row->depth > 10 ? 10 : row->depth);
	size_t n = strlen(row->label);

	switch (row->kind) {
	case RENDER_GROUP:
		if (row->depth == 0 && p->any)
			putchar('\n');
		paragraph(p, indent, row->label, n);
		break;
	case RENDER_REPEAT:
		printf("%*s", (int)indent, "");
		if (n > 0) {
			cmd_print(row->label, n);
			putchar(' ');
		}
		printf("%u/%u\n", row->index, row->n_of);
		break;
	case RENDER_QUESTION:
	case RENDER_HIDDEN:
		labelled(p, indent, row->label, n, row->shown, strlen(row->shown));
		break;
	case RENDER_UNKNOWN:
		labelled(p, indent, row->label, n, row->value, strlen(row->value));
		break;
	case RENDER_NOTE:
		break;                   /* read aloud at the interview; nobody answered it */
	}
	p->any = true;
	return true;
}

/* the form where it is here, and the answers; *in NULL: they are no XML, why says so */
static enum perr open_answers(struct page *p, const struct statement_intake *intake,
                              const struct xform **form, struct instance **in,
                              char why[INSTANCE_WHY_SIZE])
{
	char id[65], version[33];
	enum perr err;

	*form = NULL;
	*in = NULL;
	snprintf(id, sizeof id, "%.*s", (int)intake->form_id.len, intake->form_id.p);
	snprintf(version, sizeof version, "%.*s", (int)intake->form_version.len,
	         intake->form_version.p);
	err = cache_form(p->c, id, version, form);
	if (err != PERR_OK && err != PERR_NOTFOUND && err != PERR_UNKNOWN)
		return err;
	err = instance_parse(in, *form, intake->instance.p, intake->instance.len, why);
	return err == PERR_FORMAT || err == PERR_LIMIT ? PERR_OK : err;
}

static enum perr show_answers(struct page *p, const struct statement_intake *intake)
{
	char why[INSTANCE_WHY_SIZE];
	const struct xform *form;
	struct instance *in;
	enum perr err = open_answers(p, intake, &form, &in, why);

	if (err != PERR_OK)
		return err;
	if (form == NULL)
		puts("(The form is not on this device, so questions have their short names.)\n");
	else if (p->lang != NULL && !xform_has_lang(form, p->lang))
		printf("(The form has no language \"%s\"; its own is used.)\n\n", p->lang);
	if (in != NULL) {
		p->any = false;
		err = render_rows(in, p->lang, 0, one_row, p);
	} else {
		printf("The answers cannot be read as a form: %s\n", why);
		paragraph(p, 0, (const char *)intake->instance.p, intake->instance.len);
	}
	instance_free(in);
	return err;
}

/* ---- corrections -------------------------------------------------------------------- */

/* "/data/kids[2]/age" and "/data/kids/age" */
static bool same_path(const char *a, size_t len, const char *b)
{
	size_t i = 0;

	while (i < len) {
		if (a[i] == '[') {
			while (i < len && a[i] != ']')
				i++;
			i += i < len;
		} else if (a[i] != *b) {
			return false;
		} else {
			i++;
			b++;
		}
	}
	return *b == '\0';
}

static void show_change(struct page *p, const struct xform *form,
                        const struct statement_change *ch)
{
	char label[XFORM_LABEL_SIZE] = "";

	for (unsigned i = 1; form != NULL && i <= xform_n_questions(form); i++)
		if (same_path(ch->path.p, ch->path.len, xform_question_path(form, i))) {
			xform_question_label(form, i, p->lang, label);
			break;
		}
	if (label[0] != '\0')
		labelled(p, 2, label, strlen(label), ch->value.p, ch->value.len);
	else
		labelled(p, 2, ch->path.p, ch->path.len, ch->value.p, ch->value.len);
}

static void show_correction(struct page *p, const struct statement *st)
{
	const struct statement_amendment *am = &st->body.amendment;
	const struct xform *form = NULL;
	char id[65], version[33], day[16];

	snprintf(id, sizeof id, "%.*s", (int)am->form_id.len, am->form_id.p);
	snprintf(version, sizeof version, "%.*s", (int)am->form_version.len, am->form_version.p);
	if (cache_form(p->c, id, version, &form) != PERR_OK)
		form = NULL;
	cli_day(day, st->day);
	printf("\nCorrection of %s by ", day);
	cmd_print_name(p->c, st->author);
	puts(":");
	for (uint32_t i = 0; i < am->n_changes; i++)
		show_change(p, form, &am->changes[i]);
}

/* ---- what else ---------------------------------------------------------------------- */

static enum perr show_attachments(const struct case_file *f)
{
	char (*names)[EXPORT_NAME_MAX + 1];
	bool missing = false;
	enum perr err;

	if (f->n_attachments == 0)
		return PERR_OK;
	err = export_file_names(f, &names);
	if (err != PERR_OK)
		return err;
	puts("\nAttachments");
	for (size_t i = 0; i < f->n_attachments; i++) {
		const struct case_attachment *a = &f->attachments[i];
		char size[32];

		progress_bytes(size, sizeof size, a->a->size);
		fputs("  ", stdout);
		cmd_print(names[i], strlen(names[i]));
		printf("  %s%s\n", size, a->is_here ? "" : "  (not here yet)");
		missing = missing || !a->is_here;
	}
	puts(missing ? "  `amparo sync` fetches what is missing, if the servers still have it."
	             : "  `amparo attachments` writes them to a folder.");
	free(names);
	return PERR_OK;
}

static void event_head(struct page *p, const struct case_statement *s)
{
	char day[16];

	cli_day(day, s->st.day);
	printf("  %s  ", day);
	cmd_print_name(p->c, s->st.author);
	if ((s->flags & RECORD_KNOWN) == 0)
		fputs(" (not enrolled)", stdout);
	fputs(": ", stdout);
}

static void event_text(struct page *p, struct doc_text text)
{
	putchar('\n');
	if (text.len > 0)
		paragraph(p, 6, text.p, text.len);
}

static void print_desk(struct page *p, const uint8_t id[32])
{
	const struct desk *desk;

	if (cache_desk(p->c, id, &desk) == PERR_OK)
		cmd_print(desk->now.name, strlen(desk->now.name));
	else
		fputs("a desk that is not listed (any more)", stdout);
}

/* what the client agreed to, who wrote it down and when */
static void show_consent(struct page *p, const struct statement_consent *c)
{
	char day[16];

	cli_day(day, c->day);
	printf("      The client's consent, recorded on %s by ", day);
	cmd_print(c->by.p, c->by.len);
	if (c->language.len > 0) {
		fputs(", asked in ", stdout);
		cmd_print(c->language.p, c->language.len);
	}
	puts(":");
	paragraph(p, 8, c->text.p, c->text.len);
}

static void show_event(struct page *p, const struct case_statement *s)
{
	const struct statement *st = &s->st;

	if (!s->is_unknown && s->original == NULL &&
	    (st->kind == STATEMENT_INTAKE || st->kind == STATEMENT_AMENDMENT))
		return;
	event_head(p, s);
	if (s->is_unknown) {
		puts("something that only a later version of amparo can read");
		return;
	}
	switch (st->kind) {
	case STATEMENT_NOTE:
		fputs("note", stdout);
		event_text(p, st->body.note);
		break;
	case STATEMENT_ANSWER:
		fputs(st->body.answer.decision == STATEMENT_ACCEPT ? "accepted" : "declined", stdout);
		event_text(p, st->body.answer.text);
		break;
	case STATEMENT_STATUS:
		fputs(export_state_text(st->body.status.state), stdout);
		if (st->body.status.state == STATEMENT_REFERRED) {
			fputs(" to the desk ", stdout);
			print_desk(p, st->body.status.whom);
		} else if (st->body.status.has_whom) {
			fputs(st->body.status.state == STATEMENT_ASSIGNED ? " to " : ": ", stdout);
			cmd_print_name(p->c, st->body.status.whom);
		}
		if ((s->flags & RECORD_COUNTS) == 0)
			fputs(" (not theirs to say: it changes nothing)", stdout);
		event_text(p, st->body.status.text);
		if (st->body.status.has_consent)
			show_consent(p, &st->body.status.consent);
		break;
	case STATEMENT_ASSIGNMENT:
		fputs("assigned to ", stdout);
		cmd_print_name(p->c, st->to);
		event_text(p, st->body.passed.reason);
		break;
	case STATEMENT_REFERRAL:
		fputs("referred to the desk ", stdout);
		print_desk(p, st->to);
		event_text(p, st->body.passed.reason);
		break;
	case STATEMENT_ERASE:
		fputs("asks that it be erased", stdout);
		event_text(p, st->body.erase.reason);
		break;
	case STATEMENT_INTAKE:
	case STATEMENT_AMENDMENT:
	case STATEMENT_CUSTODY:
	case STATEMENT_COPY:
	case STATEMENT_RECEIPT:
		break;
	}
}

static void show_history(struct page *p, const struct case_file *f)
{
	size_t n = f->n;

	for (size_t i = 0; i < f->n; i++)
		if (f->at[i]->original == NULL && !f->at[i]->is_unknown &&
		    (f->at[i]->st.kind == STATEMENT_INTAKE ||
		     f->at[i]->st.kind == STATEMENT_AMENDMENT))
			n--;
	if (n == 0)
		return;
	puts("\nSince then");
	for (size_t i = 0; i < f->n; i++)
		show_event(p, f->at[i]);
}

/* ---- marks: why it is urgent, what is due ------------------------------------------------ */

static bool one_urgent(void *ctx, const struct fmark *m)
{
	struct page *p = ctx;
	char *label, *shown;

	if (m->mark != XFORM_URGENT)
		return true;
	label = term_safe(m->label, strlen(m->label), TERM_LINE);
	shown = term_safe(m->shown, strlen(m->shown), TERM_LINE);
	if (label != NULL && shown != NULL) {
		printf("Urgent: %s%s%s\n", label, *shown == '\0' ? "" : ": ", shown);
		p->any = true;
	}
	free(label);
	free(shown);
	return true;
}

static void one_deadline(struct page *p, const struct marks_deadline *d)
{
	uint32_t today = client_day(p->c);
	char day[16];

	cli_day(day, d->day);
	printf("Deadline %s", day);
	if (d->day < today)
		fputs(", overdue", stdout);
	else if (d->day == today)
		fputs(", today", stdout);
	else
		printf(", in %u day%s", d->day - today, d->day - today == 1 ? "" : "s");
	if (d->label[0] != '\0') {
		fputs(": ", stdout);
		cmd_print(d->label, strlen(d->label));
	}
	putchar('\n');
}

/* by the form, in the language asked for; where it is not here, as the summary has it */
static enum perr show_marks(struct page *p, const struct case_file *f)
{
	struct fclock noon = { .unix_ms = ((int64_t)f->s.day * 24 + 12) * 3600000 };
	char why[INSTANCE_WHY_SIZE];
	const struct xform *form = NULL;
	struct instance *in = NULL;
	struct marks *m = calloc(1, sizeof *m);
	enum perr err = m == NULL ? PERR_NOMEM : PERR_OK;

	if (err == PERR_OK && f->n_interviews > 0)
		err = open_answers(p, &f->interviews[0].st->body.intake, &form, &in, why);
	if (err == PERR_OK && form != NULL && in != NULL) {
		err = fmark_each(in, p->lang, &noon, one_urgent, p);
		if (err == PERR_OK || err == PERR_LIMIT)
			err = marks_read(m, form, in, f->s.day, p->lang);
	} else if (err == PERR_OK) {
		m->n_deadlines = f->s.n_deadlines;
		memcpy(m->deadlines, f->s.deadlines, sizeof m->deadlines);
	}
	for (uint32_t i = 0; err == PERR_OK && i < m->n_deadlines; i++)
		one_deadline(p, &m->deadlines[i]);
	instance_free(in);
	if (m != NULL)
		sodium_memzero(m, sizeof *m);
	free(m);
	return err;
}

/* where it came from, where it went; the words of the consent stand in the history */
static void show_referrals(struct page *p, const struct case_file *f)
{
	const struct statement *from = f->n_interviews == 0 ? NULL
	                             : case_referral(f->interviews[0].by);
	uint32_t last = 0;
	unsigned later = 0;
	char day[16];

	if (from != NULL) {
		cli_day(day, from->day);
		printf("Referred on %s by ", day);
		cmd_print_name(p->c, from->author);
		fputs(" of the desk ", stdout);
		print_desk(p, f->interviews[0].st->to);
		puts(".");
		show_consent(p, &from->body.passed.consent);
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct case_statement *s = f->at[i];

		if (s->is_unknown || s->st.kind != STATEMENT_STATUS ||
		    s->st.body.status.state != STATEMENT_REFERRED || (s->flags & RECORD_COUNTS) == 0)
			continue;
		cli_day(day, s->st.day);
		fputs("Referred to the desk ", stdout);
		print_desk(p, s->st.body.status.whom);
		printf(" on %s.\n", day);
		last = s->st.day;
	}
	for (size_t i = 0; last != 0 && i < f->n_corrections; i++)
		later += f->corrections[i].by->received_day > last;
	if (later > 0)
		printf("%u correction%s came after that day and %s not there: `amparo refer` passes %s "
		       "on.\n", later, later == 1 ? "" : "s", later == 1 ? "is" : "are",
		       later == 1 ? "it" : "them");
}

static enum perr show_head(struct page *p, const struct case_file *f)
{
	const struct case_summary *s = &f->s;
	char code[CASE_CODE_SHOWN + 1], day[16], received[16];
	const struct desk *desk;

	case_code_show(code, s->code);
	printf("Case %s  ", code);
	cmd_print(s->title, strlen(s->title));
	puts(s->urgent ? "  URGENT" : "");
	cli_day(day, s->day);
	cli_day(received, s->received_day);
	printf("%s of %s by ", f->n_interviews > 0 ? "Interview" : "Correction", day);
	cmd_print_name(p->c, s->author);
	if (cache_desk(p->c, s->desk, &desk) == PERR_OK) {
		fputs(", to the desk ", stdout);
		cmd_print(desk->now.name, strlen(desk->now.name));
	}
	printf("; received %s\nForm ", received);
	cmd_print(s->form_id, strlen(s->form_id));
	putchar(' ');
	cmd_print(s->form_version, strlen(s->form_version));
	if (s->language[0] != '\0') {
		fputs(", language ", stdout);
		cmd_print(s->language, strlen(s->language));
	}
	printf("; %s", case_state_text(s->state));
	for (uint32_t i = 0; i < s->n_people; i++) {
		fputs(i == 0 ? ": " : ", ", stdout);
		cmd_print_name(p->c, s->people[i].key);
		printf(" (%s)", export_answer_text(s->people[i].answer));
	}
	putchar('\n');
	show_referrals(p, f);
	if (s->pending)
		puts("Pending: a sender is not enrolled (yet); ask the administrator who it is.");
	if (s->conflict)
		puts("Twice: two interviews carry one record number; read both with care.");
	return show_marks(p, f);
}

static enum perr show_all(struct page *p, const struct case_file *f)
{
	enum perr err = show_head(p, f);

	for (size_t i = 0; i < f->n_interviews && err == PERR_OK; i++) {
		const struct statement *st = f->interviews[i].st;

		putchar('\n');
		if (i > 0) {
			char day[16];

			cli_day(day, st->day);
			printf("Another interview, of %s, by ", day);
			cmd_print_name(p->c, st->author);
			puts("\n");
		}
		err = show_answers(p, &st->body.intake);
	}
	for (size_t i = 0; i < f->n_corrections && err == PERR_OK; i++)
		show_correction(p, f->corrections[i].st);
	if (err == PERR_OK)
		err = show_attachments(f);
	if (err == PERR_OK)
		show_history(p, f);
	return err;
}

static enum perr print_json(struct client *c, const struct case_file *f)
{
	char *text;
	size_t len;
	enum perr err = export_json(c, f, &text, &len);

	if (err != PERR_OK)
		return err;
	fwrite(text, 1, len, stdout);
	sodium_memzero(text, len);
	free(text);
	return PERR_OK;
}

int cmd_show(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "lang", required_argument, NULL, OPT_LANG }, { NULL, 0, NULL, 0 }
	};
	struct page p = { .lang = NULL };
	struct case_file *file = NULL;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c != OPT_LANG)
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		p.lang = optarg;
	}
	if (argc - optind != 1)
		return cli_usage(cli, "one case is shown at a time; give its code");
	code = cmd_open_reader(cli);
	if (code == EXIT_DONE)
		code = cmd_open_case(cli, argv[optind], &file);
	if (code != EXIT_DONE)
		return code;
	p.c = cli->client;
	p.width = term_width(1) > 100 ? 100 : term_width(1);
	err = cli->json ? print_json(cli->client, file) : show_all(&p, file);
	case_close(file);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the case could not be shown");
}
