/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "case_view.h"
#include "cmd_record.h"
#include "erasing.h"
#include "export_json.h"
#include "export_names.h"
#include "progress.h"
#include "show.h"
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

/* ---- what else ---------------------------------------------------------------------- */

static enum perr show_attachments(const struct case_file *f)
{
	char (*names)[EXPORT_NAME_MAX + 1];
	bool missing = false;
	enum perr err;

	if (f->n_attachments == 0)
		return PERR_OK;
	err = export_names_of(f, &names);
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

static void event_head(struct show_page *p, const struct case_statement *s)
{
	char day[16];

	cli_day(day, s->st.day);
	printf("  %s  ", day);
	cmd_print_name(p->c, s->st.author);
	if ((s->flags & RECORD_KNOWN) == 0)
		fputs(" (not enrolled)", stdout);
	fputs(": ", stdout);
}

static void event_text(struct show_page *p, struct doc_text text)
{
	putchar('\n');
	if (text.len > 0)
		show_paragraph(p, 6, text.p, text.len);
}

static void print_desk(struct show_page *p, const uint8_t id[32])
{
	const struct desk *desk;

	if (cache_desk(p->c, id, &desk) == PERR_OK)
		cmd_print(desk->now.name, strlen(desk->now.name));
	else
		fputs("a desk that is not listed (any more)", stdout);
}

/* what the client agreed to, who wrote it down and when */
static void show_consent(struct show_page *p, const struct statement_consent *c)
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
	show_paragraph(p, 8, c->text.p, c->text.len);
}

static void assigned_to(struct show_page *p, const uint8_t whom[32], enum statement_role role,
                        uint32_t answer_by)
{
	char day[16];

	fputs("assigned to ", stdout);
	cmd_print_name(p->c, whom);
	if (role == STATEMENT_INTERPRETER)
		fputs(" for interpreting", stdout);
	if (answer_by != 0) {
		cli_day(day, answer_by);
		printf(", to answer by %s", day);
	}
}

static void show_status(struct show_page *p, const struct statement_status *s)
{
	switch (s->state) {
	case STATEMENT_ASSIGNED:
		assigned_to(p, s->whom, s->role, s->answer_by);
		return;
	case STATEMENT_UNASSIGNED:
		fputs("taken back from ", stdout);
		cmd_print_name(p->c, s->whom);
		return;
	case STATEMENT_REFERRED:
		fputs("referred to the desk ", stdout);
		print_desk(p, s->whom);
		return;
	case STATEMENT_RECUSED:
		fputs("recused themselves, a conflict of interest", stdout);
		return;
	case STATEMENT_OPEN:
	case STATEMENT_RETURNED:
	case STATEMENT_CLOSED:
	case STATEMENT_HELD:
		break;
	}
	fputs(export_json_state_text(s->state), stdout);
	if (s->has_whom) {
		fputs(": ", stdout);
		cmd_print_name(p->c, s->whom);
	}
}

static void show_event(struct show_page *p, const struct case_statement *s)
{
	const struct statement *st = &s->st;

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
		show_status(p, &st->body.status);
		if ((s->flags & RECORD_COUNTS) == 0)
			fputs(" (not theirs to say: it changes nothing)", stdout);
		event_text(p, st->body.status.text);
		if (st->body.status.has_consent)
			show_consent(p, &st->body.status.consent);
		break;
	case STATEMENT_ASSIGNMENT:
		assigned_to(p, st->to, st->body.passed.role, st->body.passed.answer_by);
		event_text(p, st->body.passed.reason);
		break;
	case STATEMENT_REFERRAL:
		fputs("referred to the desk ", stdout);
		print_desk(p, st->to);
		event_text(p, st->body.passed.reason);
		break;
	case STATEMENT_ERASE:
		fputs(export_json_erase_text(st->body.erase.step), stdout);
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

static void show_history(struct show_page *p, const struct case_file *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += case_view_is_event(f->at[i]);
	if (n == 0)
		return;
	puts("\nSince then");
	for (size_t i = 0; i < f->n; i++)
		if (case_view_is_event(f->at[i]))
			show_event(p, f->at[i]);
}

/* where it came from, where it went; the words of the consent stand in the history */
static void show_referrals(struct show_page *p, const struct case_file *f)
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

/* "Ben Carter (interpreter, accepted 2026-11-24)" */
static void show_person(struct show_page *p, const struct assigned *a)
{
	char day[16];

	cmd_print_name(p->c, a->key);
	cli_day(day, a->since);
	printf(" (%s%s %s", a->role == STATEMENT_INTERPRETER ? "interpreter, " : "",
	       export_json_answer_text(a->state), day);
	if (a->answer_by != 0 && (a->state == ASSIGNED_OFFERED || a->state == ASSIGNED_SILENT)) {
		cli_day(day, a->answer_by);
		printf(", to answer by %s", day);
	}
	putchar(')');
}

/* ordered to be erased, or kept although it was */
static void show_erasing(struct show_page *p, const struct case_summary *s)
{
	struct erasing *e = calloc(1, sizeof *e);
	uint8_t author[32];
	const char *why;
	uint32_t due = 0, since;
	bool is_held;
	char day[16];

	if (erasing_is_held(p->c, s->record, &is_held, &since) == PERR_OK && is_held) {
		cli_day(day, since);
		printf("Under a legal hold on this device since %s.\n", day);
	}
	if (e != NULL && erasing_get(p->c, s->record, e) == PERR_OK) {
		if (e->state == ERASING_ORDERED)
			due = erasing_due(p->c, e, author, &why);
		if (e->state == ERASING_KEPT)
			puts("It was ordered to be erased and is erased elsewhere; kept here under the hold.");
		if (due != 0) {
			cli_day(day, due);
			printf("To be erased from %s on, ordered by ", day);
			cmd_print_name(p->c, author);
			puts("; `amparo erase CASE --stop` stops it.");
		}
	}
	free(e);
}

static enum perr show_head(struct show_page *p, const struct case_file *f)
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
		show_person(p, &s->people[i]);
	}
	putchar('\n');
	show_referrals(p, f);
	if (s->pending)
		puts("Pending: a sender is not enrolled (yet); ask the administrator who it is.");
	show_erasing(p, s);
	if (s->n_conflicts > 0)
		printf("Corrections differ on %u answer%s: see CONFLICT or IN DOUBT below.\n",
		       s->n_conflicts, s->n_conflicts == 1 ? "" : "s");
	if (s->conflict)
		puts("Twice: two interviews carry one record number; read both with care.");
	return show_marks(p, f);
}

static enum perr show_all(struct show_page *p, const struct case_file *f)
{
	enum perr err = show_head(p, f);

	if (err == PERR_OK)
		err = show_interviews(p, f);
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
	struct show_page p = { .lang = NULL };
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
