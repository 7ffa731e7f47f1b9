/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Commands of administrators: organisation, servers, members, forms, releases. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_admin.h"
#include "cmd_charter.h"
#include "cmd_desk.h"
#include "cmd_erasures.h"
#include "cmd_form.h"
#include "cmd_server.h"
#include "cmd_revoke.h"
#include "cmd_rotate.h"
#include "cmd_settings.h"
#include "cmd_invite.h"
#include "cmd_recovery.h"
#include "desk.h"
#include "holders.h"
#include "net.h"
#include "org.h"
#include "roster.h"
#include "table.h"
#include "term.h"
#include "words.h"

enum {
	OPT_NAME = 1, OPT_ORG, OPT_LIGHT, OPT_ROLE, OPT_COUNT, OPT_SHEET, OPT_DESK,
	OPT_FOR, OPT_WORDS, OPT_AS, OPT_REFUSE
};

static enum client_role parse_role(const char *s)
{
	for (int r = ROLE_VOLUNTEER; r <= ROLE_ADMINISTRATOR; r++)
		if (strcmp(s, roster_role_text((enum roster_role)r)) == 0)
			return (enum client_role)r;
	return ROLE_NONE;
}

static void print_safe(const char *s)
{
	term_print(stdout, s, strlen(s), TERM_LINE);
}

/* ---- org create --------------------------------------------------------------------- */

static int cmd_create(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "name", required_argument, NULL, OPT_NAME },
		{ "light", no_argument, NULL, OPT_LIGHT }, { 0 }
	};
	const char *name = NULL;
	bool light = false;
	enum perr err;
	int c, code = EXIT_DONE;

	while ((c = cli_option(cli, argc, argv, longs)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		if (c == 'h')
			return EXIT_DONE;
		if (c == OPT_NAME)
			name = optarg;
		else
			light = true;
	}
	if (argc - optind != 1 || name == NULL)
		return cli_usage(cli, "the organisation's name and your own (--name) are needed");
	if (vault_exists(cli->home)) {
		/* killed between making the vault and founding: go on */
		code = cli_open_any(cli);
		if (code == EXIT_DONE && cli->client->me->state != CLIENT_NOBODY)
			code = cli_fail(EXIT_REFUSED, "this vault belongs to a member already; --home "
			                "names another folder.");
	} else {
		code = cli_create(cli, light);
	}
	if (code != EXIT_DONE)
		return code;
	err = org_found(cli->client, argv[optind], name);
	if (err == PERR_RANGE || err == PERR_FORMAT)
		return cli_fail(EXIT_USAGE, "an organisation's name has 1 to 64 bytes, a person's 1 "
		                "to 128.");
	if (err != PERR_OK)
		return cli_fail_err(err, "the organisation could not be founded");
	print_safe(argv[optind]);
	puts(" is founded, and this vault holds its first administrator's key.\n"
	     "There is no way back into a lost vault: write the passphrase on paper, and invite a\n"
	     "second administrator soon.\n\nNext: run `amparod init` on a server, then `amparo "
	     "server add` here with its card.");
	return EXIT_DONE;
}

/* ---- releases ----------------------------------------------------------------------- */

static int cmd_release(struct cli *cli, int argc, char **argv)
{
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	return code == EXIT_DONE ? net_push(cli, STEWARD_PUSH | STEWARD_RELEASE) : code;
}

/* ---- invitations -------------------------------------------------------------------- */

struct invite_args {
	enum client_role role;
	unsigned long count;
	const char *sheet, *desk, *note;
};

static int do_invite(struct cli *cli, const struct invite_args *a)
{
	struct client *cl = cli->client;
	struct invite *inv = calloc(a->count, sizeof *inv);
	const char **notes = calloc(a->count, sizeof *notes);
	uint8_t desk_id[32];
	bool has_desk = false;
	enum perr err = inv == NULL || notes == NULL ? PERR_NOMEM : PERR_OK;
	int code = EXIT_DONE, pushed;

	for (unsigned long i = 0; err == PERR_OK && i < a->count; i++)
		notes[i] = a->note;
	if (err == PERR_OK) {
		err = holders_find(cl, a->desk, true, desk_id);
		has_desk = err == PERR_OK;
		if (err == PERR_NOTFOUND && a->desk == NULL && a->role != ROLE_VOLUNTEER)
			err = PERR_OK;           /* founding: the holders-to-be come before the desk */
		else if (err == PERR_NOTFOUND)
			code = cli_fail(EXIT_REFUSED, a->desk != NULL ? "no listed desk has that name; "
			                "`amparo desk list` shows them."
			                : "volunteers are invited to a desk, and none is listed yet; "
			                  "`amparo status` says what comes first.");
		else if (err == PERR_EXISTS)
			code = cli_fail(EXIT_REFUSED, "there are several desks; name one with --desk.");
	}
	if (code != EXIT_DONE)
		goto out;
	if (err == PERR_OK)
		err = org_invite(cl, a->role, (unsigned)a->count, has_desk ? desk_id : NULL, notes,
		                 inv);
	if (err == PERR_NOTFOUND)
		code = cli_fail(EXIT_REFUSED, "no server is listed yet; `amparo server add` comes "
		                "first.");
	else if (err == PERR_RANGE)
		code = cli_fail(EXIT_REFUSED, "the server's address is too long for an invitation; use "
		                "one of at most 40 characters.");
	else if (err == PERR_LIMIT)
		code = cli_fail(EXIT_REFUSED, "at most %d invitations are open at a time; confirm or "
		                "refuse some first.", ROSTER_INVITES_MAX);
	else if (err != PERR_OK)
		code = cli_fail_err(err, "the invitations could not be made");
	if (code != EXIT_DONE)
		goto out;
	code = a->sheet != NULL ? cmd_invite_sheet(cli, a->sheet, a->role, has_desk ? desk_id : NULL,
	                                           inv, (unsigned)a->count)
	                        : cmd_invite_print(cli, inv, (unsigned)a->count);
	/* they exist now, written or not: `amparo invitations` has them */
	pushed = net_push(cli, STEWARD_PUSH);
	code = code == EXIT_DONE ? pushed : code;
out:
	if (inv != NULL)
		sodium_memzero(inv, a->count * sizeof *inv);
	free(inv);
	free(notes);
	return code;
}

static int cmd_invite(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "role", required_argument, NULL, OPT_ROLE },
		{ "count", required_argument, NULL, OPT_COUNT },
		{ "sheet", required_argument, NULL, OPT_SHEET },
		{ "desk", required_argument, NULL, OPT_DESK },
		{ "for", required_argument, NULL, OPT_FOR }, { 0 }
	};
	struct invite_args a = { .role = ROLE_VOLUNTEER, .count = 1 };
	char *end;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_ROLE:
			a.role = parse_role(optarg);
			if (a.role == ROLE_NONE)
				return cli_usage(cli, "\"%s\" is no role: volunteer, attorney, "
				                 "interpreter or administrator", optarg);
			break;
		case OPT_COUNT:
			a.count = strtoul(optarg, &end, 10);
			if (*end != '\0' || a.count < 1 || a.count > ROSTER_INVITES_MAX)
				return cli_usage(cli, "\"%s\" is not a number from 1 to %d", optarg,
				                 ROSTER_INVITES_MAX);
			break;
		case OPT_SHEET:
			a.sheet = optarg;
			break;
		case OPT_DESK:
			a.desk = optarg;
			break;
		case OPT_FOR:
			if (strlen(optarg) > 128)
				return cli_usage(cli, "a note has at most 128 bytes");
			a.note = optarg;
			break;
		default:
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (optind < argc)
		return cli_usage(cli, "invite takes no operand");
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	return code == EXIT_DONE ? do_invite(cli, &a) : code;
}

/* ---- confirm ------------------------------------------------------------------------ */

struct pick {
	const char *name;
	struct table *table;
	unsigned n;
	struct org_answer found;
};

static enum perr pick_answer(void *arg, const struct org_answer *a)
{
	struct pick *p = arg;
	const char *cells[] = { a->join.name, roster_role_text((enum roster_role)a->role), a->note };

	if (p->table != NULL)
		return table_row(p->table, cells);
	if (strcmp(p->name, a->join.name) == 0) {
		p->found = *a;
		p->n++;
	}
	return PERR_OK;
}

static int list_answers(struct cli *cli)
{
	static const char *const heads[] = { "name", "invited as", "note" };
	struct pick p = { .table = table_new(3, heads) };
	enum perr err = p.table == NULL ? PERR_NOMEM : org_answers(cli->client, pick_answer, &p);

	if (err == PERR_OK && table_rows(p.table) == 0)
		puts("Nobody waits for confirmation.");
	if (err == PERR_OK && table_rows(p.table) > 0) {
		table_print(p.table, stdout, term_width(1));
		puts("\nTalk with each by telephone, then: amparo confirm NAME");
	}
	table_free(p.table);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the answers could not be read");
}

/* are these the four words?  in any case, with any blanks or hyphens between */
static bool words_fit(const char *text, const uint16_t want[JOIN_WORDS])
{
	unsigned n = 0;

	while (*text != '\0') {
		size_t len;

		text += strspn(text, " \t,-");
		len = strcspn(text, " \t,-");
		if (len == 0)
			break;
		if (n >= JOIN_WORDS || words_find(text, len) != want[n])
			return false;
		n++;
		text += len;
	}
	return n == JOIN_WORDS;
}

static int check_spoken(const struct org_answer *a, const char *words)
{
	char *line = NULL;
	bool fit;

	if (words != NULL) {
		fit = words_fit(words, a->words);
	} else {
		if (term_ask(stdin, stderr, "The four words that the person says on the telephone: ",
		             &line) != PERR_OK)
			return cli_fail(EXIT_REFUSED, "the four words are needed; --words gives them.");
		fit = words_fit(line, a->words);
		free(line);
	}
	if (fit)
		return EXIT_DONE;
	return cli_fail(EXIT_REFUSED, "these are not the words of this answer: nobody was enrolled. "
	                "Ask again slowly; if they still differ, somebody else answered this "
	                "invitation: `amparo confirm --refuse NAME`, then invite anew.");
}

static int cmd_confirm(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "words", required_argument, NULL, OPT_WORDS },
		{ "as", required_argument, NULL, OPT_AS },
		{ "refuse", no_argument, NULL, OPT_REFUSE }, { 0 }
	};
	const char *words = NULL, *as = NULL;
	struct pick p = { 0 };
	bool refuse = false;
	enum perr err;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_WORDS:  words = optarg; break;
		case OPT_AS:     as = optarg; break;
		case OPT_REFUSE: refuse = true; break;
		default:         return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code == EXIT_DONE)
		code = net_newest(cli);
	if (code == EXIT_DONE)
		code = net_push(cli, STEWARD_PUSH | STEWARD_ANSWERS);
	/* answers fetched earlier can be confirmed without a network; what had to be dropped of
	 * an earlier change was said */
	if (code != EXIT_DONE && code != EXIT_LATER && code != EXIT_REFUSED)
		return code;
	if (cli->client->admin == NULL)
		return EXIT_REFUSED;
	code = EXIT_DONE;
	if (optind == argc)
		return list_answers(cli);
	if (argc - optind != 1)
		return cli_usage(cli, "one name is confirmed at a time (with quotes if it has blanks)");
	p.name = argv[optind];
	err = org_answers(cli->client, pick_answer, &p);
	if (err != PERR_OK)
		return cli_fail_err(err, "the answers could not be read");
	if (p.n == 0)
		return cli_fail(EXIT_REFUSED, "nobody of that name waits; `amparo confirm` lists who "
		                "does.");
	if (p.n > 1 && words == NULL)
		return cli_fail(EXIT_REFUSED, "%u people of that name answered; refuse both and invite "
		                "them anew, one after the other.", p.n);
	if (refuse) {
		err = org_refuse(cli->client, p.found.join.ticket);
	} else {
		code = check_spoken(&p.found, words);
		if (code != EXIT_DONE)
			goto out;
		err = org_confirm(cli->client, &p.found.join, as);
	}
	if (err == PERR_EXISTS)
		code = cli_fail(EXIT_REFUSED, "a member has this name already; --as gives another "
		                "one.");
	else if (err != PERR_OK)
		code = cli_fail_err(err, "the roster could not be changed");
	if (code != EXIT_DONE)
		goto out;
	code = net_push(cli, STEWARD_PUSH);
	if (code == EXIT_REFUSED || net_waits(cli))
		goto out;
	print_safe(as != NULL ? as : p.found.join.name);
	puts(refuse ? " was refused; the invitation opens nothing any more."
	            : " is enrolled.  They run `amparo sync` to see it.");
out:
	join_wipe(&p.found.join);
	return code;
}

/* ---- members ------------------------------------------------------------------------ */

static enum perr add_row(struct cli *cli, struct table *t, const uint8_t key[32],
                         const char *name, enum roster_role role, uint32_t day, bool first)
{
	char stored[96], when[16] = "";
	const char *keys = "";
	const char *cells[] = { name, roster_role_text(role), when, NULL };
	uint8_t *batch = NULL;

	if (day > 0)
		cli_day(when, day);
	if (role == ROSTER_ATTORNEY || role == ROSTER_INTERPRETER) {
		client_key_name(stored, "batch/", key, 32);
		keys = memcmp(key, cli->client->me->sign_pk, 32) == 0 ||
		       kv_get(cli->client->kv, stored, &batch, NULL) == PERR_OK
		     ? "published" : "not yet: has to sync";
		kv_free(batch);
	}
	cells[3] = keys;
	if (!cli->json)
		return table_row(t, cells);
	printf("%s{\"name\":", first ? "" : ",");
	cli_json_str(stdout, name, strlen(name));
	printf(",\"role\":\"%s\",\"since\":\"%s\",\"keys\":\"%s\"}", roster_role_text(role), when,
	       *keys == '\0' ? "" : *keys == 'p' ? "published" : "missing");
	return PERR_OK;
}

static int cmd_members(struct cli *cli, int argc, char **argv)
{
	static const char *const heads[] = { "name", "role", "since", "keys" };
	struct table *t;
	enum perr err = PERR_OK;
	int c, code;

	while ((c = cli_option(cli, argc, argv, NULL)) != -1)
		return c == 'h' ? EXIT_DONE : EXIT_USAGE;
	code = cli_open(cli);
	if (code != EXIT_DONE)
		return code;
	if (cli->client->staff == NULL)
		return cli_fail(EXIT_REFUSED, "the list of members is for staff only: a volunteer's "
		                "device holds nobody's name but its own.");
	t = table_new(4, heads);
	if (t == NULL)
		return cli_fail_err(PERR_NOMEM, "the members could not be listed");
	if (cli->json)
		putchar('[');
	if (cli->client->admin != NULL) {
		const struct roster_admin *a = cli->client->admin;

		for (uint32_t i = 0; i < a->n_members && err == PERR_OK; i++)
			err = add_row(cli, t, a->members[i].key, a->members[i].name,
			              a->members[i].role, a->members[i].day, i == 0);
	} else {
		const struct roster_staff *s = cli->client->staff;

		for (uint32_t i = 0; i < s->n_members && err == PERR_OK; i++)
			err = add_row(cli, t, s->members[i].key, s->members[i].name,
			              s->members[i].role, 0, i == 0);
	}
	if (cli->json)
		puts("]");
	else
		table_print(t, stdout, term_width(1));
	table_free(t);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the members could not be listed");
}

const struct cli_command cli_org_commands[] = {
	{ "org create", "found an organisation",
	  "Use: amparo org create ORGANISATION --name YOUR-NAME [--light]\n\n"
	  "Makes this vault, the first administrator's key, and an empty roster.  No key of an\n"
	  "administrator ever opens a record.\n\n"
	  "  --name NAME   your own name\n"
	  "  --light       less memory for guessing protection: for devices with under 1 GB\n\n"
	  "Example: amparo org create \"Scott County Legal Aid\" --name \"Ruth Alvarez\"\n",
	  cmd_create },
	{ "server list", "ask each server how it is", cmd_server_list_help, cmd_server_list },
	{ "server add", "set up a server, from its card", cmd_server_add_help, cmd_server_add },
	{ "server drop", "take a seized server out of the roster", cmd_server_drop_help,
	  cmd_server_drop },
	{ "server replace", "a new server in the place of a seized one", cmd_server_replace_help,
	  cmd_server_replace },
	{ "server notice", "a file for members whose servers are gone", cmd_server_notice_help,
	  cmd_server_notice },
	{ "server schedule", "how often servers release", cmd_server_schedule_help,
	  cmd_server_schedule },
	{ "settings", "what is set for everybody", cmd_settings_help, cmd_settings },
	{ "rotate", "when the season and the access keys change", cmd_rotate_help, cmd_rotate },
	{ "rotate season", "a new season, now or by plan", cmd_rotate_season_help,
	  cmd_rotate_season },
	{ "rotate access", "new access keys, now or by plan", cmd_rotate_access_help,
	  cmd_rotate_access },
	{ "rotate prekeys", "a new batch of keys that records are sealed to",
	  cmd_rotate_prekeys_help, cmd_rotate_prekeys },
	{ "revoke", "end somebody's membership", cmd_revoke_help, cmd_revoke },
	{ "admin", "who the administrators are, and how many must sign", cmd_admin_help, cmd_admin },
	{ "admin threshold", "how many administrators must sign", cmd_admin_threshold_help,
	  cmd_admin_threshold },
	{ "admin remove", "end an administrator's membership", cmd_admin_remove_help,
	  cmd_admin_remove },
	{ "admin proposals", "what waits for signatures, and what it changes",
	  cmd_admin_proposals_help, cmd_admin_proposals },
	{ "admin sign", "sign a proposal", cmd_admin_sign_help, cmd_admin_sign },
	{ "admin refuse", "say that you do not sign it", cmd_admin_refuse_help, cmd_admin_refuse },
	{ "admin withdraw", "take back what you proposed", cmd_admin_withdraw_help,
	  cmd_admin_withdraw },
	{ "admin save", "a proposal as a file, for another administrator", cmd_admin_save_help,
	  cmd_admin_save },
	{ "release", "order a release now",
	  "Use: amparo release\n\n"
	  "Every server makes what arrived readable at once, instead of at its next scheduled\n"
	  "release.  Also sets right a server that stopped because its clock jumped.\n",
	  cmd_release },
	{ "erasures", "erasures that wait on the servers", cmd_erasures_help, cmd_erasures },
	{ "erasures void", "void erasures before they are applied", cmd_erasures_void_help,
	  cmd_erasures_void },
	{ "board clear", "take everything off the servers' boards", cmd_board_clear_help,
	  cmd_board_clear },
	{ "invite", "make invitations",
	  "Use: amparo invite [--role ROLE] [--count N] [--sheet FILE.html] [--desk NAME] [--for NOTE]\n\n"
	  "Prints one line per invitation, or slips with QR codes to print.  An invitation is for\n"
	  "one person, once; it opens what a volunteer's device needs, and no record.\n\n"
	  "  --role ROLE    volunteer (default), attorney, interpreter, administrator\n"
	  "  --count N      how many (1)\n"
	  "  --sheet FILE   write slips to print instead\n"
	  "  --desk NAME    the desk they belong to, where there are several\n"
	  "  --for NOTE     a note for yourself, shown by `amparo confirm`\n\n"
	  "Example: amparo invite --count 12 --sheet slips.html\n",
	  cmd_invite },
	{ "invitations", "which invitations are open; show them again", cmd_invitations_help,
	  cmd_invitations },
	{ "confirm", "enrol who answered an invitation",
	  "Use: amparo confirm [NAME] [--words \"one two three four\"] [--as NAME] [--refuse]\n\n"
	  "Without a name: who waits.  With a name: asks for the four words that the person says\n"
	  "on the telephone, and enrols them.  The words prove that nobody else answered with a\n"
	  "stolen slip.\n\n"
	  "  --words WORDS   the four words, instead of asking\n"
	  "  --as NAME       enrol under another name than the person wrote\n"
	  "  --refuse        withdraw the invitation instead\n",
	  cmd_confirm },
	{ "members", "who is enrolled",
	  "Use: amparo members [--json]\n\n"
	  "Name and role; for readers whether their keys are published, so that cases can be\n"
	  "assigned to them.\n",
	  cmd_members },
	{ "desk create", "propose a desk and who reads its intakes", cmd_desk_create_help, cmd_desk_create },
	{ "desk sign", "sign the charter of your desk", cmd_desk_sign_help, cmd_desk_sign },
	{ "desk list", "desks, their words, and who has not signed", cmd_desk_list_help, cmd_desk_list },
	{ "desk show", "a desk: its words, who holds it, what is to change", cmd_desk_show_help,
	  cmd_desk_show },
	{ "desk change", "change who holds your desk", cmd_desk_change_help, cmd_desk_change },
	{ "desk countersign", "your desk vouches for another", cmd_desk_countersign_help,
	  cmd_desk_countersign },
	{ "desk publish", "list a desk whose holders have signed", cmd_desk_publish_help, cmd_desk_publish },
	{ "desk trust", "trust a desk, by two of its words", cmd_desk_trust_help, cmd_desk_trust },
	{ "recovery setup", "a key on paper, in shares, for when all is lost",
	  cmd_recovery_setup_help, cmd_recovery_setup },
	{ "recovery rehearse", "prove that the shares still work", cmd_recovery_rehearse_help,
	  cmd_recovery_rehearse },
	{ "recovery run", "restore a desk that lost its vaults", cmd_recovery_run_help,
	  cmd_recovery_run },
	{ "form check", "what would be refused in a form, and what to mend", cmd_form_check_help,
	  cmd_form_check },
	{ "form publish", "publish a form for a desk", cmd_form_publish_help, cmd_form_publish },
	{ "form list", "published forms and their versions", cmd_form_list_help, cmd_form_list },
	{ "form print", "a form on paper, for visits without a phone", cmd_form_print_help,
	  cmd_form_print },
	{ 0 }
};
