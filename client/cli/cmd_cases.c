/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_record.h"
#include "export.h"
#include "search.h"
#include "table.h"
#include "term.h"

enum { OPT_SEARCH = 1, OPT_UNASSIGNED };

const char cmd_cases_help[] =
	"Use: amparo cases [--search TEXT] [--unassigned] [--json]\n\n"
	"The cases that reached you: urgent ones first, then by the next deadline, then the\n"
	"newest.  Holders of a desk see every interview sent to it, others what was assigned\n"
	"to them.\n\n"
	"  --search TEXT    cases in whose answers, notes and codes every word of TEXT occurs;\n"
	"                   case, accents and glottal marks (' ʼ ’ ꞌ) do not matter, and a word\n"
	"                   may be part of a longer one\n"
	"  --unassigned     what nobody has, or everybody asked gave back\n"
	"  --json           an array of objects\n\n"
	"Examples:\n"
	"  amparo cases --unassigned\n"
	"  amparo cases --search \"tzunun morton\"\n"
	"  amparo cases --search \"A 000 123 456\"\n";

struct list {
	struct case_summary *at;
	size_t n, room;
	bool only_unassigned;
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

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct list *l = arg;

	if (l->only_unassigned && !case_is_unassigned(s))
		return PERR_OK;
	if (l->searched && (l->n_hits == 0 ||
	                    bsearch(s->record, l->hits, l->n_hits, sizeof *l->hits,
	                            by_record) == NULL))
		return PERR_OK;
	if (l->n == l->room) {
		size_t room = l->room == 0 ? 64 : 2 * l->room;
		void *more = realloc(l->at, room * sizeof *l->at);

		if (more == NULL)
			return PERR_NOMEM;
		l->at = more;
		l->room = room;
	}
	l->at[l->n++] = *s;
	return PERR_OK;
}

static int in_order(const void *a, const void *b, void *arg)
{
	const struct case_summary *x = a, *y = b;
	uint32_t today = *(const uint32_t *)arg;
	uint32_t dx = x->deadline >= today ? x->deadline : UINT32_MAX;
	uint32_t dy = y->deadline >= today ? y->deadline : UINT32_MAX;
	bool closed_x = x->state == CASE_CLOSED, closed_y = y->state == CASE_CLOSED;

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

static int print_json(struct cli *cli, const struct list *l)
{
	putchar('[');
	for (size_t i = 0; i < l->n; i++) {
		char *text;
		size_t len;
		enum perr err = export_json_summary(cli->client, &l->at[i], &text, &len);

		if (err != PERR_OK)
			return cli_fail_err(err, "the cases could not be printed");
		printf("%s%s", i == 0 ? "\n" : ",\n", text);
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
		snprintf(out, 40, "%s past", day);
	else if (deadline == today)
		snprintf(out, 40, "%s today", day);
	else
		snprintf(out, 40, "%s in %u d", day, deadline - today);
}

static enum perr add_row(struct cli *cli, struct table *t, const struct case_summary *s)
{
	char code[CASE_CODE_SHOWN + 1], day[16], deadline[40], state[64], with[400] = "";
	const char *cells[] = { code, s->urgent ? "yes" : "", s->title, day, deadline, state, with };

	case_code_show(code, s->code);
	cli_day(day, s->day);
	deadline_text(deadline, s->deadline, client_day(cli->client));
	snprintf(state, sizeof state, "%s%s%s", case_state_text(s->state),
	         s->pending ? ", pending" : "", s->conflict ? ", twice" : "");
	for (uint32_t i = 0; i < s->n_people; i++) {
		char name[140];
		size_t at = strlen(with);

		client_name_of(cli->client, s->people[i].key, name, sizeof name);
		snprintf(with + at, sizeof with - at, "%s%s", i == 0 ? "" : ", ", name);
	}
	return table_row(t, cells);
}

static int print_table(struct cli *cli, const struct list *l, unsigned n_hidden)
{
	static const char *const heads[] = {
		"!Code", "!Urgent", "Case", "!Day", "!Deadline", "State", "With"
	};
	struct table *t = table_new(7, heads);
	enum perr err = t == NULL ? PERR_NOMEM : PERR_OK;
	unsigned urgent = 0, pending = 0, twice = 0;

	for (size_t i = 0; i < l->n && err == PERR_OK; i++) {
		err = add_row(cli, t, &l->at[i]);
		urgent += l->at[i].urgent;
		pending += l->at[i].pending;
		twice += l->at[i].conflict;
	}
	if (err == PERR_OK)
		table_print(t, stdout, term_is_tty(1) ? term_width(1) : 0);
	table_free(t);
	if (err != PERR_OK)
		return cli_fail_err(err, "the cases could not be printed");
	if (l->n == 0)
		puts(l->searched || l->only_unassigned
		     ? "No case fits." : "No case has reached you yet; `amparo sync` fetches what was "
		     "released.");
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

int cmd_cases(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "search", required_argument, NULL, OPT_SEARCH },
		{ "unassigned", no_argument, NULL, OPT_UNASSIGNED },
		{ NULL, 0, NULL, 0 }
	};
	struct list l = { .n = 0 };
	const char *query = NULL;
	unsigned n_hidden = 0;
	enum perr err = PERR_OK;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_SEARCH:
			query = optarg;
			break;
		case OPT_UNASSIGNED:
			l.only_unassigned = true;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (optind != argc)
		return cli_usage(cli, "a text to look for is given with --search");
	code = cmd_open_reader(cli);
	if (code != EXIT_DONE)
		return code;
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
		uint32_t today = client_day(cli->client);

		if (l.n > 0)
			qsort_r(l.at, l.n, sizeof *l.at, in_order, &today);
		code = cli->json ? print_json(cli, &l)
		                 : print_table(cli, &l, l.searched ? 0 : n_hidden);
	} else {
		code = cli_fail_err(err, "the cases could not be read");
	}
	list_free(&l);
	return code;
}
