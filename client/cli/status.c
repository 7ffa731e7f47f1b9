/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "status.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bulletin.h"
#include "case.h"
#include "gaps.h"
#include "holders.h"
#include "notices.h"
#include "org.h"
#include "draft.h"
#include "outbox.h"
#include "policies.h"
#include "prekeys.h"
#include "roster.h"
#include "status_admins.h"
#include "status_assign.h"
#include "status_erase.h"
#include "status_charters.h"
#include "status_custody.h"
#include "status_papers.h"
#include "status_rotation.h"
#include "steward.h"
#include "tally.h"
#include "term.h"

/* one line of the list, and the first one not done gives the next step */
struct list {
	struct cli *cli;
	char next[256];
	unsigned n;
};

static void line(struct list *l, bool done, const char *what, const char *next)
{
	if (l->cli->json) {
		printf("%s{\"done\":%s,\"what\":", l->n == 0 ? "" : ",", done ? "true" : "false");
		cli_json_str(stdout, what, strlen(what));
		fputs(",\"next\":", stdout);
		cli_json_str(stdout, done ? "" : next, done ? 0 : strlen(next));
		putchar('}');
	} else {
		printf("  [%c] ", done ? 'x' : ' ');
		term_print(stdout, what, strlen(what), TERM_LINE);
		putchar('\n');
	}
	l->n++;
	if (!done && l->next[0] == '\0')
		snprintf(l->next, sizeof l->next, "%s", next);
}

void status_line(struct list *l, bool done, const char *what, const char *next)
{
	line(l, done, what, next);
}

#define WHAT_SIZE 200

static bool has_batch(struct client *c, const uint8_t key[32])
{
	char name[96];
	uint8_t *raw = NULL;
	bool has;

	client_key_name(name, "batch/", key, 32);
	has = kv_get(c->kv, name, &raw, NULL) == PERR_OK;
	kv_free(raw);
	return has;
}

/* ---- what concerns everybody -------------------------------------------------------- */

static enum perr count_draft(void *arg, const struct draft_head *head)
{
	*(unsigned *)arg += 1;
	return PERR_OK;
}

/* only where there are some: most members never take an interview */
static enum perr draft_part(struct list *l)
{
	unsigned n = 0;
	char what[WHAT_SIZE];
	enum perr err = draft_each(l->cli->client->kv, count_draft, &n);

	if (err != PERR_OK || n == 0)
		return err;
	snprintf(what, sizeof what, "%u interview%s not finished", n, n == 1 ? " is" : "s are");
	line(l, false, what, "run `amparo drafts`, then go on with each or drop it");
	return PERR_OK;
}

static enum perr own_part(struct list *l)
{
	struct client *c = l->cli->client;
	const struct bulletin *b = client_bulletin(c);
	struct outbox_counts out;
	char what[WHAT_SIZE], next[WHAT_SIZE];
	enum perr err;

	if (b == NULL) {
		line(l, false, "a roster is known", "run `amparo sync` when there is a network");
		return PERR_OK;
	}
	snprintf(what, sizeof what, "roster version %u of %s", b->version, c->field->organisation);
	line(l, true, what, "");
	if (client_day(c) > b->last_day)
		line(l, false, "the roster is past its last day: you can go on, but ask for a newer one",
		     "ask your administrator to publish");
	if (c->me->state == CLIENT_JOINING)
		line(l, false, "confirmed by an administrator", "call your administrator, say the four "
		     "words, then run `amparo sync`");
	err = outbox_counts(c, &out);
	if (err != PERR_OK)
		return err;
	snprintf(what, sizeof what, out.submissions == 0 ? "nothing waits to be sent"
	         : "%u submission%s wait%s to be sent (%u already on one server)",
	         out.submissions, out.submissions == 1 ? "" : "s", out.submissions == 1 ? "s" : "",
	         out.on_one);
	snprintf(next, sizeof next, "run `amparo sync` when there is a network, within %u days of the "
	         "interview: later nobody has the keys that open it", c->field->limits.grace_days);
	line(l, out.submissions == 0, what, next);
	return draft_part(l);
}

static enum perr reader_part(struct list *l)
{
	struct client *c = l->cli->client;
	struct prekeys_info k;
	char what[WHAT_SIZE], day[16];
	enum perr err;

	if (!prekeys_needed(c))
		return PERR_OK;
	err = prekeys_info(c, &k);
	if (err != PERR_OK)
		return err;
	if (k.number == 0) {
		line(l, false, "own keys are published", "run `amparo sync`");
	} else {
		cli_day(day, k.last_day);
		snprintf(what, sizeof what, "own keys are %s (batch %u, until %s)", k.posted
		         ? "published" : "made, but not on every server yet", k.number, day);
		line(l, k.posted, what, "run `amparo sync`");
	}
	return PERR_OK;
}

/* numbers an author used towards a desk held here, and what they stand for is not here */
static enum perr gap_line(void *arg, const struct gaps_report *r)
{
	struct list *l = arg;
	char what[WHAT_SIZE + 160], who[160], day[16];

	client_name_of(l->cli->client, r->gap.author, who, sizeof who);
	cli_day(day, r->since);
	if (r->gap.missing > 0) {
		snprintf(what, sizeof what, r->searched
		         ? "%u of %u messages by %s did not arrive, and no server has them (since %s)"
		         : "%u of %u messages by %s have not arrived yet (since %s)",
		         r->gap.missing, r->gap.highest, who, day);
		line(l, false, what, r->searched
		     ? "ask whether that device still holds something to send, and your co-holders "
		       "whether they have it: a server may be keeping it back"
		     : "run `amparo sync` tomorrow: the servers are then looked through once more");
	}
	if (r->gap.twice > 0) {
		snprintf(what, sizeof what, "%u numbers of %s were used for two messages",
		         r->gap.twice, who);
		line(l, false, what, "ask whether that vault lives on two devices, or somebody else "
		     "has its key");
	}
	if (r->gap.two_devices) {
		cli_day(day, r->gap.restored);
		snprintf(what, sizeof what, "%s went on with the old device after a backup was restored "
		         "on %s", who, day);
		line(l, false, what, "ask which of the two devices it is: if one was lost or taken, "
		     "revoke the key");
	}
	return PERR_OK;
}

static enum perr unsigned_desk(void *arg, const struct holders_desk *d)
{
	struct list *l = arg;
	char what[WHAT_SIZE];

	if (d->listed || d->signed_by_me ||
	    !charter_has_holder(d->charter, l->cli->client->me->sign_pk))
		return PERR_OK;
	snprintf(what, sizeof what, "the charter of desk %s waits for your signature",
	         d->charter->name);
	line(l, false, what, "run `amparo desk sign`");
	return PERR_OK;
}

/* ---- cases: urgent ones before anything else -------------------------------------------- */

#define URGENT_LINES 5

struct cases {
	unsigned n_shown;
	struct case_summary urgent[URGENT_LINES];        /* nobody has them: first */
};

static enum perr one_case(void *arg, const struct case_summary *s)
{
	struct cases *k = arg;
	unsigned at;

	if (s->state == CASE_CLOSED || !s->urgent)
		return PERR_OK;
	for (at = k->n_shown; at > 0; at--) {
		const struct case_summary *before = &k->urgent[at - 1];
		bool unassigned = case_is_unassigned(s);

		if (unassigned != case_is_unassigned(before) ? !unassigned : s->day <= before->day)
			break;
		if (at < URGENT_LINES)
			k->urgent[at] = k->urgent[at - 1];
	}
	if (at < URGENT_LINES)
		k->urgent[at] = *s;
	k->n_shown += k->n_shown < URGENT_LINES;
	return PERR_OK;
}

static void urgent_line(struct list *l, const struct case_summary *s)
{
	char code[CASE_CODE_SHOWN + 1], what[WHAT_SIZE + MARKS_TITLE_MAX], next[60];

	case_code_show(code, s->code);
	snprintf(what, sizeof what, "URGENT: case %s, %s: %s", code, s->title,
	         case_is_unassigned(s) ? "nobody has it" : case_state_text(s->state));
	snprintf(next, sizeof next, "run `amparo show %s`", code);
	line(l, !case_is_unassigned(s), what, next);
}

static enum perr cases_part(struct list *l)
{
	struct cases *k = calloc(1, sizeof *k);
	struct tally t;
	char what[WHAT_SIZE];
	enum perr err;

	if (k == NULL)
		return PERR_NOMEM;
	err = tally_make(l->cli->client, &t);
	if (err == PERR_OK)
		err = case_each(l->cli->client, one_case, k, NULL);
	for (unsigned i = 0; err == PERR_OK && i < k->n_shown; i++)
		urgent_line(l, &k->urgent[i]);
	if (err == PERR_OK && t.n_urgent > k->n_shown) {
		snprintf(what, sizeof what, "%u more urgent case%s", t.n_urgent - k->n_shown,
		         t.n_urgent - k->n_shown == 1 ? "" : "s");
		line(l, false, what, "run `amparo cases`");
	}
	if (err == PERR_OK && t.n_open > 0) {
		snprintf(what, sizeof what, "%u open case%s; %u deadline%s within %d days, %u overdue",
		         t.n_open, t.n_open == 1 ? "" : "s", t.n_due, t.n_due == 1 ? "" : "s",
		         TALLY_DUE_DAYS, t.n_overdue);
		line(l, t.n_overdue == 0, what, "run `amparo cases --due 14d`");
	}
	sodium_memzero(k, sizeof *k);
	free(k);
	return err;
}

/* ---- what concerns administrators --------------------------------------------------- */

static enum perr count_answer(void *arg, const struct org_answer *a)
{
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static enum perr desk_line(void *arg, const struct holders_desk *d)
{
	struct list *l = arg;
	char what[WHAT_SIZE];
	size_t at;

	if (d->listed) {
		snprintf(what, sizeof what, "desk %s is listed, %u holders", d->charter->name,
		         d->charter->n);
		line(l, true, what, "");
		return PERR_OK;
	}
	if (d->n_signed >= d->n_needed) {
		snprintf(what, sizeof what, "desk %s is signed by all its holders: list it",
		         d->charter->name);
		line(l, false, what, "run `amparo desk publish`");
		return PERR_OK;
	}
	at = (size_t)snprintf(what, sizeof what, "desk %s waits for the signature of",
	                      d->charter->name);
	for (uint32_t i = 0; i < d->charter->n && at < sizeof what; i++) {
		char name[160];

		if (signed_find(d->sigs, d->charter->holders[i]) != NULL)
			continue;
		client_name_of(l->cli->client, d->charter->holders[i], name, sizeof name);
		at += (size_t)snprintf(what + at, sizeof what - at, " %s;", name);
	}
	line(l, false, what, "they run `amparo sync` and `amparo desk sign`; then run `amparo sync` "
	     "here after a release");
	return PERR_OK;
}

static enum perr server_lines(struct list *l)
{
	struct client *c = l->cli->client;
	char what[WHAT_SIZE];

	if (c->field->n_servers == 0)
		line(l, false, "a server is set up", "run `amparod init` on a server, then `amparo "
		     "server add`");
	for (uint32_t i = 0; i < c->field->n_servers; i++) {
		bool any, current;
		enum perr err = policies_has(c, c->field->servers[i].pk, &any, &current);

		if (err != PERR_OK)
			return err;
		snprintf(what, sizeof what, "server %s %s", c->field->servers[i].address,
		         !any ? "is not set up yet" : current
		         ? "has the newest roster" : "has not got the newest roster");
		line(l, current, what, "run `amparo sync`");
	}
	if (c->field->n_servers == 1)
		line(l, false, "a second server, so that losing one loses nothing",
		     "run `amparod init` on another machine, then `amparo server add`");
	return PERR_OK;
}

/*
 * What each server said of itself at the last visit: what waits there, what it refused, what
 * it has left.  Nobody's doing can be seen in it, only how much.
 */
static enum perr figure_lines(struct list *l)
{
	struct client *c = l->cli->client;
	char what[WHAT_SIZE], seen[16], from[16];
	struct steward_figures f;

	for (uint32_t i = 0; i < c->field->n_servers; i++) {
		const char *name = c->field->servers[i].address;
		enum perr err = steward_last(c, i, &f);

		if (err == PERR_NOTFOUND)
			continue;
		if (err != PERR_OK)
			return err;
		cli_day(seen, f.day);
		if (f.erasures > 0) {
			cli_day(from, f.erase_day);
			snprintf(what, sizeof what, "server %s: %u erasure%s wait%s, the next is applied "
			         "from %s on", name, f.erasures, f.erasures == 1 ? "" : "s",
			         f.erasures == 1 ? "s" : "", from);
			line(l, false, what, "if your attorneys did not ask for that many, run `amparo "
			     "erasures void --all`");
		}
		snprintf(what, sizeof what, "server %s, on %s: %u refused for limits, %u for want of "
		         "space since its start; %u MiB free, %u kept for erasure and release", name,
		         seen, f.refused, f.refused_full, f.free_mib, f.reserve_mib);
		line(l, !f.full, what, "free some space on that server: new cells are refused and "
		     "wait on the devices");
		if (f.alerts > 0) {
			snprintf(what, sizeof what, "server %s: in %u hour%s since its start a scope sent "
			         "more than its total and was slowed", name, f.alerts,
			         f.alerts == 1 ? "" : "s");
			line(l, false, what, "if it was no night of many intakes, a member floods: its "
			     "log names the scope");
		}
		if (f.frozen) {
			snprintf(what, sizeof what, "server %s doubts its clock: nothing is erased or "
			         "expires", name);
			line(l, false, what, "set its clock right, then run `amparo release`");
		}
	}
	return PERR_OK;
}

/* the same for a program: ,"servers":[…] */
static enum perr figures_json(struct client *c)
{
	struct steward_figures f;
	enum perr err = PERR_OK;
	unsigned n = 0;

	fputs(",\"servers\":[", stdout);
	for (uint32_t i = 0; err == PERR_OK && i < c->field->n_servers; i++) {
		const char *name = c->field->servers[i].address;
		char seen[16], from[16] = "";

		err = steward_last(c, i, &f);
		if (err == PERR_NOTFOUND) {
			err = PERR_OK;
			continue;
		}
		if (err != PERR_OK)
			break;
		cli_day(seen, f.day);
		if (f.erasures > 0)
			cli_day(from, f.erase_day);
		printf("%s{\"server\":", n++ == 0 ? "" : ",");
		cli_json_str(stdout, name, strlen(name));
		printf(",\"day\":\"%s\",\"cells_waiting\":%u,\"cells_released\":%u,"
		       "\"erasures\":%u,\"applied_from\":\"%s\",\"free_mib\":%u,"
		       "\"reserve_mib\":%u,\"refused_for_limits\":%u,\"refused_for_space\":%u,"
		       "\"alerts\":%u,\"disk_full\":%s,\"frozen\":%s}", seen, f.cells_waiting,
		       f.cells_released, f.erasures, from, f.free_mib, f.reserve_mib, f.refused,
		       f.refused_full, f.alerts, f.full ? "true" : "false",
		       f.frozen ? "true" : "false");
	}
	putchar(']');
	return err;
}

static enum perr admin_part(struct list *l)
{
	struct client *c = l->cli->client;
	unsigned answers = 0, readers = 0, volunteers = 0, active = 0;
	char what[WHAT_SIZE];
	enum perr err = server_lines(l);

	if (err == PERR_OK)
		err = org_answers(c, count_answer, &answers);
	if (err != PERR_OK)
		return err;
	for (uint32_t i = 0; i < c->admin->n_members; i++) {
		const struct roster_enrolled *m = &c->admin->members[i];

		volunteers += m->role == ROSTER_VOLUNTEER;
		if (m->role != ROSTER_ATTORNEY && m->role != ROSTER_INTERPRETER)
			continue;
		readers++;
		if (!has_batch(c, m->key)) {
			snprintf(what, sizeof what, "%s has not published keys yet", m->name);
			line(l, false, what, "they run `amparo sync`; then run `amparo sync` here after "
			     "a release");
		}
	}
	if (answers > 0) {
		snprintf(what, sizeof what, "%u answer%s to invitations wait%s for confirmation",
		         answers, answers == 1 ? "" : "s", answers == 1 ? "s" : "");
		line(l, false, what, "run `amparo confirm`");
	}
	if (c->admin->n_invitations > answers) {
		snprintf(what, sizeof what, "%u invitation%s not answered yet",
		         c->admin->n_invitations - answers,
		         c->admin->n_invitations - answers == 1 ? " is" : "s are");
		line(l, true, what, "");
	}
	snprintf(what, sizeof what, "%u attorney%s or interpreter%s enrolled", readers,
	         readers == 1 ? "" : "s", readers == 1 ? "" : "s");
	line(l, readers >= 2, what, "run `amparo invite --role attorney --count 2`");
	err = holders_each(c, desk_line, l);
	if (err != PERR_OK)
		return err;
	if (c->field->n_desks == 0)
		line(l, false, "a desk is listed", "run `amparo desk create`");
	for (uint32_t i = 0; i < c->field->n_forms; i++)
		active += c->field->forms[i].active;
	snprintf(what, sizeof what, "%u form%s in use", active, active == 1 ? "" : "s");
	line(l, active > 0, what, "run `amparo form publish FILE.xml`");
	snprintf(what, sizeof what, "%u volunteer%s enrolled", volunteers, volunteers == 1 ? "" : "s");
	line(l, volunteers > 0, what, "run `amparo invite --count N --sheet slips.html`");
	return figure_lines(l);
}

/* ---- alarms ------------------------------------------------------------------------- */

static enum perr say_alarm(void *arg, const struct notices_alarm *a)
{
	static const char *const kinds[] = { "document", "batch of keys", "charter signature",
	                                     "change of key" };
	char day[16];

	cli_day(day, a->day);
	fprintf(stderr, "ALARM: a %s under your own key, seen on %s, was not made by this device. "
	        "Your vault lives on two devices (a backup was restored, and the old one is used "
	        "still), or somebody else has your key: use one of them only, and if you know "
	        "of no second one, call your administrator and your co-holders now.\n", kinds[a->type <= 3 ? a->type : 0], day);
	return PERR_OK;
}

static const char *role_line(const struct client *c)
{
	if (c->me->state == CLIENT_JOINING)
		return "joining";
	return c->me->role == ROLE_NONE ? "member" : roster_role_text((enum roster_role)c->me->role);
}

int status_print(struct cli *cli)
{
	struct client *c = cli->client;
	struct list l = { .cli = cli };
	enum perr err;

	if (cli->json) {
		fputs("{\"name\":", stdout);
		cli_json_str(stdout, c->me->name, strlen(c->me->name));
		printf(",\"role\":\"%s\",\"list\":[", role_line(c));
	} else {
		term_print(stdout, c->me->name, strlen(c->me->name), TERM_LINE);
		printf(", %s\n", role_line(c));
	}
	err = c->staff != NULL ? cases_part(&l) : PERR_OK;
	if (err == PERR_OK)
		err = status_assign(c, &l);
	if (err == PERR_OK)
		err = status_amend(c, &l);
	if (err == PERR_OK)
		err = status_erase(c, &l);
	if (err == PERR_OK)
		err = own_part(&l);
	if (err == PERR_OK && c->me->state == CLIENT_MEMBER)
		err = reader_part(&l);
	if (err == PERR_OK && c->field != NULL && c->staff != NULL)
		err = holders_each(c, unsigned_desk, &l);
	if (err == PERR_OK && c->field != NULL && c->staff != NULL)
		err = status_charters(c, &l);
	if (err == PERR_OK && c->field != NULL && c->staff != NULL)
		err = status_papers(c, &l);
	if (err == PERR_OK && c->field != NULL)
		err = status_admins(c, &l);
	if (err == PERR_OK && c->field != NULL)
		err = status_rotation(c, &l);
	if (err == PERR_OK && c->me->state == CLIENT_MEMBER)
		err = gaps_each(c, gap_line, &l);
	if (err == PERR_OK && c->me->state == CLIENT_MEMBER && c->field != NULL)
		err = status_custody(c, &l);
	if (err == PERR_OK && c->admin != NULL)
		err = admin_part(&l);
	if (cli->json) {
		putchar(']');
		if (err == PERR_OK && c->admin != NULL)
			err = figures_json(c);
		puts("}");
	}
	if (err != PERR_OK)
		return cli_fail_err(err, "the status could not be read");
	if (!cli->json) {
		if (c->me->state == CLIENT_JOINING)
			join_say_words(c);
		if (l.next[0] != '\0')
			printf("\nNext: %s.\n", l.next);
		else
			puts("\nNothing is waited for.");
	}
	err = notices_alarms(c, say_alarm, NULL);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the alarms could not be read");
}
