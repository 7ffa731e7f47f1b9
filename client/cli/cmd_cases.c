/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "case_list.h"
#include "cmd_record.h"
#include "export_json.h"
#include "search.h"
#include "table.h"
#include "term.h"

enum { OPT_SEARCH = 1, OPT_UNASSIGNED, OPT_DUE, OPT_MINE, OPT_WAITING };

#define DUE_MAX 3650             /* days */

const char cmd_cases_help[] =
	"Use: amparo cases [--mine] [--waiting | --unassigned] [--search TEXT] [--due DAYS] [--json]\n\n"
	"The cases that reached you: urgent ones first, then by the next deadline, then the\n"
	"newest.  Holders of a desk see every interview sent to it, others what was assigned\n"
	"to them.\n\n"
	"  --search TEXT    cases in whose answers, notes and codes every word of TEXT occurs;\n"
	"                   case, accents and glottal marks (' ʼ ’ ꞌ) do not matter, and a word\n"
	"                   may be part of a longer one\n"
	"  --mine           what is assigned to you, answered or not\n"
	"  --waiting        what waits for an attorney: first what somebody was asked to take and\n"
	"                   did not answer in time, then what was given back, then what nobody has,\n"
	"                   then what somebody has been asked to take\n"
	"  --unassigned     the same without the last: no attorney has it, and none is asked\n"
	"  --due DAYS       what has to be done within so many days (14d, 2w), earliest first, with\n"
	"                   the question that says so; what has passed is marked overdue; closed\n"
	"                   cases are left out\n"
	"  --json           an array of objects\n\n"
	"Examples:\n"
	"  amparo cases --due 14d\n"
	"  amparo cases --waiting\n"
	"  amparo cases --mine\n"
	"  amparo cases --search \"tzunun morton\"\n"
	"  amparo cases --search \"A 000 123 456\"\n";

struct entry {
	struct case_summary s;
	struct marks_deadline due;       /* the one this line is about; day 0: none */
};

struct list {
	struct entry *at;
	size_t n;
	struct case_filter filter;
	bool searched;
	uint32_t today;
	const uint8_t *me;
	struct case_hits hits;
	unsigned n_hidden;
};

static void list_free(struct list *l)
{
	if (l->at != NULL)
		sodium_memzero(l->at, l->n * sizeof *l->at);
	free(l->at);
	case_hits_free(&l->hits);
}

static bool is_recused(const struct list *l, const struct case_summary *s)
{
	const struct assigned *me = case_person(s, l->me);

	return me != NULL && me->state == ASSIGNED_RECUSED;
}

/* what is listed, in order, with everything that is printed of it */
static enum perr collect(struct client *c, struct list *l)
{
	struct case_list *all = NULL;
	struct case_pick *picks = NULL;
	size_t n = 0;
	enum perr err = case_list_load(c, &all);

	if (err == PERR_OK) {
		l->n_hidden = all->n_hidden;
		err = case_list_pick(all, &l->filter, &picks, &n);
	}
	if (err == PERR_OK && (l->at = calloc(n + 1, sizeof *l->at)) == NULL)
		err = PERR_NOMEM;
	for (size_t i = 0; err == PERR_OK && i < n; i++) {
		struct entry *e = &l->at[i];

		err = case_summary(c, picks[i].e->record, &e->s);
		if (err == PERR_OK && picks[i].due >= 0 && (uint32_t)picks[i].due < e->s.n_deadlines)
			e->due = e->s.deadlines[picks[i].due];
		l->n = i + 1;
	}
	free(picks);
	case_list_free(all);
	return err;
}

/* the object with what is due as its last member */
static void due_json(const struct list *l, const struct entry *e, const char *text, size_t len)
{
	char day[16];

	cli_day(day, e->due.day);
	fwrite(text, 1, len - 1, stdout);
	printf(",\"due\":{\"day\":\"%s\",\"what\":", day);
	cli_json_str(stdout, e->due.label, strlen(e->due.label));
	printf(",\"overdue\":%s}}", e->due.day < l->today ? "true" : "false");
}

static int print_json(struct cli *cli, const struct list *l)
{
	putchar('[');
	for (size_t i = 0; i < l->n; i++) {
		char *text;
		size_t len;
		enum perr err = export_json_summary(cli->client, &l->at[i].s, &text, &len);

		if (err != PERR_OK)
			return cli_fail_err(err, "the cases could not be printed");
		fputs(i == 0 ? "\n" : ",\n", stdout);
		if (l->filter.by_due)
			due_json(l, &l->at[i], text, len);
		else
			fputs(text, stdout);
		sodium_memzero(text, len);
		free(text);
	}
	puts("\n]");
	return EXIT_DONE;
}

static void deadline_text(char out[40], uint32_t deadline, uint32_t today)
{
	char day[16];

	out[0] = '\0';
	if (deadline == 0)
		return;
	cli_day(day, deadline);
	if (deadline < today)
		snprintf(out, 40, "%s overdue", day);
	else if (deadline == today)
		snprintf(out, 40, "%s today", day);
	else
		snprintf(out, 40, "%s in %u d", day, deadline - today);
}

/*
 * To whom, and how that stands since when.  Who is out of it is named only while nobody else
 * has it: then it is what the desk needs to know.
 */
static void with_text(struct cli *cli, const struct case_summary *s, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (uint32_t i = 0; i < s->n_people && at < size; i++) {
		const struct assigned *p = &s->people[i];
		char name[140], day[16];

		if (!assigned_has_it(p->state) &&
		    (p->state == ASSIGNED_WITHDRAWN || !case_is_unassigned(s)))
			continue;
		client_name_of(cli->client, p->key, name, sizeof name);
		cli_day(day, p->state == ASSIGNED_SILENT ? p->answer_by : p->since);
		at += (size_t)snprintf(out + at, size - at, "%s%s%s: %s %s", at == 0 ? "" : "; ", name,
		                       p->role == STATEMENT_INTERPRETER ? " (interpreter)" : "",
		                       export_json_answer_text(p->state), day);
	}
}

static enum perr add_row(struct cli *cli, struct table *t, const struct list *l,
                         const struct entry *e)
{
	const struct case_summary *s = &e->s;
	char code[CASE_CODE_SHOWN + 1], day[16], deadline[40], state[64], with[400] = "";
	const char *title = is_recused(l, s) ? "(you recused yourself)" : s->title;
	const char *cells[] = { code, s->urgent ? "yes" : "", title, day, deadline, state, with };
	const char *due[] = { code, s->urgent ? "yes" : "", title, deadline, e->due.label, state,
	                      with };

	case_code_show(code, s->code);
	cli_day(day, s->day);
	deadline_text(deadline, e->due.day, l->today);
	snprintf(state, sizeof state, "%s%s%s", case_state_text(s->state),
	         s->pending ? ", pending" : "", s->conflict ? ", twice" : "");
	with_text(cli, s, with, sizeof with);
	return table_row(t, l->filter.by_due ? due : cells);
}

/* below this many columns a table would cut what matters: one paragraph for each case */
#define NARROW 72

static enum perr print_narrow(struct cli *cli, const struct list *l, const struct entry *e)
{
	const struct case_summary *s = &e->s;
	char code[CASE_CODE_SHOWN + 1], day[16], deadline[40], with[400];
	char *title, *label, *people, *text = NULL;
	enum perr err = PERR_NOMEM;
	unsigned width = term_width(1);

	case_code_show(code, s->code);
	cli_day(day, s->day);
	deadline_text(deadline, e->due.day, l->today);
	with_text(cli, s, with, sizeof with);
	title = is_recused(l, s) ? strdup("(you recused yourself)")
	                         : term_safe(s->title, strlen(s->title), TERM_LINE);
	label = term_safe(e->due.label, strlen(e->due.label), TERM_LINE);
	people = term_safe(with, strlen(with), TERM_LINE);
	if (title != NULL && label != NULL && people != NULL &&
	    asprintf(&text, "%s, of %s\n%s%s%s%s%s%s%s%s%s", title, day, case_state_text(s->state),
	             s->pending ? ", pending" : "", s->conflict ? ", twice" : "",
	             people[0] == '\0' ? "" : "\n", people, deadline[0] == '\0' ? "" : "\ndue ",
	             deadline, l->filter.by_due && label[0] != '\0' ? ": " : "",
	             l->filter.by_due ? label : "") >= 0) {
		printf("%s%s\n", code, s->urgent ? "  URGENT" : "");
		term_wrap(stdout, width, 2, text);
		err = PERR_OK;
	}
	free(title);
	free(label);
	free(people);
	free(text);
	return err;
}

static int print_table(struct cli *cli, const struct list *l, unsigned n_hidden)
{
	static const char *const heads[] = {
		"!Code", "!Urgent", "Case", "!Day", "!Deadline", "State", "With, since"
	};
	static const char *const due_heads[] = {
		"!Code", "!Urgent", "Case", "!Due", "What", "State", "With, since"
	};
	struct table *t = table_new(7, l->filter.by_due ? due_heads : heads);
	enum perr err = t == NULL ? PERR_NOMEM : PERR_OK;
	bool is_narrow = term_is_tty(1) && term_width(1) < NARROW;
	unsigned urgent = 0, overdue = 0, pending = 0, twice = 0;

	for (size_t i = 0; i < l->n && err == PERR_OK; i++) {
		err = is_narrow ? print_narrow(cli, l, &l->at[i]) : add_row(cli, t, l, &l->at[i]);
		urgent += l->at[i].s.urgent;
		overdue += l->at[i].due.day < l->today;
		pending += l->at[i].s.pending;
		twice += l->at[i].s.conflict;
	}
	if (err == PERR_OK)
		table_print(t, stdout, term_is_tty(1) ? term_width(1) : 0);
	table_free(t);
	if (err != PERR_OK)
		return cli_fail_err(err, "the cases could not be printed");
	if (l->n == 0)
		puts(l->filter.by_due ? "Nothing is due in this time."
		     : l->searched || l->filter.mine || l->filter.waiting ||
		       l->filter.unassigned ? "No case fits." : "No case has reached you yet; `amparo sync` fetches what was "
		     "released.");
	else if (l->filter.by_due)
		printf("\n%zu deadline%s, %u overdue.\n", l->n, l->n == 1 ? "" : "s", overdue);
	else
		printf("\n%zu case%s, %u urgent.\n", l->n, l->n == 1 ? "" : "s", urgent);
	if (pending > 0)
		printf("%u pending: the sender is not enrolled (yet); ask the administrator who it "
		       "is.\n", pending);
	if (twice > 0)
		printf("%u twice: two interviews carry one record number; read both with care.\n",
		       twice);
	if (n_hidden > 0)
		printf("%u more kept aside: assigned by somebody the organisation does not list.\n",
		       n_hidden);
	return EXIT_DONE;
}

/* "14", "14d", "2w": days; -1: none of these */
static long parse_days(const char *text)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return -1;
	n = strtoul(text, &end, 10);
	if (n > DUE_MAX)
		return -1;
	if (*end == 'w') {
		n *= 7;
		end++;
	} else if (*end == 'd') {
		end++;
	}
	return *end == '\0' && n <= DUE_MAX ? (long)n : -1;
}

int cmd_cases(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "search", required_argument, NULL, OPT_SEARCH },
		{ "unassigned", no_argument, NULL, OPT_UNASSIGNED },
		{ "mine", no_argument, NULL, OPT_MINE },
		{ "waiting", no_argument, NULL, OPT_WAITING },
		{ "due", required_argument, NULL, OPT_DUE },
		{ NULL, 0, NULL, 0 }
	};
	struct list l = { .n = 0 };
	const char *query = NULL;
	enum perr err = PERR_OK;
	long days = 0;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_SEARCH:
			query = optarg;
			break;
		case OPT_UNASSIGNED:
			l.filter.unassigned = true;
			break;
		case OPT_MINE:
			l.filter.mine = true;
			break;
		case OPT_WAITING:
			l.filter.waiting = true;
			break;
		case OPT_DUE:
			days = parse_days(optarg);
			if (days < 0)
				return cli_usage(cli, "\"%s\" is no number of days: 14d, 2w", optarg);
			l.filter.by_due = true;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (optind != argc)
		return cli_usage(cli, "a text to look for is given with --search");
	code = cmd_open_reader(cli);
	if (code != EXIT_DONE)
		return code;
	l.today = client_day(cli->client);
	l.me = cli->client->me->sign_pk;
	l.filter.until = l.today + (uint32_t)days;
	if (query != NULL) {
		l.searched = true;
		l.filter.hits = &l.hits;
		err = case_list_search(cli->client, query, &l.hits);
		if (err == PERR_RANGE)
			return cli_fail(EXIT_REFUSED, "there is nothing to search for, or too much: one "
			                "to %d words.", SEARCH_WORDS_MAX);
	}
	if (err == PERR_OK)
		err = collect(cli->client, &l);
	if (err != PERR_OK)
		code = cli_fail_err(err, "the cases could not be read");
	else if (cli->json)
		code = print_json(cli, &l);
	else
		code = print_table(cli, &l, l.searched || l.filter.by_due ? 0 : l.n_hidden);
	list_free(&l);
	return code;
}
