/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd_invite.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_desk.h"
#include "desk.h"
#include "org.h"
#include "roster.h"
#include "sheet.h"
#include "table.h"
#include "term.h"

enum { OPT_SHOW = 1, OPT_SHEET };

const char cmd_invitations_help[] =
	"Use: amparo invitations [NUMBER…] [--show | --sheet FILE.html] [--json]\n\n"
	"Lists the invitations that nobody has used yet.  What was made on this device can be\n"
	"shown or written again as long as it is open: when a printer jammed or the disk was full.\n"
	"Do not hand out the same invitation twice: it works once.\n\n"
	"  NUMBER         only these, as the list numbers them; otherwise all that are not answered\n"
	"  --show         print the invitations themselves\n"
	"  --sheet FILE   write them as slips to print\n\n"
	"`amparo confirm --refuse NAME` withdraws one that somebody answered.\n\n"
	"Example: amparo invitations 3 4 --sheet slips.html\n";

int cmd_invite_print(struct cli *cli, const struct invite *inv, unsigned n)
{
	char text[INVITE_TEXT_MAX + 1];

	if (cli->json)
		putchar('[');
	for (unsigned i = 0; i < n; i++) {
		if (invite_encode(text, &inv[i]) != PERR_OK)
			return cli_fail(EXIT_REFUSED, "the server's address is too long for an "
			                "invitation; use one of at most 40 characters.");
		if (cli->json) {
			fputs(i == 0 ? "" : ",", stdout);
			cli_json_str(stdout, text, strlen(text));
		} else {
			puts(text);
		}
	}
	if (cli->json)
		puts("]");
	sodium_memzero(text, sizeof text);
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_fail(EXIT_REFUSED, "the invitations could not be written; they are kept: `amparo "
		                "invitations --show` prints them again.");
	return EXIT_DONE;
}

int cmd_invite_sheet(struct cli *cli, const char *path, enum client_role role,
                     const uint8_t *desk_id, const struct invite *inv, unsigned n)
{
	uint16_t words[DESK_WORDS];
	char *html = NULL, *desk = NULL;
	size_t len = 0;
	enum perr err = PERR_OK;
	int code;

	if (desk_id != NULL) {
		desk_words(words, desk_id);
		err = cmd_desk_name(cli->client, desk_id, &desk);
	}
	if (err == PERR_OK)
		err = sheet_html(&html, &len, cli->client->field->organisation, desk,
		                 desk_id == NULL ? NULL : words, role, inv, n);
	free(desk);
	if (err != PERR_OK)
		return cli_fail_err(err, "the sheet could not be made");
	code = cli_write_file(path, html, len, 0600);
	sodium_memzero(html, len);
	free(html);
	if (code != EXIT_DONE)
		return cli_fail(code, "the invitations are kept: `amparo invitations --sheet FILE` writes "
		                "the slips again, `amparo invitations --show` prints them.");
	if (!cli->json)
		printf("%s: %u slip%s to print.  Print it, hand the slips out, delete the file.\n",
		       path, n, n == 1 ? "" : "s");
	return EXIT_DONE;
}

/* ---- the list ------------------------------------------------------------------------ */

struct chosen {
	struct cli *cli;
	struct table *table;             /* the list; NULL: collect */
	const bool *wanted;              /* by number; NULL: all that are not answered */
	unsigned at;                     /* number of the one looked at */
	struct invite *invites;
	unsigned n, n_elsewhere;
	enum client_role role;
	bool is_mixed;
};

static enum perr list_one(struct chosen *k, const struct org_invited *i)
{
	char number[16], when[16];
	const char *cells[] = { number, roster_role_text((enum roster_role)i->role), when,
	                        i->answered ? "answered: confirm"
	                        : i->is_moved && i->text != NULL ? "its server is gone: show it again"
	                        : i->text != NULL ? "open" : "open, made elsewhere", i->note };

	snprintf(number, sizeof number, "%u", k->at);
	cli_day(when, i->day);
	if (!k->cli->json)
		return table_row(k->table, cells);
	printf("%s{\"number\":%u,\"role\":\"%s\",\"day\":\"%s\",\"answered\":%s,\"here\":%s,"
	       "\"moved\":%s,\"note\":", k->at == 1 ? "" : ",", k->at, cells[1], when,
	       i->answered ? "true" : "false", i->text != NULL ? "true" : "false",
	       i->is_moved ? "true" : "false");
	cli_json_str(stdout, i->note, strlen(i->note));
	putchar('}');
	return PERR_OK;
}

static enum perr take_one(void *arg, const struct org_invited *i)
{
	struct chosen *k = arg;

	k->at++;
	if (k->table != NULL)
		return list_one(k, i);
	if (k->wanted != NULL ? !k->wanted[k->at] : i->answered)
		return PERR_OK;
	if (i->text == NULL) {
		k->n_elsewhere++;
		return PERR_OK;
	}
	k->is_mixed |= k->n > 0 && k->role != i->role;
	k->role = i->role;
	/* this program wrote it */
	return kv_decoded(invite_decode(&k->invites[k->n++], i->text));
}

static int list(struct cli *cli)
{
	static const char *const heads[] = { ">no.", "role", "made", "state", "note" };
	struct chosen k = { .cli = cli, .table = table_new(5, heads) };
	enum perr err = PERR_NOMEM;

	if (cli->json)
		putchar('[');
	if (k.table != NULL)
		err = org_invited(cli->client, take_one, &k);
	if (cli->json)
		puts("]");
	else if (err == PERR_OK && k.at == 0)
		puts("No invitation is open.");
	else if (err == PERR_OK)
		table_print(k.table, stdout, term_width(1));
	table_free(k.table);
	return err == PERR_OK ? EXIT_DONE : cli_fail_err(err, "the invitations could not be read");
}

/* the desk that an invitation names; *has false: none yet */
static enum perr desk_of(struct client *c, const struct invite *inv, uint8_t id[32], bool *has)
{
	uint8_t ids[ROSTER_DESKS_MAX][32];
	struct desk *d = malloc(sizeof *d);
	enum perr err = d == NULL ? PERR_NOMEM : PERR_OK;
	size_t at = 0;

	*has = false;
	for (uint32_t i = 0; i < c->field->n_desks && err == PERR_OK; i++) {
		err = client_desk(c, i, d);
		memcpy(ids[i], d->id, 32);
	}
	free(d);
	if (err == PERR_OK)
		err = invite_anchor_match(&at, inv->anchor, c->me->genesis,
		                          (const uint8_t (*)[32])ids, c->field->n_desks);
	if (err == PERR_OK && at < c->field->n_desks) {
		memcpy(id, ids[at], 32);
		*has = true;
	}
	return err == PERR_CHAIN ? PERR_OK : err;
}

static int write_again(struct cli *cli, const bool *wanted, const char *sheet)
{
	struct chosen k = { .cli = cli, .wanted = wanted };
	uint8_t id[32], other[32];
	bool has = false, other_has;
	enum perr err = PERR_NOMEM;
	int code;

	k.invites = calloc(ROSTER_INVITES_MAX, sizeof *k.invites);
	if (k.invites != NULL)
		err = org_invited(cli->client, take_one, &k);
	for (unsigned i = 0; i < k.n && err == PERR_OK; i++) {
		err = desk_of(cli->client, &k.invites[i], i == 0 ? id : other,
		              i == 0 ? &has : &other_has);
		k.is_mixed |= i > 0 && (has != other_has || (has && memcmp(id, other, 32) != 0));
	}
	if (err != PERR_OK)
		code = cli_fail_err(err, "the invitations could not be read");
	else if (k.n == 0)
		code = cli_fail(EXIT_REFUSED, k.n_elsewhere > 0 ? "these invitations were made on another "
		                "administrator's device, which alone can show them again."
		                : "no such invitation is open; `amparo invitations` lists them.");
	else if (sheet != NULL && k.is_mixed)
		code = cli_fail(EXIT_REFUSED, "these invitations are for several roles or desks; give the "
		                "numbers of one kind, as `amparo invitations` lists them.");
	else
		code = sheet != NULL ? cmd_invite_sheet(cli, sheet, k.role, has ? id : NULL, k.invites,
		                                        k.n)
		                     : cmd_invite_print(cli, k.invites, k.n);
	if (k.invites != NULL)
		sodium_memzero(k.invites, ROSTER_INVITES_MAX * sizeof *k.invites);
	free(k.invites);
	return code;
}

int cmd_invitations(struct cli *cli, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "show", no_argument, NULL, OPT_SHOW },
		{ "sheet", required_argument, NULL, OPT_SHEET }, { 0 }
	};
	bool wanted[ROSTER_INVITES_MAX + 1] = { false }, show = false;
	const char *sheet = NULL;
	int c, code;

	while ((c = cli_option(cli, argc, argv, longs)) != -1)
		switch (c) {
		case OPT_SHOW:  show = true; break;
		case OPT_SHEET: sheet = optarg; break;
		default:        return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	if (optind < argc && !show && sheet == NULL)
		return cli_usage(cli, "numbers go with --show or --sheet");
	for (int i = optind; i < argc; i++) {
		char *end;
		unsigned long n = strtoul(argv[i], &end, 10);

		if (*end != '\0' || n < 1 || n > ROSTER_INVITES_MAX)
			return cli_usage(cli, "\"%s\" is not a number of the list", argv[i]);
		wanted[n] = true;
	}
	code = cli_open_as(cli, ROLE_ADMINISTRATOR);
	if (code != EXIT_DONE)
		return code;
	if (!show && sheet == NULL)
		return list(cli);
	return write_again(cli, optind < argc ? wanted : NULL, sheet);
}
