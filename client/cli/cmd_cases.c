/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_record.h"
#include "export.h"
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
	size_t n, room;
	bool only_unassigned, only_waiting, only_mine, only_due;
	uint32_t today, until;           /* only_due */
	const uint8_t *me;
	bool searched;
	uint8_t (*hits)[STATEMENT_RECORD_SIZE];
	size_t n_hits, room_hits;
};

static void list_free(struct list *l)
{
	if (l->at != NULL)
		sodium_memzero(l->at, l->n * sizeof *l->at);
	free(l->at);
	free(l->hits);
}

static int by_record(const void *a, const void *b)
{
	return memcmp(a, b, STATEMENT_RECORD_SIZE);
}

static enum perr one_hit(void *arg, const uint8_t record[STATEMENT_RECORD_SIZE])
{
	struct list *l = arg;

	if (l->n_hits == l->room_hits) {
		size_t room = l->room_hits == 0 ? 64 : 2 * l->room_hits;
		void *more = realloc(l->hits, room * sizeof *l->hits);

		if (more == NULL)
			return PERR_NOMEM;
		l->hits = more;
		l->room_hits = room;
	}
	memcpy(l->hits[l->n_hits++], record, STATEMENT_RECORD_SIZE);
	return PERR_OK;
}

static enum perr add(struct list *l, const struct case_summary *s,
                     const struct marks_deadline *due)
{
	if (l->n == l->room) {
		size_t room = l->room == 0 ? 64 : 2 * l->room;
		void *more = realloc(l->at, room * sizeof *l->at);

		if (more == NULL)
			return PERR_NOMEM;
		l->at = more;
		l->room = room;
	}
	memset(&l->at[l->n].due, 0, sizeof l->at[l->n].due);
	if (due != NULL)
		l->at[l->n].due = *due;
	l->at[l->n++].s = *s;
	return PERR_OK;
}

static bool is_recused(const struct list *l, const struct case_summary *s)
{
	const struct assigned *me = case_person(s, l->me);

	return me != NULL && me->state == ASSIGNED_RECUSED;
}

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct list *l = arg;
	enum perr err = PERR_OK;

	if (l->only_unassigned && !case_is_unassigned(s))
		return PERR_OK;
	if (l->only_waiting && !case_is_unassigned(s) && s->state != CASE_ASSIGNED)
		return PERR_OK;
	if (l->only_mine && !s->is_mine)
		return PERR_OK;
	/* whoever recused themselves is not to come upon it, holder or not */
	if (l->searched && is_recused(l, s))
		return PERR_OK;
	if (l->searched && (l->n_hits == 0 ||
	                    bsearch(s->record, l->hits, l->n_hits, sizeof *l->hits,
	                            by_record) == NULL))
		return PERR_OK;
	if (!l->only_due)
		return add(l, s, case_deadline(s, l->today));
	/* each deadline by itself: one that has passed must not hide the next */
	for (uint32_t i = 0; i < s->n_deadlines && err == PERR_OK; i++)
		if (s->state != CASE_CLOSED && s->deadlines[i].day <= l->until)
			err = add(l, s, &s->deadlines[i]);
	return err;
}

static int by_due(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->due.day != y->due.day)
		return x->due.day < y->due.day ? -1 : 1;
	if (x->s.urgent != y->s.urgent)
		return x->s.urgent ? -1 : 1;
	return memcmp(x->s.code, y->s.code, sizeof x->s.code);
}

/* of what waits for an attorney: whose turn it is to act has waited longest */
static int waits(const struct case_summary *s)
{
	return s->unanswered ? 0 : s->state == CASE_RETURNED ? 1 : s->state == CASE_OPEN ? 2 : 3;
}

static int in_order(const void *a, const void *b, void *arg);

static int by_waiting(const void *a, const void *b, void *arg)
{
	int x = waits(&((const struct entry *)a)->s), y = waits(&((const struct entry *)b)->s);

	return x != y ? x - y : in_order(a, b, arg);
}

static int in_order(const void *a, const void *b, void *arg)
{
	const struct case_summary *x = &((const struct entry *)a)->s, *y = &((const struct entry *)b)->s;
	uint32_t today = *(const uint32_t *)arg;
	uint32_t dx = ((const struct entry *)a)->due.day, dy = ((const struct entry *)b)->due.day;
	bool closed_x = x->state == CASE_CLOSED, closed_y = y->state == CASE_CLOSED;

	dx = dx >= today && dx != 0 ? dx : UINT32_MAX;
	dy = dy >= today && dy != 0 ? dy : UINT32_MAX;
	if (closed_x != closed_y)
		return closed_x ? 1 : -1;
	if (x->urgent != y->urgent)
		return x->urgent ? -1 : 1;
	if (dx != dy)
		return dx < dy ? -1 : 1;
	if (x->day != y->day)
		return x->day > y->day ? -1 : 1;
	return memcmp(x->code, y->code, sizeof x->code);
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
		if (l->only_due)
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
		                       export_answer_text(p->state), day);
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
	return table_row(t, l->only_due ? due : cells);
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
	             deadline, l->only_due && label[0] != '\0' ? ": " : "",
	             l->only_due ? label : "") >= 0) {
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
	struct table *t = table_new(7, l->only_due ? due_heads : heads);
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
		puts(l->only_due ? "Nothing is due in this time."
		     : l->searched || l->only_unassigned || l->only_waiting || l->only_mine ? "No case fits." : "No case has reached you yet; `amparo sync` fetches what was "
		     "released.");
	else if (l->only_due)
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
	unsigned n_hidden = 0;
	enum perr err = PERR_OK;
	long days = 0;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_SEARCH:
			query = optarg;
			break;
		case OPT_UNASSIGNED:
			l.only_unassigned = true;
			break;
		case OPT_MINE:
			l.only_mine = true;
			break;
		case OPT_WAITING:
			l.only_waiting = true;
			break;
		case OPT_DUE:
			days = parse_days(optarg);
			if (days < 0)
				return cli_usage(cli, "\"%s\" is no number of days: 14d, 2w", optarg);
			l.only_due = true;
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
	l.until = l.today + (uint32_t)days;
	if (query != NULL) {
		l.searched = true;
		err = search_run(cli->client, query, one_hit, &l);
		if (err == PERR_RANGE) {
			list_free(&l);
			return cli_fail(EXIT_REFUSED, "there is nothing to search for, or too much: one "
			                "to %d words.", SEARCH_WORDS_MAX);
		}
		if (err == PERR_OK && l.n_hits > 0)
			qsort(l.hits, l.n_hits, sizeof *l.hits, by_record);
	}
	if (err == PERR_OK)
		err = case_each(cli->client, one_case, &l, &n_hidden);
	if (err == PERR_OK) {
		if (l.n > 0 && l.only_due)
			qsort(l.at, l.n, sizeof *l.at, by_due);
		else if (l.n > 0)
			qsort_r(l.at, l.n, sizeof *l.at,
			        l.only_waiting || l.only_unassigned ? by_waiting : in_order, &l.today);
		code = cli->json ? print_json(cli, &l)
		                 : print_table(cli, &l, l.searched || l.only_due ? 0 : n_hidden);
	} else {
		code = cli_fail_err(err, "the cases could not be read");
	}
	list_free(&l);
	return code;
}
