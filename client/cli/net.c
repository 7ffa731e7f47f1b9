/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "net.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bring.h"
#include "bulletin.h"
#include "channel.h"
#include "cmd_revoke.h"
#include "link.h"
#include "org.h"
#include "notices.h"
#include "outbox.h"
#include "pending.h"
#include "quorum.h"
#include "progress.h"
#include "roster.h"
#include "say.h"
#include "spool_dir.h"
#include "status_assign.h"
#include "term.h"

/* the second sync of one command: only puts what the first one made necessary */
#define NET_AGAIN 0x100u

struct show {
	struct cli *cli;
	unsigned flags;
	struct progress bar;
	bool running;
	enum sync_phase phase;
};

static const char *phase_text(enum sync_phase p)
{
	switch (p) {
	case SYNC_CONNECTING:  return "connecting";
	case SYNC_BULLETIN:    return "roster and forms";
	case SYNC_BOARD:       return "board";
	case SYNC_POSTING:     return "own documents";
	case SYNC_UPLOADING:   return "sending";
	case SYNC_DOWNLOADING: return "receiving";
	case SYNC_STORING:     return "storing";
	}
	return "";
}

static void end_bar(struct show *s)
{
	if (s->running)
		progress_end(&s->bar, cli_now_ms());
	s->running = false;
}

static void on_progress(void *ctx, const struct sync_progress *p)
{
	struct show *s = ctx;
	/* what is sent is told in bytes: among the cells are decoys, which count as nothing */
	uint64_t per = p->phase == SYNC_UPLOADING ? FRAME_SIZE : 1;

	if ((s->flags & NET_QUIET) || p->total == 0)
		return;
	if (!s->running || s->phase != p->phase) {
		end_bar(s);
		s->phase = p->phase;
		progress_begin(&s->bar, stderr, phase_text(p->phase), per == 1 ? PROGRESS_ITEMS
		               : PROGRESS_BYTES, p->total * per, cli_now_ms());
		s->running = true;
	}
	s->bar.total = p->total * per;
	progress_update(&s->bar, p->done * per, cli_now_ms());
}

/* An intake attorney's first sync: megabytes and minutes before it starts. */
static enum sync_choice on_backlog(void *ctx, const struct sync_backlog *b)
{
	struct show *s = ctx;
	char size[16], light[16], question[160];

	end_bar(s);
	progress_bytes(size, sizeof size, b->bytes);
	progress_bytes(light, sizeof light, b->light_bytes);
	fprintf(stderr, "%s holds %llu cells to download%s: %s, about %u minute%s.\n", b->address,
	        (unsigned long long)b->cells, b->is_rescan ? " once more, for attachments that "
	        "are still missing" : "", size, b->minutes, b->minutes == 1 ? "" : "s");
	if (s->flags & NET_LIGHT)
		return SYNC_LIGHT;
	if ((s->flags & NET_YES) || !term_is_tty(STDIN_FILENO))
		return SYNC_GO;
	snprintf(question, sizeof question, "Download it now?");
	if (term_yes(stdin, stderr, question, true))
		return SYNC_GO;
	fprintf(stderr, "The light way looks at %s first and fetches only what may be yours; the "
	        "server can then guess which cells belong together.\n", light);
	return term_yes(stdin, stderr, "Sync the light way?", false) ? SYNC_LIGHT : SYNC_STOP;
}

static void say_server(const struct sync_server *s)
{
	char up[16], down[16];

	progress_bytes(up, sizeof up, s->bytes_out);
	progress_bytes(down, sizeof down, s->bytes_in);
	if (!s->complete) {
		fprintf(stderr, "%s: %s\n", s->address, s->why[0] != '\0' ? s->why
		        : perr_text(s->err));
	} else {
		printf("%s: up to date (%s sent, %s received)\n", s->address, up, down);
		if (s->submissions > 0)
			printf("  %u submission%s safe there now\n", s->submissions,
			       s->submissions == 1 ? " is" : "s are");
		if (s->erasures > 0)
			printf("  %u cells are to be erased there after the delay\n", s->erasures);
		if (s->taken.fresh > 0)
			printf("  %u new entries, %u attachments\n", s->taken.fresh, s->blobs);
		if (s->taken.pending > 0)
			printf("  %u entries by somebody who is not enrolled yet; they are kept\n",
			       s->taken.pending);
		if (s->taken.bad > 0)
			fprintf(stderr, "  %u entries were not signed as they must be; they were "
			        "dropped\n", s->taken.bad);
	}
	for (unsigned bit = 1; bit <= SYNC_N_REVOKED; bit <<= 1)
		if ((s->notes & bit) && bit != SYNC_N_BOARD && bit != SYNC_N_ROSTER_NEW &&
		    bit != SYNC_N_REVOKED)           /* said once, at the end */
			fprintf(bit == SYNC_N_LIGHT || bit == SYNC_N_RESCANNED ? stdout : stderr,
			        "  note: %s\n", sync_note_text(bit));
}

static void json_server(FILE *f, const struct sync_server *s, bool first)
{
	fprintf(f, "%s{\"address\":", first ? "" : ",");
	cli_json_str(f, s->address, strlen(s->address));
	fprintf(f, ",\"complete\":%s,\"why\":", s->complete ? "true" : "false");
	cli_json_str(f, s->why, strlen(s->why));
	fprintf(f, ",\"submissions\":%u,\"pulled\":%llu,\"own\":%llu,\"fresh\":%u,\"pending\":%u,"
	        "\"bad\":%u,\"blobs\":%u,\"bytes_in\":%llu,\"bytes_out\":%llu,\"round_trips\":%u,"
	        "\"notes\":%u}", s->submissions, (unsigned long long)s->pulled,
	        (unsigned long long)s->own, s->taken.fresh, s->taken.pending, s->taken.bad,
	        s->blobs, (unsigned long long)s->bytes_in, (unsigned long long)s->bytes_out,
	        s->round_trips, s->notes);
}

static void say_summary(struct cli *cli, const struct sync_summary *sum, unsigned flags)
{
	if (cli->json) {
		if (flags & NET_AGAIN)
			return;
		fputs("{\"servers\":[", stdout);
		for (unsigned i = 0; i < sum->n_servers; i++)
			json_server(stdout, &sum->servers[i], i == 0);
		printf("],\"complete\":%u,\"fresh\":%u,\"waiting\":%u,\"missing_blobs\":%u,"
		       "\"alarms\":%u}\n", sum->n_complete, sum->fresh, sum->submissions, sum->wants,
		       sum->alarms);
		return;
	}
	for (unsigned i = 0; i < sum->n_servers; i++)
		if (!(flags & NET_QUIET) || !sum->servers[i].complete)
			say_server(&sum->servers[i]);
	if (sum->roster_new && !(flags & NET_QUIET))
		puts("A newer roster was adopted.");
	if (sum->submissions > 0)
		printf("%u submission%s still wait%s here for a server; `amparo sync` again when "
		       "there is a network.\n", sum->submissions, sum->submissions == 1 ? "" : "s",
		       sum->submissions == 1 ? "s" : "");
	if (sum->wants > 0)
		printf("%u attachments have not arrived yet; they are sought at the next syncs.\n",
		       sum->wants);
	if (sum->alarms > 0)
		fprintf(stderr, "ALARM: a document under your own key was published that this device "
		        "did not make; `amparo status` explains.\n");
}

static enum perr open_spool(struct cli *cli, struct spool **out)
{
	struct spool_store *store = NULL;
	char *dir = NULL;
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (cli->client->me->role == ROLE_VOLUNTEER)
		return PERR_OK;          /* downloads nothing */
	if (asprintf(&dir, "%s/spool", cli->home) < 0)
		return err;
	err = spool_dir_new(&store, dir);
	free(dir);
	return err == PERR_OK ? spool_open(out, store) : err;
}

/* a server takes only so many cells a minute from one connection: who asks to wait, and for what */
struct pause {
	const char *address;             /* NULL: nobody */
	char copy[81];
	unsigned waiting, safe;
};

static void find_pause(const struct sync_summary *sum, struct pause *p)
{
	for (unsigned i = 0; i < sum->n_servers && sum->waiting > 0; i++) {
		const struct sync_server *s = &sum->servers[i];

		if (!s->complete || (s->notes & SYNC_N_LIMIT) == 0)
			continue;
		snprintf(p->copy, sizeof p->copy, "%s", s->address);
		p->address = p->copy;
		p->safe = s->uploaded;
		p->waiting = sum->to_send;
		return;
	}
	p->address = NULL;
}

/* more out: duties queued something that is better sent at once */
static int sync_once(struct cli *cli, unsigned flags, struct link_loop *loop, bool *more,
                     struct pause *p)
{
	struct show show = { .cli = cli, .flags = flags };
	struct sync_hooks hooks = { .progress = on_progress, .backlog = on_backlog, .ctx = &show };
	struct sync_net net = link_net(loop);
	struct sync_summary *sum = calloc(1, sizeof *sum);
	struct spool *spool = NULL;
	enum perr err = PERR_NOMEM;
	int code = EXIT_DONE;

	if (sum == NULL)
		return cli_fail_err(err, "the sync could not start");
	err = open_spool(cli, &spool);
	if (err == PERR_OK)
		err = sync_all(cli->client, &net, spool, &hooks, sum);
	end_bar(&show);
	spool_free(spool);
	if (sum->n_servers > 0)
		say_summary(cli, sum, flags);
	if (sum->n_servers > 0 && err == PERR_OK && !cli->json)
		err = status_say_left(cli->client);
	find_pause(sum, p);
	if (err != PERR_OK && sum->n_servers == 0)
		code = cli_fail_err(err, "the sync could not be done");
	else if (err == PERR_IO || err == PERR_CORRUPT || err == PERR_FULL || err == PERR_NOMEM)
		code = cli_fail_err(err, "the vault could not be written");
	else if (sum->n_complete == 0 && cmd_revoke_tell(cli->client) != EXIT_DONE)
		code = EXIT_REFUSED;
	else if (sum->n_complete == 0)
		code = cli_fail(EXIT_LATER, "no server could be visited whole; everything is kept, "
		                "run `amparo sync` again when there is a network.");
	*more = sum->more;
	free(sum);
	return code;
}

static void say_dropped(void *arg, const char *sentence)
{
	*(bool *)arg = true;
	fputs("amparo: ", stderr);
	term_print(stderr, sentence, strlen(sentence), TERM_LINE);
	putc('\n', stderr);
}

/* changes that another administrator's made impossible, each in a sentence */
static int say_all_dropped(struct cli *cli, bool *any)
{
	enum perr err;

	*any = false;
	err = pending_say(cli->client, say_dropped, any);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the vault could not be read");
}

static void say_brought(const struct steward_server *r, unsigned want)
{
	if (r->bulletin_put)
		printf("%s: has the new roster\n", r->address);
	if (r->orders > 0 && r->voided > 0)
		printf("%s: %u erasure%s voided\n", r->address, r->voided, r->voided == 1 ? "" : "s");
	else if (r->orders > 0)
		printf("%s: took the order that administrators signed\n", r->address);
	if (r->policy_waits)
		printf("%s: its keys and tickets wait for signatures of other administrators; their "
		       "devices give them at their syncs\n", r->address);
	if (r->answers > 0)
		printf("%s: %u new answer%s to invitations; `amparo confirm` shows them\n",
		       r->address, r->answers, r->answers == 1 ? "" : "s");
	if ((want & STEWARD_RELEASE) && r->released_day != 0)
		printf("%s: released %u cells (release %u)\n", r->address,
		       r->released_cells, r->released_number);
}

static int push(struct cli *cli, unsigned want, unsigned flags, struct link_loop *loop)
{
	struct sync_net net = link_net(loop);
	struct bring_result *r = calloc(1, sizeof *r);
	bool dropped;
	enum perr err;
	int code = EXIT_DONE;

	if (r == NULL)
		return cli_fail_err(PERR_NOMEM, "the servers could not be visited");
	err = bring_all(cli->client, &net, want, r);
	for (unsigned i = 0; i < r->n; i++) {
		const struct steward_server *s = &r->server[i];

		if (!s->complete)
			fprintf(stderr, "%s: %s\n", s->address, s->why[0] != '\0' ? s->why
			        : perr_text(s->err));
		else if ((flags & NET_QUIET) == 0 && !cli->json)
			say_brought(s, want);
	}
	if (r->tries > 0 && (flags & NET_QUIET) == 0 && !cli->json)
		puts("Another administrator had published meanwhile; this change stands beside theirs.");
	if (err != PERR_OK)
		code = cli_fail_err(err, "the vault could not be written");
	else if (r->n > 0 && r->done == 0)
		code = cli_fail(EXIT_LATER, "no server could be reached; the change is kept here and "
		                "is brought to them at the next `amparo sync`.");
	free(r);
	if (code != EXIT_DAMAGED && say_all_dropped(cli, &dropped) == EXIT_DONE && dropped)
		code = EXIT_REFUSED;
	return code;
}

bool net_waits(struct cli *cli)
{
	bool waits = false;

	return org_waits(cli->client, &waits) == PERR_OK && waits;
}

struct own {
	struct quorum_view v;
	bool any;
};

static enum perr find_own(void *arg, const struct quorum_view *v)
{
	struct own *o = arg;

	if (v->is_mine && v->kind == PROPOSAL_CHANGES) {
		o->v = *v;
		o->any = true;
	}
	return PERR_OK;
}

static void say_waits(struct cli *cli)
{
	struct own o = { .any = false };
	unsigned left;

	if (quorum_each(cli->client, find_own, &o) != PERR_OK || !o.any)
		return;
	left = o.v.needs > o.v.n_signed ? o.v.needs - o.v.n_signed : 1;
	say(stderr, 0, "amparo: this is proposed and not in force: it takes the signature%s of %u more "
	    "administrator%s.%s", left == 1 ? "" : "s", left, left == 1 ? "" : "s", o.v.is_too_large
	    ? "  It is too large for the servers' boards: `amparo admin save FILE` makes a file for them."
	    : "  They see it at `amparo sync` after the next release and type `amparo admin sign`; `amparo "
	      "admin save FILE` is faster.  An invitation opens only when it is in force.");
}

static int post_quietly(struct cli *cli, struct link_loop *loop)
{
	struct pause pause;
	bool more;

	return sync_once(cli, NET_QUIET | NET_AGAIN, loop, &more, &pause);
}

int net_push(struct cli *cli, unsigned want)
{
	struct link_loop *loop = NULL;
	enum perr err = link_loop_new(&loop);
	int code;

	if (err != PERR_OK)
		return cli_fail_err(err, "the network could not be used");
	code = push(cli, want, 0, loop);
	if (net_waits(cli)) {
		say_waits(cli);
		if (code == EXIT_DONE)
			(void)post_quietly(cli, loop);
	}
	link_loop_free(loop);
	return code;
}

int net_newest(struct cli *cli)
{
	const struct client *c = cli->client;
	struct link_loop *loop = NULL;
	struct sync_net net;
	unsigned reached = 0;
	bool dropped;
	enum perr err;

	if (c->field == NULL || c->field->n_servers == 0)
		return EXIT_DONE;        /* founding: nobody else can have published */
	err = link_loop_new(&loop);
	if (err != PERR_OK)
		return cli_fail_err(err, "the network could not be used");
	net = link_net(loop);
	err = bring_newest(cli->client, &net, &reached);
	link_loop_free(loop);
	if (err != PERR_OK)
		return cli_fail_err(err, "the newest roster could not be taken over");
	if (reached == 0)
		fprintf(stderr, "amparo: no server could be reached to ask for a newer roster; the change "
		        "is made upon version %u and put beside those of other administrators later.\n",
		        client_bulletin(c)->version);
	if (say_all_dropped(cli, &dropped) != EXIT_DONE)
		return EXIT_DAMAGED;
	if (cmd_revoke_tell(cli->client) != EXIT_DONE)
		return EXIT_REFUSED;
	return c->admin != NULL ? EXIT_DONE
	     : cli_fail(EXIT_REFUSED, "you are no administrator in the newest roster: nothing was "
	                "changed.");
}

#define PAUSE_S      60          /* an allowance is whole again after a minute (server/quota.h) */
#define PAUSES_MAX   60

/*
 * The server asked to wait.  In front of a person the sync goes on by itself, as long as each
 * round brings something on; a script is told and comes back at its next sync.
 */
static int go_on(struct cli *cli, unsigned flags, struct link_loop *loop, struct pause *p)
{
	unsigned total = p->safe + p->waiting;
	bool never_mind;
	int code = EXIT_DONE;

	for (unsigned round = 0; p->address != NULL && code == EXIT_DONE && round < PAUSES_MAX;
	     round++) {
		unsigned before = p->waiting;
		bool person = term_is_tty(STDIN_FILENO) && term_is_tty(STDERR_FILENO);

		fprintf(stderr, "%s asks to wait: it takes only so much a minute.  %u %% of what is to be "
		        "sent is safe; %s.\n", p->address,
		        total == 0 ? 0 : (unsigned)(100ull * (total - p->waiting) / total), person
		        ? "it goes on by itself in a minute (what is left stays here if you stop it)"
		        : "the rest stays here and goes out at the next `amparo sync`");
		if (!person)
			return code;
		(void)sleep(PAUSE_S);
		code = sync_once(cli, flags | NET_QUIET | NET_AGAIN, loop, &never_mind, p);
		if (p->address != NULL && p->waiting >= before)
			break;
	}
	if (code == EXIT_DONE && p->address == NULL && (flags & NET_QUIET) == 0)
		puts("Everything is sent.");
	return code;
}

static void say_proposals(struct cli *cli)
{
	unsigned n;

	if (cli->client->admin != NULL && quorum_waiting(cli->client, &n) == PERR_OK && n > 0)
		printf("%u proposal%s for your signature: `amparo admin proposals`.\n", n,
		       n == 1 ? " waits" : "s wait");
}

int net_sync(struct cli *cli, unsigned flags)
{
	struct client *c = cli->client;
	struct link_loop *loop = NULL;
	struct pause pause = { 0 };
	enum perr err = link_loop_new(&loop);
	bool more = false, never_mind;
	int code;

	if (err != PERR_OK)
		return cli_fail_err(err, "the network could not be used");
	if (c->me->role == ROLE_ADMINISTRATOR && c->field != NULL && c->field->n_servers == 0) {
		link_loop_free(loop);
		return cli_fail(EXIT_REFUSED, "no server is listed yet; `amparod init` prints a "
		                "card, `amparo server add` takes it.");
	}
	if (cli->json)
		flags |= NET_QUIET;
	/* what this administrator published comes first, so that the sync sees it everywhere */
	if (c->me->role == ROLE_ADMINISTRATOR)
		push(cli, STEWARD_PUSH, flags | NET_QUIET, loop);
	code = sync_once(cli, flags, loop, &more, &pause);
	if (code == EXIT_DONE && pause.address != NULL)
		code = go_on(cli, flags, loop, &pause);
	if (code == EXIT_DONE) {
		err = sync_follow_up(cli->client, &more);
		if (err != PERR_OK)
			code = cli_fail_err(err, "own keys could not be renewed");
		if (code == EXIT_DONE && more && c->me->role == ROLE_ADMINISTRATOR)
			/* a planned rotation: no server knows the new keys before it is brought */
			push(cli, STEWARD_PUSH, flags | NET_QUIET, loop);
		if (code == EXIT_DONE && more)
			code = sync_once(cli, flags | NET_QUIET | NET_AGAIN, loop, &never_mind, &pause);
	}
	if (c->me->role == ROLE_ADMINISTRATOR && code == EXIT_DONE)
		code = push(cli, STEWARD_PUSH | STEWARD_ANSWERS | STEWARD_STATUS, flags, loop);
	if (code == EXIT_DONE && (flags & NET_QUIET) == 0)
		say_proposals(cli);
	link_loop_free(loop);
	return code;
}
